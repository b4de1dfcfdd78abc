"""Some of the rows, spread over all of them: all while they are few, then half as many again and again."""

import functools
import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray

MOST = 1 << 16
"""How many rows are kept."""
NUMBERS = 1 << 21
"""How many numbers they have at most: wide rows are fewer for it."""
RankArray = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Thinned:
    """Rows of several columns, of which those below a rank are left out.

    A rank is a power of two, drawn by the place of a row in its batch and by what the batch begins with: half of all
    rows have 1, a quarter 2, and so on. The least rank that is kept depends on the rows alone and not on the order in
    which they are added up: ``+`` is associative, bit for bit.
    """

    rows: int
    """Of how many rows they are some."""
    least: int
    """The least rank that is kept: one row in so many, about."""
    rank: RankArray
    columns: tuple[FloatArray, ...]
    """``(n,)`` or ``(n, k)`` each, where NaN stands behind the numbers of a row that has fewer than others."""

    @classmethod
    def zero(cls) -> "Thinned":
        """The state of no rows."""
        return cls(0, 1, np.zeros(0, dtype=np.uint32), ())

    @classmethod
    def of(cls, columns: Sequence[FloatArray], least: int = 1) -> "Thinned":
        """The state of some rows, of which those below a rank are left out from the start."""
        first = columns[0]
        seed = zlib.crc32(b"".join(np.ascontiguousarray(column[:1]).tobytes() for column in columns))
        mixed = _mixed(1 << max(len(first) - 1, 0).bit_length())[: len(first)] ^ np.uint32(seed)
        if least > 1:
            kept = np.flatnonzero((mixed & np.uint32(least - 1)) == 0)
            mixed, columns = mixed[kept], [column[kept] for column in columns]
        return cls(len(first), least, mixed & (~mixed + np.uint32(1)), tuple(columns)).bounded()

    def __add__(self, other: "Thinned") -> "Thinned":
        if not len(self.rank) or not len(other.rank):
            rows, least = self.rows + other.rows, max(self.least, other.least)
            return replace(other if len(other.rank) else self, rows=rows)._from(least)
        least = max(self.least, other.least)
        left, right = self._from(least), other._from(least)
        columns = (np.concatenate(_alike(*pair)) for pair in zip(left.columns, right.columns, strict=True))
        rank = np.concatenate([left.rank, right.rank])
        return Thinned(self.rows + other.rows, least, rank, tuple(columns)).bounded()

    @property
    def whole(self) -> bool:
        """Whether all rows were kept."""
        return self.least == 1

    def bounded(self) -> "Thinned":
        """The same rows from the least rank of which there are few enough."""
        numbers = sum(column.size for column in self.columns) // max(len(self.rank), 1)
        most = min(MOST, max(NUMBERS // max(numbers, 1), 1))
        least = self.least
        while np.count_nonzero(self.rank >= least) > most and least < 1 << 31:
            least *= 2
        return self._from(least)

    def _from(self, least: int) -> "Thinned":
        """The rows of no lesser rank than that."""
        if least == self.least:
            return self
        kept = np.flatnonzero(self.rank >= least)
        return Thinned(self.rows, least, self.rank[kept], tuple(column[kept] for column in self.columns))


@functools.lru_cache(maxsize=2)
def _mixed(number: int) -> RankArray:
    """So many integers that look drawn (the finaliser of MurmurHash3, Appleby 2011)."""
    mixed: IntArray | RankArray = np.arange(1, number + 1, dtype=np.uint32)
    for factor, shift in ((0x85EBCA6B, 13), (0xC2B2AE35, 16)):
        mixed = mixed * np.uint32(factor)
        mixed ^= mixed >> np.uint32(shift)
    mixed.flags.writeable = False
    return mixed.astype(np.uint32, copy=False)


def _alike(one: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two columns; where their rows are of another length, NaN stands behind those of the shorter."""
    if one.ndim == 1 or one.shape[1] == other.shape[1]:
        return one, other
    width = max(one.shape[1], other.shape[1])
    first, second = (
        np.pad(rows, ((0, 0), (0, width - rows.shape[1])), constant_values=np.nan) for rows in (one, other)
    )
    return first, second
