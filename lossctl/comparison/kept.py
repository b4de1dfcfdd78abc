"""One result of a baseline: its sums by bucket, and how a later result stands to it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lossctl.domain import FloatArray
from lossctl.evaluation.scores import Scores
from lossctl.sums.clusters import Totals
from lossctl.sums.estimate import Estimate
from lossctl.sums.exact import ExactSum
from lossctl.sums.influence import Grouped, by_cluster, difference_of, of_buckets, on_difference, on_value
from lossctl.sums.moments import Total


@dataclass(frozen=True)
class Kept:
    """One result of a baseline: the sums of a loss of a model in a group, over all its rows and by bucket."""

    loss: str
    reduction: str
    wrt: str
    model: str
    group: Mapping[str, str | None]
    total: Total
    """Of these the sums of squares are not known."""
    buckets: Totals
    """By ascending bucket, Σwℓ and, where rows have weights, Σw."""
    estimate: Estimate
    """The value, and how sure it is."""

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str | None], ...]]:
        """What a result of a later run must have alike."""
        return self.loss, tuple(self.group.items())

    @property
    def grouped(self) -> Grouped:
        """Its sums by bucket."""
        return by_cluster(self.buckets, [0], 1 if len(self.buckets.sums) > 1 else None)


def with_sums(buckets: Totals, sums: tuple[FloatArray, ...]) -> Totals:
    """The same buckets with sums that are doubles."""
    return replace(buckets, sums=sums, exact=(ExactSum.zero(len(buckets.key)),) * len(sums))


def estimated(total: Total, reduction: str, grouped: Grouped) -> Estimate:
    """A value from its sums over all rows and by bucket."""
    return of_buckets(total.value(reduction), on_value(total, reduction), total.n, grouped)


@dataclass(frozen=True)
class Against:
    """How a later result stands to one that was kept."""

    kept: Kept
    estimate: Estimate
    """Of the difference: the later less ``ratio`` times the kept."""
    certain: bool
    """Whether the sums of every bucket are the same."""
    moved: int
    """In how many buckets there are other rows than there were: then the error is not that of pairs."""


def held_against(kept: Kept, scores: Scores, place: int, group: int, ratio: float = 1.0) -> Against:
    """A result of a later run, whose clusters are in the same buckets, beside one that was kept.

    Args:
        kept: the earlier one.
        scores, place, group: the later one.
        ratio: what the earlier value is multiplied with.
    """
    reduction = scores.losses[place][1].reduction
    total, now = scores.totals[place][group], scores.by_cluster(group, place, place)
    before = kept.grouped
    value = total.value(reduction) - ratio * kept.total.value(reduction)
    if now is None or not math.isfinite(value):
        return Against(kept, Estimate(value, math.nan, 0.0, total.n, 0.0, 0, math.nan), certain=False, moved=0)
    moved = _moved(before, now)
    if moved:
        return Against(kept, _unpaired(kept, total, before, now, value, reduction, ratio), certain=False, moved=moved)
    difference = np.ldexp(*now.sums[0]) - np.ldexp(*before.sums[0])
    value = value if ratio != 1.0 else difference_of(kept.total, total, reduction)
    paired = Grouped(now.totals, now.weight, (before.sums[0], (difference, 0)))
    estimate = of_buckets(value, on_difference(kept.total, total, reduction, ratio), total.n, paired)
    return Against(kept, estimate, certain=not difference.any(), moved=0)


def _moved(before: Grouped, now: Grouped) -> int:
    """In how many buckets there are not the same rows."""
    keys, earlier, later = np.intersect1d(before.totals.key, now.totals.key, assume_unique=True, return_indices=True)
    same = np.ones(len(keys), dtype=np.bool_)
    for left, right in (
        (before.totals.n, now.totals.n),
        (before.totals.marks, now.totals.marks),
        (np.ldexp(*before.weight), np.ldexp(*now.weight)),
    ):
        same &= left[earlier] == right[later]
    return len(before.totals.key) + len(now.totals.key) - len(keys) - int(same.sum())


def _unpaired(
    kept: Kept, total: Total, before: Grouped, now: Grouped, value: float, reduction: str, ratio: float
) -> Estimate:
    """The difference of values of other rows: errors add up, with Welch's degrees of freedom (Welch 1947)."""
    estimates = [estimated(kept.total, reduction, before), estimated(total, reduction, now)]
    first, second = (
        (factor * estimate.standard_error) ** 2 for factor, estimate in zip((ratio, 1.0), estimates, strict=True)
    )
    freedom = [estimate.freedom for estimate in estimates]
    squares = first + second
    welch = squares**2 / (first**2 / freedom[0] + second**2 / freedom[1]) if squares > 0 else min(freedom)
    later = estimates[1]
    return Estimate(
        value,
        math.sqrt(squares),
        welch,
        later.n,
        min(estimate.units for estimate in estimates),
        later.clusters,
        max(estimate.top_share for estimate in estimates),
    )
