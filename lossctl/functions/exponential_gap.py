"""The gap of two exponentials, ∫ (e^{bt} − e^{at}) dt with b = a + 1: what divergences of powers are made of.

The unit deviance of a power p is 2 y^b gap(log(ŷ/y)) with a = 1 − p; that of Tsallis' logarithm is alike.
"""

import functools
import math

import numpy as np

from lossctl.domain import FloatArray
from lossctl.functions.stable import amended, polynomial

STEEP = 1.0
"""Exponents from which on the gap is better taken from one exponential."""

TERMS = 21
"""Of the series: enough for the last bit where neither exponent passes 1."""


def gap(x: FloatArray, a: float) -> FloatArray:
    """E(a + 1, x) − E(a, x) with E(c, x) = (e^{cx} − 1)/c, or x where c = 0: never negative, 0 at 0.

    Exact to a few units in the last place for any finite ``x``, however small; infinite where it passes the doubles.

    Args:
        x: ``(n,)`` or ``(n, k)``.
        a: the lower of the two exponents.
    """
    b = a + 1.0
    value = _steep(x, a, b) if min(abs(a), abs(b)) >= STEEP else _grown(x, b) - _grown(x, a)
    near = np.abs(x) * max(1.0, abs(a), abs(b)) < 1.0
    return amended(value, near, lambda x: np.square(x) * polynomial(x, _series(a)), x)


def _grown(x: FloatArray, exponent: float) -> FloatArray:
    return x if exponent == 0 else np.expm1(exponent * x) / exponent


def _steep(x: FloatArray, a: float, b: float) -> FloatArray:
    """The same where both exponents are of one sign: of what they have in common nothing is taken away."""
    change = a * np.expm1(np.minimum(x, 700.0)) - 1.0  # past 700 its factor is 0 or infinite
    return np.asarray((1.0 + np.exp(a * x) * change) / (a * b))


@functools.cache
def _series(a: float) -> tuple[float, ...]:
    """The coefficients of x⁰, x¹, … in gap(x)/x²: (b^k − a^k)/(k + 1)! from k = 1, without cancellation."""
    coefficients, difference = [], 1.0
    for k in range(1, TERMS):
        coefficients.append(difference / math.factorial(k + 1))
        difference = (a + 1.0) * difference + a**k
    return tuple(coefficients)
