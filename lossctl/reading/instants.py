"""Times of day on a date: the instants that those with an offset are, however they are written."""

from datetime import date
from typing import Literal, TypeVar

import pyarrow as pa

from lossctl.arrow import filled, scalar, words_in_arrow

Form = Literal["local", "instant"]
_TIME = r"^(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):[0-5]\d)(:[0-5]\d)?(?:[.,](\d*?)0*)?"
"""A date and a time of day, to the minute or more exactly."""
_ZONE = r" ?(Z|z|UTC|GMT|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)"
"""How far a clock is from that of Greenwich."""
_FORMS: dict[Form, str] = {"local": f"{_TIME}$", "instant": f"{_TIME}{_ZONE}$"}
Words = TypeVar("Words", pa.Array, pa.ChunkedArray)


def first_of(words: pa.Array | pa.ChunkedArray, form: Form) -> str | None:
    """The first word that is a time, without an offset or with one; ``None`` where there is none."""
    import pyarrow.compute as pc

    places = pc.indices_nonzero(pc.match_substring_regex(words, _FORMS[form]))
    return str(words[places[0].as_py()]) if len(places) else None


def in_one_form(words: Words) -> Words:
    """Words of which equal times are written alike: those with an offset in UTC, the others as the clock shows them.

    What is no time of a day of the calendar stays as it is. Parts of seconds keep their digits.

    >>> in_one_form(pa.array(["2025-03-01T00:30:00.50+01:00", "2025-03-01T00:30", "spring"])).to_pylist()
    ['2025-02-28 23:30:00.5Z', '2025-03-01 00:30:00', 'spring']
    """
    if isinstance(words, pa.ChunkedArray):
        return pa.chunked_array([in_one_form(chunk) for chunk in words.chunks], words.type)
    words = _in_one_form(words, "instant", "Z")
    return _in_one_form(words, "local", "")


def _in_one_form(words: pa.Array, form: Form, zone: str) -> pa.Array:
    """As `in_one_form`, of times of a form, each written with what stands for its zone at the end."""
    import pyarrow.compute as pc

    there = filled(pc.match_substring_regex(words, _FORMS[form]), value=False)
    if not pc.any(there).as_py():
        return words
    days = pc.utf8_slice_codeunits(words, 0, 10)
    wrong = [day for day in days.filter(there).unique().to_pylist() if not _is_date(day)]
    there = pc.and_not(there, pc.is_in(days, value_set=words_in_arrow(wrong))) if wrong else there
    written = words.filter(there)

    def parts(of_pattern: str) -> pa.Array:
        return pc.replace_substring_regex(written, _FORMS[form], of_pattern)

    times = parts(r"\1 \2\3")
    if zone:
        offsets = pc.replace_substring_regex(parts(r"\5"), "^(z|UTC|GMT)$", "Z")
        times = pc.binary_join_element_wise(times, offsets, scalar(""))
    clock = times.cast(pa.timestamp("s", "UTC" if zone else None)).cast(pa.timestamp("s")).cast(pa.string())
    fraction = pc.replace_substring_regex(parts(r"\4"), "^(.)", r".\1")
    return pc.replace_with_mask(words, there, pc.binary_join_element_wise(clock, fraction, scalar(zone), scalar("")))


def _is_date(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True
