"""Work on some items at a time, whose results come in the order of the items."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Begun = TypeVar("Begun")
Output = TypeVar("Output")


def in_turn(
    begin: Callable[[Item], Begun], end: Callable[[Begun], Output], items: Iterable[Item], most: Callable[[], int]
) -> Iterator[Output]:
    """``end(begin(item))`` for each item, in order, where up to ``most()`` more items have begun meanwhile.

    Args:
        begin: starts the work on an item.
        end: waits for what ``begin`` returned, and gives the result of the item or raises its error.
        items: what to work on. What they or ``begin`` raise is raised after the results of the items before.
        most: asked anew before each result.
    """
    waiting: deque[Begun] = deque()
    remaining, stop = iter(items), None
    while stop is None:
        try:
            waiting.append(begin(next(remaining)))
        except Exception as error:  # noqa: BLE001  (the end, or what the items raise)
            stop = error
        if waiting and (stop is not None or len(waiting) > most()):
            yield end(waiting.popleft())
    while waiting:
        yield end(waiting.popleft())
    if not isinstance(stop, StopIteration):
        raise stop
