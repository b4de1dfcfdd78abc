"""What a command is: a function of groups of options, spelled out for Typer; and where its words go.

Imported for ``--help``, so neither NumPy nor Arrow may be imported here.
"""

import contextlib
import copy
import functools
import inspect
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any, TextIO, get_args, get_origin

import typer
from typer._click.globals import get_current_context  # Typer has no name for it

from lossctl.cli.flags import worded
from lossctl.dataclass import dataclass
from lossctl.errors import UsageError
from lossctl.registry import Registry
from lossctl.words import printable

if TYPE_CHECKING:
    from lossctl.evaluation.prepared import Prepared
    from lossctl.functions.bound_loss import BoundLoss
    from lossctl.rendering.renderer import Style


@dataclass(frozen=True)
class Entry:
    """A command as the application wires it."""

    name: str
    run: Callable[..., None]
    """Its signature is what Typer makes options of."""
    epilog: str


commands: Registry[Entry] = Registry("command", "lossctl.cli.commands", group="lossctl.commands")

Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Tracebacks of bugs.", rich_help_panel="Running")]
"""On every command, and read by the application, which is who meets the bugs."""


SETTLED = "lossctl.settled"
"""Under which a context holds what is said elsewhere than on the command line, where something is."""


class Action:
    """Marks an option that says what to do, which no configuration can: ``Annotated[bool, option, Action]``."""


Config = Annotated[
    str | None, typer.Option("--config", metavar="FILE", help="The configuration, instead of the nearest."), Action
]
Isolated = Annotated[
    bool, typer.Option("--isolated", help="Neither a configuration nor variables of the environment."), Action
]
"""On the program, and on every command without being listed there."""


def _unlisted(annotation: Any) -> Any:
    """An option that works, and that help does not list."""
    kind, option, *notes = get_args(annotation)
    hidden = copy.copy(option)
    hidden.hidden, hidden.help = True, ""
    return Annotated[kind, hidden, *notes]


class Without:
    """Which options of a group a command cannot honour, and so does not have: ``Annotated[Group, Without("name")]``."""

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)


def command(name: str, example: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of a function that takes groups of options (see `lossctl.cli.options`) and its own options.

    Args:
        name: what the command is called.
        example: a command line to end its help with.
    """

    def register(run: Callable[..., None]) -> Callable[..., None]:
        flat = spelled_out(run)
        commands.add(name, Entry(name, flat, f"Example: {example}"))
        return flat

    return register


def spelled_out(run: Callable[..., None]) -> Callable[..., None]:
    """The function as Typer reads it: each group is replaced by its options, which are packed again when it is called.

    A group is a dataclass whose fields are options: their annotations hold what Typer wants to know.
    """
    groups: dict[str, tuple[Any, list[str]]] = {}
    parameters: list[Parameter] = []
    for parameter in inspect.signature(run).parameters.values():
        kind, *notes = get_args(parameter.annotation) if _is_annotated(parameter) else [parameter.annotation]
        if not is_dataclass(kind):
            parameters.append(parameter)
            continue
        left_out = frozenset().union(*(note.names for note in notes if isinstance(note, Without)))
        options = [
            Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
            for field in fields(kind)
            if field.name not in left_out
        ]
        groups[parameter.name] = kind, [option.name for option in options]
        parameters += options
    parameters += [
        Parameter("verbose", Parameter.KEYWORD_ONLY, default=False, annotation=Verbose),
        Parameter("config", Parameter.KEYWORD_ONLY, default=None, annotation=_unlisted(Config)),
        Parameter("isolated", Parameter.KEYWORD_ONLY, default=False, annotation=_unlisted(Isolated)),
    ]

    @functools.wraps(run)
    def flat(**values: Any) -> None:
        for name in ("verbose", "config", "isolated"):
            values.pop(name, None)  # the application has read them
        packed = {name: kind(**{option: values.pop(option) for option in its}) for name, (kind, its) in groups.items()}
        run(**packed, **values)

    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return flat


def _is_annotated(parameter: Parameter) -> bool:
    return get_origin(parameter.annotation) is Annotated


def is_typed(name: str) -> bool:
    """Whether the command line says an option, rather than a variable or a configuration: these are for all commands.

    Args:
        name: its parameter; where no command runs, whatever it is was given.
    """
    context = get_current_context(silent=True)
    source = None if context is None else context.get_parameter_source(name)
    return source is None or source.name == "COMMANDLINE"


def given(*groups: Any, but: tuple[str, ...] = ()) -> Iterator[str]:
    """The long flags of the options that are typed, and not as when they are left out.

    Args:
        groups: values of groups.
        but: names of fields not to look at.
    """
    for group in groups:
        for field in fields(group):
            if field.name not in but and getattr(group, field.name) != field.default and is_typed(field.name):
                option = field.type.__metadata__[0]  # type: ignore[union-attr]  # Annotated, which typeshed does not know
                yield next(flag for flag in (option.default, *option.param_decls) if flag.startswith("--"))


def as_typed(group: Any) -> Any:
    """A group of options as the command line alone says them: what is for data is not meant for the name of a loss."""
    unsaid = {field.name: field.default for field in fields(group) if not is_typed(field.name)}
    return replace(group, **unsaid)


def refuse_given(*groups: Any, because: str, hint: str = "", but: tuple[str, ...] = ()) -> None:
    """Refuse options that the other arguments leave nothing to do for.

    Args:
        groups, but: as for `given`.
        because: what follows the flag in the message.
        hint: what to do about it.

    Raises:
        UsageError: one of them is given.
    """
    for flag in given(*groups, but=but):
        raise UsageError(f"{flag} {because}", hint)


class Color(StrEnum):
    """When to colour."""

    auto = "auto"
    always = "always"
    never = "never"


RED, GREEN = "1;31", "32"
HEADS = {"error:": RED, "FAIL": RED, "PASS": GREEN}
"""How a line is coloured up to its first blank."""


def tell(*lines: str, when: Color = Color.auto) -> None:
    """Write lines to stderr, to which there is no other way; that nobody listens there changes nothing.

    On a terminal they end between words, but for those that are indented: they are to be copied.
    """
    with contextlib.suppress(OSError, ValueError):
        width, color = _width_of(sys.stderr), colored(when, sys.stderr)
        shown = [
            "\n".join(folded(line, width)) if width and not line.startswith("  ") else line
            for line in map(printable, lines)
        ]
        print(*(map(_headed, shown) if color else shown), sep="\n", file=sys.stderr)


def _width_of(stream: TextIO) -> int:
    """The columns of the terminal that a stream is; 0 where it is none, or does not say."""
    if stream is None or not stream.isatty():
        return 0
    told = os.environ.get("COLUMNS", "")
    try:
        return int(told) if told.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0


def folded(line: str, width: int) -> Iterator[str]:
    """A line as lines of no more than ``width`` columns that end between words; a word is not broken."""
    size: Callable[[str], int] = len
    if not line.isascii():
        from rich.cells import cell_len

        size = cell_len
    first, *words = line.split(" ")
    for word in words:
        if size(first) + 1 + size(word) <= width:
            first += f" {word}"
        else:
            yield first
            first = f"  {word}"
    yield first


def _headed(line: str) -> str:
    """A line with its head coloured, where it has one."""
    head, blank, rest = line.partition(" ")
    return f"\x1b[{HEADS[head]}m{head}\x1b[0m{blank}{rest}" if head in HEADS else line


@dataclass(frozen=True)
class Voice:
    """Where words for the user go: results to stdout, everything else to stderr."""

    quiet: int = 0
    color: Color = Color.auto

    def result(self, text: str) -> None:
        """Something asked for."""
        if self.quiet < 2:
            sys.stdout.write(text)
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Something good to know."""
        if not self.quiet:
            tell(f"note: {worded(text)}")

    def warn(self, text: str) -> None:
        """Something that may be wrong."""
        if self.quiet < 2:
            tell(f"warning: {worded(text)}")

    def remark(self, notes: Iterable[str], warnings: Iterable[str]) -> None:
        """Say what there is to note, and then what is to be warned of."""
        for note in notes:
            self.note(note)
        for warning in warnings:
            self.warn(warning)

    def say(self, *lines: str) -> None:
        """A verdict, or what was written."""
        if self.quiet < 2:
            tell(*lines, when=self.color)


def colored(when: Color, stream: TextIO | None = None) -> bool:
    """Whether to colour a stream, stdout where none is given."""
    stream = sys.stdout if stream is None else stream
    if when is not Color.auto:
        return when is Color.always
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def style_of(when: Color, precision: int | None) -> "Style":
    """How to write for the terminal there is."""
    from lossctl.rendering.renderer import Style

    return Style(width=shutil.get_terminal_size().columns, color=colored(when), precision=precision)


@contextlib.contextmanager
def progress_bar(files: list[str], *, wanted: bool) -> Iterator[Callable[[int], None]]:
    """A function to call with bytes as they are done: a bar on stderr after one second, on a terminal only."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _: None
        return
    import time

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    total = sum(os.path.getsize(path) for path in files if os.path.isfile(path))
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task, begun = bar.add_task("reading", total=total), time.monotonic()

    def advance(nbytes: int) -> None:
        bar.advance(task, nbytes)
        if time.monotonic() - begun > 1.0:
            bar.start()

    try:
        yield advance
    finally:
        if bar.live.is_started:  # else a terminal that cannot show it would get an empty line
            bar.stop()


def prepared(voice: Voice, *arguments: Any, **options: Any) -> "Prepared":
    """`lossctl.evaluation.prepared.prepare`, saying what was chosen and which pairs are risky."""
    from lossctl.evaluation.prepared import prepare

    found = prepare(*arguments, **options)
    for note in found.plan.roles.notes:
        voice.note(note)
    for doubt in found.plan.doubts:
        voice.warn(doubt)
    return found


def through(voice: Voice, bound: "BoundLoss", activation: str | None, *, from_logits: bool) -> "BoundLoss":
    """The loss through the activation asked for, saying whether the pair is risky.

    Raises:
        UsageError: an unknown activation, or both ways of asking.
    """
    from lossctl.functions.pairing import doubts

    if from_logits and activation is not None:
        raise UsageError("--from-logits and --activation say the same thing twice", "Give one.")
    found = bound.from_logits() if from_logits else bound.through(activation)
    for doubt in doubts(found, 2 if found.rows else 1):
        voice.warn(doubt)
    return found
