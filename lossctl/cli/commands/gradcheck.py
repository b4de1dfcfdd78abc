"""``lossctl gradcheck``: a loss or an activation held against its contract."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from lossctl.cli import command
from lossctl.cli.command import Entry, Voice, commands
from lossctl.errors import DataError, UsageError
from lossctl.words import split

if TYPE_CHECKING:
    from lossctl.checks.outcome import Form
    from lossctl.evaluation.running import Running
    from lossctl.functions.activation import BoundActivation
    from lossctl.functions.bound_loss import BoundLoss
    from lossctl.inference.request import Request
    from lossctl.reading.format import Reading

    Bound = BoundLoss | BoundActivation

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A loss or an activation, such as huber:delta=0.5; parameters left out are drawn.",
        autocompletion=command.complete_names,
        show_default=False,
    ),
]
Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]...", help="Check at the rows of these files instead.", show_default=False),
]
Draws = Annotated[
    int,
    typer.Option(
        "--draws", min=1, metavar="N", help="How often to draw parameters and points.", rich_help_panel=command.RUN
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of the draws.", rich_help_panel=command.RUN)]


def gradcheck(
    name: Name,
    files: Files = None,
    input_format: command.InputFormat = None,
    delimiter: command.Delimiter = None,
    no_header: command.NoHeader = False,
    null_values: command.NullValues = None,
    labels: command.LabelFile = None,
    ids: command.Ids = None,
    join: command.Join = "strict",
    label: command.Label = None,
    prediction: command.Prediction = None,
    weight: command.Weight = None,
    classes: command.Classes = None,
    kind: command.KindOf = None,
    activation: command.ActivationName = None,
    from_logits: command.FromLogits = False,
    eps: command.Eps = None,
    normalize_rows: command.NormalizeRows = False,
    nulls: command.NullRows = command.NullPolicy.error,
    draws: Draws = 20,
    seed: Seed = 0,
    json: command.Json = False,
    precision: command.Precision = 6,
    color: command.ColorWhen = command.Color.auto,
    no_progress: command.NoProgress = False,
    quiet: command.Quiet = 0,
    engine: command.EngineName = None,
    threads: command.Threads = None,
    scheduler: command.Scheduler = None,
    verbose: command.Verbose = False,  # noqa: ARG001  (read by cli.main)
) -> None:
    """Prove a loss or an activation, also a plug-in's.

    Holds its gradient against finite differences, and the rest of its contract: shapes, types, rows that do not
    depend on each other. A loss is checked on predictions and through each activation it has a form for, at points
    and parameters drawn from their domains; with files, at every row of them. Exits 1 when anything is wrong.
    """
    from lossctl.checks.contract import undocumented
    from lossctl.checks.outcome import Outcome
    from lossctl.functions.explanation import find
    from lossctl.rendering.renderer import renderers

    voice = Voice(quiet)
    bound, note = find(name, None if kind is None else kind.value)
    if note:
        voice.note(note)
    if files:
        command.check_join(files, labels, ids, join)
        request = _request(bound, name, label, prediction, activation)
        request = replace(
            request,
            weight=weight,
            classes=split(classes),
            from_logits=from_logits,
            eps=eps,
            normalize_rows=normalize_rows,
            nulls=nulls.value,
        )
        reading = command.reading(input_format, delimiter, null_values, no_header=no_header)
        with command.progress_bar(files, wanted=not (no_progress or quiet)) as progress:
            running = command.running(files, labels, engine, threads, scheduler, progress)
            forms = _at_rows(files, labels, split(ids), join, request, reading, running, voice)
    else:
        if any((labels, ids, label, prediction, weight, classes, input_format, delimiter, normalize_rows)):
            raise UsageError("columns are those of a file, and no FILE is named")
        forms = [
            *_at_draws(bound, name, activation, from_logits=from_logits, eps=eps, draws=draws, seed=seed, voice=voice)
        ]
    for lack in undocumented(bound.definition):
        voice.warn(lack)
    outcome = Outcome(bound.name, tuple(forms))
    document, style = outcome.document(), command.style_of(color, precision)
    voice.result(renderers.get("json" if json else "table").render(document, style))
    if not outcome.passed:
        raise typer.Exit(1)


def _at_draws(
    bound: "Bound",
    spec: str,
    activation: str | None,
    *,
    from_logits: bool,
    eps: float | None,
    draws: int,
    seed: int,
    voice: Voice,
) -> "Iterator[Form]":
    """The checks at drawn points: of a loss on predictions and through its activations, unless one is named."""
    from lossctl.checks.contract import check_draws
    from lossctl.checks.outcome import Form
    from lossctl.functions.activation import BoundActivation
    from lossctl.functions.definition import read_spec
    from lossctl.words import normal

    given = {normal(key) for key in read_spec(spec)[1]}
    names = [key for key in bound.parameters if normal(key) in given]
    if isinstance(bound, BoundActivation):
        if activation is not None or from_logits or eps is not None:
            raise UsageError(f"{bound.name} is an activation itself", "Name a loss to check through it.")
        yield Form(bound, check_draws(bound, names, draws=draws, seed=seed))
        return
    if eps is not None:
        bound = bound.flooring(eps)
        names.append("eps")
    if from_logits or activation is not None:
        chosen = [command.through(voice, bound, activation, from_logits=from_logits)]
    else:
        chosen = [bound, *(bound.through(pair) for pair in bound.definition.pairs)]
    for form in chosen:
        yield Form(form, check_draws(form, names, draws=draws, seed=seed))


def _request(
    bound: "Bound", spec: str, label: list[str] | None, prediction: list[str] | None, activation: str | None
) -> "Request":
    """What is asked of a file."""
    from lossctl.evaluation.evaluate import several
    from lossctl.functions.activation import BoundActivation
    from lossctl.inference.request import Request

    if isinstance(bound, BoundActivation):
        raise UsageError(
            f"{bound.name} is an activation: the rows of a file have a loss",
            f"Name the loss, and --activation {bound}; or leave the file out.",
        )
    return Request(loss=[spec], label=several(label), prediction=several(prediction), activation=activation)


def _at_rows(
    files: list[str],
    labels: list[str] | None,
    ids: tuple[str, ...],
    join: str,
    request: "Request",
    reading: "Reading",
    running: "Running",
    voice: Voice,
) -> "list[Form]":
    """The checks at the rows of files."""
    from lossctl.checks.at_rows import prove
    from lossctl.checks.contract import Check
    from lossctl.checks.outcome import Form

    found = command.prepared(voice, files, request, reading, labels=labels, ids=ids, join=join)
    plan = found.plan
    counts, proofs = prove(found.source, plan, running)
    dropped = int(counts.null.sum() + counts.unweighted.sum())
    if dropped:
        voice.note(f"{dropped:,} of {counts.rows:,} rows left out: a null or a weight of 0")
    for proof in proofs:
        if not proof.gradient.compared:
            why = f"{proof.gradient.kinks:,} at kinks, {proof.gradient.unresolved:,} at edges or overflowing"
            raise DataError(f"{proof.bound}: no gradient of {proof.model} can be compared: {why}")
    columns = {model.name: model.columns for model in plan.roles.models}
    return [Form(it.bound, Check((), it.gradient), it.model, columns[it.model], it.places) for it in proofs]


commands.add(
    "gradcheck",
    Entry("gradcheck", gradcheck, "Example: lossctl gradcheck huber preds.csv -y y -p p"),
)
