"""Losses on the angle between vectors."""

import numpy as np

from lossctl.domain import FloatArray, row_sum
from lossctl.functions.loss import loss
from lossctl.row_domains import DIRECTION
from lossctl.two_doubles import product


def _unit(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Each row scaled to length 1, and its length; by the largest entry first, so that no square overflows."""
    largest = np.abs(vectors).max(axis=1)
    scale = np.where(largest == 0, 1.0, largest)
    scaled = vectors / scale[:, None]
    length = np.sqrt(row_sum(np.square(scaled)))
    return scaled / np.where(length == 0, 1.0, length)[:, None], length * scale


def _scaled(vectors: FloatArray) -> FloatArray:
    """Each row by a power of 2, so that its largest entry is near 1."""
    return np.asarray(np.ldexp(vectors, -np.frexp(np.abs(vectors).max(axis=1))[1][:, None]))


def _less_multiple(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Y less the multiple of ŷ by which it is 0 where ŷ is largest, of `_scaled` y: as far across ŷ as y is.

    It is small where the two are nearly parallel, and has all its digits there.
    """
    truth, guess = _scaled(label), _scaled(prediction)
    top = np.abs(guess).argmax(axis=1)[:, None]
    pivot, other = np.take_along_axis(guess, top, axis=1), np.take_along_axis(truth, top, axis=1)
    (first, more), (second, less) = product(truth, pivot), product(other, guess)
    return np.asarray(((first - second) + (more - less)) / pivot)


@loss(
    aliases=("cosine", "loss_cosine_proximity"),
    label=DIRECTION,
    prediction=DIRECTION,
    references=("Salton & McGill 1983, Introduction to Modern Information Retrieval",),
    peers={
        "Keras": "CosineSimilarity",
        "torch": "cosine_similarity (without the minus), cosine_embedding_loss (1 − cosine for pairs labelled 1)",
        "DL4J": "COSINE_PROXIMITY",
        "optax": "cosine_distance (1 − cosine)",
    },
)
def cosine_proximity(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Minus the cosine of the angle between two vectors: −1 for the same direction, 1 for the opposite.

    Formula: −y·ŷ / (‖y‖‖ŷ‖); a zero vector gives 0 and a warning.
    Gradient: −(y/‖y‖ − cos · ŷ/‖ŷ‖) / ‖ŷ‖, and 0 for a zero vector.
    Properties: range [−1, 1]: −1 for the same direction, 0 at a right angle, 1 for the opposite; scale-free: the
    length of ŷ changes nothing, so the gradient is at right angles to ŷ; smooth away from the zero vector; not
    convex.

    Use it for embeddings, where only direction counts.
    Avoid it where magnitude matters.

    >>> from lossctl import get_loss
    >>> get_loss("cosine_proximity").value([[3.0, 4.0]], [[6.0, 8.0]])
    array([-1.])
    """
    return np.clip(-row_sum(_unit(label)[0] * _unit(prediction)[0]), -1.0, 1.0)


@cosine_proximity.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    guess, length = _unit(prediction)
    part = _less_multiple(label, prediction) / np.sqrt(row_sum(np.square(_scaled(label))))[:, None]
    across = part - row_sum(part * guess)[:, None] * guess
    none = (length == 0) | ~label.any(axis=1)
    return np.asarray(np.where(none[:, None], 0.0, -across / length[:, None]))
