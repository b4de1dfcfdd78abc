"""Whether what stands in two data sets is the same, whatever its types: 1, 1.0 and "1" are. Labels have to be."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from lossctl.arrow import filled, in_arrow, in_numpy
from lossctl.domain import BoolArray, FloatArray
from lossctl.errors import DataError
from lossctl.evaluation.keys import plainly
from lossctl.evaluation.matching import examples
from lossctl.reading.cells import BadRow, kind_of, scalar_column, shown, text_of
from lossctl.reading.format import NULLS
from lossctl.reading.written import written_numbers
from lossctl.words import counted, in_quotes

MIDNIGHT = r"[T ]00:00:00(\.0+)?$"
"""What a day ends in that is written as a time."""


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


def remark_on(
    name: str, cells: tuple[pa.ChunkedArray, pa.ChunkedArray], titles: tuple[str, str], keys: pa.Table | None
) -> str:
    """What to say of a column that two data sets have, of which that of the first counts; empty where they are alike.

    Args:
        name: the column.
        cells, titles, keys: as for `ensure_same`.
    """
    mine, theirs = (column.combine_chunks() for column in cells)
    wrong = np.flatnonzero(_differing(*_alike(mine, theirs, name)))
    if not len(wrong):
        return ""
    row = int(wrong[0])
    place = f"row {row + 1:,}" if keys is None else examples(keys.slice(row, 1), keys.column_names)
    pair = [mine[row].as_py(), theirs[row].as_py()]
    if len({*map(type, pair)}) > 1:  # a number that is text is shown as what it is
        pair = [*map(_plain, pair)]
    number, said = f"{len(wrong):,} of {counted(len(mine), 'row')}", " and ".join(map(shown, pair))
    return f"{in_quotes(name)} is that of {titles[0]}: {titles[1]} has another in {number}, such as of {place}: {said}"


def _alike(one: pa.Array, two: pa.Array, name: str) -> tuple[pa.Array, pa.Array]:
    """Two columns as numbers or as words, in which equal numbers and times are written alike; as they are if neither.

    What a file has as a time, another may have as text; and a day is its midnight.
    """
    if one.equals(two) or {kind_of(one.type), kind_of(two.type)} == {"number"}:
        return one, two
    import pyarrow.compute as pc

    try:
        words = plainly(text_of(one, name)), plainly(text_of(two, name))
    except BadRow:
        return one, two
    first, second = (pc.replace_substring_regex(text, MIDNIGHT, "") for text in words)
    return first, second


def _differing(one: pa.Array, two: pa.Array) -> BoolArray:
    """Where two columns hold different cells, ``(n,)``; where one holds none, they do not differ."""
    if one.equals(two):
        return np.zeros(len(one), dtype=np.bool_)
    a, b = _numbers(one), _numbers(two)
    if a is not None and b is not None:
        return np.asarray((a != b) & ~np.isnan(a) & ~np.isnan(b))
    if one.type == two.type == pa.string():
        import pyarrow.compute as pc

        # Cells that are written alike are alike, whatever they say.
        wrong = in_numpy(filled(pc.not_equal(one, two), value=False))
        places = in_arrow(np.flatnonzero(wrong))
        wrong[wrong] = _unlike(one.take(places), two.take(places))
        return wrong
    return _unlike(one, two)


def _unlike(one: pa.Array, two: pa.Array) -> BoolArray:
    """As `_differing`, cell by cell."""
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
