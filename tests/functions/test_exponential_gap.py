"""What divergences are made of, against exact arithmetic where the plain forms lose their digits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from lossctl.functions.exponential_gap import gap
from lossctl.functions.stable import log1pmx, power_of_exp

signs = st.sampled_from([1.0, -1.0])
small = st.builds(lambda sign, exponent: sign * 10.0**exponent, signs, st.floats(-100.0, 0.5))
exponents = st.one_of(
    st.sampled_from([-1.0, 0.0, -2.0, 1.0, -0.5, math.nextafter(-1.0, 0.0), math.nextafter(0.0, -1.0)]),
    st.floats(-9.0, 9.0),
)


def off(number, exact):
    return abs(mp.mpf(float(number)) - exact) / abs(exact)


def grown(x, c):
    return x if c == 0 else mp.expm1(c * x) / c


@settings(max_examples=200)
@given(small, exponents)
def test_the_gap_of_two_exponentials_has_its_digits_however_small_it_is(x, a):
    with mp.workdps(300):
        exact = grown(mp.mpf(x), mp.mpf(a) + 1) - grown(mp.mpf(x), mp.mpf(a))
        assert off(gap(np.array([x]), a)[0], exact) <= 4e-15


@settings(max_examples=200)
@given(st.builds(lambda sign, exponent: sign * 10.0**exponent, signs, st.floats(-100.0, 100.0)))
def test_x_minus_its_log1p_has_its_digits_however_small_it_is(x):
    if x <= -1:
        return
    with mp.workdps(300):
        exact = mp.mpf(x) - mp.log1p(mp.mpf(x))
        numbers = np.array([x])
        assert off(log1pmx(numbers, np.log1p(numbers))[0], exact) <= 1e-15


@settings(max_examples=100)
@given(st.floats(-700.0, 700.0), st.floats(-1.0, 1.0))
def test_a_power_of_e_has_the_digits_of_its_product(x, exponent):
    with mp.workdps(60):
        assert off(power_of_exp(np.array([x]), exponent)[0], mp.exp(-mp.mpf(x) * mp.mpf(exponent))) <= 4e-16


@pytest.mark.parametrize("a", [-9.0, -1.0, -0.5, 0.0, 2.0])
def test_the_gap_of_nothing_is_nothing_and_no_gap_is_below_it(a):
    far = np.geomspace(1e-300, 1e3, 100)
    with np.errstate(all="ignore"):
        assert gap(np.array([0.0]), a).tolist() == [0.0]
        assert (gap(np.concatenate([far, -far]), a) >= 0).all()
