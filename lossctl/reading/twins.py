"""Keys that stand twice in a JSON object, of which a dictionary would keep the last."""

from collections import Counter
from typing import Any


class Twins(dict[str, Any]):
    """A JSON object in which some keys stand twice."""

    names: tuple[str, ...] = ()
    """Those keys."""


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, for ``object_pairs_hook``, that remembers which keys stand twice in it."""
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    twins = Twins(value)
    twins.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return twins


def twin_in(value: dict[str, Any], name: str) -> str | None:
    """The key that stands twice: this one, or one within its value; ``None`` where none does."""
    if isinstance(value, Twins) and name in value.names:
        return name
    inside = [value.get(name)]
    while inside:
        cell = inside.pop()
        if isinstance(cell, Twins):
            return cell.names[0]
        inside += cell if isinstance(cell, list) else cell.values() if isinstance(cell, dict) else ()
    return None
