"""What goes wrong around a run: damaged and changing files, full disks, signals, and sizes nobody expects."""

import bz2
import contextlib
import errno
import fcntl
import gzip
import io
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from figures import digits

import lossctl
from lossctl.evaluation.evaluate import run as carry_out
from lossctl.evaluation.measure import Measured, measure
from lossctl.evaluation.plan import Request, make_plan
from lossctl.reading import location
from lossctl.reading.format import format_for, open_source
from lossctl.reading.formats import delimited, jsonlines

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".arrows")
LISTENING = (
    "import signal, tempfile; signal.signal(signal.SIGINT, signal.default_int_handler); tempfile.gettempdir(); "
    "from lossctl.cli.app import main; main()"
)
"""A shell may start the tests with SIGINT ignored, which children inherit. To find out where temporary files go, the
standard library writes one of its own: that must not be when the signal comes."""


def rows(n, seed=0):
    """A table of n rows with a label, a prediction and a word."""
    rng = np.random.default_rng(seed)
    return pa.table({"y": rng.normal(size=n), "p": rng.normal(size=n), "word": [f"w{at % 7}" for at in range(n)]})


def stored(table, suffix, chunk=4):
    """The bytes of a table in a format, some rows at a time."""
    sink = io.BytesIO()
    writer = format_for(suffix).writer(sink, table.schema)
    for batch in table.to_batches(max_chunksize=chunk):
        writer.write_batch(batch)
    writer.close()
    return sink.getvalue()


def result(path, **asked):
    """The number of rows and the value of the only result, or the error."""
    try:
        (found,) = lossctl.evaluate(path, "mse", **asked).results
    except lossctl.LossctlError as error:
        return error
    return found.n, found.value


# --- damaged files ----------------------------------------------------------------------------------------------------

ROWS = 12
COMPRESSED = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda text: pa.compress(text, "zstd", asbytes=True),
    ".lz4": lambda text: pa.compress(text, "lz4", asbytes=True),
}


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".csv.gz", ".csv.bz2", ".csv.zst", ".csv.lz4", ".jsonl.gz"])
def test_a_file_cut_anywhere_is_an_error(tmp_path, suffix):
    inner, _, packing = suffix[1:].partition(".")
    whole = stored(rows(ROWS), f".{inner}")
    if packing:
        whole = COMPRESSED[f".{packing}"](whole)
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(whole)
    assert result(path)[0] == ROWS
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert isinstance(result(path), lossctl.LossctlError), length


def test_an_arrow_stream_cut_anywhere_is_an_error_or_its_whole_batches(tmp_path):
    whole, path = stored(rows(ROWS), ".arrows"), tmp_path / "rows.arrows"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        found = result(path)
        assert isinstance(found, lossctl.LossctlError) or found[0] in {4, 8, 12}, length


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_text_cut_anywhere_is_an_error_or_the_rows_that_are_there(tmp_path, suffix):
    whole, path = stored(rows(ROWS), suffix), tmp_path / f"rows{suffix}"
    header = suffix == ".csv"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        found, lines = result(path), whole[:length].count(b"\n") - header
        if isinstance(found, lossctl.LossctlError):
            assert lines < 1 or not whole[:length].endswith(b"\n"), length
        elif whole[:length].endswith(b"\n"):
            assert found[0] == lines
        else:
            assert found[0] in {lines, lines + 1}, length


@pytest.mark.parametrize("suffix", [".arrow", ".arrows", ".parquet"])
def test_a_damaged_offset_or_text_is_never_followed(tmp_path, suffix):
    whole = bytearray(stored(rows(40), suffix, chunk=40))
    path, crashes = tmp_path / f"rows{suffix}", []
    for at in range(0, len(whole), 3):
        for value in (0x7F, 0xFF):
            damaged = bytes(whole[:at]) + bytes([value]) + bytes(whole[at + 1 :])
            path.write_bytes(damaged)
            try:
                lossctl.evaluate(path, "mse", by="word", nulls="drop")
            except lossctl.LossctlError:
                pass
            except Exception as error:  # noqa: BLE001  (all of them are wanted)
                crashes.append((at, value, repr(error)[:120]))
    assert crashes == []


# --- files that change ------------------------------------------------------------------------------------------------


@pytest.fixture
def small_shards(monkeypatch):
    """Text in shards of a few rows."""
    for module in (delimited, jsonlines):
        monkeypatch.setattr(module, "RANGE", 256)


def change(path, how, other):
    """What somebody else does to a file in the middle of a run."""
    content = path.read_bytes()
    if how == "emptied":
        path.write_bytes(b"")
    elif how == "cut":
        cut = content.rfind(b"\n", 0, len(content) // 2) + 1 if path.suffix in {".csv", ".jsonl"} else len(content) // 2
        os.truncate(path, cut)
    elif how == "replaced":
        beside = path.with_name("beside")
        beside.write_bytes(other)
        beside.replace(path)
    elif how == "rewritten":
        path.write_bytes(other)
    elif how == "removed":
        path.unlink()
    elif how == "appended":
        with path.open("ab") as file:
            file.write(content[-100:])


@pytest.mark.parametrize("how", ["emptied", "cut", "replaced", "rewritten", "removed", "appended"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("engine", ["serial", "threads"])
def test_a_file_that_changes_in_the_middle_of_a_run_is_an_error_or_changes_nothing(
    tmp_path, small_shards, suffix, how, engine
):
    path = tmp_path / f"rows{suffix}"
    old, new = stored(rows(400), suffix, chunk=40), stored(rows(120, seed=1), suffix, chunk=40)
    path.write_bytes(old)
    expected = result(path)
    path.write_bytes(new)
    other = result(path)
    path.write_bytes(old)
    done = []

    def progress(nbytes):
        if not done:
            done.append(nbytes)
            change(path, how, new)

    found = result(path, progress=progress, engine=engine, threads=None if engine == "serial" else 1)
    assert done
    assert isinstance(found, lossctl.LossctlError) or found in (expected, other), (found, expected, other)


# --- files that cannot be read ----------------------------------------------------------------------------------------


def test_a_file_that_raises_when_read_is_an_error(lossctl):
    ended = lossctl("eval", "/proc/self/mem", "-F", "csv", "-l", "mse")
    assert ended.status == 3
    assert ended.err.startswith("error: /proc/self/mem: cannot be read: ")


def test_a_file_without_permission_is_an_error(lossctl, tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    path.write_text("y,p\n1,2\n")
    path.chmod(0)

    def refusing(name, *arguments, **named):
        # root may read everything
        if name == str(path):
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return open(name, *arguments, **named)

    monkeypatch.setattr(location, "open", refusing, raising=False)
    ended = lossctl("eval", path, "-l", "mse")
    assert (ended.status, ended.out, ended.err) == (3, "", f"error: {path}: permission denied\n")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_missing_column_is_named(lossctl, tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(stored(rows(3).drop_columns(["p"]), suffix))
    ended = lossctl("eval", path, "-l", "mse", "-y", "y", "-p", "p")
    assert (ended.status, ended.out) == (2, "")
    assert "no column 'p'" in ended.err


def test_a_column_missing_from_a_later_file_names_both_files(lossctl, tmp_path):
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    first.write_bytes(stored(rows(3), ".parquet"))
    second.write_bytes(stored(rows(3).drop_columns(["p"]), ".parquet"))
    ended = lossctl("eval", first, second, "-l", "mse")
    assert ended.status == 3
    assert str(first) in ended.err
    assert str(second) in ended.err
    assert "'p'" in ended.err


# --- pipes that dawdle ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [*FORMATS, ".csv.gz", ".csv.zst"])
def test_a_pipe_that_gives_one_byte_first_is_recognised_all_the_same(tmp_path, suffix):
    inner, _, packing = suffix[1:].partition(".")
    whole = stored(rows(ROWS), f".{inner}")
    whole = COMPRESSED[f".{packing}"](whole) if packing else whole
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(whole)
    expected = result(path)
    reader, writer = os.pipe()

    def feed():
        with contextlib.suppress(BrokenPipeError):
            for part in (whole[:1], whole[1:5], whole[5:]):
                os.write(writer, part)
                time.sleep(0.05)
        os.close(writer)

    feeding = threading.Thread(target=feed)
    feeding.start()
    reading = lossctl.reading.format.Reading(format="tsv") if suffix == ".tsv" else None
    found = result(f"/dev/fd/{reader}", reading=reading)
    os.close(reader)
    feeding.join()
    location.clean()
    assert found == expected


# --- full disks -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A file of 40 000 rows."""
    path = tmp_path_factory.mktemp("many") / "rows.parquet"
    pq.write_table(rows(40_000), path)
    return path


@pytest.fixture
def cramped(plain_environment, tmp_path):
    """Run a command line that may write files of so many bytes only, with temporary files in a folder of the test."""
    aside = tmp_path / "aside"
    aside.mkdir()

    def call(most, *arguments, **more):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        return subprocess.run(
            [sys.executable, "-m", "lossctl", *map(str, arguments)],
            capture_output=True,
            env=plain_environment(PYTHONDONTWRITEBYTECODE="1", TMPDIR=str(aside)),
            preexec_fn=limit,
            timeout=60,
            **more,
        )

    return call


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("most", [0, 100_000])
def test_a_full_disk_leaves_the_old_target_and_nothing_else(cramped, many, tmp_path, suffix, most):
    target = tmp_path / f"out{suffix}"
    target.write_bytes(b"old")
    ended = cramped(most, "samples", many, "-l", "mse", "-o", target)
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert b"error: " in ended.stderr
    assert b"cannot be written" in ended.stderr
    assert target.read_bytes() == b"old"
    assert {it.name for it in tmp_path.iterdir()} == {target.name, "aside"}


@pytest.mark.parametrize("suffix", [".json", ".csv", ".md"])
def test_a_full_disk_leaves_the_old_report(cramped, many, tmp_path, suffix):
    target = tmp_path / f"out{suffix}"
    target.write_bytes(b"old")
    ended = cramped(20, "eval", many, "-l", "mse", "-o", target)
    assert ended.returncode == 3
    assert b"cannot be written" in ended.stderr
    assert target.read_bytes() == b"old"
    assert {it.name for it in tmp_path.iterdir()} == {target.name, "aside"}


def test_a_full_disk_under_what_is_put_aside_is_an_error(cramped, many, tmp_path):
    ended = cramped(1000, "eval", "-", "-l", "mse", input=many.read_bytes())
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert b"Traceback" not in ended.stderr
    assert list((tmp_path / "aside").iterdir()) == []


# --- signals ----------------------------------------------------------------------------------------------------------

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


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


def until(true, running):
    """Wait for something a running process does."""
    deadline = time.monotonic() + 30
    while not true():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize(("sent", "status"), SIGNALS)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("moment", [0, 100_000, 5_000_000])
def test_a_signal_leaves_no_half_written_file(begun, million, tmp_path, sent, status, suffix, moment):
    target = tmp_path / f"out{suffix}"
    target.write_bytes(b"old")
    running = begun("samples", million, "-l", "mse", "-q", "-o", target)
    beside = lambda: [it for it in tmp_path.iterdir() if it.name.startswith(".out")]  # noqa: E731
    until(lambda: any(it.stat().st_size >= moment for it in beside()), running)
    running.send_signal(sent)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (status, b"", b"")
    assert target.read_bytes() == b"old"
    assert {it.name for it in tmp_path.iterdir()} == {target.name, "aside"}


DEAF = """
import os, signal, sys
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
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""A run to which a signal comes while a destructor is at work."""


@pytest.mark.parametrize(("sent", "status"), SIGNALS)
def test_a_signal_that_meets_a_destructor_is_not_lost(plain_environment, many, sent, status):
    command = [sys.executable, "-c", DEAF, "eval", str(many), "-l", "mse", str(int(sent))]
    done = subprocess.run(command, capture_output=True, env=plain_environment(), timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")


def unread(pipe):
    """How many bytes nobody has read from a pipe yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]


@pytest.mark.parametrize(("sent", "status"), SIGNALS)
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("part", [0.0, 0.5])
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
    time.sleep(0.05)  # it has taken the bytes; let it come back for more
    running.send_signal(sent)
    out, err = b"", b""
    running.wait(timeout=10)
    out, err = running.stdout.read(), running.stderr.read()
    assert (running.returncode, out, err) == (status, b"", b"")
    assert list((tmp_path / "aside").iterdir()) == []


def test_a_run_that_ends_leaves_nothing_of_what_it_put_aside(begun, many, tmp_path):
    running = begun("eval", "-", "-l", "mse", "-q", "-f", "value", stdin=subprocess.PIPE)
    out, err = running.communicate(many.read_bytes(), timeout=30)
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
    assert running.communicate(timeout=30) == (None, b"")
    assert running.returncode == 141


# --- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".arrow"])
def test_ten_thousand_columns_are_a_prediction_like_any_other(tmp_path, suffix):
    k = 10_000
    path = tmp_path / f"rows{suffix}"
    columns = {"y": [0, 5000, k - 1]} | {f"p_{at}": [1 / k] * 3 for at in range(k)}
    path.write_bytes(stored(pa.table(columns), suffix))
    report = lossctl.evaluate(path, "cross_entropy", prediction="p_*", gradient=True)
    assert report.value == pytest.approx(np.log(k), rel=1e-12)
    assert lossctl.evaluate(path, "mse", prediction="p_7000").results[0].n == 3


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("at", [0, 2])
def test_a_cell_of_a_megabyte_is_a_cell(lossctl, tmp_path, suffix, at):
    words = ["short", "", "line\nend"]
    words[at] = 'x, "y"\n\t' * (1 << 17)
    path, target = tmp_path / f"rows{suffix}", tmp_path / "out.arrow"
    table = pa.table({"word": words, "y": [1.0, 2.0, 3.0], "p": [1.5, 2.5, 2.0]})
    path.write_bytes(stored(table, suffix))
    assert lossctl("eval", path, "-l", "mae", "-f", "value").out == "0.6666666666666666\n"
    assert lossctl("samples", path, "-l", "mae", "-q", "-o", target).status == 0
    assert pa.ipc.open_file(target).read_all()["word"].to_pylist() == words
    assert lossctl("eval", path, "-l", "mae", "--by", "word", "-q", "-f", "json").status == 0


def test_a_name_of_a_megabyte_is_a_name(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(f"y,p,{'x' * (1 << 20)}\n1,2,3\n4,5,6\n")
    assert result(path) == (2, 1.0)


@pytest.mark.parametrize("suffix", FORMATS)
def test_one_row_is_a_data_set(lossctl, tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(stored(rows(1), suffix))
    ended = lossctl("eval", path, "-l", "mse", "-f", "json", "-q", "--grad", "--samples", 5)
    assert ended.status == 0
    (found,) = ended.json["results"]
    assert found["n"] == 1
    assert found["value"] >= 0


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows"])
def test_row_groups_of_one_row_and_of_none_change_no_digit(tmp_path, suffix):
    table, path = rows(50), tmp_path / f"rows{suffix}"
    whole = digits(lossctl.evaluate(table, ["mse", "huber"], by="word", gradient=True))
    sink = io.BytesIO()
    writer = format_for(suffix).writer(sink, table.schema)
    for batch in table.to_batches(max_chunksize=1):
        writer.write_batch(batch.slice(0, 0))
        writer.write_batch(batch)
    writer.close()
    path.write_bytes(sink.getvalue())
    for engine in ("serial", "threads"):
        report = lossctl.evaluate(path, ["mse", "huber"], by="word", gradient=True, engine=engine)
        assert digits(report) == whole


def _doubled(table, times, **asked):
    """The sums over a table that comes 2^times times, and the plan."""
    source = open_source(table)
    plan = make_plan(source, Request(loss=["mse"], **asked))
    (shard,) = source.shards()
    total = measure(plan, shard)
    for _ in range(times):
        total = total + total
    return total, plan


def test_counts_beyond_two_to_the_31_are_exact():
    table = pa.table({"y": [1.0, 2.0, None], "p": [1.5, 2.0, 1.0], "w": [1.0, 0.0, 1.0], "g": ["a", "b", "a"]})
    total, _ = _doubled(table, 40, weight="w", by=("g",), nulls="drop", gradient=True)
    assert isinstance(total, Measured)
    assert total.rows == 3 << 40
    counts = dict(zip(total.keys, zip(total.null.tolist(), total.unweighted.tolist(), strict=True), strict=True))
    assert counts == {("a",): (1 << 40, 0), ("b",): (0, 1 << 40)}


def test_the_value_and_n_of_more_than_two_to_the_31_rows_are_exact(monkeypatch):
    table = pa.table({"y": [1.0, 2.0, 4.0], "p": [1.5, 2.0, 3.0]})
    source = open_source(table)
    plan = make_plan(source, Request(loss=["mse"], gradient=True))
    once = carry_out(source, plan).results[0]
    doubled = _doubled(table, 33, gradient=True)[0]
    monkeypatch.setitem(carry_out.__globals__, "measure", lambda plan, shard: doubled)
    many = carry_out(source, plan).results[0]
    assert many.n == 3 << 33
    assert many.value == once.value == pytest.approx(1.25 / 3)
    assert many.standard_error == pytest.approx(once.standard_error * np.sqrt(2 / 3 * 3 / (3 << 33)), rel=1e-6)


def test_row_numbers_go_beyond_two_to_the_31():
    table = pa.table({"y": [1.0, 2.0], "p": [1.5, 9.0]})
    total, _ = _doubled(table, 32)
    last, _ = _doubled(pa.table({"y": [1.0], "p": [99.0]}), 0, samples=1)
    padded = replace(last.shift(total.rows), rows=last.rows)
    assert [int(row) for row in padded.parts[0].worst.row] == [total.rows]
    assert total.rows == 1 << 33


def test_a_thousand_files_of_ten_rows_are_one_data_set(tmp_path):
    files, table = 1000, rows(10)
    text = stored(table, ".csv")
    for at in range(files):
        (tmp_path / f"part-{at}.csv").write_bytes(text)
    began = time.perf_counter()
    report = lossctl.evaluate(str(tmp_path), "mse")
    print(f"{(time.perf_counter() - began) / files * 1e3:.2f} ms a file")
    assert report.results[0].n == 10 * files
    assert report.value == pytest.approx(lossctl.evaluate(table, "mse").value, rel=1e-12)


def test_json_lines_of_a_report_survive_whatever_a_name_holds(lossctl, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('y,"p\n\u2028\u202e{}",g\n1,2,"\x1b[31m"\n', encoding="utf-8")
    ended = lossctl("eval", path, "-y", "y", "-p", "#2", "--by", "g", "-l", "mse", "-f", "jsonl", "-q")
    assert ended.status == 0
    assert json.loads(ended.out)["group"] == {"g": "\x1b[31m"}
