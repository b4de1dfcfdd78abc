"""A cell that cannot be read as its role demands is numbered in its file, however far into a part of it."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl

ROWS = 200_000
"""More than are read at once."""
BAD = 199_990


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    words, days = ["1"] * ROWS, ["2024-03-05"] * ROWS
    words[BAD - 1], days[BAD - 1] = "soon", "soon"
    path = tmp_path_factory.mktemp("far") / "far.parquet"
    zeros = np.zeros(ROWS)
    pq.write_table(pa.table({"y": zeros, "p": zeros, "k": np.arange(ROWS), "v": words, "d": days}), path)
    return path


@pytest.mark.parametrize("where", [None, "k > 1000 and k != 150000"])
@pytest.mark.parametrize("role", [{"weight": "v"}, {"by": "v:4"}, {"by": "d:day"}])
def test_a_bad_cell_is_numbered_in_its_file(far, role, where):
    asked = {"label": "y", "prediction": "p", **role, "where": where, "engine": "serial"}
    with pytest.raises(lossctl.DataError, match=f"row {BAD:,}: column '[vd]' holds 'soon'"):
        lossctl.evaluate(far, "mae", **asked)
