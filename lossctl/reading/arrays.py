"""NumPy's files of arrays: what their headers say, and rows of them as columns."""

import ast
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lossctl.arrow import in_arrow
from lossctl.dataclass import dataclass
from lossctl.errors import DataError
from lossctl.words import in_bytes

MAGIC = b"\x93NUMPY"
HEADER = 1 << 16
"""How many bytes a header may have: of a thousand fields it has 30,000."""
WIDEST = 1 << 28
"""How many bytes a row may have."""
SAVE = "Save it as numbers or text: array.astype(float), array.astype(str)."


@dataclass(frozen=True)
class Array:
    """An array in a file."""

    title: str
    """What messages call it."""
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    """Whether it stands column by column."""
    offset: int
    """Where its numbers begin."""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.shape[0]

    @property
    def width(self) -> int:
        """How many columns it has, 1 unless it is two-dimensional."""
        return self.shape[1] if len(self.shape) == 2 else 1

    @property
    def row_bytes(self) -> int:
        """How many bytes a row has."""
        return self.width * self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """How many bytes the rows have."""
        return self.rows * self.row_bytes

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns: its fields, else numbers as of text without a header."""
        return self.dtype.names or tuple(f"#{place}" for place in range(1, self.width + 1))

    def columns(self, rows: npt.NDArray[Any], names: Iterable[str]) -> pa.RecordBatch:
        """Columns of some names of rows."""
        table = rows.reshape(-1, 1) if rows.ndim == 1 and self.dtype.names is None else rows
        places = {name: place for place, name in enumerate(self.names)}
        chosen = [name for name in names if name in places]
        arrays = [cells(table[name] if self.dtype.names else table[:, places[name]]) for name in chosen]
        return pa.RecordBatch.from_arrays(arrays, chosen)

    def empty(self) -> npt.NDArray[Any]:
        """No rows of it."""
        return np.zeros((0, *self.shape[1:]), self.dtype)

    def read(self, file: Any, start: int, stop: int) -> npt.NDArray[Any]:
        """Rows of it from a seekable file; an `OSError` where the file ends before."""
        if not self.fortran or len(self.shape) == 1:
            file.seek(self.offset + start * self.row_bytes)
            return self.rows_in(bytes(file.read((stop - start) * self.row_bytes)), stop - start)
        rows = np.empty((stop - start, self.width), self.dtype)
        for place in range(self.width):
            file.seek(self.offset + (place * self.rows + start) * self.dtype.itemsize)
            rows[:, place] = np.frombuffer(self._whole(file.read(rows[:, :1].nbytes), rows[:, :1].nbytes), self.dtype)
        return rows

    def rows_in(self, body: bytes, rows: int) -> npt.NDArray[Any]:
        """So many rows that stand row by row in bytes; an `OSError` where there are too few of these."""
        body = self._whole(body, rows * self.row_bytes)
        return np.frombuffer(body, self.dtype).reshape(rows, *self.shape[1:])

    def _whole(self, body: bytes, size: int) -> bytes:
        if len(body) != size:
            raise OSError(f"it is cut: {self.title} has fewer numbers than its header says")
        return body


def cells(values: npt.NDArray[Any]) -> pa.Array:
    """The cells of an array ``(n,)`` or ``(n, 1)``, or lists for one of ``(n, k)``."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(cells(np.ascontiguousarray(values).ravel()), values.shape[1])
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    if native.dtype.kind in "SU":
        return _words(native)
    if native.dtype.kind == "b":
        return in_arrow(native.view(np.uint8) != 0)
    if native.dtype == np.float16:
        native = native.astype(np.float32)
    return in_arrow(native)


def _words(values: npt.NDArray[Any]) -> pa.Array:
    """Text, or bytes that are, as Arrow has it; a `UnicodeError` for what is none."""
    words = [word.encode() if isinstance(word, str) else word for word in values.tolist()]
    for word in words if values.dtype.kind == "S" else ():
        word.decode()
    ends = np.cumsum([0, *map(len, words)], dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(words))]
    return pa.Array.from_buffers(pa.large_string(), len(words), buffers)


def read_header(file: Any, title: str) -> Array:
    """What the header says with which an open file begins.

    Args:
        file: stands at its beginning, and then behind the header.
        title: what messages call the array.

    Raises:
        DataError: it is none, or says something that is not read.
    """
    start = bytes(file.read(8))
    if len(start) < 8 or start[:6] != MAGIC or start[6] not in {1, 2, 3}:
        raise DataError(f"{title}: not an array of NumPy: the file begins otherwise", "Is the file whole?")
    count = 2 if start[6] == 1 else 4
    length = int.from_bytes(bytes(file.read(count)), "little")
    if length > HEADER:
        raise DataError(f"{title}: its header has more than {in_bytes(HEADER)}", "Is the file whole?")
    text = bytes(file.read(length))
    try:
        said = ast.literal_eval(text.decode("utf-8" if start[6] == 3 else "latin-1").strip())
        dtype, shape, fortran = np.lib.format.descr_to_dtype(said["descr"]), said["shape"], said["fortran_order"]
        if (
            len(text) != length
            or dtype.subdtype is not None
            or not all(type(size) is int and 0 <= size < 1 << 62 for size in shape)
        ):
            raise ValueError(shape)  # noqa: TRY301
    except (ValueError, TypeError, KeyError, SyntaxError, MemoryError, RecursionError, UnicodeError, OverflowError):
        raise DataError(f"{title}: not an array of NumPy: its header is damaged", "Is the file whole?") from None
    array = Array(title, dtype, tuple(shape), bool(fortran), 8 + count + length)
    _ensure_read(array)
    return array


def _ensure_read(array: Array) -> None:
    """Check that an array has a type and a shape that make columns; a `DataError` where it does not."""
    title, dtype, shape = array.title, array.dtype, array.shape
    if dtype.hasobject:
        what = f"{title}: an array of Python objects, which are never read: that may run anything"
        raise DataError(what, SAVE)
    for name, kind in _fields(dtype):
        what = f"{title}: field {name!r}" if name else title
        if not _is_read(kind.base):
            raise DataError(f"{what}: of NumPy's type {kind.base}, which is not read", SAVE)
        if len(kind.shape) > 1 or 0 in kind.shape:
            raise DataError(f"{what}: of shape {kind.shape} in each row", "Save it as an array of its own.")
    if not 1 <= len(shape) <= 2 or (dtype.names is not None and len(shape) != 1):
        axes = "rows alone" if dtype.names is not None else "rows, or rows and columns"
        hint = _reshaped(shape) if shape else "Leave it out: a column has a number a row."
        raise DataError(f"{title}: an array of shape {shape}: it must have {axes}", hint)
    if array.row_bytes == 0:
        raise DataError(f"{title}: an array of shape {shape}, which has no columns")
    if array.row_bytes > WIDEST:
        raise DataError(
            f"{title}: a row takes {in_bytes(array.row_bytes)}, and more than {in_bytes(WIDEST)} are not read"
        )


def _reshaped(shape: tuple[int, ...]) -> str:
    """How to make rows and columns of an array of more axes; those of one number are no axes."""
    wide = [length for length in shape[1:] if length != 1]
    if len(wide) < 2:
        return f"Reshape it: array.reshape({', '.join(map(str, (shape[0], *wide) if wide else (-1,)))})."
    classes = f"array.reshape(-1, {shape[-1]}) where the last axis is one softmax, a row each"
    return f"Reshape it: {classes}, and so the labels, codes by array.reshape(-1); else array.reshape({shape[0]}, -1)."


def _fields(dtype: np.dtype[Any]) -> Iterator[tuple[str, np.dtype[Any]]]:
    """The fields of a type by name; of a plain type, itself without a name."""
    if dtype.names is None:
        yield "", dtype
    for name in dtype.names or ():
        yield name, dtype[name]


def _is_read(kind: np.dtype[Any]) -> bool:
    """Whether a type is a number or text of some length."""
    return kind.kind in "biufUS" and kind.itemsize > 0 and (kind.kind != "f" or kind.itemsize <= 8)
