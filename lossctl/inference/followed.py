"""Which column the predictions follow: of several that could be the label the one that they are near to."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray
from lossctl.inference.look import SIGNIFICANT
from lossctl.inference.names import PREDICTIONS, is_component, is_guess, levels_among, plain_name, stem_of
from lossctl.inference.parts import interval_end, stem_of_interval
from lossctl.inference.reader import Reader
from lossctl.inference.repeated import MEANS
from lossctl.inference.side import Side
from lossctl.reading.cells import BadRow

if TYPE_CHECKING:
    from lossctl.inference.candidates import Candidate

MANY = 50
"""Rows from which on labels do not all lie between the ends of their forecasts by chance."""
_LAGS = re.compile(r"(^|_)(lag|lags|lagged|prev|previous|last|rolling|roll)(_|\d|$)")


@dataclass(frozen=True)
class Followed:
    """A column that could be the label, and how near predictions are to it."""

    column: "Candidate"
    explained: float
    """The part of its variance of which they leave no error, or of a yes or no that they tell; −∞ where not known."""
    unlike: float
    """The ratio of its range to theirs, or the other way round, at least 1; 0 where that is not known."""

    @property
    def near(self) -> bool:
        """Whether they are nearer to it than its mean is."""
        return self.explained > 0.0


def forecast_among(side: Side) -> tuple[str, ...]:
    """The columns of which the mean of a row is a forecast of its label, by their names; none where none are.

    Those are the columns with a known name for a prediction, or the only one whose name begins so, the median, the
    outer quantiles, or the ends of an interval; else all whose names say that they are guesses.
    """
    known = side.known(PREDICTIONS[0]) or side.known(PREDICTIONS[1])
    if known:
        return tuple(known)
    names = [column.name for column in side.free if column.kind == "number"]
    levels = levels_among(names)
    if len(levels) > 1 and len({*levels.values()}) == len(levels):
        ordered = sorted(levels, key=lambda name: levels[name])
        median = [name for name in ordered if levels[name] == 0.5]
        return (*median,) or (ordered[0], ordered[-1])
    begins = PREDICTIONS[0] | PREDICTIONS[1]
    stemmed = [name for name in names if stem_of(name) in begins]
    if len(stemmed) == 1:
        return tuple(stemmed)
    ends = [[name for name in names if interval_end(name) == end] for end in ("lower", "upper")]
    if [*map(len, ends)] == [1, 1]:
        return ends[0][0], ends[1][0]
    guesses = [name for name in names if is_guess(name) and not interval_end(name)]
    return tuple(guesses or [name for name in names if plain_name(name) in MEANS])


def followed(truths: Side, guesses: Side, columns: "Sequence[Candidate]", forecast: Sequence[str]) -> list[Followed]:
    """Columns of numbers that could be the label of a forecast, the nearest first; others stay behind, in their order.

    Those that are not near are left out where one is, and what came before a row where another is; those of 0 and 1
    where the forecast is of no yes or no; and what is of the forecast itself: its parts, a mean beside quantiles, the
    point that lies between them in every row.
    """
    among = [_followed(truths, guesses, column, forecast) for column in columns]
    if forecast and not is_of_yes_or_no(guesses, forecast):
        among = [each for each in among if not _is_bit(each.column)]
    among.sort(key=lambda each: (-max(each.explained, 0.0), each.unlike))
    names = [column.name for column in guesses.free if column.kind == "number"]
    levels = levels_among(names)
    parts = [name for name in names if name in levels or interval_end(name)]
    stems = {*map(stem_of_interval, parts)}
    means = {each.column.name for each in among if parts and plain_name(each.column.name) in MEANS}
    made = {*means, *(each.column.name for each in among if forecast and is_component(each.column.name))}
    among = [each for each in among if each.column.name not in made]
    near = [each for each in among if each.near]
    points = [each for each in near if plain_name(each.column.name) in stems]
    others = [each for each in near if each not in points and not _LAGS.search(plain_name(each.column.name))]
    if others:
        return others
    between = [each for each in points if _is_between(guesses, each.column.name, parts)]
    return [each for each in near if each not in between] or [each for each in among if each not in between]


def words_followed(side: Side, columns: "Sequence[Candidate]", forecast: Sequence[str]) -> "list[Candidate]":
    """Columns that could be the label; where probabilities follow those of two words, without what they cannot be of.

    Args:
        side: where they stand, and the predictions beside them.
        columns: those that could be the label; what is followed most closely comes first of the words.
        forecast: the columns of the predictions; all that could be probabilities where nobody knows.
    """
    guesses = [each for each in side.candidates if each.roles[:1] == ("prediction",) and each.kind == "number"]
    scores = [each.name for each in guesses if _is_score(each, named=each.name in forecast)]
    scores = [name for name in scores if not forecast or name in forecast]
    pairs = [column.name for column in columns if column.kind == "text" and column.distinct == 2]
    told = _told(side, pairs, scores) if pairs and scores else {}
    nearest = sorted((each for each in columns if each.name in told), key=lambda each: -told[each.name])
    others = [each for each in columns if each.kind != "text" and _is_score(each, named=False)]
    return [*nearest, *others] if told else [*columns]


def _is_score(column: "Candidate", *, named: bool) -> bool:
    """Whether numbers may be probabilities, or of those that are named for predictions logits."""
    values = column.content.numbers
    return 0 <= values.low <= values.high <= 1 or (named and values.low < 0 < values.high)


def _told(side: Side, words: Sequence[str], scores: Sequence[str]) -> dict[str, float]:
    """Of columns of two words what part of the variance of one some scores tell, where that is no accident.

    Nothing where a score tells one without an error: that may be decisions made of it, and the label another column.
    """
    parts = []
    for record in side.look.records:
        reader = Reader(record)
        try:
            numbers = np.column_stack([reader.numbers(name) for name in scores])
            texts = [np.array(reader.text(name).to_pylist(), dtype=object) for name in words]
        except BadRow:
            return {}
        parts.append((numbers[~reader.null], [text[~reader.null] for text in texts]))
    rows = np.concatenate([numbers for numbers, _ in parts])
    told = dict[str, float]()
    for place, name in enumerate(words):
        text = np.concatenate([texts[place] for _, texts in parts])
        known = np.isfinite(rows).all(axis=1) & (text != None)  # noqa: E711  (of each cell)
        codes = np.unique(text[known].astype(str), return_inverse=True)[1].astype(np.float64)
        if len(words) > 1 and any(_is_cut(codes, score) for score in rows[known].T):
            return {}
        parts_told = [_explained(codes, turn * score, scores=True) for score in rows[known].T for turn in (1, -1)]
        explained = max(parts_told) if codes.var() > 0 else -np.inf
        told |= {name: explained} if explained > 0 else {}
    return told


def _is_cut(codes: FloatArray, score: FloatArray) -> bool:
    """Whether all scores of one of two codes ``(n,)`` lie above those of the other."""
    ones, others = score[codes == 1], score[codes == 0]
    return bool(len(ones) and len(others) and (ones.min() > others.max() or ones.max() < others.min()))


def _is_between(side: Side, name: str, parts: Sequence[str]) -> bool:
    """Whether a column lies between others in every row, of many, as no label does: the point of a forecast."""
    rows = side.look.rows((name, *parts))
    if rows is None or len(rows) < MANY:
        return False
    return bool(np.all((rows[:, 0] >= rows[:, 1:].min(axis=1)) & (rows[:, 0] <= rows[:, 1:].max(axis=1))))


def _followed(truths: Side, guesses: Side, column: "Candidate", forecast: Sequence[str]) -> Followed:
    kinds = {each.name: each.kind for each in guesses.columns}
    if column.kind != "number" or not forecast or any(kinds.get(name) != "number" for name in forecast):
        return Followed(column, -np.inf, 0.0)
    rows = guesses.look.rows((column.name, *forecast)) if truths is guesses else None
    rows = None if rows is None else rows[np.isfinite(rows).all(axis=1)]
    explained = -np.inf
    if rows is not None and len(rows) > 1 and rows[:, 0].var() > 0:
        explained = _explained(rows[:, 0], rows[:, 1:].mean(axis=1), scores=_is_bit(column))
    return Followed(column, explained, _unlike(column, guesses.look.candidate(forecast[0])))


def _explained(label: FloatArray, guess: FloatArray, *, scores: bool) -> float:
    """The part of the variance of a label ``(n,)`` that a guess ``(n,)`` explains as it is, scores by a line."""
    if not scores:
        return 1.0 - float(np.mean((guess - label) ** 2) / label.var())
    spread = float(guess.std() * label.std())
    correlation = float(np.mean((guess - guess.mean()) * (label - label.mean()))) / spread if spread else 0.0
    return correlation**2 if correlation > SIGNIFICANT / np.sqrt(len(label)) else -np.inf


def _unlike(label: "Candidate", guess: "Candidate | None") -> float:
    """How unlike the numbers of a label are those of its prediction: a ratio of ranges, at least 1."""
    numbers = [column.content.numbers for column in (label, guess) if column is not None]
    if len(numbers) < 2 or not all(values.n for values in numbers):
        return 0.0
    spans = sorted(values.quantile(1.0) - values.quantile(0.0) for values in numbers)
    return spans[1] / spans[0] if spans[0] > 0 else np.inf


def _is_bit(column: "Candidate") -> bool:
    return column.kind == "number" and bool(column.classes) and column.classes <= {0, 1}


def is_of_yes_or_no(side: Side, forecast: Sequence[str]) -> bool:
    """Whether columns may be of labels of 0 and 1: they hold numbers up to 1, up to 100, or of either sign."""
    if levels_among(forecast) or any(map(interval_end, forecast)):
        return False
    columns = [column for name in forecast if (column := side.look.candidate(name)) is not None]
    spans = [column.content.numbers for column in columns if column.content.numbers.n]
    return all(values.high <= 100 or values.low < 0 for values in spans)
