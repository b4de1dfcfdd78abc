"""Differences of losses at the ends of the doubles are right, or said not to be known; no verdict is wrong."""

import math
import warnings

import mpmath
import numpy as np
import pytest
from hostile import SEEDS
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import lossctl

N = 24
REDUCTIONS = {"mse": "mean", "rmse": "root-mean", "l2": "sum"}


def compare(table, loss="mse", **asked):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        comparison = lossctl.compare(table, loss, label="y", prediction=["base", "new"], **asked)
        assert str(comparison)
    return comparison.results[0]


def truth(table, loss, cluster, lags):
    """Difference, standard error and top share at 60 digits; the last of rows that are no series."""
    parts = [[mpmath.mpf(x) ** 2 for x in table[name].tolist()] for name in ("base", "new")]
    weight = [mpmath.mpf(w) for w in table["w"].tolist()]
    moved, values = [], []
    for part in parts:
        value = mpmath.fdot(weight, part)
        slope = mpmath.mpf(1)
        if loss == "l2":
            moved.append([w * x - value / N for w, x in zip(weight, part, strict=True)])
        else:
            whole = mpmath.fsum(weight)
            mean = value = value / whole
            if loss == "rmse":
                value = mpmath.sqrt(mean)
                slope = 1 / (2 * value)
            moved.append([slope * w * (x - mean) / whole for w, x in zip(weight, part, strict=True)])
        values.append(value)
    u = [b - a for a, b in zip(*moved, strict=True)]
    if cluster is not None:
        u = [mpmath.fsum(x for x, name in zip(u, cluster, strict=True) if name == key) for key in np.unique(cluster)]
    n, h = len(u), lags + 1
    squares = [x * x for x in u]
    far = [(1 - mpmath.mpf(k) / h) * mpmath.fdot(u[k:], u[: n - k]) for k in range(1, h)]
    variance = (mpmath.fsum(squares) + 2 * mpmath.fsum(far)) * n * n / ((n - h) * (n - h + 1))
    share = max(squares) / mpmath.fsum(squares)
    return float(values[1] - values[0]), float(mpmath.sqrt(variance)), float(share)


@given(
    seed=SEEDS,
    scale=st.sampled_from([0, -200, -160, -140, -100, 60, 120, 150, 200, 300]),
    heavy=st.sampled_from([0, 0, -300, -150, 150, 300]),
    loss=st.sampled_from([*REDUCTIONS]),
    way=st.sampled_from(["rows", "clusters", "series"]),
    spread=st.booleans(),
)
@settings(max_examples=25)
def test_every_figure_is_right_or_said_not_to_be_known(seed, scale, heavy, loss, way, spread):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=N)
    table = {
        "y": np.zeros(N),
        "base": base * 10.0**scale,
        "new": (base + rng.normal(size=N)) * 10.0 ** (scale + (rng.integers(-3, 3, N) if spread else 0)),
        "w": rng.lognormal(size=N) * 10.0**heavy,
        "c": np.arange(N) % 9,
    }
    cluster, lags = (table["c"] if way == "clusters" else None), (2 if way == "series" else 0)
    asked = {"clusters": {"cluster": "c"}, "series": {"lags": 2}, "rows": {}}[way]
    one = compare(table, loss, weight="w", **asked)
    with mpmath.workdps(60):
        difference, error, share = truth(table, loss, cluster, lags)
    if math.isfinite(difference) and math.isfinite(one.difference):
        assert one.difference == pytest.approx(difference, rel=1e-11, abs=1e-322)
    if not one.doubt:
        assert one.standard_error == pytest.approx(error, rel=1e-6, abs=1e-320)
        few_digits = scale == -160 or error < 1e-300  # have losses, or what they move a value by
        assert one.top_share <= share * (1 + 1e-6) or few_digits
        if error > 1e-300:
            p = 2 * stats.t.sf(abs(difference) / error, one.estimate.freedom)
            assert one.p == pytest.approx(p, rel=1e-4)


@pytest.mark.parametrize("model", [["base"], ["new"], ["base", "new"]])
@pytest.mark.parametrize("asked", [{}, {"cluster": "c"}, {"lags": 2}, {"weight": "w"}, {"anytime": True}])
def test_one_row_whose_loss_is_no_double_is_never_the_ground_for_a_verdict(model, asked):
    rng = np.random.default_rng(1)
    table = {name: rng.normal(size=N) for name in ("base", "new")}
    table |= {"y": np.zeros(N), "c": np.arange(N) % 12, "w": rng.lognormal(size=N)}
    for name in model:
        table[name][5] = 1e200
    for loss in ("mse", "rmse"):
        assert not compare(table, loss, **asked).is_shown


ASKED = [{}, {"cluster": "c"}, {"lags": 3}, {"weight": "w"}, {"weight": "w", "cluster": "c"}, {"anytime": 100}]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("loss", REDUCTIONS)
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e150, 0.0])
def test_models_that_are_the_same_have_no_difference_at_any_scale(scale, loss, asked):
    rng = np.random.default_rng(1)
    base = rng.normal(size=40) * scale
    table = {"y": np.zeros(40), "base": base, "new": base.copy(), "c": np.arange(40) % 12, "w": rng.lognormal(size=40)}
    one = compare(table, loss, **asked)
    if not math.isnan(one.difference):  # of sums beyond the doubles
        assert (one.difference, one.standard_error, one.ci_low, one.ci_high, one.tied) == (0.0,) * 4 + (1.0,)
        assert one.verdict == "no evidence"
        assert one.p == 1.0 or "anytime" in asked


def test_differences_that_are_no_doubles_are_counted_by_their_signs():
    base = np.full(40, 1e-200)
    new = np.where(np.arange(40) < 30, 0.9e-200, 1.2e-200)
    one = compare({"y": np.zeros(40), "base": base, "new": new}, "rmse")
    assert (one.better, one.worse, one.tied) == (0.75, 0.25, 0.0)


@pytest.mark.parametrize("asked", [{}, {"cluster": "c"}, {"weight": "w"}, {"lags": 1}])
@pytest.mark.parametrize("loss", ["mse", "rmse"])
def test_a_difference_that_is_the_same_in_each_row_is_sure(loss, asked):
    table = {"y": np.zeros(40), "base": np.full(40, 0.1), "new": np.full(40, 0.3), "c": np.arange(40) % 12}
    table["w"] = np.random.default_rng(0).lognormal(size=40)
    one = compare(table, loss, **asked)
    assert (one.verdict, one.standard_error, one.p, one.top_share) == ("worse", 0.0, 0.0, 0.0)


@pytest.mark.parametrize("loss", REDUCTIONS)
@pytest.mark.parametrize("asked", [{}, {"cluster": "c"}, {"weight": "w"}, {"lags": 1}, {"anytime": True}])
@pytest.mark.parametrize("n", [1, 2])
def test_one_row_or_cluster_shows_nothing(n, asked, loss):
    table = {"y": [0.0] * n, "base": [1.0, 2.0][:n], "new": [2.0, 2.5][:n], "c": ["a"] * n, "w": [1.0, 1e9][:n]}
    one = compare({name: np.array(column) for name, column in table.items()}, loss, **asked)
    assert not one.is_shown
    assert one.verdict == "not trusted" or (n == 2 and "cluster" not in asked)
    assert math.isnan(one.p) or one.p > 0.05


def test_a_baseline_without_any_loss_has_a_root_nonetheless():
    """Its own error is 0: rows move the other value alone."""
    new = np.random.default_rng(0).normal(size=50)
    one = compare({"y": np.zeros(50), "base": np.zeros(50), "new": new}, "rmse")
    root = math.sqrt(np.mean(new**2))
    assert [one.baseline, one.difference] == [0.0, pytest.approx(root)]
    assert one.standard_error == pytest.approx(np.std(new**2, ddof=1) / math.sqrt(50) / (2 * root))
    assert math.isnan(one.relative)
    assert math.isnan(one.correlation)


def test_weights_of_which_one_is_all_there_is_tell_nothing():
    rng = np.random.default_rng(0)
    table = {name: rng.normal(size=40) for name in ("y", "base", "new")}
    table |= {"w": np.r_[1e300, np.ones(39)], "c": np.arange(40) % 20}
    for asked in ({}, {"cluster": "c"}, {"lags": 2}):
        for loss in REDUCTIONS:
            one = compare(table, loss, weight="w", **asked)
            assert one.verdict == "not trusted"


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("model", [["base"], ["new"], ["base", "new"]])
def test_losses_that_are_infinite_show_nothing(model, asked):
    rng = np.random.default_rng(2)
    table = {name: rng.uniform(0.1, 0.9, 40) for name in ("base", "new")}
    table |= {"y": np.ones(40), "c": np.arange(40) % 12, "w": rng.lognormal(size=40)}
    for name in model:
        table[name][7] = 0.0
    one = compare(table, "bce:eps=0", **asked)
    assert one.verdict == "not trusted"
    assert math.isnan(one.difference) if len(model) == 2 else math.isinf(one.difference)
    assert all(map(math.isnan, (one.standard_error, one.ci_low, one.ci_high, one.p)))
