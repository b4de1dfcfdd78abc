"""Several shards at once in forked processes, where threads would wait for each other at the interpreter's lock.

A fork inherits the function, so only shards and what they come to are sent.
"""

import contextlib
import pickle
import signal
import sys
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, NoReturn

from lossctl.errors import DataError, UsageError, option
from lossctl.evaluation.engine import Item, Made, available_cores, engines, in_turn, portable

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess


SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Crew(Generic[Item, Made]):
    """Workers that are forked when there is work for them, and what is waiting, being done and done.

    A worker gets an item when it has nothing to do, so neither side can wait for the other to read.
    """

    def __init__(self, function: Callable[[Item], Made], size: int) -> None:
        self.function, self.size = function, size
        self.waiting: deque[tuple[int, Item]] = deque()
        self.idle: list[Connection] = []
        self.busy: dict[Connection, int] = {}
        self.workers: dict[Connection, ForkProcess] = {}
        self.done: dict[int, tuple[Made | None, Exception | None]] = {}
        self.begun = 0

    def begin(self, item: Item) -> int:
        """Take an item, and return its number."""
        number, self.begun = self.begun, self.begun + 1
        self.waiting.append((number, item))
        if self.begun > 1:  # a fork costs more than a single item may
            self._hand_out()
        return number

    def end(self, number: int) -> Made:
        """What an item comes to, once it is done."""
        if not self.workers:
            return self.function(self.waiting.popleft()[1])
        while number not in self.done:
            self._take_in()
        made, error = self.done.pop(number)
        if error is not None:
            raise error
        return made  # type: ignore[return-value]  # there is no error

    def leave(self) -> None:
        """Let nobody go on."""
        for connection, worker in self.workers.items():
            connection.close()
            worker.kill()
        for worker in self.workers.values():
            worker.join()

    def _hand_out(self) -> None:
        while self.waiting and (self.idle or len(self.workers) < self.size):
            connection = self.idle.pop() if self.idle else self._hire()
            if connection is None:
                self.size = len(self.workers)  # the system has no more of them; without any, the work is done here
                continue
            number, item = self.waiting.popleft()
            self.busy[connection] = number
            try:
                connection.send(item)
            except OSError:
                self._mourn(connection)

    def _hire(self) -> "Connection | None":
        """Fork a worker, if the system lets us."""
        from multiprocessing import get_context

        context = get_context("fork")
        # Until the worker has its own answer to them, signals must wait: with ours it would clean up after us.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            ours, theirs = context.Pipe()
            worker = context.Process(target=_serve, args=(self.function, theirs, [*self.workers, ours]), daemon=True)
            with warnings.catch_warnings():
                # Arrow always has a thread, and is prepared for this.
                warnings.simplefilter("ignore", DeprecationWarning)
                worker.start()
        except (OSError, AssertionError):  # too many, or we are somebody's worker ourselves
            return None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()
        self.workers[ours] = worker
        return ours

    def _take_in(self) -> None:
        from multiprocessing.connection import wait

        ready = wait(self.busy)
        for connection in [it for it in self.busy if it in ready]:
            try:
                found = connection.recv()
            except (EOFError, OSError):
                self._mourn(connection)
            self.done[self.busy.pop(connection)] = found
            self.idle.append(connection)
        self._hand_out()

    def _mourn(self, connection: "Connection") -> NoReturn:
        worker = self.workers[connection]
        worker.join()
        code = worker.exitcode or 0
        names = {-it.value: it.name for it in signal.Signals}
        how = f"was ended by {names.get(code, f'signal {-code}')}" if code < 0 else f"ended with status {code}"
        few = f"Too little memory is the usual reason; fewer workers need less: {option(threads=1)}."
        raise DataError(f"a worker process {how}", few if code == -signal.SIGKILL else "")


def _serve(function: Callable[[Item], Made], here: "Connection", others: "list[Connection]") -> None:
    """Do what comes, until nobody is there to send it."""
    for other in others:
        other.close()  # or nobody would notice that the one who holds it as well has gone
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to every process; the one who forked answers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    with contextlib.suppress(EOFError, OSError):
        while True:
            here.send(_outcome(function, here.recv()))


def _outcome(function: Callable[[Item], Made], item: Item) -> tuple[Made | None, Exception | None]:
    try:
        return function(item), None
    except Exception as error:  # noqa: BLE001  (raised again when its turn comes)
        sent = portable(error, pickle.dumps)
        sent.add_note(f"In a worker process:\n{traceback.format_exc()}")
        return None, sent


class Processes:
    """Forked processes that never run ahead by more than two shards each."""

    name = "processes"
    forks = True

    def map(
        self, function: Callable[[Item], Made], items: Iterable[Item], workers: int | None = None
    ) -> Iterator[Made]:
        """Results in the order of the items."""
        if sys.platform != "linux":
            raise UsageError(
                "the processes engine forks, which is safe on Linux only", f"Use {option(engine='threads')}."
            )
        workers = workers or available_cores()
        if workers == 1:
            yield from map(function, items)
            return
        crew = _Crew(function, workers)
        try:
            yield from in_turn(crew.begin, crew.end, items, lambda: 2 * workers)
        finally:
            crew.leave()


engines.add(Processes.name, Processes())
