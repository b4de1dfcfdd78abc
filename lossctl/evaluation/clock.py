"""Where the time goes: nanoseconds of each phase, which add up over shards and workers."""

import time
from collections.abc import Mapping
from dataclasses import field

from lossctl.dataclass import dataclass

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
        for phase, nanoseconds in other.nanoseconds.items():
            total[phase] = total.get(phase, 0) + nanoseconds
        return Spent(total)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by phase, those that took none too."""
        return {phase: self.nanoseconds.get(phase, 0) / 1e9 for phase in PHASES}


class Clock:
    """Measures a run: `mark` counts the time since the last mark to a phase."""

    def __init__(self) -> None:
        self.last = time.perf_counter_ns()
        self.nanoseconds: dict[str, int] = {}

    def mark(self, phase: str) -> None:
        """Count the time since the last mark, or since the clock was made, to a phase."""
        now = time.perf_counter_ns()
        self.nanoseconds[phase] = self.nanoseconds.get(phase, 0) + now - self.last
        self.last = now

    @property
    def spent(self) -> Spent:
        """The time of each phase so far."""
        return Spent(dict(self.nanoseconds))
