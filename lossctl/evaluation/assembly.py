"""From the sums of a run to its report, or to the error that says why there is none."""

import math
import sys
from collections.abc import Iterator

import numpy as np

from lossctl.evaluation.batch import Group
from lossctl.evaluation.best_constant import Best, best_constants
from lossctl.evaluation.complaints import ensure_measured
from lossctl.evaluation.measure import Measured, Part
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.report import Report
from lossctl.evaluation.result import Baseline, Gradient, Result, Sample
from lossctl.evaluation.traversal import Traversal
from lossctl.functions.bound_loss import BoundLoss
from lossctl.sums.exact import to_float
from lossctl.sums.worst import Worst
from lossctl.words import counted, natural

Constants = dict[tuple[str, BoundLoss], list[Best]]
"""By model and loss, the best constant of each group."""
SMALLEST = sys.float_info.min
"""What the loss of the best constant must reach for a ratio to it to mean something."""


def assemble(plan: Plan, total: Measured, traversal: Traversal) -> Report:
    """The report of a whole run.

    Raises:
        DataError: there were no rows, or none that counted.
    """
    used = ensure_measured(total, traversal)
    bounds = [(model.name, bound) for model, bound in plan.losses]
    best = _best_constants(plan, total)
    order = sorted(range(len(total.keys)), key=lambda group: [_sort_key(word) for word in total.keys[group]])
    specs = list(dict.fromkeys(str(bound) for _, bound in bounds))
    by_loss = sorted(zip(bounds, total.parts, strict=True), key=lambda measured: specs.index(str(measured[0][1])))
    results = [
        result
        for (model, bound), part in by_loss
        for result in _results(plan, total, traversal, model, bound, part, order, best.get((model, bound)))
    ]
    return Report(
        results=tuple(results),
        inputs={
            "files": list(traversal.source.files),
            "rows": total.rows,
            "rows_used": used,
            "nulls": {column: problem.count for column, _, problem in total.problems.of("null")},
            "zero_weights": int(total.unweighted.sum()),
            "label": list(plan.roles.label),
            "models": {model.name: list(model.columns) for model in plan.models},
            "weight": plan.roles.weight,
            "by": list(plan.roles.by),
            "classes": None if plan.layout.classes is None else list(plan.layout.classes),
        },
        settings={
            "nulls": plan.nulls,
            "normalize_rows": plan.normalize_rows,
            "losses": [
                {"loss": str(bound), "parameters": bound.parameters, "reduction": bound.reduction, "wrt": bound.wrt}
                for bound in dict.fromkeys(bound for _, bound in bounds)
            ],
        },
        notes=(*plan.roles.notes, *_about_constants(best)),
        warnings=(*plan.doubts, *_warnings(total, traversal, results), *_about_skill(results, best)),
    )


def _sort_key(word: str | None) -> tuple[bool, object]:
    return word is None, natural(word or "")


def _results(
    plan: Plan,
    total: Measured,
    traversal: Traversal,
    model: str,
    bound: BoundLoss,
    part: Part,
    order: list[int],
    best: list[Best] | None,
) -> Iterator[Result]:
    """The results of one loss of one model, one for each group in the given order."""
    totals = part.moments.result()
    figures = None if part.gradients is None else part.gradients.result(totals, bound.reduction)
    infinite = part.moments.sum_value.infinite[:, :2].sum(axis=1)
    for group in order:
        sums, gradient = totals[group], None
        value = sums.value(bound.reduction) if sums.n else math.nan
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
            loss=str(bound),
            parameters=bound.parameters,
            reduction=bound.reduction,
            model=model,
            group=_named(plan, total.keys[group]),
            n=sums.n,
            n_null=int(total.null[group]),
            n_zero_weight=int(total.unweighted[group]),
            n_clipped=int(part.clipped[group]),
            n_infinite=int(infinite[group]),
            sum_weight=to_float(sums.sum_weight),
            effective_n=sums.effective_n,
            value=value,
            standard_error=sums.standard_error(bound.reduction),
            gradient=gradient,
            baseline=None if best is None else _compared(value, best[group]),
            samples=() if part.worst is None else tuple(_samples(part.worst, group, traversal)),
        )


def _best_constants(plan: Plan, total: Measured) -> Constants:
    """The best constants of each loss of each model, by group, where somebody asked for them."""
    if total.labels is None:
        return {}
    points, totals = total.labels.points(), total.parts[0].moments.result()
    known: dict[tuple[BoundLoss, int], list[Best]] = {}
    constants: Constants = {}
    for model, bound in plan.losses:
        key = bound.through(None), model.width
        if key not in known:
            known[key] = best_constants(*key, points, totals, plan.layout.label_width)
        constants[model.name, bound] = known[key]
    return constants


def _compared(value: float, best: Best) -> Baseline:
    """The best constant beside the value of a model; the skill is NaN where the loss of the constant is about 0."""
    skill = 1.0 - value / best.loss if best.loss >= SMALLEST else math.nan
    return Baseline(best.constant, best.loss, skill, best.relative_error)


def _about_constants(best: Constants) -> Iterator[str]:
    """Notes on the best constants: on which scale they are, and that they are approximate."""
    for bound in dict.fromkeys(bound for _, bound in best if bound.activation is not None):
        yield f"{bound.name}: its best constant is on the scale of the loss, after the {bound.activation}"
    error = max((constant.relative_error for constants in best.values() for constant in constants), default=0.0)
    if error:
        yield (
            "more different labels than are kept: they were rounded by up to "
            f"{error:.1g} of themselves to find the best constants, which are approximate"
        )


def _about_skill(results: list[Result], best: Constants) -> Iterator[str]:
    """Why a skill is missing, once for all groups."""
    for (model, bound), constants in best.items():
        reasons = [f"no best constant: {constant.unknown}" for constant in constants if constant.unknown]
        for result in results:
            if result.model == model and result.loss == str(bound) and result.baseline is not None:
                reference = result.baseline.constant_loss
                if 0 <= reference < SMALLEST:
                    reasons.append("no skill: a constant is as good as it gets, its loss is 0")
                elif reference < 0:
                    hint = ", use poisson:full=lgamma" if bound.name == "poisson" else ""
                    reasons.append(f"no skill: the loss of the best constant is negative{hint}")
        for reason in dict.fromkeys(reasons):
            where = f" ({counted(reasons.count(reason), 'group')})" if len(constants) > 1 else ""
            yield f"{bound} of {model}: {reason}{where}"


def _named(plan: Plan, key: Group) -> dict[str, str | None]:
    """The key of a group, by column."""
    return dict(zip(plan.roles.by, key, strict=True))


def _samples(worst: Worst, group: int, traversal: Traversal) -> Iterator[Sample]:
    """The worst rows of a group, with the place of each in its file."""
    several = len(traversal.source.files) > 1
    for place in worst.of(group):
        file, row = traversal.locate(int(worst.row[place]))
        numbers = (_plain(array[place]) for array in (worst.label, worst.prediction, worst.gradient))
        yield Sample(file if several else None, row, float(worst.value[place]), *numbers)


def _plain(value: object) -> float | tuple[float, ...]:
    array = np.asarray(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else tuple(array.tolist())


def _warnings(total: Measured, traversal: Traversal, results: list[Result]) -> Iterator[str]:
    for column, what, problem in total.problems.of("warning"):
        yield f"{column}: {what}: {counted(problem.count, 'row')}, first {traversal.place(problem.row)}"
    for result in results:
        where = " ".join(f"{name}={word}" for name, word in result.group.items())
        title = f"{result.loss} of {result.model}{' at ' + where if where else ''}"
        if result.n_infinite:
            yield f"{title}: {counted(result.n_infinite, 'row')} overflow to infinity"
        if result.n and math.isnan(result.value):
            yield f"{title}: the value is not a number"
        if not result.n:
            yield f"{title}: no row left to measure"
