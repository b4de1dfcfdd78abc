"""How sizes of any scale are spread: exact counts, in bins that are parts of octaves."""

import math

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.sums import compiled
from lossctl.sums.state import Groups, regrouped

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


def empty() -> tuple[IntArray, IntArray]:
    """Counts by slot and bin, and the slot of each octave, from 1: 0 where there is no number yet."""
    return np.zeros((ROOM, OCTAVE), dtype=np.int64), np.zeros(OCTAVES, dtype=np.uint8)


@dataclass(frozen=True)
class Histogram:
    """How many rows of each group have a norm in each bin: exact counts, bounded by the octaves that occur."""

    octaves: dict[int, IntArray]
    """Counts ``(64, groups)`` by the exponent bits of the norm, which may be more than a double has; those of 0 and of
    subnormal norms by 0."""

    @classmethod
    def of(cls, norms: FloatArray, groups: Groups | None) -> "Histogram":
        """The histogram of ``(n,)`` non-negative numbers, of which there is one at least."""
        if groups is None and compiled.kernels is not None:
            counts, slots = empty()
            if compiled.kernels.histogram(np.ascontiguousarray(norms), counts.reshape(-1), slots):
                return cls.of_slots(counts, slots)
        if groups is not None and compiled.kernels is not None:
            values, octaves = np.ascontiguousarray(norms), np.zeros(OCTAVES, dtype=np.int64)
            compiled.kernels.histogram_by(values, groups.code, groups.number, octaves, None)
            present = np.flatnonzero(octaves)
            octaves[present] = np.arange(1, len(present) + 1)
            table = np.zeros((len(present), OCTAVE, groups.number), dtype=np.int64)
            compiled.kernels.histogram_by(values, groups.code, groups.number, octaves, table.reshape(-1))
            return cls(dict(zip(present.tolist(), table, strict=True)))
        return cls.of_bins(np.ascontiguousarray(norms).view(np.int64) >> DROPPED_BITS, groups)

    @classmethod
    def of_slots(cls, counts: IntArray, slots: IntArray) -> "Histogram":
        """The histogram of a single group, as compiled functions leave what `empty` gave them."""
        return cls({octave: counts[slots[octave] - 1][:, None].copy() for octave in slots.nonzero()[0].tolist()})

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
        lowest = int(bins.min()) // OCTAVE
        bins = bins - lowest * OCTAVE
        if groups is None:
            octaves = int(bins.max()) // OCTAVE + 1
            counts = np.bincount(bins, minlength=octaves * OCTAVE).reshape(octaves, OCTAVE)
            occupied = np.flatnonzero(counts.any(axis=1)).tolist()
            return cls({lowest + octave: counts[octave][:, None] for octave in occupied})
        octave = bins // OCTAVE
        present = np.flatnonzero(np.bincount(octave))
        code = np.zeros(present[-1] + 1, dtype=np.int64)
        code[present] = np.arange(len(present))
        cell = (code[octave] * OCTAVE + bins % OCTAVE) * groups.number + groups.code
        size = len(present) * OCTAVE * groups.number
        table = np.bincount(cell, minlength=size).reshape(len(present), OCTAVE, groups.number)
        return cls(dict(zip((present + lowest).tolist(), table, strict=True)))

    def __add__(self, other: "Histogram") -> "Histogram":
        octaves = dict(self.octaves)
        for octave, counts in other.octaves.items():
            octaves[octave] = octaves[octave] + counts if octave in octaves else counts
        return Histogram(octaves)

    def regroup(self, index: IntArray, groups: int) -> "Histogram":
        """The same histograms, with group ``i`` at place ``index[i]`` of ``groups``."""
        return Histogram({octave: regrouped(counts.T, index, groups).T for octave, counts in self.octaves.items()})

    def pooled(self) -> "Histogram":
        """The histogram of all groups, as that of a single one."""
        return Histogram({octave: counts.sum(axis=1, keepdims=True) for octave, counts in self.octaves.items()})

    def top_share(self, group: int, part: float) -> float:
        """The share of the total that the largest ``part`` of the rows carries, every row taken at its bin's middle."""
        octaves = sorted(self.octaves, key=lambda octave: (octave != 0, octave))
        count = np.concatenate([self.octaves[octave][:, group] for octave in octaves])[::-1]
        # The middle of a bin as a part of the top octave that has rows, so that the scale does not matter.
        occupied = [octave for octave in octaves if self.octaves[octave][:, group].any()]
        top = np.array(octaves) - (occupied[-1] if occupied else 0)
        size = np.where(np.array(octaves) == 0, 0.0, np.ldexp(1.0, np.minimum(top, 0)))
        middle = (size[:, None] * (1.0 + (np.arange(OCTAVE) + 0.5) / OCTAVE)).ravel()[::-1]
        before = np.cumsum(count) - count
        largest = np.clip(math.ceil(part * int(count.sum())) - before, 0, count)
        total = float(middle @ count)
        return float(middle @ largest) / total if total else math.nan
