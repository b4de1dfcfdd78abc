"""Which losses suit the columns, and what they need: told from a sample of the rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.errors import Undecided
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import split_specs
from lossctl.inference.classes import SHOWN
from lossctl.inference.codes import of_position, turned, unnamed
from lossctl.inference.doubts import doubt, shared_ways
from lossctl.inference.facts import Facts, no_facts
from lossctl.inference.fit import Doubt, Fit, Scale, classes_setting, fit
from lossctl.inference.forecasts import forecasts
from lossctl.inference.gather import gather
from lossctl.inference.layout import Layout
from lossctl.inference.layout_planner import LayoutPlanner
from lossctl.inference.levels import levels_of
from lossctl.inference.names import is_log_probability, is_query
from lossctl.inference.poles import contrary
from lossctl.inference.request import Completed, Request, Settings
from lossctl.inference.sample import ROWS, sampled
from lossctl.inference.surprises import own_loss
from lossctl.reading.cells import BadRow
from lossctl.reading.format import NULLS, Source
from lossctl.reading.inferred_types import is_number
from lossctl.reading.look_alikes import is_name
from lossctl.words import split

QUANTILE = ("quantile",)
"""The loss of what is named for one quantile, which is near its label only in the middle."""
GRADES = 10
"""How many grades of relevance there may be."""


@dataclass(frozen=True)
class Seen:
    """What a sample of the rows says of the columns that have a role."""

    layout: Layout
    facts: Facts
    fits: tuple[Fit | None, ...]
    """What fits each model."""
    whole: bool
    """Whether the sample is all there is."""
    lists: tuple[str, ...] = ()
    """Columns that are named as the number of the list to which a row belongs."""

    @cached_property
    def doubts(self) -> tuple[Doubt | None, ...]:
        """What is not clear of each model that something fits."""
        return tuple(
            None if fitting is None else doubt(self.facts, self.layout, index, fitting)
            for index, fitting in enumerate(self.fits)
        )


def complete_losses(seen: Seen, request: Request) -> Completed:
    """The request with losses that suit its columns, or the two classes that the words of its label are.

    Raises:
        Undecided: the data do not tell which; with what to ask instead, best first.
    """
    if request.loss:
        classes = _classes_of(seen)
        words = [f"{word} is {code}" for code, word in enumerate(classes)]
        notes = (f"classes: {', '.join(words)}, the two words of the label",) if classes else ()
        if not classes and not request.classes:
            classes = _codes_of(seen)
            notes = (f"classes: {', '.join(classes)}, the labels, in the order of the columns",) if classes else ()
        return Completed(replace(request, classes=classes), notes)
    groups = {(fitting.loss, fitting.settings) for fitting in seen.fits if fitting is not None}
    if len(groups) > 1:
        models = [model.name for model in seen.layout.models]
        raise Undecided(f"no loss suits all of {', '.join(models[:20])}", ways=tuple(_ways_by_model(request, seen)))
    fitting = seen.fits[0]
    if fitting is None:
        return Completed(replace(request, loss=_none_fits(seen, request)))
    told, ranked = next((told for told in seen.doubts if told is not None), None), _ranking(seen)
    if ranked is not None:
        told = Doubt(ranked, (fitting,))
    if told is not None and (ranked is not None or _open(request, told)):
        shared = shared_ways(seen.doubts, seen.fits)
        ways = tuple((("loss", way.loss), *unless_named(request, way.settings)) for way in shared)
        raise Undecided(told.what, told.advice, ways)
    asked = tuple((name, value) for name, value in unless_named(request, fitting.settings) if not _mends(name, fitting))
    words = [name.replace("_", " ") if value is True else f"{name} {value}" for name, value in asked]
    note = f"loss: {', '.join([*split_specs([fitting.loss]), *words])}, chosen because {fitting.why}"
    note += "" if seen.whole else f" (in {seen.facts.rows:,} rows looked at)"
    return Completed(_asking(request, fitting.loss, asked), (note,))


def ensure_classes(source: Source, request: Request, seen: Seen) -> None:
    """Check that it is clear which numbers of vectors are those of which class; arguments as for `class_doubts`.

    Raises:
        Undecided: it is not.
    """
    doubts = class_doubts(source, request, seen)
    told = next(filter(None, doubts), None)
    if told is not None:
        ways = shared_ways(doubts, seen.fits)
        loss = [(("loss", way.loss),) if not request.loss else () for way in ways]
        asked = [(*named, *unless_named(request, way.settings)) for named, way in zip(loss, ways, strict=True)]
        raise Undecided(told.what, told.advice, tuple(asked))


def class_doubts(source: Source, request: Request, seen: Seen) -> tuple[Doubt | None, ...]:
    """What is not clear, of each model, of which number of its vectors is for which class.

    Args:
        source: the data set.
        request: what is asked of it; classes that it names are believed.
        seen: what was seen of its columns.
    """
    layout, none = seen.layout, (None,) * len(seen.fits)
    if request.classes or not layout.vectors or layout.label_width:
        return none
    fits = [(index, fitting) for index, fitting in enumerate(seen.fits) if fitting is not None]
    by_position = {index: of_position(seen.facts, layout, index, fitting) for index, fitting in fits}
    if not any(by_position.values()):
        by_position = {index: _of_named(source, request, seen, index, fitting) for index, fitting in fits}
    return tuple(by_position.get(index) for index in range(len(none)))


def _of_named(source: Source, request: Request, seen: Seen, index: int, fitting: Fit) -> Doubt | None:
    """Whether classes that were told from the labels are those of the columns in their order."""
    layout = seen.layout
    classes = split(str(dict(fitting.settings).get("classes", "")))
    told = None
    if classes:
        taken = see(source, replace(request, classes=classes))
        told = turned(taken.facts, taken.layout, index, fitting, classes)
    if not layout.text or layout.classes is not None:
        return told
    nameless = unnamed(seen.facts, layout, index)
    if told is not None:
        return replace(told, what=f"{nameless.what}; {told.what}")
    if classes:
        return Doubt(f"{nameless.what}; scikit-learn has them in the sorted order of the labels, as here", (fitting,))
    return nameless


def _ranking(seen: Seen) -> str | None:
    """What says that rows are to be ranked: the number of a list beside grades; ``None`` where nothing does."""
    lists, label, layout = seen.lists, seen.facts.label, seen.layout
    single = not layout.text and not layout.label_width and not layout.vectors and not label.infinite
    if len(lists) != 1 or lists[0] in layout.roles.needed or not single or not 2 < len(label.keys) <= GRADES:
        return None
    if label.low < 0 or seen.facts.met("label fraction", layout.roles.label[0]):
        return None
    return (
        f"rows belong to lists by {lists[0]!r}, with grades from {label.low:g} to {label.high:g}: a ranking, not a loss"
    )


def ways_of(seen: Seen) -> tuple[Fit, ...]:
    """What fits all models, best first; nothing where that is none, or not the same."""
    fits = [fitting for fitting in seen.fits if fitting is not None]
    alike = len({(fitting.loss, fitting.settings) for fitting in fits}) == 1 and len(fits) == len(seen.fits)
    return shared_ways(seen.doubts, fits) if alike else ()


def suits(bound: BoundLoss, seen: Seen, fitting: Fit) -> bool:
    """Whether a loss that was named is of what fits: one for its task, or of numbers like those that were looked at."""
    if fitting.loss.partition(":")[0] in QUANTILE and bound.name not in QUANTILE:
        return False
    models = [model.columns for model in seen.layout.models]
    levels = bound.lists.get("tau", ()) is None and all(len(columns) > 1 and levels_of(columns) for columns in models)
    if bound.name in fitting.pairing.losses or levels:
        return True
    single = not seen.layout.label_width and not seen.layout.vectors and seen.layout.roles.label
    other = bound.rows or bound.of_number or bound.unlabelled or bound.lists or "tau" in bound.parameters
    if not single or other or fitting.scale not in {Scale.PROBABILITY, Scale.VALUE, Scale.RATE}:
        return False
    labels = np.array([0.0, 1.0]) if fitting.binary else seen.facts.label.values
    predictions = [predicted.values.values for predicted in seen.facts.models]
    return bound.label_domain.illegal(labels) is None and all(
        bound.prediction_domain.illegal(values) is None for values in predictions
    )


def fails(seen: Seen, fitting: Fit) -> bool:
    """Whether rows that were looked at stop what would be measured."""
    facts, layout = seen.facts, seen.layout
    classes = "classes" not in dict(fitting.settings) and facts.met("unknown class", layout.roles.label[0])
    if classes or facts.met("label infinite", layout.roles.label[0]):
        return True
    for model in layout.models:
        single = not model.width or bool(layout.label_width)
        unit = fitting.scale is Scale.PROBABILITY and single
        outside = facts.met("below 0", model.name) or facts.met("above 1", model.name)
        unsummed = fitting.scale is Scale.UNNORMALISED and not fitting.settings
        infinite = facts.met("infinite", model.name) if single else facts.met("no score", model.name)
        if (unit and outside) or unsummed or infinite:
            return True
    return False


def _open(request: Request, told: Doubt) -> bool:
    """Whether the request leaves open what is not clear."""
    named = [unless_named(request, way.settings) for way in told.ways]
    chosen = request.activation is not None or request.from_logits or request.normalize_rows
    if not told.ways:
        return not chosen
    alike = len({(way.loss, rest) for way, rest in zip(told.ways, named, strict=True)}) == 1
    return not (alike and any(rest != way.settings for way, rest in zip(told.ways, named, strict=True)))


def _mends(setting: str, fitting: Fit) -> bool:
    """Whether a setting changes numbers that may be wrong, which only its user can know."""
    return setting == "clip_rounding" or (setting == "normalize_rows" and fitting.scale is Scale.UNNORMALISED)


def unless_named(request: Request, settings: Settings) -> Settings:
    """The settings that the request says nothing of; rows are chosen by its condition as well."""
    named = {"classes"} if request.classes else set()
    if request.activation is not None or request.from_logits or request.normalize_rows:
        named |= {"from_logits", "activation", "normalize_rows"}
    both = {"where": f"({request.where}) and {dict(settings).get('where')}"} if request.where is not None else {}
    return tuple((name, both.get(name, value)) for name, value in settings if name not in named)


def without_nulls(seen: Seen, request: Request) -> Settings:
    """The setting that leaves out rows with nulls, where there are some and the request says nothing of them."""
    needed = {*seen.layout.roles.needed}
    nulls = any(kind == "null" and name in needed for kind, name, _ in seen.facts.seen.by_key)
    return (("nulls", "drop"),) if nulls and request.nulls == "error" else ()


def _asking(request: Request, loss: str, settings: Settings) -> Request:
    """The request for a loss with its settings."""
    values: dict[str, Any] = {name: split(str(value)) if name == "classes" else value for name, value in settings}
    return replace(request, loss=[loss], **values)


def see(source: Source, request: Request, layout: Layout | None = None, most: int = ROWS) -> Seen:
    """What a sample of the rows says of the columns that have a role.

    Args:
        source: the data set.
        request: what is asked of it.
        layout: how its columns are read, where that is known.
        most: about how many rows are looked at.

    Raises:
        UsageError: a column is missing, or does not suit its role.
        DataError: there are no rows.
    """
    layout = readable_layout(source, request) if layout is None else layout
    facts, sample = no_facts(layout), sampled(source, layout.wanted(), most)
    try:
        for record in sample.records:
            facts = facts + gather(layout, record, sampled=True)
    except BadRow:
        pass  # the pass says what is wrong, with its place
    fits = tuple(fit(facts, layout, index) for index in range(len(layout.models)))
    lists = tuple(column.name for column in source.columns if is_query(column.name))
    return Seen(layout, facts, fits, sample.whole, lists)


def readable_layout(source: Source, request: Request) -> Layout:
    """Which columns play which role, and of which predictions nothing can be read; all before any pass."""
    planner = LayoutPlanner(source, request)
    numbers = forecasts(planner)
    layout = planner.layout(rows=not numbers and any(model.width for model in planner.roles.models), numbers=numbers)
    text = {name: _no_number(planner, name) for model in layout.models for name in model.columns}
    unread = [model.name for model in layout.models if any(text[name] is not None for name in model.columns)]
    if layout.text and layout.classes is None and _no_number(planner, layout.roles.label[0]) is None:
        layout = replace(layout, class_labels="codes")  # numbers that are written as text
    example = next((word for word in text.values() if word is not None), "")
    worded = bool(unread) and is_name(example) and not any(map(is_number, _words_of(planner, layout, unread)))
    return replace(layout, unread=frozenset(unread), unread_text=example, worded=worded)


def _words_of(planner: LayoutPlanner, layout: Layout, unread: Sequence[str]) -> Iterator[str]:
    """The cells of the first rows of some models that hold text."""
    for name in (name for model in layout.models if model.name in unread for name in model.columns):
        yield from (str(word) for word in planner.head.column(name).to_pylist() if word)


def _no_number(planner: LayoutPlanner, column: str) -> str | None:
    """The first cell of a column of text that is no number; ``None`` where all are numbers, as far as was looked."""
    if planner.kinds[column] != "text":
        return None
    words = [word for word in planner.head.column(column).to_pylist() if word is not None and word not in NULLS]
    return next((word for word in words if not is_number(word)), None if words else "")


def _classes_of(seen: Seen) -> tuple[str, ...]:
    """The two classes that the words of a label are, in the order of the alphabet; none where they are not two.

    Raises:
        Undecided: the predictions say that the order may be the other.
    """
    words = sorted(seen.facts.words.counts or ())
    if not seen.layout.text or seen.layout.classes is not None or len(words) != 2 or seen.layout.vectors:
        return ()
    if not all(map(is_name, words)):
        return ()  # numbers, and something that is none
    settings = dict(classes_setting(words))
    if contrary(seen.facts, seen.layout, settings):
        what = f"which of the labels {' and '.join(words)} is class 1, the one named last, is not clear"
        raise Undecided(what, ways=tuple((("classes", ",".join(order)),) for order in (words[::-1], words)))
    return split(str(settings["classes"])) if settings else ()


def _codes_of(seen: Seen) -> tuple[str, ...]:
    """The classes of all models by the numbers that are labels; none where labels are codes from 0, or no numbers."""
    named = {str(dict(fitting.settings).get("classes", "")) for fitting in seen.fits if fitting is not None}
    coded = seen.layout.vectors and seen.layout.class_labels == "codes" and len(named) == 1
    return split(named.pop()) if coded and named != {""} else ()


def _none_fits(seen: Seen, request: Request) -> list[str]:
    """A loss that says what is wrong with columns that none fits.

    Raises:
        Undecided: nothing is wrong with them, as far as was looked.
    """
    if not seen.facts.used and request.nulls != "error":
        raise Undecided("which loss suits the columns is not clear: no row of those looked at is whole")
    layout, words = seen.layout, seen.facts.words.counts
    widths = [model.width for model in layout.models]
    if layout.unread and is_name(layout.unread_text):
        model, word = next(iter(layout.unread)), layout.unread_text
        what = f"the predictions {model!r} are words, such as {word!r}: decisions, not what they were made from"
        raise Undecided(what, "A loss needs numbers, such as those of predict_proba.")
    many = words is None or (len(words) > 2 and all(map(is_name, words)))
    if layout.text and layout.classes is None and many and not any(widths):
        shown = "" if words is None else f" ({', '.join(sorted(words)[:SHOWN])}{', …' if len(words) > SHOWN else ''})"
        number = "many" if words is None else len(words)
        what = f"label {layout.roles.label[0]!r} is one of {number} words{shown}, and a prediction is one number"
        if len(layout.models) == 1 and is_log_probability(layout.models[0].columns[0]):
            raise Undecided(what, own_loss(layout.models[0].columns[0]))
        raise Undecided(what, "Several classes need a column of numbers for each, such as those of predict_proba.")
    if not seen.layout.label_width and (seen.layout.text or all(widths)):
        return ["cross_entropy" if all(widths) else "bce"]
    return ["mse"]


def _ways_by_model(request: Request, seen: Seen) -> Iterator[Settings]:
    """For each loss with its settings, how to ask for it, with the models that it fits."""
    patterns: dict[tuple[str, Settings], list[str]] = {}
    for pattern, fitting in zip(request.prediction, seen.fits, strict=True):
        if fitting is not None:
            patterns.setdefault((fitting.loss, fitting.settings), []).append(pattern)
    for (loss, settings), models in patterns.items():
        named = [("label", pattern) for pattern in request.label] + [("prediction", pattern) for pattern in models]
        yield (*named, ("loss", loss), *unless_named(request, settings))
