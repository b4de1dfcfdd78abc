"""Charts as text for a terminal, drawn by plotext."""

import bisect
import math
import threading
from collections.abc import Iterator, Sequence
from itertools import chain, product
from textwrap import wrap
from typing import Any

from lossctl.document import Axis, Chart, Panel, Series
from lossctl.rendering.clipping import Box
from lossctl.rendering.picture import has_intervals, shown, writers
from lossctl.words import counted, shortened

MARKERS = "•×+○*◇▪△"
"""One a series, so that they differ without colour too."""
COLORS = (33, 208, 42, 170, 226, 81, 160, 250)
"""Of the 256 of a terminal, close to the palette of Okabe and Ito, which colour-blind people can tell apart."""
GUIDE = "/"
BETWEEN, BEYOND = "─", "◂▸"
"""What lies between the ends of an interval, and what stands where one is beyond the axis."""
SHADES = "·░▒▓█"
AROUND = 4
"""Lines of a panel that are not its inside, nor its title."""
READABLE = 10
"""Classes whose counts can be written into their cells."""
NARROWEST, WIDEST, HIGHEST = 30, 1000, 200
"""Columns of a chart and lines of a panel, whatever a terminal says of itself."""
FINEST = 1e-300
"""The least distance of two ticks."""
NAME = 12
"""The most signs of a class at an axis."""
BESIDE = 110
"""Columns from which two panels stand beside each other."""
CLOSE = 72
"""The same of panels of so few lines that a screen must be short of them: `FEW`."""
FEW = 9
_drawing = threading.Lock()
"""plotext has one figure for the whole process."""


class Text:
    """Characters."""

    name = "text"
    suffixes: tuple[str, ...] = (".txt",)

    def write(self, charts: Sequence[Chart], *, width: int, height: int, color: bool) -> bytes:
        """Title, legend, panels and notes of each chart."""
        width, height = min(max(width, NARROWEST), WIDEST), min(height, HIGHEST)
        return "\n".join(self._chart(shown(chart), width, height, color=color) for chart in charts).encode()

    def _chart(self, chart: Chart, width: int, height: int, *, color: bool) -> str:
        import plotext

        paint = _Paint(plotext, chart, color=color)
        columns = 1 if width < (BESIDE if height >= FEW else CLOSE) else min(len(chart.panels), 2)
        height = max(height, FEW + (columns > 1 and width < BESIDE))
        rows = [chart.panels[first : first + columns] for first in range(0, len(chart.panels), columns)]
        bodies: list[str] = []
        with _drawing:
            figure = plotext.figure
            try:
                plotext.terminal.limit(False, False)  # noqa: FBT003  (its own signature)
                for panels in rows:
                    lines = _lines(panels, height)
                    figure.clear().plot_size(width, lines)
                    figure.subplots(1, columns)
                    for index, panel in enumerate(panels):
                        place = figure.subplot(1, index + 1) if columns > 1 else figure
                        paint.panel(place, panel, width // columns, lines)
                    bodies.append(figure.build().string(colorless=not color))
            finally:
                figure.clear()
                plotext.terminal.clear()
        heading, *notes = (wrap(text, width, subsequent_indent="  ") for text in (chart.heading, *chart.notes))
        text = [
            *heading,
            *paint.legend(width),
            *chain.from_iterable(map(str.splitlines, bodies)),
            *chain.from_iterable(notes),
        ]
        return "\n".join(line.rstrip() for line in text) + "\n"


class _Paint:
    """Draws the panels of one chart; a series looks the same in each."""

    def __init__(self, plotext: Any, chart: Chart, *, color: bool) -> None:
        self.plotext, self.names, self.color = plotext, chart.names, color
        shaded = [panel for panel in chart.panels if not _written(panel)]
        maps = [series for panel in shaded for series in panel.series if series.mark == "heat"]
        self.most = max((count for series in maps for row in series.counts for count in row), default=0)
        """The most rows in a cell whose count is a shade."""
        bars = {series.name for panel in chart.panels for series in panel.series if series.mark == "bars"}
        self.filled = len(bars) == 1
        """Whether bars are filled: where there are several, one would hide the other."""
        self.counts = not shaded
        """Whether all that is drawn are counts, in numbers."""
        guides = (series.name for panel in chart.panels for series in panel.series if series.guide)
        self.guides = tuple(dict.fromkeys(guides))

    def marker(self, series: Series, glyph: str | None = None) -> Any:
        """The marker of a series."""
        if series.guide:
            return self.plotext.marker(GUIDE)
        index = self.names.index(series.name)
        return self.plotext.marker(
            glyph or MARKERS[index % len(MARKERS)], self.plotext.pixel(foreground=COLORS[index % len(COLORS)])
        )

    def legend(self, width: int) -> Iterator[str]:
        """The names with their markers, as many a line as fit."""
        entries: list[tuple[str, str, int | None]] = [
            (MARKERS[index % len(MARKERS)], name, COLORS[index % len(COLORS)]) for index, name in enumerate(self.names)
        ]
        if self.most:
            several = (" ".join(SHADES), f"1 to {self.most:,} rows, logarithmic", COLORS[0])
            entries = [several if self.most > 1 else (SHADES[-1], counted(1, "row"), COLORS[0])]
        elif self.counts:
            entries = [("number", "of rows", None)]
        entries += [(GUIDE, name, None) for name in self.guides]
        line, used = "", 0
        for glyph, name, color in entries:
            words = shortened(name, width - len(glyph) - 4)
            size = len(glyph) + len(words) + 4
            if line and used + size > width:
                yield line
                line, used = "", 0
            line += f"   {self._colored(glyph, color)} {words}"
            used += size
        yield line

    def _colored(self, glyph: str, color: int | None) -> str:
        return f"\x1b[38;5;{color}m{glyph}\x1b[0m" if self.color and color is not None else glyph

    def panel(self, figure: Any, panel: Panel, width: int, height: int) -> None:
        """Draw one panel into its part of the figure."""
        figure.theme("colorless")
        figure.title(shortened(_title(panel), width - 2))
        figure.label(shortened(panel.x.title, width - 2))
        for name, axis, most in (("x", panel.x, max(3, width // 9)), ("y", panel.y, max(3, height // 2 - 2))):
            listed = bool(axis.names) and has_intervals(panel)
            room = max(NAME, width // 4) if listed else NAME
            least = 1.0 if name == "y" and panel.counts else 0.0
            places = ticks(axis, len(axis.names) if listed else most, least=least)
            ruler = figure.ruler(name)
            ruler.lim(axis.low, axis.high)
            words = [shortened(axis.names[round(place)], room) if axis.names else _number(place) for place in places]
            ruler.ticks(places, words)
        for series in sorted(panel.series, key=lambda series: not series.guide):  # guides lie below
            for signal in self.signals(figure, series, panel, width):
                figure.draw(signal)

    def signals(self, figure: Any, series: Series, panel: Panel, width: int) -> Iterator[Any]:
        """What plotext draws for a series."""
        if series.mark == "heat":
            yield from self.numbers(figure, series) if _written(panel) else self.shades(figure, series, panel, width)
            return
        if series.mark == "intervals":
            yield from self.intervals(figure, series, panel)
            return
        if series.mark == "bars":
            x = [edge for edges in zip(series.x[:-1], series.x[1:], strict=True) for edge in edges]
            y = [height if height or not self.filled else math.nan for height in series.y for _ in range(2)]
        else:
            x, y = list(series.x), list(series.y)
        box = Box.of(panel)
        if series.mark == "points":
            stretches = [box.points(x, y)]
        else:
            stretches = [part for run in _runs(x, y) for part in box.stretches(x[run], y[run])]
        for xs, ys in stretches:
            signal = figure.signal(xs, ys, marker=self.marker(series))
            if series.mark == "bars" and self.filled:
                signal.fillx()
            yield signal if series.mark == "points" else signal.lines()

    def intervals(self, figure: Any, series: Series, panel: Panel) -> Iterator[Any]:
        """A line from end to end, arrows where one goes on beyond the axis, and a point."""
        axis, inside = panel.x, []
        for x, y, ends in zip(series.x, series.y, series.ends, strict=True):
            low, high = (x if math.isnan(end) else end for end in ends)
            left, right = max(low, axis.low), min(high, axis.high)
            if left < right:
                yield figure.signal([left, right], [y, y], marker=self.marker(series, BETWEEN)).lines()
            if low < axis.low:
                yield figure.signal([axis.low], [y], marker=self.marker(series, BEYOND[0]))
            if high > axis.high:
                yield figure.signal([axis.high], [y], marker=self.marker(series, BEYOND[1]))
            if axis.low <= x <= axis.high:
                inside.append((x, y))
        if inside:
            xs, ys = zip(*inside, strict=True)
            yield figure.signal(list(xs), list(ys), marker=self.marker(series))

    def numbers(self, figure: Any, series: Series) -> Iterator[Any]:
        """A table of counts."""
        for y, row in enumerate(series.counts):
            for x, count in enumerate(row):
                yield figure.text(x, y, f"{count:,}", alignment="center")

    def shades(self, figure: Any, series: Series, panel: Panel, width: int) -> Iterator[Any]:
        """A map of counts: the darker the more, on a logarithmic scale."""
        places: dict[str, tuple[list[float], list[float]]] = {}
        across, up = _spread(panel.x, width), _spread(panel.y, 40)
        for low, high, row in zip(series.y[:-1], series.y[1:], series.counts, strict=True):
            for left, right, count in zip(series.x[:-1], series.x[1:], row, strict=True):
                if count:
                    level = math.log(count) / math.log(self.most) if self.most > 1 else 1.0
                    xs, ys = places.setdefault(SHADES[min(int(level * len(SHADES)), len(SHADES) - 1)], ([], []))
                    for x, y in product(_within(across, left, right), _within(up, low, high)):
                        xs.append(x)
                        ys.append(y)
        for glyph in SHADES:
            if glyph in places:
                yield figure.signal(*places[glyph], marker=self.marker(series, glyph))


def _lines(panels: Sequence[Panel], height: int) -> int:
    """How many lines panels beside each other take where they may have so many: intervals have one each."""
    needed = [len(panel.y.names) + AROUND + bool(_title(panel)) for panel in panels if has_intervals(panel)]
    lines = max([*needed, *(height for panel in panels if not has_intervals(panel))])
    return lines + (lines - 1 in needed)  # of one line more than there are places, plotext uses none for two of them


def _title(panel: Panel) -> str:
    """What stands above a panel: its title, and that of the axis that goes up."""
    return ": ".join(dict.fromkeys(filter(None, (panel.title, panel.y.title))))


def _written(panel: Panel) -> bool:
    """Whether the counts of a map are written as numbers: where they are few, and of classes."""
    return 0 < len(panel.x.names) <= READABLE


def ticks(axis: Axis, most: int, *, least: float = 0.0) -> list[float]:
    """Round numbers within an axis, at least so far apart: multiples of 1, 2 or 5 times a power of ten."""
    if axis.names:
        return [float(index) for index in range(0, len(axis.names), math.ceil(len(axis.names) / (2 * most)))]
    span = axis.high - axis.low
    power = 10.0 ** math.floor(math.log10(max(span / most, FINEST)))
    step = max(least, next(factor * power for factor in (1, 2, 5, 10) if span / (factor * power) <= most))
    first, last = math.ceil(axis.low / step), math.floor(axis.high / step)
    return [float(f"{multiple * step:.12g}") for multiple in range(first, last + 1)]


def _number(tick: float) -> str:
    return f"{tick:,.0f}" if 1e3 <= abs(tick) < 1e10 and tick == int(tick) else f"{tick:.12g}"


def _runs(x: list[float], y: list[float]) -> Iterator[slice]:
    """The place of each stretch of numbers that are finite."""
    start = 0
    for index in range(len(x) + 1):
        if index == len(x) or not (math.isfinite(x[index]) and math.isfinite(y[index])):
            if index > start:
                yield slice(start, index)
            start = index + 1


def _spread(axis: Axis, most: int) -> list[float]:
    return [axis.low + (axis.high - axis.low) * (index + 0.5) / most for index in range(most)]


def _within(places: list[float], low: float, high: float) -> list[float]:
    """Those of some ascending places that are from ``low`` to below ``high``, or the middle where there are none."""
    return places[bisect.bisect_left(places, low) : bisect.bisect_left(places, high)] or [low + (high - low) / 2]


writers.add(Text.name, Text(), ("txt",))
