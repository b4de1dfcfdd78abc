"""What is to be said of several files that are measured as one table: they may be models of the same rows."""

from collections.abc import Iterator, Sequence
from itertools import islice

import pyarrow as pa

from lossctl.errors import LossctlError
from lossctl.evaluation.keys import tells_rows
from lossctl.reading.cells import BadRow, text_of
from lossctl.reading.files import beginnings
from lossctl.reading.format import Source, Wanted
from lossctl.reading.rows import first_rows
from lossctl.reading.stamp import Changed
from lossctl.reading.storage import takeable
from lossctl.words import counted

APART = "compare measures a file a model"
"""What is said of files that may be models."""
ROWS, FILES = 1000, 4
"""How many rows are looked at, of how many files."""


def pooled(source: Source, label: Sequence[str]) -> str:
    """That the files of a data set are one table, and whether they look like models of the same rows.

    Args:
        source: a data set of several files.
        label: its label columns; none where labels are elsewhere.
    """
    what = f"{len(source.files):,} files are measured as one table"
    if label and not source.once:
        keys = [column.name for column in source.columns if tells_rows(column.name) and column.name not in label]
        try:
            first, *others = islice(_first_rows(source, (*keys, *label)), FILES)
        except Changed:
            raise
        except (LossctlError, BadRow, ValueError, pa.ArrowException):
            first, others = [], []  # what is wrong with them is said where they are read
        if others and len({row[len(keys) :] for row in first}) > 1 and all(rows == first for rows in others):
            same = f"the same {'ids and ' * bool(keys)}labels in their first {counted(len(first), 'row')}"
            return f"{what}, but have {same}: for models of the same rows, {APART}"
    return f"{what}; {APART}"


def _first_rows(source: Source, names: Sequence[str]) -> Iterator[list[tuple[str | None, ...]]]:
    """The cells of some columns in the first rows of each file, as text."""
    wanted = Wanted(frozenset(), frozenset(names), most=ROWS)
    for shard in beginnings(source):
        record = first_rows(shard, wanted)
        if record is None:
            yield []
            continue
        record = takeable(record).slice(0, ROWS)
        cells = (text_of(record.column(name), name).to_pylist() for name in names)
        yield [*zip(*cells, strict=True)]
