"""From an opened data set to its dossier: one pass for losses, gradients, groups, differences and what is drawn."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.errors import UsageError, option
from lossctl.evaluation.assembly import assemble
from lossctl.evaluation.fold import Folded, fold_rows
from lossctl.evaluation.independence import with_doubts
from lossctl.evaluation.intervals import bounded
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.planner import classless
from lossctl.evaluation.prepared import Prepared, decided
from lossctl.evaluation.running import Running
from lossctl.plots.overview import charts_of
from lossctl.reading.format import Source
from lossctl.reporting.dossier import Dossier
from lossctl.reporting.seen import drawn_of, nothing_seen, said_of, see_rows
from lossctl.reporting.worst import worst_of
from lossctl.sums.thinned import MOST

if TYPE_CHECKING:
    from lossctl.comparison.comparison import Comparison

LARGE = 1 << 21
"""How many rows make a data set large: the best constants then take longer than all the rest."""
MANY = 1 << 13
"""How many groups are many: likewise."""
NUMBER = 8
"""How many bytes a number takes, about."""


@dataclass(frozen=True)
class Asked:
    """What a dossier is to hold beyond what every one does."""

    level: float = 0.95
    """Of the confidence intervals."""
    worst: int = 10
    """How many of the worst rows, and of those that moved most."""
    skill: bool = False
    """Whether the best constants are wanted of large data, too."""
    lags: int = 0
    """Of the differences, as for `lossctl.compare`."""
    anytime: int | bool = False


def compose(
    prepared: Prepared, running: Running, asked: Asked, *, again: Callable[[], Prepared] | None = None
) -> Dossier:
    """Measure a data set and tell all of it.

    Args:
        prepared: the data set, and what is to be measured.
        running: how.
        asked: what else.
        again: opens the data set once more, where that is possible and its parts hold their rows.

    Raises:
        LossctlError: as for `lossctl.evaluate`.
    """
    source, remarks = prepared.source, []
    rows = _about(source, prepared.plan)
    decisions = prepared.plan.layout.decided  # which have no slope, and no constant that would be right
    if decisions and asked.skill:
        raise classless("skill")
    plan = replace(prepared.plan, gradient=not decisions, samples=0, lags=asked.lags)
    if plan.roles.label and not decisions:
        plan = replace(plan, skill=asked.skill or rows <= LARGE)
        if not plan.skill:
            remarks.append(_without_skill("rows"))
    if len(plan.models) > 1:
        apart = _incomparable(plan)
        remarks += [apart] if apart else []
        moved = asked.worst if not (apart or source.once or plan.roles.by) else 0
        plan = replace(plan, paired=not apart, moved=moved)
    if not plan.paired and (asked.lags or asked.anytime):
        flag = option(lags=asked.lags) if asked.lags else option("anytime")
        raise UsageError(f"{flag} is for the differences of models, and none are compared here", "Leave it out.")
    if plan.lags:
        from lossctl.comparison.compare import check_lags  # noqa: PLC0415  (a single model is compared with none)

        check_lags(plan.lags, {"cluster": plan.roles.cluster, "anytime": asked.anytime})
    plan, _, running = decided(source, with_doubts(plan, source, prepared.sides), running)
    least = 1 << max((rows // (2 * MOST)).bit_length() - 1, 0)  # the rest is left out when rows are known
    zero, lift = nothing_seen(plan, asked.worst), partial(see_rows, asked.worst, least)
    folded = fold_rows(source, plan, lift, zero, running, keep=not source.once)
    seen, passed = folded.total, folded.passed
    if plan.skill and not asked.skill and len(seen.counted.keys) > MANY:
        plan, seen = replace(plan, skill=False), replace(seen, counted=replace(seen.counted, labels=None))
        remarks.append(_without_skill("groups"))
    counted = Folded(seen.counted, passed, folded.spent)
    with np.errstate(all="ignore"):
        report = bounded(assemble(plan, seen.counted, passed), asked.level)
        report = replace(report, inputs={**report.inputs, **_joined(prepared)})
        drawn = drawn_of(plan, seen)
        comparison: Comparison | None = None
        if plan.paired:
            from lossctl.comparison.compare import described  # noqa: PLC0415  (likewise)

            comparison = described(prepared, plan, counted, asked.level, asked.anytime, drawn.moves)
    charts = tuple(chart for chart in charts_of(plan, drawn.looks) if chart.panels)
    worst = worst_of(plan, passed, seen.worst, report, running, again) if asked.worst else None
    return Dossier(report, comparison, charts, tuple(said_of(seen)), worst, remarks=tuple(remarks))


def _without_skill(many: str) -> str:
    why = f"it takes longer than all else on so many {many}"
    return f"the skill is left out, for {why}: {option(skill=True)} asks for it"


def _joined(prepared: Prepared) -> dict[str, object]:
    return {} if prepared.joined is None else {"join": prepared.joined}


def _about(source: Source, plan: Plan) -> int:
    """How many rows a data set has, as far as the sizes of files of this machine tell."""
    nbytes = sum(os.path.getsize(file) for file in source.files if os.path.isfile(file))
    lists = sum(max(model.width, 1) - len(model.columns) for model in plan.models)
    return nbytes // (NUMBER * max(len(source.columns) + lists, 1))


def _incomparable(plan: Plan) -> str:
    """Why models are not compared; empty where they are."""
    first, *others = plan.models
    for model in others:
        for ours, theirs in zip(first.losses, model.losses, strict=False):
            if len(first.losses) != len(model.losses) or (ours.name, ours.settings) != (theirs.name, theirs.settings):
                return f"{first.name} and {model.name} are not compared: they are measured by different losses"
    return ""
