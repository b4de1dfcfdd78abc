"""The distribution of labels: exact while they are few, bounded, the same however the rows are cut."""

import functools
import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.sums import marginals
from lossctl.sums.marginals import Marginals


def bits(state):
    """Everything a state says, to the last bit."""
    sums = [] if state.weight is None else [state.weight.exact()]
    return [
        *(array.tolist() for array in (state.slot, state.key, state.count, state.dropped)),
        *sums,
        state.total.exact(),
    ]


@st.composite
def some_rows(draw, *, weighted=None):
    """Labels over many scales with repetitions, weights or none, groups, and how many groups and columns there are."""
    n, columns, groups = draw(st.integers(1, 60)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    pool = rng.normal(size=draw(st.integers(1, 60))) * 10.0 ** rng.integers(-3, 4)
    pool[0] = draw(st.sampled_from([0.0, -0.0, 5e-324, -1e290, 1.0]))
    label = rng.choice(pool, (n, columns) if columns > 1 else n)
    weighted = draw(st.booleans()) if weighted is None else weighted
    weight = rng.lognormal(size=n) if weighted else None
    group = rng.integers(0, groups, n) if groups > 1 else None
    return label, weight, group, groups


def lifted(rows, chosen):
    label, weight, group, groups = rows
    return Marginals.lift(
        label[chosen],
        None if weight is None else weight[chosen],
        None if group is None else group[chosen],
        groups,
    )


@pytest.fixture(params=[3, 8, 1 << 16])
def most(request, monkeypatch):
    """How many numbers a slot may keep: so few that rows are merged in every test, and as many as there are."""
    monkeypatch.setattr(marginals, "MOST", request.param)
    monkeypatch.setattr(marginals, "LEAST", 2)
    return request.param


@given(some_rows(), st.lists(st.integers(0, 60), max_size=4), st.randoms(use_true_random=False))
def test_no_cut_or_order_changes_a_bit(most, rows, cuts, random):
    n = len(rows[0])
    order = list(range(n))
    random.shuffle(order)
    whole = lifted(rows, np.arange(n))
    pieces = np.split(np.array(order), sorted(min(cut, n) for cut in cuts))
    states = [lifted(rows, piece) for piece in pieces]
    columns = whole.columns
    zero = Marginals.zero(rows[3], columns, weighted=rows[1] is not None)
    assert bits(functools.reduce(operator.add, states, zero)) == bits(whole)
    assert bits(functools.reduce(operator.add, reversed(states), zero)) == bits(whole)


@given(some_rows())
def test_groups_met_one_by_one_are_the_groups_met_together(most, rows):
    label, weight, group, groups = rows
    if group is None:
        return
    total = Marginals.zero(0, 1 if label.ndim == 1 else label.shape[1], weighted=weight is not None)
    for at in range(groups):
        own = np.flatnonzero(group == at)
        one = Marginals.lift(label[own], None if weight is None else weight[own], None, 1)
        index = np.arange(at)
        total = total.regroup(index, at + 1) + one.regroup(np.array([at]), at + 1)
    assert bits(total) == bits(lifted(rows, np.arange(len(label))))


@given(some_rows())
def test_weights_and_means_are_exact_and_cells_are_few(most, rows):
    label, weight, group, groups = rows
    columns = 1 if label.ndim == 1 else label.shape[1]
    state = lifted(rows, np.arange(len(label)))
    points = state.points()
    weights = np.ones(len(label)) if weight is None else weight
    for at, slot in enumerate(points.slot.tolist()):
        own = (
            np.flatnonzero((0 if group is None else group) == slot // columns) if groups > 1 else np.arange(len(label))
        )
        values = (label if label.ndim == 1 else label[:, slot % columns])[own] + 0.0
        exact = sum(map(Fraction, weights[own].tolist()))
        cells = slice(points.start[at], points.start[at] + points.size[at])
        assert points.size[at] <= max(min(most, marginals.IN_ALL // (groups * columns)), 2)
        assert (np.diff(points.label[cells]) >= 0).all()
        assert float(sum(map(Fraction, points.weight[cells].tolist()))) == pytest.approx(float(exact), rel=1e-14)
        products = [
            Fraction(weight) * Fraction(value)
            for weight, value in zip(weights[own].tolist(), values.tolist(), strict=True)
        ]
        assert points.mean[at] == float(sum(products) / exact)
        if not points.relative_error[at]:
            assert points.label[cells].tolist() == sorted(set(values.tolist()))
        elif points.relative_error[at] < 1e15:
            nearest = np.abs(values[:, None] - points.label[cells]).min(axis=1)
            assert (nearest <= points.relative_error[at] * np.abs(values) + 1e-290).all()
