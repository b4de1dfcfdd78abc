"""What a batch costs beside its numbers: calls of Python, which are counted."""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl.reading import memory
from lossctl.reading.formats import parquet

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
