"""Charts of a page that answer to the mouse, drawn in it by Vega-Lite, where Altair and vl-convert are installed."""

import json
import math
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from lossctl.document import Chart
from lossctl.rendering.drawing import COLORS, FAINTEST, FULL
from lossctl.rendering.picture import shown
from lossctl.rendering.pictures.images import COLUMN, Look, most_rows, plain

INK = "currentColor"
"""The colour of a number, that of the page, as still pictures have it."""
ROOM = 140
"""How wide a name beside a panel may be, as many signs as still pictures have."""
WHOLE = "\n// all of it\n"
"""How a script ends that was kept whole."""
ZOOM = "wheel![event.ctrlKey]"
"""What makes a panel larger: the wheel alone moves the page."""


def specifications(chart: Chart) -> Sequence[str]:
    """Vega-Lite for each panel of a chart, as JSON; title, legend, notes and colours of text are the page's.

    Args:
        chart: what is drawn.

    Returns:
        One a panel; none where what it needs is not installed.
    """
    try:
        altair = import_module("altair")
        import_module("vl_convert")
    except ImportError:
        return ()
    chart = shown(chart, plain)
    palette = [COLORS[index % len(COLORS)] for index in range(len(chart.names))]
    color = altair.Color("series:N", scale=altair.Scale(domain=list(chart.names), range=palette), legend=None)
    chosen = altair.selection_point(name="chosen", fields=["series"])
    red, green, blue = (int(COLORS[0][place : place + 2], 16) for place in (1, 3, 5))
    shades = {"range": [f"rgba({red},{green},{blue},{share})" for share in (FAINTEST, FULL)]}
    look = Look(altair, color, chosen, most_rows(chart), COLUMN, shades, (INK, INK), ROOM, ZOOM)
    texts = []
    for panel in chart.panels:
        drawn = look.panel(replace(panel, title=""), "panel")
        drawn = drawn.add_params(chosen) if any(not series.guide for series in panel.series) else drawn
        brief = _brief(drawn.to_dict(validate=False))
        text = json.dumps(brief, allow_nan=False, separators=(",", ":"))
        texts.append(text.replace("<", "\\u003c"))  # so that it cannot end its script, whatever the columns are called
    return texts


def library() -> str:
    """The script that draws Vega-Lite in a page, whole: it asks the network for nothing.

    To put it together takes longer than to measure millions of rows, so it is kept among the caches of the user.
    """
    bundler = import_module("vl_convert")
    cache = _cache()
    kept = cache / f"vega-{bundler.__version__}.js"
    with suppress(OSError, UnicodeError):
        script = _own(kept)
        if script.endswith(WHOLE):
            return script
    script = f"{bundler.javascript_bundle()}{WHOLE}"
    with suppress(OSError):  # where nothing can be kept, it is made each time
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = cache / f".{os.urandom(4).hex()}.tmp"
        try:
            with open(beside, "xb", opener=_private) as file:
                file.write(script.encode())
            beside.replace(kept)
        finally:
            beside.unlink(missing_ok=True)
    return script


def _cache() -> Path:
    """The folder for what is kept, which may be in no place where anything can be."""
    places = (os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~/.cache"))
    place = next(filter(os.path.isabs, places), os.devnull)  # else it would be in the folder one happens to be in
    return Path(place) / "lossctl"


def _own(path: Path) -> str:
    """The text of a file that nobody else can write, for it becomes a part of pages; an `OSError` of another."""
    with open(path, "rb") as file:
        about = os.fstat(file.fileno())
        if hasattr(os, "geteuid") and (about.st_uid != os.geteuid() or about.st_mode & 0o022):
            raise PermissionError
        return file.read().decode()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _brief(part: Any) -> Any:
    """A specification with its data as rows below the names of their fields, and numbers in seven digits."""
    if isinstance(part, list):
        return [_brief(item) for item in part]
    if isinstance(part, float):
        return float(f"{part:.7g}") if math.isfinite(part) else None
    if not isinstance(part, dict):
        return part
    rows = part.get("values")
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        return {"fields": [*rows[0]], "rows": [_brief([*row.values()]) for row in rows]}
    return {key: _brief(value) for key, value in part.items() if key not in {"$schema", "config"}}
