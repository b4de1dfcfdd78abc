"""From a request to a plan: the losses of each model, beside the layout of the columns.

Only names, types and, where those do not tell, the first batch are looked at. Nothing is decided again later.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lossctl.errors import UsageError, option
from lossctl.evaluation.plan import Plan, PlannedModel
from lossctl.evaluation.plan_checks import (
    ensure_comparable,
    ensure_fitting,
    ensure_legal,
    ensure_no_dates,
    ensure_numbers,
    risks,
)
from lossctl.functions.activation import get_activation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import get_loss
from lossctl.inference.infer import complete
from lossctl.inference.layout import Layout
from lossctl.inference.layout_planner import LayoutPlanner
from lossctl.inference.parts import in_parts, listed
from lossctl.inference.request import Request
from lossctl.inference.roles import Model
from lossctl.reading.files import warnings_of
from lossctl.reading.format import Source

if TYPE_CHECKING:
    from lossctl.evaluation.conventions import Conventions, Settled


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
    ensure_legal(request)
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
        ensure_numbers(planner, layout.roles.label[0], rows=rows)
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
    ensure_fitting(plan)
    ensure_comparable(plan)
    ensure_no_dates(planner, plan)
    if any(grouping.unit and not grouping.quantiles for grouping in (*plan.roles.by, *plan.roles.cluster)):
        from lossctl.evaluation.dates import with_order  # noqa: PLC0415  (most runs have no use for it)

        plan = with_order(source, planner, plan)
    risky = risks(planner, plan, named=bool(request.classes))
    return replace(plan, doubts=tuple(dict.fromkeys((*warnings_of(source), *risky))))


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
