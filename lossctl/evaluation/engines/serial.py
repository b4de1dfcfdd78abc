"""One shard after the other."""

from collections.abc import Callable, Iterable, Iterator

from lossctl.evaluation.engine import Item, Output, ahead, engines


class Serial:
    """The engine that all others must agree with."""

    name = "serial"
    forks = False

    def map(
        self,
        function: Callable[[Item], Output],
        items: Iterable[Item],
        workers: int | None = None,  # noqa: ARG002
    ) -> Iterator[Output]:
        """Results in the order of the items, each made when it is asked for."""
        return map(function, ahead(items))


engines.add(Serial.name, Serial())
