"""Wall time, processor time and peak memory at growing numbers of rows, written into docs/scaling.md.

``python benchmarks/scaling.py --rows 1e6,1e7,1e8,1e9 [--runs 3] [--folder DIR] [--write]``. Data are made of four row
groups of a million rows with a fixed seed, repeated; past 10^8 rows, a folder holds links to one file. They stay in the
folder where one is named.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import page
import pyarrow as pa
import pyarrow.parquet as pq
from compare import held, measured
from work import Program

PART = 1_000_000
LARGEST = 10**8
"""Rows of the largest file: more are several links to it."""
TINY = 1000
"""Files of one row each, which tell what a part costs when there is nothing in it."""
PAGE = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
BEGIN, END = "<!-- measured: written by benchmarks/scaling.py -->\n", "<!-- end of measured -->\n"
WORK = {
    "`-l huber`": ["-l", "huber"],
    "`-l huber --engine serial`": ["-l", "huber", "--engine", "serial"],
    "`-l huber --engine dask`": ["-l", "huber", "--engine", "dask"],
    "`-l mse,mae,huber,log_cosh`": ["-l", "mse,mae,huber,log_cosh"],
    "`-l huber --grad`": ["-l", "huber", "--grad"],
    "`-l huber --samples 100`": ["-l", "huber", "--samples", "100"],
    "`-l huber --by group`, 1 000 groups": ["-l", "huber", "--by", "group"],
    "`-l huber`, 4 of 12 columns as models": ["-l", "huber", *(f for at in range(4) for f in ("-p", f"pred_{at}"))],
}
CLUSTER = [(1, 16), (4, 16), (16, 16), (64, 16)]
"""Machines and the cores of each, to reckon with."""


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    wall: float
    cpu: float
    memory: float
    """The most megabytes that its processes held together."""


def parts() -> list[pa.Table]:
    """Four row groups: labels are normal, errors have heavy tails."""
    rng = np.random.default_rng(7)
    made = []
    for _ in range(4):
        label = rng.normal(size=PART)
        errors = {f"pred_{at}": label + 0.5 * rng.standard_t(3, size=PART) for at in range(4)}
        others = {f"feature_{at}": rng.normal(size=PART).astype(np.float32) for at in range(5)}
        group = pa.array(rng.integers(0, 1000, PART).astype(np.int32))
        made.append(pa.table({"label": label, "pred": errors["pred_0"], **errors, **others, "group": group}))
    return made


def stored(folder: Path, rows: int) -> Path:
    """A file of that many rows, or a folder of links to one; made if it is not there."""
    if rows > LARGEST:
        links = folder / str(rows)
        links.mkdir(exist_ok=True)
        file = stored(folder, LARGEST).resolve()
        for at in range(rows // LARGEST):
            (links / f"{at}.parquet").unlink(missing_ok=True)
            (links / f"{at}.parquet").symlink_to(file)
        return links
    path = folder / f"{rows}.parquet"
    if not path.exists():
        write(path, rows)
    return path


def write(path: Path, rows: int) -> None:
    """A file of that many rows."""
    tables = parts()
    with pq.ParquetWriter(path, tables[0].schema) as writer:
        for at, start in enumerate(range(0, rows, PART)):
            writer.write_table(tables[at % len(tables)].slice(0, rows - start), row_group_size=PART)


def median(command: list[str], runs: int) -> Cost:
    """The median of some runs, after one that warms the page cache and is asked for its memory."""
    program = Program("lossctl", tuple(command))
    memory, found = held(program), [measured(program) for _ in range(runs)]
    wall, cpu = (statistics.median(getattr(it, name) for it in found) for name in ("wall", "cpu"))
    return Cost(wall, cpu, memory)


def lossctl(path: Path, *flags: str) -> list[str]:
    """A command line that reads a file, or all in a folder."""
    chosen = flags if "-p" in flags else (*flags, "-p", "pred")
    return [sys.executable, "-m", "lossctl", "eval", str(path), "-q", "-y", "label", *chosen]


def table(folder: Path, counts: list[int], runs: int) -> Iterator[str]:
    """The lines of the page."""
    found: dict[tuple[str, int], Cost] = {}
    for rows in counts:
        path = stored(folder, rows)
        for title, flags in WORK.items():
            found[title, rows] = median(lossctl(path, *flags), runs)
            print(f"{rows:>12,} {title}: {found[title, rows]}", file=sys.stderr)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, NumPy {version('numpy')}"
    taken = f"Medians of {runs} runs" if runs > 1 else "One run each"
    yield f"{taken}, page cache warm, {machine}, pyarrow {version('pyarrow')}.\n"
    yield "| work | rows | wall | CPU | ns a row | peak memory |"
    yield "|---|---:|---:|---:|---:|---:|"
    for (title, rows), cost in found.items():
        each = cost.wall / rows * 1e9
        yield f"| {title} | {rows:,} | {cost.wall:.2f} s | {cost.cpu:.2f} s | {each:.1f} | {cost.memory:.0f} MB |"
    yield from reckoned(folder, found, max(counts), runs)


def reckoned(folder: Path, found: dict[tuple[str, int], Cost], rows: int, runs: int) -> Iterator[str]:
    """What a cluster would take for 10^10 rows, by arithmetic from what was measured."""
    small = {}
    for count in (1, TINY):
        path = folder / f"tiny-{count}"
        path.mkdir(exist_ok=True)
        for at in range(count):
            pq.write_table(pa.table({"label": [0.0], "pred": [1.0]}), path / f"{at}.parquet")
        for engine in ("serial", "dask"):
            small[engine, count] = median(lossctl(path, "-l", "huber", "--engine", engine), runs)
    work = found["`-l huber --engine serial`", rows].cpu - small["serial", 1].cpu
    each, start = work / (rows / PART), small["dask", 1].wall
    over = (small["dask", TINY].wall - small["dask", 1].wall) / TINY
    count = rows // PART
    yield f"\nA part of {PART:,} rows costs t = {each * 1e3:.1f} ms of one core: {work:.2f} s of CPU ÷ {count:,} parts."
    yield f"Handing one out and taking its sums back costs o = {over * 1e3:.1f} ms: {TINY:,} files of one row."
    yield f"A run that does nothing takes {start:.1f} s. So 10¹⁰ rows, S = 10 000 parts, on N machines of c cores:\n"
    yield "| N × c | S·t ÷ (N·c) | S·o | about |"
    yield "|---|---:|---:|---:|"
    for machines, cores in CLUSTER:
        shared, alone = 1e4 * each / (machines * cores), 1e4 * over
        about = start + max(shared, alone)
        yield f"| {machines} × {cores} | {shared:.1f} s | {alone:.1f} s | {about:.0f} s |"


def main() -> None:
    """Measure, print, and write where asked."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", default="1e6,1e7")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--folder", type=Path)
    options.add_argument("--write", action="store_true", help="put the table into docs/scaling.md")
    asked = options.parse_args()
    counts = [int(float(text)) for text in asked.rows.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        lines = "\n".join(table(asked.folder or Path(folder), counts, asked.runs)) + "\n"
    print(lines)
    if asked.write:
        page.put(PAGE, BEGIN, lines, END)


if __name__ == "__main__":
    main()
