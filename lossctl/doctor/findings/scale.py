"""What is wrong with how predictions and labels are written: logits, percentages, codes, class order, wrong columns."""

from lossctl.doctor.finding import Case, Evidence, Severity, finding
from lossctl.doctor.shell import flags, with_flags
from lossctl.domain import BINARY, SIGNS, Domain
from lossctl.evaluation.remedies import ZERO_LABELS
from lossctl.functions.pairing import risks_of
from lossctl.inference.classes import within
from lossctl.inference.codes import of_position, turned, unnamed
from lossctl.inference.doubts import doubt
from lossctl.inference.fit import CLIPPED, ENOUGH, NORMALIZED, Scale, classes_setting, other_codes, pairing_of
from lossctl.inference.names import LABELS, PREDICTIONS, plain_name
from lossctl.inference.scale_apart import ADVICE, apart
from lossctl.reading.cells import class_number
from lossctl.sums.distribution import Distribution
from lossctl.sums.problems import Problem
from lossctl.words import figures, percent

LOGITS = "The command line says --from-logits. Without it they would be taken for probabilities."


@finding(Severity.note)
def logits(case: Case) -> Evidence | None:
    """The predictions are scores before the activation."""
    if case.fit is None or case.fit.scale is not Scale.LOGIT:
        return None
    values = case.predicted.values
    if case.rows is None and not values.low < 0 < values.high:
        return None  # of one sign, which is several readings
    span = f"they go from {figures(values.quantile(0.0))} to {figures(values.quantile(1.0))}"
    if case.rows is not None and not case.layout.label_width and not case.count("off log sum"):
        return Evidence(f"the predictions are log-probabilities: {span}", LOGITS)
    return Evidence(f"the predictions are logits, not probabilities: {span}", LOGITS, case.problem("below 0"))


@finding(Severity.note)
def several_readings(case: Case) -> Evidence | None:
    """The predictions could be something else as well."""
    told = None if case.fit is None else doubt(case.facts, case.layout, case.index, case.fit)
    if told is None or columns_in_another_order(case) is not None:
        return None  # of the order of columns there is more to say
    if not told.ways:
        return Evidence(with_flags(told.what), with_flags(told.advice))
    several = "Each command line is one reading: copy the one that is meant."
    return Evidence(with_flags(told.what), several if told.ways[1:] else "Copy the command line if that is meant.")


@finding(Severity.note)
def log_rates(case: Case) -> Evidence | None:
    """The predictions of counts are logarithms of rates."""
    if case.fit is None or case.fit.scale is not Scale.LOG_RATE:
        return None
    return Evidence(
        "the predictions are logarithms of rates: the mean of their exponentials is that of the labels",
        "The command line says --from-logits.",
    )


@finding(Severity.error, stops=True)
def outside_unit_interval(case: Case) -> Evidence | None:
    """A few probabilities lie outside [0, 1]."""
    fit = case.fit
    yes_no = fit is not None and (fit.binary or fit.pairing is pairing_of("multi-label classification"))
    if fit is None or not yes_no or fit.scale is not Scale.PROBABILITY:
        return None
    problem = _larger(case, "below 0", "above 1")
    if problem is None:
        return None
    what = f"the labels are yes or no, but a prediction is {problem.value or 'outside [0, 1]'}; most lie in [0, 1]"
    return Evidence(what, "Probabilities end at 0 and 1: clip them where they were made.", problem)


@finding(Severity.note)
def beyond_by_rounding(case: Case) -> Evidence | None:
    """Probabilities are beyond 0 or 1 by rounding."""
    problem = case.problem("rounding")
    if problem is None or case.fit is None or CLIPPED[0] not in case.fit.settings:
        return None
    what = "probabilities are beyond 0 or 1 by no more than rounding"
    return Evidence(what, "The command line says --clip-rounding, which takes them for 0 or 1.", problem)


def _larger(case: Case, *kinds: str) -> Problem | None:
    """Of several kinds of problem the one with the most rows."""
    return max(map(case.problem, kinds), key=lambda problem: 0 if problem is None else problem.count)


@finding(Severity.error, stops=True)
def percentages(case: Case) -> Evidence | None:
    """Probabilities are written as percentages."""
    if case.fit is None or case.fit.scale is not Scale.PERCENT or NORMALIZED[0] in case.fit.settings:
        return None
    return Evidence(
        f"the predictions go up to {figures(case.predicted.values.quantile(1.0))}: percentages, not probabilities",
        "Divide them by 100.",
        case.problem("above 1"),
    )


@finding(Severity.warning)
def rows_do_not_sum_to_one(case: Case) -> Evidence | None:
    """Rows of probabilities do not sum to 1."""
    if case.fit is None or case.fit.scale not in {Scale.UNNORMALISED, Scale.PERCENT} or case.rows is None:
        return None
    problem = case.problem("off sum")
    if case.fit.scale is Scale.PERCENT:
        return Evidence("each row sums to 100: percentages", "The command line says --normalize-rows.", problem)
    advice = "--normalize-rows divides each row by its sum; one sigmoid a class would explain it."
    if case.count("no sum"):
        advice = "Some sum to 0, which no division makes probabilities: mend those first."
    return Evidence(f"{percent(case.count('off sum'), case.n)} of the rows do not sum to 1", advice, problem)


@finding(Severity.error, stops=True)
def rows_that_sum_to_zero(case: Case) -> Evidence | None:
    """A row of probabilities is all zeros."""
    if case.fit is None or case.fit.scale is not Scale.UNNORMALISED or not case.count("no sum"):
        return None
    return Evidence(
        "rows are all zeros", "Such a row says nothing of any class: mend or drop it.", case.problem("no sum")
    )


@finding(Severity.error)
def swapped(case: Case) -> Evidence | None:
    """Label and prediction have changed places."""
    label, values = case.facts.label, case.predicted.values
    advice = f"Change them round: -y {case.model.columns[0]} -p {case.label}."
    if plain_name(case.label) in PREDICTIONS[0] and plain_name(case.name) in LABELS[0]:
        return Evidence(f"{case.label!r} is a name for a prediction, and {case.name!r} one for a label", advice)
    if case.model.width or case.layout.label_width or not label.n or case.n < ENOUGH:
        return None
    coded = _inside(values, BINARY) or _inside(values, SIGNS)
    if coded and len(values.keys) == 2 and case.count("label fraction", case.label) and len(label.keys) > 2:
        codes = " and ".join(f"{value:g}" for value in values.values.tolist())
        what = f"the predictions are {codes} and nothing else, and the labels numbers in between"
        return Evidence(what, advice, case.problem("label fraction", case.label))
    return None


def _inside(values: Distribution, domain: Domain) -> bool:
    return bool(values.n) and not values.infinite and len(values.keys) <= 2 and domain.illegal(values.values) is None


@finding(Severity.error, stops=True)
def one_column_for_many_classes(case: Case) -> Evidence | None:
    """The labels are more than two words, and the prediction is one number."""
    counts = case.facts.words.counts
    several = counts is None or len(counts) > 2
    if not case.layout.text or case.model.width or not several or case.name in case.layout.unread:
        return None
    many = "many" if counts is None else f"{len(counts):,}"
    return Evidence(
        f"column {case.label!r} holds {many} classes, but the prediction is one column",
        "Name one column a class: -p 'p_*' or -p a,b,c.",
    )


@finding(Severity.error, stops=True, shared=True)
def class_names_with_commas(case: Case) -> Evidence | None:
    """A class has a name that a comma list cannot hold."""
    if not case.layout.text or case.layout.classes is not None or case.fit is None:
        return None
    unnameable = [word for word in sorted(case.facts.words.counts or ()) if not classes_setting([word])]
    if not unnameable:
        return None
    return Evidence(
        f"the label {unnameable[0]!r} has a comma in it, or a space at its end, so --classes cannot name it",
        "Give the classes other names, or number them from 0.",
    )


@finding(Severity.warning)
def classes_in_sorted_order(case: Case) -> Evidence | None:
    """Which column stands for which class is a guess."""
    if case.layout.classes is not None or not case.layout.text or not case.model.width or not _named(case):
        return None
    words = sorted(case.facts.words.counts or ())
    return Evidence(
        f"the columns do not say which class each is for: taken in sorted order: {', '.join(words[:8])}",
        "Say it: --classes A,B,C.",
    )


@finding(Severity.note)
def second_class_in_sorted_order(case: Case) -> Evidence | None:
    """Which of two labels the probability is of is a guess."""
    if case.fit is None or not case.fit.binary or case.layout.classes is not None or not case.layout.text:
        return None
    first, second = map(str, case.fit.labels)
    setting = flags(classes_setting([second, first]))
    if not setting or within([first, second], case.model.columns) == (second,):
        return None
    return Evidence(
        f"the predictions are taken to be of {second!r}, the later in sorted order, as scikit-learn has it",
        f"If they are of {first!r}: {setting[0]}.",
    )


@finding(Severity.error, stops=True)
def unknown_classes(case: Case) -> Evidence | None:
    """A label is none of the classes that have a column."""
    layout, problem, k = case.layout, case.problem("unknown class", case.label), case.model.width
    names = layout.classes if layout.class_labels != "codes" else None
    if k and layout.text and layout.classes is None and case.fit is not None and not _named(case):
        nameless = unnamed(case.facts, layout, case.index)
        return Evidence(nameless.what, with_flags(nameless.advice))
    if layout.label_width or (not k and names is None) or (layout.text and names is None) or _other_codes(case):
        return None
    if not k and names is not None:
        numbers, labels = {class_number(name) for name in names}, case.facts.label.values
        words = case.facts.words.counts if layout.text else [label for label in labels if label not in numbers]
        strangers = [str(word) for word in words or () if word not in names]
    else:
        strangers = [] if problem is None else [problem.value]
    if not strangers:
        return None
    listed = ", ".join(names[:8]) if names else f"0 to {k - 1}"
    what = f"column {case.label!r} holds {strangers[0]}, which is no class: the classes are {listed}"
    return Evidence(what, "Name the classes in the order of the columns: --classes A,B,C.", problem)


def _named(case: Case) -> bool:
    """Whether what fits names classes."""
    return case.fit is not None and "classes" in dict(case.fit.settings)


def _other_codes(case: Case) -> tuple[str, ...]:
    return other_codes(case.facts, case.layout, case.model.width)


@finding(Severity.warning)
def classes_counted_from_one(case: Case) -> Evidence | None:
    """Class labels count from 1, or are other numbers than codes from 0."""
    k = case.model.width
    codes = _other_codes(case) if k else ()
    if not codes:
        return None
    holds = f"goes from 1 to {k}" if codes[0] == "1" and codes[-1] == str(k) else f"holds {', '.join(codes[:8])}"
    return Evidence(
        f"column {case.label!r} {holds}: taken as the {k} columns in their order",
        "The command line says so with --classes; give it to doctor too to have the classes examined.",
    )


@finding(Severity.warning)
def columns_in_another_order(case: Case) -> Evidence | None:
    """Each class is predicted by the column of another."""
    if case.fit is None or case.rows is None or case.layout.label_width:
        return None
    told = of_position(case.facts, case.layout, case.index, case.fit)
    if told is None and case.layout.classes is not None:
        told = turned(case.facts, case.layout, case.index, case.fit, case.layout.classes)
    advice = "Check the order of the classes, and say it with --classes."
    return None if told is None else Evidence(with_flags(told.what), advice)


@finding(Severity.warning)
def probabilities_for_a_margin(case: Case) -> Evidence | None:
    """A loss for scores is asked for, and the predictions are probabilities."""
    risky = [bound for bound in case.asked if any("sigmoid" in risk.activations for risk in risks_of(bound.name))]
    margin = [bound for bound in risky if bound.name in pairing_of("max-margin classification").losses]
    if not margin or case.fit is None or case.fit.scale is not Scale.PROBABILITY:
        return None
    why = next(risk.why for risk in risks_of(margin[0].name) if "sigmoid" in risk.activations)
    return Evidence(
        f"every prediction lies in [0, 1], but {margin[0]} is asked for", f"{why}."[:1].upper() + f"{why}."[1:]
    )


@finding(Severity.note)
def coded_labels(case: Case) -> Evidence | None:
    """The two labels are not 0 and 1."""
    fit = case.fit
    if fit is None or not fit.binary or case.layout.text or fit.labels == (0.0, 1.0) or case.layout.classes:
        return None
    if fit.scale is not Scale.PROBABILITY:
        return None
    first, second = (f"{label:g}" for label in fit.labels if not isinstance(label, str))
    what = f"the labels are {first} and {second}; {second} is taken for the class that the probabilities are of"
    return Evidence(what, "The command line says so with --classes.")


@finding(Severity.warning)
def another_scale(case: Case) -> Evidence | None:
    """No prediction lies within the range of the labels."""
    label, values = case.facts.label, case.predicted.values
    regression = case.fit is not None and case.fit.scale is Scale.VALUE
    if not regression or case.layout.label_width or case.n < ENOUGH or not label.n or len(values.keys) < 2:
        return None
    ranges = [(numbers.quantile(0.0), numbers.quantile(1.0)) for numbers in (label, values)]
    what = apart(*ranges)
    return Evidence(what, ADVICE) if what else None


@finding(Severity.error)
def outside_the_asked_loss(case: Case) -> Evidence | None:
    """A label or a prediction is outside the domain of a loss asked for."""
    if case.model.width or case.layout.text or case.layout.classes or case.name in case.layout.unread:
        return None
    for bound in case.asked:
        roles = (
            ("label", case.label, bound.label_domain, case.facts.label),
            ("prediction", case.name, bound.prediction_domain, case.predicted.values),
        )
        for role, column, domain, values in roles:
            bad = domain.illegal(values.values) if values.n and not domain.rows else None
            if bad is not None and not _zero_labels(bound.label_domain, role):
                n, about = int(values.counts[bad].sum()), "" if values.exact else "about "
                shown = f"{about}{figures(float(values.values[bad][0]), 6)} or such in {about}{n:,} rows"
                what = f"{bound.title} is asked for, but the {role} {column!r} is {shown}"
                return Evidence(what, f"It must be {domain.describe()}; see the command line for a loss that fits.")
    return None


def _zero_labels(domain: Domain, role: str) -> bool:
    return role == "label" and bool(getattr(domain, "nonzero", False))


@finding(Severity.warning, shared=True)
def zero_labels(case: Case) -> Evidence | None:
    """A loss that divides by the label is asked for, and a label is 0."""
    problem = case.problem("label zero", case.label)
    dividing = [bound for bound in case.asked if _zero_labels(bound.label_domain, "label")]
    if problem is None or not dividing:
        return None
    what = f"{dividing[0].title} divides by the label, which is 0 in {percent(problem.count, case.n)} of the rows"
    return Evidence(what, with_flags(f"{ZERO_LABELS[0].upper()}{ZERO_LABELS[1:]}."), problem)
