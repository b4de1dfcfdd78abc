"""What a reduction is: it lifts rows to a state, adds states, and divides at the end.

A state holds sums, counts, extremes and sketches, never an average, for each of its groups at once. ``+`` is
associative and pure, with a true zero, so the way rows are cut into shards cannot change a digit.
"""

import functools
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Groups:
    """Which group each row is of.

    Sums over groups want their rows beside each other: `arranged` brings arrays into that order, once for each array,
    and what is computed from arranged arrays belongs to `in_order`.
    """

    code: IntArray
    """The group of each row, from 0."""
    number: int
    """How many groups there are; some may have no row."""
    ascending: bool = False
    """Whether the rows stand in the order of their groups already."""

    @functools.cached_property
    def counts(self) -> IntArray:
        """How many rows each group has."""
        return np.bincount(self.code, minlength=self.number)

    @functools.cached_property
    def index(self) -> IntArray:
        """The groups that have rows, ascending."""
        return np.flatnonzero(self.counts)

    @functools.cached_property
    def sizes(self) -> IntArray:
        """How many rows each group in `index` has."""
        return self.counts[self.index]

    @functools.cached_property
    def starts(self) -> IntArray:
        """Where the rows of each group in `index` begin, once arranged."""
        return np.asarray(np.cumsum(self.sizes) - self.sizes)

    @functools.cached_property
    def _order(self) -> IntArray:
        """What brings rows into the order of their groups, ``(n,)``."""
        short = self.code.astype(np.uint16) if self.number <= 1 << 16 else self.code  # which NumPy sorts by radix
        return np.argsort(short, kind="stable")

    @property
    def in_order(self) -> "Groups":
        """The groups of arranged rows."""
        return self if self.ascending else self._arranged

    @functools.cached_property
    def _arranged(self) -> "Groups":
        return Groups.counted(np.repeat(self.index, self.sizes), self.counts, ascending=True)

    @classmethod
    def counted(cls, code: IntArray, counts: IntArray, *, ascending: bool = False) -> "Groups":
        """Groups of which it is known how many rows each has."""
        groups = cls(code, len(counts), ascending)
        vars(groups)["counts"] = counts
        return groups

    def taken(self, rows: IntArray) -> "Groups":
        """The groups of some rows."""
        return Groups(self.code[rows], self.number)

    def arranged(self, values: FloatArray) -> FloatArray:
        """An array ``(n,)`` brought into the order of the groups; rows of a group stay in their order."""
        return values if self.ascending else values[self._order]


@dataclass(frozen=True)
class Far:
    """Values that are no doubles, or too small to have all their digits: numbers times powers of two."""

    row: IntArray
    """Where they stand among the rows, ascending."""
    number: FloatArray
    """Below 1 in size."""
    exponent: IntArray


@dataclass(frozen=True)
class Rows:
    """Some rows of one loss of one model, ready to be reduced. Every array has one entry a row."""

    value: FloatArray
    """The loss, ``(n,)``."""
    weight: FloatArray | None
    """The weight; ``None`` when every row counts 1."""
    groups: Groups | None
    """The groups of the rows; ``None`` when all rows are one."""
    position: IntArray | None
    """The number of each row among the rows read, from 0; ``None`` when none was dropped."""
    label: FloatArray
    prediction: FloatArray
    gradient: FloatArray | None
    """The gradient, in the shape of the prediction; ``None`` when nobody asked."""
    far: Far | None = None
    """What the losses of some rows are in truth, where a double is 0 or infinite; ``None`` when every one is right."""
    others: tuple[FloatArray, ...] = ()
    """Further numbers of each row, ``(n,)`` each, where a reduction is made of more than the losses."""
    ends: tuple[tuple[FloatArray, FloatArray], ...] = ()
    """The smallest and the largest of each within rows of several columns, ``(n,)`` each, where they count."""


class State(Protocol):
    """A sum in progress, with one slot for each group."""

    def __add__(self, other: Self, /) -> Self:
        """Both sums together; rows of ``other`` come after those of ``self``."""

    def regroup(self, index: IntArray, groups: int) -> Self:
        """The same state among ``groups`` groups, where group ``i`` has become ``index[i]``."""

    def shift(self, rows: int) -> Self:
        """The same state when ``rows`` rows come before it."""

    def pooled(self) -> Self:
        """The state of all rows as those of a single group."""


@functools.lru_cache(maxsize=16)  # as every batch asks for them by the dozen
def none(groups: int, *columns: int) -> IntArray:
    """Zeros ``(groups, …)`` that take no room, and that nobody can change."""
    return np.broadcast_to(np.zeros((1,) * (1 + len(columns)), dtype=np.int64), (groups, *columns))


def is_none(values: npt.NDArray[Any]) -> bool:
    """Whether an array is one of `none`."""
    return not any(values.strides)


def plus(one: IntArray, other: IntArray) -> IntArray:
    """The sum of two arrays, which are not changed."""
    return other if is_none(one) else one if is_none(other) else one + other


def regrouped(values: npt.NDArray[Any], index: IntArray, groups: int) -> npt.NDArray[Any]:
    """An array with one entry a group, moved to the places ``index`` of an array of ``groups`` zeros."""
    moved = np.zeros((groups, *values.shape[1:]), dtype=values.dtype)
    moved[index] = values
    return moved


class Regrouped(Protocol):
    """A state as `Meeting.both` needs it."""

    def __add__(self, other: Self, /) -> Self:
        """Both sums together."""

    def regroup(self, index: IntArray, groups: int) -> Self:
        """The same state among other groups."""


AnyState = TypeVar("AnyState", bound=Regrouped)


@dataclass(frozen=True, eq=False)
class Meeting:
    """How the groups of two states meet: those of the first stay where they are, others come behind them."""

    first: int
    """How many groups the first state has."""
    index: IntArray
    """Where those of the second are."""
    groups: int
    """How many there are together."""

    def both(self, one: AnyState, other: AnyState) -> AnyState:
        """Both sums together."""
        return one.regroup(np.arange(self.first), self.groups) + other.regroup(self.index, self.groups)

    def counts(self, one: IntArray, other: IntArray) -> IntArray:
        """Both counts together, ``(groups, …)``, which are 0 in all groups as a rule."""
        if is_none(one) and is_none(other):
            return none(self.groups, *one.shape[1:])
        total = self.added(one, other)
        return total if total.any() else none(self.groups, *one.shape[1:])

    def added(self, one: IntArray | None, other: IntArray | None) -> IntArray:
        """Both arrays together, zeros where one of them is ``None``."""
        shape = next(part.shape[1:] for part in (one, other) if part is not None)
        total = np.zeros((self.groups, *shape), dtype=np.int64)
        if one is not None:
            total[: self.first] = one
        if other is not None:
            total[self.index] += other
        return total


def added(values: npt.NDArray[Any], index: IntArray, groups: int) -> npt.NDArray[Any]:
    """Whole numbers ``(…, n)`` at their places among zeros ``(…, groups)``, added up where they come to the same."""
    moved = np.zeros((*values.shape[:-1], groups), dtype=values.dtype)
    steps = index[1:] != index[:-1]
    if (index[1:] < index[:-1]).any():
        places: Any = (..., index)
        np.add.at(moved, places, values)
    elif steps.all():
        moved[..., index] = values
    else:  # in runs, which is many times as fast
        starts = np.append(0, np.flatnonzero(steps) + 1)
        moved[..., index[starts]] = np.add.reduceat(values, starts, axis=-1)
    return moved


def inverse(order: IntArray) -> IntArray:
    """Where an order brings each entry."""
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place


class Summable(Protocol):
    """What can be added to its like, in order."""

    def __add__(self, other: Self, /) -> Self:
        """Both together."""


Sum = TypeVar("Sum", bound=Summable)


class Summation(Generic[Sum]):
    """Adds up many states, in order.

    They are added in pairs of like size, so each is copied a logarithmic number of times: with many groups a running
    total would be copied at every step. States of the same groups are of like size however many there were, and none
    of them waits. What has no `size` is as large as it is of many states.

    Args:
        zero: the sum of no states.
    """

    def __init__(self, zero: Sum) -> None:
        self.zero = zero
        self.stack: list[tuple[int, Sum]] = []

    def add(self, state: Sum) -> None:
        """Append a state."""
        size = getattr(state, "size", 1)
        while self.stack and 2 * self.stack[-1][0] <= 3 * size:
            before, earlier = self.stack.pop()
            state = earlier + state
            size = getattr(state, "size", size + before)
        self.stack.append((size, state))

    def result(self) -> Sum:
        """The sum of all states, in their order."""
        states = [state for _, state in self.stack] or [self.zero]
        return functools.reduce(lambda total, state: state + total, reversed(states))
