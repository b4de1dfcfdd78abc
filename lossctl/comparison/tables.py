"""The document of a comparison: its tables, the sentences that a person can read aloud, and notes."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lossctl.comparison.difference import Difference
from lossctl.comparison.moves import moved_rows
from lossctl.comparison.wording import rounded, signed
from lossctl.document import Cells, Chart, Column, Estimates, Line, Notes, Piece, Section, Spelled, Table, Tone, phrase
from lossctl.evaluation.report import Report
from lossctl.evaluation.tables import EVERY, footer, named, naming
from lossctl.words import counted

TONES: Mapping[str, Tone] = {"better": "good", "worse": "bad", "not trusted": "doubtful", "no evidence": ""}
MANY = 6
"""More sentences than these are not read aloud by anybody: the table has the verdicts."""
SMALL = 1e-3
"""Below this a probability is written with an exponent."""


def sections(
    results: Sequence[Difference],
    overall: Sequence[Difference],
    level: float,
    report: Report,
    charts: Sequence[Chart] = (),
    *,
    page: bool = False,
) -> Iterator[Section]:
    """The differences; what else is known of them; what was found in sentences; notes on what they were made of.

    A terminal is read from its end, where the sentences are; a page from its beginning, and has them there.
    """
    said = overall or results
    sentences = [sentence(one, level) for one in said]
    conclusion = tuple(map(Line, sentences)) if len(said) <= MANY else tuple(_counted(said))
    if page:
        yield conclusion
    before = {(one.loss, one.model): one for one in overall}
    listed: list[Difference] = []
    for one in results:
        whole = before.pop((one.loss, one.model), None)
        listed += [one] if whole is None else [whole, one]
    groups = {name: [one.group.get(name, EVERY) for one in listed] for name in (results[0].group if results else ())}
    names = naming([one.loss for one in listed], [one.model for one in listed], groups)
    against = results[0].against if results else ""
    models = list(dict.fromkeys(one.model for one in results))
    title = f"{models[0] if len(models) == 1 else 'difference'} against {against}"
    columns = [
        Column(against, "number", brief="baseline"),
        Column(models[0], "number", brief="value") if len(models) == 1 else Column("value", "number"),
        Column("change", "number", tone="strong"),
        Column("ci low", "number", spare=True),  # the sentences have both ends
        Column("ci high", "number", spare=True, joined=True),
        Column("verdict", "name"),
    ]
    if len({column.title for column in columns}) < len(columns):
        columns[:2] = Column("baseline", "number"), Column("value", "number")
    known, words = tuple(column for column, _ in names), [cells for _, cells in names]
    yield (Table((*known, *columns), [*words, *_changes(listed)], title, tells=True),)
    extra = _extra(listed)
    cells = [*words, *(cells for _, cells in extra)]
    yield (Table((*known, *(column for column, _ in extra)), cells, "how sure, and on how many rows", tells=True),)
    for place, one in enumerate(listed):
        if one.samples:
            moved = phrase("rows that moved most of ", named(names, place))
            yield (moved_rows(one.samples, moved, (one.against, one.model), one.loss, report.inputs),)
    for chart in charts:  # what is said of all is not said in each picture, too
        notes = tuple(note for note in chart.notes if note not in sentences or len(said) > MANY)
        yield (replace(chart, notes=notes),)
    if not page:
        yield conclusion
    yield (
        Notes((*_notes(listed, level, report), *footer(report.whole or report.table, report.inputs, report.settings))),
    )


def _changes(listed: Sequence[Difference]) -> Iterator[Cells]:
    """The cells of both values, their difference with its interval, and the verdict."""
    errors = [one.standard_error for one in listed]
    for field in ("baseline", "value", "difference", "ci_low", "ci_high"):
        yield Estimates.of([getattr(one, field) for one in listed], errors)
    verdicts = {verdict: Piece(verdict, tone) for verdict, tone in TONES.items()}
    yield [verdicts[one.verdict] for one in listed]


def _extra(listed: Sequence[Difference]) -> list[tuple[Column, Cells]]:
    """The columns on how sure differences are, and what stands in them; those that say least are spare, and last.

    Where the largest share is too large, a warning has it.
    """
    clustered = any(one.clusters is not None for one in listed)
    tested = any(not math.isnan(one.p) for one in listed)
    several = tested and any(one.q != one.p for one in listed if not math.isnan(one.p))
    tied = any(one.tied for one in listed)
    columns: list[tuple[bool, Column, Callable[[Difference], Any]]] = [
        (True, Column("n", "count"), lambda one: one.n),
        (clustered, Column("clusters", "count"), lambda one: one.clusters),
        (True, Column("relative", "share", brief="rel."), lambda one: one.relative),
        (tested, Column("p", "number"), lambda one: Spelled(one.p, _chance(one.p))),
        (several, Column("q", "number"), lambda one: Spelled(one.q, _chance(one.q))),
        (True, Column("better", "share"), lambda one: Spelled(one.better, _percent(one.better))),
        (tied, Column("tied", "share"), lambda one: Spelled(one.tied, _percent(one.tied))),
        (True, Column("worse", "share", spare=not tied), lambda one: Spelled(one.worse, _percent(one.worse))),
        (
            True,
            Column("std. error", "number", spare=True, brief="s.e."),
            lambda one: one.standard_error,
        ),
        (
            True,
            Column("correlation", "number", spare=True),
            lambda one: Spelled(one.correlation, f"{one.correlation:z.2f}"),
        ),
        (True, Column("top share", "share", spare=True), lambda one: Spelled(one.top_share, _percent(one.top_share))),
    ]
    cells = [(column, [cell(one) for one in listed]) for shown, column, cell in columns if shown]
    return [(column, Estimates.of(each, each) if column.title == "std. error" else each) for column, each in cells]


def _chance(p: float) -> str:
    """A p- or q-value in two digits, with an exponent where it is small."""
    return "0" if p == 0.0 else f"{p:#.2g}" if p >= SMALL else f"{p:.1e}" if p > 0.0 else ""


def _notes(differences: Sequence[Difference], level: float, report: Report) -> Iterator[str]:
    anytime = next((one.estimate.anytime for one in differences if one.estimate.anytime is not None), None)
    clustered = any(one.clusters is not None for one in differences)
    if anytime is not None:
        units = f"{anytime:,.0f} {'clusters' if clustered else 'rows'}"
        yield f"ci: {100 * level:.6g} % interval of the change that holds at every n at once, tightest at {units}"
    else:
        weighted = report.inputs["weight"] or report.inputs["masked"]
        units = "clusters" if clustered else "effective n" if weighted else "n"
        lags = max((one.estimate.lags for one in differences), default=0)
        series = f" as a series with {counted(lags, 'lag')} (Diebold & Mariano)" if lags else ""
        interval = f"ci: {100 * level:.6g} % interval of the change on the same rows{series}"
        yield f"{interval}, Student's t with {units} − 1 degrees of freedom"
        if any(not math.isnan(one.p) for one in differences):
            among = "; q: the same among all rows of the table" if len(differences) > 1 else ""
            yield f"p: how likely a change as large is by chance alone{among}; lossctl help statistics says more"
            if among:
                yield "verdict: by the ci, each row by itself, so p decides, and q does not"


def _counted(differences: Sequence[Difference]) -> Iterator[Line]:
    """How many differences of each model have which verdict: the most that can be said of many."""
    for model in dict.fromkeys(one.model for one in differences):
        mine = [one for one in differences if one.model == model]
        verdicts = Counter(one.verdict for one in mine).most_common()
        what, words = f", of {len(mine)} losses", ", ".join(f"{number} {verdict}" for verdict, number in verdicts)
        if len(mine) == 1:
            what, words = f" on {mine[0].loss}", mine[0].verdict
        yield Line(f"{model} against {mine[0].against}{what}: {words}.")


def sentence(one: Difference, level: float) -> str:
    """What was found, to be read aloud."""
    where = "".join(f" at {name} {'null' if word is None else word}" for name, word in one.group.items())
    units = f"n = {one.n:,}"
    if one.clusters is not None:
        units += f" in {one.clusters:,} buckets" if one.estimate.hashed else f" in {counted(one.clusters, 'cluster')}"
    what = f"on {one.loss}{where}"
    if math.isnan(one.difference):
        return f"{one.model} cannot be held against {one.against} {what}: the difference is not a number, {units}."
    if one.n and one.tied == 1.0:
        return f"{one.model} and {one.against} are the same {what}, row by row, {units}."
    error = one.standard_error
    number = signed(one.difference, error)
    interval = f"{100 * level:.6g} % {signed(one.ci_low, error)} to {signed(one.ci_high, error)}"
    if one.verdict == "not trusted":
        return f"{one.model} − {one.against} {what} is {number}, {units}; not trusted: {one.doubt}."
    if one.is_shown:
        share, other = (one.better, one.worse) if one.verdict == "better" else (one.worse, one.better)
        is_less = share < other and round(100 * share) < 50
        rows = f"{'though on only' if is_less else f'{one.verdict} on'} {_percent(share)} of rows"
        few = [f"without the {one.estimate.unit} that carries {_percent(one.top_share)} of the squares, too"]
        chance = [f"among all of the table q = {_chance(one.q)}"] if one.q >= 1.0 - level else []
        clauses = "; ".join([rows, *(few if one.doubt else []), *chance])
        return f"{one.model} is {one.verdict} than {one.against} {what}: {number} ({interval}), {units}; {clauses}."
    could = one.estimate.detectable(level)
    shown = "" if math.isnan(could) else f"; could have shown {rounded(could, error)} with 80 % power"
    return f"no evidence that {one.model} differs from {one.against} {what}: {number} ({interval}), {units}{shown}."


def _percent(share: float) -> str:
    if math.isnan(share):
        return "nan"
    if share > 0.995:
        return f"{100 * share:.3g} %"  # not all of them, as far as three digits tell
    return f"{100 * share:.0f} %" if share >= 0.005 or share == 0.0 else f"{100 * share:.2g} %"
