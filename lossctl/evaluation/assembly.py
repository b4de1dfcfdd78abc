"""From the sums of a run to its report."""

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from lossctl.arrays import in_python
from lossctl.domain import IntArray
from lossctl.errors import DataError, option
from lossctl.evaluation.complaints import ensure_measured, taken_for_null, told
from lossctl.evaluation.group_keys import Group, texts
from lossctl.evaluation.measure import groups_in_order
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.report import Report
from lossctl.evaluation.result import Gradient, Result, Sample
from lossctl.evaluation.results import NONE, Block, Results
from lossctl.evaluation.traversal import Traversal
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.parameter import in_json
from lossctl.reading.selection import limit_of, where_of
from lossctl.records import Column, Columns, Made, Same
from lossctl.sums.many import figures, gradient_figures
from lossctl.sums.moments import Moments
from lossctl.sums.worst import Worst
from lossctl.words import counted, gathered

if TYPE_CHECKING:
    from lossctl.evaluation.scores import Scores
    from lossctl.evaluation.skills import Skills
    from lossctl.sums.gradients import Gradients


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
    skills, order = _skills(plan, total), groups_in_order(plan, total)
    results = _results(plan, total, traversal, order, skills)
    overall = _overall(plan, total, traversal) if plan.roles.by else NONE
    if plan.roles.cluster:
        from lossctl.evaluation.scores import Scores

        scores = Scores(plan, total)
        results, overall = _by_cluster(scores, results), _by_cluster(scores.pooled(), overall)
    return Report(
        table=results,
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
            **_clusters(plan, total),
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
                for bound in dict.fromkeys(bound for _, bound in plan.losses)
            ],
        },
        notes=(*plan.roles.notes, *traversal.cut_short(), *_about_errors(plan), *(skills.notes() if skills else ())),
        warnings=(
            *plan.doubts,
            *taken_for_null(plan, total.problems),
            *_warnings(total, traversal, results, overall),
            *(skills.warnings(results) if skills else ()),
        ),
        whole=overall,
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


def _clusters(plan: Plan, total: Measured) -> dict[str, Any]:
    """What clusters are of, and in how many buckets they are where there are too many; nothing where rows are alone."""
    if not plan.roles.cluster:
        return {}
    from lossctl.sums.clusters import BUCKET_BITS

    clusters = None if total.evidence is None else total.evidence.clusters
    hashed = clusters is not None and bool(clusters.bucketed.any())
    buckets = {"cluster_buckets": 1 << BUCKET_BITS} if hashed else {}
    return {"cluster": [str(grouping) for grouping in plan.roles.cluster], **buckets}


def _overall(plan: Plan, total: Measured, traversal: Traversal) -> Results:
    """The results of all groups together, one a loss and model, from the sums of the groups."""
    pooled = total.pooled()
    whole = _results(plan, pooled, traversal, np.zeros(1, dtype=np.int64), _skills(plan, pooled))
    return whole.having([block.having(samples=Same(())) for block in whole.blocks])


def _by_cluster(scores: "Scores", results: Results) -> Results:
    """The results with the standard errors of rows that move together by cluster."""
    blocks = []
    for place, block in zip(in_order(scores.plan), results.blocks, strict=False):
        estimates = [scores.value(place, group) for group in scores.groups]
        errors = np.array([estimate.standard_error for estimate in estimates])
        clusters = np.array([estimate.clusters for estimate in estimates], dtype=np.int64)
        blocks.append(block.having(standard_error=errors, n_clusters=clusters))
    return results.having(blocks)


def _masked(plan: Plan, total: Measured) -> dict[str, int]:
    """How many labels of each column were left out of rows that count; empty where rows have all of theirs."""
    counts = dict.fromkeys(plan.roles.label, 0) if plan.layout.masked else {}
    return counts | {column: problem.count for column, _, problem in total.problems.of("masked")}


def in_order(plan: Plan) -> list[int]:
    """The places of the losses of models, in the order in which they are reported: loss by loss."""
    specs = list(dict.fromkeys(str(bound) for _, bound in plan.losses))
    return sorted(range(len(plan.losses)), key=lambda place: specs.index(str(plan.losses[place][1])))


def _results(plan: Plan, total: Measured, traversal: Traversal, order: IntArray, skills: "Skills | None") -> Results:
    """The results of all losses, for the groups in the given order."""
    names = dict(zip(plan.roles.group_names, map(texts, total.keys.taken(order).columns), strict=False))
    blocks = (_block(plan, total, traversal, place, order, skills) for place in in_order(plan))
    return Results(Columns(len(order), names), tuple(blocks))


def _block(
    plan: Plan, total: Measured, traversal: Traversal, place: int, order: IntArray, skills: "Skills | None"
) -> Block:
    """The results of one loss of one model."""
    (model, bound), part, places = plan.losses[place], total.parts[place], order.tolist()
    moments, reduction = part.moments, bound.reduced
    if bound.reduction in {"root-mean", "power-mean"}:
        _ensure_roots(plan, total, moments, order, model.name, bound)
    measured = figures(moments, reduction)
    value = measured.value[order]
    n = moments.n[order]
    best: Column = Same(None)
    if skills is not None:
        best = [
            skills.beside(number, model.name, bound, group)
            for number, group in zip(value.tolist(), places, strict=True)
        ]
    return Block(
        {
            "loss": Same(str(bound)),
            "parameters": Same(bound.parameters),
            "reduction": Same(bound.reduction),
            "model": Same(model.name),
            "n": n,
            "n_clusters": Same(None),
            "n_null": total.null[order],
            "n_zero_weight": total.unweighted[order],
            "n_ignored": total.ignored[order],
            "n_cells": total.cells[order] if plan.layout.masked else n * max(plan.layout.label_width, 1),
            "n_clipped": part.clipped[order],
            "n_rounded": part.rounded[order],
            "n_infinite": moments.sum_value.infinite[order, :2].sum(axis=1),
            "sum_weight": measured.sum_weight[order],
            "effective_n": measured.effective_n[order],
            "value": value,
            "standard_error": measured.standard_error[order],
            "ci": Same(None),
            "ci_low": Same(None),
            "ci_high": Same(None),
            "gradient": Same(None) if part.gradients is None else _gradient(bound, part.gradients, moments, order),
            "best_constant": best,
            "samples": Same(())
            if part.worst is None
            else [tuple(samples_of(part.worst, group, traversal, bound)) for group in places],
        }
    )


def _gradient(bound: BoundLoss, gradients: "Gradients", moments: Moments, order: IntArray) -> Made:
    """The figures of the gradients of groups that have rows, in some order."""
    wrt, *names = (field.name for field in fields(Gradient))
    figures = dict(zip(names, gradient_figures(gradients, moments, bound.reduced)[:, order], strict=True))
    return Made(Gradient, Columns(len(order), {wrt: Same(bound.wrt), **figures}), moments.n[order] > 0)


def _ensure_roots(plan: Plan, total: Measured, moments: Moments, order: IntArray, model: str, bound: BoundLoss) -> None:
    """Check that no mean of which a root is taken is negative.

    Raises:
        DataError: one is.
    """
    # A sum beyond the doubles may be NaN nearly.
    if not (~(moments.sum_value.nearly() >= 0.0) | (moments.sum_value.infinite[:, 1] > 0)).any():
        return
    means = [sums.mean for sums in moments.result()]
    for group in (group for group in order.tolist() if means[group] < 0):
        where = " ".join(f"{name}={word}" for name, word in _named(plan, total.keys[group]).items())
        title = f"{bound.title} of {model}{' at ' + where if where else ''}"
        raise DataError(
            f"{title}: the mean is {means[group]:.6g}, and a negative mean has no root",
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


def samples_of(worst: Worst, group: int, traversal: Traversal, bound: BoundLoss) -> Iterator[Sample]:
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


def _warnings(total: Measured, traversal: Traversal, results: Results, overall: Results) -> Iterator[str]:
    yield from told(total.problems, traversal, "warning", "no double")
    pairs = [(result, reason) for result in _doubtful(results) for reason in _reasons(result)]
    known = {reason for _, reason in pairs}
    pairs += [(result, reason) for result in _doubtful(overall) for reason in _reasons(result) if reason not in known]
    infinite = counted(int(sum(block.numbers("n_infinite").sum() for block in results.blocks)), "row")
    yield from gathered((_title(result), reason.format(rows=infinite)) for result, reason in pairs)


def _doubtful(results: Results) -> Iterator[Result]:
    """The results that something may be wrong with."""
    for block in results.blocks:
        finite = np.isfinite(block.numbers("value")) & ~np.isinf(block.numbers("sum_weight"))
        odd = ~finite | (block.numbers("n_infinite") > 0) | (block.numbers("n") == 0)
        gradients = block.columns["gradient"]
        if isinstance(gradients, Made):
            figures = [column for column in gradients.fields.by_key.values() if isinstance(column, np.ndarray)]
            odd |= np.isinf(figures).any(axis=0)
        if odd.any():
            yield from results.having([block]).arranged(np.flatnonzero(odd).tolist())


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
