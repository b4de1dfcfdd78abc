"""The one door through which rows come: what a reader raises becomes an error of the file, cells are stored plainly.

Fields inside columns come out of it as columns.
"""

from collections.abc import Iterator

import pyarrow as pa

from lossctl.errors import DataError
from lossctl.reading.cells import BadRow
from lossctl.reading.fields import with_fields
from lossctl.reading.format import Shard, Source, Wanted
from lossctl.reading.storage import plain
from lossctl.reading.stores import REFUSALS, unreadable


def shards_of(source: Source) -> Iterator[Shard]:
    """The parts of a source, in order.

    Raises:
        DataError: a file cannot be read.
    """
    try:
        yield from source.shards()
    except REFUSALS as error:
        raise unreadable(" ".join(source.files) or "the table", error) from None


def plain_rows(shard: Shard, wanted: Wanted) -> Iterator[pa.RecordBatch]:
    """The rows of a shard, some at a time; columns and fields that are named are `plain`, others as they are stored.

    Fields stand behind the columns.

    Raises:
        BadRow: a row cannot be read.
        Resplit: the file has to be cut elsewhere from here on.
        DataError: the file cannot be read.
    """
    records, rows = shard.read(wanted), 0
    while True:
        try:
            record = next(records, None)
        except REFUSALS as error:
            raise unreadable(shard.file, error) from None
        if record is None:
            return
        yield _plainly(fielded(record, wanted, shard.file, rows), wanted, shard.file)
        rows += record.num_rows


def fielded(record: pa.RecordBatch, wanted: Wanted, file: str, rows: int) -> pa.RecordBatch:
    """The rows, of which so many came before, with the fields that are wanted; errors as for `plain_rows`."""
    if wanted.names.issubset(record.schema.names):
        return record
    try:
        record = with_fields(record, wanted.names, wanted.whole)
    except BadRow as bad:
        raise BadRow(bad.row + rows, bad.what, bad.hint) from None
    except REFUSALS as error:
        raise unreadable(file, error) from None
    missing = wanted.names.difference(record.schema.names)
    if missing:
        raise DataError(f"{file}: no column {min(missing)!r}")
    if wanted.others:
        return record
    return record.select([place for place, name in enumerate(record.schema.names) if name in wanted.names])


def _plainly(record: pa.RecordBatch, wanted: Wanted, file: str) -> pa.RecordBatch:
    for index, field in enumerate(record.schema):
        if field.name not in wanted.names:
            continue
        array = record.column(index)
        try:
            cells = plain(array)
        except REFUSALS as error:
            raise unreadable(f"{file}: column {field.name!r}", error) from None
        if cells is not array:
            record = record.set_column(index, field.name, cells)
    return record
