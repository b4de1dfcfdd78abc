"""A report says what the commands say of the same rows: no number in it is made anew."""

import html
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.reporting.addresses import secret

SAMPLES = sorted(path.name for path in (Path(__file__).parents[2] / "sample_data").glob("*.csv"))
GROUPED = {  # what else is asked of some of them
    "regression.csv": ["--by", "segment", "-w", "weight"],
    "clicks.csv": ["--by", "segment", "--cluster", "user"],
}
"""What else is asked of some of them."""


def told(done):
    """What a command says as JSON, without the version."""
    assert done.status == 0, done.err
    return {name: value for name, value in done.json.items() if name not in {"schema_version", "lossctl"}}


def drawn(charts):
    """Pictures without what stands below them, which a report says elsewhere."""
    return [{**chart, "notes": []} for chart in charts]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_part_is_what_its_command_says(lossctl, sample_data, name):
    path, more = sample_data / name, GROUPED.get(name, [])
    report = told(lossctl("report", path, *more, "--json"))
    grouped, weight = more[:2], more[2:] if "-w" in more else []
    assert report["eval"] == told(lossctl("eval", path, *more, "--grad", "--skill", "--ci", "0.95", "--json"))
    plain = [word for word in more if word not in {*grouped, "--cluster", "user"}]
    assert drawn(report["plot"]["charts"]) == drawn(told(lossctl("plot", path, *plain, "--json"))["charts"])
    assert report["doctor"] == told(lossctl("doctor", path, *weight, "--json"))
    worst = lossctl("samples", path, *weight, "--top", "10", "-f", "jsonl").out.splitlines()
    assert report["worst_rows"]["rows"] == [json.loads(line) for line in worst]
    losses = dict.fromkeys(result["loss"] for result in report["eval"]["results"])
    assert report["explain"] == [told(lossctl("explain", loss, "--json")) for loss in losses]
    models = [word for model in report["eval"]["inputs"]["models"] for word in ("-p", model)]
    assert ("compare" in report) == (len(models) > 2)
    if "compare" in report:
        moved = [] if grouped else ["--samples", "10"]
        compared = told(lossctl("compare", path, *more, *models, *moved, "--plot", "--json"))
        assert {**report["compare"], "notes": []} == {**compared, "notes": []}


def test_bytes_that_are_no_text_are_told_and_not_left_out(lossctl, tmp_path):
    table = {"y": [1.0, 2.0, 3.0], "p": [2.0, 2.0, 5.0], "hash": [b"\xff\x00", b"text", None]}
    pq.write_table(pa.table(table), tmp_path / "x.parquet")
    told = lossctl("report", tmp_path / "x.parquet", "-y", "y", "-p", "p", "-l", "mae", "-f", "json").json
    assert [row["hash"] for row in told["worst_rows"]["rows"]] == [None, "b'\\xff\\x00'", "text"]


def test_two_files_with_names_are_two_models(lossctl, sample_data):
    files = [f"{name}={sample_data / f'clicks_{name}.csv'}" for name in ("main", "worse")]
    report = told(lossctl("report", *files, "--id", "id", "--json"))
    compared = told(lossctl("compare", *files, "--id", "id", "--samples", "10", "--plot", "--json"))
    assert report["compare"] == compared
    assert "doctor" not in report


def test_the_line_to_repeat_gives_the_same_page(lossctl, sample_data):
    asked = ["--by", "segment", "--where", "y > 2 and segment != 'west'", "--samples=3"]
    first = lossctl("report", sample_data / "regression.csv", *asked, "--json").json
    again = lossctl(*shlex.split(first["command"])[1:], "--json").json
    assert again["command"] == first["command"]
    assert again["eval"]["results"] == first["eval"]["results"]
    assert again["worst_rows"] == first["worst_rows"]


def test_the_suffix_decides_and_stdout_is_html(lossctl, sample_data, tmp_path):
    asked = ["report", sample_data / "counts.csv", "-q"]
    page = lossctl(*asked)
    assert page.out.startswith("<!DOCTYPE html>")
    pages = {suffix: tmp_path / f"page{suffix}" for suffix in (".html", ".md", ".json")}
    written = lossctl(*asked, *(word for path in pages.values() for word in ("-o", path)))
    assert (written.status, written.out) == (0, "")
    assert pages[".html"].read_text() == page.out == lossctl(*asked).out, "the same bytes each time"
    assert pages[".md"].read_text() == lossctl(*asked, "-f", "markdown").out
    assert json.loads(pages[".json"].read_text()) == lossctl(*asked, "--json").json


@pytest.mark.parametrize("form", ["csv", "jsonl", "value", "junit", "github", "tsv"])
def test_what_is_no_page_is_refused(lossctl, sample_data, form):
    refused = lossctl("report", sample_data / "counts.csv", "-f", form)
    assert (refused.status, refused.out) == (2, "")
    assert "a report is a page" in refused.err


def test_a_terminal_is_told_to_write_a_file(lossctl, sample_data, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    refused = lossctl("report", sample_data / "counts.csv")
    assert (refused.status, refused.out) == (2, "")
    assert "-o report.html" in refused.err
    assert lossctl("report", sample_data / "counts.csv", "-f", "plain").status == 0


@pytest.mark.parametrize(
    ("rows", "more"),
    [
        ("1,2\n1,\n", []),
        ("", []),
        ("1,\n,2\n", ["--nulls", "drop"]),
        ("1,2\n", ["--where", "p > 2"]),
        ("1,x\n", []),
        ("1,2\n", ["-w", "p", "--limit", "0"]),
    ],
)
def test_what_eval_refuses_is_refused_alike_and_leaves_no_half_page(lossctl, tmp_path, rows, more):
    (tmp_path / "x.csv").write_text(f"y,p\n{rows}")
    (tmp_path / "page.html").write_text("before")
    asked = [tmp_path / "x.csv", "-y", "y", "-p", "p", "-l", "mse", *more]
    refused, measured = lossctl("report", *asked, "-o", tmp_path / "page.html"), lossctl("eval", *asked)
    assert (refused.status, refused.out) == (measured.status, "")
    assert refused.err == measured.err.replace("lossctl eval", "lossctl report")
    assert refused.status in {2, 3}
    assert (tmp_path / "page.html").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "x.csv"]


def test_a_gate_that_fails_leaves_the_page_and_the_status_of_eval(lossctl, sample_data):
    for limit, status in (("1e9", 0), ("-1e9", 1)):
        done = lossctl("report", sample_data / "counts.csv", "--fail-above", f"poisson={limit}", "-f", "markdown")
        assert done.status == status
        assert "## Gates" in done.out


@pytest.mark.parametrize("flag", [["--lags", "2"], ["--anytime", "0"]], ids=lambda flag: flag[0])
def test_what_is_of_two_models_is_refused_of_one(lossctl, sample_data, flag):
    done = lossctl("report", sample_data / "counts.csv", *flag)
    assert (done.status, done.out) == (2, "")
    assert f"{flag[0]}" in done.err


@pytest.mark.parametrize("names", ["abc", "012"], ids=["words", "codes"])
def test_of_decisions_a_page_says_only_what_is_known_of_them(lossctl, tmp_path, names):
    rows = [(names[place % 3], names[place * place % 3]) for place in range(300)]
    (tmp_path / "rows.csv").write_text("label,pred\n" + "".join(f"{label},{pred}\n" for label, pred in rows))
    done = lossctl("report", tmp_path / "rows.csv", "-l", "zero_one", "-f", "json")
    page = told(done)
    assert (page["warnings"], "doctor" in page) == ([], False)
    (result,) = page["eval"]["results"]
    assert result["value"] == sum(label != pred for label, pred in rows) / 300
    assert not {"best_constant", "gradient"}.intersection(name for name in result if result[name] is not None)
    assert [chart["title"] for chart in page["plot"]["charts"]] == ["losses of rows"]
    assert len(page["worst_rows"]["rows"]) == 10
    refusals = [lossctl(command, tmp_path / "rows.csv", "-l", "zero_one", "--skill") for command in ("report", "eval")]
    assert [(done.status, done.out, done.err) for done in refusals] == [(2, "", refusals[1].err)] * 2


def test_notes_stand_once_on_a_page_with_options_as_they_are_typed(lossctl, sample_data):
    done = lossctl("report", sample_data / "clicks.csv", "-l", "bce", "-f", "html")
    said = [line.removeprefix("note: ") for line in done.err.splitlines()]
    assert any("--cluster" in line for line in said)
    text = html.unescape(done.out)
    assert [text.count(line) for line in said] == [1] * len(said)
    assert "cluster=" not in text


def test_a_page_of_many_groups_and_columns_says_what_it_leaves_out(lossctl, tmp_path, monkeypatch):
    monkeypatch.setattr("lossctl.cli.commands.report.MOST_GROUPS", 4)
    names = [f"c{number}" for number in range(40)]
    rows = [[row, row / 7, row % 9, *range(40)] for row in range(1, 60)]
    text = "\n".join(",".join(map(str, row)) for row in [["y", "p", "group", *names], *rows])
    (tmp_path / "x.csv").write_text(f"{text}\n")
    asked = ["report", tmp_path / "x.csv", "-y", "y", "-p", "p", "-l", "mse", "--by", "group"]
    page = lossctl(*asked, "-f", "markdown").out
    assert "4 of 9 shown, the first by n" in page
    assert "and 26 columns more" in page
    assert len(lossctl(*asked, "--json").json["worst_rows"]["rows"][0]) == 46
    assert "2 of 9 shown, the first by name" in lossctl(*asked, "--top", "2", "-f", "markdown").out


def test_no_engine_changes_a_byte_of_a_page_that_draws_some_rows(lossctl, tmp_path, monkeypatch):
    monkeypatch.setattr("lossctl.sums.thinned.MOST", 64)
    row = np.arange(900.0)
    table = pa.table({"y": row % 13, "p": (row * 7) % 13 / 2, "q": (row * 5) % 13, "name": row.astype(int)})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=100)
    asked = ["report", tmp_path / "x.parquet", "-y", "y", "-p", "p", "-p", "q", "-l", "mae", "-f", "markdown"]
    pages = {lossctl(*asked, "--engine", engine).out for engine in ("serial", "threads", "processes")}
    assert len(pages) == 1
    assert re.search(r"drawn are \d\d of 900 rows", pages.pop())


@pytest.mark.parametrize(("most", "many"), [("LARGE", "rows"), ("MANY", "groups")])
def test_what_is_left_out_of_large_data_says_how_to_get_it(lossctl, sample_data, monkeypatch, most, many):
    monkeypatch.setattr(f"lossctl.reporting.compose.{most}", 2)
    asked = ["report", sample_data / "counts.csv", "-l", "poisson", "--by", "region", "-f", "markdown"]
    left_out, asked_for = lossctl(*asked), lossctl(*asked, "--skill")
    for text in (left_out.out, left_out.err):
        assert f"the skill is left out, for it takes longer than all else on so many {many}: --skill asks" in text
    assert ["against the best constant" in each.out for each in (left_out, asked_for)] == [False, True]


@pytest.mark.parametrize("form", ["html", "json"])
def test_what_lets_others_read_an_address_is_in_no_page(lossctl, web, form):
    address = f"{web.address.replace('://', '://zelda:hunter2@')}/{{}}.csv?sig=SECRET1&token=SECRET2"
    for name in ("old", "new"):
        web.pages[f"/{name}.csv"] = b"id,y,p\n1,0,0.2\n2,1,0.7\n3,1,0.4\n"
    files = [f"{name}={address.format(name)}" for name in ("old", "new")]
    asked = [address.format("old")] if form == "html" else [*files, "--id", "id"]
    done = lossctl("report", *asked, "-l", "bce", "-f", form, "--threads", "1")
    assert done.status == 0, done.err
    assert not re.search("zelda|hunter2|SECRET", done.out)
    assert "/old.csv?sig=…" in done.out
    assert "are left out: whoever has them may read there" in done.out


def test_addresses_lose_nothing_but_users_and_values():
    public = {
        "https://a.b/c.csv?v=1&sig=x/y+z==#f": "https://a.b/c.csv?v=…&sig=…#f",
        "s3://key:secret@bucket/x=1/y.csv": "s3://…@bucket/x=1/y.csv",
    }
    plain = ["https://a.b/x=1/c@d.csv", "s3://bucket/part-?/k=3/x.csv", "C:\\x?k=1", "/tmp/a@b?c=d"]
    assert secret({"files": [*public, *plain]}) == public


@pytest.mark.parametrize("command", ["report", "samples"])
def test_every_suffix_that_is_suggested_can_be_written(command, tmp_path, lossctl):
    (tmp_path / "rows.csv").write_text("y,p\n1,1.5\n2,2.5\n3,2.75\n")
    refused = lossctl(command, tmp_path / "rows.csv", "-l", "mse", "-o", tmp_path / "x.pdf")
    assert refused.status == 2
    suffixes = refused.err.partition("Known: ")[2].strip().rstrip(".").split(", ")
    assert len(suffixes) > 3
    for suffix in suffixes:
        done = lossctl(command, tmp_path / "rows.csv", "-l", "mse", "-o", tmp_path / f"x{suffix}")
        assert done.status == 0, done.err
