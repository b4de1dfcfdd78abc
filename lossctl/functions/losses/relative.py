"""Losses on the ratio of prediction to label."""

from typing import Annotated

import numpy as np

from lossctl.domain import ABOVE_MINUS_ONE, NONZERO, POSITIVE, REAL, Domain, FloatArray, Words
from lossctl.functions.loss import loss
from lossctl.functions.stable import amended, exp_error, within_range
from lossctl.functions.units import WHOLE, Unit

FAR = 600.0
"""A logarithm past which what it is of could overflow."""
LARGE = 1e300
"""A sum of two numbers from which it could overflow."""
Scale = Annotated[float, POSITIVE, "the mean |y_t − y_{t−m}| over the series that was trained on, m its season (or 1)"]


def _log_ratio(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    """log((1 + prediction) / (1 + label)), from the error relative to the smaller: it keeps its digits."""
    size, base = np.abs(error), 1.0 + np.minimum(label, prediction)
    logarithm = np.log1p(size / base)
    return np.copysign(amended(logarithm, logarithm > FAR, _of_far, size, base), error)


def _of_far(size: FloatArray, base: FloatArray) -> FloatArray:
    """log1p(size / base) where the quotient may overflow: 1 + y is no less than 2⁻⁵³."""
    largest = 2.0**960 * np.maximum(base, 1.0)
    return np.asarray(np.log1p(np.minimum(size, largest) / base) + np.log(np.maximum(size / largest, 1.0)))


@loss(
    aliases=("mean_squared_logarithmic_error", "mean_squared_log_error", "loss_msle"),
    label=ABOVE_MINUS_ONE,
    prediction=ABOVE_MINUS_ONE,
    references=("Keras, losses.MeanSquaredLogarithmicError; scikit-learn, metrics.mean_squared_log_error",),
    peers={
        "Keras": "msle (numbers below 0 are set to 1e-7 without a word)",
        "DL4J": "MEAN_SQUARED_LOGARITHMIC_ERROR",
        "scikit-learn": "mean_squared_log_error",
        "CatBoost": "MSLE",
        "XGBoost": "reg:squaredlogerror (half of it)",
    },
)
def msle(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Squared error of logarithms: compares ratios, for targets over orders of magnitude.

    Formula: (log1p ŷ − log1p y)².
    Gradient: 2 (log1p ŷ − log1p y) / (1 + ŷ).
    Properties: compares ratios of 1 + ŷ and 1 + y, not differences; an estimate that is too low by some amount
    costs more than one too high by as much; two huge numbers that differ by a little cost next to nothing; smooth,
    but not convex: it flattens where ŷ is far too high; the best constant is the geometric mean of 1 + y, less 1.

    Use it for growth, prices, counts: targets that span orders of magnitude.
    Avoid it with numbers at or below −1, which have no logarithm here.

    >>> from lossctl import get_loss
    >>> get_loss("msle").value([1.0], [3.0])
    array([0.48045301])
    """
    return np.square(_log_ratio(label, prediction - label, prediction))


@msle.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return 2.0 * _log_ratio(label, prediction - label, prediction) / (1.0 + prediction)


@msle.on_error()
def _msle_of_error(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    return np.square(_log_ratio(label, error, prediction))


@_msle_of_error.gradient
def _(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    return 2.0 * _log_ratio(label, error, prediction) / (1.0 + prediction)


@msle.through("exp", natural=False)
def msle_on_logarithm(label: FloatArray, logit: FloatArray) -> FloatArray:
    """The square of log1p(e^z) − log1p y, where log1p(e^z) is softplus(z): nothing overflows."""
    return np.square(_log_ratio_on_logarithm(label, logit))


@msle_on_logarithm.gradient
def _(label: FloatArray, logit: FloatArray) -> FloatArray:
    decay = np.exp(-np.abs(logit))
    return 2.0 * _log_ratio_on_logarithm(label, logit) * np.where(logit >= 0, 1.0, decay) / (1.0 + decay)


def _log_ratio_on_logarithm(label: FloatArray, logit: FloatArray) -> FloatArray:
    """log((1 + e^z) / (1 + y)), from the error of e^z; past e^700 it is z − log1p y."""
    ratio = _log_ratio(label, exp_error(logit, label), np.exp(logit))
    return amended(ratio, logit > 700.0, lambda logit, label: logit - np.log1p(label), logit, label)


@msle.root
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return _log_ratio(label, prediction - label, prediction)


@msle.under(
    "root-mean",
    aliases=("root_mean_squared_logarithmic_error", "root_mean_squared_log_error"),
    peers={"scikit-learn": "root_mean_squared_log_error"},
)
def rmsle() -> None:
    """Root of the mean squared error of logarithms.

    Formula: √(mean of msle) over all rows; a single row is its msle.
    Gradient: 2 (log1p ŷ − log1p y) / (1 + ŷ) for the msle of a row.
    Properties: a typical ratio: 0.1 is about 10 %; orders models just as `msle` does; the best constant is the
    geometric mean of 1 + y, less 1.

    Use it to report a typical ratio.
    Avoid it with numbers at or below −1, which have no logarithm here.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [1.0], "p": [3.0]}, "rmsle", label="y", prediction="p").value
    0.6931471805599453
    """


def _mape_label(*, zero: str = "error", unit: str = "percent") -> Domain:  # noqa: ARG001
    return NONZERO if zero == "error" else REAL


def _scale(label: FloatArray, zero: str) -> FloatArray:
    return np.abs(label) if zero == "error" else np.maximum(np.abs(label), 1.0)


@loss(
    aliases=("mean_absolute_percentage_error", "loss_mape"),
    label=_mape_label,
    prediction=REAL,
    references=("Hyndman & Koehler 2006, Another look at measures of forecast accuracy",),
    peers={
        "Keras": "mape (|y| floored at 1e-7)",
        "DL4J": "MEAN_ABSOLUTE_PERCENTAGE_ERROR",
        "scikit-learn": "mean_absolute_percentage_error (a ratio: unit=ratio)",
        "CatBoost": "MAPE (a ratio, of max(1, |y|): unit=ratio,zero=max1)",
        "LightGBM": "mape (a ratio, of max(1, |y|): unit=ratio,zero=max1)",
        "XGBoost": "mape (a ratio: unit=ratio)",
    },
)
def mape(
    label: FloatArray,
    prediction: FloatArray,
    *,
    zero: Annotated[str, Words(("error", "max1"))] = "error",
    unit: Unit = "percent",
) -> FloatArray:
    """Absolute error in percent of the label.

    Formula: 100 |e| / |y|, where e = ŷ − y; with ``zero=max1``, 100 |e| / max(1, |y|); with ``unit=ratio``, without
    the 100.
    Gradient: 100 sign e / |y|, and 0 at e = 0.
    Properties: percent, without a unit; convex, with a kink at e = 0; undefined at y = 0, which is an error unless
    ``zero=max1``; unbounded for forecasts that are too high, at most 100 for positive ones that are too low, so it
    favours low forecasts; the best constant is the median with rows weighted by 1/|y|.

    Use it to report business forecasts of quantities well away from zero.
    Avoid it with zeros in the labels, and to choose between models.

    >>> from lossctl import get_loss
    >>> get_loss("mape").value([2.0, -4.0], [3.0, -4.0])
    array([50.,  0.])
    """
    whole = WHOLE[unit]
    return within_range(
        lambda: whole * (np.abs(prediction - label) / _scale(label, zero)),
        lambda: 2.0 * whole * (np.abs(0.5 * prediction - 0.5 * label) / _scale(label, zero)),
    )


@mape.gradient
def _(label: FloatArray, prediction: FloatArray, *, zero: str, unit: str) -> FloatArray:
    return WHOLE[unit] * np.sign(prediction - label) / _scale(label, zero)


@mape.on_error()
def _mape_of_error(label: FloatArray, error: FloatArray, prediction: FloatArray, *, zero: str, unit: str) -> FloatArray:  # noqa: ARG001
    return WHOLE[unit] * (np.abs(error) / _scale(label, zero))


@_mape_of_error.gradient
def _(label: FloatArray, error: FloatArray, prediction: FloatArray, *, zero: str, unit: str) -> FloatArray:  # noqa: ARG001
    return WHOLE[unit] * np.sign(error) / _scale(label, zero)


@mape.kinks
def _(label: FloatArray, prediction: FloatArray, *, zero: str, unit: str) -> FloatArray:  # noqa: ARG001
    return label


def _smape(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    total = np.abs(label) + np.abs(prediction)
    value = 200.0 * (np.abs(error) / total)

    def careful(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
        total = 0.25 * np.abs(label) + 0.25 * np.abs(prediction)
        size = np.where(np.isinf(error), total, 0.25 * np.abs(error))  # only numbers of opposite signs are so far apart
        share = np.where(np.isinf(total), 1.0, size / total)  # an activation may overflow
        return np.where(total == 0, 0.0, 200.0 * share)

    return amended(value, ~((total > 0) & (total < LARGE)), careful, label, error, prediction)


def _smape_slope(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    half, sides = 0.5 * np.abs(label) + 0.5 * np.abs(prediction), 1.0 + np.sign(label) * np.sign(prediction)
    slope = 50.0 * sides * (np.abs(label) / half) * (np.sign(error) / half)
    return np.where((sides > 0) & (label != 0) & (error != 0), slope, 0.0)


@loss(
    aliases=("symmetric_mape", "symmetric_mean_absolute_percentage_error"),
    label=REAL,
    prediction=REAL,
    references=("Makridakis 1993, Accuracy measures, doi:10.1016/0169-2070(93)90079-3",),
    peers={
        "CatBoost": "SMAPE",
        "torchmetrics": "symmetric_mean_absolute_percentage_error (a ratio, not percent)",
    },
)
def smape(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Absolute error in percent of the mean size of label and prediction.

    Formula: 100 · 2|e| / (|y| + |ŷ|), where e = ŷ − y, and 0 where both are 0.
    Gradient: 400 |y| sign e / (|y| + |ŷ|)² where y and ŷ are of one sign, half of that at ŷ = 0, and 0 at e = 0 and
    elsewhere: it depends on ŷ no more where that is on the other side of 0, or y = 0.
    Properties: percent, without a unit; from 0 to 200, which is what any ŷ ≠ 0 costs at y = 0, and any of the other
    sign; kinks at e = 0 and at ŷ = 0; not convex: it flattens where ŷ is far off, so it forgives high forecasts; no
    best constant is sought.

    Use it to report forecasts that may be compared with others' in percent, as in the competitions that have it.
    Avoid it for fitting, for labels near 0, and where too low and too high should cost alike: `mase` is fairer.

    >>> from lossctl import get_loss
    >>> get_loss("smape").value([1.0, 0.0, 0.0], [3.0, 2.0, 0.0])
    array([100., 200.,   0.])
    """
    return _smape(label, prediction - label, prediction)


@smape.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return _smape_slope(label, prediction - label, prediction)


@smape.kinks
def _(label: FloatArray, prediction: FloatArray) -> tuple[FloatArray, FloatArray]:  # noqa: ARG001
    return label, np.zeros_like(label)


@smape.on_error()
def _smape_of_error(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    return _smape(label, error, prediction)


@_smape_of_error.gradient
def _(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    return _smape_slope(label, error, prediction)


@loss(
    aliases=("mean_absolute_scaled_error",),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Hyndman & Koehler 2006, Another look at measures of forecast accuracy",),
    peers={"sktime": "mean_absolute_scaled_error (takes the series that was trained on, not its scale)"},
)
def mase(label: FloatArray, prediction: FloatArray, *, scale: Scale) -> FloatArray:
    """Absolute error, in units of what a naive forecast misses by.

    Formula: |e| / s, where e = ŷ − y and s = ``scale``, the mean |y_t − y_{t−m}| over the series that was trained on.
    Gradient: sign e / s, and 0 at e = 0. Behind an activation, values are exact to about 2e-16 |ŷ/e|, where e is small
    beside ŷ.
    Properties: a ratio, without a unit: below 1 is better than the naive forecast was in training; convex; a kink at
    e = 0; non-negative; robust; `mae` divided by a number, so it orders models alike; the best constant is the median.

    Use it to compare forecasts of series of different sizes, also with zeros.
    Avoid it where the scale cannot be had: a file of predictions does not tell it.

    >>> from lossctl import get_loss
    >>> get_loss("mase:scale=2").value([1.0, 4.0], [2.0, 4.0])
    array([0.5, 0. ])
    """
    return within_range(
        lambda: np.abs(prediction - label) / scale, lambda: 2.0 * (np.abs(0.5 * prediction - 0.5 * label) / scale)
    )


@mase.gradient
def _(label: FloatArray, prediction: FloatArray, *, scale: Scale) -> FloatArray:
    return np.sign(prediction - label) / scale


@mase.kinks
def _(label: FloatArray, prediction: FloatArray, *, scale: Scale) -> FloatArray:  # noqa: ARG001
    return label
