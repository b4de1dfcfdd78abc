"""The one pass over data: each record batch is lifted to a state, and states are added up in order.

`fold` takes the rows as they are; `fold_rows` validates them first, and stops at what is illegal.
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial, reduce
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.evaluation.batch import Batch, validate
from lossctl.evaluation.clock import Clock, Spent
from lossctl.evaluation.complaints import complain
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import Running
from lossctl.evaluation.traversal import Traversal
from lossctl.reading.cells import BadRow, cuts_of_lists
from lossctl.reading.files import narrowed
from lossctl.reading.format import Shard, Source, Wanted
from lossctl.reading.rows import Kept, plain_rows
from lossctl.reading.storage import is_list
from lossctl.sums.problems import Problems
from lossctl.sums.state import Summation


class Foldable(Protocol):
    """What rows come to: it adds up, and knows how many rows it was made of."""

    @property
    def rows(self) -> int:
        """The number of rows read."""

    def __add__(self, other: Self, /) -> Self:
        """Both together; rows of ``other`` come after those of ``self``."""


class Judged(Foldable, Protocol):
    """A state that knows what is wrong with its rows."""

    @property
    def problems(self) -> Problems:
        """What was met in them."""


State = TypeVar("State", bound=Foldable)
State_co = TypeVar("State_co", bound=Foldable, covariant=True)
Verdict = TypeVar("Verdict", bound=Judged)
Lift = Callable[[pa.RecordBatch, Clock], State]
"""From a record batch to a state, marking on the clock what it spends time on."""


class Keeping(ABC, Generic[State_co]):
    """A lift that keeps what some batches of a shard come to, so that no state is made of each."""

    @abstractmethod
    def begun(self) -> "tuple[Callable[[pa.RecordBatch, Clock], State_co | None], Callable[[], State_co | None]]":
        """For one shard, the lift, and what gives the state of the batches for which that gave none."""


@dataclass(frozen=True)
class Lifted(Generic[State]):
    """What a shard comes to, and the time that took."""

    state: State
    spent: Spent
    kept: Kept
    """Which of its rows were chosen."""

    @property
    def rows(self) -> int:
        """The number of rows read."""
        return self.state.rows


@dataclass(frozen=True)
class Folded(Generic[State]):
    """What all rows come to."""

    total: State
    passed: Traversal
    """Where the rows stand."""
    spent: Spent


def fold(
    source: Source,
    columns: Wanted,
    lift: Lift[State] | Keeping[State],
    zero: State,
    running: Running,
    *,
    check: Callable[[State, Traversal], None] | None = None,
    keep: bool = False,
) -> Folded[State]:
    """Add up what every record batch of a source comes to.

    Args:
        source: where the rows are.
        columns: those to read.
        lift: pure, and picklable for engines whose workers are elsewhere.
        zero: the state of no rows.
        running: how.
        check: called after each shard, in order, with its state; what it raises ends the pass.
        keep: whether to keep the shards, to find a row again.

    Raises:
        DataError: a row cannot be read; says in which file, and which row of it.
    """
    traversal = Traversal(source, running, keep=keep)
    total, spent = Summation(zero), Spent()
    for shard, lifted in traversal.map(partial(lift_shard, columns, lift, zero)):
        total.add(lifted.state)
        spent = spent + lifted.spent
        if check is not None:
            check(lifted.state, traversal)
        running.done(shard)
    return Folded(total.result(), traversal, spent)


def lift_shard(columns: Wanted, lift: Lift[State] | Keeping[State], zero: State, shard: Shard) -> Lifted[State]:
    """What the rows of one shard come to.

    Raises:
        BadRow: a row cannot be read.
    """
    total, clock, kept, rows = Summation(zero), Clock(), Kept(), 0
    keep_what_is_freed()
    lifting, rest = lift.begun() if isinstance(lift, Keeping) else (lift, lambda: None)
    with np.errstate(all="ignore"):  # what is not finite is counted and said
        for record in plain_rows(shard, columns, kept):
            clock.mark("read")
            try:
                state = lifting(record, clock)
            except BadRow as bad:  # which counts among the rows of the record batch
                place = int(kept.places(np.array([rows + bad.row]))[0])
                raise BadRow(place, bad.what, bad.hint) from None
            rows += record.num_rows
            if state is not None:
                total.add(state)
                clock.mark("reduce")
    clock.mark("read")
    state = rest()
    if state is not None:
        total.add(state)
        clock.mark("reduce")
    return Lifted(total.result(), clock.spent, kept)


def keep_what_is_freed() -> None:
    """Have GNU's C library keep 16 MiB of what is freed: twice the largest array that was. Of others nothing changes.

    What is more it gives back to the system, page by page, after every block of rows of a thousand numbers.
    """
    np.empty(1 << 20)


def fold_rows(
    source: Source,
    plan: Plan,
    lift: Callable[[Plan, Batch, Clock], Verdict],
    zero: Verdict,
    running: Running,
    *,
    keep: bool = False,
) -> Folded[Verdict]:
    """Add up what every batch of legal rows comes to; arguments as for `fold`.

    Raises:
        DataError: a row cannot be read, or, at the first shard that has any, rows that the plan does not allow.
    """
    return fold_legal(source, plan, partial(lift_rows, plan, lift), zero, running, keep=keep)


def fold_legal(
    source: Source,
    plan: Plan,
    lift: Lift[Verdict] | Keeping[Verdict],
    zero: Verdict,
    running: Running,
    *,
    keep: bool = False,
) -> Folded[Verdict]:
    """Add up what every record batch comes to, as long as nothing is wrong with its rows; as `fold_rows` otherwise."""
    problems = Problems()

    def check(state: Verdict, traversal: Traversal) -> None:
        nonlocal problems
        problems = problems + state.problems.shift(traversal.rows - state.rows)
        complain(plan, problems, traversal)

    source = narrowed(source, plan.roles.needed)
    return fold(source, plan.layout.wanted(), lift, zero, running, check=check, keep=keep)


def lift_rows(
    plan: Plan, lift: Callable[[Plan, Batch, Clock], Verdict], record: pa.RecordBatch, clock: Clock
) -> Verdict:
    """What the legal rows of a record batch come to, and what is wrong with the others.

    Raises:
        BadRow: a row cannot be read.
    """
    if plan.layout.ragged and plan.layout.vectors:
        return _lift_ragged(plan, lift, record, clock)
    batch = validate(record, plan)
    clock.mark("validate")
    return lift(plan, batch, clock)


def _lift_ragged(
    plan: Plan, lift: Callable[[Plan, Batch, Clock], Verdict], record: pa.RecordBatch, clock: Clock
) -> Verdict:
    """As `lift_rows`, of lists of any length: some rows at a time, since each takes as much room as the longest."""
    columns = [record.column(model.columns[0]) for model in plan.models if len(model.columns) == 1]
    states = []
    for start, stop in cuts_of_lists([column for column in columns if is_list(column.type)], record.num_rows):
        try:
            batch = validate(record.slice(start, stop - start), plan)
        except BadRow as bad:
            raise BadRow(start + bad.row, bad.what, bad.hint) from None
        clock.mark("validate")
        states.append(lift(plan, batch, clock))
    return reduce(operator.add, states)
