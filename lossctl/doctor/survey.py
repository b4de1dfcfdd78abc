"""What is in each column: by role, or with the roles it could play where the names do not say which it does."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from lossctl.dataclass import dataclass
from lossctl.evaluation.fold import fold
from lossctl.evaluation.running import Running
from lossctl.inference.candidates import Candidate, Contents, candidates, contents_of, readable, span
from lossctl.inference.facts import Facts
from lossctl.inference.layout import Layout
from lossctl.inference.patterns import LISTED, pattern_of
from lossctl.reading.columns import Column, unnested
from lossctl.reading.format import Source
from lossctl.sums.distribution import Distribution


def survey(source: Source, running: Running) -> tuple[int, tuple[Candidate, ...], tuple[str, ...]]:
    """The number of rows, every column with the roles it could play, and remarks on rows that were not chosen.

    A column plays no role whose name others have too.

    Raises:
        DataError: the data cannot be read.
    """
    columns, wanted = readable(unnested(source.columns))
    folded = fold(source, wanted, partial(contents_of, wanted), Contents(0, {}), running)
    return folded.total.rows, candidates(columns, folded.total), tuple(folded.passed.remarks())


@dataclass(frozen=True)
class Role:
    """What is in the columns of one role."""

    role: str
    """``label``, ``prediction``, ``weight`` or ``id``."""
    name: str
    """What the columns are called together; of predictions the model."""
    columns: tuple[str, ...]
    """The columns."""
    kind: str
    """``number``, ``text`` or ``vector``."""
    nulls: int
    """Rows without a value."""
    distinct: int | None
    """How many different values there are; ``None`` where they are more than are kept."""
    low: float | None = None
    """The smallest number."""
    high: float | None = None
    """The largest number."""
    integers: bool | None = None
    """``None`` where there are more different numbers than are kept."""
    zeros: float | None = None
    """The share of exact 0; ``None`` where it is not known, likewise."""
    ones: float | None = None
    """The share of exact 1; ``None`` where it is not known, likewise."""
    sum_to_one: float | None = None
    """The share of rows that sum to 1, of a vector."""
    words: tuple[str, ...] = ()
    """The first few different words of text."""


def described(facts: Facts, layout: Layout, columns: Sequence[Column]) -> Iterator[Role]:
    """What is in the columns of each role: label, each model's prediction, weight, id.

    Args:
        facts: what the pass saw.
        layout: which column plays which role.
        columns: those of the data.
    """
    roles = layout.roles

    def nulls(columns: Sequence[str]) -> int:
        return sum(problem.count for name in columns if (problem := facts.met("null", name)) is not None)

    pattern = pattern_of(roles.label, columns)
    many = f"{roles.label[0]} … {roles.label[-1]}" if len(roles.label) > LISTED else ", ".join(roles.label)
    title = many if "," in pattern else pattern
    counts = facts.words.counts
    if layout.text:
        distinct, words = (None, ()) if counts is None else (len(counts), tuple(sorted(counts)[:8]))
        yield Role("label", title, roles.label, "text", nulls(roles.label), distinct, words=words)
    else:
        kind = "vector" if layout.label_width else "number"
        off = facts.met("label off sum", roles.label[0])
        part = None if not layout.label_width or not facts.used else 1 - (off.count if off else 0) / facts.used
        yield Role("label", title, roles.label, kind, nulls(roles.label), **_numbers(facts.label), sum_to_one=part)
    for model, predicted in zip(layout.models, facts.models, strict=True):
        kind = "text" if model.name in layout.unread else "vector" if model.width else "number"
        part = None
        if model.width and facts.used:
            bad = sum(problem.count for kind in ("off sum", "below 0") if (problem := facts.met(kind, model.name)))
            part = max(0.0, 1 - bad / facts.used)
        numbers = _numbers(predicted.values)
        yield Role("prediction", model.name, model.columns, kind, nulls(model.columns), **numbers, sum_to_one=part)
    if roles.weight is not None:
        yield Role("weight", roles.weight, (roles.weight,), "number", nulls([roles.weight]), **_numbers(facts.weight))
    if layout.ids:
        distinct = len(facts.ids.hashes) if facts.ids.whole else None
        yield Role("id", ", ".join(layout.ids), layout.ids, "text", nulls(layout.ids), distinct)


def _numbers(values: Distribution) -> dict[str, Any]:
    if not values.n:
        return {"distinct": 0}
    shares = {"zeros": values.share(0.0), "ones": values.share(1.0)}
    return {"distinct": len(values.keys) if values.exact else None, **span(values), **shares}
