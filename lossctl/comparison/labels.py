"""Whether labels that stand in two data sets are the same, whatever their types: 1, 1.0 and "1" are."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from lossctl.domain import BoolArray, FloatArray
from lossctl.errors import DataError
from lossctl.evaluation.matching import examples
from lossctl.reading.cells import BadRow, kind_of, scalar_column, shown
from lossctl.reading.format import NULLS
from lossctl.reading.written import written_numbers


def ensure_same(truths: tuple[pa.Table, pa.Table], titles: tuple[str, str], keys: pa.Table | None) -> None:
    """Check that labels of the same rows agree where both have them.

    Args:
        truths: the labels that two data sets have, column by column and row by row.
        titles: what messages call the data sets.
        keys: what identifies the rows; ``None`` where they go by their order.

    Raises:
        DataError: some do not agree: says how many, and names three rows.
    """
    for name in truths[0].column_names:
        mine, theirs = (table[name].combine_chunks() for table in truths)
        wrong = np.flatnonzero(_differing(mine, theirs))
        if not len(wrong):
            continue
        rows = wrong[:3].tolist()
        where = [
            f"row {row + 1:,}" if keys is None else examples(keys.slice(row, 1), keys.column_names) for row in rows
        ]
        cells = [f"{shown(mine[row].as_py())} and {shown(theirs[row].as_py())}" for row in rows]
        listed = "; ".join(f"{place}: {pair}" for place, pair in zip(where, cells, strict=True))
        number = f"{len(wrong):,} of {len(mine):,} labels {name!r} differ between {titles[0]} and {titles[1]}"
        hint = (
            "Models are compared on the same rows: match them by what identifies a row, or leave one of the labels out."
        )
        raise DataError(f"{number}, such as of {listed}", hint)


def _differing(one: pa.Array, two: pa.Array) -> BoolArray:
    """Where two columns hold different cells, ``(n,)``; where one holds none, they do not differ."""
    if one.equals(two):
        return np.zeros(len(one), dtype=np.bool_)
    a, b = _numbers(one), _numbers(two)
    if a is not None and b is not None:
        return np.asarray((a != b) & ~np.isnan(a) & ~np.isnan(b))
    pairs = zip(one.to_pylist(), two.to_pylist(), strict=True)
    cells = ((_plain(a), _plain(b)) for a, b in pairs)
    return np.array([a is not None and b is not None and a != b for a, b in cells], dtype=np.bool_)


def _numbers(array: pa.Array) -> FloatArray | None:
    """The cells of a column as numbers, NaN where there is none; ``None`` where some are not."""
    try:
        if kind_of(array.type) == "text":
            array = written_numbers(array.cast(pa.string()), "")
        elif kind_of(array.type) != "number":
            return None
    except BadRow:
        return None
    values, null = scalar_column(array)
    return values if null is None else np.where(null, np.nan, values)


def _plain(cell: Any) -> Any:
    """A cell as others are held against it; ``None`` for none."""
    if isinstance(cell, list | tuple):
        return [_plain(entry) for entry in cell]
    if isinstance(cell, dict):
        return {name: _plain(entry) for name, entry in cell.items()}
    if isinstance(cell, str):
        word = cell.strip()
        if word in NULLS:
            return None
        try:
            cell = float(word)
        except ValueError:
            return {"true": 1.0, "false": 0.0}.get(word.lower(), word)
    if isinstance(cell, bool | int | Decimal | float):
        return None if math.isnan(cell) else float(cell)
    return cell
