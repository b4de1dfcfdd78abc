"""A look at the rows of a sample, taken when it is first asked for."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa

from lossctl.domain import FloatArray
from lossctl.inference.candidates import Candidate, Contents, candidates, contents_of, readable
from lossctl.inference.reader import Reader
from lossctl.inference.sample import sampled
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Source

CELLS = 1 << 22
"""How many cells are looked at, of all columns together."""


class Look:
    """What is in the columns of a data set, by a sample of its rows.

    Args:
        source: the data set.
    """

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def records(self) -> tuple[pa.RecordBatch, ...]:
        """The rows, with every column that could play a role."""
        columns, wanted = readable(self.source.columns)
        return sampled(self.source, wanted, most=CELLS // max(len(columns), 1)).records

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The columns, with the roles that they could play."""
        columns, wanted = readable(self.source.columns)
        contents = sum((contents_of(wanted.texts, record) for record in self.records), Contents(0, {}))
        return candidates(columns, contents)

    def rows(self, names: Sequence[str]) -> FloatArray | None:
        """The rows of some columns that have no null, ``(n, k)``; ``None`` where they hold no numbers."""
        parts = []
        for record in self.records:
            reader = Reader(record)
            try:
                values = reader.columns(names, len(names))
            except BadRow:
                return None
            parts.append(values[~reader.null])
        return np.concatenate(parts) if parts else None
