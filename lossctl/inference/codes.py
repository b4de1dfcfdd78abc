"""Columns that are taken for classes by their position: what the rows say against it."""

from collections.abc import Sequence

import numpy as np

from lossctl.domain import IntArray, distinct
from lossctl.errors import option
from lossctl.inference.classes import SHOWN, are_numbers, class_names, mapping
from lossctl.inference.facts import Facts, Predicted
from lossctl.inference.fit import ENOUGH, Doubt, Fit
from lossctl.inference.layout import Layout
from lossctl.inference.places import LISTED, goes_by_position, more, naming, numbered_otherwise
from lossctl.words import percent, split

MET = 8
"""How many rows of each class there are, on average, where hardly a class is without any: one in 3,000."""


def of_position(facts: Facts, layout: Layout, index: int, fitting: Fit) -> Doubt | None:
    """What speaks against the columns of a model being those of the codes from 0; ``None`` where nothing does.

    Args:
        facts: what was seen.
        layout: the columns.
        index: which model.
        fitting: what fits it.
    """
    rows = facts.models[index].rows
    if layout.label_width or rows is None:
        return None
    told = numbered_otherwise(facts, layout, index, fitting)
    if told is not None or layout.class_labels != "codes":
        return told
    codes = split(str(dict(fitting.settings).get("classes", ""))) or [*map(str, range(len(rows.labels)))]
    return _from_one(facts, layout, index, fitting) or turned(facts, layout, index, fitting, codes)


def _from_one(facts: Facts, layout: Layout, index: int, fitting: Fit) -> Doubt | None:
    """Whether codes without a 0 that are all below the number of columns may count from 1, the last not among them."""
    rows, every = facts.models[index].rows, facts.label + facts.unpredicted
    k = 0 if rows is None else len(rows.labels)
    if not goes_by_position(layout) or not every.n or every.infinite or not 1 <= every.low <= every.high < k:
        return None
    if any(tuple(map(str, range(k))) in class_names(model.columns) for model in layout.models):
        return None
    as_it_is, from_one = (0, 0) if rows is None else (rows.hits(0), rows.hits(1))
    if as_it_is >= 2 * from_one and more(as_it_is, from_one):
        return None  # the rows tell: the largest column is that of a code from 0
    if k > LISTED and every.n < MET * k and not more(from_one, as_it_is):
        return None  # so few rows of so many classes may well lack one
    span = f"{every.low:g}" if every.low == every.high else f"from {every.low:g} to {every.high:g}"
    what = f"the labels are {span}, for {k} columns that no name tells: do they count from 0, or from 1?"
    if k > LISTED:
        advice = f"Say it with {option('classes')}, in a shell $(seq -s, 0 {k - 1}) or $(seq -s, 1 {k})."
        return Doubt(what, (), advice)
    ways = tuple(naming(fitting, [str(code + first) for code in range(k)]) for first in (0, 1))
    return Doubt(what, ways[::-1] if from_one > as_it_is else ways)


def unnamed(facts: Facts, layout: Layout, index: int) -> Doubt:
    """That no name tells which number of a model is for which of the words that are labels."""
    model, words = layout.models[index], sorted(facts.words.counts or ())
    listed = ", ".join(words[:SHOWN]) + (", …" if len(words) > SHOWN or not words else "")
    few = model.name == model.columns[0] or len(model.columns) <= SHOWN
    title = repr(model.name) if few else f"{model.columns[0]} … {model.columns[-1]}"
    what = f"no name tells which of the {model.width} numbers of {title} is for which label ({listed})"
    how = option(classes="A,B,C") if model.width <= LISTED else f"{option(classes='FILE')}, which has a name a line"
    return Doubt(what, (), f"Name the {model.width} classes in the order of the columns: {how}.")


def turned(facts: Facts, layout: Layout, index: int, fitting: Fit, names: Sequence[str]) -> Doubt | None:
    """Whether the columns of a model stand in another order than the classes that they are taken for."""
    better = better_order(facts.models[index], facts.used)
    if better is None:
        return None
    hits, possible, order = better
    classes, columns = [names[code] for code in np.argsort(order).tolist()], layout.models[index].columns
    those = mapping(columns, classes) if len(columns) == len(classes) else f"those of {', '.join(classes[:8])}"
    those += ", …" if len(columns) != len(classes) > 8 else ""
    what = (
        f"the largest column is that of the label in {percent(hits, facts.used)} of the rows, but in "
        f"{percent(possible, facts.used)} were the columns {those}"
    )
    as_it_is, others = naming(fitting, names), facts.unpredicted
    named = layout.class_labels == "codes" and layout.classes is not None and are_numbers(layout.classes)
    strange = bool(others.n) and (others.infinite or not 0 <= others.low <= others.high < len(names))
    if named or (strange and layout.class_labels == "codes"):
        what += ", which their names do not say" if named else ""
        return Doubt(what, (as_it_is,))  # what their names say stays, and labels of no class stop the other
    return Doubt(what, (naming(fitting, classes), as_it_is))


def better_order(predicted: Predicted, n: int) -> tuple[int, int, IntArray] | None:
    """Whether another order of the columns of the classes would be much better.

    Args:
        predicted: what was seen of the predictions.
        n: in how many rows.

    Returns:
        How many rows have their largest column at their label; how many they would be if each class had the column
        that is largest most often in its rows; and that column of each class, ``(k,)``, classes without rows in the
        columns that are left. ``None`` where the second number is not at least twice the first.
    """
    rows = predicted.rows
    if rows is None or rows.confusion is None or n < 3 * ENOUGH or int(rows.labels.sum()) < n:
        return None
    met = rows.labels > 0
    columns = rows.confusion.argmax(axis=1)[met]
    if len(columns) < 2 or len(distinct(columns)) < len(columns):
        return None
    order = np.empty(len(met), dtype=np.int64)
    order[met], order[~met] = columns, np.setdiff1d(np.arange(len(met)), columns)
    hits, possible = int(np.trace(rows.confusion)), int(rows.confusion.max(axis=1).sum())
    return (hits, possible, order) if more(possible, hits) and possible >= 2 * hits else None
