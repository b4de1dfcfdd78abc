"""Sums that are exact, and therefore do not depend on the order, the chunks or the threads.

The state is a fixed-point number: digits of 38 bits in int64, one array of them a level, one entry a group. A block is
taken apart level by level: with M = 1.5 · 2^52 units, ``(x + M) − M`` rounds x to a multiple of the unit, and the
remainders go to the next level. By group, the multiples of 2^14 values sum exactly in a double; without groups, the
bits of ``x + M`` are the multiple as an integer, and 2^15 of them sum exactly in an int64. (The extraction is that of
Rump, Ogita & Oishi 2008, doi:10.1137/050645671, on a fixed grid as in Demmel & Nguyen 2015,
doi:10.1109/TC.2014.2345391.)
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lossctl.domain import FloatArray
from lossctl.reduction import IntArray, regrouped

BLOCK = 1 << 14
"""Values by group that are summed in doubles at a time."""
LARGE_BLOCK = 1 << 15
"""Values of one group that are summed in integers at a time."""
FOLD = 46
"""Bits of a value that go into an integer sum of a large block."""
DIGIT = 38
LOWEST = -1074
"""The exponent of the unit of level 0, the smallest double."""
CARRY = 1 << 10
"""Block sums of 52 bits that an int64 digit can take before it must be carried."""
HUGE = 2.0**900
SMALLEST = 2.0**-800
"""Beyond these, the constants of a large block would not exist or be rounded."""
LARGE, SMALL = 2.0**450, 2.0**-450
"""Numbers whose products and their rounding errors neither overflow nor underflow."""
TINY = 2.0**-800
"""Sums of squares between this and its reciprocal lost nothing to underflow or overflow."""
RESCALE = 18
"""The levels by which others are moved before they are multiplied."""


@dataclass(frozen=True, eq=False)
class ExactSum:
    """The exact sum of doubles, one a group; infinities and NaN are counted apart."""

    digits: dict[int, IntArray]
    infinite: IntArray
    """Rows of shape ``(groups, 3)``: how many +inf, -inf, NaN."""
    blocks: int = 1

    @property
    def groups(self) -> int:
        """The number of groups."""
        return len(self.infinite)

    @classmethod
    def zero(cls, groups: int = 1) -> "ExactSum":
        """The sum of nothing."""
        return cls({}, np.zeros((groups, 3), dtype=np.int64), 0)

    @classmethod
    def of(cls, values: FloatArray, group: IntArray | None = None, groups: int = 1) -> "ExactSum":
        """The sum of ``(n,)`` values, by group; ``n`` may be anything."""
        total = cls.zero(groups)
        step = LARGE_BLOCK if group is None else BLOCK
        for start in range(0, len(values), step):
            part = None if group is None else group[start : start + step]
            total = total + cls._of_block(values[start : start + step], part, groups)
        return total

    @classmethod
    def of_runs(cls, values: FloatArray, group: IntArray) -> "ExactSum":
        """The sum of ``(n,)`` values by group, where groups come in order and none is empty: however many there are."""
        groups = int(group[-1]) + 1 if len(group) else 0
        digits: dict[int, IntArray] = {}
        infinite = np.zeros((groups, 3), dtype=np.int64)
        for start in range(0, len(values), BLOCK):
            part = group[start : start + BLOCK]
            here = slice(int(part[0]), int(part[-1]) + 1)
            block = cls._of_block(values[start : start + BLOCK], part - here.start, here.stop - here.start)
            for level, digit in block.digits.items():
                digits.setdefault(level, np.zeros(groups, dtype=np.int64))[here] += digit
            infinite[here] += block.infinite
        return cls(digits, infinite, -(-len(values) // BLOCK))

    @classmethod
    def _of_block(cls, values: FloatArray, group: IntArray | None, groups: int) -> "ExactSum":
        low, high = float(values.min()), float(values.max())
        infinite = np.zeros((groups, 3), dtype=np.int64)
        if not (math.isfinite(low) and math.isfinite(high)):
            masks = (values == np.inf, values == -np.inf, np.isnan(values))
            for kind, mask in enumerate(masks):
                infinite[:, kind] = mask.sum() if group is None else np.bincount(group[mask], minlength=groups)
            values = np.where(np.isfinite(values), values, 0.0)
            low, high = float(values.min()), float(values.max())
        digits: dict[int, IntArray] = {}
        largest = max(-low, high)
        if group is None and SMALLEST < largest < HUGE:
            return cls(_spread(*_folded(values, low, high)), infinite)
        if largest >= HUGE:
            # Near overflow the rounding constant would not exist: take such values down by four levels first.
            huge = np.where(np.abs(values) >= HUGE, values, 0.0)
            _extract(huge * 2.0 ** (-4 * DIGIT), group, groups, digits, up=4)
            values = values - huge
            largest = float(np.abs(values).max())
        for start in range(0, len(values), BLOCK):
            cut = slice(start, start + BLOCK)
            _extract(values[cut], None if group is None else group[cut], groups, digits)
        return cls(digits, infinite)

    def __add__(self, other: "ExactSum") -> "ExactSum":
        digits = dict(self.digits)
        for level, digit in other.digits.items():
            mine = digits.get(level)
            digits[level] = digit if mine is None else mine + digit
        blocks = self.blocks + other.blocks
        if blocks >= CARRY:
            digits, blocks = _carried(digits), 1
        return ExactSum(digits, self.infinite + other.infinite, blocks)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ExactSum)
            and self.exact() == other.exact()
            and np.array_equal(self.infinite, other.infinite)
        )

    __hash__ = None  # type: ignore[assignment]  # equal states may hold different digits

    def regroup(self, index: IntArray, groups: int) -> "ExactSum":
        """The same sums at other places."""
        digits = {level: regrouped(digit, index, groups) for level, digit in self.digits.items()}
        return ExactSum(digits, regrouped(self.infinite, index, groups), self.blocks)

    def gathered(self, index: IntArray, groups: int) -> "ExactSum":
        """The same sums at other places, where those that come to the same place are added up."""
        digits = {}
        for level, digit in _carried(self.digits).items():
            digits[level] = np.zeros(groups, dtype=np.int64)
            np.add.at(digits[level], index, digit)
        infinite = np.zeros((groups, 3), dtype=np.int64)
        if self.infinite.any():
            np.add.at(infinite, index, self.infinite)
        return ExactSum(digits, infinite, 1 + (len(index) >> (52 - DIGIT)))

    def shift(self, rows: int) -> "ExactSum":  # noqa: ARG002  (a sum does not care where its rows stand)
        """The same sum."""
        return self

    def exact(self) -> list[Fraction]:
        """The sum of the finite values of each group, with nothing rounded."""
        found = [0] * self.groups
        lowest = min(self.digits, default=0)
        for level, digit in self.digits.items():
            up = (level - lowest) * DIGIT
            for group, units in enumerate(digit.tolist()):
                found[group] += units << up
        unit = Fraction(2) ** (LOWEST + lowest * DIGIT)
        return [units * unit for units in found]

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
        return [to_float(sum_) if odd is None else odd for sum_, odd in zip(self.exact(), specials, strict=True)]


def _folded(values: FloatArray, low: float, high: float) -> tuple[int, int]:
    """The exact sum of up to 2^15 numbers between two bounds as an integer and the exponent of its unit."""
    exponent = math.frexp(max(-low, high))[1] - 2 * FOLD
    total = 0
    rest = values
    for fold in (FOLD, 0):
        magic = math.ldexp(1.5, 52 + exponent + fold)
        shifted = rest + magic
        # The sum of the bits wraps around; that of the multiples does not.
        multiples = int(np.add.reduce(shifted.view(np.int64))) - len(rest) * int(np.float64(magic).view(np.int64))
        total = (total << FOLD) + (multiples + (1 << 63)) % (1 << 64) - (1 << 63)
        shifted -= magic
        if fold:
            rest = np.subtract(rest, shifted, out=shifted)
    # Only what is so small that its last bit is below the unit has something left.
    bound = math.ldexp(1.0, exponent + 53)
    if low >= bound:
        return total, exponent
    small = np.flatnonzero((values if low >= 0 else np.abs(values)) < bound)
    left = rest[small] - shifted[small]
    left = left[left != 0]
    if not len(left):
        return total, exponent
    more, below = _folded(left, float(left.min()), float(left.max()))
    return (total << (exponent - below)) + more, below


def _spread(total: int, exponent: int) -> dict[int, IntArray]:
    """The digits of an integer times a power of two."""
    level, up = divmod(exponent - LOWEST, DIGIT)
    total <<= up
    digits: dict[int, IntArray] = {}
    while total not in {0, -1}:
        digits[level] = np.array([total & ((1 << DIGIT) - 1)])
        total >>= DIGIT
        level += 1
    if total:
        digits[level] = np.array([-1])
    return digits


def _extract(
    values: FloatArray,
    group: IntArray | None,
    groups: int,
    digits: dict[int, IntArray],
    *,
    up: int = 0,
    largest: float | None = None,
) -> None:
    """Add the digits of one block of finite values, taken ``up`` levels higher than they stand."""
    if largest is None:
        largest = float(np.abs(values).max())
    while largest > 0:
        level = (math.frexp(largest)[1] - 1 - LOWEST) // DIGIT
        unit = LOWEST + level * DIGIT
        magic = math.ldexp(1.5, 52 + unit)
        multiple = (values + magic) - magic
        sums = np.add.reduce(multiple, keepdims=True) if group is None else np.bincount(group, multiple, groups)
        place = level + up
        digit = np.ldexp(sums, -unit).astype(np.int64)
        digits[place] = digits[place] + digit if place in digits else digit
        values = values - multiple
        largest = max(-float(values.min()), float(values.max()))


def _carried(digits: dict[int, IntArray]) -> dict[int, IntArray]:
    """The same number with every digit but the highest within 38 bits."""
    carried: dict[int, IntArray] = {}
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


def to_float(exact: Fraction) -> float:
    """The nearest double, infinite where there is none."""
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def square_root(exact: Fraction) -> float:
    """The square root of an exact number, without overflow on the way; 0 for a negative one."""
    if exact <= 0:
        return 0.0
    half = (exact.numerator.bit_length() - exact.denominator.bit_length()) // 2
    return math.ldexp(math.sqrt(to_float(exact / Fraction(4) ** half)), half)


def exact_products(left: FloatArray, right: FloatArray, group: IntArray | None = None, groups: int = 1) -> ExactSum:
    """The exact sum of the exact products of finite numbers, at any scale.

    Sums of squares end in differences (a variance is Σℓ² − (Σℓ)²/n): products rounded to a double would lose what a
    mean far from zero hides. Each product is a double and its rounding error (Dekker 1971, doi:10.1007/BF01397083).
    """
    total = ExactSum.zero(groups)
    for start in range(0, len(left), BLOCK):
        cut = slice(start, start + BLOCK)
        part = None if group is None else group[cut]
        digits: dict[int, IntArray] = {}
        for one, up in _scaled(left[cut]):
            for other, more in [(one, up)] if right is left else _scaled(right[cut]):
                for term in _product(one, other):
                    _extract(term, part, groups, digits, up=up + more)
        total = total + ExactSum(digits, np.zeros((groups, 3), dtype=np.int64), 8)
    return total


def centred_squares(values: FloatArray, total: ExactSum, group: IntArray | None = None, groups: int = 1) -> ExactSum:
    """The sum of the squares of finite numbers, by group, given their exact sum.

    Squares are taken about the mean, where they are small, and what the mean adds is added exactly: Σx² is
    Σ(x − m)² + 2m(Σx − nm) + nm². So only the first term is rounded, and a variance, which is Σx² − (Σx)²/n, keeps its
    digits however far from zero the mean is. The last digit depends on which values are given together.
    """
    n = len(values)
    if group is not None:
        return _centred_by_group(values, group, groups)
    if not n or total.infinite.any():
        return exact_products(values, values)
    (sum_,) = total.exact()
    mean = to_float(sum_ / n)
    with np.errstate(over="ignore"):
        rest = values - mean
        rest *= rest
        spread = float(np.add.reduce(rest))
    if not TINY < spread < 1 / TINY:
        return exact_products(values, values)
    m = Fraction(mean)
    squares = Fraction(spread) + m * (2 * sum_ - n * m)
    exponent = 1 - squares.denominator.bit_length()
    return ExactSum(_spread(squares.numerator, exponent), np.zeros((1, 3), dtype=np.int64))


def _centred_by_group(values: FloatArray, group: IntArray, groups: int) -> ExactSum:
    n = np.bincount(group, minlength=groups)
    with np.errstate(all="ignore"):
        mean = np.bincount(group, values, groups) / np.maximum(n, 1)
        rest = values - mean[group]
        shift = 2.0 * mean * np.bincount(group, rest, groups)
        rest *= rest
        spread = np.bincount(group, rest, groups)
    safe = (spread > TINY) & (spread < 1 / TINY) & (np.abs(mean) < LARGE) & (n < BLOCK * BLOCK)
    if not np.all(safe | (n == 0)):
        return exact_products(values, values, group, groups)
    index = np.arange(groups)
    squares = exact_products(mean, mean, index, groups)
    centred = ExactSum({level: digit * n for level, digit in squares.digits.items()}, squares.infinite, BLOCK)
    return centred + ExactSum.of(np.concatenate([spread, shift]), np.concatenate([index, index]), groups)


def sum_of_products(left: FloatArray, right: FloatArray, group: IntArray | None = None, groups: int = 1) -> ExactSum:
    """The sum of products of non-negative numbers, by group; rounded, for sums that do not end in a difference."""
    with np.errstate(all="ignore"):
        products = left * right
        sums = np.asarray(
            np.add.reduce(products, keepdims=True) if group is None else np.bincount(group, products, groups),
            np.float64,
        )
    safe = (sums > TINY) & (sums < 1 / TINY)
    if not safe.all() and (group is not None or left.any()):
        return exact_products(left, right, group, groups)
    return ExactSum.of(sums, np.arange(groups), groups)


def _product(one: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The rounded product, and what rounding took away."""
    rounded = one * other
    high, low = _halves(one)
    if one is other:
        return rounded, ((high * high - rounded) + 2.0 * high * low) + low * low
    top, bottom = _halves(other)
    return rounded, ((high * top - rounded) + high * bottom + low * top) + low * bottom


def _halves(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two numbers of 26 bits each that sum to the value: products of halves are exact."""
    spread = 134217729.0 * values
    high = spread - (spread - values)
    return high, values - high


def _scaled(values: FloatArray) -> Iterator[tuple[FloatArray, int]]:
    """The finite values, apart those whose products would overflow or underflow: scaled, with the levels that takes."""
    size = np.abs(values)
    high = float(size.max())
    if math.isfinite(high) and high < LARGE and (float(size.min()) >= SMALL or not ((size < SMALL) & (size > 0)).any()):
        yield values, 0
        return
    large = (size >= LARGE) & np.isfinite(size)
    small = size < SMALL
    yield np.where(large | small | ~np.isfinite(size), 0.0, values), 0
    yield np.where(large, values, 0.0) * 2.0 ** (-RESCALE * DIGIT), RESCALE
    yield np.where(small, values, 0.0) * 2.0 ** (RESCALE * DIGIT), -RESCALE
