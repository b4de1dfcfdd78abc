"""Unit deviances and likelihoods of counts and positive amounts: Tweedie's family, with Poisson and gamma in it."""

from typing import Annotated

import numpy as np

from lossctl.domain import NONNEGATIVE, POSITIVE, REAL, Domain, FloatArray, Interval, Outside
from lossctl.functions.loss import loss
from lossctl.functions.stable import amended, log1pmx
from lossctl.functions.tweedie import (
    deviance,
    deviance_on_logarithm,
    likelihood,
    log_ratio_of,
    raised_exp,
    slope,
    slope_on_logarithm,
)

Power = Annotated[float, Outside(hole=(0.0, 1.0))]
Compound = Annotated[float, Interval(1.0, 2.0, low_open=True, high_open=True)]


def _label(*, power: float = 1.0) -> Domain:
    return REAL if power <= 0 else NONNEGATIVE if power < 2 else POSITIVE


def _prediction(*, power: float = 1.0) -> Domain:
    return REAL if power == 0 else POSITIVE


@loss(
    aliases=("mean_tweedie_deviance", "tweedie_deviance_score"),
    label=_label,
    prediction=_prediction,
    references=("Jørgensen 1987, Exponential dispersion models, doi:10.1111/j.2517-6161.1987.tb01685.x",),
    peers={
        "scikit-learn": "mean_tweedie_deviance (power is 0 where nobody says it)",
        "torchmetrics": "tweedie_deviance_score (power is 0 where nobody says it)",
    },
)
def tweedie_deviance(label: FloatArray, prediction: FloatArray, *, power: Power = 1.5) -> FloatArray:
    """Deviance of Tweedie's family: amounts that are often exactly 0, such as claims and rainfall.

    Formula: 2 (y^(2−p)/((1−p)(2−p)) − y ŷ^(1−p)/(1−p) + ŷ^(2−p)/(2−p)) with p = ``power``, and max(y, 0) in the first
    power; e² with p = 0, `poisson_deviance` with p = 1, `gamma_deviance` with p = 2. No p is between 0 and 1.
    Gradient: 2 (ŷ − y)/ŷ^p; through exp it is 2 (e^z − y) e^{(1−p)z}, as exact as e^z: to 1e-16 of y.
    Properties: non-negative, 0 where ŷ = y; the variance grows like the p-th power of the mean, so an error counts
    less where ŷ is large; labels may be 0 for p below 2, and negative from 0 down; not convex in ŷ (but for p of 0
    and 1), convex in log ŷ for p from 1 to 2; smooth; the best constant is the mean, whatever p.

    Use it for amounts of 0 and above with many zeros: p between 1 and 2, found by trying.
    Avoid it to compare models under different powers: values of different p are on different scales.

    >>> from lossctl import get_loss
    >>> get_loss("tweedie_deviance").value([0.0, 1.0], [1.0, 4.0])
    array([4., 2.])
    """
    return deviance(label, prediction - label, prediction, power)


@tweedie_deviance.gradient
def _(label: FloatArray, prediction: FloatArray, *, power: Power) -> FloatArray:
    return 2.0 * slope(prediction - label, prediction, power)


@tweedie_deviance.on_error()
def _tweedie_deviance_of_error(
    label: FloatArray, error: FloatArray, prediction: FloatArray, *, power: Power
) -> FloatArray:
    return deviance(label, error, prediction, power)


@_tweedie_deviance_of_error.gradient
def _(label: FloatArray, error: FloatArray, prediction: FloatArray, *, power: Power) -> FloatArray:  # noqa: ARG001
    return 2.0 * slope(error, prediction, power)


@tweedie_deviance.through("exp")
def tweedie_deviance_on_logarithm(label: FloatArray, logit: FloatArray, *, power: Power) -> FloatArray:
    """The gap of z − log y."""
    return deviance_on_logarithm(label, logit, power)


@tweedie_deviance_on_logarithm.gradient
def _(label: FloatArray, logit: FloatArray, *, power: Power) -> FloatArray:
    return 2.0 * slope_on_logarithm(label, logit, power)


def _poisson_deviance(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    log_ratio = log_ratio_of(label, error, prediction)
    value = 2.0 * label * log1pmx(error / label, log_ratio)

    def beyond(label: FloatArray, log_ratio: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
        return 2.0 * np.where(label == 0, prediction, error - label * log_ratio)

    return amended(value, ~np.isfinite(value), beyond, label, log_ratio, error, prediction)


@loss(
    aliases=("mean_poisson_deviance",),
    label=NONNEGATIVE,
    prediction=POSITIVE,
    references=("McCullagh & Nelder 1989, Generalized Linear Models, §2.3",),
    peers={
        "scikit-learn": "mean_poisson_deviance",
        "torchmetrics": "tweedie_deviance_score (with power=1)",
    },
)
def poisson_deviance(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Deviance of counts: twice their negative log-likelihood above that of a perfect prediction.

    Formula: 2 (y log(y/ŷ) − y + ŷ), and 2ŷ where y = 0.
    Gradient: 2 (ŷ − y)/ŷ; through exp it is 2 (e^z − y), as exact as e^z: to 1e-16 of y.
    Properties: non-negative, 0 where ŷ = y; twice what `poisson` is above that of ŷ = y, so it orders models alike;
    convex in ŷ and in the log-rate; smooth; about 1 where the rates are right, the counts Poisson and not few; the best
    constant is the mean.

    Use it for counts and rates, where 0 should be a perfect model.
    Avoid it with negative labels, or with predictions that can be 0 or below.

    >>> from lossctl import get_loss
    >>> get_loss("poisson_deviance").value([0.0, 1.0], [2.0, 1.0])
    array([4., 0.])
    """
    return _poisson_deviance(label, prediction - label, prediction)


@poisson_deviance.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return 2.0 * ((prediction - label) / prediction)


@poisson_deviance.on_error()
def _poisson_deviance_of_error(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    return _poisson_deviance(label, error, prediction)


@_poisson_deviance_of_error.gradient
def _(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG001
    return 2.0 * (error / prediction)


@poisson_deviance.through("exp")
def poisson_deviance_on_logarithm(label: FloatArray, logit: FloatArray) -> FloatArray:
    """The gap of z − log y."""
    return deviance_on_logarithm(label, logit, 1.0)


@poisson_deviance_on_logarithm.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:
    return 2.0 * slope_on_logarithm(label, logit, 1.0)


@loss(
    aliases=("mean_gamma_deviance",),
    label=POSITIVE,
    prediction=POSITIVE,
    references=("McCullagh & Nelder 1989, Generalized Linear Models, §8.3",),
    peers={
        "scikit-learn": "mean_gamma_deviance",
        "torchmetrics": "tweedie_deviance_score (with power=2)",
        "LightGBM": "gamma_deviance (the sum over rows, not the mean)",
        "XGBoost": "gamma-deviance (y and ŷ are 1e-6 more)",
    },
)
def gamma_deviance(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Deviance of positive amounts whose spread grows with their size.

    Formula: 2 (log(ŷ/y) + y/ŷ − 1).
    Gradient: 2 (ŷ − y)/ŷ²; through exp it is 2 (1 − y e^{−z}), as exact as e^z: to 1e-16 of y/ŷ.
    Properties: non-negative, 0 where ŷ = y; compares ratios: the same whatever the unit of label and prediction; an
    estimate that is too low costs more than one too high by the same factor; not convex in ŷ, convex in log ŷ; smooth;
    the best constant is the mean.

    Use it for positive, skewed amounts: costs, durations, sizes.
    Avoid it with zeros in the labels: `tweedie_deviance` has room for them.

    >>> from lossctl import get_loss
    >>> get_loss("gamma_deviance").value([1.0, 2.0], [2.0, 2.0])
    array([0.38629436, 0.        ])
    """
    return _gamma_deviance(label, prediction - label, prediction)


def _gamma_deviance(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    return 2.0 * log1pmx(-error / prediction, -log_ratio_of(label, error, prediction))


@gamma_deviance.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return 2.0 * ((prediction - label) / prediction) / prediction


@gamma_deviance.on_error()
def _gamma_deviance_of_error(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    return _gamma_deviance(label, error, prediction)


@_gamma_deviance_of_error.gradient
def _(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG001
    return 2.0 * (error / prediction) / prediction


@gamma_deviance.through("exp")
def gamma_deviance_on_logarithm(label: FloatArray, logit: FloatArray) -> FloatArray:
    """The gap of z − log y."""
    return deviance_on_logarithm(label, logit, 2.0)


@gamma_deviance_on_logarithm.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:
    return 2.0 * slope_on_logarithm(label, logit, 2.0)


@loss(
    aliases=("tweedie", "tweedie_nloglik"),
    label=NONNEGATIVE,
    prediction=POSITIVE,
    references=("Jørgensen 1987, Exponential dispersion models, doi:10.1111/j.2517-6161.1987.tb01685.x",),
    peers={
        "CatBoost": "Tweedie:variance_power= (of log ŷ; the power must be given)",
        "LightGBM": "tweedie (the power is called tweedie_variance_power)",
        "XGBoost": "tweedie-nloglik@1.5",
        "scikit-learn": "HalfTweedieLoss (of log ŷ), HalfTweedieLossIdentity",
    },
)
def tweedie_nll(label: FloatArray, prediction: FloatArray, *, power: Compound = 1.5) -> FloatArray:
    """Negative log-likelihood of Tweedie's family, without what depends on the label alone.

    Formula: y ŷ^(1−p)/(p−1) + ŷ^(2−p)/(2−p) with p = ``power``, between 1 and 2.
    Gradient: (ŷ − y)/ŷ^p; through exp it is (e^z − y) e^{(1−p)z}, as exact as e^z: to 1e-16 of y.
    Properties: above 0 even of a perfect prediction; half of `tweedie_deviance` but for a part that depends on the
    label and the power alone, so it orders models alike; not convex in ŷ, convex in log ŷ; smooth; the best constant
    is the mean, whatever p.

    Use it to find the numbers of boosting libraries again.
    Avoid it to judge a model by itself, or to compare powers: `tweedie_deviance` is 0 where a prediction is perfect.

    >>> from lossctl import get_loss
    >>> get_loss("tweedie_nll").value([0.0, 1.0], [1.0, 1.0])
    array([2., 4.])
    """
    return likelihood(label, prediction, np.power, power)


@tweedie_nll.gradient
def _(label: FloatArray, prediction: FloatArray, *, power: Compound) -> FloatArray:
    return slope(prediction - label, prediction, power)


@tweedie_nll.on_error()
def _tweedie_nll_of_error(
    label: FloatArray,
    error: FloatArray,  # noqa: ARG001
    prediction: FloatArray,
    *,
    power: Compound,
) -> FloatArray:
    return likelihood(label, prediction, np.power, power)


@_tweedie_nll_of_error.gradient
def _(label: FloatArray, error: FloatArray, prediction: FloatArray, *, power: Compound) -> FloatArray:  # noqa: ARG001
    return slope(error, prediction, power)


@tweedie_nll.through("exp")
def tweedie_nll_on_logarithm(label: FloatArray, logit: FloatArray, *, power: Compound) -> FloatArray:
    """−y e^{(1−p)z}/(1−p) + e^{(2−p)z}/(2−p)."""
    return likelihood(label, logit, raised_exp, power)


@tweedie_nll_on_logarithm.gradient
def _(label: FloatArray, logit: FloatArray, *, power: Compound) -> FloatArray:
    return slope_on_logarithm(label, logit, power)


@loss(
    aliases=("gamma", "gamma_nloglik"),
    label=POSITIVE,
    prediction=POSITIVE,
    references=("McCullagh & Nelder 1989, Generalized Linear Models, §8.3",),
    peers={
        "LightGBM": "gamma",
        "XGBoost": "gamma-nloglik",
        "scikit-learn": "HalfGammaLoss (of log ŷ)",
    },
)
def gamma_nll(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Negative log-likelihood of an exponential time with mean ŷ, or of a gamma one but for a factor and a constant.

    Formula: log ŷ + y/ŷ.
    Gradient: (ŷ − y)/ŷ²; through exp it is 1 − y e^{−z}, as exact as e^z: to 1e-16 of y/ŷ.
    Properties: half of `gamma_deviance` but for 1 + log y, so it orders models alike and may be negative; not convex
    in ŷ, convex in log ŷ; smooth; the best constant is the mean.

    Use it to find the numbers of boosting libraries again.
    Avoid it to judge a model by itself: `gamma_deviance` is 0 where a prediction is perfect.

    >>> from lossctl import get_loss
    >>> get_loss("gamma_nll").value([1.0, 2.0], [1.0, 1.0])
    array([1., 2.])
    """
    return np.log(prediction) + label / prediction


@gamma_nll.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return ((prediction - label) / prediction) / prediction


@gamma_nll.on_error()
def _gamma_nll_of_error(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG001
    return np.log(prediction) + label / prediction


@_gamma_nll_of_error.gradient
def _(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG001
    return (error / prediction) / prediction


@gamma_nll.through("exp")
def gamma_nll_on_logarithm(label: FloatArray, logit: FloatArray) -> FloatArray:
    """Z + y e^{−z}."""
    root = np.exp(-0.5 * logit)
    return logit + label * root * root


@gamma_nll_on_logarithm.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:
    return slope_on_logarithm(label, logit, 2.0)
