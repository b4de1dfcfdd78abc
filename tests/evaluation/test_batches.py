"""What a batch costs beside its numbers: calls of Python, which are counted."""

import os
import platform
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl.reading import memory
from lossctl.reading.formats import parquet
from lossctl.sums import compiled

ROWS, BATCHES = 50, 10


def calls(function):
    """How many functions written in Python a call comes to."""
    count = 0

    def called(frame, event, argument):
        nonlocal count
        count += event == "call"

    function()  # what is done once is done
    sys.setprofile(called)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.skipif(compiled.kernels is None, reason="in NumPy what adds up is many calls itself")
@pytest.mark.parametrize("kind", ["table", "parquet"])
@pytest.mark.parametrize(("losses", "most"), [(["huber"], 275), (["huber", "mae"], 415)])
def test_a_batch_takes_few_calls_of_python(monkeypatch, tmp_path, kind, losses, most):
    """However many rows it has: 200,000 of Parquet, of a loss that takes a nanosecond a row."""
    monkeypatch.setattr(memory, "MOST", ROWS)
    monkeypatch.setattr(parquet, "ROWS", ROWS)

    def taken(batches):
        n = ROWS * batches
        table = pa.table({"label": np.arange(n) % 7 / 4, "prediction": np.arange(n) % 5 / 4})
        source = table
        if kind != "table":
            source = tmp_path / f"{batches}.parquet"
            pq.write_table(table, source)
        return calls(lambda: lossctl.evaluate(source, losses, label="label", prediction="prediction", engine="serial"))

    assert (taken(1 + BATCHES) - taken(1)) / BATCHES <= most


FAULTS = """
import resource, sys
import numpy as np
import lossctl

rows = np.random.default_rng(1).normal(size=(1_500, 1_000))
table = {"label": np.arange(len(rows)) % 1_000, "prediction": rows}
asked = {"label": "label", "prediction": "prediction", "from_logits": True, "engine": "serial"}
lossctl.evaluate(table, sys.argv[1], **asked)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
lossctl.evaluate(table, sys.argv[1], **asked)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of other libraries it is not known what they keep")
@pytest.mark.parametrize("loss", ["brier", "categorical_focal", "cross_entropy"])
def test_rows_of_many_numbers_are_measured_in_memory_that_the_process_has(loss):
    """A formula has temporary arrays, which would be 7 pages a row that the system has to clear."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}  # Dask sets such
    done = subprocess.run([sys.executable, "-c", FAULTS, loss], capture_output=True, text=True, check=True, env=own)
    assert int(done.stdout) < 1_500
