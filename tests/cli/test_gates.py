"""Gates decide the exit status, and nothing measured is never a pass."""

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
