"""The console that everything for people is drawn on: no environment variable changes its width or colours."""

import io
from typing import TYPE_CHECKING

from lossctl.document import Phrase, Tone

if TYPE_CHECKING:
    from rich.console import Console
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
    """A console that writes to ``file``, ``width`` columns wide."""
    from rich.console import Console

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
    from rich.text import Text

    if len(pieces) == 1:  # of one tone to its very end, also where it is folded
        text = Text(pieces[0].text, style=STYLES.get(pieces[0].tone, ""))
    else:
        text = Text()
        for piece in pieces:
            text.append(piece.text, style=STYLES.get(piece.tone, "")).append("\n" * piece.ends)
    if any(piece.tone == "command" for piece in pieces):
        text.no_wrap, text.overflow = True, "ignore"
    return text
