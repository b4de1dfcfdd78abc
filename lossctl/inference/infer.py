"""What a request leaves out, told from the data: the columns of the roles, the losses, the settings that these need."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lossctl.domain import Interval
from lossctl.errors import Undecided, UsageError, option
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import get_loss, meanings
from lossctl.inference.choice import BY_NAME, Choice, Proposal
from lossctl.inference.classes import counted_from, key_of
from lossctl.inference.counted import counted_notes, doubted_names, names_or_row
from lossctl.inference.layout import Layout
from lossctl.inference.layout_planner import LayoutPlanner
from lossctl.inference.names import (
    LABELS,
    is_count,
    is_index,
    is_key,
    is_level,
    is_log_probability,
    is_mask,
    is_unnamed,
    plain_name,
)
from lossctl.inference.patterns import find, titled, unread
from lossctl.inference.request import Completed, Elsewhere, Request, Settings
from lossctl.inference.side import Side, ensure_in_place, names_of
from lossctl.reading.columns import Column, fields_in, unnested
from lossctl.reading.format import Source
from lossctl.words import normal

if TYPE_CHECKING:
    from lossctl.inference.proposals import Proposer

LOOKED = 1 << 12
"""Rows by which the order of columns is told where the loss is named."""
TOKENS = frozenset(
    {"logprob", "logprobs", "tokenlogprob", "tokenlogprobs", "logp", "logprobability", "prob", "probs", "p"}
)
"""What columns of the (logarithms of) probabilities of tokens are called, as `normal` spells it."""


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
    if any(bound.of_number for spec in split_specs(request.loss) for bound in meanings(spec)):
        from lossctl.inference.offered import ensure_taken

        ensure_taken(source, request, complete_roles)
    named, roles = request, complete_roles(source, request)
    request, notes = roles.request, (*taken, *roles.notes)
    if not _of_decisions(request):
        _ensure_no_words(source, request, named)
    if _names_text(source, request):
        from lossctl.inference.tags import ensure_no_tags

        ensure_no_tags(source, request)
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


def _of_decisions(request: Request, *, unsaid: bool = False) -> bool:
    """Whether all that is asked is whether decisions are right, which may be words; ``unsaid`` of no loss."""
    specs = split_specs(request.loss)
    return (bool(specs) or unsaid) and all("zero_one" in {bound.name for bound in meanings(spec)} for spec in specs)


def _ensure_no_words(source: Source, request: Request, named: Request) -> None:
    """Check that the only prediction is no column of words beside one of words; errors as for `ensure_no_words`.

    Args:
        source: the data set.
        request: what is asked of it, with columns of both roles.
        named: what the user named of it.
    """
    kinds = {column.name: column.kind for column in source.columns}
    if any([kinds.get(name) for name in names] != ["text"] for names in (request.label, request.prediction)):
        return
    from lossctl.inference.decided import ensure_no_words
    from lossctl.inference.proposals import Proposer
    from lossctl.inference.questions import ways as ways_of

    def ways(asked: Request) -> Iterator[Settings]:
        others = Proposer(source, replace(asked, prediction=())).proposals()
        for proposal in others:
            if len(proposal.prediction.columns) > 1:
                label = () if named.label else tuple(("label", pattern) for pattern in asked.label)
                yield from ((*label, *way) for way in ways_of(source, asked, None, proposal))

    ensure_no_words(source, request, ways)


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
        from lossctl.inference.tokens import ensure_of_tokens

        completed = _unlabelled(source, request, elsewhere)
        ensure_of_tokens(source, completed.request)
        return completed
    doubted = doubted_names(source, request, elsewhere)
    if request.label and request.prediction and not doubted:
        if not request.loss:
            _ensure_named(source, request, elsewhere)
        return Completed(request)
    from lossctl.inference.proposals import Proposer

    proposer = Proposer(source, request, elsewhere)
    if proposer.apart:
        ensure_in_place(proposer.truths, proposer.guesses)
    proposals = proposer.proposals()
    if doubted:
        from lossctl.inference.questions import some_ways

        raise names_or_row(doubted, some_ways(source, request, elsewhere, proposals))
    _ensure_numbers_of_rows(request, proposer, proposals)
    _ensure_points(source, elsewhere, proposals)
    if not proposals or not proposals[0].sure:
        raise _question(source, request, elsewhere, proposer, proposals)
    label, prediction = proposals[0].label, proposals[0].prediction
    chosen = [("label", label)] if not request.label else []
    chosen += [("prediction", prediction)] if not request.prediction else []
    notes = [*_said(chosen)]
    if len(label.columns) > 1:
        from lossctl.inference.lacking import left_out

        notes += left_out(proposer, proposals[0])
    if any(is_unnamed(name) for name in names_of(source, elsewhere)):
        notes.append("the column without a name is an index")
    notes += counted_notes(source, elsewhere)
    if request.where is None and request.weight is None:
        known = {*label.columns, *prediction.columns, *proposer.grouped}
        masks = [name for name in names_of(source, elsewhere) if is_mask(name) and name not in known]
        said = f"{' and '.join(map(repr, masks))} {'say' if masks[1:] else 'says'}"
        notes += [f"every row counts, whatever {said}"] if masks else []
    return Completed(replace(request, label=label.patterns, prediction=prediction.patterns), tuple(notes))


def _ensure_numbers_of_rows(request: Request, proposer: "Proposer", proposals: Sequence[Proposal]) -> None:
    """Check that no columns hold confidences, or quantiles of several levels; errors as for these."""
    pairs = [(proposal.label, proposal.prediction) for proposal in proposals]
    _ensure_no_confidence(request, proposer.truths, proposer.guesses, pairs)
    if not proposer.named_prediction:
        ensure_one_level(proposer.guesses, request, proposer.named_label, apart=proposer.apart)


def _ensure_named(source: Source, request: Request, elsewhere: Elsewhere | None) -> None:
    """As `_ensure_numbers_of_rows`, of columns that are named."""
    guesses = Side(source, () if elsewhere is None else elsewhere.keys)
    truths = guesses if elsewhere is None else Side(elsewhere.labels, elsewhere.label_keys)
    label = tuple(name for pattern in request.label for name in find(pattern, truths.columns, "label"))
    models = [find(titled(pattern, source.columns)[1], source.columns, "prediction") for pattern in request.prediction]
    pairs = [(Choice(label, label), Choice(columns, columns)) for columns in models if len(columns) == 1]
    _ensure_no_confidence(request, truths, guesses, pairs)
    ensure_one_level(guesses, request, label, apart=elsewhere is not None)


def ensure_one_level(side: Side, request: Request, label: Sequence[str], *, apart: bool) -> None:
    """As `ensure_not_stacked`, where a column may hold levels, and rows are not grouped by them."""
    names = {column.name for column in side.free if is_level(column.name)}
    if names and not names & {each.partition(":")[0] for each in request.by}:
        from lossctl.inference.stacked import ensure_not_stacked

        ensure_not_stacked(side, label, apart=apart)


def _ensure_no_confidence(
    request: Request, truths: Side, guesses: Side, pairs: Sequence[tuple[Choice, Choice]]
) -> None:
    """As `ensure_no_confidence`, of losses of probabilities, where there are columns that could be decisions."""
    specs = split_specs(request.loss)
    if pairs and len(guesses.free) > 1 and all(any(map(takes_probabilities, meanings(spec))) for spec in specs):
        from lossctl.inference.confidence import ensure_no_confidence

        ensure_no_confidence(truths, guesses, pairs)


def takes_probabilities(bound: BoundLoss) -> bool:
    """Whether a loss takes numbers from 0 to 1 and no others."""
    domain = bound.prediction_domain
    return isinstance(domain, Interval) and domain.low >= 0 and domain.high <= 1


def _ensure_points(source: Source, elsewhere: Elsewhere | None, proposals: Sequence[Proposal]) -> None:
    """Check that no numbers are text for their signs, where it is not clear what is the prediction, or that is text."""
    texts = {column.name for column in source.columns if column.kind == "text"}
    if not proposals or not proposals[0].sure or texts & {*proposals[0].prediction.columns}:
        from lossctl.inference.decimal_commas import ensure_points

        ensure_points(source, *(() if elsewhere is None else (elsewhere.labels,)))


def _question(
    source: Source, request: Request, elsewhere: Elsewhere | None, proposer: "Proposer", proposals: Sequence[Proposal]
) -> Undecided:
    """What is asked where the columns of the roles are not clear."""
    if elsewhere is None and not request.label and not any(each.why == BY_NAME for each in proposer.labels()):
        from lossctl.inference.surprises import unlabelled

        question = unlabelled(proposer.guesses, proposer.named_prediction, request)
        if question is not None:
            return question
    from lossctl.inference.decided import decisions_among
    from lossctl.inference.lacking import lacking_predictions, log_of_training
    from lossctl.inference.questions import undecided, ways
    from lossctl.inference.tags import tags_among

    question = (
        tags_among(proposer)
        or log_of_training(proposer)
        or (None if proposals or not _of_decisions(request, unsaid=True) else decisions_among(proposer))
        or lacking_predictions(proposer, partial(ways, source, replace(request, loss=()), elsewhere))
        or undecided(source, request, elsewhere, proposer, proposals)
    )
    if not question.ways and not request.prediction:
        from lossctl.inference.nested import ensure_no_items

        ensure_no_items(source.columns)
    return question


def _unlabelled(source: Source, request: Request, elsewhere: Elsewhere | None) -> Completed:
    """The request with the column of predictions, where no loss has a label; errors as for `complete`."""
    notes: tuple[str, ...] = ()
    if request.label:
        for pattern in request.label if elsewhere is None else ():
            find(pattern, source.columns, "label")  # which is an error where it is not there
        loss, left = get_loss(split_specs(request.loss)[0]).name, ", ".join(request.label)
        notes = (f"no label counts for {loss}: {left} is left aside",)
        request = replace(request, label=())
    if request.prediction:
        return Completed(request, notes)
    columns = [column for column in unnested(source.columns) if column.kind in {"number", "list"}]
    logarithms = _logarithms(columns)
    named = logarithms or [column.name for column in columns if normal(column.title) in TOKENS]
    if not named:
        from lossctl.inference.nested import ensure_no_items

        ensure_no_items(source.columns)
    if any(column.kind == "number" for column in columns if column.name in logarithms):
        from lossctl.inference.surprises import of_sums

        question = of_sums(Side(source, ()), logarithms, request)
        if question is not None:
            raise question
    aside = {each.name for each in columns if is_index(each.name) or is_key(each.title) or is_count(each.title)}
    only = named or [each.name for each in columns if each.name not in aside]
    if len(only) == 1:
        why = BY_NAME if named else "as the only one of numbers"
        return Completed(replace(request, prediction=tuple(only)), (*notes, f"prediction {only[0]!r} chosen {why}"))
    from lossctl.inference.questions import COLUMNS, SHOWN, open_between

    names = ", ".join(column.name for column in (columns or source.columns)[:COLUMNS])
    hint = f"Say which with {option('prediction')}. Columns: {names}.{unread(source.columns)}"
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
    raise Undecided(open_between("prediction", only), hint, tuple(ways) if named else ())


def _logarithms(columns: Sequence[Column]) -> list[str]:
    """Columns named for logarithms of probabilities, those of tokens alone where there are such."""
    named = [column for column in columns if is_log_probability(column.title)]
    if len(named) < 2:
        return [column.name for column in named]
    from lossctl.inference.surprises import of_tokens

    return [column.name for column in of_tokens(named)]


def _said(chosen: Sequence[tuple[str, Choice]]) -> Iterator[str]:
    """Which columns were chosen for roles, and why."""
    reasons = dict.fromkeys(choice.why for _, choice in chosen)
    for why in reasons:
        roles = [f"{role} {_titled(choice)}" for role, choice in chosen if choice.why == why]
        yield f"{' and '.join(roles)} chosen {why}"


def _titled(choice: Choice) -> str:
    """Columns for a note."""
    return repr(choice.columns[0]) if len(choice.columns) == 1 else ", ".join(choice.patterns)


def _names_text(source: Source, request: Request) -> bool:
    """Whether the label is one column of text, named as it is, and there may be vectors."""
    kinds = {column.name: column.kind for column in source.columns}
    return [kinds.get(name) for name in request.label] == ["text"]


def _names_classes(source: Source, request: Request) -> bool:
    """Whether the label is one column of text, and predictions are one number each."""
    kinds = {column.name: column.kind for column in (*source.columns, *fields_in(source.columns))}
    label = [name for pattern in request.label for name in find(pattern, source.columns, "label")]
    models = [find(titled(pattern, source.columns)[1], source.columns, "prediction") for pattern in request.prediction]
    single = all(len(columns) == 1 and kinds[columns[0]] == "number" for columns in models)
    return single and len(label) == 1 and kinds[label[0]] == "text"


def _layout_by_position(source: Source, request: Request) -> Layout | None:
    """How the columns are read, where losses of rows take them for classes by positions that are to be doubted.

    Columns that are named for numbers from 0 or 1 are among them where the first rows lack one, or have others.
    """
    if not all(any(bound.of_classes for bound in meanings(spec)) for spec in split_specs(request.loss)):
        return None
    kinds = {column.name: column.kind for column in (*source.columns, *fields_in(source.columns))}
    label = [name for pattern in request.label for name in find(pattern, source.columns, "label")]
    if len(label) != 1 or kinds[label[0]] not in {"number", "text", "list"}:
        return None
    from lossctl.inference.facts import CONFUSED
    from lossctl.inference.places import goes_by_position, tell_places
    from lossctl.inference.suitable import readable_layout, see

    layout = readable_layout(source, request)
    coded = layout.vectors and not layout.label_width
    if coded and layout.class_labels == "codes" and all(model.width > CONFUSED for model in layout.models):
        labels = replace(layout, unread=frozenset(model.name for model in layout.models))
        if tell_places(see(source, request, labels, LOOKED).facts, layout):
            return None
    if goes_by_position(layout):
        return layout
    counted = layout.classes is not None and counted_from(layout.classes) is not None
    alone = replace(request, prediction=(), models=(), weight=None, by=(), cluster=(), ids=())
    first = {*map(key_of, LayoutPlanner(source, alone).first_labels)} if coded and counted else set()
    return layout if first and first != {*map(key_of, layout.classes or ())} else None
