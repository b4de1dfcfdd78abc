"""Where the axes of a chart begin and end."""

import math
from collections.abc import Sequence

from lossctl.document import FAR


def limits(*values: Sequence[float]) -> tuple[float, float]:
    """Where an axis should begin and end for these sets of numbers.

    Numbers further from the middle four fifths of their own set than these are wide do not stretch the axis.
    """
    lows, highs = [], []
    for numbers in values:
        ranked = sorted(number for number in numbers if abs(number) <= FAR)
        if not ranked:
            continue
        low, high = ranked[len(ranked) // 10], ranked[len(ranked) - 1 - len(ranked) // 10]
        span = math.inf if high == low else high - low
        lows.append(max(ranked[0], low - span))
        highs.append(min(ranked[-1], high + span))
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    margin = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
    return low - margin, high + margin
