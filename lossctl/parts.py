"""Files whose footer lists their parts, each of which can be read by itself: row groups, record batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lossctl.columns import Column
from lossctl.format import Shard
from lossctl.location import Location, Stamp

TOGETHER = 1 << 23
"""About how many bytes of small parts are one shard: each shard costs a message and an addition."""


@dataclass(frozen=True)
class Part:
    """A part of a file, or some that follow each other; what reads it is the format's."""

    path: str
    file: str
    index: int
    nbytes: int
    stamp: Stamp
    members: range
    """The numbers of the parts, from 0."""


@dataclass(frozen=True)
class PartedSource:
    """An open file of parts."""

    location: Location
    path: str
    columns: tuple[Column, ...]
    parts: int
    stamp: Stamp
    part: Callable[[str, str, int, int, Stamp, range], Shard]

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.location.title,)

    @property
    def once(self) -> bool:
        """Never: what came through a pipe is in a file by now."""
        return False

    def shards(self) -> Iterator[Shard]:
        """The parts, small ones together."""
        size = Location(self.path).size
        step = min(max(TOGETHER * self.parts // max(size, 1), 1), max(self.parts, 1))
        for index, start in enumerate(range(0, self.parts, step)):
            members = range(start, min(start + step, self.parts))
            nbytes = size * len(members) // self.parts
            yield self.part(self.path, self.location.title, index, nbytes, self.stamp, members)
