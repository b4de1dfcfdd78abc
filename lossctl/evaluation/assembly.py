"""From the sums of a run to its report, or to the error that says why there is none."""

import math
import sys
from collections.abc import Callable, Iterator
from typing import Protocol, Self, TypeVar

import numpy as np

from lossctl.errors import DataError
from lossctl.evaluation.batch import Group, Plan
from lossctl.evaluation.best_constant import Best, best_constants
from lossctl.evaluation.measure import Measured, Part, Summation
from lossctl.evaluation.report import Baseline, Gradient, Report, Result, Sample
from lossctl.evaluation.traversal import Traversal
from lossctl.functions.loss import BoundLoss
from lossctl.reading.format import Shard
from lossctl.registry import natural
from lossctl.sums.exact import to_float
from lossctl.sums.state import Finding, Findings
from lossctl.sums.worst import Worst

Constants = dict[tuple[str, BoundLoss], list[Best]]
"""By model and loss, the best constant of each group."""
SMALLEST = sys.float_info.min
"""What the loss of the best constant must reach for a ratio to it to mean something."""


class Found(Protocol):
    """What a shard comes to: it adds up, and knows what is wrong with its rows."""

    @property
    def rows(self) -> int:
        """The number of rows read."""

    @property
    def findings(self) -> Findings:
        """What was met in them."""

    def __add__(self, other: Self, /) -> Self:
        """Both together; rows of ``other`` come after those of ``self``."""


State = TypeVar("State", bound=Found)


def total_of(
    passed: Traversal,
    plan: Plan,
    lift: Callable[[Shard], State],
    zero: State,
    progress: Callable[[int], None] | None = None,
) -> State:
    """What all shards come to, told of the bytes of each as it is done.

    Raises:
        DataError: as for `complain`, at the first shard that met something wrong.
    """
    total, findings = Summation(zero), Findings()
    for shard, found in passed.map(lift):
        total.add(found)
        findings = findings + found.findings.shift(passed.rows - found.rows)
        complain(plan, findings, passed)
        if progress is not None:
            progress(shard.nbytes)
    return total.result()


def complain(plan: Plan, findings: Findings, passed: Traversal) -> None:
    """Stop at the first shard that met something wrong.

    Raises:
        DataError: nulls under ``error``, or values outside a domain: what, where, how many so far, what to do.
    """
    if not findings.found:
        return
    problems = [*_nulls(plan, findings), *_illegal(plan, findings), *_exclusive(findings)]
    if problems:
        what, finding, hint = min(problems, key=lambda problem: problem[1].row)
        also = len(problems) - 1
        more = f"; {also} other problem{'s' if also > 1 else ''} found" if also else ""
        raise DataError(
            f"{passed.place(finding.row)}: {what} ({finding.count:,} in the first {passed.rows:,} rows{more})", hint
        )


def _nulls(plan: Plan, findings: Findings) -> Iterator[tuple[str, Finding, str]]:
    if plan.nulls == "error":
        for column, _, finding in findings.of("null"):
            yield f"column {column!r} is null or NaN", finding, "Leave such rows out with --nulls drop (nulls='drop')."


def _illegal(plan: Plan, findings: Findings) -> Iterator[tuple[str, Finding, str]]:
    for column, what, finding in findings.of("error"):
        name, colon, domain = what.partition(": ")
        must = f"{name} needs {domain}" if colon else f"must be {what}"
        what_is = f"column{'s' if ', ' in column else ''} {column!r} {'are' if ', ' in column else 'is'}"
        yield f"{what_is} {finding.value}; {must}", finding, _remedy(plan, column, name)


def _remedy(plan: Plan, column: str, name: str) -> str:
    if name.startswith("one of the classes"):
        return "Name other classes with --classes A,B,C."
    bound = next((bound for chosen in plan.losses for bound in chosen if bound.name == name), None)
    if bound is None:
        return ""
    is_label = column in plan.roles.label or column == ", ".join(plan.roles.label)
    if not is_label and bound.definition.natural_activation is not None and bound.activation is None:
        rows = " If they are probabilities that miss 1, --normalize-rows rescales them." if bound.rows else ""
        return f"Are these scores before the {bound.definition.natural_activation}? Then add --from-logits.{rows}"
    if not is_label and bound.chained:
        return " ".join(f"{doubt}." for doubt in plan.doubts if doubt.startswith(f"{bound.name} after"))
    if is_label and name == "mape":
        return "Leave out the zero labels, or divide by max(1, |label|): mape:zero=max1."
    if is_label and bound.rows and plan.classes:
        return f"The classes are {', '.join(plan.classes[:12])}; --classes says otherwise."
    return ""


def _exclusive(findings: Findings) -> Iterator[tuple[str, Finding, str]]:
    met: dict[str, list[Finding]] = {}
    for column, value, finding in findings.of("exclusive"):
        met.setdefault(column, []).append(finding)
        if len(met[column]) > 1:
            what = f"column {column!r} is {value}, after {met[column][0].value} earlier; 0 means -1 only beside 1"
            yield what, finding, "Use -1 and 1, or 0 and 1."


def ensure_measured(total: Measured, passed: Traversal) -> int:
    """How many rows counted.

    Raises:
        DataError: there were no rows, or none that counted.
    """
    files = passed.source.files
    title = files[0] if len(files) == 1 else f"{len(files)} files" if files else "the table"
    if not total.rows:
        raise DataError(f"{title}: no data rows")
    used = total.rows - int(total.null.sum()) - int(total.unweighted.sum())
    if not used:
        unweighted = int(total.unweighted.sum())
        why = f"{int(total.null.sum()):,} have a null, {unweighted:,} a weight of 0"
        raise DataError(f"{title}: none of the {total.rows:,} rows can be measured: {why}")
    return used


def assemble(plan: Plan, total: Measured, passed: Traversal) -> Report:
    """The report of a whole run.

    Raises:
        DataError: there were no rows, or none that counted.
    """
    used = ensure_measured(total, passed)
    bounds = [
        (model.name, bound) for model, chosen in zip(plan.roles.models, plan.losses, strict=True) for bound in chosen
    ]
    best = _best_constants(plan, total)
    order = sorted(range(len(total.keys)), key=lambda at: [_sort_key(word) for word in total.keys[at]])
    specs = list(dict.fromkeys(str(bound) for _, bound in bounds))
    by_loss = sorted(zip(bounds, total.parts, strict=True), key=lambda measured: specs.index(str(measured[0][1])))
    results = [
        result
        for (model, bound), part in by_loss
        for result in _results(plan, total, passed, model, bound, part, order, best.get((model, bound)))
    ]
    return Report(
        results=tuple(results),
        inputs={
            "files": list(passed.source.files),
            "rows": total.rows,
            "rows_used": used,
            "nulls": {column: finding.count for column, _, finding in total.findings.of("null")},
            "zero_weights": int(total.unweighted.sum()),
            "label": list(plan.roles.label),
            "models": {model.name: list(model.columns) for model in plan.roles.models},
            "weight": plan.roles.weight,
            "by": list(plan.roles.by),
            "classes": None if plan.classes is None else list(plan.classes),
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
        warnings=(*plan.doubts, *_warnings(total, passed, results), *_about_skill(results, best)),
    )


def _sort_key(word: str | None) -> tuple[bool, object]:
    return word is None, natural(word or "")


def _results(
    plan: Plan,
    total: Measured,
    passed: Traversal,
    model: str,
    bound: BoundLoss,
    part: Part,
    order: list[int],
    best: list[Best] | None,
) -> Iterator[Result]:
    totals = part.moments.result()
    figures = None if part.gradients is None else part.gradients.result(totals, bound.reduction)
    infinite = part.moments.sum_value.infinite[:, :2].sum(axis=1)
    for group in order:
        sums, gradient = totals[group], None
        value = sums.value(bound.reduction) if sums.n else math.nan
        if figures is not None and (found := figures[group]) is not None:
            gradient = Gradient(
                bound.wrt,
                found.l2,
                found.l1,
                found.linf,
                found.row_mean,
                found.row_rms,
                found.row_max,
                found.top1_share,
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
            baseline=None if best is None else _baseline(value, best[group]),
            samples=() if part.worst is None else tuple(_samples(part.worst, group, passed)),
        )


def _best_constants(plan: Plan, total: Measured) -> Constants:
    """The best constants of each loss of each model, by group, where somebody asked for them."""
    if total.labels is None:
        return {}
    points, totals = total.labels.points(), total.parts[0].moments.result()
    found: dict[tuple[BoundLoss, int], list[Best]] = {}
    constants: Constants = {}
    for model, width, chosen in zip(plan.roles.models, plan.widths, plan.losses, strict=True):
        for bound in chosen:
            key = bound.through(None), width
            if key not in found:
                found[key] = best_constants(*key, points, totals, plan.label_width)
            constants[model.name, bound] = found[key]
    return constants


def _baseline(value: float, best: Best) -> Baseline:
    skill = 1.0 - value / best.loss if best.loss >= SMALLEST else math.nan
    return Baseline(best.constant, best.loss, skill, best.relative_error)


def _about_constants(best: Constants) -> Iterator[str]:
    """What is to be known of the constants in a report."""
    for bound in dict.fromkeys(bound for _, bound in best if bound.activation is not None):
        yield f"{bound.name}: its best constant is on the scale of the loss, after the {bound.activation}"
    error = max((it.relative_error for found in best.values() for it in found), default=0.0)
    if error:
        yield (
            "more different labels than are kept: they were rounded by up to "
            f"{error:.1g} of themselves to find the best constants, which are approximate"
        )


def _about_skill(results: list[Result], best: Constants) -> Iterator[str]:
    """Why a skill is missing, once for all groups."""
    for (model, bound), found in best.items():
        reasons = [f"no best constant: {it.unknown}" for it in found if it.unknown]
        for result in results:
            if result.model == model and result.loss == str(bound) and result.baseline is not None:
                reference = result.baseline.constant_loss
                if 0 <= reference < SMALLEST:
                    reasons.append("no skill: a constant is as good as it gets, its loss is 0")
                elif reference < 0:
                    hint = ", use poisson:full=lgamma" if bound.name == "poisson" else ""
                    reasons.append(f"no skill: the loss of the best constant is negative{hint}")
        for reason in dict.fromkeys(reasons):
            where = f" ({counted(reasons.count(reason), 'group')})" if len(found) > 1 else ""
            yield f"{bound} of {model}: {reason}{where}"


def _named(plan: Plan, key: Group) -> dict[str, str | None]:
    return dict(zip(plan.roles.by, key, strict=True))


def _samples(worst: Worst, group: int, passed: Traversal) -> Iterator[Sample]:
    several = len(passed.source.files) > 1
    for at in worst.of(group):
        file, row = passed.locate(int(worst.row[at]))
        numbers = (_plain(array[at]) for array in (worst.label, worst.prediction, worst.gradient))
        yield Sample(file if several else None, row, float(worst.value[at]), *numbers)


def _plain(value: object) -> float | tuple[float, ...]:
    array = np.asarray(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else tuple(array.tolist())


def counted(n: int, word: str) -> str:
    """A number of things: ``1 row``, ``2 rows``."""
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _warnings(total: Measured, passed: Traversal, results: list[Result]) -> Iterator[str]:
    for column, what, finding in total.findings.of("warning"):
        yield f"{column}: {what}: {counted(finding.count, 'row')}, first {passed.place(finding.row)}"
    for result in results:
        where = " ".join(f"{name}={word}" for name, word in result.group.items())
        title = f"{result.loss} of {result.model}{' at ' + where if where else ''}"
        if result.n_infinite:
            yield f"{title}: {counted(result.n_infinite, 'row')} overflow to infinity"
        if result.n and math.isnan(result.value):
            yield f"{title}: the value is not a number"
        if not result.n:
            yield f"{title}: no row left to measure"
