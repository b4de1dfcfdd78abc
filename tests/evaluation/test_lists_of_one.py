"""A list of one number is that number, and no label is ever held against the prediction of another row."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joined import store
from stored import write

import lossctl

SHAPES = {"numbers": lambda values: values, "lists": lambda values: [[value] for value in values]}


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".arrow"])
@pytest.mark.parametrize("label", SHAPES)
@pytest.mark.parametrize("prediction", SHAPES)
def test_in_every_format(tmp_path, suffix, label, prediction):
    # Errors 0.5, 0, −0.5: by hand their mean square is 1/6; spread over each other it would be 31/36.
    columns = {"y": SHAPES[label]([1.0, 2.0, 0.5]), "p": SHAPES[prediction]([1.5, 2.0, 0.0])}
    path = store(tmp_path / f"rows{suffix}", pa.table(columns))
    assert lossctl.evaluate(path, "mse", label="y", prediction="p").value == pytest.approx(1 / 6, rel=1e-15)
    (result,) = lossctl.evaluate(path, "rmse", label="y", prediction="p", gradient=True, samples=1).results
    assert result.n == 3


@pytest.mark.parametrize("label", [(3,), (3, 1)])
@pytest.mark.parametrize("prediction", [(3,), (3, 1)])
def test_of_arrays(label, prediction):
    y, p = np.reshape([1, 2, 0.5], label), np.reshape([1.5, 2, 0], prediction)
    assert lossctl.evaluate({"y": y, "p": p}, "mse", label="y", prediction="p").value == pytest.approx(1 / 6, rel=1e-15)
    loss = lossctl.get_loss("mse")
    if label == prediction:
        assert loss.value(y, p).tolist() == [0.25, 0.0, 0.25]
    else:
        with pytest.raises(lossctl.UsageError, match=r"is \(n, 1\), but not the other"):
            loss.value(y, p)


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".arrow"])
@pytest.mark.parametrize("width", [0, 2])
def test_of_weights(tmp_path, suffix, width):
    # Errors 0.5, 0, −0.5 of weight 2, 1, 0: by hand their mean square is 0.5/3.
    wide = {0: lambda values: values, 2: lambda values: [[value, value] for value in values]}[width]
    columns = {"y": wide([1.0, 2.0, 0.5]), "p": wide([1.5, 2.0, 0.0]), "w": SHAPES["lists"]([2.0, 1.0, 0.0])}
    path = store(tmp_path / f"rows{suffix}", pa.table(columns))
    (result,) = lossctl.evaluate(path, "mse", label="y", prediction="p", weight="w").results
    assert result.value == pytest.approx(0.5 / 3, rel=1e-15)
    assert (result.n, result.n_zero_weight, result.sum_weight) == (2, 1, 3.0)
    assert lossctl.diagnose(path, label="y", prediction="p", weight="w").rows == 3


def test_a_weight_is_a_list_of_one_in_every_row():
    rows = {"y": [1.0, 2.0], "p": [1.0, 2.0], "w": [[1.0], [1.0, 2.0]]}
    with pytest.raises(lossctl.DataError, match=r"row 2: column 'w' is a list of 2; must be a list of 1 number \("):
        lossctl.evaluate(pa.table(rows), "mse", label="y", prediction="p", weight="w")


@pytest.mark.parametrize("order", ["p1,p2", "p2,p1"])
def test_of_classes(order):
    rows = {"p1": [0.75, 0.5], "p2": [0.25, 0.5]}
    report = lossctl.evaluate({"y": np.array([[1], [2]]), **rows}, "cross_entropy", label="y", prediction=order)
    assert report.value == pytest.approx(-np.log([0.75, 0.5]).mean(), rel=1e-15)


def test_the_loss_and_the_diagnosis_are_those_of_numbers(lossctl, tmp_path):
    plain, lists = tmp_path / "plain.parquet", tmp_path / "lists.parquet"
    y, p = [0, 1, 1, 0], [0.25, 0.75, 0.5, 0.5]
    write(plain, pa.table({"y": y, "p": p}))
    write(lists, pa.table({"y": SHAPES["lists"](y), "p": SHAPES["lists"](p)}))
    for command in (["eval", "-f", "json"], ["doctor", "-f", "json"], ["samples", "-f", "csv"]):
        told = [lossctl(command[0], path, *command[1:]) for path in (plain, lists)]
        assert [outcome.status for outcome in told] == [0, 0]
        if command[0] == "eval":
            assert told[0].json["results"] == told[1].json["results"]
            assert "bce" in {result["loss"] for result in told[1].json["results"]}
        elif command[0] == "doctor":
            assert told[0].json["models"] == told[1].json["models"]
            assert told[0].json["findings"] == told[1].json["findings"]


@pytest.mark.parametrize("column", ["y", "p"])
def test_a_longer_list_later_is_an_error_with_its_row(column):
    rows = {"y": [[1.0], [2.0]], "p": [[1.0], [2.0]]} | {column: [[1.0], [2.0, 3.0]]}
    with pytest.raises(
        lossctl.DataError, match=rf"row 2: column '{column}' is a list of 2; must be a list of 1 number,"
    ):
        lossctl.evaluate(pa.table(rows), "mse", label="y", prediction="p")
    assert (
        lossctl.evaluate(pa.table(rows | {column: [[1.0], None]}), "mse", nulls="drop", label="y", prediction="p").value
        == 0.0
    )


CODES = np.arange(24) % 3
SCORES = np.eye(3)[CODES] * 2.5 - 1 + np.random.default_rng(3).normal(0, 0.3, (24, 3))
TASKS = {
    "logits of classes": (CODES, SCORES, "cross_entropy"),
    "probabilities of classes from 1": (CODES + 1, np.eye(3)[CODES] * 0.7 + 0.1, "cross_entropy"),
    "probabilities": (CODES % 2, 0.3 + 0.4 * (CODES % 2) + CODES / 10, "bce"),
    "logits": (CODES % 2, SCORES[:, 1], "bce"),
    "decisions": (CODES % 2, (SCORES[:, 1] > 0).astype(float), "zero_one"),
    "numbers": (SCORES[:, 0] + 0.25, SCORES[:, 0], "mse"),
}
FORMS = {
    "plain": lambda values: pa.array(values) if values.ndim == 1 else FORMS["fixed"](values),
    "fixed": lambda values: pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values[:1].size),
    "lists": lambda values: pa.array(values.reshape(len(values), -1).tolist()),
}


@settings(max_examples=20)
@given(
    task=st.sampled_from([*TASKS]),
    label=st.sampled_from([*FORMS]),
    prediction=st.sampled_from([*FORMS]),
    kind=st.sampled_from(["float32", "float64", "int64", "bool"]),
    array=st.booleans(),
    named=st.booleans(),
)
def test_of_any_type_and_role_it_is_told_as_the_number_is(task, label, prediction, kind, array, named, tmp_path):
    y, p, loss = TASKS[task]
    if task != "numbers" and (kind != "bool" or y.max() == 1):
        y = y.astype(kind)
    asked = loss if named or task == "decisions" else ()
    logits = {"from_logits": True} if named and task.startswith("logits") else {}
    if array:
        path = tmp_path / "arrays.npz"
        np.savez(path, y_true=y if label == "plain" else y[:, None], y_pred=p if p.ndim == 2 else p[:, None])
    else:
        path = pa.table({"y_true": FORMS[label](y), "y_pred": FORMS[prediction](p)})
    plain = lossctl.evaluate(pa.table({"y_true": FORMS["plain"](y), "y_pred": FORMS["plain"](p)}), asked, **logits)
    report = lossctl.evaluate(path, asked, **logits)
    told, expected = ([(each.loss, each.value) for each in made.results] for made in (report, plain))
    assert told == expected
    assert told[0][0] == loss


def test_labels_of_one_beside_vectors_pass_every_command(lossctl, tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, y_true=CODES[:, None], y_pred=SCORES)
    for command in ("eval", "samples", "doctor"):
        assert lossctl(command, path).status == 0
