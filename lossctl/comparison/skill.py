"""How sure a claim about skill is: by what rows move the loss by, less what they move the best constant's by.

A skill of at least s is a loss L of at most (1 − s)·L_c, and the same rows move both: L − (1 − s)·L_c by
u − (1 − s)·u_c, as the difference of two models of which one counts in part. That the constant is found in the same
rows moves L_c in second order only, for there it is least. It is known after a pass, so this takes another.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from lossctl.comparison.gate import Measurement
from lossctl.comparison.judge import Claim
from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray
from lossctl.errors import DataError
from lossctl.evaluation.batch import Batch
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.fold import fold_rows
from lossctl.evaluation.group_keys import Group
from lossctl.evaluation.measure import lift, nothing
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan, PlannedModel
from lossctl.evaluation.report import Report
from lossctl.evaluation.running import Running
from lossctl.evaluation.scores import Scores
from lossctl.reading.format import Source
from lossctl.sums.estimate import Estimate

ROUNDING = 2.0**-45
"""The part of a limit within which a loss is on it, up to rounding: one that predicts the best constant itself is."""
ONCE = "how sure it is takes a second pass: save what can be read only once to a file first"


@dataclass(frozen=True)
class Skill:
    """What is claimed: that a loss of a model has at least this skill."""

    loss: str
    model: str
    limit: float
    pooled: bool
    """Whether the best constant is that of all groups together."""


@dataclass(frozen=True)
class Constant:
    """The best constant as a model."""

    beside: int
    """The place of the model that is held against it."""
    width: int
    """How many numbers that predicts, 0 for a plain one."""
    numbers: Mapping[Group, float | tuple[float, ...]]
    """Its predictions, by group; those for the group without a name are for all."""

    def predict(self, batch: Batch) -> FloatArray:
        """Its predictions of rows, ``(n,)`` or ``(n, k)``; NaN where there are none."""
        known = [self.numbers.get(key, self.numbers.get((), math.nan)) for key in batch.keys]
        table = np.array([np.broadcast_to(numbers, max(self.width, 1)) for numbers in known])
        rows = table[np.zeros(len(batch.label), dtype=np.int64) if batch.groups is None else batch.groups.code]
        return np.asfortranarray(rows) if self.width else rows[:, 0]


def surely(
    claims: Sequence[Sequence[Claim]], source: Source, plan: Plan, report: Report, running: Running, *, once: bool
) -> list[list[Claim]]:
    """Claims, with the standard error that those about skill have.

    Args:
        claims: with what was measured of them.
        source: the data.
        plan: what was to be measured.
        report: what came of it.
        running: how to read the data again.
        once: whether there may be data that can be read only once; of these no standard error is known.

    Raises:
        DataError: the data cannot be read again.
    """
    asked = dict.fromkeys(skill for listed in claims for claim in listed if (skill := _skill(claim, plan)) is not None)
    if not asked:
        return [*map(list, claims)]
    try:
        scores = _scores([*asked], source, plan, report, running)
    except DataError:
        if not once:
            raise
        return [[_unsure(claim, plan) for claim in listed] for listed in claims]
    margins = {
        pooled: _Margins(scores.pooled() if pooled else scores, [*asked])
        for pooled in dict.fromkeys(skill.pooled for skill in asked)
    }
    return [[_sure(claim, plan, margins) for claim in listed] for listed in claims]


class _Margins:
    """By how much losses are above what they are held against, and how sure that is."""

    def __init__(self, scores: Scores, asked: Sequence[Skill]) -> None:
        self.scores, self.number = scores, {skill: number for number, skill in enumerate(asked)}
        self.group = {key: group for group, key in enumerate(scores.total.keys)}

    def of(self, skill: Skill, group: Group) -> Estimate:
        """That of a model in a group."""
        place = self.number[skill]
        part, (_, second) = 1.0 - skill.limit, self.scores.plan.pairs[place]
        scaled = self.scores.plan.measures[second].reduction.row_factor(part) is not None
        return self.scores.difference(place, self.group[group], 1.0 if scaled else part)


def _sure(claim: Claim, plan: Plan, margins: Mapping[bool, _Margins]) -> Claim:
    """The claim with its standard error, where it is about skill; ``margins`` by whether they are of all groups."""
    gate, measured = claim
    skill = _skill(claim, plan)
    if skill is None or isinstance(measured, str):
        return claim
    margin = margins[skill.pooled].of(skill, tuple(measured.group.values()))
    on_limit = margin.same or math.isclose(measured.value, measured.limit, rel_tol=ROUNDING)
    return gate, replace(measured, estimate=replace(margin, value=measured.limit if on_limit else measured.value))


def _skill(claim: Claim, plan: Plan) -> Skill | None:
    """The skill that is claimed; ``None`` where none is, or nothing was measured."""
    gate, measured = claim
    if gate.kind != "min_skill" or isinstance(measured, str):
        return None
    return Skill(measured.loss, measured.model, gate.limit, bool(plan.roles.by) and not measured.group)


def _unsure(claim: Claim, plan: Plan) -> Claim:
    """The claim without a standard error, where it is about skill."""
    gate, measured = claim
    if _skill(claim, plan) is None or not isinstance(measured, Measurement):
        return claim
    return gate, replace(measured, estimate=replace(measured.estimate, standard_error=math.nan), note=ONCE)


def _scores(asked: Sequence[Skill], source: Source, plan: Plan, report: Report, running: Running) -> Scores:
    """What comes of a pass in which each model of which a skill is claimed is held against the best constant."""
    bare = replace(
        plan, gradient=False, samples=0, skill=False, paired=False, lags=0, moved=0, judged=True, drawn=False
    )
    models: list[PlannedModel] = []
    constants: list[Constant] = []
    for skill in asked:
        place, model = next(pair for pair in enumerate(plan.models) if pair[1].name == skill.model)
        bound = next(bound for bound in model.losses if str(bound) == skill.loss)
        factor = bound.reduced.row_factor(1.0 - skill.limit)
        best = PlannedModel("best constant", (), model.width, (bound.through(None),), 1.0 if factor is None else factor)
        models += [best, replace(model, losses=(bound,))]
        constants.append(Constant(place, model.width, dict(_numbers(skill, report))))
    beside = replace(bare, models=tuple(models), held=True)
    folded = fold_rows(source, bare, partial(_lift, beside, tuple(constants)), nothing(beside), running)
    return Scores(beside, folded.total)


def _numbers(skill: Skill, report: Report) -> Iterator[tuple[Group, float | tuple[float, ...]]]:
    """The best constant of each group."""
    for result in report.overall if skill.pooled else report.results:
        if (result.loss, result.model) == (skill.loss, skill.model) and result.best_constant is not None:
            yield tuple(result.group.values()), result.best_constant.constant


def _lift(beside: Plan, constants: tuple[Constant, ...], _plan: Plan, batch: Batch, clock: Clock) -> Measured:
    """The sums over a batch that was read for a plan without constants."""
    if not len(batch.label):
        return lift(beside, batch, clock)
    both = [(constant.predict(batch), batch.predictions[constant.beside]) for constant in constants]
    errors = [(None, batch.errors[constant.beside]) for constant in constants]
    rounded = [batch.rounded[constant.beside] for constant in constants]
    batch = replace(
        batch,
        predictions=tuple(prediction for pair in both for prediction in pair),
        errors=tuple(error for pair in errors for error in pair),
        finite=tuple(known for constant in constants for known in (False, batch.finite[constant.beside])),
        rounded=tuple(counts for counts in rounded for _ in range(2)),
    )
    return lift(beside, batch, clock)
