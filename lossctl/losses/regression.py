"""Losses on the error of a real-valued prediction."""

import numpy as np

from lossctl.domain import REAL, FloatArray, Positive
from lossctl.loss import loss


@loss(
    aliases=("mean_squared_error", "mse_loss", "squared_loss", "quadratic"),
    label=REAL,
    prediction=REAL,
    references=("Gauss 1809, Theoria motus corporum coelestium, §179 (least squares)",),
)
def mse(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Squared error: large errors dominate, the best constant is the mean.

    Formula: e², e = prediction − label. Gradient: 2e. Convex and smooth; the maximum-likelihood loss of Gaussian noise.

    Use it for regression whose outliers are rare, or are meant to count.
    Avoid it when labels are wild (`huber` or `mae` hold out), and after a sigmoid output: the gradient then carries
    σ′(z), which vanishes just where the error is large.

    >>> from lossctl import get_loss
    >>> get_loss("mse").value([1.0, 2.0], [1.5, 0.0])
    array([0.25, 4.  ])
    """
    return np.square(prediction - label)


@mse.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return 2.0 * (prediction - label)


@mse.under("root-mean", aliases=("root_mean_squared_error",))
def rmse() -> None:
    """Root of the mean squared error, in the unit of the label.

    Formula: √(mean of e²) over all rows; a single row is e². Gradient of the reported value: e_i / (n · rmse).

    Use it to report a squared error in the unit of the label; it orders models just as `mse` does.
    Avoid it where a few outliers should not decide the answer.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [0.0, 0.0], "p": [3.0, 4.0]}, "rmse", label="y", prediction="p").value
    3.5355339059327378
    """


@mse.under("sum")
def l2() -> None:
    """Sum of squared errors over rows and columns.

    Formula: Σ e². Gradient: 2e. Other libraries mean other things by the name: LightGBM's `l2` is the mean, and
    optax's `l2_loss` is ½e².

    Use it where the total matters, as in a penalised fit.
    Avoid it to compare data sets of different sizes: it grows with the number of rows.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [0.0, 0.0], "p": [3.0, 4.0]}, "l2", label="y", prediction="p").value
    25.0
    """


@loss(
    aliases=("mean_absolute_error", "l1_loss"),
    label=REAL,
    prediction=REAL,
    references=("Laplace 1774, Mémoire sur la probabilité des causes par les évènements",),
)
def mae(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Absolute error: robust to outliers, the best constant is the median.

    Formula: |e|, e = prediction − label. Gradient: sign e, and 0 at e = 0. Convex, with a kink at 0.

    Use it for regression with outliers.
    Avoid it when a gradient that fades near the optimum matters: its slope is constant, so steps must shrink.

    >>> from lossctl import get_loss
    >>> get_loss("mae").value([1.0, 2.0], [1.5, 0.0])
    array([0.5, 2. ])
    """
    return np.abs(prediction - label)


@mae.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return np.sign(prediction - label)


@mae.kinks
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG001
    return label


@mae.under("sum")
def l1() -> None:
    """Sum of absolute errors over rows and columns.

    Formula: Σ |e|. Gradient: sign e. LightGBM's `l1` is the mean; here it is the sum.

    Use it where the total matters.
    Avoid it to compare data sets of different sizes: it grows with the number of rows.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [0.0, 0.0], "p": [3.0, -4.0]}, "l1", label="y", prediction="p").value
    7.0
    """


@loss(
    aliases=("huber_loss",),
    label=REAL,
    prediction=REAL,
    references=("Huber 1964, Robust Estimation of a Location Parameter, doi:10.1214/aoms/1177703732",),
)
def huber(label: FloatArray, prediction: FloatArray, *, delta: Positive = 1.0) -> FloatArray:
    """Quadratic near zero, linear in the tails.

    Formula: ½e² where |e| ≤ δ, δ(|e| − ½δ) beyond. Gradient: e clipped to [−δ, δ]. Convex, differentiable everywhere.

    Use it for regression with outliers, value functions in reinforcement learning, time series. δ is the error at
    which a row starts to count as an outlier.
    Avoid it when no δ can be chosen: `log_cosh` has none.

    >>> from lossctl import get_loss
    >>> get_loss("huber:delta=1").value([0.0, 0.0], [0.5, 3.0])
    array([0.125, 2.5  ])
    """
    error = np.abs(prediction - label)
    near = np.minimum(error, delta)
    return near * (error - 0.5 * near)


@huber.gradient
def _(label: FloatArray, prediction: FloatArray, *, delta: Positive) -> FloatArray:
    return np.clip(prediction - label, -delta, delta)


@loss(
    aliases=("logcosh",),
    label=REAL,
    prediction=REAL,
    references=("Green 1990, Bayesian reconstructions from emission tomography data, doi:10.1109/42.52985",),
)
def log_cosh(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Huber without a knob: half the square near zero, the absolute error far out.

    Formula: log cosh e ≈ e²/2 near 0, ≈ |e| − log 2 far out. Gradient: tanh e. Convex, smooth to every order.

    Use it for regression with outliers when no threshold suggests itself.
    Avoid it when the unit of the label makes 1 a huge or a tiny error: rescale, or use `huber` with a δ.

    >>> from lossctl import get_loss
    >>> get_loss("log_cosh").value([0.0, 0.0], [1e-8, 1000.0])
    array([5.00000000e-17, 9.99306853e+02])
    """
    error = np.abs(prediction - label)
    # log cosh e = log1p(2 sinh²(e/2)) keeps the digits of small errors; cosh itself overflows past 710.
    near = np.log1p(2.0 * np.square(np.sinh(0.5 * np.minimum(error, 20.0))))
    return np.where(error < 20.0, near, error - np.log(2.0))


@log_cosh.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return np.tanh(prediction - label)
