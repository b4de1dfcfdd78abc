"""Predictions that are words: decisions, of which no loss is taken; and the columns that they were made from."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import pyarrow.compute as pc

from lossctl.errors import LossctlError, Undecided, UsageError, option
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import meanings
from lossctl.inference.layout_planner import LayoutPlanner
from lossctl.inference.names import tells_decision
from lossctl.inference.proposals import Proposer
from lossctl.inference.reader import Reader
from lossctl.inference.request import Request, Settings
from lossctl.inference.sample import sampled
from lossctl.inference.suitable import readable_layout
from lossctl.reading.cells import BadRow, elements
from lossctl.reading.format import Source, Wanted
from lossctl.reading.inferred_types import is_number
from lossctl.words import percent

DECISIONS = "zero_one"
"""The loss that asks whether a decision is right."""
Ways = Callable[[Request], Iterator[Settings]]
"""How to ask for a request that names no prediction."""


def are_decisions(planner: LayoutPlanner, losses: Sequence[BoundLoss]) -> bool:
    """Whether all losses ask whether decisions are right, and predictions are classes as the labels are.

    Those are words beside words, or codes other than 0 and 1, of which the first rows of the labels have all, or those
    of many classes are equal too often for an accident.

    Raises:
        UsageError: words are those of the labels but for upper and lower case.
    """
    roles = planner.roles
    names = [*roles.label, *(name for model in roles.models for name in model.columns)]
    kinds = {planner.kinds[name] for name in names}
    single = len(names) == 1 + len(roles.models) and len(roles.label) == 1
    if not single or kinds not in ({"text"}, {"number"}) or not all(bound.name == DECISIONS for bound in losses):
        return False
    cells = [{*elements(planner.head.column(name)).to_pylist()} - {None, ""} for name in names]
    if kinds == {"text"}:
        for name, words in zip(names[1:], cells[1:], strict=True):
            _ensure_same_case(names[0], cells[0], name, words)
        return not any(is_number(str(word)) for words in cells for word in words)
    label, *models = ({float(cell) for cell in numbers} for numbers in cells)
    codes = all(code.is_integer() for numbers in (label, *models) for code in numbers) and not label <= {-1.0, 0.0, 1.0}
    same = (
        numbers <= label or _equal(planner, names[0], name) for name, numbers in zip(names[1:], models, strict=True)
    )
    return codes and not planner.request.classes and all(same)


def _equal(planner: LayoutPlanner, label: str, model: str) -> bool:
    """Whether codes of the first rows are those of the label more than twice as often as any of as many would be."""
    codes, guesses = (planner.head.column(name).to_pylist() for name in (label, model))
    pairs = [(code, guess) for code, guess in zip(codes, guesses, strict=True) if code is not None]
    return bool(len({*codes}) * sum(code == guess for code, guess in pairs) > 2 * len(pairs))


def _ensure_same_case(label: str, classes: Collection[str], model: str, words: Collection[str]) -> None:
    written = {word.casefold(): word for word in classes}
    other = next((word for word in sorted(words) if word.casefold() in written), None)
    if other is not None and not {*words} & {*classes}:
        what = f"{model!r} has {other!r} where {label!r} has {written[other.casefold()]!r}: no decision would be right"
        raise UsageError(what, "Write both in the same case.")


def decisions_among(proposer: Proposer) -> Undecided | None:
    """The question for a column of words beside one that a name tells to be decisions of the same; ``None`` of none."""
    texts = [column.name for column in proposer.guesses.free if column.kind == "text"]
    names = [name for name in proposer.named_prediction or texts if name in texts and tells_decision(name)]
    if len(names) != 1 or proposer.apart:
        return None
    look = proposer.guesses.look
    labels = proposer.named_label or [name for name in texts if name not in names]
    told, *columns = map(look.candidate, (*names, *labels))
    alike = [
        each.name
        for each in columns
        if told is not None and each is not None and len(each.classes) > 1 and each.kind == "text"
        if each.classes <= told.classes or each.classes >= told.classes
    ]
    if len(alike) != 1:
        return None
    label: Settings = () if proposer.named_label else (("label", alike[0]),)
    prediction: Settings = () if proposer.named_prediction else (("prediction", names[0]),)
    what = f"{_decisions(names[0])}{_share_right(proposer.guesses.source, alike[0], names[0])}"
    return Undecided(what, _advice(alike[0], names[0]), ((*label, *prediction, ("loss", DECISIONS)),))


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
    model, label = layout.models[0], layout.roles.label[0]
    what = _decisions(model.name, layout.unread_text)
    what += _share_right(source, label, model.columns[0])
    specs = split_specs(request.loss) if request.loss else ()
    suits = bool(specs) and all(any(bound.rows for bound in meanings(spec)) for spec in specs)
    decisions: Settings = (("loss", DECISIONS),) if not specs else ()
    asked = [
        tuple(pair for pair in way if pair[0] != "loss" or not suits)
        for way in ways(replace(request, prediction=(), loss=()))
    ]
    alone = (decisions,) if decisions else ()
    raise Undecided(what, _advice(label, model.columns[0]), (*[*dict.fromkeys(asked)][:1], *alone))


def _decisions(name: str, word: str = "") -> str:
    """That predictions are decisions, in words."""
    such = f", such as {word!r}" if word else ""
    return f"the predictions {name!r} are words{such}: decisions, not what they were made from"


def _advice(label: str, name: str) -> str:
    alone = f"{option(label=label)} {option(prediction=name)} {option(loss=DECISIONS)}"
    return f"A loss needs numbers, such as those of predict_proba. Of words alone: {alone}."


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
