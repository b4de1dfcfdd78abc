"""What a user would type instead, one process for each measurement: ``python benchmarks/peers.py TOOL WORK FILE``.

Each prints a JSON list of numbers: the averages, in the order asked, or by group in the order of the groups. Those of
the same answer print results as a report of lossctl has them, with ``value``, ``standard_error``, and how many losses
are null, NaN and infinite.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

BLOCK = 1 << 15
FOUR = ("mse", "mae", "huber", "log_cosh")


def asked(work: str) -> tuple[str, ...]:
    """The losses of some work."""
    return {"four": FOUR, "groups": ("huber",)}.get(work, (work,))


def formulas(error: str) -> dict[str, str]:
    """Losses in SQL."""
    return {
        "mse": f"{error} * {error}",
        "mae": f"abs({error})",
        "huber": f"case when abs({error}) <= 1 then 0.5 * {error} * {error} else abs({error}) - 0.5 end",
        "log_cosh": f"ln(cosh({error}))",
    }


def duckdb(work: str, path: str) -> list[float]:
    """SQL from Python."""
    import duckdb as db

    averages = [f"avg({formulas('(pred - label)')[loss]})" for loss in asked(work)]
    if work == "groups":
        query = f"""select {averages[0]} from '{path}' group by "group" order by "group" """  # noqa: S608  (our own file)
        return [value for (value,) in db.sql(query).fetchall()]
    return list(db.sql(f"select {', '.join(averages)} from '{path}'").fetchall()[0])  # noqa: S608


def duckdb_same(work: str, path: str) -> dict[str, Any]:
    """Compensated means, standard errors, and counts, of the first loss: one error makes all losses what they are."""
    import duckdb as db

    losses, formula = asked(work), formulas("(pred - label)")
    chosen = [f"fsum({loss}) / count({loss}), stddev_samp({loss}) / sqrt(count({loss}))" for loss in losses]
    first = losses[0]
    counts = f"count(*) - count({first}), count_if(isnan({first})), count_if(isinf({first}))"
    inner = ", ".join(f"{formula[loss]} as {loss}" for loss in losses)
    grouped = "group by g order by g" if work == "groups" else ""
    group, rows = ("g", 'select "group" as g, ') if grouped else ("0", "select ")
    query = f"select {group}, {counts}, {', '.join(chosen)} from ({rows}{inner} from '{path}') {grouped}"  # noqa: S608
    return report(db.sql(query).fetchall(), work)


def polars(work: str, path: str) -> list[float]:
    """A lazy scan and the streaming engine."""
    scan, losses = scanned(path)
    means = [losses[loss].mean().alias(loss) for loss in asked(work)]
    if work == "groups":
        return scan.group_by("group").agg(means).sort("group").collect(engine="streaming")["huber"].to_list()
    return list(scan.select(means).collect(engine="streaming").row(0))


def polars_same(work: str, path: str) -> dict[str, Any]:
    """What DuckDB is asked, but the sum is a plain one: Polars has no other."""
    import polars as pl

    scan, losses = scanned(path)
    names = asked(work)
    first = pl.col(names[0])
    figures = [
        first.null_count().alias("nulls"),
        first.is_nan().sum().alias("nan"),
        first.is_infinite().sum().alias("inf"),
    ]
    for name in names:
        loss = pl.col(name)
        figures += [loss.mean().alias(f"{name}_mean"), (loss.std() / loss.count().sqrt()).alias(f"{name}_error")]
    columns = [losses[name].alias(name) for name in names]  # once, which is faster than in each figure
    if work == "groups":
        grouped = scan.select("group", *columns).group_by("group").agg(figures).sort("group")
        return report(grouped.collect(engine="streaming").rows(), work)
    return report([(0, *scan.select(columns).select(figures).collect(engine="streaming").row(0))], work)


def scanned(path: str) -> tuple[Any, dict[str, Any]]:
    """A lazy file, and losses in the words of Polars."""
    import polars as pl

    scan = pl.scan_csv(path) if path.endswith(".csv") else pl.scan_parquet(path)
    error = pl.col("pred") - pl.col("label")
    return scan, {
        "mse": error * error,
        "mae": error.abs(),
        "huber": pl.when(error.abs() <= 1).then(0.5 * error * error).otherwise(error.abs() - 0.5),
        "log_cosh": error.cosh().log(),
    }


def report(rows: list[tuple[Any, ...]], work: str) -> dict[str, Any]:
    """What lossctl would print, from the group, three counts, and mean and error of each loss."""
    results = []
    for group, nulls, nan, infinite, *pairs in rows:
        counts = {"group": {"group": group} if work == "groups" else None, "null": nulls, "nan": nan, "inf": infinite}
        results += [
            {**counts, "value": mean, "standard_error": error}
            for mean, error in zip(pairs[::2], pairs[1::2], strict=True)
        ]
    return {"results": results}


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
    source = pq.ParquetFile(path, buffer_size=1 << 16, pre_buffer=False)
    for _ in source.iter_batches(200_000, row_groups=[group], columns=["label", "pred"], use_threads=False):
        pass


TOOLS: dict[str, Callable[[str, str], Any]] = {
    "duckdb": duckdb,
    "polars": polars,
    "duckdb-same": duckdb_same,
    "polars-same": polars_same,
    "pandas": pandas,
    "numpy": numpy,
    "arrow": arrow,
}

if __name__ == "__main__":
    _, _tool, _work, _path = sys.argv
    print(json.dumps(TOOLS[_tool](_work, _path)))
