"""The per-sample table by several workers: each makes some rows as they are written, and they are put in order here."""

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from lossctl.dataclass import dataclass
from lossctl.domain import IntArray
from lossctl.errors import LossctlError
from lossctl.evaluation.carried import agreed, begin, counted_by, everything, written_in_doubles
from lossctl.evaluation.complaints import complain
from lossctl.evaluation.measure import nothing, tally
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import Running
from lossctl.evaluation.samples import (
    Finish,
    as_written,
    ended,
    every_row,
    measurable,
    next_piece,
    piece_of,
)
from lossctl.evaluation.traversal import Traversal
from lossctl.reading.agreement import Agreement
from lossctl.reading.cells import BadRow
from lossctl.reading.files import beginnings
from lossctl.reading.format import Format, Shard, Source, Wanted
from lossctl.reading.numbered import numbered, rows_before
from lossctl.reading.rows import Kept, plain_rows
from lossctl.reading.selection import limit_of
from lossctl.reading.writing import CheckedWriter

HELD = 1 << 26
"""About how many bytes a worker makes of a shard at most: what comes after is made in turn."""


@dataclass(frozen=True)
class Sent:
    """Rows, which are pickled without those that stand beside them in memory."""

    record: pa.RecordBatch

    def __reduce__(self) -> tuple[Any, ...]:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.record.schema) as writer:
            writer.write_batch(self.record)
        return _received, (sink.getvalue(),)


def _received(stream: pa.Buffer) -> Sent:
    with pa.ipc.open_stream(stream) as reader:
        return Sent(reader.read_next_batch())


@dataclass(frozen=True)
class Written:
    """Rows as a format writes them."""

    schema: pa.Schema
    num_rows: int
    text: bytes | pa.Buffer


@dataclass(frozen=True)
class Made:
    """What became of a record batch."""

    tally: Measured
    rows: Written | Sent | LossctlError
    """They, or what is wrong with them."""

    @property
    def nbytes(self) -> int:
        """About how many bytes they take."""
        if isinstance(self.rows, LossctlError):
            return 0
        return len(self.rows.text) if isinstance(self.rows, Written) else int(self.rows.record.nbytes)


@dataclass(frozen=True)
class Part:
    """What became of a shard, or, where that is too much, of its first rows."""

    made: tuple[Made, ...]
    before: int
    """How many rows of the file were thought to come before it."""
    rows: int
    kept: Kept
    failure: BadRow | LossctlError | None = None
    """Why there are no rows after these."""
    whole: bool = True


@dataclass(frozen=True)
class Maker:
    """Makes rows of the table of the rows of a shard."""

    plan: Plan
    wanted: Wanted
    agreement: Agreement
    doubles: frozenset[str] | None
    target: Format
    several: bool

    def __call__(self, shard: Shard) -> Part:
        """The rows of a numbered shard; what is wrong with one of them is said behind those before it."""
        kept, rows, held, before = Kept(), 0, 0, rows_before(shard)
        made: list[Made] = []
        failure: BadRow | LossctlError | None = None
        try:
            for record in plain_rows(shard, self.wanted, kept):
                if held >= HELD:
                    return Part(tuple(made), before, rows, kept, whole=False)
                places = kept.places(np.arange(rows, rows + record.num_rows + 1))[:-1]
                try:
                    made.append(self._made(record, shard.file, before + places + 1))
                except BadRow as bad:  # which counts among the rows of the record batch
                    failure = BadRow(int(places[bad.row]), bad.what, bad.hint)
                    break
                rows, held = rows + record.num_rows, held + made[-1].nbytes
        except (BadRow, LossctlError) as error:
            failure = error
        return Part(tuple(made), before, rows, kept, failure)

    def _made(self, record: pa.RecordBatch, file: str, number: IntArray) -> Made:
        """Some rows by their numbers in their file; a `BadRow` for one that cannot be read."""
        with np.errstate(all="ignore"):
            read, batch = measurable(record, self.plan)
            counts = tally(self.plan, batch)
            if any(batch.problems.of("error")):
                return Made(counts, Sent(record.slice(0, 0)))
            try:
                piece = piece_of(self.plan, read, batch, file, number, several=self.several)
                rows = as_written(piece, self.agreement, self.plan, self.doubles)
                text = CheckedWriter(self.target, io.BytesIO(), rows.schema).encoded(rows)
            except LossctlError as error:
                return Made(counts, error)
        return Made(counts, Sent(rows) if text is None else Written(rows.schema, rows.num_rows, text))


def shared_rows(
    source: Source,
    plan: Plan,
    finish: Finish,
    running: Running,
    target: Format,
    *,
    verbatim: bool = False,
    several_types: bool = False,
) -> Iterator[pa.RecordBatch | Written]:
    """As `every_row`, by the workers of an engine, and of text as the format ``target`` writes it.

    What can be read only once, is in memory, or is not read to its end is left to one worker.
    """
    passed = numbered(source, counted_by(plan))
    alone = running.engine == "serial" or running.threads == 1
    if passed is None or alone or limit_of(source) is not None:
        yield from every_row(source, plan, finish, verbatim=verbatim, several_types=several_types)
        return
    agreement, verbatim = agreed(source, plan, verbatim=verbatim, several_types=several_types)
    wanted, doubles = everything(plan, verbatim=verbatim), None if several_types else written_in_doubles(source, plan)
    if agreement.names is None:
        for shard in islice(beginnings(source), 1):
            begin(agreement, shard, plan, wanted, doubles)
    maker = Maker(plan, wanted, agreement, doubles, target, len(source.files) > 1)
    traversal, total = Traversal(passed, running), nothing(plan)
    for shard, part in traversal.map(maker):
        numbered_right = part.before == traversal.before and agreement.names is not None
        for made in part.made if numbered_right else ():
            total = total + made.tally
            complain(plan, total.problems, traversal)
            if isinstance(made.rows, LossctlError):
                raise made.rows
            yield made.rows if isinstance(made.rows, Written) else made.rows.record
        if numbered_right and part.failure is not None:
            raise traversal.failed(part.failure) if isinstance(part.failure, BadRow) else part.failure
        if not (numbered_right and part.whole):
            for record in traversal.rest(shard, wanted, part.rows if numbered_right else 0):
                total, piece = next_piece(record, plan, traversal, total)
                yield as_written(piece, agreement, plan, doubles)
    ended(total, traversal, plan, finish)
