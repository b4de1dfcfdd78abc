"""Shards as tasks of a Dask cluster; where none is named, of worker processes on this machine, started for the pass.

An error of a shard comes back as an `Outcome`, so no task fails; only the death of a worker is left to Dask, which
gives its shards to others. A task is a call of ``pickle.loads`` on bytes that only the worker unpickles: what is
missing there comes back as an outcome too, and the scheduler needs no lossctl.
"""

import contextlib
import logging
import pickle
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lossctl.errors import DataError, LossctlError, UsageError, reason
from lossctl.evaluation.engine import Engine, Item, Output, available_cores, engines
from lossctl.evaluation.remote import Outcome, Patient, Task, versions
from lossctl.reading.turns import in_turn
from lossctl.reading.waiting import patience

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE = 60.0
"""Seconds to wait for a worker where there is none."""
ANSWER = 10.0
"""Seconds a scheduler has to answer."""
FRESH = 1.0
"""Seconds until the number of threads is asked for again."""
BUNDLE, WORTH, LIGHT = 32, 0.2, 1 << 16
"""A task costs milliseconds, so it is several shards: up to `BUNDLE`, as long as they take no more than about `WORTH`
seconds together, and `LIGHT` bytes to send."""
NOISY = ("distributed", "tornado", "asyncio")
"""Whose loggers tell of every worker that comes and goes; a user is told what matters as an error."""
SETTINGS = {"distributed.admin.large-graph-warning-threshold": "1GB"}  # a shard of a table in memory holds its rows
START = "Start one with dask scheduler; it says its address, such as tcp://host:8786."
CERTIFICATES = "With TLS, this side shows the certificate that Dask's configuration names in distributed.comm.tls."
EVERYWHERE = (
    "Every worker must find the same file: under its absolute path on shared storage, or as a URL such as s3://."
)


class Session:
    """An engine connected to the workers of a cluster."""

    name = "dask"
    forks = False

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.threads, self.counted_at = 0, -FRESH

    def map(
        self, function: Callable[[Item], Output], items: Iterable[Item], workers: int | None = None
    ) -> Iterator[Output]:
        """Results in the order of the items; never ahead by more than two tasks a thread that is to be kept busy."""
        from cloudpickle import dumps

        packed, needed, token = dumps(Patient(function, patience.seconds)), versions(), uuid4().hex
        pending: dict[int, Future[bytes]] = {}
        given, pace = 0, WORTH

        def threads() -> int:
            return workers or max(self.size(), 1)

        def most() -> int:
            # Small at first, so that the last tasks end together; then as large as is worth it.
            return max(min(BUNDLE, 1 + given // (2 * threads()), int(WORTH / pace)), 1)

        def begin(numbered: tuple[int, list[tuple[Item, bytes]]]) -> tuple[int, list[Item]]:
            nonlocal given
            number, bundle = numbered
            given += len(bundle)
            task = pickle.dumps(Task(needed, packed, [sent for _, sent in bundle]))
            pending[number] = self.client.submit(pickle.loads, task, key=f"lossctl-{token}-{number}", pure=False)
            return number, [item for item, _ in bundle]

        def end(begun: tuple[int, list[Item]]) -> tuple[list[Item], float, list[bytes]]:
            number, bundle = begun
            return bundle, *self._answer(pending.pop(number), bundle[0])

        try:
            tasks = enumerate(_bundled(items, dumps, most))
            for bundle, seconds, outcomes in in_turn(begin, end, tasks, lambda: 2 * threads()):
                pace = max(seconds / len(bundle), 1e-6)
                for item, outcome in zip(bundle, outcomes, strict=False):  # none after one that failed
                    yield self._settled(pickle.loads(outcome), function, item)  # noqa: S301  (from our workers)
        finally:
            if pending and self.client.status == "running":
                self.client.cancel(list(pending.values()))

    def size(self) -> int:
        """How many threads the cluster has, or had within the last `FRESH` seconds.

        Raises:
            DataError: the scheduler has gone.
        """
        if time.monotonic() - self.counted_at > FRESH:
            try:
                threads = self.client.nthreads()
            except OSError:
                raise self._lost() from None
            self.threads, self.counted_at = sum(threads.values()), time.monotonic()
        return self.threads

    def _answer(self, future: "Future[bytes]", item: Any) -> tuple[float, list[bytes]]:
        """The seconds that a task took, and the pickled outcomes of its items, once it is done.

        Args:
            future: the task.
            item: its first item, to name it by.

        Raises:
            DataError: the scheduler has gone, there was no worker for `PATIENCE` seconds, or workers died of the task.
            UsageError: a worker has no lossctl, or cannot unpickle the task.
        """
        from distributed import CancelledError, KilledWorker

        last_seen = time.monotonic()
        while True:
            try:
                answer: tuple[float, list[bytes]] = pickle.loads(future.result(timeout=FRESH))  # noqa: S301
                return answer
            except TimeoutError:
                if self.client.status != "running":
                    raise self._lost() from None
                if self.size():
                    last_seen = time.monotonic()
                elif time.monotonic() - last_seen > PATIENCE:
                    what = f"the Dask cluster has had no worker for {PATIENCE:.0f} seconds"
                    raise DataError(what, "Start workers: dask worker ADDRESS --nthreads 1 --nworkers auto") from None
            except KilledWorker as killed:
                what = f"{_title(item)}: workers that died: {killed.allowed_failures + 1}"
                hint = "Too little memory is the usual reason: the logs of the workers tell. Give each more of it."
                raise DataError(what, hint) from None
            except (CancelledError, OSError):
                raise self._lost() from None
            except Exception as error:
                what = f"a worker of the Dask cluster cannot take a task: {reason(error)}"
                known = " ".join(f"{name}=={version}" for name, version in versions().items())
                raise UsageError(what, f"Install on every worker: pip install {known}") from error

    def _lost(self) -> DataError:
        return DataError("the Dask scheduler went away", "Nothing was measured: run it again once the cluster is up.")

    def _settled(self, outcome: Outcome, function: Callable[[Item], Output], item: Item) -> Output:
        """What the function made of an item on a worker, or its error, raised.

        An error of lossctl's own is tried here as well: what fails here too is raised as any engine raises it.

        Raises:
            DataError: a file fails on the worker, but not here.
            UsageError: the worker could not try.
            Exception: what the function raised.
        """
        if outcome.unfit is not None:
            raise outcome.unfit
        if outcome.untaken:
            return function(item)
        if outcome.error is None:
            output: Output = outcome.output
            return output
        if isinstance(outcome.error, LossctlError):
            function(item)
            raise DataError(f"{outcome.error.parts[0]} on worker {outcome.worker}, but not here", EVERYWHERE)
        outcome.error.add_note(f"On worker {outcome.worker}:\n{outcome.trace}")
        raise outcome.error


def _bundled(
    items: Iterable[Item], dumps: Callable[[Item], bytes], most: Callable[[], int]
) -> Iterator[list[tuple[Item, bytes]]]:
    """Items with their pickles, some at a time; what the items raise is raised after the items before it."""
    remaining, stop = iter(items), None
    while stop is None:
        bundle: list[tuple[Item, bytes]] = []
        try:
            while not bundle or (len(bundle) < most() and sum(len(sent) for _, sent in bundle) < LIGHT):
                item = next(remaining)
                bundle.append((item, dumps(item)))
        except Exception as error:  # noqa: BLE001  (the end, or what the items raise)
            stop = error
        if bundle:
            yield bundle
    if not isinstance(stop, StopIteration):
        raise stop


class Dask:
    """The workers of a cluster, or processes of this machine."""

    name = "dask"
    forks = False

    def map(
        self, function: Callable[[Item], Output], items: Iterable[Item], workers: int | None = None
    ) -> Iterator[Output]:
        """Results in the order of the items, from workers that are connected to for this call alone."""
        with self.connect(None, workers) as session:
            yield from session.map(function, items, workers)

    @contextlib.contextmanager
    def connect(self, scheduler: str | None, workers: int | None) -> Iterator[Engine]:
        """An engine on the cluster of a scheduler: the one named, the one Dask is configured for, or one started here.

        Raises:
            UsageError: Dask is not installed, no scheduler answers, or workers cannot be started.
        """
        try:
            import dask
            import distributed
        except ImportError as missing:
            what = f"the dask engine needs an extra: {missing}"
            raise UsageError(what, "pip install 'lossctl[dask]'") from None
        address = scheduler or dask.config.get("scheduler-address", None)
        with contextlib.ExitStack() as stack:
            stack.enter_context(dask.config.set(SETTINGS))
            stack.enter_context(_silence())
            if address is None:
                from lossctl.evaluation.own_workers import started

                own = stack.enter_context(started(workers or available_cores()))
                yield Session(stack.enter_context(distributed.Client(own, set_as_default=False)))
                return
            try:
                # In a thread, because there may be a loop in this one, as in a notebook.
                import asyncio
                from concurrent.futures import ThreadPoolExecutor

                with ThreadPoolExecutor(1) as pool:
                    pool.submit(asyncio.run, _greet(address)).result()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # what must be the same is checked on the workers
                    client = distributed.Client(address, set_as_default=False, timeout=ANSWER)
            except (OSError, ValueError, RuntimeError, TypeError) as error:  # the last where certificates are missing
                what = f"no Dask scheduler answers at {address}: {reason(error)}"
                raise UsageError(what, CERTIFICATES if address.startswith("tls:") else START) from None
            yield Session(stack.enter_context(client))


async def _greet(address: str) -> None:
    """Connect to a scheduler once, with a time limit: a client would wait forever for one that accepts and is silent.

    Raises:
        OSError: nothing answers there.
    """
    import asyncio

    from distributed import Security
    from distributed.comm.core import connect

    try:
        async with asyncio.timeout(1.1 * ANSWER):
            comm = await connect(address, ANSWER, **Security().get_connection_args("client"))
    except TimeoutError:
        raise OSError(f"what is there said nothing in {ANSWER:.0f} seconds") from None
    await comm.close()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask's loggers from writing to stderr until the context ends."""
    names = {*NOISY, *(name for name in [*logging.root.manager.loggerDict] if name.partition(".")[0] in NOISY)}
    # Dask gives some below these a level of their own, such as distributed.client: that above does not reach them.
    loggers = [logger for name in names if (logger := logging.getLogger(name)).level or name in NOISY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _title(item: Any) -> str:
    """A shard as messages name it."""
    return f"{item.file}: part {item.index + 1}" if hasattr(item, "file") else repr(item)


engines.add(Dask.name, Dask())
