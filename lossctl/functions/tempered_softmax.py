"""The softmax whose tails are those of a power: probabilities from scores, with what is left beside the largest."""

import numpy as np

from lossctl.domain import FloatArray, IntArray, row_sum
from lossctl.functions.softmax import Softmax

STEPS = 12
"""Of Newton's method at most, which has no more to do after seven or so whatever the row."""


class TemperedSoftmax:
    """Rows p_k = (1 + c (λ − z_k))^(−1/c), for c = t − 1 ≥ 0 and the λ by which they sum to 1; the softmax at c = 0.

    Args:
        score: ``(n, k)``, finite.
        temperature: t, from 1 on.
    """

    def __init__(self, score: FloatArray, temperature: float) -> None:
        self.rows, self.top = np.arange(len(score)), score.argmax(axis=1)
        excess = temperature - 1.0
        if excess == 0:
            self.log_p = Softmax(score).log_p
        else:
            below = excess * (score[self.rows, self.top][:, None] - score)
            self.log_p = -np.log1p(_shift(below, self.top, excess)[:, None] + below) / excess
        self.p = np.exp(self.log_p)

    def split(self, numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The number of each row at its largest score, and the sum of the others, ``(n,)`` each."""
        others = numbers.copy(order="F")
        others[self.rows, self.top] = 0.0
        return numbers[self.rows, self.top], row_sum(others)

    def error(self, label: FloatArray) -> FloatArray:
        """P − y, at the largest score as (1 − y) − (1 − p)."""
        error = np.asarray(self.p - label)
        error[self.rows, self.top] = (1.0 - label[self.rows, self.top]) - self.split(self.p)[1]
        return error


def _shift(below: FloatArray, top: IntArray, excess: float) -> FloatArray:
    """The s of each row at which Σ (1 + s + c (max z − z_k))^(−1/c) is 1, with all its digits where it is small.

    By Newton's method for the −c-th power of the sum, which is concave and nearly linear: it comes from below.
    """
    shift, rows = np.zeros(len(below)), np.arange(len(below))
    for _ in range(STEPS):
        before, at_top = shift[rows], (np.arange(len(rows)), top[rows])
        log_term = -np.log1p(before[:, None] + below) / excess
        term = np.exp(log_term)
        slope = row_sum(np.exp(log_term * (1.0 + excess)))
        term[at_top] = np.expm1(log_term[at_top])
        log_sum = np.log1p(row_sum(term))
        step = np.expm1(-excess * log_sum) * np.exp((1.0 + excess) * log_sum) / slope
        shift[rows] = np.maximum(before - step, 0.0)
        rising = shift[rows] > before  # from where it does not, all that moves it is rounding
        if not rising.any():
            break
        if not rising.all():
            rows, below = rows[rising], np.asarray(below[rising], order="F" if below.flags.f_contiguous else "C")
    return shift
