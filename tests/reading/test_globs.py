"""Globs and directories are data sets, and keys in their paths are columns."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import ROWS, write
from transcripts import JSON, VALUE, files_of

import lossctl as library
from lossctl.reading.expand import expand

# --- globs and directories -------------------------------------------------------------------------------------------


def test_a_quoted_glob_is_expanded_in_natural_order(lossctl, tmp_path):
    for at in (10, 9, 1, 100):
        write(tmp_path / f"part-{at}.csv", f"y,p\n0,{at}\n")
    write(tmp_path / "other.csv", "y,p\n0,1e9\n")
    done = lossctl("eval", f"{tmp_path}/part-*.csv", *JSON)
    assert files_of(done) == [str(tmp_path / f"part-{at}.csv") for at in (1, 9, 10, 100)]
    assert done.values == [(1 + 81 + 100 + 10000) / 4]
    done = lossctl("eval", f"{tmp_path}/part-[19]*.csv", *JSON)
    assert len(files_of(done)) == 4
    assert len(files_of(lossctl("eval", f"{tmp_path}/part-?.csv", *JSON))) == 2


def test_two_stars_go_into_every_folder(lossctl, tmp_path):
    for name in ("a.csv", "x/b.csv", "x/y/c.csv", "x/y/d.txt", ".hidden/e.csv"):
        write(tmp_path / name)
    done = lossctl("eval", f"{tmp_path}/**/*.csv", *JSON)
    assert sorted(os.path.relpath(it, tmp_path) for it in files_of(done)) == ["a.csv", "x/b.csv", "x/y/c.csv"]
    assert len(files_of(lossctl("eval", f"{tmp_path}/*/*.csv", *JSON))) == 1


def test_a_file_whose_name_looks_like_a_glob_is_that_file(lossctl, tmp_path):
    write(tmp_path / "a[1].csv")
    write(tmp_path / "a1.csv", "y,p\n0,9\n")
    assert lossctl("eval", tmp_path / "a[1].csv", *VALUE).out == "2.5\n"
    write(tmp_path / "a*.csv")
    assert lossctl("eval", tmp_path / "a*.csv", *VALUE).out == "2.5\n"


def test_a_glob_that_matches_nothing_is_said(lossctl, tmp_path):
    done = lossctl("eval", f"{tmp_path}/*.csv", *VALUE)
    assert (done.status, done.out) == (3, "")
    assert f"{tmp_path}/*.csv: no file matches" in done.err


def test_a_glob_may_match_directories_as_the_shell_would_have_it(lossctl, tmp_path):
    for day in (1, 2):
        write(tmp_path / f"day={day}" / "rows.csv", f"y,p\n0,{day}\n")
    quoted = lossctl("eval", f"{tmp_path}/day=*", "--by", "day", *JSON)
    expanded = lossctl("eval", tmp_path / "day=1", tmp_path / "day=2", "--by", "day", *JSON)
    assert (expanded.status, expanded.values) == (0, [1.0, 4.0])
    assert (quoted.status, quoted.err) == (0, "")
    assert quoted.json["results"] == expanded.json["results"]


def test_a_star_in_a_spark_output_skips_what_holds_no_rows(lossctl, tmp_path):
    for name, text in {"part-0.csv": ROWS, "_SUCCESS": "", "_metadata": "x", ".part-0.csv.crc": "x"}.items():
        write(tmp_path / name, text)
    for place in (tmp_path, f"{tmp_path}/*", f"{tmp_path}/"):
        done = lossctl("eval", place, *JSON)
        assert (done.status, done.err) == (0, "")
        assert len(files_of(done)) == 1


def test_a_directory_is_a_data_set_with_all_below_it_but_what_is_hidden(lossctl, tmp_path):
    for name in ("b/part-10.csv", "b/part-9.csv", "a.csv", "c/d/e.csv.gz"):
        body = ROWS.encode()
        write(tmp_path / name, pa.compress(body, "gzip", asbytes=True) if name.endswith(".gz") else body)
    for name in (
        ".git/x.csv",
        "_temporary/0/x.csv",
        ".a.csv",
        "_SUCCESS",
        "b/_committed_1.csv",
        "README.md",
        "b/run.log",
    ):
        write(tmp_path / name, "not rows")
    done = lossctl("eval", tmp_path, *JSON)
    assert (done.status, done.err) == (0, "")
    found = [os.path.relpath(it, tmp_path) for it in files_of(done)]
    assert found == ["a.csv", "b/part-9.csv", "b/part-10.csv", "c/d/e.csv.gz"]
    assert done.json["results"][0]["n"] == 8


def test_a_directory_named_like_what_is_hidden_is_read_when_it_is_named(lossctl, tmp_path):
    write(tmp_path / "_out" / ".run" / "a.csv")
    assert lossctl("eval", tmp_path / "_out" / ".run", *VALUE).out == "2.5\n"


@pytest.mark.parametrize("name", [None, "_SUCCESS", ".hidden.csv"])
def test_a_directory_without_data_files_is_a_data_error(lossctl, tmp_path, name):
    if name:
        write(tmp_path / name)
    done = lossctl("eval", tmp_path, *VALUE)
    assert (done.status, done.out) == (3, "")
    assert f"{tmp_path}: no files" in done.err


def test_a_directory_in_the_name_of_a_file_is_still_a_directory(lossctl, tmp_path):
    """As Spark and Dask write them: ``out.parquet/part-0.parquet``."""
    write(tmp_path / "out.parquet" / "part-0.parquet", pa.table({"y": [1.0, 3.0], "p": [2.0, 5.0]}))
    write(tmp_path / "out.parquet" / "_SUCCESS", b"")
    assert lossctl("eval", tmp_path / "out.parquet", *VALUE).out == "2.5\n"


def test_files_of_several_formats_are_one_data_set(lossctl, tmp_path):
    write(tmp_path / "a.csv", "y,p,g\n1,2,x\n")
    write(tmp_path / "b.jsonl", '{"g":"x","p":5,"y":3}\n')
    write(
        tmp_path / "c.parquet",
        pa.table({"g": ["x"], "y": pa.array([0], pa.int8()), "p": pa.array([0.0], pa.float32())}),
    )
    done = lossctl("eval", tmp_path, "--by", "g", *JSON)
    assert (done.status, done.values) == (0, [5 / 3])


def test_a_file_url_is_a_local_file(lossctl, tmp_path):
    write(tmp_path / "a.csv")
    assert lossctl("eval", f"file://{tmp_path}/a.csv", *VALUE).out == "2.5\n"
    assert lossctl("eval", f"file://{tmp_path}", *VALUE).out == "2.5\n"
    assert lossctl("eval", f"file://{tmp_path}/*.csv", *VALUE).out == "2.5\n"
    assert lossctl("eval", "file:///nowhere/a.csv", *VALUE).status == 3


def test_an_unknown_kind_of_url_lists_the_known_ones(lossctl):
    done = lossctl("eval", "gopher://host/a.csv", *VALUE)
    assert (done.status, done.out) == (2, "")
    assert "s3://" in done.err
    assert "https://" in done.err


def test_the_library_takes_globs_and_directories_too(tmp_path):
    write(tmp_path / "d" / "a.csv")
    for place in (tmp_path / "d", f"{tmp_path}/d/*.csv", [tmp_path / "d", tmp_path / "d" / "a.csv"]):
        assert library.evaluate(place, "mse").value == 2.5


def test_an_expansion_is_in_natural_order(tmp_path):
    names = ["p=2/x10.csv", "p=10/x1.csv", "p=2/x9.csv", "p=1/x.csv"]
    for name in names:
        write(tmp_path / name)
    assert [os.path.relpath(it, tmp_path) for it in expand(str(tmp_path))] == [names[3], names[2], names[0], names[1]]


# --- keys in paths ---------------------------------------------------------------------------------------------------


def test_partition_keys_group_by_the_values_in_the_path(lossctl, hive):
    path, table = hive
    for place in (path, f"{path}/**/*.parquet", f"{path}/*/*/*"):
        done = lossctl("eval", place, "--by", "split,year", "-l", "mae", "-f", "json")
        right = library.evaluate(table, "mae", by=["split", "year"]).to_dict()
        assert done.json["results"] == right["results"]


def test_partition_keys_are_columns_like_others(lossctl, hive, tmp_path):
    path, _ = hive
    target = tmp_path / "out.parquet"
    assert lossctl("samples", path, "-l", "mae", "-o", target).status == 0
    rows = pq.read_table(target)
    assert set(zip(rows["split"].to_pylist(), map(str, rows["year"].to_pylist()), strict=True)) == {
        (split, year) for split in ("train", "test", "dev") for year in ("2023", "2024")
    }
    done = lossctl("samples", path, "-l", "mae", "--top", "3", "-f", "jsonl", "-q")
    assert done.out.count('"split": "dev"') == 1
    assert lossctl("eval", path, "--by", "splt", "-l", "mae").err.count("Did you mean split") == 1
    one = next(path.glob("split=test/year=2024/*.parquet"))
    assert lossctl("eval", one, "--by", "split", *JSON).json["results"][0]["group"] == {"split": "test"}


def test_a_column_of_the_file_wins_over_a_key_of_its_path(lossctl, tmp_path):
    write(tmp_path / "g=path" / "a.csv", "y,p,g\n1,2,file\n")
    done = lossctl("eval", tmp_path, "--by", "g", *JSON)
    assert done.json["results"][0]["group"] == {"g": "file"}


@pytest.mark.parametrize(
    ("folder", "group"),
    [
        ("g=a%20b", "a b"),
        ("g=a%2Fb", "a/b"),
        ("g=%C3%BC", "ü"),
        ("g=x=y", "x=y"),
        ("g=__HIVE_DEFAULT_PARTITION__", None),
        ("g=007", "007"),
        ("g=100%25", "100%"),
    ],
)
def test_partition_keys_are_decoded_as_writers_encode_them(lossctl, tmp_path, folder, group):
    write(tmp_path / folder / "a.csv")
    done = lossctl("eval", tmp_path, "--by", "g", *JSON)
    assert done.status == 0, done.err
    assert done.json["results"][0]["group"] == {"g": group}


def test_partition_keys_written_by_arrow_come_back(lossctl, tmp_path):
    words = ["a b", "a/b", "ü", "x=y", "100%", None]
    table = pa.table({"y": np.zeros(6), "p": np.arange(6.0), "g": words})
    pq.write_to_dataset(table, str(tmp_path / "d"), partition_cols=["g"])
    done = lossctl("eval", tmp_path / "d", "--by", "g", "-l", "mae", "-f", "json")
    assert {(it["group"]["g"], it["value"]) for it in done.json["results"]} == set(zip(words, range(6), strict=True))


@pytest.mark.parametrize("role", ["-w", "-p", "-y"])
def test_a_partition_key_that_is_a_number_may_play_any_role(lossctl, tmp_path, role):
    write(tmp_path / "k=2" / "a.csv", "y,p,w\n1,4,1\n")
    write(tmp_path / "k=3" / "a.csv", "y,p,w\n1,4,1\n")
    roles = {"-y": "y", "-p": "p", "-w": "w"} | {role: "k"}
    done = lossctl("eval", tmp_path, *(it for pair in roles.items() for it in pair), *JSON)
    assert done.status == 0, done.err
    assert done.values == [{"-w": 9.0, "-p": 2.5, "-y": 2.5}[role]]
