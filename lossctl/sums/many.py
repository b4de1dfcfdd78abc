"""The figures of many groups at once: the bits of `Total`, wherever rounding is certain, and else by `Total`.

A sum is taken as two doubles, which tell it to 2^-100 of itself. Where the smallest and the largest number that a
figure may be round to one double, the exact one does as well (Ziv 1991, doi:10.1145/114697.116813).
"""

from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, FloatArray
from lossctl.rational import to_float
from lossctl.reduction import ONE, Mean, PerRow, Reduction, RootMean, Sum
from lossctl.sums.cross_moments import Beside
from lossctl.sums.digits import slices
from lossctl.sums.doubled import Doubled
from lossctl.sums.exact import ExactSum
from lossctl.sums.gradients import NONE, GradientFigures, Gradients
from lossctl.sums.moments import Moments, Total

FEW = 64
"""Fewer groups are as quick one by one."""
BLOCK = 1 << 14
"""Groups whose figures are made at a time."""
LARGE, SMALL = 2.0**300, 2.0**-300
"""Sums between these have squares and quotients of which nothing is lost."""
FAR, NEAR = 2.0**70, 2.0**-70
"""Sums between these have products of a dozen of which nothing is lost."""
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
    usual = isinstance(reduction, Mean | RootMean)
    if groups < FEW or (usual and moments.columns is not None):
        return _one_by_one(moments.result(), reduction)
    figures, certain = np.empty((4, groups)), np.empty(groups, dtype=bool)
    with np.errstate(all="ignore"):
        for cut in slices(groups, BLOCK):
            part = moments.taken(cut)
            n = part.n.astype(np.float64)
            if usual and (part.weights is None or reduction.adds):
                figures[:2, cut], certain[cut] = _rounded(n, part.sum_value, part.value_squares, reduction)
                figures[2:, cut] = n
            if part.weights is not None or not usual:
                figures[:, cut], sure = _of_sums(part, reduction, figures[:2, cut])
                certain[cut] = sure & (certain[cut] | (not reduction.adds))
    odd = np.flatnonzero(~certain)
    if len(odd):
        exact = _one_by_one(moments.taken(odd).result(), reduction)
        figures[:, odd] = exact.value, exact.standard_error, exact.sum_weight, exact.effective_n
    return Figures(*figures)


def gradient_figures(gradients: Gradients, moments: Moments, reduction: Reduction) -> FloatArray:
    """The figures of gradients of each group, ``(figures, groups)``, in the order of `GradientFigures`.

    They are those of `Gradients.result`, to the bit; NaN of no rows.
    """
    groups = len(moments.n)
    figures = np.full((len(fields(GradientFigures)), groups), np.nan)
    if groups >= FEW:
        with np.errstate(all="ignore"):
            for cut in slices(groups, BLOCK):
                figures[:-1, cut] = _of_gradients(gradients.taken(cut), moments.taken(cut), reduction)
    odd = np.flatnonzero(np.isnan(figures[:-1]).any(axis=0) & (moments.n > 0))
    exact = gradients.taken(odd).result(moments.taken(odd).result(), reduction)
    for place, own in zip(odd.tolist(), exact, strict=True):
        if own is not None:
            figures[:, place] = astuple(own)
    figures[-1] = gradients.top_shares(groups)
    figures[:, moments.n == 0] = np.nan
    return figures


def shares(moments: Moments, reduction: Reduction) -> FloatArray:
    """How each mean but the first moves what is reported of each group, by unit of how the first does: as doubles.

    Returns:
        ``(groups, means)``; NaN where it has no slope.
    """
    groups = len(moments.n)
    found = np.full((groups, reduction.columns - 1), np.nan)
    if groups >= FEW:
        with np.errstate(all="ignore"):
            for cut in slices(groups, BLOCK):
                part = moments.taken(cut)
                total, usual = doubled(part)
                slopes: Any = reduction.slopes(means_of(part, total, reduction)) or (ONE,)
                for place, slope in enumerate(slopes[1:]):
                    share = (slope / slopes[0]).rounded() + 0.0  # never -0
                    found[cut, place] = np.where(usual, share, np.nan)
    odd = np.flatnonzero(np.isnan(found).any(axis=1) & (moments.n > 0))
    for place, sums in zip(odd.tolist(), moments.taken(odd).result(), strict=True):
        exact = sums.slopes(reduction) if sums.special is None else None
        if exact is not None:
            found[place] = [to_float(slope / exact[0]) if exact[0] else 0.0 for slope in exact[1:]]
    return found


def _of_gradients(gradients: Gradients, moments: Moments, reduction: Reduction) -> list[FloatArray]:
    """All figures of gradients but the last; one of them is NaN where one is not certain."""
    total, usual = doubled(moments)
    slope: Any = ONE
    divisor = total.sum_weight  # of both the slope of the value is made
    if reduction.adds:
        divisor = total.n if isinstance(reduction, PerRow) else ONE
    else:
        slopes = reduction.slopes(means_of(moments, total, reduction))
        slope = slopes[0] if slopes is not None else total.n.by(np.nan)
        slope = slope.by(np.where(slope.high < 0.0, -1.0, 1.0)) if isinstance(slope, Doubled) else slope
    norm, squares = Doubled.of(gradients.norm), Doubled.of(gradients.squares)
    absolute = norm if gradients.absolute is gradients.norm else Doubled.of(gradients.absolute)
    own_squares = squares if gradients.squares is gradients.norm_squares else Doubled.of(gradients.norm_squares)
    peak = Doubled.whole(np.ldexp(gradients.largest, gradients.exponent - NONE))
    for part in (norm, squares, absolute, own_squares, peak):
        usual &= _moderate(part)
    usual &= ~gradients.norm.infinite.any(axis=1)
    l2 = np.where(usual, (squares * slope**2 / divisor**2).root(), np.nan)
    whole = [l2, (absolute * slope / divisor).rounded(), (peak * slope / divisor).rounded()]
    rows = [(norm / total.sum_weight).rounded(), (own_squares / total.sum_weight).root(), gradients.largest_norm]
    return whole + rows


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
    rows, sum_, sum_squares = Doubled.whole(n), Doubled.of(total), Doubled.of(squares)
    certain = (n > 0) & (n < MOST) & ~total.infinite.any(axis=1)
    for part in (sum_, sum_squares):
        size = np.abs(part.high)
        certain &= ((size > SMALL) & (size < LARGE)) | ((size == 0.0) & (part.error == 0.0))
    # n/(n − 1) · Σ(ℓ − m)² is N/(n − 1), where N = nΣℓ² − (Σℓ)²
    spread, less = sum_squares * rows - sum_ * sum_, Doubled.whole(n - 1.0)
    value = (sum_ / (1 if isinstance(reduction, Sum) else rows)).rounded()
    if isinstance(reduction, RootMean):
        error = (spread / (sum_ * less * rows).by(4.0)).root()
        error = np.where((sum_.high == 0.0) & (sum_.error == 0.0), 0.0, error)  # where a root has no slope
        value = np.sqrt(value)
    else:
        error = (spread / (less if isinstance(reduction, Sum) else rows * rows * less)).root()
    certain &= ~np.isnan(value) & (~np.isnan(error) | (n < 2))
    return (value, np.where(n < 2, np.nan, error)), certain


def _of_sums(moments: Moments, reduction: Reduction, sums: FloatArray) -> tuple[tuple[FloatArray, ...], BoolArray]:
    """Values, standard errors, Σw and (Σw)²/Σw², and where all are certain.

    Args:
        moments: of some groups.
        reduction: any.
        sums: values and standard errors of what is added up, which are those of rows without weights.
    """
    total, usual = doubled(moments)
    value, error = sums
    n, alone = total.n, total.n.high < 2.0
    if not reduction.adds:
        means = means_of(moments, total, reduction)
        value = reduction.value(means) if reduction.bends else means[0].rounded()
        usual &= ~np.isnan(value)
        slopes = None if reduction.takes == "spans" else reduction.slopes(means)
        if slopes is None:
            error = np.full_like(value, np.nan)
        else:
            error = (total.spread(slopes) / total.sum_weight**2 * n / (n - 1)).root()
            if moments.weights is not None and reduction.columns == 1:
                error = np.where(moments.weights.low == moments.weights.high, 0.0, error)
            usual &= ~np.isnan(error) | alone
        error = np.where(alone, np.nan, error)
    weight = total.sum_weight.rounded()
    effective = (total.sum_weight**2 / total.weight_squares).rounded()
    return (value, error, weight, effective), usual & ~np.isnan(effective) & ~np.isnan(weight)


def doubled(moments: Moments) -> tuple[Any, BoolArray]:
    """The sums of each group as a `Total` of `Doubled` numbers, and which of them are no unusual ones."""
    n = Doubled.whole(moments.n.astype(np.float64))
    usual = (moments.n > 0) & (moments.n < MOST) & ~moments.sum_value.infinite.any(axis=1)
    value, squares = Doubled.of(moments.sum_value), Doubled.of(moments.value_squares)
    weight, heavy, cross = n, n, value
    if moments.weights is not None:
        weights = moments.weights
        weight, heavy, cross = (Doubled.of(part) for part in (weights.total, weights.squares, weights.cross))
    sums, weighted, products = ((), (), ()) if moments.columns is None else moments.columns.parts
    beside: list[Any] = [tuple(map(Doubled.of, part)) for part in (sums, weighted, products)]
    for part in sums:
        usual &= ~part.infinite.any(axis=1)
    for numbers in (value, squares, weight, heavy, cross, *beside[0], *beside[1], *beside[2]):
        usual &= _moderate(numbers)
    given: Any = n, weight, value, None, heavy, squares, cross, False, Beside(*beside)  # which are no fractions
    return Total(*given), usual


def _moderate(numbers: Doubled) -> BoolArray:
    """Which numbers are 0, or neither large nor small."""
    size = np.abs(numbers.high)
    moderate: BoolArray = ((size > NEAR) & (size < FAR)) | ((size == 0.0) & (numbers.error == 0.0))
    return moderate


def means_of(moments: Moments, total: Any, reduction: Reduction) -> Any:
    """What a reduction takes, as `Total.figures`; `total` is that of `doubled`."""
    if reduction.takes == "spans" and moments.columns is not None:
        return (*total.means, *map(Doubled.whole, moments.columns.high - moments.columns.low))
    return (*total.means, total.sum_weight) if reduction.takes == "weight" else total.means
