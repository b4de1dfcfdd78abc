"""JSON Lines: one object a line; a shard is a fixed range of bytes, cut at line ends."""

import datetime as dt
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.json

from lossctl.batch import TEXT_HINT, BadRow, kind_of
from lossctl.columns import Column
from lossctl.errors import DataError
from lossctl.format import Reading, Wanted, columns_in, formats
from lossctl.location import Location, unreadable
from lossctl.text import RANGE, Stream, lines_of

HEAD = 1 << 20
"""Bytes from which the types of columns are inferred."""
SPELLED = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}


@dataclass(frozen=True)
class Layout:
    """What is decided once about a file."""

    path: str
    title: str
    nulls: tuple[str, ...]
    schema: pa.Schema

    def schema_for(self, wanted: Wanted) -> pa.Schema:
        """The wanted columns with the types to read them as."""
        fields = []
        for column in self.schema:
            if column.name in wanted.numbers and kind_of(column.type) in {"number", "text"}:
                number = column.type if pa.types.is_boolean(column.type) else pa.float64()
                fields.append(pa.field(column.name, number))
            elif column.name in wanted.names or wanted.others:
                fields.append(pa.field(column.name, pa.string() if pa.types.is_null(column.type) else column.type))
        return pa.schema(fields)

    def parse(self, text: bytes, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows of whole lines.

        Raises:
            BadRow: a line is no object, or a value is of another type than in the first rows.
        """
        if not text.strip():
            return
        schema = self.schema_for(wanted)
        try:
            table = _table(text, schema)
        except pa.ArrowInvalid:
            # Numbers written as words that mean null, or too large for a double: Python reads them, slowly.
            table = pa.Table.from_pylist(list(self._one_by_one(text, schema)), schema)
        yield from table.to_batches(max_chunksize=1 << 16)

    def _one_by_one(self, text: bytes, schema: pa.Schema) -> Iterator[dict[str, Any]]:
        row = -1
        for line in text.split(b"\n"):
            if not line.strip():
                continue
            row += 1
            try:
                value = json.loads(line)
            except ValueError as error:
                raise BadRow(row, f"not JSON: {error}", "Mend the line.") from None
            if not isinstance(value, dict):
                raise BadRow(row, "the line is not a JSON object", "Write one object a line.")
            yield {column.name: self._cell(row, column, value.get(column.name)) for column in schema}

    def _cell(self, row: int, column: pa.Field, value: Any) -> Any:
        if value is None:
            return None
        if pa.types.is_float64(column.type):
            if isinstance(value, str) and value in self.nulls:
                return None
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise BadRow(row, f"column {column.name!r} holds {value!r}, which is not a number", TEXT_HINT)
            try:
                return float(value)
            except OverflowError:
                return math.inf
        try:
            return pa.scalar(value, column.type).as_py()
        except (pa.ArrowException, TypeError, ValueError):
            hint = "A column has one type in all rows."
            raise BadRow(row, f"column {column.name!r} holds {value!r}, which is not {column.type}", hint) from None


def _table(text: bytes, schema: pa.Schema | None) -> pa.Table:
    reading = pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1)
    unexpected = "infer" if schema is None else "ignore"
    parsing = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=unexpected)
    return pyarrow.json.read_json(pa.BufferReader(text), reading, parsing)


@dataclass(frozen=True)
class LineRange:
    """The objects whose lines begin in a range of bytes."""

    layout: Layout
    start: int
    stop: int
    size: int

    @property
    def file(self) -> str:
        """What messages call it."""
        return self.layout.title

    @property
    def index(self) -> int:
        """Which range it is."""
        return self.start // RANGE

    @property
    def nbytes(self) -> int:
        """The length of the range."""
        return self.stop - self.start

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows; errors as for `Layout.parse`."""
        try:
            text = lines_of(self.layout.path, self.start, self.stop, first=0, size=self.size)[1]
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.file, error) from None
        yield from self.layout.parse(text, wanted)


@dataclass(frozen=True)
class Piece:
    """Some lines of a stream."""

    layout: Layout
    text: bytes
    index: int

    @property
    def file(self) -> str:
        """What messages call it."""
        return self.layout.title

    @property
    def nbytes(self) -> int:
        """Unknown: of a compressed file, that of the lines would be too much."""
        return 0

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows; errors as for `Layout.parse`."""
        yield from self.layout.parse(self.text, wanted)


@dataclass(frozen=True)
class JsonLinesSource:
    """Open JSON Lines."""

    layout: Layout
    size: int
    stream: Stream[Piece] | None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The keys of the objects in the first megabyte."""
        return columns_in(self.layout.schema)

    @property
    def files(self) -> tuple[str, ...]:
        """What messages call it."""
        return (self.layout.title,)

    @property
    def once(self) -> bool:
        """Whether shards hold their rows."""
        return self.stream is not None

    def shards(self) -> Iterator[LineRange | Piece]:
        """Ranges of 8 MiB of a file, pieces of a stream."""
        if self.stream is not None:
            yield from self.stream.parts()
            return
        for start in range(0, self.size, RANGE):
            yield LineRange(self.layout, start, min(start + RANGE, self.size), self.size)


class JsonLinesWriter:
    """Objects, one a line; a number that is not finite becomes null, and ``nonfinite`` names it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write_batch(self, batch: pa.RecordBatch, /) -> None:
        """Append rows."""
        for row in batch.to_pylist():
            odd = {name: str(cell) for name, cell in row.items() if isinstance(cell, float) and not math.isfinite(cell)}
            plain = _strict(row) | ({"nonfinite": {name: SPELLED[word] for name, word in odd.items()}} if odd else {})
            self.file.write(json.dumps(plain, ensure_ascii=False, allow_nan=False).encode() + b"\n")

    def close(self) -> None:
        """Nothing remains."""


def _strict(value: Any) -> Any:
    """A cell as JSON takes it."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int) else str(value)


class JsonLines:
    """The JSON Lines format."""

    name = "jsonl"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")
    magic = b""
    text = True
    typed = True

    def open(self, location: Location, reading: Reading) -> JsonLinesSource:
        """Open a file by its first megabyte.

        Raises:
            DataError: it is not one JSON object a line.
        """
        stream: Stream[Piece] = Stream(location, cut=lambda text: text.rfind(b"\n") + 1, part=_no_piece)
        with stream.closed_unless(not location.ranges):
            head = stream.head(lambda text: b"\n" in text, HEAD)
            whole = head[: head.rfind(b"\n") + 1] or head
            layout = Layout(location.path, location.title, reading.nulls, _schema(location.title, whole))
        if location.ranges:
            return JsonLinesSource(layout, location.size, None)
        stream.part = lambda text, index: Piece(layout, text, index)
        return JsonLinesSource(layout, 0, stream)

    def writer(self, file: BinaryIO, schema: pa.Schema) -> JsonLinesWriter:  # noqa: ARG002
        """Begin a file."""
        return JsonLinesWriter(file)


def _no_piece(text: bytes, index: int) -> Piece:
    raise TypeError((text, index))


def _schema(title: str, text: bytes) -> pa.Schema:
    """The types Arrow infers from the first rows, or Python where Arrow cannot."""
    if not text.strip():
        raise DataError(f"{title}: no rows")
    try:
        return _table(text, None).schema
    except pa.ArrowInvalid as error:
        fields: dict[str, pa.DataType] = {}
        for line in text.splitlines():
            try:
                value = json.loads(line) if line.strip() else {}
            except ValueError:
                value = None
            if not isinstance(value, dict):
                raise DataError(
                    f"{title}: not one JSON object a line: {error}", "Mend it, or force a format: -F csv."
                ) from None
            for name, cell in value.items():
                fields.setdefault(name, pa.null())
                if pa.types.is_null(fields[name]) and cell is not None:
                    number = isinstance(cell, int | float) and not isinstance(cell, bool)
                    fields[name] = pa.float64() if number else pa.array([cell]).type
        return pa.schema(list(fields.items()))


formats.add(JsonLines.name, JsonLines())
