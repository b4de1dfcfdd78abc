"""Losses on the angle between vectors."""

import numpy as np

from lossctl.domain import DIRECTION, FloatArray, row_sum
from lossctl.functions.loss import loss


def _unit(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Each row scaled to length 1, and its length; by the largest entry first, so that no square overflows."""
    largest = np.abs(vectors).max(axis=1)
    scale = np.where(largest == 0, 1.0, largest)
    scaled = vectors / scale[:, None]
    length = np.sqrt(row_sum(np.square(scaled)))
    return scaled / np.where(length == 0, 1.0, length)[:, None], length * scale


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
    (truth, _), (guess, length) = _unit(label), _unit(prediction)
    cosine = row_sum(truth * guess)
    slope = (cosine[:, None] * guess - truth) / length[:, None]
    return np.asarray(np.where(length[:, None] == 0, 0.0, slope))
