"""Columns of a join by name: those of one name on both sides, and which of them is meant."""

from collections.abc import Callable, Sequence

from lossctl.errors import Undecided, UsageError, option
from lossctl.evaluation.matching import known_columns, title_of
from lossctl.inference.grouping import Grouping
from lossctl.inference.patterns import find, titled
from lossctl.inference.request import Request
from lossctl.inference.roles import groupings
from lossctl.reading.columns import Column
from lossctl.reading.format import Source
from lossctl.words import free

SUFFIX = " (labels)"
"""What tells a column of the labels from one of the predictions that has its name."""


def doubles(predictions: Source, labels: Source) -> dict[str, str]:
    """The columns of the labels whose name the predictions have too, by what they are called beside these."""
    left = {column.name for column in known_columns(predictions)}
    right = {column.name for column in known_columns(labels)}
    return {f"{name}{SUFFIX}": name for name in right & left if f"{name}{SUFFIX}" not in left | right}


def their_columns(predictions: Source, labels: Source) -> tuple[Column, ...]:
    """The columns of the labels, and again as they are called beside those of the predictions."""
    kinds = {column.name: column.kind for column in known_columns(labels)}
    twice = doubles(predictions, labels)
    return (*labels.columns, *(Column(alias, kinds[name]) for alias, name in twice.items()))


def either(pattern: str, predictions: Source, labels: Source, role: str) -> tuple[str, ...]:
    """The columns a pattern stands for among the predictions, else among the labels; errors as for `find`."""
    try:
        return find(pattern, predictions.columns, role)
    except UsageError:
        return find(pattern, (*their_columns(predictions, labels), *predictions.columns), role)


def grouped(
    pattern: str,
    predictions: Source,
    labels: Source,
    look: Callable[[str, Sequence[Column]], tuple[Grouping, ...]] = groupings,
) -> tuple[Grouping, ...]:
    """What a pattern groups by among the predictions, else among the labels; a column of that very name comes first."""
    try:
        groups = look(pattern, predictions.columns)
    except UsageError:
        return look(pattern, (*their_columns(predictions, labels), *predictions.columns))
    return (Grouping(pattern),) if pattern in {column.name for column in known_columns(labels)} else groups


def renamed(left: Sequence[str], right: Sequence[str], apart: dict[str, str]) -> dict[str, str]:
    """What the columns of the labels are called beside those of the predictions.

    Args:
        left, right: the columns of both sides that are read.
        apart: columns of the labels by the name that was asked for.
    """
    taken, names = {*left, *right}, dict[str, str]()
    asked = {name: alias for alias, name in apart.items()}
    for name in right:
        names[name] = free(name, taken, suffix=SUFFIX) if name in left else name
        names[name] = asked.get(name, names[name])
        taken.add(names[name])
    return names


def ensure_one_meaning(request: Request, predictions: Source, labels: Source) -> None:
    """Check that rows are not grouped by a column that is the prediction on one side and the label on the other.

    Raises:
        Undecided: they are.
    """
    truths = {name for pattern in request.label for name in find(pattern, labels.columns, "label")}
    models = (titled(pattern, predictions.columns)[1] for pattern in request.prediction)
    guesses = {name for pattern in models for name in find(pattern, predictions.columns, "prediction")}
    named = {
        group.column for pattern in request.by if "#" not in pattern for group in grouped(pattern, predictions, labels)
    }
    both = sorted(truths & guesses & named)
    if not both:
        return
    places = {column.name: f"#{place}" for place, column in enumerate(predictions.columns, 1)}
    readings = [{name: f"{name}{SUFFIX}" for name in both}, {name: places[name] for name in both if name in places}]
    ways = [
        ",".join(
            str(Grouping(reading.get(group.column, group.column), group.unit))
            for pattern in request.by
            for group in grouped(pattern, predictions, labels)
        )
        for reading in readings
    ]
    raise Undecided(
        f"{option('by')}: {both[0]!r} is the label in {title_of(labels)} and the prediction in {title_of(predictions)}",
        ways=tuple((("by", way),) for way in dict.fromkeys(ways)),
    )
