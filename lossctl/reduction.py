"""How rows become the number that is reported: their sum, or a smooth function of the means of what stands in them.

A loss gives each row a number c₀, and some give it further ones, c₁ and so on. With the weighted means m of these a
reduction is L = f(m). Everything else follows from f and its slopes: to first order a row moves the value by
u = w·Σⱼ ∂f/∂mⱼ·(cⱼ − mⱼ) / Σw, which is what standard errors, differences of models and gradients are made of.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar, Literal

import numpy as np

from lossctl.domain import FloatArray
from lossctl.rational import exponential, logarithm, power, square_root, to_float

OverColumns = Literal["mean", "sum"]
"""What is made of the numbers of a row with several columns."""
WeightNorm = Literal["sum", "n"]
"""What a mean of weighted rows is divided by: the sum of their weights, or their number."""
ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)


class Reduction(ABC):
    """What is made of rows; frozen, and equal to its like."""

    name: ClassVar[str]
    adds: ClassVar[bool] = False
    """Whether weighted rows are added up, not averaged by their weights: then only the divisor is asked."""
    adds_columns: ClassVar[bool] = False
    """Whether the numbers of a row with several columns are added up, not averaged."""
    bends: ClassVar[bool] = True
    """Whether its slopes depend on the means."""
    columns: int = 1
    """How many numbers of a row it is made of."""

    # no dataclasses, which take as long to make as all else that a start reads here
    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    @abstractmethod
    def value(self, means: Sequence[Fraction]) -> float:
        """The number, rounded once; NaN where there is none.

        Args:
            means: the weighted mean of each number, then what it `takes` beside them.
        """

    @abstractmethod
    def slopes(self, means: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
        """Its derivative by each mean; ``None`` where it has none. All are 0 where no row can move it down."""

    @property
    def takes(self) -> Literal["means", "spans", "weight"]:
        """What it takes beside the means: by how much the largest of each further number is above its smallest; Σw."""
        return "means"

    def exact(self, means: Sequence[Fraction]) -> Fraction | None:
        """The number to fifty digits; ``None`` where there is none, or it is beyond all use."""
        value = self.value(means)
        return Fraction(value) if math.isfinite(value) else None

    def slopes_of_groups(self, means: Sequence[FloatArray], weight: float) -> list[FloatArray]:
        """The slopes at the means of each group, ``(groups,)`` each, as doubles; 0 where there are none.

        Args:
            means: the weighted mean of each number, by group.
            weight: Σw, about.
        """
        columns = np.zeros((len(means), len(means[0])))
        for group, at in enumerate(zip(*(mean.tolist() for mean in means), strict=True)):
            if all(map(math.isfinite, at)):
                slopes = None if self.takes == "spans" else self.slopes([*map(Fraction, at), Fraction(weight)])
                columns[:, group] = 0.0 if slopes is None else [to_float(slope) for slope in slopes]
        return list(columns)

    def squared_slope(self, mean: Fraction) -> Fraction:
        """The square of the slope of one that is made of one number."""
        (slope,) = self.slopes([mean]) or (ZERO,)
        return slope * slope

    def divisor(self, n: int, weight: Fraction) -> Fraction:  # noqa: ARG002
        """What Σwc is divided by: Σw of rows that are averaged.

        Args:
            n: how many rows there are.
            weight: Σw.
        """
        return weight

    def row_factor(self, part: float) -> float | None:
        """What the losses of all rows are multiplied with for the number to be multiplied with ``part``.

        ``None`` where there is no such factor.
        """
        return part

    def at_infinity(self, special: float) -> float:
        """The number where the mean of the losses is infinite or NaN."""
        return special

    @abstractmethod
    def slope_at_infinity(self, special: float) -> float:
        """The slope there, where rows are averaged; NaN where nobody knows."""


class Mean(Reduction):
    """The mean of the losses."""

    name = "mean"
    bends = False

    def value(self, means: Sequence[Fraction]) -> float:
        return to_float(means[0])

    def exact(self, means: Sequence[Fraction]) -> Fraction:
        return means[0]

    def slopes(self, means: Sequence[Fraction]) -> tuple[Fraction, ...]:  # noqa: ARG002
        return (ONE,)

    def slopes_of_groups(self, means: Sequence[FloatArray], weight: float) -> list[FloatArray]:  # noqa: ARG002
        return [np.ones_like(means[0])]

    def slope_at_infinity(self, special: float) -> float:  # noqa: ARG002
        return 1.0


class Sum(Mean):
    """Their sum."""

    name = "sum"
    adds = adds_columns = True

    def divisor(self, n: int, weight: Fraction) -> Fraction:  # noqa: ARG002
        return ONE


class PerRow(Mean):
    """The sum of the weighted losses by the number of rows, whatever their weights: Σwℓ/n."""

    name = "per-row"
    adds = True

    def divisor(self, n: int, weight: Fraction) -> Fraction:  # noqa: ARG002
        return Fraction(max(n, 1))


class Curve(Reduction):
    """A function of the mean of the losses."""

    @abstractmethod
    def at(self, mean: Fraction) -> Fraction | None:
        """The number, to fifty digits; ``None`` where there is none."""

    def value(self, means: Sequence[Fraction]) -> float:
        exact = self.at(means[0])
        return math.nan if exact is None else to_float(exact)

    def exact(self, means: Sequence[Fraction]) -> Fraction | None:
        return self.at(means[0])


class PowerMean(Curve):
    """The p-th root of the mean."""

    name = "power-mean"

    def __init__(self, p: float = 2.0) -> None:
        self.p = p

    def at(self, mean: Fraction) -> Fraction | None:
        return None if mean < 0 else power(mean, 1 / Fraction(self.p))

    def slopes(self, means: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
        root = self.at(means[0])
        if root is None:
            return None
        return (root / means[0] / Fraction(self.p) if root else ZERO,)

    def slopes_of_groups(self, means: Sequence[FloatArray], weight: float) -> list[FloatArray]:  # noqa: ARG002
        mean = means[0]  # fifty digits take too long here
        return [np.where(mean > 0.0, mean ** (1.0 / self.p - 1.0) / self.p, 0.0)]

    def row_factor(self, part: float) -> float | None:
        return float(part**self.p)

    def at_infinity(self, special: float) -> float:
        return math.nan if special < 0 else special

    def slope_at_infinity(self, special: float) -> float:
        return 0.0 if special > 0 else math.nan


class RootMean(PowerMean):
    """The root of the mean."""

    name = "root-mean"

    def value(self, means: Sequence[Fraction]) -> float:
        return math.nan if means[0] < 0 and to_float(means[0]) < 0 else square_root(means[0])

    def squared_slope(self, mean: Fraction) -> Fraction:
        return 1 / (4 * mean) if mean > 0 else ZERO


class ExpMean(Curve):
    """The number whose logarithm is the mean."""

    name = "exp-mean"

    def __init__(self, base: float = math.e) -> None:
        self.base = base
        """Of the logarithm."""

    @property
    def _scale(self) -> Fraction:
        return ONE if self.base == math.e else logarithm(Fraction(self.base))

    def at(self, mean: Fraction) -> Fraction | None:
        return exponential(mean * self._scale)

    def value(self, means: Sequence[Fraction]) -> float:
        exact = self.at(means[0])
        return self.at_infinity(_infinite(means[0])) if exact is None else to_float(exact)

    def slopes(self, means: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
        exact = self.at(means[0])
        return None if exact is None else (exact * self._scale,)

    def slopes_of_groups(self, means: Sequence[FloatArray], weight: float) -> list[FloatArray]:  # noqa: ARG002
        scale = float(self._scale)
        return [np.exp(means[0] * scale) * scale]  # likewise

    def row_factor(self, part: float) -> float | None:  # noqa: ARG002
        return None

    def at_infinity(self, special: float) -> float:
        if math.isnan(special):
            return special
        return math.inf if (special > 0) == (self.base > 1) else 0.0

    def slope_at_infinity(self, special: float) -> float:
        return self.at_infinity(special) if self.at_infinity(special) == 0.0 else math.nan


class Several(Reduction):
    """A function of the means of several numbers."""

    def slope_at_infinity(self, special: float) -> float:  # noqa: ARG002
        return math.nan


class Ratio(Several):
    """The sum of one number of the rows by that of another."""

    name = "ratio"
    columns = 2
    adds_columns = True

    def __init__(self, smooth: float = 0.0, empty: float = math.nan) -> None:
        self.smooth = smooth
        """What is added to the sum below."""
        self.empty = empty
        """What it is where both are 0."""

    @property
    def takes(self) -> Literal["means", "spans", "weight"]:
        return "weight"

    def value(self, means: Sequence[Fraction]) -> float:
        below = self._below(means)
        if not below:
            return _infinite(means[0]) if means[0] else self.empty
        return to_float(means[0] / below)

    def exact(self, means: Sequence[Fraction]) -> Fraction | None:
        below = self._below(means)
        return means[0] / below if below else super().exact(means)

    def slopes(self, means: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
        below = self._below(means)
        if not below:
            return None if means[0] or math.isnan(self.empty) else (ZERO, ZERO)
        return 1 / below, -means[0] / (below * below)

    def _below(self, means: Sequence[Fraction]) -> Fraction:
        return means[1] + Fraction(self.smooth) / means[2] if self.smooth else means[1]


class ExpRatio(Several):
    """The number whose logarithm is a ratio."""

    name = "exp-ratio"
    columns = 2
    adds_columns = True

    def __init__(self, base: float = math.e) -> None:
        self.base = base
        """Of the logarithm."""

    def value(self, means: Sequence[Fraction]) -> float:
        return self._curve.value([means[0] / means[1]]) if means[1] else math.nan

    def exact(self, means: Sequence[Fraction]) -> Fraction | None:
        return self._curve.at(means[0] / means[1]) if means[1] else None

    def slopes(self, means: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
        slopes = self._curve.slopes([means[0] / means[1]]) if means[1] else None
        return None if slopes is None else (slopes[0] / means[1], -slopes[0] * means[0] / (means[1] * means[1]))

    def slopes_of_groups(self, means: Sequence[FloatArray], weight: float) -> list[FloatArray]:
        above, below = means
        (slope,) = self._curve.slopes_of_groups([above / below], weight)
        return [slope / below, -slope * above / (below * below)]

    def row_factor(self, part: float) -> float | None:  # noqa: ARG002
        return None

    def at_infinity(self, special: float) -> float:
        return self._curve.at_infinity(special)

    @property
    def _curve(self) -> ExpMean:
        return ExpMean(self.base)


class Normalized(Several):
    """The root of the mean, by how large labels y are: rows have the numbers e², y and y²."""

    name = "normalized-root-mean"
    columns = 3

    def __init__(self, denominator: str = "mean") -> None:
        self.denominator = denominator
        """``mean``: of y, without its sign; ``std``: their population standard deviation; ``l2``: the root of the mean
        of y²; ``range``: the largest less the smallest."""

    def row_factor(self, part: float) -> float | None:
        return part * part

    @property
    def takes(self) -> Literal["means", "spans", "weight"]:
        return "spans" if self.denominator == "range" else "means"  # two rows alone decide of it

    def value(self, means: Sequence[Fraction]) -> float:
        square, size = means[0], self._squared(means)
        return square_root(square / size) if square >= 0 and size > 0 else math.nan

    def exact(self, means: Sequence[Fraction]) -> Fraction | None:
        square, size = means[0], self._squared(means)
        return power(square / size, HALF) if square >= 0 and size > 0 else None

    def slopes(self, means: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
        value, size = self.exact(means), self._squared(means)
        if not value:
            return None if value is None else (ZERO, ZERO, ZERO)
        by_size = -value / (2 * size)
        size_by_label = {"mean": 2 * means[1], "std": -2 * means[1]}.get(self.denominator, ZERO)
        size_by_square = ONE if self.denominator in {"std", "l2"} else ZERO
        return value / (2 * means[0]), by_size * size_by_label, by_size * size_by_square

    def _squared(self, means: Sequence[Fraction]) -> Fraction:
        """The square of what it is divided by."""
        _, label, square, *spans = means
        if spans:
            return spans[0] * spans[0]
        return {"mean": label**2, "std": square - label**2, "l2": square}[self.denominator]


def _infinite(sign: Fraction) -> float:
    """Infinity with a sign, that of a number which need be no double."""
    return math.inf if sign > 0 else -math.inf


MEAN, SUM, PER_ROW, ROOT_MEAN = Mean(), Sum(), PerRow(), RootMean()

_MADE: dict[str, Callable[[Mapping[str, Any]], Reduction]] = {
    "mean": lambda _: MEAN,
    "sum": lambda _: SUM,
    "per-row": lambda _: PER_ROW,
    "root-mean": lambda _: ROOT_MEAN,
    "exp-mean": lambda parameters: ExpMean(parameters.get("base") or math.e),
    "power-mean": lambda parameters: PowerMean(parameters["p"]),
    "ratio": lambda parameters: Ratio(parameters.get("smooth", 0.0), parameters.get("empty", math.nan)),
    "exp-ratio": lambda parameters: ExpRatio(parameters.get("base") or math.e),
    "normalized-root-mean": lambda parameters: Normalized(parameters["denominator"]),
}


def reduction_of(name: str, parameters: Mapping[str, Any] = {}) -> Reduction:
    """The reduction of that name.

    Args:
        name: among those that `KNOWN` names.
        parameters: those of a loss, some of which say more of it: ``base`` of the logarithm of an exp-mean, ``p`` of
            the power of a power-mean, ``denominator``.
    """
    return _MADE[name](parameters)


KNOWN = tuple(_MADE)
