"""Digits where a number on the way is no double, or where three numbers nearly cancel: against exact arithmetic."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mpmath import mp

from lossctl import get_loss
from lossctl.domain import BINARY, PROBABILITY
from lossctl.functions.explanation import explain
from lossctl.functions.gaussian import erf
from lossctl.functions.lookup import example_of
from lossctl.functions.loss import losses

TAILED = [it.name for it in losses if "exp" in it.pairs and not it.prediction_domain().rows]
LOW = np.array([-40.5, -300.0, -709.9, -744.4, -746.0, -1e3, -1e4])


@pytest.mark.parametrize("activation", ["sigmoid", "softplus"])
@pytest.mark.parametrize("name", TAILED)
def test_an_activation_that_comes_to_exp_gives_what_exp_does(name, activation):
    bound = example_of(name)
    for label in (1e-300, 1e-8, 0.75):
        labels = np.full(len(LOW), label)
        through, exact = bound.through(activation), bound.through("exp")
        np.testing.assert_allclose(through.value(labels, LOW), exact.value(labels, LOW), rtol=1e-15)
        np.testing.assert_allclose(through.gradient(labels, LOW), exact.gradient(labels, LOW), rtol=1e-15)


@pytest.mark.parametrize(
    ("activation", "z", "derivative"),
    [
        ("exp", -745.0, mp.exp),
        ("sigmoid", 745.0, lambda z: mp.exp(-z)),
        ("softplus", -750.0, mp.exp),
        ("tanh", -400.0, lambda z: 4 * mp.exp(2 * z)),
        ("elu:alpha=3", -745.0, lambda z: 3 * mp.exp(z)),
        ("selu", -745.0, lambda z: mp.mpf(1.0507009873554805) * mp.mpf(1.6732632423543772) * mp.exp(z)),
    ],
)
def test_a_slope_has_its_digits_where_the_derivative_has_none(activation, z, derivative):
    slope = get_loss("mse").through(activation).gradient([-1e300], [z])[0]
    assert slope == pytest.approx(float(2 * mp.mpf(1e300) * derivative(mp.mpf(z))), rel=1e-13)


NUMBERS = (0.0, 0.1, 0.3, 0.7, 1.0, 1.0000000000000002, 1.3, 1e-8, 1e-300, -0.3, -1e-160)


@pytest.mark.parametrize("margin", [0.0, 0.3, 1.0])
def test_a_lead_beside_a_margin_is_rounded_once(margin):
    rows = np.random.default_rng(1).permutation(list(itertools.product(NUMBERS, repeat=3)))[:250]
    tops, firsts, seconds = ([Fraction(x) for x in column] for column in rows.T.tolist())
    short = [max(Fraction(margin) + other - top, Fraction()) for top, other in zip(tops, firsts, strict=True)]
    least = [max(Fraction(margin) + other - top, Fraction()) for top, other in zip(tops, seconds, strict=True)]
    tall = [max(1 + first - top, Fraction()) for top, first in zip(tops, firsts, strict=True)]
    last = [max(1 + second - top, Fraction()) for top, second in zip(tops, seconds, strict=True)]
    code, chosen = np.zeros(len(rows)), np.tile([1.0, 0.0, 0.0], (len(rows), 1))
    for spec, label, prediction, exact in (
        (f"crammer_singer:margin={margin}", code, rows, map(max, short, least)),
        (f"multi_margin:margin={margin}", code, rows, [(a + b) / 3 for a, b in zip(short, least, strict=True)]),
        ("multilabel_margin", chosen, rows, [(a + b) / 3 for a, b in zip(tall, last, strict=True)]),
        ("categorical_hinge", code, rows, [max(a, b, 1 - top) for a, b, top in zip(tall, last, tops, strict=True)]),
        (f"margin_ranking:margin={margin}", code + 1.0, rows[:, :2], short),
    ):
        bound = get_loss(spec)
        values, pulls = bound.value(label, prediction).tolist(), bound.gradient(label, prediction).any(axis=1)
        for row, value, pull, right in zip(rows.tolist(), values, pulls.tolist(), exact, strict=True):
            assert abs(Fraction(value) - right) <= Fraction(1e-15) * right, (spec, row)
            assert pull == (right > 0), (spec, row)


@pytest.mark.parametrize("near", [1e-3, 1e-8, 1e-12, 2.0**-52])
def test_the_slope_of_nearly_parallel_vectors_does_not_cancel(near):
    label, prediction = [1.0, 2.0, 3.0, -0.5], [2.0, 4.0 * (1.0 + near), 6.0, -1.0]
    with mp.workdps(60):
        y, p = ([mp.mpf(x) for x in row] for row in (label, prediction))
        length, dot = mp.sqrt(mp.fsum(x * x for x in p)), mp.fsum(a * b for a, b in zip(y, p, strict=True))
        size = mp.sqrt(mp.fsum(x * x for x in y)) * length
        exact = [float(-(a / size - dot * b / size / length**2)) for a, b in zip(y, p, strict=True)]
    np.testing.assert_allclose(get_loss("cosine").gradient([label], [prediction])[0], exact, rtol=1e-14)


def test_odds_have_the_digits_that_a_difference_of_logits_lost():
    z = [42.63139049784742, 261.284395585286]
    with mp.workdps(60):
        exact = float(mp.exp(mp.mpf(z[0]) - mp.mpf(z[1])))
    assert get_loss("nll").through("softmax").value([1], [z])[0] == pytest.approx(exact, rel=4e-16)


def test_the_logarithm_of_a_label_beside_a_logit_is_rounded_as_if_by_itself():
    label, z = 1e10, 23.02585093
    with mp.workdps(60):
        rate = mp.exp(mp.mpf(z))
        exact = float(2 * (label * mp.log(label / rate) - label + rate))
    assert get_loss("poisson_deviance").through("exp").value([label], [z])[0] == pytest.approx(exact, rel=1e-5)


def test_what_is_ruled_out_or_the_smallest_double_is_no_nan_and_no_wrong_infinity():
    assert get_loss("js_divergence").value([[1.0, 0.0]], [[1.0, 5e-324]])[0] <= 5e-324
    slope = get_loss("bce:eps=0").gradient([5e-324, 1e-300, 0.0, 1.0, 0.3], [0.0, 0.0, 0.0, 1.0, 1.0])
    assert slope.tolist() == [-np.inf, -np.inf, 1.0, -1.0, np.inf]


def test_the_slope_of_a_divergence_of_the_smallest_doubles_is_rounded_a_few_times():
    for label, prediction in itertools.product([5e-324, 1e-310, 1e-300, 0.125, 0.875], [0.0, 5e-324, 1.5e-323, 1e-310]):
        slope = get_loss("js_divergence").gradient([[label, 1.0 - label]], [[prediction, 1.0]])[0, 0]
        with mp.workdps(60):
            middle = (mp.mpf(label) + mp.mpf(prediction)) / 2
            exact = float(mp.log(prediction / middle) / 2) if prediction else -np.inf
        assert slope == pytest.approx(exact, rel=1e-15), (label, prediction)


@pytest.mark.parametrize("z", [0.3, 300.0, 709.9, 1e4])
def test_cauchy_counts_logarithms_past_the_last_double(z):
    bound = get_loss("cauchy:c=2").through("exp")
    with mp.workdps(60):

        def row(z):
            return 2 * mp.log(1 + ((mp.exp(z) - 1) / 2) ** 2)

        assert bound.value([1.0], [z])[0] == pytest.approx(float(row(mp.mpf(z))), rel=4e-15)
        assert bound.gradient([1.0], [z])[0] == pytest.approx(float(mp.diff(row, mp.mpf(z))), rel=1e-13)


@pytest.mark.parametrize("spec", ["pseudo_huber", "fair", "huber", "smooth_l1"])
def test_a_prediction_past_the_last_double_costs_infinitely_much_and_is_no_nan(spec):
    bound = get_loss(spec).through("exp")
    assert bound.value([1.0], [800.0])[0] == bound.gradient([1.0], [800.0])[0] == np.inf


def test_only_a_natural_activation_is_said_to_be_that_of_logits():
    for definition in losses:
        natural = definition.natural_activation
        assert explain(example_of(definition.name)).through[:1] == ([] if natural is None else [natural])


def test_smape_of_a_prediction_past_the_last_double_is_the_most_it_can_be():
    assert get_loss("smape").through("exp").value([-1.0, 0.0, 3.0], [800.0, 800.0, 800.0]).tolist() == [200.0] * 3


@given(x=st.floats(allow_nan=False))
@example(x=1.0)
@example(x=math.nextafter(1.0, 2.0))
@example(x=6.0)
@example(x=-0.0)
def test_the_error_function_has_its_last_digits(x):
    value, exact = float(erf(np.array([x]))[0]), mp.erf(mp.mpf(x))
    assert abs(mp.mpf(value) - exact) <= 1.5 * math.ulp(value)
    assert math.copysign(1.0, value) == math.copysign(1.0, x)


FLOORED = [
    f"{it.name}:eps=0{more}"
    for it in losses
    if it.prediction_domain() == PROBABILITY and it.label_domain() in {BINARY, PROBABILITY}
    for names in [{parameter.name for parameter in it.parameters}]
    if "eps" in names
    for more in ("", ",gamma=0.5", ",gamma=1", ",gamma=3", ",pos_weight=2")
    if not more or more[1:].partition("=")[0] in names
]


@pytest.mark.parametrize("spec", FLOORED)
def test_not_even_the_sign_of_a_zero_depends_on_an_infinite_row_beside_it(spec):
    bound = get_loss(spec)
    labels, predictions = [0.0, -0.0, 0.0, 1.0, 1.0], [0.0, -0.0, 5e-324, 1.0, 0.3]
    for of in (bound.value, bound.gradient):
        alone = [of([label], [prediction])[0] for label, prediction in zip(labels, predictions, strict=True)]
        for label, prediction in ((1.0, 0.0), (0.0, 1.0)):
            among = of([*labels, label], [*predictions, prediction])
            assert np.isinf(among[-1])
            assert repr(among[:-1].tolist()) == repr(np.array(alone).tolist())
