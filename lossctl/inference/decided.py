"""Predictions that are words: decisions, of which no loss is taken; and the columns that they were made from."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow.compute as pc

from lossctl.errors import LossctlError, Undecided
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import meanings
from lossctl.inference.doubts import as_decisions
from lossctl.inference.reader import Reader
from lossctl.inference.request import Request, Settings
from lossctl.inference.sample import sampled
from lossctl.inference.suitable import readable_layout
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Source, Wanted
from lossctl.words import percent

Ways = Callable[[Request], Iterator[Settings]]
"""How to ask for a request that names no prediction."""


def ensure_no_words(source: Source, request: Request, ways: Ways) -> None:
    """Check that the only model is no column of words.

    Args:
        source: the data set.
        request: what was asked for, with columns of both roles.
        ways: how else to ask for it.

    Raises:
        Undecided: it is, with the columns from which its words may have been decided.
    """
    try:
        layout = readable_layout(source, request)
    except LossctlError:
        return  # which is said when its turn comes
    if len(layout.models) != 1 or not layout.worded:
        return
    model, label, word = layout.models[0], layout.roles.label[0], layout.unread_text
    what = f"the predictions {model.name!r} are words, such as {word!r}: decisions, not what they were made from"
    what += _share_right(source, label, model.columns[0])
    specs = split_specs(request.loss) if request.loss else ()
    suits = bool(specs) and all(any(bound.rows for bound in meanings(spec)) for spec in specs)
    asked = [
        tuple(pair for pair in way if pair[0] != "loss" or not suits)
        for way in ways(replace(request, prediction=(), loss=()))
    ]
    advice = f"A loss needs numbers, such as those of predict_proba. Of words alone: {as_decisions(label, model.name)}."
    raise Undecided(what, advice, tuple(dict.fromkeys(asked))[:1])


def _share_right(source: Source, label: str, model: str) -> str:
    """In what part of the rows words are the label, in words; empty where they cannot be read."""
    sample, same, rows = sampled(source, Wanted(frozenset(), frozenset({label, model}))), 0, 0
    for record in sample.records:
        reader = Reader(record)
        try:
            equal = pc.equal(reader.text(label), reader.text(model)).drop_null()
        except BadRow:
            return ""
        same, rows = same + equal.true_count, rows + len(equal)
    seen = "the rows" if sample.whole else f"the {rows:,} rows looked at"
    return f"; they are the label in {percent(same, rows)} of {seen}" if rows else ""
