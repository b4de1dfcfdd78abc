"""What the docstring of a loss or an activation states, by kind of fact.

A fact begins a line with its heading (``Formula:``, ``Gradient:`` or ``Derivative:``, ``Properties:``, ``Use it``,
``Avoid it``) and ends where the next one or a blank line does. Whatever has no heading is a note.
"""

import inspect
import re

from lossctl.dataclass import dataclass

HEADINGS = {
    "Formula:": "formula",
    "Gradient:": "gradient",
    "Derivative:": "gradient",
    "Properties:": "properties",
    "Use it": "use",
    "Avoid it": "avoid",
}
# At the start of a line, or of a sentence within one.
_HEADING = rf"(?m)(?:^|(?<=[.!?] ))({'|'.join(HEADINGS)})\s"


@dataclass(frozen=True)
class Sections:
    """The facts in a docstring; text a docstring does not have is empty."""

    summary: str = ""
    """The first line."""
    formula: str = ""
    """What it computes."""
    gradient: str = ""
    """The gradient of a loss, the derivative of an activation."""
    properties: str = ""
    """What is true of it."""
    use: str = ""
    """When to use it, to follow "use it"."""
    avoid: str = ""
    """When not to, to follow "avoid it"."""
    notes: str = ""
    """What has no heading."""
    example: str = ""
    """The doctest, lines as they are."""


def sections_of(docstring: str | None) -> Sections:
    r"""The facts in a docstring, however many it has.

    >>> sections = sections_of("Squares.\n\nFormula: e².\nGradient: 2e.\n\nUse it\nwhere it\nfits.")
    >>> sections.summary, sections.formula, sections.gradient, sections.use
    ('Squares.', 'e².', '2e.', 'where it fits.')
    """
    summary, _, body = inspect.cleandoc(docstring or "").partition("\n")
    prose, prompt, example = body.partition(">>>")
    texts_of: dict[str, list[str]] = {}
    for paragraph in re.split(r"\n\s*\n", prose):
        note, *headed = re.split(_HEADING, paragraph)
        pieces = [
            ("notes", note),
            *((HEADINGS[head], text) for head, text in zip(headed[::2], headed[1::2], strict=True)),
        ]
        for kind, text in pieces:
            if text.strip():
                texts_of.setdefault(kind, []).append(" ".join(text.split()))
    return Sections(
        summary, **{kind: " ".join(texts) for kind, texts in texts_of.items()}, example=(prompt + example).strip()
    )
