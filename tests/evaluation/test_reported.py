"""Numbers that other tools got wrong: arrays spread over each other, weights and errors at the ends of the doubles."""

import numpy as np
import pyarrow as pa
import pytest
from reported import Reported

import lossctl as library

WEIGHTED = 0.33753882862600436
"""−(ln 0.9 + ln 0.8 + 2 ln 0.6) / 4 by mpmath."""
HUGE = (0.31278357217743488, 0.85938126300427441, 0.71428571428571429)
"""By mpmath, of weights 2 : 2 : 3: the value, and the l2 and the largest of its gradient −2/6.3, 2/5.6, −3/4.2."""
REPORTED = [
    Reported(
        "predictions of shape (n, 1)",
        "https://github.com/keras-team/keras/issues/14627",
        {"in.parquet": pa.table({"y": [1.0, 2.0, 0.5], "p": [[1.5], [2.0], [0.0]]})},
        {"eval in.parquet -y y -p p -l mse": [(0.25 + 0.0 + 0.25) / 3]},
    ),
    Reported(
        "weights that are subnormal, and in the same ratio",
        "https://github.com/scikit-adaptation/skada/pull/205",
        {
            "in.csv": "y,p,w\n1,0.9,5e-324\n0,0.2,5e-324\n1,0.6,1e-323\n",
            "flat.csv": "y,p,w\n1,0.9,1\n0,0.2,1\n1,0.6,2\n",
        },
        {f"eval {name}.csv -y y -p p -w w -l bce": [WEIGHTED] for name in ("in", "flat")},
    ),
    Reported(
        "weights whose sum is no double",
        "found here",
        {"in.csv": "y,p,w\n1,0.9,1e308\n0,0.2,1e308\n1,0.6,1.5e308\n"},
        {"eval in.csv -y y -p p -w w -l bce": [HUGE[0]]},
    ),
    Reported(
        "errors whose squares are no doubles",
        "found here",
        {"in.csv": "y,p\n1e-200,3e-200\n1e-200,3e-200\n"},
        {"eval in.csv -y y -p p -l rmse,mae": [2e-200, 2e-200]},
    ),
]


@pytest.mark.parametrize("reported", REPORTED, ids=lambda reported: reported.name)
def test_what_people_reported_comes_out_right(reported, lossctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reported.hold(lossctl, tmp_path)


def test_arrays_of_shapes_n_and_n_1_are_not_spread_over_each_other():
    # https://github.com/keras-team/keras/issues/14627
    table = {"y": np.array([1, 2, 0.5]), "p": np.array([[1.5], [2.0], [0.0]])}
    assert library.evaluate(table, "mse", label="y", prediction="p").value == pytest.approx(1 / 6, rel=1e-15)


def test_the_gradient_under_weights_whose_sum_is_no_double():
    table = {"y": [1.0, 0.0, 1.0], "p": [0.9, 0.2, 0.6], "w": [1e308, 1e308, 1.5e308]}
    report = library.evaluate(table, "bce", label="y", prediction="p", weight="w", gradient=True)
    (result,) = report.results
    assert (result.value, result.gradient.grad_l2, result.gradient.grad_linf) == pytest.approx(HUGE, rel=1e-15)
    assert any("sum of the weights" in warning for warning in report.warnings)
