"""How models differ from a baseline, frozen: it describes itself as a document, as JSON and as a data frame."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lossctl.comparison.charts import charts
from lossctl.comparison.difference import LEAST_GOOD, Difference, Verdict
from lossctl.comparison.tables import sections, sentence
from lossctl.dataclass import dataclass
from lossctl.document import Chart, Document, Section
from lossctl.errors import UsageError
from lossctl.evaluation.report import Report, order_of
from lossctl.rendering.described import Described
from lossctl.sums.distribution import Distribution
from lossctl.words import titled

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison(Described):
    """How the losses of models differ from those of the first, on the same rows."""

    results: tuple[Difference, ...]
    """One for each loss, model and group."""
    report: Report
    """The losses themselves."""
    level: float
    """The level of the confidence intervals."""
    overall: tuple[Difference, ...] = ()
    """The differences of all groups together, one a loss and model; empty where nothing was grouped by."""
    notes: tuple[str, ...] = ()
    """What was chosen without being asked for."""
    warnings: tuple[str, ...] = ()
    rows: tuple[Distribution, ...] = ()
    """The differences of rows, one for each loss and model, where pictures were asked for."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Files, rows read, and the columns of each role."""
        return self.report.inputs

    @property
    def settings(self) -> Mapping[str, Any]:
        """What changes a number."""
        return self.report.settings

    @property
    def difference(self) -> float:
        """The number, when there is one result.

        Raises:
            UsageError: there are several.
        """
        if len(self.results) != 1:
            raise UsageError(f"the comparison has {len(self.results)} results, not one", "Pick from its results.")
        return self.results[0].difference

    @property
    def verdict(self) -> Verdict:
        """The least good of the verdicts, of all rows where there are groups."""
        verdicts = {one.verdict for one in self.overall or self.results}
        return next(verdict for verdict in LEAST_GOOD if verdict in verdicts)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, to be read aloud: one sentence for each loss and model."""
        return tuple(sentence(one, self.level) for one in self.overall or self.results)

    @property
    def charts(self) -> tuple[Chart, ...]:
        """A picture for each loss and model; none where they were not asked for."""
        if not self.rows:
            return ()
        return charts(self.results, self.overall, self.rows, self.level, self._files)

    @property
    def _files(self) -> list[str]:
        """The files of the predictions, of all models."""
        apart = self.inputs.get("join", {}).get("models", {})
        return [file for model in apart.values() for file in model["files"]] or self.inputs["files"]

    def arranged(self, sort: str = "name", top: int | None = None) -> "Comparison":
        """The comparison with its groups in another order, for each loss and model the same.

        Args:
            sort: ``name``; or ``value``, the difference on the first loss of the first model compared, or ``n``, the
                largest first.
            top: how many groups to keep; all when left out. Differences over all groups, and q, stay as they are.

        Raises:
            UsageError: nothing was grouped by, or there is no such order.
        """
        groups = len({tuple(one.group.values()) for one in self.results})
        first, name = self.results[0], "difference" if sort == "value" else sort
        kept, facts = order_of(
            groups,
            lambda: [float(getattr(one, name)) for one in self.results[:groups]],
            self.inputs["by"],
            sort,
            top,
            f"difference of {first.loss} of {first.model}",
        )
        shown = tuple(self.results[start + group] for start in range(0, len(self.results), groups) for group in kept)
        return replace(self, results=shown, report=replace(self.report, inputs={**self.inputs, "groups": facts}))

    def document(self) -> Document:
        """The comparison, described: a row and an object for each result."""
        return Document(
            title=titled("comparison", self._files),
            sections=self._sections,
            pages=partial(self._sections, page=True),
            record=self._record,
            rows=lambda: (one.to_row() for one in self.results),
            items=lambda: (one.to_dict() for one in self.results),
            values=tuple(one.difference for one in self.results),
            notes=self.notes,
            warnings=self.warnings,
            bare=True,
            schema="compare",
        )

    def to_frame(self) -> "pd.DataFrame":
        """The comparison as a tidy data frame: one row for each result."""
        import pandas as pd  # noqa: PLC0415  (half a second that only this needs)

        return pd.DataFrame([one.to_row() for one in self.results])

    def _sections(self, *, page: bool = False) -> Iterator[Section]:
        return sections(self.results, self.overall, self.level, self.report, self.charts, page=page)

    def _record(self) -> dict[str, Any]:
        def listed(differences: Iterable[Difference]) -> list[dict[str, Any]]:
            return [one.to_dict() for one in differences]

        return {
            "verdict": self.verdict,
            "exit_code": 0,
            "inputs": self.inputs,
            "settings": {**self.settings, "ci": self.level},
            "results": listed(self.results),
            **({"overall": listed(self.overall)} if self.overall else {}),
            "sentences": self.sentences,
            **({"charts": [chart.to_dict() for chart in self.charts]} if self.charts else {}),
            "notes": self.notes,
            "warnings": self.warnings,
        }
