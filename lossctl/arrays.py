"""The door for arrays: what callers give as one becomes numbers of one type, or an error that says what came."""

import sys
from collections.abc import Iterator
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from lossctl.domain import FloatArray
from lossctl.errors import DataError, UsageError, reason
from lossctl.words import said

NEEDED = "an array of numbers, (n,) or (n, k)"
ROUNDED = "No float64 is that integer: subtract what all have in common first."
EXACT = 1 << 53
"""From here on, some integers are no doubles."""
WIDE = 8
"""How many bytes integers have that may be beyond."""
NUMERIC = "biuf"
"""The kinds of dtypes that hold real numbers: booleans, integers with and without a sign, floating-point numbers."""


def numbers(values: npt.ArrayLike, title: str, hint: str = "") -> FloatArray:
    """What somebody gave as numbers, as a float64 array of ``(n,)`` or ``(n, k)``.

    Args:
        values: an array, or what NumPy makes one of.
        title: what messages call it.
        hint: what to do where it holds no numbers.

    Raises:
        UsageError: it has other dimensions, or holds something else.
        DataError: a number is missing or too large, or an integer that no float64 is.
    """
    if (
        type(values) is np.ndarray
        and values.dtype == np.float64
        and (values.ndim == 1 or (values.ndim == 2 and values.shape[1]))
    ):
        return values
    array = array_of(values, title)
    if array.dtype.kind == "O":
        array = _converted(array, values, title, hint)
    elif array.dtype.kind not in NUMERIC:
        raise UsageError(f"{title} must be {NEEDED}, not {said(array if array.ndim else values)}", hint)
    if array.ndim not in {1, 2} or 0 in array.shape[1:]:
        came = said(array) if array.ndim else f"single numbers such as {said(values)}"
        raise UsageError(f"{title} must be {NEEDED}, not {came}")
    with np.errstate(over="ignore"):  # a longer float may be no double
        doubles = array.astype(np.float64, copy=False)
    if array.dtype.itemsize == WIDE and array.dtype.kind in "iu":
        _ensure_exact(array, doubles, title)
    return doubles


def _ensure_exact(array: npt.NDArray[Any], doubles: FloatArray, title: str) -> None:
    """Check that integers are still themselves; a `DataError` where one is rounded."""
    if not array.size or max(int(array.max()), -int(array.min())) <= EXACT:
        return
    for place in np.flatnonzero(np.abs(doubles) >= EXACT):
        whole = int(array.flat[place])
        if int(doubles.flat[place]) != whole:
            raise DataError(f"{title} holds {whole} at {_index(int(place), array)}", ROUNDED)


def array_of(values: Any, title: str) -> npt.NDArray[Any]:
    """What somebody gave as an array, of any type.

    Raises:
        UsageError: NumPy makes no array of it, as of rows of different lengths.
        DataError: some of it is masked.
    """
    if is_masked(values):
        mask = np.ma.getmaskarray(values)
        if mask.any():
            raise DataError(f"{title} is masked {_place(mask)}", "Leave such rows out.")
        return np.asarray(values.data)
    try:
        array = np.asarray(values)
        if array.dtype.kind == "f" and isinstance(values, list) and all(type(value) is int for value in values):
            array = np.asarray(values, dtype=object)  # 64 bits do not hold them all, and doubles may round them
        return array
    except Exception as error:  # noqa: BLE001  (whatever a stranger's __array__ does)
        ragged = isinstance(values, list | tuple) and "inhomogeneous" in str(error)
        why = "rows of different lengths" if ragged else reason(error)
        raise UsageError(f"{title} must be an array, not {said(values)}: {why}") from None


def is_masked(values: object) -> bool:
    """Whether an array says which of its numbers do not count."""
    return "numpy.ma" in sys.modules and isinstance(values, np.ma.MaskedArray)  # to import it takes 10 ms


def missing(value: object) -> bool:
    """Whether an object stands for a number that is not there: ``None``, or what pandas has for it."""
    return value is None or type(value).__name__ in {"NAType", "NaTType"}


def is_number(value: object) -> bool:
    """Whether an object is a real number."""
    return isinstance(value, Real | Decimal | np.bool_)


def _converted(array: npt.NDArray[Any], values: object, title: str, hint: str) -> FloatArray:
    """The numbers of an array of objects; errors as for `numbers`."""
    if not array.ndim:
        raise UsageError(f"{title} must be {NEEDED}, not {said(values)}", hint)
    return np.array(list(_doubles(array, title, hint)), dtype=np.float64).reshape(array.shape)


def _doubles(array: npt.NDArray[Any], title: str, hint: str) -> Iterator[float]:
    for index, value in enumerate(array.flat):
        if missing(value):
            raise DataError(f"{title} is missing at {_index(index, array)}", "Leave such rows out.")
        if not is_number(value):
            what = f"{title} must be {NEEDED}, not {said(array)} that holds {said(value)} at {_index(index, array)}"
            raise UsageError(what, hint)
        try:
            double = float(value)
            if isinstance(value, Integral) and int(double) != value:
                raise DataError(f"{title} holds {said(value)} at {_index(index, array)}", ROUNDED)
            yield double
        except (OverflowError, ValueError):
            what = f"{title} holds {said(value)} at {_index(index, array)}"
            raise DataError(what, "It is too large for a float64.") from None


def _place(mask: npt.NDArray[np.bool_]) -> str:
    return f"at {_index(int(mask.argmax()), mask)}" if mask.ndim else "as a whole"


def _index(place: int, array: npt.NDArray[Any]) -> str:
    """Where the element of that number stands."""
    index = tuple(map(int, np.unravel_index(place, array.shape)))
    return f"index {index[0] if len(index) == 1 else index}"


def in_python(value: object) -> float | tuple[float, ...]:
    """A number, or the numbers of a row, as Python has them."""
    array = np.asarray(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else tuple(array.tolist())
