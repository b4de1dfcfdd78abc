"""From the sums of a run to its report."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lossctl.arrays import in_python
from lossctl.errors import DataError, option
from lossctl.evaluation.complaints import ensure_measured, taken_for_null, told
from lossctl.evaluation.groups import Group
from lossctl.evaluation.measure import groups_in_order
from lossctl.evaluation.measured import Measured, Part
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.report import Report
from lossctl.evaluation.result import Gradient, Result, Sample
from lossctl.evaluation.traversal import Traversal
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.parameter import in_json
from lossctl.rational import to_float
from lossctl.reading.selection import limit_of, where_of
from lossctl.sums.worst import Worst
from lossctl.words import counted, gathered

if TYPE_CHECKING:
    from lossctl.evaluation.scores import Scores
    from lossctl.evaluation.skills import Skills


def assemble(plan: Plan, total: Measured, traversal: Traversal) -> Report:
    """The report of a whole run.

    Args:
        plan: what was to be measured.
        total: the sums of all rows.
        traversal: the files that were read, and where in them each row is.

    Raises:
        DataError: there were no rows, or none that counted.
    """
    used = ensure_measured(total, traversal, plan)
    bounds = [(model.name, bound) for model, bound in plan.losses]
    skills = _skills(plan, total)
    order = groups_in_order(plan, total)
    specs = list(dict.fromkeys(str(bound) for _, bound in bounds))
    by_loss = sorted(zip(bounds, total.parts, strict=True), key=lambda measured: specs.index(str(measured[0][1])))
    results = [
        result
        for (model, bound), part in by_loss
        for result in _results(plan, total, traversal, model, bound, part, order, skills)
    ]
    overall = _overall(plan, total, traversal, results) if plan.roles.by else []
    if plan.roles.cluster:
        from lossctl.evaluation.scores import Scores

        scores = Scores(plan, total)
        results, overall = _by_cluster(scores, results), _by_cluster(scores.pooled(), overall)
    return Report(
        results=tuple(results),
        inputs={
            "files": list(traversal.source.files),
            "rows": traversal.read,
            "rows_used": used,
            "nulls": {column: problem.count for column, _, problem in total.problems.of("null")},
            "zero_weights": int(total.unweighted.sum()),
            "rounded": {
                column: {"to": ends, "rows": problem.count} for column, ends, problem in total.problems.of("rounded")
            },
            "rows_ignored": int(total.ignored.sum()),
            "masked": _masked(plan, total),
            "ignored": {label: total.problems.count("ignored", label) for label in plan.layout.ignored},
            "label": list(plan.roles.label),
            "models": {model.name: list(model.columns) for model in plan.models},
            "weight": plan.roles.weight,
            **({"class_weight": dict(plan.class_weights)} if plan.class_weights else {}),
            "by": list(plan.roles.group_names),
            **_units(plan),
            **({"cluster": list(plan.roles.cluster)} if plan.roles.cluster else {}),
            **({"lags": plan.lags} if plan.lags else {}),
            "classes": None if plan.layout.classes is None else list(plan.layout.classes),
            **_selection(traversal),
        },
        settings={
            "nulls": plan.nulls,
            "ignore_label": list(plan.layout.ignored),
            "mask_null": plan.layout.mask_null,
            "normalize_rows": plan.normalize_rows,
            "clip_rounding": plan.clip_rounding,
            **dict(plan.conventions),
            "losses": [
                {
                    "loss": str(bound),
                    "parameters": in_json(bound.parameters),
                    "reduction": bound.reduction,
                    **({} if bound.over_columns is None else {"columns": bound.over_columns}),
                    "wrt": bound.wrt,
                }
                for bound in dict.fromkeys(bound for _, bound in bounds)
            ],
        },
        notes=(*plan.roles.notes, *traversal.cut_short(), *_about_errors(plan), *(skills.notes() if skills else ())),
        warnings=(
            *plan.doubts,
            *taken_for_null(plan, total.problems),
            *_warnings(total, traversal, results, overall),
            *(skills.warnings(results) if skills else ()),
        ),
        overall=tuple(overall),
    )


def _selection(traversal: Traversal) -> dict[str, Any]:
    """What was chosen of the rows, and how many these are; nothing where all were taken."""
    where, limit = where_of(traversal.source), limit_of(traversal.source)
    if where is None and limit is None:
        return {}
    return {"where": where, "limit": limit, "rows_chosen": traversal.rows}


def _units(plan: Plan) -> dict[str, Any]:
    """In what units groups are, by their column; nothing where every value is one."""
    pairs = zip(plan.roles.group_names, plan.roles.by, strict=True)
    units = {name: grouping.unit for name, grouping in pairs if grouping.unit}
    return {"units": units} if units else {}


def _overall(plan: Plan, total: Measured, traversal: Traversal, results: list[Result]) -> list[Result]:
    """The results of all groups together, one a loss and model, from the sums of the groups."""
    pooled = total.pooled()
    skills = _skills(plan, pooled)
    place = {pair: index for index, pair in enumerate(dict.fromkeys((r.loss, r.model) for r in results))}
    losses = sorted(zip(plan.losses, pooled.parts, strict=True), key=lambda p: place[str(p[0][1]), p[0][0].name])
    return [
        replace(result, samples=())
        for (model, bound), part in losses
        for result in _results(plan, pooled, traversal, model.name, bound, part, [0], skills)
    ]


def _by_cluster(scores: "Scores", results: Sequence[Result]) -> list[Result]:
    """The results with the standard errors of rows that move together by cluster."""
    estimates = {
        (str(bound), model.name, *scores.named(group).items()): scores.value(place, group)
        for place, (model, bound) in enumerate(scores.losses)
        for group in scores.groups
        if results
    }
    chosen = [(result, estimates[result.loss, result.model, *result.group.items()]) for result in results]
    return [
        replace(result, n_clusters=estimate.clusters, standard_error=estimate.standard_error)
        for result, estimate in chosen
    ]


def _masked(plan: Plan, total: Measured) -> dict[str, int]:
    """How many labels of each column were left out of rows that count; empty where rows have all of theirs."""
    counts = dict.fromkeys(plan.roles.label, 0) if plan.layout.masked else {}
    return counts | {column: problem.count for column, _, problem in total.problems.of("masked")}


def _results(
    plan: Plan,
    total: Measured,
    traversal: Traversal,
    model: str,
    bound: BoundLoss,
    part: Part,
    order: list[int],
    skills: "Skills | None",
) -> Iterator[Result]:
    """The results of one loss of one model, one for each group in the given order."""
    totals, reduction = part.moments.result(), bound.reduced
    figures = None if part.gradients is None else part.gradients.result(totals, reduction)
    infinite, spec = part.moments.sum_value.infinite[:, :2].sum(axis=1), str(bound)
    for group in order:
        sums, gradient = totals[group], None
        if bound.reduction in {"root-mean", "power-mean"} and sums.mean < 0:
            raise _rootless(bound, sums.mean, model, _named(plan, total.keys[group]))
        value = sums.value(reduction) if sums.n else math.nan
        if figures is not None and (figure := figures[group]) is not None:
            gradient = Gradient(
                bound.wrt,
                figure.l2,
                figure.l1,
                figure.linf,
                figure.row_mean,
                figure.row_rms,
                figure.row_max,
                figure.top1_share,
            )
        yield Result(
            loss=spec,
            parameters=bound.parameters,
            reduction=bound.reduction,
            model=model,
            group=_named(plan, total.keys[group]),
            n=sums.n,
            n_null=int(total.null[group]),
            n_zero_weight=int(total.unweighted[group]),
            n_ignored=int(total.ignored[group]),
            n_cells=int(total.cells[group]) if plan.layout.masked else sums.n * max(plan.layout.label_width, 1),
            n_clipped=int(part.clipped[group]),
            n_rounded=int(part.rounded[group]),
            n_infinite=int(infinite[group]),
            sum_weight=to_float(sums.sum_weight),
            effective_n=sums.effective_n,
            value=value,
            standard_error=sums.standard_error(reduction),
            gradient=gradient,
            best_constant=None if skills is None else skills.beside(value, model, bound, group),
            samples=() if part.worst is None else tuple(_samples(part.worst, group, traversal, bound)),
        )


def _rootless(bound: BoundLoss, mean: float, model: str, group: dict[str, str | None]) -> DataError:
    where = " ".join(f"{name}={word}" for name, word in group.items())
    title = f"{bound.title} of {model}{' at ' + where if where else ''}"
    return DataError(
        f"{title}: the mean is {mean:.6g}, and a negative mean has no root",
        f"This loss can be below 0: ask for its {option(reduction='mean')}.",
    )


def _skills(plan: Plan, total: Measured) -> "Skills | None":
    """The best constants of all losses, where they were asked for."""
    if total.labels is None:
        return None
    from lossctl.evaluation.skills import Skills

    return Skills(plan, total)


def _about_errors(plan: Plan) -> Iterator[str]:
    """Notes on losses that never have a standard error."""
    for bound in dict.fromkeys(bound for _, bound in plan.losses):
        if bound.reduced.takes == "spans":
            yield f"{bound}: no standard error: two rows alone decide how far the labels range, however many there are"


def _named(plan: Plan, key: Group) -> dict[str, str | None]:
    """The key of a group, by column."""
    return dict(zip(plan.roles.group_names, key, strict=True)) if key else {}


def _samples(worst: Worst, group: int, traversal: Traversal, bound: BoundLoss) -> Iterator[Sample]:
    """The worst rows of a group, with the place of each in its file, and the label where the loss has one."""
    several = len(traversal.source.files) > 1
    for place in worst.of(group):
        file, row = traversal.locate(int(worst.row[place]))
        label, prediction, gradient = (array[place] for array in (worst.label, worst.prediction, worst.gradient))
        if np.isnan(prediction).any():  # behind the numbers of a list that is shorter than others
            label, gradient, prediction = (part[~np.isnan(prediction)] for part in (label, gradient, prediction))
        numbers = in_python(prediction), in_python(gradient)
        shown = None if bound.unlabelled else in_python(label)
        yield Sample(file if several else None, row, float(worst.value[place]), shown, *numbers)


def _warnings(total: Measured, traversal: Traversal, results: list[Result], overall: list[Result]) -> Iterator[str]:
    yield from told(total.problems, traversal, "warning", "no double")
    pairs = [(result, reason) for result in results for reason in _reasons(result)]
    known = {reason for _, reason in pairs}
    pairs += [(result, reason) for result in overall for reason in _reasons(result) if reason not in known]
    infinite = counted(sum(result.n_infinite for result in results), "row")
    yield from gathered((_title(result), reason.format(rows=infinite)) for result, reason in pairs)


def _title(result: Result) -> str:
    where = " ".join(f"{name}={word}" for name, word in result.group.items())
    return f"{result.loss} of {result.model}{' at ' + where if where else ''}"


def _reasons(result: Result) -> Iterator[str]:
    """What may be wrong with a result."""
    if result.n_infinite:
        yield "the loss of {rows} is infinite"
    elif math.isinf(result.value) and result.reduction in {"ratio", "exp-ratio"}:
        yield "the value is infinite: what it is divided by is 0, such as the sum of labels that are all 0"
    elif math.isinf(result.value):
        yield "the value is beyond the largest number a double can hold"
    elif math.isinf(result.sum_weight):
        yield "the sum of the weights is beyond the largest number a double can hold; the value is right"
    if not result.n_infinite and result.gradient is not None and result.gradient.is_infinite:
        yield "a gradient is infinite, or beyond the largest number a double can hold"
    if result.n and math.isnan(result.value):
        yield "the value is not a number"
    if not result.n:
        yield "no row left to measure"
