"""How busy two workers of Dask are over many parts on an S3 server of this machine, written into docs/scaling.md.

``python benchmarks/store.py [--parts 1000] [--rows 100000] [--write]``. The server shares the cores with the workers:
what it and the client take is measured beside what the workers take. A run over one part is subtracted, so that
starting the workers does not count.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import page
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs
from work import FOUR

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
BEGIN, END = "<!-- store: written by benchmarks/store.py -->\n", "<!-- end of store -->\n"
BUCKET = "parts"
WORKERS = 2
EIGHT = "smooth_l1,cauchy,fair,pseudo_huber,quantile,lq,epsilon_insensitive,squared_epsilon_insensitive"
WORK = {
    "one cheap loss: `-l huber`": ["-l", "huber"],
    f"four losses and gradients: `-l {FOUR} --grad`": ["-l", FOUR, "--grad"],
    f"twelve losses and gradients: `-l {FOUR},… --grad`": ["-l", f"{FOUR},{EIGHT}", "--grad"],
}
ACCESS = {
    "AWS_ACCESS_KEY_ID": "me",
    "AWS_SECRET_ACCESS_KEY": "mine",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Busy:
    """Seconds: of the clock, and of the processors by who took them."""

    wall: float
    workers: float
    client: float
    server: float

    def __sub__(self, other: "Busy") -> "Busy":
        return Busy(*(getattr(self, name) - getattr(other, name) for name in self.__dataclass_fields__))


@contextlib.contextmanager
def serving() -> Iterator[tuple[str, psutil.Process]]:
    """An S3 server on loopback, its address and its process."""
    command = [sys.executable, "-c", SERVER]
    with psutil.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip(), server
        finally:
            server.terminate()


SERVER = """
import logging, threading, moto.server
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = moto.server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("{}:{}".format(*server.get_host_and_port()), flush=True)
threading.Event().wait()
"""


def fill(address: str, parts: int, rows: int) -> None:
    """Put parts into the bucket: labels are normal, errors have heavy tails."""
    store = fs.S3FileSystem(endpoint_override=address, scheme="http", allow_bucket_creation=True)
    store.create_dir(BUCKET)
    rng = np.random.default_rng(7)
    label = rng.normal(size=rows)
    body = pa.BufferOutputStream()
    pq.write_table(pa.table({"label": label, "pred": label + 0.5 * rng.standard_t(3, rows)}), body)
    whole = body.getvalue()
    for at in range(parts):
        with store.open_output_stream(f"{BUCKET}/{at:05}.parquet") as stream:
            stream.write(whole)


def processors(process: psutil.Process) -> float:
    """Seconds of the processors that a process has had."""
    used = process.cpu_times()
    return used.user + used.system


def busy(address: str, server: psutil.Process, files: str, flags: list[str]) -> Busy:
    """Run over files of the bucket; the last look at each process before it ends tells what it took."""
    url = f"s3://{BUCKET}/{files}?endpoint_override={address}&scheme=http"
    command = [sys.executable, "-m", "lossctl", "eval", url, "-y", "label", "-p", "pred", *flags, "-q", "-f", "json"]
    begun, before, taken = time.perf_counter(), processors(server), {}
    command += ["--engine", "dask", "--threads", str(WORKERS)]
    # A file takes the names of a thousand parts, a pipe that nobody reads does not.
    with tempfile.TemporaryFile() as printed, psutil.Popen(command, stdout=printed) as client:
        while client.poll() is None:
            with contextlib.suppress(psutil.Error):
                for process in (client, *client.children(recursive=True)):
                    taken[process.pid] = processors(process)
            time.sleep(0.01)
        wall = time.perf_counter() - begun
        if client.returncode:
            raise SystemExit(f"{' '.join(command)}: exit status {client.returncode}")
        printed.seek(0)
        json.load(printed)
    own = taken.pop(client.pid)
    return Busy(wall, sum(taken.values()), own, processors(server) - before)


def table(parts: int, rows: int) -> Iterator[str]:
    """The lines of the page."""
    yield f"{parts:,} parts of {rows:,} rows, {WORKERS} workers, {os.cpu_count()} cores that the server shares.\n"
    yield "| work | wall | workers, of their cores | client | server | left idle |"
    yield "|---|---:|---:|---:|---:|---:|"
    with serving() as (address, server):
        fill(address, parts, rows)
        for title, flags in WORK.items():
            spent = busy(address, server, "*.parquet", flags) - busy(address, server, "00000.parquet", flags)
            shares = [took / WORKERS / spent.wall for took in (spent.workers, spent.client, spent.server)]
            cells = " | ".join(f"{share:.0%}" for share in (*shares, 1 - sum(shares)))
            yield f"| {title} | {spent.wall:.2f} s | {cells} |"


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
