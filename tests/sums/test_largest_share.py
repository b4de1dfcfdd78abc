"""What a single row carries of the sum of squares is the most that any does, whatever the weights and the level."""

from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from influences import influence, top_share

import lossctl

DRAWN = np.random.default_rng(3)
ROWS = 120


def drawn(level: float, *, heavy: bool) -> dict[str, np.ndarray]:
    """Predictions of two models that are off by ``level`` and more of it, of rows of like or unlike weights."""
    common = 4.0 + DRAWN.standard_normal(ROWS)
    return {
        "label": np.zeros(ROWS),
        "a": common,
        "b": common + level + DRAWN.standard_t(3, ROWS),
        "weight": DRAWN.lognormal(0.0, 1.5 if heavy else 0.1, ROWS),
        "g": DRAWN.integers(0, 3, ROWS),
    }


def shares(source: dict[str, np.ndarray], loss: str, weight: np.ndarray, rows: np.ndarray) -> float:
    """The largest share among some rows, by the formula."""
    w, moved = weight[rows], []
    for name in ("a", "b"):
        value = np.abs(source[name])[rows] ** (2 if loss == "rmse" else 1)
        mean = (w * value).sum() / w.sum()
        moved.append(w * (value - mean) * (0.5 / np.sqrt(mean) if loss == "rmse" else 1.0))
    squares = (moved[1] - moved[0]) ** 2
    return float(squares.max() / squares.sum())


@pytest.mark.parametrize(
    ("level", "heavy", "loss", "weighted"),
    list(product((0.0, 3.0, 300.0), (False, True), ("mae", "rmse"), (False, True))),
)
def test_the_row_that_carries_most_is_found_at_any_level_and_weight(
    level: float, heavy: bool, loss: str, weighted: bool
) -> None:
    source = drawn(level, heavy=heavy)
    weight = source["weight"] if weighted else np.ones(ROWS)
    compared = lossctl.compare(
        source, loss, label="label", prediction=["a", "b"], weight="weight" if weighted else None, by="g"
    )
    found = {result.group["g"]: result.top_share for result in compared.results}
    expected = {str(group): shares(source, loss, weight, source["g"] == group) for group in range(3)}
    assert found == pytest.approx(expected, rel=1e-6)
    # of all groups together it is sought among those of the groups, and so may be a little less
    (overall,) = compared.overall
    most = shares(source, loss, weight, np.ones(ROWS, dtype=bool))
    assert 0.5 * most <= overall.top_share <= most * (1 + 1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum", "root-mean"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_of_one_batch_it_is_that_of_numpy_and_of_a_sum_whatever_the_batches(tmp_path, reduction, weighted, seed):
    random = np.random.default_rng(seed)
    n = 900
    weight = random.lognormal(0.0, 2.0, n) if weighted else np.ones(n)
    frame = pa.table(
        {
            "y": np.zeros(n),
            "p": random.standard_t(3, n),
            "q": random.standard_t(3, n),
            "w": weight,
            "g": ["a", "b"] * (n // 2),
        }
    )
    paths = {size: tmp_path / f"{size}.parquet" for size in (n, 100)}
    for size, path in paths.items():
        pq.write_table(frame, path, row_group_size=size)
    moved = [influence(frame[name].to_numpy() ** 2, weight, reduction)[1] for name in ("p", "q")]
    most = top_share(moved[1] - moved[0])
    asked = {"label": "y", "prediction": ["p", "q"], "weight": "w" if weighted else None, "reduction": reduction}
    for size, path in paths.items():
        whole = lossctl.compare(path, "mse", **asked).results[0].top_share
        pooled = lossctl.compare(path, "mse", **asked, by="g").overall[0].top_share
        exact = reduction == "sum" or (reduction == "mean" and not weighted)
        for share, one in ((whole, exact or size == n), (pooled, exact)):
            assert share == pytest.approx(most, rel=1e-9) if one else share <= most * (1 + 1e-9)


@pytest.mark.parametrize("weight", [1e-100, 1e-160, 1e-200, 1e-300])
def test_a_row_beside_which_others_weigh_nothing_has_a_share(weight):
    """Of two rows each carries half, which is not seen where what one moves is all rounding."""
    a, b = (0.5906733539484723, 0.9083580214295498), (0.1575833380778746, 0.5751901138286711)
    table = {"label": [0.0, 0.0], "a": a, "b": b, "weight": [weight, 1.0]}
    (one,) = lossctl.compare(table, "fair", prediction=["a", "b"], weight="weight").results
    assert 0.5 <= one.top_share <= 1.0
