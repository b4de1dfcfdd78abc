"""What lies in the working directory is data: no file of it runs, whatever it is called."""

import importlib.metadata
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from waiting import HANGS

from lossctl.cli.command import commands

ENGINES = ["serial", "threads", "processes", "dask"]
SUBJECTS = {
    "baseline": ["save", "rows.csv", "-l", "mse", "--id", "p", "-o", "main.json"],
    "eval": ["rows.csv", "-l", "mse"],
    "plot": ["rows.csv", "-l", "mse"],
    "check": ["--show-settings"],
    "compare": ["rows.csv", "-y", "y", "-p", "p", "-p", "same=p", "-l", "mse"],
    "schema": ["config"],
    "explain": ["huber"],
    "gradcheck": ["huber", "rows.csv"],
    "help": ["columns"],
    "report": ["rows.csv", "-l", "mse"],
    "samples": ["rows.csv", "-l", "mse", "--top", "1"],
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder with a module called like each of the standard library and of every package, and one with plug-ins.

    Each tells that it ran, and then is in the way.
    """
    folder = tmp_path_factory.mktemp("hostile")
    names = {*sys.stdlib_module_names, *importlib.metadata.packages_distributions(), "sitecustomize", "evil"}
    for name in filter(str.isidentifier, names):
        (folder / f"{name}.py").write_text(f"print('{name} ran', flush=True)\nraise SystemExit(99)\n")
    plugin = folder / "evil-1.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n")
    kinds = ("losses", "activations", "formats", "engines", "commands", "renderers", "pictures", "findings")
    (plugin / "entry_points.txt").write_text("".join(f"[lossctl.{kind}]\nevil = evil\n" for kind in kinds))
    (folder / "rows.csv").write_text("y,p\n0,1\n0,5\n")
    return folder


@pytest.fixture
def within(hostile, plain_environment):
    """Run a command line in that folder."""

    def call(*command, **environment):
        return subprocess.run(
            command, cwd=hostile, capture_output=True, text=True, env=plain_environment(**environment), timeout=HANGS
        )

    return call


SCRIPT = Path(sys.executable).with_name("lossctl")


@pytest.mark.parametrize("engine", ENGINES)
def test_no_file_of_the_working_directory_runs_for_any_engine(engine, within):
    if engine == "dask" and not find_spec("distributed"):
        pytest.skip("needs lossctl[dask]")
    workers = [] if engine == "serial" else ["--threads", "2"]
    done = within(SCRIPT, "eval", "rows.csv", "-l", "mse", "-q", "-f", "value", "--engine", engine, *workers)
    assert (done.returncode, done.stdout, done.stderr) == (0, "13.0\n", "")


@pytest.mark.parametrize("name", commands.names())
def test_no_file_of_the_working_directory_runs_for_any_command(name, within):
    done = within(SCRIPT, name, *SUBJECTS.get(name, ["rows.csv"]))
    assert done.returncode != 99, done
    assert " ran\n" not in done.stdout + done.stderr
    assert done.stdout


@pytest.mark.parametrize("start", [[sys.executable, "-m", "lossctl"], [SCRIPT]], ids=["module", "script"])
@pytest.mark.parametrize("empty", [os.pathsep, f"/nowhere{os.pathsep}", None], ids=["all", "last", "none"])
def test_what_nobody_named_is_no_place_for_modules(start, empty, plain_environment, tmp_path):
    """Only what Python itself looks for before, which ``python -P`` keeps it from, is beyond us."""
    (tmp_path / "numpy.py").write_text("raise SystemExit(99)")
    environment = plain_environment()
    if empty is not None:
        environment["PYTHONPATH"] = f"{environment.get('PYTHONPATH', '')}{os.pathsep}{empty}"
    done = subprocess.run(
        [*start, "eval", "-", "-l", "mse", "-q", "-f", "value"],
        cwd=tmp_path, input=b"y,p\n0,1\n", capture_output=True, env=environment, timeout=HANGS,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"1.0\n")


def test_a_directory_that_is_named_or_gone_is_left_to_python(plain_environment, tmp_path):
    (tmp_path / "numpy.py").write_text("raise SystemExit(99)")
    named = plain_environment(PYTHONPATH=str(tmp_path))
    done = subprocess.run([SCRIPT, "eval", "-", "-l", "mse"], cwd=tmp_path, capture_output=True, env=named, input=b"")
    assert done.returncode == 99
    gone = f"import os; os.rmdir(os.getcwd()); os.execv({str(SCRIPT)!r}, ['lossctl', '--version'])"
    (tmp_path / "empty").mkdir()
    done = subprocess.run([sys.executable, "-c", gone], cwd=tmp_path / "empty", env=plain_environment())
    assert done.returncode == 0


@pytest.mark.skipif(not find_spec("distributed"), reason="needs lossctl[dask]")
def test_worker_processes_that_python_cannot_keep_apart_are_refused(within):
    done = within(sys.executable, "-E", SCRIPT, "eval", "rows.csv", "-l", "mse", "--engine", "dask")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the working directory: Python was started with -E" in done.stderr
