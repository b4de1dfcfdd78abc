"""What rows are grouped by: a column, and perhaps the periods of its dates or the quantiles of its numbers."""

from typing import TYPE_CHECKING

from lossctl.dataclass import dataclass
from lossctl.errors import UsageError
from lossctl.reading.periods import PERIODS, WEEKDAYS
from lossctl.reading.written_dates import First
from lossctl.words import counted, natural, near, percent

if TYPE_CHECKING:
    from lossctl.sums.quantiles import Intervals

MOST = 1000
"""How many quantile groups a column may have."""
NAMES = {2: "halves", 3: "tertiles", 4: "quartiles", 5: "quintiles", 10: "deciles", 20: "ventiles", 100: "percentiles"}


@dataclass(frozen=True)
class Grouping:
    """A column to group by, and in what units."""

    column: str
    unit: str = ""
    """A period of time, or a number of quantile groups; empty where every value is a group."""
    intervals: "Intervals | None" = None
    """Those between the quantiles, once they are known."""
    first: First = ""
    """What comes first in dates of text with slashes, once it is known."""

    def __str__(self) -> str:
        """As a user would type it."""
        return f"{self.column}:{self.unit}" if self.unit else self.column

    @property
    def quantiles(self) -> int:
        """How many quantile groups; 0 where it is not by quantiles."""
        return int(self.unit) if self.unit.isdecimal() else 0

    def order(self, word: str | None) -> tuple[bool, object]:
        """What groups are sorted by: time, the place of an interval, else the name; null is last."""
        if word is not None and self.intervals is not None:
            return False, self.intervals.order[word]
        if word is not None and self.unit == "weekday":
            return False, WEEKDAYS.index(word)
        return word is None, natural(word or "")

    def remark(self) -> str:
        """What is to be said of its intervals: whether they are exact, and how many there are."""
        intervals = self.intervals
        title = f"{NAMES.get(self.quantiles, f'{self.quantiles} quantile groups')} of {self.column!r}"
        if intervals is None or not intervals.labels:
            return f"{title}: it has no numbers"
        error, groups = intervals.relative_error, len(intervals.labels)
        rounded = f"too many numbers differ to keep them all, so they were rounded by up to {percent(error, 1)}"
        how = f"approximate, {rounded}" if error else "exact"
        fewer = f"; {counted(groups, 'group')} only, as equal numbers stay together" if groups < self.quantiles else ""
        return f"{title}: {how}{fewer}"


def unit_of(pattern: str) -> tuple[str, str]:
    """The column and the unit that ``COLUMN:UNIT`` names; of another pattern, all of it and nothing."""
    column, colon, unit = pattern.rpartition(":")
    named = bool(column and colon and unit) and not unit.endswith(("]", "/"))  # neither p[0:3] nor /a:b/
    return (column, unit) if named else (pattern, "")


def is_unit(unit: str) -> bool:
    """Whether it is a period, or a number of groups, be it too many."""
    return unit.lower() in PERIODS or unit.lstrip("+-").isdecimal()


def legal_unit(pattern: str, unit: str) -> str:
    """The unit as it is kept.

    Raises:
        UsageError: it is none.
    """
    if unit.lower() in PERIODS:
        return unit.lower()
    if unit.isascii() and unit.isdecimal() and len(unit) < 10 and 2 <= int(unit) <= MOST:
        return str(int(unit))
    if unit.lstrip("+-").isdecimal():
        raise UsageError(f"group {pattern!r}: there are from 2 to {MOST:,} quantile groups, not {unit}")
    close = f"Did you mean {near(unit, [*PERIODS])[0]}? " if near(unit, [*PERIODS]) else ""
    hint = f"{close}Dates are grouped by {', '.join(PERIODS)}, numbers by quantiles, such as :10."
    raise UsageError(f"group {pattern!r}: no unit {unit!r}", hint)
