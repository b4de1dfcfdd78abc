"""Numbers that would look right and be wrong: each of these was, or could have been, evaluated without a word."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl.errors import DataError, UsageError


def entropy(table, prediction, label="y", **options):
    return lossctl.evaluate(table, "cross_entropy", label=label, prediction=prediction, **options).value


def surprise(*probabilities):
    return pytest.approx(-np.log(probabilities).mean(), rel=1e-15)


TRUTH = {"y": pa.array([True, False]), "p_true": [0.9, 0.2], "p_false": [0.1, 0.8]}


@pytest.mark.parametrize("order", ["p_*", "p_true,p_false", "p_false,p_true"])
@pytest.mark.parametrize("classes", [[], ["true", "false"], ["false", "true"]], ids=str)
@pytest.mark.parametrize("numbers", [False, True])
def test_true_means_the_column_named_true_in_any_order(order, classes, numbers):
    table = {**TRUTH, "y": [1, 0]} if numbers else TRUTH
    assert entropy(table, order, classes=classes) == surprise(0.9, 0.8)


@pytest.mark.parametrize("prediction", ["p_*", "p_New York,p_New Jersey", "p_New Jersey,p_New York"])
@pytest.mark.parametrize("classes", [[], ["New York", "New Jersey"], ["new jersey", "new york"]], ids=str)
def test_class_names_of_several_words_find_their_columns(prediction, classes):
    table = {"y": ["New York", "New Jersey"], "p_New York": [0.9, 0.2], "p_New Jersey": [0.1, 0.8]}
    if classes and classes[0].islower():
        table["y"] = [word.lower() for word in table["y"]]
    assert entropy(table, prediction, classes=classes) == surprise(0.9, 0.8)


def test_a_class_whose_name_ends_like_another_is_not_taken_for_it():
    table = {"y": ["cat", "bobcat"], "p_cat": [0.9, 0.2], "p_bobcat": [0.1, 0.8]}
    assert entropy(table, "p_*", classes=["bobcat", "cat"]) == surprise(0.9, 0.8)


def test_classes_that_name_no_column_go_by_position_and_it_is_said():
    table = {"y": ["no", "yes"], "a1": [0.9, 0.2], "a2": [0.1, 0.8]}
    report = lossctl.evaluate(table, "cross_entropy", label="y", prediction="a1,a2", classes=["no", "yes"])
    assert report.value == surprise(0.9, 0.8)
    assert any("by position" in note and "a1 = no" in note for note in report.notes)


def test_classes_of_which_only_some_name_a_column_are_an_error():
    table = {"y": ["cat", "dog"], "p_cat": [0.9, 0.2], "p_hound": [0.1, 0.8]}
    with pytest.raises(UsageError, match="'dog' has no column"):
        entropy(table, "p_*", classes=["cat", "dog"])


def test_soft_labels_are_paired_with_predictions_by_name():
    table = {"y_a": [1.0, 0.0], "y_b": [0.0, 1.0], "p_a": [0.9, 0.2], "p_b": [0.1, 0.8]}
    for label in ("y_*", "y_b,y_a"):
        for prediction in ("p_*", "p_b,p_a"):
            assert entropy(table, prediction, label) == surprise(0.9, 0.8)
            assert entropy(table, prediction, label, classes=["b", "a"]) == surprise(0.9, 0.8)


def test_classes_that_change_nothing_are_an_error():
    with pytest.raises(UsageError, match="classes: neither"):
        lossctl.evaluate({"y": [0.0], "p": [1.0]}, "mse", label="y", prediction="p", classes=["a", "b"])


@pytest.mark.parametrize("text", ['y,p,t\n1,2,"oops\n3,4,b\n5,6,c\n', 'y,p,t\n1,2,a\n3,4,"b\n'])
def test_a_quote_that_is_never_closed_does_not_swallow_rows(text, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"row \d: .*quote|row \d: .*field"):
        lossctl.evaluate(path, "mse")


def test_samples_of_files_with_columns_in_another_order_keep_cells_under_their_names(lossctl, tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("id,y,prediction\n7,1,2\n")
    second.write_text("prediction,id,y\n3,8,1\n")
    lines = lossctl("samples", first, second, "-l", "mse", "-q", "-f", "jsonl").out.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["id"], row["y"], row["prediction"]) for row in rows] == [(7, 1, 2), (8, 1, 3)]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
@pytest.mark.parametrize("top", [[], ["--top", "3"]], ids=["all", "top"])
def test_samples_carry_columns_whose_type_changes(lossctl, tmp_path, suffix, top):
    first, second, out = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / f"out{suffix}"
    first.write_text("id,y,prediction\n1,1,2\n2,2,2\n")
    second.write_text("id,y,prediction\nx9,1,5\n")
    done = lossctl("samples", first, second, "-l", "mse", "-q", "-o", out, *top)
    assert done.status == 0, done.err
    assert "x9" in (out.read_text() if suffix != ".parquet" else str(pq.read_table(out)["id"]))


def test_samples_do_not_invent_cells_where_a_later_file_has_more_columns(lossctl, tmp_path):
    for name, columns in (("a", {"note": ["n"]}), ("b", {"note": ["m"], "z": [1]})):
        pq.write_table(pa.table({"y": [1.0], "prediction": [2.0], **columns}), tmp_path / f"{name}.parquet")
    done = lossctl("samples", tmp_path / "a.parquet", tmp_path / "b.parquet", "-l", "mse", "-q", "-f", "csv")
    assert [line.count(",") for line in done.out.splitlines()] == [6, 6, 6]


def test_what_an_activation_makes_must_be_legal_for_the_loss():
    with pytest.raises(DataError, match="probabilities"):
        entropy({"y": [0, 1], "p_a": [0.2, 0.3], "p_b": [0.9, -1.0]}, "p_*", activation="sigmoid")
    with pytest.raises(DataError, match=r"\[0, 1\]"):
        lossctl.evaluate({"y": [0, 1.0], "p": [0.2, 3.0]}, "bce", label="y", prediction="p", activation="exp")


@pytest.mark.parametrize(
    ("rows", "options", "error"),
    [
        ([[-0.5, -0.5], [0.5, 0.5]], {}, DataError),
        ([[0.0, 0.0], [0.5, 0.5]], {}, DataError),
        ([[2.0, 6.0], [0.5, 0.5]], {"from_logits": True}, UsageError),
    ],
)
def test_rows_are_normalised_only_into_probabilities(rows, options, error):
    with pytest.raises(error, match=r"normalize|positive"):
        entropy({"y": [0, 1], "p": np.array(rows)}, "p", normalize_rows=True, **options)
    with pytest.raises(UsageError, match="normalize"):
        lossctl.evaluate({"y": [0.0], "p": [1.0]}, "mse", label="y", prediction="p", normalize_rows=True)


def test_another_reduction_than_the_losss_own_is_shown(lossctl, sample_data):
    done = lossctl("eval", sample_data / "regression.csv", "-l", "rmse", "--reduction", "mean", "-q")
    assert "reduction" in done.out.splitlines()[0]


@pytest.mark.parametrize("flags", [["-w", ""], ["--by", ""], ["-p", "=prediction"], ["-p", ""], ["-l", ""]], ids=str)
def test_an_empty_variable_of_a_shell_is_an_error_and_not_a_default(lossctl, sample_data, flags):
    assert lossctl("eval", sample_data / "regression.csv", *flags).status == 2


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_losses_by_the_label_itself(lossctl, sample_data, suffix):
    done = lossctl("eval", sample_data / f"binary.{suffix}", "-p", "p_a", "-l", "bce", "--by", "label", "-f", "json")
    assert [it["group"] for it in done.json["results"]] == [{"label": "0"}, {"label": "1"}]


def test_files_need_to_agree_only_in_the_columns_that_count(lossctl, tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("id,y,prediction\n1,1,2\n")
    second.write_text("y,prediction\n1,5\n")
    assert lossctl("eval", first, second, "-l", "mse", "-f", "value", "-q").out == "8.5\n"


def test_a_gate_takes_the_name_that_was_typed(lossctl, sample_data):
    flags = ["-p", "p_a", "-l", "cross_entropy", "--fail-above", "cross_entropy=5"]
    assert lossctl("eval", sample_data / "binary.csv", *flags).status == 0


@pytest.mark.parametrize("kind", ["structs", "lists"])
def test_what_cannot_be_grouped_by_is_an_error(lossctl, tmp_path, kind):
    column = [{"a": 1}] if kind == "structs" else [[1.0]]
    pq.write_table(pa.table({"y": [1.0], "prediction": [2.0], "g": column}), tmp_path / "d.parquet")
    done = lossctl("eval", tmp_path / "d.parquet", "-l", "mse", "--by", "g")
    assert done.status == 3
    assert "grouped" in done.err


def test_a_frame_may_have_columns_that_nobody_needs_and_groups_that_are_missing():
    frame = pd.DataFrame({"y": [1.0, 2.0], "p": [1.0, 3.0], "g": [1.0, np.nan], "odd": [object(), 3]})
    report = lossctl.evaluate(frame, "mse", label="y", prediction="p", by="g")
    assert [result.group for result in report.results] == [{"g": "1"}, {"g": None}]


@pytest.mark.parametrize("wrong", [3, np.mean, None])
def test_what_is_no_loss_is_a_usage_error(wrong):
    with pytest.raises(UsageError, match="no loss"):
        lossctl.get_loss(wrong)
    with pytest.raises(UsageError, match="single numbers"):
        lossctl.get_loss("mse").value(1.0, 2.0)


def test_public_names_can_be_replaced_for_a_test():
    real = lossctl.evaluate
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lossctl, "evaluate", len)
        assert lossctl.evaluate is len
    assert lossctl.evaluate is real


def test_many_groups_cost_no_more_than_their_rows():
    n = 80_000
    report = lossctl.evaluate(
        {"y": np.zeros(n), "p": np.arange(n) % 7.0, "g": np.arange(n) // 4}, "mse", label="y", prediction="p", by="g"
    )
    assert len(report.results) == n // 4
    assert sum(result.n for result in report.results) == n
