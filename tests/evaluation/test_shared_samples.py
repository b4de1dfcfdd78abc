"""All rows with their losses, made by several workers: the bytes of one, in order, whatever the rows hold."""

import json

import numpy as np
import pyarrow as pa
import pytest
from stored import stored

from lossctl.evaluation import shared_samples
from lossctl.reading import lines, numbered

ROWS = 40
SHARED = [("threads", 2), ("processes", 2)]


@pytest.fixture
def small(monkeypatch):
    """Slices of seven rows, ranges of 300 bytes, and no more than 250 bytes made of a shard."""
    monkeypatch.setattr(numbered, "ROWS", 7)
    monkeypatch.setattr(shared_samples, "HELD", 250)
    monkeypatch.setattr(lines, "RANGE", 300)
    monkeypatch.setattr("lossctl.reading.formats.delimited.RANGE", 300)


def table(words):
    label = np.arange(ROWS, dtype=float)
    return pa.table({"y": label, "p": label + label % 3, "w": (label % 4 > 0) * 1.0, "word": words})


FILES = {
    "plain.csv": ["word"] * ROWS,
    "quoted.parquet": ["x, y" if row > 30 else "z" for row in range(ROWS)],
    "line_ends_in_quotes.csv": ["two\nlines" if row in {9, 22} else "one" for row in range(ROWS)],
    "again.jsonl": ["%s"] * ROWS,
}


def run(lossctl, folder, files, target, *more):
    out = folder / f"out{target}"
    done = lossctl("samples", *files, "-l", "mse", "-y", "y", "-p", "p", "-o", out, *more)
    return done.status, done.err.replace(str(out), "OUT"), out.read_bytes() if out.exists() else None


@pytest.mark.parametrize("target", [".csv", ".jsonl", ".json", ".parquet"])
def test_who_makes_the_rows_changes_no_byte(lossctl, tmp_path, small, target):
    files = [tmp_path / name for name in FILES]
    for file in files:
        file.write_bytes(stored(table(FILES[file.name]), file.suffix))
    more = ["-w", "w", "--where", "y != 12"]
    alone = run(lossctl, tmp_path, files, target, "--engine", "serial", *more)
    assert alone[0] == 0
    for engine, threads in SHARED:
        assert run(lossctl, tmp_path, files, target, "--engine", engine, "--threads", threads, *more) == alone
    if target == ".jsonl":
        rows = [json.loads(line) for line in alone[2].splitlines()]
        expected = [row for row in range(ROWS) if row % 4 and row != 12]
        assert [row["row"] - 1 for row in rows] == [row["y"] for row in rows] == expected * len(files)
        assert [row["loss"] for row in rows] == [float((row % 3) ** 2) for row in expected] * len(files)


@pytest.mark.parametrize("wrong", [0, 3, 1000])
def test_rows_that_are_miscounted_are_numbered_as_they_are(lossctl, tmp_path, small, monkeypatch, wrong):
    path = tmp_path / "rows.csv"
    path.write_bytes(stored(table(FILES["plain.csv"]), ".csv"))
    alone = run(lossctl, tmp_path, [path], ".csv", "--engine", "serial")
    monkeypatch.setattr(numbered, "_rows", lambda *_: wrong)
    assert run(lossctl, tmp_path, [path], ".csv", "--engine", "threads", "--threads", 2) == alone


@pytest.mark.parametrize(
    ("cell", "what"), [("x", "not a number"), ("-1", "finite number"), ("1,1", "fields"), ("", "null")]
)
def test_what_is_wrong_with_a_row_is_said_after_the_rows_before_it(lossctl, tmp_path, small, cell, what):
    rows = [f"{row},{row + row % 3},{cell if row == 33 else 1}" for row in range(ROWS)]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["y,p,w", *rows, ""]))
    asked = ["samples", path, "-l", "mse", "-y", "y", "-p", "p", "-w", "w"]
    alone = lossctl(*asked, "--engine", "serial")
    assert alone.status != 0
    assert what in alone.err
    assert "row 34" in alone.err
    for engine, threads in SHARED:
        done = lossctl(*asked, "--engine", engine, "--threads", threads)
        assert (done.status, done.out, done.err) == (alone.status, alone.out, alone.err)
    assert run(lossctl, tmp_path, [path], ".csv", "-w", "w", "--threads", 2)[2] is None
