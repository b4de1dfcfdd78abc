"""The reported value and its standard error, from exact sums."""

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import IntArray
from lossctl.rational import quotient, root_of_quotient, square_root, to_float
from lossctl.reduction import MEAN, ONE, ZERO, Reduction
from lossctl.sums import compiled
from lossctl.sums.centred import Centred, sum_and_squares
from lossctl.sums.cross_moments import NOTHING, Beside, CrossMoments, pairs
from lossctl.sums.exact import ExactSum
from lossctl.sums.products import parted, scaled_sum
from lossctl.sums.state import Far, Groups, Meeting, Rows, regrouped
from lossctl.sums.weighted import Weighed, Weights, far_products, weighted_sums
from lossctl.two_doubles import product


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
    beside: Beside = NOTHING
    """The sums of what rows have beside their loss."""

    @property
    def means(self) -> tuple[Fraction, ...]:
        """Σwc / Σw of each number that rows have, where there are rows."""
        return tuple(total / self.sum_weight for total in (self.sum_value, *self.beside.sums))

    def figures(self, reduction: Reduction) -> tuple[Fraction, ...]:
        """What a reduction takes."""
        if reduction.takes == "means":
            return self.means
        return (*self.means, *(map(Fraction, self.beside.spans) if reduction.takes == "spans" else [self.sum_weight]))

    def divisor(self, reduction: Reduction) -> Fraction:
        """What Σwc is divided by."""
        return reduction.divisor(self.n, self.sum_weight)

    @property
    def mean(self) -> float:
        """Σwℓ / Σw, correctly rounded; NaN of no rows."""
        return self.value(MEAN)

    def value(self, reduction: Reduction) -> float:
        """The reported number."""
        if self.special is not None:
            return reduction.at_infinity(self.special)
        if reduction.adds:
            return to_float(self.sum_value / self.divisor(reduction))
        if not self.n or self.beside.special:
            return math.nan
        return (
            reduction.value(self.figures(reduction)) if reduction.bends else quotient(self.sum_value, self.sum_weight)
        )

    def slopes(self, reduction: Reduction) -> tuple[Fraction, ...] | None:
        """Its derivative by each mean of a finite value; ``None`` where it has none."""
        return reduction.slopes(self.figures(reduction))

    def standard_error(self, reduction: Reduction) -> float:
        """The standard error of the reported number, by linearisation; NaN of fewer than two rows.

        For a weighted mean L it is that of a ratio: SE² = n/(n−1) · Σ w²(ℓ−L)² / (Σw)².
        """
        if self.n < 2 or self.special is not None or self.beside.special or reduction.takes == "spans":
            return math.nan
        if reduction.adds:
            correction = Fraction(self.n, self.n - 1)
            squares = correction * (self.value_squares - self.sum_value**2 / self.n)
            return square_root(squares / self.divisor(reduction) ** 2)
        if reduction.bends and math.isnan(self.value(reduction)):
            return math.nan
        if reduction.columns > 1:
            slopes, correction = self.slopes(reduction), Fraction(self.n, self.n - 1)
            return math.nan if slopes is None else square_root(correction * self.spread(slopes) / self.sum_weight**2)
        if self.equal:
            return 0.0
        spread, weight = self._spread()
        above, below = self.n * spread, (self.n - 1) * weight
        if reduction.bends:
            slope = reduction.squared_slope(self.sum_value / self.sum_weight)
            above, below = above * slope.numerator, below * slope.denominator
        return root_of_quotient(above, below)

    def _spread(self) -> tuple[int, int]:
        """Σ (w·(ℓ − m))² / (Σw)², as what is above and below the line: nothing is reduced, which takes long."""
        exact = self.sum_value, self.sum_weight, self.value_squares, self.weight_value, self.weight_squares
        unit = math.lcm(*[number.denominator for number in exact])
        total, weight, squares, cross, heavy = [number.numerator * (unit // number.denominator) for number in exact]
        return (squares * weight * weight + total * (total * heavy - 2 * cross * weight)) * unit, weight**4

    def spread(self, slopes: Sequence[Fraction]) -> Fraction:
        """Σ (w·Σⱼ slopeⱼ·(cⱼ − mⱼ))²."""
        means = self.means[: len(slopes)]
        level = sum((slope * mean for slope, mean in zip(slopes, means, strict=True)), ZERO)
        first, *others = slopes
        crossed = first * self.weight_value
        crossed += sum((slope * cross for slope, cross in zip(others, self.beside.weighted, strict=False)), ZERO)
        squares = first**2 * self.value_squares
        if others:
            for (j, k), products in zip(pairs(len(slopes)), self.beside.products, strict=True):
                squares += (1 if j == k else 2) * slopes[j] * slopes[k] * products
        return squares - 2 * level * crossed + level**2 * self.weight_squares

    def slope(self, reduction: Reduction) -> Fraction | float:
        """d(reported number) / d(Σ wℓ), which makes w·g the gradient of that number; NaN where the number is."""
        if self.n == 0:
            return ONE
        if reduction.adds:
            return 1 / self.divisor(reduction)
        if self.special is not None:
            slope = reduction.slope_at_infinity(self.special)
            return slope if math.isnan(slope) else Fraction(slope) / self.sum_weight
        if math.isnan(self.value(reduction)):
            return math.nan
        slopes = self.slopes(reduction)
        return math.nan if slopes is None else slopes[0] / self.sum_weight

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
    weights: Weights | None = None
    """``None`` when every row counts 1."""
    columns: CrossMoments | None = None
    """Of what rows have beside their value; ``None`` when they have nothing."""

    @classmethod
    def zero(cls, groups: int, *, weighted: bool, columns: int = 1) -> "Moments":
        """The moments of no rows, which have so many numbers."""
        empty = ExactSum.zero(groups)
        beside = CrossMoments.zero(columns - 1, groups, weighted=weighted) if columns > 1 else None
        return cls(np.zeros(groups, dtype=np.int64), empty, empty, Weights.zero(groups) if weighted else None, beside)

    @classmethod
    def lift(cls, rows: Rows) -> "Moments":
        """The moments of some rows."""
        if rows.others:
            columns = CrossMoments.lift(rows.value, rows.others, rows.weight, rows.groups, rows.ends)
            return replace(cls.lift(replace(rows, others=())), columns=columns)
        if rows.far is not None:
            return _with_far(rows, rows.far)
        value, weight, groups = rows.value, rows.weight, rows.groups
        n = np.array([len(value)]) if groups is None else groups.counts
        if weight is None:
            return cls(n, *sum_and_squares(value, groups))
        if groups is not None and compiled.kernels is None:  # once for the eight sums that NumPy makes of them
            value, weight, groups = groups.arranged(value), groups.arranged(weight), groups.in_order
        return cls(n, *weighted_sums(value, weight, groups))

    @classmethod
    def of(cls, sums: Centred | Weighed) -> "Moments":
        """The moments of rows that were added up as they came."""
        return cls(np.array([sums.n]), *sums.result())

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
        columns = self.columns
        if columns is not None and other.columns is not None:
            columns = columns + other.columns
        squares = self.value_squares + other.value_squares
        return Moments(self.n + other.n, self.sum_value + other.sum_value, squares, weights, columns)

    def met(self, other: "Moments", meeting: Meeting) -> "Moments":
        """The moments of both, by groups that meet."""
        if self.columns is not None:
            return meeting.both(self, other)
        weights = self.weights
        if weights is not None and other.weights is not None:
            weights = weights.met(other.weights, meeting)
        squares = self.value_squares.met(other.value_squares, meeting)
        return Moments(meeting.added(self.n, other.n), self.sum_value.met(other.sum_value, meeting), squares, weights)

    def regroup(self, index: IntArray, groups: int) -> "Moments":
        """The same moments, with group ``i`` at place ``index[i]`` of ``groups``."""
        weights = None if self.weights is None else self.weights.regroup(index, groups)
        columns = None if self.columns is None else self.columns.regroup(index, groups)
        value, squares = self.sum_value.regroup(index, groups), self.value_squares.regroup(index, groups)
        return Moments(regrouped(self.n, index, groups), value, squares, weights, columns)

    def taken(self, groups: IntArray | slice) -> "Moments":
        """The moments of some groups."""
        weights = None if self.weights is None else self.weights.taken(groups)
        columns = None if self.columns is None else self.columns.taken(groups)
        return Moments(self.n[groups], self.sum_value.taken(groups), self.value_squares.taken(groups), weights, columns)

    def pooled(self) -> "Moments":
        """The moments of all rows as those of a single group."""
        weights = None if self.weights is None else self.weights.pooled()
        columns = None if self.columns is None else self.columns.pooled()
        value, squares = self.sum_value.pooled(), self.value_squares.pooled()
        return Moments(self.n.sum(keepdims=True), value, squares, weights, columns)

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
        beside = [NOTHING] * len(counts) if self.columns is None else self.columns.result()
        return [
            Total(n, weight, value, self.sum_value.special(group), weights, square, cross, same, own)
            for group, (n, weight, weights, cross, value, square, same, own) in enumerate(
                zip(counts, *columns, values, squares, equal, beside, strict=True)
            )
        ]


def steady_sums(*, weighted: bool) -> Centred | Weighed:
    """What adds up the values of a single group as they come.

    Raises:
        TypeError: they have weights, and nothing is compiled.
    """
    if not weighted:
        return Centred()
    if compiled.kernels is None:
        raise TypeError("weighted sums that are not compiled")
    return Weighed(compiled.kernels)


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
