"""What of a line lies within a box: a library that draws characters draws all of a line, however long."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from lossctl.dataclass import dataclass
from lossctl.document import Panel

FAR = 1e6
"""How many heights or widths away a point may be; the direction of a line to one further off is not to be seen."""
Points = tuple[list[float], list[float]]


@dataclass(frozen=True)
class Box:
    """Where something may be drawn."""

    left: float
    right: float
    low: float
    high: float

    @classmethod
    def of(cls, panel: Panel) -> "Box":
        """That of the axes of a panel, and one height beyond: where a line leaves, its way is seen to the edge."""
        height = panel.y.high - panel.y.low
        return cls(panel.x.low, panel.x.high, panel.y.low - height, panel.y.high + height)

    def points(self, x: Sequence[float], y: Sequence[float]) -> Points:
        """Those of the points, ``(n,)`` and ``(n,)``, that lie within; one that is not finite does not."""
        inside = [
            (across, up)
            for across, up in zip(x, y, strict=True)
            if self.left <= across <= self.right and self.low <= up <= self.high
        ]
        return [across for across, _ in inside], [up for _, up in inside]

    def stretches(self, x: Sequence[float], y: Sequence[float]) -> Iterator[Points]:
        """The parts of a line through these points, all finite, that lie within."""
        places = [
            (_unit(across, self.left, self.right), _unit(up, self.low, self.high))
            for across, up in zip(x, y, strict=True)
        ]
        part: Points = [], []
        for index, (start, stop) in enumerate(pairwise(places)):
            span = _within(start, stop)
            for along in span if not part[0] else span[1:]:
                if along in {0.0, 1.0}:
                    across, up = x[index + int(along)], y[index + int(along)]
                else:
                    places_along = (begin + along * (end - begin) for begin, end in zip(start, stop, strict=True))
                    across, up = map(_value, places_along, (self.left, self.low), (self.right, self.high))
                part[0].append(min(max(across, self.left), self.right))
                part[1].append(min(max(up, self.low), self.high))
            if part[0] and (not span or span[1] < 1.0):
                yield part
                part = [], []
        if len(x) == 1:
            part = self.points(x, y)
        if part[0]:
            yield part


def _unit(value: float, low: float, high: float) -> float:
    """Where a value lies between 0, for ``low``, and 1, for ``high``."""
    half = high / 2 - low / 2 or math.ulp(0.0)  # the whole may be too large for a number
    return min(max((value / 2 - low / 2) / half, -FAR), FAR)


def _value(unit: float, low: float, high: float) -> float:
    return low * (1.0 - unit) + high * unit


def _within(start: tuple[float, float], stop: tuple[float, float]) -> tuple[float, ...]:
    """Which part of the way from start to stop lies in the unit square, both ends from 0 to 1; empty for none."""
    first, last = 0.0, 1.0
    for begin, end in zip(start, stop, strict=True):
        way = end - begin
        if way == 0.0:
            if not 0.0 <= begin <= 1.0:
                return ()
            continue
        ends = sorted(((0.0 - begin) / way, (1.0 - begin) / way))
        first, last = max(first, ends[0]), min(last, ends[1])
    return (first, last) if first <= last else ()
