"""The command line of doctor for what another command was asked to look at."""

from collections.abc import Iterator, Sequence
from typing import Any

from lossctl.words import shell_word

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
    theirs = {flag for option in doctor.params for flag in option.opts} - {"-l", "--loss", "-q", "--quiet", "-o"}
    words = [(flag, kept) for flag, *kept in _options(arguments, command)]
    reads = any("--pred" in option.opts for option in command.params)
    files = [word for flag, kept in words if not flag for word in kept]
    asked = [word for flag, kept in words if flag in theirs for word in kept]
    return " ".join(["lossctl", "doctor", *map(shell_word, (*files, *asked))]) if files and reads else ""


def _options(arguments: Sequence[str], command: Any) -> Iterator[list[str]]:
    """Each option of a command line: its flag, and the words that it is; an empty flag before an argument."""
    flags = {flag: option for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    words = iter(arguments)
    for word in words:
        flag = word.partition("=")[0] if word.startswith("--") else word[:2]
        if flag not in flags or not word.startswith("-"):
            yield ["", word]
        elif word != flag or flags[flag].is_flag:
            yield [flag, word]
        else:
            yield [flag, word, *([value] if (value := next(words, None)) is not None else [])]
