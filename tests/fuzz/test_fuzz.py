"""A short, seeded run of each fuzzer; ``make fuzz`` is the long one."""

import subprocess
import sys
from pathlib import Path

import pytest
from waiting import HANGS


def fuzz(name, runs):
    command = [sys.executable, str(Path(__file__).with_name(f"fuzz_{name}.py")), "--runs", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "runs"), [("commands", 120), ("types", 120)])
def test_random_command_lines_end_as_the_contract_says(name, runs):
    fuzz(name, runs)


def test_random_calls_give_a_value_or_an_error_with_words():
    fuzz("api", 400)
