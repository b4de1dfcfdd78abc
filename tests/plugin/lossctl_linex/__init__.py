"""Varian's asymmetric loss, as a package of its own adds it."""

from typing import Annotated

import numpy as np

import lossctl
from lossctl.domain import NONZERO, REAL, FloatArray


@lossctl.loss(
    aliases=("linear_exponential",),
    label=REAL,
    prediction=REAL,
    references=("Varian 1975, A Bayesian approach to real estate assessment",),
    peers={"elsewhere": "LINEX (as texts write it)"},
)
def linex(label: FloatArray, prediction: FloatArray, *, slope: Annotated[float, NONZERO] = 1.0) -> FloatArray:
    """Asymmetric error: exponential on one side, linear on the other.

    Formula: e^{ae} − ae − 1, where e = ŷ − y and a = ``slope``.
    Gradient: a (e^{ae} − 1).
    Properties: convex; smooth; 0 at e = 0; too high costs more for a > 0, too low for a < 0; the best constant is
    −log(mean e^{−ay})/a.

    Use it where one side of an error is a disaster and the other a nuisance.
    Avoid it with outliers.

    >>> import lossctl
    >>> lossctl.get_loss("linex:slope=2").value([0.0, 0.0], [0.0, 1.0])
    array([0.        , 4.3890561])
    """
    error = slope * (prediction - label)
    return np.expm1(error) - error


@linex.gradient
def _(label: FloatArray, prediction: FloatArray, *, slope: float) -> FloatArray:
    return slope * np.expm1(slope * (prediction - label))
