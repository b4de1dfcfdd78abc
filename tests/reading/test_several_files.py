"""Several files that differ are one data set where they agree in what is needed."""

import pyarrow as pa
import pytest
from stored import read_back, write
from transcripts import VALUE

from lossctl.reading.files import open_source


@pytest.mark.parametrize("command", ["eval", "samples"])
@pytest.mark.parametrize("top", [[], ["--top", "2"]], ids=["", "top"])
def test_a_needed_column_missing_in_one_file_names_both(lossctl, tmp_path, command, top):
    if command == "eval" and top:
        return
    first, second = write(tmp_path / "a.csv", "y,p,w\n1,2,1\n"), write(tmp_path / "b.csv")
    done = lossctl(command, first, second, "-w", "w", "-l", "mse", *top)
    assert (done.status, done.err.count("bug")) == (3, 0)
    assert str(first) in done.err
    assert str(second) in done.err
    assert "'w'" in done.err


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_a_needed_column_of_another_kind_in_one_file_names_both(lossctl, tmp_path, suffix):
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    if suffix == ".parquet":
        write(first, pa.table({"y": [0, 1], "p": [[0.5, 0.5], [0.25, 0.75]]}))
        write(second, pa.table({"y": [0, 1], "p": [0.5, 0.5]}))
    else:
        write(first, '{"y":0,"p":[0.5,0.5]}\n')
        write(second, '{"y":0,"p":0.5}\n')
    for files in ((first, second), (second, first)):
        done = lossctl("eval", *files, "-l", "cross_entropy" if files[0] == first else "bce")
        assert (done.status, done.out) == (3, "")
        assert str(first) in done.err
        assert str(second) in done.err
        assert "'p'" in done.err


def test_vectors_of_another_length_in_the_second_file_are_placed(lossctl, tmp_path):
    first = write(tmp_path / "a.parquet", pa.table({"y": [0, 1], "p": [[0.5, 0.5], [0.25, 0.75]]}))
    second = write(tmp_path / "b.parquet", pa.table({"y": [0, 1], "p": [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]}))
    done = lossctl("eval", first, second, "-l", "cross_entropy")
    assert (done.status, done.out) == (3, "")
    assert f"{second}: row 1: " in done.err


@pytest.mark.parametrize("order", [1, -1])
def test_columns_that_nobody_asked_for_may_differ(lossctl, tmp_path, order):
    files = [write(tmp_path / "a.csv", "note,y,p\nx,1,2\n"), write(tmp_path / "b.csv", "p,more,y\n5,1,3\n")][::order]
    done = lossctl("eval", *files, *VALUE)
    assert (done.status, done.out) == (0, "2.5\n"), done.err


@pytest.mark.parametrize("target", [".csv", ".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("top", [[], ["--top", "9"]], ids=["all", "top"])
def test_samples_of_files_with_columns_in_another_order_keep_them_apart(lossctl, tmp_path, target, top):
    files = [write(tmp_path / "a.csv", "y,p,a,b\n1,2,11,12\n"), write(tmp_path / "b.csv", "b,a,p,y\n22,21,5,3\n")]
    done = lossctl("samples", *files, "-l", "mse", "-o", tmp_path / f"out{target}", *top)
    assert done.status == 0, done.err
    rows = sorted((int(row["a"]), int(row["b"])) for row in read_back(tmp_path / f"out{target}"))
    assert rows == [(11, 12), (21, 22)]


@pytest.mark.parametrize("target", [".csv", ".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize(
    "cells", [("1", "0.5"), ("0.5", "1"), ("1", "x"), ("x", "1"), ("", "x"), ("true", "x"), ("", "7")]
)
@pytest.mark.parametrize("top", [[], ["--top", "9"]], ids=["all", "top"])
def test_samples_of_files_whose_carried_column_differs_in_type_lose_nothing(lossctl, tmp_path, target, cells, top):
    files = [write(tmp_path / f"{at}.csv", f"y,p,note\n1,2,{cell}\n") for at, cell in enumerate(cells)]
    done = lossctl("samples", *files, "-l", "mse", "-o", tmp_path / f"out{target}", *top)
    assert done.status == 0, done.err
    found = ["" if row["note"] is None else str(row["note"]).lower() for row in read_back(tmp_path / f"out{target}")]
    assert found in (list(cells), [f"{cell}.0" if cell in {"1", "7"} else cell for cell in cells])


def test_parquet_files_of_other_numeric_types_are_one_data_set(lossctl, tmp_path):
    for at, kind in enumerate((pa.float32(), pa.int8(), pa.float64(), pa.decimal128(24, 2))):
        write(
            tmp_path / f"{at}.parquet", pa.table({"y": pa.array([1, 3]).cast(kind), "p": pa.array([2, 5]).cast(kind)})
        )
    assert lossctl("eval", tmp_path, *VALUE).out == "2.5\n"


@pytest.mark.parametrize(
    ("command", "twin"),
    [("eval", twin) for twin in ("itself", "glob", "folder", "another way", "URL", "symlink", "hard link")]
    + [(command, "symlink") for command in ("samples", "doctor", "plot")],
)
def test_a_file_that_is_named_twice_is_warned_of(lossctl, tmp_path, command, twin):
    folder = tmp_path / "data"
    folder.mkdir()
    first, other = write(folder / "a.csv", "y,p\n1,2\n"), tmp_path / "b.csv"
    write(folder / "c.csv", "y,p\n1,2\n")  # equal rows are no reason
    if twin == "symlink":
        other.symlink_to(first)
    elif twin == "hard link":
        other.hardlink_to(first)
    else:
        names = {"itself": first, "glob": folder / "*.csv", "folder": folder, "URL": f"file://{first}"}
        other = names.get(twin, f"{folder}/../data/a.csv")
    asked = ["-y", "y", "-p", "p", "-l", "mse"]
    for files in ([first, other], [other, first]):
        done = lossctl(command, *files, *asked)
        assert done.status == 0
        assert "its rows count again" in done.err
        assert str(first) in done.err
    assert "count again" not in lossctl(command, folder, *asked).err
    if command == "eval":
        (warning,) = lossctl(command, first, other, *asked, "-f", "json").json["warnings"]
        assert "its rows count again" in warning


def test_a_file_whose_name_says_no_format_can_be_read_again(tmp_path):
    paths = [tmp_path / name for name in ("a.csv", "b.txt", "c")]
    for path in paths:
        path.write_text("y,p\n1,2\n")
    assert not open_source([*map(str, paths)]).once
    assert not open_source([str(paths[1])]).once
