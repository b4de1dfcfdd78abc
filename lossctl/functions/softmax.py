"""The softmax of rows, with the digits of what is left beside the largest."""

import numpy as np

from lossctl.domain import FloatArray, row_sum


class Softmax:
    """Softmax of rows of logits, written around the largest entry of each row so that 1 − p keeps its digits."""

    def __init__(self, logit: FloatArray) -> None:
        self.rows, self.top = np.arange(len(logit)), logit.argmax(axis=1)
        self.shifted = logit - logit[self.rows, self.top][:, None]
        odds = np.exp(self.shifted)
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

    def error(self, label: FloatArray) -> FloatArray:
        """P − y, at the largest logit as (1 − y) − (1 − p)."""
        error = np.asarray(self.p - label)
        error[self.rows, self.top] = (1.0 - label[self.rows, self.top]) - self.miss
        return error
