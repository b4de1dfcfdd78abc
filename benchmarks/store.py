"""Many parts on an S3 server of this machine, written into docs/scaling.md: how busy the workers are, and who waits.

``python benchmarks/store.py [--parts 1000] [--rows 100000] [--write]``. The server, `object_store.py`, shares the cores
with the workers: what it and the client take is measured beside what the workers take. A run over one part is
subtracted, so that starting does not count. The last lines are of a server that answers as late as real stores do.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import page
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from work import FOUR

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "scaling.md"
BEGIN, END = "<!-- store: written by benchmarks/store.py -->\n", "<!-- end of store -->\n"
BUCKET = "parts"
WORKERS = 2
WAIT = 0.02
"""Seconds until a real store answers."""
EIGHT = "smooth_l1,cauchy,fair,pseudo_huber,quantile,lq,epsilon_insensitive,squared_epsilon_insensitive"
ENGINES = {"dask": ["--engine", "dask", "--threads", str(WORKERS)], "threads": ["--engine", "threads"]}


@dataclass(frozen=True)
class Work:
    """A line of the table."""

    title: str
    flags: tuple[str, ...]
    engine: str = "dask"
    wait: float = 0.0


HUBER = "`-l huber`"
WORK = (
    Work(f"one cheap loss: {HUBER}", ("-l", "huber")),
    Work(f"four losses and gradients: `-l {FOUR} --grad`", ("-l", FOUR, "--grad")),
    Work(f"twelve losses and gradients: `-l {FOUR},… --grad`", ("-l", f"{FOUR},{EIGHT}", "--grad")),
    Work(f"{HUBER}, without Dask", ("-l", "huber"), "threads"),
    Work(f"{HUBER}, {WAIT * 1000:.0f} ms to each answer", ("-l", "huber"), "dask", WAIT),
    Work(f"`-l {FOUR} --grad`, {WAIT * 1000:.0f} ms to each answer", ("-l", FOUR, "--grad"), "dask", WAIT),
    Work(f"{HUBER}, {WAIT * 1000:.0f} ms to each answer, without Dask", ("-l", "huber"), "threads", WAIT),
)
ACCESS = {
    "AWS_ACCESS_KEY_ID": "me",
    "AWS_SECRET_ACCESS_KEY": "mine",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Busy:
    """Seconds: of the clock, and of the processors by who took them; and how often the server was asked."""

    wall: float
    workers: float
    client: float
    server: float
    requests: float

    def __sub__(self, other: "Busy") -> "Busy":
        return Busy(*(getattr(self, name) - getattr(other, name) for name in self.__dataclass_fields__))


@contextlib.contextmanager
def serving(folder: Path, wait: float) -> Iterator[tuple[str, psutil.Process]]:
    """An S3 server of a folder on loopback, its address and its process."""
    command = [sys.executable, str(HERE / "object_store.py"), str(folder), "--wait", str(wait)]
    with psutil.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip(), server
        finally:
            server.terminate()


def requests(address: str) -> int:
    """How often the server was asked so far."""
    with urllib.request.urlopen(f"http://{address}/") as answer:
        return sum(json.load(answer).values())


def fill(bucket: Path, parts: int, rows: int) -> None:
    """Put parts into a bucket, all links to one file: labels are normal, errors have heavy tails."""
    bucket.mkdir()
    rng = np.random.default_rng(7)
    label = rng.normal(size=rows)
    whole = bucket.parent / "whole.parquet"
    pq.write_table(pa.table({"label": label, "pred": label + 0.5 * rng.standard_t(3, rows)}), whole)
    for at in range(parts):
        os.link(whole, bucket / f"{at:05}.parquet")


def processors(process: psutil.Process) -> float:
    """Seconds of the processors that a process has had."""
    used = process.cpu_times()
    return used.user + used.system


def ended() -> float:
    """Seconds of the processors that the processes begun here had that have ended, and those that these began."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def busy(address: str, server: psutil.Process, files: str, flags: list[str]) -> Busy:
    """Run over files of the bucket; the last look at the client before it ends tells what it took, and not its workers.

    What all of them took the system says in the end. To look at each would take a tenth of the cores.
    """
    url = f"s3://{BUCKET}/{files}?endpoint_override={address}&scheme=http"
    command = [sys.executable, "-m", "lossctl", "eval", url, "-y", "label", "-p", "pred", *flags, "-q", "-f", "json"]
    asked = requests(address)
    begun, before, children, own = time.perf_counter(), processors(server), ended(), 0.0
    # A file takes the names of a thousand parts, a pipe that nobody reads does not.
    with tempfile.TemporaryFile() as printed, psutil.Popen(command, stdout=printed) as client:
        while client.poll() is None:
            with contextlib.suppress(psutil.Error):
                own = processors(client)
            time.sleep(0.01)
        wall = time.perf_counter() - begun
        if client.returncode:
            raise SystemExit(f"{' '.join(command)}: exit status {client.returncode}")
        printed.seek(0)
        json.load(printed)
    served = processors(server) - before
    return Busy(wall, ended() - children - own, own, served, requests(address) - asked)


def table(parts: int, rows: int) -> Iterator[str]:
    """The lines of the page."""
    yield f"{parts:,} parts of {rows:,} rows, {WORKERS} workers, {os.cpu_count()} cores that the server shares.\n"
    heads = ("work", "wall", "workers, of their cores", "client", "server", "left idle", "workers, of the rest")
    yield f"| {' | '.join(heads)} | requests a part |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    with tempfile.TemporaryDirectory(prefix="lossctl-store-") as folder:
        fill(Path(folder) / BUCKET, parts, rows)
        for work in WORK:
            with serving(Path(folder), work.wait) as (address, server):
                flags = [*work.flags, *ENGINES[work.engine]]
                all_parts, one = (busy(address, server, files, flags) for files in ("*.parquet", "00000.parquet"))
            yield line(work, all_parts - one, parts)


def line(work: Work, spent: Busy, parts: int) -> str:
    """A line of the table; without Dask the client is the worker."""
    workers, client = (spent.workers, spent.client) if work.engine == "dask" else (spent.client, 0.0)
    shares = [took / WORKERS / spent.wall for took in (workers, client, spent.server)]
    busy_of_rest = shares[0] / (1 - shares[1] - shares[2])
    cells = [f"{share:.0%}" for share in (*shares, 1 - sum(shares), busy_of_rest)]
    return f"| {work.title} | {spent.wall:.2f} s | {' | '.join(cells)} | {spent.requests / parts:.1f} |"


def main() -> None:
    """Measure, print, and write where asked."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parts", type=int, default=1000)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--write", action="store_true", help="put the table into docs/scaling.md")
    asked = options.parse_args()
    os.environ.update(ACCESS)
    lines = "\n".join(table(asked.parts, asked.rows)) + "\n"
    print(lines)
    if asked.write:
        page.put(PAGE, BEGIN, lines, END)


if __name__ == "__main__":
    main()
