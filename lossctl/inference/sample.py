"""Some rows of a data set to tell what its columns hold: of a bounded number, and the same for every engine."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import pyarrow as pa

from lossctl.arrow import in_arrow
from lossctl.dataclass import dataclass
from lossctl.reading.cells import BadRow, legible
from lossctl.reading.files import beginnings
from lossctl.reading.format import Resplit, Shard, Source, Wanted
from lossctl.reading.rows import plain_rows, shards_of
from lossctl.reading.selection import cut, limit_of
from lossctl.reading.storage import is_list, takeable

ROWS = 1 << 16
"""How many rows are looked at, about."""
READ = 1 << 21
"""How many rows of a part are read for that."""
CELLS = 1 << 24
"""How many cells are read for that at most, of which a list has as many as numbers; wide rows are fewer for it."""
KEPT = 1 << 20
"""How many of these are looked at in all."""
FEWEST = 64
"""How many rows of a part are looked at however wide they are."""
PARTS = 8
"""Over how many parts of a data set they are spread."""
FIRST = (256, PARTS)
"""Among how many parts of one file, and of several, these are chosen: to know of more would take too long."""


@dataclass(frozen=True)
class Sample:
    """Rows to look at."""

    records: tuple[pa.RecordBatch, ...]
    whole: bool
    """Whether they are all there are."""

    @property
    def rows(self) -> int:
        """How many they are."""
        return sum(record.num_rows for record in self.records)


def sampled(source: Source, wanted: Wanted, most: int = ROWS, parts: int = PARTS) -> Sample:
    """Rows of some parts of a data set, or of its first part where it can be read only once.

    Of many parts their beginnings are read, of few the whole: files are sorted now and then. What cannot be read is
    left out, and text that is not UTF-8 is `legible`: the pass over all rows says what is wrong with it, in its turn.

    Args:
        source: the data set.
        wanted: the columns to read.
        most: about how many rows there may be.
        parts: over how many parts they are spread at most.
    """
    several = len(source.files) > 1
    limit = 1 if source.once else FIRST[several]
    ahead = 0 if source.once else 1  # whether there is more is not looked at where that could not be read again
    shards = [*islice(beginnings(source) if several else shards_of(source), limit + ahead)]
    if limit_of(source) is None:
        chosen = [shards[place] for place in dict.fromkeys(_spread(len(shards[:limit])))][:parts]
    else:
        chosen = [*_first(shards[:parts], wanted, limit_of(source))]
    few, each = len(chosen) < PARTS, max(len(chosen), 1)
    share, cells = max(min(most, ROWS) // each, 1), KEPT // each
    samples = [_thinned(shard, wanted, share, cells, READ if few else share) for shard in chosen]
    whole = not several and not source.once and len(shards) == len(chosen) and all(each.whole for each in samples)
    return Sample(tuple(legible(record) for each in samples for record in each.records), whole)


def _first(shards: Sequence[Shard], wanted: Wanted, most: int | None) -> Iterator[Shard]:
    """The shards that give the first rows, as far as they are counted, the last of them cut."""
    left = most or 0
    for shard in shards if left <= ROWS else shards[:1]:
        if left <= 0:
            return
        yield cut(shard, left)
        try:
            left -= sum(record.num_rows for record in plain_rows(shard, wanted))
        except (BadRow, Resplit):
            return


def _spread(parts: int) -> Sequence[int]:
    """Places from the first part to the last."""
    return [place * (parts - 1) // (PARTS - 1) for place in range(PARTS)] if parts else []


def _thinned(shard: Shard, wanted: Wanted, share: int, cells: int, most: int) -> Sample:
    """About ``share`` of the first ``most`` rows of a part, evenly spread; fewer where they are wide.

    Args:
        shard: the part.
        wanted: the columns to read.
        share: how many rows are looked at.
        cells: how many cells are.
        most: how many rows are read.
    """
    records: list[pa.RecordBatch] = []
    step, read = 1, 0
    try:
        for record in plain_rows(shard, wanted):
            if not read and record.num_rows:
                width = _width(record)
                most = min(most, max(CELLS // width, FEWEST))
                share = min(share, most, max(cells // width, FEWEST))
            if read >= most:
                return Sample(tuple(records), whole=False)
            read += record.num_rows
            records.append(_every(record, step))
            while sum(record.num_rows for record in records) > max(share, len(records)):
                records, step = [_every(record, 2) for record in records], 2 * step
    except (BadRow, Resplit):
        return Sample(tuple(records), whole=False)
    return Sample(tuple(records), whole=step == 1)


def _width(record: pa.RecordBatch) -> int:
    """How many cells a row has on average."""
    lists = [column for column in record.columns if is_list(column.type)]
    numbers = int(sum(len(column.flatten()) for column in lists))
    return max(int(record.num_columns) - len(lists) + numbers // int(record.num_rows), 1)


def _every(record: pa.RecordBatch, step: int) -> pa.RecordBatch:
    """The first of every ``step`` rows."""
    if step == 1:
        return record
    return takeable(record).take(in_arrow(np.arange(0, record.num_rows, step, dtype=np.int64)))
