"""Losses on the margin y·f of a score against a ±1 label."""

import numpy as np

from lossctl.domain import REAL, SIGNS, FloatArray, NonNegative
from lossctl.functions.loss import loss


@loss(
    aliases=("hinge_loss",),
    label=SIGNS,
    prediction=REAL,
    references=("Cortes & Vapnik 1995, Support-Vector Networks, doi:10.1007/BF00994018",),
    peers={
        "Keras": "hinge",
        "torch": "hinge_embedding_loss (another loss)",
        "DL4J": "HINGE",
        "scikit-learn": "hinge_loss",
        "optax": "hinge_loss",
        "CatBoost": "HingeLoss",
        "XGBoost": "binary:hinge",
    },
)
def hinge(label: FloatArray, prediction: FloatArray, *, margin: NonNegative = 1.0) -> FloatArray:
    """Max-margin loss of a score: zero beyond the margin, linear before it.

    Formula: max(0, m − y ŷ) for labels y = ±1 (0 means −1), where m = ``margin``.
    Gradient: −y where y ŷ < m, 0 elsewhere, the kink included.
    Properties: convex; zero beyond the margin, so its gradient is sparse; a kink at y ŷ = m; the best constant is m
    times the sign of the majority.

    Use it for support-vector machines and online learning.
    Avoid it when probabilities are wanted, or after a sigmoid: it is made for scores.

    >>> from lossctl import get_loss
    >>> get_loss("hinge").value([1.0, -1.0], [0.5, -3.0])
    array([0.5, 0. ])
    """
    return _violation(label, prediction, margin)


@hinge.gradient
def _(label: FloatArray, prediction: FloatArray, *, margin: NonNegative) -> FloatArray:
    return np.where(label * prediction < margin, -label, 0.0)


def _violation(label: FloatArray, prediction: FloatArray, margin: float) -> FloatArray:
    """By how much a score falls short of the margin."""
    return np.maximum(0.0, margin - label * prediction)


def _margin(label: FloatArray, *, margin: float) -> FloatArray:
    """Where the hinge begins: m − y ŷ is −y (ŷ − m y) for y = ±1."""
    return margin * label


@hinge.on_error(_margin)
def _hinge_of_error(
    label: FloatArray,
    error: FloatArray,
    prediction: FloatArray,  # noqa: ARG001
    *,
    margin: NonNegative,  # noqa: ARG001
) -> FloatArray:
    return np.maximum(0.0, -label * error)


@_hinge_of_error.gradient
def _(
    label: FloatArray,
    error: FloatArray,
    prediction: FloatArray,  # noqa: ARG001
    *,
    margin: NonNegative,  # noqa: ARG001
) -> FloatArray:
    return np.where(label * error < 0.0, -label, 0.0)


@hinge.kinks
def _(label: FloatArray, prediction: FloatArray, *, margin: NonNegative) -> FloatArray:  # noqa: ARG001
    return margin * label


@loss(
    aliases=("squared_hinge_loss",),
    label=SIGNS,
    prediction=REAL,
    references=("Rosset, Zhu & Hastie 2004, Margin Maximizing Loss Functions",),
    peers={"Keras": "squared_hinge", "DL4J": "SQUARED_HINGE"},
)
def squared_hinge(label: FloatArray, prediction: FloatArray, *, margin: NonNegative = 1.0) -> FloatArray:
    """Square of the hinge: smooth at the margin, harder on large violations.

    Formula: max(0, m − y ŷ)² for labels y = ±1 (0 means −1), where m = ``margin``.
    Gradient: −2 y max(0, m − y ŷ).
    Properties: convex; zero beyond the margin; differentiable everywhere, the margin included; violations count by
    their square; the best constant is m(2s − 1) for a share s of positive labels.

    Use it for max-margin classifiers where the kink of the hinge is in the way of the optimiser.
    Avoid it with mislabelled rows, and when probabilities are wanted.

    >>> from lossctl import get_loss
    >>> get_loss("squared_hinge").value([1.0, -1.0], [0.5, 2.0])
    array([0.25, 9.  ])
    """
    return np.square(_violation(label, prediction, margin))


@squared_hinge.root
def _(label: FloatArray, prediction: FloatArray, *, margin: float) -> FloatArray:
    return _violation(label, prediction, margin)


@squared_hinge.gradient
def _(label: FloatArray, prediction: FloatArray, *, margin: NonNegative) -> FloatArray:
    return -2.0 * label * _violation(label, prediction, margin)


@squared_hinge.on_error(_margin)
def _squared_hinge_of_error(
    label: FloatArray,
    error: FloatArray,
    prediction: FloatArray,  # noqa: ARG001
    *,
    margin: NonNegative,  # noqa: ARG001
) -> FloatArray:
    return np.square(np.maximum(0.0, -label * error))


@_squared_hinge_of_error.gradient
def _(
    label: FloatArray,
    error: FloatArray,
    prediction: FloatArray,  # noqa: ARG001
    *,
    margin: NonNegative,  # noqa: ARG001
) -> FloatArray:
    return np.asarray(-2.0 * label * np.maximum(0.0, -label * error))


@loss(
    aliases=("exp_loss", "adaboost", "exponential_loss"),
    label=SIGNS,
    prediction=REAL,
    references=("Freund & Schapire 1997, A decision-theoretic generalization of on-line learning",),
    peers={"scikit-learn": "ExponentialLoss (with half the logit as its link)"},
)
def exponential(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """AdaBoost's surrogate: e to the minus margin, very hard on outliers.

    Formula: e^(−y ŷ) for labels y = ±1 (0 means −1).
    Gradient: −y e^(−y ŷ).
    Properties: convex; smooth; never quite zero; very sensitive to outliers; the best constant is half the log-odds
    of the positive class. Overflows to infinity past a margin of −709.78; such rows are counted and said.

    Use it for boosting: it is what AdaBoost minimises.
    Avoid it with noisy labels.

    >>> from lossctl import get_loss
    >>> get_loss("exponential").value([1.0, -1.0], [0.0, 1.0])
    array([1.        , 2.71828183])
    """
    return np.exp(-label * prediction)


@exponential.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return -label * np.exp(-label * prediction)
