"""The roles of one record batch as arrays, with what is null or of another length noted on the way."""

import math
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from itertools import product

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lossctl.arrow import filled, scalar, words_in_arrow
from lossctl.domain import WIDE, BoolArray, FloatArray, IntArray, Span, laid_out
from lossctl.inference.label_cells import LabelCells, label_cells
from lossctl.inference.layout import Layout
from lossctl.reading.cells import BadRow, floats, kind_of, scalar_column, shown, spanned_column, text_of, vector_column
from lossctl.reading.missing import equal, nulled_where, without_truths
from lossctl.reading.rounding import EXACT, Rest, rest_of, rest_of_lists
from lossctl.reading.storage import is_list, mask_of
from lossctl.reading.written import written_numbers
from lossctl.sums.problems import Key, Problem
from lossctl.sums.span import span_of

FLOATS = {pa.float32(), pa.float64()}
ROUNDED = "integers beyond 2^53 are rounded to doubles"
TURNED, BESIDE = 1000, 64
"""How many rows are made of how many columns at a time, which stay in the cache: no power of two of rows, or columns
would fight for a few lines of it."""


class Reader:
    """Reads columns of one record batch, and notes what is wrong with them.

    Args:
        record: the rows.
    """

    def __init__(self, record: pa.RecordBatch) -> None:
        self.record, self.n = record, record.num_rows
        self.rests: dict[str, Rest] = {}
        """What the numbers of a column have beyond their doubles, of those columns that have such."""
        self.spans: dict[str, Span] = {}
        """Between which numbers those of a column are, nulls and all."""
        self.problems: dict[Key, Problem] = {}
        self._cells: LabelCells | None = None

    @cached_property
    def null(self) -> BoolArray:
        """Rows with a null in a column that was read."""
        return np.zeros(self.n, dtype=np.bool_)

    @cached_property
    def skipped(self) -> BoolArray:
        """Rows that do not count, whatever is in them."""
        return np.zeros(self.n, dtype=np.bool_)

    @cached_property
    def ignored(self) -> BoolArray:
        """Those of them whose label says that there is none."""
        return np.zeros(self.n, dtype=np.bool_)

    @property
    def dropped(self) -> BoolArray | None:
        """Rows that are null or skipped; ``None`` where there are none. Nothing is made of marks that nobody set."""
        marks = [vars(self)[name] for name in ("null", "skipped") if name in vars(self)]
        return np.asarray(np.logical_or.reduce(marks)) if any(mark.any() for mark in marks) else None

    def note(
        self,
        key: Key,
        rows: BoolArray,
        words: Callable[[int], str],
        position: IntArray | None = None,
    ) -> None:
        """Note that something is wrong with some rows.

        Args:
            key: kind, column, and what is wrong.
            rows: with which rows.
            words: what stands in a row.
            position: where those rows stand in the batch, where they are not all of it.
        """
        if rows.any():
            first = int(rows.argmax())
            place = first if position is None else int(position[first])
            self.problems[key] = Problem(int(rows.sum()), place, words(first))

    def ignore(self, layout: Layout) -> None:
        """Skip the rows whose label is one of those to be ignored, counted one by one; it is null from here on.

        Where a label has several numbers, only rows go in which all are to be ignored; `label` counts these.

        Raises:
            BadRow: a label of several numbers is none.
        """
        if layout.masked:
            self._cells = label_cells(self.record, layout)
            self.ignored = np.asarray(self._cells.ignored.all(axis=1))
        for column in layout.roles.label if layout.ignored and not layout.masked else ():
            array = self.record.column(column)
            for label in layout.ignored:
                rows = equal(array, label) & ~self.ignored
                self.note(("ignored", column, label), rows, lambda _: "")
                self.ignored |= rows
            array = nulled_where(array, self.ignored) if self.ignored.any() else array
            array = array if layout.text else without_truths(array)
            self.record = self.record.set_column(self.record.schema.get_field_index(column), column, array)
        if "ignored" in vars(self):
            self.skipped |= self.ignored

    def label(self, layout: Layout) -> FloatArray:
        """The numbers of the labels, ``(n,)`` or ``(n, k)``, after `ignore`; NaN is one that is left out of its row.

        Raises:
            BadRow: a column holds something else.
        """
        names, cells = layout.roles.label, self._cells
        if not names:
            return np.zeros(self.n)
        if cells is None:
            return self.columns(names, layout.label_width)
        self.rests |= cells.rests
        for label, rows in cells.by_label.items():
            counted = rows & (self.ignored | ~self.skipped)[:, None]
            for name, part in zip(names, np.split(counted, len(names), axis=1), strict=True):
                if part.any():
                    first = int(part.any(axis=1).argmax())
                    self.problems["ignored", name, label] = Problem(int(part.sum()), first, "")
        out = cells.ignored | cells.null if layout.mask_null else cells.ignored
        if layout.mask_null:
            self.missing(", ".join(names), np.asarray(out.all(axis=1)))
        else:
            for name, part in zip(names, np.split(cells.null, len(names), axis=1), strict=True):
                self.missing(name, np.asarray(part.any(axis=1)))
        if cells.other_length is not None:
            self._note_lengths(names[0], cells.other_length)
        return laid_out(np.where(out, np.nan, cells.values))

    def decisions(self, layout: Layout) -> list[FloatArray]:
        """Whether each decision of each model is the class that the label is, 1 or 0, ``(n,)``.

        Raises:
            BadRow: a column holds no numbers, or no UTF-8 text.
        """
        title, models = layout.roles.label[0], [model.columns[0] for model in layout.models]
        if layout.text:
            import pyarrow.compute as pc

            label, *words = columns = [self.text(name) for name in (title, *models)]
            for name, column in zip((title, *models), columns, strict=True):
                self.missing(name, mask_of(column))
            return [floats(pc.equal(label, each).cast(pa.float64())) for each in words]
        code, *codes = (self.numbers(name) for name in (title, *models))
        for name, numbers in zip((title, *models), (code, *codes), strict=True):
            fraction = (np.floor(numbers) != numbers) & ~self.null & ~self.skipped
            self.note(("error", name, "the code of a class"), fraction, partial(_shown, numbers))
            self.spans.pop(name, None)  # what is judged is whether they are the same
        return [(code == each).astype(np.float64) for each in codes]

    def missing(self, column: str, null: BoolArray | None) -> None:
        """Note the nulls of a column."""
        if null is not None:
            self.note(("null", column, ""), null & ~self.skipped, lambda _: "null")
            self.null |= null

    def numbers(self, column: str) -> FloatArray:
        """A column of numbers, which may be written as text, or of lists of one number.

        Raises:
            BadRow: it holds something else.
        """
        array = self.record.column(column)
        if pa.types.is_float64(array.type):  # there is nothing to ask of it, and rows may have a thousand
            values, null, self.spans[column] = spanned_column(array, span_of)
            self.missing(column, null)
            return values
        if is_list(array.type):
            return self._lists(column, 1)[:, 0]
        cells, values, null, span = number_cells(self.record, column)
        self.missing(column, null)
        self.spans[column] = span
        rest = None if span[0] > -EXACT and span[1] < EXACT else rest_of(cells, values, null)
        if rest is not None:
            self.rests[column] = rest
        return values

    def span(self, names: Sequence[str]) -> Span | None:
        """Between which numbers those of some columns are; ``None`` where nobody looked."""
        spans = [self.spans[name] for name in names if name in self.spans]
        if not spans or len(spans) < len(names):
            return None
        return spans[0] if len(spans) == 1 else span_of(np.array(spans))

    def columns(self, names: Sequence[str], width: int) -> FloatArray:
        """Several columns, or one column of lists, as ``(n, width)``; a single column of numbers as ``(n,)``."""
        if not width:
            return self.numbers(names[0])
        if len(names) == 1:
            return self._lists(names[0], width)
        if width > WIDE:
            rows = _rows_of_floats(self.record, names)
            if rows is not None and not math.isnan((span := span_of(rows))[0]):
                self.spans |= dict.fromkeys(names, span)
                return rows
            return _as_rows([self.numbers(name) for name in names])
        matrix = np.empty((self.n, width), order="F")
        for place, name in enumerate(names):
            matrix[:, place] = self.numbers(name)
        return matrix

    def ragged(self, column: str, *, masked: bool = False) -> FloatArray:
        """A column of lists of any length, behind whose numbers stands NaN; one that is empty is null.

        The width is a power of two from 64 on, so that the sum of a row does not depend on those beside it.

        Args:
            column: which.
            masked: whether nulls in a list are left out of it, and count; else the row of each is null.

        Raises:
            BadRow: it holds something else, or a row that is too long.
        """
        import pyarrow.compute as pc

        array = self.record.column(column)
        if not is_list(array.type):
            raise BadRow(0, f"column {column!r} holds {shown(array[0].as_py())}, which is not a list of numbers")
        lengths = floats(filled(pc.list_value_length(array), 0)).astype(np.int64)
        longest = int(lengths.max(initial=1))
        width = longest if longest <= WIDE else 1 << (longest - 1).bit_length()
        try:
            values, null = scalar_column(array.flatten())
        except pa.ArrowException:
            raise BadRow(0, f"column {column!r} holds {shown(array[0].as_py())}, which is no list of numbers") from None
        row = np.repeat(np.arange(self.n), lengths)
        place = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        matrix = np.full((self.n, width), np.nan, order="F")
        matrix[row, place] = values if null is None else np.where(null, np.nan, values)
        missing = lengths == 0
        if null is not None and masked:
            missing = np.isnan(matrix).all(axis=1)
            left_out = null & ~(missing | self.skipped)[row]
            if left_out.any():
                self.problems["masked", column, ""] = Problem(int(left_out.sum()), int(row[left_out.argmax()]), "")
        elif null is not None:
            missing[row[null]] = True
        self.missing(column, missing if missing.any() else None)
        return matrix

    def _lists(self, column: str, width: int) -> FloatArray:
        array = self.record.column(column)
        if not is_list(array.type):
            raise BadRow(0, f"column {column!r} holds {shown(array[0].as_py())}, which is not a list of numbers")
        try:
            matrix, null, other_length, self.spans[column] = vector_column(array, width, span_of)
        except pa.ArrowException:  # text in lists is numerals, as text formats give them, or no numbers at all
            raise BadRow(0, f"column {column!r} holds {shown(array[0].as_py())}, which is no list of numbers") from None
        self.missing(column, null)
        if other_length is not None and other_length.any():
            self._note_lengths(column, other_length)
        rest = rest_of_lists(array, matrix)
        if rest is not None:
            self.rests[column] = rest
        return matrix

    def rest(self, names: Sequence[str], width: int) -> FloatArray | None:
        """What numbers of some columns have beyond their doubles, in the shape of `columns`; ``None`` for nothing."""
        rests = [self.rests[name].values for name in names if name in self.rests]
        if not rests:
            return None
        if len(names) == 1:
            return rests[0].reshape((self.n, width) if width else self.n)
        nothing = np.zeros(self.n)
        return np.column_stack([self.rests[name].values if name in self.rests else nothing for name in names])

    def rounded(self, column: str, *, inexact: bool = False) -> None:
        """Note the numbers of a column that are not what was computed with.

        Args:
            column: one that was read.
            inexact: whether what they have beyond their doubles was computed with too, as far as that is a double.
        """
        rest = self.rests.get(column)
        if rest is not None:
            cells, lost = self.record.column(column), rest.inexact if inexact else rest.values != 0
            rows = lost if lost.ndim == 1 else lost.any(axis=1)
            self.note(
                ("no double", column, ROUNDED),
                rows & ~self.null & ~self.skipped,
                lambda row: _cell(cells[row], lost[row]),
            )

    def _note_lengths(self, column: str, other_length: BoolArray) -> None:
        import pyarrow.compute as pc

        lengths = pc.list_value_length(self.record.column(column))
        self.note(("length", column, ""), other_length & ~self.skipped, lambda row: f"a list of {lengths[row]}")
        self.null |= other_length

    def text(self, column: str) -> pa.Array:
        """A column as words; an empty one is null.

        Raises:
            BadRow: it cannot be read as text.
        """
        import pyarrow.compute as pc

        array = text_of(self.record.column(column), column)
        empty = pc.equal(array, words_in_arrow([""])[0])  # a string of Python's would import pandas
        return pc.if_else(empty, scalar(None), array) if pc.any(empty).as_py() else array


def _rows_of_floats(record: pa.RecordBatch, names: Sequence[str]) -> FloatArray | None:
    """Many columns of floats as rows, to be looked through once, NaN for null; ``None`` where one holds others."""
    columns = record.select([*names])
    if not {*columns.schema.types} <= FLOATS:
        return None
    return np.asarray(columns.to_tensor(null_to_nan=True), dtype=np.float64)


def _as_rows(columns: Sequence[npt.NDArray[np.floating]]) -> FloatArray:
    """Many columns of numbers as rows ``(n, k)`` in C order."""
    k, n = len(columns), len(columns[0])
    rows = np.empty((n, k))
    for start, first in product(range(0, n, TURNED), range(0, k, BESIDE)):
        few = [column[start : start + TURNED] for column in columns[first : first + BESIDE]]
        beside = np.concatenate(few, dtype=np.float64).reshape(len(few), -1)
        rows[start : start + TURNED, first : first + BESIDE] = beside.T
    return rows


def _shown(numbers: FloatArray, row: int) -> str:
    return shown(numbers[row])


def _cell(cell: pa.Scalar, lost: BoolArray) -> str:
    """A number as its column has it, of a list the first that was lost."""
    value = cell.as_py()
    return str(value[int(lost.argmax())] if isinstance(value, list) else value)


def number_cells(record: pa.RecordBatch, column: str) -> tuple[pa.Array, FloatArray, BoolArray | None, Span]:
    """The cells of a column of numbers, which may be written as text, and what `spanned_column` says of them.

    Raises:
        BadRow: it holds something else.
    """
    array = cells = record.column(column)
    if kind_of(array.type) == "text":
        cells = text_of(array, column)
        array = written_numbers(cells, column)
    elif kind_of(array.type) != "number":
        raise BadRow(0, f"column {column!r} holds {shown(array[0].as_py())}, which is not a number")
    return (cells, *spanned_column(array, span_of))
