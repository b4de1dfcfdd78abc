"""How values are worded for people: numbers rounded, text printable."""

import math
from collections.abc import Sequence
from typing import Any

from lossctl.document import BEST, Approximate, Column, Entries, Estimate, Phrase, Piece, Spelled, Words, phrase
from lossctl.rendering.digits import Aligned, Figure, aligned, written
from lossctl.words import LINE, NAME, printable

RUNNABLE = 1 << 17
"""How long a word of a command may be on Linux."""
SHOWN = 6
"""How many numbers of a vector are shown, with four digits each."""


def cells(column: Column, values: Sequence[Any], precision: int | None) -> tuple[Words, list[Words]]:
    """The heading of a column of a table and what stands below it; of a column without numbers not yet printable.

    Those of a column of numbers are of one length, so that points stand below each other where all signs are equally
    wide.

    Args:
        column: how it is written.
        values: its cells from the top: a number, a tuple of numbers, words, or ``None`` where there is no value.
        precision: significant digits where the column has none of its own; ``None`` for as many as are warranted.
    """
    if not column.right:
        return column.title, [column.missing if value is None else _word(value) for value in values]
    figures = [_figure(value, column.digits or precision) for value in values] if column.kind == "number" else []
    numbers = {place: figure for place, figure in enumerate(figures) if figure is not None}
    texts = dict(zip(numbers, written(list(numbers.values())), strict=True))
    drawn = [_drawn(value, column, texts.get(place)) for place, value in enumerate(values)]
    heading, *below = aligned([printable(column.title, room(column)), *drawn])
    return heading, [_spaced(value, text) for value, text in zip(values, below, strict=True)]


def _word(value: Any) -> Words:
    if isinstance(value, Entries):
        return ", ".join([*(f"{name} {_in_three(entry)}" for name, entry in value.named), *filter(None, [value.rest])])
    return value if isinstance(value, str | Piece | tuple) else str(value)


def _figure(value: Any, digits: int | None) -> Figure | None:
    """What is to be written of a number; ``None`` of what is none."""
    if isinstance(value, Approximate):
        return _figure(value.value, digits)
    if isinstance(value, Estimate):
        return Figure(value.value, value.standard_error, digits)
    if value is None or isinstance(value, str | Spelled | Piece | tuple):
        return None
    return Figure(float(value), None, digits)


def _drawn(value: Any, column: Column, number: str | None) -> Aligned | str:
    """A cell of a column of numbers before it is aligned.

    Args:
        value: what is in it.
        column: the column it is in.
        number: how its number is written, if it is one.
    """
    if isinstance(value, Approximate):
        return f"≈ {_brief(value.value)}" if isinstance(value.value, tuple) else Aligned.of(f"≈ {number}")
    if number is not None:
        return Aligned.of(number, mark=BEST if isinstance(value, Estimate) and value.best else "")
    if value is None:
        return printable(column.missing, room(column))
    if isinstance(value, Spelled):
        return printable(value.text, room(column))
    if isinstance(value, str | Piece) or (isinstance(value, tuple) and not _vector(value)):
        return "".join(piece.text for piece in pieces(value, room(column)))
    if isinstance(value, tuple):
        return _brief(value)
    if column.kind == "count":
        return Aligned.of(f"{value:,}")
    return Aligned.of("nan") if math.isnan(value) else Aligned.of(f"{100 * value:.3g}", " %")


def _spaced(value: Any, text: str) -> Words:
    """An aligned cell in the tones that its words have."""
    if isinstance(value, Estimate) and value.best:
        return Piece(text, "good")
    if isinstance(value, Piece) or (isinstance(value, tuple) and not _vector(value)):
        return phrase(" " * (len(text) - len(text.lstrip())), value)
    return text


def _in_three(value: float) -> str:
    """One number among others in three digits, and no exponent where as many digits stand before the point."""
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"


def _vector(value: object) -> bool:
    return isinstance(value, tuple) and not any(isinstance(part, Piece) for part in value)


def _brief(numbers: tuple[float, ...]) -> str:
    """The first few of several numbers."""
    shown = " ".join(f"{part:.4g}" for part in numbers[:SHOWN])
    return f"{shown} …" if len(numbers) > SHOWN else shown


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
