"""Time the start of lossctl beside that of what it must import, and one install beside another.

``python benchmarks/start.py`` times the install of this interpreter; ``python benchmarks/start.py A/bin/lossctl
B/bin/lossctl`` both, in turn. Each round runs everything once, so whatever else the machine does hits all alike: the
ratios count, the milliseconds drift.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 1_000
EVAL = f"lossctl eval, {ROWS:,} rows of CSV"
IMPORTS = "import numpy, pyarrow.csv, typer"
TARGET = 1.3
"""How many times the imports a run over a small file may take."""
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Every program finds its bytecode, which the round that is not counted writes."""


def small_csv(folder: Path) -> Path:
    path = folder / "small.csv"
    rows = (f"{row % 17 / 8},{row % 13 / 8}\n" for row in range(ROWS))
    path.write_text("".join(["label,pred\n", *rows]))
    return path


def programs(lossctl: Path, csv: Path) -> dict[str, list[str]]:
    """The command lines of one install, by what the table calls them; the imports come first."""
    asked = ["eval", str(csv), "-l", "mse", "-y", "label", "-p", "pred", "-f", "json", "-q"]
    return {
        IMPORTS: [str(lossctl.parent / "python"), "-c", IMPORTS],
        EVAL: [str(lossctl), *asked],
        "lossctl --version": [str(lossctl), "--version"],
        "lossctl --help": [str(lossctl), "--help"],
    }


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return time.perf_counter() - begun


def medians(commands: list[list[str]], runs: int) -> list[float]:
    """The median time of each, in rounds that run all; a first round only warms up."""
    rounds = [[seconds(command) for command in commands] for _ in range(runs + 1)][1:]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lossctl", nargs="*", type=Path, default=[Path(sys.executable).parent / "lossctl"])
    parser.add_argument("--runs", type=int, default=21)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        csv = small_csv(Path(folder))
        installs = [programs(lossctl.absolute(), csv) for lossctl in asked.lossctl]
        times = medians([command for install in installs for command in install.values()], asked.runs)
    titles = list(installs[0])
    columns = [times[begin : begin + len(titles)] for begin in range(0, len(times), len(titles))]
    for number, lossctl in enumerate(asked.lossctl, 1):
        print(f"{number}: {lossctl}")
    print(f"medians of {asked.runs} rounds, and in brackets the ratio to the imports of the same install\n")
    heads = [f"{number:>16}" for number in range(1, len(columns) + 1)]
    print(f"{'':40}", *heads, *(f"{f'{number}/1':>8}" for number in range(2, len(columns) + 1)))
    for row, title in enumerate(titles):
        cells = [f"{1e3 * column[row]:6.0f} ms ({column[row] / column[0]:4.2f})" for column in columns]
        ratios = [f"{column[row] / columns[0][row]:8.2f}" for column in columns[1:]]
        met = ["met" if column[row] <= TARGET * column[0] else "missed" for column in columns if title == EVAL]
        target = [f" ≤ {TARGET}: {', '.join(met)}"] if met else []
        print(f"{title:40}", *cells, *ratios, *target)


if __name__ == "__main__":
    main()
