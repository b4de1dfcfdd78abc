"""What one pass over the data finds out about every column that plays a role; nothing is refused.

The state of a pass is counts, extremes and bounded samples: it adds up in any order of batches to the same facts.
"""

from collections.abc import Mapping
from dataclasses import field

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.inference.layout import Layout
from lossctl.sums.distribution import Distribution
from lossctl.sums.problems import Problem, Problems
from lossctl.sums.sketch import Sketch, hash_numbers

PAIRS = 1 << 12
"""How many different pairs of label and prediction are kept for their rank correlation."""
IDS = 1 << 21
"""How many different ids are kept to find duplicates: 67 MB, and a few times that while they are added up."""
WORDS = 1 << 12
"""How many different words of a label are counted."""
CONFUSED = 64
"""How many classes there may be for rows to be counted by label and largest column."""


NOBODY = Sketch.of(IDS, np.empty(0, np.uint64), np.empty(0, np.int64))
"""The ids of no rows."""


@dataclass(frozen=True)
class Words:
    """How often each word occurs, while there are no more than `WORDS` different ones."""

    counts: Mapping[str, int] | None = field(default_factory=dict)
    """``None`` once there were more."""

    def __add__(self, other: "Words") -> "Words":
        if self.counts is None or other.counts is None:
            return Words(None)
        merged = dict(self.counts)
        for word, count in other.counts.items():
            merged[word] = merged.get(word, 0) + count
        return Words(merged if len(merged) <= WORDS else None)


@dataclass(frozen=True)
class Given:
    """The predictions for each label, while there are no more than two labels."""

    by_label: Mapping[float | str, Distribution] | None = field(default_factory=dict)
    """``None`` once there were more."""

    def __add__(self, other: "Given") -> "Given":
        if self.by_label is None or other.by_label is None:
            return Given(None)
        merged = dict(self.by_label)
        for label, values in other.by_label.items():
            merged[label] = merged[label] + values if label in merged else values
        return Given(merged if len(merged) <= 2 else None)


@dataclass(frozen=True)
class Rowwise:
    """What a pass saw of the rows of a vector prediction, each of ``k`` numbers."""

    low: FloatArray
    """The smallest number of each column, ``(k,)``."""
    high: FloatArray
    """The largest number of each column, ``(k,)``."""
    picks: IntArray
    """How often each column is the largest of its row, ``(k,)``."""
    labels: IntArray
    """How often each class is the label, ``(k,)``."""
    confusion: IntArray | None
    """Rows by label and by largest column, ``(k, k)``; ``None`` with more than `CONFUSED` classes."""
    probability: Distribution
    """The numbers in the column of the label."""
    surprise: Distribution
    """−log of the softmax of the row, at the label."""
    shift: Distribution
    """Of a label that is a number, how far it is above the place of the largest column, from 0."""

    @classmethod
    def zero(cls, k: int) -> "Rowwise":
        """The facts of no rows."""
        zeros, empty = np.zeros(k, dtype=np.int64), Distribution.zero()
        confusion = np.zeros((k, k), dtype=np.int64) if k <= CONFUSED else None
        return cls(np.full(k, np.inf), np.full(k, -np.inf), zeros, zeros, confusion, empty, empty, empty)

    def __add__(self, other: "Rowwise") -> "Rowwise":
        confusion = None
        if self.confusion is not None and other.confusion is not None:
            confusion = self.confusion + other.confusion
        return Rowwise(
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            self.picks + other.picks,
            self.labels + other.labels,
            confusion,
            self.probability + other.probability,
            self.surprise + other.surprise,
            self.shift + other.shift,
        )

    def hits(self, first: int) -> int:
        """Rows whose largest column is that of the label, if the columns are those of numbers from ``first``."""
        return int(self.shift.counts[self.shift.values == first].sum())


@dataclass(frozen=True)
class Predicted:
    """What a pass saw of the predictions of one model."""

    values: Distribution
    errors: Distribution
    """∣prediction − label∣, where both are numbers of one shape."""
    given: Given
    pairs: Sketch
    """A sample of pairs of label and prediction, where both are numbers of one shape."""
    rows: Rowwise | None
    """Of a vector prediction, what concerns whole rows."""

    @classmethod
    def zero(cls, width: int) -> "Predicted":
        """The facts of no rows, for predictions of so many numbers; 0 for a plain number."""
        empty = Distribution.zero()
        rows = Rowwise.zero(width) if width else None
        return cls(empty, empty, Given(), pairs_of(np.empty(0), np.empty(0)), rows)

    def __add__(self, other: "Predicted") -> "Predicted":
        rows = self.rows
        if rows is not None and other.rows is not None:
            rows = rows + other.rows
        return Predicted(
            self.values + other.values,
            self.errors + other.errors,
            self.given + other.given,
            self.pairs + other.pairs,
            rows,
        )


@dataclass(frozen=True)
class Facts:
    """Everything a pass saw, and how many rows it read."""

    rows: int
    used: int
    """Rows with a weight other than 0 and without a null: those that all other facts are about."""
    unweighted: int
    ignored: int
    """Rows whose label is to be ignored."""
    seen: Problems
    """How often something was met in a column, and in which row first, by kind and column (or model)."""
    label: Distribution
    unpredicted: Distribution
    """The labels of rows without a prediction, where they are numbers: names of classes must know them too."""
    words: Words
    weight: Distribution
    ids: Sketch
    models: tuple[Predicted, ...]

    def __add__(self, other: "Facts") -> "Facts":
        return Facts(
            self.rows + other.rows,
            self.used + other.used,
            self.unweighted + other.unweighted,
            self.ignored + other.ignored,
            self.seen + other.seen.shift(self.rows),
            self.label + other.label,
            self.unpredicted + other.unpredicted,
            self.words + other.words,
            self.weight + other.weight,
            self.ids + other.ids.shift(self.rows),
            tuple(a + b for a, b in zip(self.models, other.models, strict=True)),
        )

    def met(self, kind: str, column: str) -> Problem | None:
        """How often something was met in a column (or model), and where first; ``None`` where it was not."""
        return self.seen.by_key.get((kind, column, ""))


def no_facts(layout: Layout) -> Facts:
    """The facts of no rows."""
    empty = Distribution.zero()
    models = tuple(Predicted.zero(model.width) for model in layout.models)
    return Facts(0, 0, 0, 0, Problems(), empty, empty, Words(), empty, NOBODY, models)


def pairs_of(label: FloatArray, prediction: FloatArray) -> Sketch:
    """The sample of the finite pairs among labels ``(n,)`` and predictions ``(n,)``."""
    pairs = np.column_stack([label, prediction])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    return Sketch.of(PAIRS, hash_numbers(pairs), np.zeros(len(pairs), dtype=np.int64), pairs)
