"""Losses on forecasts of a distribution: its mean and scale, an interval, quantiles, members; and on ranked pairs."""

from typing import Annotated

import numpy as np

from lossctl.domain import (
    NONNEGATIVE,
    POSITIVE,
    REAL,
    SIGNS,
    FloatArray,
    Interval,
    Listed,
    NonNegative,
    Words,
    laid_out,
    row_sum,
)
from lossctl.functions.gaussian import (
    HALF_LOG_2,
    LOG_2_PI,
    best_normal,
    deviation_slope,
    erf,
    moments,
    standardized,
    variance_slope,
)
from lossctl.functions.loss import loss
from lossctl.functions.parts import Parts, parts
from lossctl.functions.stable import beyond
from lossctl.row_domains import VECTOR
from lossctl.two_doubles import difference

OPEN = Interval(0.0, 1.0, low_open=True, high_open=True)
Scale = Annotated[str, Words(("var", "std", "log_std"))]
Estimator = Annotated[str, Words(("ecdf", "fair"))]
Level = Annotated[float, OPEN]
Levels = Annotated[tuple[float, ...], Listed(OPEN, named=True)]


def _columns(*columns: FloatArray) -> FloatArray:
    """Arrays ``(n,)`` as the columns of one."""
    return np.asfortranarray(np.stack(columns, axis=1))


def _mean_and_scale(*, scale: str = "var", full: bool = False) -> Parts:  # noqa: ARG001
    return parts(mean=REAL, scale=REAL if scale == "log_std" else POSITIVE)


def _deviation(error: FloatArray, half: FloatArray) -> FloatArray:
    """An error times the square of a factor, which may overflow by itself; 0 where either is."""
    return np.where((error == 0) | (half == 0), 0.0, error * half * half)


def _in_scales(label: FloatArray, prediction: FloatArray, scale: str) -> tuple[FloatArray, FloatArray]:
    """The error in standard deviations, and the logarithm of these."""
    error, spread = prediction[:, 0] - label, prediction[:, 1]
    if scale == "log_std":
        return _deviation(error, np.exp(-0.5 * spread)), spread
    return (error / np.sqrt(spread), 0.5 * np.log(spread)) if scale == "var" else (error / spread, np.log(spread))


@loss(
    aliases=("gaussian_nll_loss", "normal_nll"),
    label=REAL,
    prediction=_mean_and_scale,
    references=("Nix & Weigend 1994, Estimating the mean and variance of the target, doi:10.1109/ICNN.1994.374138",),
    peers={
        "torch": "gaussian_nll_loss (variances below 1e-6 count as 1e-6)",
        "CatBoost": "RMSEWithUncertainty (scale=log_std, full=true)",
    },
)
def gaussian_nll(label: FloatArray, prediction: FloatArray, *, scale: Scale = "var", full: bool = False) -> FloatArray:
    """Negative log-likelihood of a normal distribution that is forecast by its mean and its scale.

    Formula: ½ (log v + (μ − y)²/v), and ½ log 2π with ``full=true``. The prediction is a mean μ and a scale: the
    variance v, the standard deviation (``scale=std``) or its logarithm (``scale=log_std``).
    Gradient: (μ − y)/v for the mean; ½ (1/v − (μ − y)²/v²) for the variance, 1/σ − (μ − y)²/σ³ for a standard
    deviation, 1 − (μ − y)²/σ² for its logarithm.
    Properties: a proper score, in nats; smooth; of either sign, and unbounded below as v goes to 0 at a mean that is
    exact; convex in the mean, not convex in mean and scale together; the best constant is the mean and the variance of
    the labels. No scale is floored: one of 0 is an error.

    Use it for models that say how sure they are.
    Avoid it where errors have heavy tails: `crps_gaussian` grows with the error, not with its square.

    >>> from lossctl import get_loss
    >>> get_loss("gaussian_nll:scale=std").value([0.0, 3.0], [[0.0, 1.0], [1.0, 2.0]])
    array([0.        , 1.19314718])
    """
    ratio, log_scale = _in_scales(label, prediction, scale)
    return log_scale + 0.5 * ratio * ratio + (0.5 * LOG_2_PI if full else 0.0)


@gaussian_nll.gradient
def _(label: FloatArray, prediction: FloatArray, *, scale: Scale, full: bool) -> FloatArray:  # noqa: ARG001
    (error, rest), spread = difference(prediction[:, 0], label), prediction[:, 1]
    if scale == "var":
        return _columns(error / spread, variance_slope(error, rest, spread))
    ratio, _ = _in_scales(label, prediction, scale)
    if scale == "log_std":
        return _columns(_deviation(ratio, np.exp(-0.5 * spread)), (1.0 - ratio) * (1.0 + ratio))
    return _columns(ratio / spread, deviation_slope(error, rest, spread))


@gaussian_nll.constant
def _(label: FloatArray, weight: FloatArray, width: int, *, scale: Scale, full: bool) -> FloatArray:  # noqa: ARG001
    """The mean and the spread of the labels; none where these are all the same."""
    mean, deviation = moments(label, weight)
    spread = {"var": deviation * deviation, "std": deviation, "log_std": np.log(np.float64(deviation))}[scale]
    return np.array([mean, spread if deviation > 0 else np.nan])


@loss(
    aliases=("crps_normal",),
    label=REAL,
    prediction=parts(mean=REAL, scale=NONNEGATIVE),
    references=("Gneiting & Raftery 2007, Strictly Proper Scoring Rules, doi:10.1198/016214506000001437",),
    peers={"scoringrules": "crps_normal", "properscoring": "crps_gaussian"},
)
def crps_gaussian(label: FloatArray, prediction: FloatArray) -> FloatArray:
    """Continuous ranked probability score of a normal distribution: a distance in the unit of the label.

    Formula: σ (ω (2Φ(ω) − 1) + 2φ(ω) − 1/√π) where ω = (y − μ)/σ, computed as
    |μ − y| erf(|ω|/√2) + σ (√2 e^(−ω²/2) − 1)/√π. The prediction is a mean μ and a standard deviation σ.
    Gradient: 1 − 2Φ(ω) for the mean, 2φ(ω) − 1/√π for the standard deviation; 0 for the mean at ω = 0.
    Properties: a proper score, in the unit of the label; non-negative; convex; the absolute error where σ is 0, with
    its kink; grows with the error and not with its square; the best constant is near the mean and the deviation of the
    labels, and is found from there.

    Use it for models that say how sure they are, beside `mae` of those that do not: it is the same scale.
    Avoid it where the tails are what counts: `gaussian_nll` is stricter there.

    >>> from lossctl import get_loss
    >>> get_loss("crps_gaussian").value([0.0, 3.0], [[0.0, 1.0], [1.0, 0.0]])
    array([0.23369498, 2.        ])
    """
    error, spread = np.abs(prediction[:, 0] - label), prediction[:, 1]
    ratio = standardized(error, spread)
    peak = np.expm1(HALF_LOG_2 - 0.5 * np.square(ratio))
    return np.asarray(error * erf(ratio / np.sqrt(2.0)) + spread * peak / np.sqrt(np.pi))


@crps_gaussian.gradient
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    ratio = standardized(prediction[:, 0] - label, prediction[:, 1])
    return _columns(erf(ratio / np.sqrt(2.0)), np.expm1(HALF_LOG_2 - 0.5 * np.square(ratio)) / np.sqrt(np.pi))


@crps_gaussian.kinks
def _(label: FloatArray, prediction: FloatArray) -> FloatArray:
    return _columns(np.where(prediction[:, 1] == 0, label, np.nan), np.where(prediction[:, 0] == label, 0.0, np.nan))


@crps_gaussian.constant
def _(label: FloatArray, weight: FloatArray, width: int) -> FloatArray:  # noqa: ARG001
    return np.array(best_normal(label, weight))


@loss(
    aliases=("crps", "continuous_ranked_probability_score"),
    label=REAL,
    prediction=VECTOR,
    references=("Zamo & Naveau 2018, Estimation of the CRPS with Limited Information, doi:10.1007/s11004-017-9709-7",),
    peers={
        "torchmetrics": "ContinuousRankedProbabilityScore",
        "properscoring": "crps_ensemble",
    },
)
def crps_ensemble(label: FloatArray, prediction: FloatArray, *, estimator: Estimator = "ecdf") -> FloatArray:
    """Continuous ranked probability score of an ensemble: members that are each as likely as the other.

    Formula: (1/m) Σ |x_i − y| − (1/2m²) ΣΣ |x_i − x_j| over the m members x, which is the score of their empirical
    distribution; with ``estimator=fair`` the second sum is divided by 2m(m − 1), which is in expectation the score of
    the distribution that members are drawn from, however few they are. It is computed from sorted differences, whose
    terms are never negative.
    Gradient: sign(x_i − y)/m − Σ_j sign(x_i − x_j)/m² for each member; fair: the second by m(m − 1). 0 for the sign
    of 0.
    Properties: a proper score (fair: for distributions, not for the members), in the unit of the label; non-negative;
    of one member it would be the absolute error; convex where all members move alike, not convex in each by itself;
    kinks at the label and wherever two members meet; the best constants are quantiles of the labels, at levels of
    (i − ½)/m (fair: (i − 1)/(m − 1)).

    Use it to compare ensembles with each other, fair where they differ in size, and with `mae` of point forecasts.
    Avoid it for columns that are quantiles: `quantiles` knows their levels.

    >>> from lossctl import get_loss
    >>> get_loss("crps_ensemble").value([0.0], [[-1.0, 0.5, 2.0]])
    array([0.5])
    """
    m = prediction.shape[1]
    error, place = np.sort(prediction - label[:, None], axis=1), np.arange(m)
    if estimator == "fair":
        weight = np.where(error > 0, m - 1 - place, -place) / (m - 1)
    else:
        weight = np.where(error > 0, m - place - 0.5, -0.5 - place) / m
    return np.asarray(row_sum(np.asfortranarray(np.where(weight == 0, 0.0, error * weight))) * (2.0 / m))


@crps_ensemble.gradient
def _(label: FloatArray, prediction: FloatArray, *, estimator: Estimator) -> FloatArray:
    m, members = prediction.shape[1], np.ascontiguousarray(prediction)
    first = m * np.arange(len(members))[:, None]
    order = np.argsort(members, axis=1) + first
    member = members.ravel()[order]
    lead = np.tile(np.arange(1.0 - m, m, 2.0), (len(members), 1))
    tied = np.flatnonzero((member[:, 1:] == member[:, :-1]).any(axis=1))
    lead[tied] = _lead_of_tied(member[tied])
    slope = np.empty_like(members)
    slope.ravel()[order] = lead
    pairs = laid_out(slope) / (m * (m if estimator == "ecdf" else m - 1))
    return np.asarray(np.sign(prediction - label[:, None]) / m - pairs)


def _lead_of_tied(member: FloatArray) -> FloatArray:
    """How many members of rows that are sorted are below each, less how many are above: Σ_j sign(x_i − x_j)."""
    m = member.shape[1]
    fresh = np.diff(member, axis=1, prepend=-np.inf) != 0
    below = np.maximum.accumulate(np.where(fresh, np.arange(m), 0), axis=1)
    last = np.roll(fresh, -1, axis=1) | (np.arange(m) == m - 1)
    upto = np.minimum.accumulate(np.where(last, np.arange(m), m)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((below + upto - (m - 1)).astype(np.float64))


@crps_ensemble.kinks
def _(label: FloatArray, prediction: FloatArray, *, estimator: Estimator) -> FloatArray:  # noqa: ARG001
    """The nearest number above each member, of the label and the other members."""
    every = np.sort(np.column_stack([prediction, label]), axis=1)
    every = np.column_stack([every, np.full(len(every), np.inf)])
    place = (every[:, None, :-1] <= prediction[:, :, None]).sum(axis=2)
    return np.take_along_axis(every, place, axis=1)


@crps_ensemble.constant
def _(label: FloatArray, weight: FloatArray, width: int, *, estimator: Estimator) -> FloatArray:
    """Quantiles of the labels: sorted, the members are judged by the quantile loss each at a level of its own."""
    place = np.arange(width)
    level = place / (width - 1) if estimator == "fair" else (place + 0.5) / width
    reached = np.cumsum(weight)
    return np.asarray(label[np.minimum(np.searchsorted(reached, level * reached[-1]), len(label) - 1)])


@loss(
    aliases=("interval_score", "winkler", "winkler_score"),
    label=REAL,
    prediction=parts(ascending=True, lower=REAL, upper=REAL),
    references=("Winkler 1972, A Decision-Theoretic Approach to Interval Estimation, doi:10.2307/2284720",),
    peers={"scoringrules": "interval_score"},
)
def interval(label: FloatArray, prediction: FloatArray, *, alpha: Level = 0.1) -> FloatArray:
    """Interval score: the width of an interval, and a penalty for each label outside it.

    Formula: (u − l) + (2/α) (max(0, l − y) + max(0, y − u)), where the interval from l to u is meant to hold 1 − α of
    the labels: 90 % of them unless ``alpha`` says otherwise.
    Gradient: −1 + (2/α) [l > y] for the lower end, 1 − (2/α) [y > u] for the upper.
    Properties: proper for the quantiles at α/2 and 1 − α/2; in the unit of the label; non-negative; convex; kinks
    where an end is the label, with a gradient of −1 and 1 there; 2/α times the sum of the two ends' `quantiles`.

    Use it for prediction intervals, narrow ones that hold what they say.
    Avoid it for intervals of other levels than 1 − α: they would be pushed there.

    >>> from lossctl import get_loss
    >>> get_loss("interval:alpha=0.2").value([1.0, 4.0], [[0.0, 2.0], [0.0, 2.0]])
    array([ 2., 22.])
    """
    lower, upper = prediction[:, 0], prediction[:, 1]
    outside = np.maximum(lower - label, 0.0) + np.maximum(label - upper, 0.0)
    return (upper - lower) + 2.0 * (outside / alpha)


@interval.gradient
def _(label: FloatArray, prediction: FloatArray, *, alpha: Level) -> FloatArray:
    lower, upper = prediction[:, 0], prediction[:, 1]
    return _columns(np.where(lower > label, 2.0 / alpha - 1.0, -1.0), np.where(label > upper, 1.0 - 2.0 / alpha, 1.0))


@interval.kinks
def _(label: FloatArray, prediction: FloatArray, *, alpha: Level) -> FloatArray:  # noqa: ARG001
    return np.broadcast_to(label[:, None], prediction.shape)


@loss(
    aliases=("multi_quantile", "multiquantile_loss"),
    label=REAL,
    prediction=VECTOR,
    other_width=("quantile", ("quantiles", "multi_quantile", "multiquantile_loss")),
    references=("Koenker & Bassett 1978, Regression Quantiles, doi:10.2307/1913643",),
    peers={
        "scikit-learn": "mean_pinball_loss (one at a time; τ is called alpha)",
        "CatBoost": "MultiQuantile:alpha= (errors of less than 1e-6 cost nothing)",
        "XGBoost": "reg:quantileerror (τ is called quantile_alpha)",
    },
)
def quantiles(label: FloatArray, prediction: FloatArray, *, tau: Levels | None = None) -> FloatArray:
    """Mean of the quantile losses of several columns, each at a level of its own.

    Formula: the mean over columns k of max(τ_k e_k, (τ_k − 1) e_k), where e_k = y − ŷ_k. The levels are those that the
    columns are named for (q10, q0.5, p90), or those of ``tau``, one for each: ``tau=0.1/0.5/0.9``.
    Gradient: −τ_k/K where ŷ_k < y, (1 − τ_k)/K where ŷ_k > y, 0 at y.
    Properties: proper for the quantiles at these levels; in the unit of the label; non-negative; convex; kinks where a
    column is the label; crossing columns are legal; the best constants are the quantiles of the labels. With many
    levels, evenly spaced, twice this is near the CRPS; twice this is the weighted interval score of a median and
    intervals around it.

    Use it for forecasts of several quantiles.
    Avoid it where all columns are of one level: name each as a model.

    >>> from lossctl import get_loss
    >>> get_loss("quantiles:tau=0.1/0.5/0.9").value([1.0], [[0.0, 1.0, 3.0]])
    array([0.1])
    """
    error, level = prediction - label[:, None], np.array(tau)
    return row_sum(np.asfortranarray(np.where(error < 0, -level * error, (1.0 - level) * error))) / len(level)


@quantiles.gradient
def _(label: FloatArray, prediction: FloatArray, *, tau: Levels) -> FloatArray:
    error, level = prediction - label[:, None], np.array(tau)
    return np.where(error == 0, 0.0, np.where(error < 0, -level, 1.0 - level)) / len(level)


@quantiles.kinks
def _(label: FloatArray, prediction: FloatArray, *, tau: Levels) -> FloatArray:  # noqa: ARG001
    return np.broadcast_to(label[:, None], prediction.shape)


def _behind(label: FloatArray, prediction: FloatArray, margin: float) -> FloatArray:
    """By how much the score that should be larger is less than a margin above the other."""
    first, second = label * prediction[:, 0], label * prediction[:, 1]
    return beyond(second, first, margin)


@loss(
    aliases=("margin_ranking_loss",),
    label=SIGNS,
    prediction=parts(first=REAL, second=REAL),
    references=("Herbrich, Graepel & Obermayer 2000, Large Margin Rank Boundaries for Ordinal Regression",),
    peers={"torch": "margin_ranking_loss"},
)
def margin_ranking(label: FloatArray, prediction: FloatArray, *, margin: NonNegative = 0.0) -> FloatArray:
    """Hinge on the difference of two scores, of which the label says which should be larger.

    Formula: max(0, m − y (x₁ − x₂)) with m = ``margin``: the label y is 1 where the first should be larger, −1 (or 0)
    where the second should.
    Gradient: (−y, y) where y (x₁ − x₂) < m, else 0, also on the kink.
    Properties: convex; non-negative; a kink at y (x₁ − x₂) = m; 0 for pairs in the right order by the margin; with a
    margin of 0 equal scores cost nothing.

    Use it for pairs of which one is to rank above the other.
    Avoid it where equal scores should cost something: give a margin.

    >>> from lossctl import get_loss
    >>> get_loss("margin_ranking").value([1, -1], [[0.5, 1.5], [0.5, 1.5]])
    array([1., 0.])
    """
    return np.maximum(_behind(label, prediction, margin), 0.0)


@margin_ranking.gradient
def _(label: FloatArray, prediction: FloatArray, *, margin: NonNegative) -> FloatArray:
    slope = np.where(_behind(label, prediction, margin) > 0, label, 0.0)
    return _columns(-slope, slope)


@margin_ranking.kinks
def _(label: FloatArray, prediction: FloatArray, *, margin: NonNegative) -> FloatArray:
    return _columns(prediction[:, 1] + label * margin, prediction[:, 0] - label * margin)


@margin_ranking.constant
def _(label: FloatArray, weight: FloatArray, width: int, *, margin: NonNegative) -> FloatArray:  # noqa: ARG001
    """Scores that are a margin apart, the way of most labels."""
    lead = 0.5 * margin * np.sign(np.sum(weight * label)) + 0.0
    return np.array([lead, 0.0 - lead])
