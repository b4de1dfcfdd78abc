"""Labels of losses of rows: class codes, rows of a single 1, probabilities, and what is taken of a row by them."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lossctl.domain import WIDE, FloatArray, row_sum
from lossctl.functions.stable import counted

Codes = npt.NDArray[np.intp]


def pick(matrix: FloatArray, code: FloatArray | Codes) -> FloatArray:
    """The entry of each row that its class code points at."""
    return np.asarray(matrix[np.arange(len(matrix)), code])


def one_hot(code: FloatArray | Codes, k: int) -> FloatArray:
    """Class codes as rows of a single 1."""
    rows = np.zeros((len(code), k), order="C" if k > WIDE else "F")
    rows[np.arange(len(code)), code.astype(np.intp)] = 1.0
    return rows


def as_rows(label: FloatArray, k: int) -> FloatArray:
    """Labels as rows of probabilities: class codes as rows of a single 1, rows as they are."""
    return one_hot(label, k) if label.ndim == 1 else label


def as_codes(label: FloatArray) -> Codes:
    """Labels as class codes: of rows where their 1 is."""
    return label.astype(np.intp) if label.ndim == 1 else label.argmax(axis=1)


def expected(target: FloatArray, cost: Callable[..., FloatArray], *matrices: FloatArray) -> FloatArray:
    """Σ_k y_k cost_k, where classes of weight 0 count for nothing; for codes the cost of the one class.

    Args:
        target: codes ``(n,)``, or weights ``(n, k)``.
        cost: from single numbers of the matrices to what they cost.
        matrices: what it takes, ``(n, k)`` each.
    """
    if target.ndim == 1:
        return cost(*(pick(matrix, target) for matrix in matrices)) + 0.0
    return row_sum(counted(target, lambda y, *each: y * cost(*each), *matrices))


def without_class(matrix: FloatArray, code: Codes) -> FloatArray:
    """The rows with −∞ at the class of each, so that it is never the largest."""
    others = matrix.copy(order="K")
    others[np.arange(len(matrix)), code] = -np.inf
    return others


def largest_other(matrix: FloatArray) -> FloatArray:
    """For each number of a row the largest of the others, ``(n, k)``."""
    rows, top = np.arange(len(matrix)), matrix.argmax(axis=1)
    largest = np.repeat(matrix[rows, top][:, None], matrix.shape[1], axis=1)
    largest[rows, top] = without_class(matrix, top).max(axis=1)
    return largest


def pair_kinks(chosen: FloatArray, score: FloatArray, margin: float) -> tuple[FloatArray, ...]:
    """Where each score comes within a margin of that of each column, one of the two being chosen and one not.

    Args:
        chosen: rows of 0 and 1.
        score: in the same shape.
        margin: by how much a chosen score should be above one that is not.

    Returns:
        An array in the shape of the scores for each column; NaN where both are chosen, or neither.
    """
    step = np.where(chosen == 1, margin, -margin)
    return tuple(
        np.where(chosen == chosen[:, [column]], np.nan, score[:, [column]] + step) for column in range(score.shape[1])
    )
