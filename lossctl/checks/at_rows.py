"""Gradients held against finite differences at the rows of a data set, in one pass and constant memory."""

from dataclasses import replace

from lossctl.checks.differences import NOTHING, Agreement, compare_loss
from lossctl.dataclass import dataclass
from lossctl.evaluation.batch import Batch
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.complaints import ensure_measured
from lossctl.evaluation.fold import fold_rows
from lossctl.evaluation.measure import blocks, kernel_label, nothing, tally
from lossctl.evaluation.measured import Measured, WithCounts
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import THREADS, Running
from lossctl.functions.bound_loss import BoundLoss
from lossctl.reading.format import Source


@dataclass(frozen=True)
class Proof:
    """The gradient of one loss of one model at the rows of a data set."""

    model: str
    bound: BoundLoss
    gradient: Agreement
    places: tuple[tuple[str, int], ...]
    """For each of the worst numbers, the file it is in, and its row there, from 1."""


@dataclass(frozen=True)
class _Compared(WithCounts):
    """The counts of some rows, and how far the gradient of each loss of each model agrees with differences there."""

    gradients: tuple[Agreement, ...]

    def __add__(self, other: "_Compared") -> "_Compared":
        pairs = zip(self.gradients, other.gradients, strict=True)
        return _Compared(self.counted + other.counted, tuple(first + second for first, second in pairs))


def prove(
    source: Source,
    plan: Plan,
    running: Running = THREADS,
) -> tuple[Measured, list[Proof], list[str]]:
    """Hold the gradients of a plan's losses against differences at every row that counts.

    Args:
        source: where the rows are.
        plan: the models and their losses.
        running: engine and threads.

    Returns:
        The counts of rows read and left out, a proof for each model and loss, and remarks on rows that were not chosen.

    Raises:
        DataError: as for `lossctl.evaluate`.
    """
    folded = fold_rows(source, plan, _compare, _zero(plan), running)
    total, passed = folded.total, folded.passed
    ensure_measured(total.counted, passed, plan)
    proofs = [
        Proof(model.name, bound, agreement, tuple(passed.locate(point.row) for point in agreement.worst))
        for (model, bound), agreement in zip(plan.losses, total.gradients, strict=True)
    ]
    return total.counted, proofs, [*passed.remarks()]


def _zero(plan: Plan) -> _Compared:
    return _Compared(nothing(plan), (NOTHING,) * len(plan.losses))


def _compare(plan: Plan, batch: Batch, _clock: Clock) -> _Compared:
    counted = tally(plan, batch)
    if any(batch.problems.of("error")):
        return _Compared(counted, tuple(replace(NOTHING, rows=batch.rows) for _ in plan.losses))
    agreements = []
    for model, prediction in zip(plan.models, batch.predictions, strict=True):
        for bound in model.losses:
            label, agreement = kernel_label(bound, batch.label, prediction), NOTHING
            for block in blocks(prediction):
                agreement = agreement + compare_loss(bound, label[block], prediction[block])
            if batch.position is not None:
                worst = tuple(replace(point, row=int(batch.position[point.row])) for point in agreement.worst)
                agreement = replace(agreement, worst=worst)
            agreements.append(replace(agreement, rows=batch.rows))
    return _Compared(counted, tuple(agreements))
