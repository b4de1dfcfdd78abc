"""The worst rows with all that the file says of them."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from lossctl.comparison.moves import cells_of
from lossctl.dataclass import dataclass
from lossctl.document import Column, Line, Part, Table
from lossctl.evaluation.assembly import samples_of
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.prepared import Prepared
from lossctl.evaluation.report import Report
from lossctl.evaluation.result import Result, Sample
from lossctl.evaluation.running import Running
from lossctl.evaluation.samples import rows_again
from lossctl.evaluation.samples import worst_rows as worst_table
from lossctl.evaluation.traversal import Traversal
from lossctl.evaluation.worst_rows import worst_rows
from lossctl.sums.worst import Worst
from lossctl.words import counted

COLUMNS = 20
"""How many columns of a row are shown; the record has all."""
LENGTH = 80
"""How many characters of a cell are shown."""
PLACES = ("file", "row")
"""What says which row it is."""


@dataclass(frozen=True)
class WorstRows:
    """The rows with the largest losses, the worst first."""

    loss: str
    """By which they are the worst."""
    model: str
    rows: tuple[Mapping[str, Any], ...]
    """What is known of each by column; of what can be read only once, what was measured."""
    table: Table
    left_out: int = 0
    """How many of their columns the table has not."""

    def parts(self) -> Iterator[Part]:
        """What a page shows of them."""
        yield Line(f"The {counted(len(self.rows), 'row')} with the largest {self.loss} of {self.model}, worst first.")
        yield self.table
        if self.left_out:
            yield Line(f"and {counted(self.left_out, 'column')} more, which the JSON of this page has")

    def to_dict(self) -> dict[str, Any]:
        """The rows in numbers, strings, lists and dictionaries."""
        return {"loss": self.loss, "model": self.model, "rows": [*self.rows]}


def worst_of(
    plan: Plan,
    passed: Traversal,
    worst: Worst,
    report: Report,
    running: Running,
    again: Callable[[], Prepared] | None = None,
) -> WorstRows:
    """The worst rows of a pass, read again where they can be.

    Args:
        plan: what was measured.
        passed: the pass, which kept its shards where these do not hold their rows.
        worst: which rows these are.
        report: the losses.
        running: how to pass over all rows once more.
        again: opens them.

    Raises:
        DataError: the data changed since.
    """
    model, bound = plan.losses[0]
    if passed.shards is not None:
        records = rows_again(passed, plan, [int(row) for row in worst.row])
    elif again is not None:
        source = again().source
        records = worst_table(source, plan, len(worst.row), lambda *_: None, running, several_types=True)
    else:
        return _measured(str(bound), model.name, tuple(samples_of(worst, 0, passed, bound)), report)
    rows = tuple(cells_of(record, place) for record in records for place in range(record.num_rows))
    own = {column.name for column in passed.source.columns}
    table = _table(rows, own)
    left_out = len({name for row in rows for name in row}) - len(table.columns)
    return WorstRows(str(bound), model.name, rows, table, left_out)


def _measured(loss: str, model: str, samples: tuple[Sample, ...], report: Report) -> WorstRows:
    """The worst rows of what can be read only once: what was measured of them."""
    first = report.results[0]
    whole = Result(**{**vars(first), "group": {}, "samples": samples})
    return WorstRows(loss, model, tuple(whole.to_dict()["samples"]), worst_rows(whole, (), report.inputs))


def _table(rows: Sequence[Mapping[str, Any]], own: Collection[str]) -> Table:
    """The rows as a table: the first loss, then their own columns, then what else was measured."""
    names = [*dict.fromkeys(name for row in rows for name in row)]
    measured = [name for name in names if name not in own]
    first = [name for name in measured if name in PLACES] + [name for name in measured if name not in PLACES][:2]
    order = [*first, *(name for name in names if name in own), *measured]
    columns = [_column(name, [row.get(name) for row in rows]) for name in [*dict.fromkeys(order)][:COLUMNS]]
    cells = [[_cell(row.get(column.title), column) for column in columns] for row in rows]
    return Table.of(tuple(columns), cells, tells=True)


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
