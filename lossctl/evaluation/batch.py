"""From a record batch to validated arrays: the one place where nulls and illegal values are met.

Kernels contain mathematics and nothing else because every number they see has passed here.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lossctl.domain import BoolArray, Domain, FloatArray, IntArray, row_sum
from lossctl.evaluation.plan import Plan
from lossctl.functions.bound_loss import BoundLoss
from lossctl.inference.roles import Model
from lossctl.reading.cells import (
    TEXT_HINT,
    BadRow,
    Said,
    _shown,
    class_number,
    floats,
    kind_of,
    mask_of,
    scalar_column,
    texts,
    vector_column,
)
from lossctl.reading.format import Wanted
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


class _Reader:
    """Reads the roles of one record batch, noting what is null or illegal as it goes."""

    def __init__(self, record: pa.RecordBatch, plan: Plan) -> None:
        self.record, self.plan, self.n = record, plan, record.num_rows
        self.null = np.zeros(self.n, dtype=np.bool_)
        self.skipped = np.zeros(self.n, dtype=np.bool_)
        self.found: dict[Key, Problem] = {}
        self.nulls: dict[str, BoolArray] = {}

    def note(self, kind: str, column: str, what: str, rows: BoolArray, values: Sequence[Any] | FloatArray) -> None:
        """Record that ``what`` is wrong with some rows of a column; rows of weight 0 do not count."""
        rows = rows & ~self.skipped
        if rows.any():
            first = int(rows.argmax())
            self.found[(kind, column, what)] = Problem(int(rows.sum()), first, _shown(values[first]))

    def missing(self, column: str, null: BoolArray | None) -> None:
        """Record the nulls of a column."""
        if null is not None and null.any():
            self.nulls[column] = self.nulls.get(column, np.zeros(self.n, dtype=np.bool_)) | null
            self.null |= null

    def numbers(self, column: str) -> FloatArray:
        """A column of numbers."""
        array = self.record.column(column)
        if kind_of(array.type) != "number":
            raise BadRow(0, f"column {column!r} holds {_shown(array[0].as_py())}, which is not a number", TEXT_HINT)
        values, null = scalar_column(array)
        self.missing(column, null)
        return values

    def columns(self, names: Sequence[str], k: int) -> FloatArray:
        """Several columns, or one column of lists, as ``(n, k)``; a single column of numbers as ``(n,)``."""
        if not k:
            return self.numbers(names[0])
        import pyarrow.compute as pc

        if len(names) == 1:
            matrix, null, wrong = vector_column(self.record.column(names[0]), k)
            self.missing(names[0], null)
            if wrong is not None and wrong.any():
                lengths = pc.list_value_length(self.record.column(names[0])).to_pylist()
                shown = [Said(f"a list of {length}") for length in lengths]
                self.note("error", names[0], f"a list of {k} numbers, as in the first row", wrong, shown)
                self.null |= wrong
            return matrix
        matrix = np.empty((self.n, k), order="F")
        for at, name in enumerate(names):
            matrix[:, at] = self.numbers(name)
        return matrix

    def classes(self, column: str, names: tuple[str, ...]) -> FloatArray:
        """A column of class labels as codes."""
        import pyarrow.compute as pc

        if self.plan.class_labels == "numbers":
            values = self.numbers(column)
            known = np.array([class_number(name) for name in names], dtype=np.float64)
            order = np.argsort(known)
            place = np.clip(np.searchsorted(known[order], values), 0, len(known) - 1)
            unknown = (known[order][place] != values) & ~self.null
            self.note("error", column, f"one of the classes {', '.join(names)}", unknown, values)
            return order[place].astype(np.float64)
        array = self.record.column(column)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        try:
            array = array.cast(pa.string())
            array.validate(full=True)
        except pa.ArrowException:
            raise BadRow(0, f"column {column!r} holds text that is not UTF-8") from None
        code = pc.index_in(array, value_set=texts(names))
        lost, values = mask_of(code), floats(code)
        if lost is not None:
            values = np.where(lost, 0.0, values)
            null = mask_of(pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array))
            self.missing(column, null)
            unknown = lost if null is None else lost & ~null
            shown = array.to_pylist() if unknown.any() else []
            self.note("error", column, f"one of the classes {_listed(names)}", unknown, shown)
        return values

    def groups(self) -> tuple[IntArray | None, tuple[Group, ...]]:
        """The group index of each row, and the keys: those that occur, in one order whatever the rows' order is."""
        code: IntArray | None = None
        vocabularies: list[tuple[str | None, ...]] = []
        for name in self.plan.roles.by:
            index, words = _words(self.record.column(name), name)
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


def wanted(plan: Plan, *, others: bool = False) -> Wanted:
    """The columns to read for a plan."""
    return Wanted(frozenset(plan.roles.needed) - plan.text_columns, plan.text_columns, others)


def validate(record: pa.RecordBatch, plan: Plan) -> Batch:
    """The rows of a record batch that can be measured, and what was found wrong with the others.

    Rows of weight 0 go first, then rows with a null in any role; only then are values held against the domains of the
    losses, so what was dropped can do no harm.
    """
    reader = _Reader(record, plan)
    roles = plan.roles
    weight = None
    if roles.weight is not None:
        weight = reader.numbers(roles.weight)
        reader.skipped = (weight == 0) & ~reader.null
        illegal = ~((weight >= 0) & (weight < np.inf)) & ~reader.null
        reader.note("error", roles.weight, "a finite number >= 0", illegal, weight)
    if plan.classes is not None and plan.class_labels != "codes":
        label = reader.classes(roles.label[0], plan.classes)
    else:
        label = reader.columns(roles.label, plan.label_width)
    predictions = [reader.columns(model.columns, width) for model, width in zip(roles.models, plan.widths, strict=True)]
    group, keys = reader.groups()
    for column, rows in reader.nulls.items():
        reader.note("null", column, "null", rows, [Said("null")] * reader.n)
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
    found = {} if not plan.normalize_rows else _not_to_normalize(plan, predictions)
    if plan.normalize_rows and not found:
        predictions = [_normalized(values) for values in predictions]
    found = found or _illegal(plan, label, predictions)
    problems = Problems({**_rebased(reader.found, None), **_rebased(found, position)})
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
    for model, values in zip(plan.roles.models, predictions, strict=True):
        with np.errstate(all="ignore"):
            good = (values.min(axis=1, initial=0.0) >= 0) & (row_sum(values) > 0) & np.isfinite(row_sum(values))
        if not good.all():
            first = int(np.argmin(good))
            key = ("error", ", ".join(model.columns[:4]), "non-negative numbers with a positive sum, to be normalized")
            found[key] = Problem(int((~good).sum()), first, _shown(values[first]))
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
    for model, values, width, losses in zip(plan.roles.models, predictions, plan.widths, plan.losses, strict=True):
        for bound in losses:
            title = ",".join(plan.roles.label)
            checks: Iterable[tuple[str, Domain, FloatArray, Sequence[str]]] = (
                (title, bound.label_domain.for_width(width or 1), label, plan.roles.label),
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
    model: Model,
) -> None:
    bad = domain.illegal(numbers)
    if bad is not None:
        first = int(bad.argmax())
        column, value = ", ".join(columns[:4]) + (", …" if len(columns) > 4 else ""), numbers[first]
        if not domain.rows and numbers.ndim == 2:
            at = next(at for at in range(numbers.shape[1]) if domain.illegal(numbers[first, at : at + 1]) is not None)
            column, value = columns[at] if len(columns) > 1 else f"{columns[0]}[{at}]", numbers[first, at]
        key = ("error", column, f"{bound.name}: {domain.describe()}")
        found[key] = Problem(int(bad.sum()), first, _shown(value))
        return
    doubtful = domain.doubtful(numbers)
    if doubtful is not None:
        first = int(doubtful.argmax())
        found[("warning", model.name, domain.doubt)] = Problem(int(doubtful.sum()), first, _shown(numbers[first]))
    for value in domain.exclusive:
        at_value = numbers == value
        if at_value.any():
            rows = at_value if at_value.ndim == 1 else at_value.any(axis=1)
            found[("exclusive", ", ".join(columns), f"{value:g}")] = Problem(
                int(rows.sum()), int(rows.argmax()), f"{value:g}"
            )
