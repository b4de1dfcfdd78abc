"""A table that breaks off on its way through a pipe: nobody who reads it may take it for all there is."""

import os
import signal
import subprocess
import sys

import pytest
from stored import ON_DISK, narrow
from waiting import HANGS

from lossctl.reading.format import formats

ROWS, BAD = 40_000, 30_000


@pytest.fixture
def breaking_off(tmp_path, monkeypatch):
    """A file with a cell that is no number, after many rows in several parts."""
    narrow(monkeypatch, 1 << 16)
    path = tmp_path / "data.csv"
    path.write_bytes(b"y,p\n" + b"1,0.25\n" * BAD + b"1,oops\n" + b"1,0.25\n" * (ROWS - BAD))
    return path


@pytest.mark.parametrize("form", [found.name for found in ON_DISK])
def test_what_breaks_off_is_refused_or_says_how_many_rows_there_are(lossctl, breaking_off, tmp_path, form):
    target = tmp_path / f"through{formats.get(form).suffixes[0]}"
    with target.open("wb") as file:
        done = lossctl("samples", breaking_off, "-l", "mse", "-q", "-f", form, "-o", f"/dev/fd/{file.fileno()}")
    assert done.status == 3
    assert "oops" in done.err
    assert target.stat().st_size > 0, "some of it was written"
    after = lossctl("eval", target, "-y", "y", "-p", "p", "-l", "mse", "-q", "-f", "json")
    if form == "json":  # the end of its array is missing
        assert (after.status, after.out) == (3, "")
    elif formats.get(form).text:
        (result,) = after.json["results"]
        assert 0 < result["n"] < BAD
        assert f"ends after {result['n']:,} rows, which are not all" in done.err
    else:
        assert (after.status, after.out) == (3, "")
        assert "rows, which" not in done.err


@pytest.mark.parametrize(("sent", "said"), [(signal.SIGTERM, True), (signal.SIGHUP, True), (signal.SIGINT, False)])
def test_a_signal_says_how_many_rows_went_through_unless_it_is_the_users(plain_environment, many, sent, said):
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "lossctl", "samples", str(many), "-l", "mse", "-q"]
    with open(writer, "wb") as stdout:
        running = subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, env=plain_environment())
    with open(reader, "rb", buffering=0) as through:
        through.read(1)  # the rest waits for a reader
        running.send_signal(sent)
        _, err = running.communicate(timeout=HANGS)
    assert running.returncode == 128 + sent
    assert err.startswith(b"warning: stdout: ends after at least ") == said
    assert said or err == b""
