"""SIGHUP, SIGINT and SIGTERM, at any moment: the run ends at once, in silence, and leaves nothing behind.

Until the run begins, and once it is over, a signal ends the process where it is. Meanwhile it is raised as `Ended`, so
that everything is undone; only once, since a second one would interrupt the undoing.

Loaded before all else, and so without `signal`, for which Python loads four more modules: until this is done, Ctrl-C
ends in a traceback.
"""

import _signal  # type: ignore[import-not-found]  # what signal is made of
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn

NUMBERS = tuple(getattr(_signal, name) for name in ("SIGHUP", "SIGINT", "SIGTERM") if hasattr(_signal, name))
PATIENCE = 1.0
"""Seconds that undoing may take before one more signal ends the process where it is."""
BEGIN_FILES = ("lossctl.cli.output", "lossctl.reading.location")
"""Modules whose ``clean`` removes the files that they have begun and not finished."""


class Ended(BaseException):
    """A signal, which unwinds the stack so that no half-written file is left."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def is_quiet(end: BaseException) -> bool:
    """Whether a run that ends so has nothing to say: who sits before it stopped it, or left."""
    interrupted = isinstance(end, Ended) and end.number == _signal.SIGINT
    return interrupted or isinstance(end, BrokenPipeError | KeyboardInterrupt)


class _State:
    raising = False
    """Whether somebody catches what is raised."""
    number = 0
    """The signal that is being answered; 0 for none."""
    since = 0.0


def answer() -> None:
    """Answer the signals from now on, but for those that whoever started us wants ignored, as nohup does."""
    for number in NUMBERS:
        if _signal.getsignal(number) is not _signal.SIG_IGN:
            _signal.signal(number, _answer)
    sys.unraisablehook = _insist


def came() -> int:
    """The number of the signal that is ending the run; 0 where none is."""
    return _State.number


def run(work: "Callable[[], int]") -> int:
    """Do the work of the process; the exit status is what it returns, or says which signal ended it."""
    try:
        _State.raising = True
        status = work()
        _State.raising = False
    except Ended:
        status = 0
    return 128 + _State.number if _State.number else status


def clean() -> None:
    """Remove the files that were begun and are not to stay."""
    for name in BEGIN_FILES:
        clean_up = getattr(sys.modules.get(name), "clean", None)  # loaded only where files are read or written
        if clean_up is not None:
            clean_up()


def leave(status: int) -> "NoReturn":
    """End the process, without the files that were begun.

    Straight out: threads still reading must not keep an interrupted program alive, and the interpreter must not
    complain about a pipe that is gone.
    """
    try:
        clean()
    finally:
        os._exit(status)


def _answer(number: int, frame: "FrameType | None") -> None:  # noqa: ARG001  (what signal.signal calls)
    if _State.number and time.monotonic() - _State.since < PATIENCE:
        return
    if _State.number or not _State.raising:
        leave(128 + number)
    _State.number, _State.since = number, time.monotonic()
    raise Ended(number)


def _insist(ignored: "sys.UnraisableHookArgs") -> None:
    """Signal again, a moment later, where a signal met a destructor or a callback, which cannot raise."""
    if not isinstance(ignored.exc_value, Ended):
        sys.__unraisablehook__(ignored)
        return
    import threading  # noqa: PLC0415  (seldom needed)

    number = ignored.exc_value.number
    # On Windows os.kill ends the process.
    send = _signal.raise_signal if os.name == "nt" else lambda number: os.kill(os.getpid(), number)
    again = threading.Timer(0.01, send, (number,))
    _State.number = 0
    again.start()
