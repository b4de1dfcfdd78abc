"""Writing a file of rows: what its format cannot hold is said of the column that holds it."""

import io
from typing import BinaryIO

import pyarrow as pa

from lossctl.errors import DataError
from lossctl.reading.format import MIXED, Format, RowWriter, Writer

CANNOT = (pa.ArrowException, ValueError, OverflowError)
"""What writers raise where a format has no place for a type or a value; where a disk is full it is an `OSError`."""


class CheckedWriter:
    """A file being written, some rows at a time.

    Args:
        target: of which format.
        file: where to.
        schema: the columns.

    Raises:
        DataError: the format cannot hold a column.
    """

    def __init__(self, target: Format, file: BinaryIO, schema: pa.Schema) -> None:
        self.target = target
        try:
            self.writer: Writer = target.writer(file, schema)
        except CANNOT as error:
            raise self._refusal(error, schema) from None

    def write_batch(self, batch: pa.RecordBatch, /) -> None:
        """Append rows.

        Raises:
            DataError: the format cannot hold a value.
        """
        try:
            self.writer.write_batch(batch)
        except CANNOT as error:
            raise self._refusal(error, batch.schema, batch) from None

    def encoded(self, batch: pa.RecordBatch) -> bytes | pa.Buffer | None:
        """What rows come to, to be appended; ``None`` where a format writes rows only itself. Errors as above."""
        if not isinstance(self.writer, RowWriter):
            return None
        try:
            return self.writer.encoded(batch)
        except CANNOT as error:
            raise self._refusal(error, batch.schema, batch) from None

    def append(self, rows: bytes | pa.Buffer) -> None:
        """Append rows as `encoded` gave them."""
        if isinstance(self.writer, RowWriter):
            self.writer.append(rows)

    def close(self) -> None:
        """Write what remains; the file itself stays open."""
        self.writer.close()

    def _refusal(self, error: Exception, schema: pa.Schema, batch: pa.RecordBatch | None = None) -> Exception:
        """The error, saying which column it is about; disks and memory have their own."""
        if isinstance(error, OSError | MemoryError):
            return error
        where = "the rows"
        for index, field in enumerate(schema):
            try:
                writer = self.target.writer(io.BytesIO(), pa.schema([field]))
                if batch is not None:
                    writer.write_batch(batch.select([index]))
            except CANNOT as reason:
                where, error = f"column {field.name!r} of type {field.type}", reason
                break
        what = f"{where} cannot be written as {self.target.name}: {str(error).partition(chr(10))[0]}"
        return DataError(what, MIXED if self.target.typed else "")
