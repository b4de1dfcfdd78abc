"""The benchmark runs, and leaves nothing out."""

import functools
import importlib
import json
import platform
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def compare():
    pytest.importorskip("psutil")
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(BENCHMARKS)
        yield importlib.import_module("compare")
    for name in set(sys.modules) - before:
        if BENCHMARKS in Path(getattr(sys.modules[name], "__file__", None) or "").parents:
            del sys.modules[name]  # other tests may have a `page` or a `work` of their own


def test_every_line_is_in_the_table_and_the_page_keeps_its_prose(compare, tmp_path, monkeypatch):
    page, kept = tmp_path / "performance.md", tmp_path / "history.jsonl"
    page.write_text(f"before\n{compare.page.BEGIN}old figures\n{compare.page.END}after\n")
    monkeypatch.setattr(compare, "measured", lambda program: compare.Run(1.0, 1.0, ()))
    monkeypatch.setattr(compare, "held", lambda program: 50.0)
    profile = json.dumps({"profile": {"read": 0.25, "compute": 0.5}})
    monkeypatch.setattr(compare.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=profile, stderr=""))
    options = ["--quick", "--rows", "2000", "--large", "--page", str(page), "--history", str(kept)]
    monkeypatch.setattr(sys, "argv", ["compare.py", *options])
    compare.main()
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old figures" not in text
    assert "A quick run" in text
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in text.splitlines() if row.startswith("|")]
    shown = {row[0] for row in cells}
    files = {name: str(path) for name, path in compare.paths(2000, large=True).items()}
    (told,) = map(json.loads, kept.read_text().splitlines())
    for title, lines in compare.sections(files, 2000).items():
        assert set(told["ratios"][title]) == {line.title for line in lines} <= shown
    assert set(compare.MEMORY) <= shown
    assert [row[1:] for row in cells if row[1:3] == ["read", "compute"]] == [["read", "compute"]]
    phases = [row for row in cells if row[1:] == ["0.250", "0.500"]]
    assert {row[0] for row in phases} >= {line.title for line in compare.sections(files, 2000)[compare.BESIDE]}


def test_every_program_runs_and_those_of_a_line_agree(compare, tmp_path, monkeypatch):
    for peer in ("duckdb", "polars", "sklearn"):
        pytest.importorskip(peer)
    data = importlib.import_module("data")
    files = {name: str(data.make(name, 2000, tmp_path)) for name in data.MAKERS}
    monkeypatch.setattr(compare, "measured", functools.cache(compare.measured))
    for lines in compare.sections(files, 2000).values():
        for line in lines:
            compare.check(line, compare.interleaved(line.programs, 1))


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


def rivals(compare, *names, target=None):
    """Programs of one kind."""
    return importlib.import_module("work").Rivals(tuple(compare.Program(name, ()) for name in names), target)


def beside(compare, *kinds, **facts):
    """Some work of ours beside that of others."""
    return compare.Line("work", compare.Program("ours", ()), kinds, **facts)


def test_programs_that_disagree_are_not_compared(compare):
    line = beside(compare, rivals(compare, "other"))
    compare.check(line, one_round(compare, (1.0,), (1.0 + 1e-12,)))
    compare.check(line, one_round(compare, (1.0,), ()))  # it measures the machine and has no answer
    for wrong in ((1.0 + 1e-8,), (1.0, 1.0), (float("nan"),)):
        with pytest.raises(SystemExit, match="other says"):
            compare.check(line, one_round(compare, (1.0,), wrong))


def test_programs_whose_standard_errors_differ_are_not_compared(compare):
    line = beside(compare, rivals(compare, "other"))
    ours = compare.Run(0.0, 0.0, (1.0, 2.0), (0.5, None))
    compare.check(line, [[ours, compare.Run(0.0, 0.0, (1.0, 2.0), (0.5 + 1e-12, None))]])
    compare.check(line, [[ours, compare.Run(0.0, 0.0, (1.0, 2.0))]])  # a bare average has none
    for wrong in ((0.5 + 1e-8, None), (0.5, 0.1), (0.5,)):
        with pytest.raises(SystemExit, match="other says"):
            compare.check(line, [[ours, compare.Run(0.0, 0.0, (1.0, 2.0), wrong)]])


def test_a_target_is_held_against_the_fastest_of_each_kind(compare):
    kinds = [rivals(compare, "a", "b", target=target) for target in (1.1, 0.75)]
    line = beside(compare, *kinds, seconds=1.5, groups=1000)
    timings = [
        compare.Timing(program, 1.4, 2.0, 100.0, ratio)
        for program, ratio in zip(line.programs, (1.0, 0.9, 1.2, 0.75, 0.7), strict=True)
    ]
    assert dict(compare.judged(line, timings)) == {
        0: "≤ 1.5 s: met; 0 B a group, ≤ 400 B: met",
        2: "≤ 1.1×: **missed**",
        3: "≤ 0.75×: met",
    }


def run_of(ratio, **facts):
    """A run of the benchmark as its history has it."""
    told = {"date": "2026-11-01", "cpu": "A", "cores": 2, "rows": 10, "ratios": {"tools": {"mse": {"DuckDB": ratio}}}}
    return told | facts


def test_what_got_worse_by_more_than_a_tenth_since_the_latest_run_of_such_a_machine_is_said(compare, tmp_path):
    kept = tmp_path / "history.jsonl"
    assert compare.history.runs(kept) == []
    others = [run_of(0.1, cpu="B"), run_of(0.1, cores=4), run_of(0.1, rows=20), run_of(0.0, ratios={})]
    for run in (run_of(0.5), run_of(1.0), *others):
        compare.history.append(kept, run)
    earlier = compare.history.runs(kept)
    assert len(earlier) == 6
    assert list(compare.history.worse(run_of(1.09), earlier)) == []
    assert list(compare.history.worse(run_of(0.2), earlier)) == []
    assert list(compare.history.worse(run_of(1.0, ratios={"tools": {"mae": {"DuckDB": 9.0}}}), earlier)) == []
    (said,) = compare.history.worse(run_of(1.11), earlier)
    assert said == "tools: mse, beside DuckDB: 1.11×, which was 1.00× on 2026-11-01"
    kept.write_text(kept.read_text() + "<<<<<<< ours\n")
    with pytest.raises(SystemExit, match=r"history\.jsonl, line 7 is no JSON"):
        compare.history.runs(kept)


def test_the_history_of_the_project_names_no_host_and_no_path(compare):
    runs = compare.history.runs(compare.history.FILE)
    told = json.dumps([*runs, compare.history.machine()])
    assert platform.node() not in told
    assert str(BENCHMARKS.parent) not in told


def test_tables_that_were_not_run_again_stay_on_the_page_with_the_day_they_are_of(compare, tmp_path):
    page, titles = tmp_path / "page.md", ["one", "new", "two"]
    page.write_text(f"before\n{compare.page.BEGIN}{compare.page.END}after\n")
    compare.page.write(page, "Monday\n", {"one": "old\n", "two": "kept\n", "gone": "too"}, titles)
    compare.page.write(page, "Tuesday\n", {"one": "fresh\n"}, titles)
    compare.page.write(page, "Wednesday\n", {"new": "added\n"}, titles)
    head, sections = compare.page.read(page.read_text().partition(compare.page.BEGIN)[2].partition(compare.page.END)[0])
    of = compare.page.OTHER_DAY
    assert head == "Wednesday"
    assert sections == {
        "one": f"{of}Tuesday\n\nfresh",
        "new": "added",
        "two": f"{of}Monday\n\nkept",
        "gone": f"{of}Monday\n\ntoo",
    }
    assert list(sections) == ["one", "new", "two", "gone"]
    assert page.read_text().startswith("before\n")
    assert page.read_text().endswith("after\n")
    compare.page.write(page, "Thursday\n", dict.fromkeys(titles, "all"), titles)
    assert "Monday" not in page.read_text()


@pytest.mark.parametrize("tool", ["duckdb", "polars"])
def test_the_same_answer_of_a_peer_counts_what_is_no_number(compare, tmp_path, tool):
    pytest.importorskip(tool)
    from pyarrow import parquet, table

    path = str(tmp_path / "file.parquet")
    label, pred = [0.0] * 6, [1.0, 0.5, None, None, float("nan"), 2.0]
    parquet.write_table(table({"label": label, "pred": pred}), path)
    peer = importlib.import_module("peers").TOOLS[f"{tool}-same"]
    for result in peer("four", path)["results"]:
        assert (result["null"], result["nan"], result["inf"]) == (2, 1, 0)
    parquet.write_table(table({"label": [0.0, 0.0], "pred": [1.0, 3.0]}), path)
    (result,) = peer("mse", path)["results"]
    assert result["value"] == 5.0
    assert result["standard_error"] == pytest.approx(4.0)


def test_the_values_of_groups_come_in_the_order_of_the_groups(compare):
    report = '{"results": [{"group": {"group": "10"}, "value": 2.0}, {"group": {"group": "9"}, "value": 1.0}]}'
    assert compare.values_in(report) == (1.0, 2.0)
    assert compare.values_in("loss,by_group,value\nmse,10,2.0\nmse,9,1.0\n") == (1.0, 2.0)
    assert compare.values_in("[3.5]") == (3.5,)
    assert compare.values_in("lossctl 0.1.0") == ()
