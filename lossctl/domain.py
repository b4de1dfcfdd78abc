"""Which numbers are legal: contains, describe in English, draw samples; those of rows are in `lossctl.row_domains`.

A domain is data. Validation, its error message, the range check of a parameter and the inputs a test draws are all
derived from it. A domain with ``rows`` true judges whole rows of an ``(n, k)`` array, any other each number by itself.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.random import Generator  # 5 ms that only tests and proofs need

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Number = TypeVar("Number", np.float64, np.int64)
Span = tuple[float, float]
"""The least and the largest of some numbers; both are NaN where one of them is."""

EPS = float(np.finfo(np.float64).eps)
LEAST, LARGEST = math.ulp(0.0), float(np.finfo(np.float64).max)

WIDE = 64
"""Rows of more numbers stand one behind the other (C order), columns of fewer (Fortran order): long runs are quick."""


def laid_out(matrix: FloatArray) -> FloatArray:
    """An ``(n, k)`` array in the order that is quick for its width; see `WIDE`."""
    return np.ascontiguousarray(matrix) if matrix.shape[1] > WIDE else np.asfortranarray(matrix)


def row_sum(matrix: FloatArray) -> FloatArray:
    """Sum of each row of an ``(n, k)`` array: from the first column to the last, and pairwise where a row is wide.

    NumPy adds the columns one by one only where they are contiguous and there are several rows, and sums pairwise only
    along what is contiguous; the last digit of a row must not depend on the rows that travel with it, nor on how they
    stand in memory.
    """
    if matrix.shape[1] > WIDE:
        return np.asarray(np.add.reduce(np.ascontiguousarray(matrix), axis=1))
    if len(matrix) == 1 or matrix.strides[0] != matrix.itemsize:
        return np.add.accumulate(matrix, axis=1)[:, -1]
    return np.asarray(np.add.reduce(matrix, axis=1))


def span_of(values: FloatArray) -> Span:
    """The least and the largest of some numbers; of none, infinities that are the wrong way round."""
    if not values.size:
        return math.inf, -math.inf
    return float(np.minimum.reduce(values, None)), float(np.maximum.reduce(values, None))


def distinct(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """The different numbers among some, in order; NaN once.

    `numpy.unique` loads `numpy.ma` where nothing is counted.
    """
    return np.unique(values, return_counts=True)[0]


def filled_sum(matrix: FloatArray) -> FloatArray:
    """As `row_sum`, but the same however many zeros stand behind the numbers: by halves of 2^m times `WIDE` columns.

    For rows of any length, which are filled up to the longest of them.
    """
    if matrix.shape[1] <= WIDE:
        return row_sum(matrix)
    half = matrix.shape[1] // 2
    return np.asarray(filled_sum(matrix[:, :half]) + filled_sum(matrix[:, half:]))


class Domain(Protocol):
    """What a set of legal values can do."""

    rows: ClassVar[bool]
    """Whether legality is a property of a row of numbers."""
    classes: ClassVar[bool]
    """Whether a legal label says of which class its row is: by a code, or by a probability a class."""
    dimensions: ClassVar[tuple[int, ...]]
    """How many dimensions an array of legal values may have."""
    exclusive: ClassVar[tuple[float, ...]]
    """Values of which at most one may occur in a data set."""

    def describe(self) -> str:
        """The set in English, to follow "must be"."""

    def illegal(self, values: FloatArray) -> BoolArray | None:
        """Rows that hold an illegal value, as an ``(n,)`` mask; ``None`` when every row is legal."""

    def covers(self, span: Span) -> bool:
        """Whether all numbers between two are known to be legal, in rows of any kind."""

    def doubtful(self, values: FloatArray) -> BoolArray | None:
        """Rows that are legal but worth a warning."""

    def judged(self, values: FloatArray, span: Span | None) -> tuple[BoolArray | None, BoolArray | None]:
        """What `illegal` says, and `doubtful` where all are legal.

        Args:
            values: as there.
            span: between which numbers they are known to be; ``None`` where nobody looked.
        """

    @property
    def doubt(self) -> str:
        """What the warning says of them."""

    def for_width(self, k: int) -> "Domain":
        """The same set where a row has ``k`` columns."""

    def closed(self, dimensions: int) -> tuple[float, float]:
        """The least and the largest number, where they belong to the set, else an infinity.

        Args:
            dimensions: how many the array of numbers has.
        """

    def convert(self, values: FloatArray) -> FloatArray:
        """Legal values in the one spelling that kernels know."""

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        """Draw ``(n,)`` values, or ``(n, k)`` for a domain of rows, moderate and away from the boundary."""


class Plain:
    """What most domains have in common: plain numbers of which none is doubtful, excludes another or is converted."""

    rows: ClassVar[bool] = False
    classes: ClassVar[bool] = False
    dimensions: ClassVar[tuple[int, ...]] = (1, 2)
    exclusive: ClassVar[tuple[float, ...]] = ()

    def covers(self, span: Span) -> bool:  # noqa: ARG002  (the protocol's signature)
        return False

    def doubtful(self, values: FloatArray) -> BoolArray | None:  # noqa: ARG002  (the protocol's signature)
        return None

    def judged(self: Domain, values: FloatArray, span: Span | None) -> tuple[BoolArray | None, BoolArray | None]:
        bad = None if span is not None and self.covers(span) else self.illegal(values)
        return bad, self.doubtful(values) if bad is None else None

    @property
    def doubt(self) -> str:
        return ""

    def for_width(self, k: int) -> Domain:  # noqa: ARG002
        return self  # type: ignore[return-value]  # every subclass is a Domain, which mypy cannot know here

    def closed(self, dimensions: int) -> tuple[float, float]:  # noqa: ARG002
        return -math.inf, math.inf

    def convert(self, values: FloatArray) -> FloatArray:
        return values


def finite_sum(values: FloatArray) -> bool:
    """Whether the sum of all numbers is finite, which says that each is."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.add.reduce(values, axis=None)))


def infinite_in(values: FloatArray) -> BoolArray | None:
    """The rows ``(n,)`` with an infinity; ``None`` when there are none."""
    return None if finite_sum(values) else any_column(np.isinf(values))


def any_column(mask: BoolArray) -> BoolArray | None:
    """The rows ``(n,)`` with a true entry in a mask ``(n,)`` or ``(n, k)``; ``None`` without any."""
    if not mask.any():
        return None
    return mask if mask.ndim == 1 else np.asarray(mask.any(axis=1))


@dataclass(frozen=True)
class Interval(Plain):
    """Finite numbers between two bounds, each bound in or out, zero in or out."""

    low: float = -math.inf
    """The lower bound."""
    high: float = math.inf
    """The upper bound."""
    low_open: bool = False
    """Whether the lower bound is not a member itself."""
    high_open: bool = False
    """Whether the upper bound is not a member itself."""
    nonzero: bool = False
    """Whether zero is no member."""

    def describe(self) -> str:
        if self.nonzero:
            return "a finite number other than 0"
        if math.isinf(self.low) and math.isinf(self.high):
            return "a finite number"
        if math.isinf(self.high):
            return f"a finite number {'>' if self.low_open else '>='} {self.low:g}"
        opening, closing = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"a number in {opening}{self.low:g}, {self.high:g}{closing}"

    def covers(self, span: Span) -> bool:
        low, high = span
        return self._holds(low) and self._holds(high) and not (self.nonzero and low <= 0 <= high)

    def illegal(self, values: FloatArray) -> BoolArray | None:
        if values.size == 0 or self.covers(span_of(values)):
            return None
        above = values > self.low if self.low_open or math.isinf(self.low) else values >= self.low
        below = values < self.high if self.high_open or math.isinf(self.high) else values <= self.high
        legal = above & below
        if self.nonzero:
            legal &= values != 0
        return any_column(~legal)

    def closed(self, dimensions: int) -> tuple[float, float]:  # noqa: ARG002
        return -math.inf if self.low_open else self.low, math.inf if self.high_open else self.high

    def contains(self, value: float) -> bool:
        """Whether one number is legal."""
        return self.illegal(np.array([value], dtype=np.float64)) is None

    def _holds(self, value: float) -> bool:
        """Whether a number lies between the bounds; NaN does not."""
        above = value > self.low if self.low_open or math.isinf(self.low) else value >= self.low
        below = value < self.high if self.high_open or math.isinf(self.high) else value <= self.high
        return above and below

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:  # noqa: ARG002
        if math.isfinite(self.low) and math.isfinite(self.high):
            span = self.high - self.low
            return rng.uniform(self.low + 0.01 * span, self.high - 0.01 * span, n)
        if math.isfinite(self.low):
            return self.low + 0.01 + rng.exponential(2.0, n)
        if math.isfinite(self.high):
            return self.high - 0.01 - rng.exponential(2.0, n)
        values = rng.normal(0.0, 3.0, n)
        return np.where(np.abs(values) < 0.1, 0.5, values) if self.nonzero else values


@dataclass(frozen=True)
class Outside(Interval):
    """Finite numbers but those between two, which themselves are legal."""

    hole: tuple[float, float] = (0.0, 0.0)
    """The two; between them nothing is a member."""

    def describe(self) -> str:
        return f"a finite number, but none between {self.hole[0]:g} and {self.hole[1]:g}"

    def covers(self, span: Span) -> bool:
        (low, high), (below, above) = span, self.hole
        return super().covers(span) and (high <= below or low >= above)

    def illegal(self, values: FloatArray) -> BoolArray | None:
        low, high = self.hole
        return any_column(~np.isfinite(values) | ((values > low) & (values < high)))

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        values, (low, high) = super().sample(rng, n, k), self.hole
        inside = (values > low) & (values < high)
        return np.where(inside, np.where(values < 0.5 * (low + high), low, high), values)


@dataclass(frozen=True)
class Values(Plain):
    """A few numbers and nothing else."""

    allowed: tuple[float, ...]

    def describe(self) -> str:
        return " or ".join(f"{value:g}" for value in self.allowed)

    def illegal(self, values: FloatArray) -> BoolArray | None:
        legal = values == self.allowed[0]
        for value in self.allowed[1:]:
            legal |= values == value
        return any_column(~legal)

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:  # noqa: ARG002
        return self.convert(rng.choice(np.array(self.allowed), n))


@dataclass(frozen=True)
class Signs(Values):
    """Labels -1 and 1, or 0 and 1 where 0 stands for -1; a data set that holds both 0 and -1 is ambiguous."""

    allowed: tuple[float, ...] = (-1.0, 1.0, 0.0)
    exclusive: ClassVar[tuple[float, ...]] = (0.0, -1.0)

    def describe(self) -> str:
        return "-1 or 1 (or 0 and 1, where 0 means -1)"

    def convert(self, values: FloatArray) -> FloatArray:
        return np.where(values == 0, -1.0, values)


@dataclass(frozen=True)
class Unlabelled(Plain):
    """What stands in place of labels where a loss has none: zeros, or NaN where a prediction has no number."""

    def describe(self) -> str:
        return "left out: this loss has no label"

    def covers(self, span: Span) -> bool:  # noqa: ARG002
        return True

    def illegal(self, values: FloatArray) -> BoolArray | None:  # noqa: ARG002
        return None

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:  # noqa: ARG002
        return np.zeros(n)


@dataclass(frozen=True)
class Extended(Plain):
    """Numbers, and the infinity at either end: scores of what has a limit there."""

    def describe(self) -> str:
        return "a number, or inf or -inf"

    def covers(self, span: Span) -> bool:
        return span[0] <= span[1]

    def illegal(self, values: FloatArray) -> BoolArray | None:
        return None if finite_sum(values) else any_column(np.isnan(values))

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        return REAL.sample(rng, n, k)


@dataclass(frozen=True)
class Words:
    """A few words: the legal values of a parameter that is a choice."""

    allowed: tuple[str, ...]

    def describe(self) -> str:
        return " or ".join(self.allowed)


@dataclass(frozen=True)
class Listed:
    """Numbers of one interval, one for each column of a prediction: the legal values of a parameter that is a list."""

    each: Interval
    alone: bool = False
    """Whether a single number is legal as well, and goes for every column."""
    named: bool = False
    """Whether the names of columns tell the numbers where nobody says them; without any there is no value."""

    def describe(self) -> str:
        several = f"{self.each.describe()} for each column, written a/b/c"
        return f"{self.each.describe()}, or {several}" if self.alone else several

    def contains(self, values: Sequence[float]) -> bool:
        """Whether there are numbers, all of them legal."""
        return bool(len(values)) and self.each.illegal(np.array(values, dtype=np.float64)) is None


REAL = Interval()
NONZERO = Interval(nonzero=True)
NONNEGATIVE = Interval(low=0.0)
POSITIVE = Interval(low=0.0, low_open=True)
ABOVE_MINUS_ONE = Interval(low=-1.0, low_open=True)
PROBABILITY = Interval(low=0.0, high=1.0)
LOG_PROBABILITY = Interval(high=0.0)
NO_LABEL = Unlabelled()
BINARY = Values((0.0, 1.0))
SIGNS = Signs()
EXTENDED = Extended()

Positive = Annotated[float, POSITIVE]
NonNegative = Annotated[float, NONNEGATIVE]
Fraction = Annotated[float, Interval(low=0.0, high=1.0, high_open=True)]
Floor = Annotated[float, Interval(low=0.0, high=0.5)]
