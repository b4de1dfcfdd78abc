"""``lossctl gradcheck``: a loss or an activation held against its contract."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lossctl.cli.command import Voice, Without, as_typed, command, given, prepared, refuse_given, through
from lossctl.cli.completers import complete_names
from lossctl.cli.input_options import Input, Join
from lossctl.cli.options import Columns, KindOf, LossOptions, RunningOptions, running_option
from lossctl.cli.output_options import Output
from lossctl.dataclass import dataclass
from lossctl.errors import DataError, UsageError

if TYPE_CHECKING:
    from lossctl.checks.outcome import Form
    from lossctl.evaluation.prepared import Prepared
    from lossctl.evaluation.running import Running
    from lossctl.functions.activation import BoundActivation
    from lossctl.functions.bound_loss import BoundLoss
    from lossctl.inference.request import Request

    Bound = BoundLoss | BoundActivation

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A loss or an activation, such as huber:delta=0.5; parameters left out are drawn.",
        autocompletion=complete_names,
        show_default=False,
    ),
]
Rows = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]...", help="Check at the rows of these files instead.", show_default=False),
]


@dataclass(frozen=True)
class Drawing:
    """How points are drawn, where no files hold them."""

    draws: Annotated[
        int,
        running_option("--draws", min=1, max=10**6, metavar="N", help="How often to draw parameters and points."),
    ] = 20
    seed: Annotated[int, running_option("--seed", min=0, metavar="N", help="Of the draws.")] = 0


@command("gradcheck", "lossctl gradcheck huber preds.csv -y y -p p")
def gradcheck(
    *,
    name: Name,
    files: Rows = None,
    source: Input,
    join: Join,
    columns: Columns,
    kind: KindOf = None,
    losses: Annotated[LossOptions, Without("loss")],
    drawing: Drawing,
    output: Annotated[Output, Without("output")],
    running: RunningOptions,
) -> None:
    """Prove a loss or an activation, also a plug-in's.

    Holds its gradient against finite differences, and the rest of its contract: shapes, types, rows that do not
    depend on each other. A loss is checked on predictions and through each activation it has a form for, at points
    and parameters drawn from their domains; with files, at every row of them. Exits 1 when anything is wrong.
    """
    from lossctl.checks.contract import undocumented
    from lossctl.checks.outcome import Outcome
    from lossctl.cli.output import show
    from lossctl.functions.explanation import find

    voice, renderer = output.voice, output.renderer("table")
    bound, note = find(name, None if kind is None else kind.value)
    if note:
        voice.note(note)
    if files:
        refuse_given(drawing, because="is for points that are drawn, not for files")
        joined, request = join.asked(files), _request(bound, name, columns, losses)
        with output.progress(files) as progress:
            how = running.over(files, join, progress)
            ready = prepared(voice, files, request, source.reading(voice), **joined)
            forms = _at_rows(ready, how, voice)
    else:
        refuse_given(
            *(source, join, columns, losses, running),
            but=("activation", "from_logits", "eps"),
            because="is for files, and no FILE is named",
        )
        forms = [*_at_draws(bound, name, as_typed(losses), drawing, voice)]
    for lack in undocumented(bound.definition):
        voice.warn(lack)
    outcome = Outcome(bound.name, tuple(forms))
    show(outcome.document(), renderer, output.style, voice)
    if not outcome.passed:
        raise typer.Exit(1)


def _at_draws(bound: "Bound", spec: str, losses: LossOptions, drawing: Drawing, voice: Voice) -> "Iterator[Form]":
    """The checks at drawn points: of a loss on predictions and through its activations, unless one is named."""
    from lossctl.checks.contract import check_draws
    from lossctl.checks.outcome import Form
    from lossctl.functions.activation import BoundActivation
    from lossctl.functions.definition import read_spec
    from lossctl.words import normal

    kept = {normal(key) for key in read_spec(spec)[1]}
    names = [key for key in bound.parameters if normal(key) in kept]
    if isinstance(bound, BoundActivation):
        if any(given(losses)):
            raise UsageError(f"{bound.name} is an activation itself", "Name a loss to check through it.")
        yield Form(bound, check_draws(bound, names, **asdict(drawing)))
        return
    if losses.eps is not None:
        bound = bound.flooring(losses.eps)
        names.append("eps")
    if losses.from_logits or losses.activation is not None:
        chosen = [through(voice, bound, losses.activation, from_logits=losses.from_logits)]
    else:
        chosen = [bound, *(bound.through(pair) for pair in bound.definition.pairs)]
    for form in chosen:
        yield Form(form, check_draws(form, names, **asdict(drawing)))


def _request(bound: "Bound", spec: str, columns: Columns, losses: LossOptions) -> "Request":
    """What is asked of a file."""
    from lossctl.functions.activation import BoundActivation
    from lossctl.inference.request import Request

    if isinstance(bound, BoundActivation):
        raise UsageError(
            f"{bound.name} is an activation: the rows of a file have a loss",
            f"Name the loss, and --activation {bound}; or leave the file out.",
        )
    return Request(**{**losses.asked(), "loss": [spec]}, **columns.asked())


def _at_rows(ready: "Prepared", running: "Running", voice: Voice) -> "list[Form]":
    """The checks at the rows of files."""
    from lossctl.checks.at_rows import prove
    from lossctl.checks.contract import Check
    from lossctl.checks.outcome import Form
    from lossctl.evaluation.complaints import remarks

    plan = ready.plan
    counts, proofs, chosen = prove(ready.source, plan, running)
    for remark in (*chosen, *remarks(plan, counts)):
        voice.note(remark)
    for proof in proofs:
        if not proof.gradient.compared:
            why = f"{proof.gradient.kinks:,} at kinks, {proof.gradient.unresolved:,} at edges or overflowing"
            raise DataError(f"{proof.bound}: no gradient of {proof.model} can be compared: {why}")
    columns, classes = {model.name: model.columns for model in plan.roles.models}, tuple(plan.layout.classes or ())
    return [
        Form(proof.bound, Check((), proof.gradient), proof.model, columns[proof.model], proof.places, classes)
        for proof in proofs
    ]
