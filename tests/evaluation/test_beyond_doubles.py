"""Sums, roots and skills that leave the doubles are reported as what they are, and nothing warns behind them."""

import math
import warnings

import numpy as np
import pytest

import lossctl
from lossctl.errors import DataError


@pytest.fixture(autouse=True)
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


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


def test_no_best_constant_is_sought_of_weights_that_cannot_be_added_up():
    rows = np.array([[0.4, 0.1, 0.4], [1e308, -1e308, 1e308]])
    source = {"y": np.array([2, 1]), "p": rows, "w": np.array([1e308, 1e308])}
    report = lossctl.evaluate(
        source, "cross_entropy", label="y", prediction="p", weight="w", from_logits=True, skill=True
    )
    assert report.value == math.inf
    assert any("too large to be added up" in warning for warning in report.warnings)
