"""Losses of the decision that a prediction comes to: they count mistakes, and have no slope to learn by."""

from typing import Annotated

import numpy as np

from lossctl.domain import REAL, SIGNS, FloatArray
from lossctl.functions.class_labels import largest_other
from lossctl.functions.loss import loss
from lossctl.row_domains import CLASSES_OR_SIMPLEX, VECTOR

ZERO_ONE = ("zero_one", "zero_one_loss", "error_rate", "misclassification_rate")
Threshold = Annotated[float, REAL]


@loss(
    aliases=(*ZERO_ONE[1:], "hamming_loss", "hamming", "hamming_distance", "binary_error", "error"),
    label=SIGNS,
    prediction=REAL,
    references=("Devroye, Györfi & Lugosi 1996, A Probabilistic Theory of Pattern Recognition",),
    other_width=("categorical_zero_one", ZERO_ONE),
    peers={
        "scikit-learn": "zero_one_loss (of decisions), accuracy_score (1 less it)",
        "XGBoost": "error, error@t",
        "LightGBM": "binary_error",
        "CatBoost": "Accuracy (1 less it)",
    },
)
def zero_one(label: FloatArray, prediction: FloatArray, *, threshold: Threshold = 0.5) -> FloatArray:
    """Mistake or not: its mean is the share of rows that are decided wrongly.

    Formula: 1 where ŷ > t is not what the label says, else 0, where t = ``threshold``; labels are 1, and 0 or −1.
    Gradient: 0; the value jumps at ŷ = t, and t itself is decided as the class below. Through a sigmoid it is z that
    is held against log(t / (1 − t)).
    Properties: 1 less the accuracy; not convex; flat but for a jump at ŷ = t; range [0, 1]; a best constant is any
    prediction on the side of the larger class. Of several columns, a class each, the name means
    `categorical_zero_one`; decisions that are words, or codes of classes as the labels are, are right where they are
    the same.

    Use it to report decisions at a threshold that is really used.
    Avoid it to choose between models: it sees neither by how much a prediction is wrong nor how rare a class is.

    >>> from lossctl import get_loss
    >>> get_loss("zero_one").value([1.0, 0.0, 1.0], [0.9, 0.6, 0.5])
    array([0., 1., 1.])
    """
    return np.where((prediction > threshold) == (label > 0), 0.0, 1.0)


@zero_one.gradient
def _(label: FloatArray, prediction: FloatArray, *, threshold: Threshold) -> FloatArray:  # noqa: ARG001
    return np.zeros_like(prediction)


@zero_one.kinks
def _(label: FloatArray, prediction: FloatArray, *, threshold: Threshold) -> FloatArray:  # noqa: ARG001
    return np.full_like(prediction, threshold)


@zero_one.through("sigmoid")
def zero_one_on_logits(label: FloatArray, logit: FloatArray, *, threshold: Threshold) -> FloatArray:
    """The same with z against log(t / (1 − t)): no logit near it is rounded across."""
    inside = np.clip(np.float64(threshold), 0.0, 1.0)
    return np.where((logit > np.log(inside) - np.log1p(-inside)) == (label > 0), 0.0, 1.0)


@zero_one_on_logits.gradient
def _(label: FloatArray, logit: FloatArray, *, threshold: Threshold) -> FloatArray:  # noqa: ARG001
    return np.zeros_like(logit)


@loss(
    aliases=("multi_error", "merror"),
    label=CLASSES_OR_SIMPLEX,
    prediction=VECTOR,
    references=("Devroye, Györfi & Lugosi 1996, A Probabilistic Theory of Pattern Recognition",),
    other_width=("zero_one", ("categorical_zero_one",)),
    peers={
        "scikit-learn": "zero_one_loss (of decisions), accuracy_score (1 less it)",
        "XGBoost": "merror",
        "LightGBM": "multi_error",
        "CatBoost": "Accuracy (1 less it)",
    },
)
def categorical_zero_one(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Mistake or not, of the class with the largest prediction: its mean is the share of rows decided wrongly.

    Formula: 1 − y at the class whose ŷ is the largest, the first of several; for a class label 0 if it is that, else 1.
    Gradient: 0; the value jumps where two predictions are the largest.
    Properties: 1 less the accuracy; not convex; flat but for jumps; range [0, 1]; only the order of a row counts, so
    probabilities, logits and scores give the same.

    Use it to report decisions for the likeliest class.
    Avoid it to choose between models: it does not see by how much a prediction is wrong.

    >>> from lossctl import get_loss
    >>> get_loss("categorical_zero_one").value([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    array([0., 0., 1.])
    """
    top = prediction.argmax(axis=1)
    return np.where(top == label, 0.0, 1.0) if label.ndim == 1 else 1.0 - label[np.arange(len(top)), top]


@categorical_zero_one.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG001
    return np.zeros_like(prediction)


@categorical_zero_one.kinks
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG001
    return largest_other(prediction)


@categorical_zero_one.through("softmax")
def categorical_zero_one_on_logits(label: FloatArray, logit: FloatArray) -> FloatArray:
    """The same of the logits, which have the order of their softmax."""
    return np.asarray(categorical_zero_one.function(label, logit))


@categorical_zero_one_on_logits.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:  # noqa: ARG001
    return np.zeros_like(logit)
