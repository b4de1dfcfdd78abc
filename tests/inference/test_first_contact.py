"""A command line that names no column and no loss does the right thing, or proposes command lines that work."""

import gzip
import re
import shlex

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from first_contact import write_all

COMMANDS = ("eval", "samples", "plot", "report")

TAKEN = {
    "predict_proba.csv": ["cross_entropy"],
    "predict_proba_numbered.csv": ["cross_entropy"],
    "keras.csv": ["cross_entropy"],
    "tokens.jsonl": ["cross_entropy"],
    "multi_label.csv": ["bce"],
    "decisions.csv": ["bce"],
    "price_pred.csv": ["mse", "mae", "huber"],
    "regression.csv": ["mse", "mae", "huber"],
    "binary.csv": ["bce", "bce"],
    "classes.csv": ["cross_entropy"],
    "clicks.csv": ["bce", "bce"],
    "clicks_main.csv": ["bce"],
    "clicks_worse.csv": ["bce"],
    "counts.csv": ["poisson"],
    "logits.csv": ["bce"],
    "scores.csv": ["hinge"],
}
"""The losses of files of which everything can be told."""

ASKED = {
    "sales.csv": "-y sales -p forecast -l mse,mae,huber --nulls=drop",
    "quantiles.csv": "-y y -p q0.5 -l mae",
    "diagnosis.csv": "-l bce --classes=malignant,benign",
    "unnamed.csv": "-y survived -p risk -l bce",
}
"""What is proposed first of those of which not everything can."""

ALONE = ("submission.csv", "solution.csv")
"""Files that mean nothing by themselves."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, sample_data):
    made = tmp_path_factory.mktemp("first contact")
    write_all(made)
    for path in sample_data.glob("*.csv"):
        (made / path.name).symlink_to(path)
    return made


def test_every_file_is_spoken_for(folder):
    assert {path.name for path in folder.iterdir()} == {*TAKEN, *ASKED, *ALONE}


@pytest.mark.parametrize("file", TAKEN)
def test_what_can_be_told_is_measured_and_said(lossctl, folder, file):
    done = lossctl("eval", folder / file, "-f", "json")
    assert done.status == 0, done.err
    assert [result["loss"] for result in done.json["results"]] == TAKEN[file]
    assert len(done.err.splitlines()) == 1
    assert re.search(r"chosen .*; loss: .*, chosen because", done.err)


@pytest.mark.parametrize("file", ASKED)
def test_what_cannot_be_told_is_asked_with_command_lines_to_copy(lossctl, folder, file):
    done = lossctl("eval", folder / file)
    assert (done.status, done.out) == (2, "")
    commands = done.err.splitlines()[2:]
    assert 1 <= len(commands) <= 3
    assert commands[0].endswith(ASKED[file])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("file", [*TAKEN, *ASKED])
def test_every_command_takes_the_same_or_proposes_what_works(lossctl, folder, file, command):
    plain = ("-f", "json") if command in {"plot", "report"} else ()
    done = lossctl(command, folder / file, *plain)
    assert done.status == (0 if file in TAKEN else 2), done.err
    for line in done.err.splitlines():
        if line.startswith("  lossctl"):
            assert lossctl(*shlex.split(line)[1:], *plain).status == 0, line


@pytest.mark.parametrize("file", [*TAKEN, *ASKED])
def test_doctor_proposes_what_the_others_take_or_propose_and_it_works(lossctl, folder, file):
    proposed = [shlex.split(line)[1:] for line in lossctl("doctor", folder / file, "--json").json["commands"]]
    losses = [words[words.index("-l") + 1] for words in proposed]
    if file in TAKEN:
        assert losses == [",".join(dict.fromkeys(TAKEN[file]))]
    assert {lossctl(*words, "-q").status for words in proposed} <= {0}


@pytest.mark.parametrize("file", TAKEN)
def test_gradcheck_finds_the_columns_of_a_loss_that_is_named(lossctl, folder, file):
    flags = ["--from-logits"] if file in {"logits.csv", "tokens.jsonl"} else []
    assert lossctl("gradcheck", TAKEN[file][0], folder / file, *flags).status == 0


def test_labels_that_stand_in_another_file_by_the_same_name_are_found(lossctl, folder):
    alone = lossctl("eval", folder / "submission.csv")
    assert alone.status == 2
    assert "--labels" in alone.err
    pair = ("eval", folder / "submission.csv", "--labels", folder / "solution.csv", "--id", "Id")
    assert [result["loss"] for result in lossctl(*pair, "-f", "json").json["results"]] == ["mse", "mae", "huber"]


def test_a_choice_is_the_same_for_every_engine_and_from_what_can_be_read_only_once(lossctl, folder, tmp_path):
    engines = ("serial", "threads", "processes")
    said = {lossctl("eval", folder / "decisions.csv", "--engine", name).out for name in engines}
    assert len(said) == 1
    packed = tmp_path / "decisions.csv.gz"
    packed.write_bytes(gzip.compress((folder / "decisions.csv").read_bytes()))
    assert lossctl("eval", packed).out in said


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_sorted_rows_mislead_neither_what_is_taken_nor_what_is_said_of_it(lossctl, tmp_path, suffix):
    rng = np.random.default_rng(5)
    label = np.sort(rng.poisson(0.3, 200_000)).astype(float)  # the first 148,000 are 0
    table = pa.table({"y": label, "p": rng.gamma(2.0, 0.2, len(label)) + 0.01})
    path = tmp_path / f"sorted.{suffix}"
    pq.write_table(table, path, row_group_size=20_000) if suffix == "parquet" else pa.csv.write_csv(table, path)
    done = lossctl("eval", path, "-f", "json")
    assert [result["loss"] for result in done.json["results"]] == ["poisson"]
    assert re.search(r"in [\d,]+ rows looked at", done.err)
    assert "-l poisson" in lossctl("doctor", path, "--json").json["commands"][0]


def test_columns_inside_others_are_taken_as_they_are_named(lossctl, tmp_path):
    path = tmp_path / "nested.jsonl"
    path.write_text('{"y": "no", "out": {"p": 0.25}}\n{"y": "yes", "out": {"p": 0.75}}\n')
    for loss in ([], ["-l", "bce"]):
        done = lossctl("eval", path, "-y", "y", "-p", "out.p", *loss, "-f", "value")
        assert float(done.out) == pytest.approx(-np.log(0.75))


@pytest.mark.parametrize("command", ["eval", "samples", "plot", "doctor", "compare"])
@pytest.mark.parametrize("header", ["y,y,y,y", "y,p,y,p", "y,y,p,q", "y,p,g,g"])
def test_columns_that_share_a_name_are_asked_about_or_passed_over(lossctl, tmp_path, command, header):
    path = tmp_path / "rows.csv"
    path.write_text(f"{header},why\n0,0.5,1,0,a\n2.5,2,1.5,1,b\n")
    done = lossctl(command, str(path))
    assert done.status in {0, 2}, done.err
    assert done.status or "g,g" in header or command == "doctor", done.out
