"""Comma-separated text; a shard is a fixed range of bytes, cut at line ends."""

import csv
import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv

from lossctl.columns import Column
from lossctl.errors import DataError
from lossctl.format import BadRow, Resplit, Wanted, formats, kind_of, lines_of, unreadable

RANGE = 1 << 23
"""Bytes of a shard."""
HEAD = 1 << 20
"""Bytes from which the types of columns are inferred."""
NULLS = ("", "NA", "N/A", "#N/A", "null", "NULL", "None", "NaN", "nan")
"""What a missing number looks like."""
BOM = b"\xef\xbb\xbf"
CONVERSION = re.compile(
    r"In CSV column #(\d+): Row #(\d+): CSV conversion error to (\w+): invalid value '(.*)'", re.DOTALL
)


@dataclass(frozen=True)
class Layout:
    """What is decided once about a file: its columns and where its rows begin."""

    path: str
    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    start: int
    size: int

    def conversion(self, wanted: Wanted) -> pyarrow.csv.ConvertOptions:
        """How to read the wanted columns."""
        types = {}
        for name, inferred in zip(self.names, self.types, strict=True):
            if name in wanted.numbers:
                types[name] = inferred if pa.types.is_boolean(inferred) else pa.float64()
            elif name in wanted.texts:
                types[name] = pa.string()
            elif wanted.others:
                # What is only carried along stays as it is written, unless it is plainly a number.
                plain = kind_of(inferred) == "number" and not pa.types.is_null(inferred)
                types[name] = inferred if plain else pa.string()
        return pyarrow.csv.ConvertOptions(
            include_columns=list(types),
            column_types=types,
            null_values=list(NULLS),
            strings_can_be_null=False,
        )


@dataclass(frozen=True)
class ByteRange:
    """The lines that begin in a range of bytes."""

    layout: Layout
    start: int
    stop: int

    @property
    def file(self) -> str:
        """The path."""
        return self.layout.path

    @property
    def nbytes(self) -> int:
        """The length of the range."""
        return self.stop - self.start

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows.

        Raises:
            BadRow: a row has too few or too many fields, or a field is no number.
            Resplit: the range ends inside quotes, so what follows cannot be cut at line ends.
        """
        try:
            start, text = lines_of(self.file, self.start, self.stop, first=self.layout.start, size=self.layout.size)
        except OSError as error:
            raise unreadable(self.file, error) from None
        if not text:
            return
        if self.stop < self.layout.size and text.count(b'"') % 2:
            raise Resplit(Remainder(self.layout, start))
        yield from _parse(pa.BufferReader(text), self.layout, wanted, quoted=b'"' in text, block=len(text) + 1)


@dataclass(frozen=True)
class Remainder:
    """A file from some line to its end, read in one go: for text with line ends inside quotes."""

    layout: Layout
    start: int

    @property
    def file(self) -> str:
        """The path."""
        return self.layout.path

    @property
    def nbytes(self) -> int:
        """The length of the rest."""
        return self.layout.size - self.start

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows; errors as for `ByteRange`."""
        try:
            with open(self.file, "rb") as file:
                file.seek(self.start)
                yield from _parse(file, self.layout, wanted, quoted=True, block=RANGE)
        except OSError as error:
            raise unreadable(self.file, error) from None


def _parse(
    file: io.BufferedIOBase | pa.NativeFile, layout: Layout, wanted: Wanted, *, quoted: bool, block: int
) -> Iterator[pa.RecordBatch]:
    ragged: list[pyarrow.csv.InvalidRow] = []

    def note(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    reading = pyarrow.csv.ReadOptions(use_threads=False, block_size=block, column_names=list(layout.names))
    parsing = pyarrow.csv.ParseOptions(newlines_in_values=quoted, invalid_row_handler=note)
    rows = 0
    try:
        for batch in pyarrow.csv.open_csv(file, reading, parsing, layout.conversion(wanted)):
            if ragged:
                break
            rows += len(batch)
            yield batch
    except pa.ArrowException as error:
        if not ragged:
            raise _explained(error, layout) from None
    if ragged:
        row = ragged[0]
        text = row.text if row.text is None or len(row.text) <= 60 else row.text[:60] + "…"
        raise BadRow(
            rows if row.number is None else max(row.number - 1, 0),
            f"{row.actual_columns} fields where the header has {row.expected_columns}: {text!r}",
        )


def _explained(error: pa.ArrowException, layout: Layout) -> Exception:
    found = CONVERSION.search(str(error))
    if found is None:
        return unreadable(layout.path, error)
    column, row, kind, value = found.groups()
    name = layout.names[int(column)] if int(column) < len(layout.names) else f"#{int(column) + 1}"
    what = "a number" if kind == "double" else f"of type {kind}"
    shown = value if len(value) <= 60 else value[:60] + "…"
    return BadRow(max(int(row) - 1, 0), f"column {name!r} holds {shown!r}, which is not {what}")


@dataclass(frozen=True)
class DelimitedSource:
    """An open CSV file."""

    layout: Layout

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the header."""
        pairs = zip(self.layout.names, self.layout.types, strict=True)
        return tuple(Column(name, "text" if kind_of(kind) == "other" else kind_of(kind)) for name, kind in pairs)

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.layout.path,)

    @property
    def nbytes(self) -> int:
        """The size of the file."""
        return self.layout.size

    def shards(self) -> Iterator[ByteRange]:
        """Ranges of 8 MiB."""
        for start in range(self.layout.start, self.layout.size, RANGE):
            yield ByteRange(self.layout, start, min(start + RANGE, self.layout.size))


class Delimited:
    """The CSV format."""

    name = "csv"
    suffixes: tuple[str, ...] = (".csv",)
    magic = b""

    def writer(self, file: BinaryIO, schema: pa.Schema) -> "DelimitedWriter":
        """Begin a file with its header."""
        return DelimitedWriter(file, schema)

    def open(self, path: str) -> DelimitedSource:
        """Open a file by its first megabyte.

        Raises:
            DataError: it is not UTF-8 text with a header.
        """
        try:
            with open(path, "rb") as file:
                head = file.read(HEAD)
                while head.count(b"\n") < 2 and len(more := file.read(HEAD)):
                    head += more
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise unreadable(path, error) from None
        return DelimitedSource(_layout(path, head, size))


class DelimitedWriter:
    """Rows as text; what no cell of text can hold is written as JSON in one."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self.nested = [at for at, column in enumerate(schema) if pa.types.is_nested(column.type)]
        for at in self.nested:
            schema = schema.set(at, pa.field(schema[at].name, pa.string()))
        self.writer = pyarrow.csv.CSVWriter(
            file, schema, write_options=pyarrow.csv.WriteOptions(quoting_style="needed")
        )

    def write_batch(self, batch: pa.RecordBatch, /) -> None:
        """Append rows."""
        for at in self.nested:
            words = [None if cell is None else json.dumps(cell, default=str) for cell in batch.column(at).to_pylist()]
            batch = batch.set_column(at, batch.schema[at].name, pa.array(words, pa.string()))
        self.writer.write_batch(batch)

    def close(self) -> None:
        """Write what remains."""
        self.writer.close()


def _layout(path: str, head: bytes, size: int) -> Layout:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path}: the text is UTF-16", "Convert it to UTF-8.")
    start = len(BOM) if head.startswith(BOM) else 0
    while head[start : start + 1] in {b"\r", b"\n"}:
        start += 1
    stop = head.find(b"\n", start) + 1
    while stop and head.count(b'"', start, stop) % 2:
        stop = head.find(b"\n", stop) + 1
    stop = stop or len(head)
    try:
        header = head[start:stop].decode()
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text", "Is it another format under the name of CSV?") from None
    if "\0" in header:
        raise DataError(f"{path}: not text", "Is it another format under the name of CSV?")
    names = tuple(next(csv.reader([header.rstrip("\r\n")]), ()))
    if not any(names):
        raise DataError(f"{path}: no header line")
    body = head[stop:]
    if start + len(head) < size:
        body = body[: body.rfind(b"\n") + 1]
    return Layout(path, names, _types(names, body), stop, size)


def _types(names: tuple[str, ...], body: bytes) -> tuple[pa.DataType, ...]:
    """The types Arrow infers from the first rows; what cannot be parsed is met again, with its place, when read."""
    if not body.strip():
        return (pa.null(),) * len(names)
    reading = pyarrow.csv.ReadOptions(
        use_threads=False, block_size=len(body) + 1, column_names=[str(at) for at in range(len(names))]
    )
    parsing = pyarrow.csv.ParseOptions(newlines_in_values=b'"' in body, invalid_row_handler=lambda _: "skip")
    converting = pyarrow.csv.ConvertOptions(null_values=list(NULLS), strings_can_be_null=True)
    try:
        return tuple(pyarrow.csv.read_csv(io.BytesIO(body), reading, parsing, converting).schema.types)
    except pa.ArrowException:
        return (pa.string(),) * len(names)


formats.add(Delimited.name, Delimited())
