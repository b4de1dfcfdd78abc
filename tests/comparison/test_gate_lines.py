"""Gates pass only of numbers that they were held against, and their lines say what decided them."""

import re

import numpy as np
import pytest

from lossctl import check_gates
from lossctl.rendering.renderer import Style, renderers


def only_of(gate, data, **asked):
    (one,) = check_gates({"name": "g", **gate}, data, **asked).to_dict()["gates"]
    return one


@pytest.mark.parametrize("fail_if", ["proven", "point"])
@pytest.mark.parametrize("pass_if", ["not failed", "proven"])
@pytest.mark.parametrize(
    ("label", "loss", "skill"),
    [
        ([-1e160, 1e160, 0.0, 0.0], "mse", 0.5),  # the mean square of the labels is beyond the doubles
        ([-1e160, 1e160, 0.0, 0.0], "mse", 1.0),
        ([1.0, 1.0, 1.0, 1.0], "mse", 0.5),  # a constant is as good as it gets
        ([1e-170, -1e-170, 0.0, 0.0], "mse", 0.5),
        ([0.0, 1.0, 2.0, 3.0], "poisson", 0.1),  # there is no 0 to count from
    ],
)
def test_what_has_no_skill_never_passes_a_gate_on_skill(label, loss, skill, fail_if, pass_if):
    data = {"label": label, "prediction": np.abs(label) + 1.0}
    one = only_of({"loss": loss, "min_skill": skill, "fail_if": fail_if, "pass_if": pass_if}, data)
    assert (one["verdict"], one["exit_code"]) == ("error", 3)
    assert "nan" not in one["line"]


@pytest.mark.parametrize("pass_if", ["not failed", "proven"])
@pytest.mark.parametrize("fail_if", ["proven", "point"])
@pytest.mark.parametrize("limit", [0, 0.25, "0%", "5%"])
@pytest.mark.parametrize("prediction", [[1.0, 2.0, 3.0, 4.0], [2.0], [1.0, 1e200]])
def test_a_line_about_the_same_predictions_says_that_nothing_changed(prediction, limit, fail_if, pass_if):
    data = {"label": np.zeros(len(prediction)), "a": prediction, "b": list(prediction)}
    gate = {"loss": "mse", "max_increase": limit, "fail_if": fail_if, "pass_if": pass_if}
    one = only_of(gate, data, prediction=["a", "b"])
    assert one["verdict"] == "pass"
    assert "= 0" in one["line"]
    assert "nan" not in one["line"]
    bound = re.search(r"at (?:most|least) (\S+) <=", one["line"])
    assert bound is None or float(bound[1]) == 0.0


@pytest.mark.parametrize("limit", [0, "0%"])
@pytest.mark.parametrize("fail_if", ["proven", "point"])
def test_a_line_says_the_change_of_which_neither_value_shows_a_digit(limit, fail_if):
    # changes 0, 1, 1, 2 beside a loss of 1e20: their mean is 1, its standard error √(2/3)/2, and t₀.₉₅ of 3 is 2.3534
    data = {"label": np.zeros(4), "a": [1e20, 1.0, 2.0, 3.0], "b": [1e20, 2.0, 3.0, 5.0]}
    one = only_of({"loss": "mae", "max_increase": limit, "fail_if": fail_if}, data, prediction=["a", "b"])
    assert one["verdict"] == "fail"
    assert "= +1.00" in one["line"]
    assert fail_if == "point" or "at least +0.04 > 0" in one["line"]


def test_a_group_of_nulls_is_called_so_where_it_is_missing():
    data = {"label": [1.0, 2.0], "prediction": [1.0, 1.0], "kind": np.array(["a", None], dtype=object)}
    one = only_of({"loss": "mse", "max": 9, "by": "kind", "only": {"kind": "c"}}, data)
    assert one["verdict"] == "error"
    assert "None" not in one["line"]


@pytest.mark.parametrize("claim", [{"max": 9}, {"max_increase": 1}, {"min_n": 1}, {"min_skill": -9.0}])
def test_before_groups_stands_what_all_rows_come_to_and_decides_nothing(claim):
    rows = {"y": [0.0, 2.0] * 20, "a": [0.5, 1.5] * 20, "b": [0.6, 1.8] * 20, "kind": [*["all"] * 20, *"xxyy" * 5]}
    gate = {"name": "it: is", "loss": "mse", "model": "b", **claim}
    asked = {"label": "y", "prediction": ["a", "b"]}
    (alone,) = check_gates(gate, rows, **asked).to_dict()["gates"]
    record = check_gates({**gate, "by": "kind"}, rows, **asked)
    (whole,) = record.to_dict()["overall"]
    assert [one["group"] for one in record.to_dict()["gates"]] == [{"kind": word} for word in ("all", "x", "y")]
    assert {name: whole[name] for name in ("n", "value", "baseline")} == {
        name: alone[name] for name in ("n", "value", "baseline")
    }
    assert (whole["verdict"], whole["exit_code"], whole["group"]) == ("info", 0, {})
    text = renderers.get("plain").render(record.document(), Style()).splitlines()
    assert [line.split("]")[0] for line in text] == [
        "INFO it: is [(all)",
        "PASS it: is [all",
        "PASS it: is [x",
        "PASS it: is [y",
    ]
    assert [one.name for one in record.outcomes] == ["it: is [all]", "it: is [x]", "it: is [y]"]
    assert not check_gates({**gate, "by": "kind", "only": {"kind": "x"}}, rows, **asked).overall


CLAIMS = {
    "max": lambda one: {"max": one["value"]},
    "increase": lambda one: {"max_increase": one["value"] - one["baseline"]},
    "percent": lambda one: {"max_increase": f"{100 * (one['value'] / one['baseline'] - 1)}%"},
    "skill": lambda one: {"min_skill": 1 - one["value"] / one["constant_loss"]},
}


@pytest.mark.parametrize(("kind", "size"), [*((kind, 0.3) for kind in CLAIMS), ("max", -0.3), ("percent", -0.3)])
def test_a_pass_above_the_limit_says_so_in_every_format_and_what_would_make_more_of_it(kind, size):
    random = np.random.default_rng(16)
    y = random.normal(size=400)
    rows = {"y": y, "a": y + random.normal(size=400), "b": 0.9 * y + random.normal(size=400)}
    asked = {"label": "y", "prediction": ["a", "b"]}
    base = {"loss": "mse", "model": "b"}
    loose = {"max": 9.0} if kind == "max" else {"min_skill": -9.0} if kind == "skill" else {"max_increase": 9.0}
    one = only_of({**base, **loose}, rows, **asked)
    error = only_of({**base, **CLAIMS[kind](one)}, rows, **asked)["standard_error"]
    gate = {**base, **CLAIMS[kind]({**one, "value": one["value"] - size * error})}
    checked = check_gates({"name": "g", **gate}, rows, **asked)
    (told,) = checked.to_dict()["gates"]
    assert (told["verdict"], told["claim"] > told["claim_limit"]) == ("pass", size > 0)
    above = "above" in told["line"]
    assert above == (size > 0) == ("pass_if" in told["line"]) == ("not proven" in told["reason"])
    for form in ("markdown", "json", "csv", "junit", "github") if kind == "percent" else ("plain",):
        text = " ".join(renderers.get(form).render(checked.document(), Style(width=80)).split())
        assert ("but not proven" in text) == above, form
        assert ("pass_if =" in text.replace("&quot;", '"')) == above, form
    assert only_of({**gate, "pass_if": "proven"}, rows, **asked)["verdict"] == "inconclusive"
    assert only_of({**gate, "fail_if": "point"}, rows, **asked)["verdict"] == ("fail" if above else "pass")
