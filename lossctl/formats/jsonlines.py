"""JSON Lines: one object a line; a shard is a fixed range of bytes, cut at line ends."""

import datetime as dt
import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.json

from lossctl.batch import BadRow, kind_of
from lossctl.columns import Column
from lossctl.errors import DataError
from lossctl.format import Wanted, columns_in, formats, lines_of, unreadable

RANGE = 1 << 23
"""Bytes of a shard."""
HEAD = 1 << 20
"""Bytes from which the types of columns are inferred."""
SPELLED = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
IN_ROW = re.compile(r"JSON parse error: (.*) in row (\d+)")


@dataclass(frozen=True)
class LineRange:
    """The objects whose lines begin in a range of bytes."""

    file: str
    schema: pa.Schema
    start: int
    stop: int
    size: int

    @property
    def index(self) -> int:
        """Which range it is."""
        return self.start // RANGE

    @property
    def nbytes(self) -> int:
        """The length of the range."""
        return self.stop - self.start

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows.

        Raises:
            BadRow: a line is no object, or a value is of another type than in the first rows.
        """
        fields = []
        for column in self.schema:
            if column.name in wanted.numbers and kind_of(column.type) == "number":
                number = column.type if pa.types.is_boolean(column.type) else pa.float64()
                fields.append(pa.field(column.name, number))
            elif column.name in wanted.names or wanted.others:
                fields.append(pa.field(column.name, pa.string() if pa.types.is_null(column.type) else column.type))
        try:
            text = lines_of(self.file, self.start, self.stop, first=0, size=self.size)[1]
            if text.strip():
                yield from _table(text, pa.schema(fields)).to_batches(max_chunksize=1 << 16)
        except pa.ArrowInvalid as error:
            found = IN_ROW.search(str(error))
            if found is None:
                raise unreadable(self.file, error) from None
            raise BadRow(int(found[2]), found[1]) from None
        except OSError as error:
            raise unreadable(self.file, error) from None


def _table(text: bytes, schema: pa.Schema | None) -> pa.Table:
    reading = pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1)
    unexpected = "infer" if schema is None else "ignore"
    return pyarrow.json.read_json(
        pa.BufferReader(text),
        reading,
        pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=unexpected),
    )


@dataclass(frozen=True)
class JsonLinesSource:
    """An open JSON Lines file."""

    path: str
    schema: pa.Schema
    nbytes: int

    @property
    def columns(self) -> tuple[Column, ...]:
        """The keys of the objects in the first megabyte."""
        return columns_in(self.schema)

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.path,)

    def shards(self) -> Iterator[LineRange]:
        """Ranges of 8 MiB."""
        for start in range(0, self.nbytes, RANGE):
            yield LineRange(self.path, self.schema, start, min(start + RANGE, self.nbytes), self.nbytes)


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

    def open(self, path: str) -> JsonLinesSource:
        """Open a file by its first megabyte.

        Raises:
            DataError: it is not one JSON object a line.
        """
        try:
            size = os.path.getsize(path)
            text = lines_of(path, 0, min(size, HEAD), first=0, size=size)[1]
            return JsonLinesSource(path, _table(text, None).schema, size)
        except OSError as error:
            raise unreadable(path, error) from None
        except pa.ArrowInvalid as error:
            raise DataError(f"{path}: not one JSON object a line: {error}") from None

    def writer(self, file: BinaryIO, schema: pa.Schema) -> JsonLinesWriter:  # noqa: ARG002
        """Begin a file."""
        return JsonLinesWriter(file)


formats.add(JsonLines.name, JsonLines())
