"""What a worker on another machine, or in a process of its own, does with a shard, and what it sends back."""

import contextlib
import functools
import pickle
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.errors import LossctlError, UsageError
from lossctl.evaluation.engine import HELD, ahead, portable
from lossctl.reading.room import Room
from lossctl.reading.unopened import unopened
from lossctl.reading.waiting import patience
from lossctl.version import __version__

_room = Room(HELD)
"""For bytes that the tasks of this worker have asked for before their turn."""


_turns: dict[str, threading.Semaphore] = {}
"""By worker, those of its tasks, of which as many work at a time as it has threads; others may ask meanwhile."""


@functools.cache
def versions() -> dict[str, str]:
    """What must be the same everywhere, or the last digits could differ."""
    return {"lossctl": __version__, "numpy": version("numpy")}


@dataclass(frozen=True)
class Outcome:
    """What became of a shard on a worker."""

    worker: str
    output: Any = None
    """What the function made of it."""
    error: Exception | None = None
    """What the function raised."""
    trace: str = ""
    """The traceback of the error."""
    unfit: LossctlError | None = None
    """Why the worker could not try."""
    untaken: bool = False
    """Whether the item could not be unpickled there, such as damaged rows."""


@dataclass(frozen=True)
class Patient:
    """A function that waits for stores, on a worker, as long as it would here."""

    function: Callable[[Any], Any]
    seconds: float

    def __call__(self, item: Any) -> Any:
        self.heed()
        return self.function(item)

    def heed(self) -> None:
        """Wait so long from now on, also for what is asked for before the function is called."""
        patience.seconds = self.seconds


class Task:
    """Pickles as a call of `perform`: to unpickle it is to do the work."""

    def __init__(self, needed: dict[str, str], function: bytes, items: list[bytes]) -> None:
        self.call = perform, (needed, function, items)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def perform(needed: dict[str, str], function: bytes, items: list[bytes]) -> bytes:
    """Apply a function to some items, here on a worker; raises nothing, because a task must not fail.

    Args:
        needed: what must be installed here: versions by package.
        function: the function, pickled.
        items: the items, pickled one by one.

    Returns:
        A pickle of the seconds it took, but those in which it waited for small files elsewhere, and of a list of
        pickled outcomes, up to the first that is no success.
    """
    from cloudpickle import dumps
    from distributed import get_worker

    worker = get_worker()
    turn = _turns.setdefault(worker.address, threading.Semaphore(worker.state.nthreads))
    calls = [_prepared(needed, function, item) for item in items]
    outcomes: list[bytes] = []
    # What waiting takes is no reason for smaller tasks, which wait more.
    clock = time.monotonic if unopened(calls[-1].item) is None else time.thread_time
    with contextlib.ExitStack() as stack:
        stack.callback(_forget, calls)
        for call in ahead(_followed(calls), lambda call: call.item, _room):
            if not outcomes:
                stack.enter_context(turn)
                start = clock()
            outcome, packed = _outcome(call)
            outcomes.append(packed)
            if outcome.error is not None or outcome.unfit is not None:
                break
        seconds = clock() - start
    return bytes(dumps((seconds, outcomes)))


def _followed(calls: "Iterable[_Call]") -> "Iterator[_Call]":
    """The calls; once the files of all were asked for, the next task may begin, and ask while these are read.

    It waits for its turn before it reads any.
    """
    from distributed import Status, get_worker, secede

    for call in calls:
        yield call
    # To one that closes no task comes any more, and it has the lock that seceding takes while it waits for this thread.
    if unopened(call.item) is not None and get_worker().status == Status.running:
        secede()


def _forget(calls: "Iterable[_Call]") -> None:
    """Leave what was asked for and not read."""
    for call in calls:
        shard = unopened(call.item)
        if shard is not None:
            shard.forget()


def _outcome(call: "_Call") -> tuple[Outcome, bytes]:
    """The outcome of a call, and its pickle."""
    from cloudpickle import dumps
    from distributed import get_worker

    worker = get_worker().address
    try:
        outcome = Outcome(worker, call())
        return outcome, dumps(outcome)
    except _Untaken:
        outcome = Outcome(worker, untaken=True)
    except _Unfit as unfit:
        what, hint = unfit.args
        outcome = Outcome(worker, unfit=UsageError(f"{what} on worker {worker}", hint))
    except Exception as error:  # noqa: BLE001  (raised again when its turn comes)
        trace = traceback.format_exc()
        sent = portable(error.with_traceback(None), dumps)  # the traceback would have been pickled with it
        outcome = Outcome(worker, error=sent, trace=trace)
    return outcome, dumps(outcome)


class _Unfit(Exception):
    """Something is missing on this worker: what, and what to do about it."""


class _Untaken(Exception):
    """The item cannot be unpickled on this worker."""


@dataclass(frozen=True)
class _Call:
    """The call of a function with an item, or why it cannot be made."""

    function: Patient | None = None
    item: Any = None
    refusal: Exception | None = None

    def __call__(self) -> Any:
        """What the function makes of the item.

        Raises:
            _Unfit: a version differs, or something that the function or the item needs is not installed here.
            _Untaken: the item is damaged.
            Exception: what the function raises.
        """
        if self.function is None:
            raise self.refusal or _Untaken
        return self.function(self.item)


def _prepared(needed: dict[str, str], function: bytes, item: bytes) -> _Call:
    """The call to make."""
    for name, wanted in needed.items():
        if (installed := versions()[name]) != wanted:
            what, hint = f"{name} is {wanted} here, but {installed}", f"Install it there: pip install {name}=={wanted}"
            return _Call(refusal=_Unfit(what, hint))
    try:
        patient: Patient = pickle.loads(function)  # noqa: S301  (from the client, through Dask)
        patient.heed()
        return _Call(patient, pickle.loads(item))  # noqa: S301  (likewise)
    except pa.ArrowException:
        return _Call(refusal=_Untaken())
    except Exception as error:  # noqa: BLE001  (whatever a plug-in that is missing may cause)
        what = error.what if isinstance(error, LossctlError) else f"{type(error).__name__}: {error}"
        return _Call(refusal=_Unfit(what, "It is known where you are: install its package on every worker."))
