"""From a record batch to facts: the rows that some finding asks for, counted, each kind with its first row."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lossctl.arrow import filled, in_arrow, words_in_arrow
from lossctl.domain import WIDE, BoolArray, FloatArray, IntArray, distinct, row_sum
from lossctl.functions.softmax import largest_and_total
from lossctl.inference.facts import CONFUSED, IDS, NOBODY, Facts, Given, Predicted, Rowwise, Words, pairs_of
from lossctl.inference.layout import Layout
from lossctl.inference.reader import Reader
from lossctl.inference.roles import Model
from lossctl.inference.rounding import Ends, slack_of
from lossctl.reading.cells import class_number, floats
from lossctl.reading.storage import mask_of
from lossctl.row_domains import SIMPLEX_ERROR
from lossctl.sums.distribution import Distribution
from lossctl.sums.problems import Problems
from lossctl.sums.sketch import Sketch, hash_words

UNIT = Ends(0.0, 1.0)

PROBABLE = 2.0**10
"""Of probabilities one at least is so many times what is rounding."""

BLOCK = 1 << 16
"""Numbers whose exponentials are in the cache together."""

PERCENT_ERROR = 0.5
"""How far rows of percentages may be from 100."""


def gather(layout: Layout, record: pa.RecordBatch, _clock: object = None, *, sampled: bool = False) -> Facts:
    """The facts of a record batch: what `lossctl.inference.facts` keeps of its columns and rows.

    Args:
        layout: how its columns are read.
        record: the rows.
        sampled: whether they are some of many, so that some of the numbers of wide ones tell how all are spread.
    """
    return _Gatherer(record, layout, sampled=sampled).facts()


class _Gatherer(Reader):
    """Reads the columns of one record batch and counts what is in them."""

    def __init__(self, record: pa.RecordBatch, layout: Layout, *, sampled: bool) -> None:
        super().__init__(record)
        self.layout, self.sampled = layout, sampled

    def count(
        self, kind: str, column: str, rows: BoolArray, value: object = "", position: IntArray | None = None
    ) -> None:
        """Count the rows of a mask.

        Args:
            kind: what they have in common.
            column: the column, or the model.
            rows: which rows.
            value: what stands in them: an array with one entry a row, or words for all.
            position: where those rows stand in the batch, where they are not all of it.
        """

        def words(row: int) -> str:
            entry = value[row] if isinstance(value, np.ndarray) else value
            return f"{entry:.6g}" if isinstance(entry, float) else str(entry)

        self.note((kind, column, ""), rows, words, position)

    def facts(self) -> Facts:
        """All facts of the batch."""
        layout, roles = self.layout, self.layout.roles
        weight = Distribution.zero()
        self.ignore(layout)
        if roles.weight is not None:
            weights = self.numbers(roles.weight)
            self.skipped |= (weights == 0) & ~self.null
            for kind, mask in (("below 0", weights < 0), ("infinite", np.isinf(weights))):
                self.count(kind, roles.weight, mask & ~(self.null | self.ignored), weights)
            weight = Distribution.of(weights[~(self.null | self.ignored)])
        text = None
        if layout.text:
            text = self.text(roles.label[0])
            self.missing(roles.label[0], mask_of(text))
        label = None if text is not None else self.label(layout)
        named = ~(self.null | self.skipped)
        predictions = [
            None if model.name in layout.unread else self.columns(model.columns, model.width) for model in layout.models
        ]
        ids = self.ids()
        used = ~(self.null | self.skipped)
        for column in self.rests:
            self.rounded(column)
        position = np.flatnonzero(used)
        predictions = [None if values is None else _of(values, used) for values in predictions]
        coded = layout.vectors and not layout.label_width and not layout.numbers
        # A name that is no class stops eval wherever it stands; a code only in a row that is measured.
        counted = used if layout.class_labels == "codes" else named
        code = self.codes(label if text is None else text, counted)[used] if coded else None
        words = Words()
        if text is not None:
            words = Words(_counts(text.filter(in_arrow(named)))) + Words()
            text = text.filter(in_arrow(used))
            unpredicted = Distribution.zero()
        else:
            labels = np.asarray(label)
            label, unpredicted = labels[used], Distribution.of(_known(labels[named & ~used]))
            self.of_label(label, position)
        models = tuple(
            Predicted.zero(model.width)
            if values is None
            else self.predicted(model.name, self.clipped(model, values, position), label, text, code, position)
            for model, values in zip(layout.models, predictions, strict=True)
        )
        return Facts(
            self.n,
            len(position),
            int((self.skipped & ~self.null & ~self.ignored).sum()),
            int(self.ignored.sum()),
            Problems(self.problems),
            Distribution.zero() if label is None else Distribution.of(_known(label)),
            unpredicted,
            words,
            weight,
            ids,
            models,
        )

    def ids(self) -> Sketch:
        """The ids of all rows that have one; a row without is measured all the same."""
        names, identified = self.layout.ids, np.ones(self.n, dtype=np.bool_)
        if not names:
            return NOBODY
        columns = [self.text(name) for name in names]
        for name, column in zip(names, columns, strict=True):
            null = mask_of(column)
            if null is not None:
                self.count("null", name, null, "null")
                identified &= ~null
        return Sketch.of(
            IDS, hash_words(column.to_pylist() for column in columns)[identified], np.flatnonzero(identified)
        )

    def of_label(self, label: FloatArray, position: IntArray) -> None:
        """Count what is notable about labels that are numbers, ``(n,)`` or ``(n, k)``, of rows at ``position``."""
        title, out = self.layout.roles.label[0], np.isnan(label)
        fraction = (np.floor(label) != label) & ~out
        for kind, mask in (("infinite", np.isinf(label)), ("zero", label == 0), ("fraction", fraction)):
            self.count(f"label {kind}", title, _rows(mask), label if label.ndim == 1 else "", position)
        if label.ndim == 2:
            off = (np.abs(row_sum(label) - 1.0) > SIMPLEX_ERROR) | (label < 0).any(axis=1) | out.any(axis=1)
            self.count("label off sum", title, off, "", position)

    def codes(self, label: Any, counted: BoolArray) -> IntArray:
        """The class of each label as the place of its column; −1 where there is none, noted in the rows that count."""
        layout, names = self.layout, self.layout.classes
        k = max(model.width for model in layout.models)
        if layout.text:
            values = words_in_arrow(names or ())
            code = floats(filled(pc.index_in(label, value_set=values), -1)).astype(np.int64)
            labels: Any = np.array(label.to_pylist(), dtype=object) if (code < 0).any() else ""
        else:
            numbers = np.arange(k, dtype=np.float64)
            if layout.class_labels == "numbers" and names is not None:
                numbers = np.array([class_number(name) for name in names], dtype=np.float64)
            order = np.argsort(numbers)
            place = np.clip(np.searchsorted(numbers[order], label), 0, len(numbers) - 1)
            code, labels = np.where(numbers[order][place] == label, order[place], -1), label
        self.count("unknown class", layout.roles.label[0], (code < 0) & counted, labels)
        return code

    def clipped(self, model: Model, values: FloatArray, position: IntArray) -> FloatArray:
        """The predictions of a model, with what rounding put beyond 0 or 1 taken back and counted."""
        slack = slack_of(self.record, model.columns)
        if values.max(initial=-np.inf) < PROBABLE * slack.max(initial=0.0):  # as of numbers in units far too large
            return values
        values, beyond = UNIT.clip(values, slack)
        if beyond is not None:
            self.count("rounding", model.name, beyond, "", position)
        return values

    def predicted(
        self,
        model: str,
        values: FloatArray,
        label: FloatArray | None,
        text: pa.Array | None,
        code: IntArray | None,
        position: IntArray,
    ) -> Predicted:
        """The facts of one model.

        Args:
            model: its name.
            values: its predictions in the rows used, ``(n,)`` or ``(n, k)``.
            label: the labels of those rows, ``(n,)`` or ``(n, k)``; ``None`` where they are text.
            text: the labels where they are text.
            code: the class of each label as the place of its column, where it has one.
            position: where those rows stand in the batch.
        """
        low, high = (values, values) if values.ndim == 1 else (values.min(axis=1), values.max(axis=1))
        no_score = np.isinf(high) if values.ndim == 2 else np.isinf(values)  # -inf is the score of an impossible class
        for kind, mask in (
            ("infinite", np.isinf(low) | np.isinf(high)),
            ("no score", no_score),
            ("below 0", low < 0),
            ("above 1", high > 1),
            ("saturated", _rows((values == 0) | (values == 1))),
            ("fraction", _with_fraction(values)),
        ):
            self.count(kind, model, mask, values if values.ndim == 1 else "", position)
        scored = ~no_score
        predicted = Predicted.zero(values.shape[1] if values.ndim == 2 else 0)
        if label is not None and label.shape == values.shape:
            out, fraction = np.isnan(label), np.floor(values) != values
            equal = label == values
            self.count("equal", model, _every(equal | out), values if values.ndim == 1 else "", position)
            same = _every((equal & fraction) | out)
            self.count("equal fraction", model, same, values if values.ndim == 1 else "", position)
            labels, numbers = _known(label), values[~out]
            with np.errstate(invalid="ignore", over="ignore"):
                errors = Distribution.of(np.abs(numbers - labels))
            wrong = ((values == 0) & (label == 1)) | ((values == 1) & ((label == 0) | (label == -1)))
            self.count("certain and wrong", model, _rows(wrong), "", position)
            given = _given(distinct(labels).tolist(), labels, numbers)
            predicted = replace(predicted, errors=errors, given=given, pairs=pairs_of(labels, numbers))
        elif text is not None and values.ndim == 1:
            words = np.array(text.to_pylist(), dtype=object)
            predicted = replace(predicted, given=_given(_counts(text), words, values))
        if values.ndim == 2:
            predicted = replace(
                predicted,
                rows=self.rowwise(
                    model,
                    _of(values, scored),
                    None if code is None else code[scored],
                    position[scored],
                    label[scored] if code is not None and label is not None else None,
                ),
            )
        return replace(predicted, values=self.spread(values))

    def spread(self, values: FloatArray) -> Distribution:
        """How the numbers of a model are spread: of a sample of wide rows those of some, within the ends of all."""
        step = -(-values.shape[1] // WIDE) if self.sampled and values.ndim == 2 else 1
        some = Distribution.of(values[::step].ravel())
        if step == 1 or not some.n:
            return some
        finite = np.isfinite(values)
        low, high = values.min(where=finite, initial=np.inf), values.max(where=finite, initial=-np.inf)
        return replace(some, infinite=int(finite.size - finite.sum()), low=float(low), high=float(high))

    def rowwise(
        self, model: str, rows: FloatArray, code: IntArray | None, position: IntArray, label: FloatArray | None
    ) -> Rowwise:
        """The facts of the rows of a vector prediction; those of impossible classes count for what scores they are.

        Args:
            model: its name.
            rows: the predictions, ``(n, k)``, finite or -inf.
            code: the class of each label as the place of its column, −1 where there is none, or ``None``.
            position: where the rows stand in the batch.
            label: the labels of classes as numbers, ``(n,)``, or ``None``.
        """
        k = rows.shape[1]
        if not len(rows):
            return Rowwise.zero(k)
        high = rows.max(axis=1)
        step = max(BLOCK // k, 1)
        parts = (largest_and_total(rows[start : start + step]) for start in range(0, len(rows), step))
        log_sum = np.concatenate([largest + log_total for largest, log_total in parts])
        self.count("off log sum", model, np.abs(log_sum) > SIMPLEX_ERROR, "", position)
        finite = np.isfinite(low := rows.min(axis=1))
        if not finite.all():
            rows, low, high, log_sum, position = (each[finite] for each in (rows, low, high, log_sum, position))
            code = None if code is None else code[finite]
            label = None if label is None else label[finite]
            if not len(rows):
                return Rowwise.zero(k)
        total = row_sum(rows)
        positive = low >= 0
        self.count("off sum", model, positive & (np.abs(total - 1.0) > SIMPLEX_ERROR), total, position)
        self.count("off 100", model, ~positive | (np.abs(total - 100.0) > PERCENT_ERROR), total, position)
        self.count("no sum", model, ~positive | (total <= 0), total, position)
        self.count("equal columns", model, low == high, "", position)
        pick = rows.argmax(axis=1)
        rowwise = replace(
            Rowwise.zero(k), low=rows.min(axis=0), high=rows.max(axis=0), picks=np.bincount(pick, minlength=k)
        )
        if label is not None:
            rowwise = replace(rowwise, shift=Distribution.of(label - pick))
        if code is None:
            return rowwise
        coded = code >= 0
        rows, code, pick, position = _of(rows, coded), code[coded], pick[coded], position[coded]
        chosen = rows[np.arange(len(rows)), code]
        self.count("hit", model, pick == code, "", position)
        self.count("miss by most", model, (rows.argmin(axis=1) == code) & (pick != code), "", position)
        sure = np.flatnonzero(chosen == 1)
        alone = np.zeros(len(rows), dtype=np.bool_)
        alone[sure] = row_sum(np.abs(rows[sure])) == 1
        self.count("sure hit", model, alone, "", position)
        self.count("certain and wrong", model, chosen == 0, "", position)
        return replace(
            rowwise,
            labels=np.bincount(code, minlength=k),
            confusion=None if k > CONFUSED else np.bincount(code * k + pick, minlength=k * k).reshape(k, k),
            probability=Distribution.of(chosen),
            surprise=Distribution.of(np.maximum(log_sum[coded] - chosen, 0.0)),
        )


def _rows(mask: BoolArray) -> BoolArray:
    return mask if mask.ndim == 1 else np.asarray(mask.any(axis=1))


def _with_fraction(values: FloatArray) -> BoolArray:
    """Rows that hold a number that is no integer: most wide ones have one among the first."""
    if values.ndim == 1 or values.shape[1] <= WIDE:
        return _rows(np.floor(values) != values)
    rows = _rows(np.floor(values[:, :WIDE]) != values[:, :WIDE])
    whole = np.flatnonzero(~rows)
    rows[whole] = _rows(np.floor(values[whole]) != values[whole])
    return rows


def _of(values: FloatArray, rows: BoolArray) -> FloatArray:
    """Some rows; all of them are no copy."""
    return values if rows.all() else values[rows]


def _known(label: FloatArray) -> FloatArray:
    """The single labels ``(m,)`` of rows, without those that are left out."""
    return label[~np.isnan(label)]


def _every(mask: BoolArray) -> BoolArray:
    return mask if mask.ndim == 1 else np.asarray(mask.all(axis=1))


def _counts(words: pa.Array) -> dict[str, int]:
    counted = pc.value_counts(words).to_pylist()
    return {entry["values"]: entry["counts"] for entry in counted}


def _given(labels: Collection[float | str], label: npt.NDArray[Any], values: FloatArray) -> Given:
    if len(labels) > 2:
        return Given(None)
    return Given({name: Distribution.of(values[label == name]) for name in labels})
