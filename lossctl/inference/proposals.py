"""Which columns could play the roles that nobody named: by their names first, then by what is in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from lossctl.inference.classes import class_names, key_of
from lossctl.inference.names import (
    ENDINGS,
    LABELS,
    PREDICTIONS,
    QUERIES,
    is_index,
    plain_name,
    quantile_of,
    stem_of,
    without,
)
from lossctl.inference.request import Request
from lossctl.inference.roles import find, pattern_of, titled
from lossctl.reading.columns import Column
from lossctl.reading.format import Source
from lossctl.words import natural

if TYPE_CHECKING:
    from lossctl.inference.candidates import Candidate
    from lossctl.inference.look import Look

MOST = 12
"""How many proposals there may be."""
MOST_MODELS = 20
"""Columns up to which several predictions of one label are models beside each other."""
CROSSING = 0.1
"""The part of the rows in which columns that are named for quantiles may cross."""

BY_NAME = "by name"
LEFT = "because no other column is left"
QUANTILE = "as the median of quantiles"
SUM = "because their rows sum to 1"
CONFIDENCE = "beside decisions that were not made of it"
BESIDE = "beside decisions"


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

    Raises:
        UsageError: a column that the request names is not there.
    """

    def __init__(self, source: Source, request: Request) -> None:
        self.request, self.source = request, source
        self.columns = columns = source.columns
        self.named_label = tuple(name for pattern in request.label for name in find(pattern, columns, "label"))
        self.named_prediction = tuple(
            name for pattern in request.prediction for name in find(titled(pattern, columns)[1], columns, "prediction")
        )
        weights = [] if request.weight is None else [request.weight]
        self.taken = {name for pattern in weights for name in find(pattern, columns, "weight")}
        self.taken |= {*self.named_label, *self.named_prediction}
        self.groups = {name for pattern in request.by for name in find(pattern, columns, "group")}
        """Columns to group by, which are taken for a label or a prediction by their names alone."""

    def proposals(self) -> list[Proposal]:
        """Columns for both roles, likeliest first; the first is sure, or none is. What names tell is all there is."""
        pairs = (Proposal(label, prediction) for label in self.labels() for prediction in self.predictions(label))
        proposals = [*islice((pair for pair in pairs if not {*pair.label.columns} & {*pair.prediction.columns}), MOST)]
        return [pair for pair in proposals if pair.prediction.why != LEFT] or proposals

    @cached_property
    def free(self) -> list[Column]:
        """The columns that have no role, and are neither an index nor the number of a list."""
        apart = {column.name for column in self.columns if plain_name(column.name) in QUERIES or is_index(column.name)}
        return [column for column in self.columns if column.name not in {*self.taken, *apart}]

    def named(self, known: frozenset[str], but: Sequence[str] = ()) -> list[str]:
        """The free columns with a known name."""
        return [column.name for column in self.free if plain_name(column.name) in known and column.name not in but]

    # --- labels

    def labels(self) -> Iterator[Choice]:
        """The label columns, likeliest first."""
        if self.named_label:
            yield Choice(tuple(self.request.label), self.named_label)
            return
        usual, unusual = self.named(LABELS[0]), self.named(LABELS[1])
        matching = [*usual, *unusual]
        sure = len(matching) == 1 or (len(usual) == 1 and all(self.look.same(usual[0], name) for name in unusual))
        for name in matching:
            yield Choice((name,), (name,), BY_NAME, sure=sure)
        if matching:
            return
        choices = [*self._label_families(), *self._label_endings(), *self._labels_of_classes()]
        yield from choices if choices and not choices[0].sure else choices[:1]
        if not choices:
            yield from self._labels_by_content()

    def _label_families(self) -> Iterator[Choice]:
        """Columns such as ``y_1, y_2`` beside as many predictions."""
        widths = {len(family) for family in self.families(PREDICTIONS).values()} | {len(self.named_prediction)}
        for family in self.families(LABELS).values():
            if len(family) in widths:
                yield Choice((pattern_of(family, self.columns),), family, BY_NAME)

    def _label_endings(self) -> Iterator[Choice]:
        """A column such as ``price_true``, or ``price`` beside ``price_pred``."""
        names = {plain_name(column.name): column.name for column in self.free}
        matching = [name for key, name in names.items() if key.endswith(ENDINGS.label)]
        for key in [plain_name(name) for name in self._ending(ENDINGS.prediction)]:
            ending = next(ending for ending in ENDINGS.prediction if key.endswith(ending))
            matching += [names[key[: -len(ending)]]] if key[: -len(ending)] in names else []
        matching = [*dict.fromkeys(matching)]
        if len(matching) == len(self._ending(ENDINGS.prediction)) > 1:
            yield Choice((pattern_of(tuple(matching), self.columns),), tuple(matching), BY_NAME, sure=False)
        for name in matching:
            yield Choice((name,), (name,), BY_NAME, sure=len(matching) == 1)

    def _labels_of_classes(self) -> Iterator[Choice]:
        """A column of text for whose words other columns are named."""
        for candidate in self.candidates:
            if candidate.kind == "text" and self._classes(candidate):
                yield Choice((candidate.name,), (candidate.name,), "because columns are named for its words")

    def _labels_by_content(self) -> Iterator[Choice]:
        """Any column that could be a label; the only one that is left is one for sure."""
        predicted = {*self.named_prediction} or {*self.named(PREDICTIONS[0])} or {*self.named(PREDICTIONS[1])}
        others = [column for column in self.candidates if column.name not in predicted]
        likely = [column for column in others if "label" in column.roles]
        likely = [column for column in likely if stem_of(column.name) not in PREDICTIONS[0] | PREDICTIONS[1]]
        forced = bool(predicted) and len(others) == len(likely) == 1
        guess = next((self.look.candidate(name) for name in predicted), None)
        for column in sorted(likely, key=lambda column: (_unlike(column, guess), column.roles.index("label"))):
            alike = forced and guess is not None and self.look.alike(column, guess)
            yield Choice((column.name,), (column.name,), LEFT, sure=alike)

    # --- predictions

    def predictions(self, label: Choice) -> Iterator[Choice]:
        """The predictions of a label, likeliest first."""
        if self.named_prediction:
            yield Choice(tuple(self.request.prediction), self.named_prediction)
            return
        matching = [*self.named(PREDICTIONS[0], label.columns), *self.named(PREDICTIONS[1], label.columns)]
        decided = self._decisions(matching, label) if len(label.columns) == 1 else ()
        rest = [name for name in matching if name not in decided]
        if rest and len(label.columns) == 1:
            for name in rest:
                yield self._beside(decided, Choice((name,), (name,), BY_NAME, sure=len(rest) == 1))
            return
        choices = [*self._quantiles(label)] or [
            *self._prediction_families(label, decided),
            *self._prediction_endings(label, decided),
            *self._class_columns(label, decided),
        ]
        choices = [self._beside(decided, choice) for choice in choices or self._predictions_by_content(label, decided)]
        sure = bool(choices) and choices[0].sure
        yield from choices[:1] if sure else choices
        for name in decided if not sure else ():
            yield Choice((name,), (name,), BY_NAME, sure=len(decided) == 1 and not choices)

    def _decisions(self, names: Sequence[str], label: Choice) -> tuple[str, ...]:
        """Those of some columns that hold no more than the classes: decisions, which were made from something else."""
        others = (column for column in self.free if column.name not in {*names, *label.columns})
        scores = any(column.kind in {"number", "list"} and "weight" not in column.name.lower() for column in others)
        if not scores and len(names) < 2:
            return ()  # nothing that they could have been made from
        return tuple(name for name in names if self.look.decides(name, label.columns[0]))

    def _beside(self, decided: Sequence[str], choice: Choice) -> Choice:
        """What is chosen beside decisions, sure where these were made of it."""
        if len(choice.columns) > 1 or all(self.look.tells(choice.columns[0], name) for name in decided):
            return choice
        return replace(choice, why=CONFIDENCE, sure=False)

    def _prediction_families(self, label: Choice, decided: Sequence[str]) -> Iterator[Choice]:
        """Columns such as ``p_1, p_2``: one vector, or models beside each other."""
        apart = {*label.columns, *decided}
        families = [family for family in self.families(PREDICTIONS).values() if not {*family} & apart]
        families = [self._undecided(family, label) for family in families]
        if len(label.columns) > 1:
            for family in families:
                if len(family) == len(label.columns):
                    yield Choice((pattern_of(family, self.columns),), family, BY_NAME, sure=len(families) == 1)
            return
        for family in families:
            for choice in self._shapes(label, family):
                yield choice if len(families) == 1 else Choice(choice.patterns, choice.columns, choice.why, sure=False)

    def _undecided(self, family: tuple[str, ...], label: Choice) -> tuple[str, ...]:
        """Columns without those that are decisions beside the others, as ``pred_class`` is beside ``pred_a``."""
        if len(label.columns) > 1:
            return family
        return tuple(name for name in family if not self.look.decides(name, label.columns[0])) or family

    def _shapes(self, label: Choice, family: tuple[str, ...]) -> Iterator[Choice]:
        """Several columns of predictions of one label as a vector, as models, or as either."""
        truth = self.look.candidate(label.columns[0])
        vector = Choice((pattern_of(family, self.columns),), family, BY_NAME)
        models = Choice(family, family, BY_NAME)
        if truth is None or truth.distinct is None or len(family) == 1:
            yield models
        elif truth.has_columns(family):
            yield vector
        elif truth.kind == "text":
            several = truth.distinct > 2 or (len(family) == truth.distinct and self.look.sum_to_one(family))
            yield Choice(vector.patterns, family, vector.why, sure=False) if several else models
        elif truth.is_coded(len(family)) and self.look.sum_to_one(family):
            yield vector
        elif truth.distinct > 2 and truth.is_coded(len(family)):
            yield Choice(vector.patterns, family, vector.why, sure=False)
            yield Choice(models.patterns, family, models.why, sure=False)
        elif len(family) == truth.distinct and truth.classes and self.look.sum_to_one(family):
            yield replace(vector, sure=False)
        elif len(family) <= MOST_MODELS:
            yield models

    def _prediction_endings(self, label: Choice, decided: Sequence[str]) -> Iterator[Choice]:
        """Columns such as ``price_pred``, or ``a_prob, b_prob`` of two models."""
        apart = {*label.columns, *decided}
        family = tuple(name for name in self._ending(ENDINGS.prediction) if name not in apart)
        if len(label.columns) == 1:
            named = without(label.columns[0], ENDINGS.label)
            family = tuple(name for name in family if without(name, ENDINGS.prediction) == named) or family
        if len(family) == 1 == len(label.columns):
            yield Choice(family, family, BY_NAME)
        elif len(label.columns) == 1 < len(family):
            yield from self._shapes(label, family)
        elif len(family) == len(label.columns):
            yield Choice((pattern_of(family, self.columns),), family, BY_NAME)

    def _quantiles(self, label: Choice) -> Iterator[Choice]:
        """Of columns that are named for quantiles, and seldom fall from one to the next, the median."""
        named = {
            column.name: level
            for column in self.free
            if (level := quantile_of(column.name)) and column.kind == "number"
        }
        names = sorted(named, key=lambda name: named[name])
        rows = self.look.rows(names) if len(names) > 1 and len(label.columns) == 1 else None
        distinct = rows is not None and bool(len(rows)) and len({*named.values()}) == len(names)
        if rows is not None and distinct and np.mean((np.diff(rows, axis=1) < 0).any(axis=1)) <= CROSSING:
            for name in names:
                if named[name] == 0.5:
                    yield Choice((name,), (name,), QUANTILE, sure=False, loss="mae")

    def _class_columns(self, label: Choice, decided: Sequence[str]) -> Iterator[Choice]:
        """Columns that are named for the classes of the label."""
        truth = self.look.candidate(label.columns[0])
        if truth is not None and len(label.columns) == 1:
            family = self._classes(truth, decided)
            if family:
                yield Choice((pattern_of(family, self.columns),), family, "because they are named for the classes")

    def _predictions_by_content(self, label: Choice, decided: Sequence[str]) -> Iterator[Choice]:
        """Any column that could be a prediction; the only one that is left is one for sure, if it is like the label."""
        truth = self.look.candidate(label.columns[0])
        apart = {*label.columns, *decided}
        others = [column for column in self.candidates if column.name not in apart]
        likely = [column for column in others if "prediction" in column.roles and not _swapped(truth, column)]
        family = tuple(column.name for column in likely if column.kind == "number")
        if truth is not None and truth.distinct == len(family) > 1 and self.look.sum_to_one(family):
            yield Choice((pattern_of(family, self.columns),), family, SUM, sure=False)
            return
        lists = [column for column in likely if column.kind == "list"]
        forced = (label.sure and len(likely) == 1) or len(lists) == 1
        alike = {
            column.name: len(label.columns) > 1 or (truth is not None and self.look.alike(truth, column))
            for column in likely
        }
        likely.sort(
            key=lambda column: (not alike[column.name], column.kind != "list", column.roles.index("prediction"))
        )
        for column in likely:
            fits = alike[column.name]
            sure = forced and fits and (not lists or column.kind == "list")
            if fits or not decided:
                yield Choice((column.name,), (column.name,), BESIDE if decided else LEFT, sure=sure and not decided)
            if sure:
                return

    # --- what names and columns say

    @cached_property
    def look(self) -> "Look":
        """What is in the columns."""
        from lossctl.inference.look import Look

        return Look(self.source)

    @property
    def candidates(self) -> "list[Candidate]":
        """The free columns with what is in them, less weights and ids."""
        free = {column.name for column in self.free} - self.groups
        return [
            candidate
            for candidate in self.look.candidates
            if candidate.name in free and candidate.roles[:1] not in {("weight",), ("id",), ()}
        ]

    def families(self, tiers: Sequence[frozenset[str]]) -> dict[str, tuple[str, ...]]:
        """The free columns of numbers whose names share a beginning that is known for a role, by that; two or more."""
        known = frozenset().union(*tiers)
        families: dict[str, list[str]] = {}
        for column in self.free:
            stem = stem_of(column.name)
            if stem in known and column.kind in {"number", "text"}:
                families.setdefault(stem, []).append(column.name)
        return {stem: tuple(sorted(names, key=natural)) for stem, names in families.items() if len(names) > 1}

    def _ending(self, endings: tuple[str, ...]) -> list[str]:
        """The free columns of numbers whose names end so."""
        return [
            column.name for column in self.free if column.kind == "number" and plain_name(column.name).endswith(endings)
        ]

    def _classes(self, truth: "Candidate", but: Sequence[str] = ()) -> tuple[str, ...]:
        """The columns of numbers that are named for the values of a label; none where not all values have one."""
        words = truth.classes
        apart = {truth.name, *but}
        others = [column.name for column in self.candidates if column.kind == "number" and column.name not in apart]
        if len(words) < 2 or len(others) < 2:
            return ()
        if any(words <= {*map(key_of, names)} for names in class_names(others)) and self.look.sum_to_one(others):
            return tuple(others)
        exact = tuple(name for name in others if key_of(name) in words)
        return exact if len(exact) == len(words) else ()


def _unlike(label: "Candidate", guess: "Candidate | None") -> float:
    """How unlike the numbers of a label are those of its prediction: a ratio of ranges, at least 1."""
    numbers = [column.content.numbers for column in (label, guess) if column is not None]
    if len(numbers) < 2 or not all(values.n for values in numbers):
        return 0.0
    spans = sorted(values.quantile(1.0) - values.quantile(0.0) for values in numbers)
    return spans[1] / spans[0] if spans[0] > 0 else np.inf


def _swapped(label: "Candidate | None", guess: "Candidate") -> bool:
    """Whether a column says yes or no, and what would be its label holds numbers between."""
    if label is None or label.kind != "number" or guess.kind != "number":
        return False
    bits = {*guess.content.numbers.values.tolist()} <= {0.0, 1.0}
    return bits and bool(np.any(label.content.numbers.values % 1))
