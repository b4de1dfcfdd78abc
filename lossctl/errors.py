"""Every way lossctl can fail: what happened, where, what to do about it, and the exit status.

An error is written for the person who reads it. What he may set is named by `option`, which Python words as an
argument and the command line as a flag; everything else stands as it is.
"""

import re
from collections.abc import Callable
from typing import Self

from lossctl.words import printable

_OPEN, _SHUT, _BETWEEN = "\ud800", "\ud801", "\ud802"
"""What marks an option in a message: signs that no file, no name of a file and no command line can hold."""
_OPTION = f"{_OPEN}(\\w+)(?:=([^{_SHUT}]*))?{_SHUT}"
OF_READING = {
    name: name
    for name in (
        "comment", "decimal", "delimiter", "encoding", "format", "header", "max_line", "quote", "skip_rows",
        "thousands", "timeout", "verify",
    )
} | {"null_values": "nulls"}  # fmt: skip
"""What of the options are fields of a `lossctl.Reading`, and how they are called there."""


def option(name: str = "", /, **setting: object) -> str:
    r"""What a caller may set, to stand in a message: an argument in Python, a flag on the command line.

    >>> str(UsageError("nulls", f"Leave them out with {option(nulls='drop')}, or {option('nulls')} stops there."))
    "nulls\nLeave them out with nulls='drop', or nulls stops there."
    """
    words = [name]
    for key, value in setting.items():
        words.append(f"{key}={_BETWEEN.join(value) if isinstance(value, list) else value}")
    return "".join(f"{_OPEN}{word}{_SHUT}" for word in words if word)


def worded(text: str, option: Callable[[str, list[str]], str]) -> str:
    """A text with every option in it as ``option(name, values)`` words it; no value is a mere mention."""
    return re.sub(_OPTION, lambda met: option(met[1], [] if met[2] is None else met[2].split(_BETWEEN)), text)


def argued(text: str) -> str:
    """A text with every option in it as Python code says it."""
    return worded(text, _argument)


def options_in(text: str) -> set[str]:
    """The names of the options in a text."""
    return {met[1] for met in re.finditer(_OPTION, text)}


def _printable(text: str) -> str:
    """A text that can be shown, with its options as they are."""
    pieces, end = [], 0
    for marked in re.finditer(_OPTION, text):
        pieces += [printable(text[end : marked.start()]), marked[0]]
        end = marked.end()
    return "".join([*pieces, printable(text[end:])])


def _argument(name: str, values: list[str]) -> str:
    """An option as Python code says it."""
    plain = [value if value in {"True", "False"} or value.isdecimal() else printable(repr(value)) for value in values]
    setting = plain[0] if len(plain) == 1 else f"[{', '.join(plain)}]"
    if name in OF_READING:
        return f"reading=Reading({OF_READING[name]}={setting if values else '…'})"
    return f"{name}={setting}" if values else name


def origin(error: BaseException) -> BaseException:
    """What an error began with."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def reason(error: BaseException) -> str:
    """The first line of what an error began with."""
    return f"{origin(error)}".strip().partition("\n")[0] or type(origin(error)).__name__


Ways = tuple[tuple[tuple[str, str | bool | float], ...], ...]
"""Settings to ask for, each a name with its value; some for each way to go on."""


class LossctlError(Exception):
    """Root of every error lossctl raises on purpose.

    Names and values in it come from anywhere: they are made printable, and each part is one line.

    Args:
        what: what happened and where (file, column, first bad row, value).
        hint: what to do about it; empty when nothing sensible can be said.
    """

    status = 70
    elsewhere: tuple[str, ...] = ()
    """Where its options are set, one sentence each, for those that the caller has not set himself."""
    ways: Ways = ()
    """What could be asked beside, or instead; best first."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.parts = _printable(what), _printable(hint)
        """What happened and what to do, with options still to be worded."""
        super().__init__(*self.parts)

    @property
    def what(self) -> str:
        """What happened, and where."""
        return worded(self.parts[0], _argument)

    @property
    def hint(self) -> str:
        """What to do about it; empty when nothing sensible can be said."""
        return worded(self.parts[1], _argument)

    @property
    def message(self) -> str:
        """What happened and what to do, with options still to be worded."""
        return "\n".join(filter(None, self.parts))

    def about(self, subject: str) -> Self:
        """The same error with what it is about in front."""
        return type(self)(f"{subject}: {self.parts[0]}", self.parts[1])

    def __str__(self) -> str:
        return worded(self.message, _argument)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.what!r}, {self.hint!r})"


class UsageError(LossctlError):
    """The question is wrong: an unknown loss, column or parameter, or options that contradict each other."""

    status = 2


class Undecided(UsageError):
    """The question leaves out what the data do not tell.

    Args:
        what, hint: as for every error.
        ways: what could be asked instead, best first.
    """

    def __init__(self, what: str, hint: str = "", ways: Ways = ()) -> None:
        self.ways, self.otherwise = ways, hint
        said = (", ".join(option(**{name: value}) for name, value in way) for way in ways)
        super().__init__(what, f"Say {'; or '.join(said)}." if ways else hint)


class DataError(LossctlError):
    """The data are wrong: unreadable, null, outside a domain, or nothing left to measure."""

    status = 3


def too_little_memory(subject: str) -> DataError:
    """The error for a `MemoryError` that was met in reading something."""
    return DataError(f"{subject}: too little memory", f"Less is held at once with {option(threads=1)}.")
