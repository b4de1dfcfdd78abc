"""Problems with the data: counted by kind and column, and added up like any state."""

from collections.abc import Iterator, Mapping
from dataclasses import field

from lossctl.dataclass import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with some rows: with how many, and with which first."""

    count: int
    row: int
    """The first row, from 0."""
    value: str
    """What stood there."""


Key = tuple[str, str, str]
"""Kind, column, and what is wrong with it."""


@dataclass(frozen=True)
class Problems:
    """Problems with the data, by kind and column. A state without groups."""

    by_key: Mapping[Key, Problem] = field(default_factory=dict)

    def __add__(self, other: "Problems") -> "Problems":
        if not other.by_key:
            return self
        merged = dict(self.by_key)
        for key, later in other.by_key.items():
            earlier = merged.get(key)
            merged[key] = later if earlier is None else Problem(earlier.count + later.count, earlier.row, earlier.value)
        return Problems(merged)

    def shift(self, rows: int) -> "Problems":
        """The same problems when ``rows`` rows come before them."""
        if not self.by_key or not rows:
            return self
        return Problems(
            {key: Problem(problem.count, problem.row + rows, problem.value) for key, problem in self.by_key.items()}
        )

    def of(self, kind: str) -> Iterator[tuple[str, str, Problem]]:
        """Column, what is wrong with it, and the problem, of one kind, first row first."""
        for (other_kind, column, what), problem in sorted(self.by_key.items(), key=lambda item: item[1].row):
            if other_kind == kind:
                yield column, what, problem

    def count(self, kind: str, what: str) -> int:
        """How often something of one kind was met, over all columns."""
        return sum(problem.count for _, same, problem in self.of(kind) if same == what)
