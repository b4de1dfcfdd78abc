"""The softmax of rows, with the digits of what is left beside the largest."""

import math
from functools import cached_property

import numpy as np

from lossctl.domain import FloatArray, IntArray, row_sum
from lossctl.functions.stable import grown
from lossctl.two_doubles import difference

WIDE = 16.0
"""A difference of logits from which on what it was rounded by shows in its exponential, or in the square of that."""

BUFFER = 512
"""The size of NumPy's buffer, in numbers, with which it works on rows of more than that where they are."""

NEGLIGIBLE = WIDE * math.exp(-WIDE)
"""A sum of odds that one difference of `WIDE` or more, as it was rounded, changes by less than half a unit in the last
place."""


class Softmax:
    """Softmax of rows of logits, written around the largest entry of each row so that 1 − p keeps its digits.

    Args:
        logit: ``(n, k)``.
    """

    def __init__(self, logit: FloatArray) -> None:
        self.logit, self.rows = logit, np.arange(len(logit))
        self.largest, self.shifted, places = _around_largest(logit)
        self.places = places if _by_row(self.shifted) else _in_order_of_rows(places, len(logit))
        """Where the largest entry of each row stands in what `_flat` makes of a matrix like `shifted`."""

    @cached_property
    def top(self) -> IntArray:
        """The column of the largest entry of each row."""
        n, k = self.logit.shape
        return np.asarray(self.places - k * self.rows if _by_row(self.shifted) else self.places // n)

    @cached_property
    def odds(self) -> FloatArray:
        """e^(z − max z), with what the difference was rounded by; 0 at the largest."""
        odds = np.exp(self.shifted)
        flat, far = _flat(odds), np.flatnonzero(_flat(self.shifted) < -WIDE)
        far = far[flat[far] > 0] if len(far) else far
        if len(far):
            n, k = odds.shape
            row = far // k if _by_row(odds) else far % n
            column = far - k * row if _by_row(odds) else far // n
            flat[far] *= grown(difference(self.logit[row, column], self.largest[row])[1])
        flat[self.places] = 0.0
        return odds

    @cached_property
    def others(self) -> FloatArray:
        """The sum of the odds."""
        return row_sum(self.odds)

    @property
    def log_total(self) -> FloatArray:
        """Log Σ e^(z − max z)."""
        return np.log1p(self.others)

    @property
    def log_p(self) -> FloatArray:
        return np.asarray(self.shifted - self.log_total[:, None])

    @cached_property
    def p(self) -> FloatArray:
        total = 1.0 + self.others
        p = _with_each(np.divide, self.odds, total)
        _flat(p)[self.places] = 1.0 / total
        return p

    @property
    def miss(self) -> FloatArray:
        """1 − p at the largest logit of each row."""
        return np.asarray(self.others / (1.0 + self.others))

    @property
    def rest(self) -> FloatArray:
        """1 − p."""
        rest = np.asarray(1.0 - self.p)
        _flat(rest)[self.places] = self.miss
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
        others = weight.copy(order="K")
        others[at_top] = 0.0
        slope[at_top] = weight[at_top] * self.miss - p[at_top] * row_sum(others)
        return np.asarray(slope)

    def error(self, label: FloatArray) -> FloatArray:
        """P − y, at the largest logit as (1 − y) − (1 − p)."""
        error = np.asarray(self.p - label)
        error[self.rows, self.top] = (1.0 - label[self.rows, self.top]) - self.miss
        return error


def largest_and_total(logit: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Max z and log Σ e^(z − max z) of rows ``(n, k)``, ``(n,)`` each: what a `Softmax` says of them, in less time.

    What differences were rounded by is sought only in rows in which it could show in the sum.
    """
    largest, odds, places = _around_largest(logit)
    np.exp(odds, out=odds)
    _flat(odds)[places] = 0.0
    others = row_sum(odds)
    near = np.flatnonzero(others < NEGLIGIBLE * logit.shape[1])
    if len(near):
        others[near] = Softmax(logit[near]).others
    return largest, np.log1p(others, out=others)


def _around_largest(logit: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """The largest entry of each row ``(n,)``, all less that, and where in `_flat` of these they are, in any order."""
    n, k = logit.shape
    if n > 1 and logit.strides[0] == logit.itemsize:  # by column, where NumPy's argmax is slow
        largest = np.maximum.reduce(logit, axis=1)
        shifted = _with_each(np.subtract, logit, largest)
        places = np.flatnonzero(shifted.T == 0)
        return largest, shifted, places if len(places) == n else logit.argmax(axis=1) * n + np.arange(n)
    rows, top = np.arange(n), logit.argmax(axis=1)
    largest = logit[rows, top]
    return largest, _with_each(np.subtract, logit, largest), rows * k + top


def _with_each(operation: np.ufunc, matrix: FloatArray, numbers: FloatArray) -> FloatArray:
    """An operation on each row of a matrix and its number; NumPy copies rows that its buffer can hold into that."""
    with np.errstate():  # the size is restored with it
        np.setbufsize(BUFFER)
        return np.asarray(operation(matrix, numbers[:, None]))


def _by_row(matrix: FloatArray) -> bool:
    return matrix.flags.c_contiguous


def _flat(matrix: FloatArray) -> FloatArray:
    """The numbers of a matrix that was just computed as they stand in memory, as a view."""
    return matrix.ravel("C" if _by_row(matrix) else "F")


def _in_order_of_rows(places: IntArray, n: int) -> IntArray:
    """Places in columns of ``n`` numbers, one for each row, ordered by these."""
    ordered = np.empty_like(places)
    ordered[places % n] = places
    return ordered
