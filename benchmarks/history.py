"""The ratios of earlier runs, one line of JSON a run, so that a slowdown is seen.

A run says its day, the versions, the machine's processor and cores, the rows and runs; and by title of the table, by
work and by program the ratio of our time to its. Names of hosts and paths are in none.
"""

import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "history.jsonl"
LIBRARIES = ("lossctl", "numpy", "pyarrow", "duckdb", "polars", "pandas", "scikit-learn")
WORSE = 0.1
"""By how much of itself a ratio may grow from one run to the next."""
MACHINE = ("cpu", "cores", "rows")
"""Runs that differ in these are not compared."""

Ratios = dict[str, dict[str, dict[str, float]]]
"""By title, work and program."""


def machine() -> dict[str, Any]:
    """What a run ran on, and with which versions."""
    try:
        model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        model = None
    installed = {distribution.name.lower() for distribution in distributions()}
    return {
        "date": str(datetime.now(UTC).date()),
        "cpu": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES if name in installed},
    }


def runs(path: Path) -> list[dict[str, Any]]:
    """All that a file has, the oldest first."""
    told = []
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        try:
            told.append(json.loads(line))
        except ValueError as error:
            raise SystemExit(
                f"{path}, line {number} is no JSON ({error}): mend it, or name another --history"
            ) from None
    return told


def append(path: Path, run: Mapping[str, Any]) -> None:
    with path.open("a") as file:
        file.write(json.dumps(run, ensure_ascii=False) + "\n")


def worse(run: Mapping[str, Any], earlier: list[dict[str, Any]]) -> Iterator[str]:
    """What takes over a tenth more, beside a program, than in the latest run of such a machine that timed both."""
    before: dict[tuple[str, str, str], tuple[float, str]] = {}
    for old in earlier:
        if all(old[fact] == run[fact] for fact in MACHINE):
            before |= {what: (ratio, old["date"]) for what, ratio in flat(old["ratios"])}
    for what, ratio in flat(run["ratios"]):
        if what in before and ratio > (1 + WORSE) * before[what][0]:
            title, work, program = what
            then, date = before[what]
            yield f"{title}: {work}, beside {program}: {ratio:.2f}×, which was {then:.2f}× on {date}"


def flat(ratios: Ratios) -> Iterator[tuple[tuple[str, str, str], float]]:
    for title, lines in ratios.items():
        for work, programs in lines.items():
            for program, ratio in programs.items():
                yield (title, work, program), ratio
