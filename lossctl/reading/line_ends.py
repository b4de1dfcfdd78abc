"""Where the lines of a text end, which comes a block at a time: no byte is looked at twice, whatever it holds."""

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lossctl.domain import BoolArray, IntArray

QUOTE, LINE_FEED, CARRIAGE_RETURN = b'"\n\r'
BLOCK = 1 << 20
"""Bytes that are looked at together: what is noted of a byte takes many times its place."""
QUOTED = re.compile(rb'(?:[^"]++|"")*+')
"""What stands in quotes, up to the quote that closes them."""


@dataclass
class LineEnds:
    """The ends of the lines of one text, whose blocks are given in order; it begins outside quotes.

    A line feed inside quotes ends no line. A quote opens a cell only at its beginning; elsewhere in a bare cell it is a
    character like any other.
    """

    delimiter: str | None = None
    """What separates cells that may stand in quotes; ``None`` where quotes mean nothing."""
    inside: bool = field(default=False, init=False)
    """Whether what was given ends inside quotes."""
    _before: int = field(default=LINE_FEED, init=False)
    """The last byte that was given."""
    _closed: bool = field(default=False, init=False)
    """Whether that is a quote that closes a cell, or is half of a doubled one."""

    def last(self, text: bytes) -> int:
        """Where the last line of the next block of text ends; 0 where none does."""
        if self.delimiter is None or not (self.inside or b'"' in text):
            self._pass(text, closed=False)
            return text.rfind(b"\n") + 1
        return max((start + int(ends[-1]) for start, ends in self._blocks(text) if len(ends)), default=0)

    def all(self, text: bytes) -> IntArray:
        """Where the lines of the next block of text end."""
        return np.concatenate([np.zeros(0, np.int64), *(start + ends for start, ends in self._blocks(text))])

    def _blocks(self, text: bytes) -> list[tuple[int, IntArray]]:
        """Where blocks of a text begin, and where in each of them lines end."""
        return [(start, self._ends(text[start : start + BLOCK])) for start in range(0, len(text), BLOCK)]

    def _ends(self, block: bytes) -> IntArray:
        data = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(data == LINE_FEED)
        if self.delimiter is None:
            return ends + 1
        quotes = np.flatnonzero(data == QUOTE)
        if not self._opens(data, quotes).all():
            quotes = self._one_by_one(block)
        outside = (np.searchsorted(quotes, ends) + self.inside) % 2 == 0
        self.inside = (len(quotes) + self.inside) % 2 == 1
        self._pass(block, closed=len(quotes) > 0 and quotes[-1] == len(block) - 1 and not self.inside)
        return np.asarray(ends[outside] + 1)

    def _pass(self, block: bytes, *, closed: bool) -> None:
        """Note how a block ends."""
        if block:
            self._before, self._closed = block[-1], closed

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

    def _one_by_one(self, block: bytes) -> IntArray:
        """The quotes that open or close a cell, cell by cell: for text with quotes inside bare cells."""
        bare_end = re.compile(b"[\r\n" + re.escape(bytes([self._separator])) + b"]")
        starts = {self._separator, LINE_FEED, CARRIAGE_RETURN}
        quotes, position, inside = [], 0, self.inside
        if self._closed and block.startswith(b'"'):  # the other half of a doubled one
            quotes, position, inside = [0], 1, True
        while True:
            if inside:
                quote = QUOTED.match(block, position).end()  # type: ignore[union-attr]  # it matches nothing at least
                if quote == len(block):
                    break
                inside = False
            else:
                quote = block.find(b'"', position)
                if quote < 0:
                    break
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


def closes(text: bytes, delimiter: str) -> bool:
    """Whether a text of whole cells, which begins outside quotes, ends outside quotes."""
    ends = LineEnds(delimiter)
    ends.last(text)
    return not ends.inside
