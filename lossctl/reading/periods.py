"""Dates as the periods that they fall into: days, months, weekdays, as Arrow counts them."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from lossctl.arrow import filled, scalar, words_in_arrow
from lossctl.domain import BoolArray
from lossctl.reading.cells import BadRow, kind_of, shown, text_of
from lossctl.reading.missing import USUAL, as_number
from lossctl.reading.storage import contents, mask_of
from lossctl.reading.written_dates import First, year_first

PERIODS: Mapping[str, str] = {
    "hour": "%Y-%m-%d %H:00",
    "day": "%Y-%m-%d",
    "week": "%G-W%V",
    "month": "%Y-%m",
    "quarter": "%Y-Q",
    "year": "%Y",
    "weekday": "%A",
}
"""By name, how a period is written; behind the year, the quarter is counted."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FIRST, LAST = -62_167_219_200, 253_402_300_799
"""The first and the last second with a year of four digits, counted from 1970."""
CLOCK = r"([T ]\d\d(?::?\d\d(?::?\d\d)?)?)(?:[.,]\d+)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?$"
"""A time of day at the end of a text, with parts of seconds and an offset, which no period heeds."""


def periods(array: pa.Array, unit: str, column: str, first: First = "") -> pa.Array:
    """The period of each date, as text in a dictionary; null where there is no date.

    A timestamp with a time zone counts in that zone, a text as it is written, whatever its offset.

    Args:
        array: dates, timestamps, or text with a date of ISO 8601 and perhaps a time of day; also ``31.12.2025`` and
            ``2025/12/31``, and ``31/12/2025`` where it is known what comes first.
        unit: one of `PERIODS`.
        column: whose cells they are.
        first: whether the day or the month comes first in dates with slashes or dashes that end with the year.

    Raises:
        BadRow: a cell is no date.
    """
    import pyarrow.compute as pc

    kind = contents(array.type)
    array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    if kind_of(kind) == "text":
        written = text_of(array, column).dictionary_encode()
        indices, dates = written.indices, _dates(written, unit, column, first)
    elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        floored = pc.floor_temporal(_clock(array, column), unit="hour" if unit == "hour" else "day").dictionary_encode()
        indices, dates = floored.indices, floored.dictionary
    elif pa.types.is_null(kind):
        return array
    else:
        what = f"column {column!r} of type {kind} holds no dates to group by {unit}"
        raise BadRow(0, what, _advice(column, number=kind_of(kind) == "number"))
    words = pc.strftime(dates, format=PERIODS[unit])
    if unit == "quarter":
        words = pc.binary_join_element_wise(words, pc.quarter(dates).cast(pa.string()), scalar(""))
    return pa.DictionaryArray.from_arrays(indices, words)


def _clock(array: pa.Array, column: str) -> pa.Array:
    """What the clocks show at dates and timestamps, in the time zone of their type, in whole seconds.

    Raises:
        BadRow: a year has not four digits, or nobody knows the time zone.
    """
    import pyarrow.compute as pc

    kind = array.type
    try:
        if pa.types.is_timestamp(kind):  # a cast alone would round towards 1970
            array = pc.floor_temporal(array.cast(pa.timestamp(kind.unit)), unit="second")
        seconds = array.cast(pa.timestamp("s"))
        outside, null = _outside(seconds), mask_of(seconds)
        outside = outside if null is None else outside & ~null
        if outside.any():
            what = f"column {column!r} of type {kind} holds a date beyond the years 0 to 9999"
            raise BadRow(int(outside.argmax()), what)
        zone = getattr(kind, "tz", None)
        return seconds if zone is None else pc.local_timestamp(seconds.cast(pa.timestamp("s", zone)))
    except pa.ArrowException as error:
        raise BadRow(0, f"column {column!r} of type {kind} cannot be read as dates: {error}") from None


def _outside(seconds: pa.Array) -> BoolArray:
    """Which timestamps in seconds have a year without four digits, ``(n,)``; undefined where they are null."""
    counts = np.frombuffer(seconds.buffers()[1], np.int64, len(seconds), 8 * seconds.offset)
    return (counts < FIRST) | (counts > LAST)


def are_dates(array: pa.Array, column: str) -> bool:
    """Whether cells are dates, as far as they are not null."""
    if kind_of(array.type) == "number":
        return False
    try:
        dates = periods(array, "day", column)
    except BadRow:
        return False
    return bool(dates.null_count < len(dates) and set(dates.dictionary.to_pylist()) != {None})


def _dates(written: pa.Array, unit: str, column: str, first: First) -> pa.Array:
    """The dates that the words of a dictionary are, as they are written; null where one stands for nothing.

    Raises:
        BadRow: a word is none.
    """
    import pyarrow.compute as pc

    words = pc.utf8_trim_whitespace(written.dictionary)
    words = pc.replace_with_mask(words, pc.is_in(words, value_set=words_in_arrow(USUAL)), pa.nulls(1, words.type)[0])
    dates = pc.replace_substring_regex(year_first(words, first), CLOCK, r"\1")
    try:
        return dates.cast(pa.timestamp("s"))
    except pa.ArrowException:
        place = next(place for place in range(len(dates)) if not _is_date(dates[place]))
        rows = filled(pc.equal(written.indices, scalar(place, written.indices.type)), value=False)
        word = written.dictionary[place].as_py()
        what = f"column {column!r} holds {shown(word)}, which is no date to group by {unit}"
        advice = f"Others have the {first} first. " if first else ""
        raise BadRow(int(np.argmax(rows)), what, advice + _advice(column, number=as_number(word) is not None)) from None


def _advice(column: str, *, number: bool) -> str:
    """What to do about a column that holds no dates."""
    written = "Dates are written as in 2024-03-05, 2024-03-05T14:30:00 or 31.12.2024"
    return f"{written}; numbers are grouped by quantiles: {column}:10." if number else f"{written}."


def _is_date(word: pa.Scalar) -> bool:
    try:
        word.cast(pa.timestamp("s"))
    except pa.ArrowException:
        return False
    return True
