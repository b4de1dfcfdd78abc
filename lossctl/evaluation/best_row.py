"""The row of probabilities that is best for the labels of a group, tried against the slope of the mean loss."""

import math

import numpy as np

from lossctl.domain import FloatArray, IntArray
from lossctl.functions.bound_loss import BoundLoss
from lossctl.rational import to_float
from lossctl.row_domains import Amounts, LogSimplex, Simplex
from lossctl.sums.marginals import Points
from lossctl.sums.moments import Total


class Rows:
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


def codes(bound: BoundLoss, points: Points, slots: IntArray, total: Total, width: int) -> Rows:
    """One row for each class that occurs, weighted."""
    cells = points.cells(slots)
    label, weight = points.label[cells], points.weight[cells]
    prior = np.zeros(width)
    prior[label.astype(np.intp)] = weight / to_float(total.sum_weight)
    return Rows(bound, label, weight, total, prior)


def hot(bound: BoundLoss, points: Points, slots: IntArray, total: Total, width: int) -> Rows:
    """The same of rows of a single 1."""
    cells = points.cells(slots)
    column = np.repeat(points.slot[slots] % width, points.size[slots])
    chosen = points.label[cells] == 1.0
    label, weight = column[chosen].astype(np.float64), points.weight[cells][chosen]
    prior = np.zeros(width)
    prior[column[chosen]] = weight / to_float(total.sum_weight)
    return Rows(bound, label, weight, total, prior)


def spread(bound: BoundLoss, points: Points, slots: IntArray, total: Total, width: int) -> Rows:
    """One row for each different number of a column, zero in the others, weighted.

    A last row of zeros has a negative weight, which takes away what the others count too often; see `additive`.
    """
    cells = points.cells(slots)
    column = np.repeat(points.slot[slots] % width, points.size[slots])
    label = np.zeros((len(cells) + 1, width), order="F")
    label[np.arange(len(cells)), column] = points.label[cells]
    weight = np.append(points.weight[cells], -(width - 1) * to_float(total.sum_weight))
    return Rows(bound, label, weight, total, points.mean[slots])


def additive(bound: BoundLoss, width: int, tries: int = 16) -> bool:
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
