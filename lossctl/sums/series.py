"""Sums over rows that are a series, each of which moves with the few before it.

The long-run variance of a sum Σu of h − 1 lags with the weights of Bartlett is 1/h · Σᵢⱼ max(0, h − ∣i − j∣)·uᵢuⱼ: what
the sums of any h rows in a row have as squares (Newey & West 1987). What moves a number is a linear function of what
stands in a row, with coefficients that are known when all rows are; so that is what is kept, for each two columns, with
the rows at both ends, which have neighbours among the rows of other states.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.sums.exact import LARGE, SMALL, ExactSum
from lossctl.sums.products import parted, scaled_sum
from lossctl.sums.state import Far, Groups, regrouped
from lossctl.two_doubles import halved, lost

MOST_LAGS = 1000
"""More lags than these take too long: each costs as much as a loss."""


@dataclass(frozen=True)
class Stretch:
    """Rows in their order, those of a group beside each other, as numbers below 1 times powers of two."""

    group: IntArray
    """The group of each row, ``(n,)``, ascending."""
    number: FloatArray
    """By column, ``(columns, n)``."""
    exponent: IntArray | None
    """Likewise; ``None`` where the numbers are those of the rows, and products of two exact as two doubles."""

    @classmethod
    def none(cls, columns: int) -> "Stretch":
        """No rows."""
        return cls(np.zeros(0, np.int64), np.zeros((columns, 0)), np.zeros((columns, 0), np.int64))

    @classmethod
    def of(cls, weight: FloatArray | None, columns: Sequence[tuple[FloatArray, Far | None]]) -> "Stretch":
        """The columns of rows of a single group, each times the weight, which is then a column before them."""
        group = np.zeros(len(columns[0][0]), dtype=np.int64)
        if not any(far for _, far in columns):
            values = [*([] if weight is None else [np.ones_like(weight)]), *(values for values, _ in columns)]
            number = np.array(values if weight is None else [weight * part for part in values])
            size = np.abs(number)
            if size.max(initial=0.0) < LARGE and not ((size < SMALL) & (np.array(values) != 0.0)).any():
                return cls(group, number, None)
        pairs = [_parted(values, far) for values, far in columns]
        if weight is not None:
            scale, up = parted(weight)
            pairs = [(scale, up), *((number * scale, exponent + up) for number, exponent in pairs)]
        return cls(group, np.array([number for number, _ in pairs]), np.array([exponent for _, exponent in pairs]))

    def arranged(self, groups: Groups) -> "Stretch":
        """The same rows by group."""
        exponent = None if self.exponent is None else np.array([groups.arranged(part) for part in self.exponent])
        return Stretch(groups.in_order.code, np.array([groups.arranged(part) for part in self.number]), exponent)

    def taken(self, rows: IntArray) -> "Stretch":
        """Some of the rows, as numbers times powers of two."""
        number = self.number[:, rows]
        if self.exponent is not None:
            return Stretch(self.group[rows], number, self.exponent[:, rows])
        number, exponent = np.frexp(number)
        return Stretch(self.group[rows], number, exponent.astype(np.int64))

    def first(self, most: int) -> "Stretch":
        """The first rows of each group, of which there may be fewer."""
        _, start, size = np.unique(self.group, return_index=True, return_counts=True)
        return self.taken(np.flatnonzero(np.arange(len(self.group)) - np.repeat(start, size) < most))

    def last(self, most: int) -> "Stretch":
        """The last rows of each group."""
        _, start, size = np.unique(self.group, return_index=True, return_counts=True)
        return self.taken(np.flatnonzero(np.repeat(start + size, size) - np.arange(len(self.group)) <= most))

    def followed_by(self, other: "Stretch") -> tuple["Stretch", IntArray]:
        """The rows of both, group by group, and of which of the two each is; both have exponents."""
        group = np.concatenate([self.group, other.group])
        order = np.argsort(group, kind="stable")
        if self.exponent is None or other.exponent is None:
            raise TypeError("rows at ends have exponents")
        number = np.concatenate([self.number, other.number], axis=1)
        exponent = np.concatenate([self.exponent, other.exponent], axis=1)
        side = np.repeat([0, 1], [len(self.group), len(other.group)])
        return Stretch(group[order], number[:, order], exponent[:, order]), side[order]

    def regroup(self, index: IntArray) -> "Stretch":
        """The same rows, with group ``i`` as ``index[i]``."""
        group = index[self.group]
        order = np.argsort(group, kind="stable")
        exponent = None if self.exponent is None else self.exponent[:, order]
        return Stretch(group[order], self.number[:, order], exponent)


@dataclass(frozen=True)
class Lagged:
    """What the long-run variance of a group takes, exact."""

    lags: int
    n: int
    sums: tuple[Fraction, ...]
    """Σxᵢ of each column."""
    products: tuple[Fraction, ...]
    """Σᵢⱼ max(0, h − ∣i − j∣)·xᵢyⱼ of each two columns, of one with itself as well."""
    ones: tuple[Fraction, ...]
    """Σᵢⱼ max(0, h − ∣i − j∣)·xᵢ of each column, and of rows that are all 1 at last."""

    def variance(self, row: Fraction, columns: Sequence[Fraction]) -> Fraction | None:
        """The long-run variance of the sum of ``row`` + Σ ``columns`` · x, with mean 0, as one of n rows tells it.

        The factor is that of Harvey, Leybourne & Newbold 1997, doi:10.1016/S0169-2070(96)00719-4: n/(n − 1) without
        lags. ``None`` where there are too few rows.
        """
        n, h = self.n, self.lags + 1
        if n <= h:
            return None
        squares = row * row * self.ones[-1]
        squares += 2 * row * sum((factor * one for factor, one in zip(columns, self.ones, strict=False)), Fraction(0))
        for (x, y), product in zip(_pairs(len(columns)), self.products, strict=True):
            squares += (1 if x == y else 2) * columns[x] * columns[y] * product
        return squares / h * Fraction(n * n, (n - h) * (n - h + 1))


@dataclass(frozen=True)
class Run:
    """The sums of series, one a group."""

    lags: int
    n: IntArray
    sums: tuple[ExactSum, ...]
    """Σxᵢ of each column, by group."""
    products: tuple[ExactSum, ...]
    """Σᵢⱼ max(0, h − ∣i − j∣)·xᵢyⱼ of each two columns."""
    first: Stretch
    """The first ``lags`` rows of each group, or all that there are."""
    last: Stretch

    @classmethod
    def zero(cls, groups: int, columns: int, lags: int) -> "Run":
        """The sums of no rows."""
        zero, none = ExactSum.zero(groups), Stretch.none(columns)
        products = (zero,) * len(_pairs(columns))
        return cls(lags, np.zeros(groups, dtype=np.int64), (zero,) * columns, products, none, none)

    @classmethod
    def lift(cls, rows: Stretch, groups: int, lags: int) -> "Run":
        """The sums of some rows."""
        n = np.bincount(rows.group, minlength=groups)
        sums = tuple(_sum(rows, column, groups) for column in range(len(rows.number)))
        products = _products(rows, groups, lags, start=0)
        return cls(lags, n, sums, products, rows.first(lags), rows.last(lags))

    def __add__(self, other: "Run") -> "Run":
        between, side = self.last.followed_by(other.first)
        across = _products(between, len(self.n), self.lags, start=1, side=side)
        return Run(
            self.lags,
            self.n + other.n,
            tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            tuple(a + b + c for a, b, c in zip(self.products, other.products, across, strict=True)),
            self.first.followed_by(other.first)[0].first(self.lags),
            self.last.followed_by(other.last)[0].last(self.lags),
        )

    def regroup(self, index: IntArray, groups: int) -> "Run":
        """The same sums, with group ``i`` at place ``index[i]`` of ``groups``."""
        return Run(
            self.lags,
            regrouped(self.n, index, groups),
            tuple(part.regroup(index, groups) for part in self.sums),
            tuple(part.regroup(index, groups) for part in self.products),
            self.first.regroup(index),
            self.last.regroup(index),
        )

    def result(self) -> list[Lagged]:
        """The exact sums of each group."""
        sums = [part.exact() for part in self.sums]
        products = [part.exact() for part in self.products]
        return [
            Lagged(
                self.lags,
                n,
                tuple(part[group] for part in sums),
                tuple(part[group] for part in products),
                self._ones(group, n, [part[group] for part in sums]),
            )
            for group, n in enumerate(self.n.tolist())
        ]

    def _ones(self, group: int, n: int, sums: Sequence[Fraction]) -> tuple[Fraction, ...]:
        """``Lagged.ones``: a row counts h² times, but for those near an end, which have fewer neighbours."""
        h = self.lags + 1
        less = [Fraction((self.lags - place) * (h - place), 2) for place in range(self.lags)]
        totals = [h * h * total for total in sums]
        for end, order in ((self.first, 1), (self.last, -1)):
            here = range(*np.searchsorted(end.group, [group, group + 1]).tolist())[::order]
            for column in range(len(sums)):
                totals[column] -= sum(
                    (fewer * _exact(end, column, row) for fewer, row in zip(less, here, strict=False)), Fraction(0)
                )
        return (*totals, h * h * n - 2 * sum(less, Fraction(0)))


@dataclass(frozen=True)
class Series:
    """The sums of a series: of all rows, and of the rows of each group, where there are groups."""

    whole: Run
    by_group: Run | None

    @classmethod
    def zero(cls, groups: int, columns: int, lags: int, *, grouped: bool) -> "Series":
        """The sums of no rows."""
        return cls(Run.zero(1, columns, lags), Run.zero(groups, columns, lags) if grouped else None)

    @classmethod
    def lift(cls, rows: Stretch, groups: Groups | None, lags: int) -> "Series":
        """The sums of some rows, which stand in their order."""
        by_group = None if groups is None else Run.lift(rows.arranged(groups), groups.number, lags)
        return cls(Run.lift(rows, 1, lags), by_group)

    def __add__(self, other: "Series") -> "Series":
        by_group = self.by_group
        if by_group is not None and other.by_group is not None:
            by_group = by_group + other.by_group
        return Series(self.whole + other.whole, by_group)

    def regroup(self, index: IntArray, groups: int) -> "Series":
        """The same sums, with group ``i`` at place ``index[i]`` of ``groups``."""
        return Series(self.whole, None if self.by_group is None else self.by_group.regroup(index, groups))

    def pooled(self) -> "Series":
        """The sums of all rows in their order, as those of a single group."""
        return Series(self.whole, None)

    def shift(self, rows: int) -> "Series":  # noqa: ARG002
        """The same sums: what counts is which rows are beside each other."""
        return self

    def result(self) -> list[Lagged]:
        """The exact sums of each group, or of all rows where there are none."""
        return (self.whole if self.by_group is None else self.by_group).result()


def _pairs(columns: int) -> list[tuple[int, int]]:
    return list(combinations_with_replacement(range(columns), 2))


def _parted(values: FloatArray, far: Far | None) -> tuple[FloatArray, IntArray]:
    """Numbers below 1 times powers of two; 0 for what is not finite."""
    number, exponent = parted(values)
    if far is not None:
        number[far.row], exponent[far.row] = far.number, far.exponent
    return number, exponent


def _exact(rows: Stretch, column: int, row: int) -> Fraction:
    if rows.exponent is None:
        return Fraction(float(rows.number[column, row]))
    return Fraction(float(rows.number[column, row])) * Fraction(2) ** int(rows.exponent[column, row])


def _groups_of(code: IntArray, groups: int) -> Groups | None:
    return None if groups == 1 else Groups(code, groups, ascending=True)


def _sum(rows: Stretch, column: int, groups: int) -> ExactSum:
    """Σxᵢ of a column, by group."""
    if rows.exponent is None:
        return ExactSum.of(rows.number[column], _groups_of(rows.group, groups))
    return scaled_sum(rows.number[column], rows.exponent[column], _groups_of(rows.group, groups))


def _products(rows: Stretch, groups: int, lags: int, start: int, side: IntArray | None = None) -> tuple[ExactSum, ...]:
    """Σᵢⱼ max(0, h − ∣i − j∣)·xᵢyⱼ of each two columns, by group.

    Args:
        rows: x and y.
        groups: how many there are.
        lags: h − 1.
        start: the least ∣i − j∣ that counts.
        side: where it is given, i and j are of different ones.
    """
    halves = [halved(number) for number in rows.number]
    pairs = _pairs(len(halves))
    totals = [ExactSum.zero(groups)] * len(pairs)
    n = len(rows.group)
    for lag in range(start, lags + 1):
        beside = rows.group[lag:] == rows.group[: n - lag]
        if side is not None:
            beside = beside & (side[lag:] != side[: n - lag])
        later = np.flatnonzero(beside) + lag
        if not len(later):
            break  # and no rows are further apart
        chosen = slice(lag, n) if len(later) == n - lag else later
        before = slice(0, n - lag) if len(later) == n - lag else later - lag
        inside = _groups_of(rows.group[chosen], groups)
        for place, (x, y) in enumerate(pairs):
            product = _product(rows, halves, (x, chosen), (y, before), inside)
            if lag and x != y:
                product = product + _product(rows, halves, (y, chosen), (x, before), inside)
            totals[place] = totals[place] + product.times((lags + 1 - lag) * (2 if lag and x == y else 1))
    return tuple(totals)


Part = tuple[int, slice | IntArray]
"""A column, and which of its rows."""


def _product(
    rows: Stretch, halves: Sequence[tuple[FloatArray, FloatArray]], one: Part, other: Part, groups: Groups | None
) -> ExactSum:
    """The exact sum of the products of some rows, by group."""
    (x, first), (y, second) = one, other
    rounded = rows.number[x][first] * rows.number[y][second]
    (high, low), (top, bottom) = halves[x], halves[y]
    error = lost(rounded, (high[first], low[first]), (top[second], bottom[second]))
    if rows.exponent is None:
        return ExactSum.of(rounded, groups) + ExactSum.of(error, groups)
    exponent = rows.exponent[x][first] + rows.exponent[y][second]
    return scaled_sum(rounded, exponent, groups) + scaled_sum(error, exponent, groups)
