"""Two files that are predictions and their labels, where they were given as one data set or as two models."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lossctl.errors import LossctlError, Undecided
from lossctl.evaluation.join import Joined, join, predicted
from lossctl.inference.fit import Settings
from lossctl.inference.infer import complete
from lossctl.inference.look import Look
from lossctl.inference.names import LABELS, plain_name
from lossctl.inference.request import Request
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
SHOWN = 3
"""How many ways to go on are shown."""
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
    turned = _is_truth(paths[0]) and not _is_truth(paths[1])
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


def _ways(first: str, second: str, request: Request, reading: Reading | None) -> Iterator[Settings]:
    """How to ask for predictions in the first file and labels in the second; none where that cannot be told."""
    try:
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
    try:
        completed = complete(selected(joined.source, request.where, request.limit), joined.request).request
    except Undecided as question:
        yield from ((*way, *(pair for pair in each if pair[0] not in dict(way))) for each in question.ways)
        return
    losses = ",".join(map(str, completed.loss))
    yield (*way, *(() if request.loss else (("loss", losses),)), *_settings(completed, joined.request))


def _settings(completed: Request, before: Request) -> Settings:
    """What a completed request asks for that it did not before."""
    changed = [(name, getattr(completed, name)) for name in ASKED if getattr(completed, name) != getattr(before, name)]
    return tuple((name, value if isinstance(value, bool) else ",".join(value)) for name, value in changed)


def _told(path: str, predictions: Source, labels: Source, asked: Request) -> bool:
    """Whether the labels are told by the name of their file or their column, or by whole numbers beside others."""
    own = {name for pattern in asked.prediction for name in predicted(pattern, predictions.columns)}
    if _is_truth(path) or not own & {*asked.label}:
        return True
    return _whole(labels, asked.label) and not _whole(predictions, asked.label)


def _whole(source: Source, names: Sequence[str]) -> bool:
    """Whether columns hold whole numbers, as far as is looked."""
    columns = [Look(source, {*names}).candidate(name) for name in names]
    return all(each is not None and not np.any(each.content.numbers.values % 1) for each in columns)
