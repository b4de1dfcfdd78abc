"""Predicted probabilities beside what happened, by bins of the probability."""

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.rational import to_float
from lossctl.sums.exact import ExactSum
from lossctl.sums.state import Groups

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Counts and exact sums of ten bins of equal width: (0, 0.1], (0.1, 0.2], …; 0 is in the first."""

    counts: IntArray
    weight: ExactSum
    predicted: ExactSum
    observed: ExactSum

    @classmethod
    def zero(cls) -> "Calibration":
        """The state of no rows."""
        empty = ExactSum.zero(BINS)
        return cls(np.zeros(BINS, dtype=np.int64), empty, empty, empty)

    @classmethod
    def of(cls, predicted: FloatArray, observed: FloatArray, weight: FloatArray | None) -> "Calibration":
        """The state of ``(n,)`` probabilities and what happened, ``(n,)``: 1, 0, or something between."""
        index = np.searchsorted(np.linspace(0.0, 1.0, BINS + 1)[1:-1], predicted).astype(np.int64)
        weights = np.ones(len(predicted)) if weight is None else weight
        bins = Groups(index, BINS)
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

    def curve(self) -> list[tuple[float, float, int]]:
        """For each bin that holds rows the mean prediction, the mean of what happened, and the number of rows."""
        sums = zip(
            self.weight.exact(), self.predicted.exact(), self.observed.exact(), self.counts.tolist(), strict=True
        )
        return [(to_float(foretold / w), to_float(happened / w), n) for w, foretold, happened, n in sums if n]
