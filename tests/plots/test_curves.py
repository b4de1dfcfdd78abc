"""Curves: the numbers are those of the definitions."""

import numpy as np
import pytest

from lossctl import UsageError, get_activation, get_loss
from lossctl.checks.contract import sampled_loss
from lossctl.document import Chart
from lossctl.domain import REAL, SIGNS
from lossctl.functions.activation import activations
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.lookup import example_of
from lossctl.functions.loss import Loss, losses
from lossctl.plots.curves import curve, curves
from lossctl.plots.limits import limits
from lossctl.plots.sweeps import sweeps
from lossctl.rendering.picture import draw
from lossctl.row_domains import CLASSES, SIMPLEX, VECTOR


@pytest.fixture(params=losses, ids=lambda it: it.name)
def definition(request):
    return request.param


@pytest.fixture(params=activations, ids=lambda it: it.name)
def activation(request):
    return request.param


def at(sweep, x):
    """Labels and predictions of a sweep at points of its axis."""
    return np.repeat(sweep.label, len(x), axis=0), sweep.path.prediction(np.asarray(x))


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_a_curve_of_a_loss_is_its_value_and_its_slope_is_its_gradient_along_the_axis(definition, seed):
    chosen = example_of(definition.name).tried(3) if seed is None else sampled_loss(definition, seed)
    value, slope = curve(chosen).panels
    for sweep, drawn, sloped in zip(sweeps(chosen), value.series, slope.series, strict=True):
        label, prediction = at(sweep, drawn.x)
        np.testing.assert_array_equal(drawn.y, chosen.value(label, prediction))
        assert not (chosen.unlabelled and sweep.named)
        along = chosen.gradient(label, prediction) * sweep.path.velocity(np.asarray(drawn.x))
        np.testing.assert_array_equal(sloped.y, along if along.ndim == 1 else along.sum(axis=1))
        assert sloped.x == drawn.x
        assert np.isfinite(drawn.y).all()
        assert len(drawn.x) > 300


def test_the_slope_is_the_derivative_of_the_curve(definition):
    chosen = example_of(definition.name).tried(3)
    for sweep, drawn in zip(sweeps(chosen), curve(chosen).panels[1].series, strict=True):
        x, y = np.asarray(drawn.x), np.asarray(drawn.y)
        smooth = np.abs(np.gradient(y, x)) < 1e3
        step = 1e-6
        up, down = (
            chosen.value(*at(sweep, np.clip(x + side, sweep.path.low, sweep.path.high))) for side in (step, -step)
        )
        found = (up - down) / (2 * step)
        kinked = np.abs(found - y) > 1e-4 * np.maximum(np.abs(y), 1.0)
        most = 3 * max(1, len(chosen.kinks_at(sweep.label)))
        assert (kinked & smooth).sum() <= most, "more points than the kinks and their sides"


def test_a_curve_of_an_activation_is_its_value_and_its_derivative(activation):
    chosen = get_activation(activation.name)
    (value,), (slope,) = (panel.series for panel in curve(chosen).panels)
    z = np.asarray(value.x)
    if activation.rows:
        scores = np.stack([z, np.zeros_like(z)], axis=1)
        np.testing.assert_array_equal(value.y, chosen.value(scores)[:, 0])
        first = np.tile([1.0, 0.0], (len(z), 1))
        np.testing.assert_array_equal(slope.y, chosen.pullback(scores, first)[:, 0])
    else:
        np.testing.assert_array_equal(value.y, chosen.value(z))
        np.testing.assert_array_equal(slope.y, chosen.derivative(z))
    assert z[0] < 0 < z[-1]


@pytest.mark.parametrize("name", [it.name for it in losses if it.natural_activation])
def test_a_loss_can_be_drawn_over_its_pre_activation(name):
    chosen = get_loss(name).from_logits()
    value = curve(chosen).panels[0]
    assert "pre-activation z" in value.x.title or value.x.title == "margin y·z"
    assert all(f"after {chosen.activation}" in it.name for it in value.series)
    assert all(np.isfinite(it.y).all() for it in value.series)


@pytest.mark.parametrize(
    ("spec", "title"),
    [
        ("huber", "error e = ŷ − y"),
        ("hinge", "margin y·f"),
        ("bce", "predicted probability ŷ"),
        ("poisson", "prediction ŷ"),
        ("mape", "prediction ŷ"),
        ("nll", "probability of the true class"),
        ("nll:log=true", "probability of the true class"),
        ("cosine_proximity", "angle to the label (radians)"),
    ],
)
def test_the_axis_follows_from_the_domains(spec, title):
    assert curve(get_loss(spec)).panels[0].x.title == title


def test_what_an_axis_says_is_whole_where_panels_stand_beside_each_other_on_80_columns():
    for chosen in (
        *(example_of(one.name).tried(3) for one in losses),
        *(get_activation(one.name) for one in activations),
    ):
        for panel in curve(chosen).panels:
            text = draw(Chart("", (panel, panel)), width=80, height=8, color=False)
            assert text.count(panel.x.title) == 2


def stranger(function, label, prediction):
    """A loss that is in no registry."""
    definition = Loss(function, label=label, prediction=prediction)
    return BoundLoss(definition, ())


def test_only_what_depends_on_the_error_alone_is_drawn_over_the_error():
    def pinball(label, prediction):
        """Tilted."""
        return np.maximum(0.9 * (label - prediction), 0.1 * (prediction - label))

    def relative(label, prediction):
        """Symmetric and relative."""
        return np.abs(label - prediction) / (np.abs(label) + np.abs(prediction))

    assert curve(stranger(pinball, REAL, REAL)).panels[0].x.title == "error e = ŷ − y"
    drawn = curve(stranger(relative, REAL, REAL)).panels[0]
    assert drawn.x.title == "prediction ŷ"
    assert [it.name for it in drawn.series] == ["relative, y = 1"]


def test_only_a_loss_that_treats_both_signs_alike_is_drawn_over_the_margin():
    def lopsided(label, prediction):
        """Twice for the positive class."""
        return np.where(label > 0, 2.0, 1.0) * np.maximum(0.0, 1.0 - label * prediction)

    drawn = curve(stranger(lopsided, SIGNS, REAL)).panels[0]
    assert drawn.x.title == "prediction ŷ"
    assert [it.name for it in drawn.series] == ["lopsided, y = 1", "lopsided, y = -1"]


def test_losses_of_rows_that_nobody_foresaw_are_drawn_over_a_score():
    def crammer(label, prediction):
        """Margin of the true class."""
        return np.maximum(0.0, 1.0 + prediction[:, 1] - prediction[:, 0] + 0.0 * label)

    def brier(label, prediction):
        """Squared distance."""
        return ((label - prediction) ** 2).sum(axis=1)

    assert curve(stranger(crammer, CLASSES, VECTOR)).panels[0].x.title.startswith("score of the true class")
    drawn = curve(stranger(brier, SIMPLEX, SIMPLEX)).panels[0].series[0]
    np.testing.assert_allclose(drawn.y, 2 * (1 - np.asarray(drawn.x)) ** 2)


def test_a_loss_without_a_gradient_is_drawn_without_a_slope():
    def steps(label, prediction):
        """Counts."""
        return (np.abs(label - prediction) > 0.5).astype(float)

    chart = curve(stranger(steps, REAL, REAL))
    assert len(chart.panels) == 1
    assert "declares no gradient" in chart.notes[0]


def test_losses_share_a_chart_where_their_axes_agree():
    charts = curves([get_loss(spec) for spec in ("mse", "bce", "huber", "hinge", "focal")])
    assert [chart.names for chart in charts] == [
        ("mse", "huber"),
        ("bce, y = 1", "bce, y = 0", "focal, y = 1", "focal, y = 0"),
        ("hinge",),
    ]
    (together,) = curves([get_loss(spec) for spec in ("mse", "mape", "poisson")], labels=[2.0])
    assert together.names == ("mse, y = 2", "mape, y = 2", "poisson, y = 2")


def test_kinks_are_drawn_on_both_sides():
    slope = curve(get_loss("mae")).panels[1].series[0]
    near = [y for x, y in zip(slope.x, slope.y, strict=True) if abs(x) < 1e-6]
    assert near == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("spec", ["bce", "poisson", "exponential", "cross_entropy", "mape"])
def test_what_grows_without_bound_does_not_flatten_the_rest(spec):
    for panel in curve(get_loss(spec)).panels:
        size = panel.y.high - panel.y.low
        median = np.median(np.concatenate([it.y for it in panel.series]))
        assert panel.y.low <= median <= panel.y.high
        middle = np.concatenate([it.y[len(it.y) // 10 : -len(it.y) // 10] for it in panel.series])
        assert size <= 3.5 * np.ptp(middle)


def test_limits_leave_out_the_far_and_the_infinite():
    inf, nan = float("inf"), float("nan")
    low, high = limits([*np.linspace(0, 1, 100), 1e9, inf, nan, -inf])
    assert -1.1 < low <= 0
    assert 1 <= high < 2.1
    assert limits([]) < (0.5, 1.5)
    low, high = limits([3.0, 3.0])
    assert low < 3.0 < high


def test_a_loss_without_a_label_is_drawn_at_none():
    bounds = [bound for loss in losses if (bound := example_of(loss.name)).unlabelled]
    assert bounds
    for bound in bounds:
        assert [sweep.named for sweep in sweeps(bound)] == [""]
        with pytest.raises(UsageError, match="has no label"):
            sweeps(bound, [1.0])
