"""What a run measured, frozen: it describes itself as a document, as JSON and as a data frame."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from lossctl.dataclass import dataclass
from lossctl.document import Document
from lossctl.errors import UsageError, option
from lossctl.evaluation.result import Result
from lossctl.evaluation.tables import Named, sections
from lossctl.functions.lookup import meant
from lossctl.rendering.described import Described
from lossctl.words import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

AnyNamed = TypeVar("AnyNamed", bound=Named)
ORDERS = ("value", "n", "name")
"""What the results of groups, which come by name, may be sorted by."""


@dataclass(frozen=True)
class Report(Described):
    """What a run measured, on what, and with which settings."""

    results: tuple[Result, ...]
    inputs: Mapping[str, Any]
    """Files, rows read, and the columns of each role."""
    settings: Mapping[str, Any]
    """Null policy, floor, activation and whatever else changes a number."""
    notes: tuple[str, ...] = ()
    """What was chosen without being asked for."""
    warnings: tuple[str, ...] = ()
    profile: Mapping[str, float] | None = None
    """Seconds by phase, added up over workers; ``None`` unless asked for."""
    overall: tuple[Result, ...] = ()
    """The results of all groups together, one a loss and model, of no group; empty where nothing was grouped by."""

    @property
    def value(self) -> float:
        """The number, when there is one result.

        Raises:
            UsageError: there are several.
        """
        if len(self.results) != 1:
            raise UsageError(f"the report has {len(self.results)} results, not one", "Ask for report[loss].value.")
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
        results, groups = arranged(self.results, self.inputs["by"], sort, top, "value")
        return replace(self, results=results, inputs={**self.inputs, "groups": groups})

    def document(self) -> Document:
        """The report, described: a row and an object for each result."""
        return Document(
            title="losses",
            sections=lambda: sections(self.results, self.inputs, self.settings, self.overall),
            record=self._record,
            rows=lambda: (result.to_row() for result in self.results),
            items=lambda: (result.to_dict() for result in self.results),
            values=tuple(result.value for result in self.results),
            notes=self.notes,
            warnings=self.warnings,
            bare=True,
        )

    def _record(self) -> dict[str, Any]:
        return {
            "inputs": self.inputs,
            "settings": self.settings,
            "results": [result.to_dict() for result in self.results],
            **({"overall": [result.to_dict() for result in self.overall]} if self.overall else {}),
            "notes": self.notes,
            "warnings": self.warnings,
            **({} if self.profile is None else {"profile": self.profile}),
        }

    def to_frame(self) -> "pd.DataFrame":
        """The results as a tidy pandas frame: one row a loss × model × group, a column for each group-by column."""
        import pandas as pd  # noqa: PLC0415  (350 ms that nobody else should pay)

        return pd.DataFrame([result.to_row() for result in self.results])


def arranged(
    results: Sequence[AnyNamed],
    by: Sequence[str],
    sort: str,
    top: int | None,
    number: str,
) -> tuple[tuple[AnyNamed, ...], dict[str, Any]]:
    """Results with their groups in another order, for each loss and model the same, and what to say of that.

    Args:
        results: group by group, for each loss and model.
        by: what they are grouped by.
        sort: one of the orders; ``value`` and ``n`` put the largest first, and what is no number last.
        top: how many groups to keep; all when left out.
        number: the attribute of a result that is its value.

    Raises:
        UsageError: nothing was grouped by, or there is no such order.
    """
    if sort not in ORDERS:
        raise UsageError(f"no order of groups {sort!r}", did_you_mean(sort, [*ORDERS]))
    if not by:
        raise UsageError("there are no groups to arrange", f"Name columns to group by: {option(by='COL')}.")
    groups = len({tuple(result.group.values()) for result in results})
    kept = list(range(groups))
    if sort != "name":
        sizes = [float(getattr(result, number if sort == "value" else sort)) for result in results[:groups]]
        kept.sort(key=lambda group: math.inf if math.isnan(sizes[group]) else -sizes[group])
    kept = kept[:top]
    shown = tuple(results[start + group] for start in range(0, len(results), groups) for group in kept)
    what = f"{number} of {results[0].loss} of {results[0].model}" if sort == "value" else sort
    return shown, {"measured": groups, "shown": len(kept), "by": what}
