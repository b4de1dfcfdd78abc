"""Tables in memory: a pandas.DataFrame, a pyarrow.Table, a mapping of arrays; a shard is a slice."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from decimal import Decimal
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

from lossctl.arrays import array_of, is_masked, is_number, missing
from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray
from lossctl.errors import UsageError, reason
from lossctl.reading.columns import Column
from lossctl.reading.fields import columns_needed
from lossctl.reading.format import Shard, Wanted, columns_in
from lossctl.reading.missing import NullWords
from lossctl.reading.worded import heeding
from lossctl.words import counted, said

ROWS, SLICE_BYTES = 1 << 20, 1 << 26
"""How many rows a slice has, and about how many bytes of rows that are wide, so that there are several to share."""
MOST, FEWEST = 1 << 17, 1 << 8
"""How many rows come at a time, and how many however wide they are."""
COLUMN_BYTES, BATCH_BYTES = 1 << 22, 1 << 25
"""About how many bytes of one column, and of all, come at a time."""


@dataclass(frozen=True)
class Slice:
    """Some rows of a table."""

    table: pa.Table
    index: int
    file: str
    """What messages call the table."""

    @property
    def nbytes(self) -> int:
        """The size of the slice."""
        return int(self.table.nbytes)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the rows of the slice alone; Arrow would pickle the whole table with every slice."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as writer:
            writer.write_table(self.table)
        return _unpickled, (sink.getvalue(), self.index, self.file)

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows."""
        names, needed = self.table.column_names, columns_needed(self.table.schema, wanted.names)
        places = [place for place, name in enumerate(names) if wanted.others or name in needed]
        table = self.table.select(places)
        sizes = _row_sizes(table)
        fitting = min(COLUMN_BYTES // max([1, *sizes]), BATCH_BYTES // max(sum(sizes), 1))
        yield from table.to_batches(max_chunksize=min(MOST, max(fitting, FEWEST)))


def _unpickled(rows: pa.Buffer, index: int, file: str) -> Slice:
    with pa.ipc.open_stream(rows) as reader:
        return Slice(reader.read_all(), index, file)


@dataclass(frozen=True)
class MemorySource:
    """A table in memory."""

    table: pa.Table
    title: str = "table"
    """What messages call it."""
    files: tuple[str, ...] = ()
    """The files it was made of, if any."""
    numbers: npt.NDArray[np.int64] | None = None
    """The number of each row in its file, from 0, where rows were left out; ``None`` where they follow each other."""
    inside: frozenset[str] = frozenset()
    """Columns that were fields inside others when the table was made."""
    numerals: frozenset[str] = frozenset()
    """Columns of text, or of lists of text, that are numbers, some of which are integers and no doubles."""
    nulls: NullWords = field(default_factory=NullWords)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""
        columns = columns_in(self.table.schema)
        kinds = {"text": "number", "other": "list"}
        return tuple(
            replace(
                column,
                kind=kinds[column.kind] if column.name in self.numerals else column.kind,
                inside=column.name in self.inside,
            )
            for column in columns
        )

    @property
    def once(self) -> bool:
        """False: a table can be read again."""
        return False

    def shards(self) -> Iterator[Shard]:
        """Slices of 2^20 rows, or about 64 MiB."""
        total = self.table.num_rows
        rows = min(ROWS, max(SLICE_BYTES // max(sum(_row_sizes(self.table)), 1), FEWEST))
        for start in range(0, total, rows):
            yield heeding(self.nulls, Slice(self.table.slice(start, rows), start // rows, self.title))


def _row_sizes(table: pa.Table) -> list[int]:
    """About how many bytes a row takes in each column: of most their types say it, without a look at every chunk."""
    rows = max(table.num_rows, 1)
    return [
        column.type.bit_width // 8 if pa.types.is_primitive(column.type) else column.nbytes // rows
        for column in table.columns
    ]


def _cells(values: Any, title: str) -> pa.Array:
    """An array ``(n,)``, or ``(n, k)`` as a column of lists.

    Raises:
        UsageError: it has other dimensions, or Arrow cannot hold what is in it.
    """
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    mask = None
    if is_masked(values):
        mask, values = np.ma.getmaskarray(values), values.data
    array = values if _is_series(values) else array_of(values, title)
    if array.ndim not in {1, 2} or 0 in array.shape[1:]:
        came = said(array if array.ndim else values)
        raise UsageError(f"{title}: arrays must be 1-D, or 2-D for a vector column, not {array.ndim}-D: {came}")
    try:
        if array.ndim == 2:
            flat = _arrow(array.ravel(), None if mask is None else mask.ravel())
            return pa.FixedSizeListArray.from_arrays(flat, array.shape[1])
        return _arrow(array, mask)
    except Exception as error:  # noqa: BLE001  (whatever a stranger's type of cells does)
        raise UsageError(f"{title} is {said(array)}, which Arrow cannot hold: {reason(error)}") from None


def _is_series(values: Any) -> bool:
    pandas = sys.modules.get("pandas")  # nobody holds a DataFrame without having imported it
    return pandas is not None and isinstance(values, pandas.Series)


def _arrow(array: Any, mask: BoolArray | None = None) -> pa.Array:
    """An array ``(n,)`` as Arrow's, null where ``mask`` is true; integers of any length as decimals.

    Raises:
        Exception: Arrow cannot hold it; what it raises differs.
    """
    try:
        return pa.array(array, mask=mask, from_pandas=_is_series(array) or None)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        dense = np.asarray(array)
        if dense.dtype.kind != "O":  # pandas keeps it otherwise, such as without its zeros
            return pa.array(dense, mask=mask)
        cells = [None if missing(cell) or cell != cell else cell for cell in dense]  # noqa: PLR0124  (NaN)
        if not all(cell is None or is_number(cell) for cell in cells):
            raise
        if all(cell is None or isinstance(cell, Integral | Decimal) for cell in cells):
            return pa.array([None if cell is None else Decimal(cell) for cell in cells], mask=mask)
        if any(isinstance(cell, Integral) and int(float(cell)) != cell for cell in cells):
            raise
        return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64(), mask=mask)


def _column_or_nothing(values: Any) -> pa.Array:
    """A column of a frame; where Arrow cannot hold it one of which nothing can be made, so that others can be used."""
    try:
        return _cells(values, "")
    except UsageError:
        unheld = pa.opaque(pa.null(), f"{values.dtype}", "pandas")
        return pa.ExtensionArray.from_storage(unheld, pa.nulls(len(values)))


def _titles(names: Iterable[Any]) -> list[str]:
    """What columns are called; a `UsageError` where one has a name that cannot be written."""
    titles = []
    for name in names:
        try:
            titles.append(str(name))
            titles[-1].encode()
        except Exception as error:  # noqa: BLE001  (whatever a stranger's name does)
            raise UsageError(f"a column cannot be called {said(name)}: {reason(error)}", "Rename it.") from None
    return titles


def open_table(table: Any) -> MemorySource | None:
    """The source for a table in memory; ``None`` for anything else.

    Raises:
        UsageError: the columns are no arrays, or differ in length.
    """
    if isinstance(table, pa.Table | pa.RecordBatch):
        return MemorySource(table if isinstance(table, pa.Table) else pa.Table.from_batches([table]))
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(table, pandas.DataFrame):
        names = _titles(table.columns)
        return MemorySource(pa.Table.from_arrays([_column_or_nothing(values) for _, values in table.items()], names))
    if isinstance(table, Mapping):
        names = _titles(table)
        titled = [f"cannot make a table: column {name!r}" for name in names]
        arrays = [_cells(values, title) for values, title in zip(table.values(), titled, strict=True)]
        for title, array in zip(titled, arrays, strict=True):
            if len(array) != len(arrays[0]):
                what = f"{title} has {counted(len(array), 'row')}, but {names[0]!r} has {len(arrays[0]):,}"
                raise UsageError(what, "Arrays of a table are of one length.")
        return MemorySource(pa.Table.from_arrays(arrays, names))
    return None
