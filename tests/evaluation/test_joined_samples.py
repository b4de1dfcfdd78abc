"""Samples of a join, and joins of tables in memory."""

import contextlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joined import store
from pandas import DataFrame
from stored import read_back, write_lines

import lossctl as library
from lossctl.errors import DataError, UsageError

# --- samples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("top", [[], ["--top", "3"]], ids=["all", "top"])
def test_samples_of_a_join_keep_the_columns_of_both(lossctl, kaggle, tmp_path, suffix, top):
    submission, solution = kaggle
    target = tmp_path / f"out{suffix}"
    done = lossctl("samples", submission, "--labels", solution, "--id", "id", "-l", "mse", "-o", target, *top)
    assert done.status == 0, done.err
    rows = read_back(target)
    assert [row["id"] for row in rows] == (["a", "b", "c"] if not top else ["c", "b", "a"])
    one = next(row for row in rows if row["id"] == "c")
    assert (float(one["loss"]), float(one["target"]), float(one["target (labels)"])) == (1.0, 4.0, 3.0)
    assert one["Usage"] == "Public"


@pytest.mark.parametrize("how", ["inner", "left"])
def test_rows_of_a_join_are_numbered_as_in_the_predictions(lossctl, tmp_path, how):
    """A row number is of use only where there is a file to look it up in."""
    predictions = write_lines(tmp_path / "p.csv", "id,p", "x,7", "a,1", "y,7", "b,9")
    labels = write_lines(tmp_path / "l.csv", "id,y", "b,2", "a,2")
    flags = ["--labels", labels, "--id", "id", "--join", how, "--nulls", "drop", "-l", "mse", "-q"]
    done = lossctl("samples", predictions, *flags, "-f", "jsonl")
    assert [json.loads(line)["row"] for line in done.out.splitlines()] == [2, 4]
    done = lossctl("samples", predictions, *flags, "-f", "jsonl", "--top", "1")
    assert json.loads(done.out)["row"] == 4
    done = lossctl("eval", predictions, *flags, "-f", "json", "--samples", "1")
    assert done.json["results"][0]["samples"][0]["row"] == 4
    write_lines(predictions, "id,p", "x,7", "a,1", "y,7", "b,inf")
    assert "row 4: " in lossctl("eval", predictions, *flags).err


@pytest.mark.lowest
def test_samples_of_a_join_carry_types_as_they_are(lossctl, tmp_path):
    predictions = tmp_path / "p.parquet"
    when = pa.array([1, 2], pa.timestamp("ns"))
    deep = pa.array([{"a": [1]}, None])
    pq.write_table(pa.table({"id": [1, 2], "p": [1.0, 2.0], "when": when, "deep": deep}), predictions)
    labels = tmp_path / "l.parquet"
    pq.write_table(pa.table({"id": [2, 1], "y": [0.0, 0.0], "name": pa.array(["b", "a"]).dictionary_encode()}), labels)
    target = tmp_path / "out.parquet"
    done = lossctl("samples", predictions, "--labels", labels, "--id", "id", "-l", "mse", "-o", target)
    assert done.status == 0, done.err
    found = pq.read_table(target)
    assert found["when"].combine_chunks().equals(when)
    assert found["deep"].to_pylist() == deep.to_pylist()
    assert found["name"].to_pylist() == ["a", "b"]


# --- the library -----------------------------------------------------------------------------------------------------

LEFT, RIGHT = {"id": ["a", "b"], "p": [1.0, 5.0]}, {"id": ["b", "a"], "y": [3.0, 1.0]}


@pytest.mark.lowest
@pytest.mark.parametrize("make", [dict, pa.table, DataFrame], ids=["mapping", "arrow", "pandas"])
@pytest.mark.parametrize("other", [dict, pa.table, DataFrame], ids=["mapping", "arrow", "pandas"])
def test_tables_in_memory_are_joined(make, other):
    left = {name: np.array(values) if make is dict else values for name, values in LEFT.items()}
    right = {name: np.array(values) if other is dict else values for name, values in RIGHT.items()}
    report = library.evaluate(make(left), "mse", labels=other(right), ids="id")
    assert report.value == 2.0
    assert report.inputs["join"]["matched"] == 2


def test_a_file_is_joined_with_a_table_in_memory(tmp_path):
    path = store(tmp_path / "p.csv", LEFT)
    assert library.evaluate(path, "mse", labels=pa.table(RIGHT), ids=["id"]).value == 2.0
    assert library.evaluate(pa.table(LEFT), "mse", labels=[store(tmp_path / "l.csv", RIGHT)], ids=("id",)).value == 2.0


def test_the_library_joins_as_it_is_told():
    labels = pa.table({"id": ["a", "z"], "y": [3.0, 1.0]})
    with pytest.raises(DataError, match=r"1 predictions? ha.* no label.* b"):
        library.evaluate(pa.table(LEFT), "mse", labels=labels, ids="id")
    assert library.evaluate(pa.table(LEFT), "mse", labels=labels, ids="id", join="inner").value == 4.0
    left = library.evaluate(pa.table(LEFT), "mse", labels=labels, ids="id", join="left", nulls="drop")
    assert (left.value, left.results[0].n_null) == (4.0, 1)
    with pytest.raises(UsageError, match="outer"):
        library.evaluate(pa.table(LEFT), "mse", labels=labels, ids="id", join="outer")
    with pytest.raises(DataError, match="no label"):
        library.evaluate(pa.table(LEFT), "mse", labels=labels)  # by the id that both have


def test_messages_about_tables_in_memory_begin_with_words():
    for left, right in ((LEFT, {"id": [], "y": []}), ({"id": [], "p": []}, RIGHT)):
        with pytest.raises(DataError) as told:
            library.evaluate(pa.table(left), "mse", label="y", prediction="p", labels=pa.table(right), ids="id")
        assert str(told.value)[0].isalpha(), str(told.value)
    nothing = pa.table({"id": ["a", "b"], "p": [1.0, None]})
    with pytest.raises(DataError) as told:
        library.evaluate(nothing, "mse", labels=pa.table(RIGHT), ids="id")
    assert str(told.value)[0].isalpha(), str(told.value)


def test_a_join_leaves_its_sources_as_they_were():
    left, right = DataFrame(LEFT), DataFrame(RIGHT)
    before = left.copy(), right.copy()
    with contextlib.suppress(DataError):
        library.evaluate(left, "mse", labels=right, ids="id")
    assert left.equals(before[0])
    assert right.equals(before[1])


@settings(max_examples=15, deadline=None)
@given(
    order=st.permutations(range(6)),
    how=st.sampled_from(["strict", "inner", "left"]),
    where=st.sampled_from([None, "p > 1"]),
    limit=st.sampled_from([None, 3]),
    pair=st.booleans(),
)
def test_the_worst_rows_of_a_join_say_their_keys(order, how, where, limit, pair):
    words = np.array([f"key {place}" for place in order])
    values = np.array(order, dtype=np.float64)
    predictions = pa.table({"id": words, "part": np.array(order) % 2, "p": values})
    kept = slice(1, None) if how == "inner" else slice(None)
    labels = pa.table({"key": words[::-1][kept], "part": (np.array(order) % 2)[::-1][kept], "y": np.zeros(6)[kept]})
    ids = ["id=key", "part"] if pair else ["id=key"]
    asked = {"ids": ids, "labels": labels, "join": how, "where": where, "limit": limit, "by": "part"}
    report = library.evaluate(predictions, "mae", label="y", prediction="p", samples=2, **asked)
    samples = [sample for result in report.results for sample in result.samples]
    assert samples
    for sample in samples:
        place = order[sample.row - 1]
        assert sample.prediction == place
        assert sample.id == {"id": f"key {place}"} | ({"part": str(place % 2)} if pair else {})
        assert f"key {place}" in str(report)


def test_rows_that_were_not_matched_by_key_have_none():
    columns = {"id": ["a", "b"], "p": [1.0, 3.0]}
    for asked in ({"labels": {"y": [1.0, 2.0]}, "join": "order"}, {}):
        report = library.evaluate(columns | ({} if asked else {"y": [1.0, 2.0]}), "mae", samples=1, **asked)
        assert "id" not in report.to_dict()["results"][0]["samples"][0]
