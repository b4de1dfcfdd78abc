"""What a renderer is: a report becomes text."""

from dataclasses import dataclass
from typing import Protocol

from lossctl.evaluation.report import Report
from lossctl.registry import Registry


@dataclass(frozen=True)
class Style:
    """How text for people is to look; machine formats ignore it."""

    width: int = 80
    color: bool = False
    precision: int = 6
    """Significant digits."""


class Renderer(Protocol):
    """A way to write a report down."""

    name: str
    suffixes: tuple[str, ...]

    def render(self, report: Report, style: Style) -> str:
        """The text, with a line end at its end."""


renderers: Registry[Renderer] = Registry("output format", "lossctl.rendering.renderers", group="lossctl.renderers")
