"""What a request leaves out, told from the data: the columns of the roles, the losses, the settings that these need."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lossctl.errors import LossctlError, Undecided, UsageError, option
from lossctl.functions.bound_loss import get_loss, meanings
from lossctl.functions.definition import split_specs
from lossctl.inference.choice import BESIDE, BY_NAME, CONFIDENCE, NUMBERED, POINT, QUANTILE, Choice, Proposal
from lossctl.inference.classes import key_of
from lossctl.inference.fit import Settings
from lossctl.inference.layout import Layout, LayoutPlanner
from lossctl.inference.names import LABELS, is_log_probability, is_mask, is_unnamed, plain_name
from lossctl.inference.proposals import Proposer
from lossctl.inference.request import Completed, Elsewhere, Request
from lossctl.inference.roles import find, titled
from lossctl.inference.side import Side, ensure_in_place
from lossctl.reading.columns import fields_in
from lossctl.reading.format import Source
from lossctl.words import normal

SHOWN = 3
"""How many ways to go on are shown."""
LOOKED = 1 << 12
"""Rows by which the order of columns is told where the loss is named."""
TOKENS = frozenset(
    {"logprob", "logprobs", "tokenlogprob", "tokenlogprobs", "logp", "logprobability", "prob", "probs", "p"}
)
"""What columns of the (logarithms of) probabilities of tokens are called, as `normal` spells it."""
COLUMNS = 30
"""How many columns a message lists."""


def complete(source: Source, request: Request, taken: Sequence[str] = ()) -> Completed:
    """The request with columns, losses and their settings, where it names none.

    Args:
        source: the data set.
        request: what somebody asked for.
        taken: what was taken before, and why, to be said with the rest.

    Raises:
        Undecided: the data do not tell which; with what to ask instead, best first.
        UsageError: a column that is named is not there.
        DataError: there are no rows.
    """
    roles = complete_roles(source, request)
    request, notes = roles.request, (*taken, *roles.notes)
    layout = _layout_by_position(source, request) if request.loss and not request.classes else None
    if not request.loss or layout is not None or (not request.classes and _names_classes(source, request)):
        from lossctl.inference.suitable import complete_losses, ensure_classes, see

        if not request.loss:
            ensure_parts(source, request)
        seen = see(source, request) if layout is None else see(source, request, layout, LOOKED)
        ensure_classes(source, request, seen)
        losses = complete_losses(seen, request)
        request, notes = losses.request, (*notes, *losses.notes)
    return Completed(request, ("; ".join(notes),) if notes else ())


def ensure_parts(source: Source, request: Request) -> None:
    """Check that columns named as one prediction are its numbers, where they may be models or quantiles.

    Raises:
        Undecided: they may be.
    """
    if any(sign in pattern for pattern in request.prediction for sign in ",*?[/#"):
        from lossctl.inference.vectors import ensure_vectors

        ensure_vectors(source, request)


def complete_roles(source: Source, request: Request, elsewhere: Elsewhere | None = None) -> Completed:
    """The request with the columns of label and predictions; errors as for `complete`.

    Args:
        source: the data set.
        request: what somebody asked for.
        elsewhere: where the labels are, if not there.
    """
    if request.loss and all(get_loss(spec).unlabelled for spec in split_specs(request.loss)):
        return _unlabelled(source, request, elsewhere)
    if request.label and request.prediction:
        return Completed(request)
    proposer = Proposer(source, request, elsewhere)
    if proposer.apart:
        ensure_in_place(proposer.truths, proposer.guesses)
    proposals = proposer.proposals()
    if not proposals or not proposals[0].sure:
        if elsewhere is None and not request.label and not any(each.why == BY_NAME for each in proposer.labels()):
            from lossctl.inference.surprises import unlabelled

            question = unlabelled(proposer.guesses, proposer.named_prediction, request)
            if question is not None:
                raise question
        raise _undecided(source, request, elsewhere, proposer, proposals)
    label, prediction = proposals[0].label, proposals[0].prediction
    chosen = [("label", label)] if not request.label else []
    chosen += [("prediction", prediction)] if not request.prediction else []
    notes = [*_said(chosen)]
    if any(is_unnamed(name) for name in _names(source, elsewhere)):
        notes.append("the column without a name is an index")
    if request.where is None and request.weight is None:
        known = {*label.columns, *prediction.columns, *proposer.grouped}
        masks = [name for name in _names(source, elsewhere) if is_mask(name) and name not in known]
        said = f"{' and '.join(map(repr, masks))} {'say' if masks[1:] else 'says'}"
        notes += [f"every row counts, whatever {said}"] if masks else []
    return Completed(replace(request, label=label.patterns, prediction=prediction.patterns), tuple(notes))


def _unlabelled(source: Source, request: Request, elsewhere: Elsewhere | None) -> Completed:
    """The request with the column of predictions, where no loss has a label; errors as for `complete`."""
    notes: tuple[str, ...] = ()
    if request.label:
        for pattern in request.label if elsewhere is None else ():
            find(pattern, source.columns, "label")  # which is an error where it is not there
        loss, aside = get_loss(split_specs(request.loss)[0]).name, ", ".join(request.label)
        notes = (f"no label counts for {loss}: {aside} is left aside",)
        request = replace(request, label=())
    if request.prediction:
        return Completed(request, notes)
    columns = [column for column in source.columns if column.kind in {"number", "list"}]
    logarithms = [column.name for column in columns if is_log_probability(column.name)]
    named = logarithms or [column.name for column in columns if normal(column.name) in TOKENS]
    if any(column.kind == "number" for column in columns if column.name in logarithms):
        from lossctl.inference.surprises import of_sums

        question = of_sums(Side(source, ()), logarithms, request)
        if question is not None:
            raise question
    only = named or [column.name for column in columns]
    if len(only) == 1:
        why = BY_NAME if named else "as the only one of numbers"
        return Completed(replace(request, prediction=tuple(only)), (*notes, f"prediction {only[0]!r} chosen {why}"))
    names = ", ".join(column.name for column in columns[:COLUMNS])
    hint = f"Say which with {option('prediction')}. Columns: {names}."
    titles = {column.name for column in source.columns}
    if not named and any(plain_name(name) in LABELS[0] for name in titles):
        rows = f"{option(loss='cross_entropy')} {option(reduction='exp-mean')}"
        what = "is of the probabilities of what came true, one column, and none is named for it"
        raise UsageError(
            f"{get_loss(split_specs(request.loss)[0]).name} {what}",
            f"{hint} Of a label and a probability for each class, perplexity is {rows}.",
        )
    bounds = [get_loss(spec) for spec in split_specs(request.loss)]
    turned = [bound.listing(log=True) if logarithms and "log" in bound.parameters else bound for bound in bounds]
    losses: Settings = () if turned == bounds else (("loss", ",".join(map(str, turned))),)
    models = [tuple(("prediction", name) for name in named)] if named else [(("prediction", name),) for name in only]
    ways: list[Settings] = [(*model, *losses) for model in models[:SHOWN]]
    raise Undecided(_open("prediction", only), hint, tuple(ways) if named else ())


def _said(chosen: Sequence[tuple[str, Choice]]) -> Iterator[str]:
    """Which columns were chosen for roles, and why."""
    reasons = dict.fromkeys(choice.why for _, choice in chosen)
    for why in reasons:
        roles = [f"{role} {_titled(choice)}" for role, choice in chosen if choice.why == why]
        yield f"{' and '.join(roles)} chosen {why}"


def _titled(choice: Choice) -> str:
    """Columns for a note."""
    return repr(choice.columns[0]) if len(choice.columns) == 1 else ", ".join(choice.patterns)


def _names(source: Source, elsewhere: Elsewhere | None) -> list[str]:
    """What the columns are called that are no key, each once."""
    names = [column.name for column in source.columns]
    if elsewhere is None:
        return names
    names = [name for name in names if name not in elsewhere.keys]
    theirs = (column.name for column in elsewhere.labels.columns if column.name not in elsewhere.label_keys)
    return [*dict.fromkeys((*names, *theirs))]


def _undecided(
    source: Source, request: Request, elsewhere: Elsewhere | None, proposer: Proposer, proposals: Sequence[Proposal]
) -> Undecided:
    """The error for columns that are not clear, with those of the proposals that work."""
    ways: list[Settings] = []
    for proposal in proposals:
        ways += [way for way in _ways(source, request, elsewhere, proposal) if way not in ways]
        if len(ways) >= SHOWN:
            break
    what = _what_is_open(proposer, proposals)
    role = "prediction" if "the prediction" in what else "label"
    names = _names(source, elsewhere)
    shown = ", ".join(names[:COLUMNS]) + (", …" if len(names) > COLUMNS else "")
    where = (
        "" if role == "prediction" or elsewhere is not None else f", or where the labels are with {option('labels')}"
    )
    return Undecided(what, f"Say which with {option(role)}{where}. Columns: {shown}.", tuple(ways[:SHOWN]))


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
    if not labels or not labels[0].sure:
        return _open("label", proposer.truths.left if proposer.apart else ())
    predictions = [*dict.fromkeys(proposal.prediction for proposal in proposals)]
    return _what_predicts(predictions) or _open("prediction", proposer.guesses.left if proposer.apart else ())


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
    named = [", ".join(choice.patterns) for choice in predictions if choice.why == BY_NAME]
    if len(named) > 1:
        return f"several columns could be the prediction: {', '.join(dict.fromkeys(named))}"
    if named and len(predictions[0].columns) > 1:
        return f"the prediction could be {named[0]}, by their names"
    return ""


def _open(role: str, left: Sequence[str]) -> str:
    """That a role is not clear, between columns of which nothing is known but that they are left."""
    return (
        f"several columns could be the {role}: {', '.join(left[:COLUMNS])}"
        if left
        else f"no column looks like the {role}"
    )


def _ways(source: Source, request: Request, elsewhere: Elsewhere | None, proposal: Proposal) -> Iterator[Settings]:
    """How to ask for what is proposed, with losses that fit, best first; nothing where that would be refused."""
    from lossctl.inference.doubts import shared_ways
    from lossctl.inference.suitable import class_doubts, fails, see, unless_named, ways_of, without_nulls

    label, prediction = proposal.label.patterns, proposal.prediction.patterns
    columns: Settings = ()
    if not request.label:
        columns += tuple(("label", pattern) for pattern in label)
    if not request.prediction:
        columns += tuple(("prediction", pattern) for pattern in prediction)
    asked = replace(request, label=label, prediction=prediction)
    try:
        if elsewhere is not None:
            source, asked = elsewhere.matched(asked)
        seen = see(source, asked)
        doubts = class_doubts(source, asked, seen)
    except LossctlError:
        return
    asked_for = [{bound.name for bound in meanings(spec)} for spec in split_specs([str(loss) for loss in request.loss])]
    for fitting in shared_ways(doubts, seen.fits) if any(doubts) else ways_of(seen):
        if all(names & {*fitting.pairing.losses} for names in asked_for) and not fails(seen, fitting):
            loss: Settings = () if asked_for else (("loss", fitting.loss),)
            yield (*columns, *loss, *unless_named(request, fitting.settings), *without_nulls(seen, request))


def _names_classes(source: Source, request: Request) -> bool:
    """Whether the label is one column of text, and predictions are one number each."""
    kinds = {column.name: column.kind for column in (*source.columns, *fields_in(source.columns))}
    label = [name for pattern in request.label for name in find(pattern, source.columns, "label")]
    models = [find(titled(pattern, source.columns)[1], source.columns, "prediction") for pattern in request.prediction]
    single = all(len(columns) == 1 and kinds[columns[0]] == "number" for columns in models)
    return single and len(label) == 1 and kinds[label[0]] == "text"


def _layout_by_position(source: Source, request: Request) -> Layout | None:
    """How the columns are read, where losses of rows take them for classes by their positions; else ``None``.

    Columns that are named for codes from 0 are among them where none of the first rows has that label.
    """
    if not all(any(bound.of_classes for bound in meanings(spec)) for spec in split_specs(request.loss)):
        return None
    kinds = {column.name: column.kind for column in (*source.columns, *fields_in(source.columns))}
    label = [name for pattern in request.label for name in find(pattern, source.columns, "label")]
    if len(label) != 1 or kinds[label[0]] not in {"number", "text"}:
        return None
    from lossctl.inference.codes import goes_by_position
    from lossctl.inference.suitable import readable_layout

    layout = readable_layout(source, request)
    if goes_by_position(layout):
        return layout
    coded = layout.vectors and not layout.label_width and layout.class_labels == "codes"
    alone = replace(request, prediction=(), models=(), weight=None, by=(), cluster=(), ids=())
    first = LayoutPlanner(source, alone).first_labels if coded else set()
    return layout if first and 0 not in map(key_of, first) else None
