"""Every activation in the registry: its derivative is that of its value, and its words are there."""

import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl import get_activation
from lossctl.checks.contract import check_activation, sampled_activation, undocumented
from lossctl.errors import UsageError
from lossctl.functions.activation import Activation, activations

pytestmark = pytest.mark.lowest

every_activation = pytest.mark.parametrize("name", activations.names())

KINKS = [0.0, -0.0, 5e-324, 1e-300]
POINTS = [*KINKS, 1e-17, 1e-12, 1e-8, 0.3, 1.0, 5.0, 20.0, 36.7, 37.0, 40.0, 700.0, 709.7, 745.0, 1e3, 1e4]
BOTH = [*POINTS, *(-point for point in POINTS)]


def sigma(z):
    return 1 / (1 + mpmath.exp(-z))


def piecewise(above, below):
    """A function that is one thing for z > 0 and another for the rest, 0 included."""
    return lambda z: above(z) if z > 0 else below(z)


def bent(low, scale=1):
    """Value and derivative of ``scale`` times: z above 0, low (e^z − 1) below."""
    return (
        piecewise(lambda z: scale * z, lambda z: scale * low * mpmath.expm1(z)),
        piecewise(lambda z: mpmath.mpf(scale), lambda z: scale * low * mpmath.exp(z)),
    )


def lined(slope):
    return piecewise(lambda z: z, lambda z: slope * z), piecewise(lambda z: mpmath.mpf(1), lambda z: mpmath.mpf(slope))


EXACT = {  # value and derivative by their definitions, in 50 digits and more where they cancel
    "identity": (lambda z: z, lambda z: mpmath.mpf(1)),
    "relu": lined(0),
    "leaky_relu": lined(mpmath.mpf(0.01)),  # the double 0.01
    "leaky_relu:slope=0.2": lined(mpmath.mpf(0.2)),
    "leaky_relu:slope=0": lined(0),
    "elu": bent(1),
    "elu:alpha=0.3": bent(mpmath.mpf(0.3)),
    "selu": bent(mpmath.mpf(1.6732632423543772), mpmath.mpf(1.0507009873554805)),
    "sigmoid": (sigma, lambda z: mpmath.exp(-z) / (1 + mpmath.exp(-z)) ** 2),
    "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
    "exp": (mpmath.exp, mpmath.exp),
    "softplus": (lambda z: mpmath.log1p(mpmath.exp(z)), sigma),
}
ROWS = [
    [0.0, 0.0],
    [1.0, 2.0, 3.0],
    [1e-12, -1e-12, 0.0],
    [37.0, 0.0, -37.0],
    [700.0, -700.0, 0.0, 700.0],
    [-1e4, -1e4 + 1.0, -1e4 - 2.0],
    [1e4, 0.0, -1e4],
    [745.0, 745.0 - 1e-9, -745.0],
    [-3.0, 40.0, 39.5, 12.0, 0.25],
]


def shaped(name, rng):
    return rng.normal(0.0, 3.0, (50, 4) if activations.get(name).rows else 50)


@every_activation
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_an_activation_keeps_the_contract(name, seed):
    assert check_activation(sampled_activation(activations.get(name), seed), seed) == []


@every_activation
@given(seed=st.integers(0, 2**32 - 1))
def test_the_pullback_is_the_derivative_of_the_value(name, seed):
    rng = np.random.default_rng(seed)
    bound, z = get_activation(name), shaped(name, rng)
    upstream, direction = rng.normal(size=z.shape), rng.normal(size=z.shape)
    step = 1e-6
    ahead, behind = bound.value(z + step * direction), bound.value(z - step * direction)
    found = (upstream * (ahead - behind)).sum() / (2 * step)
    stated = (bound.pullback(z, upstream) * direction).sum()
    assert found == pytest.approx(stated, rel=1e-6, abs=1e-6)


def test_every_activation_has_an_exact_definition_here():
    assert {spec.partition(":")[0] for spec in EXACT} | {"softmax", "log_softmax"} == set(activations.names())


def assert_exact(found, true, where, ulps=2e-15):
    """Within a few units of the last place; below the smallest normal number within one of those."""
    if abs(true) > np.finfo(float).max:
        assert np.isinf(found), where
        assert (found > 0) == (true > 0), where
    else:
        assert abs(mpmath.mpf(float(found)) - true) <= ulps * abs(true) + mpmath.mpf(2) ** -1074, (where, found, true)


@pytest.mark.parametrize("spec", EXACT)
def test_values_and_derivatives_are_those_of_exact_arithmetic_up_to_10_000_and_at_kinks(spec):
    bound = get_activation(spec)
    value, slope = bound.value(BOTH), bound.derivative(BOTH)
    with mpmath.workdps(60):
        for at, z in enumerate(BOTH):
            for found, exact in zip((value[at], slope[at]), EXACT[spec], strict=True):
                assert_exact(found, exact(mpmath.mpf(z)), (spec, z))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_rows_are_those_of_exact_arithmetic(row):
    upstream = np.linspace(-1.0, 2.0, len(row))
    value = {name: get_activation(name).value([row])[0] for name in ("softmax", "log_softmax")}
    pulled = {name: get_activation(name).pullback([row], [upstream])[0] for name in ("softmax", "log_softmax")}
    with mpmath.workdps(60):
        weight = [mpmath.exp(mpmath.mpf(z)) for z in row]
        p = [it / mpmath.fsum(weight) for it in weight]
        g = [mpmath.mpf(float(it)) for it in upstream]
        mean = mpmath.fsum(a * b for a, b in zip(p, g, strict=True))
        for at in range(len(row)):
            others = mpmath.fsum(weight[:at] + weight[at + 1 :]) / weight[at]
            # z − max z is rounded before its exponential is taken: relative to p, that is an absolute error of z.
            ulps = 2e-15 + float(np.spacing(np.abs(row).max()))
            assert_exact(value["softmax"][at], p[at], row, ulps)
            assert abs(value["log_softmax"][at] + mpmath.log1p(others)) <= ulps * (1 + mpmath.log1p(others)), row
            # A difference of terms of size Σ p |g|, to which rounding is relative.
            assert abs(pulled["softmax"][at] - p[at] * (g[at] - mean)) <= 4 * ulps * p[at] * 4 + 1e-300, row
            assert abs(pulled["log_softmax"][at] - (g[at] - p[at] * mpmath.fsum(g))) <= 4 * ulps * 4, row


@pytest.mark.parametrize("spec", EXACT)
def test_at_a_kink_the_derivative_is_the_one_that_is_documented(spec):
    """That of the left side, at 0 and at −0."""
    bound = get_activation(spec)
    at = bound.derivative([0.0, -0.0])
    assert at[0] == at[1]
    if bound.definition.kinks:
        assert bound.definition.kinks == (0.0,)
        assert at[0] == pytest.approx(bound.derivative([-1e-300])[0], abs=0)


@every_activation
def test_extreme_arguments_give_no_nan(name):
    z = np.array([-1e4, -745.0, 0.0, 745.0, 1e4])
    bound = get_activation(name)
    z = z[None, :] if bound.definition.rows else z
    assert not np.isnan(bound.value(z)).any()


@every_activation
def test_an_activation_is_documented_and_survives_a_pickle(name):
    bound = get_activation(name)
    assert not list(undocumented(bound.definition))
    assert pickle.loads(pickle.dumps(bound)) == bound
    assert get_activation(str(bound)) == bound


def test_softmax_has_a_pullback_and_no_derivative():
    with pytest.raises(UsageError, match="Jacobian"):
        get_activation("softmax").derivative([[1.0, 2.0]])
    assert get_activation("softmax").value([1.0, 2.0]).tolist() == [1.0, 1.0]  # rows of one


def test_an_activation_without_a_derivative_says_so():
    bare = Activation(lambda z: z)
    with pytest.raises(TypeError, match="no derivative"):
        bare.pull(np.zeros(1), np.ones(1))


def test_unknown_names_are_suggested():
    with pytest.raises(UsageError, match="sigmoid"):
        get_activation("sigmod")
