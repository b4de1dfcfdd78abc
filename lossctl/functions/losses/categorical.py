"""Losses on a row of class probabilities, and on the logits they come from."""

from collections.abc import Callable

import numpy as np

from lossctl.domain import EPS, Domain, FloatArray, Floor, Fraction, row_sum
from lossctl.functions.class_labels import expected, one_hot, pick
from lossctl.functions.loss import loss
from lossctl.functions.softmax import Softmax, largest_and_total
from lossctl.functions.stable import counted, excess
from lossctl.row_domains import CLASSES, CLASSES_OR_SIMPLEX, LOG_SIMPLEX, SIMPLEX


def _target(label: FloatArray, k: int, label_smoothing: float) -> FloatArray:
    """The label smoothed towards 1/k; class codes stay codes when there is nothing to smooth."""
    if label_smoothing == 0:
        return label
    hard = one_hot(label, k) if label.ndim == 1 else label
    return hard * (1.0 - label_smoothing) + label_smoothing / k


def _expected_on_logits(target: FloatArray, logit: FloatArray, eps: float) -> FloatArray:
    """Σ_k y_k (log Σ e^z − z_k), where a class of z = −∞ has the floor for its probability: that is exactly 0."""
    most = -np.log(np.float64(eps))
    if target.ndim == 1:
        largest, log_total = largest_and_total(logit)
        hit = pick(logit, target)
        value = log_total - (hit - largest)
        value[value == np.inf] = np.where(hit[value == np.inf] == -np.inf, most, np.inf)
        return value
    soft = Softmax(logit)
    log_total = np.broadcast_to(soft.log_total[:, None], logit.shape)
    value = expected(target, np.subtract, log_total, soft.shifted)
    rows = np.flatnonzero(value == np.inf)
    if len(rows):
        target, logit = target[rows], logit[rows]
        cost = np.where(logit == -np.inf, most, log_total[rows] - soft.shifted[rows])
        value[rows] = row_sum(np.where(target == 0, 0.0, target * cost))
    return value


def _pull_to_target(target: FloatArray, logit: FloatArray) -> FloatArray:
    """P Σy − y; at the largest logit, where p is near 1, as Σ_(k≠j) y_k − (1 − p_j) Σy: 1 − p keeps its digits."""
    soft = Softmax(logit)
    p = soft.p
    if target.ndim == 1:
        at_class = soft.rows, target.astype(np.intp)
        p[at_class] = np.where(soft.top == target, -soft.miss, p[at_class] - 1.0)
        return p
    total, rest, at_top = row_sum(target), target.copy(order="K"), (soft.rows, soft.top)
    rest[at_top] = 0.0
    slope = p * total[:, None] - target
    slope[at_top] = row_sum(rest) - soft.miss * total
    return slope


def _per_hit(target: FloatArray, prediction: FloatArray, eps: float) -> FloatArray:
    """−y / max(p, ε)."""
    weight = one_hot(target, prediction.shape[1]) if target.ndim == 1 else target
    return counted(weight, lambda y, p: -y / np.maximum(p, eps), prediction)


def _counted(label: FloatArray, prediction: FloatArray, *, label_smoothing: float, eps: float) -> FloatArray:  # noqa: ARG001
    """The probabilities that a loss takes the logarithm of: for a class code only that of the class."""
    return pick(prediction, label) if label.ndim == 1 and label_smoothing == 0 else prediction


@loss(
    aliases=(
        "ce",
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        "mcxent",
        "sparse_mcxent",
        "multi_class",
        "multi_logloss",
        "mlogloss",
        "loss_mcxent",
        "loss_sparse_mcxent",
        "sparse_ce",
    ),
    label=CLASSES_OR_SIMPLEX,
    prediction=SIMPLEX,
    references=("Good 1952, Rational Decisions, doi:10.1111/j.2517-6161.1952.tb00104.x",),
    floored=_counted,
    other_width=("bce", ("cross_entropy", "ce")),
    peers={
        "Keras": "categorical_crossentropy, sparse_categorical_crossentropy (rows are rescaled to sum to 1)",
        "torch": "cross_entropy (of logits)",
        "DL4J": "MCXENT, SPARSE_MCXENT",
        "scikit-learn": "log_loss",
        "optax": "softmax_cross_entropy, softmax_cross_entropy_with_integer_labels (of logits)",
        "CatBoost": "MultiClass",
        "LightGBM": "multi_logloss",
        "XGBoost": "mlogloss",
    },
)
def cross_entropy(
    label: FloatArray, prediction: FloatArray, *, label_smoothing: Fraction = 0.0, eps: Floor = EPS
) -> FloatArray:
    """Surprise in nats at the true class: one label of many.

    Formula: −log ŷ_y for a class label, −Σ_k y_k log ŷ_k for one-hot or soft labels, y smoothed to y(1 − a) + a/K
    by a = ``label_smoothing``.
    Gradient: −y/ŷ at the floored ŷ, so −4.5e15 for ŷ_y = 1e-20; through a softmax it is p Σy − y, exact to 1e-16 of p
    beside a soft label.
    Properties: a proper score, in nats: least in expectation for the true probabilities; convex in ŷ and in the
    logits; smooth; range [0, ∞), but probabilities are floored at ``eps`` inside the logarithm; the best constant
    row is the shares of the classes. Rows must sum to 1 and are never rescaled silently. A logit of −inf is a
    probability of exactly 0, and floored like one where its class counts: as the label, or by smoothing.

    Use it for classification with one label of many.
    Avoid it when several labels may be true at once: that is `bce` on several columns.

    >>> from lossctl import get_loss
    >>> get_loss("cross_entropy").value([0, 1], [[0.5, 0.5], [0.75, 0.25]])
    array([0.69314718, 1.38629436])
    """
    target = _target(label, prediction.shape[1], label_smoothing)
    return expected(target, lambda p: -np.log(np.maximum(p, eps)), prediction)


@cross_entropy.gradient
def _(label: FloatArray, prediction: FloatArray, *, label_smoothing: Fraction, eps: Floor) -> FloatArray:
    return _per_hit(_target(label, prediction.shape[1], label_smoothing), prediction, eps)


@cross_entropy.through("softmax")
def cross_entropy_on_logits(
    label: FloatArray,
    logit: FloatArray,
    *,
    label_smoothing: Fraction,
    eps: Floor,
) -> FloatArray:
    """Log Σ e^z − z_y, around the largest logit."""
    return _expected_on_logits(_target(label, logit.shape[1], label_smoothing), logit, eps)


@cross_entropy_on_logits.gradient
def _(label: FloatArray, logit: FloatArray, *, label_smoothing: Fraction, eps: Floor) -> FloatArray:  # noqa: ARG001
    return _pull_to_target(_target(label, logit.shape[1], label_smoothing), logit)


def _nll_prediction(*, log: bool = False, eps: float = EPS) -> Domain:  # noqa: ARG001
    return LOG_SIMPLEX if log else SIMPLEX


def _nll_floored(label: FloatArray, prediction: FloatArray, *, log: bool, eps: float) -> FloatArray:  # noqa: ARG001
    at_class = pick(prediction, label)
    return np.exp(at_class) if log else at_class


@loss(
    aliases=("negativeloglikelihood", "negative_log_likelihood", "nll_loss", "loss_negative_log_likelihood"),
    label=CLASSES,
    prediction=_nll_prediction,
    references=("Fisher 1922, On the mathematical foundations of theoretical statistics",),
    floored=_nll_floored,
    peers={
        "torch": "nll_loss (of log-probabilities: log=true)",
        "DL4J": "NEGATIVELOGLIKELIHOOD (the same as MCXENT)",
        "CatBoost": "LogLikelihoodOfPrediction",
    },
)
def nll(label: FloatArray, prediction: FloatArray, *, log: bool = False, eps: Floor = EPS) -> FloatArray:
    """Negative log-likelihood of the true class.

    Formula: −log ŷ_y, or −ŷ_y where predictions are log-probabilities (``log=true``).
    Gradient: −1/ŷ_y, at the floored ŷ, at the true class, or −1, and 0 elsewhere; through a softmax it is
    p − onehot(y).
    Properties: the cross-entropy of class labels under its statistical name, in nats; a proper score; convex in ŷ
    and in the logits; smooth; range [0, ∞); the best constant row is the shares of the classes.

    Use it where a model writes log-probabilities, or to say likelihood rather than cross-entropy.
    Avoid it with soft labels: `cross_entropy` takes those.

    >>> from lossctl import get_loss
    >>> get_loss("nll").value([1], [[0.5, 0.5]])
    array([0.69314718])
    """
    at_class = pick(prediction, label)
    return -at_class + 0.0 if log else -np.log(np.maximum(at_class, eps)) + 0.0


@nll.gradient
def _(label: FloatArray, prediction: FloatArray, *, log: bool, eps: Floor) -> FloatArray:
    return -one_hot(label, prediction.shape[1]) if log else _per_hit(label, prediction, eps)


@nll.through("softmax")
def nll_on_logits(label: FloatArray, logit: FloatArray, *, log: bool, eps: Floor) -> FloatArray:  # noqa: ARG001
    """Log Σ e^z − z_y; log-probabilities are their own log-softmax, so ``log`` changes nothing."""
    return _expected_on_logits(label, logit, eps)


@nll_on_logits.gradient
def _(label: FloatArray, logit: FloatArray, *, log: bool, eps: Floor) -> FloatArray:  # noqa: ARG001
    return _pull_to_target(label, logit)


def _divergence(
    p: FloatArray, q: FloatArray, floored: FloatArray, log_ratio: Callable[..., FloatArray], *terms: FloatArray
) -> FloatArray:
    """Σ p log(p/q), as Σ (p log(p/q) − p + q) of terms that are never negative, and Σ (p − q).

    The second sum is 0 for two distributions, and what it comes to by the rounding of their entries is no part of
    the divergence; where it is more than that, the rows do not sum to 1, and it is.
    """
    parts = excess(p, floored, log_ratio, *terms)
    beyond = row_sum(parts if floored is q else parts + (q - floored))
    defect = row_sum(p - q)
    rounding = np.abs(defect) <= EPS * p.shape[1]
    return np.where(rounding, np.maximum(beyond, 0.0), beyond + defect)


def _log_ratio(p: FloatArray, q: FloatArray) -> FloatArray:
    """log(p/q), with its digits when the two are close; beside q = 0 the limit is infinite, at p = 0 as well."""
    close = np.abs(p - q) < 0.5 * q
    return np.where(q == 0, np.inf, np.where(close, np.log1p((p - q) / q), np.log(p) - np.log(q)))


def _kl_floored(label: FloatArray, prediction: FloatArray, *, reverse: bool, eps: float) -> FloatArray:  # noqa: ARG001
    return label if reverse else prediction


@loss(
    aliases=(
        "kl",
        "kld",
        "kldiv",
        "kullback_leibler_divergence",
        "reconstruction_crossentropy",
        "loss_kld",
        "kl_div_loss",
    ),
    label=SIMPLEX,
    prediction=SIMPLEX,
    references=("Kullback & Leibler 1951, On Information and Sufficiency, doi:10.1214/aoms/1177729694",),
    floored=_kl_floored,
    peers={
        "Keras": "kld, KLDivergence, kullback_leibler_divergence (both sides clipped to [1e-7, 1])",
        "torch": "kl_div (of log ŷ; its mean divides by n·K)",
        "DL4J": "KL_DIVERGENCE, RECONSTRUCTION_CROSSENTROPY",
        "optax": "kl_divergence (of log ŷ)",
        "LightGBM": "kullback_leibler (of a binary label)",
    },
)
def kl_divergence(label: FloatArray, prediction: FloatArray, *, reverse: bool = False, eps: Floor = EPS) -> FloatArray:
    """Nats lost by coding one distribution with another: cross-entropy minus the entropy of the label.

    Formula: D(y‖ŷ) = Σ_k y_k log(y_k / ŷ_k), or D(ŷ‖y) with ``reverse=true``; a term of probability 0 counts 0. It
    is computed as Σ_k (y_k log(y_k / ŷ_k) − y_k + ŷ_k), whose terms are never negative; what Σy and Σŷ differ by is
    left out where it is no more than rounding (K 2⁻⁵²), and counts as the formula says where it is more: rows that
    sum to 1.0001 can come below 0.
    Gradient: −y/ŷ at the floored ŷ (reverse: log(ŷ/y) + 1); through a softmax it is p Σy − y.
    Properties: cross-entropy less the entropy of the label, in nats; non-negative, and 0 only for equal rows; not
    symmetric; on logits exact to about 1e-16/√D, since p is rounded; convex; smooth inside the simplex; the best
    constant row is the mean of the labels (reverse: their geometric mean, rescaled).

    Use it for soft labels, distillation, variational models.
    Avoid it where symmetry is wanted.

    >>> from lossctl import get_loss
    >>> get_loss("kl_divergence").value([[0.5, 0.5]], [[0.25, 0.75]])
    array([0.14384104])
    """
    p, q = (prediction, label) if reverse else (label, prediction)
    floored = np.maximum(q, eps)
    return _divergence(p, q, floored, lambda p, q: np.log(p) - np.log(q), p, floored)


@kl_divergence.gradient
def _(label: FloatArray, prediction: FloatArray, *, reverse: bool, eps: Floor) -> FloatArray:
    if reverse:
        return _log_ratio(prediction, np.maximum(label, eps)) + 1.0
    return _per_hit(label, prediction, eps)


@kl_divergence.through("softmax")
def kl_divergence_on_logits(label: FloatArray, logit: FloatArray, *, reverse: bool, eps: Floor) -> FloatArray:
    """The divergence with log p = z − log Σ e^z, which never underflows."""
    soft, impossible = Softmax(logit), logit == -np.inf
    p, shifted, total = soft.p, soft.shifted, np.broadcast_to(soft.log_total[:, None], logit.shape)
    if not reverse:
        floored = p
        if impossible.any():
            floored = np.where(impossible, eps, p)
            shifted = np.where(impossible, np.log(np.float64(eps)) + total, shifted)
        return _divergence(label, p, floored, lambda y, z, total: np.log(y) - (z - total), label, shifted, total)
    floored = np.maximum(label, eps)
    value = _divergence(p, label, floored, lambda y, z, total: (z - total) - np.log(y), floored, shifted, total)
    # Also where p underflows, it is above 0.
    return np.where(((floored == 0) & ~impossible).any(axis=1), np.inf, value)


@kl_divergence_on_logits.gradient
def _(label: FloatArray, logit: FloatArray, *, reverse: bool, eps: Floor) -> FloatArray:
    if not reverse:
        return _pull_to_target(label, logit)
    soft, impossible = Softmax(logit), logit == -np.inf
    log_ratio = soft.log_p - np.log(np.maximum(label, eps))
    p = soft.p
    mean = row_sum(np.where(impossible | ((p == 0) & np.isfinite(log_ratio)), 0.0, p * log_ratio))
    slope = np.where(np.isinf(log_ratio), np.inf, np.where(p == 0, 0.0, p * (log_ratio - mean[:, None])))
    return np.where(impossible, 0.0, slope)
