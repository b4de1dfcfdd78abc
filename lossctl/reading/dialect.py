"""How delimited text is written: what separates, quotes and comments, and how it writes numbers."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv

from lossctl.dataclass import dataclass
from lossctl.domain import IntArray
from lossctl.reading.line_ends import LineEnds


@dataclass(frozen=True)
class Dialect:
    """The signs of a delimited text; each but the thousands separator is one byte."""

    delimiter: str
    """What separates cells."""
    quote: str | None = '"'
    """What cells may stand in; ``None`` where quotes are characters like any other."""
    comment: str | None = None
    """How a line begins that is none."""
    decimal: str = "."
    """What stands before the fraction of a number."""
    thousands: str | None = None
    """What may stand between groups of three digits."""

    def ends(self) -> LineEnds:
        """What finds the ends of the lines."""
        return LineEnds() if self.quote is None else LineEnds(self.delimiter, self.quote, self.comment)

    def quotes_in(self, text: bytes) -> bool:
        """Whether a text has quotes."""
        return self.quote is not None and self.quote.encode() in text

    def table(
        self, text: bytes, columns: int, converting: pyarrow.csv.ConvertOptions, *, skip: bool = False
    ) -> pa.Table:
        """The rows of whole lines without comments, in columns called by their places.

        Args:
            text: the lines, one at least.
            columns: how many columns there are.
            converting: the columns that are wanted, and as what.
            skip: whether to skip rows that have other than so many cells.

        Raises:
            ArrowException: a row has other than so many cells, or a cell is not what is wanted.
        """
        # A single block, so that nothing straddles two.
        reading = pyarrow.csv.ReadOptions(
            use_threads=False, block_size=len(text) + 1, column_names=[str(place) for place in range(columns)]
        )
        parsing = pyarrow.csv.ParseOptions(
            delimiter=self.delimiter,
            quote_char=self.quote or False,
            newlines_in_values=True,
            invalid_row_handler=(lambda _: "skip") if skip else None,
        )
        return pyarrow.csv.read_csv(pa.BufferReader(text), reading, parsing, converting)

    def without_comments(self, text: bytes) -> bytes:
        """The text without the lines that are comments."""
        if self.comment is None or self.comment.encode() not in text:
            return text
        starts = np.concatenate([np.zeros(1, np.int64), self.ends().all(text)])
        starts = starts[starts < len(text)]
        comments = np.frombuffer(text, np.uint8)[starts] == ord(self.comment)
        return text if not comments.any() else b"".join(_kept(text, starts, comments.tolist()))


def _kept(text: bytes, starts: IntArray, comments: Sequence[bool]) -> list[bytes]:
    """The runs of lines that are no comments."""
    pieces, begin = [], None
    for start, comment in zip(starts.tolist(), comments, strict=True):
        if comment and begin is not None:
            pieces.append(text[begin:start])
            begin = None
        elif not comment and begin is None:
            begin = start
    return pieces if begin is None else [*pieces, text[begin:]]
