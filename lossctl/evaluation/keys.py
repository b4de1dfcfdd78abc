"""The columns of a key, as each of two sides calls them, and numbers and times in them that are written in two ways."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TypeVar

import pyarrow as pa

from lossctl.arrays import EXACT
from lossctl.arrow import filled, words_in_arrow
from lossctl.dataclass import dataclass
from lossctl.errors import DataError, UsageError, option
from lossctl.inference.names import is_index, is_key, is_unnamed
from lossctl.inference.patterns import find
from lossctl.reading.columns import Column
from lossctl.reading.instants import first_of, has_times, in_one_form

NUMERAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?$"
"""A number as programs write it; what has zeros in front is a code."""
INTEGER = r"^(0|-?[1-9][0-9]*)$"
Words = TypeVar("Words", pa.Array, pa.ChunkedArray)


@dataclass(frozen=True)
class Key:
    """A column that tells rows apart."""

    left: str
    """What the predictions, or the first of several models, call it."""
    right: str
    """What the other side calls it."""

    def __str__(self) -> str:
        """As a user would type it."""
        return self.left if self.left == self.right else f"{self.left}={self.right}"


def keys_named(
    patterns: Sequence[str], left: Sequence[Column], right: Sequence[Column], other: str = "labels"
) -> tuple[Key, ...]:
    """The columns that patterns name on both sides, each once: ``COL``, or ``COL=COL`` where names differ.

    A column of exactly that name wins over any other reading.

    Args:
        patterns: as for `find`.
        left, right: the columns of the sides.
        other: what messages call the right side.

    Raises:
        UsageError: a pattern names none or several, or different ones without saying so; or a column is named twice.
    """
    keys = tuple(dict.fromkeys(_key(pattern, left, right, other) for pattern in patterns))
    for names in ([key.left for key in keys], [key.right for key in keys]):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"id {twice!r} is to match two columns: {', '.join(map(str, keys))}", "Give each once.")
    return keys


def _key(pattern: str, left: Sequence[Column], right: Sequence[Column], other: str) -> Key:
    whole = [_named(pattern, columns) for columns in (left, right)]
    places = [] if None not in whole or pattern.startswith("/") else [*re.finditer("=", pattern)]
    halves = [(pattern[: place.start()], pattern[place.end() :]) for place in places]
    pairs = [(one, two) for one, two in halves if _named(one, left) and _named(two, right)]
    if len(pairs) > 1:
        ways = (f"{one!r} with {two!r}" for one, two in pairs)
        raise UsageError(f"id {pattern!r} can be read in {len(pairs)} ways: {' or '.join(ways)}", "Rename a column.")
    turned = [(two, one) for one, two in halves if _named(two, left) and _named(one, right)]
    if turned and not pairs:
        what = f"id {pattern!r} names the column of the {other} first"
        raise UsageError(what, f"That of the predictions comes first: {option(ids='='.join(turned[0]))}.")
    if pairs or (halves and whole == [None, None]):
        one, two = (*pairs, *halves)[0]
        return Key(_one(one, left, right, "predictions"), _one(two, right, left, other))
    key = Key(_one(pattern, left, right, "predictions"), _one(pattern, right, left, other))
    if key.left != key.right:
        what = f"id {pattern!r} is column {key.left!r} of the predictions, but {key.right!r} of the {other}"
        raise UsageError(what, f"Match one with the other: {option(ids=str(key))}.")
    return key


def _named(pattern: str, columns: Sequence[Column]) -> tuple[str, ...] | None:
    """The columns that a pattern names; ``None`` where there are none."""
    try:
        return find(pattern, columns, "id") if pattern.strip() else None
    except UsageError:
        return None


def _one(pattern: str, columns: Sequence[Column], others: Sequence[Column], side: str) -> str:
    """The one column of a side that a pattern names; a `UsageError` where there is none, or several."""
    try:
        names = find(pattern, columns, f"id of the {side}")
    except UsageError as error:
        alike = [column.name for column in columns if tells_rows(column.name)]
        theirs = _named(pattern, others)
        if theirs is None or len(theirs) > 1:
            raise
        own = (*alike, "COL")[0]
        pair = (own, theirs[0]) if side == "predictions" else (theirs[0], own)
        raise UsageError(error.parts[0], f"If it has another name there: {option(ids='='.join(pair))}.") from None
    if len(names) > 1:
        raise UsageError(f"id {pattern!r} matches {len(names)} columns of the {side}", "Name each.")
    return names[0]


def tells_rows(name: str) -> bool:
    """Whether that is what a column is called that tells rows apart."""
    return is_key(name) or (is_index(name) and not is_unnamed(name))


def told_alike(left: pa.Table, right: pa.Table, sides: tuple[str, str]) -> tuple[pa.Table, pa.Table, tuple[str, ...]]:
    """Both sides of a key with equal numbers and times written alike, such as ``1461.0`` and ``1461``, and remarks.

    Numbers are, in a column in which every word of both sides is a number, none with zeros in front, and no two words
    of a side are one number. A fraction or power that may have been rounded, from 2^53 on, stays as it is written.
    Times with an offset are the instant that they say, whatever else stands in their column.

    Args:
        left, right: columns of text, by the same names.
        sides: what they are called.
    """
    remarks = []
    for place, name in enumerate(left.column_names):
        written = left[name], right[name]
        timed = any(map(has_times, written))
        if timed and left.num_columns == 1 and not _lacking(*written):
            continue  # all match as they are written
        kind, plain = "times", [in_one_form(words) for words in written] if timed else [None]
        if not timed:
            kind, plain = "numbers", [_plain(words) for words in written] if _differ(*written) else [None]
        shown = None if any(words is None for words in plain) else next(_shown(written, plain), None)
        if shown is not None:
            pairs = " and ".join(f"{word!r} of {side}" for word, side in zip(shown, sides, strict=True))
            remarks.append(f"id {name!r}: equal {kind} match, such as {pairs}")
            left, right = (
                table.set_column(place, name, words) for table, words in zip((left, right), plain, strict=True)
            )
    return left, right, tuple(remarks)


def ensure_one_clock(left: pa.Table, right: pa.Table, sides: tuple[str, str]) -> None:
    """Check that no column of a key has times with an offset on one side and times without on the other.

    Arguments as for `told_alike`.

    Raises:
        DataError: one has, unless both sides have both.
    """
    for name in left.column_names:
        one, other = ((first_of(side[name], "local"), first_of(side[name], "instant")) for side in (left, right))
        if not any(one) or not any(other) or [*map(bool, one)] == [*map(bool, other)]:
            continue
        turned = not (one[0] and other[1])
        local, instant = (other[0], one[1]) if turned else (one[0], other[1])
        without, having = sides[::-1] if turned else sides
        raise DataError(
            f"id {name!r} has times without an offset from UTC in {without}, such as {local!r}, and with one in "
            f"{having}, such as {instant!r}",
            "Nobody knows which instant a time without an offset is: write it there too, as in 2024-03-05T14:30+01:00.",
        )


def _differ(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    """Whether some words of a side are not among those of the other, and a number is written otherwise than whole."""
    import pyarrow.compute as pc

    if not any(pc.any(pc.match_substring_regex(words, "[.eE]")).as_py() for words in (left, right)):
        return False
    return _lacking(left, right)


def _lacking(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    """Whether some words of a side are not among those of the other."""
    import pyarrow.compute as pc

    pairs = ((left, right), (right, left))
    return not all(pc.all(pc.is_in(words, value_set=others.unique())).as_py() for words, others in pairs)


def _plain(words: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Words written plainly; ``None`` where some are no numerals, or two of them are one number."""
    import pyarrow.compute as pc

    if not pc.all(pc.match_substring_regex(words, NUMERAL)).as_py():
        return None
    alike = plainly(words)
    return alike if len(alike.unique()) == len(words.unique()) else None


def plainly(words: Words) -> Words:
    """Words as a key is told apart: numerals without zeros at the end of a fraction and without a power, times alike.

    What is neither stays as it is, and so does a number that may have been rounded.
    """
    import pyarrow.compute as pc

    words = in_one_form(words)
    whole = pc.match_substring_regex(words, INTEGER)
    odd = pc.and_not(pc.match_substring_regex(words, NUMERAL), whole)
    if not pc.any(odd).as_py():
        return words
    distinct = words.filter(odd).unique()
    plain = words_in_arrow([_shortest(word) for word in distinct.to_pylist()])
    place = pc.index_in(words, value_set=distinct)
    return pc.if_else(filled(odd, value=False), pc.take(plain, place), words)


def _shortest(word: str) -> str:
    number = Decimal(word)
    if abs(number) >= EXACT:
        return word
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _shown(written: Sequence[pa.ChunkedArray], plain: Sequence[pa.ChunkedArray]) -> Iterator[tuple[str, str]]:
    """Words of both sides that are written differently and are one number, in the order of the left."""
    import pyarrow.compute as pc

    left, right = plain
    place = pc.index_in(left, value_set=right)
    other = pc.take(written[1], place)
    differ = filled(pc.not_equal(written[0], other), value=False)
    for row in pc.indices_nonzero(differ).slice(0, 1).to_pylist():
        yield written[0][row].as_py(), other[row].as_py()
