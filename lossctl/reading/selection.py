"""Rows that are chosen: by a condition on their columns, and the first of those.

The choice is made where rows are read, so that who reads them need not know of it. Shards stay those of the file, and
say which of their rows they gave, so that a row keeps the number that it has in its file.
"""

from collections.abc import Iterator
from dataclasses import field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lossctl.arrow import in_arrow
from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray
from lossctl.errors import DataError, UsageError, option
from lossctl.reading.cells import BadRow, kind_of, text_of
from lossctl.reading.format import Around, AroundSource, Reading, Resplit, Shard, Source, Wanted
from lossctl.reading.missing import nulled
from lossctl.reading.rows import Kept, fielded
from lossctl.reading.storage import plain, takeable
from lossctl.reading.stores import REFUSALS, unreadable
from lossctl.reading.written import exact_numbers

if TYPE_CHECKING:
    from lossctl.reading.where import Condition


@dataclass(frozen=True)
class Choice:
    """Which rows are chosen."""

    text: str
    condition: "Condition"
    kinds: tuple[tuple[str, str], ...]
    """The columns that it is about, and their kinds."""

    fields: frozenset[str] = frozenset()
    """Those of them that stand inside others."""
    reading: Reading = field(default_factory=Reading)
    """How numbers are written, and nulls, where a column comes as it is written."""

    @property
    def names(self) -> frozenset[str]:
        """The columns that it is about."""
        return frozenset(name for name, _ in self.kinds)

    def widened(self, wanted: Wanted) -> Wanted:
        """What is wanted, and what the condition is about; where all columns are wanted, these are among them."""
        texts = frozenset(name for name, kind in self.kinds if kind != "number")
        lacking = self.added(wanted)
        return replace(
            wanted,
            numbers=wanted.numbers | (lacking - texts),
            texts=wanted.texts | (lacking & texts),
            where=self.condition,
        )

    def added(self, wanted: Wanted) -> frozenset[str]:
        """The columns that are read for the condition alone."""
        return (self.fields if wanted.others else self.names) - wanted.names

    def holds(self, record: pa.RecordBatch, wanted: Wanted) -> BoolArray | None:
        """The rows for which the condition holds; ``None`` for all. Errors as for `holding`."""
        from lossctl.reading.holding import holding  # noqa: PLC0415  (where rows are chosen)

        if wanted.others:
            record = self._read(record, [(name, kind) for name, kind in self.kinds if name not in wanted.names])
        rows = holding(self.condition, record, dict(self.kinds))
        return None if rows.all() else rows

    def _read(self, record: pa.RecordBatch, carried: list[tuple[str, str]]) -> pa.RecordBatch:
        """The rows with some columns, which came as they are written, as they would have been read for themselves."""
        words = self.reading.null_words
        for name, kind in carried:
            place, array = record.schema.get_field_index(name), plain(record.column(name))
            if kind == "number" and kind_of(array.type) == "text":
                nulls = words.of(name)
                array = exact_numbers(text_of(array, name), name, nulls, self.reading.decimal, self.reading.thousands)
            record = record.set_column(place, pa.field(name, array.type), array)
            record = nulled(record, [name], lambda name: words.said_of(name, number=kind == "number"))  # noqa: B023
        return record


@dataclass(frozen=True)
class Chosen(Around):
    """A shard of which some rows are given."""

    choice: Choice | None
    most: int | None
    """How many rows are given at most."""

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """The rows that are chosen; errors as for the shard itself, and for `holding`."""
        yield from self.choose(wanted, Kept())

    def choose(self, wanted: Wanted, kept: Kept) -> Iterator[pa.RecordBatch]:
        """As `read`, noting which rows these are."""
        choice, chosen = self.choice, None
        widened = replace(wanted if choice is None else choice.widened(wanted), most=self.most)
        added = frozenset() if choice is None else choice.added(wanted)
        try:
            for stored in self.inner.read(widened):
                record = fielded(stored, widened, self.file, kept.rows)
                if choice is not None:
                    try:
                        chosen = choice.holds(record, wanted)
                    except BadRow as bad:
                        raise BadRow(kept.rows + bad.row, bad.what, bad.hint) from None
                    except REFUSALS as error:
                        raise unreadable(self.file, error) from None
                left = None if self.most is None else self.most - kept.given
                if left is not None and (record.num_rows if chosen is None else int(chosen.sum())) >= left:
                    chosen = np.ones(record.num_rows, dtype=np.bool_) if chosen is None else chosen
                    end = int(np.flatnonzero(chosen)[left - 1]) + 1
                    record, chosen = record.slice(0, end), chosen[:end]
                    chosen = None if chosen.all() else chosen
                kept.note(record.num_rows, chosen)
                if chosen is None or chosen.any():
                    given = record if chosen is None else filtered(record, chosen)
                    names = given.schema.names
                    own = [place for place, name in enumerate(names) if name not in added]
                    yield given if len(own) == len(names) else given.select(own)
                if self.most is not None and kept.given >= self.most:
                    return
        except Resplit as resplit:
            raise Resplit(replace(self, inner=resplit.rest)) from None


def filtered(record: pa.RecordBatch, rows: BoolArray) -> pa.RecordBatch:
    """The rows where ``rows`` is true."""
    return takeable(record).filter(in_arrow(rows))


@dataclass(frozen=True)
class Selected(AroundSource):
    """A data set of which some rows are chosen."""

    choice: Choice | None
    limit: int | None

    @property
    def names(self) -> frozenset[str]:
        """The columns that the choice is about."""
        return frozenset() if self.choice is None else self.choice.names

    def shards(self) -> Iterator[Shard]:
        """Its parts, in order, each with no more rows than are chosen in all."""
        for shard in self.inner.shards():
            yield self.chosen(shard)

    def chosen(self, shard: Shard) -> Chosen:
        """A part of the data set, with what is chosen of it."""
        return Chosen(shard, self.choice, self.limit)


def selected(source: Source, where: str | None, limit: int | None, reading: Reading | None = None) -> Source:
    """A data set with the rows for which ``where`` holds, and of these the first ``limit``, read as ``reading`` says.

    Raises:
        UsageError: ``where`` is no condition on its columns, or ``limit`` is below 1.
    """
    ensure_selection(where, limit)
    if where is None and limit is None:
        return source
    choice = None
    if where is not None:
        from lossctl.reading.asking import ensure_bound  # noqa: PLC0415  (likewise)
        from lossctl.reading.where import parsed  # noqa: PLC0415  (likewise)

        condition = parsed(where)
        kinds = ensure_bound(where, condition, source.columns)
        fields = frozenset(kinds) - {column.name for column in source.columns}
        choice = Choice(where, condition, tuple(sorted(kinds.items())), fields, reading or Reading())
    return Selected(source, choice, limit)


def no_rows(source: Source, read: int = 0) -> DataError:
    """The error for a source that gives no row: because it has none, or because none is chosen.

    Args:
        source: the data.
        read: how many rows were read, where that is known.
    """
    files, where = source.files, where_of(source)
    title = files[0] if len(files) == 1 else f"{len(files)} files" if files else "the table"
    if where is None:
        return DataError(f"{title}: no data rows")
    none = f"none of {read:,} rows is chosen" if read else "no row is chosen"
    return DataError(f"{title}: {none}", f"Is it what was meant? {option('where')} is: {where}.")


def where_of(source: Source) -> str | None:
    """The condition on the rows of a data set, as it was written; ``None`` where all are chosen."""
    return source.choice.text if isinstance(source, Selected) and source.choice is not None else None


def limit_of(source: Source) -> int | None:
    """How many rows of a data set are given at most."""
    return source.limit if isinstance(source, Selected) else None


def cut(shard: Shard, most: int) -> Shard:
    """A part of a data set that has a limit, with no more than so many rows."""
    return replace(shard, most=most) if isinstance(shard, Chosen) else shard


def ensure_selection(where: str | None, limit: int | None) -> None:
    """Check what can be checked before anything is opened; a `UsageError` as for `selected`."""
    if where is not None:
        from lossctl.reading.where import parsed  # noqa: PLC0415  (likewise)

        parsed(where)
    if limit is not None and limit < 1:
        raise UsageError(f"{option('limit')} must be 1 or more, not {limit}")
