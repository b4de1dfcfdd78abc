"""A pass over the shards of a source in order, which says in which row of which file an error is.

Where a shard turns out to end inside quotes, the rest of its file is read in one go.
"""

import contextlib
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, dropwhile
from typing import Protocol, TypeVar

import numpy as np
import pyarrow as pa

from lossctl.domain import IntArray
from lossctl.errors import DataError, too_little_memory
from lossctl.evaluation.engine import Engine, ahead
from lossctl.evaluation.running import Running
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Resplit, Shard, Source, Wanted
from lossctl.reading.rows import Kept, plain_rows, shards_of
from lossctl.reading.selection import cut, limit_of, where_of
from lossctl.reading.unopened import unopened
from lossctl.words import counted


class Counted(Protocol):
    """A result that knows how many rows it was made of."""

    @property
    def rows(self) -> int:
        """The number of rows read."""

    @property
    def kept(self) -> Kept:
        """Which of the rows of a shard these are."""


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
        self.rows = self.read = 0
        """How many rows were given so far, and how many were read for them."""
        self.starts: list[int] = []
        self.begins: list[int] = []
        """Where the first row of each shard stands, among those given and among those read."""
        self.kept: list[Kept] = []
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
                for output in engine.map(function, _recorded(self._needed(shards), taken), self.running.threads):
                    shard = taken.popleft()
                    left = self._left()
                    if left is not None and output.rows > left:
                        yield self._passed(*_again(function, shard, left))
                    else:
                        yield self._passed(shard, output)
                    if left is not None and output.rows >= left:
                        return
                return
            except BadRow as bad:
                left = self._left()
                if left is not None:
                    with contextlib.suppress(BadRow):
                        shard, output = _again(function, taken[0], left)
                        if output.rows == left:  # what cannot be read comes after all that is wanted
                            yield self._passed(shard, output)
                            return
                self._enter(taken[0], Kept())
                raise self.failed(bad) from None
            except MemoryError:
                raise too_little_memory(taken[0].file if taken else self.source.files[-1]) from None
            except Resplit as resplit:
                taken.popleft()
                shards = chain([resplit.rest], _next_files(chain([*taken], shards)))

    def failed(self, bad: BadRow) -> DataError:
        """The error for a row of the shard that was entered last."""
        return DataError(f"{self._read_place(bad.row)}: {bad.what}", bad.hint)

    @property
    def before(self) -> int:
        """How many rows were read of the file of the shard that was entered last, before that shard."""
        return int(self._in_file(len(self.parts) - 1, np.zeros(1, np.int64))[0]) - 1

    def rest(self, shard: Shard, wanted: Wanted, given: int) -> Iterator[pa.RecordBatch]:
        """The rows of the shard that was passed last, after so many of which nothing came; errors as for `map`."""
        kept = self.kept[-1] = Kept()
        self.rows = self.starts[-1] + given
        try:
            for record in plain_rows(shard, wanted, kept):
                self.read = self.begins[-1] + kept.rows
                skipped = min(given, record.num_rows)
                given -= skipped
                if skipped < record.num_rows or not record.num_rows:
                    yield record.slice(skipped)
                    self.rows += record.num_rows - skipped
            self.read = self.begins[-1] + kept.rows
        except BadRow as bad:
            raise self.failed(bad) from None
        except MemoryError:
            raise too_little_memory(shard.file) from None

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows themselves, in order; errors as for `map`."""
        shards: Iterator[Shard] = ahead(self._needed(shards_of(self.source)))
        shard = next(shards, None)
        while shard is not None:
            left, kept = self._left(), Kept()
            shard = shard if left is None else cut(shard, left)
            self._enter(shard, kept)
            begin = self.read
            try:
                for record in plain_rows(shard, wanted, kept):
                    self.read = begin + kept.rows
                    yield record
                    self.rows += record.num_rows
                self.read = begin + kept.rows
            except BadRow as bad:
                raise self.failed(bad) from None
            except MemoryError:
                raise too_little_memory(shard.file) from None
            except Resplit as resplit:
                for entered in (self.starts, self.begins, self.parts, self.kept):
                    entered.pop()
                shards = self._needed(chain([resplit.rest], _next_files(shards)))
            shard = next(shards, None)

    def _left(self) -> int | None:
        """How many rows are still wanted; ``None`` for all."""
        limit = limit_of(self.source)
        return None if limit is None else limit - self.rows

    def _needed(self, shards: Iterator[Shard]) -> Iterator[Shard]:
        """The shards, as long as more rows are wanted."""
        while self._left() != 0 and (shard := next(shards, None)) is not None:
            yield shard

    def _passed(self, shard: Shard, output: Output) -> tuple[Shard, Output]:
        """A shard and what came of it, which is noted."""
        left = unopened(shard)
        if left is not None and output.kept.stamp is not None:
            left.note(output.kept.stamp)
        self._enter(shard, output.kept)
        self.rows, self.read = self.rows + output.rows, self.read + output.kept.rows
        return shard, output

    def _enter(self, shard: Shard, kept: Kept) -> None:
        """Note that the next row is the first of a shard."""
        self.starts.append(self.rows)
        self.begins.append(self.read)
        self.kept.append(kept)
        self.parts.append((shard.file, shard.index))
        if self.shards is not None:
            self.shards.append(shard)

    def records(self, shard: Shard, start: int, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows of a shard that was passed, the first of which is row ``start``; errors as for `map`."""
        try:
            yield from plain_rows(shard, wanted)
        except BadRow as bad:
            index = bisect_right(self.starts, start) - 1
            raise DataError(f"{self._read_place(bad.row, index)}: {bad.what}", bad.hint) from None

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
        return self.parts[index][0], int(self._numbered(index, np.array([row]))[0])

    def numbers(self, rows: IntArray) -> IntArray:
        """The numbers in their file, from 1, of some rows of one shard."""
        return self._numbered(bisect_right(self.starts, int(rows[0])) - 1, rows) if len(rows) else rows

    def _numbered(self, index: int, rows: IntArray) -> IntArray:
        """As `numbers`, of the shard of that index."""
        return self._in_file(index, self.kept[index].places(rows - self.starts[index]))

    def _in_file(self, index: int, read: IntArray) -> IntArray:
        """The numbers in their file, from 1, of rows of a shard, counted from 0 among all that it has."""
        first = index
        while self.parts[first][1] > 0:
            first -= 1
        place = read + self.begins[index] - self.begins[first]
        numbers = self.source.numbers
        if numbers is None:
            return np.asarray(place + 1)
        known = place < len(numbers)
        return np.where(known, numbers[np.where(known, place, 0)], place) + 1

    def place(self, row: int) -> str:
        """A row as messages name it."""
        file, number = self.locate(row)
        return f"{file}: row {number:,}"

    def _read_place(self, read: int, index: int = -1) -> str:
        """A row as messages name it, counted from 0 among all that a shard has, of which the last was entered last."""
        index = range(len(self.parts))[index]
        return f"{self.parts[index][0]}: row {int(self._in_file(index, np.array([read]))[0]):,}"

    def remarks(self) -> Iterator[str]:
        """What is to be said of rows that were not chosen, at the end of the pass."""
        where = where_of(self.source)
        if where is not None:
            yield f"{self.rows:,} of {self.read:,} rows chosen by where: {where}"
        yield from self.cut_short()

    def cut_short(self) -> Iterator[str]:
        """That the pass ended where enough rows were read, where it did."""
        if self._left() == 0:
            chosen = "" if where_of(self.source) is None else " chosen"
            yield f"only the first {counted(self.rows, f'{chosen} row'.strip())} were read"


def _again(function: Callable[[Shard], Output], shard: Shard, most: int) -> tuple[Shard, Output]:
    """A shard of which no more than so many rows are given, and what the function makes of it."""
    shard = cut(shard, most)
    return shard, function(shard)


def _next_files(shards: Iterable[Shard]) -> Iterator[Shard]:
    """The shards without the first ones that belong to the file before, the rest of which is read in one go."""
    return dropwhile(lambda shard: shard.index > 0, shards)


def _recorded(shards: Iterable[Shard], taken: deque[Shard]) -> Iterator[Shard]:
    """The shards, each appended to ``taken`` as it is handed out."""
    for shard in shards:
        taken.append(shard)
        yield shard
