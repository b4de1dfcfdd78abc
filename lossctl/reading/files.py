"""From what somebody named to a source: files, URLs, globs and directories as one data set."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from lossctl.errors import DataError, UsageError, option
from lossctl.reading.columns import Column
from lossctl.reading.expand import expand
from lossctl.reading.format import Format, Reading, Resplit, Shard, Source, Wanted, formats, suffixes
from lossctl.reading.location import STDIN, SUFFIXES, Location, locate
from lossctl.reading.memory import open_table


def bare_name(path: str) -> str:
    """A path in lower case, without what a URL asks or a compression adds."""
    name = path.partition("?")[0].lower()
    return name.removesuffix(next((suffix for suffix in SUFFIXES if name.endswith(suffix)), ""))


def open_location(found: Location, reading: Reading) -> Source:
    """Open one file, by its suffix and its first bytes, or as the reader says.

    Raises:
        DataError: it is unreadable, or of no known format.
        UsageError: the format asked for does not exist.
    """
    chosen = _recognised(found) if reading.format is None else formats.get(reading.format)
    if found.compression is not None and not chosen.text:
        raise DataError(f"{found.title}: {chosen.name} inside {found.compression}", "Decompress the file first.")
    return chosen.open(found, reading)


def _recognised(found: Location) -> Format:
    head = found.beginning()
    if not head:
        raise DataError(f"{found.title}: the file is empty")
    name = bare_name(found.path)
    by_suffix = next((it for it in formats if name.endswith(it.suffixes)), None)
    by_magic = next((it for it in formats if it.magic and head.startswith(it.magic)), None)
    if by_magic is not None and by_suffix is not None and by_magic is not by_suffix:
        hint = f"Rename it, or force the format: {option(format=by_magic.name)}."
        raise DataError(f"{found.title}: named {by_suffix.name} but holds {by_magic.name}", hint)
    chosen = by_suffix or by_magic
    if head.startswith(b"FEA1"):
        raise DataError(f"{found.title}: Feather of version 1", "Write it again as version 2, or as Parquet.")
    if chosen is None and found.pipe:
        # A pipe has no suffix; text is told by how it begins.
        chosen = formats.get("jsonl" if head.lstrip()[:1] == b"{" else "csv")
    if chosen is None:
        hint = f"Known suffixes: {', '.join(suffixes())}. Or force a format: {option(format='csv')}."
        raise DataError(f"{found.title}: unknown format", hint)
    return chosen


@dataclass(frozen=True)
class Keyed:
    """A shard whose path says something of all its rows: ``split=test/part.parquet``."""

    inner: Shard
    keys: tuple[tuple[str, str], ...]

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

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows, with the keys as columns of text."""
        keys = [(name, value) for name, value in self.keys if wanted.others or name in wanted.names]
        try:
            for batch in self.inner.read(wanted):
                arrays = [*batch.columns, *(_constant(name, value, wanted, batch.num_rows) for name, value in keys)]
                yield pa.RecordBatch.from_arrays(arrays, [*batch.schema.names, *(name for name, _ in keys)])
        except Resplit as again:
            raise Resplit(Keyed(again.rest, self.keys)) from None


def _constant(name: str, value: str, wanted: Wanted, rows: int) -> pa.Array:
    word = None if value == "__HIVE_DEFAULT_PARTITION__" else value
    words = pa.array([word] * rows, pa.string())
    return words.cast(pa.float64()) if name in wanted.numbers else words


@dataclass(frozen=True)
class Files:
    """Several files as one data set, each opened when its turn comes."""

    paths: tuple[str, ...]
    first: Source
    reading: Reading
    keys: tuple[tuple[str, str], ...] = ()
    """Hive partition keys of the first file; their names are columns of the data set."""
    needed: frozenset[str] | None = None
    """The columns in which the files must agree; ``None`` for all."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the first file, and the keys in its path."""
        return (*self.first.columns, *(Column(name, "text") for name, _ in _own(self.first, self.keys)))

    @property
    def files(self) -> tuple[str, ...]:
        """The paths."""
        return tuple("stdin" if path == STDIN else path for path in self.paths)

    @property
    def numbers(self) -> None:
        """No row is left out."""

    @property
    def once(self) -> bool:
        """Whether a file can be read only once, as far as the names say."""
        return self.first.once or any(not path.endswith(suffixes()) for path in self.paths)

    def shards(self) -> Iterator[Shard]:
        """The shards of each file in turn.

        Raises:
            DataError: a file cannot be opened, or its columns are not those of the first.
        """
        for at, path in enumerate(self.paths):
            source, keys = self.first, self.keys
            if at > 0:
                found = locate(path)
                source, keys = open_location(found, self.reading), found.keys
                self._compare(path, source, keys)
            keys = _own(source, keys)
            for shard in source.shards():
                yield Keyed(shard, keys) if keys else shard

    def _compare(self, path: str, source: Source, keys: tuple[tuple[str, str], ...]) -> None:
        kinds = {name: "text" for name, _ in keys} | {column.name: column.kind for column in source.columns}
        for column in self.columns:
            if self.needed is not None and column.name not in self.needed:
                continue
            if column.name not in kinds:
                raise DataError(f"{path}: no column {column.name!r}, which {self.files[0]} has")
            if kinds[column.name] != column.kind and "list" in (kinds[column.name], column.kind):
                kind = kinds[column.name]
                raise DataError(f"{path}: column {column.name!r} is {kind}, but {column.kind} in {self.files[0]}")


def narrowed(source: Source, needed: Iterable[str]) -> Source:
    """The same source, when only some columns count."""
    return replace(source, needed=frozenset(needed)) if isinstance(source, Files) else source


def _own(source: Source, keys: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The keys that are no columns of the file itself."""
    names = {column.name for column in source.columns}
    return tuple((name, value) for name, value in keys if name not in names)


def open_source(source: Any, reading: Reading | None = None) -> Source:
    """Open a path, a list of paths, or a table in memory.

    Args:
        source: path, list of paths, pandas.DataFrame, pyarrow.Table or mapping of arrays. Paths may be URLs, globs,
            directories, or ``-`` for stdin.
        reading: how to read files that do not say it themselves.

    Raises:
        UsageError: it is none of these.
        DataError: a file cannot be opened.
    """
    reading = reading or Reading()
    if isinstance(source, str | os.PathLike):
        source = [source]
    if isinstance(source, list | tuple):
        paths = tuple(one for path in source for one in _data_files(os.fspath(path)))
        if not paths:
            raise UsageError("no file to read")
        if paths.count(STDIN) > 1:
            raise UsageError("stdin can be read only once")
        found = locate(paths[0])
        return Files(paths, open_location(found, reading), reading, found.keys)
    table = open_table(source)
    if table is not None:
        return table
    raise UsageError(
        f"cannot read a {type(source).__name__}",
        "Give a path, a list of paths, a pandas.DataFrame, a pyarrow.Table or a mapping of arrays.",
    )


def _data_files(path: str) -> list[str]:
    """The files a path stands for; of a directory, those of a known suffix, where there are any."""
    found = expand(path)
    if found == [path]:
        return found
    return [one for one in found if bare_name(one).endswith(suffixes())] or found
