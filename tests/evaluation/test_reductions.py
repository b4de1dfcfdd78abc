"""Values that are no means of rows: against their formulas, numerical derivatives and the jackknife, over every one."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl.errors import LossctlError
from lossctl.functions.lookup import get_loss
from lossctl.functions.loss import losses
from lossctl.reduction import KNOWN, reduction_of

N = 60
RNG = np.random.default_rng(15)
Y = RNG.normal(2.0, 1.0, N)
BITS = (RNG.random(N) < 0.4).astype(float)
CHANCE = RNG.beta(1.0, 2.0, N)
TABLE = {
    "y": Y, "one": Y + RNG.normal(0.0, 0.5, N), "two": Y + RNG.normal(0.1, 0.4, N),
    "bit": BITS, "p": CHANCE, "q": np.clip(0.8 * CHANCE + 0.2 * BITS, 0.0, 1.0),
    "w": RNG.gamma(2.0, 1.0, N), "user": RNG.integers(0, 12, N), "part": np.where(RNG.random(N) < 0.5, "a", "b"),
}  # fmt: skip
ONES = np.ones(N)


def root_over(size):
    return lambda y, p, w: math.sqrt(np.average((p - y) ** 2, weights=w)) / size(y, w)


def counts(y, p, w):
    return (w * y * p).sum(), (w * (1 - y) * p).sum(), (w * y * (1 - p)).sum()


def tversky(y, p, w, alpha, beta):
    hits, false, missed = counts(y, p, w)
    return 1 - hits / (hits + alpha * false + beta * missed)


def f_measure(y, p, w, beta):
    hits, false, missed = counts(y, p, w)
    return 1 - (1 + beta**2) * hits / ((1 + beta**2) * hits + beta**2 * missed + false)


def spread(y, w):
    return math.sqrt(np.average((y - np.average(y, weights=w)) ** 2, weights=w))


FORMULAS = {
    "rmse": lambda y, p, w: math.sqrt(np.average((p - y) ** 2, weights=w)),
    "mse under exp-mean": lambda y, p, w: math.exp(np.average((p - y) ** 2, weights=w)),
    "minkowski:p=3.5": lambda y, p, w: np.average(np.abs(p - y) ** 3.5, weights=w) ** (1 / 3.5),
    "wmape": lambda y, p, w: 100 * (w * np.abs(p - y)).sum() / (w * np.abs(y)).sum(),
    "nrmse": root_over(lambda y, w: abs(np.average(y, weights=w))),
    "nrmse:denominator=std": root_over(spread),
    "nrmse:denominator=l2": root_over(lambda y, w: math.sqrt(np.average(y**2, weights=w))),
    "dice": lambda y, p, w: 1 - 2 * (w * y * p).sum() / (w * (y + p)).sum(),
    "tversky:alpha=0.3,beta=0.7": lambda y, p, w: tversky(y, p, w, 0.3, 0.7),
    "fmeasure:beta=2": lambda y, p, w: f_measure(y, p, w, 2.0),
    "perplexity": lambda y, p, w: math.exp(np.average(-np.log(p), weights=w)),
    "surprisal:base=2": lambda y, p, w: np.average(-np.log2(p), weights=w),
}
"""What is reported, from labels, predictions and weights."""

every_formula = pytest.mark.parametrize("title", FORMULAS)
weights = pytest.mark.parametrize("weight", [None, "w"], ids=["unweighted", "weighted"])


def asked(title):
    loss, _, reduction = title.partition(" under ")
    bound = get_loss(loss)
    label, names = ("bit", ("p", "q")) if bound.prediction_domain.closed(1) == (0.0, 1.0) else ("y", ("one", "two"))
    roles = {"loss": loss, "prediction": list(names)} | ({} if bound.unlabelled else {"label": label})
    return roles | ({"reduction": reduction} if reduction else {}), TABLE[label], [TABLE[name] for name in names]


def derivative(function, at, step=1e-5):
    """By central differences."""
    each = step * np.eye(len(at))
    return np.array([(function(at + move) - function(at - move)) / (2 * step) for move in each])


def moves(title, weight):
    """The value of each model, and what each row moves it by: its weight times the derivative by that."""
    _, y, predictions = asked(title)
    w = ONES if weight is None else TABLE[weight]
    values = [FORMULAS[title](y, p, w) for p in predictions]
    return values, [w * derivative(lambda some, p=p: FORMULAS[title](y, p, some), w) for p in predictions]


def error(moved, units=N):
    return math.sqrt(units / (units - 1) * (moved**2).sum())


def test_every_reduction_is_among_the_formulas():
    reduced = {asked(title)[0].get("reduction", get_loss(title.partition(" ")[0]).reduction) for title in FORMULAS}
    assert {*KNOWN} - {"mean", "sum", "per-row"} == reduced  # of these what a row moves is its own share
    assert {loss.name for loss in losses if loss.others} <= {title.partition(":")[0] for title in FORMULAS}


@every_formula
@weights
def test_values_are_the_formula_and_errors_those_of_its_linearisation(title, weight):
    roles, _, _ = asked(title)
    values, moved = moves(title, weight)
    results = lossctl.evaluate(TABLE, weight=weight, **roles).results
    for result, value, move in zip(results, values, moved, strict=True):
        assert result.value == pytest.approx(value, rel=4e-15)
        assert result.standard_error == pytest.approx(error(move), rel=1e-6)


@every_formula
def test_the_standard_error_is_that_of_the_jackknife_of_many_rows(title):
    roles, y, (p, _) = asked(title)
    many = 40
    y, p = np.tile(y, many), np.tile(p, many)
    left = np.array(
        [FORMULAS[title](*(np.delete(part, row) for part in (y, p)), np.ones(len(y) - 1)) for row in range(N)]
    )
    n = len(y)
    jackknife = math.sqrt((n - 1) / n * many * ((left - left.mean()) ** 2).sum())
    table = {roles.get("label", "y"): y, roles["prediction"][0]: p}
    found = lossctl.evaluate(table, **(roles | {"prediction": roles["prediction"][0]})).results[0]
    assert found.standard_error == pytest.approx(jackknife, rel=0.01)


@every_formula
@weights
def test_gradient_figures_are_of_the_reported_value(title, weight):
    roles, y, predictions = asked(title)
    w = ONES if weight is None else TABLE[weight]
    for result, p in zip(
        lossctl.evaluate(TABLE, weight=weight, gradient=True, **roles).results, predictions, strict=True
    ):
        slope = derivative(lambda some: FORMULAS[title](y, some, w), p, 1e-6 if "p" not in roles else 1e-7)
        figures = result.gradient
        assert figures.grad_l2 == pytest.approx(np.sqrt((slope**2).sum()), rel=1e-4)
        assert figures.grad_l1 == pytest.approx(np.abs(slope).sum(), rel=1e-4)
        assert figures.grad_linf == pytest.approx(np.abs(slope).max(), rel=1e-4)


@every_formula
@weights
@pytest.mark.parametrize("cluster", [None, "user"], ids=["rows", "clusters"])
def test_differences_of_models_are_paired(title, weight, cluster):
    roles, _, _ = asked(title)
    (first, second), (a, b) = moves(title, weight)
    (result,) = lossctl.compare(TABLE, weight=weight, cluster=cluster, **roles).to_dict()["results"]
    assert result["difference"] == pytest.approx(second - first, rel=1e-12, abs=1e-15)
    moved = b - a
    if cluster is not None:
        moved = np.bincount(TABLE[cluster], moved)
    assert result["standard_error"] == pytest.approx(error(moved, len(moved)), rel=1e-5)
    assert result["top_share"] == pytest.approx((moved**2).max() / (moved**2).sum(), rel=1e-4)
    if cluster is None:
        assert result["correlation"] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-6)


@pytest.mark.parametrize("title", [title for title in FORMULAS if not asked(title)[0].get("reduction")])
@weights
def test_how_sure_a_claim_about_skill_is_takes_what_rows_move_the_constant_by(title, weight):
    roles, y, (p, _) = asked(title)
    roles["prediction"] = roles["prediction"][0]
    options = {"weight": weight, **roles}
    (result,) = lossctl.evaluate(TABLE, skill=True, **options).results
    gate = {"name": "skill", "min_skill": 0.25, "loss": title}
    (verdict,) = lossctl.check_gates(gate, TABLE, **(options | {"loss": None})).verdicts
    if math.isnan(result.skill):
        assert verdict.state == "error"
        return
    w, constant = ONES if weight is None else TABLE[weight], np.full(N, result.best_constant.constant)
    own, best = (w * derivative(lambda some, p=p: FORMULAS[title](y, p, some), w) for p in (p, constant))
    assert verdict.measured.estimate.standard_error == pytest.approx(error(own - 0.75 * best), rel=1e-5)


@every_formula
def test_groups_have_their_own_values_and_all_rows_one(title):
    roles, y, (p, _) = asked(title)
    report = lossctl.evaluate(TABLE, by="part", gradient=True, **(roles | {"prediction": roles["prediction"][0]}))
    for result in report.results:
        rows = TABLE["part"] == result.group["part"]
        assert result.value == pytest.approx(FORMULAS[title](y[rows], p[rows], ONES[rows]), rel=4e-15)
        alone = {name: column[rows] for name, column in TABLE.items()}
        (same,) = lossctl.evaluate(alone, gradient=True, **(roles | {"prediction": roles["prediction"][0]})).results
        assert (result.value, result.gradient.grad_l1) == (same.value, pytest.approx(same.gradient.grad_l1, rel=1e-12))
    (whole,) = report.overall
    assert whole.value == pytest.approx(FORMULAS[title](y, p, ONES), rel=4e-15)


@every_formula
def test_no_digit_of_a_value_depends_on_the_engine_or_the_order_of_rows(title, tmp_path):
    roles, _, _ = asked(title)
    table, path = pa.table(TABLE), tmp_path / "rows.parquet"
    pq.write_table(table, path, row_group_size=7)
    found = {repr(lossctl.evaluate(path, engine=engine, **roles).results[0].value) for engine in ("serial", "threads")}
    found |= {repr(lossctl.evaluate(table.take(RNG.permutation(N)), **roles).results[0].value)}
    assert len(found) == 1


def test_the_range_of_labels_has_no_standard_error_but_a_value_and_a_gradient():
    (result,) = lossctl.evaluate(
        TABLE, "nrmse:denominator=range", label="y", prediction="one", gradient=True, by="part"
    ).overall
    value = math.sqrt(((TABLE["one"] - Y) ** 2).mean()) / np.ptp(Y)
    assert result.value == pytest.approx(value, rel=4e-15)
    assert math.isnan(result.standard_error)
    assert result.gradient.grad_l2 == pytest.approx(1 / math.sqrt(N) / np.ptp(Y), rel=1e-12)


@pytest.mark.parametrize(("loss", "value"), [("wmape", math.nan), ("dice", 0.0), ("tversky", 0.0), ("fmeasure", 0.0)])
def test_a_ratio_of_nothing_is_what_its_page_says(loss, value):
    found = lossctl.evaluate({"y": [0.0, 0.0], "p": [0.0, 0.0]}, loss, label="y", prediction="p", gradient=True)
    assert found.value == pytest.approx(value, nan_ok=True)


def test_a_ratio_is_not_reported_as_a_mean():
    with pytest.raises(lossctl.UsageError, match="wmape is a ratio of several numbers of each row, not a mean"):
        get_loss("wmape").under("mean")


@pytest.mark.parametrize("name", [name for name in KNOWN if name not in {"power-mean", "normalized-root-mean"}])
def test_reductions_are_equal_to_their_like(name):
    assert reduction_of(name) == reduction_of(name)


def test_exponentials_that_no_double_holds_are_infinite():
    (result,) = lossctl.evaluate({"p": [1e-300, 1e-300]}, "surprisal:eps=0", prediction="p").results
    assert result.value == pytest.approx(300 * math.log(10), rel=1e-15)
    for logs, value in ((-800.0, math.inf), (-1e300, math.inf), (0.0, 1.0)):
        found = lossctl.evaluate({"p": [logs, logs]}, "perplexity:log=true", prediction="p", gradient=True)
        assert found.value == value


@pytest.mark.parametrize("by", [None, "g"])
@pytest.mark.parametrize("mask", [False, True])
def test_the_range_of_labels_of_several_columns_is_that_of_all_of_them(mask, by):
    label = np.array([[1.0, 9.0], [2.0, 4.0], [3.0, np.nan if mask else 0.0]])
    table = {"y0": label[:, 0], "y1": label[:, 1], "p0": label[:, 0] + 2.0, "p1": [11.0, 6.0, 2.0], "g": [0, 0, 1]}
    asked = {"label": ["y0", "y1"], "prediction": "p*", "mask_null": mask, "by": by, "engine": "serial"}
    report = lossctl.evaluate(table, "nrmse:denominator=range", **asked)
    (whole,) = report.overall if by else report.results
    assert whole.value == 2.0 / (8.0 if mask else 9.0)
    if by:
        assert report.results[0].value == 2.0 / 8.0


def test_models_of_other_tokens_are_compared_row_by_row_as_ratios_and_not_trusted():
    rows = RNG.integers(2, 9, 40)
    one = [np.log(RNG.beta(2, 1, k)).tolist() for k in rows]
    two = [np.log(RNG.beta(3, 1, 2 * k)).tolist() for k in rows]
    found = lossctl.compare(pa.table({"a": one, "b": two}), "perplexity:log=true", prediction=["a", "b"])
    (result,) = found.to_dict()["results"]
    better = [np.mean(b) > np.mean(a) for a, b in zip(one, two, strict=True)]
    assert result["better"] == np.mean(better)
    assert any("not trusted: the same texts are" in warning for warning in found.warnings)
    same = lossctl.compare(pa.table({"a": one, "b": one}), "perplexity:log=true", prediction=["a", "b"])
    assert not any("tokens" in warning for warning in same.warnings)


@pytest.mark.parametrize("loss", ["rmse", "minkowski:p=2.5", "mse under exp-mean"])
def test_the_difference_of_models_that_are_nearly_alike_keeps_its_digits(loss):
    mpmath = pytest.importorskip("mpmath", reason="mpmath is not installed")
    spec, _, reduction = loss.partition(" under ")
    power = {"minkowski:p=2.5": 2.5}.get(spec, 2)
    one, two = TABLE["one"], TABLE["one"].copy()
    two[3] += 1e-13

    def value(prediction):
        rows = get_loss(spec).value(Y, prediction).tolist()
        mean = mpmath.fsum(map(mpmath.mpf, rows)) / N
        return mpmath.exp(mean) if reduction else mpmath.power(mean, mpmath.mpf(1) / power)

    with mpmath.workdps(60):
        exact = float(value(two) - value(one))
    asked = {"label": "y", "prediction": ["a", "b"], **({"reduction": reduction} if reduction else {})}
    (result,) = lossctl.compare({"y": Y, "a": one, "b": two}, spec, **asked).to_dict()["results"]
    assert result["difference"] == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("denominator", ["mean", "std", "l2", "range"])
def test_a_standard_error_is_there_or_it_is_said_why_not(denominator):
    report = lossctl.evaluate({"y": [1.0, 2.0, 4.0], "p": [1.5, 2.0, 3.0]}, f"nrmse:denominator={denominator}")
    said = [note for note in report.notes if "no standard error: two rows alone" in note]
    assert math.isnan(report.results[0].standard_error) == bool(said) == (denominator == "range")


@pytest.mark.parametrize("asked", [{}, {"weight": "w"}, {"by": ["g"]}, {"weight": "w", "by": ["g"]}], ids=str)
@pytest.mark.parametrize("definition", list(losses), ids=lambda it: it.name)
def test_no_rows_are_an_error_that_says_so_of_every_loss(definition, asked):
    none = {name: pa.array([], pa.float64()) for name in ("y", "p", "w")} | {"g": pa.array([], pa.string())}
    with pytest.raises(LossctlError):
        lossctl.evaluate(pa.table(none), definition.name, label="y", prediction="p", gradient=True, **asked)
