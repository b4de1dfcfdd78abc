"""The task decides the command line, and it runs."""

import json
import shlex
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from suspicious import (
    SCALAR,
    VECTOR,
    N,
    at,
    b,
    binary,
    c,
    changed,
    columns,
    follow,
    hot,
    in_unit,
    m,
    matrix,
    named,
    r,
    words,
    write,
)

from lossctl.cli.app import run
from lossctl.doctor.diagnose import diagnose


@pytest.mark.parametrize(
    ("data", "arguments", "task", "flags"),
    [
        (in_unit(b), SCALAR, "binary classification", ["-l", "bce", "--classes=-1,1"]),
        (changed(b, y=b["y"] + 1), SCALAR, "binary classification", ["-l", "bce", "--classes=1,2"]),
        (
            changed(b, y=words(b["y"], ["no", "yes"])),
            SCALAR,
            "binary classification",
            ["-l", "bce", "--classes=no,yes"],
        ),
        (changed(b, y=[bool(it) for it in b["y"]]), SCALAR, "binary classification", ["-l", "bce"]),
        (in_unit(changed(b, p=6 * b["p"] - 3)), SCALAR, "max-margin classification", ["-l", "hinge"]),
        (changed(b, y=b["p"].clip(0.1)), SCALAR, "bounded regression", ["-l", "mse"]),
        (changed(r, y=np.exp(r["y"]), p=np.exp(r["p"])), SCALAR, "positive regression", ["-l", "msle"]),
        (changed(c, p=np.log(c["p"])), SCALAR, "counts", ["-l", "poisson", "--from-logits"]),
        (
            columns(m, 100 * matrix(m)),
            VECTOR,
            "multi-class classification",
            ["-l", "cross_entropy", "--normalize-rows"],
        ),
        (columns(m, np.log(matrix(m))), VECTOR, "multi-class classification", ["-l", "cross_entropy", "--from-logits"]),
        (
            {"y": m["y"] + 1, "p": [list(row) for row in matrix(m)]},
            SCALAR,
            "multi-class classification",
            ["-l", "cross_entropy", "--classes=1,2,3"],
        ),
        (
            columns({f"y_{at}": column for at, column in enumerate(hot(m["y"]).T)}, matrix(m)),
            ("-y", "y_*", "-p", "p_*"),
            "multi-class classification",
            ["-l", "cross_entropy"],
        ),
        (
            {"y_0": b["y"], "y_1": binary(seed=9)["y"], "p_0": b["p"], "p_1": binary(seed=9)["p"]},
            ("-y", "y_*", "-p", "p_*"),
            "multi-label classification",
            ["-l", "bce"],
        ),
        (
            {"y_0": r["y"], "y_1": 2 * r["y"], "p_0": r["p"], "p_1": 2 * r["p"]},
            ("-y", "y_*", "-p", "p_*"),
            "unbounded regression",
            ["-l", "mse,mae,huber"],
        ),
    ],
)
def test_the_task_decides_the_command_line_and_it_runs(doctor, lossctl, data, arguments, task, flags):
    outcome = doctor(data, *arguments)
    assert outcome.json["models"][0]["task"] == task
    assert shlex.split(outcome.json["commands"][0])[-len(flags) :] == flags
    assert outcome.json["runs"]
    assert follow(lossctl, outcome) == [0]


def _amounts(seed=8, n=4 * N):
    """Claims: a count of them, each of a gamma size; their mean; and the size of one that there is."""
    rng = np.random.default_rng(seed)
    mean = np.exp(rng.normal(0.5, 0.5, n))
    claims = rng.poisson(mean)
    return {"y": np.where(claims > 0, rng.gamma(np.maximum(2 * claims, 1), 0.5), 0.0), "p": mean}, {
        "y": rng.gamma(2.0, 0.5 * mean),
        "p": mean,
    }


OFTEN_0, SKEWED = _amounts()


@pytest.mark.parametrize(
    ("data", "task", "flags"),
    [
        (OFTEN_0, "amounts that are often 0", ["-l", "tweedie_deviance"]),
        (
            changed(OFTEN_0, p=np.log(OFTEN_0["p"])),
            "amounts that are often 0",
            ["-l", "tweedie_deviance", "--from-logits"],
        ),
        (changed(OFTEN_0, y=np.ceil(OFTEN_0["y"])), "counts", ["-l", "poisson"]),
        (changed(OFTEN_0, y=OFTEN_0["y"] - 0.5), "unbounded regression", ["-l", "mse,mae,huber"]),
        (changed(OFTEN_0, p=-OFTEN_0["p"]), "unbounded regression", ["-l", "mse,mae,huber"]),
        (SKEWED, "skewed amounts above 0", ["-l", "gamma_deviance"]),
        (changed(SKEWED, p=np.log(SKEWED["p"])), "skewed amounts above 0", ["-l", "gamma_deviance", "--from-logits"]),
        (changed(SKEWED, y=SKEWED["p"] ** 2), "positive regression", ["-l", "msle"]),
        (changed(SKEWED, y=SKEWED["p"] - 30), "unbounded regression", ["-l", "mse,mae,huber"]),
    ],
)
def test_amounts_are_told_by_zeros_among_fractions_or_by_their_skew(doctor, lossctl, data, task, flags):
    outcome = doctor(data, *SCALAR)
    assert outcome.json["models"][0]["task"] == task
    assert shlex.split(outcome.json["commands"][0])[-len(flags) :] == flags
    assert follow(lossctl, outcome) == [0]


def test_columns_with_odd_names_are_quoted(doctor, lossctl):
    data = {"the label": b["y"], "-p;$HOME": b["p"], "w't": np.ones(N)}
    outcome = doctor(data, "-y", "the label", "--pred=-p;$HOME", "-w", "w't")
    assert outcome.status == 0
    assert follow(lossctl, outcome) == [0]


def test_a_file_whose_name_begins_with_a_dash_is_named_so_that_the_command_line_runs(lossctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "-preds.csv", b)
    outcome = lossctl("doctor", "--json", "--", "-preds.csv")
    assert outcome.json["runs"]
    assert follow(lossctl, outcome) == [0]


def test_columns_that_begin_with_a_dash_are_suggested_so_that_the_command_line_runs(doctor, lossctl):
    outcome = doctor({"-left": b["y"], "-risk": b["p"]})
    assert named(outcome) == {"columns-not-recognised"}
    assert {*follow(lossctl, outcome)} == {0}


def test_labels_of_rows_without_a_prediction_are_no_third_class_of_two(doctor, lossctl):
    outcome = doctor({"y": [0.0, 1.0, 2.0], "p": [0.0, None, 0.0]})
    assert outcome.json["runs"]
    assert follow(lossctl, outcome) == [0]


def test_labels_of_rows_without_a_prediction_say_whether_classes_count_from_one(doctor, lossctl):
    outcome = doctor({"y": [0.0, 1.0, 2.0], "p": [None, [0.5, 0.5], [0.5, 0.5]]})
    assert "classes-counted-from-one" not in named(outcome)
    assert outcome.json["runs"] == (follow(lossctl, outcome) == [0])


@pytest.mark.parametrize("labels", [(0.0, 1.0), (-1.0, 1.0)])
def test_percentages_are_found_whatever_the_two_labels_are(doctor, labels):
    outcome = doctor({"y": np.where(b["y"] == 1, labels[1], labels[0]), "p": np.round(100 * b["p"], 2)})
    assert "percentages" in named(outcome, "error")
    assert not outcome.json["runs"]


def test_class_names_that_no_flag_can_spell_are_said_to_stop_eval(doctor):
    for odd in ("No, thanks", "No "):
        outcome = doctor(changed(b, y=words(b["y"], [odd, "Yes"])))
        assert not outcome.json["runs"], odd


def test_how_a_file_is_read_is_part_of_the_command_line(lossctl, tmp_path):
    path = tmp_path / "data.txt"
    path.write_text(
        "".join(f"{y:g};{p}\n" for y, p in zip(b["y"], b["p"], strict=True)).replace("1;", "1;", 1) + "1;?\n"
    )
    outcome = lossctl(
        "doctor", path, "-F", "csv", "-d", ";", "--no-header", "--null-values", "?", "-y", "#1", "-p", "#2", "--json"
    )
    assert outcome.status == 0
    assert named(outcome) == {"nulls"}
    assert follow(lossctl, outcome) == [0]


def test_losses_that_are_asked_for_are_kept_where_they_fit(doctor, lossctl):
    outcome = doctor(r, *SCALAR, "-l", "huber:delta=2,mae,bce")
    assert shlex.split(outcome.json["commands"][0])[-2:] == ["-l", "huber:delta=2.0,mae"]
    assert named(outcome) == {"outside-the-asked-loss", "few-below-zero"}
    assert follow(lossctl, outcome) == [0]


def test_each_of_several_models_is_examined(doctor, lossctl):
    data = b | {"z": np.log(b["p"] / (1 - b["p"])), "q": 1 - b["p"]}
    outcome = doctor(data, "-y", "y", "-p", "p", "-p", "q", "-p", "z")
    assert [it["predictions"] for it in outcome.json["models"]] == ["probabilities", "probabilities", "logits"]
    assert {(it["name"], it["model"]) for it in outcome.json["findings"]} == {("inverted", "q"), ("logits", "z")}
    assert [shlex.split(line).count("-p") for line in outcome.json["commands"]] == [2, 1]
    assert follow(lossctl, outcome) == [0, 0]


def test_columns_of_models_are_put_in_one_order_by_their_names_as_eval_does(lossctl, sample_data):
    models = ("-p", "p_*", "-p", "other=p_dog,p_cat,p_bird")
    outcome = lossctl("doctor", sample_data / "classes.csv", *models, "--json", "--strict")
    assert outcome.status == 0, named(outcome)
    assert follow(lossctl, outcome) == [0]


def test_what_models_share_is_said_once(doctor):
    data = b | {"q": b["p"], "w": at(np.ones(N), 4, 0.0)}
    findings = doctor(data, "-y", "y", "-p", "p", "-p", "q", "-w", "w").json["findings"]
    assert [it["name"] for it in findings] == ["zero-weights"]


def test_columns_without_a_known_name_are_shown_with_what_they_could_be(doctor, lossctl):
    data = {"key": np.arange(N), "left": b["y"], "risk": b["p"], "site": words(np.arange(N) % 3, ["a", "b", "c"])}
    outcome = doctor(data)
    assert outcome.status == 0
    assert {it["name"]: it["could_be"][0] for it in outcome.json["columns"]} == {
        "key": "id",
        "left": "label",
        "risk": "prediction",
        "site": "label",
    }
    assert named(outcome) == {"columns-not-recognised"}
    assert {*follow(lossctl, outcome)} == {0}
    assert follow(lossctl, doctor(data, "-y", "left")) == [0]
    assert doctor(data, "--strict").status == 1


@pytest.mark.parametrize(("cells", "option"), [("1,5;2,5", "--decimal=,"), ("1.234,5;2.234,5", "--thousands=.")])
def test_numbers_that_are_read_as_text_are_no_log_probabilities(lossctl, tmp_path, cells, option):
    (tmp_path / "in.csv").write_text(f"y;p\n{cells}\n")
    outcome = lossctl("doctor", tmp_path / "in.csv", "-d", ";", "--json")
    assert named(outcome) == {"columns-not-recognised"}
    assert option in outcome.json["commands"][0]
    assert "decimal" in outcome.json["findings"][0]["advice"]


def test_columns_that_are_named_for_classes_are_found(lossctl, sample_data):
    outcome = lossctl("doctor", sample_data / "classes.csv", "--json")
    assert outcome.json["models"][0]["task"] == "multi-class classification"
    assert follow(lossctl, outcome) == [0]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("-y", "nosuch", "-p", "p"), 2),
        (("-y", "y", "-p", "nosuch"), 2),
        (("-y", "nosuch"), 2),
        (("-y", "y", "-p", "p", "-w", "nosuch"), 2),
        (("-y", "y", "-p", "p", "-l", "nosuch"), 2),
        (("-y", "y", "-p", "p", "--engine", "nosuch"), 2),
        (("-y", "y", "-p", "p", "-F", "parquet"), 3),
        (("-y", "p", "-p", "p"), 2),
    ],
)
def test_errors_end_as_those_of_eval(lossctl, tmp_path, arguments, status):
    path = write(tmp_path / "data.csv", b)
    assert lossctl("doctor", path, *arguments).status == status


def test_a_file_without_rows_is_an_error(lossctl, tmp_path):
    for header in ("y,p\n", "a,b\n"):
        (tmp_path / "none.csv").write_text(header)
        assert lossctl("doctor", tmp_path / "none.csv").status == 3


COLUMNS = {
    "yes or no": st.sampled_from([0.0, 1.0]),
    "signs": st.sampled_from([-1.0, 1.0]),
    "codes": st.integers(0, 3),
    "counts": st.integers(0, 30),
    "probabilities": st.floats(0, 1),
    "percentages": st.floats(0, 100),
    "numbers": st.floats(-100, 100),
    "anything": st.floats(),
    "words": st.sampled_from(["a", "b", "c"]),
    "one": st.just(1.0),
    "nothing": st.none(),
}


@given(st.data(), st.sampled_from(list(COLUMNS)), st.sampled_from(list(COLUMNS)), st.integers(1, 40), st.integers(1, 3))
def test_no_columns_make_it_stumble_and_its_command_line_runs_or_it_says_why_not(data, label, prediction, n, k):
    def column(kind, size):
        values = data.draw(st.lists(st.one_of(COLUMNS[kind], COLUMNS[kind], st.none()), min_size=size, max_size=size))
        return pa.array(values, pa.string() if kind == "words" else pa.float64())

    drawn = {"y": column(label, n), **{f"p{at}": column(prediction, n) for at in range(k)}}
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/data.parquet"
        pq.write_table(pa.table(drawn), path)
        found = diagnose(path, label=["y"], prediction=["p*"], command=[path])
        json.dumps(found.to_dict(), allow_nan=False)
        statuses = [run([*shlex.split(line)[1:], "-qq"]) for line in found.commands]
    if found.runs or found.columns:
        assert {*statuses} <= {0}  # one command line, or one for each thing that could be meant
    else:
        assert not any(status == 0 for status in statuses)
        assert found.findings or not found.commands


def test_columns_that_share_a_name_play_no_role(tmp_path, lossctl):
    table = pa.Table.from_arrays([pa.array([0.0, 1.0])] * 4, ["first", "x", "x", "second"])
    pq.write_table(table, tmp_path / "twins.parquet")
    done = lossctl("doctor", tmp_path / "twins.parquet", "--json")
    assert [column["name"] for column in done.json["columns"]] == ["first", "second"]


@pytest.mark.parametrize(
    "named_by_user",
    [("-p", "risk"), ("-w", "weight"), ("-p", "risk", "-w", "weight"), ("-p", "risk", "--ignore-label=9")],
)
def test_command_lines_for_columns_that_are_not_clear_keep_what_is_named(doctor, lossctl, named_by_user):
    data = {"left": b["y"], "site": 1 - b["y"], "risk": b["p"], "weight": np.arange(len(b["y"])) + 1.0}
    outcome = doctor(data, *named_by_user)
    assert named(outcome) == {"columns-not-recognised"}
    commands = [shlex.split(command) for command in outcome.json["commands"]]
    assert commands
    for command in commands:
        at = command.index(named_by_user[0])
        assert tuple(command[at : at + len(named_by_user)]) == named_by_user
    assert {*follow(lossctl, outcome)} == {0}
