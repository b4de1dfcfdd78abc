"""What tells how sure a value is, and the difference of two: beside `Moments`, what rows and clusters carry of them.

A value is g(m) with m = Σwℓ/Σw. To first order a row moves it by c·w + a·wℓ, and the difference of two values by
c·w + a·wℓ_A + b·w(ℓ_B − ℓ_A), with coefficients that are known when all rows are. So that is what is kept: of rows the
sums of squares and the outermost, of clusters the sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lossctl.domain import BoolArray, FloatArray, IntArray
from lossctl.sums.clusters import Clusters, Column, Keyed
from lossctl.sums.distribution import Distribution
from lossctl.sums.extremes import Extremes
from lossctl.sums.moments import Moments
from lossctl.sums.series import Series, Stretch
from lossctl.sums.state import Far, Groups, Rows, regrouped

Pairs = Sequence[tuple[int, int]]
"""Which parts are compared: the places of the baseline's and of the candidate's."""


@dataclass(frozen=True)
class Measure:
    """What is said of the rows of one loss of one model before any is read."""

    rooted: bool
    """Whether the value is a root of a mean."""
    cells: bool
    """Whether a row counts once for each of its labels."""
    weighted: bool
    """Whether rows have weights, those included that are counts of labels."""
    lags: int = 0
    """How many of the rows before it each row moves with."""
    grouped: bool = False
    """Whether there are groups of rows."""
    summed: bool = False
    """Whether the value is a sum, which no weight moves but by wℓ."""

    @property
    def columns(self) -> int:
        """How many numbers of a row a difference is made of: w where it has one, wℓ_A for a root, w(ℓ_B − ℓ_A)."""
        return 1 + self.weighted + self.rooted


@dataclass(frozen=True)
class Pair:
    """Two models' losses of the same rows, by group."""

    moments: Moments
    """Of the differences: candidate less baseline."""
    better: IntArray
    """Rows on which the candidate's loss is smaller."""
    worse: IntArray
    extremes: Extremes
    """Of ``(wℓ_A, w(ℓ_B − ℓ_A))``, with w before them where rows have weights."""
    series: Series | None = None
    """Of what `Measure.columns` names, where rows are a series."""

    @classmethod
    def zero(cls, groups: int, measure: Measure) -> "Pair":
        """The state of no rows."""
        count = np.zeros(groups, dtype=np.int64)
        moments = Moments.zero(groups, weighted=measure.weighted)
        extremes = Extremes.zero(groups, _directions(measure, pair=True))
        series = None
        if measure.lags:
            series = Series.zero(groups, measure.columns, measure.lags, grouped=measure.grouped)
        return cls(moments, count, count, extremes, series)

    @classmethod
    def lift(cls, baseline: Rows, candidate: Rows, measure: Measure) -> "Pair":
        """The state of some rows, given twice."""
        rows = difference(baseline, candidate)
        groups, d, sign = rows.groups, rows.value, rows.value
        if rows.far is not None:
            sign = d.copy()
            sign[rows.far.row] = rows.far.number
        extremes = Extremes.zero(1, _directions(measure, pair=True))
        return cls(
            Moments.lift(rows),
            _counted(sign < 0, groups),
            _counted(sign > 0, groups),
            _outermost(extremes, rows, [baseline.value, d], rooted=measure.rooted),
            _series(baseline, rows, measure) if measure.lags else None,
        )

    def __add__(self, other: "Pair") -> "Pair":
        series = self.series
        if series is not None and other.series is not None:
            series = series + other.series
        return Pair(
            self.moments + other.moments,
            self.better + other.better,
            self.worse + other.worse,
            self.extremes + other.extremes,
            series,
        )

    def regroup(self, index: IntArray, groups: int) -> "Pair":
        """The same state, with group ``i`` at place ``index[i]`` of ``groups``."""
        better, worse = (regrouped(rows, index, groups) for rows in (self.better, self.worse))
        series = None if self.series is None else self.series.regroup(index, groups)
        return Pair(self.moments.regroup(index, groups), better, worse, self.extremes.regroup(index, groups), series)

    def pooled(self) -> "Pair":
        """The state of all rows as those of a single group."""
        better, worse = (rows.sum(keepdims=True) for rows in (self.better, self.worse))
        series = None if self.series is None else self.series.pooled()
        return Pair(self.moments.pooled(), better, worse, self.extremes.pooled(), series)

    def shift(self, rows: int) -> "Pair":  # noqa: ARG002
        """The same state: it does not matter where its rows stand."""
        return self


@dataclass(frozen=True)
class Evidence:
    """What tells how sure the values of the parts of a run are, and their differences."""

    singles: tuple[Extremes, ...]
    """One a part: of ``wℓ``, with w before it where rows have weights."""
    pairs: tuple[Pair, ...]
    clusters: Clusters | None
    """By cluster, Σwℓ of each part, Σw(ℓ_B − ℓ_A) of each pair, Σw of each way to weigh rows; see `weight_sums`."""
    drawn: tuple[Distribution, ...] = ()
    """The differences of the rows of each pair, of all groups together, where they are to be drawn."""

    @classmethod
    def zero(
        cls, groups: int, measures: Sequence[Measure], pairs: Pairs, *, clustered: bool, drawn: bool = False
    ) -> "Evidence":
        """The state of no rows."""
        sums = len(measures) + len(pairs) + len(weight_sums(measures))
        return cls(
            tuple(Extremes.zero(groups, _directions(measure, pair=False)) for measure in measures),
            tuple(Pair.zero(groups, measures[candidate]) for _, candidate in pairs),
            Clusters.zero(groups, sums) if clustered else None,
            (Distribution.zero(),) * len(pairs) if drawn else (),
        )

    @classmethod
    def lift(
        cls,
        rows: Sequence[Rows],
        measures: Sequence[Measure],
        pairs: Pairs,
        keyed: Keyed | None,
        *,
        drawn: bool = False,
    ) -> "Evidence":
        """The state of some rows.

        Args:
            rows: as each part has them.
            measures: one a part.
            pairs: which parts are compared.
            keyed: the cluster of each row.
            drawn: whether the differences of rows are to be drawn.
        """
        singles = tuple(
            _outermost(Extremes.zero(1, _directions(measure, pair=False)), part, [part.value])
            for part, measure in zip(rows, measures, strict=True)
        )
        paired = tuple(Pair.lift(rows[baseline], rows[candidate], measures[candidate]) for baseline, candidate in pairs)
        if keyed is None and not drawn:
            return cls(singles, paired, None)
        moves = [difference(rows[baseline], rows[candidate]) for baseline, candidate in pairs]
        counted = tuple(Distribution.of(move.value) for move in moves) if drawn else ()
        if keyed is None:
            return cls(singles, paired, None, counted)
        columns: list[Column] = [(part.value, part.weight, part.far) for part in (*rows, *moves)]
        columns += [(weight, None, None) for part in weight_sums(measures) if (weight := rows[part].weight) is not None]
        return cls(singles, paired, Clusters.lift(keyed, rows[0].groups, columns), counted)

    def __add__(self, other: "Evidence") -> "Evidence":
        clusters = self.clusters
        if clusters is not None and other.clusters is not None:
            clusters = clusters + other.clusters
        singles = (a + b for a, b in zip(self.singles, other.singles, strict=True))
        pairs = (a + b for a, b in zip(self.pairs, other.pairs, strict=True))
        drawn = (a + b for a, b in zip(self.drawn, other.drawn, strict=True))
        return Evidence(tuple(singles), tuple(pairs), clusters, tuple(drawn))

    def regroup(self, index: IntArray, groups: int) -> "Evidence":
        """The same state, with group ``i`` at place ``index[i]`` of ``groups``."""
        return Evidence(
            tuple(part.regroup(index, groups) for part in self.singles),
            tuple(pair.regroup(index, groups) for pair in self.pairs),
            None if self.clusters is None else self.clusters.regroup(index, groups),
            self.drawn,
        )

    def pooled(self) -> "Evidence":
        """The state of all rows as those of a single group."""
        return Evidence(
            tuple(part.pooled() for part in self.singles),
            tuple(pair.pooled() for pair in self.pairs),
            None if self.clusters is None else self.clusters.pooled(),
            self.drawn,
        )

    def shift(self, rows: int) -> "Evidence":  # noqa: ARG002
        """The same state: it does not matter where its rows stand."""
        return self


def _series(baseline: Rows, difference: Rows, measure: Measure) -> Series:
    """The rows as a series, given those of the baseline and the differences from it."""
    columns = [(rows.value, rows.far) for rows in (baseline, difference)]
    stretch = Stretch.of(difference.weight, columns if measure.rooted else columns[1:])
    return Series.lift(stretch, difference.groups, measure.lags)


def weight_sums(measures: Sequence[Measure]) -> list[int]:
    """A part for each way in which rows are weighed; none where every row counts 1."""
    ways: dict[bool, int] = {}
    for place, measure in enumerate(measures):
        if measure.weighted:
            ways.setdefault(measure.cells, place)
    return list(ways.values())


def difference(baseline: Rows, candidate: Rows) -> Rows:
    """The differences of the losses of the same rows: candidate less baseline."""
    value = candidate.value - baseline.value
    far = None
    if baseline.far is not None or candidate.far is not None:
        far = _far_difference(baseline, candidate)
        value[far.row] = np.ldexp(far.number, far.exponent)
    return replace(candidate, value=value, gradient=None, far=far)


def _far_difference(baseline: Rows, candidate: Rows) -> Far:
    """The differences of the rows of which one value or both are no doubles."""
    fars = [side.far.row for side in (baseline, candidate) if side.far is not None]
    rows = np.unique(np.concatenate(fars))
    (first, low), (second, high) = (_parted(side, rows) for side in (baseline, candidate))
    top = np.maximum(low, high)
    number = np.ldexp(second, high - top) - np.ldexp(first, low - top)
    return Far(rows, number / 2.0, top + 1)


def _parted(side: Rows, rows: IntArray) -> tuple[FloatArray, IntArray]:
    """The values of some rows as numbers below 1 times powers of two."""
    numbers, exponents = np.frexp(np.where(np.isfinite(side.value[rows]), side.value[rows], 0.0))
    exponents = exponents.astype(np.int64)
    if side.far is not None:
        place = np.searchsorted(rows, side.far.row)
        numbers[place], exponents[place] = side.far.number, side.far.exponent
    zero = numbers == 0
    return numbers, np.where(zero, np.iinfo(np.int32).min // 4, exponents)


def _directions(measure: Measure, *, pair: bool) -> list[list[float]]:
    """In which directions the outermost rows are looked for: along what rows move the value by where that is none."""
    own = [[0.0, 1.0], [0.0, -1.0]] if pair else [[1.0], [-1.0]]
    size = len(own[0])
    if measure.summed:
        return [[*[0.0] * measure.weighted, *direction] for direction in own]
    if measure.weighted:
        heavy, size = [1.0, *[0.0] * size], size + 1
        own = [heavy, *([0.0, *direction] for direction in own if pair and measure.rooted)]
    return own + [[0.0] * size] * 2 if measure.weighted or (pair and measure.rooted) else own


def _outermost(extremes: Extremes, rows: Rows, values: Sequence[FloatArray], *, rooted: bool = False) -> Extremes:
    """The outermost of some rows, by the numbers that they have: of one loss, or of one and what another has more."""
    weight, groups = rows.weight, rows.groups
    with np.errstate(all="ignore"):  # of groups without rows, and of numbers that are no doubles
        if weight is None:
            moved = _moved(None, values, groups, rooted=rooted) if rooted else None
            return extremes.lift(values, groups, moved)
        columns = [weight * column for column in values]
        return extremes.lift([weight, *columns], groups, _moved(weight, columns, groups, rooted=rooted))


def _moved(
    weight: FloatArray | None, columns: Sequence[FloatArray], groups: Groups | None, *, rooted: bool
) -> FloatArray:
    """What each row moves the value by, or the difference of two, as far as these rows tell; up to a factor."""
    means = [_mean(column, weight, groups) for column in columns]
    one = 1.0 if weight is None else weight
    if not rooted:
        return np.asarray(columns[-1] - one * means[-1])
    first, second = means[0], means[0] + means[1]
    a, b = (np.where(mean > 0.0, mean, np.inf) ** -0.5 for mean in (first, second))
    return np.asarray((b - a) * columns[0] + b * columns[1] - one * (second * b - first * a))


def _mean(column: FloatArray, weight: FloatArray | None, groups: Groups | None) -> FloatArray:
    """The sum of numbers divided by that of weights, of the group of each row; of those that are finite."""
    if groups is None:
        total = column.sum()
        if not np.isfinite(total):
            total = column[np.isfinite(column)].sum()
        return np.asarray(total / (len(column) if weight is None else weight.sum()))
    column = column if np.isfinite(column.sum()) else np.where(np.isfinite(column), column, 0.0)
    total = np.bincount(groups.code, column, groups.number)
    return np.asarray((total / np.bincount(groups.code, weight, groups.number))[groups.code])


def _counted(rows: BoolArray, groups: Groups | None) -> IntArray:
    """How many rows of each group are marked."""
    if groups is None:
        return np.array([np.count_nonzero(rows)])
    return np.bincount(groups.code, rows, groups.number).astype(np.int64)
