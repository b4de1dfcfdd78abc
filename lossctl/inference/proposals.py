"""Which columns could play the roles that nobody named: by their names first, then by what is in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from lossctl.domain import SIMPLEX_ERROR, FloatArray
from lossctl.inference.classes import class_names, key_of
from lossctl.inference.names import ENDINGS, LABELS, PREDICTIONS, plain_name, quantile_of
from lossctl.inference.request import Elsewhere, Request
from lossctl.inference.roles import find, groupings, titled
from lossctl.inference.side import Side
from lossctl.reading.format import Source

if TYPE_CHECKING:
    from lossctl.inference.candidates import Candidate

MOST = 12
"""How many proposals there may be."""
MOST_MODELS = 20
"""Columns up to which several predictions of one label are models beside each other."""
CROSSING = 0.1
"""The part of the rows in which columns that are named for quantiles may cross."""

BY_NAME = "by name"
LEFT = "because no other column is left"
QUANTILE = "as the median of quantiles"


@dataclass(frozen=True)
class Choice:
    """Columns for one role."""

    patterns: tuple[str, ...]
    """As a user would name them: of a label its columns or a glob, of predictions one pattern a model."""
    columns: tuple[str, ...]
    why: str = ""
    """How they were told; empty where the user named them."""
    sure: bool = True
    loss: str = ""
    """The loss that they are for, where that is no question of what is in them."""


@dataclass(frozen=True)
class Proposal:
    """Columns for both roles."""

    label: Choice
    prediction: Choice

    @property
    def sure(self) -> bool:
        """Whether nothing else could be meant."""
        return self.label.sure and self.prediction.sure


class Proposer:
    """Finds columns for the roles that a request leaves open.

    Args:
        source: the data, of which some rows are looked at where names do not tell.
        request: what somebody asked for.
        elsewhere: where the labels are, if not there.

    Raises:
        UsageError: a column that the request names is not there.
    """

    def __init__(self, source: Source, request: Request, elsewhere: Elsewhere | None = None) -> None:
        self.request, self.apart = request, elsewhere is not None
        labels = source if elsewhere is None else elsewhere.labels
        keys = () if elsewhere is None else elsewhere.keys
        self.named_label = tuple(name for pattern in request.label for name in find(pattern, labels.columns, "label"))
        self.named_prediction = tuple(
            name
            for pattern in request.prediction
            for name in find(titled(pattern, source.columns)[1], source.columns, "prediction")
        )
        weights = [] if request.weight is None else [request.weight]
        both = (*source.columns, *(labels.columns if self.apart else ()))
        weighing = {name for pattern in weights for name in find(pattern, both, "weight")}
        groups = {grouping.column for pattern in request.by for grouping in groupings(pattern, both)}
        own = self.named_prediction if self.apart else (*self.named_label, *self.named_prediction)
        self.guesses = Side(source, {*keys, *weighing, *own}, groups)
        """Where the predictions are looked for."""
        self.truths = Side(labels, {*keys, *weighing, *self.named_label}, groups) if self.apart else self.guesses
        """Where the labels are: the same, but for labels elsewhere."""

    def proposals(self) -> list[Proposal]:
        """Columns for both roles, likeliest first; the first is sure, or none is. What names tell is all there is."""
        pairs = (Proposal(label, prediction) for label in self.labels() for prediction in self.predictions(label))
        proposals = [
            *islice((pair for pair in pairs if not {*self._beside(pair.label)} & {*pair.prediction.columns}), MOST)
        ]
        return [pair for pair in proposals if pair.prediction.why != LEFT] or proposals

    def _beside(self, label: Choice) -> tuple[str, ...]:
        """The columns of a label that stand among those of the predictions."""
        return () if self.apart else label.columns

    # --- labels

    def labels(self) -> Iterator[Choice]:
        """The label columns, likeliest first."""
        if self.named_label:
            yield Choice(tuple(self.request.label), self.named_label)
            return
        for known in LABELS:
            matching = self.truths.known(known)
            for name in matching:
                yield Choice((name,), (name,), BY_NAME, sure=len(matching) == 1)
            if matching:
                return
        choices = [*self._label_families(), *self._label_endings(), *self._labels_of_classes()]
        choices = choices or [*self._forced(self.truths, self._predicted_twins())]
        yield from choices[:1]
        if not choices:
            yield from self._labels_by_content()

    def _forced(self, side: Side, other: tuple[str, ...]) -> Iterator[Choice]:
        """Of labels elsewhere, the only column that is left on a side, or the columns of the other role by their names.

        Args:
            side: where to look.
            other: the columns of the other role; none where they could be more than that.
        """
        if self.apart and len(side.left) == 1:
            yield Choice(side.left, side.left, LEFT)
        elif self.apart and other and {*other} <= {*side.left}:
            yield Choice(
                (side.pattern(other),), other, f"because both sides have {'it' if len(other) == 1 else 'them'}"
            )

    def _predicted_twins(self) -> tuple[str, ...]:
        """The columns of the predictions where they are one, or those of all numbers of the labels too.

        What holds the same numbers on both sides is left out: neither predicts the other.
        """
        names = self.named_prediction or self.guesses.left
        if len(names) < 2:
            return names
        if {*names} != {column.name for column in self.truths.free if column.kind == "number"}:
            return ()
        alike = {name for name in names if np.array_equal(self.guesses.numbers(name), self.truths.numbers(name))}
        return tuple(name for name in names if name not in alike) or names

    def _label_families(self) -> Iterator[Choice]:
        """Columns such as ``y_1, y_2`` beside as many predictions."""
        widths = {len(family) for family in self.guesses.families(PREDICTIONS).values()} | {len(self.named_prediction)}
        for family in self.truths.families(LABELS).values():
            if len(family) in widths:
                yield Choice((self.truths.pattern(family),), family, BY_NAME)

    def _label_endings(self) -> Iterator[Choice]:
        """A column such as ``price_true``, or ``price`` beside ``price_pred``."""
        names = {plain_name(column.name): column.name for column in self.truths.free}
        matching = [name for key, name in names.items() if key.endswith(ENDINGS.label)]
        for key in [plain_name(name) for name in self.guesses.ending(ENDINGS.prediction)]:
            ending = next(ending for ending in ENDINGS.prediction if key.endswith(ending))
            matching += [names[key[: -len(ending)]]] if key[: -len(ending)] in names else []
        matching = [*dict.fromkeys(matching)]
        for name in matching:
            yield Choice((name,), (name,), BY_NAME, sure=len(matching) == 1)

    def _labels_of_classes(self) -> Iterator[Choice]:
        """A column of text for whose words other columns are named."""
        for candidate in self.truths.candidates:
            if candidate.kind == "text" and self._classes(candidate):
                yield Choice((candidate.name,), (candidate.name,), "because columns are named for its words")

    def _labels_by_content(self) -> Iterator[Choice]:
        """Any column that could be a label; the only one that is left is one for sure."""
        known = self.guesses.known(PREDICTIONS[0]) or self.guesses.known(PREDICTIONS[1])
        predicted = {*self.named_prediction} or {*known}
        beside = set[str]() if self.apart else predicted
        others = [column for column in self.truths.candidates if column.name not in beside]
        likely = [column for column in others if "label" in column.roles]
        forced = bool(predicted) and len(others) == len(likely) == 1
        guess = next((self.guesses.candidate(name) for name in predicted), None)
        for column in sorted(likely, key=lambda column: (_unlike(column, guess), column.roles.index("label"))):
            yield Choice((column.name,), (column.name,), LEFT, sure=forced)

    # --- predictions

    def predictions(self, label: Choice) -> Iterator[Choice]:
        """The predictions of a label, likeliest first."""
        if self.named_prediction:
            yield Choice(tuple(self.request.prediction), self.named_prediction)
            return
        beside = self._beside(label)
        matching = self.guesses.known(PREDICTIONS[0], beside) or self.guesses.known(PREDICTIONS[1], beside)
        if matching and len(label.columns) == 1:
            yield from self._by_name(label, matching)
            return
        choices = [*self._quantiles(label)] or [
            *self._prediction_families(label),
            *self._prediction_endings(label),
            *self._class_columns(label),
        ]
        choices = choices or [*self._forced(self.guesses, label.columns if label.sure and label.why != BY_NAME else ())]
        yield from choices if not choices or not choices[0].sure else choices[:1]
        if not choices:
            yield from self._predictions_by_content(label)

    def _by_name(self, label: Choice, matching: list[str]) -> Iterator[Choice]:
        """Columns of known names; of several, those that hold no more than the classes are decisions."""
        others = [*dict.fromkeys([*matching, *self.guesses.known(PREDICTIONS[1], self._beside(label))])]
        if len(others) > 1:
            decided = {name for name in others if self._decides(name, label)}
            if len(decided) < len(others) and (len(matching) > 1 or {*matching} <= decided):
                matching = [name for name in others if name not in decided]
        for name in matching:
            yield Choice((name,), (name,), BY_NAME, sure=len(matching) == 1)

    def _decides(self, name: str, label: Choice) -> bool:
        """Whether a column holds no more values than the label, words or whole numbers: decisions, not predictions."""
        column, truth = self.guesses.candidate(name), self.truths.candidate(label.columns[0])
        if column is None or truth is None or column.distinct is None:
            return column is not None and column.kind == "text"
        few = truth.distinct is not None and column.distinct <= max(truth.distinct, 2) <= MOST_MODELS
        return column.kind == "text" or (few and not np.any(column.content.numbers.values % 1))

    def _prediction_families(self, label: Choice) -> Iterator[Choice]:
        """Columns such as ``p_1, p_2``: one vector, or models beside each other."""
        families = [
            family for family in self.guesses.families(PREDICTIONS).values() if not {*family} & {*self._beside(label)}
        ]
        if len(label.columns) > 1:
            for family in families:
                if len(family) == len(label.columns):
                    yield Choice((self.guesses.pattern(family),), family, BY_NAME, sure=len(families) == 1)
            return
        for family in families:
            for choice in self._shapes(label, family):
                yield choice if len(families) == 1 else Choice(choice.patterns, choice.columns, choice.why, sure=False)

    def _shapes(self, label: Choice, family: tuple[str, ...]) -> Iterator[Choice]:
        """Several columns of predictions of one label as a vector, as models, or as either."""
        truth = self.truths.candidate(label.columns[0])
        vector = Choice((self.guesses.pattern(family),), family, BY_NAME)
        models = Choice(family, family, BY_NAME)
        if truth is None or truth.distinct is None:
            yield models
        elif self._named_for(truth, family):
            yield vector
        elif truth.kind == "text":
            several = truth.distinct > 2 or (len(family) == truth.distinct and self._sum_to_one(family))
            yield Choice(vector.patterns, family, vector.why, sure=False) if several else models
        elif self._codes(truth, len(family)) and self._sum_to_one(family):
            yield vector
        elif truth.distinct > 2 and self._codes(truth, len(family)):
            yield Choice(vector.patterns, family, vector.why, sure=False)
            yield Choice(models.patterns, family, models.why, sure=False)
        elif len(family) <= MOST_MODELS:
            yield models

    def _prediction_endings(self, label: Choice) -> Iterator[Choice]:
        """Columns such as ``price_pred``, or ``a_prob, b_prob`` of two models."""
        beside = self._beside(label)
        family = tuple(name for name in self.guesses.ending(ENDINGS.prediction) if name not in beside)
        if len(family) == 1:
            yield Choice(family, family, BY_NAME)
        elif len(family) > 1 and len(label.columns) == 1:
            yield from self._shapes(label, family)

    def _quantiles(self, label: Choice) -> Iterator[Choice]:
        """Of columns that are named for quantiles, and seldom fall from one to the next, the median."""
        named = {
            column.name: level
            for column in self.guesses.free
            if (level := quantile_of(column.name)) and column.kind == "number"
        }
        names = sorted(named, key=lambda name: named[name])
        rows = self.guesses.look.rows(names) if len(names) > 1 and len(label.columns) == 1 else None
        distinct = rows is not None and bool(len(rows)) and len({*named.values()}) == len(names)
        if rows is not None and distinct and np.mean((np.diff(rows, axis=1) < 0).any(axis=1)) <= CROSSING:
            for name in names:
                if named[name] == 0.5:
                    yield Choice((name,), (name,), QUANTILE, sure=False, loss="mae")

    def _class_columns(self, label: Choice) -> Iterator[Choice]:
        """Columns that are named for the classes of the label."""
        truth = self.truths.candidate(label.columns[0])
        if truth is not None and len(label.columns) == 1:
            family = self._classes(truth)
            if family:
                yield Choice((self.guesses.pattern(family),), family, "because they are named for the classes")

    def _predictions_by_content(self, label: Choice) -> Iterator[Choice]:
        """Any column that could be a prediction; the only one that is left is one for sure."""
        others = [column for column in self.guesses.candidates if column.name not in self._beside(label)]
        likely = [column for column in others if "prediction" in column.roles]
        lists = [column for column in likely if column.kind == "list"]
        forced = (label.sure and len(likely) == 1) or len(lists) == 1
        for column in sorted(likely, key=lambda column: (column.kind != "list", column.roles.index("prediction"))):
            sure = forced and (not lists or column.kind == "list")
            yield Choice((column.name,), (column.name,), LEFT, sure=sure)
            if sure:
                return

    # --- what names and columns say

    def _classes(self, truth: "Candidate") -> tuple[str, ...]:
        """The columns of numbers that are named for the values of a label; none where not all values have one."""
        words = self._words(truth)
        beside = () if self.apart else (truth.name,)
        others = [
            column.name for column in self.guesses.candidates if column.kind == "number" and column.name not in beside
        ]
        if len(words) < 2 or len(others) < 2:
            return ()
        if any(words <= {*map(key_of, names)} for names in class_names(others)) and self._sum_to_one(others):
            return tuple(others)
        exact = tuple(name for name in others if key_of(name) in words)
        return exact if len(exact) == len(words) else ()

    def _named_for(self, truth: "Candidate", family: tuple[str, ...]) -> bool:
        """Whether columns are named for all values of a label."""
        words = self._words(truth)
        return bool(words) and any(words <= {*map(key_of, names)} for names in class_names(family))

    @staticmethod
    def _words(truth: "Candidate") -> set[str | int]:
        """The values of a label as names of classes are compared; none where there are too many, or fractions."""
        if truth.kind == "text":
            return {*map(key_of, truth.content.words.counts or ())}
        values = truth.content.numbers.values
        if not truth.content.numbers.exact or not len(values) or np.any(values % 1):
            return set()
        return {int(value) for value in values.tolist()}

    def _codes(self, truth: "Candidate", k: int) -> bool:
        """Whether the values of a label are whole numbers from 0 to k − 1, or from 1 to k."""
        words = self._words(truth)
        return bool(words) and (words <= {*range(k)} or words <= {*range(1, k + 1)})

    def _sum_to_one(self, family: Sequence[str]) -> bool:
        """Whether every row of some columns sums to 1, or to 100, or so do their exponentials."""
        rows = self.guesses.look.rows(family)
        if rows is None or not len(rows):
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            return any(map(_ones, (rows.sum(axis=1), rows.sum(axis=1) / 100, np.exp(rows).sum(axis=1))))


def _unlike(label: "Candidate", guess: "Candidate | None") -> float:
    """How unlike the numbers of a label are those of its prediction: a ratio of ranges, at least 1."""
    numbers = [column.content.numbers for column in (label, guess) if column is not None]
    if len(numbers) < 2 or not all(values.n for values in numbers):
        return 0.0
    spans = sorted(values.quantile(1.0) - values.quantile(0.0) for values in numbers)
    return spans[1] / spans[0] if spans[0] > 0 else np.inf


def _ones(sums: FloatArray) -> bool:
    return bool(np.all(np.abs(sums - 1.0) <= SIMPLEX_ERROR))
