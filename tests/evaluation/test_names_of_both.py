"""A column of the labels whose name the predictions have too is named as every screen calls it."""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import write_lines

import lossctl as library

ROWS = {"a": (0.25, 0, "x", "u"), "b": (0.5, 1, "y", "u"), "c": (0.75, 1, "x", "v"), "d": (0.5, 0, "y", "v")}
"""Of each id the prediction and, of the labels, the label, a segment and a user; the errors are 1/4, 1/2, 1/4, 1/2."""


@settings(max_examples=3)
@given(
    turned=st.permutations([*ROWS]),
    names=st.sampled_from([("target", "segment", "user"), ("y", "g", "c"), ("out.y", "a b", "k,m")]),
)
def test_it_plays_every_role_by_that_name(turned, names):
    target, segment, user = names
    predictions = {"id": [*ROWS], target: [row[0] for row in ROWS.values()], segment: ["-"] * 4, user: ["-"] * 4}
    columns = zip(*(ROWS[key] for key in turned), strict=True)
    labels = {"id": turned, **dict(zip(["rest", target, segment, user], columns, strict=True))}
    asked = {"labels": labels, "label": f"{target} (labels)", "prediction": target, "loss": "mae"}
    for name, groups in ((target, {"0": 0.375, "1": 0.375}), (segment, {"x": 0.25, "y": 0.5})):
        report = library.evaluate(predictions, **asked, by=f"{name} (labels)", cluster=f"{user} (labels)")
        assert {result.group[f"{name} (labels)"]: result.value for result in report.results} == groups
    chosen = library.evaluate(predictions, **asked, where=f"`{segment} (labels)` == 'y'")
    assert (chosen.results[0].n, chosen.value) == (2, 0.5)
    weighted = library.evaluate(predictions, **asked, weight=f"{target} (labels)")
    assert weighted.value == 0.375


@pytest.mark.parametrize("unit", ["", ":2"])
def test_a_group_that_is_the_label_there_and_the_prediction_here_is_asked_about(lossctl, tmp_path, unit):
    files = [
        write_lines(tmp_path / "submission.csv", "id,target", "a,0.25", "b,0.5", "c,0.75", "d,0.5"),
        "--labels",
        write_lines(tmp_path / "solution.csv", "id,target", "d,0", "c,1", "b,1", "a,0"),
    ]
    done = lossctl("eval", *files, "-l", "mae", "--by", f"target{unit}", "-q")
    assert (done.status, done.out) == (2, "")
    lines = [shlex.split(line)[1:] for line in done.err.splitlines() if line.startswith("  lossctl")]
    assert [line[-2:] for line in lines] == [["--by", f"target (labels){unit}"], ["--by", f"#2{unit}"]]
    counts = [sorted(one["n"] for one in lossctl(*line, "-f", "json").json["results"]) for line in lines]
    assert counts == [[2, 2], [1, 3] if unit else [1, 1, 2]]
