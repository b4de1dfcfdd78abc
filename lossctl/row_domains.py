"""Which rows of numbers are legal, and which classes: vectors, probabilities, scores and codes of classes."""

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import (
    BINARY,
    NONNEGATIVE,
    PROBABILITY,
    REAL,
    BoolArray,
    Domain,
    FloatArray,
    Interval,
    Plain,
    Span,
    any_column,
    finite_sum,
    row_sum,
)

if TYPE_CHECKING:
    from numpy.random import Generator

SIMPLEX_ERROR = 1e-3
SIMPLEX_WARNING = 1e-6


@dataclass(frozen=True)
class Vector(Plain):
    """Rows of two or more finite numbers."""

    rows: ClassVar[bool] = True
    dimensions: ClassVar[tuple[int, ...]] = (2,)

    def describe(self) -> str:
        return "a row of finite numbers"

    def covers(self, span: Span) -> bool:
        return REAL.covers(span)

    def illegal(self, values: FloatArray) -> BoolArray | None:
        return REAL.illegal(values)

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        return np.asfortranarray(rng.normal(0.0, 2.0, (n, k)))


@dataclass(frozen=True)
class Direction(Vector):
    """Rows of two or more finite numbers of which only the direction counts."""

    def doubtful(self, values: FloatArray) -> BoolArray | None:
        return any_column(np.asarray(~values.any(axis=1)))

    @property
    def doubt(self) -> str:
        return "zero vectors, which have no direction: their cosine is taken as 0"


class AtOnce(Plain):
    """Domains that tell illegal rows and doubtful ones from the same sums."""

    def illegal(self: Domain, values: FloatArray) -> BoolArray | None:
        return self.judged(values, None)[0]

    def doubtful(self: Domain, values: FloatArray) -> BoolArray | None:
        return self.judged(values, None)[1]


@dataclass(frozen=True)
class Simplex(AtOnce):
    """Rows of probabilities that sum to 1."""

    rows: ClassVar[bool] = True
    classes: ClassVar[bool] = True
    dimensions: ClassVar[tuple[int, ...]] = (2,)

    def describe(self) -> str:
        return f"a row of probabilities that sum to 1 (within {SIMPLEX_ERROR:g})"

    def judged(self, values: FloatArray, span: Span | None) -> tuple[BoolArray | None, BoolArray | None]:
        outside = None if span is not None and PROBABILITY.covers(span) else PROBABILITY.illegal(values)
        with np.errstate(over="ignore", invalid="ignore"):
            error = np.abs(row_sum(values) - 1.0)
        mask = error > SIMPLEX_ERROR
        bad = any_column(mask if outside is None else mask | outside)
        return bad, any_column(error > SIMPLEX_WARNING) if bad is None else None

    def closed(self, dimensions: int) -> tuple[float, float]:
        return PROBABILITY.closed(dimensions)

    @property
    def doubt(self) -> str:
        return f"rows that sum to 1 only within {SIMPLEX_ERROR:g} (rounded?)"

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        parts = rng.gamma(2.0, 1.0, (n, k)) + 0.05
        return np.asfortranarray(parts / row_sum(parts)[:, None])


@dataclass(frozen=True)
class LogSimplex(AtOnce):
    """Rows of log-probabilities: their exponentials sum to 1."""

    rows: ClassVar[bool] = True
    dimensions: ClassVar[tuple[int, ...]] = (2,)

    def describe(self) -> str:
        return f"a row of log-probabilities whose exponentials sum to 1 (within {SIMPLEX_ERROR:g})"

    def judged(self, values: FloatArray, span: Span | None) -> tuple[BoolArray | None, BoolArray | None]:  # noqa: ARG002
        with np.errstate(over="ignore", invalid="ignore"):
            error = np.abs(row_sum(np.exp(values)) - 1.0)
        bad = any_column(~(error <= SIMPLEX_ERROR))
        return bad, any_column(error > SIMPLEX_WARNING) if bad is None else None

    @property
    def doubt(self) -> str:
        return Simplex().doubt

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        return np.asfortranarray(np.log(Simplex().sample(rng, n, k)))


@dataclass(frozen=True)
class Logits(Plain):
    """Rows of scores of which some, but not all, may be -inf: those of classes that are impossible."""

    rows: ClassVar[bool] = True

    def describe(self) -> str:
        return "a row of finite scores, of which some but not all may be -inf (impossible classes)"

    def covers(self, span: Span) -> bool:
        return REAL.covers(span)

    def illegal(self, values: FloatArray) -> BoolArray | None:
        if values.ndim == 1:
            return REAL.illegal(values)
        return None if finite_sum(values) else any_column(~np.isfinite(values.max(axis=1, initial=-np.inf)))

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        return VECTOR.sample(rng, n, k)


@dataclass(frozen=True)
class Classes(Plain):
    """Integer class codes 0 to k - 1."""

    classes: ClassVar[bool] = True
    dimensions: ClassVar[tuple[int, ...]] = (1,)
    k: int | None = None

    def describe(self) -> str:
        return "an integer class label" + (f" in 0..{self.k - 1}" if self.k is not None else "")

    def illegal(self, values: FloatArray) -> BoolArray | None:
        high = math.inf if self.k is None else self.k - 1
        return any_column(~((values >= 0) & (values <= high) & (np.floor(values) == values)))

    def for_width(self, k: int) -> "Classes":
        return Classes(k)

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        return rng.integers(0, k, n).astype(np.float64)


@dataclass(frozen=True)
class ClassesOrSimplex(AtOnce):
    """Class codes as a 1-D label, probabilities (one-hot or soft) as a 2-D one."""

    classes: ClassVar[bool] = True
    k: int | None = None

    def describe(self) -> str:
        return f"{Classes(self.k).describe()} (one column) or {Simplex().describe()} (one column a class)"

    def judged(self, values: FloatArray, span: Span | None) -> tuple[BoolArray | None, BoolArray | None]:
        return (Classes(self.k) if values.ndim == 1 else Simplex()).judged(values, span)

    def closed(self, dimensions: int) -> tuple[float, float]:
        return (Classes(self.k) if dimensions == 1 else Simplex()).closed(dimensions)

    @property
    def doubt(self) -> str:
        return Simplex().doubt

    def for_width(self, k: int) -> "ClassesOrSimplex":
        return ClassesOrSimplex(k)

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        return Classes().sample(rng, n, k) if rng.integers(2) else Simplex().sample(rng, n, k)


@dataclass(frozen=True)
class ClassesOrOneHot(Plain):
    """Class codes as a 1-D label, rows of a single 1 as a 2-D one."""

    classes: ClassVar[bool] = True
    k: int | None = None

    def describe(self) -> str:
        return f"{Classes(self.k).describe()} (one column) or a row of a single 1 and zeros (one column a class)"

    def illegal(self, values: FloatArray) -> BoolArray | None:
        if values.ndim == 1:
            return Classes(self.k).illegal(values)
        outside = BINARY.illegal(values)
        mask = row_sum(values) != 1.0
        return any_column(mask if outside is None else mask | outside)

    def closed(self, dimensions: int) -> tuple[float, float]:
        return (Classes(self.k) if dimensions == 1 else PROBABILITY).closed(dimensions)

    def for_width(self, k: int) -> "ClassesOrOneHot":
        return ClassesOrOneHot(k)

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        codes = Classes().sample(rng, n, k)
        return codes if rng.integers(2) else np.asfortranarray(np.eye(k)[codes.astype(np.intp)])


@dataclass(frozen=True)
class Chosen(Plain):
    """Rows of 0 and 1, of which any number may be 1: a column for each label that may be chosen."""

    rows: ClassVar[bool] = True
    dimensions: ClassVar[tuple[int, ...]] = (2,)

    def describe(self) -> str:
        return "a row of 0 and 1 (one column a label)"

    def illegal(self, values: FloatArray) -> BoolArray | None:
        return BINARY.illegal(values)

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        return np.asfortranarray(rng.integers(0, 2, (n, k)).astype(np.float64))


@dataclass(frozen=True)
class Amounts(Vector):
    """Rows of two or more finite numbers that are not negative."""

    def describe(self) -> str:
        return "a row of finite numbers >= 0"

    def covers(self, span: Span) -> bool:
        return NONNEGATIVE.covers(span)

    def illegal(self, values: FloatArray) -> BoolArray | None:
        return NONNEGATIVE.illegal(values)

    def closed(self, dimensions: int) -> tuple[float, float]:
        return NONNEGATIVE.closed(dimensions)

    def sample(self, rng: "Generator", n: int, k: int) -> FloatArray:
        return np.asfortranarray(0.01 + rng.exponential(2.0, (n, k)))


def inside(values: Domain, domain: Domain) -> bool:
    """Whether every value of the first set is legal in the second."""
    if isinstance(domain, Amounts):
        return isinstance(values, Amounts | Simplex) or (isinstance(values, Interval) and inside(values, NONNEGATIVE))
    if isinstance(values, Interval) and isinstance(domain, Interval):
        low = values.low > domain.low or (values.low == domain.low and values.low_open >= domain.low_open)
        high = values.high < domain.high or (values.high == domain.high and values.high_open >= domain.high_open)
        return low and high and not domain.nonzero
    return values == domain or (isinstance(domain, Vector | Interval) and domain in {REAL, VECTOR, DIRECTION})


VECTOR = Vector()
DIRECTION = Direction()
SIMPLEX = Simplex()
LOG_SIMPLEX = LogSimplex()
LOGITS = Logits()
CLASSES = Classes()
CLASSES_OR_SIMPLEX = ClassesOrSimplex()
CLASSES_OR_ONE_HOT = ClassesOrOneHot()
CHOSEN = Chosen()
AMOUNTS = Amounts()
