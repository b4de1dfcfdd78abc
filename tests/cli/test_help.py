"""Help and version: short ways to start, words that fit."""

import datetime as dt
import itertools
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from transcripts import ESCAPE
from waiting import HANGS

from lossctl.cli.app import wired
from lossctl.cli.command import commands
from lossctl.cli.commands.help import FOLDERS, text_of
from lossctl.cli.help import whole
from lossctl.records import MANY

DOCS = FOLDERS[1]
ROLES = ("-l", "cross_entropy", "-y", "label", "--classes", "a,b", "--nulls", "drop")


@pytest.mark.lowest
def test_version_is_one_line(lossctl):
    for flag in ("--version", "-V"):
        done = lossctl(flag)
        assert (done.status, done.err) == (0, "")
        assert re.fullmatch(r"lossctl \d+\.\d+\.\d+\S* \(sums: (compiled|NumPy)\)\n", done.out)


@pytest.mark.lowest
def test_no_evaluation_of_a_file_loads_pandas(plain_environment, tmp_path):
    """It takes a third of a second, and Arrow asks for it wherever it is given an object of Python's."""
    n = MANY + 2
    table = pa.table(
        {
            "label": ["b", "a"] * (n // 2),
            "p": pa.array([[0.5, 0.5], None] * (n // 2), pa.list_(pa.float64())),
            "p_a": [0.25] * n,
            "p_b": [0.75] * n,
            "by": pa.array(["north", None] * (n // 2)).dictionary_encode(),
            "user": [None, "", 'a "quoted" one', *(f"user_{place}" for place in range(n - 3))],
            "number": range(n),
            "day": [dt.date(2024, 1, 1), None] * (n // 2),
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    pyarrow.csv.write_csv(table.drop_columns(["p"]), tmp_path / "rows.csv")
    runs = [
        [command, str(tmp_path / name), "-p", prediction, *options, *ROLES]
        for name, prediction, command, *options in (
            ("rows.parquet", "p", "eval", "--by", "by", "--grad"),
            ("rows.parquet", "p_*", "eval", "--by", "by", "--grad"),
            ("rows.parquet", "p_*", "eval", "--by", "user", "-f", "json"),
            ("rows.parquet", "p_*", "eval", "--by", "number", "-f", "csv"),
            ("rows.parquet", "p_*", "eval", "--by", "day:quarter"),
            ("rows.csv", "p_*", "eval", "--by", "by", "--grad"),
            ("rows.csv", "p_*", "eval", "--by", "user,number:4", "-f", "csv"),
            ("rows.csv", "p_*", "samples", "--top", "2"),
        )
    ]
    script = (
        "import sys; from lossctl.cli.app import run\n"
        "for line in sys.stdin: print('\\nstatus', run(eval(line)), 'pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input="".join(f"{run}\n" for run in runs),
        capture_output=True,
        text=True,
        env=plain_environment(),
        timeout=HANGS,
        check=True,
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("status ")]
    assert dict(zip(map(str, runs), told, strict=True)) == dict.fromkeys(map(str, runs), "status 0 False"), done.stderr


@pytest.mark.lowest
@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", *commands.names()])
def test_help_ends_with_an_example_and_fits_the_terminal(lossctl, monkeypatch, command, flag):
    monkeypatch.setenv("COLUMNS", "80")
    done = lossctl(*filter(None, [command]), flag)
    assert (done.status, done.err) == (0, "")
    assert ESCAPE not in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert f"lossctl {command}".strip() in done.out
    assert "Example: lossctl" in done.out


@pytest.mark.parametrize("command", commands.names())
def test_help_fits_three_screens_and_shows_no_types(lossctl, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    shown = lossctl(command, "--help").out
    assert len(shown.splitlines()) <= 76
    assert not re.search(r"<\w|\[\[|\{", shown)


@pytest.mark.parametrize("name", commands.names())
def test_all_words_on_a_command_are_in_its_help_and_on_its_page(lossctl, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "1000")
    shown, page = lossctl("help", name).out, lossctl("help", "cli").out
    for option in wired(commands.get(name)).params:
        assert whole(option.help) in shown
        assert whole(option.help) in page


def test_pages_are_those_of_the_documentation(lossctl):
    pages = [path.stem for path in DOCS.glob("*.md")]
    listed = lossctl("help").out
    assert all(re.search(rf"^  {name} ", listed, re.MULTILINE) for name in (*pages, *commands.names()))
    for name in pages:
        shown = lossctl("help", name).out
        assert shown.startswith("# ")
        assert "<!--" not in shown
        assert "](" not in re.sub(r"!\[", "", shown)


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("colums", "Did you mean columns?"),
        ("huber", "lossctl explain huber"),
        ("evl", "Did you mean eval"),
        ("auc", "lossctl doctor prints the area under the ROC curve"),
        ("where", "lossctl help eval says what --where is"),
    ],
)
def test_a_page_that_there_is_none_of_is_an_error_with_the_way_on(lossctl, topic, words):
    done = lossctl("help", topic)
    assert (done.status, done.out) == (2, "")
    assert words in done.err


@pytest.mark.parametrize("page", sorted(path.stem for path in DOCS.glob("*.md")))
def test_a_page_that_is_piped_fits_eighty_columns_but_for_code(lossctl, monkeypatch, page):
    monkeypatch.delenv("COLUMNS", raising=False)
    shown = lossctl("help", page).out
    prose = re.sub(r"^```.*?^```", "", shown, flags=re.DOTALL | re.MULTILINE)
    assert [line for line in prose.splitlines() if len(line) > 80] == []
    outside_tables = re.sub(r"^\|.*", "", text_of(DOCS / f"{page}.md"), flags=re.MULTILINE)
    whole_words = "".join(shown.split())
    assert [word for word in re.findall(r"\w+", outside_tables) if word not in whole_words] == []


@pytest.mark.parametrize(
    ("topic", "heading"), [("gradients", "Gradient figures"), ("gradient", "Gradient figures"), ("skill", "Skill")]
)
def test_a_section_of_a_page_is_found_by_a_word_of_its_heading(lossctl, topic, heading):
    done = lossctl("help", topic)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"## {heading}\n")


def test_what_the_gradient_figures_are_is_found_from_explain_too(lossctl):
    assert "lossctl help gradients" in lossctl("explain", "gradient").err
    shown = lossctl("help", "gradients").out
    for name in ("grad l2", "grad l1", "grad linf", "row mean", "row rms", "row max", "top 1% share"):
        assert name in shown


def test_help_paragraphs_are_filled(lossctl):
    for command in commands.names():
        prose = lossctl(command, "--help").out.partition("╭")[0]
        lines = [line.strip() for line in prose.splitlines()]
        lonely = [line for line, after in itertools.pairwise(lines) if after and 0 < len(line) < 50]
        assert not lonely, "lines of the docstring are not lines of the screen"


@pytest.mark.lowest
@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["eval"], 3), (["samples"], 3)])
def test_nothing_to_do_is_an_error_with_words(lossctl, arguments, status):
    """No command is a usage error; no file means stdin, which is empty here and no terminal."""
    done = lossctl(*arguments)
    assert done.status == status
    assert ("stdin" if arguments else "lossctl") in done.out + done.err
    assert not re.search(r"^error: *$", done.err, re.MULTILINE), "an error without words"
