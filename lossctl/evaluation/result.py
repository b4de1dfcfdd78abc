"""What is measured of one loss of one model in one group.

A field is a column: JSON, CSV and data frames have it by its name, in this order; tables as its `Shown` says.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, fields
from typing import Annotated, Any, TypeAlias

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.document import Kind, Tone
from lossctl.functions.lookup import get_loss
from lossctl.functions.parameter import Value, in_json, spell
from lossctl.records import Column, Columns, Made, Same, Some
from lossctl.words import free

RESULTS, SKILL, WHOLE, ROWS = "results", "skill", "whole", "rows"
"""The tables of a report: of the results, their best constants, the gradients of the value, those of the rows."""

Blocks: TypeAlias = Sequence[Mapping[str, Column]]
"""Results in columns by field, those of each loss of each model."""


@dataclass(frozen=True)
class Shown:
    """How tables show a field.

    Args:
        title: its heading.
        kind: what it holds.
        table: which of the tables of a report has it.
        when: whether there is anything to show, given the results and the inputs.
        tone: how it is meant.
        first: whether it stands before those that do not.
        error: the field that says what it may be off by.
        deviation: the field with the standard error that says how many of its digits are shown.
    """

    title: str
    kind: Kind = "number"
    table: str = RESULTS
    when: Callable[[Blocks, Mapping[str, Any]], bool] = lambda _blocks, _inputs: True
    tone: Tone = ""
    first: bool = False
    error: str = ""
    deviation: str = ""


def _reduced(blocks: Blocks, _inputs: Mapping[str, Any]) -> bool:
    pairs = [(_same(block["reduction"]), get_loss(_same(block["loss"])).reduction) for block in blocks]
    return any(pair != ("mean", "mean") for pair in pairs)


def _weighted(_blocks: Blocks, inputs: Mapping[str, Any]) -> bool:
    return bool(inputs.get("weight") or inputs.get("class_weight"))


def _ignoring(_blocks: Blocks, inputs: Mapping[str, Any]) -> bool:
    return bool(inputs["ignored"])


def _masking(_blocks: Blocks, inputs: Mapping[str, Any]) -> bool:
    return bool(inputs["masked"] and inputs["label"])


def _bounded(blocks: Blocks, _inputs: Mapping[str, Any]) -> bool:
    return any(_same(block["ci"]) is not None for block in blocks)


def _some(name: str) -> Callable[[Blocks, Mapping[str, Any]], bool]:
    def when(blocks: Blocks, _inputs: Mapping[str, Any]) -> bool:
        columns = [block[name] for block in blocks]
        return any(
            column.value if isinstance(column, Same) else np.asarray(column, dtype=np.float64).any()
            for column in columns
        )

    return when


@dataclass(frozen=True)
class Gradient:
    """Gradient figures of one result: of the reported value L, and of the rows."""

    wrt: str
    """What the gradient is with respect to: the prediction or a pre-activation."""
    grad_l2: Annotated[float, Shown("grad l2", table=WHOLE)]
    """‖∂L/∂ŷ‖₂ over all rows and columns."""
    grad_l1: Annotated[float, Shown("grad l1", table=WHOLE)]
    """‖∂L/∂ŷ‖₁, likewise."""
    grad_linf: Annotated[float, Shown("grad linf", table=WHOLE)]
    """The largest of ∣∂L/∂ŷ∣, likewise."""
    row_mean: Annotated[float, Shown("row mean", table=ROWS)]
    """Mean of ∣g_i∣, the gradient of row i's own loss (L2 norm of a vector row), weighted where rows are."""
    row_rms: Annotated[float, Shown("row rms", table=ROWS)]
    """The root of the mean of ∣g_i∣², likewise."""
    row_max: Annotated[float, Shown("row max", table=ROWS)]
    """The largest ∣g_i∣."""
    top1_share: Annotated[float, Shown("≈ top 1% share", "share", table=ROWS)]
    """The part of Σ∣g∣ that the 1 % of rows with the largest ∣g∣ carry; from a histogram, within 1 % of itself."""

    @property
    def is_infinite(self) -> bool:
        """Whether a figure is."""
        return math.inf in (self.grad_l2, self.grad_l1, self.grad_linf, self.row_mean, self.row_rms, self.row_max)


@dataclass(frozen=True)
class BestConstant:
    """The best constant prediction for one result, and how much better than that the model is."""

    constant: Annotated[float | tuple[float, ...], Shown("best constant", table=SKILL, error="constant_error")]
    """On the scale of the loss, after any activation; one number a column of a vector prediction; NaN if unknown.

    Of an interval of equally good constants it is the middle, or the end nearest to the labels.
    """
    constant_loss: Annotated[float, Shown("its loss", table=SKILL)]
    """What would be reported of a model that always predicts it."""
    skill: Annotated[float, Shown("skill", table=SKILL)]
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
    """The loss of the row."""
    label: float | tuple[float, ...] | None
    """``None`` where the loss has none."""
    prediction: float | tuple[float, ...]
    """The prediction, or the numbers of one of several."""
    gradient: float | tuple[float, ...]
    """The gradient of the row's own loss, one number a column."""
    id: Mapping[str, str | None] | None = field(kw_only=True, default=None)
    """The key of the row, by column, where its label came from another source by key."""


@dataclass(frozen=True)
class Result:
    """One loss of one model in one group."""

    loss: str
    """The loss as a user would type it: ``huber:delta=0.5``."""
    parameters: Mapping[str, Value]
    """Every parameter with its effective value."""
    reduction: Annotated[str, Shown("reduction", "name", when=_reduced)]
    """How rows become the value: mean, sum, root-mean and others."""
    model: str
    """The name of the model."""
    group: Mapping[str, str | None]
    """The values of the group-by columns; empty without them."""
    n: Annotated[int, Shown("n", "count")]
    """Rows measured."""
    n_clusters: Annotated[int | None, Shown("clusters", "count", when=_some("n_clusters"))] = field(
        kw_only=True, default=None
    )
    """How many clusters their rows are of, or buckets of them; ``None`` where rows move by themselves."""
    n_null: Annotated[int, Shown("null", "count", when=_some("n_null"))]
    """Rows dropped for a null."""
    n_zero_weight: Annotated[int, Shown("zero weight", "count", when=_some("n_zero_weight"))]
    """Rows dropped for a weight of 0."""
    n_ignored: Annotated[int, Shown("ignored", "count", when=_ignoring)]
    """Rows left out for their label."""
    n_cells: Annotated[int, Shown("cells", "count", when=_masking)]
    """Labels measured: what the mean is over where a row need not have all of its labels."""
    n_clipped: Annotated[int, Shown("clipped", "count", when=_some("n_clipped"))]
    """Rows whose value the floor under probabilities changed."""
    n_rounded: Annotated[int, Shown("rounded", "count", when=_some("n_rounded"))]
    """Rows with a number beyond the end of its domain by rounding, which was clipped to it."""
    n_infinite: Annotated[int, Shown("infinite", "count", when=_some("n_infinite"))]
    """Rows whose value is infinite."""
    sum_weight: Annotated[float, Shown("Σw", when=_weighted)]
    """Σw; without weights the rows."""
    effective_n: Annotated[float, Shown("eff. n", when=_weighted)]
    """(Σw)² / Σw²."""
    value: Annotated[float, Shown("value", tone="strong", first=True, deviation="standard_error")]
    """What the loss comes to."""
    standard_error: Annotated[float, Shown("std. error", first=True, deviation="standard_error")]
    """That of the value; NaN where it is not known."""
    ci: float | None = None
    """The confidence level of the interval; ``None`` where none was asked for."""
    ci_low: Annotated[float | None, Shown("ci low", when=_bounded, first=True, deviation="standard_error")] = None
    """The lower end of the confidence interval of the value; ``None`` without a standard error."""
    ci_high: Annotated[float | None, Shown("ci high", when=_bounded, first=True, deviation="standard_error")] = None
    """The upper end."""
    gradient: Gradient | None = None
    """Gradient figures, where they were asked for."""
    best_constant: BestConstant | None = None
    """The best constant prediction, where it was asked for."""
    samples: tuple[Sample, ...] = ()
    """The worst rows, the worst first, where they were asked for."""

    @property
    def skill(self) -> float:
        """1 − value / loss of the best constant prediction; NaN where that was not asked for or says nothing."""
        return math.nan if self.best_constant is None else self.best_constant.skill

    def to_row(self) -> dict[str, Any]:
        """The result as a flat row; a group-by column called like one of ours has ``by_`` in front of its name."""
        return next(iter(Columns(1, as_rows(self._fields()))))

    def to_dict(self) -> dict[str, Any]:
        """The result in numbers, strings, lists and dictionaries, with gradient figures and skill beside the others."""
        return next(iter(Columns(1, as_records(self._fields()))))

    def _fields(self) -> dict[str, Same]:
        return {field.name: Same(getattr(self, field.name)) for field in fields(self)}


def as_records(results: Mapping[str, Column]) -> dict[str, Column]:
    """Results as `Result.to_dict` has them.

    Args:
        results: by field of `Result`, in the order of the fields.
    """
    plain = {**results, "parameters": Same(in_json(_same(results["parameters"]))), "group": _groups(results["group"])}
    gradient, best_constant, samples = (plain.pop(name) for name in ("gradient", "best_constant", "samples"))
    if _same(plain.pop("ci")) is None:
        del plain["ci_low"], plain["ci_high"]
    if isinstance(plain["n_clusters"], Same) and plain["n_clusters"].value is None:
        del plain["n_clusters"]
    for holder, parts in ((Gradient, gradient), (BestConstant, best_constant)):
        plain |= {field.name: column for field in fields(holder) for column in _part(parts, field.name)}
    for column in _listed(samples):
        plain["samples"] = column
    return plain


def as_rows(results: Mapping[str, Column]) -> dict[str, Column]:
    """Results as `Result.to_row` has them; the argument is that of `as_records`."""
    plain = as_records(results)
    plain.pop("samples", None)
    words = plain.pop("group")
    taken = words.by_key if isinstance(words, Columns) else {}
    groups: dict[str, Column] = {}
    for name, column in taken.items():
        groups[free(name, {*_TITLES, *taken, *groups}, "by_") if name in _TITLES else name] = column
    del plain["parameters"]
    parameters = ",".join(f"{name}={spell(value)}" for name, value in _same(results["parameters"]).items())
    first = {"loss": plain.pop("loss"), "parameters": Same(parameters), "model": plain.pop("model")}
    return {**first, **groups, **plain}


def _same(column: Column) -> Any:
    if not isinstance(column, Same):
        raise TypeError("results that differ in what they have in common")
    return column.value


def _groups(column: Column) -> Columns:
    """The words of groups, a column for each that is grouped by."""
    if isinstance(column, Columns):
        return column
    return Columns(1, {name: [word] for name, word in _same(column).items()})


def _part(column: Column, name: str) -> Iterator[Column]:
    """A field of what results may have beside the others, where any has it."""
    if isinstance(column, Made):
        values = column.fields.by_key[name]
        if column.present.any():
            yield values if column.present.all() else Some(values, column.present)
        return
    parts = [column.value] if isinstance(column, Same) else column if isinstance(column, list) else []
    present = np.array([part is not None for part in parts], dtype=bool)
    if present.all() and len(parts):
        yield [getattr(part, name) for part in parts]
    elif present.any():
        yield Some([getattr(part, name, None) for part in parts], present)


def _listed(column: Column) -> Iterator[Column]:
    """The worst rows of each result, where any has them."""
    parts = [column.value] if isinstance(column, Same) else column if isinstance(column, list) else []
    if any(parts):
        yield Some([[_sample(sample) for sample in samples] for samples in parts], np.array([*map(bool, parts)]))


def _sample(sample: Sample) -> dict[str, Any]:
    plain = {field.name: getattr(sample, field.name) for field in fields(sample)}
    if sample.id is None:
        del plain["id"]
    return plain


_TITLES = {field.name for part in (Result, Gradient, BestConstant) for field in fields(part)}
"""What the columns of a row are called, whether or not it has them all."""
