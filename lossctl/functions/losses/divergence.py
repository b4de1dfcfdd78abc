"""Divergences of rows of amounts or probabilities, term by term and never negative."""

import sys

import numpy as np

from lossctl.domain import FloatArray, row_sum
from lossctl.functions.loss import loss
from lossctl.functions.softmax import Softmax
from lossctl.functions.stable import amended, counted, excess, exp_error
from lossctl.row_domains import AMOUNTS, SIMPLEX

BEYOND = 1e3
"""A logarithm of what is infinite."""
NEAR = 0.5
"""A contrast t below which (1 + t) log(1 + t) and (1 − t) log(1 − t) cancel."""

NORMAL = sys.float_info.min
"""A number below which doubles lose digits."""


def _contrast(label: FloatArray, prediction: FloatArray, error: FloatArray) -> FloatArray:
    """(ŷ − y)/(ŷ + y), 1 where y is 0."""
    return np.where(label == 0, 1.0, error / (label + prediction))


def _part(numbers: FloatArray, middle: FloatArray) -> FloatArray:
    """P log(p/m), 0 for p = 0."""
    return counted(numbers, lambda p, m: p * np.log(p / np.where(m == 0, p, m)), middle)


def _shannon(label: FloatArray, prediction: FloatArray, error: FloatArray) -> FloatArray:
    """½ Σ (y log(y/m) + ŷ log(ŷ/m)) for m = (y + ŷ)/2, near t = 0 as m (2t atanh t + log1p(−t²))."""
    t, middle = _contrast(label, prediction, error), 0.5 * label + 0.5 * prediction

    def nearby(t: FloatArray, middle: FloatArray) -> FloatArray:
        return middle * (2.0 * t * np.arctanh(t) + np.log1p(-t * t))

    parts = _part(label, middle) + _part(prediction, middle)
    return 0.5 * row_sum(amended(parts, np.abs(t) < NEAR, nearby, t, middle))


def _log_quotient(p: FloatArray, q: FloatArray) -> FloatArray:
    """Log(p/q), as a difference where the quotient is subnormal."""
    quotient = p / q
    return amended(np.log(quotient), quotient < NORMAL, lambda p, q: np.log(p) - np.log(q), p, q)


def _shannon_slope(label: FloatArray, prediction: FloatArray, error: FloatArray) -> FloatArray:
    """½ log(ŷ/m), which is ½ log1p t."""
    t = _contrast(label, prediction, error)
    return 0.5 * np.where(t > -NEAR, np.log1p(t), _log_quotient(2.0 * prediction, label + prediction))


@loss(
    aliases=("js", "jsd", "jensen_shannon", "jensen_shannon_divergence"),
    label=SIMPLEX,
    prediction=SIMPLEX,
    references=("Lin 1991, Divergence measures based on the Shannon entropy, doi:10.1109/18.61115",),
    peers={
        "SciPy": "jensenshannon (its square root)",
        "torchmetrics": "jensen_shannon_divergence (rows are rescaled to sum to 1)",
    },
)
def js_divergence(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Nats between two distributions and their middle: symmetric, and finite for any two.

    Formula: ½ D(y‖m) + ½ D(ŷ‖m), where m = (y + ŷ)/2 and D is `kl_divergence`; a term of probability 0 counts 0.
    Gradient: ½ log(ŷ/m), −∞ at ŷ = 0 beside y > 0; through a softmax it is w − p Σw for w = ½ p log(p/m).
    Properties: symmetric; range [0, log 2], 0 only for equal rows and log 2 = 0.69 for rows without a class in common;
    convex in ŷ, but not convex in the logits; smooth inside the simplex; its root is a metric. Not a proper score: its
    best constant is not the mean of the labels.

    Use it to compare distributions where classes may have a probability of 0.
    Avoid it as a score of forecasts against one class: `cross_entropy` is proper.

    >>> from lossctl import get_loss
    >>> get_loss("js_divergence").value([[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [0.0, 1.0]])
    array([0.03382208, 0.69314718])
    """
    return _shannon(label, prediction, prediction - label)


@js_divergence.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return _shannon_slope(label, prediction, prediction - label)


@js_divergence.through("softmax")
def js_divergence_on_logits(label: FloatArray, logit: FloatArray) -> FloatArray:
    """The divergence of the softmax, with 1 − p at the largest logit."""
    soft = Softmax(logit)
    return _shannon(label, soft.p, soft.error(label))


@js_divergence_on_logits.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:
    soft = Softmax(logit)
    p = soft.p
    # ½ log 2 less for all classes changes nothing, and leaves 0 where the label is 0.
    return soft.pulled(np.where(p == 0, 0.0, 0.5 * p * _log_quotient(p, label + p)))


@loss(
    aliases=("generalized_kl_divergence", "generalised_kl", "i_divergence"),
    label=AMOUNTS,
    prediction=AMOUNTS,
    references=("Lee & Seung 2001, Algorithms for Non-negative Matrix Factorization", "Csiszár 1975, I-divergence"),
    peers={"SciPy": "special.kl_div (of each number)", "scikit-learn": "kullback-leibler (of NMF; a sum)"},
)
def generalized_kl(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Kullback–Leibler divergence of rows that need not sum to 1.

    Formula: Σ_k (y_k log(y_k / ŷ_k) − y_k + ŷ_k); a term with y = 0 is ŷ, one with ŷ = 0 beside y > 0 infinite.
    Gradient: (ŷ − y)/ŷ; through an exponential it is e^z − y.
    Properties: never negative, and 0 only for equal rows; convex; smooth above 0; half of the deviance of Poisson, so
    what `poisson` is above its least value; equals `kl_divergence` where both rows sum to 1; the best constant is the
    mean of each column. Rows that are infinite are counted and said.

    Use it for rows of counts or intensities: topics, spectra, histograms.
    Avoid it where a prediction may be 0 beside a label that is not.

    >>> from lossctl import get_loss
    >>> get_loss("generalized_kl").value([[1.0, 2.0]], [[1.0, 4.0]])
    array([0.61370564])
    """
    return row_sum(excess(label, prediction, lambda y, p: np.log(y) - np.log(p), label, prediction))


@generalized_kl.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return np.where(label == 0, 1.0, (prediction - label) / prediction)


@generalized_kl.through("exp")
def generalized_kl_on_logarithms(label: FloatArray, logit: FloatArray) -> FloatArray:
    """The divergence with log ŷ = z where the quotient of y and ŷ would pass the doubles."""
    return row_sum(excess(label, np.exp(logit), lambda y, z: np.log(y) - np.minimum(z, BEYOND), label, logit))


@generalized_kl_on_logarithms.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:
    return exp_error(logit, label)
