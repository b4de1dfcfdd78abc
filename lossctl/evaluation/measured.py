"""The sums of a run over some rows, which add up: of each loss of each model by group, and what is beside them."""

from dataclasses import replace
from typing import TYPE_CHECKING

from lossctl.dataclass import dataclass
from lossctl.domain import IntArray
from lossctl.evaluation.group_keys import WHOLE, Keys, merged
from lossctl.sums.gradients import Gradients
from lossctl.sums.marginals import Marginals
from lossctl.sums.moments import Moments
from lossctl.sums.problems import Problems
from lossctl.sums.state import Meeting, plus
from lossctl.sums.worst import Worst

if TYPE_CHECKING:
    from lossctl.sums.evidence import Evidence
    from lossctl.sums.moved import Moved


@dataclass(frozen=True)
class Part:
    """The sums of one loss of one model."""

    moments: Moments
    clipped: IntArray
    rounded: IntArray
    """Rows of which rounding was clipped, by group."""
    gradients: Gradients | None
    worst: Worst | None
    whole: Gradients | None = None
    """The gradients of all rows as one group, where they are not those of the groups: a row moves the value by more."""

    def __add__(self, other: "Part") -> "Part":
        gradients, worst, whole = self.gradients, self.worst, self.whole
        if gradients is not None and other.gradients is not None:
            gradients = gradients + other.gradients
        if whole is not None and other.whole is not None:
            whole = whole + other.whole
        if worst is not None and other.worst is not None:
            worst = worst + other.worst
        clipped, rounded = plus(self.clipped, other.clipped), plus(self.rounded, other.rounded)
        return Part(self.moments + other.moments, clipped, rounded, gradients, worst, whole)

    def met(self, other: "Part", meeting: Meeting) -> "Part":
        """Both sums together, by groups that meet."""
        gradients, worst, whole = self.gradients, self.worst, self.whole
        if gradients is not None and other.gradients is not None:
            gradients = gradients.met(other.gradients, meeting)
        if whole is not None and other.whole is not None:
            whole = whole + other.whole
        if worst is not None and other.worst is not None:
            worst = meeting.both(worst, other.worst)
        clipped, rounded = meeting.counts(self.clipped, other.clipped), meeting.counts(self.rounded, other.rounded)
        return Part(self.moments.met(other.moments, meeting), clipped, rounded, gradients, worst, whole)

    def pooled(self) -> "Part":
        """The sums over all groups, as those of a single one."""
        gradients = None if self.gradients is None else self.gradients.pooled()
        return Part(
            self.moments.pooled(),
            self.clipped.sum(keepdims=True),
            self.rounded.sum(keepdims=True),
            gradients if self.whole is None else self.whole,
            None if self.worst is None else self.worst.pooled(),
        )

    def shift(self, rows: int) -> "Part":
        """The same sums when other rows come before."""
        if self.worst is None:
            return self
        return replace(self, worst=self.worst.shift(rows))


@dataclass(frozen=True)
class Measured:
    """The sums of a run over some rows: what is by group has one entry for each of ``keys``."""

    rows: int
    """Rows read."""
    keys: Keys
    null: IntArray
    unweighted: IntArray
    ignored: IntArray
    cells: IntArray
    """Labels that rows measured have, where a row need not have all."""
    problems: Problems
    parts: tuple[Part, ...]
    labels: Marginals | None = None
    """How the labels are distributed, where somebody asked for the best constants."""
    evidence: "Evidence | None" = None
    """How sure the values are, where somebody asked for that, or for differences of models."""
    moved: "tuple[Moved, ...]" = ()
    """The rows that moved most, one for each pair of models and loss, where somebody asked for them."""

    @property
    def size(self) -> int:
        """How much it holds, which is copied when it is added: figures of groups, or what more rows make more of."""
        return self.rows if self.labels is not None or self.evidence is not None else len(self.keys)

    def __add__(self, other: "Measured") -> "Measured":
        left, right = self, other.shift(self.rows)
        if left.keys != right.keys:
            return left._met(right)
        labels = left.labels
        if labels is not None and right.labels is not None:
            labels = labels + right.labels
        evidence = left.evidence
        if evidence is not None and right.evidence is not None:
            evidence = evidence + right.evidence
        return Measured(
            left.rows + right.rows,
            left.keys,
            plus(left.null, right.null),
            plus(left.unweighted, right.unweighted),
            plus(left.ignored, right.ignored),
            plus(left.cells, right.cells),
            left.problems + right.problems,
            tuple(a + b for a, b in zip(left.parts, right.parts, strict=True)),
            labels,
            evidence,
            tuple(a + b for a, b in zip(left.moved, right.moved, strict=True)),
        )

    def _met(self, other: "Measured") -> "Measured":
        """Both sums together, where rows are of other groups."""
        keys, index = merged(self.keys, other.keys)
        meeting = Meeting(len(self.keys), index, len(keys))
        labels, evidence = self.labels, self.evidence
        if labels is not None and other.labels is not None:
            labels = meeting.both(labels, other.labels)
        if evidence is not None and other.evidence is not None:
            evidence = meeting.both(evidence, other.evidence)
        return Measured(
            self.rows + other.rows,
            keys,
            meeting.counts(self.null, other.null),
            meeting.counts(self.unweighted, other.unweighted),
            meeting.counts(self.ignored, other.ignored),
            meeting.counts(self.cells, other.cells),
            self.problems + other.problems,
            tuple(one.met(two, meeting) for one, two in zip(self.parts, other.parts, strict=True)),
            labels,
            evidence,
            tuple(meeting.both(one, two) for one, two in zip(self.moved, other.moved, strict=True)),
        )

    def pooled(self) -> "Measured":
        """The sums over all groups, as those of a single one without a name."""
        return Measured(
            self.rows,
            WHOLE,
            self.null.sum(keepdims=True),
            self.unweighted.sum(keepdims=True),
            self.ignored.sum(keepdims=True),
            self.cells.sum(keepdims=True),
            self.problems,
            tuple(part.pooled() for part in self.parts),
            None if self.labels is None else self.labels.pooled(),
            None if self.evidence is None else self.evidence.pooled(),
            tuple(moved.pooled() for moved in self.moved),
        )

    def shift(self, rows: int) -> "Measured":
        """The same sums when other rows come before."""
        still = not (self.problems.by_key or self.moved or any(part.worst is not None for part in self.parts))
        if still or not rows:
            return self
        problems, parts = self.problems.shift(rows), tuple(part.shift(rows) for part in self.parts)
        return replace(self, problems=problems, parts=parts, moved=tuple(moved.shift(rows) for moved in self.moved))


@dataclass(frozen=True)
class WithCounts:
    """What rows come to beside their sums: a state whose rows and problems are those of the sums."""

    counted: Measured

    @property
    def rows(self) -> int:
        """The number of rows read."""
        return self.counted.rows

    @property
    def problems(self) -> Problems:
        """What is wrong with them."""
        return self.counted.problems
