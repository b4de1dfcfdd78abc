"""Apache Parquet; a shard is a row group."""

import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from lossctl.columns import Column
from lossctl.format import Wanted, columns_in, formats, unreadable

ROWS = 1 << 16
BUFFER = 1 << 20


@functools.lru_cache(maxsize=8)
def _metadata(path: str, changed: int) -> pq.FileMetaData:  # noqa: ARG001  (part of the cache key)
    return pq.read_metadata(path)


def _open(path: str) -> pq.ParquetFile:
    # A memory map would triple the resident size and gain nothing; the buffer keeps a giant row group from being
    # held whole.
    metadata = _metadata(path, os.stat(path).st_mtime_ns)
    return pq.ParquetFile(path, metadata=metadata, memory_map=False, pre_buffer=False, buffer_size=BUFFER)


@dataclass(frozen=True)
class RowGroup:
    """One row group of a Parquet file."""

    file: str
    index: int
    nbytes: int

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows, 65 536 at a time."""
        try:
            with _open(self.file) as file:
                names = [name for name in file.schema_arrow.names if wanted.others or name in wanted.names]
                yield from file.iter_batches(ROWS, row_groups=[self.index], columns=names, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.file, error) from None


@dataclass(frozen=True)
class ParquetSource:
    """An open Parquet file."""

    path: str
    columns: tuple[Column, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.path,)

    @property
    def nbytes(self) -> int:
        """The size of the file."""
        return os.path.getsize(self.path)

    def shards(self) -> Iterator[RowGroup]:
        """The row groups."""
        metadata = _metadata(self.path, os.stat(self.path).st_mtime_ns)
        groups = metadata.num_row_groups
        for index in range(groups):
            yield RowGroup(self.path, index, self.nbytes // groups)


class Parquet:
    """The Parquet format."""

    name = "parquet"
    suffixes: tuple[str, ...] = (".parquet", ".pq")
    magic = b"PAR1"

    def open(self, path: str) -> ParquetSource:
        """Open a file by its footer."""
        try:
            with _open(path) as file:
                return ParquetSource(path, columns_in(file.schema_arrow))
        except (OSError, pa.ArrowException) as error:
            raise unreadable(path, error) from None

    def writer(self, file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
        """Begin a file."""
        return pq.ParquetWriter(file, schema)


formats.add(Parquet.name, Parquet())
