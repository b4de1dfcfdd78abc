"""What can be found wrong with a model's predictions, one definition each, and the contract of such a definition.

A finding is a function from a `Case` to the `Evidence` that something is so, or ``None``. Its name and severity are in
its decorator; what a user should do stands in the evidence.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import cached_property

from lossctl.dataclass import dataclass
from lossctl.functions.bound_loss import BoundLoss
from lossctl.inference.facts import Facts, Predicted, Rowwise
from lossctl.inference.fit import Fit
from lossctl.inference.layout import Layout
from lossctl.inference.roles import Model
from lossctl.registry import Registry
from lossctl.sums.distribution import Distribution
from lossctl.sums.problems import Problem


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
    """Why a finding is reported."""

    what: str
    """What was found, a sentence without its full stop."""
    advice: str
    """What the user should do or look at."""
    problem: Problem | None = None
    """How many rows, and the first of them, where it is a matter of rows."""
    sample: int | None = None
    """Of how many things it was estimated, where not all were looked at."""
    standard_error: float | None = None
    """That of the estimate."""


@dataclass(frozen=True)
class Case:
    """What a finding looks at: what a pass saw of one model and of the columns it shares with the others."""

    facts: Facts
    layout: Layout
    index: int
    """Which of the models of ``layout`` it is."""
    fit: Fit | None
    """The task and pairing that fit the model; ``None`` where none does."""
    asked: tuple[BoundLoss, ...] = ()
    """The losses the user named."""

    @property
    def model(self) -> Model:
        """The model."""
        return self.layout.models[self.index]

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model.name

    @property
    def label(self) -> str:
        """The label column, or the first of several."""
        return self.layout.roles.label[0]

    @property
    def predicted(self) -> Predicted:
        """The facts of the predictions of the model."""
        return self.facts.models[self.index]

    @property
    def rows(self) -> Rowwise | None:
        """Those of its rows, where predictions are vectors and a row is measured; else ``None``."""
        rows = self.predicted.rows
        return rows if rows is not None and int(rows.picks.sum()) else None

    @property
    def n(self) -> int:
        """The rows that facts are about."""
        return self.facts.used

    def problem(self, kind: str, column: str | None = None) -> Problem | None:
        """The rows of the model, or of a column, in which something of a kind was met; ``None`` where none are.

        Kinds are those that `lossctl.inference.gather` counts.
        """
        return self.facts.met(kind, self.name if column is None else column)

    def count(self, kind: str, column: str | None = None) -> int:
        """The number of rows of `problem`."""
        problem = self.problem(kind, column)
        return 0 if problem is None else problem.count

    @cached_property
    def by_class(self) -> tuple[Distribution, Distribution] | None:
        """The predictions of class 0 and of class 1, rounded alike; ``None`` unless both occur."""
        by_label = self.predicted.given.by_label
        if self.fit is None or not self.fit.binary or not by_label:
            return None
        class_0, class_1 = (by_label.get(label) for label in self.fit.labels)
        if class_0 is None or class_1 is None or not (class_0.n and class_1.n):
            return None
        return class_0.alike(class_1)


@dataclass(frozen=True)
class Finding:
    """One thing that may be wrong with predictions or labels."""

    name: str
    severity: Severity
    stops: bool
    """Whether no flag makes ``lossctl eval`` measure such data."""
    shared: bool
    """Whether it is reported once where it has the same evidence for several models."""
    look: Callable[[Case], Evidence | None]

    @property
    def summary(self) -> str:
        """What it is, in a sentence."""
        return (self.look.__doc__ or "").strip().partition("\n")[0]


findings: Registry[Finding] = Registry("finding", "lossctl.doctor.findings", group="lossctl.findings")


def finding(
    severity: Severity, *, stops: bool = False, shared: bool = False
) -> Callable[[Callable[[Case], Evidence | None]], Callable[[Case], Evidence | None]]:
    """Register a finding under the name of its function, with dashes.

    Args:
        severity: how bad it is.
        stops: whether no flag makes ``lossctl eval`` measure such data.
        shared: whether it is reported once where it has the same evidence for several models.
    """

    def register(look: Callable[[Case], Evidence | None]) -> Callable[[Case], Evidence | None]:
        name = look.__name__.replace("_", "-")
        findings.add(name, Finding(name, severity, stops, shared, look))
        return look

    return register
