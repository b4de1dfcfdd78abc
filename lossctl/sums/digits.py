"""How doubles become digits of 38 bits: fold by fold, in NumPy or compiled, the same number either way.

With M = 1.5 · 2^52 units, ``x + M`` rounds x to a multiple of the unit, which is what its bits are as an integer, apart
from those of M; 2^16 such multiples of 46 bits sum exactly in an int64, and what rounding left goes to the next fold.
(The extraction is that of Rump, Ogita & Oishi 2008, doi:10.1137/050645671, on a fixed grid as in Demmel & Nguyen 2015,
doi:10.1109/TC.2014.2345391.)
"""

import math
from collections.abc import Iterator
from types import ModuleType

import numpy as np

from lossctl.domain import BoolArray, FloatArray, IntArray, span_of
from lossctl.sums import compiled
from lossctl.sums.numbering import found
from lossctl.sums.state import Groups, none

BLOCK = 1 << 15
"""Values that are summed in NumPy at a time: few calls, and all that is made of them stays in the cache."""
FOLD = 46
"""Bits of a value that go into an integer sum."""
DIGIT = 38
LOWEST = -1074
"""The exponent of the unit of level 0, the smallest double."""
LEVELS = 60
"""More than there are in any sum."""
PIECE = 1 << 12
"""Numbers of which the compiled sums by group ask to keep what is left, two a row."""
SPREAD = 8
"""The levels that four folds and what is carried beyond them are in."""
SQUARED, WEIGHTED = 2, 5
"""How many sums the compiled ones by group are at once, without and with weights."""
CARRY = 1 << 9
"""Block sums of 53 bits that an int64 digit can take twice before it must be carried."""
HUGE = 2.0**900
"""From here on, the constant of a fold would not exist: such numbers are taken"""
UP = 4
"""levels down, and their digits up again."""
SMALLEST = 2.0**-800
"""Down to here, two folds that are compiled have all their bits above those of the smallest double."""

Digits = dict[int, IntArray]
"""By level, the digit of each group; those that are missing are 0."""
Sums = tuple[Digits, IntArray, int]
"""Digits; how many values of each group are +inf, -inf and NaN, ``(groups, 3)``; of how many blocks these are sums."""


def sums_of(values: FloatArray, groups: Groups | None) -> Sums:
    """The sums of ``(n,)`` values, by group."""
    kernels = compiled.kernels
    if kernels is None:
        return _in_numpy(values, groups)
    return _compiled(kernels, values) if groups is None else _compiled_by_group(kernels, values, groups)


def _in_numpy(values: FloatArray, groups: Groups | None) -> Sums:
    """As `sums_of`, block by block."""
    if groups is not None:
        return _by_run(values, groups)
    total = BlockSum(workspace(values))
    for block in in_blocks(values):
        total.add(block, *span_of(block))
    return total.result()


def workspace(values: FloatArray) -> FloatArray:
    """Room for a block of some values, to be written over at each."""
    return np.empty(min(BLOCK, len(values)))


def slices(n: int, step: int = BLOCK) -> Iterator[slice]:
    """The slices of ``n`` rows that are looked at together: ``step`` of them each, but for the last."""
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def in_blocks(values: FloatArray) -> Iterator[FloatArray]:
    """Some values, block by block."""
    for rows in slices(len(values)):
        yield values[rows]


def _by_run(values: FloatArray, groups: Groups) -> Sums:
    """As `sums_of`, in NumPy: the rows of each group are brought beside each other, and summed in runs."""
    values, starts, index, number = groups.arranged(values), groups.starts, groups.index, groups.number
    digits: Digits = {}
    blocks, folds = 0, _Folds(workspace(values))
    for rows in slices(len(values)):
        block, start, stop = values[rows], rows.start, rows.stop
        first, last = int(np.searchsorted(starts, start, "right")) - 1, int(np.searchsorted(starts, stop))
        present, runs = index[first:last], np.maximum(starts[first:last] - start, 0)
        sizes = np.diff(runs, append=len(block))
        own: Digits = {}
        for bits, bias, exponent in folds.of(block, *span_of(block)):
            _add_units(own, np.add.reduceat(bits, runs) - sizes * bias, exponent)
        if blocks == CARRY:
            digits, blocks = carried(digits), 1
        for level, digit in own.items():
            if len(present) == number:
                add_digit(digits, level, digit)
            else:
                digits.setdefault(level, np.zeros(number, dtype=np.int64))[present] += digit
        blocks += 1
    infinite = _add_left(digits, folds, groups)
    return digits, infinite, blocks + 2


def _add_left(digits: Digits, folds: "_Folds", groups: Groups) -> IntArray:
    """Add what the folds of all rows left of some, by group; how many of these are +inf, -inf and NaN, by group."""
    number = groups.number
    infinite = np.zeros((number, 3), dtype=np.int64)
    for parts, up in ((folds.rest, 0), (folds.odd, UP)):
        if parts:
            values, rows = _taken(parts)
            code = groups.in_order.code[rows]
            if up:
                infinite = _infinite_by_group(values, code, number)
                values = _lowered(values)
            left, _, _ = _by_run(values, Groups(code, number, ascending=True))
            for level, digit in carried(left).items():
                add_digit(digits, level + up, digit)
    return infinite


class _Folds:
    """The folds of some blocks, and what they leave of a few values.

    Args:
        work: room for a block, which is written over.
    """

    def __init__(self, work: FloatArray) -> None:
        self.work = work
        self.rows = 0
        self.rest: list[tuple[FloatArray, IntArray]] = []
        """Numbers that are left, and of which rows."""
        self.odd: list[tuple[FloatArray, IntArray]] = []
        """The same of those that are infinite, NaN or too large."""

    def of(self, values: FloatArray, low: float, high: float) -> Iterator[tuple[IntArray, int, int]]:
        """Whole numbers times powers of two: the sums of these, and of what is left, are those of the values.

        Args:
            values: the next block.
            low, high: between which numbers they are; NaN where one is.

        Yields:
            A whole number for each value, up to 2^46 in size, with one and the same number added to each; that number;
            and the exponent. What is yielded is written over when the next is asked for.
        """
        start = self.rows
        self.rows += len(values)
        if not -HUGE < low <= high < HUGE:
            odd = np.flatnonzero(~(np.abs(values) < HUGE))
            self.odd.append((values[odd], start + odd))
            values = values.copy()
            values[odd] = 0.0
            low, high = span_of(values)
        if not low and not high:
            return
        shifted = self.work[: len(values)]
        bits, lowest = shifted.view(np.int64), max(math.frexp(max(-low, high))[1] - 2 * FOLD, LOWEST)
        coarse, fine = math.ldexp(1.5, 52 + lowest + FOLD), math.ldexp(1.5, 52 + lowest)
        np.add(values, coarse, out=shifted)
        yield bits, _bits_of_magic(lowest + FOLD), lowest + FOLD
        shifted -= coarse
        np.subtract(values, shifted, out=shifted)
        shifted += fine
        yield bits, _bits_of_magic(lowest), lowest
        # Only what is so small that its last bit is below the unit has something left.
        bound = math.ldexp(1.0, lowest + 53)
        if low >= bound:
            return
        below = (values if low >= 0 else np.abs(values)) < bound
        if low <= 0:
            below &= values != 0
        (small,) = below.nonzero()
        if len(small):
            rest = values[small]
            for magic in (coarse, fine):
                rest = rest - ((rest + magic) - magic)
            self.rest.append((rest, start + small))


def _taken(parts: list[tuple[FloatArray, IntArray]]) -> tuple[FloatArray, IntArray]:
    """What parts hold together, which are taken away."""
    values, rows = zip(*parts, strict=True)
    parts.clear()
    return np.concatenate(values), np.concatenate(rows)


def _lowered(values: FloatArray) -> FloatArray:
    """Finite numbers that are too large, `UP` levels down; 0 for others."""
    return np.where(np.isfinite(values), values, 0.0) * 2.0 ** -(UP * DIGIT)


class BlockSum:
    """The sum of a single group, in NumPy, of blocks that are added one by one.

    Args:
        work: room for a block, which is written over; several sums may share it.
    """

    def __init__(self, work: FloatArray) -> None:
        self.total = 0
        """In units of level 0."""
        self.folds = _Folds(work)

    def add(self, values: FloatArray, low: float, high: float) -> None:
        """Add up to `BLOCK` values, given between which numbers they are."""
        for bits, bias, exponent in self.folds.of(values, low, high):
            # The sums of the bits wrap around; those of the multiples do not.
            units = int(np.add.reduce(bits)) - len(values) * bias
            self.total += ((units + (1 << 63)) % (1 << 64) - (1 << 63)) << (exponent - LOWEST)

    def result(self) -> Sums:
        """The sum of all values."""
        while self.folds.rest:
            for block in in_blocks(_taken(self.folds.rest)[0]):
                self.add(block, *span_of(block))
        digits, infinite = digits_of(self.total, LOWEST), np.zeros((1, 3), dtype=np.int64)
        if self.folds.odd:
            values, _ = _taken(self.folds.odd)
            infinite[:] = [np.count_nonzero(mask) for mask in _infinite(values)]
            for level, digit in _in_numpy(_lowered(values), None)[0].items():
                add_digit(digits, level + UP, digit)
        return digits, infinite, 2


def _compiled(kernels: ModuleType, values: FloatArray) -> Sums:
    """As `sums_of`, of a single group."""
    digits, infinite = np.zeros(LEVELS, dtype=np.int64), np.zeros((1, 3), dtype=np.int64)
    kernels.total(np.ascontiguousarray(values), digits, infinite)
    return by_level(digits), infinite, 1


def _compiled_by_group(kernels: ModuleType, values: FloatArray, groups: Groups) -> Sums:
    """As `sums_of`, whatever the order of the rows."""
    values = np.ascontiguousarray(values)
    infinite = none(groups.number, 3)
    digits = _folded(kernels, values, groups)
    if digits is None and not math.isfinite(kernels.largest(values)):
        infinite = _infinite_by_group(values, groups.code, groups.number)
        values = np.where(np.isfinite(values), values, 0.0)
        digits = _folded(kernels, values, groups)
    return _of_rest(values, groups) if digits is None else digits[0], infinite, 1


def moments_by_group(values: FloatArray, weight: FloatArray | None, groups: Groups) -> list[Sums] | None:
    """The sums of what moments are made of, in one pass; ``None`` where they take more, or NumPy.

    They are those of the values and of their squares; of rows with weights those of w, wℓ, w², w²ℓ and w²ℓ².
    """
    if compiled.kernels is None:
        return None
    weight = None if weight is None else np.ascontiguousarray(weight)
    digits = _folded(
        compiled.kernels, np.ascontiguousarray(values), groups, weight, SQUARED if weight is None else WEIGHTED
    )
    return None if digits is None else [(own, none(groups.number, 3), 1) for own in digits]


def products_by_group(left: FloatArray, right: FloatArray, groups: Groups) -> Sums | None:
    """The sums of products; ``None`` where they take more than a pass, or NumPy."""
    if compiled.kernels is None:
        return None
    sides = np.ascontiguousarray(left), np.ascontiguousarray(right)
    digits = _folded(compiled.kernels, sides[0], groups, sides[1], SQUARED)
    return None if digits is None else (digits[1], none(groups.number, 3), 1)


def _folded(
    kernels: ModuleType, values: FloatArray, groups: Groups, weight: FloatArray | None = None, number: int = 1
) -> list[Digits] | None:
    """So many sums by two folds, of products by four; ``None`` of numbers too large or too small for them, or NaN.

    What they leave of some rows goes to two more, and to NumPy where it is too small for folds.
    """
    sums: list[Digits] = [{} for _ in range(number)]
    start, room = 0, PIECE + len(values) // 8
    while start < len(values):
        digits = np.empty((number, SPREAD, groups.number), dtype=np.int64)
        left, code = np.empty((number, room)), np.empty((number, room), dtype=np.int64)
        rows = values, weight, groups.code, start, number
        folded = kernels.sums_by(*rows, digits.reshape(-1), left.reshape(-1), code.reshape(-1))
        if folded is None:
            return None
        start, parts = folded
        for place, (lowest, levels, count) in enumerate(parts):
            for level in range(SPREAD):
                if levels >> level & 1:  # without the room of those that are 0
                    add_digit(sums[place], lowest + level, digits[place, level].copy())
            if count:
                rest, (present, some) = left[place, :count], found(code[place, :count], 0, groups.number)
                for level, digit in (_folded(kernels, rest, some) or [_of_rest(rest, some)])[0].items():
                    total = sums[place].setdefault(level, np.zeros(groups.number, dtype=np.int64))
                    total[present] += digit
    return sums


def _of_rest(values: FloatArray, groups: Groups) -> Digits:
    """The sums of finite numbers of any size."""
    return carried(_in_numpy(values, groups)[0]) if values.any() else {}


def by_level(digits: IntArray) -> Digits:
    """The digits of a single group, given from level 0 on."""
    return {level: digits[level : level + 1] for level in digits.nonzero()[0].tolist()}


def _infinite(values: FloatArray) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Which values are +inf, -inf and NaN."""
    return values == np.inf, values == -np.inf, np.isnan(values)


def _infinite_by_group(values: FloatArray, code: IntArray, number: int) -> IntArray:
    """How many of the values of each group are +inf, -inf and NaN, ``(number, 3)``."""
    return np.stack([np.bincount(code[mask], minlength=number) for mask in _infinite(values)], axis=1)


def _bits_of_magic(exponent: int) -> int:
    """The bits of 1.5 · 2^(52 + exponent)."""
    return (2 * (exponent + 52 + 1023) + 1) << 51


def _add_units(digits: Digits, units: IntArray, exponent: int) -> None:
    """Add integers times a power of two to the digits, one a group."""
    level, up = divmod(exponent - LOWEST, DIGIT)
    add_digit(digits, level, (units & ((1 << (DIGIT - up)) - 1)) << up)
    units = units >> (DIGIT - up)
    add_digit(digits, level + 1, units & ((1 << DIGIT) - 1))
    add_digit(digits, level + 2, units >> DIGIT)


def add_digit(digits: Digits, level: int, digit: IntArray) -> None:
    """Add a digit, one a group, to those of a level; the arrays themselves stay as they are."""
    digits[level] = digits[level] + digit if level in digits else digit


def digits_of(total: int, exponent: int) -> Digits:
    """The digits of an integer times a power of two."""
    zeros = (total & -total).bit_length() - 1 if total else 0
    level, up = divmod(exponent + zeros - LOWEST, DIGIT)
    total = (total >> zeros) << up
    digits: Digits = {}
    while total not in {0, -1}:
        digits[level] = np.array([total & ((1 << DIGIT) - 1)])
        total >>= DIGIT
        level += 1
    if total:
        digits[level] = np.array([-1])
    return digits


def carried(digits: Digits) -> Digits:
    """The same number with every digit but the highest within 38 bits."""
    within: Digits = {}
    level, highest = min(digits, default=0), max(digits, default=-1)
    carry: IntArray | None = None
    while level <= highest or (carry is not None and carry.any()):
        digit = digits.get(level)
        total = carry if digit is None else digit if carry is None else digit + carry
        if total is not None:
            carry = total >> DIGIT
            within[level] = total - (carry << DIGIT)
            if level >= highest and np.all((carry == 0) | (carry == -1)):
                # A negative number would borrow for ever: leave the sign in the highest digit.
                within[level], carry = total, None
        level += 1
    return within
