"""Whether labels are spread about their means as those of a gamma distribution are."""

import numpy as np

from lossctl.domain import FloatArray, IntArray
from lossctl.sums.sketch import Sketch

TO_THE_RIGHT = 0.3
"""How skewed labels are, from which they are called so."""
TO_THE_LEFT = -0.12
"""How skewed the logarithms of labels beside their means are, from which they are no longer taken for symmetric."""


def skewed(pairs: Sketch, *, logarithms: bool) -> bool:
    """Whether labels are skewed to the right, and the logarithms of what they are of their means to the left.

    Args:
        pairs: a sample of labels and predictions, above 0 both.
        logarithms: whether the predictions are logarithms of means, of either sign.
    """
    label, mean = pairs.numbers.T
    of_mean = np.log(label) - (mean if logarithms else np.log(mean))
    return _skew(label, pairs.counts) >= TO_THE_RIGHT and _skew(of_mean, pairs.counts) <= TO_THE_LEFT


def _skew(values: FloatArray, counts: IntArray) -> float:
    """From −1 to 1, how much farther the largest tenth is from the median than the smallest one (Kelly's skewness)."""
    order = np.argsort(values)
    reached = np.cumsum(counts[order])
    low, middle, high = values[order][np.searchsorted(reached, np.array([0.1, 0.5, 0.9]) * reached[-1])]
    return 0.0 if high == low else float((high - middle - (middle - low)) / (high - low))
