"""``lossctl eval``: numbers from sample_data/answers.json, in every format."""

import csv
import io
import json
import re
import subprocess
import sys

import numpy as np
import pyarrow.csv
import pytest
from transcripts import CLASSES, close
from waiting import HANGS

import lossctl as library

# --- eval ------------------------------------------------------------------------------------------------------------


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
    assert re.search(r"^huber +0\.223 +0\.034 +600$", done.out, re.MULTILINE)
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
        assert f"loss: {', '.join(picked)}, chosen because" in done.err


# --- formats ---------------------------------------------------------------------------------------------------------


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
    done = subprocess.run(command, capture_output=True, text=True, env=plain_environment(), timeout=HANGS, check=False)
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report["schema_version"] == 1
    assert report["results"][0]["value"] == answer("regression.csv", "huber", "prediction")["value"]


@pytest.mark.lowest
def test_every_format_carries_the_same_numbers(lossctl, sample_data):
    def run(form, *more):
        asked = ["-l", "mse,huber:delta=0.5", "--grad", "-f", form, *more]
        return lossctl("eval", sample_data / "regression.csv", *asked).out

    results = json.loads(run("json"))["results"]
    assert [json.loads(line) for line in run("jsonl").splitlines()] == results
    for form, delimiter in (("csv", ","), ("tsv", "\t")):
        rows = list(csv.DictReader(io.StringIO(run(form)), delimiter=delimiter))
        for row, result in zip(rows, results, strict=True):
            assert row["loss"] == result["loss"]
            for name in ("n", "value", "standard_error", "grad_l2", "top1_share"):
                assert float(row[name]) == result[name]
    for form in ("table", "plain", "markdown"):
        text = run(form, "--precision", "6")
        assert all(f"{result['value']:.6g}" in text for result in results)
    assert "| loss" in run("markdown")
    assert (
        f"{results[0]['value']:.12g}"
        in lossctl("eval", sample_data / "regression.csv", "-l", "mse", "--precision", "12").out
    )


@pytest.mark.parametrize(
    ("level", "hint"), [("95", "For 95 % it is 0.95."), ("0", "Such as 0.95."), ("nan", "Such as 0.95.")]
)
def test_a_confidence_level_that_is_none_is_refused_by_its_flag(lossctl, sample_data, level, hint):
    done = lossctl("eval", sample_data / "regression.csv", "-l", "mse", "--ci", level)
    assert (done.status, done.out) == (2, "")
    assert done.err == f"error: --ci {level}: a confidence level is between 0 and 1\n{hint}\n"


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


@pytest.mark.parametrize("spelling", ["cross_entropy", "CrossEntropy", "log-loss", "bce"])
def test_an_error_names_the_loss_that_was_typed(lossctl, sample_data, spelling):
    for flags in ([], ["--activation", "tanh"]):
        done = lossctl("eval", sample_data / "regression.csv", "-p", "prediction", "-l", spelling, *flags)
        assert done.status == 3
        assert f"; {spelling}" in done.err
