"""Rows of scores beside codes of classes are offered as their logits, whatever file they are in and are called."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

import lossctl
from lossctl.errors import Undecided


def _saved(folder, form, codes, scores):
    """The predictions and the labels where those are in a file of their own, in one of several forms."""
    if form == "npy":
        np.save(folder / "p.npy", scores)
        np.save(folder / "y.npy", codes)
        return folder / "p.npy", {"labels": folder / "y.npy", "join": "order"}
    if form == "npz":
        np.savez(folder / "both.npz", scores, codes)
        return folder / "both.npz", {}
    numbered = pd.DataFrame(scores, columns=[f"c{place}" for place in range(scores.shape[1])])
    if form == "names":
        return numbered.assign(label=codes), {}
    np.savetxt(folder / "rows.csv", np.column_stack([codes, scores]), delimiter=",")
    return folder / "rows.csv", {"reading": lossctl.Reading(header=False)}


@settings(max_examples=6)
@given(
    form=st.sampled_from(["npy", "npz", "names", "rows"]),
    k=st.integers(3, 10),
    first=st.sampled_from([0, 0, 1]),
    kind=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 999),
)
def test_they_are_offered_with_the_loss_and_that_they_are_logits(form, k, first, kind, seed, tmp_path_factory):
    rng = np.random.default_rng(seed)
    codes = np.tile(np.arange(k), 10)
    scores = (rng.normal(size=(10 * k, k)) + 3 * np.eye(k)[codes]).astype(kind)
    path, apart = _saved(tmp_path_factory.mktemp("rows"), form, codes + first, scores)
    with pytest.raises(Undecided) as question:
        lossctl.evaluate(path, (), **apart)
    way = dict(question.value.ways[0])
    assert (way["loss"], way["from_logits"]) == ("cross_entropy", True)
    expected = np.mean(logsumexp(scores.astype(float), axis=1) - scores[np.arange(len(codes)), codes])
    asked = {"label": way.get("label"), "prediction": way["prediction"], "classes": way.get("classes")}
    report = lossctl.evaluate(
        path, "cross_entropy", from_logits=True, **{name: value for name, value in asked.items() if value}, **apart
    )
    assert report.value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("form", "k"), [("npy", 2), ("npy", 10), ("names", 3)])
def test_where_logits_of_classes_are_asked_for_nothing_else_is_asked(form, k, tmp_path):
    codes = np.tile(np.arange(k), 10)
    scores = np.random.default_rng(k).normal(size=(10 * k, k)) + 3 * np.eye(k)[codes]
    path, apart = _saved(tmp_path, form, codes, scores)
    report = lossctl.evaluate(path, "cross_entropy", from_logits=True, **apart)
    expected = np.mean(logsumexp(scores, axis=1) - scores[np.arange(len(codes)), codes])
    assert report.value == pytest.approx(expected, rel=1e-12)
