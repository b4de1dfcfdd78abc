"""Signals at any moment: from the first line of ours, while a run unwinds, and once it is over."""

import os
import signal
import subprocess
import sys
import tempfile
from pipes import fed

import pytest
from waiting import HANGS

from lossctl.cli import signals
from lossctl.cli.app import run
from lossctl.errors import DataError

NUMBERS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]
WHILE_LOADING = """
import os, sys
name, number = sys.argv.pop(), int(sys.argv.pop())
class Signal:
    def find_spec(self, module, path, target=None):
        if module == name:
            os.kill(os.getpid(), number)
sys.meta_path.insert(0, Signal())
from lossctl.__main__ import main
main()
"""


LOADED = ["lossctl.cli.app", "typer", "lossctl.cli.commands.eval", "numpy", "pyarrow", "lossctl.evaluation.assembly"]


@pytest.mark.parametrize(("number", "name"), list(zip(NUMBERS * 2, LOADED, strict=True)))
def test_a_signal_while_anything_is_loaded_ends_the_run_in_silence(plain_environment, sample_data, number, name):
    words = ["eval", str(sample_data / "regression.csv"), "-l", "mse", str(int(number)), name]
    done = subprocess.run(
        [sys.executable, "-c", WHILE_LOADING, *words], capture_output=True, env=plain_environment(), timeout=HANGS
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, b"", b"")


class Left(BaseException):
    """Instead of the end of this process."""


@pytest.fixture
def answered(monkeypatch):
    """Signals are answered as in a process of its own, whose end is raised."""

    def leave(status):
        raise Left(status)

    before = {number: signal.getsignal(number) for number in NUMBERS}
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(os, "_exit", leave)
    signals.answer()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    signals._State.number, signals._State.raising = 0, False


def kill(number):
    os.kill(os.getpid(), number)


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("first", NUMBERS)
def test_no_signal_interrupts_what_another_has_begun_to_undo(first):
    undone = []

    def work():
        try:
            kill(first)
        finally:
            for number in NUMBERS * 3:
                kill(number)
                undone.append(number)

    assert signals.run(work) == 128 + first
    assert undone == NUMBERS * 3


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("error", [DataError("broken off"), RuntimeError("broken off"), OSError("broken off")])
def test_what_a_signal_breaks_has_nothing_to_say(number, error, sample_data, monkeypatch, capfd):
    def broken(*arguments, **options):
        try:
            kill(number)
        finally:
            raise error

    monkeypatch.setattr("lossctl.evaluation.evaluate.prepare", broken)
    words = ["eval", str(sample_data / "regression.csv"), "-l", "mse", "-v"]
    assert signals.run(lambda: run(words)) == 128 + number
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_when_all_is_done_ends_the_process_where_it_is(number):
    assert signals.run(lambda: 3) == 3
    with pytest.raises(Left, match=str(128 + number)):
        kill(number)


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_ends_an_undoing_that_takes_too_long(number, monkeypatch):
    monkeypatch.setattr(signals, "PATIENCE", 0.0)

    def work():
        try:
            kill(signal.SIGINT)
        finally:
            kill(number)

    with pytest.raises(Left, match=str(128 + number)):
        signals.run(work)


@pytest.mark.usefixtures("answered")
def test_a_signal_that_was_ignored_from_the_start_stays_ignored():
    """As under nohup."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)
    signals.answer()
    for number in NUMBERS:
        kill(number)
    assert [signal.getsignal(number) for number in NUMBERS] == [signal.SIG_IGN] * len(NUMBERS)


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("what", ["what is put aside", "what replaces a target"])
def test_a_signal_as_soon_as_a_file_is_there_leaves_nothing(number, what, many, tmp_path, monkeypatch):
    """The file is made, and nobody has been told of it."""
    make, made = os.open, []

    def interrupted(path, *more, **options):
        descriptor = make(path, *more, **options)
        if os.path.dirname(path) == str(aside):
            made.append(path)
            kill(number)
        return descriptor

    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setattr(os, "open", interrupted)
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    target = aside / "out.csv"
    target.write_text("old")
    words = ["-l", "mse", "-q", "-o", str(target)]
    if what == "what is put aside":
        with fed(tmp_path / "rows.parquet", many.read_bytes()) as piped:
            status = signals.run(lambda: run(["samples", piped, *words]))
    else:
        status = signals.run(lambda: run(["samples", str(many), *words]))
    assert (status, len(made)) == (128 + number, 1)
    assert [path.name for path in aside.iterdir()] == [target.name]
    assert target.read_text() == "old"
