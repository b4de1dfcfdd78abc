"""The shapes of losses and activations with their slopes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lossctl.arguments import checked
from lossctl.dataclass import dataclass
from lossctl.document import FAR, Axis, Chart, Panel, Series
from lossctl.domain import FloatArray, Interval, Values, distinct
from lossctl.errors import UsageError
from lossctl.functions.bound_loss import BoundLoss
from lossctl.plots.limits import limits
from lossctl.plots.sweeps import Curved, Path, Sweep, sweeps

STEPS = 400
NEAR = 1e-9
"""How close to a kink both of its sides are drawn, as a part of the axis."""


@checked()
def curve(
    bound: Curved,
    *,
    labels: Sequence[float] = (),
    low: float | None = None,
    high: float | None = None,
) -> Chart:
    """One loss or activation with its slope; see `curves`."""
    return curves([bound], labels=labels, low=low, high=high)[0]


@checked()
def curves(
    bounds: Sequence[Curved],
    *,
    labels: Sequence[float] = (),
    low: float | None = None,
    high: float | None = None,
) -> tuple[Chart, ...]:
    """Losses and activations with their slopes, on one chart where their axes agree.

    Args:
        bounds: what to draw.
        labels: the labels to draw losses at; else what suits each.
        low: where the axis begins; else what suits each.
        high: where it ends.

    Returns:
        For each axis there is, a chart of two panels: the value, and its derivative along the axis. The numbers are
        those of ``value`` and ``gradient``; the limits of an axis leave out what would hide the rest.

    Raises:
        UsageError: a label is not legal for a loss, or the range holds nothing legal.
    """
    labels = [float(label) for label in labels]
    low, high = (end if end is None else float(end) for end in (low, high))
    for end in (low, high):
        if end is not None and not abs(end) <= FAR:
            raise UsageError(f"an axis cannot end at {end:g}")
    by_axes: dict[tuple[str, str], list[_Trace]] = {}
    for bound in dict.fromkeys(each.tried(3) if isinstance(each, BoundLoss) else each for each in bounds):
        for sweep in sweeps(bound, labels):
            path = sweep.path
            part = replace(path, low=path.low if low is None else low, high=path.high if high is None else high)
            by_axes.setdefault((bound.values, path.title), []).append(_trace(bound, replace(sweep, path=part)))
    return tuple(_chart(values, title, traces) for (values, title), traces in by_axes.items())


@dataclass(frozen=True)
class _Trace:
    """The value and the slope of one loss or activation along one sweep."""

    path: Path
    value: Series
    slope: Series | None
    notes: tuple[str, ...]


def _trace(bound: Curved, sweep: Sweep) -> _Trace:
    x = _points(bound, sweep)
    slope = _slope(bound, sweep, x)
    return _Trace(sweep.path, _value(bound, sweep, x), slope, tuple(_notes(bound, slope)))


def _chart(what: str, title: str, traces: Sequence[_Trace]) -> Chart:
    values, slopes = [trace.value for trace in traces], [trace.slope for trace in traces if trace.slope is not None]
    axis = Axis(title, min(trace.path.low for trace in traces), max(trace.path.high for trace in traces))
    notes = [*_same(values), *(note for trace in traces for note in trace.notes)]
    panels = tuple(
        Panel("", axis, Axis(words, *limits(*(line.y for line in lines))), tuple(lines))
        for words, lines in ((what, values), ("slope", slopes))
        if lines
    )
    return Chart(f"{what} and its slope" if slopes else what, panels, tuple(dict.fromkeys(notes)))


def _same(values: Sequence[Series]) -> Iterator[str]:
    """Which curves cover each other."""
    others = list(values)
    while others:
        first = others.pop(0)
        alike = [line for line in others if line.x == first.x]
        equal = [line for line in alike if np.allclose(line.y, first.y, rtol=1e-6, equal_nan=True)]
        others = [line for line in others if line not in equal]
        if equal:
            yield f"{', '.join(line.name for line in (first, *equal))}: the same curve here"


def _value(bound: Curved, sweep: Sweep, x: FloatArray) -> Series:
    return _series(bound, sweep, x, bound.value_along(sweep.label, sweep.path.prediction(x)))


def _slope(bound: Curved, sweep: Sweep, x: FloatArray) -> Series | None:
    gradient = bound.gradient_along(sweep.label, sweep.path.prediction(x))
    if gradient is None:
        return None
    with np.errstate(invalid="ignore"):  # an infinite gradient across a direction that stands still
        along = gradient * sweep.path.velocity(x)
    return _series(bound, sweep, x, along if along.ndim == 1 else along.sum(axis=1))


def _series(bound: Curved, sweep: Sweep, x: FloatArray, y: FloatArray) -> Series:
    return Series(f"{_name(bound)}{sweep.named}", "line", tuple(x.tolist()), tuple(y.tolist()))


def _name(bound: Curved) -> str:
    return str(bound) if bound.activation is None else f"{bound} after {bound.activation}"


def _notes(bound: Curved, slope: Series | None) -> Iterator[str]:
    if bound.reduction not in {None, "mean"}:
        yield f"{_name(bound)}: each row by itself; what is reported is the {bound.reduction} of the rows"
    if slope is None:
        yield f"{_name(bound)}: declares no gradient, so no slope is drawn"


def _points(bound: Curved, sweep: Sweep) -> FloatArray:
    """The ``x`` of the points of a curve, ``(n,)``: even steps, both sides of kinks, short of the ends of the domain.

    Raises:
        UsageError: no legal ``x`` lies within the axis.
    """
    path = sweep.path
    begin, end = path.low, path.high
    if isinstance(path.legal, Values):
        x = np.array(sorted(path.legal.allowed))
    else:
        if isinstance(path.legal, Interval):  # at its ends a loss may be infinite
            margin = 0.5 * (end - begin) / STEPS
            begin, end = max(begin, path.legal.low + margin), min(end, path.legal.high - margin)
        x = np.linspace(begin, end, STEPS + 1) if begin < end else np.empty(0)
        kinks = np.array(bound.kinks_at(sweep.label))
        x = distinct(np.concatenate([x, *(kinks + side * NEAR * (end - begin) for side in (-1, 0, 1))]))
    x = x[(x >= begin) & (x <= end)] if end - begin > NEAR * max(abs(begin), abs(end)) else x[:0]
    illegal = path.legal.illegal(x)
    x = x if illegal is None else x[~illegal]
    if not len(x):
        raise UsageError(
            f"{_name(bound)} has nothing to draw from {path.low:g} to {path.high:g}",
            f"The axis is the {path.title}: {path.legal.describe()}.",
        )
    return np.asarray(x + 0.0)
