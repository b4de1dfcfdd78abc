"""From a record batch to validated arrays: the one place where nulls and illegal values are met.

Kernels contain mathematics and nothing else because every number they see has passed here.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lossctl.domain import BoolArray, Domain, FloatArray, IntArray, row_sum
from lossctl.evaluation.plan import Plan, PlannedModel
from lossctl.evaluation.reader import Reader
from lossctl.functions.bound_loss import BoundLoss
from lossctl.inference.layout import Layout
from lossctl.reading.cells import (
    BadRow,
    class_number,
    floats,
    mask_of,
    shown,
    texts,
)
from lossctl.sums.problems import Key, Problem, Problems

Group = tuple[str | None, ...]


@dataclass(frozen=True)
class Batch:
    """Some rows, legal in every role. Arrays are float64 and read-only; 2-D ones are in Fortran order."""

    label: FloatArray
    predictions: tuple[FloatArray, ...]
    """One a model: ``(n,)`` or ``(n, k)``."""
    weight: FloatArray | None
    group: IntArray | None
    position: IntArray | None
    """Where each row stood among the rows read; ``None`` when all were kept."""
    keys: tuple[Group, ...]
    rows: int
    """Rows read."""
    null: IntArray
    """Rows with a null, by group."""
    unweighted: IntArray
    """Rows of weight 0, by group."""
    problems: Problems


def _codes(reader: Reader, layout: Layout, names: tuple[str, ...]) -> FloatArray:
    """A label column that names its classes, as codes ``(n,)``."""
    column = layout.roles.label[0]
    if layout.class_labels == "numbers":
        values = reader.numbers(column)
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
    code = pc.index_in(words, value_set=texts(names))
    lost, values = mask_of(code), floats(code)
    if lost is None:
        return values
    unknown = (lost if null is None else lost & ~null) & ~reader.skipped
    key = ("error", column, f"one of the classes {_listed(names)}")
    reader.note(key, unknown, lambda row: shown(words[row].as_py()))
    return np.where(lost, 0.0, values)


def _groups(record: pa.RecordBatch, names: Sequence[str]) -> tuple[IntArray | None, tuple[Group, ...]]:
    """The group index of each row, and the keys: those that occur, in one order whatever the rows' order is."""
    code: IntArray | None = None
    vocabularies: list[tuple[str | None, ...]] = []
    for name in names:
        index, words = _words(record.column(name), name)
        vocabularies.append(words)
        code = index if code is None else code * len(words) + index
    if code is None:
        return None, ((),)
    used, place = np.unique(code, return_inverse=True) if len(vocabularies) > 1 else _used(code)
    return place, _keys(tuple(vocabularies), used.tobytes())


def _words(array: pa.Array, name: str) -> tuple[IntArray, tuple[str | None, ...]]:
    """A column to group by as places in the sorted words that it holds; the last word is null."""
    if pa.types.is_nested(array.type):
        raise BadRow(0, f"column {name!r} of type {array.type} cannot be grouped by")
    if pa.types.is_integer(array.type) and not array.null_count and not pa.types.is_uint64(array.type):
        wide = array.cast(pa.int64())
        numbers = np.frombuffer(wide.buffers()[1], np.int64, len(wide), 8 * wide.offset)
        low, high = int(numbers.min(initial=0)), int(numbers.max(initial=0))
        if high - low <= 4 * len(numbers):  # as good as codes already
            return numbers - low, _numerals(low, high)
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    try:
        found = array.dictionary.cast(pa.string()).to_pylist()
    except (pa.ArrowException, UnicodeError):
        raise BadRow(0, f"column {name!r} of type {array.type.value_type} cannot be grouped by") from None
    missing = {None, ""} | ({"nan"} if pa.types.is_floating(array.type.value_type) else set())
    # An empty text is no name: it and null are one group. Sorted, batches with the same words have the same keys.
    words = sorted(set(found) - missing)
    place = {word: at for at, word in enumerate(words)} | dict.fromkeys(missing, len(words))
    rank = np.array([place[word] for word in found] + [len(words)], dtype=np.int64)
    index, null = array.indices.cast(pa.int64()), mask_of(array.indices)
    codes = np.frombuffer(index.buffers()[1], np.int64, len(index), index.offset * 8)
    return rank[codes if null is None else np.where(null, len(found), codes)], (*words, None)


@functools.lru_cache(maxsize=4)
def _numerals(low: int, high: int) -> tuple[str | None, ...]:
    return (*map(str, range(low, high + 1)), None)


@functools.lru_cache(maxsize=4)
def _keys(vocabularies: tuple[tuple[str | None, ...], ...], codes: bytes) -> tuple[Group, ...]:
    """The keys that combined codes stand for; the same object again for the same codes, which batches often have."""
    used = np.frombuffer(codes, dtype=np.int64)
    if len(vocabularies) == 1:
        return tuple((vocabularies[0][at],) for at in used.tolist())
    columns = []
    for words in reversed(vocabularies):
        used, place = np.divmod(used, len(words))
        columns.append([words[at] for at in place.tolist()])
    return tuple(zip(*reversed(columns), strict=True))


def _used(code: IntArray) -> tuple[IntArray, IntArray]:
    """The small numbers that occur, and where each number is among them, without sorting."""
    used = np.flatnonzero(np.bincount(code))
    table = np.zeros(int(code.max(initial=0)) + 1, dtype=np.int64)
    table[used] = np.arange(len(used))
    return used, table[code]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")


def validate(record: pa.RecordBatch, plan: Plan) -> Batch:
    """The rows of a record batch that can be measured, and what was found wrong with the others.

    Rows of weight 0 go first, then rows with a null in any role; only then are values held against the domains of the
    losses, so what was dropped can do no harm.
    """
    reader, layout, roles = Reader(record), plan.layout, plan.roles
    weight = None
    if roles.weight is not None:
        weight = weights = reader.numbers(roles.weight)
        reader.skipped = (weights == 0) & ~reader.null
        illegal = ~((weights >= 0) & (weights < np.inf)) & ~reader.null
        key = ("error", roles.weight, "a finite number >= 0")
        reader.note(key, illegal & ~reader.skipped, lambda row: shown(weights[row]))
    if layout.classes is not None and layout.class_labels != "codes":
        label = _codes(reader, layout, layout.classes)
    else:
        label = reader.columns(roles.label, layout.label_width)
    predictions = [reader.columns(model.columns, model.width) for model in plan.models]
    group, keys = _groups(record, roles.by)
    skipped = reader.skipped
    null = reader.null & ~skipped
    dropped = skipped | null
    nulls, unweighted = (_counted(rows, group, len(keys)) for rows in (null, skipped))
    position = None
    if dropped.any():
        position = np.flatnonzero(~dropped)
        label, *predictions = (_taken(values, position) for values in (label, *predictions))
        weight = None if weight is None else weight[position]
        group = None if group is None else group[position]
    illegal_values = {} if not plan.normalize_rows else _not_to_normalize(plan, predictions)
    if plan.normalize_rows and not illegal_values:
        predictions = [_normalized(values) for values in predictions]
    illegal_values = illegal_values or _illegal(plan, label, predictions)
    problems = Problems({**reader.problems, **_rebased(illegal_values, position)})
    for array in (label, *predictions, *([] if weight is None else [weight])):
        array.flags.writeable = False
    return Batch(label, tuple(predictions), weight, group, position, keys, reader.n, nulls, unweighted, problems)


def _counted(rows: BoolArray, group: IntArray | None, groups: int) -> IntArray:
    return np.array([int(rows.sum())]) if group is None else np.bincount(group[rows], minlength=groups)


def _taken(values: FloatArray, position: IntArray) -> FloatArray:
    return values[position] if values.ndim == 1 else np.asfortranarray(values[position])


def _not_to_normalize(plan: Plan, predictions: Sequence[FloatArray]) -> dict[Key, Problem]:
    """Rows that no division makes probabilities: with a negative number, or a sum that is not positive."""
    found: dict[Key, Problem] = {}
    for model, values in zip(plan.models, predictions, strict=True):
        with np.errstate(all="ignore"):
            good = (values.min(axis=1, initial=0.0) >= 0) & (row_sum(values) > 0) & np.isfinite(row_sum(values))
        if not good.all():
            first = int(np.argmin(good))
            key = ("error", ", ".join(model.columns[:4]), "non-negative numbers with a positive sum, to be normalized")
            found[key] = Problem(int((~good).sum()), first, shown(values[first]))
    return found


def _normalized(values: FloatArray) -> FloatArray:
    return np.asfortranarray(values / row_sum(values)[:, None])


def _rebased(found: dict[Key, Problem], position: IntArray | None) -> dict[Key, Problem]:
    if position is None:
        return found
    return {key: Problem(it.count, int(position[it.row]), it.value) for key, it in found.items()}


def _illegal(plan: Plan, label: FloatArray, predictions: Sequence[FloatArray]) -> dict[Key, Problem]:
    """What lies outside the domains of the losses, each domain of each column judged once."""
    found: dict[Key, Problem] = {}
    if not len(label):
        return found
    seen: set[tuple[str, Domain]] = set()
    for model, values in zip(plan.models, predictions, strict=True):
        for bound in model.losses:
            title = ",".join(plan.roles.label)
            checks: Iterable[tuple[str, Domain, FloatArray, Sequence[str]]] = (
                (title, bound.label_domain.for_width(model.width or 1), label, plan.roles.label),
                (model.name, bound.prediction_domain, values, model.columns),
            )
            for what, domain, numbers, columns in checks:
                if (what, domain) not in seen:
                    seen.add((what, domain))
                    _judge(found, bound, domain, numbers, columns, model)
            if bound.chained and not found:
                # What comes out of the activation must be legal for the loss as well.
                _judge(found, bound, bound.output_domain, bound.activated(values), model.columns, model)
    return found


def _judge(
    found: dict[Key, Problem],
    bound: BoundLoss,
    domain: Domain,
    numbers: FloatArray,
    columns: Sequence[str],
    model: PlannedModel,
) -> None:
    bad = domain.illegal(numbers)
    if bad is not None:
        first = int(bad.argmax())
        column, value = ", ".join(columns[:4]) + (", …" if len(columns) > 4 else ""), numbers[first]
        if not domain.rows and numbers.ndim == 2:
            at = next(at for at in range(numbers.shape[1]) if domain.illegal(numbers[first, at : at + 1]) is not None)
            column, value = columns[at] if len(columns) > 1 else f"{columns[0]}[{at}]", numbers[first, at]
        key = ("error", column, f"{bound.name}: {domain.describe()}")
        found[key] = Problem(int(bad.sum()), first, shown(value))
        return
    doubtful = domain.doubtful(numbers)
    if doubtful is not None:
        first = int(doubtful.argmax())
        found[("warning", model.name, domain.doubt)] = Problem(int(doubtful.sum()), first, shown(numbers[first]))
    for value in domain.exclusive:
        at_value = numbers == value
        if at_value.any():
            rows = at_value if at_value.ndim == 1 else at_value.any(axis=1)
            found[("exclusive", ", ".join(columns), f"{value:g}")] = Problem(
                int(rows.sum()), int(rows.argmax()), f"{value:g}"
            )
