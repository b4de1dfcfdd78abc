"""Figures of gradients are what plain NumPy makes of all rows."""

import math
from dataclasses import fields

import numpy as np
import pytest
from hostile import SEEDS, cells_of, hostile, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.reduction import MEAN, reduction_of
from lossctl.sums import compiled
from lossctl.sums.gradients import Gradients
from lossctl.sums.histogram import BINS, Histogram
from lossctl.sums.moments import Moments
from lossctl.sums.state import Groups


def gradient_case(rng, n, width, groups, weighted):
    gradient = rng.standard_t(3, size=(n, width) if width else n)
    return (
        np.asfortranarray(gradient),
        rng.uniform(0.1, 3.0, n) if weighted else None,
        rng.integers(0, groups, n) if groups > 1 else None,
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "root-mean"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("width", [0, 1, 7], ids=["scalar", "one column", "vector"])
@pytest.mark.parametrize("groups", [1, 4])
def test_gradient_figures_are_what_numpy_makes_of_all_rows(reduction, weighted, width, groups):
    rng = np.random.default_rng(5)
    n = 2000
    gradient, weight, group = gradient_case(rng, n, width, groups, weighted)
    rows = rows_of(rng.lognormal(size=n), weight, group, groups, gradient)
    totals = Moments.lift(rows).result()
    found = Gradients.lift(rows).result(totals, reduction_of(reduction))
    code = np.zeros(n, dtype=int) if group is None else group
    for at, figures in enumerate(found):
        mine = code == at
        g = gradient[mine].reshape(mine.sum(), -1)
        w = np.ones(len(g)) if weight is None else weight[mine]
        value = np.average(rows.value[mine], weights=w)
        slope = {"sum": 1.0, "mean": 1 / w.sum(), "root-mean": 0.5 / np.sqrt(value) / w.sum()}[reduction]
        whole, norms = slope * w[:, None] * g, np.linalg.norm(g, axis=1)
        assert figures.l2 == pytest.approx(np.linalg.norm(whole), rel=1e-12, abs=0)
        assert figures.l1 == pytest.approx(np.abs(whole).sum(), rel=1e-12, abs=0)
        assert figures.linf == pytest.approx(np.abs(whole).max(), rel=1e-14, abs=0)
        assert figures.row_mean == pytest.approx(np.average(norms, weights=w), rel=1e-12, abs=0)
        assert figures.row_rms == pytest.approx(np.sqrt(np.average(norms**2, weights=w)), rel=1e-12, abs=0)
        assert figures.row_max == pytest.approx(norms.max(), rel=1e-14, abs=0)
        carried = np.sort(w * norms)[::-1]
        share = carried[: math.ceil(0.01 * len(carried))].sum() / carried.sum()
        assert figures.top1_share == pytest.approx(share, rel=0.01, abs=0)


@given(
    seed=SEEDS,
    n=st.integers(1, 3000),
    kind=st.sampled_from(["plain", "wide", "whole range", "equal", "zeros", "one"]),
)
def test_the_share_of_the_top_rows_is_within_one_percent_of_itself(seed, n, kind):
    rng = np.random.default_rng(seed)
    if kind == "zeros":
        norms = np.where(rng.random(n) < 0.9, 0.0, rng.exponential(size=n))
    elif kind == "one":
        norms = np.concatenate([[1e6], rng.exponential(1e-3, n - 1)])
    else:
        norms = np.abs(hostile(kind, rng, n)) * (1e-8 if kind == "whole range" else 1.0)
    carried = np.sort(norms)[::-1]
    whole = math.fsum(carried)
    found = Histogram.of(norms, None).top_shares(1, 0.01)[0]
    if whole == 0:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(math.fsum(carried[: math.ceil(0.01 * n)]) / whole, rel=0.01, abs=0)
        assert 0 <= found <= 1


@pytest.mark.parametrize("width", [0, 3], ids=["scalar", "vector"])
@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_gradient_figures_have_no_scale(width, size):
    """Finite gradients have finite, non-zero norms, though their squares overflow or underflow."""
    rng = np.random.default_rng(6)
    gradient = np.asfortranarray(rng.normal(size=(50, width) if width else 50))
    value = rng.lognormal(size=50)
    plain, scaled = (
        Gradients.lift(rows).result(Moments.lift(rows).result(), MEAN)[0]
        for rows in (rows_of(value, gradient=gradient), rows_of(value, gradient=size * gradient))
    )
    for part in fields(plain):
        factor = 1.0 if part.name == "top1_share" else size
        expected = factor * getattr(plain, part.name)
        assert getattr(scaled, part.name) == pytest.approx(expected, rel=0.02 if factor == 1.0 else 1e-10, abs=0), (
            part.name
        )


@pytest.mark.parametrize("width", [0, 3], ids=["scalar", "vector"])
@given(seed=SEEDS, exponent=st.integers(-1060, 1000), groups=st.integers(1, 3), cut=st.integers(1, 29))
@settings(max_examples=20)
def test_gradient_figures_of_a_mean_do_not_know_the_size_of_weights(width, seed, exponent, groups, cut):
    """The same whether w∣g∣ is a double or not, with the rows in one batch or in two; weights of few bits, so that
    even subnormal ones are the same times a power of two."""
    rng = np.random.default_rng(seed)
    gradient = np.asfortranarray(rng.normal(size=(30, width) if width else 30) * 10.0 ** rng.uniform(-300, 250))
    gradient[rng.random(30) < 0.2] = 0.0
    weight, value, group = (
        rng.integers(1, 1 << 12, 30).astype(float),
        rng.lognormal(size=30),
        rng.integers(0, groups, 30),
    )

    def figures(weights, *parts):
        rows = [rows_of(value[at], weights[at], group[at], groups, gradient[at]) for at in parts]
        totals = sum(map(Moments.lift, rows), Moments.zero(groups, weighted=True)).result()
        return sum(map(Gradients.lift, rows), Gradients.zero(groups)).result(totals, MEAN)

    plain = figures(weight, slice(None))
    for mine, scaled in zip(plain, figures(np.ldexp(weight, exponent), slice(cut), slice(cut, None)), strict=True):
        for part in () if mine is None else fields(mine):
            expected = pytest.approx(getattr(mine, part.name), rel=1e-12, abs=1e-322, nan_ok=True)
            assert getattr(scaled, part.name) == expected, part.name


def test_gradients_of_two_sizes_of_weight_add_up():
    """The larger of w∣g∣ and the shares of rows, where one batch has doubles and the other has not."""
    first, second = (
        rows_of(np.ones(2), np.array(weight), gradient=np.array([1.0, 2.0]))
        for weight in ([2.0**1000, 2.0**1000], [2.0**1020, 2.0**1023])
    )
    for one, other in ((first, second), (second, first)):
        totals = (Moments.lift(one) + Moments.lift(other)).result()
        (figures,) = (Gradients.lift(one) + Gradients.lift(other)).result(totals, MEAN)
        whole = 2 + 2**20 + 2**23
        assert figures.linf == pytest.approx(2 * 2**23 / whole, rel=1e-15)
        assert figures.l1 == figures.row_mean == pytest.approx((3 + 2**20 + 2**24) / whole, rel=1e-15)
        assert figures.l2 == pytest.approx(math.sqrt(5 + 2**40 + 2**48) / whole, rel=1e-15)
        assert figures.top1_share == pytest.approx(2**24 / (3 + 2**20 + 2**24), rel=0.01)


def test_an_infinite_gradient_makes_figures_infinite_without_a_warning():
    gradient = np.array([1.0, math.inf, 2.0])
    rows = rows_of(np.ones(3), gradient=gradient)
    (figures,) = Gradients.lift(rows).result(Moments.lift(rows).result(), MEAN)
    assert (
        figures.l1 == figures.l2 == figures.linf == figures.row_mean == figures.row_rms == figures.row_max == math.inf
    )
    assert math.isnan(figures.top1_share)


def test_a_group_without_rows_has_no_gradient_figures():
    group = np.array([0, 0, 2])
    rows = rows_of(np.ones(3), group=group, groups=3, gradient=np.ones(3))
    found = Gradients.lift(rows).result(Moments.lift(rows).result(), MEAN)
    assert found[1] is None
    assert found[0] is not None
    assert found[2] is not None


@pytest.mark.parametrize("kernels", [compiled.kernels, None], ids=["compiled", "NumPy"])
@given(seed=SEEDS, parts=st.integers(1, 40), groups=st.sampled_from([1, 3, 200]), few=st.booleans())
@settings(max_examples=25)
def test_a_histogram_keeps_no_more_than_twice_what_occurs_and_the_last_rows(kernels, seed, parts, groups, few):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "kernels", kernels)
        check_what_is_kept(np.random.default_rng(seed), parts, groups, few)


def check_what_is_kept(rng, parts, groups, few):
    total, expected, most = Histogram(), {}, 0
    for _ in range(parts):
        n = int(rng.integers(1, 300))
        norms, code = (np.ones(n) if few else rng.exponential(size=n)), rng.integers(0, groups, n)
        part, most = Histogram.of(norms, Groups(code, groups)), max(most, n)
        for cell, count in cells_of(part).items():
            expected[cell] = expected.get(cell, 0) + count
        total = total + part
        assert sum(map(len, total.cells)) <= 2 * len(expected) + most
    assert cells_of(total) == expected
    assert len(total.together().cells[0]) == len(expected)


@pytest.mark.parametrize("count", [1, 127, 128, 2**31 - 1, 2**31, 2**45])
@pytest.mark.parametrize("group", [0, 2**17, 2**40])
def test_a_histogram_counts_any_number_of_rows_in_any_group(count, group):
    one = Histogram.of(np.ones(1), Groups(np.array([group]), group + 1)).together()
    many = Histogram(one.cells, (np.array([count]),))
    (cell,) = cells_of(one)
    assert cells_of(many + one + many) == {cell: 2 * count + 1}
    assert cell >> BINS == group
