"""Predictions whose numbers are different things: a mean and its scale, the ends of an interval."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, Domain, FloatArray, Interval, Span
from lossctl.row_domains import Vector

if TYPE_CHECKING:
    from numpy.random import Generator


@dataclass(frozen=True)
class Ascending(Vector):
    """Rows of numbers of which none is below the one before."""

    names: tuple[str, ...] = ()

    def describe(self) -> str:
        return f"a row with {' <= '.join(self.names)}"

    def covers(self, span: Span) -> bool:  # noqa: ARG002
        return False

    def illegal(self, values: FloatArray) -> BoolArray | None:
        bad = ~(values[:, 1:] >= values[:, :-1]).all(axis=1)
        return np.asarray(bad) if bad.any() else None


@dataclass(frozen=True)
class Parts(Vector):
    """Rows of a few numbers, each a part with a name and a domain of its own."""

    domains: tuple[tuple[str, Interval], ...] = ()
    ascending: bool = False
    """Whether no part may be below the one before."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the parts are called, in their order."""
        return tuple(name for name, _ in self.domains)

    def describe(self) -> str:
        parts = " and ".join(f"{name} ({domain.describe()})" for name, domain in self.domains)
        return f"a row of {parts}" + f", {' <= '.join(self.names)}" * self.ascending

    def covers(self, span: Span) -> bool:
        return not self.ascending and all(domain.covers(span) for _, domain in self.domains)

    def illegal(self, values: FloatArray) -> BoolArray | None:
        masks = (domain.illegal(numbers) for _, _, domain, numbers in pieces(self, values))
        wrong = [mask for mask in masks if mask is not None]
        return np.asarray(np.logical_or.reduce(wrong)) if wrong else None

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:  # noqa: ARG002
        columns = np.column_stack([domain.sample(rng, n, 1) for _, domain in self.domains])
        return np.asfortranarray(np.sort(columns, axis=1) if self.ascending else columns)


def parts(*, ascending: bool = False, **domains: Interval) -> Parts:
    """The domain of a prediction that has these parts, in their order."""
    return Parts(tuple(domains.items()), ascending)


def pieces(domain: Domain, values: FloatArray) -> Iterator[tuple[str, int | None, Domain, FloatArray]]:
    """What is to be judged of some values: each part by itself, then their order; of a domain without parts the whole.

    Yields:
        The name of the part and its place, or an empty one and ``None``; the domain, and the numbers it is of.
    """
    if not isinstance(domain, Parts):
        yield "", None, domain, values
        return
    for place, (name, own) in enumerate(domain.domains):
        yield name, place, own, values[:, place]
    if domain.ascending:
        yield "", None, Ascending(domain.names), values
