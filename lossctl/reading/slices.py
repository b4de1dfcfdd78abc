"""Rows of a shard that is too large for one worker: who gives some of them goes on from there when more are asked for.

Arrow reads a row group from its beginning, and skips no page of it: each worker reads the rows before its own as well,
once, and works on its own alone.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Resplit, Shard, Wanted


@dataclass
class Cursor:
    """A place in the rows of a shard."""

    shard: Shard
    wanted: Wanted
    records: Iterator[pa.RecordBatch]
    row: int = 0
    """How many rows were given."""
    rest: pa.RecordBatch | None = None
    """Rows of a record batch of which some were given."""

    def upto(self, stop: int | None) -> Iterator[pa.RecordBatch]:
        """The next rows, up to that of some number, or to the end; errors as for the shard."""
        while stop is None or self.row < stop:
            record = next(self.records, None) if self.rest is None else self.rest
            if record is None:
                return
            given = record if stop is None else record.slice(0, stop - self.row)
            self.rest = record.slice(given.num_rows) if given.num_rows < record.num_rows else None
            self.row += given.num_rows
            yield given


class _Left(threading.local):
    """Where the last slice that this thread read ended."""

    cursor: Cursor | None = None


_left = _Left()


@dataclass(frozen=True)
class Slice:
    """Some rows of a shard that follow each other."""

    inner: Shard
    start: int
    stop: int | None
    """The row after the last; ``None`` for the end of the shard."""
    index: int
    nbytes: int
    before: int = 0
    """How many rows of its file come before the shard, where that is asked for."""
    step: int | None = None
    """After how many rows a record batch ends at the latest, so that it does not matter how a shard is sliced."""

    @property
    def file(self) -> str:
        """The file it is a part of."""
        return self.inner.file

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows; errors as for the shard itself."""
        cursor, _left.cursor = _left.cursor, None  # nothing is left of what is not read to its end
        if cursor is None or cursor.row > self.start or (cursor.shard, cursor.wanted) != (self.inner, wanted):
            cursor = Cursor(self.inner, wanted, self.inner.read(wanted))
        try:
            for _ in cursor.upto(self.start):
                pass
            for stop in self._stops(cursor):
                yield from cursor.upto(stop)
        except BadRow as bad:
            raise BadRow(bad.row - self.start, bad.what, bad.hint) from None
        except Resplit as resplit:
            raise Resplit(replace(self, inner=resplit.rest, start=0, stop=None)) from None
        if self.stop is not None:
            _left.cursor = cursor

    def _stops(self, cursor: Cursor) -> Iterator[int | None]:
        """The rows before which record batches end, as far as a cursor gets; the last is ``stop``."""
        if self.step is not None:
            stop = self.start + self.step
            while (self.stop is None or stop < self.stop) and cursor.row == stop - self.step:
                yield stop
                stop += self.step
        yield self.stop


def slices(shard: Shard, rows: int, most: int, first: int, before: int = 0, step: int | None = None) -> Iterator[Slice]:
    """A shard in slices.

    Args:
        shard: the shard.
        rows: how many it has.
        most: how many rows a slice has at most.
        first: the index of the first slice.
        before: how many rows of its file come before it.
        step: after how many rows a record batch ends at the latest.
    """
    number = max(-(-rows // most), 1)
    whole = shard if isinstance(shard, Slice) else Slice(shard, 0, None, first, shard.nbytes)
    for index in range(number):
        start = whole.start + index * most
        stop = whole.stop if index == number - 1 else start + most
        nbytes = whole.nbytes // number
        yield replace(
            whole,
            start=start,
            stop=stop,
            index=first + index,
            nbytes=nbytes,
            before=before - whole.start,
            step=step,
        )
