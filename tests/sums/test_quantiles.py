"""Quantile groups are those of exact ranks, and what is printed of their intervals holds for every number."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.sums import distribution
from lossctl.sums.quantiles import Spread


def inside(word):
    """What tells whether a number is in the interval that is printed."""
    low, high = map(float, word[1:-1].split(", "))
    return lambda value: low <= value < high or (word.endswith("]") and value == high)


def ranked(values, number):
    """By value, which of ``number`` groups it is in: as many as there are k with k n / number numbers below it."""
    below = {value: sum(other < value for other in values) for value in set(values)}
    return {value: count * number // len(values) for value, count in below.items()}


NUMBERS = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(-1e3, 1e3).map(lambda value: round(value, 2)),
    st.floats(allow_nan=False),
)


@settings(max_examples=80)
@given(values=st.lists(NUMBERS, min_size=1, max_size=40), cut=st.integers(0, 40), number=st.integers(2, 12))
def test_groups_are_those_of_exact_ranks_and_their_labels_hold(values, cut, number):
    numbers, ranks = np.array(values), ranked(values, number)
    intervals = (Spread.of(numbers[cut:]) + Spread.of(numbers[:cut])).intervals(number)
    ranks_met = sorted(set(ranks.values()))
    assert intervals.places(numbers).tolist() == [ranks_met.index(ranks[value]) for value in values]
    assert len(intervals.labels) == len(ranks_met)
    assert [*map(inside, intervals.labels)][-1](max(values))
    for value, place in zip(values, intervals.places(numbers), strict=True):
        assert [inside(word)(value) for word in intervals.labels] == [other == place for other in range(len(ranks_met))]


@pytest.mark.parametrize("number", [4, 8])
def test_quartiles_are_those_of_numpy_and_pandas(number):
    """NumPy's inverted_cdf, where k / N is a double; the bins of pandas are closed on the right."""
    values = np.random.default_rng(0).lognormal(3, 1, 1001).round(1)
    edges = np.quantile(values, np.arange(1, number) / number, method="inverted_cdf")
    by_pandas = pd.cut(pd.Series(values), [-np.inf, *edges, np.inf], labels=False)
    places = Spread.of(values).intervals(number).places(values)
    assert places.tolist() == np.searchsorted(edges, values, side="left").tolist() == by_pandas.tolist()


def test_intervals_are_printed_with_the_fewest_digits_that_part_the_numbers():
    def labels(number, *values):
        return Spread.of(np.array(values, dtype=np.float64)).intervals(number).labels

    assert labels(2, *np.arange(101) / 8) == ("[0, 6.3)", "[6.3, 12.5]")
    assert labels(4, -3, -1.25, 17, 23.5) == ("[-3, -2)", "[-2, 0)", "[0, 20)", "[20, 23.5]")
    assert labels(2, 1 / 3, 2 / 3) == ("[0.333333, 0.6)", "[0.6, 0.666667]")
    assert labels(10, 5, 5, 5) == ("[5, 5]",)
    assert labels(2, -math.inf, 1e300, math.inf) == ("[-inf, inf)", "[inf, inf]")
    assert labels(10) == ()
    assert labels(2, 1.79, 23.8, 23.81, 64.31) == ("[1.79, 23.81)", "[23.81, 64.31]")
    assert labels(2, 3, 10, 70, 1234567) == ("[3, 70)", "[70, 1234567]")
    assert labels(2, 1234567.1, 1234567.3, 1234567.4, 1234567.9) == ("[1234567.1, 1234567.4)", "[1234567.4, 1234567.9]")


def test_more_different_numbers_than_are_kept_make_about_equal_groups_whose_labels_hold(monkeypatch):
    monkeypatch.setattr(distribution, "MOST", 256)
    values = np.random.default_rng(1).lognormal(0, 2, 5000)
    intervals = Spread.of(values).intervals(10)
    assert 0 < intervals.relative_error < 0.1
    parts = [Spread.of(part) for part in (values[2000:][::-1], values[:2000])]
    assert (parts[0] + parts[1]).intervals(10) == intervals, "they belong to the numbers, not to their order"
    for place, word in enumerate(intervals.labels):
        held = [inside(word)(value) for value in values.tolist()]
        assert held == (intervals.places(values) == place).tolist()
        assert sum(held) == pytest.approx(500, rel=0.2)
