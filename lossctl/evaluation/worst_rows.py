"""The tables of the worst rows: classes by their names, and of a long vector the numbers that matter."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossctl.document import Column, Entries, Phrase, Table
from lossctl.evaluation.result import Result
from lossctl.functions.lookup import get_loss

Number = float | tuple[float, ...]
COLUMNS = (
    Column("row", "count", key=True),
    Column("loss", "number"),
    Column("label", "number"),
    Column("prediction", "number"),
    Column("gradient", "number"),
)
FEW = 3
"""How many entries of a long vector are shown."""
SHORT = 4
"""How many a vector may have to be shown whole."""


def worst_rows(result: Result, title: Phrase, inputs: Mapping[str, Any]) -> Table:
    """The worst rows of a result.

    Args:
        result: one with samples.
        title: what stands above.
        inputs: `Report.inputs`, which know the classes and the columns.
    """
    several = result.samples[0].file is not None
    rows = [
        [
            *([sample.file] if several else []),
            sample.row,
            *(sample.id or {}).values(),
            sample.value,
            *row_cells((sample.label, sample.prediction, sample.gradient), result.loss, result.model, inputs),
        ]
        for sample in result.samples
    ]
    row, *measured = COLUMNS
    if get_loss(result.loss).unlabelled:
        for cells in rows:
            del cells[-3]
        measured = [column for column in measured if column.title != "label"]
    columns = [fitting(column, [row[index - len(measured)] for row in rows]) for index, column in enumerate(measured)]
    keys = [Column(name, "name", key=True) for name in result.samples[0].id or ()]
    return Table.of((*([Column("file", "name")] if several else []), row, *keys, *columns), rows, title)


def fitting(column: Column, cells: Iterable[Any]) -> Column:
    """The column, as one of entries or names where it has any."""
    kinds = {type(cell) for cell in cells}
    return Column(column.title, "entries") if kinds & {Entries, str} else column


def row_cells(row: tuple[Number | None, Number, Number], loss: str, model: str, inputs: Mapping[str, Any]) -> list[Any]:
    """The cells of label, prediction and gradient of a row, of which of several numbers those of large gradient count.

    Args:
        row: these three, the label ``None`` where the loss has none.
        loss, model: of which they are.
        inputs: as for `worst_rows`.
    """
    (label, prediction, gradient), classes, bound = row, inputs["classes"], get_loss(loss)
    coded = not (bound.of_number or bound.unlabelled)
    code = class_code(label, prediction, classes, one_hot=bound.of_classes) if coded else None
    named: object = label if code is None or not classes or isinstance(label, tuple) else classes[code]
    if not isinstance(prediction, tuple) or not isinstance(gradient, tuple):
        return [named, prediction, gradient]
    names = _names(len(prediction), classes, inputs["models"][model], bound.parts)
    steepest = _largest(gradient, range(len(gradient)), size=True)
    slope = _entries(gradient, names, steepest)
    if code is not None:
        others = [index for index in range(len(prediction)) if index != code]
        order = [code, *_largest(prediction, others)]
        titles = [f"truth {name}" if index == code else name for index, name in enumerate(names)]
        truth = names[code] if isinstance(label, tuple) else named
        return [truth, _entries(prediction, titles, order), slope]
    # The same columns in all three, so that they can be held against each other.
    order = steepest if len(names) > SHORT else list(range(len(names)))
    if isinstance(label, tuple):
        own = names if len(label) != len(inputs["label"]) else inputs["label"]
        named = _entries(label, own, order) if len(label) == len(names) else label
    return [named, _entries(prediction, names, order), _entries(gradient, names, order)]


def class_code(label: object, prediction: object, classes: Sequence[str] | None, *, one_hot: bool) -> int | None:
    """The place of the label's class: by its code, or by the 1 among 0s; ``None`` where it has none."""
    width = len(prediction) if isinstance(prediction, tuple) else len(classes or ())
    if isinstance(label, tuple):
        one_hot = one_hot and len(label) == width and set(label) == {0.0, 1.0} and sum(label) == 1
        return label.index(1.0) if one_hot else None
    code = 0.0 if label == -1 and width == 2 else label
    return int(code) if isinstance(code, float) and code.is_integer() and 0 <= code < width else None


def _names(width: int, *known_by: Sequence[str] | None) -> Sequence[str]:
    """What the numbers of a prediction are called: by the first of some names that are as many, or by their places."""
    known = (names for names in known_by if names and len(names) == width)
    return next(known, [str(index) for index in range(width)])


def _largest(values: Sequence[float], places: Iterable[int], *, size: bool = False) -> list[int]:
    """The places of numbers, the largest first, or the largest in size; of what is no number before all."""
    return sorted(places, key=lambda place: -_rank(abs(values[place]) if size else values[place]))


def _rank(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _entries(values: Sequence[float], names: Sequence[str], order: Sequence[int]) -> Entries:
    if len(values) <= SHORT:
        return Entries(tuple((names[place], values[place]) for place in order))
    shown = order[:FEW]
    nothing = not any(values[place] for place in range(len(values)) if place not in shown)
    kept = [place for place in shown if values[place] or place == order[0] or not nothing]
    return Entries(tuple((names[place], values[place]) for place in kept), "others 0" if nothing else "…")
