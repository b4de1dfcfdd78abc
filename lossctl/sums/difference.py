"""The losses of one model less those of another, row by row, where they are no doubles too."""

from dataclasses import replace

import numpy as np

from lossctl.domain import FloatArray, IntArray, distinct
from lossctl.sums.state import Far, Rows


def difference(baseline: Rows, candidate: Rows) -> Rows:
    """The differences of the losses of the same rows: candidate less baseline."""
    value = candidate.value - baseline.value
    far = None
    if baseline.far is not None or candidate.far is not None:
        far = _far_difference(baseline, candidate)
        value[far.row] = np.ldexp(far.number, far.exponent)
    return replace(candidate, value=value, gradient=None, far=far, others=())


def _far_difference(baseline: Rows, candidate: Rows) -> Far:
    """The differences of the rows of which one value or both are no doubles."""
    fars = [side.far.row for side in (baseline, candidate) if side.far is not None]
    rows = distinct(np.concatenate(fars))
    (first, low), (second, high) = (_parted(side, rows) for side in (baseline, candidate))
    top = np.maximum(low, high)
    number = np.ldexp(second, high - top) - np.ldexp(first, low - top)
    return Far(rows, number / 2.0, top + 1)


def _parted(side: Rows, rows: IntArray) -> tuple[FloatArray, IntArray]:
    """The values of some rows as numbers below 1 times powers of two."""
    numbers, exponents = np.frexp(np.where(np.isfinite(side.value[rows]), side.value[rows], 0.0))
    exponents = exponents.astype(np.int64)
    if side.far is not None:
        place = np.searchsorted(rows, side.far.row)
        numbers[place], exponents[place] = side.far.number, side.far.exponent
    zero = numbers == 0
    return numbers, np.where(zero, np.iinfo(np.int32).min // 4, exponents)
