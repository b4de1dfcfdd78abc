"""Pages in a real browser: quiet, readable by everyone at any width, and no name in them is more than text."""

import math
from dataclasses import fields, is_dataclass, replace

import deceiving
import numpy as np
import pytest
from browsing import NARROW
from suspicious import TABLE, write

import lossctl as library
from lossctl.document import Column, Document, Table, charted
from lossctl.plots.curves import curves
from lossctl.rendering.renderer import Style, renderers
from lossctl.words import printable

TWO = ("binary.parquet", "-l", "bce", "-p", "p_a", "-p", "p_b", "--by", "segment")
KINDS = {
    "eval": ("eval", *TWO, "--grad", "--samples", "3", "--skill", "--ci", "0.95"),
    "compare": ("compare", *TWO),
    "doctor": ("doctor", "suspicious.csv"),
    "explain": ("explain", "huber"),
    "list": ("explain",),
    "gradcheck": ("gradcheck", "huber"),
    "plot": ("plot", "binary.parquet", "-l", "bce", "-p", "p_a", "-p", "p_b"),
    "check": ("check",),
    "report": ("report", *TWO),
}
GATES = """
[[gate]]
name = "better"
file = "binary.parquet"
loss = "bce"
label = "label"
pred = ["p_a", "p_b"]
max_increase = 0
[[gate]]
name = "low"
file = "binary.parquet"
loss = "bce"
label = "label"
pred = "p_a"
max = 0.1
"""


def page(document):
    return renderers.get("html").render(document, Style())


@pytest.fixture
def here(sample_data, tmp_path, monkeypatch):
    """A folder of files and gates, which is the present one."""
    (tmp_path / "binary.parquet").symlink_to(sample_data / "binary.parquet")
    (tmp_path / "lossctl.toml").write_text(GATES)
    write(tmp_path / "suspicious.csv", TABLE["inverted"][0][0])
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_everyone_can_read_a_page_on_any_screen(lossctl, here, visit, kind):
    opened = visit(lossctl(*KINDS[kind], "-f", "html").out)
    assert opened.seen().barriers() == []
    assert opened.seen(NARROW).barriers("scrollable-region-focusable") == []
    assert opened.seen(dark=True).barriers("color-contrast") == []
    assert opened.seen(NARROW, dark=True).overhang <= 0
    assert opened.seen(printed=True).overhang <= 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_table_has_a_shadow_where_it_goes_on(visit, dark):
    columns = tuple(Column(f"a name that is long {place}") for place in range(9))
    opened = visit(page(Document("title", lambda: [(Table.of(columns, [[" "] * 9]),)]))).seen(NARROW, dark=dark)
    scroll, row = opened.tab.locator(".scroll"), opened.tab.locator("tbody tr")

    def edges():
        box, height = scroll.bounding_box(), row.bounding_box()["y"] + 4
        places = (box["x"], box["x"] + box["width"] - 8)
        return [opened.tab.screenshot(clip={"x": x, "y": height, "width": 8, "height": 4}) for x in places]

    paper, more = edges()
    scroll.evaluate("table => table.scrollLeft = table.scrollWidth")
    left, end = edges()
    assert more != paper == end != left


@pytest.mark.parametrize("file", ["classes", "regression", "scores"])
def test_a_report_of_another_task_fits_a_telephone(lossctl, sample_data, visit, file):
    opened = visit(lossctl("report", sample_data / f"{file}.parquet", "-f", "html").out)
    assert opened.seen(NARROW).overhang <= 0


def test_what_a_page_must_not_do_is_heard(visit):
    text = "<title>t</title><script>console.log('said'); alert('met'); throw Error('thrown')</script>"
    opened = visit(f"{text}<img src='http://192.0.2.1/asked'><p style='width: 3000px'>wide<button></button>")
    heard = " ".join(opened.complaints)
    assert all(
        word in heard for word in ("log: said", "dialog: met", "error: thrown", "asks for http://192.0.2.1/asked")
    )
    assert opened.overhang > 0
    assert any(line.startswith("button-name") for line in opened.barriers())
    opened.complaints.clear()


# --- tables ----------------------------------------------------------------------------------------------------------

VALUES = [3.0, math.nan, -1.0, None, 1e-12, math.inf, 10.0, 9.0, -1e9, math.nan, 3.0]
"""Of which NaN and what is missing come last in either order, and equal ones stay as they were."""
RISING, FALLING = (8, 2, 4, 0, 10, 7, 6, 5, 1, 3, 9), (5, 6, 7, 0, 10, 4, 2, 8, 1, 3, 9)
MANY = 2_000


def numbered(values):
    """A document of a table of numbers, with a name for each."""
    rows = [(f"row {index}", value) for index, value in enumerate(values)]
    return Document("numbers", lambda: [(Table.of((Column("name", "name"), Column("value", "number")), rows),)])


def shown(opened):
    """The number of each row that can be seen, from above."""
    names = opened.tab.locator("tbody tr:visible > :first-child").all_inner_texts()
    return tuple(int(name.removeprefix("row ")) for name in names)


@pytest.mark.parametrize("key", ["", "Enter", "Space"], ids=["mouse", "enter", "space"])
def test_rows_are_sorted_by_their_numbers_and_those_without_one_come_last(visit, key):
    opened = visit(page(numbered(VALUES)))
    header = opened.tab.get_by_role("columnheader", name="value")
    for order, rows in {"ascending": RISING, "descending": FALLING}.items():
        button = header.get_by_role("button")
        button.press(key) if key else button.click()
        assert header.get_attribute("aria-sort") == order
        assert shown(opened) == rows
    assert opened.tab.locator("[aria-sort=ascending], [aria-sort=descending]").count() == 1


def test_thousands_of_groups_stay_usable(visit):
    values = np.random.default_rng(1).permutation(MANY).astype(float)
    rising = tuple(map(int, np.argsort(values)))
    opened = visit(page(numbered(values)))
    tab, size = opened.tab, len(shown(opened))
    assert size <= 100
    tab.get_by_role("columnheader", name="value").get_by_role("button").click()
    assert shown(opened) == rising[:size]  # of all rows
    tab.get_by_role("button", name="Next", exact=True).click()
    assert shown(opened) == rising[size : 2 * size]
    tab.get_by_role("button", name="Previous").click()
    assert shown(opened) == rising[:size]
    tab.get_by_role("searchbox").fill("row 1234")
    assert shown(opened) == (1234,)
    tab.get_by_role("searchbox").fill("no such row")
    assert shown(opened) == ()
    tab.get_by_role("searchbox").fill("")
    assert shown(opened) == rising[:size]
    assert opened.seen(printed=True).tab.locator("tbody tr:visible").count() == MANY
    assert tab.locator("input:visible").count() == 0


def test_without_a_script_all_of_it_is_there(visit):
    opened = visit(page(numbered(range(MANY))), script=False)
    assert shown(opened) == tuple(range(MANY))
    assert opened.tab.locator("button:visible, input:visible").count() == 0


# --- names -----------------------------------------------------------------------------------------------------------

PLAIN = "abc"
HOSTILE = (
    deceiving.EVIL,
    "<img src=x onerror=alert(1)>\"'`><b onmouseover='alert(1)'></script></style></title><script>alert(1)</script>",
    "\u202eabc \u0627\u0633\u0645 \u05d0\u05d1 \ud800\udcff\x00 &lt;b&gt; &#0; \\u003cb {{7*7}} {% raw %} ]]> <!--",
)
CENSUS = """() => [...document.querySelectorAll('*')].map(
    element => [element.tagName, ...element.getAttributeNames().filter(name => name != 'class')].join(' '))"""
"""Elements and their attributes; a class may tell how much room a name takes."""

TEXT = """() => {
    document.querySelectorAll('svg, script').forEach(drawn => drawn.remove())  // where long names are shortened
    return document.querySelector('main').textContent
}"""


def reworded(value, word):
    """A part of a document with a word behind each of its texts; what says how it is drawn stays."""
    if isinstance(value, str):
        return f"{value}{word}"
    if isinstance(value, tuple | list):
        return type(value)(reworded(item, word) for item in value)
    if is_dataclass(value):
        names = [field.name for field in fields(value) if field.name not in {"tone", "kind", "mark"}]
        return replace(value, **{name: reworded(getattr(value, name), word) for name in names})
    return value


@pytest.fixture(scope="module")
def everything():
    """A document in which every kind of part stands, each of its texts with a word behind it."""
    table = {"y": [0.0, 1.0, 2.0], "p": [0.5, 1.5, 1.0], "g": ["a", "b", "a"]}
    report = library.evaluate(table, ["mse", "huber:delta=0.5"], by="g", gradient=True, samples=2).document()
    sections = [*report.sections(), *charted(curves([library.get_loss("mse")])).sections()]

    def with_word(word):
        return Document(f"title{word}", lambda: reworded(sections, word), notes=(f"note{word}",), warnings=(word,))

    return with_word


def test_whatever_a_name_holds_it_stays_text(visit, everything):
    plain = visit(page(everything(PLAIN))).tab
    census, title, text = plain.evaluate(CENSUS), plain.title(), plain.evaluate(TEXT).split()
    for word in HOSTILE:
        tab = visit(page(everything(word))).tab
        assert tab.evaluate(CENSUS) == census, word
        assert tab.title() == title.replace(PLAIN, printable(word))
        assert tab.evaluate(TEXT).split() == " ".join(text).replace(PLAIN, printable(word)).split()
