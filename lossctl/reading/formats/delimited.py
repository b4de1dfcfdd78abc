"""Delimited text, such as CSV; a shard is a fixed range of bytes, cut at line ends."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.csv

from lossctl.dataclass import dataclass
from lossctl.errors import DataError, UsageError, option
from lossctl.reading.cells import BadRow, kind_of
from lossctl.reading.columns import Column
from lossctl.reading.counted import Counted
from lossctl.reading.dialect import Dialect
from lossctl.reading.format import MIXED, NO_QUOTE, Mixed, Reading, Resplit, Wanted, formats, told_apart
from lossctl.reading.header import MISQUOTED, Header, header_of
from lossctl.reading.inferred_types import HEAD, inferred_types, is_number, long_or_coded, spare
from lossctl.reading.line_ends import LineEnds
from lossctl.reading.lines import RANGE, Range, Stream, TextSource, pieces, rows_of
from lossctl.reading.location import Location
from lossctl.reading.look_alikes import encoding_hint, hint_for, ragged_hint
from lossctl.reading.missing import NullWords
from lossctl.reading.rounding import long_integer_in, may_be_rounded
from lossctl.reading.stamp import Stamp
from lossctl.reading.stamped import unchanged
from lossctl.reading.stores import unreadable
from lossctl.reading.written import exact_numbers, separators, written_lists

if TYPE_CHECKING:
    from lossctl.reading.text_writers import DelimitedWriter

RAGGED = r"(?s)CSV parse error: Row #(\d+): Expected (\d+) columns, got (\d+): (.*)"
CONVERSION = r"(?s)In CSV column #(\d+): Row #(\d+): CSV conversion error to (\w+): invalid value '(.*)'"
WIDE = 4096
"""Bytes a column up to which it is sooner seen that a text has no long integer than that no column has."""
ROWS = 1 << 17
"""The most rows of a batch: about those of a range, so that they are few."""
ENCODING = r"In CSV column #(\d+): Row #(\d+): CSV conversion error to string: invalid UTF8"


@dataclass(frozen=True)
class Layout:
    """What is decided once about a file: its columns and where its rows begin."""

    path: str
    title: str
    dialect: Dialect
    nulls: NullWords
    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    start: int
    size: int
    stamp: Stamp
    longest: int
    long: frozenset[str]
    """Columns of digits that are no numbers to Arrow: carried along as text, or digits would be lost."""
    sound: bool = False
    """Whether all quotes of what is parsed are known to stand where they may, and each to be closed."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the first line."""
        pairs = zip(self.names, self.types, strict=True)
        return tuple(Column(name, "text" if kind_of(kind) == "other" else kind_of(kind)) for name, kind in pairs)

    def ranges(self) -> Iterator["ByteRange"]:
        """The shards of a file."""
        for index, start in enumerate(range(self.start, self.size, RANGE)):
            yield ByteRange(self, start, min(start + RANGE, self.size), index)

    def ends(self) -> LineEnds:
        """What finds the ends of the lines."""
        return self.dialect.ends()

    def parse(self, text: bytes, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows of whole lines; errors as for `ByteRange`."""
        return _parse(text, self, wanted)

    def conversion(self, wanted: Wanted, *, grouped: bool) -> pyarrow.csv.ConvertOptions:
        """How to read the wanted columns, each called by its place: several may have one name.

        Lists come as text, and so do numbers whose digits may be ``grouped`` or that have null words of their own.
        """
        types: dict[str, pa.DataType] = {}
        for index, (name, inferred) in enumerate(zip(self.names, self.types, strict=True)):
            place = str(index)
            if name in wanted.numbers:
                plain = not (grouped or kind_of(inferred) == "list" or name in self.nulls.by_column)
                types[place] = inferred if pa.types.is_boolean(inferred) else pa.float64() if plain else pa.string()
            elif name in wanted.texts:
                types[place] = pa.string()
            elif wanted.others:
                # What is only carried along stays as it is written, unless it is plainly a number.
                plain = (
                    kind_of(inferred) == "number"
                    and not pa.types.is_null(inferred)
                    and not (wanted.verbatim or name in self.long)
                )
                types[place] = inferred if plain else pa.string()
        return pyarrow.csv.ConvertOptions(
            include_columns=list(types),
            column_types=types,
            null_values=list(self.nulls.everywhere),
            strings_can_be_null=False,
            decimal_point=self.dialect.decimal,
        )

    def numbers(self, column: pa.ChunkedArray, place: int) -> pa.ChunkedArray | pa.Array:
        """The column of a place as numbers, or lists of them, where it came as text.

        Raises:
            BadRow: it holds something else.
        """
        if not pa.types.is_string(column.type):
            return column
        words, name = column.combine_chunks(), self.names[place]
        if kind_of(self.types[place]) == "list":
            return written_lists(words, name, self.nulls.of(name), self.dialect.decimal)
        return exact_numbers(words, name, self.nulls.of(name), self.dialect.decimal, self.dialect.thousands)

    def exactly(self, text: bytes, column: pa.ChunkedArray | pa.Array, place: int) -> pa.ChunkedArray | pa.Array:
        """A column of numbers; as numerals where some of them would be rounded integers.

        Args:
            text: whole lines.
            column: their numbers as doubles.
            place: of the column.
        """
        if not (pa.types.is_float64(column.type) and may_be_rounded(column, text)):
            return column
        wanted = pyarrow.csv.ConvertOptions(include_columns=[str(place)], column_types={str(place): pa.string()})
        words = self.dialect.table(text, len(self.names), wanted).column(0).combine_chunks()
        return exact_numbers(words, self.names[place], self.nulls.of(self.names[place]), self.dialect.decimal)


@dataclass(frozen=True)
class ByteRange(Range):
    """The lines that begin in a range of bytes."""

    layout: Layout

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows.

        Raises:
            BadRow: a row has too few or too many fields, or a field is no number.
            Resplit: the range ends inside quotes, so what follows cannot be cut at line ends.
        """
        start, text = self.lines()
        if not text:
            return
        ends = self.layout.ends()
        ends.last(text)
        if ends.inside and self.stop < self.layout.size:
            raise Resplit(Remainder(self.layout, start, self.index))
        sound = not ends.inside and ends.misplaced is None
        yield from rows_of(text, replace(self.layout, sound=sound), wanted)


@dataclass(frozen=True)
class Remainder:
    """A file from some line to its end, read in one go: for text with line ends inside quotes."""

    layout: Layout
    start: int
    index: int

    @property
    def file(self) -> str:
        """What messages call it."""
        return self.layout.title

    @property
    def nbytes(self) -> int:
        """The length of the rest."""
        return self.layout.size - self.start

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows, cut at line ends outside quotes; errors as for `ByteRange`."""
        rows, before = 0, 0
        try:
            with unchanged(self.layout.path, self.layout.stamp) as file:
                file.seek(self.start)
                for text in pieces(file.read, self.layout.ends(), self.layout.longest):
                    before = rows
                    for batch in rows_of(text, self.layout, wanted):
                        rows += batch.num_rows
                        yield batch
                    before = rows
        except BadRow as bad:
            raise BadRow(before + bad.row, bad.what, bad.hint) from None
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.file, error) from None


def _parse(text: bytes, layout: Layout, wanted: Wanted) -> Iterator[pa.RecordBatch]:
    """The rows of whole lines."""
    spare(text)
    dialect, hint = layout.dialect, ""
    text = dialect.without_comments(text)
    if not text:
        return
    if not layout.sound:
        ends = layout.ends()
        ends.last(text)
        if ends.misplaced is not None:
            begin = layout.ends().last(text[: ends.misplaced])
            raise _misquoted(text, begin, ends.misplaced, layout, wanted)
        if ends.inside:
            hint = "Close it, or double it where it is a character of the cell."
    signs = () if dialect.thousands is None else separators(dialect.thousands)
    grouped = any(sign.encode() in text for sign in signs)
    try:
        table = dialect.table(text, len(layout.names), layout.conversion(wanted, grouped=grouped))
    except (pa.ArrowException, UnicodeError) as error:
        raise _explained(error, text, layout, wanted) from None
    if hint:
        raise BadRow(max(table.num_rows - 1, 0), "a quote is opened and never closed", hint)
    places = [int(place) for place in table.column_names]
    names = [layout.names[place] for place in places]
    columns = [
        layout.numbers(column, place) if name in wanted.numbers else column
        for column, place, name in zip(table.columns, places, names, strict=True)
    ]
    if len(text) > WIDE * len(places) or long_integer_in(text):
        columns = [
            layout.exactly(text, column, place) if name in wanted.numbers else column
            for column, place, name in zip(columns, places, names, strict=True)
        ]
    yield from pa.Table.from_arrays(columns, names).to_batches(max_chunksize=ROWS)


def _misquoted(text: bytes, begin: int, place: int, layout: Layout, wanted: Wanted) -> BadRow:
    """The error for text behind a closing quote; that of a row before it is raised.

    Args:
        text: whole lines.
        begin: where the line begins.
        place: where the text behind the quote begins.
        layout: of the file.
        wanted: what was to be read.
    """
    rows = sum(batch.num_rows for batch in _parse(text[:begin], layout, wanted))
    before, behind = (
        piece.decode(errors="replace") for piece in (text[max(begin, place - 24) : place], text[place : place + 12])
    )
    start = "…" if place - 24 > begin else ""
    what = f"after the closing quote of {start + before!r} comes {behind.splitlines()[0]!r}"
    return BadRow(rows, what, MISQUOTED)


def _explained(error: Exception, text: bytes, layout: Layout, wanted: Wanted) -> Exception:
    """Arrow's error as one of ours.

    A row with too many or too few cells, or with a cell of the wrong type, is a `BadRow`; such a cell in a column that
    is only copied is `Mixed`; all else is a `DataError`.
    """
    ragged = re.search(RAGGED, str(error))
    if ragged is not None:
        row, expected, actual, cells = ragged.groups()
        shown = cells if len(cells) <= 60 else cells[:60] + "…"
        what = f"{actual} field{'' if actual == '1' else 's'} where the first line has {expected}: {shown!r}"
        hint = ragged_hint(cells, layout.dialect.delimiter, int(actual) - int(expected))
        return BadRow(max(int(row) - 1, 0), what, hint)
    encoding = re.search(ENCODING, str(error))
    if encoding is not None:
        what = f"column {layout.names[int(encoding[1])]!r} holds text that is not UTF-8"
        return BadRow(max(int(encoding[2]) - 1, 0), what, encoding_hint(text))
    conversion = re.search(CONVERSION, str(error))
    if conversion is None:
        return unreadable(layout.title, error)
    column, row, kind, value = conversion.groups()
    name = layout.names[int(column)] if int(column) < len(layout.names) else f"#{int(column) + 1}"
    shown = value if len(value) <= 60 else value[:60] + "…"
    if name not in wanted.names:
        what = f"{layout.title}: column {name!r} holds {shown!r}, which is not {kind} as in the first rows"
        return Mixed(what, MIXED)
    what = "a number" if kind == "double" else f"of type {kind}"
    hint = encoding_hint(text) if "\ufffd" in value else hint_for(value, name)
    return BadRow(max(int(row) - 1, 0), f"column {name!r} holds {shown!r}, which is not {what}", hint)


class Delimited:
    """Text whose cells are separated by one character."""

    magic = b""
    text = True
    typed = False

    name: str
    suffixes: tuple[str, ...]
    delimiter: str
    """What separates cells where nobody says it."""

    def writer(self, file: BinaryIO, schema: pa.Schema) -> "DelimitedWriter":
        """Begin a file with its header."""
        from lossctl.reading.text_writers import DelimitedWriter

        return DelimitedWriter(file, schema, self.delimiter)

    def open(self, location: Location, reading: Reading) -> TextSource:
        """Open a file by its first megabyte.

        Raises:
            DataError: it is not UTF-8 text with a header.
            UsageError: the delimiter is not one character.
        """
        delimiter = self.delimiter if reading.delimiter is None else reading.delimiter.replace("\\t", "\t")
        quote = None if reading.quote == NO_QUOTE else reading.quote
        if len(delimiter.encode()) != 1 or delimiter in f'"\r\n{quote or ""}':
            raise UsageError(f"the delimiter must be one character, not {reading.delimiter!r}", "Such as ';' or '\\t'.")
        if reading.comment == delimiter:
            raise UsageError(f"{option('comment')} and {option('delimiter')} are both {delimiter!r}")
        dialect = Dialect(delimiter, quote, reading.comment, reading.decimal, reading.thousands)
        stream = Stream(location, reading.max_line)
        head = stream.head(2 + reading.skip_rows, HEAD)
        header = header_of(location.title, head, dialect, reading)
        layout = _layout(location, head, header, reading)
        named = None if reading.header or not reading.apart else _named(location, head, dialect, reading, layout)
        header, layout = named or (header, layout)
        pieces = None if location.ranges else stream.begin(layout, layout.start)
        return TextSource(layout.title, layout.columns, layout.ranges, pieces, header.counted)


def _named(
    location: Location, head: bytes, dialect: Dialect, reading: Reading, unnamed: Layout
) -> tuple[Header, Layout] | None:
    """The header of a text that is said to have none, where its first line can only be names; else ``None``.

    So it is where no cell of it is a number, and below one of them there are only numbers.
    """
    reading = replace(reading, header=True)
    try:
        header = header_of(location.title, head, dialect, reading)
    except DataError:
        return None
    nulls = {*reading.nulls, ""}
    if len(header.names) != len(unnamed.names) or any(is_number(name) or name in nulls for name in header.names):
        return None
    layout = _layout(location, head, header, reading)
    kinds = [(before.kind, after.kind) for before, after in zip(unnamed.columns, layout.columns, strict=True)]
    if ("text", "number") not in kinds:
        return None
    line = dialect.delimiter.join(header.names[:3])
    return replace(header, counted=Counted(line, named=True, apart=True)), layout


def _layout(location: Location, head: bytes, header: Header, reading: Reading) -> Layout:
    """The layout of a text by its header and its first bytes."""
    title = location.title
    dialect, names = header.dialect, told_apart(header.names, reading.placed)
    body = head[header.start :]
    if not location.ranges or len(head) < location.size:
        body = body[: body.rfind(b"\n") + 1] or body
    body = dialect.without_comments(body)
    types, grouped = inferred_types(names, body, dialect, reading.null_words)
    size = location.size if location.ranges else 0
    long = long_or_coded(names, types, body, dialect) | grouped
    stamp, longest = location.stamp, reading.max_line
    return Layout(
        location.path, title, dialect, reading.null_words, names, types, header.start, size, stamp, longest, long
    )


class Csv(Delimited):
    """With commas."""

    name = "csv"
    suffixes: tuple[str, ...] = (".csv",)
    delimiter = ","


class Tsv(Delimited):
    """With tabs."""

    name = "tsv"
    suffixes: tuple[str, ...] = (".tsv", ".tab")
    delimiter = "\t"


def separated_by(sign: str) -> Csv:
    """The format of text whose cells are found to be separated by some other sign."""
    format_ = Csv()
    format_.delimiter = sign
    return format_


for format_ in (Csv(), Tsv()):
    formats.add(format_.name, format_)
