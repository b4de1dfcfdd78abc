"""Predictions that are words: decisions, of which no loss is taken; and the columns that they were made from."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from lossctl.errors import LossctlError, Undecided
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import meanings
from lossctl.inference.doubts import as_decisions
from lossctl.inference.layout import LayoutPlanner
from lossctl.inference.request import Request, Settings
from lossctl.inference.suitable import readable_layout
from lossctl.reading.format import Source
from lossctl.reading.inferred_types import is_number
from lossctl.reading.look_alikes import is_name

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
    if len(layout.models) != 1 or not layout.unread or not is_name(layout.unread_text):
        return
    model, label = layout.models[0].name, layout.roles.label[0]
    if any(is_number(cell) for cell in LayoutPlanner(source, request).head.column(model).to_pylist() if cell):
        return  # words among numbers are no decisions
    word = layout.unread_text
    what = f"the predictions {model!r} are words, such as {word!r}: decisions, not what they were made from"
    specs = split_specs(request.loss) if request.loss else ()
    suits = bool(specs) and all(any(bound.rows for bound in meanings(spec)) for spec in specs)
    asked = [
        tuple(pair for pair in way if pair[0] != "loss" or not suits)
        for way in ways(replace(request, prediction=(), loss=()))
    ]
    advice = f"A loss needs numbers, such as those of predict_proba. Of words alone {as_decisions(label, model)}."
    raise Undecided(what, advice, tuple(dict.fromkeys(asked))[:1])
