"""Which columns could be the predictions of a label: by their names first, then by what is in them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import meanings
from lossctl.inference.choice import BESIDE, BY_NAME, CONFIDENCE, LEFT, QUANTILE, SUM, Choice
from lossctl.inference.classes import are_counted
from lossctl.inference.names import (
    ENDINGS,
    PREDICTIONS,
    is_log_rate,
    is_mask,
    is_metric,
    is_weight,
    levels_among,
    stem_of,
    without,
)
from lossctl.inference.parts import interval_end, pairs_in
from lossctl.inference.request import Request
from lossctl.inference.side import Side

if TYPE_CHECKING:
    from lossctl.inference.candidates import Candidate

MOST_MODELS = 20
"""Columns up to which several predictions of one label are models beside each other."""
MOST_TOGETHER = 8
"""Columns up to which those that only their numbers tell to be guesses are proposed together."""
CROSSING = 0.1
"""The part of the rows in which columns that are named for quantiles may cross."""


class Predictions:
    """Finds the predictions of a label.

    Args:
        truths: the columns among which the label is.
        guesses: those among which the predictions are looked for, the same but for labels elsewhere.
        request: what somebody asked for.
        named: the columns of the predictions that it names.
    """

    def __init__(self, truths: Side, guesses: Side, request: Request, named: tuple[str, ...]) -> None:
        self.truths, self.guesses, self.request, self.named = truths, guesses, request, named
        self.apart = truths is not guesses

    def of(self, label: Choice) -> Iterator[Choice]:
        """The predictions of a label, likeliest first."""
        if self.named:
            yield Choice(tuple(self.request.prediction), self.named)
            return
        beside = self.beside(label)
        matching = [*self.guesses.known(PREDICTIONS[0], beside), *self.guesses.known(PREDICTIONS[1], beside)]
        decided = self._decisions(matching, label) if len(label.columns) == 1 else ()
        rest = [name for name in matching if name not in decided]
        if rest and len(label.columns) == 1:
            for name in rest:
                yield self._doubted(Choice((name,), (name,), BY_NAME, sure=len(rest) == 1), decided, label)
            return
        from lossctl.inference.repeated import alike, models

        others = {*beside, *decided}
        choices = (
            [*models(self.truths, self.guesses, label, others)]
            or [*self._quantiles(label), *self._pairs(label)]
            or [
                *self._prediction_families(label, others),
                *self._prediction_endings(label, others),
                *self._class_columns(label, others),
            ]
        )
        if not choices:
            numbered = [*alike(self.truths, self.guesses, label, others, logits=self._of_logits)]
            choices = numbered if any(choice.near for choice in numbered) else []
        if not choices and not decided:
            choices = [*self.forced(self.guesses, label.columns if label.sure and label.why != BY_NAME else ())]
        if not choices and label.columns == self.steps[0]:
            choices = [Choice((self.guesses.pattern(self.steps[1]),), self.steps[1], LEFT, sure=False)]
        choices = choices or [*self._predictions_by_content(label, decided)]
        choices = [self._doubted(choice, decided, label) for choice in choices]
        sure = bool(choices) and choices[0].sure
        yield from choices[:1] if sure else choices
        for name in decided if not sure else ():
            yield Choice((name,), (name,), BY_NAME, sure=len(decided) == 1 and not choices)

    def repeated(self, label: Choice) -> tuple[str, ...]:
        """The columns that hold in every row what a label beside them does: that label, under another name."""
        if self.apart or len(label.columns) > 1:
            return ()
        names = (column.name for column in self.guesses.free if column.name not in label.columns)
        return tuple(name for name in names if self.guesses.look.repeats(label.columns[0], name))

    @property
    def _of_logits(self) -> bool:
        """Whether logits of classes are asked for, by losses that take them or by none."""
        specs = split_specs(self.request.loss)
        classes = all(any(bound.of_classes for bound in meanings(spec)) for spec in specs)
        return self.request.from_logits and classes

    def _decisions(self, names: Sequence[str], label: Choice) -> tuple[str, ...]:
        """Those of some columns that hold no more than the classes: decisions, which were made from something else."""
        known = {column.name for column in self.truths.columns} if self.apart else {*label.columns}
        others = (column for column in self.guesses.free if column.name not in {*names, *known})
        scores = any(
            column.kind in {"number", "list"} and not (is_weight(column.name) or is_mask(column.name))
            for column in others
        )
        if not scores and len(names) < 2:
            return ()  # nothing that they could have been made from
        return tuple(name for name in names if self._decides(name, label))

    def _decides(self, name: str, label: Choice) -> bool:
        column, truth = self.guesses.glance(name), self.truths.glance(label.columns[0])
        return column is not None and column.decides(truth)

    def _doubted(self, choice: Choice, decided: Sequence[str], label: Choice) -> Choice:
        """What is chosen beside decisions, sure where these were made of it."""
        if len(choice.columns) > 1:
            return choice
        decided = (*decided, *self._classed(choice.columns[0], label))
        if all(self.guesses.look.tells(choice.columns[0], name) for name in decided):
            return choice
        return replace(choice, why=CONFIDENCE, sure=False)

    def _classed(self, chosen: str, label: Choice) -> Iterator[str]:
        """Other columns that are called a kind of prediction, as ``pred_label`` is, and hold classes of the label."""
        begins, taken = PREDICTIONS[0] | PREDICTIONS[1], {chosen, *label.columns}
        names = [column.name for column in self.guesses.free if stem_of(column.name) in begins]
        for name in names if len(label.columns) == 1 else ():
            guess, truth = self.guesses.glance(name), self.truths.glance(label.columns[0])
            if name in taken or guess is None or truth is None or guess.kind != truth.kind:
                continue
            if len(guess.classes) > 1 and guess.classes <= truth.classes:
                yield name

    def _prediction_families(self, label: Choice, others: Collection[str]) -> Iterator[Choice]:
        """Columns such as ``p_1, p_2``: one vector, or models beside each other."""
        families = [family for family in self.guesses.families(PREDICTIONS).values() if not {*family} & {*others}]
        families = [self._undecided(family, label) for family in families]
        if len(label.columns) > 1:
            for family in families:
                if len(family) == len(label.columns):
                    yield Choice((self.guesses.pattern(family),), family, BY_NAME, sure=len(families) == 1)
            return
        for family in families:
            for choice in self._shapes(label, family):
                yield choice if len(families) == 1 else Choice(choice.patterns, choice.columns, choice.why, sure=False)

    def _undecided(self, family: tuple[str, ...], label: Choice) -> tuple[str, ...]:
        """Columns without those that are decisions beside the others, as ``pred_class`` is beside ``pred_a``."""
        if len(label.columns) > 1:
            return family
        return tuple(name for name in family if not self._decides(name, label)) or family

    def _shapes(self, label: Choice, family: tuple[str, ...]) -> Iterator[Choice]:
        """Several columns of predictions of one label as a vector, as models, or as either."""
        truth = self.truths.look.candidate(label.columns[0])
        if truth is not None and self._are_quantiles_beside_words(truth, family):
            return
        vector, k = Choice((self.guesses.pattern(family),), family, BY_NAME), len(family)
        models = Choice(family, family, BY_NAME)
        from lossctl.inference.repeated import may_lack_classes

        if truth is None or truth.distinct is None or len(family) == 1:
            yield models
        elif truth.has_columns(family):
            yield vector
        elif may_lack_classes(self.guesses, truth, family):
            yield from (replace(vector, sure=False), replace(models, sure=False))
        elif truth.kind == "text":
            several = truth.distinct > 2 or (k >= truth.distinct and self.guesses.look.sum_to_one(family))
            yield replace(vector, sure=False) if several else models
        elif (truth.is_coded(k) or truth.is_classed(k)) and self.guesses.look.sum_to_one(family):
            yield vector
        elif truth.distinct > 2 and (truth.is_coded(k) or (truth.is_classed(k) and are_counted(family))):
            yield from (replace(vector, sure=False), replace(models, sure=False))
        elif len(family) <= MOST_MODELS:
            yield models

    def _are_quantiles_beside_words(self, truth: "Candidate", family: Sequence[str]) -> bool:
        """Whether columns are named for quantiles, not for the words of a label, and are no rows of probabilities."""
        levels = levels_among(family) if truth.kind == "text" and not truth.has_columns(family) else ()
        return len(levels) == len(family) > 1 and not self.guesses.look.sum_to_one(family)

    def _prediction_endings(self, label: Choice, others: Collection[str]) -> Iterator[Choice]:
        """Columns such as ``price_pred``, or ``a_prob, b_prob`` of two models."""
        family = tuple(name for name in self.guesses.ending(ENDINGS.prediction) if name not in others)
        if len(label.columns) == 1:
            named = without(label.columns[0], ENDINGS.label)
            family = tuple(name for name in family if without(name, ENDINGS.prediction) == named) or family
        if len(family) == 1 == len(label.columns):
            yield Choice(family, family, BY_NAME)
        elif len(label.columns) == 1 < len(family):
            yield from self._shapes(label, family)
        elif len(family) == len(label.columns):
            yield Choice((self.guesses.pattern(family),), family, BY_NAME)

    def _quantiles(self, label: Choice) -> Iterator[Choice]:
        """Of columns that are named for quantiles, and seldom fall from one to the next, the median."""
        named = levels_among(column.name for column in self.guesses.free if column.kind == "number")
        names = sorted(named, key=lambda name: named[name])
        rows = self.guesses.look.rows(names) if len(names) > 1 and len(label.columns) == 1 else None
        truth = self.truths.look.candidate(label.columns[0])
        if truth is not None and self._are_quantiles_beside_words(truth, names):
            return
        distinct = rows is not None and bool(len(rows)) and len({*named.values()}) == len(names)
        from lossctl.inference.repeated import intervals, points

        if len({*named.values()}) < len(names):
            yield from intervals(self.guesses, label)
        clear = all(map(interval_end, names))  # such as lo-80: nothing else is called so, whatever it holds
        if rows is not None and distinct and (clear or np.mean((np.diff(rows, axis=1) < 0).any(axis=1)) <= CROSSING):
            yield from points(self.guesses, label, names)
            for name in names:
                if named[name] == 0.5:
                    yield Choice((name,), (name,), QUANTILE, sure=False)
            yield Choice((self.guesses.pattern(tuple(names)),), tuple(names), QUANTILE, sure=False)

    def _pairs(self, label: Choice) -> Iterator[Choice]:
        """The only columns that are named for a mean and its scale, or for the ends of an interval."""
        truth = self.truths.look.candidate(label.columns[0]) if len(label.columns) == 1 else None
        if truth is None or truth.kind != "number":
            return
        names = [each.name for each in self.guesses.free if each.kind == "number" and each.name not in label.columns]
        pairs = [Choice((",".join(pair),), pair, BY_NAME, sure=False) for pair in pairs_in(names)]
        from lossctl.inference.repeated import intervals, points

        named = [name for pair in pairs if interval_end(pair.columns[0]) for name in pair.columns]
        yield from points(self.guesses, label, named) if named else ()
        yield from pairs or intervals(self.guesses, label)
        if self.request.loss:  # one of a plain number, it may be, which is the mean
            means = [pair.columns[0] for pair in pairs if interval_end(pair.columns[0]) is None]
            yield from (Choice((mean,), (mean,), BY_NAME, sure=False) for mean in means)

    def _class_columns(self, label: Choice, others: Collection[str]) -> Iterator[Choice]:
        """Columns that are named for the classes of the label."""
        truth = self.truths.look.candidate(label.columns[0])
        if truth is not None and len(label.columns) == 1:
            families = self.guesses.class_families(truth, others)
            family = self.guesses.class_columns(truth, others) or (families[0] if len(families) == 1 else ())
            if family:
                why, rows = "because they are named for the classes", self.guesses.look.sum_to_one(family)
                more = () if rows else self._scores_beside(family, {*others, *label.columns})
                whole = (
                    tuple(each.name for each in self.guesses.free if each.name in {*family, *more}) if more else family
                )
                for names in dict.fromkeys((whole, family)):
                    sure = rows or (not more and len(family) <= len(truth.classes))
                    yield Choice((self.guesses.pattern(names),), names, why, sure=sure)

    def _scores_beside(self, family: Sequence[str], others: Collection[str]) -> tuple[str, ...]:
        """Columns of numbers below 0 beside such columns: scores of classes that no label has, it may be."""
        columns = [each for each in self.guesses.candidates if each.kind == "number" and each.name not in others]
        signed = [each.name for each in columns if each.content.numbers.low < 0]
        return tuple(name for name in signed if name not in family) if {*family} <= {*signed} else ()

    def _predictions_by_content(self, label: Choice, decided: Sequence[str]) -> Iterator[Choice]:
        """Any column that could be a prediction; the only one that is left is one for sure, if it is like the label."""
        from lossctl.inference.followed import is_of_yes_or_no

        truth = self.truths.look.candidate(label.columns[0])
        apart = {*self.beside(label), *decided}
        others = [column for column in self.guesses.candidates if column.name not in apart]
        likely = [column for column in others if "prediction" in column.roles and not column.decides_between(truth)]
        repeated = {*self.repeated(label)}
        likely = [column for column in likely if not (is_metric(column.name) or column.name in repeated)]
        family = tuple(column.name for column in likely if column.kind == "number")
        k, labels = len(family), 0 if truth is None else truth.distinct or 0
        classes = labels == k > 1 or (k > max(labels, 2) and labels > 1)
        if classes and self.guesses.look.sum_to_one(family):
            yield Choice((self.guesses.pattern(family),), family, SUM, sure=False)
            return
        lists = [column for column in likely if column.kind == "list"]
        forced = (label.sure and len(likely) == 1) or len(lists) == 1
        alike = {
            column.name: len(label.columns) > 1 or (truth is not None and self.is_alike(truth, column))
            for column in likely
        }
        likely.sort(
            key=lambda column: (not alike[column.name], column.kind != "list", column.roles.index("prediction"))
        )
        binary = truth is not None and truth.distinct is not None and truth.distinct <= 2
        models = tuple(column.name for column in likely if alike[column.name] and column.kind == "number")
        if 1 < len(models) <= MOST_TOGETHER and not decided and not lists:
            yield Choice(models, models, LEFT, sure=False)
        for column in likely:
            fits = alike[column.name]
            sure = forced and fits and (not lists or column.kind == "list")
            if fits or not decided:
                scores = binary and is_of_yes_or_no(self.guesses, (column.name,))
                why, near = BESIDE if decided else LEFT, fits or scores or is_log_rate(column.name)
                yield Choice((column.name,), (column.name,), why, sure=sure and not decided, near=near)
            if sure:
                return

    def is_alike(self, truth: "Candidate", guess: "Candidate") -> bool:
        """Whether a column holds what a prediction of a label would; of two files, as far as each tells by itself."""
        return self.guesses.look.alike(truth, guess, beside=not self.apart)

    def beside(self, label: Choice) -> tuple[str, ...]:
        """The columns of a label that stand among those of the predictions."""
        return () if self.apart else label.columns

    def forced(self, side: Side, other: tuple[str, ...]) -> Iterator[Choice]:
        """Of labels elsewhere, the only column that is left on a side, or the columns of the other role by their names.

        Args:
            side: where to look.
            other: the columns of the other role; none where they could be more than that.
        """
        if self.apart and len(side.left) == 1:
            yield Choice(side.left, side.left, LEFT)
        elif self.apart and other and _both_have(other, side.left):
            yield Choice(
                (side.pattern(other),), other, f"because both sides have {'it' if len(other) == 1 else 'them'}"
            )

    @cached_property
    def steps(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Labels elsewhere and their predictions, all numbers of both sides, which are steps in time; or none."""
        from lossctl.inference.repeated import steps

        labels, predictions = (steps(side) for side in (self.truths, self.guesses))
        return (labels, predictions) if self.apart and len(labels) == len(predictions) > 1 else ((), ())


def _both_have(names: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether columns are among those of the other data set by name; numbers and places name one only beside all."""
    return {*names} <= {*others} and (
        len(names) == len(others) or not all(name.removeprefix("#").isdecimal() for name in names)
    )
