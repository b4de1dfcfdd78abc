"""Documents as comma- or tab-separated values: tidy rows, floats in their shortest exact form."""

import csv
import io

from lossctl.document import Document
from lossctl.rendering.renderer import Style, renderers


class Delimited:
    """Tidy rows with one separator."""

    def __init__(self, name: str, delimiter: str) -> None:
        self.name, self.delimiter = name, delimiter
        self.suffixes: tuple[str, ...] = (f".{name}",)

    def render(self, document: Document, style: Style) -> str:  # noqa: ARG002
        """A header, and a row for each of what the document is about."""
        rows = list(document.rows())
        text = io.StringIO()
        header = dict.fromkeys(name for row in rows for name in row)
        if not header:
            return ""
        writer = csv.DictWriter(text, list(header), delimiter=self.delimiter, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
        return text.getvalue()


def _cell(value: object) -> object:
    """A value as one cell: the numbers of a vector with blanks between them."""
    return " ".join(map(repr, value)) if isinstance(value, tuple) else value


for delimited in (Delimited("csv", ","), Delimited("tsv", "\t")):
    renderers.add(delimited.name, delimited)
