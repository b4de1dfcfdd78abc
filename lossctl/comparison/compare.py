"""The path from a data set of several models to how they differ: one pass over the rows, each scored by all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lossctl.arguments import checked
from lossctl.comparison.comparison import Comparison
from lossctl.comparison.difference import Difference, with_false_discovery
from lossctl.errors import UsageError, option
from lossctl.evaluation.assembly import assemble
from lossctl.evaluation.evaluate import (
    Classes,
    Label,
    Names,
    Prepared,
    labels_of,
    measured,
    prepare,
    several,
    specs_of,
)
from lossctl.evaluation.intervals import check_level
from lossctl.evaluation.running import Progress, Running
from lossctl.evaluation.scores import Scores
from lossctl.functions.activation import BoundActivation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.inference.request import Nulls, Request
from lossctl.reading.format import Reading
from lossctl.sums.influence import correlation
from lossctl.words import counted, split

USUAL_LEVEL = 0.95


@checked("loss", "activation")
def compare(
    source: Any,
    loss: str | BoundLoss | Sequence[str | BoundLoss] | None = None,
    *,
    label: Names | None = None,
    prediction: Names | None = None,
    weight: str | None = None,
    by: Names | None = None,
    cluster: Names | None = None,
    anytime: int | bool = False,
    ci: float = USUAL_LEVEL,
    plot: bool = False,
    activation: str | BoundActivation | None = None,
    from_logits: bool = False,
    reduction: str | None = None,
    nulls: Nulls = "error",
    ignore_label: Label | Sequence[Label] = (),
    mask_null: bool = False,
    where: str | None = None,
    limit: int | None = None,
    engine: str | Running = "threads",
    threads: int | None = None,
    scheduler: str | None = None,
    classes: Classes = (),
    eps: float | None = None,
    normalize_rows: bool = False,
    clip_rounding: bool = False,
    reading: Reading | None = None,
    labels: Any = None,
    ids: Names | None = None,
    join: str = "strict",
    progress: Progress | None = None,
) -> Comparison:
    """Compare the losses of models with those of the first, on the same rows, in one pass and constant memory.

    The question is about the differences of rows, so their standard error is that of pairs; see docs/statistics.md.

    Args:
        source: as for `lossctl.evaluate`, with the predictions of all models.
        loss: likewise; ``None`` picks what suits the columns.
        prediction: one entry a model, of which the first is the baseline; ``name=COL`` names it.
        cluster: columns that say which rows move together, such as those of one user: they count as one. Up to 65,536
            clusters are kept one by one, more in 4,096 buckets.
        anytime: whether intervals are to hold at every n at once, so that one may look again and again; a number is
            the n at which they are tightest, else that is the n there is.
        ci: the level of the confidence intervals.
        plot: whether the comparison is to have pictures too, in its `charts`: differences with their intervals by
            group, and those of the rows.
        label, weight, by, activation, from_logits, reduction, nulls, ignore_label, mask_null, where, limit, engine,
            threads, scheduler, classes, eps, normalize_rows, clip_rounding, reading, labels, ids, join, progress: as
            for `lossctl.evaluate`.

    Returns:
        A comparison with one result for each loss, model but the first, and group.

    Raises:
        UsageError: as for `lossctl.evaluate`, or there is a single model.
        DataError: as for `lossctl.evaluate`.
    """
    check_level(ci)
    if not isinstance(anytime, bool) and anytime < 1:
        raise UsageError(f"{option(anytime=anytime)}: the n at which intervals are tightest is 1 or more")
    request = Request(
        loss=specs_of(loss),
        label=several(label),
        prediction=several(prediction),
        weight=weight,
        by=several(by),
        classes=tuple(split(classes) if isinstance(classes, str) else map(str, classes)),
        activation=activation,
        from_logits=from_logits,
        reduction=reduction,
        eps=eps,
        normalize_rows=normalize_rows,
        clip_rounding=clip_rounding,
        nulls=nulls,
        ignore_label=labels_of(ignore_label),
        mask_null=mask_null,
        where=where,
        limit=limit,
        cluster=several(cluster),
        paired=True,
        drawn=plot,
    )
    running = Running.of(engine, threads, scheduler, progress)
    prepared = prepare(source, request, reading, labels=labels, ids=several(ids), join=join)
    return compared(prepared, running, ci, anytime)


def compared(prepared: Prepared, running: Running, level: float, anytime: int | bool) -> Comparison:  # noqa: FBT001
    """Carry out the plan of a comparison; arguments and errors as for `compare`."""
    plan = prepared.plan
    if len(plan.models) < 2:
        hint = f"Name the columns of both: {option(prediction=['base=COL', 'new=COL'])}."
        raise UsageError(f"there is one model, {plan.models[0].name!r}, and nothing to compare it with", hint)
    plan, folded = measured(prepared.source, plan, running)
    report = assemble(plan, folded.total, folded.passed)
    joined = {} if prepared.joined is None else {"join": prepared.joined}
    report = replace(report, inputs={**report.inputs, **joined})
    scores = Scores(plan, folded.total)
    results = with_false_discovery([*_differences(scores, level, anytime)])
    overall: tuple[Difference, ...] = ()
    if plan.roles.by:
        overall = with_false_discovery([*_differences(scores.pooled(), level, anytime)])
    warnings = (*report.warnings, *_doubts(results, overall))
    rows = tuple(scores.evidence.drawn[number] for number, _ in scores.pairs) if plan.drawn else ()
    return Comparison(results, report, level, overall, report.notes, warnings, rows)


def _differences(scores: Scores, level: float, anytime: int | bool) -> Iterator[Difference]:  # noqa: FBT001
    """The differences of each loss and model, one for each group, in the order of the report."""
    for number, (first, second) in scores.pairs:
        (against, _), (model, bound) = scores.losses[first], scores.losses[second]
        pair = scores.evidence.pairs[number]
        for group in scores.groups:
            estimate = scores.difference(number, group)
            if anytime:
                estimate = replace(estimate, anytime=float(estimate.units if anytime is True else anytime))
            baseline, candidate = scores.totals[first][group], scores.totals[second][group]
            yield Difference.of(
                estimate,
                level,
                baseline=baseline.value(bound.reduction),
                value=candidate.value(bound.reduction),
                better=int(pair.better[group]),
                worse=int(pair.worse[group]),
                loss=str(bound),
                parameters=bound.parameters,
                reduction=bound.reduction,
                model=model.name,
                against=against.name,
                group=scores.named(group),
                correlation=correlation(baseline, candidate, scores.of_pairs[number][group]),
            )


def _doubts(results: Sequence[Difference], overall: Sequence[Difference]) -> Iterator[str]:
    """What is to be warned of: differences that are not to be trusted, and few clusters."""
    doubtful: Mapping[str, list[Difference]] = {}
    listed = [*overall, *results]
    for one in listed:
        if one.doubt:
            doubtful.setdefault(_kind_of(one.doubt), []).append(one)  # type: ignore[attr-defined]
    for alike in doubtful.values():
        first = alike[0]
        others = f" and {counted(len(alike) - 1, 'other')}" if len(alike) > 1 else ""
        yield f"{first.loss} of {first.model}{_where(first)}{others}: not trusted: {first.doubt}"
    few = [one for one in listed if one.estimate.is_of_few_clusters and not one.doubt]
    if few:
        fewest = min(few, key=lambda one: one.estimate.units)
        yield (
            f"{counted(fewest.clusters or 0, 'cluster')}{_where(fewest)} that count as {fewest.estimate.units:.3g}: "
            "intervals of so few are too short"
        )


def _kind_of(doubt: str) -> str:
    return doubt.rpartition("carries")[0] or doubt


def _where(one: Difference) -> str:
    return "".join(f" at {name}={'null' if word is None else word}" for name, word in one.group.items())
