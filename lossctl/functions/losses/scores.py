"""Scores of forecast probabilities: squares, angles and steps between them and what came true."""

import numpy as np

from lossctl.domain import EPS, PROBABILITY, WIDE, BoolArray, FloatArray, row_sum
from lossctl.functions.class_labels import as_rows
from lossctl.functions.loss import loss
from lossctl.functions.softmax import Softmax
from lossctl.functions.stable import sigmoid_error
from lossctl.row_domains import CLASSES_OR_SIMPLEX, SIMPLEX

BRIER = ("brier", "brier_score", "brier_score_loss")


@loss(
    aliases=(*BRIER[1:], "binary_brier"),
    label=PROBABILITY,
    prediction=PROBABILITY,
    references=("Brier 1950, Verification of forecasts expressed in terms of probability",),
    of_error=True,
    other_width=("categorical_brier", BRIER),
    peers={"scikit-learn": "brier_score_loss", "CatBoost": "BrierScore"},
)
def brier(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Squared error of a probability: 0 for certain and right, 1 for certain and wrong.

    Formula: (ŷ − y)².
    Gradient: 2 (ŷ − y); through a sigmoid it is 2 (σ(z) − y) σ(z) (1 − σ(z)).
    Properties: a proper score: least in expectation for the true probability; convex in ŷ, but not convex in the
    logit; smooth; range [0, 1]; the best constant is the share of positive labels s, whose score is s(1 − s). Of
    several columns, a class each, the name means `categorical_brier`, which for two classes is twice this.

    Use it to judge probabilities where a certain mistake must not count without bound.
    Avoid it to train a classifier: its gradient vanishes where a saturated prediction is wrong; `bce` learns there.

    >>> from lossctl import get_loss
    >>> get_loss("brier").value([1.0, 0.0], [0.75, 0.5])
    array([0.0625, 0.25  ])
    """
    return np.square(prediction - label)


@brier.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return 2.0 * (prediction - label)


@brier.root
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return prediction - label


@brier.through("sigmoid")
def brier_on_logits(label: FloatArray, logit: FloatArray) -> FloatArray:
    """(σ(z) − y)², from whichever of σ and 1 − σ is small."""
    return np.square(sigmoid_error(logit, label, 1.0 - label))


@brier_on_logits.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:
    decay = np.exp(-np.abs(logit))
    return np.asarray(2.0 * sigmoid_error(logit, label, 1.0 - label) * (decay / np.square(1.0 + decay)))


@loss(
    aliases=("multiclass_brier", "brier_multi"),
    label=CLASSES_OR_SIMPLEX,
    prediction=SIMPLEX,
    references=("Brier 1950, Verification of forecasts expressed in terms of probability",),
    other_width=("brier", ("categorical_brier", "multiclass_brier")),
    peers={"scikit-learn": "brier_score_loss (scale_by_half=False where there are two classes)"},
)
def categorical_brier(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Squared distance of a row of probabilities from the class that came true.

    Formula: Σ_k (ŷ_k − y_k)², y one-hot for a class label.
    Gradient: 2 (ŷ − y); through a softmax it is 2 p_j ((p_j − y_j) − Σ_k p_k (p_k − y_k)).
    Properties: a proper score; convex in ŷ, but not convex in the logits; smooth; range [0, 2]; of two classes twice
    `brier` of either column; the best constant row is the shares of the classes s, whose score is 1 − Σ s².

    Use it to judge probabilities of classes where a certain mistake must not count without bound.
    Avoid it to train a classifier: `cross_entropy` learns faster from saturated mistakes.

    >>> from lossctl import get_loss
    >>> get_loss("categorical_brier").value([0, 1], [[0.5, 0.5], [0.75, 0.25]])
    array([0.5  , 1.125])
    """
    return row_sum(np.square(prediction - as_rows(label, prediction.shape[1])))


@categorical_brier.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return 2.0 * (prediction - as_rows(label, prediction.shape[1]))


@categorical_brier.through("softmax")
def categorical_brier_on_logits(label: FloatArray, logit: FloatArray) -> FloatArray:
    """Σ (p − y)², at the largest logit from 1 − p."""
    return row_sum(np.square(Softmax(logit).error(as_rows(label, logit.shape[1]))))


@categorical_brier_on_logits.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:
    soft = Softmax(logit)
    return soft.pulled(2.0 * soft.p * soft.error(as_rows(label, logit.shape[1])))


def _direction(prediction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rows scaled to length 1, and their lengths."""
    length = np.sqrt(row_sum(np.square(prediction)))
    return prediction / length[:, None], length


def _across(target: FloatArray, unit: FloatArray) -> FloatArray:
    """What of y is at right angles to a row of length 1: y − (y·u) u, where u is near 1 from all that is not."""
    at_top = np.arange(len(unit)), unit.argmax(axis=1)
    others = np.array(unit, order="F")
    others[at_top] = 0.0
    across = target - row_sum(target * unit)[:, None] * unit
    across[at_top] = target[at_top] * row_sum(np.square(others)) - unit[at_top] * row_sum(target * others)
    return np.asarray(across)


@loss(
    aliases=("spherical_score", "spherical_loss"),
    label=CLASSES_OR_SIMPLEX,
    prediction=SIMPLEX,
    references=("Good 1971, Comment on Measuring information and uncertainty", "Gneiting & Raftery 2007"),
    peers={"scoringrules": "spherical (of two classes)"},
)
def spherical(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Cosine of the angle between a row of probabilities and the class that came true, with a minus.

    Formula: −ŷ_y / ‖ŷ‖ for a class label, −Σ_k y_k ŷ_k / ‖ŷ‖ for one-hot or soft labels.
    Gradient: −(y − (Σ_k y_k ŷ_k) ŷ / ‖ŷ‖²) / ‖ŷ‖.
    Properties: a proper score; range [−1, 0]: −1 for certain and right, 0 for a probability of 0; only the direction
    of ŷ counts; not convex; smooth; the best constant row is the shares of the classes s, whose score is −‖s‖.

    Use it where a bounded proper score of classes is wanted that sees the whole row.
    Avoid it where readers expect a loss that is 0 at best: `categorical_brier` is.

    >>> from lossctl import get_loss
    >>> get_loss("spherical").value([0, 1], [[1.0, 0.0], [0.5, 0.5]])
    array([-1.        , -0.70710678])
    """
    unit, _ = _direction(prediction)
    return 0.0 - row_sum(as_rows(label, prediction.shape[1]) * unit)


@spherical.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    unit, length = _direction(prediction)
    return -_across(as_rows(label, prediction.shape[1]), unit) / length[:, None]


@spherical.through("softmax")
def spherical_on_logits(label: FloatArray, logit: FloatArray) -> FloatArray:
    """The score of the softmax; its gradient is −u (y − (y·u) u), u being its direction."""
    unit, _ = _direction(Softmax(logit).p)
    return 0.0 - row_sum(as_rows(label, logit.shape[1]) * unit)


@spherical_on_logits.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:
    unit, _ = _direction(Softmax(logit).p)
    return -unit * _across(as_rows(label, logit.shape[1]), unit)


def _running(matrix: FloatArray) -> FloatArray:
    """The sum of each row up to each of its numbers, by column where there are few."""
    if matrix.shape[1] > WIDE:
        return np.cumsum(matrix, axis=1)
    total = np.array(matrix, order="F")
    for column in range(1, total.shape[1]):
        total[:, column] += total[:, column - 1]
    return total


def _reached(label: FloatArray, target: FloatArray) -> BoolArray:
    """Where the label has come true by a class, but for the last: there the gap is known by the classes above."""
    if label.ndim == 1:
        reached = np.empty_like(target[:, 1:], dtype=np.bool_)
        return np.greater_equal(np.arange(target.shape[1] - 1), label[:, None], out=reached)
    return np.asarray(_running(target[:, :-1]) > 0.5)


def _gaps(error: FloatArray, reached: BoolArray) -> FloatArray:
    """F̂_k − F_k but for the last class, ``(n, k − 1)``: by the classes from below, or the others from above."""
    below, above = _running(error[:, :-1]), _running(error[:, :0:-1])[:, ::-1]
    return np.where(reached, -above, below)


def _steps_above(gaps: FloatArray) -> FloatArray:
    """For each class the sum of the gaps from it on; 0 for the last."""
    total = _running(gaps[:, ::-1])[:, ::-1]
    return np.column_stack([total, np.zeros(len(gaps))])


def _defect(error: FloatArray) -> FloatArray:
    """What rows of probabilities sum to beyond the label, where it is more than rounding, ``(n, 1)``."""
    defect = row_sum(error)
    return np.where(np.abs(defect) <= EPS * error.shape[1], 0.0, defect)[:, None]


@loss(
    aliases=("ranked_probability_score", "rps_score"),
    label=CLASSES_OR_SIMPLEX,
    prediction=SIMPLEX,
    references=("Epstein 1969, A scoring system for probability forecasts of ranked categories",),
    ordered=True,
    peers={
        "scoringrules": "rps_score (without the division by K − 1)",
        "properscoring": "threshold_brier_score (of thresholds)",
    },
)
def rps(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Brier score of ordered classes: a forecast one class off costs less than one three off.

    Formula: Σ_k (F̂_k − F_k)² / (K − 1) for k = 1 to K − 1, F̂ and F being ŷ and y summed up to the class k, in the
    order of the columns.
    Gradient: 2/(K − 1) Σ_{k ≥ j} (F̂_k − F_k), and 0 for the last class.
    Properties: a proper score; convex in ŷ, but not convex in the logits; smooth; range [0, 1]; of two classes it is
    `brier`; the best constant row is the shares of the classes.

    Use it for grades, stages, bands of income: classes that have an order.
    Avoid it where classes have none; and look at the order, which is that of the columns or of ``--classes``.

    >>> from lossctl import get_loss
    >>> get_loss("rps").value([0, 0], [[0.5, 0.5, 0.0], [0.5, 0.0, 0.5]])
    array([0.125, 0.25 ])
    """
    target = as_rows(label, prediction.shape[1])
    error, reached = prediction - target, _reached(label, target)
    gaps = _gaps(error, reached) + np.where(reached, _defect(error), 0.0)
    return np.asarray(row_sum(np.square(gaps)) / (prediction.shape[1] - 1))


@rps.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    target = as_rows(label, prediction.shape[1])
    error, reached = prediction - target, _reached(label, target)
    gaps = _gaps(error, reached) + np.where(reached, _defect(error), 0.0)
    return np.asarray(_steps_above(gaps) * (2.0 / (prediction.shape[1] - 1)))


@rps.through("softmax")
def rps_on_logits(label: FloatArray, logit: FloatArray) -> FloatArray:
    """The score of the softmax, with 1 − p at the largest logit."""
    target = as_rows(label, logit.shape[1])
    gaps = _gaps(Softmax(logit).error(target), _reached(label, target))
    return np.asarray(row_sum(np.square(gaps)) / (logit.shape[1] - 1))


@rps_on_logits.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:
    soft, target = Softmax(logit), as_rows(label, logit.shape[1])
    reached = _reached(label, target)
    gaps = _gaps(soft.error(target), reached)
    # The same for all classes may be taken away: for one label then nothing cancels.
    rising = _steps_above(np.where(reached, 0.0, gaps))
    falling = _steps_above(np.where(reached, gaps, 0.0)[:, ::-1])[:, ::-1]
    return soft.pulled(soft.p * (rising - falling) * (2.0 / (logit.shape[1] - 1)))
