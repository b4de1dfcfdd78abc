"""Rows that are kept to be drawn: all while they are few, and spread over all of them, whatever adds them up."""

import functools
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.sums import thinned
from lossctl.sums.thinned import Thinned


def state(first, count, width):
    rows = np.arange(first, first + count, dtype=np.float64)
    return Thinned.of([rows, np.repeat(rows[:, None], width, axis=1)])


def same(one, other):
    return (one.rows, one.least, sorted(one.columns[0])) == (other.rows, other.least, sorted(other.columns[0]))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 3)), min_size=1, max_size=8), st.permutations(range(8)))
def test_the_same_rows_are_kept_in_any_order(batches, order):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thinned, "MOST", 16)
        patch.setattr(thinned, "NUMBERS", 48)
        starts = np.cumsum([0, *(count for count, _ in batches)])
        parts = [state(start, *batch) for start, batch in zip(starts, batches, strict=False)]
        total = functools.reduce(operator.add, parts, Thinned.zero())
        others = [parts[place] for place in order if place < len(parts)]
        assert same(functools.reduce(operator.add, others), total)
        assert same(functools.reduce(lambda right, left: left + right, reversed(parts)), total)
        assert len(total.rank) <= 16
        assert sum(column.size for column in total.columns) <= max(48, 4)
        assert total.whole == (len(total.rank) == total.rows)


def test_every_part_of_many_rows_is_drawn_alike():
    total = functools.reduce(operator.add, (state(first, 1 << 14, 1) for first in range(0, 1 << 20, 1 << 14)))
    counts, _ = np.histogram(total.columns[0], 16, (0, 1 << 20))
    expected = total.rows / total.least / 16
    assert total.whole is False
    assert np.abs(counts - expected).max() < 6 * expected**0.5


def test_what_is_left_out_from_the_start_is_what_would_be_later():
    rows = np.arange(1 << 17, dtype=np.float64)
    later = functools.reduce(operator.add, [Thinned.of([rows])] * 3)
    early = functools.reduce(operator.add, [Thinned.of([rows], later.least)] * 3)
    assert same(early, later)
