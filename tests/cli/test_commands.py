"""Commands are found where they are: those of the folder, and those of other packages."""

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


def loaded(plain_environment, *arguments):
    """Which modules of commands a command line imports."""
    code = (
        "import sys; from lossctl.cli.app import run; run(sys.argv[1:]); home = 'lossctl.cli.commands.'; "
        "print('loaded', *sorted(it.removeprefix(home) for it in sys.modules if it.startswith(home)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=plain_environment(),
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize("name", ["doctor", "eval", "explain", "gradcheck", "plot", "samples"])
def test_only_the_command_that_is_asked_for_is_imported(name, plain_environment):
    assert loaded(plain_environment, name, "--help") == [name]


def test_the_version_imports_no_command_and_the_list_all(plain_environment):
    assert loaded(plain_environment, "--version") == []
    assert loaded(plain_environment, "--help") == ["doctor", "eval", "explain", "gradcheck", "plot", "samples"]


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
