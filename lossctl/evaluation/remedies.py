"""What to do about a number outside the domain of a loss, by what a sample of the rows says that the columns are."""

import contextlib
import re
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.errors import LossctlError, option
from lossctl.evaluation.plan import Plan, PlannedModel
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.lookup import of_each_column
from lossctl.inference.classes import SHOWN, mapping
from lossctl.inference.doubts import EXPONENTIAL, doubt
from lossctl.inference.facts import Facts, no_facts
from lossctl.inference.fit import FROM_LOGITS, NORMALIZED, Fit, Scale, fit, pairing_of, row_scale
from lossctl.inference.gather import gather
from lossctl.inference.parts import scale_way
from lossctl.inference.reader import Reader
from lossctl.inference.sample import sampled
from lossctl.reading.cells import BadRow, floats
from lossctl.reading.format import Source
from lossctl.reading.missing import as_number
from lossctl.reading.selection import where_of
from lossctl.sums.problems import Problem

DOCTOR = "lossctl doctor says which losses suit these columns."
ZERO_LABELS = (
    f"divide by max(1, |label|), {option(loss='mape:zero=max1')}, or the sum of errors by that of labels, "
    f"{option(loss='wmape')}"
)
"""What else to do than divide by labels of 0."""
SOME = (
    "These look like logarithms of the probabilities of some of the classes, which no loss of rows takes. "
    f"{option(from_logits=True)} would rescale them: another number. Put that of each label into a column of its own, "
    f"with labels of 1: {option(loss='bce')} {option(activation='exp')}."
)


@dataclass(frozen=True)
class Remedies:
    """What to do about the numbers that stop a pass.

    Args:
        plan: what was to be measured.
        source: the data, of which some rows are looked at.
    """

    plan: Plan
    source: Source

    def of(self, column: str, what: str, problem: Problem) -> str:
        """What to do about a problem of a column (or several, in a comma list), a sentence or more.

        Args:
            column: where it is.
            what: what the numbers must be, behind the title of the loss that says so.
            problem: the first of them.
        """
        name, plan = what.partition(": ")[0], self.plan
        if name.startswith("one of the classes"):
            columns, classes = plan.models[0].columns, plan.layout.classes or ()
            named = f"By their names, {mapping(columns, classes)}. " if len(columns) == len(classes) else ""
            return " ".join([f"{named}Name other classes with {option(classes='A,B,C')}.", *self._no_label(problem)])
        pairs = [(model, bound) for model, bound in plan.losses if bound.title == name]
        if not pairs:
            return ""
        if _is_of(column, plan.roles.label):
            return " ".join(self._of_label(column, pairs[0][1], problem))
        model, bound = next((pair for pair in pairs if _is_of(column, pair[0].columns)), pairs[0])
        if bound.chained:
            return " ".join(f"{doubt}." for doubt in plan.doubts if doubt.startswith(f"{bound.title} after"))
        return " ".join(self._of_prediction(model, bound, problem)) if bound.activation is None else ""

    # --- labels

    def _of_label(self, column: str, bound: BoundLoss, problem: Problem) -> Iterator[str]:
        layout, numbers = self.plan.layout, self._labels
        if bound.name == "mape":
            yield f"Leave out the zero labels{self._but(column)}, or {ZERO_LABELS}."
        elif bound.definition.family == "deviance" and problem.value.lstrip("-") in {"0", "0.0"}:
            yield f"Of amounts that are 0 as well, say {option(loss='tweedie_deviance')}."
        elif bound.rows and layout.label_width:
            if self._multi_label:
                yield f"Each column of labels is 0 or 1 by itself: say {option(loss=of_each_column(bound))}."
        elif bound.rows and layout.classes:
            columns, classes = self.plan.models[0].columns, layout.classes
            shown = mapping(columns, classes) if len(columns) == len(classes) else ", ".join(classes[:SHOWN])
            yield f"The classes are {shown}; {option('classes')} says otherwise."
            yield from self._no_label(problem)
        elif not bound.of_classes and _of_two(bound) and len(numbers) == 2 and all(n.is_integer() for n in numbers):
            listed = [f"{number:.0f}" for number in numbers]
            yield f"If {' and '.join(listed)} are the two classes, say so: {option(classes=','.join(listed))}."
        else:
            ignored = [*self._no_label(problem)]
            yield from ignored or [DOCTOR]

    def _no_label(self, problem: Problem) -> Iterator[str]:
        """What to do about a label that may say that there is none: a negative number that is whole."""
        number = as_number(problem.value)
        if number is not None and number < 0 and number.is_integer():
            yield f"If it says that there is no label, leave it out: {option(ignore_label=f'{number:.0f}')}."

    def _but(self, column: str) -> str:
        """The condition that leaves out labels of 0, with what goes for rows already."""
        if column not in self.plan.roles.label or "`" in column:
            return ""
        name = column if re.fullmatch(r"[A-Za-z_]\w*", column) else f"`{column}`"
        before = where_of(self.source)
        return f", {option(where=f'{name} != 0' if before is None else f'({before}) and {name} != 0')}"

    @cached_property
    def _labels(self) -> list[float]:
        """The different labels, where they are few."""
        facts = self._facts
        if facts is None or self.plan.layout.text:
            return []
        every = facts.label + facts.unpredicted
        return [] if every.infinite else every.values.tolist()[:3]

    @property
    def _multi_label(self) -> bool:
        return any(way.pairing is pairing_of("multi-label classification") for way in self._ways(self.plan.models[0]))

    # --- predictions

    def _of_prediction(self, model: PlannedModel, bound: BoundLoss, problem: Problem) -> Iterator[str]:
        natural = bound.definition.natural_activation
        scores = f"Are these scores before the {natural}? Then add {option(from_logits=True)}."
        if bound.rows and self._multi_label:
            yield f"Each column of labels is 0 or 1 by itself: say {option(loss=of_each_column(bound))}."
        elif bound.rows and self._some_logarithms(model):
            yield SOME
        elif bound.parts:
            yield from _of_parts(model, bound)
        elif bound.unlabelled:
            yield from _by_logarithm(bound, max(self._largest(model), as_number(problem.value) or -np.inf))
        elif bound.rows and "log" in bound.parameters and (log := self._are_logarithms(model)) is not None:
            what = "logarithms of probabilities" if log else "probabilities, not their logarithms"
            yield f"These are {what}: say {option(loss=_with_log(bound, log=log))}."
        elif natural is None:
            yield DOCTOR
        elif natural == "exp":
            low = self._low(model)
            yield from [] if low is None or low < 0 else ["A rate is above 0, be it by little."]
            yield scores
        else:
            ways = [way for way in self._ways(model) if bound.name in way.pairing.losses or not bound.rows]
            yield from _by_scale(ways, scores, rows=bound.rows)

    def _ways(self, model: PlannedModel) -> tuple[Fit, ...]:
        """What fits a model, best first, as far as the rows looked at tell."""
        facts, layout = self._facts, self.plan.layout
        if facts is None:
            return ()
        index = [each.name for each in layout.models].index(model.name)
        fitting = fit(facts, layout, index)
        if fitting is None:
            return ()
        told = doubt(facts, layout, index, fitting)
        return (fitting,) if told is None or not told.ways else told.ways

    def _are_logarithms(self, model: PlannedModel) -> bool | None:
        """Whether rows are logarithms of probabilities, or these; ``None`` where they are neither, or not looked at."""
        scale, _, what = (None, (), "") if self._facts is None else row_scale(self._facts, model.name)
        if scale is Scale.PROBABILITY:
            return False
        return True if "log-probabilities" in what else None

    def by_logarithm(self) -> str:
        """The losses without a label with ``log`` as the numbers are; empty where they are taken so, or not known."""
        pairs = [*self.plan.losses]
        if not all(bound.unlabelled and "log" in bound.parameters for _, bound in pairs):
            return ""
        told = [
            _with_log(bound, log=log)
            for model, bound in pairs
            if (log := _are_logs(self._largest(model))) is not None and log != bound.parameters["log"]
        ]
        return ",".join(dict.fromkeys(told)) if len(told) == len(pairs) else ""

    def _largest(self, model: PlannedModel) -> float:
        """The largest number of a column, or in its lists; −∞ where it is not known."""
        largest = -np.inf
        for record in self._records:
            with contextlib.suppress(BadRow, KeyError, pa.ArrowInvalid):
                cells = record.column(model.columns[0])
                values = floats(cells.flatten() if pa.types.is_nested(cells.type) else cells)
                largest = max(largest, float(np.nanmax(values, initial=-np.inf)))
        return largest

    def _low(self, model: PlannedModel) -> float | None:
        """The smallest number that a model predicts; ``None`` where it is not known."""
        facts = self._facts
        if facts is None:
            return None
        values = facts.models[[each.name for each in self.plan.layout.models].index(model.name)].values
        return values.low if values.n else None

    def _some_logarithms(self, model: PlannedModel) -> bool:
        """Whether no row of a vector has a number above 0, and all their exponentials add up to less than 1."""
        sums = []
        for record in self._records:
            try:
                rows = Reader(record).columns(model.columns, model.width)
            except BadRow:
                return False
            if (rows > 0).any():
                return False
            sums.append(np.exp(rows).sum(axis=1))
        return bool(sums) and bool(np.nanmax(np.concatenate(sums), initial=0.0) < 1.0)

    # --- what was looked at

    @cached_property
    def _records(self) -> tuple[pa.RecordBatch, ...]:
        try:
            return sampled(self.source, self.plan.layout.wanted()).records
        except (LossctlError, OSError):
            return ()

    @cached_property
    def _facts(self) -> Facts | None:
        """What is in the columns; ``None`` where that cannot be told."""
        layout = self.plan.layout
        facts = no_facts(layout)
        try:
            for record in self._records:
                facts = facts + gather(layout, record)
        except BadRow:
            pass
        return facts if facts.used else None


def _of_parts(model: PlannedModel, bound: BoundLoss) -> Iterator[str]:
    """What to do about numbers that one of the parts of a prediction cannot be."""
    if len(model.columns) == len(bound.parts):
        pairs = zip(bound.parts, model.columns, strict=True)
        yield f"Taken are {', '.join(f'{name!r} for the {part}' for part, name in pairs)}."
    yield from scale_way(bound, model.columns)


def _by_logarithm(bound: BoundLoss, largest: float) -> Iterator[str]:
    """What to do about numbers that are no probabilities of what each row is, or no logarithms, by the largest."""
    if bound.parameters["log"] is False and largest <= 0:
        yield f"If these are logarithms of probabilities, say so: {option(loss=_with_log(bound, log=True))}."
    elif bound.parameters["log"] and largest <= 1:
        yield f"If these are probabilities, not their logarithms, say so: {option(loss=_with_log(bound, log=False))}."
    elif largest > 1:
        yield "No probability is above 1, and no logarithm of one above 0: if these are −log p, turn their sign."


def _are_logs(largest: float) -> bool | None:
    """Whether numbers are logarithms of probabilities by the largest; ``None`` where they are no probabilities."""
    return None if not np.isfinite(largest) or largest > 1 else largest <= 0


def _with_log(bound: BoundLoss, *, log: bool) -> str:
    """The loss as somebody asked for it, of logarithms or not."""
    spec = str(bound.listing(log=log)).replace(bound.name, bound.typed or bound.name, 1)
    return spec if log else f"{spec}{',' if ':' in spec else ':'}log=false"


def _by_scale(ways: list[Fit], scores: str, *, rows: bool) -> Iterator[str]:
    """What to do about predictions that are no probabilities, by what fits them; all there is where nothing does.

    Args:
        ways: what fits.
        scores: what to say of scores before an activation.
        rows: whether each row is a probability a class.
    """
    settings = [setting for way in ways for setting in way.settings]
    if ways and all(way.scale is Scale.PERCENT and NORMALIZED[0] not in way.settings for way in ways):
        yield "Are these percentages? Then divide them by 100."
    elif ways and not rows and all(way.scale is Scale.PROBABILITY for way in ways):
        yield "Most are in [0, 1], as probabilities are: clip or mend the others where they were made."
    else:
        if EXPONENTIAL[0] in settings:
            yield f"Are these logarithms of probabilities? Then add {option(activation='exp')}."
        if FROM_LOGITS[0] in settings or not {EXPONENTIAL[0], NORMALIZED[0]} & {*settings}:
            yield scores
        if rows and (NORMALIZED[0] in settings or not {EXPONENTIAL[0], FROM_LOGITS[0]} & {*settings}):
            yield f"If they are probabilities that miss 1, {option(normalize_rows=True)} rescales them."


def _is_of(column: str, names: tuple[str, ...]) -> bool:
    """Whether what messages call a column is one of some: its name, a place in its list, or it before others."""
    return any(column == name or column.startswith((f"{name}[", f"{name}, ")) for name in names)


def _of_two(bound: BoundLoss) -> bool:
    """Whether a loss takes 0 and 1 as labels, and 2 for none."""
    domain = bound.label_domain
    return domain.illegal(np.array([0.0, 1.0])) is None and domain.illegal(np.array([2.0])) is not None
