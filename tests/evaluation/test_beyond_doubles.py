"""Sums, roots and skills that leave the doubles are reported as what they are, and nothing warns behind them."""

import math

import numpy as np
import pytest

import lossctl
from lossctl.errors import DataError


def test_a_sum_and_its_error_may_be_more_than_any_double():
    source = {"y": np.zeros(24), "p": np.tile([1.7e308, 0.0], 12)}
    (result,) = lossctl.evaluate(source, "mae", label="y", prediction="p", reduction="sum", gradient=True).results
    assert (result.value, result.standard_error) == (math.inf, math.inf)


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("by", [None, "g"])
@pytest.mark.parametrize(("loss", "label", "prediction"), [("poisson", "y", "p"), ("cosine", "y,z", "p,q")])
def test_a_negative_mean_under_a_root_is_an_error_that_says_so(loss, label, prediction, by, gradient):
    source = {"y": np.array([3.0, 4.0]), "p": np.array([3.0, 4.0]), "g": np.array(["a", "b"])}
    source |= {"z": source["y"], "q": source["p"]}
    with pytest.raises(DataError, match=r"a negative mean has no root") as error:
        lossctl.evaluate(
            source, loss, label=label, prediction=prediction, reduction="root-mean", by=by, gradient=gradient
        )
    assert ("g=a" in str(error.value)) is (by == "g")


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


@pytest.mark.parametrize("weight", [[1.0, 1.0, 2.0], [5e-324, 5e-324, 1e-323]])
def test_subnormal_weights_weigh_as_their_ratios_do(weight):
    """mpmath: (−log 0.9 − log 0.8 − 2 log 0.6) / 4."""
    source = {"y": np.array([1.0, 0.0, 1.0]), "p": np.array([0.9, 0.2, 0.6]), "w": np.array(weight)}
    assert lossctl.evaluate(source, "bce", label="y", prediction="p", weight="w").value == 0.33753882862600436


def test_weights_whose_sum_is_no_double_have_a_value_and_gradients():
    """mpmath: (−log 0.9 − log 0.8 − 1.5 log 0.6) / 3.5; gradient −w/(3.5 p), at the label 0 w/(3.5 (1 − p))."""
    source = {
        "y": np.array([1.0, 0.0, 1.0]), "p": np.array([0.9, 0.2, 0.6]), "w": np.array([1e308, 1e308, 1.5e308]),
        "g": np.zeros(3, dtype=int),
    }  # fmt: skip
    for more in ({}, {"by": "g"}):
        report = lossctl.evaluate(source, "bce", label="y", prediction="p", weight="w", gradient=True, **more)
        (result,) = report.results
        assert result.value == pytest.approx(0.31278357217743488, rel=4e-16)
        assert result.gradient.grad_l2 == pytest.approx(0.85938126300427441, rel=1e-14)
        assert result.gradient.grad_linf == pytest.approx(0.71428571428571429, rel=1e-14)


def test_a_product_of_weight_and_loss_need_not_be_a_double():
    source = {"y": np.zeros(2), "p": np.array([1e10, 1e10]), "w": np.array([1e300, 1e300])}
    (result,) = lossctl.evaluate(source, "mae", label="y", prediction="p", weight="w", gradient=True).results
    assert (result.value, result.standard_error, result.n_infinite) == (1e10, 0.0, 0)
    assert result.gradient.grad_l1 == 1.0
