"""``lossctl gradcheck``: a loss or an activation held against its contract."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossctl.cli.choices import complete_names
from lossctl.cli.command import Voice, Without, command, dumped, prepared, through
from lossctl.cli.options import (
    Columns,
    Input,
    Join,
    KindOf,
    LossOptions,
    Output,
    RunningOptions,
    given,
    refuse_given,
    running_option,
)
from lossctl.errors import DataError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lossctl.checks.contract import Check
    from lossctl.checks.differences import Point
    from lossctl.evaluation.evaluate import Prepared
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
        int, running_option("--draws", min=1, metavar="N", help="How often to draw parameters and points.")
    ] = 20
    seed: Annotated[int, running_option("--seed", min=0, metavar="N", help="Of the draws.")] = 0


@dataclass(frozen=True)
class Form:
    """One thing that was checked: a loss on predictions or through an activation, or an activation."""

    bound: "Bound"
    check: "Check"
    model: str | None = None
    columns: tuple[str, ...] = ()
    """The names of the columns of a prediction, where they are those of a file."""
    places: tuple[tuple[str, int], ...] = ()
    """File and row of the worst numbers, where they are those of a file."""

    @property
    def wrt(self) -> str:
        """What the gradient is with respect to."""
        return getattr(self.bound, "wrt", "pre-activation")

    def to_dict(self) -> dict[str, Any]:
        """Everything that was found, with numbers as they are."""
        found = self.check.gradient
        worst = []
        for at, point in enumerate(found.worst):
            facts = asdict(point)
            where = {"file": self.places[at][0], "row": self.places[at][1]} if self.places else {"row": None}
            worst.append({**where, **{key: value for key, value in facts.items() if key != "row"}})
        return {
            "name": str(self.bound),
            "model": self.model,
            "wrt": self.wrt,
            "passed": self.check.passed,
            "faults": list(self.check.faults),
            **{key: getattr(found, key) for key in ("compared", "kinks", "unresolved", "wrong", "error")},
            "worst": worst,
        }


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
    output: Annotated[Output, Without("form", "output")],
    running: RunningOptions,
) -> None:
    """Prove a loss or an activation, also a plug-in's.

    Holds its gradient against finite differences, and the rest of its contract: shapes, types, rows that do not
    depend on each other. A loss is checked on predictions and through each activation it has a form for, at points
    and parameters drawn from their domains; with files, at every row of them. Exits 1 when anything is wrong.
    """
    from lossctl.checks.contract import undocumented
    from lossctl.checks.differences import TOLERANCE
    from lossctl.functions.explanation import find

    voice = output.voice
    bound, note = find(name, None if kind is None else kind.value)
    if note:
        voice.note(note)
    if files:
        refuse_given(drawing, because="is for points that are drawn, not for files")
        joined, request = join.asked(files), _request(bound, name, columns, losses)
        with output.progress(files) as progress:
            ready = prepared(voice, files, request, source.reading(), **joined)
            forms = _at_rows(ready, running.over(files, join, progress), voice)
    else:
        refuse_given(
            *(source, join, columns, losses, running),
            but=("activation", "from_logits", "eps"),
            because="is for files, and no FILE is named",
        )
        forms = [*_at_draws(bound, name, losses, drawing, voice)]
    for lack in undocumented(bound.definition):
        voice.warn(lack)
    passed = all(form.check.passed for form in forms)
    if output.json:
        facts = {"name": bound.name, "passed": passed, "tolerance": TOLERANCE, "checks": [it.to_dict() for it in forms]}
        voice.result(dumped(facts))
    else:
        from lossctl.rendering.terminal import drawn

        voice.result(drawn(output.style, *_page(forms, output.precision)))
    if not passed:
        raise typer.Exit(1)


def _at_draws(bound: "Bound", spec: str, losses: LossOptions, drawing: Drawing, voice: Voice) -> "Iterator[Form]":
    """The checks at drawn points: of a loss on predictions and through its activations, unless one is named."""
    from lossctl.checks.contract import check_draws
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


def _at_rows(ready: "Prepared", running: "Running", voice: Voice) -> list[Form]:
    """The checks at the rows of files."""
    from lossctl.checks.at_rows import prove
    from lossctl.checks.contract import Check

    plan = ready.plan
    counts, proofs = prove(ready.source, plan, running)
    dropped = int(counts.null.sum() + counts.unweighted.sum())
    if dropped:
        voice.note(f"{dropped:,} of {counts.rows:,} rows left out: a null or a weight of 0")
    for proof in proofs:
        if not proof.gradient.compared:
            why = f"{proof.gradient.kinks:,} at kinks, {proof.gradient.unresolved:,} at edges or overflowing"
            raise DataError(f"{proof.bound}: no gradient of {proof.model} can be compared: {why}")
    columns = {model.name: model.columns for model in plan.roles.models}
    return [Form(it.bound, Check((), it.gradient), it.model, columns[it.model], it.places) for it in proofs]


def _page(forms: list[Form], precision: int) -> "Iterator[RenderableType]":
    """What was found, for people: counts, the worst numbers, the verdict."""
    from rich.table import Table
    from rich.text import Text

    counts = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for title in ("gradient of", "compared", "at kinks", "unresolved", "wrong", "worst error"):
        counts.add_column(title, justify="left" if title == "gradient of" else "right", overflow="fold")
    for form in forms:
        it = form.check.gradient
        numbers = [f"{count:,}" for count in (it.compared, it.kinks, it.unresolved, it.wrong)]
        counts.add_row(_title(form), *numbers, f"{it.error:.2g}" if it.compared else "")
    yield counts
    for form in forms:
        if form.check.gradient.worst and (form.places or form.check.gradient.wrong):
            yield ""
            yield Text(f"largest relative errors of {_title(form)}", style="bold")
            yield _worst(form, precision)
        for fault in form.check.faults:
            yield Text(f"fault: {fault}")
    yield ""
    for form in forms:
        passed = form.check.passed
        verdict = Text("PASS" if passed else "FAIL", style="green" if passed else "bold red")
        yield verdict.append(f" {_title(form)}{_why(form)}", style="default not bold")


def _title(form: Form) -> str:
    from lossctl.words import printable

    through = getattr(form.bound, "activation", None)
    words = str(form.bound) if through is None else f"{form.bound} through {through}"
    return words if form.model is None else f"{words}, model {printable(form.model)}"


def _why(form: Form) -> str:
    """Why a form passed or failed, to follow its title."""
    it = form.check.gradient
    if it.wrong:
        return f": {it.wrong:,} of {it.compared:,} numbers differ from finite differences"
    if form.check.faults:
        return f": {form.check.faults[0]}"
    if not it.compared:
        return ": nothing could be compared"
    return f": {it.compared:,} numbers agree with finite differences"


def _worst(form: Form, precision: int) -> "RenderableType":
    from rich.table import Table

    from lossctl.words import printable

    several = len({file for file, _ in form.places}) > 1
    wide = len(form.columns) > 1 or any(isinstance(it.prediction, tuple) for it in form.check.gradient.worst)
    shown = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    titles = [*(["file"] if several else []), *(["row"] if form.places else ["of"])]
    titles += ["label", "prediction", *(["column"] if wide else []), "stated", "difference", "relative error"]
    for title in titles:
        shown.add_column(title, justify="left" if title in {"file", "of", "column"} else "right", overflow="fold")
    for at, point in enumerate(form.check.gradient.worst):
        cells = [form.places[at][0]] if several else []
        cells += [f"{form.places[at][1]:,}" if form.places else point.name]
        cells += [_number(value, point.column, precision) for value in (point.label, point.prediction)]
        cells += [_column(form, point)] if wide else []
        cells += [f"{point.stated:.{precision}g}", f"{point.difference:.{precision}g}", f"{point.error:.2g}"]
        shown.add_row(*map(printable, cells))
    return shown


def _column(form: Form, point: "Point") -> str:
    return form.columns[point.column] if len(form.columns) > 1 else f"#{point.column + 1}"


def _number(value: float | tuple[float, ...] | None, column: int, precision: int) -> str:
    """A number, or that of one column."""
    if value is None:
        return ""
    return f"{value[column] if isinstance(value, tuple) else value:.{precision}g}"
