"""Times of day on a date: the instants that those with an offset are, however they are written."""

from datetime import date
from typing import Literal, TypeVar

import pyarrow as pa

from lossctl.arrow import filled, scalar, words_in_arrow

Form = Literal["local", "instant"]
_TIME = r"^(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<clock>(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)(?:[.,](?P<fraction>\d*))?"
"""A date and a time of day, to the minute or more exactly."""
_ZONE = r" ?(?P<zone>Z|z|UTC|GMT|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)"
"""How far a clock is from that of Greenwich."""
_FORMS: dict[Form, str] = {"local": f"{_TIME}$", "instant": f"{_TIME}{_ZONE}$"}
SHORTEST = len("2024-03-05 9")
"""Fewer characters are no time of a day; to ask for those takes no time."""
Words = TypeVar("Words", pa.Array, pa.ChunkedArray)


def first_of(words: pa.Array | pa.ChunkedArray, form: Form) -> str | None:
    """The first word that is a time, without an offset or with one; ``None`` where there is none."""
    import pyarrow.compute as pc

    places = pc.indices_nonzero(pc.match_substring_regex(words, _FORMS[form]))
    return str(words[places[0].as_py()]) if len(places) else None


def has_times(words: pa.ChunkedArray) -> bool:
    """Whether some words begin like times of a day."""
    import pyarrow.compute as pc

    if (pc.max(pc.binary_length(words)).as_py() or 0) < SHORTEST:
        return False
    return bool(pc.any(pc.match_substring_regex(words, r"^\d{4}-\d\d-\d\d[Tt ]\d")).as_py())


def in_one_form(words: Words) -> Words:
    """Words of which equal times are written alike: those with an offset in UTC, the others as the clock shows them.

    What is no time of a day of the calendar stays as it is. Parts of seconds keep their digits.

    >>> in_one_form(pa.array(["2025-03-01T00:30:00.50+01:00", "2025-03-01T00:30", "spring"])).to_pylist()
    ['2025-02-28 23:30:00.5Z', '2025-03-01 00:30:00', 'spring']
    """
    if isinstance(words, pa.ChunkedArray):
        return pa.chunked_array([in_one_form(chunk) for chunk in words.chunks], words.type)
    return _in_one_form(_in_one_form(words, "instant"), "local")


def _in_one_form(words: pa.Array, form: Form) -> pa.Array:
    """As `in_one_form`, of times of a form."""
    import pyarrow.compute as pc

    there = filled(pc.match_substring_regex(words, _FORMS[form]), value=False)
    if not pc.any(there).as_py():
        return words
    days = pc.utf8_slice_codeunits(words, 0, 10)
    wrong = [day for day in days.filter(there).unique().to_pylist() if not _is_date(day)]
    there = pc.and_not(there, pc.is_in(days, value_set=words_in_arrow(wrong))) if wrong else there
    parts = pc.extract_regex(words.filter(there), _FORMS[form])
    times, sign = pc.binary_join_element_wise(parts.field("day"), parts.field("clock"), scalar(" ")), ""
    if form == "instant":
        zone, sign = parts.field("zone"), "Z"
        zone = pc.if_else(pc.is_in(zone, value_set=words_in_arrow(["z", "UTC", "GMT"])), scalar("Z"), zone)
        times = pc.binary_join_element_wise(times, zone, scalar(""))
    clock = times.cast(pa.timestamp("s", "UTC" if sign else None)).cast(pa.timestamp("s")).cast(pa.string())
    fraction = pc.utf8_rtrim(parts.field("fraction"), "0")
    point = pc.if_else(pc.equal(fraction, scalar("")), scalar(""), scalar("."))
    alike = pc.binary_join_element_wise(clock, point, fraction, scalar(sign), scalar(""))
    return pc.replace_with_mask(words, there, alike)


def _is_date(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True
