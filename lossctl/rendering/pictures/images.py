"""Charts as pages, pictures and Vega-Lite, made by Altair and vl-convert."""

import html
import io
import json
import math
from collections.abc import Sequence
from importlib import import_module
from textwrap import wrap
from typing import Any

from lossctl.document import Axis, Chart, Panel, Series
from lossctl.errors import UsageError
from lossctl.rendering.picture import has_intervals, shortened, shown, writers

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe and Ito, which colour-blind people can tell apart."""
WIDTH, HEIGHT = 420, 280
"""Of a panel of a shape, which has another beside it."""
COLUMN, HALF = 350, 145
"""The width of a panel of a file, alone and beside another: axes and all, a page is at most 500 pixels wide."""
LINE = 68
"""The most characters of a line above a chart."""
SIGN = 7
"""The width of a character of a legend, about."""
CLASS, GROUP = 60, 75
"""The width of the name of a class, and of that beside an interval."""
INTERVAL = 26
"""The height of an interval with its number."""
READABLE = 12
"""Classes whose counts can be written into their cells."""
SCALE = 2.0
"""Pixels of a PNG for each of the picture."""


def _plain(text: str) -> str:
    """Words for Vega-Lite, which writes titles into expressions, where a backslash would begin an escape."""
    return text.replace("\\", "⧵")


class _InPage(json.JSONEncoder):
    """JSON that cannot end the script it stands in, whatever the columns are called."""

    def encode(self, o: Any) -> str:
        return super().encode(o).replace("<", "\\u003c")


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
        """The charts one below the other; a page holds all it needs, and works without a network."""
        try:
            altair = import_module("altair")
            import_module("vl_convert")
        except ImportError:
            raise UsageError(f"{self.suffixes[0]} needs Altair", "pip install 'lossctl[plot]'") from None
        file = io.BytesIO() if self.name == "png" else io.StringIO()
        page = _page(altair, [shown(chart, _plain) for chart in charts])
        inline = {"inline": True, "json_kwds": {"cls": _InPage}} if self.name == "html" else {}
        page.save(file, format=self.name, scale_factor=SCALE if self.name == "png" else 1.0, **inline)
        content = file.getvalue()
        return _titled(content, charts).encode() if isinstance(content, str) else content


def _titled(content: str, charts: Sequence[Chart]) -> str:
    """A page or a picture with a title of its own, as tabs and readers of screens have it."""
    title = f"<title>{html.escape(shown(charts[0]).heading)}</title>"
    if content.startswith("<svg"):
        end = content.index(">") + 1
        return content[:end] + title + content[end:]
    return content.replace("<head>", f"<head>\n  {title}", 1) if content.startswith("<!DOCTYPE html>") else content


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
        legend=alt.Legend(title=None, orient="top", columns=_columns(chart.names), labelLimit=COLUMN),
    )
    beside = len(chart.panels) > 1 and (not chart.subject or all(panel.title for panel in chart.panels))
    width = WIDTH if not chart.subject else HALF if beside else COLUMN
    panels = [_panel(alt, panel, f"{name}_{index}", color, chosen, width) for index, panel in enumerate(chart.panels)]
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


def _panel(alt: Any, panel: Panel, name: str, color: Any, chosen: Any, width: int) -> Any:
    layers = [_layer(alt, panel, series, color, chosen) for series in panel.series]
    layers[0] = layers[0].add_params(alt.selection_interval(name=f"{name}_zoom", bind="scales"))
    return alt.layer(*layers).properties(
        width=width,
        height=_height(panel, width),
        title=alt.TitleParams(panel.title, limit=width + 60, fontSize=11),
    )


def _height(panel: Panel, width: int) -> int:
    """Of intervals as much as each needs, else what suits the width."""
    if has_intervals(panel):
        return INTERVAL * max(len(panel.y.names), 1)
    return min(HEIGHT, round(1.4 * width))


def _layer(alt: Any, panel: Panel, series: Series, color: Any, chosen: Any) -> Any:
    looks = {"labelLimit": GROUP, "tickCount": 6} if has_intervals(panel) else {}
    x, y = _axis(alt, panel.x, "x", **looks), _axis(alt, panel.y, "y", **looks)
    if series.guide:
        dashed = alt.Chart(alt.Data(values=_points(series))).mark_line(clip=True, strokeDash=[4, 4], color="#999")
        return dashed.encode(x=x, y=y)
    tips = [alt.Tooltip("series:N", title="series"), *_tips(alt, panel, series)]
    if series.mark == "heat":
        cells = alt.Chart(alt.Data(values=_cells(series))).mark_rect(clip=True)
        shade = alt.Color(
            "rows:Q",
            title="rows",
            scale=alt.Scale(type="log", scheme="viridis", reverse=True),
            legend=alt.Legend(orient="bottom", gradientLength=120, tickCount=3),
        )
        shaded = cells.encode(x=x, x2="x2:Q", y=y, y2="y2:Q", color=shade, tooltip=tips)
        return shaded + _numbers(alt, series, x, y) if panel.x.names and len(series.counts) <= READABLE else shaded
    faded = alt.when(chosen).then(alt.value(1.0)).otherwise(alt.value(0.15))
    if series.mark == "bars":
        bars = alt.Chart(alt.Data(values=_bars(series))).mark_bar(clip=True, fillOpacity=0.45, binSpacing=0)
        return bars.encode(x=x, x2="x2:Q", y=y, y2=alt.datum(0), color=color, opacity=faded, tooltip=tips)
    if series.mark == "intervals":
        return _intervals(alt, panel, series, x, y, color=color, opacity=faded, tooltip=tips)
    base = alt.Chart(alt.Data(values=_points(series)))
    marked = (
        base.mark_line(clip=True, strokeWidth=2) if series.mark == "line" else base.mark_point(filled=True, size=60)
    )
    return marked.encode(x=x, y=y, color=color, opacity=faded, tooltip=tips)


def _intervals(alt: Any, panel: Panel, series: Series, x: Any, y: Any, **looks: Any) -> Any:
    """A line from end to end, triangles where one goes on beyond the axis, and a point with its number above."""

    def layer(rows: list[dict[str, Any]], across: Any = x) -> Any:
        return alt.Chart(alt.Data(values=rows)), {"x": across, "y": y, **looks}

    rows, axis = _ends(series, panel.y), panel.x
    lines, shown = layer([row for row in rows if row["low"] is not None], alt.X("low:Q"))
    layers = [lines.mark_rule(clip=True, strokeWidth=2).encode(**shown, x2="high:Q")]
    for edge, shape in ((axis.low, "triangle-left"), (axis.high, "triangle-right")):
        out = [row for row in rows if _beyond(row, edge, below=edge == axis.low)]
        if out:
            arrows, shown = layer(out, alt.datum(edge))
            layers.append(arrows.mark_point(filled=True, size=70, shape=shape).encode(**shown))
    points, shown = layer([row for row in rows if axis.low <= row["x"] <= axis.high])
    layers.append(points.mark_point(filled=True, size=60).encode(**shown))
    layers.append(
        points.mark_text(dy=-8, fontSize=9).encode(
            x=x, y=y, text=alt.Text("x:Q", format="+.3~g"), opacity=looks["opacity"]
        )
    )
    return alt.layer(*layers)


def _beyond(row: dict[str, Any], edge: float, *, below: bool) -> bool:
    """Whether an interval or its number lies on the other side of an end of the axis."""
    reach: list[float] = [row["x"], *(end for end in (row["low"], row["high"]) if end is not None)]
    return min(reach) < edge if below else max(reach) > edge


def _numbers(alt: Any, series: Series, x: Any, y: Any) -> Any:
    """The counts, written into their cells."""
    most = max(count for row in series.counts for count in row)
    middle = [{**cell, "x": cell["x"] + 0.5, "y": cell["y"] + 0.5} for cell in _cells(series)]
    light = alt.when(alt.datum.rows > math.sqrt(most)).then(alt.value("white")).otherwise(alt.value("black"))
    return alt.Chart(alt.Data(values=middle)).mark_text().encode(x=x, y=y, text="rows:Q", color=light)


def _axis(alt: Any, axis: Axis, channel: str, **looks: Any) -> Any:
    make = alt.X if channel == "x" else alt.Y
    looks = {"labelLimit": CLASS, **looks}
    if axis.names:
        names = json.dumps([shortened(name, looks["labelLimit"] // 5) for name in axis.names])
        looks |= {"values": list(range(len(axis.names))), "labelExpr": f"{names}[datum.value]"}
    return make(
        f"{channel}:Q",
        title=axis.title,
        scale=alt.Scale(domain=[axis.low, axis.high], nice=False, zero=False),
        axis=alt.Axis(**looks, grid=not axis.names, titleLimit=HEIGHT, labelOverlap=True),
    )


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
        name = names.names[round(y)]
        rows.append({"series": series.name, "name": name, "x": x, "y": y, "low": low, "high": high})
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


for _name, _suffix in (("html", ".html"), ("svg", ".svg"), ("png", ".png"), ("json", ".vl.json")):
    writers.add("vega-lite" if _name == "json" else _name, Vega(_name, _suffix))
