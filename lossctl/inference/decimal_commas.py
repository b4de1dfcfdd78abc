"""Numbers with a decimal comma that are read as text, since nobody said how they are written."""

import re
from collections.abc import Sequence

import pyarrow as pa

from lossctl.errors import Undecided
from lossctl.inference.candidates import readable
from lossctl.inference.sample import sampled
from lossctl.reading.format import Source, Wanted

ROWS = 1 << 10
"""Rows that are looked at."""
_NUMBER = re.compile(r"[-+]?(\d*,\d+|\d+)")
_THOUSANDS = re.compile(r"[-+]?([1-9]\d{0,2}(,\d{3})+|\d+)")


def ensure_points(*sources: Source) -> None:
    """Check that no column of text holds numbers with a decimal comma, and nothing else.

    Raises:
        Undecided: one does, with how to read it.
    """
    for source in sources:
        single, _ = readable(source.columns)
        names, numbers = ([column.name for column in single if column.kind == kind] for kind in ("text", "number"))
        wanted = Wanted(frozenset(), frozenset({*names, *numbers}))
        records = sampled(source, wanted, most=ROWS).records if names else ()
        cells = {name: _words(records, name) for name in wanted.texts if records}
        if any("." in word for name in numbers for word in cells.get(name, ())):
            continue
        for name in names if cells else ():
            words = cells[name]
            if words and all(map(_NUMBER.fullmatch, words)) and not all(map(_THOUSANDS.fullmatch, words)):
                example = next(word for word in sorted(words) if "," in word)
                what = f"column {name!r} is text, since its numbers have a decimal comma, such as {example}"
                raise Undecided(what, "Write them with points.", ((("decimal", ","),),))


def _words(records: Sequence[pa.RecordBatch], name: str) -> set[str]:
    """The different texts of a column."""
    return {word.strip() for record in records for word in record.column(name).to_pylist() if isinstance(word, str)} - {
        ""
    }
