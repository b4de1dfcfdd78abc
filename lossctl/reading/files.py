"""From what somebody named to a source: files, URLs, globs and directories as one data set."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from itertools import chain, islice
from operator import call
from typing import Any

import pyarrow as pa

from lossctl.arrow import scalar
from lossctl.dataclass import dataclass
from lossctl.errors import DataError, UsageError, option, too_little_memory
from lossctl.reading.columns import Column, fields_in
from lossctl.reading.counted import Counted
from lossctl.reading.expand import listed, repeated
from lossctl.reading.format import Around, Format, Reading, Resplit, Shard, Source, Wanted, suffixes, told_apart
from lossctl.reading.lines import TextSource
from lossctl.reading.location import STDIN, Location, locate
from lossctl.reading.look_alikes import hint_for
from lossctl.reading.memory import open_table
from lossctl.reading.missing import NullWords
from lossctl.reading.recognition import bare_name, format_of
from lossctl.reading.selection import Selected
from lossctl.reading.stamp import Stamp
from lossctl.reading.stamped import comes_whole
from lossctl.reading.stores import ARROW_STORES, scheme_of
from lossctl.reading.turns import in_turn
from lossctl.reading.unopened import Unopened
from lossctl.reading.waiting import begun, patience
from lossctl.reading.worded import heeding
from lossctl.words import near, said

OPENING = 8
"""How many files of a store are being opened at a time: it answers each of several questions about one late."""
_SIGNS = ("delimiter", "header", "quote", "comment", "skip_rows", "decimal", "thousands")
OF_DELIMITED = {name: name for name in _SIGNS}
"""What is said of delimited text alone, as options, and the fields of `Reading` that say it."""
OF_TEXT = {"encoding": "encoding"}
"""What is said of every text."""


def open_location(location: Location, reading: Reading, format_: Format | None = None) -> Source:
    """Open one file, of a format that is known already or else as `format_of` says; errors as there."""
    format_ = format_ or format_of(location, reading)
    if location.compression not in {None, "zip"} and not format_.text:
        raise DataError(f"{location.title}: {format_.name} inside {location.compression}", "Decompress the file first.")
    if format_.text and reading.encoding is not None:
        location = replace(location, encoding=reading.encoding)
    try:
        return format_.open(location, reading)
    except MemoryError:
        raise too_little_memory(location.title) from None


@dataclass(frozen=True)
class Keyed(Around):
    """A shard of a Hive partition: each key in the path of its file (``split=test/…``) is a column with one value."""

    keys: tuple[tuple[str, str], ...]
    nulls: NullWords

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows, with the keys as further columns; errors as for the shard itself."""
        keys = [(name, value) for name, value in self.keys if wanted.others or name in wanted.names]
        try:
            for batch in self.inner.read(wanted):
                arrays = [
                    *batch.columns,
                    *(self._constant(name, value, wanted, batch.num_rows) for name, value in keys),
                ]
                yield pa.RecordBatch.from_arrays(arrays, [*batch.schema.names, *(name for name, _ in keys)])
        except Resplit as resplit:
            raise Resplit(replace(self, inner=resplit.rest)) from None

    def _constant(self, name: str, value: str, wanted: Wanted, rows: int) -> pa.Array:
        """A key's value, repeated for every row: a number where the key is wanted as one, else text.

        Raises:
            DataError: it is wanted as a number, and is none.
        """
        number = name in wanted.numbers
        missing = value == "__HIVE_DEFAULT_PARTITION__" or (number and value in self.nulls.of(name))
        words = pa.repeat(scalar(None if missing else value), rows)
        try:
            return words.cast(pa.float64()) if number else words
        except pa.ArrowInvalid:
            raise DataError(f"{self.file}: the folder {name}={value} names no number", hint_for(value)) from None


@dataclass(frozen=True)
class Files:
    """Several files as one data set, each opened when its turn comes."""

    paths: tuple[str, ...]
    first: Source
    format: Format
    """The format of the first file."""
    reading: Reading
    keys: tuple[tuple[str, str], ...] = ()
    """Hive partition keys of the first file; their names are columns of the data set."""
    stamps: dict[str, Stamp] = field(default_factory=dict, repr=False)
    """What each file was when it was opened first: in a second pass it must still be that."""
    needed: frozenset[str] | None = None
    """The columns in which the files must agree; ``None`` for all."""
    sizes: Mapping[str, int | None] = field(default_factory=dict, repr=False)
    """How many bytes files have that a store has listed."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the first file, and the keys in its path."""
        return (*self.first.columns, *(Column(name, "text") for name, _ in _own(self.first, self.keys)))

    @property
    def files(self) -> tuple[str, ...]:
        """The paths."""
        return tuple(map(_called, self.paths))

    @property
    def numbers(self) -> None:
        """``None``: no row is left out."""

    @property
    def once(self) -> bool:
        """Whether a file can be read only once: the first, or another by its name that is no file of this machine."""
        others = (path for path in self.paths[1:] if not os.path.isfile(path))
        return self.first.once or any(not path.endswith(suffixes()) for path in others)

    def shards(self) -> Iterator[Shard]:
        """The shards of each file in turn.

        Raises:
            DataError: a file cannot be opened, or its columns are not those of the first.
        """
        yield from self._shards(0)
        for shards in in_turn(self._begun, call, range(1, len(self.paths)), lambda: OPENING):
            yield from shards

    def _begun(self, index: int) -> Callable[[], Iterable[Shard]]:
        """What gives the shards of one file; one of a store that says where its parts are is being opened meanwhile."""
        path = self.paths[index]
        if not self.format.typed or scheme_of(path) not in ARROW_STORES or self._is_left(path):
            return lambda: self._shards(index)

        def opened() -> Iterable[Shard]:
            shards = self._shards(index)
            return chain([*islice(shards, 1)], shards)

        return begun(opened).result

    def beginnings(self) -> Iterator[Shard]:
        """The first shard of each file that can be opened a second time; errors as for `shards`."""
        for index, path in enumerate(self.paths):
            pipe = path == STDIN or (os.path.exists(path) and not os.path.isfile(path))
            if index == 0 or not pipe:
                yield from islice(self._shards(index), 1)

    def _shards(self, index: int) -> Iterator[Shard]:
        """The shards of one file; errors as for `shards`."""
        path = self.paths[index]
        if index == 0:
            yield from _keyed(self.first, self.keys, self.reading)
        elif self._is_left(path):
            yield Unopened(path, self.sizes[path] or 0, self._member(path), self.stamps)
        else:
            yield from self._member(path).shards(self.stamps)

    def _is_left(self, path: str) -> bool:
        """Whether who reads a file opens it: a small one of the first one's format, whose cells have types."""
        if not self.format.typed or not path.partition("?")[0].lower().endswith(self.format.suffixes):
            return False
        columns = [column.name for column in self.first.columns]
        needed = len(columns) if self.needed is None else sum(name in self.needed for name in columns)
        return comes_whole(self.sizes.get(path), needed / max(len(columns), 1))

    def _member(self, path: str) -> "Member":
        """A file after the first."""
        columns, allowed = self._agreement
        return Member(path, _called(self.paths[0]), columns, allowed, self.reading)

    @cached_property
    def _agreement(self) -> tuple[tuple[Column, ...], Mapping[str, int]]:
        """The columns, and fields in them, that each file must have as the first has; how often each may be there."""
        columns = self.columns
        if self.needed is not None:
            columns = tuple(
                column for column in (*columns, *fields_in(self.first.columns)) if column.name in self.needed
            )
        own = Counter(column.name for column in self.first.columns)
        return columns, {column.name: max(own[column.name], 1) for column in columns}


@dataclass(frozen=True)
class Member:
    """A file of a data set, which must have the columns of the first."""

    path: str
    first: str
    """What messages call the first."""
    columns: tuple[Column, ...]
    """Its columns, and fields in them, in which both must agree."""
    allowed: Mapping[str, int]
    """How many columns may have each of their names."""
    reading: Reading

    def shards(self, stamps: dict[str, Stamp]) -> Iterator[Shard]:
        """Its shards; the dictionary has, or is given, what it was when it was opened first.

        Raises:
            DataError: it cannot be opened, lacks a column that the first has, or has a list where that has none.
            UsageError: it has more columns of a name than the first.
        """
        location = locate(self.path, stamps)
        source = open_location(location, self.reading)
        self._compare(source, location.keys)
        yield from _keyed(source, location.keys, self.reading)

    def _compare(self, source: Source, keys: tuple[tuple[str, str], ...]) -> None:
        """Compare its columns with those of the first; errors as for `shards`."""
        times = Counter(column.name for column in source.columns)
        kinds = {name: "text" for name, _ in keys}
        kinds |= {column.name: column.kind for column in (*fields_in(source.columns), *source.columns)}
        for name, kind in ((column.name, column.kind) for column in self.columns):
            if times[name] > self.allowed[name]:
                raise UsageError(f"{self.path}: two columns called {name!r}", "Rename one.")
            if name not in kinds:
                raise DataError(f"{self.path}: no column {name!r}, which {self.first} has")
            if kinds[name] != kind and "list" in (kinds[name], kind):
                raise DataError(f"{self.path}: column {name!r} is {kinds[name]}, but {kind} in {self.first}")


def _called(path: str) -> str:
    """A path as messages name it."""
    return "stdin" if path == STDIN else path


def _keyed(source: Source, keys: tuple[tuple[str, str], ...], reading: Reading) -> Iterator[Shard]:
    """The shards of an open file, with the partition keys in its path."""
    keys, words = _own(source, keys), reading.null_words
    for shard in source.shards():
        yield heeding(words, Keyed(shard, keys, words) if keys else shard)


def beginnings(source: Source) -> Iterator[Shard]:
    """The first shard of each file that can be looked at before it is read; errors as for `Files.shards`."""
    if isinstance(source, Selected):
        yield from map(source.chosen, beginnings(source.inner))
    else:
        yield from source.beginnings() if isinstance(source, Files) else islice(source.shards(), 1)


def narrowed(source: Source, needed: Iterable[str]) -> Source:
    """The same source, whose files need to agree in some columns only."""
    if isinstance(source, Selected):
        return replace(source, inner=narrowed(source.inner, {*needed, *source.names}))
    return replace(source, needed=frozenset(needed)) if isinstance(source, Files) else source


def warnings_of(source: Source) -> tuple[str, ...]:
    """What is to be warned of before it is read: files of which rows count more than once, names that count as one."""
    source = source.inner if isinstance(source, Selected) else source
    warnings = [repeated(source.paths)] if isinstance(source, Files) else []
    counted = counted_line(source)
    if counted is not None and counted.apart and not counted.named:
        row = f"{source.files[0]}: row 1 is {counted.line}, which looks like names of columns"
        warnings.append(f"{row}; if so, say {option(header=False)} {option(skip_rows=1)}")
    return tuple(filter(None, warnings))


def counted_line(source: Source) -> Counted | None:
    """What the first line of a data set is, where it counts its cells: names, or a row; ``None`` of another."""
    source = source.inner if isinstance(source, Selected) else source
    first = source.first if isinstance(source, Files) else source
    return first.counted if isinstance(first, TextSource) else None


def _own(source: Source, keys: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The partition keys, without those that the file has as columns itself."""
    names = {column.name for column in source.columns}
    return tuple((name, value) for name, value in keys if name not in names)


def open_source(source: Any, reading: Reading | None = None, stamps: dict[str, Stamp] | None = None) -> Source:
    """Open a path, a list of paths, or a table in memory.

    Args:
        source: path, list of paths, pandas.DataFrame, pyarrow.Table or mapping of arrays. Paths may be URLs, globs,
            directories, or ``-`` for stdin.
        reading: how to read files that do not say it themselves.
        stamps: what files were that were opened for the same purpose; these are added.

    Raises:
        UsageError: it is none of these.
        DataError: a file cannot be opened.
    """
    reading = reading or Reading()
    patience.seconds = reading.timeout
    if isinstance(source, str | os.PathLike):
        source = [source]
    if isinstance(source, list | tuple):
        found = [_data_files(_path_of(path)) for path in source]
        paths = tuple(file for files in found for file in files)
        if not paths:
            raise UsageError("no file to read")
        if paths.count(STDIN) > 1:
            raise UsageError("stdin can be read only once")
        stamps = {} if stamps is None else stamps
        first = locate(paths[0], stamps)
        format_ = format_of(first, reading)
        opened, sizes = open_location(first, reading, format_), {file: files[file] for files in found for file in files}
        return Files(paths, opened, format_, reading, first.keys, stamps, sizes=sizes)
    table = open_table(source)
    if table is not None:
        names = told_apart(table.table.column_names, reading.placed)
        named = table.table.rename_columns(names) if reading.placed else table.table
        return replace(table, table=named, nulls=reading.null_words)
    arrow = "Give what its to_arrow() returns." if hasattr(source, "to_arrow") else ""  # as Polars and DuckDB have it
    raise UsageError(
        f"cannot read {said(source)}",
        arrow or "Give a path, a list of paths, a pandas.DataFrame, a pyarrow.Table or a mapping of arrays.",
    )


def ensure_heeded(reading: Reading | None, *sources: Source) -> None:
    """Check that what is said of how to read is said of something; of data sets, the first file is looked at.

    Raises:
        UsageError: it is said of text where there is none, or of a column that is not there.
    """
    held = [source.format for source in sources if isinstance(source, Files)]
    reading = reading or Reading()
    columns = [column for source in sources for column in source.columns]
    known = [column.name for column in (*columns, *fields_in(columns))]
    for name in () if "column_nulls" in reading.optional else reading.column_nulls:
        if name not in known:
            hint = f"Near names: {', '.join(close)}." if (close := near(name, known)) else ""
            raise UsageError(f"{option('null_values')}: no column {name!r}", hint)
    for names, heeded in (
        (OF_DELIMITED, any(not format_.typed for format_ in held)),
        (OF_TEXT, any(format_.text for format_ in held)),
    ):
        for name, field_name in names.items():
            is_said = field_name not in reading.optional and getattr(reading, field_name) != getattr(
                Reading, field_name
            )
            if held and not heeded and is_said:
                what = f"{option(name)} is for text, and {held[0].name} says itself how it is read"
                raise UsageError(what, "Leave it out.")


def _path_of(path: object) -> str:
    """A path as text; a `UsageError` for anything else."""
    try:
        text = os.fspath(path)  # type: ignore[call-overload]  # what is no path is refused
    except TypeError:
        text = None
    if not isinstance(text, str) or "\0" in text:
        raise UsageError(f"a path must be text or a pathlib.Path, not {said(path)}")
    return text


def _data_files(path: str) -> Mapping[str, int | None]:
    """The files a path stands for, with their sizes; of a directory, those of a known suffix, where there are any.

    What is called ``.json`` beside files of another format tells about them, as a rule.
    """
    files = listed(path)
    if [*files] == [path]:
        return files
    known = [file for file in files if bare_name(file).endswith(suffixes())]
    chosen = [file for file in known if not bare_name(file).endswith(".json")] or known
    return {file: files[file] for file in chosen} or files
