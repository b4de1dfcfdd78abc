"""Columns of one name are chosen by their places, in every role."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

NAMES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=4, max_size=6)
"""Of four or more columns with three names, two are called alike."""


@pytest.mark.parametrize("kind", ["csv", "tsv", "frame", "table"])
@settings(max_examples=6)
@given(names=NAMES, places=st.permutations(range(4)), seed=st.integers(0, 99))
def test_columns_of_one_name_are_chosen_by_their_places(kind, names, places, seed, tmp_path):
    rows = np.random.default_rng(seed).integers(1, 4, (9, len(names))).astype(float)
    frame = pd.DataFrame(rows, columns=names)
    source = {"frame": frame, "table": pa.Table.from_arrays([*rows.T], names)}.get(kind, tmp_path / f"rows.{kind}")
    if kind in {"csv", "tsv"}:
        frame.to_csv(source, sep="," if kind == "csv" else "\t", index=False)
    label, prediction, weight, group = places
    asked = {"label": label, "prediction": prediction, "weight": weight, "by": group}
    report = lossctl.evaluate(source, "mse", **{role: f"#{place + 1}" for role, place in asked.items()})
    for result in report.results:
        key = float(*result.group.values())
        own = rows[rows[:, group] == key]
        expected = np.average((own[:, label] - own[:, prediction]) ** 2, weights=own[:, weight])
        assert result.value == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert len(report.results) == len({*rows[:, group]})


def test_a_name_of_two_columns_is_refused_with_their_places(tmp_path, lossctl):
    path = tmp_path / "rows.csv"
    path.write_text("a,b,b\n1,2,3\n")
    done = lossctl("eval", path, "-y", "a", "-p", "b", "-l", "mse")
    assert (done.status, done.out) == (2, "")
    assert "two columns called 'b'" in done.err
    assert "#2 or #3" in done.err


def test_columns_of_one_name_are_listed_with_their_places(tmp_path, lossctl):
    path = tmp_path / "rows.csv"
    path.write_text("y,pred,pred\n" + "1.5,2.5,3.5\n" * 9)
    for command in ("eval", "doctor"):
        done = lossctl(command, path)
        assert "Columns: y, #2 (pred), #3 (pred)." in done.err + done.out


def test_keys_of_one_name_are_chosen_by_their_places(tmp_path, lossctl):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("k,k,p\n9,1,5\n9,2,7\n")
    two.write_text("x,k,y\n9,2,7.5\n9,1,5\n")
    done = lossctl("eval", one, "--labels", two, "--id", "#2", "-y", "y", "-p", "p", "-l", "mae", "-f", "json")
    assert done.status == 2
    done = lossctl("eval", one, "--labels", two, "--id", "#2=k", "-y", "y", "-p", "p", "-l", "mae", "-f", "json")
    assert done.json["results"][0]["value"] == 0.25
