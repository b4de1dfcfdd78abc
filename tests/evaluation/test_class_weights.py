"""Weights of classes: the weight of a row times that of the class of its label, and nothing else."""

import json

import numpy as np
import pyarrow as pa
import pytest

import lossctl as library
from lossctl import UsageError, compare, evaluate

RNG = np.random.default_rng(3)
N = 40
CODES = RNG.integers(0, 3, N)
ROWS = RNG.dirichlet(np.ones(3), N)
NAMES = np.array(["cat", "dog", "eel"])[CODES]
BITS, CHANCE, SCORE = RNG.integers(0, 2, N) * 1.0, RNG.uniform(0.1, 0.9, N), RNG.normal(size=N)
SOFT = RNG.dirichlet(np.ones(3), N)
W = RNG.uniform(0.5, 2.0, N)
WEIGHTS = np.array([2.0, 0.5, 1.0])
COLUMNS = {"p_cat": ROWS[:, 0], "p_dog": ROWS[:, 1], "p_eel": ROWS[:, 2]}
NAMED = {"y": NAMES.tolist(), **COLUMNS}
OF_NAMES = {"label": "y", "prediction": "p_*"}
ALONE = {"label": "y", "prediction": "p"}
CASES = {
    "names": (NAMED, "cross_entropy", OF_NAMES, {"cat": 2, "dog": 0.5}, WEIGHTS[CODES]),
    "names in text": (NAMED, "cross_entropy", OF_NAMES, "cat=2,dog=0.5", WEIGHTS[CODES]),
    "order": (NAMED, "cross_entropy", OF_NAMES, [2, 0.5, 1], WEIGHTS[CODES]),
    "codes": ({"y": CODES, "p": ROWS}, "cross_entropy", ALONE, {0: 2.0, 1: 0.5}, WEIGHTS[CODES]),
    "order in text": ({"y": CODES, "p": ROWS}, "nll", ALONE, "2,0.5,1", WEIGHTS[CODES]),
    "one-hot": ({"y": np.eye(3)[CODES], "p": ROWS}, "cross_entropy", ALONE, [2, 0.5, 1], WEIGHTS[CODES]),
    "soft": ({"y": SOFT, "p": ROWS}, "cross_entropy", ALONE, [2, 0.5, 1], SOFT @ WEIGHTS),
    "bits": ({"y": BITS, "p": CHANCE}, "bce", ALONE, {"1": 3.0}, np.where(BITS == 1, 3.0, 1.0)),
    "soft bits": ({"y": CHANCE, "p": CHANCE[::-1]}, "bce", ALONE, [0.5, 3.0], (1 - CHANCE) * 0.5 + CHANCE * 3.0),
    "signs": ({"y": 2 * BITS - 1, "p": SCORE}, "hinge", ALONE, {-1: 3.0}, np.where(BITS == 0, 3.0, 1.0)),
    "class of no weight": ({"y": BITS, "p": CHANCE}, "mse", ALONE, {"0": 0}, BITS),
}


def number(result):
    return {name: value for name, value in result.to_dict().items() if isinstance(value, float | int)}


@pytest.mark.parametrize("rows", ["plain", "weighted", "figures", "groups"])
@pytest.mark.parametrize("case", CASES)
def test_they_are_the_weights_of_rows(case, rows):
    table, loss, names, given, own = CASES[case]
    more = {"by": "g"} if rows == "groups" else {"gradient": True, "skill": True} if rows == "figures" else {}
    before = W if rows == "weighted" else np.ones(N)
    table = {**table, "w": before, "v": before * own, "g": np.arange(N) % 2}
    given_weights = evaluate(table, loss, **names, class_weight=given, weight="w", **more)
    as_column = evaluate(table, loss, **names, weight="v", **more)
    for mine, theirs in zip(given_weights.results, as_column.results, strict=True):
        assert number(mine) == pytest.approx(number(theirs), rel=1e-13, nan_ok=True)
    if rows == "plain":
        assert evaluate(table, loss, **names, class_weight=given).value == given_weights.value


def test_models_are_compared_with_them():
    table = {"y": BITS, "p": CHANCE, "q": 0.5 * CHANCE + 0.2, "w": np.where(BITS == 1, 3.0, 1.0)}
    asked = {"label": "y", "prediction": ["p", "q"]}
    mine = compare(table, "bce", **asked, class_weight="1=3").results[0]
    theirs = compare(table, "bce", **asked, weight="w").results[0]
    assert (mine.difference, mine.standard_error) == (theirs.difference, theirs.standard_error)


@pytest.mark.parametrize(
    ("case", "given", "words"),
    [
        ("names", {"cow": 2}, "there is no class 'cow'"),
        ("names", "1,2", "2 weights, and there are 3 classes"),
        ("names", "1", "1 weight, and there are 3 classes"),
        ("names", "cat=2,3", "is of no class"),
        ("names", "cat=2,CAT=3", "two weights"),
        ("names", "cat=-1", "no weight"),
        ("names", "cat=inf", "no weight"),
        ("bits", "balanced", r"not known before all labels .*\n.* 1 / \(2 p\), .*0=W,1=W"),
        ("names", "auto", r"not known before all labels .*\n.* 1 / \(3 p\), .*cat=W,dog=W,eel=W"),
        ("bits", "1=balanced", "no weight"),
        ("bits", {"2": 1.0}, "there is no class '2'"),
    ],
)
def test_what_is_no_weight_of_a_class_is_refused(case, given, words):
    table, loss, names, *_ = CASES[case]
    with pytest.raises(UsageError, match=words):
        evaluate(table, loss, **names, class_weight=given)


@pytest.mark.parametrize("case", ["names", "codes", "bits"])
@pytest.mark.parametrize("spell", [str, json.dumps, lambda given: str(given)[1:-1]])
def test_weights_as_other_tools_spell_them_are_answered_with_the_option(case, spell):
    table, loss, names, given, _ = CASES[case]
    with pytest.raises(UsageError, match="how others say") as told:
        evaluate(table, loss, **names, class_weight=spell(given))
    said = told.value.hint.partition("class_weight='")[2].partition("'")[0]
    assert (
        evaluate(table, loss, **names, class_weight=said).value
        == evaluate(table, loss, **names, class_weight=given).value
    )


def test_labels_without_a_class_are_refused():
    with pytest.raises(UsageError, match="of no one class"):
        evaluate({"y": np.eye(3)[CODES], "p": ROWS}, "bce", **ALONE, class_weight="2,1,1")
    with pytest.raises(library.DataError, match=r"row 2.*0 or 1"):
        evaluate({"y": [0.0, 7.0], "p": [0.5, 0.5]}, "mse", **ALONE, class_weight="1=2")


@pytest.mark.parametrize("option", [{"class_weight": "1=2"}, {"ignore_label": -100}])
def test_without_labels_there_is_nothing_to_weigh_or_ignore(option):
    with pytest.raises(UsageError, match="there are no labels"):
        evaluate({"p": [0.5, 0.25]}, "surprisal", prediction="p", **option)


@pytest.mark.parametrize(("loss", "label"), [("cosine_proximity", [[2, 1, -1]]), ("bpmll", [[1, 0, 1]])])
def test_rows_that_are_of_no_class_are_refused(loss, label):
    with pytest.raises(library.DataError, match="where classes have weights"):
        evaluate({"y": np.array(label), "p": np.array([[1.0, 2.0, 3.0]])}, loss, **ALONE, class_weight=[1, 2, 3])


def test_rows_to_be_ignored_and_nulls_are_what_they_were():
    labels = pa.array([0, 1, -100, None, 1])
    table = pa.table({"y": labels, "p": [0.5, 0.25, None, 0.5, 0.75]})
    report = evaluate(table, "bce", **ALONE, class_weight="1=2", ignore_label=-100, nulls="drop")
    result = report.results[0]
    assert (result.n, result.n_null, result.n_ignored, result.sum_weight) == (3, 1, 1, 5.0)


def test_a_class_of_no_weight_is_left_out_whatever_is_in_its_rows():
    report = evaluate({"y": [0.0, 1.0, 1.0], "p": [7.0, 0.5, 0.5]}, "bce", **ALONE, class_weight="0=0")
    assert (report.results[0].n, report.results[0].n_zero_weight) == (2, 1)


def test_the_command_line_says_them(lossctl, tmp_path):
    (tmp_path / "rows.csv").write_text("y,p\n1,0.5\n0,0.25\n")
    asked = ["eval", tmp_path / "rows.csv", "-y", "y", "-p", "p", "-l", "bce", "--class-weight", "1=3"]
    done = lossctl(*asked)
    assert "class weights 0 1, 1 3" in done.out
    assert "Σw" in done.out
    assert lossctl(*asked, "--json").json["inputs"]["class_weight"] == {"0": 1.0, "1": 3.0}


def test_a_baseline_was_made_with_the_same(lossctl, tmp_path):
    (tmp_path / "rows.csv").write_text("id,y,p\n1,1,0.5\n2,0,0.25\n3,1,0.75\n")
    asked = [tmp_path / "rows.csv", "-y", "y", "-p", "p", "-l", "bce", "--id", "id"]
    kept = tmp_path / "kept.json"
    assert lossctl("baseline", "save", *asked, "--class-weight", "1=3", "-o", kept).status == 0
    assert json.loads(kept.read_text())["inputs"]["class_weight"] == {"0": 1.0, "1": 3.0}
    gate = {"name": "g", "loss": "bce", "max_increase": 0.1, "baseline": str(kept)}
    named = {"source": str(tmp_path / "rows.csv"), "label": "y", "prediction": "p", "ids": "id"}
    same = library.check_gates([{**gate, "class_weight": "1=3"}], **named)
    other = library.check_gates([gate], **named)
    assert same.exit_code == 0
    assert other.exit_code == 3
