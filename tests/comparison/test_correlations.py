"""Correlations of what rows move two models by are those of exact fractions, or not told where rounding hides them."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

USUAL = st.floats(1e-3, 1e3)
ANY = st.one_of(USUAL, st.floats(1e-140, 1e140), st.integers(-140, 140).map(lambda power: 10.0**power))
MODELS = {
    "mae": lambda p, y: abs(p - y),
    "rmse": lambda p, y: (p - y) ** 2,
    "l2": lambda p, y: (p - y) ** 2,
    "wmape": lambda p, y: abs(p - y),
}
"""The losses of rows, as doubles."""


def moved(losses, sizes, weight, loss):
    """By how much each row moves a value, up to a factor, from exact numbers."""
    losses, sizes, weight = (list(map(Fraction, part)) for part in (losses, sizes, weight))
    parts = [w * own for w, own in zip(weight, losses, strict=True)]
    if loss == "l2":
        return [part - sum(parts) / len(parts) for part in parts]
    value = sum(parts) / sum(w * size for w, size in zip(weight, sizes, strict=True))
    return [part - w * value * size for part, w, size in zip(parts, weight, sizes, strict=True)]


def exact(one, other):
    """The correlation of numbers about 0."""
    both, first, second = (sum(map(Fraction.__mul__, *pair)) for pair in ((one, other), (one, one), (other, other)))
    if not first or not second:
        return math.nan
    size = math.sqrt(both**2 / (first * second))
    return -size if both < 0 else size


@pytest.mark.parametrize("loss", MODELS)
@settings(max_examples=25)
@given(data=st.data(), numbers=st.sampled_from([USUAL, ANY]), weighted=st.booleans(), by=st.sampled_from([None, "g"]))
def test_a_correlation_is_that_of_fractions_or_none(loss, data, numbers, weighted, by):
    n = data.draw(st.integers(2, 6))
    a, b, w = (data.draw(st.lists(kind, min_size=n, max_size=n)) for kind in (numbers, numbers, USUAL))
    y = data.draw(st.lists(USUAL, min_size=n, max_size=n)) if loss == "wmape" else [0.0] * n
    weight = w if weighted else [1.0] * n
    table = {"y": y, "a": a, "b": b, "w": weight, "g": ["x"] * n}
    asked = {"label": "y", "prediction": ["a", "b"], "by": by, "weight": "w" if weighted else None}
    (one,) = lossctl.compare(table, loss, **asked).results
    losses = [[MODELS[loss](own, label) for own, label in zip(model, y, strict=True)] for model in (a, b)]
    sizes = y if loss == "wmape" else [1.0] * n
    moves = [moved(own, sizes, weight, loss) for own in losses]
    expected = exact(*moves)
    if not math.isnan(one.correlation):
        assert one.correlation == pytest.approx(expected, abs=1e-5)
        return
    clear = all(
        max(map(abs, part)) > 1e-6 * max(w * own for w, own in zip(weight, rows, strict=True))
        for part, rows in zip(moves, losses, strict=True)
    )
    assert math.isnan(expected) or numbers is ANY or not clear


@pytest.mark.parametrize("reduction", ["mean", "sum", "root-mean", "exp-mean"])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e6, 1e140])
def test_where_a_value_or_its_slope_is_no_double_its_correlation_is_that_of_the_mean_or_none(reduction, scale):
    table = {"y": [0.0] * 3, "a": [8 * scale, 9 * scale, scale], "b": [scale, 7 * scale, 2 * scale]}
    asked = {"label": "y", "prediction": ["a", "b"]}
    (mean,) = lossctl.compare(table, "mae", **asked).results
    (one,) = lossctl.compare(table, "mae", reduction=reduction, **asked).results
    if reduction != "exp-mean" or scale < 1e6:
        assert one.correlation == pytest.approx(mean.correlation)
    else:
        assert math.isnan(one.correlation)


@pytest.mark.parametrize("loss", ["wmape", "nrmse", "rmse", "mae"])
@settings(max_examples=10)
@given(scale=st.integers(-530, 500))
def test_a_correlation_does_not_depend_on_the_unit_of_numbers(loss, scale):
    table = {"y": [1.0, 2.0, 3.0, 5.0], "a": [1.5, 1.0, 3.25, 4.5], "b": [1.25, 2.5, 2.0, 5.5]}
    usual, scaled = (
        lossctl.compare(
            {name: [number * unit for number in column] for name, column in table.items()},
            loss,
            label="y",
            prediction=["a", "b"],
        )
        for unit in (1.0, 2.0**scale)
    )
    assert scaled.results[0].correlation == pytest.approx(usual.results[0].correlation, abs=1e-9)
