"""The per-sample table: every row with its losses, their gradients and its own columns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import pyarrow as pa

from lossctl.arrow import in_arrow, words_in_arrow
from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.errors import DataError
from lossctl.evaluation.batch import Batch, validate
from lossctl.evaluation.carried import agreed, everything, in_doubles, own_columns, written_in_doubles
from lossctl.evaluation.complaints import complain, ensure_measured, told
from lossctl.evaluation.fold import fold_rows
from lossctl.evaluation.measure import evaluated, kernel_label, lift, nothing, tally
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import SERIAL, Running
from lossctl.evaluation.traversal import Traversal
from lossctl.reading.agreement import Agreement
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Shard, Source
from lossctl.reading.numbered import numbered
from lossctl.reading.rounding import lists_in_doubles
from lossctl.reading.storage import contents, plain, takeable
from lossctl.words import encodable, free

Finish = Callable[[Measured, Iterator[str], Iterator[str]], None]
"""Takes what was counted, what is to be said of the rows chosen, and what is to be warned of."""


@dataclass(frozen=True)
class Piece:
    """Some rows of the table. What was measured of them stands beside their own columns, where no name can hide it."""

    file: str
    titles: tuple[str, ...]
    measured: tuple[pa.Array, ...]
    """A column for each title."""
    loss: FloatArray
    """The first loss of the first model, ``(n,)``."""
    own: pa.RecordBatch

    def take(self, rows: IntArray) -> "Piece":
        """Some of the rows."""
        places = in_arrow(rows)
        measured = tuple(column.take(places) for column in self.measured)
        return replace(self, measured=measured, loss=self.loss[rows], own=self.own.take(places))

    def record(self) -> pa.RecordBatch:
        """The rows as they are written: a measured column gives way to the row's own one of that name."""
        names = list(self.own.schema.names)
        titles: list[str] = []
        taken = {*names}
        for title in self.titles:
            titles.append(free(title, taken, "lossctl_"))
            taken.add(titles[-1])
        return pa.RecordBatch.from_arrays([*self.measured, *self.own.columns], [*titles, *names])


def every_row(
    source: Source, plan: Plan, finish: Finish, *, verbatim: bool = False, several_types: bool = False
) -> Iterator[pa.RecordBatch]:
    """The per-sample table in the order of the rows, some at a time; rows with a null or of weight 0 are left out.

    Args:
        source: where the rows are.
        plan: what to measure of them.
        finish: told what was counted, at the end.
        verbatim: whether columns that are only carried along stay text, where the file is text.
        several_types: whether a column may be of another type in each file, as where it becomes text; else it has
            one that holds the values of all.

    Raises:
        Mixed: a column has no such type.
        DataError: as for `lossctl.evaluate`, once the rows before have been handed out.
    """
    agreement, verbatim = agreed(source, plan, verbatim=verbatim, several_types=several_types)
    doubles = None if several_types else written_in_doubles(source, plan)
    passed = numbered(source, None)
    for piece in _pieces(source if passed is None else passed, plan, finish, verbatim=verbatim):
        yield as_written(piece, agreement, plan, doubles)


def _pieces(source: Source, plan: Plan, finish: Finish, *, verbatim: bool) -> Iterator[Piece]:
    """The table in the order of the rows; arguments and errors as for `every_row`."""
    traversal, total = Traversal(source, SERIAL), nothing(plan)
    for record in traversal.batches(everything(plan, verbatim=verbatim)):
        total, piece = next_piece(record, plan, traversal, total)
        yield piece
    ended(total, traversal, plan, finish)


def next_piece(record: pa.RecordBatch, plan: Plan, traversal: Traversal, total: Measured) -> tuple[Measured, Piece]:
    """The next rows that a traversal gives, with what all so far come to; a `DataError` for what is wrong with them."""
    start = total.rows
    rows, batch = _validated(record, plan, traversal, start)
    total = total + tally(plan, batch)
    complain(plan, total.problems, traversal)
    number = traversal.numbers(np.arange(start, start + rows.num_rows))
    several = len(traversal.source.files) > 1
    return total, piece_of(plan, rows, batch, traversal.locate(start)[0], number, several=several)


def ended(total: Measured, traversal: Traversal, plan: Plan, finish: Finish) -> None:
    """Tell what was counted; a `DataError` where nothing was."""
    ensure_measured(total, traversal, plan)
    finish(total, traversal.remarks(), told(total.problems, traversal, "no double"))


def _validated(record: pa.RecordBatch, plan: Plan, traversal: Traversal, start: int) -> tuple[pa.RecordBatch, Batch]:
    """Rows of which the first is row ``start``, and those of them that can be measured; a `DataError` for a bad one."""
    try:
        return measurable(record, plan)
    except BadRow as bad:
        raise DataError(f"{traversal.place(start + bad.row)}: {bad.what}", bad.hint) from None


def measurable(record: pa.RecordBatch, plan: Plan) -> tuple[pa.RecordBatch, Batch]:
    """Rows, and those of them that can be measured; a `BadRow` for one that cannot be read."""
    record = takeable(record)
    batch = validate(record, plan)
    return lists_in_doubles(record, plan.layout.wanted().numbers), batch


def worst_rows(
    source: Source,
    plan: Plan,
    most: int,
    finish: Finish,
    running: Running,
    *,
    verbatim: bool = False,
    several_types: bool = False,
) -> Iterator[pa.RecordBatch]:
    """The rows of the per-sample table with the largest values of the first loss of the first model, worst first.

    A first pass reads only the columns that count; a second opens the shards that hold the worst rows. What can be
    read only once is read whole, and the worst rows so far are kept.

    Raises:
        Mixed: as for `every_row`.
        DataError: as for `lossctl.evaluate`.
    """
    agreement, verbatim = agreed(source, plan, verbatim=verbatim, several_types=several_types)
    if source.once:
        pieces = _worst_of(_pieces(source, plan, finish, verbatim=verbatim), most)
        order = _by_loss(pieces, most)
    else:
        pieces, order = _found_again(source, plan, most, finish, running, verbatim=verbatim)
    doubles = None if several_types else written_in_doubles(source, plan)
    if doubles is not None:
        for piece in pieces:
            agreement.widen(in_doubles(piece.own, doubles).schema, piece.file)
    records = [as_written(piece, agreement, plan, doubles) for piece in pieces]
    yield from _in_order(records, order)


def as_written(piece: Piece, agreement: Agreement, plan: Plan, doubles: frozenset[str] | None) -> pa.RecordBatch:
    """The rows as they are written; errors as for `Agreement.fitted`.

    Where types may differ, numbers that were measured are doubles: the shortest text of a float32 is another double.

    Args:
        piece: the rows.
        agreement: what the files have in common.
        plan: what was measured.
        doubles: as of `written_in_doubles`; ``None`` where a column may have several types.
    """
    if doubles is not None:
        return replace(piece, own=agreement.fitted(in_doubles(piece.own, doubles), piece.file)).record()
    own = agreement.ordered(piece.own, piece.file)
    for index, field in enumerate(own.schema):
        if field.name in plan.roles.needed and pa.types.is_floating(contents(field.type)):
            cells = plain(own.column(index))
            cells = cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
            own = own.set_column(index, field.name, cells.cast(pa.float64()))
    return replace(piece, own=own).record()


def _worst_of(pieces: Iterator[Piece], most: int) -> list[Piece]:
    """The pieces cut down to the worst rows of all, each in the order of the rows; among equals the first are worse."""
    kept: list[Piece] = []
    for piece in pieces:
        kept.append(piece)
        worst = np.zeros(sum(len(part.loss) for part in kept), dtype=np.bool_)
        worst[_by_loss(kept, most)] = True
        chosen = np.split(worst, np.cumsum([len(part.loss) for part in kept])[:-1])
        cut = (part if rows.all() else part.take(np.flatnonzero(rows)) for part, rows in zip(kept, chosen, strict=True))
        kept = [part for part in cut if len(part.loss)]
    return kept


def _by_loss(pieces: Sequence[Piece], most: int) -> IntArray:
    """Where the worst rows stand, worst first, counted over all pieces."""
    losses = np.concatenate([piece.loss for piece in pieces]) if pieces else np.zeros(0)
    return np.argsort(-losses, kind="stable")[:most]


def _found_again(
    source: Source, plan: Plan, most: int, finish: Finish, running: Running, *, verbatim: bool
) -> tuple[list[Piece], IntArray]:
    """The worst rows as pieces in the order of the rows, and where these stand, worst first, over all pieces."""
    first, *others = plan.models
    models = (replace(first, losses=first.losses[:1]), *(replace(model, losses=()) for model in others))
    ranking = replace(plan, models=models, samples=most, gradient=False)
    folded = fold_rows(source, ranking, lift, nothing(ranking), running, keep=True)
    total, traversal = folded.total, folded.passed
    ended(total, traversal, plan, finish)
    worst = total.parts[0].worst
    rows = [] if worst is None else [int(row) for row in worst.row]
    return _pieces_again(traversal, plan, rows, verbatim=verbatim)


def rows_again(traversal: Traversal, plan: Plan, rows: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Rows of a pass that kept its shards, in that order, as the per-sample table has them; their types may differ.

    Raises:
        DataError: as for `worst_rows`.
    """
    pieces, order = _pieces_again(traversal, plan, rows, verbatim=False)
    yield from _in_order([as_written(piece, Agreement(), plan, None) for piece in pieces], order)


def _pieces_again(
    traversal: Traversal, plan: Plan, rows: Sequence[int], *, verbatim: bool
) -> tuple[list[Piece], IntArray]:
    """Rows of a pass that kept its shards as pieces in the order of the data, and where each of them stands there."""
    pieces: list[Piece] = []
    order: list[int] = []
    for again in read_again(traversal, plan, rows, verbatim=verbatim):
        file, number = traversal.locate(int(again.rows[0]))[0], traversal.numbers(again.rows)
        several = len(traversal.source.files) > 1
        pieces.append(piece_of(plan, again.record, again.batch, file, number, several=several))
        order += again.rows.tolist()
    place = {row: index for index, row in enumerate(order)}
    return pieces, np.array([place[row] for row in rows], dtype=np.int64)


@dataclass(frozen=True)
class Again:
    """Some rows of a pass, read once more: all were measured."""

    rows: IntArray
    """Which of all rows they are, from 0."""
    record: pa.RecordBatch
    """With all of their columns."""
    batch: Batch


def read_again(traversal: Traversal, plan: Plan, rows: Sequence[int], *, verbatim: bool = False) -> Iterator[Again]:
    """Rows of a pass that kept its shards, in the order of the data; errors as for `worst_rows`."""
    for shard, start, local in _by_shard(traversal, rows):
        offset = 0
        for record in traversal.records(shard, start, everything(plan, verbatim=verbatim)):
            places = local[(local >= offset) & (local < offset + record.num_rows)]
            if len(places):
                chosen, batch = _validated(
                    takeable(record).take(in_arrow(places - offset)), plan, traversal, start + int(places[0])
                )
                complain(plan, tally(plan, batch).problems, traversal)
                yield Again(places + start, chosen, batch)
            offset += record.num_rows


def _in_order(records: Sequence[pa.RecordBatch], order: IntArray) -> Iterator[pa.RecordBatch]:
    """Rows of all record batches in an order, those that follow each other and are of the same types together."""
    schemas: list[pa.Schema] = []
    alike: list[list[pa.RecordBatch]] = []
    kind: list[int] = []
    place: list[int] = []
    for record in records:
        if record.schema not in schemas:
            schemas.append(record.schema)
            alike.append([])
        index = schemas.index(record.schema)
        before = sum(other.num_rows for other in alike[index])
        alike[index].append(record)
        kind += [index] * record.num_rows
        place += range(before, before + record.num_rows)
    tables = [pa.Table.from_batches(batches) for batches in alike]
    for index, rows in groupby(order.tolist(), key=kind.__getitem__):
        yield from tables[index].take(in_arrow(np.array([place[row] for row in rows], np.int64))).to_batches()


def _by_shard(traversal: Traversal, rows: Sequence[int]) -> Iterator[tuple[Shard, int, IntArray]]:
    """The shards that hold some rows, where each starts, and which of its rows they are."""
    shards: dict[int, tuple[Shard, list[int]]] = {}
    for row in rows:
        shard, local = traversal.find(row)
        shards.setdefault(row - local, (shard, []))[1].append(local)
    for start, (shard, places) in sorted(shards.items(), key=lambda item: item[0]):
        yield shard, start, np.array(sorted(places), dtype=np.int64)


def piece_of(plan: Plan, record: pa.RecordBatch, batch: Batch, file: str, number: IntArray, *, several: bool) -> Piece:
    """The measurable rows of a record batch, with their numbers, losses and gradients."""
    if batch.position is not None:
        record, number = record.take(in_arrow(batch.position)), number[batch.position]
    columns: list[tuple[str, pa.Array]] = []
    if several:
        columns.append(("file", words_in_arrow([encodable(file)] * record.num_rows)))
    columns.append(("row", in_arrow(number.astype(np.int64))))
    losses: list[FloatArray] = []
    for model, prediction, errors in zip(plan.models, batch.predictions, batch.errors, strict=True):
        for bound in model.losses:
            value, slope = evaluated(
                bound, kernel_label(bound, batch.label, prediction), prediction, errors, gradient=True
            )
            title = "" if len(plan.losses) == 1 else f"_{bound}" if len(plan.models) == 1 else f"_{bound}_{model.name}"
            columns.append((encodable(f"loss{title}"), in_arrow(value)))
            slope = value if slope is None else slope
            columns += _gradient_columns(encodable(f"gradient{title}"), model.columns, slope, prediction)
            losses.append(value)
    titles, measured = zip(*columns, strict=True)
    return Piece(file, titles, measured, losses[0], own_columns(record, plan))


def _gradient_columns(
    title: str, columns: tuple[str, ...], slope: FloatArray, prediction: FloatArray
) -> list[tuple[str, pa.Array]]:
    """A gradient ``(n,)`` or ``(n, k)`` as the prediction is: one column, several, or one of lists."""
    if slope.ndim == 1:
        return [(title, in_arrow(slope))]
    if len(columns) > 1:
        return [(f"{title}_{name}", in_arrow(slope[:, index])) for index, name in enumerate(columns)]
    there = ~np.isnan(prediction)
    if not there.all():
        ends = np.append(0, np.cumsum(there.sum(axis=1)))
        return [(title, pa.ListArray.from_arrays(in_arrow(ends.astype(np.int32)), in_arrow(slope[there])))]
    return [(title, pa.FixedSizeListArray.from_arrays(in_arrow(slope.ravel()), slope.shape[1]))]
