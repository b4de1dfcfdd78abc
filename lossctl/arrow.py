"""Arrays of NumPy and Python as those of Arrow, and back: Arrow's own ways import pandas, which takes half a second."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lossctl.domain import BoolArray


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


def in_numpy(array: pa.Array) -> npt.NDArray[Any]:
    """Numbers of which none is null."""
    kind = array.type.to_pandas_dtype()
    return np.frombuffer(array.buffers()[1], kind, len(array), array.offset * np.dtype(kind).itemsize)


def _bits(truths: BoolArray) -> pa.Buffer:
    return pa.py_buffer(np.packbits(truths, bitorder="little"))
