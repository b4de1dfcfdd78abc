"""The levels that columns are named for as quantiles, and where a loss takes them for others."""

from collections.abc import Iterator, Sequence

from lossctl.errors import option
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.parameter import spell
from lossctl.inference.classes import SHOWN
from lossctl.inference.names import level_of, levels_among

SPARSE = 0.1
"""Below it lies no largest level: q1, q2, q3 are numbered."""


def levels_of(columns: Sequence[str]) -> tuple[float, ...] | None:
    """The levels of columns that are named for different ones."""
    levels = tuple(level for level in map(level_of, columns) if level is not None)
    if not levels:
        levels = tuple(levels_among(columns).values())
    distinct = len({*levels}) == len(columns) and max(levels, default=0.0) >= SPARSE
    return levels if distinct and len(levels) == len(columns) else None


def some_levels(columns: Sequence[str]) -> tuple[float | None, ...]:
    """The levels of the columns that are named for different ones, ``None`` of others; of none where these repeat."""
    levels = levels_among(columns)
    repeated = len({*levels.values()}) < len(levels) or max(levels.values(), default=0.0) < SPARSE
    return tuple(None if repeated else levels.get(name) for name in columns)


def other_levels(bound: BoundLoss, columns: Sequence[str]) -> Iterator[str]:
    """Where columns are named for other levels than a loss takes them for."""
    levels, some = levels_of(columns), some_levels(columns)
    taken = bound.parameters.get("tau")
    said = taken if isinstance(taken, tuple) else (taken,)
    if len(said) == len(columns):
        named = zip(columns, levels or some, said, strict=True)
        pairs = [(name, level, tau) for name, level, tau in named if level is not None]
        if taken is not None and any(level != tau for _, level, tau in pairs):
            shown, wanted = [name for name, _, _ in pairs], tuple(level for _, level, _ in pairs)
            way = f"say {option(loss=f'{bound.name}:tau={spell(wanted)}')} if they are that"
            way = way if levels else f"it is given in the order {', '.join(columns[:SHOWN])}"
            yield (
                f"{bound.title}: tau is {spell(taken)}, and {', '.join(shown[:SHOWN])} {'are' if shown[1:] else 'is'} "
                f"named for {spell(wanted)}; {way}"
            )
    if levels is None:
        return
    alpha = bound.parameters.get("alpha")
    if bound.parts == ("lower", "upper") and isinstance(alpha, float) and levels[0] < levels[1]:
        outside = round(1.0 - (levels[1] - levels[0]), 12)
        if abs(outside - alpha) > 1e-9:
            ends = f"{columns[0]} and {columns[1]} are named for the ends of {100 * (1 - outside):g} %"
            yield f"{bound.title}: alpha is {alpha:g}, and {ends}: {option(loss=f'{bound.name}:alpha={outside:g}')}"
