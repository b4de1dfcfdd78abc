"""The best constant of a loss that is not convex is known where it is the best, and unknown elsewhere."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.functions.gaussian import best_normal

amounts = st.lists(st.one_of(st.floats(0.0, 50.0), st.just(0.0)), min_size=1, max_size=12).filter(lambda y: max(y) > 0)
sizes = st.integers(-30, 30).map(lambda k: 10.0**k)


def best_of(label, spec, weight=None):
    source = {"y": np.array(label, dtype=float), "p": np.ones(len(label))}
    more = {} if weight is None else {"weight": "w"}
    source |= {} if weight is None else {"w": weight}
    return lossctl.evaluate(source, spec, label="y", prediction="p", skill=True, **more).results[0].best_constant


MEANS = [f"tweedie_deviance:power={p}" for p in (-1, 0, 1, 1.2, 1.9)] + ["tweedie_nll", "poisson_deviance"]
MEANS_ABOVE_0 = ["gamma_deviance", "gamma_nll", "tweedie_deviance:power=2", "tweedie_deviance:power=3"]


@settings(max_examples=30)
@given(st.sampled_from(MEANS + MEANS_ABOVE_0), amounts, sizes)
def test_of_deviances_it_is_the_mean_whatever_the_power(spec, label, size):
    label = (np.array(label) + 0.01 * (spec in MEANS_ABOVE_0)) * size
    assert best_of(label, spec).constant == pytest.approx(label.mean(), rel=1e-9)


@settings(max_examples=15)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20), st.floats(0.01, 0.99))
def test_of_expectiles_what_is_missed_above_and_below_is_in_balance(label, tau):
    label = np.round(label, 3)
    best = best_of(label, f"expectile:tau={tau!r}").constant
    above, below = np.maximum(label - best, 0).sum(), np.maximum(best - label, 0).sum()
    assert tau * above == pytest.approx((1 - tau) * below, rel=1e-6, abs=1e-9)


NOT_CONVEX = ["cauchy", "cauchy:c=30", "smape", "msle", "tweedie_deviance:power=-3", "gamma_nll"]


@settings(max_examples=50)
@given(st.sampled_from(NOT_CONVEX), st.data())
def test_no_constant_is_better_than_one_that_is_known(spec, data):
    """Of labels in clusters of any size and distance, which is where a slope leads to the wrong one."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    centres = rng.lognormal(0.0, data.draw(st.floats(0.1, 4.0)), data.draw(st.integers(1, 3)))
    label = np.concatenate([centre + rng.uniform(0, 0.3, rng.integers(1, 6)) for centre in centres])
    weight = rng.lognormal(0.0, 1.0, len(label))
    best = best_of(label, spec, weight)
    if math.isnan(best.constant_loss):
        assert spec.partition(":")[0] in {"cauchy", "smape"}
        return
    constants = np.concatenate([label, np.linspace(label.min(), label.max(), 200)])
    means = [weight @ lossctl.get_loss(spec).value(label, np.full(len(label), one)) for one in constants]
    least = min(means) / weight.sum()
    assert best.constant_loss <= least + 1e-9 * abs(least) + 1e-12


def test_of_labels_far_apart_it_is_unknown_where_a_loss_lets_go_of_outliers_and_of_near_ones_known():
    assert math.isnan(best_of([0.0, 0.1, 10.0], "cauchy").constant_loss)
    assert best_of([0.0, 0.1, 0.3], "cauchy").constant == pytest.approx(0.13, abs=0.05)
    assert best_of([0.0, 0.1, 10.0], "cauchy:c=100").constant == pytest.approx(3.36, abs=0.02)
    assert math.isnan(best_of([1.0, 2.0], "smape").constant_loss)
    assert best_of([3.0, 3.0], "smape").constant == 3.0


@pytest.mark.parametrize("seed", range(12))
def test_no_normal_forecast_is_better_than_the_best_also_where_most_labels_are_one_number(seed):
    """Beside many ties the score is nearly a cone, which bends no more the nearer its tip is."""
    rng = np.random.default_rng(seed)
    label = np.concatenate([np.zeros(rng.integers(4, 20)), rng.lognormal(0.0, 1.5, rng.integers(1, 7))])
    best = best_normal(label, np.ones(len(label)))
    places = np.array([(mean, scale) for mean in np.linspace(0, 1, 21) for scale in [0.0, *np.geomspace(1e-3, 5, 20)]])
    places = np.concatenate([places, np.add(best, 1e-3 * rng.normal(size=(20, 2)))])
    of_all = lossctl.get_loss("crps_gaussian")
    pairs = np.repeat(np.abs([best, *places]), len(label), axis=0)
    means = of_all.value(np.tile(label, len(places) + 1), pairs).reshape(-1, len(label)).mean(axis=1)
    assert means[0] <= means.min() * (1 + 1e-9)


def test_of_nearly_only_one_number_the_best_normal_forecast_has_no_spread():
    """The score rises by (√2 − 1)/√π a unit of it at each tie, and falls by 1/√π at each other label."""
    assert best_normal(np.array([-1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 7.0]), np.ones(10)) == (2.0, 0.0)
