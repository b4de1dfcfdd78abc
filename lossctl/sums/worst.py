"""The rows with the largest loss; among equals the first."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray, IntArray
from lossctl.sums.state import Rows


@dataclass(frozen=True)
class Worst:
    """The worst ``most`` rows of each group: bounded by groups times ``most``."""

    most: int
    group: IntArray
    row: IntArray
    value: FloatArray
    label: FloatArray
    prediction: FloatArray
    gradient: FloatArray

    @classmethod
    def zero(cls, most: int) -> "Worst":
        """The state of no rows."""
        no_values, no_rows = np.zeros(0), np.zeros(0, dtype=np.int64)
        return cls(most, no_rows, no_rows, no_values, no_values, no_values, no_values)

    @classmethod
    def lift(cls, rows: Rows, most: int, slope: Callable[[FloatArray, FloatArray], FloatArray]) -> "Worst":
        """The worst of some rows; their gradients are those of the rows, or come from ``slope(label, prediction)``."""
        kept = _largest(rows.value, most) if rows.groups is None else np.arange(len(rows.value))
        lifted = cls(
            most,
            np.zeros(len(kept), dtype=np.int64) if rows.groups is None else rows.groups.code[kept],
            kept if rows.position is None else rows.position[kept],
            rows.value[kept],
            rows.label[kept].astype(np.float64),
            rows.prediction[kept],
            slope(rows.label[kept], rows.prediction[kept]) if rows.gradient is None else rows.gradient[kept],
        )
        return lifted.trimmed()

    def __add__(self, other: "Worst") -> "Worst":
        if not len(other.row) or not len(self.row):
            return other if len(other.row) else self
        pairs = zip(self._arrays, other._arrays, strict=True)
        return Worst(self.most, *(np.concatenate(_alike(*pair)) for pair in pairs)).trimmed()

    def regroup(self, index: IntArray, groups: int) -> "Worst":  # noqa: ARG002
        """The same rows, with group ``i`` at place ``index[i]`` of ``groups``."""
        return Worst(self.most, index[self.group], *self._arrays[1:])

    def shift(self, rows: int) -> "Worst":
        """The same rows when others come before them."""
        return Worst(self.most, self.group, self.row + rows, *self._arrays[2:])

    def pooled(self) -> "Worst":
        """The worst of all rows as those of a single group."""
        return Worst(self.most, np.zeros_like(self.group), *self._arrays[1:]).trimmed()

    def of(self, group: int) -> list[int]:
        """Where the rows of a group stand in the arrays, worst first."""
        return [int(place) for place in np.flatnonzero(self.group == group)]

    @property
    def _arrays(self) -> tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        return self.group, self.row, self.value, self.label, self.prediction, self.gradient

    def trimmed(self) -> "Worst":
        """The same rows by group, worst first, and no more than ``most`` of each group."""
        order = np.lexsort((self.row, -self.value, self.group))
        group = self.group[order]
        first = np.searchsorted(group, group)
        kept = order[np.arange(len(order)) - first < self.most]
        return Worst(self.most, *(array[kept] for array in self._arrays))  # type: ignore[arg-type]  # in order


def _alike(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> Sequence[npt.NDArray[Any]]:
    """Two arrays of rows; where these are of another length, NaN stands behind those of the shorter."""
    if one.ndim == 1 or one.shape[1] == other.shape[1]:
        return one, other
    width = max(one.shape[1], other.shape[1])
    return [np.pad(rows, ((0, 0), (0, width - rows.shape[1])), constant_values=np.nan) for rows in (one, other)]


def _largest(values: FloatArray, most: int) -> IntArray:
    """Where the ``most`` largest values stand; among equals the first."""
    if most >= len(values):
        return np.arange(len(values))
    least = np.partition(values, len(values) - most)[len(values) - most]
    above = np.flatnonzero(values > least)
    return np.concatenate([above, np.flatnonzero(values == least)[: most - len(above)]])
