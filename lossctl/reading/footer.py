"""Files whose footer lists their parts, each of which can be read by itself: row groups, record batches."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from lossctl.dataclass import dataclass
from lossctl.reading.columns import Column
from lossctl.reading.format import OneFile, Shard
from lossctl.reading.location import Location
from lossctl.reading.slices import slices
from lossctl.reading.stamp import Stamp

TOGETHER, ROWS = 1 << 23, 1 << 20
"""Small parts are put together into shards of about so many bytes, or rows where the footer tells: each shard costs a
message to a worker and a sum."""
SLICES = 8
"""How many slices a part has at most: who works on one reads what is before it too."""


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
    large: Mapping[int, int] = field(default_factory=dict)
    """How many rows the parts have that are large: they are read in slices of `ROWS` or more."""

    @property
    def once(self) -> bool:
        """False: what came through a pipe was copied to a temporary file."""
        return False

    def shards(self) -> Iterator[Shard]:
        """The parts, small ones together and large ones in slices."""
        size = self.stamp.size
        together = min(TOGETHER * self.parts // max(size, 1), ROWS * self.parts // max(self.rows or 1, 1))
        step = min(max(together, 1), max(self.parts, 1))
        index = 0
        for start in range(0, self.parts, step):
            members = range(start, min(start + step, self.parts))
            nbytes = size * len(members) // self.parts
            part = self.part(self.path, self.location.title, index, nbytes, self.stamp, members)
            rows = self.large.get(start)
            shards = [part] if rows is None else [*slices(part, rows, max(ROWS, rows // SLICES + 1), index)]
            yield from shards
            index += len(shards)
