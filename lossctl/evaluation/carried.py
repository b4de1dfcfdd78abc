"""The columns that rows have beside what is measured of them, as they stand in the per-sample table."""

from dataclasses import replace

import pyarrow as pa

from lossctl.evaluation.plan import Plan
from lossctl.reading.agreement import Agreement
from lossctl.reading.cells import BadRow
from lossctl.reading.files import beginnings
from lossctl.reading.format import Mixed, Shard, Source, Wanted
from lossctl.reading.rounding import lists_in_doubles
from lossctl.reading.rows import first_rows
from lossctl.reading.storage import takeable
from lossctl.reading.written import written_numbers


def agreed(source: Source, plan: Plan, *, verbatim: bool, several_types: bool) -> tuple[Agreement, bool]:
    """What the columns of the files have in common, and whether it takes reading them as text; errors as below."""
    if several_types or len(source.files) == 1:
        return Agreement(), verbatim
    try:
        return _foreseen(source, plan, everything(plan, verbatim=verbatim)), verbatim
    except Mixed:
        return _foreseen(source, plan, everything(plan, verbatim=True)), True  # as text, files of text agree


def _foreseen(source: Source, plan: Plan, wanted: Wanted) -> Agreement:
    """What the columns of the files have in common, as far as files can be looked at before they are read.

    Raises:
        Mixed: the types of a column have nothing in common.
        DataError: a file cannot be opened.
    """
    agreement, doubles = Agreement(), written_in_doubles(source, plan)
    for shard in beginnings(source):
        begin(agreement, shard, plan, wanted, doubles)
    return agreement


def begin(agreement: Agreement, shard: Shard, plan: Plan, wanted: Wanted, doubles: frozenset[str] | None) -> None:
    """Have an agreement take in the columns of the first rows of a shard; one that is bad is said in its turn.

    Raises:
        Mixed: the types of a column have nothing in common.
        DataError: it cannot be read.
    """
    try:
        record = first_rows(shard, wanted)
    except BadRow:
        return
    if record is not None:
        record = lists_in_doubles(takeable(record), plan.layout.wanted().numbers)
        record = record if doubles is None else in_doubles(record, doubles)
        agreement.widen(own_columns(record, plan).schema, shard.file)


def counted_by(plan: Plan) -> Wanted:
    """A column of those that are needed, to count rows by."""
    wanted = plan.layout.wanted()
    numbers = min(wanted.numbers, default=None)
    return Wanted(frozenset(() if numbers is None else (numbers,)), wanted.texts if numbers is None else frozenset())


def written_in_doubles(source: Source, plan: Plan) -> frozenset[str]:
    """The columns that are numbers, and may come as numerals where text holds integers that are no doubles."""
    return plan.layout.wanted().numbers & {column.name for column in source.columns if column.kind == "number"}


def in_doubles(record: pa.RecordBatch, names: frozenset[str]) -> pa.RecordBatch:
    """The rows with doubles where those columns came as numerals: a column has one type."""
    for index, field in enumerate(record.schema):
        if field.name in names and pa.types.is_string(field.type):
            record = record.set_column(index, field.name, written_numbers(record.column(index), field.name))
    return record


def everything(plan: Plan, *, verbatim: bool) -> Wanted:
    """All columns, as they are read for the per-sample table."""
    return replace(plan.layout.wanted(others=True), verbatim=verbatim)


def own_columns(record: pa.RecordBatch, plan: Plan) -> pa.RecordBatch:
    """The rows without the fields that were read out of their columns."""
    if not plan.roles.inside:
        return record
    return record.select([place for place, name in enumerate(record.schema.names) if name not in plan.roles.inside])
