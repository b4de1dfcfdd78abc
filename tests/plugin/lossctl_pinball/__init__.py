"""The quantile loss, as a package of its own adds it."""

from typing import Annotated

import numpy as np

import lossctl
from lossctl.domain import REAL, FloatArray, Interval


@lossctl.loss(
    aliases=("quantile",),
    label=REAL,
    prediction=REAL,
    references=("Koenker & Bassett 1978, Regression Quantiles, doi:10.2307/1913643",),
    peers={"scikit-learn": "mean_pinball_loss (τ is called alpha)", "CatBoost": "Quantile"},
)
def pinball(
    label: FloatArray,
    prediction: FloatArray,
    *,
    tau: Annotated[float, Interval(0.0, 1.0, low_open=True, high_open=True)] = 0.5,
) -> FloatArray:
    """Asymmetric absolute error: its best constant is the τ-quantile.

    Formula: max(τ(y − ŷ), (τ − 1)(y − ŷ)), where τ = ``tau``.
    Gradient: −τ where y ≥ ŷ, 1 − τ elsewhere.
    Properties: convex; a kink at ŷ = y; robust; the best constant is the τ-quantile.

    Use it to forecast a quantile.
    Avoid it to forecast a mean.

    >>> import lossctl
    >>> lossctl.get_loss("pinball:tau=0.9").value([1.0, 1.0], [0.0, 2.0])
    array([0.9, 0.1])
    """
    error = label - prediction
    return np.maximum(tau * error, (tau - 1.0) * error)


@pinball.gradient
def _(label: FloatArray, prediction: FloatArray, *, tau: float) -> FloatArray:
    return np.where(label >= prediction, -tau, 1.0 - tau)


@pinball.kinks
def _(label: FloatArray, prediction: FloatArray, *, tau: float) -> FloatArray:
    return label
