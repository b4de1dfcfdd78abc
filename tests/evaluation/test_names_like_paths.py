"""A column is called what it is called: a name that elsewhere would be a path into a column is a name like others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import write_lines

import lossctl as library
from lossctl.errors import DataError

NAMES = [
    ".x",
    "a.b",
    "x[0]",
    "$.x",
    " ",
    ".",
    "[0]",
    "[x",
    "..x",
    "\\.x",
    "a",
    "left row",
    "right row",
    "key 0",
    "key 1",
]
N = 12
PREDICTION = np.arange(float(N))
LABEL = PREDICTION + np.arange(1, N + 1)
KEYS = np.arange(N) // 3, np.arange(N) % 3


@settings(max_examples=10)
@given(st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True), st.permutations(range(N)))
def test_keys_of_any_name_match(names, order):
    keys = dict(zip(names, KEYS, strict=True))
    labels = {name: column[order] for name, column in {**keys, "y": LABEL}.items()}
    report = library.evaluate({**keys, "p": PREDICTION}, "mae", labels=labels, ids=names)
    assert report.value == np.mean(np.arange(1, N + 1))


@pytest.mark.parametrize("name", NAMES)
def test_keys_of_any_name_that_are_there_twice_are_an_error(name):
    source = {name: KEYS[0], "p": PREDICTION}
    with pytest.raises(DataError, match=r"4 ids more than once in the predictions, such as 0; 1; 2"):
        library.evaluate(source, "mae", labels={name: KEYS[0], "y": LABEL}, ids=[name])


@pytest.mark.parametrize("name", [".x", "a.b", "[0]"])
def test_models_in_a_file_each_match_by_keys_of_any_name(lossctl, tmp_path, name):
    for model, more in (("one", 0), ("two", 1)):
        rows = (f"{row // 3},{row % 3},{2 * row + 1},{row + more}" for row in range(N))
        write_lines(tmp_path / f"{model}.csv", f"{name},part,y,p", *rows)
    files = [tmp_path / f"{model}.csv" for model in ("one", "two")]
    flags = ["-y", "y", "-p", "p", "-l", "mae", "--id", f"{name},part", "--cluster", name, "-f", "json"]
    done = lossctl("compare", *files, *flags)
    assert done.status == 0, done.err
    assert done.json["results"][0]["difference"] == -1.0


@pytest.mark.parametrize("name", NAMES)
def test_groups_clusters_and_conditions_take_a_column_of_any_name(name):
    source = {name: KEYS[0], "y": LABEL, "p": PREDICTION}
    asked = {"label": "y", "prediction": "p", "by": [name], "cluster": [name], "samples": 1}
    report = library.evaluate(source, "mae", **asked)
    assert [result.value for result in report.results] == [2.0, 5.0, 8.0, 11.0]
    assert [result.samples[0].row for result in report.results] == [3, 6, 9, 12]
    if name.strip():
        kept = library.evaluate(source, "mae", where=f"`{name}` > 1", **asked)
        assert [result.value for result in kept.results] == [8.0, 11.0]
