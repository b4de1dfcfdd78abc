"""Columns of classes whose names only count them, and labels that are other numbers: which column is of which."""

import math
from collections.abc import Sequence
from dataclasses import replace

from lossctl.errors import option
from lossctl.inference.classes import are_numbers, counted_from
from lossctl.inference.facts import Facts
from lossctl.inference.fit import SIGNIFICANT, Doubt, Fit, classes_setting
from lossctl.inference.layout import Layout
from lossctl.reading.cells import class_number
from lossctl.words import percent

LISTED = 64
"""How many classes a command line lists."""
WAYS = 3
"""How many first classes may be offered where rows do not tell which it is."""
SHOWN = 3
"""How many numbers a message lists before the last."""


def goes_by_position(layout: Layout) -> bool:
    """Whether rows of numbers are held against one label, and no name tells which number is of which class."""
    if not layout.vectors or layout.label_width:
        return False
    if layout.text:
        return layout.classes is None
    return layout.class_labels == "codes" and not are_numbers(layout.classes or ("",))


def tell_places(facts: Facts, layout: Layout) -> bool:
    """Whether labels alone say that they are the places of the columns, so that no prediction has to be looked at.

    One is the first place and none is beyond the last; where names count the columns, one is the last place too.

    Args:
        facts: what was seen of the labels.
        layout: the columns, of as many classes that nobody counts rows by their largest column.
    """
    k, every = min(model.width for model in layout.models), facts.label + facts.unpredicted
    if not every.n or every.infinite or every.low != 0:
        return False
    if layout.classes is None:
        return every.high < k
    return counted_from(layout.classes) == 0 and len(layout.classes) == k and every.high == k - 1


def numbered_otherwise(facts: Facts, layout: Layout, index: int, fitting: Fit) -> Doubt | None:
    """Whether labels are other numbers than those of columns that nothing names, or whose names only count them.

    Columns are counted from 0 or from 1 in their order, as pandas and R call those that have no name. Labels that are
    among these numbers are believed to mean them, unless rows say that they are others.

    Args:
        facts: what was seen.
        layout: the columns.
        index: which model.
        fitting: what fits it.
    """
    k, classes, words = layout.models[index].width, layout.classes, _labels(facts, layout)
    start = None if classes is None or len(classes) != k else counted_from(classes)
    if start is None and (not goes_by_position(layout) or "classes" in dict(fitting.settings)):
        return None
    first, labels = start or 0, [*words]
    if not 0 < len(labels) <= k:
        return None
    span = labels[-1] - labels[0] + 1
    if labels[0] < 0 and span > k:
        return None  # a number that stands apart, as -100 does, which the pass over all rows names with its place
    firsts = [*range(max(labels[-1] - k + 1, min(labels[0], -1)), labels[0] + 1)] if span <= k else []
    if labels[0] >= 0 and firsts[:1] == [-1]:  # a class -1 that no label has is seldom meant: rows must tell
        most = max(_hits(facts, index, other) for other in firsts[1:])
        firsts = firsts if _clearly(_hits(facts, index, -1), most) else firsts[1:]
    columns = f"{k} columns that {'no name tells' if start is None else f'are numbered from {start}'}"
    if first in firsts:
        others = [other for other in firsts if other != first]
        return None if start is None else _shifted(facts, index, fitting, first, others, k, columns)
    if len(labels) < 2:
        return None  # a stranger, which the pass over all rows names with its place
    what = f"the labels are {_listed([*words.values()])}, for {columns}"
    if len(labels) == k:
        taken = (
            f"in their order the first is of class {labels[0]}, the last of class {labels[-1]}, as scikit-learn sorts"
        )
        return _counted(what, taken, [naming(fitting, [*words.values()])] if k <= LISTED else [])
    ranked = sorted(firsts, key=lambda other: (-_hits(facts, index, other), other not in {0, 1}, -other))
    clear = ranked[1:] and _clearly(_hits(facts, index, ranked[0]), _hits(facts, index, ranked[1]))
    taken = f"not all {k} classes are among them"
    likely = ranked[:1] if clear else ranked
    if len(likely) > WAYS:
        best = ranked[:1] if _hits(facts, index, ranked[0]) else []
        likely = [*best, *(other for other in ranked if other in {0, 1} and other not in best)]
    ways = [_from(fitting, other, k) for other in likely if k <= LISTED]
    return _counted(what, taken, ways)


def _shifted(
    facts: Facts, index: int, fitting: Fit, first: int, others: Sequence[int], k: int, columns: str
) -> Doubt | None:
    """Whether labels that are all named are those of other numbers in a row, by the largest column of each row."""
    hits = _hits(facts, index, first)
    better = [
        other
        for other in others
        if _hits(facts, index, other) > hits and (other in {0, 1} or _clearly(_hits(facts, index, other), hits))
    ]
    if not better:
        return None
    best = max(better, key=lambda other: _hits(facts, index, other))
    most = _hits(facts, index, best)
    what = (
        f"not all classes are among the labels, for {columns}: the largest column is that of the label in "
        f"{percent(most, facts.used)} of the rows if the classes are {best} to {best + k - 1}, and in "
        f"{percent(hits, facts.used)} if they are {first} to {first + k - 1}"
    )
    if k > LISTED:
        return Doubt(what, (), f"Say it with {option('classes')}, in a shell $(seq -s, {best} {best + k - 1}).")
    return Doubt(what, tuple(_from(fitting, each, k) for each in ((best,) if _clearly(most, hits) else (best, first))))


def _counted(what: str, taken: str, ways: Sequence[Fit]) -> Doubt:
    """The question for labels that are no numbers of columns."""
    return Doubt(f"{what}: {taken}", tuple(ways), f"Name all in the order of the columns: {option(classes='A,B,C')}.")


def _labels(facts: Facts, layout: Layout) -> dict[int, str]:
    """The labels that are numbers, ascending, as they are written; none where some are no whole numbers."""
    if layout.text:
        words = [*(facts.words.counts or ())]
        numbers = [class_number(word.strip()) for word in words]
        pairs = {number: word for number, word in zip(numbers, words, strict=True) if number is not None}
        return dict(sorted(pairs.items())) if len(pairs) == len(words) else {}
    every = facts.label + facts.unpredicted
    values = every.values.tolist() if every.exact and not every.infinite else []
    return {int(value): str(int(value)) for value in values} if all(map(float.is_integer, values)) else {}


def _hits(facts: Facts, index: int, first: int) -> int:
    rows = facts.models[index].rows
    return 0 if rows is None else rows.hits(first)


def _clearly(count: int, other: int) -> bool:
    return count >= 2 * other and more(count, other)


def _from(fitting: Fit, first: int, k: int) -> Fit:
    return naming(fitting, [str(first + place) for place in range(k)])


def _listed(words: Sequence[str]) -> str:
    """Words for a message, the first and the last of many."""
    if len(words) <= 2 * SHOWN:
        return ", ".join(words)
    return f"{', '.join(words[:SHOWN])}, …, {words[-1]}"


def naming(fitting: Fit, classes: Sequence[str]) -> Fit:
    """What fits, with the classes named."""
    rest = tuple(pair for pair in fitting.settings if pair[0] != "classes")
    return replace(fitting, settings=(*classes_setting(classes), *rest))


def more(count: int, other: int) -> bool:
    """Whether one count is more than another, and no accident."""
    return count - other > SIGNIFICANT * math.sqrt(count + other)
