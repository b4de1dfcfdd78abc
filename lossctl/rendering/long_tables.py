"""Long tables, line by line: what Rich would write, which takes 50 µs and more for a cell."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise, zip_longest

from rich._wrap import divide_line
from rich.box import Box
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from lossctl.dataclass import dataclass
from lossctl.records import STEP

HEADING = "bold"
"""What headings look like, to Rich."""
BETWEEN = "  "
"""What stands between two cells without a frame."""


@dataclass(frozen=True)
class LongTable:
    """A table without cells of several rows, drawn as Rich draws it."""

    columns: Sequence[Sequence[str | Text]]
    """The cells of each column, its heading first."""
    widths: Sequence[int]
    """How wide each column is: where a cell is wider, it is folded."""
    styles: Sequence[str]
    """What each column looks like, to Rich."""
    box: Box | None
    """The frame; ``None`` where there is none, and blanks stand between cells."""
    paper: Console
    """Whose width and colours hold."""

    @property
    def fits(self) -> bool:
        """Whether the page has room for it, so that no column has to be narrower."""
        edges = len(BETWEEN) * len(self.widths) if self.box is None else 3 * len(self.widths) + 1
        return sum(self.widths) + edges <= self.paper.width

    def lines(self) -> Iterator[str]:
        """Its lines from the top."""
        widths = self.widths
        headings = [
            _cell(column[0], width, HEADING, self.paper) for column, width in zip(self.columns, widths, strict=True)
        ]
        most = max(map(len, headings))
        above = [("",) * (most - len(lines)) + tuple(lines) for lines in headings]  # headings stand low
        rows = chain.from_iterable(self._rows(start) for start in range(1, len(self.columns[0]), STEP))
        if self.box is None:
            yield from map(BETWEEN.join, chain(_below([above], widths), rows))
            return
        padded, box = [width + 2 for width in widths], self.box
        yield box.get_top(padded)
        for line in _below([above], widths):
            yield f"{box.head_left} {f' {box.head_vertical} '.join(line)} {box.head_right}"
        yield box.get_row(padded, "head")
        for cells in map(f" {box.mid_vertical} ".join, rows):
            yield f"{box.mid_left} {cells} {box.mid_right}"
        yield box.get_bottom(padded)

    def _rows(self, start: int) -> Iterator[Sequence[str]]:
        """The cells of the lines of some rows, each of the width of its column."""
        columns = [
            (column[start : start + STEP], width, style)
            for column, width, style in zip(self.columns, self.widths, self.styles, strict=True)
        ]
        single = [_single(*column, self.paper) for column in columns]
        if all(single):
            return zip(*(lines or () for lines in single), strict=True)
        each = (
            zip(lines, strict=True) if lines else [_cell(cell, width, style, self.paper) for cell in cells]
            for lines, (cells, width, style) in zip(single, columns, strict=True)
        )
        return _below(zip(*each, strict=True), self.widths)


def _below(rows: Iterable[Sequence[Sequence[str]]], widths: Sequence[int]) -> Iterator[list[str]]:
    """The lines of rows whose cells have several: where one has fewer than others, it is blank."""
    blanks = [" " * width for width in widths]
    for row in rows:
        for line in zip_longest(*row):
            yield [cell or blank for cell, blank in zip(line, blanks, strict=True)]


def _single(cells: Sequence[str | Text], width: int, style: str, paper: Console) -> list[str]:
    """The line of each cell, of a width; none where one has several, or tones within."""
    words = [cell if isinstance(cell, str) else cell.plain for cell in cells]
    whole = "".join(words)
    sizes = [*map(len if whole.isascii() else cell_len, words)]
    if "\n" in whole or max(sizes) > width or any(cell.spans for cell in cells if isinstance(cell, Text)):
        return []
    if paper.is_terminal:
        styles = [style if isinstance(cell, str) else f"{style} {cell.style}" for cell in cells]
        codes = {each: _painted("\n", each, paper).partition("\n") for each in {*styles}}
        words = [
            codes[each][0] + word + codes[each][2] if word else "" for word, each in zip(words, styles, strict=True)
        ]
    return [word + " " * (width - size) for word, size in zip(words, sizes, strict=True)]


def _cell(cell: str | Text, width: int, style: str, paper: Console) -> Sequence[str]:
    """The lines of a cell, each of a width."""
    if isinstance(cell, Text) and paper.is_terminal:
        lines = cell.wrap(paper, width, overflow="fold")
        style = f"{style} {cell.style}"  # which single segments leave out
        return [
            "".join(_painted(segment.text, f"{style} {segment.style or ''}", paper) for segment in line.render(paper))
            + " " * (width - line.cell_len)
            for line in lines
        ]
    words = cell if isinstance(cell, str) else cell.plain
    folded = [line for part in words.split("\n") for line in _folded(part, width)]
    return [_painted(line, style, paper) + " " * (width - cell_len(line)) for line in folded]


def _folded(words: str, width: int) -> Iterator[str]:
    """Words in lines of at most a width, broken between words where there is room."""
    places = [0, *divide_line(words, width), len(words)] if cell_len(words) > width else [0, len(words)]
    for start, stop in pairwise(places):
        line = words[start:stop]
        while cell_len(line) > width and line[-1:].isspace():
            line = line[:-1]
        yield line


def _painted(text: str, style: str, paper: Console) -> str:
    """Text in the colours of a terminal."""
    if not (text and style.strip() and paper.is_terminal):
        return text
    return paper.get_style(style).render(text)
