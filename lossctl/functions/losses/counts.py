"""Losses on counts and rates."""

import math
from typing import Annotated

import numpy as np

from lossctl.domain import NONNEGATIVE, POSITIVE, FloatArray, Words
from lossctl.functions.loss import loss

Constant = Annotated[str, Words(("none", "stirling", "lgamma"))]


def _lgamma_of_one(x: float) -> float:
    try:
        return math.lgamma(x)
    except OverflowError:
        return math.inf


_lgamma = np.frompyfunc(_lgamma_of_one, 1, 1)


def _log_factorial(label: FloatArray, full: str) -> FloatArray | float:
    """The part of the log-likelihood that depends on the label alone.

    NumPy has no log-gamma; that of the standard library, called row by row, is slow but right to the last digit.
    """
    if full == "lgamma":
        return np.asarray(_lgamma(label + 1.0), dtype=np.float64)
    if full == "stirling":
        y = np.maximum(label, 1.0)
        return np.where(label > 1, y * np.log(y) - y + 0.5 * np.log(2.0 * np.pi * y), 0.0)
    return 0.0


def _times_log(label: FloatArray, log_rate: FloatArray) -> FloatArray:
    return np.where(label == 0, 0.0, label * log_rate)


@loss(
    aliases=("poisson_nll", "poisson_nll_loss", "expll"),
    label=NONNEGATIVE,
    prediction=POSITIVE,
    references=("Cameron & Trivedi 2013, Regression Analysis of Count Data, ch. 3",),
    peers={
        "Keras": "poisson",
        "torch": "poisson_nll_loss (of log ŷ: log_input=True by default)",
        "DL4J": "POISSON, EXPLL",
        "scikit-learn": "mean_poisson_deviance (twice its excess over ŷ = y)",
        "CatBoost": "Poisson (of log ŷ)",
        "LightGBM": "poisson",
        "XGBoost": "poisson-nloglik (with log y!: full=lgamma)",
    },
)
def poisson(label: FloatArray, prediction: FloatArray, *, full: Constant = "none") -> FloatArray:
    """Negative log-likelihood of a count under a Poisson rate.

    Formula: ŷ − y log ŷ, plus log y! where asked: exactly with ``full=lgamma``, by Stirling's formula for y > 1
    with ``full=stirling`` (what torch adds).
    Gradient: 1 − y/ŷ; through exp it is e^z − y.
    Properties: negative log-likelihood of a count, without the part that depends on the label alone, so it can be
    negative while differences between models stay right; convex in ŷ and in the log-rate; smooth; the best constant
    is the mean.

    Use it for counts and rates.
    Avoid it with negative labels, or with predictions that can be 0 or below.

    >>> from lossctl import get_loss
    >>> get_loss("poisson").value([2.0], [2.0])
    array([0.61370564])
    """
    return prediction - _times_log(label, np.log(prediction)) + _log_factorial(label, full)


@poisson.gradient
def _(label: FloatArray, prediction: FloatArray, *, full: Constant) -> FloatArray:  # noqa: ARG001
    return 1.0 - label / prediction


@poisson.through("exp")
def poisson_on_log_rate(label: FloatArray, logit: FloatArray, *, full: Constant) -> FloatArray:
    """e^z − y z."""
    return np.exp(logit) - _times_log(label, logit) + _log_factorial(label, full)


@poisson_on_log_rate.gradient
def _(label: FloatArray, logit: FloatArray, *, full: Constant) -> FloatArray:  # noqa: ARG001
    return np.exp(logit) - label
