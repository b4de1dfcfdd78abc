"""What one pass over the rows sees for a page: the sums of eval and compare, the worst rows, and rows to draw."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.evaluation.batch import Batch
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.measure import lift_with_rows, nothing
from lossctl.evaluation.measured import WithCounts
from lossctl.evaluation.plan import Plan
from lossctl.plots.overview import Look, looks
from lossctl.sums.difference import difference
from lossctl.sums.distribution import Distribution
from lossctl.sums.thinned import Thinned
from lossctl.sums.worst import Worst


@dataclass(frozen=True)
class Seen(WithCounts):
    """The sums over some rows, and some of these rows."""

    worst: Worst
    """Of all groups together, by the first loss of the first model."""
    drawn: Thinned
    """The losses of rows, their differences, labels, predictions and weights."""

    def __add__(self, other: "Seen") -> "Seen":
        worst = self.worst + other.worst.shift(self.rows)
        return Seen(self.counted + other.counted, worst, self.drawn + other.drawn)


def nothing_seen(plan: Plan, most: int) -> Seen:
    """The state of no rows, of which as many are to be kept."""
    return Seen(nothing(plan), Worst.zero(most), Thinned.zero())


def see_rows(most: int, least: int, plan: Plan, batch: Batch, clock: Clock) -> Seen:
    """What a batch comes to.

    Args:
        most: how many of the worst rows to keep.
        least: one row in how many is to be drawn at most.
        plan: what is measured.
        batch: the rows.
        clock: told what time is spent on.
    """
    counted, rows = lift_with_rows(plan, batch, clock)
    if not rows:
        return replace(nothing_seen(plan, most), counted=counted)
    worst = Worst.zero(most)
    if most:
        worst = Worst.lift(replace(rows[0], groups=None), most, plan.losses[0][1].row_gradient)
    columns = [each.value for each in rows]
    columns += [difference(rows[baseline], rows[candidate]).value for baseline, candidate in plan.pairs]
    columns += [batch.label, *batch.predictions]
    columns += [] if batch.weight is None else [batch.weight]
    drawn = Thinned.of(columns, least)
    clock.mark("draw")
    return Seen(counted, worst, drawn)


@dataclass(frozen=True)
class Drawn:
    """What there is to draw of some rows."""

    looks: tuple[Look, ...]
    """One a model."""
    moves: tuple[Distribution, ...]
    """The differences of rows, one for each pair of models and loss."""


def drawn_of(plan: Plan, seen: Seen) -> Drawn:
    """What there is to draw, of the rows that were kept for that."""
    columns = iter(seen.drawn.columns)
    values = [next(columns) for _ in plan.losses]
    moves = tuple(Distribution.of(next(columns)) for _ in plan.pairs)
    label = next(columns)
    predictions = [next(columns) for _ in plan.models]
    with np.errstate(all="ignore"):
        return Drawn(looks(plan, label, predictions, values, next(columns, None)), moves)


def said_of(seen: Seen) -> Iterator[str]:
    """What is to be said of rows that are not drawn."""
    if not seen.drawn.whole:
        rows, all_rows = len(seen.drawn.rank), seen.drawn.rows
        yield f"drawn are {rows:,} of {all_rows:,} rows, spread over all of them; the values are of all"
