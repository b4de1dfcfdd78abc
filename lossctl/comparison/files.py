"""Models in a data set each, as one data set: rows matched by key, or in their order; the first has the labels."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from lossctl.comparison.naming import names_of, path_of
from lossctl.comparison.sides import ONLY, Side, side_by_side
from lossctl.errors import LossctlError, Undecided, UsageError, option
from lossctl.evaluation import join as joining
from lossctl.evaluation.keys import Key, keys_named
from lossctl.evaluation.matching import known_columns, title_of
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.prepared import Prepared, check_words, placing, planned, run
from lossctl.evaluation.row_order import ensure_same_labels, ensure_same_order, unlike_keys
from lossctl.evaluation.running import SERIAL
from lossctl.evaluation.shared_keys import (
    caution,
    chosen_key,
    order_or_numbers,
    possible_keys,
    shared_columns,
    what_is_open,
)
from lossctl.evaluation.tried import is_retried, offered
from lossctl.inference.infer import complete_roles
from lossctl.inference.names import LABELS, plain_name
from lossctl.inference.patterns import find, titled
from lossctl.inference.request import Request, Settings
from lossctl.inference.roles import grouped_columns
from lossctl.reading.columns import Column
from lossctl.reading.files import ensure_heeded, open_source
from lossctl.reading.format import Reading, Source
from lossctl.reading.location import STDIN
from lossctl.reading.selection import selected
from lossctl.reading.stamp import Stamp
from lossctl.words import in_quotes

HOW = ("strict", "inner", "order")


def prepare_models(
    sources: Sequence[Any],
    request: Request,
    reading: Reading | None = None,
    *,
    names: Sequence[str] = (),
    labels: Any = None,
    ids: Sequence[str] = (),
    join: str = "strict",
    others: bool = False,
) -> Prepared:
    """Open a data set a model, match their rows, and decide everything.

    Args:
        sources: one a model, as for `lossctl.evaluate`; the first has the labels and is the baseline. What else is
            asked of rows (weights, groups, clusters, conditions) is taken from the first that has it.
        request: what is asked for, with one prediction at most: it is meant of every source that has it. Others are
            told from the columns: those of the first where they are there, too.
        reading: as for `lossctl.evaluate`.
        names: what models are called; an empty one, and all where left out, by their files.
        labels: a data set with the labels, matched with the first.
        ids: the key columns; told from the columns where left out. ``COL=COL`` is what the first calls one and what
            the others do, or with labels what these call it; a file that has the other of both names has that.
        join: ``strict`` (every key in all), ``inner`` (the keys that all have) or ``order``.
        others: whether to carry all columns along.

    Returns:
        A data set in memory, in the order of the first; the plan, of which the first model is that of the first source;
        and what was matched.

    Raises:
        UsageError: as for `lossctl.evaluate`.
        Undecided: likewise.
        DataError: likewise; or labels that two sources have do not agree.
    """

    def prepare(_: Settings, *asked: Any, **how: Any) -> tuple[Source, Plan]:
        prepared = _prepared(sources, *asked, names=names, labels=labels, **how)
        return prepared.source, prepared.plan

    try:
        return _prepared(sources, request, reading, names=names, labels=labels, ids=ids, join=join, others=others)
    except Undecided as question:
        if not question.ways or not is_retried(*sources, labels):
            raise
        measure = partial(run, running=SERIAL)
        raise offered(question, request, reading, ids, join, prepare=prepare, measure=measure) from None


def _prepared(
    sources: Sequence[Any],
    request: Request,
    reading: Reading | None = None,
    *,
    names: Sequence[str] = (),
    labels: Any = None,
    ids: Sequence[str] = (),
    join: str = "strict",
    others: bool = False,
) -> Prepared:
    """As `prepare_models`, with ways that are not tried."""
    check_words(request, reading)
    joining.check_join(ids, join)
    if join not in HOW:
        what = f"{option(join=join)}: models are compared on the rows that all of them have"
        raise UsageError(what, ONLY)
    if len(request.prediction) > 1:
        hint = f"Give one {option('prediction')}, or none, for models in a file each; several are of one data set."
        raise UsageError(f"{len(request.prediction)} predictions, and {len(sources)} files of a model each", hint)
    if [path_of(source) for source in (*sources, labels)].count(STDIN) > 1:
        raise UsageError("stdin can be read only once")
    stamps: dict[str, Stamp] = {}
    reading = placing(reading, request, ids, apart=True)
    opened = [open_source(source, reading, stamps) for source in sources]
    answers = [] if labels is None else [open_source(labels, reading, stamps)]
    ensure_heeded(reading, *opened, *answers)
    called = names_of(sources, _titled(request, opened, names))
    meant = request
    base, request, facts, notes, keys, told = _with_labels(opened[0], request, answers, ids, join, others=others)
    label = tuple(name for pattern in request.label for name in find(pattern, base.columns, "label"))
    _ensure_one(request.prediction)
    first = Side(called[0], base, joining.predicted(request.prediction[0], base.columns), label)
    if join != "order" and not keys:
        keys, why = _chosen_key(first, opened[1:], request, join) or _ask(
            sources, request, reading, names, first, opened[1:]
        )
        notes = (*notes, f"id {in_quotes(keys[0])} chosen {why}")
    others_keys = [
        _keys(keys, base, source, name, own=bool(answers)) for name, source in zip(called[1:], opened[1:], strict=True)
    ]
    sides = [replace(first, keys=tuple(Key(key.left, key.left) for key in others_keys[0]))]
    for name, source, matching in zip(called[1:], opened[1:], others_keys, strict=True):
        side, more = _candidate(name, source, first, meant, request, matching, join)
        side = replace(side, keys=matching)
        if join == "order":
            titles = title_of(opened[0]), title_of(source)
            roles = {*first.truths, *first.columns, *side.columns}
            bare = replace(request, label=(), prediction=())
            ensure_same_order(opened[0], source, bare, titles, roles)
            own = [each.name for each in source.columns if plain_name(each.name) in LABELS[0]]
            if not (answers or side.truths) and len(first.truths) == len(own) == 1:
                ensure_same_labels(opened[0], source, Key(first.truths[0], own[0]), titles)
        sides.append(replace(side, truths=()) if answers else side)
        notes = (*notes, *more)
    given = [path_of(source) or title_of(opened) for source, opened in zip(sources, opened, strict=True)]
    quoted = [repr(side.name) if "," in side.name else side.name for side in sides]
    which = [f"{name} is {title}" for name, side, title in zip(quoted, sides, given, strict=True) if side.source.files]
    notes = (f"a file a model: {', '.join(which)}", *notes) if which else notes
    table, asked, matched, remarks = side_by_side(sides, request, join, others=others)
    facts = {**({"labels": facts} if facts else {}), **matched}
    chosen = selected(table, request.where, request.limit)
    plan = planned(chosen, asked, reading, ("; ".join(notes),) if notes else (), (*told, *remarks))
    return Prepared(chosen, plan, facts, (*opened, *answers))


def _with_labels(
    source: Source, request: Request, labels: Sequence[Source], ids: Sequence[str], how: str, *, others: bool
) -> tuple[Source, Request, dict[str, Any], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The baseline's data set with its labels, the request with both roles, what was joined, notes, keys, remarks."""
    own = _meant(request, source.columns)
    if labels:
        joined = joining.join(source, labels[0], ids, how, own, others=others)
        keys = tuple(map(str, joined.keys))
        return joined.source, joined.request, joined.facts, joined.notes, keys, joined.remarks
    roles = complete_roles(source, _owned(own, source))
    return (
        source,
        replace(own, label=roles.request.label, prediction=roles.request.prediction),
        {},
        roles.notes,
        tuple(ids),
        (),
    )


def _keys(patterns: Sequence[str], base: Source, source: Source, name: str, *, own: bool) -> tuple[Key, ...]:
    """The key columns of the baseline, as another data set calls them; ``own``: as itself rather than as labels do."""
    keys: list[str] = []
    for pattern in patterns:
        readings = [pattern, pattern.partition("=")[0]]
        for reading in reversed(readings) if own else readings:
            with contextlib.suppress(UsageError):
                keys.append(str(keys_named([reading], base.columns, source.columns)[0]))
                break
        else:
            keys.append(pattern)
    return keys_named(keys, base.columns, source.columns, name)


def _owned(request: Request, source: Source) -> Request:
    """The request without weights and groups that a data set has not: another has them."""
    known = {column.name for column in known_columns(source)}
    by = tuple(pattern for pattern in request.by if grouped_columns([pattern], source.columns))
    return replace(request, by=by, weight=request.weight if request.weight in known else None)


def _titled(request: Request, sources: Sequence[Source], names: Sequence[str]) -> Sequence[str]:
    """What models are called, the only candidate as its prediction says.

    Raises:
        UsageError: the prediction is in none of the sources, or says how several are called.
    """
    if not request.prediction:
        return names
    pattern = request.prediction[0]
    held = [source for source in sources if _meant(request, source.columns).prediction]
    if not held:
        find(titled(pattern, sources[0].columns)[1], sources[0].columns, "prediction")
    title = next(filter(None, (titled(pattern, source.columns)[0] for source in held)), "")
    if title and len(sources) > 2:
        what = f"prediction {pattern!r} names a model, and there are {len(sources)} files of one each"
        raise UsageError(what, "Name the files: NAME=FILE.")
    return names if not title or any(names[1:]) else (*names[:1], *[""] * (1 - len(names)), title)


def _meant(request: Request, columns: Sequence[Column]) -> Request:
    """The request with the prediction that it names where a data set has that, else with none."""
    patterns = [titled(pattern, columns)[1] for pattern in request.prediction]
    try:
        for pattern in patterns:
            find(pattern, columns, "prediction")
    except UsageError:
        return replace(request, prediction=())
    return replace(request, prediction=tuple(patterns))


def _chosen_key(
    first: Side, candidates: Sequence[Source], request: Request, how: str
) -> tuple[tuple[str, ...], str] | None:
    """The one column that is the key of all, and why; ``None`` where it is not clear."""
    shared = _shared(first, candidates, request)
    choices = {chosen_key(first.source, candidate, shared, how) for candidate in candidates}
    choice = choices.pop() if len(choices) == 1 else None
    return None if choice is None else ((choice[0],), choice[1])


def _shared(first: Side, candidates: Sequence[Source], request: Request) -> tuple[str, ...]:
    """The columns that all have and that could be a key, in the order of the first."""
    bare = replace(request, label=(), prediction=())
    taken = {*first.truths, *first.columns}
    each = [{*shared_columns(first.source, candidate, bare)} - taken for candidate in candidates]
    return tuple(column.name for column in first.source.columns if all(column.name in names for names in each))


def _ask(
    sources: Sequence[Any],
    request: Request,
    reading: Reading | None,
    names: Sequence[str],
    first: Side,
    candidates: Sequence[Source],
) -> tuple[tuple[str, ...], str]:
    """Raise an `Undecided` that says which key it could be, or that rows could go by their order."""
    shared = _shared(first, candidates, request)
    ways: list[Settings] = []
    if not any(source.once for source in (first.source, *candidates)):
        telling = any(unlike_keys(first.source, candidate) for candidate in candidates)
        for keys in possible_keys(shared):
            if telling and not keys:
                continue
            join = "strict" if keys else "order"
            with contextlib.suppress(LossctlError):
                _prepared(sources, request, reading, names=names, ids=keys, join=join)
                ways.append((("ids", ",".join(keys)) if keys else ("join", "order"),))
            if len(ways) == joining.SHOWN:
                break
    raise Undecided(
        f"models in a file each need {option(ids='COL')}, the column that all files share: "
        f"{what_is_open(shared, first.source, candidates[0])}{caution(ways)}",
        order_or_numbers(shared),
        tuple(ways),
    )


def _candidate(
    name: str, source: Source, first: Side, meant: Request, request: Request, keys: tuple[Key, ...], how: str
) -> tuple[Side, tuple[str, ...]]:
    """The side of a candidate, and what was chosen for it.

    Args:
        name, source: what it is called, and its data.
        first: that of the baseline.
        meant, request: what was asked for, and that with the columns of the baseline.
        keys, how: as for a join.

    Raises:
        UsageError: it is not clear which columns are its prediction; says of which file.
    """
    known = {column.name for column in known_columns(source)}
    truths = first.truths if {*first.truths} <= known else ()
    named = _meant(meant, source.columns).prediction
    if named:
        return Side(name, source, joining.predicted(named[0], source.columns), truths), ()
    if {*first.columns} <= known:
        return Side(name, source, first.columns, truths), ()
    asked = replace(_owned(request, source), prediction=(), label=first.truths)
    try:
        if truths:
            roles = complete_roles(source, asked)
        else:
            turned = tuple(Key(key.right, key.left) for key in keys)
            roles = complete_roles(source, asked, joining.elsewhere(source, first.source, turned, how))
        _ensure_one(roles.request.prediction)
    except UsageError as error:
        raise error.about(" ".join(source.files) or name) from None
    side = Side(name, source, joining.predicted(roles.request.prediction[0], source.columns), truths)
    return side, tuple(f"{name}: {note}" for note in roles.notes)


def _ensure_one(prediction: Sequence[str]) -> None:
    """Check that a data set has one model; a `UsageError` where not."""
    if len(prediction) > 1:
        hint = f"Name the one to compare: {option(prediction=prediction[0])}."
        raise UsageError(f"several columns are predictions: {', '.join(prediction)}", hint)
