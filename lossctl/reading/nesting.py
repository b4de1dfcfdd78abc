"""How deep values stand in each other: what reads them calls itself at every level, until its stack is used up."""

import numpy as np
from numpy.typing import NDArray

from lossctl.domain import IntArray

DEEPEST = 64
"""How many levels of objects and lists a line of JSON may have; as many as an Arrow file may."""
OPENING, CLOSING, QUOTE, LINE_FEED = b'{}"\n'


def too_deep(text: bytes) -> bool:
    """Whether objects and lists stand in each other more than `DEEPEST` levels deep somewhere in JSON Lines.

    Of text that is no JSON, this holds up to its first byte that no parser would pass.
    """
    few = len(text) < 1 << 16 and text.count(b"{") + text.count(b"[") <= DEEPEST
    if few or not _may_be_deep(text):
        return False
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    data, places, opening = _brackets(text)
    quotes = np.flatnonzero(data == QUOTE)
    steps = np.where(opening, 1, -1) * (np.searchsorted(quotes, places) % 2 == 0)
    return bool(np.cumsum(steps).max(initial=0) > DEEPEST)


def _may_be_deep(text: bytes) -> bool:
    """Whether some line opens more than `DEEPEST` brackets, in text or not: hardly any does, and this is quick to see.

    Lines are taken to end where a brace closes one and another opens the next: within a line no parser passes that.
    """
    data, places, opening = _brackets(text)
    between = np.flatnonzero(~opening[:-1] & opening[1:] & (np.diff(places) == 2))
    first = between[data[places[between] + 1] == LINE_FEED] + 1
    opened = np.cumsum(opening)
    before = np.concatenate([[0], opened[first - 1], opened[-1:]])
    return bool(np.diff(before).max(initial=0) > DEEPEST)


def _brackets(text: bytes) -> tuple[NDArray[np.uint8], IntArray, NDArray[np.bool_]]:
    """The bytes of a text, where brackets and braces stand in it, and which of them open."""
    data = np.frombuffer(text, np.uint8)
    folded = data | 0x20  # in which alone a bracket differs from a brace
    places = np.flatnonzero((folded == OPENING) | (folded == CLOSING))
    return data, places, folded[places] == OPENING
