"""The rows that moved most between two models, with all that is known of each: they are read a second time."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from lossctl.arrays import in_python
from lossctl.arrow import cells_in_python
from lossctl.dataclass import dataclass
from lossctl.document import Column, Table, Words
from lossctl.evaluation.carried import in_doubles, own_columns, written_in_doubles
from lossctl.evaluation.fold import Folded
from lossctl.evaluation.measure import evaluated, kernel_label
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.samples import Again, read_again
from lossctl.evaluation.worst_rows import Number, fitting, row_cells
from lossctl.functions.lookup import get_loss
from lossctl.reading.cells import BadRow, kind_of, text_of
from lossctl.words import free

DIGITS = 4
"""How many digits of predictions and losses of rows tables show; JSON has all."""


@dataclass(frozen=True)
class Move:
    """One row, of those whose losses differ most."""

    file: str | None
    """The file it is in, when there are several."""
    row: int
    """Its number in the file, from 1; header lines do not count."""
    key: Mapping[str, Any]
    """What identifies it, where rows were matched by that."""
    label: Number | None
    """``None`` where the loss has none."""
    baseline_prediction: Number
    """The prediction of the baseline, or the numbers of one of several."""
    prediction: Number
    """That of the model."""
    baseline_loss: float
    """The loss of the row by the baseline."""
    loss: float
    """That by the model."""
    difference: float
    """loss − baseline_loss: above 0 where the row got worse."""
    columns: Mapping[str, Any]
    """All that the file says of it."""

    def to_dict(self) -> dict[str, Any]:
        """The row in numbers, strings, lists and dictionaries."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


Moves = Mapping[tuple[int, int], tuple[Move, ...]]
"""By pair and group, the rows that got worse, the worst first, then those that got better, the best first."""


def moves_of(plan: Plan, folded: Folded[Measured], keys: Sequence[str] = ()) -> Moves:
    """The rows that moved most.

    Args:
        plan: of a pass that kept them.
        folded: that pass, which kept its shards.
        keys: the columns by which rows were matched.

    Raises:
        DataError: the data changed since.
    """
    groups = range(len(folded.total.keys))
    asked = {(number, group): moved.of(group) for number, moved in enumerate(folded.total.moved) for group in groups}
    rows = sorted({row for listed in asked.values() for row, _ in listed})
    where: dict[int, tuple[Again, int]] = {}
    for again in read_again(folded.passed, plan, rows) if rows else ():
        where |= {row: (again, place) for place, row in enumerate(again.rows.tolist())}
    return {
        (number, group): tuple(_move(plan, folded, keys, number, moved, *where[moved[0]]) for moved in listed)
        for (number, group), listed in asked.items()
    }


def _move(
    plan: Plan,
    folded: Folded[Measured],
    keys: Sequence[str],
    number: int,
    moved: tuple[int, float],
    again: Again,
    place: int,
) -> Move:
    """A row as a pair of a loss and two models sees it."""
    row, difference = moved
    file, line = folded.passed.locate(row)
    columns = cells_of(
        in_doubles(own_columns(again.record, plan), written_in_doubles(folded.passed.source, plan)), place
    )
    predictions: list[Number] = []
    losses: list[float] = []
    for side in plan.pairs[number]:
        model, bound = plan.losses[side]
        index = plan.models.index(model)
        batch = again.batch
        label = kernel_label(bound, batch.label, batch.predictions[index])
        value, _ = evaluated(bound, label, batch.predictions[index], batch.errors[index], gradient=False)
        numbers = batch.predictions[index][place]
        predictions.append(in_python(numbers[~np.isnan(numbers)] if numbers.ndim else numbers))  # lists may be shorter
        losses.append(float(value[place]))
    return Move(
        file=file if len(folded.passed.source.files) > 1 else None,
        row=line,
        key={name: columns.get(name) for name in keys},
        label=None if plan.losses[plan.pairs[number][0]][1].unlabelled else in_python(again.batch.label[place]),
        baseline_prediction=predictions[0],
        prediction=predictions[1],
        baseline_loss=losses[0],
        loss=losses[1],
        difference=difference,
        columns=columns,
    )


def cells_of(record: pa.RecordBatch, place: int) -> dict[str, Any]:
    """The cells of a row by their columns, as JSON can hold them; a second column of one name has another."""
    cells: dict[str, Any] = {}
    for field, column in zip(record.schema, record.columns, strict=True):
        cells[free(field.name, cells, suffix="_")] = _cell(column.slice(place, 1), field.name)
    return cells


def _cell(column: pa.Array, name: str) -> Any:
    if kind_of(column.type) == "other" and not pa.types.is_nested(column.type):
        with suppress(BadRow):  # such as a date; what is no text is written as Python has it
            return text_of(column, name)[0].as_py()
    try:
        return _jsonable(*cells_in_python(column))
    except pa.ArrowInvalid:
        return " ".join(column.to_string(skip_new_lines=True).split())


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _jsonable(cell) for name, cell in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(cell) for cell in value]
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def moved_rows(
    moves: Sequence[Move], title: Words, models: tuple[str, str], loss: str, inputs: Mapping[str, Any]
) -> Table:
    """The table of the rows that moved most.

    Args:
        moves: the rows.
        title: what stands above.
        models: what baseline and candidate are called.
        loss: the loss.
        inputs: of the report, which know the classes and the columns.
    """
    several = moves[0].file is not None
    names = list(moves[0].key)
    old, new = models if len({*models, "row", "label", *names}) == 4 + len(names) else ("baseline", "model")
    rows = [
        [
            *([move.file] if several else []),
            move.row,
            *(move.key[name] for name in names),
            move.difference,
            *_predicted(move, models, loss, inputs),
            move.baseline_loss,
            move.loss,
        ]
        for move in moves
    ]
    start = len(rows[0]) - 5
    labelled = not get_loss(loss).unlabelled
    if not labelled:
        for cells in rows:
            del cells[start]
    kept = list(enumerate(("label", old, new)))[not labelled :]
    columns = [
        *([Column("file", "name")] if several else []),
        Column("row", "count", key=True),
        *(Column(name, "name", key=True) for name in names),
        Column("change", "number", digits=DIGITS, tone="strong"),
        *(
            fitting(Column(name, "number", digits=DIGITS if place else None), [row[at] for row in rows])
            for at, (place, name) in enumerate(kept, start)
        ),
        Column(f"loss {old}", "number", digits=DIGITS),
        Column(f"loss {new}", "number", digits=DIGITS),
    ]
    return Table.of(tuple(columns), rows, title)


def _predicted(move: Move, models: tuple[str, str], loss: str, inputs: Mapping[str, Any]) -> list[Any]:
    """The cells of the label and of both predictions; of several numbers those that are furthest apart."""
    sides = move.baseline_prediction, move.prediction
    apart = np.subtract(sides[1], sides[0]) if np.shape(sides[0]) == np.shape(sides[1]) else None
    cells = []
    for model, side in zip(models, sides, strict=True):
        weight = side if apart is None else in_python(apart)
        cells.append(row_cells((move.label, side, weight), loss, model, inputs))
    return [cells[0][0], cells[0][1], cells[1][1]]
