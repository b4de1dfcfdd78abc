"""The best constant prediction of a loss, found with the loss's own kernel and gradient.

The mean loss of a constant is a weighted sum over the different labels, and where its slope changes sign is the best
constant. That holds for every loss that falls, then rises, as the constant grows; nothing is declared for it. A loss of
several numbers that count together declares its own.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from lossctl.domain import REAL, Amounts, BoolArray, Domain, FloatArray, IntArray, Interval, LogSimplex, Simplex
from lossctl.errors import UsageError
from lossctl.evaluation.single_minimum import may_turn_again
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import Value
from lossctl.functions.loss import Loss
from lossctl.functions.parts import Parts
from lossctl.rational import to_float
from lossctl.sums.distribution import ordered, unordered
from lossctl.sums.marginals import Points
from lossctl.sums.moments import Total
from lossctl.sums.products import exact_products, parted
from lossctl.sums.weighted import far_products

BALANCED = 2.0**-45
"""The part of the mean size of the gradient below which its mean is 0 up to rounding."""
FLAT = 1e-9
"""The part of the range of the labels up to which an interval of best constants is taken for a single point."""
WORSE = 1e-9
"""By how much another constant must be better to say that the slope did not lead to the best."""
PROBES = 17
"""How many labels of a slot are tried against the constant that was found."""
TRIED = 1000
"""How many numbers are tried to see whether a loss may be below 0."""
NOT_A_MEAN = "it is a ratio whose both sides depend on the constant"
ENDLESS = "its mean falls without end as the constant grows, or as it falls"
UNEVEN = "its mean may fall and rise more than once as the constant grows"


@dataclass(frozen=True)
class Solution:
    """What the search came to in one group: the best constant, and the loss that would be reported of it."""

    constant: float | tuple[float, ...] = math.nan
    """One number, or one a column; NaN where none is known."""
    loss: float = math.nan
    relative_error: float = 0.0
    """By how much of itself a label was off, at most, when the constant was sought; 0 for exact labels."""
    unknown: str = ""
    """Why no best constant is known."""


class _NoneKnown(Exception):
    """The best constant of a loss cannot be found; the message says why."""


def best_constants(
    bound: BoundLoss, width: int, points: Points, totals: list[Total], label_width: int
) -> list[Solution]:
    """The best constant of each group for a loss, on the loss's own scale (after any activation).

    Args:
        bound: the loss.
        width: how many numbers a prediction has, 0 for a plain one.
        points: the labels, a slot for each column in each group.
        totals: what the groups came to for some model: rows and weights.
        label_width: how many label columns there are, 0 for a plain label.

    Returns:
        One for each group; where no best constant is known, it says why, and nothing is raised.
    """
    bound = bound.through(None)
    if bound.unlabelled:
        return [Solution(unknown="there is no label to predict") for _ in totals]
    if bound.moves_others:
        return [Solution(unknown=NOT_A_MEAN) for _ in totals]
    try:
        if bound.of_number:
            return list(_best_beside_number(bound, points, totals, width))
        if bound.rows:
            return list(_best_rows(bound, points, totals, label_width, width))
        return list(_best_columns(bound, points, totals, max(label_width, 1)))
    except _NoneKnown as reason:
        return [Solution(unknown=str(reason)) for _ in totals]
    except UsageError as error:
        return [Solution(unknown=error.what) for _ in totals]


@functools.cache
def may_be_below_zero(bound: BoundLoss) -> bool:
    """Whether the loss is below 0 for some of the numbers that it takes, as those of its domains that are tried say."""
    from numpy.random import default_rng  # noqa: PLC0415  (5 ms)

    rng, bound = default_rng(0), bound.through(None)
    columns = bound.columns or (3 if bound.rows else 1)
    prediction = bound.prediction_domain.sample(rng, TRIED, columns)
    label = bound.label_domain.sample(rng, TRIED, columns)
    return bool(np.nanmin(bound.row_value(bound.as_codes(label), prediction)) < -FLAT)


def _reported(
    bound: BoundLoss, total: Total, label: FloatArray, prediction: FloatArray, weight: FloatArray, unit: Fraction
) -> float:
    """What would be reported of predictions for labels with these weights, given in a unit, summed exactly."""
    used = weight != 0
    label, prediction, weight = label[used], prediction[used], weight[used]
    value = bound.row_value(label, prediction)
    far = bound.far_squares(label, prediction, value)
    beyond = Fraction()
    if far is not None:
        rows, numbers, exponents = far
        value[rows] = 0.0
        (beyond,) = far_products(numbers, exponents, *parted(weight[rows]), None)[0].exact()
    if not np.isfinite(value).all():
        special = float(value.sum())
        return replace(total, special=special).value(bound.reduced)
    (exact,) = exact_products(value, weight).exact()
    return replace(total, sum_value=(exact + beyond) * unit, special=None).value(bound.reduced)


# --- losses of single numbers -----------------------------------------------------------------------------------------


def _best_columns(bound: BoundLoss, points: Points, totals: list[Total], columns: int) -> Iterator[Solution]:
    """The best constants of a loss that judges each number by itself, one a label column; errors as for `_Search`."""
    search = _Search(bound, points)
    best = search.best()
    endless = search.endless(best)
    place = {slot: index for index, slot in enumerate(points.slot.tolist())}
    for group, total in enumerate(totals):
        known = [slot in place for slot in range(group * columns, (group + 1) * columns)]
        slots = [place[slot] for slot in range(group * columns, (group + 1) * columns) if slot in place]
        if not slots:
            yield Solution()
            continue
        constants = best[slots].tolist()
        if endless[slots].any():
            yield Solution(unknown=ENDLESS)
            continue
        if not np.isfinite(constants).all():
            yield Solution(unknown=UNEVEN)
            continue
        cells = _cells_of(points, np.array(slots))
        prediction = np.repeat(best[slots], points.size[slots])
        label = bound.label_domain.convert(points.label[cells])
        share = 1 if bound.adds_columns or bound.masked else columns
        column_total = replace(total, n=total.n * share, sum_weight=total.sum_weight * share)
        unit = Fraction(2) ** int(points.unit[slots[0]])
        shift = np.repeat(points.unit[slots] - points.unit[slots[0]], points.size[slots])
        loss = _reported(bound, column_total, label, prediction, np.ldexp(points.weight[cells], shift), unit)
        error = float(points.relative_error[slots].max())
        each = iter(constants)
        constants = [next(each) if has_labels else math.nan for has_labels in known]
        yield Solution(constants[0] if columns == 1 else tuple(constants), loss, error)


class _Search:
    """Looks for the best constant of every slot at once: a step costs one call of the gradient.

    Raises:
        _NoneKnown: the predictions of the loss are no interval.
    """

    def __init__(self, bound: "BoundLoss | _Column", points: Points) -> None:
        domain = bound.prediction_domain
        if not isinstance(domain, Interval):
            raise _NoneKnown(f"predictions that must be {domain.describe()} are no interval to search")
        self.bound, self.points = bound, points
        self.label = bound.label_domain.convert(points.label)
        ends = self.label[points.start], self.label[points.start + points.size - 1]
        self.edges = (
            np.full_like(ends[0], _inner(domain.low, math.inf, is_open=domain.low_open)),
            np.full_like(ends[0], _inner(domain.high, -math.inf, is_open=domain.high_open)),
        )
        self.low, self.high = (np.clip(end, *self.edges) for end in ends)
        self.mean = np.clip(points.mean, self.low, self.high)

    def best(self) -> FloatArray:
        """The best constant of each slot; NaN where the slope may lead to another, or one of the labels is better.

        Of an interval of equally good constants it is the middle, or the end nearest to the labels.
        """
        if not any(self._slopes(tried).any() for tried in (*self.edges, self.mean, self.low, self.high)):
            return self._least_step()
        left, right = self.sign(self.low) > 0, self.sign(self.high) < 0
        low = np.where(left, self.edges[0], np.where(right, self.high, self.low))
        high = np.where(right, self.edges[1], np.where(left, self.low, self.high))
        first = self._first(low, high, 0)
        beyond = self._first(low, high, 1)
        last = unordered(ordered(beyond) - (self.sign(beyond) >= 1))
        constant = np.where(left, last, np.where(right, first, self._between(first, last)))
        constant = np.clip(constant, *self.edges)
        edges = float(self.edges[0][0]), float(self.edges[1][0])
        uneven = may_turn_again(self.bound, self.points, self.label, edges)
        return np.where(uneven | self._beaten(constant), math.nan, constant)

    def endless(self, constant: FloatArray) -> BoolArray:
        """Where the loss of a constant still falls at the last double."""
        last = np.abs(constant) == np.finfo(np.float64).max
        return np.asarray(last & (self.sign(constant) != 0)) if last.any() else last

    def _least_step(self) -> FloatArray:
        """The best constant of a loss that is flat but for jumps: the mean, or the first one tried that is better."""
        kinks = self.bound.row_kinks(self.label)
        jumps = np.unique(np.concatenate([np.ravel(kink) for kink in kinks] or [self.mean]))[:PROBES]
        sides = (np.full_like(self.mean, side) for jump in jumps for side in (jump, np.nextafter(jump, np.inf)))
        best, (least, _) = self.mean, self._sums(self.mean)
        for tried in (self.low, self.high, *sides):
            total, _ = self._sums(np.clip(tried, *self.edges))
            best, least = np.where(total < least, np.clip(tried, *self.edges), best), np.minimum(total, least)
        return np.where(self._beaten(best), math.nan, best)

    def _slopes(self, constant: FloatArray) -> FloatArray:
        """The slope of the loss at each label, for the constant of its slot."""
        return self.bound.row_gradient(self.label, np.repeat(constant, self.points.size))

    def sign(self, constant: FloatArray) -> FloatArray:
        """The sign of the mean slope of each slot at its constant, 0 where it is 0 up to rounding."""
        points, slope = self.points, self._slopes(constant)
        with np.errstate(all="ignore"):
            mean = np.add.reduceat(points.weight * slope, points.start)
            size = np.add.reduceat(points.weight * np.abs(slope), points.start)
            balanced = (np.abs(mean) <= BALANCED * size) & np.isfinite(size)
        return np.where(balanced, 0.0, np.sign(mean))

    def _first(self, low: FloatArray, high: FloatArray, sign: int) -> FloatArray:
        """The smallest double from low to high whose slope has at least that sign; high when none has."""
        below, above = ordered(low), ordered(high)
        while (below < above).any():
            middle = (below >> 1) + (above >> 1) + (below & above & 1)
            reached = self.sign(unordered(middle)) >= sign
            below, above = np.where(reached, below, middle + 1), np.where(reached, middle, above)
        return unordered(above)

    def _between(self, first: FloatArray, last: FloatArray) -> FloatArray:
        """The middle of the constants from the first to the last where the slope is 0.

        Where that is a single point up to rounding, the mean label is preferred if the slope is 0 there too, then a
        label: at a kink the slope jumps past 0.
        """
        first, first_on_label = self._snapped(first, -1)
        last, last_on_label = self._snapped(last, 1)
        middle = 0.5 * first + 0.5 * last
        point = np.where(first_on_label, first, np.where(last_on_label, last, middle))
        point = np.where(self.sign(self.mean) == 0, self.mean, point)
        return np.where(last - first > FLAT * (self.high - self.low), middle, point)

    def _snapped(self, constant: FloatArray, step: int) -> tuple[FloatArray, BoolArray]:
        """The constant of each slot, or the label one double off in the direction of the step; and where it is a label.

        Args:
            constant: one a slot.
            step: 1 or -1.
        """
        key = ordered(constant)
        snapped, on_label = constant.copy(), np.zeros(len(constant), dtype=np.bool_)
        for slot, (start, size) in enumerate(zip(self.points.start.tolist(), self.points.size.tolist(), strict=True)):
            labels = self.label[start : start + size]
            for candidate in unordered(key[slot] + np.array([step, 0])):
                index = int(np.searchsorted(labels, candidate))
                if index < size and labels[index] == candidate:
                    snapped[slot], on_label[slot] = candidate, True
        return snapped, on_label

    def _beaten(self, constant: FloatArray) -> BoolArray:
        """Where one of the labels is a better constant."""
        points = self.points
        best, size = self._sums(constant)
        bar = best - WORSE * np.where(np.isfinite(size), size, 0.0)
        beaten = np.zeros(len(constant), dtype=np.bool_)
        for part in np.linspace(0.0, 1.0, PROBES):
            probe = self.label[points.start + np.rint(part * (points.size - 1)).astype(np.int64)]
            probed, _ = self._sums(np.clip(probe, *self.edges))
            beaten |= probed < bar
        return beaten

    def _sums(self, constant: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The sum of the losses of each slot's constant, and of their sizes."""
        value = self.bound.row_value(self.label, np.repeat(constant, self.points.size))
        with np.errstate(all="ignore"):
            value = self.points.weight * value
            return np.add.reduceat(value, self.points.start), np.add.reduceat(np.abs(value), self.points.start)


def _inner(edge: float, inwards: float, *, is_open: bool) -> float:
    """The last double inside an edge of an interval: the edge itself where it is finite and not open."""
    return math.nextafter(edge, -edge if math.isinf(edge) else inwards) if is_open or math.isinf(edge) else edge


# --- losses of several numbers beside a label of one ------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """One of the numbers of a prediction, where each counts by itself: the others are the label, and cost the same."""

    bound: BoundLoss
    width: int
    place: int

    @property
    def definition(self) -> Loss:
        return self.bound.definition

    @property
    def parameters(self) -> dict[str, Value]:
        return self.bound.parameters

    @property
    def label_domain(self) -> Domain:
        return self.bound.label_domain

    @property
    def prediction_domain(self) -> Domain:
        domain = self.bound.prediction_domain
        return domain.domains[self.place][1] if isinstance(domain, Parts) else REAL

    def row_kinks(self, label: FloatArray) -> tuple[FloatArray, ...]:  # noqa: ARG002
        return ()

    def row_value(self, label: FloatArray, constant: FloatArray) -> FloatArray:
        return self.bound.row_value(label, self._rows(label, constant))

    def row_gradient(self, label: FloatArray, constant: FloatArray) -> FloatArray:
        return self.bound.row_gradient(label, self._rows(label, constant))[:, self.place]

    def _rows(self, label: FloatArray, constant: FloatArray) -> FloatArray:
        rows = np.asfortranarray(np.repeat(label[:, None], self.width, axis=1))
        rows[:, self.place] = constant
        return rows


def _best_beside_number(bound: BoundLoss, points: Points, totals: list[Total], width: int) -> Iterator[Solution]:
    """The best constants of a loss of which each number of a prediction counts by itself.

    Raises:
        _NoneKnown: they do not.
    """
    if bound.definition.best is not None:
        best, none = _declared(bound, points, width), ENDLESS
    elif _apart(bound, width):
        best = np.stack([_Search(_Column(bound, width, place), points).best() for place in range(width)], axis=1)
        none = UNEVEN
    else:
        raise _NoneKnown("the numbers of a prediction count together, not each by itself")
    place = {slot: index for index, slot in enumerate(points.slot.tolist())}
    for group, total in enumerate(totals):
        if group not in place:
            yield Solution()
            continue
        slot = place[group]
        if not np.isfinite(best[slot]).all():
            yield Solution(unknown=none)
            continue
        cells = _cells_of(points, np.array([slot]))
        label = bound.label_domain.convert(points.label[cells])
        prediction = np.asfortranarray(np.tile(best[slot], (len(label), 1)))
        unit = Fraction(2) ** int(points.unit[slot])
        loss = _reported(bound, total, label, prediction, points.weight[cells], unit)
        yield Solution(tuple(best[slot].tolist()), loss, float(points.relative_error[slot]))


def _declared(bound: BoundLoss, points: Points, width: int) -> FloatArray:
    """The best constant of each slot as the loss declares it, ``(slots, width)``."""
    rows, best = [], bound.definition.best
    for slot in range(len(points.slot)):
        cells = _cells_of(points, np.array([slot]))
        label = bound.label_domain.convert(points.label[cells])
        with np.errstate(all="ignore"):
            rows.append(np.asarray(best and best(label, points.weight[cells], width, **bound.parameters)))
    return np.stack(rows) if rows else np.empty((0, width))


def _apart(bound: BoundLoss, width: int, tries: int = 16) -> bool:
    """Whether a loss is a sum over the numbers of a prediction, so that changing places of one changes no total."""
    rng = np.random.default_rng(0)
    label = bound.label_domain.sample(rng, tries, width)
    first, second = (bound.prediction_domain.sample(rng, tries, width) for _ in range(2))
    total = bound.row_value(label, first) + bound.row_value(label, second)
    for place in range(width):
        one, other = first.copy(order="F"), second.copy(order="F")
        one[:, place], other[:, place] = second[:, place], first[:, place]
        if not np.allclose(bound.row_value(label, one) + bound.row_value(label, other), total, rtol=1e-9, atol=1e-9):
            return False
    return True


# --- losses of rows ---------------------------------------------------------------------------------------------------


def _best_rows(
    bound: BoundLoss, points: Points, totals: list[Total], label_width: int, width: int
) -> Iterator[Solution]:
    """The best constants of a loss that judges rows of probabilities.

    Raises:
        _NoneKnown: predictions are no probabilities.
    """
    apart = not label_width or _additive(bound, width)
    searched = isinstance(bound.prediction_domain, Simplex | LogSimplex | Amounts) or bound.definition.best is not None
    if not searched and bound.definition.natural_activation != "softmax":
        raise _NoneKnown(f"predictions are {bound.prediction_domain.describe()}, no probabilities")
    columns = max(label_width, 1)
    for group, total in enumerate(totals):
        slots = np.flatnonzero(points.slot // columns == group)
        if not len(slots):
            yield Solution()
            continue
        error = float(points.relative_error[slots].max())
        if error and not label_width:
            yield Solution(unknown="there are too many classes")
            continue
        unit = Fraction(2) ** int(points.unit[slots[0]])
        in_units = replace(total, sum_weight=total.sum_weight / unit)
        hot = bound.of_classes and bool(np.isin(points.label[_cells_of(points, slots)], (0.0, 1.0)).all())
        if not (apart or hot):
            yield Solution(unknown="it depends on more of a label than its columns one by one")
            continue
        read = _codes if not label_width else _spread if apart else _hot
        rows = read(bound, points, slots, in_units, width)
        declared = bound.definition.best
        constant = rows.best() if declared is None else declared(rows.label, rows.weight, width, **bound.parameters)
        if constant is None:
            yield Solution(unknown="no step from the uniform row leads to it")
            continue
        prediction = np.asfortranarray(np.tile(constant, (len(rows.weight), 1)))
        loss = _reported(bound, total, rows.label, prediction, rows.weight, unit)
        yield Solution(tuple(constant.tolist()), loss, error)


def _codes(bound: BoundLoss, points: Points, slots: IntArray, total: Total, width: int) -> "_Rows":
    """One row for each class that occurs, weighted."""
    cells = _cells_of(points, slots)
    label, weight = points.label[cells], points.weight[cells]
    prior = np.zeros(width)
    prior[label.astype(np.intp)] = weight / to_float(total.sum_weight)
    return _Rows(bound, label, weight, total, prior)


def _hot(bound: BoundLoss, points: Points, slots: IntArray, total: Total, width: int) -> "_Rows":
    """The same of rows of a single 1."""
    cells = _cells_of(points, slots)
    column = np.repeat(points.slot[slots] % width, points.size[slots])
    chosen = points.label[cells] == 1.0
    label, weight = column[chosen].astype(np.float64), points.weight[cells][chosen]
    prior = np.zeros(width)
    prior[column[chosen]] = weight / to_float(total.sum_weight)
    return _Rows(bound, label, weight, total, prior)


def _spread(bound: BoundLoss, points: Points, slots: IntArray, total: Total, width: int) -> "_Rows":
    """One row for each different number of a column, zero in the others, weighted.

    A last row of zeros has a negative weight, which takes away what the others count too often; see `_additive`.
    """
    cells = _cells_of(points, slots)
    column = np.repeat(points.slot[slots] % width, points.size[slots])
    label = np.zeros((len(cells) + 1, width), order="F")
    label[np.arange(len(cells)), column] = points.label[cells]
    weight = np.append(points.weight[cells], -(width - 1) * to_float(total.sum_weight))
    return _Rows(bound, label, weight, total, points.mean[slots])


def _cells_of(points: Points, slots: IntArray) -> IntArray:
    """Where the points of some slots are, which are given by their places among those that have rows."""
    spans = (np.arange(points.start[slot], points.start[slot] + points.size[slot]) for slot in slots)
    return np.concatenate(list(spans))


def _additive(bound: BoundLoss, width: int, tries: int = 16) -> bool:
    """Whether a loss of soft labels is a sum over columns, so that it can be averaged column by column.

    Then ℓ(y, ŷ) = Σ_k ℓ(y_k e_k, ŷ) − (K − 1) ℓ(0, ŷ), e_k being the row with a single 1.
    """
    rng = np.random.default_rng(0)
    label, prediction = (
        domain.sample(rng, tries, width) for domain in (Simplex(), bound.prediction_domain.for_width(width))
    )
    total = -(width - 1) * bound.row_value(np.zeros_like(label), prediction)
    for column in range(width):
        alone = np.zeros_like(label)
        alone[:, column] = label[:, column]
        total = total + bound.row_value(alone, prediction)
    return bool(np.allclose(total, bound.row_value(label, prediction), rtol=1e-9, atol=1e-9))


class _Rows:
    """Labels with weights; over them, the mean loss of one row of probabilities and its slope."""

    def __init__(self, bound: BoundLoss, label: FloatArray, weight: FloatArray, total: Total, mean: FloatArray) -> None:
        self.bound, self.mean = bound, mean
        self.label, self.weight = bound.as_codes(label), weight
        self.share = weight / to_float(total.sum_weight)
        self.logarithms = isinstance(bound.prediction_domain, LogSimplex)
        self.amounts = isinstance(bound.prediction_domain, Amounts)

    def best(self) -> FloatArray | None:
        """The row whose slope says that no other is better; ``None`` where none of those tried is.

        It is the mean label of a proper score, or one step from the uniform row p away: the smoothed mean −p ∂ℓ/∂p of
        a likelihood, the geometric mean e^(−∂ℓ/∂p) of a reverse divergence.
        """
        uniform = np.full(len(self.mean), 1.0 / len(self.mean))
        slope = self.slope(uniform)
        with np.errstate(all="ignore"):
            steps = (-uniform * slope, np.exp(slope.min() - slope))
            candidates = [step / math.fsum(step) for step in steps if math.fsum(step) > 0 and (step >= 0).all()]
        for probabilities in (self.mean, *candidates):
            if self.optimal(probabilities):
                return self.row(probabilities)
        return None

    def row(self, probabilities: FloatArray) -> FloatArray:
        """Probabilities as the loss takes them."""
        with np.errstate(divide="ignore"):
            return np.log(probabilities) if self.logarithms else probabilities

    def slope(self, probabilities: FloatArray) -> FloatArray:
        """The slope of the mean loss with respect to the probabilities."""
        prediction = np.asfortranarray(np.tile(self.row(probabilities), (len(self.weight), 1)))
        slopes = self.bound.row_gradient(self.label, prediction)
        mean = np.array([math.fsum(self.share * column) for column in slopes.T])
        if not self.logarithms:
            return mean
        with np.errstate(all="ignore"):
            return np.where(mean == 0, 0.0, mean / probabilities)

    def optimal(self, probabilities: FloatArray) -> bool:
        """Whether moving probability from one class to another gains nothing: what makes a minimum on a simplex.

        Of amounts whether more or less of any gains nothing.
        """
        slope = self.slope(probabilities)
        inside = probabilities > 0
        if not inside.any():
            return bool((slope >= 0).all())
        least = 0.0 if self.amounts else float(slope[inside].min())
        slack = 1e-9 * max(1.0, float(np.abs(slope[inside]).max()))
        return bool((slope[inside] <= least + slack).all() and (slope >= least - slack).all())
