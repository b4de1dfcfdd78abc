"""Which file it is: what it was when a run opened it first, it is whenever it is read, or that is an error.

A file of this machine stays open, so what takes its name meanwhile is never read; every reading of it is checked once
its bytes are there. Workers on other machines, and readers of stores, open it by name and compare.
"""

import contextlib
import functools
import os
import stat
import sys
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from lossctl.errors import DataError
from lossctl.reading.stores import is_remote, open_binary, version_of

MOST = 64
"""How many files are kept open; those opened before are opened again by name."""
PIECE = 1 << 30
"""The most bytes that are asked of the system at a time, which gives at most 2 GiB."""
REST = 0.01
"""Seconds since a file was written until it is read. The clock that says when it was stands still for up to so long, so
that another writing would not show; and a single large one may not be at its end."""


class Changed(DataError):
    """A file is no longer what it was when it was opened first."""

    @classmethod
    def of(cls, path: str, how: str) -> "Changed":
        """The error for a file, and how it was changed."""
        hint = "Run it again once nobody writes to the file, or read a copy, which stays as it is."
        return cls(f"{path}: was changed while it was read: {how}", hint)


class _Handle:
    """An open file of this machine, closed when nobody uses it any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = os.dup(descriptor)

    def __del__(self) -> None:
        os.close(self.descriptor)


class _Keeper:
    """Keeps a file open for as long as a run needs it, or until `MOST` others were opened since.

    Args:
        handle: the open file.
        link: in another process, where Linux shows the file that the one who opened it has open.
    """

    def __init__(self, handle: _Handle | None, link: str = "") -> None:
        self.handle, self.link = handle, link

    def __reduce__(self) -> tuple[Any, ...]:
        link = self.link if self.handle is None else f"/proc/{os.getpid()}/fd/{self.handle.descriptor}"
        return _Keeper, (None, link)


_keepers: "deque[weakref.ref[_Keeper]]" = deque()


def _kept(handle: _Handle) -> _Keeper:
    """A keeper of an open file; where there are too many, the first lets go of its own."""
    keeper = _Keeper(handle)
    _keepers.append(weakref.ref(keeper))
    while len(_keepers) > MOST:
        first = _keepers.popleft()()
        if first is not None:
            first.handle = None
    return keeper


@dataclass(frozen=True)
class Stamp:
    """What a file is known by."""

    size: int
    """In bytes."""
    version: tuple[int | str, ...]
    """When it was written last, or what a store calls that; empty where nobody says it."""
    place: tuple[str, int, int] | None = None
    """Machine, device and inode; means nothing on another machine, which may see the same file or a copy."""
    keeper: _Keeper | None = field(default=None, compare=False, repr=False)
    """Keeps it open."""

    def difference(self, now: "Stamp") -> str:
        """In what a file differs from what it was, in words; empty where it does not."""
        both = self.place is not None and now.place is not None and self.place[0] == now.place[0]
        if both and self.place != now.place:
            return "another file has its name now"
        if now.size != self.size:
            return f"it {'grew' if now.size > self.size else 'was cut'} from {self.size:,} to {now.size:,} bytes"
        return "it was written to" if self.version != now.version else ""


UNKNOWN = Stamp(0, ())
"""The stamp of what can be read only once."""


def stamp_of(descriptor: int) -> Stamp:
    """The stamp of an open file of this machine."""
    return _stamp(os.fstat(descriptor))


def _stamp(status: os.stat_result, keeper: _Keeper | None = None) -> Stamp:
    return Stamp(status.st_size, (status.st_mtime_ns,), (_machine(), status.st_dev, status.st_ino), keeper)


@functools.cache
def _machine() -> str:
    """What tells this machine from others, and from containers on it, which may have other devices."""
    boot = ""
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    return f"{os.uname().nodename} {boot}"


class View:
    """The bytes of a file of this machine, with a place of its own in them; all that is read is checked.

    Args:
        handle: the file, which others may read meanwhile.
        stamp: what it was when it was opened first.
        path: what messages call it.
    """

    closed = False

    def __init__(self, handle: _Handle, stamp: Stamp, path: str) -> None:
        self.handle, self.stamp, self.path, self.position = handle, stamp, path, 0

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end; all for -1.

        Raises:
            Changed: the file is no longer what it was.
        """
        pieces, missing = [], sys.maxsize if n < 0 else n
        while missing and (piece := os.pread(self.handle.descriptor, min(missing, PIECE), self.position)):
            pieces.append(piece)
            missing, self.position = missing - len(piece), self.position + len(piece)
        # Only now: what was written before these bytes were there may be in them.
        status = os.fstat(self.handle.descriptor)
        if (status.st_size, status.st_mtime_ns) != (self.stamp.size, *self.stamp.version):
            _same(self.path, self.stamp, _stamp(status))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another place."""
        self.position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.stamp.size}[whence]
        return self.position

    def tell(self) -> int:
        """The place of the next byte."""
        return self.position

    def readable(self) -> bool:
        """True: asked by Arrow."""
        return True

    def seekable(self) -> bool:
        """True: asked by Arrow."""
        return True

    def close(self) -> None:
        """Read no more; others may."""
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Once:
    """A file that is read from where it stands to its end, and checked at every reading, or at the last alone.

    Args:
        file: the open file.
        check: raises a `Changed` where it is no longer what it was.
        last: whether only the last reading is checked.
    """

    def __init__(self, file: Any, check: Callable[[], None], *, last: bool) -> None:
        self.file, self.check, self.last, self.ended = file, check, last, False

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end; all for -1."""
        text = b"" if self.ended else bytes(self.file.read(n))
        ending = not self.ended and (n < 0 or len(text) < n)
        if ending or not self.last:
            self.check()
        self.ended = self.ended or (ending and self.last)  # some stores have one file for all who open it
        return text

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return bool(self.file.closed)

    def readable(self) -> bool:
        """True: asked by Arrow."""
        return True

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_first(path: str, known: Stamp | None = None) -> tuple[Stamp, Any]:
    """The stamp of a file, `UNKNOWN` where it can only be read once, and the file, open.

    Args:
        path: a local path or URL.
        known: its stamp, where the run has had it open before.

    Raises:
        OSError: as the file system says.
        Changed: it is not the one that is known.
    """
    if is_remote(path):
        file = open_binary(path)
        return _same(path, known, _of_store(file)), file
    try:
        file = open_binary(path)
    except FileNotFoundError:
        if known is not None:
            raise Changed.of(path, "it is gone") from None
        raise
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        return UNKNOWN, file
    with file:
        handle = _Handle(file.fileno())
    stamp = _same(path, known, _stamp(status, _kept(handle)))
    _rest(status)
    return stamp, View(handle, stamp, path)


def _rest(status: os.stat_result) -> None:
    """Wait until a file that was written a moment ago has been at rest for `REST` seconds."""
    age = time.time() - status.st_mtime
    if 0 <= age < REST:
        time.sleep(REST - age)


def _of_store(file: Any) -> Stamp:
    """The stamp of an open file of a store."""
    size = int(file.seek(0, os.SEEK_END))
    file.seek(0)
    return Stamp(size, version_of(file))


def _same(path: str, before: Stamp | None, now: Stamp) -> Stamp:
    """What a file is now; a `Changed` where it is not what it was."""
    how = before.difference(now) if before is not None else ""
    if how:
        raise Changed.of(path, how)
    return now


def open_again(path: str, stamp: Stamp) -> Any:
    """A seekable file of the bytes of a path or URL, which is the one that was opened first.

    Raises:
        OSError: as the file system says.
        Changed: the file of that name is another now, or was changed.
    """
    if is_remote(path):
        file = open_binary(path)
        try:
            _same(path, stamp, _of_store(file))
        except Changed:
            file.close()
            raise
        return file
    handle = None if stamp.keeper is None else stamp.keeper.handle or _shown(stamp.keeper.link, stamp)
    if handle is None:
        try:
            _same(path, stamp, _stamp(os.stat(path.removeprefix("file://"))))  # opening a pipe could take forever
            with open_binary(path) as file:
                handle = _Handle(file.fileno())
        except FileNotFoundError:
            if stamp.place is not None and stamp.place[0] != _machine():
                raise  # it may never have been here
            raise Changed.of(path, "it is gone") from None
    _same(path, stamp, stamp_of(handle.descriptor))
    return View(handle, stamp, path)


def _shown(link: str, stamp: Stamp) -> _Handle | None:
    """The file that another process of this machine has open; ``None`` where it is not shown."""
    try:
        if not link or _stamp(os.stat(link)).place != stamp.place:
            return None
        with open(link, "rb") as file:
            return _Handle(file.fileno())
    except OSError:
        return None


def confirm(path: str, stamp: Stamp) -> None:
    """Check that a file is what it was, once all of it was read, where that is not done at every reading: in a store.

    Raises:
        Changed: it is not.
        OSError: as the store says.
    """
    if is_remote(path):
        try:
            open_again(path, stamp).close()
        except FileNotFoundError:
            raise Changed.of(path, "it is gone") from None


@contextlib.contextmanager
def unchanged(path: str, stamp: Stamp) -> Iterator[Any]:
    """The file that was opened first, open.

    Raises:
        Changed: it is no longer what it was.
    """
    with open_again(path, stamp) as file:
        try:
            yield file
        except Exception:
            with contextlib.suppress(OSError, ValueError):
                confirm(path, stamp)  # says more than what became of reading two files as one
            raise
    confirm(path, stamp)


def open_whole(path: str, stamp: Stamp) -> Any:
    """As `open_again`, to be read from its beginning to its end."""
    file = open_again(path, stamp)
    return Once(file, lambda: confirm(path, stamp), last=True) if is_remote(path) else file


def watched(file: Any, title: str) -> Any:
    """An open pipe, or a file in place of one, which must stay what it is while it is read."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        return file
    first = _stamp(status)
    _rest(status)

    def check() -> None:
        _same(title, first, stamp_of(file.fileno()))

    return Once(file, check, last=False)
