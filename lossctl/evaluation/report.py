"""The answer: frozen, versioned, ready for JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lossctl.errors import UsageError
from lossctl.functions.bound_loss import get_loss
from lossctl.functions.definition import Value, spell
from lossctl.words import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Gradient:
    """Gradient figures of one result: of the reported value L, and of the rows."""

    wrt: str
    """What the gradient is with respect to: the prediction or a pre-activation."""
    grad_l2: float
    """‖∂L/∂ŷ‖₂ over all rows and columns."""
    grad_l1: float
    grad_linf: float
    row_mean: float
    """Mean of ∣g_i∣, the gradient of row i's own loss (L2 norm of a vector row), weighted where rows are."""
    row_rms: float
    row_max: float
    top1_share: float
    """The part of Σ∣g∣ that the 1 % of rows with the largest ∣g∣ carry; from a histogram, within 1 % of itself."""


@dataclass(frozen=True)
class Baseline:
    """The best constant prediction of one result, and how much better than that the model is."""

    constant: float | tuple[float, ...]
    """On the scale of the loss, after any activation; one number a column of a vector prediction; NaN if unknown.

    Of an interval of equally good constants it is the middle, or the end nearest to the labels.
    """
    constant_loss: float
    """What would be reported of a model that always predicts it."""
    skill: float
    """1 − value / constant_loss: 1 for a perfect model, 0 for one no better than the constant."""
    constant_error: float
    """By how much of itself a label was off, at most, when the constant was sought: 0 where nothing was rounded."""


@dataclass(frozen=True)
class Sample:
    """One row among the worst."""

    file: str | None
    """The file it is in, when there are several."""
    row: int
    """Its number in the file, from 1; header lines do not count."""
    value: float
    label: float | tuple[float, ...]
    prediction: float | tuple[float, ...]
    gradient: float | tuple[float, ...]


@dataclass(frozen=True)
class Result:
    """One loss of one model in one group."""

    loss: str
    """The loss as a user would type it: ``huber:delta=0.5``."""
    parameters: Mapping[str, Value]
    """Every parameter with its effective value."""
    reduction: str
    model: str
    group: Mapping[str, str | None]
    """The values of the group-by columns; empty without them."""
    n: int
    """Rows measured."""
    n_null: int
    """Rows dropped for a null."""
    n_zero_weight: int
    """Rows dropped for a weight of 0."""
    n_clipped: int
    """Rows whose value the floor under probabilities changed."""
    n_infinite: int
    """Rows whose value is infinite."""
    sum_weight: float
    effective_n: float
    """(Σw)² / Σw²."""
    value: float
    standard_error: float
    gradient: Gradient | None = None
    baseline: Baseline | None = None
    samples: tuple[Sample, ...] = ()

    @property
    def skill(self) -> float:
        """1 − value / loss of the best constant prediction; NaN where that was not asked for or says nothing."""
        return math.nan if self.baseline is None else self.baseline.skill

    def to_row(self) -> dict[str, Any]:
        """The result as a flat row; a group-by column called like a figure has ``by_`` in front of its name."""
        plain = self.to_dict()
        plain.pop("samples", None)
        parameters = ",".join(f"{name}={spell(value)}" for name, value in plain.pop("parameters").items())
        groups = {f"by_{name}" if name in plain else name: word for name, word in plain.pop("group").items()}
        return {"loss": plain.pop("loss"), "parameters": parameters, "model": plain.pop("model"), **groups, **plain}

    def to_dict(self) -> dict[str, Any]:
        """The result in numbers, strings, lists and dictionaries, with gradient figures and skill beside the others."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["parameters"], plain["group"] = dict(self.parameters), dict(self.group)
        del plain["gradient"], plain["baseline"], plain["samples"]
        for part in (self.gradient, self.baseline):
            if part is not None:
                plain |= {field.name: getattr(part, field.name) for field in fields(part)}
        if self.samples:
            plain["samples"] = [
                {field.name: getattr(sample, field.name) for field in fields(sample)} for sample in self.samples
            ]
        return plain


@dataclass(frozen=True)
class Report:
    """What a run measured, on what, and with which settings."""

    results: tuple[Result, ...]
    inputs: Mapping[str, Any]
    """Files, rows read, and the columns of each role."""
    settings: Mapping[str, Any]
    """Null policy, floor, activation and whatever else changes a number."""
    notes: tuple[str, ...] = ()
    """What was chosen without being asked for."""
    warnings: tuple[str, ...] = ()
    profile: Mapping[str, float] | None = None
    """Seconds by phase, added up over workers, where somebody asked."""

    @property
    def value(self) -> float:
        """The number, when there is one result.

        Raises:
            UsageError: there are several.
        """
        if len(self.results) != 1:
            raise UsageError(f"the report has {len(self.results)} results, not one", "Ask for report[loss].value.")
        return self.results[0].value

    def of(self, loss: str) -> list[Result]:
        """The results of a loss, by its specification, its bare name, or a name that means it for some columns.

        Raises:
            UsageError: there is none.
        """
        specs = {str(get_loss(loss, columns=columns)) for columns in (None, 1, 2)}
        found = [result for result in self.results if result.loss in specs]
        found = found or [result for result in self.results if result.loss.partition(":")[0] in specs]
        if not found:
            known = sorted({result.loss for result in self.results})
            raise UsageError(f"no result of {loss!r}: no such loss was measured", did_you_mean(loss, known))
        return found

    def __getitem__(self, loss: str) -> Result:
        """The result of a loss, by its specification or its bare name.

        Raises:
            UsageError: no result, or more than one, is of that loss.
        """
        found = self.of(loss)
        if len(found) > 1:
            raise UsageError(f"the report has {len(found)} results of {loss!r}", "Pick from report.results.")
        return found[0]

    def to_dict(self) -> dict[str, Any]:
        """The report as strict JSON takes it: a number that is not finite is ``None``, and ``nonfinite`` names it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "lossctl": version("lossctl"),
            "inputs": strict(self.inputs),
            "settings": strict(self.settings),
            "results": [strict(result.to_dict()) for result in self.results],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            **({} if self.profile is None else {"profile": dict(self.profile)}),
        }

    def to_frame(self) -> "pd.DataFrame":
        """The results as a tidy pandas frame: one row a loss × model × group, a column for each group-by column."""
        import pandas as pd  # noqa: PLC0415  (350 ms that nobody else should pay)

        return pd.DataFrame([result.to_row() for result in self.results])


def strict(value: Any) -> Any:
    """The value with non-finite numbers as ``None``, named in a field ``nonfinite`` of their object."""
    if isinstance(value, Mapping):
        plain = {key: strict(item) for key, item in value.items()}
        odd = {key: word for key, item in value.items() if (word := _word(item)) is not None}
        return {**plain, "nonfinite": odd} if odd else plain
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _word(value: Any) -> Any:
    """What a number that is not finite is called; for a vector, what each such entry is; ``None`` if all are finite."""
    if isinstance(value, list | tuple):
        words = [_word(item) for item in value]
        return words if any(words) else None
    if not isinstance(value, float) or math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
