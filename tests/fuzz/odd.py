"""Arguments for the fuzzer of the library that fit little, and arrays that hold no numbers or not as many.

Each is made anew when it is asked for: some can be used only once.
"""

import datetime as dt
import decimal
import fractions
import io
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


class Odd:
    """What cannot be made an array, a number or a path."""

    def __array__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("no array")

    def __fspath__(self) -> Any:
        return b"path"


def closed_file() -> io.StringIO:
    """A file that is shut."""
    file = io.StringIO("y,p\n1,2\n")
    file.close()
    return file


VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        7,
        2**70,
        10**400,
        10**5000,
        0.5,
        -0.0,
        float("nan"),
        float("inf"),
        1j,
        ...,
        int,
        len,
    ),
    *("", " ", "x", "y", "p", "a,b", "\0", "-", "mse", "huber:delta=x", "sigmoid", "\udcff", b"bytes", b"", ValueError),
    *(decimal.Decimal("0.5"), fractions.Fraction(1, 3), np.float32(0.5), np.int64(1), np.bool_(1), np.str_("y")),
    *(np.datetime64("2020"), dt.date(2020, 1, 1), pd.NA, pd.NaT, range(3), slice(1)),
)
PLAIN: tuple[Callable[[], Any], ...] = (
    *(lambda value=value: value for value in VALUES),
    *(dict, set, list, tuple, object, Odd, closed_file, lambda: (value for value in "ab"), lambda: {1, 2}),
    *(lambda: {"y": 1}, lambda: pathlib.Path("none.csv"), lambda: memoryview(b"ab"), lambda: ["a", 1, None]),
    *(lambda: [b"y"], lambda: [[]], lambda: pa.scalar(1), lambda: pa.schema([])),
)
"""What makes arguments that fit little."""


def bad_arrays(n: int) -> tuple[Callable[[], Any], ...]:
    """Arrays that hold no numbers, or not as many."""
    return (
        lambda: ["a"] * n,
        lambda: [None] * n,
        lambda: [[1.0]] + [[1.0, 2.0]] * (n - 1),
        lambda: np.zeros((n, 2, 2)),
        lambda: np.zeros(n + 1),
        lambda: np.zeros((n, 1)),
        lambda: np.zeros((1, n)),
        lambda: np.zeros((n, 0)),
        lambda: np.float64(1.0),
        list,
        lambda: np.zeros(0),
        lambda: np.zeros((0, 3)),
        lambda: np.ones(n, complex),
        lambda: np.array(["2020"] * n, "M8[s]"),
        lambda: np.zeros(n, "m8[ns]"),
        lambda: np.zeros(n, [("a", float)]),
        lambda: np.ma.masked_array(np.ones(n), [True] + [False] * (n - 1)),
        lambda: np.ma.masked_array(np.ones(n)),
        lambda: np.ma.masked_all((n, 2)),
        lambda: np.array([b"a"] * n),
        lambda: np.array([object()] * n),
        lambda: [{}] * n,
        lambda: pd.Series(["a"] * n),
        lambda: pd.Series([1, None] * n, dtype="Int64")[:n],
        lambda: pd.Series([pd.NA] * n),
        lambda: pd.Series(pd.arrays.SparseArray([1.0] * n)),
        lambda: pd.Categorical(["a"] * n),
        lambda: pd.RangeIndex(n),
        lambda: pd.DataFrame({"a": [1.0] * n}),
        lambda: pd.Series(pd.date_range("2020", periods=n)),
        lambda: pa.array([None] * n),
        lambda: pa.array(["a"] * n),
        lambda: pa.array([[1.0]] * n),
        lambda: pa.chunked_array([[1.0] * n]),
        lambda: pa.nulls(n),
        lambda: pa.table({"a": [1.0] * n}),
        lambda: [2**70] * n,
        lambda: [10**400] * n,
        lambda: [decimal.Decimal(1)] * n,
        lambda: [decimal.Decimal("sNaN")] * n,
        lambda: np.full(n, np.nan),
        lambda: np.full(n, -np.inf),
        lambda: [True] * n,
        lambda: np.ones(n, np.float16),
        lambda: np.ones(n, np.longdouble),
        lambda: np.full(n, 2**63, np.uint64),
        lambda: n,
        lambda: np.matrix([[1.0]] * n),
        lambda: iter([1.0] * n),
        lambda: pd.Series([[1.0, 2.0]] * n),
        lambda: np.ones(n, ">f8"),
        lambda: pd.Series([1.5, None] * n, dtype=pd.ArrowDtype(pa.float64()))[:n],
        lambda: np.broadcast_to(1.0, (n, 3)),
        lambda: pd.Series([2**70] + [1] * (n - 1), dtype=object),
        lambda: np.full((n, 2), "a", object),
        lambda: "1" * n,
        lambda: pd.Series(pd.interval_range(0, n)),
        lambda: pd.Series(pd.period_range("2020", periods=n)),
        lambda: {"a": [1.0] * n},
    )
