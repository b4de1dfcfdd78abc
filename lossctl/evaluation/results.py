"""The results of a run in columns: objects of them are made when somebody asks for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from lossctl.arrow import in_arrow
from lossctl.dataclass import dataclass
from lossctl.domain import FloatArray
from lossctl.evaluation.result import Result, as_records, as_rows
from lossctl.records import STEP, Column, Columns, Made, Records, Same, between, entries


@dataclass(frozen=True, eq=False)
class Block:
    """The results of one loss of one model, one for each group."""

    columns: Mapping[str, Column]
    """By field of `Result`, all but the group."""

    def same(self, name: str) -> Any:
        """What all groups have in a field that does not differ."""
        column = self.columns[name]
        if not isinstance(column, Same):
            raise TypeError(f"{name} differs by group")
        return column.value

    def numbers(self, name: str) -> FloatArray:
        """A field that is a number, as doubles ``(groups,)``."""
        return np.asarray(self.columns[name], dtype=np.float64)

    def having(self, **columns: Column) -> "Block":
        """The results with other columns for some fields."""
        return Block({**self.columns, **columns})


@dataclass(frozen=True, eq=False)
class Results:
    """All results: block by block, and in each group by group."""

    groups: Columns
    """The words of each group, by the columns that rows are grouped by."""
    blocks: tuple[Block, ...]

    def __len__(self) -> int:
        """How many there are."""
        return self.groups.n * len(self.blocks)

    def __iter__(self) -> Iterator[Result]:
        """Each result, made one by one."""
        for block in self.blocks:
            for start in range(0, self.groups.n, STEP):
                stop = min(start + STEP, self.groups.n)
                columns = [entries(between(column, start, stop), stop - start) for column in block.columns.values()]
                groups = between(self.groups, start, stop)
                for group, values in zip(entries(groups, stop - start), zip(*columns, strict=True), strict=True):
                    yield Result(group=group, **dict(zip(block.columns, values, strict=True)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Results) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]  # as of all that holds arrays

    def __repr__(self) -> str:
        return repr([*self])

    def arranged(self, index: Sequence[int]) -> "Results":
        """The same of some groups, in that order."""
        words = {name: _taken(column, index) for name, column in self.groups.by_key.items()}
        blocks = (
            Block({name: _taken(column, index) for name, column in block.columns.items()}) for block in self.blocks
        )
        return Results(Columns(len(index), words), tuple(blocks))

    def having(self, blocks: Sequence[Block]) -> "Results":
        """Other results of the same groups."""
        return replace(self, blocks=tuple(blocks))

    def records(self) -> Records:
        """As `Result.to_dict` has each."""
        return Records(tuple(Columns(self.groups.n, as_records(fields)) for fields in self._fields()))

    def rows(self) -> Records:
        """As `Result.to_row` has each."""
        return Records(tuple(Columns(self.groups.n, as_rows(fields)) for fields in self._fields()))

    def _fields(self) -> Iterator[dict[str, Column]]:
        """The columns of each block, that of the groups at its place."""
        order = [*Result.__dataclass_fields__]
        for block in self.blocks:
            columns = {**block.columns, "group": self.groups}
            yield {name: columns[name] for name in order}


def _taken(column: Column, index: Sequence[int]) -> Column:
    """The entries of the records at these places."""
    if isinstance(column, Made):
        fields = {name: _taken(values, index) for name, values in column.fields.by_key.items()}
        return Made(column.make, Columns(len(index), fields), column.present[np.asarray(index, dtype=np.int64)])
    if isinstance(column, np.ndarray):
        return column[np.asarray(index, dtype=np.int64)]
    if isinstance(column, pa.Array):
        return column.take(in_arrow(np.asarray(index, dtype=np.int64)))
    return [column[place] for place in index] if isinstance(column, list) else column


NONE = Results(Columns(1, {}), ())
