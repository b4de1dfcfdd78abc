"""Errors on a cluster are as good as those on this machine, and what a cluster lacks is said."""

import os
import socket
import sys
import time
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from waiting import HANGS
from ways import COMMANDS

from lossctl.evaluation.engine import connected, engines
from lossctl.evaluation.engines import cluster as engine_module
from lossctl.reading import stamp
from lossctl.reading.footer import PartedSource

dask = pytest.importorskip("dask", reason="needs lossctl[dask]")
pytest.importorskip("distributed", reason="needs lossctl[dask]")
pytestmark = pytest.mark.usefixtures("known_to_workers")


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


@pytest.mark.parametrize("way", ["replaced", "gone on", "sent elsewhere"])
def test_a_file_that_changes_under_the_workers_is_read_as_it_was_or_is_an_error(
    way, cluster, lossctl, table, tmp_path, monkeypatch
):
    """It changes once the first row groups were sent; what replaces it is of the same size and time of change."""
    path, other = tmp_path / "rows.parquet", tmp_path / "other.parquet"
    for name in (path, other):
        pq.write_table(table, name, row_group_size=1000)
        os.utime(name, ns=(0, 0))
    shards, command = PartedSource.shards, ["eval", path, "-l", "huber", "-f", "json"]
    serial = lossctl(*command, "--engine", "serial")

    def changing(source):
        for shard in shards(source):
            if shard.index == 2 and way == "gone on":
                with path.open("ab") as file:
                    file.write(b"more")
            elif shard.index == 2:
                os.replace(other, path)
            yield replace(shard, stamp=replace(shard.stamp, keeper=None)) if way == "sent elsewhere" else shard

    monkeypatch.setattr(PartedSource, "shards", changing)
    done = lossctl(*command, "--engine", "dask", "--scheduler", cluster.scheduler_address)
    if way == "replaced" and sys.platform == "linux":
        assert done == serial
        return
    assert (done.status, done.out) == (3, "")
    how = "it grew from" if way == "gone on" else "another file has its name now"
    assert f"{path}: was changed while it was read: {how}" in done.err


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
    """A relative path means something else where a worker was started elsewhere, on another machine."""
    monkeypatch.chdir(stored.parent)
    monkeypatch.setattr(stamp.Keeper, "__reduce__", lambda keeper: (type(keeper), (None, "")))
    monkeypatch.setattr(stamp, "machine", lambda: "another")
    with start_cluster(1, preload=["import os; os.chdir('/')"]) as there:
        done = lossctl("eval", stored.name, "-l", "mse", "--engine", "dask", "--scheduler", there.scheduler_address)
    assert done.status == 3
    assert "rows.parquet: no such file on worker tcp://127.0.0.1:" in done.err
    assert "absolute path" in done.err
    assert done.err.count("error:") == 1


@pytest.mark.parametrize("everywhere", [False, True], ids=["here only", "everywhere"])
def test_a_plug_in_loss_must_be_installed_on_the_workers(plugin, start_cluster, process, stored, everywhere):
    preload = [f"import sys; sys.path.append({str(plugin)!r})"] if everywhere else []
    command = ["eval", stored, "-l", "linex:slope=0.3", "-q", "-f", "value"]
    paths = os.pathsep.join(filter(None, [str(plugin), os.environ.get("PYTHONPATH")]))
    serial = process(*command, "--engine", "serial", PYTHONPATH=paths)
    assert serial.status == 0
    with start_cluster(1, preload=preload) as there:
        found = process(*command, "--engine", "dask", "--scheduler", there.scheduler_address, PYTHONPATH=paths)
    if everywhere:
        assert found == serial
    else:
        assert found.status == 2
        assert "error: unknown loss 'linex' on worker tcp://127.0.0.1:" in found.err
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
    text = "import lossctl.evaluation.remote as it; "
    text += f"it.versions = lambda known=it.versions: known() | {{{name!r}: '0.0.1'}}"
    with start_cluster(1, preload=[text]) as there:
        done = lossctl("eval", stored, "-l", "mse", "-q", "--engine", "dask", "--scheduler", there.scheduler_address)
    assert done.status == 2
    assert " here, but 0.0.1 on worker tcp://127.0.0.1:" in done.err
    assert f"pip install {name}==" in done.err


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nowhere", "foo://bar:1", "tcp://no.such.host.invalid:8786"])
def test_a_scheduler_that_does_not_answer_is_an_error_in_time(address, lossctl, stored, monkeypatch):
    monkeypatch.setattr(engine_module, "ANSWER", 1.0)
    began = time.monotonic()
    with dask.config.set({"distributed.comm.timeouts.connect": f"{2 * HANGS}s"}):  # which is not what counts
        done = lossctl("eval", stored, "-l", "mse", "-q", "--engine", "dask", "--scheduler", address)
    assert time.monotonic() - began < HANGS
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


def test_a_scheduler_with_tls_takes_the_certificates_of_dasks_configuration(start_cluster, lossctl, stored, tmp_path):
    pytest.importorskip("cryptography")
    from distributed import Security

    made = Security.temporary()
    files = {"ca-file": made.tls_ca_file, "client.cert": made.tls_client_cert, "client.key": made.tls_client_key}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    configured = {f"distributed.comm.tls.{name}": str(tmp_path / name) for name in files}
    with start_cluster(1, protocol="tls://", security=made) as there:
        address = there.scheduler_address
        command = ["eval", stored, "-l", "mse", "-q", "-f", "value", "--engine", "dask", "--scheduler"]
        with dask.config.set(configured):
            assert lossctl(*command, address) == lossctl(*command[:-3], "--engine", "serial")
        for configured_badly in ({}, {**configured, "distributed.comm.tls.ca-file": str(tmp_path / "none")}):
            with dask.config.set(configured_badly):
                done = lossctl(*command, address)
            assert (done.status, done.out) == (2, "")
            assert done.err.startswith(f"error: no Dask scheduler answers at {address}: ")
            assert "distributed.comm.tls" in done.err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_scheduler_without_the_engine_for_it_is_refused(name, lossctl, stored):
    subject = {"gradcheck": ["huber", stored], "samples": [stored, "--top", "1"]}.get(name, [stored])
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
