"""Documents for people: boxed tables, the same as plain aligned text, the same as Markdown.

Rich is imported when something is drawn: a number for a script should not wait for it.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from lossctl.dataclass import dataclass
from lossctl.document import (
    Chart,
    Document,
    Facts,
    Heading,
    Line,
    Notes,
    Part,
    Piece,
    Section,
    Table,
    Words,
    phrase,
)
from lossctl.records import STEP
from lossctl.rendering.column_widths import cells_wide, cost, parts_of, shared, widest
from lossctl.rendering.markdown import cell_in_markdown, literal, marked, ticks
from lossctl.rendering.picture import draw
from lossctl.rendering.renderer import Style, renderers
from lossctl.rendering.terminal import STYLES, console, painted
from lossctl.rendering.wording import cells, pieces, room
from lossctl.words import LINE, all_printable, printable

if TYPE_CHECKING:
    from rich import table as rich_table
    from rich.box import Box
    from rich.console import Console, RenderableType
    from rich.text import Text

ROWS = 400
"""How many rows a table may have that Rich draws."""
WIDE = 100_000
"""Where nothing is folded."""
LINES = 50
"""How many lines a screen has."""
HEIGHTS = (12, 11, 10, 9, 8)
"""How many lines a panel of a chart may have: the most that fit the screen, else the least that show a curve."""
MARKDOWN = "MARKDOWN"
BOUND = r"(?<=[<>=≤≥±−]) (?=[-+−.\d])|(?<=\d) (?=%)"
"""A blank at which no line is folded."""
BOND = "\u2800"
"""What stands for one while lines are folded."""


class Tables:
    """Rich tables in one of three boxes.

    Args:
        name: the name of the format.
        suffixes: file names that ask for it.
        frame: the name of Rich's box; ``None`` for aligned text.
        narrow: whether to fit the width of a terminal.
    """

    def __init__(self, name: str, suffixes: tuple[str, ...], frame: str | None, *, narrow: bool) -> None:
        self.name, self.suffixes, self.frame, self.narrow = name, suffixes, frame, narrow

    def render(self, document: Document, style: Style) -> str:
        """The sections one below the other, a blank line between them."""
        return "".join(self.pieces(document, style))

    def pieces(self, document: Document, style: Style) -> Iterator[str]:
        """The same, some lines at a time."""
        colored = style.color and self.frame != MARKDOWN and (self.narrow or not document.bare)
        text = io.StringIO()
        page = _Page(console(text, style.width if self.narrow else WIDE, color=colored), text, style, colored)
        between = ""
        for section in (document.pages if document.pages and self.frame == MARKDOWN else document.sections)():
            lines, kept = _single(self._lines(page, section)), 0
            while some := [*islice(lines, STEP)]:
                yield between + "\n".join(some)
                between, kept = "\n", kept + len(some)
            between = "\n\n" if kept else between
            page.above += max(kept, 1) + 1
        yield "\n"

    def _lines(self, page: "_Page", section: Section) -> Iterator[str]:
        """The lines of a section, as they are drawn."""
        page.drawn = 0
        for part in section:
            for line in chain(self._drawn(page, part), page.lines()):
                page.drawn += 1
                yield line

    def _drawn(self, page: "_Page", part: Part) -> Iterator[str]:
        """Draw a part: of what is long its lines, and the rest onto the page."""
        if isinstance(part, Table):
            yield from self._table(page, part)
        elif isinstance(part, Facts):
            self._facts(page, part)
        elif isinstance(part, Heading):
            if self.frame == MARKDOWN:
                page.print(f"## {self._words(part.text)}")
            else:
                page.print(self._words((Piece(part.text, "strong"),)))
        elif isinstance(part, Line):
            if self.frame != MARKDOWN and any(piece.tone == "command" for piece in phrase(part.words)):
                page.paper.print(self._words(phrase(" " * part.indent, part.words)), soft_wrap=True)
            else:
                words = self._words(part.words)
                page.print(self._indented(_hung(words, page.paper, part.indent) if self.narrow else words, part.indent))
        elif isinstance(part, Notes):
            from rich.text import Text

            for note in part.lines:
                words = Text(
                    f"- {self._words(note)}" if self.frame == MARKDOWN else str(self._words(note)), style="dim"
                )
                page.paper.print(_hung(words, page.paper) if self.narrow else words, soft_wrap=True)
        else:
            self._chart(page, part)
        if self.frame == MARKDOWN:
            page.print()  # else the lines of two paragraphs would be those of one

    def _words(self, words: Words, most: int = LINE) -> "str | Text":
        """Words for Rich or Markdown; no control character is left, and a line ends only where a piece says so."""
        if isinstance(words, str):
            return literal(printable(words, most)) if self.frame == MARKDOWN else printable(words, most)
        safe = pieces(words, most, brief=self.narrow)
        if self.frame == MARKDOWN:
            return marked(safe)
        if any(piece.tone or piece.ends for piece in safe):
            return painted(safe)
        return "".join(piece.text for piece in safe)

    def _indented(self, words: "str | Text", indent: int) -> "RenderableType":
        from rich.padding import Padding

        if self.frame == MARKDOWN:
            return str(words).lstrip()
        return Padding(words, (0, 0, 0, indent), expand=False) if indent else words

    def _facts(self, page: "_Page", facts: Facts) -> None:
        from rich.padding import Padding
        from rich.table import Table as Grid

        if self.frame == MARKDOWN:
            for name, words in facts.rows:
                page.print(f"- **{self._words(name)}**: {self._words(words)}" if name else f"- {self._words(words)}")
            return
        grid = Grid.grid(padding=(0, 2, 0, 0))
        grid.add_column(style=STYLES["faint"], no_wrap=True)
        grid.add_column(overflow="fold")
        for name, words in facts.rows:
            grid.add_row(self._words(name), self._words(words))
        page.print(Padding(grid, (0, 0, 0, facts.indent), expand=False))

    def _chart(self, page: "_Page", chart: Chart) -> None:
        picture = ""
        for height in HEIGHTS if page.style.height is None else (page.style.height,):
            picture = draw(chart, width=page.style.width, height=height, color=page.colored)
            if picture.count("\n") <= LINES - page.above - page.drawn:
                break
        fence = ticks(picture, 3) if self.frame == MARKDOWN else ""
        page.text.write("\n".join(filter(None, (f"{fence}text" * bool(fence), picture.rstrip("\n"), fence))) + "\n")

    def _table(self, page: "_Page", table: Table) -> Iterator[str]:
        if table.title:
            page.print(self._words(table.title))
        columns = self._columns(page, table)
        if table.folds:
            page.print(self._grid(table, range(len(columns)), columns, {}))
            return
        width = page.paper.width
        widths = [*map(widest, columns)]
        parts = parts_of(table, widths, width)
        if cost(parts, table) > (1, 0) and any(column.brief for column in table.columns):
            brief = replace(table, columns=tuple(replace(one, title=one.brief or one.title) for one in table.columns))
            shorter = self._columns(page, brief)
            narrow = [*map(widest, shorter)]
            fewer = parts_of(brief, narrow, width)
            if cost(fewer, table) < cost(parts, table):
                table, columns, widths, parts = brief, shorter, narrow, fewer
        left = [column.title for index, column in enumerate(table.columns) if not any(index in one for one in parts)]
        for indices in parts:
            most = shared({index: widths[index] for index in indices}, table.columns, width) if self.narrow else {}
            for index in (index for index in most if table.columns[index].kind == "entries"):
                columns[index] = [_between(cell, most[index]) for cell in columns[index]]
                widths[index] = widest(columns[index])
            yield from self._part(page, table, indices, columns, widths, most)
            if table.tells and left and indices is parts[-1]:
                page.print(self._words(phrase(Piece(f"no room at {width} columns for: {', '.join(left)}", "faint"))))
            page.print()

    def _columns(self, page: "_Page", table: Table) -> list[Sequence["str | Text"]]:
        """The cells of each column, its heading first."""
        columns = []
        for column, values in zip(table.columns, table.cells, strict=True):
            heading, below = cells(column, values, page.style.precision)
            columns.append(self._cells([heading, *below], room(column)))
        return columns

    def _cells(self, words: Sequence[Words], most: int) -> Sequence["str | Text"]:
        """Cells for Rich or Markdown: texts all at once, what several of the others have in common once."""
        texts = all_printable([word for word in words if isinstance(word, str)], most)
        if self.frame == MARKDOWN and cell_in_markdown("".join(texts)) != "".join(texts):
            texts = [*map(cell_in_markdown, texts)]
        if len(texts) == len(words):
            return texts
        others = {id(word): word for word in words if not isinstance(word, str)}
        drawn = {place: self._words(word, most) for place, word in others.items()}
        if self.frame == MARKDOWN:
            drawn = {place: str(word).replace("|", "\\|") for place, word in drawn.items()}
        rest = iter(texts)
        return [next(rest) if isinstance(word, str) else drawn[id(word)] for word in words]

    def _part(
        self,
        page: "_Page",
        table: Table,
        indices: Sequence[int],
        cells: Sequence[Sequence["str | Text"]],
        widths: Sequence[int],
        most: Mapping[int, int],
    ) -> Iterator[str]:
        """Draw some columns of a table below each other; ``widths`` are those of all, the others as for `_grid`."""
        if table.height > ROWS and not table.tall:
            from lossctl.rendering.long_tables import LongTable

            box = self._box(table)
            chosen = [cells[index] for index in indices]
            styles = [STYLES.get(table.columns[index].tone, "") for index in indices]
            narrowed = [min(widths[index], most.get(index, widths[index])) for index in indices]
            long = LongTable(chosen, narrowed, styles, box, page.paper)
            if long.fits:
                yield from page.lines()
                yield from long.lines()
                return
        page.print(self._grid(table, indices, cells, most))

    def _box(self, table: Table) -> "Box | None":
        """The frame of a table."""
        from rich import box

        frame: Box | None = (
            getattr(box, self.frame) if self.frame and (self.frame == MARKDOWN or table.framed) else None
        )
        return frame

    def _grid(
        self,
        table: Table,
        indices: Sequence[int],
        cells: Sequence[Sequence["str | Text"]],
        most: Mapping[int, int],
    ) -> "rich_table.Table":
        """Some columns of a table, by their indices.

        Args:
            table: whose they are.
            indices: which.
            cells: of each column of the table, its heading first.
            most: how wide each may be before it is folded, of those that may be.
        """
        from rich.table import Table as Grid

        box = self._box(table)
        framed = box is not None
        grid = Grid(
            box=box,
            padding=(0, 1) if framed else (0, 2, 0, 0),
            pad_edge=framed,
            show_header=framed or not table.tall,
            show_lines=table.tall and framed and self.frame != MARKDOWN,
        )
        for index in indices:
            column = table.columns[index]
            grid.add_column(
                cells[index][0],
                overflow="fold",
                no_wrap=column.right and not table.folds,
                max_width=most.get(index),
                style=STYLES.get(column.tone, ""),
            )
        rows = list(zip(*(cells[index][1:] for index in indices), strict=True))
        if rows and not (self.narrow or table.tall):
            # No cell is folded, so a column may be a single one of many lines: Rich takes 50 µs a cell.
            rows = [tuple(_joined(column) for column in zip(*rows, strict=True))]
        for row in rows:
            grid.add_row(*row)
        return grid


@dataclass
class _Page:
    """What a document is drawn on: a console of Rich, and the text it writes to."""

    paper: "Console"
    text: io.StringIO
    """What has been drawn since its lines were taken."""
    style: Style
    colored: bool
    above: int = 0
    """The lines of the sections before."""
    drawn: int = 0
    """Those of the present section so far."""

    def print(self, *parts: "RenderableType") -> None:
        """Draw below what is there."""
        self.paper.print(*parts)

    def lines(self) -> Iterator[str]:
        """Take the lines that have been drawn."""
        lines = self.text.getvalue().splitlines()
        self.text.seek(0)
        self.text.truncate()
        yield from lines


def _single(lines: Iterable[str]) -> Iterator[str]:
    """Lines without blanks at their ends, and between two of them at most one that is blank."""
    begun = blank = False
    for line in map(str.rstrip, lines):
        if not line:
            blank = begun
            continue
        if blank:
            yield ""
        begun, blank = True, False
        yield line


def _hung(words: "str | Text", paper: "Console", indent: int = 0) -> "Text":
    """Words in lines of the page, of which those after the first are indented, so that the next words are seen.

    No line ends between an operator and its number, or a number and its %.
    """
    from rich.text import Text

    text = Text(words) if isinstance(words, str) else words.copy()
    most = paper.width - indent
    if cells_wide(text.plain) <= most:
        return text
    # Rich folds at every blank, also one that is not to be broken: a sign stands for it that no text for people has,
    # as `words.printable` sees to.
    text.plain = re.sub(BOUND, BOND, text.plain)
    lines = text.wrap(paper, max(most - 2, 1))
    for line in lines:
        line.plain = line.plain.replace(BOND, " ")
        line.rstrip()
    return Text("\n  ").join(lines)


def _between(entries: "str | Text", most: int) -> "str | Text":
    """Named numbers in lines of at most so many columns: a line ends behind a number, not between it and its name."""
    if not isinstance(entries, str):
        return entries
    lines = [""]
    for entry in re.findall(r".+?(?:, |$)", entries):
        if lines[-1] and cells_wide(lines[-1] + entry.rstrip()) > most:
            lines.append("")
        lines[-1] += entry
    return "\n".join(line.rstrip() for line in lines)


def _joined(column: Sequence["str | Text"]) -> "str | Text":
    texts = [cell for cell in column if isinstance(cell, str)]
    if len(texts) == len(column):
        return "\n".join(texts)
    from rich.text import Text

    return Text("\n").join([Text(cell) if isinstance(cell, str) else cell for cell in column])


for tables in (
    Tables("table", (), "ROUNDED", narrow=True),
    Tables("plain", (".txt",), None, narrow=False),
    Tables("markdown", (".md",), MARKDOWN, narrow=False),
):
    renderers.add(tables.name, tables, ("md",) if tables.name == "markdown" else ())
