"""What is the confidence in a decision is never measured as a probability; the line that is said makes one of it."""

import re
import shlex
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from stored import write_lines

import lossctl
from lossctl.errors import Undecided

WORDS = {"words": ("negative", "positive"), "yes or no": ("No", "Yes"), "numbers": (0, 1), "codes": (1, 2)}
NAMES = (("label", "pred_label"), ("sentiment", "prediction"), ("churn", "hat"), ("truth", "label"), ("y", "decided"))


def decided(words, names, threshold=0.5, score="score", n=120, seed=3):
    """A truth, what a model decides, and how sure it is; and the bce of its probabilities of the second word."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(n) % 2)
    p = np.clip(0.25 + 0.5 * truth + rng.normal(0, 0.2, n), 0.01, 0.99)
    made = (p > threshold) * 1
    bce = float(-np.where(truth == 1, np.log(p), np.log1p(-p)).mean())
    columns = {names[0]: np.take(words, truth), names[1]: np.take(words, made), score: np.where(made, p, 1 - p)}
    return pd.DataFrame(columns), bce


def asked(source, **options):
    with pytest.raises(Undecided, match="looks like the confidence in") as question:
        lossctl.evaluate(source, options.pop("loss", None), **options)
    assert not question.value.ways
    return question.value.hint


def said(hint):
    """The columns and the loss that a hint says, as `lossctl.evaluate` takes them."""
    line = re.search(r"then (label=.*?)\. Of the", hint)[1]
    return {name: value.strip("'") for name, value in (word.split("=", 1) for word in shlex.split(line))}


@settings(max_examples=12)
@given(
    st.sampled_from([*WORDS]),
    st.sampled_from(NAMES),
    st.sampled_from([0.5, 0.35]),
    st.sampled_from(["score", "prob", "confidence"]),
    st.sampled_from([None, "bce", "brier"]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_the_confidence_in_a_decision_is_refused_and_what_is_said_makes_its_probability(
    words, names, threshold, score, loss, beside, random
):
    assume(loss is None or words != "codes")
    d, bce = decided(WORDS[words], names, threshold, score)
    d = d.assign(lang=np.where(np.arange(len(d)) % 3, "en", "de")) if beside else d
    d = d[random.sample([*d], len(d.columns))]
    hint = asked(d, loss=loss)
    program = re.search(r"in pandas (d\['p'\] = .*), then ", hint)[1]
    exec(program, {"d": d})
    assert lossctl.evaluate(d, **said(hint)).value == pytest.approx(bce)


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_of_json_lines_the_program_is_one_for_jq(tmp_path):
    d, bce = decided(WORDS["words"], NAMES[1])
    path = write_lines(tmp_path / "hf.jsonl", *d.to_json(orient="records", lines=True).splitlines())
    hint = asked(path)
    command = re.search(r"jq -c .*(?=, then )", hint)[0]
    made = subprocess.run([*shlex.split(command), path], capture_output=True, check=True, text=True).stdout
    report = lossctl.evaluate(write_lines(tmp_path / "p.jsonl", *made.splitlines()), **said(hint))
    assert report.value == pytest.approx(bce)


@pytest.mark.parametrize("options", [{}, {"label": "truth", "prediction": "score"}, {"loss": "bce"}])
def test_where_labels_are_elsewhere_it_is_refused_too(options):
    d, _ = decided(WORDS["words"], ("truth", "label"))
    d["id"] = np.arange(len(d))
    asked(d[["id", "label", "score"]], labels=d[["id", "truth"]], **options)
    with pytest.raises(Undecided, match="a decision, no label"):
        lossctl.evaluate(d[["id", "label", "score"]], options.get("loss"))


def test_models_of_files_and_the_doctor_say_it_too(tmp_path):
    d, _ = decided(WORDS["numbers"], NAMES[2])
    d.to_csv(tmp_path / "d.csv", index=False)
    with pytest.raises(lossctl.LossctlError, match="confidence in 'hat'"):
        lossctl.compare([tmp_path / "d.csv"] * 2, None, join="order")
    for options in ({}, {"label": "churn"}):
        (finding,) = lossctl.diagnose(d, **options).findings
        assert "confidence in 'hat'" in finding.what


def test_who_names_all_of_it_is_warned():
    d, _ = decided(WORDS["numbers"], NAMES[0])
    report = lossctl.evaluate(d, "bce", label="label", prediction="score")
    assert any("confidence in 'pred_label'" in doubt for doubt in report.warnings)
    assert not lossctl.evaluate(d.drop(columns="pred_label"), "bce", label="label", prediction="score").warnings


@pytest.mark.parametrize("classes", [("cat", "dog", "eel"), (0, 1, 2)], ids=str)
def test_of_several_classes_it_is_said_that_each_needs_a_probability(classes):
    rng = np.random.default_rng(4)
    truth = rng.permutation(np.arange(90) % 3)
    made = np.where(rng.random(90) < 0.8, truth, rng.integers(0, 3, 90))
    d = {"true_label": np.take(classes, truth), "predicted_label": np.take(classes, made)}
    assert "a probability of each" in asked({**d, "confidence": rng.uniform(0.34, 1, 90)})


@pytest.mark.parametrize("words", [(0, 1), ("no", "yes")], ids=str)
@pytest.mark.parametrize("name", ["y_pred", "decision"])
def test_the_confidence_in_a_rare_yes_is_told_where_all_of_no_are_surer(words, name):
    p = np.concatenate([np.linspace(0.01, 0.25, 36), np.linspace(0.4, 0.7, 4)])
    truth = np.arange(40) % 9 == 3
    made = p > 0.3
    d = {"y_true": np.take(words, truth * 1), name: np.take(words, made * 1), "y_prob": np.where(made, p, 1 - p)}
    assert "1 - d['y_prob']" in asked(d)
    assert lossctl.evaluate({**d, "y_prob": p}, None).value > 0


@pytest.mark.parametrize("words", [(0, 1), ("no", "yes")], ids=str)
@pytest.mark.parametrize("names", [("y_prob", "y_pred"), ("prob", "pred"), ("score", "prediction")], ids=str)
def test_a_probability_is_measured_though_the_confidence_stands_beside_it(names, words):
    rng = np.random.default_rng(6)
    p = rng.random(80)
    truth, made = rng.random(80) < p, p > 0.5
    d = {"y_true": np.take(words, truth * 1), names[0]: p, names[1]: np.take(words, made * 1)}
    value = lossctl.evaluate({**d, "confidence": np.where(made, p, 1 - p)}, None).value
    assert value == pytest.approx(float(-np.where(truth, np.log(p), np.log1p(-p)).mean()))


def test_labels_beside_the_words_that_are_decided_are_no_decisions_however_high_scores_are():
    rng = np.random.default_rng(5)
    p = 0.5 + rng.random(60) / 2
    d = {"label": np.take(["no", "yes"], (rng.random(60) < p) * 1), "pred_label": ["yes"] * 60, "score": p}
    assert lossctl.evaluate(d, None, label="label").value > 0


@settings(max_examples=8)
@given(
    st.sampled_from(["same", "other threshold", "other model", "feature"]),
    st.sampled_from(["pred", "decision", "smoker"]),
    st.floats(0.01, 0.4),
    st.integers(0, 5),
)
def test_a_probability_is_measured_whatever_yes_or_no_stands_beside_it(kind, name, least, seed):
    rng = np.random.default_rng(seed)
    p = least + (0.99 - least) * rng.random(200)
    truth = (rng.random(200) < p) * 1
    assume(0 < truth.mean() < 1)
    others = {
        "same": p > (0.5 + least / 2),
        "other threshold": p > least + 0.1,
        "other model": rng.random(200) < p,
        "feature": rng.random(200) < 0.3,
    }
    beside = {name: others[kind] * 1}
    expected = float(-np.where(truth == 1, np.log(p), np.log1p(-p)).mean())
    said = ""
    try:
        value = lossctl.evaluate({"y": truth, "prob": p, **beside}, "bce").value
    except Undecided as question:
        said, value = question.what, expected
    assert (value, "looks like" in said) == (pytest.approx(expected), False)
