"""Words for null that are numbers or truths, where cells are no text: in JSON they are null as they are in CSV."""

import math
from collections.abc import Sequence

import pyarrow as pa

from lossctl.reading.format import Wanted
from lossctl.reading.inferred_types import is_number


def nulled(table: pa.Table, words: Sequence[str], wanted: Wanted) -> pa.Table:
    """The table, null where a number, or a truth, in a column wanted as numbers is one of the words."""
    for index, field in enumerate(table.schema):
        if field.name in wanted.numbers and (cells := _cells(words, field.type)) is not None:
            chunks = [_without(chunk, cells) for chunk in table.column(index).chunks]
            table = table.set_column(index, field, pa.chunked_array(chunks, field.type))
    return table


def _cells(words: Sequence[str], kind: pa.DataType) -> pa.Array | None:
    """The words that are cells of a type, or of lists of it; ``None`` if none is."""
    if pa.types.is_boolean(kind):
        truths = [word == "true" for word in words if word in {"true", "false"}]
        return pa.array(truths, pa.bool_()) if truths else None
    numbers = [float(word) for word in words if is_number(word) and "_" not in word and math.isfinite(float(word))]
    return pa.array(numbers, pa.float64()) if numbers else None


def _without(array: pa.Array, cells: pa.Array) -> pa.Array:
    """An array, or an array of lists, null where a cell is one of some cells."""
    import pyarrow.compute as pc

    if pa.types.is_list(array.type):
        inner, buffers = _without(array.values, cells), array.buffers()[:2]
        return pa.Array.from_buffers(array.type, len(array), buffers, offset=array.offset, children=[inner])
    return pc.if_else(pc.is_in(array, value_set=cells), pa.scalar(None, array.type), array)
