"""The help of a command: one line an option, in panels; the words that an option has besides are in `lossctl help`."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from lossctl.cli.choices import filled
from lossctl.cli.command import SETTLED, Color, Voice, colored, commands
from lossctl.cli.nearest import something_is_set
from lossctl.errors import LossctlError, UsageError

if TYPE_CHECKING:
    from lossctl.cli.precedence import Settled

PANELS: Final = ("Columns", "Loss", "Shapes", "Input", "Output", "Running")
"""In their order; in the last are options that name none."""
TRACEBACK: Final = "with its traceback"
"""The note on a bug whose traceback is to be shown."""
LEFT: Final = 27
"""What flags take at most before their words begin beside them."""


def brief(text: str | None) -> str:
    """What stands before the first full stop or semicolon, with its choices: it fits beside the flag."""
    return filled(re.split(r"(?<=\S)[.;](?:\s|$)", text or "", maxsplit=1)[0], ", ") or ""


def whole(text: str | None) -> str:
    """All of it, with its choices."""
    return filled(text, ", ") or ""


def panels(command: Any, context: Any) -> dict[str, list[Any]]:
    """The options of a command by panel."""
    by_panel: dict[str, list[Any]] = {panel: [] for panel in PANELS}
    for option in command.get_params(context):
        if not isinstance(option, TyperArgument) and not getattr(option, "hidden", False):
            by_panel.setdefault(getattr(option, "rich_help_panel", None) or PANELS[-1], []).append(option)
    return {panel: options for panel, options in by_panel.items() if options}


def spelled(option: Any) -> str:
    """The flags of an option and what follows them."""
    flags = sorted(option.opts, key=len, reverse=True)
    return " ".join([*flags, *([] if option.is_flag or option.count else [value_of(option)])])


def value_of(option: Any) -> str:
    """What stands for the value of an option."""
    return filled(option.metavar, "|") or "|".join(getattr(option.type, "choices", ())) or "N"


def usual(option: Any) -> str:
    """The default of an option that is worth to be told."""
    default = option.default
    if callable(default) or default in (None, "", 0, False) or option.is_flag or option.count:
        return ""
    return f" [{getattr(default, 'value', default)}]"


def bounds(option: Any) -> str:
    """Which numbers an option takes, where not all."""
    low, high = getattr(option.type, "min", None), getattr(option.type, "max", None)
    if option.count or low is None:
        return ""
    return f" [{low} or more]" if high is None else f" [{low} to {high}]"


def titled(argument: Any) -> str:
    """What stands for an argument, in brackets where it may be left out."""
    name: str = argument.metavar or argument.name.upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def usage(command: Any) -> str:
    """What follows the name of a command."""
    if isinstance(command, TyperGroup):
        return "COMMAND [OPTIONS] [ARGUMENTS]"
    return " ".join(["[OPTIONS]", *(titled(one) for one in command.params if isinstance(one, TyperArgument))])


def shown(command: Any, context: Any, *, short: bool = True) -> str:
    """The help of a command as it stands on a terminal.

    Args:
        command: the command.
        context: its context.
        short: whether each option has its first words alone.
    """
    words, width = brief if short else whole, max(shutil.get_terminal_size().columns, 40)
    colour = colored(Color.auto)
    lines = [f"Usage: {context.command_path} {usage(command)}", ""]
    for paragraph in (command.help or "").split("\n\n"):
        lines += [*wrap(" ".join(paragraph.split()), width - 1), ""]
    arguments = [(titled(argument), words(argument.help)) for argument in command.params if _helped(argument)]
    for name, text in arguments:
        lines += [*wrap(f"{name}  {text}", width - 1, "  "), ""]
    rows = {
        title: [
            (spelled(option), words(option.help) + usual(option) + ("" if short else bounds(option)))
            for option in options
        ]
        for title, options in panels(command, context).items()
    }
    if isinstance(command, TyperGroup):
        listed = [(name, command.commands[name].help or "") for name in command.list_commands(context)]
        rows = {
            "Commands": [(name, text.partition("\n\n")[0]) for name, text in listed],
            "Options": rows.pop(PANELS[-1]),
        }
    left = min(max((len(flags) for options in rows.values() for flags, _ in options), default=0), LEFT)
    for number, (title, options) in enumerate(rows.items()):
        ends = "├┤" if number else "╭╮"
        lines.append(_faint(f"{ends[0]}─ {title} ".ljust(width - 1, "─") + ends[1], colour))
        for flags, text in options:
            lines += _boxed(flags, text, left, width, colour)
    lines.append(_faint("╰" + "─" * (width - 2) + "╯", colour))
    example = wrap(command.epilog or "", width - 1, "  ")
    more = [f"All words on each option: lossctl help {command.name}"] if short and command.name != "help" else []
    if isinstance(command, TyperGroup):
        more = ["Pages: lossctl help"]
    return "\n".join([*lines, *example, *more]) + "\n"


def _helped(parameter: Any) -> bool:
    return isinstance(parameter, TyperArgument) and bool(parameter.help)


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Text in lines; a flag stays whole."""
    import textwrap

    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def _boxed(flags: str, text: str, left: int, width: int, colour: bool) -> Iterator[str]:  # noqa: FBT001
    """The lines of an option between the sides of the box."""
    begin = max(left, len(flags)) + 2
    pieces = wrap(text, max(width - begin - 4, 8)) or [""]
    side = _faint("│", colour)
    for number, piece in enumerate(pieces):
        head = flags.ljust(begin) if number == 0 else " " * begin
        room = " " * max(width - 4 - begin - len(piece), 0)
        names = typer.style(head, bold=True, fg="cyan") if colour and number == 0 else head
        yield f"{side} {names}{piece}{room} {side}"


def _faint(text: str, colour: bool) -> str:  # noqa: FBT001
    return typer.style(text, dim=True) if colour else text


class Helped:
    """A command or the program, whose help is drawn here."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  (Click hands it over)
        """Print the help: what Click would do with it where no command is named is another matter."""
        Voice().result(shown(self, ctx))


ABOUT_THE_RUN: Final = {"color", "form", "precision", "engine", "scheduler", "threads"}
"""The parameters that decide no number, of which the last counts."""


def _ensure_once(typed: list[Any]) -> None:
    """Refuse an option of one value that is typed twice, where the first would be forgotten and change what is told."""
    counts = Counter(parameter.name for parameter in typed)
    for parameter in typed:
        once = isinstance(parameter, TyperOption) and not (parameter.multiple or parameter.is_flag or parameter.count)
        if once and counts[parameter.name] > 1 and parameter.name not in ABOUT_THE_RUN:
            flag = max(parameter.opts, key=len)
            several = "," in str(parameter.metavar)
            hint = f"Its values stand in one list: {flag} {parameter.metavar}." if several else "Give one."
            raise UsageError(f"{flag} is given twice", hint)


class Command(Helped, TyperCommand):
    """A command, whose options are set by variables and a configuration where the command line leaves them out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line, once it is known what else is said."""
        if not ctx.resilient_parsing:
            typed, _, order = self.make_parser(ctx).parse_args(args=[*args])
            _ensure_once(order)
            above = {} if ctx.parent is None else ctx.parent.params
            config, isolated = (typed.get(name, above.get(name)) for name in ("config", "isolated"))
            if not typed.get("help") and (config is not None or something_is_set()):
                from lossctl.cli.precedence import settled

                run = commands.get(self.name or "").run
                try:
                    elsewhere = settled(run, {*typed}, config, isolated=bool(isolated))
                except LossctlError as error:
                    if config is None and self.name != "check" and "--isolated" not in error.message:
                        error.elsewhere = ("--isolated goes without it.",)
                    raise
                ctx.meta[SETTLED], ctx.default_map = elsewhere, dict(elsewhere.values)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run it; an error that is about an option says what has set it."""
        elsewhere: Settled | None = ctx.meta.get(SETTLED)
        if elsewhere is not None and elsewhere.note:
            Voice(ctx.params.get("quiet", 0), ctx.params.get("color", Color.auto)).note(elsewhere.note)
        try:
            return super().invoke(ctx)
        except LossctlError as error:
            if elsewhere is not None:
                elsewhere.place(error)
            raise
        except Exception as bug:
            if ctx.params.get("verbose"):
                bug.add_note(TRACEBACK)
            raise
