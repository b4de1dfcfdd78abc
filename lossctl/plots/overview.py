"""What a file of predictions looks like: its losses, predictions against labels, and the calibration of probabilities.

One pass in bounded memory: numbers and pairs of numbers are counted, and rounded where they become too many.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lossctl.document import Axis, Chart, Panel, Series
from lossctl.domain import PROBABILITY, Domain, FloatArray, IntArray, LogSimplex, Simplex, inside
from lossctl.evaluation.batch import Batch
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.complaints import ensure_measured
from lossctl.evaluation.fold import fold_rows
from lossctl.evaluation.measure import Measured, evaluated, kernel_label, nothing, tally
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.running import THREADS, Running
from lossctl.functions.bound_loss import BoundLoss
from lossctl.plots.histograms import bars, cells, heat, reach
from lossctl.reading.format import Source
from lossctl.sums.calibration import BINS, Calibration
from lossctl.sums.distribution import Distribution
from lossctl.sums.joint import Joint
from lossctl.sums.problems import Problems
from lossctl.words import counted

FEW = 2
"""Labels that are so few are classes, and predictions are shown for each."""
MOST_CLASSES = 40
"""Classes of which every pair can be shown."""


@dataclass(frozen=True)
class Seen:
    """What there is to see of one model. A state without groups."""

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

    def __add__(self, other: "Seen") -> "Seen":
        calibration = None
        if self.calibration is not None and other.calibration is not None:
            calibration = self.calibration + other.calibration
        return Seen(
            tuple(one + more for one, more in zip(self.losses, other.losses, strict=True)),
            self.joint + other.joint,
            _merged(self.by_label, other.by_label),
            calibration,
            self.classes + other.classes,
        )


def _merged(
    one: Mapping[float, Distribution] | None, more: Mapping[float, Distribution] | None
) -> Mapping[float, Distribution] | None:
    if one is None or more is None or len({*one, *more}) > FEW:
        return None
    return {
        label: one.get(label, Distribution.zero()) + more.get(label, Distribution.zero()) for label in {*one, *more}
    }


@dataclass(frozen=True)
class Look:
    """What was counted and seen over some rows."""

    counted: Measured
    seen: tuple[Seen, ...]
    """One a model."""

    @property
    def rows(self) -> int:
        """The number of rows read."""
        return self.counted.rows

    @property
    def problems(self) -> Problems:
        """What was met in them."""
        return self.counted.problems

    def __add__(self, other: "Look") -> "Look":
        seen = tuple(one + more for one, more in zip(self.seen, other.seen, strict=True))
        return Look(self.counted + other.counted, seen)


def overview(
    source: Source,
    plan: Plan,
    running: Running = THREADS,
) -> tuple[Chart, ...]:
    """The pictures of a data set, the same for any number of threads and any way to cut the rows into files.

    Raises:
        DataError: as for `lossctl.evaluate`.
    """
    layout = replace(plan.layout, roles=replace(plan.roles, by=()))
    plan = replace(plan, gradient=False, samples=0, layout=layout)
    folded = fold_rows(source, plan, _look, _zero(plan), running)
    total, passed = folded.total, folded.passed
    used = ensure_measured(total.counted, passed)
    first = _losses(plan, total.seen)
    rows = f"rows: {total.rows:,} read, {used:,} used, {total.rows - used:,} dropped"
    weighted = () if plan.roles.weight is None else ("weights: in the calibration; elsewhere each row counts once",)
    doubtful = (
        f"{column}: {what}: {counted(problem.count, 'row')}, first {passed.place(problem.row)}"
        for column, what, problem in total.problems.of("warning")
    )
    charts = (
        replace(first, notes=(*first.notes, rows, *weighted, *doubtful)),
        _predictions(plan, total.seen),
        _reliability(plan, total.seen),
    )
    return tuple(chart for chart in charts if chart.panels)


def _zero(plan: Plan) -> Look:
    label = np.empty((0, width) if (width := plan.layout.label_width) else 0)
    predictions = tuple(np.empty((0, model.width) if model.width else 0) for model in plan.models)
    return Look(nothing(plan), _seen(plan, label, predictions, None))


def _look(plan: Plan, batch: Batch, clock: Clock) -> Look:  # noqa: ARG001  (nobody asks where the time goes)
    counted = tally(plan, batch)
    if any(batch.problems.of("error")):  # which stops the run
        return replace(_zero(plan), counted=counted)
    return Look(counted, _seen(plan, batch.label, batch.predictions, batch.weight))


def _seen(
    plan: Plan, label: FloatArray, predictions: tuple[FloatArray, ...], weight: FloatArray | None
) -> tuple[Seen, ...]:
    return tuple(
        _of_model(model.losses, label, prediction, weight)
        for model, prediction in zip(plan.models, predictions, strict=True)
    )


def _of_model(
    chosen: Sequence[BoundLoss], label: FloatArray, prediction: FloatArray, weight: FloatArray | None
) -> Seen:
    bound = chosen[0]
    values = (evaluated(it, kernel_label(it, label), prediction, gradient=False)[0] for it in chosen)
    losses = tuple(map(Distribution.of, values))
    shown, domain = bound.activated(prediction), _shown_domain(bound)
    if bound.rows:
        classes, calibration = np.zeros((0, 0), dtype=np.int64), None
        if _has_classes(bound):
            k = shown.shape[1]
            best = shown.argmax(axis=1)
            true = label.astype(np.int64) if label.ndim == 1 else label.argmax(axis=1)
            hit = (true == best).astype(np.float64) if label.ndim == 1 else label[np.arange(len(best)), best]
            if isinstance(domain, Simplex | LogSimplex):
                top = shown.max(axis=1, initial=-np.inf)
                calibration = Calibration.of(top if isinstance(domain, Simplex) else np.exp(top), hit, weight)
            if k <= MOST_CLASSES:
                classes = np.bincount(true * k + best, minlength=k * k).reshape(k, k)
        return Seen(losses, Joint.zero(), None, calibration, classes)
    known = bound.label_domain.convert(label)
    flat, beside = np.ravel(shown, order="F"), np.ravel(known, order="F")
    each = weight if weight is None or known.ndim == 1 else np.tile(weight, known.shape[1])
    calibration = None
    if all(PROBABILITY.illegal(it) is None for it in (beside, flat)):
        calibration = Calibration.of(flat, beside, each)
    different = np.unique(beside)
    by_label = None
    if len(different) <= FEW:
        by_label = {float(it): Distribution.of(flat[beside == it]) for it in different}
    return Seen(losses, Joint.of(beside, flat), by_label, calibration, np.zeros((0, 0), dtype=np.int64))


def _shown_domain(bound: BoundLoss) -> Domain:
    return bound.prediction_domain if bound.activation is None else bound.activation.range


def _has_classes(bound: BoundLoss) -> bool:
    return 1 in bound.label_domain.dimensions or isinstance(bound.label_domain, Simplex)


def _losses(plan: Plan, seen: Sequence[Seen]) -> Chart:
    """The distribution of the losses of rows: a panel for each loss, a series for each model."""
    found: dict[str, dict[str, Distribution]] = {}
    for model, one in zip(plan.models, seen, strict=True):
        for bound, losses in zip(model.losses, one.losses, strict=True):
            found.setdefault(str(bound), {})[model.name] = losses
    panels: list[Panel] = []
    notes: list[str] = []
    for name, by_model in found.items():
        panel = _histogram("", f"{name} of a row", by_model)
        panels.append(panel)
        notes += _beyond(panel, f"{name} of ")
    return Chart("losses of rows", tuple(panels), tuple(notes))


def _histogram(title: str, axis: str, found: Mapping[str, Distribution]) -> Panel:
    low, high = reach([(it.values, it.counts) for it in found.values()])
    finest = max(it.relative_error for it in found.values()) * max(abs(low), abs(high))
    into = cells(low, high, 2.0 ** math.ceil(math.log2(finest)) * 4 if finest else 0.0)
    series = tuple(bars(name, it, into) for name, it in found.items())
    highest = max(max(it.y) for it in series)
    return Panel(title, into.axis(axis), Axis("rows", 0.0, 1.05 * highest or 1.0), series)


def _beyond(panel: Panel, what: str = "") -> Iterator[str]:
    for series in panel.series:
        if series.beyond:
            yield f"{what}{series.name}: {counted(series.beyond, 'row')} beyond the axes, or infinite"


def _predictions(plan: Plan, seen: Sequence[Seen]) -> Chart:
    """Predictions against labels: a panel for each model."""
    panels: list[Panel] = []
    notes: list[str] = []
    for model, one in zip(plan.models, seen, strict=True):
        bound = model.losses[0]
        what = model.name if model.name.startswith("pred") else f"prediction {model.name}"
        what = what if bound.activation is None else f"{what} after {bound.activation}"
        if one.classes.size:
            panels.append(_confusion(plan, model.name, one.classes))
        elif bound.rows:
            notes.append(f"{what}: vectors are not drawn against their labels")
        elif one.by_label is not None:
            by_class = {f"label {label:g}": it for label, it in sorted(one.by_label.items())}
            panels.append(_histogram(model.name, what, by_class))
        else:
            panels.append(_against(model.name, what, f"label {', '.join(plan.roles.label)}", one.joint))
        if panels:
            notes += _beyond(panels[-1])
    return Chart("predictions and labels", tuple(panels), tuple(dict.fromkeys(notes)))


def _against(name: str, prediction: str, label: str, joint: Joint) -> Panel:
    sides = [reach([(values, joint.counts)]) for values in (joint.first, joint.second)]
    widths = [high - low for low, high in sides]
    if max(widths) <= 4 * min(widths):  # one scale, so that the diagonal is where they agree
        sides = [(min(low for low, _ in sides), max(high for _, high in sides))] * 2
    across, up = (cells(low, high, 2.0**joint.exponent) for low, high in sides)
    x, y = across.axis(label), up.axis(prediction)
    ends = (min(x.low, y.low), max(x.high, y.high))
    return Panel(name, x, y, (heat(name, joint, across, up), Series("agreement", "line", ends, ends, guide=True)))


def _confusion(plan: Plan, name: str, counts: IntArray) -> Panel:
    k = len(counts)
    names = plan.layout.classes or tuple(map(str, range(k)))
    edges = tuple(at - 0.5 for at in range(k + 1))
    # A row of the table is a true class; on the chart true classes go across.
    series = Series(name, "heat", edges, edges, tuple(map(tuple, counts.T.tolist())))
    x, y = (Axis(title, -0.5, k - 0.5, names) for title in ("true class", "likeliest class"))
    return Panel(name, x, y, (series,))


def _reliability(plan: Plan, seen: Sequence[Seen]) -> Chart:
    """The mean prediction of each tenth of the probabilities beside how often it came true, and the number of rows."""
    found: dict[str, Calibration] = {}
    rows = False
    for model, one in zip(plan.models, seen, strict=True):
        bound = model.losses[0]
        labels = one.by_label is not None and set(one.by_label) <= {0.0, 1.0}
        probable = inside(_shown_domain(bound), PROBABILITY)
        if one.calibration is not None and (bound.rows or labels or probable):
            found[model.name], rows = one.calibration, bound.rows
    if not found:
        return Chart("", ())
    what = "probability of the likeliest class" if rows else "predicted probability"
    x = Axis(f"mean {what}", -0.02, 1.02)
    curves = []
    for name, it in found.items():
        said, happened, n = (tuple(column) for column in zip(*it.curve(), strict=True))
        curves += [Series(name, "line", said, happened), Series(name, "points", said, happened, (n,))]
    guide = Series("perfect calibration", "line", (0.0, 1.0), (0.0, 1.0), guide=True)
    edges = tuple(at / BINS for at in range(BINS + 1))
    counts = tuple(Series(name, "bars", edges, tuple(map(float, it.counts.tolist()))) for name, it in found.items())
    highest = max(max(it.y) for it in counts)
    panels = (
        Panel("", x, Axis("how often it came true" if rows else "mean label", -0.02, 1.02), (guide, *curves)),
        Panel("", Axis(what, 0.0, 1.0), Axis("rows", 0.0, 1.05 * highest), counts),
    )
    return Chart("calibration of probabilities", panels)
