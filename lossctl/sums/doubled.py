"""Numbers of many groups as two doubles each, with a bound of what they are off.

The formulas that are written for exact numbers take them as well: so what is certain of many groups is told at once,
and what is not is left to exact numbers. Numbers are taken to be regular, above 0 where that is asked: those that are
not come to NaN.
"""

from fractions import Fraction
from typing import Union

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import LEAST, BoolArray, FloatArray
from lossctl.sums.digits import DIGIT, LOWEST, carried
from lossctl.sums.exact import ExactSum
from lossctl.two_doubles import product

ERROR = 2.0**-97
"""How far off two doubles are of what they are made of, at most."""
MOST = 16
"""The highest power that is taken."""
FAR = 200.0
"""Exponentials of less than this, and of more than its negative, have products of which nothing is lost."""
LOGARITHM = (float.fromhex("0x1.62e42fefa38p-1"), float.fromhex("0x1.ef35793c76730p-45"))
"""Of 2, of which the first part has 42 bits."""
HALVINGS, TERMS = 8, 10

Number = Union["Doubled", Fraction, int]


@dataclass(frozen=True, eq=False)
class Doubled:
    """A number for each group, ``(groups,)``: the sum of two doubles, of which the first is the nearest."""

    high: FloatArray
    low: FloatArray
    error: FloatArray
    """By how much they may be off; 0 where they are not."""

    @classmethod
    def whole(cls, numbers: FloatArray) -> "Doubled":
        """Numbers as they are."""
        none = np.zeros_like(numbers)
        return cls(numbers, none, none)

    @classmethod
    def of(cls, exact: ExactSum) -> "Doubled":
        """Exact sums, as near as two doubles come."""
        digits = carried(exact.digits)
        high = low = lost = np.zeros(exact.groups)
        negative = exact.nearly() < 0.0
        if negative.any():  # of digits above 0 no sum is below its parts
            digits = carried({level: np.where(negative, -digit, digit) for level, digit in digits.items()})
        for level, digit in sorted(digits.items(), reverse=True):
            high, rest = summed(high, np.ldexp(digit.astype(np.float64), LOWEST + level * DIGIT))
            low, rest = summed(low, rest)
            lost = lost + np.abs(digit if level < 0 else rest)  # what is below the least double is lost as a whole
        high, low = summed(high, low)
        sign = np.where(negative, -1.0, 1.0)
        return cls(sign * high, sign * low, np.where(lost == 0.0, 0.0, ERROR * np.abs(high) + LEAST))

    def rounded(self) -> FloatArray:
        """The nearest doubles; NaN where it is not certain which they are (Ziv 1991, doi:10.1145/114697.116813)."""
        least, most = self.high + (self.low - self.error), self.high + (self.low + self.error)
        return np.where(least == most, most, np.nan)

    def root(self) -> FloatArray:
        """The roots of the nearest doubles, likewise."""
        return np.sqrt(self.rounded())

    def by(self, power: float | FloatArray) -> "Doubled":
        """The same numbers times powers of two, or their negatives."""
        return Doubled(power * self.high, power * self.low, np.abs(power) * self.error)

    # A formula that asks for the sign is told that of most: numbers of another come to NaN, and so to exact ones.
    def __bool__(self) -> bool:
        return True

    def __lt__(self, other: int) -> bool:
        return False

    def __gt__(self, other: int) -> bool:
        return True

    __ge__ = __gt__

    def __neg__(self) -> "Doubled":
        return self.by(-1.0)

    def __add__(self, other: Number) -> "Doubled":
        other = self._like(other)
        first, rest = summed(self.high, other.high)
        high, low = summed(first, rest + (self.low + other.low))
        error = ERROR * (np.abs(self.high) + np.abs(other.high)) + self.error + other.error
        return Doubled(high, low, np.where(self._exact & other._exact, 0.0, error))

    __radd__ = __add__

    def __sub__(self, other: Number) -> "Doubled":
        return self + -other

    def __mul__(self, other: Number) -> "Doubled":
        if other == 1:  # nothing is lost
            return self
        other = self._like(other)
        first, rest = product(self.high, other.high)
        high, low = summed(first, rest + (self.high * other.low + self.low * other.high))
        error = ERROR * np.abs(high) + 2.0 * (self.error * np.abs(other.high) + other.error * np.abs(self.high))
        return Doubled(high, low, np.where(self._exact & other._exact, 0.0, error))

    __rmul__ = __mul__

    def __truediv__(self, other: Number) -> "Doubled":
        if other == 1:
            return self
        other = self._like(other)
        first = self.high / other.high
        back, lost = product(first, other.high)
        left, over = summed(self.high - back, -lost)
        left, more = summed(left, self.low - first * other.low)
        rest = left / other.high
        high, low = summed(first, rest)
        off = 2.0 * (self.error + np.abs(high) * other.error) / np.abs(other.high)
        unsure = other.error >= 2.0**-20 * np.abs(other.high)
        error = np.where(unsure, np.nan, ERROR * np.abs(high) + off)
        back, lost = product(rest, other.high)  # by two or four, halfway between doubles as often as not
        exact = (over == 0.0) & (more == 0.0) & (back == left) & (lost == 0.0) & (self.error == 0.0) & other._exact
        return Doubled(high, low, np.where(exact, 0.0, error))

    def __rtruediv__(self, other: Number) -> "Doubled":
        return self._like(other) / self

    def __pow__(self, exponent: int) -> "Doubled":
        if exponent == 1:
            return self
        half = self ** (exponent // 2)
        return half * half * self if exponent % 2 else half * half

    def power(self, exponent: Fraction) -> "Doubled":
        """A power of numbers above 0, by a step of Newton's; NaN where its parts are large."""
        above, below = exponent.numerator, exponent.denominator
        if max(above, below) > MOST or above < 1:
            return Doubled.whole(np.full_like(self.high, np.nan))
        near = self.high ** float(exponent)
        aim, reached = self**above, Doubled.whole(near) ** below
        left = aim - reached
        unit = near / (below * reached.high)
        high, low = summed(near, (left.high + left.low) * unit)
        return Doubled(high, low, 8.0 * ERROR * np.abs(high) + 2.0 * left.error * np.abs(unit))

    def exponential(self) -> "Doubled":
        """E to a power; NaN where that is far from 1."""
        high, low = LOGARITHM
        times = np.rint(self.high / high)
        rest = Doubled.whole(self.high - times * high) + Doubled(self.low, np.zeros_like(self.low), self.error)
        rest = (rest - Doubled(*product(times, np.full_like(times, low)), np.zeros_like(times))).by(0.5**HALVINGS)
        less = Doubled.whole(np.zeros_like(rest.high))  # the exponential less 1, by its series
        for term in range(TERMS, 0, -1):
            less = rest * (1 + less) / term
        for _ in range(HALVINGS):
            less = less.by(2.0) + less * less
        total, scale = less + 1, np.where(np.abs(self.high) < FAR, np.ldexp(1.0, times.astype(np.int64)), np.nan)
        off = 2.0**-90 + 2.0 * self.error
        return Doubled(total.high * scale, total.low * scale, (total.error + off * total.high) * scale)

    @property
    def _exact(self) -> BoolArray:
        exact: BoolArray = (self.low == 0.0) & (self.error == 0.0)
        return exact

    def _like(self, number: Number) -> "Doubled":
        """Another number, for each group."""
        if isinstance(number, Doubled):
            return number
        high = float(number)
        low = float(number - Fraction(high))
        shape = np.shape(self.high)
        return Doubled(np.full(shape, high), np.full(shape, low), np.full(shape, ERROR * abs(high) if low else 0.0))


def summed(one: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rounded sums, and what rounding took away: Knuth's, for numbers of any size."""
    total = one + other
    part = total - one
    return total, (one - (total - part)) + (other - part)
