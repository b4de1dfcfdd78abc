"""Files whose footer lists their parts, each of which can be read by itself: row groups, record batches."""

from collections.abc import Callable, Iterator

from lossctl.dataclass import dataclass
from lossctl.reading.columns import Column
from lossctl.reading.format import OneFile, Shard
from lossctl.reading.location import Location
from lossctl.reading.stamp import Stamp

TOGETHER, ROWS = 1 << 23, 1 << 20
"""Small parts are put together into shards of about so many bytes, or rows where the footer tells: each shard costs a
message to a worker and a sum."""


@dataclass(frozen=True)
class Part:
    """A shard: a part of a file, or several that follow each other. Each format subclasses it with a ``read``."""

    path: str
    file: str
    index: int
    nbytes: int
    stamp: Stamp
    members: range
    """The numbers of the parts, from 0."""


@dataclass(frozen=True)
class PartedSource(OneFile):
    """An open file of parts, which ``part`` makes shards of."""

    location: Location
    path: str
    columns: tuple[Column, ...]
    parts: int
    rows: int | None
    """How many rows all parts have; ``None`` where the footer does not say."""
    stamp: Stamp
    part: Callable[[str, str, int, int, Stamp, range], Shard]

    @property
    def once(self) -> bool:
        """False: what came through a pipe was copied to a temporary file."""
        return False

    def shards(self) -> Iterator[Shard]:
        """The parts, small ones together."""
        size = self.stamp.size
        together = min(TOGETHER * self.parts // max(size, 1), ROWS * self.parts // max(self.rows or 1, 1))
        step = min(max(together, 1), max(self.parts, 1))
        for index, start in enumerate(range(0, self.parts, step)):
            members = range(start, min(start + step, self.parts))
            nbytes = size * len(members) // self.parts
            yield self.part(self.path, self.location.title, index, nbytes, self.stamp, members)
