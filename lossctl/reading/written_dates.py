"""Dates that are text: compared as they are written, but for what they leave out; in any other form, not at all."""

import re
from dataclasses import fields
from typing import Literal

import numpy as np
import pyarrow as pa

from lossctl.arrow import filled, in_numpy, scalar
from lossctl.dataclass import dataclass
from lossctl.reading.cells import BadRow, shown

ORDERING = frozenset({"<", "<=", ">", ">="})
"""The signs for which it matters how dates are written."""
DAY = 10
"""How many characters tell the day."""
_DATE = r"\d{4}-\d\d-\d\d"
_WHOLE = (
    (f"^({_DATE})$", r"\1 00:00:00"),
    (f"^({_DATE})[T ](\\d\\d:\\d\\d)$", r"\1 \2:00"),
    (f"^({_DATE})T(\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?)$", r"\1 \2"),
    (f"^({_DATE} \\d\\d:\\d\\d:\\d\\d)\\.0+$", r"\1"),
    (f"^({_DATE} \\d\\d:\\d\\d:\\d\\d\\.\\d*[1-9])0+$", r"\1"),
)
"""How a date without an offset is written whole, so that text is in the order of time."""
_OTHER = (
    r"^(?:\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d\d[./-]\d\d[./-]\d\d|\d{4}[./]\d{1,2}[./]\d{1,2}|\d{4}-\d{1,2}-\d{1,2}"
    r"|\d{1,2}\.?[ -][A-Za-z]{3,9}\.?[ -]\d{2,4}|[A-Za-z]{3,9}\.? \d{1,2},? \d{4})\b"
)
"""How dates are written otherwise: the day or the month first, in words, with other signs between, or without zeros."""


First = Literal["", "day", "month"]
"""What comes first in a date that ends with the year; empty where nobody knows."""
_SLASHED = r"^\s*(?P<one>\d{1,2})[/-](?P<two>\d{1,2})[/-]\d{4}(?:$|[T ])"
_DOTTED = r"^\s*\d{1,2}\.\d{1,2}\.\d{4}(?:$|[T ])"


@dataclass(frozen=True)
class Order:
    """What some words tell of the order in which dates are written."""

    slashed: str = ""
    """One in which the order is to be told by the others; empty where there is none."""
    dotted: str = ""
    """One with points, in which the day comes first."""
    day: str = ""
    """One that tells that the day comes first."""
    month: str = ""
    """One that tells that the month does."""

    def __add__(self, other: "Order") -> "Order":
        return Order(*(getattr(self, each.name) or getattr(other, each.name) for each in fields(self)))

    @property
    def first(self) -> First:
        """What comes first in those with slashes or dashes."""
        return "day" if self.day else "month" if self.month else ""


def order_of(words: pa.Array) -> Order:
    """What words tell of the order of their dates.

    >>> order_of(pa.array(["5/3/2024", "31/3/2024"])).first
    'day'
    """
    import pyarrow.compute as pc

    words = pc.drop_null(words)
    dotted = words.filter(pc.match_substring_regex(words, _DOTTED))
    slashed = words.filter(pc.match_substring_regex(words, _SLASHED))
    parts = pc.extract_regex(slashed, _SLASHED)
    days, months = (
        slashed.filter(pc.greater(parts.field(name).cast(pa.int32()), scalar(12))) for name in ("one", "two")
    )
    return Order(*(str(some[0].as_py()) if len(some) else "" for some in (slashed, dotted, days, months)))


def year_first(words: pa.Array, first: First = "") -> pa.Array:
    """Dates as ISO 8601 writes them, in place of others whose order is known; what comes behind them stays.

    >>> year_first(pa.array(["1.2.2024 10:00", "2024/2/1", "1/2/2024"]), "day").to_pylist()
    ['2024-02-01 10:00', '2024-02-01', '2024-02-01']
    """
    import pyarrow.compute as pc

    turned = [
        (r"^(\d{1,2})\.(\d{1,2})\.(\d{4})", r"\3-%0\2-%0\1"),
        (r"^(\d{4})[./](\d{1,2})[./](\d{1,2})", r"\1-%0\2-%0\3"),
    ]
    if first:
        turned.append((r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4})", r"\3-%0\2-%0\1" if first == "day" else r"\3-%0\1-%0\2"))
    for pattern, written in turned:
        words = pc.replace_substring_regex(words, f"{pattern}($|[T ])", f"{written}\\4")
    return pc.replace_substring_regex(words, r"^(\d{4})-%0?(\d\d)-%0?(\d\d)", r"\1-\2-\3")


def is_date(word: str) -> bool:
    """Whether a text begins with a date of ISO 8601, with or without a time of day.

    >>> is_date("2024-03-05"), is_date("2024-03-05T14:30"), is_date("2024-03"), is_date("5.3.2024")
    (True, True, False, False)
    """
    return re.match(f"{_DATE}($|[T ])", word) is not None


def is_other_date(word: str) -> bool:
    """Whether a text begins with a date that is written otherwise, and so is not in the order of time.

    >>> [is_other_date(date) for date in ("5.3.2024", "05-Mar-2024 10:00", "2024-3-5", "2024-03-05")]
    [True, True, True, False]
    """
    return re.match(_OTHER, word) is not None and not is_date(word)


def whole(word: str) -> str:
    """A date with what it leaves out; another text as it is.

    >>> whole("2024-03-05"), whole("2024-03-05T14:30"), whole("2024-03-05 14:30:00.50"), whole("spring")
    ('2024-03-05 00:00:00', '2024-03-05 14:30:00', '2024-03-05 14:30:00.5', 'spring')
    """
    for pattern, written in _WHOLE:
        word = re.sub(pattern, written, word)
    return word


def whole_cells(words: pa.Array, word: str, name: str) -> pa.Array:
    """Cells as `whole` writes them, to be held against a date.

    Raises:
        BadRow: a cell is a date that is written otherwise.
    """
    import pyarrow.compute as pc

    dates, iso = (pc.match_substring_regex(words, form) for form in (_OTHER, f"^{_DATE}($|[T ])"))
    others = filled(pc.and_not(dates, iso), value=False)
    if pc.any(others).as_py():
        row = int(np.argmax(in_numpy(others)))
        what = f"column {name!r} holds {shown(words[row].as_py())}, which is not held against {word!r}"
        raise BadRow(row, what, "Dates that are text are in the order of time only as 2024-03-05.")
    for pattern, written in _WHOLE:
        words = pc.replace_substring_regex(words, pattern, written)
    return words
