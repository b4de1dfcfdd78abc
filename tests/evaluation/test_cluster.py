"""A Dask cluster gives what one machine gives, bit for bit, whatever happens to its workers, and errors as good."""

import contextlib
import inspect
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl as library
from lossctl.cli.command import commands
from lossctl.evaluation.engine import connected, engines
from lossctl.evaluation.engines import cluster as engine_module
from lossctl.reading.format import formats, open_source
from lossctl.reading.formats import memory
from lossctl.reading.location import clean

distributed = pytest.importorskip("distributed", reason="needs lossctl[dask]")
cloudpickle = pytest.importorskip("cloudpickle")

TESTS = Path(__file__).parents[1]
EVERYTHING = {"loss": ["huber", "mse", "mae"], "by": "g", "gradient": True, "samples": 3, "skill": True}


@pytest.fixture(scope="module", autouse=True)
def known_to_workers():
    """Functions of this file travel by value: workers cannot import it."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(3)
    n = 20_000
    label = np.round(rng.normal(size=n), 2)
    prediction = label + rng.standard_t(2, size=n) * 10.0 ** rng.integers(-6, 4, n)
    return pa.table({"label": label, "prediction": prediction, "g": pa.array([f"group {at % 7}" for at in range(n)])})


@pytest.fixture(scope="module")
def stored(table, tmp_path_factory):
    """The table in twenty row groups."""
    path = tmp_path_factory.mktemp("stored") / "rows.parquet"
    pq.write_table(table, path, row_group_size=1000)
    return path


def bits(report):
    return [repr(result) for result in report.results]


def running(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


# --- the same numbers -------------------------------------------------------------------------------------------------


def test_a_data_set_on_an_object_store_is_the_same_on_a_cluster(bucket, start_cluster, table, tmp_path):
    """The workers are started with the keys of the store in their environment, and read it themselves."""
    for at in range(3):
        path = tmp_path / f"{at}.parquet"
        pq.write_table(table.slice(at * 7000, 7000), path, row_group_size=1000)
        bucket.put(f"cluster/g={at}/rows.parquet", path.read_bytes())
    url = bucket.url("cluster")
    asked = {**EVERYTHING, "by": ["g"]}
    expected = library.evaluate(url, **asked, engine="serial")
    with start_cluster() as there:
        found = library.evaluate(url, **asked, engine="dask", scheduler=there.scheduler_address)
    assert sum(result.n for result in found.results) == 3 * table.num_rows
    assert found == expected
    assert bits(found) == bits(expected)


@pytest.mark.parametrize("suffix", [it.suffixes[0] for it in formats if it.suffixes] + [".csv.gz", "memory", "keys"])
def test_the_parts_of_every_format_travel(suffix, cluster, table, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "ROWS", 7000)
    source = table.slice(100)
    if suffix == "keys":
        source = tmp_path / "split=test" / "rows.parquet"
        source.parent.mkdir()
        pq.write_table(table, source, row_group_size=5000)
    elif suffix == ".csv.gz":
        source = tmp_path / "rows.csv.gz"
        with pa.CompressedOutputStream(str(source), "gzip") as file:
            pa.csv.write_csv(table, file)
    elif suffix != "memory":
        source = tmp_path / f"rows{suffix}"
        (form,) = [it for it in formats if suffix in it.suffixes]
        with source.open("wb") as file:
            writer = form.writer(file, table.schema)
            for batch in table.to_batches(max_chunksize=5000):
                writer.write_batch(batch)
            writer.close()
    expected = library.evaluate(source, **EVERYTHING, engine="serial")
    found = library.evaluate(source, **EVERYTHING, engine="dask", scheduler=cluster.scheduler_address)
    assert bits(found) == bits(expected)


def test_stdin_is_sent_to_the_workers(cluster, lossctl, table, tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    pa.csv.write_csv(table, path)
    with path.open() as file:
        kept = os.dup(0)
        try:
            os.dup2(file.fileno(), 0)
            done = lossctl(
                "eval", "-", "-l", "huber", "-f", "json", "--engine", "dask", "--scheduler", cluster.scheduler_address
            )
        finally:
            os.dup2(kept, 0)
            os.close(kept)
    assert done.values == [library.evaluate(path, "huber", engine="serial").value]


def test_a_slice_of_a_table_travels_without_the_rest_of_it(table):
    whole = len(pickle.dumps(table))
    (one,) = memory.MemorySource(table.slice(10, 100)).shards()
    assert len(pickle.dumps(one)) < whole / 50
    assert pickle.loads(pickle.dumps(one)).table.equals(one.table)


COMMANDS = {
    "eval": ["-l", "huber,mae", "--grad", "--skill", "--by", "g", "--samples", "2"],
    "samples": ["-l", "huber", "--top", "5"],
    "doctor": [],
    "plot": ["-l", "huber"],
    "gradcheck": [],
}


def test_every_command_with_an_engine_is_tried_on_a_cluster():
    assert {it.name for it in commands if "engine" in inspect.signature(it.run).parameters} == set(COMMANDS)
    for name in COMMANDS:
        assert "scheduler" in inspect.signature(commands.get(name).run).parameters


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_the_same_on_a_cluster(name, cluster, lossctl, stored):
    command = [name, *(["huber"] if name == "gradcheck" else []), stored, *COMMANDS[name]]
    serial = lossctl(*command, "--engine", "serial")
    assert serial.status == 0
    assert lossctl(*command, "--engine", "dask", "--scheduler", cluster.scheduler_address) == serial


def test_progress_adds_up_to_the_size_of_the_file(cluster, stored):
    sizes = []
    library.evaluate(stored, "mse", engine="dask", scheduler=cluster.scheduler_address, progress=sizes.append)
    assert len(sizes) == 20
    assert sum(sizes) == pytest.approx(stored.stat().st_size, rel=0.01)


# --- workers that come and go -----------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_changes_nothing(start_cluster, stored):
    expected = library.evaluate(stored, **EVERYTHING, engine="serial")
    with start_cluster() as there, distributed.Client(there, set_as_default=False) as client:
        before = set(client.run(os.getpid).values())
        done = []

        def progress(nbytes):
            done.append(nbytes)
            if len(done) == 3:
                os.kill(min(before), signal.SIGKILL)

        address = there.scheduler_address
        found = library.evaluate(stored, **EVERYTHING, engine="dask", scheduler=address, progress=progress)
        assert len(done) == 20
        assert not running(min(before))
    assert found == expected
    assert bits(found) == bits(expected)


def test_a_shard_that_kills_its_workers_is_an_error_that_names_it(start_cluster, stored):
    import dask

    def work(shard):
        if shard.index == 3:
            os._exit(1)
        return shard.index

    shards = open_source(stored).shards()
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        start_cluster() as there,
        connected(engines.get("dask"), there.scheduler_address, None) as engine,
    ):
        results = engine.map(work, shards)
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(library.LossctlError, match=r"rows\.parquet: part 4: workers that died: 1\n.*memory"):
            next(results)


def test_a_cluster_without_workers_is_an_error_after_a_while(start_cluster, stored, monkeypatch):
    monkeypatch.setattr(engine_module, "PATIENCE", 1.5)
    match = "no worker for 2 seconds\nStart workers"
    with start_cluster(0) as there, pytest.raises(library.LossctlError, match=match):
        library.evaluate(stored, "mse", engine="dask", scheduler=there.scheduler_address)


def test_workers_may_come_later(start_cluster, stored):
    """As on a cluster that grows with the work there is for it."""
    with start_cluster(0) as there:
        there.adapt(minimum=0, maximum=2, interval="100ms")
        found = library.evaluate(stored, "mse", engine="dask", scheduler=there.scheduler_address)
    assert found == library.evaluate(stored, "mse", engine="serial")


def test_a_scheduler_that_goes_away_is_an_error(stored, plain_environment):
    script = (
        "import sys, distributed\n"
        "if __name__ == '__main__':\n"
        "    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:\n"
        "        print(cluster.scheduler_address, flush=True)\n"
        "        sys.stdin.read()\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(script)
        file.flush()
        command = [sys.executable, file.name]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, **pipes, text=True, env=plain_environment()) as there:
            address = there.stdout.readline().strip()
            with pytest.raises(library.LossctlError, match="the Dask scheduler went away"):
                library.evaluate(stored, "mse", engine="dask", scheduler=address, progress=lambda _: there.kill())


def test_the_number_of_tasks_out_is_bounded(cluster):
    """However many shards there are: two for each thread, and the one that is waited for."""
    out = []

    def items(session, most):
        for item in range(most):
            out.append(len(session.client.futures))
            yield item

    with connected(engines.get("dask"), cluster.scheduler_address, None) as session:
        for workers, shards, most in ((None, 1000, 2 * 2 + 1), (50, 300, 2 * 50 + 1)):
            out.clear()
            found = list(session.map(partial(pow, 2), items(session, shards), workers))
            assert found == [2**item for item in range(shards)]
            assert most // 2 < max(out) <= most


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["nan", "inf"])
def test_what_is_wrong_with_a_shard_is_said_as_on_this_machine(bad, cluster, lossctl, table, tmp_path):
    path = tmp_path / "rows.parquet"
    values = table["prediction"].to_numpy().copy()
    values[7123], values[15_000] = float(bad), float(bad)
    pq.write_table(table.set_column(1, "prediction", pa.array(values)), path, row_group_size=1000)
    command = ["eval", path, "-l", "huber"]
    serial = lossctl(*command, "--engine", "serial")
    assert serial.status == 3
    assert "row 7,124" in serial.err
    assert lossctl(*command, "--engine", "dask", "--scheduler", cluster.scheduler_address) == serial


def test_a_cell_that_is_no_number_is_said_as_on_this_machine(cluster, lossctl, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("label,prediction\n" + "1,2\n" * 4_000_000 + "1,x\n" + "1,2\n" * 10)
    command = ["eval", path, "-l", "huber"]
    serial = lossctl(*command, "--engine", "serial")
    assert serial.status == 3
    assert "row 4,000,001" in serial.err
    assert lossctl(*command, "--engine", "dask", "--scheduler", cluster.scheduler_address) == serial


def test_a_bug_in_a_kernel_shows_where_on_which_worker(cluster):
    def work(item):
        return 1 // item

    engine = connected(engines.get("dask"), cluster.scheduler_address, None)
    with engine as ready, pytest.raises(ZeroDivisionError) as error:
        list(ready.map(work, [2, 1, 0, 1]))
    (note,) = error.value.__notes__
    assert note.startswith("On worker tcp://127.0.0.1:")
    assert "ZeroDivisionError" in note
    assert ", in work\n" in note


class Awkward(Exception):
    """An error that does not survive pickling."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def test_an_error_that_cannot_travel_is_told_in_words(cluster):
    def work(item):
        raise Awkward("this", "that")

    engine = connected(engines.get("dask"), cluster.scheduler_address, None)
    with engine as ready, pytest.raises(RuntimeError, match="Awkward: this and that"):
        list(ready.map(work, [1]))


def test_a_recursion_without_end_is_an_error_and_no_hang(cluster):
    def work(item):
        return work(item)

    engine = connected(engines.get("dask"), cluster.scheduler_address, None)
    with engine as ready, pytest.raises(RecursionError):
        list(ready.map(work, [1]))


def test_a_file_that_a_worker_cannot_find_is_said_so(start_cluster, lossctl, stored, monkeypatch):
    """A relative path means something else where a worker was started elsewhere."""
    monkeypatch.chdir(stored.parent)
    with start_cluster(1, preload=["import os; os.chdir('/')"]) as there:
        done = lossctl("eval", stored.name, "-l", "mse", "--engine", "dask", "--scheduler", there.scheduler_address)
    assert done.status == 3
    assert "rows.parquet: no such file on worker tcp://127.0.0.1:" in done.err
    assert "absolute path" in done.err
    assert done.err.count("error:") == 1


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    target = tmp_path_factory.mktemp("site")
    flags = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *flags, str(TESTS / "plugin")], check=True, cwd=target)
    return target


@pytest.mark.parametrize("everywhere", [False, True], ids=["here only", "everywhere"])
def test_a_plug_in_loss_must_be_installed_on_the_workers(plugin, start_cluster, process, stored, everywhere):
    preload = [f"import sys; sys.path.append({str(plugin)!r})"] if everywhere else []
    command = ["eval", stored, "-l", "pinball:tau=0.3", "-q", "-f", "value"]
    paths = os.pathsep.join(filter(None, [str(plugin), os.environ.get("PYTHONPATH")]))
    serial = process(*command, "--engine", "serial", PYTHONPATH=paths)
    assert serial.status == 0
    with start_cluster(preload=preload) as there:
        found = process(*command, "--engine", "dask", "--scheduler", there.scheduler_address, PYTHONPATH=paths)
    if everywhere:
        assert found == serial
    else:
        assert found.status == 2
        assert "error: unknown loss 'pinball' on worker tcp://127.0.0.1:" in found.err
        assert "install its package on every worker" in found.err
        assert found.err.count("\n") == 2


def test_workers_without_lossctl_are_an_error(start_cluster, lossctl, stored):
    with start_cluster(1, preload=["import sys; sys.modules['lossctl'] = None"]) as there:
        done = lossctl("eval", stored, "-l", "mse", "-q", "--engine", "dask", "--scheduler", there.scheduler_address)
    assert done.status == 2
    assert "a worker of the Dask cluster cannot take a task: " in done.err
    assert "lossctl" in done.err.splitlines()[0]
    assert "pip install lossctl==" in done.err


@pytest.mark.parametrize("name", ["lossctl", "numpy"])
def test_workers_of_another_version_are_an_error(name, start_cluster, lossctl, stored):
    text = "import lossctl.evaluation.engines.cluster as it; "
    text += f"it.version = lambda name, known=it.version: '0.0.1' if name == {name!r} else known(name)"
    with start_cluster(1, preload=[text]) as there:
        done = lossctl("eval", stored, "-l", "mse", "-q", "--engine", "dask", "--scheduler", there.scheduler_address)
    assert done.status == 2
    assert " here, but 0.0.1 on worker tcp://127.0.0.1:" in done.err
    assert f"pip install {name}==" in done.err


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nowhere", "foo://bar:1", "tcp://no.such.host.invalid:8786"])
def test_a_scheduler_that_does_not_answer_is_an_error_in_time(address, lossctl, stored, monkeypatch):
    monkeypatch.setattr(engine_module, "ANSWER", 1.0)
    began = time.monotonic()
    done = lossctl("eval", stored, "-l", "mse", "-q", "--engine", "dask", "--scheduler", address)
    assert time.monotonic() - began < 10
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith(f"error: no Dask scheduler answers at {address}: ")
    assert done.err.count("\n") == 2


def test_a_port_where_nobody_speaks_is_an_error_in_time(lossctl, stored, monkeypatch):
    monkeypatch.setattr(engine_module, "ANSWER", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        done = lossctl("eval", stored, "-l", "mse", "-q", "--engine", "dask", "--scheduler", address)
    assert done.status == 2
    assert done.err.startswith(f"error: no Dask scheduler answers at {address}: ")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_scheduler_without_the_engine_for_it_is_refused(name, lossctl, stored):
    subject = ["huber", stored] if name == "gradcheck" else [stored]
    done = lossctl(name, *subject, "--scheduler", "tcp://127.0.0.1:8786")
    assert done.status == 2
    assert done.err.startswith("error: the ")
    assert done.err.endswith("engine has no scheduler\n--scheduler goes with --engine dask.\n")


def test_a_missing_extra_is_named(lossctl, stored, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    done = lossctl("eval", stored, "-l", "mse", "-q", "--engine", "dask")
    assert done.status == 2
    assert "error: the dask engine needs an extra" in done.err
    assert "pip install 'lossctl[dask]'" in done.err


# --- processes of our own ---------------------------------------------------------------------------------------------


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


def test_what_dask_logs_is_as_before_afterwards(cluster, stored):
    names = engine_module.NOISY
    levels = [logging.getLogger(name).level for name in names]
    library.evaluate(stored, "mse", engine="dask", scheduler=cluster.scheduler_address)
    assert [logging.getLogger(name).level for name in names] == levels
    clean()
