"""Shards as tasks of a Dask cluster; where none is named, of worker processes on this machine, started for the pass.

What goes wrong with a shard comes back as an outcome, so no task fails: only that workers die is left to Dask, which
gives their shards to others. A task is the opening of a pickle, which nothing but the worker opens: what is missing
there is said by the task, and the scheduler needs no lossctl.
"""

import contextlib
import gc
import logging
import pickle
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lossctl.errors import DataError, LossctlError, UsageError, option
from lossctl.evaluation.engine import Engine, Item, Made, available_cores, engines, in_turn
from lossctl.evaluation.remote import Outcome, Task, versions

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

PATIENCE = 60.0
"""Seconds to wait for a worker where there is none."""
ANSWER = 10.0
"""Seconds a scheduler has to answer."""
FRESH = 1.0
"""Seconds for which the number of workers is believed."""
BUNDLE, WORTH, LIGHT = 32, 0.2, 1 << 16
"""A task is up to so many shards, of so many seconds in all and so many bytes to send: each task costs milliseconds."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOISY = ("distributed", "tornado", "asyncio")
"""Loggers that tell of every worker that comes and goes; a user is told what matters as an error."""
SETTINGS = {"distributed.admin.large-graph-warning-threshold": "1GB"}  # a shard of a table in memory holds its rows
ENVIRONMENT, TRIM = "distributed.nanny.pre-spawn-environ", "MALLOC_TRIM_THRESHOLD_"
"""Where Dask says what workers find in their environment, and what of it makes NumPy's temporaries slow."""
EVERYWHERE = (
    "Every worker must find the same file: under its absolute path on shared storage, or as a URL such as s3://."
)


class Session:
    """A connection to a cluster."""

    name = "dask"
    forks = False

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.known, self.asked = 0, -FRESH

    def map(
        self, function: Callable[[Item], Made], items: Iterable[Item], workers: int | None = None
    ) -> Iterator[Made]:
        """Results in the order of the items; never ahead by more than two tasks a thread that is to be kept busy."""
        from cloudpickle import dumps

        packed, needed, title = dumps(function), versions(), uuid4().hex
        out: dict[int, Future[bytes]] = {}
        settled, pace = 0, WORTH

        def threads() -> int:
            return workers or max(self.size(), 1)

        def most() -> int:
            # Small at first, so that the last tasks end together; then as large as is worth it.
            return max(min(BUNDLE, 1 + settled // (4 * threads()), int(WORTH / pace)), 1)

        def begin(numbered: tuple[int, list[tuple[Item, bytes]]]) -> tuple[int, list[Item]]:
            number, bundle = numbered
            task = pickle.dumps(Task(needed, packed, [sent for _, sent in bundle]))
            out[number] = self.client.submit(pickle.loads, task, key=f"lossctl-{title}-{number}", pure=False)
            return number, [item for item, _ in bundle]

        def end(begun: tuple[int, list[Item]]) -> tuple[list[Item], float, list[bytes]]:
            number, bundle = begun
            return bundle, *self._answer(out.pop(number), bundle[0])

        try:
            tasks = enumerate(_bundled(items, dumps, most))
            for bundle, seconds, outcomes in in_turn(begin, end, tasks, lambda: 2 * threads()):
                settled, pace = settled + len(bundle), max(seconds / len(bundle), 1e-6)
                for item, outcome in zip(bundle, outcomes, strict=False):  # none after one that failed
                    yield self._settled(pickle.loads(outcome), function, item)  # noqa: S301  (from our workers)
        finally:
            if out and self.client.status == "running":
                self.client.cancel(list(out.values()))

    def size(self) -> int:
        """How many threads the cluster has, as of late."""
        if time.monotonic() - self.asked > FRESH:
            try:
                threads = self.client.nthreads()
            except OSError:
                raise self._lost() from None
            self.known, self.asked = sum(threads.values()), time.monotonic()
        return self.known

    def _answer(self, future: "Future[bytes]", item: Any) -> tuple[float, list[bytes]]:
        """Wait for a task, for as long as there are workers."""
        from distributed import CancelledError, KilledWorker

        alone = time.monotonic()
        while True:
            try:
                found: tuple[float, list[bytes]] = pickle.loads(future.result(timeout=FRESH))  # noqa: S301
                return found
            except TimeoutError:
                if self.client.status != "running":
                    raise self._lost() from None
                if self.size():
                    alone = time.monotonic()
                elif time.monotonic() - alone > PATIENCE:
                    what = f"the Dask cluster has had no worker for {PATIENCE:.0f} seconds"
                    raise DataError(what, "Start workers: dask worker ADDRESS --nthreads 1 --nworkers auto") from None
            except KilledWorker as killed:
                what = f"{_title(item)}: workers that died: {killed.allowed_failures + 1}"
                hint = "Too little memory is the usual reason: the logs of the workers tell. Give each more of it."
                raise DataError(what, hint) from None
            except (CancelledError, OSError):
                raise self._lost() from None
            except Exception as error:
                what = f"a worker of the Dask cluster cannot take a task: {_deepest(error)}"
                known = " ".join(f"{name}=={found}" for name, found in versions().items())
                raise UsageError(what, f"Install on every worker: pip install {known}") from error

    def _lost(self) -> DataError:
        return DataError("the Dask scheduler went away", "Nothing was measured: run it again once the cluster is up.")

    def _settled(self, outcome: Outcome, function: Callable[[Item], Made], item: Item) -> Made:
        """What a task made, or the error of it."""
        if outcome.unfit is not None:
            raise outcome.unfit
        if outcome.error is None:
            made: Made = outcome.made
            return made
        if isinstance(outcome.error, LossctlError):
            function(item)  # what fails here as well is said as any engine says it
            raise DataError(f"{outcome.error.what} on worker {outcome.worker}, but not here", EVERYWHERE)
        outcome.error.add_note(f"On worker {outcome.worker}:\n{outcome.trace}")
        raise outcome.error


def _bundled(
    items: Iterable[Item], dumps: Callable[[Item], bytes], most: Callable[[], int]
) -> Iterator[list[tuple[Item, bytes]]]:
    """Items with their pickles, some at a time; what the items raise is raised after the items before it."""
    ahead, trouble = iter(items), None
    while trouble is None:
        bundle: list[tuple[Item, bytes]] = []
        try:
            while not bundle or (len(bundle) < most() and sum(len(sent) for _, sent in bundle) < LIGHT):
                item = next(ahead)
                bundle.append((item, dumps(item)))
        except Exception as met:  # noqa: BLE001  (the end, or what the items raise)
            trouble = met
        if bundle:
            yield bundle
    if not isinstance(trouble, StopIteration):
        raise trouble


class Dask:
    """The workers of a cluster, or processes of this machine."""

    name = "dask"
    forks = False

    def map(
        self, function: Callable[[Item], Made], items: Iterable[Item], workers: int | None = None
    ) -> Iterator[Made]:
        """Results in the order of the items, with a connection for this once."""
        with self.connect(None, workers) as session:
            yield from session.map(function, items, workers)

    @contextlib.contextmanager
    def connect(self, scheduler: str | None, workers: int | None) -> Iterator[Engine]:
        """The cluster of a scheduler: the one named, the one Dask is configured for, or one of our own."""
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
                own = stack.enter_context(_processes(workers or available_cores()))
                yield Session(stack.enter_context(distributed.Client(own, set_as_default=False)))
                return
            try:
                # In a thread, because there may be a loop in this one, as in a notebook.
                import asyncio
                from concurrent.futures import ThreadPoolExecutor

                with ThreadPoolExecutor(1) as aside:
                    aside.submit(asyncio.run, _greet(address)).result()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # what must be the same is checked on the workers
                    client = distributed.Client(address, set_as_default=False, timeout=ANSWER)
            except (OSError, ValueError, RuntimeError) as error:
                what = f"no Dask scheduler answers at {address}: {_deepest(error)}"
                hint = "Start one with dask scheduler; it says its address, such as tcp://host:8786."
                raise UsageError(what, hint) from None
            yield Session(stack.enter_context(client))


async def _greet(address: str) -> None:
    """Whether a scheduler answers: who connects for good would wait forever for one that is silent."""
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
def _processes(workers: int) -> Iterator["LocalCluster"]:
    """Worker processes of one thread each, and a folder of their own, for the time being."""
    from dask import config
    from distributed import LocalCluster

    with contextlib.ExitStack() as stack:
        stack.callback(gc.collect)  # queues in cycles hold semaphores, of which the interpreter would complain at exit
        folder = tempfile.TemporaryDirectory(prefix="lossctl-", ignore_cleanup_errors=True)
        variables = {name: value for name, value in config.get(ENVIRONMENT).items() if name != TRIM}
        stack.enter_context(config.set({ENVIRONMENT: variables, "temporary-directory": stack.enter_context(folder)}))
        try:
            with _signals_held():
                cluster = LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    silence_logs=logging.CRITICAL,
                )
                own = stack.enter_context(cluster)
        except (OSError, RuntimeError) as error:
            what = f"worker processes cannot be started: {_deepest(error)}"
            raise UsageError(what, f"The threads engine needs none: {option(engine='threads')}.") from None
        yield own


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Let Ctrl-C wait until what is being started can be stopped.

    What is started meanwhile is deaf to it for good: a terminal sends Ctrl-C to every process, and this one answers.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    met: list[int] = []
    handlers = {number: found for number in SIGNALS if (found := signal.getsignal(number)) is not None}
    for number in handlers:
        signal.signal(number, lambda number, _: met.append(number))  # another thread may be there to receive it
    resource_tracker.ensure_running()  # its start would unblock them
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for sent in met:
            signal.raise_signal(sent)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask from writing to stderr."""
    loggers = [logging.getLogger(name) for name in NOISY]
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


def _deepest(error: BaseException) -> str:
    """The first line of what an error began with."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{error}".strip().partition("\n")[0] or type(error).__name__


engines.add(Dask.name, Dask())
