"""Forked workers: who forks, when it is refused, and what becomes of those whose work is no longer wanted.

That they give the results of every other engine is in test_every_engine.
"""

import os
import signal
import subprocess
import sys
import threading
from multiprocessing.context import ForkProcess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from waiting import HANGS, until

import lossctl
from lossctl.errors import DataError, UsageError
from lossctl.evaluation.engine import engines, usual_engine

processes = engines.get("processes")
COLUMNS = {"label": "y", "prediction": "p", "engine": "processes"}


@pytest.fixture
def parts(tmp_path):
    """A file of thirty row groups."""
    rng = np.random.default_rng(3)
    path = tmp_path / "parts.parquet"
    pq.write_table(pa.table({"y": rng.normal(size=3000), "p": rng.normal(size=3000)}), path, row_group_size=100)
    return path


def alive(pid):
    """Whether a process runs: one that has ended and that nobody asked after does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def here(_):
    return os.getpid()


@pytest.mark.parametrize(("items", "workers"), [(1, 2), (1, 7), (5, 1)])
def test_nothing_is_forked_for_a_single_shard_or_worker(items, workers):
    assert set(processes.map(here, range(items), workers)) == {os.getpid()}


@pytest.mark.parametrize("workers", [2, 3, 7])
def test_no_more_are_forked_than_there_is_work_for(workers):
    found = set(processes.map(here, range(3), workers))
    assert os.getpid() not in found
    assert len(found) <= min(workers, 3)


def test_no_worker_outlives_the_pass():
    found = list(processes.map(here, range(20), 3))
    assert not any(map(alive, found))


def test_no_worker_waits_for_the_end_of_the_pass_with_what_it_holds():
    results = processes.map(here, range(4), 2)
    workers = [next(results) for _ in range(4)]
    until(lambda: not any(map(alive, workers)))
    assert not list(results)


def test_no_worker_is_forked_while_threads_of_a_pass_before_work(monkeypatch):
    """What such a thread has locked would be locked in the worker for ever."""
    lock, held, free, order = threading.Lock(), threading.Event(), threading.Event(), []

    def holds(item):
        if item == 0:
            held.wait(HANGS)
            raise DataError("the first item ends the pass")
        with lock:
            held.set()
            free.wait(HANGS)

    def locks(_):
        with lock:
            return os.getpid()

    def told(what, own):
        def call(*given):
            order.append(what)
            free.set()  # a fork without the wait would hang: the lock is held until then
            return own(*given)

        return call

    with pytest.raises(DataError):
        list(engines.get("threads").map(holds, range(2), 2))
    monkeypatch.setattr(threading.Thread, "join", told("waits", threading.Thread.join))
    monkeypatch.setattr(ForkProcess, "start", told("forks", ForkProcess.start))
    found = set(processes.map(locks, range(2), 2))
    assert order[0] == "waits"
    assert os.getpid() not in found


def test_no_worker_outlives_a_pass_that_is_given_up():
    results = processes.map(here, range(1000), 3)
    first = next(results)
    assert alive(first)
    results.close()
    assert not alive(first)


@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(3)])
def test_a_worker_that_dies_is_an_error_that_says_how(end):
    def work(item):
        return end() if item == 4 else item

    with pytest.raises(DataError, match=r"a worker process (was ended by SIGKILL|ended with status 3)") as error:
        list(processes.map(work, range(9), 2))
    assert ("threads=1" in error.value.hint) == ("SIGKILL" in error.value.what)


def test_an_error_that_cannot_be_sent_is_told_in_words():
    class Local(Exception):
        def __reduce__(self):
            raise TypeError

    def work(item):
        if item:
            raise Local("went wrong")
        return item

    with pytest.raises(RuntimeError, match="Local: went wrong") as error:
        list(processes.map(work, range(3), 2))
    assert any('raise Local("went wrong")' in note for note in error.value.__notes__)


def test_what_goes_wrong_in_a_worker_says_where_it_did():
    def work(item):
        return 1 / item

    with pytest.raises(ZeroDivisionError) as error:
        list(processes.map(work, [1, 0], 2))
    assert any("return 1 / item" in note for note in error.value.__notes__)


@pytest.mark.parametrize("most", [0, 1, 3])
@pytest.mark.parametrize("kind", [OSError, AssertionError])
def test_the_work_is_done_with_as_many_workers_as_the_system_lets_us_have(monkeypatch, most, kind):
    """AssertionError is what multiprocessing raises in a worker of its own."""
    forked, start = [], ForkProcess.start

    def sometimes(worker):
        if len(forked) == most:
            raise kind
        forked.append(worker)
        start(worker)

    monkeypatch.setattr(ForkProcess, "start", sometimes)
    assert list(processes.map(lambda x: x * x, range(50), 7)) == [x * x for x in range(50)]
    assert len(forked) == most


@pytest.mark.parametrize("size", [1 << 10, 1 << 22])
def test_large_items_and_results_never_wait_for_each_other(size):
    items = [bytes([at]) * size for at in range(12)]
    assert list(processes.map(lambda item: item[::-1], items, 2)) == items


def test_urls_are_refused(web, parts):
    url = web.put("/ranges/parts.parquet", parts.read_bytes())
    with pytest.raises(UsageError, match="this machine only"):
        lossctl.evaluate(url, "mse", **COLUMNS)


def test_a_url_of_a_file_of_this_machine_is_a_file(parts):
    assert lossctl.evaluate(parts.as_uri(), "mse", **COLUMNS).value == lossctl.evaluate(parts, "mse", **COLUMNS).value


def test_a_table_in_memory_is_sent_to_workers(parts):
    table = pq.read_table(parts)
    expected = lossctl.evaluate(table, "huber", **{**COLUMNS, "engine": "serial"})
    assert lossctl.evaluate(table, "huber", **COLUMNS).results == expected.results


def test_where_forking_is_not_safe_it_is_refused(monkeypatch, parts):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError, match="on Linux only"):
        lossctl.evaluate(parts, "mse", **COLUMNS)


@pytest.mark.parametrize(
    ("platform", "threads", "paths", "expected"),
    [
        ("linux", 1, ["a.csv", "-"], "processes"),
        ("linux", 1, ["a.csv", "s3://bucket/b.csv"], "threads"),
        ("linux", 2, ["a.csv"], "threads"),
        ("darwin", 1, ["a.csv"], "threads"),
        ("win32", 1, ["a.csv"], "threads"),
    ],
)
def test_processes_are_usual_where_forking_is_safe(monkeypatch, platform, threads, paths, expected):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(threading, "active_count", lambda: threads)
    assert usual_engine(paths) == expected


TELLING = """
import os, sys
told = sys.argv[1]
from lossctl.cli import app as cli
from lossctl.evaluation.engines import processes

fork = processes._Crew._fork
def telling(crew):
    found = fork(crew)
    with open(told, "a") as file:
        print(crew.workers[found].pid, file=file)
    return found
processes._Crew._fork = telling
sys.argv[:2] = ["lossctl"]
cli.main()
"""
"""A command line that says whom it forks."""


@pytest.fixture
def endless(tmp_path, plain_environment):
    """A run that would take long, and its workers."""
    path, told = tmp_path / "long.parquet", tmp_path / "told"
    rng = np.random.default_rng(4)
    table = pa.table({"y": rng.normal(size=2000), "p": rng.normal(size=2000)})
    with pq.ParquetWriter(path, table.schema) as file:
        for _ in range(50):
            file.write_table(table, row_group_size=20)
    running = subprocess.Popen(
        [sys.executable, "-c", TELLING, str(told), "eval", *[str(path)] * 20, "-y", "y", "-p", "p", "-l", "mse"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=plain_environment(),
        start_new_session=True,
    )
    until(lambda: told.exists() and told.read_text().count("\n") > 1, running)
    workers = [int(word) for word in told.read_text().split()]
    assert all(map(alive, workers))
    yield running, workers
    running.kill()
    running.communicate()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_workers_are_forked_is_answered_once(tmp_path, plain_environment, parts, sent, status):
    """Every process gets it, in the middle of a fork: those who are born meanwhile say nothing."""
    told = tmp_path / "told"
    code = TELLING.replace("cli.main()", "") + (
        "serve = processes._serve\n"
        "def late(*arguments):\n"
        f"    os.killpg(0, {int(sent)})\n"
        "    function, here, others = arguments\n"
        "    for other in others:\n"
        "        other.close()\n"
        "    here.poll(10)\n"  # until the one who forks has let go of it
        "    serve(*arguments)\n"
        "processes._serve = late\n"
        "cli.main()\n"
    )
    command = [sys.executable, "-c", code, told, "eval", *[parts] * 9, "-y", "y", "-p", "p", "-l", "mse"]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, env=plain_environment(), start_new_session=True, timeout=HANGS
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")


@pytest.mark.parametrize(
    ("sent", "to_all", "status"),
    [
        (signal.SIGINT, False, 130),
        (signal.SIGINT, True, 130),  # as a terminal sends it
        (signal.SIGTERM, False, 143),
        (signal.SIGKILL, False, -9),
    ],
)
def test_workers_end_with_the_program(endless, sent, to_all, status):
    running, workers = endless
    if to_all:
        os.killpg(running.pid, sent)
    else:
        running.send_signal(sent)
    assert (running.communicate(timeout=HANGS), running.returncode) == ((b"", b""), status)
    until(lambda: not any(map(alive, workers)))


def test_a_worker_that_is_killed_ends_the_program_with_an_error(endless):
    running, workers = endless
    os.kill(workers[0], signal.SIGKILL)
    out, err = running.communicate(timeout=HANGS)
    assert (running.returncode, out) == (3, b"")
    assert b"a worker process was ended by SIGKILL" in err
    until(lambda: not any(map(alive, workers)))
