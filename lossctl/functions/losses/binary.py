"""Losses on the probability of one class, and on its logit."""

from typing import Annotated

import numpy as np

from lossctl.domain import (
    BINARY,
    EPS,
    LEAST,
    PROBABILITY,
    FloatArray,
    Floor,
    Fraction,
    Interval,
    NonNegative,
    Positive,
    finite_sum,
)
from lossctl.functions.loss import loss
from lossctl.functions.stable import power_of_exp, power_of_rest, sigmoid_error


def _times(multiplier: FloatArray, term: FloatArray) -> FloatArray:
    """The product, where 0 times anything is 0, as in the limit y log p → 0."""
    product = multiplier * term
    return product if finite_sum(product) else np.where(multiplier == 0, 0.0, product)


def _log(probability: FloatArray, eps: float) -> FloatArray:
    """Log max(p, ε)."""
    return np.log(np.clip(probability, eps, 1.0))


def _log_complement(probability: FloatArray, eps: float) -> FloatArray:
    """Log max(1 − p, ε), with the digits of a small p."""
    return np.clip(np.log1p(-probability), np.log(np.float64(eps)), 0.0)


def _smooth(label: FloatArray, label_smoothing: float) -> tuple[FloatArray, FloatArray]:
    """The smoothed label, and 1 less it with its own digits."""
    if label_smoothing == 0:
        return label, 1.0 - label
    keep, half = 1.0 - label_smoothing, 0.5 * label_smoothing
    return label * keep + half, (1.0 - label) * keep + half


@loss(
    aliases=(
        "binary_crossentropy",
        "binary_cross_entropy",
        "xent",
        "log_loss",
        "logloss",
        "binary_logloss",
        "binary",
        "xentropy",
        "loss_binary_xent",
        "multi_cross_entropy",
    ),
    label=PROBABILITY,
    prediction=PROBABILITY,
    references=("Good 1952, Rational Decisions, doi:10.1111/j.2517-6161.1952.tb00104.x",),
    other_width=("cross_entropy", ("log_loss", "logloss")),
    peers={
        "Keras": "bce (floored at 1e-7)",
        "torch": "binary_cross_entropy (logarithms floored at −100), binary_cross_entropy_with_logits",
        "DL4J": "XENT (floored at 1e-5)",
        "scikit-learn": "log_loss",
        "optax": "sigmoid_binary_cross_entropy (of logits)",
        "CatBoost": "Logloss, CrossEntropy (of soft labels)",
        "LightGBM": "binary_logloss, cross_entropy",
        "XGBoost": "logloss, binary:logistic",
    },
)
def bce(
    label: FloatArray,
    prediction: FloatArray,
    *,
    label_smoothing: Fraction = 0.0,
    pos_weight: Positive = 1.0,
    eps: Floor = EPS,
) -> FloatArray:
    """Binary cross-entropy in nats: the log-likelihood of a yes-or-no label.

    Formula: −w y log ŷ − (1 − y) log(1 − ŷ), where w = ``pos_weight`` and y is smoothed to y(1 − a) + a/2 by a =
    ``label_smoothing``.
    Gradient: −w y/ŷ + (1 − y)/(1 − ŷ), which is (ŷ − y)/(ŷ(1 − ŷ)) for w = 1; through a sigmoid it is σ(z) − y.
    Taken at a floored ŷ: −4.5e15.
    Properties: negative log-likelihood of a Bernoulli label, in nats; convex in ŷ and in the logit; smooth; range
    [0, ∞), but probabilities are floored at ``eps`` inside the logarithms, so the worst row costs 36.04; the best
    constant is the share of positive labels (w = 1).

    Use it for binary and multi-label classification, anomaly detection, the discriminator of a GAN.
    Avoid it on scores that are no probabilities: those are logits, say so with ``--from-logits``.

    >>> from lossctl import get_loss
    >>> get_loss("bce").value([1.0, 0.0], [0.5, 0.25])
    array([0.69314718, 0.28768207])
    """
    y, rest = _smooth(label, label_smoothing)
    cost = _times(-pos_weight * y, _log(prediction, eps)) - _times(rest, _log_complement(prediction, eps))
    return cost + 0.0  # never -0


@bce.gradient
def _(
    label: FloatArray, prediction: FloatArray, *, label_smoothing: Fraction, pos_weight: Positive, eps: Floor
) -> FloatArray:
    y, rest = _smooth(label, label_smoothing)
    # Without a floor the slope is infinite where a label is ruled out, and not where none is.
    hit = np.maximum(prediction, np.where(y == 0, max(eps, LEAST), eps))
    miss = np.maximum(1.0 - prediction, np.where(rest == 0, max(eps, LEAST), eps))
    if pos_weight != 1.0:
        return rest / miss - pos_weight * y / hit
    total = hit + miss  # 1, and what the floor adds
    sure = y > 0.5  # the side that error is nearly, so that 1/ŷ and 1/(1 − ŷ) are rounded once
    # (1 − y) ŷ − y (1 − ŷ), from whichever differences from 1 are exact
    error = np.where(sure & (prediction >= 0.5), rest * total - miss, hit - y * total)
    return np.asarray(error / np.where(sure, miss, hit) / np.where(sure, hit, miss))


@bce.mirror
def _mirrored_bce(
    label: FloatArray, rest: FloatArray, *, label_smoothing: Fraction, pos_weight: Positive, eps: Floor
) -> FloatArray:
    y, not_y = _smooth(label, label_smoothing)
    cost = _times(-not_y, _log(rest, eps)) - _times(pos_weight * y, _log_complement(rest, eps))
    return cost + 0.0


@_mirrored_bce.gradient
def _(
    label: FloatArray, rest: FloatArray, *, label_smoothing: Fraction, pos_weight: Positive, eps: Floor
) -> FloatArray:
    y, not_y = _smooth(label, label_smoothing)
    hit, miss = np.maximum(1.0 - rest, eps), np.maximum(rest, eps)
    if pos_weight != 1.0:
        return _times(pos_weight * y, 1.0 / hit) - _times(not_y, 1.0 / miss)
    total = hit + miss
    error = np.where(y < 0.5, y * total - hit, miss - not_y * total)
    return np.where(not_y == 0, 1.0 / hit, error / miss / hit)


@bce.through("sigmoid")
def bce_on_logits(
    label: FloatArray,
    logit: FloatArray,
    *,
    label_smoothing: Fraction,
    pos_weight: Positive,
    eps: Floor,  # noqa: ARG001
) -> FloatArray:
    """W y softplus(−z) + (1 − y) softplus(z): two terms of one sign, so no digit is lost for any z.

    The gradient for a soft label is exact to 1e-16 of z σ(1 − σ), for a smoothed one to 1e-16.
    """
    y, rest = _smooth(label, label_smoothing)
    tail = np.log1p(np.exp(-np.abs(logit)))
    cost = pos_weight * y * (np.maximum(-logit, 0.0) + tail) + rest * (np.maximum(logit, 0.0) + tail)
    return np.asarray(cost)


@bce_on_logits.gradient
def _(
    label: FloatArray,
    logit: FloatArray,
    *,
    label_smoothing: Fraction,
    pos_weight: Positive,
    eps: Floor,  # noqa: ARG001
) -> FloatArray:
    y, rest = _smooth(label, label_smoothing)
    if pos_weight == 1.0:
        return sigmoid_error(logit, y, rest, close=0.01)
    decay = np.exp(-np.abs(logit))
    larger, smaller = 1.0 / (1.0 + decay), decay / (1.0 + decay)
    hit, miss = np.where(logit >= 0, larger, smaller), np.where(logit >= 0, smaller, larger)
    return np.asarray(rest * hit - pos_weight * y * miss)


Balance = Annotated[float, Interval(low=0.0, high=1.0, low_open=True, high_open=True)]


def _balance(label: FloatArray, alpha: float | None) -> FloatArray | float:
    return 1.0 if alpha is None else np.where(label == 1, alpha, 1.0 - alpha)


def _ease(label: FloatArray, prediction: FloatArray, gamma: float) -> FloatArray:
    """(1 − p_t)^γ, of −0 as of 0."""
    positive, rest, miss = label == 1, 1.0 - prediction, np.abs(prediction)
    return power_of_rest(np.where(positive, prediction, rest), np.where(positive, rest, miss), gamma)


@loss(
    aliases=("binary_focal_crossentropy", "focal_loss", "binary_focal_cross_entropy"),
    label=BINARY,
    prediction=PROBABILITY,
    other_width=("categorical_focal", ()),
    references=("Lin et al. 2017, Focal Loss for Dense Object Detection, arXiv:1708.02002",),
    peers={
        "Keras": "binary_focal_crossentropy (without α unless asked)",
        "optax": "sigmoid_focal_loss (of logits, without α unless asked)",
        "CatBoost": "Focal (focal_alpha and focal_gamma must be given)",
    },
)
def focal(
    label: FloatArray,
    prediction: FloatArray,
    *,
    gamma: NonNegative = 2.0,
    alpha: Balance | None = 0.25,
    eps: Floor = EPS,
) -> FloatArray:
    """Binary cross-entropy that turns away from easy rows.

    Formula: −α_t (1 − p_t)^γ log p_t, where p_t is ŷ for y = 1 and 1 − ŷ for y = 0, and α_t is α or 1 − α likewise
    (``alpha=none``: 1).
    Gradient: ±α_t (γ (1 − p_t)^(γ−1) log p_t − (1 − p_t)^γ / p_t), plus for y = 1 and minus for y = 0, at the
    floored p_t. Through a sigmoid with a γ beyond 10, both are exact to 1e-16 of γ log(1 − p_t).
    Properties: bce that turns away from easy rows, the more the larger γ; γ = 0 gives α-weighted bce; smooth; range
    [0, ∞); not convex in the logit for γ > 0; not a proper score: its best constant is not the share of positive
    labels.

    Use it under heavy class imbalance: detection, dense prediction.
    Avoid it on balanced data, and where the probabilities must be calibrated.

    >>> from lossctl import get_loss
    >>> get_loss("focal:alpha=none").value([1.0, 1.0], [0.5, 0.9])
    array([0.1732868 , 0.00105361])
    """
    positive = label == 1
    log_hit = np.where(positive, _log(prediction, eps), _log_complement(prediction, eps))
    return _balance(label, alpha) * (0.0 - _times(_ease(label, prediction, gamma), log_hit))


@focal.gradient
def _focal_slope(
    label: FloatArray, prediction: FloatArray, *, gamma: NonNegative, alpha: Balance | None, eps: Floor
) -> FloatArray:
    positive = label == 1
    hit = np.maximum(np.where(positive, prediction, 1.0 - prediction), eps)
    miss = np.where(positive, 1.0 - prediction, prediction)
    log_hit = np.where(positive, _log(prediction, eps), _log_complement(prediction, eps))
    # (1−p)^(γ−1) log p as (1−p)^γ · (log p / (1−p)): the ratio tends to −1 at p = 1, where the power may not exist.
    ratio = np.where(miss == 0, -1.0, log_hit / miss)
    slope = _times(_ease(label, prediction, gamma), 1.0 / hit - gamma * ratio)
    return np.asarray(np.where(positive, -1.0, 1.0) * _balance(label, alpha) * slope)


def _ease_of_score(u: FloatArray, tail: FloatArray, gamma: float) -> FloatArray:
    """(1 − σ(u))^γ as e^(−γ u) e^(−γ tail), or e^(−γ tail) for u < 0, where tail = log1p(e^−|u|)."""
    return np.asarray(power_of_exp(np.maximum(u, 0.0), gamma) * power_of_exp(tail, gamma))


@focal.mirror
def _mirrored_focal(
    label: FloatArray, rest: FloatArray, *, gamma: NonNegative, alpha: Balance | None, eps: Floor
) -> FloatArray:
    other = None if alpha is None else 1.0 - alpha
    return np.asarray(focal.function(1.0 - label, rest, gamma=gamma, alpha=other, eps=eps))


@_mirrored_focal.gradient
def _(label: FloatArray, rest: FloatArray, *, gamma: NonNegative, alpha: Balance | None, eps: Floor) -> FloatArray:
    other = None if alpha is None else 1.0 - alpha
    return np.asarray(_focal_slope(1.0 - label, rest, gamma=gamma, alpha=other, eps=eps))


@focal.through("sigmoid")
def focal_on_logits(
    label: FloatArray,
    logit: FloatArray,
    *,
    gamma: NonNegative,
    alpha: Balance | None,
    eps: Floor,  # noqa: ARG001
) -> FloatArray:
    """α_t (1 − q)^γ softplus(−u) for u = (2y − 1) z and q = σ(u), with log(1 − q) = −softplus(u)."""
    u = np.where(label == 1, logit, -logit)
    tail = np.log1p(np.exp(-np.abs(u)))
    cost = _ease_of_score(u, tail, gamma) * (np.maximum(-u, 0.0) + tail)
    return np.asarray(_balance(label, alpha) * cost)


@focal_on_logits.gradient
def _(
    label: FloatArray,
    logit: FloatArray,
    *,
    gamma: NonNegative,
    alpha: Balance | None,
    eps: Floor,  # noqa: ARG001
) -> FloatArray:
    positive = label == 1
    u = np.where(positive, logit, -logit)
    decay = np.exp(-np.abs(u))
    tail = np.log1p(decay)
    hit, miss = np.where(u >= 0, 1.0, decay) / (1.0 + decay), np.where(u >= 0, decay, 1.0) / (1.0 + decay)
    slope = _times(_ease_of_score(u, tail, gamma), gamma * hit * (np.maximum(-u, 0.0) + tail) + miss)
    return np.asarray(np.where(positive, -1.0, 1.0) * _balance(label, alpha) * slope)
