"""What a format is: a path (or a table in memory) opens into a source, a source into shards.

Shards belong to the file, never to an option: a Parquet row group, a fixed range of bytes of a CSV, a slice of a table.
A shard is small and picklable; its rows exist only while it is read.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

from lossctl.batch import kind_of
from lossctl.columns import Column
from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.registry import Registry, near


@dataclass(frozen=True)
class Wanted:
    """Which columns to read."""

    numbers: frozenset[str]
    """Those to be read as numbers where the file does not say what they are."""
    texts: frozenset[str]
    """Those to be read as text where the file does not say what they are."""
    others: bool = False
    """Whether all other columns are wanted too."""

    @property
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


class Source(Protocol):
    """An open data set."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files it consists of."""

    @property
    def nbytes(self) -> int:
        """About how many bytes it holds, for progress."""

    def shards(self) -> Iterator[Shard]:
        """Its parts, in order."""


class Writer(Protocol):
    """A file being written, some rows at a time."""

    def write_batch(self, batch: pa.RecordBatch, /) -> None:
        """Append rows."""

    def close(self) -> None:
        """Write what remains; the file itself stays open."""


class Format(Protocol):
    """A way to open files, and to write them."""

    name: str
    suffixes: tuple[str, ...]
    """How names of such files end; none for tables in memory."""
    magic: bytes
    """How such files begin, where they all begin alike."""

    def open(self, source: Any, /) -> Source | None:
        """Open a path of this format by its head or foot; where there are no suffixes, a table in memory.

        Returns:
            The source; ``None`` for an object that is no table of this format.
        """

    def writer(self, file: BinaryIO, schema: pa.Schema) -> Writer:
        """Begin a file of this format."""


formats: Registry[Format] = Registry("format", "lossctl.formats")


class Resplit(Exception):
    """This shard, and those after it in its file, must be read as ``rest`` instead."""

    def __init__(self, rest: Shard) -> None:
        super().__init__(rest)
        self.rest = rest


def columns_in(schema: pa.Schema) -> tuple[Column, ...]:
    """The columns of an Arrow schema."""
    return tuple(Column(column.name, kind_of(column.type)) for column in schema)


def lines_of(path: str, start: int, stop: int, *, first: int, size: int) -> tuple[int, bytes]:
    """The lines of a file that begin in a range of bytes.

    Args:
        path: the file.
        start: the first byte of the range.
        stop: the byte after the range.
        first: where the first line of all begins.
        size: the size of the file.

    Returns:
        Where the first of these lines stands, and all of them.
    """
    with open(path, "rb") as file:
        before = start > first
        file.seek(start - before)
        text = file.read(stop - start + before)
        if before:
            # The line that holds the byte before the range belongs to the range before.
            skipped = text.find(b"\n") + 1
            if not skipped:
                return stop, b""
            start, text = start - 1 + skipped, text[skipped:]
        if text and stop < size and not text.endswith(b"\n"):
            text += file.readline()
        return start, text


def unreadable(path: str, error: Exception) -> LossctlError:
    """The error for a file that the operating system or Arrow refused."""
    if isinstance(error, FileNotFoundError):
        folder = os.path.dirname(path) or "."
        others = os.listdir(folder) if os.path.isdir(folder) else []
        close = near(os.path.basename(path), others, cutoff=0.8)
        hint = (
            f"Did you mean {' or '.join(os.path.join(os.path.dirname(path), name) for name in close)}?" if close else ""
        )
        return DataError(f"{path}: no such file", hint)
    if isinstance(error, PermissionError):
        return DataError(f"{path}: permission denied")
    first = str(error).strip().partition("\n")[0]
    return DataError(f"{path}: cannot be read: {first}", "Is the file whole, and of the format its name says?")


def open_path(path: str) -> Source:
    """Open one file, by its suffix or its first bytes.

    Raises:
        DataError: it is missing, unreadable, or of no known format.
    """
    if os.path.isdir(path):
        raise DataError(f"{path}: is a directory", "Name the files in it.")
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError as error:
        raise unreadable(path, error) from None
    if not head:
        raise DataError(f"{path}: the file is empty")
    by_magic = [found for found in formats if found.magic and head.startswith(found.magic)]
    by_suffix = [found for found in formats if path.lower().endswith(found.suffixes)]
    chosen = (by_suffix or by_magic)[:1]
    if not chosen:
        known = ", ".join(suffix for found in formats for suffix in found.suffixes)
        raise DataError(f"{path}: unknown format", f"Known suffixes: {known}.")
    if by_magic and by_magic[0] is not chosen[0]:
        raise DataError(f"{path}: named {chosen[0].name} but holds {by_magic[0].name}", "Rename the file.")
    opened = chosen[0].open(path)
    if opened is None:
        raise TypeError(f"format {chosen[0].name} opened nothing")
    return opened


@dataclass(frozen=True)
class Files:
    """Several files as one data set, each opened when its turn comes."""

    paths: tuple[str, ...]
    first: Source
    needed: frozenset[str] = field(default_factory=frozenset)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the first file."""
        return self.first.columns

    @property
    def files(self) -> tuple[str, ...]:
        """The paths."""
        return self.paths

    @property
    def nbytes(self) -> int:
        """The size of all files."""
        return sum(os.path.getsize(path) for path in self.paths if os.path.exists(path))

    def shards(self) -> Iterator[Shard]:
        """The shards of each file in turn.

        Raises:
            DataError: a file cannot be opened, or its columns are not those of the first.
        """
        yield from self.first.shards()
        for path in self.paths[1:]:
            source = open_path(path)
            self._compare(path, source.columns)
            yield from source.shards()

    def _compare(self, path: str, columns: Sequence[Column]) -> None:
        kinds = {column.name: column.kind for column in columns}
        for column in self.columns:
            if self.needed and column.name not in self.needed:
                continue
            if column.name not in kinds:
                raise DataError(f"{path}: no column {column.name!r}, which {self.paths[0]} has")
            if kinds[column.name] != column.kind and "list" in (kinds[column.name], column.kind):
                kind = kinds[column.name]
                raise DataError(f"{path}: column {column.name!r} is {kind}, but {column.kind} in {self.paths[0]}")


def format_for(path: str) -> Format:
    """The format to write a file in, by its suffix.

    Raises:
        UsageError: no format has it.
    """
    for found in formats:
        if found.suffixes and path.lower().endswith(found.suffixes):
            return found
    known = ", ".join(suffix for found in formats for suffix in found.suffixes)
    raise UsageError(f"{path}: no format has this suffix", f"Known: {known}.")


def open_source(source: Any, needed: frozenset[str] = frozenset()) -> Source:
    """Open a path, a list of paths, or a table in memory.

    Args:
        source: path, list of paths, pandas.DataFrame, pyarrow.Table or mapping of arrays.
        needed: the columns in which several files must agree; all when empty.

    Raises:
        UsageError: it is none of these.
        DataError: a file cannot be opened.
    """
    if isinstance(source, str | os.PathLike):
        source = [source]
    if isinstance(source, list | tuple):
        paths = tuple(os.fspath(path) for path in source)
        if not paths:
            raise UsageError("no file to read")
        return Files(paths, open_path(paths[0]), needed)
    for found in formats:
        if not found.suffixes and (opened := found.open(source)) is not None:
            return opened
    raise UsageError(
        f"cannot read a {type(source).__name__}",
        "Give a path, a list of paths, a pandas.DataFrame, a pyarrow.Table or a mapping of arrays.",
    )
