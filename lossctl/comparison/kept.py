"""One result of a baseline: its sums by bucket, and how a later result stands to it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, FloatArray
from lossctl.evaluation.scores import Scores, other_tokens
from lossctl.functions.lookup import get_loss
from lossctl.reduction import ONE, ZERO, Reduction
from lossctl.sums.clusters import Totals
from lossctl.sums.cross_moments import Beside
from lossctl.sums.estimate import Estimate
from lossctl.sums.exact import ExactSum
from lossctl.sums.influence import Grouped, by_cluster, difference_of, of_buckets, of_moves, on_difference, on_value
from lossctl.sums.moments import Total

ENOUGH = 0.5
"""Which part of the rows has to be in buckets that hold the same as they did, for these to be enough."""


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
    """By ascending bucket, Σwc of each number of a row and, where rows have weights, Σw."""

    @cached_property
    def reduced(self) -> Reduction:
        """What is made of the rows."""
        return get_loss(self.loss).under(self.reduction).reduced

    @cached_property
    def estimate(self) -> Estimate:
        """The value, and how sure it is."""
        return of_buckets(
            self.total.value(self.reduced), on_value(self.total, self.reduced), self.total.n, self.grouped
        )

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str | None], ...]]:
        """What a result of a later run must have alike."""
        return self.loss, tuple(self.group.items())

    @property
    def grouped(self) -> Grouped:
        """Its sums by bucket."""
        numbers = self.reduced.columns
        return by_cluster(self.buckets, range(numbers), numbers if len(self.buckets.sums) > numbers else None)


def with_sums(buckets: Totals, sums: tuple[FloatArray, ...]) -> Totals:
    """The same buckets with sums that are doubles."""
    return replace(buckets, sums=sums, exact=(ExactSum.zero(len(buckets.key)),) * len(sums))


def bare_total(
    n: int, weight: Fraction, value: Fraction, others: Sequence[Fraction] = (), spans: Sequence[float] = ()
) -> Total:
    """The sums of some rows, of whose squares nothing is known."""
    return Total(n, weight, value, None, ZERO, ZERO, ZERO, beside=Beside(tuple(others), spans=tuple(spans)))


@dataclass(frozen=True)
class Against:
    """How a later result stands to one that was kept."""

    estimate: Estimate
    """Of the difference: the later less ``ratio`` times the kept."""
    now: float
    """The later value, of the rows that the estimate is of."""
    before: float
    """The kept value, likewise."""
    certain: bool
    """Whether the sums of every bucket are the same."""
    moved: int
    """In how many buckets there are other rows than there were."""
    share: float
    """The part of the rows that is in the other buckets; 0 where that is so little that the estimate is of all rows."""


def held_against(kept: Kept, scores: Scores, place: int, group: int, ratio: float = 1.0) -> Against:
    """A result of a later run, whose clusters are in the same buckets, beside one that was kept.

    Where rows came, went or changed in some buckets, both are of the others, which are chosen by chance and hold the
    same rows as they did. Where less than `ENOUGH` of all rows are in these, both are of all rows: a bucket moves the
    difference by what it moves the later value by, less what it moved the earlier, whatever rows it shares.

    Args:
        kept: the earlier one.
        scores, place, group: the later one.
        ratio: what the earlier value is multiplied with.
    """
    reduction = kept.reduced
    total, now = scores.totals[place][group], scores.by_cluster(group, place)
    before = kept.grouped
    values = total.value(reduction), kept.total.value(reduction)
    if now is None or not math.isfinite(values[0]):
        unknown = Estimate(values[0] - ratio * values[1], math.nan, 0.0, total.n, 0.0, 0, math.nan)
        return Against(unknown, *values, certain=False, moved=0, share=1.0)
    here, there = _unmoved(now, before), _unmoved(before, now)
    count = int(np.count_nonzero(here))
    moved = len(np.union1d(before.totals.key, now.totals.key)) - count
    share = float(now.totals.n[here].sum()) / max(total.n, kept.total.n)
    if moved and (share < ENOUGH or count < 2):
        return Against(
            _of_all(kept, total, before, now, reduction, ratio), *values, certain=False, moved=moved, share=0.0
        )
    totals = kept.total, total
    if moved:
        scale = Fraction(min(total.n, kept.total.n), int(now.totals.n.sum())) if reduction.adds else ONE
        (before, first), (now, second) = _chosen(before, there, scale), _chosen(now, here, scale)
        totals = first, second
    moves = [np.ldexp(*later) - np.ldexp(*earlier) for later, earlier in zip(now.sums, before.sums, strict=True)]
    values = totals[1].value(reduction), totals[0].value(reduction)
    value = values[0] - ratio * values[1] if ratio != 1.0 else difference_of(*totals, reduction)
    sums = (before.sums[0], (moves[0], 0)) if reduction.columns == 1 else (*before.sums, *now.sums)
    paired = Grouped(now.totals, now.weight, sums)
    estimate = of_buckets(value, on_difference(*totals, reduction, ratio), totals[1].n, paired)
    estimate = replace(estimate, tokens=other_tokens(scores.losses[place][1], *totals))
    certain = not any(move.any() for move in moves)
    return Against(estimate, *values, certain=certain, moved=moved, share=share if moved else 1.0)


def _unmoved(of: Grouped, beside: Grouped) -> BoolArray:
    """In which buckets of one there are the same rows as in the other."""
    keys, places, others = np.intersect1d(of.totals.key, beside.totals.key, assume_unique=True, return_indices=True)
    same = np.ones(len(keys), dtype=np.bool_)
    for left, right in (
        (of.totals.n, beside.totals.n),
        (of.totals.marks, beside.totals.marks),
        (np.ldexp(*of.weight), np.ldexp(*beside.weight)),
    ):
        same &= left[places] == right[others]
    unmoved = np.zeros(len(of.totals.key), dtype=np.bool_)
    unmoved[places] = same
    return unmoved


def _chosen(grouped: Grouped, buckets: BoolArray, scale: Fraction) -> tuple[Grouped, Total]:
    """The sums of some buckets, and their total; values times a number."""
    totals = replace(grouped.totals, key=grouped.totals.key[buckets], n=grouped.totals.n[buckets])
    weight, value, *others = (np.ldexp(*column)[buckets] for column in (grouped.weight, *grouped.sums))
    sum_weight, sum_value, *sums = (sum(map(Fraction, column), ZERO) for column in (weight, value, *others))
    total = bare_total(int(totals.n.sum()), sum_weight, sum_value * scale, sums)
    return Grouped(totals, (weight, 0), ((value * float(scale), 0), *((column, 0) for column in others))), total


def _of_all(kept: Kept, total: Total, before: Grouped, now: Grouped, reduction: Reduction, ratio: float) -> Estimate:
    """The difference of the values of rows that are not all the same, by bucket."""
    keys = np.union1d(before.totals.key, now.totals.key)
    moved, weight = np.zeros(len(keys)), np.zeros(len(keys))
    for of, grouped, factor in ((kept.total, before, -ratio), (total, now, 1.0)):
        places = np.searchsorted(keys, grouped.totals.key)
        influence = on_value(of, reduction)
        moved[places] += math.nan if influence is None else factor * influence.of_clusters(grouped)
        weight[places] += np.ldexp(*grouped.weight)
    value = total.value(reduction) - ratio * kept.total.value(reduction)
    return of_moves(value, moved, weight, total.n)
