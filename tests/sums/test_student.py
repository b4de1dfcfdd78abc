"""Student's t against mpmath and SciPy, and where it has a closed form."""

import math

import mpmath
import pytest
from scipy import stats

from lossctl.sums.student import quantile, tail

LEVELS = (1e-4, 0.1, 0.5, 0.68, 0.8, 0.9, 0.95, 0.99, 0.999, 1 - 1e-6, 1 - 1e-9)
FREEDOMS = (0.1, 0.5, 1, 1.5, 2, 2.7, 3, 5, 9.5, 30, 199, 599.3, 999.99, 1000, 1001, 1e5, 1e9)


def exact_tail(t, freedom):
    t, freedom = mpmath.mpf(t), mpmath.mpf(freedom)
    return mpmath.betainc(freedom / 2, mpmath.mpf("0.5"), 0, freedom / (freedom + t * t), regularized=True)


def exact_density(t, freedom):
    """Of ∣T∣."""
    half = mpmath.mpf(freedom) / 2
    front = 2 * mpmath.gammaprod([half + mpmath.mpf("0.5")], [half]) / mpmath.sqrt(2 * mpmath.pi * half)
    return front * (1 + mpmath.mpf(t) ** 2 / (2 * half)) ** (-half - mpmath.mpf("0.5"))


@pytest.mark.parametrize(
    "freedom", [0.1, 0.5, 1, 1.5, 2, 3, 9.5, 30, 59.9, 60, 61.2, 199, 599.3, 1000, 12345.6, 1e5, 1e9]
)
def test_tails_are_those_of_mpmath_to_twelve_digits(freedom):
    with mpmath.workdps(40):
        scale = math.sqrt(freedom)  # from where tails are those of a power
        near = (1e-12, 1e-3, 0.1, 0.5, 1.5, 1.7, 1.75, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 36.0, 1e10)
        for t in (*near, scale, 1.4 * scale, 3.0 * scale, 33.0 * scale):
            expected = exact_tail(t, freedom)
            assert tail(t, freedom) == pytest.approx(float(expected), rel=1e-12, abs=1e-300), t


@pytest.mark.parametrize("freedom", [0.1, 1, 1.5, 2, 9.5, 59.9, 60, 199, 599.3, 1000, 12345.6, 1e9])
def test_quantiles_are_those_of_mpmath_to_twelve_digits(freedom):
    """By a step of Newton's method from what is claimed to the truth."""
    with mpmath.workdps(40):
        for level in LEVELS:
            t = quantile(level, freedom)
            missing = exact_tail(t, freedom) - (1 - mpmath.mpf(level))
            assert abs(missing / exact_density(t, freedom)) <= 1e-12 * t, level


def test_of_endless_freedom_the_normal_distribution_is_left():
    for t in (0.1, 1.0, 2.0, 8.0):
        for freedom in (math.inf, 1e300):
            assert tail(t, freedom) == pytest.approx(math.erfc(t / math.sqrt(2.0)), rel=1e-13)
            assert quantile(1.0 - tail(t, math.inf), freedom) == pytest.approx(t, rel=1e-12 if t < 3 else 0.1)


def test_a_tail_beyond_the_doubles_is_nothing():
    assert [tail(t, freedom) for t, freedom in [(math.inf, 3.0), (1e300, 1e300), (40.0, 1e9), (1e308, 50.0)]] == [
        0.0
    ] * 4
    assert tail(0.0, 3.0) == 1.0


def test_quantiles_are_those_of_scipy():
    for level in LEVELS:
        for freedom in FREEDOMS:
            expected = stats.t.isf((1.0 - level) / 2.0, freedom)
            assert quantile(level, freedom) == pytest.approx(expected, rel=1e-10), (level, freedom)


def test_quantiles_of_one_and_two_degrees_are_those_of_closed_forms():
    for level in LEVELS:
        rest = (1.0 - level) * (1.0 + level)
        assert quantile(level, 1.0) == pytest.approx(1.0 / math.tan(math.pi / 2 * (1.0 - level)), rel=1e-10)
        assert quantile(level, 2.0) == pytest.approx(level * math.sqrt(2.0 / rest), rel=1e-12)


@pytest.mark.parametrize("level", [5e-324, 1e-9, 0.5, 1 - 1e-16])
@pytest.mark.parametrize("freedom", [2.3e-16, 1e-5, 0.01, 3.0, 999.0, 1e6, 2.0**53])
def test_any_level_and_freedom_has_a_quantile(level, freedom):
    assert quantile(level, freedom) >= 0.0
