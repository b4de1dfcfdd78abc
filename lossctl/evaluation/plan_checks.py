"""What is refused of a plan before anything is measured, and what may be meant otherwise in one that is."""

import math
from collections.abc import Iterator, Sequence
from typing import get_args

from lossctl.domain import Interval
from lossctl.errors import DataError, LossctlError, UsageError, option
from lossctl.evaluation import groups
from lossctl.evaluation.plan import Plan, PlannedModel
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.pairing import doubts
from lossctl.inference.classes import DECIDED, SHOWN, within
from lossctl.inference.infer import takes_probabilities
from lossctl.inference.layout import Layout
from lossctl.inference.layout_planner import LayoutPlanner
from lossctl.inference.names import tells_decision
from lossctl.inference.parts import contradictions
from lossctl.inference.request import Nulls, Request
from lossctl.inference.rounding import ends_of
from lossctl.reading.cells import BadRow, elements, shown, text_of
from lossctl.reading.files import beginnings
from lossctl.reading.format import NULLS, Source, Wanted
from lossctl.reading.look_alikes import is_name, naming_hint
from lossctl.reading.memory import MemorySource
from lossctl.reading.missing import without_truths
from lossctl.reading.rows import first_rows, shards_of
from lossctl.reading.selection import Selected
from lossctl.row_domains import SIMPLEX

FIRST = 1000
"""How many rows are looked at to see whether it is worth looking at more."""


def ensure_legal(request: Request) -> None:
    """Refuse numbers and labels that nobody can have meant; a `UsageError`."""
    for samples in (request.samples, request.moved):
        if samples < 0:
            raise UsageError(f"samples must be 0 or more, not {samples}")
    for label in request.ignore_label:
        if label.strip().lower() in {"", "nan"}:
            what = f"{option('ignore_label')}: {label!r} is a missing number, not a label"
            raise UsageError(what, f"Rows without a label are left out with {option(nulls='drop')}.")
    if request.nulls not in get_args(Nulls):
        raise UsageError(f"nulls must be {' or '.join(get_args(Nulls))}, not {request.nulls!r}")


def ensure_numbers(planner: LayoutPlanner, column: str, *, rows: bool) -> None:
    """Check that a label column of text does not hold names of classes that nobody named.

    Raises:
        UsageError: it holds text, and the losses are of rows, of which each is of a class.
        DataError: the labels of the first rows are all names.
    """
    try:
        cells = planner.head.column(column)
        cells = without_truths(cells) if planner.request.ignore_label else cells
        labels = text_of(cells, column).to_pylist()
    except (BadRow, DataError):
        labels = []  # what is wrong is said with its place when its turn comes
    words = [word for word in dict.fromkeys(labels) if word and word not in NULLS]
    if rows:
        raise UsageError(f"label column {column!r} holds text", naming_hint(words))
    if words and all(is_name(word) for word in words):
        file = next(shard.file for shard in shards_of(planner.source))
        what = f"{file}: row {labels.index(words[0]) + 1:,}: column {column!r} holds {shown(words[0])}"
        hint = naming_hint(words) if len(words) <= 2 else _columns_hint(planner, words)
        raise DataError(f"{what}, which is not a number", hint)


def _columns_hint(planner: LayoutPlanner, words: Sequence[str]) -> str:
    """What to do about labels that are more than two names, where predictions are single numbers."""
    several = f"More than two classes have a column each, together one prediction, with {option(loss='cross_entropy')}"
    two = f"If only two are the names of the classes, say so: {option(classes='A,B')}."
    models = planner.roles.models
    if any(model.width for model in models):
        return f"{several}; or a column of 0 and 1 for each class, all of them one label."
    numbers = [column.name for column in planner.source.columns if column.kind == "number"]
    classes = {column: word for column, word in zip(numbers, within(words, numbers), strict=True) if word}
    named = [*classes] if len({*classes.values()}) == len(classes) else []
    if 1 < len(models) == len(words):
        named = [column for model in models for column in model.columns]
    if len(named) == len(words) <= SHOWN:
        listed = ",".join(named)
        return f"{several}: {option(prediction=listed)}. {two}"
    return f"{several}: {option(prediction='p_*')} or {option(prediction='a,b,c')}. {two}"


def ensure_fitting(plan: Plan) -> None:
    """Refuse losses that are not defined for the shapes of their columns, or for rows that are normalised."""
    label_width = plan.layout.label_width
    if plan.clip_rounding and not any(
        ends_of([domain], 2 if width else 1)
        for model, bound in plan.losses
        for domain, width in ((bound.label_domain, label_width), (bound.prediction_domain, model.width))
    ):
        hint = "It is for numbers with a least or a largest, such as probabilities."
        raise UsageError(f"{option(clip_rounding=True)}: none of the losses has ends to clip to", hint)
    for model, bound in plan.losses:
        if bound.masked and not bound.unlabelled:
            _ensure_separate(plan, bound)
        if plan.normalize_rows and bound.prediction_domain != SIMPLEX:
            hint = "It is for losses of rows of probabilities, without an activation."
            raise UsageError(
                f"{option(normalize_rows=True)}: {bound.title} does not take rows of probabilities here", hint
            )
        try:
            bound.accept_shapes((label_width,) if label_width else (), (model.width,) if model.width else ())
        except UsageError as wrong:
            raise UsageError(wrong.parts[0], _shapes_hint(plan, model, bound) or wrong.parts[1]) from None


def _shapes_hint(plan: Plan, model: PlannedModel, bound: BoundLoss) -> str:
    """What to do about columns that a loss is not defined for, by their names; empty where these say nothing."""
    if bound.rows or plan.layout.label_width or len(model.columns) < 2:
        return ""
    several = option(loss=bound.other_width or "cross_entropy")
    if plan.layout.text:
        ones = "or give a column of 0 and 1 for each class, all of them one label"
        return f"The labels are names of classes: say {several}, {ones}."
    more = len(model.columns) - SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    apart = f"Several models are named one by one: {option(prediction=list(model.columns[:SHOWN]))}{rest}"
    return f"{apart}; one column a class is for {'' if bound.other_width else 'losses such as '}{several}."


def _ensure_separate(plan: Plan, bound: BoundLoss) -> None:
    """Refuse to leave single labels out where a row is judged as a whole."""
    flag = option(mask_null=True) if plan.layout.mask_null else option("ignore_label")
    hint = "Single labels can be left out of losses of each column by itself, such as bce, mse and mae."
    if bound.rows:
        raise UsageError(f"{flag}: {bound.title} is of whole rows, and has no value without one of their labels", hint)
    if bound.activation is not None and bound.activation.definition.rows:
        raise UsageError(f"{flag}: {bound.activation} makes every column depend on the others", hint)


def ensure_comparable(plan: Plan) -> None:
    """Refuse to compare models whose columns are named for other parameters of a loss than those of the first."""
    for first, second in plan.pairs:
        (baseline, ours), (model, theirs) = plan.losses[first], plan.losses[second]
        if ours.name == theirs.name and ours.settings != theirs.settings:
            what = f"{baseline.name!r} is measured by {ours}, and {model.name!r} by {theirs}: their losses say nothing"
            raise UsageError(f"{what} of each other", "Compare forecasts of the same levels.")


def ensure_no_dates(planner: LayoutPlanner, plan: Plan) -> None:
    """Check that no column of text that is grouped by quantiles begins with dates; a `DataError` where one does."""
    for grouping in plan.roles.by:
        if grouping.quantiles and planner.kinds[grouping.column] == "text":
            try:
                groups.ensure_no_dates(planner.head.column(grouping.column), grouping.column)
            except BadRow as bad:
                raise planner.bad(bad) from None


def risks(planner: LayoutPlanner, plan: Plan, *, named: bool) -> list[str]:
    """What may be meant otherwise in what is measured all the same.

    Args:
        planner: what looked at the columns.
        plan: what is measured.
        named: whether the classes were named.
    """
    risky = [doubt for model, bound in plan.losses for doubt in doubts(bound, model.width)]
    risky += [doubt for model, bound in plan.losses for doubt in contradictions(bound, model.columns)]
    if any(bound.activation is not None for _, bound in plan.losses):
        from lossctl.evaluation.out_of_reach import out_of_reach  # noqa: PLC0415  (most losses have no activation)

        risky += out_of_reach(planner, plan)
    risky += [doubt for _, bound in plan.losses for doubt in _orders(bound, plan.layout, said=named)]
    risky += _confident(planner.source, plan)
    risky += _decided(planner, plan) if any("eps" in bound.parameters for _, bound in plan.losses) else []
    near = not plan.layout.text and plan.layout.classes is None and any(_is_near(bound) for _, bound in plan.losses)
    source = planner.source.inner if isinstance(planner.source, Selected) else planner.source
    if near and isinstance(source, MemorySource):  # as what was joined; to look into a file first would take a while
        from lossctl.inference import scale_apart  # noqa: PLC0415  (most runs read a file)

        risky += scale_apart.doubts(planner.source, plan.layout)
    return risky


def _confident(source: Source, plan: Plan) -> Iterator[str]:
    """That what is taken for probabilities is the confidence in a decision beside it, as a name has to tell."""
    label = plan.roles.label
    models = [model for model, bound in plan.losses if takes_probabilities(bound) and not model.width]
    if len(label) != 1 or not models:
        return
    others = [column for column in source.columns if column.name not in plan.roles.needed]
    telling = {column.name for column in others if column.kind in {"number", "text"} and tells_decision(column.name)}
    if telling and _hold_few(source, frozenset(telling)):
        from lossctl.inference.confidence import of_columns  # noqa: PLC0415  (few files have such columns)

        yield from of_columns(source, label[0], dict.fromkeys(model.columns[0] for model in models))


def _hold_few(source: Source, names: frozenset[str]) -> bool:
    """Whether one of some columns may hold decisions: the first rows have no more different values than these."""
    try:
        record = first_rows(next(beginnings(source)), Wanted(frozenset(), names, most=FIRST))
    except (LossctlError, BadRow, StopIteration):
        return True  # what is wrong is said where it is read
    return record is None or any(
        len({*column.slice(0, FIRST).to_pylist()} - {None}) <= DECIDED for column in record.columns
    )


def _decided(planner: LayoutPlanner, plan: Plan) -> Iterator[str]:
    """That what a loss of logarithms is taken of are decisions, as far as the first rows say."""
    from lossctl.inference.fit import ENOUGH  # noqa: PLC0415  (most losses have no floor)

    floored = [(model, bound) for model, bound in plan.losses if "eps" in bound.parameters and bound.activation is None]
    for model, bound in floored if not planner.source.once else ():
        if not model.width and planner.kinds[model.columns[0]] == "number":
            cells = elements(planner.head.column(model.columns[0]))
            few = len(cells) >= ENOUGH and {*cells.slice(0, ENOUGH).to_pylist()} <= {0, 1, None}
            if few and {*cells.to_pylist()} <= {0, 1, None}:
                what = f"the predictions {model.name!r} are 0 and 1 and nothing else: decisions, not probabilities"
                yield f"{what}; zero_one says how many are wrong, {bound.name} that times a logarithm of its floor"


def _is_near(bound: BoundLoss) -> bool:
    """Whether predictions of a loss are to be near labels that have no largest number."""
    domain = bound.label_domain
    of_numbers = isinstance(domain, Interval) and math.isinf(domain.high) and not (bound.rows or bound.of_number)
    return of_numbers and bound.activation is None and not {"tau", "log"} & {*bound.parameters}


def _orders(bound: BoundLoss, layout: Layout, *, said: bool) -> Iterator[str]:
    """What is to be said of the order of the classes, where a loss has one."""
    if bound.definition.ordered:
        from lossctl.inference.scales import out_of_order  # noqa: PLC0415  (few losses have an order)

        yield from out_of_order(bound, layout.classes, said=said)
