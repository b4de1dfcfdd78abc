"""The sums of batches of which nothing but sums is asked, and with which nothing is wrong: no state is made of each."""

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.evaluation.batch import Batch, validate
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.fold import Folded, Keeping, Lift, fold_legal, lift_rows
from lossctl.evaluation.group_keys import WHOLE
from lossctl.evaluation.measure import blocks, evaluated, kernel_label, lift, nothing, part_of
from lossctl.evaluation.measured import Measured, Part
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import Running
from lossctl.evaluation.steady_groups import SteadilyByGroup
from lossctl.functions.bound_loss import BoundLoss
from lossctl.reading.format import Source
from lossctl.sums import compiled
from lossctl.sums.centred import Centred
from lossctl.sums.gradients import Gradients
from lossctl.sums.moments import Moments, steady_sums
from lossctl.sums.passing import Passing
from lossctl.sums.problems import Problems
from lossctl.sums.state import Rows, none

if TYPE_CHECKING:
    from lossctl.sums.paired import PassingEvidence


def fold_sums(source: Source, plan: Plan, running: Running, *, keep: bool = False) -> Folded[Measured]:
    """Measure every batch of legal rows; arguments and errors as for `lossctl.evaluation.fold.fold_rows`."""
    return fold_legal(source, plan, lifting(plan), nothing(plan), running, keep=keep)


def lifting(plan: Plan) -> Lift[Measured] | Keeping[Measured]:
    """What is made of each batch, or of those of a shard together."""
    if not asks_for_sums(plan):
        return partial(lift_rows, plan, lift)
    return SteadilyByGroup(plan) if plan.roles.by else Steadily(plan)


@dataclass(frozen=True)
class Steadily(Keeping[Measured]):
    """Lifts the batches of a shard together, as far as nothing is wrong with them."""

    plan: Plan

    def begun(self) -> tuple[Callable[[pa.RecordBatch, Clock], Measured | None], Callable[[], Measured | None]]:
        """As `lossctl.evaluation.fold.Keeping`; who works elsewhere may lack what is compiled here."""
        if not asks_for_sums(self.plan):
            return partial(lift_rows, self.plan, lift), lambda: None
        sums = Steady(self.plan)

        def lifted(record: pa.RecordBatch, clock: Clock) -> Measured | None:
            batch = validate(record, self.plan)
            clock.mark("validate")
            if sums.add(batch, clock):
                return None
            before, state = sums.taken(), lift(self.plan, batch, clock)
            return state if before is None else before + state

        return lifted, sums.taken


class Steady:
    """The sums of some batches that follow each other.

    Args:
        plan: what to measure; one that `asks_for_sums`.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.room = np.empty((len(plan.losses), 0))
        """For the losses of a batch, of which pairs are made."""
        self.places = [(index, bound) for index, model in enumerate(plan.models) for bound in model.losses]
        self._begin()

    def _begin(self) -> None:
        self.rows = 0
        plan = self.plan
        self.sums = [steady_sums(weighted=plan.weighted) for _ in self.places]
        self.gradients = [Passing.of(weighted=plan.weighted) if plan.gradient else None for _ in self.places]
        self.clipped = [0] * len(self.places)
        self.others: list[Part | None] = [None] * len(self.places)
        """The sums of batches that doubles do not hold, or not as they come."""
        self.gathered = gathered(plan)

    def add(self, batch: Batch, clock: Clock) -> bool:
        """Add a batch, where there is nothing to say of it beside its sums; whether it was added."""
        errors = any(error is not None for error in batch.errors)
        if batch.problems.by_key or batch.position is not None or errors or not len(batch.label):
            return False
        if self.gathered is not None and self.room.shape[1] < len(batch.label):
            self.room = np.empty((len(self.places), len(batch.label)))
        passed = [self._passed(place, bound, batch, index) for place, (index, bound) in enumerate(self.places)]

        @cache
        def of_place(place: int) -> tuple[Part, Rows]:
            index, bound = self.places[place]
            return part_of(self.plan, place, bound, batch, None, index, clock)

        for place in np.flatnonzero(np.logical_not(passed)).tolist():
            part, other = of_place(place)[0], self.others[place]
            self.others[place] = part if other is None else other + part
        if self.gathered is not None:
            losses = self.room[:, : len(batch.label)]
            self.gathered.add(losses, batch.weight, passed, lambda place: of_place(place)[1])
        self.rows += batch.rows
        clock.mark("compute")
        return True

    def _passed(self, place: int, bound: BoundLoss, batch: Batch, index: int) -> bool:
        """Add the losses at a place, of the model of that index, block by block; whether all were added."""
        sums, gradients = self.sums[place], self.gradients[place]
        clipped = self._clipped(place, bound, batch, index)
        added = clipped is not None and (gradients is None or gradients.fine()) and sums.end()
        if clipped is None or not added:
            sums.forget()
        else:
            self.clipped[place] += clipped
        if gradients is not None:
            (gradients.end if added else gradients.forget)()
        return added

    def _clipped(self, place: int, bound: BoundLoss, batch: Batch, index: int) -> int | None:
        """Add losses as they come; how many the floor changed, ``None`` where some are squares that are no doubles.

        Those of vectors are added at once: the rows of a block are few.
        """
        prediction, sums, gradients, clipped = batch.predictions[index], self.sums[place], self.gradients[place], 0
        labels = kernel_label(bound, batch.label, prediction)
        for block in blocks(prediction) if prediction.ndim == 1 else [slice(0, len(prediction))]:
            label, predicted = labels[block], prediction[block]
            weight = None if batch.weight is None else batch.weight[block]
            value, slope = evaluated(bound, label, predicted, gradient=gradients is not None)
            if bound.far_squares(label, predicted, value) is not None:
                return None
            if self.gathered is not None:
                self.room[place, block.start : block.start + len(value)] = value
            if isinstance(sums, Centred):
                sums.add(value)
            elif weight is not None:
                sums.add(value, weight)
            if gradients is not None and slope is not None:
                gradients.add(slope, weight)
            mask = bound.clipped(label, predicted, finite=batch.finite[index])
            clipped += 0 if mask is None else int(mask.sum())
        return clipped

    def taken(self) -> Measured | None:
        """The sums so far, which begin anew; ``None`` where there are none."""
        if not self.rows:
            return None
        parts = []
        for sums, passing, clipped, other in zip(self.sums, self.gradients, self.clipped, self.others, strict=True):
            gradients = None if passing is None else Gradients.passed(passing)
            part = Part(Moments.of(sums), np.array([clipped]) if clipped else none(1), none(1), gradients, None)
            parts.append(part if other is None else part + other)
        count, evidence = none(1), None if self.gathered is None else self.gathered.result()
        measured = Measured(self.rows, WHOLE, count, count, count, count, Problems(), tuple(parts), None, evidence)
        self._begin()
        return measured


def gathered(plan: Plan) -> "PassingEvidence | None":
    """What keeps the evidence of batches, where somebody asks for that."""
    if not (plan.paired or plan.judged):
        return None
    from lossctl.sums import paired  # noqa: PLC0415  (most runs have no use for it)

    return paired.PassingEvidence(plan.measures, plan.pairs, single=plan.single)


def asks_for_sums(plan: Plan) -> bool:
    """Whether nothing is asked for but what is summed without states, in a way that there is.

    These are sums over all rows, with them what pairs of models take, and gradients of one number a row; by group, sums
    of losses of one number a row, without weights.
    """
    roles, layout = plan.roles, plan.layout
    more = plan.samples or plan.skill or plan.lags or plan.drawn or plan.moved or plan.clip_rounding or roles.cluster
    if more or layout.masked or (layout.ragged and layout.vectors) or (plan.gradient and layout.vectors):
        return False
    if roles.by and (plan.weighted or plan.gradient or plan.paired or plan.judged or layout.vectors):
        return False
    if (roles.by or plan.weighted) and compiled.kernels is None:
        return False
    plain = all(model.factor == 1.0 for model in plan.models)
    return plain and not any(bound.definition.others for _, bound in plan.losses)
