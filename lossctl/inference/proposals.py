"""Which columns could play the roles that nobody named: by their names first, then by what is in them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from lossctl.inference.choice import BY_NAME, LEFT, Choice, Proposal
from lossctl.inference.names import (
    BESIDE_PREDICTIONS,
    ENDINGS,
    LABELS,
    PREDICTIONS,
    is_decision,
    is_guess,
    is_key,
    is_predicted,
    is_predicted_label,
    is_thing,
    levels_among,
    plain_name,
)
from lossctl.inference.patterns import find, titled
from lossctl.inference.predictions import Predictions
from lossctl.inference.request import Elsewhere, Request
from lossctl.inference.roles import groupings
from lossctl.inference.side import Side
from lossctl.reading.format import Source

if TYPE_CHECKING:
    from lossctl.inference.candidates import Candidate

MOST = 12
"""How many proposals there may be."""


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
        self.predictions = Predictions(self.truths, self.guesses, request, self.named_prediction)

    def proposals(self) -> list[Proposal]:
        """Columns for both roles, likeliest first; the first is sure, or none is.

        What names tell is all there is; numbers that nothing tells to be guesses of a label are none.
        """
        pairs = (Proposal(label, prediction) for label in self.labels() for prediction in self.predictions.of(label))
        apart = (pair for pair in pairs if not {*self.predictions.beside(pair.label)} & {*pair.prediction.columns})
        proposals = [*islice(apart, MOST)]
        proposals = [pair for place, pair in enumerate(proposals) if not any(map(pair.names, proposals[:place]))]
        proposals = [pair for pair in proposals if pair.prediction.why != LEFT] or proposals
        doubts = (self._is_repeated, self._is_of_tokens, self._is_of_few_words)
        proposals = [pair for pair in proposals if not any(doubt(pair) for doubt in doubts)]
        near = [pair for pair in proposals if pair.prediction.near]
        return near or [pair for pair in proposals if any(map(is_guess, pair.prediction.columns))]

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
        choices = choices or [*self.predictions.forced(self.truths, self._predicted_twins())]
        choices = choices or [*self._labels_of_lists()]
        if not choices and (steps := self.predictions.steps[0]):
            choices = [Choice((self.truths.pattern(steps),), steps, LEFT, sure=False)]
        yield from choices if choices and not choices[0].sure else choices[:1]
        if not choices:
            yield from self._labels_by_content()

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

    def _label_families(self) -> Iterator[Choice]:
        """Columns such as ``y_1, y_2`` beside as many predictions."""
        widths = {len(family) for family in self.guesses.families(PREDICTIONS).values()} | {len(self.named_prediction)}
        for family in self.truths.families(LABELS).values():
            if len(family) in widths:
                yield Choice((self.truths.pattern(family),), family, BY_NAME)

    def _label_endings(self) -> Iterator[Choice]:
        """A column such as ``price_true``, or ``price`` beside ``price_pred``."""
        names = {plain_name(column.name): column.name for column in self.truths.free}
        matching = [name for key, name in names.items() if key.endswith(ENDINGS.label) and not is_predicted_label(key)]
        for key in [plain_name(name) for name in self.guesses.ending(ENDINGS.prediction)]:
            stem = key.removesuffix(next(ending for ending in ENDINGS.prediction if key.endswith(ending)))
            matching += [names[stem]] if stem in names and not is_predicted(stem) else []
        matching = [*dict.fromkeys(matching)]
        if len(matching) == len(self.guesses.ending(ENDINGS.prediction)) > 1:
            yield Choice((self.truths.pattern(tuple(matching)),), tuple(matching), BY_NAME, sure=False)
        for name in matching:
            yield Choice((name,), (name,), BY_NAME, sure=len(matching) == 1)

    def _labels_of_classes(self) -> Iterator[Choice]:
        """A column of text for whose words other columns are named, and that is none of the classes predicted."""
        columns: list[str] = []
        for candidate in self.truths.named:
            vector = self.named_prediction if len(self.named_prediction) > 1 else ()
            if candidate.kind != "text" or is_decision(candidate.name):
                continue
            named = candidate.has_columns(vector) if vector else self.guesses.class_families(candidate)
            if named or self.guesses.class_columns(candidate):
                columns.append(candidate.name)
        for name in columns:
            yield Choice((name,), (name,), "because columns are named for its words", sure=len(columns) == 1)

    def _labels_by_content(self) -> Iterator[Choice]:
        """Any column that could be a label; the only one that is left is one for sure."""
        from lossctl.inference.followed import followed, forecast_among, words_followed
        from lossctl.inference.poles import is_yes_or_no
        from lossctl.inference.repeated import no_labels

        forecast = self.named_prediction or forecast_among(self.guesses)
        beside = set[str]() if self.apart else {*forecast}
        others = [column for column in self.truths.candidates if column.name not in beside]
        likely = [column for column in others if "label" in column.roles] + self._counted_amounts(forecast)
        likely += self._many_words() if not likely else []
        none = no_labels(self.truths)
        likely = [column for column in likely if not is_guess(column.name) and column.name not in none]
        wide = any(len(vector) > 2 for vector in self._vectors)
        bits = [column for column in self.truths.bits if column in likely] if wide else []
        if len(bits) > 1:  # each is a label by itself, none says which of several classes
            likely = [column for column in likely if column not in bits]
        likely = [column for column in likely if column.kind != "text" or not is_decision(column.name)]
        telling = [column for column in likely if column.roles[0] != "group" and column.distinct != 1]
        telling = _decisions_among(telling)
        telling = telling if self.apart else words_followed(self.guesses, telling, forecast)
        single = bool(forecast) and (bool(self.named_prediction) or not levels_among(forecast))
        forced = single and len(telling) == len(likely) == sum(column.name not in none for column in others) == 1
        guess = self.guesses.look.candidate(forecast[0]) if forecast else None
        told = self.truths.look.associations([column.name for column in telling if column.kind == "number"])
        order = {"label": 0, "prediction": 1}
        unseen = self.apart or bool(self.named_prediction)  # predictions are not held against the words of labels
        listed = sorted(
            telling or likely,
            key=lambda column: (
                order.get(column.roles[0], 0),
                -told.get(column.name, 0.0),
                unseen and column.kind == "text" and not is_yes_or_no(column.classes),
            ),
        )
        among = followed(self.truths, self.guesses, listed, forecast)
        among = [each for each in among if each.near or not (beside and _is_thing(each.column))]
        for column in (each.column for each in among):
            alike = forced and guess is not None and self.predictions.is_alike(column, guess)
            yield Choice((column.name,), (column.name,), LEFT, sure=alike)

    def _many_words(self) -> "list[Candidate]":
        """Columns of more words than a label has as a rule, beside the only one of lists: no more than these are long.

        Words come again, which those that tell rows apart do not.
        """
        lists = [column.name for column in self.guesses.free if column.kind == "list"]
        width = self.guesses.look.length(lists[0]) if len(lists) == 1 else 0
        free = {column.name for column in self.truths.free if column.kind == "text" and not is_key(column.name)}
        texts = [each for each in self.truths.look.candidates if each.name in free] if width else []
        rows = sum(record.num_rows for record in self.truths.look.records)
        few = [each for each in texts if each.distinct is not None and 1 < each.distinct <= min(width, rows - 1)]
        return [replace(each, roles=("label",)) for each in few]

    def _counted_amounts(self, forecast: Sequence[str]) -> "list[Candidate]":
        """Columns of whole numbers no two of which are the same, as of ids, to which a forecast is near."""
        from lossctl.inference.followed import followed

        free = {column.name for column in self.truths.free}
        looked = self.truths.look.candidates if forecast and not self.apart else ()
        ids = [each for each in looked if each.name in free and each.kind == "number" and each.roles == ("id",)]
        ids = [each for each in ids if not is_key(each.name) and each.name not in forecast]
        near = [each.column for each in followed(self.truths, self.guesses, ids, forecast) if each.near]
        return [replace(column, roles=("label",)) for column in near]


def _is_thing(column: "Candidate") -> bool:
    """Whether a column says of which of several things a prediction is; of two, it may be what is predicted."""
    return is_thing(column.name) and column.distinct != 2


def _decisions_among(columns: "Sequence[Candidate]") -> "list[Candidate]":
    """The columns of 0 and 1 where all others lie between: these are of them, and no labels."""
    bits = [column for column in columns if column.kind == "number" and column.classes <= {0, 1} and column.classes]
    spans = [column.content.numbers for column in columns if column.kind == "number" and column not in bits]
    unit = all(values.n and not values.infinite and 0 <= values.low <= values.high <= 1 for values in spans)
    return bits if bits and spans and unit else [*columns]
