"""Many records as text, column by column: what a dictionary for each comes to, in a tenth of the time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lossctl.arrow import filled, in_arrow, in_numpy, scalar, words_in_arrow
from lossctl.dataclass import dataclass
from lossctl.document import strict, word_of
from lossctl.domain import FloatArray
from lossctl.records import Column, Columns, Records, Same, Some, between, entries

CHUNK = 1 << 14
"""Records that are written at a time."""
SHORT, LONG = 1e-4, 1e10
"""Numbers between these, and 0, Arrow writes as Python does, but for the point of whole ones."""
ESCAPED = r'["\\\x00-\x1f]'
"""What JSON has no sign for in a text but behind a backslash."""

Texts: TypeAlias = "str | pa.Array"
"""The text of each record, or the one that all have."""


@dataclass(frozen=True)
class Brackets:
    """How JSON is laid out."""

    opening: str
    between: str
    closing: str
    """What stands before, between and behind the fields of an object."""
    write: Callable[[Any], str]
    """Writes what is inside."""
    inner: Callable[[], "Brackets"]
    """Those of an object inside."""


def objects(records: Records, brackets: Brackets, behind: str) -> Iterator[str]:
    """Some records at a time as JSON objects; numbers that are not finite are null, and named, as `strict` has them.

    Args:
        records: what to write.
        brackets: how.
        behind: what stands behind each.
    """
    for piece in _pieces(records):
        yield _text(_object(piece, brackets), piece.n, behind)


def lines(records: Records, header: Sequence[str], delimiter: str, cell: Callable[[Any], str]) -> Iterator[str]:
    """Some records at a time as lines of delimited text.

    Args:
        records: what to write.
        header: the fields that there are; those that a record lacks are empty.
        delimiter: what stands between cells.
        cell: how a value is written that is no number.
    """
    for piece in _pieces(records):
        columns = (_cells(piece.by_key.get(name, Same(None)), piece.n, cell) for name in header)
        first, *others = columns
        yield _text(chain([first], *((delimiter, column) for column in others)), piece.n, "\n")


def _pieces(records: Records) -> Iterator[Columns]:
    for part in records.parts:
        for start in range(0, part.n, CHUNK):
            stop = min(start + CHUNK, part.n)
            yield Columns(stop - start, {key: between(column, start, stop) for key, column in part.by_key.items()})


def _text(parts: Iterable[Texts], n: int, behind: str) -> str:
    """The texts of so many records, each from parts one behind the other."""
    texts = _joined([*parts, behind])
    if isinstance(texts, str):
        return texts * n
    _, ends, signs = texts.buffers()
    first, last = np.frombuffer(ends, np.int32)[[texts.offset, texts.offset + n]].tolist()
    return str(memoryview(signs)[first:last], "utf-8")


def _joined(parts: Iterable[Texts]) -> Texts:
    merged: list[Texts] = [""]
    for part in parts:
        if isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return merged[0] if len(merged) == 1 else _beside(*merged)


def _beside(*parts: Texts) -> "pa.Array":
    """Texts one behind the other; null where one of them is."""
    return pc.binary_join_element_wise(*map(_operand, parts), scalar(""))


def _where(condition: "pa.Array", texts: Texts, other: str) -> "pa.Array":
    """Texts where a condition holds, and another where it does not."""
    return pc.if_else(condition, _operand(texts), scalar(other))


def _operand(texts: Texts) -> "pa.Array | pa.Scalar":
    return scalar(texts) if isinstance(texts, str) else texts


def _object(columns: Columns, brackets: Brackets) -> Iterator[Texts]:
    if not columns.by_key:
        yield "{}"
        return
    behind = brackets.opening
    for key, column in columns.by_key.items():
        head = f"{behind}{encode_basestring(key)}: "
        behind = brackets.between
        if isinstance(column, Some):
            some = _joined([head, _values(column.values, columns.n, brackets)])
            yield _where(in_arrow(column.present), some, "")
        elif isinstance(column, Columns):
            yield from (head, *_object(column, brackets.inner()))
        else:
            yield from (head, _values(column, columns.n, brackets))
    yield _nonfinite(columns, brackets)
    yield brackets.closing


def _values(column: Column, n: int, brackets: Brackets) -> Texts:
    """Values as JSON."""
    if isinstance(column, Same):
        return brackets.write(strict(column.value))
    if isinstance(column, pa.Array) and pa.types.is_string(column.type):
        return filled(_escaped(column), "null")
    if isinstance(column, np.ndarray | pa.Array):
        known = np.isfinite(_plain(column))
        texts = _where(in_arrow(known), _numbers(column), "null")
        return _where(pc.is_valid(column), texts, "null") if isinstance(column, pa.Array) else texts
    return words_in_arrow([brackets.write(strict(value)) for value in entries(column, n)])


def _cells(column: Column, n: int, cell: Callable[[Any], str]) -> Texts:
    """Values as cells of delimited text."""
    if isinstance(column, Same):
        return cell(column.value)
    if isinstance(column, Some):
        return _where(in_arrow(column.present), _cells(column.values, n, cell), "")
    if isinstance(column, np.ndarray):
        return _numbers(column)
    if isinstance(column, pa.Array) and pa.types.is_floating(column.type):
        return _where(pc.is_valid(column), _numbers(column), "")
    if isinstance(column, pa.Array) and not pc.any(pc.match_substring_regex(column, r"[^\w .-]")).as_py():
        return filled(column, "")
    return words_in_arrow([cell(value) for value in entries(column, n)])


def _numbers(column: "np.ndarray[Any, Any] | pa.Array") -> Texts:
    """Numbers as Python writes them; of an array of Arrow, doubles."""
    values = _plain(column)
    if values.dtype.kind == "f":
        return shortest(values)
    return str(int(values[0])) if (values == values[0]).all() else in_arrow(values).cast(pa.string())


def _plain(column: "np.ndarray[Any, Any] | pa.Array") -> "np.ndarray[Any, Any]":
    """Numbers for NumPy, 0 where there is none."""
    return in_numpy(filled(column, 0.0)) if isinstance(column, pa.Array) else column


def shortest(values: FloatArray) -> "pa.Array":
    """Doubles in the fewest digits that tell them from others, as Python writes them."""
    size = np.abs(values)
    usual = ((size >= SHORT) & (size < LONG)) | (size == 0.0)
    whole = usual & (values == np.trunc(values))
    texts = in_arrow(values).cast(pa.string())
    if whole.any():
        texts = _beside(texts, _where(in_arrow(whole), ".0", ""))
    odd = ~usual & np.isfinite(values)
    return pc.replace_with_mask(texts, in_arrow(odd), words_in_arrow([*map(repr, values[odd].tolist())]))


def _escaped(words: "pa.Array") -> "pa.Array":
    """Texts as JSON has them; null for what is none."""
    if not pc.any(pc.match_substring_regex(words, ESCAPED)).as_py():
        return _beside('"', words, '"')
    return words_in_arrow([None if word is None else encode_basestring(word) for word in words.to_pylist()])


def _nonfinite(columns: Columns, brackets: Brackets) -> Texts:
    """The field that names what is not finite, where anything is."""
    inner, named = brackets.inner(), []
    for key, column in columns.by_key.items():
        words = _words(column, columns.n, inner)
        if words is not None:
            entry = _beside(f"{inner.between}{encode_basestring(key)}: ", words)
            named.append(filled(entry, ""))  # Arrow's own way to skip nulls loses rows that have nothing else
    if not named:
        return ""
    listed = _beside(*named)
    inside = pc.utf8_slice_codeunits(listed, len(inner.between))
    whole = _joined([f'{brackets.between}"nonfinite": {inner.opening}', inside, inner.closing])
    return _where(pc.not_equal(listed, scalar("")), whole, "")


def _words(column: Column, n: int, brackets: Brackets) -> "pa.Array | None":
    """What those that are not finite are called; null for the others, and ``None`` where all are finite."""
    if isinstance(column, np.ndarray) or (isinstance(column, pa.Array) and pa.types.is_floating(column.type)):
        numbers = _plain(column)
        finite = np.isfinite(numbers)
        if finite.all():
            return None
        kind = np.where(np.isnan(numbers), 0, np.where(numbers > 0, 1, 2))
        return words_in_arrow(['"NaN"', '"Infinity"', '"-Infinity"']).take(in_arrow(kind, finite))
    if isinstance(column, Same):
        word = word_of(column.value)
        return None if word is None else words_in_arrow([brackets.write(word)] * n)
    if not isinstance(column, Some | list):
        return None
    values = [record.get("") for record in Columns(n, {"": column})]
    words = [None if word is None else brackets.write(word) for word in map(word_of, values)]
    return words_in_arrow(words) if any(words) else None
