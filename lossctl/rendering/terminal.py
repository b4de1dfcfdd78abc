"""The console that everything for people is drawn on: of fixed width, swayed by no environment."""

import io
import re
from typing import TYPE_CHECKING

from lossctl.document import Phrase, Tone
from lossctl.rendering.renderer import Style

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

STYLES: dict[Tone, str] = {
    "strong": "bold",
    "faint": "dim",
    "code": "bold",
    "good": "green",
    "bad": "bold red",
    "doubtful": "yellow",
    "noted": "cyan",
    "command": "green",
}
"""What each tone looks like, to Rich."""


def console(file: io.StringIO, width: int, *, color: bool) -> "Console":
    """A console that writes to ``file``."""
    from rich.console import Console  # noqa: PLC0415  (only where something is drawn)

    return Console(
        file=file,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )


def painted(pieces: Phrase) -> "Text":
    """Printable words in their tones; a command is not broken."""
    from rich.text import Text  # noqa: PLC0415

    text = Text()
    for piece in pieces:
        text.append(piece.text, style=STYLES.get(piece.tone, "")).append("\n" * piece.ends)
    if any(piece.tone == "command" for piece in pieces):
        text.no_wrap, text.overflow = True, "ignore"
    return text


def drawn(style: Style, *parts: "RenderableType") -> str:
    """Some things one below the other, without spaces at the ends of lines."""
    text = io.StringIO()
    paper = console(text, style.width, color=style.color)
    for part in parts:
        paper.print(part)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def prose(text: str) -> "Text":
    """Text of a docstring: what stands between backticks is emphasised instead."""
    from rich.text import Text  # noqa: PLC0415

    found = Text()
    for at, piece in enumerate(re.split(r"`{1,2}([^`]+)`{1,2}", text)):
        found.append(piece, style="bold" if at % 2 else "")
    return found
