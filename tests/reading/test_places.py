"""Where data may be: stdin, pipes, globs, directories with keys in their paths, object stores, the web."""

import contextlib
import fcntl
import os
import pty
import subprocess
import sys
import termios
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl as library
from lossctl.errors import DataError, LossctlError
from lossctl.reading.location import expand

ROWS = "y,p\n1,2\n3,5\n"
JSON = ["-l", "mse", "-f", "json", "-q"]
VALUE = ["-l", "mse", "-f", "value", "-q"]


def write(path, text=ROWS):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(text, pa.Table):
        pq.write_table(text, path)
    else:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def parquet_bytes(table, **options):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return sink.getvalue().to_pybytes()


@pytest.fixture
def piped(plain_environment):
    """Run a command line in a process of its own with bytes on its stdin."""

    def call(body, *arguments, **environment):
        command = [sys.executable, "-m", "lossctl", *map(str, arguments)]
        done = subprocess.run(
            command, input=body, capture_output=True, env=plain_environment(**environment), timeout=60
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return call


@contextlib.contextmanager
def fed(path, body):
    """A named pipe through which the bytes come."""
    os.mkfifo(path)

    def feed():
        with contextlib.suppress(BrokenPipeError), open(path, "wb", buffering=0) as pipe:
            pipe.write(body)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        feeder.join()


# --- stdin -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["eval", "samples"])
@pytest.mark.parametrize("place", [[], ["-"]], ids=["nothing", "dash"])
def test_a_terminal_as_stdin_is_a_usage_error_that_says_what_to_do(plain_environment, command, place):
    ours, theirs = pty.openpty()
    try:
        arguments = [sys.executable, "-m", "lossctl", command, *place, "-l", "mse"]
        done = subprocess.run(
            arguments, stdin=theirs, capture_output=True, text=True, env=plain_environment(), timeout=60
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, done.stdout) == (2, "")
    assert "terminal" in done.stderr
    assert "pipe" in done.stderr


def test_a_controlling_terminal_does_not_matter_where_stdin_is_a_pipe(plain_environment):
    ours, theirs = pty.openpty()

    def attach():
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    try:
        done = subprocess.run(
            [sys.executable, "-m", "lossctl", "eval", *VALUE],
            input=ROWS.encode(),
            capture_output=True,
            env=plain_environment(),
            timeout=60,
            preexec_fn=attach,
            pass_fds=(theirs,),
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, done.stdout) == (0, b"2.5\n")


@pytest.mark.parametrize("place", [[], ["-"]], ids=["nothing", "dash"])
def test_stdin_is_read_by_dash_or_by_nothing(piped, place):
    assert piped(ROWS.encode(), "eval", *place, *VALUE) == (0, "2.5\n", "")


def test_stdin_is_called_stdin(piped, tmp_path):
    status, out, err = piped(b"y,p\n1,2\n3,x\n", "eval", "-", *VALUE)
    assert (status, out) == (3, "")
    assert err.startswith("error: stdin: row 2: ")
    status, out, err = piped(ROWS.encode(), "eval", "-", *JSON)
    assert '"files": ["stdin"]' in out.replace("\n", "").replace("  ", "") or '"stdin"' in out


def test_nothing_on_stdin_is_a_data_error(piped):
    for command in ("eval", "samples"):
        status, out, err = piped(b"", command)
        assert (status, out) == (3, "")
        assert "stdin" in err
        assert "empty" in err


@pytest.mark.parametrize("files", [["-", "-"], ["-", "a.csv", "-"], ["-", "--labels", "-", "--id", "id"]], ids=" ".join)
@pytest.mark.parametrize("command", ["eval", "samples"])
def test_stdin_twice_is_a_usage_error(piped, files, command):
    status, out, err = piped(b"id,y,p\n1,1,2\n", command, *files, "-l", "mse")
    assert (status, out) == (2, "")
    assert "stdin can be read only once" in err


@pytest.mark.parametrize("order", [["FILE", "-"], ["-", "FILE"]])
@pytest.mark.parametrize("first", [ROWS, "y,p\n"], ids=["rows", "header only"])
def test_stdin_and_files_are_one_data_set(piped, tmp_path, order, first):
    """Also where the file has no row: looking for one may not use up the pipe."""
    path = write(tmp_path / "a.csv", first)
    body = b"y,p\n" + b"1,2\n" * 200_000
    status, out, err = piped(body, "eval", *[str(path) if it == "FILE" else it for it in order], *JSON)
    assert (status, err) == (0, "")
    assert f'"rows": {200_000 + 2 * (first == ROWS)}' in out


def test_a_file_without_rows_before_a_named_pipe_does_not_hang(piped, tmp_path):
    empty = write(tmp_path / "a.csv", "y,p\n")
    with fed(tmp_path / "b.csv", ROWS.encode()) as pipe:
        status, out, err = piped(b"", "eval", empty, pipe, *VALUE)
    assert (status, out, err) == (0, "2.5\n", "")


def test_several_pipes_are_one_data_set(plain_environment, tmp_path):
    path = write(tmp_path / "a.csv", ROWS)
    flags = " ".join(JSON)
    script = f'"$1" -m lossctl eval <(cat "$2") <(cat "$2") "$2" - {flags} < "$2"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", sys.executable, path], capture_output=True, text=True, env=plain_environment()
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"rows": 8' in done.stdout


@pytest.mark.parametrize("suffix", ["", ".csv", ".fifo"])
@pytest.mark.parametrize("flags", [[], ["--top", "1"]], ids=["all", "top"])
def test_samples_of_a_named_pipe_are_those_of_a_file(lossctl, tmp_path, suffix, flags):
    path = write(tmp_path / "file.csv", "y,p,t\n1,2,a\n3,9,b\n0,0,c\n")
    right = lossctl("samples", path, "-l", "mse", *flags)
    with fed(tmp_path / f"pipe{suffix}", path.read_bytes()) as pipe:
        done = lossctl("samples", pipe, "-l", "mse", *flags)
    assert (done.status, done.out) == (0, right.out)


def test_a_pipe_that_gives_a_byte_at_a_time_is_known_for_what_it_is(tmp_path):
    """What is peeked at first may be less than a magic number."""
    table = pa.table({"y": [1.0, 3.0], "p": [2.0, 5.0]})
    body = parquet_bytes(table)
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def drip():
        with contextlib.suppress(BrokenPipeError), open(path, "wb", buffering=0) as pipe:
            for at in range(8):
                pipe.write(body[at : at + 1])
                left = bytearray(4)
                while True:  # until the reader has taken it
                    fcntl.ioctl(pipe, termios.FIONREAD, left)
                    if not any(left):
                        break
            pipe.write(body[8:])

    feeder = threading.Thread(target=drip, daemon=True)
    feeder.start()
    try:
        assert library.evaluate(path, "mse").value == 2.5
    finally:
        feeder.join(timeout=10)


# --- globs and directories -------------------------------------------------------------------------------------------


def files_of(done):
    return done.json["inputs"]["files"]


def test_a_quoted_glob_is_expanded_in_natural_order(lossctl, tmp_path):
    for at in (10, 9, 1, 100):
        write(tmp_path / f"part-{at}.csv", f"y,p\n0,{at}\n")
    write(tmp_path / "other.csv", "y,p\n0,1e9\n")
    done = lossctl("eval", f"{tmp_path}/part-*.csv", *JSON)
    assert files_of(done) == [str(tmp_path / f"part-{at}.csv") for at in (1, 9, 10, 100)]
    assert done.values == [(1 + 81 + 100 + 10000) / 4]
    done = lossctl("eval", f"{tmp_path}/part-[19]*.csv", *JSON)
    assert len(files_of(done)) == 4
    assert len(files_of(lossctl("eval", f"{tmp_path}/part-?.csv", *JSON))) == 2


def test_two_stars_go_into_every_folder(lossctl, tmp_path):
    for name in ("a.csv", "x/b.csv", "x/y/c.csv", "x/y/d.txt", ".hidden/e.csv"):
        write(tmp_path / name)
    done = lossctl("eval", f"{tmp_path}/**/*.csv", *JSON)
    assert sorted(os.path.relpath(it, tmp_path) for it in files_of(done)) == ["a.csv", "x/b.csv", "x/y/c.csv"]
    assert len(files_of(lossctl("eval", f"{tmp_path}/*/*.csv", *JSON))) == 1


def test_a_file_whose_name_looks_like_a_glob_is_that_file(lossctl, tmp_path):
    write(tmp_path / "a[1].csv")
    write(tmp_path / "a1.csv", "y,p\n0,9\n")
    assert lossctl("eval", tmp_path / "a[1].csv", *VALUE).out == "2.5\n"
    write(tmp_path / "a*.csv")
    assert lossctl("eval", tmp_path / "a*.csv", *VALUE).out == "2.5\n"


def test_a_glob_that_matches_nothing_is_said(lossctl, tmp_path):
    done = lossctl("eval", f"{tmp_path}/*.csv", *VALUE)
    assert (done.status, done.out) == (3, "")
    assert f"{tmp_path}/*.csv: no file matches" in done.err


def test_a_glob_may_match_directories_as_the_shell_would_have_it(lossctl, tmp_path):
    for day in (1, 2):
        write(tmp_path / f"day={day}" / "rows.csv", f"y,p\n0,{day}\n")
    quoted = lossctl("eval", f"{tmp_path}/day=*", "--by", "day", *JSON)
    expanded = lossctl("eval", tmp_path / "day=1", tmp_path / "day=2", "--by", "day", *JSON)
    assert (expanded.status, expanded.values) == (0, [1.0, 4.0])
    assert (quoted.status, quoted.err) == (0, "")
    assert quoted.json["results"] == expanded.json["results"]


def test_a_star_in_a_spark_output_skips_what_holds_no_rows(lossctl, tmp_path):
    for name, text in {"part-0.csv": ROWS, "_SUCCESS": "", "_metadata": "x", ".part-0.csv.crc": "x"}.items():
        write(tmp_path / name, text)
    for place in (tmp_path, f"{tmp_path}/*", f"{tmp_path}/"):
        done = lossctl("eval", place, *JSON)
        assert (done.status, done.err) == (0, "")
        assert len(files_of(done)) == 1


def test_a_directory_is_a_data_set_with_all_below_it_but_what_is_hidden(lossctl, tmp_path):
    for name in ("b/part-10.csv", "b/part-9.csv", "a.csv", "c/d/e.csv.gz"):
        body = ROWS.encode()
        write(tmp_path / name, pa.compress(body, "gzip", asbytes=True) if name.endswith(".gz") else body)
    for name in (
        ".git/x.csv",
        "_temporary/0/x.csv",
        ".a.csv",
        "_SUCCESS",
        "b/_committed_1.csv",
        "README.md",
        "b/run.log",
    ):
        write(tmp_path / name, "not rows")
    done = lossctl("eval", tmp_path, *JSON)
    assert (done.status, done.err) == (0, "")
    found = [os.path.relpath(it, tmp_path) for it in files_of(done)]
    assert found == ["a.csv", "b/part-9.csv", "b/part-10.csv", "c/d/e.csv.gz"]
    assert done.json["results"][0]["n"] == 8


def test_a_directory_named_like_what_is_hidden_is_read_when_it_is_named(lossctl, tmp_path):
    write(tmp_path / "_out" / ".run" / "a.csv")
    assert lossctl("eval", tmp_path / "_out" / ".run", *VALUE).out == "2.5\n"


@pytest.mark.parametrize("name", [None, "_SUCCESS", ".hidden.csv"])
def test_a_directory_without_data_files_is_a_data_error(lossctl, tmp_path, name):
    if name:
        write(tmp_path / name)
    done = lossctl("eval", tmp_path, *VALUE)
    assert (done.status, done.out) == (3, "")
    assert f"{tmp_path}: no files" in done.err


def test_a_directory_in_the_name_of_a_file_is_still_a_directory(lossctl, tmp_path):
    """As Spark and Dask write them: ``out.parquet/part-0.parquet``."""
    write(tmp_path / "out.parquet" / "part-0.parquet", pa.table({"y": [1.0, 3.0], "p": [2.0, 5.0]}))
    write(tmp_path / "out.parquet" / "_SUCCESS", b"")
    assert lossctl("eval", tmp_path / "out.parquet", *VALUE).out == "2.5\n"


def test_files_of_several_formats_are_one_data_set(lossctl, tmp_path):
    write(tmp_path / "a.csv", "y,p,g\n1,2,x\n")
    write(tmp_path / "b.jsonl", '{"g":"x","p":5,"y":3}\n')
    write(
        tmp_path / "c.parquet",
        pa.table({"g": ["x"], "y": pa.array([0], pa.int8()), "p": pa.array([0.0], pa.float32())}),
    )
    done = lossctl("eval", tmp_path, "--by", "g", *JSON)
    assert (done.status, done.values) == (0, [5 / 3])


def test_a_file_url_is_a_local_file(lossctl, tmp_path):
    write(tmp_path / "a.csv")
    assert lossctl("eval", f"file://{tmp_path}/a.csv", *VALUE).out == "2.5\n"
    assert lossctl("eval", f"file://{tmp_path}", *VALUE).out == "2.5\n"
    assert lossctl("eval", f"file://{tmp_path}/*.csv", *VALUE).out == "2.5\n"
    assert lossctl("eval", "file:///nowhere/a.csv", *VALUE).status == 3


def test_an_unknown_kind_of_url_lists_the_known_ones(lossctl):
    done = lossctl("eval", "gopher://host/a.csv", *VALUE)
    assert (done.status, done.out) == (2, "")
    assert "s3://" in done.err
    assert "https://" in done.err


def test_the_library_takes_globs_and_directories_too(tmp_path):
    write(tmp_path / "d" / "a.csv")
    for place in (tmp_path / "d", f"{tmp_path}/d/*.csv", [tmp_path / "d", tmp_path / "d" / "a.csv"]):
        assert library.evaluate(place, "mse").value == 2.5


def test_an_expansion_is_in_natural_order(tmp_path):
    names = ["p=2/x10.csv", "p=10/x1.csv", "p=2/x9.csv", "p=1/x.csv"]
    for name in names:
        write(tmp_path / name)
    assert [os.path.relpath(it, tmp_path) for it in expand(str(tmp_path))] == [names[3], names[2], names[0], names[1]]


# --- outputs and inputs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["directory", "glob", "url", "labels", "labels directory"])
@pytest.mark.parametrize("command", ["eval", "samples"])
def test_an_output_never_goes_over_an_input_however_it_was_named(lossctl, tmp_path, place, command):
    data, labels = (
        write(tmp_path / "d" / "rows.csv", "id,y,p\n1,1,2\n"),
        write(tmp_path / "l" / "rows.csv", "id,y\n1,1\n"),
    )
    if command == "eval":
        data, labels = data.rename(data.with_suffix(".json")), labels.rename(labels.with_suffix(".json"))
    joined = ["--labels", labels, "--id", "id", "-p", "p"]
    victim, arguments = {
        "directory": (data, [tmp_path / "d"]),
        "glob": (data, [f"{tmp_path}/d/*"]),
        "url": (data, [f"file://{data}"]),
        "labels": (labels, [data, *joined]),
        "labels directory": (labels, [data, "--labels", tmp_path / "l", *joined[2:]]),
    }[place]
    before = victim.read_bytes()
    done = lossctl(command, *arguments, "-F", "csv", "-l", "mse", "-o", victim)
    assert victim.read_bytes() == before
    assert (done.status, done.out) == (2, "")
    assert "is an input" in done.err


# --- keys in paths ---------------------------------------------------------------------------------------------------


@pytest.fixture
def hive(tmp_path):
    """A data set partitioned as Hive would, its keys in the paths only."""
    pa_table = pa.table({
        "y": np.zeros(12), "p": np.arange(12.0), "split": ["train", "test", "dev"] * 4, "year": [2023, 2024] * 6,
    })  # fmt: skip
    pq.write_to_dataset(pa_table, str(tmp_path / "hive"), partition_cols=["split", "year"])
    return tmp_path / "hive", pa_table


def test_partition_keys_group_by_the_values_in_the_path(lossctl, hive):
    path, table = hive
    for place in (path, f"{path}/**/*.parquet", f"{path}/*/*/*"):
        done = lossctl("eval", place, "--by", "split,year", "-l", "mae", "-f", "json")
        right = library.evaluate(table, "mae", by=["split", "year"]).to_dict()
        assert done.json["results"] == right["results"]


def test_partition_keys_are_columns_like_others(lossctl, hive, tmp_path):
    path, _ = hive
    target = tmp_path / "out.parquet"
    assert lossctl("samples", path, "-l", "mae", "-o", target).status == 0
    rows = pq.read_table(target)
    assert set(zip(rows["split"].to_pylist(), map(str, rows["year"].to_pylist()), strict=True)) == {
        (split, year) for split in ("train", "test", "dev") for year in ("2023", "2024")
    }
    done = lossctl("samples", path, "-l", "mae", "--top", "3", "-f", "jsonl", "-q")
    assert done.out.count('"split": "dev"') == 1
    assert lossctl("eval", path, "--by", "splt", "-l", "mae").err.count("Did you mean split") == 1
    one = next(path.glob("split=test/year=2024/*.parquet"))
    assert lossctl("eval", one, "--by", "split", *JSON).json["results"][0]["group"] == {"split": "test"}


def test_a_column_of_the_file_wins_over_a_key_of_its_path(lossctl, tmp_path):
    write(tmp_path / "g=path" / "a.csv", "y,p,g\n1,2,file\n")
    done = lossctl("eval", tmp_path, "--by", "g", *JSON)
    assert done.json["results"][0]["group"] == {"g": "file"}


@pytest.mark.parametrize(
    ("folder", "group"),
    [
        ("g=a%20b", "a b"),
        ("g=a%2Fb", "a/b"),
        ("g=%C3%BC", "ü"),
        ("g=x=y", "x=y"),
        ("g=__HIVE_DEFAULT_PARTITION__", None),
        ("g=007", "007"),
        ("g=100%25", "100%"),
    ],
)
def test_partition_keys_are_decoded_as_writers_encode_them(lossctl, tmp_path, folder, group):
    write(tmp_path / folder / "a.csv")
    done = lossctl("eval", tmp_path, "--by", "g", *JSON)
    assert done.status == 0, done.err
    assert done.json["results"][0]["group"] == {"g": group}


def test_partition_keys_written_by_arrow_come_back(lossctl, tmp_path):
    words = ["a b", "a/b", "ü", "x=y", "100%", None]
    table = pa.table({"y": np.zeros(6), "p": np.arange(6.0), "g": words})
    pq.write_to_dataset(table, str(tmp_path / "d"), partition_cols=["g"])
    done = lossctl("eval", tmp_path / "d", "--by", "g", "-l", "mae", "-f", "json")
    assert {(it["group"]["g"], it["value"]) for it in done.json["results"]} == set(zip(words, range(6), strict=True))


@pytest.mark.parametrize("role", ["-w", "-p", "-y"])
def test_a_partition_key_that_is_a_number_may_play_any_role(lossctl, tmp_path, role):
    write(tmp_path / "k=2" / "a.csv", "y,p,w\n1,4,1\n")
    write(tmp_path / "k=3" / "a.csv", "y,p,w\n1,4,1\n")
    roles = {"-y": "y", "-p": "p", "-w": "w"} | {role: "k"}
    done = lossctl("eval", tmp_path, *(it for pair in roles.items() for it in pair), *JSON)
    assert done.status == 0, done.err
    assert done.values == [{"-w": 9.0, "-p": 2.5, "-y": 2.5}[role]]


# --- several files that differ ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["eval", "samples"])
@pytest.mark.parametrize("top", [[], ["--top", "2"]], ids=["", "top"])
def test_a_needed_column_missing_in_one_file_names_both(lossctl, tmp_path, command, top):
    if command == "eval" and top:
        return
    first, second = write(tmp_path / "a.csv", "y,p,w\n1,2,1\n"), write(tmp_path / "b.csv")
    done = lossctl(command, first, second, "-w", "w", "-l", "mse", *top)
    assert (done.status, done.err.count("bug")) == (3, 0)
    assert str(first) in done.err
    assert str(second) in done.err
    assert "'w'" in done.err


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_a_needed_column_of_another_kind_in_one_file_names_both(lossctl, tmp_path, suffix):
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    if suffix == ".parquet":
        write(first, pa.table({"y": [0, 1], "p": [[0.5, 0.5], [0.25, 0.75]]}))
        write(second, pa.table({"y": [0, 1], "p": [0.5, 0.5]}))
    else:
        write(first, '{"y":0,"p":[0.5,0.5]}\n')
        write(second, '{"y":0,"p":0.5}\n')
    for files in ((first, second), (second, first)):
        done = lossctl("eval", *files, "-l", "cross_entropy" if files[0] == first else "bce")
        assert (done.status, done.out) == (3, "")
        assert str(first) in done.err
        assert str(second) in done.err
        assert "'p'" in done.err


def test_vectors_of_another_length_in_the_second_file_are_placed(lossctl, tmp_path):
    first = write(tmp_path / "a.parquet", pa.table({"y": [0, 1], "p": [[0.5, 0.5], [0.25, 0.75]]}))
    second = write(tmp_path / "b.parquet", pa.table({"y": [0, 1], "p": [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]}))
    done = lossctl("eval", first, second, "-l", "cross_entropy")
    assert (done.status, done.out) == (3, "")
    assert f"{second}: row 1: " in done.err


@pytest.mark.parametrize("order", [1, -1])
def test_columns_that_nobody_asked_for_may_differ(lossctl, tmp_path, order):
    files = [write(tmp_path / "a.csv", "note,y,p\nx,1,2\n"), write(tmp_path / "b.csv", "p,more,y\n5,1,3\n")][::order]
    done = lossctl("eval", *files, *VALUE)
    assert (done.status, done.out) == (0, "2.5\n"), done.err


@pytest.mark.parametrize("target", [".csv", ".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("top", [[], ["--top", "9"]], ids=["all", "top"])
def test_samples_of_files_with_columns_in_another_order_keep_them_apart(lossctl, tmp_path, target, top):
    files = [write(tmp_path / "a.csv", "y,p,a,b\n1,2,11,12\n"), write(tmp_path / "b.csv", "b,a,p,y\n22,21,5,3\n")]
    done = lossctl("samples", *files, "-l", "mse", "-o", tmp_path / f"out{target}", *top)
    assert done.status == 0, done.err
    rows = sorted((int(row["a"]), int(row["b"])) for row in read_rows(tmp_path / f"out{target}"))
    assert rows == [(11, 12), (21, 22)]


@pytest.mark.parametrize("target", [".csv", ".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize(
    "cells", [("1", "0.5"), ("0.5", "1"), ("1", "x"), ("x", "1"), ("", "x"), ("true", "x"), ("", "7")]
)
@pytest.mark.parametrize("top", [[], ["--top", "9"]], ids=["all", "top"])
def test_samples_of_files_whose_carried_column_differs_in_type_lose_nothing(lossctl, tmp_path, target, cells, top):
    files = [write(tmp_path / f"{at}.csv", f"y,p,note\n1,2,{cell}\n") for at, cell in enumerate(cells)]
    done = lossctl("samples", *files, "-l", "mse", "-o", tmp_path / f"out{target}", *top)
    assert done.status == 0, done.err
    found = ["" if row["note"] is None else str(row["note"]).lower() for row in read_rows(tmp_path / f"out{target}")]
    assert found in (list(cells), [f"{cell}.0" if cell in {"1", "7"} else cell for cell in cells])


def read_rows(path):
    from lossctl.reading.format import Wanted, open_source

    source = open_source(path)
    everything = Wanted(frozenset(), frozenset(), others=True)
    return [row for shard in source.shards() for batch in shard.read(everything) for row in batch.to_pylist()]


def test_parquet_files_of_other_numeric_types_are_one_data_set(lossctl, tmp_path):
    for at, kind in enumerate((pa.float32(), pa.int8(), pa.float64(), pa.decimal128(24, 2))):
        write(
            tmp_path / f"{at}.parquet", pa.table({"y": pa.array([1, 3]).cast(kind), "p": pa.array([2, 5]).cast(kind)})
        )
    assert lossctl("eval", tmp_path, *VALUE).out == "2.5\n"


# --- temporary files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["eval"], ["samples"], ["samples", "--top", "1"]], ids=" ".join)
@pytest.mark.parametrize("form", ["parquet", "arrow", "csv.gz"])
@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_no_temporary_file_is_left(piped, tmp_path, command, form, good):
    table = pa.table({"y": [1.0, 3.0], "p": [2.0, 5.0 if good else None]})
    sink = pa.BufferOutputStream()
    if form == "parquet":
        pq.write_table(table, sink)
    elif form == "arrow":
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    else:
        sink.write(pa.compress(ROWS.encode() if good else b"y,p\n1,\n", "gzip", asbytes=True))
    folder = tmp_path / "tmp"
    folder.mkdir()
    status, _, err = piped(sink.getvalue().to_pybytes(), *command, "-", "-l", "mse", TMPDIR=str(folder))
    assert status == (0 if good else 3), err
    assert list(folder.iterdir()) == []


def test_damaged_parquet_on_stdin_leaves_no_temporary_file(piped, tmp_path):
    body = parquet_bytes(pa.table({"y": [1.0], "p": [2.0]}))
    status, out, err = piped(body[:-20], "eval", "-", "-l", "mse", TMPDIR=str(tmp_path))
    assert (status, out) == (3, "")
    assert err.startswith("error: stdin: ")
    assert "lossctl-" not in err
    assert list(tmp_path.iterdir()) == []


def test_the_library_leaves_no_temporary_file_at_its_end(plain_environment, tmp_path):
    script = (
        "import lossctl, os, subprocess, sys; os.mkfifo(sys.argv[2])\n"
        "feeder = subprocess.Popen(['cp', sys.argv[1], sys.argv[2]])\n"
        "print(lossctl.evaluate(sys.argv[2], 'mse').value); feeder.wait()\n"
    )
    path = write(tmp_path / "a.parquet", pa.table({"y": [1.0, 3.0], "p": [2.0, 5.0]}))
    folder = tmp_path / "tmp"
    folder.mkdir()
    command = [sys.executable, "-c", script, path, tmp_path / "pipe"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=plain_environment(TMPDIR=str(folder)), timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "2.5\n"), done.stderr
    assert list(folder.iterdir()) == []


# --- an S3 server ----------------------------------------------------------------------------------------------------


NUMBERS = np.random.default_rng(11).normal(size=(500, 2))
TABLE = pa.table({"y": NUMBERS[:, 0], "p": NUMBERS[:, 1]})
MSE = library.evaluate(TABLE, "mse").value


def csv_of(table):
    import pyarrow.csv

    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, sink)
    return sink.getvalue().to_pybytes()


def narrow(monkeypatch, n):
    for name, module in list(sys.modules.items()):
        if name.startswith("lossctl.") and hasattr(module, "RANGE"):
            monkeypatch.setattr(module, "RANGE", n)


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


@pytest.mark.parametrize("url", ["s3:///x.csv", "http://", "https:///x.csv", "hf://"])
def test_half_an_address_is_no_bug(plain_environment, url):
    environment = plain_environment(AWS_MAX_ATTEMPTS="1", AWS_EC2_METADATA_DISABLED="true", HF_HUB_OFFLINE="1")
    command = [sys.executable, "-m", "lossctl", "eval", url, *JSON]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode in {2, 3}, done.stderr
    assert "bug" not in done.stderr


def test_errors_of_places_are_lossctl_errors_in_the_library(tmp_path, web):
    for place in (tmp_path, f"{tmp_path}/*.csv", f"{web.address}/nothing.csv", "gopher://x/y.csv", tmp_path / "no.csv"):
        with pytest.raises(LossctlError):
            library.evaluate(place, "mse")
    with pytest.raises(DataError):
        library.evaluate(f"{web.address}/status/500/x.csv", "mse")
