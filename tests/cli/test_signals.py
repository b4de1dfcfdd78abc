"""Signals and readers that leave: a run ends at once, in silence, and leaves nothing behind."""

import contextlib
import gzip
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path
from pipes import unread

import pyarrow.parquet as pq
import pytest
from stored import FORMATS, rows, stored
from transcripts import repeated
from waiting import HANGS, until

from lossctl.reading.files import open_source


@pytest.fixture(scope="module")
def millions(tmp_path_factory):
    """A file that takes a second or two to write out again."""
    return repeated(tmp_path_factory.mktemp("millions") / "data.csv", 3_000_000)


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_threads_that_read(plain_environment, millions, sent, status):
    # stderr tells when the run has begun: the first file is open by the time the second is missed only at the end.
    script = (
        "from lossctl.evaluation import fold, steady\n"
        "original = fold.validate\n"
        "def validate(*given):\n"
        "    print('reading', flush=True)\n"
        "    return original(*given)\n"
        "fold.validate = steady.validate = validate\n"
        "from lossctl.cli.app import main; main()\n"
    )
    files = [str(millions)] * 20
    running = subprocess.Popen(
        [sys.executable, "-c", script, "eval", *files, "-l", "log_cosh", "-q"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=plain_environment(),
    )
    assert running.stdout.readline().startswith("reading")  # by two threads, perhaps
    running.send_signal(sent)
    out, err = running.communicate(timeout=HANGS)
    assert (running.returncode, err) == (status, "")
    assert "log_cosh" not in out
    shards = len(files) * len(list(open_source(millions).shards()))
    assert out.count("reading") < shards / 2, "it ends where it is, not when all is read"


LISTENING = "import tempfile; tempfile.gettempdir(); from lossctl.cli.app import main; main()"
"""To find out where temporary files go, the standard library writes one of its own: that must not be when the signal
comes."""

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture(scope="module")
def million(tmp_path_factory):
    """A file of a million rows, in row groups small enough to be many."""
    path = tmp_path_factory.mktemp("million") / "rows.parquet"
    pq.write_table(rows(1_000_000), path, row_group_size=50_000)
    return path


@pytest.fixture
def begun(plain_environment, tmp_path):
    """Start a command line, with temporary files in a folder of the test."""
    aside = tmp_path / "aside"
    aside.mkdir()
    running = []

    # A signal that comes while coverage holds its own lock would wait for that lock for ever.
    environment = plain_environment(TMPDIR=str(aside))
    untraced = {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}

    def call(*arguments, **more):
        made = subprocess.Popen(
            [sys.executable, "-c", LISTENING, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=untraced,
            **more,
        )
        running.append(made)
        return made

    yield call
    for made in running:
        made.kill()
        made.communicate()


def signals_in_turn(*choices):
    """Every combination of the choices with one of the signals, each in its turn."""
    cases = [[(at, choice) for at, choice in enumerate(some)] for some in choices]
    return [
        (*(choice for _, choice in case), *SIGNALS[sum(at for at, _ in case) % len(SIGNALS)])
        for case in itertools.product(*cases)
    ]


@pytest.mark.parametrize(
    ("suffix", "moment", "sent", "status"),
    signals_in_turn([".csv", ".jsonl", ".parquet", ".arrow", ".arrows"], [0, 100_000, 5_000_000]),
)
def test_a_signal_leaves_no_half_written_file(begun, million, tmp_path, sent, status, suffix, moment):
    target, old = tmp_path / f"out{suffix}", moment != 100_000  # or there was none
    if old:
        target.write_bytes(b"old")
    running = begun("samples", million, "-l", "mse", "-q", "-o", target)
    beside = lambda: [it for it in tmp_path.iterdir() if it.name.startswith(".out")]  # noqa: E731
    until(lambda: any(it.stat().st_size >= moment for it in beside()), running)
    running.send_signal(sent)
    out, err = running.communicate(timeout=HANGS)
    assert (running.returncode, out, err) == (status, b"", b"")
    assert {it.name for it in tmp_path.iterdir()} == {"aside", *([target.name] if old else [])}
    assert not old or target.read_bytes() == b"old"


DEAF = """
import os, sys
from importlib import import_module
from lossctl.cli.app import main
sent = int(sys.argv.pop())
class Deaf:
    def __del__(self):
        os.kill(os.getpid(), sent)
        for _ in range(10**6): pass
module = import_module("lossctl.evaluation.evaluate")
prepare = module.prepare
def interrupted(*arguments, **options):
    Deaf()
    return prepare(*arguments, **options)
module.prepare = interrupted
main()
"""
"""A run to which a signal comes while a destructor is at work."""


@pytest.mark.parametrize(("sent", "status"), SIGNALS)
def test_a_signal_that_meets_a_destructor_is_not_lost(plain_environment, many, sent, status):
    command = [sys.executable, "-c", DEAF, "eval", str(many), "-l", "mse", str(int(sent))]
    done = subprocess.run(command, capture_output=True, env=plain_environment(), timeout=HANGS)
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")


def asleep(process):
    """Whether no thread of a process has anything to do."""
    states = []
    for stat in Path(f"/proc/{process.pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):
            states.append(stat.read_text().rpartition(")")[2].split()[0])
    return set(states) == {"S"}


@pytest.mark.parametrize(
    ("suffix", "part", "sent", "status"),
    signals_in_turn([".csv", ".csv.gz", ".jsonl", ".parquet", ".arrow", ".arrows"], [0.0, 0.5]),
)
def test_a_signal_ends_a_run_that_waits_for_a_pipe_and_leaves_nothing(
    begun, many, tmp_path, sent, status, suffix, part
):
    inner, _, packing = suffix[1:].partition(".")
    whole = stored(pq.read_table(many), f".{inner}", chunk=1000)
    whole = gzip.compress(whole, 1) if packing else whole
    running = begun("eval", "-", "-l", "mse", "-q", stdin=subprocess.PIPE)
    os.write(running.stdin.fileno(), whole[:100])
    until(lambda: not unread(running.stdin.fileno()), running)
    if part:
        running.stdin.write(whole[100 : int(len(whole) * part)])
        running.stdin.flush()
        until(lambda: not unread(running.stdin.fileno()), running)
    until(lambda: asleep(running), running)  # it has taken the bytes, and is back for more
    running.send_signal(sent)
    out, err = b"", b""
    running.wait(timeout=HANGS)
    out, err = running.stdout.read(), running.stderr.read()
    assert (running.returncode, out, err) == (status, b"", b"")
    assert list((tmp_path / "aside").iterdir()) == []


def test_a_run_that_ends_leaves_nothing_of_what_it_put_aside(begun, many, tmp_path):
    running = begun("eval", "-", "-l", "mse", "-q", "-f", "value", stdin=subprocess.PIPE)
    out, err = running.communicate(many.read_bytes(), timeout=HANGS)
    assert (running.returncode, err) == (0, b"")
    assert float(out) > 0
    assert list((tmp_path / "aside").iterdir()) == []


@pytest.mark.parametrize("form", [suffix[1:] for suffix in FORMATS])
def test_a_reader_that_leaves_ends_samples_with_141_and_silence(plain_environment, many, form):
    # No fixture kills it: it must end by itself.
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "lossctl", "samples", str(many), "-l", "mse", "-f", form, "-q"]
    with open(writer, "wb") as stdout:
        running = subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, env=plain_environment())
    os.read(reader, 1)
    os.close(reader)
    assert running.communicate(timeout=HANGS) == (None, b"")
    assert running.returncode == 141
