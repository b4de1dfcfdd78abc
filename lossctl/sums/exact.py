"""Sums that are exact, and therefore do not depend on the order, the chunks or the threads.

The state is a fixed-point number: digits of 38 bits in int64, one array of them a level, one entry a group. A block is
taken apart fold by fold: with M = 1.5 · 2^52 units, ``x + M`` rounds x to a multiple of the unit, which is what its
bits are as an integer, apart from those of M; 2^15 such multiples of 46 bits sum exactly in an int64, and what rounding
left goes to the next fold. (The extraction is that of Rump, Ogita & Oishi 2008, doi:10.1137/050645671, on a fixed grid
as in Demmel & Nguyen 2015, doi:10.1109/TC.2014.2345391.)
"""

import math
from fractions import Fraction

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.rational import to_float
from lossctl.sums.state import Groups, added, regrouped

BLOCK = 1 << 15
"""Values that are summed in integers at a time."""
FOLD = 46
"""Bits of a value that go into an integer sum."""
DOUBLES = 1 << 14
"""Digits that sum exactly in a double."""
DIGIT = 38
LOWEST = -1074
"""The exponent of the unit of level 0, the smallest double."""
CARRY = 1 << 9
"""Block sums of 53 bits that an int64 digit can take twice before it must be carried."""
HUGE = 2.0**900
SMALLEST = 2.0**-800
"""Beyond these, the constants of a fold would not exist or be rounded."""
LARGE, SMALL = 2.0**450, 2.0**-450
"""Numbers whose products and their rounding errors neither overflow nor underflow."""
TINY = 2.0**-800
"""Sums of squares between this and its reciprocal lost nothing to underflow or overflow."""


ALL = np.zeros(1, dtype=np.int64)
"""Where the rows of a single group begin."""
Digits = dict[int, IntArray]
"""Digits by level; those that are missing are 0."""


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
        return cls({}, np.zeros((groups, 3), dtype=np.int64), 0)

    @classmethod
    def of(cls, values: FloatArray, groups: Groups | None = None) -> "ExactSum":
        """The sum of ``(n,)`` values, by group; ``n`` may be anything."""
        if groups is None:
            total = cls.zero()
            for start in range(0, len(values), BLOCK):
                total = total + cls(*_of_block(values[start : start + BLOCK], ALL))
            return total
        values, starts = groups.arranged(values), groups.starts
        digits: Digits = {}
        infinite = np.zeros((groups.number, 3), dtype=np.int64)
        for start in range(0, len(values), BLOCK):
            stop = min(start + BLOCK, len(values))
            first, last = int(np.searchsorted(starts, start, "right")) - 1, int(np.searchsorted(starts, stop))
            present = groups.index[first:last]
            cuts = np.maximum(starts[first:last] - start, 0)
            block_digits, block_infinite = _of_block(values[start:stop], cuts)
            for level, digit in block_digits.items():
                if len(present) == groups.number:
                    _add_digit(digits, level, digit)
                else:
                    digits.setdefault(level, np.zeros(groups.number, dtype=np.int64))[present] += digit
            if block_infinite.any():
                infinite[present] += block_infinite
        return cls(digits, infinite, max(-(-len(values) // BLOCK), 1))

    @classmethod
    def of_sums(cls, sums: FloatArray) -> "ExactSum":
        """Finite sums that are rounded already, one a group."""
        if len(sums) != 1:
            return cls.of(sums, Groups(np.arange(len(sums)), len(sums), ascending=True))
        exponent = max(math.frexp(sums[0])[1] - 53, LOWEST)
        digits = digits_of(int(math.ldexp(sums[0], -exponent)), exponent)
        return cls(digits, np.zeros((1, 3), dtype=np.int64))

    def __add__(self, other: "ExactSum") -> "ExactSum":
        left, right, blocks = self.digits, other.digits, self.blocks + other.blocks
        if blocks >= CARRY:
            left, right, blocks = _carried(left), _carried(right), 2
        digits = dict(left)
        for level, digit in right.items():
            _add_digit(digits, level, digit)
        return ExactSum(digits, self.infinite + other.infinite, blocks)

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

    def between(self, start: int, stop: int) -> "ExactSum":
        """The sums of some groups beside each other."""
        digits = {level: digit[start:stop] for level, digit in self.digits.items()}
        return ExactSum(digits, self.infinite[start:stop], self.blocks)

    def raised(self, levels: int) -> "ExactSum":
        """The same sums times 2^(38 · levels)."""
        return ExactSum({level + levels: digit for level, digit in self.digits.items()}, self.infinite, self.blocks)

    def times(self, factor: int) -> "ExactSum":
        """The same sums times a whole number of up to 14 bits."""
        digits = {level: digit * factor for level, digit in _carried(self.digits).items()}
        return ExactSum(digits, self.infinite, 1)

    def gathered(self, index: IntArray, groups: int) -> "ExactSum":
        """As `regroup`, where several groups may come to the same place and are added up."""
        most = int(np.bincount(index).max(initial=1))
        given, blocks = self.digits, self.blocks * most
        if blocks >= CARRY:
            given, blocks = _carried(given), 1 + (len(index) >> (52 - DIGIT))
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
        totals = [0] * self.groups
        lowest = min(self.digits, default=0)
        for level, digit in self.digits.items():
            up = (level - lowest) * DIGIT
            for group, units in enumerate(digit.tolist()):
                totals[group] += units << up
        unit = Fraction(2) ** (LOWEST + lowest * DIGIT)
        return [units * unit for units in totals]

    def nearly(self) -> FloatArray:
        """The sum of each group to within 3 units in its last place, the same however it came about; for many groups.

        Infinities and NaN are left out.
        """
        totals = np.zeros(self.groups)
        with np.errstate(over="ignore", invalid="ignore"):
            for level, digit in sorted(_carried(self.digits).items(), reverse=True):
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


def _of_block(values: FloatArray, starts: IntArray) -> tuple[Digits, IntArray]:
    """The sums of a block of up to 2^15 values, by run, and how many of each run are +inf, -inf and NaN, ``(runs, 3)``.

    A run is a group's rows beside each other: from one entry of ``starts`` to the next.
    """
    low, high = float(values.min()), float(values.max())
    infinite = np.zeros((len(starts), 3), dtype=np.int64)
    if not (math.isfinite(low) and math.isfinite(high)):
        for kind, mask in enumerate((values == np.inf, values == -np.inf, np.isnan(values))):
            infinite[:, kind] = np.add.reduceat(mask, starts, dtype=np.int64)
        values = np.where(np.isfinite(values), values, 0.0)
        low, high = float(values.min()), float(values.max())
    return _digits(values, starts, low, high), infinite


def _digits(values: FloatArray, starts: IntArray, low: float, high: float) -> Digits:
    """The exact sums of the runs of up to 2^15 finite numbers between two bounds."""
    largest = max(-low, high)
    if SMALLEST < largest < HUGE:
        return _folded(values, starts, low, high)
    digits: Digits = {}
    run = _runs(starts, len(values))
    if largest >= HUGE:
        # Near overflow the rounding constant would not exist: take such values down by four levels first.
        huge = np.where(np.abs(values) >= HUGE, values, 0.0)
        _extract(huge * 2.0 ** (-4 * DIGIT), run, len(starts), digits, up=4)
        values = values - huge
    _extract(values, run, len(starts), digits)
    return digits


def _runs(starts: IntArray, n: int) -> IntArray:
    """The run that each of ``n`` rows is in."""
    return np.repeat(np.arange(len(starts)), _sizes(starts, n))


def _sizes(starts: IntArray, n: int) -> IntArray:
    """How many rows each run has."""
    sizes = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=sizes[:-1])
    sizes[-1] = n - starts[-1]
    return sizes


def _folded(values: FloatArray, starts: IntArray, low: float, high: float) -> Digits:
    """As `_digits`, in two folds: for numbers the largest of which is between `SMALLEST` and `HUGE` in size."""
    exponent = math.frexp(max(-low, high))[1] - 2 * FOLD
    sizes = _sizes(starts, len(values))
    units: list[IntArray] = []
    rest = values
    for fold in (FOLD, 0):
        magic = np.float64(math.ldexp(1.5, 52 + exponent + fold))
        shifted = rest + magic
        # The sums of the bits wrap around; those of the multiples do not.
        units.append(np.add.reduceat(shifted.view(np.int64), starts) - sizes * magic.view(np.int64))
        shifted -= magic
        if fold:
            rest = np.subtract(rest, shifted, out=shifted)
    high_units, low_units = units
    if len(starts) == 1:
        digits = digits_of((int(high_units[0]) << FOLD) + int(low_units[0]), exponent)
    else:
        digits = {}
        _add_units(digits, high_units, exponent + FOLD)
        _add_units(digits, low_units, exponent)
    # Only what is so small that its last bit is below the unit has something left.
    bound = math.ldexp(1.0, exponent + 53)
    if low >= bound:
        return digits
    small = np.flatnonzero((values if low >= 0 else np.abs(values)) < bound)
    remainder = rest[small] - shifted[small]
    small, remainder = small[remainder != 0], remainder[remainder != 0]
    if len(remainder):
        run = np.searchsorted(starts, small, "right") - 1
        new = np.flatnonzero(np.diff(run, prepend=-1))
        for level, digit in _digits(remainder, new, float(remainder.min()), float(remainder.max())).items():
            _add_digit(digits, level, regrouped(digit, run[new], len(starts)))
    return digits


def _add_units(digits: Digits, units: IntArray, exponent: int) -> None:
    """Add integers times a power of two to the digits, one a group."""
    level, up = divmod(exponent - LOWEST, DIGIT)
    _add_digit(digits, level, (units & ((1 << (DIGIT - up)) - 1)) << up)
    units = units >> (DIGIT - up)
    _add_digit(digits, level + 1, units & ((1 << DIGIT) - 1))
    _add_digit(digits, level + 2, units >> DIGIT)


def _add_digit(digits: Digits, level: int, digit: IntArray) -> None:
    """Add a digit, one a group, to those of a level; the arrays themselves stay as they are."""
    digits[level] = digits[level] + digit if level in digits else digit


def digits_of(total: int, exponent: int) -> Digits:
    """The digits of an integer times a power of two."""
    level, up = divmod(exponent - LOWEST, DIGIT)
    total <<= up
    digits: Digits = {}
    while total not in {0, -1}:
        digits[level] = np.array([total & ((1 << DIGIT) - 1)])
        total >>= DIGIT
        level += 1
    if total:
        digits[level] = np.array([-1])
    return digits


def _extract(values: FloatArray, run: IntArray, runs: int, digits: Digits, *, up: int = 0) -> None:
    """Add finite values at any scale to the digits of their runs, each ``up`` levels higher than its value says."""
    for start in range(0, len(values), DOUBLES):
        rest, places = values[start : start + DOUBLES], run[start : start + DOUBLES]
        largest = float(np.abs(rest).max())
        while largest > 0:
            level = (math.frexp(largest)[1] - 1 - LOWEST) // DIGIT
            unit = LOWEST + level * DIGIT
            magic = math.ldexp(1.5, 52 + unit)
            multiple = (rest + magic) - magic
            sums = np.ldexp(np.bincount(places, multiple, runs), -unit)
            _add_digit(digits, level + up, sums.astype(np.int64))
            rest = rest - multiple
            largest = max(-float(rest.min()), float(rest.max()))


def _carried(digits: Digits) -> Digits:
    """The same number with every digit but the highest within 38 bits."""
    carried: Digits = {}
    level, highest = min(digits, default=0), max(digits, default=-1)
    carry: IntArray | None = None
    while level <= highest or (carry is not None and carry.any()):
        digit = digits.get(level)
        total = carry if digit is None else digit if carry is None else digit + carry
        if total is not None:
            carry = total >> DIGIT
            carried[level] = total - (carry << DIGIT)
            if level >= highest and np.all((carry == 0) | (carry == -1)):
                # A negative number would borrow for ever: leave the sign in the highest digit.
                carried[level], carry = total, None
        level += 1
    return carried
