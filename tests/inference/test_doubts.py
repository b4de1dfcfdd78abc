"""What could be another measure is asked, never taken; each command line that is proposed runs, and is doctor's."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suspicious import softmax
from typed import arguments_of

import lossctl
from lossctl.errors import Undecided
from lossctl.inference.names import LABELS, PREDICTIONS


def _rows(rng, n, change, stem="p"):
    """Class codes, and rows of probabilities of three classes changed somehow."""
    rows = change(softmax(rng.normal(0, 2, (n, 3))))
    return {"y": rng.integers(0, 3, n).astype(float), **{f"{stem}_{place}": rows[:, place] for place in range(3)}}


def _bits(rng, n):
    return np.arange(n) % 2.0 if n > 1 else np.ones(1)


def _log_rates(n):
    """Numbers of both signs whose exponentials have the mean 1."""
    return np.log(np.where(np.arange(n) % 2 == 0, 0.5, 1.5)) if n > 1 else np.array([-1.0])


DOUBTFUL = {
    "scores from 0": lambda rng, n: {"y": _bits(rng, n), "score": 300 + 550 * rng.random(n)},
    "percentages": lambda rng, n: {"y": _bits(rng, n), "p": 40 + 60 * rng.random(n)},
    "small percentages": lambda rng, n: {"y": _bits(rng, n), "p": 2 + 20 * rng.random(n)},
    "logarithms": lambda rng, n: {"y": _bits(rng, n), "logprob": np.log(0.9 * rng.random(n) + 0.05)},
    "scores below 0": lambda rng, n: {"y": _bits(rng, n), "score": -5 * rng.random(n) - 0.1},
    "logits in the unit interval": lambda rng, n: {"y": _bits(rng, n), "logit": rng.random(n)},
    "margins from 0": lambda rng, n: {"y": 2 * _bits(rng, n) - 1, "score": 2 + rng.random(n)},
    "votes": lambda rng, n: _rows(rng, n, lambda rows: np.ceil(7 * rows) + 1),
    "negative logarithms": lambda rng, n: _rows(rng, n, lambda rows: 0.1 - np.log(rows), "logprob"),
    "rows of logits in the unit interval": lambda rng, n: _rows(rng, n, lambda rows: 0.9 * rows, "logit"),
    "logarithms of rates, or numbers": lambda rng, n: {
        "y": np.arange(n) % 3.0 if n > 1 else np.zeros(1),
        "p": _log_rates(n),
    },
    "a name of class 0": lambda rng, n: {"y": _bits(rng, n), "prob_0": rng.random(n)},
    "labels beside each other": lambda rng, n: {
        **{f"y_{name}": _bits(rng, n) for name in "ab"},
        **{f"p_{name}": 2 + rng.random(n) for name in "ab"},
    },
}
DOUBTFUL_FROM_10 = {
    "rows that miss 1": lambda rng, n: _rows(rng, n, lambda rows: np.round(rows, 1) * 0.9),
    "a third number": lambda rng, n: {"y": np.where(np.arange(n) == 4, -9.0, _bits(rng, n)), "p": rng.random(n)},
    "grades": lambda rng, n: {"query_id": np.arange(n) // 5, "y": np.arange(n) % 5.0, "score": rng.normal(0, 9, n)},
    "decisions": lambda rng, n: {"y": _bits(rng, n), "p": rng.integers(0, 2, n).astype(float)},
    "codes": lambda rng, n: (
        {"y": np.arange(n) % 3.0, "p": np.arange(n) // 9 * 9 % 3.0 + np.arange(n) % 3 * 0.0}
        | {"p": np.where(rng.random(n) < 0.9, np.arange(n) % 3.0, 0.0)}
    ),
    "two numbers": lambda rng, n: {"y": 1 + _bits(rng, n), "p": np.where(_bits(rng, n) == 1, 3.0, -2.0)},
    "decisions of several labels": lambda rng, n: {name: _bits(rng, n) for name in ("y_a", "y_b", "p_a", "p_b")},
}


def _ways(data, **asked):
    """What is proposed of data of which not everything can be told, each tried."""
    with pytest.raises(Undecided) as told:
        lossctl.evaluate(data, None, **asked)
    for way in told.value.ways:
        more = {"label": [], "prediction": []}
        for name, value in way:
            more[name] = [*more[name], value] if name in {"label", "prediction"} else value
        lossctl.evaluate(data, **{**asked, **{name: value for name, value in more.items() if value}})
    return told.value.ways


@pytest.mark.parametrize("n", [1, 40])
@pytest.mark.parametrize("kind", [*DOUBTFUL, *DOUBTFUL_FROM_10])
def test_what_may_be_another_measure_is_asked_and_each_way_runs_and_is_doctors(kind, n):
    if (kind in DOUBTFUL_FROM_10 or "rates" in kind) and n < 10:
        pytest.skip("too few rows to tell")
    data = {**DOUBTFUL, **DOUBTFUL_FROM_10}[kind](np.random.default_rng(n), n)
    ways = _ways(data)
    asked = [arguments_of(command) for command in lossctl.diagnose(data).commands]
    assert [{name: value for name, value in each.items() if name not in {"label", "prediction"}} for each in asked] == [
        {name: value for name, value in way if name not in {"label", "prediction"}} for way in ways
    ]


@settings(max_examples=8)
@given(k=st.integers(2, 5), several=st.booleans(), lists=st.booleans(), seed=st.integers(0, 99))
def test_decisions_of_labels_or_classes_are_asked_for_the_share_that_is_wrong(k, several, lists, seed):
    rng = np.random.default_rng(seed)
    first, second = (
        rng.integers(0, 2, (2, 40, k)) if several else (np.eye(k)[codes] for codes in rng.integers(0, k, (2, 40)))
    )
    columns = {"y": pa.FixedSizeListArray.from_arrays(pa.array(first.ravel()), k)} if lists else {}
    columns |= {"p": pa.FixedSizeListArray.from_arrays(pa.array(second.ravel()), k)} if lists else {}
    names = [(stem, place) for stem in "yp" for place in range(k)]
    columns = columns or {f"{stem}_{place}": (first if stem == "y" else second)[:, place] for stem, place in names}
    with pytest.raises(Undecided, match="decisions, not what they were made from") as question:
        lossctl.evaluate(pa.table(columns), None)
    (way,) = ({**dict(way)} for way in question.value.ways)
    value = lossctl.evaluate(pa.table(columns), way["loss"]).value
    expected = np.mean(first != second) if several else np.mean(first.argmax(axis=1) != second.argmax(axis=1))
    assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("labels", [None, "apart"])
def test_of_words_the_share_that_is_right_is_told_and_no_word_is_taken_for_a_null(labels, lossctl, tmp_path):
    words = {"id": range(20), "species": ["cat", "dog"] * 10, "pred": ["cat"] * 15 + ["dog"] * 5}
    table, both = pa.table(words), tmp_path / "both.csv"
    pyarrow.csv.write_csv(table.drop_columns(["species"]) if labels else table, both)
    pyarrow.csv.write_csv(table.drop_columns(["pred"]), tmp_path / "y.csv")
    asked = ["--labels", tmp_path / "y.csv"] if labels else []
    asked += ["-y", "species", "-p", "pred"]
    # Of the first 15 all that are cats, 8, and of the last 5 all that are dogs, 3.
    assert "they are the label in 55 % of the rows" in lossctl("eval", both, *asked).err
    told = lossctl("doctor", both, *asked).out
    assert "--null-values" not in told
    assert "-l zero_one measures the share that is wrong" in told
    assert lossctl("eval", both, *asked, "-l", "zero_one", "-f", "value").out == "0.45\n"


@settings(max_examples=15)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12), st.sampled_from([1, -1]), st.integers(0, 1))
def test_numbers_of_one_sign_are_never_taken_for_logits(numbers, sign, first):
    label = [float((place + first) % 2) for place in range(len(numbers))]
    try:
        report = lossctl.evaluate({"y": label, "score": [sign * number for number in numbers]}, None)
    except lossctl.LossctlError:
        return
    assert report.results[0].loss == "bce"
    assert {0 <= sign * number <= 1 for number in numbers} == {True}


DECISIONS = {
    "numbers": lambda codes: codes.astype(float),
    "bools": lambda codes: codes.astype(bool),
    "words": lambda codes: np.array(["ham", "spam"])[codes],
}
SCORES = {
    "one column": lambda p: {"y_proba": p},
    "columns of numbers": lambda p: {"prob_0": 1 - p, "prob_1": p},
    "columns that the decision is named like": lambda p: {".pred_ham": 1 - p, ".pred_spam": p},
    "columns of classes": lambda p: {"ham": 1 - p, "spam": p},
}


@pytest.mark.parametrize("labels", ["numbers", "words"])
@pytest.mark.parametrize(("decided", "scored"), [*itertools.product(DECISIONS, SCORES)])
def test_decisions_beside_what_they_were_made_from_change_nothing(labels, decided, scored):
    name = {"numbers": "prediction", "bools": "Predicted", "words": "y_pred"}[decided]
    p = np.random.default_rng(3).random(40)
    codes = (p > 0.5).astype(int)
    truth = np.where(np.arange(40) % 5, codes, 1 - codes)
    data = {"label": DECISIONS[labels](truth), **SCORES[scored](p)}
    decisions = {name: DECISIONS[decided](codes)}
    if "like" in scored:
        name = ".pred_class"
    if labels == "words" and scored == "columns of numbers":
        data = {"label": truth.astype(float), **SCORES[scored](p)}
    try:
        expected = lossctl.evaluate(data, None)
    except Undecided as told:
        with pytest.raises(Undecided) as beside:
            lossctl.evaluate(data | decisions, None)
        losses = [[dict(way)["loss"] for way in error.ways][:1] for error in (told, beside.value)]
        assert losses[0] == losses[1]
        return
    measured = lossctl.evaluate(data | decisions, None)
    assert [(each.model, each.loss, each.value) for each in measured.results] == [
        (each.model, each.loss, each.value) for each in expected.results
    ]


@pytest.mark.parametrize("decided", DECISIONS)
@pytest.mark.parametrize("name", ["score", "confidence"])
def test_the_confidence_in_a_decision_is_no_probability_of_a_class(decided, name):
    p = np.random.default_rng(3).random(40)
    data = {"label": np.arange(40) % 2.0, "pred": DECISIONS[decided]((p > 0.5).astype(int)), name: np.maximum(p, 1 - p)}
    _ways(data)


@pytest.mark.parametrize("first", sorted(LABELS[0] | LABELS[1])[::4])
def test_two_names_of_labels_are_asked_about_unless_they_say_the_same(first):
    truth, p = np.arange(12) % 2.0, np.linspace(0.1, 0.9, 12)
    second = "target" if first != "target" else "label"
    assert len(_ways({first: truth, second: 1 - truth, "pred": p})) == 2
    if first not in LABELS[0]:
        assert lossctl.evaluate({first: truth, second: truth, "pred": p}, None).results[0].loss == "bce"


@pytest.mark.parametrize("second", sorted((PREDICTIONS[0] | PREDICTIONS[1]) - {"pred"})[::6])
def test_two_names_of_predictions_are_asked_about(second):
    truth, p = np.arange(12) % 2.0, np.linspace(0.1, 0.9, 12)
    with pytest.raises(Undecided):
        lossctl.evaluate({"y": truth, "pred": p, second: 1 - p}, None)


@pytest.mark.parametrize(
    "feature",
    [
        lambda n: np.arange(n) % 5 + 0.0,
        lambda n: 2000.0 + np.arange(n) % 20,
        lambda n: np.linspace(-40, 80, n),
        lambda n: np.full(n, 3.5),
    ],
)
@pytest.mark.parametrize("label", ["yes or no", "numbers"])
@pytest.mark.parametrize("role", ["y", "pred"])
def test_the_only_column_left_is_taken_only_if_it_is_like_the_other(feature, label, role):
    n = 60
    other = np.arange(n) % 2.0 if label == "yes or no" else np.random.default_rng(1).normal(0, 1, n)
    with pytest.raises(Undecided):
        lossctl.evaluate({role: other, "column": feature(n)}, None)


@pytest.mark.parametrize("write", [str.lower, str.upper, str.title, str.capitalize])
@pytest.mark.parametrize("form", ["{}", "P({})"])
@pytest.mark.parametrize("known", [1, 3])
def test_capitals_do_not_part_labels_from_columns(write, form, known):
    names, rows = ["new York", "Delhi", "ROME"], [[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]]
    columns = {form.format(name): column for name, column in zip(names, np.array(rows).T, strict=True)}
    labels = [write(name) for name in names[:known]]
    report = lossctl.evaluate(
        {"label": labels, **{name: column[:known] for name, column in columns.items()}},
        "cross_entropy",
        label="label",
        prediction=",".join(columns),
    )
    assert report.value == pytest.approx(-np.log(0.7), rel=1e-15)


FOREIGN = {
    "probabilities": lambda rng, n: {"Wahrheit": _bits(rng, n), "Wette": rng.random(n)},
    "percentages": lambda rng, n: {"Wahrheit": _bits(rng, n), "Vorhersage": 100 * rng.random(n)},
    "logits": lambda rng, n: {"метка": _bits(rng, n), "прогноз": rng.normal(0, 3, n)},
    "scores": lambda rng, n: {"survived": _bits(rng, n), "age": 20 + 60 * rng.random(n), "risk": rng.random(n)},
    "words": lambda rng, n: {"标签": np.array(["good", "bad"])[_bits(rng, n).astype(int)], "预测": rng.random(n)},
    "classes": lambda rng, n: {f"k {name}": values for name, values in _rows(rng, n, lambda rows: rows).items()},
    "numbers": lambda rng, n: {"verdad": rng.normal(0, 1, n), "predicción": rng.normal(0, 1, n)},
    "nulls": lambda rng, n: {"verdad": _bits(rng, n), "otra": np.where(np.arange(n) == 3, np.nan, rng.random(n))},
}


@pytest.mark.parametrize("n", [2, 30])
@pytest.mark.parametrize("kind", FOREIGN)
def test_ways_for_columns_that_have_no_known_names_run(kind, n):
    data = FOREIGN[kind](np.random.default_rng(n), n)
    for asked in ({}, {"loss": "bce"}):
        with pytest.raises(Undecided) as told:
            lossctl.evaluate(data, **({"loss": None} | asked))
        for way in told.value.ways:
            names = {name for name, _ in way}
            chosen = {name: [value for other, value in way if other == name] for name in names}
            for name in names - {"label", "prediction"}:
                chosen[name] = chosen[name][0]
            lossctl.evaluate(data, **(asked | chosen))


@pytest.mark.parametrize(("truth", "guess"), [("{}_true", "{}_pred"), ("{}", "{}_prob"), ("{} actual", "{} forecast")])
def test_a_prediction_belongs_to_the_label_that_it_is_named_for(truth, guess):
    values = {name: np.random.default_rng(place).normal(0, 1, 30) for place, name in enumerate(["price", "area"])}
    data = {truth.format(name): values[name] for name in values} | {
        guess.format(name): values[name] + 1 for name in values
    }
    for way in _ways(data):
        label, prediction = ([value for name, value in way if name == role] for role in ("label", "prediction"))
        assert [guess.format(name) for name in values if truth.format(name) in label[0].split(",")] == [
            name for each in prediction for name in each.split(",")
        ]


@settings(max_examples=8, deadline=None)
@given(
    order=st.permutations(range(4)),
    codes=st.sampled_from([(0, 1, 2, 3), (1, 2, 3, 4), (3, 5, 8, 9)]),
    form=st.sampled_from(["columns", "logits", "list"]),
)
def test_columns_in_another_order_than_their_codes_are_asked_about(order, codes, form):
    rng = np.random.default_rng(8)
    label, scores = rng.integers(0, 4, 200), rng.normal(size=(200, 4))
    scores[np.arange(200), label] += 4
    rows = (scores if form == "logits" else softmax(scores))[:, order]
    names = [f"{'logit' if form == 'logits' else 'p'}_{letter}" for letter in "abcd"]
    numbers = {"p": rows.tolist()} if form == "list" else dict(zip(names, rows.T, strict=True))
    data, asked = {"y": np.array(codes)[label], **numbers}, {"prediction": ",".join(numbers)}
    expected = -np.log(softmax(scores)[np.arange(200), label]).mean()
    if sum(place == code for place, code in enumerate(order)) == 4:
        assert lossctl.evaluate(data, None, **asked).value == pytest.approx(expected)
        return
    if np.mean(np.array(order)[label] == label) > 0.45:
        return  # most hits stay, as two classes of four are swapped
    with pytest.raises(Undecided, match="the largest column is that of the label in") as told:
        lossctl.evaluate(data, None, **asked)
    right, as_they_stand = ({**asked, **dict(way)} for way in told.value.ways)
    classes = ",".join(str(codes[code]) for code in order)
    assert right["classes"] == classes
    assert _measured(data, right) == pytest.approx(expected)
    assert _measured(data, as_they_stand) > 2 * expected
    assert lossctl.evaluate(data, None, classes=classes.split(","), **asked).value == pytest.approx(expected)


def _measured(data, way):
    """What a way to go on measures."""
    asked = {name: value.split(",") if name == "classes" else value for name, value in way.items()}
    return lossctl.evaluate(data, asked.pop("loss"), **asked).value


@settings(max_examples=7)
@given(st.integers(0, 99), st.sampled_from(["numbers", "signs", "bools", "words", "1 and 2"]), st.booleans())
def test_decisions_alone_are_offered_the_share_of_wrong_ones_and_nothing_else(seed, labels, signed):
    rng = np.random.default_rng(seed)
    truth = np.append(rng.integers(0, 2, 28), [0, 1])
    guess = np.append(np.where(rng.random(28) < 0.8, truth[:28], 1 - truth[:28]), [0, 1])
    kinds = DECISIONS | {"signs": lambda codes: 2 * codes - 1, "1 and 2": lambda codes: codes + 1}
    signed = signed and labels == "signs"
    data = {"y_true": kinds[labels](truth), "y_pred": kinds["signs"](guess) if signed else guess}
    (way,) = _ways(data)
    told = dict(way)
    classes = {"classes": told["classes"].split(",")} if "classes" in told else {}
    assert lossctl.evaluate(data, told["loss"], **classes).value == pytest.approx(np.mean(truth != guess))
    assert lossctl.diagnose(data).to_dict()["models"][0]["why"].endswith("decisions")


@pytest.mark.parametrize("first", [0, 1])
def test_decided_codes_have_a_line_for_ratings_and_one_for_the_share_that_is_wrong(first):
    rng = np.random.default_rng(first)
    label = rng.integers(first, 4 + first, 60)
    guess = np.where(rng.random(60) < 0.8, label, rng.integers(first, 4 + first, 60))
    with pytest.raises(lossctl.UsageError, match="accuracy") as question:
        lossctl.evaluate({"y": label, "pred": guess}, None)
    assert [dict(way)["loss"] for way in question.value.ways] == ["mse,mae,huber", "zero_one"]
    value = lossctl.evaluate({"y": label, "pred": guess}, "zero_one").value
    assert value == pytest.approx(np.mean(guess != label))


@pytest.mark.parametrize(("third", "labels"), [(-1.0, "a"), (-1.0, "a b c"), (9.0, "a b"), (-1.0, "one of a b c")])
def test_a_third_number_among_labels_of_several_columns_is_asked_about_as_in_one(third, labels):
    rng, names, every = np.random.default_rng(2), labels.split(" of ")[-1].split(), np.arange(60)
    scored = every % 5 > 0
    truth = rng.integers(0, 2, (60, len(names))).astype(float)
    p = rng.uniform(0.05, 0.95, truth.shape)
    if "one" in labels:
        truth, p = np.eye(3)[rng.integers(0, 3, 60)], softmax(rng.normal(size=(60, 3)))
    losses = -np.log(np.where(truth == 1, p, 1 - p)).mean(axis=1)
    losses = -np.log(p[truth == 1]) if "one" in labels else losses
    truth[~scored] = third
    data = {f"y_{name}": column for name, column in zip(names, truth.T, strict=True)}
    data |= {f"p_{name}": column for name, column in zip(names, p.T, strict=True)}
    named = {"label": "y_*", "prediction": "p_*"}
    for asked, rows in ((named, scored), ({**named, "where": "p_a > 0.1"}, scored & (p[:, 0] > 0.1))):
        way = dict(_ways(data, **asked)[0])
        assert lossctl.evaluate(data, **{**asked, **way}).value == pytest.approx(losses[rows].mean())
