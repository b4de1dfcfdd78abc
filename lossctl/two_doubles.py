"""Differences and products that one double cannot hold, as two: the rounded one, and what it was rounded by.

Error-free transformations: Knuth's sum, and Dekker's product (1971, doi:10.1007/BF01397083) of numbers up to 1e150.
"""

import numpy as np

from lossctl.domain import FloatArray

SPLITTER = 2.0**27 + 1.0
"""A factor that parts a double into two of half its digits."""

Halves = tuple[FloatArray, FloatArray]
"""Two arrays of numbers of 26 bits that sum to others."""


def difference(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A − b as two doubles: the difference, and what it was rounded by; 0 where that is no double."""
    error = a - b
    back = error - a
    rest = (a - (error - back)) - (b + back)
    finite = np.isfinite(rest)
    return error, rest if finite.all() else np.where(finite, rest, 0.0)


def product(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A b as two doubles: the rounded products of two arrays, and what rounding took away."""
    rounded = a * b
    halves = halved(a)
    return rounded, lost(rounded, halves, halves if a is b else halved(b))


def lost(rounded: FloatArray, first: Halves, second: Halves, out: FloatArray | None = None) -> FloatArray:
    """What rounding took away from the products of two arrays, given in halves."""
    (high, low), (top, bottom) = first, second
    error = np.multiply(high, top, out=out)
    error -= rounded
    if first is second:
        error += 2.0 * high * low
    else:
        error += high * bottom
        error += low * top
    error += low * bottom
    return error


def halved(values: FloatArray) -> Halves:
    """Two numbers of 26 bits each that sum to the value: products of halves are exact."""
    spread = SPLITTER * values
    high = spread - values
    np.subtract(spread, high, out=high)
    return high, np.subtract(values, high, out=spread)
