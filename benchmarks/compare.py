"""Run lossctl in turn with what a user would pick instead, check that all agree, and print a table.

``python benchmarks/compare.py`` (or ``make bench``) takes 20 M rows and five runs; ``--quick`` two million and three;
``--large`` adds a file five times as large. ``--only "Two models" Start`` prints the tables that have these words in
their titles, and makes only the files they need. ``--page`` puts the tables between the markers of a page, where those
that were not run again keep their figures and their day. ``--history`` adds the ratios to ``history.jsonl`` beside this
file, or to another, as ``--page`` does, and says which got worse.
"""

import argparse
import contextlib
import csv
import json
import math
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parent))

import history
import page
from data import paths
from work import BESIDE, MEMORY, Line, Program, counted, lossctl, sections

HERE = Path(__file__).parent
AGREEMENT = 1e-9
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Every program finds its bytecode, as an installed one does."""
MEMORY_MB, MEMORY_GROWTH = 200, 0.1
GROUP_BYTES = 400
PEAK = "Peak memory"
PHASES = "Phases of a run"


@dataclass(frozen=True)
class Run:
    """What a program took: seconds by the clock, seconds of all cores, and its answer."""

    wall: float
    cpu: float
    values: tuple[float, ...]
    errors: tuple[float | None, ...] = ()
    """The standard errors, of who gives them."""


@dataclass(frozen=True)
class Timing:
    """What a line was measured to be: medians of a program, its peak of memory, and our ratio to it."""

    program: Program
    wall: float
    cpu: float
    peak: float
    ratio: float | None


def measured(program: Program) -> Run:
    """Run a program to its end. One that times itself says so."""
    begun = time.perf_counter()
    with subprocess.Popen(program.command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        printed = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(program.command)}: exit status {process.returncode}")
    told = told_in(printed)
    cpu = usage.ru_utime + usage.ru_stime
    return Run(told.get("wall", wall), told.get("cpu", cpu), values(told), errors(told))


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


def told_in(printed: str) -> dict[str, Any]:
    """A report of lossctl, or a list of numbers as if it were one; nothing where something else was printed."""
    if printed.startswith("loss,"):
        rows = csv.DictReader(StringIO(printed))
        return {"results": [{"group": {"group": row["by_group"]}, "value": float(row["value"])} for row in rows]}
    if not printed.startswith(("[", "{")):
        return {}
    told = json.loads(printed)
    return told if isinstance(told, dict) else {"results": [{"value": value} for value in told]}


def ordered(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The results of a report in the order of their groups."""
    return sorted(told.get("results", []), key=lambda result: int((result.get("group") or {"group": 0})["group"]))


def values(told: Mapping[str, Any]) -> tuple[float, ...]:
    """The numbers of a report, of both models where it compares."""
    return tuple(result[name] for result in ordered(told) for name in ("baseline", "value") if name in result)


def errors(told: Mapping[str, Any]) -> tuple[float | None, ...]:
    """The standard errors of a report. Where it compares they are those of differences, which no other tells."""
    return tuple(
        result["standard_error"] for result in ordered(told) if "standard_error" in result and "baseline" not in result
    )


def values_in(printed: str) -> tuple[float, ...]:
    """The numbers in a list, or in a report of lossctl, by group; none where something else was printed."""
    return values(told_in(printed))


def interleaved(programs: Sequence[Program], runs: int) -> list[list[Run]]:
    """Rounds of all programs in turn."""
    rounds = []
    for at in range(runs):
        rounds.append([measured(program) for program in programs])
        print(".", end="" if at < runs - 1 else "\n", file=sys.stderr, flush=True)
    return rounds


def check(line: Line, rounds: list[list[Run]]) -> None:
    """Refuse to compare programs that answer differently."""
    ours = rounds[0][0]
    for runs in rounds:
        for program, run in zip(line.programs, runs, strict=True):
            if program.same and not (alike(run.values, ours.values) and alike(run.errors, ours.errors)):
                said, expected = ((one.values[:4], one.errors[:4]) for one in (run, ours))
                raise SystemExit(f"{line.title}: {program.name} says {said}, not {expected}")


def alike(figures: Sequence[float | None], expected: Sequence[float | None]) -> bool:
    """Whether all are the same to a billionth; what was not said, on either side, is not held against it."""
    if not figures or not expected:
        return True
    return len(figures) == len(expected) and all(
        a is b if a is None or b is None else math.isclose(a, b, rel_tol=AGREEMENT)
        for a, b in zip(figures, expected, strict=True)
    )


def timed(line: Line, runs: int) -> list[Timing]:
    """What each program of a line takes, ours first."""
    print(line.title, end=" ", file=sys.stderr, flush=True)
    peaks = [held(program) for program in line.programs]  # which also warms the page cache
    rounds = interleaved(line.programs, runs)
    check(line, rounds)
    by_program = list(zip(*rounds, strict=True))
    timings = []
    for program, peak, ran in zip(line.programs, peaks, by_program, strict=True):
        wall, cpu = (statistics.median(getattr(run, of) for run in ran) for of in ("wall", "cpu"))
        ratios = [ours.wall / run.wall for ours, run in zip(by_program[0], ran, strict=True)]
        timings.append(Timing(program, wall, cpu, peak, statistics.median(ratios)))
    return timings


def rows_of(line: Line, timings: Sequence[Timing]) -> Iterator[tuple[str, ...]]:
    """The rows of the table for one line."""
    verdicts = dict(judged(line, timings))
    for at, timing in enumerate(timings):
        yield (
            "" if at else line.title,
            timing.program.name,
            f"{timing.wall:.3f}",
            f"{timing.cpu:.3f}",
            f"{timing.peak:.0f}",
            f"{timing.ratio:.2f}×" if at else "",
            verdicts.get(at, ""),
        )


def judged(line: Line, timings: Sequence[Timing]) -> Iterator[tuple[int, str]]:
    """The targets of a line, each with the row it is said in: of rivals that of the fastest."""
    ours = timings[0]
    absolute = []
    if line.seconds is not None:
        absolute.append(verdict(f"≤ {line.seconds:.3g} s", met=ours.wall <= line.seconds))
    if line.groups is not None:
        each = (ours.peak - timings[1].peak) * 1e6 / line.groups
        absolute.append(verdict(f"{each:.0f} B a group, ≤ {GROUP_BYTES} B", met=each <= GROUP_BYTES))
    if absolute:
        yield 0, "; ".join(absolute)
    first = 1
    for rivals in line.rivals:
        last = first + len(rivals.programs)
        if rivals.target is not None:
            fastest = max(range(first, last), key=lambda at: timings[at].ratio)
            yield fastest, verdict(f"≤ {rivals.target:.3g}×", met=timings[fastest].ratio <= rivals.target)
        first = last


def verdict(target: str, *, met: bool) -> str:
    return f"{target}: {'met' if met else '**missed**'}"


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


def phases(lines: Sequence[Line], runs: int) -> Iterator[tuple[str, ...]]:
    """How many seconds each phase of our programs takes, added up over workers, as ``--profile`` says: medians."""
    for at, line in enumerate(lines):
        print(f"phases, {line.title}", file=sys.stderr, flush=True)
        command = [*line.ours.command, "--profile"]
        ran = [
            json.loads(subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=True).stdout)
            for _ in range(runs)
        ]
        profiles = [told["profile"] for told in ran]
        if not at:
            yield "work", *profiles[0]
        yield line.title, *(f"{statistics.median(one[phase] for one in profiles):.3f}" for phase in profiles[0])


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


def machine(run: Mapping[str, Any]) -> str:
    """What it ran on, and beside what else."""
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
    return (
        f"{run['date']}; {run['cpu']}, {run['cores']} cores, {run['system']}; "
        f"load average before the first run {run['load']:.1f}.\n"
        f"Python {run['python']}, {versions}.\n"
    )


def light() -> str:
    """Whether the first commands of a user load what only evaluation needs."""
    command = [sys.executable, "-X", "importtime", "-m", "lossctl", "--version"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    heavy = [name for name in ("numpy", "pyarrow") if re.search(rf"\| +{name}$", loaded, re.MULTILINE)]
    return f"`lossctl --version` imports {' and '.join(heavy) or 'neither NumPy nor Arrow'}.\n"


def tables(
    chosen: Mapping[str, Sequence[Line]], files: Mapping[str, str], rows: int, runs: int, ratios: history.Ratios
) -> Iterator[tuple[str, str]]:
    """Sections by title, as they are measured; their ratios are put where they are kept."""
    header = ("work", "program", "wall, s", "CPU, s", "peak, MB", "lossctl takes", "target")
    for title, lines in chosen.items():
        if title == PEAK:
            peaks = list(memory(files, rows, runs))
            yield title, table(peaks, range(1, len(peaks[0]) - 1))
            continue
        if title == PHASES:
            seconds = list(phases(lines, runs))
            yield title, table(seconds, range(1, len(seconds[0])))
            continue
        cells, ratios[title] = [header], {}
        for line in lines:
            timings = timed(line, runs)
            cells += rows_of(line, timings)
            ratios[title][line.title] = {timing.program.name: round(timing.ratio, 3) for timing in timings[1:]}
        yield title, table(cells, range(2, 6)) + (f"\n{light()}" if title == "Start" else "")


def evaluations(titled: Mapping[str, Sequence[Line]]) -> list[Line]:
    """The lines beside other tools, and those of many classes: all of them of ``lossctl eval``."""
    return [
        line for title, lines in titled.items() if title.startswith((BESIDE, "Rows of 1,000 classes")) for line in lines
    ]


def needed(chosen: Mapping[str, Sequence[Line]], files: Mapping[str, str]) -> list[str]:
    """The files that some sections read."""
    words = {word for lines in chosen.values() for line in lines for one in line.programs for word in one.command}
    memory = ("plain.parquet", "large.parquet") if PEAK in chosen else ()
    return [name for name, path in files.items() if path in words or name in memory]


def main() -> None:
    """Make the data, run everything, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=lambda text: int(float(text)), help="rows of the plain file")
    parser.add_argument("--runs", type=int, help="how many are counted")
    parser.add_argument("--quick", action="store_true", help="2 M rows and 3 runs")
    parser.add_argument("--large", action="store_true", help="also a file five times as large")
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="WORDS", help="tables with any of these in their title"
    )
    parser.add_argument("--page", type=Path, help="a page whose figures are to be replaced")
    parser.add_argument(
        "--history",
        type=Path,
        nargs="?",
        const=history.FILE,
        metavar="FILE",
        help="add the ratios to those of earlier runs, and say which got worse",
    )
    asked = parser.parse_args()
    rows = asked.rows or (2_000_000 if asked.quick else 20_000_000)
    runs = asked.runs or (3 if asked.quick else 5)
    files = {name: str(path) for name, path in paths(rows, large=asked.large).items()}
    timed_lines = sections(files, rows)
    titled = {**timed_lines, PHASES: evaluations(timed_lines), PEAK: []}
    chosen = {title: lines for title, lines in titled.items() if any(words in title for words in asked.only)}
    if not chosen:
        parser.error(f"no title has {' or '.join(asked.only)} in it; there are: {'; '.join(titled)}")
    kept = asked.history or (history.FILE if asked.page else None)
    earlier = history.runs(kept) if kept else []
    if asked.page and page.BEGIN not in asked.page.read_text():
        parser.error(f"{asked.page} has no line {page.BEGIN.strip()}")
    maker = [sys.executable, str(HERE / "data.py"), str(rows), *needed(chosen, files)]
    subprocess.run(maker, check=True)
    run = {**history.machine(), "load": os.getloadavg()[0], "rows": rows, "runs": runs, "ratios": {}}
    mark = " **A quick run: not for quoting.**" if asked.quick else ""
    head = machine(run) + f"Medians of {runs} runs, the programs in turn.{mark}\n"
    print(head)
    measured_now = {}
    for title, text in tables(chosen, files, rows, runs, run["ratios"]):
        print(f"### {title}\n\n{text}", flush=True)
        measured_now[title] = text
    if asked.page:
        page.write(asked.page, head, measured_now, list(titled))
    if kept:
        for slower in history.worse(run, earlier):
            print(f"worse: {slower}")
        history.append(kept, run)


if __name__ == "__main__":
    main()
