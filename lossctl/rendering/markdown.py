"""Words in Markdown: marked as they are meant, and no sign of theirs taken for a mark."""

import re

from lossctl.document import Phrase


def marked(safe: Phrase) -> str:
    """Printable words in Markdown."""
    text = ""
    for piece in safe:
        words, opening = piece.text, {"strong": "**", "bad": "**"}.get(piece.tone, "")
        closing = opening
        if piece.tone in {"code", "command"}:
            blank = " " * ("`" in words)
            opening, closing = ticks(words) + blank, blank + ticks(words)
        else:
            words = literal(words)
        text += re.sub(r"^(\s*)(.*?)(\s*)$", rf"\1{opening}\2{closing}\3", words) if words.strip() else words
        text += "<br>" * piece.ends
    return text


def cell_in_markdown(text: str) -> str:
    """Printable text as it stands in a table of Markdown."""
    return literal(text).replace("|", "\\|")


def literal(text: str) -> str:
    """Text in which Markdown sees neither HTML nor a link or a picture."""
    return re.sub(r"<(?=[A-Za-z/!?])|(?<=\])[(\[:]|!(?=\[)", r"\\\g<0>", text)


def ticks(text: str, least: int = 1) -> str:
    """Backticks that text between them cannot end."""
    return "`" * max(least, *(len(run) + 1 for run in re.findall("`+", text)), 1)
