"""What a file of predictions looks like: its losses, predictions against labels, and the calibration of probabilities.

One pass in bounded memory: numbers and pairs of numbers are counted, and rounded where they become too many.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.document import Axis, Chart, Panel, Series
from lossctl.domain import PROBABILITY, Domain, FloatArray, IntArray, distinct
from lossctl.evaluation.assembly import assemble
from lossctl.evaluation.batch import Batch
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.complaints import told
from lossctl.evaluation.fold import fold_rows
from lossctl.evaluation.histograms import beyond, cells, heat, histogram, reach
from lossctl.evaluation.measure import lift_with_rows, nothing
from lossctl.evaluation.measured import WithCounts
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.report import Report
from lossctl.evaluation.running import THREADS, Running
from lossctl.functions.bound_loss import BoundLoss
from lossctl.inference.rounding import said
from lossctl.plots.reliability import reliability
from lossctl.reading.format import Source
from lossctl.rendering.digits import written
from lossctl.row_domains import LogSimplex, Simplex, inside
from lossctl.sums.calibration import Calibration
from lossctl.sums.distribution import Distribution
from lossctl.sums.joint import Joint

FEW = 2
"""Labels that are so few are classes, and predictions are shown for each."""
ALIKE = 4.0
"""How many times as wide an axis may be as another that has the same scale."""
FILES = 3
"""How many files are named."""
MOST_CLASSES = 40
"""Classes of which every pair can be shown."""

Ends = list[tuple[float, float]]
"""Where axes begin and end."""


@dataclass(frozen=True)
class Look:
    """What is counted of one model to be drawn. A state without groups."""

    losses: tuple[Distribution, ...]
    """The losses of rows, for each loss."""
    joint: Joint
    """Labels and predictions, where they are numbers."""
    by_label: Mapping[float, Distribution] | None
    """Predictions at each label; ``None`` where there are more than a few labels."""
    calibration: Calibration | None
    """``None`` where a prediction or a label is no probability."""
    classes: IntArray
    """Rows by true class and likeliest class, ``(k, k)``; ``(0, 0)`` where predictions are of no or of many classes."""

    def __add__(self, other: "Look") -> "Look":
        calibration = None
        if self.calibration is not None and other.calibration is not None:
            calibration = self.calibration + other.calibration
        return Look(
            tuple(first + second for first, second in zip(self.losses, other.losses, strict=True)),
            self.joint + other.joint,
            _merged(self.by_label, other.by_label),
            calibration,
            self.classes + other.classes,
        )


def _merged(
    first: Mapping[float, Distribution] | None, second: Mapping[float, Distribution] | None
) -> Mapping[float, Distribution] | None:
    if first is None or second is None or len({*first, *second}) > FEW:
        return None
    empty = Distribution.zero()
    return {label: first.get(label, empty) + second.get(label, empty) for label in {*first, *second}}


@dataclass(frozen=True)
class Overview(WithCounts):
    """The counts of some rows, and what is to be drawn of each model."""

    models: tuple[Look, ...]
    """One a model."""

    def __add__(self, other: "Overview") -> "Overview":
        pairs = zip(self.models, other.models, strict=True)
        return Overview(self.counted + other.counted, tuple(first + second for first, second in pairs))


def overview(
    source: Source,
    plan: Plan,
    running: Running = THREADS,
) -> tuple[Chart, ...]:
    """The charts of a data set, the same for any number of threads and any way to cut the rows into files.

    Args:
        source: where the rows are.
        plan: the models and their losses; groups are left out.
        running: engine and threads.

    Raises:
        DataError: as for `lossctl.evaluate`.
    """
    layout = replace(plan.layout, roles=replace(plan.roles, by=()))
    plan = replace(plan, gradient=False, samples=0, layout=layout)
    folded = fold_rows(source, plan, _measure, _zero(plan), running)
    total, passed = folded.total, folded.passed
    report = assemble(plan, total.counted, passed)
    used, (losses, *others) = report.inputs["rows_used"], charts_of(plan, total.models)
    chosen = "" if passed.read == total.rows else f" {total.rows:,} chosen,"
    rows = f"rows: {passed.read:,} read,{chosen} {used:,} used, {total.rows - used:,} dropped"
    weighted = () if not plan.weighted else ("weights: in the calibration; elsewhere each row counts once",)
    doubtful = told(total.problems, passed, "warning", "no double")
    told_of = (*_values(report), *losses.notes, rows, *passed.cut_short(), *weighted, *said(total.problems), *doubtful)
    files = source.files
    subject = ", ".join(files[:FILES]) + (f", … ({len(files)} files)" if len(files) > FILES else "")
    return tuple(replace(chart, subject=subject or "table") for chart in (replace(losses, notes=told_of), *others))


def charts_of(plan: Plan, looks: Sequence[Look]) -> tuple[Chart, ...]:
    """The losses of rows; then, where there is something to draw, predictions and labels, and the calibration.

    Of decisions, which are right or wrong, the losses have all that is known.
    """
    if plan.layout.decided:
        return (_losses(plan, looks),)
    others = (_predictions(plan, looks), _reliability(plan, looks))
    return (_losses(plan, looks), *(chart for chart in others if chart.panels))


def _values(report: Report) -> Iterator[str]:
    """The losses of the models, as eval prints them."""
    for result in report.results:
        errors = [result.standard_error]
        value, error = (*written([result.value], errors), *written(errors, errors))
        yield f"{result.loss} of {result.model}: {value}, standard error {error}"


def _zero(plan: Plan) -> Overview:
    label = np.empty((0, width) if (width := plan.layout.label_width) else 0)
    predictions = tuple(np.empty((0, model.width) if model.width else 0) for model in plan.models)
    return Overview(nothing(plan), looks(plan, label, predictions, [np.empty(0)] * len(plan.losses), None))


def _measure(plan: Plan, batch: Batch, clock: Clock) -> Overview:
    counted, rows = lift_with_rows(plan, batch, clock)
    if not rows:
        return replace(_zero(plan), counted=counted)
    values = [each.value for each in rows]
    return Overview(counted, looks(plan, batch.label, batch.predictions, values, batch.weight))


def looks(
    plan: Plan,
    label: FloatArray,
    predictions: Sequence[FloatArray],
    values: Sequence[FloatArray],
    weight: FloatArray | None,
) -> tuple[Look, ...]:
    """What is to be drawn of each model over some rows.

    Args:
        plan: the models and their losses.
        label: ``(n,)`` or ``(n, k)``.
        predictions: those of each model, ``(n,)`` or ``(n, k)``.
        values: the losses of the rows, ``(n,)`` for each loss of each model.
        weight: ``(n,)``; ``None`` where every row counts 1.
    """
    left, seen = iter(values), []
    for model, prediction in zip(plan.models, predictions, strict=True):
        own = [next(left) for _ in model.losses]
        seen.append(_look_at(model.losses, label, prediction, own, weight))
    return tuple(seen)


def _look_at(
    bounds: Sequence[BoundLoss],
    label: FloatArray,
    prediction: FloatArray,
    values: Sequence[FloatArray],
    weight: FloatArray | None,
) -> Look:
    first = bounds[0]
    losses = tuple(map(Distribution.of, values))
    if first.unlabelled:
        return Look(losses, Joint.zero(), None, None, np.zeros((0, 0), dtype=np.int64))
    output, domain = first.activated(prediction), _output_domain(first)
    if first.rows:
        classes, calibration = np.zeros((0, 0), dtype=np.int64), None
        if _has_classes(first):
            k = output.shape[1]
            best = output.argmax(axis=1)
            true = label.astype(np.int64) if label.ndim == 1 else label.argmax(axis=1)
            hit = (true == best).astype(np.float64) if label.ndim == 1 else label[np.arange(len(best)), best]
            if isinstance(domain, Simplex | LogSimplex):
                top = output.max(axis=1, initial=-np.inf)
                calibration = Calibration.of(top if isinstance(domain, Simplex) else np.exp(top), hit, weight)
            if k <= MOST_CLASSES:
                classes = np.bincount(true * k + best, minlength=k * k).reshape(k, k)
        return Look(losses, Joint.zero(), None, calibration, classes)
    label = first.label_domain.convert(label)
    outputs, labels = np.ravel(output, order="F"), np.ravel(label, order="F")
    weights = weight if weight is None or label.ndim == 1 else np.tile(weight, label.shape[1])
    if first.masked:
        labelled = ~np.isnan(labels)
        outputs, labels = outputs[labelled], labels[labelled]
        weights = None if weights is None else weights[labelled]
    calibration = None
    if all(PROBABILITY.illegal(numbers) is None for numbers in (labels, outputs)):
        calibration = Calibration.of(outputs, labels, weights)
    different = distinct(labels)
    by_label = None
    if len(different) <= FEW:
        by_label = {float(value): Distribution.of(outputs[labels == value]) for value in different}
    return Look(losses, Joint.of(labels, outputs), by_label, calibration, np.zeros((0, 0), dtype=np.int64))


def _output_domain(bound: BoundLoss) -> Domain:
    return bound.prediction_domain if bound.activation is None else bound.activation.range


def _has_classes(bound: BoundLoss) -> bool:
    return bound.label_domain.classes


def _losses(plan: Plan, looks: Sequence[Look]) -> Chart:
    """The distribution of the losses of rows: a panel for each loss, a series for each model."""
    by_loss: dict[str, dict[str, Distribution]] = {}
    for model, look in zip(plan.models, looks, strict=True):
        for bound, losses in zip(model.losses, look.losses, strict=True):
            by_loss.setdefault(str(bound), {})[model.name] = losses
    panels: list[Panel] = []
    notes: list[str] = []
    for name, by_model in by_loss.items():
        panel = histogram("", f"{name} of a row", by_model)
        panels.append(panel)
        notes += beyond(panel, f"{name} of ")
    return Chart("losses of rows", tuple(panels), tuple(notes))


def _predictions(plan: Plan, looks: Sequence[Look]) -> Chart:
    """Predictions against labels: a panel for each model."""
    panels: list[Panel] = []
    notes: list[str] = []
    ends = iter(_ends([look.joint for look in looks if len(look.joint.counts)]))
    for model, look in zip(plan.models, looks, strict=True):
        bound = model.losses[0]
        if bound.unlabelled:
            continue
        sides = next(ends) if len(look.joint.counts) else []
        title = model.name if model.name.startswith("pred") else f"prediction {model.name}"
        title = title if bound.activation is None else f"{title} after {bound.activation}"
        if look.classes.size:
            panels.append(_confusion(plan, model.name, look.classes))
        elif bound.rows:
            notes.append(f"{title}: vectors are not drawn against their labels")
        elif look.by_label is not None:
            by_class = {f"label {label:g}": numbers for label, numbers in sorted(look.by_label.items())}
            panels.append(histogram(model.name, title, by_class))
        else:
            panels.append(_against(model.name, title, f"label {', '.join(plan.roles.label)}", look.joint, sides))
        if panels:
            notes += beyond(panels[-1])
    return Chart("predictions and labels", tuple(panels), tuple(dict.fromkeys(notes)))


def _ends(joints: Sequence[Joint]) -> list[Ends]:
    """Where the axes of labels and of predictions begin and end, for each model.

    One scale for all models where they are about as wide, so that panels can be compared; else one for both axes,
    so that the diagonal is where they agree.
    """
    each = [[reach([(values, joint.counts)]) for values in (joint.first, joint.second)] for joint in joints]
    common = _one_scale([side for sides in each for side in sides])
    return [common[:2] if common else _one_scale(sides) or sides for sides in each]


def _one_scale(sides: Ends) -> Ends:
    """One pair of ends for all, as often as there are; none where one side is much wider than another."""
    widths = [high - low for low, high in sides]
    if not widths or max(widths) > ALIKE * min(widths):
        return []
    return [(min(low for low, _ in sides), max(high for _, high in sides))] * len(sides)


def _against(name: str, prediction: str, label: str, joint: Joint, sides: Ends) -> Panel:
    across, up = (cells(low, high, 2.0**joint.exponent) for low, high in sides)
    x, y = across.axis(label), up.axis(prediction)
    ends = (min(x.low, y.low), max(x.high, y.high))
    return Panel(name, x, y, (heat(name, joint, across, up), Series("agreement", "line", ends, ends, guide=True)))


def _confusion(plan: Plan, name: str, counts: IntArray) -> Panel:
    k = len(counts)
    names = plan.layout.classes or tuple(map(str, range(k)))
    edges = tuple(edge - 0.5 for edge in range(k + 1))
    # A row of the table is a true class; on the chart true classes go across.
    series = Series(name, "heat", edges, edges, tuple(map(tuple, counts.T.tolist())))
    x, y = (Axis(title, -0.5, k - 0.5, names) for title in ("true class", "likeliest class"))
    return Panel(name, x, y, (series,))


def _reliability(plan: Plan, looks: Sequence[Look]) -> Chart:
    """The mean prediction of each tenth of the probabilities beside how often it came true, and the number of rows."""
    calibrations: dict[str, Calibration] = {}
    rows = False
    for model, look in zip(plan.models, looks, strict=True):
        bound = model.losses[0]
        labels = look.by_label is not None and set(look.by_label) <= {0.0, 1.0}
        probable = inside(_output_domain(bound), PROBABILITY)
        if look.calibration is not None and (bound.rows or labels or probable):
            calibrations[model.name], rows = look.calibration, bound.rows
    if not calibrations:
        return Chart("", ())
    return reliability(calibrations, rows=rows)
