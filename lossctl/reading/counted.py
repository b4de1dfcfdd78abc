"""A first line that counts its cells, as pandas names columns that nobody named: are these names, or a row?"""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.csv
import pyarrow.types

from lossctl.dataclass import dataclass
from lossctl.reading.dialect import Dialect

SAMPLE = 1 << 16
"""Bytes of rows against which the line is held."""
INTEGER = r"[+-]?\d+"


@dataclass(frozen=True)
class Counted:
    """A first line that reads ``0,1,…`` (or ``1,2,…``, where it is said to be a row)."""

    line: str
    named: bool
    """Whether it is taken for the names of columns."""
    apart: bool
    """Whether the rows below are so different that it is none of them."""

    @property
    def doubtful(self) -> bool:
        """Whether it is taken for names, and may as well be a row."""
        return self.named and not self.apart


def counts(cells: Sequence[str], *, start: int = 0) -> bool:
    """Whether cells are the numbers from ``start`` on, in order.

    >>> counts(["0", "1", "2"]), counts(["0"]), counts(["1", "0"]), counts(["0.0", "1.0"])
    (True, True, False, False)
    """
    return [cell.strip() for cell in cells] == [str(number) for number in range(start, start + len(cells))]


def is_apart(cells: Sequence[str], body: bytes, dialect: Dialect) -> bool:
    """Whether a line of integers is unlike the rows below: in some column none of these is an integer, or all are far.

    Args:
        cells: those of the line.
        body: the first rows below it, without comments.
        dialect: how they are written.
    """
    text = body[:SAMPLE]
    text = text if len(body) <= SAMPLE else text[: text.rfind(b"\n") + 1]
    if not text.strip():
        return False
    places = [str(place) for place in range(len(cells))]
    converting = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(places, pa.string()))
    try:
        table = dialect.table(text, len(cells), converting, skip=True)
    except (pa.ArrowException, UnicodeError):
        return False
    columns = [[word.strip() for word in column.to_pylist() if word.strip()] for column in table.columns]
    return any(_unlike(int(cell), below) for cell, below in zip(cells, columns, strict=True) if below)


def _unlike(number: int, below: Sequence[str]) -> bool:
    """Whether a number is none of a column of words: none is an integer, or all are beyond the next to it.

    What counts rows goes on with the next number, and is no other column.
    """
    integers = [int(word) for word in below if re.fullmatch(INTEGER, word)]
    if not integers:
        return True
    return len(integers) == len(below) and not min(integers) - 1 <= number <= max(integers) + 1
