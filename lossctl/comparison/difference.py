"""How one model differs from another in one loss and group.

A field is a column: JSON, CSV and data frames have it by its name, in this order.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Literal

from lossctl.comparison.moves import Move
from lossctl.dataclass import dataclass
from lossctl.functions.parameter import Value, in_json, spell
from lossctl.sums.estimate import Estimate
from lossctl.words import free

Verdict = Literal["better", "worse", "no evidence", "not trusted"]
LEAST_GOOD: tuple[Verdict, ...] = ("worse", "not trusted", "no evidence", "better")
"""The verdicts, the least good first."""


@dataclass(frozen=True)
class Difference:
    """One loss of a model beside that of the baseline, on the same rows."""

    loss: str
    """The loss as a user would type it: ``huber:delta=0.5``."""
    parameters: Mapping[str, Value]
    """Every parameter with its effective value."""
    reduction: str
    """How rows become the value."""
    model: str
    """The name of the model."""
    against: str
    """The model that is the baseline."""
    group: Mapping[str, str | None]
    """The values of the group-by columns; empty without them."""
    n: int
    """Rows measured."""
    clusters: int | None
    """How many clusters there are, or buckets of them; ``None`` where rows move by themselves."""
    baseline: float
    """The value of the baseline."""
    value: float
    """The value of the model."""
    difference: float
    """value − baseline: a loss, so below 0 is better."""
    relative: float
    """difference / ∣baseline∣; NaN where that is 0."""
    standard_error: float
    """That of the difference, of rows or clusters in pairs."""
    ci_low: float
    """The lower end of the confidence interval of the difference, of both sides."""
    ci_high: float
    """The upper end."""
    p: float
    """How likely a difference as large is by chance where there is none; NaN of intervals that hold at any time."""
    q: float
    """The rate of false discoveries at which it would be one, among all of the table: Benjamini & Hochberg 1995."""
    better: float
    """The share of rows on which the model's loss is smaller."""
    worse: float
    """The share of rows on which it is larger."""
    tied: float
    """The share of rows on which it is the same."""
    correlation: float
    """Of what rows move both values by; NaN where one is not moved, or rounding hides it."""
    top_share: float
    """The largest part of the sum of squares that one row or cluster carries."""
    verdict: Verdict
    """What the interval says, if it is to be trusted."""
    estimate: Estimate
    """The difference, and how sure it is."""
    doubt: str = ""
    """Why the interval is not to be trusted; empty where it is."""
    samples: tuple[Move, ...] = ()
    """The rows that moved most: those that got worse, then those that got better."""

    @classmethod
    def of(
        cls,
        estimate: Estimate,
        level: float,
        *,
        baseline: float,
        value: float,
        better: int,
        worse: int,
        proof: Estimate | None,
        **known: Any,
    ) -> "Difference":
        """What follows from an estimate at a level of confidence.

        Args:
            estimate: of the difference.
            level: of the interval.
            baseline: the value of the baseline.
            value: that of the model.
            better: on how many rows the model's loss is smaller.
            worse: on how many it is larger.
            proof: a difference on the same side of 0 that rows move by themselves, to go by where one of them carries
                too much; ``None`` where there is none.
            known: the other fields that do not follow; q is that of the difference alone.
        """
        low, high = estimate.interval(level)
        p, n = estimate.p_value(), estimate.n
        parts = [math.nan] * 3 if not n else [better / n, worse / n, (n - better - worse) / n]
        return cls(
            n=n,
            clusters=estimate.clusters,
            baseline=baseline,
            value=value,
            difference=estimate.value,
            relative=0.0 if estimate.value == 0.0 else estimate.value / abs(baseline) if baseline else math.nan,
            standard_error=estimate.standard_error,
            ci_low=low,
            ci_high=high,
            p=p,
            q=p,
            better=parts[0],
            worse=parts[1],
            tied=parts[2],
            top_share=estimate.top_share,
            verdict=_verdict(estimate, proof, level),
            estimate=estimate,
            doubt=estimate.doubt,
            **known,
        )

    @property
    def is_shown(self) -> bool:
        """Whether there is evidence of a difference, one way or the other."""
        return self.verdict in {"better", "worse"}

    def to_dict(self) -> dict[str, Any]:
        """The difference in numbers, strings and dictionaries."""
        left_out = {"estimate", "samples"}
        plain = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in left_out}
        samples = {"samples": [move.to_dict() for move in self.samples]} if self.samples else {}
        return {**plain, "parameters": in_json(self.parameters), "group": dict(self.group), **samples}

    def to_row(self) -> dict[str, Any]:
        """The difference as a flat row; a group-by column called like one of ours has ``by_`` in front of its name."""
        plain = self.to_dict()
        plain.pop("samples", None)
        plain["parameters"] = ",".join(f"{name}={spell(value)}" for name, value in self.parameters.items())
        groups: dict[str, str | None] = {}
        for name, word in plain.pop("group").items():
            title = free(name, {*_TITLES, *self.group, *groups}, "by_") if name in _TITLES else name
            groups[title] = word
        leading = {name: plain.pop(name) for name in ("loss", "parameters", "reduction", "model", "against")}
        return {**leading, **groups, **plain}


_TITLES = {field.name for field in fields(Difference)}
"""What the columns of a row are called."""


def _verdict(estimate: Estimate, proof: Estimate | None, level: float) -> Verdict:
    low, high = estimate.interval(level)
    side = 1 if low > 0.0 else -1 if high < 0.0 else 0
    if estimate.doubt:
        is_shown = side != 0 and estimate.doubted == "share" and proof is not None and proof.side(level) == side
        if not is_shown:
            return "not trusted"
    return "worse" if side > 0 else "better" if side < 0 else "no evidence"


def with_false_discovery(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """The differences with q-values among all of them whose p is known: Benjamini & Hochberg 1995."""
    known = sorted(
        (place for place, one in enumerate(differences) if not math.isnan(one.p)),
        key=lambda place: differences[place].p,
    )
    q, least = dict.fromkeys(range(len(differences)), math.nan), 1.0
    for rank in range(len(known), 0, -1):
        place = known[rank - 1]
        least = min(least, differences[place].p * len(known) / rank)
        q[place] = least
    return tuple(replace(one, q=q[place]) for place, one in enumerate(differences))
