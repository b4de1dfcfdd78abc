"""Arrow IPC: the file (also called Feather), whose shards are record batches, small ones together, and the stream."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.ipc

from lossctl.dataclass import dataclass
from lossctl.errors import DataError
from lossctl.reading.columns import Column
from lossctl.reading.fields import columns_needed
from lossctl.reading.footer import Part, PartedSource
from lossctl.reading.format import OneFile, Reading, Wanted, columns_in, formats
from lossctl.reading.ipc_messages import Checked, check_batches
from lossctl.reading.location import Location
from lossctl.reading.stamped import unchanged
from lossctl.reading.stores import REFUSALS, unreadable

ROWS, BATCH_BYTES = 1 << 16, 1 << 26
"""How many rows are passed on at once, and about how many bytes: fewer rows where they hold long lists."""


def _parts(batch: pa.RecordBatch, wanted: Wanted, title: str) -> Iterator[pa.RecordBatch]:
    """The wanted columns of a record batch, some rows at a time; a `DataError` where they are damaged."""
    needed = columns_needed(batch.schema, wanted.names)
    places = [index for index, name in enumerate(batch.schema.names) if wanted.others or name in needed]
    selected = batch.select(places)
    # What came over a wire may point anywhere; nothing may be followed before it was checked.
    for name, column in zip(selected.schema.names, selected.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowException as error:
            raise unreadable(f"{title}: column {name!r}", error) from None
    try:
        selected.validate()
    except pa.ArrowException as error:
        raise unreadable(title, error) from None
    rows = max(min(ROWS, BATCH_BYTES * batch.num_rows // max(selected.nbytes, 1)), 1)
    for start in range(0, batch.num_rows, rows):
        yield selected.slice(start, rows)


class FileBatches(Part):
    """Record batches of an Arrow file."""

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows."""
        try:
            with unchanged(self.path, self.stamp) as file:
                check_batches(file, self.file, self.members)
                reader = pa.ipc.open_file(file)
                for member in self.members:
                    yield from _parts(reader.get_batch(member), wanted, self.file)
        except REFUSALS as error:
            raise unreadable(self.file, error) from None


class ArrowFile:
    """The Arrow IPC file, which is Feather since its version 2."""

    name = "arrow"
    suffixes: tuple[str, ...] = (".arrow", ".feather", ".ipc")
    magic = b"ARROW1"
    text = False
    typed = True

    def open(self, location: Location, reading: Reading) -> PartedSource:  # noqa: ARG002  (it says all itself)
        """Open a file by its footer; a pipe is put into a file first."""
        if location.head().startswith(b"FEA1"):
            raise DataError(f"{location.title}: Feather of version 1", "Write it again as version 2, or as Parquet.")
        spooled = location.spooled()
        try:
            with unchanged(spooled.path, spooled.stamp) as file:
                reader = pa.ipc.open_file(file)
                columns, batches = columns_in(reader.schema), reader.num_record_batches
                return PartedSource(location, spooled.path, columns, batches, None, spooled.stamp, FileBatches)
        except REFUSALS as error:
            raise unreadable(location.title, error) from None

    def writer(self, file: BinaryIO, schema: pa.Schema) -> "FileWriter":
        """Begin a file."""
        return FileWriter(file, schema)


class FileWriter:
    """Writes record batches to an Arrow file.

    Such a file has one dictionary a column for all its batches, so a column of categories is written as their values.
    """

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        plain = [
            field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in schema
        ]
        self.schema = pa.schema(plain)
        self.writer = pa.ipc.new_file(file, self.schema)

    def write_batch(self, batch: pa.RecordBatch, /) -> None:
        """Append rows."""
        arrays = [array.dictionary_decode() if pa.types.is_dictionary(array.type) else array for array in batch.columns]
        self.writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self.schema))

    def close(self) -> None:
        """Write the footer."""
        self.writer.close()


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
        yield from _parts(self.batch, wanted, self.file)


@dataclass
class StreamSource(OneFile):
    """An open Arrow stream."""

    location: Location
    columns: tuple[Column, ...]
    stream: Checked
    reader: Any
    """The reader of a pipe, which cannot be opened again."""
    first: pa.RecordBatch | None = None
    """The first batch of a pipe, once it was read."""
    advanced: bool = False
    """Whether a batch of a pipe after the first was handed out, so that it cannot be read from its beginning."""

    @property
    def once(self) -> bool:
        """True: shards hold their rows."""
        return True

    def shards(self) -> Iterator[StreamBatch]:
        """The record batches. Of a pipe, the first may be had twice.

        Raises:
            DataError: the stream is damaged, or is a pipe that was read already.
        """
        if not self.location.pipe:
            with self.location.open() as file:
                stream = Checked(file, self.location.title)
                yield from self._batches(stream, pa.ipc.open_stream(stream), None)
            return
        if self.advanced:
            what = "can be read only once, and this takes two passes"
            raise DataError(f"{self.location.title}: {what}", "Save it to a file first.")
        try:
            for shard in self._batches(self.stream, self.reader, self.first):
                self.first = self.first or shard.batch
                self.advanced = shard.index > 0
                yield shard
        except DataError:
            self.location.handle.file.close()
            raise
        self.location.handle.file.close()

    def _batches(self, stream: Checked, reader: Any, first: pa.RecordBatch | None) -> Iterator[StreamBatch]:
        """The batches of a reader, after the first one where that was read before."""
        index = rows = 0
        while True:
            try:
                batch = reader.read_next_batch() if first is None or index else first
            except StopIteration:
                self.location.confirm()
                if stream.cut:
                    raise DataError(
                        f"{self.location.title}: the Arrow stream breaks off after {rows:,} rows, without the marker "
                        "of its end",
                        "Its writer failed, or closed the pipe instead of the stream; nothing tells that this is all.",
                    ) from None
                return
            except REFUSALS as error:
                raise unreadable(self.location.title, error) from None
            yield StreamBatch(batch, self.location.title, index)
            index, rows = index + 1, rows + batch.num_rows


class ArrowStream:
    """The Arrow IPC stream."""

    name = "arrows"
    suffixes: tuple[str, ...] = (".arrows", ".ipcs")
    magic = b"\xff\xff\xff\xff"
    text = False
    typed = True

    def open(self, location: Location, reading: Reading) -> StreamSource:  # noqa: ARG002  (it says all itself)
        """Open a stream by its schema."""
        file = location.open()
        try:
            stream = Checked(file, location.title)
            reader = pa.ipc.open_stream(stream)
            if not location.pipe:
                file.close()
            return StreamSource(location, columns_in(reader.schema), stream, reader)
        except REFUSALS as error:
            (location.handle.file if location.pipe else file).close()
            raise unreadable(location.title, error) from None

    def writer(self, file: BinaryIO, schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        """Begin a stream."""
        return pa.ipc.new_stream(file, schema)


for format_ in (ArrowFile(), ArrowStream()):
    formats.add(format_.name, format_)
