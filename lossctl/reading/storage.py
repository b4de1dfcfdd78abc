"""The many ways in which Arrow stores the same cells, undone: runs, views, extensions, nulls inside a dictionary.

Arrow counts the nulls of an array in its own bitmap only. Where cells are stored indirectly a null may stand elsewhere,
so nobody may ask an array for its nulls that did not come through here.
"""

import numpy as np
import pyarrow as pa

from lossctl.arrow import filled, in_arrow, in_numpy, words_in_arrow
from lossctl.domain import BoolArray


def mask_of(array: pa.Array) -> BoolArray | None:
    """Where a plain array is null, ``(n,)``; ``None`` when nowhere."""
    if array.null_count == 0:
        return None
    import pyarrow.compute as pc

    valid = pc.is_valid(array).cast(pa.uint8())
    return np.asarray(np.frombuffer(valid.buffers()[1], np.uint8, len(array), valid.offset) == 0)


def contents(kind: pa.DataType) -> pa.DataType:
    """The type of the cells of a known extension, of runs or of a dictionary; any other type is its own."""
    if isinstance(kind, pa.UuidType):
        return pa.string()
    if isinstance(kind, pa.Bool8Type):
        return pa.bool_()
    if _stands_for_its_storage(kind):
        return contents(kind.storage_type)
    if pa.types.is_run_end_encoded(kind) or pa.types.is_dictionary(kind):
        return contents(kind.value_type)
    return kind


def _stands_for_its_storage(kind: pa.DataType) -> bool:
    """Whether the cells of an extension are what it stores; of a stranger's they may be counts of anything.

    In which order the numbers of a tensor are stored is plain of a vector only.
    """
    return isinstance(kind, pa.JsonType) or (isinstance(kind, pa.FixedShapeTensorType) and len(kind.shape) == 1)


def is_list(kind: pa.DataType) -> bool:
    """Whether cells are lists of any kind, none of them a map."""
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    )


def is_plain(kind: pa.DataType) -> bool:
    """Whether arrays of a type are plain, whatever is in them."""
    return bool(pa.types.is_primitive(kind) or pa.types.is_string(kind))


def plain(array: pa.Array) -> pa.Array:
    """The same cells, each null of which is in the bitmap of its array.

    Views are cast to text, bytes and lists, runs and known extensions to what they hold, also inside lists and structs.
    A dictionary of numbers or text stays one where it has no null inside.

    Raises:
        ArrowException: Arrow cannot read the cells.
    """
    kind = array.type
    if is_plain(kind):
        return array
    if isinstance(kind, pa.UuidType):
        return words_in_arrow([None if cell is None else str(cell) for cell in array.to_pylist()])
    if isinstance(kind, pa.Bool8Type):
        return array.storage.cast(pa.bool_())
    if _stands_for_its_storage(kind):
        return plain(array.storage)
    if pa.types.is_string_view(kind):
        return array.cast(pa.large_string())
    if pa.types.is_binary_view(kind):
        return array.cast(pa.large_binary())
    if pa.types.is_run_end_encoded(kind):
        return plain(array.values).take(_runs(array))  # Arrow decodes runs of some types only
    if pa.types.is_dictionary(kind):
        values = plain(array.dictionary)
        if values.null_count or pa.types.is_nested(values.type):
            return values.take(array.indices)
        return array if values is array.dictionary else pa.DictionaryArray.from_arrays(array.indices, values)
    return array if not pa.types.is_nested(kind) or pa.types.is_union(kind) or pa.types.is_map(kind) else _nested(array)


def takeable(record: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with views and runs, of which Arrow's ``take`` can take some only, stored plainly."""
    for index, field in enumerate(record.schema):
        if _indirect(field.type):
            record = record.set_column(index, field.name, plain(record.column(index)))
    return record


def _indirect(kind: pa.DataType) -> bool:
    """Whether there are views or runs in a type."""
    if isinstance(kind, pa.BaseExtensionType):
        return _indirect(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _indirect(kind.value_type)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind) or pa.types.is_run_end_encoded(kind):
        return True
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return True
    return any(_indirect(kind.field(index).type) for index in range(kind.num_fields))


def _runs(array: pa.Array) -> pa.Array:
    """The number of the run in which each cell is."""
    ends = array.run_ends.cast(pa.int64())
    places = np.searchsorted(in_numpy(ends), np.arange(array.offset, array.offset + len(array)), side="right")
    return in_arrow(places.astype(np.int64))


def _nested(array: pa.Array) -> pa.Array:
    """Lists or structs of plain cells; the array itself where its cells are plain already."""
    kind = array.type
    if pa.types.is_fixed_size_list(kind):
        whole = array.values.slice(array.offset * kind.list_size, len(array) * kind.list_size)
        cells = plain(whole)
        return array if cells is whole else _from(pa.list_(cells.type, kind.list_size), array, [], [cells])
    if pa.types.is_struct(kind):
        fields = [array.field(index) for index in range(kind.num_fields)]
        cells = [plain(field) for field in fields]
        if all(cell is field for cell, field in zip(cells, fields, strict=True)):
            return array
        names = [kind.field(index).name for index in range(kind.num_fields)]
        return _from(pa.struct([*zip(names, [cell.type for cell in cells], strict=True)]), array, [], cells)
    whole = array.flatten()
    cells = plain(whole)
    if cells is whole and not (pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)):
        return array
    import pyarrow.compute as pc

    lengths = filled(pc.list_value_length(array).cast(pa.int64()), 0)
    ends = pa.py_buffer(np.concatenate([[0], np.cumsum(in_numpy(lengths))]))
    return _from(pa.large_list(cells.type), array, [ends], [cells])


def _from(kind: pa.DataType, array: pa.Array, buffers: list[pa.Buffer], cells: list[pa.Array]) -> pa.Array:
    """An array of that type whose cells are given, null where another array is."""
    null = mask_of(array)
    valid = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.Array.from_buffers(kind, len(array), [valid, *buffers], children=cells)
