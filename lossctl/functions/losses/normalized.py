"""Losses on the error of all rows, by how large labels are."""

from typing import Annotated

import numpy as np

from lossctl.domain import REAL, FloatArray, Interval, Words
from lossctl.functions.loss import loss
from lossctl.functions.units import WHOLE, Unit

Power = Annotated[float, Interval(low=1.0)]
Denominator = Annotated[str, Words(("mean", "range", "std", "l2"))]


@loss(
    aliases=("wape", "weighted_mean_absolute_percentage_error"),
    label=REAL,
    prediction=REAL,
    reduction="ratio",
    of_error=True,
    references=("Kolassa & Schütz 2007, Advantages of the MAD/Mean ratio over the MAPE, Foresight 6",),
    peers={
        "torchmetrics": "weighted_mean_absolute_percentage_error (a ratio: unit=ratio)",
    },
)
def wmape(label: FloatArray, prediction: FloatArray, *, unit: Unit = "percent") -> FloatArray:
    """Absolute error as a part of all labels, in percent: fit for labels of 0, and near it.

    Formula: 100 Σ|e| / Σ|y| over all rows, where e = ŷ − y; a single row is 100 |e|; with ``unit=ratio``,
    without the 100.
    Gradient: 100 sign e / Σ|y| of the reported value, and 0 at e = 0.
    Properties: percent; convex; a kink at e = 0; large labels count as much as they are large; orders models just as
    `mae` does on the same rows; the best constant is the median; of rows whose labels are all 0 it is not a number.

    Use it to report errors of demand, sales, load, whose labels may be 0 or near it.
    Avoid it where every row should count alike: that is `mape`, of labels that are not 0.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [0.0, 4.0], "p": [1.0, 3.0]}, "wmape", label="y", prediction="p").value
    50.0
    """
    return WHOLE[unit] * np.abs(prediction - label)


@wmape.gradient
def _(label: FloatArray, prediction: FloatArray, *, unit: str) -> FloatArray:
    return WHOLE[unit] * np.sign(prediction - label)


@wmape.kinks
def _(label: FloatArray, prediction: FloatArray, *, unit: str) -> FloatArray:  # noqa: ARG001
    return label


@wmape.beside
def _(label: FloatArray, prediction: FloatArray, *, unit: str) -> FloatArray:  # noqa: ARG001
    return np.abs(label)


@loss(
    aliases=("normalized_rmse", "normalized_root_mean_squared_error"),
    label=REAL,
    prediction=REAL,
    reduction="normalized-root-mean",
    of_error=True,
    references=("torchmetrics, regression.NormalizedRootMeanSquaredError",),
    peers={"torchmetrics": "normalized_root_mean_squared_error (normalization=)"},
)
def nrmse(label: FloatArray, prediction: FloatArray, *, denominator: Denominator = "mean") -> FloatArray:  # noqa: ARG001
    """Root of the mean squared error, by how large or how spread labels are: a pure number.

    Formula: √(mean of e²) / d over all rows, where e = ŷ − y and d is the mean of y without its sign
    (``denominator=mean``), the largest label less the smallest (``range``), the population standard deviation
    (``std``), or √(mean of y²) (``l2``); a single row is e².
    Gradient: e_i / (n · d · rmse) of the reported value, and 0 where that is 0.
    Properties: orders models just as `rmse` does on the same rows; smooth where it is not 0; the best constant is the
    mean; with ``std`` that constant comes to 1, and 1 − nrmse² is the skill of `mse`; ``range`` depends on two rows
    alone, so it has no standard error.

    Use it to compare errors of targets that have different units.
    Avoid it where labels are nearly alike, or their mean is about 0: the denominator says nothing then.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [3.0, 5.0], "p": [4.0, 4.0]}, "nrmse", label="y", prediction="p").value
    0.25
    """
    return np.square(prediction - label)


@nrmse.gradient
def _(label: FloatArray, prediction: FloatArray, *, denominator: Denominator) -> FloatArray:  # noqa: ARG001
    return 2.0 * (prediction - label)


@nrmse.beside
def _(label: FloatArray, prediction: FloatArray, *, denominator: Denominator) -> FloatArray:  # noqa: ARG001
    return label


@nrmse.beside
def _(label: FloatArray, prediction: FloatArray, *, denominator: Denominator) -> FloatArray:  # noqa: ARG001
    return np.square(label)


@loss(
    label=REAL,
    prediction=REAL,
    reduction="power-mean",
    of_error=True,
    references=("torchmetrics, regression.MinkowskiDistance (the root of the sum)",),
    peers={"torchmetrics": "minkowski_distance (the root of the sum, n^(1/p) times this)"},
)
def minkowski(label: FloatArray, prediction: FloatArray, *, p: Power = 3.0) -> FloatArray:
    """The p-th root of the mean of |e|^p: between the mean error and the largest.

    Formula: (mean of |e|^p)^(1/p) over all rows, where e = ŷ − y and p = ``p``; a single row is |e|^p.
    Gradient: p |e|^(p−1) sign e for the |e|^p of a row; w_i sign e_i |e_i|^(p−1) / (Σw · M^(p−1)) for the value M.
    Properties: convex; in the unit of the label; p = 1 is `mae`, p = 2 is `rmse`, and as p grows it comes to the
    largest error; a kink at e = 0 where p = 1.

    Use it where large errors should count by a power of your own.
    Avoid it with a large p, where few rows decide.

    >>> import lossctl
    >>> round(lossctl.evaluate({"y": [0.0, 0.0], "p": [1.0, 2.0]}, "minkowski", label="y", prediction="p").value, 12)
    1.650963624447
    """
    return np.power(np.abs(prediction - label), p)


@minkowski.gradient
def _(label: FloatArray, prediction: FloatArray, *, p: Power) -> FloatArray:
    error = prediction - label
    return p * np.sign(error) * np.power(np.abs(error), p - 1.0)


@minkowski.kinks
def _(label: FloatArray, prediction: FloatArray, *, p: Power) -> FloatArray:  # noqa: ARG001
    return label
