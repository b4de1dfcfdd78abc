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
    st.sampled_from(["p_{}", "prob_{}"]),
)
def test_they_are_told_and_the_advice_measures_them(seed, separator, loss, named, columns):
    rng = np.random.default_rng(seed)
    there, p = rng.random((30, 4)) < 0.4, rng.uniform(0.1, 0.9, (30, 4))
    there[0] = [True, True, False, False]
    tags = [separator.join(np.array(NAMES)[row]) for row in there]
    data = pd.DataFrame({"id": range(30), "tags": tags} | {columns.format(n): p[:, k] for k, n in enumerate(NAMES)})
    roles = {"label": "tags", "prediction": columns.format("*")}
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
