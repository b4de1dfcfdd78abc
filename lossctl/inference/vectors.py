"""Columns that were named as one prediction, and may be several: models beside each other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lossctl.errors import LossctlError, Undecided
from lossctl.inference.classes import class_names
from lossctl.inference.fit import Scale
from lossctl.inference.look import Look
from lossctl.inference.parts import MEMBERS, forecast_of
from lossctl.inference.patterns import find, titled
from lossctl.inference.poles import POLES
from lossctl.inference.predictions import MOST_MODELS
from lossctl.inference.request import Request, Settings
from lossctl.inference.suitable import fails, see, unless_named, ways_of, without_nulls
from lossctl.reading.format import Source

if TYPE_CHECKING:
    from lossctl.inference.candidates import Candidate

SHOWN = 12
"""How many columns a message lists."""


def ensure_vectors(source: Source, request: Request) -> None:
    """Check that the columns named as one prediction are no models beside each other.

    Args:
        source: the data set.
        request: what was asked for, with columns of both roles.

    Raises:
        Undecided: they may be; with what to ask instead, best first.
    """
    label = [name for pattern in request.label for name in find(pattern, source.columns, "label")]
    if len(label) != 1 or request.classes:
        return
    for pattern in request.prediction:
        family = find(titled(pattern, source.columns)[1], source.columns, "prediction")
        if len(family) > 1:
            _ensure_vector(source, request, label[0], pattern, family)


def _ensure_vector(source: Source, request: Request, label: str, pattern: str, family: tuple[str, ...]) -> None:
    """The same for one pattern."""
    look = Look(source, {label, *family})
    truth = look.candidate(label)
    if truth is None or any((column := look.candidate(name)) is None or column.kind != "number" for name in family):
        return
    if truth.has_columns(family) or _are_yes_and_no(family) or look.sum_to_one(family):
        return
    if truth.kind == "number" and forecast_of(family) is not None:
        return
    title = titled(pattern, source.columns)[0] or pattern
    if len(family) <= MOST_MODELS and _are_models(truth, len(family)):
        what = f"the columns {title!r} may be models beside each other, or the numbers of one prediction"
        raise Undecided(what, ways=(*_as_models(source, request, pattern, family), *_as_one(source, request)))


def _as_models(source: Source, request: Request, pattern: str, models: Sequence[str]) -> Iterator[Settings]:
    """How to ask for each of some columns in the place of a pattern as a model, with what fits all of them."""
    named = [name for each in request.prediction for name in (models if each == pattern else (each,))]
    if not models:
        return
    try:
        seen = see(source, replace(request, prediction=named, models=()))
    except LossctlError:
        return
    for fitting in ways_of(seen):
        if not fails(seen, fitting):
            settings = (*unless_named(request, fitting.settings), *without_nulls(seen, request))
            yield (*(("prediction", name) for name in named), ("loss", fitting.loss), *settings)


def _as_one(source: Source, request: Request) -> Iterator[Settings]:
    """How to ask for rows of numbers of either sign as logits of classes, or for several of a number as an ensemble."""
    try:
        seen = see(source, request)
    except LossctlError:
        return
    for fitting in ways_of(seen):
        signs = all(predicted.values.low < 0 < predicted.values.high for predicted in seen.facts.models)
        told = (signs and fitting.scale is Scale.LOGIT) or fitting.loss == MEMBERS.loss
        if told and not fails(seen, fitting):
            yield (("loss", fitting.loss), *unless_named(request, fitting.settings), *without_nulls(seen, request))


def _are_yes_and_no(family: tuple[str, ...]) -> bool:
    """Whether two columns are named for yes and no."""
    return any(tuple(map(str.casefold, names)) in POLES for names in map(sorted, class_names(family)))


def _are_models(truth: "Candidate", k: int) -> bool:
    """Whether a label is a yes or no, or has too many values to be one of k classes."""
    if truth.kind == "text":
        return truth.distinct is not None and truth.distinct <= 2
    values = truth.content.numbers
    if truth.kind != "number" or not values.n:
        return False
    numbers = {*values.values.tolist()}
    return (
        not values.exact
        or len(numbers) > k
        or bool((values.values % 1).any())
        or numbers <= {0.0, 1.0}
        or numbers == {-1.0, 1.0}
    )
