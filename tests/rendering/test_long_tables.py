"""Long tables are drawn without Rich, and look as it would draw them."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.document import Column, Document, Entries, Estimates, Piece, Table, phrase
from lossctl.evaluation.result import Result
from lossctl.rendering.renderer import Style, renderers
from lossctl.rendering.renderers import table as tables

WORDS = st.text(st.sampled_from("ab é日本語-/|<1. "), max_size=30)
NUMBERS = st.one_of(st.none(), st.floats(-1e9, 1e9, width=32), st.just(float("nan")))
ESTIMATES = st.tuples(st.none() | st.floats(-1e3, 1e3), st.floats(0, 10), st.booleans())
VERDICTS = st.sampled_from([phrase(Piece("PASS", "good"), " of all"), Piece("FAIL", "bad"), "unknown", "日本 " * 9])
ENTRIES = st.builds(
    Entries,
    st.lists(st.tuples(st.sampled_from(["dog", "a long name", "日本"]), st.floats(0, 1)), max_size=5).map(tuple),
    st.sampled_from(["", "and 3 more"]),
)
COLUMNS = [
    (Column("loss"), st.just("mse")),
    (Column("what it is called", "name", key=True), WORDS),
    (Column("value", "number", tone="strong"), ESTIMATES),
    (Column("std. error", "number", missing="–"), NUMBERS),
    (Column("n", "count"), st.integers(0, 10**9)),
    (Column("others", "entries"), ENTRIES),
    (Column("verdict", "text", tone="faint"), VERDICTS),
]
TABLES = st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=5, unique_by=id).flatmap(
    lambda columns: st.tuples(
        st.just(tuple(column for column, _ in columns)),
        st.lists(st.tuples(*(cells for _, cells in columns)), min_size=1, max_size=8),
        st.booleans(),
    )
)


def drawn(name, parts, style, monkeypatch, *, rows):
    columns, cells, framed = parts
    by_column = [
        Estimates.of(*map(list, zip(*below, strict=True)))[:] if column.tone == "strong" else below
        for column, below in zip(columns, zip(*cells, strict=True), strict=True)
    ]
    table = Table(columns, by_column, framed=framed)
    with monkeypatch.context() as patch:
        patch.setattr(tables, "ROWS", rows)
        return renderers.get(name).render(Document("a table", lambda: [[table]]), style)


@pytest.mark.parametrize("name", ["table", "plain", "markdown"])
@settings(max_examples=40)
@given(parts=TABLES, width=st.sampled_from([40, 80, 120]), color=st.booleans())
def test_long_tables_look_as_rich_draws_them(name, parts, width, color, monkeypatch):
    style = Style(width=width, color=color)
    ours, theirs = (drawn(name, parts, style, monkeypatch, rows=rows) for rows in (0, 10**9))
    assert [painted(line) for line in ours.splitlines()] == [painted(line) for line in theirs.splitlines()]


@pytest.mark.parametrize("name", ["table", "plain", "markdown"])
def test_a_table_of_many_groups_makes_no_object_for_a_row(name, monkeypatch):
    groups = np.arange(3000)
    source = {"label": np.sin(groups), "prediction": np.cos(groups), "group": groups}
    document = lossctl.evaluate(source, "mse", by="group").document()
    made = []
    for kind in (Piece, Result):
        inner = kind.__init__
        monkeypatch.setattr(
            kind, "__init__", lambda *given, inner=inner, **named: (made.append(inner), inner(*given, **named))[1]
        )
    text = renderers.get(name).render(document, Style(color=True))
    assert text.count("mse") >= len(groups)
    assert len(made) < 20


def painted(line):
    """Each sign of a line with the codes that hold for it; blanks at the end say nothing."""
    signs, codes = [], ""
    for code, sign in re.findall(r"\x1b\[([\d;]*)m|(.)", line):
        codes = codes if sign else code.removeprefix("0")
        signs += [(sign, codes if sign != " " else "")] if sign else []
    while signs and signs[-1][0] == " ":
        signs.pop()
    return signs
