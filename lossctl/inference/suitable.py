"""Which losses suit the columns, and what they need: told from a sample of the rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossctl.errors import Undecided
from lossctl.functions.definition import split_specs
from lossctl.inference.facts import Facts, no_facts
from lossctl.inference.fit import Fit, Scale, Settings, classes_setting, fit
from lossctl.inference.gather import gather
from lossctl.inference.layout import Layout, LayoutPlanner
from lossctl.inference.request import Completed, Request
from lossctl.inference.sample import sampled
from lossctl.reading.cells import BadRow
from lossctl.reading.format import NULLS, Source
from lossctl.reading.inferred_types import is_number
from lossctl.reading.look_alikes import is_name
from lossctl.sums.distribution import Distribution
from lossctl.words import split

POLES = frozenset({
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("negative", "positive"), ("neg", "pos"), ("off", "on"),
    ("fail", "pass"), ("ham", "spam"),
})  # fmt: skip
"""Words of which everybody knows which is class 1."""


@dataclass(frozen=True)
class Seen:
    """What a sample of the rows says of the columns that have a role."""

    layout: Layout
    facts: Facts
    fits: tuple[Fit | None, ...]
    """What fits each model."""
    whole: bool
    """Whether the sample is all there is."""


def complete_losses(seen: Seen, request: Request) -> Completed:
    """The request with losses that suit its columns, or the two classes that the words of its label are.

    Raises:
        Undecided: the data do not tell which; with what to ask instead, best first.
    """
    if request.loss:
        classes = _classes_of(seen)
        notes = (f"classes: {', '.join(classes)}, the two words of the label",) if classes else ()
        return Completed(replace(request, classes=classes), notes)
    groups = {(fitting.loss, fitting.settings) for fitting in seen.fits if fitting is not None}
    if len(groups) > 1:
        models = [model.name for model in seen.layout.models]
        raise Undecided(f"no loss suits all of {', '.join(models[:20])}", ways=tuple(_ways_by_model(request, seen)))
    fitting = seen.fits[0]
    if fitting is None:
        return Completed(replace(request, loss=_none_fits(seen, request)))
    settings = dict(fitting.settings)
    if not request.classes and contrary(seen.facts, seen.layout, settings):
        names = split(str(settings["classes"]))
        ways = [[("classes", ",".join(order))] for order in (names[::-1], names)]
        what = f"which of the labels {' and '.join(names)} is class 1 is not clear"
        raise Undecided(what, ways=tuple((("loss", fitting.loss), *way) for way in ways))
    asked = tuple((name, value) for name, value in unless_named(request, fitting.settings) if not _mends(name, fitting))
    words = [name.replace("_", " ") if value is True else f"{name} {value}" for name, value in asked]
    note = f"loss: {', '.join([*split_specs([fitting.loss]), *words])}, chosen because {fitting.why}"
    note += "" if seen.whole else f" (in {seen.facts.rows:,} rows looked at)"
    return Completed(_asking(request, fitting.loss, asked), (note,))


def _mends(setting: str, fitting: Fit) -> bool:
    """Whether a setting changes numbers that may be wrong, which only its user can know."""
    return setting == "clip_rounding" or (setting == "normalize_rows" and fitting.scale is Scale.UNNORMALISED)


def unless_named(request: Request, settings: Settings) -> Settings:
    """The settings that the request says nothing of."""
    named = {"classes"} if request.classes else set()
    if request.activation is not None or request.from_logits:
        named.add("from_logits")
    return tuple((name, value) for name, value in settings if name not in named)


def _asking(request: Request, loss: str, settings: Settings) -> Request:
    """The request for a loss with its settings."""
    values: dict[str, Any] = {name: split(value) if isinstance(value, str) else value for name, value in settings}
    return replace(request, loss=[loss], **values)


def see(source: Source, request: Request) -> Seen:
    """What a sample of the rows says of the columns that have a role.

    Raises:
        UsageError: a column is missing, or does not suit its role.
        DataError: there are no rows.
    """
    layout = readable_layout(source, request)
    facts, sample = no_facts(layout), sampled(source, layout.wanted())
    try:
        for record in sample.records:
            facts = facts + gather(layout, record)
    except BadRow:
        pass  # the pass says what is wrong, with its place
    fits = tuple(fit(facts, layout, index) for index in range(len(layout.models)))
    return Seen(layout, facts, fits, sample.whole)


def readable_layout(source: Source, request: Request) -> Layout:
    """Which columns play which role, and of which predictions nothing can be read; all before any pass."""
    planner = LayoutPlanner(source, request)
    layout = planner.layout(rows=any(model.width for model in planner.roles.models))
    text = {name: _no_number(planner, name) for model in layout.models for name in model.columns}
    unread = [model.name for model in layout.models if any(text[name] is not None for name in model.columns)]
    if layout.text and layout.classes is None and _no_number(planner, layout.roles.label[0]) is None:
        layout = replace(layout, class_labels="codes")  # numbers that are written as text
    example = next((word for word in text.values() if word is not None), "")
    return replace(layout, unread=frozenset(unread), unread_text=example)


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
        what = f"which of the labels {' and '.join(words)} is class 1 is not clear"
        raise Undecided(what, ways=tuple((("classes", ",".join(order)),) for order in (words[::-1], words)))
    return split(str(settings["classes"])) if settings else ()


def contrary(facts: Facts, layout: Layout, settings: Mapping[str, str | bool]) -> bool:
    """Whether predictions are lower for the word that would be class 1, of two that say nothing themselves."""
    names = split(str(settings.get("classes", "")))
    if len(names) != 2 or not layout.text or tuple(name.casefold() for name in names) in POLES:
        return False
    for predicted in facts.models:
        given = predicted.given.by_label or {}
        means = [_mean(given[name]) for name in names if name in given and given[name].n]
        if len(means) == 2 and means[1] < means[0]:
            return True
    return False


def _mean(values: Distribution) -> float:
    return float(np.average(values.values, weights=values.counts))


def _none_fits(seen: Seen, request: Request) -> list[str]:
    """A loss that says what is wrong with columns that none fits.

    Raises:
        Undecided: nothing is wrong with them, as far as was looked.
    """
    if not seen.facts.used and request.nulls != "error":
        raise Undecided("which loss suits the columns is not clear: no row of those looked at is whole")
    widths = [model.width for model in seen.layout.models]
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
