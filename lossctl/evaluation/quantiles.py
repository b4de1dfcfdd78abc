"""The quantiles of the columns that are grouped by them, which take a pass of their own before that of the losses."""

from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.evaluation.batch import validate
from lossctl.evaluation.clock import Clock, Spent
from lossctl.evaluation.fold import fold_legal
from lossctl.evaluation.groups import numbers_of
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import Running
from lossctl.reading.format import Source
from lossctl.sums.problems import Problems
from lossctl.sums.quantiles import Spread


@dataclass(frozen=True)
class Spreads:
    """How the numbers of some columns are spread over the rows that are measured."""

    rows: int
    problems: Problems
    columns: tuple[Spread, ...]

    def __add__(self, other: "Spreads") -> "Spreads":
        columns = tuple(a + b for a, b in zip(self.columns, other.columns, strict=True))
        return Spreads(self.rows + other.rows, self.problems + other.problems.shift(self.rows), columns)


def with_intervals(source: Source, plan: Plan, running: Running) -> tuple[Plan, Spent, Running]:
    """The plan with the intervals of all that is grouped by quantiles, said in its notes.

    Rows count once each, whatever their weight; those that are not measured do not.

    Args:
        source: the data set.
        plan: what is to be measured, with at least one such column.
        running: how.

    Returns:
        The plan, the time that this took, and how to run the pass that is left, whose progress is the rest.

    Raises:
        DataError: as for `fold_rows`; or the data can be read only once.
    """
    by = plan.roles.by
    columns = tuple(dict.fromkeys(grouping.column for grouping in by if grouping.quantiles))
    half = running.half
    ungrouped = plan.grouped_by((), plan.roles.notes)
    zero = Spreads(0, Problems(), (Spread.zero(),) * len(columns))
    folded = fold_legal(source, plan, partial(_spreads, ungrouped, columns), zero, half)
    spread = dict(zip(columns, folded.total.columns, strict=True))
    by = tuple(
        replace(grouping, intervals=spread[grouping.column].intervals(grouping.quantiles))
        if grouping.quantiles
        else grouping
        for grouping in by
    )
    remarks = dict.fromkeys(grouping.remark() for grouping in by if grouping.quantiles)
    return plan.grouped_by(by, (*plan.roles.notes, *remarks)), folded.spent, half


def _spreads(plan: Plan, columns: tuple[str, ...], record: pa.RecordBatch, clock: Clock) -> Spreads:
    """The spread of each column over the rows of a record batch that a plan without groups measures."""
    batch = validate(record, plan)
    clock.mark("validate")
    spreads = []
    for column in columns:
        values, null = numbers_of(record, column)
        used = np.ones(len(values), dtype=np.bool_) if null is None else ~null
        if batch.position is not None:
            values, used = values[batch.position], used[batch.position]
        spreads.append(Spread.of(values[used]))
    clock.mark("reduce")
    return Spreads(batch.rows, batch.problems, tuple(spreads))
