"""Sums by cluster: rows of one user, day or document move together, so they count as one.

Clusters are kept one by one up to `MOST` a group. Beyond, those are added up whose keys begin alike, in 4,096 buckets:
a bucket is a cluster of clusters, and what is independent by cluster is so by bucket.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, FloatArray, IntArray
from lossctl.rational import to_float
from lossctl.sums.exact import TINY, ExactSum
from lossctl.sums.numbering import found
from lossctl.sums.products import exact_products, parted, scaled_sum
from lossctl.sums.state import Far, Groups, added
from lossctl.two_doubles import product

Column = tuple[FloatArray, FloatArray | None, Far | None]
"""A number of each row, ``(n,)``, what it is multiplied with (``None`` for 1), and those that are no doubles."""
KeyArray = npt.NDArray[np.uint64]
MOST = 1 << 16
"""Clusters of a group that are kept one by one."""
BUCKET_BITS = 12
_FRONT = np.uint64(((1 << BUCKET_BITS) - 1) << (64 - BUCKET_BITS))
KEPT_BITS = 10
KEPT = 1 << KEPT_BITS
"""Buckets in which the clusters of a baseline are kept, which a later run falls into again."""
_KEPT_FRONT = np.uint64((KEPT - 1) << (64 - KEPT_BITS))


def front(key: KeyArray) -> KeyArray:
    """The keys of the buckets of a baseline that clusters fall into."""
    return np.asarray(key & _KEPT_FRONT)


@dataclass(frozen=True)
class Keyed:
    """Which cluster each row is of."""

    code: IntArray
    """The place of its key, ``(n,)``."""
    key: KeyArray
    """The keys, ascending, each once; there may be some that no row has."""
    mark: KeyArray | None = None
    """A number that tells each row from others, ``(n,)``, where rows are to be told apart later."""

    def taken(self, rows: IntArray) -> "Keyed":
        """Those of some rows."""
        return Keyed(self.code[rows], self.key, None if self.mark is None else self.mark[rows])


@dataclass(frozen=True)
class Totals:
    """The sums over the clusters of one group, ``(clusters,)`` each, by ascending key."""

    key: KeyArray
    n: FloatArray
    sums: tuple[FloatArray, ...]
    marks: KeyArray
    """The sums of what tells rows from others, modulo 2^64: other rows have another."""
    bucketed: bool
    """Whether these are buckets of clusters."""
    exact: tuple[ExactSum, ...]
    """The sums, of which some may be no doubles."""

    def scaled(self, place: int) -> tuple[FloatArray, int]:
        """Some of the sums as numbers times a power of two, which is 0 where they are doubles."""
        numbers, exact = self.sums[place], self.exact[place]
        most = float(np.abs(numbers).max(initial=0.0))
        if TINY < most < math.inf or not any(digit.any() for digit in exact.digits.values()):
            return numbers, 0
        fractions = exact.exact()
        largest = max(map(abs, fractions))
        exponent = largest.numerator.bit_length() - largest.denominator.bit_length()
        return np.array([to_float(number / Fraction(2) ** exponent) for number in fractions]), exponent


@dataclass(frozen=True)
class Clusters:
    """Exact sums over the rows of each cluster in each group."""

    group: IntArray
    """The group of each entry, ``(entries,)``, ascending."""
    key: KeyArray
    """Its cluster, ascending within a group."""
    bucketed: BoolArray
    """Of which groups the keys are those of buckets, ``(groups,)``."""
    n: IntArray
    """Its rows."""
    sums: tuple[ExactSum, ...]
    """Its sums of the numbers that rows have."""
    marks: KeyArray
    """The sum of what tells its rows from others, modulo 2^64."""

    @classmethod
    def zero(cls, groups: int, sums: int) -> "Clusters":
        """The sums of no rows."""
        empty, bucketed = np.zeros(0, dtype=np.int64), np.zeros(groups, dtype=np.bool_)
        keys = empty.astype(np.uint64)
        return cls(empty, keys, bucketed, empty, (ExactSum.zero(0),) * sums, keys)

    @classmethod
    def lift(cls, keyed: Keyed, groups: Groups | None, columns: Sequence[Column]) -> "Clusters":
        """The sums of some rows.

        Args:
            keyed: the cluster of each row.
            groups: the groups of the rows.
            columns: the numbers to add up, and what to multiply them with.
        """
        number = 1 if groups is None else groups.number
        place = keyed.code if groups is None else groups.code * len(keyed.key) + keyed.code
        present, entries = found(place, 0, number * len(keyed.key))
        group, key = np.divmod(present, max(len(keyed.key), 1))
        sums = [_sum(*column, entries) for column in columns]
        bucketed = np.zeros(number, dtype=np.bool_)
        marks = np.zeros(len(present), dtype=np.uint64)
        if keyed.mark is not None:
            marks = added(keyed.mark, entries.code, len(present))
        return cls(group, keyed.key[key], bucketed, entries.counts, tuple(sums), marks).bounded()

    def __add__(self, other: "Clusters") -> "Clusters":
        if not len(other.group) or not len(self.group):
            return other if len(other.group) else self
        bucketed = self.bucketed | other.bucketed
        left, right = self.in_buckets(bucketed), other.in_buckets(bucketed)
        group, key, index = _merged(left, right)
        crowded = bucketed | (np.bincount(group, minlength=len(bucketed)) > MOST)
        if (crowded > bucketed).any():  # which is less to move once it is in buckets
            bucketed, left, right = crowded, left.in_buckets(crowded), right.in_buckets(crowded)
            group, key, index = _merged(left, right)
        split, entries = len(left.group), len(group)
        moved, more = left.moved_to(index[:split], entries), right.moved_to(index[split:], entries)
        sums = tuple(a + b for a, b in zip(moved.sums, more.sums, strict=True))
        return Clusters(group, key, bucketed, moved.n + more.n, sums, moved.marks + more.marks)

    def bounded(self) -> "Clusters":
        """The same sums, those of groups with too many clusters by bucket."""
        counts = np.bincount(self.group, minlength=len(self.bucketed))
        return self.in_buckets(self.bucketed | (counts > MOST))

    def in_buckets(self, bucketed: BoolArray) -> "Clusters":
        """The same sums, those of some groups by bucket."""
        new = bucketed & ~self.bucketed
        if not new.any():
            return self
        group, key, index = _distinct(self.group, np.where(new[self.group], self.key & _FRONT, self.key))
        moved = self.moved_to(index, len(group))
        return Clusters(group, key, bucketed, moved.n, moved.sums, moved.marks)

    def moved_to(self, index: IntArray, entries: int) -> "Clusters":
        """The same sums at other places, where several may come to the same; groups and keys stay behind."""
        n = added(self.n, index, entries)
        sums = tuple(part.gathered(index, entries) for part in self.sums)
        return Clusters(self.group, self.key, self.bucketed, n, sums, added(self.marks, index, entries))

    def regroup(self, index: IntArray, groups: int) -> "Clusters":
        """The same sums, with group ``i`` at place ``index[i]`` of ``groups``."""
        bucketed = np.zeros(groups, dtype=np.bool_)
        bucketed[index] = self.bucketed
        group, key, place = _distinct(index[self.group], self.key)
        moved = self.moved_to(place, len(group))
        return Clusters(group, key, bucketed, moved.n, moved.sums, moved.marks)

    def pooled(self) -> "Clusters":
        """The sums over all groups: a cluster may have rows in several."""
        any_bucketed = np.full(len(self.bucketed), self.bucketed.any())
        alike = self.in_buckets(any_bucketed)
        group, key, place = _distinct(np.zeros_like(alike.group), alike.key)
        moved = alike.moved_to(place, len(group))
        bucketed = any_bucketed[:1] if len(any_bucketed) else np.zeros(1, dtype=np.bool_)
        return Clusters(group, key, bucketed, moved.n, moved.sums, moved.marks).bounded()

    def shift(self, rows: int) -> "Clusters":  # noqa: ARG002
        """The same sums: they do not care where their rows stand."""
        return self

    def result(self) -> list[Totals]:
        """The sums by cluster of each group."""
        n = self.n.astype(np.float64)
        sums = [part.nearly() for part in self.sums]
        ends = np.searchsorted(self.group, np.arange(len(self.bucketed) + 1)).tolist()
        return [
            Totals(
                self.key[start:stop],
                n[start:stop],
                tuple(part[start:stop] for part in sums),
                self.marks[start:stop],
                bool(self.bucketed[group]),
                tuple(part.between(start, stop) for part in self.sums),
            )
            for group, (start, stop) in enumerate(pairwise(ends))
        ]


def _merged(left: Clusters, right: Clusters) -> tuple[IntArray, KeyArray, IntArray]:
    """The entries of both, sorted, each once, and the place among them of each entry of the one, then of the other."""
    return _distinct(np.concatenate([left.group, right.group]), np.concatenate([left.key, right.key]))


def _sum(values: FloatArray, weight: FloatArray | None, far: Far | None, entries: Groups) -> ExactSum:
    """The exact sum of a column, by entry."""
    total = ExactSum.zero(entries.number)
    if far is not None:
        values = values.copy()
        values[far.row] = 0.0
        there = Groups(entries.code[far.row], entries.number)
        number, exponent, error = far.number, far.exponent, None
        if weight is not None:
            scale, up = parted(weight[far.row])
            number, error = product(far.number, scale)
            exponent = far.exponent + up
        total = total + scaled_sum(number, exponent, there)
        total = total if error is None else total + scaled_sum(error, exponent, there)
    if weight is None:
        return total + ExactSum.of(entries.arranged(values), entries.in_order)
    return total + exact_products(weight, np.where(np.isfinite(values), values, 0.0), entries)


def _distinct(group: IntArray, key: KeyArray) -> tuple[IntArray, KeyArray, IntArray]:
    """Pairs of group and key, sorted, each once, and the place among them of each that was given."""
    order = np.lexsort((key, group))
    group, key = group[order], key[order]
    new = np.ones(len(group), dtype=np.bool_)
    new[1:] = (group[1:] != group[:-1]) | (key[1:] != key[:-1])
    place = np.empty(len(group), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return group[new], key[new], place
