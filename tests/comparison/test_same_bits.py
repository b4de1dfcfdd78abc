"""No digit of a difference depends on how rows are cut, nor on their order where that has no meaning.

There are two exceptions. Standard errors of rows that move by themselves end in other digits, since squares are rounded
once a batch; and of rows that have weights, or a value that is a root, the one that carries most is sought batch by
batch, since what it carries depends on the others.
"""

import itertools
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hostile import SEEDS, hostile
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

WAYS = {
    "clusters": {"cluster": ["user", "day"], "weight": "w", "by": "g"},
    "clusters of roots": {"cluster": "user", "loss": "rmse"},
    "lags": {"lags": 3, "weight": "w", "by": "g"},
    "lags of roots": {"lags": 2, "loss": "rmse"},
    "rows": {"weight": "w", "by": "g"},
}
ROUNDED = {"lags": ("correlation", "top_share"), "clusters": ("correlation",), "rows": (
    "correlation", "top_share", "standard_error", "ci_low", "ci_high", "p", "q",
)}  # fmt: skip
"""What is made of squares that are rounded once a batch."""


def table_of(seed, n, kind):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "y": rng.normal(size=n),
            "a": hostile(kind, rng, n),
            "b": hostile(kind, rng, n),
            "w": rng.choice([0.0, 0.5, 3.1], n),
            "g": pa.array(np.array(["a", "b", "c"])[rng.integers(0, 3, n)]),
            "user": rng.integers(0, 6, n),
            "day": pa.array(rng.choice(["mon", "tue"], n)),
        }
    )


def figures(way, table):
    comparison = lossctl.compare(table, **{"loss": "mae", "label": "y", "prediction": ["a", "b"], **WAYS[way]})
    rounded = ROUNDED[way.split()[0]]
    return [
        (
            repr(replace(one, estimate=None, doubt="", verdict="better", **dict.fromkeys(rounded, 0.0))),
            [getattr(one, name) for name in rounded if name not in {"correlation", "top_share"}],
        )
        for one in (*comparison.results, *comparison.overall)
    ]


@pytest.mark.parametrize("way", WAYS)
@given(
    seed=SEEDS,
    n=st.integers(30, 60),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    kind=st.sampled_from(["plain", "wide"]),
)
@settings(max_examples=4)
def test_how_rows_are_cut_and_in_which_order_they_stand_changes_no_digit(way, seed, n, cuts, kind):
    table = table_of(seed, n, kind)
    whole, near = zip(*figures(way, table), strict=True)
    edges = [0, *sorted(min(cut, n) for cut in cuts), n]
    cut = pa.concat_tables([table.slice(start, stop - start) for start, stop in itertools.pairwise(edges)])
    shuffled = cut.take(np.random.default_rng(seed).permutation(n))
    for other in [cut] if way.startswith("lags") else [cut, shuffled]:
        exact, rounded = zip(*figures(way, other), strict=True)
        assert exact == whole
        assert np.ravel(rounded) == pytest.approx(np.ravel(near), rel=1e-6, abs=1e-300, nan_ok=True)


def test_the_order_of_a_series_has_a_meaning():
    table = table_of(1, 60, "plain")
    (one,), (other,) = (figures("lags of roots", each) for each in (table, table.take(list(range(0, 60, 2)) * 2)))
    assert one != other
