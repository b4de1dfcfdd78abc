"""Two files that are predictions and their labels, where they were given as one data set or as two models."""

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from lossctl.errors import LossctlError, Undecided
from lossctl.evaluation.join import Joined, join, predicted
from lossctl.inference.choice import BY_NAME
from lossctl.inference.infer import complete
from lossctl.inference.look import Look
from lossctl.inference.names import ENDINGS, LABELS, PREDICTIONS, plain_name, stem_of, without
from lossctl.inference.proposals import Proposer
from lossctl.inference.questions import SHOWN
from lossctl.inference.request import Request, Settings
from lossctl.inference.suitable import see, without_nulls
from lossctl.reading.files import open_source
from lossctl.reading.format import Reading, Source
from lossctl.reading.selection import selected

TRUTHS = frozenset({
    "label", "labels", "solution", "solutions", "truth", "truths", "target", "targets", "actual", "actuals", "answer",
    "answers", "gold", "reference", "references", "observed", "observations", "true", "gt", "groundtruth",
})  # fmt: skip
"""Words in the names of files that hold labels."""
MOST = 1 << 27
"""Bytes of a file up to which it is tried."""
ASKED = ("classes", "from_logits", "activation", "normalize_rows", "clip_rounding", "nulls", "ignore_label")
"""What may have to be asked for beside columns and losses."""


def ensure_no_labels(source: Any, request: Request, reading: Reading | None = None, labels: Any = None) -> None:
    """Check that of two files that could not be measured one is not the labels of the other.

    Args:
        source: what was to be read.
        request: what is asked of it.
        reading: how to read it.
        labels: the data set of the labels; where there is one, nothing is asked.

    Raises:
        Undecided: it is, with what to ask instead.
    """
    paths = [os.fspath(path) for path in source if isinstance(path, str | os.PathLike)] if _is_list(source) else []
    if labels is not None or len(paths) != 2 or len(source) != 2 or len(request.prediction) > 1:
        return
    if not all(os.path.isfile(path) and os.path.getsize(path) <= MOST for path in paths):
        return  # which would take long to try
    if all(_is_whole(path, request, reading) for path in paths):
        return  # two models, each beside its labels
    named = [_is_truth(path) for path in paths]
    turned = named[0] if named[0] != named[1] else _are_probabilities(paths[1], paths[0], reading)
    for first, second in (paths[::-1], paths) if turned else (paths, paths[::-1]):
        ways = [*_ways(first, second, request, reading)][:SHOWN]
        if ways:
            raise Undecided(f"{second} holds the labels of the predictions in {first}", ways=tuple(ways))


def _is_list(source: Any) -> bool:
    return isinstance(source, list | tuple)


def _is_truth(path: str) -> bool:
    """Whether a file is named for labels."""
    name = plain_name(os.path.basename(path).partition(".")[0])
    return bool({*name.split("_")} & TRUTHS) or name in LABELS[0] | LABELS[1] or bool(re.match(r"y_(true|test)", name))


def _is_whole(path: str, request: Request, reading: Reading | None) -> bool:
    """Whether a file has a column that is named for a label, and predictions beside it."""
    try:
        pairs = Proposer(open_source(path, reading), replace(request, label=(), prediction=())).proposals()
    except LossctlError:
        return False
    return any(pair.label.why == BY_NAME for pair in pairs)


def _are_probabilities(first: str, second: str, reading: Reading | None) -> bool:
    """Whether one file has numbers between 0 and 1, and another whole numbers alone, which are no prediction then."""
    try:
        sides = [Look(open_source(path, reading)).candidates for path in (first, second)]
    except LossctlError:
        return False
    ours, theirs = ([each.content.numbers.values for each in side if each.kind == "number"] for side in sides)
    parts = [values for values in ours if np.any(values % 1)]
    within = all(values.min() >= 0 and values.max() <= 1 for values in parts)
    return bool(parts) and within and not any(np.any(values % 1) for values in theirs)


def _ways(first: str, second: str, request: Request, reading: Reading | None) -> Iterator[Settings]:
    """How to ask for predictions in the first file and labels in the second; none where that cannot be told."""
    try:
        reading = None if reading is None else replace(reading, apart=True)
        predictions, labels = open_source(first, reading), open_source(second, reading)
        if len(predictions.files) != 1 or len(labels.files) != 1:
            return
        joined = join(predictions, labels, (), "strict", request)
        if _told(second, predictions, labels, joined.asked):
            yield from _finished(second, joined, request)
    except Undecided as question:
        named = [dict(way) for way in question.ways]
        columns, others = ({column.name for column in source.columns} for source in (predictions, labels))
        if _is_truth(second) or columns != others:
            yield from ((("labels", second), *way) for way in question.ways if named)
    except LossctlError:
        return


def _finished(path: str, joined: Joined, request: Request) -> Iterator[Settings]:
    """The columns and losses of files that are matched."""
    asked = joined.asked
    ids = ",".join(map(str, joined.keys))
    way: Settings = (("labels", path), *((("ids", ids),) if ids else (("join", "order"),)))
    way += tuple(("label", name) for name in asked.label if not request.label)
    way += tuple(("prediction", name) for name in asked.prediction if not request.prediction)
    source = selected(joined.source, request.where, request.limit)
    try:
        completed = complete(source, joined.request).request
    except Undecided as question:
        yield from ((*way, *(pair for pair in each if pair[0] not in dict(way))) for each in question.ways)
        return
    losses = ",".join(map(str, completed.loss))
    settings = (*_settings(completed, joined.request), *without_nulls(see(source, completed), completed))
    yield (*way, *(() if request.loss else (("loss", losses),)), *settings)


def _settings(completed: Request, before: Request) -> Settings:
    """What a completed request asks for that it did not before."""
    changed = [(name, getattr(completed, name)) for name in ASKED if getattr(completed, name) != getattr(before, name)]
    return tuple((name, value if isinstance(value, bool) else ",".join(value)) for name, value in changed)


def _told(path: str, predictions: Source, labels: Source, asked: Request) -> bool:
    """Whether the labels are told by the name of their file or their column, or by whole numbers beside others."""
    ours, theirs = (
        {name for pattern in patterns for name in predicted(pattern, side.columns)}
        for patterns, side in ((asked.prediction, predictions), (asked.label, labels))
    )
    if _is_truth(path) or (not ours & theirs and (len(ours) != len(theirs) or _are_named(ours, theirs))):
        return True
    return _whole(labels, theirs) and not _whole(predictions, ours)


def _are_named(ours: Collection[str], theirs: Collection[str]) -> bool:
    """Whether columns of one side alone are called predictions, or those of the other alone labels."""
    guesses = [_is_named(names, PREDICTIONS, ENDINGS.prediction) for names in (ours, theirs)]
    truths = [_is_named(names, LABELS, ENDINGS.label) for names in (ours, theirs)]
    return guesses == [True, False] or truths == [False, True]


def _is_named(names: Collection[str], known: Sequence[Collection[str]], endings: tuple[str, ...]) -> bool:
    """Whether a column has a known name, begins with one, or has one of some endings."""
    words = {*chain(*known)}
    return any(
        {plain_name(each), stem_of(each)} & words or without(each, endings) != plain_name(each) for each in names
    )


def _whole(source: Source, names: Collection[str]) -> bool:
    """Whether columns hold whole numbers, as far as is looked."""
    columns = [Look(source, {*names}).candidate(name) for name in names]
    return all(each is not None and not np.any(each.content.numbers.values % 1) for each in columns)
