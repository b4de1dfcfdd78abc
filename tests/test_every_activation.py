"""Every activation in the registry: its derivative is that of its value, and its words are there."""

import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl import get_activation
from lossctl.activation import Activation, activations
from lossctl.errors import UsageError

every_activation = pytest.mark.parametrize("name", activations.names())

POINTS = [0.0, 1e-300, 1e-12, 0.3, 1.0, 20.0, 37.0, 40.0, 700.0, 745.0, 1e3, 1e4]
EXACT = {  # the definitions, in 50 digits
    "sigmoid": (lambda z: 1 / (1 + mpmath.exp(-z)), lambda z: mpmath.exp(-z) / (1 + mpmath.exp(-z)) ** 2),
    "exp": (mpmath.exp, mpmath.exp),
}


def shaped(name, rng):
    return rng.normal(0.0, 3.0, (50, 4) if activations.get(name).rows else 50)


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


@pytest.mark.parametrize("name", EXACT)
def test_values_and_derivatives_are_those_of_exact_arithmetic(name):
    bound = get_activation(name)
    with mpmath.workdps(50):
        for z in [*POINTS, *(-point for point in POINTS)]:
            for found, exact in zip((bound.value([z])[0], bound.derivative([z])[0]), EXACT[name], strict=True):
                true = exact(mpmath.mpf(z))
                if true > np.finfo(float).max:
                    assert np.isinf(found)
                elif true > 1e-300:
                    assert abs(found - true) / true < 2e-15, (name, z)


@every_activation
def test_extreme_arguments_give_no_nan(name):
    z = np.array([-1e4, -745.0, 0.0, 745.0, 1e4])
    bound = get_activation(name)
    z = z[None, :] if bound.definition.rows else z
    assert not np.isnan(bound.value(z)).any()


@every_activation
def test_an_activation_is_documented_and_survives_a_pickle(name):
    bound = get_activation(name)
    assert bound.definition.summary.endswith(".")
    assert ">>>" in bound.definition.__doc__
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
