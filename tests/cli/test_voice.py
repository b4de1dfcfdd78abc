"""What is told on stderr: whole words where somebody looks, one line for what is alike, colours for verdicts."""

import io
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from transcripts import ESCAPE

import lossctl
from lossctl.cli.app import run
from lossctl.cli.command import folded, tell

RED, GREEN = f"{ESCAPE}1;31m", f"{ESCAPE}32m"
WORDS = st.lists(st.text("abcdé漢", max_size=12), min_size=1, max_size=30)


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


@pytest.fixture
def told(monkeypatch, sample_data):
    """What the program writes to stderr, as a function of its arguments, the environment, and what stderr is."""

    def tell(*arguments, stderr=Screen, **environment):
        for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stderr", stderr())
        monkeypatch.setattr(sys, "stdout", io.StringIO())
        run(["eval", str(sample_data / "regression.csv"), *arguments])
        return sys.stderr.getvalue()

    return tell


@given(words=WORDS, width=st.integers(1, 60))
def test_lines_end_between_words_and_no_word_is_lost(words, width):
    line = " ".join(words)
    lines = list(folded(line, width))
    assert " ".join(part.removeprefix("  ") if place else part for place, part in enumerate(lines)) == line
    assert all(cell_len(part) <= width or " " not in part.strip(" ") for part in lines)


def test_notes_and_errors_are_folded_on_a_terminal_and_nowhere_else(told):
    long = ["-l", "mse", "-y", "a name of a column that is longer than the terminal is wide"]
    assert max(map(len, told(*long, COLUMNS="40", NO_COLOR="1").splitlines())) <= 40
    assert max(map(len, told(*long, COLUMNS="40", stderr=io.StringIO).splitlines())) > 80


def test_a_command_to_copy_is_not_broken(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setenv("COLUMNS", "20")
    tell("Copy the one that is meant:", command := "  lossctl eval preds.csv --label y --loss mse")
    assert command in sys.stderr.getvalue().splitlines()


@pytest.mark.parametrize(
    ("environment", "stderr", "flags", "colored"),
    [
        ({"TERM": "xterm"}, Screen, [], True),
        ({"TERM": "xterm"}, io.StringIO, [], False),
        ({"TERM": "dumb"}, Screen, [], False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Screen, [], False),
        ({"FORCE_COLOR": "1"}, io.StringIO, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, io.StringIO, [], False),
        ({"TERM": "xterm"}, Screen, ["--color", "never"], False),
        ({"TERM": "xterm"}, Screen, ["--color=never"], False),
        ({"NO_COLOR": "1"}, io.StringIO, ["--color=always"], True),
    ],
)
def test_verdicts_and_errors_are_coloured_where_stderr_is(told, environment, stderr, flags, colored):
    verdicts = told("-l", "mse", "--fail-above", "1e9", "--fail-above", "1e-9", *flags, stderr=stderr, **environment)
    assert (f"{GREEN}PASS{ESCAPE}0m mse" in verdicts, f"{RED}FAIL{ESCAPE}0m mse" in verdicts) == (colored, colored)
    error = told("-l", "nothing", *flags, stderr=stderr, **environment)
    assert error.startswith(f"{RED}error:{ESCAPE}0m " if colored else "error: ")


def test_quiet_silences_notes_and_no_error(told):
    assert "note:" in told("-l", "mse")
    assert told("-l", "mse", "-q") == ""
    for flag in ("-q", "-qq"):
        assert "unknown loss 'nothing'" in told("-l", "nothing", flag)


@pytest.mark.parametrize(
    ("groups", "others", "rows"), [(1, "", "1 row"), (2, " and 1 other", "2 rows"), (22, " and 21 others", "22 rows")]
)
@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        ("mse", "the value is beyond the largest number a double can hold"),
        ("poisson", "the loss of {rows} is infinite"),
    ],
)
def test_warnings_that_are_alike_are_one_line_with_a_count(groups, others, rows, loss, reason):
    table = pa.table({"y": [0.0] * groups, "p": [1e200] * groups, "g": np.arange(groups)})
    report = lossctl.evaluate(table, loss, label="y", prediction="p", by="g", from_logits=loss == "poisson")
    assert report.warnings == (f"{loss} of p at g=0{others}: {reason.format(rows=rows)}",)


def test_models_of_which_one_thing_is_to_be_said_are_one_line():
    """Rows that miss the sum of 1 by more than rounding, in the second row of the first model and all of the others."""
    table = {"y": [0, 1]}
    for place in range(5):
        table |= {f"m{place}": pa.array([[0.5, 0.5 + (1e-5 if place else 0)], [0.5, 0.50001]])}
    report = lossctl.evaluate(pa.table(table), "cross_entropy", label="y", prediction=[f"m{n}" for n in range(5)])
    assert report.warnings == (
        "m1 and 4 others: rows that sum to 1 only within 0.001 (rounded?): up to 2 rows each, first table: row 1",
    )
