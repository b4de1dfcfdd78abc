"""All that is known of a file of predictions: the parts, each as the command that it is of has it, and the page."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lossctl.dataclass import dataclass
from lossctl.doctor.diagnosis import TONES
from lossctl.document import Chart, Document, Facts, Heading, Line, Notes, Part, Piece, Section, Words, charted
from lossctl.errors import argued
from lossctl.evaluation.report import Report
from lossctl.evaluation.result import RESULTS, ROWS, SKILL, WHOLE
from lossctl.evaluation.tables import Rows, footer, marks, tables
from lossctl.rendering.described import Described
from lossctl.reporting.addresses import LEFT_OUT, hidden, secret
from lossctl.reporting.worst import WorstRows
from lossctl.words import counted

if TYPE_CHECKING:
    from lossctl.comparison.comparison import Comparison
    from lossctl.comparison.verdicts import Verdicts
    from lossctl.doctor.diagnosis import Diagnosis

FILES = 10
"""How many files are named."""


@dataclass(frozen=True)
class Dossier(Described):
    """All that is known of a data set of predictions."""

    report: Report
    """The losses, with skill and gradients."""
    comparison: "Comparison | None"
    """The differences of models, where there are several."""
    charts: tuple[Chart, ...]
    """What the rows look like."""
    drawn: tuple[str, ...]
    """What is to be said of the rows that the charts are of."""
    worst: WorstRows | None
    """``None`` where none were asked for."""
    diagnosis: "Diagnosis | None" = None
    unlooked: str = ""
    """Why there is no diagnosis, where there is none; else of which rows it is, where it is not of all."""
    explanations: tuple[Document, ...] = ()
    """One a loss."""
    verdicts: "Verdicts | None" = None
    """What was decided of gates, where there are any."""
    command: str = ""
    """A command line that gives this again."""
    versions: Mapping[str, str] | None = None
    """What it was made with, by name."""
    remarks: tuple[str, ...] = ()
    """What is left out, and why."""
    wording: Callable[[str], str] = argued
    """How options are called in words for people."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was chosen without being asked for, and what is left out."""
        left_out = (LEFT_OUT,) if secret(self.report.inputs) else ()
        return (*self.report.notes, *self.remarks, *left_out)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may be wrong."""
        return self.report.warnings if self.comparison is None else self.comparison.warnings

    def arranged(self, sort: str, top: int | None) -> "Dossier":
        """The same with its groups in another order; arguments and errors as for `Report.arranged`."""
        comparison = None if self.comparison is None else self.comparison.arranged(sort, top)
        return replace(self, report=self.report.arranged(sort, top), comparison=comparison)

    def document(self) -> Document:
        """The page; its rows and numbers are those of the losses."""
        losses, secrets = self.report.document(), secret(self.report.inputs)
        document = Document(
            title=hidden(f"report of {self._files()}", secrets),
            sections=lambda: hidden([*self._sections()], secrets) if secrets else self._sections(),
            record=lambda: hidden(self._record(), secrets) if secrets else self._record(),
            rows=losses.rows,
            items=losses.items,
            values=losses.values,
            notes=hidden(tuple(map(self.wording, self.notes)), secrets),
            warnings=hidden(tuple(map(self.wording, self.warnings)), secrets),
            schema="report",
        )
        return document if self.verdicts is None else self.verdicts.beside(document)

    def _files(self) -> str:
        files = self.report.inputs["files"]
        more = f", … ({len(files):,} files)" if len(files) > FILES else ""
        return (", ".join(files[:FILES]) or "a table") + more

    def _record(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "command": self.command,
            "versions": self.versions or {},
            "eval": _recorded(self.report.document()),
            "plot": {**_recorded(charted(self.charts)), "drawn": self.drawn},
            "explain": [_recorded(each) for each in self.explanations],
        }
        if self.worst is not None:
            record["worst_rows"] = self.worst.to_dict()
        if self.comparison is not None:
            record["compare"] = _recorded(self.comparison.document())
        if self.diagnosis is not None:
            record["doctor"] = _recorded(self.diagnosis.document())
        return {**record, "notes": self.notes, "warnings": self.warnings}

    def _sections(self) -> Iterator[Section]:
        report, told = self.report, tuple(self._told())
        whole, groups = Rows.of(report.whole or report.table), Rows.of(report.table)
        yield (Heading("What was measured"),)
        yield tuple(self._measured(told))
        if self.verdicts is not None:
            yield (Heading("Gates"),)
            verdicts = self.verdicts.document()
            yield from (verdicts.pages or verdicts.sections)()
        yield (Heading("Losses"),)
        yield from ((table,) for table in tables(whole, report.inputs, kinds=(RESULTS, SKILL)))
        yield (Notes(tuple(marks(whole, report.inputs))),)
        if self.comparison is not None:
            yield (Heading("Differences of the models"),)
            differences = self.comparison.document()
            yield from _without((differences.pages or differences.sections)(), told)
        if report.whole:
            yield (Heading(f"By {', '.join(report.inputs['by'])}"),)
            yield from ((table,) for table in tables(groups, report.inputs, kinds=(RESULTS, SKILL)))
            yield (Notes(tuple(marks(groups, report.inputs))),)
        gradients = [*tables(whole, report.inputs, kinds=(WHOLE, ROWS))]
        if gradients:
            yield (Heading("Gradients, and who carries them"),)
            yield from ((table,) for table in gradients)
        yield (Heading("What the rows look like"),)
        yield from ((chart,) for chart in self.charts)
        yield (Notes(self.drawn),)
        if self.worst is not None:
            yield (Heading("Worst rows"),)
            yield tuple(self.worst.parts())
        yield (Heading("Findings"),)
        if self.unlooked:
            yield (Line(self.unlooked),)
        if self.diagnosis is not None:
            yield from self.diagnosis.document().sections()
        for explanation in self.explanations:
            yield (Heading(f"What {explanation.title} is"),)
            yield from explanation.sections()

    def _counted(self) -> Words:
        """How many findings there are of each kind; where they stand is told by the headings."""
        if self.diagnosis is None:
            return "not looked for"
        severities = Counter(finding.severity for finding in self.diagnosis.findings)
        kinds = [kind for kind in TONES if severities[kind]]
        return Piece(", ".join(counted(severities[kind], kind) for kind in kinds), TONES[kinds[0]]) if kinds else "none"

    def _told(self) -> Iterator[str]:
        """What the losses were made of, a line each."""
        report = self.report
        yield from footer(report.whole or report.table, report.inputs, report.settings)

    def _measured(self, told: Sequence[str]) -> Iterator[Part]:
        facts: list[tuple[str, Words]] = [("files", self._files())]
        facts += [(name, text) for name, _, text in (line.partition(": ") for line in told)]
        facts += [("findings", self._counted())]
        if self.versions:
            facts.append(("made with", ", ".join(f"{name} {version}" for name, version in self.versions.items())))
        yield Facts(tuple(facts))
        if self.command:
            yield Line(Piece("to repeat:", "strong"))
            yield Line(Piece(f"  {self.command}", "command"))
        yield from (Line(Piece(f"warning: {self.wording(text)}", "doubtful")) for text in self.warnings)
        yield Notes(tuple(map(self.wording, self.notes)))


def _recorded(document: Document) -> dict[str, Any]:
    """What a command writes as JSON, without what it says of its own form."""
    record = document.to_dict()
    return {name: value for name, value in record.items() if name not in {"schema_version", "lossctl"}}


def _without(sections: Iterable[Section], told: Sequence[str]) -> Iterator[Section]:
    """Sections without the notes that were told before."""
    for section in sections:
        yield tuple(
            replace(part, lines=tuple(line for line in part.lines if line not in told))
            if isinstance(part, Notes)
            else part
            for part in section
        )
