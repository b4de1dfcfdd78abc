"""Numbers as people read them: rounded where their standard error says, in one style a column, aligned at the point."""

import math
from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # lists without numbers need no NumPy
    from numpy.typing import ArrayLike

    from lossctl.domain import BoolArray, FloatArray, IntArray

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
DOUBT = 1e-12
"""What a logarithm may be off by, and more."""


def written(values: "ArrayLike", errors: "ArrayLike | None" = None, digits: int | None = None) -> list[str]:
    """The numbers of a column: all with an exponent, where one is too large or too small to be read without.

    Args:
        values: the numbers, ``(n,)``, of which some may be no finite ones.
        errors: the standard error of each, ``(n,)``, NaN where it is unknown; ``None`` where none is known.
        digits: how many significant digits; ``None`` for as many as the standard errors warrant: where these say where
            the digits end, zeros at the end are digits like others.
    """
    import numpy as np  # noqa: PLC0415  (likewise)

    every = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(every)
    numbers = every[finite]
    deviations = np.full(len(every), math.nan) if errors is None else np.asarray(errors, dtype=np.float64)
    known = deviations[finite]
    warranted = (known > 0.0) & (known < math.inf) & (digits is None)
    places = _places(numbers, known, warranted, digits or USUAL)
    texts = _fixed(numbers, places, warranted)
    sizes = [size for size in map(abs, map(float, texts)) if size]
    low, high = (exponent(end, EXACT) for end in (min(sizes, default=1.0), max(sizes, default=1.0)))
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    readable = not sizes or SMALLEST <= high < max(LONGEST if low < LONG - 1 else LONG, digits or 0)
    if not readable or decimals > max(DECIMALS, (digits or 0) - SMALLEST):
        cells = zip(numbers.tolist(), places.tolist(), warranted.tolist(), strict=True)
        texts = [_scientific(value, place if said else None, digits or USUAL) for value, place, said in cells]
    if len(texts) == len(every):
        return texts
    rest = iter(texts)
    return [next(rest) if math.isfinite(value) else f"{value:g}" for value in every.tolist()]


def _places(values: "FloatArray", errors: "FloatArray", warranted: "BoolArray", digits: int) -> "IntArray":
    """The power of ten of the last digit of each: the second of the standard error, or the last that is significant."""
    import numpy as np  # noqa: PLC0415

    places = exponents(values, digits) - digits + 1
    if warranted.any():
        of_errors = exponents(np.where(warranted, errors, 1.0), 2) - 1
        of_values = np.where(values == 0.0, of_errors, exponents(values, MOST) - MOST + 1)
        places = np.where(warranted, np.maximum(of_errors, of_values), places)
    return places


def _fixed(values: "FloatArray", places: "IntArray", warranted: "BoolArray") -> list[str]:
    """Numbers without exponents."""
    import numpy as np  # noqa: PLC0415

    numbers = values.tolist()
    for index in np.flatnonzero(places > 0).tolist():
        numbers[index] = _rounded(numbers[index], int(places[index]))
    texts = [*map("{:.{}f}".format, numbers, np.maximum(-places, 0).tolist())]
    for index in np.flatnonzero(~warranted & (places < 0)).tolist():
        texts[index] = texts[index].rstrip("0").rstrip(".")
    for index in np.flatnonzero(np.signbit(values)).tolist():
        texts[index] = _signed(texts[index])
    return texts


def _scientific(value: float, place: int | None, digits: int) -> str:
    """A number with an exponent, to a place or else to so many significant digits; 0 as it is."""
    if place is None:
        text = f"{value:.{digits - 1}e}"
    else:
        value = _rounded(value, place)
        text = f"{value:.{max(exponent(value, EXACT) - place, 0)}e}"
    if float(text) == 0.0:
        return "0"
    mantissa, _, power = text.partition("e")
    if place is None and "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{power}"


def exponent(value: float, digits: int) -> int:
    """The power of ten of the first digit of a number that is rounded to so many significant digits."""
    return int(f"{value:.{digits - 1}e}".rpartition("e")[2])


def exponents(values: "FloatArray", digits: int) -> "IntArray":
    """That of each of some finite numbers, ``(n,)``: told from its logarithm, which leaves few in doubt."""
    import numpy as np  # noqa: PLC0415

    sizes = np.abs(values)
    up = -math.log10(1.0 - 0.5 * 10.0**-digits)  # from here below a power of ten on, a number is rounded to it
    logarithms = np.log10(np.where(sizes == 0.0, 1.0, sizes)) + up
    powers = np.floor(logarithms).astype(np.int64)
    for index in np.flatnonzero(np.abs(logarithms - np.rint(logarithms)) < DOUBT).tolist():
        powers[index] = exponent(values[index], digits)
    return powers


def _rounded(value: float, place: int) -> float:
    try:
        return round(value, -place)
    except OverflowError:  # up to more than a double can hold
        return value


def _signed(text: str) -> str:
    """A number without the sign of a zero."""
    return text.lstrip("-") if text.startswith("-") and not text.strip("-0.") else text


def point(number: str) -> int:
    """Where the point of a number stands, or would stand: ``inf`` and ``nan`` end there, too."""
    end = number.find(".")
    return end if end >= 0 else f"{number}e".index("e")


def points(numbers: Sequence[str]) -> list[int]:
    """That of each of some numbers."""
    ends = [*map(str.find, numbers, repeat("."))]
    return ends if min(ends, default=0) >= 0 else [*map(point, numbers)]


def aligned(texts: Sequence[str], ends: Sequence[int | None]) -> list[str]:
    """Texts of one length: numbers with their points below each other, words right.

    Args:
        texts: of one column, from the top.
        ends: where the point of each stands; ``None`` of words.
    """
    pairs = [*zip(texts, ends, strict=True)]
    before = max((end for end in ends if end is not None), default=0)
    behind = max((len(text) - end for text, end in pairs if end is not None), default=0)
    longest = max([before + behind, *(len(text) for text, end in pairs if end is None)])
    blanks = [" " * (behind - size) for size in range(behind + 1)]
    return [(text if end is None else text + blanks[len(text) - end]).rjust(longest) for text, end in pairs]
