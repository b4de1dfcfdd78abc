"""Prediction less label where one of them is no double: a double each would lose the very digits that differ."""

from collections.abc import Sequence

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, FloatArray, IntArray
from lossctl.evaluation.plan import Plan, PlannedModel
from lossctl.inference.reader import Reader


@dataclass(frozen=True, eq=False)
class Errors:
    """The errors of some rows of a model, each computed from the numbers themselves and rounded once."""

    rows: IntArray
    """Where they stand among the rows kept, ascending."""
    error: FloatArray
    """Prediction less label, ``(rows,)`` or ``(rows, k)``."""

    def of_cells(self, labelled: BoolArray) -> "Errors":
        """The errors of single numbers, of those that ``labelled`` ``(n, k)`` names, row by row."""
        apart = np.zeros_like(labelled)
        apart[self.rows] = labelled[self.rows]
        return Errors(np.flatnonzero(apart[labelled]), self.error[labelled[self.rows]])


def exact_errors(
    reader: Reader, plan: Plan, label: FloatArray, predictions: Sequence[FloatArray], position: IntArray | None
) -> tuple[Errors | None, ...]:
    """The errors of each model in rows where a label or prediction is no double; ``None`` where there are none.

    Args:
        reader: what the columns of a batch were read by; numbers that are rounded all the same are noted there.
        plan: the models and their losses.
        label: the labels of the rows kept, ``(n,)`` or ``(n, k)``.
        predictions: those of each model.
        position: where the rows kept stand in the batch; ``None`` where all were.
    """
    if not reader.rests:
        return (None,) * len(predictions)
    _note_rounded(reader, plan)
    below = reader.rest(plan.roles.label, plan.layout.label_width)
    kept = slice(None) if position is None else position
    errors: list[Errors | None] = []
    for model, prediction in zip(plan.models, predictions, strict=True):
        above = reader.rest(model.columns, model.width)
        if not _alike(plan, model) or (above is None and below is None):
            errors.append(None)
            continue
        more, less = (np.zeros(1) if rest is None else rest[kept] for rest in (above, below))
        whole, cut = _sum(prediction, -label)
        rest, cut_rest = _sum(more, -less)
        near, far = _sum(cut, rest)
        error, beyond = _sum(whole, near)
        error = error + (beyond + (far + cut_rest))
        apart = (rest != 0) & np.isfinite(error)
        rows = np.flatnonzero(apart if apart.ndim == 1 else apart.any(axis=1))
        errors.append(Errors(rows, error[rows]))
    return tuple(errors)


def _note_rounded(reader: Reader, plan: Plan) -> None:
    """Note the numbers that are rounded before a loss, a weighted mean or a best constant is computed from them."""
    exact = {model: _alike(plan, model) and all(bound.takes_error for bound in model.losses) for model in plan.models}
    kept = {name for model in plan.models if exact[model] for name in model.columns}
    if all(exact.values()) and not plan.skill:
        kept |= {*plan.roles.label}
    kept -= {name for model in plan.models if not exact[model] for name in model.columns} | {plan.roles.weight}
    for column in reader.rests:
        reader.rounded(column, inexact=column in kept)


def _alike(plan: Plan, model: PlannedModel) -> bool:
    """Whether there is a label for each number that a model predicts."""
    return model.width == plan.layout.label_width


def _sum(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A sum as a double, and what it was rounded by."""
    total = first + second
    part = total - first
    return total, (first - (total - part)) + (second - part)
