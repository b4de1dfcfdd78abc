"""The standard streams, whatever whoever started us made of them."""

import contextlib
import errno
import io
import os
import sys
from typing import NoReturn


class Closed(io.TextIOBase):
    """A stream that is closed from the start: an error for whoever has something to write."""

    def __init__(self, name: str) -> None:
        self.title = name

    def write(self, text: str, /) -> NoReturn:  # noqa: ARG002
        """Fail as the operating system would."""
        raise OSError(errno.EBADF, "is closed", self.title)

    def fileno(self) -> NoReturn:
        """Fail as the operating system would."""
        self.write("")


def repair() -> None:
    """Have three standard streams that can be used, and lose no letter.

    Nothing else must come by the descriptor of a stream that is closed: what a library says on stderr would be written
    into a file. A file or pipe gets UTF-8, as files that are written do; a terminal gets escapes for what it lacks.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003  (the lowest that is free)
    if sys.stdout is None:
        sys.stdout = Closed("stdout")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  (until the end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            kept = stream is sys.stderr or stream.isatty()
            stream.reconfigure(encoding=None if kept else "utf-8", errors="backslashreplace")
