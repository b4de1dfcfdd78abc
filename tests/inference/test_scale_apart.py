"""Predictions on another scale than labels that they were joined with: eval says what doctor says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

UNDONE = {
    "logarithms": np.log,
    "standardised": lambda price: (price - price.mean()) / price.std(),
    "thousands": lambda price: price / 1e5,
    "as they are": lambda price: price * 1.02,
    "shrunk": lambda price: price.mean() + 0.01 * (price - price.mean()),
}


@settings(max_examples=7)
@given(st.integers(0, 9), st.sampled_from([*UNDONE]), st.sampled_from(["rmsle", "mae", "rmse", "mape", "poisson"]))
def test_another_scale_is_warned_of_whatever_the_loss(seed, scale, loss):
    price = np.random.default_rng(seed).lognormal(12.0, 0.4, 40)
    values = UNDONE[scale](price) if loss != "poisson" or scale != "standardised" else UNDONE["logarithms"](price)
    values = np.maximum(values, -0.9) if loss == "rmsle" else values
    ids = np.arange(40)
    source, labels = {"Id": ids, "SalePrice": values}, {"Id": ids[::-1], "SalePrice": price[::-1]}
    report = lossctl.evaluate(source, loss, labels=labels, ids="Id")
    warned = [warning for warning in report.warnings if "the labels go from" in warning]
    assert bool(warned) == (scale not in {"as they are", "shrunk"})
    told = lossctl.diagnose(source, labels=labels, ids="Id").findings
    assert bool(warned) == any(finding.name == "another-scale" for finding in told)


@pytest.mark.parametrize(("loss", "prediction"), [("quantile:tau=0.01", -5.0), ("bce", 0.5), ("hinge", 3.0)])
def test_what_need_not_be_near_its_label_is_not_warned_of(loss, prediction):
    rng = np.random.default_rng(1)
    label = np.zeros(30) if loss != "quantile:tau=0.01" else rng.random(30)
    report = lossctl.evaluate({"y": label, "p": prediction + rng.random(30) / 9}, loss, label="y", prediction="p")
    assert not [warning for warning in report.warnings if "the labels go from" in warning]
