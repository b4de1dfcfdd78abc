"""Text in lines, cut into pieces that can be parsed by themselves: ranges of a file, or pieces of a stream."""

from collections.abc import Callable, Iterator
from dataclasses import field, replace
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.errors import DataError, option
from lossctl.reading.cells import BadRow
from lossctl.reading.columns import Column
from lossctl.reading.counted import Counted
from lossctl.reading.format import Shard, Wanted
from lossctl.reading.line_ends import LineEnds
from lossctl.reading.location import Location
from lossctl.reading.stamp import Stamp
from lossctl.reading.stamped import unchanged
from lossctl.reading.stores import REFUSALS, unreadable
from lossctl.words import in_bytes

BOM = b"\xef\xbb\xbf"
RANGE = 1 << 23
"""Bytes of a range, and of a piece."""
FEW = 1 << 12
"""How many lines are read first where only some rows are wanted, and not the first."""


def _line_from(file: BinaryIO, offset: int, stop: int) -> int:
    """Where the first line begins that begins at or after an offset; ``stop`` where none does before."""
    offset -= 1
    file.seek(offset)
    while offset < stop and (more := file.read(1 << 12)):
        end = more.find(b"\n") + 1
        if end:
            return min(offset + end, stop)
        offset += len(more)
    return stop


class Layout(Protocol):
    """What is decided once about a text."""

    @property
    def path(self) -> str:
        """The file."""

    @property
    def title(self) -> str:
        """What messages call it."""

    @property
    def start(self) -> int:
        """Where the first line of all begins."""

    @property
    def size(self) -> int:
        """The size of the file."""

    @property
    def stamp(self) -> Stamp:
        """That of the file when it was opened first."""

    @property
    def longest(self) -> int:
        """How many bytes a line may have."""

    def ends(self) -> LineEnds:
        """What finds the ends of the lines, from the beginning of one on."""

    def parse(self, text: bytes, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows of whole lines."""


def too_long(row: int, longest: int, *, quoted: bool) -> BadRow:
    """The error for a row whose line is longer than it may be; ``quoted`` says that it ends inside quotes."""
    why = "Is a quote opened and never closed" if quoted else "Does it lack line ends"
    return BadRow(row, f"the line is longer than {in_bytes(longest)}", f"{why}? Else allow it by {option('max_line')}.")


def rows_of(text: bytes, layout: Layout, wanted: Wanted) -> Iterator[pa.RecordBatch]:
    """The rows of whole lines.

    Raises:
        BadRow: a line is longer than it may be; errors of the format besides.
    """
    if wanted.most is not None:
        yield from _first_rows(text, layout, wanted, wanted.most)
        return
    if len(text) <= layout.longest:
        yield from layout.parse(text, wanted)
        return
    line_ends = layout.ends()
    ends = line_ends.all(text)
    lengths = np.diff(ends, prepend=0, append=len(text))
    excess = np.flatnonzero(lengths > layout.longest)
    whole = text if not len(excess) else text[: ends[excess[0] - 1]] if excess[0] else b""
    rows = 0
    for batch in layout.parse(whole, wanted):
        rows += batch.num_rows
        yield batch
    if len(excess):
        raise too_long(rows, layout.longest, quoted=excess[0] == len(ends) and line_ends.inside)


def _first_rows(text: bytes, layout: Layout, wanted: Wanted, most: int) -> Iterator[pa.RecordBatch]:
    """As `rows_of`, a few lines at a time: who has enough rows stops, and what comes after these does no harm."""
    ends = [*layout.ends().all(text).tolist(), len(text)]
    wanted, step = replace(wanted, most=None), most if wanted.where is None else max(most, FEW)
    begin = rows = 0
    line = min(step, len(ends)) - 1
    while begin < len(text):
        before = rows
        try:
            for batch in rows_of(text[begin : ends[line]], layout, wanted):
                rows += batch.num_rows
                yield batch
        except BadRow as bad:
            raise BadRow(before + bad.row, bad.what, bad.hint) from None
        enough = wanted.where is None and before < rows < most
        begin, step = ends[line], most - rows if enough else 2 * step  # empty lines are no rows
        line = min(line + step, len(ends) - 1)


def pieces(read: Callable[[int], bytes], ends: LineEnds, longest: int, text: bytes = b"") -> Iterator[bytes]:
    """Text in pieces of whole lines and about 8 MiB.

    Args:
        read: gives up to so many bytes that follow; none at the end.
        ends: finds the ends of its lines.
        longest: how many bytes a line may have.
        text: what was read already.

    Raises:
        BadRow: the line after those given is longer than it may be; what ``read`` raises besides.
    """
    blocks, size, end = [text], len(text), ends.last(text)
    while True:
        try:
            while (size < RANGE or not end) and (block := read(RANGE)):
                last = ends.last(block)
                end = size + last if last else end
                blocks.append(block)
                size += len(block)
                if not end and size > longest:
                    blocks.clear()  # which who keeps the error would keep
                    raise too_long(0, longest, quoted=ends.inside)
        except BadRow:
            if end:
                yield b"".join(blocks)[:end]
            blocks.clear()
            raise
        text = b"".join(blocks)
        blocks.clear()
        if size < RANGE or not end:
            break
        yield text[:end]
        text = text[end:]
        blocks, size, end = [text], size - end, 0
    if text:
        yield text


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

    def lines(self) -> tuple[int, bytes]:
        """Where the first of the lines stands, and all of them; of a last one that is too long, enough to see it.

        Raises:
            DataError: the file cannot be read, or was changed.
        """
        layout, stop = self.layout, self.stop
        try:
            with unchanged(layout.path, layout.stamp) as file:
                # Both ends are looked for before anything is read, so that the lines are copied once.
                begin, end = layout.start, layout.size
                if self.start > layout.start:
                    begin = _line_from(file, self.start, min(stop, layout.size))
                if begin < stop < layout.size:
                    end = _line_from(file, stop, min(stop + layout.longest + 1, layout.size))
                file.seek(begin)
                return begin, bytes(file.read(max(end - begin, 0))) if begin < stop else b""
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.file, error) from None


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
        """Its rows; errors are those of `rows_of`."""
        yield from rows_of(self.text, self.layout, wanted)


@dataclass(frozen=True)
class Refused:
    """A line of a stream that was not read to its end."""

    file: str
    index: int
    reason: BadRow
    nbytes: int = 0

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:  # noqa: ARG002
        """Raise what is wrong with it, when its turn comes."""
        raise self.reason


@dataclass
class Stream:
    """Text that can only be read from its beginning to its end: a pipe, or a compressed file.

    `head` is read first, then `begin` says what parses the text, then `parts` gives it in pieces.

    Args:
        location: where it is.
        longest: how many bytes a line may have.
        layout: what parses the pieces; set by `begin`.
    """

    location: Location
    longest: int
    layout: Layout | None = None
    skip: int = 0
    """How long the header is, which belongs to no piece."""
    start: bytes = b""
    """What was read ahead of a pipe, less the header."""
    _file: Any = field(default=None, repr=False)
    _ahead: list[bytes] | None = field(default=None, repr=False)
    """What was read of a pipe for its first piece; ``None`` once that was handed out."""
    _advanced: bool = False
    """Whether more of a pipe was handed out than is kept, so that it cannot be read from its beginning."""

    def head(self, lines: int, n: int) -> bytes:
        """Its first ``n`` bytes, then ``n`` more each time, until they hold some line ends or it ends.

        Raises:
            DataError: it cannot be read, or a line is longer than it may be.
        """
        self._file = self.location.open()
        blocks: list[bytes] = []
        ended, length, header = 0, 0, 0
        try:
            while ended < lines and max(length, header) <= self.longest and (block := self._read(n)):
                header = header or (length + block.find(b"\n") if b"\n" in block else 0)
                blocks.append(block)
                ended += block.count(b"\n")
                last = block.rfind(b"\n") + 1
                length = len(block) - last + (0 if last else length)
        except BadRow as refused:  # comes again when its turn does
            if not blocks:
                raise DataError(f"{self.location.title}: row 1: {refused.what}", refused.hint) from None
        finally:
            self._close()
        if max(length, header) > self.longest:
            bad, number = too_long(0, self.longest, quoted=False), 1 if header > self.longest else ended + 1
            raise DataError(f"{self.location.title}: line {number:,}: {bad.what}", bad.hint)
        self.start = b"".join(blocks)
        return self.start

    def begin(self, layout: Layout, skip: int) -> "Stream":
        """Say what parses the pieces; the first ``skip`` bytes, the header, are left out of them."""
        self.layout, self.skip, self.start = layout, skip, self.start[skip:]
        return self

    def parts(self) -> Iterator[Shard]:
        """The pieces, in order. Of a pipe, the first piece may be had twice.

        Raises:
            DataError: the stream is damaged, or is a pipe that was read already.
        """
        if self.layout is None:
            raise TypeError("begin comes before parts")
        text = self.start
        if not self.location.pipe:
            self._file, text = self.location.open(), b""
            self._read(self.skip)
        elif self._advanced:
            what = "can be read only once, and this takes two passes"
            raise DataError(f"{self.location.title}: {what}", "Save it to a file first.")
        index, self._ahead = 0, []
        try:
            for piece in pieces(self._read_on, self.layout.ends(), self.longest, text):
                if self._ahead is not None and self.location.pipe:
                    self.start = b"".join([self.start, *self._ahead])
                self._ahead = None
                yield Piece(self.layout, piece, index)
                self._advanced = self._advanced or len(self.start) > len(piece) or index > 0
                index += 1
        except BadRow as bad:
            yield Refused(self.layout.title, index, bad.with_traceback(None))
        finally:
            self._close()

    def _read_on(self, n: int) -> bytes:
        """As `_read`; what comes before the first piece was handed out is kept."""
        block = self._read(n)
        if self._ahead is not None and self.location.pipe:
            self._ahead.append(block)
        return block

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
    counted: Counted | None = None
    """What the first line of delimited text is, where it counts its cells."""

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


def before_text(head: bytes) -> int:
    """How many bytes stand before the first line that is not empty: line ends and marks of UTF-8, in any order."""
    start = 0
    while mark := next((mark for mark in (BOM, b"\r", b"\n") if head.startswith(mark, start)), b""):
        start += len(mark)
    return start
