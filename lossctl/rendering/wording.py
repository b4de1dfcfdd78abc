"""How values are worded for people: numbers rounded, text printable."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from lossctl.document import BEST, Approximate, Cells, Column, Entries, Estimates, Phrase, Piece, Spelled, Words, phrase
from lossctl.rendering.digits import aligned, point, points, written
from lossctl.words import LINE, NAME, printable

if TYPE_CHECKING:
    from lossctl.domain import BoolArray

Drawn: TypeAlias = tuple[list[str], list[int | None]]
"""Texts of a column before they are aligned, and where the point of each stands; ``None`` of words."""

RUNNABLE = 1 << 17
"""How long a word of a command may be on Linux."""
SHOWN = 6
"""How many numbers of a vector are shown, with four digits each."""


def cells(column: Column, values: Cells, precision: int | None) -> tuple[Words, Sequence[Words]]:
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
    digits = column.digits or precision
    if column.kind == "number" and not isinstance(values, Estimates) and {*map(type, values)} == {float}:
        values = Estimates.of(values, [math.nan] * len(values))
    if isinstance(values, Estimates):
        texts, ends = _estimated(values, digits, printable(column.missing, room(column)))
    elif column.kind == "count" and {*map(type, values)} == {int}:
        counts = {value: f"{value:,}" for value in {*values}}
        texts = [counts[value] for value in values]
        ends = [*map(len, texts)]
    else:
        texts, ends = _drawn(values, column, digits)
    heading, *below = aligned([printable(column.title, room(column)), *texts], [None, *ends])
    if not isinstance(values, Estimates):
        return heading, [_spaced(value, text) for value, text in zip(values, below, strict=True)]
    words: list[Words] = [*below]
    for place in _places(values.best):
        words[place] = Piece(below[place], "good")
    return heading, words


def _word(value: Any) -> Words:
    if isinstance(value, Entries):
        return ", ".join([*(f"{name} {_in_three(entry)}" for name, entry in value.named), *filter(None, [value.rest])])
    return value if isinstance(value, str | Piece | tuple) else str(value)


def _estimated(values: Estimates, digits: int | None, missing: str) -> Drawn:
    """As `_drawn`; ``missing`` is what stands where there is no number."""
    known = values if values.missing is None else values[~values.missing]
    texts = written(known.value, known.standard_error, digits)
    ends: list[int | None] = [*points(texts)]
    for place in _places(known.best):
        texts[place] += BEST
    if values.missing is None:
        return texts, ends
    pairs = zip(texts, ends, strict=True)
    cells = [(missing, None) if gone else next(pairs) for gone in values.missing.tolist()]
    return [text for text, _ in cells], [end for _, end in cells]


def _places(chosen: "BoolArray | None") -> list[int]:
    return [] if chosen is None else chosen.nonzero()[0].tolist()


def _drawn(values: Sequence[Any], column: Column, digits: int | None) -> Drawn:
    """The texts of a column of numbers before they are aligned, and where the point of each stands, if it has one."""
    known: dict[int, str] = {}
    if column.kind == "number":
        numbers = {place: number for place, value in enumerate(values) if (number := _number(value)) is not None}
        known = dict(zip(numbers, written([*numbers.values()], digits=digits), strict=True))
    cells = [_cell(value, column, known.get(place)) for place, value in enumerate(values)]
    return [text for text, _ in cells], [end for _, end in cells]


def _number(value: Any) -> float | None:
    """The number that a cell is; ``None`` of what is none."""
    if isinstance(value, Approximate):
        return _number(value.value)
    return None if value is None or isinstance(value, str | Spelled | Piece | tuple) else float(value)


def _cell(value: Any, column: Column, number: str | None) -> tuple[str, int | None]:
    """A cell of a column of numbers before it is aligned, and where its point stands, if it has one.

    Args:
        value: what is in it.
        column: the column it is in.
        number: how its number is written, if it is one.
    """
    if isinstance(value, Approximate):
        text = f"≈ {_brief(value.value) if isinstance(value.value, tuple) else number}"
        return text, None if number is None else point(text)
    if number is not None:
        return number, point(number)
    if value is None:
        return printable(column.missing, room(column)), None
    if isinstance(value, Spelled):
        return printable(value.text, room(column)), None
    if isinstance(value, str | Piece) or (isinstance(value, tuple) and not _vector(value)):
        return "".join(piece.text for piece in pieces(value, room(column))), None
    if isinstance(value, tuple):
        return _brief(value), None
    if column.kind == "count":
        return f"{value:,}", point(f"{value:,}")
    share = "nan" if math.isnan(value) else f"{100 * value:.3g}"
    return share if math.isnan(value) else f"{share} %", point(share)


def _spaced(value: Any, text: str) -> Words:
    """An aligned cell in the tones that its words have."""
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
