"""Sums of numbers and of their squares by group, compiled and added up as they come: no sums are made of each batch."""

import math
from types import ModuleType

import numpy as np

from lossctl.domain import FloatArray, IntArray
from lossctl.sums.digits import SPREAD, Digits
from lossctl.sums.exact import ExactSum
from lossctl.sums.moments import Moments
from lossctl.sums.numbering import found
from lossctl.sums.state import Far, Rows, none

MOST = 1 << 20
"""Numbers that can be added before the units of a group might overflow."""
UNITS, COUNT = 8, 6
"""Whole numbers of a group, a line of the cache: parts of the sum of squares, and of numbers; how many; none."""
FARTHEST = 400
"""The largest power of two, and of its reciprocal, that numbers may be about."""
ODD = 1 << 13
"""Numbers of other sizes that are kept before they are added up."""
NEAR = 8
"""How far the power of two that numbers are below may be off without loss."""
CUT = 1 << 13
"""Groups whose units are made digits at a time."""


class Gathered:
    """The sums of numbers of so many groups, and of their squares, both exact.

    Numbers within 31 binary orders of the largest of the first ones are added to whole numbers, 64 bytes a group;
    others are kept, and added up some at a time.

    Args:
        kernels: the compiled functions.
        groups: how many there are; some may have no row.
    """

    def __init__(self, kernels: ModuleType, groups: int) -> None:
        self.kernels, self.groups = kernels, groups
        room = np.zeros(UNITS * (groups + 1), dtype=np.int64)
        self._units = room[-(room.ctypes.data // 8) % UNITS :][: UNITS * groups]
        self._top: int | None = None
        """The power of two that numbers are below."""
        self._odd, self._code = np.empty(ODD), np.empty(ODD, dtype=np.int64)
        self._kept = 0
        self._others: list[tuple[IntArray, Moments]] = []
        """Sums of what is not in the units, each with the places of their groups: no counts, which are all there."""

    @property
    def counts(self) -> IntArray:
        """How many numbers each group has, ``(groups,)``."""
        return self._units[COUNT::UNITS]

    def add(self, values: FloatArray, code: IntArray) -> None:
        """Add numbers, and the group of each, ``(n,)``, up to `MOST` in all."""
        start, values = 0, np.ascontiguousarray(values)
        while start < len(values):
            if self._top is None:
                self._top = self._top_of(values)
            start, self._kept = self.kernels.gathered(
                values, code, start, self._top, self._units, self._odd, self._code, self._kept
            )
            if start < len(values):  # there is no more room for odd ones
                self._settle()
                self._turn_to(self._top_of(values[start:]))

    def add_far(self, values: FloatArray, code: IntArray, far: Far) -> None:
        """As `add`, of numbers some of which are no doubles."""
        self._lift(values, code, far)
        self.counts[:] += np.bincount(code, minlength=self.groups)

    def result(self, used: IntArray) -> Moments:
        """The sums of the groups that have rows, given by their places, ascending."""
        self._settle()
        total, squares = (self._digits(used, power) for power in (1, 2))
        infinite, blocks = none(len(used), 3), 1
        for present, moments in self._others:
            place = np.searchsorted(used, present)
            for digits, other in ((total, moments.sum_value), (squares, moments.value_squares)):
                for level, digit in other.digits.items():
                    digits.setdefault(level, np.zeros(len(used), dtype=np.int64))[place] += digit
            if moments.sum_value.infinite.any():
                infinite = infinite if infinite.flags.writeable else np.zeros(infinite.shape, dtype=np.int64)
                infinite[place] += moments.sum_value.infinite
            blocks += max(moments.sum_value.blocks, moments.value_squares.blocks)
        sums = ExactSum(total, infinite, blocks), ExactSum(squares, none(len(used), 3), blocks)
        return Moments(self.counts[used], *sums)

    def _top_of(self, values: FloatArray) -> int:
        """A power of two above finite numbers, and above those that are twice as large."""
        largest = self.kernels.largest(values)
        if not math.isfinite(largest):
            largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
        return min(max(math.frexp(largest)[1] + 1, -FARTHEST), FARTHEST)

    def _turn_to(self, top: int) -> None:
        """Have numbers below another power of two added to the units from now on, if it is far from what it was."""
        if abs(top - (self._top or 0)) <= NEAR:
            return
        used = np.flatnonzero(self.counts)
        total, squares = (ExactSum(self._digits(used, power), none(len(used), 3)) for power in (1, 2))
        self._others.append((used, Moments(none(len(used)), total, squares)))
        self._units.reshape(-1, UNITS)[:, :COUNT] = 0
        self._top = top

    def _settle(self) -> None:
        """Add up the odd numbers so far."""
        if self._kept:
            self._lift(self._odd[: self._kept], self._code[: self._kept], None)
        self._kept = 0

    def _lift(self, values: FloatArray, code: IntArray, far: Far | None) -> None:
        present, groups = found(code, 0, self.groups)
        self._others.append((present, Moments.lift(Rows(values, None, groups, None, values, values, None, far))))

    def _digits(self, used: IntArray, power: int) -> Digits:
        """The digits of sums of numbers, or of their squares, some groups at a time: no more room than they take."""
        digits: Digits = {}
        ends = np.searchsorted(used, np.arange(0, self.groups + CUT, CUT)).tolist()
        for start, first, last in zip(range(0, self.groups, CUT), ends, ends[1:], strict=False):
            if first == last:
                continue
            units = self._units[UNITS * start : UNITS * (start + CUT)]
            own = np.empty((SPREAD, len(units) // UNITS), dtype=np.int64)
            lowest, levels = self.kernels.spread(units, self._top or 0, power, own.reshape(-1))
            for level in range(SPREAD):
                if levels >> level & 1:
                    digit = digits.setdefault(lowest + level, np.zeros(len(used), dtype=np.int64))
                    digit[first:last] = own[level, used[first:last] - start]
        return digits
