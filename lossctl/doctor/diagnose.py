"""What the columns of a data set look like, which pairing fits them, and what is suspicious: in one pass."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from lossctl.arguments import checked
from lossctl.doctor.arrangements import Arrangements
from lossctl.doctor.diagnosis import Diagnosis, ModelTask, Reported
from lossctl.doctor.finding import Case, Evidence, Finding, Severity, findings
from lossctl.doctor.shell import eval_command, spelled, with_flags, words_of
from lossctl.doctor.statistics import ranks
from lossctl.doctor.survey import described, survey
from lossctl.errors import DataError, Undecided
from lossctl.evaluation.complaints import told
from lossctl.evaluation.evaluate import Classes, Label, Names, requested, several, specs_of
from lossctl.evaluation.fold import fold
from lossctl.evaluation.prepared import open_alone, open_joined, with_tried_ways
from lossctl.evaluation.running import Progress, Running
from lossctl.evaluation.second import ensure_no_labels
from lossctl.evaluation.traversal import Traversal
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import get_loss
from lossctl.inference.doubts import doubt, shared_ways
from lossctl.inference.facts import Facts, no_facts
from lossctl.inference.fit import Fit, fit
from lossctl.inference.gather import gather
from lossctl.inference.infer import complete_roles, ensure_parts
from lossctl.inference.layout import Layout
from lossctl.inference.patterns import find
from lossctl.inference.request import Request, Settings
from lossctl.inference.suitable import readable_layout, see
from lossctl.reading.files import narrowed, warnings_of
from lossctl.reading.format import Reading, Source
from lossctl.reading.selection import ensure_selection, no_rows
from lossctl.words import shell_word

ID_NAMES = ("id",)


@checked("loss")
def diagnose(
    source: Any,
    loss: str | Sequence[str] | None = None,
    *,
    label: Names | None = None,
    prediction: Names | None = None,
    weight: str | None = None,
    ids: Names | None = None,
    classes: Classes = (),
    ignore_label: Label | Sequence[Label] = (),
    where: str | None = None,
    limit: int | None = None,
    reading: Reading | None = None,
    labels: Any = None,
    join: str = "strict",
    command: str | Sequence[str] | None = None,
    engine: str | Running = "threads",
    threads: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Look at the columns of a data set, in one pass and bounded memory.

    Nulls, infinities and values outside domains are found, not refused. What is not described below is as for
    `lossctl.evaluate`.

    Args:
        source: what `lossctl.evaluate` takes.
        loss: losses the user has in mind; what they need is checked too.
        ids: columns that identify a row, by which it is matched with its label where these are elsewhere (as for
            `lossctl.evaluate`); a column named ``id``, or the key that both share, when left out.
        command: words of a command line that say what to read, quoted, to be repeated in those suggested; the paths
            when left out.

    Raises:
        UsageError: an unknown column, loss or engine.
        DataError: the data cannot be read, or hold no rows.
    """
    running = Running.of(engine, threads, scheduler, progress)
    asked = tuple(get_loss(spec) for spec in split_specs(specs_of(loss)))
    ensure_selection(where, limit)
    words = _paths(source) if command is None else several(command)
    if command is None and labels is not None:
        words += tuple(word for path in _paths(labels) for word in ("--labels", path))
        words += ("--join", shell_word(join)) if join != "strict" else ()
    request = requested(
        label=label,
        prediction=prediction,
        weight=weight,
        classes=classes,
        ignore_label=ignore_label,
        where=where,
        limit=limit,
    )
    named, bare, taken, keys = request, request, tuple[str, ...](), several(ids)
    question: Undecided | None = None
    remarks: tuple[str, ...] = ()
    if labels is None:
        opened = open_alone(source, request, reading)
    else:
        joined = open_joined(source, request, reading, labels=labels, ids=keys, join=join, survey=True)
        opened, request, named, taken = joined.source, joined.request, joined.asked, joined.notes
        keys = tuple(key.left for key in joined.keys)
        words += ("--id", shell_word(",".join(map(str, joined.keys)))) if keys else ()
        question, remarks = joined.question, joined.remarks
    apart = named is not request
    try:
        if question is not None:
            raise question
        roles = complete_roles(opened, request)
        request = roles.request
        if not any(bound.rows for bound in asked):
            ensure_parts(opened, request)
    except DataError:
        ensure_no_labels(source, request, reading, labels)
        raise
    except Undecided as open_question:
        ensure_no_labels(source, request, reading, labels)
        tried = with_tried_ways(open_question, source, bare, reading, labels=labels, ids=several(ids), join=join)
        return _columns_only(opened, tried, request, named, words, running)
    named = named if apart else request
    layout = _identified(readable_layout(opened, request), opened, keys)
    columns, arranged = layout.wanted(), _arranged(opened, layout)
    folded = fold(narrowed(opened, columns.names), columns, partial(gather, layout), no_facts(layout), running)
    facts, passed = folded.total, folded.passed
    if not facts.rows:
        raise no_rows(opened, passed.read)
    fits = [fit(facts, layout, index) for index in range(len(layout.models))]
    cases = [Case(facts, layout, index, model_fit, asked) for index, model_fit in enumerate(fits)]
    reported = _worst_first([*_findings(cases, passed), *arranged])
    commands = _commands(facts, layout, fits, named, asked, words)
    return Diagnosis(
        files=opened.files,
        rows=facts.rows,
        rows_used=facts.used,
        rows_ignored=facts.ignored,
        ignored=layout.ignored,
        roles=tuple(described(facts, layout, opened.columns)),
        models=tuple(map(_task, cases)),
        commands=commands,
        runs=bool(commands) and not any(finding.stops for finding in reported),
        findings=reported,
        notes=(
            *warnings_of(opened),
            *passed.remarks(),
            *filter(None, ["; ".join([*taken, *roles.notes])]),
            *layout.roles.notes,
            *remarks,
            *told(facts.seen, passed, "no double"),
            *_other_fits(opened, request, fits),
        ),
    )


def _paths(source: Any) -> tuple[str, ...]:
    """The paths of a source, as a shell takes them; none of a table in memory."""
    paths = source if isinstance(source, list | tuple) else [source]
    return tuple(shell_word(os.fspath(path)) for path in paths if isinstance(path, str | os.PathLike))


def _columns_only(
    source: Source, question: Undecided, request: Request, named: Request, command: Sequence[str], running: Running
) -> Diagnosis:
    """The diagnosis of data whose columns play no known roles: which columns there are, and what each could be.

    Raises:
        DataError: there are no rows.
    """
    label = tuple(str(value) for name, value in (question.ways or ((),))[0] if name == "label") or request.label
    arranged = [*Arrangements(source, tuple(label)).reported()]
    rows, columns, chosen = survey(source, running)
    if not rows:
        raise no_rows(source)
    commands = []
    for way in question.ways:
        kept = replace(named, prediction=()) if "prediction" in dict(way) else named
        commands.append(" ".join(["lossctl", "eval", *command, *_named(kept), *words_of(way)]))
    losses = [str(value) for way in question.ways for name, value in way if name == "loss"]
    quantiles = bool(commands) and any(each.name == "quantiles" for each in arranged)  # they say what to do
    reported = Reported("columns-not-recognised", Severity.error, "", question.what, _advice(question), stops=True)
    if losses and all(get_loss(spec).unlabelled for spec in split_specs(losses)) and not request.label:
        advice = "Their loss needs no label: copy the command line."
        reported = Reported("log-probabilities", Severity.note, "", question.what, advice, stops=False)
    return Diagnosis(
        files=source.files,
        rows=rows,
        rows_used=0,
        rows_ignored=0,
        ignored=tuple(request.ignore_label),
        roles=(),
        models=(),
        commands=tuple(commands),
        runs=False,
        findings=_worst_first(arranged if quantiles else [reported, *arranged]),
        columns=columns,
        notes=(*warnings_of(source), *chosen),
    )


def _advice(question: Undecided) -> str:
    """What to say: which columns are which, where that is what the question is about."""
    columns = any({"label", "prediction"} & dict(way).keys() for way in question.ways)
    return "Say which columns are which with -y and -p." if columns else with_flags(question.parts[1])


def _other_fits(source: Source, request: Request, fits: Sequence[Fit | None]) -> Iterator[str]:
    """What the sample that other commands look at says otherwise, so that the loss is to be named."""
    if source.once:
        return
    seen = see(source, request)
    if seen.whole:
        return
    for model, ours, theirs in zip(seen.layout.models, fits, seen.fits, strict=True):
        if ours is not None and theirs is not None and (ours.loss, ours.settings) != (theirs.loss, theirs.settings):
            flagged = ", ".join([theirs.loss, *(f"{name}={value}" for name, value in theirs.settings)])
            yield f"{model.name}: name the loss, for the {seen.facts.rows:,} rows that eval looks at say {flagged}"


def _identified(layout: Layout, source: Source, ids: Sequence[str]) -> Layout:
    """The layout with the columns that identify a row: those named, or one called ``id``."""
    chosen = tuple(name for pattern in ids for name in find(pattern, source.columns, "id"))
    if not chosen:
        names = [column.name for column in source.columns if column.name not in layout.roles.needed]
        chosen = tuple(name for name in names if name.lower() in ID_NAMES)[:1]
    return replace(layout, ids=chosen)


def _arranged(source: Source, layout: Layout) -> list[Reported]:
    """What there is to say of the columns together, with what is known of their roles; looked at before the pass."""
    families = tuple(model.columns for model in layout.models if len(model.columns) > 1)
    classes, forecasts = ((), families) if layout.numbers else (families, ())
    vectors = frozenset(name for family in classes for name in family)
    known = frozenset({*layout.roles.needed, *(layout.ids if len(layout.ids) == 1 else ())})
    return [*Arrangements(source, layout.roles.label, vectors, forecasts, known).reported()]


def _worst_first(reported: Sequence[Reported]) -> tuple[Reported, ...]:
    order = list(Severity)
    return tuple(sorted(reported, key=lambda found: order.index(found.severity)))


def _findings(cases: Sequence[Case], passed: Traversal) -> Iterator[Reported]:
    """The findings that have evidence, worst first; what models share is reported once."""
    reported: dict[tuple[str, str], tuple[Evidence, Finding, Case]] = {}
    for case in cases:
        for finding in findings:
            evidence = finding.look(case)
            if evidence is not None:
                key = finding.name, evidence.what if finding.shared else case.name
                reported.setdefault(key, (evidence, finding, case))
    order = list(Severity)
    for evidence, finding, case in sorted(reported.values(), key=lambda entry: order.index(entry[1].severity)):
        problem = evidence.problem
        file, row = (None, None) if problem is None else passed.locate(problem.row)
        count = None if problem is None else problem.count
        model = case.name if len(cases) > 1 and not finding.shared else ""
        yield Reported(
            finding.name,
            finding.severity,
            model,
            evidence.what,
            evidence.advice,
            finding.stops,
            count,
            file,
            row,
            evidence.sample,
            evidence.standard_error,
        )


def _commands(
    facts: Facts,
    layout: Layout,
    fits: Sequence[Fit | None],
    request: Request,
    asked: Sequence[BoundLoss],
    command: Sequence[str],
) -> tuple[str, ...]:
    """Command lines to copy, each for the models that the same loss and flags fit.

    Args:
        facts: what the pass saw.
        layout: the roles of the columns.
        fits: the task and pairing of each model.
        request: what the user named.
        asked: the losses the user has in mind.
        command: words that say what to read.
    """
    roles = layout.roles
    told = replace(request, label=request.label or roles.label, prediction=(), weight=roles.weight)
    shared = [*command, *_named(told)]
    needed = {*roles.needed}
    if any(kind == "null" and column in needed for kind, column, _ in facts.seen.by_key):
        shared += ["--nulls", "drop"]
    patterns = list(request.prediction) or [model.name for model in roles.models]
    grouped: dict[tuple[str, Settings], list[int]] = {}
    for index, model_fit in enumerate(fits):
        if model_fit is not None:
            grouped.setdefault((model_fit.loss, model_fit.settings), []).append(index)
    commands = []
    for (loss, _), indices in grouped.items():
        chosen = fits[indices[0]]
        if chosen is not None:
            fitting = [str(bound) for bound in asked if bound.name in chosen.pairing.losses]
            zeros = _zeros(facts, layout)
            losses = ["mape:zero=max1" if spec == "mape" and zeros else spec for spec in fitting] or [loss]
            chosen_models = [patterns[index] for index in indices]
            ways = shared_ways([doubt(facts, layout, index, chosen) for index in indices], [chosen] * len(indices))
            commands += [
                eval_command(shared, chosen_models, losses if way.loss == loss else [way.loss], way)
                for way in ways
                if way.loss == loss or not fitting
            ]
    return tuple(commands)


def _named(request: Request) -> Iterator[str]:
    """What a request names, as words of a command line."""
    for flag, names in (("label", request.label), ("pred", request.prediction), ("weight", [request.weight])):
        for name in filter(None, names):
            yield from spelled(flag, name)
    if request.classes:
        yield shell_word(f"--classes={','.join(request.classes)}")
    if request.ignore_label:
        yield shell_word(f"--ignore-label={','.join(request.ignore_label)}")


def _zeros(facts: Facts, layout: Layout) -> bool:
    return facts.met("label zero", layout.roles.label[0]) is not None


def _task(case: Case) -> ModelTask:
    if case.fit is None:
        return ModelTask(case.name, None, None)
    pairing, scale = case.fit.pairing, str(case.fit.scale)
    zeros = case.problem("label zero", case.label) is not None
    losses = tuple("wmape" if name == "mape" and zeros else name for name in pairing.losses)
    return ModelTask(case.name, pairing.task, scale, pairing.activations, losses, case.fit.why, ranks(case))
