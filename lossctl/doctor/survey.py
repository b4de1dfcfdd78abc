"""What is in each column: by role, or with the roles it could play where the names do not say which it does."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lossctl.evaluation.clock import Clock
from lossctl.evaluation.fold import fold
from lossctl.evaluation.running import Running
from lossctl.inference.classes import class_names, key_of
from lossctl.inference.facts import Facts, Words
from lossctl.inference.layout import Layout
from lossctl.inference.roles import LABEL_NAMES
from lossctl.reading.cells import scalar_column
from lossctl.reading.columns import Column
from lossctl.reading.format import Source, Wanted
from lossctl.sums.distribution import Distribution

FEW = 50
"""Different words up to which a column of text may be a label."""


@dataclass(frozen=True)
class Content:
    """What is in one column; contents of rows add up."""

    nulls: int = 0
    numbers: Distribution = field(default_factory=Distribution.zero)
    words: Words = field(default_factory=Words)

    def __add__(self, other: "Content") -> "Content":
        return Content(self.nulls + other.nulls, self.numbers + other.numbers, self.words + other.words)


@dataclass(frozen=True)
class Contents:
    """What is in all columns; contents of rows add up."""

    rows: int
    columns: Mapping[str, Content]

    def __add__(self, other: "Contents") -> "Contents":
        names = dict.fromkeys((*self.columns, *other.columns))
        empty = Content()
        merged = {name: self.columns.get(name, empty) + other.columns.get(name, empty) for name in names}
        return Contents(self.rows + other.rows, merged)


@dataclass(frozen=True)
class Candidate:
    """A column, and the roles it could play, likeliest first."""

    name: str
    kind: str
    """``number``, ``text``, ``list`` or ``other``."""
    content: Content
    roles: tuple[str, ...]

    @property
    def distinct(self) -> int | None:
        """How many different values there are; ``None`` where they are too many to say, or lists."""
        if self.kind == "text":
            return None if self.content.words.counts is None else len(self.content.words.counts)
        return len(self.content.numbers.keys) if self.kind == "number" and self.content.numbers.exact else None

    def to_dict(self) -> dict[str, Any]:
        """The column in strings, numbers and lists."""
        facts = {"name": self.name, "kind": self.kind, "nulls": self.content.nulls, "distinct": self.distinct}
        return {**facts, **span(self.content.numbers), "could_be": list(self.roles)}


def survey(source: Source, running: Running) -> tuple[int, tuple[Candidate, ...]]:
    """The number of rows, and every column with the roles it could play: none plays one whose name others have too.

    Raises:
        DataError: the data cannot be read.
    """
    times = Counter(column.name for column in source.columns)
    columns = [column for column in source.columns if times[column.name] == 1]
    kinds = {column.name: column.kind for column in columns}
    numbers = frozenset(name for name, kind in kinds.items() if kind == "number")
    texts = frozenset(name for name, kind in kinds.items() if kind == "text")
    contents = fold(source, Wanted(numbers, texts), partial(_contents, texts), Contents(0, {}), running).total
    return contents.rows, tuple(_candidate(column, contents) for column in columns)


def _contents(texts: frozenset[str], record: pa.RecordBatch, _clock: Clock) -> Contents:
    columns = {name: _content(record.column(name), text=name in texts) for name in record.schema.names}
    return Contents(record.num_rows, columns)


def _content(array: pa.Array, *, text: bool) -> Content:
    if not text:
        values, null = scalar_column(array)
        return Content(
            0 if null is None else int(null.sum()), Distribution.of(values if null is None else values[~null])
        )
    array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(array.cast(pa.string())).to_pylist()}
    nulls = sum(counts.pop(word, 0) for word in (None, ""))
    return Content(nulls, words=Words(counts) + Words())


def _candidate(column: Column, contents: Contents) -> Candidate:
    content = contents.columns.get(column.name, Content())
    return Candidate(column.name, column.kind, content, tuple(_roles(column, content, contents.rows)))


def _roles(column: Column, content: Content, rows: int) -> list[str]:
    """The roles a column could play, likeliest first."""
    if column.kind == "list":
        return ["prediction"]
    if column.kind == "text":
        words = content.words.counts
        if words is not None and len(words) <= min(FEW, max(rows // 2, 2)):
            return ["label", "group"]
        return ["id"] if words is None or len(words) == rows else []
    if column.kind != "number" or not content.numbers.n:
        return []
    values = content.numbers
    whole = values.exact and not (values.values % 1).any()
    if column.name.lower() in {"id", "index", "row", "key"}:
        return ["id"]
    if "weight" in column.name.lower() and values.quantile(0.0) >= 0:
        return ["weight"]
    if not whole:
        return ["prediction", "label"]
    return ["id"] if len(values.keys) == rows > FEW else ["label", "prediction"]


def suggestion(
    candidates: Sequence[Candidate], label: Sequence[str], prediction: Sequence[str]
) -> list[tuple[str, str]]:
    """The flags to try, each with its column, as far as one choice is likelier than the others; else nothing.

    Args:
        candidates: the columns.
        label: what the user named as the label, if anything.
        prediction: likewise.
    """
    labels = list(label) or _only([column.name for column in candidates if column.name.lower() in LABEL_NAMES])
    labels = labels or _only([column.name for column in candidates if column.roles[:1] == ("label",)])
    if len(labels) != 1:
        return []
    likely = [column.name for column in candidates if column.roles[:1] == ("prediction",)]
    models = [name for name in likely if name not in labels]
    held = next((column for column in candidates if column.name == labels[0]), None)
    if not prediction and len(models) > 2 and held is not None and _are_classes(held, models):
        prediction = [",".join(models)]
    return [("label", labels[0]), *(("pred", model) for model in prediction or models)] if models else []


def _are_classes(label: Candidate, models: Sequence[str]) -> bool:
    """Whether columns are one a class of the label: as many as it has, or named for all that occur."""
    if label.distinct == len(models):
        return True
    content = label.content
    numbers = map(str, content.numbers.values.tolist())
    words = list(content.words.counts or ()) if label.kind == "text" else list(numbers)
    keys = {*map(key_of, words)} if label.distinct else set()
    return bool(keys) and any(keys <= {*map(key_of, names)} for names in class_names(models))


def _only(names: list[str]) -> list[str]:
    """The names if there is just one, else none."""
    return names if len(names) == 1 else []


@dataclass(frozen=True)
class Role:
    """What is in the columns of one role."""

    role: str
    name: str
    columns: tuple[str, ...]
    kind: str
    """``number``, ``text`` or ``vector``."""
    nulls: int
    distinct: int | None
    """How many different values there are; ``None`` where they are more than are kept."""
    low: float | None = None
    high: float | None = None
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


def described(facts: Facts, layout: Layout) -> Iterator[Role]:
    """What is in the columns of each role: label, each model's prediction, weight, id.

    Args:
        facts: what the pass saw.
        layout: which column plays which role.
    """
    roles = layout.roles

    def nulls(columns: Sequence[str]) -> int:
        return sum(problem.count for name in columns if (problem := facts.met("null", name)) is not None)

    title = ", ".join(roles.label)
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


def span(values: Distribution) -> dict[str, Any]:
    """Where numbers begin and end, and whether they are whole; ``None`` where there are too many to say."""
    if not values.n:
        return {"low": None, "high": None, "integers": None}
    whole = not (values.values % 1).any() if values.exact else None
    return {"low": values.low, "high": values.high, "integers": None if whole is None else bool(whole)}


def _numbers(values: Distribution) -> dict[str, Any]:
    if not values.n:
        return {"distinct": 0}
    shares = {"zeros": values.share(0.0), "ones": values.share(1.0)}
    return {"distinct": len(values.keys) if values.exact else None, **span(values), **shares}
