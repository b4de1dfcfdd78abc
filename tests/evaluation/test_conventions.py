"""What other libraries do of weights, classes, columns and gaps: their number on every engine, of files, in a gate."""

import numpy as np
import pyarrow as pa
import pytest
from stored import write_groups
from ways import in_turn

import lossctl

pytestmark = pytest.mark.usefixtures("at_the_cluster")

RNG = np.random.default_rng(4)
N, K = 48, 3
GROUP, WEIGHT = np.arange(N) % 2, RNG.uniform(0.2, 3.0, N)
BITS, REAL, WIDE = RNG.integers(0, 2, N) * 1.0, RNG.normal(size=N), RNG.normal(size=(N, K))
CODES, CLASS_WEIGHT = RNG.integers(0, K, N), np.array([2.0, 0.5, 1.0])
PADDED = np.where(np.arange(N) % 7 == 0, -100, CODES)
GAPS = np.where((RNG.random((N, K)) < 0.2) & (np.arange(K) > 0), np.nan, WIDE)
CHANCES = np.where(np.arange(N) % 9 == 0, 1.0 - BITS, RNG.uniform(0.05, 0.95, (2, N)))
"""Some are as wrong as they can be."""
GUESSES, WIDE_GUESSES, POSITIVE = RNG.normal(size=(2, N)), RNG.normal(size=(2, N, K)), RNG.uniform(0.1, 2.0, (2, N, K))


def keras_bce(rows, p):
    loss = -np.log(np.maximum(np.where(BITS[rows] == 1, p, 1.0 - p), 1e-7))
    return (WEIGHT[rows] * np.where(BITS[rows] == 1, 3.0, 1.0) * loss).sum() / rows.sum()


def keras_cross_entropy(rows, p):
    chosen = np.take_along_axis(p / p.sum(axis=1, keepdims=True), CODES[rows][:, None], axis=1)[:, 0]
    return -(CLASS_WEIGHT[CODES[rows]] * np.log(chosen)).sum() / rows.sum()


def torch_cross_entropy(rows, z):
    real = PADDED[rows] >= 0
    z, codes = z[real], PADDED[rows][real]
    loss = np.log(np.exp(z).sum(axis=1)) - np.take_along_axis(z, codes[:, None], axis=1)[:, 0]
    return (CLASS_WEIGHT[codes] * loss).sum() / CLASS_WEIGHT[codes].sum()


def sklearn_mape(rows, p):
    metrics = pytest.importorskip("sklearn.metrics")
    return metrics.mean_absolute_percentage_error(REAL[rows], p, sample_weight=WEIGHT[rows])


def dl4j_l2(rows, p):
    return np.nansum(np.square(p - GAPS[rows])) / rows.sum()


def catboost_rmse(rows, p):
    squares = np.square(p - WIDE[rows]).sum(axis=1)
    return np.sqrt((WEIGHT[rows] * squares).sum() / WEIGHT[rows].sum())


WEIGHTED, CLASSES = {"weight": "w"}, {"class_weight": "2,0.5,1"}
CASES = [
    (keras_bce, BITS, CHANCES, {**WEIGHTED, "class_weight": "1=3"}),
    (keras_cross_entropy, CODES, POSITIVE, CLASSES),
    (torch_cross_entropy, PADDED, WIDE_GUESSES, {**CLASSES, "from_logits": True}),
    (sklearn_mape, REAL, GUESSES, WEIGHTED),
    (dl4j_l2, GAPS, WIDE_GUESSES, {"mask_null": True}),
    (catboost_rmse, WIDE, WIDE_GUESSES, WEIGHTED),
]


def column(values):
    cells = values.tolist()
    return pa.array(cells if values.ndim == 1 else [[None if np.isnan(x) else x for x in row] for row in cells])


def test_the_number_of_a_library_is_the_same_on_every_engine_of_two_files_and_in_a_gate(tmp_path):
    for (theirs, label, models, asked), engine, threads in in_turn(CASES, 0):
        peer, _, loss = theirs.__name__.partition("_")
        names, run = {"label": "y", "compat": peer, **asked}, {"engine": engine, "threads": threads}
        shared = {"y": column(label), "w": WEIGHT, "g": GROUP, "k": np.arange(N)}
        files = [
            write_groups(pa.table({**shared, "p": column(model)}), tmp_path / f"{name}.parquet", sizes)
            for name, model, sizes in zip("pq", models, ([5, 20, 1, 22], [30, 18]), strict=True)
        ]
        every = np.ones(N, bool)
        value = theirs(every, models[0])
        asked_of_both = {"others": files[1], "ids": "k", "by": "g", **names}
        moved = lossctl.compare(files[0], loss, **asked_of_both, **run).results
        for one in moved:
            rows = int(one.group["g"]) == GROUP
            p, q = (theirs(rows, model[rows]) for model in models)
            assert one.difference == pytest.approx(q - p, rel=1e-9, abs=1e-14), theirs
        serial = lossctl.compare(files[0], loss, **asked_of_both, engine="serial").results
        assert [*map(repr, moved)] == [*map(repr, serial)], theirs
        gates = [
            {"name": name, "loss": loss, "max": float(value * (1 + margin)), "fail_if": "point"}
            for name, margin in (("just above", 1e-9), ("just below", -1e-9))
        ]
        verdicts = lossctl.check_gates(gates, files[0], **names, **run).verdicts
        assert [one.state for one in verdicts] == ["pass", "fail"], theirs
