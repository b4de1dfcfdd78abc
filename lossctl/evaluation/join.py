"""Labels that live in another file: matched with the predictions by key, strictly unless asked otherwise.

On request only, they are matched by the order of the rows.

Both sides are held in memory, in the columns that count; which these are is told from a sample of each before.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.errors import DataError, LossctlError, Undecided, UsageError, option
from lossctl.evaluation.both_sides import (
    doubles,
    either,
    ensure_one_meaning,
    grouped,
    renamed,
    their_columns,
)
from lossctl.evaluation.keys import Key, keys_named
from lossctl.evaluation.matching import (
    LEFT,
    RIGHT,
    Called,
    keys_of,
    kind_in,
    known_columns,
    match_by_key,
    match_in_order,
    nested,
    numerals_in,
    read_columns,
    refuse_twins,
    title_of,
    wordy,
)
from lossctl.evaluation.row_order import disorder, ensure_same_order, unlike_keys
from lossctl.evaluation.shared_keys import (
    caution,
    chosen_key,
    key_pairs,
    match_most,
    order_or_numbers,
    possible_keys,
    shared_columns,
    what_is_open,
)
from lossctl.inference.infer import complete, complete_roles, ensure_one_level
from lossctl.inference.layout import words_among
from lossctl.inference.names import is_index, is_key, is_numbering, is_query
from lossctl.inference.patterns import find, titled
from lossctl.inference.request import Elsewhere, Request, Settings
from lossctl.inference.roles import clusterings
from lossctl.inference.side import Side
from lossctl.reading.columns import Column, fields_in
from lossctl.reading.files import warnings_of
from lossctl.reading.format import Source
from lossctl.reading.memory import MemorySource
from lossctl.reading.selection import selected
from lossctl.words import in_quotes

HOW = ("strict", "inner", "left", "order")
SHOWN = 3
"""How many keys are proposed where it is not clear which is meant."""


@dataclass(frozen=True)
class Joined:
    """The data set of a join, and the request with its columns named."""

    source: Source
    request: Request
    asked: Request
    """The request with its columns as the two data sets call them."""
    facts: dict[str, Any]
    """What was joined, dropped or unmatched."""
    keys: tuple[Key, ...] = ()
    """The columns by which rows were matched; none where they were by their order."""
    notes: tuple[str, ...] = ()
    """What was taken for what nobody named."""
    remarks: tuple[str, ...] = ()
    """What was matched in another way than it is written."""
    question: Undecided | None = None
    """Which column plays which role, where that is not clear and all columns are carried along all the same."""
    sides: tuple[Source, ...] = ()
    """Both data sets."""


def join(
    predictions: Source,
    labels: Source,
    ids: Sequence[str],
    how: str,
    request: Request,
    *,
    others: bool = False,
    survey: bool = False,
) -> Joined:
    """Match the rows of two data sets, by key or in order.

    Args:
        predictions: the data set of the predictions; its row order is kept.
        labels: the data set of the labels.
        ids: the key columns, ``COL``, or ``COL=COL`` where the labels call it otherwise than the predictions; told from
            the columns where left out, and none where rows match in order.
        how: ``strict`` (every key in both), ``inner`` (keys in both), ``left`` (every prediction) or ``order`` (the
            first row with the first, and so on; both have the same number).
        request: what is asked for; label patterns are looked up among the labels, all others first among the
            predictions.
        others: whether to carry all columns along.
        survey: whether to do so, whatever is in them, and where it is not clear which of them play a role.

    Raises:
        UsageError: a column is missing, or the join unknown.
        Undecided: nobody says which columns are the key, or play a role, and the data do not tell.
        DataError: keys are null, repeated, or unmatched under ``strict``: with counts and three examples; or there are
            more rows on one side under ``order``.
    """
    check_join(ids, how)
    if "stdin" in predictions.files and "stdin" in labels.files:
        raise UsageError("stdin can be read only once")
    twice = doubles(predictions, labels)
    request = replace(request, label=tuple(twice.get(pattern, pattern) for pattern in request.label))
    if how != "order" and not ids:
        return _join_by_chosen_key(predictions, labels, how, request, others=others, survey=survey)
    keys = keys_named(ids, predictions.columns, labels.columns)
    own = {pattern: keys_named([pattern], predictions.columns, labels.columns)[0].left for pattern in ids}
    cluster, identifying = ([own.get(name, name) for name in names] for names in (request.cluster, request.ids))
    request = replace(request, cluster=cluster, ids=identifying)
    try:
        roles = complete_roles(predictions, request, elsewhere(predictions, labels, keys, how))
    except Undecided as question:
        if how == "order":
            ensure_same_order(predictions, labels, request)
        if not survey:
            raise _on_what_matches(question, predictions, labels, keys, how, request) from None
        return replace(_matched(predictions, labels, keys, how, request, survey=True), question=question)
    if how == "order":
        ensure_same_order(predictions, labels, roles.request)
    ensure_one_meaning(roles.request, predictions, labels)
    joined = _matched(predictions, labels, keys, how, roles.request, others=others, survey=survey)
    return replace(joined, notes=roles.notes)


def _on_what_matches(
    question: Undecided, predictions: Source, labels: Source, keys: tuple[Key, ...], how: str, request: Request
) -> Undecided:
    """The question with ways to go on; where no row may be without a match, and some are, with those on the others.

    Raises:
        DataError: there are none, and the rows do not match, which is to be mended first.
    """
    if question.ways or predictions.once or labels.once:
        return question
    if how == "strict":
        try:
            complete_roles(predictions, request, elsewhere(predictions, labels, keys, "inner"))
        except Undecided as other:
            if other.ways:
                ways = tuple((("join", "inner"), *way) for way in other.ways)
                return Undecided(question.parts[0], question.otherwise, ways)
        except LossctlError:
            return question
    bare = replace(request, label=(), prediction=(), weight=None, by=(), cluster=(), ids=(), where=None)
    if keys:
        _matched(predictions, labels, keys, how, bare)
    return question


def elsewhere(predictions: Source, labels: Source, keys: tuple[Key, ...], how: str) -> Elsewhere:
    """The labels of another data set, to be matched by a key that is known; arguments as for `join`."""

    def matched(named: Request) -> tuple[Source, Request]:
        if predictions.once or labels.once:
            raise UsageError("what can be read only once is not read to try")
        joined = _matched(predictions, labels, keys, how, named)
        return selected(joined.source, named.where, named.limit), joined.request

    ids, label_ids = (tuple(key.left for key in keys), tuple(key.right for key in keys))
    return Elsewhere(labels, ids, label_ids, matched, their_columns(predictions, labels))


def _matched(
    predictions: Source,
    labels: Source,
    keys: Sequence[Key],
    how: str,
    request: Request,
    *,
    others: bool = False,
    survey: bool = False,
) -> Joined:
    """As `join`, by a key that is known, with the columns of the roles that are named."""
    ids, right_ids = [key.left for key in keys], [key.right for key in keys]
    left_names = {column.name for column in known_columns(predictions)}
    label = tuple(name for pattern in request.label for name in find(pattern, labels.columns, "label"))
    prediction = tuple(request.prediction)
    weight = None if request.weight is None else either(request.weight, predictions, labels, "weight")[0]
    by = tuple(grouping for pattern in request.by for grouping in grouped(pattern, predictions, labels))
    units = {grouping.column for grouping in by}
    clusters = tuple(
        grouping for pattern in request.cluster for grouping in grouped(pattern, predictions, labels, clusterings)
    )
    cluster = tuple(grouping.column for grouping in clusters)
    identifying = tuple(name for pattern in request.ids for name in either(pattern, predictions, labels, "id"))
    shared = [*units, *([] if weight is None else [weight])]
    shared += [name for name in (*cluster, *identifying) if name not in (*label, *ids)]
    asked = _asked(request.where, predictions, labels)
    shared += [name for name in asked if name not in (*label, *ids)]
    lists = _queries(predictions, labels, request) - {*label, *shared, *ids, *right_ids}
    shared += sorted(lists)
    from_left = {name for name in shared if name in left_names}
    left_needed = {name for pattern in prediction for name in predicted(pattern, predictions.columns)} | from_left
    apart = {name: theirs for name, theirs in doubles(predictions, labels).items() if name in shared}
    right_needed = {*label, *(apart.get(name, name) for name in shared if name not in left_names)}
    texts = units - {*label, weight, *(grouping.column for grouping in by if grouping.quantiles)}
    texts |= {*cluster, *identifying} - {*label, weight, *ids}
    texts |= {name for name, kind in asked.items() if kind != "number" and name not in (*label, weight)}
    texts |= lists
    models = [predicted(pattern, predictions.columns) for pattern in prediction]
    vectors = any(len(names) > 1 or kind_in(predictions, names[0]) in {"list", "object"} for names in models)
    worded = survey or bool(request.classes) or vectors
    left_texts = texts & left_names | {*wordy(predictions, chain(*models), known=survey)}
    right_texts = ({apart.get(name, name) for name in texts} & right_needed) - {*label} | {
        *wordy(labels, label, known=worded)
    }
    right_texts |= {*label} if words_among(request.ignore_label) else set()
    refuse_twins(predictions, {*ids, *left_needed})
    refuse_twins(labels, {*right_ids, *right_needed})
    left = read_columns(predictions, ids, left_needed, left_texts, others=others or survey)
    right = read_columns(labels, right_ids, right_needed, right_texts, others=others or survey)
    matched, facts, remarks = _rows(left, right, predictions, labels, keys, how)
    own, names = {*left.column_names}, renamed(left.column_names, right.column_names, apart)
    table = left.take(matched[LEFT])
    copied = {name for name in own - right_needed if survey and (is_index(name) or is_key(name))}  # if rows go by order
    for name, column in zip(right.column_names, right.columns, strict=True):
        if (name not in right_ids or name in right_needed) and name not in copied:
            table = table.append_column(names[name], column.take(matched[RIGHT]))
    if not matched.num_rows:
        none = "no data rows" if how == "order" else f"no id has a label in {title_of(labels)}"
        raise DataError(f"{title_of(predictions)}: {none}")
    inside = {*nested(predictions, {*left_needed, *ids}), *(names[name] for name in nested(labels, right_needed))}
    title = " joined with ".join(title_of(source) for source in (predictions, labels))
    named = tuple(names[name] for name in label)
    named_models = tuple(_named(pattern, predictions.columns) for pattern in prediction)
    changed = {"label": named, "prediction": named_models, "weight": weight, "by": tuple(map(str, by))}
    changed |= {"cluster": tuple(map(str, clusters)), "ids": identifying}
    return Joined(
        MemorySource(
            table.combine_chunks(),
            title,
            predictions.files,
            np.array(matched[LEFT].to_pylist(), np.int64),
            frozenset(inside),
            frozenset(
                [*numerals_in(left, predictions, left_needed - left_texts - {*ids})]
                + [names[name] for name in numerals_in(right, labels, right_needed - right_texts - {*right_ids})]
                + [*numerals_in(left, predictions, asked.keys() & {*ids})]
                + [names[name] for name in numerals_in(right, labels, asked.keys() & right_needed & {*right_ids})]
            ),
        ),
        Request(**{**vars(request), **changed}),
        request,
        {
            "labels": list(labels.files),
            "predictions": list(predictions.files),
            "id": ids,
            **({} if ids == right_ids else {"labels_id": right_ids}),
            "how": how,
            **facts,
        },
        tuple(keys),
        remarks=(*warnings_of(predictions), *warnings_of(labels), *remarks),
        sides=(predictions, labels),
    )


def _rows(
    left: pa.Table, right: pa.Table, predictions: Source, labels: Source, keys: Sequence[Key], how: str
) -> tuple[pa.Table, dict[str, Any], tuple[str, ...]]:
    """The numbers of matching rows, how many matched, and what to say of it; errors as for `join`."""
    if how == "order":
        return match_in_order(left, right, predictions, labels)
    ids = [key.left for key in keys]
    words = keys_of(left, ids, predictions)
    others = keys_of(right, [key.right for key in keys], labels).rename_columns(ids)
    messages = Called()
    if len(predictions.files) > 1:
        from lossctl.evaluation.pooled import APART

        messages = Called(repeated=f"{len(predictions.files)} files are joined as one table; {APART}.")
    if left.num_rows == right.num_rows and any(map(is_numbering, ids)):
        messages = replace(messages, hint=f"{messages.hint} {order_or_numbers(())}")
    return match_by_key(words, others, ids, how, messages)


def _queries(predictions: Source, labels: Source, request: Request) -> set[str]:
    """Columns that say that rows are to be ranked, which matters where no loss is named."""
    both = () if request.loss else (*predictions.columns, *labels.columns)
    return {column.name for column in both if is_query(column.name) and column.kind in {"number", "text"}}


def _asked(where: str | None, predictions: Source, labels: Source) -> dict[str, str]:
    """The kind of each column that the choice of rows is about, of either side, first of the predictions.

    Raises:
        UsageError: there is no such column, or it is held against what it cannot be.
    """
    if where is None:
        return {}
    from lossctl.reading.asking import ensure_bound
    from lossctl.reading.where import parsed

    own = {column.name for column in known_columns(predictions)}
    others = tuple(column for column in their_columns(predictions, labels) if column.name not in own)
    return ensure_bound(where, parsed(where), (*predictions.columns, *others))


def check_join(ids: Sequence[str], how: str) -> None:
    """Check that a join is known and has what it needs; a `UsageError` where not."""
    if how not in HOW:
        raise UsageError(f"unknown join {how!r}", f"Known: {', '.join(HOW)}.")
    if how == "order" and ids:
        raise UsageError(f"{option(join='order')} matches rows by their order, {option('ids')} by key", "Give one.")


def _join_by_chosen_key(
    predictions: Source, labels: Source, how: str, request: Request, *, others: bool, survey: bool
) -> Joined:
    """As `join`, by a key that nobody named."""
    shared = shared_columns(predictions, labels, request)
    choice = chosen_key(predictions, labels, shared, how)
    if choice is not None:
        key, why = choice
        joined = join(predictions, labels, (key,), how, request, others=others, survey=survey)
        return replace(joined, notes=(f"id {in_quotes(key)} chosen {why}", *joined.notes))
    ensure_one_level(Side(predictions, ()), request, (), apart=True)
    ways: list[Settings] = []
    later: list[Settings] = []
    advice = order_or_numbers(shared)
    told = disorder(predictions, labels, request)
    if told is not None:
        advice = f"But {told[0]}. {told[1]}"
    if not (predictions.once or labels.once):
        unlike = unlike_keys(predictions, labels)
        if told is None and unlike:
            advice = order_or_numbers(shared, unlike[0])
        pairs = [key for key in (*key_pairs(predictions, labels, request), *unlike) if key.left != key.right]
        tried = _tried(possible_keys(shared, pairs), how, in_order=not unlike)
        taken: list[set[str]] = []
        for keys, matching in tried:
            partly = bool(keys) and matching != how
            if partly and ways:
                break
            if any(names <= {*keys} for names in taken):
                continue  # fewer columns do as well
            way: Settings = (("ids", ",".join(keys)),) if keys else (("join", "order"),)
            with contextlib.suppress(LossctlError):
                if partly and not match_most(
                    predictions, labels, keys_named(keys, predictions.columns, labels.columns)
                ):
                    continue
                way += (("join", matching),) if partly else ()
                rest = _rest(predictions, labels, keys, matching, request, survey=survey)
                likeliest = [more for more in rest if _label_of(more) == _label_of(rest[0])]
                ways += [(*way, *more) for more in likeliest]
                later += [(*way, *more) for more in rest if more not in likeliest]
                taken += [{*keys}] if keys else []
            if len(ways) >= SHOWN:
                break
    which = what_is_open(shared, predictions, labels)
    shown = (*ways, *later)[:SHOWN]
    needed = f"{option('labels')} needs {option(ids='COL')}, the column that both files share"
    raise Undecided(f"{needed}: {which}{caution(shown)}", advice, shown)


def _tried(keys: Sequence[tuple[str, ...]], how: str, *, in_order: bool) -> list[tuple[tuple[str, ...], str]]:
    """The keys and joins that are tried; where no key has all of both sides, what some have."""
    tried = [(each, how if each else "order") for each in keys if each or in_order]
    return [*tried, *((each, "inner") for each in keys if each and how == "strict")]


def _rest(
    predictions: Source, labels: Source, ids: Sequence[str], how: str, request: Request, *, survey: bool
) -> tuple[Settings, ...]:
    """What is to be asked for beside a key, or the order of the rows where there is none.

    Errors are those of `join`.
    """
    try:
        joined = join(predictions, labels, ids, how, request, survey=survey)
        if not survey:
            complete(selected(joined.source, request.where, request.limit), joined.request)
    except Undecided as question:
        if question.ways:
            return question.ways
        raise
    return ((),)


def _label_of(way: Settings) -> list[object]:
    """The label that a way asks for."""
    return [value for name, value in way if name == "label"]


def predicted(pattern: str, columns: Sequence[Column]) -> tuple[str, ...]:
    """The columns of one model's prediction, as asked for: ``PATTERN`` or ``name=PATTERN``; errors as for `find`."""
    return find(titled(pattern, columns)[1], columns, "prediction")


def _named(pattern: str, columns: Sequence[Column]) -> str:
    """The pattern of a model with names in place of ``#N`` and globs: behind a join there are other columns.

    A glob stays as it is where names could not be told apart in a list.
    """
    if pattern.startswith("/") or pattern in {column.name for column in (*columns, *fields_in(columns))}:
        return pattern
    names = predicted(pattern, columns)
    title = titled(pattern, columns)[0]
    if len(names) == 1 and not title:
        return names[0]
    if "#" not in pattern and ("=" in (title or pattern) or any("," in name for name in names)):
        return pattern
    return f"{title or pattern}={','.join(names)}"
