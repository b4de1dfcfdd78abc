"""The reported value and its standard error, from exact sums."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from lossctl.domain import IntArray
from lossctl.sums.exact import ExactSum, parted_root, quotient, square_root, to_float
from lossctl.sums.products import centred_squares, parted, product, scaled_sum
from lossctl.sums.state import Far, Groups, Rows, regrouped
from lossctl.sums.weighted import Weights, far_products, weighted_sums


@dataclass(frozen=True)
class Total:
    """The exact sums of one group, and the figures that follow from them."""

    n: int
    sum_weight: Fraction
    sum_value: Fraction
    """Σ wℓ."""
    special: float | None
    """Set when Σ wℓ is not finite."""
    weight_squares: Fraction
    value_squares: Fraction
    """Σ (wℓ)²."""
    weight_value: Fraction
    """Σ w·wℓ."""
    equal: bool = False
    """Whether the rows are known to have one and the same value: then a mean has no error, not even that of sums."""

    @property
    def mean(self) -> float:
        """Σwℓ / Σw, correctly rounded; NaN of no rows."""
        if self.n == 0 or self.special is not None:
            return math.nan if self.special is None else self.special
        return quotient(self.sum_value, self.sum_weight)

    def value(self, reduction: str) -> float:
        """The reported number."""
        if reduction == "sum":
            return to_float(self.sum_value) if self.special is None else self.special
        if reduction == "root-mean":
            if self.mean < 0:
                return math.nan
            finite = self.n > 0 and self.special is None
            return square_root(self.sum_value / self.sum_weight) if finite else self.mean
        return self.mean

    def standard_error(self, reduction: str) -> float:
        """The standard error of the reported number, by linearisation; NaN of fewer than two rows.

        For a weighted mean L it is that of a ratio: SE² = n/(n−1) · Σ w²(ℓ−L)² / (Σw)².
        """
        if self.n < 2 or self.special is not None:
            return math.nan
        correction = Fraction(self.n, self.n - 1)
        if reduction == "sum":
            return square_root(correction * (self.value_squares - self.sum_value**2 / self.n))
        mean = self.sum_value / self.sum_weight
        if self.equal:
            return math.nan if reduction == "root-mean" and mean < 0 else 0.0
        spread = self.value_squares - 2 * mean * self.weight_value + mean**2 * self.weight_squares
        squared = correction * spread / self.sum_weight**2
        if reduction == "root-mean":
            return math.nan if mean < 0 else square_root(squared / (4 * mean)) if mean else 0.0
        return square_root(squared)

    def slope(self, reduction: str) -> Fraction | float:
        """d(reported number) / d(Σ wℓ), which makes w·g the gradient of that number; NaN where the number is."""
        if reduction == "sum" or self.n == 0:
            return Fraction(1)
        if reduction == "mean":
            return 1 / self.sum_weight
        if self.special is not None or self.sum_value <= 0:
            return math.nan if math.isnan(self.value(reduction)) else 0.0
        number, exponent = parted_root(self.sum_value / self.sum_weight)  # which may be no double
        return 1 / (2 * Fraction(number) * Fraction(2) ** exponent * self.sum_weight)

    @property
    def effective_n(self) -> float:
        """(Σw)² / Σw²."""
        if not self.n:
            return 0.0
        if self.sum_weight == self.weight_squares:  # as without weights
            return to_float(self.sum_weight)
        return quotient(self.sum_weight**2, self.weight_squares)


@dataclass(frozen=True)
class Moments:
    """Counts and sums of the values of each group."""

    n: IntArray
    sum_value: ExactSum
    value_squares: ExactSum
    weights: Weights | None
    """``None`` when every row counts 1."""

    @classmethod
    def zero(cls, groups: int, *, weighted: bool) -> "Moments":
        """The moments of no rows."""
        empty = ExactSum.zero(groups)
        return cls(np.zeros(groups, dtype=np.int64), empty, empty, Weights.zero(groups) if weighted else None)

    @classmethod
    def lift(cls, rows: Rows) -> "Moments":
        """The moments of some rows."""
        if rows.far is not None:
            return _with_far(rows, rows.far)
        value, weight, groups = rows.value, rows.weight, rows.groups
        n = np.array([len(value)]) if groups is None else groups.counts
        if groups is not None:
            value, weight = groups.arranged(value), None if weight is None else groups.arranged(weight)
            groups = groups.in_order
        if weight is None:
            total = ExactSum.of(value, groups)
            return cls(n, total, centred_squares(value, total, groups), None)
        return cls(n, *weighted_sums(value, weight, groups))

    @classmethod
    def over_cells(cls, rows: Rows, cells: Rows) -> "Moments":
        """The moments of rows whose mean is over their cells, each with the weight of its row.

        Args:
            rows: their values are means over their cells, their weights multiplied by how many these are.
            cells: the values of single cells.
        """
        moments, single = cls.lift(rows), cls.lift(cells)
        if moments.weights is None:
            raise TypeError("rows that count once for each cell have weights")
        total = ExactSum.of(single.n.astype(np.float64), Groups(np.arange(len(single.n)), len(single.n)))
        total = total if single.weights is None else single.weights.total
        return replace(moments, sum_value=single.sum_value, weights=replace(moments.weights, total=total))

    def __add__(self, other: "Moments") -> "Moments":
        weights = self.weights
        if weights is not None and other.weights is not None:
            weights = weights + other.weights
        squares = self.value_squares + other.value_squares
        return Moments(self.n + other.n, self.sum_value + other.sum_value, squares, weights)

    def regroup(self, index: IntArray, groups: int) -> "Moments":
        """The same moments, with group ``i`` at place ``index[i]`` of ``groups``."""
        weights = None if self.weights is None else self.weights.regroup(index, groups)
        value, squares = self.sum_value.regroup(index, groups), self.value_squares.regroup(index, groups)
        return Moments(regrouped(self.n, index, groups), value, squares, weights)

    def pooled(self) -> "Moments":
        """The moments of all rows as those of a single group."""
        weights = None if self.weights is None else self.weights.pooled()
        return Moments(self.n.sum(keepdims=True), self.sum_value.pooled(), self.value_squares.pooled(), weights)

    def shift(self, rows: int) -> "Moments":  # noqa: ARG002
        """The same moments: they do not care where their rows stand."""
        return self

    def result(self) -> list[Total]:
        """The exact sums of each group."""
        counts = self.n.tolist()
        values, squares = self.sum_value.exact(), self.value_squares.exact()
        ones = [Fraction(n) for n in counts]
        columns: Sequence[Sequence[Fraction]] = (ones, ones, values)
        equal = [False] * len(counts)
        if self.weights is not None:
            columns = [part.exact() for part in (self.weights.total, self.weights.squares, self.weights.cross)]
            equal = (self.weights.low == self.weights.high).tolist()
        return [
            Total(n, weight, value, self.sum_value.special(group), weights, square, cross, same)
            for group, (n, weight, weights, cross, value, square, same) in enumerate(
                zip(counts, *columns, values, squares, equal, strict=True)
            )
        ]


def _with_far(rows: Rows, far: Far) -> Moments:
    """The moments of rows some of which have values that are no doubles."""
    value = rows.value.copy()
    value[far.row] = 0.0
    moments = Moments.lift(replace(rows, value=value, far=None))
    groups = None if rows.groups is None else Groups(rows.groups.code[far.row], rows.groups.number)
    if rows.weight is None:
        square, error = product(far.number, far.number)
        total = scaled_sum(far.number, far.exponent, groups)
        squares = scaled_sum(square, 2 * far.exponent, groups) + scaled_sum(error, 2 * far.exponent, groups)
        return replace(moments, sum_value=moments.sum_value + total, value_squares=moments.value_squares + squares)
    total, _, cross, squares = far_products(far.number, far.exponent, *parted(rows.weight[far.row]), groups)
    weights = moments.weights
    if weights is not None:
        # Values that are no doubles cannot be told to be equal.
        low, high = weights.low.copy(), weights.high.copy()
        present = 0 if groups is None else groups.index
        low[present], high[present] = -np.inf, np.inf
        weights = replace(weights, cross=weights.cross + cross, low=low, high=high)
    return Moments(moments.n, moments.sum_value + total, moments.value_squares + squares, weights)
