"""Every output format of every result: a renderer draws any document, and knows no result."""

import base64
import csv
import hashlib
import io
import json
import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from itertools import pairwise

import deceiving
import numpy as np
import pyarrow as pa
import pytest
from deceiving import leaked
from rich.cells import cell_len
from suspicious import TABLE, at, b, changed, m

import lossctl
from lossctl.checks.contract import Check, check_draws
from lossctl.checks.differences import compare_loss
from lossctl.checks.outcome import Form, Outcome
from lossctl.doctor.diagnose import diagnose
from lossctl.document import Axis, Chart, Document, Line, Panel, Piece, Series, Table, charted
from lossctl.functions.explanation import Explanation, find
from lossctl.functions.lookup import get_loss
from lossctl.functions.tables import explained, listed, paired
from lossctl.plots.curves import curve, curves
from lossctl.rendering.page import fragment, page
from lossctl.rendering.renderer import Style, renderers
from lossctl.words import LINE, printable

EVERYTHING = f"{deceiving.EVIL}\ud800\udcff\x9b2J"
EVIL = ("\x1b[2Jevil", "a|b", "two\nlines", "<script>alert(1)</script>", "b\x08\x9b31m")
PEOPLE = ("table", "plain", "markdown")
TAGS = {
    "b", "br", "caption", "code", "dd", "div", "dl", "dt", "figcaption", "figure", "li", "p", "small", "span", "style",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
    "circle", "desc", "g", "line", "path", "rect", "svg", "text", "title",
}  # fmt: skip
"""What a fragment for a notebook is made of: nothing that runs."""
PAGE = {
    "a", "aside", "body", "footer", "h1", "h2", "head", "header", "html", "main", "meta", "nav", "ol", "script",
    "section",
}  # fmt: skip
"""What a page has beside."""


def report(names=("north", "south")):
    source = {"label": [0.0, 1.0, 2.0], "prediction": [0.5, 1.5, 1.0], "g": pa.array([names[0], names[-1], names[0]])}
    return lossctl.evaluate(source, ["mse", "huber:delta=0.5"], by="g", gradient=True, samples=2, skill=True)


def one():
    return lossctl.evaluate({"label": [0.0, 1.0], "prediction": [0.5, 1.5]}, "mse")


def wrong(columns=("p", "q"), file="rows.csv"):
    """A gradient with numbers held to be wrong, at the rows of a file."""
    bound = get_loss("cross_entropy").through("softmax")
    rng = np.random.default_rng(1)
    found = compare_loss(bound, *bound.accept(np.array([0.0, 1.0, 1.0]), rng.normal(0.0, 1.0, (3, 2))))
    places = tuple((name, point.row + 1) for name, point in zip([file, "other.csv"] * 99, found.worst, strict=False))
    return Outcome("cross_entropy", (Form(bound, Check(("it is a fault",), found), "model", columns, places),))


def compared():
    source = {"label": [0.0, 1.0, 2.0] * 4, "a": [0.5, 1.5, 1.0] * 4, "b": [0.0, 2.0, 1.0] * 4, "g": ["x", "y"] * 6}
    return lossctl.compare(source, "mse", prediction=["a", "b"], by="g").document()


def explanation(name):
    bound, _ = find(name)
    return explained(Explanation(bound), curve(bound))


RESULTS = {
    "report": lambda: report().document(),
    "one number": lambda: one().document(),
    "diagnosis": lambda: diagnose(changed(b, p=at(1 - b["p"], 3, None)), label=["y"], prediction=["p"]).document(),
    "healthy": lambda: diagnose(b, label=["y"], prediction=["p"]).document(),
    "columns": lambda: diagnose(m).document(),
    "gradcheck": lambda: Outcome("bce", (Form(get_loss("bce"), check_draws(get_loss("bce"), draws=1)),)).document(),
    "wrong gradient": lambda: wrong().document(),
    "loss": lambda: explanation("huber:delta=0.5"),
    "activation": lambda: explanation("softmax"),
    "comparison": compared,
    "list": listed,
    "pairings": paired,
    "curves": lambda: charted(curves([get_loss("mse"), get_loss("hinge")])),
}


@pytest.fixture(params=RESULTS)
def document(request):
    return RESULTS[request.param]()


@pytest.fixture(params=renderers, ids=lambda renderer: renderer.name)
def renderer(request):
    return request.param


def said(renderer, document, style=None):
    """What a renderer makes of a document; nothing where it needs one number and there is none."""
    if renderer.name == "junit":
        with pytest.raises(lossctl.LossctlError, match="for decisions"):
            renderer.render(document, Style())
        return ""
    if renderer.name == "value" and len(document.values) != 1:
        with pytest.raises(lossctl.LossctlError, match="a bare value needs one result"):
            renderer.render(document, Style())
        return ""
    return renderer.render(document, style or Style())


def test_every_renderer_can_say_every_result(renderer, document):
    text = said(renderer, document)
    assert text.endswith("\n") or renderer.name in {"value", "junit", "jsonl", "csv", "tsv"}
    assert not text.endswith("\n\n")
    assert "\x1b" not in text
    if renderer.name in PEOPLE:
        assert not any(line.endswith(" ") for line in text.split("\n"))
        assert "\n\n\n" not in text


def test_colour_is_only_colour(renderer, document):
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", said(renderer, document, Style(color=True)))
    if renderer.name in PEOPLE:
        coloured = "\n".join(line.rstrip() for line in coloured.split("\n"))
    assert coloured == said(renderer, document)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_table_is_wider_than_the_width(document, width):
    lines = renderers.get("table").render(document, Style(width=width)).splitlines()
    assert max(cell_len(line) for line in lines if not line.startswith("  lossctl ")) <= width


def test_the_record_is_strict_json_behind_its_version(document):
    whole = json.loads(renderers.get("json").render(document, Style()), parse_constant=pytest.fail)
    assert list(whole)[:2] == ["schema_version", "lossctl"]
    assert whole == json.loads(json.dumps(document.to_dict()))


def test_lines_and_rows_are_as_many_and_unrounded(document):
    lines = renderers.get("jsonl").render(document, Style(precision=1)).splitlines()
    assert [json.loads(line, parse_constant=pytest.fail) for line in lines] == document.lines()
    for name, delimiter in (("csv", ","), ("tsv", "\t")):
        text = renderers.get(name).render(document, Style(precision=1))
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
        assert len(rows) == len(lines)
        for row, expected in zip(rows, document.rows(), strict=True):
            for field, value in expected.items():
                if isinstance(value, float):
                    assert repr(float(row[field])) == repr(value)
                elif not isinstance(value, tuple):
                    assert row[field] == ("" if value is None else str(value))


def test_rows_are_tidy(document):
    for row in document.rows():
        for value in row.values():
            assert value is None or isinstance(value, str | int | float | tuple)
            assert not isinstance(value, tuple) or all(isinstance(number, float) for number in value)


def test_every_row_of_a_table_has_a_cell_for_each_column(document):
    for section in document.sections():
        for part in section:
            if isinstance(part, Table):
                assert [len(cells) for cells in part.cells] == [part.height] * len(part.columns)


def test_a_number_in_a_column_of_numbers_is_one_however_it_is_spelled(document):
    sections = [*document.sections(), *(document.pages or tuple)()]
    for table in (part for section in sections for part in section if isinstance(part, Table)):
        for place, column in enumerate(table.columns):
            cells = table.cells[place] if column.right else []
            assert not [cell for cell in cells if isinstance(cell, str) and re.match(r"[-+−]?\d", cell)], column.title


def test_a_document_can_be_read_twice(renderer, document):
    assert said(renderer, document) == said(renderer, document)


# --- names from the data ---------------------------------------------------------------------------------------------


def hostile(word):
    """Results in which a name is that word."""
    yield report((word, "plain")).document()
    yield diagnose({"y": b["y"], word: b["p"]}, label=["y"], prediction=[f"/{re.escape(word)}/"]).document()
    yield diagnose({word: m["y"], "z": m["p_0"]}).document()
    yield wrong((word, "q"), word).document()


@pytest.mark.parametrize("word", EVIL, ids=repr)
def test_a_name_can_neither_command_the_terminal_nor_end_a_row(word):
    for document in hostile(word):
        for name in PEOPLE:
            assert not set(renderers.get(name).render(document, Style())) & {"\x1b", "\x08", "\x9b"}
        for block in re.findall(r"(?:^\|.*\n)+", renderers.get("markdown").render(document, Style()), re.MULTILINE):
            rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in block.splitlines()]
            assert len({len(row) for row in rows}) == 1


def reworded(value, change):
    """A document's part with each of its texts changed; words that say how it is drawn stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        return type(value)(reworded(item, change) for item in value)
    if is_dataclass(value):
        names = [field.name for field in fields(value) if field.name not in {"tone", "kind", "mark"}]
        return replace(value, **{name: reworded(getattr(value, name), change) for name in names})
    return value


@pytest.mark.parametrize(
    "render", [*map(renderers.get, (*PEOPLE, "html")), fragment], ids=[*PEOPLE, "html", "fragment"]
)
def test_whatever_text_stands_anywhere_in_a_result_is_shown_as_the_same_text_escaped(document, render):
    """So nothing that it holds has an effect: neither on the terminal, nor on lines, nor on other cells."""

    def drawn(word):
        sections = reworded(list(document.sections()), lambda text: f"{text}{word}")
        hostile = replace(document, sections=lambda: sections)
        return render(hostile) if render is fragment else render.render(hostile, Style(height=9))

    text = drawn(EVERYTHING)
    assert leaked(text) == set()
    assert text == drawn(printable(EVERYTHING))


class Tags(HTMLParser):
    """The elements of a text, which must be closed as they were opened, and its words."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.words, self.elements = [], set(), "", []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        if tag not in {"br", "meta"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def parsed(text):
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert not tags.open
    return tags


def test_html_is_whole_and_says_what_plain_text_says(document):
    tags = parsed(fragment(document))
    assert tags.seen <= TAGS
    for section in document.sections():
        for part in section:
            if isinstance(part, Table):
                assert all(column.title in tags.words for column in part.columns)


def test_a_page_can_be_read_without_seeing_it_and_holds_all_it_needs(document):
    tags = parsed(page(document))
    assert tags.seen <= TAGS | PAGE
    levels = [int(tag[1]) for tag, _, _ in tags.elements if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise([0, *levels]))
    ids = [facts["id"] for _, facts, _ in tags.elements if "id" in facts]
    assert len(ids) == len(set(ids))
    for tag, facts, above in tags.elements:
        assert not any(name.startswith("on") or name in {"src", "style"} for name in facts)
        assert facts.get("href", "#")[0] == "#"
        if tag == "th":
            assert facts["scope"] == ("col" if "thead" in above else "row")
        assert tag != "svg" or facts.get("aria-hidden") == "true" or facts["role"] == "img"
    pictures = sum(tag == "svg" and "role" in facts for tag, facts, _ in tags.elements)
    assert pictures == sum(tag == "desc" for tag, _, _ in tags.elements)
    for above, below in (("table", "caption"), ("figure", "figcaption")):
        assert sum(tag == above for tag, _, _ in tags.elements) == sum(tag == below for tag, _, _ in tags.elements)


def test_a_page_lets_nothing_run_and_nothing_in_but_its_own_style_and_script(document):
    text = page(document)
    (policy,) = (facts["content"] for _, facts, _ in parsed(text).elements if "http-equiv" in facts)
    hashes = {
        tag: [base64.b64encode(hashlib.sha256(words.encode()).digest()).decode() for words in standing]
        for tag in ("style", "script")
        for standing in [re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)]
    }
    style, script = (" ".join(f"'sha256-{word}'" for word in hashes[tag]) for tag in ("style", "script"))
    assert policy == f"default-src 'none'; style-src {style}; script-src {script}"


@pytest.mark.parametrize("word", EVIL, ids=repr)
def test_html_takes_no_name_for_markup(word):
    for document in hostile(word):
        tags = parsed(fragment(document))
        assert "script" not in tags.seen
        assert not set(tags.words) & {"\x1b", "\x08", "\x9b"}
        assert page(document).count("<script") == 1


# --- the results themselves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", ["40", "200"])
def test_a_report_and_a_diagnosis_print_as_plain_text_and_show_as_html(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")
    for result in (report(), one(), diagnose(TABLE["inverted"][0][0])):
        assert f"{result}\n" == renderers.get("plain").render(result.document(), Style())
        assert result._repr_html_() == fragment(result.document())


def test_printing_is_what_the_command_line_prints(lossctl, sample_data):
    import lossctl as library

    path = str(sample_data / "regression.csv")
    arguments = ("-l", "mse,mae", "-y", "y", "-p", "prediction", "-w", "weight")
    asked = {"loss": ["mse", "mae"], "label": "y", "prediction": "prediction", "weight": "weight"}
    assert lossctl("eval", path, *arguments, "-f", "plain").out == f"{library.evaluate(path, **asked)}\n"


def test_the_rows_of_a_chart_are_its_points_bars_and_cells():
    axis = Axis("x", 0.0, 2.0)
    series = (
        Series("line", "line", (0.0, 1.0, 2.0), (5.0, 6.0, 7.0)),
        Series("bars", "bars", (0.0, 1.0, 2.0), (5.0, 6.0)),
        Series("heat", "heat", (0.0, 1.0, 2.0), (0.0, 1.0, 2.0), counts=((1, 2), (3, 4))),
    )
    document = charted([Chart("chart", (Panel("panel", axis, axis, series),))])
    rows = [(row["series"], row["x"], row["y"], row.get("rows")) for row in document.rows()]
    assert rows == [
        ("line", 0.0, 5.0, None), ("line", 1.0, 6.0, None), ("line", 2.0, 7.0, None),
        ("bars", 0.0, 5.0, None), ("bars", 1.0, 6.0, None),
        ("heat", 0.0, 0.0, 1), ("heat", 1.0, 0.0, 2), ("heat", 0.0, 1.0, 3), ("heat", 1.0, 1.0, 4),
    ]  # fmt: skip


def test_a_very_long_name_is_shortened_for_people_and_whole_for_machines():
    word = "a" + "x" * 3_000_000 + "z"
    document = report((word, "plain")).document()
    for name in PEOPLE:
        text = renderers.get(name).render(document, Style())
        assert len(text) < 100_000
        assert re.search(r"axx[\s\S]*left[\s\S]*out[\s\S]*xxz", text)
    assert len(fragment(document)) < 100_000
    assert word in renderers.get("csv").render(document, Style())


def test_a_command_to_copy_is_whole():
    command = "lossctl eval " + "x" * (2 * LINE)
    for indent in (0, 2):
        document = Document("title", lambda indent=indent: [(Line(Piece(command, "command"), indent),)])
        for name in PEOPLE:
            assert command in renderers.get(name).render(document, Style())


@pytest.mark.parametrize("word", ["<img src=x>", "[link](x)", "![picture](x)", "[x]: y", "</td>", "<!--", "a`b"])
def test_a_name_is_no_markup_of_markdown(word):
    document = Document("title", lambda: [(Line(word), Line(Piece(word, "code")), Line(Piece(word, "command")))])
    plain, *code = renderers.get("markdown").render(document, Style()).split("\n\n")
    assert re.sub(r"\\(?=[<(!\[:])", "", plain) == word
    assert not re.search(r"(?<!\\)<[A-Za-z/!]|\](?=[(\[:])|(?<!\\)!\[", plain)
    for line in code:
        ticks = re.match("`+", line)[0]
        assert line.strip("`\n ") == word
        assert line.count(ticks) == 2
