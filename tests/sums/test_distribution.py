"""Counts of the numbers of a column: exact while they are few, the same however the rows are cut."""

import functools
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lossctl.sums import distribution
from lossctl.sums.distribution import Distribution

numbers = arrays.arrays(np.float64, st.integers(0, 60), elements=st.floats(width=64))


def same(one, other):
    return (
        np.array_equal(one.keys, other.keys)
        and np.array_equal(one.counts, other.counts)
        and (one.dropped, one.infinite, one.low, one.high) == (other.dropped, other.infinite, other.low, other.high)
    )


@given(numbers)
def test_few_numbers_are_kept_as_they_are(values):
    found = Distribution.of(values)
    finite = values[np.isfinite(values)]
    distinct, counts = np.unique(finite, return_counts=True)
    assert found.exact
    assert found.values.tolist() == distinct.tolist()
    assert found.counts.tolist() == counts.tolist()
    assert found.infinite == len(values) - len(finite)


@given(numbers, st.lists(st.integers(0, 60), max_size=4), st.integers(4, 16))
def test_no_cut_or_order_changes_a_bit(values, cuts, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distribution, "MOST", most)
        whole = Distribution.of(values)
        parts = [Distribution.of(part) for part in np.split(values, sorted(min(cut, len(values)) for cut in cuts))]
        assert same(functools.reduce(operator.add, parts, Distribution.zero()), whole)
        assert same(functools.reduce(operator.add, reversed(parts)), whole)
        assert len(whole.keys) <= max(most, 2)


def test_many_numbers_are_rounded_by_no_more_than_is_said():
    values = np.random.default_rng(0).normal(size=300_000)
    found = functools.reduce(operator.add, (Distribution.of(part) for part in np.split(values, 30)))
    assert not found.exact
    assert found.n == len(values)
    assert len(found.keys) <= distribution.MOST
    for q in (0.001, 0.1, 0.5, 0.9, 0.999):
        true = float(np.quantile(values, q, method="inverted_cdf"))
        assert abs(found.quantile(q) - true) <= 2 * found.relative_error * abs(true)


@given(arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(0.001, 2) | st.sampled_from([0.0, 1.0])))
def test_ends_are_exact_and_shares_are_exact_or_unknown_however_much_is_rounded(values):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distribution, "MOST", 8)
        found = functools.reduce(operator.add, map(Distribution.of, np.array_split(values, 3)))
    assert found.low == found.quantile(0.0) == values.min()
    assert found.high == found.quantile(1.0) == values.max()
    for value in (0.0, 1.0):
        assert found.share(value) in {None, (values == value).sum() / len(values)}
        assert not found.exact or found.share(value) is not None
