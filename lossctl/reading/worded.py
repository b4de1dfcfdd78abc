"""Shards whose cells are null where they hold what somebody says means a missing value, whatever the format."""

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.reading.format import Around, Resplit, Shard, Wanted
from lossctl.reading.missing import NullWords, nulled
from lossctl.reading.rows import fielded


@dataclass(frozen=True)
class Worded(Around):
    """A shard in which some words mean a missing value."""

    words: NullWords

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows, null where a cell of a wanted column is one of its words; errors as for the shard itself."""
        rows = 0
        try:
            for stored in self.inner.read(wanted):
                record = fielded(stored, wanted, self.file, rows)
                rows += record.num_rows
                numbers = nulled(record, wanted.numbers, lambda name: self.words.said_of(name, number=True))
                yield nulled(numbers, wanted.texts, lambda name: self.words.said_of(name, number=False))
        except Resplit as resplit:
            raise Resplit(replace(self, inner=resplit.rest)) from None


def heeding(words: NullWords, shard: Shard) -> Shard:
    """The shard itself where nobody said what means a missing value."""
    return shard if words == NullWords() else Worded(shard, words)
