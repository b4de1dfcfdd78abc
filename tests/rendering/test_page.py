"""What a page does with tables that are long, words that are hostile, and pictures that answer to the mouse."""

import json
import math
import re

import numpy as np
import pytest
from deceiving import EVIL, leaked

import lossctl as library
from lossctl.document import (
    Axis,
    Chart,
    Column,
    Document,
    Estimates,
    Heading,
    Line,
    Notes,
    Panel,
    Piece,
    Series,
    Table,
    charted,
)
from lossctl.rendering import interactive
from lossctl.rendering.drawing import COLORS
from lossctl.rendering.page import CELLS, fragment, page

ENDS = (
    f"</script></style></title></svg><script>alert(1)</script><img src=x onerror=alert(1)>]]>&#x1b;{EVIL}\\' + alert(1)"
)


def tabled(values, kind="number"):
    return Document(
        "title", lambda: [(Table.of((Column("name", "name"), Column("value", kind)), [*enumerate(values)]),)]
    )


def test_a_column_is_sorted_by_numbers_as_they_are_and_not_as_they_are_written():
    values = [1.2345678901234567, 1e-300, 10, math.nan, math.inf, None, "many", (1.0, 2.0)]
    cells = re.findall(r'</th><td (?:data-v="(.*?)"|class="n")>', page(tabled(values)))
    assert cells == ["1.2345678901234567", "1e-300", "10", "nan", "Infinity", "", "", ""]
    estimates = Estimates.of([1.2345678901234567, None, math.nan], [0.5, 0.5, math.nan])
    estimated = Document("title", lambda: [(Table((Column("value", "number"),), [estimates]),)])
    assert re.findall(r'data-v="(.*?)"', page(estimated)) == ["1.2345678901234567", "nan"]
    assert re.findall(r'data-v="(.*?)"', page(tabled([0.1, 2], "share"))) == ["0.1", "2"]
    assert re.findall(r'data-v="(.*?)"', page(tabled([12345678], "count"))) == ["12345678"]


def test_a_note_stands_where_it_belongs_and_not_again_at_the_end():
    document = Document("title", lambda: [(Notes(("one <", "two")),)], notes=("one <", "three"))
    text = page(document)
    assert [text.count(f"<li>{note}</li>") for note in ("one &lt;", "two", "three")] == [1, 1, 1]


@pytest.mark.parametrize("title", ["n", "relative", "p", "q", "better", "tied", "worse", "correlation", "top share"])
def test_how_sure_differences_are_is_sorted_by_unrounded_numbers(title):
    rng = np.random.default_rng(1)
    label, a = rng.normal(size=(2, 90))
    b = np.where(np.arange(90) % 7, label + rng.normal(0.0, 0.5, 90), a)
    source = {"label": label, "a": a, "b": b, "g": np.arange(90) % 3}
    comparison = library.compare(source, "mse", prediction=["a", "b"], by="g")
    text = page(comparison.document()).split("how sure, and on how many rows</caption>")[1].partition("</table>")[0]
    head = re.findall(r'<th scope="col".*?>(.*?)</th>', text)
    rows = [re.findall(r"<t[hd]([^>]*)>", row) for row in text.partition("<tbody>")[2].split("<tr>")[1:]]
    numbers = [float(row[head.index(title)].removeprefix(' data-v="').removesuffix('"')) for row in rows]
    assert numbers == [getattr(one, title.replace(" ", "_")) for one in (*comparison.overall, *comparison.results)]


def test_a_page_is_small_however_many_groups_there_are_and_says_what_it_leaves_out():
    text = page(tabled([place / 7 for place in range(100_000)]))
    assert len(text) < 2_000_000
    rows = CELLS // 2
    assert text.count("<tr>") == rows + 1
    assert f"{rows:,} rows are shown; there is no room on a page for {100_000 - rows:,} more" in text
    assert "no room" not in page(tabled(range(2_000)))


def test_a_page_is_small_however_long_names_are():
    columns = (Column("name", "name"), Column("value", "number"))
    rows = [(f"{place}{'<&' * 100}", place / 7) for place in range(2_000)]
    text = page(Document("title", lambda: [(Table.of(columns, rows), Table.of(columns, rows))]))
    assert 500_000 < len(text) < 1_000_000
    assert len(re.findall("there is no room on a page for", text)) == 2


def test_the_first_tables_are_whole_and_all_have_rows(monkeypatch):
    monkeypatch.setattr("lossctl.rendering.page.CELLS", 1001)
    tables = tuple(Table.of((Column("name", "name"),), [("n",)] * rows) for rows in (3, 600, 2000, 2000))
    _, *bodies = page(Document("title", lambda: [tables])).split("<tbody>")
    assert [body.partition("</tbody>")[0].count("<tr>") for body in bodies] == [3, 600, 298, 100]


def test_many_headings_have_a_table_of_contents_and_few_have_none():
    def document(count):
        return Document("title", lambda: [(Heading(f"part {n}"), Line("words")) for n in range(count)])

    text = page(document(3))
    links = re.findall(r'<li><a href="#(.*?)">(.*?)</a></li>', text)
    assert links == re.findall(r'<h2 id="(.*?)">(.*?)</h2>', text)
    assert [words for _, words in links] == ["part 0", "part 1", "part 2"]
    assert "<nav" not in page(document(2))


def test_what_is_to_be_copied_stands_in_code_and_verdicts_keep_their_words():
    line = Line((Piece("  lossctl eval 'a b'", "command"), Piece("FAIL", "bad"), Piece("PASS", "good")))
    text = page(Document("title", lambda: [(line,)], warnings=("careful",), notes=("by the way",)))
    assert '<code class="command">lossctl eval &#39;a b&#39;</code>' in text
    assert '<b class="bad">FAIL</b><span class="good">PASS</span>' in text
    assert text.index("<b>warning:</b> careful") < text.index("FAIL") < text.index("by the way")


@pytest.mark.parametrize("marks", [("heat", "heat"), ("heat", "bars"), ("bars", "line"), ("points", "points")])
def test_a_legend_has_the_colours_of_series_and_none_of_maps(marks):
    edges = (0.0, 1.0, 2.0)
    series = [
        Series(f"series {place}", mark, edges, edges[mark == "bars" :], ((1, 2), (3, 4)))
        for place, mark in enumerate(marks)
    ]
    axis = Axis("axis", 0.0, 2.0)
    text = page(charted([Chart("title", tuple(Panel(each.name, axis, axis, (each,)) for each in series))]))
    items = re.findall(r'<li><svg.*?fill="(.*?)".*?</svg> (series \d)</li>', text)
    assert items == [(COLORS[place], f"series {place}") for place, mark in enumerate(marks) if mark != "heat"]


def test_a_warning_stands_above_all_and_not_again_below():
    lines = (Line(Piece("warning: careful", "doubtful")), Line("more"))
    text = page(Document("title", lambda: [lines], warnings=("careful",)))
    assert text.count("careful") == 1
    assert "careful" in fragment(Document("title", lambda: [lines], warnings=("careful",)))


def chart(name):
    axis = Axis(name, 0.0, 2.0, ("", name))
    edges = (-0.5, 0.5, 1.5)
    series = (
        Series(name, "heat", edges, edges, ((1, 2), (3, 0))),
        Series(f"{name}2", "intervals", (0.5, 1.5), (0.0, 1.0), ends=((0.0, 9.0), (-math.inf, math.nan))),
        Series(name, "line", (0.0, 1.0, 2.0), (0.0, math.nan, 1.0), guide=True),
    )
    return Chart(name, (Panel(name, axis, axis, series), Panel("", axis, axis, series[:1])), (name,), name)


def test_no_name_in_a_picture_that_is_drawn_in_the_page_ends_its_script(live_pictures, monkeypatch):
    monkeypatch.setattr(interactive, "library", lambda: "window.vegaEmbed = null;")
    text = page(charted([chart(ENDS)]))
    assert text.count("<script") == text.count("</script>") == 4
    assert text.count("<style") == text.count("</style>") == 1
    for data in re.findall(r'<script type="application/json" class="drawing">(.*?)</script>', text):
        assert leaked(data) == set()
        assert leaked(repr(json.loads(data, parse_constant=pytest.fail))) == set()
    assert "drawing" not in fragment(charted([chart(ENDS)])).replace("drawing of", "")


def test_a_page_is_small_however_many_pictures_there_are_and_says_what_it_leaves_out(live_pictures, monkeypatch):
    monkeypatch.setattr(interactive, "library", lambda: "window.vegaEmbed = null;")
    few, many = [chart("a")] * 2, [chart("a")] * 30
    for charts, live in ((few, 4), (many, 0)):
        text = page(charted(charts))
        assert (text.count('role="img"'), text.count('class="drawing"')) == (2 * len(charts), live)
        assert "no room" not in text
    monkeypatch.setattr("lossctl.rendering.page.SIZE", 20_000)
    text = page(charted(many))
    assert 10_000 < sum(map(len, re.findall('<svg [^>]*role="img".*?</svg>', text))) < 20_000
    left_out = map(int, re.findall(r"no room on a page for (\d+) more", text))
    assert text.count('role="img"') + sum(left_out) == 60
    monkeypatch.setattr("lossctl.rendering.page.SIZE", 0)
    text = page(charted(few))
    assert (text.count('role="img"'), text.count('class="drawing"')) == (1, 0)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("eval", "clicks.csv", "-l", "bce"), ("bce", "p_new")),
        (("compare", "clicks.csv", "-l", "bce"), ("p_new is better than p_main", "<svg", 'class="good">better')),
        (("doctor", "binary.csv"), ("findings: none", 'class="command">lossctl eval')),
        (("explain", "huber"), ("Quadratic near zero", "<svg")),
    ],
)
def test_every_command_writes_a_page_to_stdout_and_into_a_file_alike(lossctl, sample_data, tmp_path, command, words):
    name, subject, *more = command
    subject = sample_data / subject if "." in subject else subject
    shown = lossctl(name, subject, *more, "-f", "html")
    assert shown.status == 0
    assert shown.out.startswith("<!DOCTYPE html>")
    assert shown.out.endswith("</html>\n")
    assert all(word in shown.out for word in words)
    if name in {"eval", "compare"}:
        assert lossctl(name, subject, *more, "-o", tmp_path / "x.htm").status == 0
        assert (tmp_path / "x.htm").read_text() == shown.out


@pytest.mark.parametrize(
    ("command", "title"),
    [
        ("eval {}/clicks.csv", "losses of {}/clicks.csv"),
        ("compare {}/clicks.csv", "comparison of {}/clicks.csv"),
        (
            "compare {0}/clicks.csv {0}/clicks_worse.csv -p p_new",
            "comparison of {0}/clicks.csv, {0}/clicks_worse.csv",
        ),
        ("check --config {}/gates/lossctl.toml", "1 failed, 4 passed: gates of {0}/clicks.csv, {0}/clicks_worse.csv"),
    ],
)
def test_a_page_is_called_by_its_files(lossctl, sample_data, monkeypatch, command, title):
    monkeypatch.chdir(sample_data.parent)
    page = lossctl(*command.format("sample_data").split(), "-f", "html", "-q").out
    title = title.format("sample_data")
    assert f"<title>{title}</title>" in page
    assert f"<h1>{title}</h1>" in page


def test_precision_says_how_many_digits_a_page_has(lossctl, sample_data):
    shown = lossctl("eval", sample_data / "clicks.csv", "-l", "bce", "--precision", "2", "-f", "html", "-qq")
    assert shown.out == ""
    shown = lossctl(
        "eval", sample_data / "clicks.csv", "-l", "bce", "--precision", "2", "-f", "html", "--color", "always"
    )
    assert ">0.56 <" in shown.out.replace("*", " ")
    assert "\x1b" not in shown.out
