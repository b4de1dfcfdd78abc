"""Messages of the library in the words of the command line."""

import shlex

from lossctl import errors

FLAGS = {
    "delimiter": "-d",
    "format": "-F",
    "header": "--no-header",
    "ids": "--id",
    "label": "-y",
    "output": "-o",
    "prediction": "-p",
    "weight": "-w",
}
"""Flags that are not the name of the argument after two dashes."""


def flag(name: str, value: str | None = None) -> str:
    """An option as it is typed."""
    typed = FLAGS.get(name, f"--{name.replace('_', '-')}")
    return typed if value in {None, "True", "False"} else f"{typed} {_quoted(str(value))}"


def _quoted(value: str) -> str:
    return value if shlex.quote(value) == value else repr(value)


def worded(text: str) -> str:
    """A message with its options as flags."""
    return errors.worded(text, flag)
