"""Classes, and the columns that are named for them."""

import itertools
import os
import re
from collections.abc import Collection, Iterator, Sequence

from lossctl.errors import UsageError, option
from lossctl.reading.cells import class_number

Names = tuple[str, ...]
"""What each column of a vector is named for, in the order of the columns."""

_WORD = r"\d+(?:\.\d*(?![^\W_]))?|[A-Z]*[^\W\d_A-Z]+|[A-Z]+|[\W_]"
"""A number, a word (``probSetosa`` is two), or a sign between them."""
_BETWEEN = frozenset(" _.-:=/|,;()[]{}'\"\t")
"""Signs between a class and what else a name says."""
MOST = 8
"""How many readings of names there may be, for each end of a name."""
DECIDED = 20
"""How many different decisions there may be."""
_PLACE = r"#[1-9]\d*((?: \(.*\))*)"
"""What a column is called that has no name: where the column stands, perhaps of whom, and nothing of a class."""
YES_AND_NO = {"no": 0.0, "yes": 1.0, "neg": 0.0, "pos": 1.0, "negative": 0.0, "positive": 1.0}
"""What is said of 0 and 1 by the names of two columns."""
SHOWN = 12
"""How many columns a message lists."""


def key_of(name: str) -> str | int:
    """What the name of a class is compared by: a number as a number, a word in any case.

    >>> key_of("01") == key_of("1.0") == 1, key_of("Setosa ")
    (True, 'setosa')
    """
    number = class_number(name.strip())
    return name.strip().casefold() if number is None else number


def class_names(columns: Sequence[str]) -> list[Names]:
    """The names that classes may have by the columns of a vector, shortest first; none of one column.

    That is what is left of them without the words that all share in front and behind.

    >>> class_names(("p_very_bad", "p_very_good"))
    [('bad', 'good'), ('very_bad', 'very_good'), ('p_very_bad', 'p_very_good')]
    >>> class_names(("Probability:Class=1", "Probability:Class=2"))[0]
    ('1', '2')
    """
    return [choice for choice in _rests(columns) if all(map(_is_class, choice)) or choice == tuple(columns)]


def are_places(columns: Sequence[str]) -> bool:
    """Whether columns are all called by the places where they stand, beside others each as those of one model.

    >>> are_places(["#1", "#2"]), are_places(["#1 (new)", "#2 (new)"]), are_places(["#1 (cat)", "#2 (dog)"])
    (True, True, False)
    """
    places = [re.fullmatch(_PLACE, column) for column in columns]
    return all(places) and len({place[1] for place in places if place}) == 1


def _are_names(columns: Sequence[str]) -> bool:
    """Whether columns of a vector have names, which may say their classes."""
    return len(columns) > 1 and not are_places(columns)


def _rests(columns: Sequence[str]) -> list[Names]:
    """What is left of columns without some of the words that all share in front and behind, shortest first."""
    if not _are_names(columns):
        return []
    names, front, behind = _words(columns)
    choices = (
        tuple("".join(words[cut : len(words) - end]).strip() for words in names)
        for cut in _counts_down(front)
        for end in _counts_down(min(behind, min(map(len, names)) - 1 - cut))
        if not _ends_with_a_sign(names[0][:cut])
    )
    return [*dict.fromkeys(choices)]


def _counts_down(most: int) -> list[int]:
    """How many of the words that are shared to leave out: all, a few less, none."""
    return [*range(most, max(most - MOST, 0), -1), 0]


def _ends_with_a_sign(words: Sequence[str]) -> bool:
    """Whether what is left out ends with the sign of a number, as in ``p_-1``, rather than a dash between words."""
    return words[-1:] == ["-"] and (len(words) == 1 or words[-2] in _BETWEEN)


def loose_names(columns: Sequence[str]) -> list[Names]:
    """What columns may say of classes beside other things that differ: their first words, last words and ends."""
    if not _are_names(columns):
        return []
    names, front, behind = _words(columns)
    rest = [words[front : max(len(words) - behind, front + 1)] for words in names]
    prefix = len(os.path.commonprefix(list(columns)))  # noqa: RUF071  (characters are what is meant)
    return [tuple(words[0] for words in rest), tuple(words[-1] for words in rest), tuple(c[prefix:] for c in columns)]


def respelled(names: Names, words: Collection[str]) -> Names | None:
    """Names as labels write them, in other capitals; ``None`` where some label is no name, or numbers are among them.

    Of names that no label has yet, in the capitals that all others are changed to.

    >>> respelled(("Cat", "Dog", "Very Good"), {"cat", "very good"})
    ('cat', 'dog', 'very good')
    """
    keys, written = [*map(key_of, names)], {key_of(word): word for word in words}
    if not {*written} <= {*keys} or len({*keys}) < len(keys) or len(written) < len(words):
        return None
    if not written or any(isinstance(key, int) for key in keys):
        return None
    pairs = [(name, written[key]) for name, key in zip(names, keys, strict=True) if key in written]
    styles = (str.lower, str.upper, str.title, str.capitalize)
    style = next((style for style in styles if all(style(name) == word for name, word in pairs)), str)
    return tuple(written.get(key, style(name)) for name, key in zip(names, keys, strict=True))


def affixed(names: Names, words: Collection[str]) -> Names | None:
    """Names with what stands in front of and behind them in all of some words; ``None`` where that is not the same.

    >>> affixed(("cat", "dog", "eel"), {"class cat", "class dog"})
    ('class cat', 'class dog', 'class eel')
    """
    written = {word.casefold(): word for word in words}
    first = next(iter(written.values()), "")
    readings = set()
    for name in names:
        for place in _places(first.casefold(), name.casefold()):
            every = tuple(f"{first[:place]}{other}{first[place + len(name) :]}" for other in names)
            if {*written} <= {other.casefold() for other in every}:
                readings.add(tuple(written.get(other.casefold(), other) for other in every))
    return readings.pop() if len(readings) == 1 else None


def framed(classes: Collection[str], columns: Sequence[str]) -> list[Names]:
    """What is left of columns without one beginning and one end of all, where every class is the rest of a column.

    Both may end within a word, and within a number where every rest is one of the classes.

    >>> framed(["A+", "A"], ["gradeA_p", "gradeA+_p", "gradeA-_p"])
    [('A', 'A+', 'A-')]
    """
    if not classes or not _are_names(columns):
        return []
    front, behind = (len(os.path.commonprefix(names)) for names in (list(columns), [name[::-1] for name in columns]))  # noqa: RUF071
    word, rests = next(iter(classes)), []
    for column in columns:
        for cut in range(front + 1):
            end = len(column) - cut - len(word)
            if 0 <= end <= behind and column.startswith(word, cut):
                names = tuple(name[cut : len(name) - end] for name in columns)
                cuts = any(map(_cuts_a_number, columns, itertools.repeat(cut), names))
                if {*classes} <= {*names} and (len({*classes}) == len(columns) or not cuts):
                    rests.append(names)
    return [*dict.fromkeys(rests)]


def _cuts_a_number(column: str, cut: int, name: str) -> bool:
    """Whether a name begins or ends within a number of the column that it stands in from a place on."""
    end = cut + len(name)
    return any(column[max(place - 1, 0) : place + 1].isdecimal() and 0 < place < len(column) for place in (cut, end))


def words_of(name: str) -> list[str]:
    """The words, numbers and signs of a name, in its order."""
    return re.findall(_WORD, name)


def _words(columns: Sequence[str]) -> tuple[list[list[str]], int, int]:
    """The words of each name, and how many all share in front and behind; one is left of each name."""
    names = [words_of(name) or [name] for name in columns]
    front = min(_shared(names), min(map(len, names)) - 1)
    return names, front, _shared([words[::-1] for words in names])


def _shared(names: Sequence[Sequence[str]]) -> int:
    """How many words all names begin with, in any case."""
    alike = itertools.takewhile(lambda words: len({word.casefold() for word in words}) == 1, zip(*names, strict=False))
    return sum(1 for _ in alike)


def _is_class(name: str) -> bool:
    """Whether that may be the name of a class, rather than a piece of one."""
    if class_number(name) is not None:
        return True
    return any(map(str.isalnum, name)) and name[0] not in _BETWEEN and name[-1] not in _BETWEEN


def are_numbers(names: Sequence[str]) -> bool:
    """Whether all names are whole numbers."""
    return all(class_number(name) is not None for name in names)


def are_in_a_row(names: Sequence[str]) -> bool:
    """Whether names are numbers each of which is one more than that before."""
    numbers = [class_number(name) for name in names]
    return None not in numbers and numbers == [*range(numbers[0] or 0, (numbers[0] or 0) + len(numbers))]


def counted_from(names: Sequence[str]) -> int | None:
    """The first of names that are the numbers from 0 or from 1 on, in order; ``None`` of others.

    >>> counted_from(("0", "1", "2")), counted_from(("1", "2")), counted_from(("2", "3")), counted_from(("1", "0"))
    (0, 1, None, None)
    """
    numbers = [*map(class_number, names)]
    return next((start for start in (0, 1) if numbers == [*range(start, start + len(names))]), None)


def are_counted(columns: Sequence[str]) -> bool:
    """Whether the names of columns, less what all share, only count them."""
    return any(counted_from(names) is not None for names in class_names(columns))


def refuse_other_numbers(columns: Sequence[str]) -> None:
    """Check that columns whose classes are to be taken by their positions from 0 carry no other numbers.

    Of two columns, yes and no are such.

    Raises:
        UsageError: they do, as ``class1_cat, class2_dog``, or ``p_yes, p_no``.
    """
    for names in (*class_names(columns), *loose_names(columns)):
        said = [*map(_number, names)]
        if len(names) == 2 and {*map(str.casefold, names)} <= {*YES_AND_NO}:
            said = [YES_AND_NO[name.casefold()] for name in names]
        numbers = {place: number for place, number in enumerate(said) if number is not None}
        if len({*numbers.values()}) == 1 < len(numbers):
            continue  # all say the same
        if any(place != number for place, number in numbers.items()):
            named = [columns[place] for place in numbers]
            raise UsageError(
                f"the names of the columns say other classes than their positions: "
                f"{mapping(named, [names[place] for place in numbers])}, but by position "
                f"{mapping(named, [*map(str, numbers)])}",
                f"Rename them, or name the classes in the order of the labels: {option(classes='a,b,c')}.",
            )


def _number(name: str) -> float | None:
    """The number that a name is, whole or not; 1 for true and 0 for false."""
    number = class_number(name)
    if number is None and re.fullmatch(r"[-+]?\d+(\.\d*)?", name):
        return float(name)
    return number


def match_classes(classes: Sequence[str], columns: Sequence[str]) -> Names | None:
    """The columns in the order of the classes that they are named for; ``None`` when no column is named for one.

    Names that only count the columns name none where the classes are as many other numbers.

    Raises:
        UsageError: some classes have a column, and others none or several; or the names can be read in two ways.
    """
    for choices in (_certain_names, lambda _, columns: loose_names(columns), lambda *both: [within(*both)]):
        readings = choices(classes, columns)
        orders = {order for names in readings if (order := _ordered(classes, columns, names)) is not None}
        if len(orders) > 1:
            first, second, *_ = sorted(orders)
            what = f"the columns can be read as two orders of the classes {', '.join(classes[:SHOWN])}"
            raise UsageError(f"{what}: {mapping(first, classes)}, or {mapping(second, classes)}", "Rename the columns.")
        if orders:
            return orders.pop()
    keys = {key_of(name) for name in classes}
    named = max(class_names(columns), key=lambda names: len(keys & {*map(key_of, names)}), default=())
    if keys.isdisjoint(map(key_of, named)):
        named = within(classes, columns)
    numbered = are_counted(columns) and are_numbers(classes) and len(keys) == len(columns)
    if keys.isdisjoint(map(key_of, named)) or numbered:
        return None
    hint = f"The columns are named for classes: {mapping(columns, [other or '?' for other in named])}."
    for name in classes:
        matching = [column for column, other in zip(columns, named, strict=True) if key_of(other) == key_of(name)]
        if len(matching) != 1:
            what = f"several columns: {', '.join(matching)}" if matching else "no column"
            raise UsageError(f"class {name!r} has {what}", hint)
    raise UsageError(f"the classes {', '.join(classes[:SHOWN])} are not one a column", hint)


def _certain_names(classes: Sequence[str], columns: Sequence[str]) -> list[Names]:
    """What is left of columns without what all share, as words and where only the classes are left."""
    folded = framed([name.strip().casefold() for name in classes], [column.casefold() for column in columns])
    return [*class_names(columns), *framed(classes, columns), *folded]


def within(classes: Sequence[str], columns: Sequence[str]) -> Names:
    """The one class that stands in each column between signs, and not in all; empty where there is none.

    Of classes that stand in one another it is the longest.
    """
    if are_places(columns):
        return ("",) * len(columns)
    words = {name: name.strip().casefold() for name in classes}
    texts = [column.casefold() for column in columns]
    standing = [[name for name, word in words.items() if word in text and _stands_in(text, word)] for text in texts]
    everywhere = set(classes).intersection(*standing) if len(columns) > 1 else set()
    return tuple(max({*names} - everywhere, key=len, default="") for names in standing)


def _stands_in(text: str, word: str) -> bool:
    """Whether a word stands in a text with a sign or nothing before and behind."""
    return any(True for _ in _places(text, word))


def _places(text: str, word: str) -> Iterator[int]:
    """Where a word stands in a text with a sign or nothing before and behind."""
    place = text.find(word) if word else -1
    while place >= 0:
        before, behind = text[place - 1 : place] if place else "", text[place + len(word) :][:1]
        if not any(sign.isascii() and sign.isalnum() for sign in (before, behind)):
            yield place
        place = text.find(word, place + 1)


def _ordered(classes: Sequence[str], columns: Sequence[str], names: Names) -> Names | None:
    """The columns in the order of classes, if each class is the name of just one of them."""
    wanted, held = [*map(key_of, classes)], [*map(key_of, names)]
    if len({*wanted}) < len(wanted):  # such as 1 and 01, which are told apart where labels are text
        wanted, held = [*classes], [*names]
    if sorted(map(str, wanted)) != sorted(map(str, held)) or len({*held}) < len(held):
        return None
    return tuple(columns[held.index(name)] for name in wanted)


def in_order_of(first: Sequence[str], second: Sequence[str]) -> Names | None:
    """The second columns in the order of the first that are named for the same; ``None`` where names do not tell it.

    Raises:
        UsageError: some are named for the same, and others not.
    """
    readings = [*loose_names(second), *reversed(class_names(second))]  # the shortest last: it holds
    by_keys = {frozenset(map(key_of, theirs)): theirs for theirs in readings}
    for ours in (*class_names(first), *loose_names(first)):
        order = _ordered(ours, second, by_keys.get(frozenset(map(key_of, ours)), ()))
        if order is not None:
            return order
    pairs = [(ours, theirs) for ours in _rests(first) for theirs in framed(ours, second)]
    pairs += [(ours, theirs) for theirs in _rests(second) for ours in framed(theirs, first)]
    for ours, theirs in pairs:
        order = _ordered(ours, second, theirs)
        if order is not None:
            return order
    ours, theirs = (next(iter(class_names(columns)), ()) for columns in (first, second))
    if not {*map(key_of, ours)}.isdisjoint(map(key_of, theirs)):
        raise UsageError(
            f"columns are named for different classes: {mapping(first, ours)}, but {mapping(second, theirs)}",
            "Name those that belong together alike.",
        )
    return None


def mapping(columns: Sequence[str], names: Sequence[str]) -> str:
    """Which column is which class, for messages."""
    pairs = [f"{column} = {name}" for column, name in zip(columns, names, strict=True)]
    return ", ".join(pairs[:SHOWN]) + (", …" if len(pairs) > SHOWN else "")
