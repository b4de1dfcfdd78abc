"""Whether rows that are matched by their order are in the same order, by the columns that tell them apart."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from lossctl.errors import DataError, option
from lossctl.evaluation.keys import Key, plainly, tells_rows, told_alike
from lossctl.evaluation.shared_keys import key_pairs, numberings, shared_columns, tells_pairs, words_among, words_of
from lossctl.inference.fit import SIGNIFICANT
from lossctl.inference.names import ENDINGS, LABELS, PREDICTIONS, is_guess, is_numbering, plain_name
from lossctl.inference.request import Request
from lossctl.reading.format import Source
from lossctl.words import in_quotes

MOST = 4
"""How many pairs of columns are held against each other."""
SHARED = 8
"""How many columns that both sides have are held against each other, those of words first."""
CLASSES = 20
"""Different words up to which they may be decisions, and those of another model."""
DATE = r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}"
SIDES = ("the predictions", "the labels")


class Both(NamedTuple):
    """What a column holds on both sides."""

    words: list[str | None]
    others: list[str | None]
    text: bool
    """Whether that is text, rather than numbers."""


class OtherOrder(DataError):
    """Rows that are to match by their order are in another one."""


def ensure_same_order(
    predictions: Source,
    labels: Source,
    request: Request,
    called: tuple[str, str] = SIDES,
    roles: Collection[str] = (),
) -> None:
    """Check that nothing tells that the rows are in another order; an `OtherOrder` where something does.

    Args:
        predictions, labels: the two sides.
        request: what is asked of them; columns that have a role may differ.
        called: what messages call them.
        roles: columns that have one, beside those that the request names.
    """
    told = disorder(predictions, labels, request, called, roles)
    if told is not None:
        raise OtherOrder(f"{option(join='order')}: {told[0]}", told[1])


def ensure_same_labels(one: Source, other: Source, label: Key, called: tuple[str, str]) -> None:
    """Check that two columns of labels of rows that match by order are not the same in another one; errors likewise."""
    sides = words_of(one, label.left), words_of(other, label.right)
    if sides[0] is None or sides[1] is None:
        return
    words, others = (plainly(side["id"]).to_pylist() for side in sides if side is not None)
    if words != others and Counter(words) == Counter(others):
        what = _what(label, words, others, called)
        raise OtherOrder(
            f"{option(join='order')}: {what}", f"Match the rows by what tells them apart: {option(ids='COL')}."
        )


def disorder(
    predictions: Source,
    labels: Source,
    request: Request,
    called: tuple[str, str] = SIDES,
    roles: Collection[str] = (),
) -> tuple[str, str] | None:
    """The columns of each side that tell that rows are in another order, and what to do; else ``None``.

    These are ids that hold the same words, each once, and what both sides say of a row: words that are not the same, or
    numbers that are, in another order.

    Arguments are those of `ensure_same_order`.
    """
    if predictions.once or labels.once:
        return None  # it would be gone
    for key in islice((*key_pairs(predictions, labels, request), *numberings(predictions, labels, request)), MOST):
        left, right = words_of(predictions, key.left), words_of(labels, key.right)
        if left is None or right is None:
            continue
        if any(map(is_numbering, (key.left, key.right))) and not tells_pairs(left, right):
            continue
        words, others = (side[0].to_pylist() for side in told_alike(left, right, ("", ""))[:2])
        if len(words) != len(others) or words == others:
            continue
        if len({*words}) == len(words) and {*words} == {*others}:
            return _what(key, words, others, called), f"Match the rows by it: {option(ids=str(key))}."
    names = [name for name in shared_columns(predictions, labels, request) if name not in roles]
    return _unlike(_shared(predictions, labels, names), called)


def unlike_keys(predictions: Source, labels: Source) -> list[Key]:
    """The columns of both sides that may tell which rows match, likeliest first, where rows may not go by their order.

    These are dates, ids by their names, and words each of which is there once, of another name if most are the same.
    None where two are the same in every row, as then the order tells it.
    """
    sides = [_telling(source) for source in (predictions, labels)]
    unlike: list[Key] = []
    for kind, columns in sides[0].items():
        for left, words in columns.items():
            for right, others in sides[1][kind].items():
                one, other, _ = told_alike(pa.table({"id": words}), pa.table({"id": others}), ("", ""))
                if one.equals(other):
                    return []
                if kind != "words" or left == right or _overlap(words, others):
                    unlike.append(Key(left, right))
    return sorted(unlike, key=lambda key: key.left != key.right)[:MOST]


def _telling(source: Source) -> dict[str, dict[str, pa.ChunkedArray]]:
    """The columns of a side that may tell rows apart, as words, by what they hold."""
    known = frozenset().union(*LABELS, *PREDICTIONS)
    names = [column.name for column in source.columns if column.kind in {"text", "other"} or tells_rows(column.name)]
    names = [name for name in names if not is_numbering(name) and plain_name(name) not in known]
    table = words_among(source, names[:SHARED]) if names else None
    telling: dict[str, dict[str, pa.ChunkedArray]] = {"dates": {}, "ids": {}, "words": {}}
    columns = {} if table is None else dict(zip(table.column_names, table.columns, strict=True))
    for name, words in columns.items():
        if tells_rows(name):
            telling["ids"][name] = words
        elif pc.all(pc.match_substring_regex(words, f"^{DATE}")).as_py() and len(words):
            telling["dates"][name] = words
        elif not words.null_count and pc.count_distinct(words).as_py() == len(words):
            telling["words"][name] = words
    return telling


def _overlap(words: pa.ChunkedArray, others: pa.ChunkedArray) -> bool:
    """Whether most of the words of the shorter side are on the other too."""
    return 2 * (pc.sum(pc.is_in(words, value_set=others)).as_py() or 0) > min(len(words), len(others))


def _shared(predictions: Source, labels: Source, names: Sequence[str]) -> dict[str, Both]:
    """What both sides say of a row, in columns that are no predictions by their names; none where all is the same."""
    names = [name for name in names if not is_numbering(name) and not is_guess(name)]
    names = [name for name in names if not plain_name(name).endswith(ENDINGS.prediction)]
    numbers = {column.name for side in (predictions, labels) for column in side.columns if column.kind == "number"}
    names = sorted(names, key=lambda name: name in numbers)[:SHARED]
    left, right = (words_among(source, names) if names else None for source in (predictions, labels))
    if left is None or right is None or left.num_rows != right.num_rows or left.equals(right):
        return {}  # other numbers of rows are another error
    return {
        name: Both(plainly(left[name]).to_pylist(), plainly(right[name]).to_pylist(), name not in numbers)
        for name in names
        if name in left.column_names and name in right.column_names
    }


def _unlike(columns: Mapping[str, Both], called: tuple[str, str]) -> tuple[str, str] | None:
    """As `disorder`, by what both sides say of a row."""
    unlike = [name for name, both in columns.items() if _of_other_rows(both)]
    if not unlike and _is_key(columns, [*columns]):
        left, right = _rows(columns, [*columns])
        if left != right and {*left} == {*right}:
            unlike = [name for name, both in columns.items() if both.words != both.others]
    if not unlike:
        return None
    telling = [name for name, both in columns.items() if both.text or name in unlike]
    choices = (names for names in (unlike[:1], unlike, telling) if _is_key(columns, names))
    keys = next((names for names in choices if set.intersection(*map(set, _rows(columns, names)))), ["COL"])
    by = "what tells them apart" if keys == ["COL"] else "them" if keys[1:] else "it"
    both = columns[unlike[0]]
    what = _what(Key(unlike[0], unlike[0]), both.words, both.others, called)
    return what, f"Match the rows by {by}: {option(ids=','.join(keys))}."


def _rows(columns: Mapping[str, Both], names: Sequence[str]) -> tuple[list[Any], list[Any]]:
    """What stands in some columns of each row, on both sides."""
    left, right = ([columns[name][side] for name in names] for side in (0, 1))
    return [*zip(*left, strict=True)], [*zip(*right, strict=True)]


def _is_key(columns: Mapping[str, Both], names: Sequence[str]) -> bool:
    """Whether some columns tell the rows of each side apart."""
    return bool(names) and all(len({*rows}) == len(rows) for rows in _rows(columns, names))


def _of_other_rows(both: Both) -> bool:
    """Whether what both sides say of their rows tells that these are not the same ones.

    Words of few classes that agree in more rows than by chance may be decisions beside labels, and numbers anything
    unless they are the same in another order.
    """
    words, others, _ = both
    pairs = Counter((one, two) for one, two in zip(words, others, strict=True) if one is not None and two is not None)
    agreed, n = sum(count for (one, two), count in pairs.items() if one == two), pairs.total()
    if agreed == n:
        return False
    own, theirs = Counter(words), Counter(others)
    if own == theirs and len(own) > 2:
        return True
    shared = {*own} & {*theirs}
    dated = both.text and min(len(own), len(theirs)) > 1 and _are_dates((*own, *theirs))
    if dated or not both.text or 2 * len(shared) < min(len(own), len(theirs)):
        return dated
    if len(shared) > CLASSES:
        return True
    chance = sum(own[word] * theirs[word] for word in shared) / len(words) ** 2
    return agreed / n < chance + SIGNIFICANT * math.sqrt(chance * (1.0 - chance) / n)


def _are_dates(words: Iterable[str | None]) -> bool:
    """Whether words are dates, or times, all written in one way."""
    known = [word for word in words if word is not None]
    return all(re.match(DATE, word) for word in known) and len({re.sub(r"\d+", "0", word) for word in known}) == 1


def _what(key: Key, words: Sequence[str | None], others: Sequence[str | None], called: tuple[str, str]) -> str:
    """How columns tell of another order."""
    row = next(row for row, word in enumerate(words) if word != others[row])
    sides = f"{in_quotes(key.left)} of {called[0]} and {in_quotes(key.right)} of {called[1]}"
    same = Counter(words) == Counter(others)
    what = "the rows are in another order" if same else "the rows are not the same"
    hold = "hold the same values, but" if same else "hold"
    return f"{what}: {sides} {hold} {words[row]!r} and {others[row]!r} in row {row + 1:,}"
