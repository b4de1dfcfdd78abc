"""Losses on the error of a real-valued prediction that outliers do not rule, each with its own knob."""

from collections.abc import Callable
from typing import Annotated

import numpy as np

from lossctl.domain import REAL, FloatArray, Interval, NonNegative, Positive
from lossctl.functions.loss import loss
from lossctl.functions.stable import ATANH_TERMS, NEAR, amended, exp_error, polynomial, within_range
from lossctl.two_doubles import difference

Exponent = Annotated[float, Interval(low=1.0)]


@loss(
    aliases=("smooth_l1_loss",),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Girshick 2015, Fast R-CNN, doi:10.1109/ICCV.2015.169",),
    peers={"torch": "smooth_l1_loss (beta may be 0: that is mae)"},
)
def smooth_l1(label: FloatArray, prediction: FloatArray, *, beta: Positive = 1.0) -> FloatArray:
    """Absolute error with a rounded tip: huber divided by its threshold.

    Formula: ½e²/β where |e| ≤ β, |e| − ½β beyond, where e = ŷ − y and β = ``beta``.
    Gradient: e/β clipped to [−1, 1]. Behind an activation, both are exact to about 4e-16 |ŷ/e|, where e is small
    beside ŷ.
    Properties: convex; differentiable everywhere, its slope bends at |e| = β; non-negative; robust: no row pulls
    harder than 1; `huber` with δ = β, divided by β, so its slope far out does not depend on β; tends to `mae` as β
    does to 0; the best constant is the median for small β and the mean for large β.

    Use it for regression with outliers, as in the boxes of object detection.
    Avoid it to compare different β: the same errors cost more the smaller it is.

    >>> from lossctl import get_loss
    >>> get_loss("smooth_l1:beta=2").value([0.0, 0.0], [1.0, 3.0])
    array([0.25, 2.  ])
    """

    def plain() -> FloatArray:
        error = np.abs(prediction - label)
        near = np.clip(error, 0.0, beta)
        return np.asarray(near / beta * (error - 0.5 * near))

    return within_range(plain, lambda: 2.0 * (np.abs(0.5 * prediction - 0.5 * label) - 0.25 * beta))


@smooth_l1.gradient
def _(label: FloatArray, prediction: FloatArray, *, beta: Positive) -> FloatArray:
    return np.clip((prediction - label) / beta, -1.0, 1.0)


def _of_second_degree(
    formula: Callable[[FloatArray, float], FloatArray], label: FloatArray, prediction: FloatArray, scale: float
) -> FloatArray:
    """A formula of |e| and a scale that quadruples where both double, also of errors that are no doubles."""
    size = np.abs(prediction - label)

    def halved(label: FloatArray, prediction: FloatArray) -> FloatArray:
        value = 4.0 * formula(np.abs(0.5 * prediction - 0.5 * label), 0.5 * scale)
        return np.where(np.isnan(value), np.inf, value)  # of an activation that overflows

    return amended(formula(size, scale), size == np.inf, halved, label, prediction)


def _of_first_degree(
    formula: Callable[[FloatArray, float], FloatArray], label: FloatArray, prediction: FloatArray, scale: float
) -> FloatArray:
    """A formula of e and a scale that doubles where both do, also of errors that are no doubles."""
    error = prediction - label

    def halved(label: FloatArray, prediction: FloatArray) -> FloatArray:
        return 2.0 * formula(0.5 * prediction - 0.5 * label, 0.5 * scale)

    return amended(formula(error, scale), np.isinf(error), halved, label, prediction)


def _sides(size: FloatArray, delta: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The smaller and the larger of |e| and δ, and √(δ² + e²) over the larger: that itself might overflow."""
    less, more = np.clip(size, 0.0, delta), np.clip(size, delta, np.inf)
    return less, more, np.sqrt(1.0 + np.square(less / more))


def _pseudo_huber(size: FloatArray, delta: float) -> FloatArray:
    less, more, root = _sides(size, delta)
    return size / (delta / more + root) * less


def _pseudo_huber_slope(error: FloatArray, delta: float) -> FloatArray:
    less, _, root = _sides(np.abs(error), delta)
    return np.asarray(np.copysign(less / root, error))


@loss(
    aliases=("pseudo_huber_loss", "pseudo_huber_error", "mphe"),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Charbonnier et al. 1997, Deterministic edge-preserving regularization, doi:10.1109/83.551699",),
    peers={"XGBoost": "reg:pseudohubererror, mphe (δ is called huber_slope)"},
)
def pseudo_huber(label: FloatArray, prediction: FloatArray, *, delta: Positive = 1.0) -> FloatArray:
    """Huber without a bend: half the square near zero, δ times the absolute error far out, smooth between.

    Formula: δ² (√(1 + (e/δ)²) − 1), where e = ŷ − y and δ = ``delta``.
    Gradient: e/√(1 + (e/δ)²). Behind an activation, both are exact to about 4e-16 |ŷ/e|, where e is small beside ŷ.
    Properties: convex; smooth to every order; non-negative; robust: no row pulls harder than δ; never above `huber`
    with the same δ; the best constant is near the median for small δ and the mean for large δ.

    Use it for regression with outliers where second derivatives are asked for.
    Avoid it when no δ can be chosen: `log_cosh` has none.

    >>> from lossctl import get_loss
    >>> get_loss("pseudo_huber:delta=3").value([0.0, 0.0], [1e-8, 4.0])
    array([5.e-17, 6.e+00])
    """
    return _of_second_degree(_pseudo_huber, label, prediction, delta)


@pseudo_huber.gradient
def _(label: FloatArray, prediction: FloatArray, *, delta: Positive) -> FloatArray:
    return _of_first_degree(_pseudo_huber_slope, label, prediction, delta)


def _fair(size: FloatArray, c: float) -> FloatArray:
    ratio = size / c
    logarithm = np.log1p(ratio)
    value = c * (size - c * logarithm)
    # Where e/c is small the two cancel, and c² may be no double: c² (x − log1p x) from r = x/(2 + x).

    def nearby(size: FloatArray, ratio: FloatArray) -> FloatArray:
        part, r = size / (2.0 + ratio), ratio / (2.0 + ratio)
        return part * (size - 2.0 * part * r * polynomial(np.square(r), ATANH_TERMS))

    amended(value, logarithm < NEAR, nearby, size, ratio)
    return amended(value, ratio == np.inf, lambda size: c * (size - c * (np.log(size) - np.log(c))), size)


@loss(
    aliases=("fair_loss",),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Rey 1983, Introduction to Robust and Quasi-Robust Statistical Methods (Fair's loss)",),
    peers={"LightGBM": "fair (c is called fair_c)", "CatBoost": "FairLoss:smoothness= (c must be given)"},
)
def fair(label: FloatArray, prediction: FloatArray, *, c: Positive = 1.0) -> FloatArray:
    """Robust and smooth: half the square near zero, a little less than c times the absolute error far out.

    Formula: c² (|e|/c − log(1 + |e|/c)), where e = ŷ − y.
    Gradient: e/(1 + |e|/c). Behind an activation, both are exact to about 4e-16 |ŷ/e|, where e is small beside ŷ.
    Properties: convex; its slope is continuous, and bends at e = 0; non-negative; robust: no row pulls harder than c,
    and the pull comes near that slowly; the best constant is near the median for small c and the mean for large c.

    Use it for regression with outliers, in boosting.
    Avoid it when c cannot be chosen: `log_cosh` has no such knob.

    >>> from lossctl import get_loss
    >>> get_loss("fair").value([0.0, 0.0], [1e-8, 1.0])
    array([4.99999997e-17, 3.06852819e-01])
    """
    return _of_second_degree(_fair, label, prediction, c)


@fair.gradient
def _(label: FloatArray, prediction: FloatArray, *, c: Positive) -> FloatArray:
    return _of_first_degree(_fair_slope, label, prediction, c)


def _fair_slope(error: FloatArray, c: float) -> FloatArray:
    less, more = np.minimum(np.abs(error), c), np.maximum(np.abs(error), c)
    return np.copysign(less / (1.0 + less / more), error)


def _cauchy(size: FloatArray, c: float) -> FloatArray:
    ratio = size / c
    value = c * (c * (0.5 * np.log1p(np.square(ratio))))

    def far(size: FloatArray, ratio: FloatArray) -> FloatArray:  # from where squares are no doubles
        logarithm = np.where(ratio == np.inf, np.log(size) - np.log(c), np.log(ratio))
        return np.where(ratio < 1.0, 0.5 * size * size, c * (c * logarithm))

    return amended(value, ~((ratio > 1e-150) & (ratio < 1e150)), far, size, ratio)


@loss(
    aliases=("cauchy_loss",),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Black & Anandan 1996, The robust estimation of multiple motions, doi:10.1006/cviu.1996.0006",),
    peers={"SciPy": "least_squares(loss='cauchy') (c is called f_scale)"},
)
def cauchy(label: FloatArray, prediction: FloatArray, *, c: Positive = 1.0) -> FloatArray:
    """Logarithm of the squared error: far outliers stop to pull.

    Formula: ½c² log(1 + (e/c)²), where e = ŷ − y.
    Gradient: e/(1 + (e/c)²). Behind an activation, both are exact to about 4e-16 |ŷ/e|, where e is small beside ŷ.
    Properties: not convex: its slope is largest at |e| = c and fades beyond, so a row far out hardly pulls; smooth to
    every order; non-negative; maximum likelihood under Cauchy noise; there may be several constants that are best
    among their neighbours, of which none is sought where labels are farther apart than that.

    Use it for regression whose outliers are mistakes, to be ignored.
    Avoid it as the first loss of a fit: where it ends depends on where it starts.

    >>> from lossctl import get_loss
    >>> get_loss("cauchy").value([0.0, 0.0], [1.0, 1e200])
    array([3.46573590e-01, 4.60517019e+02])
    """
    return _of_second_degree(_cauchy, label, prediction, c)


@cauchy.gradient
def _(label: FloatArray, prediction: FloatArray, *, c: Positive) -> FloatArray:
    return _of_first_degree(_cauchy_slope, label, prediction, c)


def _cauchy_slope(error: FloatArray, c: float) -> FloatArray:
    less, more = np.minimum(np.abs(error), c), np.maximum(np.abs(error), c)
    ratio = less / more
    return np.copysign(np.where(less < c, less, c * ratio) / (1.0 + np.square(ratio)), error)


@cauchy.through("exp", natural=False)
def cauchy_on_logarithm(label: FloatArray, logit: FloatArray, *, c: Positive) -> FloatArray:
    """The same of e^z − y, and c² (z − log c) where e^z is no double."""
    error = exp_error(logit, label)
    value = _of_second_degree(_cauchy, np.zeros_like(error), error, c)

    def beyond(label: FloatArray, logit: FloatArray) -> FloatArray:
        return np.asarray(c * (c * ((logit - np.log(c)) + np.log1p(-label * np.exp(-logit)))))

    return amended(value, (error == np.inf) & (logit < np.inf), beyond, label, logit)


@cauchy_on_logarithm.gradient
def _(label: FloatArray, logit: FloatArray, *, c: Positive) -> FloatArray:
    error, root = exp_error(logit, label), np.exp(0.5 * logit)
    slope = np.asarray(_of_first_degree(_cauchy_slope, np.zeros_like(error), error, c) * root * root)
    return amended(slope, error == np.inf, lambda y, z: np.asarray(c * (c / (1.0 - y * np.exp(-z)))), label, logit)


@loss(
    aliases=("lq_loss",),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Gonin & Money 1989, Nonlinear Lp-Norm Estimation",),
    peers={"CatBoost": "Lq:q= (q must be given)"},
)
def lq(label: FloatArray, prediction: FloatArray, *, q: Exponent = 1.5) -> FloatArray:
    """A power of the absolute error: between mae and mse, or beyond.

    Formula: |e|^q, where e = ŷ − y.
    Gradient: q |e|^(q−1) sign e, and 0 at e = 0. Behind an activation, both are exact to about 4e-16 q |ŷ/e|, where e
    is small beside ŷ.
    Properties: convex; a kink at e = 0 for q = 1, which is `mae`; `mse` for q = 2; non-negative; the larger q, the more
    the largest errors dominate; the best constant goes from the median to the middle of the extremes as q grows.

    Use it where `mae` is too flat and `mse` too steep: q = 1.5.
    Avoid it with outliers where q is large: they decide alone.

    >>> from lossctl import get_loss
    >>> get_loss("lq:q=3").value([0.0, 0.0], [0.5, -2.0])
    array([0.125, 8.   ])
    """
    return np.power(np.abs(prediction - label), q)


@lq.gradient
def _(label: FloatArray, prediction: FloatArray, *, q: Exponent) -> FloatArray:
    error = prediction - label
    return q * np.power(np.abs(error), q - 1.0) * np.sign(error)


@lq.kinks
def _(label: FloatArray, prediction: FloatArray, *, q: Exponent) -> FloatArray:  # noqa: ARG001
    return label


def _past(label: FloatArray, prediction: FloatArray, epsilon: float) -> FloatArray:
    """|ŷ − y| − ε, and 0 where that is less, with what the difference lost to rounding."""
    error, lost = difference(prediction, label)
    surplus = (np.abs(error) - epsilon) + np.where(error < 0, -lost, lost)
    return np.clip(surplus, 0.0, np.inf)


def _edges(label: FloatArray, epsilon: float) -> tuple[FloatArray, FloatArray]:
    return label - epsilon, label + epsilon


@loss(
    aliases=("epsilon_insensitive_loss",),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Vapnik 1995, The Nature of Statistical Learning Theory, ch. 6",),
    peers={"scikit-learn": "epsilon_insensitive"},
)
def epsilon_insensitive(label: FloatArray, prediction: FloatArray, *, epsilon: NonNegative = 0.1) -> FloatArray:
    """Absolute error beyond a tolerance: what is off by less costs nothing.

    Formula: max(0, |e| − ε), where e = ŷ − y and ε = ``epsilon``.
    Gradient: sign e where |e| > ε, else 0, also at |e| = ε. Behind an activation, values are exact to about
    2e-16 |ŷ/e|, where e is small beside ŷ.
    Properties: convex; kinks at |e| = ε; non-negative; robust; 0 within the tolerance, so many predictions may be
    equally good; `mae` with ε = 0; the best constant is any that leaves as much on one side as on the other.

    Use it for support vector regression, and where small errors do not matter.
    Avoid it when every improvement counts.

    >>> from lossctl import get_loss
    >>> get_loss("epsilon_insensitive:epsilon=0.5").value([0.0, 0.0], [0.25, -2.0])
    array([0. , 1.5])
    """
    return _past(label, prediction, epsilon)


@epsilon_insensitive.gradient
def _(label: FloatArray, prediction: FloatArray, *, epsilon: NonNegative) -> FloatArray:
    return np.where(_past(label, prediction, epsilon) > 0, np.sign(prediction - label), 0.0)


@epsilon_insensitive.kinks
def _(label: FloatArray, prediction: FloatArray, *, epsilon: NonNegative) -> tuple[FloatArray, FloatArray]:  # noqa: ARG001
    return _edges(label, epsilon)


@loss(
    aliases=("squared_epsilon_insensitive_loss",),
    label=REAL,
    prediction=REAL,
    of_error=True,
    references=("Vapnik 1995, The Nature of Statistical Learning Theory, ch. 6",),
    peers={"scikit-learn": "squared_epsilon_insensitive"},
)
def squared_epsilon_insensitive(label: FloatArray, prediction: FloatArray, *, epsilon: NonNegative = 0.1) -> FloatArray:
    """Squared error beyond a tolerance: what is off by less costs nothing.

    Formula: max(0, |e| − ε)², where e = ŷ − y and ε = ``epsilon``.
    Gradient: 2 sign e max(0, |e| − ε). Behind an activation, both are exact to about 4e-16 |ŷ/e|, where e is small
    beside ŷ.
    Properties: convex; differentiable everywhere, its slope bends at |e| = ε; non-negative; large errors dominate;
    `mse` with ε = 0; the best constant is near the mean.

    Use it where small errors do not matter and large ones much.
    Avoid it when labels are wild, and when every improvement counts.

    >>> from lossctl import get_loss
    >>> get_loss("squared_epsilon_insensitive:epsilon=0.5").value([0.0, 0.0], [0.25, -2.0])
    array([0.  , 2.25])
    """
    return np.square(_past(label, prediction, epsilon))


@squared_epsilon_insensitive.gradient
def _(label: FloatArray, prediction: FloatArray, *, epsilon: NonNegative) -> FloatArray:
    return 2.0 * np.copysign(_past(label, prediction, epsilon), prediction - label)


@squared_epsilon_insensitive.root
def _(label: FloatArray, prediction: FloatArray, *, epsilon: NonNegative) -> FloatArray:
    return _past(label, prediction, epsilon)
