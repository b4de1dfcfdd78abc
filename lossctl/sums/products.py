"""Sums of products and squares: a product of two doubles is exact as two of them."""

import numpy as np

from lossctl.domain import FloatArray, IntArray, distinct
from lossctl.sums.digits import BLOCK, DIGIT, products_by_group, slices
from lossctl.sums.exact import LARGE, SMALL, TINY, ExactSum
from lossctl.sums.state import Groups
from lossctl.two_doubles import product

FAR = 800
"""Sums of squares between 2^-`FAR` and 2^`FAR` lost nothing to underflow or overflow."""
PIECE = 1 << 13
"""Rows whose products are taken at a time."""
SPAN = 12
"""The levels that numbers with exponents of their own are summed in at a time."""


def exact_products(left: FloatArray, right: FloatArray, groups: Groups | None = None) -> ExactSum:
    """The exact sum of the exact products of finite numbers, by group, at any scale.

    Sums of squares end in differences (a variance is Σℓ² − (Σℓ)²/n): products rounded to a double would lose what a
    mean far from zero hides. Each product is a double and its rounding error.
    """
    sums = None if groups is None else products_by_group(left, right, groups)
    if sums is not None:
        return ExactSum(*sums)
    total = ExactSum.zero(1 if groups is None else groups.number)
    for cut in cuts(len(left), whole=groups is not None):
        first = left[cut]
        second = first if right is left else right[cut]
        if _moderate(first) and (second is first or _moderate(second)):
            for term in _piecewise(first, second):
                total = total + ExactSum.of(term, groups)
        else:
            first, exponents = parted(first)
            second, more = (first, exponents) if right is left else parted(second)
            for term in product(first, second):
                total = total + scaled_sum(term, exponents + more, groups)
    return total


def _piecewise(left: FloatArray, right: FloatArray) -> FloatArray:
    """As `product`, ``(2, n)``, of so many rows at a time that what is made of them stays in the cache."""
    terms = np.empty((2, len(left)))
    for piece in slices(len(left), PIECE):
        first = left[piece]
        terms[0, piece], terms[1, piece] = product(first, first if right is left else right[piece])
    return terms


def cuts(n: int, *, whole: bool) -> list[slice]:
    """The slices of ``n`` rows that are multiplied at a time: blocks that stay in the cache, or all rows."""
    return [*slices(n, max(n, 1) if whole else BLOCK)]


def parted(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """The significands of finite numbers, below 1 in size, and their exponents; 0 for what is not finite."""
    significands, exponents = np.frexp(np.where(np.isfinite(values), values, 0.0))
    return significands, exponents.astype(np.int64)


def scaled_sum(numbers: FloatArray, exponents: IntArray, groups: Groups | None = None) -> ExactSum:
    """The exact sum of numbers times powers of two, by group, which need not be doubles.

    Args:
        numbers: ``(n,)``, below 4 in size, with no bit below 2^-600; infinities and NaN are counted.
        exponents: the powers, ``(n,)``.
        groups: the groups of the numbers.
    """
    total = ExactSum.zero(1 if groups is None else groups.number)
    steps = exponents // (SPAN * DIGIT)
    for step in distinct(steps).tolist():
        here = steps == step
        up = np.where(here, exponents - step * SPAN * DIGIT, 0)
        total = total + ExactSum.of(np.ldexp(np.where(here, numbers, 0.0), up), groups).raised(step * SPAN)
    return total


def sum_of_products(left: FloatArray, right: FloatArray, groups: Groups | None = None) -> ExactSum:
    """The sum of products of non-negative numbers, by group, each rounded: for sums that do not end in a difference."""
    with np.errstate(all="ignore"):
        total = ExactSum.of(left * right, groups)
    if groups is None and (safe_squares(total) or not left.any()):
        return total
    if groups is not None and not total.infinite.any():
        sums = total.nearly()
        if ((sums > TINY) & (sums < 1 / TINY) | (groups.counts == 0)).all():
            return total
    return exact_products(left, right, groups)


def safe_squares(total: ExactSum) -> bool:
    """Whether a sum of rounded products, of a single group, lost nothing to underflow or overflow."""
    (units,), exponent = total.units()
    return not total.infinite.any() and units > 0 and abs(units.bit_length() + exponent) < FAR


def _moderate(values: FloatArray) -> bool:
    """Whether products of these numbers are exact as two doubles: none overflows, and no rounding error underflows."""
    size = np.abs(values)
    high = float(size.max())
    return high < LARGE and (float(size.min()) >= SMALL or not ((size < SMALL) & (size > 0)).any())
