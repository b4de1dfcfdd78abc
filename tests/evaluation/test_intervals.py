"""Confidence intervals where they are asked for, and the mark of the smallest value."""

import csv
import io
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

import lossctl
from lossctl.rendering.renderer import Style, renderers

SOURCE = {
    "y": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
    "p": [0.5, 1.0, 4.0, 3.0, 3.0, 5.5],
    "w": [1.0, 2.0, 0.5, 1.0, 4.0, 1.5],
    "g": ["a", "a", "a", "b", "b", "c"],
}
T = {2: 4.30265272974946385, 5: 2.57058183563631551}
"""Two-sided 95 % points of Student's t, from the incomplete beta function of mpmath."""


def evaluate(loss="mse", **more):
    return lossctl.evaluate(SOURCE, loss, label="y", **{"prediction": "p", "ci": 0.95, **more})


@pytest.mark.parametrize("loss", ["mse", "rmse", "l2"])
def test_an_interval_is_the_value_and_t_standard_errors_on_either_side(loss):
    (result,) = evaluate(loss).results
    for end, sign in ((result.ci_low, -1), (result.ci_high, 1)):
        assert end == pytest.approx(result.value + sign * T[5] * result.standard_error, rel=1e-12)


def test_an_end_beyond_the_doubles_is_infinite_and_nothing_else_is_said():
    """Warnings of NumPy are errors here."""
    table = {"y": [0.0, 0.0], "p": [1.0, 1.7e308]}
    (result,) = lossctl.evaluate(table, "mae", label="y", prediction="p", ci=0.99).results
    assert (result.ci_low, result.ci_high) == (-math.inf, math.inf)


def test_weighted_rows_have_the_degrees_of_freedom_of_their_effective_number():
    stats = pytest.importorskip("scipy.stats")
    (result,) = evaluate(weight="w").results
    loss, weight = (np.subtract(SOURCE["y"], SOURCE["p"])) ** 2, np.array(SOURCE["w"])
    mean = (weight * loss).sum() / weight.sum()
    error = math.sqrt(6 / 5 * (weight**2 * (loss - mean) ** 2).sum()) / weight.sum()
    effective = weight.sum() ** 2 / (weight**2).sum()
    ends = stats.t.interval(0.95, effective - 1, loc=mean, scale=error)
    assert (result.ci_low, result.ci_high) == pytest.approx(ends, rel=1e-10)


def test_without_a_standard_error_the_ends_are_empty_in_every_format():
    report = evaluate(by="g")
    groups = {result.group["g"]: result for result in report.results}
    assert groups["a"].ci_high == pytest.approx(groups["a"].value + T[2] * groups["a"].standard_error, rel=1e-12)
    assert (groups["c"].n, groups["c"].ci_low, groups["c"].ci_high) == (1, None, None)
    assert report.to_dict()["results"][2]["ci_low"] is None
    assert math.isnan(report.to_frame()["ci_low"][2])
    for form, sign in (("csv", ","), ("tsv", "\t")):
        rows = list(csv.DictReader(io.StringIO(renderers.get(form).render(report.document(), Style())), delimiter=sign))
        assert [float(row["ci_low"] or "nan") for row in rows[:2]] == [result.ci_low for result in report.results[:2]]
        assert rows[2]["ci_low"] == rows[2]["ci_high"] == ""
    assert "nan" not in json.dumps(report.to_dict()["results"][0])
    for form in ("table", "plain", "markdown"):
        text = renderers.get(form).render(report.document(), Style())
        assert "ci low" in text
        assert "ci: 95 % interval" in text
        (line,) = [line for line in text.split("\n") if re.search(r"\bc\b", line)]
        assert line.count("nan") == 1  # the standard error


def test_equal_rows_have_an_interval_of_no_width():
    (result,) = lossctl.evaluate({"y": [0.0, 0.0], "p": [2.0, 2.0]}, "mse", label="y", prediction="p", ci=0.5).results
    assert result.ci_low == result.ci_high == result.value == 4.0


def test_nobody_who_did_not_ask_sees_intervals():
    report = evaluate(ci=None)
    for form in {*renderers.names()} - {"junit"}:
        assert not re.search(r"ci[_ ](low|high)|ci:", renderers.get(form).render(report.document(), Style()))
    assert "ci" not in report.settings
    assert "ci_low" not in report.to_frame()


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 1.5, 95, math.nan, math.inf])
def test_a_level_that_is_none_is_refused(level):
    with pytest.raises(lossctl.LossctlError, match="a confidence level is between 0 and 1") as refused:
        evaluate(ci=level)
    assert refused.value.status == 2
    assert ("For 95 % it is 0.95." in str(refused.value)) == (level == 95)


# --- the smallest value ----------------------------------------------------------------------------------------------


def marked(report, form="plain"):
    """The first table's rows whose value is marked, by model and group."""
    table = renderers.get(form).render(report.document(), Style(width=120)).split("\n\n")[0]
    rows = [re.sub("[|│]", " ", line).split() for line in table.split("\n") if re.search(r"\d\*", line)]
    return {tuple(word for word in row if word in {"a", "b", "c", "all", "p", "q", "r"}) for row in rows}


@pytest.mark.parametrize("form", ["table", "plain", "markdown"])
def test_of_several_models_the_smallest_value_is_marked_group_by_group(form):
    source = {**SOURCE, "q": [0.0, 1.0, 2.0, 9.0, 9.0, 5.5], "r": [0.0, 1.0, 2.0, 3.0, 9.0, 5.5]}
    models = ["p", "q", "r"]
    report = lossctl.evaluate(source, "mae", label="y", prediction=models, by="g")
    # a: q and r are perfect; b: p, as of all rows; c: all alike, so none
    assert marked(report, form) == {("q", "a"), ("r", "a"), ("p", "b"), ("p", "all")}
    assert "marked *: the smallest value" in renderers.get(form).render(report.document(), Style())


def test_a_single_model_has_no_mark_and_no_line_about_it():
    text = renderers.get("plain").render(evaluate(["mse", "mae"], by="g").document(), Style())
    assert "*" not in text


def test_what_is_not_a_number_is_never_the_smallest():
    report = evaluate(prediction=["p", "q=w"], ci=None)
    values = {"p": 1.0, "q": math.nan}
    blocks = [block.having(value=np.array([values[block.same("model")]])) for block in report.table.blocks]
    assert marked(replace(report, table=report.table.having(blocks))) == set()
