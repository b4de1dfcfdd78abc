"""Make the reference tables of this folder, one CSV file per loss, with mpmath.

    python tests/reference/make_reference.py            write every table
    python tests/reference/make_reference.py --check    exit 1 if a table differs from what would be written

The formulas are the definitions, written without regard to rounding; the precision is raised until that does
not matter. This file never imports lossctl, so the tables are an independent witness.

Each formula returns the *terms* of a sum. Their sum is the result, and the ratio of their absolute sum to the
result is the condition number of the last addition: rows where it is large are left out, because there no
program in double precision could give the digits. So are rows with a result between 0 and 1e-301.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath  # type: ignore[import-untyped]
from mpmath import mp

mp.dps = 50

Real = Any  # mpmath.mpf
Vector = tuple[Real, ...]
Label = int | Vector
Terms = list[Real]
Options = dict[str, str]

FOLDER = Path(__file__).resolve().parent
COMMAND = "python tests/reference/make_reference.py"
VERSION_LINE = "# made with mpmath "
COLUMNS = ("parameters", "activation", "label", "prediction", "value", "gradient")

EPS = 2.220446049250313e-16
UP = math.nextafter(1.0, 2.0)  # 1 + 2**-52
DOWN = math.nextafter(1.0, 0.0)  # 1 - 2**-53

DIGITS = 350  # for 1 + x with x down to 1e-300
SMALLEST = mp.mpf("1e-301")
VANISHED = mp.mpf("1e-400")
VALUE_CONDITION = 10
GRADIENT_CONDITION = 100
SOFT_LABEL_SMALLEST_VALUE = mp.mpf("0.05")
DIFF_AGREEMENT = mp.mpf("1e-20")
DIFF_LARGEST_LOGIT = 100  # mp.diff is slow with the digits a larger one needs


# --- small helpers -----------------------------------------------------------------------------------------


def real(options: Options, name: str) -> Real:
    return mp.mpf(float(options[name]))


def log(x: Real) -> Real:
    return -mp.inf if x == 0 else mp.log(x)


def divide(a: Real, b: Real) -> Real:
    """a / b, with an infinity where b is 0 and a is not."""
    if a == 0:
        return mp.zero
    return mp.sign(a) * mp.inf if b == 0 else a / b


def times(multiplier: Real, x: Real) -> Real:
    """multiplier * x, exactly 0 where the multiplier is 0 whatever x is."""
    return mp.zero if multiplier == 0 else multiplier * x


def xlogx(x: Real) -> Real:
    return times(x, log(x))


def vector(label: Label) -> Vector:
    assert isinstance(label, tuple)
    return label


def difference(label: Label, p: Vector) -> Real:
    return p[0] - vector(label)[0]


def sigmoid(z: Real) -> Real:
    return 1 / (1 + mp.exp(-z))


def softmax(z: Vector) -> Vector:
    powers = [mp.exp(x) for x in z]
    total = mp.fsum(powers)
    return tuple(x / total for x in powers)


def floor_of(options: Options, activation: str) -> Real:
    """The floor under the argument of a logarithm; none when the prediction is a pre-activation."""
    return mp.zero if activation else real(options, "eps")


# --- errors ------------------------------------------------------------------------------------------------


def mse_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [difference(y, p) ** 2]


def mse_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[2 * difference(y, p)]]


def mae_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [abs(difference(y, p))]


def mae_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[mp.sign(difference(y, p))]]


def msle_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [(mp.log(1 + p[0]) - mp.log(1 + vector(y)[0])) ** 2]


def msle_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[2 * (mp.log(1 + p[0]) - mp.log(1 + vector(y)[0])) / (1 + p[0])]]


def mape_scale(options: Options, y: Label) -> Real:
    size = abs(vector(y)[0])
    return max(mp.one, size) if options["zero"] == "max1" else size


def mape_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [100 * abs(difference(y, p)) / mape_scale(options, y)]


def mape_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[100 * mp.sign(difference(y, p)) / mape_scale(options, y)]]


def huber_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    e, delta = abs(difference(y, p)), real(options, "delta")
    return [e**2 / 2] if e <= delta else [delta * (e - delta / 2)]


def huber_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    e, delta = difference(y, p), real(options, "delta")
    return [[min(max(e, -delta), delta)]]


def log_cosh_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [mp.log(mp.cosh(difference(y, p)))]


def log_cosh_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[mp.tanh(difference(y, p))]]


# --- more errors -------------------------------------------------------------------------------------------

Formula = Callable[..., Terms]
OfError = Callable[..., Real]


def value_of(formula: OfError, *names: str) -> Formula:
    """The value of a loss of the error alone, with these parameters."""
    return lambda options, activation, y, p: [formula(difference(y, p), *(real(options, name) for name in names))]


def slope_of(formula: OfError, *names: str) -> Callable[..., list[Terms]]:
    """Its gradient."""
    return lambda options, activation, y, p: [[formula(difference(y, p), *(real(options, name) for name in names))]]


def quantile_slope(e: Real, tau: Real) -> Real:
    return mp.zero if e == 0 else -tau if e < 0 else 1 - tau


def side(e: Real, tau: Real) -> Real:
    return tau if e < 0 else 1 - tau


def pseudo_huber(e: Real, delta: Real) -> Real:
    return e**2 / (1 + mp.sqrt(1 + (e / delta) ** 2))  # delta^2 (sqrt(1 + (e/delta)^2) - 1)


def fair(e: Real, c: Real) -> Real:
    return c**2 * (abs(e) / c - mp.log1p(abs(e) / c))


def lq_slope(e: Real, q: Real) -> Real:
    return mp.zero if e == 0 else q * abs(e) ** (q - 1) * mp.sign(e)


def surplus(e: Real, epsilon: Real) -> Real:
    return max(mp.zero, abs(e) - epsilon)


def smape_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [divide(200 * abs(difference(y, p)), abs(vector(y)[0]) + abs(p[0]))]


def smape_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    e, total = difference(y, p), abs(vector(y)[0]) + abs(p[0])
    return [[mp.zero if e == 0 else 200 * (mp.sign(e) / total - abs(e) * mp.sign(p[0]) / total**2)]]


# --- Tweedie's family --------------------------------------------------------------------------------------


def power_of(options: Options, power: float | None) -> Real:
    return real(options, "power") if power is None else mp.mpf(power)


def deviance(y: Real, mean: Real, power: Real) -> Real:
    if power == 0:
        return (y - mean) ** 2
    if power == 1:
        return 2 * (times(y, log(y / mean)) - y + mean)
    if power == 2:
        return 2 * (mp.log(mean / y) + y / mean - 1)
    a, b = 1 - power, 2 - power
    return 2 * (times(1 / (a * b), mp.power(y, b) if y > 0 else mp.zero) - y * mean**a / a + mean**b / b)


def deviance_of(power: float | None = None) -> Formula:
    def value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
        count, p_ = vector(y)[0], power_of(options, power)
        if not activation:
            return [deviance(count, p[0], p_)]
        exact = deviance(count, mp.exp(p[0]), p_)
        # A program has z - log y, whose logarithm is rounded: these terms cancel as that does.
        doubt = divide(mp.log(count), p[0] - mp.log(count)) * exact if count > 0 else mp.zero
        return [exact + doubt, -doubt]

    return value


def slope_at(power: float | None = None, factor: int = 1) -> Callable[..., list[Terms]]:
    def gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
        count, p_ = vector(y)[0], power_of(options, power)
        if activation:
            return [[factor * mp.exp((2 - p_) * p[0]), -factor * count * mp.exp((1 - p_) * p[0])]]
        return [[factor * (p[0] - count) * p[0] ** -p_]]

    return gradient


def tweedie_nll_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    mean, power = mp.exp(p[0]) if activation else p[0], real(options, "power")
    return [vector(y)[0] * mean ** (1 - power) / (power - 1), mean ** (2 - power) / (2 - power)]


def gamma_nll_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    mean = mp.exp(p[0]) if activation else p[0]
    return [mp.log(mean), vector(y)[0] / mean]


def wmape_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [100 * abs(difference(y, p))]


def wmape_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[100 * mp.sign(difference(y, p))]]


def minkowski_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [abs(difference(y, p)) ** real(options, "p")]


def minkowski_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    e, power = difference(y, p), real(options, "p")
    return [[power * mp.sign(e) * times(mp.sign(abs(e)), abs(e) ** (power - 1))]]


# --- one probability ---------------------------------------------------------------------------------------


def bce_label(options: Options, y: Label) -> Real:
    a = real(options, "label_smoothing")
    return vector(y)[0] * (1 - a) + a / 2


def bce_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    target, floor = bce_label(options, y), floor_of(options, activation)
    q = sigmoid(p[0]) if activation else p[0]
    positive = times(-real(options, "pos_weight") * target, log(max(q, floor)))
    return [positive, times(target - 1, log(max(1 - q, floor)))]


def bce_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    target, weight, floor = bce_label(options, y), real(options, "pos_weight"), floor_of(options, activation)
    if activation:
        q = sigmoid(p[0])
        return [[q - target] if weight == 1 else [-weight * target * (1 - q), (1 - target) * q]]
    if weight == 1 and floor < p[0] < 1 - floor:
        return [[(p[0] - target) / (p[0] * (1 - p[0]))]]
    return [[divide(-weight * target, max(p[0], floor)), divide(1 - target, max(1 - p[0], floor))]]


def tversky_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    (label,), q = vector(y), sigmoid(p[0]) if activation else p[0]
    return [real(options, "alpha") * (1 - label) * q, real(options, "beta") * label * (1 - q)]


def tversky_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    (label,), q = vector(y), sigmoid(p[0]) if activation else p[0]
    slope = q * (1 - q) if activation else mp.one
    return [[slope * real(options, "alpha") * (1 - label), -slope * real(options, "beta") * label]]


def dice_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return tversky_value({"alpha": "1", "beta": "1"}, activation, y, p)


def dice_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return tversky_gradient({"alpha": "1", "beta": "1"}, activation, y, p)


def fmeasure_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    false, missed = tversky_value({"alpha": "1", "beta": "1"}, activation, y, p)
    return [false, real(options, "beta") ** 2 * missed]


def fmeasure_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    ((false, missed),) = tversky_gradient({"alpha": "1", "beta": "1"}, activation, y, p)
    return [[false, real(options, "beta") ** 2 * missed]]


def surprisal_unit(options: Options) -> Real:
    return mp.one if options["base"] == "none" else mp.log(real(options, "base"))


def surprisal_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    logarithm = p[0] if options["log"] == "true" else log(max(p[0], real(options, "eps")))
    return [-logarithm / surprisal_unit(options)]


def surprisal_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    size = mp.one if options["log"] == "true" else max(p[0], real(options, "eps"))
    return [[-1 / (size * surprisal_unit(options))]]


def focal_weight(options: Options, y: Label) -> Real:
    if options["alpha"] == "none":
        return mp.one
    alpha = real(options, "alpha")
    return alpha if vector(y)[0] == 1 else 1 - alpha


def focal_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    q = sigmoid(p[0]) if activation else p[0]
    hit, miss = (q, 1 - q) if vector(y)[0] == 1 else (1 - q, q)
    power = mp.power(miss, real(options, "gamma"))
    return [-focal_weight(options, y) * times(power, log(max(hit, floor_of(options, activation))))]


def focal_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    q = sigmoid(p[0]) if activation else p[0]
    hit, miss = (q, 1 - q) if vector(y)[0] == 1 else (1 - q, q)
    sign = 1 if vector(y)[0] == 1 else -1
    scale, gamma = sign * focal_weight(options, y), real(options, "gamma")
    if activation:
        power = scale * mp.power(miss, gamma)
        return [[power * gamma * hit * mp.log(hit), -power * miss]]
    floored = max(hit, floor_of(options, activation))
    # miss^(gamma-1) log(hit) tends to 0 where miss does, for any gamma > 0
    slope = mp.zero if gamma == 0 or miss == 0 else gamma * mp.power(miss, gamma - 1) * log(floored)
    return [[scale * slope, -scale * divide(mp.power(miss, gamma), floored)]]


# --- distributions -----------------------------------------------------------------------------------------


def row_label(options: Options, y: Label, classes: int) -> Vector:
    """The label as a row of a simplex, smoothed when the loss has label_smoothing."""
    row = y if isinstance(y, tuple) else tuple(mp.mpf(k == y) for k in range(classes))
    a = mp.mpf(float(options.get("label_smoothing", "0.0")))
    return tuple(x * (1 - a) + a / classes for x in row)


def cross_entropy_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    q, floor = (softmax(p) if activation else p), floor_of(options, activation)
    return [times(-t, log(max(x, floor))) for t, x in zip(row_label(options, y, len(p)), q, strict=True)]


def cross_entropy_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    target, floor = row_label(options, y, len(p)), floor_of(options, activation)
    if not activation:
        return [[divide(-t, max(x, floor))] for t, x in zip(target, p, strict=True)]
    q, total = softmax(p), mp.fsum(target)
    if isinstance(y, tuple) or target[y] != 1:
        return [[x * total, -t] for t, x in zip(target, q, strict=True)]
    return [[x - t] for t, x in zip(target, q, strict=True)]  # a hard label: digits are expected near 0 too


def nll_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    assert isinstance(y, int)
    return [-p[y]] if options["log"] == "true" else cross_entropy_value(options, activation, y, p)


def nll_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    assert isinstance(y, int)
    if options["log"] == "true":
        return [[-mp.mpf(k == y)] for k in range(len(p))]
    return cross_entropy_gradient(options, activation, y, p)


def kl_divergence_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    q, eps = (softmax(p) if activation else p), real(options, "eps")
    if options["reverse"] == "true":
        pairs = zip(vector(y), q, strict=True)
        return [t for a, b in pairs for t in (xlogx(b), times(-b, log(max(a, eps))))]
    return [xlogx(a) for a in vector(y)] + cross_entropy_value(options, activation, y, p)


def kl_divergence_of_distributions(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    """The terms of the value, or those of p log(p/q) - p + q where the rows sum to the same within rounding."""
    terms = kl_divergence_value(options, activation, y, p)
    q = softmax(p) if activation else p
    ahead, behind = (q, vector(y)) if options["reverse"] == "true" else (vector(y), q)
    if abs(mp.fsum(ahead) - mp.fsum(behind)) > len(p) * EPS:
        return terms
    surplus = [mp.fsum(terms[k :: len(p)]) for k in range(len(p))]
    if options["reverse"] == "true":
        surplus = [mp.fsum(terms[2 * k : 2 * k + 2]) for k in range(len(p))]
    surplus = [t - a + b for t, a, b in zip(surplus, ahead, behind, strict=True)]
    return surplus if mp.fsum(surplus) > 0 else [mp.zero]


def kl_divergence_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    if options["reverse"] != "true":
        return cross_entropy_gradient(options, activation, y, p)
    logs = [log(max(a, real(options, "eps"))) for a in vector(y)]
    if not activation:
        return [[log(b), -a, mp.one] for a, b in zip(logs, p, strict=True)]
    row = mp.fsum(kl_divergence_value(options, activation, y, p))
    return [[b * log(b), -b * a, -b * row] for a, b in zip(logs, softmax(p), strict=True)]


# --- counts, directions, margins ---------------------------------------------------------------------------


def poisson_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    count, (rate, logarithm) = vector(y)[0], (mp.exp(p[0]), p[0]) if activation else (p[0], log(p[0]))
    terms = [rate, -count * logarithm]
    if options["full"] == "lgamma":
        terms += [mp.loggamma(count + 1)]
    elif options["full"] == "stirling" and count > 1:
        terms += [count * mp.log(count), -count, mp.log(2 * mp.pi * count) / 2]
    return terms


def poisson_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    count = vector(y)[0]
    return [[mp.exp(p[0]), -count]] if activation else [[mp.one, -count / p[0]]]


def norm(x: Vector) -> Real:
    return mp.sqrt(mp.fsum(a**2 for a in x))


def cosine_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    size = norm(vector(y)) * norm(p)
    return [mp.zero] if size == 0 else [-a * b / size for a, b in zip(vector(y), p, strict=True)]


def cosine_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    size = norm(vector(y)) * norm(p)
    if size == 0:
        return [[mp.zero] for _ in p]
    cosine = -mp.fsum(cosine_value(options, activation, y, p))
    return [[-a / size, cosine * b / norm(p) ** 2] for a, b in zip(vector(y), p, strict=True)]


def shortfall(options: Options, y: Label, p: Vector) -> Real:
    return max(mp.zero, real(options, "margin") - vector(y)[0] * p[0])


def hinge_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [shortfall(options, y, p)]


def hinge_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[-vector(y)[0] if shortfall(options, y, p) > 0 else mp.zero]]


def squared_hinge_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [shortfall(options, y, p) ** 2]


def squared_hinge_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[-2 * vector(y)[0] * shortfall(options, y, p)]]


def exponential_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [mp.exp(-vector(y)[0] * p[0])]


def exponential_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[-vector(y)[0] * mp.exp(-vector(y)[0] * p[0])]]


# --- forecasts ---------------------------------------------------------------------------------------------


def variance_of(options: Options, scale: Real) -> Real:
    return {"var": scale, "std": scale**2, "log_std": mp.exp(2 * scale)}[options["scale"]]


def gaussian_nll_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    variance = variance_of(options, p[1])
    constant = [mp.log(2 * mp.pi) / 2] if options["full"] == "true" else []
    return [mp.log(variance) / 2, difference(y, p) ** 2 / variance / 2, *constant]


def gaussian_nll_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    e, variance = difference(y, p), variance_of(options, p[1])
    if options["scale"] == "log_std":
        return [[e / variance], [mp.one, -(e**2) / variance]]
    scale = 1 / p[1] - e**2 / p[1] ** 3 if options["scale"] == "std" else (1 / variance - e**2 / variance**2) / 2
    return [[e / variance], [scale]]


def crps_gaussian_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    e, scale = abs(difference(y, p)), p[1]
    if scale == 0:
        return [e]
    peak = (mp.sqrt(2) * mp.exp(-((e / scale) ** 2) / 2) - 1) / mp.sqrt(mp.pi)
    return [e * mp.erf(e / scale / mp.sqrt(2)), scale * peak]


def crps_gaussian_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    e, scale = difference(y, p), p[1]
    if scale == 0:
        return [[mp.sign(e)], [(mp.sqrt(2) * (e == 0) - 1) / mp.sqrt(mp.pi)]]
    peak = mp.sqrt(2) * mp.exp(-((e / scale) ** 2) / 2) / mp.sqrt(mp.pi)
    return [[mp.erf(e / scale / mp.sqrt(2))], [peak, -1 / mp.sqrt(mp.pi)]]


def members_twice(options: Options, p: Vector) -> int:
    """What the double sum over members is divided by, but for a 2."""
    return len(p) * (len(p) - 1 if options["estimator"] == "fair" else len(p))


def crps_ensemble_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    spread = mp.fsum(abs(a - b) for a in p for b in p) / (2 * members_twice(options, p))
    return [mp.fsum(abs(a - vector(y)[0]) for a in p) / len(p) - spread]


def crps_ensemble_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    pairs = [mp.fsum(mp.sign(a - b) for b in p) / members_twice(options, p) for a in p]
    return [[mp.sign(a - vector(y)[0]) / len(p) - pair] for a, pair in zip(p, pairs, strict=True)]


def interval_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    penalty = 2 / real(options, "alpha")
    outside = max(mp.zero, p[0] - vector(y)[0]) + max(mp.zero, vector(y)[0] - p[1])
    return [p[1] - p[0], penalty * outside]


def interval_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    penalty = 2 / real(options, "alpha")
    return [[penalty * (p[0] > vector(y)[0]) - 1], [1 - penalty * (vector(y)[0] > p[1])]]


def levels_of(options: Options) -> list[Real]:
    return [mp.mpf(float(level)) for level in options["tau"].split("/")]


def quantiles_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    levels = levels_of(options)
    errors = [(tau, vector(y)[0] - a) for tau, a in zip(levels, p, strict=True)]
    return [max(tau * e, (tau - 1) * e) / len(p) for tau, e in errors]


def quantiles_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    pairs = zip(levels_of(options), p, strict=True)
    slopes = [(1 - tau if a > vector(y)[0] else -tau) * (a != vector(y)[0]) for tau, a in pairs]
    return [[slope / len(p)] for slope in slopes]


def margin_ranking_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    terms = [real(options, "margin"), -vector(y)[0] * p[0], vector(y)[0] * p[1]]
    return terms if mp.fsum(terms) > 0 else [mp.zero]


def margin_ranking_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    slope = vector(y)[0] * (mp.fsum(margin_ranking_value(options, activation, y, p)) > 0)
    return [[-slope], [slope]]


# --- scores of classes, reshaped cross-entropy -------------------------------------------------------------


def is_hard(y: Label) -> bool:
    return not isinstance(y, tuple) or max(y) == 1


def slopes_on_scores(y: Label, q: Vector, weights: list[Terms]) -> list[Terms]:
    """By z from the terms of w = q dl/dq, which is w - q sum(w)."""
    every = [t for terms in weights for t in terms]
    slopes = [[*terms, *(-x * t for t in every)] for x, terms in zip(q, weights, strict=True)]
    sure = is_hard(y) and q[class_of(y)] > 0.5  # digits are expected near 0 too
    return [[mp.fsum(terms)] for terms in slopes] if sure else slopes


def brier_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [((sigmoid(p[0]) if activation else p[0]) - vector(y)[0]) ** 2]


def brier_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    if not activation:
        return [[2 * difference(y, p)]]
    q = sigmoid(p[0])
    return [[2 * q * (1 - q) * (q - vector(y)[0])]]


def categorical_brier_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    q = softmax(p) if activation else p
    return [(a - b) ** 2 for a, b in zip(q, row_label(options, y, len(p)), strict=True)]


def categorical_brier_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    target = row_label(options, y, len(p))
    if not activation:
        return [[2 * (a - b)] for a, b in zip(p, target, strict=True)]
    q = softmax(p)
    return slopes_on_scores(y, q, [[2 * a * a, -2 * a * b] for a, b in zip(q, target, strict=True)])


def spherical_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    q = softmax(p) if activation else p
    return [-a * b / norm(q) for a, b in zip(q, row_label(options, y, len(p)), strict=True)]


def spherical_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    q, target = (softmax(p) if activation else p), row_label(options, y, len(p))
    size = norm(q)
    slopes = []
    for a, b in zip(q, target, strict=True):
        factor = -a / size if activation else -1 / size
        slopes.append([factor * b, *(-factor * a * c * d / size**2 for c, d in zip(q, target, strict=True))])
    return [[mp.fsum(terms)] for terms in slopes] if is_hard(y) else slopes


def rps_defect(options: Options, activation: str, y: Label, p: Vector) -> Real:
    """What rows sum to beyond the label."""
    return mp.zero if activation else mp.fsum(p) - mp.fsum(row_label(options, y, len(p)))


def rps_gaps(options: Options, activation: str, y: Label, p: Vector) -> list[Real]:
    q, target = (softmax(p) if activation else p), row_label(options, y, len(p))
    defect = rps_defect(options, activation, y, p)
    rounding = defect if abs(defect) <= len(p) * EPS else 0
    sums = [(mp.fsum(q[: k + 1]), mp.fsum(target[: k + 1])) for k in range(len(p) - 1)]
    return [a - b - (rounding if b > 0.5 else 0) for a, b in sums]


def rps_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [gap**2 / (len(p) - 1) for gap in rps_gaps(options, activation, y, p)]


def off_rounding(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return bool(not 0 <= abs(rps_defect(options, activation, y, p)) <= len(p) * EPS) or bool(activation)


def rps_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    gaps, factor = rps_gaps(options, activation, y, p), mp.mpf(2) / (len(p) - 1)
    slopes = [[factor * gap for gap in gaps[j:]] for j in range(len(p))]
    if not activation:
        return slopes
    q = softmax(p)
    return slopes_on_scores(y, q, [[x * t for t in terms] for x, terms in zip(q, slopes, strict=True)])


def js_divergence_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    pairs = list(zip(vector(y), softmax(p) if activation else p, strict=True))
    return [(times(a, log(divide(2 * a, a + b))) + times(b, log(divide(2 * b, a + b)))) / 2 for a, b in pairs]


def js_divergence_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    q = softmax(p) if activation else p
    slopes = [log(mp.mpf(2) if a == 0 else 2 * b / (a + b)) / 2 for a, b in zip(vector(y), q, strict=True)]
    return (
        slopes_on_scores(y, q, [[b * t] for b, t in zip(q, slopes, strict=True)])
        if activation
        else [[t] for t in slopes]
    )


def generalized_kl_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    pairs = [(a, mp.exp(b), b) if activation else (a, b, log(b)) for a, b in zip(vector(y), p, strict=True)]
    return [xlogx(a) - times(a, logarithm) - a + b for a, b, logarithm in pairs]


def generalized_kl_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    pairs = zip(vector(y), p, strict=True)
    return [[mp.exp(b) - a] if activation else [1 - divide(a, b)] for a, b in pairs]


def categorical_focal_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    q, floor, gamma = (softmax(p) if activation else p), floor_of(options, activation), real(options, "gamma")
    alpha = mp.one if options["alpha"] == "none" else real(options, "alpha")
    pairs = zip(row_label(options, y, len(p)), q, strict=True)
    return [-alpha * times(b * mp.power(1 - a, gamma), log(max(a, floor))) for b, a in pairs]


def categorical_focal_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    q, floor, gamma = (softmax(p) if activation else p), floor_of(options, activation), real(options, "gamma")
    alpha = mp.one if options["alpha"] == "none" else real(options, "alpha")
    slopes: list[Terms] = []
    for b, a in zip(row_label(options, y, len(p)), q, strict=True):
        hit = max(a, floor)
        steep = mp.zero if gamma == 0 or a == 1 else gamma * mp.power(1 - a, gamma - 1) * log(hit)
        scale = alpha * b * (a if activation else 1)
        slopes.append([times(scale, steep), times(-scale, divide(mp.power(1 - a, gamma), hit))] if b else [mp.zero])
    return slopes_on_scores(y, q, slopes) if activation else slopes


def gce_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    power = real(options, "q")
    pairs = zip(row_label(options, y, len(p)), softmax(p) if activation else p, strict=True)
    return [times(b, -log(a) if power == 0 else (1 - mp.power(a, power)) / power) for b, a in pairs]


def gce_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    power, q = real(options, "q"), softmax(p) if activation else p
    target = row_label(options, y, len(p))
    if activation:
        return slopes_on_scores(y, q, [[-b * mp.power(a, power)] for b, a in zip(target, q, strict=True)])
    return [[mp.zero if b == 0 else divide(-b, mp.power(a, 1 - power))] for b, a in zip(target, q, strict=True)]


def poly1_ce_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    q, floor, epsilon = (softmax(p) if activation else p), floor_of(options, activation), real(options, "epsilon")
    pairs = zip(row_label(options, y, len(p)), q, strict=True)
    return [times(b, -log(max(a, floor)) + epsilon * (1 - a)) for b, a in pairs]


def poly1_ce_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    q, floor, epsilon = (softmax(p) if activation else p), floor_of(options, activation), real(options, "epsilon")
    target = row_label(options, y, len(p))
    if activation:
        return slopes_on_scores(y, q, [[-b * (1 + epsilon * a)] for b, a in zip(target, q, strict=True)])
    return [[mp.zero if b == 0 else -b * (divide(1, max(a, floor)) + epsilon)] for b, a in zip(target, q, strict=True)]


def tempered_softmax(options: Options, z: Vector) -> Vector:
    """p_k = exp_t2(z_k - L) with the L by which they sum to 1, by Newton's method for x = 1 + c (L - max z)."""
    c, x = real(options, "t2") - 1, mp.one
    if c == 0:
        return softmax(z)
    below = [c * (max(z) - a) for a in z]
    while True:
        total = mp.fsum((x + d) ** (-1 / c) for d in below)
        step = (1 - total ** (-c)) * total ** (1 + c) / mp.fsum((x + d) ** (-1 / c - 1) for d in below)
        x += step
        if abs(step) < mp.eps * mp.mpf(2) ** 20:
            return tuple((x + d) ** (-1 / c) for d in below)


def tempered_log(options: Options, x: Real) -> Real:
    t = real(options, "t1")
    return mp.log(x) if t == 1 else (x ** (1 - t) - 1) / (1 - t)


def bi_tempered_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    q, power, terms = tempered_softmax(options, p), 2 - real(options, "t1"), []
    for a, b in zip(q, row_label(options, y, len(p)), strict=True):
        logs = b * (tempered_log(options, b) - tempered_log(options, a)) if b else mp.zero
        terms.append(logs - (b**power - a**power) / power)
    return terms


def bi_tempered_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    q, t1, t2 = tempered_softmax(options, p), real(options, "t1"), real(options, "t2")
    weights, target = [a**t2 for a in q], row_label(options, y, len(p))
    pulls = [[a ** (t2 - t1 + 1), -b * a ** (t2 - t1)] for a, b in zip(q, target, strict=True)]
    every, total = [t for terms in pulls for t in terms], mp.fsum(weights)
    slopes = [[*terms, *(-w / total * t for t in every)] for terms, w in zip(pulls, weights, strict=True)]
    sure = is_hard(y) and q[class_of(y)] > 0.5
    return [[mp.fsum(terms)] for terms in slopes] if sure else slopes


# --- margins, decisions ------------------------------------------------------------------------------------


def zero_one_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    q = sigmoid(p[0]) if activation else p[0]
    return [mp.mpf((q > real(options, "threshold")) != (vector(y)[0] > 0))]


def categorical_zero_one_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [1 - row_label(options, y, len(p))[p.index(max(p))]]


def flat(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[mp.zero] for _ in p]


def nowhere(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return False


def soft_margin_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [mp.log1p(mp.exp(-vector(y)[0] * p[0]))]


def soft_margin_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[-vector(y)[0] * sigmoid(-vector(y)[0] * p[0])]]


def modified_huber_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    margin = vector(y)[0] * p[0]
    return [-4 * margin if margin < -1 else max(mp.zero, 1 - margin) ** 2]


def modified_huber_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    margin = vector(y)[0] * p[0]
    return [[-4 * vector(y)[0] if margin < -1 else -2 * vector(y)[0] * max(mp.zero, 1 - margin)]]


def perceptron_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [max(mp.zero, -vector(y)[0] * p[0])]


def perceptron_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[-vector(y)[0] if vector(y)[0] * p[0] < 0 else mp.zero]]


def off_zero_score(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return bool(p[0] != 0)


def wasserstein_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    return [vector(y)[0] * p[0]]


def wasserstein_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    return [[vector(y)[0]]]


def class_of(y: Label) -> int:
    return y.index(max(y)) if isinstance(y, tuple) else y


def rivals_of(options: Options, y: Label, p: Vector) -> list[Real]:
    """The scores of the other classes, and Keras' 0 at the class; -inf at the class otherwise."""
    absent = -mp.inf if "margin" in options else mp.zero
    return [absent if k == class_of(y) else x for k, x in enumerate(p)]


def lead_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    margin = real(options, "margin") if "margin" in options else mp.one
    best = max(rivals_of(options, y, p))
    return [margin, best, -p[class_of(y)]] if margin + best - p[class_of(y)] > 0 else [mp.zero]


def lead_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    slopes, rivals = [mp.zero] * len(p), rivals_of(options, y, p)
    if mp.fsum(lead_value(options, activation, y, p)) > 0:
        best = max(x for k, x in enumerate(p) if k != class_of(y))
        if best == max(rivals) and not (best == 0 and "margin" not in options):
            slopes[min(k for k, x in enumerate(p) if x == best and k != class_of(y))] = mp.one
        slopes[class_of(y)] = -mp.one
    return [[slope] for slope in slopes]


def off_lead(options: Options, activation: str, y: Label, p: Vector) -> bool:
    rivals = sorted(rivals_of(options, y, p))
    margin = real(options, "margin") if "margin" in options else mp.one
    return bool(rivals[-1] != rivals[-2] and margin + rivals[-1] != p[class_of(y)])


def pairs_of(y: Label, p: Vector) -> list[tuple[int, int]]:
    """A chosen column and another."""
    chosen = {k for k, x in enumerate(y) if x == 1} if isinstance(y, tuple) else {y}
    return [(t, i) for t in sorted(chosen) for i in range(len(p)) if i not in chosen]


def pair_shortfall(options: Options, p: Vector, pair: tuple[int, int]) -> Real:
    margin = real(options, "margin") if "margin" in options else mp.one
    return max(mp.zero, margin - p[pair[0]] + p[pair[1]])


def pairwise_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    power = real(options, "p") if "p" in options else mp.one
    return [pair_shortfall(options, p, pair) ** power / len(p) for pair in pairs_of(y, p)]


def pairwise_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    power, slopes = (real(options, "p") if "p" in options else mp.one), [[mp.zero] for _ in p]
    for t, i in pairs_of(y, p):
        short = pair_shortfall(options, p, (t, i))
        slope = power * short ** (power - 1) / len(p) if short > 0 else mp.zero
        slopes[t].append(-slope)
        slopes[i].append(slope)
    return slopes


def off_pairs(options: Options, activation: str, y: Label, p: Vector) -> bool:
    margin = real(options, "margin") if "margin" in options else mp.one
    return all(margin + p[i] != p[t] for t, i in pairs_of(y, p))


def bpmll_value(options: Options, activation: str, y: Label, p: Vector) -> Terms:
    pairs = pairs_of(y, p)
    return [mp.exp(p[i] - p[t]) / len(pairs) for t, i in pairs]


def bpmll_gradient(options: Options, activation: str, y: Label, p: Vector) -> list[Terms]:
    pairs, slopes = pairs_of(y, p), [[mp.zero] for _ in p]
    for t, i in pairs:
        slopes[t].append(-mp.exp(p[i] - p[t]) / len(pairs))
        slopes[i].append(mp.exp(p[i] - p[t]) / len(pairs))
    return slopes


# --- where the derivative exists, so that mp.diff can be asked ---------------------------------------------


def everywhere(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return True


def off_zero_error(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return bool(difference(y, p) != 0)


def off_margin(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return bool(vector(y)[0] * p[0] != real(options, "margin"))


def off_delta(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return bool(abs(difference(y, p)) != real(options, "delta"))


def above_the_floor(options: Options, activation: str, y: Label, p: Vector) -> bool:
    floor = real(options, "eps")
    return bool(activation) or options.get("log") == "true" or all(floor < x < 1 - floor for x in p)


def inside_the_simplex(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return bool(activation) or all(x > 0 for x in p)


def below_100(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return bool(max(map(abs, p)) < 100)


def moderate_pair(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return len(p) == 2 and max(map(abs, p)) < 2  # the others take long


def off_zero_vector(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return bool(norm(p) != 0)


def moderate(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return all(x == 0 or mp.mpf("1e-20") < abs(x) < mp.mpf("1e20") for x in (*vector(y), *p))


def at_moderate_scale(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return moderate(options, activation, y, p) and (p[1] > 0 or options.get("scale") == "log_std")


def off_numbers(options: Options, activation: str, y: Label, p: Vector) -> bool:
    """Whether no member is the label, or another, of a few."""
    return len(p) < 10 and moderate(options, activation, y, p) and len({*p, vector(y)[0]}) == len(p) + 1


def off_label(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return moderate(options, activation, y, p) and vector(y)[0] not in p


def off_ranking_margin(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return moderate(options, activation, y, p) and vector(y)[0] * (p[0] - p[1]) != real(options, "margin")


def off_named(name: str) -> Callable[[Options, str, Label, Vector], bool]:
    """Where the absolute error is not that parameter."""
    return lambda options, activation, y, p: bool(abs(difference(y, p)) != real(options, name))


def off_zeros(options: Options, activation: str, y: Label, p: Vector) -> bool:
    return bool(difference(y, p) != 0 and p[0] != 0)


def off_tiny_bends(options: Options, activation: str, y: Label, p: Vector) -> bool:
    """Where no difference steps over the bend at an error of 0."""
    return bool(abs(difference(y, p)) > mp.ldexp(max(abs(p[0]), abs(vector(y)[0])), -60))


# --- inputs ------------------------------------------------------------------------------------------------

Scalar = tuple[float, float]
Numbers = tuple[float, ...]
Row = tuple[int | Numbers, Numbers]  # label, prediction
Variety = tuple[str, str, list[Row]]  # parameters, activation, rows


def scalars(pairs: Iterable[Scalar]) -> list[Row]:
    return [((float(y),), (float(p),)) for y, p in pairs]


ERRORS: list[Scalar] = [
    *((0, 0), (1, 1), (-2.5, -2.5), (1e100, 1e100), (0.1, 0.3), (0.3, 0.1), (3, -4), (-1.5, 2.25), (1, 0)),
    *((0, 1), (0, -1), (0, UP), (0, DOWN), (0, -UP), (0.5, 0), (0, 0.5), (0, 0.25), (2, 3.5), (1000, -1000)),
    *((0, 2e-150), (-1e-150, 1e-150), (0, 1e-16), (0, -1e-8), (1, UP), (1, DOWN), (1, 1 + 1e-8), (-7, 12.5)),
    *((0, 1e-300), (2e-300, 0), (1e8, 1e8 + 1), (123456.789, 123456.788), (1e10, 1e-10), (1, 1e-300)),
    *((0, 1e100), (1e100, 0), (-1e100, 1e100), (1e150, -1e150), (1e150, 0), (0, 1e160), (1e160, 1)),
    (0.1, 0.2),
]
KINKS: list[Scalar] = [
    *((0, d * s * f) for d in (0.5, 1.5, 10, 1e-3) for s in (1, -1) for f in (1.0, UP, DOWN)),
    *((2, 3.5), (2, 0.5), (100, 110), (100, 90), (0, 1e200)),
]
LOG_COSH: list[Scalar] = [
    *((0, s * e) for e in (1e-150, 1e-100, 1e-16, 1e-12, 1e-8, 1e-4, 1e-3, 0.01) for s in (1, -1)),
    *((0, s * e) for e in (0.1, 0.3, 0.5, 1, 2, 5, 10, 19, 19.999, 20, 20.001, 25, 37, 100) for s in (1, -1)),
    *((0, s * e) for e in (354, 355, 709, 710, 711, 745, 1e4, 1e100, 1e160, 1e300) for s in (1, -1)),
    *((0, 0), (3, 3), (1, UP), (1, DOWN), (1, 1 + 1e-8), (0.1, 0.3), (3, -4), (1e150, -1e150)),
    (1e8, 1e8 + 1),
]
MSLE: list[Scalar] = [
    *((0, 0), (1, 1), (1e300, 1e300), (-0.5, -0.5), (0, 1), (1, 0), (3, 1), (1, 3), (2, 2.1), (0.1, 0.3)),
    *((0, 2e-150), (0, 1e-100), (0, 1e-16), (1e-16, 0), (1e-8, 2e-8), (0, 1e-8), (1e-16, 1e-8), (1e-300, 1)),
    *((1, UP), (1, DOWN), (1, 1 + 1e-8), (0.5, 0.5 - 1e-12), (1e10, 1e10 + 1), (-DOWN, -0.5)),
    *((1e100, math.nextafter(1e100, 1e101)), (-0.999, math.nextafter(-0.999, 0)), (-0.5, -DOWN)),
    *((1e10, 0), (0, 1e10), (1e100, 1e-16), (1e-16, 1e100), (1e150, 1e100), (1e100, 1e150), (5, 1e4)),
    *((-0.5, 0.5), (0.5, -0.5), (-0.9, -0.8), (-0.999999999, 3), (7, -0.999999999), (100, 99), (1e4, 5)),
    *((0, 1e290), (1e10, math.nextafter(1e10, 0)), (2.9, 3.1), (7.83, 18.0), (1.7, 0.9), (0.02, 0.05), (19.2, 4.6)),
    *((-1 + 2.0**-52, 1.7e308), (1.7e308, 1e300), (1e300, 1.7e308), (-DOWN, 1e305)),
]
MAPE: list[Scalar] = [
    *((1, 1), (-3, -3), (1e-300, 1e-300), (2, 1), (2, 3), (-2, 1), (-2, -3), (0.1, 0.3), (0.3, 0.1), (4, 0)),
    *((1, UP), (1, DOWN), (-1, 1), (1, 1 + 1e-8), (1e-8, 2e-8), (1e-8, 1), (1e-16, 1), (1e-300, 0)),
    *((1e-150, 1), (1e-150, 1e150), (1e-150, 1e160), (-1e-150, 1e160), (1e100, 0), (1e100, -1e100)),
    *((1, 1e150), (3, -1e160), (1e160, 1), (1e8, 1e8 + 1), (DOWN, 2), (UP, 2), (0.999, 0.5), (1.001, 0.5)),
    *((12.5, 11), (-0.25, 0.25), (1, 1e-300), (1e150, 1), (1e150, 1e100), (1e-300, 1e10)),
]
ZERO_LABELS: list[Scalar] = [(0, 0), (0, 1), (0, -0.5), (0, 1e-300), (0, 1e100), (0, -1e-8)]

PROBABILITIES = (
    *(0.0, 1e-300, 1e-100, 1e-17, EPS / 2, EPS, 1e-15, 1e-8, 1e-3, 0.1, 0.3, 0.5),
    *(0.7, 0.9, 0.999, 1 - 1e-8, 1 - 1e-15, 1 - EPS, DOWN, 1.0),
)
MIDDLING = (0.0, 1e-17, 1e-8, 0.01, 0.3, 0.5, 0.75, 0.99, 1 - 1e-8, DOWN, 1.0)
LOGITS = tuple(
    s * z
    for z in (0, 1e-12, 1e-3, 0.3, 1, 3, 7.5, 20, 37, 40, 100, 690, 700, 745, 1e3, 1e4)
    for s in ((1, -1) if z else (1,))
)
HARD = (0.0, 1.0)
CLOSE_ROWS = scalars((y, y + d) for y in (0.25, 0.3, 0.5, 0.9) for d in (1e-15, -1e-12, 1e-8, -1e-4))
PROBABILITY_ROWS = scalars(itertools.product(HARD, PROBABILITIES))
SOFT_ROWS = scalars(itertools.product((0.25, 0.9, 1e-8), MIDDLING))
UNFLOORED = (0.0, 1e-300, 1e-100, 1e-17, 1e-8, 0.1, 0.5, 0.9, 1 - 1e-8, DOWN, 1.0)
UNFLOORED_ROWS = scalars(itertools.product(HARD, UNFLOORED)) + scalars([(0.25, 0), (0.25, 1), (0.25, 1e-300)])
LOGIT_ROWS = scalars(itertools.product(HARD, LOGITS))
SOFT_LOGITS = (0, 0.3, -0.3, 1, -1, 7.5, 20, -40, 40, 1e4, -1e4)
SOFT_LOGIT_ROWS = scalars(itertools.product((0.25, 0.9, 1e-8), SOFT_LOGITS))

SIMPLEX: dict[int, tuple[Numbers, ...]] = {
    2: (
        *((0.5, 0.5), (0.25, 0.75), (1.0, 0.0), (0.0, 1.0), (1.0, 1e-17), (1e-300, 1.0), (DOWN, EPS / 2)),
        (1e-8, 1 - 1e-8),
    ),
    3: (
        *((0.2, 0.3, 0.5), (0.7, 0.2, 0.1), (1.0, 0.0, 0.0), (0.0, 0.4, 0.6), (1.0, 1e-17, 1e-300)),
        *((1 / 3, 1 / 3, 1 / 3), (0.999, 1e-3, 1e-16), (0.5, 0.5, 0.0)),
    ),
    10: (
        (0.1,) * 10,
        (0.55, *(0.05,) * 9),
        (0.0, 0.0, 0.125, 0.125, 0.25, 0.25, 0.125, 0.125, 0.0, 0.0),
        (0.02, 0.04, 0.06, 0.08, 0.1, 0.1, 0.12, 0.14, 0.16, 0.18),
    ),
}
SOFT_LABELS: dict[int, tuple[Numbers, ...]] = {
    2: ((0.25, 0.75), (0.9, 0.1), (1.0, 0.0), (0.5, 0.5)),
    3: ((0.2, 0.3, 0.5), (0.0, 0.4, 0.6), (0.0, 1.0, 0.0), (0.85, 0.1, 0.05)),
    10: (
        (0.28, *(0.08,) * 9),
        (0.0, 0.5, 0.0, 0.0, 0.25, 0.0, 0.0, 0.125, 0.125, 0.0),
        (*(0.0,) * 9, 1.0),
    ),
}
SCORES: dict[int, tuple[Numbers, ...]] = {
    2: (
        *((0.0, 0.0), (0.3, -0.3), (1.0, -1.0), (1e-12, 0.0), (20.0, 0.0), (0.0, 37.0), (40.0, 0.0)),
        *((690.0, 0.0), (0.0, 1e3), (1e4, 1e4), (1e4, 9999.0), (-1e4, -9995.0)),
    ),
    3: (
        *((0.1, 0.2, 0.3), (0.0, 0.0, 0.0), (1.0, 1.0, -1.0), (40.0, 0.0, 0.0), (20.0, -20.0, 0.3)),
        *((1e4, 0.0, -1e4), (1e4, 1e4, -1e4), (-1e4, -1e4, -1e4), (1e3, 999.0, 998.0), (1e-12, 0.0, -1e-12)),
        *((-37.0, 0.0, 37.0), (5.0, 0.0, 0.0)),
    ),
    10: (
        (0.0,) * 10,
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        (-3.0, 2.0, 0.5, 20.0, 1.0, -1.0, 0.0, 20.0, -20.0, 4.0),
        (40.0, *(0.3,) * 8, -40.0),
    ),
}
LOG_ROWS: tuple[Numbers, ...] = (
    *((math.log(0.5),) * 2, (math.log(0.25), math.log(0.75)), (0.0, -1e4), (-1e-17, -40.0), (-800.0, 0.0)),
    *((0.0, -745.0, -1e100), (-1e-12, -28.0, -40.0), (math.log(0.2), math.log(0.3), math.log(0.5))),
    *((math.log(0.999), math.log(1e-3), math.log(1e-16)), tuple(map(math.log, SIMPLEX[10][1]))),
)


def class_rows(rows: Iterable[Numbers]) -> list[Row]:
    """Every class as the label, or three of them for long rows."""
    return [(k, p) for p in rows for k in (range(len(p)) if len(p) < 10 else (0, 3, 9))]


def soft_rows(rows: dict[int, tuple[Numbers, ...]]) -> list[Row]:
    return [(y, p) for n, group in rows.items() for p in group for y in SOFT_LABELS[n]]


def all_rows(rows: dict[int, tuple[Numbers, ...]]) -> list[Numbers]:
    return [row for group in rows.values() for row in group]


SMALL_SIMPLEX: dict[int, tuple[Numbers, ...]] = {
    n: (*(row for row in rows if min(row) > 0), (1.0, *(0.0,) * (n - 1))) for n, rows in SIMPLEX.items()
}
SIMPLEX_CLASSES = class_rows(all_rows(SIMPLEX))
WIDE_SCORES: list[Row] = [(7, tuple(float(k * k % 17 - 8) for k in range(200)))]
SCORE_CLASSES = class_rows(all_rows(SCORES))
# with the reverse divergence the gradient holds log p, which is -inf at 0 (and a matter of taste below eps)
INNER_SIMPLEX = {n: tuple(row for row in rows if min(row) >= EPS) for n, rows in SIMPLEX.items()}
INNER_SIMPLEX[2] += ((0.01, 0.99), (0.6, 0.4), (1e-3, 0.999), (1e-15, 1 - 1e-15))
INNER_SIMPLEX[3] += ((0.05, 0.05, 0.9), (0.25, 0.5, 0.25), (1e-8, 1e-3, 1 - 1e-3 - 1e-8))
REVERSE_ROWS = soft_rows(INNER_SIMPLEX)
REVERSE_SCORE_ROWS: list[Row] = [(y, z) for y, z in soft_rows(SCORES) if isinstance(y, tuple) and min(y) > 0]
REVERSE_SCORE_ROWS += [((0.7, 0.2, 0.1), (0.0, 1.0, z)) for z in (-7.5, -1.0, 0.5, 2.0, 3.0, 20.0)]
REVERSE_SCORE_ROWS += [((0.9, 0.1), (0.0, z)) for z in (-0.3, 0.3, 2.0, 3.5, 7.5, 12.0)]
NEAR_ROWS: list[Row] = [
    ((y, 1 - y), (y + d, 1 - y - d))
    for y in (0.5, 0.25, 0.125, 0.0625)
    for d in (2.0**-50, 2.0**-40, -(2.0**-30), 2.0**-20, 2.0**-10, 2.0**-6)
]
NEAR_ROWS += [((0.25, 0.25, 0.5), (0.25 + d, 0.25 + d, 0.5 - 2 * d)) for d in (2.0**-50, 2.0**-35, -(2.0**-20))]
NEAR_ROWS += [
    ((0.1, 0.2, 0.7), (0.1, 0.2, 0.7)),
    ((0.2, 0.3, 0.5), (0.2, 0.3, 0.5001)),
    ((0.5, 0.5), (0.50004, 0.49997)),
]
NEAR_SCORE_ROWS: list[Row] = [((0.5, 0.5), (z, -z)) for z in (0.25, 0.05, -0.03, 1e-2)]
NEAR_SCORE_ROWS += [((1e-300, 1.0), (-690.0, 0.0)), ((1e-8, 1 - 1e-8), (-800.0, 0.0)), ((0.25, 0.75), (-1e4, 0.0))]

COUNTS = (0.0, 1.0, 2.0, 2.5, 170.0, 1e6)
SMALL_OR_LARGE_COUNTS = (1e-18, 1e-5, 0.2, 0.3, 0.999, 1.001, 9.5, 11.0, 1e9, 1e15, 1e17)
RATES = (1e-300, 1e-100, 1e-16, 1e-8, 1e-3, 0.5, 1.0, 2.0, 20.0, 170.0, 1e3, 1e6)
LOG_RATES = (
    *(-1e4, -700.0, -690.0, -40.0, -20.0, -1.0, -0.3, -1e-12, 0.0),
    *(1e-12, 0.3, 1.0, 3.0, 20.0, 40.0, 690.0, 700.0, 1e4),
)
POISSON_ROWS = scalars(itertools.product(COUNTS, RATES))
WHOLE_POISSON_ROWS = scalars((y, y * f) for y in SMALL_OR_LARGE_COUNTS for f in (1.0, 1 + 1e-9, 0.999, 0.77, 1.7, 20.0))
OVERFLOWING_POISSON_ROWS = scalars([(1e300, 1e4), (1e308, 1e3), (2.0, 710.0)])
LOG_POISSON_ROWS = scalars(itertools.product((0.0, 1.0, 2.5, 170.0), LOG_RATES))

DIRECTIONS: list[tuple[Numbers, Numbers]] = [
    *(((1, 0), (0, 1)), ((1, 0), (0, -2)), ((1, 0), (1, 1)), ((1, 2), (3, -1)), ((1, 2), (-3, -1))),
    *(((3, 4), (4, 3)), ((-1, 0.5), (2, 2.5)), ((1, 1), (1, 2)), ((0.1, 0.2), (0.3, 0.1))),
    *(((1, 2, 3), (3, 2, 1)), ((1, 2, 3), (-3, 2, -1)), ((0.5, -0.25, 4), (2, 8, 1))),
    *(((1, 0, 0), (0, 1, 0)), ((1, 2, 2), (-1, -2, 5)), ((1, 2, 3, -4), (4, -3, 2, -1))),
    *(((0, 0), (1, 2)), ((1, 2), (0, 0)), ((0, 0, 0), (0, 0, 0)), ((1, 1e-16), (1, 1)), ((1, 1), (1e-8, 1))),
    *(((1e160, 2e160), (3e160, 1e160)), ((1e-160, 2e-160), (3e-160, 1e-160))),
    *(((1e160, 2e160), (3e-160, 1e-160)), ((1e-160, 2e-160), (3e160, -2e160))),
    *(((1e160, 1e-160), (1, 1)), ((1e-160, 1e160, 1), (2e100, 1e100, -3e100))),
    *(((1e300, 2e300), (3, -1)), ((1e-300, 2e-300), (3, 1)), ((1, 2), (1e290, 0)), ((1, 2), (1e100, 0))),
    *(((1e150, -1e150, 5e149), (1, 1, 7)), ((1, 2), (3e-280, 1e-280)), ((1e-16, 1), (1, 1e-8))),
    *(((1, 2, 3, 4, 5, 6, 7, 8, 9, 10), (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)), ((0, 1, 0, 2, 5), (1, 0, 3, 4, 0))),
    ((1, 0, 0, 0, 0, 0, 0, 0, 0, 1), (1, 1, 1, 1, 1, 1, 1, 1, 1, 1)),
]
COSINE_ROWS: list[Row] = [(tuple(map(float, y)), tuple(map(float, p))) for y, p in DIRECTIONS]

SIGNS = (-1.0, 1.0)
MARGINS = (
    *(0.0, 1e-300, 1e-16, 1e-8, 0.3, 0.5, DOWN, 1.0, UP, 1.5, 2.0, math.nextafter(2.0, 0.0), 3.75, 40.0, 1e8),
    *(1e100, 1e150, 1e160, -1e-300, -1e-16, -0.3, -0.5, -1.0, -2.5, -1e8, -1e100, -1e150, -1e160),
)
MARGIN_ROWS = scalars(itertools.product(SIGNS, MARGINS))
EXPONENTS = (
    *(0.0, 1e-300, -1e-16, 1e-8, 0.3, -0.3, 1.0, -1.0, 2.5, -2.5, 20.0, -20.0, 37.0, -37.0, 40.0, -40.0),
    *(100.0, -100.0, 500.0, -500.0, 690.0, -690.0, -700.0, -709.0, -709.5, -710.0, -745.0, -1e3, -1e4),
    -1e150,
)
EXPONENTIAL_ROWS = scalars((s, s * m) for s in SIGNS for m in EXPONENTS)
EASY_ROWS = scalars(itertools.product(HARD, (1e-300, 1e-298, 1e-17, 1.7e-16, 1e-6, 1e-3, 0.1, 0.9, 1 - 1e-12)))
FOCAL_LOGIT_ROWS = scalars((y, z) for y, z in itertools.product(HARD, LOGITS) if z != 690)

FORECAST_ERRORS = (0.0, 1e-300, 1e-16, 1e-8, 0.3, 0.5, 1.0, UP, DOWN, 2.5, 37.0, 1e8, 1e160)
FORECAST_SCALES = (1e-300, 1e-100, 1e-8, 0.25, 1.0, 3.0, 1e10, 1e300)
SCALED_ROWS: list[Row] = [
    ((y,), (y + sign * e, scale))
    for y, sign in ((0.0, 1.0), (0.0, -1.0))
    for e in FORECAST_ERRORS
    for scale in FORECAST_SCALES
]
SCALED_ROWS += [
    *(((3.0,), (p, s)) for p in (3.0, math.nextafter(3.0, 4.0), 2.5, -1.0, 7.25) for s in (1e-8, 0.5, 2.0, 9.0)),
    *(((1e8,), (1e8 + 1.0, s)) for s in (0.5, 1.0, 1.5, 100.0)),
    *(((0.0,), (e, s)) for e, s in ((0.8325546111576977, 1.0), (0.8326, 1.0), (0.8325, 1.0), (1e160, 1e300))),
    *(
        ((1.8174781911837228,), (8.30632023358625, s))
        for s in (42.105071051250604, 6.488842042402527, 6.488842042402528)
    ),
    *(((0.1,), (0.3, s)) for s in (0.04, 0.2, 0.04000000000000001, 0.19999999999999998)),
    *(((0.0,), (math.sqrt(v), v)) for v in (1e-300, 0.3, 2.0, 3.0, 7.0, 1e150, 1e300)),
]
NO_SCALE_ROWS: list[Row] = [((y,), (p, 0.0)) for y, p in ((0.0, 1.0), (0.0, -1e-300), (3.0, 1e100), (2.0, 2.0))]
LOG_SCALED_ROWS: list[Row] = [
    ((0.0,), (e, s)) for e in FORECAST_ERRORS for s in (-700.0, -300.0, -20.0, -1.0, 0.0, 0.3, 1.0, 20.0, 700.0)
]
LOG_SCALED_ROWS += [((3.0,), (p, s)) for p in (3.0, 2.5, -1.0, 7.25) for s in (-8.0, -0.5, 2.0)]
MEMBERS: tuple[Numbers, ...] = (
    *((0.0, 1.0), (1.0, 1.0), (-1.0, 2.5), (0.1, 0.3), (1e8, 1e8 + 1.0), (1e12, 1e12 + 0.25), (-1e160, 1e160)),
    *((0.3, 0.1, 0.2), (-1.0, 0.5, 2.0), (2.0, 2.0, 2.0), (1.0, UP, DOWN), (1e-300, 2e-300, -1e-300)),
    *((5.0, -3.0, 5.0, 1.0), (1e6 + 0.5, 1e6, 1e6 - 0.25, 1e6), (9.0, 8.0, 7.0, 6.0), (0.1, 0.1, 0.1, 0.2)),
    tuple(float(k * k % 17 - 8) / 4 for k in range(20)),
    tuple(1e6 + float(k * 7 % 80) / 64 for k in range(80)),
)
ENSEMBLE_ROWS: list[Row] = [
    ((y,), p) for p in MEMBERS for y in dict.fromkeys((0.0, 0.3, -2.0, p[0], p[0] + 1e-8, p[-1], 1e6, 1e8 + 0.25))
]
ENDS: tuple[tuple[float, float], ...] = (
    *((0.0, 1.0), (1.0, 1.0), (-1.5, 2.5), (0.1, 0.3), (1e8, 1e8 + 1.0), (-1e160, 1e160), (1e-300, 2e-300)),
    *((DOWN, UP), (-3.0, -1.0)),
)
INTERVAL_ROWS: list[Row] = [
    ((y,), p)
    for p in ENDS
    for y in dict.fromkeys((0.0, p[0], p[1], math.nextafter(p[0], -9e99), math.nextafter(p[1], 9e99), 0.2, -7.0, 1e100))
]
THREE_ROWS = [(y, p) for y, p in ENSEMBLE_ROWS if len(p) == 3]
TWO_ROWS = [(y, p) for y, p in ENSEMBLE_ROWS if len(p) == 2]
RANKED_ROWS: list[Row] = [
    ((sign,), (1.0 + gap, 1.0))
    for sign in (1.0, -1.0)
    for gap in (0.0, 1e-8, -1e-8, 0.25, -0.25, 0.5, -0.5, 0.75, 2.0, -2.0, 40.0, -40.0, 1e100, -1e100)
]
RANKED_ROWS += [((1.0,), (0.1, 0.3)), ((-1.0,), (0.1, 0.3)), ((1.0,), (0.0, 1e-300)), ((1.0,), (-1e160, 1e160))]

RATIOS = (
    *(UP, DOWN, 1 + 1e-8, 1 - 1e-8, 1.0001, 0.9999, 1.01, 0.98, 1.45, 0.7, 1.6, 0.45, 2.5, 0.3),
    *(20.0, 0.01, 1e8, 1e-12),
)
NEAR_AMOUNTS = scalars((y, y * f) for y in (3.0, 0.02, 1e6, 1e-100, 1e100) for f in RATIOS)
FAR_AMOUNTS = scalars([(2.0, 2.0), (1e-300, 1e300), (1e300, 1e-300), (1.0, 1e200), (1e-200, 1.0), (7.5, 1e-300)])
AMOUNTS = NEAR_AMOUNTS + FAR_AMOUNTS
NO_AMOUNTS = scalars((0.0, f) for f in (1e-300, 1e-8, 0.5, 1.0, 3.0, 1e100))
LOSSES_OF_NOTHING = scalars((y, f) for y in (-3.0, -0.5) for f in (1e-8, 0.5, 1.0, 3.0, 1e100))
LOG_AMOUNTS = (-600.0, -40.0, -3.0, -0.3, -1e-8, 1e-16, 1e-3, 0.5, 0.9, 3.0, 40.0, 600.0)
LOG_AMOUNT_ROWS = scalars(itertools.product((1.0, 0.05, 12.0, 1e6), LOG_AMOUNTS))
NO_LOG_AMOUNT_ROWS = scalars((0.0, z) for z in (*LOG_AMOUNTS, -1e4, 1e4))
SIZES = (1e-8, 1e-3, 0.1, 0.6, 0.7, 0.99, 1.0, 1.01, 3, 40, 1e8, 1e16)
SCALED: list[Scalar] = [(0, s * e) for e in SIZES for s in (1, -1)]
SMAPE: list[Scalar] = [
    *((1, 1), (-3, -3), (2, 1), (-2, -3), (0.1, 0.3), (1, UP), (1, DOWN), (1, 1 + 1e-8), (0, 0), (0, 2), (0, -1e-300)),
    *((1, 0), (-1, 0), (1, -1), (2, -1e-8), (-1e10, 3), (1, 1e99), (1e-200, 1e150), (1e100, 1e-100), (3e-300, 1e-300)),
    *((1.7e308, -1.7e308), (1.7e308, 1.6e308), (1e308, 1), (12.5, 11), (0.07, 0.17), (-5, -1e-16)),
]
NEARLY = (UP, DOWN, 1.0, 1 + 1e-8)
NEAR_EDGES: list[Scalar] = [
    (y, y + s * e * f) for y in (0, 0.01, 3, -1e4) for e in (0.1, 0.5) for s in (1, -1) for f in NEARLY
]


EPS_ZERO = "eps=0.0"

SIGMOID_SCORES = (*LOGITS, 1e-17, -1e-17, 1e-300, math.log(3.0))
ZERO_ONE_ROWS = scalars(
    itertools.product(HARD, (0.0, 1.0, 0.3, 0.5, math.nextafter(0.5, 1), math.nextafter(0.5, 0), -2, 9))
)
RIVALS: tuple[Numbers, ...] = (
    *((0.0, 1.0), (1.0, 0.0), (2.0, 2.0), (UP, 0.0), (DOWN, 0.0), (-3.0, -1.5), (1e300, -1e300), (1e-300, 0.0)),
    *((2.0, 1.5, 0.0), (-3.0, -2.0, -1.0), (0.0, 0.0, 0.0), (1.0, 3.0, 3.0), (4.0, -0.5, 3.0), (0.25, -0.5, -0.5)),
    *((1e8, 1e8 + 1, 3.0), (0.3, 0.1, 0.2), (-7.5, 0.0, -2.0), (1.0, 0.0, -1e-300), (5.0, 4.0, 3.0, 2.0)),
    *((0.1, -0.2, 0.7, 0.6, -0.9), (3.5, 2.5, 2.5, 3.5), tuple(float(k * k % 17) / 4 for k in range(12))),
)
RIVAL_ROWS: list[Row] = [(k, p) for p in RIVALS for k in range(len(p))]
ONE_HOT_ROWS: list[Row] = [(tuple(float(k == j) for j in range(len(p))), p) for k, p in RIVAL_ROWS if len(p) == 3]
CHOSEN_ROWS: list[Row] = [
    (tuple(float(choice >> k & 1) for k in range(len(p))), p)
    for p in RIVALS
    for choice in (range(2 ** len(p)) if len(p) < 5 else (1, 6, 21, 31))
]
APART: tuple[Numbers, ...] = ((300.0, -300.0), (-300.25, 300.5, 0.0), (709.0, 0.0, 0.5), (1e-12, 0.0, -40.0, 33.3))
APART_ROWS: list[Row] = [((0.0, *(1.0,) * (len(p) - 1)), p) for p in APART] + [
    ((1.0, *(0.0,) * (len(p) - 1)), p) for p in APART
]
OVERFLOWING_PAIR: list[Row] = [((0.0, 1.0, 1.0, 1.0), (712.0, 0.0, 40.0, 50.0)), ((0.0, 1.0), (712.0, 0.0))]
VECTORS_OF_AMOUNTS: list[tuple[Numbers, Numbers]] = [
    *(((1.0, 2.0), (1.0, 4.0)), ((0.0, 3.0), (2.0, 3.0)), ((0.0, 0.0), (0.5, 1e-300)), ((5.0, 2.5), (2.5, 5.0))),
    *(((1.0, 1.0), (UP, DOWN)), ((3.0, 2.0), (3.0 * UP, 2.0 * (1 + 1e-8))), ((1e300, 1.0), (1e290, 1.0))),
    *(
        ((1e-300, 2.0), (1e-10, 2.0)),
        ((7.0, 1.0), (0.0, 1.0)),
        ((0.0, 1.0), (0.0, 3.0)),
        ((1e-300, 1e-300), (1e300, 1.0)),
    ),
    *(((170.0, 3.0, 0.5), (150.0, 9.0, 0.5)), ((1.0, 2.0, 3.0), (1.5, 2.5, 2.0)), ((1e8, 1.0), (1e8 + 1, 2.0))),
    *(((1e6, 1e6), (1.01e6, 0.99e6)), ((4.0, 4.0, 4.0), (4.0001, 3.9999, 4.0)), ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0))),
    *(((2.0, 3.0), (2.0, 1e-300)), ((0.25, 0.5), (0.3, 0.6)), ((0.3, 0.6), (0.25, 0.5)), ((9.0, 0.0), (6.0, 0.0))),
    *(((1e-8, 1e-9), (1e-9, 1e-8)), ((12.0, 13.0, 14.0, 15.0), (15.0, 14.0, 13.0, 12.0)), ((1.0, 8.0), (2.0, 8.0))),
]
AMOUNT_ROWS: list[Row] = list(VECTORS_OF_AMOUNTS)
LOGS_OF_AMOUNTS: list[Row] = [
    ((y, 2.0), (z, 0.5))
    for y in (0.0, 1.0, 2.5, 170.0)
    for z in (-1e3, -40.0, -0.3, -1e-12, 0.0, 1e-12, 1.0, 20.0, 690.0)
]
TEMPERED_ROWS: list[Row] = [
    *((k, p) for p in (*SCORES[2][:7], *SCORES[3][:5], (1e6, 0.0, -3.0)) for k in range(len(p))),
    *((y, p) for p in SCORES[3][:3] for y in SOFT_LABELS[3][:2]),
]
FEW_SCORES = {2: SCORES[2][:7], 3: SCORES[3][:5]}
FEW_SCORE_CLASSES = class_rows(all_rows(FEW_SCORES))
FEW_SIMPLEX = {2: SMALL_SIMPLEX[2], 3: SMALL_SIMPLEX[3]}
FEW_SIMPLEX_CLASSES = class_rows(all_rows({2: SIMPLEX[2], 3: SIMPLEX[3]}))


# --- the losses --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loss:
    name: str
    formulas: tuple[str, ...]
    defaults: Options
    value: Callable[[Options, str, Label, Vector], Terms]
    gradient: Callable[[Options, str, Label, Vector], list[Terms]]
    smooth: Callable[[Options, str, Label, Vector], bool]
    varieties: Sequence[Variety]
    reported: Callable[[Options, str, Label, Vector], Terms] | None = None  # where it is not the value by the formula


FLOOR = "log p, log(1-p) mean log max(p, eps), log max(1-p, eps); floored terms have their gradient there"
NO_FLOOR = "through the activation there is no floor"

LOSSES = (
    Loss(
        "mse",
        ("value = e^2, e = prediction - label; gradient = 2 e",),
        {},
        mse_value,
        mse_gradient,
        everywhere,
        [("", "", scalars(ERRORS))],
    ),
    Loss(
        "nrmse",
        ("value = e^2, what a row adds to the mean below the root, e = prediction - label; gradient = 2 e",),
        {"denominator": "mean"},
        mse_value,
        mse_gradient,
        everywhere,
        [("", "", scalars(ERRORS)), ("denominator=std", "", scalars(ERRORS[:9]))],
    ),
    Loss(
        "wmape",
        ("value = 100 |e|, what a row adds to the numerator, e = prediction - label; gradient = 100 sign e",),
        {},
        wmape_value,
        wmape_gradient,
        off_zero_error,
        [("", "", scalars(ERRORS))],
    ),
    Loss(
        "minkowski",
        ("value = |e|^p, of which the mean is taken, e = prediction - label; gradient = p |e|^(p-1) sign e",),
        {"p": "3.0"},
        minkowski_value,
        minkowski_gradient,
        off_zero_error,
        [(parameters, "", scalars(ERRORS)) for parameters in ("", "p=1.0", "p=1.5", "p=2.0")],
    ),
    Loss(
        "mae",
        ("value = |e|, e = prediction - label; gradient = sign e, 0 at e = 0",),
        {},
        mae_value,
        mae_gradient,
        off_zero_error,
        [("", "", scalars(ERRORS))],
    ),
    Loss(
        "msle",
        ("value = (log(1+p) - log(1+y))^2; gradient = 2 (log(1+p) - log(1+y)) / (1+p)",),
        {},
        msle_value,
        msle_gradient,
        everywhere,
        [("", "", scalars(MSLE))],
    ),
    Loss(
        "mape",
        ("value = 100 |e| / |y|; gradient = 100 sign(e) / |y|, 0 at e = 0; zero=max1: max(1, |y|) for |y|",),
        {"zero": "error"},
        mape_value,
        mape_gradient,
        off_zero_error,
        [("", "", scalars(MAPE)), ("zero=max1", "", scalars(MAPE + ZERO_LABELS))],
    ),
    Loss(
        "huber",
        ("value = e^2/2 if |e| <= delta else delta (|e| - delta/2); gradient = clip(e, -delta, delta)",),
        {"delta": "1.0"},
        huber_value,
        huber_gradient,
        off_delta,
        [
            ("", "", scalars(ERRORS)),
            ("delta=0.5", "", scalars(ERRORS + KINKS)),
            ("delta=1.5", "", scalars(ERRORS + KINKS)),
            ("delta=10.0", "", scalars(ERRORS + KINKS)),
            ("delta=0.001", "", scalars(ERRORS + KINKS)),
            ("delta=1e+100", "", scalars(ERRORS + KINKS)),
            ("delta=0.001", "", scalars([(1.7e308, -1.7e308), (-1e308, 1e308)])),
            ("delta=1e-300", "", scalars([(1.7e308, -1.7e308), (0, 1), (1, 1)])),
        ],
    ),
    Loss(
        "log_cosh",
        ("value = log cosh e, e = prediction - label; gradient = tanh e",),
        {},
        log_cosh_value,
        log_cosh_gradient,
        everywhere,
        [("", "", scalars(LOG_COSH))],
    ),
    Loss(
        "bce",
        (
            "value = -w y log p - (1-y) log(1-p); gradient = -w y / p + (1-y) / (1-p); w = pos_weight",
            "label_smoothing=a: y (1-a) + a/2 for y; " + FLOOR,
            f"sigmoid: p = 1 / (1 + exp(-z)), gradient by z = -w y (1-p) + (1-y) p; {NO_FLOOR}",
        ),
        {"label_smoothing": "0.0", "pos_weight": "1.0", "eps": repr(EPS)},
        bce_value,
        bce_gradient,
        above_the_floor,
        [
            ("", "", PROBABILITY_ROWS + SOFT_ROWS + CLOSE_ROWS),
            ("label_smoothing=0.1", "", scalars(itertools.product((0, 1, 0.25), MIDDLING))),
            ("pos_weight=3.0", "", scalars(itertools.product((0, 1, 0.25), MIDDLING))),
            ("label_smoothing=0.1,pos_weight=0.5", "", scalars(itertools.product((0, 1, 0.25), MIDDLING))),
            (EPS_ZERO, "", UNFLOORED_ROWS),
            ("eps=1e-07", "", scalars(itertools.product((0, 1, 0.25), MIDDLING))),
            ("", "sigmoid", LOGIT_ROWS + SOFT_LOGIT_ROWS),
            ("label_smoothing=0.1", "sigmoid", LOGIT_ROWS),
            ("label_smoothing=1e-20", "sigmoid", LOGIT_ROWS),
            ("", "sigmoid", scalars((0.5, z) for z in LOGITS)),
            ("pos_weight=3.0", "sigmoid", LOGIT_ROWS + scalars([(0.25, z) for z in LOGITS[::3]])),
            ("label_smoothing=0.1,pos_weight=0.5", "sigmoid", LOGIT_ROWS),
        ],
    ),
    Loss(
        "dice",
        (
            "value = y (1-p) + (1-y) p, what a row adds to the numerator; gradient = 1 - 2 y",
            "sigmoid: p = 1 / (1 + exp(-z)), gradient by z times p (1-p)",
        ),
        {"smooth": "0.0"},
        dice_value,
        dice_gradient,
        everywhere,
        [
            ("", "", PROBABILITY_ROWS + SOFT_ROWS),
            ("", "sigmoid", LOGIT_ROWS),
        ],
    ),
    Loss(
        "tversky",
        (
            "value = alpha (1-y) p + beta y (1-p), what a row adds to the numerator; gradient = alpha (1-y) - beta y",
            "sigmoid: p = 1 / (1 + exp(-z)), gradient by z times p (1-p)",
        ),
        {"alpha": "0.5", "beta": "0.5"},
        tversky_value,
        tversky_gradient,
        everywhere,
        [
            ("", "", PROBABILITY_ROWS + SOFT_ROWS),
            ("alpha=0.3,beta=0.7", "", PROBABILITY_ROWS + SOFT_ROWS),
            ("alpha=0.3,beta=0.7", "sigmoid", LOGIT_ROWS),
        ],
    ),
    Loss(
        "fmeasure",
        (
            "value = beta^2 y (1-p) + (1-y) p, what a row adds to the numerator; gradient = 1 - y - beta^2 y",
            "sigmoid: p = 1 / (1 + exp(-z)), gradient by z times p (1-p)",
        ),
        {"beta": "1.0"},
        fmeasure_value,
        fmeasure_gradient,
        everywhere,
        [
            ("", "", PROBABILITY_ROWS + SOFT_ROWS),
            ("beta=2.0", "", PROBABILITY_ROWS + SOFT_ROWS),
            ("beta=2.0", "sigmoid", LOGIT_ROWS),
        ],
    ),
    Loss(
        "surprisal",
        (
            "value = -log max(p, eps) / log base, of one token; gradient = -1 / (max(p, eps) log base)",
            "the label is no matter",
            "log=true: value = -p / log base, gradient = -1 / log base",
        ),
        {"log": "false", "base": "none", "eps": repr(EPS)},
        surprisal_value,
        surprisal_gradient,
        above_the_floor,
        [
            ("", "", scalars((0, p) for p in PROBABILITIES)),
            ("base=2.0", "", scalars((0, p) for p in PROBABILITIES)),
            ("log=true", "", scalars((0, -z) for z in LOGITS if z > 0)),
            ("log=true,base=2.0", "", scalars((0, -z) for z in LOGITS if z > 0)),
        ],
    ),
    Loss(
        "focal",
        (
            "t = p if y=1 else 1-p; A = alpha if y=1 else 1-alpha, or 1 for alpha=none; s = 1 if y=1 else -1",
            "value = -A (1-t)^gamma log t; gradient = s A (gamma (1-t)^(gamma-1) log t - (1-t)^gamma / t)",
            "log t means log max(t, eps), and 1/t means 1/max(t, eps)",
            f"sigmoid: gradient by z = s A (1-t)^gamma (gamma t log t - (1-t)); {NO_FLOOR}",
        ),
        {"gamma": "2.0", "alpha": "0.25", "eps": repr(EPS)},
        focal_value,
        focal_gradient,
        above_the_floor,
        [
            *(
                (parameters, activation, rows)
                for activation, rows in (("", PROBABILITY_ROWS), ("sigmoid", FOCAL_LOGIT_ROWS))
                for parameters in (
                    "",
                    "gamma=2.0,alpha=none",
                    "gamma=0.0",
                    "gamma=0.5",
                    "gamma=1.0,alpha=0.75",
                    "gamma=5.0,alpha=none",
                )
            ),
            (EPS_ZERO, "", UNFLOORED_ROWS[:-3]),
            *((f"gamma={gamma!r},alpha=none,eps=0.0", "", EASY_ROWS) for gamma in (1e3, 1e16, 1e300)),
        ],
    ),
    Loss(
        "cross_entropy",
        (
            "value = -sum_k y_k log p_k, y one-hot for a class label; gradient = -y_k / p_k, 0 where y_k = 0",
            "label_smoothing=a: y (1-a) + a/K for y; log p means log max(p, eps), also in the gradient",
            f"softmax: p_k = exp(z_k) / sum exp(z), gradient by z = p_k sum(y) - y_k; {NO_FLOOR}",
            "softmax: a result below 1e-400 is written as 0.0",
        ),
        {"label_smoothing": "0.0", "eps": repr(EPS)},
        cross_entropy_value,
        cross_entropy_gradient,
        above_the_floor,
        [
            ("", "", SIMPLEX_CLASSES + soft_rows(SIMPLEX)),
            ("label_smoothing=0.1", "", SIMPLEX_CLASSES + soft_rows(SMALL_SIMPLEX)),
            (EPS_ZERO, "", SIMPLEX_CLASSES + soft_rows(SMALL_SIMPLEX)),
            ("eps=1e-07", "", SIMPLEX_CLASSES),
            ("", "softmax", SCORE_CLASSES + soft_rows(SCORES)),
            ("label_smoothing=0.1", "softmax", SCORE_CLASSES + WIDE_SCORES),
        ],
    ),
    Loss(
        "nll",
        (
            "value = -log p_y; gradient = -1/p_y at the class y, else 0; p_y means max(p_y, eps) in both",
            "log=true: the prediction holds log p; value = -prediction_y; gradient = -1 at y, else 0",
            f"softmax: p_k = exp(z_k) / sum exp(z), gradient by z = p_k - [k = y]; {NO_FLOOR}",
            "softmax: a result below 1e-400 is written as 0.0",
        ),
        {"log": "false", "eps": repr(EPS)},
        nll_value,
        nll_gradient,
        above_the_floor,
        [
            ("", "", SIMPLEX_CLASSES),
            (EPS_ZERO, "", SIMPLEX_CLASSES),
            ("log=true", "", class_rows(LOG_ROWS)),
            ("", "softmax", SCORE_CLASSES),
        ],
    ),
    Loss(
        "kl_divergence",
        (
            "value = sum_k y_k log y_k - y_k log p_k, 0 log 0 = 0; gradient = -y_k / p_k, 0 where y_k = 0",
            "rows whose sums differ by no more than K 2**-52: - y_k + p_k in each term, so that none is negative",
            "log p means log max(p, eps), 1/p likewise",
            "reverse=true: value = sum_k p_k log p_k - p_k log y_k; gradient = log p_k - log y_k + 1",
            "reverse=true: log y_k means log max(y_k, eps), and log p_k has no floor",
            "softmax: gradient by z = p_k sum(y) - y_k; reverse=true: p_k (log p_k - log y_k - value)",
            NO_FLOOR,
            "softmax: a result below 1e-400 is written as 0.0",
        ),
        {"reverse": "false", "eps": repr(EPS)},
        kl_divergence_value,
        kl_divergence_gradient,
        above_the_floor,
        [
            ("", "", soft_rows(SIMPLEX)),
            (EPS_ZERO, "", soft_rows(SIMPLEX)),
            ("reverse=true", "", REVERSE_ROWS),
            ("reverse=true,eps=0.0", "", REVERSE_ROWS),
            ("", "softmax", soft_rows(SCORES)),
            ("reverse=true", "softmax", REVERSE_SCORE_ROWS),
            ("", "", NEAR_ROWS),
            ("reverse=true", "", NEAR_ROWS),
            ("", "softmax", NEAR_SCORE_ROWS),
        ],
        kl_divergence_of_distributions,
    ),
    Loss(
        "brier",
        ("value = (p - y)^2; gradient = 2 (p - y); sigmoid: by z 2 (s - y) s (1 - s), s = 1 / (1 + exp(-z))",),
        {},
        brier_value,
        brier_gradient,
        everywhere,
        [("", "", PROBABILITY_ROWS + SOFT_ROWS + CLOSE_ROWS), ("", "sigmoid", LOGIT_ROWS + SOFT_LOGIT_ROWS)],
    ),
    Loss(
        "categorical_brier",
        ("value = sum_k (p_k - y_k)^2; gradient = 2 (p - y); softmax: by z w - p sum(w), w = 2 p (p - y)",),
        {},
        categorical_brier_value,
        categorical_brier_gradient,
        everywhere,
        [("", "", SIMPLEX_CLASSES + soft_rows(SIMPLEX)), ("", "softmax", SCORE_CLASSES + soft_rows(FEW_SCORES))],
    ),
    Loss(
        "spherical",
        ("value = -y.p / |p|; gradient = -(y - (y.p) p / |p|^2) / |p|; softmax: that times p",),
        {},
        spherical_value,
        spherical_gradient,
        everywhere,
        [("", "", SIMPLEX_CLASSES + soft_rows(SIMPLEX)), ("", "softmax", SCORE_CLASSES + soft_rows(FEW_SCORES))],
    ),
    Loss(
        "rps",
        (
            "value = sum_k G_k^2 / (K-1), k = 1 .. K-1, G_k = sum_(j<=k) (p_j - y_j)",
            "rows whose sums differ by no more than K 2**-52: G_k = -sum_(j>k) (p_j - y_j) where sum_(j<=k) y_j > 1/2",
            "gradient = 2/(K-1) sum_(k>=j) G_k; softmax: by z w - p sum(w), w = p gradient",
        ),
        {},
        rps_value,
        rps_gradient,
        off_rounding,
        [("", "", SIMPLEX_CLASSES + soft_rows(SIMPLEX)), ("", "softmax", SCORE_CLASSES + soft_rows(FEW_SCORES))],
    ),
    Loss(
        "js_divergence",
        (
            "value = (sum y log(y/m) + p log(p/m)) / 2, m = (y + p) / 2, 0 log 0 = 0; gradient = log(p/m) / 2",
            "softmax: by z w - p sum(w), w = p log(p/m) / 2",
        ),
        {},
        js_divergence_value,
        js_divergence_gradient,
        inside_the_simplex,
        [("", "", soft_rows(SIMPLEX) + NEAR_ROWS), ("", "softmax", soft_rows(FEW_SCORES))],
    ),
    Loss(
        "generalized_kl",
        ("value = sum y log(y/p) - y + p, 0 log 0 = 0; gradient = 1 - y/p, 1 at y = 0; exp: p = exp z, by z p - y",),
        {},
        generalized_kl_value,
        generalized_kl_gradient,
        inside_the_simplex,
        [("", "", AMOUNT_ROWS), ("", "exp", LOGS_OF_AMOUNTS)],
    ),
    Loss(
        "categorical_focal",
        (
            "value = -alpha sum_k y_k (1-p_k)^gamma log p_k, alpha=none: 1; log p, 1/p mean those of max(p, eps)",
            "gradient = alpha y (gamma (1-p)^(gamma-1) log p - (1-p)^gamma / p)",
            f"softmax: by z w - p sum(w), w = p gradient; {NO_FLOOR}",
        ),
        {"gamma": "2.0", "alpha": "0.25", "eps": repr(EPS)},
        categorical_focal_value,
        categorical_focal_gradient,
        above_the_floor,
        [
            *(
                (parameters, activation, rows)
                for activation, rows in (
                    ("", FEW_SIMPLEX_CLASSES + soft_rows(FEW_SIMPLEX)),
                    ("softmax", FEW_SCORE_CLASSES),
                )
                for parameters in ("", "gamma=0.0", "gamma=0.5", "gamma=3.0,alpha=none")
            ),
            ("", "softmax", soft_rows(FEW_SCORES)),
            ("gamma=1000.0,alpha=none,eps=0.0", "", SIMPLEX_CLASSES),
            ("gamma=5.5,alpha=none", "softmax", FEW_SCORE_CLASSES),
        ],
    ),
    Loss(
        "gce",
        (
            "value = sum_k y_k (1 - p_k^q) / q, q=0.0: -y_k log p_k; gradient = -y p^(q-1)",
            "softmax: by z w - p sum(w), w = -y p^q",
        ),
        {"q": "0.7"},
        gce_value,
        gce_gradient,
        inside_the_simplex,
        [
            (parameters, activation, rows)
            for activation, rows in (
                ("", FEW_SIMPLEX_CLASSES + soft_rows(FEW_SIMPLEX)),
                ("softmax", FEW_SCORE_CLASSES + soft_rows(FEW_SCORES)),
            )
            for parameters in ("", "q=0.0", "q=1.0", "q=1e-05", "q=1e-300")
        ],
    ),
    Loss(
        "poly1_ce",
        (
            "value = sum_k y_k (-log p_k + epsilon (1 - p_k)), log p, 1/p mean those of max(p, eps)",
            f"gradient = -y (1/p + epsilon); softmax: by z w - p sum(w), w = -y (1 + epsilon p); {NO_FLOOR}",
        ),
        {"epsilon": "2.0", "eps": repr(EPS)},
        poly1_ce_value,
        poly1_ce_gradient,
        above_the_floor,
        [
            (parameters, activation, rows)
            for activation, rows in (
                ("", FEW_SIMPLEX_CLASSES + soft_rows(FEW_SIMPLEX)),
                ("softmax", FEW_SCORE_CLASSES + soft_rows(FEW_SCORES)),
            )
            for parameters in ("", "epsilon=-1.0", "epsilon=-0.999", "epsilon=1e+10")
        ],
    ),
    Loss(
        "bi_tempered",
        (
            "value = sum_k y_k (L(y_k) - L(p_k)) - (y_k^(2-t1) - p_k^(2-t1)) / (2-t1), L(x) = (x^(1-t1) - 1) / (1-t1)",
            "p_k = (1 + (t2-1) (M - z_k))^(-1/(t2-1)) that sum to 1; L = log, p = softmax where t1, t2 are 1",
            "gradient = p_j^t2 (r_j - sum_k p_k^t2 r_k / sum_k p_k^t2), r = (p - y) p^(-t1)",
        ),
        {"t1": "0.8", "t2": "1.2"},
        bi_tempered_value,
        bi_tempered_gradient,
        moderate_pair,
        [(parameters, "", TEMPERED_ROWS) for parameters in ("", "t1=1.0,t2=1.0", "t1=0.0,t2=3.0", "t1=0.2,t2=1.0")],
    ),
    Loss(
        "zero_one",
        ("value = 0 where p > threshold says what the label is, else 1; gradient = 0; sigmoid: p = 1 / (1 + exp(-z))",),
        {"threshold": "0.5"},
        zero_one_value,
        flat,
        nowhere,
        [
            ("", "", ZERO_ONE_ROWS),
            ("threshold=0.0", "", ZERO_ONE_ROWS),
            ("", "sigmoid", scalars(itertools.product(HARD, SIGMOID_SCORES))),
            ("threshold=0.3", "sigmoid", scalars(itertools.product(HARD, SIGMOID_SCORES))),
        ],
    ),
    Loss(
        "categorical_zero_one",
        ("value = 1 - y at the largest number of the row, the first of several; gradient = 0",),
        {},
        categorical_zero_one_value,
        flat,
        nowhere,
        [("", "", RIVAL_ROWS), ("", "softmax", FEW_SCORE_CLASSES)],
    ),
    Loss(
        "soft_margin",
        ("value = log(1 + exp(-y f)), f = prediction; gradient = -y / (1 + exp(y f))",),
        {},
        soft_margin_value,
        soft_margin_gradient,
        everywhere,
        [("", "", EXPONENTIAL_ROWS)],
    ),
    Loss(
        "modified_huber",
        ("value = max(0, 1 - y f)^2 where y f >= -1 else -4 y f; gradient = -2 y max(0, 1 - y f), or -4 y",),
        {},
        modified_huber_value,
        modified_huber_gradient,
        nowhere,
        [("", "", MARGIN_ROWS)],
    ),
    Loss(
        "perceptron",
        ("value = max(0, -y f), f = prediction; gradient = -y where y f < 0 else 0",),
        {},
        perceptron_value,
        perceptron_gradient,
        off_zero_score,
        [("", "", MARGIN_ROWS)],
    ),
    Loss(
        "wasserstein",
        ("value = y f, f = prediction; gradient = y",),
        {},
        wasserstein_value,
        wasserstein_gradient,
        everywhere,
        [("", "", MARGIN_ROWS)],
    ),
    Loss(
        "crammer_singer",
        (
            "value = max(0, m + max_(j != y) f_j - f_y), m = margin",
            "gradient where it is > 0: -1 at y, 1 at the first of the largest others; else 0",
        ),
        {"margin": "1.0"},
        lead_value,
        lead_gradient,
        off_lead,
        [(parameters, "", RIVAL_ROWS + ONE_HOT_ROWS) for parameters in ("", "margin=0.0", "margin=0.25")],
    ),
    Loss(
        "categorical_hinge",
        (
            "value = max(0, 1 + max_k (1 - y_k) f_k - f_y), y one-hot",
            "gradient where it is > 0: -1 at y, 1 at the first of the largest others if that is > 0; else 0",
        ),
        {},
        lead_value,
        lead_gradient,
        off_lead,
        [("", "", RIVAL_ROWS + ONE_HOT_ROWS)],
    ),
    Loss(
        "multi_margin",
        ("value = sum_(j != y) max(0, m - f_y + f_j)^p / K, m = margin; gradient 0 on the kinks of p = 1",),
        {"p": "1.0", "margin": "1.0"},
        pairwise_value,
        pairwise_gradient,
        off_pairs,
        [
            (parameters, "", RIVAL_ROWS + ONE_HOT_ROWS)
            for parameters in ("", "p=2.0,margin=1.0", "p=1.0,margin=0.0", "p=1.5,margin=0.25")
        ],
    ),
    Loss(
        "multilabel_margin",
        ("value = sum over y_t = 1, y_i = 0 of max(0, 1 - f_t + f_i) / K; gradient 0 on the kinks",),
        {},
        pairwise_value,
        pairwise_gradient,
        off_pairs,
        [("", "", CHOSEN_ROWS)],
    ),
    Loss(
        "bpmll",
        ("value = mean over pairs with y_t = 1, y_i = 0 of exp(f_i - f_t), 0 without any; gradient its derivative",),
        {},
        bpmll_value,
        bpmll_gradient,
        below_100,
        [("", "", CHOSEN_ROWS + APART_ROWS + OVERFLOWING_PAIR)],
    ),
    Loss(
        "poisson",
        (
            "value = p - y log p; gradient = 1 - y/p; exp: p = exp(z), gradient by z = p - y",
            "full=lgamma: + log Gamma(y+1); full=stirling: + y log y - y + log(2 pi y)/2 for y > 1, else + 0",
        ),
        {"full": "none"},
        poisson_value,
        poisson_gradient,
        everywhere,
        [
            (parameters, activation, rows)
            for activation, rows in (("", POISSON_ROWS), ("exp", LOG_POISSON_ROWS))
            for parameters in ("", "full=stirling", "full=lgamma")
        ]
        + [("full=stirling", "", WHOLE_POISSON_ROWS), ("full=lgamma", "", WHOLE_POISSON_ROWS)]
        + [("", "exp", OVERFLOWING_POISSON_ROWS)],
    ),
    Loss(
        "cosine_proximity",
        (
            "value = -c, c = y.p / (|y| |p|); gradient = -(y_k / (|y| |p|) - c p_k / |p|^2)",
            "a zero vector gives value 0 and gradient 0",
        ),
        {},
        cosine_value,
        cosine_gradient,
        off_zero_vector,
        [("", "", COSINE_ROWS)],
    ),
    Loss(
        "hinge",
        ("value = max(0, m - y f), f = prediction, m = margin; gradient = -y if y f < m else 0",),
        {"margin": "1.0"},
        hinge_value,
        hinge_gradient,
        off_margin,
        [(parameters, "", MARGIN_ROWS) for parameters in ("", "margin=0.5", "margin=2.0", "margin=0.0")],
    ),
    Loss(
        "squared_hinge",
        ("value = max(0, m - y f)^2, f = prediction, m = margin; gradient = -2 y max(0, m - y f)",),
        {"margin": "1.0"},
        squared_hinge_value,
        squared_hinge_gradient,
        everywhere,
        [(parameters, "", MARGIN_ROWS) for parameters in ("", "margin=0.5", "margin=2.0", "margin=0.0")],
    ),
    Loss(
        "exponential",
        ("value = exp(-y f), f = prediction; gradient = -y exp(-y f)",),
        {},
        exponential_value,
        exponential_gradient,
        everywhere,
        [("", "", EXPONENTIAL_ROWS)],
    ),
    Loss(
        "gaussian_nll",
        (
            "prediction = mean, scale; v = scale (var), scale^2 (std), exp(2 scale) (log_std); e = mean - label",
            "value = (log v + e^2 / v) / 2, full=true: + log(2 pi) / 2; gradient by the mean = e / v",
            "gradient by the scale = (1/v - e^2/v^2) / 2 (var), 1/s - e^2/s^3 (std), 1 - e^2/v (log_std)",
        ),
        {"scale": "var", "full": "false"},
        gaussian_nll_value,
        gaussian_nll_gradient,
        at_moderate_scale,
        [
            ("", "", SCALED_ROWS),
            ("scale=std", "", SCALED_ROWS),
            ("scale=log_std", "", LOG_SCALED_ROWS),
            ("full=true", "", SCALED_ROWS),
            ("scale=std,full=true", "", SCALED_ROWS[::3]),
        ],
    ),
    Loss(
        "crps_gaussian",
        (
            "prediction = mean, standard deviation s; e = mean - label, w = |e| / s",
            "value = |e| erf(w / sqrt 2) + s (sqrt(2) exp(-w^2 / 2) - 1) / sqrt(pi), |e| for s = 0",
            "gradient = erf(e / s / sqrt 2), (sqrt(2) exp(-w^2 / 2) - 1) / sqrt(pi); their limits for s = 0",
        ),
        {},
        crps_gaussian_value,
        crps_gaussian_gradient,
        at_moderate_scale,
        [("", "", SCALED_ROWS + NO_SCALE_ROWS)],
    ),
    Loss(
        "crps_ensemble",
        (
            "prediction = m members x; value = sum |x_i - y| / m - sum sum |x_i - x_j| / (2 m^2)",
            "gradient = sign(x_i - y) / m - sum_j sign(x_i - x_j) / m^2; estimator=fair: m (m - 1) for m^2",
        ),
        {"estimator": "ecdf"},
        crps_ensemble_value,
        crps_ensemble_gradient,
        off_numbers,
        [("", "", ENSEMBLE_ROWS), ("estimator=fair", "", ENSEMBLE_ROWS)],
    ),
    Loss(
        "interval",
        (
            "prediction = lower l, upper u; value = u - l + (2 / alpha) (max(0, l - y) + max(0, y - u))",
            "gradient = -1 + (2 / alpha) [l > y], 1 - (2 / alpha) [y > u]",
        ),
        {"alpha": "0.1"},
        interval_value,
        interval_gradient,
        off_label,
        [
            *((parameters, "", INTERVAL_ROWS) for parameters in ("", "alpha=0.5", "alpha=0.001")),
            ("alpha=1e-310", "", [((0.5,), (0.0, 1.0)), ((1.5,), (0.0, 1.0))]),
        ],
    ),
    Loss(
        "quantiles",
        (
            "value = mean over k of max(tau_k e_k, (tau_k - 1) e_k), e_k = y - prediction_k",
            "gradient = -tau_k / K where prediction_k < y, (1 - tau_k) / K where it is above, 0 at y",
        ),
        {"tau": "none"},
        quantiles_value,
        quantiles_gradient,
        off_label,
        [("tau=0.1/0.5/0.9", "", THREE_ROWS), ("tau=0.001/0.3/0.999", "", THREE_ROWS), ("tau=0.05/0.95", "", TWO_ROWS)],
    ),
    Loss(
        "margin_ranking",
        ("prediction = x1, x2; value = max(0, margin - y (x1 - x2)); gradient = (-y, y) where it is above 0, else 0",),
        {"margin": "0.0"},
        margin_ranking_value,
        margin_ranking_gradient,
        off_ranking_margin,
        [(parameters, "", RANKED_ROWS) for parameters in ("", "margin=0.5", "margin=2.0")],
    ),
    Loss(
        "half_squared_error",
        ("value = e^2/2, e = prediction - label; gradient = e",),
        {},
        value_of(lambda e: e**2 / 2),
        slope_of(lambda e: e),
        everywhere,
        [("", "", scalars(ERRORS))],
    ),
    Loss(
        "quantile",
        ("value = tau |e| if e < 0 else (1 - tau) |e|; gradient = -tau if e < 0, 1 - tau if e > 0, 0 at e = 0",),
        {"tau": "0.5"},
        value_of(lambda e, tau: side(e, tau) * abs(e), "tau"),
        slope_of(quantile_slope, "tau"),
        off_zero_error,
        [(parameters, "", scalars(ERRORS)) for parameters in ("", "tau=0.1", "tau=0.9", "tau=1e-12")],
    ),
    Loss(
        "expectile",
        ("value = tau e^2 if e < 0 else (1 - tau) e^2; gradient = 2 tau e if e < 0 else 2 (1 - tau) e",),
        {"tau": "0.5"},
        value_of(lambda e, tau: side(e, tau) * e**2, "tau"),
        slope_of(lambda e, tau: 2 * side(e, tau) * e, "tau"),
        off_zero_error,
        [(parameters, "", scalars(ERRORS)) for parameters in ("", "tau=0.1", "tau=0.9", "tau=1e-12")],
    ),
    Loss(
        "smooth_l1",
        ("value = e^2/(2 beta) if |e| < beta else |e| - beta/2; gradient = clip(e/beta, -1, 1)",),
        {"beta": "1.0"},
        value_of(lambda e, b: e**2 / (2 * b) if abs(e) < b else abs(e) - b / 2, "beta"),
        slope_of(lambda e, b: min(max(e / b, -1), 1), "beta"),
        off_named("beta"),
        [
            *((f"beta={beta!r}", "", scalars(ERRORS + KINKS)) for beta in (1.0, 0.5, 1.5, 0.001, 1e100)),
            ("beta=1e+200", "", scalars([(0, 1e160), (0, 1e199), (0, 1e201)])),
            ("beta=1e-310", "", scalars([(0, 3.0), (0, 1e-300)])),
            ("", "", scalars([(1.7e308, -1.7e308)])),
        ],
    ),
    Loss(
        "pseudo_huber",
        ("value = delta^2 (sqrt(1 + (e/delta)^2) - 1); gradient = e / sqrt(1 + (e/delta)^2)",),
        {"delta": "1.0"},
        value_of(pseudo_huber, "delta"),
        slope_of(lambda e, d: e / mp.sqrt(1 + (e / d) ** 2), "delta"),
        everywhere,
        [
            *((f"delta={delta!r}", "", scalars(ERRORS + SCALED)) for delta in (1.0, 0.3, 30.0, 1e100)),
            ("delta=1e-300", "", scalars([(0, 1e16), (0, 1e-100), (0, 1e-299), (1, 2)])),
            ("delta=1e-200", "", scalars([(0, 1e200), (0, 1e-150), (3, 4)])),
            ("delta=0.001", "", scalars([(1.7e308, -1.7e308)])),
            ("delta=5e-324", "", scalars([(2.0, 2.0), (0, 5e-324), (0, 3.0)])),
            ("delta=1e+308", "", scalars([(1.7e308, -1.7e308), (1.0, -2.0)])),
        ],
    ),
    Loss(
        "fair",
        ("value = c^2 (|e|/c - log(1 + |e|/c)); gradient = e / (1 + |e|/c)",),
        {"c": "1.0"},
        value_of(fair, "c"),
        slope_of(lambda e, c: e / (1 + abs(e) / c), "c"),
        off_tiny_bends,
        [
            *((f"c={c!r}", "", scalars(ERRORS + SCALED)) for c in (1.0, 0.3, 30.0)),
            ("c=1e+100", "", scalars([(0, 1e60), (0, 1e99), (0, 1e110), (0, 1e40)])),
            ("c=1e-300", "", scalars([(0, 1e16), (0, 1e-100), (0, 1e200)])),
            ("c=1e+200", "", scalars([(0, 1e150), (0, 1e180)])),
            ("c=0.001", "", scalars([(1.7e308, -1.7e308)])),
            ("c=1e+154", "", scalars([(1.7e308, -1.7e308)])),
        ],
    ),
    Loss(
        "cauchy",
        ("value = c^2/2 log(1 + (e/c)^2); gradient = e / (1 + (e/c)^2)",),
        {"c": "1.0"},
        value_of(lambda e, c: c**2 / 2 * mp.log1p((e / c) ** 2), "c"),
        slope_of(lambda e, c: e / (1 + (e / c) ** 2), "c"),
        everywhere,
        [
            *((f"c={c!r}", "", scalars(ERRORS + SCALED)) for c in (1.0, 0.3, 30.0)),
            ("", "", scalars([(0, 1e200), (0, 1e300), (1.7e308, -1.7e308)])),
            ("c=1e+100", "", scalars([(0, 1e60), (0, 1e99), (0, 1e110), (0, 1e40)])),
            ("c=1e-100", "", scalars([(0, 1e-110), (0, 1e-99), (0, 1e-100), (0, 1e100)])),
            ("c=0.1", "", scalars([(0, 1.7e308), (0, -1e308)])),
            ("c=1e+153", "", scalars([(1.7e308, -1.7e308)])),
        ],
    ),
    Loss(
        "lq",
        ("value = |e|^q; gradient = q |e|^(q-1) sign e, 0 at e = 0",),
        {"q": "1.5"},
        value_of(lambda e, q: abs(e) ** q, "q"),
        slope_of(lq_slope, "q"),
        off_tiny_bends,
        [(f"q={q!r}", "", scalars(ERRORS)) for q in (1.0, 1.5, 2.0, 3.7, 1.000001)],
    ),
    Loss(
        "epsilon_insensitive",
        ("value = max(0, |e| - epsilon); gradient = sign e if |e| > epsilon else 0",),
        {"epsilon": "0.1"},
        value_of(surplus, "epsilon"),
        slope_of(lambda e, epsilon: mp.sign(e) if abs(e) > epsilon else mp.zero, "epsilon"),
        off_named("epsilon"),
        [(f"epsilon={e!r}", "", scalars(ERRORS + KINKS + NEAR_EDGES)) for e in (0.1, 0.5, 1.5)]
        + [("epsilon=0.0", "", scalars(ERRORS[3:]))],
    ),
    Loss(
        "squared_epsilon_insensitive",
        ("value = max(0, |e| - epsilon)^2; gradient = 2 sign e max(0, |e| - epsilon)",),
        {"epsilon": "0.1"},
        value_of(lambda e, epsilon: surplus(e, epsilon) ** 2, "epsilon"),
        slope_of(lambda e, epsilon: 2 * mp.sign(e) * surplus(e, epsilon), "epsilon"),
        off_named("epsilon"),
        [(f"epsilon={e!r}", "", scalars(ERRORS + KINKS + NEAR_EDGES)) for e in (0.1, 0.5, 1.5, 0.0)],
    ),
    Loss(
        "smape",
        (
            "value = 200 |e| / (|y| + |p|), 0 where both are 0; gradient = 200 (sign e / S - |e| sign p / S^2),",
            "S = |y| + |p|, sign 0 = 0, and 0 at e = 0",
        ),
        {},
        smape_value,
        smape_gradient,
        off_zeros,
        [("", "", scalars(SMAPE + MAPE))],
    ),
    Loss(
        "mase",
        ("value = |e| / scale; gradient = sign e / scale, 0 at e = 0",),
        {"scale": "1.0"},
        value_of(lambda e, scale: abs(e) / scale, "scale"),
        slope_of(lambda e, scale: mp.sign(e) / scale, "scale"),
        off_zero_error,
        [(f"scale={scale!r}", "", scalars(ERRORS)) for scale in (1.0, 0.3, 1e-100, 1e100)],
    ),
    Loss(
        "tweedie_deviance",
        (
            "p = power, m = prediction",
            "value = 2 (max(y, 0)^(2-p) / ((1-p)(2-p)) - y m^(1-p) / (1-p) + m^(2-p) / (2-p))",
            "p = 0: (y - m)^2; p = 1: 2 (y log(y/m) - y + m); p = 2: 2 (log(m/y) + y/m - 1)",
            "gradient = 2 (m - y) / m^p; exp: m = exp(z), gradient by z = 2 (m - y) m^(1-p)",
        ),
        {"power": "1.5"},
        deviance_of(),
        slope_at(factor=2),
        everywhere,
        [
            *((f"power={power!r}", "", AMOUNTS) for power in (1.5, 1.1, 1.99, 1.0, 2.0, 2.3, 3.0)),
            *((f"power={power!r}", "", NEAR_AMOUNTS) for power in (10.0, -0.5, 0.0)),
            *((f"power={power!r}", "", NO_AMOUNTS) for power in (1.5, 1.99, 1.0, -0.5)),
            ("power=-0.5", "", LOSSES_OF_NOTHING),
            ("power=0.0", "", scalars(ERRORS)),
            *((f"power={power!r}", "exp", LOG_AMOUNT_ROWS) for power in (1.5, 1.3, 1.0, 3.0, -0.5)),
            ("power=1.3", "exp", NO_LOG_AMOUNT_ROWS),
            *((f"power={power!r}", "", scalars([(2.3e205, 2.6e-109)])) for power in (1.0, 1.0000001)),
        ],
    ),
    Loss(
        "poisson_deviance",
        (
            "value = 2 (y log(y/m) - y + m), m = prediction; gradient = 2 (m - y) / m",
            "exp: m = exp(z), gradient by z = 2 (m - y)",
        ),
        {},
        deviance_of(1.0),
        slope_at(1.0, 2),
        everywhere,
        [("", "", AMOUNTS + NO_AMOUNTS + POISSON_ROWS), ("", "exp", LOG_AMOUNT_ROWS + NO_LOG_AMOUNT_ROWS)],
    ),
    Loss(
        "gamma_deviance",
        (
            "value = 2 (log(m/y) + y/m - 1), m = prediction; gradient = 2 (m - y) / m^2",
            "exp: m = exp(z), gradient by z = 2 (m - y) / m",
        ),
        {},
        deviance_of(2.0),
        slope_at(2.0, 2),
        everywhere,
        [("", "", AMOUNTS), ("", "exp", LOG_AMOUNT_ROWS)],
    ),
    Loss(
        "tweedie_nll",
        (
            "value = y m^(1-p) / (p-1) + m^(2-p) / (2-p), p = power, m = prediction; gradient = (m - y) / m^p",
            "exp: m = exp(z), gradient by z = (m - y) m^(1-p)",
        ),
        {"power": "1.5"},
        tweedie_nll_value,
        slope_at(),
        everywhere,
        [
            (f"power={power!r}", activation, rows)
            for activation, rows in (("", AMOUNTS + NO_AMOUNTS), ("exp", LOG_AMOUNT_ROWS + NO_LOG_AMOUNT_ROWS))
            for power in (1.5, 1.3)
        ]
        + [(f"power={power!r}", "", scalars([(1.7e308, 1.7e308), (5e-324, 1e-200)])) for power in (1.9, 1.5, 1.1)],
    ),
    Loss(
        "gamma_nll",
        (
            "value = log m + y/m, m = prediction; gradient = (m - y) / m^2",
            "exp: m = exp(z), gradient by z = (m - y) / m",
        ),
        {},
        gamma_nll_value,
        slope_at(2.0),
        everywhere,
        [("", "", AMOUNTS), ("", "exp", LOG_AMOUNT_ROWS)],
    ),
)


# --- from formulas to rows ---------------------------------------------------------------------------------


def nearest_double(x: Real) -> float:
    """The double nearest to x, correctly rounded, and an infinity beyond the largest one."""
    if mp.isinf(x) or mp.mag(x) > 1100:
        return math.inf if x > 0 else -math.inf
    mantissa, exponent = x.man_exp  # of |x|
    try:
        return math.copysign(float(Fraction(mantissa) * Fraction(2) ** exponent), x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def settle(terms: Terms, condition: int, may_vanish: bool) -> float | None:
    """The sum of the terms as a double, or None where the row is not fit to test a program with."""
    total = mp.fsum(terms)
    if mp.isnan(total):
        raise ArithmeticError(f"not a number: {terms}")
    if mp.isinf(total):
        return nearest_double(total)
    size = mp.fsum(abs(t) for t in terms)
    if size == 0 or (may_vanish and size < VANISHED):
        return 0.0
    if size > condition * abs(total):
        return None
    if may_vanish and abs(total) < VANISHED:
        return 0.0
    return None if abs(total) < SMALLEST else nearest_double(total)


def digits_for(activation: str, p: Numbers) -> int:
    """Enough decimal digits for 1 + exp(-|z|); for a softmax less one, enough to tell it from VANISHED."""
    if activation == "softmax":
        return DIGITS + min(400, int((max(p) - min(p)) / math.log(10)))
    return DIGITS + (int(abs(p[0]) / math.log(10)) if activation else 0)


def check_with_diff(loss: Loss, options: Options, activation: str, y: Label, p: Vector, slopes: list[Terms]) -> None:
    numbers = (*p, *(y if isinstance(y, tuple) else ()))
    step = mp.ldexp(min([mp.one, *(abs(x) for x in numbers if x != 0)]), -200)
    for k, terms in enumerate(slopes):

        def along(x: Real, k: int = k) -> Real:
            return mp.fsum(loss.value(options, activation, y, (*p[:k], x, *p[k + 1 :])))

        numeric, analytic = mp.diff(along, p[k], h=step), mp.fsum(terms)
        # a zero slope (hinge, cosine) is compared with the size of what it is the sum of
        size = max(abs(analytic), mp.fsum(abs(t) for t in terms))
        if abs(numeric - analytic) > DIFF_AGREEMENT * (size or 1):
            where = f"{loss.name} {options} {activation!r} label {y} prediction {p} component {k}"
            raise ArithmeticError(f"{where}: {mp.nstr(analytic, 25)}, by mp.diff {mp.nstr(numeric, 25)}")


def cell(numbers: int | Sequence[float]) -> str:
    if isinstance(numbers, int):
        return str(numbers)
    return " ".join(repr(x + 0.0) for x in numbers)  # + 0.0: no negative zero


def options_in(parameters: str) -> Options:
    pairs = (item.partition("=") for item in parameters.split(",") if item)
    return {name: value for name, _, value in pairs}


def rows_of(loss: Loss) -> Iterator[tuple[str, ...]]:
    seen = set()
    for parameters, activation, rows in loss.varieties:
        options = loss.defaults | options_in(parameters)
        assert options.keys() == loss.defaults.keys(), parameters
        for label, prediction in rows:
            key = (parameters, activation, cell(label), cell(prediction))
            numbers = settle_row(loss, options, activation, label, prediction)
            if key not in seen and numbers is not None:
                seen.add(key)
                yield (*key, cell(numbers[:1]), cell(numbers[1:]))


def settle_row(
    loss: Loss, options: Options, activation: str, label: int | Numbers, prediction: Numbers
) -> list[float] | None:
    """The value and the gradient as doubles, or None where the row is not fit."""
    with mp.workdps(digits_for(activation, prediction)):
        p = tuple(map(mp.mpf, prediction))
        y = tuple(map(mp.mpf, label)) if isinstance(label, tuple) else label
        value, slopes = loss.value(options, activation, y, p), loss.gradient(options, activation, y, p)
        soft = activation == "softmax" and isinstance(label, tuple)
        if soft and loss.reported is None and mp.fsum(value) < SOFT_LABEL_SMALLEST_VALUE:
            return None
        may_vanish = activation == "softmax"
        reported = loss.reported(options, activation, y, p) if loss.reported else value
        numbers = [settle(reported, VALUE_CONDITION, may_vanish)]
        numbers += [settle(terms, GRADIENT_CONDITION, may_vanish) for terms in slopes]
        settled = [x for x in numbers if x is not None]
        if len(settled) < len(numbers):
            return None
        within_reach = not activation or max(map(abs, prediction)) <= DIFF_LARGEST_LOGIT
        if within_reach and loss.smooth(options, activation, y, p):
            check_with_diff(loss, options, activation, y, p, slopes)
        return settled


def table_of(loss: Loss) -> str:
    lines = (
        f"Reference values of {loss.name}; written by a program, not by hand.",
        f"command: {COMMAND}",
        f"{VERSION_LINE[2:]}{mpmath.__version__}",
        "precision: mp.dps = 50, raised to 350 digits and more; results are the nearest doubles",
        *loss.formulas,
        "defaults: " + (",".join(f"{name}={value}" for name, value in loss.defaults.items()) or "none"),
    )
    text = io.StringIO()
    text.writelines(f"# {line}\n" for line in lines)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows_of(loss))
    return text.getvalue()


def without_version(table: str) -> list[str]:
    """The lines that do not depend on which release of mpmath was at hand."""
    return [line for line in table.splitlines() if not line.startswith(VERSION_LINE)]


def check_inputs() -> None:
    for row in [*all_rows(SIMPLEX), *all_rows(INNER_SIMPLEX), *all_rows(SOFT_LABELS)]:
        assert abs(math.fsum(row) - 1) < 1e-9, row
    for row in LOG_ROWS:
        assert abs(math.fsum(map(math.exp, row)) - 1) < 1e-9, row


def table_at(place: int) -> str:
    """The table of the loss at a place: for a process of its own, to which no formula has to travel."""
    return table_of(LOSSES[place])


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the reference tables here, or check them.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a table differs")
    arguments = parser.parse_args()
    check_inputs()
    differing = []
    with ProcessPoolExecutor() as pool:
        tables = pool.map(table_at, range(len(LOSSES)))
    for loss, table in zip(LOSSES, tables, strict=True):
        path = FOLDER / f"{loss.name}.csv"
        if not arguments.check:
            path.write_text(table, encoding="utf-8", newline="\n")
        elif not path.exists() or without_version(path.read_text(encoding="utf-8")) != without_version(table):
            differing.append(path.name)
    if differing:
        print(f"differs from what `{COMMAND}` writes: {', '.join(differing)}", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
