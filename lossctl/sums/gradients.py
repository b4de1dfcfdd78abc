"""Gradient figures: norms of the gradient of the reported value, and how it is spread over rows."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray, row_sum
from lossctl.rational import square_root, to_float
from lossctl.reduction import Reduction
from lossctl.sums import compiled
from lossctl.sums.digits import slices
from lossctl.sums.exact import ExactSum
from lossctl.sums.histogram import Histogram
from lossctl.sums.moments import Total
from lossctl.sums.passing import Passing
from lossctl.sums.products import scaled_sum, sum_of_products
from lossctl.sums.state import Groups, Meeting, Rows, regrouped

TOP = 0.01
"""The part of the rows that `GradientFigures.top1_share` is of."""
NONE = 1 << 20
"""What is added to exponents so that 0 is below all of them: the exponent of nothing."""
AT_A_TIME = 1 << 16
"""About how many numbers of gradients of vectors are looked at together."""
Sums = tuple[ExactSum, ExactSum, ExactSum, ExactSum]
"""Those of `Gradients`, in order."""
LARGE, SMALL = 2.0**1000, 2.0**-1000
"""Weighted norms between these, and 0, are taken as doubles."""


@dataclass(frozen=True)
class GradientFigures:
    """The gradient of the reported value L with respect to the predictions, and the row gradients g_i."""

    l2: float
    """‖∂L/∂ŷ‖₂."""
    l1: float
    linf: float
    row_mean: float
    """Weighted mean of ∣g_i∣, the L2 norm for a vector row."""
    row_rms: float
    row_max: float
    top1_share: float
    """The part of Σ w∣g∣ that the 1 % of rows with the largest w∣g∣ carry, from a histogram: within 1 % of itself."""


@dataclass(frozen=True)
class Gradients:
    """Sums over the gradients of the rows of each group."""

    absolute: ExactSum
    """Σ w ‖g‖₁."""
    squares: ExactSum
    """Σ w² ‖g‖₂²."""
    norm: ExactSum
    """Σ w ‖g‖₂."""
    norm_squares: ExactSum
    """Σ w ‖g‖₂²."""
    largest: FloatArray
    """max w∣g∣ over single numbers, as numbers below 1"""
    exponent: IntArray
    """times powers of two, to which `NONE` is added where there is any."""
    largest_norm: FloatArray
    histogram: Histogram

    @classmethod
    def zero(cls, groups: int) -> "Gradients":
        """The sums of no rows."""
        empty, zeros = ExactSum.zero(groups), np.zeros(groups)
        return cls(empty, empty, empty, empty, zeros, np.zeros(groups, dtype=np.int64), zeros, Histogram())

    @classmethod
    def lift(cls, rows: Rows) -> "Gradients":
        """The sums of some rows.

        Raises:
            TypeError: the rows have no gradient.
        """
        if rows.gradient is None:
            raise TypeError("rows without a gradient")
        groups, weight = rows.groups, rows.weight
        with np.errstate(all="ignore"):
            if rows.gradient.ndim == 1 and groups is None:
                passing = Passing.of(weighted=weight is not None)
                if passing is not None:
                    passing.add(rows.gradient, weight)
                    if passing.fine():
                        passing.end()
                        return cls.passed(passing)
            if rows.gradient.ndim == 1:
                absolute = largest = norm = np.abs(rows.gradient)
            else:
                absolute, largest, norm = _of_vectors(rows.gradient)
            if weight is None:
                weighted, peak = norm, largest
            else:
                weighted, peak = weight * norm, weight * largest
                if _far(weighted, norm):
                    return cls._scaled(absolute, norm, largest, weight, groups)
            sum_norm = ExactSum.of(weighted, groups)
            sum_absolute = sum_norm
            if rows.gradient.ndim == 2:
                sum_absolute = ExactSum.of(absolute if weight is None else weight * absolute, groups)
            sum_squares = sum_norm_squares = sum_of_products(weighted, weighted, groups)
            if weight is not None:
                sum_norm_squares = sum_of_products(weighted, norm, groups)
            highest = _maximum(norm, groups)
            return cls(
                sum_absolute,
                sum_squares,
                sum_norm,
                sum_norm_squares,
                *_parted(highest if peak is norm else _maximum(peak, groups)),
                highest,
                Histogram.of(weighted, groups),
            )

    @classmethod
    def passed(cls, passing: Passing) -> "Gradients":
        """The sums of the rows of the batches that counted."""
        norm, *products = passing.sums()
        largest, own = passing.largest[:1].copy(), passing.largest[1:].copy()
        return cls(norm, products[0], norm, products[-1], *_parted(largest), own, passing.histogram())

    @classmethod
    def _scaled(
        cls, absolute: FloatArray, norm: FloatArray, largest: FloatArray, weight: FloatArray, groups: Groups | None
    ) -> "Gradients":
        """The sums of rows whose weighted gradients need not be doubles; see `lift` for the arguments."""
        weight, power = np.frexp(weight)
        sums, parts = [], []
        for figure in (absolute, norm, largest):
            significand, exponent = np.frexp(figure)
            product, more = np.frexp(weight * significand)
            parts.append((product, power.astype(np.int64) + exponent + more, significand, exponent))
        for product, exponent, _, _ in parts[:2]:
            sums.append(scaled_sum(product, exponent, groups))
        weighted, exponent, significand, own = parts[1]
        squares = scaled_sum(weighted * weighted, 2 * exponent, groups)
        norm_squares = scaled_sum(weighted * significand, exponent + own, groups)
        peak, height = parts[2][0], np.where(parts[2][0] > 0, parts[2][1] + NONE, 0)
        height = np.where(np.isfinite(peak), height, 2 * NONE)
        highest = _maximum(height, groups)
        own_highest = highest if groups is None else highest[groups.code]
        return cls(
            sums[0],
            squares,
            sums[1],
            norm_squares,
            _maximum(np.where(height == own_highest, peak, 0.0), groups),
            highest,
            _maximum(norm, groups),
            Histogram.of_scaled(weighted, exponent, groups),
        )

    def __add__(self, other: "Gradients") -> "Gradients":
        return Gradients(
            *self._sums(other, lambda one, two: one + two),
            *_larger((self.largest, self.exponent), (other.largest, other.exponent)),
            np.maximum(self.largest_norm, other.largest_norm),
            self.histogram + other.histogram,
        )

    def met(self, other: "Gradients", meeting: Meeting) -> "Gradients":
        """The sums of both, by groups that meet."""

        def moved(one: npt.NDArray[Any], two: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
            place = np.arange(meeting.first)
            return regrouped(one, place, meeting.groups), regrouped(two, meeting.index, meeting.groups)

        largest, exponent = moved(self.largest, other.largest), moved(self.exponent, other.exponent)
        return Gradients(
            *self._sums(other, lambda one, two: one.met(two, meeting)),
            *_larger((largest[0], exponent[0]), (largest[1], exponent[1])),
            np.maximum(*moved(self.largest_norm, other.largest_norm)),
            self.histogram + other.histogram.regroup(meeting.index, meeting.groups),
        )

    def _sums(self, other: "Gradients", both: Callable[[ExactSum, ExactSum], ExactSum]) -> Sums:
        """The four sums of both; of one number a row, and of rows without weights, some are one and the same."""
        norm, squares = both(self.norm, other.norm), both(self.squares, other.squares)
        one_number = self.absolute is self.norm and other.absolute is other.norm
        unweighted = self.squares is self.norm_squares and other.squares is other.norm_squares
        absolute = norm if one_number else both(self.absolute, other.absolute)
        return absolute, squares, norm, squares if unweighted else both(self.norm_squares, other.norm_squares)

    def _each(self, change: Callable[[ExactSum], ExactSum]) -> Sums:
        norm, squares = change(self.norm), change(self.squares)
        absolute = norm if self.absolute is self.norm else change(self.absolute)
        return absolute, squares, norm, squares if self.squares is self.norm_squares else change(self.norm_squares)

    def regroup(self, index: IntArray, groups: int) -> "Gradients":
        """The same sums, with group ``i`` at place ``index[i]`` of ``groups``."""
        return Gradients(
            *self._each(lambda part: part.regroup(index, groups)),
            regrouped(self.largest, index, groups),
            regrouped(self.exponent, index, groups),
            regrouped(self.largest_norm, index, groups),
            self.histogram.regroup(index, groups),
        )

    def taken(self, groups: IntArray | slice) -> "Gradients":
        """The sums of some groups, without their histograms."""
        return Gradients(
            *self._each(lambda part: part.taken(groups)),
            self.largest[groups],
            self.exponent[groups],
            self.largest_norm[groups],
            Histogram(),
        )

    def pooled(self) -> "Gradients":
        """The sums of all rows as those of a single group."""
        exponent = self.exponent.max(keepdims=True)
        return Gradients(
            *self._each(ExactSum.pooled),
            np.where(self.exponent == exponent, self.largest, 0.0).max(keepdims=True),
            exponent,
            self.largest_norm.max(keepdims=True),
            self.histogram.pooled(),
        )

    def shift(self, rows: int) -> "Gradients":  # noqa: ARG002
        """The same sums: they do not care where their rows stand."""
        return self

    def result(self, totals: list[Total], reduction: Reduction) -> list[GradientFigures | None]:
        """The figures of each group; ``None`` for one without rows."""
        sums = [part.exact() for part in (self.absolute, self.squares, self.norm, self.norm_squares)]
        specials = [self.norm.special(group) for group in range(len(totals))]
        shares = self.top_shares(len(totals)).tolist()
        figures: list[GradientFigures | None] = []
        for group, total in enumerate(totals):
            if total.n == 0:
                figures.append(None)
                continue
            absolute, squares, norm, norm_squares = (part[group] for part in sums)
            slope = total.slope(reduction)
            slope = -slope if slope < 0 else slope  # of norms
            finite, unknown = specials[group] is None, isinstance(slope, float) and math.isnan(slope)
            figures.append(
                GradientFigures(
                    l2=math.nan if unknown else square_root(Fraction(slope) ** 2 * squares) if finite else math.inf,
                    l1=math.nan if unknown else to_float(absolute * Fraction(slope)) if finite else math.inf,
                    linf=math.nan if unknown else _scaled(slope, float(self.largest[group]), int(self.exponent[group])),
                    row_mean=to_float(norm / total.sum_weight) if finite else math.inf,
                    row_rms=square_root(norm_squares / total.sum_weight) if finite else math.inf,
                    row_max=float(self.largest_norm[group]),
                    top1_share=shares[group],
                )
            )
        return figures

    def top_shares(self, groups: int) -> FloatArray:
        """`GradientFigures.top1_share` of each group; NaN where a gradient is infinite."""
        return np.where(self.norm.infinite.any(axis=1), np.nan, self.histogram.top_shares(groups, TOP))


def _of_vectors(gradient: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """∣g∣₁, the largest ∣g_k∣ and ∣g∣₂ of vectors ``(n, k)``, ``(n,)`` each; some rows at a time, for the cache."""
    absolute, largest, norm = np.empty((3, len(gradient)))
    step = max(AT_A_TIME // gradient.shape[1], 1)
    for block in slices(len(gradient), step):
        size = np.abs(gradient[block])
        absolute[block], highest = row_sum(size), size.max(axis=1)
        # The largest entry is taken out first: squares of very large or small numbers leave the doubles.
        scale = np.where((highest > 0) & (highest < np.inf), highest, 1.0)
        size /= scale[:, None]
        np.square(size, out=size)
        largest[block], norm[block] = highest, np.sqrt(row_sum(size)) * scale
    return absolute, largest, norm


def _far(weighted: FloatArray, norm: FloatArray) -> bool:
    """Whether a weighted norm is too large or too small to be taken as a double."""
    small = None if float(weighted.min()) >= SMALL else weighted < SMALL
    return not float(weighted.max()) < LARGE or (small is not None and bool(norm[small].any()))


def _parted(peak: FloatArray) -> tuple[FloatArray, IntArray]:
    """Numbers as `Gradients.largest` and `Gradients.exponent`."""
    largest, exponent = np.frexp(peak)
    exponent = np.where(largest == 0, 0, exponent.astype(np.int64) + NONE)
    return largest, np.where(np.isfinite(largest), exponent, 2 * NONE)


def _larger(one: tuple[FloatArray, IntArray], other: tuple[FloatArray, IntArray]) -> tuple[FloatArray, IntArray]:
    """The larger of numbers times powers of two."""
    exponent = np.maximum(one[1], other[1])
    return np.maximum(*(np.where(own == exponent, number, 0.0) for number, own in (one, other))), exponent


def _scaled(slope: Fraction | float, figure: float, exponent: int) -> float:
    """The largest number times the slope, rounded once; as it is where it is not finite."""
    if not math.isfinite(figure) or not figure:
        return figure
    return to_float(Fraction(slope) * Fraction(figure) * Fraction(2) ** (exponent - NONE))


def _maximum(values: npt.NDArray[Any], groups: Groups | None) -> npt.NDArray[Any]:
    """The largest of some values ``(n,)`` from 0 on, by group."""
    if groups is None:
        return np.maximum.reduce(values, keepdims=True)
    largest = np.zeros(groups.number, dtype=values.dtype)
    if compiled.kernels is not None and values.dtype == np.float64:
        compiled.kernels.spans_by(np.ascontiguousarray(values), groups.code, np.zeros(groups.number), largest)
        return largest
    with np.errstate(invalid="ignore"):
        np.maximum.at(largest, groups.code, values)
    return largest
