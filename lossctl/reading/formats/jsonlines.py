"""JSON Lines: one object a line; a shard is a fixed range of bytes, cut at line ends."""

import contextlib
import json
import math
import re
from collections.abc import Container, Iterator
from dataclasses import replace
from typing import Any, BinaryIO

import pyarrow as pa

from lossctl.arrow import scalar, words_in_arrow
from lossctl.dataclass import dataclass
from lossctl.errors import DataError
from lossctl.reading.cells import BadRow, elements
from lossctl.reading.fields import columns_needed, type_of, with_fields
from lossctl.reading.format import MIXED, Mixed, Reading, Wanted, columns_in, formats
from lossctl.reading.inferred_types import is_number
from lossctl.reading.json_types import as_written, fields_of, has_others, meant_by, paths_to, read_as, type_of_cell
from lossctl.reading.line_ends import LineEnds
from lossctl.reading.lines import RANGE, Range, Stream, TextSource, before_text, rows_of
from lossctl.reading.location import LOOK, Location
from lossctl.reading.look_alikes import encoding_hint, ensure_narrow, hint_for
from lossctl.reading.missing import NullWords
from lossctl.reading.nesting import DEEPEST, too_deep
from lossctl.reading.pairs import other_key
from lossctl.reading.rounding import may_be_rounded
from lossctl.reading.stamp import Stamp
from lossctl.reading.storage import is_list
from lossctl.reading.text_writers import JsonLinesWriter
from lossctl.reading.twins import object_of, twin_in
from lossctl.reading.written import exact_numbers, written_lists, written_numbers

HEAD = 1 << 20
"""Bytes from which the types of columns are inferred."""
NO_OBJECT = rb"\n[ \t]*[^{ \t\r\n]"
"""A line after the first that does not begin like an object."""
TOO_DEEP = f"objects and lists are nested more than {DEEPEST} levels deep"
LINES = "Write each object on a line of its own, as jq -c does, or an array of objects."
FLATTEN = "Write such a value as text, or leave it out."


@dataclass(frozen=True)
class Layout:
    """What is decided once about a file."""

    path: str
    title: str
    nulls: NullWords
    schema: pa.Schema
    """The types that cells have."""
    meant: pa.Schema
    """The types that they are read as where numbers are wanted: text may be numbers, or lists of them."""
    start: int
    size: int
    stamp: Stamp
    longest: int

    def ranges(self) -> Iterator["LineRange"]:
        """The shards of a file."""
        for index, start in enumerate(range(self.start, self.size, RANGE)):
            yield LineRange(self, start, min(start + RANGE, self.size), index)

    def ends(self) -> LineEnds:
        """What finds the ends of the lines."""
        return LineEnds()

    def schema_for(self, wanted: Wanted) -> pa.Schema:
        """The wanted columns with the types to read them as."""
        needed, inside, fields = columns_needed(self.schema, wanted.names), paths_to(wanted.names), []
        for column in self.schema:
            if column.name in needed:
                kind = read_as(column.name, column.type, wanted, inside)
                fields.append(column.with_type(pa.string() if pa.types.is_null(kind) else kind))
            elif wanted.others:
                text = wanted.verbatim or pa.types.is_null(column.type)
                fields.append(column.with_type(pa.string()) if text else column)
        return pa.schema(fields)

    def parse(self, text: bytes, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows of whole lines.

        Raises:
            BadRow: a line is no object, or a value is of another type than in the first rows.
        """
        if not text.strip():
            return
        try:
            text.decode()
        except UnicodeDecodeError as error:
            row = sum(bool(line.strip()) for line in text[: error.start].split(b"\n")[:-1])
            raise BadRow(row, "not UTF-8 text", encoding_hint(text)) from None
        yield from self._columns(text, wanted).to_batches(max_chunksize=1 << 16)

    def _columns(self, text: bytes, wanted: Wanted) -> pa.Table:
        """The wanted columns and fields of whole lines of UTF-8; errors as for `parse`."""
        columns = wanted.names.intersection(self.schema.names)
        if wanted.verbatim and columns != wanted.names:
            # Fields are read, the columns in which they stand are copied as they are written.
            fields = self._columns(text, replace(wanted, others=False, verbatim=False))
            numbers, texts = wanted.numbers & columns, wanted.texts & columns
            table = self._columns(text, replace(wanted, numbers=numbers, texts=texts, whole=frozenset()))
            beside = [name for name in fields.column_names if name in wanted.names - columns]
            return pa.table([*table.columns, *fields.select(beside).columns], [*table.column_names, *beside])
        schema = self.schema_for(wanted)
        try:
            table = _table(text, schema, whole=wanted.others, objects=wanted.whole)
        except pa.ArrowInvalid:
            # Numbers written as words that mean null, or too large for a double: Python reads them, slowly.
            table = pa.Table.from_pylist(list(self._one_by_one(text, schema, wanted)), schema)
        table = with_fields(table, wanted.names, wanted.whole)
        for index, column in enumerate(table.schema):
            if column.name in wanted.numbers and pa.types.is_string(column.type):
                table = table.set_column(index, column.name, self._read(table.column(index), column.name))
        for index, column in enumerate(table.schema):
            if column.name in wanted.numbers and may_be_rounded(table.column(index), text):
                table = table.set_column(index, column.name, self._exactly(text, table.column(index), column.name))
        return table

    def _read(self, column: pa.ChunkedArray, name: str) -> pa.Array:
        """Numbers, or lists of them, that are written as text; a `BadRow` where they are something else."""
        kind = type_of(self.meant, name)
        read = written_lists if kind is not None and is_list(kind) else written_numbers
        return read(column.combine_chunks(), name, self.nulls.of(name))

    def _exactly(self, text: bytes, numbers: pa.ChunkedArray, name: str) -> pa.Array:
        """A column of numbers, as numerals where some of them would be rounded integers."""
        import pyarrow.compute as pc

        known = numbers.combine_chunks()
        cells = elements(known)
        words = None
        if name in self.schema.names:
            kind = pa.list_(pa.int64()) if is_list(known.type) else pa.int64()
            with contextlib.suppress(pa.ArrowInvalid):
                words = elements(_table(text, pa.schema([(name, kind)])).column(0).combine_chunks()).cast(pa.string())
        if words is None:
            rows = (json.loads(line, parse_int=str, parse_float=str) for line in text.split(b"\n") if line.strip())
            values = (_value_at(row, name) for row in rows)
            if is_list(known.type):
                values = (value for values_ in values for value in values_ or ())
            words = words_in_arrow([None if value is None else str(value) for value in values])
        exact = exact_numbers(pc.if_else(pc.is_null(cells), scalar(None), words), name, self.nulls.of(name))
        return exact if cells is known else pa.ListArray.from_arrays(known.offsets, exact, mask=pc.is_null(known))

    def _one_by_one(self, text: bytes, schema: pa.Schema, wanted: Wanted) -> Iterator[dict[str, Any]]:
        """The rows of whole lines as dictionaries, read by Python.

        Raises:
            BadRow: as for `parse`.
            Mixed: a value of a column that is only copied is of another type than in the first rows.
        """
        row, names, inside = -1, schema.names, paths_to(wanted.names)
        for line in text.split(b"\n"):
            if not line.strip():
                continue
            row += 1
            if too_deep(line):
                raise BadRow(row, TOO_DEEP, FLATTEN)
            try:
                value = json.loads(line, object_pairs_hook=object_of)
            except (ValueError, RecursionError) as error:
                raise BadRow(row, f"not JSON: {error}", "Mend the line; one object a line.") from None
            if not isinstance(value, dict):
                raise BadRow(row, "the line is not a JSON object", "Write one object a line.")
            _check_keys(row, value, names, whole=wanted.others)
            try:
                yield {column.name: self._cell(row, column, value.get(column.name), wanted) for column in schema}
            except BadRow as bad:
                if any(repr(name) in bad.what for name in inside):
                    raise
                raise Mixed(f"{self.title}: {bad.what} as in the first rows", MIXED) from None

    def _cell(self, row: int, column: pa.Field, value: Any, wanted: Wanted) -> Any:
        """A value as its column, or field by that path, holds it, ``None`` for null.

        Raises:
            BadRow: it is of another type, or an object that is wanted whole has another key.
            Mixed: an object that is only copied has one, which would be lost.
        """
        if value is None:
            return None
        if pa.types.is_struct(column.type) and isinstance(value, dict):
            fields, new = fields_of(column, value)
            if new is not None and column.name in wanted.whole:
                raise other_key(row, column.name, new)
            if new is not None and wanted.others:
                what = f"column {column.name!r} has the key {new!r}, which none of the first rows has"
                raise Mixed(f"{self.title}: {what}, and which would be lost", MIXED)
            return {key: self._cell(row, field, value.get(key), wanted) for key, field in fields.items()}
        if pa.types.is_float64(column.type):
            return self._number(row, column.name, value)
        if pa.types.is_string(column.type) and not isinstance(value, str):
            value = json.dumps(value)
        if isinstance(value, list) and column.type == pa.list_(pa.float64()):
            value = [_double(number) if type(number) is int else number for number in value]
        try:
            stored = pa.scalar(value, column.type).as_py()
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            stored = None
        if stored != value:  # an integer column would cut 0.5 to 0
            what = f"column {column.name!r} holds {value!r}, which is not {column.type}"
            raise BadRow(row, what, "A column has one type in all rows.")
        return stored

    def _number(self, row: int, name: str, value: Any) -> float | None:
        """A value as a number, ``None`` for null; a `BadRow` where it is none."""
        if isinstance(value, str) and value in self.nulls.of(name):
            return None
        if isinstance(value, str) and is_number(value) and "_" not in value:
            return float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRow(row, f"column {name!r} holds {value!r}, which is not a number", hint_for(str(value)))
        try:
            return float(value)
        except OverflowError:
            return math.inf


def _double(number: float) -> float:
    """The nearest double, or infinity."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _value_at(value: Any, path: str) -> Any:
    """What stands in an object under a key, or under a path of keys; ``None`` where nothing does."""
    if not isinstance(value, dict) or path in value:
        return value.get(path) if isinstance(value, dict) else None
    inner = (_value_at(value[key], path.removeprefix(f"{key}.")) for key in value if path.startswith(f"{key}."))
    return next((cell for cell in inner if cell is not None), None)


def _check_keys(row: int, value: dict[str, Any], names: list[str], *, whole: bool) -> None:
    """Raise a `BadRow` where a key of some names stands twice in an object, or, if it is wanted whole, is another."""
    twin = next((twin for name in names if (twin := twin_in(value, name)) is not None), None)
    if twin is not None:
        raise BadRow(row, f"key {twin!r} stands twice in one object", "Keep one, or rename one.")
    new = next((name for name in value if name not in names), None) if whole else None
    if new is not None:
        hint = "Write it in one of the first rows too, if only as null."
        raise BadRow(row, f"key {new!r} is in none of the first rows, and would be lost", hint)


def _table(
    text: bytes, schema: pa.Schema | None, *, whole: bool = False, objects: Container[str] = frozenset()
) -> pa.Table:
    """The rows of whole lines, read by Arrow with the types of a schema, or inferred ones.

    Args:
        text: the lines.
        schema: the columns to read; ``None`` for all there are.
        whole: whether there must be no other.
        objects: columns, or fields, of objects in which there must be no other key.

    Raises:
        ArrowInvalid: a line is no object or nested too deeply, a value is of another type, or there is another key.
    """
    # Arrow's reader dies of a text that begins with null, and takes null in place of an object.
    import pyarrow.json

    if text.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{" or re.search(NO_OBJECT, text):
        raise pa.ArrowInvalid("a line is not a JSON object")
    if too_deep(text):
        raise pa.ArrowInvalid(TOO_DEEP)
    reading = pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1)
    unexpected = "infer" if schema is None else "error" if whole else "infer" if objects else "ignore"
    parsing = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=unexpected)
    table = pyarrow.json.read_json(pa.BufferReader(text), reading, parsing)
    if schema is None or not objects:
        return table
    if any(has_others(table.schema.field(field.name).type, field.type, field.name, objects) for field in schema):
        raise pa.ArrowInvalid("an object has another key")
    return table.select(schema.names)


@dataclass(frozen=True)
class LineRange(Range):
    """The objects whose lines begin in a range of bytes."""

    layout: Layout

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows; errors as for `rows_of` and `Layout.parse`."""
        yield from rows_of(self.lines()[1], self.layout, wanted)


class JsonLines:
    """The JSON Lines format."""

    name = "jsonl"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")
    magic = b""
    text = True
    typed = True
    written_in_python = True
    columns = False
    """Whether a file of one object whose values are lists is taken to hold columns rather than a row."""

    def open(self, location: Location, reading: Reading) -> TextSource:
        """Open a file by its first megabyte; an array of objects as lines.

        Raises:
            DataError: it is not one JSON object a line.
        """
        from lossctl.reading.json_arrays import begins
        from lossctl.reading.json_shapes import ensure_rows

        if not location.ranges or begins(location.beginning(LOOK)) in {b"[", b""}:
            location = replace(location, array=True)
        stream = Stream(location, reading.max_line)
        head = stream.head(1, HEAD)
        ensure_rows(location.title, head, columns=self.columns)
        start = before_text(head)
        schema, meant = _schema(location.title, head[start : head.rfind(b"\n") + 1] or head[start:], reading.null_words)
        size, longest = location.size if location.ranges else 0, reading.max_line
        title, stamp = location.title, location.stamp
        layout = Layout(location.path, title, reading.null_words, schema, meant, start, size, stamp, longest)
        pieces = None if location.ranges else stream.begin(layout, start)
        return TextSource(title, columns_in(meant), layout.ranges, pieces)

    def writer(self, file: BinaryIO, schema: pa.Schema) -> JsonLinesWriter:
        """Begin a file.

        Raises:
            DataError: two columns have one name.
        """
        return JsonLinesWriter(file, schema.names)


def _check_text(title: str, text: bytes) -> None:
    """Raise a `DataError` where the first bytes of a file are not UTF-8 text, or hold no line."""
    if not text.strip():
        raise DataError(f"{title}: no rows")
    ensure_narrow(title, text)
    try:
        text.decode()
    except UnicodeDecodeError as error:
        row = text.count(b"\n", 0, error.start) + 1
        raise DataError(f"{title}: row {row:,}: not UTF-8 text", encoding_hint(text)) from None


def _schema(title: str, text: bytes, nulls: NullWords) -> tuple[pa.Schema, pa.Schema]:
    """The types that Arrow infers from the first rows, or Python where Arrow cannot, and what they mean (`Layout`).

    Raises:
        DataError: both fail.
    """
    _check_text(title, text)
    try:
        table = _table(text, None)
        schema = pa.schema([column.with_type(as_written(column.type)) for column in table.schema])
        if not _is_valid(table):
            table = _table(text, schema)
        columns = zip(schema, table.columns, strict=True)
        meant = [
            column.with_type(meant_by(cells.combine_chunks(), column.type, nulls.of(column.name)))
            for column, cells in columns
        ]
        return schema, pa.schema(meant)
    except pa.ArrowInvalid as error:
        fields: dict[str, pa.DataType] = {}
        for row, line in enumerate(filter(bytes.strip, text.splitlines()), 1):
            if too_deep(line):
                raise DataError(f"{title}: row {row:,}: {TOO_DEEP}", FLATTEN) from None
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            if not isinstance(value, dict):
                from lossctl.reading.json_shapes import shape_of

                said = re.sub(r"\.? in row \d+$", "", str(error))  # counted from 0, and in a part of the file
                shape = shape_of(text) or (f"not one JSON object a line: row {row:,}: {said}", LINES)
                raise DataError(f"{title}: {shape[0]}", shape[1]) from None
            for name, cell in value.items():
                fields.setdefault(name, pa.null())
                if pa.types.is_null(fields[name]) and cell is not None:
                    number = isinstance(cell, int | float) and not isinstance(cell, bool)
                    fields[name] = pa.float64() if number else type_of_cell(cell)
        try:
            schema = pa.schema(list(fields.items()))
        except UnicodeError:
            raise DataError(f"{title}: a key is not UTF-8 text", "Rename it.") from None
        return schema, schema


def _is_valid(table: pa.Table) -> bool:
    """Whether a table has the cells it says: where it infers types, Arrow 26 loses the nulls with which lists begin."""
    try:
        table.validate()
    except pa.ArrowInvalid:
        return False
    return True


formats.add(JsonLines.name, JsonLines())
