"""How values are worded for people: numbers rounded, text printable."""

import math
from typing import Any

from lossctl.document import Approximate, Column, Entries, Phrase, Piece, Words, phrase
from lossctl.words import LINE, NAME, printable

RUNNABLE = 1 << 17
"""How long a word of a command may be on Linux."""
SHOWN = 6
"""How many numbers of a vector are shown, with four digits each."""


def cell(value: Any, column: Column, precision: int) -> Words:
    """What stands in a cell of a table; not yet printable.

    Args:
        value: a number, a tuple of numbers, words, or ``None`` where there is no value.
        column: the column it is in, which says how it is written.
        precision: significant digits where the column has none of its own.
    """
    if value is None:
        return column.missing
    if isinstance(value, str | Piece | tuple) and not _vector(value):
        return value
    if isinstance(value, Entries):
        return ", ".join([*(f"{name} {_brief(entry)}" for name, entry in value.named), *filter(None, [value.rest])])
    if isinstance(value, Approximate):
        return f"≈ {number(value.value, column.digits or precision)}"
    if column.kind == "count":
        return f"{value:,}"
    if column.kind == "share":
        return "nan" if math.isnan(value) else f"{100 * value:.3g} %"
    return number(value, column.digits or precision)


def _brief(value: float) -> str:
    """One number among others in three digits, and no exponent where as many digits stand before the point."""
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"


def _vector(value: object) -> bool:
    return isinstance(value, tuple) and not any(isinstance(part, Piece) for part in value)


def number(value: float | tuple[float, ...], digits: int) -> str:
    """A number in full, or the first few of several in brief."""
    if not isinstance(value, tuple):
        return f"{value:.{digits}g}"
    numbers = " ".join(f"{part:.4g}" for part in value[:SHOWN])
    return f"{numbers} …" if len(value) > SHOWN else numbers


def pieces(words: Words, most: int = LINE, *, brief: bool = False) -> Phrase:
    """Printable pieces of words: no control character is left, and a line ends only where a piece says so.

    Args:
        words: what to write.
        most: how many signs of a piece are shown; of a command, as many as could be run.
        brief: whether pieces that have a brief form are written in it.
    """
    return tuple(
        Piece(
            printable(
                piece.text if piece.brief is None or not brief else piece.brief,
                RUNNABLE if piece.tone == "command" else most,
            ),
            piece.tone,
            ends=piece.ends,
        )
        for piece in phrase(words)
    )


def room(column: Column) -> int:
    """How many signs of a cell are shown."""
    return NAME if column.kind == "name" else LINE
