"""``lossctl samples``: the rows, worst first or in order, with their losses and gradients."""

import io
import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq
import pytest
from stored import write_lines
from transcripts import CLASSES, close, read_table

import lossctl as library


@pytest.fixture(scope="module")
def regression(sample_data):
    """The rows of regression.csv with their huber losses and gradients, computed by the library."""
    data = pyarrow.csv.read_csv(sample_data / "regression.csv")
    label, prediction = data["y"].to_numpy(), data["prediction"].to_numpy()
    huber = library.get_loss("huber")
    return data, huber.value(label, prediction), huber.gradient(label, prediction)


def assert_rows(table, regression, rows):
    data, loss, gradient = regression
    assert table["row"].to_pylist() == [row + 1 for row in rows]
    assert table["loss"].to_pylist() == loss[rows].tolist()
    assert table["gradient"].to_pylist() == gradient[rows].tolist()
    assert table.column_names == ["row", "loss", "gradient", *data.column_names]
    for name in data.column_names:
        assert table[name].to_pylist() == data.take(rows)[name].to_pylist()


@pytest.mark.parametrize("source", ["csv", "parquet"])
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_the_worst_rows_go_to_a_file_worst_first(lossctl, sample_data, regression, tmp_path, source, suffix):
    target = tmp_path / f"worst{suffix}"
    done = lossctl("samples", sample_data / f"regression.{source}", "-l", "huber", "-o", target, "--top", "100")
    assert (done.status, done.out) == (0, "")
    assert f"wrote {target}: 100 rows" in done.err
    assert list(tmp_path.iterdir()) == [target], "nothing is left beside the target"
    assert_rows(read_table(target), regression, np.argsort(-regression[1], kind="stable")[:100])


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_without_top_every_row_comes_in_order(lossctl, sample_data, regression, tmp_path, suffix):
    target = tmp_path / f"all{suffix}"
    assert lossctl("samples", sample_data / "regression.csv", "-l", "huber", "-o", target).status == 0
    assert list(tmp_path.iterdir()) == [target]
    table = read_table(target)
    assert_rows(table, regression, np.arange(600))
    mean = lossctl("eval", sample_data / "regression.csv", "-l", "huber", "-f", "value")
    assert math.fsum(table["loss"].to_pylist()) / 600 == close(float(mean.out))


@pytest.mark.lowest
@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("top", [[], ["--top", "7"]])
def test_samples_go_to_stdout(lossctl, sample_data, regression, form, top):
    done = lossctl("samples", sample_data / "regression.csv", "-l", "huber", "-f", form, *top)
    read = pyarrow.csv.read_csv if form == "csv" else pyarrow.json.read_json
    order = np.argsort(-regression[1], kind="stable")[:7] if top else np.arange(600)
    assert done.status == 0
    assert_rows(read(io.BytesIO(done.out.encode())), regression, order)


def test_top_beyond_the_number_of_rows_is_every_row_worst_first(lossctl, sample_data, regression):
    done = lossctl("samples", sample_data / "regression.csv", "-l", "huber", "--top", "1000")
    assert_rows(
        pyarrow.csv.read_csv(io.BytesIO(done.out.encode())), regression, np.argsort(-regression[1], kind="stable")
    )


def test_rows_are_numbered_within_their_file_over_many_row_groups_and_files(lossctl, tmp_path):
    rng = np.random.default_rng(7)
    values = rng.normal(size=(2, 2500))
    paths = [tmp_path / "first.parquet", tmp_path / "second.parquet"]
    for path, prediction in zip(paths, values, strict=True):
        pq.write_table(pa.table({"y": np.zeros(2500), "p": prediction}), path, row_group_size=1000)
    order = np.argsort(-np.abs(values.ravel()), kind="stable")[:50]
    expected = [(str(paths[at // 2500]), at % 2500 + 1) for at in order.tolist()]
    target = tmp_path / "worst.parquet"
    assert lossctl("samples", *paths, "-l", "mae", "--top", "50", "-o", target).status == 0
    table = pq.read_table(target)
    assert list(zip(table["file"].to_pylist(), table["row"].to_pylist(), strict=True)) == expected
    assert table["loss"].to_pylist() == np.abs(values.ravel())[order].tolist()
    (result,) = lossctl("eval", *paths, "-l", "mae", "--samples", "50", "-f", "json").json["results"]
    assert [(it["file"], it["row"]) for it in result["samples"]] == expected
    whole = tmp_path / "whole.parquet"
    assert lossctl("samples", *paths, "-l", "mae", "-o", whole).status == 0
    table = pq.read_table(whole)
    assert table["row"].to_pylist() == [*range(1, 2501)] * 2
    assert table["loss"].to_pylist() == np.abs(values.ravel()).tolist()


def test_samples_of_a_vector_prediction_have_a_gradient_for_each_column(lossctl, sample_data, tmp_path):
    target = tmp_path / "all.parquet"
    file = sample_data / "classes.csv"
    assert lossctl("samples", file, "-l", "cross_entropy", "-p", "p_*", "-o", target).status == 0
    data, table = pyarrow.csv.read_csv(file), pq.read_table(target)
    prediction = np.column_stack([data[name].to_numpy() for name in CLASSES])
    label = np.array([["bird", "cat", "dog"].index(name) for name in data["label"].to_pylist()])
    loss = library.get_loss("cross_entropy")
    assert table["loss"].to_pylist() == loss.value(label, prediction).tolist()
    gradient = np.column_stack([table[f"gradient_{name}"].to_numpy() for name in CLASSES])
    assert gradient.tolist() == loss.gradient(label, prediction).tolist()
    assert table["label"].to_pylist() == data["label"].to_pylist()


def test_samples_of_several_losses_and_models_name_their_columns(lossctl, sample_data):
    done = lossctl("samples", sample_data / "binary.csv", "-l", "bce,mse", "-p", "a=p_a", "-p", "p_b", "-f", "jsonl")
    first = json.loads(done.out.splitlines()[0])
    names = [name for name in first if name.startswith(("loss", "gradient"))]
    assert names == [
        f"{what}_{loss}_{model}" for model in ("a", "p_b") for loss in ("bce", "mse") for what in ("loss", "gradient")
    ]
    assert first["loss_mse_a"] == (first["p_a"] - first["label"]) ** 2


def test_rows_left_out_of_samples_are_counted_and_the_others_keep_their_numbers(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p,w", "1,2,1", ",3,1", "3,4,0", "4,6,1")
    done = lossctl("samples", file, "-l", "mae", "-w", "w", "--nulls", "drop")
    assert [line.split(",")[:2] for line in done.out.splitlines()[1:]] == [["1", "1"], ["4", "2"]]
    assert "2 of 4 rows left out" in done.err


def test_a_column_of_the_data_called_loss_is_kept(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p,loss,row", "1,2,7,8")
    done = lossctl("samples", file, "-l", "mae", "-f", "jsonl")
    line = json.loads(done.out)
    assert (line["loss"], line["row"]) == (7, 8)
    assert (line["lossctl_loss"], line["lossctl_row"]) == (1, 1)


def test_a_loss_that_is_not_finite_is_null_in_json_lines_and_named(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p", "1,0")
    line = json.loads(
        lossctl("samples", file, "-l", "bce", "--eps", "0", "-f", "jsonl").out, parse_constant=pytest.fail
    )
    assert line["loss"] is None
    assert line["nonfinite"] == {"loss": "Infinity", "gradient": "-Infinity"}


@pytest.mark.parametrize(("classes", "said"), [(3, False), (30, True)])
def test_rows_of_many_numbers_say_where_they_can_be_looked_at(lossctl, tmp_path, classes, said):
    rows = np.random.default_rng(1).normal(size=(9, classes)).tolist()
    table = pa.table({"label": [row % 2 for row in range(9)], "logits": rows})
    pq.write_table(table, tmp_path / "rows.parquet")
    asked = [tmp_path / "rows.parquet", "-y", "label", "-p", "logits", "-l", "cross_entropy", "--from-logits"]
    done = lossctl("samples", *asked, "--top", 3)
    assert done.status == 0
    assert ("lossctl eval --samples 3 names the largest" in done.err) == said
    assert "--samples" not in lossctl("samples", *asked, "-o", tmp_path / "out.csv").err
    assert "truth" in lossctl("eval", *asked, "--samples", 3).out
