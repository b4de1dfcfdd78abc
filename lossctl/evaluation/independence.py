"""What is to be said where rows that may move together count as independent, and it is asked how sure values are."""

from collections.abc import Sequence
from dataclasses import replace

from lossctl.evaluation.plan import Plan
from lossctl.inference.repeating import repeating
from lossctl.reading.format import Source
from lossctl.reading.selection import limit_of, where_of


def doubts(plan: Plan, source: Source, sides: Sequence[Source] = ()) -> tuple[str, ...]:
    """That rows of one thing repeat by a column; nothing where somebody says how rows move together.

    Args:
        plan: what is measured.
        source: the rows.
        sides: the data sets that they were matched from.
    """
    roles = plan.roles
    if plan.lags or (*map(str, roles.cluster),) != roles.ids:
        return ()
    chosen = where_of(source) is not None or limit_of(source) is not None
    apart = {*replace(roles, cluster=(), ids=()).needed, *(roles.ids if len(roles.ids) == 1 else ())}
    told = repeating((source, *(() if chosen else sides)), apart)
    return () if told is None else (told.remark,)


def with_doubts(plan: Plan, source: Source, sides: Sequence[Source] = ()) -> Plan:
    """The plan with `doubts` in its notes; arguments likewise."""
    return plan.grouped_by(plan.roles.by, (*plan.roles.notes, *doubts(plan, source, sides)))
