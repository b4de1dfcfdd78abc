"""Sums of products and squares: a product of two doubles is exact as two of them."""

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from lossctl.domain import FloatArray
from lossctl.sums.exact import BLOCK, CARRY, DIGIT, LARGE, RESCALE, SMALL, TINY, ExactSum, digits_of, to_float
from lossctl.sums.state import Groups


def exact_products(left: FloatArray, right: FloatArray, groups: Groups | None = None) -> ExactSum:
    """The exact sum of the exact products of finite numbers, by group, at any scale.

    Sums of squares end in differences (a variance is Σℓ² − (Σℓ)²/n): products rounded to a double would lose what a
    mean far from zero hides. Each product is a double and its rounding error (Dekker 1971, doi:10.1007/BF01397083).
    """
    if groups is not None:
        same = right is left
        left = groups.arranged(left)
        right = left if same else groups.arranged(right)
        groups = groups.in_order
    total = ExactSum.zero(1 if groups is None else groups.number)
    step = BLOCK if groups is None else max(len(left), 1)
    for start in range(0, len(left), step):
        cut = slice(start, start + step)
        for first, first_levels in _scaled(left[cut]):
            for second, second_levels in [(first, first_levels)] if right is left else _scaled(right[cut]):
                for term in _product(first, second):
                    sums = ExactSum.of(term, groups)
                    digits = {level + first_levels + second_levels: digit for level, digit in sums.digits.items()}
                    total = total + ExactSum(digits, sums.infinite, sums.blocks)
    return total


def centred_squares(values: FloatArray, total: ExactSum, groups: Groups | None = None) -> ExactSum:
    """The sum of the squares of numbers, by group, given their exact sum; infinite ones count as 0.

    Squares are taken about the mean, where they are small, and what the mean adds is added exactly: Σx² is
    Σ(x − m)² + 2m(Σx − nm) + nm². So only the first terms are rounded, and a variance, which is Σx² − (Σx)²/n, keeps
    its digits however far from zero the mean is. The last digit depends on which values are given together.
    """
    if groups is not None:
        return _centred_by_group(groups.arranged(values), groups.in_order)
    n = len(values)
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
    return ExactSum(digits_of(squares.numerator, exponent), np.zeros((1, 3), dtype=np.int64))


def _centred_by_group(values: FloatArray, groups: Groups) -> ExactSum:
    """As `centred_squares`, of values in the order of their groups."""
    n, starts = groups.sizes, groups.starts
    if not len(values):
        return ExactSum.zero(groups.number)
    with np.errstate(all="ignore"):
        mean = np.add.reduceat(values, starts) / n
        rest = values - np.repeat(mean, n)
        shift, lost = _product(2.0 * mean, np.add.reduceat(rest, starts))
        rest *= rest
        spread = np.add.reduceat(rest, starts)
    safe = (spread > TINY) & (spread < 1 / TINY) & (np.abs(mean) < LARGE) & (np.abs(mean) > SMALL) & (n < 1 << 20)
    if not safe.all():
        return exact_products(values, values, groups)
    per_group = Groups(groups.index, groups.number, ascending=True)
    square, error = (ExactSum.of(term, per_group) for term in _product(mean, mean))
    digits = {level: digit * groups.counts for level, digit in (square + error).digits.items()}
    squares = ExactSum(digits, square.infinite, CARRY // 2)
    return squares + ExactSum.of(spread, per_group) + ExactSum.of(shift, per_group) + ExactSum.of(lost, per_group)


def rounded_sum(values: FloatArray, groups: Groups | None = None) -> ExactSum:
    """The sum of non-negative numbers, by group, rounded: for sums that do not end in a difference."""
    sums = _sums(values, groups)
    return ExactSum.of_sums(sums) if np.isfinite(sums).all() else ExactSum.of(values, groups)


def sum_of_products(left: FloatArray, right: FloatArray, groups: Groups | None = None) -> ExactSum:
    """The sum of products of non-negative numbers, by group; rounded, for sums that do not end in a difference."""
    with np.errstate(all="ignore"):
        sums = _sums(left * right, groups)
    safe = (sums > TINY) & (sums < 1 / TINY)
    occurs = True if groups is None else groups.counts > 0
    if np.all(safe | ~np.asarray(occurs)) or (groups is None and not left.any()):
        return ExactSum.of_sums(sums)
    return exact_products(left, right, groups)


def _sums(values: FloatArray, groups: Groups | None) -> FloatArray:
    """The rounded sums of ``(n,)`` values, one a group."""
    if groups is None or not len(values):
        return np.full(1 if groups is None else groups.number, np.add.reduce(values))
    return groups.spread(np.add.reduceat(groups.arranged(values), groups.starts))


def _product(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The rounded products of two arrays, and what rounding took away; both are exact together."""
    rounded = first * second
    high, low = _halves(first)
    if first is second:
        return rounded, ((high * high - rounded) + 2.0 * high * low) + low * low
    top, bottom = _halves(second)
    return rounded, ((high * top - rounded) + high * bottom + low * top) + low * bottom


def _halves(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two numbers of 26 bits each that sum to the value: products of halves are exact."""
    spread = 134217729.0 * values
    high = spread - (spread - values)
    return high, values - high


def _scaled(values: FloatArray) -> Iterator[tuple[FloatArray, int]]:
    """The finite values as arrays that sum to them, each with the levels by which it was taken down.

    Usually that is one array. Values whose products would overflow or underflow are in arrays of their own, scaled.
    """
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
