from typing import Any

import numpy as np
import numpy.typing as npt

from lossctl.domain import FloatArray, IntArray

def total(values: FloatArray, digits: IntArray, infinite: IntArray, /) -> None: ...
def largest(values: FloatArray, /) -> float: ...
def span(values: FloatArray, /) -> tuple[float, float]: ...
def sums_by(
    values: FloatArray,
    weight: FloatArray | None,
    code: IntArray,
    start: int,
    sums: int,
    digits: IntArray,
    left: FloatArray,
    left_code: IntArray,
    /,
) -> tuple[int, list[tuple[int, int, int]]] | None: ...
def gathered(
    values: FloatArray,
    code: IntArray,
    start: int,
    top: int,
    units: IntArray,
    odd: FloatArray,
    odd_code: IntArray,
    kept: int,
    /,
) -> tuple[int, int]: ...
def spread(units: IntArray, top: int, power: int, digits: IntArray, /) -> tuple[int, int]: ...
def numbered(
    numbers: npt.NDArray[np.integer[Any]],
    low: int,
    table: IntArray | None,
    code: IntArray,
    counts: IntArray,
    /,
) -> None: ...
def centred(values: FloatArray, about: float, digits: IntArray, /) -> float: ...
def spans_by(values: FloatArray, code: IntArray, low: FloatArray, high: FloatArray, /) -> None: ...
def signs_by(values: FloatArray, code: IntArray, counts: IntArray, /) -> None: ...
def outermost(
    score: FloatArray,
    columns: tuple[FloatArray, ...],
    code: IntArray | None,
    best: FloatArray,
    points: FloatArray,
    place: int,
    directions: int,
    ways: int,
    /,
) -> None: ...
def mean(values: FloatArray, /) -> float: ...
def uncentred(own: IntArray, about: float, n: int, total: IntArray, /) -> bool: ...
def sizes(
    gradient: FloatArray,
    weight: FloatArray | None,
    digits: IntArray,
    counts: IntArray,
    slots: npt.NDArray[np.uint8],
    largest: FloatArray,
    /,
) -> bool: ...
def histogram(values: FloatArray, counts: IntArray, slots: npt.NDArray[np.uint8], /) -> bool: ...
def tally(numbers: IntArray, bits: int, counts: IntArray, /) -> int: ...
def weighted(values: FloatArray, weight: FloatArray, digits: IntArray, /) -> bool: ...
def terms(values: FloatArray, weight: FloatArray, terms: FloatArray, /) -> None: ...
