"""Words that say that a cell holds nothing, looked for in cells of any type: a number is compared as a number."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from decimal import Decimal

import numpy as np
import pyarrow as pa

from lossctl.arrow import filled, in_arrow, scalar, words_in_arrow
from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray
from lossctl.reading.cells import floats, kind_of
from lossctl.reading.rounding import EXACT
from lossctl.reading.storage import is_list, mask_of, plain

USUAL = ("", "NA", "N/A", "#N/A", "null", "NULL", "None", "NaN", "nan")
"""What a missing number looks like in every text format."""


@dataclass(frozen=True)
class NullWords:
    """What a missing value looks like: usual in text, and anywhere where somebody says so."""

    everywhere: tuple[str, ...] = USUAL
    """Of numbers in any column."""
    by_column: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of single columns, instead; there also of text."""

    def of(self, column: str) -> tuple[str, ...]:
        """The words for a column of numbers that is written as text."""
        return self.by_column.get(column, self.everywhere)

    def said_of(self, column: str, *, number: bool) -> tuple[str, ...]:
        """The words that somebody gave for a column of numbers, or of text that stays text."""
        usual = () if self.everywhere == USUAL or not number else self.everywhere
        return self.by_column.get(column, usual)


def as_number(word: str) -> float | None:
    """The number that a word is, in whatever spelling; ``None`` for other words, and for NaN.

    >>> as_number(" −1e2"), as_number("-"), as_number("nan")
    (-100.0, None, None)
    """
    digits = word.strip().replace("−", "-")
    try:
        number = float(digits)
    except ValueError:
        return None
    return None if "_" in digits or math.isnan(number) else number


def nulled(record: pa.RecordBatch, columns: Iterable[str], words_of: Callable[[str], Sequence[str]]) -> pa.RecordBatch:
    """The rows, with some columns null where a cell, or a cell of a list, is one of the words of its column.

    Raises:
        ArrowException: Arrow cannot read the cells.
    """
    for name in columns:
        place, words = record.schema.get_field_index(name), words_of(name)
        if place >= 0 and words:
            array = without(plain(record.column(place)), words)
            record = record.set_column(place, pa.field(name, array.type), array)
    return record


def without(array: pa.Array, words: Sequence[str]) -> pa.Array:
    """A plain array, null where a cell, or a cell of one of its lists, is one of some words."""
    if is_list(array.type):
        inner = array.values
        cells = without(inner, words)
        return array if cells is inner else _with_cells(array, cells)
    if pa.types.is_boolean(array.type):
        words = [word for word in words if as_number(word) is None]  # as in text, where true is not 1
    missing = np.zeros(len(array), dtype=np.bool_)
    for word in words:
        missing |= equal(array, word)
    return nulled_where(array, missing) if missing.any() else array


def nulled_where(array: pa.Array, missing: BoolArray) -> pa.Array:
    """An array of cells that are no lists, null in some rows ``(n,)``."""
    import pyarrow.compute as pc

    array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    return pc.if_else(in_arrow(missing), scalar(None, array.type), array)


def without_truths(array: pa.Array) -> pa.Array:
    """An array, in which text that is truths is 1 and 0: it is no column of truths because of other words in it."""
    import pyarrow.compute as pc

    if kind_of(array.type) != "text":
        return array
    words = pc.utf8_trim_whitespace(array.cast(pa.string()))
    true, false = (pc.equal(pc.utf8_lower(words), words_in_arrow([word])[0]) for word in ("true", "false"))
    if not pc.all(pc.or_(pc.or_(true, false), pc.is_in(words, value_set=words_in_arrow(USUAL)))).as_py():
        return array
    return pc.if_else(true, words_in_arrow(["1"])[0], pc.if_else(false, words_in_arrow(["0"])[0], words))


def _with_cells(array: pa.Array, cells: pa.Array) -> pa.Array:
    """The same lists of other cells."""
    buffers = array.buffers()[: 1 if pa.types.is_fixed_size_list(array.type) else 2]
    size = (array.type.list_size,) if pa.types.is_fixed_size_list(array.type) else ()
    kind = pa.large_list(cells.type) if pa.types.is_large_list(array.type) else pa.list_(cells.type, *size)
    return pa.Array.from_buffers(kind, len(array), buffers, offset=array.offset, children=[cells])


def equal(array: pa.Array, word: str) -> BoolArray:
    """Where cells of a plain array of numbers or text are a word: as numbers where both are, else as they stand.

    A list of one is its number.

    A number is any that is stored alike: of float32, the nearest; of integers, decimals and text digit by digit from
    2^53 on.
    """
    if pa.types.is_dictionary(array.type):
        return of_entries(equal(array.dictionary, word), array.indices)
    if is_list(array.type):
        import pyarrow.compute as pc

        hit = np.zeros(len(array), dtype=np.bool_)
        hit[floats(pc.list_parent_indices(array)).astype(np.int64)[equal(array.flatten(), word)]] = True
        return np.asarray(hit & (floats(filled(pc.list_value_length(array), 0)) == 1))
    kind, number = kind_of(array.type), as_number(word)
    if kind == "text":
        return _equal_words(array, word)
    if pa.types.is_boolean(array.type) and number is None:
        number = {"true": 1.0, "false": 0.0}.get(word.lower())
    if kind != "number" or number is None:
        return np.zeros(len(array), dtype=np.bool_)
    values = floats(array)
    hit = values == number
    for narrow, stored in ((pa.types.is_float32, np.float32), (pa.types.is_float16, np.float16)):
        if narrow(array.type):
            with np.errstate(over="ignore"):
                hit = values == float(stored(number))
    null = mask_of(array)
    hit = np.asarray(hit if null is None else hit & ~null)
    if not pa.types.is_floating(array.type) and abs(number) >= EXACT and hit.any():
        exact = _exact(word)
        hit[hit] = [Decimal(array[int(row)].as_py()) == exact for row in np.flatnonzero(hit)]
    return hit


def _equal_words(array: pa.Array, word: str) -> BoolArray:
    """`equal` of cells of text."""
    number, encoded = as_number(word), array.dictionary_encode()
    entries = encoded.dictionary.to_pylist()
    hit = [entry == word or (number is not None and _same(entry, word, number)) for entry in entries]
    return of_entries(np.array(hit, dtype=np.bool_), encoded.indices)


def _same(entry: str, word: str, number: float) -> bool:
    """Whether text is the number that a word is."""
    return as_number(entry) == number and (abs(number) < EXACT or _exact(entry) == _exact(word))


def _exact(word: str) -> Decimal:
    """The number that a word is, to its last digit."""
    return Decimal(word.strip().replace("−", "-"))


def of_entries(hit: BoolArray, indices: pa.Array) -> BoolArray:
    """What holds of the entries of a dictionary, for the cells that stand for them; of no null."""
    null, place = mask_of(indices), floats(indices).astype(np.int64)
    return np.append(hit, np.False_)[place if null is None else np.where(null, -1, place)]
