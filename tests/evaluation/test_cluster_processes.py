"""The processes that a run starts for itself with Dask end with it."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import HANGS, until

import lossctl as library

pytest.importorskip("distributed", reason="needs lossctl[dask]")


@pytest.fixture
def alone(tmp_path, plain_environment):
    """A command line in a session of its own, with an empty folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()

    begun = []

    def start(*arguments, program=("-m", "lossctl"), pass_fds=()):
        process = subprocess.Popen(
            [sys.executable, *program, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=plain_environment(TMPDIR=str(folder)),
            start_new_session=True,
            pass_fds=pass_fds,
        )
        begun.append(process)
        return process

    start.folder = folder
    yield start
    for process in begun:  # whose output nobody may have read
        for pipe in (process.stdout, process.stderr):
            pipe.close()


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
    until(lambda: not of_session(leader))
    return True


def test_processes_are_started_and_leave_nothing_behind(alone, stored):
    expected = library.evaluate(stored, "huber", engine="serial")
    started = alone("eval", stored, "-l", "huber", "-f", "value", "-q", "--engine", "dask", "--threads", "2")
    out, err = started.communicate(timeout=HANGS)
    assert (started.returncode, out, err) == (0, f"{expected.value!r}\n", "")
    assert gone(started.pid)
    assert list(alone.folder.iterdir()) == []


def workers_of(started):
    """The worker processes of a run."""
    found = []
    for pid in of_session(started.pid):
        with contextlib.suppress(OSError):
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


PAUSING = """
import os, sys
from lossctl.cli.app import main
from lossctl.evaluation.engines.cluster import Session
told, gate = (int(sys.argv.pop()) for _ in range(2))
answer, answers = Session._answer, []
def pausing(session, future, item):
    answers.append(answer(session, future, item))
    if len(answers) == 3:
        os.write(told, b"at work")
        os.read(gate, 1)
    return answers[-1]
Session._answer = pausing
main()
"""
"""A command line that says when its workers are in the midst of their work, and goes on when it may."""


@contextlib.contextmanager
def at_work(alone, *arguments):
    """A run that waits with some of its tasks done, others under way, and most to come."""
    (told, tells), (gate, opens) = os.pipe(), os.pipe()
    started = alone(*arguments, gate, tells, program=("-c", PAUSING), pass_fds=(tells, gate))
    os.close(tells)
    os.close(gate)
    with open(told, "rb") as hears, open(opens, "wb"):
        assert hears.read(7) == b"at work", started.communicate()
        yield started


@pytest.fixture(scope="module")
def long(stored):
    """Six hundred parts."""
    return [stored] * 30


@pytest.mark.parametrize("when", ["as workers start", "at work"])
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_ends_all_processes_in_silence(alone, long, sent, status, when):
    """A terminal sends it to each of them."""
    command = ["eval", *long, "-l", "log_cosh", "--by", "g", "--skill", "-q", "--engine", "dask", "--threads", "2"]
    if when == "at work":
        with at_work(alone, *command) as started:
            assert len(workers_of(started)) == 2
        # its workers go on, and so does it
    else:
        started = alone(*command)
        until(lambda: len(workers_of(started)) == 2, started)
    os.killpg(started.pid, sent)
    out, err = started.communicate(timeout=HANGS)
    assert (started.returncode, out, err) == (status, "", "")
    assert gone(started.pid)
    assert list(alone.folder.iterdir()) == []


def test_a_process_that_is_killed_changes_nothing_and_is_not_spoken_of(alone, long):
    command = ["eval", *long, "-l", "log_cosh", "-q", "-f", "value"]
    value = library.evaluate(long[0], "log_cosh", engine="serial").value  # which as many copies have as well
    with at_work(alone, *command, "--engine", "dask", "--threads", "2") as started:
        victim = workers_of(started)[0]
        os.kill(victim, signal.SIGKILL)
    out, err = started.communicate(timeout=HANGS)
    assert (started.returncode, out) == (0, f"{value!r}\n")
    assert re.fullmatch("warning: .* is named again .*\n", err)  # which they are


def test_nobody_else_can_speak_to_the_processes(alone, long):
    """Whoever can may have them run anything, and every user of this machine can reach the ports."""
    import psutil
    from distributed import Security
    from distributed.comm import connect

    async def greet(address, security):
        comm = await connect(address, 10, **security.get_connection_args("client"))
        await comm.close()

    command = ["eval", *long[:5], "-l", "mse", "-q", "--engine", "dask", "--threads", "2"]
    with at_work(alone, *command) as started:
        sockets = [it for pid in of_session(started.pid) for it in psutil.Process(pid).net_connections()]
        ports = {it.laddr.port for it in sockets if it.status == psutil.CONN_LISTEN}
        assert {it.laddr.ip for it in sockets} == {"127.0.0.1"}
        assert len(ports) == 5, "a scheduler, two workers and who looks after each; none has pages"
        stranger = Security.temporary()
        for port in ports:
            for address, security in ((f"tcp://127.0.0.1:{port}", Security()), (f"tls://127.0.0.1:{port}", stranger)):
                with pytest.raises(OSError, match=r"."):
                    asyncio.run(greet(address, security))
    assert started.wait(HANGS) == 0


def test_processes_need_something_to_make_a_certificate_with(lossctl, stored, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    done = lossctl("eval", stored, "-l", "mse", "-q", "--engine", "dask")
    assert done.status == 2
    assert "cryptography" in done.err
    assert done.err.endswith("pip install 'lossctl[dask]'\n")
