"""What all tests share: random inputs are drawn the same way in every run, and never timed."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from lossctl.cli import run

settings.register_profile(
    "lossctl",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("lossctl")

SAMPLE_DATA = Path(__file__).parents[1] / "sample_data"
SWAYING = ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "COLUMNS", "LINES", "TERM", "COLORTERM", "PY_COLORS")
"""Variables that change what a terminal program writes."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out, parse_constant=pytest.fail)

    @property
    def values(self):
        return [result["value"] for result in self.json["results"]]


@pytest.fixture
def lossctl(capfd, monkeypatch):
    """Run a command line in this process, in an environment that sways nothing."""
    for name in SWAYING:
        monkeypatch.delenv(name, raising=False)

    def call(*arguments):
        capfd.readouterr()
        status = run([str(argument) for argument in arguments])
        return Outcome(status, *capfd.readouterr())

    return call


@pytest.fixture
def plain_environment():
    """The environment of a new process, swaying nothing unless asked to."""

    def make(**extra):
        return {name: value for name, value in os.environ.items() if name not in SWAYING} | extra

    return make


@pytest.fixture
def process(plain_environment):
    """Run a command line in a process of its own."""

    def call(*arguments, **environment):
        command = [sys.executable, "-m", "lossctl", *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=plain_environment(**environment), timeout=60, check=False
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope="session")
def sample_data():
    """The folder of small files with known answers."""
    return SAMPLE_DATA


@pytest.fixture(scope="session")
def answer():
    """Look up one known answer of a sample file."""
    known = json.loads((SAMPLE_DATA / "answers.json").read_text())["answers"]

    def find(file, loss, prediction, *, weight=None, by=None, group=None):
        columns = [prediction] if isinstance(prediction, str) else prediction
        asked = {"file": file, "loss": loss, "prediction": columns, "weight": weight, "by": by, "group": group}
        (found,) = [it for it in known if all(it[key] == value for key, value in asked.items())]
        return found

    return find
