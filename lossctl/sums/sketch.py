"""A bounded sample of the different things in a column: each with how often it occurs and where."""

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray

NEVER = np.iinfo(np.int64).max
"""The row of something that does not occur."""
HashArray = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Sketch:
    """The ``most`` things with the smallest hashes, all of them while they are no more than that.

    What is among the smallest of all is among the smallest of every part, so its count is exact, and neither the order
    of the rows nor the way they are cut can change the sample. (The bottom-k sketch of Cohen & Kaplan 2007,
    doi:10.1145/1281100.1281133.)
    """

    most: int
    hashes: HashArray
    """Ascending, each once."""
    counts: IntArray
    first: IntArray
    """The row where each occurs first."""
    again: IntArray
    """The row where it occurs for the second time; `NEVER` where it does not."""
    numbers: FloatArray
    """What was hashed, ``(n, m)``; ``m`` is 0 where nobody needs it."""

    @classmethod
    def of(cls, most: int, hashes: HashArray, rows: IntArray, numbers: FloatArray | None = None) -> "Sketch":
        """The sample of ``(n,)`` things by their hashes, with the row of each and the numbers that were hashed."""
        numbers = np.empty((len(hashes), 0)) if numbers is None else numbers
        counts, again = np.ones(len(hashes), dtype=np.int64), np.full(len(hashes), NEVER)
        return cls(most, hashes, counts, rows, again, numbers).merged()

    @property
    def whole(self) -> bool:
        """Whether every different thing is in the sample."""
        return len(self.hashes) < self.most

    @property
    def size(self) -> float:
        """How many things of equal count would tell as much about a mean over all counts."""
        counts = self.counts.astype(np.float64)
        return float(counts.sum() ** 2 / (counts**2).sum()) if len(counts) else 0.0

    def all(self) -> float:
        """About how many things all counts come to, also of what is not in the sample."""
        counted = float(self.counts.sum())
        return counted if self.whole else counted * (1 - 1 / self.most) / (float(self.hashes[-1]) / 2.0**64)

    def __add__(self, other: "Sketch") -> "Sketch":
        pairs = (
            (getattr(self, name), getattr(other, name)) for name in ("hashes", "counts", "first", "again", "numbers")
        )
        return Sketch(self.most, *(np.concatenate(pair) for pair in pairs)).merged()

    def shift(self, rows: int) -> "Sketch":
        """The same sample when ``rows`` rows come before it."""
        again = np.where(self.again == NEVER, NEVER, self.again + rows)
        return Sketch(self.most, self.hashes, self.counts, self.first + rows, again, self.numbers)

    def merged(self) -> "Sketch":
        """The same sample with each hash once, and no more than ``most`` of them."""
        if not len(self.hashes):
            return self
        order = np.argsort(self.hashes, kind="stable")  # rows are in order, and two sorted halves are merged in a pass
        hashes, first = self.hashes[order], self.first[order]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = hashes[1:] != hashes[:-1]
        starts = np.flatnonzero(new)
        later = np.where(new, self.again[order], first)
        kept = starts[: self.most]
        cut = slice(0, len(kept))
        return Sketch(
            self.most,
            hashes[kept],
            np.add.reduceat(self.counts[order], starts)[cut],
            first[kept],
            np.minimum.reduceat(later, starts)[cut],
            self.numbers[order][kept],
        )


def hash_numbers(numbers: FloatArray) -> HashArray:
    """A hash for each row of ``(n, m)`` numbers; −0 is 0."""
    hashes = np.zeros(len(numbers), dtype=np.uint64)
    for column in numbers.T:
        hashes = _mixed(hashes ^ (column + 0.0).view(np.uint64))
    return hashes


def hash_words(columns: Iterable[Iterable[str | None]]) -> HashArray:
    """A hash for each row of columns of words."""
    digests = (
        int.from_bytes(hashlib.blake2b(repr(words).encode(errors="surrogatepass"), digest_size=8).digest(), "little")
        for words in zip(*columns, strict=True)
    )
    return np.fromiter(digests, dtype=np.uint64)


def _mixed(bits: HashArray) -> HashArray:
    """The bits mixed, one to one: the finaliser of splitmix64."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))
