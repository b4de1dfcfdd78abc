"""What a column of text is read as: decided once, by the first lines."""

import numpy as np
import pyarrow as pa
import pyarrow.csv

from lossctl.domain import BoolArray
from lossctl.reading.dialect import Dialect
from lossctl.reading.missing import NullWords, without
from lossctl.reading.rounding import long_integer_in
from lossctl.reading.written import are_lists, are_numbers

HEAD = 1 << 20
"""Bytes from which the types of columns are inferred."""

LARGE = 1 << 25
"""Bytes of a text for which it is asked whether there is memory to parse it."""

EXPONENTS, SIGNS, DIGITS = b"eE", b"-+", b"0123456789"


def spare(text: bytes) -> None:
    """Raise a `MemoryError` where there is too little to parse a long text: Arrow would end the process."""
    if len(text) > LARGE:
        pa.allocate_buffer(3 * len(text))


def is_number(text: str) -> bool:
    """Whether a cell reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def inferred_types(
    names: tuple[str, ...], body: bytes, dialect: Dialect, nulls: NullWords
) -> tuple[tuple[pa.DataType, ...], frozenset[str]]:
    """The type that Arrow infers for each column from the first rows; text where it cannot.

    Lists of numbers are such, and so are numbers with groups of digits; those columns are named beside the types.

    A row that cannot be parsed is skipped: it is reported with its place when its shard is read.
    """
    if not body.strip():
        return (pa.null(),) * len(names), frozenset()
    spare(body)
    try:
        body.decode()
    except UnicodeDecodeError:
        return (pa.string(),) * len(names), frozenset()
    converting = pyarrow.csv.ConvertOptions(
        null_values=list(nulls.everywhere), strings_can_be_null=True, decimal_point=dialect.decimal
    )
    try:
        table = dialect.table(body, len(names), converting, skip=True)
    except pa.ArrowException:
        return (pa.string(),) * len(names), frozenset()
    types, grouped = list(table.schema.types), set()
    for place, kind in enumerate(types):
        if not pa.types.is_string(kind):
            continue
        words, own = table.column(place).combine_chunks(), nulls.by_column.get(names[place], ())
        if are_lists(without(words, own), dialect.decimal):
            types[place] = pa.list_(pa.float64())
        elif (own or dialect.thousands is not None) and are_numbers(
            words, nulls.of(names[place]), dialect.decimal, dialect.thousands
        ):
            types[place] = pa.float64()
            grouped.add(names[place])
    return tuple(types), frozenset(grouped)


def long_or_coded(
    names: tuple[str, ...], types: tuple[pa.DataType, ...], body: bytes, dialect: Dialect
) -> frozenset[str]:
    """The columns that Arrow takes for numbers though they hold integers beyond 2^63, or codes such as 007 and 0x1."""
    doubles = [str(place) for place, kind in enumerate(types) if pa.types.is_float64(kind) or pa.types.is_integer(kind)]
    if not doubles or not (_code_in(body) or long_integer_in(body)):
        return frozenset()
    converting = pyarrow.csv.ConvertOptions(include_columns=doubles, column_types=dict.fromkeys(doubles, pa.string()))
    table = dialect.table(body, len(names), converting, skip=True)
    import pyarrow.compute as pc

    written = r"^[-+]?(\d{19,}|0\d+|0[xX].*)$"
    long = (place for place in doubles if pc.any(pc.match_substring_regex(table[place], written)).as_py())
    return frozenset(names[int(place)] for place in long)


def _code_in(text: bytes) -> bool:
    """Whether some digits may be a code, with leading zeros or of hexadecimal digits: not those of an exponent."""
    signs = np.frombuffer(b"\n\n" + text + b"\n", np.uint8)
    zeros = np.flatnonzero(signs[2:-1] == ord("0")) + 2
    zeros = zeros[_among(DIGITS + b"xX")[signs[zeros + 1]] & ~_among(DIGITS + b"." + EXPONENTS)[signs[zeros - 1]]]
    return not (_among(SIGNS)[signs[zeros - 1]] & _among(EXPONENTS)[signs[zeros - 2]]).all()


def _among(signs: bytes) -> BoolArray:
    """Which bytes are among some, ``(256,)``."""
    table = np.zeros(256, dtype=np.bool_)
    table[[*signs]] = True
    return table
