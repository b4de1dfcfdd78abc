"""Some rows of a data set to tell what its columns hold: of a bounded number, and the same for every engine."""

from collections.abc import Iterator, Sequence
from itertools import islice

import pyarrow as pa

from lossctl.reading.cells import BadRow
from lossctl.reading.files import beginnings
from lossctl.reading.format import Resplit, Shard, Source, Wanted
from lossctl.reading.rows import plain_rows, shards_of

ROWS = 1 << 16
"""How many rows are looked at."""
PARTS = 8
"""Over how many parts of the data set these are spread."""
FIRST = (256, PARTS)
"""Among how many parts of one file, and of several, these are chosen: to know of more would take too long."""


def sampled(source: Source, wanted: Wanted, most: int = ROWS) -> Iterator[pa.RecordBatch]:
    """The first rows of some parts of a data set, or of its first part where it can be read only once.

    What cannot be read is left out: the pass over all rows says what is wrong with it, in its turn.
    """
    several = len(source.files) > 1
    shards = [*islice(beginnings(source) if several else shards_of(source), 1 if source.once else FIRST[several])]
    chosen = [*dict.fromkeys(_spread(len(shards)))]
    for place in chosen:
        yield from _beginning(shards[place], wanted, max(min(most, ROWS) // len(chosen), 1))


def _spread(parts: int) -> Sequence[int]:
    """Places from the first part to the last."""
    return [place * (parts - 1) // (PARTS - 1) for place in range(PARTS)] if parts else []


def _beginning(shard: Shard, wanted: Wanted, rows: int) -> Iterator[pa.RecordBatch]:
    """The first rows of a part."""
    try:
        for record in plain_rows(shard, wanted):
            yield record.slice(0, rows)
            rows -= record.num_rows
            if rows <= 0:
                return
    except (BadRow, Resplit):
        return
