"""How sizes of any scale are spread: exact counts, in bins that are parts of octaves."""

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.sums import compiled
from lossctl.sums.state import Groups

OCTAVE = 64
"""Bins of the histogram of norms in each octave (a factor of two)."""
OCTAVES = 1 << 11
"""Octaves of doubles."""
DROPPED_BITS = 46
"""Low bits of a double that leave its exponent and the bin within its octave."""
BIAS = 1022
"""The octave of a number below 1 from one half on: the exponent bits of a double."""
ROOM = 128
"""Octaves that a compiled function counts in; of more than a few dozen NumPy makes the histogram."""
BINS = 19
"""Bits of a cell that say its bin; those above say its group."""
OFFSET = 1 << 17
"""The bin of 0: numbers that are no doubles have octaves below it."""
PIECES = 16
"""So many arrays of cells are put together, however few these are."""
AT_A_TIME = 1 << 14
"""Groups whose shares are made at a time."""


def empty() -> tuple[IntArray, IntArray]:
    """Counts by slot and bin, and the slot of each octave, from 1: 0 where there is no number yet."""
    return np.zeros((ROOM, OCTAVE), dtype=np.int64), np.zeros(OCTAVES, dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many rows of each group have a norm in each bin: exact counts of what occurs.

    A cell is a bin of a group. Cells are gathered as they come, and put together as soon as there are more than twice
    as many as different ones: so they are never many more than rows, nor than there are bins.
    """

    cells: tuple[IntArray, ...] = ()
    """The group, and from bit 0 to `BINS` the bin: the octave times 64, the bin within it and `OFFSET`. The octave is
    the exponent bits of the norm, which may be more than a double has; that of 0 and of subnormal norms is 0."""
    counts: tuple[npt.NDArray[np.signedinteger], ...] = ()
    """How many rows are in each, in no more bytes than the largest count needs."""
    distinct: int = 0
    """How many of the cells are known to be different."""

    @classmethod
    def of(cls, norms: FloatArray, groups: Groups | None) -> "Histogram":
        """The histogram of ``(n,)`` non-negative numbers, of which there is one at least."""
        norms = np.ascontiguousarray(norms)
        if groups is None and compiled.kernels is not None:
            counts, slots = empty()
            if compiled.kernels.histogram(norms, counts.reshape(-1), slots):
                return cls.of_slots(counts, slots)
        return cls.of_bins(norms.view(np.int64) >> DROPPED_BITS, groups)

    @classmethod
    def of_slots(cls, counts: IntArray, slots: IntArray) -> "Histogram":
        """The histogram of a single group, as compiled functions leave what `empty` gave them."""
        octaves = np.flatnonzero(slots)
        return cls.of_octaves(octaves, counts[slots[octaves] - 1])

    @classmethod
    def of_octaves(cls, octaves: IntArray, counts: IntArray) -> "Histogram":
        """The histogram of a single group, of the counts ``(octaves, 64)`` in some octaves."""
        octave, within = counts.nonzero()
        cells = octaves[octave] * OCTAVE + (within + OFFSET)
        return cls((cells,), (counts[octave, within],), len(cells)) if len(cells) else cls()

    @classmethod
    def of_scaled(cls, norms: FloatArray, exponents: IntArray, groups: Groups | None) -> "Histogram":
        """The histogram of numbers ``(n,)`` from one half to 1, or 0, times powers of two."""
        octave = exponents + BIAS
        octave -= octave <= 0  # 0 is for those that are 0
        within = np.ascontiguousarray(norms).view(np.int64) >> DROPPED_BITS
        return cls.of_bins(np.where(norms > 0, octave * OCTAVE + within % OCTAVE, 0), groups)

    @classmethod
    def of_bins(cls, bins: IntArray, groups: Groups | None) -> "Histogram":
        """The histogram of the bins of ``(n,)`` numbers, the octave times 64 and the bin within it."""
        cells = bins + OFFSET
        if groups is not None:
            cells += groups.code << BINS
        rows = cls((cells,), (np.ones(len(cells), dtype=np.int8),))
        return rows.together() if groups is None else rows

    def __add__(self, other: "Histogram") -> "Histogram":
        distinct = max(self.distinct, other.distinct)
        both = Histogram(self.cells + other.cells, self.counts + other.counts, distinct)
        many = len(both.cells) > PIECES or sum(map(len, both.cells)) > 2 * distinct
        return both.together() if many else both

    def together(self) -> "Histogram":
        """The same histogram, each cell once, ascending."""
        if not self.cells or sum(map(len, self.cells)) == self.distinct:
            return self
        bits = max(int(part.max()) for part in self.counts).bit_length()
        if max(int(part.max()) for part in self.cells).bit_length() + bits < 64:
            cells, counts = _tallied(self.cells, self.counts, bits)
        else:
            cells, counts = np.concatenate(self.cells), np.concatenate(self.counts).astype(np.int64)
            order = np.argsort(cells)
            cells, counts = _added(cells[order], counts[order])
        narrow = np.min_scalar_type(-1 - int(counts.max()))
        return Histogram((cells,), (counts.astype(narrow),), len(cells))

    def regroup(self, index: IntArray, groups: int) -> "Histogram":  # noqa: ARG002  (those without rows have no cell)
        """The same histograms, with group ``i`` at place ``index[i]`` of ``groups``."""
        cells = tuple((index[part >> BINS] << BINS) | (part & ((1 << BINS) - 1)) for part in self.cells)
        return Histogram(cells, self.counts, self.distinct)

    def pooled(self) -> "Histogram":
        """The histogram of all groups, as that of a single one."""
        cells = tuple(part & ((1 << BINS) - 1) for part in self.cells)
        return Histogram(cells, self.counts).together()

    def top_shares(self, groups: int, part: float) -> FloatArray:
        """The share of the total that the largest ``part`` of the rows of each group carries, ``(groups,)``.

        Every row is taken at its bin's middle; NaN where all are 0, and of no rows.
        """
        shares, whole = np.full(groups, np.nan), self.together()
        for cells, counts in zip(whole.cells, whole.counts, strict=True):
            ends = np.searchsorted(cells, np.arange(0, groups + AT_A_TIME, AT_A_TIME) << BINS)
            for start, stop in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
                if start < stop:
                    group, share = _top_shares(cells[start:stop][::-1], counts[start:stop][::-1], part)
                    shares[group] = share
        return shares


def _tallied(
    cells: tuple[IntArray, ...], counts: tuple[npt.NDArray[np.signedinteger], ...], bits: int
) -> tuple[IntArray, IntArray]:
    """Each cell once, and its counts added up: sorted as one number with them, which takes a third of the time."""
    both, start = np.empty(sum(map(len, cells)), dtype=np.int64), 0
    for cell, count in zip(cells, counts, strict=True):
        part = both[start : start + len(cell)]
        np.left_shift(cell, bits, out=part)
        part |= count
        start += len(cell)
    both.sort()
    if compiled.kernels is None:
        return _added(both >> bits, both & ((1 << bits) - 1))
    total = np.empty(len(both), dtype=np.int64)
    distinct = compiled.kernels.tally(both, bits, total)
    return both[:distinct].copy(), total[:distinct]


def _added(cells: IntArray, counts: IntArray) -> tuple[IntArray, IntArray]:
    """Each of some ascending cells once, and its counts added up."""
    starts = np.flatnonzero(np.append(True, cells[1:] != cells[:-1]))
    return cells[starts], np.add.reduceat(counts, starts)


def _top_shares(cells: IntArray, counts: IntArray, part: float) -> tuple[IntArray, FloatArray]:
    """The groups that have some cells, and the share of each; the cells are given from the last to the first."""
    octave = ((cells & ((1 << BINS) - 1)) - OFFSET) // OCTAVE
    if octave[octave != 0].min(initial=1) < 0:  # what is 0 comes behind all others
        order = np.lexsort((-octave, octave == 0, -(cells >> BINS)))
        cells, counts, octave = cells[order], counts[order], octave[order]
    code, counts = cells >> BINS, counts.astype(np.int64)
    starts = np.flatnonzero(np.append(True, code[1:] != code[:-1]))
    sizes = np.diff(starts, append=len(code))
    rows = np.add.reduceat(counts, starts)
    before = np.cumsum(counts) - counts
    before -= np.repeat(before[starts], sizes)
    largest = np.clip(np.repeat(np.ceil(part * rows), sizes) - before, 0, counts)
    # The middle of a bin as a part of the top octave that has rows, so that the scale does not matter.
    top = np.minimum(octave - np.repeat(octave[starts], sizes), 0)
    middle = np.where(octave == 0, 0.0, np.ldexp(1.0 + (cells % OCTAVE + 0.5) / OCTAVE, top))
    total, carried = np.add.reduceat(middle * counts, starts), np.add.reduceat(middle * largest, starts)
    with np.errstate(invalid="ignore"):
        return code[starts], carried / total
