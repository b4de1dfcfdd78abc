"""Numbers that break one summation or another, and rows made of them."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from lossctl.rational import to_float
from lossctl.sums.state import Groups, Rows

SEEDS = st.integers(0, 2**32 - 1)

DOUBLES = st.floats(allow_nan=False, allow_infinity=False)

SPREADS = ("plain", "wide", "whole range", "subnormal", "cancelling", "near overflow", "equal")


def hostile(kind, rng, n):
    """Numbers that break one summation or another."""
    sign = rng.choice([-1.0, 1.0], n)
    if kind == "plain":
        return rng.normal(size=n)
    if kind == "wide":
        return sign * 10.0 ** rng.uniform(-20, 20, n)
    if kind == "whole range":
        return sign * 10.0 ** rng.uniform(-300, 300, n)
    if kind == "subnormal":
        return sign * rng.integers(0, 2**52, n) * 5e-324
    if kind == "cancelling":
        half = sign * 10.0 ** rng.uniform(-300, 300, n)
        return rng.permutation(np.concatenate([half, -half, [rng.normal()]]))
    if kind == "near overflow":
        return np.concatenate([sign, -sign]) * rng.uniform(0.5, 1.0, 2 * n) * np.finfo(float).max
    return np.full(n, rng.normal() * 10.0 ** rng.integers(-50, 50))


def rounded_sum(values):
    """The correctly rounded sum: by `math.fsum`, or by fractions where its intermediate sums overflow."""
    try:
        return math.fsum(values)
    except OverflowError:
        return to_float(sum(map(Fraction, values.tolist()), Fraction(0)))


def pieces(values, cuts):
    """An array cut at fractions of its length; pieces may be empty."""
    return np.split(values, sorted(int(cut * len(values)) for cut in cuts))


def bits(figure):
    """Anything made of floats, such that -0.0, NaN and the last digit count."""
    return repr(figure)


def rows_of(value, weight=None, group=None, groups=1, gradient=None, position=None, label=None, prediction=None):
    """Rows of which only some fields matter."""
    label = np.zeros(len(value)) if label is None else label
    prediction = np.zeros(len(value)) if prediction is None else prediction
    return Rows(value, weight, None if group is None else Groups(group, groups), position, label, prediction, gradient)


def cells_of(histogram):
    """How many rows are in each cell of a histogram."""
    whole = histogram.together()
    return {
        cell: count
        for cells, counts in zip(whole.cells, whole.counts, strict=True)
        for cell, count in zip(cells.tolist(), counts.tolist(), strict=True)
    }
