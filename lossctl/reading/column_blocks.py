"""Many columns of Parquet, a few read to their end before the next are opened.

Arrow reads all columns side by side, and an open column holds a page and its dictionary: a thousand of them take more
room than the rows that are decoded at a time, and none is in the cache when its turn comes again.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MANY = 64
"""Columns from which on they are read like this."""
BESIDE = 8
"""Columns that are open at a time."""
HELD = 1 << 27
"""How many bytes of rows are held at a time."""
CROWD, PASSES = 256, 8
"""Columns from which on rows that are more are read in so many passes at most, each of which begins at the first row:
what the pages of all columns take is worth the time."""
LONG = 1 << 18
"""How many rows a pass gives at most: those of a column take as much room as its page and dictionary then."""


def apart(schema: pa.Schema, fields: Sequence[pa.Field]) -> bool:
    """Whether there are many columns to read, each of which can be read by itself, and few of which are text.

    Of words that a dictionary has, a page stands for many times its bytes: those of many rows would not fit.
    """
    names, known = {field.name for field in fields}, {*schema.names}
    alone = len(known) == len(schema) and names <= known and not any(pa.types.is_nested(field.type) for field in fields)
    texts = sum(not pa.types.is_primitive(field.type) for field in fields)
    return len(fields) > MANY and alone and texts <= BESIDE


def many_columns(
    file: "pq.ParquetFile", groups: Sequence[int], names: Sequence[str], width: int, rows: int, *, again: bool
) -> Iterator[pa.RecordBatch]:
    """The rows of some row groups, up to so many ``rows`` at a time.

    Args:
        file: the file, open.
        groups: the row groups.
        names: the columns, which are `apart`.
        width: about how many bytes a row takes.
        rows: how many rows a batch has at most.
        again: whether the file may be read more than once.
    """
    total = sum(file.metadata.row_group(group).num_rows for group in groups)
    passes = PASSES if again and len(names) >= CROWD else 1
    step = max(HELD // max(width, 1), min(-(-total // passes), LONG) if passes > 1 else 1, 1)
    if step * passes < total:
        yield from file.iter_batches(rows, row_groups=[*groups], columns=[*names], use_threads=False)
        return
    for start in range(0, total, step):
        stop, columns = min(start + step, total), dict[str, pa.ChunkedArray]()
        pa.default_memory_pool().release_unused()  # pages, which Arrow keeps for its next ones
        for first in range(0, len(names), BESIDE):
            beside = [*names[first : first + BESIDE]]
            batches = file.iter_batches(step, row_groups=[*groups], columns=beside, use_threads=False)
            table = _rows(batches, start, stop)  # ``a`` stands for ``a.b`` too
            columns |= zip(table.column_names, table.columns, strict=True)
        table = pa.table({name: columns[name] for name in names})
        *parts, last = table.to_batches(max_chunksize=rows)
        del table
        columns.clear()
        yield from parts
        parts.clear()
        last = last if stop == total else _copied(last)
        yield last


def _rows(batches: Iterable[pa.RecordBatch], start: int, stop: int) -> pa.Table:
    """The rows from one to before another of some batches."""
    taken, row = [], 0
    for batch in batches:
        first, row = max(start - row, 0), row + batch.num_rows
        if row > start:
            taken.append(batch[first : batch.num_rows - max(row - stop, 0)])
        if row >= stop:
            break
    return pa.Table.from_batches(taken)


def _copied(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows in memory of their own: who has them yet while the next are read does not hold what was beside."""
    arrays = [pa.concat_arrays([column, column[:0]]) for column in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)
