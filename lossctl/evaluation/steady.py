"""The sums of batches of which nothing but sums is asked, and with which nothing is wrong: no state is made of each."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.evaluation.batch import Batch, validate
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.fold import Folded, Keeping, Lift, fold_legal, lift_rows
from lossctl.evaluation.group_keys import WHOLE
from lossctl.evaluation.measure import blocks, kernel_label, lift, nothing, part_of
from lossctl.evaluation.measured import Measured, Part
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import Running
from lossctl.evaluation.steady_groups import SteadilyByGroup
from lossctl.functions.bound_loss import BoundLoss
from lossctl.reading.format import Source
from lossctl.sums import compiled
from lossctl.sums.centred import Centred
from lossctl.sums.moments import Moments
from lossctl.sums.problems import Problems
from lossctl.sums.state import none
from lossctl.sums.weighted import Weighed


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
        """As `lossctl.evaluation.fold.Keeping`."""
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
        self.places = [(index, bound) for index, model in enumerate(plan.models) for bound in model.losses]
        self._begin()

    def _begin(self) -> None:
        self.rows = 0
        kernels = compiled.kernels if self.plan.weighted else None
        self.sums = [Centred() if kernels is None else Weighed(kernels) for _ in self.places]
        self.clipped = [0] * len(self.places)
        self.others: list[Part | None] = [None] * len(self.places)
        """The sums of batches that doubles do not hold, or not as they come."""

    def add(self, batch: Batch, clock: Clock) -> bool:
        """Add a batch, where there is nothing to say of it beside its sums; whether it was added."""
        errors = any(error is not None for error in batch.errors)
        if batch.problems.by_key or batch.position is not None or errors or not len(batch.label):
            return False
        for place, (index, bound) in enumerate(self.places):
            if not self._passed(place, bound, batch, index):
                part, _ = part_of(self.plan, place, bound, batch, None, index, clock)
                other = self.others[place]
                self.others[place] = part if other is None else other + part
        self.rows += batch.rows
        clock.mark("compute")
        return True

    def _passed(self, place: int, bound: BoundLoss, batch: Batch, index: int) -> bool:
        """Add the losses at a place, of the model of that index, block by block; whether all were added."""
        prediction, sums, clipped = batch.predictions[index], self.sums[place], 0
        labels = kernel_label(bound, batch.label, prediction)
        for block in blocks(prediction):
            label, predicted = labels[block], prediction[block]
            value = bound.row_value(label, predicted)
            if bound.far_squares(label, predicted, value) is not None:
                sums.forget()
                return False
            if isinstance(sums, Centred):
                sums.add(value)
            elif batch.weight is not None:
                sums.add(value, batch.weight[block])
            mask = bound.clipped(label, predicted)
            clipped += 0 if mask is None else int(mask.sum())
        added = sums.end()
        self.clipped[place] += clipped if added else 0
        return added

    def taken(self) -> Measured | None:
        """The sums so far, which begin anew; ``None`` where there are none."""
        if not self.rows:
            return None
        parts = []
        for sums, clipped, other in zip(self.sums, self.clipped, self.others, strict=True):
            moments = Moments(np.array([sums.n]), *sums.result())
            part = Part(moments, np.array([clipped]) if clipped else none(1), none(1), None, None)
            parts.append(part if other is None else part + other)
        count = none(1)
        measured = Measured(self.rows, WHOLE, count, count, count, count, Problems(), tuple(parts))
        self._begin()
        return measured


def asks_for_sums(plan: Plan) -> bool:
    """Whether nothing but sums is asked for, of losses of one number a row each, in a way that there is."""
    roles, layout = plan.roles, plan.layout
    more = plan.gradient or plan.samples or plan.skill or plan.paired or plan.judged or plan.moved
    more = more or (compiled.kernels is None and bool(plan.weighted or roles.by)) or (plan.weighted and bool(roles.by))
    if more or plan.clip_rounding or roles.cluster or layout.masked or layout.label_width:
        return False
    plain = all(model.width == 0 and model.factor == 1.0 for model in plan.models)
    return plain and not any(bound.definition.others for _, bound in plan.losses)
