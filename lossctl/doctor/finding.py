"""What can be found wrong with a model's predictions, one definition each, and the contract of such a definition.

A check is a function from a `Case` to the `Evidence` that something is so, or ``None``. Its name and severity stand in
its decorator; what a user should do stands in the evidence.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from lossctl.domain import FloatArray
from lossctl.functions.loss import BoundLoss
from lossctl.inference.facts import Facts, Layout, Predicted, Rowwise
from lossctl.inference.fit import Fit
from lossctl.reading.columns import Model
from lossctl.registry import Registry
from lossctl.sums.state import Finding, IntArray

ENOUGH = 10
"""Rows below which nothing is concluded from how often something happens."""
SIGNIFICANT = 3.09
"""Standard errors from which an association is no accident: one in a thousand."""


class Severity(StrEnum):
    """How bad it is."""

    error = "error"
    """Numbers computed from these columns are wrong, or none can be."""
    warning = "warning"
    """Probably not what was meant."""
    note = "note"
    """Good to know."""


@dataclass(frozen=True)
class Evidence:
    """Why a check says so."""

    what: str
    advice: str
    met: Finding | None = None
    """How many rows, and the first of them, where it is a matter of rows."""


@dataclass(frozen=True)
class Case:
    """What a check looks at: the facts of one model, and of what it shares with the others."""

    facts: Facts
    layout: Layout
    at: int
    fit: Fit | None
    asked: tuple[BoundLoss, ...] = ()
    """The losses the user named."""

    @property
    def model(self) -> Model:
        """The model."""
        return self.layout.roles.models[self.at]

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model.name

    @property
    def label(self) -> str:
        """The label column, or the first of several."""
        return self.layout.roles.label[0]

    @property
    def found(self) -> Predicted:
        """The facts of the model."""
        return self.facts.models[self.at]

    @property
    def rows(self) -> Rowwise | None:
        """Those of its rows, where it is a vector with a row measured."""
        rows = self.found.rows
        return rows if rows is not None and int(rows.picks.sum()) else None

    @property
    def n(self) -> int:
        """The rows that facts are about."""
        return self.facts.used

    def met(self, kind: str, column: str | None = None) -> Finding | None:
        """What was met in the rows of the model, or in a column."""
        return self.facts.met(kind, self.name if column is None else column)

    def count(self, kind: str, column: str | None = None) -> int:
        """How often."""
        met = self.met(kind, column)
        return 0 if met is None else met.count

    @cached_property
    def by_class(self) -> tuple[tuple[FloatArray, IntArray], tuple[FloatArray, IntArray]] | None:
        """The predictions of class 0 and of class 1, each with its counts; ``None`` unless both occur."""
        given = self.found.given.by_label
        if self.fit is None or not self.fit.binary or not given:
            return None
        zero, one = (given.get(label) for label in self.fit.labels)
        if zero is None or one is None or not (zero.n and one.n):
            return None
        return (zero.values, zero.counts), (one.values, one.counts)


@dataclass(frozen=True)
class Check:
    """One thing that may be wrong."""

    name: str
    severity: Severity
    stops: bool
    """Whether no flag makes ``lossctl eval`` measure such data."""
    shared: bool
    """Whether it may say the same of several models, which is then said once."""
    look: Callable[[Case], Evidence | None]

    @property
    def summary(self) -> str:
        """What it is, in a sentence."""
        return (self.look.__doc__ or "").strip().partition("\n")[0]


checks: Registry[Check] = Registry("check", "lossctl.doctor.findings", group="lossctl.findings")


def check(
    severity: Severity, *, stops: bool = False, shared: bool = False
) -> Callable[[Callable[[Case], Evidence | None]], Callable[[Case], Evidence | None]]:
    """Register a check under the name of its function, with dashes."""

    def register(look: Callable[[Case], Evidence | None]) -> Callable[[Case], Evidence | None]:
        name = look.__name__.replace("_", "-")
        checks.add(name, Check(name, severity, stops, shared, look))
        return look

    return register


def percent(part: float, whole: float) -> str:
    """A share for people."""
    return f"{100 * part / whole:.3g} %"


def area_under_curve(case: Case) -> tuple[float, float] | None:
    """The area under the ROC curve of a binary model, and how many standard errors it lies from 1/2."""
    if case.by_class is None:
        return None
    (low, n_low), (high, n_high) = case.by_class
    below = np.concatenate([[0], np.cumsum(n_low)])
    less, not_more = below[np.searchsorted(low, high, "left")], below[np.searchsorted(low, high, "right")]
    zeros, ones = float(n_low.sum()), float(n_high.sum())
    area = float((n_high * (less + not_more)).sum()) / (2.0 * zeros * ones)
    return area, (area - 0.5) / math.sqrt((zeros + ones + 1.0) / (12.0 * zeros * ones))


def rank_correlation(case: Case) -> tuple[float, float] | None:
    """Spearman's correlation of labels and predictions, over the pairs kept, and its size in standard errors."""
    pairs, count = case.found.pairs.numbers, case.found.pairs.counts
    if len(pairs) < ENOUGH:
        return None
    ranks = [_ranks(column, count) for column in pairs.T]
    centred = [column - np.average(column, weights=count) for column in ranks]
    spread = [float(np.average(column**2, weights=count)) for column in centred]
    if not all(spread):
        return None
    found = float(np.average(centred[0] * centred[1], weights=count)) / math.sqrt(spread[0] * spread[1])
    found = max(-1.0, min(1.0, found))
    return found, math.atanh(max(-0.9999999, min(0.9999999, found))) * math.sqrt((len(pairs) - 3) / 1.06)


def _ranks(values: FloatArray, count: IntArray) -> FloatArray:
    """The mid-ranks of numbers that occur so often."""
    distinct, place = np.unique(values, return_inverse=True)
    total = np.bincount(place, weights=count, minlength=len(distinct))
    return np.asarray((np.cumsum(total) - 0.5 * total)[place])


def top_share(losses: FloatArray, counts: IntArray, part: float = 0.01) -> float:
    """The share of the total that the largest ``part`` of the rows carry; 0 of nothing."""
    with np.errstate(all="ignore"):
        order = np.argsort(-losses)
        ordered, count = losses[order], counts[order]
        top = np.clip(math.ceil(part * int(count.sum())) - (np.cumsum(count) - count), 0, count)
        scale = float(ordered[0]) if len(ordered) else 0.0
        if not (0 < scale < math.inf):
            return 0.0
        return float((ordered / scale * top).sum() / (ordered / scale * count).sum())


def better_order(case: Case) -> tuple[int, int, IntArray] | None:
    """Hits, hits with every class at the column picked most for it, and those columns, where that is much better."""
    rows = case.rows
    if rows is None or rows.confusion is None or case.n < 3 * ENOUGH or int(rows.labels.sum()) < case.n:
        return None
    order = rows.confusion.argmax(axis=1)
    if len(np.unique(order)) < len(order):
        return None
    now, then = int(np.trace(rows.confusion)), int(rows.confusion.max(axis=1).sum())
    better = then - now > SIGNIFICANT * (then + now) ** 0.5
    return (now, then, order) if better and then >= 2 * now else None
