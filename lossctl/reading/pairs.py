"""Maps, and lists of pairs of a key and a number, as a column for each key."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from lossctl.arrow import in_arrow, words_in_arrow
from lossctl.dataclass import dataclass
from lossctl.domain import IntArray
from lossctl.reading.cells import BadRow, floats, kind_of, text_of
from lossctl.reading.storage import contents, is_list, mask_of, plain


def places_of_pair(kind: pa.DataType) -> tuple[int, int] | None:
    """Where key and number stand in the entries of a map, or of a list of pairs such as ``{"label": …, "score": …}``.

    A key is text or an integer. ``None`` where entries are nothing like it.
    """
    kind = contents(kind)
    if pa.types.is_map(kind):
        keyed = kind_of(kind.key_type) == "text" or pa.types.is_integer(contents(kind.key_type))
        return (0, 1) if keyed and kind_of(kind.item_type) == "number" else None
    if not is_list(kind):
        return None
    entry = contents(kind.value_type)
    if not pa.types.is_struct(entry) or entry.num_fields != 2:
        return None
    first, second = (contents(entry.field(place).type) for place in (0, 1))
    for key, number, places in ((first, second, (0, 1)), (second, first, (1, 0))):
        named = kind_of(key) == "text" and kind_of(number) == "number"
        if named or (pa.types.is_integer(key) and pa.types.is_floating(number)):
            return places
    return None


@dataclass(frozen=True)
class Entries:
    """The entries of the rows of a map, or list of pairs."""

    rows: int
    """How many rows there are."""
    row: IntArray
    """The row of each entry, in order."""
    keys: pa.Array
    """As text."""
    values: pa.Array

    @classmethod
    def of(cls, array: pa.Array, column: str) -> "Entries":
        """The entries of a column of that name.

        Raises:
            BadRow: a key is no UTF-8 text.
        """
        array = plain(array)
        null, kept = mask_of(array), None
        if null is not None:
            kept = np.flatnonzero(~null)
            array = array.take(in_arrow(kept))
        if pa.types.is_map(array.type):
            ends = floats(array.offsets).astype(np.int64)
            lengths, inner = np.diff(ends), slice(ends[0], ends[-1])
            keys, values = array.keys[inner], array.items[inner]
        else:
            import pyarrow.compute as pc

            lengths = floats(pc.list_value_length(array)).astype(np.int64)
            entries, places = array.flatten(), places_of_pair(array.type) or (0, 1)
            keys, values = (field_of(entries, place) for place in places)
        rows = len(array) if null is None else len(null)
        of = np.arange(len(array)) if kept is None else kept
        return cls(rows, np.repeat(of, lengths), text_of(plain(keys), column), plain(values))


def keys_in(array: pa.Array, column: str) -> tuple[str, ...]:
    """The keys of the first row of a map, or list of pairs, that has any; errors as for `Entries.of`."""
    entries = Entries.of(array, column)
    first = int(np.searchsorted(entries.row, entries.row[:1], side="right").sum())
    return tuple(dict.fromkeys(key for key in entries.keys[:first].to_pylist() if key is not None))


def columns_of(array: pa.Array, keys: Mapping[str, str], column: str, *, strict: bool) -> dict[str, pa.Array]:
    """A column of numbers for each key of a map, or list of pairs: null where a row does not have the key.

    Args:
        array: the cells.
        keys: the key of each column to make.
        column: what messages call the map.
        strict: whether no row may have another key.

    Raises:
        BadRow: a row has another key, or one twice.
    """
    import pyarrow.compute as pc

    entries = Entries.of(array, column)
    codes = pc.index_in(entries.keys, value_set=words_in_arrow([*keys.values()]))
    unknown = mask_of(codes)
    if strict and unknown is not None:
        first = int(unknown.argmax())
        raise other_key(int(entries.row[first]), column, entries.keys[first].as_py())
    code = np.where(False if unknown is None else unknown, len(keys), floats(codes)).astype(np.int64)
    order = np.argsort(code, kind="stable")  # entries are in the order of the rows
    code, row = code[order], entries.row[order]
    twice = (code[1:] == code[:-1]) & (row[1:] == row[:-1]) & (code[1:] < len(keys))
    if twice.any():
        first = int(np.where(twice, row[1:], len(entries.keys) + entries.rows).argmin())
        key = [*keys.values()][code[1:][first]]
        raise BadRow(int(row[1:][first]), f"column {column!r} has the key {key!r} twice", "Keep one.")
    ends = np.searchsorted(code, np.arange(len(keys) + 1))
    columns = {}
    for name, start, end in zip(keys, ends[:-1], ends[1:], strict=True):
        place = np.full(entries.rows, -1, np.int64)
        place[row[start:end]] = order[start:end]
        columns[name] = entries.values.take(_places(place))
    return columns


def field_of(structs: pa.Array, place: int) -> pa.Array:
    """A field of structs, null where these are."""
    field, null = plain(structs.field(place)), mask_of(structs)
    # Arrow would put the nulls into the bitmap of any field, also where that counts for nothing, as in runs.
    return field if null is None else field.take(_places(np.where(null, -1, np.arange(len(null)))))


def _places(places: IntArray) -> pa.Array:
    """Places to take cells from, null where one is -1."""
    return in_arrow(places, places < 0)


def other_key(row: int, column: str, key: str | None) -> BadRow:
    """What is wrong with a row whose object has a key that the first does not have."""
    hint = "Every row must have the same keys, in any order."
    return BadRow(row, f"column {column!r} has the key {key!r}, which the first row does not have", hint)
