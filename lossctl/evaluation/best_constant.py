"""The best constant prediction of a loss, found with the loss's own kernel and gradient.

The mean loss of a constant is a weighted sum over the different labels, and where its slope changes sign is the best
constant. That holds for every loss that falls, then rises, as the constant grows; nothing is declared for it. A loss of
several numbers that count together declares its own.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray
from lossctl.errors import UsageError
from lossctl.evaluation.best_row import additive, codes, hot, spread
from lossctl.evaluation.bisection import FLAT, Column, NoneKnown, Search
from lossctl.functions.bound_loss import BoundLoss
from lossctl.row_domains import Amounts, LogSimplex, Simplex
from lossctl.sums.marginals import Points
from lossctl.sums.moments import Total
from lossctl.sums.products import exact_products, parted
from lossctl.sums.weighted import far_products

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
    except NoneKnown as reason:
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
    """The best constants of a loss that judges each number by itself, one a label column; errors as for `Search`."""
    search = Search(bound, points)
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
        cells = points.cells(np.array(slots))
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


# --- losses of several numbers beside a label of one ------------------------------------------------------------------


def _best_beside_number(bound: BoundLoss, points: Points, totals: list[Total], width: int) -> Iterator[Solution]:
    """The best constants of a loss of which each number of a prediction counts by itself.

    Raises:
        NoneKnown: they do not.
    """
    if bound.definition.best is not None:
        best, none = _declared(bound, points, width), ENDLESS
    elif _apart(bound, width):
        best = np.stack([Search(Column(bound, width, place), points).best() for place in range(width)], axis=1)
        none = UNEVEN
    else:
        raise NoneKnown("the numbers of a prediction count together, not each by itself")
    place = {slot: index for index, slot in enumerate(points.slot.tolist())}
    for group, total in enumerate(totals):
        if group not in place:
            yield Solution()
            continue
        slot = place[group]
        if not np.isfinite(best[slot]).all():
            yield Solution(unknown=none)
            continue
        cells = points.cells(np.array([slot]))
        label = bound.label_domain.convert(points.label[cells])
        prediction = np.asfortranarray(np.tile(best[slot], (len(label), 1)))
        unit = Fraction(2) ** int(points.unit[slot])
        loss = _reported(bound, total, label, prediction, points.weight[cells], unit)
        yield Solution(tuple(best[slot].tolist()), loss, float(points.relative_error[slot]))


def _declared(bound: BoundLoss, points: Points, width: int) -> FloatArray:
    """The best constant of each slot as the loss declares it, ``(slots, width)``."""
    rows, best = [], bound.definition.best
    for slot in range(len(points.slot)):
        cells = points.cells(np.array([slot]))
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
        NoneKnown: predictions are no probabilities.
    """
    apart = not label_width or additive(bound, width)
    searched = isinstance(bound.prediction_domain, Simplex | LogSimplex | Amounts) or bound.definition.best is not None
    if not searched and bound.definition.natural_activation != "softmax":
        raise NoneKnown(f"predictions are {bound.prediction_domain.describe()}, no probabilities")
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
        of_one = bound.of_classes and bool(np.isin(points.label[points.cells(slots)], (0.0, 1.0)).all())
        if not (apart or of_one):
            yield Solution(unknown="it depends on more of a label than its columns one by one")
            continue
        read = codes if not label_width else spread if apart else hot
        rows = read(bound, points, slots, in_units, width)
        declared = bound.definition.best
        constant = rows.best() if declared is None else declared(rows.label, rows.weight, width, **bound.parameters)
        if constant is None:
            yield Solution(unknown="no step from the uniform row leads to it")
            continue
        prediction = np.asfortranarray(np.tile(constant, (len(rows.weight), 1)))
        loss = _reported(bound, total, rows.label, prediction, rows.weight, unit)
        yield Solution(tuple(constant.tolist()), loss, error)
