"""Statistics of a diagnosis are those of SciPy and scikit-learn."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from suspicious import SCALAR, b, binary, changed, named, regression, sigmoid

from lossctl.doctor.diagnose import diagnose
from lossctl.doctor.finding import Case
from lossctl.doctor.statistics import area_under_curve, error_of_area, error_of_correlation, rank_correlation, top_share
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


# --- what is not exact says so ---------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch):
    """Of a file, 256 pairs and 64 different numbers are kept: what there are more of is sampled, or rounded."""
    monkeypatch.setattr("lossctl.inference.facts.PAIRS", 256)
    monkeypatch.setattr("lossctl.sums.distribution.MOST", 64)


def against(y, slope, seed):
    """Predictions whose correlation with normal labels is ``slope``."""
    return slope * y + (1 - slope**2) ** 0.5 * np.random.default_rng((1, seed)).normal(size=len(y))


@pytest.mark.parametrize("seed", range(12))
def test_a_rank_correlation_of_a_sample_is_within_its_standard_errors(few, seed):
    y = np.random.default_rng(100 + seed).normal(size=2000)
    p = against(y, np.linspace(-0.95, 0.95, 12)[seed], seed)
    case = case_of({"y": y, "p": p})
    error = error_of_correlation(case)
    assert error == pytest.approx(1 / 256**0.5)
    assert abs(rank_correlation(case)[0] - stats.spearmanr(y, p).statistic) < 4 * error


@pytest.mark.parametrize(("n", "sample"), [(255, None), (2000, 256)])
def test_a_correlation_says_of_how_many_pairs_it_is(few, n, sample):
    y = np.random.default_rng(n).normal(size=n)
    (found,) = diagnose({"y": y, "p": against(y, -0.9, n)}).to_dict()["findings"]
    assert (found["name"], found["sample"]) == ("inverted", sample)
    assert found["standard_error"] == (None if sample is None else pytest.approx(1 / 16))
    words = " (of a sample of 256 of the different pairs, chosen by their hashes: standard error 0.062)"
    assert (words in found["what"]) is (sample is not None)


@pytest.mark.parametrize("heavy", [0.5, 0.95])
def test_a_sample_that_lacks_what_most_rows_hold_tells_nothing_of_their_order(few, heavy):
    y = np.abs(np.random.default_rng(5).normal(size=5000)) + 1
    y[: int(heavy * len(y))] = 0
    p = np.where(y == 0, 0, 10 - y)  # in reverse, but for zeros, which are lower in both
    assert stats.spearmanr(y, p).statistic > 0.4
    assert "inverted" not in {finding.name for finding in diagnose({"y": y, "p": p}, label="y").findings}


def test_a_sample_is_the_same_for_every_engine(few, tmp_path):
    y = np.random.default_rng(6).normal(size=3000)
    pq.write_table(pa.table({"y": y, "p": against(y, -0.5, 6)}), tmp_path / "rows.parquet", row_group_size=300)
    ways = [("serial", None), ("threads", 1), ("threads", 3), ("processes", 2)]
    first, *others = (diagnose(tmp_path / "rows.parquet", engine=engine, threads=n).to_dict() for engine, n in ways)
    assert first["findings"][0]["sample"] == 256
    assert all(other == first for other in others)


@pytest.mark.parametrize("seed", range(6))
def test_an_area_of_rounded_predictions_is_within_what_it_says(few, seed):
    data = binary(3000, seed)
    data["p"] = 1 - data["p"]
    case = case_of(data)
    (area, _), error = area_under_curve(case), error_of_area(case)
    assert 0 < error < 0.05
    assert abs(area - roc_auc_score(data["y"], data["p"])) <= error
    (found,) = [finding for finding in diagnose(data).findings if finding.name == "inverted"]
    assert f" (within {error:.1g}: the predictions are rounded, there are so many)" in found.what


def test_the_ends_of_many_probabilities_are_exact(few):
    data = binary(3000)
    data["p"][:30], data["p"][30:50] = 0, 1
    found = diagnose(data)
    (role,) = [role for role in found.roles if role.role == "prediction"]
    assert found.models[0].task == "binary classification"
    assert (role.low, role.high, role.zeros, role.ones) == (0, 1, 0.01, 20 / 3000)
    assert (role.distinct, role.integers) == (None, None)


def test_shares_of_losses_that_were_rounded_are_about_so_much(few):
    data = regression(2000)
    data["p"][:10] += 1e6
    (found,) = [finding for finding in diagnose(data).findings if finding.name == "heavy-tail"]
    assert "carry about 100 %" in found.what
    assert f"the largest error is {np.abs(data['p'] - data['y']).max():,.0f}, the median about " in found.what


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


def test_doctor_prints_the_area_under_the_curve_of_binary_tasks_and_the_rank_correlation_of_numbers():
    yes_no, number = binary(300), changed(regression(300), w=np.arange(300.0) + 1)
    told = diagnose(yes_no, label="y", prediction="p")
    area = roc_auc_score(yes_no["y"], yes_no["p"])
    assert told.to_dict()["models"][0]["ranks"]["area_under_curve"] == pytest.approx(area, rel=1e-12)
    assert f"area under the ROC curve {area:.6g}\n" in str(told)
    told = diagnose(number, label="y", prediction="p", weight="w")
    correlation = stats.spearmanr(number["y"], number["p"]).statistic
    assert told.to_dict()["models"][0]["ranks"]["rank_correlation"] == pytest.approx(correlation, rel=1e-12)
    assert f"rank correlation {correlation:.6g}, each row once" in str(told)


def test_what_is_no_exact_figure_of_ranks_says_how_far_it_may_be_off():
    rng = np.random.default_rng(4)
    y = rng.normal(size=140_000)
    p = y + rng.normal(size=len(y))
    (ranked,) = (model.ranks for model in diagnose({"y": y, "p": p}, label="y", prediction="p").models)
    assert 0 < abs(ranked.rank_correlation - stats.spearmanr(y, p).statistic) < 4 * ranked.standard_error
    yes = (y > 0).astype(float)
    told = diagnose({"y": yes, "p": sigmoid(p)}, label="y", prediction="p")
    area = told.models[0].ranks
    assert 0 < area.area_within < 1e-3
    assert abs(area.area_under_curve - roc_auc_score(yes, p)) <= area.area_within
    assert "of a sample of" in str(diagnose({"y": y, "p": p}, label="y", prediction="p"))
    assert "the predictions are rounded" in str(told)


def test_a_figure_of_ranks_says_which_predictions_it_leaves_out():
    data = changed(regression(50), p=np.r_[np.inf, regression(50)["p"][1:]])
    assert "without 1 infinite prediction" in str(diagnose(data, label="y", prediction="p"))


@pytest.mark.parametrize(
    ("kind", "power"),
    [("float64", power) for power in (-1000, -300, -60, 60, 600, 1000)]
    + [("float32", power) for power in (-120, -26, 100)],
)
def test_the_unit_that_numbers_are_in_changes_nothing_that_is_said(kind, power):
    """Of small numbers none is taken for a rounded 0, and squares of large ones are not beyond the doubles."""
    rng = np.random.default_rng(0)
    label = rng.normal(size=500)
    prediction = label + 0.5 * rng.normal(size=500)
    prediction[:5] *= 300.0

    def said(power):
        columns = {"y": label, "p": prediction}
        table = {name: np.ldexp(values.astype(kind), power) for name, values in columns.items()}
        told = diagnose(table, label="y", prediction="p").to_dict()
        roles = [(role["distinct"], role["zeros"], role["ones"]) for role in told["roles"]]
        statistics = told["models"][0].get("rank_correlation")
        return roles, statistics, [finding["name"] for finding in told["findings"]], told["runs"]

    assert said(power) == said(0)


@pytest.mark.parametrize(
    "label", [np.arange(300.0) % 3, np.linspace(0.1, 2.0, 300), np.resize([-1e308, 0.0, 1e308], 300)]
)
@pytest.mark.parametrize("most", [1e155, 1.7e308])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_diagnosis_of_numbers_near_the_end_of_doubles_says_nothing_but_what_it_found(label, most, sign):
    """Warnings of NumPy are errors here."""
    prediction = np.abs(label) + 0.1
    prediction[::3] = sign * most
    diagnose({"y": label, "p": prediction}, label="y", prediction="p")
