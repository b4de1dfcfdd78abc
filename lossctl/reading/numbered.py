"""Shards of a bounded number of rows, that know how many come before them: who reads one alone can number its rows."""

from collections.abc import Iterator
from dataclasses import replace

from lossctl.dataclass import dataclass
from lossctl.errors import LossctlError
from lossctl.reading.cells import BadRow
from lossctl.reading.files import Files
from lossctl.reading.format import Around, AroundSource, Resplit, Shard, Source, Wanted
from lossctl.reading.lines import Range
from lossctl.reading.selection import Chosen, Selected
from lossctl.reading.slices import Slice, slices
from lossctl.reading.stores import REFUSALS

ROWS = 1 << 16
"""How many rows a slice or a record batch has at most: what they come to is held until its turn."""


@dataclass(frozen=True)
class Numbered(AroundSource):
    """Files whose shards are numbered slices: rows are counted before they are read."""

    counted: Wanted | None
    """What is read to count rows; ``None`` where they are read in turn, and need not be counted."""

    def shards(self) -> Iterator[Shard]:
        """Their parts, in order.

        What comes after rows that cannot be counted, because they cannot be read, has wrong numbers: who passes over
        the rows knows the right ones.
        """
        index = before = 0
        for shard in self.inner.shards():
            if shard.index == 0:
                index = before = 0
            rows = 0 if self.counted is None else _rows(shard, self.counted)
            most = max(rows, 1) if _is_text(shard) else ROWS
            for part in slices(shard, rows, most, index, before, ROWS):
                yield part
                index += 1
            before += rows


def numbered(source: Source, counted: Wanted | None) -> Source | None:
    """A source whose shards are numbered slices; ``None`` of what is no files that can be read again.

    Its record batches are the same whether rows are counted, to share the shards, or not.
    """
    if isinstance(source, Selected):
        inner = numbered(source.inner, counted)
        return None if inner is None else replace(source, inner=inner)
    if not isinstance(source, Files) or source.once:
        return None
    return Numbered(source, counted)


def rows_before(shard: Shard) -> int:
    """How many rows of its file come before a numbered shard, as they were counted."""
    part = shard.inner if isinstance(shard, Chosen) else shard
    return part.before + part.start if isinstance(part, Slice) else 0


def _is_text(shard: Shard) -> bool:
    """Whether a shard is some text, which is parsed in one go, and has no more rows than fit into it."""
    while isinstance(shard, Around):
        shard = shard.inner
    return isinstance(shard, Range)


def _rows(shard: Shard, counted: Wanted) -> int:
    """How many rows a shard has; 0 where that cannot be told: it is read in one go then."""
    try:
        return sum(record.num_rows for record in shard.read(counted))
    except (BadRow, Resplit, LossctlError, MemoryError, *REFUSALS):
        return 0
