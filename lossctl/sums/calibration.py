"""Predicted probabilities beside what happened, by bins of the probability."""

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.rational import to_float
from lossctl.sums.exact import ExactSum
from lossctl.sums.state import Groups, added

BINS = 10
"""How many bins of equal width are shown."""
FINE = 1000
"""How many are kept, so that those that are shown can be where the rows are."""
WIDTHS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Of which width a window may be, from 0 on or up to 1: each is ten times as wide as some of the fine bins."""
BEYOND = 0.001
"""What part of the rows may be beyond a window."""
Window = tuple[float, float]
"""From which probability to which."""


def windows() -> list[Window]:
    """Those that may be shown, the narrowest first."""
    return [window for width in WIDTHS for window in ((0.0, width), (1.0 - width, 1.0))]


@dataclass(frozen=True)
class Calibration:
    """Counts and exact sums of bins of equal width, such as (0, 0.1], (0.1, 0.2], …; 0 is in the first."""

    counts: IntArray
    weight: ExactSum
    predicted: ExactSum
    observed: ExactSum

    @classmethod
    def zero(cls) -> "Calibration":
        """The state of no rows."""
        empty = ExactSum.zero(FINE)
        return cls(np.zeros(FINE, dtype=np.int64), empty, empty, empty)

    @classmethod
    def of(cls, predicted: FloatArray, observed: FloatArray, weight: FloatArray | None) -> "Calibration":
        """The state of ``(n,)`` probabilities and what happened, ``(n,)``: 1, 0, or something between."""
        index = np.searchsorted(np.arange(1, FINE) / FINE, predicted).astype(np.int64)
        weights = np.ones(len(predicted)) if weight is None else weight
        bins = Groups(index, FINE)
        return cls(
            bins.counts, *(ExactSum.of(values, bins) for values in (weights, weights * predicted, weights * observed))
        )

    def __add__(self, other: "Calibration") -> "Calibration":
        return Calibration(
            self.counts + other.counts,
            self.weight + other.weight,
            self.predicted + other.predicted,
            self.observed + other.observed,
        )

    def beyond(self, window: Window) -> int:
        """How many rows have a probability outside of a window."""
        return int(self.counts.sum() - self.within(window).counts.sum())

    def within(self, window: Window) -> "Calibration":
        """The same in ten bins of a window, without the rows beyond it."""
        first, last = (round(end * FINE) for end in window)
        place = (np.arange(FINE) - first) // ((last - first) // BINS)
        index = np.where((place >= 0) & (place < BINS), place, BINS)
        sums = (
            part.gathered(index, BINS + 1).between(0, BINS) for part in (self.weight, self.predicted, self.observed)
        )
        return Calibration(added(self.counts, index, BINS + 1)[:BINS], *sums)

    def curve(self) -> list[tuple[float, float, int]]:
        """For each bin that holds rows the mean prediction, the mean of what happened, and the number of rows."""
        sums = zip(
            self.weight.exact(), self.predicted.exact(), self.observed.exact(), self.counts.tolist(), strict=True
        )
        return [(to_float(foretold / w), to_float(happened / w), n) for w, foretold, happened, n in sums if n]
