"""The figures of many groups at once: the bits of `Total`, wherever rounding is certain, and else by `Total`.

A sum is taken as two doubles, which tell it to 2^-100 of itself. Where the smallest and the largest number that a
figure may be round to one double, the exact one does as well (Ziv 1991, doi:10.1145/114697.116813).
"""

from collections.abc import Sequence

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import LEAST, BoolArray, FloatArray
from lossctl.rational import to_float
from lossctl.reduction import Mean, Reduction, RootMean, Sum
from lossctl.sums.digits import DIGIT, LOWEST, carried
from lossctl.sums.exact import ExactSum
from lossctl.sums.moments import Moments, Total
from lossctl.sums.weighted import Weights
from lossctl.two_doubles import product

FEW = 64
"""Fewer groups are as quick one by one."""
BLOCK = 1 << 14
"""Groups whose figures are made at a time."""
LARGE, SMALL = 2.0**300, 2.0**-300
"""Sums between these have squares and quotients of which nothing is lost."""
ERROR = 2.0**-97
"""How far off two doubles are of what they are made of, at most."""
FAR, NEAR = 2.0**70, 2.0**-70
"""Weighted sums between these have fourfold products of which nothing is lost."""
MOST = 1 << 17
"""Groups of fewer rows have n²(n − 1) as a double."""


@dataclass(frozen=True, eq=False)
class Figures:
    """What some groups come to, ``(groups,)`` each."""

    value: FloatArray
    """NaN of no rows."""
    standard_error: FloatArray
    sum_weight: FloatArray
    effective_n: FloatArray


def figures(moments: Moments, reduction: Reduction) -> Figures:
    """The figures of each group; as `Total` has them, to the bit."""
    groups = len(moments.n)
    if moments.columns is not None or not isinstance(reduction, Mean | RootMean) or groups < FEW:
        return _one_by_one(moments.result(), reduction)
    figures, certain = np.empty((4, groups)), np.empty(groups, dtype=bool)
    with np.errstate(all="ignore"):
        for start in range(0, groups, BLOCK):
            cut = slice(start, min(start + BLOCK, groups))
            part = moments.taken(cut)
            n = part.n.astype(np.float64)
            figures[:2, cut], certain[cut] = _rounded(n, part.sum_value, part.value_squares, reduction)
            figures[2:, cut] = n
            if part.weights is not None:
                figures[:, cut], sure = _weighted(n, part, part.weights, reduction, figures[:2, cut])
                certain[cut] = sure & (certain[cut] | (not reduction.adds)) & ~part.sum_value.infinite.any(axis=1)
    odd = np.flatnonzero(~certain)
    if len(odd):
        exact = _one_by_one(moments.taken(odd).result(), reduction)
        figures[:, odd] = exact.value, exact.standard_error, exact.sum_weight, exact.effective_n
    return Figures(*figures)


def _one_by_one(totals: Sequence[Total], reduction: Reduction) -> Figures:
    return Figures(
        np.array([total.value(reduction) if total.n else np.nan for total in totals], dtype=np.float64),
        np.array([total.standard_error(reduction) for total in totals], dtype=np.float64),
        np.array([to_float(total.sum_weight) for total in totals], dtype=np.float64),
        np.array([total.effective_n for total in totals], dtype=np.float64),
    )


def _rounded(
    n: FloatArray, total: ExactSum, squares: ExactSum, reduction: Reduction
) -> tuple[tuple[FloatArray, FloatArray], BoolArray]:
    """Values and standard errors of rows without weights, and where both are certain.

    Args:
        n: how many rows each group has.
        total, squares: Σℓ and Σℓ² of each; Σwℓ and Σw²ℓ² where what is reported is a sum.
        reduction: a mean, a sum, or the root of a mean.
    """
    sum_, sum_squares = _doubled(total), _doubled(squares)
    value, certain = _quotient(sum_, np.ones_like(n) if isinstance(reduction, Sum) else n)
    # n/(n − 1) · Σ(ℓ − m)² is N/(n − 1), where N = nΣℓ² − (Σℓ)²
    spread = _spread(n, sum_, sum_squares)
    if isinstance(reduction, RootMean):
        divisor, error = product(4.0 * n * (n - 1.0), sum_.high)
        squared, sure = _quotient(spread, divisor, error + 4.0 * n * (n - 1.0) * sum_.low)
        none = (sum_.high == 0.0) & (sum_.error == 0.0)  # where a root has no slope
        squared, sure = np.where(none, 0.0, squared), sure | none
        value, certain = np.sqrt(value), certain & (sum_.high >= 0.0)
    else:
        squared, sure = _quotient(spread, (n - 1.0) if isinstance(reduction, Sum) else n * n * (n - 1.0))
    certain &= (sure & (squared >= 0.0)) | (n < 2)
    certain &= (n > 0) & (n < MOST) & ~total.infinite.any(axis=1)
    return (value, np.where(n < 2, np.nan, np.sqrt(squared))), certain


def _weighted(
    n: FloatArray, moments: Moments, weights: Weights, reduction: Reduction, sums: FloatArray
) -> tuple[tuple[FloatArray, ...], BoolArray]:
    """Values, standard errors, Σw and (Σw)²/Σw² of rows with weights, and where all are certain.

    Args:
        n: how many rows each group has.
        moments, weights: their sums.
        reduction: a mean, a sum, or the root of a mean.
        sums: values and standard errors of sums, which are those of rows without weights.
    """
    total, squares = _doubled(moments.sum_value), _doubled(moments.value_squares)
    weight, heavy, cross = (_doubled(part) for part in (weights.total, weights.squares, weights.cross))
    weight_squared = _times(weight, weight)
    effective, certain = _ratio(weight_squared, heavy)
    certain &= weight.high + (weight.low - weight.error) == weight.high + (weight.low + weight.error)
    certain &= (n > 0) & (n < MOST)
    value, error = sums
    if not reduction.adds:
        value, sure = _ratio(total, weight)
        certain &= sure
        # n/(n − 1) · (Σw²ℓ²·(Σw)² − 2·Σw²ℓ·Σwℓ·Σw + Σw²·(Σwℓ)²) / (Σw)⁴
        crossed = _times(_times(cross, total), weight.by(-2.0))
        spread = _plus(_plus(_times(squares, weight_squared), crossed), _times(heavy, _times(total, total)))
        fourfold = _times(weight_squared, weight_squared)
        if isinstance(reduction, RootMean):
            fourfold = _times(_times(weight_squared, weight), total.by(4.0))
            value, certain = np.sqrt(value), certain & (total.high > 0.0)
        squared, sure = _ratio(_times(spread, _whole(n)), _times(fourfold, _whole(n - 1.0)))
        error = np.where(n < 2, np.nan, np.where(weights.low == weights.high, 0.0, np.sqrt(squared)))
        certain &= (sure & (squared > 0.0)) | (n < 2) | (weights.low == weights.high)
        for part in (total, squares, weight, heavy, cross):
            size = np.abs(part.high)
            certain &= ((size > NEAR) & (size < FAR)) | ((size == 0.0) & (part.error == 0.0))
    return (value, error, weight.high, effective), certain


@dataclass(frozen=True, eq=False)
class _Doubled:
    """Numbers as two doubles each, of which the first is the nearest."""

    high: FloatArray
    low: FloatArray
    error: FloatArray
    """By how much they may be off; 0 where they are not."""

    def by(self, power: float) -> "_Doubled":
        """The same numbers times a power of two, or its negative."""
        return _Doubled(power * self.high, power * self.low, abs(power) * self.error)


def _whole(numbers: FloatArray) -> _Doubled:
    """Numbers as they are."""
    return _Doubled(numbers, np.zeros_like(numbers), np.zeros_like(numbers))


def _times(one: _Doubled, other: _Doubled) -> _Doubled:
    """Products; exact where both are and their product is two doubles."""
    first, rest = product(one.high, other.high)
    high, low = _sum(first, rest + (one.high * other.low + one.low * other.high))
    exact = (one.low == 0.0) & (other.low == 0.0) & (one.error == 0.0) & (other.error == 0.0)
    error = ERROR * np.abs(high) + 2.0 * (one.error * np.abs(other.high) + other.error * np.abs(one.high))
    return _Doubled(high, low, np.where(exact, 0.0, error))


def _plus(one: _Doubled, other: _Doubled) -> _Doubled:
    """Sums, which may cancel."""
    first, rest = _sum(one.high, other.high)
    high, low = _sum(first, rest + (one.low + other.low))
    exact = (one.low == 0.0) & (other.low == 0.0) & (one.error == 0.0) & (other.error == 0.0)
    error = ERROR * (np.abs(one.high) + np.abs(other.high)) + one.error + other.error
    return _Doubled(high, low, np.where(exact, 0.0, error))


def _ratio(number: _Doubled, divisor: _Doubled) -> tuple[FloatArray, BoolArray]:
    """Numbers by others above 0, rounded once, and where that is certain."""
    off = 2.0 * np.abs(number.high / divisor.high) * divisor.error
    sized = _Doubled(number.high, number.low, number.error + off)
    value, certain = _quotient(sized, divisor.high, divisor.low)
    return value, certain & (divisor.high > 0.0)


def _doubled(exact: ExactSum) -> _Doubled:
    """Exact sums, as near as two doubles come."""
    digits = carried(exact.digits)
    high = low = lost = np.zeros(exact.groups)
    negative = exact.nearly() < 0.0
    if negative.any():  # of digits above 0 no sum is below its parts
        digits = carried({level: np.where(negative, -digit, digit) for level, digit in digits.items()})
    for level, digit in sorted(digits.items(), reverse=True):
        high, rest = _sum(high, np.ldexp(digit.astype(np.float64), LOWEST + level * DIGIT))
        low, rest = _sum(low, rest)
        lost = lost + np.abs(digit if level < 0 else rest)  # what is below the least double is lost as a whole
    high, low = _sum(high, low)
    sign = np.where(negative, -1.0, 1.0)
    return _Doubled(sign * high, sign * low, np.where(lost == 0.0, 0.0, ERROR * np.abs(high) + LEAST))


def _spread(n: FloatArray, total: _Doubled, squares: _Doubled) -> _Doubled:
    """NΣℓ² − (Σℓ)²."""
    first, rest = product(squares.high, n)
    second, error = product(total.high, total.high)
    exact = (squares.low == 0.0) & (total.low == 0.0) & (rest == 0.0) & (error == 0.0)
    exact &= (squares.error == 0.0) & (total.error == 0.0)
    high, low = _sum(first, -second)
    low = low + ((rest + squares.low * n) - (error + 2.0 * total.high * total.low))
    high, low = _sum(high, low)
    return _Doubled(high, low, np.where(exact, 0.0, ERROR * (first + second) + LEAST))


def _quotient(number: _Doubled, divisor: FloatArray, rest: FloatArray | None = None) -> tuple[FloatArray, BoolArray]:
    """Numbers by others, rounded once, and where that is certain.

    Args:
        number: what is divided.
        divisor: by what.
        rest: what is to be added to the divisor, which is rounded then.
    """
    nearest = number.high / divisor
    back, lost = product(nearest, divisor)
    left, over = _sum(number.high - back, -lost)
    left, more = _sum(left, number.low)
    exact = (number.error == 0.0) & (over + more == 0.0)
    left = left + (over + more)
    off = number.error / divisor
    if rest is not None:
        exact &= rest == 0.0
        left = left - nearest * rest
        off = off + ERROR * np.abs(nearest)
    correction = left / divisor
    back, lost = product(correction, divisor)
    exact &= (back == left) & (lost == 0.0)
    off = np.where(exact, 0.0, off + ERROR * np.abs(nearest) + 2.0**-45 * np.abs(correction))
    low, high = nearest + (correction - off), nearest + (correction + off)
    size = np.abs(number.high)
    return high, (low == high) & (((size > SMALL) & (size < LARGE)) | ((size == 0.0) & (number.error == 0.0)))


def _sum(one: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rounded sums, and what rounding took away: Knuth's, for numbers of any size."""
    total = one + other
    part = total - one
    return total, (one - (total - part)) + (other - part)
