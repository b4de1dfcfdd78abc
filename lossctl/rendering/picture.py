"""What a picture is: a chart becomes text, a page or an image."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, Protocol

from lossctl.document import Axis, Chart, Panel, Series
from lossctl.errors import UsageError
from lossctl.registry import Registry
from lossctl.rendering.renderer import renderers
from lossctl.words import NAME, printable


class Writer(Protocol):
    """A way to write charts down."""

    name: str
    suffixes: tuple[str, ...]

    def write(self, charts: Sequence[Chart], *, width: int, height: int, color: bool) -> bytes:
        """The charts one below the other.

        Args:
            charts: what to write.
            width: columns of the terminal.
            height: lines for each panel.
            color: whether to colour text.

        Raises:
            UsageError: what it needs is not installed.
        """


writers: Registry[Writer] = Registry("picture format", "lossctl.rendering.pictures", group="lossctl.charts")


def writer_for(path: str) -> Writer:
    """The writer of pictures for a file name, by its suffix.

    Raises:
        UsageError: no writer has that suffix.
    """
    by_suffix = {suffix: writer for writer in writers for suffix in writer.suffixes}
    fitting = [suffix for suffix in by_suffix if path.lower().endswith(suffix)]
    if not fitting:
        raise UsageError(f"{path}: no picture has this suffix", f"Known: {', '.join(sorted(by_suffix))}.")
    return by_suffix[max(fitting, key=len)]


def image_writers() -> dict[str, Writer]:
    """The writers of pictures by those of their suffixes that are of no format of results."""
    texts = {suffix for renderer in renderers for suffix in renderer.suffixes}
    return {suffix: writer for writer in writers for suffix in writer.suffixes if suffix not in texts}


def draw(chart: Chart, *, width: int, height: int, color: bool) -> str:
    """The chart as text for a terminal of ``width`` columns, with ``height`` lines for each panel."""
    return writers.get("text").write([chart], width=width, height=height, color=color).decode()


def shown(chart: Chart, change: Callable[[str], str] = str) -> Chart:
    """The chart with all its texts printable, and names that differ still apart.

    Args:
        chart: what is to be drawn.
        change: what else to do to each text.
    """
    names: dict[str, str] = {}
    times: Counter[str] = Counter()

    def name(text: str) -> str:
        if text not in names:
            word = change(printable(text, NAME))
            times[word] += 1
            names[text] = f"{word} ({times[word]})" if times[word] > 1 else word
        return names[text]

    words: Chart = _reworded(replace(chart, notes=()), name)
    return replace(words, notes=tuple(change(printable(note)) for note in chart.notes))


def has_intervals(panel: Panel) -> bool:
    """Whether a panel holds intervals, below each other with their names beside them."""
    return any(series.mark == "intervals" for series in panel.series)


def _reworded(value: Any, change: Callable[[str], str]) -> Any:
    """A value with each text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Chart | Panel | Series | Axis):
        texts = [field.name for field in fields(value) if field.name != "mark"]
        return replace(value, **{field: _reworded(getattr(value, field), change) for field in texts})
    if isinstance(value, tuple) and value and isinstance(value[0], str | Panel | Series):
        return tuple(_reworded(item, change) for item in value)
    return value
