"""Files whose footer lists their parts, each of which can be read by itself: row groups, record batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lossctl.columns import Column
from lossctl.format import Shard
from lossctl.location import Location, Stamp


@dataclass(frozen=True)
class Part:
    """One part of a file; what reads it is the format's."""

    path: str
    file: str
    index: int
    nbytes: int
    stamp: Stamp


@dataclass(frozen=True)
class PartedSource:
    """An open file of parts."""

    location: Location
    path: str
    columns: tuple[Column, ...]
    parts: int
    stamp: Stamp
    part: Callable[[str, str, int, int, Stamp], Shard]

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.location.title,)

    @property
    def once(self) -> bool:
        """Never: what came through a pipe is in a file by now."""
        return False

    def shards(self) -> Iterator[Shard]:
        """The parts."""
        size = Location(self.path).size
        for index in range(self.parts):
            yield self.part(self.path, self.location.title, index, size // self.parts, self.stamp)
