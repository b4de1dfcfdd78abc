"""Sums of the further numbers that rows have beside their loss, where a reduction is made of more than one."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.sums.exact import ExactSum
from lossctl.sums.products import exact_products
from lossctl.sums.state import Groups
from lossctl.sums.weighted import least_and_most
from lossctl.two_doubles import product


@dataclass(frozen=True)
class Beside:
    """The exact sums of one group: c₀ is the loss of a row, c₁ and so on its further numbers."""

    sums: tuple[Fraction, ...] = ()
    """Σwcⱼ of each further number."""
    weighted: tuple[Fraction, ...] = ()
    """Σw²cⱼ of each."""
    products: tuple[Fraction, ...] = ()
    """Σw²cⱼcₖ of each two of all numbers but of c₀ with itself, in the order of `pairs`."""
    spans: tuple[float, ...] = ()
    """The largest of each less the smallest."""
    special: bool = False
    """Whether one of them is no double."""


NOTHING = Beside()
"""Of rows that have nothing beside their loss."""


def pairs(columns: int) -> list[tuple[int, int]]:
    """Each two of so many numbers but the first with itself."""
    return list(combinations_with_replacement(range(columns), 2))[1:]


@dataclass(frozen=True)
class CrossMoments:
    """The sums of the rows of each group."""

    sums: tuple[ExactSum, ...]
    weighted: tuple[ExactSum, ...]
    """None where every row counts 1: then they are `sums`."""
    products: tuple[ExactSum, ...]
    low: FloatArray
    """The smallest of each number, ``(columns, groups)``; ∞ of no rows."""
    high: FloatArray

    @classmethod
    def zero(cls, columns: int, groups: int, *, weighted: bool) -> "CrossMoments":
        """The sums of no rows, which have so many further numbers."""
        empty = ExactSum.zero(groups)
        low = np.full((columns, groups), np.inf)
        return cls(
            (empty,) * columns, (empty,) * columns if weighted else (), (empty,) * len(pairs(columns + 1)), low, -low
        )

    @classmethod
    def lift(
        cls,
        value: FloatArray,
        others: Sequence[FloatArray],
        weight: FloatArray | None,
        groups: Groups | None,
        ends: Sequence[tuple[FloatArray, FloatArray]] = (),
    ) -> "CrossMoments":
        """The sums of some rows.

        Args:
            value: their losses, ``(n,)``.
            others: their further numbers.
            weight: by how much each counts.
            groups: the groups of the rows.
            ends: the smallest and the largest of each further number within a row; where left out it is these itself.
        """
        ends = ends or [(column, column) for column in others]
        low = np.array([least_and_most(lowest, groups)[0] for lowest, _ in ends])
        high = np.array([least_and_most(highest, groups)[1] for _, highest in ends])
        columns = [np.where(np.isfinite(value), value, 0.0), *others]
        if weight is None:
            sums = tuple(ExactSum.of(column, groups) for column in others)
            products = tuple(_products(columns[j], columns[k], groups) for j, k in pairs(len(columns)))
            return cls(sums, (), products, low, high)
        # w·c is a double and what its rounding took away; the squares of the latter are beyond 32 digits
        parts = [product(weight, column) for column in columns]
        sums = tuple(exact_products(weight, column, groups) for column in others)
        weighted = tuple(
            _products(weight, rounded, groups) + _products(weight, lost, groups) for rounded, lost in parts[1:]
        )
        products = tuple(
            _products(parts[j][0], parts[k][0], groups)
            + _products(parts[j][0], parts[k][1], groups)
            + _products(parts[j][1], parts[k][0], groups)
            for j, k in pairs(len(columns))
        )
        return cls(sums, weighted, products, low, high)

    def __add__(self, other: "CrossMoments") -> "CrossMoments":
        sums, weighted, products = (
            tuple(a + b for a, b in zip(mine, theirs, strict=True))
            for mine, theirs in (
                (self.sums, other.sums), (self.weighted, other.weighted), (self.products, other.products),
            )
        )  # fmt: skip
        return CrossMoments(
            sums, weighted, products, np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        )

    def _each(self, change: Callable[[ExactSum], ExactSum], low: FloatArray, high: FloatArray) -> "CrossMoments":
        sums, weighted, products = (tuple(map(change, part)) for part in (self.sums, self.weighted, self.products))
        return CrossMoments(sums, weighted, products, low, high)

    def regroup(self, index: IntArray, groups: int) -> "CrossMoments":
        """The same sums, with group ``i`` at place ``index[i]`` of ``groups``."""
        low = np.full((len(self.sums), groups), np.inf)
        high = -low
        low[:, index], high[:, index] = self.low, self.high
        return self._each(lambda part: part.regroup(index, groups), low, high)

    def taken(self, groups: IntArray | slice) -> "CrossMoments":
        """The sums of some groups."""
        return self._each(lambda part: part.taken(groups), self.low[:, groups], self.high[:, groups])

    def pooled(self) -> "CrossMoments":
        """The sums of all rows as those of a single group."""
        low = self.low.min(axis=1, keepdims=True, initial=np.inf)  # of no groups, too
        high = self.high.max(axis=1, keepdims=True, initial=-np.inf)
        return self._each(ExactSum.pooled, low, high)

    @property
    def parts(self) -> tuple[tuple[ExactSum, ...], ...]:
        """The sums that `Beside` has, in order."""
        return self.sums, self.weighted or self.sums, self.products

    def result(self) -> list[Beside]:
        """The exact sums of each group."""
        exact = ([part.exact() for part in parts] for parts in self.parts)
        sums, weighted, products = (list(zip(*parts, strict=True)) for parts in exact)
        spans = [tuple(span) if np.isfinite(span).all() else (0.0,) * len(span) for span in (self.high - self.low).T]
        special = [any(part.special(group) is not None for part in self.sums) for group in range(len(spans))]
        return [Beside(*figures) for figures in zip(sums, weighted, products, spans, special, strict=True)]


def _products(left: FloatArray, right: FloatArray, groups: Groups | None) -> ExactSum:
    """Σ of products, of which those that are no doubles count 0."""
    left, right = (np.where(np.isfinite(side), side, 0.0) for side in (left, right))
    return exact_products(left, right, groups)
