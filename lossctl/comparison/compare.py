"""The path from a data set of several models to how they differ: one pass over the rows, each scored by all."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lossctl.arguments import checked
from lossctl.comparison.comparison import Comparison
from lossctl.comparison.difference import Difference, with_false_discovery
from lossctl.comparison.moves import Moves, moves_of
from lossctl.comparison.trust import remedy
from lossctl.comparison.wording import at
from lossctl.errors import LossctlError, Undecided, UsageError, option, options_in
from lossctl.evaluation.assembly import assemble
from lossctl.evaluation.evaluate import Classes, Label, Names, requested, several
from lossctl.evaluation.fold import Folded
from lossctl.evaluation.independence import with_doubts
from lossctl.evaluation.intervals import check_level
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.prepared import Prepared, measured, prepare
from lossctl.evaluation.running import Progress, Running
from lossctl.evaluation.scores import Scores
from lossctl.functions.activation import BoundActivation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.inference.request import ClassWeight, Nulls, Request
from lossctl.reading.format import Reading
from lossctl.reduction import OverColumns, WeightNorm
from lossctl.sums.distribution import Distribution
from lossctl.sums.influence import correlation
from lossctl.sums.series import MOST_LAGS
from lossctl.words import counted, said

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
    lags: int = 0,
    anytime: int | bool = False,
    samples: int = 0,
    ci: float = USUAL_LEVEL,
    plot: bool = False,
    activation: str | BoundActivation | None = None,
    from_logits: bool = False,
    reduction: str | None = None,
    weight_norm: WeightNorm | None = None,
    columns: OverColumns | None = None,
    class_weight: ClassWeight | None = None,
    compat: str | None = None,
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
    others: Any = None,
    baseline: str | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare the losses of models with those of the first, on the same rows, in one pass and constant memory.

    The question is about the differences of rows, so their standard error is that of pairs; see docs/statistics.md.
    What is not described below is as for `lossctl.evaluate`.

    Args:
        source: as for `lossctl.evaluate`, with the predictions of all models.
        loss: likewise; ``None`` picks what suits the columns.
        prediction: one entry a model, of which the first is the baseline; ``name=COL`` names it.
        cluster: columns that say which rows move together, such as those of one user: they count as one;
            ``date:day`` by a period of dates. Up to 65,536 clusters are kept one by one, more in 4,096 buckets.
        lags: how many of the rows before it each row moves with, where rows are a series in the order in which they
            stand, such as one of time; in each group, that of its rows. Standard errors are then those of Diebold and
            Mariano. Far lags count less, so give three or four times as many as rows move together: of sums over six
            steps, 5 lags raise 12 % false alarms at 5 %, 20 lags 7 %. Rows that are left out leave no gap: those before
            and after them are beside each other.
        anytime: whether intervals are to hold at every n at once, so that one may look again and again; a number is
            the n at which they are tightest, else that is the n there is.
        samples: how many of the rows that got worse most to keep for each result, and as many of those that got better.
        ci: the level of the confidence intervals.
        plot: whether the comparison is to have pictures too, in its `charts`: differences with their intervals by
            group, and those of the rows.
        others: the candidates, where each model has a data set of its own: a source as for `lossctl.evaluate`, several
            as a list, or a mapping from their names to them (of arrays, too: put a single mapping of arrays into a
            list). The baseline is that of ``source``, which has the labels; where others have them, too, they must
            agree. Rows are matched by ``ids``, told from the columns where left out (``"name=other"`` is what the first
            calls one and what the others do, or labels), or as ``join`` says: ``strict``, ``inner`` or ``order``. A
            single ``prediction`` is meant of each source that has it.
        baseline: what the model of ``source`` is called beside others; left out, like its file.

    Returns:
        A comparison with one result for each loss, model but the first, and group.

    Raises:
        UsageError: as for `lossctl.evaluate`, or there is a single model, or rows are to be a series and something
            else at a time.
        DataError: as for `lossctl.evaluate`.
    """
    check_level(ci)
    if not isinstance(anytime, bool) and anytime < 1:
        raise UsageError(f"{option(anytime=anytime)}: the n at which intervals are tightest is 1 or more")
    check_lags(lags, {"cluster": several(cluster), "anytime": anytime})
    request = requested(
        loss=loss,
        label=label,
        prediction=prediction,
        weight=weight,
        by=by,
        classes=classes,
        activation=activation,
        from_logits=from_logits,
        reduction=reduction,
        weight_norm=weight_norm,
        columns=columns,
        class_weight=class_weight,
        compat=compat,
        eps=eps,
        normalize_rows=normalize_rows,
        clip_rounding=clip_rounding,
        nulls=nulls,
        ignore_label=ignore_label,
        mask_null=mask_null,
        where=where,
        limit=limit,
        cluster=cluster,
        lags=lags,
        paired=True,
        drawn=plot,
        moved=samples,
    )
    running = Running.of(engine, threads, scheduler, progress)
    if others is None:
        if baseline is not None:
            raise UsageError(f"{option('baseline')} names a model beside others, of which there are none")
        try:
            prepared = prepare(source, request, reading, labels=labels, ids=several(ids), join=join, others=samples > 0)
        except Undecided as question:
            raise _between_models(question, request) from None
    else:
        from lossctl.comparison.files import prepare_models
        from lossctl.evaluation.row_order import OtherOrder
        from lossctl.evaluation.second import ensure_no_labels

        sources, names = _sources(source, others, baseline)
        try:
            prepared = prepare_models(
                sources,
                request,
                reading,
                names=names,
                labels=labels,
                ids=several(ids),
                join=join,
                others=samples > 0,
            )
        except OtherOrder:
            raise  # which is about the rows, not the columns
        except LossctlError:
            ensure_no_labels(sources, request, reading, labels)
            raise
    return compared(prepared, running, ci, anytime)


def _between_models(question: Undecided, request: Request) -> UsageError:
    """A question with the ways to compare: models that are asked for alike are those of one."""
    alike: dict[Any, list[Any]] = {}
    for way in question.ways:
        models = alike.setdefault(tuple(setting for setting in way if setting[0] != "prediction"), [])
        models += [setting for setting in way if setting[0] == "prediction" and setting not in models]
    ways = []
    for settings, models in alike.items():
        if len(request.prediction) + len(models) > 1:
            label = [setting for setting in settings if setting[0] == "label"]
            ways.append((*label, *models, *(setting for setting in settings if setting not in label)))
    if ways:
        return Undecided(question.parts[0], ways=tuple(ways))
    if len(request.prediction) > 1 or "loss" in options_in(question.otherwise):
        return question  # which says all of it
    hint = f"Name the columns of both: {option(prediction=['base=COL', 'new=COL'])}."
    return UsageError(question.parts[0], hint)


def check_lags(lags: int, others: Mapping[str, Any]) -> None:
    """Refuse lags that are none or too many, or that say something else than another option."""
    if not 0 <= lags <= MOST_LAGS:
        hint = f"Rows that move together for longer are rather clusters, such as days: {option(cluster=['COL'])}."
        raise UsageError(f"{option(lags=lags)}: a row moves with 0 to {MOST_LAGS:,} of the rows before it", hint)
    for name, value in others.items():
        if lags and value:
            why = {
                "cluster": "rows of a series move with those before them, rows of a cluster with the others of it",
                "anytime": "intervals that hold at every n are of rows that move by themselves",
            }[name]
            raise UsageError(f"{option('lags')} and {option(name)} exclude each other: {why}", "Give one of them.")


def _sources(source: Any, others: Any, baseline: str | None) -> tuple[list[Any], list[str]]:
    """The data sets of all models, and what these are called.

    Raises:
        UsageError: there is no candidate, or one is an array: a mapping of arrays is none of data sets.
    """
    if isinstance(others, Mapping):
        for name, value in others.items():
            if not (isinstance(value, str | os.PathLike | Mapping | list | tuple) or hasattr(value, "columns")):
                what = f"{option('others')}: {name!r} is {said(value)}, and no data set"
                raise UsageError(what, "A mapping is from names to data sets; put one of arrays into a list.")
        names, candidates = [str(name) for name in others], [*others.values()]
    else:
        candidates = [*others] if isinstance(others, list | tuple) else [others]
        names = [""] * len(candidates)
    if not candidates:
        raise UsageError("there are no others to compare with")
    return [source, *candidates], [baseline or "", *names]


def compared(prepared: Prepared, running: Running, level: float, anytime: int | bool) -> Comparison:  # noqa: FBT001
    """Carry out the plan of a comparison; arguments and errors as for `compare`."""
    plan = prepared.plan
    if len(plan.models) < 2:
        hint = f"Name the columns of both: {option(prediction=['base=COL', 'new=COL'])}; or give a file a model."
        raise UsageError(f"there is one model, {plan.models[0].name!r}, and nothing to compare it with", hint)
    plan, folded = measured(prepared.source, with_doubts(plan, prepared.source, prepared.sides), running)
    with np.errstate(all="ignore"):  # what is no number is said to be none
        return described(prepared, plan, folded, level, anytime)


def described(
    prepared: Prepared,
    plan: Plan,
    folded: Folded[Measured],
    level: float,
    anytime: int | bool,  # noqa: FBT001
    rows: tuple[Distribution, ...] = (),
) -> Comparison:
    """What a pass says of the models.

    Args:
        prepared, level, anytime: as for `compared`.
        plan: what the pass was carried out by.
        folded: what it came to.
        rows: the differences of rows, one for each pair, where the pass did not count them.
    """
    report = assemble(plan, folded.total, folded.passed)
    joined = {} if prepared.joined is None else {"join": prepared.joined}
    report = replace(report, inputs={**report.inputs, **joined})
    scores = Scores(plan, folded.total)
    keys = [] if prepared.joined is None else prepared.joined["id"]
    moves = moves_of(plan, folded, keys) if plan.moved else {}
    results = with_false_discovery([*_differences(scores, level, anytime, moves)])
    overall: tuple[Difference, ...] = ()
    if plan.roles.by:
        overall = with_false_discovery([*_differences(scores.pooled(), level, anytime)])
    warnings = (*report.warnings, *_doubts(results, overall))
    drawn = scores.evidence.drawn if plan.drawn else rows
    rows = tuple(drawn[number] for number, _ in scores.pairs) if drawn else ()
    return Comparison(results, report, level, overall, report.notes, warnings, rows)


def _differences(
    scores: Scores,
    level: float,
    anytime: int | bool,  # noqa: FBT001
    moves: Moves | None = None,
) -> Iterator[Difference]:
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
                baseline=baseline.value(bound.reduced),
                value=candidate.value(bound.reduced),
                better=int(pair.better[group]),
                worse=int(pair.worse[group]),
                proof=scores.of_rows(number, group) if estimate.doubted == "share" else None,
                loss=str(bound),
                parameters=bound.parameters,
                reduction=bound.reduction,
                model=model.name,
                against=against.name,
                group=scores.named(group),
                samples=(moves or {}).get((number, group), ()),
                correlation=correlation(baseline, candidate, scores.of_pairs[number][group], bound.reduced),
            )


def _doubts(results: Sequence[Difference], overall: Sequence[Difference]) -> Iterator[str]:
    """What is to be warned of: differences that are not to be trusted, and few clusters."""
    doubtful: dict[str, list[Difference]] = {}
    listed = [*overall, *results]
    for one in listed:
        if one.verdict == "not trusted":
            doubtful.setdefault(one.estimate.doubted, []).append(one)
    for alike in doubtful.values():
        first = alike[0]
        others = f" and {counted(len(alike) - 1, 'other')}" if len(alike) > 1 else ""
        way = remedy(first.estimate, first.loss)
        yield f"{first.loss} of {first.model}{at(first.group)}{others}: not trusted: {first.doubt}; {way}"
    few = [one for one in listed if one.estimate.is_of_few_clusters and one.verdict != "not trusted"]
    if few:
        fewest = min(few, key=lambda one: one.estimate.units)
        yield (
            f"{counted(fewest.clusters or 0, 'cluster')}{at(fewest.group)} that count as {fewest.estimate.units:.3g}: "
            "intervals of so few are too short"
        )
