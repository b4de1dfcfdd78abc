"""Arrow IPC: the file (also called Feather), of which a shard is a record batch, and the stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.ipc

from lossctl.columns import Column
from lossctl.errors import DataError
from lossctl.format import Reading, Wanted, columns_in, formats
from lossctl.location import Location, open_binary, unreadable

ROWS = 1 << 16


def _parts(batch: pa.RecordBatch, wanted: Wanted) -> Iterator[pa.RecordBatch]:
    names = [name for name in batch.schema.names if wanted.others or name in wanted.names]
    some = batch.select(names)
    for start in range(0, batch.num_rows, ROWS):
        yield some.slice(start, ROWS)


@dataclass(frozen=True)
class FileBatch:
    """One record batch of an Arrow file."""

    path: str
    file: str
    index: int
    nbytes: int

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows."""
        try:
            with open_binary(self.path) as file:
                yield from _parts(pa.ipc.open_file(file).get_batch(self.index), wanted)
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.file, error) from None


@dataclass(frozen=True)
class FileSource:
    """An open Arrow file."""

    location: Location
    path: str
    columns: tuple[Column, ...]
    batches: int

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.location.title,)

    @property
    def once(self) -> bool:
        """Never: what came through a pipe is in a file by now."""
        return False

    def shards(self) -> Iterator[FileBatch]:
        """The record batches."""
        size = Location(self.path).size
        for index in range(self.batches):
            yield FileBatch(self.path, self.location.title, index, size // self.batches)


class ArrowFile:
    """The Arrow IPC file, which is Feather since its version 2."""

    name = "arrow"
    suffixes: tuple[str, ...] = (".arrow", ".feather", ".ipc")
    magic = b"ARROW1"
    text = False
    typed = True

    def open(self, location: Location, reading: Reading) -> FileSource:  # noqa: ARG002  (it says all itself)
        """Open a file by its footer; a pipe is put into a file first."""
        if location.head().startswith(b"FEA1"):
            raise DataError(f"{location.title}: Feather of version 1", "Write it again as version 2, or as Parquet.")
        aside = location.spooled()
        try:
            with open_binary(aside.path) as file:
                reader = pa.ipc.open_file(file)
                return FileSource(location, aside.path, columns_in(reader.schema), reader.num_record_batches)
        except (OSError, pa.ArrowException) as error:
            raise unreadable(location.title, error) from None

    def writer(self, file: BinaryIO, schema: pa.Schema) -> pa.ipc.RecordBatchFileWriter:
        """Begin a file."""
        return pa.ipc.new_file(file, schema)


@dataclass(frozen=True)
class StreamBatch:
    """One record batch of an Arrow stream: a stream cannot go back, so the batch is held."""

    batch: pa.RecordBatch
    file: str
    index: int

    @property
    def nbytes(self) -> int:
        """The size of the batch."""
        return int(self.batch.nbytes)

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows."""
        yield from _parts(self.batch, wanted)


@dataclass
class StreamSource:
    """An open Arrow stream."""

    location: Location
    reader: Any
    columns: tuple[Column, ...]
    first: pa.RecordBatch | None = None
    advanced: bool = field(default=False)

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.location.title,)

    @property
    def once(self) -> bool:
        """Always: shards hold their rows."""
        return True

    def shards(self) -> Iterator[StreamBatch]:
        """The record batches.

        Raises:
            DataError: the stream is damaged, or was read already.
        """
        if self.advanced:
            if self.location.pipe:
                raise DataError(f"{self.location.title}: can be read only once", "Save it to a file first.")
            self.reader, self.first = pa.ipc.open_stream(self.location.open()), None
            self.advanced = False
        index = 0
        while True:
            batch = self.first if index == 0 and self.first is not None else self._next()
            if batch is None:
                return
            if index == 0:
                self.first = batch
            else:
                self.advanced = True
            yield StreamBatch(batch, self.location.title, index)
            index += 1

    def _next(self) -> pa.RecordBatch | None:
        try:
            return self.reader.read_next_batch()
        except StopIteration:
            return None
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.location.title, error) from None


class ArrowStream:
    """The Arrow IPC stream."""

    name = "arrows"
    suffixes: tuple[str, ...] = (".arrows", ".ipcs")
    magic = b"\xff\xff\xff\xff"
    text = False
    typed = True

    def open(self, location: Location, reading: Reading) -> StreamSource:  # noqa: ARG002  (it says all itself)
        """Open a stream by its schema."""
        try:
            reader = pa.ipc.open_stream(location.open())
            return StreamSource(location, reader, columns_in(reader.schema))
        except (OSError, pa.ArrowException) as error:
            raise unreadable(location.title, error) from None

    def writer(self, file: BinaryIO, schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        """Begin a stream."""
        return pa.ipc.new_stream(file, schema)


for made in (ArrowFile(), ArrowStream()):
    formats.add(made.name, made)
