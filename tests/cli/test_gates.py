"""Gates decide the exit status, and nothing measured is never a pass."""

import json
import re

import pytest
from stored import write_lines


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
    assert "0.223" in done.out, "the result is shown all the same"
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
    file = write_lines(tmp_path / "data.csv", "y,p", "1,0", "0,0.5")
    done = lossctl("eval", file, "-l", "bce", "--eps", "0", "--fail-above", "1000")
    assert done.status == 1
    assert "inf > 1000" in done.err


def test_nothing_measured_is_never_a_pass(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p,g", "1,1,a", ",2,b")
    done = lossctl("eval", file, "-l", "mse", "--by", "g", "--nulls", "drop", "--fail-above", "9")
    assert (done.status, done.out) == (3, "")
    assert "g=b" in done.err


TWO = ("y,p,q,g", "1,1,2,a", "2,2,4,a", "3,4,5,b", "4,4,8,b")
"""Squared errors: p 0 in a, 0.5 in b; q 2.5 in a, 10 in b."""


@pytest.mark.parametrize(
    ("gate", "status", "lines"),
    [
        ("mse[q,g=a]=2", 1, ["FAIL mse q g=a 2.5 > 2.0"]),
        ("mse[q,g=a]=3", 0, ["PASS mse q g=a 2.5 <= 3.0"]),
        ("mse[g=b]=1", 1, ["PASS mse p g=b 0.5 <= 1.0", "FAIL mse q g=b 10.0 > 1.0"]),
        ("mse[p]=0.25", 1, ["PASS mse p g=a 0.0 <= 0.25", "FAIL mse p g=b 0.5 > 0.25"]),
    ],
)
def test_a_gate_may_name_a_model_and_a_group(lossctl, tmp_path, gate, status, lines):
    file = write_lines(tmp_path / "data.csv", *TWO)
    done = lossctl("eval", file, "-p", "p", "-p", "q", "-l", "mse", "--by", "g", "--fail-above", gate)
    assert done.status == status
    assert re.findall(r"^(?:PASS|FAIL) .*$", done.err, re.MULTILINE) == lines


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("mse[r]=1", ("'r'", "p, q")),
        ("mse[g=c]=1", ("no group", "g=c")),
        ("mse[h=a]=1", ("'h'", "by g")),
        ("mse[p,q]=1", ("two models",)),
    ],
)
def test_a_gate_on_what_is_not_there_is_refused(lossctl, tmp_path, gate, words):
    file = write_lines(tmp_path / "data.csv", *TWO)
    done = lossctl("eval", file, "-p", "p", "-p", "q", "-l", "mse", "--by", "g", "--fail-above", gate)
    assert (done.status, done.out) == (2, "")
    assert all(word in done.err for word in ("--fail-above", *words))


def test_json_has_the_verdict_and_the_exit_status_that_were_printed(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", *TWO)
    for bound, verdict in ((0.2, "fail"), (0.3, "pass")):
        done = lossctl("eval", file, "-p", "p", "-l", "mse", "--fail-above", bound, "--json")
        record = json.loads(done.out)
        assert (record["verdict"], record["exit_code"]) == (verdict, done.status)
        assert [gate["line"] for gate in record["gates"]] == re.findall(r"^(?:PASS|FAIL) .*$", done.err, re.MULTILINE)


def test_the_summary_of_a_workflow_step_gets_the_table_behind_what_is_there(lossctl, tmp_path, monkeypatch):
    file = write_lines(tmp_path / "data.csv", *TWO)
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    asked = ["eval", file, "-p", "p", "-p", "q", "-l", "mse", "--fail-above", "mse=1"]
    done = lossctl(*asked, "-f", "github")
    assert done.status == 1
    assert re.findall(r"^::(\w+) ", done.out, re.MULTILINE) == ["notice", "error"]
    assert summary.read_text() == "before\n" + lossctl(*asked, "-f", "markdown").out + "\n"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "nowhere" / "summary.md"))
    assert lossctl(*asked, "-f", "github").status == 3
