"""Which columns a text names: a name, a glob, a regular expression, places, a range, a comma list of these."""

import contextlib
import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Sequence

from lossctl.errors import UsageError, option
from lossctl.reading import jq
from lossctl.reading.columns import Column, fields_in, leaves_in
from lossctl.words import did_you_mean, natural

HALF_RANGE = r"\[[^\]]*(?::|\.\.)[^\]]*\]|^#\d"
"""What is meant as a range and is none; as a glob, ``p[0:]`` would be p and one sign."""
NOT_READ = "is a map or a list of objects, or the like, which is not read"
"""What a column is that holds neither numbers, text, lists of numbers nor fields."""
PLACES = r"#(\d{1,9})(?:-#?(\d{1,9}))?(?::.*)?"
"""A place or a range of them, with the unit to group by."""
LISTED = 6
"""How many columns are named one by one; of more, the first and the last are."""
MANY = 64
"""Columns up to which a list of them is better to read than from which place to which they stand."""
MOST_PLACES = 10_000
"""How many places of a range are looked at."""


def find(pattern: str, columns: Sequence[Column], role: str) -> tuple[str, ...]:
    """The columns that a name, a glob, ``/REGEX/``, ``#N`` (from 1), a range or a comma list of these stands for.

    ``out.p`` is the field ``p`` inside the column ``out``. A glob with a dot in it, or a regular expression with an
    escaped one, is held against such paths too, and so is one that no column matches. ``#2-#4`` are the second column
    to the fourth, ``p[0:3]`` those named ``p0``, ``p1``, ``p2`` or ``p[0]``, ``p[1]``, ``p[2]``: as a slice of
    Python's, without the last. A column of exactly that name wins over any other reading. What globs and regular
    expressions match is `in_order`.

    Raises:
        UsageError: nothing matches; near names are listed.
    """
    names = [column.name for column in columns]
    if pattern in names:
        return (pattern,)
    fields = [*fields_in(columns)]
    if any(field.name == pattern for field in fields):
        return (pattern,)
    if "," in pattern and not pattern.startswith("/"):
        parts = [part if part in names else part.strip() for part in pattern.split(",")]
        return tuple(name for part in parts for name in find(part, columns, role))
    if places := re.fullmatch(r"#(\d{1,18})(?:-#?(\d{1,18}))?", pattern):
        return _placed(int(places[1]), int(places[2] or places[1]), names, f"{role} {pattern}")
    if (part := re.search(HALF_RANGE, pattern)) and any(
        column.name == pattern[: part.start()] and column.kind == "list" for column in columns
    ):
        nulls = f"what is null in them is left out with {option(mask_null=True)}"
        hint = f"Lists are taken whole, {option(prediction=pattern[: part.start()])}; {nulls}."
        raise UsageError(f"no column {pattern!r} for the {role}", hint)
    if part := re.fullmatch(r"(.*)\[(\d{1,9}):(\d{1,9})\]", pattern):
        return _numbered(part[1], range(int(part[2]), int(part[3])), names, f"{role} {pattern!r}")
    _ensure_outside(pattern, columns, role)
    matches = _matcher(pattern, role)
    if matches is None:
        raise _no_column(pattern, columns, role)
    matching = [name for name in names if matches(name)]
    dotted = (r"\." if pattern.startswith("/") else ".") in pattern
    if dotted or not matching:
        matching += [field.name for field in fields if not field.fields and matches(field.name)]
    if not matching:
        raise UsageError(f"no column matches {pattern!r} for the {role}", did_you_mean(pattern, leaves_in(columns)))
    return in_order(matching)


def _ensure_outside(pattern: str, columns: Sequence[Column], role: str) -> None:
    """Check that a pattern names nothing inside a column that is not read; a `UsageError` where it does."""
    for column in (*columns, *fields_in(columns)):
        inside = pattern.removeprefix(column.name)
        if column.kind == "other" and not column.fields and inside != pattern and inside.startswith((".", "[")):
            path = inside if inside.startswith("[") else f"[0]{inside}"
            plain = column.path and re.fullmatch(r"(\[\d+\]|\.[A-Za-z_]\w*)+", path, re.ASCII)
            hint = f", such as {jq.column('values', f'{column.path}{path}')} does" if plain else ""
            what = f"no column {pattern!r} for the {role}: {column.name!r} {NOT_READ}"
            raise UsageError(what, f"Write what is meant as a column of its own{hint}.")


def unread(columns: Sequence[Column]) -> str:
    """What is to be said of columns none of which can be a prediction; empty where one can."""
    names = [column.name for column in columns if column.kind == "other" and not column.fields]
    if not names or any(column.kind in {"number", "list", "object"} for column in (*columns, *fields_in(columns))):
        return ""
    return f" {names[0]!r} {NOT_READ}: numbers in it must stand in a column of their own."


def in_order(names: Sequence[str]) -> tuple[str, ...]:
    """Names as they stand in the data; those that differ in numbers alone in the order of these.

    >>> in_order(["p_10", "p_2"]), in_order(["p_dog", "p_cat"])
    (('p_2', 'p_10'), ('p_dog', 'p_cat'))
    """
    numbered = len({re.sub(r"\d+", "0", name) for name in names}) == 1
    return tuple(sorted(names, key=natural) if numbered else names)


def _matcher(pattern: str, role: str) -> Callable[[str], bool] | None:
    """What tells whether a glob or ``/REGEX/`` matches a name; ``None`` where the pattern is neither.

    Raises:
        UsageError: it is no regular expression.
    """
    if pattern.startswith("/") and pattern.endswith("/") and len(pattern) > 1:
        try:
            expression = re.compile(pattern[1:-1])
        except re.error as error:
            raise UsageError(f"{role} {pattern!r} is not a regular expression: {error}") from None
        return lambda name: expression.search(name) is not None
    if any(sign in pattern for sign in "*?[") and not re.search(HALF_RANGE, pattern):
        return lambda name: fnmatch.fnmatchcase(name, pattern)
    return None


def _no_column(pattern: str, columns: Sequence[Column], role: str) -> UsageError:
    """The error that there is neither a column nor a field of a name."""
    for column in sorted((*columns, *fields_in(columns)), key=lambda column: -len(column.name)):
        if pattern.startswith(f"{column.name}.") and column.kind in {"object", "list"} and not column.fields:
            what = (
                f"no column {pattern!r} for the {role}: column {column.name!r} is a map or a list, which has no fields"
            )
            raise UsageError(what, f"Give it whole: {column.name}.")
    if re.search(HALF_RANGE, pattern):
        return UsageError(f"no column {pattern!r} for the {role}", "A range has two ends, as in p[0:3] or #2-#4.")
    leaves = leaves_in(columns)
    ending = [leaf for leaf in leaves if leaf.endswith(f".{pattern}")][:3]
    hint = f"Did you mean {' or '.join(ending)}?" if ending else did_you_mean(pattern, leaves)
    return UsageError(f"no column {pattern!r} for the {role}", hint)


def _placed(first: int, last: int, names: Sequence[str], title: str) -> tuple[str, ...]:
    """The columns from one place to another; a `UsageError` where there are none such."""
    if not 1 <= first <= last <= len(names):
        hint = "" if first <= last else f"In order that is #{last}-#{first}."
        raise UsageError(f"{title}: the data have columns #1 to #{len(names)}", hint)
    return tuple(names[first - 1 : last])


def places_in(patterns: Iterable[str]) -> tuple[int, ...]:
    """The places that patterns name, from 1, in order.

    >>> places_in(["a", "new=#3", "#5-#6:day", "#2=id"])
    (2, 3, 5, 6)
    """
    places: set[int] = set()
    for pattern in patterns:
        for match in filter(None, (re.fullmatch(PLACES, piece.strip()) for piece in re.split("[,=]", pattern))):
            first, last = int(match[1]), int(match[2] or match[1])
            places |= {*range(first, min(last, first + MOST_PLACES) + 1)}
    return tuple(sorted(places))


def _numbered(stem: str, numbers: range, names: Sequence[str], title: str) -> tuple[str, ...]:
    """The columns that are named with a stem and each of the numbers.

    Raises:
        UsageError: there is no number, or one has no column, or several.
    """
    if not numbers:
        raise UsageError(f"{title} names no column: the number behind the colon is the first that is left out")
    form = re.compile(rf"{re.escape(stem)}(?:0*(\d{{1,9}})|\[0*(\d{{1,9}})\])")
    columns: dict[int, list[str]] = {}
    for name in names:
        named = form.fullmatch(name)
        if named:
            columns.setdefault(int(named[1] or named[2]), []).append(name)
    for number in numbers:
        matching = columns.get(number, [])
        if len(matching) != 1:
            what = f"two columns: {', '.join(matching[:2])}" if matching else "no column"
            hint = f"The range is {stem}{numbers[0]} to {stem}{numbers[-1]}: as in Python, without {numbers.stop}."
            raise UsageError(f"{title}: {stem}{number} is {what}", hint)
    return tuple(columns[number][0] for number in numbers)


def pattern_of(family: tuple[str, ...], columns: Sequence[Column]) -> str:
    """The shortest way to name columns: a glob or a range that means just these in this order, else a comma list."""
    if len(family) == 1:
        return family[0]
    places = f"{family[0]}-{family[-1]}"
    if len(family) > LISTED and re.fullmatch(r"#\d+-#\d+", places) and places not in [one.name for one in columns]:
        with contextlib.suppress(UsageError):
            if find(places, columns, "prediction") == family:
                return places
    start = os.path.commonprefix(list(family))  # noqa: RUF071  (characters are what is meant)
    glob = f"{start}*"
    plain = bool(start) and not re.search(r"[][*?,#/=]", start) and glob not in [column.name for column in columns]
    if plain and find(glob, columns, "prediction") == family:
        return glob
    names = [column.name for column in columns]
    first = names.index(family[0]) if len(family) > MANY else 0
    beside = len(family) > MANY and tuple(names[first : first + len(family)]) == family
    return f"#{first + 1}-#{first + len(family)}" if beside else ",".join(family)


def named_in_short(columns: Sequence[str]) -> str:
    """Columns in a sentence: all, or of many the first, the last and how many there are."""
    return ", ".join(columns) if len(columns) <= LISTED else f"{columns[0]} … {columns[-1]} ({len(columns)} columns)"


def _ensure_no_levels(pattern: str, names: Sequence[str]) -> None:
    """Check that a pattern is no columns with a number for each, as in ``q10=0.1,q90=0.9``."""
    told = [part.rpartition("=") for part in pattern.split(",")]
    columns, levels = [column.strip() for column, _, _ in told], [level.strip() for _, _, level in told]
    if {*columns} <= {*names} and all(re.fullmatch(r"0?\.\d+", level) for level in levels):
        loss = f"quantile{'s' * (len(told) > 1)}:tau={'/'.join(levels)}"
        what = f"prediction {pattern!r} says a number for each column, where only columns are named"
        raise UsageError(what, f"Levels are the loss's: {option(prediction=','.join(columns))} {option(loss=loss)}.")


def titled(pattern: str, columns: Sequence[Column]) -> tuple[str, str]:
    """The name that ``name=PATTERN`` gives a model, empty where it gives none, and the pattern.

    A pattern that names columns as it stands, such as ``Class=*``, gives no name.
    """
    names = [column.name for column in (*columns, *fields_in(columns))]
    title, equals, rest = pattern.partition("=")
    parts = (part.strip() for part in pattern.split(","))
    if not equals or pattern.startswith("/") or pattern in names:
        return "", pattern
    _ensure_no_levels(pattern, names)
    if all(part in names or fnmatch.filter(names, part) for part in parts):
        return "", pattern
    if not title.strip():
        raise UsageError(f"prediction {pattern!r} names no model", "Write NAME=COL.")
    return title, rest
