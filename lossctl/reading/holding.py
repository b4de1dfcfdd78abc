"""Where a condition holds: for which rows of a record batch.

What is null, NaN or an empty text is chosen by no comparison, as in SQL. A number is held against the nearest that a
column of its type has.
"""

import operator
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from lossctl.arrays import EXACT
from lossctl.arrow import in_numpy, words_in_arrow
from lossctl.domain import BoolArray
from lossctl.errors import UsageError, option
from lossctl.reading.cells import BadRow, floats, kind_of, scalar_column, text_of
from lossctl.reading.missing import as_number, of_entries
from lossctl.reading.storage import contents, mask_of, plain
from lossctl.reading.where import Among, Comparison, Condition, Joined, Missing, Name, Value
from lossctl.reading.written import numerals
from lossctl.reading.written_dates import ORDERING, is_date, whole, whole_cells

SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
KERNELS = {
    "==": "equal", "!=": "not_equal", "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal",
}  # fmt: skip
"""The functions of `pyarrow.compute` of these."""


def holding(condition: Condition, record: pa.RecordBatch, kinds: dict[str, str]) -> BoolArray:
    """The rows ``(n,)`` for which a condition holds.

    Args:
        condition: over columns of the rows.
        record: the rows.
        kinds: of the columns.

    Raises:
        BadRow: a cell of a column of numbers is none, or a column cannot be read.
        UsageError: a text is no date, and the column holds dates.
    """
    match condition:
        case Joined():
            parts = (holding(part, record, kinds) for part in condition.parts)
            combine = np.logical_and if condition.every else np.logical_or
            rows = next(parts)
            for part in parts:
                rows = combine(rows, part)
            return rows
        case Missing():
            null = _null(plain(record.column(condition.name.name)))
            return ~null if condition.negated else null
        case Among():
            array, kind = plain(record.column(condition.name.name)), kinds[condition.name.name]
            if kind == "text" and kind_of(array.type) == "text":
                rows = _among(array, [str(value.value) for value in condition.values])
            elif kind == "number":
                rows = _among_numbers(array, [value.value for value in condition.values], condition.name.name)
            else:
                rows = np.zeros(len(array), dtype=np.bool_)
                for value in condition.values:
                    rows |= _against(array, "==", value, kind, condition.name.name)
            return ~rows & ~_null(array) if condition.negated else rows
        case Comparison(left=Name() as left, right=Value() as value):
            return _against(plain(record.column(left.name)), condition.sign, value, kinds[left.name], left.name)
        case Comparison(left=Name() as left, right=Name() as right):
            sides = plain(record.column(left.name)), plain(record.column(right.name))
            return _columns(*sides, condition.sign, kinds[left.name], (left.name, right.name))
    raise TypeError(f"not looked up: {condition}")


def _null(array: pa.Array) -> BoolArray:
    """Where cells are null, NaN or an empty text."""
    null = mask_of(array)
    rows = np.zeros(len(array), dtype=np.bool_) if null is None else null
    if pa.types.is_dictionary(array.type):
        return rows | of_entries(_null(array.dictionary), array.indices)
    if pa.types.is_floating(array.type):
        return rows | np.isnan(floats(array))
    if kind_of(array.type) == "text":
        return rows | _words(array, "==", "")
    return rows


def _against(array: pa.Array, sign: str, value: Value, kind: str, name: str) -> BoolArray:
    """Where the cells of a plain array are in a relation to a value."""
    if kind == "number":
        return _numbers(array, sign, value.value, name)  # type: ignore[arg-type]  # text is refused before
    if _is_time(array.type):
        return _true(array, sign, moment(str(value.value), array.type, value.place))
    _ensure_single(array, name)
    words, word = text_of(array, name) if kind_of(array.type) != "text" else array, str(value.value)
    if sign in ORDERING and is_date(word):
        words, word = whole_cells(text_of(words, name), word, name), whole(word)
    rows = _words(words, sign, word)
    below_all_words = sign in {"!=", "<", "<="} and kind_of(array.type) == "text"
    return rows & ~_words(array, "==", "") if below_all_words else rows


def _numbers(array: pa.Array, sign: str, value: float, name: str) -> BoolArray:
    compare = SIGNS[sign]
    if pa.types.is_dictionary(array.type):
        return of_entries(_numbers(array.dictionary, sign, value, name), array.indices)
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    if pa.types.is_decimal(array.type) or kind_of(array.type) == "text":
        return _numerals(array, compare, value, name)
    if kind_of(array.type) != "number":
        raise BadRow(0, f"column {name!r} of type {array.type} holds no numbers")
    if pa.types.is_integer(array.type) and (abs(value) >= EXACT or pa.types.is_uint64(array.type)):
        return _integers(array, sign, value)
    values, null = scalar_column(array)
    if pa.types.is_integer(array.type) and array.type.bit_width == 64:
        values = in_numpy(array.cast(pa.int64()))
        value = int(value) if float(value).is_integer() else value
    rows = np.asarray(compare(values, stored(value, array.type)))
    return rows if null is None else rows & ~null


def _ensure_single(array: pa.Array, name: str) -> None:
    """A `UsageError` where cells are made of others."""
    if pa.types.is_nested(contents(array.type)):
        what = f"{option('where')}: column {name!r} of type {array.type} is not compared"
        raise UsageError(what, "Only is null is asked of such.")


def _among_numbers(array: pa.Array, values: Sequence[Any], name: str) -> BoolArray:
    """Where the numbers of a plain array are one of some."""
    if pa.types.is_dictionary(array.type):
        return of_entries(_among_numbers(array.dictionary, values, name), array.indices)
    array = _as_numbers(array, name)
    cells, null = scalar_column(array)
    rows = np.isin(cells, [stored(value, array.type) for value in values if abs(value) < EXACT])
    rows = rows if null is None else rows & ~null
    for value in values:
        if abs(value) >= EXACT:
            rows |= _numbers(array, "==", value, name)
    return rows


def _integers(array: pa.Array, sign: str, value: float) -> BoolArray:
    """`_numbers` of integers where a double would not do."""
    wide, dtype = (pa.uint64(), np.uint64) if pa.types.is_uint64(array.type) else (pa.int64(), np.int64)
    values = in_numpy(array.cast(wide))
    null = mask_of(array)
    bounds = np.iinfo(dtype)
    if float(value).is_integer() if isinstance(value, float) else True:
        whole = int(value)
        if bounds.min <= whole <= bounds.max:
            rows = np.asarray(SIGNS[sign](values, dtype(whole)))
        else:
            rows = np.full(len(values), SIGNS[sign](0, whole))
    else:
        rows = np.asarray(SIGNS[sign](values.astype(np.float64), value))
    return rows if null is None else rows & ~null


def stored(value: float, kind: pa.DataType) -> float:
    """A number as a column of that type would hold it."""
    for narrow, dtype in ((pa.types.is_float32, np.float32), (pa.types.is_float16, np.float16)):
        if narrow(kind):
            with np.errstate(over="ignore"):
                return float(dtype(value))
    return float(value) if pa.types.is_floating(kind) else value


def _numerals(array: pa.Array, compare: Callable[[Any, Any], Any], value: float, name: str) -> BoolArray:
    """`_numbers` of decimals, and of numbers that are written as text."""
    words = array.cast(pa.string()) if pa.types.is_decimal(array.type) else numerals(text_of(array, name), name)
    values, null = scalar_column(words.cast(pa.float64()))
    rows = np.asarray(compare(values, float(value)))
    if isinstance(value, int) and np.any(np.abs(values) >= EXACT):
        large = np.flatnonzero(np.abs(values) >= EXACT)
        rows = rows.copy()
        rows[large] = [compare(_exactly(words[int(row)].as_py()), value) for row in large]
    return rows if null is None else rows & ~null


def _exactly(word: str | None) -> Decimal | float:
    number = as_number(word or "")
    return np.nan if number is None else Decimal(word or "") if abs(number) < np.inf else number


def _words(array: pa.Array, sign: str, word: str) -> BoolArray:
    """Where the cells of an array of text are in a relation to a word; nowhere where they are null."""
    if pa.types.is_dictionary(array.type):
        return of_entries(_words(array.dictionary, sign, word), array.indices)
    return _true(array, sign, words_in_arrow([word])[0].cast(array.type))


def _among(array: pa.Array, words: Sequence[str]) -> BoolArray:
    """Where the cells of an array of text are one of some words."""
    if pa.types.is_dictionary(array.type):
        return of_entries(_among(array.dictionary, words), array.indices)
    return _truths(pyarrow.compute.is_in(array, value_set=words_in_arrow(words).cast(array.type)))


def _true(left: pa.Array, sign: str, right: Any) -> BoolArray:
    """Where a comparison of Arrow's is true."""
    if pa.types.is_dictionary(left.type):
        return of_entries(_true(left.dictionary, sign, right), left.indices)
    return _truths(getattr(pyarrow.compute, KERNELS[sign])(left, right))


def _truths(rows: pa.Array) -> BoolArray:
    """Where booleans are true."""
    null = mask_of(rows)
    values = in_numpy(rows.cast(pa.uint8())) != 0
    return values if null is None else np.asarray(values & ~null)


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_temporal(contents(kind)))


def moment(word: str, kind: pa.DataType, place: int) -> Any:
    """A date or time in the type of a column, as a scalar of Arrow's; without a zone it is one of the column's.

    Raises:
        UsageError: the word is none.
    """
    kind = contents(kind)
    scalar = words_in_arrow([word])[0]
    try:
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            try:
                return scalar.cast(kind)
            except pa.ArrowInvalid:
                return pyarrow.compute.assume_timezone(scalar.cast(pa.timestamp(kind.unit)), kind.tz)
        if pa.types.is_time(kind):
            return words_in_arrow([f"1970-01-01 {word}"])[0].cast(pa.timestamp("us")).cast(pa.time64("us")).cast(kind)
        return scalar.cast(kind)
    except pa.ArrowException:
        example = "12:30:00" if pa.types.is_time(kind) else "2024-01-31"
        what = f"{option('where')}, character {place}: {word!r} is nothing that a column of type {kind} holds"
        raise UsageError(what, "" if pa.types.is_duration(kind) else f'Such as "{example}".') from None


def _columns(left: pa.Array, right: pa.Array, sign: str, kind: str, names: tuple[str, str]) -> BoolArray:
    """Where the cells of two columns of one kind are in a relation."""
    if kind == "number":
        first, second = (_as_numbers(array, name) for array, name in zip((left, right), names, strict=True))
        return _two_numbers(first, second, sign)
    for array, name in zip((left, right), names, strict=True):
        _ensure_single(array, name)
    empty = _null(left) | _null(right)
    if _is_time(left.type) and _is_time(right.type):
        first, second = _decoded(left), _decoded(right)
        try:
            return _true(_beside(first, second), sign, _beside(second, first)) & ~empty
        except pa.ArrowException:
            kinds = f"{first.type} and {second.type}"
            what = f"{option('where')}: columns {names[0]!r} and {names[1]!r} cannot be compared: {kinds}"
            raise UsageError(what) from None
    return _true(text_of(left, names[0]), sign, text_of(right, names[1])) & ~empty


def _beside(array: pa.Array, other: pa.Array) -> pa.Array:
    """Dates and times as Arrow compares them with others: without a zone they are of that of the others."""
    if not pa.types.is_timestamp(other.type) or not (pa.types.is_date(array.type) or pa.types.is_timestamp(array.type)):
        return array
    array = array.cast(pa.timestamp("ms")) if pa.types.is_date(array.type) else array
    if other.type.tz is None or other.type.tz == array.type.tz:
        return array
    if array.type.tz is None:
        return pyarrow.compute.assume_timezone(array, other.type.tz, ambiguous="earliest", nonexistent="earliest")
    return array.cast(pa.timestamp(array.type.unit, min(array.type.tz, other.type.tz)))


def _two_numbers(left: pa.Array, right: pa.Array, sign: str) -> BoolArray:
    """`_columns` of numbers; exact but for one that is no double beside one that is."""
    kinds = left.type, right.type
    if all(pa.types.is_integer(kind) and not pa.types.is_uint64(kind) for kind in kinds):
        return _true(left.cast(pa.int64()), sign, right.cast(pa.int64()))
    (first, null), (second, other) = scalar_column(left), scalar_column(right)
    rows = np.asarray(SIGNS[sign](first, second))
    for mask in (null, other):
        rows = rows if mask is None else rows & ~mask
    if any(map(pa.types.is_floating, kinds)):
        return rows
    if all(pa.types.is_integer(kind) or pa.types.is_decimal(kind) for kind in kinds):
        try:
            return _true(_as_decimals(left), sign, _as_decimals(right))
        except pa.ArrowException:  # together they have more digits than Arrow's decimals
            pass
    unsure = (first == second) & (np.abs(first) >= EXACT)
    for mask in (null, other):
        unsure = unsure if mask is None else unsure & ~mask
    rows = rows.copy()
    for row in np.flatnonzero(unsure):
        rows[row] = SIGNS[sign](_exactly(str(left[int(row)].as_py())), _exactly(str(right[int(row)].as_py())))
    return rows


def _as_decimals(array: pa.Array) -> pa.Array:
    kind = array.type
    return array.cast(pa.decimal256(kind.precision, kind.scale) if pa.types.is_decimal(kind) else pa.decimal256(20, 0))


def _decoded(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _as_numbers(array: pa.Array, name: str) -> pa.Array:
    array = _decoded(array)
    if kind_of(array.type) == "text":
        return numerals(text_of(array, name), name)
    return array.cast(pa.int8()) if pa.types.is_boolean(array.type) else array
