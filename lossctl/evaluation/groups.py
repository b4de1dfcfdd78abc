"""From columns to group by to the groups of rows: the one place where they are read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lossctl.arrow import filled, in_arrow, in_numpy, room, words_in_arrow
from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, FloatArray, IntArray
from lossctl.evaluation.group_keys import WHOLE, Keys, taken, texts
from lossctl.inference.grouping import Grouping
from lossctl.inference.reader import number_cells
from lossctl.reading.cells import BadRow, kind_of, not_utf8
from lossctl.reading.periods import PERIODS, are_dates, periods
from lossctl.reading.storage import contents, is_list, mask_of
from lossctl.sums.numbering import found
from lossctl.sums.state import Groups, inverse

if TYPE_CHECKING:
    from lossctl.evaluation.vocabulary import Vocabulary

LARGEST = (1 << 63) - 1
NEAR = 4
"""Whole numbers are as good as codes where they are among so many a row."""
SPARE = 16
"""How many places there are for whole numbers below and above those that have been met, as more may come."""


@dataclass(frozen=True, eq=False)
class Numbering:
    """The places of groups, for rows of batches that follow each other; some may have no row."""

    n: int
    """How many there are."""
    low: int | None = None
    """Of whole numbers, that of the first place, behind which come the next ones."""
    words: "Vocabulary | None" = None
    """Of words in a dictionary, all of these."""
    keys: Keys | None = None
    """The names of others, all of which have rows at first."""

    def names(self, used: IntArray) -> Keys:
        """The names of groups, given by their places."""
        if self.low is not None:
            return Keys((in_arrow(used + self.low),), len(used))
        if self.words is not None:
            return Keys((self.words.names(used),), len(used))
        keys = WHOLE if self.keys is None else self.keys
        return keys if len(used) == self.n else keys.taken(used)


def numbered(
    record: pa.RecordBatch, by: Sequence[Grouping], before: Numbering | None = None
) -> tuple[Groups, Numbering]:
    """The groups of the rows by their places, in a numbering that may be one of before; errors as for `grouped`."""
    array = record.column(by[0].column) if len(by) == 1 and by[0].intervals is None and not by[0].unit else None
    own = None
    if array is not None and len(array) and not array.null_count:
        own = _in_integers(array, before) if pa.types.is_integer(array.type) else _in_words(array, by[0].column, before)
    if own is not None:
        return own
    groups, keys = grouped(record, by)
    if groups is None:
        raise TypeError("rows by no group")
    same = before is not None and before.keys == keys
    return groups, before if before is not None and same else Numbering(len(keys), keys=keys)


def _in_integers(array: pa.Array, before: Numbering | None) -> tuple[Groups, Numbering] | None:
    """As `numbered`, of integers near each other."""
    if pa.types.is_uint64(array.type):
        return None
    numbers = in_numpy(array)
    numbering = _around(int(numbers.min()), int(numbers.max()), len(numbers), before)
    if numbering is None or numbering.low is None:
        return None
    code = np.subtract(numbers, numbering.low, out=room(len(numbers)), dtype=np.int64)
    return Groups(code, numbering.n), numbering


def _in_words(array: pa.Array, name: str, before: Numbering | None) -> tuple[Groups, Numbering] | None:
    """As `numbered`, of texts in a dictionary that are not many more than the rows."""
    if not pa.types.is_dictionary(array.type) or not pa.types.is_string(array.type.value_type):
        return None
    from lossctl.evaluation.vocabulary import vocabulary

    try:
        words = vocabulary(array.dictionary, name)
    except (pa.ArrowException, UnicodeError):
        return None
    if len(words.words) > NEAR * len(array):
        return None
    same = before is not None and before.words is words
    numbering = before if before is not None and same else Numbering(len(words.words), words=words)
    return Groups(words.table[in_numpy(array.indices)], numbering.n), numbering


def _around(low: int, high: int, rows: int, before: Numbering | None) -> Numbering | None:
    """The numbering of integers between two, in which there is room for more; ``None`` of ones far from each other."""
    if before is not None and before.low is not None:
        first, last = before.low, before.low + before.n - 1
        if first <= low and high <= last:
            return before
        if 2 * (min(high, last) - max(low, first)) >= high - low:  # most of them were met before
            low, high = min(low, first), max(high, last)
    if high - low > NEAR * rows or max(-low, high) > LARGEST - SPARE:
        return None
    return Numbering(high - low + 1 + 2 * SPARE, low - SPARE)


def grouped(record: pa.RecordBatch, by: Sequence[Grouping]) -> tuple[Groups | None, Keys]:
    """The groups of the rows, and the names of the groups that occur, whatever the rows' order is.

    Raises:
        BadRow: a column cannot be grouped by, or not in these units.
    """
    groups: Groups | None = None
    columns: list[pa.Array] = []
    for grouping in by:
        own, names = _of_column(record, grouping)
        if groups is None:
            groups, columns = own, [names]
            continue
        # Codes are ranks again after every column: products of their numbers would pass 2^63.
        used, groups = found(groups.code * own.number + own.code, 0, groups.number * own.number)
        before, rank = np.divmod(used, max(own.number, 1))
        columns = [*(taken(column, before) for column in columns), taken(names, rank)]
    return groups, WHOLE if groups is None else Keys(tuple(columns), groups.number)


def _of_column(record: pa.RecordBatch, grouping: Grouping) -> tuple[Groups, pa.Array]:
    """The groups of the rows by a single column, and their names: texts, where null is one as well, or integers."""
    array = record.column(grouping.column)
    if grouping.intervals is not None:
        values, null = numbers_of(record, grouping.column)
        labels, places = grouping.intervals.labels, grouping.intervals.places(values)
        places = places if null is None else np.where(null, len(labels), places)
        used, groups = found(places, 0, len(labels) + 1)
        return groups, taken(words_in_arrow([*labels, None]), used)
    if grouping.unit:
        array = periods(array, grouping.unit, grouping.column, grouping.first)
    if pa.types.is_nested(array.type):
        raise BadRow(0, f"column {grouping.column!r} of type {array.type} cannot be grouped by")
    return _by_number(array) or _by_word(array, grouping.column)


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


def _by_number(array: pa.Array) -> tuple[Groups, pa.Array] | None:
    """As `_of_column`, of what is stored as whole numbers; ``None`` of other cells, or with nulls among far numbers."""
    kind = array.type
    if pa.types.is_boolean(kind):
        numbers = array.cast(pa.uint8())
    elif pa.types.is_date32(kind):
        numbers = array.view(pa.int32())
    elif pa.types.is_integer(kind) and not pa.types.is_uint64(kind):
        numbers = array
    else:
        return None
    places, null = in_numpy(numbers), mask_of(numbers)
    known = places if null is None else places[~null]
    low, high = (int(known.min()), int(known.max())) if len(known) else (0, 0)
    missing = None
    if high - low <= NEAR * len(places) and high < LARGEST:  # as good as codes already
        places = places if null is None else np.where(null, high + 1, places)
        used, groups = found(places, low, high - low + (1 if null is None else 2))
        names, missing = used + low, None if null is None else used == high + 1 - low
    elif null is None:
        entries = numbers.cast(pa.int64()).dictionary_encode()
        distinct = in_numpy(entries.dictionary)
        order = np.argsort(distinct)
        used, groups = found(in_numpy(entries.indices), 0, len(order), inverse(order))
        names = distinct[order][used]
    else:
        return None
    if pa.types.is_integer(kind):
        return groups, in_arrow(names) if missing is None else texts(in_arrow(names, missing))
    return groups, in_arrow(names.astype(np.int32), missing).cast(kind).cast(pa.string())


def _by_word(array: pa.Array, name: str) -> tuple[Groups, pa.Array]:
    """As `_of_column`, of cells that are hashed.

    Raises:
        BadRow: they cannot be.
    """
    from lossctl.evaluation.vocabulary import vocabulary

    try:
        if not pa.types.is_dictionary(array.type):
            unhashed = pa.types.is_decimal32(array.type) or pa.types.is_decimal64(array.type)
            array = (array.cast(pa.string()) if unhashed else array).dictionary_encode()
        words = vocabulary(array.dictionary, name)
    except (pa.ArrowException, UnicodeError):
        if kind_of(array.type) == "text":
            raise not_utf8(name) from None
        raise BadRow(0, f"column {name!r} of type {contents(array.type)} cannot be grouped by") from None
    places, null = in_numpy(filled(array.indices, 0)), mask_of(array.indices)
    places = places if null is None else np.where(null, len(array.dictionary), places.astype(np.int64))
    used, groups = found(places, 0, len(words.words), words.table)
    return groups, words.names(used)
