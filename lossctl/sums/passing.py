"""What is told of gradients of one number a row, of a single group: batch by batch, added up as they come."""

import math
from abc import ABC, abstractmethod
from types import ModuleType

import numpy as np

from lossctl.domain import BoolArray, FloatArray, IntArray, span_of
from lossctl.sums import compiled
from lossctl.sums.digits import BLOCK, LEVELS, BlockSum, in_blocks
from lossctl.sums.exact import ExactSum
from lossctl.sums.histogram import DROPPED_BITS, OCTAVE, OCTAVES, Histogram, empty
from lossctl.sums.products import safe_squares


class Passing(ABC):
    """The sums over some batches of gradients g of rows with weights w, of which none is kept."""

    largest: FloatArray
    """Of w∣g∣, and of ∣g∣."""

    @staticmethod
    def of(*, weighted: bool) -> "Passing | None":
        """Nothing yet; ``None`` of rows with weights where nothing is compiled."""
        if compiled.kernels is not None:
            return _Compiled(compiled.kernels, weighted=weighted)
        return None if weighted else _InNumpy()

    @abstractmethod
    def add(self, gradient: FloatArray, weight: FloatArray | None = None) -> None:
        """Add the next rows of a batch, ``(m,)`` each."""

    @abstractmethod
    def fine(self) -> bool:
        """Whether the batch so far may count, as one may not where products left the doubles, or lost digits."""

    @abstractmethod
    def end(self) -> None:
        """End a batch that is `fine`: it counts."""

    @abstractmethod
    def forget(self) -> None:
        """Leave out the batch so far."""

    @abstractmethod
    def sums(self) -> tuple[ExactSum, ...]:
        """Σ w∣g∣, Σ w²g² and, of rows with weights, Σ wg², of the batches that counted."""

    @abstractmethod
    def histogram(self) -> Histogram:
        """Of w∣g∣."""


def _lossless(norm: ExactSum, *products: ExactSum) -> bool:
    """Whether sums of products lost nothing, beside that of sizes."""
    none = not (norm.infinite.any() or any(digit.any() for digit in norm.digits.values()))
    return none or all(map(safe_squares, products))


class _Compiled(Passing):
    """By the compiled functions."""

    def __init__(self, kernels: ModuleType, *, weighted: bool) -> None:
        self._sizes, self._rows, self._exact = kernels.sizes, 0, True
        self._digits = np.zeros((3 if weighted else 2) * LEVELS, dtype=np.int64)
        (self._counts, self._slots), self.largest = empty(), np.zeros(2)
        self._before = self._digits, self._counts, self._slots, self.largest

    def add(self, gradient: FloatArray, weight: FloatArray | None = None) -> None:
        if not self._rows:
            self._before = self._digits.copy(), self._counts.copy(), self._slots.copy(), self.largest.copy()
        self._rows += len(gradient)
        weight = None if weight is None else np.ascontiguousarray(weight)
        sums = self._digits, self._counts.reshape(-1), self._slots, self.largest
        self._exact = self._exact and self._sizes(np.ascontiguousarray(gradient), weight, *sums)

    def fine(self) -> bool:
        return self._exact and (not self._rows or _lossless(*_sums_of(self._digits - self._before[0])))

    def end(self) -> None:
        self._rows = 0

    def forget(self) -> None:
        if self._rows:
            self._digits, self._counts, self._slots, self.largest = self._before
        self._rows, self._exact = 0, True

    def sums(self) -> tuple[ExactSum, ...]:
        return _sums_of(self._digits)

    def histogram(self) -> Histogram:
        return Histogram.of_slots(self._counts, self._slots)


def _sums_of(digits: IntArray) -> tuple[ExactSum, ...]:
    return tuple(ExactSum.of_digits(own) for own in digits.reshape(-1, LEVELS))


class _InNumpy(Passing):
    """Of rows without weights, in rooms that are written over."""

    def __init__(self) -> None:
        self._rows, self._sums, self._more, self.largest = 0, *[(ExactSum.zero(), ExactSum.zero())] * 2, np.zeros(2)
        self._size, self._work = np.empty((2, BLOCK))
        self._counts = np.zeros((OCTAVES, OCTAVE), dtype=np.int64)  # of which what is written to takes memory
        self._seen = np.zeros(OCTAVES, dtype=np.bool_)
        self._begin()

    def _begin(self) -> None:
        octaves = np.flatnonzero(self._seen)
        self._before = self.largest.copy(), octaves, self._counts[octaves]
        self._own = BlockSum(self._work), BlockSum(self._work)

    def add(self, gradient: FloatArray, weight: FloatArray | None = None) -> None:  # noqa: ARG002  (there is none)
        if not self._rows:
            self._begin()
        self._rows += len(gradient)
        for block in in_blocks(gradient):
            size, bins = self._size[: len(block)], self._work[: len(block)].view(np.int64)
            low, high = span_of(np.abs(block, out=size))
            if not (high <= self.largest[0] or math.isnan(self.largest[0])):
                self.largest[:] = high
            self._own[0].add(size, low, high)
            _count(np.right_shift(size.view(np.int64), DROPPED_BITS, out=bins), self._counts, self._seen)
            size *= size
            self._own[1].add(size, low * low, high * high)

    def fine(self) -> bool:
        norm, squares = self._own
        self._more = ExactSum(*norm.result()), ExactSum(*squares.result())
        return _lossless(*self._more)

    def end(self) -> None:
        self._sums, self._rows = (self._sums[0] + self._more[0], self._sums[1] + self._more[1]), 0

    def forget(self) -> None:
        if self._rows:
            self._counts[self._seen], self._seen[:] = 0, False
            self.largest, octaves, self._counts[octaves] = self._before
            self._seen[octaves] = True
        self._rows = 0

    def sums(self) -> tuple[ExactSum, ...]:
        return self._sums

    def histogram(self) -> Histogram:
        octaves = np.flatnonzero(self._seen)
        return Histogram.of_octaves(octaves, self._counts[octaves])


def _count(bins: IntArray, counts: IntArray, seen: BoolArray) -> None:
    """Add how many there are of each bin to counts, where all octaves between are marked; the bins are changed."""
    low, high = int(np.minimum.reduce(bins)), int(np.maximum.reduce(bins))
    if low < OCTAVE <= high:  # zeros, which are far from all others
        small = bins < OCTAVE
        _count(bins[small], counts, seen)
        _count(bins[~small], counts, seen)
        return
    bins -= low
    seen[low // OCTAVE : high // OCTAVE + 1] = True
    counts.reshape(-1)[low : high + 1] += np.bincount(bins)
