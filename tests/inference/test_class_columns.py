"""A class is the column that is named for it, however the name says so and in whatever order the columns stand."""

import itertools
import math
import shlex

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import Undecided

FORMS = (
    "Probability:Class={}",  # CatBoost: catboost.ai, "Format of the output of the model values"
    "prob_class{}",
    "p_{}",
    "p{}",
    "{}",
    "{}_prob",
    "class{}_prob",
    "p[{}]",
    "P({})",
    "P(Y={}|x)",
    "probClass{}",
    "Class {} (score)",
    ".pred_{}",  # tidymodels
    "model2_{}_fold3",
)
NUMERALS = (str, lambda number: f"{number}.0", lambda number: f"0{number}")
WORDS = ("setosa", "very good", "New York", "versicolor", "C++")
ROWS = ((0.7, 0.2, 0.1), (0.3, 0.6, 0.1), (0.8, 0.1, 0.1))
PLACES = (0, 1, 0)
EXPECTED = -math.log(0.7 * 0.6 * 0.8) / 3
"""The mean of −log of the probability in the column of the label."""


def told(names, labels, prediction=None, **options):
    """The report on rows whose label is in turn the first, the second and the first of the classes."""
    columns = {name: [row[place] for row in ROWS] for place, name in enumerate(names)}
    asked = prediction or ",".join(names)
    return lossctl.evaluate({"y": labels, **columns}, "cross_entropy", label="y", prediction=asked, **options)


@settings(max_examples=80)
@given(
    st.sampled_from(FORMS),
    st.sampled_from(NUMERALS),
    st.lists(st.integers(0, 9), min_size=3, max_size=3, unique=True),
    st.permutations(range(3)),
    st.booleans(),
)
def test_a_number_in_a_name_is_the_class(form, numeral, numbers, order, asked):
    names = [form.format(numeral(number)) for number in numbers]
    prediction = ",".join(names[place] for place in order)
    classes = [str(numbers[place]) for place in reversed(order)] if asked else ()
    report = told(names, [numbers[place] for place in PLACES], prediction, classes=classes)
    assert report.value == pytest.approx(EXPECTED, rel=1e-15)


@settings(max_examples=40)
@given(
    st.sampled_from(FORMS),
    st.lists(st.sampled_from(WORDS), min_size=3, max_size=3, unique=True),
    st.permutations(range(3)),
    st.booleans(),
)
def test_a_word_in_a_name_is_the_class(form, words, order, asked):
    names = [form.format(word) for word in words]
    prediction = ",".join(names[place] for place in order)
    classes = [words[place] for place in reversed(order)] if asked else ()
    report = told(names, [words[place] for place in PLACES], prediction, classes=classes)
    assert report.value == pytest.approx(EXPECTED, rel=1e-15)


@pytest.mark.parametrize("form", FORMS)
def test_numbers_that_are_no_label_are_refused_with_the_mapping(form):
    names = [form.format(number) for number in (2, 5, 3)]
    with pytest.raises(lossctl.DataError) as refused:
        told(names, [0, 1, 0])
    assert f"{names[0]} = 2, {names[1]} = 5, {names[2]} = 3" in refused.value.hint
    with pytest.raises(lossctl.UsageError, match="class '0' has no column") as refused:
        told(names, [2, 5, 2], classes=["0", "5", "2"])
    assert f"{names[0]} = 2, {names[1]} = 5, {names[2]} = 3" in refused.value.hint


@pytest.mark.parametrize("form", ["class{}_{}", "{}: {}", "{1}{0}", "p_{1}_{0}", "P(Y={} {}|x)"])
@pytest.mark.parametrize("numbers", [(1, 2, 3), (0, 2, 1), (2, 1, 0)])
def test_numbers_beside_words_that_contradict_the_positions_are_refused(form, numbers):
    names = [form.format(number, word) for number, word in zip(numbers, ("cat", "dog", "eel"), strict=True)]
    labels = [numbers[place] for place in PLACES]
    with pytest.raises(lossctl.UsageError, match=f"{numbers[1]}.*but by position"):
        told(names, labels)
    assert told(names, labels, classes=map(str, numbers)).value == pytest.approx(EXPECTED, rel=1e-15)


@pytest.mark.parametrize("names", [("cat", "dog", "eel"), ("p_0_cat", "p_1_dog", "p_2_eel"), ("p0", "p1", "p_other")])
def test_where_position_is_all_there_is_it_is_said(names):
    report = told(names, PLACES)
    assert report.value == pytest.approx(EXPECTED, rel=1e-15)
    assert "classes by position" in " ".join(report.notes)


@pytest.mark.parametrize("names", [("p_1", "p_2", "p_other"), ("v1.1", "v1.2", "v1.3"), ("p1", "q2", "r3")])
def test_numbers_that_are_not_all_classes_are_refused(names):
    with pytest.raises(lossctl.UsageError, match=r"1 = .*but by position"):
        told(names, [1, 2, 1])


@pytest.mark.parametrize("names", [("no", "yes"), ("neg", "pos"), ("Negative", "Positive")])
def test_yes_is_1_where_labels_are_codes(names):
    no, yes = (f"p_{name}" for name in names)
    source = {"y": [0, 1], no: [0.8, 0.3], yes: [0.2, 0.7]}
    report = lossctl.evaluate(source, "cross_entropy", label="y", prediction=f"{no},{yes}")
    assert report.value == pytest.approx(-math.log(0.8 * 0.7) / 2, rel=1e-15)
    with pytest.raises(lossctl.UsageError, match=f"{yes} = {names[1]}.*but by position {yes} = 0"):
        lossctl.evaluate(source, "cross_entropy", label="y", prediction=f"{yes},{no}")


def test_true_is_1_and_a_sign_belongs_to_its_number():
    with pytest.raises(lossctl.UsageError, match=r"p_True = True.*p_True = 0"):
        told(["p_True", "p_False", "p_None"], [True, False, True])
    assert told(["p_-1", "p_-2", "p_-3"], [-1, -2, -1]).value == pytest.approx(EXPECTED, rel=1e-15)
    with pytest.raises(lossctl.DataError, match="classes -1, -2, -3"):
        told(["p_-1", "p_-2", "p_-3"], [1, 2, 1])


@pytest.mark.parametrize("loss", [None, "cross_entropy"])
@pytest.mark.parametrize("prediction", ["cat,dog,eel", "p"])
def test_codes_that_may_be_counted_from_1_are_asked_about(prediction, loss):
    source = {**dict(zip(("cat", "dog", "eel"), zip(*ROWS, strict=True), strict=True)), "p": np.array(ROWS)}
    asked = {"label": "y", "prediction": prediction}
    with pytest.raises(Undecided, match="from 0, or from 1") as told:
        lossctl.evaluate({"y": [1, 2, 1], **source}, loss, **asked)
    from_1, from_0 = ({"loss": loss, **dict(way)} for way in told.value.ways)
    assert measured({"y": [1, 2, 1], **source}, **from_1, **asked) == pytest.approx(EXPECTED, rel=1e-15)
    as_codes = -math.log(0.2 * 0.1 * 0.1) / 3
    assert measured({"y": [1, 2, 1], **source}, **from_0, **asked) == pytest.approx(as_codes, rel=1e-15)
    assert lossctl.evaluate({"y": PLACES, **source}, loss, **asked).value == pytest.approx(EXPECTED, rel=1e-15)


def measured(source, loss, classes, **asked):
    """What one way to go on measures."""
    return lossctl.evaluate(source, loss, classes=classes.split(","), **asked).value


@pytest.mark.parametrize("classes", [["1", "01"], ["1", "1.0"], ["2", "cat"]])
def test_classes_that_are_not_one_a_column_are_refused(classes):
    source = {"y": [1], "p_1": [0.5], "p_2": [0.5]}
    with pytest.raises(lossctl.UsageError, match="class"):
        lossctl.evaluate(source, "cross_entropy", label="y", prediction="p_*", classes=classes)
    source = {"y_1": [1], "y_2": [0], "y_3": [0], "p_1": [0.5], "p_2": [0.5], "p_3": [0]}
    with pytest.raises(lossctl.UsageError, match="class"):
        lossctl.evaluate(source, "cross_entropy", label="y_*", prediction="p_*", classes=classes)


def test_names_that_can_be_read_in_two_ways_are_refused():
    with pytest.raises(lossctl.UsageError, match="two orders"):
        told(["1_2", "2_1", "3_3"], [1, 2, 1], classes=["1", "2", "3"])


@pytest.mark.parametrize("labels", ["y_{}", "{}_true", "label {}"])
@pytest.mark.parametrize("numeral", [*NUMERALS, "abc".__getitem__])
def test_soft_labels_find_predictions_of_their_class(labels, numeral):
    for order in itertools.permutations(range(3)):
        source = {labels.format(numeral(place)): [float(place == hot) for hot in PLACES] for place in range(3)}
        for place in order:
            source[f"p{numeral(place)}"] = [row[place] for row in ROWS]
        prediction = ",".join(f"p{numeral(place)}" for place in order)
        report = lossctl.evaluate(source, "cross_entropy", label=[*source][:3], prediction=prediction)
        assert report.value == pytest.approx(EXPECTED, rel=1e-15)


def test_soft_labels_of_other_classes_are_refused_and_without_names_position_is_said():
    source = {"y_a": [1.0], "y_b": [0.0], "p_b": [0.4], "p_c": [0.6], "p": [[0.4, 0.6]]}
    with pytest.raises(lossctl.UsageError, match="y_a = a, y_b = b, but p_b = b, p_c = c"):
        lossctl.evaluate(source, "cross_entropy", label="y_*", prediction="p_*")
    report = lossctl.evaluate(source, "cross_entropy", label="y_*", prediction="p")
    assert any("by position" in note and "y_a = p[0]" in note for note in report.notes)


def test_models_agree_on_classes_however_they_name_them():
    source = {"y": [1, 2, 1], "a1": [0.7, 0.3, 0.8], "a2": [0.3, 0.7, 0.2], "2.0_prob": [0.3, 0.7, 0.2]}
    source["1.0_prob"] = source["a1"]
    report = lossctl.evaluate(source, "cross_entropy", label="y", prediction=["a1,a2", "2.0_prob,1.0_prob"])
    assert report.results[0].value == report.results[1].value
    assert report.results[0].value == pytest.approx(-math.log(0.7 * 0.7 * 0.8) / 3, rel=1e-15)


@pytest.mark.parametrize("pattern", ["Probability:Class=*", "Probability*", "all=Probability:Class=*"])
def test_every_command_reads_the_names_alike(lossctl, tmp_path, pattern):
    path = tmp_path / "scores.tsv"
    head = ["SampleId", *(f"Probability:Class={number}" for number in (1, 2, 3)), "Label"]
    rows = [(index, *row, 1 + place) for index, (row, place) in enumerate(zip(ROWS, PLACES, strict=True))]
    path.write_text("\n".join("\t".join(map(str, row)) for row in [head, *rows]) + "\n")
    asked = [path, "-y", "Label", "-p", pattern]
    assert float(lossctl("eval", *asked, "-l", "cross_entropy", "-f", "value").out) == pytest.approx(EXPECTED)
    looked = lossctl("doctor", *asked, "-f", "json").json
    assert looked["runs"]
    assert not [finding for finding in looked["findings"] if finding["stops"]]
    charts = lossctl("plot", *asked, "-l", "cross_entropy", "-f", "json").json["charts"]
    (confusion,) = charts[1]["panels"]
    assert confusion["x"]["names"] == ["1", "2", "3"]
    assert confusion["series"][0]["counts"] == [[2, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_doctor_proposes_columns_named_for_the_labels_as_one_vector(lossctl, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("y,prob_class1,prob_class2,prob_class3\n1,.7,.2,.1\n2,.3,.6,.1\n1,.8,.1,.1\n")
    (proposed,) = lossctl("doctor", path, "-f", "json").json["commands"]
    assert proposed.endswith("-y y -p 'prob_class*' -l cross_entropy")


GLUED = ("p{}", "P{}", "P_y{}", "m2.class{}.score", "x{}x", "class{}of3", "logit[{}]", "Scores for {}")
CLOSE = (
    ("cat", "cat2", "ca"),
    ("low", "lowest", "high"),
    ("A+", "A", "A-"),
    ("pos_x_neg", "pos_y_neg", "pos_z_neg"),
    ("not cat", "cat", "other"),
    ("v1", "v2", "v10"),
    ("A", "a", "b"),
    ("äpfel", "öl", "e"),
    ("<18", "18-25", ">25"),
    ("😀", "😢", "😀😢"),
)
"""Names that begin or end alike, or with signs."""


@settings(max_examples=40)
@given(st.sampled_from(GLUED), st.sampled_from(CLOSE), st.permutations(range(3)), st.permutations(range(3)))
def test_a_class_is_what_is_left_of_a_name_without_what_all_share(form, words, order, asked):
    names = [form.format(word) for word in words]
    prediction = ",".join(names[place] for place in order)
    labels = [words[place] for place in PLACES]
    assert told(names, labels, prediction).value == pytest.approx(EXPECTED, rel=1e-15)
    report = told(names, labels, prediction, classes=[words[place] for place in asked])
    assert report.value == pytest.approx(EXPECTED, rel=1e-15)
    source = {f"{word}_true": [float(place == hot) for hot in PLACES] for place, word in enumerate(words)}
    for place in order:
        source[names[place]] = [row[place] for row in ROWS]
    report = lossctl.evaluate(source, "cross_entropy", label=[*source][:3], prediction=prediction)
    assert report.value == pytest.approx(EXPECTED, rel=1e-15)


def test_classes_that_stand_in_other_columns_than_by_position_are_refused():
    with pytest.raises(lossctl.UsageError, match="class 'other' has no column"):
        told(["1x_cat_9y", "2x_dog_8y", "3x_eel_7y"], ["cat"] * 3, classes=["dog", "cat", "other"])
    report = told(["1x_cat_9y", "2x_dog_8y", "3x_eel_7y"], ["cat", "dog", "cat"], classes=["eel", "dog", "cat"])
    assert report.value == pytest.approx(EXPECTED, rel=1e-15)


def test_truth_glued_to_a_name_is_a_class():
    source = {"y": [True, False], "xTruex": [0.8, 0.3], "xFalsex": [0.2, 0.7]}
    report = lossctl.evaluate(source, "cross_entropy", label="y", prediction="x*")
    assert report.value == pytest.approx(-math.log(0.8 * 0.7) / 2, rel=1e-15)


@pytest.mark.parametrize("labels", [[0, 1, 0], [1, 2, 1]])
@pytest.mark.parametrize("list_first", [False, True])
def test_a_list_beside_named_columns_is_by_position_and_that_is_said(labels, list_first):
    source = {"y": labels, f"m_{max(labels)}": [0.3, 0.8, 0.1], f"m_{min(labels)}": [0.7, 0.2, 0.9]}
    source["list"] = [[0.7, 0.3], [0.2, 0.8], [0.9, 0.1]]
    named = f"m=m_{max(labels)},m_{min(labels)}"
    report = lossctl.evaluate(
        source, "cross_entropy", label="y", prediction=["list", named] if list_first else [named, "list"]
    )
    expected = -math.log(0.7 * 0.8 * 0.9) / 3
    assert [result.value for result in report.results] == pytest.approx([expected] * 2, rel=1e-15)
    assert any(f"list[0] = {min(labels)}, list[1] = {max(labels)}" in note for note in report.notes)


def test_a_single_number_that_is_named_for_the_other_class_is_said():
    for name, said in (("prob_no", True), ("prob_yes", False), ("P(y=no)", True), ("score", False)):
        source = {"y": ["no", "yes"], name: [0.1, 0.9]}
        report = lossctl.evaluate(source, "bce", label="y", prediction=name, classes=["no", "yes"])
        assert any("of class yes, the second named" in note for note in report.notes) == said


@pytest.mark.parametrize("form", ["prob.{}", "P(y={})", "{}_score"])
def test_doctor_takes_a_single_number_for_the_class_that_its_column_is_named_for(lossctl, tmp_path, form):
    path = tmp_path / "rows.csv"
    yes, no = form.format("yes"), form.format("no")
    path.write_text(f"y,{no},{yes}\nyes,.3,.7\nno,.8,.2\nyes,.4,.6\nno,.7,.3\n")
    (proposed,) = lossctl("doctor", path, "-f", "json").json["commands"]
    both = lossctl(*shlex.split(proposed)[1:], "-f", "value").out
    assert float(both) == pytest.approx(-math.log(0.7 * 0.8 * 0.6 * 0.7) / 4)
    for column, classes in ((yes, "no,yes"), (no, "yes,no")):
        (proposed,) = lossctl("doctor", path, "-y", "y", "-p", column, "-f", "json").json["commands"]
        assert proposed.endswith(f"--classes={classes}")
        value = lossctl("eval", path, "-y", "y", "-p", column, "-l", "bce", f"--classes={classes}", "-f", "value").out
        assert float(value) == pytest.approx(-math.log(0.7 * 0.8 * 0.6 * 0.7) / 4)


@pytest.mark.parametrize("form", ["rf10{}", "1{}0", "v1.{}"])
def test_classes_that_are_named_may_end_within_a_number(form):
    for words in (("0", "1", "2"), ("A", "10", "1")):
        names = [form.format(word) for word in words]
        report = told(names, [words[place] for place in PLACES], ",".join(reversed(names)), classes=words)
        assert report.value == pytest.approx(EXPECTED, rel=1e-15)


@pytest.mark.parametrize("suffix", ["csv", "npy"])
def test_a_column_without_a_name_is_the_class_of_its_place_not_of_its_number(suffix, tmp_path, lossctl):
    path = tmp_path / f"rows.{suffix}"
    table = np.array([[label, *row] for label, row in zip(PLACES, ROWS, strict=True)])
    np.savetxt(path, table, delimiter=",") if suffix == "csv" else np.save(path, table)
    asked = ("eval", path, *(["--no-header"] if suffix == "csv" else []), "-y", "#1", "-p", "#2-#4")
    done = lossctl(*asked, "-l", "cross_entropy", "-f", "value")
    assert float(done.out) == pytest.approx(EXPECTED, rel=1e-15)
    assert "classes by position: #2 = 0, #3 = 1, #4 = 2" in done.err
    table[:, 0] += 2  # as the columns are numbered
    np.savetxt(path, table, delimiter=",") if suffix == "csv" else np.save(path, table)
    done = lossctl(*asked, "-l", "cross_entropy")
    assert done.status == 2
    line = next(shlex.split(line)[1:] for line in done.err.splitlines() if line.startswith("  lossctl"))
    assert float(lossctl(*line, "-f", "value").out) == pytest.approx(EXPECTED, rel=1e-15)


def test_a_label_by_whose_words_rows_are_grouped_is_still_the_label():
    words = ["cat", "dog", "owl"]
    data = {**dict(zip(words, np.array(ROWS).T, strict=True)), "pet": [words[place] for place in PLACES]}
    cats, dogs = lossctl.evaluate(data, None, by="pet").results
    assert cats.value == pytest.approx(-math.log(0.7 * 0.8) / 2, rel=1e-15)
    assert dogs.value == pytest.approx(-math.log(0.6), rel=1e-15)


@pytest.mark.parametrize("form", ["{}", ".pred_{}"])
@pytest.mark.parametrize(
    "name",
    [
        ".pred_class", "pred", "predicted", "prediction", "yhat", "y_pred", "predicted_class", "species_pred", "top1",
        "predicted_label", "predictedLabel", "argmax",
    ],
)  # fmt: skip
def test_the_class_that_is_predicted_is_not_taken_for_the_label(name, form):
    words = ("setosa", "versicolor", "virginica")
    likeliest = {name: [words[place] for place in (0, 1, 0)] * 4}
    columns = {form.format(word): [row[place] for row in ROWS] * 4 for place, word in enumerate(words)}
    truth = {"Species": [words[place] for place in (2, 1, 0)] * 4}
    expected = -math.log(0.1 * 0.6 * 0.8) / 3
    report = lossctl.evaluate({**likeliest, **columns, **truth}, "cross_entropy")
    assert report.value == pytest.approx(expected, rel=1e-15)
    with pytest.raises(lossctl.UsageError):
        lossctl.evaluate({**likeliest, **columns}, "cross_entropy")
    with pytest.raises(Undecided, match="decision, Species"):
        lossctl.evaluate({"decision": likeliest[name], **columns, **truth}, "cross_entropy")
