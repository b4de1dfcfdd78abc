"""From columns to group by to the groups of rows: the one place where they are read."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lossctl.arrow import filled, in_arrow, in_numpy, room, scalar, words_in_arrow
from lossctl.domain import BoolArray, FloatArray, IntArray
from lossctl.evaluation.group_keys import WHOLE, Keys, taken
from lossctl.inference.grouping import Grouping
from lossctl.inference.reader import number_cells
from lossctl.reading.cells import BadRow
from lossctl.reading.periods import PERIODS, are_dates, periods
from lossctl.reading.storage import contents, is_list, mask_of
from lossctl.sums.state import Groups, inverse, ranked

FEW = 1 << 12
"""So many words are sorted, so that batches that have the same need not be matched."""


def grouped(record: pa.RecordBatch, by: Sequence[Grouping]) -> tuple[Groups | None, Keys]:
    """The groups of the rows, and the names of the groups that occur, whatever the rows' order is.

    Raises:
        BadRow: a column cannot be grouped by, or not in these units.
    """
    vocabularies: list[pa.Array] = []
    groups: Groups | None = None
    ranks: list[IntArray] = []
    """The rank that each group has among the words of each column."""
    for grouping in by:
        index, words = _places(record, grouping)
        # Codes are ranks again after every column: products of vocabularies would pass 2^63.
        used, among = ranked(index if groups is None else groups.code * len(words) + index)
        before, rank = (used, used) if groups is None else np.divmod(used, len(words))
        ranks = [*(column[before] for column in ranks), rank]
        vocabularies.append(words)
        groups = among
    if groups is None:
        return None, WHOLE
    columns = (taken(words, rank) for words, rank in zip(vocabularies, ranks, strict=True))
    return groups, Keys(tuple(columns), len(ranks[0]))


def _places(record: pa.RecordBatch, grouping: Grouping) -> tuple[IntArray, pa.Array]:
    """What rows are grouped by, as places among the words that there are, or the integers."""
    array = record.column(grouping.column)
    if grouping.intervals is not None:
        values, null = numbers_of(record, grouping.column)
        labels, places = grouping.intervals.labels, grouping.intervals.places(values)
        words = words_in_arrow([*labels, None])
        return places if null is None else np.where(null, len(labels), places), words
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


def _words(array: pa.Array, name: str) -> tuple[IntArray, pa.Array]:
    """A column to group by as places among the words that it holds, which may be null, or the integers."""
    if pa.types.is_nested(array.type):
        raise BadRow(0, f"column {name!r} of type {array.type} cannot be grouped by")
    if pa.types.is_integer(array.type) and not array.null_count and not pa.types.is_uint64(array.type):
        return _integers(array)
    try:
        if not pa.types.is_dictionary(array.type):
            unhashed = pa.types.is_decimal32(array.type) or pa.types.is_decimal64(array.type)
            array = (array.cast(pa.string()) if unhashed else array).dictionary_encode()
        words = array.dictionary.cast(pa.string())
        words.validate(full=True)
    except (pa.ArrowException, UnicodeError):
        raise BadRow(0, f"column {name!r} of type {contents(array.type)} cannot be grouped by") from None
    index, null = in_numpy(filled(array.indices, 0)), mask_of(array.indices)
    places = index if null is None else np.where(null, len(words), index.astype(np.int64))
    return _named(places, words, missing=[b"", b"nan"] if pa.types.is_floating(array.type.value_type) else [b""])


def _integers(array: pa.Array) -> tuple[IntArray, pa.Array]:
    """Integers as places among those that there are, ascending."""
    numbers = in_numpy(array)
    low, high = int(numbers.min(initial=0)), int(numbers.max(initial=0))
    if high - low <= 4 * len(numbers):  # as good as codes already
        code = room(len(numbers))
        np.subtract(numbers, low, out=code, dtype=np.int64)
        return code, in_arrow(np.arange(low, high + 1))
    entries = array.cast(pa.int64()).dictionary_encode()
    distinct = in_numpy(entries.dictionary)
    order = np.argsort(distinct)
    return inverse(order)[in_numpy(entries.indices)], in_arrow(distinct[order])


def _named(places: IntArray, words: pa.Array, missing: Sequence[bytes]) -> tuple[IntArray, pa.Array]:
    """Places among words, of which some may be there twice or be words for nothing, as places among distinct ones.

    An empty text is no name: it and null are one group. Of few words, batches with the same have them in one order.

    Args:
        places: of rows; one behind the last is null.
        words: what there is.
        missing: those that are none.
    """
    import pyarrow.compute as pc

    none = pc.is_in(words, value_set=words_in_arrow([word.decode() for word in missing]))
    known = pc.if_else(none, scalar(None), words)
    known = pa.concat_arrays([known, pa.nulls(1, pa.string())]).dictionary_encode(null_encoding="encode")
    distinct, rank = known.dictionary, in_numpy(known.indices)
    if len(distinct) <= FEW:
        order = in_numpy(pc.sort_indices(distinct)).astype(np.int64)
        distinct, rank = distinct.take(in_arrow(order)), inverse(order)[rank]
    return rank.astype(np.int64, copy=False)[places], distinct
