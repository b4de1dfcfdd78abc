"""Which numbers a column holds and how often, in bounded memory."""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray

MOST = 1 << 16
"""How many different numbers are kept; where there are more, they are rounded until so few are left."""
MANTISSA = 52
KeyArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Distribution:
    """Counts of the finite numbers of a column: exact up to 65 536 different ones, then of rounded ones.

    Rounding keeps the first ``52 − dropped`` bits of the mantissa, so a number is off by at most
    ``relative_error`` of itself; the smallest and the largest are kept as they are. How many bits go depends on the
    numbers alone, not on the order in which they were met or how the rows were cut: ``+`` is associative and
    commutative, bit for bit.
    """

    keys: KeyArray
    """The different numbers as ordered integers, ascending."""
    counts: IntArray
    dropped: int = 0
    """Bits of the mantissa that were rounded away."""
    infinite: int = 0
    """How many were infinite or NaN, and are not counted elsewhere."""
    low: float = math.inf
    """The smallest number."""
    high: float = -math.inf
    """The largest number."""

    @classmethod
    def zero(cls) -> "Distribution":
        """The state of no numbers."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))

    @classmethod
    def of(cls, values: FloatArray) -> "Distribution":
        """The state of ``(n,)`` numbers."""
        finite = values[np.isfinite(values)]
        keys, counts = np.unique(ordered(finite), return_counts=True)
        ends = unordered(keys[[0, -1]]).tolist() if len(keys) else (math.inf, -math.inf)
        return cls(keys, counts.astype(np.int64), 0, len(values) - len(finite), *ends).bounded()

    def __add__(self, other: "Distribution") -> "Distribution":
        left, right = self.alike(other)
        keys, counts = _merged(np.concatenate([left.keys, right.keys]), np.concatenate([left.counts, right.counts]))
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Distribution(keys, counts, left.dropped, self.infinite + other.infinite, low, high).bounded()

    def alike(self, other: "Distribution") -> tuple["Distribution", "Distribution"]:
        """Both with as many bits dropped of each, so that equal numbers have equal keys."""
        dropped = max(self.dropped, other.dropped)
        return self.rounded(dropped), other.rounded(dropped)

    @property
    def exact(self) -> bool:
        """Whether every number is kept as it is."""
        return self.dropped == 0

    @property
    def relative_error(self) -> float:
        """By how much of itself a number may be off."""
        return 0.0 if self.exact else 2.0 ** (self.dropped - MANTISSA - 1)

    @property
    def n(self) -> int:
        """How many numbers were counted."""
        return int(self.counts.sum())

    @property
    def values(self) -> FloatArray:
        """The different numbers, ascending; the middle of its cell where a number was rounded, but for the ends."""
        if self.exact:
            return unordered(self.keys)
        middles = unordered((self.keys << self.dropped) + (1 << (self.dropped - 1)))
        middles[:1], middles[-1:] = self.low, self.high
        return middles

    def share(self, value: float) -> float | None:
        """The part of all numbers that are exactly 0 or 1; ``None`` where rounding hides it.

        What is rounded to 1 is no less, and what is rounded to 0 is less than 1e-307, so the ends of [0, 1] are seen.
        """
        inside = self.low < value < self.high or value == self.low != 0
        if not self.n or (inside and not self.exact):
            return None
        return float(self.counts[self.values == value].sum() / self.n)

    def quantile(self, q: float) -> float:
        """The smallest number that at least a part ``q`` of all do not exceed; NaN of none."""
        if not self.n:
            return float("nan")
        if q <= 0:
            return self.low
        place = int(np.searchsorted(np.cumsum(self.counts), q * self.n - 1e-9 * self.n, side="left"))
        return float(self.values[min(place, len(self.keys) - 1)])

    def rounded(self, dropped: int) -> "Distribution":
        """The same counts with so many bits dropped, no fewer than now."""
        if dropped == self.dropped:
            return self
        keys, counts = _merged(self.keys >> (dropped - self.dropped), self.counts)
        return replace(self, keys=keys, counts=counts, dropped=dropped)

    def bounded(self) -> "Distribution":
        """The same counts, with as few more bits dropped as leave no more than `MOST` different numbers."""
        more = 0
        while len(self.keys) > MOST and np.count_nonzero(np.diff(self.keys >> more)) >= MOST:
            more += 1
        return self.rounded(self.dropped + more)


def ordered(values: FloatArray) -> KeyArray:
    """Integers in the order of the numbers; −0 is 0."""
    bits = (values + 0.0).view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def unordered(keys: KeyArray) -> FloatArray:
    """The numbers that ordered integers stand for."""
    return np.where(keys < 0, np.int64(-(2**63)) - keys, keys).view(np.float64) + 0.0


def _merged(keys: KeyArray, counts: IntArray) -> tuple[KeyArray, IntArray]:
    """The different keys, ascending, and the sum of the counts of each."""
    if not len(keys):
        return keys, counts
    order = np.argsort(keys, kind="stable")  # what is sorted, or two sorted halves, costs one pass
    keys = keys[order]
    start = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[start], np.add.reduceat(counts[order], start)
