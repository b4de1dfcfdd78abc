"""From sums to estimates: what each row, or cluster of rows, moves a value by, or the difference of two.

A value is L = f(m), of the means m = Σwc/Σw of the numbers c of rows; row i moves it by u = w·Σ f′(c − m)/Σw, and
SE² = n/(n − 1)·Σu². Of a difference of two it is what the row moves one by less what it moves the other by, which is
the paired standard error, for any reduction and weight. Rows of a cluster move together: U is the sum over them, and
SE² = G/(G − 1)·ΣU². Of rows that are a series, of which each moves with the few before it, SE² is their long-run
variance: the test of Diebold & Mariano 1995, doi:10.1080/07350015.1995.10524599.
"""

import math
import operator
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray
from lossctl.rational import quotient, root_of_quotient, square_root, to_float
from lossctl.reduction import MEAN, ONE, ZERO, Reduction
from lossctl.sums.clusters import Totals
from lossctl.sums.cross_moments import pairs
from lossctl.sums.estimate import Estimate
from lossctl.sums.evidence import Pair
from lossctl.sums.extremes import Extremes
from lossctl.sums.moments import Total
from lossctl.sums.series import Lagged

NOISE = 2.0**96
"""Where squares are so many times a spread, or more, it may be 0 and a rest of rounding."""
FAR = 2.0**32
"""Squares are rounded, each to 2^-52 of itself, and so are differences. With this ratio of the moves of two models that
changes their correlation by 2^-18."""


@dataclass(frozen=True)
class Influence:
    """What moves a number: a linear function of what stands in a row, or summed over a cluster; exact."""

    row: Fraction
    """For each row."""
    weight: Fraction
    """For each unit of weight."""
    sums: tuple[Fraction, ...]
    """For each unit of wc of the numbers c of a row: of a difference ℓ_A and ℓ_B − ℓ_A, or all of A, then all of B,
    where a row has several."""

    def of_clusters(self, grouped: "Grouped") -> FloatArray:
        """What each cluster moves the number by; NaN where parts of that are beyond the doubles."""
        moved, columns = _times(self.row, grouped.totals.n), (grouped.weight, *grouped.sums)
        with np.errstate(all="ignore"):
            for factor, (values, exponent) in zip((self.weight, *self.sums), columns, strict=True):
                moved = moved + _times(factor * Fraction(2) ** exponent, values)
        return moved

    def largest(self, extremes: Extremes, group: int) -> float:
        """The most that one of the rows that were kept of a group moves the number by, below 0 where that is down.

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
        return _furthest(moved)


@dataclass(frozen=True)
class Grouped:
    """The sums by cluster of a group, those that a number depends on: numbers times a power of two."""

    totals: Totals
    weight: tuple[FloatArray, int]
    sums: tuple[tuple[FloatArray, int], ...]


def of_value(
    total: Total, reduction: Reduction, extremes: Extremes | None, group: int, grouped: Grouped | None
) -> Estimate:
    """A reported value, as an estimate.

    Args:
        total: the sums of the rows of a group.
        reduction: how they become one number.
        extremes: the outermost rows of each group; ``None`` where they are not known, as of clusters.
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
    reduction: Reduction,
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
    value = difference_of(baseline, candidate, reduction, ratio)
    influence = None
    if math.isfinite(value) and of_pair.special is None and not of_pair.beside.special and of_pair.n:
        influence = on_difference(baseline, candidate, reduction, ratio)
    if influence is None:
        return _estimate(value, candidate, math.nan, None, pair.extremes, group, grouped)
    error = _error_of_difference(baseline, candidate, of_pair, reduction, ratio)
    estimate = _estimate(value, of_pair, error, influence, pair.extremes, group, grouped)
    if lagged is None:
        return estimate
    error = _long_run(lagged, influence, error, weighted=pair.moments.weights is not None)
    return replace(estimate, standard_error=error, lags=lagged.lags)


def correlation(baseline: Total, candidate: Total, of_pair: Total, reduction: Reduction) -> float:
    """The correlation of what the same rows move both values by; NaN where one is not moved, or rounding hides it."""
    totals = (baseline, candidate, of_pair)
    if any(total.special is not None or total.beside.special or total.n < 2 for total in totals):
        return math.nan
    own, other = (total.slopes(reduction) for total in totals[:2])
    if own is None or other is None or reduction.takes == "spans":
        return math.nan
    if reduction.columns > 1:
        first, second = baseline.spread(own), candidate.spread(other)
        twice, several = 2 * _covariance(of_pair, own, other), True
    else:
        first, second, third = (_spread(total, reduction) for total in totals)
        twice, several = first + second - third, False
    for spread, slopes, total in zip((first, second), (own, other), totals, strict=False):
        squares = total.value_squares * slopes[0] ** 2 if several else total.value_squares
        if spread <= 0 or quotient(squares, spread) > NOISE:
            return math.nan
    ratio = root_of_quotient(first.numerator * second.denominator, first.denominator * second.numerator)
    if not several:  # V_A + V_B − V_D tells nothing where rounding of one of them, or of D, is more than what is left
        part = quotient(third, first) * quotient(of_pair.value_squares, second)
        if not (1.0 / FAR <= ratio <= FAR and part <= FAR**2):
            return math.nan
    return min(max(quotient(twice, first) * ratio / 2.0, -1.0), 1.0)


def _covariance(total: Total, own: Sequence[Fraction], other: Sequence[Fraction]) -> Fraction:
    """Σ w²(Σ slope·(c − m))·(Σ slope·(c − m)), of the numbers of one model and those of another."""
    columns, slopes = len(own), (*own, *other)
    means = [*map(operator.mul, slopes, total.means)]
    crossed = [*map(operator.mul, slopes, (total.weight_value, *total.beside.weighted))]
    products = zip(pairs(len(slopes)), total.beside.products, strict=True)
    both = sum((slopes[j] * slopes[k] * part for (j, k), part in products if j < columns <= k), ZERO)
    low, high = sum(means[:columns], ZERO), sum(means[columns:], ZERO)
    both -= high * sum(crossed[:columns], ZERO) + low * sum(crossed[columns:], ZERO)
    return both + low * high * total.weight_squares


def _estimate(
    value: float,
    total: Total,
    error: float,
    influence: Influence | None,
    extremes: Extremes | None,
    group: int,
    grouped: Grouped | None,
) -> Estimate:
    if grouped is None:
        units = total.effective_n
        largest = influence.largest(extremes, group) if influence is not None and extremes is not None else math.nan
        share = _share(largest, error, total.n)
        return Estimate(value, error, units - 1.0, total.n, units, None, share, pulled_down=largest < 0.0)
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
    moved = of_moves(value, influence.of_clusters(grouped), grouped.weight[0], n)
    return replace(moved, hashed=True) if grouped.totals.bucketed else moved


def of_moves(value: float, moved: FloatArray, weights: FloatArray, n: int) -> Estimate:
    """A number as an estimate.

    Args:
        value: the number.
        moved: what each of some clusters moves it by, ``(clusters,)``.
        weights: their weights.
        n: how many rows it is of.
    """
    count = len(moved)
    if count < 2:
        return Estimate(value, math.nan, count - 1.0, n, float(count), count, math.nan)
    length, largest = _length(np.abs(moved)), _furthest(moved)
    error = length * math.sqrt(count / (count - 1.0))
    part = weights / weights.max()
    units = math.fsum(part) ** 2 / math.fsum(part * part)
    share = (largest / length) ** 2 if length else 0.0
    return Estimate(value, error, count - 1.0, n, units, count, share, pulled_down=largest < 0.0)


def _furthest(moved: FloatArray) -> float:
    """The number furthest from 0; of two as far the one above; NaN where one is."""
    low, high = float(moved.min(initial=0.0)), float(moved.max(initial=0.0))
    return low if -low > high else high


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
    part = min(abs(largest) / error, 1.0)  # more comes of rounding, and its square may be no double
    return min(max(part**2 * n / (n - 1), 1.0 / n), 1.0) if not math.isnan(largest) else math.nan


def _spread(total: Total, reduction: Reduction = MEAN, slopes: Sequence[Fraction] = (ONE,)) -> Fraction:
    """Σ w²(Σ slope·(c − m))²; of a sum, in which rows count as they are, that of wℓ about its own mean."""
    if reduction.adds:
        return total.value_squares - total.sum_value**2 / max(total.n, 1)
    if total.equal or total.n < 2:
        return ZERO
    return total.spread(slopes)


def on_value(total: Total, reduction: Reduction) -> Influence | None:
    """The influence on a finite value of some rows; ``None`` where it is not known."""
    if reduction.adds:
        slope = 1 / total.divisor(reduction)
        return Influence(-slope * total.sum_value / total.n, ZERO, (slope,))
    slopes = total.slopes(reduction) if reduction.takes != "spans" else None
    return None if slopes is None else _averaged(total, slopes)


def _averaged(total: Total, slopes: Sequence[Fraction]) -> Influence:
    """The influence of rows on a number with these derivatives by the means."""
    whole = total.sum_weight
    level = sum((slope * mean for slope, mean in zip(slopes, total.means, strict=False)), ZERO)
    return Influence(ZERO, -level / whole, tuple(slope / whole for slope in slopes))


def difference_of(baseline: Total, candidate: Total, reduction: Reduction, ratio: float = 1.0) -> float:
    """The difference of two values, candidate less ``ratio`` times baseline; of exact numbers rounded once."""
    first, second = baseline.value(reduction), candidate.value(reduction)
    if not (math.isfinite(first) and math.isfinite(second) and candidate.n) or ratio != 1.0:
        return second - ratio * first
    exact = _exact_difference(baseline, candidate, reduction)
    return second - first if exact is None else to_float(exact)


def _exact_difference(baseline: Total, candidate: Total, reduction: Reduction) -> Fraction | None:
    """Candidate less baseline; ``None`` where one of them is no exact number."""
    if reduction.adds:
        before, after = (total.sum_value / total.divisor(reduction) for total in (baseline, candidate))
        return after - before
    first, second = (reduction.exact(total.figures(reduction)) for total in (baseline, candidate))
    return None if first is None or second is None else second - first


def on_difference(baseline: Total, candidate: Total, reduction: Reduction, ratio: float = 1.0) -> Influence | None:
    """The influence on a finite difference of two values, candidate less ``ratio`` times baseline, of the same rows.

    Args:
        baseline, candidate: the sums of both; of their squares nothing is asked.
        reduction: how rows become one number.
        ratio: what the baseline is multiplied with.
    """
    first, second, factor = on_value(baseline, reduction), on_value(candidate, reduction), Fraction(ratio)
    if first is None or second is None:
        return None
    row, weight = second.row - factor * first.row, second.weight - factor * first.weight
    if reduction.columns > 1:
        return Influence(row, weight, (*(-factor * part for part in first.sums), *second.sums))
    (low,), (high,) = first.sums, second.sums  # b·ℓ_B − a·ℓ_A is b·(ℓ_B − ℓ_A) + (b − a)·ℓ_A
    return Influence(row, weight, (high - factor * low, high))


def _error_of_difference(
    baseline: Total, candidate: Total, of_pair: Total, reduction: Reduction, ratio: float
) -> float:
    """The standard error of a difference whose influence is known, where rows are independent."""
    n = of_pair.n
    if not reduction.bends and ratio == 1.0:
        return of_pair.standard_error(reduction)
    if n < 2:
        return math.nan
    factor = Fraction(ratio)
    slopes = [total.slopes(reduction) or (ZERO,) * reduction.columns for total in (baseline, candidate)]
    whole = candidate.divisor(reduction)
    if reduction.columns > 1:
        squares = of_pair.spread([*(-factor * slope for slope in slopes[0]), *slopes[1]])
    else:
        # Σ(b·y − r·a·x)² with x = w(ℓ_A − m_A), y = w(ℓ_B − m_B), of which Σ(y − x)² is known too
        (low,), (high,) = slopes
        low *= factor
        spreads = [_spread(total, reduction) for total in (baseline, candidate, of_pair)]
        squares = (high - low) * (high * spreads[1] - low * spreads[0]) + low * high * spreads[2]
    return square_root(Fraction(n, n - 1) * squares / whole**2)


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
