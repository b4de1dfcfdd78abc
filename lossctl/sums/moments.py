"""The reported value and its standard error, from exact sums."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lossctl.domain import IntArray
from lossctl.sums.exact import ExactSum, square_root, to_float
from lossctl.sums.products import centred_squares, exact_products
from lossctl.sums.state import Rows, regrouped


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

    @property
    def mean(self) -> float:
        """Σwℓ / Σw, correctly rounded; NaN of no rows."""
        if self.n == 0 or self.special is not None:
            return math.nan if self.special is None else self.special
        return to_float(self.sum_value / self.sum_weight)

    def value(self, reduction: str) -> float:
        """The reported number."""
        if reduction == "sum":
            return to_float(self.sum_value) if self.special is None else self.special
        if reduction == "root-mean":
            if self.mean < 0:
                return math.nan
            return square_root(self.sum_value / self.sum_weight) if math.isfinite(self.mean) else self.mean
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
        root = self.value(reduction)
        if not math.isfinite(root):
            return math.nan if math.isnan(root) else 0.0
        return 1 / (2 * Fraction(root) * self.sum_weight) if root else 0.0

    @property
    def effective_n(self) -> float:
        """(Σw)² / Σw²."""
        return to_float(self.sum_weight**2 / self.weight_squares) if self.n else 0.0


@dataclass(frozen=True)
class Moments:
    """Counts and sums of the values of each group."""

    n: IntArray
    sum_value: ExactSum
    value_squares: ExactSum
    weighted: tuple[ExactSum, ExactSum, ExactSum] | None
    """Σw, Σw², Σw·wℓ; ``None`` when every row counts 1."""

    @classmethod
    def zero(cls, groups: int, *, weighted: bool) -> "Moments":
        """The moments of no rows."""
        empty = ExactSum.zero(groups)
        return cls(np.zeros(groups, dtype=np.int64), empty, empty, (empty, empty, empty) if weighted else None)

    @classmethod
    def lift(cls, rows: Rows) -> "Moments":
        """The moments of some rows."""
        value, weight, groups = rows.value, rows.weight, rows.groups
        n = np.array([len(value)]) if groups is None else groups.counts
        if groups is not None:
            value, weight = groups.arranged(value), None if weight is None else groups.arranged(weight)
            groups = groups.in_order
        if weight is None:
            total = ExactSum.of(value, groups)
            return cls(n, total, centred_squares(value, total, groups), None)
        with np.errstate(over="ignore"):
            value = weight * value
        weights = (
            ExactSum.of(weight, groups),
            exact_products(weight, weight, groups),
            exact_products(weight, value, groups),
        )
        return cls(n, ExactSum.of(value, groups), exact_products(value, value, groups), weights)

    def __add__(self, other: "Moments") -> "Moments":
        weighted = None
        if self.weighted is not None and other.weighted is not None:
            (a, b, c), (x, y, z) = self.weighted, other.weighted
            weighted = (a + x, b + y, c + z)
        squares = self.value_squares + other.value_squares
        return Moments(self.n + other.n, self.sum_value + other.sum_value, squares, weighted)

    def regroup(self, index: IntArray, groups: int) -> "Moments":
        """The same moments, with group ``i`` at place ``index[i]`` of ``groups``."""
        weighted = None
        if self.weighted is not None:
            a, b, c = (part.regroup(index, groups) for part in self.weighted)
            weighted = (a, b, c)
        value, squares = self.sum_value.regroup(index, groups), self.value_squares.regroup(index, groups)
        return Moments(regrouped(self.n, index, groups), value, squares, weighted)

    def shift(self, rows: int) -> "Moments":  # noqa: ARG002
        """The same moments: they do not care where their rows stand."""
        return self

    def result(self) -> list[Total]:
        """The exact sums of each group."""
        counts = self.n.tolist()
        values, squares = self.sum_value.exact(), self.value_squares.exact()
        ones = [Fraction(n) for n in counts]
        columns: Sequence[Sequence[Fraction]] = (ones, ones, values)
        if self.weighted is not None:
            columns = [part.exact() for part in self.weighted]
        return [
            Total(n, weight, value, self.sum_value.special(group), weights, square, cross)
            for group, (n, weight, weights, cross, value, square) in enumerate(
                zip(counts, *columns, values, squares, strict=True)
            )
        ]
