"""Whole-process wall time and peak memory of huber beside DuckDB's average, run in turn.

``python benchmarks/against_duckdb.py preds.parquet [RUNS]``, with a file from make_data.py.
"""

import os
import statistics
import subprocess
import sys
import time

ERROR = "abs(pred - label)"
QUERY = f"select avg(case when {ERROR} <= 1 then 0.5 * {ERROR} * {ERROR} else {ERROR} - 0.5 end) from '{{}}'"  # noqa: S608  (our own file)


def measured(command: list[str]) -> tuple[float, float, str]:
    """Wall seconds, peak resident megabytes, and what was printed."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    printed = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024, printed.strip()


def main(path: str, runs: int) -> None:
    """Print the medians and their ratio."""
    query = f"import duckdb; print(duckdb.sql({QUERY.format(path)!r}).fetchall()[0][0])"
    commands = {
        "lossctl": [sys.executable, "-m", "lossctl", "eval", path, "-l", "huber", "-f", "value", "-q"],
        "duckdb": [sys.executable, "-c", query],
    }
    found: dict[str, list[tuple[float, float, str]]] = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            found[name].append(measured(command))
    medians = {}
    for name, every in found.items():
        counted = every[1:]  # the first warms the page cache
        medians[name] = statistics.median(wall for wall, _, _ in counted)
        peak = max(memory for _, memory, _ in counted)
        values = sorted({value for _, _, value in counted})
        print(f"{name:8} {medians[name]:.2f} s  {peak:.0f} MB  {' '.join(values)}")
    print(f"ratio    {medians['lossctl'] / medians['duckdb']:.2f}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5)
