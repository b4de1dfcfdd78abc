"""Numbers as people read them: rounded where their standard error says, in one style a column, aligned at the point."""

import math
from collections.abc import Sequence
from typing import NamedTuple

USUAL = 6
"""Significant digits of a number that nothing is known about."""
MOST = 10
"""Significant digits that a standard error may warrant, however small it is."""
EXACT = 15
"""Digits that any decimal number keeps as a double: 1e-06 is one of these, not 9.9999999999999995e-07."""
LONG = 6
"""More digits before the point are written with an exponent, where no more digits are asked for."""
LONGEST = 10
"""The same for a column that has small numbers as well, such as the mse and the mae of prices."""
SMALLEST = -4
"""The power of ten below which the largest number of a column has an exponent."""
DECIMALS = 12
"""Digits behind the point beyond which a column has exponents, where no more digits are asked for."""


class Figure(NamedTuple):
    """A number that is to be written.

    Args:
        value: the number, which may be no finite one.
        error: its standard error; ``None`` where it has none.
        digits: how many significant digits; ``None`` for as many as the standard error warrants.
    """

    value: float
    error: float | None = None
    digits: int | None = None

    @property
    def warranted(self) -> bool:
        """Whether the standard error says where the digits end: then zeros at the end are digits like others."""
        return self.digits is None and self.error is not None and 0.0 < self.error < math.inf

    @property
    def place(self) -> int:
        """The power of ten of its last digit: the second of the standard error, or the last that is significant."""
        if self.warranted:
            place = exponent(self.error or 0.0, 2) - 1
            return max(place, exponent(self.value, MOST) - MOST + 1) if self.value else place
        digits = self.digits or USUAL
        return exponent(self.value, digits) - digits + 1

    def fixed(self) -> str:
        """The number without an exponent."""
        place = self.place
        text = f"{self.value:.{-place}f}" if place < 0 else f"{_rounded(self.value, place):.0f}"
        return _signed(text if self.warranted or "." not in text else text.rstrip("0").rstrip("."))

    def scientific(self) -> str:
        """The number with an exponent; 0 as it is."""
        if not self.warranted:
            text = f"{self.value:.{(self.digits or USUAL) - 1}e}"
        else:
            place = self.place
            value = _rounded(self.value, place)
            text = f"{value:.{max(exponent(value, EXACT) - place, 0)}e}"
        if float(text) == 0.0:
            return "0"
        mantissa, _, power = text.partition("e")
        if not self.warranted and "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{power}"


def written(figures: Sequence[Figure]) -> list[str]:
    """The numbers of a column: all with an exponent, where one is too large or too small to be read without."""
    finite = [figure for figure in figures if math.isfinite(figure.value)]
    plain = {id(figure): figure.fixed() for figure in finite}
    tops = [exponent(float(text), EXACT) for text in plain.values() if float(text) != 0.0]
    digits = max((figure.digits or 0 for figure in figures), default=0)
    decimals = max((len(text.partition(".")[2]) for text in plain.values()), default=0)
    longest = LONGEST if min(tops, default=0) < LONG - 1 else LONG
    readable = not tops or SMALLEST <= max(tops) < max(longest, digits)
    if not readable or decimals > max(DECIMALS, digits - SMALLEST):
        plain = {id(figure): figure.scientific() for figure in finite}
    return [plain.get(id(figure), f"{figure.value:g}") for figure in figures]


def exponent(value: float, digits: int) -> int:
    """The power of ten of the first digit of a number that is rounded to so many significant digits."""
    return int(f"{value:.{digits - 1}e}".rpartition("e")[2])


def _rounded(value: float, place: int) -> float:
    try:
        return round(value, -place)
    except OverflowError:  # up to more than a double can hold
        return value


def _signed(text: str) -> str:
    """A number without the sign of a zero."""
    return text.lstrip("-") if text.startswith("-") and not text.strip("-0.") else text


class Aligned(NamedTuple):
    """A text in parts that stand below those of others: what is before the point, and the rest."""

    whole: str
    rest: str = ""

    @classmethod
    def of(cls, number: str, mark: str = "") -> "Aligned":
        """A number in its parts; one that has no point ends where it would be, and so do ``inf`` and ``nan``.

        Args:
            number: as it is written.
            mark: what stands right behind it: a sign, or its unit.
        """
        end = number.find(".")
        end = end if end >= 0 else number.find("e") if "e" in number else len(number)
        return cls(number[:end], number[end:] + mark)


def aligned(cells: Sequence[Aligned | str]) -> list[str]:
    """Texts of one length: numbers with their points below each other, words right.

    Args:
        cells: of one column, from the top.
    """
    numbers = [cell for cell in cells if isinstance(cell, Aligned)]
    wholes, rests = (max((len(getattr(number, part)) for number in numbers), default=0) for part in ("whole", "rest"))
    texts = [cell if isinstance(cell, str) else f"{cell.whole:>{wholes}}{cell.rest:<{rests}}" for cell in cells]
    longest = max((len(text) for text in texts), default=0)
    return [text.rjust(longest) for text in texts]
