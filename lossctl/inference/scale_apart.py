"""Predictions on another scale than the labels that they are to be near, such as logarithms of these."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lossctl.domain import FloatArray
from lossctl.errors import LossctlError
from lossctl.inference.layout import Layout
from lossctl.inference.reader import Reader
from lossctl.reading.cells import BadRow
from lossctl.reading.files import beginnings
from lossctl.reading.format import Source
from lossctl.reading.rows import first_rows
from lossctl.reading.stamp import Changed
from lossctl.reading.storage import takeable
from lossctl.words import counted, figures

ROWS = 1000
"""How many rows are looked at before a pass."""
ENOUGH = 10
"""Rows from which ranges that do not meet are no accident."""
ADVICE = "Was a logarithm or a standardisation of the labels not undone?"
Range = tuple[float, float]


def apart(labels: Range, predictions: Range) -> str:
    """That no prediction lies within the range of the labels, nor a label within theirs; empty where some does."""
    (least, most), (low, high) = labels, predictions
    if low <= most and least <= high:
        return ""
    return (
        f"the labels go from {figures(least)} to {figures(most)}, "
        f"the predictions from {figures(low)} to {figures(high)}"
    )


def range_of(values: FloatArray) -> Range | None:
    """From where to where numbers go, less those that are none; ``None`` of a constant, and of few."""
    values = values[np.isfinite(values)]
    if len(values) < ENOUGH or values.min() == values.max():
        return None
    return float(values.min()), float(values.max())


def doubts(source: Source, layout: Layout) -> Iterator[str]:
    """What is to be said of models of single numbers whose first rows are on another scale than their labels.

    Args:
        source: the data set.
        layout: how its columns are read, of labels that are numbers.
    """
    models = [model for model in layout.models if not model.width and model.name not in layout.unread]
    if layout.label_width or not layout.roles.label or not models:
        return
    try:
        shard = next(iter(beginnings(source)))
        record = first_rows(shard, replace(layout.wanted(), most=ROWS))
        if record is None:
            return
        reader = Reader(takeable(record).slice(0, ROWS))
        labels = range_of(reader.numbers(layout.roles.label[0]))
        predictions = {model.name: range_of(reader.numbers(model.columns[0])) for model in models}
    except Changed:
        raise
    except (LossctlError, BadRow, ValueError, TypeError, StopIteration):
        return  # what is wrong with them is said where they are read
    for name, values in predictions.items():
        what = apart(labels, values) if labels is not None and values is not None else ""
        if what:
            yield f"{name}: in the first {counted(reader.n, 'row')} {what}. {ADVICE}"
