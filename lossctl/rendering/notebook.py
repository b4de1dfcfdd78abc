"""Documents as a fragment of HTML for a notebook: the sections for people, with tables as HTML tables."""

from collections.abc import Sequence
from html import escape
from typing import Any

from lossctl.document import Column, Document, Facts, Heading, Line, Notes, Part, Table, Tone, Words
from lossctl.rendering.picture import draw
from lossctl.rendering.wording import cells, pieces, room
from lossctl.words import LINE

TAGS: dict[Tone, str] = {"strong": "b", "bad": "b", "faint": "small", "code": "code", "command": "code"}
WIDTH, HEIGHT = 80, 14
"""Of a chart, in characters."""
SIDE = {True: ' style="text-align: right"', False: ' style="text-align: left"'}
ALIGNED = ' style="text-align: right; white-space: pre; font-family: monospace"'
"""How a number stands, which is made as long as those above and below it, so that their points are aligned."""


def fragment(document: Document) -> str:
    """The sections one below the other in a ``<div>``; text is escaped, so that no data are taken for markup."""
    parts = (part for section in (document.pages or document.sections)() for part in section)
    return "<div>\n" + "".join(f"{_part(part)}\n" for part in parts) + "</div>"


def _part(part: Part) -> str:
    if isinstance(part, Table):
        title = f"<p>{_words(part.title)}</p>\n" if part.title else ""
        head, *rows = zip(*map(_column, part.columns, _by_column(part)), strict=True)
        body = "".join(f"<tr>{''.join(row)}</tr>\n" for row in rows)
        return f"{title}<table>\n<thead><tr>{''.join(head)}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"
    if isinstance(part, Facts):
        facts = "".join(f"<dt>{_words(name)}</dt><dd>{_words(words)}</dd>\n" for name, words in part.rows)
        return f"<dl>\n{facts}</dl>"
    if isinstance(part, Heading):
        return f"<h2>{_words(part.text)}</h2>"
    if isinstance(part, Line):
        return f"<p>{_words(part.words)}</p>"
    if isinstance(part, Notes):
        return f"<p><small>{'<br>'.join(map(_words, part.lines))}</small></p>"
    return f"<pre>{escape(draw(part, width=WIDTH, height=HEIGHT, color=False))}</pre>"


def _by_column(table: Table) -> list[list[Any]]:
    return [[row[index] for row in table.rows] for index in range(len(table.columns))]


def _column(column: Column, values: Sequence[Any]) -> list[str]:
    """The cells of a column, its heading first."""
    heading, below = cells(column, values, None)
    return [f"<th{SIDE[column.right]}>{_words(heading, room(column)).strip()}</th>"] + [
        f"<td{ALIGNED if column.right else SIDE[False]}>{_words(words, room(column))}</td>" for words in below
    ]


def _words(words: Words, most: int = LINE) -> str:
    html = ""
    for piece in pieces(words, most):
        tag, text = TAGS.get(piece.tone), escape(piece.text)
        html += (f"<{tag}>{text}</{tag}>" if tag else text) + "<br>" * piece.ends
    return html
