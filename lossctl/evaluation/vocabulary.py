"""The words of a dictionary that rows are grouped by, looked at once for all batches that have it."""

import threading
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lossctl.arrow import in_arrow, in_numpy, scalar, words_in_arrow
from lossctl.dataclass import dataclass
from lossctl.domain import IntArray
from lossctl.sums.state import inverse

FEW = 1 << 12
"""So many words are sorted, so that batches that have the same need not be matched."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What the entries of a dictionary stand for, of which some may be there twice or be words for nothing."""

    entries: pa.Array
    """In memory of their own: those of a file that is mapped last no longer than it does."""
    table: IntArray
    """The place of each entry among the words, and behind them that of null."""
    words: pa.Array
    """Distinct texts, sorted where they are few, and null."""

    def names(self, used: IntArray) -> pa.Array:
        """Some of the words; of many, by their places, which are matched without hashing."""
        if len(self.words) > FEW:
            return pa.DictionaryArray.from_arrays(in_arrow(used), self.words)
        return self.words.take(in_arrow(used))


class _Last(threading.local):
    """The vocabulary that each column had last; a thread reads one shard at a time."""

    def __init__(self) -> None:
        self.of_columns: dict[str, Vocabulary] = {}


_last = _Last()


def vocabulary(entries: pa.Array, column: str) -> Vocabulary:
    """What the entries of the dictionary of a column stand for.

    Raises:
        ArrowException: they are no texts, and nothing that can be written as such.
    """
    last = _last.of_columns.get(column)
    if last is not None and last.entries.type == entries.type and last.entries.equals(entries):
        return last
    words = entries.cast(pa.string())
    words.validate(full=True)
    named = _named(words, ["", "nan"] if pa.types.is_floating(entries.type) else [""])
    last = Vocabulary(_copied(entries), *named)
    _last.of_columns = {**_last.of_columns, column: last} if len(_last.of_columns) < 1 << 4 else {column: last}
    return last


def _copied(entries: pa.Array) -> pa.Array:
    if pa.types.is_string_view(entries.type):  # of which Arrow copies the views alone
        return pa.array(entries.to_pylist(), entries.type)
    return pa.concat_arrays([entries, entries[:0]])


def _named(words: pa.Array, missing: Sequence[str]) -> tuple[IntArray, pa.Array]:
    """The place of each of some words among distinct ones, and behind them that of null; and these.

    An empty text is no name: it and null are one group. Of few words, batches with the same have them in one order; of
    many, a dictionary that has grown keeps the places of those it had.
    """
    import pyarrow.compute as pc

    known = pc.if_else(pc.is_in(words, value_set=words_in_arrow(missing)), scalar(None), words)
    known = pa.concat_arrays([pa.nulls(1, pa.string()), known]).dictionary_encode(null_encoding="encode")
    distinct, place = known.dictionary, in_numpy(known.indices).astype(np.int64)
    if len(distinct) <= FEW:
        order = in_numpy(pc.sort_indices(distinct)).astype(np.int64)
        distinct, place = distinct.take(in_arrow(order)), inverse(order)[place]
    return np.append(place[1:], place[0]), distinct
