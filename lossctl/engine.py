"""What an engine is: an ordered map over shards, with a bounded number of results in flight.

The serial engine is ``map``. Every other must be indistinguishable from it, bit for bit: results come back in the
order of the items, and whoever asks adds them up.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from lossctl.registry import Registry

Item = TypeVar("Item")
Made = TypeVar("Made")


class Engine(Protocol):
    """A way to map a function over shards."""

    name: str

    def map(self, function: Callable[[Item], Made], items: Iterable[Item], workers: int) -> Iterator[Made]:
        """The results of the function, in the order of the items.

        Args:
            function: pure; what it raises is raised when its turn comes.
            items: read ahead no further than the work in flight.
            workers: how many at once, for engines that do several.
        """


engines: Registry[Engine] = Registry("engine", "lossctl.engines")
