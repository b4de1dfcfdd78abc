"""Commands are found where they are: those of other packages, too."""

import subprocess
import sys

import pytest

STRANGER = '''
from typing import Annotated
import typer
from lossctl.cli.command import Entry, Without, command, commands
from lossctl.cli.options import Files, Input, Output

@command("measure", "lossctl measure preds.csv")
def measure(*, files: Files = None, source: Input, output: Annotated[Output, Without("form", "output")]) -> None:
    """Say what is asked."""
    output.voice.result(f"{files} {source.reading().delimiter} {output.json}\\n")

def bare(times: Annotated[int, typer.Option("--times")] = 1) -> None:
    """Say it again."""
    print("again " * times)

commands.add("again", Entry("again", bare, "Example: lossctl again --times 2"))
'''


@pytest.fixture
def stranger(tmp_path, plain_environment):
    """Run lossctl where a package with two commands is installed."""
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lossctl.commands]\nmeasure = stranger\n")
    (tmp_path / "stranger.py").write_text(STRANGER)
    command, environment = [sys.executable, "-m", "lossctl"], plain_environment(PYTHONPATH=str(tmp_path))
    return lambda *arguments: subprocess.run(
        [*command, *arguments], capture_output=True, text=True, env=environment, timeout=60
    )


def test_a_command_of_another_package_is_listed_helped_and_run(stranger):
    listed = stranger("--help").stdout
    assert "Say what is asked." in listed
    assert "Say it again." in listed
    assert "--input-format" in stranger("measure", "--help").stdout
    assert stranger("measure", "a.csv", "-d", ";", "--json").stdout == "['a.csv'] ; True\n"
    assert stranger("again", "--times", "2").stdout == "again again \n"
    assert "Did you mean 'measure'?" in stranger("measur").stderr


def test_a_command_is_called_by_its_name_alone(lossctl):
    for name in ("EVAL", "e-val", "evaluate"):
        done = lossctl(name)
        assert (done.status, done.out) == (2, "")
        assert f"No such command {name!r}" in done.err
