"""Gates on data: measured in few passes, decided together, and never passed by what was not measured."""

import math
import os

import numpy as np
import pytest

import lossctl
from lossctl.comparison import runs
from lossctl.rendering.renderer import Style, renderers

RANDOM = np.random.default_rng(14)
ROWS = 400
TRUTH = RANDOM.integers(0, 2, ROWS).astype(float)
OLD = np.clip(0.5 + 0.3 * (TRUTH - 0.5) + RANDOM.normal(0.0, 0.1, ROWS), 0.01, 0.99)
NEW = np.clip(OLD + 0.1 * (TRUTH - 0.5), 0.01, 0.99)
DATA = {
    "y": TRUTH,
    "p_old": OLD,
    "p": NEW,
    "segment": np.array(["mobile", "desktop"] * (ROWS // 2)),
    "user": RANDOM.integers(0, 50, ROWS),
}
USUAL = {"label": "y", "prediction": ["p_old", "p"]}
BRIER_OLD, BRIER_NEW = np.mean((TRUTH - OLD) ** 2), np.mean((TRUTH - NEW) ** 2)


def checked(*gates, source=DATA, **options):
    return lossctl.check_gates(gates, source, **{**USUAL, **options})


def measured(verdict):
    return verdict.measured and (
        verdict.measured.value,
        verdict.measured.baseline,
        verdict.measured.limit,
        verdict.measured.estimate.standard_error,
    )


def test_what_a_gate_is_held_against_is_the_arithmetic_of_its_rows():
    differences = (TRUTH - NEW) ** 2 - (TRUTH - OLD) ** 2
    error = np.std(differences, ddof=1) / math.sqrt(ROWS)
    verdicts = checked(
        {"name": "ceiling", "loss": "mse", "model": "p", "max": 0.5},
        {"name": "no-worse", "loss": "mse", "max_increase": 0},
        {"name": "rows", "min_n": ROWS, "model": "p"},
        {"name": "skill", "loss": "mse", "model": "p", "min_skill": 0.1},
    )
    ceiling, no_worse, _, skill = [verdict.measured for verdict in verdicts.verdicts]
    assert math.isclose(ceiling.value, BRIER_NEW, rel_tol=1e-12)
    assert math.isclose(no_worse.baseline, BRIER_OLD, rel_tol=1e-12)
    assert math.isclose(no_worse.estimate.value, BRIER_NEW - BRIER_OLD, rel_tol=1e-12)
    assert math.isclose(no_worse.estimate.standard_error, error, rel_tol=1e-9)
    assert math.isclose(skill.constant, TRUTH.var(), rel_tol=1e-9)
    assert [verdict.state for verdict in verdicts.verdicts] == ["pass"] * 4
    assert verdicts.exit_code == 0


@pytest.mark.parametrize(
    ("gate", "state"),
    [
        ({"max_increase": "1%", "baseline": "p_old"}, "pass"),
        ({"max_increase": "1%", "baseline": "p"}, "fail"),
        ({"max_increase": "1%", "baseline": "p", "model": "p_old"}, "fail"),
        ({"max_increase": "1%"}, "pass"),
        ({"max_increase": "-50%"}, "fail"),
        ({"max_increase": "1%", "cluster": "user", "by": "segment", "only": {"segment": "mobile"}}, "pass"),
        ({"max": BRIER_NEW, "model": "p", "pass_if": "proven"}, "inconclusive"),
        ({"max": BRIER_NEW * (1 - 1e-9), "model": "p"}, "pass"),
        ({"max": BRIER_NEW * (1 - 1e-9), "model": "p", "fail_if": "point"}, "fail"),
        ({"min_n": ROWS + 1}, "fail"),
    ],
    ids=str,
)
def test_a_gate_is_decided_by_what_it_claims(gate, state):
    verdicts = checked({"name": "it", "loss": "mse", **gate})
    assert {verdict.state for verdict in verdicts.verdicts} == {state}


@pytest.mark.parametrize(
    ("prediction", "baseline", "against"),
    [
        (["p_old", "p"], None, BRIER_OLD),
        (["p", "p_old"], None, BRIER_NEW),
        (["p", "p_old"], "p_old", BRIER_OLD),
        (["#2", "#3"], None, BRIER_OLD),
        (["new=p", "old=p_old"], "old", BRIER_OLD),
        (["new=p", "old=p_old"], "p_old", BRIER_OLD),
        (["p"], "p_old", BRIER_OLD),
        (["new=p"], "p_old", BRIER_OLD),
        ([], "p_old", BRIER_OLD),
    ],
    ids=str,
)
def test_the_baseline_is_the_model_that_is_named_or_else_the_first(prediction, baseline, against):
    named = {} if baseline is None else {"baseline": baseline}
    gate = {"name": "it", "loss": "mse", "max_increase": 9, **named}
    rows = {name: DATA[name] for name in ("y", "p_old", "p")}
    (verdict,) = lossctl.check_gates(gate, rows, label="y", prediction=prediction).verdicts
    assert math.isclose(verdict.measured.baseline, against, rel_tol=1e-12)
    assert math.isclose(verdict.measured.value, BRIER_OLD + BRIER_NEW - against, rel_tol=1e-12)


CLAIMS = [{"max": 9.0}, {"max_increase": 9.0}, {"max_increase": "900%"}, {"min_skill": -9.0}, {"min_n": 1}]
NOTHING = {
    "no row": {"where": "y > 7"},
    "no such file": {"file": "nowhere.csv"},
    "no such column": {"label": "truth"},
    "no such prediction": {"pred": ["p_old", "q"]},
    "no such weight": {"weight": "w"},
    "no such group": {"by": "segment", "only": {"segment": "tablet"}},
    "no such column to group by": {"by": "country"},
    "no such cluster": {"cluster": "session"},
    "no such model": {"model": "q"},
    "a label that is none": {"label": "segment"},
    "labels of no file": {"labels": "nowhere.csv", "id": "user"},
}
NO_BASELINE = {
    "no such column as baseline": {"baseline": "p_older"},
    "no such file as baseline": {"baseline": "nowhere.parquet"},
    "no such baseline": {"baseline": "nowhere.json"},
    "the baseline is the model": {"model": "p_old"},
    "there is no other model": {"pred": "p_old"},
}


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_what_was_not_measured_is_an_error_and_others_are_judged(claim):
    lacks = {**NOTHING, **(NO_BASELINE if "max_increase" in claim else {})}
    gates = [{"name": lack, "loss": "mse", **claim, **settings} for lack, settings in lacks.items()]
    verdicts = checked({"name": "fine", "loss": "mse", "max": 9.0, "model": "p"}, *gates)
    states = {verdict.gate.name: verdict.state for verdict in verdicts.verdicts}
    assert states == {"fine": "pass", **dict.fromkeys(lacks, "error")}
    assert all(verdict.reason for verdict in verdicts.verdicts if verdict.state == "error")
    assert (verdicts.exit_code, verdicts.verdict) == (3, "error")


def test_a_number_that_is_none_is_an_error():
    rows = {"y": [1.0, 2.0], "p": [1.0, float("nan")]}
    (verdict,) = lossctl.check_gates(
        [{"name": "it", "loss": "mse", "max": 9.0}], rows, label="y", prediction="p"
    ).verdicts
    assert verdict.state == "error"


@pytest.fixture
def passes(monkeypatch):
    """The plans of the passes that are made."""
    plans = []

    def counting(source, plan, running, measure=runs.measured):
        plans.append(plan)
        return measure(source, plan, running)

    monkeypatch.setattr(runs, "measured", counting)
    return plans


TOGETHER = [
    {"name": "a", "loss": "mse", "max": 0.5},
    {"name": "b", "loss": "focal:gamma=3", "max": 0.5, "by": "segment"},
    {"name": "c", "loss": "bce", "max_increase": "1%"},
    {"name": "d", "loss": "bce", "max_increase": 0.01, "baseline": "p_old", "by": ["segment"]},
    {"name": "e", "min_n": 9},
    {"name": "f", "loss": "mse", "min_skill": 0.1, "by": "segment", "only": {"segment": "mobile"}},
]
APART = [
    {"name": "g", "loss": "mse", "max": 0.5, "where": "y == 1"},
    {"name": "h", "loss": "mse", "max": 0.5, "cluster": "user"},
    {"name": "i", "loss": "mse", "max_increase": 0.5, "baseline": "p"},
    {"name": "j", "loss": "mse", "max": 0.5, "by": "user", "limit": 300},
]


def test_gates_about_the_same_data_take_one_pass(passes):
    checked(*TOGETHER)
    assert len(passes) == 1
    checked(*TOGETHER, *APART)
    assert len(passes) == 1 + 1 + len(APART)
    checked(APART[2], {"name": "k", "loss": "bce", "max": 0.5})
    assert len(passes) == 1 + 1 + len(APART) + 1, "which model is first is nothing to one that is held against none"


def test_no_gate_is_measured_otherwise_with_others_than_by_itself():
    gates = [*TOGETHER, *APART, {"name": "k", "loss": "bce", "max": 0.5, "by": "user"}]
    for options in ({}, {"eps": 0.3}, {"clip_rounding": True}):
        together = checked(*gates, **options).verdicts
        alone = [verdict for gate in gates for verdict in checked(gate, **options).verdicts]
        assert [*map(measured, together)] == [*map(measured, alone)]


def test_gates_are_adjusted_for_the_number_of_all(passes):
    verdicts = checked(*TOGETHER[:3], *APART[:2], {**APART[0], "name": "k", "file": DATA}).verdicts
    proven = [verdict for verdict in verdicts if not math.isnan(verdict.p)]
    assert len(passes) == 3
    least = min(proven, key=lambda verdict: verdict.p)
    assert math.isclose(least.confidence, 1.0 - 0.05 / len(proven), rel_tol=1e-12)


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ({"max": 1.0}, "a gate needs a name"),
        ({"name": "x"}, "gate 'x' claims nothing"),
        ({"name": "x", "max": 1.0, "min_n": 1}, "gate 'x' claims max and min_n at once"),
        ({"name": "x", "max": 1.0, "lable": "y"}, "Did you mean label"),
        ({"name": "x", "max": "much"}, "max must be a number"),
        ({"name": "x", "max": True}, "max must be a number"),
        ({"name": "x", "max": math.nan}, "nan can neither hold nor fail"),
        ({"name": "x", "max": math.inf}, "would hold always or never"),
        ({"name": "x", "max_increase": "5 percent"}, "is neither a number nor a percentage"),
        ({"name": "x", "min_n": 0}, "is no number of rows"),
        ({"name": "x", "min_skill": 1.5}, "no skill is above 1"),
        ({"name": "x", "max": 1.0, "baseline": "p"}, "baseline is for max_increase"),
        ({"name": "x", "max": 1.0, "loss": "hubber"}, "unknown loss 'hubber'"),
        ({"name": "x", "max": 1.0, "loss": "mse,mae"}, "about one loss"),
        ({"name": "x", "max": 1.0, "fail_if": "maybe"}, "fail_if must be proven or point"),
        ({"name": "x", "max": 1.0, "confidence": 95}, "is not between 0 and 1"),
        ({"name": "x", "max": 1.0, "by": "segment", "only": {"country": "de"}}, "is no column that it is by"),
        ({"name": "x", "max": 1.0, "activation": "tahn"}, "unknown activation"),
        ({"name": "x", "max": 1.0, "loss": "huber", "eps": 0.1}, "huber has no eps"),
    ],
    ids=str,
)
def test_a_gate_that_cannot_be_understood_is_refused_by_name(gate, words):
    with pytest.raises(lossctl.UsageError) as refused:
        checked(gate)
    assert words in str(refused.value)


def test_gates_need_names_of_their_own_and_data():
    gate = {"name": "x", "loss": "mse", "max": 1.0}
    for gates, source, words in (
        ([], DATA, "there is no gate"),
        ([gate, gate], DATA, "two gates are called 'x'"),
        ([gate], None, "names no file"),
    ):
        with pytest.raises(lossctl.UsageError) as refused:
            lossctl.check_gates(gates, source, **USUAL)
        assert words in str(refused.value)


def test_a_gate_may_be_given_as_itself():
    gate = lossctl.Gate("x", "max", 0.5, loss="mse", model="p")
    (verdict,) = checked(gate).verdicts
    assert (verdict.state, verdict.gate.name) == ("pass", "x")


def test_what_can_be_read_only_once_is_read_once_or_refused(tmp_path):
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    gates = [{"name": name, "loss": "mse", "max": 1.0, "where": f"y == {name}"} for name in ("0", "1")]
    with pytest.raises(lossctl.UsageError, match="can be read only once, and gates '0' and '1' need a pass each"):
        lossctl.check_gates(gates, pipe, **USUAL)


@pytest.mark.parametrize("claim", [{"max_increase": 0.0}, {"max_increase": "2%", "by": "segment"}], ids=str)
def test_a_baseline_in_a_file_of_its_own_is_that_of_the_same_rows(claim):
    """Rows are matched by key, whatever their order; the model keeps its name."""
    order = RANDOM.permutation(ROWS)
    old = {"id": order, "y": TRUTH[order], "p": OLD[order]}
    new = {"id": np.arange(ROWS), "y": TRUTH, "p": NEW, "segment": DATA["segment"], "user": DATA["user"]}
    gate = {"name": "it", "loss": "mse", "cluster": "user", **claim}
    usual = {"label": "y", "ids": "id"}
    beside = lossctl.check_gates([{**gate, "baseline": old}], new, **usual, prediction="p").verdicts
    together = checked(gate).verdicts
    assert len(beside) == len(together) > 0
    for one, other in zip(beside, together, strict=True):
        assert (one.measured.model, one.measured.group, one.state) == ("p", other.measured.group, other.state)
        assert np.allclose(measured(one), measured(other), rtol=1e-12, atol=0.0)
    several = {**usual, "prediction": ["p", "q=p"]}
    assert lossctl.check_gates([{**gate, "model": "q", "baseline": old}], new, **several).verdict == "pass"
    assert lossctl.check_gates([{**gate, "baseline": old}], new, **several).verdict == "error"


@pytest.mark.parametrize("gates", [1, 2, 5])
def test_what_is_wrong_with_the_data_is_said_once_with_the_gates_that_it_concerns(gates):
    names = [f"gate{number}" for number in range(gates)]
    asked = [{"name": name, "loss": "mae", "max": 1.0} for name in names]
    verdicts = lossctl.check_gates(asked, {"label": [0.0, 1.0], "prediction": [0.5, float("nan")]})
    text = renderers.get("plain").render(verdicts.document(), Style())
    (line,) = (line for line in text.splitlines() if "ERROR" in line)
    assert line.startswith(f"ERROR {', '.join(names)}: ")
    assert [one.state for one in verdicts.verdicts] == ["error"] * gates
    assert len(verdicts.lines) == gates


def test_a_bound_that_is_further_off_because_there_are_several_gates_says_so():
    data = {"label": [0.0] * 50, "prediction": [1.0, 2.0] * 25}
    gates = [{"name": name, "loss": "mae", "max": 1.9} for name in "ab"]
    assert "several gates" not in lossctl.check_gates(gates[:1], data).lines[0]
    first, second = lossctl.check_gates(gates, data).lines
    assert "(at 97.5 %, as one of several gates)" in first + second
    assert ("several gates" in first) != ("several gates" in second)  # Holm's last has its own confidence
