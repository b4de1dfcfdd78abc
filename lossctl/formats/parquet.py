"""Apache Parquet; a shard is a row group."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from lossctl.columns import Column
from lossctl.format import Reading, Wanted, columns_in, formats
from lossctl.location import REFUSALS, Location, Stamp, open_binary, scheme_of, stamp_of, unchanged, unreadable

ROWS = 1 << 16
COLUMN_BYTES, BATCH_BYTES = 1 << 22, 1 << 25
"""About how many bytes of one column, and of all, a batch may hold: long lists stay in the cache, and many columns come
enough rows at a time."""
BUFFER = 1 << 20


@functools.lru_cache(maxsize=8)
def _metadata(path: str, stamp: Stamp) -> pq.FileMetaData:  # noqa: ARG001  (part of the cache key)
    with open_binary(path) as file:
        return pq.read_metadata(file)


def _rows(group: pq.RowGroupMetaData, names: list[str]) -> int:
    """How many rows a batch of some columns of a row group may have."""
    wanted = {name.partition(".")[0] for name in names}
    held = dict.fromkeys(wanted, 0)
    for column in map(group.column, range(group.num_columns)):
        name = column.path_in_schema.partition(".")[0]
        if name in wanted:
            held[name] += max(column.total_uncompressed_size, 8 * column.num_values)
    rows: int = max(group.num_rows, 1)
    widest, together = max(held.values(), default=0) // rows + 1, sum(held.values()) // rows + 1
    return max(min(ROWS, COLUMN_BYTES // widest, BATCH_BYTES // together), 256)


def _open(file: Any, path: str) -> pq.ParquetFile:
    stamp = stamp_of(file)
    # The buffer keeps a giant row group from being held whole, but costs a request a page where the file is remote.
    remote = bool(scheme_of(path))
    metadata = _metadata(path, stamp) if stamp else None
    return pq.ParquetFile(file, metadata=metadata, pre_buffer=remote, buffer_size=0 if remote else BUFFER)


@dataclass(frozen=True)
class RowGroup:
    """One row group of a Parquet file."""

    path: str
    file: str
    index: int
    nbytes: int
    stamp: Stamp

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows, up to 65 536 at a time."""
        try:
            with unchanged(self.path, self.stamp) as raw:
                file = _open(raw, self.path)
                names = [name for name in file.schema_arrow.names if wanted.others or name in wanted.names]
                rows = _rows(file.metadata.row_group(self.index), names)
                yield from file.iter_batches(rows, row_groups=[self.index], columns=names, use_threads=False)
        except REFUSALS as error:
            raise unreadable(self.file, error) from None


@dataclass(frozen=True)
class ParquetSource:
    """An open Parquet file."""

    location: Location
    path: str
    columns: tuple[Column, ...]
    groups: int
    stamp: Stamp

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.location.title,)

    @property
    def once(self) -> bool:
        """Never: what came through a pipe is in a file by now."""
        return False

    def shards(self) -> Iterator[RowGroup]:
        """The row groups."""
        size = Location(self.path).size
        for index in range(self.groups):
            yield RowGroup(self.path, self.location.title, index, size // self.groups, self.stamp)


class Parquet:
    """The Parquet format."""

    name = "parquet"
    suffixes: tuple[str, ...] = (".parquet", ".pq")
    magic = b"PAR1"
    text = False
    typed = True

    def open(self, location: Location, reading: Reading) -> ParquetSource:  # noqa: ARG002  (it says all itself)
        """Open a file by its footer; a pipe is put into a file first."""
        aside = location.spooled()
        try:
            with open_binary(aside.path) as raw:
                file = _open(raw, aside.path)
                groups = file.metadata.num_row_groups
                return ParquetSource(location, aside.path, columns_in(file.schema_arrow), groups, stamp_of(raw))
        except REFUSALS as error:
            raise unreadable(location.title, error) from None

    def writer(self, file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
        """Begin a file."""
        return pq.ParquetWriter(file, schema)


formats.add(Parquet.name, Parquet())
