"""Labels in another file: every command finds the same key, and doctor's command line measures what plain eval does."""

import shlex

import numpy as np
import pytest
from suspicious import write

from lossctl import diagnose
from lossctl.inference.names import is_key

COMMANDS = ("eval", "samples", "plot", "doctor")
N = 40
rng = np.random.default_rng(1)
SCORE = rng.random(N).round(3)
TRUTH = (rng.random(N) < SCORE).astype(int)
KEY = np.arange(100, 100 + N)


def pair(folder, left, right):
    """The predictions in one file, the labels in another."""
    return write(folder / "submission file.csv", left), "--labels", write(folder / "solution file.csv", right)


@pytest.mark.parametrize("key", ["Id", "PassengerId", "image_key", "Unnamed: 0", "house"])
def test_the_key_that_both_files_share_is_found_by_every_command_and_said_in_one_line(lossctl, tmp_path, key):
    words = [f"w{number}" for number in KEY] if key == "house" else KEY
    turned = np.arange(N)[::-1]
    right = {key: np.array(words)[turned], "SalePrice": TRUTH[turned], "Usage": ["Public"] * N}
    files = pair(tmp_path, {key: words, "SalePrice": SCORE}, right)
    for command in COMMANDS:
        done = lossctl(command, *files, *(["-f", "json"] if command == "plot" else []))
        assert done.status == 0, done.err
        assert len([line for line in done.err.splitlines() if f"id {key!r} chosen" in line]) == 1
    by_name = lossctl("eval", *files, "--id", key, "-f", "json")
    assert lossctl("eval", *files, "-f", "json").json["results"] == by_name.json["results"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("keys", [("user_id", "item_id"), ("a", "b"), ()], ids=str)
@pytest.mark.parametrize("names", [("pred", "label"), ("risk", "fate"), ("q0.1,q0.5", "fate")], ids=str)
def test_a_key_that_is_not_clear_is_asked_for_with_command_lines_that_work(lossctl, tmp_path, command, keys, names):
    columns = dict(zip(keys, (np.arange(N) // 5, np.arange(N) % 5), strict=False))
    files = pair(tmp_path, {**columns, **dict.fromkeys(names[0].split(","), SCORE)}, {**columns, names[1]: TRUTH})
    plain = ["-f", "json"] if command == "plot" else []
    done = lossctl(command, *files, *plain)
    lines = [shlex.split(line)[1:] for line in done.err.splitlines() if line.startswith("  lossctl")]
    assert done.status == 2
    assert lines
    assert (["--id", ",".join(keys)] if keys else ["--join", "order"]) == lines[0][4 + len(plain) :][:2]
    assert {lossctl(*words).status for words in lines} == {0}


@pytest.mark.parametrize("how", ["strict", "inner", "left", "order"])
def test_the_command_line_of_a_join_repeats_all_of_it(lossctl, tmp_path, how):
    missing = slice(0, -1 if how in {"inner", "left"} else None)
    right = {"Id": KEY[missing], "SalePrice": TRUTH[missing]}
    files = pair(tmp_path, {"Id": KEY, "SalePrice": SCORE}, right)
    flags = [] if how == "strict" else ["--join", how]
    told = lossctl("doctor", *files, *flags, "--max-line=1M", "--timeout=9", "--no-verify", "--json")
    assert told.status == 0, told.err
    words = shlex.split(told.json["commands"][0])[1:]
    assert {"--max-line=1M", "--timeout=9.0", "--no-verify"} <= {*words}
    nulls = ["--nulls=drop"] if how == "left" else []
    assert (
        lossctl(*words, "-f", "json").json["results"]
        == lossctl("eval", *files, *flags, *nulls, "-f", "json").json["results"]
    )


def test_the_library_names_the_labels_and_the_key_too(tmp_path):
    left, _, right = pair(tmp_path, {"Id": KEY, "a": SCORE, "b": SCORE}, {"Id": KEY, "y": TRUTH})
    told = diagnose(str(left), labels=str(right), prediction=["a", "b"])
    assert [model.task for model in told.models] == ["binary classification"] * 2
    (command,) = told.commands
    assert shlex.split(command)[3:] == ["--labels", str(right), *"--id Id -y y -p a -p b -l bce".split()]


def test_a_value_is_no_key_and_a_word_in_a_word_is_no_id():
    assert not any(map(is_key, ["label_id", "class_id", "paid", "monkey", "valid", "SalePrice"]))
