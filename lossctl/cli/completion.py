"""What a shell completes: the word under its cursor, told from the words around it.

Typer's own way knows neither what stands behind the cursor nor what is no file, and loses words with spaces, colons and
quotes. Which shell it is matters in `lossctl.cli.shells` alone.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperGroup

from lossctl.cli.command import Voice
from lossctl.cli.help import brief
from lossctl.cli.input_options import Input
from lossctl.cli.shells import SHELLS, Line, Offer
from lossctl.dataclass import dataclass

if TYPE_CHECKING:
    from lossctl.reading.format import Reading

FILES = ("FILE", "PATH")
"""What the metavar of a parameter says whose values are names of files."""


def answer(program: TyperGroup, shell: str, arguments: list[str]) -> int:
    """Write what a shell asked for; it gets nothing rather than words about what is wrong."""
    asked, written = SHELLS[shell]
    try:
        line = asked(arguments)
        with redirect_stdout(sys.stderr):  # a plug-in may print
            offered = offer(program, line)
        Voice().result(written(line, offered))
    except Exception:  # noqa: BLE001  (a traceback would be drawn into the line that is being typed)
        return 1
    return 0


@dataclass(frozen=True)
class Word:
    """The word to complete, on the line of a command."""

    context: Any
    """The command with the other words."""
    parameter: Any
    """Of which it is the value; ``None`` where it is a flag or a word too many."""
    flag: str
    """What of the word is no value: the flag of ``--flag=value`` or ``-fvalue``."""
    value: str


def offer(program: TyperGroup, line: Line) -> Offer:
    """What the word under the cursor may become."""
    root = program.make_context("lossctl", [], resilient_parsing=True, obj=_reading)
    words = zip(("", *line.before), line.before, strict=False)
    name = next((word for before, word in words if not word.startswith("-") and before != "--config"), None)
    if name is None:
        return Offer(_items(program.shell_complete(root, line.current)))
    command = program.get_command(root, name)
    if command is None:
        return Offer(())
    place = line.before.index(name)
    word = _word(command, [*line.before[place + 1 :]], line.current, list(line.after), root)
    if word.parameter is None:
        named = word.value.startswith("-") and "--" not in line.before
        return Offer(_flags(word) if named else ())
    completed = _items(word.parameter.shell_complete(word.context, word.value))
    files = any(sign in (word.parameter.metavar or "") for sign in FILES)
    return Offer(tuple((word.flag + text, about) for text, about in completed), files=files)


def _reading(values: Mapping[str, Any]) -> "Reading":
    """How the values of options say that files are read."""
    said = {field.name: values.get(field.name) for field in fields(Input)}
    return Input(**{name: value for name, value in said.items() if value is not None}).reading()


def _word(command: Any, before: list[str], current: str, after: list[str], root: Any) -> Word:
    options = {flag: option for option in command.params for flag in option.opts if _takes_value(option)}
    flag, value, parameter = "", current, None
    if before and before[-1] in options and "--" not in before[:-1]:
        parameter = options[before.pop()]
    elif "--" not in before:
        start = current.partition("=")[0] if current.startswith("--") else current[:2]
        if start in options and len(current) > len(start):
            flag = start + "=" if current.startswith("--") else start
            parameter, value = options[start], current.removeprefix(flag)
    context = command.make_context(command.name, [*before, *after], parent=root, resilient_parsing=True)
    if parameter is None and (not value.startswith("-") or value == "-" or "--" in before):
        free = (it for it in command.params if isinstance(it, TyperArgument))
        parameter = next((it for it in free if it.nargs == -1 or not context.params.get(it.name)), None)
        if value == "-":
            parameter = None
    return Word(context, parameter, flag, value)


def _takes_value(option: Any) -> bool:
    return not (isinstance(option, TyperArgument) or option.is_flag or option.count)


def _flags(word: Word) -> tuple[tuple[str, str], ...]:
    """The flags that begin so, but for those that the line has and that are not repeatable."""
    context = word.context
    options = [it for it in context.command.get_params(context) if not isinstance(it, TyperArgument)]
    return tuple(
        (flag, brief(option.help))
        for option in options
        if option.multiple or option.count or not _is_given(context, option)
        for flag in option.opts
        if flag.startswith(word.value)
    )


def _is_given(context: Any, option: Any) -> bool:
    source = context.get_parameter_source(option.name)
    return source is not None and source.name == "COMMANDLINE"


def _items(completed: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((item.value, item.help or "") for item in completed)
