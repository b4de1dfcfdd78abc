"""Object stores and web addresses, on servers of our own."""

import subprocess
import sys
import threading

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import fs
from stored import ROWS, narrow, parquet_bytes, write
from transcripts import JSON, VALUE, files_of
from waiting import HANGS

import lossctl as library
from lossctl.errors import DataError, LossctlError
from lossctl.reading import stamped
from lossctl.reading.stores import store_of

# --- an S3 server ----------------------------------------------------------------------------------------------------

NUMBERS = np.random.default_rng(11).normal(size=(500, 2))

TABLE = pa.table({"y": NUMBERS[:, 0], "p": NUMBERS[:, 1]})

MSE = library.evaluate(TABLE, "mse").value


def csv_of(table):
    import pyarrow.csv

    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, sink)
    return sink.getvalue().to_pybytes()


def test_a_file_of_an_object_store_is_a_file(lossctl, bucket):
    url = bucket.put("one/rows.parquet", parquet_bytes(TABLE, row_group_size=100))
    done = lossctl("eval", url, *JSON)
    assert (done.status, done.values, done.err) == (0, [MSE], "")
    assert files_of(done) == [url]
    done = lossctl("samples", url, "-l", "mse", "--top", "3", "-f", "jsonl", "-q")
    assert done.out.count("\n") == 3


def test_byte_ranges_of_a_csv_in_an_object_store_are_read_apart(lossctl, bucket, monkeypatch):
    url = bucket.put("one/rows.csv", csv_of(TABLE))
    narrow(monkeypatch, 1000)
    for flags in ([], ["--engine", "serial"], ["--threads", "3"]):
        assert lossctl("eval", url, *JSON, *flags).values == [MSE]
    damaged = csv_of(TABLE) + b"1,oops\n"
    done = lossctl("eval", bucket.put("one/damaged.csv", damaged), *JSON)
    assert done.status == 3
    assert "row 501: column 'p' holds 'oops'" in done.err


def test_globs_and_directories_of_an_object_store_are_data_sets(lossctl, bucket):
    for at in (2, 10, 1):
        bucket.put(f"many/deep/part-{at}.csv", f"y,p\n0,{at}\n".encode())
    bucket.put("many/_SUCCESS", b"")
    bucket.put("many/.hidden/x.csv", b"no rows")
    bucket.put("many/README.md", b"no rows")
    for key in ("many", "many/", "many/**", "many/**/*.csv", "many/*/part-*.csv", "many/deep/part-[0-9]*.csv"):
        done = lossctl("eval", bucket.url(key), *JSON)
        assert (done.status, done.err) == (0, ""), key
        assert [it.partition("?")[0] for it in files_of(done)] == [
            f"s3://bucket/many/deep/part-{at}.csv" for at in (1, 2, 10)
        ], key
    assert len(files_of(lossctl("eval", bucket.url("many/deep/part-?.csv"), *JSON))) == 2


def test_keys_in_the_paths_of_an_object_store_are_columns(lossctl, bucket):
    for split, value in (("test", 1), ("train", 2)):
        bucket.put(f"hive/split={split}/rows.parquet", parquet_bytes(pa.table({"y": [0.0], "p": [float(value)]})))
    done = lossctl("eval", bucket.url("hive"), "--by", "split", *JSON)
    assert [(it["group"], it["value"]) for it in done.json["results"]] == [
        ({"split": "test"}, 1.0),
        ({"split": "train"}, 4.0),
    ]


@pytest.mark.parametrize("key", ["none/rows.parquet", "none/", "none/*.csv"])
def test_what_is_not_in_an_object_store_is_said(lossctl, bucket, key):
    done = lossctl("eval", bucket.url(key), *JSON)
    assert (done.status, done.out) == (3, "")
    assert "no such file" in done.err or "no file" in done.err
    assert "s3://bucket/none" in done.err
    assert done.err.count("\n") < 4


def test_a_bucket_that_does_not_exist_is_said(lossctl, bucket):
    done = lossctl("eval", bucket.url("x.csv").replace("bucket", "bucket-of-nobody", 1), *JSON)
    assert (done.status, done.out) == (3, "")
    assert "bucket-of-nobody" in done.err


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz"])
def test_an_object_that_is_replaced_while_it_is_read_is_an_error(lossctl, bucket, monkeypatch, suffix):
    """By another of the same size, told by its tag."""
    bodies = (b"y,p\n0,1\n0,1\n", b"y,p\n0,2\n0,2\n")
    if suffix == ".parquet":
        bodies = [parquet_bytes(pa.table({"y": [0.0], "p": [error]})) for error in (1.0, 2.0)]
    before, after = (pa.compress(it, "gzip", asbytes=True) if suffix == ".csv.gz" else it for it in bodies)
    url, opened = bucket.put(f"changing/rows{suffix}", before), stamped.open_binary
    assert lossctl("eval", url, *VALUE).out == "1.0\n"
    assert len(before) == len(after)

    def open_binary(path, **how):
        file = opened(path, **how)
        bucket.put(f"changing/rows{suffix}", after)
        return file

    monkeypatch.setattr(stamped, "open_binary", open_binary)
    done = lossctl("eval", url, *VALUE)
    assert (done.status, done.out) == (3, "")
    assert f"{url}: was changed while it was read: it was written to" in done.err


def test_connections_to_a_store_leave_the_threads_of_arrow_as_they_are(monkeypatch):
    """Arrow makes as many as it has threads, of which it has more meanwhile; two threads may want some at a time."""
    before, own, seen = pa.io_thread_count(), pa.io_thread_count, []
    other = threading.Thread(target=pytest.raises, args=(TypeError, store_of, "s3://b/x?region=two"))

    def connected(**options):
        if options["region"] == "one":
            other.start()
            other.join(0.2)  # who does not wait for this one reads the threads that are not to stay

    monkeypatch.setattr(fs, "S3FileSystem", connected)
    monkeypatch.setattr(pa, "io_thread_count", lambda: seen.append(own()) or seen[-1])
    with pytest.raises(TypeError):  # it is no file system
        store_of("s3://b/x?region=one")
    other.join()
    assert {*seen} == {before}
    assert own() == before


def test_labels_may_be_in_an_object_store(lossctl, bucket, tmp_path):
    url = bucket.put("labels/solution.csv", b"id,y\n1,1\n2,3\n")
    path = write(tmp_path / "a.csv", "id,p\n2,5\n1,2\n")
    assert lossctl("eval", path, "--labels", url, "--id", "id", *VALUE).out == "2.5\n"


def test_an_object_store_option_that_is_none_is_a_usage_or_data_error(lossctl, bucket):
    done = lossctl("eval", bucket.url("x.csv") + "&nonsense=1", *JSON)
    assert done.status in {2, 3}
    assert "nonsense" in done.err


# --- a web server ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz", ".arrow", ".arrows", ".jsonl"])
@pytest.mark.parametrize("server", ["", "/whole", "/unsized"])
def test_a_page_of_the_web_is_a_file(lossctl, web, suffix, server, monkeypatch):
    """Also of a server that gives no byte ranges, or does not say how long a page is."""
    from lossctl.reading.format import format_for

    sink = pa.BufferOutputStream()
    found = format_for(f"x{suffix.removesuffix('.gz')}")
    writer = found.writer(sink, TABLE.schema)
    for batch in TABLE.to_batches():
        writer.write_batch(batch)
    writer.close()
    body = sink.getvalue().to_pybytes()
    url = web.put(f"{server}/rows{suffix}", pa.compress(body, "gzip", asbytes=True) if suffix.endswith(".gz") else body)
    narrow(monkeypatch, 4000)
    done = lossctl("eval", url, *JSON)
    assert (done.status, done.err) == (0, "")
    assert done.values == [MSE]


def test_an_address_may_ask_something(lossctl, web):
    url = web.put("/asks/rows.csv", ROWS.encode())
    assert lossctl("eval", f"{url}?token=a%2Fb&x=*", *VALUE).out == "2.5\n"


def test_a_page_is_asked_for_by_ranges_where_the_server_can(lossctl, web):
    url = web.put(
        "/ranges/rows.parquet", parquet_bytes(pa.table({"y": TABLE["y"], "p": TABLE["p"], "x": ["x" * 9999] * 500}))
    )
    assert lossctl("eval", url, *JSON).values == [MSE]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 503])
@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.csv.gz"])
def test_a_page_that_is_refused_is_a_data_error(lossctl, web, status, name):
    url = f"{web.address}/status/{status}/{name}"
    done = lossctl("eval", url, *JSON)
    assert (done.status, done.out) == (3, "")
    assert url in done.err
    assert "bug" not in done.err
    assert done.err.count("\n") < 4


def test_a_server_that_is_not_there_is_a_data_error(lossctl):
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = lossctl("eval", f"http://127.0.0.1:{port}/a.csv", *JSON)
    assert (done.status, done.out) == (3, "")
    assert f"127.0.0.1:{port}" in done.err
    assert "bug" not in done.err


def test_nothing_is_fetched_before_the_question_makes_sense(lossctl, web):
    url = web.put("/lazy/rows.csv", ROWS.encode())
    before = len(web.asked)
    for wrong in (["-F", "nonsense"], ["-f", "yaml"], ["-o", "/nowhere/x.json"], ["-l", "hubr"]):
        assert lossctl("eval", url, *wrong).status == 2
        assert len(web.asked) == before, wrong


def test_without_fsspec_a_web_address_says_what_to_install(plain_environment):
    script = (
        "import sys; sys.modules['fsspec'] = None\n"
        "from lossctl.cli.app import run\n"
        "sys.exit(run(['eval', 'https://localhost/rows.csv', '-l', 'mse']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=plain_environment())
    assert (done.returncode, done.stdout) == (2, "")
    assert "lossctl[remote]" in done.stderr


def test_reading_local_files_loads_no_client(plain_environment, tmp_path):
    path = write(tmp_path / "a.csv")
    script = (
        "import sys; from lossctl.cli.app import run; run(['eval', sys.argv[1], '-l', 'mse', '-qq'])\n"
        "sys.exit(' '.join({'fsspec', 'aiohttp', 'boto3'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, env=plain_environment())
    assert (done.returncode, done.stderr) in {(0, ""), (1, "\n")}


@pytest.mark.lowest
@pytest.mark.parametrize("url", ["s3:///x.csv", "http://", "https:///x.csv", "hf://"])
def test_half_an_address_is_no_bug(plain_environment, url):
    environment = plain_environment(AWS_MAX_ATTEMPTS="1", AWS_EC2_METADATA_DISABLED="true", HF_HUB_OFFLINE="1")
    command = [sys.executable, "-m", "lossctl", "eval", url, *JSON]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=HANGS)
    assert done.returncode in {2, 3}, done.stderr
    assert "bug" not in done.stderr


def test_errors_of_places_are_lossctl_errors_in_the_library(tmp_path, web):
    for place in (tmp_path, f"{tmp_path}/*.csv", f"{web.address}/nothing.csv", "gopher://x/y.csv", tmp_path / "no.csv"):
        with pytest.raises(LossctlError):
            library.evaluate(place, "mse")
    with pytest.raises(DataError):
        library.evaluate(f"{web.address}/status/500/x.csv", "mse")
