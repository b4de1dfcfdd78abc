"""Every way lossctl can fail: what happened, where, what to do about it, and the exit status.

An error is written for the person who reads it. What he may set is named by `option`, which Python words as an
argument and the command line as a flag; everything else stands as it is.
"""

import re
from collections.abc import Callable

_OPTION = re.compile("\ue000(\\w+)(?:=([^\ue001]*))?\ue001")


def option(name: str = "", /, **setting: object) -> str:
    r"""A keyword argument of `lossctl.evaluate` or another public function, to stand in a message.

    >>> str(UsageError("nulls", f"Leave them out with {option(nulls='drop')}, or {option('nulls')} stops there."))
    "nulls\nLeave them out with nulls='drop', or nulls stops there."
    """
    words = [name, *(f"{key}={value}" for key, value in setting.items())]
    return "".join(f"\ue000{word}\ue001" for word in words if word)


def worded(text: str, option: Callable[[str, str | None], str]) -> str:
    """A text with every option in it as ``option(name, value)`` words it."""
    return _OPTION.sub(lambda met: option(met[1], met[2]), text)


def as_argument(name: str, value: str | None) -> str:
    """An option as Python code says it."""
    plain = value is None or value in {"True", "False"} or value.isdecimal()
    return name if value is None else f"{name}={value if plain else repr(value)}"


class LossctlError(Exception):
    """Root of every error lossctl raises on purpose.

    Args:
        what: what happened and where (file, column, first bad row, value).
        hint: what to do about it; empty when nothing sensible can be said.
    """

    status = 70

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what = what
        self.hint = hint

    @property
    def message(self) -> str:
        """What happened and what to do, with options still to be worded."""
        return f"{self.what}\n{self.hint}" if self.hint else self.what

    def __str__(self) -> str:
        return worded(self.message, as_argument)


class UsageError(LossctlError):
    """The question is wrong: an unknown loss, column or parameter, or options that contradict each other."""

    status = 2


class DataError(LossctlError):
    """The data are wrong: unreadable, null, outside a domain, or nothing left to measure."""

    status = 3
