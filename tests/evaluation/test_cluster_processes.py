"""The processes that a run starts for itself with Dask end with it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import lossctl as library

pytest.importorskip("distributed", reason="needs lossctl[dask]")


@pytest.fixture
def alone(tmp_path, plain_environment):
    """A command line in a session of its own, with an empty folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()

    def start(*arguments):
        command = [sys.executable, "-m", "lossctl", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environment = plain_environment(TMPDIR=str(folder))
        return subprocess.Popen(command, **pipes, text=True, env=environment, start_new_session=True)

    start.folder = folder
    return start


def of_session(leader):
    """The processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pid, fields = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] not in "ZX":
                found.append(pid)
    return found


def gone(leader):
    """Wait until nothing is left of a session."""
    deadline = time.monotonic() + 10
    while of_session(leader):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return True


def test_processes_are_started_and_leave_nothing_behind(alone, stored):
    expected = library.evaluate(stored, "huber", engine="serial")
    started = alone("eval", stored, "-l", "huber", "-f", "value", "-q", "--engine", "dask", "--threads", "2")
    out, err = started.communicate(timeout=60)
    assert (started.returncode, out, err) == (0, f"{expected.value!r}\n", "")
    assert gone(started.pid)
    assert list(alone.folder.iterdir()) == []


def workers_of(started):
    """Wait for the worker processes of a run."""
    deadline = time.monotonic() + 30
    while True:
        found = []
        for pid in of_session(started.pid):
            with contextlib.suppress(OSError):
                if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        if len(found) == 2:
            return found
        assert started.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def long(table, tmp_path_factory):
    """A file that takes some seconds."""
    path = tmp_path_factory.mktemp("long") / "rows.parquet"
    with pq.ParquetWriter(path, table.schema) as writer:
        for _ in range(300):
            writer.write_table(table)
    return path


@pytest.mark.parametrize("wait", [0.0, 2.0], ids=["as workers start", "at work"])
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_ends_all_processes_in_silence(alone, long, sent, status, wait):
    """A terminal sends it to each of them."""
    started = alone("eval", long, "-l", "log_cosh", "--by", "g", "--skill", "-q", "--engine", "dask", "--threads", "2")
    workers_of(started)
    time.sleep(wait)
    assert started.poll() is None
    os.killpg(started.pid, sent)
    out, err = started.communicate(timeout=30)
    assert (started.returncode, out, err) == (status, "", "")
    assert gone(started.pid)
    assert list(alone.folder.iterdir()) == []


def test_a_process_that_is_killed_changes_nothing_and_is_not_spoken_of(alone, long):
    command = ["eval", *[long] * 30, "-l", "log_cosh", "-q", "-f", "value"]
    expected = alone(*command, "--engine", "threads").communicate(timeout=60)
    started = alone(*command, "--engine", "dask", "--threads", "2")
    victim = workers_of(started)[0]
    time.sleep(1.5)
    assert started.poll() is None
    os.kill(victim, signal.SIGKILL)
    assert started.communicate(timeout=60) == expected
    assert started.returncode == 0
