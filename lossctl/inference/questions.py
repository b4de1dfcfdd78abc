"""What is asked where columns are not clear: between which it is open, and each way to go on, best first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lossctl.errors import LossctlError, Undecided, option
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import meanings
from lossctl.inference.choice import BESIDE, BY_NAME, CONFIDENCE, NUMBERED, POINT, QUANTILE, SUM, Choice, Proposal
from lossctl.inference.patterns import unread
from lossctl.inference.proposals import Proposer
from lossctl.inference.request import Elsewhere, Request, Settings
from lossctl.inference.side import Side, names_of
from lossctl.reading.columns import unnested
from lossctl.reading.format import Source

if TYPE_CHECKING:
    from lossctl.inference.fit import Doubt
    from lossctl.inference.suitable import Seen

SHOWN = 3
"""How many ways to go on are shown."""
COLUMNS = 30
"""How many columns a message lists."""


def undecided(
    source: Source, request: Request, elsewhere: Elsewhere | None, proposer: Proposer, proposals: Sequence[Proposal]
) -> Undecided:
    """The error for columns that are not clear, with those of the proposals that work."""
    what = _what_is_open(proposer, proposals)
    role = "prediction" if "the prediction" in what else "label"
    names = names_of(source, elsewhere)
    shown = (f"#{place} ({name})" if names.count(name) > 1 else name for place, name in enumerate(names[:COLUMNS], 1))
    listed = ", ".join(shown) + (", …" if len(names) > COLUMNS else "")
    where = (
        "" if role == "prediction" or elsewhere is not None else f", or where the labels are with {option('labels')}"
    )
    known = f"Columns: {listed}" if listed else "The rows have no columns"
    hint = f"Say which with {option(role)}{where}. {known}.{unread(source.columns)}"
    if role == "prediction" and not proposals:
        from lossctl.inference.nested import responses

        hint += responses(source.columns)
    options = some_ways(source, request, elsewhere, proposals)
    classes = _of_classes(source, request, elsewhere, proposals[0]) if proposals else None
    if classes is not None and (options or not classes.ways):
        what = f"{what}; {classes.what}"
        hint = hint if classes.ways else f"{classes.advice} {hint}"
    return Undecided(what, hint, options)


def _of_classes(source: Source, request: Request, elsewhere: Elsewhere | None, proposal: Proposal) -> "Doubt | None":
    """What is not clear of the classes that the columns of a proposal are for; nothing where each is a number."""
    prediction = proposal.prediction
    numbers = {column.name for column in unnested(source.columns) if column.kind == "number"}
    if len(prediction.patterns) == len(prediction.columns) and {*prediction.columns} <= numbers:
        return None
    looked = _looked(source, request, elsewhere, proposal)
    return None if looked is None else next(filter(None, looked[1]), None)


def _looked(
    source: Source, request: Request, elsewhere: Elsewhere | None, proposal: Proposal
) -> "tuple[Seen, tuple[Doubt | None, ...]] | None":
    """What was seen of what is proposed, and what is not clear of its classes; ``None`` where it would be refused."""
    from lossctl.inference.suitable import class_doubts, see

    asked = replace(request, label=proposal.label.patterns, prediction=proposal.prediction.patterns)
    try:
        if elsewhere is not None:
            source, asked = elsewhere.matched(asked)
        seen = see(source, asked)
        return seen, class_doubts(source, asked, seen)
    except LossctlError:
        return None


def some_ways(
    source: Source, request: Request, elsewhere: Elsewhere | None, proposals: Sequence[Proposal]
) -> tuple[Settings, ...]:
    """What to ask for instead, of the proposals that work, best first."""
    shown: list[Settings] = []
    distinct: dict[tuple[object, ...], Proposal] = {}
    for proposal in proposals:  # the same models of the same columns may be told in several ways
        prediction = proposal.prediction
        distinct.setdefault((proposal.label.columns, prediction.columns, len(prediction.patterns)), proposal)
    likeliest = {proposal.label.columns: proposal for proposal in reversed(distinct.values())}
    first = [proposal for proposal in distinct.values() if proposal is likeliest[proposal.label.columns]]
    for proposal in dict.fromkeys((*first, *distinct.values())):  # each label before the second way to predict one
        shown += [way for way in ways(source, request, elsewhere, proposal) if way not in shown]
        if len(shown) >= SHOWN:
            break
    return tuple(shown[:SHOWN])


def _what_is_open(proposer: Proposer, proposals: Sequence[Proposal]) -> str:
    """Which role is not clear, and between which columns."""
    labels = [*dict.fromkeys(proposal.label for proposal in proposals)] or [*proposer.labels()]
    named = [*dict.fromkeys(column for choice in labels if choice.why == BY_NAME for column in choice.columns)]
    if len(named) > 1 and not labels[0].sure:
        return f"several columns could be the label: {', '.join(named)}"
    rows = proposer.guesses.probabilities if not labels else ()
    if rows:
        listed = ", ".join(rows) if len(rows) < COLUMNS else f"{rows[0]} … {rows[-1]}"
        return f"no column looks like the label: rows of {listed} sum to 1, as the probabilities of classes do"
    together = [pair.prediction for pair in proposals if pair.prediction.why in {NUMBERED, POINT, QUANTILE}]
    if len(labels) == 1 and not labels[0].sure and together:
        return f"no name tells the label, which may be {', '.join(labels[0].columns)}: {_what_predicts(together)}"
    if not labels or not labels[0].sure:
        truths = _columns(proposer.truths, (pair.label for pair in proposals))
        same = _repeated(proposer, labels[0]) if labels and not proposals else ""
        what = open_between("label", truths or _left(proposer, proposer.truths))
        return f"{what}: {same} as {labels[0].columns[0]!r}" if same else what
    predictions = [*dict.fromkeys(proposal.prediction for proposal in proposals)]
    if not predictions and not proposer.apart and (others := [*_no_predictions(proposer, labels[0])]):
        return f"no column looks like the prediction of {', '.join(labels[0].columns)}: {', '.join(others)}"
    guesses = _columns(proposer.guesses, predictions) or _left(proposer, proposer.guesses)
    return _what_predicts(predictions) or open_between("prediction", guesses)


def _no_predictions(proposer: Proposer, label: Choice) -> Iterator[str]:
    """What columns are that could be taken for predictions of a label beside them, and are none."""
    from lossctl.inference.names import is_metric

    if same := _repeated(proposer, label):
        yield f"{same}, under another name"
    lists = [column.name for column in proposer.guesses.free if column.kind == "list"]
    if ragged := [name for name in lists if proposer.guesses.look.differ_in_length(name)]:
        yield f"lists of {' and '.join(map(repr, ragged))} differ in length, which those of classes do not"
    columns = [column.name for column in proposer.guesses.free if column.kind == "number"]
    if metrics := [name for name in columns if is_metric(name) and name not in label.columns]:
        yield f"{' and '.join(map(repr, metrics))} {'say' if metrics[1:] else 'says'} how good a row is"


def _repeated(proposer: Proposer, label: Choice) -> str:
    """That columns hold what a label does; empty where none do."""
    same = proposer.predictions.repeated(label)
    return f"{' and '.join(map(repr, same))} {'hold' if same[1:] else 'holds'} the same in every row" if same else ""


def _columns(side: Side, choices: Iterable[Choice]) -> tuple[str, ...]:
    """The columns of choices, each once, by their places where several have their name."""
    names = [column.name for column in side.columns]
    chosen = dict.fromkeys(name for choice in choices for name in choice.columns)
    return tuple(
        column
        for name in chosen
        for column in (
            [f"#{place}" for place, each in enumerate(names, 1) if each == name] if names.count(name) > 1 else [name]
        )
    )


def _left(proposer: Proposer, side: Side) -> tuple[str, ...]:
    """What is left on a side where the other role is elsewhere; nothing where all columns stand beside each other."""
    return side.left if proposer.apart else ()


def _what_predicts(predictions: Sequence[Choice]) -> str:
    """Between which columns it is open what is the prediction; empty where none is known to be one."""
    if any(choice.why == QUANTILE for choice in predictions):
        medians = (choice.columns[0] for choice in predictions if choice.why == QUANTILE and len(choice.columns) == 1)
        told = next(medians, None)
        return "the predictions look like quantiles" + ("" if told is None else f", of which {told!r} is the median")
    told = next((choice.columns[0] for choice in predictions if choice.why == CONFIDENCE), None)
    if told is not None:
        return f"the prediction {told!r} does not tell the decisions beside it: is it the confidence in each?"
    told = next((choice.columns[0] for choice in predictions if choice.why == BESIDE), None)
    if told is not None:
        return f"the prediction is not clear: decisions, or {told!r}, from which they may have been made"
    numbered = next((choice.columns for choice in predictions if choice.why == NUMBERED), ())
    if numbered:
        listed = f"{numbered[0]} … {numbered[-1]}"
        return f"the prediction may be {listed} together, as of classes or an ensemble, or each of them a model"
    point = next((choice.columns for choice in predictions if choice.why == POINT), ())
    if point:
        return f"the prediction may be {', '.join(map(repr, point))}, or the interval beside it"
    rows = next((choice.columns for choice in predictions if choice.why == SUM), ())
    if rows:
        return f"the prediction may be {rows[0]} … {rows[-1]}, rows of which sum to 1"
    named = [", ".join(choice.patterns) for choice in predictions if choice.why == BY_NAME]
    if len(named) > 1:
        return f"several columns could be the prediction: {', '.join(dict.fromkeys(named))}"
    if named and len(predictions[0].columns) > 1:
        return f"the prediction could be {named[0]}, by their names"
    return ""


def open_between(role: str, names: Sequence[str]) -> str:
    """That a role is not clear, between columns that may play it by what is in them."""
    if not names:
        return f"no column looks like the {role}"
    if len(names) == 1:
        return f"no name tells the {role}, which may be {names[0]}"
    return f"several columns could be the {role}: {', '.join(names[:COLUMNS])}"


def ways(source: Source, request: Request, elsewhere: Elsewhere | None, proposal: Proposal) -> Iterator[Settings]:
    """How to ask for what is proposed, with losses that fit, best first; nothing where that would be refused."""
    from lossctl.inference.doubts import shared_ways
    from lossctl.inference.fit import Scale, pairing_of, usual
    from lossctl.inference.suitable import fails, suits, unless_named, ways_of, without_nulls

    label, prediction = proposal.label.patterns, proposal.prediction.patterns
    columns: Settings = ()
    if not request.label:
        columns += tuple(("label", pattern) for pattern in label)
    if not request.prediction:
        columns += tuple(("prediction", pattern) for pattern in prediction)
    looked = _looked(source, request, elsewhere, proposal)
    if looked is None:
        return
    seen, doubts = looked
    groups = [] if request.prediction else _by_scale(seen, prediction)
    if len(groups) > 1:
        for patterns in groups:
            alike = replace(proposal, prediction=replace(proposal.prediction, patterns=patterns))
            yield from ways(source, request, elsewhere, alike)
        return
    asked_for = [meanings(spec) for spec in split_specs([str(loss) for loss in request.loss])]
    for fitting in shared_ways(doubts, seen.fits) if any(doubts) else ways_of(seen):
        suitable = all(any(suits(bound, seen, fitting) for bound in bounds) for bounds in asked_for)
        if suitable and not fails(seen, fitting):
            forecast = proposal.prediction.why == POINT and fitting.scale is Scale.RATE
            median = proposal.prediction.why == QUANTILE and fitting.scale is Scale.VALUE and "mae" in fitting.loss
            own = usual(pairing_of("unbounded regression")) if forecast else "mae" if median else fitting.loss
            loss: Settings = () if asked_for else (("loss", own),)
            yield (*columns, *loss, *unless_named(request, fitting.settings), *without_nulls(seen, request))


def _by_scale(seen: "Seen", patterns: Sequence[str]) -> list[tuple[str, ...]]:
    """The patterns of models of which the same fits, together."""
    groups: dict[tuple[str, Settings], list[str]] = {}
    for pattern, fitting in zip(patterns, seen.fits, strict=True):
        if fitting is not None:
            groups.setdefault((fitting.loss, fitting.settings), []).append(pattern)
    return [*map(tuple, groups.values())]
