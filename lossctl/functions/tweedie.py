"""The family of Tweedie: variances that are a power of the mean, as its deviances and likelihoods have them.

Half the deviance of y and ŷ is y^b times the gap of two exponentials of log(ŷ/y), with a = 1 − p and b = 2 − p; the
slope of all of them is (ŷ − y)/ŷ^p.
"""

from collections.abc import Callable

import numpy as np

from lossctl.domain import FloatArray
from lossctl.functions.exponential_gap import gap
from lossctl.functions.stable import amended, exp_error, power_of_exp

Raised = Callable[[FloatArray, float], FloatArray]
"""From predictions, or their logarithms, to a power of the predictions."""

WIDE = 4.0
"""A logarithm of a power of ŷ/y from which on powers of both keep more digits."""
NORMAL = 700.0
"""A logarithm of a quotient below which that has all its digits."""
FAR = 300.0
"""A logarithm of a power that is a number, and its square is one."""


def raised_exp(logarithm: FloatArray, exponent: float) -> FloatArray:
    """A power of what the logarithm is of, to the last digits."""
    return power_of_exp(logarithm, -exponent)


def log_ratio_of(label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
    """log(ŷ/y), from the error where that is little beside the label."""
    logarithm = np.log1p(error / label)
    apart = ~(np.abs(error) < 0.5 * label)

    def of_apart(label: FloatArray, prediction: FloatArray) -> FloatArray:
        quotient = np.log(prediction / label)
        return np.where(np.abs(quotient) < NORMAL, quotient, np.log(prediction) - np.log(label))

    return amended(logarithm, apart, of_apart, label, prediction)


def _half_deviance(
    label: FloatArray, log_ratio: FloatArray, base: FloatArray, raised: Raised, power: float
) -> FloatArray:
    """Half the unit deviance of a power: y^b times the gap of two exponentials of log(ŷ/y), where b = 2 − p.

    Args:
        label: y.
        log_ratio: log(ŷ/y).
        base: what ``raised`` takes: ŷ or its logarithm.
        raised: gives powers of ŷ.
        power: p, other than 0.
    """
    scale = np.power(label, 2.0 - power)
    value = scale * gap(log_ratio, 1.0 - power)
    steepest = max(1.0, abs(1.0 - power), abs(2.0 - power))
    plain = (np.abs(log_ratio) * steepest < WIDE) & (scale > 1e-290) & (scale < 1e290)

    def careful(label: FloatArray, log_ratio: FloatArray, base: FloatArray) -> FloatArray:
        near = _near(label, log_ratio, power)
        wide = _wide(label, log_ratio, base, raised, power)
        return np.where(np.abs(log_ratio) * steepest < WIDE, near, wide)

    return amended(value, ~plain, careful, label, log_ratio, base)


def _near(label: FloatArray, log_ratio: FloatArray, power: float) -> FloatArray:
    """The product where y^b alone may be no double: by its root, twice."""
    root, distance = np.power(label, 1.0 - 0.5 * power), gap(log_ratio, 1.0 - power)
    return np.where(distance == 0, 0.0, root * distance * root)


def _wide(label: FloatArray, log_ratio: FloatArray, base: FloatArray, raised: Raised, power: float) -> FloatArray:
    """The same from powers of y and ŷ where these are far enough apart not to cancel."""
    a, b = 1.0 - power, 2.0 - power
    if min(abs(a), abs(b)) >= 1.0:
        upper = (np.power(label, b) / a + raised(base, b)) / b
        root = raised(base, 0.5 * a)
        lower = root / a * label * root
    else:
        root = np.maximum(raised(base, 0.5 * a), np.power(label, 0.5 * a))
        upper = np.maximum(raised(base, b), np.power(label, b)) * _change(log_ratio, b)
        lower = label * root * root * _change(log_ratio, a)
    value = np.nan_to_num(upper - lower, nan=np.inf, posinf=np.inf)
    return value if power >= 2 else np.where(label > 0, value, likelihood(label, base, raised, power))


def likelihood(label: FloatArray, base: FloatArray, raised: Raised, power: float) -> FloatArray:
    """−y ŷ^a/a + ŷ^b/b: what half a deviance has of ŷ; all of it where no power is taken of labels, at 0 and below.

    Args:
        label: y.
        base: what ``raised`` takes: ŷ or its logarithm.
        raised: gives powers of ŷ.
        power: p, other than 2.
    """
    a, b = 1.0 - power, 2.0 - power
    root = raised(base, 0.5 * a)
    rest = label * root * root / (a or 1.0)  # y/a may be no double, and so may y ŷ^a where y is small
    rest = np.where(np.abs(label) < 1.0, label * (root / (a or 1.0)) * root, rest)
    rest = np.where(label == 0, 0.0, rest)
    return raised(base, b) / b - rest


def _change(log_ratio: FloatArray, exponent: float) -> FloatArray:
    """(ŷ^c − y^c)/c over the larger of the two powers; log(ŷ/y) where c = 0."""
    if exponent == 0:
        return log_ratio
    return np.copysign(np.expm1(-np.abs(exponent * log_ratio)) / abs(exponent), log_ratio)


def deviance(label: FloatArray, error: FloatArray, prediction: FloatArray, power: float) -> FloatArray:
    """The unit deviance of a power, with its digits however close prediction and label are.

    Args:
        label: y, above 0; from 0 for powers below 2, any number for those up to 0.
        error: ŷ − y.
        prediction: ŷ, above 0; any number for a power of 0.
        power: p, not between 0 and 1.
    """
    if power == 0:
        return np.square(error)
    return 2.0 * _half_deviance(label, log_ratio_of(label, error, prediction), prediction, np.power, power)


def deviance_on_logarithm(label: FloatArray, logit: FloatArray, power: float) -> FloatArray:
    """The same of the logarithm of a prediction."""
    if power == 0:
        return np.square(exp_error(logit, label))
    return 2.0 * _half_deviance(label, _log_ratio_of_exp(label, logit), logit, raised_exp, power)


def _log_ratio_of_exp(label: FloatArray, logit: FloatArray) -> FloatArray:
    """Z − log y, with the digits that log y was rounded by where the two are near each other."""
    logarithm = np.log(label)
    ratio = logit - logarithm

    def careful(label: FloatArray, logarithm: FloatArray, ratio: FloatArray) -> FloatArray:
        root = np.exp(-0.5 * logarithm)
        return ratio - (label * root * root - 1.0)

    near = (np.abs(ratio) < WIDE) & (np.abs(logarithm) > 1.0)
    return amended(ratio, near, careful, label, logarithm, ratio)


def slope(error: FloatArray, prediction: FloatArray, power: float) -> FloatArray:
    """(ŷ − y)/ŷ^p, where no part of it leaves the doubles before it does."""
    root = np.power(prediction, -0.5 * power if power < 1 else 0.5 - 0.5 * power)
    return np.where(error == 0, 0.0, (error if power < 1 else error / prediction) * root * root)


def slope_on_logarithm(label: FloatArray, logit: FloatArray, power: float) -> FloatArray:
    """(e^z − y) e^{(1 − p)z}."""
    root = raised_exp(logit, 0.5 - 0.5 * power)
    error = exp_error(logit, label)
    value = np.where(error == 0, 0.0, error * root * root)

    def apart(label: FloatArray, logit: FloatArray) -> FloatArray:
        root = raised_exp(logit, 0.5 - 0.5 * power)
        slope = raised_exp(logit, 2.0 - power) - np.where(label == 0, 0.0, label * root * root)
        return np.where(np.isnan(slope), np.copysign(np.inf, np.exp(logit) - label), slope)

    return amended(value, np.abs(logit) > FAR, apart, label, logit)
