"""Objects from class to number: each key is a column, and is matched with classes as the names of columns are."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from lossctl.errors import DataError, UsageError
from lossctl.inference.classes import in_order_of, match_classes
from lossctl.reading.columns import Column
from lossctl.reading.pairs import keys_in


class Keys:
    """The keys of the objects that are taken as vectors, by the columns that they are."""

    def __init__(self) -> None:
        self._key_of: dict[str, str] = {}

    def enter(self, column: Column, columns: Sequence[Column], first: Callable[[], pa.Array]) -> tuple[str, ...]:
        """A column for each key of an object.

        Args:
            column: the object.
            columns: all columns, and the fields inside them.
            first: gives its first cells, of a map, or list of pairs, whose keys are known only by these.

        Raises:
            DataError: it has not at least two.
            UsageError: something else goes by the path of one.
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
        _refuse_others(names, column, columns)
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


def _refuse_others(names: Mapping[str, str], column: Column, columns: Sequence[Column]) -> None:
    """Raise a `UsageError` where the path to a key of an object leads to something else as well."""
    outer = {other.name for other in columns if not other.inside}
    fields = Counter(other.name for other in columns if other.inside)
    inner = [f"{other.name}." for other in columns if other.kind in {"object", "other"}]
    inner = [start for start in inner if start.startswith(f"{column.name}.") and start != f"{column.name}."]
    for name, key in names.items():
        several = fields[name] > (1 if column.fields else 0)
        if name in outer or several or any(name.startswith(start) for start in inner):
            what = f"column {column.name!r} has the key {key!r}, and {name!r} may be another column too"
            raise UsageError(what, "Rename one.")
