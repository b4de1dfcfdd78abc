"""Labels of several numbers, some of which may be missing: single cells, and what is missing of them."""

from collections.abc import Mapping
from dataclasses import field

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, FloatArray
from lossctl.inference.layout import Layout
from lossctl.reading.cells import kind_of, scalar_column, text_of, vector_cells
from lossctl.reading.missing import equal, nulled_where, without
from lossctl.reading.rounding import Rest, rest_of, rest_of_lists
from lossctl.reading.written import written_numbers


@dataclass(frozen=True)
class LabelCells:
    """The label cells of a record batch. Masks have the shape of the values, ``(n, k)``."""

    values: FloatArray
    null: BoolArray
    """Where there is no number, and none is to be ignored."""
    by_label: Mapping[str, BoolArray]
    """Where each of the labels to be ignored stands."""
    other_length: BoolArray | None
    """Rows ``(n,)`` that are lists of another length."""
    rests: Mapping[str, Rest] = field(default_factory=dict)
    """What the numbers of a column have beyond their doubles, of those columns that have such."""

    @property
    def ignored(self) -> BoolArray:
        """Where any of them stands."""
        return np.asarray(np.logical_or.reduce([np.zeros(self.null.shape, dtype=np.bool_), *self.by_label.values()]))


def label_cells(record: pa.RecordBatch, layout: Layout) -> LabelCells:
    """Read the labels of a record batch.

    Raises:
        BadRow: a cell is no number, nor a label to be ignored.
    """
    names, width = layout.roles.label, layout.label_width
    if len(names) == 1:
        return _of_lists(record.column(names[0]), names[0], width, layout.ignored)
    shape = record.num_rows, width
    values, null = np.empty(shape, order="F"), np.zeros(shape, dtype=np.bool_)
    by_label = {label: np.zeros(shape, dtype=np.bool_) for label in layout.ignored}
    rests: dict[str, Rest] = {}
    for place, name in enumerate(names):
        array = record.column(name)
        if kind_of(array.type) == "list":
            cells = _of_lists(array, name, 1, layout.ignored)
            values[:, place], null[:, place] = cells.values[:, 0], cells.null[:, 0]
            rests |= cells.rests
            for label, rows in cells.by_label.items():
                by_label[label][:, place] = rows[:, 0]
            continue
        out = np.zeros(record.num_rows, dtype=np.bool_)
        for label in layout.ignored:
            by_label[label][:, place] = equal(array, label) & ~out
            out |= by_label[label][:, place]
        array = nulled_where(array, out) if out.any() else array
        stored = array = text_of(array, name) if kind_of(array.type) == "text" else array
        array = written_numbers(array, name) if kind_of(array.type) == "text" else array
        values[:, place], missing = scalar_column(array)
        null[:, place] = False if missing is None else missing & ~out
        rest = rest_of(stored, values[:, place], missing)
        if rest is not None:
            rests[name] = rest
    return LabelCells(values, null, by_label, None, rests)


def _of_lists(array: pa.Array, name: str, width: int, ignored: tuple[str, ...]) -> LabelCells:
    values, before, other_length, _ = vector_cells(array, width)
    null = np.zeros(values.shape, dtype=np.bool_) if before is None else before
    by_label, out = {}, null
    for label in ignored:
        array = without(array, [label])
        after = vector_cells(array, width)[1]
        by_label[label] = np.zeros(values.shape, dtype=np.bool_) if after is None else after & ~out
        out = out | by_label[label]
    rest = rest_of_lists(array, values)
    return LabelCells(values, null, by_label, other_length, {} if rest is None else {name: rest})
