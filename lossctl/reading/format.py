"""What a format is: a location (or a table in memory) opens into a source, a source into shards.

Shards belong to the file, never to an option: Parquet row groups, a fixed range of bytes of a CSV, a slice of a table.
A shard is small and picklable, and its rows exist only while it is read; only of what can be read just once, a pipe or
a compressed file, a shard holds its bytes.
"""

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

import pyarrow as pa

from lossctl.arguments import ensure_fields
from lossctl.dataclass import dataclass
from lossctl.domain import IntArray
from lossctl.errors import DataError, UsageError, option
from lossctl.reading.columns import Column
from lossctl.reading.fields import column_of
from lossctl.reading.location import Location
from lossctl.reading.missing import USUAL, NullWords
from lossctl.registry import Registry

if TYPE_CHECKING:
    from lossctl.reading.where import Condition

NULLS = USUAL
DAY = 86_400
NO_QUOTE = "none"
"""What `Reading.quote` says of text that does not quote."""


@dataclass(frozen=True)
class Reading:
    """How to read files that do not say it themselves."""

    format: str | None = None
    """The name of the format; else it is known by suffix and first bytes."""
    delimiter: str | None = None
    """What separates the cells of delimited text; else what the format says."""
    header: bool = True
    """Whether the first line of delimited text names the columns; else they are ``#1``, ``#2``, …"""
    nulls: tuple[str, ...] = NULLS
    """What a missing number looks like in text; other words than these hold for numbers of every format."""
    column_nulls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a missing value of single columns looks like, in every format, instead."""
    quote: str = '"'
    """What cells of delimited text may stand in: ``"`` or ``'``; ``none`` where quotes are plain characters."""
    comment: str | None = None
    """How a line of delimited text begins that is none."""
    skip_rows: int = 0
    """How many lines stand above the header of delimited text, or above its rows where it has none."""
    encoding: str | None = None
    """How text is encoded; else it is UTF-8."""
    decimal: str = "."
    """What stands before the fraction of a number in delimited text: ``.`` or ``,``."""
    thousands: str | None = None
    """What may stand between groups of three digits in a number in delimited text."""
    max_line: int = 1 << 28
    """How many bytes a line of text may have; what a file without line ends takes in memory is a few times that."""
    timeout: float = 30.0
    """How many seconds a store or server has for each answer; it holds for all that this process reads from now on."""
    verify: bool = True
    """Whether checksums of Parquet pages are checked, where there are any; those of compressed text always are."""
    optional: tuple[str, ...] = ()
    """Which of these fields are said for many files at once, so that it is no error where they say nothing of one."""
    placed: tuple[int, ...] = ()
    """Places from 1 by which columns are asked for: of columns of one name, these are called ``#1``, ``#2``, …"""

    apart: bool = False
    """Whether ``header=False`` is said of data sets that are matched: what can only be names is a header there."""

    @property
    def null_words(self) -> NullWords:
        """What a missing value looks like, column by column."""
        return NullWords(self.nulls, self.column_nulls)

    def __post_init__(self) -> None:
        ensure_fields(self)
        if not 0 < self.max_line <= 1 << 30:  # Arrow counts the bytes of a text in 31 bits
            raise UsageError(f"the longest line must have from 1 byte to 1 GiB, not {self.max_line:,} bytes")
        _ensure_signs(self)
        if self.encoding is not None:
            _ensure_encoding(self.encoding)
        if not 0 < self.timeout <= DAY:
            raise UsageError(f"{option('timeout')} must be above 0 and at most {DAY} seconds, not {self.timeout:g}")


def _ensure_signs(reading: Reading) -> None:
    """Check what is said of delimited text; a `UsageError` where it cannot be so."""
    if reading.quote not in {'"', "'", NO_QUOTE}:
        raise UsageError(f"{option('quote')} must be \" or ' or {NO_QUOTE}, not {reading.quote!r}")
    comment = reading.comment
    if comment is not None and (len(comment) != 1 or not comment.isascii() or comment in "\r\n\"'"):
        raise UsageError(f"{option('comment')} must be one character, not {comment!r}", "Such as '#'.")
    if reading.skip_rows < 0:
        raise UsageError(f"{option('skip_rows')} must be at least 0, not {reading.skip_rows}")
    if reading.decimal not in {".", ","}:
        raise UsageError(f"{option('decimal')} must be a point or a comma, not {reading.decimal!r}")
    sign = reading.thousands
    if sign is not None and (len(sign) != 1 or sign in '\r\n"+-' or sign.isalnum()):
        raise UsageError(f"{option('thousands')} must be one character, not {sign!r}", "Such as ',' or ' '.")
    if sign == reading.decimal:
        hint = f"Say {option(decimal=',')} if the comma is the decimal mark." if sign == "." else ""
        raise UsageError(f"{option('thousands')} and {option('decimal')} are both {sign!r}", hint)


def _ensure_encoding(name: str) -> None:
    """Check that an encoding is known; a `UsageError` where it is not."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise UsageError(f"no encoding is called {name!r}", "Such as latin-1, cp1252 or utf-16.") from None


@dataclass(frozen=True)
class Wanted:
    """Which columns to read, and which fields inside columns, by their paths."""

    numbers: frozenset[str]
    """Those to be read as numbers where the file does not say what they are."""
    texts: frozenset[str]
    """Those to be read as text where the file does not say what they are."""
    others: bool = False
    """Whether all other columns are wanted too."""
    verbatim: bool = False
    """Whether those others are wanted as they are written, where they are written as text."""
    whole: frozenset[str] = frozenset()
    """Columns of objects that are taken with every key: in no row may there be another."""
    coded: frozenset[str] = frozenset()
    """Texts that may come as the codes of a dictionary, where the file has them so."""
    where: "Condition | None" = None
    """What is asked of rows: in place of those for which it cannot hold, nulls will do."""
    most: int | None = None
    """After how many rows, of which the condition holds, no more are read; ``None`` where all are."""

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """The columns named."""
        return self.numbers | self.texts


class Shard(Protocol):
    """A part of a file that can be read by itself."""

    @property
    def file(self) -> str:
        """The file it is a part of, for messages."""

    @property
    def index(self) -> int:
        """Its place among the shards of the file, from 0."""

    @property
    def nbytes(self) -> int:
        """About how many bytes it holds, for progress."""

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows, some at a time.

        Raises:
            BadRow: a row cannot be read.
            Resplit: the file has to be cut elsewhere from here on.
            DataError: the file cannot be read.
        """


@dataclass(frozen=True)
class Around:
    """A shard that gives the rows of another in its own way: subclasses have a ``read``."""

    inner: Shard

    @property
    def file(self) -> str:
        """The file it is a part of."""
        return self.inner.file

    @property
    def index(self) -> int:
        """Its place among the shards of the file."""
        return self.inner.index

    @property
    def nbytes(self) -> int:
        """About how many bytes it holds."""
        return self.inner.nbytes


class Source(Protocol):
    """An open data set."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files it consists of."""

    @property
    def once(self) -> bool:
        """Whether its rows can be read only once, or its shards hold them."""

    @property
    def numbers(self) -> IntArray | None:
        """The number in its file of each row, from 0, where rows were left out; ``None`` where none was."""

    def shards(self) -> Iterator[Shard]:
        """Its parts, in order. Of what can be read only once, the first part may be asked for twice."""


@dataclass(frozen=True)
class AroundSource:
    """A data set that gives the shards of another in its own way: subclasses have ``shards``."""

    inner: Source

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""
        return self.inner.columns

    @property
    def files(self) -> tuple[str, ...]:
        """The files it consists of."""
        return self.inner.files

    @property
    def once(self) -> bool:
        """Whether its rows can be read only once."""
        return self.inner.once

    @property
    def numbers(self) -> IntArray | None:
        """The number in its file of each row that is read, from 0, where rows were left out before."""
        return self.inner.numbers


class OneFile:
    """What data sets of one file, all of whose rows are read, have alike."""

    location: Location

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.location.title,)

    @property
    def numbers(self) -> None:
        """``None``: no row is left out."""


class Writer(Protocol):
    """A file being written, some rows at a time."""

    def write_batch(self, batch: pa.RecordBatch, /) -> None:
        """Append rows."""

    def close(self) -> None:
        """Write what remains; the file itself stays open."""


@runtime_checkable
class RowWriter(Writer, Protocol):
    """A writer of text, in which no row depends on those before it: what rows come to can be made elsewhere."""

    def encoded(self, batch: pa.RecordBatch) -> bytes | pa.Buffer:
        """What some rows come to, wherever they stand."""

    def append(self, rows: bytes | pa.Buffer) -> None:
        """Append rows as `encoded` gives them."""


class Format(Protocol):
    """A way to open files, and to write them."""

    name: str
    suffixes: tuple[str, ...]
    """How names of such files end."""
    magic: bytes
    """How such files begin, where they all begin alike."""
    text: bool
    """Whether it is text, which may be compressed as a whole."""
    typed: bool
    """Whether cells have types, rather than being text to be read."""

    def open(self, location: Location, reading: Reading, /) -> Source:
        """Open a location of this format by its head or foot.

        What is read later is opened by `lossctl.reading.stamped.unchanged`: no file may be read that has changed since.
        """

    def writer(self, file: BinaryIO, schema: pa.Schema) -> Writer:
        """Begin a file of this format; a `UsageError` where it says ``read_only = True``."""


formats: Registry[Format] = Registry("format", "lossctl.reading.formats", group="lossctl.formats")


class Resplit(Exception):
    """This shard, and those after it in its file, must be read as ``rest`` instead."""

    def __init__(self, rest: Shard) -> None:
        super().__init__(rest)
        self.rest = rest


MIXED = f"Write it as text, which keeps such cells as they are: {option(output='FILE.csv')}."


class Mixed(DataError):
    """A column that plays no role, and is only copied to the output, changes its type; as text it could be copied."""


def columns_in(schema: pa.Schema) -> tuple[Column, ...]:
    """The columns of an Arrow schema."""
    try:
        return tuple(column_of(column.name, column.type) for column in schema)
    except UnicodeError:
        raise DataError("a column has a name that is not UTF-8", "Rename it.") from None


def told_apart(names: Sequence[str], places: Collection[int]) -> tuple[str, ...]:
    """The names of columns; those that several have, of which one is asked for by its place, are their places.

    >>> told_apart(["a", "b", "b"], [3]), told_apart(["a", "b", "b"], [1])
    (('a', '#2', '#3'), ('a', 'b', 'b'))
    """
    asked = {names[place - 1] for place in places if 0 < place <= len(names)} if places else set()
    twice = {name for name in asked if names.count(name) > 1}
    return tuple(f"#{place}" if name in twice else name for place, name in enumerate(names, 1))


def suffixes() -> tuple[str, ...]:
    """How names of files of a known format end."""
    return tuple(suffix for format_ in formats for suffix in format_.suffixes)


def is_written(format_: Format) -> bool:
    """Whether files of a format are written, rather than read only."""
    return not getattr(format_, "read_only", False)


def is_written_in_python(format_: Format) -> bool:
    """Whether writing rows takes the interpreter's lock, so that threads wait for each other."""
    return getattr(format_, "written_in_python", False)


def not_written(format_: Format) -> UsageError:
    """The error for a format that is read only."""
    known = [suffix for other in formats if is_written(other) for suffix in other.suffixes]
    return UsageError(f"{format_.name} is read, not written", f"Written are {', '.join(known)}.")


def format_for(path: str) -> Format:
    """The format to write a file in, by its suffix.

    Raises:
        UsageError: no format has it, or that is read only.
    """
    for format_ in formats:
        if path.lower().endswith(format_.suffixes):
            if not is_written(format_):
                raise not_written(format_).about(path)
            return format_
    known = [suffix for format_ in formats if is_written(format_) for suffix in format_.suffixes]
    raise UsageError(f"{path}: no format has this suffix", f"Known: {', '.join(known)}.")
