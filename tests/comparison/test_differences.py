"""Differences, their standard errors, intervals and p-values are those of NumPy, SciPy and statsmodels."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from influences import influence, standard_error, top_share
from scipy import stats

import lossctl

N = 300
REDUCTIONS = {"mse": "mean", "rmse": "root-mean", "l2": "sum"}


@pytest.fixture(scope="module")
def table():
    """Rows of users, whose errors have something in common, and of two segments."""
    rng = np.random.default_rng(14)
    user = rng.integers(0, 40, N)
    common = rng.normal(size=40)[user]
    label = rng.normal(size=N)
    return {
        "y": label,
        "base": label + common + rng.normal(size=N),
        "new": label + 0.8 * common + rng.normal(size=N) + 0.1,
        "w": rng.lognormal(size=N),
        "user": user,
        "segment": rng.choice(["mobile", "web"], N),
    }


def compare(table, loss, **asked):
    return lossctl.compare(table, loss, label="y", prediction=["base", "new"], **asked)


def losses(table, rows=slice(None)):
    return [(table[name] - table["y"])[rows] ** 2 for name in ("base", "new")]


def columns(table, weighted, clustered, rows):
    weight = table["w"][rows] if weighted else np.ones(N)[rows]
    return weight, table["user"][rows] if clustered else None


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", REDUCTIONS)
def test_differences_are_those_of_the_formulas_in_each_group_and_in_all(table, loss, weighted, clustered):
    asked = {"weight": "w" if weighted else None, "cluster": "user" if clustered else None}
    comparison = compare(table, loss, by="segment", **asked)
    for one in (*comparison.results, *comparison.overall):
        rows = table["segment"] == one.group["segment"] if one.group else np.ones(N, dtype=bool)
        weight, cluster = columns(table, weighted, clustered, rows)
        (base, moved), (new, more) = (influence(part, weight, REDUCTIONS[loss]) for part in losses(table, rows))
        error = standard_error(more - moved, cluster)
        units = weight.sum() ** 2 / (weight**2).sum() if cluster is None else len(np.unique(cluster))
        low, high = stats.t.interval(0.95, units - 1, new - base, error)
        assert [one.n, one.clusters] == [rows.sum(), units if clustered else None]
        assert [one.baseline, one.value, one.relative] == pytest.approx([base, new, (new - base) / base], rel=1e-12)
        assert [one.difference, one.standard_error] == pytest.approx([new - base, error], rel=1e-10)
        assert [one.ci_low, one.ci_high] == pytest.approx([low, high], rel=1e-10)
        assert one.p == pytest.approx(2 * stats.t.sf(abs(new - base) / error, units - 1), rel=1e-9)
        assert one.correlation == pytest.approx(np.corrcoef(moved, more)[0, 1], rel=1e-9)
        ours, theirs = one.top_share, top_share(more - moved, cluster)
        exact = clustered or not (weighted or loss == "rmse")
        assert ours == pytest.approx(theirs, rel=1e-9) if exact else 1 / one.n <= ours <= theirs * (1 + 1e-9)


def test_the_paired_test_is_that_of_scipy(table):
    (one,) = compare(table, "mse").results
    theirs = stats.ttest_rel(*losses(table)[::-1])
    assert [one.p, one.difference / one.standard_error] == pytest.approx([theirs.pvalue, theirs.statistic], rel=1e-10)
    interval = theirs.confidence_interval(0.95)
    assert [one.ci_low, one.ci_high] == pytest.approx([interval.low, interval.high], rel=1e-10)
    base, new = losses(table)
    assert [one.better, one.worse, one.tied] == [np.mean(new < base), np.mean(new > base), 0.0]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("asked", "covariance", "settings"),
    [
        ({}, "HC1", {}),  # Σw²e²·n/(n − 1)
        ({"cluster": "user"}, "cluster", {"groups": True}),  # G/(G − 1) by its correction
        ({"lags": 7}, "HAC", {"maxlags": 7}),  # which has no correction for small samples
    ],
)
def test_errors_of_means_are_those_of_statsmodels(table, asked, covariance, settings, weighted):
    base, new = losses(table)
    weight, user = columns(table, weighted, clustered=True, rows=slice(None))
    settings = {**settings, **({"groups": user} if "groups" in settings else {})}
    fit = sm.WLS(new - base, np.ones(N), weights=weight).fit(cov_type=covariance, cov_kwds=settings)
    (one,) = compare(table, "mse", weight="w" if weighted else None, **asked).results
    h = asked.get("lags", 0) + 1
    small = math.sqrt(N / (N + 1 - 2 * h + h * (h - 1) / N)) if "lags" in asked else 1.0
    assert one.difference == pytest.approx(fit.params[0], rel=1e-10)
    assert one.standard_error == pytest.approx(fit.bse[0] * small, rel=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_that_lack_labels_count_once_for_each_they_have(table, weighted):
    rng = np.random.default_rng(3)
    label = np.where(rng.random((N, 3)) < 0.3, np.nan, rng.normal(size=(N, 3)))
    label[:, 0] = rng.normal(size=N)
    models = {name: rng.normal(size=(N, 3)) for name in ("base", "new")}
    wide = {f"{name}{place}": part[:, place] for name, part in {"y": label, **models}.items() for place in range(3)}
    weight, user = columns(table, weighted, clustered=True, rows=slice(None))
    prediction = [f"{name}={','.join(f'{name}{place}' for place in range(3))}" for name in models]
    for cluster in (None, "user"):
        (one,) = lossctl.compare(
            {**wide, "w": weight, "user": user},
            "mse",
            label=["y0", "y1", "y2"],
            prediction=prediction,
            mask_null=True,
            weight="w" if weighted else None,
            cluster=cluster,
        ).results
        cells = (~np.isnan(label)).sum(axis=1)
        means = [np.nanmean((part - label) ** 2, axis=1) for part in models.values()]
        (base, moved), (new, more) = (influence(part, weight * cells, "mean") for part in means)
        error = standard_error(more - moved, None if cluster is None else user)
        assert [one.difference, one.standard_error] == pytest.approx([new - base, error], rel=1e-9)


def test_a_cluster_of_each_row_is_none_but_for_degrees_of_freedom(table):
    (alone,) = compare(table, "rmse", weight="w").results
    (single,) = compare({**table, "row": np.arange(N)}, "rmse", weight="w", cluster="row").results
    assert single.standard_error == pytest.approx(alone.standard_error, rel=1e-11)
    assert (single.clusters, single.estimate.freedom) == (N, N - 1)
    assert alone.estimate.freedom == pytest.approx(table["w"].sum() ** 2 / (table["w"] ** 2).sum() - 1)


def test_values_of_eval_have_the_errors_of_clusters(table):
    report = lossctl.evaluate(table, "rmse", label="y", prediction="new", weight="w", cluster="user", ci=0.9)
    (one,) = report.results
    value, moved = influence(losses(table)[1], table["w"], "root-mean")
    error = standard_error(moved, table["user"])
    assert [one.value, one.standard_error] == pytest.approx([value, error], rel=1e-10)
    assert [one.ci_low, one.ci_high] == pytest.approx(stats.t.interval(0.9, 39, value, error), rel=1e-10)


def test_a_mean_that_is_better_on_fewer_rows_is_no_contradiction():
    rows = {"y": [0.0] * 400, "a": [1.0] * 400, "b": [1.01, 1.01, 1.01, 0.5] * 100}
    compared = lossctl.compare(rows, "mae", label="y", prediction=["a", "b"])
    assert compared.sentences[0].endswith("; though on only 25 % of rows.")
    assert (compared.to_dict()["verdict"], compared.to_dict()["exit_code"]) == ("better", 0)


@pytest.mark.parametrize(
    ("share", "words"), [(1.0, "100 %"), (1.0 - 1e-9, "100 %"), (0.9972, "99.7 %"), (0.5, "50 %"), (1e-4, "0.01 %")]
)
def test_a_share_of_nearly_all_rows_is_written_as_one_of_them(table, share, words):
    compared = lossctl.compare(table, "mse", label="y", prediction=["base", "new"])
    compared = replace(compared, results=(replace(compared.results[0], top_share=share),))
    assert re.search(rf" {words}$", str(compared), re.MULTILINE)
