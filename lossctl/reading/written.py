"""Numbers and lists of numbers that are written as text: read as they are, or told what they are instead."""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lossctl.arrow import filled, in_numpy, scalar, words_in_arrow
from lossctl.domain import BoolArray
from lossctl.errors import option
from lossctl.reading.cells import BadRow, floats, shown
from lossctl.reading.format import NULLS
from lossctl.reading.look_alikes import hint_for, not_a_number
from lossctl.reading.rounding import rest_of
from lossctl.reading.storage import mask_of

LIST = r"^(?:\[[^\[\]()]*\]|\([^\[\]()]*[,\s][^\[\]()]*\)|\(\))$"
"""A list in a cell: brackets around numbers, with commas, spaces or line ends between them. ``(1)`` is none, but -1."""
MIXED = r"[^\[(,\s]\s+[^,\s\])]"
"""A space alone between numbers, which is not what separates them where a comma is."""
NAMED = r"(?i:[-+]?(?:inf|infinity|nan))"


def separators(thousands: str) -> tuple[str, ...]:
    """The signs that a thousands separator stands for: spaces may be narrow, and an apostrophe curly."""
    return {" ": (" ", "\u00a0", "\u2009", "\u202f"), "'": ("'", "\u2019")}.get(thousands, (thousands,))


def written_numbers(
    words: pa.Array, column: str, nulls: Sequence[str] = NULLS, decimal: str = ".", thousands: str | None = None
) -> pa.Array:
    """Text as float64 numbers, null where it means that; arguments and errors as for `numerals`."""
    return numerals(words, column, nulls, decimal, thousands).cast(pa.float64())


def exact_numbers(
    words: pa.Array, column: str, nulls: Sequence[str] = NULLS, decimal: str = ".", thousands: str | None = None
) -> pa.Array:
    """Text as float64 numbers or, where some of them would be rounded integers, as `numerals`; errors as there."""
    plain = numerals(words, column, nulls, decimal, thousands)
    numbers = plain.cast(pa.float64())
    return numbers if rest_of(plain, floats(numbers), mask_of(plain)) is None else plain


def numerals(
    words: pa.Array, column: str, nulls: Sequence[str] = NULLS, decimal: str = ".", thousands: str | None = None
) -> pa.Array:
    """Text as numbers in plain spelling, null where it means that.

    Args:
        words: the cells.
        column: what messages call them.
        nulls: what means a missing number.
        decimal: what stands before a fraction.
        thousands: what may stand between groups of three digits.

    Raises:
        BadRow: a cell is no number.
    """
    import pyarrow.compute as pc

    words = pc.utf8_trim_whitespace(words)
    missing = pc.or_(pc.is_null(words), pc.is_in(words, value_set=words_in_arrow(nulls)))
    mark = re.escape(decimal)
    if thousands is not None:
        sign = f"[{re.escape(''.join(separators(thousands)))}]"
        grouped = rf"^[-+]?\d{{1,3}}(?:{sign}\d{{3}})+(?:{mark}\d*)?(?:[eE][-+]?\d+)?$"
        whole = pc.replace_substring_regex(words, pattern=sign, replacement="")
        words = pc.if_else(pc.match_substring_regex(words, pattern=grouped), whole, words)
    number = rf"^(?:[-+]?(?:\d+(?:{mark}\d*)?|{mark}\d+)(?:[eE][-+]?\d+)?|{NAMED})$"
    legal = pc.match_substring_regex(words, pattern=number)
    wrong = _mask(pc.and_not(pc.invert(legal), missing))
    if wrong.any():
        row = int(wrong.argmax())
        raise not_a_number(row, column, words[row].as_py())
    words = pc.replace_substring_regex(pc.replace_substring(words, pattern=decimal, replacement="."), r"^\+", "")
    return pc.if_else(missing, scalar(None), words)


def written_lists(words: pa.Array, column: str, nulls: Sequence[str] = NULLS, decimal: str = ".") -> pa.Array:
    """Text as lists of numbers, or of numerals where some would be rounded integers; null where it means a missing one.

    Where the decimal mark is a comma, and commas stand within numbers, spaces and semicolons separate them.

    Raises:
        BadRow: a cell is no list, or something in a list is no number.
    """
    import pyarrow.compute as pc

    words = pc.utf8_trim_whitespace(words)
    missing = pc.or_(pc.is_null(words), pc.is_in(words, value_set=words_in_arrow(nulls)))
    wrong = _mask(pc.and_not(pc.invert(pc.match_substring_regex(words, pattern=LIST)), missing))
    if wrong.any():
        row = int(wrong.argmax())
        raise BadRow(row, f"column {column!r} holds {shown(words[row].as_py())}, which is not a list of numbers")
    words = pc.if_else(missing, scalar(None), words)
    within = decimal == "," and _mask(pc.match_substring_regex(words, pattern=r",[^\s\])]")).any()
    separator = ";" if within else ","
    if not within:
        mixed = pc.and_(pc.match_substring(words, pattern=","), pc.match_substring_regex(words, pattern=MIXED))
        wrong = _mask(mixed)
        if wrong.any():
            row = int(wrong.argmax())
            what = f"column {column!r} holds {shown(words[row].as_py())}, where a comma and a space separate numbers"
            raise BadRow(row, what, f"For a decimal comma say {option(decimal=',')}.")
    inner = pc.replace_substring_regex(words, pattern=r"^.\s*|\s*,?\s*.$", replacement="")
    inner = pc.if_else(pc.equal(inner, words_in_arrow([""])[0]), scalar(None), inner)
    lists = pc.split_pattern(
        pc.replace_substring_regex(inner, pattern=rf"\s*{separator}\s*|\s+", replacement=separator), pattern=separator
    )
    try:
        numbers = exact_numbers(lists.values, column, nulls, "," if within else ".")
    except BadRow as bad:
        row = int(np.searchsorted(in_numpy(lists.offsets), bad.row, "right")) - 1
        cell = words[row].as_py()
        hint = hint_for(cell) if "..." in cell else bad.hint
        raise BadRow(row, f"{bad.what}, in {shown(cell)}", hint) from None
    return pa.ListArray.from_arrays(lists.offsets, numbers, mask=pc.is_null(lists))


def are_lists(words: pa.Array, decimal: str = ".") -> bool:
    """Whether cells, of which nulls are null, are all lists of numbers."""
    first = next((word.as_py() for word in words if word.is_valid), "").strip()
    if not first.startswith(("[", "(")):
        return False
    try:
        written_lists(words, "", decimal=decimal)
    except BadRow:
        return False
    return True


def are_numbers(words: pa.Array, nulls: Sequence[str], decimal: str = ".", thousands: str | None = None) -> bool:
    """Whether cells, of which one at least is not null, are all numbers."""
    try:
        return int(written_numbers(words, "", nulls, decimal, thousands).null_count) < len(words)
    except BadRow:
        return False


def _mask(array: pa.Array) -> BoolArray:
    return in_numpy(filled(array, value=False))
