"""What is wrong with columns by themselves: nulls, infinities, text, weights, ids."""

from dataclasses import replace

import numpy as np

from lossctl.doctor.finding import Case, Evidence, Severity, finding
from lossctl.doctor.shell import with_flags
from lossctl.inference.fit import ENOUGH, Scale
from lossctl.reading.cells import shown
from lossctl.reading.inferred_types import is_number
from lossctl.reading.look_alikes import hint_for
from lossctl.sums.problems import Problem
from lossctl.words import counted, figures, percent

FEW = 0.05
"""The part of the rows up to which they are few."""


@finding(Severity.error, stops=True)
def text_predictions(case: Case) -> Evidence | None:
    """A prediction column holds text."""
    if case.name not in case.layout.unread:
        return None
    text = case.layout.unread_text
    what = f"column {', '.join(case.model.columns[:4])!r} holds text such as {shown(text)}, not numbers"
    if case.layout.worded and case.layout.text:
        advice = "If those are decisions, a loss needs what they were made from. Of words alone -l zero_one measures"
        return Evidence(what, f"{advice} the share that is wrong.")
    return Evidence(what, with_flags(hint_for(text)))


@finding(Severity.error, stops=True, shared=True)
def text_among_numbers(case: Case) -> Evidence | None:
    """A label column holds numbers, and a few words."""
    values = list(case.facts.words.counts or ())
    texts = [word for word in values if not is_number(word)]
    if not texts or len(values) - len(texts) <= max(2, len(texts)):
        return None
    examples = ", ".join(repr(word) for word in sorted(texts)[:3])
    return Evidence(
        f"column {case.label!r} holds text such as {examples} among numbers",
        f"If it means a missing number: --null-values {texts[0]!r}.",
    )


@finding(Severity.error, stops=True, shared=True)
def no_rows_left(case: Case) -> Evidence | None:
    """Every row has a null or a weight of 0."""
    facts = case.facts
    if facts.used:
        return None
    return Evidence(
        f"none of the {facts.rows:,} rows can be measured: {facts.unweighted:,} have a weight of 0, "
        f"{facts.rows - facts.unweighted - facts.ignored:,} a null"
        + (f", {facts.ignored:,} an ignored label" if facts.ignored else ""),
        "Look at the columns: are they the right ones?",
    )


@finding(Severity.error, stops=True, shared=True)
def negative_weights(case: Case) -> Evidence | None:
    """A weight is negative or infinite."""
    weight = case.layout.roles.weight
    problem = None if weight is None else case.problem("below 0", weight) or case.problem("infinite", weight)
    if problem is None:
        return None
    return Evidence(f"column {weight!r} holds {problem.value}: no weight", "Weights are finite numbers >= 0.", problem)


@finding(Severity.error, stops=True, shared=True)
def infinite(case: Case) -> Evidence | None:
    """A label or a prediction is infinite."""
    of_prediction = case.problem("no score" if _has_logits(case) else "infinite")
    places = ((case.name, of_prediction), (case.label, case.problem("label infinite", case.label)))
    for column, problem in places:
        if problem is not None:
            what = f"column {column!r} holds infinite values"
            return Evidence(what, "They come of an overflow: mend the model, or clip them before.", problem)
    return None


def _has_logits(case: Case) -> bool:
    return case.fit is not None and case.fit.scale is Scale.LOGIT


@finding(Severity.note)
def impossible_classes(case: Case) -> Evidence | None:
    """Some classes have a score of -inf."""
    problem = case.problem("infinite")
    if problem is None or case.count("no score") or not _has_logits(case):
        return None
    what = "classes have a score of -inf: they are impossible, their probability is exactly 0"
    return Evidence(what, "Where one is the label, the row costs what the floor under probabilities says.", problem)


@finding(Severity.error, stops=True, shared=True)
def lists_of_other_lengths(case: Case) -> Evidence | None:
    """A list is longer or shorter than that of the first row."""
    for column, width in ((case.model.columns[0], case.model.width), (case.label, case.layout.label_width)):
        problem = case.problem("length", column)
        if problem is not None:
            what = f"column {column!r} holds lists that are not of {width} numbers, as in the first row"
            return Evidence(what, "Every row needs one number a class.", problem)
    return None


@finding(Severity.warning, shared=True)
def nulls(case: Case) -> Evidence | None:
    """A column has nulls."""
    models = [name for model in case.layout.models for name in model.columns]
    columns = dict.fromkeys((*case.layout.roles.label, *models, case.layout.roles.weight, *case.layout.ids))
    problems = [
        (column, problem)
        for column in columns
        if column is not None and (problem := case.problem("null", column)) is not None
    ]
    if not problems:
        return None
    shares = ", ".join(f"{column!r} in {percent(problem.count, case.facts.rows)}" for column, problem in problems[:6])
    what = f"null or NaN: {shares}{', …' if len(problems) > 6 else ''} of the rows"
    first = min((problem for _, problem in problems), key=lambda problem: problem.row)
    facts = case.facts
    rows = facts.rows - facts.used - facts.unweighted - facts.ignored  # that have one in any of the columns
    first = replace(first, count=max(rows, first.count))
    several = case.layout.label_width and any(column in case.layout.roles.label for column, _ in problems)
    single = " A single label is left out of its row with --mask-null." if several else ""
    return Evidence(what, f"eval stops there, or leaves such rows out with --nulls drop.{single}", first)


@finding(Severity.warning, shared=True)
def duplicate_ids(case: Case) -> Evidence | None:
    """An id occurs more than once."""
    ids, names = case.facts.ids, ", ".join(case.layout.ids)
    repeated = ids.counts > 1
    if not repeated.any():
        return None
    rows = int((ids.counts - 1).sum())
    many = int(repeated.sum())
    what = f"{counted(many, 'id')} in {names!r} {'occurs' if many == 1 else 'occur'} more than once, "
    what += f"in {counted(rows, 'row')} too many"
    what += "" if ids.whole else f" (of a sample of {len(ids.hashes):,} ids)"
    problem = Problem(rows, int(ids.again.min()), "")
    advice = "Such rows count more than others. Was a file joined or written twice?"
    return Evidence(what, advice, problem, None if ids.whole else len(ids.hashes))


@finding(Severity.note, shared=True)
def ids_not_all_checked(case: Case) -> Evidence | None:
    """There are more ids than fit into memory."""
    ids = case.facts.ids
    if ids.whole or (ids.counts > 1).any():
        return None
    return Evidence(
        f"no duplicates among a sample of {len(ids.hashes):,} ids; there are more than that",
        "Duplicates of the others were not looked for.",
        sample=len(ids.hashes),
    )


@finding(Severity.note, shared=True)
def zero_weights(case: Case) -> Evidence | None:
    """Some rows have a weight of 0."""
    facts = case.facts
    if not facts.unweighted or not facts.used:
        return None
    what = f"{facts.unweighted:,} rows ({percent(facts.unweighted, facts.rows)}) have a weight of 0"
    return Evidence(what, "They count for nothing, here as in eval.")


@finding(Severity.warning, shared=True)
def constant_label(case: Case) -> Evidence | None:
    """The label is the same in every row."""
    counts = case.facts.words.counts
    values = case.facts.label
    distinct = len(counts) if counts else len(values.keys)
    if case.n < ENOUGH or counts is None or distinct != 1 or case.layout.label_width:
        return None
    shown = repr(next(iter(counts))) if counts else f"{float(values.values[0]):g}"
    return Evidence(
        f"every label is {shown}",
        "With one class or value a constant would do as well. Is it the right column, or was the file filtered?",
    )


@finding(Severity.warning)
def constant_predictions(case: Case) -> Evidence | None:
    """The prediction is the same in every row."""
    if case.n < ENOUGH or case.count("infinite"):
        return None
    if case.rows is not None:
        if not np.array_equal(case.rows.low, case.rows.high):
            return None
        shown = ", ".join(f"{value:.4g}" for value in case.rows.low[:4].tolist())
        what = f"every row is ({shown}{', …' if len(case.rows.low) > 4 else ''})"
    elif len(case.predicted.values.keys) == 1 and case.predicted.values.exact:
        what = f"every prediction is {float(case.predicted.values.values[0]):g}"
    else:
        return None
    return Evidence(what, "Such a model knows nothing of the rows. Did it diverge, or was a default written?")


@finding(Severity.warning)
def few_below_zero(case: Case) -> Evidence | None:
    """A few predictions are negative, where all labels and the other predictions are not."""
    problem, label = case.problem("below 0"), case.facts.label
    if problem is None or case.fit is None or case.fit.scale is not Scale.VALUE or not label.n or label.low <= 0:
        return None
    if case.n < 2 * ENOUGH or problem.count > FEW * case.n:
        return None
    several = "predictions are" if problem.count > 1 else "prediction is"
    what = f"{problem.count:,} {several} negative, down to {figures(case.predicted.values.low)}, where no label is"
    return Evidence(
        what, "A mark for none, or a model that errs? rmsle and other losses of logarithms refuse it.", problem
    )
