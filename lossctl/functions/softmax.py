"""The softmax of rows, with the digits of what is left beside the largest."""

import numpy as np

from lossctl.domain import FloatArray, row_sum
from lossctl.functions.stable import amended, difference, grown

WIDE = 16.0
"""A difference of logits from which on what it was rounded by shows in its exponential, or in the square of that."""


class Softmax:
    """Softmax of rows of logits, written around the largest entry of each row so that 1 − p keeps its digits.

    Args:
        logit: ``(n, k)``.
    """

    def __init__(self, logit: FloatArray) -> None:
        self.rows, self.top = np.arange(len(logit)), logit.argmax(axis=1)
        self.logit = logit
        self.shifted = logit - logit[self.rows, self.top][:, None]
        odds = np.exp(self.shifted)
        largest = np.broadcast_to(logit[self.rows, self.top][:, None], logit.shape)
        odds = amended(odds, (self.shifted < -WIDE) & (odds > 0), _unrounded, odds, logit, largest)
        odds[self.rows, self.top] = 0.0
        self.others = row_sum(odds)
        self.odds = odds

    @property
    def log_total(self) -> FloatArray:
        """Log Σ e^(z − max z)."""
        return np.log1p(self.others)

    @property
    def log_p(self) -> FloatArray:
        return np.asarray(self.shifted - self.log_total[:, None])

    @property
    def p(self) -> FloatArray:
        p = np.asarray(self.odds / (1.0 + self.others)[:, None])
        p[self.rows, self.top] = 1.0 / (1.0 + self.others)
        return p

    @property
    def miss(self) -> FloatArray:
        """1 − p at the largest logit of each row."""
        return np.asarray(self.others / (1.0 + self.others))

    @property
    def rest(self) -> FloatArray:
        """1 − p."""
        rest = np.asarray(1.0 - self.p)
        rest[self.rows, self.top] = self.miss
        return rest

    def cost(self, eps: float) -> FloatArray:
        """−log p; of a logit of −∞, whose p is exactly 0, that of the floor ``eps``."""
        cost = np.asarray(self.log_total[:, None] - self.shifted)
        cost[self.logit == -np.inf] = -np.log(np.float64(eps))
        return cost

    def pulled(self, weight: FloatArray) -> FloatArray:
        """W − p Σw: the slope with respect to the logits, from w = p ∂ℓ/∂p."""
        p, at_top = self.p, (self.rows, self.top)
        slope = weight - p * row_sum(weight)[:, None]
        others = weight.copy(order="F")
        others[at_top] = 0.0
        slope[at_top] = weight[at_top] * self.miss - p[at_top] * row_sum(others)
        return np.asarray(slope)

    def error(self, label: FloatArray) -> FloatArray:
        """P − y, at the largest logit as (1 − y) − (1 − p)."""
        error = np.asarray(self.p - label)
        error[self.rows, self.top] = (1.0 - label[self.rows, self.top]) - self.miss
        return error


def _unrounded(odds: FloatArray, logit: FloatArray, largest: FloatArray) -> FloatArray:
    """Odds with what the difference of two logits was rounded by."""
    return odds * grown(difference(logit, largest)[1])
