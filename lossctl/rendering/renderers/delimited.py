"""Documents as comma- or tab-separated values: tidy rows, floats in their shortest exact form."""

from collections.abc import Iterable, Iterator

from lossctl.document import Document
from lossctl.records import MANY, Records
from lossctl.rendering.renderer import Style, renderers
from lossctl.words import quoted


class Delimited:
    """Tidy rows with one separator."""

    def __init__(self, name: str, delimiter: str) -> None:
        self.name, self.delimiter = name, delimiter
        self.suffixes: tuple[str, ...] = (f".{name}",)

    def render(self, document: Document, style: Style) -> str:
        """A header, and a row for each of what the document is about."""
        return "".join(self.pieces(document, style))

    def pieces(self, document: Document, style: Style) -> Iterator[str]:  # noqa: ARG002
        """The same, some rows at a time."""
        rows = document.rows()
        if isinstance(rows, Records) and len(rows) >= MANY:
            from lossctl.rendering.long_records import lines  # noqa: PLC0415  (of few records nobody needs it)

            header = dict.fromkeys(name for part in rows.parts for name in part.by_key)
            yield self._line(header)
            yield from lines(rows, [*header], self.delimiter, self._cell)
            return
        rows = list(rows)
        header = dict.fromkeys(name for row in rows for name in row)
        if header:
            yield self._line(header) + "".join(self._line(row.get(name) for name in header) for row in rows)

    def _line(self, values: Iterable[object]) -> str:
        return self.delimiter.join(map(self._cell, values)) + "\n"

    def _cell(self, value: object) -> str:
        """A value as one cell: the numbers of a vector with blanks between them."""
        if isinstance(value, tuple):
            return quoted(" ".join(map(repr, value)), self.delimiter)
        return "" if value is None else quoted(str(value), self.delimiter)


for delimited in (Delimited("csv", ","), Delimited("tsv", "\t")):
    renderers.add(delimited.name, delimited)
