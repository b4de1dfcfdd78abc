"""Forms of elementary expressions that keep their digits where the plain ones cancel or overflow."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from lossctl.domain import FloatArray

NEAR = 0.25
TERMS = 12
"""Of the series of atanh: enough for the last bit up to `NEAR`."""

EULER_COMPLEMENT = 0.42278433509846713
"""1 − γ."""

ZETA_TERMS = (
    *(0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986, 0.0028905103307415234),
    *(-0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939, 9.945751278180853e-05),
    *(-4.492623673813314e-05, 2.050721277567069e-05, -9.439488275268397e-06, 4.374866789907488e-06),
    *(-2.039215753801366e-06, 9.55141213040742e-07, -4.492469198764566e-07, 2.1207184805554665e-07),
)
"""(−1)^k (ζ(k) − 1)/k from k = 2: the series of log Γ(1 + y) + log1p(y) − (1 − γ) y."""

STIRLING_TERMS = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)

_gamma = np.frompyfunc(math.gamma, 1, 1)


def within_range(plain: Callable[[], FloatArray], careful: Callable[[], FloatArray]) -> FloatArray:
    """The plain form, and where it is infinite the one that overflows later, which is worked out only then."""
    try:
        with np.errstate(over="raise"):
            return plain()
    except FloatingPointError:
        value = plain()
    return np.where(np.isinf(value), careful(), value)


def sigmoid_error(z: FloatArray, label: FloatArray, rest: FloatArray) -> FloatArray:
    """σ(z) − y, from whichever of σ, 1 − σ and σ − ½ is small.

    Args:
        z: pre-activations.
        label: y.
        rest: 1 − y, with its own digits.
    """
    decay = np.exp(-np.abs(z))
    tail = decay / (1.0 + decay)
    near = 0.5 * np.tanh(0.5 * z) + (0.5 - label)
    return np.where(np.abs(z) < 1.0, near, np.where(z > 0, rest - tail, tail - label))


def exp_error(z: FloatArray, label: FloatArray) -> FloatArray:
    """e^z − y, near z = 0 from what both differ from 1 by."""
    return np.where(np.abs(z) < 0.5, np.expm1(z) + (1.0 - label), np.exp(z) - label)


def excess(p: FloatArray, q: FloatArray, log_ratio: FloatArray) -> FloatArray:
    """P log(p/q) − p + q: never negative, and with its digits however close p and q are (Loader's deviance).

    Args:
        p: numbers from 0 on; 0 log 0 is 0.
        q: numbers from 0 on.
        log_ratio: log(p/q), for where the quotient would pass the range of a double.
    """
    x = (q - p) / p
    r = x / (2.0 + x)
    logarithm = np.where(np.abs(log_ratio) < 500.0, np.log(p / q), log_ratio)
    # p (x − log1p x) = p r (x − 2 r² (1/3 + r²/5 + r⁴/7 + …)), since log1p x = 2 atanh r and x r = x − 2r.
    series = _polynomial(np.square(r), [1.0 / (2 * term + 3) for term in range(TERMS)])
    near = r * ((q - p) - 2.0 * p * np.square(r) * series)
    return np.where(p == 0, q, np.where(np.abs(r) < NEAR, near, p * logarithm + (q - p)))


def log_factorial_excess(y: FloatArray) -> FloatArray:
    """Log Γ(1 + y) − y log y + y for y ≥ 0: what is left of the log-factorial when its largest part is taken out."""
    small, large = np.minimum(y, 0.25), np.maximum(y, 10.0)
    value = 0.5 * (np.log(2.0 * np.pi) + np.log(large)) + _polynomial(large**-2.0, STIRLING_TERMS) / large
    log_gamma = small * (EULER_COMPLEMENT + small * _polynomial(small, ZETA_TERMS)) - np.log1p(small)
    between = (y > 0.25) & (y < 10.0)
    log_gamma[between] = np.log(np.asarray(_gamma(1.0 + y[between]), dtype=np.float64))
    return np.where(y >= 10.0, value, log_gamma - np.where(y == 0, 0.0, y * np.log(y)) + y)


def power_of_exp(x: FloatArray, exponent: float) -> FloatArray:
    """e^(−exponent x) for x ≥ 0, with the digits of the product that rounding would lose (Dekker's product)."""
    product = exponent * x
    fraction, binary = math.frexp(exponent)
    high = math.ldexp(round(math.ldexp(fraction, 26)), binary - 26)
    spread = x * (2.0**27 + 1.0)
    upper = spread - (spread - x)
    lower = x - upper
    lost = ((high * upper - product) + high * lower + (exponent - high) * upper) + (exponent - high) * lower
    return np.exp(-product) * (1.0 - np.where(np.abs(lost) < 1.0, lost, 0.0))


def _polynomial(x: FloatArray, coefficients: Sequence[float]) -> FloatArray:
    """Σ c_k x^k, by Horner's rule."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total
