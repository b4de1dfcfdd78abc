"""Charts as the numbers they are made of, in strict JSON, and as a page: what is made of any document."""

from collections.abc import Sequence

from lossctl.document import Chart, charted
from lossctl.rendering.picture import writers
from lossctl.rendering.renderer import Style, renderers


class Rendered:
    """A format of results, by its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.suffixes = renderers.get(name).suffixes

    def write(self, charts: Sequence[Chart], *, width: int, height: int, color: bool) -> bytes:  # noqa: ARG002
        """The charts one below the other, as large as a page has room for; in JSON what is not finite is null."""
        return renderers.get(self.name).render(charted(charts), Style()).encode()


for _name in ("json", "html"):
    writers.add(_name, Rendered(_name))
