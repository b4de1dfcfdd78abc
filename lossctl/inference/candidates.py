"""The columns of a data set, and the roles that each could play by what is in it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lossctl.dataclass import dataclass
from lossctl.inference.classes import DECIDED, affixed, class_names, key_of
from lossctl.inference.facts import Words
from lossctl.inference.names import is_index, is_key, is_mask, is_thing, is_weight
from lossctl.reading.cells import scalar_column
from lossctl.reading.columns import Column
from lossctl.reading.format import Wanted
from lossctl.sums.distribution import Distribution

FEW = 50
"""Different words up to which a column of text may be a label."""
ROWS = 10
"""Of fewer rows it cannot be told that values come again."""


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

    @property
    def classes(self) -> set[str | int]:
        """Its values as names of classes are compared; none where there are too many, or fractions."""
        if self.kind == "text":
            return {*map(key_of, self.content.words.counts or ())}
        values = self.content.numbers.values
        if not self.content.numbers.exact or not len(values) or (values % 1).any():
            return set()
        return {int(value) for value in values.tolist()}

    def has_columns(self, family: Sequence[str]) -> bool:
        """Whether columns are named for all its classes."""
        classes = self.classes
        if self.kind == "text" and any(affixed(names, {*map(str, classes)}) for names in class_names(family)):
            return True
        return bool(classes) and any(classes <= {*map(key_of, names)} for names in class_names(family))

    def is_coded(self, k: int) -> bool:
        """Whether its classes are whole numbers from 0 to k − 1, or from 1 to k."""
        classes = self.classes
        return bool(classes) and (classes <= {*range(k)} or classes <= {*range(1, k + 1)})

    def is_classed(self, k: int) -> bool:
        """Whether it may hold some of k classes that are numbers: no more whole numbers than that, but several."""
        return self.kind == "number" and 1 < len(self.classes) <= k

    def decides(self, label: "Candidate | None") -> bool:
        """Whether it holds no more values than a label, words or whole numbers: decisions, not predictions."""
        if label is None or self.distinct is None:
            return self.kind == "text"
        few = label.distinct is not None and self.distinct <= max(label.distinct, 2) <= DECIDED
        told = few and self.content.numbers.n >= ROWS and len(self.classes) > 1
        return self.kind == "text" or (told and (label.kind == "text" or self.classes <= label.classes))

    def decides_between(self, label: "Candidate | None") -> bool:
        """Whether it says yes or no, and what would be its label holds numbers between."""
        if label is None or label.kind != "number" or self.kind != "number":
            return False
        bits = {*self.content.numbers.values.tolist()} <= {0.0, 1.0}
        return bits and bool((label.content.numbers.values % 1).any())

    def to_dict(self) -> dict[str, Any]:
        """The column in strings, numbers and lists."""
        facts = {"name": self.name, "kind": self.kind, "nulls": self.content.nulls, "distinct": self.distinct}
        return {**facts, **span(self.content.numbers), "could_be": list(self.roles)}


def readable(columns: Sequence[Column]) -> tuple[list[Column], Wanted]:
    """The columns that could play a role, which have a name that no other has, and how they are to be read."""
    times = Counter(column.name for column in columns)
    single = [column for column in columns if times[column.name] == 1]
    numbers, texts = (frozenset(column.name for column in single if column.kind == kind) for kind in ("number", "text"))
    return single, Wanted(numbers, texts)


def contents_of(wanted: Wanted, record: pa.RecordBatch, _clock: object = None) -> Contents:
    """What is in those columns of a record batch that are wanted; a format may read others beside them."""
    columns = {
        name: _content(record.column(name), text=name in wanted.texts)
        for name in record.schema.names
        if name in wanted.names
    }
    return Contents(record.num_rows, columns)


def candidates(columns: Sequence[Column], contents: Contents) -> tuple[Candidate, ...]:
    """Every column with the roles that it could play."""
    return tuple(_candidate(column, contents) for column in columns)


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
    if is_index(column.name) or is_key(column.name):
        return ["id"]
    if is_weight(column.name) and values.quantile(0.0) >= 0:
        return ["weight"]
    if is_mask(column.name) and {*values.values.tolist()} <= {0.0, 1.0} and values.exact:
        return ["weight"]
    if not whole:
        return ["prediction", "label"]
    if len(values.keys) == rows > FEW:
        return ["id"]
    return ["group", "label"] if is_thing(column.name) else ["label", "prediction"]


def span(values: Distribution) -> dict[str, Any]:
    """Where numbers begin and end, and whether they are whole; ``None`` where there are too many to say."""
    if not values.n:
        return {"low": None, "high": None, "integers": None}
    whole = not (values.values % 1).any() if values.exact else None
    return {"low": values.low, "high": values.high, "integers": None if whole is None else bool(whole)}
