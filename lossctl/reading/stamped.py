"""Opening files so that what is read of them is what they were when a run opened them first, or is an error.

A file of this machine stays open, so what takes its name meanwhile is never read; every reading of it is checked once
its bytes are there, or, where Arrow reads by itself, once those of a batch are. Workers on other machines, and readers
of stores, open it by name and compare. A small file of a store is read whole, by one answer: what matters there is how
often one has to wait.
"""

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from lossctl.reading.readable import Readable
from lossctl.reading.stamp import UNKNOWN, Changed, Handle, Keeper, Stamp, kept, machine, same, stamp_by, stamp_of
from lossctl.reading.stores import is_remote, open_binary, version_of

PIECE = 1 << 30
"""The most bytes that are asked of the system at a time, which gives at most 2 GiB."""
ANSWER, NEEDLESS = 1 << 23, 1 << 21
"""How many bytes of a file elsewhere may come by one answer, and how many of them nobody needs: these come in the time
that one or two more answers take."""
REST = 0.01
"""Seconds since a file was written until it is read. The clock that says when it was stands still for up to so long, so
that another writing would not show; and a single large one may not be at its end."""


class View(Readable):
    """The bytes of a file of this machine, with a place of its own in them; all that is read is checked.

    Args:
        handle: the file, which others may read meanwhile.
        stamp: what it was when it was opened first.
        path: what messages call it.
    """

    def __init__(self, handle: Handle, stamp: Stamp, path: str) -> None:
        self.handle, self.stamp, self.path, self.position = handle, stamp, path, 0

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end; all for -1.

        Raises:
            Changed: the file is no longer what it was.
        """
        pieces, missing = [], sys.maxsize if n < 0 else n
        while missing and (piece := self.handle.read(min(missing, PIECE), self.position)):
            pieces.append(piece)
            missing, self.position = missing - len(piece), self.position + len(piece)
        self.check()  # only now: what was written before these bytes were there may be in them
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def check(self) -> None:
        """See that all bytes that were read so far are of the file as it was.

        Raises:
            Changed: it is no longer that.
        """
        status = os.fstat(self.handle.descriptor)
        now = status.st_size, status.st_mtime_ns, status.st_ctime_ns
        if now != (self.stamp.size, *self.stamp.version, self.stamp.touched[0]):
            same(self.path, self.stamp, stamp_by(status))

    def native(self) -> Any:
        """The same file as Arrow reads it without Python, unchecked; where the system cannot open it again, this one.

        A name would not do: the file may have lost it. What Linux shows of an open file is that file.
        """
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                return pa.OSFile(f"/proc/self/fd/{self.handle.descriptor}")
        return self

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another place."""
        position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.stamp.size}[whence]
        if position < 0:
            raise OSError(errno.EINVAL, "a place before the beginning of the file", self.path)
        self.position = position
        return self.position

    def tell(self) -> int:
        """The place of the next byte."""
        return self.position

    def seekable(self) -> bool:
        """True."""
        return True


class Once(Readable):
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
    def closed(self) -> bool:  # type: ignore[override]  # it is the file that is closed
        """Whether it is closed."""
        return bool(self.file.closed)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class Whole(pa.BufferReader):  # type: ignore[misc]  # of a library without types
    """All bytes of a small file elsewhere, which came by one answer.

    Only then the file was asked for its version, so what is read of it needs no more asking.
    """

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end; all for -1."""
        return bytes(super().read(n if n >= 0 else None))


def fetched(path: str, known: Stamp | None = None, room: Callable[[], None] = lambda: None) -> Stamp:
    """The stamp of a file elsewhere, which keeps its bytes if they come by one answer; this may wait forever.

    Args:
        path: its URL.
        known: its stamp, where the run has had it open before.
        room: called before its bytes are asked for.

    Raises:
        OSError: as the store says; it may be well when it is asked once more.
        ValueError: its bytes can only be had from the beginning to the end.
        Changed: it is not the one that is known, or is written to.
    """
    file = open_binary(path, alone=True)
    with file:
        stamp = same(path, known, _of_store(file))
        if not comes_whole(stamp.size, needed=1.0):
            return stamp
        room()
        return replace(stamp, keeper=Keeper(None, body=_whole(path, stamp, file)))


def comes_whole(size: int | None, needed: float = 0.0) -> bool:
    """Whether a file elsewhere of so many bytes is read whole, where about that share of it is needed."""
    return size is not None and 0 < size <= ANSWER and size * (1 - needed) <= NEEDLESS


def _whole(path: str, stamp: Stamp, file: Any) -> pa.Buffer:
    """All bytes of an open file elsewhere, whose version is asked for once they are here; errors as for `fetched`."""
    try:
        body: pa.Buffer = file.whole()
    except Exception:
        _say_changed(file, path, stamp)
        raise
    confirm(path, stamp, alone=file.alone)
    return body


def open_first(path: str, known: Stamp | None = None) -> tuple[Stamp, Any]:
    """The stamp of a file, `UNKNOWN` where it can only be read once, and the file, open.

    Args:
        path: a local path or URL.
        known: its stamp, where the run has had it open before, or has `fetched` it.

    Raises:
        OSError: as the file system says.
        Changed: it is not the one that is known.
    """
    if is_remote(path):
        stamp, file, body = _elsewhere(path, known)
        return stamp if body is None else replace(stamp, keeper=kept(None, body)), file
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
        handle = Handle(file.fileno())
    stamp = same(path, known, stamp_by(status, kept(handle)))
    _rest(status)
    return stamp, View(handle, stamp, path)


def _rest(status: os.stat_result) -> None:
    """Wait until a file that was written a moment ago has been at rest for `REST` seconds."""
    now = time.time()
    ages = [age for age in (now - status.st_mtime, now - status.st_ctime) if 0 <= age < REST]
    if ages:
        time.sleep(REST - min(ages))


def _of_store(file: Any) -> Stamp:
    """The stamp of an open file of a store."""
    size = int(file.seek(0, os.SEEK_END))
    file.seek(0)
    return Stamp(size, version_of(file))


def _body(stamp: Stamp) -> pa.Buffer | None:
    """The bytes of a small file elsewhere, where they are held."""
    return None if stamp.keeper is None else stamp.keeper.body


def _elsewhere(path: str, known: Stamp | None) -> tuple[Stamp, Any, pa.Buffer | None]:
    """The stamp of a file elsewhere, the file, open, and its bytes if they came now; errors as for `open_first`."""
    if known is not None and (held := _body(known)) is not None:
        return known, Whole(held), None
    file = open_binary(path)
    try:
        stamp = same(path, known, _of_store(file))
    except Changed:
        file.close()
        raise
    if not comes_whole(stamp.size):
        return stamp, file, None
    with file:
        body = _whole(path, stamp, file)
    return stamp, Whole(body), body


def open_again(path: str, stamp: Stamp) -> Any:
    """A seekable file of the bytes of a path or URL, which is the one that was opened first.

    Raises:
        OSError: as the file system says.
        Changed: the file of that name is another now, or was changed.
    """
    if is_remote(path):
        return _elsewhere(path, stamp)[1]
    handle = None if stamp.keeper is None else stamp.keeper.handle or _shown(stamp.keeper.link, stamp)
    if handle is None:
        try:
            same(path, stamp, stamp_by(os.stat(path.removeprefix("file://"))))  # opening a pipe could take forever
            with open_binary(path) as file:
                handle = Handle(file.fileno())
        except FileNotFoundError:
            if stamp.place is not None and stamp.place[0] != machine():
                raise  # it may never have been here
            raise Changed.of(path, "it is gone") from None
    same(path, stamp, stamp_of(handle.descriptor))
    return View(handle, stamp, path)


def _shown(link: str, stamp: Stamp) -> Handle | None:
    """The file that another process of this machine has open; ``None`` where it is not shown."""
    try:
        if not link or stamp_by(os.stat(link)).place != stamp.place:  # opening a pipe could take forever
            return None
        with open(link, "rb") as file:
            handle = Handle(file.fileno())
    except OSError:
        return None
    # The other process may have closed the file meanwhile, and the number be that of another one.
    return handle if stamp_of(handle.descriptor).place == stamp.place else None


def confirm(path: str, stamp: Stamp, *, alone: bool = False) -> None:
    """Check that a file is what it was, once all of it was read, where that is not done at every reading: in a store.

    Args:
        path: what is named.
        stamp: what it was.
        alone: as for `open_binary`.

    Raises:
        Changed: it is not.
        OSError: as the store says.
    """
    if is_remote(path) and _body(stamp) is None:
        try:
            with open_binary(path, alone=alone) as file:
                same(path, stamp, _of_store(file))
        except FileNotFoundError:
            raise Changed.of(path, "it is gone") from None


def _say_changed(file: Any, path: str, stamp: Stamp) -> None:
    """Raise a `Changed` where an open file is no longer what it was: that says more than what came of reading two."""
    with contextlib.suppress(OSError, ValueError):
        check(file)
        confirm(path, stamp)


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
            if not isinstance(file, Whole):
                _say_changed(file, path, stamp)
            raise
    if not isinstance(file, Whole):
        confirm(path, stamp)


def natively(file: Any) -> Any:
    """What Arrow reads the bytes of an open file from; who has it do so has to `check` the file before they count."""
    return file.native() if isinstance(file, View) else file


def check(file: Any) -> None:
    """As `View.check`; a file that checks at every reading, or at its end, has no need of it."""
    if isinstance(file, View):
        file.check()


def open_whole(path: str, stamp: Stamp) -> Any:
    """As `open_again`, to be read from its beginning to its end."""
    file = open_again(path, stamp)
    checked = not is_remote(path) or isinstance(file, Whole)
    return file if checked else Once(file, lambda: confirm(path, stamp), last=True)


def watched(file: Any, title: str) -> Any:
    """An open pipe, or a file in place of one, which must stay what it is while it is read."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        return file
    first = stamp_by(status)
    _rest(status)

    def check() -> None:
        same(title, first, stamp_of(file.fileno()))

    return Once(file, check, last=False)
