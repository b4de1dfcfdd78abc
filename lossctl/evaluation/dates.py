"""How dates that are grouped by periods are read: whether day or month comes first in text, and in which time zone."""

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute

from lossctl.errors import DataError
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import SERIAL
from lossctl.evaluation.traversal import Traversal
from lossctl.inference.grouping import Grouping
from lossctl.inference.layout_planner import LayoutPlanner
from lossctl.reading.cells import text_of
from lossctl.reading.files import narrowed
from lossctl.reading.format import Source, Wanted
from lossctl.reading.instants import first_of
from lossctl.reading.periods import PERIODS
from lossctl.reading.storage import contents
from lossctl.reading.written_dates import Order, order_of

ISO = "Write them as in 2024-03-05, or with points, as in 05.03.2024, where the day comes first."


def with_order(source: Source, planner: LayoutPlanner, plan: Plan) -> Plan:
    """The plan with what comes first in each column of dates that are text, and time zones, said in its notes.

    The first rows are looked at, and where they do not tell, rows up to the first that does.

    Raises:
        DataError: no row tells, or two tell different things.
    """
    groups, notes = list[list[Grouping]](), list[str]()
    for groupings in (plan.roles.by, plan.roles.cluster):
        groups.append([])
        for grouping in groupings:
            if grouping.unit in PERIODS:
                notes.append(_zone(planner, grouping.column))
                if planner.kinds[grouping.column] == "text":
                    grouping, note = _told(source, planner, grouping)  # noqa: PLW2901
                    notes.append(note)
            groups[-1].append(grouping)
    by, cluster = map(tuple, groups)
    plan = plan.grouped_by(by, (*plan.roles.notes, *dict.fromkeys(filter(None, notes))))
    return replace(plan, layout=replace(plan.layout, roles=replace(plan.roles, cluster=cluster)))


def _zone(planner: LayoutPlanner, column: str) -> str:
    """In which time zone the dates of a column are; empty where it has none."""
    cells = planner.head.column(column)
    zone = getattr(contents(cells.type), "tz", None)
    if zone is not None:
        return f"dates of {column!r}: in the time zone of the column, {zone}"
    first = first_of(text_of(cells, column), "instant") if planner.kinds[column] == "text" else None
    return "" if first is None else f"dates of {column!r}: as the clock shows them that is written, such as {first!r}"


def _told(source: Source, planner: LayoutPlanner, grouping: Grouping) -> tuple[Grouping, str]:
    """What is grouped by with its order, and what is to be said of it; errors as for `with_order`."""
    column = grouping.column
    order = _order(planner.head, column)
    if order.slashed and not order.first and not source.once:
        for record in _rows(source, column):
            order += _order(record, column)
            if order.first:
                break
    if order.day and order.month:
        what = (
            f"column {column!r} has dates with the day first, {order.day!r}, and with the month first, {order.month!r}"
        )
        raise DataError(what, ISO)
    title = f"dates of {column!r}"
    if order.slashed and not order.first:
        if grouping.unit == "year":
            return replace(grouping, first="day"), ""  # which is the same either way
        what = f"{title} do not tell day from month: no such number is above 12, as in {order.slashed!r}"
        raise DataError(what, ISO)
    if order.first:
        note = f"{title}: the {order.first} first, as {order.day or order.month} tells"
        return replace(grouping, first=order.first), note
    return grouping, f"{title}: the day first, as in {order.dotted}" if order.dotted else ""


def _rows(source: Source, column: str) -> Iterator[pa.RecordBatch]:
    return Traversal(narrowed(source, {column}), SERIAL).batches(Wanted(frozenset(), frozenset({column})))


def _order(record: pa.RecordBatch, column: str) -> Order:
    words = text_of(record.column(column), column)
    return order_of(pyarrow.compute.unique(words.dictionary_decode() if pa.types.is_dictionary(words.type) else words))
