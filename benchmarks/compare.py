"""Run lossctl in turn with what a user would pick instead, check that all agree, and print a table.

``python benchmarks/compare.py`` (or ``make bench``) takes 20 M rows and five runs; ``--quick`` two million and three;
``--large`` adds a file five times as large; ``--page`` puts the tables between the markers of a page.
``--only "Two models" --files pairs.parquet`` prints one table, of one file.
"""

import argparse
import contextlib
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import distributions, version
from pathlib import Path

import psutil

HERE = Path(__file__).parent
BEGIN, END = "<!-- figures: written by benchmarks/compare.py -->\n", "<!-- end of figures -->\n"
LIBRARIES = ("lossctl", "numpy", "pyarrow", "duckdb", "polars", "pandas", "scikit-learn")
PEERS = {
    "duckdb": "DuckDB",
    "polars": "Polars",
    "pandas": "pandas, scikit-learn",
    "numpy": "NumPy",
    "arrow": "Arrow, reading alone",
}
AGREEMENT = 1e-9
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Every program finds its bytecode, as an installed one does."""
MEMORY_MB, MEMORY_GROWTH = 200, 0.1
LOSSCTL = (sys.executable, "-m", "lossctl")
TYPES = ("float32", "int8", "decimal")
FOUR = "mse,mae,huber,log_cosh"


@dataclass(frozen=True)
class Program:
    """A command line, and what the table calls it."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """Some work, done by the program that is judged and by those it is held against."""

    title: str
    ours: Program
    others: tuple[Program, ...]
    target: float | None = None
    """The largest good ratio of wall times to the fastest of the others."""


@dataclass(frozen=True)
class Run:
    """What a program took: seconds by the clock, seconds of all cores, and its answer."""

    wall: float
    cpu: float
    values: tuple[float, ...]


def lossctl(
    path: str, loss: str, *options: str, label: str = "label", pred: str = "pred", command: str = "eval"
) -> Program:
    asked = ("-l", loss, "-y", label, "-p", pred, *options, "-f", "json", "-q")
    return Program("lossctl" if command == "eval" else f"lossctl {command}", (*LOSSCTL, command, path, *asked))


def named(name: str, program: Program) -> Program:
    return Program(name, program.command)


def python(code: str) -> Program:
    return Program(f"`python -c '{code}'`", (sys.executable, "-c", code))


def peers(tools: str, work: str, path: str) -> tuple[Program, ...]:
    script = str(HERE / "peers.py")
    names = {"exp": "NumPy, exp alone", "read-exp": "Arrow and NumPy, read and exp"}
    return tuple(
        Program(names.get(work, PEERS[tool]), (sys.executable, script, tool, work, path)) for tool in tools.split()
    )


def counted(rows: int) -> str:
    """A number of rows in words."""
    return f"{rows / 1e6:g} M" if rows >= 1_000_000 else f"{rows:,}"


def sections(files: Mapping[str, str], rows: int) -> dict[str, list[Line]]:
    """All that is timed, by the heading it stands under."""
    wide = counted(max(rows // 200, 1))
    plain, csv, both = files["plain.parquet"], files["plain.csv"], "duckdb polars"
    parquet = f"{counted(rows)} rows of Parquet"
    against = [
        Line(f"huber, {parquet}", lossctl(plain, "huber"), peers(both, "huber", plain), 0.9),
        Line(
            f"mse, {counted(max(rows // 4, 1))} rows of CSV",
            lossctl(csv, "mse"),
            peers(f"{both} pandas", "mse", csv),
            0.8,
        ),
        Line(
            f"four losses and gradient norms (the others: four averages), {parquet}",
            lossctl(plain, FOUR, "--grad"),
            peers(both, "four", plain),
            1.0,
        ),
        Line(
            f"huber by 1,000 groups, {parquet}",
            lossctl(plain, "huber", "--by", "group"),
            peers(both, "groups", plain),
            1.0,
        ),
    ]
    if large := files.get("large.parquet"):
        title = f"huber, {counted(5 * rows)} rows of Parquet"
        against.insert(1, Line(title, lossctl(large, "huber"), peers(both, "huber", large), 0.6))

    floors = [
        Line(f"huber, {counted(times * rows)} rows of Parquet", lossctl(file, "huber"), peers("arrow", "read", file))
        for times, file in ((1, plain), (5, large))
        if file
    ]

    def shape(title: str, name: str, beside: str, like: str) -> Line:
        return Line(title, lossctl(files[name], "huber"), (named(beside, lossctl(files[like], "huber")),))

    words = lossctl(files["categories.parquet"], "bce", "--classes", "no,yes", pred="prob")
    codes = lossctl(plain, "bce", label="y01", pred="prob")
    shapes = [
        shape("one row group", "one_group.parquet", "plain file", "plain.parquet"),
        shape("5,000 row groups", "tiny_groups.parquet", "plain file", "plain.parquet"),
        shape(f"2 of 1,000 columns, {wide} rows", "wide.parquet", "2 columns", "narrow.parquet"),
        *(shape(f"{kind} columns", f"{kind}.parquet", "float64", "float64.parquet") for kind in TYPES),
        Line("labels in a dictionary of words", words, (named("0 and 1", codes),)),
    ]
    vectors = []
    for name, options in {"logit": ["--from-logits"], "prob": []}.items():
        lists, apart = files[f"{name}_list.parquet"], files[f"{name}_columns.parquet"]
        told = " ".join(["cross_entropy", *options])
        ours = lossctl(lists, "cross_entropy", *options, pred=name)
        floor, reading = peers("numpy", "exp", lists), peers("numpy", "read-exp", lists)
        vectors += [
            Line(f"{told}, a column of lists", ours, (*floor, *reading)),
            Line(
                f"{told}, 1,000 columns",
                lossctl(apart, "cross_entropy", *options, pred="c*"),
                (named("a column of lists", ours), *floor),
            ),
        ]
    bare = Program("lossctl", (*LOSSCTL, "--version"))
    imports = python("import numpy, pyarrow.csv, typer")
    start = [
        Line("`lossctl --version`", bare, (python("pass"),), 150 / 16),
        Line("`lossctl eval` of 1,000 rows of CSV", lossctl(files["small.csv"], "mse"), (imports,), 1.5),
    ]
    paired = [
        Line(title, compared(command="compare"), (named("lossctl eval", compared(command="eval")),), 1.6)
        for title, compared in comparisons(files["pairs.parquet"])
    ]
    return {
        "Beside the tools a user would pick instead": against,
        "Beside imports and reading alone, on all cores": floors,
        "Shapes of files, beside a plain file of the same rows": shapes,
        f"Rows of 1,000 classes, {wide} of them": vectors,
        f"Two models compared, beside evaluating both, {parquet}": paired,
        "Start": start,
    }


def comparisons(path: str) -> list[tuple[str, Callable[..., Program]]]:
    """What is asked of both models of a file, by ``eval`` and by ``compare``."""
    return [
        ("mse", partial(lossctl, path, "mse", "-p", "b", pred="a")),
        ("rmse", partial(lossctl, path, "rmse", "-p", "b", pred="a")),
        ("bce", partial(lossctl, path, "bce", "-p", "prob_b", pred="prob_a", label="y01")),
        ("mse, weights", partial(lossctl, path, "mse", "-p", "b", "--weight", "weight", pred="a")),
        ("mse by 10 groups", partial(lossctl, path, "mse", "-p", "b", "--by", "group", pred="a")),
        ("mse, 1 M clusters", partial(lossctl, path, "mse", "-p", "b", "--cluster", "user", pred="a")),
    ]


MEMORY = {
    "huber": ("huber",),
    "huber by 1,000 groups": ("huber", "--by", "group"),
    "four losses and their gradient norms": (FOUR, "--grad"),
    "huber, the 100 worst rows": ("huber", "--samples", "100"),
    "huber of three models": ("huber", "-p", "f1", "-p", "prob"),
}


def measured(program: Program) -> Run:
    """Run a program to its end."""
    begun = time.perf_counter()
    process = subprocess.Popen(program.command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    printed = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(program.command)}: exit status {process.returncode}")
    return Run(wall, usage.ru_utime + usage.ru_stime, values_in(printed))


def held(program: Program) -> float:
    """The most megabytes that a program and the processes it starts hold together, asked every few milliseconds.

    A page that several processes share counts once.
    """
    peak = 0
    with psutil.Popen(program.command, stdout=subprocess.DEVNULL, env=ENVIRONMENT) as process:
        while process.poll() is None:
            total = 0
            with contextlib.suppress(psutil.Error):
                for one in (process, *process.children(recursive=True)):
                    info = one.memory_full_info()
                    total += getattr(info, "pss", info.rss)
            peak = max(peak, total)
            time.sleep(0.002)
    if process.returncode:
        raise SystemExit(f"{' '.join(program.command)}: exit status {process.returncode}")
    return peak / 1e6


def values_in(printed: str) -> tuple[float, ...]:
    """The numbers in a list, or in a report of lossctl, by group; none where something else was printed."""
    if not printed.startswith(("[", "{")):
        return ()
    told = json.loads(printed)
    if isinstance(told, dict):
        ordered = sorted(told["results"], key=lambda result: int((result["group"] or {"group": 0})["group"]))
        both = ("baseline", "value")
        told = [result[name] for result in ordered for name in both if name in result]
    return tuple(told)


def interleaved(programs: Sequence[Program], runs: int) -> list[list[Run]]:
    """Rounds of all programs in turn."""
    rounds = []
    for at in range(runs):
        rounds.append([measured(program) for program in programs])
        print(".", end="" if at < runs - 1 else "\n", file=sys.stderr, flush=True)
    return rounds


def check(line: Line, rounds: list[list[Run]]) -> None:
    """Refuse to compare programs that answer differently."""
    expected = rounds[0][0].values
    for runs in rounds:
        for program, run in zip((line.ours, *line.others), runs, strict=True):
            if run.values and not (
                len(run.values) == len(expected)
                and all(math.isclose(a, b, rel_tol=AGREEMENT) for a, b in zip(run.values, expected, strict=True))
            ):
                raise SystemExit(f"{line.title}: {program.name} says {run.values[:4]}, not {expected[:4]}")


def timed(line: Line, runs: int) -> Iterator[tuple[str, ...]]:
    """The rows of the table for one line."""
    print(line.title, end=" ", file=sys.stderr, flush=True)
    peaks = [held(program) for program in (line.ours, *line.others)]  # which also warms the page cache
    rounds = interleaved((line.ours, *line.others), runs)
    check(line, rounds)
    by_program = list(zip(*rounds, strict=True))
    ratios = [
        statistics.median(mine.wall / other.wall for mine, other in zip(by_program[0], others, strict=True))
        for others in by_program[1:]
    ]
    for at, (program, ran) in enumerate(zip((line.ours, *line.others), by_program, strict=True)):
        wall, cpu = (statistics.median(getattr(run, of) for run in ran) for of in ("wall", "cpu"))
        ratio, verdict = "", ""
        if at:
            ratio = f"{ratios[at - 1]:.2f}×"
            if line.target is not None and ratios[at - 1] == max(ratios):  # the fastest of the others
                verdict = f"≤ {line.target:.1f}×: {'met' if ratios[at - 1] <= line.target else '**missed**'}"
        title = "" if at else line.title
        yield title, program.name, f"{wall:.3f}", f"{cpu:.3f}", f"{peaks[at]:.0f}", ratio, verdict


def memory(files: Mapping[str, str], rows: int, runs: int) -> Iterator[tuple[str, ...]]:
    """The peak of memory for each kind of work, at one size and at five times that."""
    sizes = [name for name in ("plain.parquet", "large.parquet") if name in files]
    yield ("work", *(counted(rows * (1, 5)[at]) + " rows" for at in range(len(sizes))), "target")
    for title, options in MEMORY.items():
        print(f"memory, {title}", file=sys.stderr, flush=True)
        peaks = [max(held(lossctl(files[name], *options)) for _ in range(runs)) for name in sizes]
        good = max(peaks) <= MEMORY_MB and max(peaks) <= (1 + MEMORY_GROWTH) * min(peaks)
        said = f"≤ {MEMORY_MB} MB" + (f", within {MEMORY_GROWTH:.0%}" if len(peaks) > 1 else "")
        yield title, *(f"{peak:.0f} MB" for peak in peaks), f"{said}: {'met' if good else '**missed**'}"


def table(rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> str:
    """Markdown, with some columns set to the right, padded so that it reads as text too."""
    width = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    ruled = ["-" * (n - 1) + (":" if at in numbers else "-") for at, n in enumerate(width)]
    lines = []
    for row in (rows[0], ruled, *rows[1:]):
        cells = (
            cell.rjust(n) if at in numbers else cell.ljust(n)
            for at, (cell, n) in enumerate(zip(row, width, strict=True))
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What it ran on, and beside what else."""
    try:
        model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        model = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    installed = {distribution.name.lower() for distribution in distributions()}
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES if name in installed)
    today = datetime.now(UTC).date()
    return (
        f"{today}; {model[1] if model else platform.machine()}, {cores} cores, {platform.system()}; "
        f"load average before the first run {os.getloadavg()[0]:.1f}.\n"
        f"Python {platform.python_version()}, {versions}.\n"
    )


def light() -> str:
    """Whether the first commands of a user load what only evaluation needs."""
    command = [sys.executable, "-X", "importtime", "-m", "lossctl", "--version"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    heavy = [name for name in ("numpy", "pyarrow") if re.search(rf"\| +{name}$", loaded, re.MULTILINE)]
    return f"`lossctl --version` imports {' and '.join(heavy) or 'neither NumPy nor Arrow'}.\n"


def tables(files: Mapping[str, str], rows: int, runs: int, only: str, *, quick: bool) -> Iterator[str]:
    """The text between the markers."""
    mark = " **A quick run: not for quoting.**" if quick else ""
    yield machine() + f"Medians of {runs} runs, the programs in turn.{mark}\n"
    header = ("work", "program", "wall, s", "CPU, s", "peak, MB", "lossctl takes", "target")
    for title, lines in sections(files, rows).items():
        if only not in title:
            continue
        yield f"### {title}\n"
        yield table([header, *(row for line in lines for row in timed(line, runs))], range(2, 6))
    if only:
        return
    yield light()
    yield "### Peak memory\n"
    held = list(memory(files, rows, runs))
    yield table(held, range(1, len(held[0]) - 1))


def main() -> None:
    """Make the data, run everything, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=lambda text: int(float(text)), help="rows of the plain file")
    parser.add_argument("--runs", type=int, help="how many are counted")
    parser.add_argument("--quick", action="store_true", help="2 M rows and 3 runs")
    parser.add_argument("--large", action="store_true", help="also a file five times as large")
    parser.add_argument("--only", default="", help="tables with this in their title, printed only")
    parser.add_argument("--files", nargs="+", default=(), help="the files that these need; else all are made")
    parser.add_argument("--page", type=Path, help="a page whose figures are to be replaced")
    asked = parser.parse_args()
    rows = asked.rows or (2_000_000 if asked.quick else 20_000_000)
    runs = asked.runs or (3 if asked.quick else 5)
    maker = [sys.executable, str(HERE / "data.py"), str(rows), *(["--large"] if asked.large else []), *asked.files]
    files = json.loads(subprocess.run(maker, stdout=subprocess.PIPE, text=True, check=True).stdout)
    parts = []
    for part in tables(files, rows, runs, asked.only, quick=asked.quick):
        print(part, flush=True)
        parts.append(part)
    if asked.page:
        text = asked.page.read_text()
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
        asked.page.write_text(before + BEGIN + "\n" + "\n".join(parts) + "\n" + END + after)


if __name__ == "__main__":
    main()
