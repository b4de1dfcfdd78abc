"""Student's t against SciPy, and where it has a closed form."""

import math

import pytest

from lossctl.sums.student import quantile

LEVELS = (1e-4, 0.1, 0.5, 0.68, 0.8, 0.9, 0.95, 0.99, 0.999, 1 - 1e-6, 1 - 1e-9)
FREEDOMS = (0.1, 0.5, 1, 1.5, 2, 2.7, 3, 5, 9.5, 30, 199, 599.3, 999.99, 1000, 1001, 1e5, 1e9)


def test_quantiles_are_those_of_scipy():
    stats = pytest.importorskip("scipy.stats")
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
