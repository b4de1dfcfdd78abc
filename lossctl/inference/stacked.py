"""Quantiles that stand below each other, each in a row of its own, and a column that says of which level it is."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lossctl.domain import distinct
from lossctl.errors import Undecided, option
from lossctl.inference.candidates import Candidate
from lossctl.inference.look import SIGNIFICANT
from lossctl.inference.names import LABELS, PREDICTIONS, is_index, is_key, is_level, is_thing, plain_name
from lossctl.inference.side import Side

VALUES = PREDICTIONS[0] | PREDICTIONS[1] | {"value", "values", "quantile_value", "forecast_value"}
"""What that of the quantiles is called."""
MOST = 99
"""Levels up to which they are some."""
ALIKE = 0.85
"""What part of the labels of a level those of another have too, of which some rows may have been left out."""
RISING = 0.7
"""How closely the mean ranks of quantiles follow their levels, at least."""
SHOWN = 9
"""How many levels a message lists."""


def ensure_not_stacked(side: Side, named: Sequence[str], *, apart: bool) -> None:
    """Check that the rows of predictions are no quantiles of several levels.

    Args:
        side: the columns of the predictions.
        named: the columns of the label, where somebody named it.
        apart: whether the labels are elsewhere.

    Raises:
        Undecided: they are, with what puts them beside each other.
    """
    known = {column.name for column in side.free}
    columns = [each for each in side.look.candidates if each.name in known and each.kind in {"number", "text"}]
    levels = [each for each in columns if is_level(each.name) and _are_levels(each)]
    numbers = [each for each in columns if each.kind == "number" and each not in levels and each.name not in named]
    value = _value(numbers)
    if len(levels) != 1 or value is None:
        return
    (level,) = levels
    label = () if apart else named or _labels([each for each in numbers if each is not value])
    if not _are_ordered(side, level.name, value.name, label):
        return
    shown = [f"{number:g}" for number in level.content.numbers.values.tolist()]
    both = {level.name, value.name}
    others = [each.name for each in side.columns if each.name not in both and not is_index(each.name)]
    prefix = "q" if level.content.numbers.high < 1 else "p"
    pivot = f"d.pivot(index={others!r}, columns={level.name!r}, values={value.name!r})"
    models = [each.name for each in columns if each.kind == "text" and plain_name(each.name) in {"model", "method"}]
    flags = [option(label=label[0])] if len(label) == 1 else []
    flags += [option(prediction=f"{prefix}*"), option(loss="quantiles"), *(option(by=name) for name in models[:1])]
    raise Undecided(
        f"{value.name!r} holds quantiles one below the other, the level of each in {level.name!r} "
        f"({', '.join(shown[:SHOWN])}{', …' if shown[SHOWN:] else ''})",
        f"Put them beside each other, in pandas {pivot}.add_prefix({prefix!r}).reset_index(), then {' '.join(flags)}.",
    )


def _are_levels(column: Candidate) -> bool:
    """Whether a column holds levels, parts of 1 or percent, each in about as many rows."""
    values = column.content.numbers
    if column.kind != "number" or values.infinite or not values.exact or not 1 < len(values.keys) <= MOST:
        return False
    percent = values.low >= 1 and values.high < 100 and not (values.values % 1).any() and values.high > MOST / 2
    even = 2 * int(values.counts.min()) >= int(values.counts.max())
    return even and int(values.counts.min()) > 1 and (0 < values.low < values.high < 1 or percent)


def _are_ordered(side: Side, level: str, value: str, label: Sequence[str]) -> bool:
    """Whether the quantiles of a higher level are higher, and the labels of the lowest and the highest are the same.

    The labels are asked where they are one column, and all rows are known: some may be of other labels a level.
    """
    known = len(label) == 1 and side.look.whole
    rows = side.look.rows((level, value, *(label if known else ())))
    if rows is None or not len(rows):
        return False
    levels = distinct(rows[:, 0])
    ordered = np.sort(rows[:, 1])
    ranks = np.searchsorted(ordered, rows[:, 1]) + np.searchsorted(ordered, rows[:, 1], side="right")
    means = np.array([ranks[rows[:, 0] == number].mean() for number in levels])
    if len(levels) < 2 or means[-1] <= means[0]:
        return False
    if not known:
        return bool(np.corrcoef(levels, means)[0, 1] > RISING)
    low, high = (Counter(rows[rows[:, 0] == end, 2].tolist()) for end in (levels[0], levels[-1]))
    if len(low) < 3 or (low & high).total() < ALIKE * min(low.total(), high.total()):  # of a yes or no there are none
        return False
    spread = ranks.std() * np.sqrt(1 / low.total() + 1 / high.total())
    return low == high or 2 * len(low) > low.total() or bool(means[-1] - means[0] > SIGNIFICANT * spread)


def _value(numbers: Sequence[Candidate]) -> Candidate | None:
    """The column of the quantiles: the one that is called so, else that of most different numbers."""
    named = [each for each in numbers if plain_name(each.name) in VALUES]
    known = LABELS[0] | LABELS[1]
    free = [
        each for each in numbers if not (is_key(each.name) or is_thing(each.name) or plain_name(each.name) in known)
    ]
    ordered = sorted(named or free, key=lambda each: len(each.content.numbers.keys))
    return ordered[-1] if ordered else None


def _labels(numbers: Sequence[Candidate]) -> list[str]:
    """The columns that could be the label: those of its name, else all that say no thing."""
    names = [each.name for each in numbers if not (is_key(each.name) or is_thing(each.name))]
    return [name for name in names if plain_name(name) in LABELS[0] | LABELS[1]] or names
