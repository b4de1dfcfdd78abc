"""The pictures of a comparison: differences with their intervals, group by group, and the differences of rows."""

import math
from collections.abc import Iterator, Sequence
from statistics import median_low

from lossctl.comparison.difference import Difference
from lossctl.comparison.tables import sentence
from lossctl.comparison.wording import signed
from lossctl.document import FAR, Axis, Chart, Panel, Series
from lossctl.evaluation.histograms import beyond, histogram
from lossctl.evaluation.tables import ALL
from lossctl.sums.distribution import Distribution
from lossctl.words import counted

SHOWN = 30
"""The most groups of which a picture is still read."""
WIDE = 8.0
"""An interval so many times as wide as most does not stretch the axis."""
FILES = 3
"""How many files are named."""
NO_DIFFERENCE = "no difference"


def charts(
    results: Sequence[Difference],
    overall: Sequence[Difference],
    rows: Sequence[Distribution],
    level: float,
    files: Sequence[str],
) -> tuple[Chart, ...]:
    """A chart for each loss and model.

    Args:
        results: the differences, by group where there are groups.
        overall: those of all groups together, where there are groups.
        rows: the differences of rows, one for each loss and model in the order of the results.
        level: of the intervals.
        files: what was read.
    """
    subject = ", ".join(files[:FILES]) + (f", … ({len(files)} files)" if len(files) > FILES else "")
    made: dict[tuple[str, str], list[Difference]] = {(one.loss, one.model): [] for one in (*overall, *results)}
    for one in (*overall, *results):
        made[one.loss, one.model].append(one)
    return tuple(
        _chart(listed, numbers, level, subject or "table") for listed, numbers in zip(made.values(), rows, strict=True)
    )


def _chart(listed: Sequence[Difference], rows: Distribution, level: float, subject: str) -> Chart:
    """The picture of one loss of one model; the first difference is that of all rows where there are several."""
    first = listed[0]
    forest, notes = _forest(listed[: SHOWN + 1], level)
    numbers = histogram("", f"difference of a row on {first.loss}", {"rows": rows})
    (bars,) = numbers.series
    guide = Series(NO_DIFFERENCE, "line", (0.0, 0.0), (0.0, numbers.y.high), guide=True)
    told = [sentence(first, level), *notes]
    if len(listed) > SHOWN + 1:
        told.append(f"{counted(len(listed) - SHOWN - 1, 'group')} more: the table has them")
    told += beyond(numbers)
    return Chart(
        f"{first.model} − {first.against} on {first.loss}",
        (forest, Panel("", numbers.x, numbers.y, (guide, bars))),
        tuple(told),
        subject,
    )


def _forest(listed: Sequence[Difference], level: float) -> tuple[Panel, list[str]]:
    """The differences below each other, the first on top, and what is to be said of those not seen whole."""
    count, names = len(listed), _names(listed)
    low, high = _span(listed)
    trusted: list[tuple[int, Difference]] = []
    doubted: list[tuple[int, Difference]] = []
    notes: list[str] = []
    for place, one in enumerate(listed):
        if not abs(one.difference) <= FAR:
            notes.append(f"{names[place]}: the difference is {_spelled(one.difference)}, and not drawn")
            continue
        (doubted if one.verdict == "not trusted" else trusted).append((count - 1 - place, one))
        if one.difference < low or one.difference > high or one.ci_low < low or one.ci_high > high:
            error = one.standard_error
            ends = "" if math.isnan(one.ci_low) else f" ({signed(one.ci_low, error)} to {signed(one.ci_high, error)})"
            notes.append(f"{names[place]}: reaches beyond the axis, {signed(one.difference, error)}{ends}")
    series = [Series(NO_DIFFERENCE, "line", (0.0, 0.0), (-0.5, count - 0.5), guide=True)]
    for name, some in ((f"{100 * level:.6g} % interval", trusted), ("not trusted", doubted)):
        if some:
            series.append(
                Series(
                    name,
                    "intervals",
                    tuple(one.difference for _, one in some),
                    tuple(float(place) for place, _ in some),
                    ends=tuple((one.ci_low, one.ci_high) for _, one in some),
                )
            )
    x = Axis("← better · difference · worse →", low, high)
    y = Axis(", ".join(listed[-1].group), -0.5, count - 0.5, tuple(reversed(names)))
    return Panel("", x, y, tuple(series)), notes


def _span(listed: Sequence[Difference]) -> tuple[float, float]:
    """Where the axis begins and ends: 0 lies on it, and every interval that is not far wider than most."""
    drawn = [one for one in listed if abs(one.difference) <= FAR]
    reaches = [tuple(_reach(one)) for one in drawn]
    if not reaches:
        return -1.0, 1.0
    usual = median_low(high - low for low, high in reaches)
    narrow = [(low, high) for low, high in reaches if high - low <= WIDE * usual]
    low, high = min(0.0, *(low for low, _ in narrow)), max(0.0, *(high for _, high in narrow))
    margin = 0.04 * (high - low) or 1.0
    return max(low - margin, -FAR), min(high + margin, FAR)


def _reach(one: Difference) -> Iterator[float]:
    """Where an interval begins and ends; where there is none, the difference."""
    yield one.difference if math.isnan(one.ci_low) else max(one.ci_low, -FAR)
    yield one.difference if math.isnan(one.ci_high) else min(one.ci_high, FAR)


def _names(listed: Sequence[Difference]) -> list[str]:
    """What differences are of, each unlike the others."""
    whole = f"({ALL})" if any(ALL in one.group.values() for one in listed) else ALL
    return [", ".join("(null)" if word is None else word for word in one.group.values()) or whole for one in listed]


def _spelled(value: float) -> str:
    return "not a number" if math.isnan(value) else "infinite"
