"""Outermost rows: along a direction none is further out, and along any other none that is made up."""

import itertools

import numpy as np
import pytest
from hostile import SEEDS, hostile
from hypothesis import given, settings
from hypothesis import strategies as st
from influences import influence, top_share

import lossctl
from lossctl.sums.extremes import Extremes
from lossctl.sums.state import Groups

DIRECTIONS = [[1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, 1.0]]


@given(
    seed=SEEDS,
    n=st.integers(1, 40),
    groups=st.integers(1, 3),
    kind=st.sampled_from(["plain", "wide", "equal"]),
    cuts=st.lists(st.integers(0, 40), max_size=3),
    along=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
)
@settings(max_examples=20)
def test_no_row_is_further_out_along_a_direction(seed, n, groups, kind, cuts, along):
    rng = np.random.default_rng(seed)
    points = np.array([hostile(kind, rng, n), np.round(rng.normal(size=n), 1)])
    group = rng.integers(0, groups, n)
    kept = Extremes.zero(groups, DIRECTIONS)
    for start, stop in itertools.pairwise([0, *sorted(min(cut, n) for cut in cuts), n]):
        rows = slice(start, stop)
        kept = kept + Extremes.zero(1, DIRECTIONS).lift(list(points[:, rows]), Groups(group[rows], groups))
    for place in range(groups):
        mine = points[:, group == place].T
        outermost = kept.kept(place)
        assert {*map(tuple, outermost)} <= {*map(tuple, mine)}
        if len(mine):
            for direction in DIRECTIONS:
                assert (outermost @ direction).max() == (mine @ direction).max()
            assert np.abs(outermost @ along).max() <= np.abs(mine @ along).max() * (1 + 1e-12)
    everything = kept.pooled().kept(0)
    assert (everything @ DIRECTIONS[0]).max() == points[0].max()


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_of_a_row_that_is_not_finite_nobody_knows_how_far_out_it_is(odd):
    columns = [np.array([1.0, odd, 2.0]), np.zeros(3)]
    lifted = Extremes.zero(1, DIRECTIONS).lift(columns, Groups(np.array([0, 0, 1]), 2))
    assert lifted.kept(0) is None
    assert lifted.kept(1).tolist() == [[2.0, 0.0]] * 4
    assert (lifted + lifted.zero(2, DIRECTIONS)).kept(0) is None


@given(seed=SEEDS, n=st.integers(3, 60), loss=st.sampled_from(["mae", "l1", "rmse"]), weighted=st.booleans())
@settings(max_examples=20)
def test_the_share_of_one_row_is_exact_of_means_and_sums_and_never_too_large(seed, n, loss, weighted):
    rng = np.random.default_rng(seed)
    table = {"y": np.zeros(n), "base": rng.standard_t(2, n), "new": rng.standard_t(2, n), "w": rng.lognormal(size=n)}
    weight = table["w"] if weighted else np.ones(n)
    power = 2 if loss == "rmse" else 1
    reduction = {"mae": "mean", "l1": "sum", "rmse": "root-mean"}[loss]
    (_, moved), (_, more) = (influence(np.abs(table[name]) ** power, weight, reduction) for name in ("base", "new"))
    asked = {"weight": "w"} if weighted else {}
    (one,) = lossctl.compare(table, loss, label="y", prediction=["base", "new"], **asked).results
    expected = top_share(more - moved)
    if loss == "l1" or (loss == "mae" and not weighted):
        assert one.top_share == pytest.approx(expected, rel=1e-9)
    else:
        assert 1 / n <= one.top_share <= expected * (1 + 1e-9)
