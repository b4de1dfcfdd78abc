"""Rows that are a series: the long-run variance is that of its formula, however rows are cut, grouped and weighed."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hostile import SEEDS
from hypothesis import given, settings
from hypothesis import strategies as st
from influences import influence, long_run_error

import lossctl
from lossctl.errors import UsageError
from lossctl.rational import square_root
from lossctl.sums.series import MOST_LAGS, Series, Stretch
from lossctl.sums.state import Far, Groups

REDUCTIONS = {"mse": "mean", "rmse": "root-mean", "l2": "sum"}


def series_of(n, seed=5):
    """Errors that each have something of the one before."""
    rng = np.random.default_rng(seed)
    common = np.convolve(rng.normal(size=n + 4), np.ones(5) / 2, "valid")
    label = rng.normal(size=n)
    return {
        "y": label,
        "base": label + common + rng.normal(size=n),
        "new": label + 0.7 * common + rng.normal(size=n),
        "w": rng.lognormal(size=n),
        "g": rng.choice(["a", "b"], n),
    }


def compare(table, loss="mse", **asked):
    return lossctl.compare(table, loss, label="y", prediction=["base", "new"], **asked)


@pytest.mark.parametrize("lags", [1, 4, 60])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", REDUCTIONS)
def test_errors_are_those_of_the_series_of_each_group_and_of_all(loss, weighted, lags):
    table = series_of(200)
    comparison = compare(table, loss, by="g", weight="w" if weighted else None, lags=lags)
    for one in (*comparison.results, *comparison.overall):
        rows = table["g"] == one.group["g"] if one.group else np.ones(200, dtype=bool)
        weight = table["w"][rows] if weighted else np.ones(rows.sum())
        parts = [(table[name] - table["y"])[rows] ** 2 for name in ("base", "new")]
        (base, moved), (new, more) = (influence(part, weight, REDUCTIONS[loss]) for part in parts)
        assert one.difference == pytest.approx(new - base, rel=1e-9)
        assert one.standard_error == pytest.approx(long_run_error(more - moved, lags), rel=1e-10)
        assert one.estimate.lags == lags


def test_without_lags_rows_move_by_themselves():
    table = series_of(50)
    assert compare(table, lags=0).to_dict() == compare(table).to_dict()


@pytest.mark.parametrize("n", [2, 3, 8, 9])
def test_of_no_more_rows_than_lags_nothing_is_trusted(n):
    (one,) = compare(series_of(n), lags=8).results
    assert (one.verdict, one.doubt, math.isnan(one.standard_error)) == (
        "not trusted", "there are too few rows to tell", True,
    )  # fmt: skip
    (one,) = compare(series_of(10), lags=8).results
    assert one.standard_error > 0


def test_rows_that_are_left_out_leave_no_gap():
    table = series_of(80)
    weight = np.where(np.arange(80) % 4 == 1, 0.0, 1.0)
    missing = np.where(np.arange(80) % 4 == 2, np.nan, table["new"])
    kept = np.arange(80) % 4 != 1
    without = compare({**table, "z": weight}, weight="z", lags=3)
    again = compare({name: column[kept] for name, column in table.items()}, lags=3)
    assert without.results[0].standard_error == pytest.approx(again.results[0].standard_error, rel=1e-13)
    kept = np.arange(80) % 4 != 2
    dropped = compare({**table, "new": missing}, lags=3, nulls="drop")
    again = compare({name: column[kept] for name, column in table.items()}, lags=3)
    assert dropped.results[0].standard_error == again.results[0].standard_error


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"lags": -1}, "0 to 1,000"),
        ({"lags": MOST_LAGS + 1}, "0 to 1,000"),
        ({"lags": 2, "cluster": "g"}, "exclude each other"),
        ({"lags": 2, "anytime": True}, "exclude each other"),
    ],
)
def test_lags_that_cannot_be_are_refused(asked, message):
    with pytest.raises(UsageError, match=message):
        compare(series_of(5), **asked)


# --- the sums --------------------------------------------------------------------------------------------------------


def lift(columns, weight, group, groups, lags, far=None):
    rows = Stretch.of(weight, [(column, far) for column in columns])
    return Series.lift(rows, None if group is None else Groups(group, groups), lags)


@given(
    seed=SEEDS,
    n=st.integers(1, 30),
    lags=st.integers(1, 8),
    groups=st.integers(1, 3),
    columns=st.integers(1, 2),
    weighted=st.booleans(),
    scale=st.sampled_from([1.0, 1e-200, 1e160]),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
@settings(max_examples=15)
def test_how_a_series_is_cut_cannot_change_a_digit(seed, n, lags, groups, columns, weighted, scale, cuts):
    """Stretches join exactly, in file order, in each group; groups meet each other in any order."""
    rng = np.random.default_rng(seed)
    parts = [rng.integers(-2, 3, n) * rng.lognormal(size=n) * scale for _ in range(columns)]
    weight = rng.lognormal(size=n) if weighted else None
    group = rng.integers(0, groups, n) if groups > 1 else None
    whole = lift(parts, weight, group, groups, lags)
    total = Series.zero(groups, columns + weighted, lags, grouped=groups > 1)
    order = rng.permutation(groups)
    moved = Series.zero(groups, columns + weighted, lags, grouped=groups > 1)
    for start, stop in itertools.pairwise([0, *sorted(min(cut, n) for cut in cuts), n]):
        rows = slice(start, stop)
        part = lift(
            [column[rows] for column in parts],
            None if weight is None else weight[rows],
            None if group is None else group[rows],
            groups,
            lags,
        )
        total = total + part
        moved = moved + part.regroup(order, groups)
    assert total.result() == whole.result()
    assert total.pooled().result() == whole.pooled().result()
    if groups > 1:
        assert [moved.result()[place] for place in order] == whole.result()


@pytest.mark.parametrize("power", [-1800, 0, 1800])
@pytest.mark.parametrize("lags", [1, 7])
def test_the_long_run_variance_is_that_of_the_formula_even_beyond_the_doubles(lags, power):
    """The losses are x·2^power."""
    x = np.random.default_rng(lags).normal(size=40)
    number, exponent = np.frexp(x)
    far = Far(np.arange(40), number, exponent.astype(np.int64) + power) if power else None
    (lagged,) = lift([np.zeros(40) if power else x], None, None, 1, lags, far).result()
    variance = lagged.variance(-lagged.sums[0] / 40, [Fraction(1)]) / Fraction(4) ** power
    assert square_root(variance) == pytest.approx(long_run_error(x - x.mean(), lags), rel=1e-12)
