"""A JSON array of objects as lines, one an element, however it is laid out: what reads lines need not hold it whole."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.dataclass import dataclass
from lossctl.domain import IntArray
from lossctl.reading.cells import BadRow

BLOCK = 1 << 20
"""Bytes that are looked at together."""
BEFORE = re.compile(rb"(?:\xef\xbb\xbf|[ \t\r\n]+)*+")
"""What may stand before an array: a mark of UTF-8, space."""
OPENING, CLOSING, OBJECT, COMMA, QUOTE, LINE_FEED = b'{}{,"\n'
SPACE = np.zeros(256, np.bool_)
SPACE[list(b" \t\r\n")] = True
NO_ENDS = bytes.maketrans(b"\r\n", b"  ")
OBJECTS = 'Write an array of objects, or one object a line: pandas, to_json(orient="records", lines=True).'
WHOLE = "Is the file whole?"


@dataclass
class ArrayLines:
    """An open text, whose elements come a line each where it is an array; any other text comes as it is.

    A `BadRow` is raised where the array is broken, once what stands before that was read, and each time from then on;
    its row is the one after those that came.
    """

    file: Any
    is_array: bool | None = None
    """Whether it is an array, which is known once something was read."""
    level: int = 0
    """How many brackets of an element are open."""
    inside: int = 0
    """1 inside quotes, else 0."""
    commas: int = 1
    """How many commas stood since the last element; before the first as if one had."""
    elements: bool = False
    """Whether an element began."""
    ended: bool = False
    """Whether the array did."""
    held: bytes = b""
    """What was read and not passed on."""
    refusal: BadRow | None = None

    def read(self, n: int) -> bytes:
        """Some of what follows: of an array about ``n`` bytes, of other text so many; none at the end."""
        if self.is_array is None and n:
            self._begin()
        if not self.is_array:
            text, self.held = self.held[:n], self.held[n:]
            return text + bytes(self.file.read(n - len(text))) if len(text) < n else text
        while self.refusal is None:
            block = bytes(self.file.read(min(n, BLOCK)))
            more = block or self.held
            lines = self._turned(block) if more else self._last()
            if lines or not more:
                return lines
        raise self.refusal

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _begin(self) -> None:
        """Tell by the first sign what the text is."""
        text = bytes(self.file.read(64))
        while len(text) < BLOCK and not begins(text) and (more := bytes(self.file.read(1 << 12))):
            text += more
        self.is_array = begins(text) == b"["
        self.held = BEFORE.sub(b"", text, 1)[1:] if self.is_array else text

    def _last(self) -> bytes:
        """What to pass on at the end of the file: of an element that has no end, nothing."""
        if self.ended:
            return b""
        whole = self.elements and not self.level and not self.commas
        what = (
            "not JSON: a quote is never closed" if self.inside else "the array is not closed: there is no ] at the end"
        )
        self.refusal = BadRow(0, what, WHOLE)
        if not whole:
            raise self.refusal
        return b"\n"

    def _turned(self, block: bytes) -> bytes:
        """The next block of an array as lines."""
        data, self.held = self.held + block, b""
        if block and data.endswith(b"\\") and (len(data) - len(data.rstrip(b"\\"))) % 2:
            data, self.held = data[:-1], data[-1:]
        if self.ended:
            return self._after(data)
        plain = data.replace(b"\\\\", b"  ").replace(b'\\"', b"  ") if b"\\" in data else data
        signs = np.frombuffer(plain, np.uint8)
        quotes = np.flatnonzero(signs == QUOTE)
        folded = signs | 0x20  # in which alone a bracket differs from a brace
        places = self._outside(np.flatnonzero((folded == OPENING) | (folded == CLOSING)), quotes)
        opening = folded[places] == OPENING
        levels = self.level + np.cumsum(np.where(opening, 1, -1))
        stop, refusal = self._unbroken(data, signs, quotes)
        closing = np.flatnonzero(levels < 0)
        if len(closing) and places[closing[0]] < stop:
            stop, refusal = int(places[closing[0]]), None
            self.ended = True
        kept = int(np.searchsorted(places, stop))
        places, opening, levels = places[:kept], opening[:kept], levels[:kept]
        starts, ends = places[opening & (levels == 1)], places[~opening & (levels == 0)] + 1
        commas, what = self._between(signs, starts, ends, stop)
        if what:
            bad = int(commas[0])
            commas, _ = self._between(signs, starts[starts < bad], ends[ends <= bad], bad)
            stop, self.ended = bad, False
        lines = np.frombuffer(bytearray(data.translate(NO_ENDS)), np.uint8)
        lines[commas] = LINE_FEED
        if what:
            self.refusal = BadRow(0, f"{what}: {_shown(data[stop:])}", OBJECTS)
            return bytes(lines[:stop]) + b"\n" if self.elements else b""
        self.level = int(levels[-1]) if kept else self.level
        self.inside = (len(quotes) + self.inside) % 2
        if self.ended:
            return self._end(data, lines, stop)
        self.refusal = refusal
        return bytes(lines[:stop])

    def _outside(self, places: IntArray, quotes: IntArray) -> IntArray:
        """Those of some places in a block that are outside quotes."""
        return np.asarray(places[(np.searchsorted(quotes, places) + self.inside) % 2 == 0])

    def _unbroken(self, data: bytes, signs: NDArray[np.uint8], quotes: IntArray) -> tuple[int, BadRow | None]:
        """How far a block goes until a line ends inside quotes, and what is wrong there."""
        if b"\n" not in data:
            return len(data), None
        feeds = np.flatnonzero(signs == LINE_FEED)
        within = feeds[(np.searchsorted(quotes, feeds) + self.inside) % 2 == 1]
        if not len(within):
            return len(data), None
        what = "a line ends inside a string, or a quote is never closed"
        return int(within[0]), BadRow(0, f"not JSON: {what}", "Write a line end inside a string as \\n.")

    def _between(self, signs: NDArray[np.uint8], starts: IntArray, ends: IntArray, stop: int) -> tuple[IntArray, str]:
        """Where commas stand between the elements of a block, and what is wrong; if something is, then where.

        Args:
            signs: the block.
            starts: where elements begin.
            ends: where elements end.
            stop: where the block does.
        """
        begins = ends if self.level else np.concatenate([np.zeros(1, np.int64), ends])
        finishes = np.concatenate([starts, [stop]])[: len(begins)]
        lengths = finishes - begins
        gaps = np.repeat(np.arange(len(begins)), lengths)
        places = np.arange(len(gaps)) + np.repeat(begins - (np.cumsum(lengths) - lengths), lengths)
        within = ~SPACE[signs[places]]
        gaps, places = gaps[within], places[within]
        counts = np.bincount(gaps, minlength=len(begins))
        if len(begins) and not self.level:
            counts[0] += self.commas
        later = np.arange(len(gaps)) - np.searchsorted(gaps, gaps)
        if len(gaps) and gaps[0] == 0 and not self.level:
            later[gaps == 0] += self.commas
        faults = {
            "an element of the array is no object": places[signs[places] != COMMA],
            "not JSON: a comma with nothing before it": places[(signs[places] == COMMA) & (later > 0)],
            "not JSON: no comma before an element": starts[counts[: len(starts)] == 0],
            "an element of the array is a list": starts[signs[starts] != OBJECT],
        }
        first, what = min(((int(at[0]), what) for what, at in faults.items() if len(at)), default=(0, ""))
        if what:
            return np.array([first]), what
        trailing = len(begins) > len(starts)
        self.commas = int(counts[-1]) if trailing else 0
        self.elements = self.elements or len(starts) > 0
        return places, ""

    def _end(self, data: bytes, lines: NDArray[np.uint8], stop: int) -> bytes:
        """The last lines of an array whose last bracket stands at ``stop``."""
        if data[stop : stop + 1] != b"]":
            self.refusal = BadRow(0, "not JSON: the array ends with } in place of ]", WHOLE)
        elif self.commas and self.elements:
            self.refusal = BadRow(0, "not JSON: a comma after the last element", OBJECTS)
        return bytes(lines[:stop]) + b"\n" + self._after(data[stop + 1 :])

    def _after(self, data: bytes) -> bytes:
        """Nothing, for what stands behind an array; a refusal follows where that is more than space."""
        if data.strip() and self.refusal is None:
            self.refusal = BadRow(0, f"after the end of the array comes {_shown(data.strip())}", WHOLE)
        return b""


def begins(text: bytes) -> bytes:
    """The first sign of a text that is no space; none where there is none."""
    place = BEFORE.match(text).end()  # type: ignore[union-attr]  # it matches nothing at least
    return text[place : place + 1]


def _shown(data: bytes) -> str:
    """The beginning of a piece of JSON."""
    text = data[:40].decode(errors="replace").strip()
    return repr(text if len(data) <= 40 else text + "…")
