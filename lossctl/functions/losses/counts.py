"""Losses on counts and rates."""

from typing import Annotated

import numpy as np

from lossctl.domain import NONNEGATIVE, POSITIVE, FloatArray, Words
from lossctl.functions.loss import loss
from lossctl.functions.stable import amended, excess, exp_error, log_factorial_excess

Constant = Annotated[str, Words(("none", "stirling", "lgamma"))]


def _cost(label: FloatArray, rate: FloatArray, log_rate: FloatArray, full: str) -> FloatArray:
    """Rate − y log rate and the log-factorial, from terms that do not cancel where both are huge."""
    bare = rate - np.where(label == 0, 0.0, label * log_rate)
    bare = amended(bare, rate == np.inf, lambda rate: rate, rate)
    if full == "none":
        return bare
    deviance = excess(label, rate, lambda label, log_rate: np.log(label) - log_rate, label, log_rate)
    beyond = amended(deviance, rate == np.inf, lambda rate: rate, rate)
    if full == "lgamma":
        return beyond + log_factorial_excess(label)
    return np.where(label > 1, beyond + 0.5 * (np.log(2.0 * np.pi) + np.log(label)), bare)


@loss(
    aliases=("poisson_nll", "poisson_nll_loss", "expll", "loss_poisson"),
    label=NONNEGATIVE,
    prediction=POSITIVE,
    references=("Cameron & Trivedi 2013, Regression Analysis of Count Data, ch. 3",),
    peers={
        "Keras": "poisson",
        "torch": "poisson_nll_loss (of log ŷ: log_input=True by default)",
        "DL4J": "POISSON, EXPLL",
        "scikit-learn": "HalfPoissonLoss (of log ŷ), mean_poisson_deviance (twice its excess over ŷ = y)",
        "CatBoost": "Poisson (of log ŷ)",
        "LightGBM": "poisson",
        "XGBoost": "poisson-nloglik (with log y!: full=lgamma)",
    },
)
def poisson(label: FloatArray, prediction: FloatArray, *, full: Constant = "none") -> FloatArray:
    """Negative log-likelihood of a count under a Poisson rate.

    Formula: ŷ − y log ŷ, plus log y! where asked: exactly with ``full=lgamma``, by Stirling's formula for y > 1
    with ``full=stirling`` (what torch adds).
    Gradient: (ŷ − y)/ŷ; through exp it is e^z − y, as exact as e^z: to 1e-16 of y.
    Properties: negative log-likelihood of a count, without the part that depends on the label alone, so it can be
    negative while differences between models stay right, and near 0 it is exact to 1e-16 of ŷ; convex in ŷ and in
    the log-rate; smooth; the best constant is the mean.

    Use it for counts and rates.
    Avoid it with negative labels, or with predictions that can be 0 or below.

    >>> from lossctl import get_loss
    >>> get_loss("poisson").value([2.0], [2.0])
    array([0.61370564])
    """
    return _cost(label, prediction, np.log(prediction), full)


@poisson.gradient
def _(label: FloatArray, prediction: FloatArray, *, full: Constant) -> FloatArray:  # noqa: ARG001
    return (prediction - label) / prediction


@poisson.on_error()
def _poisson_of_error(
    label: FloatArray,
    error: FloatArray,  # noqa: ARG001
    prediction: FloatArray,
    *,
    full: Constant,
) -> FloatArray:
    return _cost(label, prediction, np.log(prediction), full)


@_poisson_of_error.gradient
def _(label: FloatArray, error: FloatArray, prediction: FloatArray, *, full: Constant) -> FloatArray:  # noqa: ARG001
    return np.asarray(error / prediction)


@poisson.through("exp")
def poisson_on_log_rate(label: FloatArray, logit: FloatArray, *, full: Constant) -> FloatArray:
    """e^z − y z."""
    return _cost(label, np.exp(logit), logit, full)


@poisson_on_log_rate.gradient
def _(label: FloatArray, logit: FloatArray, *, full: Constant) -> FloatArray:  # noqa: ARG001
    return exp_error(logit, label, close=0.01)


def _log_softplus(logit: FloatArray) -> FloatArray:
    """Log log1p(e^z), which is z − e^z/2 where e^z is small."""
    power = np.exp(np.minimum(logit, 0.0))
    value = np.maximum(logit, 0.0) + np.log1p(np.exp(-np.abs(logit)))
    return np.where(logit < -40.0, logit - 0.5 * power, np.log(value))


@poisson.through("softplus", natural=False)
def poisson_on_softplus(label: FloatArray, logit: FloatArray, *, full: Constant) -> FloatArray:
    """Softplus(z) − y log softplus(z), whose logarithm is finite where softplus underflows."""
    return _cost(label, np.maximum(logit, 0.0) + np.log1p(np.exp(-np.abs(logit))), _log_softplus(logit), full)


@poisson_on_softplus.gradient
def _(label: FloatArray, logit: FloatArray, *, full: Constant) -> FloatArray:  # noqa: ARG001
    decay = np.exp(-np.abs(logit))
    slope = np.where(logit >= 0, 1.0, decay) / (1.0 + decay)
    rate = np.maximum(logit, 0.0) + np.log1p(decay)
    # σ/softplus tends to 1 − e^z/2 where both underflow.
    ratio = np.where(logit < -40.0, 1.0 - 0.5 * decay, slope / rate)
    error = (np.maximum(logit, 0.0) - label) + np.log1p(decay)
    return np.asarray(error * ratio)
