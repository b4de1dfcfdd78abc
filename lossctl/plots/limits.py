"""Where the axes of a chart begin and end."""

import math
from collections.abc import Sequence

FAR = 1e300
"""No axis goes further: lengths and steps stay finite."""


def limits(*values: Sequence[float]) -> tuple[float, float]:
    """Where an axis should begin and end for these sets of numbers.

    What is far outside the middle four fifths of its own set does not stretch the axis.
    """
    lows, highs = [], []
    for some in values:
        known = sorted(it for it in some if abs(it) <= FAR)
        if not known:
            continue
        low, high = known[len(known) // 10], known[len(known) - 1 - len(known) // 10]
        span = math.inf if high == low else high - low
        lows.append(max(known[0], low - span))
        highs.append(min(known[-1], high + span))
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    margin = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
    return low - margin, high + margin
