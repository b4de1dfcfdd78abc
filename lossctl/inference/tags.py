"""Labels that list the classes of a row in one text: several yes or no beside each other, which are split first."""

from collections.abc import Collection, Iterator, Sequence

from lossctl.errors import LossctlError, Undecided, option
from lossctl.inference.classes import SHOWN, class_names
from lossctl.inference.layout_planner import LayoutPlanner
from lossctl.inference.names import PREDICTIONS
from lossctl.inference.patterns import find, titled
from lossctl.inference.proposals import Proposer
from lossctl.inference.request import Request
from lossctl.reading.format import Source

SEPARATORS = ("|", ";", ",", "/", " ")
"""What stands between classes in a text."""


def separator_of(words: Collection[str], classes: Collection[str]) -> str:
    """What stands between classes in some words, each of which lists some; empty where they do not.

    >>> separator_of({"sport|news", "news", ""}, ("news", "sport", "art")), separator_of({"news"}, ("news", "sport"))
    ('|', '')
    """
    known = {name.casefold() for name in classes}
    if {word.strip().casefold() for word in words} <= known:
        return ""  # such as New York
    for separator in SEPARATORS:
        parts = {part.strip().casefold() for word in words for part in word.split(separator)} - {""}
        if parts <= known and any(separator in word.strip() for word in words):
            return separator
    return ""


def ensure_no_tags(source: Source, request: Request) -> None:
    """Check that the label does not list several classes of a row, for which the columns of a prediction are named.

    Args:
        source: the data set.
        request: what was asked for, with columns of both roles.

    Raises:
        Undecided: it does.
    """
    kinds = {column.name: column.kind for column in source.columns}
    label = [name for pattern in request.label for name in find(pattern, source.columns, "label")]
    if len(label) != 1 or kinds.get(label[0]) != "text":
        return
    families = [
        find(titled(pattern, source.columns)[1], source.columns, "prediction") for pattern in request.prediction
    ]
    if not any(len(family) > 1 for family in families):
        return
    alone = Request((), label=tuple(label))
    try:
        words = LayoutPlanner(source, alone).first_labels
    except LossctlError:
        return  # what is wrong with them is said when its turn comes
    for family in families:
        for names in (*class_names(family), tuple(request.classes)):
            separator = separator_of(words, names)
            if separator:
                raise _question(label[0], words, separator, names, family)


def tags_among(proposer: Proposer) -> Undecided | None:
    """The question for a column of text that lists classes for which columns are named; ``None`` where none does."""
    named, truths = proposer.named_prediction, proposer.truths
    names = proposer.named_label or [column.name for column in truths.columns if column.kind == "text"]
    families = [named] if named else [*proposer.guesses.families(PREDICTIONS).values()]
    families += _probabilities(proposer) if names and not named else []
    for name in names if families else ():
        candidate = truths.look.candidate(name)
        words = {str(word) for word in candidate.classes} if candidate is not None and candidate.kind == "text" else ()
        for family, classes in ((each, classes) for each in families for classes in class_names(each)):
            separator = separator_of(words, classes)
            if separator:
                return _question(name, words, separator, classes, family)
    return None


def _probabilities(proposer: Proposer) -> Iterator[tuple[str, ...]]:
    """The columns that hold numbers from 0 to 1, where they may be named for classes alone."""
    numbers = [each for each in proposer.guesses.candidates if each.kind == "number" and each.content.numbers.n]
    family = tuple(each.name for each in numbers if 0 <= each.content.numbers.low <= each.content.numbers.high <= 1)
    yield from [family] if len(family) > 1 else []


def _question(
    label: str, words: Collection[str], separator: str, classes: Sequence[str], columns: Sequence[str]
) -> Undecided:
    """The question for a label that lists classes."""
    example = min((word for word in words if separator in word), key=lambda word: (len(word), word))
    names = [f"y_{name}" for name in classes]
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    flags = f"{option(label=','.join(names))} {option(prediction=','.join(columns))} {option(loss='bce')}"
    return Undecided(
        f"label {label!r} lists the classes of a row, such as {example!r}: each is a yes or no by itself",
        f"Split it into columns of 0 and 1, {shown}, as str.get_dummies({separator!r}) of pandas does, "
        f"and say {flags}.",
    )
