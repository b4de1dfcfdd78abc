"""The one door through which rows come: what a reader raises becomes an error of the file, cells are stored plainly.

Fields inside columns come out of it as columns.
"""

from collections.abc import Iterator
from dataclasses import field
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, IntArray
from lossctl.errors import DataError
from lossctl.reading.cells import BadRow
from lossctl.reading.fields import with_fields
from lossctl.reading.format import Resplit, Shard, Source, Wanted
from lossctl.reading.storage import is_plain, plain
from lossctl.reading.stores import REFUSALS, unreadable


@dataclass
class Kept:
    """Which rows of a shard were given, a bit a row."""

    rows: int = 0
    """How many were read."""
    given: int = 0
    parts: list[tuple[int, int, bytes | None]] = field(default_factory=list)
    """Of rows that follow each other: how many were read and given, and the bits where that is not all or nothing."""

    def note(self, rows: int, chosen: BoolArray | None) -> None:
        """Note which of the next rows were given; ``None`` stands for all."""
        given = rows if chosen is None else int(chosen.sum())
        bits = None if chosen is None or given in {0, rows} else np.packbits(chosen).tobytes()
        self.rows, self.given = self.rows + rows, self.given + given
        if self.parts and bits is None and self.parts[-1][2] is None and given == rows:
            last = self.parts[-1]
            if last[0] == last[1]:
                self.parts[-1] = last[0] + rows, last[1] + given, None
                return
        self.parts.append((rows, given, bits))

    def places(self, given: IntArray) -> IntArray:
        """Where rows that were given, counted from 0 and in order, stand among those read; past the end, the end."""
        places = np.full(len(given), self.rows, dtype=np.int64)
        read = before = 0
        for rows, count, bits in self.parts:
            inside = (given >= before) & (given < before + count)
            if inside.any():
                local = given[inside] - before
                if bits is not None:
                    local = np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), count=rows))[local]
                places[inside] = local + read
            read, before = read + rows, before + count
        return places


@runtime_checkable
class Choosing(Protocol):
    """A shard of which some rows are given."""

    def choose(self, wanted: Wanted, kept: Kept) -> Iterator[pa.RecordBatch]:
        """Its rows, noting which these are; errors as for `Shard.read`."""


def shards_of(source: Source) -> Iterator[Shard]:
    """The parts of a source, in order.

    Raises:
        DataError: a file cannot be read.
    """
    try:
        yield from source.shards()
    except REFUSALS as error:
        raise unreadable(" ".join(source.files) or "the table", error) from None


def plain_rows(shard: Shard, wanted: Wanted, kept: Kept | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a shard, some at a time; columns and fields that are named are `plain`, others as they are stored.

    Fields stand behind the columns.

    Args:
        shard: the part of a file.
        wanted: which columns.
        kept: told which of the rows these are.

    Raises:
        BadRow: a row cannot be read; counted among all rows of the shard.
        Resplit: the file has to be cut elsewhere from here on.
        DataError: the file cannot be read.
    """
    kept = Kept() if kept is None else kept
    choosing = isinstance(shard, Choosing)
    records, rows = shard.choose(wanted, kept) if isinstance(shard, Choosing) else shard.read(wanted), 0
    schema, indirect = None, list[int]()
    while True:
        try:
            record = next(records, None)
        except REFUSALS as error:
            raise unreadable(shard.file, error) from None
        if record is None:
            return
        if not choosing:
            kept.note(record.num_rows, None)
        rows, record = rows + record.num_rows, fielded(record, wanted, shard.file, rows)
        if schema is None or not record.schema.equals(schema):  # rows may have a thousand columns
            schema = record.schema
            indirect = [
                place
                for place, column in enumerate(schema)
                if column.name in wanted.names and not is_plain(column.type)
            ]
        yield _plainly(record, indirect, shard.file)


def first_rows(shard: Shard, wanted: Wanted) -> pa.RecordBatch | None:
    """The first rows of a shard, wherever its file has to be cut; ``None`` where it has none.

    Raises:
        BadRow: a row of them cannot be read.
        DataError: the file cannot be read.
    """
    try:
        return next((record for record in plain_rows(shard, wanted) if record.num_rows), None)
    except Resplit as resplit:
        return first_rows(resplit.rest, wanted)


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


def _plainly(record: pa.RecordBatch, places: list[int], file: str) -> pa.RecordBatch:
    for place in places:
        array, name = record.column(place), record.schema.field(place).name
        try:
            cells = plain(array)
        except REFUSALS as error:
            raise unreadable(f"{file}: column {name!r}", error) from None
        if cells is not array:
            record = record.set_column(place, name, cells)
    return record
