"""Whether rows that are matched by their order are in the same order, by the columns that tell them apart."""

from itertools import islice

import pyarrow as pa

from lossctl.errors import DataError, LossctlError, option
from lossctl.evaluation.keys import told_alike
from lossctl.evaluation.running import SERIAL
from lossctl.evaluation.shared_keys import key_pairs
from lossctl.evaluation.traversal import Traversal
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
    for key in islice(key_pairs(predictions, labels, request), MOST):
        left, right = _words(predictions, key.left), _words(labels, key.right)
        if left is None or right is None:
            continue
        words, others = (side[0].to_pylist() for side in told_alike(left, right, ("", ""))[:2])
        if len(words) != len(others) or words == others:
            continue
        if len({*words}) == len(words) and {*words} == {*others}:
            row = next(row for row, word in enumerate(words) if word != others[row])
            what = (
                f"the rows are in another order: {key.left!r} of the predictions and {key.right!r} of the labels hold "
                f"the same values, but {words[row]!r} and {others[row]!r} in row {row + 1:,}"
            )
            return what, f"Match the rows by it: {option(ids=str(key))}."
    return None


def _words(source: Source, name: str) -> pa.Table | None:
    """The cells of a column as a column of text; ``None`` where they cannot be read."""
    wanted = Wanted(frozenset(), frozenset({name}))
    try:
        records = Traversal(narrowed(source, {name}), SERIAL).batches(wanted)
        words = [text_of(takeable(record).column(name), name) for record in records]
    except (BadRow, LossctlError, pa.ArrowException):
        return None  # what cannot be read tells nothing
    return pa.table({"id": pa.chunked_array(words, pa.string())})
