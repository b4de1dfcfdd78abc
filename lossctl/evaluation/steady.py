"""The sums of batches of which nothing but sums is asked, and with which nothing is wrong: no state is made of each."""

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray
from lossctl.evaluation.batch import Batch, validate
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.fold import Folded, Keeping, Lift, fold_legal, lift_rows
from lossctl.evaluation.group_keys import WHOLE
from lossctl.evaluation.measure import lift, nothing, part_of
from lossctl.evaluation.measured import Measured, Part
from lossctl.evaluation.plain_batches import Steady, is_plain, losses_of
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import Running
from lossctl.functions.bound_loss import BoundLoss
from lossctl.reading.format import Source
from lossctl.sums import compiled
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
    return Steadily(plan) if asks_for_sums(plan) else partial(lift_rows, plan, lift)


@dataclass(frozen=True)
class Steadily(Keeping[Measured]):
    """Lifts the batches of a shard together, as far as nothing is wrong with them."""

    plan: Plan

    def begun(self) -> tuple[Callable[[pa.RecordBatch, Clock], Measured | None], Callable[[], Measured | None]]:
        """As `lossctl.evaluation.fold.Keeping`; who works elsewhere may lack what is compiled here."""
        if not asks_for_sums(self.plan):
            return partial(lift_rows, self.plan, lift), lambda: None
        sums = _sums_of(self.plan)
        return sums.lifted, sums.taken


def _sums_of(plan: Plan) -> Steady:
    if not plan.roles.by:
        return _Whole(plan)
    from lossctl.evaluation.steady_groups import SteadyByGroup  # noqa: PLC0415  (most runs have no groups)

    return SteadyByGroup(plan)


class _Whole(Steady):
    """Of all rows together."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.room = np.empty((len(plan.losses), 0))
        """For the losses of a batch, of which pairs are made."""
        self._begin()

    def _begin(self) -> None:
        self.rows = 0
        self.places = [_Place(self.plan, index, bound) for index, bound in self.plan.places]
        self.evidence = _passing_evidence(self.plan)

    def lifted(self, record: pa.RecordBatch, clock: Clock) -> Measured | None:
        batch = validate(record, self.plan)
        clock.mark("validate")
        if not is_plain(batch):
            return self.apart(batch, clock)
        if self.evidence is not None and self.room.shape[1] < len(batch.label):
            self.room = np.empty((len(self.places), len(batch.label)))
        rooms = self.room if self.evidence is not None else [None] * len(self.places)
        passed = [place.add(batch, room) for place, room in zip(self.places, rooms, strict=True)]

        @cache
        def lifted(number: int) -> tuple[Part, Rows]:
            place = self.places[number]
            return part_of(self.plan, number, place.bound, batch, None, place.index, clock)

        for number in np.flatnonzero(np.logical_not(passed)).tolist():
            self.places[number].lifted(lifted(number)[0])
        if self.evidence is not None:
            losses = self.room[:, : len(batch.label)]
            self.evidence.add(losses, batch.weight, passed, lambda number: lifted(number)[1])
        self.rows += batch.rows
        clock.mark("compute")
        return None

    def taken(self) -> Measured | None:
        if not self.rows:
            return None
        parts = tuple(place.part() for place in self.places)
        count, evidence = none(1), None if self.evidence is None else self.evidence.result()
        measured = Measured(self.rows, WHOLE, count, count, count, count, Problems(), parts, None, evidence)
        self._begin()
        return measured


class _Place:
    """The sums of a loss of the model of that index."""

    def __init__(self, plan: Plan, index: int, bound: BoundLoss) -> None:
        self.index, self.bound = index, bound
        self._sums = steady_sums(weighted=plan.weighted)
        self._gradients = Passing.of(weighted=plan.weighted) if plan.gradient else None
        self._clipped = 0
        self._other: Part | None = None
        """The sums of batches that doubles do not hold, or not as they come."""

    def add(self, batch: Batch, room: FloatArray | None) -> bool:
        """Add the losses of a batch as they come, and write them into the room; whether all were added."""
        clipped, gradients = self._passed(batch, room), self._gradients
        if clipped is not None and (gradients is None or gradients.fine()) and self._sums.end():
            self._clipped += clipped
            if gradients is not None:
                gradients.end()
            return True
        self._sums.forget()
        if gradients is not None:
            gradients.forget()
        return False

    def _passed(self, batch: Batch, room: FloatArray | None) -> int | None:
        """Add losses; how many the floor changed, ``None`` where some are squares that are no doubles."""
        count, sums, gradients = 0, self._sums, self._gradients
        for losses in losses_of(self.bound, batch, self.index, gradient=gradients is not None):
            value, weight = losses.value, None if batch.weight is None else batch.weight[losses.rows]
            if losses.far is not None:
                return None
            if room is not None:
                room[losses.rows.start : losses.rows.start + len(value)] = value
            sums.add(value, weight)
            if gradients is not None and losses.slope is not None:
                gradients.add(losses.slope, weight)
            count += 0 if losses.clipped is None else int(losses.clipped.sum())
        return count

    def lifted(self, part: Part) -> None:
        """Add what a batch comes to by a state."""
        self._other = part if self._other is None else self._other + part

    def part(self) -> Part:
        """The sums of all batches."""
        gradients = None if self._gradients is None else Gradients.passed(self._gradients)
        clipped = np.array([self._clipped]) if self._clipped else none(1)
        part = Part(Moments.of(self._sums), clipped, none(1), gradients, None)
        return part if self._other is None else part + self._other


def _passing_evidence(plan: Plan) -> "PassingEvidence | None":
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
