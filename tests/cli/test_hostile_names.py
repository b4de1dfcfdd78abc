"""Names and values from anywhere command no terminal, in no command, format, note, verdict or error."""

import csv
import io
import json
import os
import re
import subprocess
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deceiving import EVIL, FORGED, leaked

from lossctl.cli import app
from lossctl.cli.app import wired
from lossctl.cli.command import commands

PEOPLE = ("plain", "table", "markdown")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder of that name with data in which everything is called so; the present folder while tests run."""
    folder = tmp_path_factory.mktemp("hostile") / EVIL
    folder.mkdir()
    numbers = [0.0, 1.0, 1.0, 0.0]
    data = {
        "y": numbers,
        f"p{EVIL}": [0.25, 0.5, 0.75, 0.5],
        f"q{EVIL}": [0.5, 0.5, 0.5, 0.25],
        f"g{EVIL}": [f"a{EVIL}", "b", "b", "b"],
        f"id{EVIL}": [f"k{EVIL}", "l", "m", "n"],
        f"c{EVIL}": [f"no{EVIL}", f"yes{EVIL}", f"yes{EVIL}", f"no{EVIL}"],
        f"null{EVIL}": [0.5, None, 0.5, 0.5],
    }
    for name in ("x", "-z"):
        pq.write_table(pa.table(data), folder / f"{name}{EVIL}.parquet")
    pq.write_table(pa.table(data).drop(["y"]), folder / f"predictions{EVIL}.parquet")
    pq.write_table(pa.table(data).select(["y", f"id{EVIL}"]).slice(1), folder / f"labels{EVIL}.parquet")
    (folder / f"text{EVIL}.csv").write_text(f'y,p\n1,"{EVIL}"\n')
    (folder / f"wide{EVIL}.csv").write_text(f'y,"p{EVIL}"\n1,2,3\n')
    (folder / f"broken{EVIL}.jsonl").write_text('{"y": 1, "p": 2}\n{"y": \n')
    (folder / f"broken{EVIL}.parquet").write_bytes(b"PAR1 no parquet PAR1")
    (folder / f"empty{EVIL}").mkdir()
    return folder


def harmless(done):
    text = done.out + done.err
    assert leaked(text) == set()
    assert FORGED not in text
    return done


FILE, TWICE = f"x{EVIL}.parquet", [f"x{EVIL}.parquet", f"./-z{EVIL}.parquet"]
PREDICTIONS, LABELS, ID = f"predictions{EVIL}.parquet", f"labels{EVIL}.parquet", f"id{EVIL}"
COLUMNS = ["-y", "y", "-p", "#2", "-p", f"name{EVIL}=#3"]
SAID = [
    ["eval", *TWICE, *COLUMNS, "--by", "#4", "-l", "mse,bce", "--grad", "--samples", "2", "--skill"],
    ["eval", FILE, *COLUMNS, "--by", "#4", "-l", "mse", "--fail-above", "0"],
    ["eval", FILE, "-y", "#6", "-p", "#2", "-l", "bce", "--classes", f"no{EVIL},yes{EVIL}"],
    ["eval", PREDICTIONS, "-p", "#1", "-l", "mse", "--labels", LABELS, "--id", ID, "--join", "inner"],
    ["plot", *TWICE, *COLUMNS, "-l", "bce"],
    ["plot", FILE, "-y", "#6", "-p", "#2", "-l", "bce", "--classes", f"no{EVIL},yes{EVIL}"],
    ["doctor", *TWICE, *COLUMNS, "--id", ID],
    ["doctor", FILE],
    ["gradcheck", "bce", *TWICE, *COLUMNS],
]
"""Command lines that print such names in all formats for people."""
REFUSED = [
    ["eval", f"{EVIL}.csv"],
    ["eval", f"{EVIL}*.csv"],
    ["eval", f"empty{EVIL}"],
    ["eval", "."],
    ["eval", f"s3://{EVIL}/{EVIL}.csv"],
    ["eval", f"{EVIL}://x.csv"],
    ["eval", f"text{EVIL}.csv"],
    ["eval", f"wide{EVIL}.csv"],
    ["eval", f"broken{EVIL}.jsonl"],
    ["eval", f"broken{EVIL}.parquet"],
    ["eval", FILE],
    ["eval", FILE, "-y", "y"],
    ["eval", FILE, "-y", "y", "-p", f"P{EVIL}"],
    ["eval", FILE, "-y", "y", "-p", f"{EVIL}*"],
    ["eval", FILE, "-y", "y", "-p", f"/{EVIL}"],
    ["eval", FILE, "-y", "y", "-p", "#4", "-l", "mse"],
    ["eval", FILE, "-y", "y", "-p", "#7", "-l", "mse"],
    ["eval", FILE, "-y", "y", "-p", f"a{EVIL}=#2", "-p", f"a{EVIL}=#3", "-l", "mse"],
    ["eval", FILE, "-y", "#6", "-p", "#2", "-l", "bce", "--classes", f"no{EVIL},{EVIL}"],
    ["eval", FILE, "-y", "y", "-p", "#2", "-w", "#4", "-l", "mse"],
    ["eval", PREDICTIONS, "-p", "#1", "-l", "mse", "--labels", LABELS, "--id", ID],
    ["eval", PREDICTIONS, "-p", "#1", "-l", "mse", "--labels", LABELS, "--id", EVIL],
    ["eval", FILE, "-y", "y", "-p", "#2", "-l", "mse", "--fail-above", f"{EVIL}=1"],
    ["eval", FILE, "-y", "y", "-p", "#2", "-l", "mse", "-o", FILE],
    ["eval", FILE, "-y", "y", "-p", "#2", "-l", "mse", "-o", f"o{EVIL}.{EVIL}"],
    ["eval", FILE, "-y", "y", "-p", "#2", "-l", "mse", "-o", f"nowhere{EVIL}/o.json"],
    ["plot", "mse", f"{EVIL}.csv"],
    ["plot", "mse", "-o", f"o{EVIL}"],
    [EVIL],
    [f"--{EVIL}"],
]
"""Command lines that are refused with such names."""


@pytest.mark.parametrize("command", SAID, ids=lambda command: command[0])
def test_what_is_printed_for_people_is_harmless(hostile, lossctl, monkeypatch, command):
    monkeypatch.chdir(hostile)
    for form in PEOPLE:
        done = harmless(lossctl(*command, "-f", form))
        assert done.status in {0, 1}, done.err
        assert "\\x1b]0;PWN\\x07" in done.out


@pytest.mark.parametrize("command", REFUSED, ids=lambda command: re.sub(r"\W+", " ", " ".join(command)))
def test_what_is_refused_is_harmless(hostile, lossctl, monkeypatch, command):
    monkeypatch.chdir(hostile)
    done = harmless(lossctl(*command))
    assert done.status in {2, 3}
    assert "\\x1b" in done.err or "\\033" in done.err, "as messages show it, or as a shell takes it"
    assert len(done.err.splitlines()) <= 5, "what happened, and what to do: notes, or up to three command lines"


def test_notes_of_files_and_verdicts_are_harmless(hostile, lossctl, monkeypatch):
    monkeypatch.chdir(hostile)
    for command in (["eval", "-l", "mse"], ["samples", "-l", "mse", "--top", "2"]):
        done = harmless(lossctl(*command, FILE, "-y", "y", "-p", "#2", "-o", f"written{EVIL}.csv"))
        assert f"note: wrote written{EVIL}.csv".encode("unicode_escape").decode() in done.err
        os.unlink(f"written{EVIL}.csv")
    done = harmless(lossctl("eval", FILE, *COLUMNS, "--by", "#4", "-l", "mse", "--fail-above", "0", "-qf", "csv", "-q"))
    assert done.err == ""
    done = lossctl("eval", FILE, *COLUMNS, "--by", "#4", "-l", "mse", "--fail-above", "0", "-qf", "csv")
    assert leaked(done.err) == set()
    assert [line.split()[0] for line in done.err.splitlines()] == ["FAIL"] * 4


@pytest.mark.parametrize("name", commands.names())
def test_what_any_option_is_given_is_echoed_harmlessly(hostile, lossctl, monkeypatch, name):
    monkeypatch.chdir(hostile)
    parameters = wired(commands.get(name)).params
    first = "mse" if name == "gradcheck" else EVIL
    given = [
        [first],
        *([first, f"{max(it.opts, key=len)}={EVIL}"] for it in parameters if it.param_type_name == "option"),
    ]
    for words in given:
        status = harmless(lossctl(name, *words, "nowhere.csv")).status
        assert status in {2, 3}, words


def test_a_bug_and_its_traceback_are_harmless(hostile, lossctl, monkeypatch):
    monkeypatch.chdir(hostile)
    monkeypatch.setattr("lossctl.evaluation.prepared.open_source", lambda *_: {}[EVIL + "\udcff\ud800"])
    for flags in ((), ("-v",)):
        done = harmless(lossctl("eval", FILE, *flags))
        assert done.status == 70
        assert ("Traceback" in done.err) == bool(flags)


def words_of(line):
    """A command line as a shell takes it apart."""
    assert leaked(line) == set()
    return os.fsdecode(subprocess.check_output(["bash", "-c", f"printf '%s\\0' {line}"])).split("\0")[:-1]


def test_a_suggested_command_line_can_be_run(hostile, lossctl, monkeypatch):
    monkeypatch.chdir(hostile)
    advice = lossctl("plot", "mse", FILE).err.partition("To measure a file: ")[2]
    assert words_of(advice.partition(" --loss")[0]) == ["lossctl", "plot", FILE]
    found = lossctl("doctor", FILE, "-y", "y", "-p", f"p{EVIL}", "-p", f"q{EVIL}", "--json").json
    assert found["commands"]
    for line in found["commands"]:
        program, *command = words_of(line)
        assert program == "lossctl"
        assert set(command) >= {FILE, f"p{EVIL}", f"q{EVIL}"}
        assert lossctl(*command).status == 0


def test_a_warning_of_python_is_harmless(capfd, monkeypatch):
    with warnings.catch_warnings():
        monkeypatch.setattr(warnings, "showwarning", app._warn)
        warnings.simplefilter("always")
        warnings.warn(f"plug-in {EVIL}", stacklevel=1)
    said = capfd.readouterr().err
    assert leaked(said) == set()
    assert said.startswith("warning: plug-in \\x1b")
    assert said.count("\n") == 1


def test_machines_get_the_bytes(hostile, lossctl, monkeypatch):
    monkeypatch.chdir(hostile)
    command = ["eval", FILE, "-y", "y", "-p", "#2", "-l", "mse", "--by", "#4", "-f"]
    group = {f"g{EVIL}": f"a{EVIL}"}
    assert lossctl(*command, "json").json["results"][0]["group"] == group
    assert json.loads(lossctl(*command, "jsonl").out.split("\n")[0])["group"] == group
    for form, delimiter in (("csv", ","), ("tsv", "\t")):
        rows = csv.DictReader(io.StringIO(lossctl(*command, form).out, newline=""), delimiter=delimiter)
        assert f"a{EVIL}" in next(rows).values()


def test_formulas_in_cells_stay_what_they_are(lossctl, tmp_path):
    """Rows are data: a sign put before a formula would be another value to every program that is no spreadsheet."""
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1"]
    pq.write_table(pa.table({"y": [0.0] * 6, "p": [1.0] * 6, "=name": cells}), tmp_path / "x.parquet")
    for command in (["samples", "-l", "mse"], ["eval", "-l", "mse", "--by", "=name", "-f", "csv"]):
        rows = list(csv.DictReader(io.StringIO(lossctl(*command, tmp_path / "x.parquet").out, newline="")))
        assert sorted(row["=name"] for row in rows) == sorted(cells)
