"""Quantiles that stand below each other are refused, and what is said puts them beside each other."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import DataError, LossctlError, Undecided

LEVELS = {"thirds": (0.1, 0.5, 0.9), "two": (0.25, 0.75), "percent": (10.0, 50.0, 90.0), "many": (0.05, 0.2, 0.5, 0.95)}


def stacked(levels, names, models=("a",), n=40, seed=0):
    """Rows of a level each, and the mean quantile loss of all levels and models."""
    rng = np.random.default_rng(seed)
    label = rng.normal(100, 20, n).round(1)
    rows, losses = [], []
    for model in models:
        for level in levels:
            guess = (label + rng.normal(0, 5, n) + 30 * (level / (100 if level > 1 else 1) - 0.5)).round(1)
            tau, error = level / (100 if level > 1 else 1), label - guess
            losses.append(np.maximum(tau * error, (tau - 1) * error).mean())
            times = [f"2024-01-01 {hour // 4:02}:{15 * (hour % 4):02}" for hour in range(n)]
            rows.append(
                pd.DataFrame({"time": times, names[0]: label, "model": model, names[1]: level, names[2]: guess})
            )
    return pd.concat(rows, ignore_index=True), float(np.mean(losses))


@settings(max_examples=5)
@given(
    st.sampled_from([*LEVELS]),
    st.sampled_from([("load", "quantile", "value"), ("y", "tau", "prediction"), ("sales", "percentile", "yhat")]),
    st.sampled_from([("a",), ("a", "b")]),
    st.sampled_from([{}, {"label": 0}, {"label": 0, "prediction": 2}, {"loss": "mae"}]),
    st.randoms(use_true_random=False),
)
def test_they_are_refused_and_the_line_that_is_said_measures_them(kind, names, models, asked, random):
    d, expected = stacked(LEVELS[kind], names, models)
    d = d[random.sample([*d], len(d.columns))].sample(frac=1, random_state=1)
    named = {role: names[place] for role, place in asked.items() if role != "loss"}
    with pytest.raises(Undecided, match="quantiles one below the other") as question:
        lossctl.evaluate(d, asked.get("loss"), **named)
    assert not question.value.ways
    program = re.search(r"in pandas (d\.pivot.*?), then (.*)\.$", question.value.hint)
    beside = eval(program[1], {"d": d})
    way = {name: value for name, value in re.findall(r"(\w+)='(.*?)'", program[2]) if name != "by"}
    assert lossctl.evaluate(beside, **way).value == pytest.approx(expected)


def test_labels_elsewhere_do_not_hide_them_and_levels_that_are_chosen_are_measured(tmp_path):
    d, _ = stacked(LEVELS["thirds"], ("load", "quantile", "value"))
    with pytest.raises(LossctlError, match="one below the other"):
        lossctl.evaluate(d.drop(columns="load"), None, labels=d[["time", "load"]].drop_duplicates())
    d.to_csv(tmp_path / "d.csv", index=False)
    with pytest.raises(LossctlError, match="one below the other") as told:
        lossctl.compare(tmp_path / "d.csv", None)
    assert "pivot" in told.value.hint
    for options in ({"where": "quantile == 0.5"}, {"by": "quantile"}):
        report = lossctl.evaluate(d, "mae", label="load", prediction="value", **options)
        near = d[d["quantile"] == 0.5]
        assert np.mean(abs(near["load"] - near["value"])) in [pytest.approx(each.value) for each in report.results]


def test_where_no_key_matches_that_is_said_before_what_is_open_of_the_columns():
    d, _ = stacked((0.1,), ("load", "quantile", "value"))
    quantiles = pd.DataFrame({"time": d["time"], "0.1": d["value"] - 9, "0.5": d["value"], "0.9": d["value"] + 9})
    labels = d[["time", "load"]]
    with pytest.raises(Undecided, match="look like quantiles") as question:
        lossctl.evaluate(quantiles, None, labels=labels)
    assert [dict(way)["loss"] for way in question.value.ways] == ["mae", "quantiles"]
    for join in ("strict", "inner"):
        with pytest.raises(DataError, match=r"have no label|has a label"):
            lossctl.evaluate(quantiles, None, labels=labels.assign(time="x" + labels["time"]), ids="time", join=join)


@settings(max_examples=6)
@given(st.sampled_from(["level", "q", "tau"]), st.sampled_from([2, 3, 5]), st.booleans(), st.integers(0, 99))
def test_numbers_from_0_to_1_of_each_row_are_no_levels(name, k, yes_or_no, seed):
    rng = np.random.default_rng(seed)
    grid = rng.permutation(np.arange(60 * k) % k) / 10 + 0.2
    label = (rng.random(60 * k) < grid) * 1.0 if yes_or_no else 100 * grid + rng.normal(0, 5, 60 * k)
    guess = np.clip(grid + rng.normal(0, 0.1, 60 * k), 0, 1) if yes_or_no else label + rng.normal(0, 5, 60 * k)
    assert lossctl.evaluate({"y": label, name: grid, "p": guess}, None, label="y", prediction="p").results
    if name != "level" and yes_or_no:
        assert lossctl.evaluate({"y": label, name: grid}, "bce", label="y").results
