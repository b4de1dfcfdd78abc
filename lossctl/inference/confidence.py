"""Scores that are the confidence in a decision beside them, as classifiers of text write them: no probability."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray
from lossctl.errors import Undecided, option
from lossctl.inference.candidates import ROWS, Candidate
from lossctl.inference.choice import Choice
from lossctl.inference.classes import DECIDED, key_of
from lossctl.inference.look import SIGNIFICANT, Look
from lossctl.inference.names import HALF, LABELS, is_decision, is_mask, is_weight, plain_name, tells_decision
from lossctl.inference.poles import POLES, is_yes_or_no
from lossctl.inference.reader import Reader
from lossctl.inference.side import Side
from lossctl.reading import jq
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Source, formats
from lossctl.reading.storage import mask_of
from lossctl.words import free, percent

CERTAIN = frozenset({"confidence", "conf", "certainty"})
"""What only a confidence is called."""
SCORES = CERTAIN | {"score", "prob", "proba", "probability"}
"""What it is called beside a decision under the name of a label."""
OF_CLASSIFIERS = frozenset({
    ("negative", "positive"), ("neg", "pos"), ("ham", "spam"), ("label_0", "label_1"),
})  # fmt: skip
"""Two words that classifiers of text write, and that say nothing else of a row, as yes and no may."""
ROUNDING = 1e-6
"""What the probabilities of two classes may miss 1 by together."""
FLOOR = 1e-6
"""The least probability that a score is taken for, or one row would decide."""


@dataclass(frozen=True)
class Rows:
    """Rows without nulls: scores ``(n,)``, and the codes of the classes that are decided and those that are true."""

    score: FloatArray
    decision: FloatArray
    label: FloatArray | None
    """``None`` where the label is elsewhere."""


@dataclass(frozen=True)
class Confidence:
    """A score, the decision that it is the confidence in, and the label of both."""

    label: Candidate
    decision: Candidate
    score: str
    right: str
    """In what part of the rows the decision is right; empty where the label is elsewhere."""

    @property
    def clear(self) -> bool:
        """Whether it is told which of the two is the decision: by names, or as the label is elsewhere."""
        known = plain_name(self.label.name) in LABELS[0] | LABELS[1] and not tells_decision(self.label.name)
        return not self.right or known or tells_decision(self.decision.name)


def confidences(truths: Side, guesses: Side, label: Choice, prediction: Choice) -> Iterator[Confidence]:
    """The predictions of a label that are the confidence in a decision beside them.

    Args:
        truths: the columns among which the label is.
        guesses: those of the predictions, the same but for labels elsewhere.
        label: the label.
        prediction: what is taken for its predictions.
    """
    if len(label.columns) > 1 or len(prediction.patterns) < len(prediction.columns):
        return
    (title,) = label.columns
    kinds = {column.name: column.kind for column in truths.columns}
    beside = label.columns if truths is guesses else ()
    numbers = [column.name for column in guesses.free if column.kind == "number" and column.name not in beside]
    beyond = [name for name in numbers if name not in prediction.columns and plain_name(name) in SCORES]
    if beyond and not any(_are_decisions(guesses, name) for name in prediction.columns):
        beyond = []  # beside decisions they are the confidence in them
    scores = [name for name in numbers if name in prediction.columns or name in beyond]
    apart = truths is not guesses
    like = {kinds.get(title), *(["text"] if apart else [])}
    names = [column.name for column in guesses.free if column.kind in like]
    names = [name for name in names if not (name in beside or is_weight(name) or is_mask(name))]
    names = sorted(names, key=lambda name: not tells_decision(name))[:DECIDED]
    if not scores or not names or (names == scores and len(names) == 1):
        return
    look = Look(guesses.source, {*names, *scores, *beside})
    truth = (look if truths is guesses else truths.look).candidate(title)
    if truth is None or not 1 < len(truth.classes) <= DECIDED:
        return
    for score in scores:
        for decision in filter(None, (look.candidate(name) for name in names if name != score)):
            rows = _rows(look, score, decision, truth, beside=truths is guesses)
            turned = not apart and tells_decision(title) and not tells_decision(decision.name)
            named = tells_decision(decision.name) or (turned and truth.kind == "text")
            named = named or (apart and _is_written(decision, truth, score))
            foreign = _is_foreign(decision, truth)
            known = _known(decision.classes if foreign else decision.classes | truth.classes)
            if rows is not None and _is_confidence(rows, score, len(decision.classes), named=named, known=known):
                same = None if rows.label is None else rows.label == rows.decision
                right = "" if same is None else percent(int(same.sum()), len(same))
                yield Confidence(*((decision, truth) if turned else (truth, decision)), score, right)


def _are_decisions(side: Side, name: str) -> bool:
    """Whether a column is called like decisions and holds such, and no scores."""
    column = side.look.candidate(name) if tells_decision(name) else None
    return column is not None and (column.kind == "text" or bool(column.classes))


def ensure_no_confidence(truths: Side, guesses: Side, pairs: Sequence[tuple[Choice, Choice]]) -> None:
    """Check that no score that could be measured is the confidence in a decision beside it.

    Args:
        truths, guesses: as for `confidences`.
        pairs: labels with what is taken for their predictions, likeliest first.

    Raises:
        Undecided: one is; with what to do.
    """
    among = [each for label, prediction in pairs for each in confidences(truths, guesses, label, prediction)]
    if among:
        raise question(next((each for each in among if each.clear), among[0]), guesses)
    for label, prediction in pairs[:1]:
        if truths is guesses and _is_decided(guesses, label, prediction):
            what = f"{prediction.columns[0]!r} looks like the confidence in {label.columns[0]!r}: a decision, no label"
            meant = f"{option(label=label.columns[0])} {option(prediction=prediction.columns[0])}"
            raise Undecided(what, f"Say where the labels are with {option('labels')}, or {meant} {option(loss='bce')}.")


def of_columns(source: Source, label: str, scores: Iterable[str]) -> Iterator[str]:
    """What is to be said of columns that were named as the probabilities of a label, and are confidences."""
    side = Side(source, ())
    for score in scores:
        for confidence in confidences(side, side, Choice((label,), (label,)), Choice((score,), (score,))):
            if confidence.clear:
                yield f"{described(confidence)}: its loss is not that of a probability"
                break


def question(confidence: Confidence, guesses: Side) -> Undecided:
    """What is said of a score that is the confidence in a decision: what it is, and how to make a probability of it."""
    label, decision, score = confidence.label, confidence.decision, confidence.score
    foreign = _is_foreign(decision, label)
    classes = _listed(label.classes if foreign else label.classes | decision.classes, label, decision)
    alone = f" Of the decisions alone: {option(label=label.name)} {option(prediction=decision.name)} "
    alone = "" if foreign else f"{alone}{option(loss='zero_one')}."
    if len(classes) > 2:
        many = f"Losses of {len(classes)} classes need a probability of each: have the classifier write all of them"
        return Undecided(f"{described(confidence)}, no probability of each class", f"{many} (top_k=None).{alone}")
    name = free("p", {column.name for column in guesses.columns}, suffix="_")
    word = _listed(decision.classes, decision)[-1] if foreign else classes[-1]
    made = _program(guesses, name, score, decision, word)
    asked = f"{option(label=label.name)} {option(prediction=name)} {option(loss='bce')}"
    asked += "" if classes == ["0", "1"] else f" {option(classes=','.join(classes))}"
    what = f"{described(confidence)}, no probability of {classes[-1]}"
    meant = f" (where {word} is {classes[-1]} of the labels)" if foreign else ""
    return Undecided(what, f"Make one of it{meant}, {made}, then {asked}.{alone}")


def described(confidence: Confidence) -> str:
    """What a score is, in words."""
    decision, label = confidence.decision.name, confidence.label.name
    which = f"in {decision!r}, a decision" if confidence.clear else f"in a decision, {decision!r} or {label!r}"
    same = f"; they are the same in {confidence.right} of the rows" if confidence.right and not confidence.clear else ""
    right = f" (right in {confidence.right} of the rows)" if confidence.right and confidence.clear else ""
    return f"{confidence.score!r} looks like the confidence {which}{right}{same}"


def _program(side: Side, name: str, score: str, decision: Candidate, word: str) -> str:
    """What makes the probability of a class of the confidence in a decision."""
    value = json.dumps(word, ensure_ascii=False) if decision.kind == "text" else word
    suffixes = formats.get("jsonl").suffixes
    if any(suffix in file for file in side.source.files for suffix in suffixes):
        where = f"if {jq.inside('', decision.name)} == {value} then {jq.inside('', score)}"
        return jq.column(name, f"({where} else 1 - {jq.inside('', score)} end)")
    return f"in pandas d[{name!r}] = d[{score!r}].where(d[{decision.name!r}] == {value}, 1 - d[{score!r}])"


def _listed(classes: Collection[str | int], *columns: Candidate) -> list[str]:
    """Classes as the columns write them, that of two which is the yes last."""
    written = {key_of(word): word for column in columns for word in column.content.words.counts or ()}
    words = [written.get(key, str(key)) for key in sorted(classes, key=lambda key: (isinstance(key, str), key))]
    return words[::-1] if tuple(word.casefold() for word in words[::-1]) in POLES else words


def _rows(look: Look, score: str, decision: Candidate, truth: Candidate, *, beside: bool) -> Rows | None:
    """The rows by which it can be told; ``None`` where what is decided is not what is true, or no score lies in [0, 1].

    There are more than two scores: what else is a decision itself.
    """
    numbers = look.candidate(score)
    values = None if numbers is None else numbers.content.numbers
    if values is None or values.infinite or len(values.keys) < 3 or not 0 <= values.low <= values.high <= 1:
        return None
    few = 1 < len(decision.classes) <= DECIDED
    same = decision.classes <= truth.classes or decision.classes >= truth.classes
    if not few or not (same or (not beside and _is_foreign(decision, truth))):
        return None
    keys = sorted(decision.classes | truth.classes, key=lambda key: (isinstance(key, str), key))
    parts = [np.empty((0, 3 if beside else 2))]
    for record in look.records:
        reader = Reader(record)
        try:
            columns = [reader.numbers(score)]
            columns += [_codes(reader, column, keys) for column in (decision, *([truth] if beside else []))]
        except BadRow:
            return None
        parts.append(np.column_stack(columns)[~reader.null])
    matrix = np.concatenate(parts)
    return Rows(matrix[:, 0], matrix[:, 1], matrix[:, 2] if beside else None) if len(matrix) else None


def _codes(reader: Reader, column: Candidate, keys: Sequence[str | int]) -> FloatArray:
    """The place of the class of each row among some, ``(n,)``."""
    if column.kind == "number":
        return np.searchsorted(np.array(keys, dtype=float), reader.numbers(column.name)).astype(np.float64)
    words = reader.text(column.name)
    reader.missing(column.name, mask_of(words))
    return np.array([0 if word is None else keys.index(key_of(word)) for word in words.to_pylist()], dtype=np.float64)


def _is_foreign(decision: Candidate, truth: Candidate) -> bool:
    """Whether words are decided and as many other classes are true, as where one writes words and the other 0 and 1."""
    paired = len(decision.classes) == len(truth.classes) > 1
    return paired and decision.kind == "text" and not decision.classes & truth.classes


def _is_written(decision: Candidate, truth: Candidate, score: str) -> bool:
    """Whether words beside a score are what it is the confidence in, where the labels are elsewhere.

    A score that only a confidence is called tells it, or words of classifiers, or those of the labels themselves.
    """
    if plain_name(score) in CERTAIN:
        return True
    words = tuple(sorted(str(key).casefold() for key in decision.classes))
    written = words in OF_CLASSIFIERS or decision.classes == truth.classes
    return decision.kind == "text" and plain_name(score) in SCORES and written


def _known(classes: Collection[str | int]) -> bool:
    """Whether everybody knows which of two classes is the yes: the second in their order."""
    return classes in ({0, 1}, {-1, 1}) or is_yes_or_no(classes)


def _is_confidence(rows: Rows, score: str, k: int, *, named: bool, known: bool) -> bool:
    """Whether a score says how sure a decision is, not which it is: it is never below that of a guess.

    Of two classes those that are decided one way may have others than those decided the other way, as where the
    threshold is not a half, or one of them is rare. What no name tells to be a decision, the rows of the label have to.
    """
    lows, highs = [], []
    for code in np.unique(rows.decision):
        scores = rows.score[rows.decision == code]
        lows.append(float(scores.min()))
        highs.append(float(scores.max()))
    if k == len(lows) == 2 and (highs[0] <= lows[1] or (highs[1] <= lows[0] and not known)):
        return False  # it was made of the score, at a threshold: a yes of what is above
    sure = sum(lows) >= 1 - ROUNDING if k == len(lows) == 2 else min(lows) >= 1 / k - ROUNDING
    if named and sure:
        return True
    if rows.label is None or k > 2:
        return False
    named = named or plain_name(score) in CERTAIN
    return (named and _is_nearer(rows, rows.label)) or (sure and _falls(rows, rows.label))


def _is_decided(side: Side, label: Choice, prediction: Choice) -> bool:
    """Whether words under the name that classifiers give to decisions have no score below a half beside them."""
    kinds = {column.name: column.kind for column in side.columns}
    told = [*map(plain_name, label.columns)] == ["label"] and [kinds.get(name) for name in label.columns] == ["text"]
    others = [name for name, kind in kinds.items() if kind == "text" and is_decision(name)]
    if not told or others or len(prediction.columns) > 1 or plain_name(prediction.columns[0]) not in SCORES:
        return False  # also where the decisions stand beside it
    look = Look(side.source, {*label.columns, *prediction.columns})
    truth = look.candidate(label.columns[0])
    rows = None if truth is None else _rows(look, prediction.columns[0], truth, truth, beside=False)
    return rows is not None and len(rows.score) >= ROWS and bool(rows.score.min() >= HALF - ROUNDING)


def _is_nearer(rows: Rows, label: FloatArray) -> bool:
    """Whether a score is nearer to the chance that a decision is right than to that of a class, by no accident."""
    logs = np.log(np.clip(rows.score, FLOOR, 1)), np.log(np.clip(1 - rows.score, FLOOR, 1))
    sure, *others = (np.where(right, *logs) for right in (rows.decision == label, label == 1, label == 0))
    gains = sure - max(others, key=np.sum)
    return bool(gains.mean() > SIGNIFICANT * gains.std() / np.sqrt(len(gains)))


def _falls(rows: Rows, label: FloatArray) -> bool:
    """Whether decisions are right oftener than by chance, and the label is class 1 the less often the surer class 0 is.

    A probability rises with the label, whatever else stands beside it.
    """
    if (
        not rows.decision.std() * label.std()
        or np.corrcoef(rows.decision, label)[0, 1] <= SIGNIFICANT / len(label) ** 0.5
    ):
        return False
    scores, labels = rows.score[rows.decision == 0], label[rows.decision == 0]
    others, truths = rows.score[rows.decision == 1], label[rows.decision == 1]
    return bool(_slope(scores, labels) < 0 <= _slope(others, truths))


def _slope(scores: FloatArray, label: FloatArray) -> float:
    """How much higher scores are on average where the label is class 1."""
    mean = float(label.mean())
    return float(np.mean(scores * (label - mean)))
