"""The public names from Python: what they take, what they refuse."""

import inspect

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import lossctl
from lossctl.document import SCHEMA_VERSION
from lossctl.errors import DataError, UsageError

pytestmark = pytest.mark.lowest

TABLE = {"y": [0.0, 1.0, 1.0, 0.0], "p": [0.25, 0.5, 0.75, 0.5]}


def evaluate(loss="mse", **options):
    return lossctl.evaluate(TABLE, loss, **{"label": "y", "prediction": "p", **options})


@pytest.mark.parametrize("source", [TABLE, pd.DataFrame(TABLE), pa.table(TABLE)], ids=["mapping", "pandas", "arrow"])
def test_tables_in_memory_are_sources(source):
    assert lossctl.evaluate(source, "mse", label="y", prediction="p").value == 0.15625


def test_a_bound_loss_is_a_loss():
    bound = lossctl.get_loss("huber:delta=0.1")
    assert evaluate(bound).results[0].loss == "huber:delta=0.1"
    assert evaluate([bound, "mse"])["huber"].parameters == {"delta": 0.1}


def test_results_are_found_by_loss():
    report = evaluate(["huber:delta=0.1", "huber:delta=0.2", "mse"])
    assert report["mse"].value == 0.15625
    assert report["huber:delta=0.2"].parameters["delta"] == 0.2
    with pytest.raises(UsageError, match="2 results"):
        report["huber"]
    with pytest.raises(UsageError, match="mae"):
        report["mae"]
    with pytest.raises(UsageError, match="3 results"):
        _ = report.value
    grouped = lossctl.evaluate({**TABLE, "g": list("aabb")}, "mse", label="y", prediction="p", by="g")
    with pytest.raises(UsageError, match="2 results"):
        grouped["mse"]


def test_a_frame_is_tidy():
    frame = lossctl.evaluate({**TABLE, "g": list("aabb")}, ["mse", "mae"], label="y", prediction="p", by="g").to_frame()
    assert frame[["loss", "g", "n"]].to_numpy().tolist() == [
        ["mse", "a", 2], ["mse", "b", 2], ["mae", "a", 2], ["mae", "b", 2],
    ]  # fmt: skip
    assert frame["value"].dtype == np.float64


def test_an_activation_is_applied_by_the_chain_rule_where_there_is_no_exact_form():
    table = {"y": np.array([0.0, 1.0]), "z": np.array([-1.0, 3.0])}
    result = lossctl.evaluate(table, "mse", label="y", prediction="z", activation="sigmoid", gradient=True).results[0]
    p = 1 / (1 + np.exp(-table["z"]))
    assert result.value == pytest.approx(np.mean((p - table["y"]) ** 2), rel=1e-15)
    slope = 2 * (p - table["y"]) * p * (1 - p) / 2
    assert result.gradient.grad_l1 == pytest.approx(np.abs(slope).sum(), rel=1e-14)
    assert result.gradient.wrt == "pre-activation of sigmoid"


@pytest.mark.parametrize("name", ["leaky_relu:slope=0.2", "sigmoid"])
def test_an_activation_is_given_by_name_or_bound(name):
    bound, table = lossctl.get_activation(name), {"y": [0.0, 1.0], "p": [-1.0, 3.0]}
    spelled, given = (lossctl.evaluate(table, "mse", label="y", prediction="p", activation=it) for it in (name, bound))
    assert given.to_dict() == spelled.to_dict()
    assert lossctl.explain(bound).to_dict() == lossctl.explain(name).to_dict()


def test_a_result_of_every_kind_says_the_version_of_its_schema():
    table = {"label": [0.0, 1.0], "prediction": [0.25, 0.75]}
    for plain in (lossctl.evaluate(table, "mse").to_dict(), lossctl.diagnose(table).to_dict()):
        assert plain["schema_version"] == SCHEMA_VERSION


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"activation": 3}, "3 is no activation"),
        ({"from_logits": True, "loss": "mse"}, "no natural activation"),
        ({"from_logits": True, "activation": "sigmoid", "loss": "bce"}, "twice"),
        ({"activation": "sigmod"}, "sigmoid"),
        ({"eps": 0.1}, "logarithm"),
        ({"samples": -1}, "samples"),
        ({"nulls": "ignore"}, "error or drop"),
        ({"engine": "thread"}, "threads"),
        ({"threads": 0}, "1 or more"),
        ({"reduction": "median"}, "mean, sum, root-mean"),
        ({"classes": ["a", "b", "c"], "loss": "bce"}, "3 classes"),
        ({"classes": ["a", "a"], "loss": "bce"}, "twice"),
        ({"weight": "*"}, "matches 2 columns"),
        ({"label": "/(/"}, "regular expression"),
        ({"prediction": ["p", "p"]}, "two models"),
        ({"prediction": "p,p"}, "twice"),
        ({"prediction": "#9"}, "#1 to #2"),
        ({"loss": [" "]}, "no loss"),
        ({"loss": "cross_entropy:label_smoothing=0.1,eps=x"}, "x"),
        ({"loss": "kl"}, "two or more columns"),
    ],
    ids=lambda it: str(it)[:40],
)
def test_a_wrong_question_is_a_usage_error(options, words):
    with pytest.raises(UsageError) as wrong:
        evaluate(**options)
    assert words in str(wrong.value)
    assert wrong.value.status == 2


@pytest.mark.parametrize(
    "source",
    [3, [], {"y": [1.0], "p": [1.0, 2.0]}, {"y": np.zeros((1, 2, 3)), "p": np.zeros(1)}, {"y": [object()], "p": [1.0]}],
    ids=["number", "no paths", "lengths", "3-D", "objects"],
)
def test_what_is_no_table_is_a_usage_error(source):
    with pytest.raises(UsageError):
        lossctl.evaluate(source, "mse", label="y", prediction="p")


def test_shapes_that_do_not_fit_are_usage_errors():
    mse, entropy = lossctl.get_loss("mse"), lossctl.get_loss("cross_entropy")
    for label, prediction in (([1.0], [1.0, 2.0]), ([1.0, 2.0], [[1.0], [2.0]]), (np.zeros((1, 1, 1)),) * 2):
        with pytest.raises(UsageError):
            mse.value(label, prediction)
    for label, prediction in (([1], [0.5]), ([[0.5, 0.5]], [[0.2, 0.3, 0.5]])):
        with pytest.raises(UsageError):
            entropy.value(label, prediction)
    with pytest.raises(DataError, match="both 0 and -1"):
        lossctl.get_loss("hinge").value([0.0, -1.0], [1.0, 1.0])


def test_list_columns_that_say_nothing_are_refused():
    y = np.zeros(2)
    empty = pa.array([[], [1.0]], pa.list_(pa.float64()))
    null = pa.array([None, None], pa.list_(pa.float64()))
    for column, words in ((empty, "empty"), (null, "all null")):
        with pytest.raises(DataError, match=words):
            lossctl.evaluate({"y": y, "p": column}, "cross_entropy", label="y", prediction="p")


def test_models_of_different_classes_are_refused_and_those_in_another_order_are_not():
    table = {"y": ["a", "b"], "p_a": [0.5, 0.5], "p_b": [0.5, 0.5], "q_b": [0.25, 0.25], "q_a": [0.75, 0.75]}
    report = lossctl.evaluate(table, "cross_entropy", label="y", prediction=["p_*", "q_b,q_a"])
    assert report.results[1].value == pytest.approx(-(np.log(0.75) + np.log(0.25)) / 2)
    other = {**table, "r_c": [0.5, 0.5], "r_d": [0.5, 0.5]}
    with pytest.raises(UsageError, match="different classes"):
        lossctl.evaluate(other, "cross_entropy", label="y", prediction=["p_*", "r_*"])


def test_progress_is_told_in_bytes(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("y,p\n1,2\n")
    told = []
    lossctl.evaluate(path, "mse", progress=told.append)
    assert sum(told) <= path.stat().st_size
    assert sum(told) > 0


def test_the_public_names_are_sorted_and_all_there_are():
    assert list(lossctl.__all__) == sorted(lossctl.__all__) == dir(lossctl)
    assert set(lossctl.__all__) - {"__version__"} == {name for name in dir(lossctl) if not name.startswith("_")}
    for name in lossctl.__all__:
        assert getattr(lossctl, name) is not None
    with pytest.raises(AttributeError, match="nosuch"):
        _ = lossctl.nosuch


def test_a_diagnosis_takes_a_name_as_evaluate_does():
    table = {"label": [0, 1] * 10, "chance": [0.25, 0.75] * 10}
    one = lossctl.diagnose(table, "bce", label="label", prediction="chance")
    assert one == lossctl.diagnose(table, ["bce"], label=["label"], prediction=["chance"])
    assert [role.columns for role in one.roles] == [("label",), ("chance",)]


def test_the_commands_of_a_diagnosis_name_its_files(tmp_path):
    path = tmp_path / "two words.csv"
    path.write_text("y,p\n" + "0,0.25\n1,0.75\n" * 10)
    (command,) = lossctl.diagnose(path).commands
    assert command == f"lossctl eval '{path}' -y y -p p -l bce"


def test_a_running_stands_alone():
    running = lossctl.Running("serial", threads=1)
    assert evaluate(engine=running).value == evaluate(engine="serial", threads=1).value
    with pytest.raises(UsageError, match="Running"):
        evaluate(engine=running, threads=2)


def test_a_kind_that_does_not_exist_is_refused():
    with pytest.raises(UsageError, match="kind"):
        lossctl.explain("huber", kind="nope")


def test_importing_a_room_hides_no_public_name():
    from lossctl.evaluation import evaluate as module
    from lossctl.functions import loss as another

    assert lossctl.evaluate is module.evaluate
    assert lossctl.loss is another.loss


def test_every_type_that_a_public_name_takes_or_gives_is_public():
    """What a user may hold, he can name."""
    given = {"numpy", "builtins", "collections.abc", "typing"}
    for name in ("evaluate", "diagnose", "explain", "get_loss", "get_activation"):
        made = inspect.get_annotations(getattr(lossctl, name), eval_str=True)["return"]
        assert made.__module__.partition(".")[0] in given or made.__name__ in lossctl.__all__, name
