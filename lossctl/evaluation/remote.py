"""What a worker on another machine, or in a process of its own, does with a shard, and what it sends back."""

import functools
import pickle
import time
import traceback
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.errors import LossctlError, UsageError
from lossctl.evaluation.engine import portable
from lossctl.reading.waiting import patience
from lossctl.version import __version__


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
        patience.seconds = self.seconds
        return self.function(item)


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
        A pickle of the seconds it took, and of a list of pickled outcomes, up to the first that is no success.
    """
    from cloudpickle import dumps

    start, outcomes = time.monotonic(), []
    for item in items:
        outcome, packed = _outcome(needed, function, item)
        outcomes.append(packed)
        if outcome.error is not None or outcome.unfit is not None:
            break
    return bytes(dumps((time.monotonic() - start, outcomes)))


def _outcome(needed: dict[str, str], function: bytes, item: bytes) -> tuple[Outcome, bytes]:
    """The outcome of one item, and its pickle."""
    from cloudpickle import dumps
    from distributed import get_worker

    worker = get_worker().address
    try:
        outcome = Outcome(worker, _prepared(needed, function, item)())
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


def _prepared(needed: dict[str, str], function: bytes, item: bytes) -> Callable[[], Any]:
    """The call to make.

    Raises:
        _Unfit: a version differs, or something that the function or the item needs is not installed here.
        _Untaken: the item is damaged.
    """
    for name, wanted in needed.items():
        if (installed := versions()[name]) != wanted:
            raise _Unfit(f"{name} is {wanted} here, but {installed}", f"Install it there: pip install {name}=={wanted}")
    try:
        return functools.partial(pickle.loads(function), pickle.loads(item))  # noqa: S301  (from the client, through Dask)
    except pa.ArrowException:
        raise _Untaken from None
    except Exception as error:  # noqa: BLE001  (whatever a plug-in that is missing may cause)
        what = error.what if isinstance(error, LossctlError) else f"{type(error).__name__}: {error}"
        raise _Unfit(what, "It is known where you are: install its package on every worker.") from None
