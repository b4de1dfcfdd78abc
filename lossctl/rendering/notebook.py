"""Documents as a fragment of HTML for a notebook: the sections for people, with tables as HTML tables."""

from html import escape
from typing import Any

from lossctl.document import Column, Document, Facts, Line, Notes, Part, Table, Tone, Words
from lossctl.rendering.picture import draw
from lossctl.rendering.wording import cell, pieces, room
from lossctl.words import LINE

TAGS: dict[Tone, str] = {"strong": "b", "bad": "b", "faint": "small", "code": "code", "command": "code"}
WIDTH, HEIGHT = 80, 14
"""Of a chart, in characters."""


def fragment(document: Document, precision: int = 6) -> str:
    """The sections one below the other in a ``<div>``; text is escaped, so that no data are taken for markup.

    Args:
        document: what to show.
        precision: significant digits.
    """
    parts = (part for section in document.sections() for part in section)
    return "<div>\n" + "".join(f"{_part(part, precision)}\n" for part in parts) + "</div>"


def _part(part: Part, precision: int) -> str:
    if isinstance(part, Table):
        title = f"<p>{_words(part.title)}</p>\n" if part.title else ""
        head = "".join(f"<th{_side(column)}>{_words(column.title, room(column))}</th>" for column in part.columns)
        rows = "".join(f"<tr>{_row(row, part, precision)}</tr>\n" for row in part.rows)
        return f"{title}<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>"
    if isinstance(part, Facts):
        facts = "".join(f"<dt>{_words(name)}</dt><dd>{_words(words)}</dd>\n" for name, words in part.rows)
        return f"<dl>\n{facts}</dl>"
    if isinstance(part, Line):
        return f"<p>{_words(part.words)}</p>"
    if isinstance(part, Notes):
        return f"<p><small>{'<br>'.join(map(_words, part.lines))}</small></p>"
    return f"<pre>{escape(draw(part, width=WIDTH, height=HEIGHT, color=False))}</pre>"


def _row(row: Any, table: Table, precision: int) -> str:
    cells = zip(row, table.columns, strict=True)
    return "".join(
        f"<td{_side(column)}>{_words(cell(value, column, precision), room(column))}</td>" for value, column in cells
    )


def _side(column: Column) -> str:
    return f' style="text-align: {"right" if column.right else "left"}"'


def _words(words: Words, most: int = LINE) -> str:
    html = ""
    for piece in pieces(words, most):
        tag, text = TAGS.get(piece.tone), escape(piece.text)
        html += (f"<{tag}>{text}</{tag}>" if tag else text) + "<br>" * piece.ends
    return html
