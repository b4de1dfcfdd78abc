"""Columns that are alike but for one word of their names: the classes of one model or of several, the members."""

import re
from collections.abc import Collection, Sequence

from lossctl.inference.classes import class_names, key_of, words_of
from lossctl.inference.names import stem_of
from lossctl.inference.patterns import find, in_order
from lossctl.reading.columns import Column

MOST_WORDS = 24
"""Words of a name up to which a class is looked for in it."""


def of_classes(names: Sequence[str], classes: Collection[str | int]) -> list[tuple[str, ...]]:
    """The columns that are named for all of some classes, those together that are named alike otherwise.

    Beside numbers that are classes others are taken along: that of a class may be missing among the labels.

    Args:
        names: the columns.
        classes: the classes as `key_of` compares them, two or more.

    >>> of_classes(["old_cat", "old_dog", "new_cat", "new_dog", "price"], {"cat", "dog"})
    [('old_cat', 'old_dog'), ('new_cat', 'new_dog')]
    """
    frames: dict[tuple[str, str], dict[str | int, str]] = {}
    numbers = all(isinstance(key, int) for key in classes)
    for name in names:
        words = words_of(name)
        for start in range(len(words)) if len(words) <= MOST_WORDS else ():
            for stop in range(start + 1, len(words) + 1):
                key = key_of("".join(words[start:stop]))
                if key in classes or (numbers and isinstance(key, int)):
                    frame = "".join(words[:start]), "".join(words[stop:])
                    frames.setdefault(frame, {}).setdefault(key, name)
    families = [tuple(columns.values()) for columns in frames.values() if {*classes} <= {*columns}]
    return [*dict.fromkeys(family for family in families if len({*family}) == len(family) > 1)]


def of_variants(names: Sequence[str], classes: Collection[str | int]) -> list[tuple[str, ...]]:
    """As `of_classes`, where columns may leave out words that all classes share: ``p_cat`` of ``class cat``."""
    words = [*map(str, classes)]
    variants = [classes, *({*map(key_of, rest)} for rest in class_names(words))]
    return next((families for each in variants if (families := of_classes(names, each))), [])


def grids(names: Sequence[str]) -> list[tuple[str, ...]]:
    """The columns of two or more beginnings, or of ends, that stand before or behind the same names, two or more.

    >>> grids(["a_cat", "a_dog", "price", "b_cat", "b_dog"])
    [('a_cat', 'a_dog'), ('b_cat', 'b_dog')]
    """
    best: list[tuple[str, ...]] = []
    for turn in (1, -1):
        ends: dict[str, dict[str, str]] = {}
        for name in names:
            words = words_of(name)[::turn]
            for cut in range(1, len(words)) if len(words) <= MOST_WORDS else ():
                ends.setdefault("".join(words[:cut][::turn]), {})["".join(words[cut:][::turn])] = name
        same: dict[frozenset[str], list[tuple[str, ...]]] = {}
        for rests in ends.values():
            same.setdefault(frozenset(rests), []).append(tuple(rests.values()))
        several = [families for rests, families in same.items() if len(rests) > 1 and len(families) > 1]
        best = max((best, *map(apart, several)), key=lambda families: sum(map(len, families)))
    return best


def apart(families: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Those that share no column with one before."""
    taken, chosen = set[str](), []
    for family in families:
        if taken.isdisjoint(family):
            taken |= {*family}
            chosen.append(family)
    return chosen


def numbered(names: Sequence[str]) -> list[tuple[str, ...]]:
    """The columns that differ in one number alone, two or more together.

    >>> numbered(["z0", "z1", "price", "m_2", "m_10"])
    [('z0', 'z1'), ('m_2', 'm_10')]
    """
    families: dict[tuple[str, str], list[str]] = {}
    for name in names:
        told = re.fullmatch(r"(.*?[^\W\d].*?|[^\W\d])(\d{1,6})(\D*)", name)
        if told:
            families.setdefault((told[1], told[3]), []).append(name)
    return [in_order(family) for family in families.values() if len(family) > 1]


def widened(family: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The columns that are named like some in front and behind, these among them; none where that says nothing."""
    front, back = _shared(family), _shared([name[::-1] for name in family])[::-1]
    framed = (name for name in names if name.startswith(front) and name.endswith(back))
    return tuple(framed) if front or back else ()


def named_models(families: Sequence[tuple[str, ...]], columns: Sequence[Column]) -> tuple[str, ...]:
    """How to name the columns of each of several models: ``old=old_*``."""
    fronts = [_shared(family) for family in families]
    backs = [_shared([name[::-1] for name in family])[::-1] for family in families]
    both = ["_".join(ends) for ends in zip(fronts, backs, strict=True)]
    readings = ([*map(_title, ends)] for ends in (fronts, backs, both))
    titles = next((each for each in readings if all(each) and len({*each}) == len(each)), [""] * len(families))
    globs = map(_pattern, fronts, backs, families, (columns for _ in families))
    return tuple(f"{title}={glob}" if title else glob for title, glob in zip(titles, globs, strict=True))


def _title(end: str) -> str:
    """What a model is called: what is left of the words that all its columns share, less those for predictions."""
    words = [word for word in re.split(r"[\W_]+", end) if word]
    telling = [word for word in words if not stem_of(f"{word}_x")]
    return "_".join(telling or words)


def _shared(names: Sequence[str]) -> str:
    """What names begin with, up to a sign or the end of a word."""
    first, last = min(names), max(names)
    size = next((place for place, sign in enumerate(first) if last[place : place + 1] != sign), len(first))
    start = first[:size]
    while start and any(_in_word(start[-1], name[len(start) :][:1]) for name in names):
        start = start[:-1]
    return start


def _in_word(before: str, behind: str) -> bool:
    """Whether two signs stand in one word, or in one number."""
    return before.isalnum() and behind.isalnum() and before.isdigit() == behind.isdigit()


def _pattern(front: str, back: str, family: tuple[str, ...], columns: Sequence[Column]) -> str:
    """A glob that means just these columns, else a comma list."""
    for glob in (f"{front}*", f"*{back}", f"{front}*{back}"):
        plain = not re.search(r"[][?,#/=]", glob) and glob.strip("*") and glob not in [each.name for each in columns]
        if plain and {*find(glob, columns, "prediction")} == {*family}:
            return glob
    return ",".join(family)
