"""What a chart is: panels of named series over axes with units. How it looks is the business of its writers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

FAR = 1e300
"""No axis goes further: lengths and steps stay finite."""
Mark = Literal["line", "points", "bars", "heat"]


@dataclass(frozen=True)
class Axis:
    """One axis of a panel."""

    title: str
    low: float
    high: float
    """Where it begins and ends: what lies beyond is in the series all the same, and not drawn."""
    names: tuple[str, ...] = ()
    """What 0, 1, 2, … stand for, where the axis is one of categories."""


@dataclass(frozen=True)
class Series:
    """One named set of numbers of a panel."""

    name: str
    mark: Mark
    x: tuple[float, ...]
    """Where the points are; for bars and heat the edges of the cells, one more than there are cells."""
    y: tuple[float, ...]
    """How high; for bars one a cell, for heat the edges of the cells."""
    counts: tuple[tuple[int, ...], ...] = ()
    """For heat, the rows in each cell: one tuple for each cell of y, from the bottom. For points, rows behind each."""
    beyond: int = 0
    """Rows that lie in none of the cells."""
    guide: bool = False
    """Whether it is there for the eye and not for its numbers."""


@dataclass(frozen=True)
class Panel:
    """One pair of axes and what is drawn over them."""

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Chart:
    """Panels that belong together; series of one name are one thing in all of them."""

    title: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The series, each once."""
        return tuple(dict.fromkeys(it.name for panel in self.panels for it in panel.series if not it.guide))

    def to_dict(self) -> dict[str, Any]:
        """The chart as strict JSON can hold it: a number that is not finite becomes ``None``."""
        found = _finite(asdict(self))
        return found if isinstance(found, dict) else {}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(it) for name, it in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(it) for it in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def reworded(chart: Chart, change: Callable[[str], str]) -> Chart:
    """The chart with other words."""
    found = _reworded(chart, change)
    return found if isinstance(found, Chart) else chart


def _reworded(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Chart | Panel | Series | Axis):
        return replace(value, **{it.name: _reworded(getattr(value, it.name), change) for it in fields(value)})
    if isinstance(value, tuple) and value and not isinstance(value[0], float):
        return tuple(_reworded(it, change) for it in value)
    return value


def limits(*values: Sequence[float]) -> tuple[float, float]:
    """Where an axis should begin and end for these sets of numbers.

    What is far outside the middle four fifths of its own set does not stretch the axis.
    """
    lows, highs = [], []
    for some in values:
        known = sorted(it for it in some if abs(it) <= FAR)
        if not known:
            continue
        low, high = known[len(known) // 10], known[len(known) - 1 - len(known) // 10]
        span = math.inf if high == low else high - low
        lows.append(max(known[0], low - span))
        highs.append(min(known[-1], high + span))
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    margin = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
    return low - margin, high + margin
