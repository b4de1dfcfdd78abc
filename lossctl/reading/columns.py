"""What a column of a source is: a name, the kind of its cells, and the fields inside it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from lossctl.dataclass import dataclass


@dataclass(frozen=True)
class Column:
    """A column as the file declares it, or a field inside one."""

    name: str
    """Of a field, its path: ``out.p`` is the field ``p`` of the column ``out``."""
    kind: str
    """``number``, ``text``, ``list``, ``object`` (a number for each of some keys) or ``other``."""
    fields: tuple["Column", ...] = ()
    """The fields of a struct. The keys of a map are known only by its rows."""
    inside: bool = False
    """Whether it stands inside a column that is there too."""
    path: str = ""
    """Where it stands in a row, as jq has it; empty where that is not asked for."""
    items: tuple[tuple[str, str], ...] = ()
    """Of a list of objects, which is not read, the numbers in it: what each is called, and its path."""

    @property
    def title(self) -> str:
        """What it is called where it stands: of a field, the end of its path."""
        return self.name.rpartition(".")[2] if self.inside else self.name


def fields_in(columns: Sequence[Column]) -> Iterator[Column]:
    """The fields inside columns at every depth, but for those whose path is the name of a column: that comes first."""
    nested = [column for column in columns if column.fields]
    names = {column.name for column in columns} if nested else set()
    while nested:
        column = nested.pop()
        yield from (field for field in column.fields if field.name not in names)
        nested += [field for field in column.fields if field.fields]


def unnested(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Columns, in place of structs that are no objects from names to numbers the fields inside them, at every depth.

    A field that is called as a column beside its struct is left out: who says the name means the column.
    """
    if not any(column.fields for column in columns):
        return tuple(columns)
    times = Counter(column.name for column in columns)
    listed: list[Column] = []
    for column in columns:
        nested = column.fields if column.kind == "other" and times[column.name] == 1 else ()
        listed += (
            [field for field in unnested(nested) if not {field.name, field.title} & times.keys()]
            if nested
            else [column]
        )
    return tuple(listed)


def leaves_in(columns: Sequence[Column]) -> list[str]:
    """The names of what holds cells: columns, and in place of those that are structs the fields inside them."""
    return [column.name for column in (*columns, *fields_in(columns)) if not column.fields]
