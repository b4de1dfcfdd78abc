"""Data through stdin and named pipes."""

import contextlib
import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
import threading
from pipes import fed, unread

import pyarrow as pa
import pytest
from stored import ROWS, parquet_bytes, write
from transcripts import JSON, VALUE
from waiting import HANGS, until

import lossctl as library


@pytest.mark.parametrize("command", ["eval", "samples"])
@pytest.mark.parametrize("place", [[], ["-"]], ids=["nothing", "dash"])
def test_a_terminal_as_stdin_is_a_usage_error_that_says_what_to_do(plain_environment, command, place):
    ours, theirs = pty.openpty()
    try:
        arguments = [sys.executable, "-m", "lossctl", command, *place, "-l", "mse"]
        done = subprocess.run(
            arguments, stdin=theirs, capture_output=True, text=True, env=plain_environment(), timeout=HANGS
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
            timeout=HANGS,
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


def test_stdin_is_called_stdin(piped):
    status, out, err = piped(b"y,p\n1,2\n3,x\n", "eval", "-", *VALUE)
    assert (status, out) == (3, "")
    assert err.startswith("error: stdin: row 2: ")
    _, out, _ = piped(ROWS.encode(), "eval", "-", *JSON)
    assert json.loads(out)["inputs"]["files"] == ["stdin"]


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
                until(lambda: not unread(pipe))
            pipe.write(body[8:])

    feeder = threading.Thread(target=drip, daemon=True)
    feeder.start()
    try:
        assert library.evaluate(path, "mse").value == 2.5
    finally:
        feeder.join(timeout=HANGS)


def test_quantiles_of_a_pipe_take_two_passes_which_only_a_short_one_gives(piped):
    body = b"y,p,v\n" + b"1,2,3\n2,2,4\n" * 100
    status, out, err = piped(body, "eval", "--by", "v:2", "-l", "mse", "-q", "-f", "csv")
    assert (status, err) == (0, "")
    assert '"[3, 4)"' in out
    status, out, err = piped(body + b"1,2,3\n" * 2_000_000, "eval", "--by", "v:2", "-l", "mse", "-q")
    assert (status, out) == (3, "")
    assert "stdin: can be read only once, and this takes two passes\nSave it to a file first." in err
