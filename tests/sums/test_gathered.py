"""Sums by group that are added in place are the exact ones, bit by bit, whatever the numbers and however they come."""

from fractions import Fraction

import numpy as np
import pytest
from hostile import SEEDS, SPREADS, hostile, pieces
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.sums import compiled, gathered
from lossctl.sums.digits import CARRY
from lossctl.sums.gathered import CUT, MOST, ODD, Gathered
from lossctl.sums.moments import Moments
from lossctl.sums.state import Far, Groups, Rows

pytestmark = pytest.mark.skipif(compiled.kernels is None, reason="the sums are not compiled here")
CUTS = st.lists(st.floats(0.0, 1.0), max_size=4)


def facts(moments):
    return repr(moments.result()), moments.sum_value.infinite.tolist(), moments.n.tolist()


def exactly(values, code, groups, far=None):
    """What NumPy makes of the groups that have rows."""
    kernels, compiled.kernels = compiled.kernels, None
    try:
        lifted = Moments.lift(Rows(values, None, Groups(code, groups), None, values, values, None, far))
    finally:
        compiled.kernels = kernels
    return facts(lifted.taken(np.unique(code)))


def added(values, code, groups, cuts=()):
    sums = Gathered(compiled.kernels, groups)
    for part, own in zip(pieces(values, cuts), pieces(code, cuts), strict=True):
        sums.add(part, own)
    assert sums.counts.tolist() == np.bincount(code, minlength=groups).tolist()
    return facts(sums.result(np.unique(code)))


@pytest.mark.parametrize("kind", SPREADS)
@given(seed=SEEDS, n=st.integers(0, 700), groups=st.sampled_from([1, 2, 7, 40]), cuts=CUTS, odd=st.booleans())
@settings(max_examples=12)
def test_sums_and_squares_are_the_exact_ones(kind, seed, n, groups, cuts, odd):
    rng = np.random.default_rng(seed)
    values = hostile(kind, rng, n)
    if odd and len(values):
        values[rng.integers(0, len(values), 3)] = [np.inf, -np.inf, np.nan]
    code = rng.integers(0, groups, len(values))
    assert added(values, code, groups, cuts) == exactly(values, code, groups)


@pytest.mark.parametrize("run", [1, 40, 6000])
@pytest.mark.parametrize("scales", [(1.0, 1e-3), (1.0, 1e-30), (1e-30, 1.0), (1e-200, 1e200)])
def test_so_they_are_where_sizes_change_on_the_way(scales, run):
    rng = np.random.default_rng(run)
    n = 3 * ODD
    values = np.concatenate([scale * rng.standard_t(2, n) for scale in scales for _ in range(2)])
    code = np.arange(len(values)) // run % 5
    assert added(values, code, 5, [0.2, 0.7]) == exactly(values, code, 5)


def test_so_they_are_of_more_groups_than_are_made_digits_at_a_time():
    rng = np.random.default_rng(0)
    values, code = rng.normal(size=2 * CUT), rng.permutation(4 * CUT + 1)[: 2 * CUT]
    assert added(values, code, 4 * CUT + 1, [0.5]) == exactly(values, code, 4 * CUT + 1)


@pytest.mark.parametrize("groups", [1, 2])
def test_as_many_rows_of_a_group_as_may_come_do_not_overflow(groups):
    sums, value = Gathered(compiled.kernels, groups), float(np.nextafter(-4.0, 0.0))
    sums.add(np.ones(1), np.zeros(1, np.int64))  # twice as much as this, and twice that, there is room for
    for _ in range(1, MOST // 4096):
        sums.add(np.full(4096, value), np.arange(4096) % groups)
    n = (MOST // 4096 - 1) * 4096 // groups
    result = sums.result(np.arange(groups))
    ones = [1] + [0] * (groups - 1)
    assert result.n.tolist() == [n + one for one in ones]
    assert result.sum_value.exact() == [n * Fraction(value) + one for one in ones]
    assert result.value_squares.exact() == [n * Fraction(value) ** 2 + one for one in ones]
    assert result.sum_value.blocks == 1  # all of them were added in place


def test_numbers_that_are_no_doubles_are_added_too():
    values, code = np.array([0.0, 3.0, np.inf]), np.array([1, 0, 1])
    far = Far(np.array([0, 2]), np.array([0.75, 0.5]), np.array([-1100, 1030]))
    sums = Gathered(compiled.kernels, 3)
    sums.add_far(values, code, far)
    sums.add(np.array([1.0, 2.0]), np.array([0, 0]))
    values, code = np.concatenate([values, [1.0, 2.0]]), np.concatenate([code, [0, 0]])
    assert facts(sums.result(np.array([0, 1]))) == exactly(values, code, 3, far)


@pytest.mark.parametrize("scale", [-300, -40, -9, -1, 1, 2, 5, 9, 40, 300])
def test_numbers_of_another_size_are_soon_added_in_place(scale):
    rng, sums, lifted = np.random.default_rng(0), Gathered(compiled.kernels, 3), []
    sums._lift = lambda values, *rest, lift=sums._lift: (lifted.append(len(values)), lift(values, *rest))
    for rows in range(3 * ODD // 4096):
        sums.add(np.ldexp(rng.uniform(0.5, 1.0, 4096), scale if rows else 0), rng.integers(0, 3, 4096))
    sums.result(np.arange(3))
    assert sum(lifted) <= ODD


def test_sums_of_odd_numbers_are_put_together_and_carried():
    rng = np.random.default_rng(0)
    values, code = hostile("whole range", rng, 20 * ODD), rng.integers(0, 2, 20 * ODD)
    sums = Gathered(compiled.kernels, 2)
    sums.add(values, code)
    result = sums.result(np.arange(2))
    assert facts(result) == exactly(values, code, 2)
    assert result.sum_value.blocks < 2 * CARRY


def test_odd_numbers_take_no_more_room_however_many_there_are(monkeypatch):
    rng = np.random.default_rng(1)
    lifted = []
    monkeypatch.setattr(
        gathered, "found", lambda *given, found=gathered.found: (lifted.append(len(given[0])), found(*given))[1]
    )
    values = np.where(rng.random(1 << 17) < 0.5, 1.0, 1e-30)
    code = rng.integers(0, 3, len(values))
    assert added(values, code, 3) == exactly(values, code, 3)
    assert max(lifted) <= ODD
