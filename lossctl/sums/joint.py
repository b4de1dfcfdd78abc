"""How often pairs of numbers occur, in bounded memory."""

import math

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray

MOST = 1 << 14
"""How many different pairs are kept; where there are more, both numbers are rounded down until so few are left."""
FINEST, COARSEST = -1074, 1020
PairArray = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class Joint:
    """Counts of pairs of finite numbers: exact up to 16 384 different ones, then of square cells.

    A cell has the side ``2 ** exponent`` and a corner at the origin, so cells of a larger side hold whole cells: counts
    over them are exact. The exponent is the least that leaves few enough cells, which depends on the pairs alone and
    not on their order: ``+`` is associative and commutative, bit for bit.
    """

    pairs: PairArray
    """The lower corners of the cells that hold any, ascending; the first number is the real part."""
    counts: IntArray
    exponent: int = FINEST
    infinite: int = 0
    """Pairs with a number that is infinite or NaN, not counted elsewhere."""

    @classmethod
    def zero(cls) -> "Joint":
        """The state of no pairs."""
        return cls(np.empty(0, dtype=np.complex128), np.empty(0, dtype=np.int64))

    @classmethod
    def of(cls, first: FloatArray, second: FloatArray) -> "Joint":
        """The state of ``(n,)`` pairs."""
        finite = np.isfinite(first) & np.isfinite(second)
        pairs, counts = np.unique(_paired(first[finite], second[finite]), return_counts=True)
        return cls(pairs, counts.astype(np.int64), FINEST, len(first) - int(finite.sum())).bounded()

    def __add__(self, other: "Joint") -> "Joint":
        exponent = max(self.exponent, other.exponent)
        left, right = self._rounded(exponent), other._rounded(exponent)
        pairs, place = np.unique(np.concatenate([left.pairs, right.pairs]), return_inverse=True)
        counts = _summed(place, np.concatenate([left.counts, right.counts]), len(pairs))
        return Joint(pairs, counts, exponent, self.infinite + other.infinite).bounded()

    @property
    def first(self) -> FloatArray:
        """The first number of each cell."""
        return np.ascontiguousarray(self.pairs.real)

    @property
    def second(self) -> FloatArray:
        """The second number of each cell."""
        return np.ascontiguousarray(self.pairs.imag)

    def _rounded(self, exponent: int) -> "Joint":
        """The same counts over cells of the side ``2 ** exponent``, no smaller than now."""
        if exponent == self.exponent:
            return self
        corners = _paired(_floored(self.pairs.real, exponent), _floored(self.pairs.imag, exponent))
        pairs, place = np.unique(corners, return_inverse=True)
        return Joint(pairs, _summed(place, self.counts, len(pairs)), exponent, self.infinite)

    def bounded(self) -> "Joint":
        """The same counts, over the smallest cells of which there are no more than `MOST`."""
        if len(self.pairs) <= MOST:
            return self
        low, high, best = self.exponent, COARSEST, self._rounded(COARSEST)
        guess, step = self._guess(), 1
        while high - low > 1:  # in growing steps from the guess, then by halves
            exponent = guess if low < guess < high else (low + high) // 2
            rounded = self._rounded(exponent)
            if len(rounded.pairs) <= MOST:
                high, best, guess = exponent, rounded, exponent - step
            else:
                low, guess = exponent, exponent + step
            step *= 2
        return best

    def _guess(self) -> int:
        """About the exponent that leaves few enough cells where most pairs are."""
        sides = (np.quantile(values, (0.05, 0.95), method="lower") for values in (self.first, self.second))
        size = max(max(abs(low), abs(high)) if low == high else high / 2 - low / 2 for low, high in sides)
        return math.frexp(size / math.sqrt(MOST))[1] + 2


def _paired(first: FloatArray, second: FloatArray) -> PairArray:
    """Pairs of numbers as complex ones, which sort by the first number, then by the second."""
    pairs = np.empty(len(first), dtype=np.complex128)
    pairs.real, pairs.imag = first + 0.0, second + 0.0  # −0 is 0
    return pairs


def _floored(values: FloatArray, exponent: int) -> FloatArray:
    """Rounded down to multiples of ``2 ** exponent``; what is too large to have other digits is one already."""
    small = np.abs(values) < 2.0 ** min(exponent + 53, 1023)
    scaled = np.floor(np.ldexp(np.where(small, values, 0.0), -exponent))
    scaled = np.where((values < 0) & (scaled == 0), -1.0, scaled)  # the smallest underflow to 0
    return np.where(small, np.ldexp(scaled, exponent), values)


def _summed(place: IntArray, counts: IntArray, cells: int) -> IntArray:
    """The sums ``(cells,)`` of the counts that go to each place."""
    total = np.zeros(cells, dtype=np.int64)
    np.add.at(total, place, counts)
    return total
