"""A first line that reads 0,1,…: the names that pandas gives to columns that have none, or a row."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

real = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda number: number != int(number))
tables = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(real, min_size=k, max_size=k), min_size=1, max_size=6).map(np.array)
)


def written(path, numbers, kind):
    """A file of a frame whose columns nobody named."""
    frame = pd.DataFrame(numbers)
    if kind in {"csv", "tsv"}:
        frame.to_csv(path, sep="," if kind == "csv" else "\t", index=False)
    else:
        {
            "parquet": frame.to_parquet,
            "feather": frame.to_feather,
            "jsonl": lambda path: frame.to_json(path, orient="records", lines=True, double_precision=15),
        }[kind](path)
    return path


def near(numbers, column):
    return pytest.approx(np.mean((numbers[:, 0] - numbers[:, column]) ** 2), rel=1e-9)


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "feather", "jsonl"])
@settings(max_examples=8)
@given(numbers=tables)
def test_columns_without_names_are_called_by_their_numbers(numbers, kind, tmp_path):
    path, last = written(tmp_path / f"rows.{kind}", numbers, kind), numbers.shape[1] - 1
    report = lossctl.evaluate(path, loss="mse", label="0", prediction=str(last))
    assert (report.results[0].n, report.results[0].value) == (len(numbers), near(numbers, last))


@settings(max_examples=8)
@given(numbers=tables, separator=st.sampled_from(",\t;|"))
def test_their_names_are_never_counted_as_a_row_unsaid(numbers, separator, tmp_path):
    path = tmp_path / "rows.csv"
    pd.DataFrame(numbers).to_csv(path, sep=separator, index=False)
    asked = {"loss": "mse", "label": "#1", "prediction": "#2"}
    delimited = {"delimiter": separator, "header": False}
    report = lossctl.evaluate(path, **asked, reading=lossctl.Reading(**delimited))
    assert "looks like names of columns" in "".join(report.warnings)
    report = lossctl.evaluate(path, **asked, reading=lossctl.Reading(**delimited, skip_rows=1))
    assert not report.warnings
    assert report.results[0].value == near(numbers, 1)


integers = st.integers(0, 1)


@settings(max_examples=8)
@given(rows=st.lists(st.tuples(integers, integers), min_size=2, max_size=8))
def test_a_line_that_may_be_a_row_is_taken_for_names_only_where_it_is_used(rows, tmp_path):
    path = tmp_path / "rows.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    report = lossctl.evaluate(path, loss="mse", label="0", prediction="1")
    assert report.results[0].value == near(np.array(rows), 1)
    for asked in ({"label": "#1", "prediction": "#2"}, {}):
        with pytest.raises(lossctl.UsageError, match="the first line is 0,1: the names of the columns"):
            lossctl.evaluate(path, loss="mse", **asked)
    report = lossctl.evaluate(path, loss="mse", label="#1", prediction="#2", reading=lossctl.Reading(header=False))
    assert report.results[0].value == near(np.array([(0, 1), *rows]), 1)
    assert not report.warnings


@pytest.mark.parametrize("words", [None, ["low", "mid", "high"]], ids=["codes", "words"])
def test_probabilities_and_labels_in_files_of_their_own_are_matched_without_names(words, tmp_path, lossctl):
    codes = np.arange(30) % 3
    rows = np.full((30, 3), 0.1)
    rows[np.arange(30), codes] = 0.8
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "proba.csv", index=False)
    labels = pd.Series(codes if words is None else [words[code] for code in codes])
    labels.to_csv(tmp_path / "labels.csv", index=False)
    files = (tmp_path / "proba.csv", "--labels", tmp_path / "labels.csv", "--join", "order")
    named = [] if words is None else ["-y", "0", "-p", "0,1,2", f"--classes={','.join(words)}", "-l", "cross_entropy"]
    done = lossctl("eval", *files, *named, "-f", "json")
    assert done.status == 0, done.err
    assert [(row["value"], row["n"]) for row in done.json["results"]] == [(pytest.approx(-np.log(0.8)), 30)]


def test_columns_beside_a_label_are_classes_by_their_places(tmp_path):
    codes = np.arange(30) % 3
    rows = np.full((30, 3), 0.1)
    rows[np.arange(30), codes] = 0.8
    pd.DataFrame(np.c_[codes, rows]).to_csv(tmp_path / "rows.csv", index=False)
    report = lossctl.evaluate(tmp_path / "rows.csv", label="0", prediction="1,2,3", loss="cross_entropy")
    assert report.results[0].value == pytest.approx(-np.log(0.8))


@pytest.mark.parametrize("header", ["1,2", "0.0,1.0", "3,7", "0,0.5"])
def test_other_numbers_are_asked_about_with_both_ways(header, tmp_path, lossctl):
    path = tmp_path / "rows.csv"
    path.write_text(f"{header}\n0.5,0.25\n0.5,0.75\n")
    done = lossctl("eval", path, "-y", "#1", "-p", "#2", "-l", "mse")
    assert done.status == 3
    assert "If it is a row, say --no-header; if they are names, --no-header --skip-rows 1" in done.err
