"""Worker processes of this machine as a Dask cluster of one's own, which no other user and no stray file can enter.

Whoever can speak to a scheduler or a worker can have it run anything, and the ports of this machine are open to every
user of it: so both sides show a certificate that was made for this pass, and that only these processes have.
"""

import contextlib
import gc
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from dask import config
from distributed import Nanny, Scheduler, Security, SpecCluster, Worker

from lossctl.errors import UsageError, option, reason
from lossctl.evaluation.engine import SIGNALS

ENVIRONMENT, TRIM = "distributed.nanny.pre-spawn-environ", "MALLOC_TRIM_THRESHOLD_"
"""Where Dask says what workers find in their environment, and what of it makes NumPy's temporaries slow."""
UNWATCHED = {"distributed.worker.profile.enabled": False}
"""Nobody looks at what Dask would see of workers a hundred times a second."""
ISOLATED = "PYTHONSAFEPATH"
"""What keeps Python from looking for modules in the working directory, where a ``signal.py`` may lie."""


class _Silent:
    """Serves no pages: nobody asks for them, and their port has no lock."""

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Do not."""


class OwnScheduler(_Silent, Scheduler):
    """A scheduler without pages."""


class OwnWorker(_Silent, Worker):
    """A worker without pages."""


@contextlib.contextmanager
def started(workers: int) -> Iterator[SpecCluster]:
    """A cluster of worker processes on this machine, of one thread each, until the context ends.

    Raises:
        UsageError: they cannot be started.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(gc.collect)  # queues in cycles hold semaphores, of which the interpreter would complain at exit
        stack.enter_context(_isolated())
        folder = tempfile.TemporaryDirectory(prefix="lossctl-", ignore_cleanup_errors=True)
        variables = {name: value for name, value in config.get(ENVIRONMENT).items() if name != TRIM}
        settings = {ENVIRONMENT: variables, "temporary-directory": stack.enter_context(folder), **UNWATCHED}
        stack.enter_context(config.set(settings))
        try:
            with _signals_held():
                own = stack.enter_context(_cluster(workers))
        except ImportError as missing:
            raise UsageError(f"the dask engine needs an extra: {missing}", "pip install 'lossctl[dask]'") from None
        except (OSError, RuntimeError) as error:
            what = f"worker processes cannot be started: {reason(error)}"
            raise UsageError(what, f"The threads engine needs none: {option(engine='threads')}.") from None
        yield own


def _cluster(workers: int) -> SpecCluster:
    """A scheduler in this process and worker processes, each with the certificate.

    Raises:
        ImportError: there is nothing to make a certificate with.
    """
    shared = {
        "protocol": "tls://",
        "security": Security.temporary(),
        "host": "127.0.0.1",
        "dashboard": False,
    }
    settings = {**shared, "nthreads": 1, "silence_logs": logging.CRITICAL, "worker_class": OwnWorker}
    return SpecCluster(
        scheduler={"cls": OwnScheduler, "options": {**shared, "port": 0}},
        workers={number: {"cls": Nanny, "options": settings} for number in range(workers)},
        security=shared["security"],
        silence_logs=logging.CRITICAL,
    )


@contextlib.contextmanager
def _isolated() -> Iterator[None]:
    """Have every Python that is started meanwhile leave the working directory alone.

    Raises:
        UsageError: this Python hands down that its environment is not to be looked at.
    """
    if sys.flags.ignore_environment and not sys.flags.safe_path:
        raise UsageError(
            "worker processes would look for modules in the working directory: Python was started with -E",
            f"Start it with -I, or use threads: {option(engine='threads')}.",
        )
    before = os.environ.get(ISOLATED)
    os.environ[ISOLATED] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[ISOLATED]
        else:
            os.environ[ISOLATED] = before


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Hold signals back, so that what is being started can be stopped; raise them when the context ends.

    Processes started meanwhile block them for good: a terminal sends Ctrl-C to every process, and only this one is to
    answer.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    received: list[int] = []
    handlers = {number: handler for number in SIGNALS if (handler := signal.getsignal(number)) is not None}
    for number in handlers:
        signal.signal(number, lambda number, _: received.append(number))  # another thread may be there to receive it
    hung_up = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which it does not block for itself, as it does the others
    resource_tracker.ensure_running()  # its start would unblock them
    signal.signal(signal.SIGHUP, hung_up)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for missed in received:
            signal.raise_signal(missed)
