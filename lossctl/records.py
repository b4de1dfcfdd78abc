"""Records that are alike, kept in columns: dictionaries of the same keys, made when somebody asks for them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeAlias

from lossctl.dataclass import dataclass

if TYPE_CHECKING:  # help and lists need neither
    import numpy as np
    import pyarrow as pa

    from lossctl.domain import BoolArray

STEP = 1 << 12
"""Records that are made at a time."""
MANY = 1 << 11
"""So many records are worth to be written column by column: for fewer, what Arrow imports takes longer."""
_ABSENT = object()


@dataclass(frozen=True)
class Same:
    """A value that all records have."""

    value: Any


@dataclass(frozen=True, eq=False)
class Some:
    """The values of a key that only some records have."""

    values: "Column"
    """With an entry for each record."""
    present: "BoolArray"
    """Which of them have it."""


@dataclass(frozen=True, eq=False)
class Columns:
    """So many dictionaries of the same keys."""

    n: int
    by_key: Mapping[str, "Column"]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The dictionaries, in order."""
        for start in range(0, self.n, STEP):
            stop = min(start + STEP, self.n)
            columns = [entries(between(column, start, stop), stop - start) for column in self.by_key.values()]
            some = any(isinstance(column, Some) for column in self.by_key.values())
            for values in zip(*columns, strict=True) if columns else repeat((), stop - start):
                record = dict(zip(self.by_key, values, strict=True))
                yield {key: value for key, value in record.items() if value is not _ABSENT} if some else record


@dataclass(frozen=True, eq=False)
class Made:
    """Objects that are kept in columns, and made when somebody asks for them."""

    make: Callable[..., Any]
    fields: Columns
    """What each is made of, by name."""
    present: "BoolArray"
    """Where there is one; ``None`` elsewhere."""


Column: TypeAlias = "np.ndarray[Any, Any] | pa.Array | list[Any] | Columns | Same | Some | Made"
"""Values with an entry for each record; missing ones of an array of Arrow are ``None``."""


@dataclass(frozen=True, eq=False)
class Records:
    """Dictionaries one behind the other: parts of them have the same keys."""

    parts: tuple[Columns, ...]

    def __len__(self) -> int:
        """How many there are."""
        return sum(part.n for part in self.parts)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The dictionaries, in order."""
        for part in self.parts:
            yield from part


def between(column: Column, start: int, stop: int) -> Column:
    """The entries of some records that stand beside each other."""
    if isinstance(column, Same):
        return column
    if isinstance(column, Columns):
        inner = {key: between(values, start, stop) for key, values in column.by_key.items()}
        return Columns(stop - start, inner)
    if isinstance(column, Some):
        return Some(between(column.values, start, stop), column.present[start:stop])
    if isinstance(column, Made):
        inner = {key: between(values, start, stop) for key, values in column.fields.by_key.items()}
        return Made(column.make, Columns(stop - start, inner), column.present[start:stop])
    return column[start:stop]


def entries(column: Column, n: int) -> Iterable[Any]:
    """The entries of a column of so many records, as Python has them."""
    if isinstance(column, Same):
        return repeat(column.value, n)
    if isinstance(column, Some):
        pairs = zip(entries(column.values, n), column.present.tolist(), strict=True)
        return [value if present else _ABSENT for value, present in pairs]
    if isinstance(column, Made):
        pairs = zip(column.fields, column.present.tolist(), strict=True)
        return [column.make(**fields) if present else None for fields, present in pairs]
    if isinstance(column, list | Columns):
        return column
    values: list[Any] = column.to_pylist() if hasattr(column, "to_pylist") else column.tolist()
    return values
