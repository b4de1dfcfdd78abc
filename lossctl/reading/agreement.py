"""What the columns of several files have in common: types that hold the values of all, to the last digit."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from lossctl.errors import DataError
from lossctl.reading.format import MIXED, Mixed
from lossctl.reading.storage import is_list

FAMILIES = (
    lambda kind: pa.types.is_integer(kind) or pa.types.is_decimal(kind),
    lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
    lambda kind: pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind),
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
    pa.types.is_duration,
)
"""Types of one family differ in how large or how fine their values may be, not in what these mean."""


def common(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The type that means what both mean; ``None`` where there is none, as for numbers and text, or true and 1.

    A value may still be too large for it, which Arrow's cast says.
    """
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if pa.types.is_dictionary(one) or pa.types.is_dictionary(other):
        return common(*(kind.value_type if pa.types.is_dictionary(kind) else kind for kind in (one, other)))
    if is_list(one) and is_list(other):
        value = common(one.value_type, other.value_type)
        large = pa.types.is_large_list(one) or pa.types.is_large_list(other)
        return None if value is None else pa.large_list(value) if large else pa.list_(value)
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        fields = {field.name: common(field.type, twin.type) for field, twin in zip(one, other, strict=False)}
        same = [field.name for field in one] == [field.name for field in other] == list(fields)
        return pa.struct(list(fields.items())) if same and None not in fields.values() else None
    numbers = [pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (one, other)]
    if all(numbers) and (pa.types.is_floating(one) or pa.types.is_floating(other)):
        floating = pa.types.is_floating(one) and pa.types.is_floating(other)
        return max(one, other, key=lambda kind: kind.bit_width) if floating else pa.float64()
    if not any(family(one) and family(other) for family in FAMILIES):
        return None
    try:
        schemas = [pa.schema([("", kind)]) for kind in (one, other)]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pa.ArrowException:
        return None


class Agreement:
    """The columns of several files as those of one: the columns of the first, each of a type that holds them all.

    Rows are `takeable`: there are no views among their types.
    """

    def __init__(self) -> None:
        self.names: list[str] | None = None
        self.kinds: list[pa.DataType] = []
        self.files: list[list[str]] = []
        """The files that each type comes from: the first, and those for which it was widened."""

    def widen(self, schema: pa.Schema, file: str) -> None:
        """Take in the columns of a file.

        Raises:
            Mixed: the types of a column have nothing in common.
            DataError: a column is missing.
        """
        if self.names is None:
            self.names, self.kinds, self.files = schema.names, schema.types, [[file] for _ in schema]
            return
        for index, place in enumerate(self._places(schema.names, file)):
            ours, theirs = self.kinds[index], schema.field(place).type
            both = common(ours, theirs)
            if both is None:
                what = f"{file}: column {self.names[index]!r} is {theirs}"
                raise Mixed(f"{what}, but {ours} in {self.files[index][-1]}", MIXED)
            if both != ours:
                self.kinds[index] = both
                self.files[index].append(file)

    def ordered(self, record: pa.RecordBatch, file: str) -> pa.RecordBatch:
        """The rows with the columns in the order agreed on, of whatever types.

        Raises:
            DataError: a column is missing.
        """
        if self.names is None:
            self.widen(record.schema, file)
        return record.select(self._places(record.schema.names, file))

    def fitted(self, record: pa.RecordBatch, file: str) -> pa.RecordBatch:
        """The rows with the columns in the order and of the types agreed on.

        Raises:
            Mixed: the type of a column was not foreseen, or does not hold a value.
            DataError: a column is missing.
        """
        record, arrays = self.ordered(record, file), []
        for name, array, kind, files in zip(record.schema.names, record.columns, self.kinds, self.files, strict=True):
            other = next((other for other in reversed(files) if other != file), file)
            what = f"{file}: column {name!r} is {array.type}"
            if common(array.type, kind) != kind:
                raise Mixed(f"{what}, but {kind} in {other}", MIXED)
            plain = array.dictionary_decode() if array.type != kind and pa.types.is_dictionary(array.type) else array
            try:
                arrays.append(plain if plain.type == kind else plain.cast(kind))
            except pa.ArrowException as error:
                reason = str(error).partition("\n")[0]
                raise Mixed(f"{what}, which does not fit the {kind} of {other}: {reason}", MIXED) from None
        return pa.RecordBatch.from_arrays(arrays, names=record.schema.names)

    def _places(self, names: Sequence[str], file: str) -> list[int]:
        """Where the columns agreed on stand in a file: of several with one name, the first is the first."""
        where: dict[tuple[str, int], int] = {}
        met: Counter[str] = Counter()
        for index, name in enumerate(names):
            where[name, met[name]] = index
            met[name] += 1
        places, met = [], Counter()
        for name in self.names or ():
            if (name, met[name]) not in where:
                raise DataError(f"{file}: no column {name!r}, which {self.files[0][0]} has")
            places.append(where[name, met[name]])
            met[name] += 1
        return places
