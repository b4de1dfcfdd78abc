"""What tests of command lines share: known answers to compare with, and small files."""

import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq
import pytest

ESCAPE = "\x1b["

CLOSE = 1e-13
"""Known answers are the exact result rounded; summing doubles may be a few units of the last place away."""

CLASSES = ["p_bird", "p_cat", "p_dog"]


def close(value):
    return pytest.approx(value, rel=CLOSE)


def read_table(path):
    if path.suffix == ".parquet":
        return pq.read_table(path)
    return (pyarrow.csv.read_csv if path.suffix == ".csv" else pyarrow.json.read_json)(path)


def repeated(path, rows):
    """A large CSV whose first row has the largest loss."""
    path.write_bytes(b"y,p\n9.5,0.25\n" + b"1.5,0.25\n" * (rows - 1))
    return path


JSON = ["-l", "mse", "-f", "json", "-q"]

VALUE = ["-l", "mse", "-f", "value", "-q"]


def files_of(done):
    return done.json["inputs"]["files"]
