"""A function called from Python on columns that are in memory, timed alone: ``python benchmarks/calls.py TOOL FILE``.

Prints its value and the seconds it took, by the clock and of all cores. Reading, imports and a first call on a few rows
come before.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BLOCK = 1 << 14
CLASSES = 1_000
FEW = 1_000


def lossctl(table: pa.Table) -> Callable[[int], float]:
    """What is judged: a table as Arrow reads it."""
    from lossctl import evaluate

    return lambda rows: evaluate(table[:rows], "huber", label="label", prediction="pred").value


def scikit_learn(table: pa.Table) -> Callable[[int], float]:
    """The loss that scikit-learn has, of arrays."""
    from sklearn.metrics import mean_squared_error

    label, pred = arrays(table)
    return lambda rows: mean_squared_error(label[:rows], pred[:rows])


def numpy(table: pa.Table) -> Callable[[int], float]:
    """The formula, as one types it."""
    label, pred = arrays(table)
    return lambda rows: huber(label[:rows], pred[:rows]).mean()


def numpy_blocks(table: pa.Table) -> Callable[[int], float]:
    """The floor under the formula in NumPy: a block in the cache at a time, on one thread."""
    label, pred = arrays(table)

    def mean(rows: int) -> float:
        starts = range(0, rows, BLOCK)
        return sum(huber(label[at:rows][:BLOCK], pred[at:rows][:BLOCK]).sum() for at in starts) / rows

    return mean


def classes(table: pa.Table) -> Callable[[int], float]:
    """What is judged where a row has a thousand classes: probabilities as lists, or scores, as the column is called."""
    from lossctl import evaluate

    scores = "logit" in table.column_names
    asked = {"label": "label", "prediction": "logit" if scores else "prob", "from_logits": scores}
    return lambda rows: evaluate(table[:rows], "cross_entropy", **asked).value


def exp(_: pa.Table) -> Callable[[int], float]:
    """The floor under a loss of rows: one exponential of as many numbers, a block in the cache at a time."""
    block, out = np.random.default_rng(7).normal(size=BLOCK), np.empty(BLOCK)

    def taken(rows: int) -> float:
        for _ in range(rows * CLASSES // BLOCK):
            np.exp(block, out=out)
        return float(out[0])

    return taken


def huber(label: np.ndarray[Any, Any], pred: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    error = np.abs(pred - label)
    return np.where(error <= 1, 0.5 * error * error, error - 0.5)


def arrays(table: pa.Table) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Both columns, each in one piece."""
    return table["label"].to_numpy(), table["pred"].to_numpy()


TOOLS: dict[str, Callable[[pa.Table], Callable[[int], float]]] = {
    "lossctl": lossctl,
    "scikit-learn": scikit_learn,
    "numpy": numpy,
    "numpy-blocks": numpy_blocks,
    "classes": classes,
    "exp": exp,
}


def main() -> None:
    """Time one call."""
    _, tool, path = sys.argv
    names = pq.read_schema(path).names
    table = pq.read_table(path, columns=[name for name in ("label", "pred", "logit", "prob") if name in names][:2])
    called = TOOLS[tool](table)
    called(min(FEW, len(table)))
    wall, cpu = time.perf_counter(), time.process_time()
    value = called(len(table))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"results": [{"value": float(value)}], "wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main()
