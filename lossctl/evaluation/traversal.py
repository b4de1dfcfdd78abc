"""A pass over the shards of a source in order, which says in which row of which file an error is.

Where a shard turns out to end inside quotes, the rest of its file is read in one go.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, dropwhile
from typing import Protocol, TypeVar

import numpy as np
import pyarrow as pa

from lossctl.domain import IntArray
from lossctl.errors import DataError, too_little_memory
from lossctl.evaluation.engine import Engine
from lossctl.evaluation.running import Running
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Resplit, Shard, Source, Wanted
from lossctl.reading.rows import plain_rows, shards_of


class Counted(Protocol):
    """A result that knows how many rows it was made of."""

    @property
    def rows(self) -> int:
        """The number of rows read."""


Output = TypeVar("Output", bound=Counted)


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

    def map(self, function: Callable[[Shard], Output]) -> Iterator[tuple[Shard, Output]]:
        """Each shard with what the function makes of it, in order.

        Raises:
            UsageError: the engine cannot read this source, or its workers cannot be reached.
            DataError: a row cannot be read; says in which file, and which row of it.
        """
        with self.running.over(self.source) as engine:
            yield from self._map(engine, function)

    def _map(self, engine: Engine, function: Callable[[Shard], Output]) -> Iterator[tuple[Shard, Output]]:
        shards: Iterator[Shard] = shards_of(self.source)
        while True:
            taken: deque[Shard] = deque()
            try:
                for output in engine.map(function, _recorded(shards, taken), self.running.threads):
                    shard = taken.popleft()
                    self._enter(shard)
                    self.rows += output.rows
                    yield shard, output
                return
            except BadRow as bad:
                self._enter(taken[0])
                raise DataError(f"{self.place(self.rows + bad.row)}: {bad.what}", bad.hint) from None
            except MemoryError:
                raise too_little_memory(taken[0].file if taken else self.source.files[-1]) from None
            except Resplit as resplit:
                taken.popleft()
                shards = chain([resplit.rest], _next_files(chain([*taken], shards)))

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows themselves, in order; errors as for `map`."""
        shards: Iterator[Shard] = shards_of(self.source)
        shard = next(shards, None)
        while shard is not None:
            self._enter(shard)
            try:
                for record in plain_rows(shard, wanted):
                    yield record
                    self.rows += record.num_rows
            except BadRow as bad:
                raise DataError(f"{self.place(self.starts[-1] + bad.row)}: {bad.what}", bad.hint) from None
            except MemoryError:
                raise too_little_memory(shard.file) from None
            except Resplit as resplit:
                self.starts.pop()
                self.parts.pop()
                shards = chain([resplit.rest], _next_files(shards))
            shard = next(shards, None)

    def _enter(self, shard: Shard) -> None:
        """Note that the next row is the first of a shard."""
        self.starts.append(self.rows)
        self.parts.append((shard.file, shard.index))
        if self.shards is not None:
            self.shards.append(shard)

    def records(self, shard: Shard, start: int, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows of a shard that was passed, the first of which is row ``start``; errors as for `map`."""
        try:
            yield from plain_rows(shard, wanted)
        except BadRow as bad:
            raise DataError(f"{self.place(start + bad.row)}: {bad.what}", bad.hint) from None

    def find(self, row: int) -> tuple[Shard, int]:
        """The shard that holds a row that was passed, and the number of the row within it, both from 0.

        Raises:
            TypeError: the shards were not kept.
        """
        index = bisect_right(self.starts, row) - 1
        if self.shards is None:
            raise TypeError("the shards were not kept")
        return self.shards[index], row - self.starts[index]

    def locate(self, row: int) -> tuple[str, int]:
        """The file of a row that was passed (or is the next), and its number in that file, from 1."""
        index = bisect_right(self.starts, row) - 1
        first = index
        while self.parts[first][1] > 0:
            first -= 1
        number = row - self.starts[first]
        numbers = self.source.numbers
        return self.parts[index][0], (number if numbers is None or number >= len(numbers) else int(numbers[number])) + 1

    def numbers(self, rows: IntArray) -> IntArray:
        """The numbers in their file, from 1, of some rows of one shard."""
        numbers = self.source.numbers
        if numbers is not None:
            return np.asarray(numbers[rows] + 1)
        return rows - rows[0] + self.locate(int(rows[0]))[1] if len(rows) else rows

    def place(self, row: int) -> str:
        """A row as messages name it."""
        file, number = self.locate(row)
        return f"{file}: row {number:,}"


def _next_files(shards: Iterable[Shard]) -> Iterator[Shard]:
    """The shards without the first ones that belong to the file before, the rest of which is read in one go."""
    return dropwhile(lambda shard: shard.index > 0, shards)


def _recorded(shards: Iterable[Shard], taken: deque[Shard]) -> Iterator[Shard]:
    """The shards, each appended to ``taken`` as it is handed out."""
    for shard in shards:
        taken.append(shard)
        yield shard
