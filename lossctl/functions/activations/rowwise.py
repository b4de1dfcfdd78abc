"""Activations that treat a row of numbers as one thing."""

import numpy as np

from lossctl.domain import FloatArray, row_sum
from lossctl.functions.activation import activation
from lossctl.functions.softmax import Softmax
from lossctl.row_domains import LOG_SIMPLEX, LOGITS, SIMPLEX


@activation(
    rows=True,
    range=SIMPLEX,
    takes=LOGITS,
    references=("Bridle 1990, Probabilistic Interpretation of Feedforward Classification Network Outputs",),
    peers={"Keras": "softmax", "torch": "softmax", "DL4J": "SOFTMAX"},
)
def softmax(z: FloatArray) -> FloatArray:
    """Turn a row of scores into probabilities that sum to 1.

    Formula: p_k = e^(z_k − max z) / Σ_j e^(z_j − max z).
    Derivative: the Jacobian p_i ([i = j] − p_j), applied as g ↦ p (g − Σ p g).
    Properties: rows sum to 1; keeps the order of the scores and sharpens the largest; adding a number to every
    score changes nothing, and taking the maximum out keeps it from overflowing; smooth. A logit of −inf says that a
    class is impossible: its probability is exactly 0. Not all of a row can be.

    Use it as the output of classification with one label of many, with `cross_entropy`: the gradient is p − y.
    Avoid it over a single column, where it is always 1, and where several labels may be true at once.

    >>> from lossctl import get_activation
    >>> get_activation("softmax").value([[1000.0, 1000.0]])
    array([[0.5, 0.5]])
    """
    weight = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(weight / row_sum(weight)[:, None])


@softmax.pullback
def _(z: FloatArray, upstream: FloatArray) -> FloatArray:
    soft = Softmax(z)
    p = soft.p
    parts, at_top = p * upstream, (soft.rows, soft.top)
    slope = p * (upstream - row_sum(parts)[:, None])
    parts[at_top] = 0.0
    slope[at_top] = p[at_top] * (upstream[at_top] * soft.miss - row_sum(parts))
    return np.asarray(slope)


@softmax.error
def _(z: FloatArray, label: FloatArray) -> FloatArray:
    return Softmax(z).error(label)


@activation(
    rows=True,
    range=LOG_SIMPLEX,
    takes=LOGITS,
    references=("Bridle 1990, Probabilistic Interpretation of Feedforward Classification Network Outputs",),
    peers={"Keras": "log_softmax", "torch": "log_softmax"},
)
def log_softmax(z: FloatArray) -> FloatArray:
    """Turn a row of scores into log-probabilities.

    Formula: z_k − max z − log Σ_j e^(z_j − max z).
    Derivative: the Jacobian [i = j] − p_j, applied as g ↦ g − p Σ g.
    Properties: the exponentials of a row sum to 1; the largest term is taken out of the sum, so that the logarithm
    of a probability near 1 keeps its digits; smooth. A logit of −inf, of an impossible class, stays −inf.

    Use it as the output of a model whose loss takes log-probabilities: `nll:log=true`.
    Avoid it over a single column, where it is always 0.

    >>> from lossctl import get_activation
    >>> get_activation("log_softmax").value([[1000.0, 1000.0]])
    array([[-0.69314718, -0.69314718]])
    """
    top, rows = z.argmax(axis=1), np.arange(len(z))
    shifted = z - z[rows, top][:, None]
    others = np.exp(shifted)
    others[rows, top] = 0.0
    return np.asarray(shifted - np.log1p(row_sum(others))[:, None])


@log_softmax.pullback
def _(z: FloatArray, upstream: FloatArray) -> FloatArray:
    soft = Softmax(z)
    p, parts, at_top = soft.p, upstream.copy(order="A"), (soft.rows, soft.top)
    slope = upstream - p * row_sum(upstream)[:, None]
    parts[at_top] = 0.0
    slope[at_top] = upstream[at_top] * soft.miss - p[at_top] * row_sum(parts)
    return np.asarray(slope)
