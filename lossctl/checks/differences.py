"""Gradients held against finite differences, number by number.

A central difference at two steps, h and h/2, is extrapolated to a step of 0 (Richardson); how far apart the two are,
and the rounding of the values, say how far it may be off. Steps grow until that is little; a larger one counts only
where it agrees with the smaller. So neither rounding, nor a curve too sharp for the step, nor data far from 1 is
mistaken for a wrong gradient. No step leaves the domain, or crosses a declared kink.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import EPS, REAL, BoolArray, Domain, FloatArray, IntArray, Interval
from lossctl.functions.activation import BoundActivation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import Bound
from lossctl.functions.parts import Parts, pieces
from lossctl.row_domains import Amounts, Simplex

TOLERANCE = 1e-6
"""Relative error from which a gradient is wrong."""
SMALL = 1e-6
"""Gradients below it are compared as if they were as large as this: they may be all rounding."""
STEPS = tuple(EPS**0.2 * growth for growth in (1e-8, 1e-6, 1e-4, 1e-2, 1.0))
"""Steps relative to the size of a prediction, or to 1 where it is less; the last is the best for a smooth function."""
NOISE = 16.0 * EPS
"""Relative error of a value, for rounding in the formula."""
PROBES = 16
"""Columns tried in a row; of wider predictions each row has its turn at others."""
WORST = 10
Place = tuple[IntArray, IntArray]
"""Rows and a column of each: two arrays of indices, ``(n,)``."""


@dataclass(frozen=True)
class Point:
    """One number of a prediction, with its gradient as stated and as differences find it."""

    name: str
    """Which loss or activation."""
    row: int
    """Which of the rows it is in, from 0."""
    column: int
    """Its column of the prediction, from 0."""
    label: float | tuple[float, ...] | None
    """The label of its row; ``None`` where the loss has none."""
    prediction: float | tuple[float, ...]
    """The prediction of its row."""
    stated: float
    """The gradient as it is stated."""
    difference: float
    """The gradient by finite differences."""
    error: float
    """Relative to the larger of the two."""
    wrong: bool
    """Whether they are further apart than rounding."""


@dataclass(frozen=True)
class Agreement:
    """How far stated gradients agree with differences. It adds up: rows of the second come after those of the first."""

    rows: int = 0
    compared: int = 0
    """Numbers whose gradient was held against a difference."""
    kinks: int = 0
    """Numbers at a kink, or under the floor of probabilities, where there is no derivative."""
    unresolved: int = 0
    """Numbers no difference can be had for: at an edge of the domain, where values overflow or are too rough."""
    wrong: int = 0
    """Numbers whose gradient is not that of the difference."""
    worst: tuple[Point, ...] = ()
    """The largest relative errors, largest first."""

    def __add__(self, other: "Agreement") -> "Agreement":
        later = tuple(replace(point, row=point.row + self.rows) for point in other.worst)
        return Agreement(
            self.rows + other.rows,
            self.compared + other.compared,
            self.kinks + other.kinks,
            self.unresolved + other.unresolved,
            self.wrong + other.wrong,
            _worst((*self.worst, *later)),
        )

    @property
    def error(self) -> float:
        """The largest relative error."""
        return self.worst[0].error if self.worst else 0.0


NOTHING = Agreement()


def _worst(points: tuple[Point, ...]) -> tuple[Point, ...]:
    return tuple(sorted(points, key=lambda point: (-point.wrong, -point.error, point.row, point.column))[:WORST])


def compare(bound: Bound, *arguments: FloatArray) -> Agreement:
    """Hold the gradient of a loss or an activation against differences of its values.

    Args:
        bound: the loss or the activation.
        arguments: label and prediction of a loss, pre-activations of an activation; they must be legal.
    """
    if isinstance(bound, BoundLoss):
        return compare_loss(bound, *bound.accept(*arguments))
    if isinstance(bound, BoundActivation):
        return compare_activation(bound, *arguments)
    raise TypeError(bound)


def compare_loss(bound: BoundLoss, label: FloatArray, prediction: FloatArray) -> Agreement:
    """Hold the gradient of a loss against differences of its values, at legal labels and predictions.

    Args:
        bound: the loss, maybe through an activation; with respect to whose input the gradient then is.
        label: as kernels take it: ``(n,)`` or ``(n, k)``.
        prediction: ``(n,)`` or ``(n, k)``; numbers under the floor of probabilities are counted as kinks.
    """
    clipped = bound.clipped(label, prediction)
    with np.errstate(all="ignore"):
        blur = _total(np.where(np.isfinite(prediction), np.abs(prediction), 0.0))
        if not bound.of_classes or label.ndim == 2:
            blur = blur + _total(np.abs(np.where(np.isnan(label), 0.0, label) if bound.masked else label))
        if bound.activation is not None and bound.chained:
            # What rounding the output of the activation does to the value.
            output = bound.activated(prediction)
            blur = blur + _total(np.abs(output * replace(bound, activation=None).row_gradient(label, output)))

    def crosses(behind: FloatArray, ahead: FloatArray) -> BoolArray:
        crossed = _crossed(bound, label, behind, ahead)
        return crossed if clipped is None else crossed | clipped

    rows = _Rows(
        str(bound),
        lambda moved: bound.row_value(label, moved),
        prediction,
        bound.prediction_domain,
        crosses,
        blur,
        None if bound.unlabelled else label,
    )
    return rows.compare(bound.row_gradient(label, prediction))


def compare_activation(bound: BoundActivation, z: FloatArray) -> Agreement:
    """Hold the derivative of an activation against differences of its values.

    The pullback of an activation of rows is held against differences of a weighted sum of its outputs.

    Args:
        bound: the activation.
        z: pre-activations, ``(n,)`` or ``(n, k)``.
    """
    columns = np.arange(z.shape[-1] if bound.definition.rows else 1)
    weight = np.broadcast_to(np.cos(columns), z.shape) if bound.definition.rows else np.ones_like(z)

    def total(moved: FloatArray) -> FloatArray:
        return _total(bound.value(moved) * weight)

    def crosses(behind: FloatArray, ahead: FloatArray) -> BoolArray:
        return _any([_between(behind, ahead, kink) for kink in bound.definition.kinks], len(z))

    blur = _total(np.abs(z)) + _total(np.abs(bound.value(z)))
    return _Rows(str(bound), total, z, REAL, crosses, blur, None).compare(bound.pullback(z, weight))


@dataclass(frozen=True)
class _Rows:
    """A function of predictions, and the rows at which its gradient is held against differences."""

    name: str
    value: Callable[[FloatArray], FloatArray]
    """From predictions, in the shape of ``prediction``, to one number a row, ``(n,)``."""
    prediction: FloatArray
    domain: Domain
    crosses: Callable[[FloatArray, FloatArray], BoolArray]
    """Which rows have no derivative somewhere between two predictions, ``(n,)``."""
    blur: FloatArray
    """How large the terms of a value may be, ``(n,)``: their rounding is in it, however small it is itself."""
    label: FloatArray | None

    def compare(self, stated: FloatArray) -> Agreement:
        """Hold a gradient, in the shape of the prediction, against differences of the value."""
        n, k = len(self.prediction), 1 if self.prediction.ndim == 1 else self.prediction.shape[1]
        total = NOTHING
        row, space = np.arange(n), room(self.prediction, self.domain).reshape(n, k)
        for probe in range(min(k, PROBES) if n else 0):
            column = (row + probe) % k if k > PROBES else np.full(n, probe)
            difference, doubt, kinked = self._derivative((row, column), space[row, column])
            total = total + self._judge(stated.reshape(n, k)[row, column], difference, doubt, kinked, column)
        return replace(total, rows=n)

    def _moved(self, place: Place, step: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The predictions with one number of each row moved, and those numbers."""
        n = len(self.prediction)
        moved = np.array(self.prediction.reshape(n, -1), order="F")
        moved[place] += step
        return moved.reshape(self.prediction.shape, order="A"), moved[place]

    def _central(self, place: Place, step: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
        """A central difference, what rounding may add to it, and the rows in which it says nothing."""
        (ahead, upper), (behind, lower) = self._moved(place, step), self._moved(place, -step)
        up, down = self.value(ahead), self.value(behind)
        noise = NOISE * (np.maximum(np.abs(up), np.abs(down)) + self.blur)
        return (up - down) / (upper - lower), noise / (upper - lower), self.crosses(behind, ahead)

    def _derivative(self, place: Place, space: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
        """The derivative along one number of each row, how far off it may be, and where every step crosses a kink."""
        n = len(self.prediction)
        size = np.minimum(np.maximum(np.abs(self.prediction.reshape(n, -1)[place]), 1.0), space)
        best, doubt = np.full(n, np.nan), np.full(n, np.inf)
        kinked, settled = np.ones(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
        with np.errstate(all="ignore"):
            for step in STEPS:
                wide, _, crossed = self._central(place, step * size)
                near, noise, _ = self._central(place, 0.5 * step * size)
                off = np.abs(wide - near) + noise
                difference = (4.0 * near - wide) / 3.0
                better = (off < doubt) & ~crossed & ~settled & (np.isnan(best) | (np.abs(difference - best) <= doubt))
                best, doubt = np.where(better, difference, best), np.where(better, off, doubt)
                kinked &= crossed
                settled = doubt <= TOLERANCE * np.maximum(np.abs(best), SMALL)
                if settled.all():
                    break
        return best, doubt, kinked

    def _judge(
        self, stated: FloatArray, difference: FloatArray, doubt: FloatArray, kinked: BoolArray, column: IntArray
    ) -> Agreement:
        """The agreement at one number of each row; every array is ``(n,)``.

        Args:
            stated: the gradient as stated.
            difference: what differences find it to be.
            doubt: how far that may be off.
            kinked: where every step crossed a kink.
            column: which number of the row it is.
        """
        with np.errstate(all="ignore"):
            scale = np.maximum(
                np.maximum(np.abs(difference), np.where(np.isfinite(stated), np.abs(stated), 0.0)), SMALL
            )
            error = np.where(np.isfinite(stated), np.abs(difference - stated) / scale, np.inf)
            # A difference that is in doubt by a hundredth of itself can refute nothing.
            resolved = np.isfinite(difference) & ~kinked & ((doubt < 1e-2 * scale) | (error <= TOLERANCE))
            wrong = resolved & ~(error <= TOLERANCE + doubt / scale)
        there = ~np.isnan(self.prediction.reshape(len(column), -1)[np.arange(len(column)), column])  # no end of a list
        order = np.flatnonzero(resolved)
        points = tuple(
            Point(
                self.name,
                int(row),
                int(column[row]),
                None if self.label is None else _plain(self.label[row]),
                _plain(self.prediction[row]),
                float(stated[row]),
                float(difference[row]),
                float(error[row]),
                bool(wrong[row]),
            )
            for row in order[np.lexsort((order, -error[order], ~wrong[order]))][:WORST]
        )
        return Agreement(
            compared=int(resolved.sum()),
            kinks=int((kinked & there).sum()),
            unresolved=int((~resolved & ~kinked & there).sum()),
            wrong=int(wrong.sum()),
            worst=points,
        )


def _total(values: FloatArray) -> FloatArray:
    return values if values.ndim == 1 else np.asarray(values.sum(axis=1))


def _plain(value: FloatArray) -> float | tuple[float, ...]:
    numbers = np.asarray(value, dtype=np.float64).tolist()
    return tuple(numbers) if isinstance(numbers, list) else float(numbers)


def _crossed(bound: BoundLoss, label: FloatArray, behind: FloatArray, ahead: FloatArray) -> BoolArray:
    """Rows with a declared kink of the loss or of its activation between two predictions."""
    masks: list[BoolArray] = []
    if bound.activation is not None:
        masks += [_between(behind, ahead, kink) for kink in bound.activation.definition.kinks]
    if bound.definition.kink is not None:
        low, high = bound.activated(behind), bound.activated(ahead)
        # What moves one number of a row may move the kinks of the others.
        kinks = (bound.definition.kinks_beside(label, end, **bound.parameters) for end in (low, high))
        masks += [_passes(low, first, high, last) for first, last in zip(*kinks, strict=True)]
    return _any(masks, len(behind))


def _between(low: FloatArray, high: FloatArray, kink: float) -> BoolArray:
    return _passes(low, kink, high, kink)


def _passes(low: FloatArray, before: FloatArray | float, high: FloatArray, after: FloatArray | float) -> BoolArray:
    """Where what moves from low to high passes a kink, which may move as well."""
    return np.asarray((low != high) & ((low - before) * (high - after) <= 0))


def _any(masks: list[BoolArray], n: int) -> BoolArray:
    rows = np.zeros(n, dtype=np.bool_)
    for mask in masks:
        rows |= mask if mask.ndim == 1 else mask.any(axis=1)
    return rows


def room(values: FloatArray, domain: Domain) -> FloatArray:
    """How far each legal number is from the nearest edge of the set; infinite where there is none."""
    if isinstance(domain, Parts):
        columns = [room(numbers, own) for _, place, own, numbers in pieces(domain, values) if place is not None]
        return np.column_stack(columns)
    low, high = -math.inf, math.inf
    if isinstance(domain, Simplex | Amounts):
        low = 0.0
    elif isinstance(domain, Interval):
        low, high = (0.0, 0.0) if domain.nonzero else (domain.low, domain.high)
    return np.minimum(np.abs(values - low), np.abs(high - values))
