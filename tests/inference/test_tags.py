"""Labels that list the classes of a row are split first, which is said with the line that then measures them."""

import shlex

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import Undecided, UsageError

NAMES = ("sports", "politics", "tech", "arts")


@settings(max_examples=7)
@given(
    st.integers(0, 9),
    st.sampled_from(["|", ";", ",", " | ", " "]),
    st.sampled_from([None, "bce", "cross_entropy"]),
    st.sampled_from(["nothing", "label", "both"]),
    st.sampled_from(["p_{}", "{}", "prob_{}"]),
)
def test_they_are_told_and_the_advice_measures_them(seed, separator, loss, named, columns):
    rng = np.random.default_rng(seed)
    there, p = rng.random((30, 4)) < 0.4, rng.uniform(0.1, 0.9, (30, 4))
    there[0] = [True, True, False, False]
    tags = [separator.join(np.array(NAMES)[row]) for row in there]
    data = pd.DataFrame({"id": range(30), "tags": tags} | {columns.format(n): p[:, k] for k, n in enumerate(NAMES)})
    roles = {"label": "tags", "prediction": columns.format("*") if columns != "{}" else ",".join(NAMES)}
    asked = {"nothing": {}, "label": {"label": "tags"}, "both": roles}[named]
    with pytest.raises(Undecided, match="lists the classes") as question:
        lossctl.evaluate(data, loss, **asked)
    hint = question.value.hint
    split = data["tags"].str.replace(" | ", "|").str.get_dummies(hint.partition("get_dummies('")[2][0])
    data = data.join(split.add_prefix("y_"))
    words = shlex.split(hint.partition("and say ")[2].rstrip(".").replace(", ", " "))
    told = {name: value for name, _, value in (word.partition("=") for word in words)}
    report = lossctl.evaluate(data, told["loss"], label=told["label"], prediction=told["prediction"])
    assert report.value == pytest.approx(-np.mean(np.where(there, np.log(p), np.log1p(-p))))


def test_lists_of_words_are_told_what_to_make_of_them_and_words_of_classes_are_none(tmp_path):
    (tmp_path / "tags.jsonl").write_text('{"tags": ["a", "b"], "p_a": 0.5, "p_b": 0.25}\n' * 12, encoding="utf-8")
    with pytest.raises(UsageError, match="0 and 1 for each class"):
        lossctl.evaluate(str(tmp_path / "tags.jsonl"), "bce", label="tags", prediction="p_*")
    data = {"city": ["New York", "York", "New"] * 5, "New York": [0.5] * 15, "York": [0.25] * 15, "New": [0.25] * 15}
    assert lossctl.evaluate(data, "cross_entropy", label="city", prediction="New York,York,New").value > 0


@settings(max_examples=8)
@given(
    st.sampled_from([("{}", "pred_{}"), ("{}", "{}_prob"), ("{}_true", "{}_pred"), ("{}", "model {}"), ("{}", "{}")]),
    st.sets(st.sampled_from(NAMES), min_size=1, max_size=2),
    st.sampled_from([None, "bce", "cross_entropy", "binary_brier", "brier"]),
)
def test_labels_beside_each_other_that_lack_a_prediction_are_named_and_left_out(forms, without, loss):
    truth, guess = forms
    rng = np.random.default_rng(len(without))
    there, p = rng.random((30, 4)) < 0.4, rng.uniform(0.1, 0.9, (30, 4))
    there[:2] = [[True] * 4, [False] * 4]
    known = [k for k, name in enumerate(NAMES) if name not in without]
    labels = {truth.format(name): there[:, k] * 1 for k, name in enumerate(NAMES)}
    guesses = {guess.format(NAMES[k]): p[:, k] for k in known}
    two = {"labels": {"id": np.arange(30), **labels}, "ids": "id"} if truth == guess else {}
    data = {"id": np.arange(30), **guesses} if two else {**labels, **guesses}
    if guess == "pred_{}":  # which tells the labels for sure
        loss = None if loss in {"cross_entropy", "brier"} else loss
        report = lossctl.evaluate(data, loss)
        said, value = " ".join(report.notes), report.value
    else:
        with pytest.raises(Undecided) as question:
            lossctl.evaluate(data, loss, **two)
        (way,) = (dict(way) for way in question.value.ways)
        said, value = question.value.what, lossctl.evaluate(data, way.pop("loss", loss), **way, **two).value
    assert "no prediction" in said
    assert all(repr(truth.format(name)) in said for name in without)
    bits, p = there[:, known], p[:, known]
    expected = (p - bits) ** 2 if loss in {"binary_brier", "brier"} else -np.where(bits, np.log(p), np.log1p(-p))
    assert value == pytest.approx(expected.mean())
