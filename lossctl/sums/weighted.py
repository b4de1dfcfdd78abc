"""Sums of weighted values, from products that are exact at any scale."""

import math
from types import ModuleType

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.sums import compiled
from lossctl.sums.digits import LEVELS, moments_by_group, slices
from lossctl.sums.exact import LARGE, SMALL, ExactSum
from lossctl.sums.products import PIECE, cuts, parted, scaled_sum
from lossctl.sums.state import Groups, Meeting
from lossctl.two_doubles import halved, lost

HEAVY, LIGHT = 2.0**225, 2.0**-225
"""Weights between these have squares that are exact as two doubles, and no product with a weighted value is lost."""


@dataclass(frozen=True)
class Weights:
    """Sums over the weights of the rows of each group, and between which numbers their values are."""

    total: ExactSum
    """Σ w, exact."""
    squares: ExactSum
    """Σ w², exact."""
    cross: ExactSum
    """Σ w²ℓ, each term to 32 digits, whatever rows it is added with."""
    low: FloatArray
    """The smallest value of each group; +∞ of no rows."""
    high: FloatArray
    """The largest; −∞ of no rows."""

    @classmethod
    def zero(cls, groups: int) -> "Weights":
        """The sums of no rows."""
        empty = ExactSum.zero(groups)
        return cls(empty, empty, empty, np.full(groups, np.inf), np.full(groups, -np.inf))

    def __add__(self, other: "Weights") -> "Weights":
        return Weights(
            self.total + other.total,
            self.squares + other.squares,
            self.cross + other.cross,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )

    def regroup(self, index: IntArray, groups: int) -> "Weights":
        """The same sums, with group ``i`` at place ``index[i]`` of ``groups``."""
        low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
        low[index], high[index] = self.low, self.high
        total, squares, cross = (part.regroup(index, groups) for part in (self.total, self.squares, self.cross))
        return Weights(total, squares, cross, low, high)

    def met(self, other: "Weights", meeting: Meeting) -> "Weights":
        """The sums of both, by groups that meet."""
        low, high = np.full(meeting.groups, np.inf), np.full(meeting.groups, -np.inf)
        low[: meeting.first], high[: meeting.first] = self.low, self.high
        low[meeting.index] = np.minimum(low[meeting.index], other.low)
        high[meeting.index] = np.maximum(high[meeting.index], other.high)
        total, squares = self.total.met(other.total, meeting), self.squares.met(other.squares, meeting)
        return Weights(total, squares, self.cross.met(other.cross, meeting), low, high)

    def taken(self, groups: IntArray | slice) -> "Weights":
        """The sums of some groups."""
        total, squares, cross = (part.taken(groups) for part in (self.total, self.squares, self.cross))
        return Weights(total, squares, cross, self.low[groups], self.high[groups])

    def pooled(self) -> "Weights":
        """The sums over all groups, as those of a single one."""
        low = self.low.min(keepdims=True, initial=np.inf)  # of no groups, too
        high = self.high.max(keepdims=True, initial=-np.inf)
        return Weights(self.total.pooled(), self.squares.pooled(), self.cross.pooled(), low, high)


class Weighed:
    """The sums of weighted values of a single group, batch by batch, compiled and added up as they come: none is kept.

    Args:
        kernels: the compiled functions.
    """

    def __init__(self, kernels: ModuleType) -> None:
        self.n = 0
        """How many values there are in all batches that ended well."""
        self._kernels = kernels
        self._digits = np.zeros((5, LEVELS), dtype=np.int64)
        """Of Σ wℓ, Σ w², Σ w²ℓ, Σ w²ℓ² and Σ w."""
        self._span = math.inf, -math.inf
        self._begin()

    def _begin(self) -> None:
        self._rows, self._fine = 0, True
        self._before = self._digits.copy(), self._span

    def add(self, values: FloatArray, weight: FloatArray | None) -> None:
        """Add the next values of a batch and their weights, ``(n,)``; these are positive and finite."""
        if weight is None:
            raise TypeError("rows without weights")
        if not (self._fine and len(values)):
            return
        values, weight = np.ascontiguousarray(values), np.ascontiguousarray(weight)
        low, high = self._kernels.span(values)
        self._fine = -math.inf < low and high < math.inf
        self._fine = self._fine and self._kernels.weighted(values, weight, self._digits[:4].reshape(-1))
        self._kernels.total(weight, self._digits[4], np.zeros(3, dtype=np.int64))
        self._span = min(low, self._span[0]), max(high, self._span[1])
        self._rows += len(values)

    def end(self) -> bool:
        """End a batch; whether it counts, as one does not where something is not finite, or out of reach of digits."""
        fine = self._fine
        if fine:
            self.n += self._rows
            self._begin()
        else:
            self.forget()
        return fine

    def forget(self) -> None:
        """Leave out the batch so far."""
        self._digits, self._span = self._before
        self._begin()

    def result(self) -> tuple[ExactSum, ExactSum, Weights]:
        """As `weighted_sums`, of all batches that counted."""
        product, squares, cross, value_squares, total = map(ExactSum.of_digits, self._digits.copy())
        low, high = (np.array([end]) for end in self._span)
        return product, value_squares, Weights(total, squares, cross, low, high)


def weighted_sums(values: FloatArray, weight: FloatArray, groups: Groups | None) -> tuple[ExactSum, ExactSum, Weights]:
    """Σ wℓ, exact; Σ w²ℓ² to 32 digits; and the weights, of rows.

    Args:
        values: ``(n,)``; infinities and NaN are counted in the first sum, and add nothing.
        weight: ``(n,)``, positive and finite.
        groups: the groups of the rows.
    """
    at_once = None if groups is None else moments_by_group(values, weight, groups)
    if at_once is not None:
        total, product, squares, cross, value_squares = (ExactSum(*own) for own in at_once)
        return product, value_squares, Weights(total, squares, cross, *least_and_most(values, groups))
    empty = ExactSum.zero(1 if groups is None else groups.number)
    sums, odd = [empty] * 4, empty
    for cut in cuts(len(values), whole=groups is not None or compiled.kernels is not None):
        value = values[cut]
        if not (math.isfinite(value.min()) and math.isfinite(value.max())):
            finite = np.isfinite(value)
            odd = odd + ExactSum.of(np.where(finite, 0.0, value), groups)
            value = np.where(finite, value, 0.0)
        sums = [total + part for total, part in zip(sums, _products(value, weight[cut], groups), strict=True)]
    product, squares, cross, value_squares = sums
    return (
        product + odd,
        value_squares,
        Weights(ExactSum.of(weight, groups), squares, cross, *least_and_most(values, groups)),
    )


def _products(value: FloatArray, weight: FloatArray, groups: Groups | None) -> list[ExactSum]:
    """Σ wℓ, Σ w², Σ w²ℓ and Σ w²ℓ² of finite values."""
    if compiled.kernels is not None and groups is None:
        digits = np.zeros((4, LEVELS), dtype=np.int64)
        if compiled.kernels.weighted(np.ascontiguousarray(value), np.ascontiguousarray(weight), digits.reshape(-1)):
            return [ExactSum.of_digits(row) for row in digits]
        return far_products(*parted(value), *parted(weight), groups)
    if float(weight.max()) < HEAVY and float(weight.min()) > LIGHT:
        with np.errstate(over="ignore", invalid="ignore"):
            terms = _terms(value, weight)
            size = np.abs(terms[0])
        small = None if float(size.min()) >= SMALL else size < SMALL
        if float(size.max()) < LARGE and (small is None or not value[small].any()):
            exact = [ExactSum.of(term, groups) for term in terms]
            return [term + error for term, error in zip(exact[::2], exact[1::2], strict=True)]
    return far_products(*parted(value), *parted(weight), groups)


def far_products(
    values: FloatArray, exponents: IntArray, weights: FloatArray, powers: IntArray, groups: Groups | None
) -> list[ExactSum]:
    """As `_products`, of significands and exponents: the same sums, at any scale."""
    product, twice = exponents + powers, 2 * powers
    scales = (product, twice, product + powers, 2 * product)
    terms = _terms(values, weights)
    return [
        scaled_sum(terms[2 * index], scale, groups) + scaled_sum(terms[2 * index + 1], scale, groups)
        for index, scale in enumerate(scales)
    ]


def _terms(value: FloatArray, weight: FloatArray) -> FloatArray:
    """wℓ, w², w²ℓ and w²ℓ² of each row, each followed by what its rounding took away, ``(8, n)``: two are exact."""
    terms = np.empty((8, len(value)))
    if compiled.kernels is not None:
        compiled.kernels.terms(np.ascontiguousarray(value), np.ascontiguousarray(weight), terms.reshape(-1))
        return terms
    for piece in slices(len(value), PIECE):
        _fill(terms[:, piece], value[piece], weight[piece])
    return terms


def _fill(terms: FloatArray, value: FloatArray, weight: FloatArray) -> None:
    """Write the terms of a piece whose temporaries stay in the cache."""
    product, product_error, square, square_error, cross, cross_error, squares, squares_error = terms
    weight_halves = halved(weight)
    np.multiply(weight, weight, out=square)
    lost(square, weight_halves, weight_halves, out=square_error)
    np.multiply(weight, value, out=product)
    lost(product, weight_halves, halved(value), out=product_error)
    product_halves = halved(product)
    np.multiply(weight, product, out=cross)
    lost(cross, weight_halves, product_halves, out=cross_error)
    cross_error += weight * product_error
    np.multiply(product, product, out=squares)
    lost(squares, product_halves, product_halves, out=squares_error)
    twice = 2.0 * product
    twice += product_error
    twice *= product_error
    squares_error += twice


def least_and_most(values: FloatArray, groups: Groups | None) -> tuple[FloatArray, FloatArray]:
    """The smallest and the largest value of each group."""
    if groups is None:
        return np.minimum.reduce(values, keepdims=True, initial=np.inf), np.maximum.reduce(
            values, keepdims=True, initial=-np.inf
        )
    low, high = np.full(groups.number, np.inf), np.full(groups.number, -np.inf)
    if compiled.kernels is not None:
        compiled.kernels.spans_by(np.ascontiguousarray(values), groups.code, low, high)
        return low, high
    with np.errstate(invalid="ignore"):
        np.minimum.at(low, groups.code, values)
        np.maximum.at(high, groups.code, values)
    return low, high
