"""Which of two words is class 1: what everybody knows, and what predictions say."""

from collections.abc import Collection, Mapping

import numpy as np

from lossctl.inference.facts import Facts
from lossctl.inference.fit import ENOUGH, SIGNIFICANT
from lossctl.inference.layout import Layout
from lossctl.sums.distribution import Distribution
from lossctl.words import split

POLES = frozenset({
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("negative", "positive"), ("neg", "pos"), ("off", "on"),
    ("ham", "spam"),
})  # fmt: skip
"""Words of which everybody knows which is class 1."""


def is_yes_or_no(classes: Collection[str | int]) -> bool:
    """Whether classes are two words of which everybody knows which is the yes."""
    return tuple(sorted(str(key).casefold() for key in classes)) in POLES


def contrary(facts: Facts, layout: Layout, settings: Mapping[str, str | bool | float]) -> bool:
    """Whether predictions are not clearly higher for what would be class 1, of two words that say nothing themselves.

    Of a few rows it is enough that their mean is.
    """
    names = split(str(settings.get("classes", "")))
    if len(names) != 2 or not layout.text or tuple(name.casefold() for name in names) in POLES:
        return False
    for predicted in facts.models:
        given = predicted.given.by_label or {}
        samples = [given[name] for name in names if name in given and given[name].n and not given[name].infinite]
        if len(samples) == 2 and not _higher(*samples):
            return True
    return False


def _higher(first: Distribution, second: Distribution) -> bool:
    """Whether the mean of the second numbers is above that of the first, and of `ENOUGH` numbers by no accident."""
    means, squares = [], []
    for sample in (first, second):
        means.append(float(np.average(sample.values, weights=sample.counts)))
        squares.append(float(np.average((sample.values - means[-1]) ** 2, weights=sample.counts)) / sample.n)
    least = SIGNIFICANT * sum(squares) ** 0.5 if min(first.n, second.n) >= ENOUGH else 0.0
    return means[1] - means[0] > least or (not least and means[1] == means[0])
