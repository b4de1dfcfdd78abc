"""What a diagnosis holds: the roles of columns, tasks, command lines and findings; and its document."""

import math
from collections.abc import Iterator
from dataclasses import asdict, field, fields
from typing import Any

from lossctl.dataclass import dataclass
from lossctl.doctor.finding import Severity
from lossctl.doctor.statistics import Ranks
from lossctl.doctor.survey import Role
from lossctl.document import Column, Document, Line, Part, Phrase, Piece, Section, Table, Tone, phrase
from lossctl.inference.candidates import Candidate
from lossctl.rendering.described import Described
from lossctl.rendering.digits import EXACT, exponent
from lossctl.words import counted, figures

DIGITS = 4
"""Significant digits of the ends of a column, where these tell them apart."""
WHOLE = 1e15
"""Whole numbers below have all of their digits."""
TONES: dict[Severity, Tone] = {Severity.error: "bad", Severity.warning: "doubtful", Severity.note: "noted"}


@dataclass(frozen=True)
class Reported:
    """A finding that has evidence: what it says, and where."""

    name: str
    """What the finding is called."""
    severity: Severity
    """How bad it is."""
    model: str
    """The model that it is about; empty where it is about none alone."""
    what: str
    """What was found."""
    advice: str
    """What to do or look at."""
    stops: bool
    """Whether ``lossctl eval`` cannot measure such data, whatever the flags."""
    count: int | None = None
    """In how many rows."""
    file: str | None = None
    """The file of the first of them."""
    row: int | None = None
    """The first of them in its file, from 1."""
    sample: int | None = None
    """Of how many things it was estimated, where not all were looked at."""
    standard_error: float | None = None
    """That of the estimate."""


@dataclass(frozen=True)
class ModelTask:
    """What a model seems to be for."""

    model: str
    """The name of the model."""
    task: str | None
    """The task, such as binary classification; ``None`` where none fits."""
    predictions: str | None
    """What the predictions are: probabilities, logits, …"""
    activations: tuple[str, ...] = ()
    """The output activations that fit."""
    losses: tuple[str, ...] = ()
    """The losses that fit, best first."""
    why: str = ""
    """What tells the task."""
    ranks: Ranks = field(default_factory=Ranks)
    """How well its predictions order the rows."""


@dataclass(frozen=True)
class Diagnosis(Described):
    """What a pass over the data came to."""

    files: tuple[str, ...]
    """The files; none where the data were in memory."""
    rows: int
    """Rows that were read."""
    rows_used: int
    """Rows without nulls, ignored labels and weights of 0."""
    rows_ignored: int
    """Rows whose label is one of ``ignored``, of which nothing else is looked at."""
    ignored: tuple[str, ...]
    """The labels to be ignored."""
    roles: tuple[Role, ...]
    """What is in the columns of each role."""
    models: tuple[ModelTask, ...]
    """What each model seems to be for."""
    commands: tuple[str, ...]
    """Command lines to copy: one, unless models differ in what fits them."""
    runs: bool
    """Whether they run as the data are."""
    findings: tuple[Reported, ...]
    """Worst first."""
    notes: tuple[str, ...] = ()
    """What was chosen without being asked for."""
    columns: tuple[Candidate, ...] = ()
    """Every column, where the names did not say which is which."""

    @property
    def suspicious(self) -> bool:
        """Whether there is a finding that is more than a note."""
        return any(finding.severity is not Severity.note for finding in self.findings)

    def _record(self) -> dict[str, Any]:
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["roles"] = [asdict(role) for role in self.roles]
        plain["models"] = [asdict(model) for model in self.models]
        plain["findings"] = [asdict(finding) for finding in self.findings]
        plain["columns"] = [column.to_dict() for column in self.columns]
        return plain

    def document(self) -> Document:
        """The diagnosis, described: its rows are the findings."""
        return Document(
            title="diagnosis",
            sections=lambda: _sections(self),
            record=self._record,
            rows=lambda: [asdict(finding) for finding in self.findings],
            notes=self.notes,
            schema="doctor",
        )


def _sections(diagnosis: Diagnosis) -> Iterator[Section]:
    """Columns, tasks, command lines, findings."""
    rows, used = diagnosis.rows, diagnosis.rows_used
    ignored = diagnosis.rows_ignored
    kept = "" if diagnosis.columns or used == rows - ignored else f", {used:,} without nulls and weight 0"
    kept += f", {ignored:,} ignored for their label" if diagnosis.ignored else ""
    title = f"{', '.join(diagnosis.files) or 'table'}: {counted(rows, 'row')}{kept}"
    yield (Line(Piece(title, "strong")),)
    yield (_columns(diagnosis.columns) if diagnosis.columns else _roles(diagnosis.roles),)
    yield tuple(_tasks(diagnosis))
    if diagnosis.commands:
        runs = diagnosis.runs or diagnosis.columns
        lead = Line(Piece("run:" if runs else "run once the errors below are mended:", "strong"))
        yield (lead, *(Line(Piece(f"  {command}", "command")) for command in diagnosis.commands))
    if not diagnosis.findings:
        yield (Line(Piece("findings: none", "good")),)
        return
    counts = [
        counted(sum(finding.severity is severity for finding in diagnosis.findings), severity) for severity in Severity
    ]
    yield (Line(Piece(f"findings: {', '.join(counts)}", "strong")),)
    several = len(diagnosis.files) > 1
    findings = [
        [Piece(str(finding.severity), TONES[finding.severity]), _finding(finding, several=several)]
        for finding in diagnosis.findings
    ]
    yield (Table.of((Column("severity"), Column("finding")), findings, folds=True, tall=True),)


def _tasks(diagnosis: Diagnosis) -> Iterator[Part]:
    """Task, pairing and ranks of each model."""
    weighted = any(role.role == "weight" for role in diagnosis.roles)
    for model in diagnosis.models:
        of = f" of {model.model}" if len(diagnosis.models) > 1 else ""
        if model.task is None:
            yield Line(Piece(f"task{of}: none fits these columns", "strong"))
            continue
        yield Line(phrase(Piece(f"task{of}: ", "strong"), model.task))
        yield Line(f"because {model.why}", indent=2)
        yield Line(
            f"pairing {' or '.join(model.activations) or 'numbers as they are'} with {', '.join(model.losses)}",
            indent=2,
        )
        yield from (Line(words, indent=2) for words in _ranked(model.ranks, weighted=weighted))


def _ranked(ranks: Ranks, *, weighted: bool) -> Iterator[str]:
    """The statistics of ranks in words, with how exact they are."""
    apart = f", without {counted(ranks.infinite, 'infinite prediction')}" if ranks.infinite else ""
    apart += ", each row once whatever its weight" if weighted else ""
    if ranks.area_under_curve is not None:
        within = f", within {ranks.area_within:.1g}: the predictions are rounded" if ranks.area_within else ""
        yield f"area under the ROC curve {figures(ranks.area_under_curve, 6)}{apart}{within}"
    if ranks.rank_correlation is not None:
        error = f", standard error {ranks.standard_error:.2g}: of a sample of " if ranks.sample is not None else ""
        error += f"{ranks.sample:,} of the different pairs" if ranks.sample is not None else ""
        yield f"rank correlation {figures(ranks.rank_correlation, 6)}{apart}{error}"


def _roles(roles: tuple[Role, ...]) -> Table:
    columns = (
        Column("role"),
        Column("column", "name"),
        Column("distinct", "count", missing="many"),
        Column("null", "count"),
        Column("what it holds"),
    )
    rows = []
    for role in roles:
        name = role.name if len(role.columns) == 1 or role.kind == "text" else f"{role.name} ({len(role.columns)})"
        rows.append([role.role, name, role.distinct, role.nulls, "; ".join(_held(role))])
    return Table.of(columns, rows, folds=True)


def _held(role: Role) -> Iterator[str]:
    """What a column holds, in words."""
    if role.kind == "text":
        if role.words:
            more = role.distinct is None or role.distinct > len(role.words)
            yield ", ".join(role.words) + (", …" if more else "")
        else:
            yield "ids" if role.role == "id" else "text"
        return
    if role.low is None or role.high is None:
        yield "nothing"
        return
    kind = "whole numbers" if role.integers else "numbers"
    many = "vectors of " if role.kind == "vector" else ""
    yield f"{many}{kind} from {figures(role.low, 6)} to {figures(role.high, 6)}"
    shares = [f"{100 * share:.3g} % are exactly {value}" for value, share in ((0, role.zeros), (1, role.ones)) if share]
    if shares:
        yield ", ".join(shares)
    if role.sum_to_one is not None:
        yield f"{100 * role.sum_to_one:.3g} % of the rows sum to 1"


def _columns(candidates: tuple[Candidate, ...]) -> Table:
    spans = [_told_apart(candidate) for candidate in candidates]
    digits = max((digits for digits, _ in spans), default=DIGITS)
    columns = (
        Column("column", "name"),
        Column("type"),
        Column("distinct", "count", missing="many"),
        Column("null", "count"),
        Column("from", "number", digits=digits),
        Column("to", "number", digits=digits),
        Column("could be"),
    )
    rows = []
    for candidate, (_, span) in zip(candidates, spans, strict=True):
        content = candidate.content
        distinct = "" if candidate.kind == "list" else candidate.distinct
        roles = ", ".join(candidate.roles)
        rows.append([candidate.name, candidate.kind, distinct, content.nulls, *span, roles])
    return Table.of(columns, rows, folds=True)


def _told_apart(candidate: Candidate) -> tuple[int, list[float | None]]:
    """The smallest and the largest number, with as many digits as tell them apart, and how many these are.

    Whole numbers have all of theirs.
    """
    numbers = candidate.content.numbers
    if not numbers.n:
        return DIGITS, [None, None]
    low, high = (numbers.quantile(q) for q in (0.0, 1.0))
    ends = [end for end in (low, high) if end and math.isfinite(end)]
    if all(end.is_integer() and abs(end) < WHOLE for end in ends):
        needed = max((len(f"{abs(end):.0f}") for end in ends), default=0)
    else:
        span = high - low
        top = max((exponent(end, EXACT) for end in ends), default=0)
        needed = top - exponent(span, EXACT) + 2 if 0 < span < math.inf else 0
    digits = min(max(needed, DIGITS), EXACT)
    return digits, [float(f"{end:.{digits - 1}e}") for end in (low, high)]


def _finding(finding: Reported, *, several: bool) -> Phrase:
    """What was found, in how many rows and where the first of them is, and what to do."""
    what = f"{finding.model}: {finding.what}" if finding.model else finding.what
    pieces = [Piece(finding.name, "strong", ends=True), Piece(what, ends=True)]
    if finding.count is not None and finding.row is not None:
        file = f" of {finding.file}" if several and finding.file is not None else ""
        pieces.append(Piece(f"{counted(finding.count, 'row')}, first row {finding.row:,}{file}", ends=True))
    return (*pieces, *([Piece(f"→ {finding.advice}", "faint")] if finding.advice else []))
