"""What a worker elsewhere does with a shard, and what it sends back."""

import functools
import pickle
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from lossctl.errors import LossctlError, UsageError
from lossctl.evaluation.engine import portable


@functools.cache
def versions() -> dict[str, str]:
    """What must be the same everywhere, or the last digits could differ."""
    return {name: version(name) for name in ("lossctl", "numpy")}


@dataclass(frozen=True)
class Outcome:
    """What became of a shard on a worker."""

    worker: str
    made: Any = None
    error: Exception | None = None
    """What the function raised."""
    trace: str = ""
    unfit: LossctlError | None = None
    """Why the worker could not try."""


class Task:
    """What is a call of `perform` once it is unpickled."""

    def __init__(self, needed: dict[str, str], function: bytes, items: list[bytes]) -> None:
        self.call = perform, (needed, function, items)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def perform(needed: dict[str, str], function: bytes, items: list[bytes]) -> bytes:
    """What a function makes of some items, here on a worker: pickled outcomes, because a task must not fail.

    Returns:
        The seconds it took, and the outcomes up to the first that is no success.
    """
    from cloudpickle import dumps

    begun, outcomes = time.monotonic(), []
    for item in items:
        outcome, packed = _outcome(needed, function, item)
        outcomes.append(packed)
        if outcome.error is not None or outcome.unfit is not None:
            break
    return bytes(dumps((time.monotonic() - begun, outcomes)))


def _outcome(needed: dict[str, str], function: bytes, item: bytes) -> tuple[Outcome, bytes]:
    """What becomes of an item, and that as a pickle."""
    from cloudpickle import dumps
    from distributed import get_worker

    worker = get_worker().address
    try:
        found = Outcome(worker, _prepared(needed, function, item)())
        return found, dumps(found)
    except _Unfit as unfit:
        what, hint = unfit.args
        found = Outcome(worker, unfit=UsageError(f"{what} on worker {worker}", hint))
    except Exception as error:  # noqa: BLE001  (raised again when its turn comes)
        trace = traceback.format_exc()
        sent = portable(error.with_traceback(None), dumps)  # the traceback would have been pickled with it
        found = Outcome(worker, error=sent, trace=trace)
    return found, dumps(found)


class _Unfit(Exception):
    """Something is missing on this worker: what, and what to do about it."""


def _prepared(needed: dict[str, str], function: bytes, item: bytes) -> Callable[[], Any]:
    """The work to do, if this worker has what it takes."""
    for name, there in needed.items():
        if (here := versions()[name]) != there:
            raise _Unfit(f"{name} is {there} here, but {here}", f"Install it there: pip install {name}=={there}")
    try:
        return functools.partial(pickle.loads(function), pickle.loads(item))  # noqa: S301  (from the client, through Dask)
    except Exception as error:  # noqa: BLE001  (whatever a plug-in that is missing may cause)
        what = error.what if isinstance(error, LossctlError) else f"{type(error).__name__}: {error}"
        raise _Unfit(what, "It is known where you are: install its package on every worker.") from None
