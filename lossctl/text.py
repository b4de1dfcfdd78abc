"""Text in lines, cut into pieces that can be parsed by themselves: ranges of a file, or pieces of a stream."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pyarrow as pa

from lossctl.errors import DataError
from lossctl.location import STDIN, Location, open_binary, unreadable

RANGE = 1 << 23
"""Bytes of a range, and of a piece."""

Part = TypeVar("Part")


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
    with open_binary(path) as file:
        before = start > first
        file.seek(start - before)
        text = file.read(stop - start + before)
        if before:
            # The line that holds the byte before the range belongs to the range before.
            skipped = text.find(b"\n") + 1
            if not skipped:
                return stop, b""
            start, text = start - 1 + skipped, text[skipped:]
        while text and stop < size and not text.endswith(b"\n"):
            more = file.read(1 << 16)
            end = more.find(b"\n") + 1
            text += more[:end] if end else more
            if end or not more:
                break
        return start, bytes(text)


@dataclass
class Stream(Generic[Part]):
    """Text that is read from its beginning to its end: a pipe, or a compressed file.

    Args:
        location: where it is.
        cut: where the last whole line of a text ends; 0 when there is none.
        part: what to make of a piece of whole lines and its number.
    """

    location: Location
    cut: Callable[[bytes], int]
    part: Callable[[bytes, int], Part]
    start: bytes = b""
    """What was read ahead, less the header."""
    _file: Any = field(default=None, repr=False)
    _advanced: bool = False
    _ended: bool = False
    _skip: int = 0

    def head(self, enough: Callable[[bytes], bool], n: int) -> bytes:
        """Its first ``n`` bytes, or as many more as are ``enough``."""
        self._file = self.location.open()
        text = self.read(n)
        while not enough(text) and (more := self.read(n)):
            text += more
        self.start = text
        return text

    def begin(self, skip: int) -> None:
        """Leave the first ``skip`` bytes, the header, out of the pieces."""
        self._skip, self.start = skip, self.start[skip:]

    @contextlib.contextmanager
    def closed_unless(self, kept: bool) -> Iterator[None]:  # noqa: FBT001
        """Close the stream after a block that fails, and after one that does not unless it is ``kept``."""
        try:
            yield
        except BaseException:
            self.close()
            raise
        if not kept:
            self.close()

    def close(self) -> None:
        """Read no more; the file is closed, unless it is stdin."""
        self._ended = True
        if self._file is not None and self.location.path != STDIN:
            self._file.close()

    def read(self, n: int) -> bytes:
        """The next bytes.

        Raises:
            DataError: the stream is damaged or ends in its midst.
        """
        if self._ended:
            return b""
        try:
            text = bytes(self._file.read(n))
            if not text:
                self.close()
            return text
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.location.title, error) from None

    def parts(self) -> Iterator[Part]:
        """The pieces, in order.

        Raises:
            DataError: the stream was read already, and cannot be read again.
        """
        if self._advanced:
            if self.location.pipe:
                raise DataError(f"{self.location.title}: can be read only once", "Save it to a file first.")
            self._file, self._advanced, self._ended = self.location.open(), False, False
            self.start = b""
            self.read(self._skip)
        text, index = self.start, 0
        while True:
            while len(text) < RANGE and (more := self.read(RANGE - len(text))):
                text += more
                self.start = text if index == 0 else b""
            if len(text) < RANGE:
                break
            end = self.cut(text)
            while not end and (more := self.read(len(text))):
                text += more
                self.start = text if index == 0 else b""
                end = self.cut(text)
            if not end:
                break
            yield self.part(text[:end], index)
            self._advanced = True
            text, index = text[end:], index + 1
        if text:
            yield self.part(text, index)
