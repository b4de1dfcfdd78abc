"""Writing rows as text: delimited, and as JSON Lines."""

import datetime as dt
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any, BinaryIO

import pyarrow as pa

from lossctl.arrow import cells_in_python, words_in_arrow
from lossctl.errors import DataError, option
from lossctl.words import free, quoted

UNWRITABLE = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
    pa.types.is_interval,
)
"""Types beside nested ones that Arrow does not write as text, or not so that it can be told from text."""


SPELLED = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}


class DelimitedWriter:
    """Rows as text; what no cell of text can hold is written as JSON in one."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, delimiter: str) -> None:
        self.file, self.delimiter = file, delimiter
        self.special = f'["\\r\\n{re.escape(delimiter)}]|^$'
        file.write(f"{delimiter.join(quoted(name, delimiter) for name in schema.names)}\n".encode())

    def write_batch(self, batch: pa.RecordBatch, /) -> None:
        """Append rows."""
        self.append(self.encoded(batch))

    def append(self, rows: bytes | pa.Buffer) -> None:
        """Append lines."""
        self.file.write(rows)

    def encoded(self, batch: pa.RecordBatch) -> pa.Buffer:
        """The lines of some rows."""
        import pyarrow.compute as pc
        import pyarrow.csv

        special = False
        columns = [_writable(column) for column in batch.columns]
        for column in columns:
            if not pa.types.is_primitive(column.type):
                text = column.cast(pa.string())
                special = special or bool(pc.any(pc.match_substring_regex(text, self.special)).as_py())
        batch = pa.RecordBatch.from_arrays(columns, batch.schema.names)
        # Arrow quotes every text or none; where no cell needs it, none reads better.
        style = "needed" if special else "none"
        options = pyarrow.csv.WriteOptions(include_header=False, delimiter=self.delimiter, quoting_style=style)
        lines = pa.BufferOutputStream()
        pyarrow.csv.write_csv(batch, lines, options)
        return lines.getvalue()

    def close(self) -> None:
        """Do nothing: every row is written by now."""


def _writable(array: pa.Array) -> pa.Array:
    """A column as cells of text that Arrow writes: what it cannot write is JSON."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, pa.UuidType):
        return _writable(array.storage)
    if pa.types.is_dictionary(kind):
        return _writable(array.dictionary_decode())
    if pa.types.is_nested(kind) or any(writes_not(kind) for writes_not in UNWRITABLE):
        cells = cells_in_python(array)
        words = [None if cell is None else json.dumps(cell, default=str) for cell in cells]
        return words_in_arrow(words)
    if isinstance(kind, pa.UuidType):
        return words_in_arrow([None if cell is None else str(cell) for cell in array.to_pylist()])
    return array


class JsonLinesWriter:
    """Objects, one a line; a number that is not finite becomes null, and ``nonfinite`` names it.

    Raises:
        DataError: two columns have one name.
    """

    def __init__(self, file: BinaryIO, names: Sequence[str]) -> None:
        self.file = file
        twice = [name for name, times in Counter(names).items() if times > 1]
        if twice:
            hint = f"Rename one, or write a format that can: {option(output='FILE.csv')}."
            raise DataError(f"two columns called {twice[0]!r}: JSON Lines has one value a name", hint)

    def write_batch(self, batch: pa.RecordBatch, /) -> None:
        """Append rows."""
        self.append(self.encoded(batch))

    def append(self, rows: bytes) -> None:
        """Append lines."""
        self.file.write(rows)

    def encoded(self, batch: pa.RecordBatch) -> bytes:
        """The lines of some rows."""
        return b"".join(line + b"\n" for line in _objects(batch))

    def close(self) -> None:
        """Do nothing: every row is written by now."""


class JsonArrayWriter(JsonLinesWriter):
    """The same objects as an array, each on a line of its own."""

    between = b"[\n"

    def append(self, rows: bytes) -> None:
        """Append objects."""
        if rows:
            self.file.write(self.between + rows)
            self.between = b",\n"

    def encoded(self, batch: pa.RecordBatch) -> bytes:
        """The objects of some rows."""
        return b",\n".join(_objects(batch))

    def close(self) -> None:
        """Write the end of the array."""
        self.file.write(b"[]\n" if self.between == b"[\n" else b"\n]\n")


def _objects(batch: pa.RecordBatch) -> Iterator[bytes]:
    """The rows as JSON objects."""
    names = batch.schema.names
    title = _word(free("nonfinite", names, "lossctl_"))
    columns = [_words(column) for column in batch.columns]
    form = ", ".join(f"{_word(name).replace('%', '%%')}: %s" for name in names)
    odd = [(name, nonfinite) for name, (_, nonfinite) in zip(names, columns, strict=True) if nonfinite is not None]
    for row, words in enumerate(zip(*(words for words, _ in columns), strict=True)):
        line = form % words
        if named := {name: nonfinite[row] for name, nonfinite in odd if nonfinite[row] is not None}:
            line = f"{line}, {title}: {_word(named)}"
        yield f"{{{line}}}".encode()


def _words(column: pa.Array) -> tuple[list[str], list[Any] | None]:
    """The cells as JSON, and what their numbers that are not finite are called; ``None`` where all are finite."""
    values, kind = _values(column), column.type
    if pa.types.is_integer(kind):
        return ["null" if value is None else repr(value) for value in values], None
    if pa.types.is_string(kind):
        return ["null" if value is None else encode_basestring(value) for value in values], None
    if pa.types.is_floating(kind) and kind.bit_width > 16 and all(v is None or math.isfinite(v) for v in values):
        return ["null" if value is None else repr(value) for value in values], None
    return [_word(_strict(value)) for value in values], [_nonfinite(value) for value in values]


def _word(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _values(column: pa.Array) -> list[Any]:
    """The cells as Python has them; dates and times that Python cannot count to as Arrow spells them.

    Raises:
        ArrowInvalid: Python cannot hold what is in nested cells.
    """
    try:
        return cells_in_python(column)
    except pa.ArrowInvalid:
        if pa.types.is_nested(column.type):
            raise
        return list(column.cast(pa.string()).to_pylist())


def _nonfinite(value: Any) -> Any:
    """What the numbers that are not finite are called, in the shape of the value; ``None`` where all are finite."""
    if isinstance(value, dict):
        return {key: words for key, item in value.items() if (words := _nonfinite(item)) is not None} or None
    if isinstance(value, list | tuple):  # a map is a list of pairs
        words = [_nonfinite(item) for item in value]
        return words if any(words) else None
    return SPELLED.get(str(value)) if isinstance(value, float) else None


def _strict(value: Any) -> Any:
    """A cell in the types of JSON: dates and times as text, a number that is not finite as ``None``."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int) else str(value)
