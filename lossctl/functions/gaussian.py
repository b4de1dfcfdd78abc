"""What losses of a normal distribution share."""

import math

import numpy as np

from lossctl.domain import FloatArray
from lossctl.functions.stable import amended, polynomial
from lossctl.two_doubles import product

LOG_2_PI = math.log(2.0 * math.pi)
HALF_LOG_2 = 0.5 * math.log(2.0)

NEWTON = 60
"""Steps of Newton's method, and shorter ones in place of them; about eight are needed."""

BEYOND_ONE = 0.12837916709551257
"""2/√π − 1."""

ERF_TERMS = (BEYOND_ONE, *((-1) ** n * (1.0 + BEYOND_ONE) / (math.factorial(n) * (2 * n + 1)) for n in range(1, 20)))
"""Of the Maclaurin series of erf x / x, but for the 1 in its first: enough for the last bit up to 1."""

TRAPEZIA = tuple((math.exp(-0.25 * n * n), 0.25 * n * n) for n in range(12, 0, -1))
"""e^(−t²) and t² where the trapezoidal rule takes the integral of erfc, but for t = 0; the smallest first."""

CERTAIN = 6.0
"""A number whose error function is 1 to the last bit."""


def erf(x: FloatArray) -> FloatArray:
    """The error function, which NumPy has not, within two units in the last place: its series up to 1, then 1 − erfc.

    Erfc x = 2x/π e^(−x²) ∫ e^(−t²)/(x² + t²) dt from 0 on, by the trapezoidal rule with steps of ½, less what the pole
    at t = ix adds to that (Chiarella & Reichel 1968, On the evaluation of integrals related to the error function).
    """
    size = np.minimum(np.abs(x), CERTAIN)
    return np.copysign(amended(size + size * polynomial(size * size, ERF_TERMS), size > 1.0, _erf_far, size), x)


def _erf_far(x: FloatArray) -> FloatArray:
    """1 − erfc x, from 1 to `CERTAIN`."""
    square = x * x
    total = np.zeros_like(x)
    for weight, place in TRAPEZIA:
        total += weight / (place + square)
    total += 0.5 / square
    return np.asarray(1.0 - (x / np.pi * np.exp(-square) * total - 2.0 / np.expm1(4.0 * np.pi * x)))


def standardized(error: FloatArray, scale: FloatArray) -> FloatArray:
    """How many scales an error is: 0 for none, whatever the scale, and infinite for some beside a scale of 0."""
    return np.where(error == 0, 0.0, error / scale)


def deviation_slope(error: FloatArray, rest: FloatArray, deviation: FloatArray) -> FloatArray:
    """1/σ − e²/σ³, the slope of log σ + ½ (e/σ)², with its digits where ∣e∣ is near σ; e is given as two doubles."""
    size = np.abs(error)
    left = (deviation - size) - np.where(error < 0, -rest, rest)
    return np.asarray(left / deviation / deviation * (1.0 + size / deviation))


def variance_slope(error: FloatArray, rest: FloatArray, variance: FloatArray) -> FloatArray:
    """½(v − e²)/v², the slope of ½(log v + e²/v), with its digits where e² is near v and where e² is no double."""
    square = np.square(error / np.sqrt(variance))
    slope = 0.5 * (1.0 - square) / variance
    slope = np.where(square > 2.0, 0.5 * (1.0 / square - 1.0) * np.square(error / variance), slope)
    near = (square > 0.5) & (square < 2.0)
    return np.where(near, 0.5 * _gap(error, rest, variance) / variance, slope)


def _gap(error: FloatArray, rest: FloatArray, variance: FloatArray) -> FloatArray:
    """(v − e²)/v for e² near v: all by a power of 2 near 1, and e² in two doubles (Dekker's product)."""
    half = np.frexp(variance)[1] // 2
    error, rest, variance = np.ldexp(error, -half), np.ldexp(rest, -half), np.ldexp(variance, -2 * half)
    square, lost = product(error, error)
    return np.asarray(((variance - square) - (lost + 2.0 * error * rest)) / variance)


def moments(label: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """The mean and the standard deviation of weighted labels."""
    total = math.fsum(weight)
    mean = math.fsum(weight * label) / total
    error = label - mean
    largest = float(np.abs(error).max()) or 1.0
    return mean, largest * math.sqrt(math.fsum(weight * np.square(error / largest)) / total)


def best_normal(label: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """The mean and the deviation whose CRPS is the least: by Newton's method, damped where it leads no lower.

    The score is convex in both together. Where most labels are one number, a deviation of 0 there is the best.
    """
    mean, deviation = moments(label, weight)
    if deviation == 0:
        return mean, 0.0
    share, start, unit = weight / math.fsum(weight), mean, deviation
    scaled, place, least = (label - start) / unit, np.array([0.0, 1.0]), math.inf
    slope, bend, damping = np.zeros(2), np.zeros((2, 2)), 0.0
    step: FloatArray = np.zeros(2)
    for _ in range(NEWTON):
        shift, spread = place + step
        ratio = (shift - scaled) / spread if spread > 0 else np.zeros_like(scaled)
        peak = np.exp(-0.5 * np.square(ratio)) * math.sqrt(2.0 / math.pi)
        within = erf(ratio / math.sqrt(2.0))
        score = math.fsum(share * ((shift - scaled) * within + spread * (peak - 1.0 / math.sqrt(math.pi))))
        if spread > 0 and score <= least:
            place, least, damping = place + step, score, 0.1 * damping
            slope = np.array([math.fsum(share * within), math.fsum(share * (peak - 1.0 / math.sqrt(math.pi)))])
            across, bent = -math.fsum(share * peak * ratio), math.fsum(share * peak * np.square(ratio))
            bend = np.array([[math.fsum(share * peak), across], [across, bent]]) / spread
        else:
            damping = max(10.0 * damping, 0.01 * float(np.trace(bend)))
        step = np.asarray(-np.linalg.solve(bend + (damping + 1e-12) * np.eye(2), slope), dtype=np.float64)
    order = np.argsort(label)
    reached = np.cumsum(share[order])
    middle = order[np.searchsorted(reached, 0.5 * reached[-1])]
    if math.fsum(share * np.abs(scaled - scaled[middle])) <= least:
        return float(label[middle]), 0.0
    return start + unit * float(place[0]), unit * float(place[1])
