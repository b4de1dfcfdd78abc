"""A gate: a claim about one loss that a build has to keep, decided in three states."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Literal

from lossctl.comparison.wording import spelled
from lossctl.dataclass import dataclass
from lossctl.errors import UsageError
from lossctl.sums.estimate import TOP_SHARE, Estimate

State = Literal["pass", "fail", "inconclusive", "error", "info"]
"""What came of a claim; ``info`` where it is told what was measured, and nothing is decided."""
Kind = Literal["max", "max_increase", "min_skill", "min_n"]
FailIf = Literal["proven", "point"]
PassIf = Literal["not failed", "proven"]
OnInconclusive = Literal["pass", "warn", "fail"]

ABOVE = "above the limit, but not proven"
STRICTER = 'pass_if = "proven" would leave it open, fail_if = "point" fail it'
"""What makes more of a value above the limit that is not proven to be."""


@dataclass(frozen=True)
class Gate:
    """A claim about a loss.

    Raises:
        UsageError: it is no claim, or its settings contradict each other.
    """

    name: str
    kind: Kind
    limit: float
    """What the loss, its increase, the skill or the number of rows is held against; of an increase by `percent` as a
    part of the baseline: 0.005 is 0.5 %."""
    percent: bool = False
    loss: str | None = None
    """The loss as a user types it; ``None`` for the only one there is."""
    model: str | None = None
    """Which model; ``None`` for every one that is not the baseline."""
    by: tuple[str, ...] = ()
    """The columns of which each group is a claim of its own; empty for one claim about all rows."""
    only: Mapping[str, str | None] = field(default_factory=dict)
    """Which of these groups, by the values of some of the columns; empty for all."""
    confidence: float = 0.95
    fail_if: FailIf = "proven"
    pass_if: PassIf = "not failed"
    on_inconclusive: OnInconclusive = "warn"
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What is its own of the data: ``file``, ``baseline``, and arguments of `lossctl.check_gates` by name."""

    @property
    def claim(self) -> str:
        """What it claims, in words."""
        of = f" of {self.model}" if self.model is not None else ""
        loss = (self.loss or "the loss") + of
        limit = f"{100.0 * self.limit:.15g} %" if self.percent else f"{self.limit:.15g}"
        baseline = self.settings.get("baseline")
        over = "the first model" if baseline is None else baseline if isinstance(baseline, str) else "the baseline"
        claim = {
            "max": f"{loss} <= {limit}",
            "max_increase": f"increase of {loss} over {over} <= {limit}",
            "min_skill": f"skill of {loss} >= {limit}",
            "min_n": f"n{of} >= {limit}",
        }[self.kind]
        only = spelled(self.only)
        return claim + (f", at {only}" if only else f", by {', '.join(self.by)}" if self.by else "")

    def __post_init__(self) -> None:
        if math.isnan(self.limit):
            raise UsageError(f"gate {self.name!r}: nan can neither hold nor fail")
        if not 0.0 < self.confidence < 1.0:
            raise UsageError(
                f"gate {self.name!r}: confidence {self.confidence:g} is not between 0 and 1", "Such as 0.95."
            )
        unknown = [name for name in self.only if name not in self.by]
        if unknown:
            what = f"gate {self.name!r}: only {unknown[0]!r} is no column that it is by"
            raise UsageError(what, f"Say by = [{', '.join(map(repr, self.only))}].")
        if self.kind == "min_n" and (self.limit < 1 or self.limit != int(self.limit)):
            raise UsageError(f"gate {self.name!r}: min_n {self.limit:g} is no number of rows", "Such as 100.")
        if self.kind == "min_skill" and self.limit > 1.0:
            raise UsageError(f"gate {self.name!r}: no skill is above 1", "1 is a perfect model, 0 the best constant.")


@dataclass(frozen=True)
class Measurement:
    """What a gate is held against in one group of one model."""

    loss: str
    model: str
    group: Mapping[str, str | None]
    estimate: Estimate
    """Of the claim's left side; a claim is that it is at most `limit`."""
    limit: float
    value: float
    """The loss of the model."""
    baseline: float | None = None
    """The loss of the baseline, where one is needed."""
    constant: float | None = None
    """The loss of the best constant, likewise."""
    share: float = 1.0
    """The part of the rows that it is of, chosen by chance, of those that it is meant of; 0 where others are in it."""
    note: str = ""
    """What else is to be said of it."""
    chance: float = 1.0
    """How likely the loss is so high if the claim is true, whatever its rows are like; 1 where nobody knows."""
    power: float = 1.0
    """The power of the left side that is a mean of rows, or a sum; NaN where there is none, or it is of several."""

    def least(self, confidence: float) -> float:
        """The lower bound of the claim's left side.

        Where one row or cluster carries too much, without it. NaN where nobody knows.
        """
        if not self.estimate.doubted:
            return self.estimate.lower(confidence)
        return math.nan if self.others is None else self._of_power(self.others.lower(confidence))

    def is_wrong(self, confidence: float) -> bool:
        """Whether the claim is proven wrong; by chance alone, where the interval is not to be trusted."""
        return self.least(confidence) > self.limit or (bool(self.estimate.doubted) and self.chance < 1.0 - confidence)

    @property
    def without(self) -> float:
        """The left side without the row or cluster that carries too much; NaN where none does, or nobody knows.

        Of rows or clusters of unlike weights nobody does.
        """
        known = self.others if self.estimate.are_alike else None
        return math.nan if known is None else self._of_power(known.value)

    def _of_power(self, number: float) -> float:
        """The left side where `others` are at a number."""
        return number if self.power == 1.0 else self.estimate.value * max(number, 0.0) ** (1.0 / self.power)

    @property
    def p(self) -> float:
        """How likely the left side is as far above the limit by chance, by the same bounds; NaN where nobody knows."""
        value, limit, power = self.estimate.value, self.limit, self.power
        if not self.estimate.doubted:
            return self.estimate.p_above(limit)
        part = max(limit, 0.0) / value if value > 0.0 else math.nan
        without = math.nan if self.others is None else self.others.p_above(limit if power == 1.0 else part**power)
        return self.chance if math.isnan(without) else min(without, self.chance)

    @property
    def others(self) -> Estimate | None:
        """As `Estimate.others`; of a power as a part of that of the value."""
        estimate, power = self.estimate, self.power
        if power == 1.0:
            return estimate.others
        if math.isnan(power) or not estimate.value > 0.0:
            return None
        return replace(estimate, value=1.0, standard_error=power * estimate.standard_error / estimate.value).others

    @property
    def is_of_others(self) -> bool:
        """Whether it is above the limit without the row or cluster that carries too much, too.

        Nobody knows where that carries so much that there may be a second of its kind.
        """
        return self.without > self.limit and self.estimate.top_share <= 2.0 * TOP_SHARE


@dataclass(frozen=True)
class Verdict:
    """What was decided of a gate in one group of one model."""

    gate: Gate
    state: State
    measured: Measurement | None
    """``None`` where nothing was measured."""
    confidence: float
    """That of the bounds, after Holm's adjustment."""
    p: float
    """How likely the value is as far above the limit by chance; NaN where that is not asked."""
    reason: str = ""
    """Why it is inconclusive or an error, or why nothing was decided; of a pass above the limit, why it is one."""

    @property
    def is_unproven(self) -> bool:
        """Whether it passes with a value above the limit, for that is not proven to be above."""
        measured = self.measured
        return self.state == "pass" and measured is not None and measured.estimate.value > measured.limit

    @property
    def exit_status(self) -> int:
        """What this verdict alone would be for the exit status."""
        if self.state == "inconclusive":
            return 4 if self.gate.on_inconclusive == "fail" else 0
        return {"pass": 0, "info": 0, "fail": 1, "error": 3}[self.state]


def decide(claims: Sequence[tuple[Gate, Measurement | str]]) -> list[Verdict]:
    """Decide claims, of which those that fail where they are proven wrong are adjusted for their number.

    A claim is proven wrong where the lower bound of its left side is above the limit. With m such claims each at its
    own confidence, one that is true would fail more often than one stands for: Holm 1979 holds the rate of all.
    Claims that pass where they are proven need no adjustment: a build passes only if all do (Berger 1982,
    doi:10.1080/00401706.1982.10487790).

    Args:
        claims: each with what was measured, or why nothing was.
    """
    p = {
        place: measured.p
        for place, (gate, measured) in enumerate(claims)
        if isinstance(measured, Measurement) and gate.fail_if == "proven" and gate.kind != "min_n"
    }
    known = [place for place in p if not math.isnan(p[place])]
    ranked = sorted(known, key=lambda place: p[place] / (1.0 - claims[place][0].confidence))
    confidence: dict[int, float] = {}
    for rank, place in enumerate(ranked):
        confidence[place] = 1.0 - (1.0 - claims[place][0].confidence) / (len(ranked) - rank)
    failed: set[int] = set()
    for place in ranked:
        measured = claims[place][1]
        if isinstance(measured, str) or not measured.is_wrong(confidence[place]):
            break  # and none that is less unlikely is proven wrong
        failed.add(place)
    return [
        _decided(gate, measured, confidence.get(place, gate.confidence), p.get(place, math.nan), wrong=place in failed)
        for place, (gate, measured) in enumerate(claims)
    ]


def _decided(gate: Gate, measured: Measurement | str, confidence: float, p: float, *, wrong: bool) -> Verdict:
    """The verdict on one claim, of which is known whether it is proven wrong."""
    verdict = _by_itself(gate, measured, confidence, p, wrong=wrong)
    if verdict.state == "pass" and verdict.measured is not None and _might_fail(verdict.measured, verdict):
        reason = "row by row it might fail: save the baseline anew"
        return replace(verdict, state="inconclusive", reason=reason)
    return replace(verdict, reason=f"{ABOVE}; {STRICTER}") if verdict.is_unproven else verdict


def _might_fail(measured: Measurement, verdict: Verdict) -> bool:
    """Whether a claim that passes on a part of the rows, chosen by chance, might have failed on all of them.

    On all, the value is within two standard errors of their difference, √(1 − share) of that of the part; and the bound
    is nearer to the value, by √share.
    """
    estimate, share = measured.estimate, measured.share
    if share >= 1.0 or share == 0.0 or not estimate.is_known:
        return share == 0.0
    value = estimate.value + 2.0 * math.sqrt(1.0 - share) * estimate.standard_error
    reach = estimate.value - estimate.lower(verdict.confidence) if verdict.gate.fail_if == "proven" else 0.0
    return value - math.sqrt(share) * reach > measured.limit


def _by_itself(gate: Gate, measured: Measurement | str, confidence: float, p: float, *, wrong: bool) -> Verdict:
    """As `_decided`, of the rows that were measured."""
    if isinstance(measured, str):
        return Verdict(gate, "error", None, confidence, math.nan, measured)
    estimate, limit = measured.estimate, measured.limit
    if math.isnan(estimate.value) or math.isnan(limit):
        return Verdict(gate, "error", measured, confidence, p, "it is not a number, and nothing was measured")
    sure = gate.kind == "min_n" or estimate.same or math.isinf(estimate.value)
    by_value: State = "fail" if estimate.value > limit else "pass"
    if sure or (gate.fail_if == "point" and (by_value == "fail" or gate.pass_if != "proven")):
        return Verdict(gate, by_value, measured, confidence, p)
    if wrong:
        return Verdict(gate, "fail", measured, confidence, p)
    if estimate.doubt:
        above = by_value == "fail" and not measured.is_of_others
        if gate.kind == "max" and gate.pass_if != "proven" and not above:
            return Verdict(gate, "pass", measured, confidence, p)  # no bound is above the number
        return Verdict(gate, "inconclusive", measured, confidence, p, f"not trusted: {estimate.doubt}")
    if gate.pass_if == "proven" and not estimate.upper(gate.confidence) <= limit:
        return Verdict(gate, "inconclusive", measured, confidence, p, "neither proven wrong nor right")
    return Verdict(gate, "pass", measured, confidence, p)
