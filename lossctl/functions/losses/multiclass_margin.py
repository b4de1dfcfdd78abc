"""Losses on the margin of a class score over the others."""

from typing import Annotated

import numpy as np

from lossctl.domain import FloatArray, Interval, NonNegative, row_sum
from lossctl.functions.class_labels import as_codes, largest_other, one_hot, pair_kinks, pick, without_class
from lossctl.functions.loss import loss
from lossctl.functions.stable import beyond
from lossctl.row_domains import CLASSES_OR_ONE_HOT, VECTOR

Power = Annotated[float, Interval(low=1.0, high=2.0)]


def _short(label: FloatArray, prediction: FloatArray, margin: float) -> FloatArray:
    """By how much the class leads the largest score of the others by less than a margin."""
    code = as_codes(label)
    return beyond(without_class(prediction, code).max(axis=1), pick(prediction, code), margin)


@loss(
    aliases=("multiclass_hinge", "multiclass_hinge_loss"),
    label=CLASSES_OR_ONE_HOT,
    prediction=VECTOR,
    other_width=("hinge", ()),
    references=("Crammer & Singer 2001, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines",),
    peers={
        "scikit-learn": "hinge_loss (of several classes)",
        "optax": "multiclass_hinge_loss, multiclass_perceptron_loss (margin=0)",
        "torchmetrics": "hinge_loss (of several classes; scores outside [0, 1] go through a softmax)",
    },
)
def crammer_singer(label: FloatArray, prediction: FloatArray, *, margin: NonNegative = 1.0) -> FloatArray:
    """Hinge of several classes: by how much the class is not a margin above its best rival.

    Formula: max(0, m + max_{j≠y} ŷ_j − ŷ_y), where m = ``margin``.
    Gradient: −1 at the class and 1 at its best rival, the first of several, where the value is above 0; else 0.
    Properties: convex; zero where the class leads by the margin; a kink there, and where two rivals are equal; adding a
    number to a row changes nothing; with a margin of 0 it is the perceptron of several classes; the best constant is a
    lead of m for a class of more than half of the labels, else none for any.

    Use it for support-vector machines of several classes.
    Avoid it when probabilities are wanted, or after a softmax, which keeps the lead below 1.

    >>> from lossctl import get_loss
    >>> get_loss("crammer_singer").value([0, 1], [[2.0, 1.5, 0.0], [0.0, 3.0, 1.0]])
    array([0.5, 0. ])
    """
    return np.maximum(0.0, _short(label, prediction, margin))


@crammer_singer.gradient
def _(label: FloatArray, prediction: FloatArray, *, margin: NonNegative) -> FloatArray:
    code, rows = as_codes(label), np.arange(len(prediction))
    short = np.where(_short(label, prediction, margin) > 0.0, 1.0, 0.0)
    slope = np.zeros(prediction.shape, order="F")
    slope[rows, without_class(prediction, code).argmax(axis=1)] = short
    slope[rows, code] = -short
    return slope


@crammer_singer.kinks
def _(label: FloatArray, prediction: FloatArray, *, margin: NonNegative) -> FloatArray:
    code, rows = as_codes(label), np.arange(len(prediction))
    rivals = without_class(prediction, code)
    kink = np.maximum(largest_other(rivals), pick(prediction, code)[:, None] - margin)
    kink[rows, code] = rivals.max(axis=1) + margin
    return kink


def _leading(label: FloatArray, weight: FloatArray, width: int, margin: float) -> FloatArray:
    """A margin for the class of more than half of the weight, 0 for the others: each unit of lead costs them 1."""
    share = np.zeros(width)
    np.add.at(share, as_codes(label), weight)
    return np.where(share > 0.5 * share.sum(), margin, 0.0)


@crammer_singer.constant
def _(label: FloatArray, weight: FloatArray, width: int, *, margin: NonNegative) -> FloatArray:
    return _leading(label, weight, width, margin)


@loss(
    label=CLASSES_OR_ONE_HOT,
    prediction=VECTOR,
    other_width=("hinge", ()),
    references=("Weston & Watkins 1999, Support Vector Machines for Multi-Class Pattern Recognition",),
    peers={"Keras": "categorical_hinge"},
)
def categorical_hinge(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Hinge of several classes, as Keras has it: rivals below 0 count as 0.

    Formula: max(0, 1 + max(0, max_{j≠y} ŷ_j) − ŷ_y): Keras takes the largest of (1 − y) ŷ, whose entry at the class
    is 0.
    Gradient: −1 at the class where the value is above 0, and 1 at its best rival, the first of several, if that is
    above 0 as well; else 0.
    Properties: convex; zero where the class is above 1 and leads by 1; kinks there, where two rivals are equal, and
    where the best one is 0; unlike `crammer_singer` it wants the score itself to be at least 1.

    Use it to report what Keras reports.
    Avoid it otherwise: a row of scores that are all negative costs more than its order says; `crammer_singer` does not.

    >>> from lossctl import get_loss
    >>> get_loss("categorical_hinge").value([0, 0], [[2.0, 1.5, 0.0], [-3.0, -4.0, -5.0]])
    array([0.5, 4. ])
    """
    code = as_codes(label)
    rival = np.maximum(0.0, without_class(prediction, code).max(axis=1))
    return np.maximum(0.0, beyond(rival, pick(prediction, code), 1.0))


@categorical_hinge.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    code, rows = as_codes(label), np.arange(len(prediction))
    rivals = without_class(prediction, code)
    best = rivals.max(axis=1)
    short = beyond(np.maximum(0.0, best), pick(prediction, code), 1.0) > 0.0
    slope = np.zeros(prediction.shape, order="F")
    slope[rows, rivals.argmax(axis=1)] = np.where(short & (best > 0.0), 1.0, 0.0)
    slope[rows, code] = np.where(short, -1.0, 0.0)
    return slope


@categorical_hinge.kinks
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    code, rows = as_codes(label), np.arange(len(prediction))
    rivals = without_class(prediction, code)
    kink = np.maximum(np.maximum(0.0, largest_other(rivals)), pick(prediction, code)[:, None] - 1.0)
    kink[rows, code] = np.maximum(0.0, rivals.max(axis=1)) + 1.0
    return kink


@categorical_hinge.constant
def _(label: FloatArray, weight: FloatArray, width: int) -> FloatArray:
    return _leading(label, weight, width, 1.0)


def _violations(label: FloatArray, prediction: FloatArray, margin: float) -> FloatArray:
    """By how much each other class is above the class less the margin, ``(n, k)``; 0 at the class."""
    code = as_codes(label)
    short = np.maximum(0.0, beyond(prediction, pick(prediction, code)[:, None], margin))
    short[np.arange(len(code)), code] = 0.0
    return short


@loss(
    aliases=("multi_margin_loss", "weston_watkins"),
    label=CLASSES_OR_ONE_HOT,
    prediction=VECTOR,
    other_width=("hinge", ()),
    references=("Weston & Watkins 1999, Support Vector Machines for Multi-Class Pattern Recognition",),
    peers={"torch": "multi_margin_loss (p is 1 or 2)"},
)
def multi_margin(label: FloatArray, prediction: FloatArray, *, p: Power = 1.0, margin: NonNegative = 1.0) -> FloatArray:
    """Hinge of a class against each other: all rivals within the margin count, not the best alone.

    Formula: 1/K Σ_{j≠y} max(0, m − ŷ_y + ŷ_j)^p, where m = ``margin``.
    Gradient: p/K max(0, m − ŷ_y + ŷ_j)^(p−1) at each rival within the margin, and minus their sum at the class; 0 on
    the kinks of p = 1.
    Properties: convex; zero where the class leads all others by the margin; for p = 1 a kink where it leads one by
    just that; adding a number to a row changes nothing.

    Use it for support-vector machines of several classes whose whole order counts.
    Avoid it when probabilities are wanted, or after a softmax, which keeps the lead below 1.

    >>> from lossctl import get_loss
    >>> get_loss("multi_margin").value([0, 1], [[2.0, 1.5, 1.0], [0.0, 3.0, 1.0]])
    array([0.16666667, 0.        ])
    """
    return np.asarray(row_sum(np.power(_violations(label, prediction, margin), p)) / prediction.shape[1])


@multi_margin.gradient
def _(label: FloatArray, prediction: FloatArray, *, p: Power, margin: NonNegative) -> FloatArray:
    short = _violations(label, prediction, margin)
    slope = np.where(short > 0.0, (p / prediction.shape[1]) * np.power(short, p - 1.0), 0.0)
    slope[np.arange(len(slope)), as_codes(label)] = -row_sum(slope)
    return slope


@multi_margin.kinks
def _(label: FloatArray, prediction: FloatArray, *, p: Power, margin: NonNegative) -> tuple[FloatArray, ...]:
    chosen = one_hot(as_codes(label), prediction.shape[1])
    return () if p == 2.0 else pair_kinks(chosen, prediction, margin)
