"""Losses of a data set, as somebody asks for them in Python: a request is made of it, and a report comes out."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from lossctl.arguments import checked, fits
from lossctl.errors import option
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.intervals import bounded, check_level
from lossctl.evaluation.prepared import prepare, run
from lossctl.evaluation.report import Report
from lossctl.evaluation.running import Progress, Running
from lossctl.functions.activation import BoundActivation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.inference.request import ClassWeight, Nulls, Request
from lossctl.reading.expand import expand
from lossctl.reading.format import Reading
from lossctl.reading.names import names_in
from lossctl.reduction import OverColumns, WeightNorm

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
