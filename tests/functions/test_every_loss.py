"""Every loss in the registry keeps the contract of a loss, for parameters drawn from their domains."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl import get_loss
from lossctl.checks.contract import check_loss, sampled_loss, sampled_points
from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import example_of
from lossctl.functions.loss import losses
from lossctl.words import normal

pytestmark = pytest.mark.lowest

CORE = (
    "mse rmse l2 mae l1 msle rmsle mape huber log_cosh bce focal cross_entropy nll kl_divergence poisson "
    "cosine_proximity hinge squared_hinge exponential"
).split()

ALIASES = {
    "mse": "mean_squared_error mse_loss squared_loss quadratic MSE SQUARED_LOSS",
    "rmse": "root_mean_squared_error",
    "l2": "L2",
    "mae": "mean_absolute_error l1_loss MEAN_ABSOLUTE_ERROR",
    "l1": "L1",
    "msle": "mean_squared_logarithmic_error MEAN_SQUARED_LOGARITHMIC_ERROR",
    "mape": "mean_absolute_percentage_error MEAN_ABSOLUTE_PERCENTAGE_ERROR",
    "huber": "huber_loss",
    "log_cosh": "logcosh",
    "bce": "binary_crossentropy xent log_loss logloss XENT",
    "focal": "binary_focal_crossentropy",
    "cross_entropy": "ce categorical_crossentropy sparse_categorical_crossentropy mcxent MCXENT SPARSE_MCXENT",
    "nll": "negativeloglikelihood negative_log_likelihood NEGATIVELOGLIKELIHOOD",
    "kl_divergence": "kl kld kullback_leibler_divergence KL_DIVERGENCE RECONSTRUCTION_CROSSENTROPY",
    "poisson": "poisson_nll expll POISSON EXPLL",
    "cosine_proximity": "cosine COSINE_PROXIMITY",
    "hinge": "hinge_loss HINGE",
    "squared_hinge": "SQUARED_HINGE",
    "exponential": "exp_loss adaboost",
    "quantile": "pinball pinball_loss mean_pinball_loss quantile_loss quantileerror",
    "expectile": "expectile_loss expectileerror",
    "smooth_l1": "smooth_l1_loss",
    "pseudo_huber": "pseudo_huber_loss mphe PseudoHuberError",
    "fair": "fair_loss FairLoss",
    "cauchy": "cauchy_loss",
    "lq": "Lq",
    "half_squared_error": "HalfSquaredError half_mse",
    "smape": "SMAPE symmetric_mean_absolute_percentage_error",
    "tweedie_deviance": "mean_tweedie_deviance tweedie_deviance_score",
    "poisson_deviance": "mean_poisson_deviance",
    "gamma_deviance": "mean_gamma_deviance",
    "tweedie_nll": "tweedie tweedie_nloglik",
    "gamma_nll": "gamma gamma_nloglik",
}

every_loss = pytest.mark.parametrize("definition", list(losses), ids=lambda it: it.name)
every_pair = pytest.mark.parametrize(
    ("definition", "activation"),
    [(it, pair) for it in losses for pair in it.pairs],
    ids=lambda it: it if isinstance(it, str) else it.name,
)


def test_the_core_set_is_there():
    assert set(CORE) <= set(losses.names())


@pytest.mark.parametrize(
    ("name", "alias"), [(name, alias) for name, words in ALIASES.items() for alias in words.split()]
)
def test_every_name_of_the_field_resolves(name, alias):
    assert get_loss(alias).name == name
    assert get_loss(alias.upper().replace("_", "-")).name == name


@every_loss
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_loss_keeps_the_contract(definition, seed):
    assert check_loss(sampled_loss(definition, seed), seed) == []


@every_pair
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_form_on_preactivations_keeps_the_contract(definition, activation, seed):
    assert check_loss(sampled_loss(definition, seed).through(activation), seed) == []


@every_pair
def test_a_form_on_preactivations_is_the_loss_after_the_activation(definition, activation):
    for seed in range(5):
        bound = sampled_loss(definition, seed)
        if bound.parameters.get("log"):
            continue
        through = bound.through(activation)
        label, z = sampled_points(through, seed)
        after = through.activation.value(z)
        np.testing.assert_allclose(through.value(label, z), bound.value(label, after), rtol=1e-9, atol=1e-12)
        chained = through.activation.pullback(z, bound.gradient(label, after))
        np.testing.assert_allclose(through.gradient(label, z), chained, rtol=1e-7, atol=1e-10)


@every_loss
def test_several_columns_are_the_mean_over_columns_or_the_sum_under_a_sum(definition):
    bound = sampled_loss(definition, 1)
    if bound.rows:
        pytest.skip("compares rows as a whole")
    (y0, p0), (y1, p1) = sampled_points(bound, 1), sampled_points(bound, 2)
    labels, predictions = np.column_stack([y0, y1]), np.column_stack([p0, p1])
    total = bound.value(y0, p0) + bound.value(y1, p1)
    share = 1.0 if bound.reduced.adds_columns else 0.5
    np.testing.assert_array_equal(bound.value(labels, predictions), total * share)
    np.testing.assert_array_equal(bound.gradient(labels, predictions)[:, 1], bound.gradient(y1, p1) * share)


@every_loss
@settings(max_examples=50)
@given(data=st.data())
def test_any_finite_numbers_give_finite_shapes_or_a_clear_error(definition, data):
    number = st.floats(-1e150, 1e150)
    bound = sampled_loss(definition, data.draw(st.integers(0, 99)))
    width = (bound.columns or 3) if bound.rows else 1
    size = 1 if bound.of_number else width
    label = data.draw(st.lists(number, min_size=size, max_size=size))
    prediction = data.draw(st.lists(number, min_size=width, max_size=width))
    if bound.rows:
        label, prediction = label if bound.of_number else [label], [prediction]
    try:
        value, slope = bound.value(label, prediction), bound.gradient(label, prediction)
    except LossctlError:
        return
    assert not np.isnan(value).any()
    assert not np.isnan(slope).any()


@every_loss
def test_values_outside_the_domain_are_refused_with_their_place(definition):
    bound = sampled_loss(definition, 3)
    label, prediction = sampled_points(bound, 3)
    prediction[7] = np.nan
    with pytest.raises(DataError, match="index 7"):
        bound.value(label, prediction)


def test_the_floor_counts_the_rows_it_changes_and_no_others():
    bound = get_loss("bce")
    label = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0])
    prediction = np.array([1.0, 0.0, 0.0, 1.0, 1e-17, 1e-17, 2.220446049250313e-16, 1.0 - 2.220446049250313e-16])
    clipped = bound.clipped(label, prediction)
    assert clipped.tolist() == [False, True, False, True, True, False, False, False]
    assert bound.value(label, prediction)[0] == 0.0
    assert bound.value(label, prediction).max() == pytest.approx(36.0437, abs=1e-4)  # what scikit-learn gives
    assert get_loss("bce:eps=0").clipped(label, prediction) is None
    assert np.isinf(get_loss("bce:eps=0").value(label, prediction)[1])


@pytest.mark.parametrize("name", ["cross_entropy", "nll"])
def test_a_class_code_and_its_one_hot_row_are_clipped_alike(name):
    prediction = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1e-16, 1e-300], [0.5, 0.5, 0.0], [0.0, 1e-20, 1.0]])
    code = np.array([0, 1, 1, 0, 1])
    spread = get_loss("cross_entropy").clipped(np.eye(3)[code], prediction)
    assert spread.tolist() == [False, True, True, False, True]
    assert get_loss(name).clipped(code, prediction).tolist() == spread.tolist()
    assert get_loss(name).clipped(np.array([0]), prediction[:1]) is None


def test_a_name_decided_by_the_number_of_columns_is_decided_so():
    assert get_loss("cross_entropy", columns=1).name == "bce"
    assert get_loss("cross_entropy", columns=3).name == "cross_entropy"
    assert get_loss("log_loss", columns=3).name == "cross_entropy"
    assert get_loss("bce", columns=3).name == "bce"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("hubr", "huber"),
        ("huber:dleta=1", "delta"),
        ("huber:delta=0", "> 0"),
        ("huber:delta=x", "x"),
        ("huber:1", "parameter=value"),
        ("huber:delta=1,delta=2", "twice"),
        ("mse:delta=1", "no parameters"),
        ("mape:zero=never", "error or max1"),
        ("nll:log=perhaps", "true or false"),
        ("focal:alpha=1", "none"),
        ("bce:eps=inf", "[0, 0.5]"),
    ],
)
def test_a_wrong_specification_says_what_is_wrong(spec, words):
    with pytest.raises(UsageError) as wrong:
        get_loss(spec)
    assert words in str(wrong.value)


def test_specifications_split_where_a_person_would():
    text = "mse,mae,huber:delta=0.5,focal:gamma=2,alpha=0.25"
    assert split_specs([text]) == ["mse", "mae", "huber:delta=0.5", "focal:gamma=2,alpha=0.25"]


def test_a_bound_loss_is_spelled_by_what_differs_from_the_defaults():
    assert str(get_loss("Huber: delta = 2")) == "huber:delta=2.0"
    assert str(get_loss("focal:gamma=2,alpha=none")) == "focal:alpha=none"
    assert get_loss("huber").parameters == {"delta": 1.0}


@every_loss
def test_kernels_are_formulas(definition):
    for kernel in filter(
        None, [definition.function, definition.slope, *(it.function for it in definition.pairs.values())]
    ):
        lines = inspect.getsource(kernel).split('"""')[-1].strip().splitlines()
        assert (
            len([line for line in lines if line.strip() and not line.strip().startswith(("@", "#", "def ", ")"))]) <= 14
        )
        assert "for " not in "".join(lines).replace("for_", "")


def test_names_cannot_be_taken_twice():
    with pytest.raises(ValueError, match="taken"):
        losses.add("other", get_loss("mse").definition, ("MSE",))
    assert normal("Log-Cosh") == "logcosh"


def test_a_parameter_that_is_refused_is_one_of_the_loss_as_typed():
    for spec, words in (
        ("logloss:epss=1", r"logloss \(bce\) has no parameter"),
        ("focal_loss:alpha=2", r"focal_loss \(focal\)"),
        ("MSE:x=1", "mse has no parameter"),
    ):
        with pytest.raises(UsageError, match=words):
            get_loss(spec)


EXTREME = np.array([0.0, 5e-324, 1e-300, 1e-17, 0.5, 1 - 2.0**-53, 1.0, 2.0, 40.0, 710.0, 1e16, 1e150, 1e300, 1.7e308])


@pytest.mark.parametrize(
    ("definition", "activation"),
    [(it, pair) for it in losses for pair in (None, *it.pairs)],
    ids=lambda it: getattr(it, "name", it) or "plain",
)
def test_the_smallest_and_largest_numbers_of_a_double_give_no_nan(definition, activation):
    bound = example_of(definition.name).tried(3).through(activation)
    k = bound.columns or 3
    domain, rng, compared = bound.prediction_domain, np.random.default_rng(0), 0
    for _ in range(3):
        label = bound.label_domain.for_width(k).sample(rng, 300, k)
        prediction = rng.choice(EXTREME, (300, k) if bound.rows else 300)
        prediction *= rng.choice([-1.0, 1.0, 1.0], prediction.shape)
        for points in (
            prediction,
            np.abs(prediction),
            1e-9 * np.abs(prediction),
            np.abs(prediction) / row_total(prediction),
        ):
            bad = domain.illegal(points)
            kept = np.ones(300, dtype=bool) if bad is None else ~bad
            if kept.any():
                assert not np.isnan(bound.value(label[kept], points[kept])).any()
                assert not np.isnan(bound.gradient(label[kept], points[kept])).any()
                compared += kept.sum()
    assert compared > 100


def row_total(prediction):
    with np.errstate(over="ignore"):
        return np.maximum(np.abs(prediction).sum(axis=-1, keepdims=prediction.ndim == 2), 1e-300)
