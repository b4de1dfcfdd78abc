"""What groups are called, in columns: texts, and integers that stay numbers until somebody reads them."""

from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np
import pyarrow as pa

from lossctl.arrow import in_arrow, in_numpy, words_in_arrow
from lossctl.dataclass import dataclass
from lossctl.domain import IntArray

FEW = 1 << 12
"""So many numbers are written one by one, without Arrow's cast and its imports."""

Group = tuple[str | None, ...]
"""What a group is called, a word a column."""


@dataclass(frozen=True, eq=False)
class Keys:
    """The names of some groups, each once."""

    columns: tuple[pa.Array, ...]
    """Texts, where null is a name as well, or integers, with an entry for each group; many texts may be those of a
    dictionary, which has null among its words."""
    n: int

    def __len__(self) -> int:
        """How many groups there are."""
        return self.n

    def __iter__(self) -> Iterator[Group]:
        """The names, in order."""
        words = [texts(column).to_pylist() for column in self.columns]
        return zip(*words, strict=True) if words else repeat((), self.n)

    def __getitem__(self, group: int) -> Group:
        """The name of a group."""
        return tuple(None if (word := column[group].as_py()) is None else str(word) for column in self.columns)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Keys) or len(self) != len(other):
            return False
        pairs = zip(self.columns, other.columns, strict=False)
        return not self.n or all(one.type == two.type and one.equals(two) for one, two in pairs)

    __hash__ = None  # type: ignore[assignment]  # as of all that holds arrays

    def taken(self, groups: IntArray) -> "Keys":
        """The names of some groups."""
        return Keys(tuple(taken(column, groups) for column in self.columns), len(groups))


NONE, WHOLE = Keys((), 0), Keys((), 1)
"""The names of no groups, and that of all rows as one."""


def taken(column: pa.Array, places: IntArray) -> pa.Array:
    """Some entries of a column; of integers without what Arrow imports for it, which takes 20 ms in each worker."""
    if pa.types.is_integer(column.type):
        return in_arrow(in_numpy(column)[places])
    if pa.types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(taken(column.indices, places), column.dictionary)
    return column.take(in_arrow(places))


def texts(column: pa.Array) -> pa.Array:
    """The words of a column."""
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_dictionary(column.type):
        return column.dictionary.take(column.indices)
    if len(column) <= FEW:
        return words_in_arrow([None if number is None else str(number) for number in column.to_pylist()])
    return column.cast(pa.string())


def merged(left: Keys, right: Keys) -> tuple[Keys, IntArray]:
    """The names on either side, first those of the left, and where those of the right are among them."""
    if not left.n or not right.n:
        return (left, np.arange(0)) if left.n else (right, np.arange(right.n))
    pairs = [_alike(one, two) for one, two in zip(left.columns, right.columns, strict=True)]
    columns = [pa.concat_arrays([one, two]) for one, two, _ in pairs]
    place = _looked_up(columns, left.n)
    place = coded(columns)[left.n :] if place is None else place
    new = np.flatnonzero(place >= left.n) + left.n
    index = np.concatenate([np.arange(left.n), new])
    names = [taken(column, index) for column in columns]
    named = [
        column if words is None else pa.DictionaryArray.from_arrays(column, words)
        for column, (_, _, words) in zip(names, pairs, strict=True)
    ]
    return Keys(tuple(named), len(index)), place


def _alike(one: pa.Array, two: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array | None]:
    """Two columns of one type, and the dictionary of which they are the codes, where one holds all words of both."""
    if pa.types.is_dictionary(one.type) and pa.types.is_dictionary(two.type):
        short, long = sorted((one.dictionary, two.dictionary), key=len)
        if long.slice(0, len(short)).equals(short):
            return one.indices, two.indices, long
    return (
        (one, two, None)
        if one.type == two.type and not pa.types.is_dictionary(one.type)
        else (texts(one), texts(two), None)
    )


def _looked_up(columns: Sequence[pa.Array], first: int) -> IntArray | None:
    """As `coded`, of the rows behind the first ones, which are all different, as these are among themselves.

    ``None`` where there is no single column of integers that are near each other.
    """
    if len(columns) > 1 or not pa.types.is_integer(columns[0].type):
        return None
    numbers = in_numpy(columns[0])
    low, high = int(numbers.min()), int(numbers.max())
    if high - low > 4 * len(numbers):
        return None
    table = np.full(high - low + 1, -1)
    table[numbers[:first] - low] = np.arange(first)
    place: IntArray = table[numbers[first:] - low]
    new = np.flatnonzero(place < 0)
    place[new] = first + np.arange(len(new))
    return place


def coded(columns: Sequence[pa.Array | pa.ChunkedArray]) -> IntArray:
    """The number of each row: the same for equal ones, in the order in which they come first."""
    code: IntArray | None = None
    for column in columns:
        entries = column.dictionary_encode(null_encoding="encode")
        entries = entries.combine_chunks() if isinstance(entries, pa.ChunkedArray) else entries
        index, more = in_numpy(entries.indices).astype(np.int64), len(entries.dictionary)
        if code is not None:  # codes are made anew after every column: products of their numbers would pass 2^63
            index = in_numpy(in_arrow(code * more + index).dictionary_encode().indices).astype(np.int64)
        code = index
    return np.zeros(0, dtype=np.int64) if code is None else code
