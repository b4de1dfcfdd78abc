"""The outcome of checking a loss or an activation in each of its forms, and its document."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lossctl.checks.contract import Check
from lossctl.checks.differences import TOLERANCE, Point
from lossctl.dataclass import dataclass
from lossctl.document import Column, Document, Line, Part, Piece, Section, Table, phrase
from lossctl.evaluation.worst_rows import class_code
from lossctl.functions.activation import BoundActivation
from lossctl.functions.bound_loss import BoundLoss

COUNTS = (
    Column("gradient of"),
    Column("compared", "count"),
    Column("at kinks", "count"),
    Column("unresolved", "count"),
    Column("wrong", "count"),
    Column("worst error", "number", digits=2),
)


@dataclass(frozen=True)
class Form:
    """One thing that was checked: a loss on predictions or through an activation, or an activation."""

    bound: BoundLoss | BoundActivation
    check: Check
    model: str | None = None
    columns: tuple[str, ...] = ()
    """The names of the columns of a prediction, where they are those of a file."""
    places: tuple[tuple[str, int], ...] = ()
    """File and row of the worst numbers, where they are those of a file."""
    classes: tuple[str, ...] = ()
    """The names of the classes, where a file has some."""

    @property
    def wrt(self) -> str:
        """What the gradient is with respect to."""
        return self.bound.wrt if isinstance(self.bound, BoundLoss) else "pre-activation"

    @property
    def title(self) -> str:
        """What was checked, for people."""
        through = self.bound.activation if isinstance(self.bound, BoundLoss) else None
        words = str(self.bound) if through is None else f"{self.bound} through {through}"
        return words if self.model is None else f"{words}, model {self.model}"

    @property
    def why(self) -> str:
        """Why it passed or failed, to follow its title."""
        gradient = self.check.gradient
        if gradient.wrong:
            return f"{gradient.wrong:,} of {gradient.compared:,} numbers differ from finite differences"
        if self.check.faults:
            return self.check.faults[0]
        if not gradient.compared:
            return "nothing could be compared"
        return f"{gradient.compared:,} numbers agree with finite differences"

    def to_row(self) -> dict[str, Any]:
        """The form as a flat row, without the worst numbers."""
        gradient = self.check.gradient
        return {
            "name": str(self.bound),
            "model": self.model,
            "wrt": self.wrt,
            "passed": self.check.passed,
            "faults": "; ".join(self.check.faults),
            **{key: getattr(gradient, key) for key in ("compared", "kinks", "unresolved", "wrong", "error")},
        }

    def to_dict(self) -> dict[str, Any]:
        """The form in numbers, strings, lists and dictionaries, unrounded."""
        worst = []
        for index, point in enumerate(self.check.gradient.worst):
            facts = asdict(point)
            where = {"file": self.places[index][0], "row": self.places[index][1]} if self.places else {"row": None}
            worst.append({**where, **{key: value for key, value in facts.items() if key != "row"}})
        return {**self.to_row(), "faults": list(self.check.faults), "worst": worst}


@dataclass(frozen=True)
class Outcome:
    """A loss or an activation held against its contract."""

    name: str
    forms: tuple[Form, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong with any form."""
        return all(form.check.passed for form in self.forms)

    def to_dict(self) -> dict[str, Any]:
        """The outcome in numbers, strings, lists and dictionaries, unrounded."""
        checks = [form.to_dict() for form in self.forms]
        return {"name": self.name, "passed": self.passed, "tolerance": TOLERANCE, "checks": checks}

    def document(self) -> Document:
        """The outcome, described: a row and an object for each form."""
        return Document(
            title=f"checks of {self.name}",
            sections=lambda: _sections(self.forms),
            record=self.to_dict,
            rows=lambda: [form.to_row() for form in self.forms],
            items=lambda: [form.to_dict() for form in self.forms],
            schema="gradcheck",
        )


def _sections(forms: tuple[Form, ...]) -> Iterator[Section]:
    """Counts, the worst numbers, the verdict."""
    rows = []
    for form in forms:
        gradient = form.check.gradient
        error = gradient.error if gradient.compared else None
        rows.append([form.title, gradient.compared, gradient.kinks, gradient.unresolved, gradient.wrong, error])
    section: list[Part] = [Table.of(COUNTS, rows, folds=True, framed=False)]
    for form in forms:
        if form.check.gradient.worst and (form.places or form.check.gradient.wrong):
            yield tuple(section)
            section = [Line(Piece(f"largest relative errors of {form.title}", "strong")), _worst(form)]
        section += [Line(f"fault: {fault}") for fault in form.check.faults]
    yield tuple(section)
    yield tuple(
        Line(phrase(Piece("PASS", "good") if form.check.passed else Piece("FAIL", "bad"), f" {form.title}: {form.why}"))
        for form in forms
    )


def _worst(form: Form) -> Table:
    several = len({file for file, _ in form.places}) > 1
    points = form.check.gradient.worst
    labelled = any(point.label is not None for point in points)
    wide = len(form.columns) > 1 or any(isinstance(point.prediction, tuple) for point in points)
    columns = [
        *([Column("file")] if several else []),
        Column("row", "count") if form.places else Column("of"),
        *([Column("label", "name" if form.classes else "number")] if labelled else []),
        Column("prediction", "number"),
        *([Column("column")] if wide else []),
        Column("stated", "number"),
        Column("difference", "number"),
        Column("relative error", "number", digits=2),
    ]
    rows = []
    for index, point in enumerate(points):
        cells: list[Any] = [form.places[index][0]] if several else []
        cells += [form.places[index][1] if form.places else point.name]
        cells += [_label(form, point)] if labelled else []
        cells += [_number(point.prediction, point.column)]
        cells += [_column(form, point)] if wide else []
        rows.append([*cells, point.stated, point.difference, point.error])
    return Table.of(tuple(columns), rows, folds=True, framed=False)


def _column(form: Form, point: Point) -> str:
    return form.columns[point.column] if len(form.columns) > 1 else f"#{point.column + 1}"


def _label(form: Form, point: Point) -> str | float | None:
    """The class of a row by its name, else its label, or that of one column."""
    code = class_code(point.label, point.prediction, form.classes, one_hot=False) if form.classes else None
    return _number(point.label, point.column) if code is None else form.classes[code]


def _number(value: float | tuple[float, ...] | None, column: int) -> float | None:
    """A number, or that of one column."""
    return value[column] if isinstance(value, tuple) else value
