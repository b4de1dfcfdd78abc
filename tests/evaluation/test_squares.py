"""Squares of errors that are no doubles, or hardly: what is made of them is right, and said where it is no double.

Expected numbers by `fractions.Fraction`, and `math.isqrt` for roots.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.functions.loss import losses
from lossctl.rational import square_root, to_float

SQUARES = [definition.name for definition in losses if definition.square_root is not None]
"""Every loss that is a square."""


def root(exact):
    """The square root of an exact number to 30 digits."""
    up = 2 * max(0, 200 - exact.numerator.bit_length() + exact.denominator.bit_length())
    return Fraction(math.isqrt((exact.numerator << up) // exact.denominator), 1 << up // 2)


def of_errors(error, loss, weight=None, **more):
    """The one result of predictions that are off by some errors, and the warnings."""
    source = {"y": np.zeros_like(error), "p": error}
    if weight is not None:
        source["w"], more["weight"] = weight, "w"
    report = lossctl.evaluate(source, loss, label="y", prediction="p", **more)
    return report.results[0], report.warnings


def test_every_square_is_known_to_be_one():
    halves = {"half_squared_error", "expectile", "squared_epsilon_insensitive"}
    assert set(SQUARES) == {"mse", "rmse", "l2", "msle", "rmsle", "squared_hinge", "brier"} | halves


@pytest.mark.parametrize("loss", SQUARES)
@pytest.mark.parametrize("width", [0, 3], ids=["plain", "columns"])
def test_a_declared_root_is_the_one_of_the_formula(loss, width):
    rng = np.random.default_rng(1)
    bound = lossctl.get_loss(loss)
    label, prediction = bound.sample(rng, 50, width or 1)
    size = bound.definition.square_root(label, prediction, **bound.parameters)
    assert bound.definition.function(label, prediction, **bound.parameters) == pytest.approx(size**2, rel=1e-15)


@given(
    exponents=st.lists(st.integers(-307, 306), min_size=2, max_size=12),
    weighted=st.booleans(),
    loss=st.sampled_from(["mse", "rmse", "l2"]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60)
def test_squares_add_up_whatever_their_size(exponents, weighted, loss, seed):
    rng = np.random.default_rng(seed)
    error = rng.uniform(1.0, 9.0, len(exponents)) * np.array([float(f"1e{exponent}") for exponent in exponents])
    weight = 10.0 ** rng.uniform(-300, 300, len(error)) if weighted else None
    result, _ = of_errors(error, loss, weight)
    weights = [Fraction(1)] * len(error) if weight is None else list(map(Fraction, weight.tolist()))
    total = sum(w * Fraction(e) ** 2 for w, e in zip(weights, error.tolist(), strict=True))
    mean = total / sum(weights)
    expected = {"mse": mean, "rmse": root(mean), "l2": total}[loss]
    assert result.value == pytest.approx(to_float(expected), rel=1e-15, abs=5e-324)


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1.0, 1e160, 1e200])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_root_mean_has_the_scale_of_its_errors(size, groups):
    error = np.array([3.0, 4.0, 3.0, 4.0])
    source = {"y": np.zeros(4), "p": error * size, "g": ["a", "a", "b", "b"]}
    more = {"by": "g"} if groups == 2 else {}
    report = lossctl.evaluate(source, "rmse", label="y", prediction="p", gradient=True, skill=True, **more)
    plain = lossctl.evaluate({**source, "p": error}, "rmse", label="y", prediction="p", gradient=True, **more)
    for result, expected in zip(report.results, plain.results, strict=True):
        assert result.value == pytest.approx(expected.value * size, rel=1e-15)
        assert result.standard_error == pytest.approx(expected.standard_error * size, rel=1e-12)
        assert result.gradient.grad_l2 == pytest.approx(expected.gradient.grad_l2, rel=1e-12)
    assert not any("infinit" in warning for warning in report.warnings)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_rows_of_several_columns_have_the_scale_of_their_errors(size):
    error = np.array([[3.0, 0.0], [0.0, 4.0]])
    result, _ = of_errors(error * size, "rmse")
    assert result.value == pytest.approx(2.5 * size, rel=1e-15)  # √((9 + 16) / 4)


def test_logarithms_and_margins_that_are_tiny_have_a_root_mean():
    source = {"y": np.zeros(2), "p": np.full(2, 2e-200)}  # log1p(x) is x
    assert lossctl.evaluate(source, "rmsle", label="y", prediction="p").value == 2e-200
    source = {"y": np.array([1.0, -1.0]), "p": np.array([-3e200, 4e200])}  # max(0, 1 − y·ŷ) is 3e200 and 4e200
    found = lossctl.evaluate(source, "squared_hinge", label="y", prediction="p", reduction="root-mean").value
    assert found == pytest.approx(math.sqrt(12.5) * 1e200, rel=1e-15)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_a_best_constant_of_such_errors_has_its_loss(size):
    source = {"y": np.array([1.0, 3.0]) * size, "p": np.array([1.0, 1.0]) * size}
    report = lossctl.evaluate(source, "rmse", label="y", prediction="p", skill=True)
    constant = report.results[0].best_constant
    assert constant.constant == pytest.approx(2 * size, rel=1e-15)
    assert constant.constant_loss == pytest.approx(size, rel=1e-15)


@pytest.mark.parametrize(
    ("loss", "error", "weight"),
    [
        ("l2", [1.3e154] * 2, None),  # 1.69e308 each
        ("mse", [1e200, 1.0], None),
        ("l1", [1.7e308] * 2, None),
        ("l1", [1e10], [1e300]),
    ],
)
def test_a_value_that_is_no_double_is_said(loss, error, weight):
    result, said = of_errors(np.array(error), loss, None if weight is None else np.array(weight))
    assert result.value == math.inf
    assert any("beyond the largest number" in warning for warning in said)


def test_a_mean_of_weights_that_are_no_double_together_is_right_and_says_so():
    result, said = of_errors(np.array([0.25, 0.75]), "mae", np.array([1e308, 1e308]))
    assert (result.value, result.sum_weight) == (0.5, math.inf)
    assert any("the sum of the weights" in warning for warning in said)


@pytest.mark.parametrize("loss", ["rmse", "mse", "log_cosh"])
@pytest.mark.parametrize("error", [1.7e308, 1e307])
def test_a_gradient_that_is_no_double_is_said(loss, error):
    # 2e of 1.7e308 is none; the root of the mean square, and log cosh e = |e| − log 2 with a slope of 1, are.
    result, told = of_errors(np.array([error, -error]), loss, gradient=True)
    assert bool(told) == (loss == "mse" or (loss == "rmse" and error > 1e308))
    if loss == "rmse":
        assert result.value == error
        assert [*told] == ["rmse of p: a gradient is infinite, or beyond the largest number a double can hold"] * (
            error > 1e308
        )


@pytest.mark.parametrize("weights", [(1e300, 3.0), (1e308, 1e-300), (5e-324, 5e-324), (1e16, 1e-310)])
def test_a_root_mean_that_is_no_double_has_its_slope(weights):
    source = {"y": [0.0, 0.0], "p": [0.0, 3e-170], "w": weights}
    (result,) = lossctl.evaluate(source, "rmse", label="y", prediction="p", weight="w", gradient=True).results
    total, weight = sum(map(Fraction, weights)), Fraction(weights[1])
    # w e / (W √(w e² / W)) = √(w / W)
    assert result.gradient.grad_l2 == pytest.approx(square_root(weight / total), rel=1e-13, abs=5e-324)
    assert result.gradient.grad_linf == pytest.approx(square_root(weight / total), rel=1e-13, abs=5e-324)


def test_a_gradient_of_a_row_that_is_no_double_is_said():
    source = {"y": [0.0, 0.0], "p": [1.7e308, 1.0]}  # 2e
    report = lossctl.evaluate(source, "rmse", label="y", prediction="p", gradient=True)
    assert math.isfinite(report.value)
    assert any("a gradient is infinite, or beyond the largest number" in warning for warning in report.warnings)
