"""What a reduction is: it lifts rows to a state, adds states, and divides at the end.

A state holds sums, counts, extremes and sketches, never an average, for each of its groups at once. ``+`` is
associative and pure, with a true zero, so the way rows are cut into shards cannot change a digit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from lossctl.domain import FloatArray

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Some rows of one loss of one model, ready to be reduced. Every array has one entry a row."""

    value: FloatArray
    """The loss, ``(n,)``."""
    weight: FloatArray | None
    """The weight; ``None`` when every row counts 1."""
    group: IntArray | None
    """The index of the row's group; ``None`` when all rows are one group."""
    groups: int
    """How many groups there are."""
    position: IntArray | None
    """The number of each row among the rows read, from 0; ``None`` when none was dropped."""
    label: FloatArray
    prediction: FloatArray
    gradient: FloatArray | None
    """The gradient, in the shape of the prediction; ``None`` when nobody asked."""


class State(Protocol):
    """A sum in progress, with one slot for each group."""

    def __add__(self, other: Self, /) -> Self:
        """Both sums together; rows of ``other`` come after those of ``self``."""

    def regroup(self, index: IntArray, groups: int) -> Self:
        """The same state among ``groups`` groups, where group ``i`` has become ``index[i]``."""

    def shift(self, rows: int) -> Self:
        """The same state when ``rows`` rows come before it."""


def regrouped(values: npt.NDArray[Any], index: IntArray, groups: int) -> npt.NDArray[Any]:
    """An array with one entry a group, moved to the places ``index`` of an array of ``groups`` zeros."""
    moved = np.zeros((groups, *values.shape[1:]), dtype=values.dtype)
    moved[index] = values
    return moved


@dataclass(frozen=True)
class Finding:
    """Something met in the data: how often, and where first."""

    count: int
    row: int
    """The first row, from 0."""
    value: str
    """What stood there."""


Key = tuple[str, str, str]
"""Kind, column, and what is wrong with it."""


@dataclass(frozen=True)
class Findings:
    """What was met in the data, by kind and column. A state without groups."""

    found: Mapping[Key, Finding] = field(default_factory=dict)

    def __add__(self, other: "Findings") -> "Findings":
        if not other.found:
            return self
        merged = dict(self.found)
        for key, later in other.found.items():
            earlier = merged.get(key)
            merged[key] = later if earlier is None else Finding(earlier.count + later.count, earlier.row, earlier.value)
        return Findings(merged)

    def shift(self, rows: int) -> "Findings":
        """The same findings when ``rows`` rows come before them."""
        if not self.found or not rows:
            return self
        return Findings({key: Finding(it.count, it.row + rows, it.value) for key, it in self.found.items()})

    def of(self, kind: str) -> Iterator[tuple[str, str, Finding]]:
        """Column, problem and finding of one kind, first row first."""
        for (this, column, what), finding in sorted(self.found.items(), key=lambda item: item[1].row):
            if this == kind:
                yield column, what, finding
