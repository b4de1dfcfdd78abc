"""Whole numbers as groups of rows: where each stands among those that may be, and which of them occur."""

import numpy as np

from lossctl.arrow import room
from lossctl.domain import IntArray
from lossctl.sums import compiled
from lossctl.sums.state import Groups


def found(numbers: IntArray, low: int, size: int, table: IntArray | None = None) -> tuple[IntArray, Groups]:
    """The places that rows have, ascending, each of which is a group of them.

    Args:
        numbers: of rows, ``(n,)``, of any number of bytes.
        low: what none is below.
        size: how many places there are.
        table: the place of each number above the lowest, where it is another.

    Raises:
        ValueError, IndexError: a number has no place.
    """
    if size > 4 * len(numbers):
        places = numbers.astype(np.int64) - low
        used, code, counts = np.unique(
            places if table is None else table[places], return_inverse=True, return_counts=True
        )
        return used, Groups.counted(code, counts)
    code, counts = _placed(numbers, low, size, table)  # few places need no sorting
    used = np.flatnonzero(counts)
    if len(used) == size:
        return used, Groups.counted(code, counts)
    group = np.zeros(size, dtype=np.int64)
    group[used] = np.arange(len(used))
    return used, Groups.counted(group[code], counts[used])


def _placed(numbers: IntArray, low: int, size: int, table: IntArray | None) -> tuple[IntArray, IntArray]:
    """The place of each number, and how many there are at each, ``(n,)`` and ``(size,)``."""
    code = room(len(numbers))
    if compiled.kernels is not None:
        counts = np.zeros(size, dtype=np.int64)
        compiled.kernels.numbered(np.ascontiguousarray(numbers), low, table, code, counts)
        return code, counts
    np.subtract(numbers, low, out=code, dtype=np.int64)
    code = code if table is None else table[code]
    return code, np.bincount(code, minlength=size)
