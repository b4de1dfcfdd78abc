"""From Arrow to NumPy: the cells of a column as numbers, and which of them are null."""

import math
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from lossctl.arrow import filled, in_arrow, words_in_arrow
from lossctl.domain import BoolArray, FloatArray, Span, laid_out, row_sum, span_of
from lossctl.reading.storage import contents, is_list, mask_of

ROOM = 1 << 22
"""How many numbers lists of any length may take as a matrix."""
BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)


class BadRow(Exception):
    """A row of a shard cannot be read.

    ``row`` counts from 0 within the shard. A traversal, which knows how many rows came before the shard, makes a
    `DataError` of it that names the file and the row.
    """

    def __init__(self, row: int, what: str, hint: str = "") -> None:
        super().__init__(row, what, hint)
        self.row, self.what, self.hint = row, what, hint


def kind_of(kind: pa.DataType) -> str:
    """``number``, ``text``, ``list`` (of numbers) or ``other``."""
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):  # as most are, in every batch
        return "number"
    kind = contents(kind)
    if pa.types.is_boolean(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    if is_list(kind):
        return "list" if kind_of(kind.value_type) == "number" else "other"
    return "other"


def class_number(name: str) -> int | None:
    """The number that the name of a class is: an integer, or 1 for true and 0 for false; ``None`` for other names.

    >>> class_number("01"), class_number("-2.0"), class_number("--1")
    (1, -2, None)
    """
    whole = re.fullmatch(r"([-+]?\d{1,4000})(\.0*)?", name)
    return int(whole[1]) if whole else {"true": 1, "false": 0}.get(name.lower())


def floats(array: pa.Array) -> FloatArray:
    """The float64 values of an Arrow array of numbers, ``(n,)`` and read-only; undefined where it is null."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if not pa.types.is_float64(array.type):
        if pa.types.is_null(array.type):
            return np.full(len(array), np.nan)
        if pa.types.is_decimal(array.type):
            quotient = _quotient(array)
            if quotient is not None:
                return quotient
            array = array.cast(pa.string())  # Arrow's own cast to a double is off by a digit now and then
        array = array.cast(pa.float64(), safe=False)
    # Array.to_numpy would import pandas, and so would pa.array and pa.scalar of anything that is Python's.
    return np.frombuffer(array.buffers()[1], np.float64, len(array), array.offset * 8)


def _quotient(array: pa.Array) -> FloatArray | None:
    """The nearest doubles of decimals whose digits fit 53 bits; ``None`` where some do not.

    Such an integer and a power of ten up to 10^22 are exact as doubles, so their quotient is rounded once.
    """
    if not pa.types.is_decimal128(array.type) or not 0 <= array.type.scale <= 22:
        return None
    words = np.frombuffer(array.buffers()[1], np.int64, 2 * len(array), 16 * array.offset)
    low, high = words[::2], words[1::2]
    if np.any(low >> 53 != high) or high.min(initial=0) < -1 or high.max(initial=0) > 0:
        return None
    return np.asarray(low / float(f"1e{array.type.scale}"))


def text_of(array: pa.Array, column: str) -> pa.Array:
    """A column of any cells that can be written in words, as those words.

    Raises:
        BadRow: they cannot, or are bytes that are not UTF-8.
    """
    kind = contents(array.type)
    try:
        array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
        array = array.cast(pa.string())
        array.validate(full=True)
    except (pa.ArrowException, UnicodeError):
        if kind_of(kind) == "text" or any(test(kind) for test in BYTES):
            raise not_utf8(column) from None
        raise BadRow(0, f"column {column!r} of type {kind} cannot be read as text") from None
    return array


def not_utf8(column: str) -> BadRow:
    """The error for a column of text that holds other bytes, as Parquet's may."""
    return BadRow(0, f"column {column!r} holds text that is not UTF-8")


def illegible(record: pa.RecordBatch) -> list[int]:
    """The places of the columns of text, or of lists of it, some of which is not UTF-8."""
    return [
        place
        for place, (field, column) in enumerate(zip(record.schema, record.columns, strict=True))
        if kind_of(field.type.value_type if is_list(field.type) else field.type) == "text" and not _is_utf8(column)
    ]


def legible(record: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with U+FFFD for what is not UTF-8."""
    for place in illegible(record):
        record = record.set_column(place, record.schema.names[place], _legible(record.column(place)))
    return record


def _is_utf8(array: pa.Array) -> bool:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _legible(array: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(array.indices, _legible(array.dictionary))
    if is_list(array.type):
        ends = np.cumsum(filled(array.value_lengths(), 0).to_numpy(zero_copy_only=False), dtype=np.int64)
        offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
        return pa.ListArray.from_arrays(offsets, _legible(array.flatten()), mask=array.is_null())
    return words_in_arrow([*map(_word, array.cast(pa.large_binary()).to_pylist())])


def _word(cell: bytes | None) -> str | None:
    return None if cell is None else cell.decode(errors="replace")


def scalar_column(array: pa.Array) -> tuple[FloatArray, BoolArray | None]:
    """A column of numbers as values ``(n,)``, and a mask ``(n,)`` of its nulls, ``None`` without any; NaN is null."""
    values, null, _ = spanned_column(array)
    return values, null


def spanned_column(
    array: pa.Array, spanned: Callable[[FloatArray], Span] = span_of
) -> tuple[FloatArray, BoolArray | None, Span]:
    """As `scalar_column`, and between which numbers the values are: one look says that and whether there is NaN.

    Args:
        array: the column.
        spanned: what looks.
    """
    array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    values, null = floats(array), mask_of(array)
    span = spanned(values)
    if math.isnan(span[0]):
        nan = np.isnan(values)
        null = nan if null is None else null | nan
    return values, null, span


def elements(array: pa.Array) -> pa.Array:
    """The numbers of a column, also where they stand in lists of one; of such, nulls are left out."""
    return array.flatten() if is_list(array.type) else array


def vector_column(
    array: pa.Array, k: int, spanned: Callable[[FloatArray], Span] = span_of
) -> tuple[FloatArray, BoolArray | None, BoolArray | None, Span]:
    """A column of lists of ``k`` numbers as values ``(n, k)``, `laid_out`, two masks ``(n,)``, and as `spanned_column`.

    The first mask is of rows that are null or hold a null or NaN, the second of rows of another length; each is
    ``None`` where the array shows that there are none. Values in such rows mean nothing.
    """
    matrix, holes, other_length, span = vector_cells(array, k, spanned)
    return matrix, None if holes is None else np.asarray(holes.any(axis=1)), other_length, span


def vector_cells(
    array: pa.Array, k: int, spanned: Callable[[FloatArray], Span] = span_of
) -> tuple[FloatArray, BoolArray | None, BoolArray | None, Span]:
    """As `vector_column`; the first mask is of the single numbers that are null or NaN, ``(n, k)``."""
    import pyarrow.compute as pc

    null = mask_of(array)
    if pa.types.is_fixed_size_list(array.type) and array.type.list_size == k:
        flat = array.values.slice(array.offset * k, len(array) * k)
        other_length = None
    else:
        other_length = np.asarray(floats(pc.list_value_length(array)) != k)
        if null is not None:
            other_length &= ~null
        bad = other_length if null is None else other_length | null
        if bad.any():
            kept = np.flatnonzero(~bad)  # the others are zeros, and are dropped
            matrix, holes, _, span = vector_cells(array.take(in_arrow(kept)), k, spanned)
            full, missing = laid_out(np.zeros((len(array), k))), np.zeros((len(array), k), dtype=np.bool_)
            full[kept], missing[bad & ~other_length] = matrix, True
            if holes is not None:
                missing[kept] = holes
            return full, missing, other_length, span
        flat = array.flatten()
    values, nulls, span = spanned_column(flat, spanned)
    matrix = laid_out(values.reshape(len(array), k))
    holes = None if nulls is None else np.asarray(nulls.reshape(len(array), k))
    if null is not None:
        whole = np.repeat(null[:, None], k, axis=1)
        holes = whole if holes is None else holes | whole
    return matrix, holes, other_length, span


def cuts_of_lists(columns: Sequence[pa.Array], n: int) -> Iterator[tuple[int, int]]:
    """The first of some rows and the one after the last, for rows that as a matrix take no more than `ROOM` numbers.

    Args:
        columns: of lists, which as a matrix are as wide as the longest of them.
        n: how many rows there are.
    """
    import pyarrow.compute as pc

    lengths = [floats(filled(pc.list_value_length(column), 0)) for column in columns]
    longest = np.maximum.reduce([np.ones(n), *lengths]).astype(np.int64).tolist()
    start, width = 0, 1
    for row, length in enumerate(longest):
        width = max(width, length)
        if row > start and (row + 1 - start) * width > ROOM:
            yield start, row
            start, width = row, length
    yield start, n


def shown(value: object) -> str:
    """A value as messages show it."""
    if isinstance(value, np.ndarray):
        parts = [f"{part:.6g}" for part in value[:4].tolist()] + (["…"] if len(value) > 4 else [])
        return f"({', '.join(parts)}), sum {float(row_sum(value[None, :])[0]):.6g}"
    if isinstance(value, str):
        return repr(str(value if len(value) <= 40 else value[:40] + "…"))
    return repr(float(value)) if isinstance(value, float) else str(value)
