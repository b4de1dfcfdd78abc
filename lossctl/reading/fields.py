"""Fields inside columns, as columns of their own that are called by their paths: ``out.p`` is field ``p`` of ``out``.

Who asks for columns by name need not know which of them are fields. A column of the very name comes first.
"""

import functools
from collections.abc import Iterator
from typing import TypeVar

import pyarrow as pa

from lossctl.reading import jq
from lossctl.reading.cells import kind_of
from lossctl.reading.columns import Column
from lossctl.reading.pairs import columns_of, field_of, other_key, places_of_pair
from lossctl.reading.storage import contents, is_list, plain

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)
MOST_ITEMS = 64
"""How many numbers in lists of objects are named."""
Steps = tuple[int, ...]
"""The way from a column to a field in it: the number of the field at each level."""


def column_of(name: str, kind: pa.DataType, path: str = "", *, inside: bool = False) -> Column:
    """A column of that type, with the fields inside it; a field is told by its path, as jq has it."""
    if not pa.types.is_nested(contents(kind)):
        return Column(name, kind_of(kind), inside=inside)
    path = path or jq.inside("", name)
    fields = tuple(
        column_of(f"{name}.{field.name}", field.type, jq.inside(path, field.name), inside=True)
        for field in _fields(kind)
    )
    of_numbers = len(fields) > 1 and all(field.kind == "number" for field in fields)
    keyed = of_numbers or places_of_pair(kind) is not None
    items = sorted(_items_in(kind, "", path), key=lambda item: item[1].count("[]")) if _is_of_objects(kind) else ()
    return Column(name, "object" if keyed else kind_of(kind), fields, inside, path, tuple(items[:MOST_ITEMS]))


def _is_of_objects(kind: pa.DataType) -> bool:
    """Whether a type is a list of objects, or a list of such."""
    kind = contents(kind)
    if is_list(kind):
        inner = contents(kind.value_type)
        return pa.types.is_struct(inner) or _is_of_objects(inner)
    return False


def _items_in(kind: pa.DataType, name: str, path: str) -> Iterator[tuple[str, str]]:
    """What the numbers in objects in lists are called, and in lists and objects in these, with their paths for jq.

    Of objects by the number of a token there is that which came first; of lists of numbers, those that are no null.
    """
    kind = contents(kind)
    if is_list(kind):
        numbers = " | numbers" if kind_of(contents(kind.value_type)) == "number" else ""
        yield from ((inner, f"{way}{numbers}") for inner, way in _items_in(kind.value_type, name, f"{path}[]?"))
    elif fields := _fields(kind):
        keyed = all(field.name.isdecimal() for field in fields)
        if keyed:
            yield from _items_in(fields[0].type, name, f"{path} | select(.) | to_entries[0].value")
        for field in () if keyed else fields:
            yield from _items_in(field.type, field.name, jq.inside(path, field.name))
    elif kind_of(kind) == "number":
        yield name, path


def _fields(kind: pa.DataType) -> list[pa.Field]:
    """The fields of a struct; none of any other type."""
    kind = contents(kind)
    return [kind.field(place) for place in range(kind.num_fields)] if pa.types.is_struct(kind) else []


def columns_needed(schema: pa.Schema, names: frozenset[str]) -> frozenset[str]:
    """The columns to read for columns and fields of some names."""
    if names.issubset(schema.names):
        return names
    return names.union(schema.field(place).name for place, _ in _ways_to(schema, names))


def paths_needed(schema: pa.Schema, names: frozenset[str], whole: frozenset[str]) -> list[pa.Field]:
    """What to read for columns and fields of some names where fields can be read by themselves: paths with types."""
    paths = {field.name: field for field in schema if field.name in names}
    for (place, steps), keys in _ways_to(schema, names).items():
        kind = _type_at(schema.field(place).type, steps)
        for name, key in keys.items():
            path = name if key is None else name[: len(name) - len(key) - 1]
            object_ = next((parent for parent in whole if path.startswith(f"{parent}.")), path)
            paths[object_] = pa.field(object_, kind)
    return [*paths.values()]


def type_of(schema: pa.Schema, name: str) -> pa.DataType | None:
    """The type of a column or field; ``None`` where there is none of that name, or it is a key of a map."""
    if schema.get_all_field_indices(name):
        return schema.field(schema.get_all_field_indices(name)[0]).type
    for (place, steps), keys in _ways_to(schema, frozenset({name})).items():
        return _type_at(schema.field(place).type, steps) if keys[name] is None else None
    return None


@functools.lru_cache(maxsize=16)
def _ways_to(schema: pa.Schema, names: frozenset[str]) -> dict[tuple[int, Steps], dict[str, str | None]]:
    """Which fields are wanted of each column, or struct in it: their names, and the key of each in a map."""
    missing = sorted(names.difference(schema.names))
    nested = [(place, field) for place, field in enumerate(schema) if pa.types.is_nested(contents(field.type))]
    nested.sort(key=lambda column: -len(column[1].name))  # a map takes any path for that to a key
    ways: dict[tuple[int, Steps], dict[str, str | None]] = {}
    for name in missing:
        for place, field in nested:
            if name.startswith(f"{field.name}.") and (way := _way(field.type, name[len(field.name) + 1 :])) is not None:
                ways.setdefault((place, way[0]), {})[name] = way[1]
                break
    return ways


def _way(kind: pa.DataType, rest: str) -> tuple[Steps, str | None] | None:
    """The way to a field by its path in a type; beside it the key in the map, or list of pairs, at which it ends."""
    if places_of_pair(kind) is not None:
        return (), rest
    kind = contents(kind)
    if not pa.types.is_struct(kind):
        return None
    place = kind.get_field_index(rest)
    if place >= 0:
        return (place,), None
    for place in range(kind.num_fields):
        field = kind.field(place)
        if rest.startswith(f"{field.name}.") and (way := _way(field.type, rest[len(field.name) + 1 :])) is not None:
            return (place, *way[0]), way[1]
    return None


def with_fields(record: Rows, names: frozenset[str], whole: frozenset[str]) -> Rows:
    """The rows with the fields of some names beside their columns; a name that is in none of them is left out.

    Args:
        record: the rows.
        names: columns and fields.
        whole: columns of objects of which every key must be one of the names.

    Raises:
        BadRow: an object has another key, or one twice.
    """
    if names.issubset(record.schema.names):
        return record
    arrays: dict[str, pa.Array] = {}
    ways = _ways_to(record.schema, names)
    columns = {place: _contiguous(record.column(place)) for place in {place for place, _ in ways}}
    for (place, steps), keys in ways.items():
        array = _inside(columns[place], steps)
        by_key: dict[str, str] = {name: key for name, key in keys.items() if key is not None}
        arrays |= dict.fromkeys(keys.keys() - by_key.keys(), array)
        for name, key in [*by_key.items()][:1]:
            parent = name[: len(name) - len(key) - 1]
            arrays |= columns_of(array, by_key, parent, strict=parent in whole)
    for name in whole - names:  # one of the names is taken as it is
        _refuse_others(record.schema, name, names)
    fields: list[pa.Field] = [pa.field(name, array.type) for name, array in arrays.items()]
    return type(record).from_arrays([*record.columns, *arrays.values()], schema=pa.schema([*record.schema, *fields]))


def _contiguous(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column of a record batch or table as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _inside(array: pa.Array, steps: Steps) -> pa.Array:
    """The field to which a way leads, null where what it stands in is null."""
    for step in steps:
        array = field_of(array if pa.types.is_struct(array.type) else plain(array), step)
    return array


def _refuse_others(schema: pa.Schema, name: str, names: frozenset[str]) -> None:
    """Raise a `BadRow` where a struct that is wanted whole has a field that is not among the names."""
    for field in schema:
        if name != field.name and not name.startswith(f"{field.name}."):
            continue
        way = ((), None) if name == field.name else _way(field.type, name[len(field.name) + 1 :])
        if way is None or way[1] is not None:
            continue
        for inner in _fields(_type_at(field.type, way[0])):
            if f"{name}.{inner.name}" not in names:
                raise other_key(0, name, inner.name)


def _type_at(kind: pa.DataType, steps: Steps) -> pa.DataType:
    """The type of the field to which a way leads."""
    for step in steps:
        kind = contents(kind).field(step).type
    return kind
