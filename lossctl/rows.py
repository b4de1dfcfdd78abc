"""The per-sample table: every row with its losses, their gradients and its own columns."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lossctl.assembly import complain, ensure_measured
from lossctl.batch import Plan, validate
from lossctl.domain import FloatArray
from lossctl.format import Shard, Source
from lossctl.measure import Measured, evaluated, kernel_label, measure, nothing, tally, wanted
from lossctl.reduction import IntArray
from lossctl.traversal import Traversal

Finish = Callable[[Measured], None]


def every_row(source: Source, plan: Plan, finish: Finish) -> Iterator[pa.RecordBatch]:
    """The per-sample table in the order of the rows, some at a time; rows with a null or of weight 0 are left out.

    Args:
        source: where the rows are.
        plan: what to measure of them.
        finish: told what was counted, at the end.

    Raises:
        DataError: as for `lossctl.evaluate`, once the rows before have been handed out.
    """
    passed, total = Traversal(source), nothing(plan)
    for record in passed.batches(wanted(plan, others=True)):
        batch = validate(record, plan)
        start = total.rows
        total = total + tally(plan, batch)
        complain(plan, total, passed)
        file, row = passed.locate(start)
        yield _annotated(plan, record, file, np.arange(row, row + record.num_rows), several=len(source.files) > 1)
    ensure_measured(total, passed)
    finish(total)


def worst_rows(
    source: Source, plan: Plan, most: int, finish: Finish, *, engine: str = "threads", threads: int | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of the per-sample table with the largest values of the first loss of the first model, worst first.

    A first pass reads only the columns that count; a second opens the shards that hold the worst rows. What can be
    read only once is read whole, and the worst rows so far are kept.

    Raises:
        DataError: as for `lossctl.evaluate`.
    """
    if source.once:
        yield from _best_of(every_row(source, plan, finish), most)
        return
    first = (plan.losses[0][:1], *((),) * (len(plan.losses) - 1))
    ranking = replace(plan, losses=first, samples=most, gradient=False)
    passed, total = Traversal(source, engine, threads, keep=True), nothing(ranking)
    checked = nothing(plan)
    for _, measured in passed.map(partial(measure, ranking)):
        total = total + measured
        complain(ranking, total, passed)
    ensure_measured(total, passed)
    finish(total)
    worst = total.parts[0].worst
    rows = [] if worst is None else [int(row) for row in worst.row]
    by_shard: dict[int, list[int]] = {}
    shards: dict[int, Shard] = {}
    for row in rows:
        shard, local = passed.find(row)
        by_shard.setdefault(row - local, []).append(local)
        shards[row - local] = shard
    pieces, order = [], []
    for start, locals_ in sorted(by_shard.items()):
        offset = start
        wanted_rows = np.array(sorted(locals_)) + start
        for record in shards[start].read(wanted(plan, others=True)):
            here = wanted_rows[(wanted_rows >= offset) & (wanted_rows < offset + record.num_rows)]
            if len(here):
                some = record.take(pa.array(here - offset))
                file = passed.locate(int(here[0]))[0]
                number = here - here[0] + passed.locate(int(here[0]))[1]
                complain(plan, checked + tally(plan, validate(some, plan)), passed)
                pieces.append(_annotated(plan, some, file, number, several=len(source.files) > 1))
                order += here.tolist()
            offset += record.num_rows
    place = {row: at for at, row in enumerate(order)}
    yield from pa.Table.from_batches(pieces).take(pa.array([place[row] for row in rows])).to_batches()


def _best_of(pieces: Iterator[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """The worst rows of all pieces, by the first loss; among equals the first."""
    at = 0
    worst: pa.Table | None = None
    for piece in pieces:
        table = pa.Table.from_batches([piece]).append_column("", pa.array(np.arange(at, at + piece.num_rows)))
        at += piece.num_rows
        worst = table if worst is None else pa.concat_tables([worst, table])
        ranked = [next(name for name in worst.column_names if name.startswith(("loss", "lossctl_loss"))), ""]
        order = pc.sort_indices(worst.select(ranked), [(ranked[0], "descending"), ("", "ascending")])
        worst = worst.take(order.slice(0, most))
    if worst is not None:
        yield from worst.drop_columns([""]).to_batches()


def _annotated(plan: Plan, record: pa.RecordBatch, file: str, number: IntArray, *, several: bool) -> pa.RecordBatch:
    """The measurable rows of a record batch, with their numbers, losses and gradients in front."""
    batch = validate(record, plan)
    if batch.position is not None:
        record, number = record.take(pa.array(batch.position)), number[batch.position]
    made: dict[str, pa.Array] = {}
    if several:
        made["file"] = pa.array([file] * record.num_rows, pa.string())
    made["row"] = pa.array(number.astype(np.int64))
    single = sum(len(chosen) for chosen in plan.losses) == 1
    for model, chosen, prediction in zip(plan.roles.models, plan.losses, batch.predictions, strict=True):
        for bound in chosen:
            value, slope = evaluated(bound, kernel_label(bound, batch.label), prediction, gradient=True)
            title = "" if single else f"_{bound}" if len(plan.losses) == 1 else f"_{bound}_{model.name}"
            made[f"loss{title}"] = pa.array(value)
            made |= _gradient_columns(f"gradient{title}", model.columns, slope if slope is not None else value)
    names = set(record.schema.names)
    made = {f"lossctl_{name}" if name in names else name: array for name, array in made.items()}
    return pa.RecordBatch.from_arrays([*made.values(), *record.columns], [*made, *record.schema.names])


def _gradient_columns(title: str, columns: tuple[str, ...], slope: FloatArray) -> dict[str, pa.Array]:
    """One column, one a prediction column, or one of lists: whatever the prediction is."""
    if slope.ndim == 1:
        return {title: pa.array(slope)}
    if len(columns) > 1:
        return {f"{title}_{name}": pa.array(slope[:, at]) for at, name in enumerate(columns)}
    return {title: pa.FixedSizeListArray.from_arrays(pa.array(slope.ravel()), slope.shape[1])}
