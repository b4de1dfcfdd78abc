"""Sums, roots and skills that leave the doubles are reported as what they are, and nothing warns behind them."""

import math
import warnings

import numpy as np
import pytest

import lossctl


@pytest.fixture(autouse=True)
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_sum_and_its_error_may_be_more_than_any_double():
    source = {"y": np.zeros(24), "p": np.tile([1.7e308, 0.0], 12)}
    (result,) = lossctl.evaluate(source, "mae", label="y", prediction="p", reduction="sum", gradient=True).results
    assert (result.value, result.standard_error) == (math.inf, math.inf)


def test_a_negative_mean_has_no_root_and_no_gradient_of_it():
    source = {"y": np.array([3.0, 4.0]), "p": np.array([3.0, 4.0])}
    report = lossctl.evaluate(source, "poisson", label="y", prediction="p", reduction="root-mean", gradient=True)
    (result,) = report.results
    assert math.isnan(result.value)
    assert math.isnan(result.gradient.grad_l2)
    assert result.gradient.row_max == 0.0  # of rows, which have no root
    assert any("not a number" in warning for warning in report.warnings)


@pytest.mark.parametrize("weight", [5e-324, 1e-308, 1e308])
@pytest.mark.parametrize("loss", ["rmse", "cross_entropy"])
def test_weights_of_any_size_come_to_a_report(weight, loss):
    rows = np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]])
    prediction = rows if loss == "cross_entropy" else rows[:, 0]
    source = {"y": np.array([0.0, 1.0, 0.0]), "p": prediction, "w": np.full(3, weight)}
    (result,) = lossctl.evaluate(source, loss, label="y", prediction="p", weight="w", gradient=True, skill=True).results
    assert result.n == 3


def best(source, loss, **more):
    """The best constant of a loss, and the whole report."""
    report = lossctl.evaluate(source, loss, label="y", prediction="p", skill=True, **more)
    (result,) = report.results
    return result.best_constant, report


@pytest.mark.parametrize("size", [2.0**-1060, 2.0**-1022, 1.0, 2.0**1019])
@pytest.mark.parametrize("loss", ["mse", "mae", "rmse", "huber", "bce", "cross_entropy"])
def test_a_best_constant_does_not_know_the_size_of_weights(loss, size):
    """Weights of few bits, so that they are the same times a power of two; 2^1019 cannot be added up as doubles."""
    rng = np.random.default_rng(4)
    weight = rng.integers(1, 16, 40).astype(float)
    label = rng.integers(0, 3 if loss == "cross_entropy" else 2, 40)
    prediction = rng.dirichlet(np.ones(3), 40) if loss == "cross_entropy" else rng.uniform(0.1, 0.9, 40)
    plain, _ = best({"y": label, "p": prediction, "w": weight}, loss, weight="w")
    scaled, report = best({"y": label, "p": prediction, "w": weight * size}, loss, weight="w")
    assert scaled.constant == pytest.approx(plain.constant, rel=1e-15)
    assert scaled.constant_loss == pytest.approx(plain.constant_loss, rel=1e-15)
    assert scaled.skill == pytest.approx(plain.skill, rel=1e-14)
    assert math.isfinite(report.value)


def test_the_loss_of_a_best_constant_under_a_sum_counts_the_weights():
    weight = np.array([2.5e307, 5e307, 2.5e307])
    constant, _ = best({"y": [0.0, 1.0, 2.0], "p": [0.5] * 3, "w": weight}, "l1", weight="w")
    assert (constant.constant, constant.constant_loss) == (1.0, 5e307)
