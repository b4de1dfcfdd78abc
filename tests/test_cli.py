"""The command line: transcripts, exit statuses, pipes, signals, terminals; numbers from sample_data/answers.json."""

import csv
import fcntl
import io
import itertools
import json
import math
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq
import pytest

import lossctl as library
from lossctl.cli.command import commands

ESCAPE = "\x1b["
CLOSE = 1e-13
"""Known answers are the exact result rounded; summing doubles may be a few units of the last place away."""
CLASSES = ["p_bird", "p_cat", "p_dog"]


def close(value):
    return pytest.approx(value, rel=CLOSE)


def write_csv(path, header, *rows):
    path.write_text("\n".join([header, *rows, ""]), newline="")
    return path


def read_table(path):
    if path.suffix == ".parquet":
        return pq.read_table(path)
    return (pyarrow.csv.read_csv if path.suffix == ".csv" else pyarrow.json.read_json)(path)


def repeated(path, rows):
    """A large CSV whose first row has the largest loss."""
    path.write_bytes(b"y,p\n9.5,0.25\n" + b"1.5,0.25\n" * (rows - 1))
    return path


# ---------------------------------------------------------------------------------------------------------------- eval


@pytest.mark.lowest
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_loss_of_a_file_is_the_known_answer(lossctl, sample_data, answer, suffix):
    known = answer("regression.csv", "huber", "prediction")
    done = lossctl("eval", sample_data / f"regression.{suffix}", "--loss", "huber", "-f", "json")
    (result,) = done.json["results"]
    assert done.status == 0
    assert (result["loss"], result["n"]) == ("huber", 600)
    assert result["value"] == known["value"]
    assert result["standard_error"] == close(known["standard_error"])


def test_the_text_without_a_format_shows_value_error_and_rows(lossctl, sample_data):
    done = lossctl("eval", sample_data / "regression.csv", "--loss", "huber")
    assert done.status == 0
    assert "0.222576" in done.out
    assert "0.0335213" in done.out
    assert "600 read, 600 used, 0 dropped" in done.out
    assert "huber: delta=1" in done.out


@pytest.mark.lowest
def test_several_losses_with_parameters_and_gradients(lossctl, sample_data, answer):
    specs = "mse,mae,huber:delta=0.5,log_cosh"
    done = lossctl("eval", sample_data / "regression.csv", "-l", specs, "--grad", "-f", "json")
    results = done.json["results"]
    assert done.status == 0
    assert [result["loss"] for result in results] == specs.split(",")
    for result in results:
        known = answer("regression.csv", result["loss"], "prediction")
        assert result["value"] == close(known["value"])
        assert result["standard_error"] == close(known["standard_error"])
        assert result["wrt"] == "prediction"
        assert 0 < result["top1_share"] < 1


@pytest.mark.parametrize(
    ("file", "loss", "columns", "weight"),
    [
        ("regression.csv", "huber", "prediction", None),
        ("regression.csv", "huber", "prediction", "weight"),
        ("binary.csv", "bce", "p_a", None),
        ("binary.csv", "bce", "p_a", "weight"),
        ("classes.csv", "cross_entropy", CLASSES, None),
    ],
)
def test_gradient_norms_are_the_known_ones(lossctl, sample_data, answer, file, loss, columns, weight):
    known = answer(file, loss, columns, weight=weight)["gradient"]
    pattern = columns if isinstance(columns, str) else "p_*"
    weights = ["-w", weight] if weight else []
    done = lossctl("eval", sample_data / file, "-l", loss, "-p", pattern, *weights, "--grad", "-f", "json")
    (result,) = done.json["results"]
    assert result["grad_l2"] == close(known["l2"])
    assert result["grad_l1"] == close(known["l1"])
    assert result["grad_linf"] == close(known["linf"])


@pytest.mark.lowest
def test_two_models_by_group_with_weights(lossctl, sample_data, answer):
    columns = ["-p", "p_a", "-p", "p_b", "--by", "segment", "-w", "weight"]
    done = lossctl("eval", sample_data / "binary.csv", "-l", "bce", *columns, "-f", "json")
    results = done.json["results"]
    assert done.status == 0
    assert [(it["model"], it["group"]["segment"]) for it in results] == [
        (model, segment) for model in ("p_a", "p_b") for segment in ("desktop", "mobile", "tablet")
    ]
    for result in results:
        group = result["group"]["segment"]
        known = answer("binary.csv", "bce", result["model"], weight="weight", by="segment", group=group)
        assert result["n"] == known["n"]
        assert result["value"] == close(known["value"])
        assert result["standard_error"] == close(known["standard_error"])


@pytest.mark.parametrize("loss", ["bce", "focal"])
def test_from_logits_takes_scores(lossctl, sample_data, answer, loss):
    done = lossctl("eval", sample_data / "logits.csv", "-l", loss, "--from-logits", "-f", "json", "--grad")
    assert done.status == 0
    assert done.values == [close(answer("logits.csv", loss, "logit")["value"])]
    assert done.json["results"][0]["wrt"] == "pre-activation of sigmoid"


def test_a_glob_is_one_vector_valued_model(lossctl, sample_data, answer):
    done = lossctl("eval", sample_data / "classes.csv", "-l", "cross_entropy", "-p", "p_*", "-f", "json")
    assert done.status == 0
    assert done.values == [close(answer("classes.csv", "cross_entropy", CLASSES)["value"])]
    assert done.json["inputs"]["models"] == {"p_*": CLASSES}
    assert done.json["inputs"]["classes"] == ["bird", "cat", "dog"]


def test_a_parameter_may_be_none(lossctl, sample_data, answer):
    spec = "focal:gamma=2,alpha=none"
    done = lossctl("eval", sample_data / "binary.csv", "-l", spec, "-p", "p_a", "-f", "json")
    assert done.status == 0
    assert done.values == [close(answer("binary.csv", spec, "p_a")["value"])]
    assert done.json["results"][0]["parameters"]["alpha"] is None


@pytest.mark.parametrize(
    ("arguments", "loss"),
    [(["-l", "mse", "--reduction", "root-mean"], "rmse"), (["-l", "mae", "--reduction", "sum"], "l1")],
)
def test_a_reduction_on_request(lossctl, sample_data, answer, arguments, loss):
    known = answer("regression.csv", loss, "prediction")
    (result,) = lossctl("eval", sample_data / "regression.csv", *arguments, "-f", "json").json["results"]
    assert result["value"] == close(known["value"])
    assert result["standard_error"] == close(known["standard_error"])


def test_samples_shows_the_worst_rows(lossctl, sample_data):
    file = sample_data / "regression.csv"
    data = pyarrow.csv.read_csv(file)
    label, prediction = data["y"].to_numpy(), data["prediction"].to_numpy()
    loss = library.get_loss("huber").value(label, prediction)
    worst = np.argsort(-loss, kind="stable")[:5]
    (result,) = lossctl("eval", file, "-l", "huber", "--samples", "5", "-f", "json").json["results"]
    assert [it["row"] for it in result["samples"]] == (worst + 1).tolist()
    assert [it["value"] for it in result["samples"]] == loss[worst].tolist()
    assert [it["label"] for it in result["samples"]] == label[worst].tolist()
    assert [it["prediction"] for it in result["samples"]] == prediction[worst].tolist()
    text = lossctl("eval", file, "-l", "huber", "--samples", "5").out
    assert all(f"\n{row:>3}  " in text for row in (worst + 1).tolist())


def test_without_a_loss_it_picks_what_suits_and_says_so(lossctl, sample_data):
    for file, flags, picked in (
        ("regression.csv", [], ["mse", "mae", "huber"]),
        ("binary.csv", ["-p", "p_a"], ["bce"]),
        ("classes.csv", ["-p", "p_*"], ["cross_entropy"]),
    ):
        done = lossctl("eval", sample_data / file, *flags, "-f", "json")
        assert [result["loss"] for result in done.json["results"]] == picked
        assert f"note: loss: {', '.join(picked)}, chosen because" in done.err


# ------------------------------------------------------------------------------------------------------------- formats


def test_value_is_one_bare_number_that_reads_back_the_same(lossctl, sample_data, answer):
    done = lossctl("eval", sample_data / "regression.csv", "-l", "huber", "-f", "value")
    assert done.status == 0
    assert re.fullmatch(r"\S+\n", done.out)
    assert float(done.out) == answer("regression.csv", "huber", "prediction")["value"]


def test_value_of_several_results_is_a_usage_error(lossctl, sample_data):
    done = lossctl("eval", sample_data / "regression.csv", "-l", "huber,mse", "-f", "value")
    assert (done.status, done.out) == (2, "")
    assert "2 results" in done.err
    assert "report[" not in done.err, "the way out is one of the command line, not of the library"


def test_json_is_what_a_strict_parser_takes(plain_environment, sample_data, answer):
    script = '"$0" -m lossctl eval "$1" -l huber -f json | "$0" -m json.tool'
    command = ["bash", "-o", "pipefail", "-c", script, sys.executable, str(sample_data / "regression.csv")]
    done = subprocess.run(command, capture_output=True, text=True, env=plain_environment(), timeout=60, check=False)
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report["schema_version"] == 1
    assert report["results"][0]["value"] == answer("regression.csv", "huber", "prediction")["value"]


@pytest.mark.lowest
def test_every_format_carries_the_same_numbers(lossctl, sample_data):
    def run(form):
        return lossctl("eval", sample_data / "regression.csv", "-l", "mse,huber:delta=0.5", "--grad", "-f", form).out

    results = json.loads(run("json"))["results"]
    assert [json.loads(line) for line in run("jsonl").splitlines()] == results
    for form, delimiter in (("csv", ","), ("tsv", "\t")):
        rows = list(csv.DictReader(io.StringIO(run(form)), delimiter=delimiter))
        for row, result in zip(rows, results, strict=True):
            assert row["loss"] == result["loss"]
            for name in ("n", "value", "standard_error", "grad_l2", "top1_share"):
                assert float(row[name]) == result[name]
    for form in ("table", "plain", "markdown"):
        text = run(form)
        assert all(f"{result['value']:.6g}" in text for result in results)
    assert "| loss" in run("markdown")
    assert (
        f"{results[0]['value']:.12g}"
        in lossctl("eval", sample_data / "regression.csv", "-l", "mse", "--precision", "12").out
    )


def test_output_writes_files_by_suffix_and_leaves_nothing_else(lossctl, sample_data, tmp_path):
    paths = [tmp_path / f"out.{suffix}" for suffix in ("json", "jsonl", "csv", "tsv", "md", "txt")]
    flags = [flag for path in paths for flag in ("-o", path)]
    done = lossctl("eval", sample_data / "regression.csv", "-l", "huber", "-f", "json", *flags)
    assert done.status == 0
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths}
    assert (tmp_path / "out.json").read_text() == done.out
    assert all(f"wrote {path}" in done.err for path in paths)
    assert all("huber" in path.read_text() and ESCAPE not in path.read_text() for path in paths)


# --------------------------------------------------------------------------------------------------------------- gates


@pytest.mark.parametrize(
    ("bound", "status", "verdict"),
    [
        ("huber=0.1", 1, r"FAIL huber 0\.2225756438\d* > 0\.1"),
        ("0.1", 1, r"FAIL huber 0\.2225756438\d* > 0\.1"),
        ("HUBER=0.1", 1, r"FAIL huber 0\.2225756438\d* > 0\.1"),
        ("huber=0.3", 0, r"PASS huber 0\.2225756438\d* <= 0\.3"),
        ("0.22257564380833333", 0, r"PASS huber"),
        ("inf", 0, r"PASS huber"),
    ],
)
def test_a_gate_says_the_inequality_and_decides_the_exit_status(lossctl, sample_data, bound, status, verdict):
    done = lossctl("eval", sample_data / "regression.csv", "-l", "huber", "--fail-above", bound)
    assert done.status == status
    assert re.search(f"^{verdict}", done.err, re.MULTILINE)
    assert "0.222576" in done.out, "the result is shown all the same"
    assert "FAIL" not in done.out


def test_a_gate_judges_every_group_and_one_that_fails_is_enough(lossctl, sample_data):
    flags = ["-l", "mse,huber:delta=0.5", "--by", "segment", "--fail-above", "mse=1", "--fail-above", "huber=9"]
    done = lossctl("eval", sample_data / "regression.csv", *flags)
    assert done.status == 1
    assert re.findall(r"^(PASS|FAIL) (\S+) segment=(\w+)", done.err, re.MULTILINE) == [
        ("FAIL", "mse", "north"),
        ("PASS", "mse", "south"),
        ("PASS", "mse", "west"),
        ("PASS", "huber:delta=0.5", "north"),
        ("PASS", "huber:delta=0.5", "south"),
        ("PASS", "huber:delta=0.5", "west"),
    ]


def test_an_infinite_loss_fails_a_gate(lossctl, tmp_path):
    file = write_csv(tmp_path / "data.csv", "y,p", "1,0", "0,0.5")
    done = lossctl("eval", file, "-l", "bce", "--eps", "0", "--fail-above", "1000")
    assert done.status == 1
    assert "inf > 1000" in done.err


def test_nothing_measured_is_never_a_pass(lossctl, tmp_path):
    file = write_csv(tmp_path / "data.csv", "y,p,g", "1,1,a", ",2,b")
    done = lossctl("eval", file, "-l", "mse", "--by", "g", "--nulls", "drop", "--fail-above", "9")
    assert (done.status, done.out) == (3, "")
    assert "g=b" in done.err


# ------------------------------------------------------------------------------------------------------------- samples


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
    file = write_csv(tmp_path / "data.csv", "y,p,w", "1,2,1", ",3,1", "3,4,0", "4,6,1")
    done = lossctl("samples", file, "-l", "mae", "-w", "w", "--nulls", "drop")
    assert [line.split(",")[:2] for line in done.out.splitlines()[1:]] == [["1", "1"], ["4", "2"]]
    assert "2 of 4 rows left out" in done.err


def test_a_column_of_the_data_called_loss_is_kept(lossctl, tmp_path):
    file = write_csv(tmp_path / "data.csv", "y,p,loss,row", "1,2,7,8")
    done = lossctl("samples", file, "-l", "mae", "-f", "jsonl")
    line = json.loads(done.out)
    assert (line["loss"], line["row"]) == (7, 8)
    assert (line["lossctl_loss"], line["lossctl_row"]) == (1, 1)


def test_a_loss_that_is_not_finite_is_null_in_json_lines_and_named(lossctl, tmp_path):
    file = write_csv(tmp_path / "data.csv", "y,p", "1,0")
    line = json.loads(
        lossctl("samples", file, "-l", "bce", "--eps", "0", "-f", "jsonl").out, parse_constant=pytest.fail
    )
    assert line["loss"] is None
    assert line["nonfinite"] == {"loss": "Infinity", "gradient": "-Infinity"}


# ------------------------------------------------------------------------------------------------------------- targets


@pytest.mark.parametrize("command", ["eval", "samples"])
@pytest.mark.parametrize("link", ["", "symbolic", "hard"])
def test_an_output_never_goes_over_an_input(lossctl, tmp_path, command, link):
    file = write_csv(tmp_path / "data.csv", "y,p", "1,2", "2,3")
    target = tmp_path / "other.csv" if link else file
    if link == "symbolic":
        target.symlink_to(file)
    elif link == "hard":
        target.hardlink_to(file)
    before, names = file.read_bytes(), sorted(tmp_path.iterdir())
    done = lossctl(command, file, "-l", "mse", "-o", target)
    assert (done.status, done.out) == (2, "")
    assert "is an input" in done.err
    assert (file.read_bytes(), sorted(tmp_path.iterdir())) == (before, names)


@pytest.mark.parametrize("command", ["eval", "samples"])
@pytest.mark.parametrize(
    ("name", "words"),
    [("out.foo", ".csv"), ("out", ".csv"), ("nowhere/out.csv", "no such directory"), ("folder.csv", "is a directory")],
)
def test_an_output_that_cannot_be_is_a_usage_error(lossctl, sample_data, tmp_path, command, name, words):
    (tmp_path / "folder.csv").mkdir()
    done = lossctl(command, sample_data / "regression.csv", "-l", "mse", "-o", tmp_path / name)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert words in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_failed_run_leaves_the_old_target_as_it_was(process, tmp_path, suffix):
    file = tmp_path / "data.csv"
    file.write_bytes(b"y,p\n" + b"1.5,0.25\n" * 1_200_000 + b"1.5,\n")
    target = tmp_path / f"out{suffix}"
    target.write_text("old")
    done = process("samples", file, "-l", "mse", "-o", target, "-q")
    assert (done.status, done.out) == (3, "")
    assert "row 1,200,001" in done.err
    assert "Traceback" not in done.err
    assert target.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"data.csv", target.name}


# --------------------------------------------------------------------------------------------------- streams and pipes


def test_results_go_to_stdout_and_notes_to_stderr(lossctl, sample_data):
    done = lossctl("eval", sample_data / "regression.csv", "-l", "huber", "-f", "csv")
    assert len(done.out.splitlines()) == 2
    assert "note: label: column 'y', chosen by its name" in done.err
    assert "note: prediction: column 'prediction', chosen by its name" in done.err


def test_quiet_drops_notes_and_twice_everything(lossctl, sample_data):
    command = ["eval", sample_data / "regression.csv", "-l", "huber", "--fail-above", "0.1"]
    once, twice = lossctl(*command, "-q"), lossctl(*command, "-qq")
    assert (once.status, "note:" in once.err, "FAIL" in once.err) == (1, False, True)
    assert "huber" in once.out
    assert twice.status == 1
    assert (twice.out, twice.err) == ("", "")


def test_samples_are_quiet_on_request(lossctl, sample_data, tmp_path):
    command = ["samples", sample_data / "regression.csv", "-l", "huber"]
    assert lossctl(*command, "-q", "-o", tmp_path / "out.csv").err == ""
    twice = lossctl(*command, "-qq")
    assert (twice.status, twice.out, twice.err) == (0, "", "")


def pipeline(script, environment, *arguments):
    command = ["bash", "-o", "pipefail", "-c", script, sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


@pytest.mark.parametrize("flags", ["", "-f jsonl", "--top 20000"])
def test_a_pipe_that_closes_ends_with_141_and_silence(plain_environment, tmp_path, flags):
    file = repeated(tmp_path / "data.csv", 30_000)
    script = f'"$0" -m lossctl samples "$1" -l mse -q {flags} | head -1; exit ${{PIPESTATUS[0]}}'
    done = pipeline(script, plain_environment(), file)
    assert len(done.stdout.splitlines()) == 1
    assert (done.returncode, done.stderr) == (141, "")


def test_a_report_into_a_closed_pipe_ends_with_141_and_silence(plain_environment, sample_data):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "lossctl", "eval", str(sample_data / "regression.csv"), "-l", "mse", "-q"]
    with open(writer, "wb") as closed:
        done = subprocess.run(
            command, stdout=closed, stderr=subprocess.PIPE, env=plain_environment(), timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("command", ["eval", "samples"])
def test_a_full_disk_is_said_and_is_no_bug(plain_environment, sample_data, command):
    done = pipeline(
        f'"$0" -m lossctl {command} "$1" -l mse -q >/dev/full', plain_environment(), sample_data / "regression.csv"
    )
    assert done.returncode not in {0, 1, 70}
    assert done.stderr.startswith("error: ")
    assert "No space left" in done.stderr
    assert "bug" not in done.stderr


def test_a_closed_stderr_changes_nothing(plain_environment, sample_data):
    done = pipeline(
        '"$0" -m lossctl eval "$1" -l mse -f value 2>&-', plain_environment(), sample_data / "regression.csv"
    )
    assert done.returncode == 0
    assert re.fullmatch(r"1\.0143\d+\n", done.stdout)


@pytest.mark.parametrize("command", ["eval", "samples"])
def test_a_closed_stdout_is_no_traceback(plain_environment, sample_data, command):
    done = pipeline(
        f'"$0" -m lossctl {command} "$1" -l mse -q >&-', plain_environment(), sample_data / "regression.csv"
    )
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    assert done.returncode not in {1, 70}


# ---------------------------------------------------------------------------------------------------- help and version


@pytest.mark.lowest
def test_version_is_one_line(lossctl):
    for flag in ("--version", "-V"):
        done = lossctl(flag)
        assert (done.status, done.err) == (0, "")
        assert re.fullmatch(r"lossctl \d+\.\d+\.\d+\S*\n", done.out)


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--version"], ["numpy", "pyarrow", "pandas", "rich.table"]),
        (["--help"], ["numpy", "pyarrow", "pandas"]),
        (["eval", "--help"], ["numpy", "pyarrow", "pandas"]),
        (["samples", "-h"], ["numpy", "pyarrow", "pandas"]),
    ],
)
def test_version_and_help_load_nothing_heavy(plain_environment, arguments, heavy):
    script = (
        "import sys; from lossctl.cli.app import run; status = run(sys.argv[2:]); "
        "print('loaded', status, *[name for name in sys.argv[1].split(',') if name in sys.modules])"
    )
    command = [sys.executable, "-c", script, ",".join(heavy), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=plain_environment(), timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "loaded 0"


@pytest.mark.lowest
def test_no_evaluation_of_a_file_loads_pandas(plain_environment, tmp_path):
    """It takes a third of a second, and Arrow asks for it wherever it is given an object of Python's."""
    table = pa.table(
        {
            "label": ["b", "a", "b"],
            "p": pa.array([[0.5, 0.5], None, [0.25, 0.75]], pa.list_(pa.float64())),
            "p_a": [0.5, 0.25, 0.75],
            "p_b": [0.5, 0.75, 0.25],
            "by": pa.array(["north", None, "south"]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    pyarrow.csv.write_csv(table.drop_columns(["p"]), tmp_path / "rows.csv")
    script = (
        "import sys; from lossctl.cli.app import run; status = run(sys.argv[1:]); "
        "print('status', status, 'pandas' in sys.modules)"
    )
    for name, prediction in (("rows.parquet", "p"), ("rows.parquet", "p_*"), ("rows.csv", "p_*")):
        options = ["-l", "cross_entropy", "-y", "label", "-p", prediction, "--classes", "a,b", "--by", "by"]
        command = [sys.executable, "-c", script, "eval", str(tmp_path / name), *options, "--grad", "--nulls", "drop"]
        done = subprocess.run(command, capture_output=True, text=True, env=plain_environment(), timeout=60, check=True)
        assert done.stdout.splitlines()[-1] == "status 0 False", (name, prediction)


@pytest.mark.lowest
@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", *commands.names()])
def test_help_ends_with_an_example_and_fits_the_terminal(lossctl, monkeypatch, command, flag):
    monkeypatch.setenv("COLUMNS", "80")
    done = lossctl(*filter(None, [command]), flag)
    assert (done.status, done.err) == (0, "")
    assert ESCAPE not in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert f"lossctl {command}".strip() in done.out
    assert "Example: lossctl" in done.out


def test_help_paragraphs_are_filled(lossctl):
    for command in commands.names():
        prose = lossctl(command, "--help").out.partition("╭")[0]
        lines = [line.strip() for line in prose.splitlines()]
        lonely = [line for line, after in itertools.pairwise(lines) if after and 0 < len(line) < 50]
        assert not lonely, "lines of the docstring are not lines of the screen"


@pytest.mark.lowest
@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["eval"], 3), (["samples"], 3)])
def test_nothing_to_do_is_an_error_with_words(lossctl, arguments, status):
    """No command is a usage error; no file means stdin, which is empty here and no terminal."""
    done = lossctl(*arguments)
    assert done.status == status
    assert ("stdin" if arguments else "lossctl") in done.out + done.err
    assert not re.search(r"^error: *$", done.err, re.MULTILINE), "an error without words"


# ---------------------------------------------------------------------------------------------------------- environment


SEVERAL = """
import sys
from lossctl.cli.app import run
file = sys.argv[1]
run(["--help"]); run(["eval", "--help"]); run(["samples", "-h"]); run(["eval"]); run(["--version"])
for form in ("plain", "table", "json", "csv", "markdown", "value"):
    run(["eval", file, "-l", "huber", "-f", form])
run(["eval", file, "-l", "hubr"]); run(["eval", "--nope"]); run(["samples", file, "-l", "huber", "--top", "2"])
"""


@pytest.mark.lowest
@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"GITHUB_ACTIONS": "1"},
        {"GITHUB_ACTIONS": "1", "NO_COLOR": "1"},
        {"NO_COLOR": "1"},
        {"TERM": "dumb"},
        {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    ],
    ids=lambda environment: ",".join(f"{name}={value}" for name, value in environment.items()) or "nothing",
)
def test_what_is_piped_has_no_colour_in_any_environment(plain_environment, sample_data, environment):
    command = [sys.executable, "-c", SEVERAL, str(sample_data / "regression.csv")]
    done = subprocess.run(
        command, capture_output=True, text=True, env=plain_environment(**environment), timeout=60, check=True
    )
    assert "huber" in done.stdout
    assert ESCAPE not in done.stdout
    assert ESCAPE not in done.stderr


def test_force_color_colours_a_piped_table_and_no_color_wins_over_it(lossctl, monkeypatch, sample_data):
    command = ["eval", sample_data / "regression.csv", "-l", "huber", "-f", "table"]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert ESCAPE in lossctl(*command).out
    assert ESCAPE not in lossctl(*command, "--color", "never").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in lossctl(*command).out
    assert ESCAPE in lossctl(*command, "--color", "always").out, "what is asked for wins over the environment"


@pytest.mark.parametrize("form", ["plain", "json", "jsonl", "csv", "tsv", "markdown", "value"])
def test_colour_is_for_tables_only(lossctl, sample_data, tmp_path, form):
    target = tmp_path / "out.txt"
    command = ["eval", sample_data / "regression.csv", "-l", "huber", "--color", "always", "-f", form, "-o", target]
    done = lossctl(*command)
    assert done.status == 0
    assert ESCAPE not in done.out + done.err + target.read_text()


# ------------------------------------------------------------------------------------------------------------- terminal


def on_terminal(arguments, environment, columns):
    """What a command writes to a terminal of some width, stdout and stderr together."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    running = subprocess.Popen(
        [sys.executable, "-m", "lossctl", *map(str, arguments)], stdin=end, stdout=end, stderr=end, env=environment
    )
    os.close(end)
    heard = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        heard += piece
    os.close(terminal)
    return running.wait(timeout=60), heard.decode().replace("\r\n", "\n")


@pytest.mark.lowest
@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_a_boxed_table_that_fits_and_a_pipe_plain_text(
    plain_environment, process, sample_data, columns
):
    command = ["eval", sample_data / "binary.csv", "-l", "bce,focal:gamma=1.5", "-p", "p_a", "-p", "p_b"]
    command += ["--by", "segment", "-w", "weight", "--grad", "--samples", "1", "--no-progress"]
    status, heard = on_terminal(command, plain_environment(TERM="xterm"), columns)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", heard)
    assert status == 0
    assert ESCAPE not in bare
    assert bare != heard, "a terminal is coloured"
    assert "╭" in bare
    assert max(map(len, bare.splitlines())) <= columns
    piped = process(*command)
    assert "╭" not in piped.out
    assert ESCAPE not in piped.out
    numbers = re.findall(r"\d+\.\d{4,}", piped.out)
    assert len(numbers) > 100
    assert [number for number in numbers if number not in bare] == [], "no digit is lost to a narrow terminal"


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_a_terminal_without_colour_gets_none(plain_environment, sample_data, environment):
    command = ["eval", sample_data / "regression.csv", "-l", "huber"]
    status, heard = on_terminal(command, plain_environment(**environment), 80)
    assert status == 0
    assert "╭" in heard
    assert ESCAPE not in heard
    status, heard = on_terminal(["eval", "--help"], plain_environment(**environment), 80)
    assert status == 0
    assert ESCAPE not in heard


# -------------------------------------------------------------------------------------------------------------- signals


@pytest.fixture(scope="module")
def millions(tmp_path_factory):
    """A file that takes a second or two to write out again."""
    return repeated(tmp_path_factory.mktemp("millions") / "data.csv", 3_000_000)


# A shell may start the tests with SIGINT ignored, which children inherit.
LISTENING = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from lossctl.cli.app import main; main()"
)


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_signal_leaves_the_target_whole_or_absent(plain_environment, millions, tmp_path, sent, status, suffix):
    target = tmp_path / f"out{suffix}"
    command = [sys.executable, "-c", LISTENING, "samples", str(millions), "-l", "mse", "-q", "-o", str(target)]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=plain_environment()
    )
    deadline = time.monotonic() + 30
    while not any(path.stat().st_size for path in tmp_path.iterdir()):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    running.send_signal(sent)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (status, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_threads_that_read(plain_environment, millions, sent, status):
    # stderr tells when the run has begun: the first file is open by the time the second is missed only at the end.
    script = (
        "import signal, sys, threading; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import lossctl.evaluation.measure as measure\n"
        "original = measure.validate\n"
        "def validate(*given):\n"
        "    print('reading', flush=True)\n"
        "    return original(*given)\n"
        "measure.validate = validate\n"
        "from lossctl.cli.app import main; main()\n"
    )
    files = [str(millions)] * 20
    running = subprocess.Popen(
        [sys.executable, "-c", script, "eval", *files, "-l", "log_cosh", "-q"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=plain_environment(),
    )
    assert running.stdout.readline().startswith("reading")  # by two threads, perhaps
    began = time.monotonic()
    running.send_signal(sent)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (status, "")
    assert "log_cosh" not in out
    assert time.monotonic() - began < 3


# ---------------------------------------------------------------------------------------------------- columns and rows


def test_nulls_dropped_are_counted(lossctl, tmp_path):
    file = write_csv(tmp_path / "data.csv", "y,p,g", "1,2,a", ",3,a", "2,,b", "nan,NA,b", "5,5,b")
    done = lossctl("eval", file, "-l", "mse", "--nulls", "drop", "-f", "json")
    (result,) = done.json["results"]
    assert (result["value"], result["n"], result["n_null"]) == (0.5, 2, 3)
    assert done.json["inputs"]["nulls"] == {"y": 2, "p": 2}
    assert (done.json["inputs"]["rows"], done.json["inputs"]["rows_used"]) == (5, 2)
    assert "5 read, 2 used, 3 dropped" in lossctl("eval", file, "-l", "mse", "--nulls", "drop").out
    by = lossctl("eval", file, "-l", "mse", "--nulls", "drop", "--by", "g", "-f", "json").json["results"]
    assert [(it["group"]["g"], it["n"], it["n_null"]) for it in by] == [("a", 1, 1), ("b", 1, 2)]


def test_eps_0_gives_an_honest_infinity(lossctl, tmp_path):
    file = write_csv(tmp_path / "data.csv", "y,p", "1,0", "0,0.25")
    floored = lossctl("eval", file, "-l", "bce", "-f", "json").json["results"][0]
    assert floored["n_clipped"] == 1
    assert floored["value"] == close((-math.log(2.0**-52) - math.log(0.75)) / 2)
    assert lossctl("eval", file, "-l", "bce", "--eps", "0", "-f", "value").out == "inf\n"
    honest = lossctl("eval", file, "-l", "bce", "--eps", "0", "-f", "json").json["results"][0]
    assert (honest["value"], honest["n_infinite"], honest["n_clipped"]) == (None, 1, 0)
    assert honest["nonfinite"]["value"] == "Infinity"


def test_text_labels_of_a_binary_loss_are_named_by_classes(lossctl, tmp_path):
    file = write_csv(tmp_path / "data.csv", "y,p", "no,0.25", "yes,0.5")
    expected = (-math.log(0.75) - math.log(0.5)) / 2
    assert lossctl("eval", file, "-l", "bce", "--classes", "no,yes", "-f", "json").values == [close(expected)]
    swapped = (-math.log(0.25) - math.log(0.5)) / 2
    assert lossctl("eval", file, "-l", "bce", "--classes", "yes,no", "-f", "json").values == [close(swapped)]


def test_the_note_about_a_chosen_loss_names_the_loss_shown(lossctl, tmp_path):
    file = write_csv(tmp_path / "data.csv", "y,p", "no,0.25", "yes,0.5")
    done = lossctl("eval", file, "--classes", "no,yes", "-f", "json")
    assert [result["loss"] for result in done.json["results"]] == ["bce"]
    assert "note: loss: bce" in done.err


def test_text_labels_find_their_column_by_suffix_or_classes(lossctl, tmp_path):
    file = write_csv(tmp_path / "data.csv", "y,p_cat,p_dog", "dog,0.25,0.75", "cat,0.5,0.5")
    expected = (-math.log(0.75) - math.log(0.5)) / 2
    for flags in ([], ["--classes", "dog,cat"], ["--classes", "cat,dog"]):
        done = lossctl("eval", file, "-l", "cross_entropy", "-p", "p_*", *flags, "-f", "json")
        assert done.values == [close(expected)]
    file = write_csv(tmp_path / "bare.csv", "y,a,b", "dog,0.25,0.75", "cat,0.5,0.5")
    done = lossctl("eval", file, "-l", "cross_entropy", "-p", "a,b", "--classes", "cat,dog", "-f", "json")
    assert done.values == [close(expected)]


@pytest.mark.parametrize(
    ("pattern", "model", "columns"),
    [
        ("mine=p_1", "mine", ["p_1"]),
        ("/^p_1$/", "p_1", ["p_1"]),
        ("#2", "p_10", ["p_10"]),
        ("all=p_*", "all", ["p_1", "p_2", "p_10"]),
        ("p_*", "p_*", ["p_1", "p_2", "p_10"]),
        (r"/p_\d+/", r"/p_\d+/", ["p_1", "p_2", "p_10"]),
        ("p_2,p_1", "p_2,p_1", ["p_2", "p_1"]),
        ("p_[12]", "p_[12]", ["p_1", "p_2"]),
        ("a=b", "a=b", ["a=b"]),
    ],
)
def test_a_prediction_is_named_globbed_matched_or_numbered(lossctl, tmp_path, pattern, model, columns):
    file = write_csv(tmp_path / "data.csv", "y,p_10,p_2,p_1,t,u,v,a=b", "1,10,2,1,0,0,0,3")
    labels = [] if len(columns) == 1 else ["-y", ",".join(["t", "u", "v"][: len(columns)])]
    done = lossctl("eval", file, "-l", "mse", "-p", pattern, *(labels or ["-y", "y"]), "-f", "json")
    assert done.status == 0
    assert done.json["inputs"]["models"] == {model: columns}


def test_numbered_classes_keep_their_natural_order(lossctl, tmp_path):
    names = [f"p_{at}" for at in range(11)]
    shuffled = sorted(names)
    assert shuffled != names
    row = {name: "0.75" if name == "p_2" else "0.25" if name == "p_10" else "0" for name in names}
    file = write_csv(tmp_path / "data.csv", ",".join(["y", *shuffled]), ",".join(["2", *(row[it] for it in shuffled)]))
    done = lossctl("eval", file, "-l", "cross_entropy", "-p", "p_*", "-f", "json")
    assert done.json["inputs"]["models"] == {"p_*": names}
    assert done.values == [close(-math.log(0.75))]


VECTORS = [[0.25, 0.75], [0.5, 0.5], [0.875, 0.125]]


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64()), pa.list_(pa.float32(), 2), pa.large_list(pa.float64()), pa.list_(pa.float64(), 2)],
    ids=str,
)
def test_a_column_of_lists_is_a_vector_prediction(lossctl, tmp_path, kind):
    file, twin = tmp_path / "lists.parquet", tmp_path / "columns.parquet"
    pq.write_table(pa.table({"y": [1, 0, 0], "v": pa.array(VECTORS, kind)}), file)
    pq.write_table(pa.table({"y": [1, 0, 0], **dict(zip("ab", np.transpose(VECTORS), strict=True))}), twin)
    flags = ["-l", "cross_entropy", "--grad", "--samples", "3", "-f", "json"]
    done, same = lossctl("eval", file, "-p", "v", *flags), lossctl("eval", twin, "-p", "v=a,b", *flags)
    assert done.status == 0
    assert done.json["results"] == same.json["results"]
    target = tmp_path / "rows.parquet"
    assert lossctl("samples", file, "-p", "v", "-l", "cross_entropy", "-o", target).status == 0
    assert pq.read_table(target)["gradient"].to_pylist() == [[0, -1 / 0.75], [-2, 0], [-1 / 0.875, 0]]


def test_normalize_rows_divides_by_the_sum_and_nothing_else_does(lossctl, tmp_path):
    file = write_csv(tmp_path / "data.csv", "y,p_a,p_b", "a,2,2", "b,1,3")
    command = ["eval", file, "-l", "cross_entropy", "-p", "p_*", "-f", "json"]
    assert lossctl(*command).status == 3
    done = lossctl(*command, "--normalize-rows")
    assert done.values == [close((-math.log(0.5) - math.log(0.75)) / 2)]
    assert done.json["settings"]["normalize_rows"] is True


WHOLE, QUARTERS = [0.0, 1.0, 1.0, 0.0, 1.0], [0.25, 0.5, 1.0, 0.0, 0.75]


@pytest.mark.parametrize(
    ("kind", "prediction"),
    [
        (pa.bool_(), WHOLE[::-1]),
        (pa.int8(), WHOLE[::-1]),
        (pa.uint8(), WHOLE[::-1]),
        (pa.int64(), WHOLE[::-1]),
        (pa.float16(), QUARTERS),
        (pa.float32(), QUARTERS),
        (pa.decimal128(10, 4), QUARTERS),
        (pa.decimal256(40, 4), QUARTERS),
        (pa.dictionary(pa.int32(), pa.float64()), QUARTERS),
        (pa.dictionary(pa.int8(), pa.float64()), QUARTERS),
    ],
    ids=lambda it: str(it) if isinstance(it, pa.DataType) else "",
)
def test_storage_changes_no_digit(lossctl, tmp_path, kind, prediction):
    def column(values, kind):
        if pa.types.is_dictionary(kind):
            return pa.array(values).dictionary_encode().cast(kind)
        if pa.types.is_decimal(kind):
            return pa.array([Decimal(str(value)) for value in values], kind)
        if pa.types.is_float16(kind):
            return pa.array(np.array(values, dtype=np.float16))
        return pa.array(values).cast(kind)

    def report(kind):
        path = tmp_path / "data.parquet"
        columns = {
            "y": column(WHOLE, kind),
            "p": column(prediction, kind),
            "w": column([1.0, 1.0, 0.0, 1.0, 1.0], kind),
        }
        pq.write_table(pa.table(columns), path)
        done = lossctl("eval", path, "-l", "bce,mse,huber", "-w", "w", "--grad", "--samples", "3", "-f", "json")
        assert done.status == 0, done.err
        return done.json

    assert report(kind) == report(pa.float64())


def test_quoted_line_ends_in_a_file_of_several_shards_change_nothing(lossctl, tmp_path):
    rows, width = 60_000, 200
    rng = np.random.default_rng(1)
    label, prediction = rng.integers(0, 100, rows) / 8, rng.integers(0, 100, rows) / 8
    note = "x" * (width // 2) + "\n" + "x" * (width // 2)
    quoted, plain = tmp_path / "quoted.csv", tmp_path / "plain.csv"
    with quoted.open("w") as text:
        text.write("y,p,note\n")
        text.writelines(f'{y},{p},"{note}"\n' for y, p in zip(label.tolist(), prediction.tolist(), strict=True))
    with plain.open("w") as text:
        text.write("y,p\n")
        text.writelines(f"{y},{p}\n" for y, p in zip(label.tolist(), prediction.tolist(), strict=True))
    assert quoted.stat().st_size > 9 << 20
    command = ["-l", "mse,huber", "--samples", "20", "-f", "json"]
    done = lossctl("eval", quoted, *command)
    assert done.status == 0
    assert done.json["results"] == lossctl("eval", plain, *command).json["results"]
    target = tmp_path / "worst.parquet"
    assert lossctl("samples", quoted, "-l", "mse", "--top", "20", "-o", target).status == 0
    worst = pq.read_table(target)
    assert worst["row"].to_pylist() == [it["row"] for it in done.json["results"][0]["samples"]]
    assert set(worst["note"].to_pylist()) == {note}


@pytest.mark.parametrize(
    "content",
    [
        b"y,p\r\n1,2\r\n3,5\r\n",
        b"\xef\xbb\xbfy,p\n1,2\n3,5\n",
        b'\xef\xbb\xbf"y","p"\r\n"1","2"\r\n3,5',
        b"y,p\n1,2\n3,5",
        b"y,p\n\n1,2\n\n3,5\n\n",
        b"\ny,p\n1,2\n3,5\n",
    ],
    ids=["CRLF", "BOM", "BOM and quotes", "no last line end", "blank lines", "blank first line"],
)
def test_spellings_of_one_csv_mean_the_same(lossctl, tmp_path, content):
    file = tmp_path / "data.csv"
    file.write_bytes(content)
    done = lossctl("eval", file, "-l", "mse", "-f", "json")
    assert done.status == 0
    assert done.values == [2.5]


def test_several_files_are_one_data_set(lossctl, sample_data, tmp_path, answer):
    lines = (sample_data / "regression.csv").read_text().splitlines()
    parts = [write_csv(tmp_path / f"part_{at}.csv", lines[0], *lines[at * 200 + 1 : at * 200 + 201]) for at in range(3)]
    done = lossctl("eval", *parts, "-l", "huber", "-f", "json")
    assert done.values == [answer("regression.csv", "huber", "prediction")["value"]]
    assert done.json["inputs"]["files"] == [str(part) for part in parts]


@pytest.mark.parametrize("flags", [["--engine", "serial"], ["--threads", "1"], ["--threads", "7"]])
def test_engine_and_threads_change_no_digit(lossctl, tmp_path, flags):
    file = tmp_path / "data.parquet"
    rng = np.random.default_rng(3)
    pq.write_table(pa.table({"y": rng.normal(size=9000), "p": rng.normal(size=9000)}), file, row_group_size=700)
    command = ["eval", file, "-l", "mse,log_cosh", "--grad", "--samples", "4", "-f", "json"]
    assert lossctl(*command, *flags).out == lossctl(*command).out


# --- where the time went ---------------------------------------------------------------------------------------------


def test_profile_says_where_the_time_went_on_stderr_and_in_json(lossctl, sample_data):
    from lossctl.evaluation.clock import PHASES

    asked = ("eval", sample_data / "regression.csv", "-l", "huber", "-q")
    plain, profiled = lossctl(*asked), lossctl(*asked, "--profile")
    assert plain.out == profiled.out
    assert plain.err == ""
    assert [line.split()[0] for line in profiled.err.splitlines()][1:-1] == list(PHASES)
    found = lossctl(*asked, "-f", "json", "--profile").json["profile"]
    assert list(found) == list(PHASES)
    assert all(seconds >= 0 for seconds in found.values())
    assert found["read"] > 0
    assert "profile" not in lossctl(*asked, "-f", "json").json


def test_time_adds_up_whatever_the_order():
    from lossctl.evaluation.clock import Clock, Spent

    clock = Clock()
    clock.mark("read")
    clock.mark("read")
    a, b, c = clock.spent, Spent({"read": 1, "compute": 2}), Spent({"reduce": 3})
    assert (a + b) + c == a + (b + c)
    assert Spent() + b == b == b + Spent()
