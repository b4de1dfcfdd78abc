"""From a record batch to facts: every mask that some finding needs, counted with its first row."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lossctl.domain import SIMPLEX_ERROR, BoolArray, FloatArray, IntArray, row_sum
from lossctl.evaluation.clock import Clock
from lossctl.inference.facts import (
    CONFUSED,
    IDS,
    NOBODY,
    Facts,
    Given,
    Layout,
    Predicted,
    Rowwise,
    Words,
    pairs_of,
)
from lossctl.reading.cells import class_number, floats, mask_of, scalar_column, vector_column
from lossctl.sums.distribution import Distribution
from lossctl.sums.problems import Problem, Problems
from lossctl.sums.sketch import Sketch, hash_words

PERCENT_ERROR = 0.5
"""How far rows of percentages may be from 100."""


def gather(layout: Layout, record: pa.RecordBatch, clock: Clock) -> Facts:  # noqa: ARG001
    """The facts of a record batch."""
    return _Batch(record, layout).facts()


class _Batch:
    """One record batch on its way to facts."""

    def __init__(self, record: pa.RecordBatch, layout: Layout) -> None:
        self.record, self.layout, self.n = record, layout, record.num_rows
        self.bad = np.zeros(self.n, dtype=np.bool_)
        self.skipped = np.zeros(self.n, dtype=np.bool_)
        self.found: dict[tuple[str, str, str], Problem] = {}

    def note(self, kind: str, column: str, mask: BoolArray, value: object = "", at: IntArray | None = None) -> None:
        """Count the rows of a mask; ``at`` says where its rows stand in the batch."""
        if not mask.any():
            return
        first = int(mask.argmax())
        shown = value[first] if isinstance(value, np.ndarray) else value
        text = f"{shown:.6g}" if isinstance(shown, float) else str(shown)
        row = first if at is None else int(at[first])
        self.found[(kind, column, "")] = Problem(int(mask.sum()), row, text)

    def missing(self, column: str, null: BoolArray | None) -> None:
        """Count nulls, and leave their rows out."""
        if null is not None:
            self.note("null", column, null & ~self.skipped, "null")
            self.bad |= null

    def numbers(self, name: str) -> FloatArray:
        """A column of numbers."""
        values, null = scalar_column(self.record.column(name))
        self.missing(name, null)
        return values

    def values(self, columns: tuple[str, ...], width: int) -> FloatArray:
        """The columns of a role, ``(n,)`` or ``(n, k)``."""
        if not width:
            return self.numbers(columns[0])
        if len(columns) > 1:
            return np.column_stack([self.numbers(name) for name in columns])
        matrix, null, wrong = vector_column(self.record.column(columns[0]), width)
        self.missing(columns[0], null)
        if wrong is not None:
            self.note("length", columns[0], wrong & ~self.skipped)
            self.bad |= wrong
        return matrix

    def text(self, name: str) -> pa.Array:
        """A column as words; an empty one is null."""
        array = self.record.column(name)
        array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
        array = array.cast(pa.string())
        return pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)

    def facts(self) -> Facts:
        """All facts of the batch."""
        layout, roles = self.layout, self.layout.roles
        weight = Distribution.zero()
        if roles.weight is not None:
            weights = self.numbers(roles.weight)
            self.skipped = (weights == 0) & ~self.bad
            for kind, mask in (("below 0", weights < 0), ("infinite", np.isinf(weights))):
                self.note(kind, roles.weight, mask & ~self.bad, weights)
            weight = Distribution.of(weights[~self.bad])
        text = None
        if layout.text:
            text = self.text(roles.label[0])
            self.missing(roles.label[0], mask_of(text))
        label = None if text is not None else self.values(roles.label, layout.label_width)
        named = ~(self.bad | self.skipped)
        read = [
            None if model.name in layout.unread else self.values(model.columns, width)
            for model, width in zip(roles.models, layout.widths, strict=True)
        ]
        ids = self.ids()
        used = ~(self.bad | self.skipped)
        at = np.flatnonzero(used)
        coded = any(layout.widths) and not layout.label_width
        # A name that is no class stops eval wherever it stands; a code only in a row that is measured.
        counted = used if layout.class_labels == "codes" else named
        code = self.codes(label if text is None else text, counted)[used] if coded else None
        words = Words()
        if text is not None:
            words = Words(_counts(text.filter(pa.array(named)))) + Words()
            text = text.filter(pa.array(used))
            unpredicted = Distribution.zero()
        else:
            every = np.asarray(label)
            label, unpredicted = every[used], Distribution.of(every[named & ~used].ravel())
            self.of_label(label, at)
        models = tuple(
            Predicted.zero(width) if values is None else self.predicted(model.name, values[used], label, text, code, at)
            for model, width, values in zip(roles.models, layout.widths, read, strict=True)
        )
        return Facts(
            self.n,
            len(at),
            int((self.skipped & ~self.bad).sum()),
            Problems(self.found),
            Distribution.zero() if label is None else Distribution.of(label.ravel()),
            unpredicted,
            words,
            weight,
            ids,
            models,
        )

    def ids(self) -> Sketch:
        """The ids of all rows that have one; a row without is measured all the same."""
        names, known = self.layout.ids, np.ones(self.n, dtype=np.bool_)
        if not names:
            return NOBODY
        columns = [self.text(name) for name in names]
        for name, column in zip(names, columns, strict=True):
            null = mask_of(column)
            if null is not None:
                self.note("null", name, null, "null")
                known &= ~null
        return Sketch.of(IDS, hash_words(column.to_pylist() for column in columns)[known], np.flatnonzero(known))

    def of_label(self, label: FloatArray, at: IntArray) -> None:
        """What is counted of labels that are numbers."""
        title = self.layout.roles.label[0]
        for kind, mask in (("infinite", np.isinf(label)), ("zero", label == 0), ("fraction", np.floor(label) != label)):
            self.note(f"label {kind}", title, _rows(mask), label if label.ndim == 1 else "", at)
        if label.ndim == 2:
            off = (np.abs(row_sum(label) - 1.0) > SIMPLEX_ERROR) | (label < 0).any(axis=1)
            self.note("label off sum", title, off, "", at)

    def codes(self, label: Any, counted: BoolArray) -> IntArray:
        """The class of each label as the place of its column; −1 where there is none, noted in the rows that count."""
        layout, names = self.layout, self.layout.classes
        k = max(layout.widths)
        if layout.text:
            values = pa.array(names or (), pa.string())
            code = floats(pc.fill_null(pc.index_in(label, value_set=values), -1)).astype(np.int64)
            shown: Any = np.array(label.to_pylist(), dtype=object) if (code < 0).any() else ""
        else:
            known = np.arange(k, dtype=np.float64)
            if layout.class_labels == "numbers" and names is not None:
                known = np.array([class_number(name) for name in names], dtype=np.float64)
            order = np.argsort(known)
            place = np.clip(np.searchsorted(known[order], label), 0, len(known) - 1)
            code, shown = np.where(known[order][place] == label, order[place], -1), label
        self.note("unknown class", layout.roles.label[0], (code < 0) & counted, shown)
        return code

    def predicted(
        self,
        model: str,
        values: FloatArray,
        label: FloatArray | None,
        text: pa.Array | None,
        code: IntArray | None,
        at: IntArray,
    ) -> Predicted:
        """The facts of one model."""
        fraction = np.floor(values) != values
        for kind, mask in (
            ("infinite", np.isinf(values)),
            ("below 0", values < 0),
            ("above 1", values > 1),
            ("saturated", (values == 0) | (values == 1)),
            ("fraction", fraction),
        ):
            self.note(kind, model, _rows(mask), values if values.ndim == 1 else "", at)
        finite = np.isfinite(values) if values.ndim == 1 else np.isfinite(values).all(axis=1)
        found = Predicted.zero(values.shape[1] if values.ndim == 2 else 0)
        if label is not None and label.shape == values.shape:
            equal = label == values
            self.note("equal", model, _every(equal), values if values.ndim == 1 else "", at)
            self.note("equal fraction", model, _every(equal & fraction), values if values.ndim == 1 else "", at)
            one, other = label.ravel(), values.ravel()
            with np.errstate(invalid="ignore", over="ignore"):
                errors = Distribution.of(np.abs(other - one))
            wrong = ((values == 0) & (label == 1)) | ((values == 1) & ((label == 0) | (label == -1)))
            self.note("certain and wrong", model, _rows(wrong), "", at)
            given = _given(np.unique(one).tolist(), one, other)
            found = replace(found, errors=errors, given=given, pairs=pairs_of(one, other))
        elif text is not None and values.ndim == 1:
            words = np.array(text.to_pylist(), dtype=object)
            found = replace(found, given=_given(_counts(text), words, values))
        if values.ndim == 2:
            found = replace(
                found, rows=self.rowwise(model, values[finite], None if code is None else code[finite], at[finite])
            )
        return replace(found, values=Distribution.of(values.ravel()))

    def rowwise(self, model: str, rows: FloatArray, code: IntArray | None, at: IntArray) -> Rowwise:
        """The facts of the rows of a vector prediction without infinities."""
        k = rows.shape[1]
        if not len(rows):
            return Rowwise.zero(k)
        total, high = row_sum(rows), rows.max(axis=1)
        with np.errstate(over="ignore", under="ignore"):
            spread = row_sum(np.exp(rows - high[:, None]))
            log_sum = high + np.log(spread)
        positive = rows.min(axis=1) >= 0
        self.note("off sum", model, positive & (np.abs(total - 1.0) > SIMPLEX_ERROR), total, at)
        self.note("off 100", model, ~positive | (np.abs(total - 100.0) > PERCENT_ERROR), total, at)
        self.note("off log sum", model, np.abs(log_sum) > SIMPLEX_ERROR, "", at)
        self.note("no sum", model, ~positive | (total <= 0), total, at)
        self.note("equal columns", model, rows.min(axis=1) == high, "", at)
        pick = rows.argmax(axis=1)
        found = replace(
            Rowwise.zero(k), low=rows.min(axis=0), high=rows.max(axis=0), picks=np.bincount(pick, minlength=k)
        )
        if code is None:
            return found
        known = code >= 0
        rows, code, pick, at = rows[known], code[known], pick[known], at[known]
        chosen = rows[np.arange(len(rows)), code]
        self.note("hit", model, pick == code, "", at)
        self.note("miss by most", model, (rows.argmin(axis=1) == code) & (pick != code), "", at)
        self.note("sure hit", model, (chosen == 1) & (row_sum(np.abs(rows)) == 1), "", at)
        self.note("certain and wrong", model, chosen == 0, "", at)
        return replace(
            found,
            labels=np.bincount(code, minlength=k),
            confusion=None if k > CONFUSED else np.bincount(code * k + pick, minlength=k * k).reshape(k, k),
            probability=Distribution.of(chosen),
            surprise=Distribution.of(np.maximum(log_sum[known] - chosen, 0.0)),
        )


def _rows(mask: BoolArray) -> BoolArray:
    return mask if mask.ndim == 1 else np.asarray(mask.any(axis=1))


def _every(mask: BoolArray) -> BoolArray:
    return mask if mask.ndim == 1 else np.asarray(mask.all(axis=1))


def _counts(words: pa.Array) -> dict[str, int]:
    counted = pc.value_counts(words).to_pylist()
    return {entry["values"]: entry["counts"] for entry in counted}


def _given(labels: Collection[float | str], label: npt.NDArray[Any], values: FloatArray) -> Given:
    if len(labels) > 2:
        return Given(None)
    return Given({one: Distribution.of(values[label == one]) for one in labels})
