"""What is wrong with what a model says: leaks, inversions, certainty, classes it never picks, heavy tails."""

import math

import numpy as np

from lossctl.doctor.finding import Case, Evidence, Severity, finding
from lossctl.doctor.shell import flags
from lossctl.doctor.statistics import (
    area_under_curve,
    error_of_area,
    error_of_correlation,
    rank_correlation,
    top_share,
)
from lossctl.domain import FloatArray, IntArray
from lossctl.functions.lookup import get_loss
from lossctl.inference.codes import better_order
from lossctl.inference.doubts import class_codes
from lossctl.inference.fit import ENOUGH, SIGNIFICANT, Scale, classes_setting, pairing_of
from lossctl.words import figures, percent

HEAVY = 0.5
"""The share of the loss in the top 1 % of the rows that is worth a word."""
PART = 0.5
"""The part of equal numbers that no rounding explains, where there are so many different labels."""
MANY = 100


@finding(Severity.error)
def leak(case: Case) -> Evidence | None:
    """Predictions are equal to labels, to the last digit."""
    problem, fractions = case.problem("equal fraction"), case.count("label fraction", case.label)
    many = len(case.facts.label.keys) >= min(MANY, max(2 * ENOUGH, 0.1 * case.n))
    if problem is None or problem.count < ENOUGH or not many or problem.count < PART * fractions:
        return None
    return Evidence(
        f"{percent(problem.count, case.n)} of the predictions are the label to the last digit",
        "Did the label leak into the predictions, or were these rows trained on and remembered?",
        problem,
    )


@finding(Severity.warning)
def perfect_predictions(case: Case) -> Evidence | None:
    """Predictions are equal to labels, which are codes."""
    if case.n < ENOUGH or constant(case):
        return None
    kind = "sure hit" if case.rows is not None and not case.layout.label_width else "equal"
    problem = case.problem(kind)
    if problem is None or problem.count < case.n or case.count("equal fraction"):
        return None
    return Evidence(
        "every prediction is the label itself",
        "Was the label written in the place of the prediction? No model is that good for long.",
        problem,
    )


def constant(case: Case) -> bool:
    """Whether the labels are all the same."""
    counts = case.facts.words.counts
    return len(case.facts.label.keys) == 1 or (bool(counts) and counts is not None and len(counts) == 1)


@finding(Severity.warning)
def hard_predictions(case: Case) -> Evidence | None:
    """Predictions are class codes rather than probabilities."""
    values = case.predicted.values
    if case.fit is None or case.n < ENOUGH or len(values.keys) != 2 or case.count("fraction") or case.count("infinite"):
        return None
    if not case.fit.binary and case.fit.scale is not Scale.PROBABILITY:
        return None
    codes = " and ".join(f"{value:g}" for value in values.values.tolist())
    return Evidence(
        f"the predictions are {codes} and nothing else: decisions, not probabilities",
        "A loss needs what the decision was made from, such as predict_proba rather than predict.",
    )


@finding(Severity.warning)
def class_codes_as_predictions(case: Case) -> Evidence | None:
    """Predictions of several classes are codes."""
    label = case.facts.label
    if case.fit is None or case.fit.scale is not Scale.VALUE or case.model.width:
        return None
    if not class_codes(case.facts, case.layout, case.predicted, case.name):
        return None
    return Evidence(
        f"labels and predictions are whole numbers up to {label.quantile(1.0):g}, equal in "
        f"{percent(case.count('equal'), case.n)} of the rows: class codes?",
        "A loss of classes needs one column of probabilities a class, such as predict_proba gives: -p 'p_*'. "
        "Of codes alone the share that is wrong is measured by -l zero_one.",
    )


@finding(Severity.warning)
def inverted(case: Case) -> Evidence | None:
    """Predictions are high where labels are low."""
    area = area_under_curve(case)
    if area is not None:
        if area[1] > -SIGNIFICANT or area[0] > 0.45:
            return None
        error = error_of_area(case)
        within = f" (within {error:.1g}: the predictions are rounded, there are so many)" if error else ""
        what = f"the area under the ROC curve is {area[0]:.3g}{within}, {-area[1]:.3g} standard errors below 1/2"
        advice = "Are the probabilities those of the other class (1 − p), or the scores of the other sign?"
        if case.layout.text and case.fit is not None:
            first, second = map(str, case.fit.labels)
            advice = f"Are they probabilities of {first!r}?"
            advice += "".join(f" Then {flag}." for flag in flags(classes_setting([second, first])))
        return Evidence(what, advice)
    if case.rows is not None and not case.layout.label_width:
        return _inverted_rows(case)
    correlation = rank_correlation(case)
    if correlation is None or correlation[1] > -SIGNIFICANT or correlation[0] > -0.1:
        return None
    what = f"the rank correlation with the label is {correlation[0]:.3g}, {-correlation[1]:.3g} standard errors below 0"
    advice = "Was a sign or an order lost on the way? Are the rows those of the labels?"
    error, sample = error_of_correlation(case), len(case.predicted.pairs.counts)
    if not error:
        return Evidence(what, advice)
    what += f" (of a sample of {sample:,} of the different pairs, chosen by their hashes: standard error {error:.2g})"
    return Evidence(what, advice, sample=sample, standard_error=error)


def _inverted_rows(case: Case) -> Evidence | None:
    hit, least = case.count("hit"), case.problem("miss by most")
    if (
        least is None
        or case.n < 3 * ENOUGH
        or better_order(case.predicted, case.n) is not None
        or least.count <= 2 * hit
    ):
        return None
    if least.count - hit < SIGNIFICANT * math.sqrt(least.count + hit):
        return None
    return Evidence(
        f"the label has the smallest column in {percent(least.count, case.n)} of the rows, the largest in "
        f"{percent(hit, case.n)}",
        "Are the scores of the other sign: distances, losses, or negative log-probabilities?",
        least,
    )


@finding(Severity.warning)
def certain_and_wrong(case: Case) -> Evidence | None:
    """What happened was given a probability of exactly 0."""
    if case.fit is None or case.fit.scale is not Scale.PROBABILITY or _decided(case):
        return None
    problem = case.problem("certain and wrong")
    wrong = 0 if problem is None else problem.count
    if case.by_class is not None and problem is None:
        low, high = case.by_class
        wrong = int(low.counts[low.values == 1].sum() + high.counts[high.values == 0].sum())
    if not wrong:
        return None
    return Evidence(
        f"what happened had a probability of exactly 0, in {percent(wrong, case.n)} of the rows: an infinite loss",
        "The loss of such a row is that of the floor (--eps) alone. Keep logits or log-probabilities, or more digits.",
        problem,
    )


def _decided(case: Case) -> bool:
    """Whether predictions are decisions, of which another finding speaks."""
    values = case.predicted.values
    return bool(values.n) and set(values.values[[0, -1]].tolist()) <= {0.0, 1.0} and len(values.keys) <= 2


@finding(Severity.note)
def saturated(case: Case) -> Evidence | None:
    """Probabilities are exactly 0 or 1."""
    problem = case.problem("saturated")
    if case.fit is None or case.fit.scale is not Scale.PROBABILITY or problem is None or _decided(case):
        return None
    return Evidence(
        f"{percent(problem.count, case.n)} of the rows hold a probability of exactly 0 or 1",
        "Losses there are 0 or the floor's. Shares of trees or votes are such; where float32 rounded 1 − 3e-8 to 1, "
        "logits keep what is lost.",
        problem,
    )


@finding(Severity.warning)
def classes_never_predicted(case: Case) -> Evidence | None:
    """A class occurs, and is never the largest of its row."""
    rows = case.rows
    if rows is None or better_order(case.predicted, case.n) is not None or int(rows.labels.sum()) < case.n:
        return None
    if case.count("equal columns") == case.n or np.array_equal(rows.low, rows.high):
        return None
    never = np.flatnonzero((rows.picks == 0) & (rows.labels >= ENOUGH))
    if not len(never):
        return None
    classes = ", ".join(f"{_named(case, index)} ({int(rows.labels[index]):,} rows)" for index in never[:6].tolist())
    return Evidence(f"never predicted: {classes}", "Rare in training, lost in the code of the labels, or left out?")


@finding(Severity.note)
def classes_without_rows(case: Case) -> Evidence | None:
    """A column is for a class that no label has."""
    rows = case.rows
    if rows is None or case.layout.label_width or int(rows.labels.sum()) < case.n or not rows.labels.sum():
        return None
    absent = np.flatnonzero(rows.labels == 0)
    if not len(absent):
        return None
    classes = ", ".join(_named(case, index) for index in absent[:8].tolist()) + (", …" if len(absent) > 8 else "")
    return Evidence(f"no label is of class {classes}", "Nothing here says how good the model is at them.")


def _named(case: Case, index: int) -> str:
    names = case.layout.classes
    return names[index] if names is not None else str(index)


@finding(Severity.warning)
def heavy_tail(case: Case) -> Evidence | None:
    """A few rows carry most of the squared error."""
    squared = case.fit is not None and case.fit.first == "mse"
    if not squared or case.n < 10 * ENOUGH:
        return None
    errors = case.predicted.errors
    share = top_share(np.square(errors.values / (errors.high or 1.0)), errors.counts)
    if share < HEAVY:
        return None
    about = "" if errors.exact else "about "
    return Evidence(
        f"the top 1 % of the rows carry {about}{percent(share, 1.0)} of the squared error; the largest error is "
        f"{figures(errors.high)}, the median {about}{figures(errors.quantile(0.5))}",
        "See them with lossctl samples --top 20; mae and huber heed them less than mse.",
    )


@finding(Severity.note)
def few_rows_carry_the_loss(case: Case) -> Evidence | None:
    """A few rows carry most of the loss of a classifier."""
    losses = _classification_losses(case)
    if losses is None or case.n < 10 * ENOUGH or case.problem("certain and wrong") is not None:
        return None
    share = top_share(*losses)
    if share < HEAVY:
        return None
    about = "" if case.predicted.values.exact else "about "
    return Evidence(
        f"the top 1 % of the rows carry {about}{percent(share, 1.0)} of the loss",
        "A good model errs in few rows; so do wrong labels. See them with lossctl samples --top 20.",
    )


def _classification_losses(case: Case) -> tuple[FloatArray, IntArray] | None:
    """The losses of the rows, each with how often it occurs."""
    fit = case.fit
    if fit is None or case.count("infinite"):
        return None
    if fit.pairing is pairing_of("multi-class classification") and case.rows is not None:
        if fit.scale is Scale.LOGIT:
            return case.rows.surprise.values, case.rows.surprise.counts
        chosen = case.rows.probability
        with np.errstate(divide="ignore"):
            return -np.log(chosen.values), chosen.counts
    if case.by_class is None or fit.scale not in {Scale.PROBABILITY, Scale.LOGIT} or outside(case):
        return None
    bound = get_loss(fit.first).from_logits() if fit.scale is Scale.LOGIT else get_loss(fit.first)
    pieces = [bound.value(np.full(len(of.keys), float(code)), of.values) for code, of in enumerate(case.by_class)]
    return np.concatenate(pieces), np.concatenate([of.counts for of in case.by_class])


def outside(case: Case) -> bool:
    """Whether predictions are taken for probabilities, and one lies outside [0, 1]."""
    return (
        case.fit is not None
        and case.fit.scale is Scale.PROBABILITY
        and bool(case.count("below 0") or case.count("above 1"))
    )
