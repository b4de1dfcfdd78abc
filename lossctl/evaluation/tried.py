"""Ways on that are offered: each is tried on some rows before, with what it needs beside, or it is left out."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pyarrow as pa

from lossctl.errors import LossctlError, Undecided
from lossctl.evaluation.plan import Plan
from lossctl.inference.questions import SHOWN
from lossctl.inference.request import Request, Settings
from lossctl.inference.sample import sampled
from lossctl.reading.expand import expand
from lossctl.reading.format import Reading, Source
from lossctl.reading.memory import MemorySource
from lossctl.words import split

ROUNDS = 3
"""How often what a way needs beside is asked for."""
MOST_WAYS = 20
"""How many ways are offered: models that no loss suits together have one each."""
MOST = 1 << 27
"""Bytes of files up to which it is tried."""
SEVERAL = {"label", "prediction", "loss", "by"}
"""Settings of a request that stand for several."""


def offered(
    question: Undecided,
    request: Request,
    reading: Reading | None,
    ids: Sequence[str],
    join: str,
    *,
    prepare: Callable[..., tuple[Source, Plan]],
    measure: Callable[[Source, Plan], object],
) -> Undecided:
    """The question with those of its ways that go on, and what these need beside.

    Args:
        question: what was raised.
        request, reading, ids, join: what was asked for.
        prepare: given a way, and the same as it asks for them, opens the data and plans; it raises what that raises.
        measure: what measures.
    """

    def attempt(way: Settings) -> None:
        how = {"ids": _keys_of(way, ids), "join": str(dict(way).get("join", join))}
        _ensure_measurable(*prepare(way, _asking(request, way), _read_as(reading, way), **how), measure)

    ways = tuple(dict.fromkeys(way for each in question.ways for way in _mended(each, attempt, ROUNDS)))
    return question if ways == question.ways else Undecided(question.parts[0], question.otherwise, ways[:MOST_WAYS])


def _mended(way: Settings, attempt: Callable[[Settings], None], rounds: int) -> Iterator[Settings]:
    """A way that goes on, as it is or with what it needs beside; nothing where none does."""
    try:
        attempt(way)
    except LossctlError as error:
        for more in error.ways[:SHOWN] if rounds else ():
            yield from _mended(_both(way, more), attempt, rounds - 1)
    else:
        yield way


def _both(way: Settings, more: Settings) -> Settings:
    """A way with other settings, which stand in the place of those of their names; rows match by one of two."""
    names = {name for name, _ in more}
    names |= {"ids", "join"} if names & {"ids", "join"} else set()
    return (*(setting for setting in way if setting[0] not in names), *more)


def is_retried(*sources: Any) -> bool:
    """Whether data sets can be read again in little time: tables in memory, and files that are not large."""
    paths = [
        file
        for source in sources
        for path in (source if isinstance(source, list | tuple) else [source])
        if isinstance(path, str | os.PathLike)
        for file in _files(path)
    ]
    return all(os.path.isfile(path) for path in paths) and sum(map(os.path.getsize, paths)) <= MOST


def _files(path: str | os.PathLike[str]) -> tuple[str, ...]:
    try:
        return tuple(expand(os.fspath(path)))
    except LossctlError:
        return (os.fspath(path),)


def _asking(request: Request, way: Settings) -> Request:
    """The request with the settings of a way that are its own."""
    known = {field.name for field in fields(Request)} - {"ids"}
    values: dict[str, Any] = {}
    for name, value in way:
        if name in SEVERAL:
            values[name] = (*values.get(name, ()), value)
        elif name in known:
            values[name] = split(str(value)) if name in {"classes", "ignore_label"} else value
    return replace(request, **values)


def _keys_of(way: Settings, ids: Sequence[str]) -> Sequence[str]:
    """The columns by which a way matches rows, one of which may have no name; those named where it says nothing."""
    said = dict(way).get("ids")
    return ids if said is None else split(str(said)) or ("",)


def _read_as(reading: Reading | None, way: Settings) -> Reading | None:
    """How to read files, with the settings of a way that say it."""
    said: Mapping[str, Any] = {name: value for name, value in way if name in {"header", "decimal", "thousands"}}
    return replace(reading or Reading(), **said) if said else reading


def _ensure_measurable(source: Source, plan: Plan, measure: Callable[[Source, Plan], object]) -> None:
    """Check that some rows of the first part of a data set can be measured; errors as for `lossctl.evaluate`.

    Args:
        source: the data set.
        plan: what is to be measured.
        measure: what does it.
    """
    records = sampled(source, plan.layout.wanted(), parts=1).records
    tables = [pa.Table.from_batches([record]) for record in records]
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException:
        return  # parts of several types: not tried
    clustered = bool(plan.roles.cluster)  # the standard errors of rows that move together need it
    bare = replace(plan, gradient=False, samples=0, skill=False, paired=False, judged=clustered, moved=0)
    measure(MemorySource(table), replace(bare, held=False, drawn=False, lags=0))
