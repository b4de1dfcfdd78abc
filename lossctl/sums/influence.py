"""From sums to estimates: what each row, or cluster of rows, moves a value by, or the difference of two.

A value is L = g(Σwℓ/Σw); row i moves it by u = g′(m)·w(ℓ − m)/Σw, and SE² = n/(n − 1)·Σu². Of a difference of two it is
what the row moves one by less what it moves the other by, which is the paired standard error, for any reduction and
weight. Rows of a cluster move together: U is the sum over them, and SE² = G/(G − 1)·ΣU². Of rows that are a series, of
which each moves with the few before it, SE² is their long-run variance: the test of Diebold & Mariano 1995,
doi:10.1080/07350015.1995.10524599.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from lossctl.domain import FloatArray
from lossctl.sums.clusters import Totals
from lossctl.sums.estimate import Estimate
from lossctl.sums.evidence import Pair
from lossctl.sums.exact import parted_root, square_root, to_float
from lossctl.sums.extremes import Extremes
from lossctl.sums.moments import Total
from lossctl.sums.series import Lagged


@dataclass(frozen=True)
class Influence:
    """What moves a number: a linear function of what stands in a row, or summed over a cluster; exact."""

    row: Fraction
    """For each row."""
    weight: Fraction
    """For each unit of weight."""
    sums: tuple[Fraction, ...]
    """For each unit of wℓ, or of wℓ_A and w(ℓ_B − ℓ_A)."""

    def of_clusters(self, grouped: "Grouped") -> FloatArray:
        """What each cluster moves the number by; NaN where parts of that are beyond the doubles."""
        moved, columns = _times(self.row, grouped.totals.n), (grouped.weight, *grouped.sums)
        with np.errstate(all="ignore"):
            for factor, (values, exponent) in zip((self.weight, *self.sums), columns, strict=True):
                moved = moved + _times(factor * Fraction(2) ** exponent, values)
        return moved

    def largest(self, extremes: Extremes, group: int) -> float:
        """The most that one of the rows that were kept of a group moves the number by.

        Of sums, and of means of rows without weights, that is the most of all rows. Else it may be less, since rows are
        sought batch by batch with the coefficients that each by itself would give. NaN where a row has numbers that are
        no doubles.
        """
        points = extremes.kept(group)
        if points is None or not any(column.any() for column in points.T[-len(self.sums) :]):
            return math.nan
        weighted = extremes.point.shape[2] > len(self.sums)
        factors = [self.weight, *self.sums] if weighted else [*self.sums]
        moved = np.full(len(points), to_float(self.row if weighted else self.row + self.weight))
        with np.errstate(all="ignore"):
            for factor, column in zip(factors, points.T, strict=True):
                moved = moved + _times(factor, column)
        return float(np.abs(moved).max(initial=0.0))


@dataclass(frozen=True)
class Grouped:
    """The sums by cluster of a group, those that a number depends on: numbers times a power of two."""

    totals: Totals
    weight: tuple[FloatArray, int]
    sums: tuple[tuple[FloatArray, int], ...]


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
    lagged: Lagged | None = None,
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
        lagged: the sums of the series that rows are, where they are one; then ``ratio`` is 1.
    """
    if ratio != 1.0:
        return _of_ratio(baseline, candidate, pair, of_pair, reduction, group, grouped, ratio)
    value = difference_of(baseline, candidate, reduction)
    if not math.isfinite(value) or of_pair.special is not None or not of_pair.n:
        return _estimate(value, candidate, math.nan, None, pair.extremes, group, grouped)
    error = _error_of_difference(baseline, candidate, of_pair, reduction)
    influence = on_difference(baseline, candidate, reduction)
    estimate = _estimate(value, of_pair, error, influence, pair.extremes, group, grouped)
    if lagged is None:
        return estimate
    error = _long_run(lagged, influence, error, weighted=pair.moments.weights is not None)
    return replace(estimate, standard_error=error, lags=lagged.lags)


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
    influence = on_difference(baseline, candidate, reduction, ratio)
    (a,), (b,) = (on_value(total, reduction).sums for total in (baseline, candidate))
    factor = Fraction(ratio)
    # Σ(b·y − r·a·x)² with x = w(ℓ_A − m_A), y = w(ℓ_B − m_B), of which Σ(y − x)² is known too
    low, high = factor * a, b
    spreads = [_spread(total, reduction) for total in (baseline, candidate, of_pair)]
    squares = (high - low) * (high * spreads[1] - low * spreads[0]) + low * high * spreads[2]
    n = of_pair.n
    error = square_root(Fraction(n, n - 1) * squares) if n > 1 else math.nan
    return _estimate(value, of_pair, error, influence, pair.extremes, group, grouped)


def correlation(baseline: Total, candidate: Total, of_pair: Total, reduction: str) -> float:
    """The correlation of what the same rows move both values by; NaN where one is not moved."""
    if any(total.special is not None or not total.n for total in (baseline, candidate, of_pair)):
        return math.nan
    first, second, third = (_spread(total, reduction) for total in (baseline, candidate, of_pair))
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
        largest = influence.largest(extremes, group) if influence is not None else math.nan
        share = _share(largest, error, total.n)
        return Estimate(value, error, units - 1.0, total.n, units, None, share)
    return of_buckets(value, influence, total.n, grouped, error)


def of_buckets(
    value: float, influence: Influence | None, n: int, grouped: Grouped, error: float = math.nan
) -> Estimate:
    """A number as an estimate, of what clusters, or buckets of them, move it by.

    Args:
        value: the number.
        influence: on it; ``None`` where that is not known.
        n: how many rows it is of.
        grouped: the sums by cluster.
        error: the standard error if rows moved by themselves, where that is known.
    """
    count = len(grouped.totals.key)
    if influence is None or count < 2:
        return Estimate(value, math.nan, count - 1.0, n, float(count), count, math.nan)
    if error == 0.0:  # since no row moves it
        return Estimate(value, 0.0, count - 1.0, n, float(count), count, 0.0)
    return of_moves(value, influence.of_clusters(grouped), grouped.weight[0], n)


def of_moves(value: float, moved: FloatArray, weights: FloatArray, n: int) -> Estimate:
    """A number as an estimate.

    Args:
        value: the number.
        moved: what each of some clusters moves it by, ``(clusters,)``.
        weights: their weights.
        n: how many rows it is of.
    """
    count, sizes = len(moved), np.abs(moved)
    if count < 2:
        return Estimate(value, math.nan, count - 1.0, n, float(count), count, math.nan)
    length, largest = _length(sizes), float(sizes.max())
    error = length * math.sqrt(count / (count - 1.0))
    part = weights / weights.max()
    units = math.fsum(part) ** 2 / math.fsum(part * part)
    share = (largest / length) ** 2 if length else 0.0
    return Estimate(value, error, count - 1.0, n, units, count, share)


def _times(factor: Fraction, values: FloatArray) -> FloatArray:
    """The product of a number, which need not be a double, and others."""
    exponent = int(np.frexp(np.abs(values).max(initial=0.0))[1])
    return np.asarray(to_float(factor * Fraction(2) ** exponent) * np.ldexp(values, -exponent))


def _length(values: FloatArray) -> float:
    """√Σx², where squares need not be doubles."""
    most = float(np.abs(values).max())
    if not 0.0 < most < math.inf:
        return most
    part = values / most
    return most * math.sqrt(math.fsum(part * part))


def _share(largest: float, error: float, n: int) -> float:
    """The part of n/(n − 1)·Σu² = ``error``² that one u² is; NaN where it is not known. The largest of n is one nth."""
    if error == 0.0 or n < 2:
        return 0.0 if error == 0.0 else math.nan
    return min(max((largest / error) ** 2 * n / (n - 1), 1.0 / n), 1.0) if not math.isnan(largest) else math.nan


def _spread(total: Total, reduction: str = "mean") -> Fraction:
    """Σ w²(ℓ − m)²; of a sum, in which rows count as they are, that of wℓ about its own mean."""
    if reduction == "sum":
        return total.value_squares - total.sum_value**2 / max(total.n, 1)
    if total.equal or total.n < 2:
        return Fraction(0)
    mean = total.sum_value / total.sum_weight
    return total.value_squares - 2 * mean * total.weight_value + mean**2 * total.weight_squares


def on_value(total: Total, reduction: str) -> Influence:
    """The influence on a finite value of some rows."""
    if reduction == "sum":
        return Influence(-total.sum_value / total.n, Fraction(0), (Fraction(1),))
    factor = _slope(total, reduction) / total.sum_weight
    return Influence(Fraction(0), -total.sum_value / total.sum_weight * factor, (factor,))


def _root(total: Total) -> Fraction:
    """The root of the mean, which need not be a double; 0 where there is none."""
    if total.sum_value <= 0:
        return Fraction(0)
    number, exponent = parted_root(total.sum_value / total.sum_weight)
    return Fraction(number) * Fraction(2) ** exponent


def _slope(total: Total, reduction: str) -> Fraction:
    """dL/dm; 0 where a root has none, since all losses are 0 there."""
    if reduction == "mean":
        return Fraction(1)
    root = _root(total)
    return 1 / (2 * root) if root else Fraction(0)


def difference_of(baseline: Total, candidate: Total, reduction: str) -> float:
    """The difference of two values, rounded once where both are finite."""
    first, second = baseline.value(reduction), candidate.value(reduction)
    if not (math.isfinite(first) and math.isfinite(second) and candidate.n):
        return second - first
    return to_float(_exact_difference(baseline, candidate, reduction))


def _exact_difference(baseline: Total, candidate: Total, reduction: str) -> Fraction:
    if reduction == "sum":
        return candidate.sum_value - baseline.sum_value
    change = candidate.sum_value / candidate.sum_weight - baseline.sum_value / baseline.sum_weight
    if reduction == "mean":
        return change
    roots = _root(baseline) + _root(candidate)
    return change / roots if roots else Fraction(0)


def on_difference(baseline: Total, candidate: Total, reduction: str, ratio: float = 1.0) -> Influence:
    """The influence on a finite difference of two values, candidate less ``ratio`` times baseline, of the same rows.

    Args:
        baseline, candidate: the sums of both; of their squares nothing is asked.
        reduction: how rows become one number.
        ratio: what the baseline is multiplied with.
    """
    if ratio != 1.0:
        first, second, factor = on_value(baseline, reduction), on_value(candidate, reduction), Fraction(ratio)
        (low,), (high,) = first.sums, second.sums
        row, weight = second.row - factor * first.row, second.weight - factor * first.weight
        return Influence(row, weight, (high - factor * low, high))
    nothing, whole = Fraction(0), candidate.sum_weight
    if reduction == "sum":
        change = candidate.sum_value - baseline.sum_value
        return Influence(-change / candidate.n, nothing, (nothing, Fraction(1)))
    value = _exact_difference(baseline, candidate, reduction)
    if reduction == "mean":
        return Influence(nothing, -value / whole, (nothing, 1 / whole))
    # u_B − u_A with slopes b and a is b·w(ℓ_B − ℓ_A) + (b − a)·wℓ_A − (b·m_B − a·m_A)·w, all over Σw
    _, change, b = _slopes(baseline, candidate, value, reduction)
    return Influence(nothing, -value / 2 / whole, (change / whole, b / whole))


def _slopes(baseline: Total, candidate: Total, value: Fraction, reduction: str) -> tuple[Fraction, Fraction, Fraction]:
    """The slope of the baseline's root, what that of the candidate has more, and that; nothing cancels."""
    a, b = _slope(baseline, reduction), _slope(candidate, reduction)
    change = -2 * a * b * value if a and b else b - a
    return (a, change, a + change) if a < b else (b - change, change, b)  # the smaller may be next to nothing


def _error_of_difference(baseline: Total, candidate: Total, of_pair: Total, reduction: str) -> float:
    """The standard error of a difference where rows are independent."""
    if reduction != "root-mean":
        return of_pair.standard_error(reduction)
    n = of_pair.n
    if n < 2:
        return math.nan
    a, change, b = _slopes(baseline, candidate, _exact_difference(baseline, candidate, reduction), reduction)
    squares = change * (b * _spread(candidate) - a * _spread(baseline)) + a * b * _spread(of_pair)
    return square_root(Fraction(n, n - 1) * squares / candidate.sum_weight**2)


def _long_run(lagged: Lagged, influence: Influence, error: float, *, weighted: bool) -> float:
    """The standard error of rows that are a series; NaN where there are too few, or rounding hides it.

    Args:
        lagged: the sums of the series: of the weights where rows have any, of wℓ_A for roots, and of w(ℓ_B − ℓ_A).
        influence: on the difference.
        error: the standard error of rows that move by themselves.
        weighted: whether rows have weights.
    """
    row = influence.row if weighted else influence.row + influence.weight
    columns = [influence.weight] if weighted else []
    columns += influence.sums[len(columns) + len(influence.sums) - len(lagged.sums) :]
    variance = lagged.variance(row, columns)
    if variance is None or error == 0.0:
        return math.nan if variance is None else error
    return square_root(variance) if variance > 0 else math.nan


def by_cluster(totals: Totals, sums: Sequence[int], weight: int | None) -> Grouped:
    """The sums by cluster that stand at some places; where no weight does, every row counts 1."""
    weights = (totals.n, 0) if weight is None else totals.scaled(weight)
    return Grouped(totals, weights, tuple(totals.scaled(place) for place in sums))
