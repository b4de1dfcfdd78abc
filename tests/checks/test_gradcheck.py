"""Gradients held against finite differences: right ones pass wherever the data are, wrong ones are caught and shown."""

import functools
import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl import get_activation, get_loss
from lossctl.checks.contract import check, check_activation, check_draws, sampled_loss, sampled_points
from lossctl.checks.differences import NOTHING, PROBES, TOLERANCE, WORST, compare_activation, compare_loss
from lossctl.domain import PROBABILITY, REAL
from lossctl.functions.activation import Activation, activations
from lossctl.functions.lookup import example_of
from lossctl.functions.loss import Loss, losses
from lossctl.row_domains import inside

NAMES = (f"broken{at}" for at in itertools.count())
every_loss = pytest.mark.parametrize("definition", list(losses), ids=lambda it: it.name)
every_activation = pytest.mark.parametrize("definition", list(activations), ids=lambda it: it.name)


def legal(bound, activation):
    """Whether every output of an activation is a legal prediction of a loss."""
    return inside(get_activation(activation.name).range, bound.prediction_domain)


INFINITE = {("generalized_kl", "relu"), ("bpmll", "exp")}
"""Pairs of which most rows are: a prediction of 0 beside a label above it, e to the difference of two powers of e."""
LEGAL = [
    (loss, activation) for loss in losses for activation in activations if legal(example_of(loss.name), activation)
]
LEGAL = [pair for pair in LEGAL if (pair[0].name, pair[1].name) not in INFINITE]


def stranger(kernel, slope, *, label=REAL, prediction=REAL, kinks=None):
    """A registered loss of that formula and that gradient."""
    made = Loss(kernel, label=label, prediction=prediction, references=("nobody",))
    made.name = next(NAMES)
    made.gradient(slope)
    if kinks is not None:
        made.kinks(kinks)
    losses.add(made.name, made)
    return made.name


def squared(label, prediction):
    """Squares the error."""
    return np.square(prediction - label)


def compared(spec, label, prediction, activation=None):
    bound = get_loss(spec).through(activation)
    return compare_loss(bound, *bound.accept(label, prediction))


# ------------------------------------------------------------------------------------------------ right ones pass


@every_loss
def test_every_loss_passes_as_it_is_and_through_its_activations(definition):
    for bound in (
        example_of(definition.name),
        *(example_of(definition.name).through(pair) for pair in definition.pairs),
    ):
        found = check_draws(bound, draws=5)
        assert found.passed, found
        assert found.gradient.compared >= 5 * 200 * 0.99


@pytest.mark.parametrize(("loss", "activation"), LEGAL, ids=lambda it: it.name)
def test_every_loss_passes_through_every_activation_whose_outputs_are_legal(loss, activation):
    total = NOTHING
    for seed in range(3):
        bound = sampled_loss(loss, seed)
        bound = (bound if legal(bound, activation) else example_of(loss.name)).through(activation.name)
        if bound.activation.definition.rows and not bound.rows:
            label, z = sampled_points(bound, seed, 200)
            label, z = np.column_stack([label, label[::-1]]), np.column_stack([z, z[::-1]])
        else:
            label, z = sampled_points(bound, seed)
        total = total + compare_loss(bound, *bound.accept(label, z))
    assert not total.wrong, total.worst[0]
    assert total.compared > 0.95 * (total.compared + total.kinks + total.unresolved)


def test_the_legal_pairs_are_many():
    names = {(loss.name, activation.name) for loss, activation in LEGAL}
    assert len(names) > 80
    assert {("mse", "tanh"), ("poisson", "exp"), ("bce", "sigmoid"), ("nll", "softmax")} <= names
    assert ("bce", "tanh") not in names
    assert ("poisson", "relu") not in names


@every_activation
def test_every_activation_passes_and_keeps_the_contract(definition):
    found = check_draws(get_activation(definition.name), draws=5)
    assert found.passed, found
    assert check_activation(get_activation(definition.name), 3) == []


@pytest.mark.parametrize("shift", [0.0, 1e3, 2.5e5, 1e9])
@pytest.mark.parametrize("spec", ["mse", "mae", "huber", "log_cosh", "huber:delta=100"])
def test_numbers_far_from_1_are_no_reason_to_fail(spec, shift):
    rng = np.random.default_rng(0)
    label = shift + rng.normal(size=500)
    found = compared(spec, label, label + rng.normal(size=500))
    assert not found.wrong, found.worst[0]
    assert found.compared > 450


def test_probabilities_at_their_edges_are_no_reason_to_fail():
    chance = np.array([1e-300, 1e-12, 1e-5, 0.5, 1 - 1e-5, 1 - 1e-9])
    for label in (0.0, 1.0):
        for spec in ("bce:eps=0", "bce:pos_weight=3,eps=0", "focal:eps=0", "focal:alpha=none,gamma=0.5,eps=0"):
            found = compared(spec, np.full(6, label), chance)
            assert not found.wrong, (spec, found.worst[0])
            assert found.compared >= 4, spec


def test_large_scores_are_no_reason_to_fail():
    z = np.array([-745.0, -300.0, -40.0, -1e-9, 0.0, 40.0, 300.0, 709.0])
    for spec, activation in (("bce", "sigmoid"), ("focal", "sigmoid"), ("mse", "sigmoid"), ("mse", "tanh")):
        found = compared(spec, np.ones(8), z, activation)
        assert not found.wrong, (spec, activation, found.worst[0])
    assert not compared("exponential", np.ones(8), z).wrong


def test_rows_where_there_is_no_derivative_are_counted_and_not_judged():
    found = compared("mae", np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 3.0]))
    assert (found.kinks, found.compared, found.wrong) == (2, 1, 0)
    found = compared("hinge", np.array([1.0, -1.0, 1.0]), np.array([1.0, -1.0, 0.0]))
    assert (found.kinks, found.compared) == (2, 1)
    found = compared("mae", np.array([1.0, 2.0, -1.0]), np.array([0.0, 3.0, -4.0]), "relu")
    assert (found.kinks, found.compared) == (1, 2)
    floored = compared("bce", np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.25]))
    assert (floored.kinks, floored.compared) == (2, 1)
    edge = compared("bce", np.array([0.0, 1.0]), np.array([0.0, 0.25]))
    assert (edge.unresolved, edge.compared) == (1, 1)


# ------------------------------------------------------------------------------------------- wrong ones are caught

WRONG = {
    "without its factor": lambda label, prediction: prediction - label,
    "with the wrong sign": lambda label, prediction: 2.0 * (label - prediction),
    "off by a thousandth of a percent": lambda label, prediction: 2.00002 * (prediction - label),
    "off by a constant": lambda label, prediction: 2.0 * (prediction - label) + 1e-4,
    "wrong for large errors alone": lambda label, prediction: 2.0 * np.clip(prediction - label, -2.0, 2.0),
    "never finite": lambda label, prediction: np.where(prediction > 3, np.nan, 2.0 * (prediction - label)),
}


@pytest.mark.lowest
@pytest.mark.parametrize("slope", WRONG.values(), ids=list(WRONG))
def test_a_wrong_gradient_is_caught_at_draws_and_at_rows(lossctl, tmp_path, slope):
    name = stranger(squared, slope)
    assert not check_draws(get_loss(name), draws=3).passed
    found = lossctl("gradcheck", name, "--draws", 3)
    assert found.status == 1
    assert f"FAIL {name}" in found.out
    rng = np.random.default_rng(1)
    pq.write_table(pa.table({"y": rng.normal(size=300), "p": rng.normal(0, 3, 300)}), tmp_path / "rows.parquet")
    found = lossctl("gradcheck", name, tmp_path / "rows.parquet", "-y", "y", "-p", "p")
    assert found.status == 1
    assert f"FAIL {name}, model p" in found.out
    assert "differ from finite differences" in found.out


@every_loss
@pytest.mark.parametrize("planted", [lambda slope: 1.001 * slope + 2e-4, lambda slope: 2e-4 - slope])
def test_a_wrong_gradient_planted_in_any_loss_is_found(definition, planted, monkeypatch):
    right = definition.slope
    monkeypatch.setattr(definition, "slope", lambda *arguments, **more: planted(right(*arguments, **more)))
    found = check(example_of(definition.name))
    assert found.gradient.wrong > 0.5 * found.gradient.compared


def test_a_loss_with_several_kinks_a_number_declares_them_all():
    """Zero up to 1 from the label and from its opposite: slopes jump at y ± 1 and −y ± 1."""

    def zones(label, prediction):
        return sum(np.maximum(0.0, np.abs(prediction - end) - 1.0) for end in (label, -label))

    def slope(label, prediction):
        ends = (label, -label)
        return sum(np.where(np.abs(prediction - end) > 1.0, np.sign(prediction - end), 0.0) for end in ends)

    def kinks(label, prediction):
        return tuple(end + side for end in (label, -label) for side in (-1.0, 1.0))

    label = np.full(5, 3.0)
    prediction = np.array([-4.0, -2.0, 2.0, 4.0, 0.5])
    hidden = compared(stranger(zones, slope, kinks=lambda label, prediction: label + 1.0), label, prediction)
    told = compared(stranger(zones, slope, kinks=kinks), label, prediction)
    assert (hidden.wrong + hidden.unresolved, hidden.kinks) == (3, 1)
    assert (told.compared, told.kinks, told.wrong, told.unresolved) == (1, 4, 0, 0)
    assert get_loss(str(stranger(zones, slope, kinks=kinks))).kinks_at(np.array([3.0])) == (2.0, 4.0, -4.0, -2.0)


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_a_kink_between_two_scores_of_a_row_moves_with_either(activation):
    """Where two scores are the largest the decision jumps: no slope, whichever of the two is moved."""
    for spec in ("categorical_zero_one", "crammer_singer:margin=0"):
        found = compared(spec, np.array([2, 2]), np.array([[1.0, 1.0, 0.0], [3.0, 0.0, 3.0]]), activation)
        assert not found.wrong, found.worst[0]
        assert found.kinks >= 4


def test_classes_are_shown_by_their_names_and_written_as_their_codes(lossctl, tmp_path):
    (tmp_path / "x.csv").write_text("label,cat,dog\ndog,0.25,0.75\ncat,0.5,0.5\n")
    arguments = ("gradcheck", "cross_entropy", tmp_path / "x.csv", "-y", "label", "-p", "cat,dog")
    rows = [line.split() for line in lossctl(*arguments).out.splitlines()]
    assert {tuple(row[:2]) for row in rows if row and row[0].isdecimal()} == {("1", "dog"), ("2", "cat")}
    (check,) = lossctl(*arguments, "--json").json["checks"]
    assert {(point["row"], point["label"]) for point in check["worst"]} == {(1, 1.0), (2, 0.0)}


def test_the_worst_rows_are_shown_with_the_numbers_they_have_in_the_file(lossctl, tmp_path):
    """The gradient is wrong where the prediction is above 3: in rows 1,003 (of weight 0), 2,501 and 3,999 of 4,000."""
    name = stranger(squared, lambda label, prediction: 2.0 * np.minimum(prediction - label, 3.0))
    prediction = np.zeros(4000)
    prediction[[1002, 2500, 3998]] = 9.0, 4.0, 5.0
    weight = np.ones(4000)
    weight[[5, 1002]] = 0.0
    table = pa.table({"y": np.zeros(4000), "p": prediction, "w": weight})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=700)
    asked = ("gradcheck", name, tmp_path / "rows.parquet", "-y", "y", "-p", "p", "-w", "w", "--json")
    for more in ([], ["--engine", "serial"], ["--threads", "3"]):
        found = lossctl(*asked, *more).json
        (it,) = found["checks"]
        assert (found["passed"], it["wrong"], it["compared"]) == (False, 2, 3998)
        wrong = [(row["row"], row["stated"], round(row["difference"], 6)) for row in it["worst"] if row["wrong"]]
        assert wrong == [(3999, 6.0, 10.0), (2501, 6.0, 8.0)]
        assert it["worst"][0]["error"] == pytest.approx(0.4)
        assert it["worst"][0]["file"].endswith("rows.parquet")
    shown = lossctl(*asked[:-1])
    assert shown.status == 1
    assert "3,999" in shown.out
    assert "2 of 3,998 numbers differ" in shown.out
    assert "2 of 4,000 rows left out" in shown.err


def test_a_wrong_gradient_in_one_of_many_columns_is_found():
    def rows(label, prediction):
        return np.square(prediction - label).mean(axis=1)

    def slope(label, prediction):
        found = 2.0 * (prediction - label) / label.shape[1]
        found[:, 77] *= 1.5
        return found

    from lossctl.row_domains import VECTOR

    name = stranger(rows, slope, label=VECTOR, prediction=VECTOR)
    rng = np.random.default_rng(2)
    found = compared(name, rng.normal(size=(400, 100)), rng.normal(size=(400, 100)))
    assert found.compared == 400 * PROBES
    assert found.wrong > 0
    assert {point.column for point in found.worst if point.wrong} == {77}


def test_a_wrong_derivative_of_an_activation_is_caught(lossctl):
    def swish(z):
        """Swishes."""
        return z / (1.0 + np.exp(-z))

    made = Activation(swish)
    made.derivative(lambda z: 1.0 / (1.0 + np.exp(-z)))
    activations.add("swish", made)
    found = lossctl("gradcheck", "swish", "--json")
    assert found.status == 1
    (it,) = found.json["checks"]
    assert it["wrong"] > 0
    assert "the docstring lacks 'Formula:'" in found.err
    assert any("the gradient is" in said for said in check_activation(get_activation("swish")))


def test_a_wrong_pullback_of_an_activation_of_rows_is_caught():
    def halves(z):
        """Halves."""
        return 0.5 * z

    made = Activation(halves, rows=True)
    made.pullback(lambda z, upstream: upstream)
    activations.add("halves", made)
    assert compare_activation(get_activation("halves"), np.ones((5, 3))).wrong == 15


def test_a_kink_that_nobody_declared_does_not_hide_a_wrong_side():
    name = stranger(lambda y, p: np.abs(p - y), lambda y, p: np.where(p > y, 1.0, 0.0))
    assert compared(name, np.zeros(4), np.array([-1.0, -0.5, 0.5, 1.0])).wrong == 2


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (lambda label, prediction: np.square(prediction - label).astype(np.float32), "float32"),
        (lambda label, prediction: prediction.no_such_thing, "raises AttributeError"),
        (lambda label, prediction: np.full(len(label), np.nan), "not finite"),
    ],
)
def test_what_else_breaks_the_contract_fails_with_its_reason(lossctl, kernel, words):
    name = stranger(kernel, lambda label, prediction: 2.0 * (prediction - label))
    found = lossctl("gradcheck", name)
    assert found.status == 1
    assert f"FAIL {name}" in found.out
    assert words in " ".join(found.out.split())
    assert not check(get_loss(name)).passed


def test_a_loss_without_a_gradient_does_not_pass(lossctl):
    made = Loss(squared, label=REAL, prediction=REAL)
    made.name = next(NAMES)
    losses.add(made.name, made)
    found = lossctl("gradcheck", made.name)
    assert found.status == 1
    assert "declares no gradient" in found.out


# ------------------------------------------------------------------------------------------------------- adding up


def test_comparisons_of_parts_add_up_to_that_of_the_whole():
    rng = np.random.default_rng(3)
    label, prediction = rng.normal(size=900), rng.normal(0, 3, 900)
    name = stranger(squared, WRONG["wrong for large errors alone"])
    whole = compared(name, label, prediction)
    cuts = [0, 1, 200, 200, 555, 900]
    parts = [compared(name, label[a:b], prediction[a:b]) for a, b in itertools.pairwise(cuts)]
    total = functools.reduce(lambda a, b: a + b, parts, NOTHING)
    assert total == whole
    assert (parts[0] + parts[1]) + parts[2] == parts[0] + (parts[1] + parts[2])
    assert len(whole.worst) == WORST
    assert [point.error for point in whole.worst] == sorted((it.error for it in whole.worst), reverse=True)


def test_the_number_of_threads_changes_nothing(lossctl, sample_data):
    asked = ("gradcheck", "bce", sample_data / "binary.parquet", "-p", "p_a", "-p", "p_b", "--json")
    one, many = (lossctl(*asked, "--threads", n).json for n in (1, 4))
    assert one == many
    assert [it["model"] for it in one["checks"]] == ["p_a", "p_b"]


# --------------------------------------------------------------------------------------------------------- command


def test_given_parameters_are_kept_and_the_others_drawn(lossctl):
    found = lossctl("gradcheck", "focal:gamma=3", "--draws", 4, "--json").json
    names = {row["name"] for it in found["checks"] for row in it["worst"]}
    assert names
    assert all("gamma=3.0" in name for name in names)
    assert len(names) > 1


def test_a_loss_is_checked_on_predictions_and_through_its_activations(lossctl):
    found = lossctl("gradcheck", "bce", "--draws", 2)
    assert [line for line in found.out.splitlines() if line.startswith("PASS")] == [
        "PASS bce: 400 numbers agree with finite differences",
        "PASS bce through sigmoid: 400 numbers agree with finite differences",
    ]
    wanted = {
        "--from-logits": ["pre-activation of exp"],
        "": ["prediction", "pre-activation of exp", "pre-activation of softplus"],
    }
    for flag, wrt in wanted.items():
        it = lossctl("gradcheck", "poisson", "--draws", 2, "--json", *filter(None, [flag])).json
        assert [form["wrt"] for form in it["checks"]] == wrt
    (it,) = lossctl("gradcheck", "mse", "--activation", "tanh", "--draws", 2, "--json").json["checks"]
    assert it["wrt"] == "pre-activation of tanh"


def test_a_file_is_read_as_eval_reads_it(lossctl, sample_data):
    for name, arguments in {
        "bce": [sample_data / "logits.csv", "--from-logits"],
        "nll": [sample_data / "classes.csv", "-p", "p_*"],
        "hinge": [sample_data / "scores.csv"],
        "poisson": [sample_data / "counts.parquet"],
        "huber:delta=0.5": [sample_data / "regression.csv", "-w", "weight"],
    }.items():
        found = lossctl("gradcheck", name, *arguments)
        assert found.status == 0, found
        assert "PASS" in found.out


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["huber", "-y", "y"], 2, "no FILE is named"),
        (["hubr"], 2, "Did you mean"),
        (["sigmoid", "{}/regression.csv"], 2, "--activation sigmoid"),
        (["sigmoid", "--activation", "tanh"], 2, "is an activation itself"),
        (["mse", "--from-logits"], 2, "no natural activation"),
        (["mse", "--eps", "0"], 2, "eps"),
        (["mse", "{}/nowhere.csv"], 3, "nowhere.csv"),
        (["bce", "{}/regression.csv"], 3, "needs a number in [0, 1]"),
    ],
)
def test_what_cannot_be_checked_says_why(lossctl, sample_data, arguments, status, words):
    found = lossctl("gradcheck", *(argument.format(sample_data) for argument in arguments))
    assert (found.status, found.out) == (status, "")
    assert words in found.err


@pytest.mark.parametrize("activation", ["relu", "tanh", "leaky_relu"])
@pytest.mark.parametrize("name", ["bce", "focal", "poisson"])
def test_a_loss_is_checked_only_where_the_activation_comes_to_what_it_needs(lossctl, name, activation):
    found = lossctl("gradcheck", name, "--activation", activation)
    assert found.status == 0, found
    assert f"warning: {name} after {activation}: the activation comes to" in found.err


def test_an_activation_that_never_comes_to_what_a_loss_needs_is_a_fault_of_the_pair(lossctl):
    found = lossctl("gradcheck", "cross_entropy", "--activation", "tanh", "--json")
    assert found.status == 1
    assert found.json["checks"][0]["faults"][0].startswith("cross_entropy: tanh does not come to what cross_entropy")


def test_numbers_that_overflow_are_left_out_in_silence(lossctl, tmp_path):
    (tmp_path / "huge.csv").write_text("y,p\n1e308,-1e308\n-1e308,1.7e308\n1,2.5\n")
    found = lossctl("gradcheck", "huber", tmp_path / "huge.csv", "--json", "-q")
    assert (found.status, found.err, found.json["checks"][0]["unresolved"]) == (0, "", 2)


def test_nothing_compared_is_never_a_pass(lossctl, tmp_path):
    (tmp_path / "kinks.csv").write_text("y,p\n1,1\n2,2\n")
    found = lossctl("gradcheck", "mae", tmp_path / "kinks.csv", "-y", "y", "-p", "p")
    assert found.status == 3
    assert "2 at kinks" in found.err


def test_the_json_is_strict_where_a_gradient_is_not_finite(lossctl, tmp_path):
    name = stranger(squared, lambda label, prediction: np.full(len(label), np.inf))
    (tmp_path / "rows.csv").write_text("y,p\n1,2\n2,5\n")
    found = lossctl("gradcheck", name, tmp_path / "rows.csv", "-y", "y", "-p", "p", "--json")
    assert found.status == 1
    worst = found.json["checks"][0]["worst"][0]
    assert (worst["stated"], worst["nonfinite"]["stated"]) == (None, "Infinity")
    assert worst["difference"] == pytest.approx(2.0)
    assert found.json["tolerance"] == TOLERANCE


def test_quiet_leaves_the_verdict_and_quieter_the_exit_status(lossctl):
    assert "PASS" in lossctl("gradcheck", "mse", "-q", "--draws", 1).out
    found = lossctl("gradcheck", "mse", "-qq", "--draws", 1)
    assert (found.status, found.out, found.err) == (0, "", "")


@pytest.mark.lowest
@pytest.mark.parametrize("width", [80, 120])
def test_the_page_fits_the_terminal(lossctl, monkeypatch, sample_data, width):
    monkeypatch.setenv("COLUMNS", str(width))
    for name, file in {"nll": "classes.csv", "huber": "regression.csv"}.items():
        found = lossctl("gradcheck", name, sample_data / file, *(["-p", "p_*"] if name == "nll" else []))
        assert max(map(len, found.out.splitlines())) <= width
        assert "…" not in found.out


def test_a_name_in_the_data_cannot_command_the_terminal(lossctl, tmp_path):
    evil = ["\x1b[2Jp", "b\x08\x9b31m", "[red]c"]
    rng = np.random.default_rng(4)
    columns = {name: rng.dirichlet(np.ones(3), 50)[:, 0] for name in evil}
    total = sum(columns.values())
    table = pa.table({"y": np.zeros(50), **{name: values / total for name, values in columns.items()}})
    pq.write_table(table, tmp_path / "evil.parquet")
    wide = lossctl("gradcheck", "nll", tmp_path / "evil.parquet", "-y", "y", "-p", ",".join(evil))
    one = lossctl("gradcheck", "mse", tmp_path / "evil.parquet", "-y", "y", "-p", evil[0])
    for found in (wide, one):
        assert "PASS" in found.out
        assert not set(found.out) & {"\x1b", "\x08", "\x9b"}
    assert "[red]c" in wide.out


def test_probabilities_of_a_strangers_loss_stay_legal_when_moved():
    """Its formula is NaN outside [0, 1], and its domain says so."""
    name = stranger(
        lambda y, p: np.sqrt(p * (1.0 - p)), lambda y, p: 0.5 * (1.0 - 2.0 * p) / np.sqrt(p * (1.0 - p)),
        prediction=PROBABILITY,
    )  # fmt: skip
    found = compared(name, np.zeros(3), np.array([1e-9, 0.5, 1.0 - 1e-9]))
    assert (found.compared, found.wrong) == (3, 0)
