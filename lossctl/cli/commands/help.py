"""``lossctl help``: the pages of the documentation, and all words on a command."""

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from lossctl.cli.command import Color, Voice, colored, command, commands
from lossctl.cli.help import wrap
from lossctl.cli.output_options import Quiet
from lossctl.errors import UsageError
from lossctl.registry import LIKE
from lossctl.words import did_you_mean, near, normal

PACKAGE = Path(__file__).resolve().parents[2]
FOLDERS = (PACKAGE / "pages", PACKAGE.parent / "docs")
"""Where the pages are: in an installed package, and in a checkout."""
GENERATED = frozenset({"activations", "cli", "losses"})
"""Pages whose sections are told by other commands."""
FILLING = frozenset({"from", "that", "they", "what", "when", "where", "which", "with"})
"""Words of headings that say nothing of what is below them."""
WIDEST = 120
"""Columns of a line that is read with ease."""


def topics() -> dict[str, Path]:
    """The pages by name."""
    folder = next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[0])
    return {page.stem: page for page in sorted(folder.glob("*.md"))}


def text_of(page: Path) -> str:
    """A page without what is for machines: comments, and where links and pictures are."""
    text = re.sub(r"<!--.*?-->\n*", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"!?\[([^]\n]+)\]\([^)\s]*\)", r"\1", text)


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
        page(voice, topic)
    elif topic in commands.names():
        from lossctl.cli.app import wired
        from lossctl.cli.help import shown

        about = wired(commands.get(topic))
        _paged(voice, shown(about, typer.Context(about, info_name=f"lossctl {topic}"), short=False))
    elif sections := sections_of(topic, [pages[name] for name in pages.keys() - GENERATED]):
        _paged(voice, _drawn("\n".join(sections)))
    else:
        raise _unknown(topic, [*pages, *commands.names()])


def sections_of(topic: str, pages: Iterable[Path]) -> list[str]:
    """The sections of pages whose headings have a word that begins so, or that begins the topic, as a plural does."""
    sections = []
    for page in pages:
        for section in re.split(r"^(?=## )", text_of(page), flags=re.MULTILINE)[1:]:
            words = {*re.findall(r"\w{4,}", section.partition("\n")[0].lower())} - FILLING
            if any(word.startswith(topic.lower()) or topic.lower() == f"{word}s" for word in words if len(topic) > 3):
                sections.append(section)
    return sections


def page(voice: Voice, topic: str) -> None:
    """Print a page, on a terminal that it does not fit through a pager."""
    _paged(voice, _drawn(text_of(topics()[topic]), voice.color))


def _drawn(text: str, when: Color = Color.auto) -> str:
    """Markdown as a terminal shows it; for anything else plain text, of lines that fit its width."""
    color = colored(when)
    if sys.stdout.isatty() or color:
        return _rendered(text, min(shutil.get_terminal_size().columns, WIDEST), color=color)
    width = shutil.get_terminal_size().columns
    return "\n".join("\n".join(_fitting(block, width)) for block in _blocks(text)) + "\n"


def _rendered(text: str, width: int, *, color: bool) -> str:
    """Markdown drawn by Rich."""
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(width=width, force_terminal=color, no_color=not color)
    with console.capture() as captured:
        console.print(Markdown(text, hyperlinks=False))
    return captured.get()


def _blocks(text: str) -> Iterator[list[str]]:
    """Lines that belong together: code, a table, an item, a paragraph, or an empty line."""
    block: list[str] = []
    fenced = False
    for line in text.rstrip("\n").split("\n"):
        fence = line.startswith("```")
        joins = fenced or (block and _joins(block[-1], line))
        if not joins and block:
            yield block
            block = []
        block.append(line)
        fenced ^= fence
    yield block


def _joins(before: str, line: str) -> bool:
    """Whether a line goes on with what the line before it began."""
    if before.startswith("|") or line.startswith("|"):
        return before.startswith("|") and line.startswith("|")
    return bool(before and line) and not re.match(r"\s*[-*] |#|```", line) and not re.match("#|```", before)


def _fitting(block: list[str], width: int) -> list[str]:
    """A block in lines that fit; of code as it is."""
    if block[0].startswith("```") or max(map(len, block)) <= width:
        return block
    if block[0].startswith("|"):
        drawn = _rendered("\n".join(block), width, color=False).split("\n")
        return [line.rstrip() for line in drawn if line.strip()]
    mark = re.match(r"\s*(?:[-*] )?", block[0])
    begin = mark[0] if mark is not None else ""
    words = " ".join([block[0][len(begin) :], *(line.strip() for line in block[1:])])
    lines = wrap(words, width - len(begin))
    return [begin + lines[0], *(" " * len(begin) + line for line in lines[1:])]


def _paged(voice: Voice, text: str) -> None:
    """Print a text, on a terminal that it does not fit through a pager, which is the user's or less."""
    pager = os.environ.get("PAGER", "less")
    fits = text.count("\n") < shutil.get_terminal_size().lines
    if fits or not (sys.stdout.isatty() and sys.stdin.isatty()) or not pager or voice.quiet > 1:
        voice.result(text)
        return
    import signal
    import subprocess

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the pager, which stays
    try:
        environment = {"LESS": "FRX", **os.environ}
        subprocess.run(["/bin/sh", "-c", pager], input=text, text=True, env=environment, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        voice.result(text)
    finally:
        signal.signal(signal.SIGINT, before)


def _unknown(topic: str, known: list[str]) -> UsageError:
    """The error for what no page is called; of a loss, an activation, a metric or a flag, with the way to it."""
    from lossctl.cli.app import wired
    from lossctl.functions.activation import activations
    from lossctl.functions.loss import losses
    from lossctl.functions.metrics import METRICS

    if topic not in losses and topic not in activations and normal(topic) in METRICS:
        what, way = METRICS[normal(topic)]
        return UsageError(f"no page is called {topic!r}: it {what}", way)
    if topic in losses or topic in activations:
        return UsageError(f"no page is called {topic!r}", f"lossctl explain {topic} says what it is.")
    flag = f"--{topic}"
    options = {name: wired(commands.get(name)).params for name in commands.names()}
    having = [name for name in options if any(flag in option.opts for option in options[name])]
    if having:
        name = "eval" if "eval" in having else having[0]
        return UsageError(f"no page is called {topic!r}", f"lossctl help {name} says what {flag} is.")
    close = near(topic, known, cutoff=LIKE)
    hint = did_you_mean(topic, close) if close else "lossctl help lists them."
    return UsageError(f"no page or command is called {topic!r}", hint)
