"""Charts as pictures and Vega-Lite, made by Altair and vl-convert."""

import html
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from importlib import import_module
from textwrap import wrap
from typing import Any

from lossctl.dataclass import dataclass
from lossctl.document import Axis, Chart, Panel, Series
from lossctl.errors import UsageError
from lossctl.rendering.picture import has_intervals, shown, writers
from lossctl.words import shortened

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe and Ito, which colour-blind people can tell apart."""
COLUMN, HALF = 350, 145
"""The width of a panel, alone and beside another: axes and all, a page is at most 500 pixels wide."""
HEIGHT = 280
"""The most of a panel."""
LINE = 68
"""The most characters of a line above a chart."""
SIGN = 7
"""The width of a character, about."""
NAME, GROUP = 60, 66
"""How wide the name of a class at an axis may be, and of what an interval is of."""
INTERVAL = 26
"""The height of an interval with its number."""
TICKS = 6
"""How many ticks there are, about, below intervals."""
NUMBER = "abs(datum.value) < 1e-4 || abs(datum.value) >= 1e6 ? format(datum.value, '~g') : datum.label"
"""How a number at an axis is written: short enough that it is not cut."""
READABLE = 12
"""Classes whose counts can be written into their cells."""
SCALE = 2.0
"""Pixels of a PNG for each of the picture."""


def plain(text: str) -> str:
    """Words for Vega-Lite, which writes titles into expressions, where a backslash would begin an escape."""
    return text.replace("\\", "⧵")


class Vega:
    """One kind of file.

    Args:
        name: the name of the format, and Altair's word for it.
        suffix: the file names that ask for it.
    """

    def __init__(self, name: str, suffix: str) -> None:
        self.name = name
        self.suffixes: tuple[str, ...] = (suffix,)

    def write(self, charts: Sequence[Chart], *, width: int, height: int, color: bool) -> bytes:  # noqa: ARG002
        """The charts one below the other."""
        try:
            altair = import_module("altair")
            import_module("vl_convert")
        except ImportError:
            raise UsageError(f"{self.suffixes[0]} needs Altair", "pip install 'lossctl[plot]'") from None
        file = io.BytesIO() if self.name == "png" else io.StringIO()
        page = _page(altair, [shown(chart, plain) for chart in charts])
        page.save(file, format=self.name, scale_factor=SCALE if self.name == "png" else 1.0)
        content = file.getvalue()
        return _titled(content, charts).encode() if isinstance(content, str) else content


def _titled(content: str, charts: Sequence[Chart]) -> str:
    """A picture with a title of its own, as tabs and readers of screens have it; anything else as it is."""
    if not content.startswith("<svg"):
        return content
    end = content.index(">") + 1
    return f"{content[:end]}<title>{html.escape(shown(charts[0]).heading)}</title>{content[end:]}"


def _page(alt: Any, charts: Sequence[Chart]) -> Any:
    parts = [_chart(alt, chart, f"chart_{index}") for index, chart in enumerate(charts)]
    whole = parts[0] if len(parts) == 1 else alt.vconcat(*parts, spacing=40).resolve_scale(color="independent")
    return whole.configure_view(stroke="#ddd").configure_axis(gridColor="#eee", domainColor="#888", tickColor="#888")


def _chart(alt: Any, chart: Chart, name: str) -> Any:
    chosen = alt.selection_point(name=f"{name}_series", fields=["series"], bind="legend")
    palette = [PALETTE[index % len(PALETTE)] for index in range(len(chart.names))]
    color = alt.Color(
        "series:N",
        scale=alt.Scale(domain=list(chart.names), range=palette),
        legend=alt.Legend(
            title=None,
            orient="top",
            columns=_columns(chart.names),
            labelLimit=COLUMN,
            columnPadding=2 * SIGN,
        ),
    )
    beside = len(chart.panels) > 1 and all(panel.title for panel in chart.panels)
    look = Look(alt, color, chosen, most_rows(chart), HALF if beside else COLUMN)
    panels = [look.panel(panel, f"{name}_{index}") for index, panel in enumerate(chart.panels)]
    if chart.names:
        panels[0] = panels[0].add_params(chosen)
    lines = [line for note in chart.notes for line in wrap(note, LINE, subsequent_indent="  ")]
    heading = wrap(chart.heading, LINE)
    title = alt.TitleParams(heading, subtitle=lines, anchor="start", subtitleColor="#666", offset=12)
    return alt.concat(*panels, columns=1 + beside, title=title).resolve_legend(size="independent")


def _columns(names: Sequence[str]) -> int:
    """How many names stand in a row of a legend."""
    longest = max(map(len, names), default=0)
    return max(1, min(4, COLUMN // (SIGN * (longest + 4))))


def most_rows(chart: Chart) -> int:
    """The most rows in a cell of its maps."""
    maps = (series for panel in chart.panels for series in panel.series if series.mark == "heat")
    return max((count for series in maps for row in series.counts for count in row), default=2)


@dataclass(frozen=True)
class Look:
    """How the panels of one chart look, with what Altair makes of its colours."""

    alt: Any
    color: Any
    chosen: Any
    most: int
    """The most rows in a cell of a map."""
    width: int
    shades: Mapping[str, Any] = field(default_factory=lambda: {"scheme": "viridis", "reverse": True})
    """What colours counts have, to Vega-Lite."""
    inks: tuple[str, str] = ("black", "white")
    """The colour of a number in a light cell, and in a dark one."""
    room: int = NAME
    """How wide a name beside the panel may be."""
    zoom: str | bool = True
    """What makes a panel larger; ``True`` for the wheel."""

    def height(self, panel: Panel) -> int:
        """Of a panel: what intervals need, else what suits its width."""
        if has_intervals(panel):
            return INTERVAL * max(len(panel.y.names), 1)
        return min(HEIGHT, round(1.4 * self.width))

    def panel(self, panel: Panel, name: str) -> Any:
        """One pair of axes and what is drawn over them."""
        layers = [self.layer(panel, series) for series in panel.series]
        layers[0] = layers[0].add_params(
            self.alt.selection_interval(name=f"{name}_zoom", bind="scales", zoom=self.zoom)
        )
        room = self.width + NAME
        title = self.alt.TitleParams(shortened(panel.title, room // SIGN), limit=room, fontSize=11)
        return self.alt.layer(*layers).properties(width=self.width, height=self.height(panel), title=title)

    def layer(self, panel: Panel, series: Series) -> Any:
        """One series."""
        alt = self.alt
        forest = has_intervals(panel)
        x = self.axis(panel.x, "x", self.width, **{"tickCount": TICKS} if forest else {})
        ticks = {"tickMinStep": 1} if panel.counts else {}
        y = self.axis(panel.y, "y", self.height(panel), max(self.room, GROUP) if forest else self.room, **ticks)
        if series.guide:
            dashed = alt.Chart(alt.Data(values=_points(series))).mark_line(clip=True, strokeDash=[4, 4], color="#999")
            return dashed.encode(x=x, y=y)
        tips = [alt.Tooltip("series:N", title="series"), *_tips(alt, panel, series)]
        if series.mark == "heat":
            cells = alt.Chart(alt.Data(values=_cells(series))).mark_rect(clip=True)
            shade = alt.Color(
                "rows:Q",
                title="rows",
                scale=alt.Scale(type="log", domain=[1, max(self.most, 2)], **self.shades),
                legend=alt.Legend(orient="bottom", gradientLength=120, tickCount=3),
            )
            shaded = cells.encode(x=x, x2="x2:Q", y=y, y2="y2:Q", color=shade, tooltip=tips)
            return shaded + self.numbers(series, x, y) if panel.x.names and len(series.counts) <= READABLE else shaded
        faded = alt.when(self.chosen).then(alt.value(1.0)).otherwise(alt.value(0.15))
        if series.mark == "bars":
            bars = alt.Chart(alt.Data(values=_bars(series))).mark_bar(clip=True, fillOpacity=0.45, binSpacing=0)
            return bars.encode(x=x, x2="x2:Q", y=y, y2=alt.datum(0), color=self.color, opacity=faded, tooltip=tips)
        if series.mark == "intervals":
            return self.intervals(panel, series, x, y, color=self.color, opacity=faded, tooltip=tips)
        base = alt.Chart(alt.Data(values=_points(series)))
        marked = (
            base.mark_line(clip=True, strokeWidth=2) if series.mark == "line" else base.mark_point(filled=True, size=60)
        )
        return marked.encode(x=x, y=y, color=self.color, opacity=faded, tooltip=tips)

    def intervals(self, panel: Panel, series: Series, x: Any, y: Any, **looks: Any) -> Any:
        """A line from end to end, triangles where one goes on beyond the axis, and a point with its number above."""
        alt, axis, rows = self.alt, panel.x, _ends(series, panel.y)

        def of(rows: list[dict[str, Any]]) -> Any:
            return alt.Chart(alt.Data(values=rows))

        lines = of([row for row in rows if row["low"] is not None]).mark_rule(clip=True, strokeWidth=2)
        layers = [lines.encode(x=alt.X("low:Q"), x2="high:Q", y=y, **looks)]
        for edge, shape in ((axis.low, "triangle-left"), (axis.high, "triangle-right")):
            out = [row for row in rows if _beyond(row, edge, below=edge == axis.low)]
            if out:
                arrows = of(out).mark_point(filled=True, size=70, shape=shape)
                layers.append(arrows.encode(x=alt.datum(edge), y=y, **looks))
        points = of([row for row in rows if axis.low <= row["x"] <= axis.high])
        number = alt.Text("x:Q", format="+.3~g")
        layers.append(points.mark_point(filled=True, size=60).encode(x=x, y=y, **looks))
        layers.append(points.mark_text(dy=-8, fontSize=9).encode(x=x, y=y, text=number, opacity=looks["opacity"]))
        return alt.layer(*layers)

    def numbers(self, series: Series, x: Any, y: Any) -> Any:
        """The counts, written into their cells; what is dark is the upper half of the scale."""
        alt = self.alt
        middle = [{**cell, "x": cell["x"] + 0.5, "y": cell["y"] + 0.5} for cell in _cells(series)]
        light, dark = self.inks
        color = alt.when(alt.datum.rows > math.sqrt(self.most)).then(alt.value(dark)).otherwise(alt.value(light))
        return alt.Chart(alt.Data(values=middle)).mark_text().encode(x=x, y=y, text="rows:Q", color=color)

    def axis(self, axis: Axis, channel: str, length: int, room: int = NAME, **ticks: Any) -> Any:
        """An axis, ``length`` pixels long, with ``room`` pixels for each name beside it."""
        make = self.alt.X if channel == "x" else self.alt.Y
        labels: dict[str, Any] = {"labelExpr": NUMBER}
        if axis.names:
            names = [shortened(name, room // SIGN + 1) for name in axis.names]
            labels = {"values": list(range(len(names))), "labelExpr": f"{json.dumps(names)}[datum.value]"}
        return make(
            f"{channel}:Q",
            title=shortened(axis.title, length // SIGN),
            scale=self.alt.Scale(domain=[axis.low, axis.high], nice=False, zero=False),
            axis=self.alt.Axis(
                **labels,
                **ticks,
                grid=not axis.names,
                titleLimit=length + room,
                labelLimit=room,
                labelOverlap=True,
                labelSeparation=SIGN,
            ),
        )


def _beyond(row: dict[str, Any], edge: float, *, below: bool) -> bool:
    """Whether an interval or its number lies on the other side of an end of the axis."""
    reach: list[float] = [row["x"], *(end for end in (row["low"], row["high"]) if end is not None)]
    return min(reach) < edge if below else max(reach) > edge


def _tips(alt: Any, panel: Panel, series: Series) -> list[Any]:
    if series.mark == "intervals":
        numbers = (("x", "difference"), ("low", "from"), ("high", "to"))
        return [alt.Tooltip("name:N"), *(alt.Tooltip(f"{name}:Q", title=word, format=".4g") for name, word in numbers)]
    fields = {"line": ("x", "y"), "heat": ("x", "x2", "y", "y2", "rows"), "bars": ("x", "x2", "y")}
    titles = {"x": panel.x.title, "y": panel.y.title, "x2": "to", "y2": "to", "rows": "rows"}
    return [
        alt.Tooltip(f"{field}:Q", title=titles[field], format=".4g")
        for field in fields.get(series.mark, ("x", "y", "rows"))
    ]


def _points(series: Series) -> list[dict[str, Any]]:
    rows: list[int | None] = [count for row in series.counts for count in row] or [None] * len(series.x)
    return [
        {"series": series.name, "x": x, "y": y if math.isfinite(y) else None} | ({} if n is None else {"rows": n})
        for x, y, n in zip(series.x, series.y, rows, strict=True)
    ]


def _ends(series: Series, names: Axis) -> list[dict[str, Any]]:
    rows = []
    for x, y, ends in zip(series.x, series.y, series.ends, strict=True):
        low, high = (end if math.isfinite(end) else None for end in ends)
        rows.append({"series": series.name, "name": names.names[round(y)], "x": x, "y": y, "low": low, "high": high})
    return rows


def _bars(series: Series) -> list[dict[str, Any]]:
    edges = zip(series.x[:-1], series.x[1:], series.y, strict=True)
    return [{"series": series.name, "x": low, "x2": high, "y": height} for low, high, height in edges]


def _cells(series: Series) -> list[dict[str, Any]]:
    return [
        {"series": series.name, "x": left, "x2": right, "y": low, "y2": high, "rows": count}
        for low, high, row in zip(series.y[:-1], series.y[1:], series.counts, strict=True)
        for left, right, count in zip(series.x[:-1], series.x[1:], row, strict=True)
        if count
    ]


for _name, _suffix in (("svg", ".svg"), ("png", ".png"), ("json", ".vl.json")):
    writers.add("vega-lite" if _name == "json" else _name, Vega(_name, _suffix))
