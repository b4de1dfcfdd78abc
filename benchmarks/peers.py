"""What a user would type instead, one process for each measurement: ``python benchmarks/peers.py TOOL WORK FILE``.

Each prints a JSON list of numbers: the averages, in the order asked, or by group in the order of the groups.
"""

import json
import sys
from collections.abc import Callable

BLOCK = 1 << 15


def duckdb(work: str, path: str) -> list[float]:
    """SQL from Python."""
    import duckdb as db

    error = "(pred - label)"
    mse, mae, log_cosh = f"avg({error} * {error})", f"avg(abs({error}))", f"avg(ln(cosh({error})))"
    huber = f"avg(case when abs({error}) <= 1 then 0.5 * {error} * {error} else abs({error}) - 0.5 end)"
    if work == "groups":
        query = f'select {huber} from \'{path}\' group by "group" order by "group"'  # noqa: S608  (our own file)
        return [value for (value,) in db.sql(query).fetchall()]
    chosen = {"huber": huber, "mse": mse, "four": f"{mse}, {mae}, {huber}, {log_cosh}"}[work]
    return list(db.sql(f"select {chosen} from '{path}'").fetchall()[0])  # noqa: S608


def polars(work: str, path: str) -> list[float]:
    """A lazy scan and the streaming engine."""
    import polars as pl

    scan = pl.scan_csv(path) if path.endswith(".csv") else pl.scan_parquet(path)
    error = pl.col("pred") - pl.col("label")
    mse, mae = (error * error).mean().alias("mse"), error.abs().mean().alias("mae")
    huber = pl.when(error.abs() <= 1).then(0.5 * error * error).otherwise(error.abs() - 0.5).mean().alias("huber")
    log_cosh = error.cosh().log().mean().alias("log_cosh")
    if work == "groups":
        return scan.group_by("group").agg(huber).sort("group").collect(engine="streaming")["huber"].to_list()
    chosen = {"huber": [huber], "mse": [mse], "four": [mse, mae, huber, log_cosh]}[work]
    return list(scan.select(chosen).collect(engine="streaming").row(0))


def pandas(work: str, path: str) -> list[float]:  # noqa: ARG001  (mse is what scikit-learn has)
    """Two columns read by pandas, averaged by scikit-learn."""
    import pandas as pd
    from sklearn.metrics import mean_squared_error

    frame = pd.read_csv(path, usecols=["label", "pred"])
    return [mean_squared_error(frame["label"], frame["pred"])]


def numpy(work: str, path: str) -> list[float]:
    """The floor under a loss of rows: one exponential of as many numbers, a block in the cache at a time.

    ``exp`` reads no file; ``read-exp`` takes the exponential of what Arrow reads.
    """
    import numpy as np
    import pyarrow.parquet as pq

    out = np.empty(BLOCK)
    source = pq.ParquetFile(path)
    if work == "exp":
        block = np.random.default_rng(7).normal(size=BLOCK)
        for _ in range(source.metadata.num_rows * 1_000 // BLOCK):
            np.exp(block, out=out)
        return []
    name = source.schema_arrow.names[1]
    for batch in source.iter_batches(4_096, columns=[name]):
        values = np.frombuffer(batch.column(0).flatten().buffers()[1])
        for start in range(0, len(values), BLOCK):
            part = values[start : start + BLOCK]
            np.exp(part, out=out[: len(part)])
    return []


def arrow(work: str, path: str) -> list[float]:  # noqa: ARG001  (there is none)
    """The floor under any tool made of NumPy and Arrow: two columns read by a process a core, and nothing computed."""
    from multiprocessing import get_context

    import numpy  # noqa: F401, ICN001  (who reads wants to compute)
    import pyarrow.parquet as pq

    groups = pq.read_metadata(path).num_row_groups
    with get_context("fork").Pool() as pool:
        pool.map(_read, [(path, at) for at in range(groups)], chunksize=1)
    return []


def _read(part: tuple[str, int]) -> None:
    import pyarrow.parquet as pq

    path, group = part
    source = pq.ParquetFile(path, buffer_size=1 << 18, pre_buffer=False)
    for _ in source.iter_batches(1 << 16, row_groups=[group], columns=["label", "pred"], use_threads=False):
        pass


TOOLS: dict[str, Callable[[str, str], list[float]]] = {
    "duckdb": duckdb,
    "polars": polars,
    "pandas": pandas,
    "numpy": numpy,
    "arrow": arrow,
}

if __name__ == "__main__":
    _, _tool, _work, _path = sys.argv
    print(json.dumps(TOOLS[_tool](_work, _path)))
