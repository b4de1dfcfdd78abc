"""Whether rows that are matched by their order are in the same order, by the columns that tell them apart."""

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from lossctl.errors import DataError, LossctlError, option
from lossctl.evaluation.running import SERIAL
from lossctl.evaluation.shared_keys import KINDS, shared_columns
from lossctl.evaluation.traversal import Traversal
from lossctl.inference.names import is_index, is_key, is_unnamed
from lossctl.inference.request import Request
from lossctl.reading.cells import BadRow, text_of
from lossctl.reading.files import narrowed
from lossctl.reading.format import Source, Wanted
from lossctl.reading.storage import takeable

MOST = 4
"""How many pairs of columns are held against each other."""


def ensure_same_order(predictions: Source, labels: Source, request: Request) -> None:
    """Check that nothing tells that the rows are in another order; a `DataError` where something does."""
    told = disorder(predictions, labels, request)
    if told is not None:
        raise DataError(f"{option(join='order')}: {told[0]}", told[1])


def disorder(predictions: Source, labels: Source, request: Request) -> tuple[str, str] | None:
    """The columns of each side that hold the same words, each once, in another order, and what to do; else ``None``."""
    if predictions.once or labels.once:
        return None  # it would be gone
    for left, right in islice(_pairs(predictions, labels, request), MOST):
        words, others = _words(predictions, left), _words(labels, right)
        if words is None or others is None or len(words) != len(others) or words == others:
            continue
        if len({*words}) == len(words) and {*words} == {*others}:
            row = next(row for row, word in enumerate(words) if word != others[row])
            what = (
                f"the rows are in another order: {left!r} of the predictions and {right!r} of the labels hold the same "
                f"values, but {words[row]!r} and {others[row]!r} in row {row + 1:,}"
            )
            name = "" if left == right else "Give that column one name in both. "
            return what, f"{name}Match the rows by it: {option(ids=right)}."
    return None


def _pairs(predictions: Source, labels: Source, request: Request) -> Iterator[tuple[str, str]]:
    """The columns of both sides that tell rows apart by what they are called: first those of one name."""
    shared = [name for name in shared_columns(predictions, labels, request) if _is_key(name)]
    yield from zip(shared, shared, strict=True)
    sides = [
        [column.name for column in source.columns if column.kind in KINDS and _is_key(column.name)]
        for source in (predictions, labels)
    ]
    if not shared:
        yield from ((left, right) for left in sides[0] for right in sides[1])


def _is_key(name: str) -> bool:
    return is_key(name) or (is_index(name) and not is_unnamed(name))


def _words(source: Source, name: str) -> list[str | None] | None:
    """The cells of a column as text; ``None`` where they cannot be read."""
    wanted = Wanted(frozenset(), frozenset({name}))
    words: list[str | None] = []
    try:
        for record in Traversal(narrowed(source, {name}), SERIAL).batches(wanted):
            words += text_of(takeable(record).column(name), name).to_pylist()
    except (BadRow, LossctlError, pa.ArrowException):
        return None  # what cannot be read tells nothing
    return words
