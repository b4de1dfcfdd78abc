"""The picture of how probabilities are calibrated: mean labels beside them, where the rows are."""

from collections.abc import Collection, Mapping

import numpy as np

from lossctl.document import Axis, Chart, Panel, Series
from lossctl.sums.calibration import BEYOND, BINS, Calibration, Window, windows
from lossctl.words import counted


def reliability(calibrations: Mapping[str, Calibration], *, rows: bool) -> Chart:
    """The mean of what happened in each tenth of the probabilities beside their mean, and the number of rows.

    Where nearly all rows are near 0, or near 1, the tenths are those of a part, and rows beyond it are counted.

    Args:
        calibrations: of each model, by its name; with a row at least.
        rows: whether they are of the likeliest of several classes.
    """
    window = _holding(calibrations.values())
    shown = {name: calibration.within(window) for name, calibration in calibrations.items()}
    beyond = {name: calibration.beyond(window) for name, calibration in calibrations.items()}
    unseen = (f"{name}: {counted(n, 'row')} beyond the axes" for name, n in beyond.items() if n)
    title = "probability of the likeliest class" if rows else "predicted probability"
    curves, means = [], list[float]()
    for name, calibration in shown.items():
        predicted, happened, n = (tuple(column) for column in zip(*calibration.curve(), strict=True))
        curves += [Series(name, "line", predicted, happened), Series(name, "points", predicted, happened, (n,))]
        means += happened
    holding = (one for one in windows() if one[0] <= min(means) and max(means) <= one[1] and _meet(one, window))
    up = next(holding, (0.0, 1.0))
    ends = max(window[0], up[0]), min(window[1], up[1])
    guide = Series("perfect calibration", "line", ends, ends, guide=True)
    edges = tuple(np.linspace(*window, BINS + 1).tolist())
    counts = tuple(
        Series(name, "bars", edges, tuple(map(float, calibration.counts.tolist())))
        for name, calibration in shown.items()
    )
    highest = max(max(bar.y) for bar in counts)
    truth = "how often it came true" if rows else "mean label"
    panels = (
        Panel("", _axis(f"mean {title}", window), _axis(truth, up), (guide, *curves)),
        Panel("", Axis(title, *window), Axis("rows", 0.0, 1.05 * highest), counts),
    )
    return Chart("calibration of probabilities", panels, tuple(unseen))


def _holding(calibrations: Collection[Calibration]) -> Window:
    """The narrowest window of probabilities that holds nearly all rows of each."""
    enough = [(calibration, BEYOND * int(calibration.counts.sum())) for calibration in calibrations]
    return next(one for one in windows() if all(each.beyond(one) <= few for each, few in enough))


def _meet(one: Window, other: Window) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


def _axis(title: str, window: Window) -> Axis:
    """An axis with a margin, so that points at its ends are whole."""
    low, high = window
    margin = 0.02 * (high - low)
    return Axis(title, low - margin, high + margin)
