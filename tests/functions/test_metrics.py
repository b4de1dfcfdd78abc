"""What is looked for among the losses and is none is named for what it is, with a way on that works."""

import json
import math
import re

import pytest
from stored import write_lines

from lossctl import evaluate
from lossctl.errors import DataError, UsageError
from lossctl.functions.definition import split_specs
from lossctl.functions.explanation import explain
from lossctl.functions.lookup import example_of, get_loss, meanings
from lossctl.functions.loss import losses
from lossctl.functions.metrics import METRICS
from lossctl.words import normal

ASKED_FOR = (
    "r2 R² auc accuracy f1 precision recall ece mcc spearman map ndcg bias calibration normalized_entropy top5".split()
)


@pytest.mark.parametrize("name", ASKED_FOR)
def test_a_metric_that_is_no_loss_is_named_for_what_it_is(name):
    what, way = METRICS[normal(name)]
    for ask in (get_loss, explain):
        with pytest.raises(UsageError) as told:
            ask(name)
        assert told.value.parts == (f"{name} {what}", way)


@pytest.mark.parametrize("name", ["mcc", "f1", "kappa", "balanced_accuracy", "precision_macro"])
def test_what_counts_decisions_has_a_way_where_nothing_but_decisions_is_there(name):
    with pytest.raises(UsageError) as told:
        evaluate({"y": [0, 1, 1, 0] * 5, "p": [0, 1, 0, 0] * 5}, name)
    loss = re.findall(r"loss='([^']+)'", told.value.hint)[0]
    assert evaluate({"y": [0, 1, 1, 0] * 5, "p": [0, 1, 0, 0] * 5}, loss).value == 0.25


def test_the_ways_to_bias_and_normalized_entropy_come_to_them(lossctl, tmp_path):
    path = write_lines(tmp_path / "rows.csv", "y,p", "0,0.5", "1,0.75", "0,0.25", "0,0.5")
    done = lossctl("samples", path, "-l", "half_squared_error", "-f", "jsonl", "-q")
    assert [json.loads(line)["gradient"] for line in done.out.splitlines()] == [0.5, -0.25, 0.25, 0.5]
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    bce = -(2 * math.log(0.5) + 2 * math.log(0.75)) / 4
    result = evaluate(path, "bce", skill=True).results[0]
    assert 1 - result.best_constant.skill == pytest.approx(bce / entropy, rel=1e-14)


def test_no_metric_hides_a_loss():
    assert [name for name in METRICS if name in losses] == []


def test_every_way_on_is_said_in_a_sentence():
    for what, way in METRICS.values():
        assert not what.endswith(".")
        assert way.endswith(".")


def test_a_near_name_of_a_metric_is_suggested():
    with pytest.raises(UsageError, match="Did you mean accuracy"):
        get_loss("acuracy")


def test_the_command_line_says_the_way_in_its_flags(lossctl, sample_data):
    done = lossctl("eval", sample_data / "regression.csv", "-l", "r2")
    assert done.status == 2
    assert "Say --loss mse --skill." in done.err
    assert lossctl("eval", sample_data / "regression.csv", "--loss", "mse", "--skill").status == 0


NEAR_NAMES = {"calibration_eror": "plot", "mdapee": "samples", "rmssee": "mase"}


@pytest.mark.parametrize("name", [*METRICS, *NEAR_NAMES])
def test_no_name_that_is_suggested_is_refused_in_turn(name):
    for ask in (get_loss, explain):
        with pytest.raises(UsageError) as told:
            ask(name)
        assert NEAR_NAMES.get(name, "") in told.value.hint
        suggested = re.search(r"Did you mean ([^?]+)\?(.*)", told.value.hint)
        for word in re.findall(r"loss='([^']+)'", told.value.hint) + (
            [] if suggested is None or suggested[2] else suggested[1].split(" or ")
        ):
            for spec in split_specs([word]):
                get_loss(spec)


def names_elsewhere():
    """The losses by what other libraries call them, as the page of each says it, without what it says of them."""
    names = {}
    for loss in losses:
        for said in loss.peers.values():
            calls = re.sub(r"\([^()]*\)", "", re.sub(r"\([^()]*\)", "", said))
            for call in filter(None, map(str.strip, calls.split(","))):
                value = "1.5" if "power" in call or call == "Lq:q=" else "0.3"
                full = f"{call}{value}" if call.endswith("=") else call.replace("@t", "@0.3")
                names.setdefault(full, set()).add(loss.name)
    return names


def answered(call):
    """What a name comes to: nothing where it is measured, else the error."""
    try:
        example_of(call)
    except UsageError as told:
        return told
    return None


NOT_TYPED = {"least_squares", "special.kl_div"}  # functions with other arguments, of which a loss is one
OF_SEVERAL = "hinge_loss l1 l1_loss l2 mphe mean_poisson_deviance tweedie_deviance_score nll_loss cross_entropy".split()
"""What is named by the page of one loss, and is the name of another for who types it."""


def test_a_name_of_another_library_is_the_loss_whose_page_has_it():
    for call, names in names_elsewhere().items():
        if answered(call) is None and call not in {*OF_SEVERAL, *NOT_TYPED}:
            assert {bound.name for bound in meanings(call)} & names, (call, names)


def test_a_name_of_another_library_is_measured_or_answered_with_one_that_is():
    for call in names_elsewhere().keys() - NOT_TYPED:
        told = answered(call)
        if told is not None:
            assert not told.parts[0].startswith("unknown"), (call, told.parts)
            assert told.hint, call
            for spec in re.findall(r"loss='([^']+)'", told.hint):
                assert answered(spec) is None, call


@pytest.mark.parametrize(
    ("typed", "way"),
    [
        ("quantile:alpha=0.9", "quantile:tau=0.9"),
        ("Expectile:alpha=0.9", "Expectile:tau=0.9"),
        ("huber:alpha=0.9", "huber:delta=0.9"),
        ("fair:fair_c=2", "fair:c=2"),
        ("tweedie:p=1.2", "tweedie:power=1.2"),
        ("tweedie-nloglik@1.5", "tweedie_nll:power=1.5"),
        ("reg:quantileerror", "quantile:tau=0.5"),
        ("keras.losses.Huber(delta=2)", "Huber:delta=2"),
        ("huber(2)", "huber:delta=2"),
        ("Focal:focal_alpha=0.5;focal_gamma=0.5", "Focal:alpha=0.5,gamma=0.5"),
        ("MultiQuantile:alpha=0.1/0.5", "MultiQuantile:tau=0.1/0.5"),
    ],
)
def test_a_parameter_by_the_name_of_another_library_is_said_as_it_is_here(typed, way):
    with pytest.raises(UsageError) as told:
        get_loss(typed)
    assert f"loss={way!r}" in told.value.hint
    get_loss(way)


@pytest.mark.parametrize(
    ("typed", "spec"),
    [
        ("keras.losses.Huber", "huber"),
        ("torch.nn.functional.l1_loss", "mae"),
        ("sklearn.metrics.root_mean_squared_log_error", "rmsle"),
        ("l2_root", "rmse"),
        ("LossL2", "l2"),
        ("tf.keras.losses.MeanSquaredError", "mse"),
        ("Lq:q=3;", "lq:q=3.0"),
    ],
)
def test_a_name_with_its_modules_is_the_name(typed, spec):
    assert str(get_loss(typed)) == spec


def test_a_list_with_commas_is_told_how_a_list_is_written():
    for spec in split_specs(["mse,MultiQuantile:alpha=0.1,.5"])[1:]:
        assert answered(spec).hint == "A list has / between its numbers: MultiQuantile:alpha=0.1/.5."


def test_a_line_with_an_activation_is_told_who_names_one_for_a_loss():
    for name, loss in {"relu": "mse", "softmax": "cross_entropy", "sigmoid": "bce", "exp": "poisson"}.items():
        if name not in losses:
            assert f"loss={loss!r}" in answered(name).hint
            get_loss(loss).through(name)


def test_an_activation_is_no_loss():
    for name in ("relu", "torch.nn.functional.softmax"):
        assert "it is an activation" in answered(name).parts[0]


def test_a_name_with_its_modules_that_is_no_loss_is_answered_as_without():
    for typed in ("torch.nn.BCEWithLogitsLoss", "sklearn.metrics.d2_tweedie_score", "optax.l2_loss"):
        assert answered(typed).hint == answered(typed.rpartition(".")[2]).hint


@pytest.mark.parametrize(
    ("spec", "way"),
    [
        ("cross_entropy:weight=3", "weight"),
        ("categorical_crossentropy:from_logits=true", "from_logits=True"),
        ("mse:reduction=sum", "reduction"),
        ("nll:ignore_index=-100", "ignore_label"),
    ],
)
def test_a_parameter_that_is_no_parameter_here_is_named_for_the_option_that_it_is(spec, way):
    with pytest.raises(UsageError, match="has no parameter") as told:
        get_loss(spec)
    assert way in told.value.hint


@pytest.mark.parametrize(
    ("loss", "way", "value"),
    [("zero_one", "hamming_loss", 0.5), ("brier", "binary_brier", 0.3125), ("log_loss", "bce", None)],
)
def test_a_loss_of_classes_over_labels_that_are_each_0_or_1_has_one_of_each_column(loss, way, value):
    table = {"y": [[1, 1, 0], [0, 0, 0]] * 4, "p": [[0.25, 0.25, 0.25], [0.75, 0.25, 0.25]] * 4}
    with pytest.raises(DataError) as told:
        evaluate(table, loss, label="y", prediction="p")
    assert f"loss={way!r}" in told.value.hint
    measured = evaluate(table, way, label="y", prediction="p").value
    assert value is None or measured == value
