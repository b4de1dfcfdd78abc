"""The benchmark runs, and leaves nothing out."""

import importlib.util
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

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


def test_the_memory_of_a_program_is_that_of_all_its_processes(compare):
    hold = "x = b'.' * 50_000_000; time.sleep(0.4)"
    code = f"import os, time; os.fork() and os.fork(); {hold}"
    alone, three = (
        compare.held(compare.Program("", (sys.executable, "-c", code))) for code in (f"import time; {hold}", code)
    )
    assert 50 < alone < 90
    assert 150 < three < 200


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
