"""Command lines that can be pasted into a shell."""

import shlex
from collections.abc import Sequence

from lossctl.inference.fit import Fit, Settings

SHORT = {"label": "-y", "pred": "-p", "weight": "-w"}
"""Flags of columns; the long form takes values that begin with a dash."""


def quoted(word: str) -> str:
    """A word as a shell takes it; what cannot be printed is escaped, so that it cannot command the terminal."""
    if word.isprintable():
        return shlex.quote(word)
    signs = (
        sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in word.replace("\\", r"\\").replace("'", r"\'")
    )
    return f"$'{''.join(signs)}'"


def spelled(flag: str, value: str) -> list[str]:
    """A flag of a column and its value as a shell takes them."""
    return [f"--{flag}={quoted(value)}"] if value.startswith("-") else [SHORT[flag], quoted(value)]


def eval_command(shared: Sequence[str], predictions: Sequence[str], losses: Sequence[str], fit: Fit) -> str:
    """The complete command line: shell words, to be copied.

    Args:
        shared: words for the input and the label, quoted.
        predictions: a pattern for each model.
        losses: the losses, as a user types them.
        fit: the task and pairing of these models.
    """
    words = ["lossctl", "eval", *shared]
    for pattern in predictions:
        words += spelled("pred", pattern)
    words += ["-l", quoted(",".join(losses))]
    return " ".join([*words, *flags(fit.settings)])


def flags(settings: Settings) -> list[str]:
    """Fields of a request as flags of the command line, quoted."""
    named = ((f"--{name.replace('_', '-')}", value) for name, value in settings)
    return [quoted(flag if value is True else f"{flag}={value}") for flag, value in named]
