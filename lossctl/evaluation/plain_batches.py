"""Batches of which nothing but sums is to be said, and their losses block by block, from which sums are made."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from lossctl.domain import BoolArray, FloatArray
from lossctl.evaluation.batch import Batch
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.measure import blocks, evaluated, kernel_label, lift
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan
from lossctl.functions.bound_loss import BoundLoss
from lossctl.sums.state import Far


class Steady(ABC):
    """The sums of some batches that follow each other.

    Args:
        plan: what to measure.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @abstractmethod
    def lifted(self, record: pa.RecordBatch, clock: Clock) -> Measured | None:
        """Add a batch; what came before it, where that does not go on, and with it a batch that is not to be added."""

    @abstractmethod
    def taken(self) -> Measured | None:
        """The sums so far, which begin anew; ``None`` where there are none."""

    def apart(self, batch: Batch, clock: Clock) -> Measured:
        """What came before a batch, and this as a state of its own."""
        before, state = self.taken(), lift(self.plan, batch, clock)
        return state if before is None else before + state


def is_plain(batch: Batch) -> bool:
    """Whether a batch has rows, and there is nothing to say of it beside its sums."""
    errors = any(error is not None for error in batch.errors)
    return len(batch.label) > 0 and not (batch.problems.by_key or batch.position is not None or errors)


class Losses(NamedTuple):
    """The losses of some rows of a batch: made in less time than other classes, once a block."""

    rows: slice
    value: FloatArray
    """``(n,)``"""
    slope: FloatArray | None
    """Their gradients, in the shape of the predictions, where asked."""
    far: Far | None
    """Those that are squares that are no doubles."""
    clipped: BoolArray | None
    """Which of them the floor under probabilities changed; ``None`` where it did none."""


def losses_of(bound: BoundLoss, batch: Batch, index: int, *, gradient: bool = False) -> Iterator[Losses]:
    """What a loss makes of the rows of a plain batch, by the predictions of the model of that index, block by block.

    Those of vectors come at once: the rows of a block are few.
    """
    prediction = batch.predictions[index]
    labels = kernel_label(bound, batch.label, prediction)
    for rows in blocks(prediction) if prediction.ndim == 1 else [slice(0, len(prediction))]:
        label, predicted = labels[rows], prediction[rows]
        value, slope = evaluated(bound, label, predicted, gradient=gradient)
        squares = bound.far_squares(label, predicted, value)
        far = None if squares is None else Far(*squares)
        yield Losses(rows, value, slope, far, bound.clipped(label, predicted, finite=batch.finite[index]))
