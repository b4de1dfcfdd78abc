"""The rows of two data sets side by side: their columns read, their keys matched, or their rows in order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lossctl.arrow import in_arrow, scalar
from lossctl.dataclass import dataclass
from lossctl.errors import DataError, UsageError, option
from lossctl.evaluation.group_keys import coded
from lossctl.evaluation.keys import ensure_one_clock, told_alike
from lossctl.evaluation.running import SERIAL
from lossctl.evaluation.traversal import Traversal
from lossctl.inference.sample import sampled
from lossctl.reading.cells import BadRow, kind_of, scalar_column, text_of
from lossctl.reading.columns import Column, fields_in
from lossctl.reading.files import counted_line, narrowed
from lossctl.reading.format import Source, Wanted
from lossctl.reading.inferred_types import is_number
from lossctl.reading.storage import is_list, takeable
from lossctl.words import counted

LEFT, RIGHT = "left row", "right row"
LOOK = 1 << 10
"""How many labels are looked at to tell names from numbers."""
EXAMPLES = 3
"""How many ids a message shows."""


def known_columns(source: Source) -> tuple[Column, ...]:
    """The columns of a data set and the fields inside them."""
    return (*source.columns, *fields_in(source.columns))


def kind_in(source: Source, name: str) -> str:
    """The kind of a column."""
    return next(column.kind for column in known_columns(source) if column.name == name)


def nested(source: Source, names: set[str]) -> set[str]:
    """Those of some columns that stand inside others."""
    return names - {column.name for column in source.columns}


def title_of(source: Source) -> str:
    """What messages call a data set."""
    return " ".join(source.files) or "the table"


def refuse_twins(source: Source, needed: set[str]) -> None:
    """Raise a `UsageError` where a column that counts is there twice."""
    for name, times in Counter(column.name for column in known_columns(source)).items():
        if times > 1 and name in needed:
            raise UsageError(f"{title_of(source)}: two columns are called {name!r}", "Rename one.")


def wordy(source: Source, names: Iterable[str], *, known: bool) -> Iterator[str]:
    """Those of some columns of text that hold no number, as far as is looked, or all where it is known that they do."""
    for name in names:
        if kind_in(source, name) == "text":
            sample = () if known else sampled(source, Wanted(frozenset(), frozenset({name})), most=LOOK).records
            cells = (cell for record in sample for cell in record.column(name).to_pylist())
            if not any(cell is not None and is_number(cell) for cell in cells):
                yield name


def read_columns(source: Source, ids: Sequence[str], needed: set[str], texts: set[str], *, others: bool) -> pa.Table:
    """The ids and the needed columns of a source, or all columns, as one table; a `DataError` without rows."""
    columns = known_columns(source)
    objects = frozenset(column.name for column in columns if column.kind == "object" and column.name in needed)
    wanted = Wanted(frozenset(needed - texts - {*ids}), frozenset({*ids, *texts}), others, whole=objects)
    passed = Traversal(narrowed(source, needed | {*ids}), SERIAL)
    batches = [takeable(batch) for batch in passed.batches(wanted)]
    if not batches:
        raise DataError(f"{title_of(source)}: no data rows")
    try:
        return _stacked(batches)
    except pa.ArrowException:
        # Such as numbers in one file, words in another, or integers that are no doubles in some rows only.
        numerals = {name for batch in batches for name in numerals_in(batch, source, wanted.numbers)}
        batches = [_alike(batch, wanted, numerals, source) for batch in batches]
    try:
        return _stacked(batches)
    except pa.ArrowException as error:
        what = f"{title_of(source)}: a column has other types in some rows than in others: {error}"
        raise DataError(what, "Write it with one type in all files.") from None


def numerals_in(rows: pa.Table | pa.RecordBatch, source: Source, names: Iterable[str]) -> Iterator[str]:
    """The columns of some names that are numbers, but came as text for the sake of integers that are no doubles."""
    for name in names:
        kind = rows.schema.field(name).type
        cell, role = (kind.value_type, "list") if is_list(kind) else (kind, "number")
        if pa.types.is_string(cell) and kind_in(source, name) == role:
            yield name


def _stacked(batches: list[pa.RecordBatch]) -> pa.Table:
    """Record batches as one table; an `ArrowException` where their types cannot be merged, or not without loss."""
    fields = [field for batch in batches for field in batch.schema]
    floating = {field.name for field in fields if pa.types.is_floating(field.type)}
    rounded = [field.name for field in fields if pa.types.is_decimal(field.type) and field.name in floating]
    if rounded:
        raise pa.ArrowTypeError(f"{rounded[0]!r} is decimal and floating")
    tables = [pa.Table.from_batches([batch]) for batch in batches]
    return pa.concat_tables(tables, promote_options="permissive")


def _alike(record: pa.RecordBatch, wanted: Wanted, numerals: set[str], source: Source) -> pa.RecordBatch:
    """The rows with every column of numbers as doubles, or as numerals, and those to be read as text as text.

    Raises:
        DataError: some cannot be read as text.
    """
    for index, field in enumerate(record.schema):
        array = record.column(index)
        if field.name in numerals and is_list(field.type):
            record = record.set_column(index, field.name, array.cast(pa.list_(pa.string())))
        elif field.name in wanted.texts | numerals:
            record = record.set_column(index, field.name, _text(array, field.name, source))
        elif field.name in wanted.numbers and kind_of(field.type) == "number":
            values, null = scalar_column(array)
            record = record.set_column(index, field.name, in_arrow(values, null))
    return record


def _text(array: pa.Array, name: str, source: Source) -> pa.Array:
    try:
        return text_of(array, name)
    except BadRow as bad:
        raise DataError(f"{title_of(source)}: {bad.what}", "Join on columns of numbers or words.") from None


def keys_of(table: pa.Table, ids: Sequence[str], source: Source) -> pa.Table:
    """The key columns of a side as text; an empty key is missing.

    Raises:
        DataError: some cannot be read as text.
    """
    import pyarrow.compute as pc

    columns = {}
    for name in ids:
        words = pa.chunked_array([_text(part, name, source) for part in table[name].chunks], pa.string())
        columns[name] = pc.if_else(pc.equal(words, scalar("")), scalar(None), words)
    return pa.table(columns)


@dataclass(frozen=True)
class Called:
    """What messages call two sides, and their rows that have none on the other."""

    sides: tuple[str, str] = ("the predictions", "the labels")
    alone: tuple[str, str] = ("predictions have no label", "labels have no prediction")
    repeated: str = f"Ids must be unique on both sides; more columns may tell rows apart: {option(ids='A,B')}."
    hint: str = f"Join on what matches with {option(join='inner')}, or keep all predictions: {option(join='left')}."


SIDES = Called()


def match_by_key(
    left: pa.Table, right: pa.Table, ids: list[str], how: str, called: Called = SIDES
) -> tuple[pa.Table, dict[str, Any], tuple[str, ...]]:
    """The row numbers of matching rows, columns `LEFT` and `RIGHT` in the order of the left, how many, and remarks.

    Raises:
        DataError: as for `join`; or times have an offset on one side only.
    """
    written = left.select(ids), right.select(ids)
    *sides, remarks = told_alike(*written, called.sides)
    code = coded(pa.concat_tables(sides).columns)
    keys = np.split(code, [left.num_rows])
    for side, table, key in zip(called.sides, sides, keys, strict=True):
        for name in ids:
            if table[name].null_count:
                raise DataError(f"id {name!r} is null in {table[name].null_count:,} rows of {side}")
        often = np.bincount(key) > 1
        if often.any():
            rows = np.flatnonzero(often[key])
            first = rows[np.sort(np.unique(key[rows], return_index=True)[1])]
            such = examples(table.take(in_arrow(first[:EXAMPLES])), ids)
            what = f"{counted(len(first), 'id')} more than once in {side}, such as {such}"
            raise DataError(what, called.repeated)
    places = []
    for own, others in (keys, keys[::-1]):
        place = np.full(len(code), -1)
        place[others] = np.arange(len(others))
        places.append(place[own])
    beside = places[0]
    matching = np.flatnonzero(beside >= 0)
    missing = [table.filter(in_arrow(place < 0)) for table, place in zip(sides, places, strict=True)]
    facts = {"unmatched_predictions": missing[0].num_rows, "unmatched_labels": missing[1].num_rows}
    if any(facts.values()):
        ensure_one_clock(*written, called.sides)
    if how == "strict" and any(facts.values()):
        parts = [
            f"{table.num_rows:,} {alone}, such as {examples(table, ids)}"
            for alone, table in zip(called.alone, missing, strict=True)
            if table.num_rows
        ]
        raise DataError("; ".join(parts), called.hint)
    kept = np.arange(len(beside)) if how == "left" else matching
    matched = pa.table({LEFT: in_arrow(kept), RIGHT: in_arrow(beside[kept], beside[kept] < 0)})
    return matched, {"matched": sides[0].num_rows - missing[0].num_rows, **facts}, remarks


def match_in_order(
    left: pa.Table, right: pa.Table, predictions: Source, labels: Source
) -> tuple[pa.Table, dict[str, Any], tuple[str, ...]]:
    """As `match_by_key`, each row with that in its place.

    Raises:
        DataError: one side has more rows.
    """
    if left.num_rows != right.num_rows:
        counts = [
            f"{counted(table.num_rows, 'row')} in {title_of(source)}"
            for table, source in ((left, predictions), (right, labels))
        ]
        hint = f"Nothing tells which rows belong together; match them by key: {option(ids='COL')}."
        for source in (predictions, labels):
            line = counted_line(source)
            if line is not None and line.doubtful:
                hint += f" If the first line of {title_of(source)}, {line.line}, is a row, say {option(header=False)}."
        raise DataError(f"{option(join='order')}: {counts[0]}, but {counts[1]}", hint)
    rows = in_arrow(np.arange(left.num_rows))
    facts = {"matched": left.num_rows, "unmatched_predictions": 0, "unmatched_labels": 0}
    return pa.table({LEFT: rows, RIGHT: rows}), facts, ()


def examples(table: pa.Table, ids: list[str]) -> str:
    """The ids of the first few rows, for a message."""
    rows = table.select(ids).slice(0, EXAMPLES).to_pylist()
    return "; ".join(", ".join(str(row[name]) for name in ids) for row in rows)
