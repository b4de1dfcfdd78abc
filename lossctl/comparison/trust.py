"""What would make an interval trusted that is not: a clause for each reason there is."""

import math
from collections.abc import Callable

from lossctl.functions.lookup import get_loss
from lossctl.sums.estimate import FEW_ROWS, TOP_SHARE, UNLIKE, Doubt, Estimate
from lossctl.words import either

MILD = ("huber", "mae", "log_cosh")
"""What a row that is far off moves less than a loss of squares."""
BOUNDED = {"bce": "brier", "focal": "brier", "cross_entropy": "categorical_brier", "nll": "categorical_brier"}
"""Losses without an upper end, and those of the same predictions that have one."""
SINGLE = 0.995
"""The share from which on the other rows are nothing beside one."""
SHOWN = "lossctl samples shows"
SHOWN_OF = {
    "row": f"{SHOWN} it",
    "cluster": "look at its rows",
    "bucket": "compare with the earlier predictions to see which row it is",
}
"""Where to look at what carries most."""


def remedy(estimate: Estimate, loss: str) -> str:
    """What would make the interval of an estimate trusted; empty where it is.

    Args:
        estimate: the number.
        loss: of which loss it is, as a user types it.
    """
    unit, count = estimate.unit, estimate.n if estimate.clusters is None else estimate.clusters
    excess = 1.0 / estimate.units - 1.0 / count if estimate.doubted == "sizes" else 0.0
    lags = f"with fewer lags than {estimate.lags:,}, or more rows, it could be"
    infinite = f"{SHOWN} the rows whose loss is infinite: without these, or with a floor (eps), it could be"
    ways: dict[Doubt, Callable[[], str]] = {
        "": lambda: "",
        "value": lambda: infinite if estimate.n else "no row is left to measure",
        "range": lambda: infinite,
        "few": lambda: lags if estimate.lags else f"it takes two {unit}s at least, and {FEW_ROWS} are better",
        "error": lambda: lags if estimate.lags else f"of {loss} none is known here, of a mean over rows there is",
        "tokens": lambda: f"{by_text(loss)} compares whole texts",
        "unseen": lambda: "in a unit in which numbers are neither huge nor tiny it could be",
        "sizes": lambda: (
            f"with about {_rounded_up(count * excess / UNLIKE)} {unit}s like these, or with {unit}s more alike in "
            "size, it would be"
        ),
        "share": lambda: _spread(estimate.top_share, count, unit) + _milder(loss, unit),
        "early": lambda: f"from {FEW_ROWS} {unit}s on it is",
    }
    return ways[estimate.doubted]()


def _spread(share: float, count: int, unit: str) -> str:
    """How many rows or clusters there would have to be, for the largest to carry little enough."""
    shown = SHOWN_OF[unit]
    if share >= SINGLE:
        return f"without it there is next to nothing: {shown}"
    enough = 1.0 + (count - 1.0) * share / (1.0 - share) * (1.0 - TOP_SHARE) / TOP_SHARE
    return f"with about {_rounded_up(enough)} {unit}s like the others it would be; {shown}"


def by_text(loss: str) -> str:
    """The loss of whole texts, in the place of one of their tokens."""
    said = [word for word in loss.partition(":")[2].split(",") if word and not word.startswith("per=")]
    return f"surprisal:{','.join([*said, 'per=row'])}"


def _milder(loss: str, unit: str) -> str:
    """Losses that one row moves less; empty where none is known."""
    bound = get_loss(loss)
    if "per" in bound.parameters and bound.parameters["per"] != "row" and unit == "row":
        return f"; {by_text(loss)} counts every row once"
    squares = bound.definition.square_root is not None and bound.definition.family != "scores"
    milder = [*MILD] if squares else [BOUNDED[bound.name]] if bound.name in BOUNDED else []
    return f"; {either(milder)} would mind it less" if milder else ""


def _rounded_up(count: float) -> str:
    """A number of two digits that is not less."""
    if count < 100:
        return str(math.ceil(count))
    step = 10 ** (math.floor(math.log10(count)) - 1)
    return f"{math.ceil(count / step) * step:,}"
