"""Labels that live in another file: matched with the predictions by key, strictly unless asked otherwise.

On request only, they are matched by the order of the rows.

Both sides are held in memory, in the columns that count; which these are is told from a sample of each before.
"""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from lossctl.errors import DataError, LossctlError, Undecided, UsageError, option
from lossctl.evaluation.running import SERIAL
from lossctl.evaluation.shared_keys import chosen_key, possible_keys, shared_columns
from lossctl.evaluation.traversal import Traversal
from lossctl.inference.fit import Settings
from lossctl.inference.grouping import Grouping
from lossctl.inference.infer import complete, complete_roles
from lossctl.inference.layout import words_among
from lossctl.inference.names import is_index, is_key
from lossctl.inference.request import Elsewhere, Request
from lossctl.inference.roles import find, groupings, titled
from lossctl.inference.sample import sampled
from lossctl.reading.cells import BadRow, kind_of, scalar_column, text_of
from lossctl.reading.columns import Column, fields_in
from lossctl.reading.files import narrowed
from lossctl.reading.format import Source, Wanted
from lossctl.reading.inferred_types import is_number
from lossctl.reading.memory import MemorySource
from lossctl.reading.selection import selected
from lossctl.reading.storage import is_list, takeable
from lossctl.words import counted, free

HOW = ("strict", "inner", "left", "order")
LEFT, RIGHT = "left row", "right row"
LOOK = 1 << 10
"""How many labels are looked at to tell names from numbers."""
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
    notes: tuple[str, ...] = ()
    """What was taken for what nobody named."""
    question: Undecided | None = None
    """Which column plays which role, where that is not clear and all columns are carried along all the same."""


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
        ids: the key columns, by the same names in both; told from the columns where left out, and none where rows
            match in order.
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
    _check(ids, how)
    if "stdin" in predictions.files and "stdin" in labels.files:
        raise UsageError("stdin can be read only once")
    if how != "order" and not ids:
        return _join_by_chosen_key(predictions, labels, how, request, others=others, survey=survey)
    ids = tuple(dict.fromkeys(_id(pattern, predictions, labels) for pattern in ids))

    def matched(named: Request) -> tuple[Source, Request]:
        if predictions.once or labels.once:
            raise UsageError("what can be read only once is not read to try")
        joined = _matched(predictions, labels, ids, how, named)
        return selected(joined.source, request.where, request.limit), joined.request

    try:
        roles = complete_roles(predictions, request, Elsewhere(labels, ids, matched))
    except Undecided as question:
        if not survey:
            raise
        return replace(_matched(predictions, labels, ids, how, request, survey=True), question=question)
    joined = _matched(predictions, labels, ids, how, roles.request, others=others, survey=survey)
    return replace(joined, notes=roles.notes)


def _matched(
    predictions: Source,
    labels: Source,
    ids: Sequence[str],
    how: str,
    request: Request,
    *,
    others: bool = False,
    survey: bool = False,
) -> Joined:
    """As `join`, by a key that is known, with the columns of the roles that are named."""
    left_names = {column.name for column in _known(predictions)}
    label = tuple(name for pattern in request.label for name in find(pattern, labels.columns, "label"))
    prediction = tuple(request.prediction)
    weight = None if request.weight is None else _either(request.weight, predictions, labels, "weight")[0]
    by = tuple(grouping for pattern in request.by for grouping in _grouped(pattern, predictions, labels))
    grouped = {grouping.column for grouping in by}
    shared = [*grouped, *([] if weight is None else [weight])]
    asked = _asked(request.where, predictions, labels)
    shared += [name for name in asked if name not in (*label, *ids)]
    from_left = {name for name in shared if name in left_names}
    left_needed = {name for pattern in prediction for name in _predicted(pattern, predictions.columns)} | from_left
    right_needed = {*label, *(name for name in shared if name not in left_names)}
    texts = grouped - {*label, weight, *(grouping.column for grouping in by if grouping.quantiles)}
    texts |= {name for name, kind in asked.items() if kind != "number" and name not in (*label, weight)}
    models = [_predicted(pattern, predictions.columns) for pattern in prediction]
    vectors = any(len(names) > 1 or _kind(predictions, names[0]) in {"list", "object"} for names in models)
    worded = survey or bool(request.classes) or vectors
    left_texts = texts & left_names | {*_texts(predictions, chain(*models), known=survey)}
    right_texts = texts & right_needed | {*_texts(labels, label, known=worded)}
    right_texts |= {*label} if words_among(request.ignore_label) else set()
    _refuse_twins(predictions, {*ids, *left_needed})
    _refuse_twins(labels, {*ids, *right_needed})
    left = _read(predictions, ids, left_needed, left_texts, others=others or survey)
    right = _read(labels, ids, right_needed, right_texts, others=others or survey)
    if how == "order":
        matched, facts = _in_order(left, right, predictions, labels)
    else:
        matched, facts = _match(_keys(left, ids, predictions), _keys(right, ids, labels), list(ids), how)
    own, taken, renamed = {*left.column_names}, {*left.column_names, *right.column_names}, {}
    for name in right.column_names:
        renamed[name] = free(name, taken, suffix=" (labels)") if name in own else name
        taken.add(renamed[name])
    table = left.take(matched[LEFT])
    twice = {name for name in own - right_needed if survey and (is_index(name) or is_key(name))}  # if rows go by order
    for name, column in zip(right.column_names, right.columns, strict=True):
        if name not in ids and name not in twice:
            table = table.append_column(renamed[name], column.take(matched[RIGHT]))
    if not matched.num_rows:
        none = "no data rows" if how == "order" else f"no id has a label in {_title(labels)}"
        raise DataError(f"{_title(predictions)}: {none}")
    inside = {*_inside(predictions, {*left_needed, *ids}), *(renamed[name] for name in _inside(labels, right_needed))}
    title = " joined with ".join(_title(source) for source in (predictions, labels))
    named = tuple(renamed[name] for name in label)
    named_models = tuple(_named(pattern, predictions.columns) for pattern in prediction)
    changed = {"label": named, "prediction": named_models, "weight": weight, "by": tuple(map(str, by))}
    return Joined(
        MemorySource(
            table.combine_chunks(),
            title,
            predictions.files,
            np.array(matched[LEFT].to_pylist(), np.int64),
            frozenset(inside),
            frozenset(
                [*_numerals(left, predictions, left_needed - left_texts - {*ids})]
                + [renamed[name] for name in _numerals(right, labels, right_needed - right_texts - {*ids})]
                + [*_numerals(left, predictions, asked.keys() & {*ids})]
            ),
        ),
        Request(**{**vars(request), **changed}),
        request,
        {"labels": list(labels.files), "predictions": list(predictions.files), "id": list(ids), "how": how, **facts},
    )


def _asked(where: str | None, predictions: Source, labels: Source) -> dict[str, str]:
    """The kind of each column that the choice of rows is about, of either side, first of the predictions.

    Raises:
        UsageError: there is no such column, or it is held against what it cannot be.
    """
    if where is None:
        return {}
    from lossctl.reading.asking import ensure_bound
    from lossctl.reading.where import parsed

    own = {column.name for column in _known(predictions)}
    others = tuple(column for column in labels.columns if column.name not in own)
    return ensure_bound(where, parsed(where), (*predictions.columns, *others))


def _check(ids: Sequence[str], how: str) -> None:
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
    choice = chosen_key(predictions, labels, shared)
    if choice is not None:
        key, why = choice
        joined = join(predictions, labels, (key,), how, request, others=others, survey=survey)
        return replace(joined, notes=(f"id {key!r} chosen {why}", *joined.notes))
    ways: list[Settings] = []
    if not (predictions.once or labels.once):
        for key_columns in (*possible_keys(shared), ()):
            way = ("join", "order") if not key_columns else ("ids", ",".join(key_columns))
            with contextlib.suppress(LossctlError):
                ways.append((way, *_rest(predictions, labels, key_columns, how, request, survey=survey)))
            if len(ways) == SHOWN:
                break
    which = f"several columns could be it: {', '.join(shared)}" if shared else "they share no column that could be it"
    raise Undecided(
        f"{option('labels')} needs {option(ids='COL')}, the column that both files share: {which}",
        f"If rows stand in the same order in both, and only then: {option(join='order')}.",
        tuple(ways),
    )


def _rest(
    predictions: Source, labels: Source, ids: Sequence[str], how: str, request: Request, *, survey: bool
) -> Settings:
    """What is to be asked for beside a key, or the order of the rows where there is none; errors as for `join`."""
    try:
        joined = join(predictions, labels, ids, how if ids else "order", request, survey=survey)
        if not survey:
            complete(selected(joined.source, request.where, request.limit), joined.request)
    except Undecided as question:
        if question.ways:
            return question.ways[0]
        raise
    return ()


def _in_order(left: pa.Table, right: pa.Table, predictions: Source, labels: Source) -> tuple[pa.Table, dict[str, Any]]:
    """As `_match`, each row with that in its place.

    Raises:
        DataError: one side has more rows.
    """
    if left.num_rows != right.num_rows:
        counts = [
            f"{counted(table.num_rows, 'row')} in {_title(source)}"
            for table, source in ((left, predictions), (right, labels))
        ]
        hint = f"Nothing tells which rows belong together; match them by key: {option(ids='COL')}."
        raise DataError(f"{option(join='order')}: {counts[0]}, but {counts[1]}", hint)
    rows = pa.array(range(left.num_rows), pa.int64())
    facts = {"matched": left.num_rows, "unmatched_predictions": 0, "unmatched_labels": 0}
    return pa.table({LEFT: rows, RIGHT: rows}), facts


def _inside(source: Source, names: set[str]) -> set[str]:
    """Those of some columns that stand inside others."""
    return names - {column.name for column in source.columns}


def _id(pattern: str, predictions: Source, labels: Source) -> str:
    """The one column that a pattern names on both sides.

    Raises:
        UsageError: it names none or several, or different ones.
    """
    names: list[str] = []
    for side, source in (("predictions", predictions), ("labels", labels)):
        columns = find(pattern, source.columns, f"id of the {side}")
        if len(columns) > 1:
            raise UsageError(f"id {pattern!r} matches {len(columns)} columns of the {side}", "Name each.")
        names += columns
    if names[0] != names[1]:
        what = f"id {pattern!r} is column {names[0]!r} of the predictions, but {names[1]!r} of the labels"
        raise UsageError(what, "The column must have one name in both: rename one.")
    return names[0]


def _either(pattern: str, predictions: Source, labels: Source, role: str) -> tuple[str, ...]:
    """The columns a pattern stands for among the predictions, else among the labels."""
    try:
        return find(pattern, predictions.columns, role)
    except UsageError:
        return find(pattern, (*labels.columns, *predictions.columns), role)


def _grouped(pattern: str, predictions: Source, labels: Source) -> tuple[Grouping, ...]:
    """What a pattern groups by among the predictions, else among the labels; a column of that very name comes first."""
    try:
        groups = groupings(pattern, predictions.columns)
    except UsageError:
        return groupings(pattern, (*labels.columns, *predictions.columns))
    return (Grouping(pattern),) if pattern in {column.name for column in _known(labels)} else groups


def _kind(source: Source, name: str) -> str:
    """The kind of a column."""
    return next(column.kind for column in _known(source) if column.name == name)


def _texts(source: Source, names: Iterable[str], *, known: bool) -> Iterator[str]:
    """Those of some columns of text that hold no number, as far as is looked, or all where it is known that they do."""
    for name in names:
        if _kind(source, name) == "text":
            sample = () if known else sampled(source, Wanted(frozenset(), frozenset({name})), most=LOOK).records
            cells = (cell for record in sample for cell in record.column(name).to_pylist())
            if not any(cell is not None and is_number(cell) for cell in cells):
                yield name


def _known(source: Source) -> tuple[Column, ...]:
    """The columns of a data set and the fields inside them."""
    return (*source.columns, *fields_in(source.columns))


def _predicted(pattern: str, columns: Sequence[Column]) -> tuple[str, ...]:
    """The columns of one model's prediction, as asked for: ``PATTERN`` or ``name=PATTERN``; errors as for `find`."""
    return find(titled(pattern, columns)[1], columns, "prediction")


def _refuse_twins(source: Source, needed: set[str]) -> None:
    """Raise a `UsageError` where a column that counts is there twice."""
    for name, times in Counter(column.name for column in _known(source)).items():
        if times > 1 and name in needed:
            raise UsageError(f"{_title(source)}: two columns are called {name!r}", "Rename one.")


def _named(pattern: str, columns: Sequence[Column]) -> str:
    """The pattern of a model with names in place of ``#N`` and globs: behind a join there are other columns.

    A glob stays as it is where names could not be told apart in a list.
    """
    if pattern.startswith("/") or pattern in {column.name for column in (*columns, *fields_in(columns))}:
        return pattern
    names = _predicted(pattern, columns)
    title = titled(pattern, columns)[0]
    if len(names) == 1 and not title:
        return names[0]
    if "#" not in pattern and ("=" in (title or pattern) or any("," in name for name in names)):
        return pattern
    return f"{title or pattern}={','.join(names)}"


def _read(source: Source, ids: Sequence[str], needed: set[str], texts: set[str], *, others: bool) -> pa.Table:
    """The ids and the needed columns of a source, or all columns, as one table; a `DataError` without rows."""
    objects = frozenset(column.name for column in _known(source) if column.kind == "object" and column.name in needed)
    wanted = Wanted(frozenset(needed - texts - {*ids}), frozenset({*ids, *texts}), others, whole=objects)
    passed = Traversal(narrowed(source, needed | {*ids}), SERIAL)
    batches = [takeable(batch) for batch in passed.batches(wanted)]
    if not batches:
        raise DataError(f"{_title(source)}: no data rows")
    try:
        return _stacked(batches)
    except pa.ArrowException:
        # Such as numbers in one file, words in another, or integers that are no doubles in some rows only.
        numerals = {name for batch in batches for name in _numerals(batch, source, wanted.numbers)}
        batches = [_alike(batch, wanted, numerals, source) for batch in batches]
    try:
        return _stacked(batches)
    except pa.ArrowException as error:
        what = f"{_title(source)}: a column has other types in some rows than in others: {error}"
        raise DataError(what, "Write it with one type in all files.") from None


def _numerals(rows: pa.Table | pa.RecordBatch, source: Source, names: Iterable[str]) -> Iterator[str]:
    """The columns of some names that are numbers, but came as text for the sake of integers that are no doubles."""
    for name in names:
        kind = rows.schema.field(name).type
        cell, role = (kind.value_type, "list") if is_list(kind) else (kind, "number")
        if pa.types.is_string(cell) and _kind(source, name) == role:
            yield name


def _stacked(batches: list[pa.RecordBatch]) -> pa.Table:
    """Record batches as one table; an `ArrowException` where their types cannot be merged, or not without loss."""
    fields = [field for batch in batches for field in batch.schema]
    floating = {field.name for field in fields if pa.types.is_floating(field.type)}
    rounded = [field.name for field in fields if pa.types.is_decimal(field.type) and field.name in floating]
    if rounded:
        raise pa.ArrowTypeError(f"{rounded[0]!r} is decimal and floating")
    tables = [pa.Table.from_batches([batch]) for batch in batches]
    return pa.concat_tables(tables, promote_options="permissive")


def _alike(record: pa.RecordBatch, wanted: Wanted, numerals: set[str], source: Source) -> pa.RecordBatch:
    """The rows with every column of numbers as doubles, or as numerals, and those to be read as text as text.

    Raises:
        DataError: some cannot be read as text.
    """
    for index, field in enumerate(record.schema):
        array = record.column(index)
        if field.name in numerals and is_list(field.type):
            record = record.set_column(index, field.name, array.cast(pa.list_(pa.string())))
        elif field.name in wanted.texts | numerals:
            record = record.set_column(index, field.name, _text(array, field.name, source))
        elif field.name in wanted.numbers and kind_of(field.type) == "number":
            values, null = scalar_column(array)
            record = record.set_column(index, field.name, pa.array(values, mask=null))
    return record


def _text(array: pa.Array, name: str, source: Source) -> pa.Array:
    try:
        return text_of(array, name)
    except BadRow as bad:
        raise DataError(f"{_title(source)}: {bad.what}", "Join on columns of numbers or words.") from None


def _match(left: pa.Table, right: pa.Table, ids: list[str], how: str) -> tuple[pa.Table, dict[str, Any]]:
    """The row numbers of matching rows, columns `LEFT` and `RIGHT` in the order of the left, and how many matched.

    Raises:
        DataError: as for `join`.
    """
    import pyarrow.compute as pc

    rows = [free(row, ids, "lossctl ") for row in (LEFT, RIGHT)]
    sides = [
        keys.append_column(row, pa.array(range(keys.num_rows), pa.int64()))
        for keys, row in zip((left, right), rows, strict=True)
    ]
    for side, table in zip(("predictions", "labels"), sides, strict=True):
        for name in ids:
            if table[name].null_count:
                raise DataError(f"id {name!r} is null in {table[name].null_count:,} rows of the {side}")
        times = table.group_by(ids).aggregate([([], "count_all")])
        repeated = times.filter(pc.greater(times["count_all"], 1))
        if repeated.num_rows:
            what = f"{repeated.num_rows:,} ids occur more than once in the {side}, such as {_examples(repeated, ids)}"
            raise DataError(
                what, f"Ids must be unique on both sides; more columns may tell rows apart: {option(ids='A,B')}."
            )
    missing = [first.join(second, ids, join_type="left anti") for first, second in (sides, sides[::-1])]
    facts = {"unmatched_predictions": missing[0].num_rows, "unmatched_labels": missing[1].num_rows}
    if how == "strict" and any(facts.values()):
        parts = [
            f"{table.num_rows:,} {side} have no {role}, such as {_examples(table, ids)}"
            for side, role, table in (("predictions", "label", missing[0]), ("labels", "prediction", missing[1]))
            if table.num_rows
        ]
        raise DataError(
            "; ".join(parts),
            f"Join on what matches with {option(join='inner')}, or keep all predictions: {option(join='left')}.",
        )
    kind = "left outer" if how == "left" else "inner"
    matched = sides[0].join(sides[1], ids, join_type=kind).sort_by(rows[0])
    matched = matched.select(rows).rename_columns([LEFT, RIGHT])
    return matched, {"matched": sides[0].num_rows - missing[0].num_rows, **facts}


def _keys(table: pa.Table, ids: Sequence[str], source: Source) -> pa.Table:
    """The key columns of a side as text; an empty key is missing.

    Raises:
        DataError: some cannot be read as text.
    """
    import pyarrow.compute as pc

    columns = {}
    for name in ids:
        words = pa.chunked_array([_text(part, name, source) for part in table[name].chunks], pa.string())
        columns[name] = pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words)
    return pa.table(columns)


def _title(source: Source) -> str:
    """What messages call a data set."""
    return " ".join(source.files) or "the table"


def _examples(table: pa.Table, ids: list[str]) -> str:
    """The ids of the first three rows, for a message."""
    rows = table.select(ids).slice(0, 3).to_pylist()
    return "; ".join(", ".join(str(row[name]) for name in ids) for row in rows)
