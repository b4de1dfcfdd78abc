"""Where the slope of a mean loss changes sign, sought by halving what lies between the labels, a double at a time."""

import math

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import LARGEST, REAL, BoolArray, Domain, FloatArray, Interval, distinct
from lossctl.evaluation.single_minimum import may_turn_again
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.loss import Loss
from lossctl.functions.parameter import Value
from lossctl.functions.parts import Parts
from lossctl.sums.distribution import ordered, unordered
from lossctl.sums.marginals import Points

BALANCED = 2.0**-45
"""The part of the mean size of the gradient below which its mean is 0 up to rounding."""
FLAT = 1e-9
"""The part of the range of the labels up to which an interval of best constants is taken for a single point."""
WORSE = 1e-9
"""By how much another constant must be better to say that the slope did not lead to the best."""
PROBES = 17
"""How many labels of a slot are tried against the constant that was found."""


class NoneKnown(Exception):
    """The best constant of a loss cannot be found; the message says why."""


@dataclass(frozen=True)
class Column:
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


class Search:
    """Looks for the best constant of every slot at once: a step costs one call of the gradient.

    Raises:
        NoneKnown: the predictions of the loss are no interval.
    """

    def __init__(self, bound: "BoundLoss | Column", points: Points) -> None:
        domain = bound.prediction_domain
        if not isinstance(domain, Interval):
            raise NoneKnown(f"predictions that must be {domain.describe()} are no interval to search")
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
        last = np.abs(constant) == LARGEST
        return np.asarray(last & (self.sign(constant) != 0)) if last.any() else last

    def _least_step(self) -> FloatArray:
        """The best constant of a loss that is flat but for jumps: the mean, or the first one tried that is better."""
        kinks = self.bound.row_kinks(self.label)
        jumps = distinct(np.concatenate([np.ravel(kink) for kink in kinks] or [self.mean]))[:PROBES]
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
