"""Statistics of a diagnosis are those of SciPy and scikit-learn."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from suspicious import SCALAR, b, binary, changed, named, regression

from lossctl.doctor.diagnose import diagnose
from lossctl.doctor.finding import Case
from lossctl.doctor.statistics import area_under_curve, rank_correlation, top_share
from lossctl.errors import DataError, UsageError
from lossctl.inference.facts import IDS
from lossctl.sums.distribution import Distribution
from lossctl.sums.sketch import Sketch


def case_of(data, *arguments):
    """The facts of one small data set."""
    from functools import partial

    from lossctl.evaluation.fold import fold
    from lossctl.evaluation.running import SERIAL
    from lossctl.inference.facts import no_facts
    from lossctl.inference.fit import fit
    from lossctl.inference.gather import gather
    from lossctl.inference.request import Request
    from lossctl.inference.suitable import readable_layout
    from lossctl.reading.files import open_source

    source = open_source(data)
    layout = readable_layout(source, Request((), ("y",), ("p",)))
    facts = fold(source, layout.wanted(), partial(gather, layout), no_facts(layout), SERIAL).total
    return Case(facts, layout, 0, fit(facts, layout, 0))


def test_the_area_under_the_curve_is_that_of_scikit_learn():
    data = changed(binary(500), p=np.round(binary(500)["p"], 1))  # with ties
    area, z = area_under_curve(case_of(data))
    assert area == pytest.approx(roc_auc_score(data["y"], data["p"]), rel=1e-12)
    ranked = stats.mannwhitneyu(data["p"][data["y"] == 1], data["p"][data["y"] == 0], use_continuity=False)
    assert z == pytest.approx(abs(stats.norm.isf(ranked.pvalue / 2)), rel=0.05)  # which corrects for ties


def test_the_rank_correlation_is_that_of_scipy():
    data = changed(regression(500), p=np.round(regression(500)["p"]))
    found, _ = rank_correlation(case_of(data))
    assert found == pytest.approx(stats.spearmanr(data["y"], data["p"]).statistic, rel=1e-12)


def test_the_rank_correlation_of_many_rows_is_estimated_from_a_sample():
    rng = np.random.default_rng(3)
    y = rng.normal(size=100_000)
    data = {"y": y, "p": y + rng.normal(size=len(y))}
    found, _ = rank_correlation(case_of(data))
    assert found == pytest.approx(stats.spearmanr(data["y"], data["p"]).statistic, abs=0.05)


@pytest.mark.parametrize("n", [1, 50, 100, 101, 1000])
def test_the_top_share_is_that_of_the_sorted_rows(n):
    losses = np.random.default_rng(n).exponential(size=n) ** 3
    kept = Distribution.of(losses)
    top = np.sort(losses)[::-1][: math.ceil(0.01 * n)]
    assert top_share(kept.values, kept.counts) == pytest.approx(top.sum() / losses.sum(), rel=1e-12)


def test_an_outlier_alone_does_not_invert_a_model(doctor):
    data = regression()
    data["p"][0], data["y"][0] = 1e9, -1e9
    assert np.corrcoef(data["y"], data["p"])[0, 1] < -0.9
    assert "inverted" not in named(doctor(data, *SCALAR))


def test_ids_beyond_the_bound_are_a_sample_and_it_is_said(monkeypatch):
    small = 100
    assert small < IDS
    for module in ("inference.facts", "inference.gather"):
        monkeypatch.setattr(f"lossctl.{module}.IDS", small)
    monkeypatch.setattr(
        "lossctl.inference.facts.NOBODY", Sketch.of(small, np.empty(0, np.uint64), np.empty(0, np.int64))
    )
    data = changed(regression(1000), id=np.arange(1000))
    assert {it.name for it in diagnose(data).findings} == {"ids-not-all-checked"}
    data["id"] = np.arange(1000) // 2
    (found,) = diagnose(data).findings
    assert found.name == "duplicate-ids"
    assert "sample of 100 ids" in found.what


def test_the_library_takes_what_evaluate_takes():
    found = diagnose({"label": b["y"], "prediction": b["p"]})
    assert found.models[0].task == "binary classification"
    assert not found.suspicious
    assert found.commands == ("lossctl eval -y label -p prediction -l bce",)
    with pytest.raises(UsageError):
        diagnose({"label": b["y"], "prediction": b["p"]}, engine="nosuch")
    with pytest.raises(DataError):
        diagnose({"label": [], "prediction": []})
