"""Losses on the margin y·f of a score against a ±1 label."""

import numpy as np

from lossctl.domain import REAL, SIGNS, FloatArray, NonNegative
from lossctl.functions.loss import loss


@loss(
    aliases=("hinge_loss", "binary_hinge_loss", "loss_hinge"),
    label=SIGNS,
    prediction=REAL,
    other_width=("crammer_singer", ()),
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
    aliases=("squared_hinge_loss", "loss_squared_hinge"),
    label=SIGNS,
    prediction=REAL,
    other_width=("multi_margin:p=2", ()),
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


@loss(
    aliases=("soft_margin_loss", "logistic", "logistic_loss"),
    label=SIGNS,
    prediction=REAL,
    other_width=("cross_entropy", ()),
    references=("Friedman, Hastie & Tibshirani 2000, Additive logistic regression, doi:10.1214/aos/1016218223",),
    peers={"torch": "soft_margin_loss", "scikit-learn": "HalfBinomialLoss (of labels 0 and 1)"},
)
def soft_margin(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Cross-entropy of a score against a ±1 label.

    Formula: log(1 + e^(−y ŷ)) for labels y = ±1 (0 means −1).
    Gradient: −y σ(−y ŷ).
    Properties: in nats; convex; smooth; never quite zero, linear in large violations; the best constant is the
    log-odds of the positive class. It is `bce` through a sigmoid, of scores as they are.

    Use it for logistic regression and boosting with labels of −1 and 1.
    Avoid it after a sigmoid: it is made for scores.

    >>> from lossctl import get_loss
    >>> get_loss("soft_margin").value([1.0, -1.0], [0.0, 2.0])
    array([0.69314718, 2.12692801])
    """
    margin = label * prediction
    return np.maximum(-margin, 0.0) + np.log1p(np.exp(-np.abs(margin)))


@soft_margin.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    margin = label * prediction
    decay = np.exp(-np.abs(margin))
    return np.asarray(-label * np.where(margin > 0, decay, 1.0) / (1.0 + decay))


@loss(
    aliases=("modified_huber_loss",),
    label=SIGNS,
    prediction=REAL,
    references=("Zhang 2004, Solving large scale linear prediction problems using stochastic gradient descent",),
    peers={"scikit-learn": "modified_huber (of SGDClassifier)"},
)
def modified_huber(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Squared hinge that is linear in large violations.

    Formula: max(0, 1 − y ŷ)² where y ŷ ≥ −1, else −4 y ŷ, for labels y = ±1 (0 means −1).
    Gradient: −2 y max(0, 1 − y ŷ), or −4 y where y ŷ < −1.
    Properties: convex; zero beyond the margin; differentiable everywhere; outliers count by their size, not its
    square; the best constant is 2s − 1 for a share s of positive labels.

    Use it for max-margin classifiers on data with mislabelled rows.
    Avoid it when probabilities are wanted, or after a sigmoid: it is made for scores.

    >>> from lossctl import get_loss
    >>> get_loss("modified_huber").value([1.0, -1.0], [0.5, 3.0])
    array([ 0.25, 12.  ])
    """
    return _modified(np.maximum(0.0, 1.0 - label * prediction))


def _modified(violation: FloatArray) -> FloatArray:
    """The square of a violation up to 2, then its tangent."""
    near = np.minimum(violation, 2.0)
    return near * (violation + (violation - near))


@modified_huber.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return -2.0 * label * np.clip(1.0 - label * prediction, 0.0, 2.0)


@modified_huber.on_error()
def _modified_huber_of_error(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG001
    return _modified(np.maximum(0.0, -label * error))


@_modified_huber_of_error.gradient
def _(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG001
    return np.asarray(-2.0 * label * np.clip(-label * error, 0.0, 2.0))


@loss(
    aliases=("perceptron_loss",),
    label=SIGNS,
    prediction=REAL,
    other_width=("crammer_singer:margin=0", ()),
    references=("Rosenblatt 1958, The Perceptron, doi:10.1037/h0042519",),
    peers={
        "scikit-learn": "perceptron (of SGDClassifier; its slope at 0 is −y)",
        "optax": "perceptron_loss (0 is no −1)",
    },
)
def perceptron(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """How far a score is on the wrong side: the hinge without a margin.

    Formula: max(0, −y ŷ) for labels y = ±1 (0 means −1).
    Gradient: −y where y ŷ < 0, 0 elsewhere, the kink included.
    Properties: convex; zero on the right side, however near; a kink at ŷ = 0; a score of 0 for every row is a best
    constant and costs nothing. It is `hinge` with a margin of 0, and of several classes `crammer_singer` with one.

    Use it for online learning, and to say by how much wrong scores are wrong.
    Avoid it to train anything that may answer 0: that is a perfect score.

    >>> from lossctl import get_loss
    >>> get_loss("perceptron").value([1.0, -1.0], [0.5, 3.0])
    array([0., 3.])
    """
    return np.maximum(0.0, -label * prediction)


@perceptron.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return np.where(label * prediction < 0.0, -label, 0.0)


@perceptron.kinks
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG001
    return np.zeros_like(prediction)


@loss(
    aliases=("wasserstein_loss", "loss_wasserstein"),
    label=SIGNS,
    prediction=REAL,
    references=("Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, arXiv:1701.07875",),
    peers={"DL4J": "WASSERSTEIN (labels as they are)"},
)
def wasserstein(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Score of a critic times the sign of its label: what a Wasserstein GAN trades.

    Formula: y ŷ for labels y = ±1 (0 means −1).
    Gradient: y.
    Properties: linear, so convex; of either sign and without a least value: there is no best constant, and no skill.

    Use it for the critic of a Wasserstein GAN, whose scores something else bounds.
    Avoid it to judge a classifier: a larger score of the same sign is always better.

    >>> from lossctl import get_loss
    >>> get_loss("wasserstein").value([1.0, -1.0], [0.5, 3.0])
    array([ 0.5, -3. ])
    """
    return label * prediction


@wasserstein.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return label + np.zeros_like(prediction)
