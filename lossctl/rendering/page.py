"""A document as HTML: a page of its own, or a fragment for a notebook.

Templates write it, which escape every text; style and script stand in files of their own and are written into the page.
"""

import base64
import functools
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jinja2
from markupsafe import Markup

from lossctl.dataclass import dataclass
from lossctl.document import (
    Approximate,
    Chart,
    Column,
    Document,
    Estimate,
    Facts,
    Heading,
    Line,
    Notes,
    Part,
    Phrase,
    Piece,
    Table,
    Words,
    versioned,
)
from lossctl.errors import argued
from lossctl.rendering.drawing import drawn, swatch
from lossctl.rendering.picture import shown
from lossctl.rendering.wording import cells, pieces, room

TEMPLATES = Path(__file__).parent / "templates"
CELLS = 20_000
"""How many cells of a table a page has room for, so that a browser shows it at once."""
PAGED = 100
"""How many rows of a table are shown at a time."""
SEVERAL = 3
"""From how many headings on a page has a table of contents."""


@dataclass(frozen=True)
class Cell:
    """What stands in a cell of a table."""

    words: Phrase
    value: str = ""
    """The number that it is sorted by, unrounded; empty where it is sorted by its words."""


@dataclass(frozen=True)
class Grid:
    """A table as a page has it."""

    caption: Phrase
    hidden: bool
    """Whether its caption is for those who do not see the page."""
    columns: tuple[Column, ...]
    head: tuple[Phrase, ...]
    rows: Sequence[Sequence[Cell]]
    names: frozenset[int]
    """Which columns say what a row is of."""
    left_out: int
    """How many rows there was no room for."""


@dataclass(frozen=True)
class Drawn:
    """A chart as a page has it."""

    heading: str
    panels: tuple[Markup, ...]
    legend: tuple[tuple[Markup, str], ...]
    notes: tuple[str, ...]


def page(document: Document, precision: int | None = None) -> str:
    """A whole page, the same for the same document.

    Args:
        document: what it shows.
        precision: significant digits; ``None`` for as many as are warranted.
    """
    blocks = list(_blocks(document, precision))
    style, script = _text("parts.css") + _text("page.css"), _text("page.js")
    headings = [(block.id, block.part.words) for block in blocks if block.kind == "heading"]
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=_plain(document.title),
            blocks=blocks,
            contents=headings if len(headings) >= SEVERAL else (),
            warnings=_told(document.warnings),
            notes=_told(document.notes),
            version=versioned({})["lossctl"],
            style=Markup(style),  # noqa: S704  (ours)
            script=Markup(script),  # noqa: S704  (ours)
            policy=Markup(f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}"),  # noqa: S704  (ours)
            paged=PAGED,
        )
        + "\n"
    )


def fragment(document: Document) -> str:
    """The sections one below the other in a ``<div>``, with a style of their own and no script."""
    template = _environment().get_template("fragment.html")
    return template.render(blocks=list(_blocks(document, None)), style=Markup(_text("parts.css")))  # noqa: S704  (ours)


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


@functools.cache
def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What lets an element with this text through a policy that lets nothing through."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@dataclass(frozen=True)
class Block:
    """A part of a document, for the template of its kind."""

    kind: str
    id: str
    part: Any
    starts: bool
    """Whether it is the first of its section."""


def _blocks(document: Document, precision: int | None) -> Iterator[Block]:
    above: Words = document.title
    number = 0
    for section in (document.pages or document.sections)():
        for place, part in enumerate(section):
            number += 1
            if isinstance(part, Heading):
                above = part.text
            kind, view = _view(part, above, precision, f"part-{number}")
            yield Block(kind, f"part-{number}", view, not place)


def _view(part: Part, above: Words, precision: int | None, name: str) -> tuple[str, Any]:
    if isinstance(part, Table):
        return "table", _grid(part, above, precision)
    if isinstance(part, Facts):
        return "facts", [(pieces(title), pieces(words)) for title, words in part.rows]
    if isinstance(part, Heading):
        return "heading", Line(pieces(part.text))
    if isinstance(part, Line):
        return "line", Line(pieces(part.words), part.indent)
    if isinstance(part, Notes):
        return "notes", [pieces(line) for line in part.lines]
    return "chart", _drawn(part, name)


def _grid(table: Table, above: Words, precision: int | None) -> Grid:
    most = max(CELLS // max(len(table.columns), 1), PAGED)
    rows = table.rows[:most] if len(table.rows) > most else table.rows
    head: list[Phrase] = []
    below: list[list[Cell]] = []
    for index, column in enumerate(table.columns):
        values = [row[index] for row in rows]
        heading, texts = cells(column, values, precision)
        head.append(_stripped(pieces(heading, room(column))))
        below.append(
            [
                Cell(pieces(words, room(column)), _number(value) if column.right else "")
                for words, value in zip(texts, values, strict=True)
            ]
        )
    return Grid(
        caption=pieces(table.title or above),
        hidden=not table.title,
        columns=table.columns,
        head=tuple(head),
        rows=[*zip(*below, strict=True)],
        names=frozenset(place for place, column in enumerate(table.columns) if _names_rows(column)),
        left_out=len(table.rows) - len(rows),
    )


def _names_rows(column: Column) -> bool:
    return not column.right and (column.kind == "name" or column.key)


def _number(value: Any) -> str:
    """The number of a cell, unrounded, which it is sorted by; empty where it is none, or several."""
    if isinstance(value, Estimate | Approximate):
        return _number(value.value)
    return repr(float(value)) if isinstance(value, int | float) else ""


def _stripped(words: Phrase) -> Phrase:
    return tuple(Piece(piece.text.strip() if len(words) == 1 else piece.text, piece.tone) for piece in words)


def _drawn(chart: Chart, name: str) -> Drawn:
    printed = shown(chart)
    names = printed.names
    panels = (drawn(panel, names, f"{name}-{index}", printed.heading) for index, panel in enumerate(printed.panels))
    several = len(names) > 1 or any(panel.title for panel in printed.panels)
    return Drawn(
        printed.heading,
        tuple(map(_svg, panels)),
        tuple((_svg(swatch(index)), series) for index, series in enumerate(names) if several),
        printed.notes,
    )


def _svg(element: ET.Element) -> Markup:
    return Markup(ET.tostring(element, encoding="unicode"))  # noqa: S704  (ElementTree has escaped it)


def _plain(words: Words) -> str:
    return "".join(piece.text for piece in pieces(words))


def _told(lines: Sequence[str]) -> list[str]:
    return [_plain(argued(line)) for line in lines]
