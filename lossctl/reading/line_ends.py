"""Where the lines of a text end, which comes a block at a time: no byte is looked at twice, whatever it holds."""

import re
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, IntArray

LINE_FEED, CARRIAGE_RETURN = b"\n\r"
BLOCK = 1 << 20
"""Bytes that are looked at together: what is noted of a byte takes many times its place."""
QUOTED = {quote: rb"(?:[^%b]++|%b%b)*+" % ((quote,) * 3) for quote in (b'"', b"'")}
"""What stands in quotes, up to the quote that closes them."""


@dataclass
class LineEnds:
    """The ends of the lines of one text, whose blocks are given in order; it begins outside quotes.

    A line feed inside quotes ends no line. A quote opens a cell only at its beginning; elsewhere in a bare cell, and in
    a comment, it is a character like any other.
    """

    delimiter: str | None = None
    """What separates cells that may stand in quotes; ``None`` where quotes mean nothing."""
    quote: str = '"'
    comment: str | None = None
    """How a line begins that is none, one character."""
    inside: bool = field(default=False, init=False)
    """Whether what was given ends inside quotes."""
    misplaced: int | None = field(default=None, init=False)
    """Where text first follows the quote that closes a cell, in a text that was given at once."""
    _before: int = field(default=LINE_FEED, init=False)
    """The last byte that was given."""
    _closed: bool = field(default=False, init=False)
    """Whether that is a quote that closes a cell, or is half of a doubled one."""
    _commented: bool = field(default=False, init=False)
    """Whether what was given ends inside a comment."""

    def last(self, text: bytes) -> int:
        """Where the last line of the next block of text ends; 0 where none does."""
        if self.delimiter is None or not (self.inside or self._quote in text):
            end = text.rfind(b"\n") + 1
            self._pass(text, end, closed=False)
            return end
        last = 0
        for start in range(0, len(text), BLOCK):
            block, inside = text[start : start + BLOCK], self.inside
            quotes, end = self._quotes(block, start), block.rfind(b"\n") + 1
            if (np.searchsorted(quotes, end) + inside) % 2 == 1:
                end = int(_outside(block, quotes, inside=inside).max(initial=0))
            self._pass(block, end, closed=self._closes(block, quotes))
            last = start + end if end else last
        return last

    def all(self, text: bytes) -> IntArray:
        """Where the lines of the next block of text end."""
        ends = [start + self._ends(text[start : start + BLOCK], start) for start in range(0, len(text), BLOCK)]
        return np.concatenate([np.zeros(0, np.int64), *ends])

    def _ends(self, block: bytes, start: int) -> IntArray:
        if self.delimiter is None:
            return _outside(block, np.zeros(0, np.int64), inside=False)
        inside = self.inside
        quotes = self._quotes(block, start)
        ends = _outside(block, quotes, inside=inside)
        self._pass(block, int(ends.max(initial=0)), closed=self._closes(block, quotes))
        return ends

    def _quotes(self, block: bytes, start: int) -> IntArray:
        """Where quotes open or close a cell; which of them are wrong, and whether the block ends inside, is noted."""
        data = np.frombuffer(block, np.uint8)
        quotes = np.flatnonzero(data == ord(self.quote))
        if self._comments(block) or not self._opens(data, quotes).all():
            quotes = self._one_by_one(block)
        if self.misplaced is None:
            self._close(data, quotes, start)
        self.inside = (len(quotes) + self.inside) % 2 == 1
        return quotes

    def _closes(self, block: bytes, quotes: IntArray) -> bool:
        """Whether the last byte of a block is a quote that closes a cell, or is half of a doubled one."""
        return len(quotes) > 0 and quotes[-1] == len(block) - 1 and not self.inside

    def _pass(self, block: bytes, end: int, *, closed: bool) -> None:
        """Note how a block ends; ``end`` is where its last line does, 0 where none does."""
        if self.comment is not None and not self.inside and end < len(block):
            begins = end > 0 or self._before == LINE_FEED
            self._commented = block[end] == ord(self.comment) if begins else self._commented
        elif block:
            self._commented = False
        if block:
            self._before, self._closed = block[-1], closed

    def _comments(self, block: bytes) -> bool:
        """Whether a block may hold a part of a comment."""
        return self.comment is not None and (self._commented or self.comment.encode() in block)

    def _close(self, data: NDArray[np.uint8], quotes: IntArray, start: int) -> None:
        """Note the first quote that closes a cell, or would, and has text behind it."""
        after = quotes[1 - int(self.inside) :: 2] + 1
        if self._closed:
            after = np.concatenate([[0], after])
        after = after[after < len(data)]
        behind = data[after]
        allowed = (behind == self._separator) | (behind == LINE_FEED) | (behind == CARRIAGE_RETURN)
        wrong = np.flatnonzero(~(allowed | (behind == ord(self.quote))))
        if len(wrong):
            self.misplaced = start + int(after[wrong[0]])

    def _opens(self, data: NDArray[np.uint8], quotes: IntArray) -> BoolArray:
        """Of every second quote, whether it can open a cell, if those between close it: all do, but for bare cells."""
        opening = quotes[int(self.inside) :: 2]
        previous = np.concatenate([[-1 if self._closed else -2], quotes])[int(self.inside) :: 2][: len(opening)]
        before = data[opening - 1]
        before[opening == 0] = self._before
        at_start = (before == self._separator) | (before == LINE_FEED) | (before == CARRIAGE_RETURN)
        return np.asarray(at_start | (opening == previous + 1))

    @property
    def _separator(self) -> int:
        return ord(self.delimiter or "\0")

    @property
    def _quote(self) -> bytes:
        return self.quote.encode()

    def _one_by_one(self, block: bytes) -> IntArray:
        """The quotes that open or close a cell, cell by cell: for text with quotes inside bare cells."""
        inner = re.compile(QUOTED[self._quote])
        bare_end = re.compile(b"[\r\n" + re.escape(bytes([self._separator])) + b"]")
        starts = {self._separator, LINE_FEED, CARRIAGE_RETURN}
        quotes, position, inside = [], 0, self.inside
        if self._closed and block.startswith(self._quote):  # the other half of a doubled one
            quotes, position, inside = [0], 1, True
        elif self._commented:
            position = block.find(b"\n") + 1 or len(block)
        while True:
            if inside:
                quote = inner.match(block, position).end()  # type: ignore[union-attr]  # it matches nothing at least
                if quote == len(block):
                    break
                inside = False
            else:
                quote = block.find(self._quote, position)
                if quote < 0:
                    break
                if self._in_comment(block, position, quote):
                    position = block.find(b"\n", quote) + 1 or len(block)
                    continue
                if (block[quote - 1] if quote else self._before) not in starts:
                    separator = bare_end.search(block, quote)
                    if separator is None:
                        break
                    position = separator.start()
                    continue
                inside = True
            quotes.append(quote)
            position = quote + 1
        return np.array(quotes, np.int64)

    def _in_comment(self, block: bytes, position: int, quote: int) -> bool:
        """Whether a quote stands in a line that is a comment; ``position`` is before it and outside quotes."""
        if self.comment is None:
            return False
        line = block.rfind(b"\n", position, quote) + 1
        begins = line > 0 or position == 0 or block[position - 1] == LINE_FEED
        line = line or position
        return begins and (line > 0 or self._before == LINE_FEED) and block[line] == ord(self.comment)


def _outside(block: bytes, quotes: IntArray, *, inside: bool) -> IntArray:
    """Where the lines of a block end.

    Args:
        block: some text.
        quotes: where a quote opens or closes a cell.
        inside: whether the block begins inside quotes.
    """
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == LINE_FEED)
    return np.asarray(ends[(np.searchsorted(quotes, ends) + inside) % 2 == 0] + 1)
