"""Whether rows that are matched by their order are in the same order, by the columns that tell them apart."""

from itertools import islice

from lossctl.errors import DataError, option
from lossctl.evaluation.keys import told_alike
from lossctl.evaluation.shared_keys import key_pairs, numberings, tells_pairs, words_of
from lossctl.inference.names import is_numbering
from lossctl.inference.request import Request
from lossctl.reading.format import Source
from lossctl.words import in_quotes

MOST = 4
"""How many pairs of columns are held against each other."""
SIDES = ("the predictions", "the labels")


class OtherOrder(DataError):
    """Rows that are to match by their order are in another one."""


def ensure_same_order(predictions: Source, labels: Source, request: Request, called: tuple[str, str] = SIDES) -> None:
    """Check that nothing tells that the rows are in another order; an `OtherOrder` where something does.

    Args:
        predictions, labels: the two sides.
        request: what is asked of them.
        called: what messages call them.
    """
    told = disorder(predictions, labels, request, called)
    if told is not None:
        raise OtherOrder(f"{option(join='order')}: {told[0]}", told[1])


def disorder(
    predictions: Source, labels: Source, request: Request, called: tuple[str, str] = SIDES
) -> tuple[str, str] | None:
    """The columns of each side that hold the same words, each once, in another order, and what to do; else ``None``.

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
            row = next(row for row, word in enumerate(words) if word != others[row])
            sides = f"{in_quotes(key.left)} of {called[0]} and {in_quotes(key.right)} of {called[1]}"
            what = (
                f"the rows are in another order: {sides} hold the same values, but {words[row]!r} and "
                f"{others[row]!r} in row {row + 1:,}"
            )
            return what, f"Match the rows by it: {option(ids=str(key))}."
    return None
