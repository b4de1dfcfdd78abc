"""What a run measured, frozen: it describes itself as a document, as JSON and as a data frame."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.document import Document, Section
from lossctl.errors import UsageError, option
from lossctl.evaluation.result import Result
from lossctl.evaluation.results import NONE, Results
from lossctl.functions.lookup import meant
from lossctl.rendering.described import Described
from lossctl.words import did_you_mean, titled

if TYPE_CHECKING:
    import pandas as pd

ORDERS = ("value", "n", "name")
"""What the results of groups, which come by name, may be sorted by."""


@dataclass(frozen=True)
class Report(Described):
    """What a run measured, on what, and with which settings."""

    table: Results
    """The results in columns."""
    inputs: Mapping[str, Any]
    """Files, rows read, and the columns of each role."""
    settings: Mapping[str, Any]
    """Null policy, floor, activation and whatever else changes a number."""
    notes: tuple[str, ...] = ()
    """What was chosen without being asked for."""
    warnings: tuple[str, ...] = ()
    profile: Mapping[str, float] | None = None
    """Seconds by phase, added up over workers; ``None`` unless asked for."""
    whole: Results = field(default_factory=lambda: NONE)
    """Those of all groups together, in columns."""

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """The results: of each loss, of each model, of each group."""
        return tuple(self.table)

    @cached_property
    def overall(self) -> tuple[Result, ...]:
        """The results of all groups together, one a loss and model, of no group; empty where nothing was grouped by."""
        return tuple(self.whole)

    @property
    def value(self) -> float:
        """The number, when there is one result.

        Raises:
            UsageError: there are several.
        """
        if len(self.table) != 1:
            raise UsageError(f"the report has {len(self.table)} results, not one", "Ask for report[loss].value.")
        return self.results[0].value

    def of(self, loss: str) -> list[Result]:
        """The results of a loss, by its specification, its bare name, or a name that means it for some columns.

        Raises:
            UsageError: there is none.
        """
        specs = {*meant(loss, [result.loss for result in self.results])}
        results = [result for result in self.results if result.loss in specs]
        if not results:
            measured = sorted({result.loss for result in self.results})
            raise UsageError(f"no result of {loss!r}: no such loss was measured", did_you_mean(loss, measured))
        return results

    def __getitem__(self, loss: str) -> Result:
        """The result of a loss, by its specification or its bare name.

        Raises:
            UsageError: no result, or more than one, is of that loss.
        """
        results = self.of(loss)
        if len(results) > 1:
            whole = " report.overall has those of all rows." if self.overall else ""
            hint = f"report.of({loss!r}) lists them, with the group and model of each.{whole}"
            raise UsageError(f"the report has {len(results)} results of {loss!r}", hint)
        return results[0]

    def arranged(self, sort: str = "name", top: int | None = None) -> "Report":
        """The report with its groups in another order, for each loss and model the same.

        Args:
            sort: ``name``; or ``value``, that of the first loss of the first model, or ``n``, the largest first.
            top: how many groups to keep; all when left out. Results over all groups stay as they are.

        Raises:
            UsageError: nothing was grouped by, or there is no such order.
        """
        first, groups = self.table.blocks[0], self.table.groups.n
        title = f"value of {first.same('loss')} of {first.same('model')}"
        kept, facts = order_of(groups, lambda: first.numbers(sort).tolist(), self.inputs["by"], sort, top, title)
        return replace(self, table=self.table.arranged(kept), inputs={**self.inputs, "groups": facts})

    def _sections(self) -> Iterable[Section]:
        from lossctl.evaluation.tables import sections  # noqa: PLC0415  (which no record needs)

        return sections(self.table, self.inputs, self.settings, self.whole)

    def document(self) -> Document:
        """The report, described: a row and an object for each result."""
        return Document(
            title=titled("losses", self.inputs["files"]),
            sections=self._sections,
            record=self._record,
            rows=self.table.rows,
            items=self.table.records,
            values=np.concatenate([block.numbers("value") for block in self.table.blocks]).data,
            notes=self.notes,
            warnings=self.warnings,
            bare=True,
            schema="eval",
        )

    def _record(self) -> dict[str, Any]:
        return {
            "inputs": self.inputs,
            "settings": self.settings,
            "results": self.table.records(),
            **({"overall": [*self.whole.records()]} if len(self.whole) else {}),
            "notes": self.notes,
            "warnings": self.warnings,
            **({} if self.profile is None else {"profile": self.profile}),
        }

    def to_frame(self) -> "pd.DataFrame":
        """The results as a tidy pandas frame: one row a loss × model × group, a column for each group-by column."""
        import pandas as pd  # noqa: PLC0415  (350 ms that nobody else should pay)

        return pd.DataFrame([*self.table.rows()])


def order_of(
    groups: int, numbers: Callable[[], Sequence[float]], by: Sequence[str], sort: str, top: int | None, title: str
) -> tuple[list[int], dict[str, Any]]:
    """The places of groups in another order than by name, and what to say of that.

    Args:
        groups: how many there are.
        numbers: what they are sorted by, where that is not their name: the largest first, and what is no number last.
        by: what they are grouped by.
        sort: one of the orders.
        top: how many groups to keep; all when left out.
        title: what the order ``value`` is called.

    Raises:
        UsageError: nothing was grouped by, or there is no such order.
    """
    if sort not in ORDERS:
        raise UsageError(f"no order of groups {sort!r}", did_you_mean(sort, [*ORDERS]))
    if not by:
        raise UsageError("there are no groups to arrange", f"Name columns to group by: {option(by='COL')}.")
    kept = list(range(groups))
    if sort != "name":
        sizes = numbers()
        kept.sort(key=lambda group: math.inf if math.isnan(sizes[group]) else -sizes[group])
    kept = kept[:top]
    return kept, {"measured": groups, "shown": len(kept), "by": title if sort == "value" else sort}
