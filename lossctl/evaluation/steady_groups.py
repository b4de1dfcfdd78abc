"""As `lossctl.evaluation.steady`, by group: what the batches of a shard come to is added in place."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from lossctl.evaluation.batch import Batch, validate
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.group_keys import Keys
from lossctl.evaluation.groups import Numbering, numbered
from lossctl.evaluation.measured import Measured, Part
from lossctl.evaluation.plain_batches import Steady, is_plain, losses_of
from lossctl.evaluation.plan import Plan
from lossctl.functions.bound_loss import BoundLoss
from lossctl.inference.grouping import Grouping
from lossctl.sums import compiled
from lossctl.sums.gathered import MOST, Gathered
from lossctl.sums.problems import Problems
from lossctl.sums.state import Groups, none

FEW = 4
"""Where groups have fewer rows in a batch, and the next one hardly has the same, each batch is a state of its own."""


class SteadyByGroup(Steady):
    """Of groups, as far as batches have the same numbering."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        if compiled.kernels is None:
            raise TypeError("sums by group that are not compiled")
        self.kernels = compiled.kernels
        self.odd = False
        """Whether there was something to say of the last batch, as there may be of the next."""
        self.numbering: Numbering | None = None
        self._met: Numbering | None = None
        self._begin(None)

    def _begin(self, numbering: Numbering | None) -> None:
        self.rows, self.numbering = 0, numbering
        self.sums = [] if numbering is None else [Gathered(self.kernels, numbering.n) for _ in self.plan.losses]
        self.clipped = [none(0 if numbering is None else numbering.n)] * len(self.plan.losses)

    def lifted(self, record: pa.RecordBatch, clock: Clock) -> Measured | None:
        batch = validate(record, self.plan) if self.odd else validate(record, self.plan, self._grouped)
        clock.mark("validate")
        again, self.odd = self.odd, not (is_plain(batch) and len(batch.label) <= MOST)
        if again or self.odd:
            return self.apart(batch if again else validate(record, self.plan), clock)
        before, numbering = None, self._met
        if numbering is not self.numbering or self.rows + batch.rows > MOST:
            keys = None if numbering is None else numbering.keys
            if keys is not None and FEW * len(keys) > batch.rows:
                return self.apart(replace(batch, keys=keys), clock)
            before = self.taken()
            self._begin(numbering)
        for place, (index, bound) in enumerate(self.plan.places):
            self._add(place, bound, batch, index, clock)
        self.rows += batch.rows
        return before

    def _grouped(self, record: pa.RecordBatch, by: Sequence[Grouping]) -> tuple[Groups | None, Keys]:
        """The places of the rows; who adds them up needs no names."""
        groups, self._met = numbered(record, by, self.numbering)
        return groups, Keys((), groups.number)

    def _add(self, place: int, bound: BoundLoss, batch: Batch, index: int, clock: Clock) -> None:
        """Add the losses at a place, of the model of that index, block by block."""
        if batch.groups is None:
            raise TypeError("rows without groups")
        code, sums = batch.groups.code, self.sums[place]
        for losses in losses_of(bound, batch, index):
            own, clipped = code[losses.rows], losses.clipped
            clock.mark("compute")
            if losses.far is None:
                sums.add(losses.value, own)
            else:
                sums.add_far(losses.value, own, losses.far)
            if clipped is not None and clipped.any():
                self.clipped[place] = self.clipped[place] + np.bincount(own[clipped], minlength=sums.groups)
            clock.mark("reduce")

    def taken(self) -> Measured | None:
        if not self.rows or self.numbering is None:
            return None
        rows, numbering, all_sums, all_clipped = self.rows, self.numbering, self.sums, self.clipped
        used = np.flatnonzero(all_sums[0].counts)
        count = none(len(used))
        self._begin(None)
        parts: list[Part] = []
        while all_sums:
            moments, clipped = all_sums.pop(0).result(used), all_clipped[len(parts)]
            parts.append(Part(moments, clipped[used] if clipped.any() else count, count, None, None))
        return Measured(rows, numbering.names(used), count, count, count, count, Problems(), tuple(parts))
