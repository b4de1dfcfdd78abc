"""What the columns may be otherwise than they seem: where that is another measure, nobody but their user can tell."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lossctl.inference.classes import within
from lossctl.inference.codes import of_position
from lossctl.inference.facts import Facts, Predicted
from lossctl.inference.fit import (
    ENOUGH,
    ENOUGH_OUTSIDE,
    FROM_LOGITS,
    NORMALIZED,
    Doubt,
    Fit,
    Scale,
    classes_setting,
    decided,
    pairing_of,
    usual,
)
from lossctl.inference.layout import Layout
from lossctl.inference.names import is_log_probability, is_log_rate, is_surprisal, level_of, plain_name, stem_of
from lossctl.inference.parts import HALVED, MEMBERS, interval_of, scale_of, spellings, unsaid_of
from lossctl.inference.poles import contrary
from lossctl.inference.request import Settings
from lossctl.inference.surprises import own_loss
from lossctl.words import figures, percent, split

DECIDED = {"multi-label classification": "hamming_loss", "multi-class classification": "zero_one"}
"""What the decisions of a task are measured by: of several labels the share that is wrong, of classes that of rows."""
CODES = 100
"""How many codes of classes there may be."""
MEDIAN = 0.5
OF_QUANTILES = "lossctl doctor shows what part of the labels is below them; mae measures the median alone."

EXPONENTIAL: Settings = (("activation", "exp"),)
UNFLOORED: Settings = (("eps", 0.0),)
_LOGITS = re.compile(r"(^|_)logits?(_|\d|$)")


class _Case(NamedTuple):
    """What is known of one model."""

    facts: Facts
    layout: Layout
    place: int
    name: str
    columns: tuple[str, ...]
    predicted: Predicted
    fitting: Fit

    def count(self, kind: str, name: str = "") -> int:
        """In how many rows something was met in the predictions, or in another column."""
        problem = self.facts.met(kind, name or self.name)
        return 0 if problem is None else problem.count

    def named(self, words: re.Pattern[str]) -> bool:
        """Whether the columns of the predictions are named so."""
        return all(words.search(plain_name(column)) for column in self.columns)

    @property
    def logarithms(self) -> bool:
        """Whether the columns of the predictions are named for logarithms."""
        return all(is_log_rate(column) or is_log_probability(column) for column in self.columns)

    def asking(self, *settings: tuple[str, str | bool | float], loss: str = "") -> Fit:
        """What fits, with other settings than its own, but for classes."""
        classes = tuple(pair for pair in self.fitting.settings if pair[0] == "classes")
        return replace(self.fitting, loss=loss or self.fitting.loss, settings=(*classes, *settings))


def doubt(facts: Facts, layout: Layout, index: int, fitting: Fit) -> Doubt | None:
    """What else than what fits the model of that index could be meant; ``None`` where nothing could."""
    model, predicted = layout.models[index], facts.models[index]
    case = _Case(facts, layout, index, model.name, model.columns, predicted, fitting)
    doubts = (
        _order,
        _columns_order,
        _other_class,
        _percentages,
        _decisions,
        _own_probability,
        _quantile,
        _codes,
        _third_number,
        _two_numbers,
        _scores,
        _row_scores,
        _rates,
        _width,
        _scale,
        _members,
    )
    return next((told for look in doubts if (told := look(case)) is not None), None)


def shared_ways(doubts: Sequence[Doubt | None], fits: Sequence[Fit | None]) -> tuple[Fit, ...]:
    """The ways to measure models that the same fits, of the first of which something is not clear, in all of them."""
    ways = [told.ways if told is not None else (fitting,) for told, fitting in zip(doubts, fits, strict=True)]
    known = [{(way.loss, way.settings) for way in each if way is not None} for each in ways]
    first = next((told.ways for told in doubts if told is not None), tuple(filter(None, fits[:1])))
    return tuple(way for way in first if all((way.loss, way.settings) in each for each in known))


def _order(case: _Case) -> Doubt | None:
    """Which of two words is class 1."""
    settings = dict(case.fitting.settings)
    if not contrary(case.facts, case.layout, settings):
        return None
    names = split(str(settings["classes"]))
    turned = replace(case.fitting, settings=tuple((settings | {"classes": ",".join(names[::-1])}).items()))
    return Doubt(
        f"which of the labels {' and '.join(names)} is class 1, the one named last, is not clear",
        (turned, case.fitting),
    )


def _columns_order(case: _Case) -> Doubt | None:
    """Whether columns of classes that no name tells are those of other codes than their positions."""
    return of_position(case.facts, case.layout, case.place, case.fitting)


def _other_class(case: _Case) -> Doubt | None:
    """Whether the probabilities are named for class 0."""
    named = case.fitting.labels == (0.0, 1.0) and case.layout.classes is None and not case.layout.text
    if not named or len(case.layout.models) > 1 or not stem_of(case.columns[0]):
        return None
    if case.facts.unpredicted.infinite or not {*case.facts.unpredicted.values.tolist()} <= {0.0, 1.0}:
        return None  # a label without a prediction that is neither
    if within(("0", "1"), [re.sub(r"(\d+)", r" \1 ", column) for column in case.columns]) != ("0",):
        return None
    other = replace(case.fitting, settings=(*classes_setting(("1", "0")), *case.fitting.settings))
    return Doubt(f"{case.name!r} is a name for class 0, and the labels are 0 and 1", (other, case.fitting))


def _third_number(case: _Case) -> Doubt | None:
    """Whether a number among labels of yes or no, one or several a row, says that there is none."""
    label, values = case.facts.label, case.predicted.values
    several = bool(case.layout.label_width)
    if case.layout.text or (case.predicted.rows is not None and not several) or label.infinite:
        return None
    numbers = label.values.tolist()
    if case.facts.used < ENOUGH or len(numbers) != 3 or not {0.0, 1.0} < {*numbers} or values.infinite:
        return None
    if values.low < 0 or values.high > 1 or case.count("label fraction", case.layout.roles.label[0]):
        return None
    third = next(f"{number:g}" for number in numbers if number not in {0.0, 1.0})
    without: Settings = (("ignore_label", third),)
    task = "multi-label classification" if several else "binary classification"
    if several and not case.count("off sum"):  # labels of whole rows, which no loss leaves out one by one
        name = case.layout.roles.label[0].replace("`", "``")
        without = (("where", f"`{name}` != {third}"),)
        task = "multi-class classification"
    pairing = pairing_of(task)
    ignoring = replace(
        case.fitting,
        pairing=pairing,
        scale=Scale.PROBABILITY,
        loss=usual(pairing),
        settings=without,
        labels=() if several else (0.0, 1.0),
    )
    ways = (case.fitting, ignoring) if third == "2" else (ignoring, case.fitting)
    return Doubt(f"the labels are 0, 1 and {third}: is {third} a label, or does it say that there is none?", ways)


def _percentages(case: _Case) -> Doubt | None:
    """Whether probabilities are written as percentages, which no setting divides."""
    if case.fitting.scale is not Scale.PERCENT or NORMALIZED[0] in case.fitting.settings:
        return None
    what = (
        f"the predictions {case.name!r} go up to {figures(case.predicted.values.high)}: percentages, not probabilities"
    )
    return Doubt(what, (), "Divide them by 100.")


def _decisions(case: _Case) -> Doubt | None:
    """Whether predictions of yes or no, of one label or several, or of classes are made already."""
    loss = "zero_one" if case.fitting.binary else DECIDED.get(case.fitting.pairing.task, "")
    if not loss or not decided(case.facts, case.predicted, case.fitting.labels):
        return None
    numbers = "−1 and 1" if case.predicted.values.low < 0 else "0 and 1"
    what = f"the predictions {case.name!r} are {numbers} and nothing else: decisions, not what they were made from"
    if case.fitting.scale is Scale.PROBABILITY:
        return Doubt(what, (case.asking(loss=loss),))
    return Doubt(what, (case.asking(*classes_setting(["-1", "1"]), loss="zero_one:threshold=0"),))


def _own_probability(case: _Case) -> Doubt | None:
    """Whether numbers are logarithms of the probability of what each row is, or their negatives."""
    values = case.predicted.values
    if case.columns[1:] or case.predicted.rows is not None or case.layout.label_width:
        return None
    logarithm = is_log_probability(case.columns[0]) and values.high <= 0 and not case.fitting.binary
    if not logarithm and not is_surprisal(case.columns[0]):
        return None
    what = f"the predictions {case.name!r} are {'' if logarithm else '−'}log-probabilities of what each row is"
    return Doubt(f"{what}: no label is held against them", (), own_loss(case.columns[0]))


def _quantile(case: _Case) -> Doubt | None:
    """Whether a number is a quantile, which is not to be near its label."""
    numbers = {Scale.VALUE, Scale.RATE, Scale.LOG_RATE}
    if case.fitting.scale not in numbers or case.layout.label_width or case.columns[1:]:
        return None
    level = level_of(case.columns[0], alone=True)
    if level is None or case.predicted.rows is not None:
        return None
    what = f"the predictions {case.name!r} are named for the quantile {level:g}"
    pairing, loss = pairing_of("unbounded regression"), "mae" if level == MEDIAN else f"quantile:tau={level:g}"
    way = replace(case.fitting, pairing=pairing, scale=Scale.VALUE, loss=loss, settings=())
    return Doubt(f"{what}, the median" if level == MEDIAN else what, (way,), OF_QUANTILES)


def _codes(case: _Case) -> Doubt | None:
    """Whether numbers are the codes of classes."""
    if case.fitting.scale is not Scale.VALUE or case.layout.label_width or case.columns[1:]:
        return None
    if not class_codes(case.facts, case.layout, case.predicted, case.name):
        return None
    equal, most = percent(case.count("equal"), case.facts.used), case.facts.label.quantile(1.0)
    what = f"labels and predictions are whole numbers up to {most:g}, equal in {equal} of the rows"
    classes = f"if they are codes of classes, that is the accuracy, and {case.fitting.first} is for counts and ratings"
    return Doubt(f"{what}; {classes}", (case.fitting, case.asking(loss="zero_one")))


def class_codes(facts: Facts, layout: Layout, predicted: Predicted, name: str) -> bool:
    """Whether labels and predictions are whole numbers that look like the codes of several classes."""
    label, values, title = facts.label, predicted.values, layout.roles.label[0]
    if facts.used < ENOUGH or not 1 < len(label.keys) <= CODES or values.infinite or label.infinite:
        return False
    if facts.met("fraction", name) or facts.met("label fraction", title):
        return False
    coded = label.low in {0.0, 1.0} and label.high < CODES and {*values.values.tolist()} <= {*label.values.tolist()}
    equal = facts.met("equal", name)
    return coded and equal is not None and 2 * equal.count >= facts.used


def _two_numbers(case: _Case) -> Doubt | None:
    """Whether two numbers are two classes, with logits."""
    label, values = case.facts.label, case.predicted.values
    if case.fitting.scale is not Scale.VALUE or case.layout.label_width or case.layout.text:
        return None
    if case.facts.used < ENOUGH or len(label.keys) != 2 or label.infinite or values.infinite:
        return None
    if case.count("label fraction", case.layout.roles.label[0]) or not values.low < 0 < values.high:
        return None
    names = [str(int(number)) for number in label.values.tolist()]
    pairing = pairing_of("binary classification")
    settings = (*classes_setting(names), *FROM_LOGITS)
    logits = replace(case.fitting, pairing=pairing, scale=Scale.LOGIT, loss=usual(pairing), settings=settings)
    what = f"the labels are {' and '.join(names)} and nothing else: classes, or numbers?"
    return Doubt(what, (logits, case.fitting))


def _scores(case: _Case) -> Doubt | None:
    """Whether single numbers for yes or no are logits."""
    values, scale = case.predicted.values, case.fitting.scale
    if case.columns[1:] and not case.layout.label_width:
        return None
    if case.predicted.rows is not None and case.fitting.pairing is not pairing_of("multi-label classification"):
        return None
    logits = case.named(_LOGITS)
    unit = scale is Scale.PROBABILITY and (case.fitting.binary or case.layout.label_width)
    if unit and logits and values.low >= 0 and values.high <= 1:
        what = f"{case.name!r} is a name for logits, but its numbers lie in [0, 1], as probabilities do"
        return Doubt(what, (case.fitting, case.asking(*FROM_LOGITS)))
    if scale not in {Scale.LOGIT, Scale.MARGIN} or logits or values.low < 0 < values.high:
        return None
    span = f"the predictions {case.name!r} go from {figures(values.low)} to {figures(values.high)}"
    both = f"{'logits' if scale is Scale.LOGIT else 'scores'} are of either sign"
    if scale is Scale.MARGIN:
        pairing = pairing_of("binary classification")
        settings = (*classes_setting(["-1", "1"]), *FROM_LOGITS)
        other = replace(case.fitting, pairing=pairing, scale=Scale.LOGIT, loss=usual(pairing), settings=settings)
        return Doubt(f"{span}, and {both}", (case.fitting, other))
    if values.high <= 0:
        floored = values.low < np.log(np.finfo(float).eps)
        exponential = case.asking(*EXPONENTIAL, *(UNFLOORED if floored else ()))
        ways = (exponential, case.fitting) if case.logarithms else (case.fitting, exponential)
        return Doubt(f"{span}: logits, or logarithms of probabilities?", ways)
    return Doubt(f"{span}: they are no probabilities, and {both}", (case.fitting,))


def _row_scores(case: _Case) -> Doubt | None:
    """Whether rows of numbers of one sign are logits."""
    rows, scale = case.predicted.rows, case.fitting.scale
    if rows is None or case.fitting.pairing is not pairing_of("multi-class classification"):
        return None
    logits, shown = case.asking(*FROM_LOGITS), f"the predictions {case.name!r}"
    normalized = () if case.count("no sum") else (case.asking(*NORMALIZED),)
    if scale is Scale.UNNORMALISED and case.named(_LOGITS):
        what = f"{shown} are named for logits, but lie in [0, 1], as probabilities do"
        return Doubt(what, (logits, *normalized))
    if scale is Scale.UNNORMALISED and normalized and case.count("off sum") >= ENOUGH_OUTSIDE * case.facts.used:
        what = f"rows of {case.name!r} lie in [0, 1] and do not sum to 1: probabilities that miss it, or scores?"
        return Doubt(what, (*normalized, logits))
    if scale is not Scale.LOGIT or case.count("below 0") or case.named(_LOGITS):
        return None
    span = f"{shown} go from {figures(case.predicted.values.low)} to {figures(case.predicted.values.high)}"
    if case.logarithms:
        return Doubt(f"{span}: logarithms of probabilities are not above 0; was a sign lost?", ())
    ways = (logits, *normalized) if case.count("fraction") else (*normalized, logits)
    return Doubt(f"{span}: they are no probabilities, and logits are of either sign", ways)


def _width(case: _Case) -> Doubt | None:
    """How many of the labels an interval is meant to hold."""
    if case.fitting.loss != "interval" or interval_of(case.columns):
        return None
    ways = tuple(replace(case.fitting, loss=loss) for loss in spellings("interval", case.columns))
    return Doubt(f"{' and '.join(case.columns)} are the ends of an interval: {unsaid_of(case.columns)[0]}", ways)


def _scale(case: _Case) -> Doubt | None:
    """What the scale beside a mean is."""
    kind = scale_of(case.columns)
    if case.fitting.loss != "gaussian_nll" or kind == "var":
        return None
    what = f"{' and '.join(case.columns)} are named for a mean and its scale"
    if kind == "log_var":
        return Doubt(f"{what}, which is the logarithm of a variance", (), f"{HALVED[0].upper()}{HALVED[1:]}.")
    ways = spellings("gaussian_nll", case.columns)
    of = "a standard deviation, a variance, or the logarithm of a standard deviation"
    positive = case.predicted.rows is None or bool((case.predicted.rows.low > 0).all())
    return Doubt(f"{what}: {of}?", tuple(replace(case.fitting, loss=way) for way in ways if positive or "log" in way))


def _members(case: _Case) -> Doubt | None:
    """Whether several numbers for one are the members of an ensemble."""
    if case.fitting.loss != MEMBERS.loss:
        return None
    what = (
        f"the labels are numbers, and {case.name!r} is several for each: members of an ensemble, all one prediction, "
        "or models beside each other, which are named one by one?"
    )
    return Doubt(what, (case.fitting,))


def _rates(case: _Case) -> Doubt | None:
    """Whether numbers are logarithms of rates, which tell labels better than their mean does."""
    named = case.logarithms or case.named(_LOGITS)
    if case.fitting.scale is not Scale.LOG_RATE or named:
        return None
    pairs, count = case.predicted.pairs.numbers, case.predicted.pairs.counts
    label, score, positive = pairs[:, 0], pairs[:, 1], case.predicted.values.low > 0
    mean = float(np.average(label, weights=count))
    others = [mean - mean * np.log(mean)]
    others += [np.average(score - label * np.log(score), weights=count)] if positive else []
    if np.average(np.exp(score) - label * score, weights=count) < min(others):
        return None
    pairing = pairing_of("unbounded regression")
    numbers = replace(case.fitting, pairing=pairing, scale=Scale.VALUE, loss=usual(pairing), settings=())
    what = f"the predictions {case.name!r} could be logarithms of rates, or {'rates' if positive else 'numbers'}"
    return Doubt(what, (case.fitting, case.asking() if positive else numbers))
