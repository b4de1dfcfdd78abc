"""A Dask cluster gives what one machine gives, bit for bit, whatever happens to its workers."""

import contextlib
import inspect
import logging
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import arrays_as
from ways import COMMANDS

import lossctl as library
from lossctl.cli.command import commands
from lossctl.evaluation.engine import connected, engines
from lossctl.evaluation.engines import cluster as engine_module
from lossctl.reading import memory
from lossctl.reading.files import open_source
from lossctl.reading.format import formats
from lossctl.reading.location import clean

pytestmark = pytest.mark.usefixtures("known_to_workers")

distributed = pytest.importorskip("distributed", reason="needs lossctl[dask]")

EVERYTHING = {"loss": ["huber", "mse", "mae"], "by": "g", "gradient": True, "samples": 3, "skill": True}


def bits(report):
    return [repr(result) for result in report.results]


def running(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


# --- the same numbers ------------------------------------------------------------------------------------------------


def test_a_data_set_on_an_object_store_is_the_same_on_a_cluster(bucket, start_cluster, table, tmp_path):
    """The workers are started with the keys of the store in their environment, and read it themselves."""
    for at in range(3):
        path = tmp_path / f"{at}.parquet"
        pq.write_table(table.slice(at * 7000, 7000), path)  # a row group: how workers put them together is not patched
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
    elif suffix in {".npy", ".npz"}:
        source = tmp_path / f"rows{suffix}"
        source.write_bytes(arrays_as(suffix[1:], table))
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


def test_stdin_is_sent_to_the_workers(cluster, lossctl, table, tmp_path):
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


def test_every_command_with_an_engine_is_tried_on_a_cluster():
    others = {"baseline", "check"}  # which make the passes of eval and compare
    having = {it.name for it in commands if "engine" in inspect.signature(it.run).parameters}
    assert having == {*COMMANDS} | others
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


# --- workers that come and go ----------------------------------------------------------------------------------------


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


def test_a_shard_that_kills_its_workers_is_an_error_that_names_it(start_cluster, stored, tmp_path):
    import dask

    told = tmp_path / "told"

    def work(shard):
        if shard.index == 3:  # once what the worker had done before is told
            while not told.exists():
                time.sleep(0.01)
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
        told.touch()
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
    """However many shards there are: two for each thread, the one that is waited for, and one that is being let go."""
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
            assert most // 2 < max(out) <= most + 1


# --- processes of our own --------------------------------------------------------------------------------------------


def test_no_logger_of_dask_says_anything_until_the_pass_ends(cluster):
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in engine_module.NOISY]
    levels = [logging.getLogger(name).level for name in names]
    assert "distributed.client" in names, "it has a level of its own"
    with connected(engines.get("dask"), cluster.scheduler_address, None):
        assert [name for name in names if logging.getLogger(name).isEnabledFor(logging.CRITICAL)] == []
    assert [logging.getLogger(name).level for name in names] == levels
    clean()


def test_what_a_worker_cannot_unpickle_is_worked_on_here(damaged_stream, cluster):
    asked = {"label": "y", "prediction": "p", "engine": "dask", "scheduler": cluster.scheduler_address}
    report = library.evaluate(damaged_stream, "mse", **asked)
    assert (report.value, report.results[0].n) == (1.0, 300)
    with pytest.raises(library.DataError, match=r"rows\.arrows: column 't': cannot be read"):
        library.evaluate(damaged_stream, "mse", by="t", **asked)
