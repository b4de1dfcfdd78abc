"""A document as HTML: a page of its own, or a fragment for a notebook.

Templates write it, which escape every text; style and script stand in files of their own and are written into the page.
"""

import base64
import functools
import hashlib
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jinja2
from markupsafe import Markup, escape

from lossctl.dataclass import dataclass
from lossctl.document import (
    Approximate,
    Chart,
    Column,
    Document,
    Facts,
    Heading,
    Line,
    Notes,
    Part,
    Phrase,
    Piece,
    Section,
    Spelled,
    Table,
    Words,
    phrase,
    versioned,
)
from lossctl.errors import argued
from lossctl.rendering import interactive
from lossctl.rendering.drawing import drawn, swatch
from lossctl.rendering.picture import shown
from lossctl.rendering.wording import cells, pieces, room
from lossctl.words import NAME, shortened

TEMPLATES = Path(__file__).parent / "templates"
CELLS = 22_000
"""How many cells of tables a page has room for, so that it stays small enough to be sent, and is shown at once."""
LEAST = 100
"""How many rows of a table it shows in any case."""
SIZE = 1_900_000
"""How many characters tables, pictures and what draws them may have together, about."""
CELL, LIBRARY = 40, 900_000
"""How many of these a cell takes, and what draws pictures that answer to the mouse."""
LIVE = 40
"""How many panels answer to the mouse at most; a page of more has still pictures, which take less room and time."""
SEVERAL = 3
"""From how many headings on a page has a table of contents."""


@dataclass(frozen=True)
class Cell:
    """What stands in a cell of a table."""

    words: Phrase
    value: str = ""
    """The number that it is sorted by, unrounded; empty where it is sorted by its words."""

    @property
    def text(self) -> str | None:
        """Its words where they are in one piece of no tone, as most are."""
        piece = self.words[0] if len(self.words) == 1 else None
        return None if piece is None or piece.tone or piece.ends else piece.text


@dataclass(frozen=True)
class Grid:
    """A table as a page has it."""

    caption: Phrase
    label: str
    """The caption as plain text."""
    hidden: bool
    """Whether its caption is for those who do not see the page."""
    columns: tuple[Column, ...]
    head: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    names: frozenset[int]
    """Which columns say what a row is of."""
    left_out: int
    """How many rows there was no room for."""


@dataclass(frozen=True)
class Drawn:
    """A chart as a page has it."""

    heading: str
    panels: tuple[tuple[str, Markup, Markup], ...]
    """The title of each, which may be empty, its picture, and what it is made of where that is drawn in the page."""
    legend: tuple[tuple[Markup, str], ...]
    notes: tuple[str, ...]
    left_out: int
    """How many panels there was no room for."""

    @property
    def live(self) -> bool:
        """Whether some of it is drawn in the page."""
        return any(part for _, _, part in self.panels)


def page(document: Document, precision: int | None = None) -> str:
    """A whole page, the same for the same document.

    Args:
        document: what it shows.
        precision: significant digits; ``None`` for as many as are warranted.
    """
    warnings = [_words(line) for line in document.warnings]
    again = {f"{before}{line}" for line in warnings for before in ("", "warning: ")}
    sections = [tuple(part for part in section if not _repeats(part, again)) for section in _sections(document)]
    told = {_words(line) for part in chain(*sections) if isinstance(part, Notes) for line in part.lines}
    blocks = list(_blocks(document.title, sections, precision, live=True))
    headings = [(block.id, block.part.words) for block in blocks if block.kind == "heading"]
    style, scripts = _text("parts.css") + _text("page.css"), [_text("page.js")]
    if any(block.kind == "chart" and block.part.live for block in blocks):
        scripts.insert(0, interactive.library())
    text = (
        _environment()
        .get_template("page.html")
        .render(
            title=_plain(document.title),
            blocks=blocks,
            contents=headings if len(headings) >= SEVERAL else (),
            warnings=[*map(_plain, warnings)],
            notes=[_plain(line) for line in map(_words, document.notes) if line not in told],
            version=versioned({})["lossctl"],
            style=_ours(style),
            scripts=[*map(_ours, scripts)],
            policy=_ours(f"default-src 'none'; style-src {_hash(style)}; script-src {' '.join(map(_hash, scripts))}"),
        )
    )
    return f"{text}\n"


def fragment(document: Document) -> str:
    """The sections one below the other in a ``<div>``, with a style of their own and no script."""
    template = _environment().get_template("fragment.html")
    blocks = list(_blocks(document.title, _sections(document), None, live=False))
    return template.render(blocks=blocks, style=_ours(_text("parts.css")))


def _ours(text: str) -> Markup:
    """Text that nobody else wrote, or that is escaped already."""
    return Markup(text)  # noqa: S704


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


def _sections(document: Document) -> list[Section]:
    return [*(document.pages or document.sections)()]


def _repeats(part: Part, warnings: Container[str]) -> bool:
    """Whether a part says again what stands above all of them."""
    return isinstance(part, Line) and _words(part.words) in warnings


def _blocks(title: str, sections: Sequence[Section], precision: int | None, *, live: bool) -> Iterator[Block]:
    above: Words = title
    number = 0
    parts = [part for section in sections for part in section]
    tables = [part for part in parts if isinstance(part, Table)]
    lengths = [*_room(tables)]
    cells = sum(rows * _width(table) for rows, table in zip(lengths, tables, strict=True))
    charts = [part for part in parts if isinstance(part, Chart)]
    grids, pictures = iter(lengths), iter(_pictures(charts, SIZE - CELL * cells, live=live))
    for section in sections:
        for place, part in enumerate(section):
            number += 1
            if isinstance(part, Heading):
                above = part.text
            name = f"part-{number}"
            if isinstance(part, Table):
                view: Any = _grid(part, above, precision, next(grids))
            elif isinstance(part, Chart):
                view = next(pictures)
            else:
                view = _view(part)
            yield Block(type(part).__name__.lower(), name, view, not place)


def _room(tables: Sequence[Table]) -> Iterator[int]:
    """How many rows there is room for of each table: the first of all of them, and as many as can be of the first."""
    firsts = [min(table.height, LEAST) for table in tables]
    widths = [_width(table) for table in tables]
    cells = CELLS - sum(rows * width for rows, width in zip(firsts, widths, strict=True))
    for table, rows, width in zip(tables, firsts, widths, strict=True):
        more = max(min(table.height - rows, cells // width), 0)
        cells -= more * width
        yield rows + more


def _width(table: Table) -> int:
    """How many cells a row is, of which a long text is several."""
    count = len(table.columns)
    if table.height <= LEAST:
        return max(count, 1)  # all of them are shown
    texts = [cells for cells, column in zip(table.cells, table.columns, strict=True) if not column.right]
    longer = sum(len(escape(cell)) // CELL for cells in texts for cell in cells[:CELLS] if type(cell) is str)
    return max(count, 1) + -(-longer // min(table.height, CELLS))


def _view(part: Heading | Line | Facts | Notes) -> Any:
    """What a part without numbers says, in printable pieces."""
    if isinstance(part, Facts):
        return [(pieces(title), pieces(words)) for title, words in part.rows]
    if isinstance(part, Heading):
        return Line(pieces(part.text))
    if isinstance(part, Line):
        return Line(pieces(part.words), part.indent)
    return [pieces(line) for line in part.lines]


def _grid(table: Table, above: Words, precision: int | None, most: int) -> Grid:
    head: list[str] = []
    below: list[list[Cell]] = []
    for column, every in zip(table.columns, table.cells, strict=True):
        values = every[:most]
        heading, words = cells(column, values, precision)
        head.append(shortened(_plain(heading).strip(), NAME))
        texts = [pieces(each, room(column)) for each in words]
        if column.right:
            numbers = zip(_moved(texts), map(_number, values), strict=True)
            below.append([Cell(text, number) for text, number in numbers])
        else:
            below.append([*map(Cell, texts)])
    return Grid(
        caption=pieces(table.title or above),
        label=_plain(table.title or above),
        hidden=not table.title,
        columns=table.columns,
        head=tuple(head),
        rows=[*zip(*below, strict=True)],
        names=frozenset(place for place, column in enumerate(table.columns) if _names_rows(column)),
        left_out=max(table.height - most, 0),
    )


def _names_rows(column: Column) -> bool:
    return not column.right and (column.kind == "name" or column.key)


def _number(value: Any) -> str:
    """The number of a cell as scripts read it, unrounded, which it is sorted by; empty where it is none, or several."""
    if isinstance(value, Approximate | Spelled):
        return _number(value.value)
    if not isinstance(value, int | float):
        return ""
    return repr(float(value)).removesuffix(".0").replace("inf", "Infinity")


def _moved(column: Sequence[Phrase]) -> list[Phrase]:
    """Aligned cells without the blanks that all of them begin with, which are as many as their heading is long."""
    blanks = min((len(first.text) - len(first.text.lstrip()) for first, *_ in column), default=0)
    return [(Piece(first.text[blanks:], first.tone, ends=first.ends), *rest) for first, *rest in column]


def _pictures(charts: Sequence[Chart], room: int, *, live: bool) -> list[Drawn]:
    """Charts with as many of their panels as there is room for, the first of the first in any case."""
    stills: list[Drawn] = []
    used = 0
    for chart in map(shown, charts):
        panels: list[tuple[str, Markup, Markup]] = []
        for panel in chart.panels:
            picture = _svg(drawn(panel, chart.names, chart.heading)) if used <= room else ""
            used += len(picture)
            if used > room and (stills or panels):
                used = room + 1  # what comes later is left out as well, even where it is smaller
                break
            panels.append((panel.title, _ours(picture), Markup()))
        legend = tuple((_svg(swatch(chart.names.index(name))), name) for name in _coloured(chart))
        stills.append(Drawn(chart.heading, tuple(panels), legend, chart.notes, len(chart.panels) - len(panels)))
    if not live or sum(len(chart.panels) for chart in charts) > LIVE:
        return stills
    used += LIBRARY
    seen = []
    for chart, still in zip(charts, stills, strict=True):
        parts = interactive.specifications(chart) if used <= room else ()
        used += sum(map(len, parts))
        both = zip_longest(still.panels, parts if used <= room else ())
        seen.append(replace(still, panels=tuple((title, svg, _ours(part or "")) for (title, svg, _), part in both)))
    return seen


def _coloured(chart: Chart) -> tuple[str, ...]:
    """The series that are told apart by colour; those of a map are not, whose colours are counts."""
    drawn_as = {series.name for panel in chart.panels for series in panel.series if series.mark != "heat"}
    return tuple(name for name in chart.names if name in drawn_as) if len(chart.names) > 1 else ()


def _svg(element: ET.Element) -> Markup:
    return _ours(ET.tostring(element, encoding="unicode"))


def _plain(words: Words) -> str:
    return "".join(piece.text for piece in pieces(words))


def _words(words: Words) -> str:
    """Words without tones, with options as Python says them; not yet printable."""
    return argued("".join(piece.text for piece in phrase(words)))
