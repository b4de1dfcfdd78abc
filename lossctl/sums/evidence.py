"""What tells how sure a value is, and the difference of two: beside `Moments`, what rows and clusters carry of them.

A value is f(m) with m = Σwℓ/Σw. To first order a row moves it by c·w + a·wℓ, and the difference of two values by
c·w + a·wℓ_A + b·w(ℓ_B − ℓ_A), with coefficients that are known when all rows are. So that is what is kept: of rows the
sums of squares and the outermost, of clusters the sums. Where rows have several numbers, all of them take the place of
ℓ, and of a difference those of A and those of B.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.reduction import Reduction
from lossctl.sums import compiled
from lossctl.sums.clusters import Clusters, Column, Keyed
from lossctl.sums.difference import difference
from lossctl.sums.distribution import Distribution
from lossctl.sums.extremes import Extremes
from lossctl.sums.moments import Moments
from lossctl.sums.series import Series, Stretch
from lossctl.sums.state import Groups, Rows, regrouped

Pairs = Sequence[tuple[int, int]]
"""Which parts are compared: the places of the baseline's and of the candidate's."""


@dataclass(frozen=True)
class Measure:
    """What is said of the rows of one loss of one model before any is read."""

    reduction: Reduction
    """What is made of them."""
    cells: bool
    """Whether a row counts once for each of its labels."""
    weighted: bool
    """Whether rows have weights, those included that are counts of labels."""
    lags: int = 0
    """How many of the rows before it each row moves with."""
    grouped: bool = False
    """Whether there are groups of rows."""

    @property
    def columns(self) -> int:
        """How many numbers of a row a difference is made of: w where it has one, wℓ_A where it bends, w(ℓ_B − ℓ_A)."""
        return self.weighted + (2 * self.numbers if self.numbers > 1 else 1 + self.reduction.bends)

    @property
    def numbers(self) -> int:
        """How many numbers of a row a value is made of."""
        return self.reduction.columns


@dataclass(frozen=True)
class Pair:
    """Two models' losses of the same rows, by group."""

    moments: Moments
    """Of the differences, candidate less baseline; where rows have several numbers, of those of both."""
    better: IntArray
    """Rows on which the candidate's loss is smaller."""
    worse: IntArray
    extremes: Extremes
    """Of ``(wℓ_A, w(ℓ_B − ℓ_A))``, or of the numbers of A and B, with w before them where rows have weights."""
    series: Series | None = None
    """Of what `Measure.columns` names, where rows are a series."""

    @classmethod
    def zero(cls, groups: int, measure: Measure) -> "Pair":
        """The state of no rows."""
        count = np.zeros(groups, dtype=np.int64)
        columns = 2 * measure.numbers if measure.numbers > 1 else 1
        moments = Moments.zero(groups, weighted=measure.weighted, columns=columns)
        extremes = Extremes.zero(groups, directions(measure, pair=True))
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
        if measure.numbers == 2 and not np.array_equal(baseline.others[0], candidate.others[0]):
            sign = (
                candidate.value * baseline.others[0] - baseline.value * candidate.others[0]
            )  # of the row's own ratios
        return cls(
            Moments.lift(rows if measure.numbers == 1 else _both(baseline, candidate)),
            *signs(sign, groups),
            _outermost(measure, rows, _numbers(baseline, candidate, d), pair=True),
            _series(baseline, candidate, rows, measure) if measure.lags else None,
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
    """One a part: of ``wℓ``, with w before it where rows have weights; none where nobody asked for them."""
    pairs: tuple[Pair, ...]
    clusters: Clusters | None
    """By cluster, the sums that `Places` finds."""
    drawn: tuple[Distribution, ...] = ()
    """The differences of the rows of each pair, of all groups together, where they are to be drawn."""

    @classmethod
    def zero(
        cls,
        groups: int,
        measures: Sequence[Measure],
        pairs: Pairs,
        *,
        clustered: bool,
        drawn: bool = False,
        single: bool = True,
    ) -> "Evidence":
        """The state of no rows."""
        sums = Places(measures, pairs).number
        return cls(
            tuple(Extremes.zero(groups, directions(measure, pair=False)) for measure in measures if single),
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
        single: bool = True,
    ) -> "Evidence":
        """The state of some rows.

        Args:
            rows: as each part has them.
            measures: one a part.
            pairs: which parts are compared.
            keyed: the cluster of each row.
            drawn: whether the differences of rows are to be drawn.
            single: whether it is asked how sure each value is by itself, where rows move by themselves.
        """
        singles = tuple(outermost(part, measure) for part, measure in zip(rows, measures, strict=True) if single)
        paired = tuple(Pair.lift(rows[baseline], rows[candidate], measures[candidate]) for baseline, candidate in pairs)
        if keyed is None and not drawn:
            return cls(singles, paired, None)
        moves = [difference(rows[baseline], rows[candidate]) for baseline, candidate in pairs]
        counted = tuple(Distribution.of(move.value) for move in moves) if drawn else ()
        if keyed is None:
            return cls(singles, paired, None, counted)
        columns: list[Column] = [(part.value, part.weight, part.far) for part in (*rows, *moves)]
        columns += [
            (weight, None, None) for part in _ways(measures).values() if (weight := rows[part].weight) is not None
        ]
        columns += [(column, part.weight, None) for part in rows for column in part.others]
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


def _series(baseline: Rows, candidate: Rows, difference: Rows, measure: Measure) -> Series:
    """The rows as a series."""
    if measure.numbers > 1:
        numbers = _numbers(baseline, candidate, difference.value)
        stretch = Stretch.of(difference.weight, [(column, None) for column in numbers])
        return Series.lift(stretch, difference.groups, measure.lags)
    columns = [(rows.value, rows.far) for rows in (baseline, difference)]
    columns = columns if measure.reduction.bends else columns[1:]
    stretch = Stretch.of(difference.weight, columns)
    return Series.lift(stretch, difference.groups, measure.lags)


@dataclass(frozen=True)
class Places:
    """Where sums by cluster stand.

    Σwℓ of each part, Σw(ℓ_B − ℓ_A) of each pair, Σw of each way to weigh rows, Σwc of the further numbers of each part.
    """

    measures: Sequence[Measure]
    pairs: Pairs

    @property
    def number(self) -> int:
        """How many there are."""
        further = sum(measure.numbers - 1 for measure in self.measures)
        return len(self.measures) + len(self.pairs) + len(_ways(self.measures)) + further

    def of_part(self, part: int) -> list[int]:
        """Those of the numbers that a value is made of."""
        first = self.number - sum(measure.numbers - 1 for measure in self.measures[part:])
        return [part, *range(first, first + self.measures[part].numbers - 1)]

    def of_pair(self, number: int) -> list[int]:
        """Those of the numbers that a difference is made of."""
        baseline, candidate = self.pairs[number]
        if self.measures[candidate].numbers > 1:
            return [*self.of_part(baseline), *self.of_part(candidate)]
        return [baseline, len(self.measures) + number]

    def of_weight(self, part: int) -> int | None:
        """That of the weights of a part; ``None`` where every row counts 1."""
        if not self.measures[part].weighted:
            return None
        way = [*_ways(self.measures)].index(self.measures[part].cells)
        return len(self.measures) + len(self.pairs) + way


def _ways(measures: Sequence[Measure]) -> dict[bool, int]:
    """A part for each way in which rows are weighed, by whether those are by their labels."""
    ways: dict[bool, int] = {}
    for place, measure in enumerate(measures):
        if measure.weighted:
            ways.setdefault(measure.cells, place)
    return ways


def _both(baseline: Rows, candidate: Rows) -> Rows:
    """The rows with all numbers of both models."""
    others = (*baseline.others, candidate.value, *candidate.others)
    return replace(baseline, others=others, gradient=None, far=None)


def _numbers(baseline: Rows, candidate: Rows, difference: FloatArray) -> list[FloatArray]:
    """The numbers that a difference is made of."""
    if not candidate.others:
        return [baseline.value, difference]
    return [baseline.value, *baseline.others, candidate.value, *candidate.others]


def directions(measure: Measure, *, pair: bool) -> list[list[float]]:
    """In which directions the outermost rows are looked for: along what rows move the value by where that is none."""
    if measure.numbers > 1:
        return [[0.0] * (measure.weighted + measure.numbers * (1 + pair))] * 2
    own = [[0.0, 1.0], [0.0, -1.0]] if pair else [[1.0], [-1.0]]
    size, bent = len(own[0]), pair and measure.reduction.bends
    if measure.reduction.adds:
        return [[*[0.0] * measure.weighted, *direction] for direction in own]
    if measure.weighted:
        heavy, size = [1.0, *[0.0] * size], size + 1
        own = [heavy, *([0.0, *direction] for direction in own if bent)]
    return own + [[0.0] * size] * 2 if measure.weighted or bent else own


def outermost(rows: Rows, measure: Measure) -> Extremes:
    """The outermost rows by what they move the value by."""
    return _outermost(measure, rows, [rows.value, *rows.others], pair=False)


def _outermost(measure: Measure, rows: Rows, values: Sequence[FloatArray], *, pair: bool) -> Extremes:
    """The outermost of some rows, by the numbers that they have: of one loss, or of one and what another has more."""
    weight, groups, extremes = rows.weight, rows.groups, Extremes.zero(1, directions(measure, pair=pair))
    if not len(values[0]):
        return extremes.lift(values if weight is None else [weight, *values], groups)
    with np.errstate(all="ignore"):  # of groups without rows, and of numbers that are no doubles
        moved = None
        columns = values if weight is None else [weight * column for column in values]
        if weight is not None or measure.numbers > 1 or (pair and measure.reduction.bends):
            means = [np.atleast_1d(_mean(column, weight, groups)) for column in columns]
            slopes, levels = coefficients(means, len(columns[0]), measure.reduction, pair=pair)
            moved = moved_by(weight, columns, groups, slopes, levels)
        return extremes.lift(columns if weight is None else [weight, *columns], groups, moved)


def coefficients(
    means: Sequence[FloatArray], n: int, reduction: Reduction, *, pair: bool
) -> tuple[Sequence[FloatArray], Sequence[FloatArray]]:
    """By how much each number of a row moves the value, or the difference of two, and where it moves it by nothing.

    Args:
        means: of each number that rows have, ``(groups,)`` each, as far as some rows tell.
        n: how many rows these are.
        reduction: how they become a value.
        pair: whether it is a difference.
    """
    means = list(means)
    if pair and reduction.columns == 1:
        means[1] = means[0] + means[1]
    number = reduction.columns
    slopes = reduction.slopes_of_groups(means[:number], float(n))
    if pair:
        later = reduction.slopes_of_groups(means[number:], float(n))
        if number == 1:  # b·ℓ_B − a·ℓ_A is b·(ℓ_B − ℓ_A) + (b − a)·ℓ_A
            slopes, means = [later[0] - slopes[0], later[0]], [means[0], means[1] - means[0]]
        else:
            slopes = [*(-slope for slope in slopes), *later]
    return slopes, means


def moved_by(
    weight: FloatArray | None,
    columns: Sequence[FloatArray],
    groups: Groups | None,
    slopes: Sequence[FloatArray],
    means: Sequence[FloatArray],
) -> FloatArray:
    """What each row moves the value by, ``(n,)``, or the difference of two; up to a factor."""
    moved = np.zeros(len(columns[0]))
    for slope, mean, column in zip(slopes, means, columns, strict=True):
        own, level = (slope, slope * mean) if groups is None else (slope[groups.code], (slope * mean)[groups.code])
        moved += own * column - (level if weight is None else weight * level)
    return moved


def _mean(column: FloatArray, weight: FloatArray | None, groups: Groups | None) -> FloatArray:
    """The sum of numbers divided by that of weights, of each group ``(groups,)``; of those that are finite."""
    if groups is None:
        total = column.sum()
        if not np.isfinite(total):
            total = column[np.isfinite(column)].sum()
        return np.asarray(total / (len(column) if weight is None else weight.sum()))
    column = column if np.isfinite(column.sum()) else np.where(np.isfinite(column), column, 0.0)
    total = np.bincount(groups.code, column, groups.number)
    return np.asarray(total / np.bincount(groups.code, weight, groups.number))


def signs(values: FloatArray, groups: Groups | None) -> tuple[IntArray, IntArray]:
    """How many numbers of each group are below 0, and how many above, ``(groups,)`` each."""
    if groups is None:
        return np.array([np.count_nonzero(values < 0)]), np.array([np.count_nonzero(values > 0)])
    if compiled.kernels is not None:
        counts = np.zeros((groups.number, 2), dtype=np.int64)
        compiled.kernels.signs_by(np.ascontiguousarray(values), groups.code, counts.reshape(-1))
        return counts[:, 0].copy(), counts[:, 1].copy()
    below, above = (np.bincount(groups.code[rows], minlength=groups.number) for rows in (values < 0, values > 0))
    return below, above
