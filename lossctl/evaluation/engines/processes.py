"""Several shards at once in forked processes, where threads would wait for each other at the interpreter's lock.

A fork inherits the function, so only shards and what they come to are sent.
"""

import contextlib
import copyreg
import io
import pickle
import signal
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lossctl.errors import DataError, UsageError, option
from lossctl.evaluation.engine import SIGNALS, WORKER, Item, Output, available_cores, engines, portable
from lossctl.reading.turns import in_turn
from lossctl.sums.state import is_none

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

LARGE = 1 << 16
"""Arrays of so many bytes are sent as they are, without a copy among what is pickled."""


class _Crew(Generic[Item, Output]):
    """Worker processes, with the items that wait, those that are worked on, and the outcomes of those that are done.

    A worker is forked when there is an item for it, up to ``size`` of them. It is sent an item only when it has none,
    so neither side can wait for the other to read.
    """

    def __init__(self, function: Callable[[Item], Output], size: int) -> None:
        self.function, self.size = function, size
        self.waiting: deque[tuple[int, Item]] = deque()
        self.idle: list[Connection] = []
        self.busy: dict[Connection, tuple[int, Item]] = {}
        self.untaken: dict[int, Item] = {}
        """What no worker could be sent, such as damaged rows: it is worked on here, which says what is wrong."""
        self.workers: dict[Connection, ForkProcess] = {}
        self.outcomes: dict[int, tuple[Output | None, Exception | None]] = {}
        self.count = 0
        self.complete = False
        """Whether no more items come, so that who has none may go."""

    def begin(self, item: Item) -> int:
        """Queue an item, send it to a worker if one is free, and return its number.

        Raises:
            DataError: a worker has died.
        """
        number, self.count = self.count, self.count + 1
        self.waiting.append((number, item))
        if self.count > 1:  # a fork costs more than a single item may
            self._hand_out()
        return number

    def end(self, number: int) -> Output:
        """Wait for the item of a number, and return what the function made of it, or raise its error.

        Without workers (there was one item, or the system allows no fork) it is worked on here.

        Raises:
            DataError: a worker has died.
        """
        if not self.workers:
            return self.function(self.waiting.popleft()[1])
        while number not in self.outcomes and number not in self.untaken:
            self._take_in()
        if number in self.untaken:
            return self.function(self.untaken.pop(number))
        output, error = self.outcomes.pop(number)
        if error is not None:
            raise error
        return output  # type: ignore[return-value]  # there is no error

    def all_of(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, after which none comes."""
        yield from items
        self.complete = True
        self._let_go()

    def kill_all(self) -> None:
        """Kill the workers, whatever they are at, and wait until they have ended."""
        for connection, worker in self.workers.items():
            connection.close()
            worker.kill()
        for worker in self.workers.values():
            worker.join()

    def _hand_out(self) -> None:
        """Send waiting items to idle workers, and fork more workers while items wait and there may be more."""
        while self.waiting and (self.idle or len(self.workers) < self.size):
            if not (self.idle or self.workers):  # what Arrow keeps for later, each worker would keep
                pa.default_memory_pool().release_unused()
                _await_threads()
            connection = self.idle.pop() if self.idle else self._fork()
            if connection is None:
                self.size = len(self.workers)  # the system has no more of them; without any, the work is done here
                continue
            number, item = self.waiting.popleft()
            try:
                packed = pickle.dumps(item)
            except Exception:  # noqa: BLE001  (whatever its class does)
                self.untaken[number] = item
                self.idle.append(connection)
                continue
            self.busy[connection] = number, item
            try:
                connection.send_bytes(packed)
            except OSError:
                self._raise_death(connection)

    def _fork(self) -> "Connection | None":
        """Start a worker, and return our end of the pipe to it; ``None`` where the system does not allow it."""
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
        """Wait until some worker is done, keep the outcomes of all that are, and send them more."""
        from multiprocessing.connection import wait

        ready = wait(self.busy)
        for connection in [busy for busy in self.busy if busy in ready]:
            try:
                outcome = _received(connection)
            except (EOFError, OSError):
                self._raise_death(connection)
            number, item = self.busy.pop(connection)
            if outcome is None:
                self.untaken[number] = item
            else:
                self.outcomes[number] = outcome
            self.idle.append(connection)
        self._hand_out()
        self._let_go()

    def _let_go(self) -> None:
        """End the workers for whom there is nothing more, with the memory that they hold."""
        if self.complete and not self.waiting:
            for connection in self.idle:
                connection.close()
            self.idle.clear()

    def _raise_death(self, connection: "Connection") -> NoReturn:
        """Raise the error for a worker that has died: by which signal, or with which status."""
        worker = self.workers[connection]
        worker.join()
        code = worker.exitcode or 0
        names = {-number.value: number.name for number in signal.Signals}
        how = f"was ended by {names.get(code, f'signal {-code}')}" if code < 0 else f"ended with status {code}"
        hint = f"Too little memory is the usual reason; fewer workers need less: {option(threads=1)}."
        raise DataError(f"a worker process {how}", hint if code == -signal.SIGKILL else "")


def _await_threads() -> None:
    """Wait until threads of passes before have ended: a fork would keep what they have locked locked for ever."""
    for thread in threading.enumerate():
        if thread.name.startswith(WORKER):
            thread.join()


def _serve(function: Callable[[Item], Output], connection: "Connection", inherited: "list[Connection]") -> None:
    """Apply the function to each item received and send the outcome back, until the other end is closed.

    This is what a worker runs.

    Args:
        function: what to apply.
        connection: the worker's end of its pipe.
        inherited: our ends of all pipes, which the fork copied and which are closed first: a pipe ends only when no
            process holds its other end.
    """
    for end in inherited:
        end.close()
    for from_terminal in (signal.SIGHUP, signal.SIGINT):  # it sends them to every process; the one who forked answers
        signal.signal(from_terminal, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    with contextlib.suppress(Exception):  # the other end is closed, or has to see that this one is
        while True:
            _send(connection, *_answer(function, connection.recv_bytes()))


def _send(connection: "Connection", pickled: bytes, arrays: Sequence[memoryview]) -> None:
    """Send an outcome: how large its arrays are, itself, and each of these."""
    connection.send_bytes(pickle.dumps([len(array) for array in arrays]))
    connection.send_bytes(pickled)
    for array in arrays:
        connection.send_bytes(array)


def _received(connection: "Connection") -> Any:
    """An outcome that was sent.

    Raises:
        EOFError, OSError: there is none.
    """
    rooms = [bytearray(size) for size in pickle.loads(connection.recv_bytes())]  # noqa: S301  (from our worker)
    pickled = connection.recv_bytes()
    for room in rooms:
        connection.recv_bytes_into(room)
    return pickle.loads(pickled, buffers=rooms)  # noqa: S301  (likewise)


def _answer(function: Callable[[Item], Output], task: bytes) -> tuple[bytes, Sequence[memoryview]]:
    """The outcome of a pickled item, as `packed`; that of an item that cannot be unpickled is ``None``."""
    try:
        item = pickle.loads(task)  # noqa: S301  (from the process that forked this one)
    except Exception:  # noqa: BLE001  (whatever its class does)
        return pickle.dumps(None), ()
    outcome = _outcome(function, item)
    try:
        return packed(outcome)
    except Exception as error:  # noqa: BLE001  (likewise)
        return pickle.dumps((None, portable(error, pickle.dumps))), ()


def packed(outcome: object) -> tuple[bytes, Sequence[memoryview]]:
    """An outcome pickled, with large arrays as they are; what is one number over and over takes the room of that."""
    written, arrays = io.BytesIO(), list[memoryview]()

    def apart(buffer: pickle.PickleBuffer) -> bool:
        """Whether the bytes of an array are to be pickled."""
        view = buffer.raw()
        if len(view) >= LARGE:
            arrays.append(view)
        return len(view) < LARGE

    pickler = pickle.Pickler(written, pickle.HIGHEST_PROTOCOL, buffer_callback=apart)
    pickler.dispatch_table = {**copyreg.dispatch_table, np.ndarray: _reduced}
    pickler.dump(outcome)
    return written.getvalue(), arrays


def _reduced(values: npt.NDArray[Any]) -> str | tuple[Any, ...]:
    """An array as it is pickled."""
    if values.size > 1 and is_none(values):
        return np.broadcast_to, (values.flat[0], values.shape)
    return values.__reduce_ex__(pickle.HIGHEST_PROTOCOL)


def _outcome(function: Callable[[Item], Output], item: Item) -> tuple[Output | None, Exception | None]:
    """What the function makes of an item, or the error it raises, fit to be sent."""
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
        self, function: Callable[[Item], Output], items: Iterable[Item], workers: int | None = None
    ) -> Iterator[Output]:
        """Results in the order of the items.

        Raises:
            UsageError: this is not Linux.
            DataError: a worker has died.
        """
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
            yield from in_turn(crew.begin, crew.end, crew.all_of(items), lambda: 2 * workers)
        finally:
            crew.kill_all()


engines.add(Processes.name, Processes())
