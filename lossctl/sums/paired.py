"""Evidence of rows of a single group, batch by batch: what it takes is kept from one to the next, and no state made."""

from collections.abc import Callable, Sequence

import numpy as np

from lossctl.domain import FloatArray
from lossctl.sums.centred import FIRST
from lossctl.sums.digits import slices
from lossctl.sums.evidence import Evidence, Measure, Pair, Pairs, coefficients, directions, moved_by, outermost, signs
from lossctl.sums.extremes import Extremes, Outermost
from lossctl.sums.moments import Moments, steady_sums
from lossctl.sums.state import Rows


class PassingEvidence:
    """The evidence of some batches that follow each other, of losses of one number a row each.

    Args:
        measures: one a part.
        pairs: which parts are compared.
        single: as for `Evidence.lift`.
    """

    def __init__(self, measures: Sequence[Measure], pairs: Pairs, *, single: bool) -> None:
        self._measures, self._pairs = measures, pairs
        self._singles = [_Sought(measure, pair=False) for measure in measures if single]
        self._paired = [_Paired(measures[candidate]) for _, candidate in pairs]

    def add(
        self, losses: FloatArray, weight: FloatArray | None, passed: Sequence[bool], rows: Callable[[int], Rows]
    ) -> None:
        """Add a batch.

        Args:
            losses: the loss of each row, ``(parts, n)``.
            weight: by how much each counts.
            passed: of which parts all losses are there, finite, and such that doubles hold their sums.
            rows: the rows of a part, made where something is not.
        """
        for place, sought in enumerate(self._singles):
            if passed[place]:
                sought.add_all(losses[place], weight)
            else:
                sought.found = sought.found + outermost(rows(place), self._measures[place])
        for (first, second), paired in zip(self._pairs, self._paired, strict=True):
            if not (passed[first] and passed[second] and paired.add(losses[first], losses[second], weight)):
                own = Pair.lift(rows(first), rows(second), self._measures[second])
                paired.other = own if paired.other is None else paired.other + own

    def result(self) -> Evidence:
        """The evidence of all batches."""
        return Evidence(
            tuple(sought.found for sought in self._singles), tuple(paired.result() for paired in self._paired), None
        )


class _Paired:
    """What is known of the differences of two parts."""

    def __init__(self, measure: Measure) -> None:
        self.other: Pair | None = None
        """That of batches whose sums are no doubles, or not as they come."""
        self._sums = steady_sums(weighted=measure.weighted)
        self._signs = np.zeros((2, 1), dtype=np.int64)
        """Of how many rows the difference is below 0, and of how many above."""
        self._sought = _Sought(measure, pair=True)
        self._room = np.empty(FIRST)

    def add(self, baseline: FloatArray, candidate: FloatArray, weight: FloatArray | None) -> bool:
        """Add a batch of finite losses; whether it was added."""
        counts = np.zeros((2, 1), dtype=np.int64)
        for block in slices(len(baseline), FIRST):
            difference, own = self._difference(baseline, candidate, block), None if weight is None else weight[block]
            self._sums.add(difference, own)
            counts += signs(difference, None)
            self._sought.add([baseline[block], difference], own)
        if not self._sums.end():
            self._sought.forget()
            return False
        self._signs += counts
        if self._sought.again():
            for block in slices(len(baseline), FIRST):
                difference = self._difference(baseline, candidate, block)
                self._sought.add([baseline[block], difference], None if weight is None else weight[block])
        self._sought.end()
        return True

    def _difference(self, baseline: FloatArray, candidate: FloatArray, block: slice) -> FloatArray:
        first = baseline[block]
        return np.subtract(candidate[block], first, out=self._room[: len(first)])

    def result(self) -> Pair:
        """The state of all batches."""
        better, worse = self._signs.copy()
        pair = Pair(Moments.of(self._sums), better, worse, self._sought.found)
        return pair if self.other is None else self.other + pair


class _Sought:
    """The outermost rows, batch by batch: where it takes the means of a batch to find them, each is looked at twice."""

    def __init__(self, measure: Measure, *, pair: bool) -> None:
        self._measure, self._pair = measure, pair
        self._directions = directions(measure, pair=pair)
        reduction = measure.reduction
        self._by_means = not reduction.adds and (measure.weighted or (pair and reduction.bends))
        self.found = Extremes.zero(1, self._directions)
        self.forget()

    def forget(self) -> None:
        """Leave out the batch so far."""
        self._own = Outermost(self._directions)
        self._totals = np.zeros(2 + self._pair)
        """Of the weights, and of what else rows have."""
        self._rows = 0
        self._moved: tuple[Sequence[FloatArray], Sequence[FloatArray]] | None = None

    def add_all(self, losses: FloatArray, weight: FloatArray | None) -> None:
        """Add a batch of finite losses."""
        for _ in range(2):
            for block in slices(len(losses), FIRST):
                self.add([losses[block]], None if weight is None else weight[block])
            if not self.again():
                break
        self.end()

    def add(self, values: Sequence[FloatArray], weight: FloatArray | None) -> None:
        """Add the next rows of a batch: the numbers of each, ``(n,)``, and by how much it counts."""
        columns = values if weight is None else [weight * column for column in values]
        if self._by_means and self._moved is None:
            own = (float(len(values[0])) if weight is None else weight.sum(), *(column.sum() for column in columns))
            self._totals += own
            self._rows += len(values[0])
            return
        moved = None if self._moved is None else moved_by(weight, columns, None, *self._moved)
        self._own.add(columns if weight is None else [weight, *columns], None, moved)

    def again(self) -> bool:
        """Whether the rows of the batch are to be added once more, since its means are known only now."""
        if not self._by_means or self._moved is not None:
            return False
        means = [np.atleast_1d(total / self._totals[0]) for total in self._totals[1:]]
        self._moved = coefficients(means, self._rows, self._measure.reduction, pair=self._pair)
        return True

    def end(self) -> None:
        """End the batch, which counts."""
        self.found = self.found + self._own.result()
        self.forget()
