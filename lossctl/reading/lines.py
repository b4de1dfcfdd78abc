"""Text in lines, cut into pieces that can be parsed by themselves: ranges of a file, or pieces of a stream."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv

from lossctl.errors import DataError
from lossctl.reading.columns import Column
from lossctl.reading.format import Shard, Wanted
from lossctl.reading.location import Location
from lossctl.reading.stamp import Stamp, unchanged
from lossctl.reading.stores import REFUSALS, unreadable

BOM = b"\xef\xbb\xbf"
QUOTE, LINE_FEED, CARRIAGE_RETURN = b'"\n\r'
RANGE = 1 << 23
"""Bytes of a range, and of a piece."""


def lines_of(path: str, start: int, stop: int, *, first: int, size: int, stamp: Stamp) -> tuple[int, bytes]:
    """The lines of a file that begin in a range of bytes.

    Args:
        path: the file.
        start: the first byte of the range.
        stop: the byte after the range.
        first: where the first line of all begins.
        size: the size of the file.
        stamp: that of the file when it was opened first.

    Returns:
        Where the first of these lines stands, and all of them.
    """
    with unchanged(path, stamp) as file:
        # Both ends are looked for before anything is read, so that the lines are copied once.
        begin = first if start <= first else _line_from(file, start)
        end = size if stop >= size else _line_from(file, stop)
        file.seek(begin)
        return begin, bytes(file.read(max(end - begin, 0)))


def _line_from(file: BinaryIO, offset: int) -> int:
    """Where the first line begins that begins at or after an offset; the size of the file where none does."""
    offset -= 1
    file.seek(offset)
    while more := file.read(1 << 12):
        end = more.find(b"\n") + 1
        if end:
            return offset + end
        offset += len(more)
    return offset


class Layout(Protocol):
    """What is decided once about a text."""

    @property
    def title(self) -> str:
        """What messages call it."""

    def parse(self, text: bytes, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows of whole lines."""


@dataclass(frozen=True)
class Range:
    """The lines that begin in a range of bytes of a file; a format says how they are read."""

    layout: Layout
    start: int
    stop: int
    index: int

    @property
    def file(self) -> str:
        """What messages call it."""
        return self.layout.title

    @property
    def nbytes(self) -> int:
        """The length of the range."""
        return self.stop - self.start


@dataclass(frozen=True)
class Piece:
    """Some lines of a stream, which it holds: they cannot be read again."""

    layout: Layout
    text: bytes
    index: int

    @property
    def file(self) -> str:
        """What messages call it."""
        return self.layout.title

    @property
    def nbytes(self) -> int:
        """0, for unknown: progress counts the bytes of the file, and of a compressed one the lines are more."""
        return 0

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows; errors are those of the format."""
        yield from self.layout.parse(self.text, wanted)


@dataclass
class Stream:
    """Text that can only be read from its beginning to its end: a pipe, or a compressed file.

    `head` is read first, then `begin` says what parses the text, then `parts` gives it in pieces.

    Args:
        location: where it is.
        cut: says where the last whole line of a text ends; 0 when there is none.
        layout: what parses the pieces; set by `begin`.
    """

    location: Location
    cut: Callable[[bytes], int]
    layout: Layout | None = None
    skip: int = 0
    """How long the header is, which belongs to no piece."""
    start: bytes = b""
    """What was read ahead of a pipe, less the header."""
    _file: Any = field(default=None, repr=False)
    _advanced: bool = False
    """Whether more of a pipe was handed out than is kept, so that it cannot be read from its beginning."""

    def head(self, enough: Callable[[bytes], bool], n: int) -> bytes:
        """Its first ``n`` bytes, then ``n`` more each time, until they are ``enough`` or it ends.

        Raises:
            DataError: it cannot be read.
        """
        self._file = self.location.open()
        try:
            text = self._read(n)
            while not enough(text) and (more := self._read(n)):
                text += more
        finally:
            self._close()
        self.start = text
        return text

    def begin(self, layout: Layout, skip: int) -> "Stream":
        """Say what parses the pieces; the first ``skip`` bytes, the header, are left out of them."""
        self.layout, self.skip, self.start = layout, skip, self.start[skip:]
        return self

    def parts(self) -> Iterator[Piece]:
        """The pieces, in order. Of a pipe, the first piece may be had twice.

        Raises:
            DataError: the stream is damaged, or is a pipe that was read already.
        """
        text = self.start
        if not self.location.pipe:
            self._file, text = self.location.open(), b""
            self._read(self.skip)
        elif self._advanced:
            raise DataError(f"{self.location.title}: can be read only once", "Save it to a file first.")
        try:
            for index, piece in enumerate(self._cut(text)):
                if self.layout is None:
                    raise TypeError("begin comes before parts")
                yield Piece(self.layout, piece, index)
                self._advanced = self._advanced or len(self.start) > len(piece) or index > 0
        finally:
            self._close()

    def _cut(self, text: bytes) -> Iterator[bytes]:
        """The text that was read ahead and all that follows, in pieces of whole lines and about 8 MiB."""
        first = True
        while True:
            while (len(text) < RANGE or not self.cut(text)) and (more := self._read(max(RANGE, len(text)))):
                text += more
                if first and self.location.pipe:
                    self.start = text
            end = self.cut(text) if len(text) >= RANGE else 0
            if not end:
                break
            yield text[:end]
            first, text = False, text[end:]
        if text:
            yield text

    def _read(self, n: int) -> bytes:
        """The next ``n`` bytes, decompressed; none at the end; a `DataError` where it is damaged."""
        try:
            return bytes(self._file.read(n))
        except REFUSALS as error:
            raise unreadable(self.location.title, error) from None

    def _close(self) -> None:
        """Close the file, unless it is a pipe, which could not be opened again."""
        if not self.location.pipe:
            self._file.close()


@dataclass(frozen=True)
class TextSource:
    """An open text: ranges of a file, or pieces of a stream."""

    title: str
    columns: tuple[Column, ...]
    ranges: Callable[[], Iterator[Shard]]
    """The ranges of a file."""
    stream: Stream | None
    """The text, where it can only be read from its beginning to its end; else ``None``."""

    @property
    def files(self) -> tuple[str, ...]:
        """What messages call it."""
        return (self.title,)

    @property
    def numbers(self) -> None:
        """``None``: no row is left out."""

    @property
    def once(self) -> bool:
        """Whether shards hold their rows."""
        return self.stream is not None

    def shards(self) -> Iterator[Shard]:
        """Ranges or pieces of 8 MiB."""
        yield from self.ranges() if self.stream is None else self.stream.parts()


def last_line_end(text: bytes, delimiter: str) -> tuple[int, bool]:
    """Where the last line end outside quotes ends (0 if there is none), and whether the text ends inside quotes.

    The text begins outside quotes. A quote opens a cell only at its beginning; elsewhere in a bare cell it is a
    character like any other.
    """
    if b'"' not in text:
        return text.rfind(b"\n") + 1, False
    data = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(data == QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    doubled = np.zeros(len(opening), dtype=np.bool_)
    doubled[1:] = opening[1:] == closing[: len(opening) - 1] + 1
    before = data[opening - 1]
    at_start = (before == ord(delimiter)) | (before == LINE_FEED) | (before == CARRIAGE_RETURN) | (opening == 0)
    if not (doubled | at_start).all():
        return _last_line_end_one_by_one(text, delimiter)
    ends = np.flatnonzero(data == LINE_FEED)
    outside = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return (int(outside[-1]) + 1 if len(outside) else 0), len(quotes) % 2 == 1


def _last_line_end_one_by_one(text: bytes, delimiter: str) -> tuple[int, bool]:
    """As `last_line_end`, quote by quote: for text with quotes inside bare cells."""
    position, last, starts = 0, 0, b"\r\n" + delimiter.encode()
    while (quote := text.find(b'"', position)) >= 0:
        last = max(last, text.rfind(b"\n", position, quote) + 1)
        if quote and text[quote - 1] not in starts:
            position = quote + 1
            continue
        position = quote + 1
        while (end := text.find(b'"', position)) >= 0 and text[end + 1 : end + 2] == b'"':
            position = end + 2
        if end < 0:
            return last, True
        position = end + 1
    return max(last, text.rfind(b"\n", position) + 1), False


def before_text(head: bytes) -> int:
    """How many bytes stand before the first line that is not empty: line ends and marks of UTF-8, in any order."""
    start = 0
    while mark := next((mark for mark in (BOM, b"\r", b"\n") if head.startswith(mark, start)), b""):
        start += len(mark)
    return start
