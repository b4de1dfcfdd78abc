"""Tables and clusters that tests share."""

import struct
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import write_groups, write_lines
from ways import LARGE, run


@pytest.fixture
def kaggle(tmp_path):
    """A submission and its solution, the same column in both."""
    submission = write_lines(tmp_path / "submission.csv", "id,target", "a,1", "b,2.5", "c,4")
    solution = write_lines(tmp_path / "solution.csv", "id,target,Usage", "c,3,Public", "a,1,Private", "b,2,Public")
    return submission, solution


@pytest.fixture(scope="module")
def known_to_workers(request):
    """Functions of the module travel by value: workers cannot import it."""
    cloudpickle = pytest.importorskip("cloudpickle", reason="needs lossctl[dask]")
    cloudpickle.register_pickle_by_value(request.module)
    yield
    cloudpickle.unregister_pickle_by_value(request.module)


@pytest.fixture(scope="module")
def at_the_cluster(request):
    """Runs on Dask go to one cluster of two processes, which is what Dask is configured for meanwhile."""
    if not find_spec("distributed"):
        yield
        return
    import dask

    request.getfixturevalue("known_to_workers")
    with dask.config.set({"scheduler-address": request.getfixturevalue("cluster").scheduler_address}):
        yield


@pytest.fixture(scope="module")
def many_scales():
    """110 000 rows over many scales: a plain float sum of them depends on its order in the eleventh digit."""
    rng = np.random.default_rng(11)
    n = 110_001
    label = rng.normal(size=n)
    return pa.table(
        {
            "y": label,
            "p": label + rng.standard_t(2, size=n) * 10.0 ** rng.integers(-6, 4, n),
            "q": label + rng.normal(scale=0.3, size=n),
            "w": rng.lognormal(size=n),
            "g": pa.array(np.array([f"group {at}" for at in range(23)])[np.minimum(rng.geometric(0.2, n) - 1, 22)]),
        }
    )


@pytest.fixture(scope="module")
def large(many_scales, tmp_path_factory):
    """The rows in seven row groups, one of a single row, one of more than a batch."""
    sizes = [70_000, 1, 16_384, 16_383, 500, 999]
    return write_groups(many_scales, tmp_path_factory.mktemp("large") / "rows.parquet", sizes)


@pytest.fixture(scope="module")
def answer(large):
    """What the serial engine says of it."""
    return run(large, LARGE, gradient=True, samples=4, engine="serial")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(3)
    n = 20_000
    label = np.round(rng.normal(size=n), 2)
    prediction = label + rng.standard_t(2, size=n) * 10.0 ** rng.integers(-6, 4, n)
    return pa.table({"label": label, "prediction": prediction, "g": pa.array([f"group {at % 7}" for at in range(n)])})


@pytest.fixture(scope="module")
def stored(table, tmp_path_factory):
    """The table in twenty row groups."""
    path = tmp_path_factory.mktemp("stored") / "rows.parquet"
    pq.write_table(table, path, row_group_size=1000)
    return path


@pytest.fixture
def damaged_stream(tmp_path):
    """An Arrow stream of three batches; in the second, a text ends beyond its bytes."""
    path = tmp_path / "rows.arrows"
    table = pa.table({"y": np.zeros(300), "p": np.ones(300), "t": ["abc"] * 300})
    with pa.ipc.new_stream(path, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=100):
            writer.write_batch(batch)
    body = bytearray(path.read_bytes())
    ends = np.arange(0, 303, 3, dtype=np.int32).tobytes()
    second = body.find(ends, body.find(ends) + 1)
    last = second + len(ends) - 4
    body[last : last + 4] = struct.pack("<i", 2**31 - 1)
    path.write_bytes(body)
    return path
