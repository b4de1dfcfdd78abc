"""The command line of doctor, or of compare, for what another command was asked to look at."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from lossctl.words import shell_word

OUTPUT = frozenset({"-q", "--quiet", "-o"})
"""Options that say where results go, and how much is said beside them."""
FIGURE = "lossctl doctor prints"
"""What a message says of a figure that is no loss, and that doctor has."""


def by_doctor(arguments: Sequence[str], command: Any, doctor: Any) -> str:
    """The line of doctor with the files and the options of another command's that it has too.

    None without a file, and for a command that reads no predictions.

    Args:
        arguments: the words of the command line, behind the command's name.
        command: that command, as Click has it.
        doctor: likewise.
    """
    reads = any("--pred" in option.opts for option in command.params)
    return _line("doctor", arguments, command, doctor, {"-l", "--loss", *OUTPUT}) if reads else ""


def by_compare(arguments: Sequence[str], command: Any, compare: Any) -> str:
    """The line that compares the files of another command, a model each; arguments as for `by_doctor`."""
    return _line("compare", arguments, command, compare, OUTPUT)


def _line(name: str, arguments: Sequence[str], command: Any, other: Any, but: Collection[str]) -> str:
    """The line of a command with the files, and those options that it has but for some; empty without a file."""
    theirs = {flag for option in other.params for flag in option.opts} - {*but}
    words = [(flag, kept) for flag, *kept in _options(arguments, command)]
    files = [word for flag, kept in words if not flag for word in kept]
    asked = [word for flag, kept in words if flag in theirs for word in kept]
    return " ".join(["lossctl", name, *map(shell_word, (*files, *asked))]) if files else ""


def _options(arguments: Sequence[str], command: Any) -> Iterator[list[str]]:
    """Each option of a command line: its flag, and the words that it is; an empty flag before an argument."""
    flags = {flag: option for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    words = iter(arguments)
    for word in words:
        flag = word.partition("=")[0] if word.startswith("--") else word[:2]
        if flag not in flags or not word.startswith("-"):
            yield ["", word]
        elif word != flag or flags[flag].is_flag or flags[flag].count:  # -q may be said again
            yield [flag, word]
        else:
            yield [flag, word, *([value] if (value := next(words, None)) is not None else [])]
