"""Where the time goes: nanoseconds of each phase, which add up over shards and workers."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

PHASES = ("import", "open", "read", "validate", "compute", "reduce", "render")
"""In the order in which a run meets them."""


@dataclass(frozen=True)
class Spent:
    """Time by phase."""

    nanoseconds: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Spent") -> "Spent":
        if not self.nanoseconds or not other.nanoseconds:
            return self if self.nanoseconds else other
        total = dict(self.nanoseconds)
        for phase, time_ in other.nanoseconds.items():
            total[phase] = total.get(phase, 0) + time_
        return Spent(total)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by phase, those that took none too."""
        return {phase: self.nanoseconds.get(phase, 0) / 1e9 for phase in PHASES}


class Clock:
    """Gives the time since it was last asked to a phase."""

    def __init__(self) -> None:
        self.last = time.perf_counter_ns()
        self.found: dict[str, int] = {}

    def mark(self, phase: str) -> None:
        """What was done until now was of that phase."""
        now = time.perf_counter_ns()
        self.found[phase] = self.found.get(phase, 0) + now - self.last
        self.last = now

    @property
    def spent(self) -> Spent:
        """All so far."""
        return Spent(dict(self.found))
