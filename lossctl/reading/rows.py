"""The one door through which rows come: what a reader raises becomes an error of the file, cells are stored plainly."""

from collections.abc import Iterator

import pyarrow as pa

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
    """The rows of a shard, some at a time; columns that are named are `plain`, others as the file stores them.

    Raises:
        BadRow: a row cannot be read.
        Resplit: the file has to be cut elsewhere from here on.
        DataError: the file cannot be read.
    """
    records = shard.read(wanted)
    while True:
        try:
            record = next(records, None)
        except REFUSALS as error:
            raise unreadable(shard.file, error) from None
        if record is None:
            return
        yield _plainly(record, wanted, shard.file)


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
