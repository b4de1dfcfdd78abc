"""One shard after the other."""

from collections.abc import Callable, Iterable, Iterator

from lossctl.evaluation.engine import Item, Made, engines


class Serial:
    """The engine that all others must agree with."""

    name = "serial"
    forks = False

    def map(
        self,
        function: Callable[[Item], Made],
        items: Iterable[Item],
        workers: int | None = None,  # noqa: ARG002
    ) -> Iterator[Made]:
        """``map``."""
        return map(function, items)


engines.add(Serial.name, Serial())
