"""The rows of several data sets, one a model, side by side in one table; labels that two of them have must agree."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from lossctl.arrow import in_arrow
from lossctl.comparison.labels import ensure_same, remark_on
from lossctl.dataclass import dataclass
from lossctl.domain import IntArray
from lossctl.errors import DataError, UsageError, option
from lossctl.evaluation.keys import Key
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
    wordy,
)
from lossctl.inference.layout import words_among
from lossctl.inference.patterns import find
from lossctl.inference.request import Request
from lossctl.inference.roles import clusterings, groupings
from lossctl.reading.cells import floats
from lossctl.reading.columns import Column
from lossctl.reading.format import Source
from lossctl.reading.memory import MemorySource
from lossctl.words import free

ONLY = f"Compare what all have with {option(join='inner')}."
Named = TypeVar("Named")


@dataclass(frozen=True)
class Side:
    """The data set of one model."""

    name: str
    source: Source
    columns: tuple[str, ...]
    """Those of its prediction."""
    truths: tuple[str, ...] = ()
    """Labels that it has."""
    keys: tuple[Key, ...] = ()
    """The columns by which its rows are matched with those of the first."""

    @property
    def ids(self) -> tuple[str, ...]:
        """What it calls these columns."""
        return tuple(key.right for key in self.keys)

    @property
    def title(self) -> str:
        """What messages call it."""
        return " ".join(self.source.files) or self.name


@dataclass(frozen=True)
class Needs:
    """What is to be read of each of some sides, in their order."""

    names: list[set[str]]
    texts: list[set[str]]
    again: list[set[str]]
    """What an earlier side has, too, which counts."""
    by: tuple[str, ...]
    weight: str | None
    cluster: tuple[str, ...]
    ids: tuple[str, ...]


def side_by_side(
    sides: Sequence[Side], request: Request, how: str, *, others: bool
) -> tuple[MemorySource, Request, dict[str, Any], tuple[str, ...]]:
    """The rows that all sides have as one data set, the request with its columns, what was matched, and remarks.

    Raises:
        UsageError: a column is missing, or there twice.
        DataError: keys are null, repeated, or unmatched under ``strict``; labels do not agree; or no row is left.
    """
    keys = sides[0].ids
    needs = _needs(sides, request)
    read: list[pa.Table] = []
    for side, names, texts, again in zip(sides, needs.names, needs.texts, needs.again, strict=True):
        refuse_twins(side.source, {*side.ids, *names})
        read.append(read_columns(side.source, side.ids, names | again, texts, others=others))
    rows, facts, remarks = _rows(sides, read, how)
    if not len(rows[0]):
        raise DataError(f"{sides[0].title}: " + ("no data rows" if how == "order" else "no id is in all files"))
    remarks += tuple(_remarks(sides, read, rows, needs, how))
    first, base = sides[0], read[0]
    table = base.take(in_arrow(rows[0]))
    taken = {*table.column_names}
    for side, names in zip(sides, needs.names, strict=True):
        taken |= names - {*side.columns}
    columns = [tuple(_renamed(first.columns, taken - {*first.columns}, first.name))]
    for old, new in zip(first.columns, columns[0], strict=True):
        if new != old:
            table = table.append_column(new, table[old])
    taken |= {*columns[0]}
    inside = nested(first.source, {*needs.names[0], *keys}) | {
        column.name for column in first.source.columns if column.inside
    }
    numerals = {*numerals_in(base, first.source, needs.names[0] - needs.texts[0] - {*keys})}
    candidates = [*zip(sides, needs.names, needs.texts, read, rows, strict=True)][1:]
    for side, names, texts, own, places in candidates:
        picked = own.take(in_arrow(places))
        plain = {*numerals_in(own, side.source, names - texts - {*side.ids})}
        renamed = dict(zip(side.columns, _renamed(side.columns, taken, side.name), strict=True))
        known = {*table.column_names, *side.ids, *side.truths}
        known |= {*renamed, *renamed.values()}
        renamed |= {name: name for name in own.column_names if name not in known}
        for name, title in renamed.items():
            taken.add(title)
            table = table.append_column(title, picked[name])
        columns.append(tuple(renamed[name] for name in side.columns))
        inside |= {renamed[name] for name in nested(side.source, names) if name in renamed}
        numerals |= {renamed[name] for name in plain if name in renamed}
    numbered = None if not isinstance(first.source, MemorySource) else first.source.numbers
    asked = replace(
        request,
        label=first.truths,
        prediction=tuple(map(",".join, columns)),
        models=tuple(side.name for side in sides),
        weight=needs.weight,
        by=needs.by,
        cluster=needs.cluster,
        ids=needs.ids,
    )
    source = MemorySource(
        table.combine_chunks(),
        " joined with ".join(side.title for side in sides),
        first.source.files,
        rows[0] if numbered is None else numbered[rows[0]],
        frozenset(inside),
        frozenset(numerals),
    )
    return source, asked, facts, remarks


def _needs(sides: Sequence[Side], request: Request) -> Needs:
    """What is to be read of each side.

    Raises:
        UsageError: a column is in none of them.
    """
    weights = () if request.weight is None else _of_any(sides, lambda columns: find(request.weight, columns, "weight"))  # type: ignore[arg-type]
    by = tuple(
        grouping
        for pattern in request.by
        for grouping in _of_any(sides, lambda columns: groupings(pattern, columns))  # noqa: B023
    )
    ids = tuple(
        name
        for pattern in request.ids
        for name in _of_any(sides, lambda columns: find(pattern, columns, "id"))  # noqa: B023
    )
    clusters = tuple(
        grouping
        for pattern in request.cluster
        for grouping in _of_any(sides, lambda columns: clusterings(pattern, columns))  # noqa: B023
    )
    cluster = tuple(grouping.column for grouping in clusters)
    asked = _asked(request.where, sides)
    worded = {grouping.column for grouping in by if not grouping.quantiles} | {*cluster, *ids}
    worded |= {name for name, kind in asked.items() if kind != "number"}
    worded -= {*sides[0].truths, *weights}
    names: list[set[str]] = []
    texts: list[set[str]] = []
    left = {*weights, *(grouping.column for grouping in by), *cluster, *ids, *asked} - {*sides[0].ids}
    once, again = {*left}, list[set[str]]()
    vectors = any(
        len(side.columns) > 1 or kind_in(side.source, side.columns[0]) in {"list", "object"} for side in sides
    )
    classed = bool(request.classes) or vectors
    for side in sides:
        shared = left & {column.name for column in known_columns(side.source)}
        plain = [column.name for column in known_columns(side.source) if column.kind not in {"list", "object"}]
        taken = {*shared, *side.columns, *side.truths, *side.ids}
        again.append({name for name in once - taken if plain.count(name) == 1})
        left -= shared
        names.append({*side.columns, *side.truths, *shared})
        words = worded & shared | again[-1] | {*wordy(side.source, side.columns, known=False)}
        words |= {*wordy(side.source, side.truths, known=classed)}
        texts.append(words | ({*side.truths} if words_among(request.ignore_label) else set()))
    return Needs(names, texts, again, tuple(map(str, by)), (*weights, None)[0], tuple(map(str, clusters)), ids)


def _asked(where: str | None, sides: Sequence[Side]) -> dict[str, str]:
    """The kind of each column that the choice of rows is about, of the first side that has it; errors as of a join."""
    if where is None:
        return {}
    from lossctl.reading.asking import ensure_bound
    from lossctl.reading.where import parsed

    columns: list[Column] = []
    for side in sides:
        own = {column.name for column in columns}
        columns += [column for column in side.source.columns if column.name not in own]
    return ensure_bound(where, parsed(where), tuple(columns))


def _of_any(sides: Sequence[Side], look: Callable[[Sequence[Column]], Named]) -> Named:
    """What is found among the columns of the first side that has it; what is raised where none has is of all."""
    for side in sides:
        with contextlib.suppress(UsageError):
            return look(side.source.columns)
    return look([column for side in sides for column in side.source.columns])


def _rows(
    sides: Sequence[Side], read: Sequence[pa.Table], how: str
) -> tuple[list[IntArray], dict[str, Any], tuple[str, ...]]:
    """The rows of each side that all have, in the order of the first, what was matched, and what to say of it.

    Errors are those of `side_by_side`.
    """
    first, base, keys, remarks = sides[0], read[0], sides[0].ids, tuple[str, ...]()
    words = None if how == "order" else keys_of(base, keys, first.source)
    places: list[IntArray] = [np.arange(base.num_rows)]
    models = {first.name: {"files": [*first.source.files], "unmatched": 0}}
    for side, own in zip(sides[1:], read[1:], strict=True):
        if words is None:
            matched, counts, more = match_in_order(base, own, first.source, side.source)
        else:
            called = Called(
                (first.title, side.title),
                (f"rows of {first.title} are not in {side.title}", f"rows of {side.title} are not in {first.title}"),
                ONLY,
            )
            theirs = keys_of(own, side.ids, side.source).rename_columns(keys)
            matched, counts, more = match_by_key(words, theirs, [*keys], how, called)
        remarks += more
        left, right = (floats(matched[name].combine_chunks()).astype(np.int64) for name in (LEFT, RIGHT))
        truths = base.select([*side.truths]).take(in_arrow(left)), own.select([*side.truths]).take(in_arrow(right))
        identified = None if words is None else words.take(in_arrow(left))
        ensure_same(truths, (first.title, side.title), identified)
        place = np.full(base.num_rows, -1)
        place[left] = right
        places.append(place)
        models[side.name] = {"files": [*side.source.files], "unmatched": counts["unmatched_labels"]}
        models[side.name] |= {} if side.ids == keys else {"id": [*side.ids]}
    kept = np.flatnonzero(np.all([place >= 0 for place in places], axis=0))
    models[first.name]["unmatched"] = base.num_rows - len(kept)
    facts = {"models": models, "id": [*keys], "how": how, "matched": len(kept)}
    return [place[kept] for place in places], facts, remarks


def _remarks(
    sides: Sequence[Side], read: Sequence[pa.Table], rows: Sequence[IntArray], needs: Needs, how: str
) -> Iterator[str]:
    """Where a side says otherwise of a row what an earlier one says that counts, such as its weight or group.

    Args:
        sides, read, rows: what was read of each, and which of its rows are those of the others.
        needs: what was asked for.
        how: as for a join.
    """
    keys = None if how == "order" else read[0].select([*sides[0].ids]).take(in_arrow(rows[0]))
    for side, own, places, again in zip(sides, read, rows, needs.again, strict=True):
        for name in sorted(again):
            before = next(number for number, names in enumerate(needs.names) if name in names)
            cells = read[before][name].take(in_arrow(rows[before])), own[name].take(in_arrow(places))
            words = remark_on(name, cells, (sides[before].title, side.title), keys)
            if words:
                yield words


def _renamed(names: Sequence[str], taken: Iterable[str], model: str) -> Iterator[str]:
    """What the columns of a prediction are called beside others; several can stand in a list of columns."""
    others, suffix = {*taken}, f" ({model})"
    for name in names:
        title = name
        if len(names) > 1:
            title, suffix = (re.sub("[,=]", ";", text) for text in (name.strip().lstrip("/") or "_", suffix))
        title = free(title, others, suffix=suffix)
        others.add(title)
        yield title
