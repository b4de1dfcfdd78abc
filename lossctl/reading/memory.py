"""Tables in memory: a pandas.DataFrame, a pyarrow.Table, a mapping of arrays; a shard is a slice."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

from lossctl.errors import UsageError
from lossctl.reading.columns import Column
from lossctl.reading.format import Shard, Wanted, columns_in
from lossctl.reading.missing import NullWords
from lossctl.reading.worded import heeding

ROWS = 1 << 20


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
        names = self.table.column_names
        places = [place for place, name in enumerate(names) if wanted.others or name in wanted.names]
        yield from self.table.select(places).to_batches(max_chunksize=1 << 16)


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
    nulls: NullWords = field(default_factory=NullWords)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""
        return columns_in(self.table.schema)

    @property
    def once(self) -> bool:
        """False: a table can be read again."""
        return False

    def shards(self) -> Iterator[Shard]:
        """Slices of 2^20 rows."""
        for start in range(0, self.table.num_rows, ROWS):
            yield heeding(self.nulls, Slice(self.table.slice(start, ROWS), start // ROWS, self.title))


def _column(name: str, values: Any) -> pa.Array:
    """An array ``(n,)``, or ``(n, k)`` as a column of lists; a `UsageError` for other dimensions."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, np.ma.MaskedArray) and values.ndim == 1:
        return pa.array(values.data, mask=np.ma.getmaskarray(values))
    masked = isinstance(values, np.ma.MaskedArray)
    array = np.where(np.ma.getmaskarray(values), np.nan, values.data) if masked else np.asarray(values)
    if array.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), array.shape[1])
    if array.ndim != 1:
        raise UsageError(f"column {name!r}: arrays must be 1-D, or 2-D for a vector column, not {array.ndim}-D")
    return pa.array(array)


def _series(values: Any) -> pa.Array:
    """A column of a frame; all null where Arrow cannot hold it, so that the other columns can still be used."""
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return pa.nulls(len(values), pa.binary())


def open_table(table: Any) -> MemorySource | None:
    """The source for a table in memory; ``None`` for anything else.

    Raises:
        UsageError: the columns are no arrays, or differ in length.
    """
    if isinstance(table, pa.Table | pa.RecordBatch):
        return MemorySource(table if isinstance(table, pa.Table) else pa.Table.from_batches([table]))
    pandas = sys.modules.get("pandas")  # nobody holds a DataFrame without having imported it
    try:
        if pandas is not None and isinstance(table, pandas.DataFrame):
            return MemorySource(pa.table({str(name): _series(table[name]) for name in table.columns}))
        if isinstance(table, Mapping):
            return MemorySource(pa.table({str(name): _column(name, values) for name, values in table.items()}))
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"cannot make a table of the {type(table).__name__}: {error}") from None
    return None
