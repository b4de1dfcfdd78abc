"""Losses and gradients against 50-digit arithmetic; each table in tests/reference says how it was made."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from lossctl import get_loss

pytestmark = pytest.mark.lowest

TABLES = sorted((Path(__file__).parents[1] / "reference").glob("*.csv"))


def numbers(cell):
    return np.array([float(word) for word in cell.split()])


def rows_of(table):
    with table.open() as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def relative(found, true):
    if found == true:
        return 0.0
    return abs(found - true) / abs(true) if true and math.isfinite(true) else math.inf


@pytest.mark.parametrize("table", TABLES, ids=lambda it: it.stem)
def test_values_to_4e_15_and_gradients_to_1e_13_of_exact_arithmetic(table):
    rows = rows_of(table)
    assert len(rows) >= 25
    for row in rows:
        bound = get_loss(f"{table.stem}:{row['parameters']}")
        if row["activation"]:
            bound = bound.through(row["activation"])
        label, prediction = numbers(row["label"]), numbers(row["prediction"])
        if bound.rows:
            prediction = prediction[None, :]
            label = label if len(label) == 1 else label[None, :]
        value, slope = bound.value(label, prediction)[0], bound.gradient(label, prediction).ravel()
        assert relative(value, float(row["value"])) <= 4e-15, row
        worst = max(relative(*pair) for pair in zip(slope, numbers(row["gradient"]), strict=True))
        assert worst <= 1e-13, (row, slope)


def test_every_kernel_of_the_core_set_has_a_table():
    shared = {"rmse", "l2", "l1", "rmsle", "perplexity"}  # kernels of others under another reduction
    from lossctl.functions.loss import losses

    assert {it.name for it in losses} - shared == {table.stem for table in TABLES}
