"""A sum and a sum of squares in one pass: every digit of the first, and of the variance that both give."""

from fractions import Fraction

import numpy as np
import pytest
from hostile import SEEDS, SPREADS, hostile
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.sums import compiled
from lossctl.sums.centred import FIRST, Centred, sum_and_squares
from lossctl.sums.exact import ExactSum
from lossctl.sums.products import exact_products


@pytest.fixture(params=["compiled", "NumPy"])
def way(request, monkeypatch):
    if request.param == "NumPy":
        monkeypatch.setattr(compiled, "kernels", None)
    elif compiled.kernels is None:
        pytest.skip("the sums are not compiled here")


def variance(total, squares, n):
    return squares.exact()[0] - total.exact()[0] ** 2 / n


def sums_of(values, cuts):
    sums = Centred()
    for part in np.split(values, cuts):
        sums.add(part)
    assert sums.end()
    return sums.result()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("order", ["rising", "falling", "one far", "first far", "mixed"])
@pytest.mark.parametrize("mean", [0.0, 1e9])
def test_a_variance_keeps_its_digits_whatever_the_order_of_the_numbers(order, mean):
    rng = np.random.default_rng(1)
    values = rng.normal(mean, 1.0, 4 * FIRST + 9)
    values = {"rising": np.sort(values), "falling": np.sort(values)[::-1]}.get(order, values)
    if order.endswith("far"):
        values[0 if order == "first far" else -1] = 1e12
    total, squares = sum_and_squares(values, None)
    exact = variance(ExactSum.of(values), exact_products(values, values), len(values))
    assert total == ExactSum.of(values)
    assert abs(variance(total, squares, len(values)) - exact) <= 2 * exact / 2**53


@pytest.mark.usefixtures("way")
@settings(max_examples=20)
@given(seed=SEEDS, cuts=st.lists(st.integers(FIRST, 3 * FIRST), max_size=4), scale=st.integers(-600, 600))
def test_how_a_batch_comes_changes_no_bit(seed, cuts, scale):
    values = np.ldexp(np.random.default_rng(seed).standard_normal(3 * FIRST) ** 3, min(scale, 300))
    whole = sum_and_squares(values, None)
    sums = Centred()
    for part in np.split(values, sorted(cuts)):
        sums.add(part)
    if sums.end():
        assert sums.result() == whole


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("kind", SPREADS)
@settings(max_examples=8)
@given(seed=SEEDS, numbers=st.lists(st.integers(1, 30), max_size=5), odd=st.sampled_from([np.inf, np.nan, 1e200]))
def test_batches_add_up_and_one_that_does_not_count_leaves_nothing(kind, seed, numbers, odd):
    rng = np.random.default_rng(seed)
    sums, expected, n = Centred(), (ExactSum.zero(), ExactSum.zero()), 0
    for number in numbers:
        values = hostile(kind, rng, number)
        alone = Centred()
        for one in (sums, alone):
            one.add(values)
        counts = sums.end()
        assert counts == alone.end()
        if counts:
            expected, n = tuple(map(ExactSum.__add__, expected, alone.result())), n + len(values)
        sums.add(np.array([1.0, odd, odd, -odd]))
        assert not sums.end()
        sums.add(values)
        sums.forget()
    assert sums.result() == expected
    assert sums.n == n


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("number", [0.0, 3.0, 0.1, -1e-310, 1e300])
def test_numbers_that_are_all_the_same_have_no_variance(number):
    total, squares = sums_of(np.full(7, number), [])
    assert total.exact() == [7 * Fraction(number)]
    assert squares.exact() == [7 * Fraction(number) ** 2]
