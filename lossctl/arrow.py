"""Arrays of NumPy and Python as those of Arrow, and back: Arrow's own ways import pandas, which takes half a second."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lossctl.domain import BoolArray, IntArray

FLOATS = {"double": "float64", "float": "float32", "halffloat": "float16"}
"""What NumPy calls the numbers that Arrow calls otherwise."""


def in_arrow(values: npt.NDArray[Any], missing: BoolArray | None = None) -> pa.Array:
    """Numbers or truths ``(n,)``.

    Args:
        values: what they are.
        missing: which are to be null, ``(n,)``; ``None`` where none is.
    """
    if values.dtype == bool:
        kind, held = pa.bool_(), _bits(values)
    else:
        kind, held = pa.from_numpy_dtype(values.dtype), pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None if missing is None else _bits(~missing), held])


def words_in_arrow(words: Sequence[str | None]) -> pa.Array:
    """Texts; ``None`` is null."""
    encoded = [b"" if word is None else word.encode() for word in words]
    ends = pa.py_buffer(np.cumsum([0, *map(len, encoded)], dtype=np.int32))
    known = _bits(np.array([word is not None for word in words])) if None in words else None
    return pa.StringArray.from_buffers(len(words), ends, pa.py_buffer(b"".join(encoded)), known)


def scalar(value: float | str | None, kind: pa.DataType | None = None) -> pa.Scalar:
    """A number, a text or null, as functions of Arrow are to be given them: what is Python's has them import pandas.

    Args:
        value: what it is.
        kind: the type of the arrays that it meets, where those are neither texts, nor numbers as Python has them.
    """
    if value is None:
        return pa.nulls(1, kind or pa.string())[0]
    single = words_in_arrow([value])[0] if isinstance(value, str) else in_arrow(np.array([value]))[0]
    return single if kind is None else single.cast(kind)


def filled(array: pa.Array, value: float | str) -> pa.Array:
    """An array with a value in place of null."""
    return array.fill_null(scalar(value, array.type)) if array.null_count else array


def in_numpy(array: pa.Array) -> npt.NDArray[Any]:
    """Numbers or truths ``(n,)``; undefined where one is null."""
    if pa.types.is_boolean(array.type):
        first, before = divmod(array.offset, 8)
        bits = np.frombuffer(array.buffers()[1], np.uint8)[first:]
        return np.unpackbits(bits, count=before + len(array), bitorder="little")[before:].view(np.bool_)
    kind = np.dtype(FLOATS.get(str(array.type), str(array.type)))
    return np.frombuffer(array.buffers()[1], kind, len(array), array.offset * kind.itemsize)


def cells_in_python(array: pa.Array) -> list[Any]:
    """The cells as Python has them, ``None`` for null.

    Raises:
        ArrowInvalid: Python has none such: a date that it cannot count to, a zone that it does not know.
    """
    try:
        return list(array.to_pylist())
    except (KeyError, OverflowError, ValueError) as error:  # a KeyError where pytz is installed
        raise pa.ArrowInvalid(f"Python cannot hold a cell: {error}") from error


def room(n: int) -> IntArray:
    """Integers ``(n,)`` to be written over, in memory that Arrow keeps when it is freed.

    What is large the C library gives back, and takes anew page by page, which takes longer than to fill it.
    """
    return np.frombuffer(pa.allocate_buffer(8 * n), dtype=np.int64)


def _bits(truths: BoolArray) -> pa.Buffer:
    return pa.py_buffer(np.packbits(truths, bitorder="little"))
