"""Charts as the numbers they are made of, in strict JSON."""

from collections.abc import Sequence

from lossctl.document import Chart, charted
from lossctl.rendering.picture import writers
from lossctl.rendering.renderer import Style, renderers


class Numbers:
    """One object."""

    name = "json"
    suffixes: tuple[str, ...] = (".json",)

    def write(self, charts: Sequence[Chart], *, width: int, height: int, color: bool) -> bytes:  # noqa: ARG002
        """The charts as they are; a number that is not finite is null."""
        return renderers.get("json").render(charted(charts), Style()).encode()


writers.add(Numbers.name, Numbers())
