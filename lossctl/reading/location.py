"""Where bytes come from: local files, pipes, compressed files, object stores, the web.

A location is opened lazily: nothing touches the network before its bytes are needed.
"""

import atexit
import contextlib
import os
import shutil
import sys
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.errors import DataError, UsageError
from lossctl.reading.pipe import Pipe
from lossctl.reading.stamp import UNKNOWN, Stamp, stamp_of
from lossctl.reading.stamped import confirm, open_again, open_first, open_whole, watched
from lossctl.reading.stores import FSSPEC_STORES, REFUSALS, open_binary, scheme_of, unreadable

if TYPE_CHECKING:
    from lossctl.reading.archives import Member

STDIN = "-"
SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4", ".xz": "xz"}
MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xfd7zXZ\x00": "xz",
}

HEAD = 16
"""How many bytes tell what a file is that has a mark of its own."""
LOOK = 1 << 12
"""How many bytes tell what any other file is."""
AHEAD = (1 << 16, 1 << 20, 1 << 23)
"""How many stored bytes of a compressed pipe are looked at, until they are enough: bzip2 and lz4 have large blocks."""

_temporary = contextlib.ExitStack()


def clean() -> None:
    """Remove the temporary files of `Location.spooled`."""
    _temporary.close()


atexit.register(clean)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


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
    start: bytes = field(default=b"", repr=False)
    """The first bytes of what is no pipe, as they are stored."""
    stamp: Stamp = field(default=UNKNOWN, repr=False)
    """What it was when it was opened first, which it must still be; says nothing of a pipe."""
    encoding: str | None = None
    """How its text is encoded; ``None`` for UTF-8, which is what `open` gives."""
    array: bool = False
    """Whether it may be a JSON array, of which `open` gives lines."""
    member: str | None = None
    """Which member of it is read, where it is a ZIP archive."""
    called: str = ""
    """What messages call it, where that is not its path."""

    @property
    def title(self) -> str:
        """What messages call it."""
        return self.called or ("stdin" if self.path == STDIN else self.path)

    @property
    def ranges(self) -> bool:
        """Whether parts of it can be read by themselves."""
        return not (self.pipe or self.compression or self.encoding or self.array)

    @property
    def size(self) -> int:
        """Its size in bytes; 0 of a pipe."""
        return self.stamp.size

    def head(self, n: int = HEAD) -> bytes:
        """Its first bytes, as they are stored.

        Raises:
            DataError: it cannot be read.
        """
        try:
            return self.start if self.handle is None else bytes(self.handle.ahead(n))
        except REFUSALS as error:
            raise unreadable(self.title, error) from None

    def beginning(self, n: int = HEAD) -> bytes:
        """The first ``n`` bytes of its content, or all.

        Raises:
            DataError: it cannot be read.
        """
        if self.compression is None:
            return self.head(n)[:n]
        if self.pipe:
            return self._ahead(n)
        try:
            with self._stored() as file:
                return bytes(file.read(n))
        except REFUSALS as error:
            raise unreadable(self.title, error) from None

    def _ahead(self, n: int) -> bytes:
        """As `beginning`, of a compressed pipe, of which no more is looked at than it takes."""
        refusal: Exception | None = None
        for size in AHEAD:
            stored = self.head(size)
            try:
                content, refusal = bytes(self._decompressed(pa.BufferReader(stored)).read(n)), None
            except REFUSALS as error:
                content, refusal = b"", error
            if refusal is None and (len(content) == n or len(stored) < size):
                return content
            if len(stored) < size:
                break
        raise unreadable(self.title, refusal or OSError("it is compressed in too large blocks"))

    def members(self) -> "list[Member]":
        """The files in a ZIP archive; of a pipe, a copy of it is made, which is what is read from now on.

        Raises:
            DataError: it cannot be read.
        """
        from lossctl.reading.archives import members_of  # noqa: PLC0415  (few runs need it)

        if self.pipe:
            start, copy = self.head(LOOK), self.spooled()
            self.called, self.path, self.stamp = self.title, copy.path, copy.stamp
            self.pipe, self.start, self.handle = False, start, None
        try:
            with open_again(self.path, self.stamp) as file:
                return members_of(file)
        except REFUSALS as error:
            raise unreadable(self.title, error) from None

    def open(self) -> Any:
        """Its bytes from the beginning, decompressed, and text as UTF-8; of a pipe, from where it stands."""
        file = self._stored()
        if self.encoding is not None:
            native = file if isinstance(file, pa.NativeFile) else pa.PythonFile(file, mode="r")
            file = pa.transcoding_input_stream(native, self.encoding, "utf-8")
        if not self.array:
            return file
        from lossctl.reading.json_arrays import ArrayLines  # noqa: PLC0415  (few runs need it)

        return ArrayLines(file)

    def _stored(self) -> Any:
        """Its bytes from the beginning, decompressed; of a pipe, from where it stands."""
        if self.member is not None:
            from lossctl.reading.archives import open_member  # noqa: PLC0415  (few runs need it)

            return open_member(open_again(self.path, self.stamp), self.member, self.confirm)
        file: Any = self.handle if self.handle is not None else open_whole(self.path, self.stamp)
        return file if self.compression is None else self._decompressed(file)

    def _decompressed(self, file: Any) -> Any:
        """What a stream of its bytes holds."""
        if self.compression != "xz":
            return pa.CompressedInputStream(file, self.compression)
        from lossctl.reading.archives import Xz  # noqa: PLC0415  (few runs need it)

        return Xz(file)

    def confirm(self) -> None:
        """Check that the file is what it was, once all of it was read.

        Raises:
            DataError: it is not, or cannot be asked for.
        """
        try:
            if not self.pipe:
                confirm(self.path, self.stamp)
        except REFUSALS as error:
            raise unreadable(self.path, error) from None

    def spooled(self) -> "Location":
        """A location whose parts can be read by themselves: this one, or a temporary file with its bytes decompressed.

        Raises:
            DataError: it cannot be read.
        """
        if self.ranges:
            return self
        import tempfile  # noqa: PLC0415  (it brings random, and few runs need it)

        name = os.path.join(tempfile.gettempdir(), f"lossctl-{os.urandom(8).hex()}")
        _temporary.callback(_remove, name)  # before it is there, for a signal may come as soon as it is
        copy = _temporary.enter_context(open(name, "xb", opener=_private))  # noqa: SIM115  (see clean)
        try:
            shutil.copyfileobj(self.open(), copy, 1 << 20)
        except REFUSALS as error:
            raise unreadable(self.title, error) from None
        copy.flush()
        return Location(copy.name, keys=self.keys, stamp=stamp_of(copy.fileno()))


def locate(path: str, stamps: dict[str, Stamp] | None = None) -> Location:
    """The location a path or URL names.

    Args:
        path: what is named.
        stamps: what each file was that the run has had open, by path; that of this one is added.

    Raises:
        UsageError: stdin is a terminal.
        DataError: it cannot be read, or stdin is closed.
    """
    location = Location(path, keys=_hive_keys(path))
    if path == STDIN:
        if sys.stdin is None:
            raise DataError("no file to read, and stdin is closed", "Name a file, or pipe one in.")
        if sys.stdin.isatty():
            raise UsageError("no file to read, and stdin is a terminal", "Name a file, or pipe one in.")
        file = open(0, "rb", closefd=False)  # noqa: SIM115  (stays open)
        location.pipe, location.handle = True, Pipe(watched(file, location.title))
    elif scheme_of(path) in FSSPEC_STORES:
        try:
            location.pipe, location.handle = _pipe_unless_ranges(path)
        except REFUSALS as error:
            raise unreadable(path, error) from None
    if not location.pipe:
        stamps = {} if stamps is None else stamps
        try:
            location.stamp, file = open_first(path, stamps.get(path))
            if location.stamp is UNKNOWN:
                location.pipe, location.handle = True, Pipe(file)
            else:
                with file:
                    location.start = file.read(LOOK)
                stamps[path] = replace(location.stamp, keeper=None)
        except REFUSALS as error:
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
            if file.seek(0, 2) > 1:
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
    folders = path.split("?", maxsplit=1)[0].replace(os.sep, "/").split("/")[:-1]
    parts = (part.partition("=") for part in folders)
    return tuple((unquote(name), unquote(value)) for name, equals, value in parts if equals and name)
