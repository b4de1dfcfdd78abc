"""Counts of pairs of numbers: exact while they are few, the same however the rows are cut."""

import functools
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lossctl.sums import joint
from lossctl.sums.joint import Joint

pairs = arrays.arrays(np.float64, st.tuples(st.integers(0, 60), st.just(2)), elements=st.floats(width=64))


def same(one, other):
    return (
        np.array_equal(one.pairs, other.pairs)
        and np.array_equal(one.counts, other.counts)
        and (one.exponent, one.infinite) == (other.exponent, other.infinite)
    )


@given(pairs)
def test_few_pairs_are_kept_as_they_are(values):
    found = Joint.of(values[:, 0], values[:, 1])
    finite = values[np.isfinite(values).all(axis=1)] + 0.0
    distinct, counts = np.unique(finite, axis=0, return_counts=True)
    assert np.stack([found.first, found.second], axis=1).tolist() == distinct.tolist()
    assert found.counts.tolist() == counts.tolist()
    assert found.infinite == len(values) - len(finite)


@given(pairs, st.lists(st.integers(0, 60), max_size=4), st.integers(4, 16))
def test_no_cut_or_order_changes_a_bit(values, cuts, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joint, "MOST", most)
        whole = Joint.of(values[:, 0], values[:, 1])
        pieces = np.split(values, sorted(min(cut, len(values)) for cut in cuts))
        parts = [Joint.of(part[:, 0], part[:, 1]) for part in pieces]
        assert same(functools.reduce(operator.add, parts, Joint.zero()), whole)
        assert same(functools.reduce(operator.add, reversed(parts)), whole)


def test_rounded_pairs_fall_whole_into_cells_of_a_power_of_two():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 200_000))
    found = functools.reduce(
        operator.add, (Joint.of(a, b) for a, b in zip(np.split(first, 20), np.split(second, 20), strict=True))
    )
    assert len(found.pairs) <= joint.MOST
    assert joint.FINEST < found.exponent <= -3
    edges = np.arange(-48, 49) / 8
    counted, _, _ = np.histogram2d(found.first, found.second, bins=[edges, edges], weights=found.counts)
    expected, _, _ = np.histogram2d(first, second, bins=[edges, edges])
    assert np.array_equal(counted, expected)
    assert expected.sum() == len(first)
