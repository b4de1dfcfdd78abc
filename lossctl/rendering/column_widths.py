"""Which columns of a table stand beside each other where a page is narrow, and how wide each is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lossctl.document import Column, Table

if TYPE_CHECKING:
    from rich.text import Text

NAME_WIDTH = 16
"""How wide a column of names must be in a terminal before it is folded."""
ENTRIES_WIDTH = 40
"""The same for a column of named numbers."""
EDGES = 3
"""The width of what stands between two cells."""


def parts_of(table: Table, widths: Sequence[int], width: int) -> list[Sequence[int]]:
    """The indices of the columns of as few grids as there can be, with as many as that leaves."""
    spare = [index for index, column in enumerate(table.columns) if column.spare]
    ends = [end for end, index in enumerate(spare) if not table.columns[index].joined]
    ways = (_fit(table.columns, widths, width, spare[kept:]) for kept in (len(spare), *reversed(ends)))
    return min(map(list, ways), key=len)


def cost(parts: Sequence[Sequence[int]], table: Table) -> tuple[int, int]:
    """How many parts a table is taken apart into, and how many of its columns are in none."""
    return len(parts), len(table.columns) - len({index for part in parts for index in part})


def shared(wide: Mapping[int, int], columns: Sequence[Column], width: int) -> dict[int, int]:
    """How wide each column that may be folded becomes: as it is, or an equal part of the room that the others leave.

    Args:
        wide: how wide each column of a grid is, by its index.
        columns: those of the table.
        width: of the page.
    """
    least = {index: least for index in wide if (least := _least(columns[index])) is not None}
    room = width - 1 - sum(wide[index] * (index not in least) + EDGES for index in wide)
    most: dict[int, int] = {}
    for index in sorted(least, key=lambda index: wide[index]):
        most[index] = min(wide[index], max(least[index], room // (len(least) - len(most))))
        room -= most[index]
    return most


def widest(cells: Sequence["str | Text"]) -> int:
    """How many columns of a terminal the widest of some cells takes."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    whole = "".join(texts)
    if len(texts) == len(cells) and whole.isascii() and whole.isprintable():
        return max(map(len, texts))
    return max(map(cells_wide, cells))


def cells_wide(cell: "str | Text") -> int:
    """How many columns of a terminal the widest line of a cell takes."""
    from rich.cells import cell_len

    words = cell if isinstance(cell, str) else cell.plain
    return len(words) if words.isascii() and words.isprintable() else max(map(cell_len, words.split("\n")))


def _fit(columns: Sequence[Column], wide: Sequence[int], width: int, without: Sequence[int]) -> Iterator[Sequence[int]]:
    """The indices of the columns of each grid: names and keys in all, and as many others as fit whole.

    Args:
        columns: those of the table.
        wide: how wide each is where it is not folded.
        width: of the page.
        without: which to leave out.
    """
    widths = {
        index: min(wide[index], _least(column) or wide[index]) + EDGES
        for index, column in enumerate(columns)
        if index not in without
    }
    names = [index for index in widths if columns[index].key or not columns[index].numeric]
    room = width - 1 - sum(wide[index] + EDGES if columns[index].key else widths[index] for index in names)
    numbers: list[int] = []
    for index in (index for index in widths if index not in names):
        if numbers and sum(widths[number] for number in numbers) + widths[index] > room:
            yield names + numbers
            numbers = []
        numbers.append(index)
    yield names + numbers


def _least(column: Column) -> int | None:
    """How wide a column must be before it is folded; ``None`` of one that is not."""
    if column.kind == "entries":
        return ENTRIES_WIDTH
    return None if column.numeric else NAME_WIDTH
