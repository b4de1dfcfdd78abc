"""What all tests share: random inputs are drawn the same way in every run, and never timed."""

import functools
import json
import logging
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, settings
from schemas import held
from serving import Handler, serving
from waiting import HANGS

from lossctl.cli.app import run
from lossctl.reading import footer as parts
from lossctl.reading import stamped
from lossctl.rendering import interactive

settings.register_profile(
    "lossctl",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("lossctl")


def pytest_addoption(parser):
    parser.addoption("--write-golden", action="store_true", help="write golden files anew; look at the difference")


@pytest.fixture
def golden(request):
    """Hold a text against that of a golden file, which stands beside the test."""

    def hold(path, text):
        if request.config.getoption("--write-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path.name}: run pytest --write-golden"
        assert text == path.read_text(encoding="utf-8"), path.name

    return hold


SAMPLE_DATA = Path(__file__).parents[1] / "sample_data"
SWAYING = ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "COLUMNS", "LINES", "TERM", "COLORTERM", "PY_COLORS")
"""Variables that change what a terminal program writes."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out, parse_constant=pytest.fail)

    @property
    def values(self):
        return [result["value"] for result in self.json["results"]]


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """A shell may start the tests with SIGINT ignored, which the processes that they start would inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def small_parts_apart():
    """Small files have several shards, as large ones do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "TOGETHER", 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def at_rest():
    """Nobody writes to the files of tests but those that say so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stamped, "REST", 0.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def wired_once():
    """Typer makes every command anew for each command line, which takes longer than most of them run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))
        yield


SPECIFICATIONS = interactive.specifications


@pytest.fixture(scope="session", autouse=True)
def still_pictures():
    """Pictures of pages answer to no mouse but where a test asks for it: what draws them is bundled in seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interactive, "specifications", lambda chart: ())
        yield


@pytest.fixture
def live_pictures(monkeypatch):
    """Pictures of pages answer to the mouse, as far as what draws them is installed."""
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    monkeypatch.setattr(interactive, "specifications", SPECIFICATIONS)


@pytest.fixture(scope="session", autouse=True)
def by_schema():
    """What becomes JSON is held against its schema."""
    with held(TOLD):
        yield


TOLD = []
"""What schemas have against the JSON of the test that runs."""


@pytest.fixture
def told():
    """What schemas have against the JSON of this test, for who wants it to be something."""
    return TOLD


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """A test fails where some JSON is not as its schema says, which the program would take for an error of its own."""
    TOLD.clear()
    outcome = yield
    assert not TOLD, "\n".join(TOLD[:20])
    return outcome


@pytest.fixture
def lossctl(capfd, monkeypatch):
    """Run a command line in this process, in an environment that sways nothing."""
    for name in SWAYING:
        monkeypatch.delenv(name, raising=False)

    def call(*arguments):
        capfd.readouterr()
        status = run([str(argument) for argument in arguments])
        return Outcome(status, *capfd.readouterr())

    return call


@pytest.fixture
def plain_environment():
    """The environment of a new process, swaying nothing unless asked to."""

    def make(**extra):
        return {name: value for name, value in os.environ.items() if name not in SWAYING} | extra

    return make


@pytest.fixture
def process(plain_environment):
    """Run a command line in a process of its own."""

    def call(*arguments, **environment):
        command = [sys.executable, "-m", "lossctl", *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=plain_environment(**environment), timeout=HANGS, check=False
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope="session")
def sample_data():
    """The folder of small files with known answers."""
    return SAMPLE_DATA


@pytest.fixture(scope="session")
def answer():
    """Look up one known answer of a sample file."""
    known = json.loads((SAMPLE_DATA / "answers.json").read_text())["answers"]

    def find(file, loss, prediction, *, weight=None, by=None, group=None):
        columns = [prediction] if isinstance(prediction, str) else prediction
        asked = {"file": file, "loss": loss, "prediction": columns, "weight": weight, "by": by, "group": group}
        (found,) = [it for it in known if all(it[key] == value for key, value in asked.items())]
        return found

    return find


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """The folder in which the package of ``tests/plugin`` is installed, alone."""
    target = tmp_path_factory.mktemp("site")
    flags = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
    package = Path(__file__).parent / "plugin"
    subprocess.run([sys.executable, "-m", "pip", "install", *flags, str(package)], check=True, cwd=target)
    return target


@pytest.fixture(scope="session")
def start_cluster(tmp_path_factory):
    """Start a Dask cluster of worker processes on this machine."""
    distributed = pytest.importorskip("distributed", reason="needs lossctl[dask]")
    import dask

    # Nobody looks at the profile, for which every process would stop a hundred times a second until the tests end.
    dask.config.set({"distributed.worker.profile.enabled": False})

    def start(n_workers=2, **more):
        return distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            local_directory=str(tmp_path_factory.mktemp("cluster")),
            silence_logs=logging.CRITICAL,
            **more,
        )

    return start


@pytest.fixture(scope="session")
def cluster(start_cluster):
    """A cluster of two workers that tests share."""
    with start_cluster() as running:
        yield running


@dataclass(frozen=True)
class Bucket:
    """A bucket of an S3 server."""

    client: object
    address: str

    def put(self, key, body):
        self.client.put_object(Bucket="bucket", Key=key, Body=body)
        return self.url(key)

    def url(self, key):
        return f"s3://bucket/{key}?endpoint_override={self.address}&scheme=http"


@pytest.fixture(scope="session")
def bucket():
    """A bucket of a real S3 server on loopback, empty but for what tests put there."""
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto.server")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ACCESS_KEY_ID", "me"), ("SECRET_ACCESS_KEY", "mine"), ("DEFAULT_REGION", "us-east-1")):
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
        client.create_bucket(Bucket="bucket")
        yield Bucket(client, f"{host}:{port}")
        client.close()
        server.stop()


@dataclass(frozen=True)
class Web:
    """An HTTP server and what it serves."""

    address: str
    pages: dict = field(default_factory=dict)
    """Bytes by path; under ``/whole`` without byte ranges, under ``/unsized`` without a length either."""
    asked: list = field(default_factory=list)
    """Methods and paths of the requests so far."""

    def put(self, path, body):
        self.pages[path] = body
        return f"{self.address}{path}"


@pytest.fixture(scope="session")
def web():
    """A web server on loopback; ``/status/404`` and such answer with that status."""

    class Pages(Handler):
        def do_GET(self):  # noqa: N802  (the name that the library calls)
            path = self.path.partition("?")[0]
            served.asked.append((self.command, self.path))
            if path.startswith("/status/"):
                self.answer(int(path.split("/")[2]), b"no")
            elif path not in served.pages:
                self.answer(404, b"no such page")
            elif path.startswith("/unsized/"):
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                if self.command == "GET":
                    body = served.pages[path]
                    self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n")
            else:
                body, ranges = served.pages[path], not path.startswith("/whole/")
                part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")) if ranges else None
                if part is None:
                    self.answer(200, body, {"Accept-Ranges": "bytes"} if ranges else {})
                else:
                    start, stop = int(part[1]), min(int(part[2] or len(body)) + 1, len(body))
                    self.answer(206, body[start:stop], {"Content-Range": f"bytes {start}-{stop - 1}/{len(body)}"})

        def answer(self, status, body, headers=()):
            self.send_response(status)
            for name, value in dict(headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    with serving(Pages) as port:
        served = Web(f"http://127.0.0.1:{port}")
        yield served
