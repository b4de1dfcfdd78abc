"""What numbers of 2^53 and more lose when they become doubles: from there on, most integers are none."""

import re
from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa

from lossctl.arrow import filled, in_numpy, scalar
from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, FloatArray
from lossctl.reading.cells import elements, floats
from lossctl.reading.storage import is_list, mask_of

EXACT = 2.0**53
"""From here on there are integers that no double is."""
SHAPE = bytes(ord("0") if chr(sign) in "0123456789" else sign if sign == ord(".") else ord(",") for sign in range(256))
LONG = b"0" * 16
"""How an integer of 2^53 or more begins in text, when every digit is 0."""
POWER = "[eE]"
"""Text with an exponent is rounded already: no integer is written so to its last digit."""


@dataclass(frozen=True, eq=False)
class Rest:
    """What numbers have beyond the doubles nearest to them."""

    values: FloatArray
    """The number less its double, in the shape of the numbers: 0 where the number is a double."""
    inexact: BoolArray
    """Where that is rounded in turn."""


def rest_of(cells: pa.Array, values: FloatArray, null: BoolArray | None) -> Rest | None:
    """What cells lose when they become doubles; ``None`` where none of them does.

    Args:
        cells: numbers, or numbers written as text, ``(n,)``; only integers of 64 bits, decimals and text can lose.
        values: the doubles nearest to them; where a cell is null, anything.
        null: which cells are null, ``(n,)``; ``None`` where none is.
    """
    if pa.types.is_float64(cells.type):
        return None
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    kind = cells.type
    written = pa.types.is_decimal(kind) or pa.types.is_string(kind)
    if not (written or pa.types.is_int64(kind) or pa.types.is_uint64(kind)):
        return None
    large = large_among(values)
    if large is None:
        return None
    if null is not None:
        large &= ~null
    integers = _integers(cells) if written else cells
    rest, inexact = np.zeros(len(values)), np.zeros(len(values), dtype=np.bool_)
    if integers is not None:
        rest[large] = _beyond(integers, values)[large]
    else:
        for row in np.flatnonzero(large):
            word = str(cells[int(row)])
            if re.search(POWER, word) is None:
                beyond = Fraction(Decimal(word)) - Fraction(float(values[row]))
                rest[row] = float(beyond)
                inexact[row] = Fraction(float(rest[row])) != beyond
    return Rest(rest, inexact) if rest.any() else None


def rest_of_lists(cells: pa.Array, matrix: FloatArray) -> Rest | None:
    """What the numbers of a column of lists lose when they become doubles; ``None`` where none of them does.

    Args:
        cells: the lists, ``(n,)``.
        matrix: the doubles nearest to their numbers, ``(n, k)``; the row of a list that is null or not of ``k``
            numbers holds anything.
    """
    if pa.types.is_floating(cells.type.value_type) or large_among(matrix) is None:
        return None
    import pyarrow.compute as pc

    k = matrix.shape[1]
    whole = filled(pc.equal(pc.list_value_length(cells), scalar(k)), value=False)
    numbers, rows = cells.filter(whole).flatten(), np.asarray(whole)
    rest = rest_of(numbers, matrix[rows].ravel(), mask_of(numbers))
    if rest is None:
        return None
    values, inexact = np.zeros(matrix.shape), np.zeros(matrix.shape, dtype=np.bool_)
    values[rows], inexact[rows] = rest.values.reshape(-1, k), rest.inexact.reshape(-1, k)
    return Rest(values, inexact)


def lists_in_doubles(record: pa.RecordBatch, names: Collection[str]) -> pa.RecordBatch:
    """The rows with doubles in those of the columns named that text gave as lists of numerals."""
    for index, field in enumerate(record.schema):
        if field.name in names and is_list(field.type) and pa.types.is_string(field.type.value_type):
            record = record.set_column(index, field.name, record.column(index).cast(pa.list_(pa.float64())))
    return record


def large_among(values: FloatArray) -> BoolArray | None:
    """Which numbers are 2^53 or more, of either sign, and finite; ``None`` where none is."""
    if not values.size or (np.maximum.reduce(values, None) < EXACT and np.minimum.reduce(values, None) > -EXACT):
        return None
    large = (np.abs(values) >= EXACT) & np.isfinite(values)
    return large if large.any() else None


def long_integer_in(text: bytes) -> bool:
    """Whether some digits, not those after a point, are as many as those of 2^53."""
    shape = text.translate(SHAPE)
    return b"," + LONG in shape or shape.startswith(LONG)


def may_be_rounded(column: pa.ChunkedArray | pa.Array, text: bytes) -> bool:
    """Whether some doubles of a column may be rounded integers of the text that they were read from."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    if not pa.types.is_float64(column.type):
        chunks = [elements(chunk) for chunk in chunks]
        if not all(pa.types.is_float64(chunk.type) for chunk in chunks):
            return False
    return any(large_among(floats(chunk)) is not None for chunk in chunks) and long_integer_in(text)


def _integers(cells: pa.Array) -> pa.Array | None:
    """Decimals or text as integers of 64 bits; ``None`` where some are no such."""
    for kind in (pa.int64(), pa.uint64()):
        try:
            return cells.cast(kind)
        except pa.ArrowException:
            continue
    return None


def _beyond(cells: pa.Array, doubles: FloatArray) -> FloatArray:
    """Integers of 64 bits less the nearest doubles, exactly: each half is a double, and so is the upper less those."""
    integers = in_numpy(cells)
    kind = integers.dtype.type
    return np.asarray((integers >> kind(32)) * 2.0**32 - doubles + (integers & kind(0xFFFFFFFF)))
