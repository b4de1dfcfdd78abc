"""Activations that treat each number by itself."""

import numpy as np

from lossctl.activation import activation
from lossctl.domain import FloatArray


@activation(aliases=("logistic",))
def sigmoid(z: FloatArray) -> FloatArray:
    """Squash a number into (0, 1), to be read as a probability.

    σ(z) = 1 / (1 + e^−z), computed from e^−|z| so that nothing overflows and small values keep their digits.

    >>> from lossctl import get_activation
    >>> get_activation("sigmoid").value([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    decay = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, decay) / (1.0 + decay)


@sigmoid.derivative
def _(z: FloatArray) -> FloatArray:
    decay = np.exp(-np.abs(z))
    return decay / np.square(1.0 + decay)


@activation()
def exp(z: FloatArray) -> FloatArray:
    """Make a rate of any number: e^z, the link of count models.

    >>> from lossctl import get_activation
    >>> get_activation("exp").value([0.0, 1.0])
    array([1.        , 2.71828183])
    """
    return np.exp(z)


@exp.derivative
def _(z: FloatArray) -> FloatArray:
    return np.exp(z)
