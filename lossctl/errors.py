"""Every way lossctl can fail: what happened, where, what to do about it, and the exit status.

An error is written for the person at the terminal. ``str(error)`` is the whole message; the command line adds
nothing but ``error:`` in front of it.
"""


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

    def __str__(self) -> str:
        return f"{self.what}\n{self.hint}" if self.hint else self.what


class UsageError(LossctlError):
    """The question is wrong: an unknown loss, column or parameter, or flags that contradict each other."""

    status = 2


class DataError(LossctlError):
    """The data are wrong: unreadable, null, outside a domain, or nothing left to measure."""

    status = 3
