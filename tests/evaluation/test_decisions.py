"""Decisions beside labels, words or codes of classes: the share that is wrong is measured as they are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import DataError, Undecided, UsageError

CLASSES = {
    "words": ("cat", "dog", "eel"),
    "two words": ("No", "Yes"),
    "odd words": ("a b", "", "ü,x", "-1a"),
    "codes": (0, 1, 2, 3),
    "codes from 1": (1, 2),
    "fractions of a type": (3.0, 7.0, 11.0),
}
WRITERS = {
    "csv": lambda d, path: d.to_csv(path, index=False),
    "parquet": lambda d, path: d.to_parquet(path, row_group_size=20),
    "jsonl": lambda d, path: d.to_json(path, orient="records", lines=True),
}


def decided(kind, seed=0, n=90):
    classes, rng = np.array(CLASSES[kind], dtype=object), np.random.default_rng(seed)
    k = len(classes)
    truth = np.append(np.arange(k), rng.integers(0, k, n - k))
    guess = [np.where(rng.random(n) < right, truth, rng.integers(0, k, n)) for right in (0.8, 0.6)]
    named = {"truth": classes[truth], "first": classes[guess[0]], "second": classes[guess[1]]}
    return pd.DataFrame({**named, "w": rng.integers(1, 5, n), "g": np.arange(n) % 2}).infer_objects()


@settings(max_examples=12)
@given(st.sampled_from([*CLASSES]), st.sampled_from([None, *WRITERS]), st.integers(0, 9))
def test_the_share_of_decisions_that_are_wrong_is_that_of_cells_that_differ(tmp_path_factory, kind, suffix, seed):
    d = decided(kind, seed)
    known = d[["truth", "first", "second"]].ne("").all(axis=1)
    folder = tmp_path_factory.mktemp("decisions")
    source = d if suffix is None else folder / f"d.{suffix}"
    for name, write in WRITERS.items():
        if name == suffix:
            write(d, source)
    asked = {"label": "truth", "prediction": ["first", "second"], "nulls": "drop"}
    report = lossctl.evaluate(source, "zero_one", **asked, engine="threads", threads=2)
    kept = d[known]
    expected = [float(np.mean(kept["truth"] != kept[name])) for name in ("first", "second")]
    assert [result.value for result in report.results] == pytest.approx(expected)
    weighted = lossctl.evaluate(source, "zero_one", **asked, weight="w", by="g").results
    wrong = (kept["truth"] != kept["first"]) * kept["w"]
    sums = wrong.groupby(kept["g"]).sum() / kept["w"].groupby(kept["g"]).sum()
    assert [result.value for result in weighted[:2]] == pytest.approx(sums.tolist())


@pytest.mark.parametrize("kind", ["words", "codes", "two words"])
def test_each_line_that_is_offered_for_decisions_is_measured(kind):
    d = decided(kind)[["truth", "first"]].rename(columns={"first": "predicted_label", "truth": "true_label"})
    for asked in ({}, {"prediction": "predicted_label"}, {"loss": "zero_one"}):
        try:
            value = lossctl.evaluate(d, asked.get("loss"), prediction=asked.get("prediction")).value
        except Undecided as question:
            way = {**asked, **dict(question.ways[-1])}
            assert way["loss"] == "zero_one"
            value = lossctl.evaluate(d, **way).value
        assert value == pytest.approx(np.mean(d["true_label"] != d["predicted_label"]))


def test_labels_elsewhere_models_and_their_difference_are_of_the_same_decisions():
    d = decided("words").assign(id=np.arange(90))
    away = lossctl.evaluate(
        d[["id", "first"]], "zero_one", label="truth", prediction="first", labels=d[["id", "truth"]], ids="id"
    )
    assert away.value == pytest.approx(np.mean(d["truth"] != d["first"]))
    wrong = [(d["truth"] != d[name]) * 1.0 for name in ("first", "second")]
    compared = lossctl.compare(d, "zero_one", label="truth", prediction=["first", "second"])
    assert compared.difference == pytest.approx(np.mean(wrong[1] - wrong[0]))


def test_probabilities_and_what_needs_classes_are_measured_as_before_or_refused():
    d = decided("codes from 1")
    p = np.linspace(0, 1, 90)
    asked = {"label": "truth", "prediction": "p", "classes": [1, 2]}
    value = lossctl.evaluate(d.assign(p=p), "zero_one", **asked).value
    assert value == pytest.approx(np.mean((p > 0.5) != (d["truth"] == 2)))
    for setting in ({"skill": True}, {"class_weight": "cat=2"}):
        with pytest.raises(UsageError, match="knows no classes"):
            lossctl.evaluate(decided("words"), "zero_one", label="truth", prediction="first", **setting)
    with pytest.raises(DataError, match=r"'truth' holds|null"):
        lossctl.evaluate(decided("words").assign(first=None), "zero_one", label="truth", prediction="first")
    with pytest.raises(Undecided, match="are words"):
        lossctl.evaluate(decided("words"), "bce", label="truth", prediction="first")


def test_codes_of_many_classes_are_the_same_or_not_though_few_rows_have_not_all_of_them():
    rng = np.random.default_rng(4)
    truth = rng.integers(1, 1001, 900)
    made = np.where(rng.random(900) < 0.6, truth, rng.integers(1, 1001, 900))
    asked = {"label": "truth", "prediction": "made"}
    value = lossctl.evaluate({"truth": truth, "made": made}, "zero_one", **asked).value
    assert value == pytest.approx(np.mean(truth != made))
    with pytest.raises(DataError, match="'truth' is"):  # counted from 0: none would be right
        lossctl.evaluate({"truth": truth, "made": truth - 1}, "zero_one", **asked)


def test_words_of_another_case_are_told_and_not_counted_as_wrong():
    d = {"truth": ["Cat", "Dog"] * 9, "made": ["dog", "cat"] * 9}
    with pytest.raises(UsageError, match="'cat' where 'truth' has 'Cat'"):
        lossctl.evaluate(d, "zero_one", label="truth", prediction="made")
