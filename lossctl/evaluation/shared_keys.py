"""The key of a join that nobody names: a column that both sides have, told by its name, else by what is in it."""

from collections.abc import Iterator, Sequence

import numpy as np

from lossctl.evaluation.keys import Key, tells_rows
from lossctl.inference.look import Look
from lossctl.inference.names import LABELS, PREDICTIONS, is_index, is_key, is_unnamed, plain_name
from lossctl.inference.request import Request
from lossctl.inference.roles import find, grouped_columns, titled
from lossctl.reading.format import Source

KINDS = frozenset({"number", "text"})
"""What may be a key."""


def shared_columns(predictions: Source, labels: Source, request: Request) -> tuple[str, ...]:
    """The columns that both sides have, in the order of the predictions, without those of a role and of its names."""
    right = {column.name for column in labels.columns if column.kind in KINDS}
    taken = {name for pattern in request.label for name in find(pattern, labels.columns, "label")}
    models = (titled(pattern, predictions.columns)[1] for pattern in request.prediction)
    taken |= {name for pattern in models for name in find(pattern, predictions.columns, "prediction")}
    taken |= {*grouped_columns(request.by, predictions.columns), *filter(None, [request.weight])}
    known = frozenset().union(*LABELS, *PREDICTIONS)
    shared = tuple(
        column.name
        for column in predictions.columns
        if column.name in right
        and column.kind in KINDS
        and column.name not in taken
        and plain_name(column.name) not in known
    )
    return tuple(name for name in shared if name not in request.cluster) or shared  # many rows are of one cluster


def chosen_key(predictions: Source, labels: Source, shared: Sequence[str]) -> tuple[str, str] | None:
    """The one column among those that both sides have which is their key, and why; ``None`` where it is not clear."""
    indexes = [name for name in shared if is_index(name) and not is_unnamed(name)]
    for named in (indexes, [name for name in shared if is_key(name)], [name for name in shared if is_index(name)]):
        if named:
            return (named[0], "by name") if len(named) == 1 else None
    keys = [name for name in shared if _could_be(predictions, name) and _could_be(labels, name)]
    return (keys[0], "because no other column of both could be one") if len(keys) == 1 else None


def possible_keys(shared: Sequence[str]) -> list[tuple[str, ...]]:
    """What the key could be, likeliest first: each column that is called like one, all of these, each other, all."""
    keys = [name for name in shared if is_key(name)]
    choices = [*((name,) for name in keys), tuple(keys), *((name,) for name in shared), tuple(shared)]
    return [*filter(None, dict.fromkeys(choices))]


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
