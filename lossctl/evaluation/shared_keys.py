"""The key of a join that nobody names: a column that both sides have, told by its name, else by what is in it."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lossctl.arrow import in_arrow, in_numpy
from lossctl.errors import LossctlError, option
from lossctl.evaluation.keys import Key, plainly, tells_rows, told_alike
from lossctl.evaluation.running import SERIAL
from lossctl.evaluation.traversal import Traversal
from lossctl.inference.look import Look
from lossctl.inference.names import LABELS, PREDICTIONS, is_index, is_key, is_numbering, is_unnamed, plain_name
from lossctl.inference.patterns import find, titled
from lossctl.inference.request import Request, Settings
from lossctl.inference.roles import grouped_columns
from lossctl.reading.cells import BadRow, text_of
from lossctl.reading.files import narrowed
from lossctl.reading.format import Source, Wanted
from lossctl.reading.storage import takeable
from lossctl.words import called

KINDS = frozenset({"number", "text", "other"})
"""What may be a key: of others, dates."""
SHOWN = 3
"""How many numbers of rows a message shows."""


def shared_columns(predictions: Source, labels: Source, request: Request) -> tuple[str, ...]:
    """The columns that both sides have, in the order of the predictions, without those of a role and of its names."""
    right = {column.name for column in labels.columns if column.kind in KINDS}
    taken = {name for pattern in request.label for name in find(pattern, labels.columns, "label")}
    models = (titled(pattern, predictions.columns)[1] for pattern in request.prediction)
    taken |= {name for pattern in models for name in find(pattern, predictions.columns, "prediction")}
    taken |= {*filter(None, [request.weight])}
    known = frozenset().union(*LABELS, *PREDICTIONS)
    shared = tuple(
        column.name
        for column in predictions.columns
        if column.name in right
        and column.kind in KINDS
        and column.name not in taken
        and plain_name(column.name) not in known
    )
    grouped = grouped_columns(request.by, predictions.columns)  # many rows are of one group, or cluster
    shared = tuple(name for name in shared if name not in grouped) or shared
    return tuple(name for name in shared if name not in request.cluster) or shared


def chosen_key(predictions: Source, labels: Source, shared: Sequence[str], how: str) -> tuple[str, str] | None:
    """The one column among those that both sides have which is their key, and why; ``None`` where it is not clear.

    Numbers of rows that a program writes of itself are none by their name: they may count the rows of each file.

    Args:
        predictions, labels: the two sides.
        shared: the columns that both have.
        how: as for a join.
    """
    named = [name for name in shared if not is_numbering(name)]
    for keys in ([name for name in named if is_index(name)], [name for name in named if is_key(name)]):
        if keys:
            alone = len(keys) == 1 and not _is_part(predictions, labels, keys[0], named)
            return (keys[0], "by name") if alone else None
    numbers = [name for name in shared if is_numbering(name)]
    told = [name for name in numbers if _is_key(predictions, labels, name, how)]
    if told:
        return (told[0], "because it has the same values on both sides") if len(told) == 1 else None
    keys = [name for name in named if _could_be(predictions, name) and _could_be(labels, name)]
    return (keys[0], "because no other column of both could be one") if len(keys) == 1 else None


def possible_keys(shared: Sequence[str], pairs: Iterable[Key] = ()) -> list[tuple[str, ...]]:
    """What the key could be, likeliest first, and nothing for the order of the rows.

    Each column that is called like one, all of these, each other, the first ones, all; pairs of other names; the order;
    and numbers of rows that a program writes of itself.
    """
    named = [name for name in shared if not is_numbering(name)]
    keys = [name for name in named if is_key(name)]
    choices = [*((name,) for name in keys), tuple(keys), *((name,) for name in named)]
    choices += [*(tuple(named[:several]) for several in (2, 3)), tuple(named)]
    choices = [*filter(None, choices), *((str(key),) for key in pairs), ()]
    return [*dict.fromkeys([*choices, *((name,) for name in shared if is_numbering(name))])]


def what_is_open(shared: Sequence[str], left: Source, right: Source) -> str:
    """Between which columns it is open what is the key."""
    if not shared:
        return "they share no column that could be it"
    if len(shared) == 1 and not is_numbering(shared[0]):
        return f"only {called(shared[0])} could be it{_why_not(shared[0], left, right)}"
    if not all(map(is_numbering, shared)):
        return f"several columns could be it: {', '.join(map(called, shared))}"
    name = shared[0]
    sides = [(source, words_of(source, name)) for source in (left, right)]
    begins = [
        f"{', '.join(map(str, words['id'][:SHOWN].to_pylist()))}, … in {' '.join(source.files) or 'a table'}"
        for source, words in sides
        if words is not None
    ]
    told = f" ({' and '.join(begins)})" if len(begins) == len(sides) else ""
    return f"{called(name)} may be it, or may only count the rows of each file{told}"


def _why_not(name: str, left: Source, right: Source) -> str:
    """Why a column that both sides have tells no rows apart; empty where it does."""
    for source in (left, right):
        words = words_of(source, name)
        cells = None if words is None else words.column(0)
        where = " ".join(source.files) or "a table"
        if cells is not None and cells.null_count:
            return f", and is null in {cells.null_count} of the rows of {where}"
        if cells is not None and pc.count_distinct(cells).as_py() < len(cells):
            counts = pc.value_counts(cells)
            often = counts[int(np.argmax(in_numpy(counts.field("counts"))))].as_py()
            return f", and {often['values']!r} stands in {often['counts']} rows of {where}"
    return ""


def caution(ways: Iterable[Settings]) -> str:
    """What is said of ways to go on among which is that by the order of rows; empty where it is not."""
    offered = any(("join", "order") in way for way in ways)
    return f"; {option(join='order')} is right only where the rows stand in the same order in all" if offered else ""


def order_or_numbers(shared: Sequence[str], key: Key | None = None) -> str:
    """What to do where nothing tells more, but perhaps what may be the key."""
    advice = f"If rows stand in the same order in all, and only then: {option(join='order')}."
    if key is not None:
        return f"If it is {called(str(key))}: {option(ids=str(key))}. {advice}"
    name = next(filter(is_numbering, shared), None)
    return advice if name is None else f"{advice} If {called(name)} tells them apart: {option(ids=name)}."


def numberings(predictions: Source, labels: Source, request: Request) -> Iterator[Key]:
    """The columns of both sides that have no name."""
    yield from (Key(name, name) for name in shared_columns(predictions, labels, request) if is_unnamed(name))


def tells_pairs(left: pa.Table, right: pa.Table, how: str = "strict") -> bool:
    """Whether numbers of rows on two sides can be nothing but a key.

    They are each there once and the same on both sides (or, unless the join is strict, one side has more), and either
    in the same order or on neither side counted from 0 or 1, as a program does that knows nothing of the rows.

    Args:
        left, right: a column of text each, by the same name.
        how: as for a join.
    """
    left, right, _ = told_alike(left, right, ("", ""))
    words, others = left.column(0), right.column(0)
    if any(side.null_count or pc.count_distinct(side).as_py() < len(side) for side in (words, others)):
        return False
    if words.equals(others):
        return True
    if _counts(words) or _counts(others):
        return False
    inside = [pc.all(pc.is_in(one, value_set=two)).as_py() for one, two in ((words, others), (others, words))]
    return all(inside) if how == "strict" else any(inside)


def _counts(words: pa.ChunkedArray) -> bool:
    """Whether words are the numbers from 0 or 1 on, in their order."""
    plain = plainly(words)
    rows = np.arange(len(words) + 1)
    return any(plain.equals(pa.chunked_array([in_arrow(run).cast(pa.string())])) for run in (rows[:-1], rows[1:]))


def _is_key(predictions: Source, labels: Source, name: str, how: str) -> bool:
    """Whether numbers of rows of two data sets can be nothing but a key, as far as they can be looked at."""
    left, right = words_of(predictions, name), words_of(labels, name)
    return left is not None and right is not None and tells_pairs(left, right, how)


def _is_part(predictions: Source, labels: Source, name: str, shared: Sequence[str]) -> bool:
    """Whether a column is the key only together with others that both sides have."""
    candidate = Look(predictions, {name}).candidate(name) if len(shared) > 1 else None
    if candidate is None or candidate.content.nulls:
        return False
    counts = candidate.content.words.counts if candidate.kind == "text" else None
    repeated = max((counts or {}).values(), default=0) > 1 or np.any(candidate.content.numbers.counts > 1)
    several = ([Key(each, each) for each in keys] for keys in possible_keys(shared) if len(keys) > 1 and name in keys)
    return bool(repeated) and any(match_most(predictions, labels, keys) for keys in several)


def match_most(predictions: Source, labels: Source, keys: Sequence[Key]) -> bool:
    """Whether columns tell the rows of each side apart, and most rows of the shorter one are in the other too."""
    left = words_among(predictions, [key.left for key in keys])
    right = words_among(labels, [key.right for key in keys])
    if left is None or right is None or not left.num_columns == right.num_columns == len(keys):
        return False
    sides = [[*zip(*(plainly(column).to_pylist() for column in side.columns), strict=True)] for side in (left, right)]
    rows = [{*side} for side in sides]
    distinct = all(len(each) == len(side) for each, side in zip(rows, sides, strict=True))
    return distinct and 2 * len(rows[0] & rows[1]) > min(map(len, rows))


def words_of(source: Source, name: str) -> pa.Table | None:
    """The cells of a column as a column of text, ``id``; ``None`` where they cannot be read, or only once."""
    words = words_among(source, [name])
    return words.rename_columns(["id"]) if words is not None and words.num_columns else None


def words_among(source: Source, names: Sequence[str]) -> pa.Table | None:
    """The cells of those of some columns that can be text, in one pass; ``None`` where it cannot be read again."""
    if source.once:
        return None  # it would be gone
    words: dict[str, list[pa.Array]] = {name: [] for name in names}
    try:
        for record in Traversal(narrowed(source, {*names}), SERIAL).batches(Wanted(frozenset(), frozenset(names))):
            cells = takeable(record)
            for name in [*words]:
                try:
                    words[name].append(text_of(cells.column(name), name))
                except BadRow:
                    del words[name]
    except (LossctlError, pa.ArrowException):
        return None  # what cannot be read tells nothing
    return pa.table({name: pa.chunked_array(parts, pa.string()) for name, parts in words.items()})


def key_pairs(predictions: Source, labels: Source, request: Request) -> Iterator[Key]:
    """The columns of both sides that tell rows apart by what they are called: those of one name, or each of others."""
    shared = [name for name in shared_columns(predictions, labels, request) if tells_rows(name)]
    yield from (Key(name, name) for name in shared)
    sides = [
        [column.name for column in source.columns if column.kind in KINDS and tells_rows(column.name)]
        for source in (predictions, labels)
    ]
    if not shared:
        yield from (Key(left, right) for left in sides[0] for right in sides[1])


def _could_be(source: Source, name: str) -> bool:
    """Whether a column holds words or whole numbers, each once as far as was looked; a value has fractions."""
    candidate = next((column for column in Look(source).candidates if column.name == name), None)
    if candidate is None or candidate.content.nulls:
        return False
    if candidate.kind == "text":
        counts = candidate.content.words.counts
        return counts is None or all(times == 1 for times in counts.values())
    values = candidate.content.numbers
    return bool(values.n) and not np.any(values.values % 1) and bool(np.all(values.counts == 1))
