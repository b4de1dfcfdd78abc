"""The types that the values of JSON are read as: of an object, only what is wanted of it."""

from collections.abc import Container, Iterable
from itertools import accumulate
from typing import Any

import pyarrow as pa

from lossctl.reading.cells import kind_of
from lossctl.reading.format import Wanted
from lossctl.reading.pairs import places_of_pair
from lossctl.reading.written import are_lists, are_numbers


def paths_to(names: Iterable[str]) -> set[str]:
    """The names, and the paths to what they stand inside."""
    return {path for name in names for path in accumulate(name.split("."), "{}.{}".format)}


def read_as(name: str, kind: pa.DataType, wanted: Wanted, inside: Container[str]) -> pa.DataType:
    """The type to read a column, or field, of some type as.

    Args:
        name: its name, or path.
        kind: the type of its cells.
        wanted: what is wanted of it.
        inside: every path to something that is wanted.
    """
    if name in wanted.numbers or (name in inside and places_of_pair(kind) is not None):
        return _numeric(kind)
    if name in wanted.texts and pa.types.is_floating(kind):
        return pa.string()  # digits that a double would lose
    if name in inside and name not in wanted.names and pa.types.is_struct(kind):
        pairs = [(field, f"{name}.{field.name}") for field in kind]
        kept = [(field, path) for field, path in pairs if wanted.others or path in inside]
        return pa.struct([field.with_type(read_as(path, field.type, wanted, inside)) for field, path in kept])
    return kind


def _numeric(kind: pa.DataType) -> pa.DataType:
    """A type with doubles for its numbers; text stays text, and truths stay such."""
    if kind_of(kind) == "number":
        return kind if pa.types.is_boolean(kind) else pa.float64()
    if kind_of(kind) == "list":
        return pa.list_(pa.float64())
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_numeric(field.type)) for field in kind])
    places = places_of_pair(kind)
    if places is not None:
        fields = [*kind.value_type]
        fields[places[1]] = fields[places[1]].with_type(pa.float64())
        return pa.list_(pa.struct(fields))
    return kind


def has_others(read: pa.DataType, known: pa.DataType, name: str, objects: Container[str]) -> bool:
    """Whether one of the objects has a key that is not known."""
    if not pa.types.is_struct(known):
        return False
    if name in objects and read.num_fields > known.num_fields:
        return True
    return any(has_others(read.field(key.name).type, key.type, f"{name}.{key.name}", objects) for key in known)


def fields_of(column: pa.Field, value: dict[str, Any]) -> tuple[dict[str, pa.Field], str | None]:
    """The fields of a struct, called by their paths; beside them a key of an object that is none of them.

    Args:
        column: the struct, and its path.
        value: the object.
    """
    fields = {field.name: pa.field(f"{column.name}.{field.name}", field.type) for field in column.type}
    return fields, next((key for key in value if key not in fields), None)


def meant_by(words: pa.Array, kind: pa.DataType, nulls: tuple[str, ...]) -> pa.DataType:
    """What the cells of a column are read as: of text, numbers or lists of them where all are that."""
    if pa.types.is_struct(words.type):
        return pa.struct(
            [
                field.with_type(meant_by(words.field(place).filter(words.is_valid()), field.type, nulls))
                for place, field in enumerate(kind)
            ]
        )
    if not pa.types.is_string(words.type):
        return kind
    if are_lists(words):
        return pa.list_(pa.float64())
    return pa.float64() if are_numbers(words, nulls) else kind


def as_written(kind: pa.DataType) -> pa.DataType:
    """The type, with text in place of dates and times: JSON has none, so a word that looks like one stays a word.

    A list in which nothing stands but null is one of numbers: Arrow loses nulls of lists that have no other type.
    """
    if pa.types.is_temporal(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(pa.float64() if pa.types.is_null(kind.value_type) else as_written(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, as_written(field.type)) for field in kind])
    return kind


def type_of_cell(cell: Any) -> pa.DataType:
    """The type that Arrow gives a value; text where it has none."""
    try:
        return pa.array([cell]).type
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return pa.string()
