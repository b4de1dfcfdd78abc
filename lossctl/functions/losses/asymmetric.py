"""Losses of asymmetric weight: what is too low costs another part than what is too high."""

from typing import Annotated

import numpy as np

from lossctl.domain import REAL, FloatArray, Interval
from lossctl.functions.loss import loss

SPELLINGS = ("quantile", "pinball", "pinball_loss", "mean_pinball_loss", "quantile_loss", "quantile_score")
Level = Annotated[float, Interval(0.0, 1.0, low_open=True, high_open=True)]


def _weight(error: FloatArray, tau: float) -> FloatArray:
    """τ of predictions that are too low, 1 − τ of those too high."""
    return np.where(error > 0, 1.0 - tau, tau)


@loss(
    aliases=(*SPELLINGS[1:], "quantile_error"),
    label=REAL,
    prediction=REAL,
    of_error=True,
    other_width=("quantiles", SPELLINGS),
    references=("Koenker & Bassett 1978, Regression Quantiles, doi:10.2307/1913643",),
    peers={
        "scikit-learn": "mean_pinball_loss, PinballLoss (τ is called alpha, and quantile)",
        "CatBoost": "Quantile:alpha= (errors of less than 1e-6 cost nothing)",
        "LightGBM": "quantile (τ is called alpha, and is 0.9)",
        "XGBoost": "reg:quantileerror, quantile (τ is called quantile_alpha)",
    },
)
def quantile(label: FloatArray, prediction: FloatArray, *, tau: Level = 0.5) -> FloatArray:
    """Asymmetric absolute error: its best constant is the τ-quantile.

    Formula: τ |e| where ŷ is below y, (1 − τ) |e| where it is above, where e = ŷ − y and τ = ``tau``.
    Gradient: −τ where ŷ is below y, 1 − τ where it is above, and 0 at e = 0. Behind an activation, values are exact to
    about 2e-16 |ŷ/e|, where e is small beside ŷ.
    Properties: convex; a kink at e = 0; non-negative; robust: only the side of an error counts, so τ of the labels are
    below a forecast at its best; half of `mae` at τ = ½; the best constant is the τ-quantile of the labels.

    Use it for forecasts of a quantile: what is exceeded one time in ten has τ = 0.9.
    Avoid it for forecasts of a mean.

    >>> from lossctl import get_loss
    >>> get_loss("quantile:tau=0.75").value([1.0, 1.0], [0.0, 2.0])
    array([0.75, 0.25])
    """
    error = prediction - label
    return _weight(error, tau) * np.abs(error)


@quantile.gradient
def _(label: FloatArray, prediction: FloatArray, *, tau: Level) -> FloatArray:
    error = prediction - label
    return _weight(error, tau) * np.sign(error)


@quantile.kinks
def _(label: FloatArray, prediction: FloatArray, *, tau: Level) -> FloatArray:  # noqa: ARG001
    return label


@loss(
    aliases=("expectile_loss", "expectile_error"),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Newey & Powell 1987, Asymmetric least squares estimation and testing, doi:10.2307/1911031",),
    peers={"CatBoost": "Expectile:alpha= (τ must be given)", "XGBoost": "reg:expectileerror, expectile"},
)
def expectile(label: FloatArray, prediction: FloatArray, *, tau: Level = 0.5) -> FloatArray:
    """Asymmetric squared error: its best constant is the τ-expectile.

    Formula: τ e² where ŷ is below y, (1 − τ) e² where it is above, where e = ŷ − y and τ = ``tau``.
    Gradient: 2τ e where ŷ is below y, 2(1 − τ) e where it is above. Behind an activation, values and gradients are
    exact to about 4e-16 |ŷ/e|, where e is small beside ŷ.
    Properties: convex; differentiable everywhere, its slope bends at e = 0; non-negative; large errors dominate; half
    of `mse` at τ = ½, whose best constant is the mean; the best constant is the τ-expectile, where what is missed
    above and below is in balance as 1 − τ to τ.

    Use it for forecasts on the safe side whose distance matters, not only how often they are passed.
    Avoid it for a quantile, and where labels are wild.

    >>> from lossctl import get_loss
    >>> get_loss("expectile:tau=0.75").value([1.0, 1.0], [-1.0, 3.0])
    array([3., 1.])
    """
    error = prediction - label
    return _weight(error, tau) * error * error


@expectile.gradient
def _(label: FloatArray, prediction: FloatArray, *, tau: Level) -> FloatArray:
    error = prediction - label
    return 2.0 * _weight(error, tau) * error


@expectile.root
def _(label: FloatArray, prediction: FloatArray, *, tau: Level) -> FloatArray:
    error = prediction - label
    return np.sqrt(_weight(error, tau)) * error
