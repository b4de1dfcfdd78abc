"""Losses on the error of a real-valued prediction."""

import numpy as np

from lossctl.domain import REAL, FloatArray, Positive
from lossctl.functions.loss import loss
from lossctl.functions.stable import within_range

HALF_ROOT = 0.7071067811865476
"""√½."""


@loss(
    aliases=(
        "mean_squared_error",
        "mse_loss",
        "squared_loss",
        "quadratic",
        "squared_error",
        "regression",
        "regression_l2",
        "loss_mse",
    ),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Gauss 1809, Theoria motus corporum coelestium, §179 (least squares)",),
    peers={
        "Keras": "mse, mean_squared_error",
        "torch": "mse_loss",
        "DL4J": "MSE, SQUARED_LOSS",
        "scikit-learn": "mean_squared_error",
        "optax": "squared_error",
        "CatBoost": "MultiRMSE (its root)",
        "LightGBM": "l2, mse, regression",
        "XGBoost": "reg:squarederror",
    },
)
def mse(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Squared error: large errors dominate, the best constant is the mean.

    Formula: e², where e = ŷ − y.
    Gradient: 2e. Behind an activation, values and gradients are exact to about 4e-16 |ŷ/e|, where e is small beside ŷ.
    Properties: convex; smooth everywhere; non-negative; errors count by their square, so large ones dominate; the
    best constant is the mean; maximum likelihood under Gaussian noise.

    Use it for regression whose outliers are rare, or are meant to count; for signals and their reconstruction.
    Avoid it when labels are wild (`huber` or `mae` hold out), and after a sigmoid: the gradient then carries σ′(z),
    which vanishes just where the error is large.

    >>> from lossctl import get_loss
    >>> get_loss("mse").value([1.0, 2.0], [1.5, 0.0])
    array([0.25, 4.  ])
    """
    return np.square(prediction - label)


@mse.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return 2.0 * (prediction - label)


@mse.root
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return prediction - label


@mse.under(
    "root-mean",
    aliases=("root_mean_squared_error", "l2_root"),
    peers={
        "Keras": "RootMeanSquaredError",
        "scikit-learn": "root_mean_squared_error (several columns: the mean of their roots)",
        "CatBoost": "RMSE, MultiRMSE (several columns: their sum under the root, not their mean)",
        "LightGBM": "rmse, l2_root",
        "XGBoost": "rmse",
    },
)
def rmse() -> None:
    """Root of the mean squared error, in the unit of the label.

    Formula: √(mean of e²) over all rows, where e = ŷ − y; a single row is e².
    Gradient: 2e for the e² of a row; e_i / (n · rmse) for the reported value.
    Properties: in the unit of the label; smooth where it is not 0; convex; orders models just as `mse` does; the
    best constant is the mean.

    Use it to report a squared error in the unit of the label.
    Avoid it where a few outliers should not decide the answer.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [0.0, 0.0], "p": [3.0, 4.0]}, "rmse", label="y", prediction="p").value
    3.5355339059327378
    """


@mse.under(
    "sum",
    aliases=("loss_l2",),
    peers={"DL4J": "L2, LossL2", "optax": "l2_loss (½e², not the sum)", "LightGBM": "l2 (the mean, not the sum)"},
)
def l2() -> None:
    """Sum of squared errors over rows and columns.

    Formula: Σ e² over rows and columns, where e = ŷ − y.
    Gradient: 2e.
    Properties: convex; smooth everywhere; grows with the number of rows; the best constant is the mean. Other
    libraries mean other things by the name.

    Use it where the total matters, as in a penalised fit.
    Avoid it to compare data sets of different sizes.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [0.0, 0.0], "p": [3.0, 4.0]}, "l2", label="y", prediction="p").value
    25.0
    """


@loss(
    aliases=("half_squared_loss", "half_mse"),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Bishop 2006, Pattern Recognition and Machine Learning, §1.1 (the error function)",),
    peers={"optax": "l2_loss", "scikit-learn": "HalfSquaredError", "XGBoost": "reg:squarederror (as it is minimised)"},
)
def half_squared_error(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Half the squared error, whose gradient is the error itself.

    Formula: ½e², where e = ŷ − y.
    Gradient: e. Behind an activation, values and gradients are exact to about 4e-16 |ŷ/e|, where e is small beside ŷ.
    Properties: convex; smooth everywhere; non-negative; half of `mse`: it orders models alike; the best constant is
    the mean; the negative log-likelihood of Gaussian noise of variance 1, without its constant.

    Use it to find the numbers of texts and libraries that put a ½ in front again.
    Avoid it to report: `mse` and `rmse` are what readers expect.

    >>> from lossctl import get_loss
    >>> get_loss("half_squared_error").value([1.0, 2.0], [1.5, 0.0])
    array([0.125, 2.   ])
    """
    return 0.5 * np.square(prediction - label)


@half_squared_error.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return prediction - label


@half_squared_error.root
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return HALF_ROOT * (prediction - label)


@loss(
    aliases=("mean_absolute_error", "l1_loss", "regression_l1", "loss_mae", "absolute_error"),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Laplace 1774, Mémoire sur la probabilité des causes par les évènements",),
    peers={
        "Keras": "mae",
        "torch": "l1_loss",
        "DL4J": "MEAN_ABSOLUTE_ERROR",
        "scikit-learn": "mean_absolute_error",
        "CatBoost": "MAE",
        "LightGBM": "l1, mae",
        "XGBoost": "mae",
    },
)
def mae(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Absolute error: robust to outliers, the best constant is the median.

    Formula: |e|, where e = ŷ − y.
    Gradient: sign e, and 0 at e = 0. Behind an activation, values are exact to about 2e-16 |ŷ/e|, where e is small
    beside ŷ.
    Properties: convex; a kink at e = 0 and the same slope everywhere else, so steps must shrink near the optimum;
    non-negative; robust: an outlier pulls no harder than any other row; the best constant is the median; maximum
    likelihood under Laplace noise.

    Use it for regression with outliers.
    Avoid it when a gradient that fades near the optimum matters: `huber` has one.

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


@mae.under(
    "sum",
    aliases=("loss_l1",),
    peers={
        "torch": "l1_loss (the mean, not the sum)",
        "DL4J": "L1, LossL1",
        "LightGBM": "l1 (the mean, not the sum)",
    },
)
def l1() -> None:
    """Sum of absolute errors over rows and columns.

    Formula: Σ |e| over rows and columns, where e = ŷ − y.
    Gradient: sign e, and 0 at e = 0.
    Properties: convex; a kink at e = 0; robust; grows with the number of rows; the best constant is the median.
    Other libraries mean the mean by the name.

    Use it where the total matters.
    Avoid it to compare data sets of different sizes.

    >>> import lossctl
    >>> lossctl.evaluate({"y": [0.0, 0.0], "p": [3.0, -4.0]}, "l1", label="y", prediction="p").value
    7.0
    """


@loss(
    aliases=("huber_loss",),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Huber 1964, Robust Estimation of a Location Parameter, doi:10.1214/aoms/1177703732",),
    peers={
        "Keras": "huber",
        "torch": "huber_loss",
        "DL4J": "huber_loss (in libnd4j)",
        "scikit-learn": "HuberLoss (δ is the 0.9-quantile of |e| in gradient boosting)",
        "optax": "huber_loss",
        "CatBoost": "Huber:delta= (δ must be given)",
        "LightGBM": "huber (δ is called alpha, and is 0.9)",
        "XGBoost": "mphe (pseudo-Huber: not the same)",
    },
)
def huber(label: FloatArray, prediction: FloatArray, *, delta: Positive = 1.0) -> FloatArray:
    """Quadratic near zero, linear in the tails.

    Formula: ½e² where |e| ≤ δ, δ(|e| − ½δ) beyond, where e = ŷ − y and δ = ``delta``.
    Gradient: e clipped to [−δ, δ]. Behind an activation, both are exact to about 4e-16 |ŷ/e|, where e is small
    beside ŷ.
    Properties: convex; differentiable everywhere, its slope bends at |e| = δ; non-negative; robust, and δ says how
    much: it is the error at which a row starts to count as an outlier; the best constant is the median
    for small δ and the mean for large δ.

    Use it for regression with outliers, value functions in reinforcement learning, time series.
    Avoid it when no δ can be chosen: `log_cosh` has none.

    >>> from lossctl import get_loss
    >>> get_loss("huber:delta=1").value([0.0, 0.0], [0.5, 3.0])
    array([0.125, 2.5  ])
    """

    def plain() -> FloatArray:
        error = np.abs(prediction - label)
        near = np.clip(error, 0.0, delta)
        error -= 0.5 * near
        error *= near
        return error

    return within_range(plain, lambda: (np.abs(0.5 * prediction - 0.5 * label) - 0.25 * delta) * (2.0 * delta))


@huber.gradient
def _(label: FloatArray, prediction: FloatArray, *, delta: Positive) -> FloatArray:
    return np.clip(prediction - label, -delta, delta)


@loss(
    aliases=("logcosh", "log_cosh_error"),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Green 1990, Bayesian reconstructions from emission tomography data, doi:10.1109/42.52985",),
    peers={"Keras": "log_cosh", "optax": "log_cosh", "CatBoost": "LogCosh"},
)
def log_cosh(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Huber without a knob: half the square near zero, the absolute error far out.

    Formula: log cosh e ≈ e²/2 near 0, ≈ |e| − log 2 far out, where e = ŷ − y.
    Gradient: tanh e. Behind an activation, both are exact to about 4e-16 |ŷ/e|, where e is small beside ŷ.
    Properties: convex; smooth to every order; non-negative; robust: no row pulls harder than 1; the best constant
    is the mean of labels close together, and near the median of labels far apart.

    Use it for regression with outliers when no threshold suggests itself.
    Avoid it when the unit of the label makes 1 a huge or a tiny error: rescale, or use `huber` with a δ.

    >>> from lossctl import get_loss
    >>> get_loss("log_cosh").value([0.0, 0.0], [1e-8, 1000.0])
    array([5.00000000e-17, 9.99306853e+02])
    """
    error = np.abs(prediction - label)
    near = np.clip(error, 0.0, 20.0)
    # log cosh e = log1p(2 sinh²(e/2)) keeps the digits of small errors; cosh itself overflows past 710. From 20 on the
    # slope is 1.
    return np.asarray(np.log1p(2.0 * np.square(np.sinh(0.5 * near))) + (error - near))


@log_cosh.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return np.tanh(prediction - label)
