"""Servers that stall, refuse, hang up and lie: an error that says so in time, never a number, and signals are heard."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from serving import Handler, serving
from stored import ON_DISK, stored_as
from transcripts import VALUE
from waiting import HANGS, until

import lossctl as library
from lossctl.errors import UsageError
from lossctl.reading.location import SUFFIXES as COMPRESSIONS
from lossctl.reading.stores import store_of
from lossctl.reading.waiting import patience

TABLE = pa.table({"y": [0.0, 0.0] * 2000, "p": [1.0, 5.0] * 2000})
MSE = "13.0\n"
SHORT, LONG = 0.4, 600
"""Seconds: enough for a server of this machine, and longer than any test may take."""


@dataclass(frozen=True)
class Bad:
    """A server, whose paths say how it goes wrong: ``/stall/``, ``/half/``, ``/short/``, ``/503/``, ``/once-503/``.

    Under ``/ranges/`` it gives ranges of bytes.
    """

    port: int
    pages: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, client, path, body=b""):
        self.pages[path] = body
        prefix = {"http": f"http://127.0.0.1:{self.port}", "s3": "s3://b", "gs": "gs://anonymous@b"}[client]
        return f"{prefix}{path}{'' if client == 'http' else self.options}"

    @property
    def options(self):
        return f"?endpoint_override=127.0.0.1:{self.port}&scheme=http"


@pytest.fixture(scope="module")
def bad():
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")

    class Wrong(Handler):
        def do_GET(self):  # noqa: N802  (the name that the library calls)
            path = self.path.partition("?")[0].removeprefix("/b/").lstrip("/")
            served.asked.append((self.command, self.path))
            if "stall/" in self.path or "stall%2F" in self.path:
                served.released.wait()
                return
            if re.search("garbled(/|%2F)", self.path):
                self.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n")
                self.close_connection = True
                return
            status = re.search(r"(once-)?(\d{3})(?:/|%2F)", self.path)
            passing = status and status[1]
            if status and not (passing and (self.command == "HEAD" or served.asked.count(("GET", self.path)) > 1)):
                self.answer(int(status[2]), b"no")
                return
            body = served.pages["/" + path]
            part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")) if "ranges/" in path else None
            start, stop = (int(part[1]), min(int(part[2] or len(body)) + 1, len(body))) if part else (0, len(body))
            headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(body)}"} if part else {}
            if "ranges/" in path:
                headers["Accept-Ranges"] = "bytes"
            self.answer(206 if part else 200, body[start:stop], headers, broken="half/" in path or "short/" in path)
            if "half/" in path and self.command == "GET":
                served.released.wait()

        def answer(self, status, body, headers=(), *, broken=False):
            self.send_response(status)
            for name, value in dict(headers).items():
                self.send_header(name, value)
            self.send_header("Last-Modified", "Thu, 26 Nov 2026 00:00:00 GMT")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body[: len(body) // 2] if broken else body)
                self.wfile.flush()
                self.close_connection = broken

    with serving(Wrong) as port:
        served = Bad(port)
        yield served
        served.released.set()


KEYS = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "mine", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def is_told(done, url, words):
    """Whether an error, and nothing else, says what was wrong with a URL."""
    (line, *hint) = done.err.removesuffix("\n").split("\n")
    if line.startswith(f"warning: {url}: ") and line.endswith("; asked once more"):
        (line, *hint) = hint
    assert (done.status, done.out) == (3, "")
    assert line.startswith(f"error: {url}: ")
    assert re.search(words, line), line
    assert len(hint) < 2
    return True


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("401", "401"),
        ("403", "403"),
        ("404", "no such file"),
        ("500", "500 Internal Server Error|unavailable"),
        ("503", "503 Service Unavailable|unavailable"),
        ("garbled", "what answers is no such server"),
        ("stall", f"no answer within {SHORT:g} seconds|no answer within 3 seconds"),
    ],
)
@pytest.mark.parametrize("client", ["http", "s3", "gs"])
def test_what_a_server_does_wrong_is_said_in_time(client, fault, words, bad, lossctl):
    url = bad.url(client, f"/{fault}/rows.csv")
    began = time.monotonic()
    limit = 3 if client == "gs" and fault != "stall" else SHORT if fault == "stall" else LONG
    done = lossctl("eval", url, *VALUE, "--timeout", limit)
    assert is_told(done, url, words)
    assert time.monotonic() - began < HANGS


@pytest.mark.parametrize("client", ["http", "s3", "gs"])
def test_a_connection_that_is_refused_is_called_so(client, lossctl):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = Bad(free.getsockname()[1]).url(client, "/rows.csv")
    assert is_told(lossctl("eval", url, *VALUE, "--timeout", LONG), url, "connection refused")


def test_a_name_that_does_not_resolve_is_called_so(lossctl):
    url = "http://no.such.host.invalid/rows.csv"
    assert is_told(lossctl("eval", url, *VALUE, "--timeout", LONG), url, "does not resolve")


def bodies():
    """A body of every format, and of text in every compression."""
    for found in ON_DISK:
        yield pytest.param(found, "", id=found.name)
        if found.name == "csv":
            for compressed in COMPRESSIONS:
                yield pytest.param(found, compressed, id=f"csv{compressed}")


@pytest.mark.parametrize(("found", "compressed"), [*bodies()])
@pytest.mark.parametrize("fault", ["short", "half"])
def test_a_body_that_does_not_come_whole_is_never_measured(fault, found, compressed, bad, lossctl):
    """In ranges of bytes and whole; what undoes a compression takes its bytes either way, so there they take turns."""
    words = "cut short" if fault == "short" else f"no answer within {SHORT:g} seconds"
    ways = ["/ranges", ""]
    for ranges in [ways[list(COMPRESSIONS).index(compressed) % 2]] if compressed else ways:
        path = f"{ranges}/{fault}/rows{found.suffixes[0]}{compressed}"
        url = bad.url("http", path, stored_as(found, TABLE, compressed))
        done = lossctl("eval", url, *VALUE, "--timeout", SHORT if fault == "half" else LONG)
        assert is_told(done, url, words)


@pytest.mark.parametrize("fault", ["short", "half"])
def test_a_body_of_a_store_that_does_not_come_whole_is_never_measured(fault, bad, lossctl):
    url = bad.url("s3", f"/ranges/{fault}/rows.csv", stored_as(ON_DISK[0], TABLE, ""))
    words = "cut short" if fault == "short" else "no answer within"
    assert is_told(lossctl("eval", url, *VALUE, "--timeout", SHORT if fault == "half" else LONG), url, words)


@pytest.mark.parametrize("client", ["http", "s3"])
def test_what_may_pass_is_asked_for_once_more_and_said(client, bad, lossctl):
    body = b"y,p\n0,1\n0,5\n"
    for quiet, told in (("-q", 1), ("-qq", 0)):
        url = bad.url(client, f"/ranges/once-503/{client}{quiet}.csv", body)
        done = lossctl("eval", url, "-l", "mse", "-f", "value", quiet)
        assert done.status == 0, done
        assert done.out == (MSE if told else "")
        assert done.err.count("the server answers 503 Service Unavailable; asked once more\n") == told
        assert done.err.count("\n") == told


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=lambda sent: sent.name)
@pytest.mark.parametrize(
    ("client", "path", "engine"),
    [
        ("gs", "/stall/rows.csv", "threads"),
        ("s3", "/stall/rows*.csv", "threads"),
        ("http", "/ranges/half/rows.parquet", "serial"),
    ],
)
def test_signals_are_heard_while_a_server_is_silent(client, path, engine, sent, bad, plain_environment):
    url = bad.url(client, path, stored_as(next(it for it in ON_DISK if it.name == "parquet"), TABLE, ""))
    before = len(bad.asked)
    command = [sys.executable, "-m", "lossctl", "eval", url, *VALUE, "--engine", engine, "--timeout", str(LONG)]
    environment = plain_environment(**KEYS)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as started:
        until(lambda: len(bad.asked) > before + (client == "http"), started)
        os.kill(started.pid, sent)
        out, err = started.communicate(timeout=HANGS)
    # On a busy machine a connection may be reset before the server hears of it.
    said = [line for line in err.splitlines() if not line.endswith(b"the server hung up; asked once more")]
    assert (started.returncode, out, said) == (128 + sent, b"", [])


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "1e9"])
def test_a_time_nobody_can_wait_is_refused(seconds, lossctl):
    done = lossctl("eval", "rows.csv", "--timeout", seconds)
    assert done.status == 2
    assert done.err.startswith("error: --timeout ")
    with pytest.raises(UsageError, match=r"timeout=…\) must be above 0"):
        library.Reading(timeout=float(seconds))


def test_workers_elsewhere_wait_as_long_as_one_would_here():
    from lossctl.evaluation.remote import Patient
    from lossctl.reading.waiting import patience

    before = patience.seconds
    assert Patient(lambda item: (item, patience.seconds), 7.0)(1) == (1, 7.0)
    patience.seconds = before


def test_the_client_of_a_store_waits_longer_than_who_asks_it(monkeypatch):
    """Its own patience is three seconds: a server that takes four is slow, and not at a wrong address."""
    for seconds in (SHORT, 30.0, LONG):
        monkeypatch.setattr(patience, "seconds", seconds)
        store, _ = store_of("s3://b/rows.csv?endpoint_override=127.0.0.1:1&scheme=http")
        _, (settings,) = store.__reduce__()
        assert min(settings["request_timeout"], settings["connect_timeout"]) > seconds
