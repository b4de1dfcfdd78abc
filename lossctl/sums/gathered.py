"""Sums of numbers and of their squares by group, compiled and added up as they come: no sums are made of each batch."""

import math
from types import ModuleType

import numpy as np

from lossctl.domain import FloatArray, IntArray
from lossctl.sums.digits import CARRY, SPREAD, Digits, carried
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
ODD = 1 << 15
"""Numbers of other sizes that are kept before they are added up."""
NEAR = 8
"""How far below the power of two that the units are for numbers may be without loss."""
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
        self._others: tuple[Digits, Digits] = {}, {}
        """Sums of what is not in the units, and of its squares, ``(groups,)`` a level; all are counted there."""
        self._infinite, self._blocks = none(groups, 3), 0

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
        infinite = self._infinite[used] if self._infinite.flags.writeable else none(len(used), 3)
        others = [{level: digit[used] for level, digit in digits.items()} for digits in self._others]
        total, squares = self._of_units(used)
        total += ExactSum(others[0], infinite, self._blocks)
        squares += ExactSum(others[1], none(len(used), 3), self._blocks)
        return Moments(self.counts[used], total, squares)

    def _top_of(self, values: FloatArray) -> int:
        """A power of two above finite numbers, and above those that are twice as large."""
        largest = self.kernels.largest(values)
        if not math.isfinite(largest):
            largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
        return min(max(math.frexp(largest)[1] + 1, -FARTHEST), FARTHEST)

    def _turn_to(self, top: int) -> None:
        """Have numbers below another power of two added to the units from now on, if these would not do for them."""
        if 0 <= (self._top or 0) - top <= NEAR:
            return
        used = np.flatnonzero(self.counts)
        self._join(used, self._of_units(used))
        self._units.reshape(-1, UNITS)[:, :COUNT] = 0
        self._top = top

    def _settle(self) -> None:
        """Add up the odd numbers so far."""
        if self._kept:
            self._lift(self._odd[: self._kept], self._code[: self._kept], None)
        self._kept = 0

    def _lift(self, values: FloatArray, code: IntArray, far: Far | None) -> None:
        present, groups = found(code, 0, self.groups)
        moments = Moments.lift(Rows(values, None, groups, None, values, values, None, far))
        self._join(present, (moments.sum_value, moments.value_squares))

    def _join(self, present: IntArray, sums: tuple[ExactSum, ExactSum]) -> None:
        """Add sums of numbers, and of their squares, of groups at some places."""
        given, blocks = [own.digits for own in sums], self._blocks + max(own.blocks for own in sums)
        if blocks >= CARRY:
            given, blocks = [*map(carried, given)], 2
            self._others = carried(self._others[0]), carried(self._others[1])
        self._blocks = blocks
        for digits, other in zip(self._others, given, strict=True):
            for level, digit in other.items():
                digits.setdefault(level, np.zeros(self.groups, dtype=np.int64))[present] += digit
        if sums[0].infinite.any():
            self._infinite = self._infinite if self._infinite.flags.writeable else np.zeros((self.groups, 3), np.int64)
            self._infinite[present] += sums[0].infinite

    def _of_units(self, used: IntArray) -> tuple[ExactSum, ExactSum]:
        """What the units of some groups come to."""
        total, squares = (ExactSum(self._digits(used, power), none(len(used), 3)) for power in (1, 2))
        return total, squares

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
