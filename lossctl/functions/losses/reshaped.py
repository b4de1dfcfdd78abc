"""Cross-entropy reshaped: what easy, wrong or mislabelled rows count for is another share of the whole."""

from typing import Annotated

import numpy as np

from lossctl.domain import EPS, POSITIVE, FloatArray, Floor, Interval, Listed, NonNegative, row_sum
from lossctl.functions.class_labels import as_rows, expected
from lossctl.functions.exponential_gap import gap
from lossctl.functions.loss import loss
from lossctl.functions.softmax import Softmax
from lossctl.functions.stable import counted, log1pmx, power_of_exp, power_of_rest
from lossctl.functions.tempered_softmax import TemperedSoftmax
from lossctl.row_domains import CLASSES_OR_SIMPLEX, SIMPLEX, VECTOR

Exponent = Annotated[float, Interval(low=0.0, high=1.0)]
Temper = Annotated[float, Interval(low=1.0)]
Slant = Annotated[float, Interval(low=-1.0)]
Factors = Annotated[tuple[float, ...] | float, Listed(POSITIVE, alone=True)]
ALMOST_LOG = 1e-17
"""A q log p up to which (1 − p^q)/q is −log p."""


def _scale(alpha: Factors | None) -> float:
    """The factor of every class, where they have one in common."""
    return 1.0 if alpha is None or isinstance(alpha, tuple) else alpha


def _scales(alpha: Factors | None, prediction: FloatArray) -> tuple[FloatArray, ...]:
    """The factor of each number of a prediction, where classes have factors of their own."""
    return (np.broadcast_to(np.array(alpha), prediction.shape),) if isinstance(alpha, tuple) else ()


def _focal_pull(p: FloatArray, rest: FloatArray, log_hit: FloatArray, gamma: float) -> FloatArray:
    """(1 − p)^γ − γ p (1 − p)^(γ−1) log p, with the limit of log p / (1 − p) at p = 1."""
    ratio = np.where(rest == 0, -1.0, log_hit / rest)
    ease = power_of_rest(p, rest, gamma)
    return np.where(ease == 0, 0.0, ease * (1.0 - gamma * np.where(p == 0, 0.0, p * ratio)))


@loss(
    aliases=("categorical_focal_crossentropy", "categorical_focal_cross_entropy"),
    label=CLASSES_OR_SIMPLEX,
    prediction=SIMPLEX,
    other_width=("focal", ()),
    references=("Lin et al. 2017, Focal Loss for Dense Object Detection, arXiv:1708.02002",),
    peers={"Keras": "categorical_focal_crossentropy (floored at 1e-7; rows are rescaled to sum to 1)"},
)
def categorical_focal(
    label: FloatArray,
    prediction: FloatArray,
    *,
    gamma: NonNegative = 2.0,
    alpha: Factors | None = 0.25,
    eps: Floor = EPS,
) -> FloatArray:
    """Cross-entropy of classes that turns away from easy rows.

    Formula: −Σ_k α_k y_k (1 − ŷ_k)^γ log ŷ_k, y one-hot for a class label; α is one factor for all classes
    (``alpha=none``: 1), or one of each, as in ``alpha=0.2/0.3/0.5``.
    Gradient: α y (γ (1 − ŷ)^(γ−1) log ŷ − (1 − ŷ)^γ / ŷ), at the floored ŷ; through a softmax it is
    α ((1 − q)^γ − γ q (1 − q)^(γ−1) log q)(p − onehot) for a class of probability q.
    Properties: cross_entropy that turns away from easy rows, the more the larger γ; γ = 0 gives α times it; convex in
    ŷ, but not convex in the logits; smooth; range [0, ∞); not a proper score: its best constant is not the shares of
    the classes. On logits exact to γ 1e-15.

    Use it under heavy class imbalance.
    Avoid it on balanced data, and where the probabilities must be calibrated.

    >>> from lossctl import get_loss
    >>> get_loss("categorical_focal:alpha=none").value([0, 0], [[0.5, 0.5], [0.9, 0.1]])
    array([0.1732868 , 0.00105361])
    """
    every = _scale(alpha)

    def cost(p: FloatArray, scale: FloatArray | float = every) -> FloatArray:
        return scale * power_of_rest(p, 1.0 - p, gamma) * -np.log(np.maximum(p, eps))

    return expected(label, cost, prediction, *_scales(alpha, prediction))


@categorical_focal.gradient
def _(
    label: FloatArray, prediction: FloatArray, *, gamma: NonNegative, alpha: Factors | None, eps: Floor
) -> FloatArray:
    every = _scale(alpha)

    def slope(target: FloatArray, p: FloatArray, scale: FloatArray | float = every) -> FloatArray:
        hit, rest = np.maximum(p, eps), 1.0 - p
        ratio = np.where(rest == 0, -1.0, np.log(hit) / rest)
        ease = power_of_rest(p, rest, gamma)
        return np.where(ease == 0, 0.0, scale * target * ease * (gamma * ratio - 1.0 / hit))

    return counted(as_rows(label, prediction.shape[1]), slope, prediction, *_scales(alpha, prediction))


@categorical_focal.through("softmax")
def categorical_focal_on_logits(
    label: FloatArray, logit: FloatArray, *, gamma: NonNegative, alpha: Factors | None, eps: Floor
) -> FloatArray:
    """−α (1 − q)^γ log q, from the others where q is the largest."""
    every = _scale(alpha)

    def cost(p: FloatArray, rest: FloatArray, cost: FloatArray, scale: FloatArray | float = every) -> FloatArray:
        return scale * power_of_rest(p, rest, gamma) * cost

    soft = Softmax(logit)
    return expected(label, cost, soft.p, soft.rest, soft.cost(eps), *_scales(alpha, logit))


@categorical_focal_on_logits.gradient
def _(
    label: FloatArray,
    logit: FloatArray,
    *,
    gamma: NonNegative,
    alpha: Factors | None,
    eps: Floor,
) -> FloatArray:
    every = _scale(alpha)

    def weight(
        target: FloatArray, p: FloatArray, rest: FloatArray, cost: FloatArray, scale: FloatArray | float = every
    ) -> FloatArray:
        return -(scale * target) * _focal_pull(p, rest, -cost, gamma)

    soft, target = Softmax(logit), as_rows(label, logit.shape[1])
    return soft.pulled(counted(target, weight, soft.p, soft.rest, soft.cost(eps), *_scales(alpha, logit)))


@loss(
    aliases=("generalized_cross_entropy", "categorical_generalized_cross_entropy"),
    label=CLASSES_OR_SIMPLEX,
    prediction=SIMPLEX,
    references=("Zhang & Sabuncu 2018, Generalized Cross Entropy Loss, arXiv:1805.07836",),
    peers={"Keras": "CategoricalGeneralizedCrossEntropy (q=0.5)"},
)
def gce(label: FloatArray, prediction: FloatArray, *, q: Exponent = 0.7) -> FloatArray:
    """Generalised cross-entropy: between the logarithm and the error of the true class, so wrong labels count less.

    Formula: (1 − ŷ_y^q) / q for a class label, Σ_k y_k (1 − ŷ_k^q) / q for one-hot or soft labels; −log ŷ_y for q = 0.
    Gradient: −y ŷ^(q−1), −∞ at ŷ = 0 unless q = 1; through a softmax it is ŷ_y^q (p − onehot(y)).
    Properties: q near 0 is cross_entropy, q = 1 is 1 − ŷ_y; convex in ŷ, but not convex in the logits; smooth; range
    [0, 1/q]; without a floor, as the power needs none: q = 0 may be infinite; not a proper score: its best constant
    is not the shares of the classes.

    Use it to train on noisy labels.
    Avoid it to judge probabilities: it rewards those that are too sure.

    >>> from lossctl import get_loss
    >>> get_loss("gce:q=0.5").value([0, 1], [[0.25, 0.75], [1.0, 0.0]])
    array([1., 2.])
    """
    return expected(label, lambda p: _flattened(np.log(p), q), prediction)


def _flattened(log_hit: FloatArray, q: float) -> FloatArray:
    """(1 − p^q)/q from log p; −log p in the limit."""
    power = q * log_hit
    return np.where(np.abs(power) >= ALMOST_LOG, -np.expm1(power) / q, -log_hit) + 0.0


@gce.gradient
def _(label: FloatArray, prediction: FloatArray, *, q: Exponent) -> FloatArray:
    target = as_rows(label, prediction.shape[1])
    return counted(target, lambda y, p: -y * np.power(p, q - 1.0), prediction)


@gce.through("softmax")
def gce_on_logits(label: FloatArray, logit: FloatArray, *, q: Exponent) -> FloatArray:
    """(1 − e^(q log p))/q with the log-softmax."""
    return expected(label, lambda log_hit: _flattened(log_hit, q), Softmax(logit).log_p)


@gce_on_logits.gradient
def _(label: FloatArray, logit: FloatArray, *, q: Exponent) -> FloatArray:
    soft, target = Softmax(logit), as_rows(label, logit.shape[1])
    return soft.pulled(counted(target, lambda y, log_p: -y * power_of_exp(-log_p, q) if q else -y, soft.log_p))


@loss(
    aliases=("poly1", "poly1_cross_entropy", "poly_loss", "poly_loss_cross_entropy"),
    label=CLASSES_OR_SIMPLEX,
    prediction=SIMPLEX,
    references=("Leng et al. 2022, PolyLoss, arXiv:2204.12511",),
    peers={"optax": "poly_loss_cross_entropy (of logits)"},
)
def poly1_ce(label: FloatArray, prediction: FloatArray, *, epsilon: Slant = 2.0, eps: Floor = EPS) -> FloatArray:
    """Cross-entropy and a share of the error of the true class.

    Formula: Σ_k y_k (−log ŷ_k + ε (1 − ŷ_k)), y one-hot for a class label, where ε = ``epsilon``.
    Gradient: −y (1/ŷ + ε) at the floored ŷ; through a softmax it is (1 + ε q)(p − onehot) for a class of probability
    q.
    Properties: ε = 0 is cross_entropy, more of it keeps the pull on rows that are nearly right; falls in ŷ for ε ≥ −1
    only, so no less is taken; convex in ŷ; smooth; range [0, ∞), but probabilities are floored at ``eps`` inside the
    logarithm; not a proper score unless ε = 0: its best constant is not the shares of the classes.

    Use it to tune how much of the slope is left for rows that are nearly right.
    Avoid it to judge probabilities: they are pulled towards certainty.

    >>> from lossctl import get_loss
    >>> get_loss("poly1_ce").value([0, 1], [[0.5, 0.5], [0.75, 0.25]])
    array([1.69314718, 2.88629436])
    """

    def cost(p: FloatArray) -> FloatArray:
        hit, rest = np.maximum(p, eps), 1.0 - p
        return _slanted(-rest, np.log(hit), rest, epsilon)

    return expected(label, cost, prediction)


def _slanted(change: FloatArray, log_hit: FloatArray, rest: FloatArray, epsilon: float) -> FloatArray:
    """−log p + ε (1 − p) as (−log p − (1 − p)) + (1 + ε)(1 − p): two terms that are never negative."""
    return np.asarray(log1pmx(change, log_hit) + (1.0 + epsilon) * rest)


@poly1_ce.gradient
def _(label: FloatArray, prediction: FloatArray, *, epsilon: Slant, eps: Floor) -> FloatArray:
    def slope(target: FloatArray, p: FloatArray) -> FloatArray:
        hit = np.maximum(p, eps)
        return -target * np.where(p < eps, 1.0 / hit + epsilon, ((1.0 - p) + (1.0 + epsilon) * p) / hit)

    return counted(as_rows(label, prediction.shape[1]), slope, prediction)


@poly1_ce.through("softmax")
def poly1_ce_on_logits(label: FloatArray, logit: FloatArray, *, epsilon: Slant, eps: Floor) -> FloatArray:
    """−log q + ε (1 − q), from the others where q is the largest."""
    soft = Softmax(logit)
    return expected(label, lambda rest, cost: _slanted(-rest, -cost, rest, epsilon), soft.rest, soft.cost(eps))


@poly1_ce_on_logits.gradient
def _(label: FloatArray, logit: FloatArray, *, epsilon: Slant, eps: Floor) -> FloatArray:  # noqa: ARG001
    soft, target = Softmax(logit), as_rows(label, logit.shape[1])
    return soft.pulled(-target * (soft.rest + (1.0 + epsilon) * soft.p))


@loss(
    aliases=("bi_tempered_loss", "bi_tempered_logistic", "bi_tempered_logistic_loss"),
    label=CLASSES_OR_SIMPLEX,
    prediction=VECTOR,
    references=("Amid et al. 2019, Robust Bi-Tempered Logistic Loss Based on Bregman Divergences, arXiv:1906.03361",),
    peers={"bi-tempered-loss": "bi_tempered_logistic_loss (label_smoothing, and t1 and t2, must be given)"},
)
def bi_tempered(label: FloatArray, prediction: FloatArray, *, t1: Exponent = 0.8, t2: Temper = 1.2) -> FloatArray:
    """Cross-entropy of scores with a bounded logarithm and a heavy-tailed softmax, for labels that may be wrong.

    Formula: Σ_k (y_k (log_t1 y_k − log_t1 p_k) − (y_k^(2−t1) − p_k^(2−t1)) / (2 − t1)), where p_k = exp_t2(ŷ_k − λ) sum
    to 1, log_t x = (x^(1−t) − 1)/(1 − t), and exp_t is its inverse; y one-hot for a class label.
    Gradient: p_j^t2 (r_j − Σ_k p_k^t2 r_k / Σ_k p_k^t2), where r = (p − y) p^(−t1).
    Properties: never negative; of scores, whose softmax is its own: there is no activation to name; t1 = t2 = 1 is
    `cross_entropy` of logits, t1 < 1 bounds what a single row costs, by about 1/(1 − t1), t2 > 1 leaves a slope on rows
    that are wrong without bound; not convex for t2 > 1; smooth; adding a number to a row changes nothing.

    Use it to train on noisy labels.
    Avoid it to judge probabilities: these are scores, and a loss of mislabelled rows is meant to be small.

    >>> from lossctl import get_loss
    >>> get_loss("bi_tempered").value([0, 0], [[2.0, 0.0], [-40.0, 0.0]])
    array([0.10958136, 4.44442929])
    """
    soft, target = TemperedSoftmax(prediction, t2), as_rows(label, prediction.shape[1])
    hit = target > 0
    distance = np.where(hit, soft.log_p - np.log(np.where(hit, target, 1.0)), 0.0)
    power = 2.0 - t1
    return row_sum(
        np.where(hit, np.power(target, power) * gap(distance, 1.0 - t1), power_of_exp(-soft.log_p, power) / power)
    )


@bi_tempered.gradient
def _(label: FloatArray, prediction: FloatArray, *, t1: Exponent, t2: Temper) -> FloatArray:
    soft, target = TemperedSoftmax(prediction, t2), as_rows(label, prediction.shape[1])
    weight = power_of_exp(-soft.log_p, t2)
    pull = soft.error(target) * (power_of_exp(-soft.log_p, t2 - t1) if t2 > t1 else 1.0)
    slope = pull - weight * (row_sum(pull) / row_sum(weight))[:, None]
    (own, others), (weight_at_top, rest) = soft.split(pull), soft.split(weight)
    slope[soft.rows, soft.top] = (own * rest - weight_at_top * others) / (weight_at_top + rest)
    return slope
