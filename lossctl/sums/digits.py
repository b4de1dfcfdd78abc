"""How doubles become digits of 38 bits: fold by fold, in NumPy or compiled, the same number either way.

With M = 1.5 · 2^52 units, ``x + M`` rounds x to a multiple of the unit, which is what its bits are as an integer, apart
from those of M; 2^15 such multiples of 46 bits sum exactly in an int64, and what rounding left goes to the next fold.
(The extraction is that of Rump, Ogita & Oishi 2008, doi:10.1137/050645671, on a fixed grid as in Demmel & Nguyen 2015,
doi:10.1109/TC.2014.2345391.)
"""

import math
from types import ModuleType

import numpy as np

from lossctl.domain import BoolArray, FloatArray, IntArray
from lossctl.sums import compiled
from lossctl.sums.state import Groups, none, regrouped

BLOCK = 1 << 14
"""Values that are summed in integers at a time: half of what they hold, so that temporaries are small."""
FOLD = 46
"""Bits of a value that go into an integer sum."""
DOUBLES = 1 << 14
"""Digits that sum exactly in a double."""
DIGIT = 38
LOWEST = -1074
"""The exponent of the unit of level 0, the smallest double."""
LEVELS = 60
"""More than there are in any sum."""
PIECE = 1 << 11
"""Rows of which the compiled sums by group ask to keep what is left."""
SPREAD = 6
"""The levels that two folds and what is carried beyond them are in."""
CARRY = 1 << 9
"""Block sums of 53 bits that an int64 digit can take twice before it must be carried."""
HUGE = 2.0**900
SMALLEST = 2.0**-800
"""Beyond these, the constants of a fold would not exist or be rounded."""

Digits = dict[int, IntArray]
"""By level, the digit of each group; those that are missing are 0."""
Sums = tuple[Digits, IntArray, int]
"""Digits; how many values of each group are +inf, -inf and NaN, ``(groups, 3)``; of how many blocks these are sums."""


def sums_of(values: FloatArray, groups: Groups | None) -> Sums:
    """The sums of ``(n,)`` values, by group."""
    kernels = compiled.kernels
    if kernels is None:
        return _blockwise(values, groups)
    return _compiled(kernels, values) if groups is None else _compiled_by_group(kernels, values, groups)


def _blockwise(values: FloatArray, groups: Groups | None) -> Sums:
    """As `sums_of`, in NumPy: the rows of each group are brought beside each other, and summed block by block."""
    if groups is None:
        starts, index, number = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), 1
    else:
        values, starts, index, number = groups.arranged(values), groups.starts, groups.index, groups.number
    digits: Digits = {}
    infinite = np.zeros((number, 3), dtype=np.int64)
    blocks = 0
    for start in range(0, len(values), BLOCK):
        stop = min(start + BLOCK, len(values))
        first, last = int(np.searchsorted(starts, start, "right")) - 1, int(np.searchsorted(starts, stop))
        present = index[first:last]
        runs = np.maximum(starts[first:last] - start, 0)
        block_digits, block_infinite = _of_block(values[start:stop], runs)
        if blocks == CARRY:
            digits, blocks = carried(digits), 1
        for level, digit in block_digits.items():
            if len(present) == number:
                add_digit(digits, level, digit)
            else:
                digits.setdefault(level, np.zeros(number, dtype=np.int64))[present] += digit
        if block_infinite.any():
            infinite[present] += block_infinite
        blocks += 1
    return digits, infinite, blocks


def _compiled(kernels: ModuleType, values: FloatArray) -> Sums:
    """As `sums_of`, of a single group."""
    digits, infinite = np.zeros(LEVELS, dtype=np.int64), np.zeros((1, 3), dtype=np.int64)
    kernels.total(np.ascontiguousarray(values), digits, infinite)
    return by_level(digits), infinite, 1


def _compiled_by_group(kernels: ModuleType, values: FloatArray, groups: Groups) -> Sums:
    """As `sums_of`, whatever the order of the rows."""
    values = np.ascontiguousarray(values)
    infinite = none(groups.number, 3)
    digits = _folded_by_group(kernels, values, groups)
    if digits is None and not math.isfinite(kernels.largest(values)):
        infinite = np.zeros((groups.number, 3), dtype=np.int64)
        for kind, mask in enumerate(_infinite(values)):
            infinite[:, kind] = np.bincount(groups.code[mask], minlength=groups.number)
        values = np.where(np.isfinite(values), values, 0.0)
        digits = _folded_by_group(kernels, values, groups)
    return _of_rest(values, groups) if digits is None else digits, infinite, 1


def squares_by_group(values: FloatArray, means: FloatArray, groups: Groups) -> Sums | None:
    """The sums of the rounded squares of values about the means of their groups; ``None`` where NumPy has to do it."""
    if compiled.kernels is None:
        return None
    digits = _folded_by_group(compiled.kernels, np.ascontiguousarray(values), groups, means)
    return None if digits is None else (digits, none(groups.number, 3), 1)


def _folded_by_group(
    kernels: ModuleType, values: FloatArray, groups: Groups, means: FloatArray | None = None
) -> Digits | None:
    """The sums of numbers by two folds; ``None`` of those of which the largest is too large or too small, or NaN.

    What they leave of some rows goes to two more, and to NumPy where it is too small for folds.
    """
    digits: Digits = {}
    waiting = [(values, groups.code, means)]
    for numbers, code, about in waiting:
        start, most = 0, PIECE + len(numbers) // 8
        while start < len(numbers):
            room = np.empty((SPREAD, groups.number), dtype=np.int64)
            left, left_code = np.empty(most), np.empty(most, dtype=np.int64)
            folded = kernels.sums_by(numbers, code, start, room.reshape(-1), left, left_code, about)
            if folded is None:
                break
            lowest, levels, start, count = folded
            for place in range(SPREAD):
                if levels >> place & 1:
                    add_digit(digits, lowest + place, room[place].copy())  # without the room of those that are 0
            if count:
                waiting.append((left[:count], left_code[:count], None))
        if not start and not digits:
            return None
        for level, digit in _of_rest(numbers[start:], Groups(code[start:], groups.number)).items():
            add_digit(digits, level, digit)
    return digits


def _of_rest(values: FloatArray, groups: Groups) -> Digits:
    """The sums of finite numbers of any size."""
    return carried(_blockwise(values, groups)[0]) if values.any() else {}


def by_level(digits: IntArray) -> Digits:
    """The digits of a single group, given from level 0 on."""
    return {level: digits[level : level + 1] for level in np.flatnonzero(digits).tolist()}


def _infinite(values: FloatArray) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Which values are +inf, -inf and NaN."""
    return values == np.inf, values == -np.inf, np.isnan(values)


def _of_block(values: FloatArray, starts: IntArray) -> tuple[Digits, IntArray]:
    """The sums of a block of values, by run, and how many of each run are +inf, -inf and NaN, ``(runs, 3)``.

    A run is a group's rows beside each other: from one entry of ``starts`` to the next.
    """
    low, high = float(values.min()), float(values.max())
    infinite = np.zeros((len(starts), 3), dtype=np.int64)
    if not (math.isfinite(low) and math.isfinite(high)):
        for kind, mask in enumerate(_infinite(values)):
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
            add_digit(digits, level, regrouped(digit, run[new], len(starts)))
    return digits


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
            add_digit(digits, level + up, sums.astype(np.int64))
            rest = rest - multiple
            largest = max(-float(rest.min()), float(rest.max()))


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
