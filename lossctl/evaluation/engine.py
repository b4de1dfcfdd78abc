"""What an engine is: an ordered map over shards, with a bounded number of results in flight.

The serial engine is ``map``. Every other must be indistinguishable from it, bit for bit: results come back in the
order of the items, and whoever asks adds them up.
"""

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar, runtime_checkable

from lossctl.errors import UsageError, option
from lossctl.reading.room import Room
from lossctl.reading.stores import is_remote
from lossctl.reading.turns import in_turn
from lossctl.reading.unopened import unopened
from lossctl.registry import Registry

Item = TypeVar("Item")
Output = TypeVar("Output")

SIGNALS = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGTERM") if hasattr(signal, name))
"""What ends a run from outside, which the process that started the workers answers for them."""


WORKER = "lossctl-worker"
"""What the names of threads that work begin with; some may still be at a shard when a pass has ended early."""


class Engine(Protocol):
    """A way to map a function over shards."""

    name: str
    forks: bool
    """Whether its workers are forks of this process, in which connections to stores are dead."""

    def map(
        self, function: Callable[[Item], Output], items: Iterable[Item], workers: int | None = None
    ) -> Iterator[Output]:
        """The results of the function, in the order of the items.

        Args:
            function: pure; what it raises is raised when its turn comes.
            items: read ahead no further than the work in flight.
            workers: how many to keep busy, for engines that have several; all there are when left out.
        """


@runtime_checkable
class Remote(Engine, Protocol):
    """An engine whose workers are other processes: connected to once for a whole pass."""

    def connect(self, scheduler: str | None, workers: int | None) -> AbstractContextManager[Engine]:
        """The engine with its workers, until the context is left.

        Args:
            scheduler: where the workers are; where left out, they are started for the time being.
            workers: how many to start; one a core when left out.

        Raises:
            UsageError: nobody answers there, or an extra is not installed.
        """


engines: Registry[Engine] = Registry("engine", "lossctl.evaluation.engines", group="lossctl.engines")
"""The built-in engines, one file each; any module put here is found by itself."""


def find_engine(name: str, scheduler: str | None = None) -> Engine:
    """The engine of that name.

    Raises:
        UsageError: there is none, or a scheduler is named and it has no use for one.
    """
    engine = engines.get(name)
    if scheduler is not None and not isinstance(engine, Remote):
        able = " or ".join(option(engine=candidate.name) for candidate in engines if isinstance(candidate, Remote))
        raise UsageError(f"the {engine.name} engine has no scheduler", f"{option('scheduler')} goes with {able}.")
    return engine


def usual_engine(paths: Iterable[str]) -> str:
    """The name of the fastest engine for some files: ``processes`` where forking is safe, else ``threads``."""
    alone = sys.platform == "linux" and threading.active_count() == 1
    return "processes" if alone and not any(is_remote(path) for path in paths) else "threads"


def connected(engine: Engine, scheduler: str | None, workers: int | None) -> AbstractContextManager[Engine]:
    """The engine, ready to map, until the context is left; arguments and errors as for `Remote.connect`."""
    return engine.connect(scheduler, workers) if isinstance(engine, Remote) else nullcontext(engine)


AHEAD, HELD = 32, 1 << 25
"""How many small files elsewhere are asked for ahead of their turn, and about how many bytes of them are held."""


def ahead(
    items: Iterable[Item], inside: Callable[[Item], Any] = lambda item: item, room: Room | None = None
) -> Generator[Item, None, None]:
    """The items, where the bytes of shards that who reads them opens are asked for before their turn.

    Args:
        items: what is worked on; what they raise is raised after the items before.
        inside: the shard in an item.
        room: for the bytes, where two share it, each of which asks for half as many files; left out, for `HELD`, of
            which none are asked for any more once this is closed.
    """
    others = 0
    place, most = room or Room(HELD), AHEAD if room is None else AHEAD // 2

    def begin(item: Item) -> tuple[Item, bool]:
        nonlocal others
        shard = unopened(inside(item))
        if shard is not None:
            shard.fetch(place)
        others += shard is None  # one that need not be waited for is taken in its turn
        return item, shard is None

    def end(begun: tuple[Item, bool]) -> Item:
        nonlocal others
        item, other = begun
        others -= other
        return item

    try:
        yield from in_turn(begin, end, items, lambda: 0 if others else most)
    finally:
        if room is None:
            place.close()


def portable(error: Exception, dumps: Callable[[Any], bytes]) -> Exception:
    """An error that can be sent to another process: itself, or its type and message where it cannot be unpickled."""
    try:
        pickle.loads(dumps(error))  # noqa: S301  (our own bytes)
    except Exception:  # noqa: BLE001  (whatever a stranger's class does)
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def available_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
