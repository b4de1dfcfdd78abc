"""Losses on the ratio of prediction to label."""

from typing import Annotated

import numpy as np

from lossctl.domain import ABOVE_MINUS_ONE, NONZERO, REAL, Domain, FloatArray, Words
from lossctl.loss import loss


def _log_ratio(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """log((1 + prediction) / (1 + label)), with its digits when the two are close."""
    error = prediction - label
    close = np.abs(error) < 0.5 * (1.0 + label)
    return np.where(close, np.log1p(error / (1.0 + label)), np.log1p(prediction) - np.log1p(label))


@loss(
    aliases=("mean_squared_logarithmic_error",),
    label=ABOVE_MINUS_ONE,
    prediction=ABOVE_MINUS_ONE,
    references=("Keras, losses.MeanSquaredLogarithmicError; scikit-learn, metrics.mean_squared_log_error",),
)
def msle(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Squared error of logarithms: compares ratios, for targets over orders of magnitude.

    Formula: (log1p(prediction) − log1p(label))². Gradient: 2 (log1p(prediction) − log1p(label)) / (1 + prediction).
    Being short by a factor costs more than being over by it costs in the gradient; two huge numbers that differ by a
    little cost next to nothing.

    Use it for growth, prices, counts: targets that span orders of magnitude.
    Avoid it with numbers at or below −1, which have no logarithm here.

    >>> from lossctl import get_loss
    >>> get_loss("msle").value([1.0], [3.0])
    array([0.48045301])
    """
    return np.square(_log_ratio(label, prediction))


@msle.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return 2.0 * _log_ratio(label, prediction) / (1.0 + prediction)


@msle.under("root-mean", aliases=("root_mean_squared_logarithmic_error",))
def rmsle() -> None:
    """Root of the mean squared error of logarithms.

    Formula: √(mean of msle) over all rows; a single row is its msle.

    Use it to report a typical ratio: an rmsle of 0.1 is about 10 %.
    Avoid it with numbers at or below −1, which have no logarithm here.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [1.0], "p": [3.0]}, "rmsle", label="y", prediction="p").value
    0.6931471805599453
    """


def _mape_label(*, zero: str = "error") -> Domain:
    return NONZERO if zero == "error" else REAL


def _scale(label: FloatArray, zero: str) -> FloatArray:
    return np.abs(label) if zero == "error" else np.maximum(np.abs(label), 1.0)


@loss(
    aliases=("mean_absolute_percentage_error",),
    label=_mape_label,
    prediction=REAL,
    references=("Hyndman & Koehler 2006, Another look at measures of forecast accuracy",),
)
def mape(
    label: FloatArray, prediction: FloatArray, *, zero: Annotated[str, Words(("error", "max1"))] = "error"
) -> FloatArray:
    """Absolute error in percent of the label.

    Formula: 100 |e| / |label|. Gradient: 100 sign e / |label|, and 0 at e = 0. A label of 0 is an error; ``zero=max1``
    divides by max(1, |label|) instead, as CatBoost and LightGBM do. Unbounded for forecasts that are too high, at
    most 100 for positive forecasts that are too low: choosing by it favours low forecasts.

    Use it to report business forecasts of quantities well away from zero.
    Avoid it with zeros in the labels, and to choose between models.

    >>> from lossctl import get_loss
    >>> get_loss("mape").value([2.0, -4.0], [3.0, -4.0])
    array([50.,  0.])
    """
    return 100.0 * (np.abs(prediction - label) / _scale(label, zero))


@mape.gradient
def _(label: FloatArray, prediction: FloatArray, *, zero: str) -> FloatArray:
    return 100.0 * np.sign(prediction - label) / _scale(label, zero)


@mape.kinks
def _(label: FloatArray, prediction: FloatArray, *, zero: str) -> FloatArray:  # noqa: ARG001
    return label
