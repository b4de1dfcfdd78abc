"""The benchmark runs, and leaves nothing out."""

import importlib.util
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def compare():
    pytest.importorskip("psutil")
    spec = importlib.util.spec_from_file_location("compare", BENCHMARKS / "compare.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["compare"] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["compare"]


def test_every_line_is_in_the_table_and_the_page_keeps_its_prose(compare, tmp_path):
    for peer in ("duckdb", "polars", "sklearn"):
        pytest.importorskip(peer)
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{compare.BEGIN}old figures\n{compare.END}after\n")
    options = ["--quick", "--rows", "2000", "--runs", "1", "--large", "--page", str(page)]
    done = subprocess.run([sys.executable, BENCHMARKS / "compare.py", *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old figures" not in text
    assert "A quick run" in text
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in text.splitlines() if row.startswith("|")]
    shown = {row[0] for row in cells}
    for lines in compare.sections(defaultdict(str, {"large.parquet": ""}), 2000).values():
        for line in lines:
            assert line.title in shown
    assert set(compare.MEMORY) <= shown


HOLDING = """
import os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
for _ in range(int(sys.argv[2])):
    if not os.fork():
        break
x = b"." * 50_000_000
(folder / f"holds-{os.getpid()}").touch()
while not (folder / "seen").exists():
    time.sleep(0.002)
"""
"""A program that holds fifty megabytes, and so does each process that it starts, until they have been looked at."""


@pytest.mark.parametrize(("processes", "least", "most"), [(1, 50, 90), (3, 150, 200)])
def test_the_memory_of_a_program_is_that_of_all_its_processes(compare, tmp_path, monkeypatch, processes, least, most):
    all_hold = []

    def looked(seconds):
        """Called after each look."""
        if all_hold:
            (tmp_path / "seen").touch()
        elif len(list(tmp_path.glob("holds-*"))) == processes:
            all_hold.append(True)

    monkeypatch.setattr(compare, "time", SimpleNamespace(sleep=looked))
    command = (sys.executable, "-c", HOLDING, str(tmp_path), str(processes - 1))
    assert least < compare.held(compare.Program("", command)) < most


def one_round(compare, *answers):
    """One round of programs that gave these answers."""
    return [[compare.Run(0.0, 0.0, answer) for answer in answers]]


def test_programs_that_disagree_are_not_compared(compare):
    line = compare.Line("work", compare.Program("ours", ()), (compare.Program("other", ()),))
    compare.check(line, one_round(compare, (1.0,), (1.0 + 1e-12,)))
    compare.check(line, one_round(compare, (1.0,), ()))  # it measures the machine and has no answer
    for wrong in ((1.0 + 1e-8,), (1.0, 1.0), (float("nan"),)):
        with pytest.raises(SystemExit, match="other says"):
            compare.check(line, one_round(compare, (1.0,), wrong))


def test_the_values_of_groups_come_in_the_order_of_the_groups(compare):
    report = '{"results": [{"group": {"group": "10"}, "value": 2.0}, {"group": {"group": "9"}, "value": 1.0}]}'
    assert compare.values_in(report) == (1.0, 2.0)
    assert compare.values_in("[3.5]") == (3.5,)
    assert compare.values_in("lossctl 0.1.0") == ()
