"""The rows that are furthest out in some directions: what one row carries of a sum of squares is largest among them.

A row's share in the error of a value is a linear function of what stands in its point, with coefficients that are known
at the end of a pass only. So the outermost rows are kept, and the function is taken of these. Where no few directions
hold the outermost of all such functions, it is taken with the coefficients that each batch by itself would give.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.sums import compiled
from lossctl.sums.state import Groups

FEW = 64
"""Groups that are looked at one by one, which of so few is faster."""


@dataclass(frozen=True)
class Extremes:
    """For each group and direction the row whose point is furthest out; of several the lexicographically largest."""

    directions: FloatArray
    """What points are held against, ``(directions, size)``; zeros where that is what rows move the value by."""
    score: FloatArray
    """How far out the row is, ``(groups, directions)``; −∞ of no rows, ∞ where numbers of a row are no doubles."""
    point: FloatArray
    """Its point, ``(groups, directions, size)``."""

    @classmethod
    def zero(cls, groups: int, directions: Sequence[Sequence[float]]) -> "Extremes":
        """The state of no rows."""
        held = np.array(directions, dtype=np.float64)
        return cls(held, np.full((groups, len(held)), -np.inf), np.zeros((groups, *held.shape)))

    def lift(self, columns: Sequence[FloatArray], groups: Groups | None, moved: FloatArray | None = None) -> "Extremes":
        """The outermost of some rows; arguments as for `Outermost.add`."""
        found = Outermost(self.directions.tolist(), 1 if groups is None else groups.number)
        found.add(columns, groups, moved)
        return found.result()

    def __add__(self, other: "Extremes") -> "Extremes":
        later = other.score > self.score
        tied = (other.score == self.score) & np.isfinite(self.score)
        for place in range(self.point.shape[2]) if tied.any() else ():
            mine, theirs = self.point[..., place], other.point[..., place]
            later |= tied & (theirs > mine)
            tied &= theirs == mine
        return Extremes(
            self.directions,
            np.where(later, other.score, self.score),
            np.where(later[..., None], other.point, self.point),
        )

    def regroup(self, index: IntArray, groups: int) -> "Extremes":
        """The same rows, with group ``i`` at place ``index[i]`` of ``groups``."""
        moved = Extremes.zero(groups, self.directions.tolist())
        moved.score[index], moved.point[index] = self.score, self.point
        return moved

    def pooled(self) -> "Extremes":
        """The outermost of all rows as those of a single group."""
        total = Extremes.zero(1, self.directions.tolist())
        for group in range(len(self.score)):
            total = total + Extremes(self.directions, self.score[group : group + 1], self.point[group : group + 1])
        return total

    def shift(self, rows: int) -> "Extremes":  # noqa: ARG002
        """The same rows: it does not matter where they stand."""
        return self

    def kept(self, group: int) -> FloatArray | None:
        """The points of the rows that were kept of a group, ``(rows, size)``; ``None`` where one has no doubles."""
        if np.isposinf(self.score[group]).any():
            return None
        return np.asarray(self.point[group][np.isfinite(self.score[group])])


class Outermost:
    """Finds the outermost rows among some that are added block by block.

    Args:
        directions: as of `Extremes`.
        groups: how many groups there are.
    """

    def __init__(self, directions: Sequence[Sequence[float]], groups: int = 1) -> None:
        self._found = Extremes.zero(groups, directions)

    def add(self, columns: Sequence[FloatArray], groups: Groups | None = None, moved: FloatArray | None = None) -> None:
        """Add rows.

        Args:
            columns: the numbers of their points, ``(n,)`` each; a row that is not finite is further out than any.
            groups: the groups of the rows.
            moved: what each row moves the value by, where there are directions of zeros: one up, then one down.
        """
        if not len(columns[0]):
            return
        scores = _scores(self._found.directions, columns, moved)
        kernels = compiled.kernels
        if kernels is None:
            self._found = self._found + _in_numpy(self._found, scores, columns, groups)
            return
        rows = tuple(map(np.ascontiguousarray, columns)), None if groups is None else groups.code
        kept = self._found.score.reshape(-1), self._found.point.reshape(-1)
        for place, ways, score in scores:
            kernels.outermost(np.ascontiguousarray(score), *rows, *kept, place, len(self._found.directions), ways)

    def result(self) -> Extremes:
        """The rows that were found, of which no more are sought."""
        return self._found


def _scores(
    directions: FloatArray, columns: Sequence[FloatArray], moved: FloatArray | None
) -> Iterator[tuple[int, int, FloatArray]]:
    """How far out rows are in each direction, ``(n,)``, and its place; with the opposite one where that comes next."""
    place = 0
    while place < len(directions):
        direction = directions[place]
        ways = 2 if place + 1 < len(directions) and not (direction + directions[place + 1]).any() else 1
        yield place, ways, moved if moved is not None and not direction.any() else _along(direction, columns)
        place += ways


def _in_numpy(
    kept: Extremes, scores: Iterable[tuple[int, int, FloatArray]], columns: Sequence[FloatArray], groups: Groups | None
) -> Extremes:
    """The outermost of some rows, unless those that are kept are further out."""
    lifted = Extremes.zero(len(kept.score), kept.directions.tolist())
    if groups is None:
        starts, sizes, index = np.zeros(1, np.int64), np.array([len(columns[0])]), np.zeros(1, np.int64)
    else:
        columns = [groups.arranged(column) for column in columns]
        starts, sizes, index = groups.in_order.starts, groups.in_order.sizes, groups.in_order.index
    for place, ways, along in scores:
        up = along if groups is None else groups.arranged(along)
        finite = np.isfinite(up.min() + up.max())
        for way, out in enumerate((up, -up)[:ways], place):
            score = out if finite else np.where(np.isfinite(out), out, np.inf)
            best = np.maximum.reduceat(score, starts)
            if not (best >= kept.score[index, way]).any():
                continue
            outermost = _rows(score, best, columns, starts, sizes)
            lifted.score[index, way] = best
            for number, column in enumerate(columns):
                lifted.point[index, way, number] = np.where(np.isfinite(best), column[outermost], 0.0)
    return lifted


def _along(direction: FloatArray, columns: Sequence[FloatArray]) -> FloatArray:
    """How far out rows are in a direction of small whole numbers, ``(n,)``."""
    terms = [
        column if factor == 1.0 else factor * column
        for factor, column in zip(direction, columns, strict=True)
        if factor
    ]
    score = terms[0]
    for term in terms[1:]:
        score = score + term
    return score


def _rows(
    score: FloatArray, best: FloatArray, columns: Sequence[FloatArray], starts: IntArray, sizes: IntArray
) -> IntArray:
    """Which row of each run has the best score, and among those the largest numbers of ``columns``, in turn."""
    if len(best) <= FEW:
        ends = (starts + sizes).tolist()
        runs = zip(starts.tolist(), ends, best, strict=True)
        rows = np.concatenate([start + np.flatnonzero(score[start:end] == most) for start, end, most in runs])
    else:
        rows = np.flatnonzero(score == np.repeat(best, sizes))
    for column in columns:
        if len(rows) == len(starts):
            break
        run = np.searchsorted(starts, rows, "right") - 1
        first = np.searchsorted(run, np.arange(len(starts)))
        values = column[rows]
        largest = np.maximum.reduceat(values, first)
        rows = rows[(values == largest[run]) | np.isnan(largest[run])]  # which are no doubles, so any will do
    run = np.searchsorted(starts, rows, "right") - 1
    return rows[np.searchsorted(run, np.arange(len(starts)))]
