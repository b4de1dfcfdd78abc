"""The worst rows on a screen: no row without its number, no class without its name."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.rendering.renderer import Style, renderers

ANIMALS = ("ant", "bee", "cat", "dog", "eel", "fox")
ROW = [0.01, 0.02, 0.6, 0.05, 0.2, 0.12]
"""Probabilities of the animals: those of cat, eel and fox are the largest."""


def shown(report, form="table", width=80):
    return renderers.get(form).render(report.document(), Style(width=width))


def animals(**more):
    """One dog that is taken for a cat."""
    table = pa.table({"label": ["dog"], **{name: [share] for name, share in zip(ANIMALS, ROW, strict=True)}})
    return lossctl.evaluate(table, "cross_entropy", prediction=",".join(ANIMALS), classes=ANIMALS, samples=1, **more)


def test_a_long_prediction_is_the_truth_and_the_largest_others_by_name():
    cells = shown(animals(), "plain", 200).split("worst rows")[1].splitlines()[2]
    assert "dog    truth dog 0.05, cat 0.6, eel 0.2, …" in cells
    assert cells.rstrip().endswith("dog -20, others 0"), "its gradient is −1/p at the truth, and 0 elsewhere"


def test_formats_for_machines_keep_every_number():
    sample = animals().to_dict()["results"][0]["samples"][0]
    assert (sample["label"], sample["prediction"]) == (3, ROW)


@pytest.mark.parametrize(
    ("loss", "label", "prediction", "classes", "name"),
    [
        ("bce", "spam", 0.25, ("ham", "spam"), "spam"),
        ("bce", "ham", 0.25, ("ham", "spam"), "ham"),
        ("hinge", "ham", 0.25, ("ham", "spam"), "ham"),
        ("bce", 1, 0.25, (), "1"),
        ("mse", -1.0, 0.25, (), "-1"),
    ],
)
def test_a_label_is_shown_by_the_name_of_its_class_where_it_has_one(loss, label, prediction, classes, name):
    table = {"label": [label], "prediction": [prediction]}
    table = pa.table(table)
    report = lossctl.evaluate(table, loss, classes=classes, samples=1)
    assert shown(report, "plain").split("worst rows")[1].splitlines()[2].split()[2] == name


def test_columns_name_classes_that_have_no_names_and_a_list_numbers_them():
    apart = {"label": [1], "p_a": [0.25], "p_b": [0.25], "p_c": [0.5]}
    together = {"label": [1], "p": pa.array([[0.25, 0.25, 0.5]])}
    for table, prediction, words in ((apart, "p_*", "truth b 0.25, c 0.5"), (together, "p", "truth 1 0.25, 2 0.5")):
        rows = pa.concat_tables([pa.table(table), pa.table({**pa.table(table).to_pydict(), "label": [0]})])
        report = lossctl.evaluate(rows, "cross_entropy", label="label", prediction=prediction, samples=1)
        assert words in shown(report, "plain")


def test_of_several_labels_the_same_columns_are_shown_in_label_prediction_and_gradient():
    n = 7
    table = {f"y_{column}": [0.0] for column in range(n)} | {f"p_{column}": [float(column == 5)] for column in range(n)}
    table["p_2"] = [2.0]
    report = lossctl.evaluate(pa.table(table), "mse", label="y_*", prediction="p_*", samples=1)
    text = shown(report, "plain")
    for words in ("y_2 0, ", "p_2 2, p_5 1, others 0", "p_2 0.571, p_5 0.286, others 0"):  # 2·2/7 and 2·1/7
        assert words in text


def test_one_label_of_several_is_not_their_truth():
    table = pa.table({"y_0": [0.0], "y_1": [1.0], "p_0": [0.5], "p_1": [0.5]})
    report = lossctl.evaluate(table, "mse", label="y_*", prediction="p_*", samples=1)
    assert "y_0 0, y_1 1  p_0 0.5, p_1 0.5" in shown(report, "plain")


@settings(max_examples=20)
@given(width=st.integers(30, 200), columns=st.integers(2, 12), size=st.integers(1, 30))
def test_no_part_of_a_table_of_worst_rows_is_without_the_numbers_of_its_rows(width, columns, size):
    names = [f"{'n' * size}{column}" for column in range(columns)]
    share = 1.0 / columns
    table = pa.table({"label": [names[-1]] * 3, **{name: [share] * 3 for name in names}})
    report = lossctl.evaluate(table, "cross_entropy", prediction=",".join(names), samples=3)
    blocks = shown(report, width=width).split("worst rows")[1].split("╭")[1:]
    for block in blocks:
        title, *_ = (cell.strip() for cell in block.splitlines()[1].strip("│").split("│"))
        numbers = [line.split("│")[1].strip() for line in block.splitlines()[3:] if line.startswith("│")]
        assert title == "row"
        assert [number for number in numbers if number] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("loss", "label", "prediction", "words"),
    [
        ("gaussian_nll", 1.0, [1.5, 2.0], "mean 1.5, scale 2"),
        ("interval", 1.0, [1.5, 2.0], "lower 1.5, upper 2"),
        ("bpmll", [0.0, 1.0], [1.5, 2.0], "0 0, 1 1"),
        ("cosine_proximity", [0.0, 1.0], [1.5, 2.0], "0 0, 1 1"),
        ("cross_entropy", [0.0, 1.0], [0.25, 0.75], "truth 1 0.75, 0 0.25"),
    ],
)
def test_a_number_of_a_list_is_called_what_it_is_and_a_row_of_numbers_is_no_class(loss, label, prediction, words):
    report = lossctl.evaluate({"y": [label], "p": [prediction]}, loss, label="y", prediction="p", samples=1)
    assert words in shown(report, "plain", 200).split("worst rows")[1]
