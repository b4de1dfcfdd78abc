"""A short, seeded run of each fuzzer; ``make fuzz`` is the long one."""

import subprocess
import sys
from pathlib import Path

import pytest
from waiting import HANGS


@pytest.mark.parametrize(("name", "runs"), [("commands", 200), ("types", 200), ("api", 400)])
def test_random_command_lines_and_calls_end_as_the_contract_says(name, runs):
    command = [sys.executable, str(Path(__file__).with_name(f"fuzz_{name}.py")), "--runs", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS)
    assert done.returncode == 0, done.stdout + done.stderr
