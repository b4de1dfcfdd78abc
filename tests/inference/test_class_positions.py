"""Columns that no name ties to a class go by their position in the file, and what may be another order is asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import LossctlError, Undecided
from lossctl.inference import gather, places
from lossctl.inference.facts import CONFUSED
from lossctl.inference.patterns import in_order

WORDS = ["dog", "cat", "bird", "fish"]


def _data(n=200, k=4, sure=4.0, without=()):
    """Codes of classes, rows of probabilities that mostly know them, and −log of those of the labels on average."""
    rng = np.random.default_rng(n)
    codes = rng.choice([code for code in range(k) if code not in without], n)
    scores = rng.normal(size=(n, k))
    scores[np.arange(n), codes] += sure
    rows = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return codes, rows, float(-np.log(rows[np.arange(n), codes]).mean())


def _asked(data, loss=None, **asked):
    """What is measured of data that do not tell their classes, by each way that is proposed."""
    with pytest.raises(Undecided) as told:
        lossctl.evaluate(data, loss, **asked)
    values = []
    for way in told.value.ways:
        named = {name: value.split(",") if name == "classes" else value for name, value in way}
        values.append(lossctl.evaluate(data, named.pop("loss", loss), **asked, **named).results[0].value)
    return values


@given(st.permutations(range(12)), st.sampled_from(["p_{}", "{}_prob", "p[{}]"]))
def test_numbered_columns_are_in_the_order_of_numbers_and_others_as_they_stand(order, form):
    numbered = [form.format(number) for number in range(12)]
    assert [*in_order([numbered[place] for place in order])] == numbered
    named = [form.format("abcdefghijkl"[place]) for place in order]
    assert [*in_order(named)] == named


@settings(max_examples=12)
@given(
    st.permutations(WORDS),
    st.sampled_from([("{}_prob", "*_prob"), ("p_{}", "p_*"), ("P({})", "/P/"), ("{}_prob", "{}_prob")]),
    st.sampled_from([None, "cross_entropy"]),
)
def test_codes_are_positions_in_the_file_however_columns_are_named(words, form, loss):
    codes, rows, expected = _data(20)
    names = [form[0].format(word) for word in words]
    prediction = form[1] if form[1] != form[0] else ",".join(names)
    data = {"label": codes, **dict(zip(names, rows.T, strict=True))}
    assert lossctl.evaluate(data, loss, prediction=prediction).value == pytest.approx(expected)


@pytest.mark.parametrize("loss", ["cross_entropy", "nll", "cross_entropy,nll"])
@pytest.mark.parametrize("form", ["columns", "list"])
def test_an_order_that_rows_contradict_is_asked_of_a_loss_that_is_named(loss, form):
    codes, rows, expected = _data()
    turned = rows[:, [2, 0, 3, 1]]
    numbers = dict(zip("abcd", turned.T, strict=True)) if form == "columns" else {"p": turned.tolist()}
    right, as_it_is = _asked({"y": codes, **numbers}, loss, prediction=",".join(numbers))
    assert right == pytest.approx(expected)
    assert as_it_is == pytest.approx(float(-np.log(turned[np.arange(200), codes]).mean()))


@pytest.mark.parametrize("loss", [None, "cross_entropy"])
@pytest.mark.parametrize("form", ["columns", "list", "p_{}"])
@pytest.mark.parametrize("n", [4, 200])
@pytest.mark.parametrize("without", [(3,), (0, 3), (1, 3)])
def test_codes_from_1_without_the_last_are_asked_about_unless_names_say_them(loss, form, n, without):
    codes, rows, expected = _data(n, without=without)
    names = [form.format(place + 1) for place in range(4)] if "{}" in form else [*"abcd"]
    numbers = {"p": rows.tolist()} if form == "list" else dict(zip(names, rows.T, strict=True))
    data, prediction = {"y": codes + 1, **numbers}, ",".join(numbers)
    if "{}" in form:
        assert lossctl.evaluate(data, loss, prediction=prediction).value == pytest.approx(expected)
    else:
        values = _asked(data, loss, prediction=prediction)
        assert values[0] == pytest.approx(expected)
        assert len(values) == 2


COUNTED = ("{}", "proba_{}", "class_{}", "p{}", "X{}", "V{}", ".pred_{}", "{}_prob", "Probability:Class={}")
"""What columns are called that only their places tell: by pandas, scikit-learn, Keras, R and others."""


@settings(max_examples=25)
@given(
    st.sampled_from(COUNTED),
    st.sampled_from([0, 1]),
    st.sampled_from([(1, 2, 3), (3, 4, 5, 6, 7, 8), (1, 5, 9), (-1, 0, 1), (2019, 2020, 2021), (0, 1, 2, 3), (1, 2)]),
    st.sampled_from([None, "cross_entropy"]),
    st.booleans(),
)
def test_numbers_of_columns_are_their_places_where_labels_are_other_numbers(form, start, classes, loss, named):
    k = len(classes)
    codes, rows, expected = _data(k=k)
    numbers = {form.format(start + place): rows[:, place] for place in range(k)}
    data, asked = {"target": np.array(classes)[codes], **numbers}, {"prediction": ",".join(numbers)} if named else {}
    if set(classes) == {*range(start, start + k)}:
        values = [lossctl.evaluate(data, loss or "cross_entropy", **asked).results[0].value]
    else:
        values = _asked(data, loss, **asked)
    assert values == [pytest.approx(expected)]
    given = lossctl.evaluate(data, "cross_entropy", label="target", prediction=",".join(numbers), classes=classes)
    assert given.results[0].value == pytest.approx(expected)


@settings(max_examples=15)
@given(
    st.sampled_from(COUNTED),
    st.sampled_from([0, 1]),
    st.sampled_from([(1, 2, 3), (0, 1, 2), (3, 4, 5, 6, 7, 8), (1, 2, 3, 4, 5), (-1, 0, 1), (1, 5, 9, 11)]),
    st.sampled_from(["first", "middle", "last"]),
    st.sampled_from([None, "cross_entropy"]),
)
def test_where_labels_lack_a_class_what_the_rows_tell_is_offered_first_and_alone(form, start, classes, lacks, loss):
    k = len(classes)
    codes, rows, expected = _data(k=k, without=({"first": 0, "middle": 1, "last": k - 1}[lacks],))
    numbers = {form.format(start + place): rows[:, place] for place in range(k)}
    data, asked = {"target": np.array(classes)[codes], **numbers}, {"prediction": ",".join(numbers)}
    try:
        values = [lossctl.evaluate(data, loss, **asked).results[0].value]
    except Undecided:
        values = _asked(data, loss, **asked)
    assert values == ([] if classes == (1, 5, 9, 11) else [pytest.approx(expected)])


@settings(max_examples=12)
@given(
    st.sampled_from([("{}", (0, 1, 2, 3)), ("{}", (2019, 2020, 2021)), ("{}", WORDS), ("out{}", (3, 4, 5, 6, 7, 8))]),
    st.sets(st.integers(0, 2), max_size=1),
    st.sampled_from([None, "cross_entropy"]),
    st.sampled_from(["label", "species"]),
)
def test_scores_of_classes_that_no_label_has_are_never_left_out_unasked(named, without, loss, label):
    form, classes = named
    k = len(classes)
    codes, rows, expected = _data(k=k, without=without if form == "{}" and len(without) < k - 1 else ())
    names = [form.format(name if form == "{}" else place) for place, name in enumerate(classes, 1)]
    data = {label: np.array(classes)[codes], **dict(zip(names, np.log(rows).T + rows[:, 0], strict=True))}
    try:
        values = [lossctl.evaluate(data, loss, from_logits=True).results[0].value]
    except Undecided:
        values = _asked(data, loss, from_logits=True)
    assert values[0] == pytest.approx(expected)


def test_scores_of_more_classes_than_two_labels_are_not_taken_for_models():
    codes, rows, _ = _data(k=3, without=(1,))
    columns = dict(zip(["pred_1", "pred_2", "pred_3"], np.log(rows).T + 3.0, strict=True))
    for labels in (np.array([10, 20, 30])[codes], np.array(["cat", "dog", "eel"])[codes]):
        with pytest.raises(Undecided, match=r"several columns could be the prediction: pred_\*, "):
            lossctl.evaluate({"y": labels, **columns}, None)
    assert lossctl.evaluate({"y": codes // 2, **columns}, None).results[0].loss == "bce"


@pytest.mark.parametrize("loss", [None, "cross_entropy"])
@pytest.mark.parametrize("k", [4, 80])
def test_codes_from_0_without_the_first_are_told_by_rows_that_know_them(loss, k):
    codes, rows, expected = _data(k=k, without=(0,), sure=9)
    assert lossctl.evaluate({"y": codes, "p": rows.tolist()}, loss).value == pytest.approx(expected)


@pytest.mark.parametrize("loss", [None, "cross_entropy"])
@pytest.mark.parametrize("form", ["{}", "p_{}", "list"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1)])
def test_words_beside_numbered_columns_are_proposed_in_sorted_order_or_that_of_the_rows(loss, form, order):
    codes, rows, expected = _data()
    turned = rows[:, order]
    names = [form.format(place) for place in range(4)]
    numbers = {"p": turned.tolist()} if form == "list" else dict(zip(names, turned.T, strict=True))
    values = _asked({"y": np.array(sorted(WORDS))[codes], **numbers}, loss, prediction=",".join(numbers))
    assert values[0] == pytest.approx(expected)
    assert len(values) == (1 if order == (0, 1, 2, 3) else 2)


def test_words_that_are_not_as_many_as_columns_are_not_put_in_an_order():
    codes, rows, _ = _data(without=(2,))
    data = {"y": np.array(WORDS)[codes], "p": rows.tolist()}
    for loss in (None, "cross_entropy"):
        assert _asked(data, loss) == []


FORMS = [("{}", "{}_prob"), ("{}", "p_{}"), ("y_{}", "p_{}"), ("{}_true", "{}_pred"), ("label_{}", "{}_score")]


@pytest.mark.parametrize("loss", [None, "usual"])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(("truth", "guess"), FORMS)
def test_a_glob_of_predictions_finds_the_labels_that_are_named_alike(truth, guess, several, loss):
    codes, rows, expected = _data(40)
    bits = np.eye(4)[codes]
    if several:
        bits[::3, 1] = 1 - bits[::3, 1]
        expected = float(-np.log(np.where(bits == 1, rows, 1 - rows)).mean())
    data = {truth.format(word): bits[:, WORDS.index(word)] for word in sorted(WORDS)}
    data |= {guess.format(word): rows[:, place] for place, word in enumerate(WORDS)}
    loss = loss and ("bce" if several else "cross_entropy")
    report = lossctl.evaluate(data, loss, prediction=guess.format("*"))
    assert report.results[0].value == pytest.approx(expected)


@pytest.mark.parametrize("prediction", ["out*", None])
def test_of_columns_of_0_and_1_beside_a_vector_no_single_one_is_proposed(prediction):
    codes, rows, _ = _data(40)
    stem = "out" if prediction else "prob"
    data = {word: np.eye(4)[codes][:, place] for place, word in enumerate(WORDS)}
    data |= {f"{stem}{place}": rows[:, place] for place in range(4)}
    with pytest.raises(Undecided) as told:
        lossctl.evaluate(data, None, **({"prediction": prediction} if prediction else {}))
    assert [dict(way)["label"] for way in told.value.ways] == [",".join(WORDS)]


MANY = CONFUSED + 1


def _many(form, first=0, without=(), n=600):
    """Rows of many classes, as lists or in columns of that form, with labels that count from some number."""
    codes, rows, _ = _data(n, MANY, without=without)
    names = [form.format(place) for place in range(MANY)]
    numbers = {"p": rows.tolist()} if form == "list" else dict(zip(names, rows.T, strict=True))
    return {"y": codes + first, **numbers}, ",".join(numbers)


def _outcome(data, prediction):
    """What is measured and said, or asked."""
    try:
        report = lossctl.evaluate(data, "cross_entropy", label="y", prediction=prediction)
    except LossctlError as error:
        return str(error), getattr(error, "ways", ())
    return report.value, report.notes


@settings(max_examples=20)
@given(
    st.sampled_from(["list", *COUNTED]),
    st.sampled_from([-1, 0, 1, 5]),
    st.sampled_from([(), (0,), (1,), (MANY - 1,), (0, MANY - 1)]),
)
def test_many_classes_come_to_what_they_would_if_their_rows_were_looked_at(form, first, without):
    data, prediction = _many(form, first, without)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "tell_places", lambda *_: False)
        looked = _outcome(data, prediction)
    assert _outcome(data, prediction) == looked


@pytest.mark.parametrize("form", ["list", "p{}"])
def test_rows_of_many_classes_are_looked_at_only_where_labels_do_not_tell_their_places(form, monkeypatch):
    looked, rowwise = [], gather._Gatherer.rowwise
    monkeypatch.setattr(gather._Gatherer, "rowwise", lambda *given: (looked.append(form), rowwise(*given))[1])
    for without in ((), (0,)):
        looked.clear()
        _outcome(*_many(form, without=without))
        assert bool(looked) == bool(without)
