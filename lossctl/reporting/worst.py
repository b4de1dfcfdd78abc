"""The worst rows with all that the file says of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lossctl.comparison.moves import cells_of
from lossctl.dataclass import dataclass
from lossctl.document import Column, Line, Part, Table
from lossctl.evaluation.assembly import samples_of
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.report import Report
from lossctl.evaluation.result import Result
from lossctl.evaluation.samples import rows_again
from lossctl.evaluation.traversal import Traversal
from lossctl.evaluation.worst_rows import worst_rows
from lossctl.sums.worst import Worst
from lossctl.words import counted

COLUMNS = 20
"""How many columns of a row are shown; the record has all."""
LENGTH = 80
"""How many characters of a cell are shown."""


@dataclass(frozen=True)
class WorstRows:
    """The rows with the largest losses, the worst first."""

    loss: str
    """By which they are the worst."""
    model: str
    rows: tuple[Mapping[str, Any], ...]
    """What is known of each by column; of what can be read only once, what was measured."""
    table: Table

    def parts(self) -> Iterator[Part]:
        """What a page shows of them."""
        yield Line(f"The {counted(len(self.rows), 'row')} with the largest {self.loss} of {self.model}, worst first.")
        yield self.table
        titles = {*self.table.columns}
        left = len({name for row in self.rows for name in row}) - len(titles)
        if left > 0:
            yield Line(f"and {counted(left, 'column')} more, which the JSON of this page has")

    def to_dict(self) -> dict[str, Any]:
        """The rows in numbers, strings, lists and dictionaries."""
        return {"loss": self.loss, "model": self.model, "rows": [*self.rows]}


def worst_of(plan: Plan, passed: Traversal, worst: Worst, report: Report) -> WorstRows:
    """The worst rows of a pass, read again where they can be.

    Raises:
        DataError: the data changed since.
    """
    (model, bound), numbers = plan.losses[0], [int(row) for row in worst.row]
    if passed.shards is None:
        first = report.results[0]
        samples = tuple(samples_of(worst, 0, passed, bound))
        (whole,) = [Result(**{**vars(first), "group": {}, "samples": samples})]
        facts = tuple(whole.to_dict()["samples"])
        return WorstRows(str(bound), model.name, facts, worst_rows(whole, (), report.inputs))
    records = rows_again(passed, plan, numbers)
    rows = tuple(cells_of(record, place) for record in records for place in range(record.num_rows))
    return WorstRows(str(bound), model.name, rows, _table(rows))


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    names = [*dict.fromkeys(name for row in rows for name in row)][:COLUMNS]
    columns = [_column(name, [row.get(name) for row in rows]) for name in names]
    cells = [[_cell(row.get(column.title), column) for column in columns] for row in rows]
    return Table(tuple(columns), cells, tells=True)


def _column(name: str, cells: Sequence[Any]) -> Column:
    """A column; of fractions it is one of numbers, whole numbers are as they are, for they may be names."""
    numeric = all(cell is None or type(cell) in {int, float} for cell in cells)
    fractions = numeric and any(type(cell) is float for cell in cells)
    return Column(name, "number" if fractions else "name", key=name == "row")


def _cell(cell: Any, column: Column) -> Any:
    """What stands in a cell."""
    if cell is None or column.numeric:
        return cell
    text = cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"
