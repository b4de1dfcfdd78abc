"""The best constant prediction of every loss, its loss, and the skill of a model against it.

Nothing about best constants is declared with a loss, so the tests ask each loss itself, through its public value.
"""

import math
import statistics
from fractions import Fraction

import mpmath
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from figures import bits, digits
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.checks.contract import sampled_loss, sampled_points
from lossctl.domain import REAL
from lossctl.errors import DataError
from lossctl.evaluation.best_constant import may_be_below_zero
from lossctl.evaluation.measure import nothing
from lossctl.evaluation.plan import Plan, PlannedModel
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.lookup import get_loss
from lossctl.functions.loss import Loss, losses
from lossctl.inference.layout import Layout
from lossctl.inference.roles import Model, Roles
from lossctl.sums import marginals

every_loss = pytest.mark.parametrize("definition", list(losses), ids=lambda it: it.name)
WIDTH = 3
UNKNOWN = {
    # of directions and scores, which are no probabilities
    *("cosine_proximity", "multi_margin", "multilabel_margin", "bpmll", "bi_tempered", "wasserstein"),
    # no proper scores, so not the mean of the labels; rps of soft labels is no sum over columns
    *("categorical_focal", "gce", "poly1_ce", "js_divergence", "rps"),
}
SOUGHT_NOT = "is sought"
"""How the page of a loss says that its mean may fall and rise more than once, so that no constant is known as best."""


def data(bound, seed, n=200):
    """Labels of few values, and predictions, as `lossctl.evaluate` takes them."""
    label, prediction = sampled_points(bound, seed, n, WIDTH)
    if bound.rows and label.ndim == 1:
        return {"y": label, "p": prediction}
    rng = np.random.default_rng(seed)
    return {"y": label[rng.integers(0, n // 4, n)], "p": prediction}


def found(source, loss, **more):
    """The results of a run that was asked for the skill."""
    return lossctl.evaluate(source, loss, label="y", prediction="p", skill=True, **more)


def constant_like(prediction, constant):
    """The predictions of a model that knows nothing but a constant."""
    return (
        np.tile(np.array(constant), (len(prediction), 1))
        if prediction.ndim == 2
        else np.full(len(prediction), constant)
    )


def others(bound, source, constant, seed):
    """Other constants: near and far ones, the labels themselves, draws from the domain."""
    rng = np.random.default_rng(seed)
    domain = bound.prediction_domain.for_width(WIDTH)
    if bound.of_number:
        middle, k = np.array(constant), len(constant)
        sizes = 10.0 ** np.arange(-9, 3)
        near = [middle + sign * size * row for size in sizes for sign in (-1, 1) for row in np.eye(k)]
        rows = np.array([*near, *domain.sample(rng, 100, k), *(np.full(k, label) for label in source["y"])])
        illegal = domain.illegal(rows)
        return rows if illegal is None else rows[~illegal]
    if bound.rows:
        log = "log-" in domain.describe()
        middle = np.exp(constant) if log else np.array(constant)
        drawn = rng.dirichlet(np.full(WIDTH, 0.7), 200)
        near = [middle * (1 - step) + step * row for row in drawn[:40] for step in (1e-6, 1e-3, 0.1)]
        near += [middle + step * (row - drawn[0]) for row in drawn[1:20] for step in (1e-5, 1e-3)]
        rows = np.array([*drawn, *(row for row in near if (row > 0).all())])
        return np.log(rows) if log else rows
    sizes = 10.0 ** np.arange(-9, 3)
    near = [constant + sign * size * max(abs(constant), 1.0) for size in sizes for sign in (-1, 1)]
    some = np.array([*near, *domain.sample(rng, 100, 1), *source["y"]])
    return np.array([value for value in some if domain.contains(value)])


# --- it is the best --------------------------------------------------------------------------------------------------


@every_loss
@pytest.mark.parametrize("seed", range(6))
def test_no_other_constant_does_better(definition, seed):
    bound = sampled_loss(definition, seed)
    source = data(bound, seed)
    report = found(source, bound)
    base = report.results[0].best_constant
    if math.isnan(base.constant_loss):
        assert "no best constant" in report.warnings[-1]
        without = bound.name in UNKNOWN or SOUGHT_NOT in " ".join(definition.sections.properties.split())
        assert without or bound.moves_others or bound.unlabelled
        return
    assert bound.name not in UNKNOWN or (bound.name == "rps" and source["y"].ndim == 1)
    least = bound.value(source["y"], constant_like(source["p"], base.constant)).mean()
    constants = others(bound, source, base.constant, seed)
    label = np.concatenate([source["y"]] * len(constants))
    each = bound.value(label, np.concatenate([constant_like(source["p"], constant) for constant in constants]))
    means = each.reshape(len(constants), -1).mean(axis=1)
    assert means.min() >= least - 1e-12 * max(abs(least), 1e-3), constants[means.argmin()]


DRAWN = [(0, False), (1, False), (2, True), (3, True)]
"""Seeds, and whether rows have weights."""


@pytest.mark.parametrize(
    ("definition", "reduction", "seed", "weighted"),
    [
        pytest.param(definition, reduction, *drawn, id="-".join([definition.name, reduction, *map(str, drawn)]))
        for turn, definition in enumerate(losses)
        for reduction, some in [("mean", DRAWN), ("sum", [DRAWN[turn % 4]]), ("root-mean", [DRAWN[(turn + 2) % 4]])]
        for drawn in some
        if reduction == "mean" or not definition.others  # else it has a reduction of its own
    ],
)
def test_its_loss_is_what_a_file_of_that_constant_has(definition, reduction, seed, weighted):
    """Of the mean of every loss with all that is drawn; of what is made of the mean with one each, in turn."""
    bound = sampled_loss(definition, seed)
    bound = bound if definition.others else bound.under(reduction)
    source = data(bound, seed)
    more = {}
    if weighted:
        source["w"], more["weight"] = np.random.default_rng(seed).lognormal(size=len(source["y"])), "w"
    try:
        base = found(source, bound, **more).results[0].best_constant
        if isinstance(base.constant, float) and math.isnan(base.constant):
            return
        same = {**source, "p": constant_like(source["p"], base.constant)}
        again = found(same, bound, **more).results[0]
    except DataError:  # a negative mean has no root
        if reduction != "root-mean":
            raise
        return
    assert repr(again.best_constant.constant) == repr(base.constant)
    if weighted or source["y"].ndim == 2:
        assert base.constant_loss == pytest.approx(again.value, rel=1e-13, nan_ok=True)
    else:
        assert repr(base.constant_loss) == repr(again.value)
        told = again.value > 0 and not may_be_below_zero(bound)  # a skill says nothing where losses may be negative
        assert again.skill == 0.0 or not told


def test_the_best_constants_of_quantiles_and_of_an_interval_are_quantiles_of_the_labels():
    label = np.random.default_rng(9).normal(size=1000)
    levels = found({"y": label, "p": np.zeros((1000, 3))}, "quantiles:tau=0.1055/0.5/0.9").results[0].best_constant
    ordered = np.sort(label)
    assert levels.constant[0] == ordered[105]
    assert levels.constant[1] == pytest.approx((ordered[499] + ordered[500]) / 2)
    assert ordered[899] <= levels.constant[2] <= ordered[900]
    ends = found({"y": label, "p": np.zeros((1000, 2))}, "interval:alpha=0.211").results[0].best_constant
    assert ends.constant == (ordered[105], ordered[894])
    assert np.mean((ends.constant[0] <= label) & (label <= ends.constant[1])) == 0.79


def test_several_label_columns_have_a_constant_each():
    rng = np.random.default_rng(3)
    label = rng.integers(0, 5, (101, 2)).astype(float)
    source = {"y": label, "p": rng.normal(size=(101, 2))}
    for loss, best in (("mse", np.mean), ("mae", np.median), ("l2", np.mean), ("rmse", np.mean)):
        base = found(source, loss).results[0].best_constant
        assert base.constant == pytest.approx(best(label, axis=0).tolist(), abs=1e-15)
        again = lossctl.evaluate({**source, "p": constant_like(label, base.constant)}, loss, label="y", prediction="p")
        assert base.constant_loss == pytest.approx(again.value, rel=1e-14)


def stranger(kernel, slope):
    """A loss that nobody registered."""
    kernel.__doc__ = "A loss."
    made = Loss(kernel, label=REAL, prediction=REAL)
    made.name = "stranger"
    made.gradient(slope)
    return BoundLoss(made, made.settings({}))


def test_a_loss_with_two_valleys_is_answered_rightly_or_not_at_all():
    def capped(label, prediction):
        return np.minimum(np.square(prediction - label), 1.0)

    def slope(label, prediction):
        return np.where(np.abs(prediction - label) < 1, 2 * (prediction - label), 0.0)

    bound = stranger(capped, slope)
    for left in range(1, 30):
        label = np.array([0.0] * left + [50.0] * (30 - left) + [100.0] * 20)
        report = found({"y": label, "p": label}, bound)
        base = report.results[0].best_constant
        best = min(float(capped(label, constant).mean()) for constant in label)
        if math.isnan(base.constant_loss):
            assert "more than once" in report.warnings[-1]
        else:
            assert base.constant_loss == pytest.approx(best)


def test_a_loss_without_a_gradient_says_so():
    bound = stranger(lambda label, prediction: np.square(prediction - label), None)
    report = found({"y": [1.0, 2.0], "p": [1.0, 2.0]}, bound)
    assert math.isnan(report.results[0].skill)
    assert "declares no gradient" in report.warnings[-1]


# --- closed forms ----------------------------------------------------------------------------------------------------

numbers = st.lists(st.floats(-1e6, 1e6).map(lambda it: it + 0.0), min_size=1, max_size=30)


def constant_of(label, loss, weight=None):
    source = {"y": np.array(label, dtype=float), "p": np.full(len(label), 0.5)}
    more = {}
    if weight is not None:
        source["w"], more["weight"] = np.array(weight, dtype=float), "w"
    return found(source, loss, **more).results[0].best_constant.constant


@pytest.mark.lowest
@given(numbers)
def test_of_mse_it_is_the_correctly_rounded_mean(label):
    exact = sum(map(Fraction, label)) / len(label)
    assert constant_of(label, "mse") == float(exact)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=31).map(lambda it: it[: len(it) - (len(it) + 1) % 2]))
def test_of_mae_it_is_the_median_where_that_is_a_label(label):
    assert constant_of(label, "mae") == statistics.median(label)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=30))
def test_of_mae_it_is_the_middle_of_the_two_middle_labels_where_every_number_between_is_as_good(label):
    assert constant_of(label, "mae") == statistics.median(label)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 9)), min_size=1, max_size=20))
@settings(max_examples=25)
def test_weights_that_are_integers_are_repeated_rows(pairs):
    label, weight = zip(*pairs, strict=True)
    repeated = [value for value, times in pairs for _ in range(times)]
    for loss in ("mse", "mae", "huber", "log_cosh"):
        assert constant_of(label, loss, weight) == constant_of(repeated, loss)


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.01, 10)), min_size=1, max_size=20))
def test_of_mae_with_weights_half_the_weight_is_on_either_side(pairs):
    label, weight = (np.array(column) for column in zip(*pairs, strict=True))
    median = constant_of(label, "mae", weight)
    half = 0.5 * weight.sum() * (1 + 1e-12)
    assert weight[label < median].sum() <= half
    assert weight[label > median].sum() <= half


@pytest.mark.parametrize("tau", [0.1, 0.25, 0.5, 0.77, 0.9])
def test_of_quantiles_it_is_the_quantile(tau):
    label = np.random.default_rng(5).normal(size=101)
    assert constant_of(label, f"quantile:tau={tau}") == np.quantile(label, tau, method="inverted_cdf")


@given(st.lists(st.booleans(), min_size=1, max_size=40).filter(lambda it: 0 < sum(it) < len(it)))
@settings(max_examples=30)
def test_of_losses_of_probabilities_and_margins_it_is_the_formula_in_the_books(label):
    rate = Fraction(sum(label), len(label))
    assert constant_of(label, "bce") == float(rate)
    smooth = 0.9 * float(rate) + 0.05
    assert constant_of(label, "bce:label_smoothing=0.1") == pytest.approx(smooth, rel=1e-14)
    odds = mpmath.mpf(sum(label)) / (len(label) - sum(label))
    assert constant_of(label, "exponential") == pytest.approx(float(mpmath.log(odds) / 2), rel=1e-12, abs=1e-14)
    assert constant_of(label, "squared_hinge") == pytest.approx(float(2 * rate - 1), rel=1e-13, abs=1e-14)
    assert constant_of(label, "hinge") == (0 if rate == Fraction(1, 2) else 1 if rate > Fraction(1, 2) else -1)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30).filter(any))
@settings(max_examples=25)
def test_of_counts_it_is_the_mean_and_of_msle_the_mean_of_logarithms(label):
    mean = float(Fraction(sum(label), len(label)))
    for full in ("none", "stirling", "lgamma"):
        assert constant_of(label, f"poisson:full={full}") == mean
    with mpmath.workdps(40):
        best = mpmath.expm1(mpmath.fsum(mpmath.log1p(one) for one in label) / len(label))
        assert constant_of(label, "msle") == pytest.approx(float(best), rel=1e-13)
        smooth = mpmath.findroot(
            lambda c: mpmath.fsum(mpmath.tanh(c - y) for y in label), statistics.median(label) + 0.1
        )
        assert constant_of(label, "log_cosh") == pytest.approx(float(smooth), rel=1e-12, abs=1e-13)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_of_cross_entropy_it_is_the_prior_of_the_classes(label):
    source = {"y": np.array(label), "p": np.full((len(label), 4), 0.25)}
    classes = ["0", "1", "2", "3"]  # labels of which none is 0 may count from 1
    prior = [label.count(code) / len(label) for code in range(4)]
    results = found(source, ["cross_entropy", "nll", "cross_entropy:label_smoothing=0.2"], classes=classes).results
    assert list(results[0].best_constant.constant) == prior
    assert list(results[1].best_constant.constant) == prior
    assert results[2].best_constant.constant == pytest.approx([0.8 * part + 0.05 for part in prior], rel=1e-14)
    entropy = -sum(part * math.log(part) for part in prior if part)
    assert results[0].best_constant.constant_loss == pytest.approx(entropy, rel=1e-12, abs=1e-15)


@given(st.integers(0, 1000))
@settings(max_examples=20)
def test_of_soft_labels_it_is_their_mean_or_their_geometric_mean(seed):
    rng = np.random.default_rng(seed)
    label = rng.dirichlet([1.0, 2.0, 0.5, 1.0], 50) * 0.99 + 0.0025
    source = {"y": label, "p": rng.dirichlet(np.ones(4), 50)}
    ce, kl, reverse = found(source, ["cross_entropy", "kl_divergence", "kl_divergence:reverse=true"]).results
    np.testing.assert_allclose(ce.best_constant.constant, label.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(kl.best_constant.constant, label.mean(axis=0), rtol=1e-13)
    geometric = np.exp(np.log(label).mean(axis=0))
    np.testing.assert_allclose(reverse.best_constant.constant, geometric / geometric.sum(), rtol=1e-12)


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.sampled_from([0.5, 0.0, 0.9, 2.0, -3.0]))
@settings(max_examples=20)
def test_of_decisions_it_is_on_the_side_of_the_larger_class_wherever_the_threshold_is(label, threshold):
    source = {"y": np.array(label, dtype=float), "p": np.full(len(label), 0.5)}
    base = found(source, f"zero_one:threshold={threshold}").results[0].best_constant
    assert base.constant_loss == min(sum(label), len(label) - sum(label)) / len(label)
    assert sum(label) * 2 == len(label) or (base.constant > threshold) == (sum(label) * 2 > len(label))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
@settings(max_examples=20)
def test_of_scores_of_classes_it_is_their_shares_and_of_decisions_the_largest(label):
    source = {"y": np.array(label), "p": np.full((len(label), 4), 0.25)}
    shares = [label.count(code) / len(label) for code in range(4)]
    brier, spherical, rps, wrong = found(source, ["brier", "spherical", "rps", "zero_one"], classes="0,1,2,3").results
    for result in (brier, spherical, rps, wrong):
        assert list(result.best_constant.constant) == shares
    assert brier.best_constant.constant_loss == pytest.approx(1 - math.fsum(s * s for s in shares), rel=1e-12)
    assert spherical.best_constant.constant_loss == pytest.approx(-math.hypot(*shares), rel=1e-12)
    assert wrong.best_constant.constant_loss == pytest.approx(1 - max(shares), rel=1e-12, abs=1e-15)


def test_a_loss_without_a_least_value_has_no_best_constant_and_says_so():
    report = found({"y": [1.0, 0.0, 1.0], "p": [0.5, 0.2, 2.0]}, ["wasserstein", "soft_margin"])
    assert math.isnan(report.results[0].skill)
    assert report.results[1].best_constant.constant == pytest.approx(math.log(2.0), rel=1e-12)  # log-odds of 2 to 1
    assert report.warnings == (
        "wasserstein of p: no best constant: its mean falls without end as the constant grows, or as it falls",
    )


def test_of_rows_of_amounts_it_is_the_mean_of_each_column():
    label = np.array([[0.0, 3.0], [2.0, 1.0], [0.0, 8.0]])
    base = found({"y": label, "p": label + 1.0}, "generalized_kl").results[0].best_constant
    assert base.constant == pytest.approx([2 / 3, 4.0], rel=1e-15)


def test_where_labels_do_not_bound_it_the_end_nearest_to_them_is_taken():
    assert constant_of([1.0, 1.0], "hinge:margin=3") == 3.0
    assert constant_of([-1.0, -1.0], "hinge:margin=3") == -3.0
    assert constant_of([-1.0, -1.0], "squared_hinge:margin=0.25") == -1.0  # a label is nearer than the margin
    assert constant_of([1.0, 1.0], "bce") == 1.0
    assert constant_of([0.0, 0.0], "bce") == 0.0


# --- what skill says -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["mse", "rmse", "mae", "huber", "log_cosh", "l1", "l2"])
def test_a_perfect_model_has_skill_1_and_r2_is_the_skill_of_mse(loss):
    label = np.random.default_rng(0).normal(size=500)
    assert found({"y": label, "p": label}, loss).results[0].skill == 1.0
    worse = label + np.random.default_rng(1).normal(size=500)
    metrics = pytest.importorskip("sklearn.metrics")
    r2 = metrics.r2_score(label, worse)
    assert found({"y": label, "p": worse}, "mse").results[0].skill == pytest.approx(r2, rel=1e-12)
    d2 = metrics.d2_absolute_error_score(label, worse)
    assert found({"y": label, "p": worse}, "mae").results[0].skill == pytest.approx(d2, rel=1e-12)


def test_a_constant_that_cannot_be_beaten_leaves_no_skill_to_tell():
    report = found({"y": [2.0, 2.0], "p": [1.0, 3.0]}, ["mse", "mae"])
    assert [result.best_constant.constant for result in report.results] == [2.0, 2.0]
    assert [result.best_constant.constant_loss for result in report.results] == [0.0, 0.0]
    assert all(math.isnan(result.skill) for result in report.results)
    assert "as good as it gets" in report.warnings[0]


def test_a_negative_reference_is_no_measure():
    source = {"y": [10.0, 30.0], "p": [11.0, 29.0]}
    report = found(source, ["poisson", "poisson:full=lgamma"])
    assert math.isnan(report.results[0].skill)
    assert report.results[1].skill > 0
    assert report.warnings == (
        "poisson of p: no skill: the loss of the best constant is negative, use poisson:full=lgamma",
    )


@pytest.mark.parametrize("spec", ["poisson", "poisson:full=lgamma", "poisson:full=stirling", "mse", "bce", "hinge"])
def test_there_is_a_skill_only_where_the_loss_cannot_be_below_0(spec):
    label = np.array([0.0, 1.0, 1.0, 1.0])
    labels = np.array([0.0, 1.0, 3.0, 6.0]) if spec.startswith(("poisson", "mse")) else label
    report = found({"y": labels, "p": np.array([0.2, 0.6, 0.9, 0.8])}, spec)
    assert math.isnan(report.results[0].skill) == (spec == "poisson")
    assert any("no skill: the loss" in warning and "full=lgamma" in warning for warning in report.warnings) == (
        spec == "poisson"
    )


def test_after_an_activation_the_constant_is_on_the_scale_of_the_loss():
    label, score = np.array([0.0, 1.0, 1.0, 1.0]), np.array([-1.0, 0.5, 2.0, 1.0])
    report = found({"y": label, "p": score}, "bce", from_logits=True)
    assert report.results[0].best_constant.constant == 0.75
    assert any("after the sigmoid" in note for note in report.notes)
    tanh = found({"y": label, "p": score}, "mse", activation="tanh").results[0].best_constant
    assert (tanh.constant, tanh.constant_loss) == (0.75, 0.1875)


def test_without_being_asked_nothing_is_kept():
    model = Model("p", ("p",))
    roles = Roles(label=("y",), models=(model,), weight=None, by=(), notes=())
    planned = PlannedModel("p", ("p",), 0, (get_loss("mse"),))
    plan = Plan(Layout(roles, 0, None, "codes"), (planned,), "error")
    assert nothing(plan).labels is None
    (result,) = lossctl.evaluate({"y": [1.0], "p": [2.0]}, "mse", label="y", prediction="p").results
    assert result.best_constant is None
    assert math.isnan(result.skill)
    assert not {"constant", "constant_loss", "skill", "constant_error"} & set(result.to_dict())


# --- groups, cuts, and many labels -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many():
    """More different labels than are kept, in groups of many sizes, with weights."""
    rng = np.random.default_rng(17)
    n = 90_001
    label = rng.normal(3.0, 2.0, n)
    group = np.array([f"group {at}" for at in range(9)])[np.minimum(rng.geometric(0.4, n) - 1, 8)]
    return pa.table({"y": label, "p": label + rng.normal(size=n), "w": rng.lognormal(size=n), "g": pa.array(group)})


ASKED = {"loss": ["mse", "mae", "huber"]}


@pytest.mark.parametrize("more", [{}, {"weight": "w", "by": "g"}, {"by": "g"}], ids=["plain", "weights", "groups"])
def test_no_thread_engine_cut_or_order_changes_a_bit(many, tmp_path, monkeypatch, more):
    monkeypatch.setattr(marginals, "MOST", 1 << 12)
    monkeypatch.setattr(marginals, "IN_ALL", 1 << 13)
    some = many.slice(0, 20_001)
    whole = tmp_path / "whole.parquet"
    pq.write_table(some, whole, row_group_size=2_503)
    serial = found(whole, **ASKED, **more, engine="serial")
    assert all(result.best_constant.constant_error > 0 for result in serial.results if result.n > 1 << 12)
    for threads in (2, 7):
        assert bits(found(whole, **ASKED, **more, threads=threads)) == bits(serial)
    shuffled = some.take(pa.array(np.random.default_rng(2).permutation(some.num_rows)))
    paths = []
    for at, (start, stop) in enumerate([(0, 9_001), (9_001, 9_002), (9_002, some.num_rows)]):
        paths.append(str(tmp_path / f"part{at}.parquet"))
        pq.write_table(shuffled.slice(start, stop - start), paths[-1], row_group_size=2_011)
    for source in (some, paths):
        assert digits(found(source, **ASKED, **more, threads=2)) == digits(serial)


def test_each_group_is_what_it_is_alone(many):
    few = many.set_column(0, "y", pa.array(np.round(many["y"].to_numpy(), 1)))
    for result in found(few, **ASKED, weight="w", by="g").results:
        own = few.filter(pa.compute.equal(few["g"], result.group["g"]))
        alone = found(own, result.loss, weight="w").results[0]
        assert alone.best_constant == result.best_constant
        assert alone.best_constant.constant_error == 0.0


def test_more_labels_than_are_kept_are_rounded_by_no_more_than_is_said(many):
    report = found(many, ["mse", "mae", "rmse"])
    mse, mae, rmse = (result.best_constant for result in report.results)
    label = many["y"].to_numpy()
    assert any("more different labels than are kept" in note for note in report.notes)
    assert 0 < mse.constant_error < 1e-3
    assert mse.constant == float(sum(map(Fraction, label.tolist())) / len(label))
    assert rmse.constant == mse.constant
    assert mse.constant_loss == pytest.approx(label.var(), rel=1e-7)
    median = float(np.median(label))
    assert abs(mae.constant - median) <= mae.constant_error * abs(median)
    least = float(np.abs(label - median).mean())
    assert abs(mae.constant_loss - least) <= mae.constant_error * float(np.abs(label).mean())
    assert mae.constant_loss == pytest.approx(least, rel=1e-6)


def test_many_groups_share_what_is_kept(monkeypatch):
    monkeypatch.setattr(marginals, "IN_ALL", 1 << 10)
    rng = np.random.default_rng(0)
    label, group = rng.lognormal(size=40_000), rng.integers(0, 20, 40_000)
    source = {"y": label, "p": label, "g": group}
    for result in found(source, ["mse", "mae"], by="g").results:
        own = label[group == int(result.group["g"])]
        base = result.best_constant
        assert base.constant_error > 0
        best = own.mean() if result.loss == "mse" else np.median(own)
        assert abs(base.constant - best) <= base.constant_error * abs(best)
        assert base.constant_loss == pytest.approx(
            np.square(own - best).mean() if result.loss == "mse" else np.abs(own - best).mean(), rel=0.02
        )


def test_rows_left_out_are_left_out_of_the_constant_too():
    source = {"y": [1.0, 2.0, 90.0, 50.0], "p": [1.0, 2.0, None, 3.0], "w": [1.0, 1.0, 1.0, 0.0]}
    (result,) = found(pa.table(source), "mse", weight="w", nulls="drop").results
    assert result.best_constant.constant == 1.5


# --- the command line ------------------------------------------------------------------------------------------------


def test_the_command_says_it_in_every_format(lossctl, tmp_path):
    path = tmp_path / "preds.csv"
    path.write_text("y,p\n0,0.5\n1,0.5\n5,4.5\n")
    asked = ("eval", path, "-y", "y", "-p", "p", "-l", "mse,mae", "--skill")
    plain = lossctl(*asked, "-f", "json").json["results"]
    assert plain[0]["constant"] == 2.0
    assert plain[0]["constant_loss"] == pytest.approx(14 / 3)
    assert plain[0]["skill"] == pytest.approx(1 - 0.25 / (14 / 3))
    assert plain[0]["constant_error"] == 0.0
    assert lossctl(*asked, "-f", "csv").out.splitlines()[0].endswith("constant,constant_loss,skill,constant_error")
    for form in ("table", "plain", "markdown"):
        text = lossctl(*asked, "-f", form).out
        assert all(word in text for word in ("best constant", "its loss", "skill", "4.66667", "0.946429"))
    piped = lossctl("eval", "--help").out
    assert "--skill" in piped


def test_a_constant_of_probabilities_is_a_list_in_json_and_words_in_a_table(lossctl, sample_data):
    asked = ("eval", sample_data / "classes.csv", "-l", "nll", "-p", "p_*", "--skill")
    (result,) = lossctl(*asked, "-f", "json").json["results"]
    assert sum(result["constant"]) == pytest.approx(1.0)
    assert f"{result['constant'][0]:.4g}" in lossctl(*asked, "-f", "plain").out
    row = lossctl(*asked, "-f", "csv").out.splitlines()[1]
    assert " ".join(map(repr, result["constant"])) in row
