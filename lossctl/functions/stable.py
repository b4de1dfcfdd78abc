"""Forms of elementary expressions that keep their digits where the plain ones cancel or overflow."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from lossctl.domain import LEAST, BoolArray, FloatArray
from lossctl.two_doubles import difference, product

NEAR = 0.5
"""A log(p/q) below which p log(p/q) and q − p cancel."""

FAR = 460.0
"""A log(p/q) from which the quotient may be none with all its digits."""

ATANH_TERMS = tuple(1.0 / (2 * term + 3) for term in range(12))
"""Of the series of atanh: enough for the last bit up to tanh(`NEAR`/2)."""

CLOSE = 0.25
"""An error below which what was rounded before counts, beside numbers of about 1."""

INNER = math.exp(-1.0)
"""e^−|z| beyond which σ(z) is near ½."""

EXACT = 8.0
"""An exponent up to which its own rounding does not show."""

SPARSE = 16
"""One number in how many may be worked out apart for that to take less time, whatever the formula."""

FEW = 4.0
"""An exponent up to which half a unit in the last place of what is raised to it may count."""

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


def amended(plain: FloatArray, where: BoolArray, careful: Callable[..., FloatArray], *arrays: FloatArray) -> FloatArray:
    """A plain form, and where a mask says so the careful one, which is worked out there alone.

    Args:
        plain: ``(n,)`` or ``(n, k)``; changed in place.
        where: which numbers need care, in its shape.
        careful: from those numbers of the arrays, ``(m,)`` each, to the values there.
        arrays: what the careful form takes, in the same shape.
    """
    if where.any():
        order: Literal["C", "F"] = "C" if plain.flags.c_contiguous else "F"
        places = np.flatnonzero(where.ravel(order))
        numbers = careful(*(array.ravel(order).take(places) for array in arrays))
        plain.ravel(order)[places] = numbers  # a view, as what was just computed is contiguous
    return plain


def counted(weight: FloatArray, formula: Callable[..., FloatArray], *arrays: FloatArray) -> FloatArray:
    """A formula of weights and other numbers where the weight is not 0, else 0.

    Args:
        weight: ``(n,)`` or ``(n, k)``.
        formula: what it takes are single numbers: all, or those that count where these are few, as of a single 1.
        arrays: the other numbers, in the same shape.
    """
    some = weight != 0
    if SPARSE * np.count_nonzero(some) < some.size:
        return amended(np.zeros_like(weight), some, formula, weight, *arrays)
    return np.where(some, formula(weight, *arrays), 0.0)


def grown(lost: FloatArray) -> FloatArray:
    """E^lost, of what a difference was rounded by: next to nothing, and left out where it is no such thing."""
    return np.where(np.abs(lost) < 1.0, 1.0 + lost, 1.0)


def beyond(a: FloatArray, b: FloatArray, c: FloatArray | float) -> FloatArray:
    """(a − b) + c, with its digits where the difference is near −c."""
    error, lost = difference(a, b)
    return np.asarray((error + c) + lost)


def beside(error: FloatArray, label: FloatArray) -> BoolArray:
    """Where an error is small beside the label, so that the digits that both numbers have in common count."""
    return np.asarray(np.abs(error) < CLOSE * np.abs(label))


def sigmoid_error(z: FloatArray, label: FloatArray, rest: FloatArray, *, close: float = CLOSE) -> FloatArray:
    """σ(z) − y, from whichever of σ, 1 − σ and σ − ½ is small.

    Args:
        z: pre-activations.
        label: y.
        rest: 1 − y, with its own digits.
        close: an error below which the digits that σ and y have in common count.
    """
    decay = np.exp(-np.abs(z))
    tail = decay / (1.0 + decay)
    error = np.where(z > 0, rest - tail, tail - label)
    where = (np.abs(error) < close) & (decay > INNER)
    return amended(error, where, lambda z, label: 0.5 * np.tanh(0.5 * z) + (0.5 - label), z, label)


def exp_error(z: FloatArray, label: FloatArray, *, close: float = CLOSE) -> FloatArray:
    """e^z − y, near z = 0 from what both differ from 1 by.

    Args:
        z, label: in one shape.
        close: an error below which the digits that e^z and y have in common count.
    """
    error = np.exp(z)
    error -= label
    where = (np.abs(error) < close) & (np.abs(z) < 0.5)
    return amended(error, where, lambda z, label: np.expm1(z) + (1.0 - label), z, label)


def excess(p: FloatArray, q: FloatArray, log_ratio: Callable[..., FloatArray], *terms: FloatArray) -> FloatArray:
    """P log(p/q) − p + q: never negative, and with its digits however close p and q are (Loader's deviance).

    Args:
        p: numbers from 0 on; 0 log 0 is 0.
        q: numbers from 0 on, in the same shape.
        log_ratio: log(p/q) from some numbers of the terms, for where the quotient would pass the range of a double.
        terms: what it takes, in the shape of p.
    """
    some = p != 0
    if 2 * np.count_nonzero(some) < p.size:
        return amended(q.copy(order="K"), some, lambda p, q, *terms: excess(p, q, log_ratio, *terms), p, q, *terms)
    value = p / q
    np.log(value, out=value)
    size = np.abs(value)
    value *= p
    value += q - p
    amended(value, size < NEAR, _excess_nearby, p, q)

    def from_logarithms(p: FloatArray, q: FloatArray, *terms: FloatArray) -> FloatArray:
        return np.where(p == 0, q, p * log_ratio(*terms) + (q - p))

    return amended(value, ~(size < FAR), from_logarithms, p, q, *terms)


def log1pmx(x: FloatArray, log1p: FloatArray) -> FloatArray:
    """The x − log(1 + x) of numbers above −1: never negative, and with its digits however small x is.

    Args:
        x: ``(n,)`` or ``(n, k)``.
        log1p: log(1 + x), in the shape of x; where it is near 0 its own digits do not count.
    """
    return amended(np.asarray(x - log1p), np.abs(log1p) < NEAR, _log1pmx_nearby, x)


def _log1pmx_nearby(x: FloatArray) -> FloatArray:
    """The same where 1 + x is near 1: r (x − 2 r² (1/3 + r²/5 + r⁴/7 + …)) with r = x/(2 + x).

    For log1p x = 2 atanh r, and x r = x − 2r. In place, since temporaries take longer than sums.
    """
    r = x / (x + 2.0)
    square = np.square(r)
    value = polynomial(square, ATANH_TERMS)
    value *= square
    value *= -2.0
    value += x
    value *= r
    return value


def _excess_nearby(p: FloatArray, q: FloatArray) -> FloatArray:
    """The same where p/q is near 1: p (x − log1p x) with x = (q − p)/p."""
    value = _log1pmx_nearby((q - p) / p)
    value *= p
    return value


def log_factorial_excess(y: FloatArray) -> FloatArray:
    """Log Γ(1 + y) − y log y + y for y ≥ 0: what is left of the log-factorial when its largest part is taken out."""
    small, large = np.minimum(y, 0.25), np.maximum(y, 10.0)
    value = 0.5 * (np.log(2.0 * np.pi) + np.log(large)) + polynomial(large**-2.0, STIRLING_TERMS) / large
    log_gamma = small * (EULER_COMPLEMENT + small * polynomial(small, ZETA_TERMS)) - np.log1p(small)
    between = (y > 0.25) & (y < 10.0)
    log_gamma[between] = np.log(np.asarray(_gamma(1.0 + y[between]), dtype=np.float64))
    return np.where(y >= 10.0, value, log_gamma - np.where(y == 0, 0.0, y * np.log(y)) + y)


def power_of_exp(x: FloatArray, exponent: float) -> FloatArray:
    """e^(−exponent x), with the digits of the product that rounding would lose (Dekker's product)."""
    multiple = exponent * x
    power = np.exp(-multiple)
    if abs(math.frexp(exponent)[0]) in {0.0, 0.5}:  # a power of two, which rounds nothing
        return np.asarray(power)

    def careful(x: FloatArray, power: FloatArray) -> FloatArray:
        _, lost = product(np.full_like(x, exponent), x)
        return power * (1.0 - np.where(np.abs(lost) < 1.0, lost, 0.0))

    return amended(power, np.abs(multiple) > EXACT, careful, x, power)


def power_of_rest(p: FloatArray, rest: FloatArray, exponent: float) -> FloatArray:
    """(1 − p)^exponent for probabilities, where the exponent is large with the digits that 1 − p lost.

    Args:
        p: ``(n,)`` or ``(n, k)``.
        rest: 1 − p, rounded, in the shape of p.
        exponent: from 0 on.
    """
    power = np.power(rest, exponent)
    if exponent <= FEW:
        return power
    lost = np.where(rest < 0.5, 0.0, (1.0 - rest) - p) / np.maximum(rest, LEAST)  # a small rest has its own digits
    return np.asarray(power * np.exp(exponent * lost))


def polynomial(x: FloatArray, coefficients: Sequence[float]) -> FloatArray:
    """Σ c_k x^k, by Horner's rule."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total *= x
        total += coefficient
    return total
