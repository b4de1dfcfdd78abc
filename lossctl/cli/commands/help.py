"""``lossctl help``: the pages of the documentation, and all words on a command."""

import re
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from lossctl.cli.command import Color, Voice, colored, command, commands
from lossctl.cli.options import Quiet
from lossctl.errors import UsageError
from lossctl.words import did_you_mean, near, normal

PACKAGE = Path(__file__).resolve().parents[2]
FOLDERS = (PACKAGE / "pages", PACKAGE.parent / "docs")
"""Where the pages are: in an installed package, and in a checkout."""
WIDEST = 120
"""Columns of a line that is read with ease."""


def topics() -> dict[str, Path]:
    """The pages by name."""
    folder = next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[0])
    return {page.stem: page for page in sorted(folder.glob("*.md"))}


def text_of(page: Path) -> str:
    """A page without what is for machines: comments, and where links lead."""
    text = re.sub(r"<!--.*?-->\n*", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"(?<!!)\[([^]\n]+)\]\([^)\s]*\)", r"\1", text)


def title_of(page: Path) -> str:
    """The first heading of a page."""
    return text_of(page).lstrip("# \n").partition("\n")[0]


def complete(incomplete: str) -> list[tuple[str, str]]:
    """Commands and pages, for shell completion."""
    names = {
        **{entry.name: "the command" for entry in commands},
        **{name: title_of(it) for name, it in topics().items()},
    }
    return [(name, title) for name, title in names.items() if name.startswith(incomplete)]


Topic = Annotated[
    str | None,
    typer.Argument(
        metavar="[TOPIC]",
        help="A page, or a command; left out, the list of them.",
        autocompletion=complete,
        show_default=False,
    ),
]


@command("help", "lossctl help columns")
def show(
    *,
    topic: Topic = None,
    quiet: Quiet = 0,
) -> None:
    """Show a page of the documentation, or all words on a command."""
    pages, voice = topics(), Voice(quiet)
    if topic is None:
        listed = {entry.name: f"all words on lossctl {entry.name}" for entry in commands}
        width = max(map(len, (*pages, *listed)))
        lines = [f"  {name.ljust(width)}  {title_of(page)}" for name, page in pages.items()]
        lines += [f"  {name.ljust(width)}  {words}" for name, words in listed.items()]
        voice.result("\n".join(["lossctl help TOPIC, of these:", "", *lines]) + "\n")
    elif topic in pages:
        voice.result(drawn(topic))
    elif topic in commands.names():
        from lossctl.cli.app import wired
        from lossctl.cli.help import shown

        about = wired(commands.get(topic))
        voice.result(shown(about, typer.Context(about, info_name=f"lossctl {topic}"), short=False))
    else:
        raise _unknown(topic, [*pages, *commands.names()])


def drawn(topic: str, when: Color = Color.auto) -> str:
    """A page as a terminal shows it; anything else gets it as it is."""
    text, color = text_of(topics()[topic]), colored(when)
    if not sys.stdout.isatty() and not color:
        return text
    from rich.console import Console
    from rich.markdown import Markdown

    width = min(shutil.get_terminal_size().columns, WIDEST)
    console = Console(width=width, force_terminal=color, no_color=not color)
    with console.capture() as captured:
        console.print(Markdown(text, hyperlinks=False))
    return captured.get()


def _unknown(topic: str, known: list[str]) -> UsageError:
    """The error for what no page is called; of a loss, an activation, a metric or a flag, with the way to it."""
    from lossctl.cli.app import wired
    from lossctl.functions.activation import activations
    from lossctl.functions.loss import losses
    from lossctl.functions.metrics import METRICS

    if topic in losses or topic in activations or normal(topic) in METRICS:
        return UsageError(f"no page is called {topic!r}", f"lossctl explain {topic} says what it is.")
    flag = f"--{topic}"
    options = {name: wired(commands.get(name)).params for name in commands.names()}
    having = [name for name in options if any(flag in option.opts for option in options[name])]
    if having:
        name = "eval" if "eval" in having else having[0]
        return UsageError(f"no page is called {topic!r}", f"lossctl help {name} says what {flag} is.")
    hint = did_you_mean(topic, known) if near(topic, known) else "lossctl help lists them."
    return UsageError(f"no page or command is called {topic!r}", hint)
