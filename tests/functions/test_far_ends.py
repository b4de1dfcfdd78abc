"""Losses behind activations, where the label is at the end of their range: against exact arithmetic."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from lossctl import get_activation, get_loss
from lossctl.functions.stable import amended

DIGITS = 160  # for 1 − tanh(100)
Z = (0.3, 2.5, 20.0, 37.0, 100.0)

ACTIVATIONS = {
    "sigmoid": (lambda z: 1 / (1 + mp.exp(-z)), (0.0, 1.0)),
    "tanh": (mp.tanh, (-1.0, 1.0)),
    "elu": (lambda z: z if z > 0 else mp.expm1(z), (-1.0, 20.0)),
    "selu": (
        lambda z: mp.mpf(1.0507009873554805) * (z if z > 0 else mp.mpf(1.6732632423543772) * mp.expm1(z)),
        (-1.7580993408473766, 1.0),
    ),
    "softplus": (lambda z: mp.log1p(mp.exp(z)), (20.0, 100.0)),
    "exp": (mp.exp, (1.0,)),
}
LOSSES = {
    "mse": lambda y, p: (p - y) ** 2,
    "mae": lambda y, p: abs(p - y),
    "huber": lambda y, p: (p - y) ** 2 / 2 if abs(p - y) <= 1 else abs(p - y) - mp.mpf(0.5),
    "log_cosh": lambda y, p: mp.log(mp.cosh(p - y)),
    "mape": lambda y, p: 100 * abs(p - y) / abs(y),
    "msle": lambda y, p: mp.log((1 + p) / (1 + y)) ** 2,
    "hinge": lambda y, p: max(mp.zero, 1 - y * p),
    "squared_hinge": lambda y, p: max(mp.zero, 1 - y * p) ** 2,
    "poisson": lambda y, p: p - y * mp.log(p),
    "bce:eps=0.0": lambda y, p: -(mp.log(p) if y == 1 else mp.log(1 - p)),
    "focal:eps=0.0,alpha=none": lambda y, p: -((1 - p) ** 2 * mp.log(p) if y == 1 else p**2 * mp.log(1 - p)),
}


def legal(loss, label, output):
    name = loss.partition(":")[0]
    if name in {"bce", "focal"}:
        return label in {0.0, 1.0} and 0 < output < 1
    if name.endswith("hinge"):
        return label in {-1.0, 1.0}
    least = {"mape": -mp.inf, "msle": -1 + mp.mpf("1e-4"), "poisson": mp.zero}.get(name)
    return least is None or (output > least and label > least and label != 0)


def close(number, exact, allowed):
    return abs(exact) < 1e-300 or abs(mp.mpf(float(number)) - exact) <= allowed * abs(exact)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_nothing_is_lost_where_an_activation_saturates_at_the_label(loss, activation):
    formula, labels = ACTIVATIONS[activation]
    bound = get_loss(loss).through(activation)
    with mp.workdps(DIGITS):
        for label, z in itertools.product(labels, (0.0, *Z, *(-z for z in Z))):
            if not legal(loss, label, formula(mp.mpf(z))):
                continue

            def row(z, label=label):
                return LOSSES[loss](mp.mpf(label), formula(z))

            assert close(bound.value([label], [z])[0], row(mp.mpf(z)), 4e-15), (label, z)
            if z and formula(mp.mpf(z)) != label:
                slope = mp.diff(row, mp.mpf(z), h=mp.mpf(10) ** -60)
                assert close(bound.gradient([label], [z])[0], slope, 1e-13), (label, z)


@pytest.mark.parametrize("loss", ["mse", "bce:eps=0.0", "focal:eps=0.0,alpha=none"])
def test_a_softmax_that_is_sure_keeps_the_digits_of_the_others(loss):
    label, z = [[1.0, 0.0, 0.0]], [[40.0, 0.0, -1.0]]
    with mp.workdps(DIGITS):

        def row(top):
            powers = [mp.exp(x) for x in (top, mp.zero, -mp.one)]
            return mp.fsum(LOSSES[loss](y, p / mp.fsum(powers)) for y, p in zip(label[0], powers, strict=True)) / 3

        bound, slope = get_loss(loss).through("softmax"), mp.diff(row, mp.mpf(40), h=mp.mpf(10) ** -60)
        assert close(bound.value(label, z)[0], row(mp.mpf(40)), 4e-15)
        assert close(bound.gradient(label, z)[0, 0], slope, 1e-13)


NEAR = (0.499999999, 0.5000000000000001, 0.3, 0.30000000000000004, 0.75, 0.9999, 1e-10, 0.9999999999)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1e-10])
@pytest.mark.parametrize("activation", [None, "identity"])  # which takes the mirrored form from ½ on
def test_the_slope_of_bce_beside_a_soft_label_does_not_cancel(activation, smoothing):
    bound = get_loss(f"bce:eps=0,label_smoothing={smoothing!r}").through(activation)
    for label, centre in itertools.product(NEAR, NEAR):
        for prediction in (np.nextafter(centre, 0.0), centre, np.nextafter(centre, 1.0), centre * 0.9999999):
            y, p, a = (Fraction(float(number)) for number in (label, prediction, smoothing))
            y = y * (1 - a) + a / 2
            slope = (p - y) / (p * (1 - p))
            allowed = Fraction(1e-13) * abs(slope) + Fraction(4e-16 if smoothing else 0.0) / (p * (1 - p))
            assert abs(Fraction(float(bound.gradient([label], [prediction])[0])) - slope) <= allowed, (y, p)
    assert get_loss("bce").through("sigmoid").gradient([0.499999999], [0.0])[0] == 0.5 - 0.499999999


def test_a_weighted_slope_of_bce_is_finite_beside_the_smallest_probability():
    slope = get_loss("bce:eps=0,pos_weight=3").gradient([5e-324, 0.0, 1.0], [5e-324, 0.0, 1.0])
    np.testing.assert_array_equal(slope, [-2.0, 1.0, -3.0])


def test_the_gradient_through_log_softmax_is_not_rounded_to_0():
    slope = get_loss("nll:log=true").through("log_softmax").gradient([0], [[40.0, 0.0]])
    np.testing.assert_allclose(slope, [[-4.248354255291589e-18, 4.248354255291589e-18]], rtol=1e-15)  # 1/(1 + e^40)


@pytest.mark.parametrize(
    ("loss", "activation", "label", "z", "value", "slope"),
    [
        ("poisson", "softplus", 2.0, -746.0, 1492.0, -2.0),  # −y z
        ("msle", "exp", 0.0, 710.0, 504100.0, 1420.0),  # z², 2z
        ("hinge", "exp", 1.0, 710.0, 0.0, 0.0),
        ("squared_hinge", "exp", 1.0, 710.0, 0.0, 0.0),
        ("exponential", "exp", 1.0, 710.0, 0.0, 0.0),
        ("hinge", "exp", -1.0, 710.0, np.inf, np.inf),
        ("poisson", "exp", 1e306, 1e3, np.inf, np.inf),
    ],
)
def test_what_leaves_the_doubles_within_is_right_in_the_end(loss, activation, label, z, value, slope):
    bound = get_loss(loss).through(activation)
    assert bound.value([label], [z])[0] == value
    assert bound.gradient([label], [z])[0] == slope
    assert bound.output_domain.illegal(bound.activated(np.array([z]))) is None or not bound.chained


def test_what_a_flat_activation_does_not_pass_on_counts_for_nothing_also_where_it_is_infinite():
    """The slope of gce at a class without any probability is −∞; relu stays 0 there whatever moves."""
    for loss, label, z in (("gce", 2.0, [-745.0, 1.0, -400.0]), ("minkowski", [1e300], [-1.0])):
        slope = get_loss(loss).through("relu").gradient([label], [z])
        np.testing.assert_array_equal(slope, np.zeros_like(slope))


@pytest.mark.parametrize("spec", ["kl_divergence", "kl_divergence:reverse=true", "kl_divergence:eps=0"])
@settings(max_examples=60)
@given(data=st.data())
def test_no_divergence_of_distributions_is_negative_or_noise(spec, data):
    k = data.draw(st.integers(2, 40))
    weights = st.lists(st.floats(1e-9, 1.0), min_size=k, max_size=k)
    label = np.array([data.draw(weights)])
    shift = data.draw(st.sampled_from([0.0, 1e-16, 1e-12, 1e-6, 0.1]))
    prediction = label * (1.0 + shift * np.array([data.draw(weights)]))
    label, prediction = label / label.sum(), prediction / prediction.sum()
    assert 0.0 <= get_loss(spec).value(label, prediction)[0] <= 2.0 * shift**2 + 1e-28
    logits = np.log(prediction)
    assert 0.0 <= get_loss(spec).through("softmax").value(label, logits)[0] <= 2.0 * shift**2 + 1e-25


def test_rows_that_miss_1_by_more_than_rounding_count_as_the_formula_says():
    label, prediction = [[0.2, 0.3, 0.5]], [[0.2, 0.3, 0.5001]]
    assert get_loss("kl").value(label, prediction)[0] == pytest.approx(0.5 * np.log(0.5 / 0.5001), rel=1e-11)


def test_every_activation_that_says_how_far_it_is_from_a_label_agrees_with_its_value():
    z, label = np.linspace(-3.0, 3.0, 31), np.full(31, 0.4)
    for name in ("sigmoid", "tanh", "elu:alpha=0.7", "selu", "softplus", "exp", "relu", "identity"):
        bound = get_activation(name)
        np.testing.assert_allclose(bound.error(z, label), bound.value(z) - label, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("other", ["C", "F"])
@pytest.mark.parametrize("shape", [(24,), (4, 6), (1, 5), (5, 1)])
def test_a_careful_form_is_put_where_it_belongs_in_any_order_of_memory(order, other, shape):
    rng = np.random.default_rng(1)
    numbers = np.array(rng.normal(size=shape), order=other)
    where = np.array(rng.random(shape) < 0.5, order=order)
    plain = np.full(shape, 7.0, order=order)
    assert amended(plain, where, lambda x: 2 * x, numbers).tolist() == np.where(where, 2 * numbers, 7.0).tolist()


@pytest.mark.parametrize(("power", "number"), [(3.0, 1e-310), (10.0, 1e-70), (-10.0, 1e70)])
def test_the_deviance_of_a_hit_is_flat_whatever_its_power(power, number):
    bound = get_loss(f"tweedie_deviance:power={power!r}")
    assert bound.value([number], [number]) == bound.gradient([number], [number]) == 0.0


def test_so_it_is_on_logarithms():
    bound = get_loss("tweedie_deviance:power=10").through("exp")
    assert bound.gradient(np.exp([-200.0, -0.0]), [-200.0, -0.0]).tolist() == [0.0, 0.0]
