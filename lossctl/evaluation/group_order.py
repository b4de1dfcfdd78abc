"""The order in which groups are reported: by name, or by period or interval; of many groups all at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lossctl.arrow import filled, in_numpy, scalar
from lossctl.domain import IntArray
from lossctl.evaluation.group_keys import Keys, texts
from lossctl.inference.grouping import Grouping
from lossctl.sums.state import inverse

FEW = 1000
"""So many words are sorted one by one."""
DIGITS = 18
"""Numbers of so many digits are integers of 64 bits."""
RUNS = 12
"""Words of more numbers than so many are sorted one by one."""
PARTS = "(?s)^(?P<text>[^0-9]*)(?P<number>[0-9]*)(?P<rest>.*)$"
PADDED = "(^|[^0-9])0[0-9]"
"""A number with zeros in front, which is alike to another."""

Ranks = npt.NDArray[np.int64] | npt.NDArray[np.uint64]


def order_of(keys: Keys, by: Sequence[Grouping]) -> IntArray:
    """The places of groups in the order in which they are reported."""
    ranks = [_ranks(column, grouping) for column, grouping in zip(keys.columns, by, strict=False)]
    return np.lexsort(ranks[::-1]) if ranks else np.arange(len(keys))


def _ranks(column: pa.Array, grouping: Grouping) -> Ranks:
    """Numbers by which the words of a column are sorted; null is last."""
    if pa.types.is_integer(column.type):
        return in_order(in_numpy(column))
    entries = texts(column).dictionary_encode(null_encoding="encode")
    distinct = entries.dictionary
    order = None if grouping.intervals is not None or len(distinct) <= FEW else natural_order(distinct)
    if order is None:
        words = distinct.to_pylist()
        order = np.array(
            sorted(range(len(words)), key=lambda place: (grouping.order(words[place]), words[place] or ""))
        )
    return np.asarray(inverse(order)[in_numpy(entries.indices)])


def in_order(numbers: IntArray) -> Ranks:
    """Integers as numbers that are sorted as their numerals: those with a sign behind the others, by size."""
    size = (numbers ^ (numbers >> 63)).view(np.uint64)
    return np.where(numbers < 0, size | np.uint64(1 << 63), size)


def natural_order(words: pa.Array) -> IntArray | None:
    """The places of texts in the order of `natural`, alike ones in that of their signs; null is last.

    ``None`` where that has to be told one by one.
    """
    import pyarrow.compute as pc

    columns: list[Ranks] = []
    empty, zero, absent = scalar(""), scalar("0"), scalar(-1)
    rest = filled(words, "")
    if not pc.all(pc.string_is_ascii(rest)).as_py():
        return None
    while pc.any(pc.not_equal(rest, empty)).as_py():
        if len(columns) > 2 * RUNS:
            return None
        texts, numbers, rest = pc.extract_regex(rest, PARTS).flatten()
        digits = pc.utf8_ltrim(numbers, "0")
        if pc.max(pc.binary_length(digits)).as_py() > DIGITS:
            return None
        whole = pc.if_else(pc.equal(digits, empty), zero, digits).cast(pa.int64())
        columns += [_alphabetical(texts), in_numpy(pc.if_else(pc.equal(numbers, empty), absent, whole))]
    if pc.any(pc.match_substring_regex(words, PADDED)).as_py():
        columns.append(_alphabetical(words))
    null = in_numpy(pc.is_null(words).cast(pa.uint8())).astype(np.int64)
    return np.lexsort([*columns[::-1], null])


def _alphabetical(texts: pa.Array) -> IntArray:
    """The rank of each text."""
    import pyarrow.compute as pc

    entries = texts.dictionary_encode(null_encoding="encode")
    order = in_numpy(pc.sort_indices(entries.dictionary)).astype(np.int64)
    return np.asarray(inverse(order)[in_numpy(entries.indices)])
