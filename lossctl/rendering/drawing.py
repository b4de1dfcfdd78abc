"""A panel of a chart as a picture of vectors, which scales, takes the colours of its page and says what it shows."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from xml.etree.ElementTree import Element, SubElement

from lossctl.dataclass import dataclass
from lossctl.document import Axis, Panel, Series
from lossctl.rendering.clipping import Box
from lossctl.rendering.digits import exponent, written
from lossctl.rendering.panel_words import described
from lossctl.rendering.picture import has_intervals
from lossctl.words import shortened

WIDTH, HEIGHT = 460, 270
"""Of a panel, in units that are pixels where there is room."""
SIGN = 7.2
"""How wide a sign is, about."""
FONT = 12
ABOVE, BELOW, RIGHT = 14, 46, 16
"""What lies around the axes."""
NAME = 22
"""How many signs of a name stand beside an axis."""
TICKS = 7
"""How many marks an axis has, about."""
INTERVAL = 28
"""The height of an interval with its number."""
SHADES = 12
"""How many shades counts are told apart by."""
READABLE = 12
"""Classes whose counts can be written into their cells."""
COLORS = ("#1F7FC4", "#D55E00", "#009E73", "#C2649A", "#B8860B", "#3A9BD9", "#9466B5", "#888888")
"""After Okabe and Ito, whose colours the colour-blind can tell apart; each has 3:1 on white and on a dark page."""
FAINTEST, FULL = 0.18, 0.8
"""How much of its colour a cell of one row has, and that of most: what is written on it is read on either page."""
MAP = 280
"""How high a map of numbers is."""
LEGEND = 34
"""The height of what says how many rows a shade is."""


@dataclass(frozen=True)
class Frame:
    """Where the axes of a panel are in its picture."""

    x: Axis
    y: Axis
    left: float
    top: float
    width: float
    height: float

    def across(self, value: float) -> float:
        """Where a number of the horizontal axis is."""
        return self.left + self.width * _share(value, self.x)

    def up(self, value: float) -> float:
        """Where a number of the vertical axis is."""
        return self.top + self.height * (1.0 - _share(value, self.y))


def _share(value: float, axis: Axis) -> float:
    span = axis.high / 2 - axis.low / 2 or 1.0
    return min(max((value / 2 - axis.low / 2) / span, -2.0), 3.0)


def drawn(panel: Panel, names: Sequence[str], heading: str) -> Element:
    """The picture of a panel, with its axes; all texts are printable.

    Args:
        panel: what is drawn.
        names: the series of its chart, whose places are their colours.
        heading: the title of the chart.
    """
    frame = _frame(panel)
    shaded = [count for series in panel.series for row in series.counts if series.mark == "heat" for count in row]
    height = frame.top + frame.height + BELOW + LEGEND * bool(shaded)
    svg = Element(
        "svg",
        {
            "viewBox": f"0 0 {WIDTH} {height:g}",
            "width": f"{WIDTH}",
            "role": "img",
            "font-size": f"{FONT}",
            "fill": "currentColor",
        },
    )
    SubElement(svg, "title").text = ": ".join(filter(None, (heading, panel.title)))
    SubElement(svg, "desc").text = described(panel)
    _axes(svg, frame)
    for series in panel.series:
        place = (names.index(series.name) if series.name in names else 0) % len(COLORS)
        _series(SubElement(svg, "g"), frame, panel, series, COLORS[place])
    if shaded:
        _shades(svg, frame, max(shaded))
    return svg


def swatch(place: int) -> Element:
    """What stands before the name of a series in a legend."""
    place %= len(COLORS)
    size = {"width": "12", "height": "12"}
    svg = Element("svg", {"viewBox": "0 0 12 12", **size, "aria-hidden": "true"})
    SubElement(svg, "rect", {**size, "rx": "2", "fill": COLORS[place]})
    return svg


def _frame(panel: Panel) -> Frame:
    names = panel.y.names
    words = [shortened(each, NAME) for each in names] or [text for _, text in ticks(panel.y)]
    left = 12 + FONT + SIGN * max(map(len, words), default=1) + 4
    width = WIDTH - left - RIGHT
    if has_intervals(panel):
        height = float(INTERVAL * max(len(names), 1))
    elif names and panel.x.names:
        height = min(width, 34.0 * len(names) + 20)
    elif any(series.mark == "heat" for series in panel.series):
        height = float(MAP)
    else:
        height = float(HEIGHT - ABOVE - BELOW)
    return Frame(panel.x, panel.y, left, float(ABOVE), width, height)


def ticks(axis: Axis) -> list[tuple[float, str]]:
    """Where an axis has marks, and what stands beside them: round numbers, or its names."""
    if axis.names:
        return [(float(place), text) for place, text in enumerate(axis.names)]
    span = axis.high / TICKS - axis.low / TICKS
    if not (math.isfinite(span) and span > 0.0):
        return []
    power = 10.0 ** math.floor(math.log10(span))
    step = next((power * factor for factor in (1.0, 2.0, 5.0) if power * factor >= 0.75 * span), 10.0 * power)
    first, last = math.ceil(axis.low / step - 1e-9), math.floor(axis.high / step + 1e-9)
    values = [place * step for place in range(first, min(last, first + 2 * TICKS) + 1)]
    largest = max(map(abs, values), default=0.0)
    digits = max(exponent(largest, 15) - exponent(step, 15) + 2, 2) if largest else 2
    texts = written(values, digits=min(digits, 15))
    return [*zip(values, texts, strict=True)]


def _axes(svg: Element, frame: Frame) -> None:
    group = SubElement(svg, "g", {"class": "axes", "stroke": "currentColor", "stroke-opacity": "0.15"})
    texts = SubElement(svg, "g", {"class": "ticks"})
    bottom, right = frame.top + frame.height, frame.left + frame.width
    taken = -math.inf
    for value, text in ticks(frame.x):
        x, short = frame.across(value), shortened(text, NAME)
        if not frame.x.names:
            _line(group, x, frame.top, x, bottom)
        half = SIGN * len(short) / 2
        if x - half > taken:  # else one would stand upon the other
            _text(texts, min(x, WIDTH - half), bottom + FONT + 5, short, "middle")
            taken = x + half + SIGN
    taken = math.inf
    for value, text in ticks(frame.y):
        y = frame.up(value)
        if not frame.y.names:
            _line(group, frame.left, y, right, y)
        if y < taken:
            _text(texts, frame.left - 6, y + FONT / 3, shortened(text, NAME), "end")
            taken = y - FONT
    _line(group, frame.left, bottom, right, bottom, **{"stroke-opacity": "0.6"})
    across = shortened(frame.x.title, int(frame.width / SIGN))
    _text(texts, frame.left + frame.width / 2, bottom + 2 * FONT + 12, across, "middle")
    up = _text(texts, 0, 0, shortened(frame.y.title, int(frame.height / SIGN)), "middle")
    up.set("transform", f"translate({FONT} {frame.top + frame.height / 2:g}) rotate(-90)")


def _series(group: Element, frame: Frame, panel: Panel, series: Series, color: str) -> None:
    if series.mark == "heat":
        _heat(group, frame, series)
    elif series.mark == "bars":
        _bars(group, frame, series, color)
    elif series.mark == "intervals":
        _intervals(group, frame, series, color)
    elif series.mark == "points":
        for x, y in _inside(frame, series):
            SubElement(group, "circle", {"cx": _n(x), "cy": _n(y), "r": "3.5", "fill": color})
    else:
        look = {"stroke": color, "stroke-width": "2"}
        if series.guide:
            look = {"stroke": "currentColor", "stroke-opacity": "0.55", "stroke-dasharray": "4 4"}
        path = " ".join(_stretches(frame, panel, series))
        if path:
            SubElement(group, "path", {"d": path, "fill": "none", "stroke-linejoin": "round", **look})


def _stretches(frame: Frame, panel: Panel, series: Series) -> Iterator[str]:
    """The parts of a line that lie within the axes, between numbers that are none."""
    box = Box(panel.x.low, panel.x.high, panel.y.low, panel.y.high)
    points = zip(series.x, series.y, strict=True)
    for finite, run in groupby(points, key=lambda point: math.isfinite(point[0]) and math.isfinite(point[1])):
        if finite:
            across, up = zip(*run, strict=True)
            for xs, ys in box.stretches(across, up):
                yield "M" + "L".join(f"{_n(frame.across(x))} {_n(frame.up(y))}" for x, y in zip(xs, ys, strict=True))


def _inside(frame: Frame, series: Series) -> Iterator[tuple[float, float]]:
    box = Box(frame.x.low, frame.x.high, frame.y.low, frame.y.high)
    for x, y in zip(*box.points(series.x, series.y), strict=True):
        yield frame.across(x), frame.up(y)


def _bars(group: Element, frame: Frame, series: Series, color: str) -> None:
    floor = frame.up(max(0.0, frame.y.low))
    for (low, high), height in zip(pairwise(series.x), series.y, strict=True):
        left, right = (min(max(frame.across(edge), frame.left), frame.left + frame.width) for edge in (low, high))
        top = max(frame.up(height), frame.top)
        if right > left and floor > top:
            place = {"x": _n(left), "y": _n(top), "width": _n(right - left), "height": _n(floor - top)}
            SubElement(group, "rect", {**place, "fill": color, "fill-opacity": "0.55"})


def _heat(group: Element, frame: Frame, series: Series) -> None:
    """Cells in shades of one colour, a path a shade; the counts too where there are few."""
    most = max((count for row in series.counts for count in row), default=1)
    shades: dict[int, list[str]] = {}
    numbers: list[tuple[float, float, int]] = []
    for (low, high), row in zip(pairwise(series.y), series.counts, strict=True):
        top, bottom = frame.up(high), frame.up(low)
        for (left, right), count in zip(pairwise(map(frame.across, series.x)), row, strict=True):
            if count:
                shade = round(SHADES * math.log(count) / math.log(max(most, 2)))
                shades.setdefault(shade, []).append(
                    f"M{_n(left)} {_n(top)}h{_n(right - left)}v{_n(bottom - top)}h{_n(left - right)}z"
                )
                numbers.append(((left + right) / 2, (top + bottom) / 2, count))
    for shade, paths in sorted(shades.items()):
        SubElement(group, "path", {"d": "".join(paths), **_shade(shade)})
    if frame.x.names and len(frame.x.names) <= READABLE:
        for x, y, count in numbers:
            _text(group, x, y + FONT / 3, f"{count:,}", "middle")


def _shade(shade: int) -> dict[str, str]:
    """The look of a shade, from 0 for one row."""
    return {"fill": COLORS[0], "fill-opacity": f"{FAINTEST + (FULL - FAINTEST) * shade / SHADES:.2f}"}


def _shades(svg: Element, frame: Frame, most: int) -> None:
    """What says below a map how many rows a shade is."""
    top, wide = frame.top + frame.height + BELOW + 6, 12
    left = frame.left
    for text, at in (("1 row", 0), (f"{most:,} rows", SHADES)):
        start = left if not at else left + SIGN * len("1 row") + 6 + (SHADES + 1) * wide + 6
        _text(svg, start, top + FONT - 1, text, "start")
    for shade in range(SHADES + 1):
        x = left + SIGN * len("1 row") + 6 + shade * wide
        SubElement(svg, "rect", {"x": _n(x), "y": _n(top), "width": f"{wide}", "height": f"{FONT}", **_shade(shade)})


def _intervals(group: Element, frame: Frame, series: Series, color: str) -> None:
    """A line from end to end, an arrow where one goes on beyond the axis, and a point with its number above."""
    left, right = frame.left, frame.left + frame.width
    for x, y, (low, high) in zip(series.x, series.y, series.ends, strict=True):
        height = frame.up(y)
        if math.isfinite(low) and math.isfinite(high):
            begin, end = (min(max(frame.across(edge), left), right) for edge in (low, high))
            _line(group, begin, height, end, height, **{"stroke": color, "stroke-width": "2"})
        reach = [x, *(edge for edge in (low, high) if math.isfinite(edge))]
        for goes_on, tip, way in ((min(reach) < frame.x.low, left, 7), (max(reach) > frame.x.high, right, -7)):
            if goes_on:
                arrow = f"M{_n(tip)} {_n(height)}l{way} -5v10z"
                SubElement(group, "path", {"d": arrow, "fill": color})
        point = frame.across(x)
        if left <= point <= right:
            SubElement(group, "circle", {"cx": _n(point), "cy": _n(height), "r": "4", "fill": color})
            _text(group, point, height - 8, f"{x:+.3g}".replace("-", "−"), "middle")


def _line(group: Element, x1: float, y1: float, x2: float, y2: float, **look: str) -> Element:
    return SubElement(group, "line", {"x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2), **look})


def _text(group: Element, x: float, y: float, words: str, anchor: str) -> Element:
    text = SubElement(group, "text", {"x": _n(x), "y": _n(y), "text-anchor": anchor})
    text.text = words
    return text


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
