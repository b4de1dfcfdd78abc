"""A number of a data set, and how sure it is."""

import math
from dataclasses import replace
from typing import Literal

from lossctl.dataclass import dataclass
from lossctl.sums.student import quantile, tail

FEW_CLUSTERS = 10
"""Fewer than so many are too few for the formulas: Cameron, Gelbach & Miller 2008, doi:10.1162/rest.90.3.414."""
UNLIKE = 1.0 / 80.0
"""By how much the squares of the clusters' shares of all weight may add up to more than if they were alike: from there
on false alarms of 5 % are more than 6 %, of 10 to 100 clusters that have little but their own in common
(benchmarks/alarms.py)."""
TOP_SHARE = 0.1
"""What a single row or cluster may carry of the sum of squares, for an interval to be trusted: of few that is usual."""
OUTLIER = 0.01
"""How seldom one carries more than `TOP_SHARE`, and more than is usual, by chance."""
FEW_ROWS = 30
"""Fewer than so many are too few for what holds of many."""

Doubt = Literal["", "value", "range", "few", "error", "tokens", "unseen", "sizes", "share", "early"]


@dataclass(frozen=True)
class Estimate:
    """A number, its standard error, and what tells whether that is to be trusted."""

    value: float
    standard_error: float
    """NaN where it is unknown."""
    freedom: float
    """Degrees of freedom of Student's t."""
    n: int
    units: float
    """How many rows or clusters there are that move by themselves, of unlike weights as many as count."""
    clusters: int | None
    """How many clusters, or buckets of them; ``None`` where rows move by themselves."""
    top_share: float
    """The largest part of the sum of squares that a single row or cluster carries."""
    lags: int = 0
    """How many of the rows before it each row moves with."""
    anytime: float | None = None
    """The n at which intervals that hold at every n at once are tightest; ``None`` for those that hold once."""
    bucketed: bool = False
    """Whether the clusters are buckets of a baseline."""
    hashed: bool = False
    """Whether the clusters are buckets, since there are too many clusters to keep one by one."""
    same: bool = False
    """Whether it is the difference of what is the same, row by row: then there is nothing to be unsure of."""

    pulled_down: bool = False
    """Whether the row or cluster that carries that part makes the number lower."""
    tokens: tuple[float, float] | None = None
    """How many tokens each of two models has, where the same texts are cut into others: then their means differ for
    that alone."""

    def of_the_same(self) -> "Estimate":
        """What this is where no row differs: 0, whatever the values are, and for sure."""
        freedom = max(1.0, self.freedom)
        return replace(self, value=0.0, standard_error=0.0, freedom=freedom, top_share=0.0, same=True)

    @property
    def is_known(self) -> bool:
        """Whether value and standard error are numbers, and there is something to tell the error from."""
        return math.isfinite(self.value) and math.isfinite(self.standard_error) and self.freedom > 0.0

    @property
    def doubted(self) -> Doubt:
        """What keeps an interval from being trusted; empty where nothing does."""
        if self.same:
            return ""
        if math.isnan(self.value):
            return "value"
        if math.isinf(self.value) or math.isinf(self.standard_error):
            return "range"
        if self.freedom <= 0.0 or (self.lags and self.n <= self.lags + 1):
            return "few"
        if not self.is_known:
            return "error"
        if self.tokens is not None:
            return "tokens"
        if math.isnan(self.top_share):
            return "unseen"
        if self.clusters is not None and 1.0 / self.units - 1.0 / self.clusters > UNLIKE:
            return "sizes"
        if self.top_share > TOP_SHARE and self.top_share > _usual_share(self._count):
            return "share"
        return "early" if self.anytime is not None and self.units < FEW_ROWS else ""

    @property
    def _count(self) -> int:
        return self.n if self.clusters is None else self.clusters

    @property
    def are_alike(self) -> bool:
        """Whether all rows, or clusters, have one weight."""
        return self.units == self._count

    @property
    def others(self) -> "Estimate | None":
        """This without the row or cluster that carries too much and makes it higher.

        ``None`` where none does, or it cannot be told; or where that one makes it lower: then there may be more like
        it, of which too few are in these rows, and the others are too high.
        """
        alone = self.doubted != "share" or self.pulled_down or self.lags or self.anytime is not None
        return None if alone else self.without_the_largest()

    def side(self, level: float) -> int:
        """On which side of 0 it is shown to be: 1 above, −1 below, 0 where it is not.

        The whole interval is there; where one row or cluster carries too much, that of the others, too.
        """
        for side, estimate in ((1, self), (-1, self.turned())):
            others = estimate.others if estimate.doubted else estimate
            if others is not None and min(one.interval(level)[0] for one in (estimate, others)) > 0.0:
                return side
        return 0

    def turned(self) -> "Estimate":
        """That of the number less than 0 by as much as this is above."""
        return replace(self, value=-self.value, pulled_down=not self.pulled_down)

    def without_the_largest(self) -> "Estimate":
        """This without the row or cluster that carries most, which makes it higher; of unlike weights, no higher."""
        count, alike = self._count, self.are_alike
        part = 1.0 / count if alike else min(1.0 / math.sqrt(self.units), 0.5)  # of the weight, at most
        moved = self.standard_error * math.sqrt(self.top_share * (count - 1.0) / count) / (1.0 - part)
        left = 1.0 - self.top_share / (1.0 - part if alike else 1.0)  # of the squares, about their own mean where known
        error = self.standard_error * math.sqrt(max(left, 0.0) * count / (count - 2.0))
        return replace(self, value=self.value - moved, standard_error=error, freedom=self.freedom - 1.0, top_share=0.0)

    @property
    def unit(self) -> str:
        """What moves by itself: a row, a cluster, or a bucket of a baseline."""
        return "row" if self.clusters is None else "bucket" if self.bucketed else "cluster"

    @property
    def doubt(self) -> str:
        """The same in words."""
        unit = self.unit
        before, now = self.tokens or (0.0, 0.0)
        return {
            "": "",
            "value": "it is not a number",
            "range": "it is beyond the doubles",
            "few": f"there are too few {unit}s to tell",
            "error": "its standard error is not known",
            "tokens": f"the same texts are {now:,.0f} tokens, and {before:,.0f} to the baseline",
            "unseen": f"nobody knows what one {unit} carries of the sum of squares",
            "sizes": f"{unit}s of so unlike sizes are too few: {self.clusters or 0:,} count as {self.units:.3g}",
            "share": f"one {unit} carries {100 * self.top_share:.0f} % of the sum of squares",
            "early": f"there are fewer than {FEW_ROWS} {unit}s",
        }[self.doubted]

    @property
    def is_of_few_clusters(self) -> bool:
        """Whether there are too few clusters for their number to be taken at its word."""
        return self.clusters is not None and self.units < FEW_CLUSTERS and not self.same

    def interval(self, level: float) -> tuple[float, float]:
        """The two-sided confidence interval; NaN where the error is unknown."""
        if not self.is_known:
            return math.nan, math.nan
        reach = self._reach(level)
        return self.value - reach, self.value + reach

    def lower(self, confidence: float) -> float:
        """The one-sided lower bound: the number is below it with a probability of ``1 − confidence``; NaN likewise."""
        return self.value - self._one_sided(confidence) if self.is_known else math.nan

    def upper(self, confidence: float) -> float:
        """The one-sided upper bound; NaN where the error is unknown."""
        return self.value + self._one_sided(confidence) if self.is_known else math.nan

    def p_value(self, limit: float = 0.0) -> float:
        """How likely the number is as far from ``limit`` by chance, in either direction; NaN where nobody knows."""
        if not self.is_known or self.anytime is not None:
            return math.nan
        distance = abs(self.value - limit)
        if self.standard_error == 0.0:
            return 1.0 if distance == 0.0 else 0.0
        return tail(distance / self.standard_error, self.freedom)

    def p_above(self, limit: float) -> float:
        """How likely the number is so much above ``limit`` by chance, if it is no more than that; NaN likewise."""
        both = self.p_value(limit)
        return both / 2.0 if self.value > limit else 1.0 - both / 2.0

    def detectable(self, level: float, power: float = 0.8) -> float:
        """The difference that as many rows would have shown with that probability."""
        if not self.is_known or self.standard_error == 0.0:
            return math.nan
        return self._reach(level) + quantile(2.0 * power - 1.0, self.freedom) * self.standard_error

    def _one_sided(self, confidence: float) -> float:
        if self.anytime is not None:
            return self._sequence(1.0 - confidence, sides=1)
        # as far as an interval of both sides that leaves out twice as much; below one half it is on the other side
        reach = quantile(abs(2.0 * confidence - 1.0), self.freedom) * self.standard_error if confidence != 0.5 else 0.0
        return math.copysign(reach, confidence - 0.5) if self.standard_error else 0.0

    def _reach(self, level: float) -> float:
        if self.standard_error == 0.0:
            return 0.0
        if self.anytime is not None:
            return self._sequence(1.0 - level, sides=2)
        return quantile(level, self.freedom) * self.standard_error

    def _sequence(self, alpha: float, *, sides: int) -> float:
        """How far the confidence sequence reaches: Waudby-Smith et al. 2021, arXiv:2103.06476, theorem 2.2 and B.1."""
        if self.anytime is None or self.standard_error == 0.0:
            return 0.0
        x = _tightest(alpha if sides == 2 else 2.0 * alpha) * self.units / self.anytime  # n ρ²
        logarithm = (
            math.log(math.sqrt(x + 1.0) / alpha) if sides == 2 else math.log1p(math.sqrt(x + 1.0) / (2.0 * alpha))
        )
        return self.standard_error * math.sqrt(2.0 * (x + 1.0) / x * logarithm)


def _usual_share(units: int) -> float:
    """The part that one of so many carries by chance in one case of a hundred, if they are normal: Grubbs 1950."""
    if units < 3:
        return 1.0
    t = quantile(1.0 - OUTLIER / units, units - 2.0)
    return (units - 1.0) / units * t * t / (units - 2.0 + t * t)


def _tightest(alpha: float) -> float:
    """The n ρ² at which a confidence sequence is tightest: that for which it is ``ln(1 + x) + 2 ln(1/α)``."""
    x = 2.0 * math.log(1.0 / alpha)
    for _ in range(60):
        x = math.log1p(x) + 2.0 * math.log(1.0 / alpha)
    return x
