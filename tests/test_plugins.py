"""A package that adds a loss in one file is used like a built-in; a broken one takes nothing down."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    target = tmp_path_factory.mktemp("site")
    flags = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *flags, str(HERE / "plugin")], check=True, cwd=target)
    return target


def run(target, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(target)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=HERE.parent)


def number(target, loss):
    done = run(target, "-m", "lossctl", "eval", "sample_data/regression.csv", "-l", loss, "-f", "value", "-q")
    assert done.returncode == 0, done.stderr
    return float(done.stdout), done.stderr


def test_a_plug_in_loss_is_evaluated_by_the_command_line(installed):
    assert number(installed, "quantile:tau=0.5")[0] == pytest.approx(number(installed, "mae")[0] / 2, rel=1e-15)


def test_a_plug_in_loss_keeps_the_contract_and_suggests_itself(installed):
    code = "from lossctl.checks import *; print(check_loss(sampled(losses.get('pinball'), 4), 4))"
    assert run(installed, "-c", code).stdout == "[]\n"
    wrong = run(installed, "-m", "lossctl", "eval", "sample_data/regression.csv", "-l", "pinbal")
    assert wrong.returncode == 2
    assert "Did you mean pinball" in wrong.stderr


def test_a_broken_plug_in_is_a_warning_and_nothing_more(installed, tmp_path):
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lossctl.losses]\nbroken = no_such_module_at_all\n")
    value, words = number(tmp_path, "mse")
    assert value > 0
    assert "plug-in 'broken'" in words
