"""From a source and a request to what is measured: it is opened and matched, a plan is made, and a pass over it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.errors import LossctlError, Undecided
from lossctl.evaluation.assembly import assemble
from lossctl.evaluation.clock import Spent
from lossctl.evaluation.fold import Folded
from lossctl.evaluation.measure import slopes_of
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.planner import make_plan
from lossctl.evaluation.report import Report
from lossctl.evaluation.running import SERIAL, Running
from lossctl.evaluation.steady import fold_sums
from lossctl.functions.activation import get_activation
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import get_loss
from lossctl.inference.patterns import places_in
from lossctl.inference.request import Request, Settings
from lossctl.reading.files import ensure_heeded, open_source
from lossctl.reading.format import Reading, Source, formats
from lossctl.reading.missing import as_number
from lossctl.reading.selection import ensure_selection, selected
from lossctl.reading.stamp import Stamp

if TYPE_CHECKING:
    from lossctl.evaluation.join import Joined


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
