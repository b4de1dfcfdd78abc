"""From a record batch to validated arrays: the one place where nulls and illegal values are met.

Kernels contain mathematics and nothing else because every number they see has passed here.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lossctl.arrow import words_in_arrow
from lossctl.dataclass import dataclass
from lossctl.domain import (
    NONNEGATIVE,
    POSITIVE,
    REAL,
    BoolArray,
    Domain,
    FloatArray,
    IntArray,
    Span,
    laid_out,
    row_sum,
)
from lossctl.evaluation.exact_errors import Errors, exact_errors
from lossctl.evaluation.group_keys import Keys
from lossctl.evaluation.groups import grouped
from lossctl.evaluation.plan import Plan, PlannedModel
from lossctl.evaluation.rounding import rounded
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.parts import pieces
from lossctl.inference.grouping import Grouping
from lossctl.inference.layout import Layout
from lossctl.inference.reader import Reader
from lossctl.inference.roles import Roles
from lossctl.inference.rounding import closeness, slack_of
from lossctl.reading.cells import class_number, floats, shown
from lossctl.reading.storage import mask_of
from lossctl.sums.problems import Key, Problem, Problems
from lossctl.sums.state import Groups, none

if TYPE_CHECKING:
    from lossctl.sums.clusters import Keyed


@dataclass(frozen=True)
class Batch:
    """Some rows, legal in every role. Arrays are float64 and read-only; 2-D ones are `laid_out`."""

    label: FloatArray
    predictions: tuple[FloatArray, ...]
    """One a model: ``(n,)`` or ``(n, k)``."""
    weight: FloatArray | None
    groups: Groups | None
    position: IntArray | None
    """Where each row stood among the rows read; ``None`` when all were kept."""
    keys: Keys
    rows: int
    """Rows read."""
    null: IntArray
    """Rows with a null, by group."""
    unweighted: IntArray
    """Rows of weight 0, by group."""
    rounded: tuple[IntArray, ...]
    """For each model, rows with a number that was clipped to the end of its domain, by group."""
    ignored: IntArray
    """Rows whose label is to be ignored, by group."""
    problems: Problems
    errors: tuple[Errors | None, ...]
    """One a model: its errors where doubles would lose digits."""
    finite: tuple[bool, ...]
    """One a model: whether all its numbers are known to be finite."""
    keyed: "Keyed | None" = None
    """The cluster of each row."""


def _codes(reader: Reader, layout: Layout, names: tuple[str, ...]) -> FloatArray:
    """A label column that names its classes, as codes ``(n,)``; names of no class are noted as problems.

    Raises:
        BadRow: it holds no numbers, or no UTF-8 text.
    """
    column = layout.roles.label[0]
    if layout.class_labels == "numbers":
        values = reader.numbers(column)
        reader.spans.pop(column, None)  # what is judged are the codes
        known = np.array([class_number(name) for name in names], dtype=np.float64)
        order = np.argsort(known)
        place = np.clip(np.searchsorted(known[order], values), 0, len(known) - 1)
        unknown = (known[order][place] != values) & ~reader.null & ~reader.skipped
        reader.note(
            ("error", column, f"one of the classes {', '.join(names)}"), unknown, lambda row: shown(values[row])
        )
        return order[place].astype(np.float64)
    import pyarrow.compute as pc

    words = reader.text(column)
    null = mask_of(words)
    reader.missing(column, null)
    code = pc.index_in(words, value_set=words_in_arrow(names))
    unmatched, values = mask_of(code), floats(code)
    if unmatched is None:
        return values
    unknown = (unmatched if null is None else unmatched & ~null) & ~reader.skipped
    key = ("error", column, f"one of the classes {_listed(names)}")
    reader.note(key, unknown, lambda row: shown(words[row].as_py()))
    return np.where(unmatched, 0.0, values)


def _label(reader: Reader, layout: Layout) -> FloatArray:
    """The labels, ``(n,)`` or ``(n, k)``; ones where decisions are right or wrong."""
    if layout.decided:
        return np.ones(reader.n)
    if layout.classes is not None and layout.class_labels != "codes":
        return _codes(reader, layout, layout.classes)
    return reader.label(layout)


def _predictions(reader: Reader, plan: Plan) -> list[FloatArray]:
    """Those of each model, ``(n,)`` or ``(n, k)``; of decisions whether they are right."""
    layout = plan.layout
    if layout.decided:
        return reader.decisions(layout)
    lists = [layout.ragged and model.width > 0 and len(model.columns) == 1 for model in plan.models]
    return [
        reader.ragged(model.columns[0], masked=layout.mask_null)
        if listed
        else reader.columns(model.columns, model.width)
        for model, listed in zip(plan.models, lists, strict=True)
    ]


def _weighed(reader: Reader, plan: Plan, label: FloatArray, weight: FloatArray | None) -> FloatArray:
    """The weight of each row, multiplied with that of its class; rows where it comes to 0 are skipped."""
    from lossctl.inference.class_weights import described, weighed

    weights_of_classes = [weight for _, weight in plan.class_weights]
    of_class, wrong = weighed(weights_of_classes, label)
    column = ", ".join(plan.roles.label)
    key = ("error", column, described(weights_of_classes, label))
    reader.note(key, wrong & ~reader.null & ~reader.skipped, lambda row: shown(label[row]))
    with np.errstate(all="ignore"):
        weights = of_class if weight is None else weight * of_class
    key = ("error", plan.roles.weight or column, "a weight that times that of its class is a double")
    beyond = (weights == np.inf) & ~reader.null & ~reader.skipped
    reader.note(key, beyond, lambda row: shown(weights[row] if weight is None else weight[row]))
    reader.skipped |= (weights == 0) & ~reader.null
    return weights


def _clusters(reader: Reader, roles: Roles) -> "Keyed":
    """The cluster of each row, in buckets where rows are to be told apart later; one without a name is null.

    Raises:
        BadRow: a column cannot be read as text.
    """
    from lossctl.reading.hashing import EMPTY, coded, joined
    from lossctl.reading.periods import periods
    from lossctl.sums.clusters import Keyed, front

    names, written = dict.fromkeys(roles.ids), None
    if roles.ids:  # rows of two files, which a join would match
        from lossctl.evaluation.keys import plainly

        written = plainly
    words = {Grouping(name): coded(reader.record.column(name), name, written) for name in names}
    for grouping in roles.cluster:
        if grouping not in words:
            column, title = reader.record.column(grouping.column), grouping.column
            dated = periods(column, grouping.unit, title, grouping.first) if grouping.unit else column
            words[grouping] = coded(dated, title, None if grouping.unit else written)
    for grouping, (hashes, index) in words.items():
        empty = (hashes == EMPTY)[index]
        reader.missing(grouping.column, empty if empty.any() else None)
    keys, index = joined([words[grouping] for grouping in roles.cluster])
    mark = None
    if roles.ids:
        marks, place = joined([words[Grouping(name)] for name in roles.ids])
        mark, keys = marks[place], front(keys)
    key, code = np.unique(keys, return_inverse=True)
    return Keyed(code[index], key, mark)


def _marked(keyed: "Keyed", label: FloatArray) -> "Keyed":
    """The same clusters, with rows told from those of another label too, where they are to be told apart later."""
    if keyed.mark is None:
        return keyed
    from lossctl.reading.hashing import mixed_with

    mark = keyed.mark
    for column in np.atleast_2d(label.T):
        mark = mixed_with(mark, (column + 0.0).view(np.uint64))  # -0 is 0
    return replace(keyed, mark=mark)


def _listed(names: Sequence[str]) -> str:
    """The first names, for a message."""
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")


def validate(
    record: pa.RecordBatch,
    plan: Plan,
    grouping: Callable[[pa.RecordBatch, Sequence[Grouping]], tuple[Groups | None, Keys]] = grouped,
) -> Batch:
    """The rows of a record batch that can be measured, and the problems with the others.

    Rows whose label is to be ignored go first, then those of weight 0, then rows with a null in any role; only then are
    values held against the domains of the losses, so what was dropped can do no harm.

    Args:
        record: the rows.
        plan: what stands in which column.
        grouping: what gives the groups of the rows and their names.

    Raises:
        BadRow: a column holds something that cannot be read as its role demands.
    """
    reader, layout, roles = Reader(record), plan.layout, plan.roles
    weight = None
    reader.ignore(layout)
    if roles.weight is not None:
        weight = weights = reader.numbers(roles.weight)
        span = reader.span([roles.weight])
        if span is None or not POSITIVE.covers(span):
            reader.skipped |= (weights == 0) & ~reader.null
            illegal = ~((weights >= 0) & (weights < np.inf)) & ~reader.null
            key = ("error", roles.weight, NONNEGATIVE.describe())
            reader.note(key, illegal & ~reader.skipped, lambda row: shown(weights[row]))
    label = _label(reader, layout)
    if plan.class_weights:
        weight = _weighed(reader, plan, label, weight)
    predictions = _predictions(reader, plan)
    groups, keys = grouping(record, roles.by)
    keyed = _clusters(reader, roles) if roles.cluster else None
    dropped = reader.dropped
    nulls = unweighted = ignored = none(len(keys))
    position = None
    if dropped is not None:
        skipped = reader.skipped
        nulls, unweighted, ignored = (
            _counted(rows, groups) for rows in (reader.null & ~skipped, skipped & ~reader.ignored, reader.ignored)
        )
        position = np.flatnonzero(~dropped)
        label, *predictions = (_taken(values, position) for values in (label, *predictions))
        weight = None if weight is None else weight[position]
        groups = None if groups is None else groups.taken(position)
        keyed = None if keyed is None else keyed.taken(position)
    clipped: dict[Key, Problem] = {}
    beyond = [none(len(keys))] * len(predictions)
    if plan.clip_rounding and len(label):
        rounding = rounded(plan, record, label, predictions)
        label, predictions, clipped = rounding.label, rounding.predictions, rounding.problems
        beyond = [_counted(rows, groups) for rows in rounding.rows]
    errors = exact_errors(reader, plan, label, predictions, position)
    illegal_values = {} if not plan.normalize_rows else _not_to_normalize(plan, predictions)
    if plan.normalize_rows and not illegal_values:
        predictions = [_normalized(values) for values in predictions]
    out = np.isnan(label) if plan.layout.masked else None
    changed = plan.normalize_rows or bool(clipped)
    illegal_values = illegal_values or _illegal(plan, None if changed else reader, record, label, predictions, out)
    spans = [None if changed else reader.span(model.columns) for model in plan.models]
    masked = {} if out is None else _masked(roles.label, out)
    keyed = None if keyed is None else _marked(keyed, label)
    problems = Problems({**reader.problems, **_rebased({**illegal_values, **clipped, **masked}, position)})
    for array in (label, *predictions, *([] if weight is None else [weight])):
        array.flags.writeable = False
    return Batch(
        label,
        tuple(predictions),
        weight,
        groups,
        position,
        keys,
        reader.n,
        nulls,
        unweighted,
        tuple(beyond),
        ignored,
        problems,
        errors,
        tuple(span is not None and REAL.covers(span) for span in spans),
        keyed,
    )


def _counted(rows: BoolArray, groups: Groups | None) -> IntArray:
    """How many of the rows are such, by group."""
    if groups is None:
        return np.array([np.count_nonzero(rows)])
    return np.bincount(groups.code[rows], minlength=groups.number)


def _taken(values: FloatArray, position: IntArray) -> FloatArray:
    return values[position] if values.ndim == 1 else laid_out(values[position])


def _not_to_normalize(plan: Plan, predictions: Sequence[FloatArray]) -> dict[Key, Problem]:
    """Rows that cannot be divided by their sum to make probabilities: with a negative number, or no positive sum."""
    problems: dict[Key, Problem] = {}
    for model, values in zip(plan.models, predictions, strict=True):
        with np.errstate(all="ignore"):
            good = (values.min(axis=1, initial=0.0) >= 0) & (row_sum(values) > 0) & np.isfinite(row_sum(values))
        if not good.all():
            first = int(np.argmin(good))
            key = ("error", ", ".join(model.columns[:4]), "non-negative numbers with a positive sum, to be normalized")
            problems[key] = Problem(int((~good).sum()), first, shown(values[first]))
    return problems


def _normalized(values: FloatArray) -> FloatArray:
    """Rows ``(n, k)``, each divided by its sum."""
    return laid_out(values / row_sum(values)[:, None])


def _rebased(problems: dict[Key, Problem], position: IntArray | None) -> dict[Key, Problem]:
    """Problems in rows counted among those kept, as problems in rows of the record batch."""
    if position is None:
        return problems
    return {key: Problem(problem.count, int(position[problem.row]), problem.value) for key, problem in problems.items()}


def _masked(columns: Sequence[str], out: BoolArray) -> dict[Key, Problem]:
    """How many labels of each column are left out of their rows."""
    parts = zip(columns, np.split(out, len(columns), axis=1), strict=True)
    return {
        ("masked", name, ""): Problem(int(part.sum()), int(part.any(axis=1).argmax()), "")
        for name, part in parts
        if part.any()
    }


def _illegal(
    plan: Plan,
    reader: Reader | None,
    record: pa.RecordBatch,
    label: FloatArray,
    predictions: Sequence[FloatArray],
    out: BoolArray | None,
) -> dict[Key, Problem]:
    """What lies outside the domains of the losses, each domain of each column judged once.

    Args:
        plan: the models and their losses.
        reader: what has seen between which numbers those of the columns are; ``None`` where they were changed since.
        record: the rows as they were read, for the types of their columns.
        label: of each row.
        predictions: of each model.
        out: where a label is left out of its row, and the prediction with it.
    """
    problems: dict[Key, Problem] = {}
    if not len(label):
        return problems
    labelled, domains = out, iter(plan.domains)
    for model, values in zip(plan.models, predictions, strict=True):
        out = np.isnan(values) if plan.layout.ragged and values.ndim == 2 else labelled
        for bound in model.losses:
            for of_labels, domain in next(domains):
                numbers, columns = (label, plan.roles.label) if of_labels else (values, model.columns)
                span = None if reader is None else reader.span(columns)
                for part, place, own, piece in pieces(domain, numbers):
                    names, titles = _named(columns, place)
                    filled = _filled(piece, out if piece.ndim == 2 else None)
                    key = _judge(problems, bound, own, filled, titles, model, out=out, part=part, span=span)
                    if key is not None:
                        problems |= closeness(key, own, filled, slack_of(record, names))
            if bound.chained and not problems:
                # What comes out of the activation must be legal for the loss as well.
                inputs = _filled(values, out)
                outputs = bound.activated(inputs)
                _judge(problems, bound, bound.output_domain, outputs, model.columns, model, inputs, out)
    return problems


def _named(columns: Sequence[str], place: int | None) -> tuple[Sequence[str], Sequence[str]]:
    """The columns of a number of a row, or of all, and what messages call them."""
    if place is None:
        return columns, columns
    if len(columns) == 1:
        return columns, [f"{columns[0]}[{place}]"]
    return columns[place : place + 1], columns[place : place + 1]


def _filled(numbers: FloatArray, out: BoolArray | None) -> FloatArray:
    """Numbers ``(n, k)`` in which those left out are like another of their row."""
    if out is None:
        return numbers
    other = np.take_along_axis(numbers, out.argmin(axis=1)[:, None], axis=1)
    return np.where(out, other, numbers)


def _judge(
    problems: dict[Key, Problem],
    bound: BoundLoss,
    domain: Domain,
    numbers: FloatArray,
    columns: Sequence[str],
    model: PlannedModel,
    before: FloatArray | None = None,
    out: BoolArray | None = None,
    part: str = "",
    span: Span | None = None,
) -> Key | None:
    """Add to the problems what a domain says of some numbers, ``(n,)`` or ``(n, k)``, named by those before them.

    Numbers that are ``out`` of their row are not named; ``part`` is what all of them are, and they are between those of
    the ``span``. Illegal ones are an error, of which the key is returned; else doubtful ones are a warning, and values
    of which only one may occur in a data set are noted.
    """
    bad, doubtful = domain.judged(numbers, span)
    if bad is not None:
        first = int(bad.argmax())
        column = ", ".join(columns[:4]) + (", …" if len(columns) > 4 else "")
        place: tuple[int, ...] = (first,)
        if not domain.rows and numbers.ndim == 2:
            cells = [
                index
                for index in range(numbers.shape[1])
                if domain.illegal(numbers[first, index : index + 1]) is not None
                and (out is None or not out[first, index])
            ]
            for index in cells[:1]:  # none where it is the row that is illegal, as one of labels that do not sum to 1
                column, place = columns[index] if len(columns) > 1 else f"{columns[0]}[{index}]", (first, index)
        needed = f"a {part} that is {domain.describe()}" if part else domain.describe()
        key = ("error", column, f"{bound.title}: {needed}")
        own = "" if before is None else f"{shown(before[place])}, after {bound.activation} "
        problems[key] = Problem(int(bad.sum()), first, own + shown(numbers[place]))
        return key
    if doubtful is not None:
        first = int(doubtful.argmax())
        problems[("warning", model.name, domain.doubt)] = Problem(int(doubtful.sum()), first, shown(numbers[first]))
    for value in domain.exclusive:
        equal = numbers == value
        if equal.any():
            rows = equal if equal.ndim == 1 else equal.any(axis=1)
            problems[("exclusive", ", ".join(columns), f"{value:g}")] = Problem(
                int(rows.sum()), int(rows.argmax()), f"{value:g}"
            )
    return None
