"""Gradient figures: norms of the gradient of the reported value, and how it is spread over rows."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lossctl.domain import FloatArray, IntArray, row_sum
from lossctl.sums.exact import ExactSum, square_root, to_float
from lossctl.sums.moments import Total
from lossctl.sums.products import rounded_sum, sum_of_products
from lossctl.sums.state import Groups, Rows, regrouped

OCTAVE = 64
"""Bins of the histogram of norms in each octave (a factor of two)."""
DROPPED_BITS = 46
"""Low bits of a double that leave its exponent and the bin within its octave."""


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
class Histogram:
    """How many rows of each group have a norm in each bin: exact counts, bounded by the octaves that occur."""

    octaves: dict[int, IntArray]
    """Counts of shape ``(64, groups)`` by the exponent bits of the norm."""

    @classmethod
    def of(cls, norms: FloatArray, groups: Groups | None) -> "Histogram":
        """The histogram of ``(n,)`` non-negative numbers, of which there is one at least."""
        bins = np.ascontiguousarray(norms).view(np.int64) >> DROPPED_BITS
        if groups is None:
            lowest = int(bins.min()) // OCTAVE
            bins -= lowest * OCTAVE
            octaves = int(bins.max()) // OCTAVE + 1
            counts = np.bincount(bins, minlength=octaves * OCTAVE).reshape(octaves, OCTAVE)
            occupied = np.flatnonzero(counts.any(axis=1)).tolist()
            return cls({lowest + octave: counts[octave][:, None] for octave in occupied})
        octave = bins // OCTAVE
        present = np.flatnonzero(np.bincount(octave))
        code = np.zeros(present[-1] + 1, dtype=np.int64)
        code[present] = np.arange(len(present))
        cell = (code[octave] * OCTAVE + bins % OCTAVE) * groups.number + groups.code
        size = len(present) * OCTAVE * groups.number
        table = np.bincount(cell, minlength=size).reshape(len(present), OCTAVE, groups.number)
        return cls(dict(zip(present.tolist(), table, strict=True)))

    def __add__(self, other: "Histogram") -> "Histogram":
        octaves = dict(self.octaves)
        for octave, counts in other.octaves.items():
            octaves[octave] = octaves[octave] + counts if octave in octaves else counts
        return Histogram(octaves)

    def regroup(self, index: IntArray, groups: int) -> "Histogram":
        """The same histograms, with group ``i`` at place ``index[i]`` of ``groups``."""
        return Histogram({octave: regrouped(counts.T, index, groups).T for octave, counts in self.octaves.items()})

    def top_share(self, group: int, part: float) -> float:
        """The share of the total that the largest ``part`` of the rows carries, every row taken at its bin's middle."""
        octaves = sorted(self.octaves)
        bins = np.concatenate([np.arange(octave * OCTAVE, (octave + 1) * OCTAVE + 1) for octave in octaves])
        edges = (bins << DROPPED_BITS).view(np.float64).reshape(len(octaves), OCTAVE + 1)
        middle = (0.5 * edges[:, :-1] + 0.5 * edges[:, 1:]).ravel()[::-1]
        count = np.concatenate([self.octaves[octave][:, group] for octave in octaves])[::-1]
        middle[middle < np.finfo(np.float64).tiny] = 0.0
        before = np.cumsum(count) - count
        top = np.clip(math.ceil(part * int(count.sum())) - before, 0, count)
        scale = middle[0] if len(middle) and 0 < middle[0] < np.inf else 1.0
        middle /= scale
        total = float(middle @ count)
        return float(middle @ top) / total if total and math.isfinite(total) else math.nan


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
    """max w∣g∣ over single numbers."""
    largest_norm: FloatArray
    histogram: Histogram

    @classmethod
    def zero(cls, groups: int) -> "Gradients":
        """The sums of no rows."""
        empty, zeros = ExactSum.zero(groups), np.zeros(groups)
        return cls(empty, empty, empty, empty, zeros, zeros, Histogram({}))

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
            size = np.abs(rows.gradient)
            if size.ndim == 1:
                absolute = largest = norm = size
            else:
                absolute, largest = row_sum(size), size.max(axis=1)
                # The largest entry is taken out first: squares of very large or small numbers leave the doubles.
                scale = np.where((largest > 0) & (largest < np.inf), largest, 1.0)
                norm = np.sqrt(row_sum(np.square(size / scale[:, None]))) * scale
            if groups is not None:
                norm = groups.arranged(norm)
                absolute, largest = (norm, norm) if size.ndim == 1 else map(groups.arranged, (absolute, largest))
                weight = None if weight is None else groups.arranged(weight)
                groups = groups.in_order
            weighted, peak = (norm, largest) if weight is None else (weight * norm, weight * largest)
            sum_norm = rounded_sum(weighted, groups)
            sum_absolute = sum_norm
            if size.ndim == 2:
                sum_absolute = rounded_sum(absolute if weight is None else weight * absolute, groups)
            sum_squares = sum_norm_squares = sum_of_products(weighted, weighted, groups)
            if weight is not None:
                sum_norm_squares = sum_of_products(weighted, norm, groups)
        return cls(
            sum_absolute,
            sum_squares,
            sum_norm,
            sum_norm_squares,
            _maximum(peak, groups),
            _maximum(norm, groups),
            Histogram.of(weighted, groups),
        )

    def __add__(self, other: "Gradients") -> "Gradients":
        return Gradients(
            self.absolute + other.absolute,
            self.squares + other.squares,
            self.norm + other.norm,
            self.norm_squares + other.norm_squares,
            np.maximum(self.largest, other.largest),
            np.maximum(self.largest_norm, other.largest_norm),
            self.histogram + other.histogram,
        )

    def regroup(self, index: IntArray, groups: int) -> "Gradients":
        """The same sums, with group ``i`` at place ``index[i]`` of ``groups``."""
        return Gradients(
            self.absolute.regroup(index, groups),
            self.squares.regroup(index, groups),
            self.norm.regroup(index, groups),
            self.norm_squares.regroup(index, groups),
            regrouped(self.largest, index, groups),
            regrouped(self.largest_norm, index, groups),
            self.histogram.regroup(index, groups),
        )

    def shift(self, rows: int) -> "Gradients":  # noqa: ARG002
        """The same sums: they do not care where their rows stand."""
        return self

    def result(self, totals: list[Total], reduction: str) -> list[GradientFigures | None]:
        """The figures of each group; ``None`` for one without rows."""
        sums = [part.exact() for part in (self.absolute, self.squares, self.norm, self.norm_squares)]
        specials = [self.norm.special(group) for group in range(len(totals))]
        figures: list[GradientFigures | None] = []
        for group, total in enumerate(totals):
            if total.n == 0:
                figures.append(None)
                continue
            absolute, squares, norm, norm_squares = (part[group] for part in sums)
            slope = total.slope(reduction)
            finite, unknown = specials[group] is None, isinstance(slope, float) and math.isnan(slope)
            figures.append(
                GradientFigures(
                    l2=math.nan if unknown else square_root(Fraction(slope) ** 2 * squares) if finite else math.inf,
                    l1=math.nan if unknown else to_float(absolute * Fraction(slope)) if finite else math.inf,
                    linf=math.nan if unknown else _scaled(slope, float(self.largest[group])),
                    row_mean=to_float(norm / total.sum_weight) if finite else math.inf,
                    row_rms=square_root(norm_squares / total.sum_weight) if finite else math.inf,
                    row_max=float(self.largest_norm[group]),
                    top1_share=self.histogram.top_share(group, 0.01) if finite else math.nan,
                )
            )
        return figures


def _scaled(slope: Fraction | float, figure: float) -> float:
    """A figure times the slope, rounded once; as it is where it is not finite."""
    return to_float(Fraction(slope) * Fraction(figure)) if math.isfinite(figure) else figure


def _maximum(values: FloatArray, groups: Groups | None) -> FloatArray:
    """The largest of some arranged values ``(n,)``, by group."""
    if groups is None:
        return np.maximum.reduce(values, keepdims=True)
    return np.asarray(groups.spread(np.maximum.reduceat(values, groups.starts)))
