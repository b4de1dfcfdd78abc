"""From a request to a plan: the losses of each model, beside the layout of the columns.

Only names, types and, where those do not tell, the first batch are looked at. Nothing is decided again later.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from lossctl.domain import Interval
from lossctl.errors import DataError, LossctlError, UsageError, option
from lossctl.evaluation.groups import ensure_no_dates
from lossctl.evaluation.plan import Plan, PlannedModel
from lossctl.functions.activation import get_activation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import get_loss
from lossctl.functions.pairing import doubts
from lossctl.inference.classes import DECIDED, SHOWN, within
from lossctl.inference.infer import complete, takes_probabilities
from lossctl.inference.layout import Layout, LayoutPlanner
from lossctl.inference.names import tells_decision
from lossctl.inference.parts import contradictions, in_parts, listed
from lossctl.inference.request import Nulls, Request
from lossctl.inference.roles import Model
from lossctl.inference.rounding import ends_of
from lossctl.reading.cells import BadRow, elements, shown, text_of
from lossctl.reading.files import beginnings, warnings_of
from lossctl.reading.format import NULLS, Source, Wanted
from lossctl.reading.look_alikes import is_name, naming_hint
from lossctl.reading.memory import MemorySource
from lossctl.reading.missing import without_truths
from lossctl.reading.rows import first_rows, shards_of
from lossctl.reading.selection import Selected
from lossctl.row_domains import SIMPLEX

if TYPE_CHECKING:
    from lossctl.evaluation.conventions import Conventions, Settled

FIRST = 1000
"""How many rows are looked at to see whether it is worth looking at more."""


def make_plan(source: Source, request: Request, taken: Sequence[str] = ()) -> Plan:
    """Decide everything about a data set.

    Args:
        source: the data set.
        request: what is asked for.
        taken: what was decided before, and why.

    Raises:
        UsageError: a loss, column, class or parameter that does not exist or does not fit the others.
        DataError: there are no rows to decide by.
    """
    specs = split_specs(request.loss)
    if request.loss and not specs:
        raise UsageError("no loss named")
    _ensure_legal(request)
    completed = complete(source, replace(request, loss=specs), taken)
    request = completed.request
    specs = split_specs(request.loss)
    planner, request = _layout_planner(source, request, specs)
    planner.notes += completed.notes
    masked = bool(planner.label_width) and (request.mask_null or bool(request.ignore_label))
    lists = not planner.roles.label and any(model.width for model in planner.roles.models)
    if request.mask_null and not planner.label_width and not lists:
        what = f"{option(mask_null=True)} is for labels of several numbers, and here each row has one"
        raise UsageError(what, f"Rows without a label are left out with {option(nulls='drop')}.")
    chosen = [_losses(request, specs, model, planner) for model in planner.roles.models]
    ways = [
        {replace(bound, masked=masked or (bound.unlabelled and model.width > 0)): way for bound, way in own.items()}
        for model, (own, _) in zip(planner.roles.models, chosen, strict=True)
    ]
    losses = [tuple(own) for own in ways]
    planner.notes += dict.fromkeys(note for bounds in losses for note in _repeated(specs, bounds))
    planner.notes += [note for _, notes in chosen for note in notes]
    if planner.roles.label:
        aside = dict.fromkeys(bound.title for bounds in losses for bound in bounds if bound.unlabelled)
        planner.notes += [f"no label counts for {title}" for title in aside]
    every = {bound: way for own in ways for bound, way in own.items()}
    wide = any(model.width for model in planner.roles.models)
    settled = _settled(request, every, wide=wide, masked=masked)
    planner.notes += () if settled is None else settled.notes
    rows, numbers = _kinds([bound for bounds in losses for bound in bounds])
    layout = planner.layout(rows=rows, numbers=numbers)
    layout = _in_parts(layout, losses) if numbers else layout
    layout = _of_decisions(planner, request, layout, losses)
    if layout.text and layout.classes is None and not layout.decided:
        _ensure_numbers(planner, layout.roles.label[0], rows=rows)
        layout = replace(layout, class_labels="codes")  # if it is text indeed, its first row says so
    models = tuple(
        PlannedModel(model.name, model.columns, model.width, bounds)
        for model, bounds in zip(layout.models, losses, strict=True)
    )
    plan = Plan(
        layout=layout,
        models=models,
        nulls=request.nulls,
        normalize_rows=request.normalize_rows if settled is None else settled.normalized,
        clip_rounding=request.clip_rounding,
        class_weights=_class_weights(request, layout, rows=rows),
        conventions=() if settled is None else settled.settings,
        gradient=request.gradient,
        samples=request.samples,
        skill=request.skill,
        paired=request.paired,
        moved=request.moved,
        judged=request.judged,
        drawn=request.drawn,
        lags=request.lags,
    )
    _check(plan)
    _ensure_comparable(plan)
    _ensure_no_dates(planner, plan)
    if any(grouping.unit and not grouping.quantiles for grouping in (*plan.roles.by, *plan.roles.cluster)):
        from lossctl.evaluation.dates import with_order  # noqa: PLC0415  (most runs have no use for it)

        plan = with_order(source, planner, plan)
    risky = _risks(planner, plan, named=bool(request.classes))
    return replace(plan, doubts=tuple(dict.fromkeys((*warnings_of(source), *risky))))


def _ensure_legal(request: Request) -> None:
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


def _risks(planner: LayoutPlanner, plan: Plan, *, named: bool) -> list[str]:
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


def _kinds(losses: Sequence[BoundLoss]) -> tuple[bool, bool]:
    """Whether labels are those of rows as a whole, and whether they are numbers beside vectors.

    Raises:
        UsageError: they would have to be classes for one loss, and numbers for another.
    """
    of_number = next((bound for bound in losses if bound.of_number), None)
    of_rows = next((bound for bound in losses if bound.rows and not bound.of_number), None)
    if of_number is not None and of_rows is not None and of_rows.of_classes:
        what = f"{of_rows.title} takes labels for classes, and {of_number.title} for numbers"
        raise UsageError(what, "Measure each by itself.")
    return of_rows is not None, of_number is not None


def _in_parts(layout: Layout, losses: Sequence[Sequence[BoundLoss]]) -> Layout:
    """The layout with the columns of predictions that have parts in their order, and notes of which is which."""
    models, notes = [], []
    for model, bounds in zip(layout.models, losses, strict=True):
        order = next((bound.parts for bound in bounds if bound.parts and model.width == len(bound.parts)), ())
        arranged, note = in_parts(model, order) if order else (model, "")
        models.append(arranged)
        notes += [note] if note else []
    roles = replace(layout.roles, models=tuple(models), notes=(*layout.roles.notes, *notes))
    return replace(layout, roles=roles)


def _of_decisions(
    planner: LayoutPlanner, request: Request, layout: Layout, losses: Sequence[Sequence[BoundLoss]]
) -> Layout:
    """The layout where all that is asked is whether decisions are right, of classes as the labels are.

    Raises:
        UsageError: something is asked for that needs to know the classes.
    """
    bounds = [bound for each in losses for bound in each]
    if any(bound.name != "zero_one" for bound in bounds) or not layout.roles.label:
        return layout
    from lossctl.inference.decided import are_decisions  # noqa: PLC0415  (few runs are of decisions)

    if not are_decisions(planner, bounds):
        return layout
    for setting in ("skill", "class_weight"):
        if getattr(request, setting):
            raise classless(setting)
    models = " and ".join(repr(model.name) for model in layout.models)
    note = f"{models}: 1 where it is {layout.roles.label[0]!r}, else 0, and 1 as the label"
    return replace(layout, decided=True, roles=replace(layout.roles, notes=(*layout.roles.notes, note)))


def classless(setting: str) -> UsageError:
    """What is wrong with asking for something that needs to know the classes, where each decision is right or wrong."""
    what = f"{option(setting)} knows no classes of decisions, each of which is right or wrong"
    return UsageError(what, "Leave it out.")


def _conventional(request: Request) -> bool:
    """Whether it was asked by which conventions losses become numbers."""
    return any(asked is not None for asked in (request.compat, request.weight_norm, request.columns))


def _settled(
    request: Request, losses: "Mapping[BoundLoss, Conventions | None]", *, wide: bool, masked: bool
) -> "Settled | None":
    """What is to be said of conventions; ``None`` where nothing was asked of them."""
    if not _conventional(request):
        return None
    from lossctl.evaluation.conventions import settled  # noqa: PLC0415  (likewise)

    return settled(request, losses, wide=wide, masked=masked)


def _layout_planner(
    source: Source, request: Request, specs: Sequence[str | BoundLoss]
) -> tuple[LayoutPlanner, Request]:
    """What decides about the columns, and the request with the labels that a library ignores.

    Raises:
        UsageError: labels are to be ignored, and there are none.
    """
    planner = LayoutPlanner(source, request)
    if request.ignore_label and not planner.roles.label:
        what = f"{option('ignore_label')}: there are no labels, of which some would be ignored"
        raise UsageError(what, "Leave it out.")
    if request.compat is None or planner.label_width or not planner.roles.label:
        return planner, request
    from lossctl.evaluation.conventions import ignored_by  # noqa: PLC0415  (likewise)

    request = replace(request, ignore_label=request.ignore_label or ignored_by(request, specs))
    return LayoutPlanner(source, request), request


def _repeated(specs: Sequence[str | BoundLoss], bounds: Sequence[BoundLoss]) -> Iterator[str]:
    """What is to be said of losses that were asked for twice, which are reported once."""
    if len(bounds) < len(specs):
        yield f"the same loss is measured once: {', '.join(map(str, specs))} are {', '.join(map(str, bounds))} here"


def _ensure_numbers(planner: LayoutPlanner, column: str, *, rows: bool) -> None:
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


def _ensure_no_dates(planner: LayoutPlanner, plan: Plan) -> None:
    """Check that no column of text that is grouped by quantiles begins with dates; a `DataError` where one does."""
    for grouping in plan.roles.by:
        if grouping.quantiles and planner.kinds[grouping.column] == "text":
            try:
                ensure_no_dates(planner.head.column(grouping.column), grouping.column)
            except BadRow as bad:
                raise planner.bad(bad) from None


def _check(plan: Plan) -> None:
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


def _ensure_comparable(plan: Plan) -> None:
    """Refuse to compare models whose columns are named for other parameters of a loss than those of the first."""
    for first, second in plan.pairs:
        (baseline, ours), (model, theirs) = plan.losses[first], plan.losses[second]
        if ours.name == theirs.name and ours.settings != theirs.settings:
            what = f"{baseline.name!r} is measured by {ours}, and {model.name!r} by {theirs}: their losses say nothing"
            raise UsageError(f"{what} of each other", "Compare forecasts of the same levels.")


def _shapes_hint(plan: Plan, model: PlannedModel, bound: BoundLoss) -> str:
    """What to do about columns that a loss is not defined for, by their names; empty where these say nothing."""
    if bound.rows or plan.layout.label_width or len(model.columns) < 2:
        return ""
    several = option(loss=bound.other_width or "cross_entropy")
    if plan.layout.text:
        ones = "or give a column of 0 and 1 for each class, all of them one label"
        return f"The labels are names of classes: say {several}, {ones}."
    listed = [*model.columns[:SHOWN], *["…"] * (len(model.columns) > SHOWN)]
    apart = f"Several models are named one by one: {option(prediction=listed)}"
    return f"{apart}; one column a class is for {'' if bound.other_width else 'losses such as '}{several}."


def _ensure_separate(plan: Plan, bound: BoundLoss) -> None:
    """Refuse to leave single labels out where a row is judged as a whole."""
    flag = option(mask_null=True) if plan.layout.mask_null else option("ignore_label")
    hint = "Single labels can be left out of losses of each column by itself, such as bce, mse and mae."
    if bound.rows:
        raise UsageError(f"{flag}: {bound.title} is of whole rows, and has no value without one of their labels", hint)
    if bound.activation is not None and bound.activation.definition.rows:
        raise UsageError(f"{flag}: {bound.activation} makes every column depend on the others", hint)


def _class_weights(request: Request, layout: Layout, *, rows: bool) -> tuple[tuple[str, float], ...]:
    if request.class_weight is None:
        return ()
    from lossctl.inference.class_weights import class_weights  # noqa: PLC0415  (most runs have no use for it)

    return tuple(class_weights(request.class_weight, layout, rows=rows).items())


def _losses(
    request: Request, specs: Sequence[str | BoundLoss], model: Model, planner: LayoutPlanner
) -> tuple[dict[BoundLoss, "Conventions | None"], list[str]]:
    """The losses of a model, with everything asked for applied, and what a library does of each.

    Beside them stand notes of what the names of its columns tell.
    """
    columns = model.width or 1 if request.label else 1  # tokens are no classes
    bounds = [get_loss(spec, columns=columns, label_columns=planner.label_width or 1) for spec in specs]
    models, alone = planner.roles.models, len(specs) == len(planner.roles.models) == 1
    named = [listed(bound, model, models, alone=alone) for bound in bounds]
    bare, notes = [bound for bound, _ in named], [note for _, note in named if note]
    losses, ways = [bound if request.reduction is None else bound.under(request.reduction) for bound in bare], None
    if _conventional(request):
        from lossctl.evaluation.conventions import bound_by  # noqa: PLC0415  (most runs have no use for it)

        losses, ways = bound_by(request, specs, bare, model.width)
    if request.from_logits and request.activation is not None:
        raise UsageError(f"{option(from_logits=True)} and {option('activation')} say the same thing twice", "Give one.")
    if request.from_logits:
        losses = [bound.from_logits() for bound in losses]
    elif request.activation is not None:
        losses = [bound.through(get_activation(request.activation)) for bound in losses]
    if request.eps is not None:
        if not any("eps" in bound.parameters for bound in losses):
            raise UsageError(f"{option('eps')}: none of the losses takes a logarithm of a probability")
        losses = [bound.flooring(request.eps) if "eps" in bound.parameters else bound for bound in losses]
    return dict(zip(losses, ways or [None] * len(losses), strict=True)), notes
