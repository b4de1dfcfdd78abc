"""From sums to estimates: what each row, or cluster of rows, moves a value by, or the difference of two.

A value is L = g(Σwℓ/Σw); row i moves it by u = g′(m)·w(ℓ − m)/Σw, and SE² = n/(n − 1)·Σu². Of a difference of two it is
what the row moves one by less what it moves the other by, which is the paired standard error, for any reduction and
weight. Rows of a cluster move together: U is the sum over them, and SE² = G/(G − 1)·ΣU².
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lossctl.domain import FloatArray
from lossctl.sums.clusters import Totals
from lossctl.sums.estimate import Estimate
from lossctl.sums.evidence import Pair
from lossctl.sums.exact import square_root, to_float
from lossctl.sums.extremes import Extremes
from lossctl.sums.moments import Total


@dataclass(frozen=True)
class Influence:
    """What moves a number: a linear function of what stands in a row, or summed over a cluster."""

    row: float
    """For each row."""
    weight: float
    """For each unit of weight."""
    sums: tuple[float, ...]
    """For each unit of wℓ, or of wℓ_A and w(ℓ_B − ℓ_A)."""

    def of_clusters(self, totals: Totals, weight: FloatArray, sums: Sequence[FloatArray]) -> FloatArray:
        """What each cluster moves the number by."""
        moved = self.row * totals.n + self.weight * weight
        for factor, values in zip(self.sums, sums, strict=True):
            if factor:
                moved = moved + factor * values
        return moved

    def largest(self, extremes: Extremes, group: int) -> float:
        """The most that a single row of a group moves the number by."""
        weighted = extremes.point.shape[2] > len(self.sums)
        coefficients = [self.weight, *self.sums] if weighted else [*self.sums]
        return extremes.largest(group, coefficients, self.row if weighted else self.row + self.weight)


@dataclass(frozen=True)
class Grouped:
    """The sums by cluster of a group, those that a number depends on."""

    totals: Totals
    weight: FloatArray
    sums: tuple[FloatArray, ...]


def on_value(total: Total, reduction: str) -> Influence:
    """The influence on a finite value of some rows."""
    return Influence(*_of_value(total, reduction))


def of_value(total: Total, reduction: str, extremes: Extremes, group: int, grouped: Grouped | None) -> Estimate:
    """A reported value, as an estimate.

    Args:
        total: the sums of the rows of a group.
        reduction: how they become one number.
        extremes: the outermost rows of each group.
        group: which group.
        grouped: the same sums by cluster, where rows are not independent.
    """
    value = total.value(reduction)
    influence = on_value(total, reduction) if math.isfinite(value) and total.n else None
    return _estimate(value, total, total.standard_error(reduction), influence, extremes, group, grouped)


def of_difference(
    baseline: Total,
    candidate: Total,
    pair: Pair,
    of_pair: Total,
    reduction: str,
    group: int,
    grouped: Grouped | None,
    ratio: float = 1.0,
) -> Estimate:
    """The difference of two reported values, candidate less ``ratio`` times baseline, as an estimate.

    Args:
        baseline, candidate: the sums of the rows of a group, of both models.
        pair: what is known of their differences.
        of_pair: the sums of these.
        reduction: how rows become one number.
        group: which group.
        grouped: the sums by cluster, where rows are not independent.
        ratio: what the baseline is multiplied with.
    """
    if ratio != 1.0:
        return _of_ratio(baseline, candidate, pair, of_pair, reduction, group, grouped, ratio)
    value = difference_of(baseline, candidate, reduction)
    if not math.isfinite(value) or of_pair.special is not None or not of_pair.n:
        return _estimate(value, candidate, math.nan, None, pair.extremes, group, grouped)
    error = _error_of_difference(baseline, candidate, of_pair, value, reduction)
    influence = on_difference(baseline, candidate, value, reduction)
    return _estimate(value, of_pair, error, influence, pair.extremes, group, grouped)


def _of_ratio(
    baseline: Total,
    candidate: Total,
    pair: Pair,
    of_pair: Total,
    reduction: str,
    group: int,
    grouped: Grouped | None,
    ratio: float,
) -> Estimate:
    """As `of_difference`, where both values are far enough apart for nothing to cancel."""
    first, second = baseline.value(reduction), candidate.value(reduction)
    value = second - ratio * first
    if not math.isfinite(value) or of_pair.special is not None or not of_pair.n:
        return _estimate(value, candidate, math.nan, None, pair.extremes, group, grouped)
    influence = on_difference(baseline, candidate, value, reduction, ratio)
    (a,), (b,) = _of_value(baseline, reduction)[2], _of_value(candidate, reduction)[2]
    # Σ(b·y − r·a·x)² with x = w(ℓ_A − m_A), y = w(ℓ_B − m_B), of which Σ(y − x)² is known too
    low, high = Fraction(ratio) * Fraction(a), Fraction(b)
    spreads = [_spread(total, reduction) for total in (baseline, candidate, of_pair)]
    squares = (high - low) * (high * spreads[1] - low * spreads[0]) + low * high * spreads[2]
    n = of_pair.n
    error = square_root(Fraction(n, n - 1) * squares) if n > 1 else math.nan
    return _estimate(value, of_pair, error, influence, pair.extremes, group, grouped)


def correlation(baseline: Total, candidate: Total, of_pair: Total) -> float:
    """The correlation of what the same rows move both values by; NaN where one is not moved."""
    if any(total.special is not None or not total.n for total in (baseline, candidate, of_pair)):
        return math.nan
    first, second, third = _spread(baseline), _spread(candidate), _spread(of_pair)
    scale = square_root(first) * square_root(second)
    return min(max(to_float((first + second - third) / 2) / scale, -1.0), 1.0) if scale else math.nan


def _estimate(
    value: float,
    total: Total,
    error: float,
    influence: Influence | None,
    extremes: Extremes,
    group: int,
    grouped: Grouped | None,
) -> Estimate:
    if grouped is None:
        units = total.effective_n
        squares = error * error * (total.n - 1) / total.n if total.n else math.nan
        largest = influence.largest(extremes, group) if influence is not None else math.nan
        share = _share(largest * largest, squares)
        return Estimate(value, error, units - 1.0, total.n, units, None, share)
    return of_buckets(value, influence, total.n, grouped)


def _share(largest: float, squares: float) -> float:
    """A part of a sum of squares, of which nothing is nothing; never more than all of it, but for rounding."""
    return 0.0 if squares == 0.0 else min(largest / squares, 1.0)


def _spread(total: Total, reduction: str = "mean") -> Fraction:
    """Σ w²(ℓ − m)²; of a sum, in which rows count as they are, that of wℓ about its own mean."""
    if reduction == "sum":
        return total.value_squares - total.sum_value**2 / max(total.n, 1)
    if total.equal or total.n < 2:
        return Fraction(0)
    mean = total.sum_value / total.sum_weight
    return total.value_squares - 2 * mean * total.weight_value + mean**2 * total.weight_squares


def _of_value(total: Total, reduction: str) -> tuple[float, float, tuple[float]]:
    """The influence on a value."""
    if reduction == "sum":
        return to_float(-total.sum_value / total.n), 0.0, (1.0,)
    mean, weight = total.sum_value / total.sum_weight, to_float(total.sum_weight)
    slope = _slope(total, reduction)
    return 0.0, -to_float(mean) * slope / weight, (slope / weight,)


def _slope(total: Total, reduction: str) -> float:
    """dL/dm; 0 where a root has none, since all losses are 0 there."""
    if reduction == "mean":
        return 1.0
    root = square_root(total.sum_value / total.sum_weight)
    return 0.5 / root if root else 0.0


def difference_of(baseline: Total, candidate: Total, reduction: str) -> float:
    """The difference of two values, rounded once where both are finite."""
    first, second = baseline.value(reduction), candidate.value(reduction)
    if not (math.isfinite(first) and math.isfinite(second) and candidate.n):
        return second - first
    if reduction == "sum":
        return to_float(candidate.sum_value - baseline.sum_value)
    means = [total.sum_value / total.sum_weight for total in (baseline, candidate)]
    if reduction == "mean":
        return to_float(means[1] - means[0])
    return to_float(means[1] - means[0]) / (first + second) if first + second else 0.0


def on_difference(baseline: Total, candidate: Total, value: float, reduction: str, ratio: float = 1.0) -> Influence:
    """The influence on a finite difference of two values, candidate less ``ratio`` times baseline, of the same rows.

    Args:
        baseline, candidate: the sums of both; of their squares nothing is asked.
        value: the difference.
        reduction: how rows become one number.
        ratio: what the baseline is multiplied with.
    """
    if ratio != 1.0:
        first, second = (on_value(total, reduction) for total in (baseline, candidate))
        (a,), (b,) = first.sums, second.sums
        return Influence(second.row - ratio * first.row, second.weight - ratio * first.weight, (b - ratio * a, b))
    if reduction == "sum":
        return Influence(to_float((baseline.sum_value - candidate.sum_value) / candidate.n), 0.0, (0.0, 1.0))
    weight = to_float(candidate.sum_weight)
    if reduction == "mean":
        return Influence(0.0, -value / weight, (0.0, 1.0 / weight))
    # u_B − u_A with slopes b and a is b·w(ℓ_B − ℓ_A) + (b − a)·wℓ_A − (b·m_B − a·m_A)·w, all over Σw
    _, change, slope = _slopes(baseline, candidate, value, reduction)
    return Influence(0.0, -0.5 * value / weight, (to_float(change) / weight, to_float(slope) / weight))


def _slopes(baseline: Total, candidate: Total, value: float, reduction: str) -> tuple[Fraction, Fraction, Fraction]:
    """The slope of the baseline's root, what that of the candidate has more, and that; nothing cancels."""
    first, second = _slope(baseline, reduction), _slope(candidate, reduction)
    change = Fraction(-2.0 * first * second * value) if first and second else Fraction(second) - Fraction(first)
    return Fraction(first), change, Fraction(first) + change


def _error_of_difference(baseline: Total, candidate: Total, of_pair: Total, value: float, reduction: str) -> float:
    """The standard error of a difference where rows are independent."""
    if reduction != "root-mean":
        return of_pair.standard_error(reduction)
    n = of_pair.n
    if n < 2:
        return math.nan
    a, change, b = _slopes(baseline, candidate, value, reduction)
    squares = change * (b * _spread(candidate) - a * _spread(baseline)) + a * b * _spread(of_pair)
    return square_root(Fraction(n, n - 1) * squares / candidate.sum_weight**2)


def of_buckets(value: float, influence: Influence | None, n: int, grouped: Grouped) -> Estimate:
    """A number as an estimate, of what clusters, or buckets of them, move it by; ``None`` where that is not known."""
    count = len(grouped.totals.key)
    moved = None if influence is None else influence.of_clusters(grouped.totals, grouped.weight, grouped.sums)
    if moved is None or count < 2:
        return Estimate(value, math.nan, count - 1.0, n, float(count), count, math.nan)
    squared = moved * moved
    squares = math.fsum(squared)
    error = math.sqrt(count / (count - 1.0) * squares)
    weights = grouped.weight
    units = float(math.fsum(weights) ** 2 / math.fsum(weights * weights))
    return Estimate(value, error, count - 1.0, n, units, count, _share(float(squared.max()), squares))


def by_cluster(totals: Totals, sums: Sequence[int], weight: int | None) -> Grouped:
    """The sums by cluster that stand at some places; where no weight does, every row counts 1."""
    weights = totals.n if weight is None else totals.sums[weight]
    return Grouped(totals, np.asarray(weights), tuple(totals.sums[place] for place in sums))
