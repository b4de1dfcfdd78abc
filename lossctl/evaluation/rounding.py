"""Labels and predictions with what rounding put beyond their ends taken back."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, Domain, FloatArray
from lossctl.evaluation.plan import Plan
from lossctl.inference.rounding import ends_of, slack_of
from lossctl.sums.problems import Key, Problem


@dataclass(frozen=True)
class Rounded:
    """Numbers with what rounding put beyond their ends taken back."""

    label: FloatArray
    predictions: list[FloatArray]
    rows: list[BoolArray]
    """For each model, the rows with such a number, ``(n,)``."""
    problems: dict[Key, Problem]


def rounded(plan: Plan, record: pa.RecordBatch, label: FloatArray, predictions: Sequence[FloatArray]) -> Rounded:
    """Clip labels and predictions to the ends of what the losses take; a prediction has one value for all of them."""
    problems: dict[Key, Problem] = {}

    def clip(
        title: str, columns: Sequence[str], domains: Sequence[Domain], values: FloatArray
    ) -> tuple[FloatArray, BoolArray]:
        ends = ends_of(domains, values.ndim)
        clipped, rows = (values, None) if ends is None else ends.clip(values, slack_of(record, columns))
        if ends is None or rows is None:
            return values, np.zeros(len(values), dtype=np.bool_)
        problems["rounded", title, ends.describe()] = Problem(int(rows.sum()), int(rows.argmax()), "")
        return clipped, rows

    of_label = [bound.label_domain.for_width(model.width or 1) for model, bound in plan.losses]
    label, rows_of_label = clip(",".join(plan.roles.label), plan.roles.label, of_label, label)
    numbers, rows = [], []
    for model, values in zip(plan.models, predictions, strict=True):
        domains = [bound.prediction_domain for bound in model.losses]
        clipped, beyond = clip(model.name, model.columns, domains, values) if domains else (values, rows_of_label)
        numbers.append(clipped)
        rows.append(beyond | rows_of_label)
    return Rounded(label, numbers, rows, problems)
