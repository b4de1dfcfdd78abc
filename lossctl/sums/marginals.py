"""How the labels of each group are distributed, column by column, in bounded memory."""

from fractions import Fraction

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.rational import to_float
from lossctl.sums.distribution import MANTISSA, KeyArray, ordered, unordered
from lossctl.sums.exact import ExactSum
from lossctl.sums.products import exact_products
from lossctl.sums.state import Groups, inverse

MOST = 1 << 16
"""How many different numbers of a label column are kept in one group; past that they are rounded."""
IN_ALL = 1 << 17
"""How many are kept over all groups and columns, as long as that leaves each `LEAST`."""
LEAST = 1 << 5
MODERATE = 900
"""Exponents of sums of weights that are told as doubles."""
LARGEST = int(ordered(np.array([np.finfo(np.float64).max]))[0])
"""The largest double, as an ordered integer."""


@dataclass(frozen=True)
class Points:
    """The different labels and their weights, slot by slot: a mean over rows is a weighted mean over these."""

    slot: IntArray
    """The slots that have rows, ascending."""
    start: IntArray
    """Where the points of each slot begin."""
    size: IntArray
    """How many points each slot has."""
    label: FloatArray
    """The label of each point, ascending within a slot."""
    weight: FloatArray
    """The sum of the weights of the rows with that label, in units of the slot's `unit`."""
    unit: IntArray
    """By slot, the power of two in which its weights are counted: their sum may be more than any double."""
    mean: FloatArray
    """The mean label of each slot, from exact sums; NaN where they overflow."""
    relative_error: FloatArray
    """By how much of itself a label may be off, by slot; 0 where every one is exact."""

    def cells(self, slots: IntArray) -> IntArray:
        """Where the points of some slots are, which are given by their places among those that have rows."""
        spans = (np.arange(self.start[slot], self.start[slot] + self.size[slot]) for slot in slots)
        return np.concatenate(list(spans))


@dataclass(frozen=True, eq=False)
class Marginals:
    """Weights of the different labels of each slot, a slot being a column in a group.

    Exact while a slot holds no more than `MOST` different numbers (fewer with many slots, never fewer than `LEAST`).
    Past that, low bits of the mantissa are dropped, slot by slot; numbers that then look alike share a cell, of which
    the exact sums of weights and of labels are kept, so the mean of a cell is exact. How many bits go depends on the
    labels and the number of slots alone, and grows with both: ``+`` is associative and commutative, bit for bit.
    """

    columns: int
    slot: IntArray
    """The slot of each cell, ascending: the group times ``columns``, plus the column."""
    key: KeyArray
    """The labels of each cell as ordered integers without their dropped bits, ascending in a slot."""
    count: IntArray
    weight: ExactSum | None
    """Σ w of each cell; ``None`` when every row counts 1."""
    total: ExactSum
    """Σ wy of each cell."""
    dropped: IntArray
    """Bits dropped, by slot."""

    @classmethod
    def zero(cls, groups: int, columns: int, *, weighted: bool) -> "Marginals":
        """The state of no rows."""
        no_cells, no_sums = np.zeros(0, dtype=np.int64), ExactSum.zero(0)
        dropped = np.zeros(groups * columns, dtype=np.int64)
        return cls(columns, no_cells, no_cells, no_cells, no_sums if weighted else None, no_sums, dropped)

    @classmethod
    def lift(cls, label: FloatArray, weight: FloatArray | None, group: IntArray | None, groups: int) -> "Marginals":
        """The state of some rows: labels ``(n,)`` or ``(n, k)``, weights and groups ``(n,)``."""
        n, columns = len(label), 1 if label.ndim == 1 else label.shape[1]
        slots = groups * columns
        values = label.ravel(order="F") + 0.0  # −0 is 0
        key = ordered(values)
        if columns > 1 and weight is not None:
            weight = np.tile(weight, columns)
        if slots == 1:
            slot = np.zeros(n, dtype=np.int64)
            if weight is None:
                key.sort()
                values = unordered(key)
            else:
                order = np.argsort(key)
                key, values, weight = key[order], values[order], weight[order]
        else:
            first = np.zeros(n, dtype=np.int64) if group is None else group * columns
            slot = (first + np.arange(columns)[:, None]).ravel()
            order = _order(slot, key)
            order = order[~np.isnan(values[order])]  # a label that is NaN is left out of its row
            slot, key, values = slot[order], key[order], values[order]
            weight = None if weight is None else weight[order]
        dropped = _to_drop(slot, key, slots)
        key >>= dropped[slot] if slots > 1 else dropped[0]
        new = _changes(slot, key)
        start = np.flatnonzero(new)
        cells = Groups(np.cumsum(new) - 1, len(start), ascending=True)
        total = ExactSum.of(values, cells) if weight is None else exact_products(values, weight, cells)
        return cls(
            columns,
            slot[start],
            key[start],
            cells.counts,
            None if weight is None else ExactSum.of(weight, cells),
            total,
            dropped,
        )

    def __add__(self, other: "Marginals") -> "Marginals":
        if not len(other.key) or not len(self.key):
            kept = self if len(self.key) else other
            return kept._coarser(kept.dropped)
        dropped = np.maximum(self.dropped, other.dropped)
        slot = np.concatenate([self.slot, other.slot])
        key = np.concatenate([part.key >> (dropped - part.dropped)[part.slot] for part in (self, other)])
        order = _order(slot, key)
        dropped, place, slot, key = _cells(slot[order], key[order], dropped)
        merged = np.empty_like(place)
        merged[order] = place
        left, right, cells = merged[: len(self.key)], merged[len(self.key) :], len(key)
        count = np.zeros(cells, dtype=np.int64)
        np.add.at(count, merged, np.concatenate([self.count, other.count]))
        weight = self.weight
        if weight is not None and other.weight is not None:
            weight = weight.gathered(left, cells) + other.weight.gathered(right, cells)
        total = self.total.gathered(left, cells) + other.total.gathered(right, cells)
        return Marginals(self.columns, slot, key, count, weight, total, dropped)

    def regroup(self, index: IntArray, groups: int) -> "Marginals":
        """The same labels, with group ``i`` at place ``index[i]`` of ``groups``."""
        slots = (index[:, None] * self.columns + np.arange(self.columns)).ravel()
        dropped = np.zeros(groups * self.columns, dtype=np.int64)
        dropped[slots] = self.dropped
        moved = slots[self.slot]
        order = np.argsort(moved, kind="stable")
        place = inverse(order)
        return Marginals(
            self.columns,
            moved[order],
            self.key[order],
            self.count[order],
            None if self.weight is None else self.weight.regroup(place, len(order)),
            self.total.regroup(place, len(order)),
            dropped,
        )

    def pooled(self) -> "Marginals":
        """The labels of all rows as those of a single group."""
        column = self.slot % self.columns
        dropped = self.dropped.reshape(-1, self.columns).max(axis=0)
        key = self.key >> (dropped[column] - self.dropped[self.slot])
        order = _order(column, key)
        weight = None if self.weight is None else self.weight.regroup(inverse(order), len(order))
        total = self.total.regroup(inverse(order), len(order))
        apart = Marginals(self.columns, column[order], key[order], self.count[order], weight, total, dropped)
        return apart._coarser(dropped)

    def _coarser(self, dropped: IntArray) -> "Marginals":
        """The same cells, merged as far as the number of slots demands."""
        dropped, place, slot, key = _cells(self.slot, self.key, dropped)
        if len(key) == len(self.key):
            return self
        count = np.zeros(len(key), dtype=np.int64)
        np.add.at(count, place, self.count)
        weight = None if self.weight is None else self.weight.gathered(place, len(key))
        return Marginals(self.columns, slot, key, count, weight, self.total.gathered(place, len(key)), dropped)

    def points(self) -> Points:
        """The labels and their weights; where numbers were rounded, the mean of each cell."""
        slot, start, size = np.unique(self.slot, return_index=True, return_counts=True)
        dropped = self.dropped[self.slot]
        first = self.key << dropped
        label = unordered(np.clip(first, -LARGEST, LARGEST))
        weights = [Fraction(n) for n in self.count.tolist()] if self.weight is None else self.weight.exact()
        totals = self.total.exact()
        rounded = np.flatnonzero(dropped)
        if len(rounded):
            middle = np.array([to_float(totals[cell] / weights[cell]) for cell in rounded])
            top = unordered(np.clip(first[rounded] + ((1 << dropped[rounded]) - 1), -LARGEST, LARGEST))
            label[rounded] = np.clip(middle, label[rounded], top)
        spans = [slice(begin, begin + n) for begin, n in zip(start.tolist(), size.tolist(), strict=True)]
        wholes = [sum(weights[span], Fraction()) for span in spans]
        sums = [sum(totals[span], Fraction()) for span in spans]
        mean = np.array([to_float(total / whole) for total, whole in zip(sums, wholes, strict=True)])
        mean[[bool(self.total.infinite[span].any()) for span in spans]] = np.nan
        units = [0 if self.weight is None else _unit(whole) for whole in wholes]
        units_of_cells = np.repeat(np.array(units, dtype=np.int64), size).tolist()
        pairs = zip(weights, units_of_cells, strict=True)
        weight = np.array([to_float(w / Fraction(2) ** unit if unit else w) for w, unit in pairs], dtype=np.float64)
        unit = np.array(units, dtype=np.int64)
        return Points(slot, start, size, label, weight, unit, mean, _width(self.dropped)[slot])


def _unit(whole: Fraction) -> int:
    """The power of two in which weights of a given sum are counted: 0 where doubles do."""
    exponent = whole.numerator.bit_length() - whole.denominator.bit_length()
    return exponent if abs(exponent) > MODERATE else 0


def _order(slot: IntArray, key: KeyArray) -> IntArray:
    """The order that sorts cells by slot, then by key."""
    order = np.argsort(key, kind="stable")
    by_slot = slot[order].astype(np.uint16) if len(slot) and slot.max() < 1 << 16 else slot[order]
    return np.asarray(order[np.argsort(by_slot, kind="stable")])


def _changes(slot: IntArray, key: KeyArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where a cell begins, in sorted rows."""
    new = np.ones(len(key), dtype=np.bool_)
    new[1:] = (key[1:] != key[:-1]) | (slot[1:] != slot[:-1])
    return new


def _cells(slot: IntArray, key: KeyArray, dropped: IntArray) -> tuple[IntArray, IntArray, IntArray, KeyArray]:
    """Sorted cells merged where they are equal, or where a slot has too many.

    Returns:
        The bits dropped from each slot by now, the merged cell of each cell, and slot and key of the merged ones.
    """
    more = _to_drop(slot, key, len(dropped))
    key = key >> more[slot]
    new = _changes(slot, key)
    return dropped + more, np.cumsum(new) - 1, slot[new], key[new]


def _to_drop(slot: IntArray, key: KeyArray, slots: int) -> IntArray:
    """How many more bits must be dropped from the sorted keys of each slot, ``(slots,)``.

    Two neighbours fall together once all the bits in which they differ are gone, so the number of cells left after
    any number of bits is a count of neighbours.
    """
    most = max(min(MOST, IN_ALL // max(slots, 1)), LEAST)
    if len(key) <= most:
        return np.zeros(slots, dtype=np.int64)
    together = slot[1:] == slot[:-1]
    bits = _bit_length((key[1:] ^ key[:-1])[together])
    table = np.bincount(slot[1:][together] * 65 + bits, minlength=slots * 65).reshape(slots, 65)
    left = 1 + table.sum(axis=1, keepdims=True) - np.cumsum(table, axis=1)  # cells when 0, 1, … bits are gone
    return np.asarray(np.argmax(left <= most, axis=1), dtype=np.int64)


def _bit_length(numbers: KeyArray) -> IntArray:
    """The number of bits of each integer, read as unsigned."""
    bits = numbers.view(np.uint64)
    high = np.frexp((bits >> np.uint64(32)).astype(np.float64))[1]
    low = np.frexp((bits & np.uint64(0xFFFFFFFF)).astype(np.float64))[1]
    return np.where(high > 0, high + 32, low).astype(np.int64)


def _width(dropped: IntArray) -> FloatArray:
    """The width of a cell as a part of the numbers in it."""
    with np.errstate(over="ignore"):
        octaves = np.exp2(np.maximum(dropped - MANTISSA, 0))
        part = np.where(dropped <= MANTISSA, np.exp2(dropped - MANTISSA), np.exp2(octaves) - 1.0)
    return np.where(dropped == 0, 0.0, part)
