"""Losses on a row of scores of which several may be chosen: each chosen one against each other."""

from collections.abc import Iterator

import numpy as np

from lossctl.domain import WIDE, FloatArray, IntArray, row_sum
from lossctl.functions.class_labels import pair_kinks
from lossctl.functions.loss import loss
from lossctl.functions.stable import beyond, grown
from lossctl.row_domains import CHOSEN, VECTOR
from lossctl.two_doubles import difference


def _places(label: FloatArray) -> Iterator[tuple[IntArray | slice, IntArray | int]]:
    """Where the chosen labels stand, one of each row at a time: of wide rows the first of each, then the second."""
    n, k = label.shape
    if k <= WIDE:
        yield from ((slice(None), column) for column in range(k))
        return
    row, column = np.nonzero(label)
    turn = np.arange(len(row)) - np.searchsorted(row, row)
    columns = np.repeat(label.argmin(axis=1)[:, None], turn.max(initial=-1) + 1, axis=1)  # one that is not, for no more
    columns[row, turn] = column
    yield from ((np.arange(n), each) for each in columns.T)


def _within_margin(label: FloatArray, prediction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Over the pairs of a chosen score and another, ``(n,)`` and ``(n, k)``: what they cost, and its slope."""
    total, slope, other = np.zeros(len(label)), np.zeros_like(prediction), label == 0
    for place in _places(label):
        pair = other & (label[place] == 1)[:, None]
        short = np.where(pair, np.maximum(0.0, beyond(prediction, prediction[place][:, None], 1.0)), 0.0)
        total += row_sum(short)
        pushed = np.where(short > 0.0, 1.0, 0.0)
        slope += pushed
        slope[place] -= row_sum(pushed)
    return total, slope


@loss(
    aliases=("multilabel_margin_loss", "multi_label_margin"),
    label=CHOSEN,
    prediction=VECTOR,
    references=("Elisseeff & Weston 2001, A kernel method for multi-labelled classification",),
    peers={"torch": "multilabel_margin_loss (labels are lists of indices)"},
)
def multilabel_margin(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Hinge of each chosen label against each other one: all of the chosen should lead by 1.

    Formula: 1/K Σ_{t ∈ T} Σ_{i ∉ T} max(0, 1 − ŷ_t + ŷ_i), T being the columns whose label is 1.
    Gradient: 1/K for each pair within the margin at the column that is not chosen, minus that at the chosen one; 0 on
    the kinks.
    Properties: convex; zero where the least chosen score leads the others by 1, and where all or none are chosen; a
    kink where a pair is just 1 apart; adding a number to a row changes nothing.

    Use it to rank the labels of a row that apply above those that do not.
    Avoid it when each label needs its own yes or no: that is `bce` on several columns.

    >>> from lossctl import get_loss
    >>> get_loss("multilabel_margin").value([[1, 0, 1]], [[2.0, 1.5, 1.0]])
    array([0.66666667])
    """
    return np.asarray(_within_margin(label, prediction)[0] / prediction.shape[1])


@multilabel_margin.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return np.asarray(_within_margin(label, prediction)[1] / prediction.shape[1])


@multilabel_margin.kinks
def _(label: FloatArray, prediction: FloatArray) -> tuple[FloatArray, ...]:
    return pair_kinks(label, prediction, 1.0)


def _times_exp(factor: FloatArray, high: FloatArray, low: FloatArray) -> FloatArray:
    """Factor e^(high − low), with what the difference is rounded by, and infinite no sooner than the product."""
    lead, lost = difference(high, low)
    half = np.exp(0.5 * lead)
    return half * (factor * half) * grown(lost)


def _ends(label: FloatArray, prediction: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """The largest score not chosen and the least chosen, and the e^ of the others beside each, ``(n, 1)`` each.

    The second of the sums is divided by the number of pairs; it is 0 where there are none.
    """
    chosen = label == 1
    above = np.where(chosen, -np.inf, prediction).max(axis=1, keepdims=True)
    low = np.where(chosen, prediction, np.inf).min(axis=1, keepdims=True)
    up = row_sum(np.where(chosen, 0.0, np.exp(prediction - above)))
    down = row_sum(np.where(chosen, np.exp(low - prediction), 0.0))
    pairs = row_sum(label) * row_sum(1.0 - label)
    return above, low, up[:, None], np.where(pairs == 0, 0.0, 1.0 / np.maximum(pairs, 1.0))[:, None] * down[:, None]


@loss(
    aliases=("bp_mll", "loss_multi_label"),
    label=CHOSEN,
    prediction=VECTOR,
    references=("Zhang & Zhou 2006, Multilabel Neural Networks, doi:10.1109/TKDE.2006.162",),
    peers={"DL4J": "LossMultiLabel"},
)
def bpmll(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Mean exponential of how far labels that do not apply are above those that do.

    Formula: Σ_{t ∈ T} Σ_{i ∉ T} e^(ŷ_i − ŷ_t) / (|T| |T̄|), T being the columns whose label is 1; 0 where all or none
    are.
    Gradient: −Σ_i e^(ŷ_i − ŷ_t) / (|T| |T̄|) at a chosen column, Σ_t e^(ŷ_i − ŷ_t) / (|T| |T̄|) at another.
    Properties: convex; smooth; never quite zero; very sensitive to single pairs; adding a number to a row changes
    nothing. Overflows to infinity where a pair is more than 709.78 the wrong way; such rows are counted and said.

    Use it to rank the labels of a row that apply above those that do not.
    Avoid it with noisy labels, and when each label needs its own yes or no: that is `bce` on several columns.

    >>> from lossctl import get_loss
    >>> get_loss("bpmll").value([[1, 0, 1]], [[0.0, 0.0, 1.0]])
    array([0.68393972])
    """
    above, low, up, share = _ends(label, prediction)
    return np.where(share == 0, 0.0, _times_exp(up * share, above, low))[:, 0]


@bpmll.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    above, low, up, share = _ends(label, prediction)
    pairs = row_sum(label) * row_sum(1.0 - label)
    fall = _times_exp(up / np.maximum(pairs, 1.0)[:, None], above, prediction)
    slope = np.where(label == 1, -fall, _times_exp(share, prediction, low))
    return np.where(share == 0, 0.0, slope)
