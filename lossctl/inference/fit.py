"""Which task the columns are for, and which pairing and settings fit them: decided from facts, with the reason."""

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.functions.pairing import PAIRINGS, Pairing
from lossctl.inference.classes import class_names, within
from lossctl.inference.facts import Facts, Predicted
from lossctl.inference.layout import Layout
from lossctl.inference.parts import MEMBERS, forecast_of
from lossctl.inference.request import Settings
from lossctl.inference.skew import skewed
from lossctl.reading.cells import class_number
from lossctl.sums.distribution import Distribution
from lossctl.words import percent, split

ENOUGH_OUTSIDE = 0.1
"""The part of the rows outside [0, 1] from which predictions are scores, rather than probabilities gone wrong."""
PERCENT = 30.0
"""What the largest of numbers that are percentages is above."""
ENOUGH = 10
"""Rows below which nothing is concluded from how often something happens."""
SIGNIFICANT = 3.09
"""Standard errors from which an association is no accident: one in a thousand."""
DECADES = 100.0
"""The ratio of the largest to the smallest label from which relative errors count."""
OFTEN = 0.05
"""The part of labels that are 0 from which that is no accident."""


FROM_LOGITS: Settings = (("from_logits", True),)
NORMALIZED: Settings = (("normalize_rows", True),)
CLIPPED: Settings = (("clip_rounding", True),)


class Scale(StrEnum):
    """What the predictions are."""

    PROBABILITY = "probabilities"
    LOGIT = "logits"
    PERCENT = "percentages"
    UNNORMALISED = "parts that do not sum to 1"
    MARGIN = "scores"
    RATE = "rates"
    LOG_RATE = "logarithms of rates"
    VALUE = "values"


@dataclass(frozen=True)
class Fit:
    """What fits one model."""

    pairing: Pairing
    scale: Scale
    loss: str
    """What to measure where nobody says it: a loss, or a comma list."""
    why: str
    settings: Settings = ()
    """What has to be asked for beside columns and loss: names of a request's fields with their values."""
    labels: tuple[float | str, ...] = ()
    """The two labels of a binary task, that of class 1 last."""

    @property
    def first(self) -> str:
        """The loss that fits best."""
        return self.loss.partition(",")[0]

    @property
    def binary(self) -> bool:
        """Whether one number a row is held against a yes or no."""
        return bool(self.labels)


@dataclass(frozen=True)
class Doubt:
    """What is not clear of one model, and each way to measure it, best first."""

    what: str
    ways: tuple[Fit, ...]
    advice: str = "Mend them where they were made."
    """What to do where there is no way."""


def pairing_of(task: str) -> Pairing:
    """The pairing of a task."""
    return next(pairing for pairing in PAIRINGS if pairing.task == task)


def usual(pairing: Pairing) -> str:
    """The losses to measure where nobody says which, as a user types them."""
    return ",".join(pairing.losses[: pairing.usual])


def fit(facts: Facts, layout: Layout, index: int) -> Fit | None:
    """What fits the model of that index; ``None`` where nothing does, or where it has no predictions."""
    predicted, model = facts.models[index], layout.models[index]
    name = model.name
    if not facts.used or name in layout.unread or not predicted.values.n:
        return None
    if layout.label_width:
        return _several(facts, layout, predicted, name)
    if model.width and layout.numbers:
        told = forecast_of(model.columns) or MEMBERS
        return Fit(pairing_of(told.task), Scale.VALUE, told.loss, told.why)
    if model.width:
        return _classes(facts, layout, name, model.width)
    return _single(facts, layout, predicted, name)


def _count(facts: Facts, kind: str, name: str) -> int:
    """In how many rows something was met in a column (or model)."""
    problem = facts.met(kind, name)
    return 0 if problem is None else problem.count


def _single(facts: Facts, layout: Layout, predicted: Predicted, name: str) -> Fit | None:
    """What fits one label column and predictions of one number."""
    labels = _two_labels(facts, layout, predicted, name)
    if labels is not None:
        return _binary(facts, layout, predicted, name, labels)
    if layout.text:
        return None
    return _number(facts, layout, predicted, name)


def _two_labels(facts: Facts, layout: Layout, predicted: Predicted, name: str) -> tuple[float | str, ...] | None:
    """The labels of class 0 and class 1; ``None`` where the labels are no yes or no.

    Of two words class 1 is the one that the column of the predictions is named for, else the later in sorted order.
    """
    if layout.classes is not None and len(layout.classes) == 2:
        return layout.classes if layout.text else tuple(float(class_number(name) or 0) for name in layout.classes)
    if layout.text:
        words = sorted(facts.words.counts or ())
        columns = next((model.columns for model in layout.models if model.name == name), ())
        words = words[::-1] if within(words, columns) == (*words[:1],) else words
        return tuple(words) if len(words) == 2 else None
    values = [] if len(facts.label.keys) > 2 else facts.label.values.tolist()
    if not values:
        return None
    if set(values) <= {0.0, 1.0}:
        return (0.0, 1.0)
    if set(values) <= {-1.0, 1.0}:
        return (-1.0, 1.0)
    whole = len(values) == 2 and all(value == round(value) for value in values)
    whole = whole and set(facts.unpredicted.values.tolist()) <= set(values) and not facts.unpredicted.infinite
    return tuple(values) if whole and _within(predicted.values, 0.0, 1.0) else None


def _within(values: Distribution, low: float, high: float) -> bool:
    """Whether there are numbers, and all of them from low to high."""
    return bool(values.n) and not values.infinite and low <= _low(values) and _high(values) <= high


def _low(values: Distribution) -> float:
    return values.quantile(0.0)


def _high(values: Distribution) -> float:
    return values.quantile(1.0)


def unit_scale(facts: Facts, predicted: Predicted, name: str) -> Scale:
    """What the predictions of a binary task are: probabilities, percentages or logits."""
    outside = max(_count(facts, "below 0", name), _count(facts, "above 1", name))
    if not outside:
        return Scale.PROBABILITY
    if _low(predicted.values) >= 0 and PERCENT < _high(predicted.values) <= 100:
        return Scale.PERCENT
    return Scale.LOGIT if outside >= ENOUGH_OUTSIDE * facts.used else Scale.PROBABILITY


def _clipped(facts: Facts, name: str, scale: Scale) -> Settings:
    """What has to be asked for where probabilities are beyond 0 or 1 by rounding."""
    return CLIPPED if scale is Scale.PROBABILITY and _count(facts, "rounding", name) else ()


def _binary(facts: Facts, layout: Layout, predicted: Predicted, name: str, labels: tuple[float | str, ...]) -> Fit:
    """What fits two labels and predictions of one number."""
    scale = unit_scale(facts, predicted, name)
    shown = " and ".join(str(label) if isinstance(label, str) else f"{label:g}" for label in labels)
    made = decided(facts, predicted, labels)
    if labels == (-1.0, 1.0) and scale is Scale.LOGIT:
        pairing = pairing_of("max-margin classification")
        why = f"the labels are −1 and 1 and the predictions {'decisions' if made else 'scores of either sign'}"
        return Fit(pairing, Scale.MARGIN, usual(pairing), why, (), labels)
    known = labels == (0.0, 1.0) or layout.classes is not None
    settings = () if known else classes_setting([_class_name(label) for label in labels])
    settings += FROM_LOGITS if scale is Scale.LOGIT else _clipped(facts, name, scale)
    told = "decisions" if made else _words_for(scale, predicted.values)
    why = f"the labels are {shown} and the predictions {told}"
    pairing = pairing_of("binary classification")
    return Fit(pairing, scale, usual(pairing), why, settings, labels)


def decided(facts: Facts, predicted: Predicted, labels: tuple[float | str, ...]) -> bool:
    """Whether predictions of a yes or no are decisions: 0 and 1, or −1 and 1 beside such labels, and nothing else."""
    numbers = {*predicted.values.values.tolist()}
    two = numbers <= {0.0, 1.0} or (labels == (-1.0, 1.0) and numbers <= {-1.0, 1.0})
    return facts.used >= ENOUGH and not predicted.values.infinite and two


def _words_for(scale: Scale, values: Distribution | None = None) -> str:
    """What the predictions are, in words that say how it shows."""
    if scale is Scale.LOGIT and values is not None and not values.low < 0 < values.high:
        return "scores of one sign outside [0, 1]"
    return {
        Scale.LOGIT: "scores on both sides of [0, 1]: logits",
        Scale.PERCENT: "numbers up to 100: percentages",
        Scale.UNNORMALISED: "rows of numbers in [0, 1] that do not sum to 1",
    }.get(scale, str(scale))


def classes_setting(names: Sequence[str]) -> Settings:
    """The setting that names classes in their order; none where a comma list cannot hold them."""
    listed = ",".join(names)
    return (("classes", listed),) if names and split(listed) == tuple(names) else ()


def _class_name(label: float | str) -> str:
    return label if isinstance(label, str) else str(int(label))  # whole, and never 1e+06


def _number(facts: Facts, layout: Layout, predicted: Predicted, name: str) -> Fit:
    """What fits labels and predictions that are numbers: counts, or a kind of regression."""
    label, values, title = facts.label, predicted.values, layout.roles.label[0]
    whole = not _count(facts, "label fraction", title)
    if whole and len(label.keys) > 2 and _low(label) == 0 and _count(facts, "fraction", name):
        scale = _rates(predicted)
        if scale is not None:
            pairing = pairing_of("counts")
            settings = FROM_LOGITS if scale is Scale.LOG_RATE else ()
            why = f"the labels are whole numbers from 0 and the predictions {scale}"
            return Fit(pairing, scale, usual(pairing), why, settings)
    if _within(label, 0.0, 1.0) and _within(values, 0.0, 1.0):
        pairing = pairing_of("bounded regression")
        return Fit(pairing, Scale.VALUE, usual(pairing), "labels and predictions are numbers in [0, 1]")
    amounts = None if whole else _amounts(label, predicted)
    if amounts is not None:
        return amounts
    if _low(label) > 0 and _low(values) >= 0 and _high(label) >= DECADES * _low(label) and not values.infinite:
        pairing = pairing_of("positive regression")
        why = f"the labels are positive and go from {_low(label):.4g} to {_high(label):.4g}: relative errors count"
        return Fit(pairing, Scale.VALUE, usual(pairing), why)
    pairing = pairing_of("unbounded regression")
    return Fit(pairing, Scale.VALUE, usual(pairing), "labels and predictions are numbers")


def _amounts(label: Distribution, predicted: Predicted) -> Fit | None:
    """What fits labels that are often 0 and else above it, or above it and skewed, and what may be means of them.

    Skewed ones are those of a gamma distribution: labels are in proportion to their means what skews them, and what is
    far below counts for less than as much above, as it would not where logarithms are symmetric: that is for `msle`.
    """
    if label.infinite or predicted.values.infinite or _low(label) < 0:
        return None
    nothing, scale = label.share(0.0) or 0.0, _rates(predicted)
    task, what = "skewed amounts above 0", "positive and skewed"
    if nothing >= OFTEN:
        task, what = (
            "amounts that are often 0",
            f"0 in {percent(nothing, 1.0)} of the rows and numbers above it elsewhere",
        )
    elif not (_low(label) > 0 and scale and skewed(predicted.pairs, logarithms=scale is Scale.LOG_RATE)):
        return None
    if scale is None:
        return None
    pairing, settings = pairing_of(task), FROM_LOGITS if scale is Scale.LOG_RATE else ()
    why = f"the labels are {what}, and the predictions {'their means' if not settings else 'logarithms of their means'}"
    return Fit(pairing, scale, usual(pairing), why, settings)


@np.errstate(over="ignore", invalid="ignore")
def _rates(predicted: Predicted) -> Scale | None:
    """Whether predictions of counts or amounts are means or logarithms of them: whose mean is that of the labels."""
    pairs, count = predicted.pairs.numbers, predicted.pairs.counts
    label = float(np.average(pairs[:, 0], weights=count))
    low, high = _low(predicted.values), _high(predicted.values)
    rate = float(np.average(pairs[:, 1], weights=count))
    log_rate = float(np.average(np.exp(pairs[:, 1]), weights=count)) if high < 50 else math.inf
    if abs(log_rate - label) < 0.25 * label and abs(log_rate - label) < abs(rate - label):
        return Scale.LOG_RATE
    return Scale.RATE if low > 0 else None


def _classes(facts: Facts, layout: Layout, name: str, k: int) -> Fit:
    """What fits one column a class."""
    pairing = pairing_of("multi-class classification")
    scale, settings, what = row_scale(facts, name)
    if layout.classes is None and layout.text and facts.words.counts is not None:
        words = sorted(facts.words.counts)
        settings = (*settings, *classes_setting(words)) if len(words) == k else settings
    else:
        settings = (*settings, *classes_setting(other_codes(facts, layout, k)))
    return Fit(pairing, scale, usual(pairing), f"the labels are classes and the predictions {what}", settings)


def other_codes(facts: Facts, layout: Layout, k: int) -> tuple[str, ...]:
    """What class labels count from 1, or are of as many numbers as classes, where they are read as codes from 0.

    None where a column is named for class 0, or where a number below 0 stands apart, as −100 does: that is no class.
    """
    codes = not layout.text and layout.class_labels == "codes" and not layout.label_width
    from_zero = tuple(map(str, range(k)))
    every = facts.label + facts.unpredicted
    if (
        not codes
        or not facts.label.n
        or every.infinite
        or any(from_zero in class_names(model.columns) for model in layout.models)
    ):
        return ()
    if _low(every) == 1 and _high(every) == k:
        return tuple(str(code + 1) for code in range(k))
    values = every.values.tolist() if every.exact and len(every.keys) == k else []
    whole = all(value == round(value) for value in values) and not 0 <= _low(every) <= _high(every) < k
    whole = whole and not (_low(every) < 0 and _high(every) - _low(every) >= k)
    return tuple(str(int(value)) for value in values) if whole else ()


def row_scale(facts: Facts, name: str) -> tuple[Scale, Settings, str]:
    """What the rows of a vector prediction are, the settings they need, and that in words."""
    if _count(facts, "below 0", name):
        scale, settings = Scale.LOGIT, FROM_LOGITS
        logs = not _count(facts, "off log sum", name)
        return scale, settings, "rows of log-probabilities" if logs else "rows of scores of either sign: logits"
    if not _count(facts, "off sum", name):
        return Scale.PROBABILITY, _clipped(facts, name, Scale.PROBABILITY), "rows of probabilities"
    if not _count(facts, "off 100", name):
        return Scale.PERCENT, NORMALIZED, "rows of percentages"
    if not _count(facts, "above 1", name):
        divided = () if _count(facts, "no sum", name) else NORMALIZED
        return Scale.UNNORMALISED, divided, _words_for(Scale.UNNORMALISED)
    return Scale.LOGIT, FROM_LOGITS, "rows of scores: logits"


def _several(facts: Facts, layout: Layout, predicted: Predicted, name: str) -> Fit | None:
    """What fits several label columns."""
    if not predicted.errors.n and not predicted.values.infinite:
        return None  # not one prediction column a label column
    if not _count(facts, "label off sum", layout.roles.label[0]):
        pairing = pairing_of("multi-class classification")
        scale, settings, what = row_scale(facts, name)
        why = f"each row of labels sums to 1 and the predictions are {what}"
        return Fit(pairing, scale, usual(pairing), why, settings)
    if len(facts.label.keys) <= 2 and set(facts.label.values.tolist()) <= {0.0, 1.0}:
        pairing, scale = pairing_of("multi-label classification"), unit_scale(facts, predicted, name)
        settings = FROM_LOGITS if scale is Scale.LOGIT else _clipped(facts, name, scale)
        told = "decisions" if decided(facts, predicted, (0.0, 1.0)) else _words_for(scale, predicted.values)
        why = f"each column of labels is 0 or 1 by itself and the predictions are {told}"
        return Fit(pairing, scale, usual(pairing), why, settings)
    pairing = pairing_of("unbounded regression")
    return Fit(pairing, Scale.VALUE, usual(pairing), "labels and predictions are vectors of numbers")
