"""Doctor knows what columns are together: quantiles, ensembles, several labels, rankings."""

import json
import shlex
import subprocess
import sys

import numpy as np
import pytest
from suspicious import binary, changed, classes, regression
from waiting import HANGS

from lossctl import diagnose

rng = np.random.default_rng(7)
N = 200
LEVEL = rng.normal(10, 3, N)
Y = LEVEL + rng.normal(size=N)


def told(data, name, **asked):
    """What doctor says under a name."""
    return [finding for finding in diagnose(data, **asked).findings if finding.name == name]


@pytest.mark.parametrize("names", [("q0.1", "q0.5", "q0.9"), ("p10", "p50", "p90"), ("y_q0.1", "y_q0.5", "y_q0.9")])
@pytest.mark.parametrize("crossing", [0, 1, 5])
def test_quantiles_are_said_with_their_coverage_and_how_often_they_cross(names, crossing):
    values = np.column_stack([LEVEL - 1.28, LEVEL, LEVEL + 1.28])
    values[:crossing, 2] = values[:crossing, 0] - 1
    (finding,) = told({"y": Y, **dict(zip(names, values.T, strict=True))}, "quantiles")
    covered = [100 * np.mean(column >= Y) for column in values.T]
    assert ", ".join(f"{share:.3g} %" for share in covered) in finding.what
    assert (f"they cross in {crossing} row" if crossing else "they do not cross") in finding.what
    assert finding.severity == ("warning" if crossing else "note")


@pytest.mark.parametrize("models", [("p10,p90",), ("p10,p50,p90",), ("a-lo-80,a-hi-80", "b-lo-80,b-hi-80")])
def test_the_coverage_of_forecasts_that_are_named_is_that_of_their_columns(models):
    names = ["p5", "p10", "p50", "p90", "p95", "a-lo-80", "a-hi-80", "b-lo-80", "b-hi-80"]
    shifts = dict(zip(names, (-4.0, -1.28, 0.0, 1.28, 4.0, -1.0, 1.0, -2.0, 2.0), strict=True))
    data = {"y": Y, **{name: LEVEL + shift for name, shift in shifts.items()}}
    findings = diagnose(data, label="y", prediction=[*models]).findings
    said = [finding.what for finding in findings if finding.name in {"quantiles", "interval"}]
    assert len(said) == len(models)
    for model, what in zip(models, said, strict=True):
        low, *_, high = (LEVEL + shifts[name] for name in model.split(","))
        assert f"{100 * np.mean((low <= Y) & (high >= Y)):.3g} %" in what


def test_the_median_of_quantiles_is_proposed_and_runs(lossctl, tmp_path):
    path = tmp_path / "rows.csv"
    rows = zip(Y, LEVEL - 1, LEVEL, LEVEL + 1, strict=True)
    path.write_text("y,p10,p50,p90\n" + "".join(",".join(map(repr, map(float, row))) + "\n" for row in rows))
    median, every = lossctl("doctor", path, "--json").json["commands"]
    assert median.endswith("-y y -p p50 -l mae")
    assert every.endswith("-y y -p 'p*' -l quantiles")
    for command in (median, every):
        assert lossctl(*shlex.split(command)[1:]).status == 0


@pytest.mark.parametrize("asked", [{}, {"label": "y", "prediction": ["member_1", "member_2", "member_3"]}])
def test_members_of_an_ensemble_are_noted_and_features_are_not(asked):
    members = {f"member_{place}": LEVEL + rng.normal(0, 0.3, N) for place in (1, 2, 3)}
    (finding,) = told({"y": Y, **members}, "ensemble", **asked)
    assert "member_1, member_2, member_3" in finding.what
    assert "not computed" in finding.advice
    features = {f"x_{place}": rng.normal(size=N) for place in (1, 2, 3)}
    assert not told({"y": Y, **features}, "ensemble")


@pytest.mark.parametrize("crossing", [0, 3])
def test_an_interval_is_said_with_its_coverage_and_mean_width(crossing):
    low, high = LEVEL - 1.5, LEVEL + 1.5
    low[:crossing], high[:crossing] = high[:crossing], low[:crossing].copy()
    (finding,) = told({"y": Y, "lower": low, "upper": high}, "interval", label="y", prediction="lower,upper")
    held = 100 * np.mean((low <= Y) & (high >= Y))
    assert f"{held:.3g} % of the labels are in it, its mean width is {np.mean(high - low):.4g}" in finding.what
    assert (f"they cross in {crossing} rows" in finding.what) == bool(crossing)
    assert finding.severity == ("warning" if crossing else "note")


@pytest.mark.parametrize("name", ["y-{}-{}", "{}{}", "y_{}_ci_{}", "ci_{1}_{0}", "AutoETS_{}{}"])
@pytest.mark.parametrize("percent", [50, 80, 99])
def test_an_interval_is_held_against_the_percent_of_its_names_wherever_that_is_said(name, percent):
    lower, upper = (name.format(end, percent) for end in ("lo", "hi"))
    data = {"y": Y, lower: LEVEL - 1, upper: LEVEL + 1}
    alpha = f"-l interval:alpha={(100 - percent) / 100:g}"
    said = diagnose(data, label="y", prediction=f"{lower},{upper}", command=("f.csv",))
    assert [line.endswith(alpha) for line in said.commands] == [True]
    (finding,) = (each for each in said.findings if each.name == "interval")
    assert f"that share with {percent} %" in finding.advice
    assert finding.advice.endswith(f"{alpha}.")


@pytest.mark.parametrize("names", ["yhat_lower yhat_upper", "mean_ci_lower mean_ci_upper", "lo hi", "ci_low ci_high"])
def test_of_an_interval_whose_names_say_no_percent_none_is_claimed(names):
    lower, upper = names.split()
    data = {"y": Y, lower: LEVEL - 1, upper: LEVEL + 1}
    (finding,) = told(data, "interval", label="y", prediction=f"{lower},{upper}")
    assert "their names do not say" in finding.advice
    assert ("Prophet's default is 80 %" in finding.advice) == ("yhat" in lower)
    assert "90 %" not in finding.advice
    assert finding.advice.endswith("-l interval:alpha=…")


@pytest.mark.parametrize(
    ("names", "loss"),
    [
        (("mu", "sigma"), "crps_gaussian,gaussian_nll:scale=std"),
        (("y_var", "y_pred"), "gaussian_nll"),
        (("q10", "q90"), "quantiles"),
        (("y-lo-80", "y-hi-80"), "interval:alpha=0.2"),
        (("m_1", "m_2", "m_3"), "crps_ensemble"),
    ],
)
def test_forecasts_of_several_numbers_are_proposed_and_run(names, loss, lossctl, tmp_path):
    columns = [LEVEL + 0.1 * place - 0.3 for place in range(len(names))]
    columns = [
        np.full(N, 1.5) if name in {"sigma", "y_var"} else column for name, column in zip(names, columns, strict=True)
    ]
    path = tmp_path / "rows.csv"
    np.savetxt(path, np.column_stack([Y, *columns]), delimiter=",", header=",".join(("y", *names)), comments="")
    asked = ("-y", "y", "-p", ",".join(names))
    said = lossctl("doctor", path, *asked, "--json").json
    command = f"lossctl eval {path} -y y -p {','.join(names)} -l {loss}"
    assert said["commands"][-1] == command
    assert len(said["commands"]) == 1 + (loss == "crps_ensemble")  # which may be models beside each other
    assert loss == "crps_ensemble" or not [each for each in said["findings"] if each["severity"] != "note"]
    chosen = lossctl("eval", path, *asked)
    assert (chosen.status == 2) == (loss == "crps_ensemble"), chosen.err
    assert lossctl(*command.split()[1:]).status == 0


@pytest.mark.parametrize(
    ("names", "loss"), [(("mu", "sigma"), "crps_gaussian"), (("yhat_lower", "yhat_upper"), "interval:alpha=0.1")]
)
def test_a_pair_that_is_named_for_a_forecast_is_proposed_where_nobody_names_it(names, loss, lossctl, tmp_path):
    path = tmp_path / "rows.csv"
    columns = np.column_stack([Y, LEVEL, LEVEL + 1])
    np.savetxt(path, columns, delimiter=",", header=",".join(("y", *names)), comments="")
    asked = lossctl("eval", path)
    assert asked.status == 2
    assert f"the prediction could be {','.join(names)}, by their names" in asked.err
    line = next(line for line in asked.err.splitlines() if f" -l {loss}" in line)
    assert lossctl(*shlex.split(line)[1:]).status == 0


def test_labels_beside_each_other_are_told_with_their_base_rates():
    yes = (rng.random((N, 2)) < (0.1, 0.7)).astype(float)
    data = {"y_a": yes[:, 0], "y_b": yes[:, 1], "p_a": rng.random(N), "p_b": rng.random(N)}
    (finding,) = told(data, "base-rates", label="y_*", prediction="p_*")
    rates = yes.mean(axis=0)
    assert f"y_a {rates[0]:.3g}, y_b {rates[1]:.3g}" in finding.what


@pytest.mark.parametrize("name", ["qid", "query_id", "Query ID"])
def test_a_ranking_is_said_to_be_none_that_is_measured(name):
    data = {name: np.arange(N) // 10, "relevance": rng.integers(0, 5, N), "score": rng.normal(size=N)}
    for asked in ({}, {"label": "relevance", "prediction": "score"}):
        (finding,) = told(data, "ranking", **asked)
        assert "0 to 4" in finding.what
        assert "not measured" in finding.advice


@pytest.mark.parametrize(
    "data",
    [binary(), regression(), classes(), changed(classes(), qid=np.arange(N))],
    ids=["binary", "regression", "classes", "qid"],
)
def test_what_is_nothing_of_the_kind_is_not_said_to_be(data):
    names = {finding.name for finding in diagnose(data).findings}
    assert not names & {"quantiles", "ensemble", "base-rates", "ranking"}


def test_a_sample_says_of_how_many_rows_it_is():
    n = 70_000
    level = rng.normal(size=n)
    (finding,) = told({"y": level, "q0.1": level - 1, "q0.5": level, "q0.9": level + 1}, "quantiles")
    assert "rows looked at)" in finding.what


def test_numbers_of_a_regression_are_no_classes_and_columns_named_for_them_are():
    label = rng.choice([1.0, 5.0, 9.0], N)
    (model,) = diagnose({"y": label, "p": label + rng.normal(size=N)}).models
    assert "regression" in model.task
    scores = rng.random((N, 3)) + (label[:, None] == np.array([1.0, 5.0, 9.0]))
    named = dict(zip(["p_1", "p_5", "p_9"], (scores / scores.sum(axis=1, keepdims=True)).T, strict=True))
    (model,) = diagnose({"y": label, **named}).models
    assert model.task == "multi-class classification"


@pytest.mark.parametrize("words", [["doctor"], ["eval", "-y", "y", "-p", "m_1"]], ids=" ".join)
def test_a_long_pipe_is_looked_at_before_the_pass(words):
    level = rng.random(100_000).round(4).tolist()
    text = "y,m_1,m_2,m_3\n" + "".join(f"{a},{a},{a},{a}\n" for a in level)
    command = [sys.executable, "-m", "lossctl", *words, "-f", "json"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=HANGS)
    assert done.returncode == 0, done.stderr
    if words == ["doctor"]:
        assert "ensemble" in [finding["name"] for finding in json.loads(done.stdout)["findings"]]


def test_quantiles_that_are_recognised_are_no_error():
    columns = {"y": Y, "q0.1": LEVEL - 1.3, "q0.5": LEVEL, "q0.9": LEVEL + 1.3}
    names = [finding.name for finding in diagnose(columns).findings]
    assert "quantiles" in names
    assert "columns-not-recognised" not in names


def test_nulls_of_each_column_are_counted_once_over_all_models_and_labels_of_0_are_said_once():
    label, models = np.where(np.arange(N) % 4, Y, 0.0), {name: Y + rng.normal(size=N) for name in "abc"}
    label[:5], models["b"][3:9] = np.nan, np.nan
    said = diagnose({"y": label, **models}, "mape", label="y", prediction=[*models]).findings
    (nulls,) = (finding for finding in said if finding.name == "nulls")
    assert nulls.what == f"null or NaN: 'y' in {100 * 5 / N:g} %, 'b' in {100 * 6 / N:g} % of the rows"
    assert (nulls.count, nulls.row, nulls.model) == (9, 1, "")
    (zeros,) = (finding for finding in said if finding.name == "zero-labels")
    assert zeros.count == np.sum(label == 0) - 1  # the ninth row has a null as well
    assert "--loss wmape" in zeros.advice


@pytest.mark.parametrize("asked", ["doctor", "eval"])
def test_a_percentage_of_labels_of_which_some_are_0_names_what_is_defined(asked, lossctl, tmp_path):
    path = tmp_path / "rows.csv"
    label = np.where(np.arange(N) % 4, 10.0, 0.0)
    np.savetxt(path, np.column_stack([label, label + 1]), delimiter=",", header="y,pred", comments="")
    said = lossctl(asked, path, "-l", "mape")
    text = " ".join((said.out + said.err).split())
    for loss, value in (("mape:zero=max1", 75 * 0.1 + 25), ("wmape", 100 / 7.5)):
        assert f"--loss {loss}" in text
        (result,) = lossctl("eval", path, "-l", loss, "--format", "json").json["results"]
        assert result["value"] == pytest.approx(value)
