"""The sums of a run, asked for estimates: of the value of a loss of a model in a group, and of differences."""

import math
from dataclasses import replace
from functools import cached_property

from lossctl.dataclass import dataclass
from lossctl.evaluation.measure import groups_in_order
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan, PlannedModel
from lossctl.functions.bound_loss import BoundLoss
from lossctl.rational import to_float
from lossctl.reduction import MEAN, Reduction
from lossctl.sums.clusters import Totals
from lossctl.sums.estimate import Estimate
from lossctl.sums.evidence import Evidence, Places
from lossctl.sums.influence import Grouped, by_cluster, of_difference, of_value
from lossctl.sums.moments import Total
from lossctl.sums.series import Lagged


@dataclass(frozen=True)
class Scores:
    """What was measured, by place: of a loss of a model among `losses`, of a pair, of a group."""

    plan: Plan
    total: Measured

    @cached_property
    def evidence(self) -> Evidence:
        """What tells how sure values are."""
        if self.total.evidence is None:
            raise TypeError("how sure values are is known where that was asked for")
        return self.total.evidence

    @property
    def losses(self) -> tuple[tuple[PlannedModel, BoundLoss], ...]:
        """Every loss with its model."""
        return self.plan.losses

    @cached_property
    def pairs(self) -> list[tuple[int, tuple[int, int]]]:
        """What is compared, loss by loss: the number of the pair, the places of baseline and candidate."""
        count = len(self.plan.models[0].losses)
        return sorted(enumerate(self.plan.pairs), key=lambda pair: pair[1][1] % count)

    @cached_property
    def groups(self) -> list[int]:
        """The places of the groups, in the order in which they are reported."""
        return list(groups_in_order(self.plan, self.total).tolist())

    @cached_property
    def totals(self) -> list[list[Total]]:
        """The exact sums, by place of the loss and the model, and by group."""
        return [part.moments.result() for part in self.total.parts]

    @cached_property
    def of_pairs(self) -> list[list[Total]]:
        """Those of the differences, by pair and group."""
        return [pair.moments.result() for pair in self.evidence.pairs]

    @cached_property
    def series(self) -> list[list[Lagged] | None]:
        """The series that the differences are, likewise; ``None`` where they are none."""
        return [None if pair.series is None else pair.series.result() for pair in self.evidence.pairs]

    def pooled(self) -> "Scores":
        """The same of all groups together."""
        return Scores(self.plan, self.total.pooled())

    def named(self, group: int) -> dict[str, str | None]:
        """The values of the group-by columns of a group; empty of all rows."""
        key = self.total.keys[group]
        return dict(zip(self.plan.roles.group_names, key, strict=True)) if key else {}

    def value(self, place: int, group: int) -> Estimate:
        """The value of a loss of a model in a group."""
        reduction, singles = self.plan.measures[place].reduction, self.evidence.singles
        extremes = singles[place] if singles else None
        return of_value(self.totals[place][group], reduction, extremes, group, self.by_cluster(group, place))

    def difference(self, number: int, group: int, ratio: float = 1.0) -> Estimate:
        """The difference of a pair in a group: candidate less ``ratio`` times baseline."""
        first, second = self.plan.pairs[number]
        pair = self.evidence.pairs[number]
        reduction = self.plan.measures[second].reduction
        estimate = self._difference(number, group, reduction, ratio)
        tokens = other_tokens(self.losses[second][1], self.totals[first][group], self.totals[second][group])
        estimate = estimate if tokens is None else replace(estimate, tokens=tokens)
        moved = bool(pair.better[group]) or bool(pair.worse[group])
        values = {repr(self.totals[place][group].value(reduction)) for place in (first, second)}
        same = self.totals[second][group].n > 0 and not moved and len(values) == 1
        return estimate.of_the_same() if same and (ratio == 1.0 or not math.isfinite(estimate.value)) else estimate

    def of_rows(self, number: int, group: int) -> Estimate | None:
        """The difference of a pair in a group, or of the means that values rise with: moved by each row by itself.

        ``None`` where a value is of several means.
        """
        reduction = self.plan.measures[self.plan.pairs[number][1]].reduction
        if reduction.columns > 1:
            return None
        return self._difference(number, group, MEAN if reduction.bends else reduction)

    def _difference(self, number: int, group: int, reduction: Reduction, ratio: float = 1.0) -> Estimate:
        first, second = self.plan.pairs[number]
        series = self.series[number]
        return of_difference(
            self.totals[first][group],
            self.totals[second][group],
            self.evidence.pairs[number],
            self.of_pairs[number][group],
            reduction,
            group,
            self.by_cluster(group, second, number),
            ratio,
            None if series is None else series[group],
        )

    @cached_property
    def _clusters(self) -> list[Totals] | None:
        return None if self.evidence.clusters is None else self.evidence.clusters.result()

    @cached_property
    def places(self) -> Places:
        """Where the sums by cluster stand."""
        return Places(self.plan.measures, self.plan.pairs)

    def by_cluster(self, group: int, place: int, pair: int | None = None) -> Grouped | None:
        """The sums by cluster that a value is made of, or a difference of two; ``None`` where rows move by themselves.

        Args:
            group: of which rows.
            place: of which part, or the candidate's of a pair.
            pair: of which pair.
        """
        if self._clusters is None:
            return None
        sums = self.places.of_part(place) if pair is None else self.places.of_pair(pair)
        return by_cluster(self._clusters[group], sums, self.places.of_weight(place))


def other_tokens(bound: BoundLoss, baseline: Total, candidate: Total) -> tuple[float, float] | None:
    """How many tokens each of two models has of the same rows, by which a loss is divided; ``None`` if as many.

    Args:
        bound: the loss.
        baseline, candidate: the sums of both.
    """
    if not (bound.unlabelled and bound.definition.others and baseline.n and candidate.n):
        return None
    before, now = (total.beside.sums[0] for total in (baseline, candidate))
    return None if before == now else (to_float(before), to_float(now))
