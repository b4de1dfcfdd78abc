"""A pass over the shards of a source in order: what fails is placed, what must be cut elsewhere is cut again."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, dropwhile
from typing import Protocol, TypeVar

import numpy as np
import pyarrow as pa

from lossctl.domain import IntArray
from lossctl.errors import DataError
from lossctl.evaluation.engine import Engine
from lossctl.evaluation.running import Running
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Resplit, Shard, Source, Wanted


class Counted(Protocol):
    """A result that knows how many rows it was made of."""

    @property
    def rows(self) -> int:
        """The number of rows read."""


Made = TypeVar("Made", bound=Counted)


class Traversal:
    """One pass over a source.

    Args:
        source: what to pass over.
        running: how.
        keep: whether to keep the shards, to find a row again; else only where their rows stand is kept.
    """

    def __init__(self, source: Source, running: Running, *, keep: bool = False) -> None:
        self.source, self.running = source, running
        self.rows = 0
        self.starts: list[int] = []
        self.parts: list[tuple[str, int]] = []
        """File and place in it of each shard."""
        self.shards: list[Shard] | None = [] if keep else None

    def map(self, function: Callable[[Shard], Made]) -> Iterator[tuple[Shard, Made]]:
        """Each shard with what the function makes of it, in order.

        Raises:
            UsageError: the engine cannot read this source, or its workers cannot be reached.
            DataError: a row cannot be read; says in which file, and which row of it.
        """
        with self.running.over(self.source) as engine:
            yield from self._map(engine, function)

    def _map(self, engine: Engine, function: Callable[[Shard], Made]) -> Iterator[tuple[Shard, Made]]:
        ahead: Iterator[Shard] = self.source.shards()
        while True:
            taken: deque[Shard] = deque()
            try:
                for made in engine.map(function, _noted(ahead, taken), self.running.threads):
                    shard = taken.popleft()
                    self._enter(shard)
                    self.rows += made.rows
                    yield shard, made
                return
            except BadRow as bad:
                self._enter(taken[0])
                raise DataError(f"{self.place(self.rows + bad.row)}: {bad.what}", bad.hint) from None
            except Resplit as again:
                taken.popleft()
                ahead = chain([again.rest], _beyond(chain([*taken], ahead)))

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows themselves, in order; errors as for `map`."""
        ahead: Iterator[Shard] = self.source.shards()
        shard = next(ahead, None)
        while shard is not None:
            self._enter(shard)
            try:
                for record in shard.read(wanted):
                    yield record
                    self.rows += record.num_rows
            except BadRow as bad:
                raise DataError(f"{self.place(self.starts[-1] + bad.row)}: {bad.what}", bad.hint) from None
            except Resplit as again:
                self.starts.pop()
                self.parts.pop()
                ahead = chain([again.rest], _beyond(ahead))
            shard = next(ahead, None)

    def _enter(self, shard: Shard) -> None:
        self.starts.append(self.rows)
        self.parts.append((shard.file, shard.index))
        if self.shards is not None:
            self.shards.append(shard)

    def records(self, shard: Shard, start: int, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows of a shard that was passed, the first of which is row ``start``; errors as for `map`."""
        try:
            yield from shard.read(wanted)
        except BadRow as bad:
            raise DataError(f"{self.place(start + bad.row)}: {bad.what}", bad.hint) from None

    def find(self, row: int) -> tuple[Shard, int]:
        """The shard that holds a row that was passed, and the number of the row within it, both from 0."""
        at = bisect_right(self.starts, row) - 1
        if self.shards is None:
            raise TypeError("the shards were not kept")
        return self.shards[at], row - self.starts[at]

    def locate(self, row: int) -> tuple[str, int]:
        """The file of a row that was passed (or is the next), and its number in that file, from 1."""
        at = bisect_right(self.starts, row) - 1
        first = at
        while self.parts[first][1] > 0:
            first -= 1
        number = row - self.starts[first]
        known = self.source.numbers
        return self.parts[at][0], (number if known is None or number >= len(known) else int(known[number])) + 1

    def numbers(self, rows: IntArray) -> IntArray:
        """The numbers in their file, from 1, of some rows of one shard."""
        known = self.source.numbers
        if known is not None:
            return np.asarray(known[rows] + 1)
        return rows - rows[0] + self.locate(int(rows[0]))[1] if len(rows) else rows

    def place(self, row: int) -> str:
        """A row as messages name it."""
        file, number = self.locate(row)
        return f"{file}: row {number:,}"


def _beyond(later: Iterable[Shard]) -> Iterator[Shard]:
    """The shards from the next file on: those before it are part of the rest of this one."""
    return dropwhile(lambda shard: shard.index > 0, later)


def _noted(shards: Iterable[Shard], taken: deque[Shard]) -> Iterator[Shard]:
    for shard in shards:
        taken.append(shard)
        yield shard
