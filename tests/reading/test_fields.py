"""A field inside a column is a column that is called by its path: at any depth, in every format that nests."""

import json
import re

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from figures import bits
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import read_back, stored, write_lines

import lossctl as library
from lossctl.reading.formats import jsonlines

NESTING = [".jsonl", ".parquet", ".arrow", ".arrows"]
ROWS = [
    {"y": 1.0, "p": 0.9, "w": 2.0, "g": "a"},
    {"y": 0.0, "p": 0.25, "w": 1.0, "g": "b"},
    {"y": 1.0, "p": 0.6, "w": 0.5, "g": "a"},
    {"y": 1.0, "p": None, "w": 0.5, "g": "b"},
    {"y": 0.0, "p": 0.75, "w": 0.25, "g": None},
]
ASKED = {"loss": ["bce", "mse"], "nulls": "drop", "gradient": True, "samples": 2}
VALUE = 0.27977656357934225
"""The mean of −log of 0.9, 0.8 and 0.6, by mpmath; the shape is that of github.com/duckdb/duckdb/issues/7015."""
SHALLOW = [{"y": 1, "out": {"p": 0.9}}, {"y": 0, "out": {"p": 0.2}}, {"y": 1, "out": {"p": 0.6}}]


def lines(path, *rows):
    return write_lines(path, *(row if isinstance(row, str) else json.dumps(row) for row in rows))


def nested(rows, paths):
    """The rows with each column at the end of a path, beside what nobody asks for."""
    result = []
    for number, row in enumerate(rows):
        whole = {}
        for name, folders in paths.items():
            inner = whole
            for folder in folders:
                inner = inner.setdefault(folder, {"beside": {"list": [number], "p": "x"}})
            inner[name] = row[name]
        result.append(whole)
    return result


FOLDERS = st.lists(st.sampled_from(["out", "meta", "b.c", "ü x", "y"]), max_size=4)


@settings(max_examples=35)
@given(st.fixed_dictionaries(dict.fromkeys(ROWS[0], FOLDERS)), st.sampled_from([*NESTING, "table", "frame"]))
def test_columns_at_any_depth_are_those_of_a_flat_table(tmp_path_factory, paths, place):
    paths = {
        name: folders if folders[:1] != ["y"] or paths["y"] else ["z", *folders] for name, folders in paths.items()
    }
    table = pa.Table.from_pylist(nested(ROWS, paths))
    source = table
    if place == "frame":
        source = table.to_pandas(types_mapper=pd.ArrowDtype)
    elif place != "table":
        source = tmp_path_factory.mktemp("nested") / f"rows{place}"
        source.write_bytes(stored(table, place, chunk=2))
    label, prediction, weight, by = (".".join([*paths[name], name]) for name in ("y", "p", "w", "g"))
    report = library.evaluate(source, label=label, prediction=f"m={prediction}", weight=weight, by=by, **ASKED)
    flat = library.evaluate(
        pa.Table.from_pylist(ROWS).rename_columns([label, prediction, weight, by]),
        label=label, prediction=f"m={prediction}", weight=weight, by=by, **ASKED,
    )  # fmt: skip
    assert bits(report) == bits(flat)


@pytest.mark.parametrize("suffix", NESTING)
@pytest.mark.parametrize("command", ["eval", "samples", "doctor", "plot", "gradcheck"])
def test_every_command_reaches_fields(lossctl, tmp_path, command, suffix):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(stored(pa.Table.from_pylist(SHALLOW), suffix))
    loss = {"gradcheck": ["bce", path], "doctor": [path]}.get(command, [path, "-l", "bce"])
    done = lossctl(command, *loss, "-y", "y", "-p", "out.p", *([] if command == "samples" else ["-f", "json"]))
    assert done.status == 0, done.err
    if command == "eval":
        assert done.json["results"][0]["value"] == pytest.approx(VALUE, rel=1e-15)
    if command == "doctor":
        assert "-p out.p" in done.json["commands"][0]


@pytest.mark.parametrize("suffix", NESTING)
@pytest.mark.parametrize("flags", [[], ["--top", "3"]], ids=["all", "top"])
def test_samples_write_the_column_and_not_the_field_once_more(lossctl, tmp_path, suffix, flags):
    path, target = tmp_path / f"rows{suffix}", tmp_path / "out.jsonl"
    path.write_bytes(stored(pa.Table.from_pylist(SHALLOW), suffix))
    done = lossctl("samples", path, "-y", "y", "-p", "out.p", "-l", "bce", *flags, "-o", target)
    assert done.status == 0, done.err
    rows = sorted(map(json.loads, target.read_text().splitlines()), key=lambda row: row["row"])
    assert [sorted(row) for row in rows] == [["gradient", "loss", "out", "row", "y"]] * 3
    assert [row["out"] for row in rows] == [row["out"] for row in SHALLOW]
    done = lossctl("samples", path, "-y", "y", "-p", "out.p", "-l", "bce", *flags)
    assert '"{""p"": 0.9}"' in done.out


@pytest.mark.parametrize("pattern", ["s.*", "s.p_?", r"/^s\.p/", "/p_.$/", "s.p_1,s.p_0", "*_[01]"])
def test_patterns_are_held_against_paths(pattern):
    rows = [{"y": 0, "s": {"p_0": 0.75, "p_1": 0.25}}, {"y": 1, "s": {"p_0": 0.5, "p_1": 0.5}}]
    columns = library.evaluate(pa.Table.from_pylist(rows), "cross_entropy", label="y", prediction=pattern).inputs
    assert sorted(columns["models"][pattern]) == ["s.p_0", "s.p_1"]


@pytest.mark.parametrize("suffix", [*NESTING, ""])
def test_a_column_of_the_very_name_comes_first_and_that_is_said(tmp_path, suffix):
    source = pa.Table.from_pylist(
        [{"out": {"p": 0.9}, "y": 1, "out.p": 0.5}, {"out": {"p": 0.9}, "y": 1, "out.p": 0.5}]
    )
    if suffix:
        path = tmp_path / f"rows{suffix}"
        path.write_bytes(stored(source, suffix))
        source = path
    report = library.evaluate(source, "mae", label="y", prediction="out.p")
    assert report.value == 0.5
    assert report.notes == ("'out.p' is the column of that name, not the field in column 'out'",)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("out.q", ["no column 'out.q'", "Did you mean out.p"]),
        ("p", ["no column 'p'", "Did you mean out.p"]),
        ("otu.p", ["no column 'otu.p'", "Did you mean out.p"]),
        ("out", ["'out'", "Name a field inside it: out.p, out.items"]),
        ("out.items.p", ["no column 'out.items.p'", "'out.items' is a map or a list"]),
        ("y.p", ["no column 'y.p'"]),
        ("nothing.*", ["no column matches 'nothing.*'"]),
    ],
)
def test_a_path_that_leads_nowhere_is_a_usage_error_that_names_what_there_is(lossctl, tmp_path, asked, words):
    path = lines(tmp_path / "rows.jsonl", {"y": 1, "out": {"p": 0.9, "items": [{"p": 0.5}]}})
    done = lossctl("eval", path, "-y", "y", "-p", asked, "-l", "bce")
    assert (done.status, done.out) == (2, "")
    assert [word for word in words if word not in done.err] == [], done.err


@pytest.mark.parametrize("suffix", NESTING)
def test_a_struct_that_is_null_is_a_null_in_its_row(lossctl, tmp_path, suffix):
    rows = [*SHALLOW, {"y": 1, "out": None}]
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(stored(pa.Table.from_pylist(rows), suffix))
    done = lossctl("eval", path, "-y", "y", "-p", "out.p", "-l", "bce", "-f", "json")
    assert done.status == 3
    assert "row 4: column 'out.p' is null" in done.err
    done = lossctl("eval", path, "-y", "y", "-p", "out.p", "-l", "bce", "--nulls", "drop", "-f", "json")
    assert done.json["results"][0]["value"] == pytest.approx(VALUE, rel=1e-15)


STORAGES = {
    "dictionary": lambda cells: cells.dictionary_encode(),
    "runs": lambda cells: pa.RunEndEncodedArray.from_arrays(range(1, len(cells) + 1), cells),
    "decimal": lambda cells: cells.cast(pa.decimal128(4, 2)),
    "half": lambda cells: cells.cast(pa.float32()).cast(pa.float16()),
    "text": lambda cells: cells.cast(pa.string()),
    "view": lambda cells: cells.cast(pa.string()).cast(pa.string_view()),
    "list of one": lambda cells: pa.FixedSizeListArray.from_arrays(cells, 1),
}


@pytest.mark.parametrize("storage", STORAGES)
def test_a_null_struct_is_a_null_however_its_field_is_stored(storage):
    """Arrow puts it into the bitmap of the field, where it counts for nothing in runs."""
    cells = STORAGES[storage](pa.array([0.5, 0.25, 0.75, 0.5]))
    structs = pa.StructArray.from_arrays(
        [cells, pa.array(["a", "b", "c", "d"])], ["p", "x"], mask=pa.array([False, True, False, False])
    )
    table = pa.table({"y": [1.0, 1.0, 1.0, 1.0], "out": structs}).slice(1)
    (result,) = library.evaluate(table, "mae", label="y", prediction="out.p", nulls="drop").results
    assert (result.n, result.n_null, result.value) == (2, 1, 0.375)


def test_a_field_of_parquet_is_read_without_those_beside_it(tmp_path):
    """The pages of the field beside it are zeros, which nobody could read."""
    table = pa.table({"y": [1.0, 2.0], "out": [{"q": "here", "p": 3.0}, {"q": "there", "p": 4.0}]})
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path, use_dictionary=False, compression="none")
    body = bytearray(path.read_bytes())
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(1)
    assert chunk.path_in_schema == "out.q"
    start = chunk.data_page_offset
    body[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    path.write_bytes(body)
    assert library.evaluate(path, "mae", label="y", prediction="out.p").value == 2.0
    with pytest.raises(library.LossctlError):
        library.evaluate(path, "mae", label="out.q", prediction="out.p")


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"y": 1, "out": {"q": 0.9}}, "no column 'out.p'"),
        ({"y": 1, "out": 0.9}, "no column 'out.p'"),
        ({"y": 1, "out": {"p": [0.9, 0.1]}}, "column 'out.p' is list, but number"),
        ({"y": 1, "out": {"p": "high"}}, "column 'out.p' holds 'high'"),
    ],
)
@pytest.mark.parametrize("command", ["eval", "samples"])
def test_a_file_without_the_field_of_the_first_is_named(lossctl, tmp_path, second, words, command):
    one, other = lines(tmp_path / "a.jsonl", *SHALLOW), lines(tmp_path / "b.jsonl", second)
    done = lossctl(command, one, other, "-y", "y", "-p", "out.p", "-l", "bce")
    assert done.status == 3
    assert "b.jsonl" in done.err
    assert words in done.err or command == "samples", done.err


def test_fields_of_several_files_are_one_column(lossctl, tmp_path):
    one, other = lines(tmp_path / "a.jsonl", *SHALLOW[:2]), lines(tmp_path / "b.jsonl", {**SHALLOW[2], "more": 1})
    done = lossctl("eval", one, other, "-y", "y", "-p", "out.p", "-l", "bce", "-f", "json")
    assert done.json["results"][0]["value"] == pytest.approx(VALUE, rel=1e-15)


@pytest.mark.parametrize(
    ("late", "words"),
    [({"p": "NA"}, None), ({"p": "0.5"}, None), ({"p": "half"}, "row 41: column 'out.p' holds 'half'"),
     (5, "row 41: column 'out' holds 5"), ({"p": [0.5]}, "row 41: column 'out.p' holds [0.5]"),
     ({"p": 0.5, "new": 1}, None)],
)  # fmt: skip
def test_a_field_of_another_type_in_a_later_line_is_read_or_named(tmp_path, monkeypatch, late, words):
    monkeypatch.setattr(jsonlines, "HEAD", 100)
    path = lines(tmp_path / "rows.jsonl", *[SHALLOW[0]] * 40, {"y": 1, "out": late})
    asked = {"loss": "mae", "label": "y", "prediction": "out.p", "nulls": "drop"}
    if words is None:
        (result,) = library.evaluate(path, **asked).results
        assert result.n + result.n_null == 41
    else:
        with pytest.raises(library.LossctlError, match=re.escape(words)):
            library.evaluate(path, **asked)


def test_numbers_and_lists_that_are_text_in_a_field_are_read_as_elsewhere():
    rows = [{"y": 1, "out": {"p": "0.9", "s": "[0.1, 0.9]"}}, {"y": 0, "out": {"p": "0.2", "s": "[0.8, 0.2]"}}]
    report = library.evaluate(pa.Table.from_pylist(rows), "bce", label="y", prediction="out.p")
    assert report.value == pytest.approx(0.164252033486018, rel=1e-14)  # −log 0.9 and −log 0.8


def test_two_fields_of_one_path_are_refused():
    inner = pa.StructArray.from_arrays([pa.array([0.5]), pa.array([0.75])], ["p", "p"])
    table = pa.table({"y": [1.0], "out": inner})
    with pytest.raises(library.LossctlError, match=r"two columns called 'out\.p'"):
        library.evaluate(table, "mae", label="y", prediction="out.p")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_stands_beside_a_field_is_carried_as_it_is_written(lossctl, tmp_path, monkeypatch, suffix):
    """Of what is only carried along nothing need be of one type, where text is written."""
    monkeypatch.setattr(jsonlines, "HEAD", 100)
    rows = [{"y": 1, "out": {"p": 0.9, "id": 1}}] * 5 + [{"y": 0, "out": {"id": "six", "p": 0.2, "new": [True]}}]
    path, target = lines(tmp_path / "rows.jsonl", *rows), tmp_path / f"out{suffix}"
    done = lossctl("samples", path, "-y", "y", "-p", "out.p", "-l", "bce", "-o", target)
    assert done.status == 0, done.err
    assert [json.loads(row["out"]) for row in read_back(target)] == [row["out"] for row in rows]
