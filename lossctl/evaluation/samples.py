"""The per-sample table: every row with its losses, their gradients and its own columns."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from lossctl.domain import FloatArray, IntArray
from lossctl.errors import DataError
from lossctl.evaluation.batch import Batch, validate
from lossctl.evaluation.complaints import complain, ensure_measured
from lossctl.evaluation.fold import fold_rows
from lossctl.evaluation.measure import Measured, evaluated, kernel_label, lift, nothing, tally
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import SERIAL, Running
from lossctl.evaluation.traversal import Traversal
from lossctl.reading.format import MIXED, Mixed, Shard, Source, Wanted
from lossctl.reading.storage import takeable

Finish = Callable[[Measured], None]


def every_row(source: Source, plan: Plan, finish: Finish, *, verbatim: bool = False) -> Iterator[pa.RecordBatch]:
    """The per-sample table in the order of the rows, some at a time; rows with a null or of weight 0 are left out.

    Args:
        source: where the rows are.
        plan: what to measure of them.
        finish: told what was counted, at the end.
        verbatim: whether columns that are only carried along stay text, where the file is text.

    Raises:
        DataError: as for `lossctl.evaluate`, once the rows before have been handed out.
    """
    traversal, total = Traversal(source, SERIAL), nothing(plan)
    schema: pa.Schema | None = None
    for record in traversal.batches(_everything(plan, verbatim=verbatim)):
        record = takeable(record)  # noqa: PLW2901
        batch = validate(record, plan)
        start = total.rows
        total = total + tally(plan, batch)
        complain(plan, total.problems, traversal)
        file = traversal.locate(start)[0]
        number = traversal.numbers(np.arange(start, start + record.num_rows))
        piece = _annotated(plan, record, batch, file, number, several=len(source.files) > 1)
        schema = schema or piece.schema
        yield _like(piece, schema, file)
    ensure_measured(total, traversal)
    finish(total)


def worst_rows(
    source: Source,
    plan: Plan,
    most: int,
    finish: Finish,
    running: Running,
    *,
    verbatim: bool = False,
) -> Iterator[pa.RecordBatch]:
    """The rows of the per-sample table with the largest values of the first loss of the first model, worst first.

    A first pass reads only the columns that count; a second opens the shards that hold the worst rows. What can be
    read only once is read whole, and the worst rows so far are kept.

    Raises:
        DataError: as for `lossctl.evaluate`.
    """
    if source.once:
        yield from _best_of(every_row(source, plan, finish, verbatim=verbatim), most)
        return
    first, *others = plan.models
    models = (replace(first, losses=first.losses[:1]), *(replace(model, losses=()) for model in others))
    ranking = replace(plan, models=models, samples=most, gradient=False)
    folded = fold_rows(source, ranking, lift, nothing(ranking), running, keep=True)
    total, traversal = folded.total, folded.passed
    ensure_measured(total, traversal)
    finish(total)
    worst = total.parts[0].worst
    rows = [] if worst is None else [int(row) for row in worst.row]
    pieces: list[pa.RecordBatch] = []
    order: list[int] = []
    for shard, start, local in _by_shard(traversal, rows):
        offset = 0
        for record in traversal.records(shard, start, _everything(plan, verbatim=verbatim)):
            places = local[(local >= offset) & (local < offset + record.num_rows)]
            if len(places):
                selected = takeable(record).take(pa.array(places - offset))
                file = traversal.locate(start + int(places[0]))[0]
                batch = validate(selected, plan)
                complain(plan, tally(plan, batch).problems, traversal)
                number = traversal.numbers(places + start)
                piece = _annotated(plan, selected, batch, file, number, several=len(source.files) > 1)
                pieces.append(_like(piece, pieces[0].schema if pieces else piece.schema, file))
                order += (places + start).tolist()
            offset += record.num_rows
    place = {row: index for index, row in enumerate(order)}
    yield from pa.Table.from_batches(pieces).take(pa.array([place[row] for row in rows])).to_batches()


def _by_shard(traversal: Traversal, rows: list[int]) -> Iterator[tuple[Shard, int, IntArray]]:
    """The shards that hold some rows, where each starts, and which of its rows they are."""
    shards: dict[int, tuple[Shard, list[int]]] = {}
    for row in rows:
        shard, local = traversal.find(row)
        shards.setdefault(row - local, (shard, []))[1].append(local)
    for start, (shard, places) in sorted(shards.items(), key=lambda item: item[0]):
        yield shard, start, np.array(sorted(places), dtype=np.int64)


def _everything(plan: Plan, *, verbatim: bool) -> Wanted:
    """All columns, as they are read for the per-sample table."""
    return replace(plan.layout.wanted(others=True), verbatim=verbatim)


def _like(piece: pa.RecordBatch, schema: pa.Schema, file: str) -> pa.RecordBatch:
    """The piece with the columns, in the order and of the types, of the first one.

    Raises:
        Mixed: a column cannot be made so.
        DataError: a column is missing.
    """
    if piece.schema.equals(schema):
        return piece
    arrays = []
    for column in schema:
        index = piece.schema.get_field_index(column.name)
        if index < 0:
            raise DataError(f"{file}: no column {column.name!r}, which the first file has")
        try:
            arrays.append(piece.column(index).cast(column.type))
        except pa.ArrowException:
            kind = piece.schema[index].type
            raise Mixed(
                f"{file}: column {column.name!r} is {kind}, but {column.type} in the first file", MIXED
            ) from None
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _best_of(pieces: Iterator[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """The worst rows of all pieces, by the first loss; among equals the first."""
    import pyarrow.compute as pc

    position, order_by = 0, "lossctl order"
    worst: pa.Table | None = None
    for piece in pieces:
        table = pa.Table.from_batches([piece]).append_column(
            order_by, pa.array(np.arange(position, position + piece.num_rows))
        )
        position += piece.num_rows
        worst = table if worst is None else pa.concat_tables([worst, table])
        ranked = [next(name for name in worst.column_names if name.startswith(("loss", "lossctl_loss"))), order_by]
        order = pc.sort_indices(worst.select(ranked), [(ranked[0], "descending"), (order_by, "ascending")])
        worst = worst.take(order.slice(0, most))
    if worst is not None:
        yield from worst.drop_columns([order_by]).to_batches()


def _annotated(
    plan: Plan, record: pa.RecordBatch, batch: Batch, file: str, number: IntArray, *, several: bool
) -> pa.RecordBatch:
    """The measurable rows of a record batch, with their numbers, losses and gradients in front."""
    if batch.position is not None:
        record, number = record.take(pa.array(batch.position)), number[batch.position]
    columns: dict[str, pa.Array] = {}
    if several:
        columns["file"] = pa.array([file] * record.num_rows, pa.string())
    columns["row"] = pa.array(number.astype(np.int64))
    single = len(plan.losses) == 1
    for model, prediction in zip(plan.models, batch.predictions, strict=True):
        for bound in model.losses:
            value, slope = evaluated(bound, kernel_label(bound, batch.label), prediction, gradient=True)
            title = "" if single else f"_{bound}" if len(plan.models) == 1 else f"_{bound}_{model.name}"
            columns[f"loss{title}"] = pa.array(value)
            columns |= _gradient_columns(f"gradient{title}", model.columns, slope if slope is not None else value)
    names = set(record.schema.names)
    columns = {f"lossctl_{name}" if name in names else name: array for name, array in columns.items()}
    return pa.RecordBatch.from_arrays([*columns.values(), *record.columns], [*columns, *record.schema.names])


def _gradient_columns(title: str, columns: tuple[str, ...], slope: FloatArray) -> dict[str, pa.Array]:
    """A gradient ``(n,)`` or ``(n, k)`` as the prediction is: one column, several, or one of lists."""
    if slope.ndim == 1:
        return {title: pa.array(slope)}
    if len(columns) > 1:
        return {f"{title}_{name}": pa.array(slope[:, index]) for index, name in enumerate(columns)}
    return {title: pa.FixedSizeListArray.from_arrays(pa.array(slope.ravel()), slope.shape[1])}
