"""Numbers with a decimal comma that are read as text, since nobody said how they are written."""

import re
from collections.abc import Mapping, Sequence
from itertools import chain

import pyarrow as pa

from lossctl.errors import Undecided, option
from lossctl.inference.candidates import readable
from lossctl.inference.request import Settings
from lossctl.inference.sample import sampled
from lossctl.reading.format import Source, Wanted

ROWS = 1 << 10
"""Rows that are looked at."""
_NUMBER = re.compile(r"[-+]?(\d*|[1-9]\d{0,2}(\.\d{3})+)(,\d+)?(?<=\d)")
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(\.\d{3})+")
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
        pointed = {word for name in numbers for word in cells.get(name, ()) if "." in word}
        if not all(map(_GROUPED.fullmatch, pointed)):
            continue
        for name in names if cells else ():
            words = cells[name]
            if words and all(map(_NUMBER.fullmatch, words)) and not all(map(_THOUSANDS.fullmatch, words)):
                raise _question(name, words, grouped=_is_grouped(pointed, cells))


def _is_grouped(pointed: set[str], cells: Mapping[str, set[str]]) -> bool:
    """Whether points stand between thousands, in numbers with a decimal comma or in numbers without any."""
    numbers = (words for words in cells.values() if all(map(_NUMBER.fullmatch, words)))
    return bool(pointed) or any("." in word for word in chain(*numbers))


def _question(name: str, words: set[str], *, grouped: bool) -> Undecided:
    """The question for a column of such numbers, those of thousands grouped by points or not."""
    example = next(word for word in sorted(words, key=lambda word: ("." not in word, word)) if "," in word)
    way: Settings = (("decimal", ","), *((("thousands", "."),) if grouped else ()))
    signs = "a decimal comma" + (" and points between thousands" if "." in example else "")
    what = f"column {name!r} is text, since its numbers have {signs}, such as {example}"
    return Undecided(what, f"Say so: {' '.join(option(**{key: sign}) for key, sign in way)}.", (way,))


def _words(records: Sequence[pa.RecordBatch], name: str) -> set[str]:
    """The different texts of a column."""
    return {word.strip() for record in records for word in record.column(name).to_pylist() if isinstance(word, str)} - {
        ""
    }
