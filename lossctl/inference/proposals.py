"""Which columns could play the roles that nobody named: by their names first, then by what is in them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from lossctl.inference.choice import BESIDE, BY_NAME, CONFIDENCE, LEFT, QUANTILE, SUM, Choice, Proposal
from lossctl.inference.classes import are_counted
from lossctl.inference.names import (
    BESIDE_PREDICTIONS,
    ENDINGS,
    LABELS,
    PREDICTIONS,
    is_guess,
    is_key,
    is_log_rate,
    is_mask,
    is_metric,
    is_weight,
    levels_among,
    plain_name,
    stem_of,
    without,
)
from lossctl.inference.parts import interval_end, pairs_in
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
MOST_TOGETHER = 8
"""Columns up to which those that only their numbers tell to be guesses are proposed together."""
CROSSING = 0.1
"""The part of the rows in which columns that are named for quantiles may cross."""


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
        keys = ((), ()) if elsewhere is None else (elsewhere.keys, elsewhere.label_keys)
        self.named_label = tuple(name for pattern in request.label for name in find(pattern, labels.columns, "label"))
        self.named_prediction = tuple(
            name
            for pattern in request.prediction
            for name in find(titled(pattern, source.columns)[1], source.columns, "prediction")
        )
        weights = [] if request.weight is None else [request.weight]
        both = (*source.columns, *(() if elsewhere is None else elsewhere.columns))
        weighing = {name for pattern in weights for name in find(pattern, both, "weight")}
        self.grouped = groups = {grouping.column for pattern in request.by for grouping in groupings(pattern, both)}
        own = self.named_prediction if self.apart else (*self.named_label, *self.named_prediction)
        self.guesses = Side(source, {*keys[0], *weighing, *own}, groups)
        """Where the predictions are looked for."""
        self.truths = Side(labels, {*keys[1], *weighing, *self.named_label}, groups) if self.apart else self.guesses
        """Where the labels are: the same, but for labels elsewhere."""

    def proposals(self) -> list[Proposal]:
        """Columns for both roles, likeliest first; the first is sure, or none is.

        What names tell is all there is; numbers that nothing tells to be guesses of a label are none.
        """
        pairs = (Proposal(label, prediction) for label in self.labels() for prediction in self.predictions(label))
        proposals = [
            *islice((pair for pair in pairs if not {*self._beside(pair.label)} & {*pair.prediction.columns}), MOST)
        ]
        proposals = [pair for place, pair in enumerate(proposals) if not any(map(pair.names, proposals[:place]))]
        proposals = [pair for pair in proposals if pair.prediction.why != LEFT] or proposals
        doubts = (self._is_repeated, self._is_of_tokens, self._is_of_few_words)
        proposals = [pair for pair in proposals if not any(doubt(pair) for doubt in doubts)]
        near = [pair for pair in proposals if pair.prediction.near]
        return near or [pair for pair in proposals if any(map(is_guess, pair.prediction.columns))]

    def repeated(self, label: Choice) -> tuple[str, ...]:
        """The columns that hold in every row what a label beside them does: that label, under another name."""
        if self.apart or len(label.columns) > 1:
            return ()
        names = (column.name for column in self.guesses.free if column.name not in label.columns)
        return tuple(name for name in names if self.guesses.look.repeats(label.columns[0], name))

    def _is_repeated(self, pair: Proposal) -> bool:
        """Whether nothing but what is in them tells two columns to be label and prediction, and that is the same."""
        told = pair.prediction.why == BY_NAME or not pair.prediction.why
        single = len(pair.label.columns) == len(pair.prediction.columns) == 1
        if self.apart or told or not single:
            return False
        return self.guesses.look.repeats(pair.label.columns[0], pair.prediction.columns[0])

    def _is_of_tokens(self, pair: Proposal) -> bool:
        """Whether the prediction that nobody named are lists of several lengths, and the label is none."""
        labels, guesses = (
            {column.name for column in side.columns if column.kind == "list"} for side in (self.truths, self.guesses)
        )
        single = len(pair.prediction.columns) == 1 and not self.named_prediction and not {*pair.label.columns} & labels
        lists = single and {*pair.prediction.columns} <= guesses
        return lists and self.guesses.look.differ_in_length(pair.prediction.columns[0])

    def _is_of_few_words(self, pair: Proposal) -> bool:
        """Whether words of a few rows are held against numbers that are none of probabilities, by no name."""
        if self.apart or not pair.label.why == pair.prediction.why == LEFT or len(pair.prediction.columns) > 1:
            return False
        from lossctl.inference.candidates import ROWS

        look = self.truths.look
        truth, guess = (look.candidate(names[0]) for names in (pair.label.columns, pair.prediction.columns))
        if truth is None or guess is None or truth.kind != "text" or self.named_prediction:
            return False
        return sum(record.num_rows for record in look.records) < ROWS and not look.alike(truth, guess)

    def _beside(self, label: Choice) -> tuple[str, ...]:
        """The columns of a label that stand among those of the predictions."""
        return () if self.apart else label.columns

    # --- labels

    def labels(self) -> Iterator[Choice]:
        """The label columns, likeliest first."""
        if self.named_label:
            yield Choice(tuple(self.request.label), self.named_label)
            return
        usual, unusual = self.truths.known(LABELS[0]), self.truths.known(LABELS[1])
        if len(usual) == 1 and unusual:
            from lossctl.inference.repeated import decided

            unusual = [name for name in unusual if not decided(self.truths, name)]
        matching = [*usual, *unusual]
        if not matching and (self.named_prediction or self.guesses.known(PREDICTIONS[0] | PREDICTIONS[1])):
            matching = self.truths.known(BESIDE_PREDICTIONS)
        same = self.truths.look.same if len(usual) == 1 and unusual else None
        sure = len(matching) == 1 or (same is not None and all(same(usual[0], name) for name in unusual))
        for name in matching:
            yield Choice((name,), (name,), BY_NAME, sure=sure)
        if matching:
            return
        worded = [*self._labels_of_classes()] if self._vectors else []
        choices = worded or [*self._labels_of_vectors(), *self._labels_of_models()]
        choices = choices or [*self._label_families(), *self._label_endings(), *self._labels_of_classes()]
        choices = choices or [*self._forced(self.truths, self._predicted_twins())]
        choices = choices or [*self._labels_of_lists()]
        if not choices and (steps := self._steps[0]):
            choices = [Choice((self.truths.pattern(steps),), steps, LEFT, sure=False)]
        yield from choices if choices and not choices[0].sure else choices[:1]
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
        elif self.apart and other and _both_have(other, side.left):
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

    @cached_property
    def _vectors(self) -> list[tuple[str, ...]]:
        """The columns of the one vector that is named for the predictions, else those that could be one by name."""
        if self.named_prediction:
            named = len(self.request.prediction) == 1 < len(self.named_prediction)
            return [self.named_prediction] if named else []
        return [*self.guesses.families(PREDICTIONS).values()]

    def _labels_of_vectors(self) -> Iterator[Choice]:
        """A column for each of a vector of predictions, by their names, else as many columns of 0 and 1."""
        families = [family for vector in self._vectors if (family := self.truths.named_like(vector))]
        for family in families:
            yield Choice((self.truths.pattern(family),), family, BY_NAME, sure=len(families) == 1)
        wide = [vector for vector in self._vectors if len(vector) > 2 or self.named_prediction]
        telling = [column.name for column in self.truths.bits if column.roles[0] != "group"]
        bits = tuple(telling) if wide and not families else ()
        if bits and any(len(bits) == len(vector) for vector in wide):
            yield Choice((self.truths.pattern(bits),), bits, LEFT, sure=False)

    def _labels_of_models(self) -> Iterator[Choice]:
        """Columns of 0 and 1 for each of which every model has a column."""
        from lossctl.inference.repeated import of_labels

        bits = tuple(column.name for column in self.truths.bits) if not self._vectors else ()
        if len(bits) > 1 and of_labels(self.guesses, bits):
            yield Choice((self.truths.pattern(bits),), bits, "because columns are named for them, of each model")

    def _labels_of_lists(self) -> Iterator[Choice]:
        """The only one of two columns of lists that holds 0 and 1, as `numpy.savez` names neither."""
        lists = [column.name for column in self.truths.free if column.kind == "list"]
        if not self.apart and len(lists) == 2 and len(self.truths.free) == 2:
            bits = [name for name in lists if self.truths.look.are_bits(name)]
            if len(bits) == 1:
                yield Choice((bits[0],), (bits[0],), LEFT, sure=False)

    @cached_property
    def _steps(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Labels elsewhere and their predictions, all numbers of both sides, which are steps in time; or none."""
        from lossctl.inference.repeated import steps

        labels, predictions = (steps(side) for side in (self.truths, self.guesses))
        return (labels, predictions) if self.apart and len(labels) == len(predictions) > 1 else ((), ())

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
        if len(matching) == len(self.guesses.ending(ENDINGS.prediction)) > 1:
            yield Choice((self.truths.pattern(tuple(matching)),), tuple(matching), BY_NAME, sure=False)
        for name in matching:
            yield Choice((name,), (name,), BY_NAME, sure=len(matching) == 1)

    def _labels_of_classes(self) -> Iterator[Choice]:
        """A column of text for whose words other columns are named."""
        for candidate in self.truths.named:
            vector = self.named_prediction if len(self.named_prediction) > 1 else ()
            named = candidate.has_columns(vector) if vector else self.guesses.class_families(candidate)
            if candidate.kind == "text" and (named or self.guesses.class_columns(candidate)):
                yield Choice((candidate.name,), (candidate.name,), "because columns are named for its words")

    def _labels_by_content(self) -> Iterator[Choice]:
        """Any column that could be a label; the only one that is left is one for sure."""
        from lossctl.inference.followed import followed, forecast_among
        from lossctl.inference.repeated import no_labels

        forecast = self.named_prediction or forecast_among(self.guesses)
        beside = set[str]() if self.apart else {*forecast}
        others = [column for column in self.truths.candidates if column.name not in beside]
        likely = [column for column in others if "label" in column.roles] + self._counted_amounts(forecast)
        none = no_labels(self.truths)
        likely = [column for column in likely if not is_guess(column.name) and column.name not in none]
        wide = any(len(vector) > 2 for vector in self._vectors)
        bits = [column for column in self.truths.bits if column in likely] if wide else []
        if len(bits) > 1:  # each is a label by itself, none says which of several classes
            likely = [column for column in likely if column not in bits]
        telling = [column for column in likely if column.roles[0] != "group" and column.distinct != 1]
        telling = _decisions_among(telling)
        single = bool(forecast) and (bool(self.named_prediction) or not levels_among(forecast))
        forced = single and len(telling) == len(likely) == sum(column.name not in none for column in others) == 1
        guess = self.guesses.look.candidate(forecast[0]) if forecast else None
        told = self.truths.look.associations([column.name for column in telling if column.kind == "number"])
        order = {"label": 0, "prediction": 1}
        listed = sorted(
            telling or likely,
            key=lambda column: (order.get(column.roles[0], 0), -told.get(column.name, 0.0)),
        )
        for column in (each.column for each in followed(self.truths, self.guesses, listed, forecast)):
            alike = forced and guess is not None and self._alike(column, guess)
            yield Choice((column.name,), (column.name,), LEFT, sure=alike)

    def _counted_amounts(self, forecast: Sequence[str]) -> "list[Candidate]":
        """Columns of whole numbers no two of which are the same, as of ids, to which a forecast is near."""
        from lossctl.inference.followed import followed

        free = {column.name for column in self.truths.free}
        looked = self.truths.look.candidates if forecast and not self.apart else ()
        ids = [each for each in looked if each.name in free and each.kind == "number" and each.roles == ("id",)]
        ids = [each for each in ids if not is_key(each.name) and each.name not in forecast]
        near = [each.column for each in followed(self.truths, self.guesses, ids, forecast) if each.near]
        return [replace(column, roles=("label",)) for column in near]

    # --- predictions

    def predictions(self, label: Choice) -> Iterator[Choice]:
        """The predictions of a label, likeliest first."""
        if self.named_prediction:
            yield Choice(tuple(self.request.prediction), self.named_prediction)
            return
        beside = self._beside(label)
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
            numbered = [*alike(self.truths, self.guesses, label, others)]
            choices = numbered if any(choice.near for choice in numbered) else []
        if not choices and not decided:
            choices = [*self._forced(self.guesses, label.columns if label.sure and label.why != BY_NAME else ())]
        if not choices and label.columns == self._steps[0]:
            choices = [Choice((self.guesses.pattern(self._steps[1]),), self._steps[1], LEFT, sure=False)]
        choices = choices or [*self._predictions_by_content(label, decided)]
        choices = [self._doubted(choice, decided, label) for choice in choices]
        sure = bool(choices) and choices[0].sure
        yield from choices[:1] if sure else choices
        for name in decided if not sure else ():
            yield Choice((name,), (name,), BY_NAME, sure=len(decided) == 1 and not choices)

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
        apart = {*self._beside(label), *decided}
        others = [column for column in self.guesses.candidates if column.name not in apart]
        likely = [column for column in others if "prediction" in column.roles and not column.decides_between(truth)]
        likely = [column for column in likely if not (is_metric(column.name) or column.name in self.repeated(label))]
        family = tuple(column.name for column in likely if column.kind == "number")
        k, labels = len(family), 0 if truth is None else truth.distinct or 0
        classes = labels == k > 1 or (k > max(labels, 2) and labels > 1)
        if classes and self.guesses.look.sum_to_one(family):
            yield Choice((self.guesses.pattern(family),), family, SUM, sure=False)
            return
        lists = [column for column in likely if column.kind == "list"]
        forced = (label.sure and len(likely) == 1) or len(lists) == 1
        alike = {
            column.name: len(label.columns) > 1 or (truth is not None and self._alike(truth, column))
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

    def _alike(self, truth: "Candidate", guess: "Candidate") -> bool:
        """Whether a column holds what a prediction of a label would; of two files, as far as each tells by itself."""
        return self.guesses.look.alike(truth, guess, beside=not self.apart)


def _both_have(names: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether columns are among those of the other data set by name; numbers and places name one only beside all."""
    return {*names} <= {*others} and (
        len(names) == len(others) or not all(name.removeprefix("#").isdecimal() for name in names)
    )


def _decisions_among(columns: "Sequence[Candidate]") -> "list[Candidate]":
    """The columns of 0 and 1 where all others lie between: these are of them, and no labels."""
    bits = [column for column in columns if column.kind == "number" and column.classes <= {0, 1} and column.classes]
    spans = [column.content.numbers for column in columns if column.kind == "number" and column not in bits]
    unit = all(values.n and not values.infinite and 0 <= values.low <= values.high <= 1 for values in spans)
    return bits if bits and spans and unit else [*columns]
