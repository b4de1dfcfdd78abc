"""The numbers of other libraries: what is said of them names what there is, and they agree where they are installed."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from lossctl import UsageError, compare, evaluate, get_loss
from lossctl.cli.completers import complete_losses
from lossctl.functions.compat import PEERS, USAGES, agreement, agreements, peer_of
from lossctl.functions.explanation import explain
from lossctl.functions.loss import losses

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "agree.py"
ENTRIES = [(peer, name) for peer, usages in USAGES.items() for name in usages]
RNG = np.random.default_rng(15)
Y, P, W = RNG.normal(size=60), RNG.normal(size=60), RNG.uniform(0.2, 3.0, 60)
WIDE, GUESS = RNG.normal(size=(60, 3)), RNG.normal(size=(60, 3))


@pytest.fixture(scope="module")
def agree():
    spec = importlib.util.spec_from_file_location("agree", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["agree"] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["agree"]


def test_what_is_said_of_a_library_is_of_a_loss_that_both_have():
    assert USAGES.keys() == PEERS.keys()
    for peer, name in ENTRIES:
        loss = losses.get(name)
        assert loss.name == name
        assert PEERS[peer].title in loss.peers, f"{peer} {name}"
        assert {*USAGES[peer][name].parameters} <= {parameter.name for parameter in loss.parameters}, f"{peer} {name}"


def test_what_makes_a_library_agree_is_legal():
    for peer, name in ENTRIES:
        loss, usage = losses.get(name), USAGES[peer][name]
        loss.settings({**{p.name: p.default for p in loss.parameters}, **usage.parameters})
        assert "eps" not in usage.options or any(p.name == "eps" for p in loss.parameters), f"{peer} {name}"


@pytest.mark.parametrize("package", ["scikit-learn", "torch", "keras", "catboost", "lightgbm", "xgboost", "optax"])
def test_numbers_are_those_of_the_library(agree, package):
    try:
        outcomes = list(agree.outcomes(package))
    except (ImportError, OSError):  # LightGBM wants a library of the system
        pytest.skip(f"{package} is not installed")
    assert outcomes
    for outcome in outcomes:
        assert outcome.agrees, f"{outcome.case.calls}: {outcome.theirs!r}, {outcome.case.loss}: {outcome.ours!r}"


def test_a_library_goes_by_any_of_its_names():
    assert [peer_of(name) for name in ("Keras", "scikit-learn", "PyTorch", "LGBM")] == [
        "keras", "sklearn", "torch", "lightgbm",
    ]  # fmt: skip
    with pytest.raises(UsageError, match="no such library"):
        evaluate({"y": Y, "p": P}, "mse", label="y", prediction="p", compat="matlab")


def test_the_score_of_dl4j_divides_by_rows():
    table = {"y": [0.0, 0.0, 0.0], "p": [2.0, 3.0, 3.0]}
    assert evaluate(table, "l2", label="y", prediction="p").value == 22.0
    assert evaluate(table, "l2", label="y", prediction="p", compat="dl4j").value == 22.0 / 3.0


def test_what_is_said_goes_before_what_a_library_does():
    table = {"y": np.abs(Y), "p": P, "w": W}
    asked = {"label": "y", "prediction": "p", "weight": "w"}
    theirs = evaluate(table, "mape", **asked, compat="sklearn")
    assert theirs.value == evaluate(table, "mape:unit=ratio", **asked).value
    assert (
        evaluate(table, "mape:unit=percent", **asked, compat="sklearn").value == evaluate(table, "mape", **asked).value
    )
    plain = evaluate(table, "mse", **asked).value
    assert evaluate(table, "mse", **asked, compat="keras").value == pytest.approx(plain * W.sum() / 60, rel=1e-14)
    assert evaluate(table, "mse", **asked, compat="keras", weight_norm="sum").value == plain
    binary = {"y": (Y > 0) * 1.0, "p": np.where(Y > 1, 0.0, 0.5)}
    floored = evaluate(binary, "bce", label="y", prediction="p", compat="keras", eps=0.01)
    assert floored.results[0].parameters["eps"] == 0.01
    assert floored.settings["compat"]["set"]["bce:eps=0.01"] == {}


def test_what_was_set_stands_with_the_result(lossctl, tmp_path):
    (tmp_path / "rows.csv").write_text("y,p,w\n1,0.5,2\n0,0.25,1\n")
    done = lossctl("eval", tmp_path / "rows.csv", "-y", "y", "-p", "p", "-w", "w", "-l", "bce,mae", "--compat", "keras")
    assert "compat keras: bce:eps=1e-07: eps=1e-07, weight_norm=n" in done.out
    assert "compat keras: mae: weight_norm=n" in done.out
    assert "lossctl has no option for this" in done.err
    settings = lossctl(
        "eval", tmp_path / "rows.csv", "-y", "y", "-p", "p", "-l", "bce", "--compat", "keras", "--json"
    ).json["settings"]
    assert settings["compat"] == {"peer": "keras", "set": {"bce:eps=1e-07": {"eps": 1e-07}}}


@pytest.mark.parametrize("loss", ["mse", "huber:delta=0.5", "bce"])
def test_divided_by_rows_a_mean_is_that_of_weighted_losses(loss):
    label, prediction = (Y, P) if loss != "bce" else ((Y > 0) * 1.0, 1 / (1 + np.exp(-P)))
    table = {"y": label, "p": prediction, "w": W, "q": 0.9 * prediction}
    asked = {"label": "y", "prediction": "p", "weight": "w", "skill": True}
    result = evaluate(table, loss, **asked, weight_norm="n", gradient=True).results[0]
    plain = evaluate(table, loss, **asked).results[0]
    bound = get_loss(loss)
    rows, slopes = W * bound.value(label, prediction), W * np.abs(bound.gradient(label, prediction))
    assert result.value == pytest.approx(rows.mean(), rel=1e-13)
    assert result.standard_error == pytest.approx(rows.std(ddof=1) / np.sqrt(60), rel=1e-10)
    assert result.gradient.grad_l1 == pytest.approx(slopes.sum() / 60, rel=1e-12)
    assert result.skill == pytest.approx(plain.skill, rel=1e-9)
    both = compare(table, loss, label="y", prediction=["p", "q"], weight="w", weight_norm="n").results[0]
    moved = W * bound.value(label, 0.9 * prediction) - rows
    assert both.difference == pytest.approx(moved.mean(), rel=1e-10)
    assert both.standard_error == pytest.approx(moved.std(ddof=1) / np.sqrt(60), rel=1e-9)


def test_columns_are_added_up_where_that_is_said():
    table = {"y": WIDE, "p": GUESS}
    names = {"label": "y", "prediction": "p"}
    squares = np.square(GUESS - WIDE)
    assert evaluate(table, "mse", **names, columns="sum").value == pytest.approx(squares.sum(axis=1).mean(), rel=1e-14)
    assert evaluate(table, "rmse", **names, compat="catboost").value == pytest.approx(
        np.sqrt(squares.sum() / 60), rel=1e-14
    )
    assert evaluate(table, "l2", **names, columns="mean").value == pytest.approx(squares.mean(axis=1).sum(), rel=1e-14)
    best = evaluate(table, "mse", **names, columns="sum", weight_norm="sum", skill=True).results[0].best_constant
    assert best.constant_loss == pytest.approx(WIDE.var(axis=0).sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weight_norm": "n"}, "no weights"),
        ({"weight_norm": "n", "weight": "w", "reduction": "sum"}, "none of the losses is a mean"),
        ({"columns": "sum"}, "several columns"),
    ],
)
def test_a_convention_with_nothing_to_do_is_refused(options, words):
    with pytest.raises(UsageError, match=words):
        evaluate({"y": Y, "p": P, "w": W}, "mse", label="y", prediction="p", **options)


def test_explain_says_for_each_library_whether_its_number_is_the_same():
    for loss in losses:
        listed = explain(loss.name, "loss").to_dict()["agreements"]
        assert [one["library"] for one in listed] == [*loss.peers]
        for one in listed:
            assert (one["agrees"] is None) == (one["compat"] is None)
            assert one["compat"] is None or one["agrees"] or one["settings"] or one["rest"], (loss.name, one)


def test_a_library_that_agrees_sets_nothing_that_changes_a_plain_number():
    table = {"y": [1.0, 0.0, 1.0], "p": [0.75, 0.25, 0.5]}
    for loss in ("bce", "mse", "mae", "hinge", "huber"):
        plain = evaluate(table, loss, label="y", prediction="p").value
        for one in agreements(losses.get(loss)):
            if one.peer and one.by_default:
                assert evaluate(table, loss, label="y", prediction="p", compat=one.peer).value == plain, one
    assert agreement("torch", losses.get("msle")) is None
    assert complete_losses("hub")
