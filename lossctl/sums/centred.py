"""Sums of numbers and of their squares in one pass: a variance, which is a difference of the two, keeps its digits."""

import math

import numpy as np

from lossctl.domain import FloatArray, span_of
from lossctl.sums import compiled
from lossctl.sums.digits import BLOCK, LEVELS, LOWEST, BlockSum, digits_of, in_blocks, moments_by_group
from lossctl.sums.exact import ExactSum
from lossctl.sums.products import exact_products, safe_squares
from lossctl.sums.state import Groups

FIRST = 1 << 14
"""Numbers of a batch whose mean its squares are taken about."""
NEARLY = 62
"""Bits of a mean that are rounded to those of a double."""


class Centred:
    """The sums of numbers of a single group, batch by batch, added up as they come: none is kept.

    Squares are taken about the mean m of the first `FIRST` numbers of a batch, and what that adds is added exactly: Σx²
    is Σ(x − m)² + 2m(Σx − nm) + nm². So only the first terms are rounded, each by itself, and their sum is at most
    n/`FIRST` times what it would be about the mean of the batch, whatever the numbers are and in whatever order.
    """

    def __init__(self) -> None:
        self.n = 0
        """How many numbers there are in all batches that ended well."""
        self._total, self._digits = np.zeros((2, 2 * LEVELS), dtype=np.int64)
        self._sums: tuple[ExactSum, ExactSum] | None = None
        """Those of batches that were not compiled to the end."""
        self._work = np.empty((2, BLOCK if compiled.kernels is None else 0))
        self.forget()

    def forget(self) -> None:
        """Leave out the batch so far."""
        self._rows, self._about = 0, 0.0
        self._off = 0.0
        """0 where all numbers are the one that squares are taken about; no finite number where one of them is none."""
        self._digits[:] = 0
        if compiled.kernels is None:
            self._own = BlockSum(self._work[0]), BlockSum(self._work[0])

    def add(self, values: FloatArray, weight: FloatArray | None = None) -> None:  # noqa: ARG002  (there is none)
        """Add the next numbers of a batch, ``(n,)``: at first `FIRST` or more, or all."""
        if not len(values):
            return
        values = np.ascontiguousarray(values)
        kernels = compiled.kernels
        if not self._rows:
            self._about = _mean(values[:FIRST]) if kernels is None else kernels.mean(values[:FIRST])
        self._rows += len(values)
        if kernels is not None:
            self._off += kernels.centred(values, self._about, self._digits)
            return
        with np.errstate(over="ignore"):
            for block in in_blocks(values):
                self._add(block)

    def _add(self, block: FloatArray) -> None:
        """As `add`, in NumPy."""
        total, squares = self._own
        low, high = span_of(block)
        self._off += max(high - self._about, self._about - low)
        total.add(block, low, high)
        rest = np.subtract(block, self._about, out=self._work[1, : len(block)])
        rest *= rest
        squares.add(rest, 0.0, float(np.maximum.reduce(rest)))

    def end(self) -> bool:
        """End a batch; whether it counts, as one does not where numbers are not finite, or squares may lose digits."""
        rows = self._rows
        kernels, fine = compiled.kernels, math.isfinite(self._off)
        if fine and not (kernels is not None and kernels.uncentred(self._digits, self._about, rows, self._total)):
            fine = self._uncentred()
        self.forget()
        self.n += rows if fine else 0
        return fine

    def _uncentred(self) -> bool:
        """As the compiled function, at any scale."""
        if compiled.kernels is not None:
            total, spread = (ExactSum.of_digits(row) for row in self._digits.copy().reshape(2, -1))
        else:
            total, spread = (ExactSum(*part.result()) for part in self._own)
        if self._off and not safe_squares(spread):
            return False
        (units,), exponent = total.units()
        above, below = self._about.as_integer_ratio()  # the sums below with fractions would reduce each of them
        lowered = 1 << max(-exponent, 0)
        rest = 2 * (units << max(exponent, 0)) * below - self._rows * above * lowered
        squares, exponent = above * rest, 1 - (below * below * lowered).bit_length()
        zeros = min((squares & -squares).bit_length() - 1, -exponent) if squares else 0
        shift = ExactSum(digits_of(squares >> zeros, exponent + zeros), np.zeros((1, 3), dtype=np.int64))
        before, self._sums = self._sums, (total, spread + shift)
        if before is not None:
            self._sums = before[0] + self._sums[0], before[1] + self._sums[1]
        return True

    def result(self) -> tuple[ExactSum, ExactSum]:
        """Σx and Σx² of all batches that counted."""
        total, squares = (ExactSum.of_digits(row) for row in self._total.copy().reshape(2, -1))
        return (total, squares) if self._sums is None else (self._sums[0] + total, self._sums[1] + squares)


def sum_and_squares(values: FloatArray, groups: Groups | None) -> tuple[ExactSum, ExactSum]:
    """Σx and Σx² of numbers ``(n,)``, by group; infinite ones and NaN are counted in the first, and 0 in the second.

    Those of groups are exact.
    """
    if groups is None:
        sums = Centred()
        sums.add(values)
        return sums.result() if sums.end() else (ExactSum.of(values), exact_products(values, values))
    at_once = moments_by_group(values, None, groups)
    if at_once is not None:
        total, squares = (ExactSum(*own) for own in at_once)
        return total, squares
    if compiled.kernels is None:  # once for the three sums that NumPy makes of them
        values, groups = groups.arranged(values), groups.in_order
    return ExactSum.of(values, groups), exact_products(values, values, groups)


def _mean(values: FloatArray) -> float:
    """The mean of finite numbers, one of which is there: correctly rounded, but for one that is next to nothing."""
    (units,), exponent = ExactSum.of(values).units()
    whole, rest = divmod(abs(units) << (exponent - LOWEST), len(values))
    down = max(whole.bit_length() - NEARLY, 0)
    leading = whole >> down
    if leading.bit_length() == NEARLY and (rest or leading << down != whole):
        leading |= 1  # what is left decides where the bits before are half of a double's last
    mean = math.ldexp(float(leading), LOWEST + down)
    return -mean if units < 0 else mean
