"""Student's t: how many standard errors a confidence interval reaches, and how likely as many are by chance.

NumPy has none, and SciPy takes long to import.
"""

import math
from functools import lru_cache
from statistics import NormalDist

MANY = 60.0
"""Degrees of freedom from which series in their inverse are exact."""
STEPS = 200
"""More than Newton's method, or the fraction, ever takes."""
ENDS = 1e-13
"""The step of Newton's method behind which there is none that matters."""
EXACT = 1e-16
"""The relative step at which a series or the fraction ends."""
TINY = 1e-300
NEAR = 1.0
"""How far out, as ln(1 + t²/ν), the expansion for many degrees of freedom holds; beyond, the fraction is quick."""
FURTHEST = 700.0
"""Beyond e to minus this much nothing is left of a tail."""


@lru_cache(maxsize=4096)
def quantile(level: float, freedom: float) -> float:
    """The t with ``P(∣T∣ <= t) = level``: within 1e-12 of itself, infinite where it is beyond the doubles.

    Args:
        level: between 0 and 1.
        freedom: degrees of freedom, above 0; they need not be whole.
    """
    level = max(level, TINY)  # below which there is no slope
    normal = _normal(level)
    if math.isinf(freedom):
        return normal
    # ln P(∣T∣ > e^u) is concave in u: from where it is too small Newton's steps only come nearer, and the first of the
    # others leads there.
    wanted, log_t = math.log1p(-level), math.log(_expanded(normal, freedom) if freedom >= MANY else normal)
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
    """``P(∣T∣ > t)``, within 1e-12 of itself; 0 where it is below 1e-300.

    Args:
        t: 0 or more; infinite gives 0.
        freedom: degrees of freedom, above 0; they need not be whole.
    """
    if t == 0.0 or math.isinf(t):
        return 1.0 if t == 0.0 else 0.0
    if math.isinf(freedom):
        return math.erfc(t / math.sqrt(2.0))
    return math.exp(_log_tail(math.log(t), freedom)[0])


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
    log_front = half * log_x + 0.5 * log_rest + _log_gamma_ratio(half) - 0.5 * math.log(math.pi)
    if math.exp(log_rest) > 1.5 / (half + 2.5):
        if freedom >= MANY and -log_x < NEAR:
            log_tail = _log_tail_of_many(math.exp(log_t), freedom)
            return log_tail, -2.0 * math.exp(log_front - log_tail)
        if log_front < -2.0 * FURTHEST:
            return -math.inf, -freedom
        fraction = _fraction(half, 0.5, math.exp(log_x)) / half
        return log_front + math.log(fraction), -2.0 / fraction
    center = math.exp(log_front) * _fraction(0.5, half, math.exp(log_rest)) / 0.5
    return math.log1p(-center), -2.0 * math.exp(log_front) / (1.0 - center)


def _log_tail_of_many(t: float, freedom: float) -> float:
    """Ln P(∣T∣ > t) by the expansion of Didonato & Morris 1992, doi:10.1145/131766.131776, of I_x(ν/2, 1/2)."""
    log_x = -math.log1p(t * t / freedom)
    many = freedom / 2.0 - 0.25
    z = -many * log_x
    if z > FURTHEST:
        return -math.inf
    front = math.sqrt(z / math.pi) * math.exp(-z)
    part = math.erfc(math.sqrt(z)) / front
    total, power, inverse = part, 1.0, [1.0]
    factors = [1.0]
    for n in range(1, STEPS):
        double = 2 * n - 2 + 0.5
        part = (double * (double + 1.0) * part + (z + double + 1.0) * power) / (4.0 * many * many)
        power *= log_x * log_x / 4.0
        inverse.append(inverse[-1] / (2 * n * (2 * n + 1)))
        rest = sum((0.5 * i - n) * inverse[i] * factors[n - i] for i in range(1, n)) / n
        factors.append(-0.5 * inverse[n] + rest)
        total += factors[n] * part
        if abs(factors[n] * part) <= EXACT * total:
            break
    return math.log(front * total) + _log_gamma_ratio(freedom / 2.0) - 0.5 * math.log(many)


def _log_gamma_ratio(a: float) -> float:
    """Ln Γ(a + 1/2)/Γ(a)."""
    if a < MANY / 2.0:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    square = 1.0 / (a * a)
    series = (((17.0 / 14336.0 * square - 1.0 / 640.0) * square + 1.0 / 192.0) * square - 0.125) / a
    return 0.5 * math.log(a) + series


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
