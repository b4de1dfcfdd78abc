"""Groups of about as many numbers each: the intervals between quantiles, which belong to the numbers alone."""

import math
from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import cached_property

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray, distinct
from lossctl.sums.distribution import Distribution

DIGITS = 17
"""Digits that tell any double."""
SHOWN = 6
"""Digits of the smallest and the largest number in a label at least, which is rounded away from all others."""
WHOLE = 1e15
"""Whole numbers below are written as they are."""


@dataclass(frozen=True)
class Intervals:
    """Neighbouring intervals, each closed on its left, the last on both sides."""

    low: float
    cuts: tuple[float, ...]
    """Where one ends and the next begins, ascending."""
    high: float
    relative_error: float = 0.0
    """By how much of itself a number may have been off when they were cut; 0 where every one was exact."""

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The intervals as text, ascending; none of no numbers."""
        if math.isnan(self.low):
            return ()
        low = min(self._end(self.low, ROUND_FLOOR), self.low)
        high = max(self._end(self.high, ROUND_CEILING), self.high)
        words = [repr(edge + 0.0).removesuffix(".0") for edge in (low, *self.cuts, high)]
        ends = [*")" * len(self.cuts), "]"]
        return tuple(f"[{start}, {stop}{end}" for start, stop, end in zip(words, words[1:], ends, strict=False))

    def _end(self, value: float, rounding: str) -> float:
        """The smallest or largest number, rounded to a thousandth of the range or finer."""
        if not math.isfinite(value) or (value.is_integer() and abs(value) < WHOLE):
            return value
        span = self.high - self.low
        digits = _power(value) - _power(span) + 4 if 0 < span < math.inf else DIGITS
        return _rounded(value, min(max(digits, SHOWN), DIGITS), rounding)

    @cached_property
    def order(self) -> dict[str, int]:
        """The place of each label."""
        return {label: place for place, label in enumerate(self.labels)}

    def places(self, values: FloatArray) -> IntArray:
        """In which interval each number is, from 0, ``(n,)``."""
        return np.searchsorted(np.array(self.cuts, dtype=np.float64), values, side="right").astype(np.int64)


@dataclass(frozen=True)
class Spread:
    """How the numbers of a column are spread, infinite ones among them: ``+`` is that of `Distribution`."""

    finite: Distribution
    below: int = 0
    """How many are −∞."""
    above: int = 0
    """How many are ∞."""

    @classmethod
    def zero(cls) -> "Spread":
        """The state of no numbers."""
        return cls(Distribution.zero())

    @classmethod
    def of(cls, values: FloatArray) -> "Spread":
        """The state of ``(n,)`` numbers, none of which is NaN."""
        return cls(Distribution.of(values), int(np.sum(values == -np.inf)), int(np.sum(values == np.inf)))

    def __add__(self, other: "Spread") -> "Spread":
        return Spread(self.finite + other.finite, self.below + other.below, self.above + other.above)

    def intervals(self, number: int) -> Intervals:
        """So many intervals that hold about as many numbers each; fewer where equal numbers would be parted.

        The k-th ends with the smallest number that at least k of ``number`` parts of all do not exceed.
        """
        values = np.concatenate([[-np.inf] * bool(self.below), self.finite.values, [np.inf] * bool(self.above)])
        counts = [*filter(None, [self.below]), *self.finite.counts.tolist(), *filter(None, [self.above])]
        if not counts:
            return Intervals(math.nan, (), math.nan)
        reached = np.cumsum(np.array(counts, dtype=np.int64))
        last = np.searchsorted(reached * number, np.arange(1, number) * reached[-1])
        return Intervals(
            float(values[0]), (*_cuts(values, distinct(last)),), float(values[-1]), self.finite.relative_error
        )


def _cuts(values: FloatArray, last: IntArray) -> Iterator[float]:
    """Where intervals end that hold the numbers up to those places: between these and the next."""
    for place in last.tolist():
        if place + 1 < len(values):
            yield _shortest(float(values[place]), float(values[place + 1]))


def _shortest(above: float, most: float) -> float:
    """The number above one and at most another with the fewest digits; the largest of these."""
    if above < 0 <= most:
        return 0.0
    candidates = (_rounded(most, digits, ROUND_FLOOR) for digits in range(1, DIGITS))
    return next((cut for cut in candidates if above < cut <= most), most)


def _power(value: float) -> int:
    """The power of ten of the first digit."""
    return Decimal(value).adjusted()


def _rounded(value: float, digits: int, rounding: str) -> float:
    """The number as it is printed, with so many digits; an infinite one as it is."""
    return float(Context(prec=digits, rounding=rounding).create_decimal(Decimal(repr(value))))
