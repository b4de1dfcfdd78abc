"""From columns to group by to the groups of rows: the one place where they are read."""

import functools
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lossctl.domain import BoolArray, FloatArray, IntArray
from lossctl.inference.grouping import Grouping
from lossctl.inference.reader import number_cells
from lossctl.reading.cells import BadRow
from lossctl.reading.periods import PERIODS, are_dates, periods
from lossctl.reading.storage import contents, is_list, mask_of
from lossctl.sums.state import ranked

Group = tuple[str | None, ...]
"""What a group is called, a word a column."""


def grouped(record: pa.RecordBatch, by: Sequence[Grouping]) -> tuple[IntArray | None, tuple[Group, ...]]:
    """The group index of each row ``(n,)``, and the keys of the groups that occur, sorted whatever the rows' order is.

    Raises:
        BadRow: a column cannot be grouped by, or not in these units.
    """
    vocabularies: list[tuple[str | None, ...]] = []
    code = np.zeros(0, dtype=np.int64)
    ranks: list[IntArray] = []
    """The rank that each group has among the words of each column."""
    for grouping in by:
        index, words = _places(record, grouping)
        # Codes are ranks again after every column: products of vocabularies would pass 2^63.
        used, code = ranked(code * len(words) + index if vocabularies else index)
        before, rank = np.divmod(used, len(words))
        ranks = [*(column[before] for column in ranks), rank]
        vocabularies.append(words)
    if not vocabularies:
        return None, ((),)
    return code, _keys(tuple(vocabularies), np.array(ranks).tobytes())


def _places(record: pa.RecordBatch, grouping: Grouping) -> tuple[IntArray, tuple[str | None, ...]]:
    """What rows are grouped by, as places in the sorted words that there are; the last word is null."""
    array = record.column(grouping.column)
    if grouping.intervals is not None:
        values, null = numbers_of(record, grouping.column)
        labels, places = grouping.intervals.labels, grouping.intervals.places(values)
        return places if null is None else np.where(null, len(labels), places), (*labels, None)
    if grouping.unit:
        array = periods(array, grouping.unit, grouping.column, grouping.first)
    return _words(array, grouping.column)


def numbers_of(record: pa.RecordBatch, column: str) -> tuple[FloatArray, BoolArray | None]:
    """The numbers of a column to group by quantiles, and which of them are null or NaN, both ``(n,)``.

    Raises:
        BadRow: it holds something else.
    """
    array = record.column(column)
    ensure_no_dates(array, column)
    if is_list(array.type):
        raise BadRow(0, f"column {column!r} of type {array.type} cannot be grouped by")
    _, values, null, _ = number_cells(record, column)
    return values, null


def ensure_no_dates(array: pa.Array, column: str) -> None:
    """Check that a column to group by quantiles is not one of dates; a `BadRow` where it is."""
    if are_dates(array, column):
        what = f"column {column!r} of type {contents(array.type)} holds dates, which have no quantiles"
        raise BadRow(0, what, f"Dates are grouped by {', '.join(PERIODS)}: {column}:month.")


def _words(array: pa.Array, name: str) -> tuple[IntArray, tuple[str | None, ...]]:
    """A column to group by as places in the sorted words that it holds; the last word is null."""
    if pa.types.is_nested(array.type):
        raise BadRow(0, f"column {name!r} of type {array.type} cannot be grouped by")
    if pa.types.is_integer(array.type) and not array.null_count and not pa.types.is_uint64(array.type):
        wide = array.cast(pa.int64())
        numbers = np.frombuffer(wide.buffers()[1], np.int64, len(wide), 8 * wide.offset)
        low, high = int(numbers.min(initial=0)), int(numbers.max(initial=0))
        if high - low <= 4 * len(numbers):  # as good as codes already
            return numbers - low, _numerals(low, high)
    try:
        if not pa.types.is_dictionary(array.type):
            unhashed = pa.types.is_decimal32(array.type) or pa.types.is_decimal64(array.type)
            array = (array.cast(pa.string()) if unhashed else array).dictionary_encode()
        entries = array.dictionary.cast(pa.string()).to_pylist()
    except (pa.ArrowException, UnicodeError):
        raise BadRow(0, f"column {name!r} of type {contents(array.type)} cannot be grouped by") from None
    missing = {None, ""} | ({"nan"} if pa.types.is_floating(array.type.value_type) else set())
    # An empty text is no name: it and null are one group. Sorted, batches with the same words have the same keys.
    words = sorted(set(entries) - missing)
    place = {word: rank for rank, word in enumerate(words)} | dict.fromkeys(missing, len(words))
    ranks = np.array([place[word] for word in entries] + [len(words)], dtype=np.int64)
    index, null = array.indices.cast(pa.int64()), mask_of(array.indices)
    codes = np.frombuffer(index.buffers()[1], np.int64, len(index), index.offset * 8)
    return ranks[codes if null is None else np.where(null, len(entries), codes)], (*words, None)


@functools.lru_cache(maxsize=4)
def _numerals(low: int, high: int) -> tuple[str | None, ...]:
    return (*map(str, range(low, high + 1)), None)


@functools.lru_cache(maxsize=4)
def _keys(vocabularies: tuple[tuple[str | None, ...], ...], ranks: bytes) -> tuple[Group, ...]:
    """The keys that ranks, a row a column, stand for; the same object again for the same ranks."""
    columns = np.frombuffer(ranks, dtype=np.int64).reshape(len(vocabularies), -1).tolist()
    words = ([known[rank] for rank in column] for known, column in zip(vocabularies, columns, strict=True))
    return tuple(zip(*words, strict=True))
