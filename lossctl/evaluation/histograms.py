"""Counts of numbers and of pairs of numbers as bars and maps of cells.

Cells are powers of two wide, with a corner at 0: rounded numbers fall into them whole, so every count is exact.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.document import FAR, Axis, Panel, Series
from lossctl.domain import BoolArray, FloatArray, IntArray
from lossctl.sums.distribution import Distribution
from lossctl.sums.joint import Joint
from lossctl.words import counted

MOST = 40
"""The most cells along an axis."""
CORE = 0.01
"""The part of the rows at either end that may lie beyond an axis, where they lie far out."""


@dataclass(frozen=True)
class Cells:
    """Equal cells along an axis."""

    first: int
    """The lower edge of the first, in widths."""
    count: int
    width: float

    @property
    def edges(self) -> FloatArray:
        """One more than there are cells."""
        return np.asarray((self.first + np.arange(self.count + 1)) * self.width, dtype=np.float64)

    def place(self, values: FloatArray) -> tuple[IntArray, BoolArray]:
        """The cell of each value, and which values lie in one; the last holds its upper edge too."""
        edges = self.edges
        inside = (values >= edges[0]) & (values <= edges[-1])
        cell = np.floor(np.where(inside, values, edges[0]) / self.width).astype(np.int64) - self.first
        return np.minimum(cell, self.count - 1), inside

    def axis(self, title: str) -> Axis:
        """The axis that shows them all."""
        return Axis(title, float(self.edges[0]), float(self.edges[-1]))


def reach(counted: Sequence[tuple[FloatArray, IntArray]]) -> tuple[float, float]:
    """Where an axis should begin and end for sets of numbers; up to 1 % of a set at either end may lie beyond.

    Args:
        counted: for each set its different numbers, ``(n,)``, and how often each occurs.
    """
    lows, highs = [], []
    for numbers, times in counted:
        near = np.abs(numbers) <= FAR
        values, counts = numbers[near], times[near]
        if not len(values):
            continue
        order = np.argsort(values, kind="stable")
        ranked, below = values[order], np.cumsum(counts[order])
        low, high = (float(ranked[np.searchsorted(below, part * below[-1])]) for part in (CORE, 1.0 - CORE))
        span = high - low or math.inf
        lows.append(max(float(ranked[0]), low - span / 2))
        highs.append(min(float(ranked[-1]), high + span / 2))
    return min(lows, default=0.0), max(highs, default=1.0)


def cells(low: float, high: float, finest: float = 0.0) -> Cells:
    """Cells from ``low`` to ``high``, at most about 40, none narrower than ``finest`` (a power of two).

    Where both are one number, they go half as far as it is to both sides, and from 0 to 1.
    """
    size = max(abs(low), abs(high), 2.0**-900)
    if low == high:
        low, high = (low - size / 2, high + size / 2) if low else (0.0, 1.0)
    span = max(high - low, size * 2.0**-40)
    width = max(2.0 ** math.ceil(math.log2(span / MOST)), finest)
    first = math.floor(low / width)
    return Cells(first, max(math.ceil(high / width) - first, 1), width)


def histogram(title: str, axis: str, by_name: Mapping[str, Distribution]) -> Panel:
    """How many numbers of each name lie where, over one axis."""
    low, high = reach([(numbers.values, numbers.counts) for numbers in by_name.values()])
    finest = max(numbers.relative_error for numbers in by_name.values()) * max(abs(low), abs(high))
    grid = cells(low, high, 2.0 ** math.ceil(math.log2(finest)) * 4 if finest else 0.0)
    series = tuple(bars(name, numbers, grid) for name, numbers in by_name.items())
    highest = max(max(bar.y) for bar in series)
    return Panel(title, grid.axis(axis), Axis("rows", 0.0, 1.05 * highest or 1.0), series)


def beyond(panel: Panel, what: str = "") -> Iterator[str]:
    """What is to be said of numbers that lie in none of the cells of a panel."""
    for series in panel.series:
        if series.beyond:
            yield f"{what}{series.name}: {counted(series.beyond, 'row')} beyond the axes, or infinite"


def bars(name: str, numbers: Distribution, cells: Cells) -> Series:
    """How many numbers lie in each cell."""
    cell, inside = cells.place(numbers.values)
    counts = np.zeros(cells.count, dtype=np.int64)
    np.add.at(counts, cell[inside], numbers.counts[inside])
    edges = tuple(cells.edges.tolist())
    beyond = int(numbers.counts[~inside].sum()) + numbers.infinite
    return Series(name, "bars", edges, tuple(map(float, counts)), beyond=beyond)


def heat(name: str, pairs: Joint, across: Cells, up: Cells) -> Series:
    """How many pairs lie in each cell; the first number of a pair goes across, the second up."""
    (column, fits), (row, reaches) = across.place(pairs.first), up.place(pairs.second)
    inside = fits & reaches
    counts = np.zeros((up.count, across.count), dtype=np.int64)
    np.add.at(counts, (row[inside], column[inside]), pairs.counts[inside])
    beyond = int(pairs.counts[~inside].sum()) + pairs.infinite
    table = tuple(tuple(row) for row in counts.tolist())
    return Series(name, "heat", tuple(across.edges.tolist()), tuple(up.edges.tolist()), table, beyond)
