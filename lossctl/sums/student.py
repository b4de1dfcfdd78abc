"""Student's t: how many standard errors a confidence interval reaches, and how likely as many are by chance.

NumPy has none, and SciPy takes long to import.
"""

import math
from functools import lru_cache
from statistics import NormalDist

MANY = 1000.0
"""Degrees of freedom from which a series in their inverse is exact to about 1e-11."""
STEPS = 200
"""More than Newton's method, or the fraction, ever takes."""
ENDS = 1e-13
"""The step of Newton's method behind which there is none that matters."""
EXACT = 1e-15
"""The relative step at which the fraction ends."""
TINY = 1e-300


@lru_cache(maxsize=4096)
def quantile(level: float, freedom: float) -> float:
    """The t with ``P(∣T∣ <= t) = level``: within 1e-10 of itself, infinite where it is beyond the doubles.

    Args:
        level: between 0 and 1.
        freedom: degrees of freedom, above 0; they need not be whole.
    """
    level = max(level, TINY)  # below which there is no slope
    normal = _normal(level)
    if freedom >= MANY:
        return _expanded(normal, freedom)
    # ln P(∣T∣ > e^u) is concave in u: from where it is too small Newton's steps only come nearer, and the first of the
    # others leads there.
    wanted, log_t = math.log1p(-level), math.log(normal)
    for _ in range(STEPS):
        tail, slope = _log_tail(log_t, freedom)
        step = (wanted - tail) / slope
        log_t += step
        if log_t > math.log(1.7e308):
            return math.inf
        if abs(step) <= ENDS:
            break
    return math.exp(log_t)


def tail(t: float, freedom: float) -> float:
    """``P(∣T∣ > t)``, within 1e-11 of itself.

    Args:
        t: 0 or more; infinite gives 0.
        freedom: degrees of freedom, above 0; they need not be whole.
    """
    if t == 0.0 or math.isinf(t):
        return 1.0 if t == 0.0 else 0.0
    if freedom >= MANY:
        return math.erfc(_normalised(t, freedom) / math.sqrt(2.0))
    return math.exp(_log_tail(math.log(t), freedom)[0])


def _normalised(t: float, freedom: float) -> float:
    """The normal quantile beyond which is as much as beyond t: Hill 1970, doi:10.1145/355598.362775."""
    if math.isinf(freedom):
        return t
    a = freedom - 0.5
    b = 48.0 * a * a
    square = a * math.log1p(t * t / freedom)
    numerator = ((-0.4 * square - 3.3) * square - 24.0) * square - 85.5
    correction = (numerator / (0.8 * square * square + 100.0 + b) + square + 3.0) / b + 1.0
    return math.sqrt(square) * correction


def _normal(level: float) -> float:
    """The quantile of infinitely many degrees of freedom."""
    if level > 0.5:
        return -NormalDist().inv_cdf((1.0 - level) / 2.0)
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)  # which has lost digits of a small level
    return z - (math.erf(z / math.sqrt(2.0)) - level) / (2.0 * NormalDist().pdf(z))


def _expanded(z: float, freedom: float) -> float:
    """The quantile from that of the normal distribution: Abramowitz & Stegun 26.7.5."""
    square = z * z
    terms = (
        (square + 1) / 4,
        ((5 * square + 16) * square + 3) / 96,
        (((3 * square + 19) * square + 17) * square - 15) / 384,
        ((((79 * square + 776) * square + 1482) * square - 1920) * square - 945) / 92160,
    )
    return z * (1.0 + sum(term * freedom**-power for power, term in enumerate(terms, 1)))


def _log_tail(log_t: float, freedom: float) -> tuple[float, float]:
    """Ln P(∣T∣ > t) and its slope over ln t, by the continued fraction of the incomplete beta function."""
    ratio = 2.0 * log_t - math.log(freedom)  # ln t²/ν, and with it x = ν/(ν + t²) and 1 − x
    log_x, log_rest = -_softplus(ratio), -_softplus(-ratio)
    half = freedom / 2.0
    # x^a (1 − x)^(1/2) / B(a, 1/2): the density times t, up to a factor of 2
    log_front = half * log_x + 0.5 * log_rest + math.lgamma(half + 0.5) - math.lgamma(half) - 0.5 * math.log(math.pi)
    if math.exp(log_x) < (half + 1.0) / (half + 2.5):
        fraction = _fraction(half, 0.5, math.exp(log_x)) / half
        return log_front + math.log(fraction), -2.0 / fraction
    center = math.exp(log_front) * _fraction(0.5, half, math.exp(log_rest)) / 0.5
    return math.log1p(-center), -2.0 * math.exp(log_front) / (1.0 - center)


def _softplus(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method: DLMF 8.17.22."""
    upper, lower = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0) or TINY)
    value = lower
    for index in range(1, STEPS):
        double = a + 2 * index
        for term in (
            index * (b - index) * x / ((double - 1.0) * double),
            -(a + index) * (a + b + index) * x / (double * (double + 1.0)),
        ):
            lower = 1.0 / (1.0 + term * lower or TINY)
            upper = 1.0 + term / upper or TINY
            value *= upper * lower
        if abs(upper * lower - 1.0) <= EXACT:
            break
    return value
