"""The rows whose losses two models differ on most, both ways."""

from dataclasses import replace

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.sums.difference import difference
from lossctl.sums.state import Rows
from lossctl.sums.worst import Worst


@dataclass(frozen=True)
class Moved:
    """The rows of each group on which the candidate's loss is larger by most, and those on which it is smaller."""

    worse: Worst
    """With by how much."""
    better: Worst

    @classmethod
    def zero(cls, most: int) -> "Moved":
        """The state of no rows, of which so many are kept each way."""
        return cls(Worst.zero(most), Worst.zero(most))

    @classmethod
    def lift(cls, baseline: Rows, candidate: Rows, most: int) -> "Moved":
        """The state of some rows, given twice; those that do not move are none of them."""
        rows = difference(baseline, candidate)
        return cls(*(_largest(replace(rows, value=sign * rows.value), most) for sign in (1.0, -1.0)))

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(self.worse + other.worse, self.better + other.better)

    def regroup(self, index: IntArray, groups: int) -> "Moved":
        """The same rows, with group ``i`` at place ``index[i]`` of ``groups``."""
        return Moved(self.worse.regroup(index, groups), self.better.regroup(index, groups))

    def shift(self, rows: int) -> "Moved":
        """The same rows when others come before them."""
        return Moved(self.worse.shift(rows), self.better.shift(rows))

    def pooled(self) -> "Moved":
        """The rows that moved most of all, as those of a single group."""
        return Moved(self.worse.pooled(), self.better.pooled())

    def of(self, group: int) -> list[tuple[int, float]]:
        """The rows of a group with their differences: those that got worse, most first, then those that got better."""
        return [
            (int(worst.row[place]), sign * float(worst.value[place]))
            for worst, sign in ((self.worse, 1.0), (self.better, -1.0))
            for place in worst.of(group)
        ]


def _largest(rows: Rows, most: int) -> Worst:
    """The rows with the largest values, of those above 0."""
    places = np.flatnonzero(rows.value > 0)
    position = places if rows.position is None else rows.position[places]
    groups = None if rows.groups is None else replace(rows.groups, code=rows.groups.code[places], ascending=False)
    nothing: FloatArray = np.zeros(len(places))  # what else is known of rows is read again
    return Worst.lift(
        Rows(rows.value[places], None, groups, position, nothing, nothing, nothing), most, lambda label, _: label
    )
