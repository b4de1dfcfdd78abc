"""Standard streams: what goes where, and what closed pipes and full disks end with."""

import csv
import json
import os
import re
import subprocess
import sys

import pytest
from transcripts import repeated
from waiting import HANGS

from lossctl.cli.streams import Closed


def test_results_go_to_stdout_and_notes_to_stderr(lossctl, sample_data):
    done = lossctl("eval", sample_data / "regression.csv", "-l", "huber", "-f", "csv")
    assert len(done.out.splitlines()) == 2
    assert "note: label 'y' and prediction 'prediction' chosen by name" in done.err


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
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=HANGS, check=False)


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
            command, stdout=closed, stderr=subprocess.PIPE, env=plain_environment(), timeout=HANGS, check=False
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
def test_a_closed_stdout_is_an_error(plain_environment, sample_data, command):
    done = pipeline(
        f'"$0" -m lossctl {command} "$1" -l mse -q >&-', plain_environment(), sample_data / "regression.csv"
    )
    assert (done.returncode, done.stderr) == (3, "error: stdout: is closed\n")


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "--version",
        "eval --help",
        "eval FILE -l mse -q",
        "samples FILE -l mse -q",
        "plot huber",
        "doctor FILE -q",
        "explain",
        "gradcheck mse --draws 20",
    ],
)
def test_a_closed_stdout_is_an_error_of_every_command(lossctl, sample_data, monkeypatch, words):
    monkeypatch.setattr(sys, "stdout", Closed("stdout"))
    done = lossctl(*words.replace("FILE", str(sample_data / "regression.csv")).split())
    assert (done.status, done.err) == (3, "error: stdout: is closed\n")


@pytest.mark.parametrize("words", ["samples FILE -l mse -q -o OUT", "samples FILE -l mse -qq", "eval FILE -l mse -qq"])
def test_a_closed_stdout_is_no_error_of_who_writes_nothing_there(lossctl, sample_data, tmp_path, monkeypatch, words):
    monkeypatch.setattr(sys, "stdout", Closed("stdout"))
    named = words.replace("FILE", str(sample_data / "regression.csv")).replace("OUT", str(tmp_path / "out.csv"))
    assert lossctl(*named.split()).status == 0


def test_what_is_said_on_a_closed_stream_goes_into_no_file(plain_environment, sample_data, tmp_path):
    """Whatever opens a file next would get the descriptor of the stream."""
    names = ["open", "closed"]
    for name, closing in zip(names, ["<&0", "0<&- 2>&-"], strict=True):
        words = f'samples "$1" -l mse -o "$2" {closing}'
        done = pipeline(
            f'"$0" -c "{SAYING}" {words}', plain_environment(), sample_data / "regression.csv", tmp_path / f"{name}.csv"
        )
        assert (done.returncode, done.stdout) == (0, "")
    first, second = ((tmp_path / f"{name}.csv").read_bytes() for name in names)
    assert first == second


SAYING = """
import os
from lossctl.cli import app, output
replace = os.replace
def saying(*names):
    os.write(2, b'as a library in C would')
    replace(*names)
os.replace = saying
app.main()
"""


def test_a_closed_stdin_is_an_error_of_who_reads_it(plain_environment):
    done = pipeline('"$0" -m lossctl eval -l mse <&-', plain_environment())
    assert (done.returncode, done.stdout) == (3, "")
    assert "stdin is closed" in done.stderr


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_no_letter_is_lost_whatever_the_encoding_of_stdout(plain_environment, tmp_path, form):
    groups = ["é", "è", "名", "?"]
    file = tmp_path / "data.csv"
    file.write_text("y,p,g\n" + "".join(f"0,1,{group}\n" for group in groups), encoding="utf-8")
    for encoding in ("ascii", "utf-8"):
        command = [sys.executable, "-m", "lossctl", "eval", str(file), "-l", "mae", "--by", "g", "-f", form, "-q"]
        done = subprocess.run(
            command, capture_output=True, env=plain_environment(PYTHONIOENCODING=encoding), timeout=HANGS
        )
        text = done.stdout.decode("utf-8")
        rows = [json.loads(line)["group"] for line in text.splitlines()] if form == "jsonl" else csv.DictReader(
            text.splitlines()
        )  # fmt: skip
        assert sorted(row["g"] for row in rows) == sorted(groups)
