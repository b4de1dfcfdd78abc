"""The path of the data: a source opens, a plan is made, shards are measured and added up, a report comes out."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lossctl.arguments import checked, fits
from lossctl.dataclass import dataclass
from lossctl.errors import LossctlError, Undecided, option
from lossctl.evaluation.assembly import assemble
from lossctl.evaluation.clock import Clock, Spent
from lossctl.evaluation.fold import Folded
from lossctl.evaluation.intervals import bounded, check_level
from lossctl.evaluation.measure import slopes_of
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.planner import make_plan
from lossctl.evaluation.report import Report
from lossctl.evaluation.running import SERIAL, Progress, Running
from lossctl.evaluation.steady import fold_sums
from lossctl.functions.activation import BoundActivation, get_activation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import get_loss
from lossctl.inference.patterns import places_in
from lossctl.inference.request import ClassWeight, Nulls, Request, Settings
from lossctl.reading.expand import expand
from lossctl.reading.files import ensure_heeded, open_source
from lossctl.reading.format import Reading, Source, formats
from lossctl.reading.missing import as_number
from lossctl.reading.names import names_in
from lossctl.reading.selection import ensure_selection, selected
from lossctl.reading.stamp import Stamp
from lossctl.reduction import OverColumns, WeightNorm

if TYPE_CHECKING:
    from lossctl.evaluation.join import Joined

Names = str | int | Sequence[str | int]
"""The names of columns; a DataFrame may have numbers for names."""
Classes = str | Sequence[str | float] | Iterator[str | float]
"""The names of classes, in an order."""
Label = str | float
"""A label as somebody names it: the name of a class, or a number."""


@checked("loss", "activation")
def evaluate(
    source: Any,
    loss: str | BoundLoss | Sequence[str | BoundLoss] | None,
    *,
    label: Names | None = None,
    prediction: Names | None = None,
    weight: str | None = None,
    by: Names | None = None,
    cluster: Names | None = None,
    activation: str | BoundActivation | None = None,
    from_logits: bool = False,
    reduction: str | None = None,
    weight_norm: WeightNorm | None = None,
    columns: OverColumns | None = None,
    class_weight: ClassWeight | None = None,
    compat: str | None = None,
    gradient: bool = False,
    samples: int = 0,
    skill: bool = False,
    ci: float | None = None,
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
    profile: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Evaluate losses on a data set in one pass and constant memory.

    Args:
        source: a path, a list of paths (URLs, globs, directories, ``-`` for stdin), a pandas.DataFrame, a
            pyarrow.Table, or a mapping of 1-D arrays (2-D for a vector column).
        loss: ``"huber:delta=0.5"``, a list of such, or a bound loss; ``None`` picks what suits the columns.
        label: name, list of names or glob of the label columns; found by its common names when left out.
        prediction: likewise, one entry a model: a glob or comma list is one vector-valued model, ``name=COL`` names it.
            Here and elsewhere ``out.p`` is the field ``p`` inside the column ``out``; an object from class to number
            is a vector.
        weight: the column of non-negative row weights.
        by: columns to group by; ``date:month`` by the periods of its dates (hour, day, week, month, quarter, year or
            weekday), ``price:10`` by the quantiles of its numbers, here deciles.
        cluster: columns that say which rows move together, such as those of one user: they count as one in standard
            errors. ``date:day`` is by a period of dates, as of ``by``. Up to 65,536 clusters a group are kept one by
            one, more in 4,096 buckets.
        activation: an activation applied to the predictions first; gradients are then on the pre-activations.
        from_logits: apply each loss's natural activation (sigmoid, softmax, exp).
        reduction: ``mean``, ``sum`` or ``root-mean`` instead of the loss's own.
        weight_norm: what a mean of weighted rows is divided by: ``sum``, of the weights, or ``n``, of rows.
        columns: what is made of the losses of several columns of a row: their ``mean``, or their ``sum``.
        class_weight: a weight for each class, by name or in their order, such as ``{"cat": 2, "dog": 0.5}``, ``[2, 1]``
            or ``"cat=2,dog=0.5"``: the weight of a row is multiplied with that of the class of its label (of a soft
            label, with the mean over its parts), and is 1 for classes that are left out.
        compat: the library whose numbers are wanted, such as ``keras``: sets what makes lossctl give them and nobody
            set otherwise, and says what that is. `lossctl.explain` tells it for each loss.
        gradient: whether to compute the gradient figures.
        samples: how many of the worst rows to keep for each result.
        skill: whether to compare each loss with that of the best constant prediction, group by group.
        ci: the level of confidence intervals of the values, such as 0.95; none when left out.
        nulls: ``error`` or ``drop``.
        ignore_label: labels that say that there is none, such as -100: rows that have one are left out and counted,
            whatever else is in them. Where a label has several numbers, only the one that is such a label is left out.
        mask_null: leave a null label of several out of its row; the mean is then over all labels that are there, each
            with the weight of its row.
        where: a condition on columns, such as ``segment == "mobile" and price > 10``, also with ``or``, ``not``,
            ``in ("a", "b")`` and ``is null``: only rows for which it holds are taken, and counted. No comparison holds
            for a null. After a join, columns of either side. See `lossctl.reading.where`.
        limit: how many rows to take at most, the first of those.
        engine: ``serial``, ``threads``, ``processes`` (forked, so only where nothing else runs in this process) or
            ``dask``; no digit depends on it. Or a `Running`, which holds threads, scheduler and progress.
        threads: how many, or how many processes; all cores, or all of a cluster, when left out.
        scheduler: the address of the Dask scheduler, such as ``tcp://host:8786``, whose workers see the same files;
            left out, that which Dask is configured for, else worker processes on this machine, for the time being. A
            table in memory is sent to the workers.
        classes: names of the classes in the order of their codes; a list, or the path of a file with a name a line.
        eps: the floor under probabilities inside logarithms.
        normalize_rows: divide each row of a vector prediction by its sum.
        clip_rounding: take labels and predictions that are beyond an end of what they may be, such as [0, 1], by no
            more than rounding for that end, and count them: by 4 units in the last place of 1 in the type of the
            column, 8.9e-16 for doubles and text, 4.8e-7 for float32. The prediction is then the same for all losses.
        reading: how to read files that do not say it themselves: format, delimiter, header, what is null.
        labels: another source that holds the labels, matched with this one by key.
        ids: the key columns, ``"name=other"`` where the labels call one ``other``; left out, the one column that both
            have and that is called like a key, or that alone could be one. Equal numbers match, such as ``1461.0`` in
            one source and ``1461`` in the other, and a note says so; what has zeros in front is text. So do times with
            an offset from UTC that are one instant; beside times without one they are an error.
        join: ``strict`` (every key in both), ``inner`` (keys in both), ``left`` (every prediction), or ``order``: rows
            match in their order, without ids, and both sources have as many.
        profile: whether to say in the report where the time went.
        progress: called with the number of bytes of each part that is done.

    Returns:
        A report with one result for each loss, model and group.

    Raises:
        UsageError: an unknown loss, column, parameter, engine or reduction.
        DataError: unreadable data, nulls under ``error``, values outside a domain, nothing left to measure.
    """
    check_level(ci)
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
        gradient=gradient,
        samples=samples,
        skill=skill,
        nulls=nulls,
        ignore_label=ignore_label,
        mask_null=mask_null,
        where=where,
        limit=limit,
        cluster=cluster,
        judged=cluster is not None,
    )
    clock = Clock()
    running = Running.of(engine, threads, scheduler, progress)
    prepared = prepare(source, request, reading, labels=labels, ids=several(ids), join=join)
    clock.mark("open")
    if ci is not None:
        from lossctl.evaluation.independence import with_doubts  # noqa: PLC0415  (most runs have no use for it)

        prepared = replace(prepared, plan=with_doubts(prepared.plan, prepared.source, prepared.sides))
    report = bounded(run(prepared.source, prepared.plan, running), ci)
    joined = {} if prepared.joined is None else {"join": prepared.joined}
    keys = prepared.joined["id"] if samples and prepared.joined is not None else ()
    if keys:
        from lossctl.evaluation.joined_samples import with_keys  # noqa: PLC0415  (few runs have use for it)

        report = replace(report, table=with_keys(report.table, prepared.source, keys))
    seconds = {**(report.profile or {}), "open": clock.spent.seconds["open"]} if profile else None
    return replace(report, inputs={**report.inputs, **joined}, profile=seconds)


@dataclass(frozen=True)
class Prepared:
    """A data set and everything that is decided about it before the pass."""

    source: Source
    plan: Plan
    joined: Mapping[str, Any] | None = None
    """What was matched, where labels came from another file."""
    sides: tuple[Source, ...] = ()
    """The data sets that were matched, with the columns that the rows do not carry along too."""


def prepare(
    source: Any,
    request: Request,
    reading: Reading | None = None,
    *,
    labels: Any = None,
    ids: Sequence[str] = (),
    join: str = "strict",
    others: bool = False,
) -> Prepared:
    """Open a data set, match its labels if they are elsewhere, and decide everything.

    Args:
        source, reading, labels, ids, join: as for `evaluate`.
        request: what is asked for.
        others: whether a join is to carry all columns along.

    Raises:
        UsageError: as for `evaluate`.
        DataError: the data cannot be read, or keys do not match.
    """
    try:
        return _prepared(source, request, reading, labels=labels, ids=ids, join=join, others=others)
    except Undecided as question:
        raise with_tried_ways(question, source, request, reading, labels=labels, ids=ids, join=join) from None


def with_tried_ways(
    question: Undecided,
    source: Any,
    request: Request,
    reading: Reading | None = None,
    *,
    labels: Any = None,
    ids: Sequence[str] = (),
    join: str = "strict",
) -> Undecided:
    """A question with those of its ways that some rows do not stop; arguments as for `prepare`."""
    from lossctl.evaluation.tried import is_retried, offered  # noqa: PLC0415

    if not question.ways or not is_retried(source, labels):
        return question

    def prepare(way: Settings, *asked: Any, **how: Any) -> tuple[Source, Plan]:
        path = dict(way).get("labels", labels)
        paths = [each for each in source if each != path] if path is not labels else source
        prepared = _prepared(paths, *asked, labels=path, **how)
        return prepared.source, prepared.plan

    measure = partial(run, running=SERIAL)
    return offered(question, request, reading, ids, join, prepare=prepare, measure=measure)


def _prepared(
    source: Any,
    request: Request,
    reading: Reading | None = None,
    *,
    labels: Any = None,
    ids: Sequence[str] = (),
    join: str = "strict",
    others: bool = False,
) -> Prepared:
    """As `prepare`, with ways that are not tried."""
    facts: Mapping[str, Any] | None = None
    sides: tuple[Source, ...] = ()
    if labels is None:
        opened = open_alone(source, request, reading)
        try:
            plan = planned(opened, request, reading)
        except LossctlError:
            from lossctl.evaluation.second import ensure_no_labels  # noqa: PLC0415  (where something is wrong)

            ensure_no_labels(source, request, reading)
            raise
    else:
        joined = open_joined(source, request, reading, labels=labels, ids=ids, join=join, others=others)
        opened, facts, sides = joined.source, joined.facts, joined.sides
        plan = planned(opened, joined.request, reading, joined.notes, joined.remarks)
    if isinstance(source, list | tuple) and len(source) > 1 and not request.paired:
        from lossctl.evaluation.pooled import pooled  # noqa: PLC0415  (most runs have one file)

        remark = pooled(opened, plan.roles.label if labels is None else ())
        plan = plan.grouped_by(plan.roles.by, (*plan.roles.notes, remark))
    return Prepared(opened, plan, facts, sides)


def open_alone(source: Any, request: Request, reading: Reading | None = None) -> Source:
    """Open a data set that has its own labels; arguments and errors as for `prepare`."""
    check_words(request, reading)
    reading = placing(reading, request, ())
    opened = open_source(source, reading, {})
    ensure_heeded(reading, opened)
    return selected(opened, request.where, request.limit, reading)


def open_joined(
    source: Any,
    request: Request,
    reading: Reading | None = None,
    *,
    labels: Any,
    ids: Sequence[str] = (),
    join: str = "strict",
    others: bool = False,
    survey: bool = False,
) -> "Joined":
    """Open a data set, and match its labels, which are elsewhere.

    Args:
        source, request, reading, labels, ids, join, others: as for `prepare`.
        survey: whether a join is to carry all columns along, and to be made where it is not clear which play a role.

    Raises:
        LossctlError: as for `prepare`.
    """
    from lossctl.evaluation.join import join as match  # noqa: PLC0415  (most runs have one data set)

    check_words(request, reading)
    reading, stamps = placing(reading, request, ids, apart=True), dict[str, Stamp]()
    opened, answers = open_source(source, reading, stamps), open_source(labels, reading, stamps)
    ensure_heeded(reading, opened, answers)
    joined = match(opened, answers, ids, join, request, others=others, survey=survey)
    return replace(joined, source=selected(joined.source, request.where, request.limit))


def placing(reading: Reading | None, request: Request, ids: Sequence[str], *, apart: bool = False) -> Reading | None:
    """How to read files whose columns somebody asks for by their places, which may have one name.

    Args:
        reading, request, ids: as for `prepare`.
        apart: whether they are several data sets.
    """
    weight = () if request.weight is None else (request.weight,)
    asked = (*request.label, *request.prediction, *weight, *request.by, *request.cluster, *request.ids, *ids)
    places = places_in(asked)
    reading = None if reading is None else replace(reading, apart=apart)
    return replace(reading or Reading(), placed=places) if places else reading


def planned(
    source: Source, request: Request, reading: Reading | None, notes: Sequence[str] = (), remarks: Sequence[str] = ()
) -> Plan:
    """The plan for a data set, which knows what its reader takes for nothing; errors as for `prepare`.

    Args:
        source, request, reading: as for `prepare`.
        notes: what was decided before, and why: in one line with what the plan decides.
        remarks: what else there is to say of the data, a line each.
    """
    words = () if reading is None else reading.nulls
    numbers = tuple(word for word in words if as_number(word) is not None)
    plan = make_plan(source, request, notes)
    return replace(plan.grouped_by(plan.roles.by, (*plan.roles.notes, *remarks)), null_numbers=numbers)


def run(source: Source, plan: Plan, running: Running) -> Report:
    """Carry out a plan; the report says where the time went.

    Raises:
        UsageError: the engine cannot read the source, or its workers cannot be reached.
        DataError: as for `evaluate`.
    """
    plan, folded = measured(source, plan, running)
    with np.errstate(all="ignore"):
        return replace(assemble(plan, folded.total, folded.passed), profile=folded.spent.seconds)


def measured(source: Source, plan: Plan, running: Running) -> tuple[Plan, Folded[Measured]]:
    """The sums of all rows, and the plan with what it took a pass before to decide; errors as for `run`."""
    plan, before, running = decided(source, plan, running)
    with np.errstate(all="ignore"):
        folded = fold_sums(source, plan, running, keep=plan.moved > 0)
        return plan, replace(folded, spent=before + folded.spent)


def decided(source: Source, plan: Plan, running: Running) -> tuple[Plan, Spent, Running]:
    """The plan with what takes a pass of its own to decide, the time that took, and how to run what is left.

    Raises:
        LossctlError: as for `run`.
    """
    before = Spent()
    with np.errstate(all="ignore"):
        if any(grouping.quantiles for grouping in plan.roles.by):
            from lossctl.evaluation.quantiles import with_intervals  # noqa: PLC0415  (most runs have no use for it)

            plan, before, running = with_intervals(source, plan, running)
        if plan.gradient and any(bound.moves_others for _, bound in plan.losses):
            bare = replace(plan, gradient=False, samples=0, skill=False, paired=False, judged=False, moved=0)
            folded = fold_sums(source, bare, replace(running, progress=None))
            plan, before = replace(plan, slopes=slopes_of(bare, folded.total)), before + folded.spent
    return plan, before, running


def check_words(request: Request, reading: Reading | None) -> None:
    """Refuse names that nothing has, before anything is opened or fetched.

    Raises:
        UsageError: an unknown loss, parameter, activation or format.
    """
    ensure_selection(request.where, request.limit)
    for spec in split_specs(request.loss):
        get_loss(spec)
    if request.activation is not None:
        get_activation(request.activation)
    if reading is not None and reading.format is not None:
        formats.get(reading.format)


def input_files(source: Any, labels: Any = None) -> tuple[str, ...]:
    """The files that paths, globs and directories stand for: those that must not be written to."""
    paths = [path for given in (source, labels) for path in several(given)]
    return tuple(file for path in paths for file in expand(path))


def specs_of(loss: Any) -> tuple[Any, ...]:
    """One loss, several or none as a tuple."""
    return () if loss is None else tuple(loss) if fits(loss, Sequence[Any]) else (loss,)


def requested(
    *,
    loss: Any = None,
    label: Names | None = None,
    prediction: Names | None = None,
    by: Names | None = None,
    cluster: Names | None = None,
    classes: Classes = (),
    ignore_label: Label | Sequence[Label] = (),
    **others: Any,
) -> Request:
    """What was asked for in Python, where one may stand for several; the others are those of a `Request`."""
    return Request(
        loss=specs_of(loss),
        label=several(label),
        prediction=several(prediction),
        by=several(by),
        cluster=several(cluster),
        classes=_classes_of(classes),
        ignore_label=_words_of(ignore_label),
        **others,
    )


def _classes_of(classes: Classes) -> tuple[str, ...]:
    """The names of classes, one of which is the path of a file with all of them."""
    names = (classes,) if isinstance(classes, str) else tuple(map(str, classes))
    return names_in(names[0], option("classes")) if len(names) == 1 else names


def _words_of(values: Label | Sequence[Label]) -> tuple[str, ...]:
    """One label, or several, as words."""
    labels = values if isinstance(values, list | tuple) else [values]
    return tuple(dict.fromkeys(str(label).strip() for label in labels))


def several(names: Any) -> tuple[str, ...]:
    """One name, several or none as a tuple."""
    if names is None:
        return ()
    return (str(names),) if isinstance(names, str | int | os.PathLike) else tuple(str(name) for name in names)
