"""Objects from class to number: each key is a column, and is matched with classes as the names of columns are."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from lossctl.errors import DataError
from lossctl.inference.classes import in_order_of, match_classes
from lossctl.reading.columns import Column
from lossctl.reading.pairs import keys_in


class Keys:
    """The keys of the objects that are taken as vectors, by the columns that they are."""

    def __init__(self) -> None:
        self._key_of: dict[str, str] = {}

    def enter(self, column: Column, first: Callable[[], pa.Array]) -> tuple[str, ...]:
        """A column for each key of an object.

        Args:
            column: the object.
            first: gives its first cells, of a map, or list of pairs, whose keys are known only by these.

        Raises:
            DataError: it has not at least two.
            BadRow: its cells cannot be read.
        """
        keys = [field.name[len(column.name) + 1 :] for field in column.fields]
        if not keys:
            cells = first()
            if cells.null_count == len(cells):
                raise DataError(f"column {column.name!r}: the first {len(cells):,} rows are all null")
            keys = [*keys_in(cells, column.name)]
        if len(keys) < 2:
            what = f"one key only, {keys[0]!r}" if keys else "no key"
            raise DataError(f"column {column.name!r} has {what}, and a vector has a number for each of several classes")
        names = {f"{column.name}.{key}": key for key in keys}
        self._key_of |= names
        return tuple(names)

    def said_by(self, columns: Sequence[str]) -> tuple[str, ...]:
        """What columns are called, as far as it may name classes: of a key, the key alone."""
        return tuple(self._key_of.get(column, column) for column in columns)

    def match_classes(self, classes: Sequence[str], columns: Sequence[str]) -> tuple[str, ...] | None:
        """As `lossctl.inference.classes.match_classes`."""
        names = self.said_by(columns)
        order = match_classes(classes, names)
        return order and tuple(columns[names.index(name)] for name in order)

    def in_order_of(self, first: Sequence[str], second: Sequence[str]) -> tuple[str, ...] | None:
        """As `lossctl.inference.classes.in_order_of`."""
        names = self.said_by(second)
        order = in_order_of(self.said_by(first), names)
        return order and tuple(second[names.index(name)] for name in order)
