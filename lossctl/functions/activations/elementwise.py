"""Activations that treat each number by itself."""

from fractions import Fraction

import numpy as np

from lossctl.domain import EXTENDED, NONNEGATIVE, POSITIVE, REAL, Domain, FloatArray, Interval, NonNegative, Positive
from lossctl.functions.activation import activation
from lossctl.functions.stable import amended, beside, exp_error, sigmoid_error

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
"""The fixed point at which a layer of unit-variance inputs keeps mean 0 and variance 1 (Klambauer et al. 2017)."""

TAIL = -40.0
"""Where 1 + e^z is 1, and log(1 + e^z) is e^z."""

SELU_LIMIT = SELU_SCALE * SELU_ALPHA
SELU_LIMIT_REST = float(Fraction(SELU_SCALE) * Fraction(SELU_ALPHA) - Fraction(SELU_LIMIT))
"""λ α, and what its double misses."""


@activation(
    aliases=("linear",),
    range=REAL,
    references=("Bishop 2006, Pattern Recognition and Machine Learning, sec. 5.1",),
    peers={"Keras": "linear", "torch": "Identity", "DL4J": "IDENTITY", "scikit-learn": "identity"},
)
def identity(z: FloatArray) -> FloatArray:
    """Leave the number as it is: a score, or an unbounded regression.

    Formula: z.
    Derivative: 1.
    Properties: monotone; does not saturate.

    Use it as the output of unbounded regression and of max-margin scores.
    Avoid it between layers: a stack of linear layers is one linear layer.

    >>> from lossctl import get_activation
    >>> get_activation("identity").value([-2.0, 3.0])
    array([-2.,  3.])
    """
    return z


@identity.derivative
def _(z: FloatArray) -> FloatArray:
    return np.ones_like(z)


@activation(
    range=NONNEGATIVE,
    kinks=(0.0,),
    references=("Nair & Hinton 2010, Rectified Linear Units Improve Restricted Boltzmann Machines",),
    peers={"Keras": "relu", "torch": "relu", "DL4J": "RELU", "scikit-learn": "relu"},
)
def relu(z: FloatArray) -> FloatArray:
    """Keep what is positive, silence the rest.

    Formula: max(0, z).
    Derivative: 1 for z > 0, else 0, the kink at 0 included.
    Properties: cheap; does not saturate for z > 0; about half the units are silent, so activity is sparse; not
    centred at 0; a unit that is silent for every row gets no gradient and stays so: it has died.

    Use it between layers; as an output for regression of quantities that are never negative.
    Avoid it as an output where ŷ = 0 is illegal (`poisson`), or where rows at z ≤ 0 must still learn.

    >>> from lossctl import get_activation
    >>> get_activation("relu").value([-2.0, 3.0])
    array([0., 3.])
    """
    return np.maximum(z, 0.0)


@relu.derivative
def _(z: FloatArray) -> FloatArray:
    return np.where(z > 0, 1.0, 0.0)


def _leaky_range(*, slope: float) -> Domain:
    return REAL if slope else NONNEGATIVE


@activation(
    aliases=("leakyrelu", "lrelu"),
    range=_leaky_range,
    kinks=(0.0,),
    references=("Maas, Hannun & Ng 2013, Rectifier Nonlinearities Improve Neural Network Acoustic Models",),
    peers={"Keras": "leaky_relu (slope 0.2)", "torch": "leaky_relu (slope 0.01)", "DL4J": "LEAKYRELU"},
)
def leaky_relu(z: FloatArray, *, slope: NonNegative = 0.01) -> FloatArray:
    """Keep what is positive, and a little of what is negative, so that no unit dies.

    Formula: z for z > 0, a z elsewhere, where a = ``slope``.
    Derivative: 1 or a; a at the kink at 0.
    Properties: cheap; does not saturate; keeps a small slope for what is negative, so that no unit dies; with a
    learned slope it is the parametric relu.

    Use it between layers, where relu units die.
    Avoid it as an output of quantities that are never negative.

    >>> from lossctl import get_activation
    >>> get_activation("leaky_relu:slope=0.2").value([-2.0, 3.0])
    array([-0.4,  3. ])
    """
    return np.where(z > 0, z, slope * z)


@leaky_relu.derivative
def _(z: FloatArray, *, slope: NonNegative) -> FloatArray:
    return np.where(z > 0, 1.0, slope)


def _elu_range(*, alpha: float) -> Domain:
    return Interval(low=-alpha, low_open=True)


@activation(
    range=_elu_range,
    kinks=(0.0,),
    references=("Clevert, Unterthiner & Hochreiter 2016, Fast and Accurate Deep Network Learning, arXiv:1511.07289",),
    peers={"Keras": "elu", "torch": "elu", "DL4J": "ELU"},
)
def elu(z: FloatArray, *, alpha: Positive = 1.0) -> FloatArray:
    """Linear for what is positive, a smooth floor at −α for what is negative.

    Formula: z for z > 0, α (e^z − 1) elsewhere, where α = ``alpha``.
    Derivative: 1 or α e^z; α at the kink at 0.
    Properties: saturates at −α; smooth at 0 for α = 1; negative outputs bring the mean towards 0 (less bias shift);
    dearer than relu.

    Use it between layers.
    Avoid it as an output: nothing measured lives on (−α, ∞).

    >>> from lossctl import get_activation
    >>> get_activation("elu").value([-1.0, 3.0])
    array([-0.63212056,  3.        ])
    """
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0)))


@elu.error
def _(z: FloatArray, label: FloatArray, *, alpha: Positive) -> FloatArray:
    error = np.asarray(elu.function(z, alpha=alpha) - label)

    def careful(z: FloatArray, label: FloatArray, error: FloatArray) -> FloatArray:
        return np.where(z < -0.7, alpha * np.exp(np.minimum(z, 0.0)) - (alpha + label), error)

    return amended(error, beside(error, label), careful, z, label, error)


@elu.derivative
def _(z: FloatArray, *, alpha: Positive) -> FloatArray:
    return np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0.0)))


@elu.root
def _(z: FloatArray, *, alpha: Positive) -> FloatArray:
    return np.where(z > 0, 1.0, np.sqrt(alpha) * np.exp(0.5 * np.minimum(z, 0.0)))


@activation(
    range=Interval(low=-SELU_LIMIT, low_open=True),
    kinks=(0.0,),
    references=("Klambauer et al. 2017, Self-Normalizing Neural Networks, arXiv:1706.02515",),
    peers={"Keras": "selu", "torch": "selu", "DL4J": "SELU"},
)
def selu(z: FloatArray) -> FloatArray:
    """The elu that keeps activations at mean 0 and variance 1 from layer to layer.

    Formula: λ z for z > 0, λ α (e^z − 1) elsewhere, where λ = 1.0507009873554805 and α = 1.6732632423543772.
    Derivative: λ or λ α e^z; λ α at the kink at 0.
    Properties: self-normalising: with LeCun-normal initialisation activations keep mean 0 and variance 1 from layer
    to layer, without batch norm; saturates at −λ α.

    Use it between the layers of deep plain networks.
    Avoid it as an output, and with other initialisations.

    >>> from lossctl import get_activation
    >>> get_activation("selu").value([-1.0, 1.0])
    array([-1.11133074,  1.05070099])
    """
    return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0.0)))


@selu.error
def _(z: FloatArray, label: FloatArray) -> FloatArray:
    error = np.asarray(selu.function(z) - label)

    def careful(z: FloatArray, label: FloatArray, error: FloatArray) -> FloatArray:
        left = SELU_LIMIT * np.exp(np.minimum(z, 0.0))
        return np.where(z < -0.7, left - ((SELU_LIMIT + label) + SELU_LIMIT_REST), error)

    return amended(error, beside(error, label), careful, z, label, error)


@selu.derivative
def _(z: FloatArray) -> FloatArray:
    return SELU_SCALE * np.where(z > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(z, 0.0)))


@selu.root
def _(z: FloatArray) -> FloatArray:
    return np.sqrt(SELU_SCALE * np.where(z > 0, 1.0, SELU_ALPHA)) * np.exp(0.5 * np.minimum(z, 0.0))


@activation(
    aliases=("logistic",),
    range=Interval(0.0, 1.0, low_open=True, high_open=True),
    takes=EXTENDED,
    tail=TAIL,
    references=("Verhulst 1845, Recherches mathématiques sur la loi d'accroissement de la population",),
    peers={"Keras": "sigmoid", "torch": "sigmoid", "DL4J": "SIGMOID", "scikit-learn": "logistic"},
)
def sigmoid(z: FloatArray) -> FloatArray:
    """Squash a number into (0, 1), to be read as a probability.

    Formula: σ(z) = 1 / (1 + e^−z).
    Derivative: σ(z)(1 − σ(z)), at most ¼.
    Properties: read as a probability; monotone; smooth; saturates on both sides; not centred at 0; computed from
    e^−|z|, so that nothing overflows and small values keep their digits; a logit of −inf or inf is a probability of
    exactly 0 or 1.

    Use it as the output of binary and multi-label classification, with `bce`: the derivative cancels.
    Avoid it between layers, and before losses made for scores (`hinge`) or for squares (`mse`).

    >>> from lossctl import get_activation
    >>> get_activation("sigmoid").value([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    decay = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, decay) / (1.0 + decay)


@sigmoid.error
def _(z: FloatArray, label: FloatArray) -> FloatArray:
    return sigmoid_error(z, label, 1.0 - label)


@sigmoid.derivative
def _(z: FloatArray) -> FloatArray:
    decay = np.exp(-np.abs(z))
    return decay / np.square(1.0 + decay)


@sigmoid.root
def _(z: FloatArray) -> FloatArray:
    return np.exp(-0.5 * np.abs(z)) / (1.0 + np.exp(-np.abs(z)))


@activation(
    range=Interval(-1.0, 1.0, low_open=True, high_open=True),
    references=("LeCun et al. 1998, Efficient BackProp, doi:10.1007/3-540-49430-8_2",),
    peers={"Keras": "tanh", "torch": "tanh", "DL4J": "TANH", "scikit-learn": "tanh"},
)
def tanh(z: FloatArray) -> FloatArray:
    """Squash a number into (−1, 1), centred at 0.

    Formula: tanh z.
    Derivative: 1 − tanh² z.
    Properties: centred at 0; monotone; smooth; saturates on both sides; the derivative is computed from e^−2|z|, so
    that it keeps its digits.

    Use it between layers, and as the output of regression bounded on both sides.
    Avoid it before losses of probabilities: it goes below 0.

    >>> from lossctl import get_activation
    >>> get_activation("tanh").value([0.0, 100.0])
    array([0., 1.])
    """
    return np.tanh(z)


@tanh.error
def _(z: FloatArray, label: FloatArray) -> FloatArray:
    error = np.asarray(np.tanh(z) - label)

    def careful(z: FloatArray, label: FloatArray, error: FloatArray) -> FloatArray:
        decay = np.exp(-2.0 * np.abs(z))
        left, side = 2.0 * decay / (1.0 + decay), np.sign(z)
        return np.where(np.abs(z) < 0.55, error, side * ((1.0 - side * label) - left))

    return amended(error, beside(error, label), careful, z, label, error)


@tanh.derivative
def _(z: FloatArray) -> FloatArray:
    decay = np.exp(-2.0 * np.abs(z))
    return 4.0 * decay / np.square(1.0 + decay)


@tanh.root
def _(z: FloatArray) -> FloatArray:
    return 2.0 * np.exp(-np.abs(z)) / (1.0 + np.exp(-2.0 * np.abs(z)))


@activation(
    aliases=("exponential",),
    range=POSITIVE,
    references=("McCullagh & Nelder 1989, Generalized Linear Models, §2.2 (the log link)",),
    peers={"Keras": "exponential", "torch": "exp"},
)
def exp(z: FloatArray) -> FloatArray:
    """Make a rate of any number: e^z, the link of count models.

    Formula: e^z.
    Derivative: e^z.
    Properties: monotone; smooth; makes sums into products: the log link; overflows past 709.78, underflows to 0
    below −745.13.

    Use it as the output of count models, with `poisson`: the gradient is e^z − y.
    Avoid it between layers.

    >>> from lossctl import get_activation
    >>> get_activation("exp").value([0.0, 1.0])
    array([1.        , 2.71828183])
    """
    return np.exp(z)


@exp.error
def _(z: FloatArray, label: FloatArray) -> FloatArray:
    return exp_error(z, label)


@exp.derivative
def _(z: FloatArray) -> FloatArray:
    return np.exp(z)


@exp.root
def _(z: FloatArray) -> FloatArray:
    return np.exp(0.5 * z)


@activation(
    range=POSITIVE,
    tail=TAIL,
    references=("Dugas et al. 2001, Incorporating Second-Order Functional Knowledge for Better Option Pricing",),
    peers={"Keras": "softplus", "torch": "softplus", "DL4J": "SOFTPLUS"},
)
def softplus(z: FloatArray) -> FloatArray:
    """A smooth relu that is always positive.

    Formula: log(1 + e^z) = max(z, 0) + log1p(e^−|z|).
    Derivative: σ(z).
    Properties: a smooth relu that is always positive; monotone; does not saturate for z > 0; the second form
    neither overflows nor loses digits.

    Use it as the output of positive quantities: scales, rates, prices.
    Avoid it where an exact 0 must be possible.

    >>> from lossctl import get_activation
    >>> get_activation("softplus").value([-40.0, 0.0, 800.0])
    array([4.24835426e-18, 6.93147181e-01, 8.00000000e+02])
    """
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


@softplus.error
def _(z: FloatArray, label: FloatArray) -> FloatArray:
    return (np.maximum(z, 0.0) - label) + np.log1p(np.exp(-np.abs(z)))


@softplus.derivative
def _(z: FloatArray) -> FloatArray:
    return np.asarray(sigmoid.function(z))


@softplus.root
def _(z: FloatArray) -> FloatArray:
    return np.exp(0.5 * np.minimum(z, 0.0)) / np.sqrt(1.0 + np.exp(-np.abs(z)))
