"""Sums that are exact, and therefore do not depend on the order, the chunks or the threads.

The state is a fixed-point number: digits of 38 bits in int64, one array of them a level, one entry a group. How values
become digits is told in `lossctl.sums.digits`.
"""

import math
from fractions import Fraction

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.rational import to_float
from lossctl.sums.digits import CARRY, DIGIT, LOWEST, Digits, add_digit, by_level, carried, digits_of, sums_of
from lossctl.sums.state import Groups, Meeting, added, none, plus, regrouped

LARGE, SMALL = 2.0**450, 2.0**-450
"""Numbers whose products and their rounding errors neither overflow nor underflow."""
TINY = 2.0**-800
"""Sums of squares between this and its reciprocal lost nothing to underflow or overflow."""


@dataclass(frozen=True, eq=False)
class ExactSum:
    """The exact sum of doubles, one a group; infinities and NaN are counted apart."""

    digits: Digits
    """By level, the digit of each group, ``(groups,)``: in units of 2^(38 · level − 1074)."""
    infinite: IntArray
    """Rows of shape ``(groups, 3)``: how many +inf, -inf, NaN."""
    blocks: int = 1
    """How many sums of blocks the digits hold at most: at `CARRY` of them they are carried before more are added."""

    @property
    def groups(self) -> int:
        """The number of groups."""
        return len(self.infinite)

    @classmethod
    def zero(cls, groups: int = 1) -> "ExactSum":
        """The sum of nothing."""
        return cls({}, none(groups, 3), 0)

    @classmethod
    def of(cls, values: FloatArray, groups: Groups | None = None) -> "ExactSum":
        """The sum of ``(n,)`` values, by group; ``n`` may be anything."""
        return cls(*sums_of(values, groups))

    @classmethod
    def of_sums(cls, sums: FloatArray) -> "ExactSum":
        """Finite sums that are rounded already, one a group."""
        if len(sums) != 1:
            return cls.of(sums, Groups(np.arange(len(sums)), len(sums), ascending=True))
        exponent = max(math.frexp(sums[0])[1] - 53, LOWEST)
        digits = digits_of(int(math.ldexp(sums[0], -exponent)), exponent)
        return cls(digits, np.zeros((1, 3), dtype=np.int64))

    @classmethod
    def of_digits(cls, digits: IntArray) -> "ExactSum":
        """The sum of a single group that has these digits, from level 0 on."""
        return cls(by_level(digits), np.zeros((1, 3), dtype=np.int64))

    def __add__(self, other: "ExactSum") -> "ExactSum":
        left, right, blocks = self.digits, other.digits, self.blocks + other.blocks
        if blocks >= CARRY:
            left, right, blocks = carried(left), carried(right), 2
        digits = dict(left)
        for level, digit in right.items():
            add_digit(digits, level, digit)
        return ExactSum(digits, plus(self.infinite, other.infinite), blocks)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ExactSum)
            and self.exact() == other.exact()
            and np.array_equal(self.infinite, other.infinite)
        )

    __hash__ = None  # type: ignore[assignment]  # equal states may hold different digits

    def regroup(self, index: IntArray, groups: int) -> "ExactSum":
        """The same sums, with group ``i`` at place ``index[i]`` of ``groups``."""
        digits = {level: regrouped(digit, index, groups) for level, digit in self.digits.items()}
        return ExactSum(digits, regrouped(self.infinite, index, groups), self.blocks)

    def met(self, other: "ExactSum", meeting: Meeting) -> "ExactSum":
        """The sums of both, by groups that meet: without the room that each would take among all of them."""
        left, right, blocks = self.digits, other.digits, self.blocks + other.blocks
        if blocks >= CARRY:
            left, right, blocks = carried(left), carried(right), 2
        digits = {level: meeting.added(left.get(level), right.get(level)) for level in {**left, **right}}
        return ExactSum(digits, meeting.counts(self.infinite, other.infinite), blocks)

    def between(self, start: int, stop: int) -> "ExactSum":
        """The sums of some groups beside each other."""
        return self.taken(slice(start, stop))

    def taken(self, groups: IntArray | slice) -> "ExactSum":
        """The sums of some groups."""
        digits = {level: digit[groups] for level, digit in self.digits.items()}
        return ExactSum(digits, self.infinite[groups], self.blocks)

    def raised(self, levels: int) -> "ExactSum":
        """The same sums times 2^(38 · levels)."""
        return ExactSum({level + levels: digit for level, digit in self.digits.items()}, self.infinite, self.blocks)

    def times(self, factor: int) -> "ExactSum":
        """The same sums times a whole number of up to 14 bits."""
        digits = {level: digit * factor for level, digit in carried(self.digits).items()}
        return ExactSum(digits, self.infinite, 1)

    def gathered(self, index: IntArray, groups: int) -> "ExactSum":
        """As `regroup`, where several groups may come to the same place and are added up."""
        most = int(np.bincount(index).max(initial=1))
        given, blocks = self.digits, self.blocks * most
        if blocks >= CARRY:
            given, blocks = carried(given), 1 + (len(index) >> (52 - DIGIT))
        digits = dict(zip(given, added(np.array([*given.values()]), index, groups), strict=True)) if given else {}
        infinite = np.zeros((groups, 3), dtype=np.int64)
        if self.infinite.any():
            np.add.at(infinite, index, self.infinite)
        return ExactSum(digits, infinite, blocks)

    def pooled(self) -> "ExactSum":
        """The sum over all groups, as that of a single one."""
        return self.gathered(np.zeros(self.groups, dtype=np.int64), 1)

    def shift(self, rows: int) -> "ExactSum":  # noqa: ARG002  (a sum does not care where its rows stand)
        """The same sum."""
        return self

    def exact(self) -> list[Fraction]:
        """The sum of the finite values of each group, with nothing rounded."""
        totals, exponent = self.units()
        above, below = 1 << max(exponent, 0), 1 << max(-exponent, 0)
        return [Fraction(units * above, below) for units in totals]  # a product of fractions takes twice the time

    def units(self) -> tuple[list[int], int]:
        """The same as multiples of a power of two, and its exponent: for few groups, without fractions to reduce."""
        totals = [0] * self.groups
        lowest = min(self.digits, default=0)
        for level, digit in self.digits.items():
            up = (level - lowest) * DIGIT
            for group, units in enumerate(digit.tolist()):
                totals[group] += units << up
        return totals, LOWEST + lowest * DIGIT

    def nearly(self) -> FloatArray:
        """The sum of each group to within 3 units in its last place, the same however it came about; for many groups.

        Infinities and NaN are left out.
        """
        totals = np.zeros(self.groups)
        with np.errstate(over="ignore", invalid="ignore"):
            for level, digit in sorted(carried(self.digits).items(), reverse=True):
                totals += np.ldexp(digit.astype(np.float64), LOWEST + level * DIGIT)
        return totals

    def special(self, group: int) -> float | None:
        """The sum of a group that met infinities or NaN; ``None`` for a finite one."""
        positive, negative, nan = self.infinite[group].tolist()
        if not (positive or negative or nan):
            return None
        if nan or (positive and negative):
            return math.nan
        return math.inf if positive else -math.inf

    def result(self) -> list[float]:
        """The correctly rounded sum of each group."""
        specials = [self.special(group) for group in range(self.groups)]
        return [
            to_float(sum_) if special is None else special for sum_, special in zip(self.exact(), specials, strict=True)
        ]
