"""Activations that treat a row of numbers as one thing."""

import numpy as np

from lossctl.activation import activation
from lossctl.domain import FloatArray, row_sum


@activation(rows=True)
def softmax(z: FloatArray) -> FloatArray:
    """Turn a row of scores into probabilities that sum to 1.

    p_k = e^(z_k − max z) / Σ_j e^(z_j − max z); taking the maximum out changes nothing and keeps it from overflowing.

    >>> from lossctl import get_activation
    >>> get_activation("softmax").value([[1000.0, 1000.0]])
    array([[0.5, 0.5]])
    """
    weight = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(weight / row_sum(weight)[:, None])


@softmax.pullback
def _(z: FloatArray, upstream: FloatArray) -> FloatArray:
    p = softmax.function(z)
    return np.asarray(p * (upstream - row_sum(p * upstream)[:, None]))
