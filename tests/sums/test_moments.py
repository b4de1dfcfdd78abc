"""Means, sums and standard errors are those of the formulas, at 60 digits."""

import math
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hostile import SEEDS, SPREADS, hostile, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl import evaluate
from lossctl.rational import square_root, to_float
from lossctl.reduction import MEAN, ROOT_MEAN, SUM, reduction_of
from lossctl.sums import compiled
from lossctl.sums.moments import Moments, steady_sums


def expected_moments(value, weight, reduction):
    """The reported number and its standard error by the formulas of LOSSES.md §3, at 60 digits."""
    with mpmath.workdps(60):
        values = [mpmath.mpf(v) for v in value.tolist()]
        weights = [mpmath.mpf(w) for w in (np.ones(len(values)) if weight is None else weight).tolist()]
        n, whole = len(values), mpmath.fsum(weights)
        weighted = [w * v for w, v in zip(weights, values, strict=True)]
        mean = mpmath.fsum(weighted) / whole
        spread = mpmath.fsum((w * (v - mean)) ** 2 for w, v in zip(weights, values, strict=True))
        error = mpmath.sqrt(mpmath.mpf(n) / (n - 1) * spread) / whole if n > 1 else mpmath.nan
        if reduction == "sum":
            middle = mpmath.fsum(weighted) / n
            spread = mpmath.fsum((it - middle) ** 2 for it in weighted)
            error = mpmath.sqrt(mpmath.mpf(n) / (n - 1) * spread) if n > 1 else mpmath.nan
            return mpmath.fsum(weighted), error
        if reduction == "root-mean":
            return mpmath.sqrt(mean), error / (2 * mpmath.sqrt(mean)) if mean else mpmath.mpf(0)
        return mean, error


@given(seed=SEEDS, n=st.integers(1, 200), kind=st.sampled_from(["plain", "wide", "whole range", "cancelling", "equal"]))
def test_the_mean_and_the_sum_are_correctly_rounded(seed, n, kind):
    values = hostile(kind, np.random.default_rng(seed), n)
    sum_ = sum(map(Fraction, values.tolist()), Fraction(0))
    (found,) = Moments.lift(rows_of(values)).result()
    assert found.value(MEAN) == to_float(sum_ / len(values))
    assert found.value(SUM) == to_float(sum_)
    assert (found.n, found.sum_weight, found.effective_n) == (len(values), len(values), len(values))


def exact_moments(values, weights):
    """The sum, the mean and the squared standard errors of both, by fractions: every double is one."""
    pairs = [(Fraction(w), Fraction(v)) for w, v in zip(weights.tolist(), values.tolist(), strict=True)]
    n, whole, total = len(pairs), sum(w for w, _ in pairs), sum(w * v for w, v in pairs)
    mean = total / whole
    spread = sum(w * w * (v - mean) ** 2 for w, v in pairs)
    spread_of_sum = sum((w * v - total / n) ** 2 for w, v in pairs)
    correction = Fraction(n, n - 1)
    return total, mean, correction * spread / whole**2, correction * spread_of_sum


def positive(kind, rng, n):
    """Weights: positive numbers of some spread."""
    weights = np.abs(hostile(kind, rng, n))[:n]
    return np.where(weights > 0, weights, 5e-324)


@pytest.mark.parametrize("spread", SPREADS)
@given(seed=SEEDS, n=st.integers(2, 60), kind=st.sampled_from(SPREADS), groups=st.integers(1, 3))
@settings(max_examples=15)
def test_weighted_figures_are_right_at_every_scale_of_weights_and_values(spread, kind, seed, n, groups):
    """The sum and the mean are correctly rounded; errors are right to the digits that squares keep."""
    rng = np.random.default_rng(seed)
    weights, values = positive(spread, rng, n), hostile(kind, rng, n)[:n]
    group = np.arange(n) % groups
    for at, found in enumerate(Moments.lift(rows_of(values, weights, group, groups)).result()):
        mine = group == at
        if mine.sum() < 2:
            continue
        total, mean, squared, squared_of_sum = exact_moments(values[mine], weights[mine])
        assert found.value(SUM) == to_float(total)
        assert found.value(MEAN) == to_float(mean)
        scale = max(mean**2, squared)
        for reduction, expected, size in (("mean", squared, scale), ("sum", squared_of_sum, squared_of_sum + total**2)):
            error = found.standard_error(reduction_of(reduction))
            if math.isfinite(error):
                digit = 3 * Fraction(error + 5e-324) * Fraction(5e-324)  # of a subnormal error
                slack = expected / 10**12 + size / 10**29 + digit
                assert abs(Fraction(error) ** 2 - expected) <= slack
            else:
                assert square_root(expected) == math.inf


@given(
    value=st.floats(min_value=-1.7e308, max_value=1.7e308),
    spread=st.sampled_from(SPREADS),
    sizes=st.lists(st.integers(2, 60), min_size=1, max_size=5),
    seed=SEEDS,
)
def test_equal_rows_have_no_error_whatever_their_weights(value, spread, sizes, seed):
    """However they are cut into batches: not even the last digit of Σw²(ℓ − L)² is left."""
    rng = np.random.default_rng(seed)
    weights = [positive(spread, rng, n) for n in sizes]
    states = [Moments.lift(rows_of(np.full(len(weight), value), weight)) for weight in weights]
    (found,) = sum(states, Moments.zero(1, weighted=True)).result()
    assert (found.value(MEAN), found.standard_error(MEAN)) == (value, 0.0)


@given(seed=SEEDS, scale=st.integers(-1000, 1000))
def test_a_power_of_two_of_all_weights_changes_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    values, weights = rng.lognormal(size=30), positive("plain", rng, 30)
    plain, scaled = (Moments.lift(rows_of(values, w)).result()[0] for w in (weights, np.ldexp(weights, scale)))
    for figure in ("value", "standard_error"):
        assert getattr(plain, figure)(MEAN) == getattr(scaled, figure)(MEAN)
    assert plain.effective_n == scaled.effective_n


@pytest.mark.parametrize("reduction", ["mean", "sum", "root-mean"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@given(seed=SEEDS, n=st.integers(2, 150))
@settings(max_examples=20)
def test_value_and_standard_error_are_those_of_the_formulas(reduction, weighted, seed, n):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(sigma=2.0, size=n)
    weights = rng.uniform(0.1, 3.0, n) if weighted else None
    (found,) = Moments.lift(rows_of(values, weights)).result()
    value, error = expected_moments(values, weights, reduction)
    assert found.value(reduction_of(reduction)) == pytest.approx(float(value), rel=1e-15, abs=0)
    assert found.standard_error(reduction_of(reduction)) == pytest.approx(float(error), rel=1e-12, abs=0)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(("base", "noise"), [(1e8, 1.0), (1e8, 1e-2), (-1e8, 1e-2), (1e-200, 1e-208), (1e150, 1e141)])
def test_the_standard_error_sees_noise_far_below_the_mean(weighted, base, noise):
    """Σℓ² − (Σℓ)²/n in doubles would be noise, or negative: the mean is up to 1e10 times the spread."""
    rng = np.random.default_rng(8)
    values = base + rng.normal(scale=noise, size=1000)
    weights = rng.choice([0.5, 1.0, 2.0], 1000) if weighted else None  # powers of two, so that w·ℓ is not rounded
    (found,) = Moments.lift(rows_of(values, weights)).result()
    value, error = expected_moments(values, weights, "mean")
    assert found.value(MEAN) == float(value)
    assert found.standard_error(MEAN) == pytest.approx(float(error), rel=1e-3, abs=0)


@pytest.mark.parametrize("reduction", [MEAN, ROOT_MEAN, reduction_of("exp-mean")], ids=lambda reduction: reduction.name)
@pytest.mark.parametrize("weighted", [False, True])
@given(seed=SEEDS, n=st.integers(1, 60), kind=st.sampled_from(SPREADS))
@settings(max_examples=8)
def test_the_standard_error_has_the_bits_of_the_formula_in_fractions(reduction, weighted, seed, n, kind):
    rng = np.random.default_rng(seed)
    values = np.abs(hostile(kind, rng, n))
    n = len(values)
    rows = rows_of(values, np.exp2(rng.uniform(-300, 300, n)) if weighted else None, rng.integers(0, 4, n), 4)
    for sums in Moments.lift(rows).result():
        error = sums.standard_error(reduction)
        if not math.isnan(error) and not sums.equal:
            slope = reduction.squared_slope(sums.sum_value / sums.sum_weight)
            squares = Fraction(sums.n, sums.n - 1) * sums.spread([Fraction(1)]) * slope
            assert error == square_root(squares / sums.sum_weight**2)


@given(seed=SEEDS, n=st.integers(2, 3000))
def test_equal_rows_have_no_standard_error(seed, n):
    """What is left of Σℓ² − (Σℓ)²/n must not look like a spread."""
    value = float(np.random.default_rng(seed).lognormal(sigma=5.0))
    (found,) = Moments.lift(rows_of(np.full(n, value))).result()
    assert found.standard_error(MEAN) <= 1e-16 * value


def test_fewer_than_two_rows_have_no_standard_error():
    for value in (np.array([3.0]), np.zeros(0)):
        (found,) = Moments.lift(rows_of(value)).result()
        assert all(math.isnan(found.standard_error(reduction)) for reduction in (MEAN, SUM, ROOT_MEAN))
    (nothing_,) = Moments.zero(1, weighted=False).result()
    assert math.isnan(nothing_.value(MEAN))
    assert math.isnan(nothing_.value(ROOT_MEAN))
    assert nothing_.effective_n == 0


@pytest.mark.parametrize("size", [1e150, 1e160, 1e200, 1e308])
@pytest.mark.parametrize("others", [[], [1.0, 2.0]])
def test_rows_whose_squares_are_no_doubles_have_their_error_where_they_cancel(size, others):
    values = np.array([size, -size, *others])
    (found,) = Moments.lift(rows_of(values)).result()
    _, _, squared, _ = exact_moments(values, np.ones(len(values)))
    assert found.standard_error(MEAN) == pytest.approx(square_root(squared), rel=1e-15)


def test_an_infinite_row_makes_the_value_infinite_and_the_error_unknown():
    (found,) = Moments.lift(rows_of(np.array([1.0, math.inf, 2.0]))).result()
    assert found.value(MEAN) == found.value(SUM) == found.value(ROOT_MEAN) == math.inf
    assert math.isnan(found.standard_error(MEAN))


def test_a_root_mean_of_a_negative_mean_is_no_number():
    """A loss may be negative (cosine, poisson): the root of its mean does not exist, and is not 0."""
    (found,) = Moments.lift(rows_of(np.array([-1.0, -2.0, -4.0]))).result()
    assert math.isnan(found.value(ROOT_MEAN))
    assert math.isnan(found.standard_error(ROOT_MEAN))


def test_weights_may_be_of_any_size():
    """Their sum may pass the largest double though the mean does not."""
    columns = {"label": [0.0, 0.0, 0.0], "prediction": [0.25, 0.5, 0.75]}
    for size in (1e308, 1e-300, 2.0**-1070):
        (found,) = evaluate({**columns, "w": [size] * 3}, "mae", weight="w").results
        assert found.value == pytest.approx(0.5, rel=1e-15)
        assert found.sum_weight == (3 * size if size < 1e300 else math.inf)
        assert found.effective_n == pytest.approx(3.0)


@given(seed=SEEDS, n=st.integers(2, 150), groups=st.integers(1, 5), weighted=st.booleans())
def test_moments_by_group_are_those_of_each_group(seed, n, groups, weighted):
    rng = np.random.default_rng(seed)
    values, group = rng.lognormal(size=n), rng.integers(0, groups, n)
    weights = rng.uniform(0.1, 3.0, n) if weighted else None
    found = Moments.lift(rows_of(values, weights, group, groups)).result()
    for at in range(groups):
        mine = group == at
        (alone,) = Moments.lift(rows_of(values[mine], None if weights is None else weights[mine])).result()
        assert replace(found[at], value_squares=0) == replace(alone, value_squares=0)
        assert found[at].standard_error(MEAN) == pytest.approx(alone.standard_error(MEAN), rel=1e-12, nan_ok=True)


def test_weights_are_never_left_out_where_nothing_is_compiled(monkeypatch):
    monkeypatch.setattr(compiled, "kernels", None)
    with pytest.raises(TypeError, match="not compiled"):
        steady_sums(weighted=True)
