"""Whether a mean loss must fall, then rise, as a constant grows, whatever the weights of its labels.

It must just where the slopes of any two labels keep an order: where one falls while the other rises, the part that
rises has to grow in proportion (signed-ratio monotonicity: Quah & Strulovici 2012, Aggregating the single crossing
property, doi:10.3982/ECTA9869). Convex losses keep it, so do many that are not; the slopes are looked at for some
labels, over their range and beyond.
"""

from typing import Protocol

import numpy as np

from lossctl.domain import BoolArray, FloatArray
from lossctl.sums.marginals import Points

LABELS = 9
"""How many labels of a slot are held against each other."""
STEPS = 24
"""How many constants lie between the first and the last of them; a third as many beyond either."""
TOLERANCE = 1e-6
"""By how much a proportion may fall: that much is rounding."""
EPS = 2.0**-52
SLOTS = 512
"""How many slots are looked at together."""


class Sloped(Protocol):
    """A loss of single numbers."""

    def row_gradient(self, label: FloatArray, prediction: FloatArray) -> FloatArray: ...


def may_turn_again(bound: Sloped, points: Points, label: FloatArray, edges: tuple[float, float]) -> BoolArray:
    """The slots, ``(slots,)``, whose mean loss may have more than one minimum.

    Args:
        bound: the loss.
        points: the labels, a slot for each column in each group.
        label: those labels as the loss takes them.
        edges: the least and the largest prediction.
    """
    turns = np.zeros(len(points.start), dtype=np.bool_)
    for first in range(0, len(turns), SLOTS):
        slots = slice(first, first + SLOTS)
        part = np.linspace(0.0, 1.0, LABELS)
        places = points.start[slots, None] + np.rint(part * (points.size[slots, None] - 1)).astype(np.int64)
        turns[slots] = _turns(bound, label[places], edges)
    return turns


def _turns(bound: Sloped, labels: FloatArray, edges: tuple[float, float]) -> BoolArray:
    """The same of labels ``(slots, LABELS)``, in order."""
    low, high = labels[:, :1], labels[:, -1:]
    steps = np.arange(-(STEPS // 3), STEPS + STEPS // 3 + 1) / STEPS
    with np.errstate(all="ignore"):
        # Hardly an even step is a label; the middles of labels are nearer to small ones where others are huge.
        even = low * (1.0 - steps) + high * steps
        constants = np.sort(np.concatenate([even, 0.5 * labels[:, 1:] + 0.5 * labels[:, :-1]], axis=1), axis=1)
        constants = np.clip(constants, *edges)
        shape = (*labels.shape, constants.shape[1])
        label, constant = np.broadcast_to(labels[:, :, None], shape), np.broadcast_to(constants[:, None, :], shape)
        slope = bound.row_gradient(label.ravel(), constant.ravel()).reshape(shape)
        size = np.log(np.abs(slope))
        doubt = 8.0 * EPS * np.abs(constant) / np.abs(constant - label)
        falls, rises = slope < 0, slope > 0
        turns = (np.maximum.accumulate(rises, axis=2) & falls).any(axis=(1, 2))
        for one in range(labels.shape[1]):
            # Where label `one` rises, each other that falls, from one constant to the next.
            both = rises[:, one : one + 1] & falls
            proportion = size[:, one : one + 1] - size
            slack = TOLERANCE + doubt + doubt[:, one : one + 1]
            loses = np.diff(proportion, axis=2) < -(slack[:, :, 1:] + slack[:, :, :-1])
            turns |= (both[:, :, 1:] & both[:, :, :-1] & loses).any(axis=(1, 2))
    return np.asarray(turns)
