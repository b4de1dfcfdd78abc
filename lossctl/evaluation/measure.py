"""From a batch to a state: each loss turns rows into one number each, which are lifted.

The state of a run is a tuple of the states of its losses, by group; states of shards add up in order.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lossctl.domain import LARGEST, WIDE, FloatArray, IntArray
from lossctl.evaluation.batch import Batch
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.exact_errors import Errors
from lossctl.evaluation.group_keys import NONE, Group, Keys
from lossctl.evaluation.group_order import order_of
from lossctl.evaluation.measured import Measured, Part
from lossctl.evaluation.plan import Plan
from lossctl.functions.bound_loss import BoundLoss
from lossctl.sums.gradients import Gradients
from lossctl.sums.marginals import Marginals
from lossctl.sums.moments import Moments
from lossctl.sums.problems import Problems
from lossctl.sums.state import Far, Groups, Rows, none
from lossctl.sums.worst import Worst

if TYPE_CHECKING:
    from lossctl.sums.moved import Moved

BLOCK = 1 << 16
"""Numbers that a kernel sees at a time, a label counting as one: few calls, so that threads seldom wait for each other,
and temporaries in the cache, which together are less than what the C library keeps of what is freed; see
`fold.keep_what_is_freed`. (What is more it takes from the system and gives back at every block, page by page, and that
takes longer than the kernel.)"""


def nothing(plan: Plan, keys: Keys = NONE) -> Measured:
    """The sums over no rows."""
    groups, weighted = len(keys), plan.weighted
    count = none(groups)
    part = Part(
        Moments.zero(0, weighted=False),
        count,
        count,
        Gradients.zero(groups) if plan.gradient else None,
        Worst.zero(plan.samples) if plan.samples else None,
    )
    parts = tuple(
        replace(
            part,
            moments=_no_moments(bound, groups, weighted=weighted),
            whole=Gradients.zero(1) if _moves_whole(plan, bound) else None,
        )
        for _, bound in plan.losses
    )
    labels = Marginals.zero(groups, max(plan.layout.label_width, 1), weighted=weighted) if plan.skill else None
    evidence = None
    if plan.paired or plan.judged:
        from lossctl.sums.evidence import Evidence

        asked = {"clustered": bool(plan.roles.cluster), "drawn": plan.drawn, "single": plan.single}
        evidence = Evidence.zero(groups, plan.measures, plan.pairs, **asked)
    return Measured(0, keys, count, count, count, count, Problems(), parts, labels, evidence, _none_moved(plan))


def _moves_whole(plan: Plan, bound: BoundLoss) -> bool:
    """Whether a row moves the value of all groups by something else than that of its own."""
    return plan.gradient and bound.moves_others and bool(plan.roles.by)


def _no_moments(bound: BoundLoss, groups: int, *, weighted: bool) -> Moments:
    columns = 1 + len(bound.definition.others)
    return Moments.zero(groups, weighted=weighted or bound.over_cells, columns=columns)


def _none_moved(plan: Plan) -> "tuple[Moved, ...]":
    """The rows that moved most among none."""
    if not plan.moved:
        return ()
    from lossctl.sums.moved import Moved

    return (Moved.zero(plan.moved),) * len(plan.pairs)


def _moved(plan: Plan, rows: Sequence[Rows]) -> "tuple[Moved, ...]":
    """The rows that moved most, where somebody asked for them."""
    if not plan.moved:
        return ()
    from lossctl.sums.moved import Moved

    return tuple(Moved.lift(rows[first], rows[second], plan.moved) for first, second in plan.pairs)


def lift(plan: Plan, batch: Batch, clock: Clock) -> Measured:
    """The sums over a batch; only counts and problems where a value is illegal, or no row is left."""
    return _lifted(plan, batch, clock, keep=bool(plan.paired or plan.judged or plan.moved))[0]


def lift_with_rows(plan: Plan, batch: Batch, clock: Clock) -> tuple[Measured, Sequence[Rows]]:
    """As `lift`, with the rows of each loss of each model that they are the sums of; none where there are no sums."""
    return _lifted(plan, batch, clock, keep=True)


def _lifted(plan: Plan, batch: Batch, clock: Clock, *, keep: bool) -> tuple[Measured, Sequence[Rows]]:
    """As `lift_with_rows`; the rows of a loss are forgotten before those of the next unless they are to be kept."""
    if not len(batch.label) or any(batch.problems.of("error")):
        return tally(plan, batch), ()
    groups = batch.groups
    code = None if groups is None else groups.code
    parts: list[Part] = []
    rows: list[Rows] = []
    for place, (index, bound) in enumerate(plan.places):
        part, own = part_of(plan, place, bound, batch, groups, index, clock)
        parts.append(part)
        if keep:
            rows.append(own)
        del own
    evidence = None
    if plan.paired or plan.judged:
        from lossctl.sums.evidence import Evidence

        asked = {"drawn": plan.drawn, "single": plan.single}
        evidence = Evidence.lift(rows, plan.measures, plan.pairs, batch.keyed, **asked)
    cells = none(len(batch.keys))
    if plan.layout.masked:
        labelled = (~np.isnan(batch.label)).sum(axis=1)
        number = labelled.sum(keepdims=True) if groups is None else np.bincount(groups.code, labelled, groups.number)
        cells = number.astype(np.int64)
    sums = Measured(
        batch.rows,
        batch.keys,
        batch.null,
        batch.unweighted,
        batch.ignored,
        cells,
        batch.problems,
        tuple(parts),
        Marginals.lift(batch.label, batch.weight, code, len(batch.keys)) if plan.skill else None,
        evidence,
        _moved(plan, rows),
    )
    return sums, rows


def groups_in_order(plan: Plan, total: Measured) -> IntArray:
    """The places of the groups in the order in which they are reported: by name, or by period or interval."""
    return order_of(total.keys, plan.roles.by)


def tally(plan: Plan, batch: Batch) -> Measured:
    """The counts and problems of a batch, with nothing measured."""
    empty = nothing(plan, batch.keys)
    return replace(
        empty,
        rows=batch.rows,
        null=batch.null,
        unweighted=batch.unweighted,
        ignored=batch.ignored,
        problems=batch.problems,
    )


def part_of(
    plan: Plan, place: int, bound: BoundLoss, batch: Batch, groups: Groups | None, index: int, clock: Clock
) -> tuple[Part, Rows]:
    """The sums of the loss at a place, of the model of that index, and the rows that they are of."""
    prediction = batch.predictions[index]
    label = kernel_label(bound, batch.label, prediction)
    errors = batch.errors[index]
    sloped = plan.gradient or (plan.samples > 0 and errors is not None)
    value, gradient = evaluated(bound, label, prediction, errors, gradient=sloped)
    squares = _far(bound, label, prediction, value)
    others = _others(bound, label, prediction)
    rows = Rows(
        value, batch.weight, groups, batch.position, label, prediction, gradient, squares, others, bound.row_ends(label)
    )
    factor = plan.models[index].factor
    rows = _times(factor, rows)
    clipped = bound.clipped(label, prediction, finite=batch.finite[index])
    if clipped is None:
        counts = none(len(batch.keys))
    elif groups is None:
        counts = np.array([int(clipped.sum())])
    else:
        counts = np.bincount(groups.code[clipped], minlength=groups.number)
    clock.mark("compute")
    if bound.over_cells:
        cells = _times(factor, _cells(bound, rows, errors))
        rows = replace(rows, weight=_times_cells(rows))
        moments = Moments.over_cells(rows, cells)
    else:
        moments = Moments.lift(rows)
    part = Part(
        moments,
        counts,
        batch.rounded[index],
        Gradients.lift(_with_others(plan, place, bound, rows, batch.keys)) if plan.gradient else None,
        Worst.lift(rows, plan.samples, bound.row_gradient) if plan.samples else None,
    )
    if _moves_whole(plan, bound):
        whole = _with_others(plan, place, bound, replace(rows, groups=None), ((),))
        part = replace(part, whole=Gradients.lift(whole))
    clock.mark("reduce")
    return part, rows


def _others(bound: BoundLoss, label: FloatArray, prediction: FloatArray) -> tuple[FloatArray, ...]:
    """The further numbers of each row, block by block."""
    if not bound.definition.others:
        return ()
    parts = [bound.row_others(label[block], prediction[block]) for block in blocks(prediction)]
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _with_others(plan: Plan, place: int, bound: BoundLoss, rows: Rows, keys: Iterable[Group]) -> Rows:
    """The rows with what their further numbers add to the gradient of the reported value, by unit of its own slope."""
    if rows.gradient is None or not bound.moves_others:
        return rows
    shares = np.array([plan.slopes[place].get(key, ()) or np.full(len(rows.others), np.nan) for key in keys])
    code = np.zeros(len(rows.value), dtype=np.int64) if rows.groups is None else rows.groups.code
    gradient = rows.gradient.copy()
    for block in blocks(rows.prediction):
        slopes = bound.row_gradients_of_others(rows.label[block], rows.prediction[block])
        for number, slope in enumerate(slopes):
            if slope is not None:
                share = shares[code[block], number]
                gradient[block] += slope * (share if slope.ndim == 1 else share[:, None])
    return replace(rows, gradient=gradient)


def slopes_of(plan: Plan, total: Measured) -> tuple[dict[Group, tuple[float, ...]], ...]:
    """What a pass tells of the slopes of reductions that are made of several moving numbers; see `Plan.slopes`."""
    slopes: list[dict[Group, tuple[float, ...]]] = []
    for measure, (_, bound), part in zip(plan.measures, plan.losses, total.parts, strict=True):
        own: dict[Group, tuple[float, ...]] = {}
        if bound.moves_others:
            from lossctl.sums.many import shares

            for keys, moments in ((total.keys, part.moments), (((),), part.moments.pooled())):
                own.update(zip(keys, map(tuple, shares(moments, measure.reduction).tolist()), strict=True))
        slopes.append(own)
    return tuple(slopes)


def _times(factor: float, rows: Rows) -> Rows:
    """The rows with their losses multiplied."""
    if factor == 1.0:
        return rows
    far = rows.far
    if far is not None:
        number, more = np.frexp(factor * far.number)
        far = Far(far.row, number, far.exponent + more)
    return replace(rows, value=factor * rows.value, far=far)


def _far(bound: BoundLoss, label: FloatArray, prediction: FloatArray, value: FloatArray) -> Far | None:
    squares = bound.far_squares(label, prediction, value)
    return None if squares is None else Far(*squares)


def _cells(bound: BoundLoss, rows: Rows, errors: Errors | None) -> Rows:
    """The labels that some rows have, as rows of their own; ``errors`` are those of the rows."""
    labelled = ~np.isnan(rows.label)
    row = np.nonzero(labelled)[0]
    label, prediction = rows.label[labelled], rows.prediction[labelled]
    single = None if errors is None else errors.of_cells(labelled)
    value, _ = evaluated(bound, label, prediction, single, gradient=False)
    weight = None if rows.weight is None else rows.weight[row]
    groups = None if rows.groups is None else Groups(rows.groups.code[row], rows.groups.number)
    return Rows(value, weight, groups, None, label, prediction, None, _far(bound, label, prediction, value))


def _times_cells(rows: Rows) -> FloatArray:
    """The weight of each row times how many labels it has, ``(n,)``: a double, which a sum of weights need not be."""
    cells = (~np.isnan(rows.label)).sum(axis=1, dtype=np.float64)
    return np.asarray(cells if rows.weight is None else np.minimum(rows.weight * cells, LARGEST))


def kernel_label(bound: BoundLoss, label: FloatArray, prediction: FloatArray) -> FloatArray:
    """The label as the kernels of a loss take it."""
    if bound.unlabelled:
        return np.where(np.isnan(prediction), np.nan, 0.0)
    return bound.as_codes(bound.label_domain.convert(label))


def evaluated(
    bound: BoundLoss,
    label: FloatArray,
    prediction: FloatArray,
    errors: Errors | None = None,
    *,
    gradient: bool,
) -> tuple[FloatArray, FloatArray | None]:
    """The value of every row ``(n,)`` and, where asked, its gradient in the shape of the prediction, block by block.

    Where a loss takes ``errors``, those rows are evaluated from them.
    """
    if errors is not None and bound.takes_error and len(errors.rows):
        value, slope = evaluated(bound, label, prediction, gradient=gradient)
        rows, value = errors.rows, value.copy()
        value[rows] = bound.value_of_error(label[rows], errors.error, prediction[rows])
        if slope is not None:
            slope = slope.copy()
            slope[rows] = bound.gradient_of_error(label[rows], errors.error, prediction[rows])
        return value, slope
    if len(prediction) <= _rows(prediction):
        value = bound.row_value(label, prediction)
        return value, bound.row_gradient(label, prediction) if gradient else None
    value = np.empty(len(prediction))
    slope = np.empty_like(prediction) if gradient else None
    for block in blocks(prediction):
        value[block] = bound.row_value(label[block], prediction[block])
        if slope is not None:
            slope[block] = bound.row_gradient(label[block], prediction[block])
    return value, slope


def blocks(prediction: FloatArray) -> Iterator[slice]:
    """Slices of rows that hold about `BLOCK` numbers."""
    step = _rows(prediction)
    for start in range(0, max(len(prediction), 1), step):
        yield slice(start, start + step)


def _rows(prediction: FloatArray) -> int:
    """How many rows hold about `BLOCK` numbers, the label of a vector aside; twice as many wide ones, so few."""
    width = 2 if prediction.ndim == 1 else prediction.shape[1]
    return max((2 * BLOCK if width > WIDE else BLOCK) // width, 1)
