"""What a renderer is: a document becomes text."""

from collections.abc import Callable, Container, Iterable
from typing import Protocol

from lossctl.dataclass import dataclass
from lossctl.document import Document
from lossctl.errors import UsageError
from lossctl.registry import Registry


@dataclass(frozen=True)
class Style:
    """How text for people is to look; machine formats ignore it."""

    width: int = 80
    color: bool = False
    precision: int | None = None
    """Significant digits; where left out, as many as the standard error warrants, else 6."""
    height: int | None = None
    """Lines for each panel of a chart; where left out, what fits a screen with the rest."""


class Renderer(Protocol):
    """A way to write a document down."""

    name: str
    suffixes: tuple[str, ...]

    def render(self, document: Document, style: Style) -> str:
        """The text, with a line end at its end.

        Raises:
            UsageError: the format has no way to write such a document.
        """


def pieces(renderer: Renderer, document: Document, style: Style) -> Iterable[str]:
    """The text that a renderer makes, in pieces: where it has many records, it is not there all at once.

    Raises:
        UsageError: as for `Renderer.render`.
    """
    streamed: Callable[[Document, Style], Iterable[str]] | None = getattr(renderer, "pieces", None)
    return (renderer.render(document, style),) if streamed is None else streamed(document, style)


renderers: Registry[Renderer] = Registry("output format", "lossctl.rendering.renderers", group="lossctl.renderers")


def for_path(path: str, others: Iterable[str] = (), among: Container[str] | None = None) -> Renderer:
    """The renderer that a file name asks for by its suffix.

    Args:
        path: the name.
        others: what other suffixes are known, of pictures.
        among: the names of the formats that are to be suggested; all where left out.

    Raises:
        UsageError: none has that suffix.
    """
    named = renderers.first(lambda renderer: path.lower().endswith(renderer.suffixes))
    if named is not None:
        return named
    fitting = [renderer for renderer in renderers if among is None or renderer.name in among]
    known = [suffix for renderer in fitting for suffix in renderer.suffixes]
    raise UsageError(f"{path}: no output format has this suffix", f"Known: {', '.join([*known, *others])}.")
