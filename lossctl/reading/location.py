"""Where bytes come from: local files, pipes, compressed files, object stores, the web.

A location is opened lazily: nothing touches the network before its bytes are needed.
"""

import atexit
import contextlib
import functools
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from lossctl.errors import DataError, UsageError
from lossctl.reading.pipe import Pipe
from lossctl.reading.stores import FSSPEC_STORES, REFUSALS, open_binary, scheme_of, unreadable

STDIN = "-"
SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}

Stamp = tuple[int, ...]
"""How long a file is and when it was written last: the same on every machine that sees it. Empty where nobody knows."""

_temporary = contextlib.ExitStack()


def clean() -> None:
    """Remove the temporary files of `Location.spooled`."""
    _temporary.close()


atexit.register(clean)


@dataclass
class Location:
    """One file, wherever it is."""

    path: str
    """As it was named; ``-`` is stdin."""
    compression: str | None = None
    pipe: bool = False
    """Whether it can be read only once, from its beginning to its end."""
    keys: tuple[tuple[str, str], ...] = ()
    """Hive partition keys in its path."""
    handle: Any = field(default=None, repr=False)
    """The open pipe."""

    @property
    def title(self) -> str:
        """What messages call it."""
        return "stdin" if self.path == STDIN else self.path

    @property
    def ranges(self) -> bool:
        """Whether parts of it can be read by themselves."""
        return not self.pipe and self.compression is None

    @functools.cached_property
    def stamp(self) -> Stamp:
        """The stamp of the file as it is now; empty where parts of it cannot be read by themselves."""
        if not self.ranges:
            return ()
        try:
            with open_binary(self.path) as file:
                return stamp_of(file)
        except REFUSALS as error:
            raise unreadable(self.path, error) from None

    @functools.cached_property
    def size(self) -> int:
        """Its size in bytes; 0 where nobody knows."""
        if self.pipe:
            return 0
        try:
            with open_binary(self.path) as file:
                return int(file.seek(0, os.SEEK_END))
        except REFUSALS as error:
            raise unreadable(self.path, error) from None

    def head(self, n: int = 16) -> bytes:
        """Its first bytes, as they are stored.

        Raises:
            DataError: it cannot be read.
        """
        try:
            if self.handle is not None:
                return bytes(self.handle.ahead(n))
            with open_binary(self.path) as file:
                return bytes(file.read(n))
        except REFUSALS as error:
            raise unreadable(self.title, error) from None

    def beginning(self) -> bytes:
        """The first bytes of its content; the stored ones where too few came to decompress."""
        if self.compression is None:
            return self.head()
        if self.pipe:
            stored = pa.BufferReader(self.head(1 << 16))
            with contextlib.suppress(*REFUSALS):
                return bytes(pa.CompressedInputStream(stored, self.compression).read(16))
            return self.head()
        try:
            with self.open() as file:
                return bytes(file.read(16))
        except REFUSALS as error:
            raise unreadable(self.title, error) from None

    def open(self) -> Any:
        """Its bytes from the beginning, decompressed; of a pipe, from where it stands."""
        raw: Any = self.handle if self.handle is not None else open_binary(self.path)
        if self.compression is None:
            return raw
        return pa.CompressedInputStream(raw, self.compression)

    def spooled(self) -> "Location":
        """A location whose parts can be read by themselves: this one, or a temporary file with its bytes decompressed.

        Raises:
            DataError: it cannot be read.
        """
        if self.ranges:
            return self
        copy = _temporary.enter_context(tempfile.NamedTemporaryFile(prefix="lossctl-"))  # noqa: SIM115  (see clean)
        try:
            shutil.copyfileobj(self.open(), copy, 1 << 20)
        except REFUSALS as error:
            raise unreadable(self.title, error) from None
        copy.flush()
        return Location(copy.name, keys=self.keys)


def stamp_of(file: Any) -> Stamp:
    """The stamp of an open file."""
    try:
        status = os.fstat(file.fileno())
    except (AttributeError, OSError, ValueError):
        return ()
    return status.st_size, status.st_mtime_ns


@contextlib.contextmanager
def unchanged(path: str, stamp: Stamp) -> Iterator[Any]:
    """The file of a path, open, if it is still the one that was stamped.

    Raises:
        DataError: it was changed since.
    """
    with open_binary(path) as file:
        if stamp_of(file) != stamp:
            raise DataError(f"{path}: was changed while it was read", "Run it again once nobody writes to the file.")
        yield file


def locate(path: str) -> Location:
    """The location a path or URL names.

    Raises:
        UsageError: stdin is a terminal.
        DataError: it cannot be read.
    """
    location = Location(path, keys=_hive_keys(path))
    if path == STDIN:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("no file to read, and stdin is a terminal", "Name a file, or pipe one in.")
        location.pipe, location.handle = True, Pipe(open(0, "rb", closefd=False))  # noqa: SIM115  (stays open)
    elif scheme_of(path) in FSSPEC_STORES:
        try:
            location.pipe, location.handle = _pipe_unless_ranges(path)
        except REFUSALS as error:
            raise unreadable(path, error) from None
    elif not scheme_of(path):
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                location.pipe = True
                location.handle = Pipe(open_binary(path))
        except OSError as error:
            raise unreadable(path, error) from None
    head = location.head()
    location.compression = _compression(head)
    return location


def _pipe_unless_ranges(path: str) -> tuple[bool, Any]:
    """``(False, None)`` where the server of a web address gives ranges of bytes, else ``(True, pipe)``.

    Raises:
        OSError: there is no such file, or nobody answers.
    """
    try:
        with open_binary(path) as file:
            if file.seek(0, os.SEEK_END) > 1:
                file.seek(1)
                file.read(1)
        return False, None
    except ValueError:
        return True, Pipe(open_binary(path, ranges=False))


def _compression(head: bytes) -> str | None:
    """The compression of a file by its first bytes; ``None`` where it has none."""
    compression = next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)
    if compression == "bz2" and head[4:10] not in {b"1AY&SY", b"\x17rE8P\x90"}:
        return None  # a word that begins like a bzip2 file
    return compression


def _hive_keys(path: str) -> tuple[tuple[str, str], ...]:
    """The name and value of each folder called ``name=value`` in a path."""
    parts = (part.partition("=") for part in path.split("?", maxsplit=1)[0].split("/")[:-1])
    return tuple((unquote(name), unquote(value)) for name, equals, value in parts if equals and name)
