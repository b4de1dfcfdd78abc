"""What a panel of a chart shows, in words, for those who do not see it."""

import math
from collections.abc import Iterator

from lossctl.document import Axis, Panel, Series
from lossctl.words import counted, figures

MOST = 20
"""How many intervals are told one by one."""


def described(panel: Panel) -> str:
    """Its axes, and of each series from where to where it goes; of intervals each, of maps where most rows are."""
    axes = f"{_axis('across', panel.x)}; {_axis('up', panel.y)}." if panel.series else ""
    return " ".join([axes, *(f"{words}." for series in panel.series for words in _series(panel, series))])


def _axis(way: str, axis: Axis) -> str:
    ends = ", ".join(axis.names[:MOST]) if axis.names else f"{figures(axis.low)} to {figures(axis.high)}"
    return f"{way}: {axis.title}, {ends}" if axis.title else f"{way}: {ends}"


def _series(panel: Panel, series: Series) -> Iterator[str]:
    name = series.name
    if series.guide:
        yield f"{name} is a dashed line"
    elif series.mark == "bars":
        highest = max(range(len(series.y)), key=series.y.__getitem__, default=None)
        if highest is not None:
            low, high = series.x[highest], series.x[highest + 1]
            yield f"{name}: bars, the highest {figures(series.y[highest])} from {figures(low)} to {figures(high)}"
    elif series.mark == "heat":
        yield from _heat(panel, series)
    elif series.mark == "intervals":
        for place, (x, y, (low, high)) in enumerate(zip(series.x, series.y, series.ends, strict=True)):
            if place == MOST:
                yield f"{counted(len(series.x) - MOST, 'interval')} more"
                break
            between = f", {figures(low)} to {figures(high)}" if math.isfinite(low) and math.isfinite(high) else ""
            yield f"{panel.y.names[round(y)]}: {figures(x)}{between}"
    else:
        points = [(y, x) for x, y in zip(series.x, series.y, strict=True) if math.isfinite(y)]
        if points:
            (low, low_at), (high, high_at) = min(points), max(points)
            (first, start), (last, end) = points[0], points[-1]
            ends = f"from {figures(first)} at {figures(start)} to {figures(last)} at {figures(end)}"
            least = f"lowest {figures(low)} at {figures(low_at)}"
            yield f"{name}: {ends}; {least}, highest {figures(high)} at {figures(high_at)}"


def _heat(panel: Panel, series: Series) -> Iterator[str]:
    rows = sum(map(sum, series.counts))
    cells = [(count, x, y) for y, row in enumerate(series.counts) for x, count in enumerate(row)]
    count, x, y = max(cells, default=(0, 0, 0))
    if not count:
        return
    places = [
        axis.names[place] if axis.names else f"{figures(edges[place])} to {figures(edges[place + 1])}"
        for axis, edges, place in ((panel.x, series.x, x), (panel.y, series.y, y))
    ]
    yield f"{series.name}: {counted(rows, 'row')}, most of them, {count:,}, at {places[0]} across and {places[1]} up"
