"""Files whose footer lists their parts, each of which can be read by itself: row groups, record batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lossctl.reading.columns import Column
from lossctl.reading.format import Shard
from lossctl.reading.location import Location, Stamp

TOGETHER, ROWS = 1 << 23, 1 << 20
"""About how many bytes, and rows where they are known, of small parts are one shard: each costs a message and a sum."""


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
    rows: int | None
    """How many rows all parts have; ``None`` where the footer does not say."""
    stamp: Stamp
    part: Callable[[str, str, int, int, Stamp, range], Shard]

    @property
    def files(self) -> tuple[str, ...]:
        """The path."""
        return (self.location.title,)

    @property
    def numbers(self) -> None:
        """No row is left out."""

    @property
    def once(self) -> bool:
        """Never: what came through a pipe is in a file by now."""
        return False

    def shards(self) -> Iterator[Shard]:
        """The parts, small ones together."""
        size = Location(self.path).size
        few = min(TOGETHER * self.parts // max(size, 1), ROWS * self.parts // max(self.rows or 1, 1))
        step = min(max(few, 1), max(self.parts, 1))
        for index, start in enumerate(range(0, self.parts, step)):
            members = range(start, min(start + step, self.parts))
            nbytes = size * len(members) // self.parts
            yield self.part(self.path, self.location.title, index, nbytes, self.stamp, members)
