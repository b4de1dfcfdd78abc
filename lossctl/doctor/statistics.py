"""Statistics of what a pass saw, from joint counts and sketches."""

import math

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.doctor.finding import Case
from lossctl.domain import FloatArray, IntArray
from lossctl.inference.fit import ENOUGH
from lossctl.sums.distribution import Distribution

UNLIKE = 5.0
"""Standard errors from which the rows that a sample of pairs says there are differ from those there are."""


@dataclass(frozen=True)
class Ranks:
    """How well the predictions of a model order its rows, each of which counts once."""

    area_under_curve: float | None = None
    """Of yes and no, that under the ROC curve."""
    area_within: float | None = None
    """By how much it may be off; 0 where it is exact."""
    rank_correlation: float | None = None
    """Of numbers, Spearman's correlation of labels and predictions."""
    standard_error: float | None = None
    """That of the correlation; 0 where it is exact."""
    sample: int | None = None
    """Of how many different pairs it was estimated; ``None`` where it was of all."""
    infinite: int = 0
    """How many predictions are left out."""


def ranks(case: Case) -> Ranks:
    """The statistics of ranks of a model, as far as there are any."""
    area = area_under_curve(case)
    if area is not None:
        return Ranks(area[0], error_of_area(case), infinite=case.predicted.values.infinite)
    pairs = case.predicted.pairs
    correlation = None if case.fit is None or case.fit.binary or case.layout.label_width else _spearman(case)
    if correlation is None:
        return Ranks()
    sample = None if pairs.whole else len(pairs.counts)
    return Ranks(
        rank_correlation=correlation,
        standard_error=error_of_correlation(case),
        sample=sample,
        infinite=case.predicted.values.infinite,
    )


def area_under_curve(case: Case) -> tuple[float, float] | None:
    """The area under the ROC curve of a binary model, and how many standard errors it lies above 1/2.

    ``None`` unless both classes occur.
    """
    if case.by_class is None:
        return None
    low, high = case.by_class
    less, not_more = _below(low, high)
    zeros, ones = float(low.n), float(high.n)
    area = float((high.counts * (less + not_more)).sum()) / (2.0 * zeros * ones)
    return area, (area - 0.5) / math.sqrt((zeros + ones + 1.0) / (12.0 * zeros * ones))


def error_of_area(case: Case) -> float:
    """By how much the area may be off, for rounded predictions of both classes may be equal that are not; mostly 0."""
    if case.by_class is None or case.by_class[0].exact:
        return 0.0
    low, high = case.by_class
    less, not_more = _below(low, high)
    return float((high.counts * (not_more - less)).sum()) / (2.0 * low.n * high.n)


def _below(low: Distribution, high: Distribution) -> tuple[FloatArray, FloatArray]:
    """How many numbers of ``low`` are less than each of ``high``, and how many are not more."""
    below = np.concatenate([[0.0], np.cumsum(low.counts)])
    places = (np.searchsorted(low.keys, high.keys, side) for side in ("left", "right"))
    less, not_more = (below[place] for place in places)
    return less, not_more


def rank_correlation(case: Case) -> tuple[float, float] | None:
    """Spearman's correlation of labels and predictions, over the pairs kept, and its size in standard errors.

    ``None`` where there are too few pairs, or all labels or all predictions are equal; and where not all pairs are kept
    and those do not stand for the rows: of a pair that many rows have, all or none are in the sample.
    """
    sketch = case.predicted.pairs
    n = len(sketch.numbers) if sketch.whole else sketch.size
    correlation = None if n < ENOUGH else _spearman(case)
    if correlation is None:
        return None
    return correlation, math.atanh(max(-0.9999999, min(0.9999999, correlation))) * math.sqrt((n - 3) / 1.06)


def _spearman(case: Case) -> float | None:
    """The rank correlation over the pairs kept; ``None`` where there is none, or they do not stand for the rows."""
    sketch = case.predicted.pairs
    pairs, count, rows = sketch.numbers, sketch.counts, case.predicted.errors.n
    if not len(pairs) or abs(sketch.all() - rows) > UNLIKE * rows / math.sqrt(sketch.most):
        return None
    mid_ranks = [_ranks(column, count) for column in pairs.T]
    centred = [column - np.average(column, weights=count) for column in mid_ranks]
    spread = [float(np.average(column**2, weights=count)) for column in centred]
    if not all(spread):
        return None
    correlation = float(np.average(centred[0] * centred[1], weights=count)) / math.sqrt(spread[0] * spread[1])
    return max(-1.0, min(1.0, correlation))


def error_of_correlation(case: Case) -> float:
    """The standard error of the rank correlation as that of all rows; 0 where all pairs were looked at."""
    sketch = case.predicted.pairs
    return 0.0 if sketch.whole else 1 / math.sqrt(sketch.size)


def _ranks(values: FloatArray, count: IntArray) -> FloatArray:
    """The mid-ranks of numbers, each of which occurs ``count`` times; all ``(n,)``."""
    distinct, place = np.unique(values, return_inverse=True)
    total = np.bincount(place, weights=count, minlength=len(distinct))
    return np.asarray((np.cumsum(total) - 0.5 * total)[place])


def top_share(losses: FloatArray, counts: IntArray, part: float = 0.01) -> float:
    """The share of the total loss that the ``part`` of the rows with the largest losses carry; 0 where the total is.

    Args:
        losses: the different losses, ``(n,)``.
        counts: how many rows have each.
        part: which part of the rows.
    """
    with np.errstate(all="ignore"):
        order = np.argsort(-losses)
        ordered, count = losses[order], counts[order]
        top = np.clip(math.ceil(part * int(count.sum())) - (np.cumsum(count) - count), 0, count)
        scale = float(ordered[0]) if len(ordered) else 0.0
        if not (0 < scale < math.inf):
            return 0.0
        return float((ordered / scale * top).sum() / (ordered / scale * count).sum())
