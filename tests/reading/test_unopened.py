"""Small files of a store: how often it is asked, how many at a time, and what comes of one that goes wrong."""

import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pytest
from serving import Handler, serving
from stored import parquet_bytes
from waiting import HANGS, until

import lossctl as library
from lossctl.errors import DataError, UsageError
from lossctl.evaluation import engine, remote
from lossctl.evaluation.engine import ahead
from lossctl.reading import files, stamped
from lossctl.reading.files import narrowed, open_source
from lossctl.reading.format import Wanted
from lossctl.reading.room import Room
from lossctl.reading.stamp import Changed
from lossctl.reading.unopened import unopened

PARTS = 24
TABLES = [pa.table({"y": [0.0, 0.0], "p": [float(part), float(part)]}) for part in range(PARTS)]
MSE = float(np.mean(np.arange(PARTS) ** 2.0))
ENGINES = ("serial", "threads")
URL = re.compile(r"/b/([^?]+)")


@dataclass
class Store:
    """An S3 server: what it holds, how often each thing was asked for, and what is done before an answer."""

    port: int
    files: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    before: object = lambda method, name: None
    """Called before each answer but a listing; may change the files, or give a status to answer with instead."""

    def fill(self, tables=TABLES, **options):
        self.files = {f"{part:03}.parquet": parquet_bytes(table, **options) for part, table in enumerate(tables)}
        return self.url("*.parquet")

    def url(self, names):
        return f"s3://b/{names}?endpoint_override=127.0.0.1:{self.port}&scheme=http"

    def times(self):
        """How often each file was asked for, and how."""
        return Counter(self.asked)


@pytest.fixture
def store(served, monkeypatch):
    """The server, empty, for a client with keys."""
    for name, value in (("ACCESS_KEY_ID", "me"), ("SECRET_ACCESS_KEY", "mine"), ("EC2_METADATA_DISABLED", "true")):
        monkeypatch.setenv(f"AWS_{name}", value)
    served.__init__(served.port)
    yield served
    # What a failing run left behind would ask the server of the next test.
    until(lambda: not any(thread.name.startswith("lossctl") for thread in threading.enumerate()))


@pytest.fixture(scope="module")
def served():
    class Answers(Handler):
        wbufsize = -1  # an answer in one go

        def do_GET(self):  # noqa: N802  (the name that the library calls)
            path = unquote(self.path)
            if "list-type" in path:
                rows = (
                    f"<Contents><Key>{name}</Key><Size>{len(held.files[name])}</Size></Contents>" for name in names()
                )
                self.answer(200, f"<ListBucketResult>{''.join(rows)}</ListBucketResult>".encode())
                return
            name = URL.match(path)[1] if URL.match(path) else ""
            if name not in held.files:
                self.answer(404 if name else 200, b"")
                return
            held.asked.append((self.command, name))
            status = held.before(self.command, name)
            if status is not None:
                self.answer(status, b"")
                return
            body = held.files[name]
            part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            start, stop = (int(part[1]), min(int(part[2]) + 1, len(body))) if part else (0, len(body))
            tag = {"ETag": f'"{hash(body):x}"', "Content-Range": f"bytes {start}-{stop - 1}/{len(body)}"}
            self.answer(206 if part else 200, body[start:stop], tag)

        def answer(self, status, body, headers=()):
            self.send_response(status)
            for name, value in {**dict(headers), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    def names():
        return sorted(held.files)

    with serving(Answers) as port:
        held = Store(port)
        yield held


@pytest.mark.parametrize("way", ENGINES)
def test_a_small_part_takes_three_requests(store, way):
    """Its version and size, all of its bytes, and whether it still is that version."""
    report = library.evaluate(store.fill(), "mse", label="y", prediction="p", engine=way)
    assert report.value == MSE
    assert store.times() == {(method, name): n for name in store.files for method, n in (("HEAD", 2), ("GET", 1))}


def test_a_worker_takes_three_requests_a_part_and_the_client_none(store, cluster):
    report = library.evaluate(
        store.fill(), "mse", label="y", prediction="p", engine="dask", scheduler=cluster.scheduler_address
    )
    assert report.value == MSE
    first, *others = sorted(store.files)
    asked = store.times()
    assert {asked["HEAD", name] for name in others} == {2}
    assert {asked["GET", name] for name in others} == {1}
    assert asked["GET", first] == 2  # the client reads what the columns are called


@pytest.mark.parametrize("way", ENGINES)
def test_parts_are_asked_for_before_the_one_that_is_awaited(store, way):
    """The store answers none of a few until it has been asked for all of them."""
    wanted, all_asked = {f"{part:03}.parquet" for part in range(1, 9)}, threading.Event()

    def before(method, name):
        if wanted <= {name for _, name in store.asked}:
            all_asked.set()
        assert name not in wanted or all_asked.wait(HANGS)

    url = store.fill()
    store.before = before
    assert library.evaluate(url, "mse", label="y", prediction="p", engine=way).value == MSE


def test_a_worker_asks_for_the_parts_of_a_task_before_it_reads_them(store):
    url = store.fill()
    shards = [*open_source(url).shards()][1:]
    seen = []

    def function(shard):
        until(lambda: len({name for _, name in store.asked} - {"000.parquet"}) == min(len(shards), engine.AHEAD + 1))
        seen.append(shard.file)
        raise DataError("that is enough")

    calls = (remote._Call(function, shard) for shard in shards)
    with pytest.raises(DataError, match="enough"):
        next(ahead(calls, lambda call: call.item))()
    assert seen == [shards[0].file]


def test_a_worker_asks_for_the_files_of_its_next_task_before_it_has_read_those_of_one(store, start_cluster):
    """The only worker has no bytes of the file of a task until it has asked for that of another."""
    url, next_asked = store.fill(), threading.Event()

    def before(method, name):
        if name == "002.parquet":
            next_asked.set()
        assert (method, name) != ("GET", "001.parquet") or next_asked.wait(HANGS)

    store.before = before
    with start_cluster(1) as running:
        report = library.evaluate(
            url, "mse", label="y", prediction="p", engine="dask", scheduler=running.scheduler_address
        )
    assert report.value == MSE


def test_a_task_lets_the_next_one_begin_unless_its_worker_closes(monkeypatch):
    """To let it takes a lock, which a worker that closes has while it waits for the task."""
    distributed, seceded = pytest.importorskip("distributed", reason="needs lossctl[dask]"), []
    monkeypatch.setattr(remote, "unopened", lambda item: item)
    monkeypatch.setattr(distributed, "secede", lambda: seceded.append(status))
    for status in distributed.Status:
        monkeypatch.setattr(distributed, "get_worker", lambda status=status: SimpleNamespace(status=status))
        assert [call.item for call in remote._followed([remote._Call(item="file")])] == ["file"]
    assert seceded == [distributed.Status.running]


@pytest.mark.parametrize("most", [1, 7, 100])
def test_no_more_bytes_are_asked_for_than_may_be_held(store, most, monkeypatch):
    """But what each of the files is, which takes no room, is asked at once."""
    shards = [*open_source(store.fill()).shards()][1:]
    monkeypatch.setattr(engine, "HELD", most * max(map(len, store.files.values())))
    read, held = [], []

    def before(method, name):
        held.append(sum(asked == "GET" for asked, _ in store.asked) - len(read))

    store.asked, store.before = [], before
    for shard in ahead(shards):
        if not read:
            until(lambda: store.times().keys() >= {("HEAD", f"{part:03}.parquet") for part in range(1, PARTS)})
            until(lambda: sum(asked == "GET" for asked, _ in store.asked) >= min(most, len(shards)))
        assert sum(batch.num_rows for batch in shard.read(Wanted(frozenset("yp"), frozenset()))) == 2
        read.append(shard)
    assert read == shards
    assert max(held) <= most + 2  # the last may not fit, and one is being read
    assert len(store.asked) == 3 * len(shards)


def test_a_file_that_is_awaited_is_asked_for_though_there_is_no_room(store):
    """Or who reads two data sets side by side would wait forever."""
    shards, room = [*open_source(store.fill()).shards()][1:], Room(1)
    for shard in shards:
        shard.fetch(room)
    for shard in reversed(shards):
        assert sum(batch.num_rows for batch in shard.read(Wanted(frozenset("yp"), frozenset()))) == 2
    assert room.free == 1


def test_what_is_not_needed_any_more_is_not_asked_for(store):
    """Its room is for others, and nobody waits for it."""
    shards, room = [*open_source(store.fill()).shards()][1:], Room(1)
    store.asked = []
    for shard in shards:
        shard.fetch(room)
    until(lambda: len(store.asked) >= len(shards) + 2)
    for shard in reversed(shards):
        shard.forget()
    assert room.free == 1
    until(lambda: not any(thread.name.startswith("lossctl") for thread in threading.enumerate()))
    assert len(store.asked) == len(shards) + 2


@pytest.mark.parametrize("way", ENGINES)
@pytest.mark.parametrize("when", ["HEAD", "GET"])
def test_a_part_that_is_replaced_while_it_is_read_is_an_error_that_names_it(store, way, when):
    """By another of the same size, before or after its bytes were sent."""
    url, name = store.fill(), "005.parquet"

    def before(method, asked):
        if asked == name and store.times()[method, asked] == (2 if when == "HEAD" else 1) and method == when:
            store.files[name] = parquet_bytes(pa.table({"y": [0.0, 0.0], "p": [77.0, 77.0]}))

    store.before = before
    with pytest.raises(Changed, match=r"005\.parquet.*: was changed while it was read: it was written to"):
        library.evaluate(url, "mse", label="y", prediction="p", engine=way)


@pytest.mark.parametrize("way", [*ENGINES, "dask"])
def test_a_part_that_is_replaced_between_two_passes_is_an_error_that_names_it(store, way, cluster):
    """Also where only a worker elsewhere has had it open."""
    url, where = store.fill(), cluster.scheduler_address if way == "dask" else None

    def before(method, asked):
        if asked == "005.parquet" and store.times()["HEAD", asked] == 3:  # once more than a pass asks
            store.files[asked] = parquet_bytes(pa.table({"y": [0.0, 0.0], "p": [77.0, 77.0]}))

    store.before = before
    with pytest.raises(Changed, match=r"005\.parquet"):
        library.evaluate(url, "mse", label="y", prediction="p", by="y:2", engine=way, scheduler=where)


@pytest.mark.parametrize("way", ENGINES)
def test_a_store_that_fails_is_asked_for_no_more_than_was_begun(store, way, caplog):
    """Each part that was begun once, and that whose turn it is once more: no storm."""
    url = store.fill()
    store.before = lambda method, name: None if name == "000.parquet" else 503
    with pytest.raises(DataError, match=r"00\d\.parquet.*503"):
        library.evaluate(url, "mse", label="y", prediction="p", engine=way)
    asked = store.times()
    assert max(asked["HEAD", name] for name in store.files) <= 3
    begun = 1 + 2 * engine.available_cores()
    assert sum(asked["HEAD", name] > 1 for name in store.files if name != "000.parquet") <= begun
    assert len(caplog.records) <= begun


@pytest.mark.parametrize("way", ENGINES)
def test_what_passes_is_asked_for_anew_in_its_turn(store, way):
    url, once = store.fill(), set()

    def before(method, name):
        if (method, name) not in once and name > "003.parquet":
            once.add((method, name))
            return 503
        return None

    store.before = before
    assert library.evaluate(url, "mse", label="y", prediction="p", engine=way).value == MSE


@pytest.mark.parametrize("way", ENGINES)
@pytest.mark.parametrize(
    ("odd", "error", "words"),
    [
        (pa.table({"y": [0.0], "q": [1.0]}), DataError, "no column 'p', which .*000.parquet.* has"),
        (pa.table([[0.0], [1.0], [1.0]], ["y", "p", "p"]), UsageError, "two columns called 'p'"),
        (pa.table({"y": [0.0], "p": [[1.0]]}), DataError, "column 'p' is list, but number in"),
        (pa.table({"y": [0.0, np.nan], "p": [1.0, 1.0]}), DataError, "row 2"),
        (None, DataError, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_part_is_said_in_its_turn(store, way, odd, error, words):
    url = store.fill()
    for name in ("007.parquet", "011.parquet"):
        store.files[name] = store.files[name][:-100] if odd is None else parquet_bytes(odd)
    with pytest.raises(error, match=rf"007\.parquet.*{words}"):
        library.evaluate(url, "mse", label="y", prediction="p", engine=way)


def test_a_part_that_is_not_small_is_not_read_whole(store, monkeypatch):
    url = store.fill()
    monkeypatch.setattr(stamped, "ANSWER", 10)
    assert not any(unopened(shard) for shard in open_source(url).shards())
    assert library.evaluate(url, "mse", label="y", prediction="p").value == MSE


@pytest.mark.parametrize("way", ENGINES)
def test_files_that_are_not_small_are_opened_some_at_a_time(store, way, monkeypatch):
    """The store says nothing of one until it has been asked for those after it; what is wrong is said in turn."""
    monkeypatch.setattr(stamped, "ANSWER", 10)
    url, others_asked = store.fill(), threading.Event()
    for name in ("007.parquet", "009.parquet"):
        store.files[name] = parquet_bytes(pa.table({"y": [0.0], "q": [1.0]}))

    def before(method, name):
        if name == f"{files.OPENING:03}.parquet":
            others_asked.set()
        assert name != "001.parquet" or others_asked.wait(HANGS)

    store.before = before
    with pytest.raises(DataError, match=r"007\.parquet.*no column 'p'"):
        library.evaluate(url, "mse", label="y", prediction="p", engine=way)


def test_files_after_the_first_are_not_asked_for_before_they_are_needed(store, monkeypatch):
    monkeypatch.setattr(stamped, "ANSWER", 10)
    source = open_source(store.fill())
    next(iter(source.shards()))
    assert {name for _, name in store.asked} == {"000.parquet"}


def test_columns_that_nobody_needs_are_read_only_where_they_are_few(store, monkeypatch):
    wide = [table.append_column("x", pa.array(["x" * 1000] * table.num_rows)) for table in TABLES]
    source = open_source(store.fill(wide))
    monkeypatch.setattr(stamped, "NEEDLESS", 100)
    left = {names: all(map(unopened, [*narrowed(source, names).shards()][1:])) for names in ("yp", "ypx")}
    assert left == {"yp": False, "ypx": True}


@pytest.mark.parametrize("limit", [1, 3, 2 * PARTS])
@pytest.mark.parametrize("way", ENGINES)
def test_rows_are_numbered_and_cut_as_those_of_files_here(store, way, limit, tmp_path):
    url = store.fill(row_group_size=1)
    for name, body in store.files.items():
        (Path(tmp_path) / name).write_bytes(body)
    asked = {"loss": "mse", "label": "y", "prediction": "p", "samples": 3, "limit": limit, "where": "p != 1"}
    here = library.evaluate(f"{tmp_path}/*.parquet", **asked)
    there = library.evaluate(url, **asked, engine=way)
    found, expected = (
        [(Path(row.file.partition("?")[0]).name, row.row) for row in report.results[0].samples]
        for report in (there, here)
    )
    assert (there.value, found) == (here.value, expected)
    assert repr(there.results[0].standard_error) == repr(here.results[0].standard_error)
