"""Bounds, p-values and doubts of an estimate: against SciPy, formulas and simulation."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from lossctl.sums.estimate import TOP_SHARE, Estimate

LEVELS = (0.5, 0.9, 0.95, 0.999)


def estimate(value=0.3, error=0.2, n=50, clusters=None, **known):
    units = float(n if clusters is None else clusters)
    return Estimate(value, error, units - 1.0, n, units, clusters, known.pop("top_share", 0.02), **known)


@given(
    value=st.floats(-5, 5),
    error=st.floats(0.01, 10),
    n=st.integers(2, 5000),
    level=st.sampled_from(LEVELS),
    limit=st.floats(-3, 3),
)
@settings(max_examples=40)
def test_intervals_bounds_and_p_are_those_of_students_t(value, error, n, level, limit):
    one, t = estimate(value, error, n), stats.t(n - 1)
    low, high = stats.t.interval(level, n - 1, value, error)
    assert one.interval(level) == (pytest.approx(low, abs=1e-9 * error), pytest.approx(high, abs=1e-9 * error))
    reach = t.ppf(level) * error
    bounds = pytest.approx(value - reach, abs=1e-9 * error), pytest.approx(value + reach, abs=1e-9 * error)
    assert (one.lower(level), one.upper(level)) == bounds
    statistic = (value - limit) / error
    assert one.p_value(limit) == pytest.approx(2 * t.sf(abs(statistic)), rel=1e-8, abs=1e-300)
    assert one.p_above(limit) == pytest.approx(t.sf(statistic), rel=1e-8, abs=1e-300)
    assert (one.lower(level) > limit) == (one.p_above(limit) < 1 - level) or abs(one.lower(level) - limit) < 1e-9


def test_what_could_have_been_shown_is_what_is_shown_so_often():
    """A difference of that size is beyond the interval in about as many cases as the power says."""
    one = estimate(n=40)
    size = one.detectable(0.95, power=0.8)
    noncentral = stats.nct(39, size / one.standard_error)
    assert noncentral.sf(stats.t.ppf(0.975, 39)) == pytest.approx(0.8, abs=0.01)


# --- what one row carries --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [5, 20, 40])
def test_a_share_is_doubted_beyond_a_tenth_and_beyond_the_critical_one_of_grubbs(units):
    """Grubbs' G = max∣x − x̄∣/s, of which one row carries G²/(n − 1) of the sum of squares."""
    t = stats.t.isf(0.01 / (2 * units), units - 2)
    critical = (units - 1) / math.sqrt(units) * math.sqrt(t * t / (units - 2 + t * t))
    limit = max(critical**2 / (units - 1), TOP_SHARE)
    for clusters in (None, units):
        below, above = (estimate(n=units, clusters=clusters, top_share=limit * part) for part in (0.999, 1.001))
        assert (below.doubt, above.doubt.endswith("of the sum of squares")) == ("", True)


def test_of_few_normal_rows_one_in_a_hundred_samples_is_doubted():
    rows = np.random.default_rng(1).normal(size=(20_000, 12))
    squares = (rows - rows.mean(axis=1, keepdims=True)) ** 2
    shares = squares.max(axis=1) / squares.sum(axis=1)
    doubted = np.mean([bool(estimate(n=12, top_share=share).doubt) for share in shares.tolist()])
    assert doubted == pytest.approx(0.01, abs=3 * math.sqrt(0.01 * 0.99 / 20_000))


# --- intervals that hold at any time ---------------------------------------------------------------------------------


def half_width(rho, n, alpha, *, sides):
    """Waudby-Smith et al. 2021, theorem 2.2, and of one side proposition B.1, for a standard deviation of 1."""
    x = n * rho * rho
    front = math.sqrt(2 * (x + 1) / (n * x))
    if sides == 2:
        return front * math.sqrt(math.log(math.sqrt(x + 1) / alpha))
    return front * math.sqrt(math.log1p(math.sqrt(x + 1) / (2 * alpha)))


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize(("n", "tightest"), [(400, 400), (100, 400), (5000, 400)])
def test_sequences_are_those_of_the_formula_with_the_rho_that_makes_them_tightest(level, n, tightest):
    def at_best(log_rho):
        return half_width(math.exp(log_rho), tightest, 1 - level, sides=2)

    rho = math.exp(optimize.minimize_scalar(at_best, bounds=(-12, 3), method="bounded", options={"xatol": 1e-10}).x)
    error = 1.0 / math.sqrt(n)
    one = estimate(0.0, error, n, anytime=float(tightest))
    reach = half_width(rho, n, 1 - level, sides=2)
    assert one.interval(level) == (pytest.approx(-reach, rel=1e-6), pytest.approx(reach, rel=1e-6))
    beside = estimate(0.0, error, n, anytime=float(tightest), top_share=0.01)
    assert -beside.lower(level) == beside.upper(level) < reach  # of one side
    assert math.isnan(one.p_value())


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_sequences_of_one_side_are_those_of_the_formula(level):
    """Their ρ is that of both sides at twice the error."""

    def at_best(log_rho):
        return half_width(math.exp(log_rho), 400, 2 * (1 - level), sides=2)

    rho = math.exp(optimize.minimize_scalar(at_best, bounds=(-12, 3), method="bounded", options={"xatol": 1e-10}).x)
    one = estimate(0.0, 0.05, 400, anytime=400.0)
    assert one.upper(level) == pytest.approx(half_width(rho, 400, 1 - level, sides=1), rel=1e-6)


def test_ten_peeks_are_wrong_no_more_often_than_said():
    """Of models that do not differ; an interval that holds once is wrong several times as often."""
    rows = np.random.default_rng(2).normal(size=(1000, 1000))
    wrong = {None: 0, 1000.0: 0}
    peeks = range(100, 1001, 100)
    means = [rows[:, :n].mean(axis=1) for n in peeks]
    errors = [rows[:, :n].std(axis=1, ddof=1) / math.sqrt(n) for n in peeks]
    for anytime in wrong:
        known = [estimate(0.0, 1.0, n, anytime=anytime).interval(0.95)[1] for n in peeks]  # of an error of 1
        seen = [np.abs(mean) > reach * error for mean, error, reach in zip(means, errors, known, strict=True)]
        wrong[anytime] = np.mean(np.any(seen, axis=0))
    assert wrong[1000.0] <= 0.05
    assert wrong[None] > 0.12


def test_few_rows_are_too_few_for_any_time():
    assert estimate(n=29, anytime=100.0).doubt
    assert not estimate(n=30, anytime=100.0, top_share=0.05).doubt


# --- what is not known -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unknown",
    [
        {"value": math.nan},
        {"value": math.inf},
        {"error": math.nan},
        {"error": math.inf},
        {"n": 1},
        {"n": 50, "clusters": 1},
        {"top_share": math.nan},
        {"error": math.nan, "lags": 49},
    ],
)
def test_what_is_not_known_is_never_trusted(unknown):
    one = estimate(**unknown)
    assert one.doubt
    if "top_share" not in unknown:
        assert all(math.isnan(end) for end in (*one.interval(0.95), one.lower(0.95), one.upper(0.95), one.p_value()))
        assert math.isnan(one.p_above(-1e9))


def test_one_cluster_that_is_nearly_all_is_doubted():
    assert replace(estimate(clusters=20), units=1.2).doubt
    assert not replace(estimate(clusters=20), units=19.0).doubt
