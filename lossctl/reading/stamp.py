"""What a file is known by, so that nobody takes another for it, or it for what it was before it was changed."""

import contextlib
import functools
import os
import threading
import weakref
from collections import deque
from dataclasses import field
from typing import TYPE_CHECKING, Any

from lossctl.dataclass import dataclass
from lossctl.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 64
"""How many files are kept open; those opened before are opened again by name."""
HELD = 16
"""Of how many small files elsewhere the bytes are held, of those that nobody is about to read."""

_going = threading.Lock()


class Changed(DataError):
    """A file is no longer what it was when it was opened first."""

    @classmethod
    def of(cls, path: str, how: str) -> "Changed":
        """The error for a file, and how it was changed."""
        hint = "Run it again once nobody writes to the file, or read a copy, which stays as it is."
        return cls(f"{path}: was changed while it was read: {how}", hint)


class Handle:
    """An open file of this machine, closed when nobody uses it any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = os.dup(descriptor)

    def __del__(self) -> None:
        os.close(self.descriptor)

    def read(self, n: int, position: int) -> bytes:
        """Up to ``n`` bytes from a place on, for any thread; none at the end."""
        if hasattr(os, "pread"):
            return os.pread(self.descriptor, n, position)
        with _going:  # on Windows, where a file has one place for all who read it
            os.lseek(self.descriptor, position, os.SEEK_SET)
            return os.read(self.descriptor, n)


class Keeper:
    """Keeps a file open for as long as a run needs it, or until too many others were opened since.

    Args:
        handle: the open file.
        link: in another process, where Linux shows the file that the one who opened it has open.
        body: the bytes of a small file elsewhere, which are of one version.
    """

    def __init__(self, handle: Handle | None, link: str = "", body: "pa.Buffer | None" = None) -> None:
        self.handle, self.link, self.body = handle, link, body

    def __reduce__(self) -> tuple[Any, ...]:
        link = self.link if self.handle is None else f"/proc/{os.getpid()}/fd/{self.handle.descriptor}"
        return Keeper, (None, link)


_open: "deque[weakref.ref[Keeper]]" = deque()
_held: "deque[weakref.ref[Keeper]]" = deque()


def kept(handle: Handle | None, body: "pa.Buffer | None" = None) -> Keeper:
    """A keeper of an open file, or of the bytes of one; where there are too many, the first lets go of its own."""
    keeper = Keeper(handle, body=body)
    keepers, most = (_open, MOST) if body is None else (_held, HELD)
    keepers.append(weakref.ref(keeper))
    while len(keepers) > most:
        first = keepers.popleft()()
        if first is not None:
            first.handle = first.body = None
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
    touched: tuple[int, int] = (0, 0)
    """When anything about it was changed last, which nobody can set, and how many names it has. It loses one, and is
    touched, where another file takes its name. Of another machine it means nothing either."""
    keeper: Keeper | None = field(default=None, compare=False, repr=False)
    """Keeps it open."""

    def difference(self, now: "Stamp") -> str:
        """In what a file differs from what it was, in words; empty where it does not."""
        both = self.place is not None and now.place is not None and self.place[0] == now.place[0]
        if both and self.place != now.place:
            return "another file has its name now"
        touched = both and self.touched[0] != now.touched[0] and self.touched[1] == now.touched[1]
        if now.size != self.size:
            return f"it {'grew' if now.size > self.size else 'was cut'} from {self.size:,} to {now.size:,} bytes"
        return "it was written to" if touched or self.version != now.version else ""


UNKNOWN = Stamp(0, ())
"""The stamp of what can be read only once."""


def stamp_of(descriptor: int) -> Stamp:
    """The stamp of an open file of this machine."""
    return stamp_by(os.fstat(descriptor))


def stamp_by(status: os.stat_result, keeper: Keeper | None = None) -> Stamp:
    """The stamp of a file of this machine by what the system says of it."""
    place, touched = (machine(), status.st_dev, status.st_ino), (status.st_ctime_ns, status.st_nlink)
    return Stamp(status.st_size, (status.st_mtime_ns,), place, touched, keeper)


@functools.cache
def machine() -> str:
    """What tells this machine from others, and processes from those that are shown other files or devices of it."""
    boot = mounts = ""
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    with contextlib.suppress(OSError):
        mounts = os.readlink("/proc/self/ns/mnt")  # a container on the network of its machine has the name of that
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return f"{name} {boot} {mounts}"


def same(path: str, before: Stamp | None, now: Stamp) -> Stamp:
    """What a file is now; a `Changed` where it is not what it was."""
    how = before.difference(now) if before is not None else ""
    if how:
        raise Changed.of(path, how)
    return now
