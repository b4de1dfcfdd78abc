"""Calibration is drawn where the rows are: rare and sure events have an axis that fits, and what is beyond is said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.plots.reliability import reliability
from lossctl.sums.calibration import BEYOND, BINS, Calibration


def drawn(probabilities, labels, **more):
    calibrations = {"m": Calibration.of(np.array(probabilities), np.array(labels), None), **more}
    chart = reliability(calibrations, rows=False)
    curve, counts = chart.panels
    points = next(series for series in curve.series if series.mark == "points")
    return curve, points, counts, chart.notes


@given(
    high=st.sampled_from([1e-4, 0.009, 0.011, 0.04, 0.15, 0.3, 0.9, 1.0]),
    turned=st.booleans(),
    seed=st.integers(0, 9),
    cut=st.integers(1, 99),
)
def test_nearly_all_rows_are_in_ten_bins_of_a_window_that_fits_them(high, turned, seed, cut):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0, high, 200) if not turned else 1 - rng.uniform(0, high, 200)
    y = (rng.random(200) < p).astype(float)
    whole = Calibration.of(p, y, None)
    parts = Calibration.of(p[:cut], y[:cut], None) + Calibration.of(p[cut:], y[cut:], None)
    curve, points, counts, _ = drawn(p, y)
    assert reliability({"m": parts}, rows=False).panels == (curve, counts)
    low, top = counts.x.low, counts.x.high
    assert sum(counts.series[0].y) + whole.beyond((low, top)) == 200
    assert whole.beyond((low, top)) <= BEYOND * 200
    assert top - low <= max(2.5 * high, 0.01) * (1 + 1e-9)
    edges = np.linspace(low, top, BINS + 1)
    place = np.clip(np.ceil((p - low) / (top - low) * BINS - 1e-9).astype(int) - 1, 0, BINS - 1)
    there = np.unique(place)
    np.testing.assert_allclose(points.x, [p[place == one].mean() for one in there], rtol=1e-12)
    np.testing.assert_allclose(points.y, [y[place == one].mean() for one in there], rtol=1e-12)
    np.testing.assert_allclose(counts.series[0].x, edges)
    assert curve.y.low <= min(points.y)
    assert max(points.y) <= curve.y.high


@pytest.mark.parametrize(("far", "notes"), [(1, ("m: 1 row beyond the axes",)), (3, ())])
def test_a_few_rows_far_away_are_counted_and_more_are_drawn(far, notes):
    p = np.r_[np.linspace(0.001, 0.019, 2000 - far), [0.9] * far]
    _, _, counts, said = drawn(p, np.arange(2000) % 50 == 0)
    assert (said, counts.x.high) == (notes, 0.02 if notes else 1.0)
    assert sum(counts.series[0].y) == 2000 - far * bool(notes)


def test_one_axis_holds_all_models():
    other = Calibration.of(np.array([0.4, 0.3]), np.array([1.0, 0.0]), None)
    _, _, counts, _ = drawn([0.01, 0.02], [0.0, 1.0], other=other)
    assert (counts.x.low, counts.x.high) == (0.0, 0.5)
