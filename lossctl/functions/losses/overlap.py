"""Losses on how much two sets overlap, soft or hard, over all rows."""

import numpy as np

from lossctl.domain import PROBABILITY, FloatArray, NonNegative, Positive
from lossctl.functions.loss import loss


@loss(
    aliases=("dice_loss", "binary_dice_loss", "soft_dice", "sorensen_dice"),
    label=PROBABILITY,
    prediction=PROBABILITY,
    reduction="ratio",
    empty=0.0,
    references=("Milletari, Navab & Ahmadi 2016, V-Net, arXiv:1606.04797 (with squares below); Dice 1945",),
    peers={
        "Keras": "dice (with 1e-7 below)",
        "optax": "dice_loss (smooth=1)",
        "torchmetrics": "dice_score (one less this; of no labels and no predictions NaN)",
    },
)
def dice(label: FloatArray, prediction: FloatArray, *, smooth: NonNegative = 0.0) -> FloatArray:  # noqa: ARG001
    """One less the Dice coefficient: how little predicted and true parts overlap.

    Formula: 1 − (2Σyŷ + s) / (Σy + Σŷ + s) = Σ(y(1−ŷ) + (1−y)ŷ) / (Σ(y + ŷ) + s) over all rows and columns, with
    s = ``smooth``; a single row is y(1−ŷ) + (1−y)ŷ.
    Gradient: ((1 − 2y) − L) / (Σ(y + ŷ) + s) of the reported value L.
    Properties: between 0 and 1; true negatives do not count, so that a rare class is not drowned; not a mean of rows,
    and not convex; 0 of no labels and no predictions.

    Use it for segmentation and other rare positives, beside `bce`.
    Avoid it where probabilities are wanted: it pulls them to 0 and 1.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [1, 0, 1], "p": [1.0, 0.5, 0.5]}, "dice", label="y", prediction="p").value
    0.25
    """
    return label * (1.0 - prediction) + (1.0 - label) * prediction


@dice.gradient
def _(label: FloatArray, prediction: FloatArray, *, smooth: NonNegative) -> FloatArray:  # noqa: ARG001
    return 1.0 - 2.0 * label


@dice.mirror
def dice_of_rest(label: FloatArray, rest: FloatArray, *, smooth: NonNegative) -> FloatArray:  # noqa: ARG001
    """The same from 1 − ŷ, which keeps its digits where ŷ is near 1."""
    return label * rest + (1.0 - label) * (1.0 - rest)


@dice_of_rest.gradient
def _(label: FloatArray, rest: FloatArray, *, smooth: NonNegative) -> FloatArray:  # noqa: ARG001
    return 2.0 * label - 1.0


@dice.beside
def dice_size(label: FloatArray, prediction: FloatArray, *, smooth: NonNegative) -> FloatArray:  # noqa: ARG001
    """How large both parts are together."""
    return label + prediction


@dice_size.gradient
def _(label: FloatArray, prediction: FloatArray, *, smooth: NonNegative) -> FloatArray:  # noqa: ARG001
    return np.ones_like(prediction)


@loss(
    aliases=("tversky_loss", "soft_tversky"),
    label=PROBABILITY,
    prediction=PROBABILITY,
    reduction="ratio",
    empty=0.0,
    references=("Salehi, Erdogmus & Gholipour 2017, arXiv:1706.05721",),
    peers={"Keras": "tversky (up to 3.15.1 α and β are the other way round)"},
)
def tversky(
    label: FloatArray, prediction: FloatArray, *, alpha: NonNegative = 0.5, beta: NonNegative = 0.5
) -> FloatArray:
    """One less the Tversky index: overlap in which false positives and misses count as you say.

    Formula: 1 − TP / (TP + αFP + βFN) = (αFP + βFN) / (TP + αFP + βFN), with TP = Σyŷ, FP = Σ(1−y)ŷ, FN = Σy(1−ŷ)
    over all rows and columns, α = ``alpha``, β = ``beta``; a single row is α(1−y)ŷ + βy(1−ŷ).
    Gradient: (n′ − L·d′) / D of the reported value L, with n′ = α(1−y) − βy and d′ = y + n′.
    Properties: between 0 and 1; α = β = ½ is `dice`; a larger β punishes misses; not a mean of rows, and not convex;
    0 of no labels and no predictions.

    Use it for rare positives of which misses cost more than false alarms, or less.
    Avoid it where probabilities are wanted: it pulls them to 0 and 1.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [1, 0, 1], "p": [1.0, 0.5, 0.5]}, "tversky", label="y", prediction="p").value
    0.25
    """
    return alpha * (1.0 - label) * prediction + beta * label * (1.0 - prediction)


@tversky.gradient
def _(label: FloatArray, prediction: FloatArray, *, alpha: NonNegative, beta: NonNegative) -> FloatArray:  # noqa: ARG001
    return alpha * (1.0 - label) - beta * label


@tversky.mirror
def tversky_of_rest(label: FloatArray, rest: FloatArray, *, alpha: NonNegative, beta: NonNegative) -> FloatArray:
    """The same from 1 − ŷ."""
    return alpha * (1.0 - label) * (1.0 - rest) + beta * label * rest


@tversky_of_rest.gradient
def _(label: FloatArray, rest: FloatArray, *, alpha: NonNegative, beta: NonNegative) -> FloatArray:  # noqa: ARG001
    return beta * label - alpha * (1.0 - label)


@tversky.beside
def tversky_size(label: FloatArray, prediction: FloatArray, *, alpha: NonNegative, beta: NonNegative) -> FloatArray:
    """What overlaps and what does not."""
    missed = alpha * (1.0 - label) * prediction + beta * label * (1.0 - prediction)
    return label * prediction + missed


@tversky_size.gradient
def _(label: FloatArray, prediction: FloatArray, *, alpha: NonNegative, beta: NonNegative) -> FloatArray:  # noqa: ARG001
    return label + alpha * (1.0 - label) - beta * label


@loss(
    aliases=("f_measure", "soft_f1", "f1_loss", "soft_f1_loss", "fbeta_loss", "loss_fmeasure"),
    label=PROBABILITY,
    prediction=PROBABILITY,
    reduction="ratio",
    empty=0.0,
    references=("Pastor-Pellicer et al. 2013, F-Measure as the Error Function to Train Neural Networks",),
    peers={"DL4J": "LossFMeasure"},
)
def fmeasure(label: FloatArray, prediction: FloatArray, *, beta: Positive = 1.0) -> FloatArray:
    """One less the F-measure of soft counts: precision and recall in one number.

    Formula: 1 − (1+β²)TP / ((1+β²)TP + β²FN + FP) = (β²FN + FP) / (β²Σy + Σŷ), with TP = Σyŷ, FP = Σ(1−y)ŷ,
    FN = Σy(1−ŷ) over all rows and columns, β = ``beta``; a single row is β²y(1−ŷ) + (1−y)ŷ.
    Gradient: ((1−y) − β²y − L) / (β²Σy + Σŷ) of the reported value L.
    Properties: between 0 and 1; β = 1 is `dice`; β above 1 counts recall for more than precision; of predictions of
    0 and 1 it is one less the F-score; not a mean of rows, and not convex; 0 of no labels and no predictions.

    Use it where the F-score of decisions is what counts, before a threshold is chosen.
    Avoid it where probabilities are wanted: it pulls them to 0 and 1.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [1, 0, 1], "p": [1.0, 0.5, 0.5]}, "fmeasure", label="y", prediction="p").value
    0.25
    """
    return beta * beta * label * (1.0 - prediction) + (1.0 - label) * prediction


@fmeasure.gradient
def _(label: FloatArray, prediction: FloatArray, *, beta: Positive) -> FloatArray:  # noqa: ARG001
    return 1.0 - label - beta * beta * label


@fmeasure.mirror
def fmeasure_of_rest(label: FloatArray, rest: FloatArray, *, beta: Positive) -> FloatArray:
    """The same from 1 − ŷ."""
    return beta * beta * label * rest + (1.0 - label) * (1.0 - rest)


@fmeasure_of_rest.gradient
def _(label: FloatArray, rest: FloatArray, *, beta: Positive) -> FloatArray:  # noqa: ARG001
    return beta * beta * label - (1.0 - label)


@fmeasure.beside
def fmeasure_size(label: FloatArray, prediction: FloatArray, *, beta: Positive) -> FloatArray:
    """How large both parts are together, labels counted β² times."""
    return beta * beta * label + prediction


@fmeasure_size.gradient
def _(label: FloatArray, prediction: FloatArray, *, beta: Positive) -> FloatArray:  # noqa: ARG001
    return np.ones_like(prediction)
