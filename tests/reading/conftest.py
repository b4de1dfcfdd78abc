"""Tables that the tests of readers share."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from figures import digits
from stored import ASKED
from waiting import HANGS

import lossctl

NASTY = ["plain", "a,b", 'say "x"', "two\nlines", "tab\there", "über", "NA", "null", "1", "007", " x ", None, "1e5"]


@pytest.fixture(scope="module")
def everything():
    """Numbers of every size and text of every kind."""
    rng = np.random.default_rng(8)
    rows = 13 * 12
    numbers = {name: rng.normal(size=rows) * 10.0 ** rng.integers(-30, 30, rows) for name in ("y", "p", "q")}
    return pa.table({**numbers, "w": rng.integers(0, 9, rows) / 8, "g": pa.array(NASTY * 12)})


@pytest.fixture(scope="module")
def expected(everything):
    return digits(lossctl.evaluate(everything, **ASKED, label="y"))


@pytest.fixture
def piped(plain_environment):
    """Run a command line in a process of its own with bytes on its stdin."""

    def call(body, *arguments, **environment):
        command = [sys.executable, "-m", "lossctl", *map(str, arguments)]
        done = subprocess.run(
            command, input=body, capture_output=True, env=plain_environment(**environment), timeout=HANGS
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return call


@pytest.fixture
def hive(tmp_path):
    """A data set partitioned as Hive would, its keys in the paths only."""
    pa_table = pa.table({
        "y": np.zeros(12), "p": np.arange(12.0), "split": ["train", "test", "dev"] * 4, "year": [2023, 2024] * 6,
    })  # fmt: skip
    pq.write_to_dataset(pa_table, str(tmp_path / "hive"), partition_cols=["split", "year"])
    return tmp_path / "hive", pa_table
